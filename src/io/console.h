/* Standard input for a process of bare mode: it reads what is there, or asks to be told when there is something. */
#ifndef MOTE_IO_CONSOLE_H
#define MOTE_IO_CONSOLE_H

#include "proc/process.h"

bool console_init(VM *vm);
void console_done(VM *vm);

/* Sends {mote_readable, fd} to pid, once, as soon as fd can be read or is at its end. */
void console_notify(VM *vm, int fd, term pid);

#endif
