/* Garbage collection of a process: gathers its roots, keeps its limits. */
#ifndef MOTE_PROC_COLLECT_H
#define MOTE_PROC_COLLECT_H

#include "proc/process.h"

/* Collects so that `need` words (besides HEAP_RESERVE) are free. Roots are the stack, x[0..live-1] of the scheduler, the
   dictionary, the messages that have been looked at. False: not enough memory, or max_heap_size broken: the process has
   STATE_KILLED and must leave at once with RUN_YIELD; its heap is still whole. */
bool process_collect(Process *p, size_t need, size_t live);

/* No process is running: frees what literals have been retired (literal_retire) and nobody mentions any more. Processes that
   mention them get copies; what is mentioned elsewhere, in messages on their way and the like, stays until next time. */
void literals_sweep(VM *vm);
/* The same for one process that is not running. False: it may still mention them. */
struct LiteralBlock;
bool process_leave_literals(Process *p, const struct LiteralBlock *block);

/* Asked at boundaries: have fragments grown so that it is time? */
static inline bool process_should_collect(const Process *p) {
    return heap_wants_collection(&p->heap) || UNLIKELY(p->flags & FLAG_GC_WANTED);
}

/* Full sweep into the smallest block that will do; for a process that waits. */
bool process_collect_hibernate(Process *p, size_t live);

/* For process_info and erlang:memory. Bytes, all included. */
size_t process_memory(const Process *p);

#endif
