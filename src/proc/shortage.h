/* The system has no more memory, and several schedulers run. The process that comes upon it first does without, and mostly dies of it;
   until that has happened, others shall not die of asking for a little. So some addresses are held that nobody uses, where the
   system limits them, and let go of then. Who finds no memory while they are gone waits. */
#ifndef MOTE_PROC_SHORTAGE_H
#define MOTE_PROC_SHORTAGE_H

#include "term/vm.h"

void shortage_prepare(VM *vm); /* when the second scheduler begins */
void shortage_ended(VM *vm);   /* a process has, and all that it had is free */
void shortage_done(VM *vm);

#endif
