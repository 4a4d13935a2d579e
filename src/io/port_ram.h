/* The driver ram_file_drv: a file in memory, for OTP's module ram_file. */
#ifndef MOTE_IO_PORT_RAM_H
#define MOTE_IO_PORT_RAM_H

#include "io/port.h"

Port *port_open_ram(Process *p, const char *command, uint32_t flags, int *error);

#endif
