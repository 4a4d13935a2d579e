/* The driver tty_sl of OTP up to 25: a line of text on the terminal that can be edited, for OTP's module user_drv. */
#ifndef MOTE_IO_PORT_TERMINAL_H
#define MOTE_IO_PORT_TERMINAL_H

#include "io/port.h"

/* command: "tty_sl" and options: -c, -e, -s turn canonical mode, echo, signals off, with + on; a word without sign: the device. */
Port *port_open_terminal(Process *p, const char *command, uint32_t flags, int *error) MAY_BE_MISSING;

#endif
