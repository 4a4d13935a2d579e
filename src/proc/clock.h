/* Erlang time: monotonic time that never goes back, and its offset to system time, taken once at start (no time warp). All in
   nanoseconds. Nothing else in proc/ asks the platform for the time. */
#ifndef MOTE_PROC_CLOCK_H
#define MOTE_PROC_CLOCK_H

#include "term/vm.h"

typedef struct Clock {
    int64_t start;  /* platform's monotonic time when the VM started */
    int64_t origin; /* Erlang monotonic time at start: negative, as in OTP, so that nobody relies on its sign */
    int64_t offset; /* system time minus monotonic time */
    bool frozen;    /* virtual: `now` goes on as chance.h says, and jumps to the next timer when nobody can run */
    int64_t now;
    int64_t last_cpu, last_wall; /* ms, as statistics(runtime | wall_clock) told last */
    int64_t last_now;            /* for now/0, microseconds, atomic */
} Clock;

void clock_init(Clock *c);
int64_t clock_monotonic(VM *vm);
int64_t clock_system(VM *vm); /* monotonic + offset */
int64_t clock_offset(VM *vm);
/* The platform's own clocks, and CPU time used: virtual ones with a seed. */
int64_t clock_platform(VM *vm);
int64_t clock_platform_system(VM *vm);
int64_t clock_cpu(VM *vm);

#endif
