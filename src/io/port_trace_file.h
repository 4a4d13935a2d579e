/* The driver trace_file_drv: messages of tracing in a file, for dbg:trace_port(file, ...). */
#ifndef MOTE_IO_PORT_TRACE_FILE_H
#define MOTE_IO_PORT_TRACE_FILE_H

#include "io/port.h"

/* command: "trace_file_drv [w Size Count Time Tail ]n File". With w: files File[0..Tail] Number File[Tail..], of Size bytes (0: of one message)
   or Time milliseconds each, and the last Count of them. */
Port *port_open_trace_file(Process *p, const char *command, uint32_t flags, int *error) MAY_BE_MISSING;

#endif
