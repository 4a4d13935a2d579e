/* Standard input for a process: it reads what is there, or asks to be told when there is something. */
#ifndef MOTE_IO_CONSOLE_H
#define MOTE_IO_CONSOLE_H

#include "proc/process.h"

typedef struct Io {
    int waiting_fd;   /* -1: nobody waits */
    term waiting_pid;
} Io;

bool io_init(VM *vm); /* hooks into the scheduler's idle wait; processes_init comes before */
void io_done(VM *vm);

/* Sends {mote_readable, fd} to pid, once, as soon as fd can be read or is at its end. */
void console_notify(VM *vm, int fd, term pid);

#endif
