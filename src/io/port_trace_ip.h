/* The driver trace_ip_drv: messages of tracing for one client at a time that connects to a TCP port, for dbg:trace_port(ip, ...). */
#ifndef MOTE_IO_PORT_TRACE_IP_H
#define MOTE_IO_PORT_TRACE_IP_H

#include "io/port.h"

/* command: "trace_ip_drv Port Limit Flags". Port 0: any that is free, which the operation 'p' tells. Up to Limit messages wait for
   the client, and with flag 2 for one that is not there yet; then they are counted, and the client is told how many it has missed. */
Port *port_open_trace_ip(Process *p, const char *command, uint32_t flags, int *error) MAY_BE_MISSING;

#endif
