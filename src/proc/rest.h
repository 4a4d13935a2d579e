/* Several schedulers: how they begin, rest, wake each other, stand still and end. */
#ifndef MOTE_PROC_REST_H
#define MOTE_PROC_REST_H

#include "proc/schedule.h"

/* There is more to do here than one scheduler can: wakes one that rests, or starts one, if it may. */
void schedulers_help(Scheduler *s, bool start);
/* Between two slices of s: the scheduler with this number, which is started if it must be; s, if that one may not run anything now. */
Scheduler *scheduler_for_bound(Scheduler *s, uint32_t id);
void scheduler_wake(Scheduler *s); /* something has been put into its queue */
/* The scheduler has found nothing to run: looks at the others' queues, and sleeps. False: nothing will ever happen any more (only
   for the first scheduler). */
bool scheduler_rest(Scheduler *s);
/* Between two slices: stands still if that is asked for. */
void scheduler_checkpoint(Scheduler *s);
static inline bool scheduler_is_online(const Scheduler *s) {
    return LIKELY(s->id <= __atomic_load_n(&s->vm->processes->allowed, __ATOMIC_RELAXED));
}
/* Looks at another one's queues: what waits longer there than it would here, or for ever behind what is more urgent, comes here. */
void schedulers_even(Scheduler *s);
/* Takes what stands in the queues of those that may run nothing now. */
void schedulers_take_over(Scheduler *s);
/* It will run nothing any more: nobody waits for it. */
void scheduler_leave_world(Scheduler *s);
void schedulers_wake_all(VM *vm);
/* s has asked io/, and may have taken what was to wake the one who waits there. */
void schedulers_polled(Scheduler *s);
/* After halting has been set: all others have ended when it returns. By the first scheduler. */
void schedulers_join(VM *vm);

/* schedule.c: what a thread of a scheduler does until the VM halts. */
void scheduler_loop(Scheduler *s);
Scheduler *scheduler_new(VM *vm, uint32_t id, uint64_t seed); /* NULL: no memory */
void scheduler_free(Scheduler *s);
/* Looks at the clock and at io/. */
void scheduler_look_around(Scheduler *s, bool poll);
/* The thread that calls it runs the scheduler from now on. */
void scheduler_has_thread(Scheduler *s);

#endif
