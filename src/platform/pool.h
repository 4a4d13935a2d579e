/* Threads for work that may block. Jobs run in any order, several at a time; none of them touches the VM. */
#ifndef MOTE_PLATFORM_POOL_H
#define MOTE_PLATFORM_POOL_H

#include "base/mem.h"

typedef struct Job {
    struct Job *next;
    void (*work)(struct Job *j); /* on a thread of the pool */
} Job;

typedef struct Pool Pool;
/* wake: called by a thread of the pool when pool_finished has something new to tell. Threads start when they are needed, at most
   `limit`. NULL: no memory. */
Pool *pool_new(Mem *mem, unsigned limit, void (*wake)(void *arg), void *arg);
/* The end: waits for jobs that have begun and stops the threads. What has not been handed back yet is a list, to be freed by the
   caller, done or not; then only pool_free may follow. */
Job *pool_close(Pool *p);
void pool_free(Pool *p);
bool pool_submit(Pool *p, Job *j);  /* false: there is no thread, and none can be started */
Job *pool_finished(Pool *p);        /* a list of those that are done, oldest first; they are the caller's again */
size_t pool_pending(const Pool *p); /* submitted and not handed back yet */

#endif
