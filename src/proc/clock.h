/* Erlang time: monotonic time that never goes back, and its offset to system time, taken once at start (no time warp). All in
   nanoseconds. Nothing else in proc/ asks the platform for the time. */
#ifndef MOTE_PROC_CLOCK_H
#define MOTE_PROC_CLOCK_H

#include "term/vm.h"

typedef struct Clock {
    int64_t start;          /* platform's monotonic time when the VM started */
    int64_t origin;         /* Erlang monotonic time at start: negative, as in OTP, so that nobody relies on its sign */
    int64_t offset;         /* system time minus monotonic time */
    bool frozen;            /* the time stands still at `now` while anybody can run, and jumps to the next timer then */
    int64_t now;
    int64_t start_cpu;
    int64_t last_cpu, last_wall; /* ms, as statistics(runtime | wall_clock) told last */
    int64_t last_now;       /* for now/0, microseconds, atomic */
} Clock;

void clock_init(Clock *c);
int64_t clock_monotonic(VM *vm);
int64_t clock_system(VM *vm);   /* monotonic + offset */
int64_t clock_offset(VM *vm);
void clock_freeze(VM *vm);      /* makes runs repeatable: time passes only when nobody can run */

#endif
