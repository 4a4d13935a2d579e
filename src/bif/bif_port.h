/* What the built-ins of ports share. */
#ifndef MOTE_BIF_BIF_PORT_H
#define MOTE_BIF_BIF_PORT_H

#include "bif/bif.h"
#include "io/port_inet.h"
#include "io/port_ram.h"
#include "io/port_terminal.h"
#include "io/port_trace_file.h"
#include "io/port_trace_ip.h"

/* How a driver of the VM is opened; command: the whole text behind spawn. NULL: *error is an error number; 0: badarg. */
typedef Port *DriverOpen(Process *p, const char *command, uint32_t flags, int *error);

/* The port that a term names: an identifier or a registered name. NULL: none. */
Port *port_of(Process *p, term t);
/* The i-th of the drivers that are part of the VM; NULL: there are not so many. */
const char *port_driver_name(size_t i);

#endif
