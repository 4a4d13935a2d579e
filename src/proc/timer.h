/* Timers: a hierarchical wheel per scheduler with ticks of an eighth of a millisecond. Putting in, taking out and firing take
   constant time; a timer never fires early. */
#ifndef MOTE_PROC_TIMER_H
#define MOTE_PROC_TIMER_H

#include "proc/process.h"

enum { TICK = 125000, MILLISECOND = 1000000 }; /* nanoseconds */

typedef struct Timer Timer;
typedef void TimerFire(Scheduler *s, Timer *t); /* the timer has left the wheel, which is locked */

struct Timer {
    Timer *next, **link;      /* in its slot; link NULL: not in the wheel */
    struct TimerWheel *wheel; /* the one it was put in */
    int64_t at;               /* tick: Erlang monotonic time, rounded up */
    TimerFire *fire;
};

typedef struct TimerWheel TimerWheel;
TimerWheel *timers_new(VM *vm);
void timers_free(VM *vm, TimerWheel *w);
void timer_set(Scheduler *s, Timer *t, int64_t at_tick, TimerFire *fire);
/* Nothing if it is not in the wheel. When it returns, the timer is not, and is not just being fired either. */
void timer_cancel(VM *vm, Timer *t);
int64_t timers_now(VM *vm);               /* the tick that has begun */
int64_t timers_after(VM *vm, int64_t ms); /* the tick at which so many milliseconds from now are over */
static inline int64_t timers_at(int64_t monotonic_ms) {
    return monotonic_ms * (MILLISECOND / TICK);
}
int64_t timers_wait(VM *vm, int64_t tick); /* nanoseconds until then, at least 0 */
int64_t timers_left(VM *vm, int64_t tick); /* whole milliseconds, as if timers fired at full ones: what OTP tells is left */
/* Fires what is due. */
void timers_run(Scheduler *s, int64_t now_tick);
/* The tick at which timers_run should be called next; INT64_MAX: there is no timer. May be too early, never too late. */
int64_t timers_next(VM *vm, TimerWheel *w);

/* send_after and start_timer: found by their reference. */
typedef struct BifTimer {
    Timer timer;                      /* first */
    struct BifTimer *chain;           /* in the table of references; itself: it has left it, and whoever took it out frees it */
    struct ProcessExtra *owner;       /* the receiving process's, which is the one that has set it; NULL: the receiver is another one */
    struct BifTimer *sibling, **back; /* in the owner's list */
    uint64_t key[2];
    term receiver; /* pid or atom */
    term value;    /* message, ready to be sent */
    Fragment *data;
    struct Account *account; /* of who has set it; NULL: none */
} BifTimer;
bool bif_timer_start(Process *p, term ref, int64_t at_tick, term receiver, term message, bool wrap); /* wrap: {timeout, Ref, Msg} */
/* Milliseconds left (as of now); -1: no such timer. */
int64_t bif_timer_read(VM *vm, uint64_t low, uint64_t high);
int64_t bif_timer_cancel(VM *vm, uint64_t low, uint64_t high);
void bif_timers_done(VM *vm);
void bif_timers_each(VM *vm, void (*see)(const BifTimer *t, void *arg), void *arg); /* while nobody else uses them */
void bif_timers_drop(Process *p);                                                   /* those that would send to a process that has ended */

#endif
