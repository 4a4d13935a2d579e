/* Other programs: starting them with pipes to us, and learning of their end. */
#ifndef MOTE_PLATFORM_CHILD_H
#define MOTE_PLATFORM_CHILD_H

#include "base/base.h"

typedef struct {
    const char *path;         /* of the executable */
    char *const *argv;        /* with its name, NULL at the end */
    char *const *environment; /* "NAME=VALUE", NULL at the end */
    const char *directory;    /* where it starts; NULL: here */
    bool standard;            /* talks to us on 0 and 1; else on 3 and 4 */
    bool reads, writes;       /* has a pipe from us, to us */
    bool errors_too;          /* its standard error goes where its output goes */
} ChildOptions;

typedef struct {
    long pid;
    int from, to; /* our ends of the pipes, not blocking; -1: none */
    int watch;    /* can be read when the program has ended */
    int failed;   /* it ended before it began: its status; else -1 (then there is no pid and nothing to watch) */
} Child;

/* 0, or an error number. That the folder or the program cannot be used is no error: it then ends at once, with the error's number
   as its status. */
int child_start(const ChildOptions *o, Child *child);
/* Has it ended? Then *status: what it exited with, or 128 + the signal that killed it. To be asked once after watch is ready, which
   must be closed by the caller. */
bool child_ended(long pid, int *status);
/* May it be executed? 0 or an error number. */
int child_executable(const char *path);

#endif
