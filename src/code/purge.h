/* Freeing old code: in two steps, between which somebody makes sure that no process runs it. */
#ifndef MOTE_CODE_PURGE_H
#define MOTE_CODE_PURGE_H

#include "code/module.h"

/* Does q run code, or will it return to it? running: q is the process that asks, so that only its stack counts. */
bool purge_is_used(Process *q, bool running, const ModuleCode *code);

/* From here on funs of the old code cannot be called: those who try wait until the purge has ended. With pending, the code whose
   on_load function has failed takes the place of what is old, until the end. False: there is nothing to purge. */
bool purge_prepare(VM *vm, Module *m, bool pending);
bool purge_is_prepared(VM *vm, const Module *m);
/* The old code stays after all. */
void purge_abort(VM *vm, Module *m);
/* Nobody runs it: it is freed. */
void purge_complete(VM *vm, Module *m);

/* Is the fun's code about to be freed? */
bool purge_holds(VM *vm, const Lambda *l);
/* p calls a fun that has no code. True: because its module is being purged; p is then suspended until that has ended. */
bool purge_wait(Process *p, const Lambda *l);

#endif
