/* Registered names: an atom for a process or port of this node. */
#ifndef MOTE_PROC_NAMES_H
#define MOTE_PROC_NAMES_H

#include "proc/process.h"

bool names_init(VM *vm);
void names_done(VM *vm);
term name_find(VM *vm, term name); /* pid or port; NONE: nobody has it */
/* False: the name is taken, or the process has one, or there is no memory. */
bool name_register(VM *vm, term name, term pid);
term name_find_outside(VM *vm, term name); /* the same for threads that are no scheduler's */
term name_of(VM *vm, term pid);            /* NONE: it has no name */
bool name_unregister(VM *vm, term name);   /* false: nobody has it */
void name_give_up(VM *vm, term pid);       /* whatever name it has */
size_t name_count(const VM *vm);
/* All names, into room for so many; returns how many. */
size_t name_all(VM *vm, term *names, size_t room);

#endif
