/* Deferred reclamation. What other threads may just be reading without a lock (processes that were found by their pid, tables that
   have been replaced by larger ones) is taken out of sight first, and freed when every scheduler has passed a point at which it
   holds nothing of the kind: between two slices. So nothing that is found in a shared structure may be kept across the end of a
   slice, and a reader never waits.

   There is a number, the epoch; every scheduler that is awake repeats it when it passes such a point. What has been put aside in one
   epoch is freed when all repeat a later one. While only one thread runs, nothing is deferred. */
#ifndef MOTE_PROC_EPOCH_H
#define MOTE_PROC_EPOCH_H

#include "proc/process.h"

typedef void EpochFree(VM *vm, void *what, size_t size);

/* Frees `what` later, or at once. It is no longer to be found. Calls run on the thread that has put it aside, between slices. */
void epoch_defer(VM *vm, EpochFree *free, void *what, size_t size);
/* The same for a block of memory that mem_alloc gave. */
void epoch_mem_free(VM *vm, MemKind kind, void *block, size_t size);
/* The same for a process that has ended. */
void epoch_process_free(Process *p);

/* The scheduler holds nothing. */
void epoch_pass(Scheduler *s);
/* It goes to sleep, and is not waited for; it is back. */
void epoch_away(Scheduler *s);
void epoch_back(Scheduler *s);
bool epoch_is_done(const Scheduler *s); /* it has nothing left to be freed */
bool epoch_all_done(VM *vm);            /* nor has any other: while they stand still */
void epoch_done(Scheduler *s);          /* the end: nobody reads anything any more; frees all */

#endif
