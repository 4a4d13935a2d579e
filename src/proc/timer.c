/* The timer wheel: LEVELS wheels of 64 slots; a slot of one level is a turn of the level below. A bitmap per level says which
   slots are in use, so that the next event is found without walking. */
#include "proc/timer.h"

#include "base/lock.h"
#include "proc/chance.h"
#include "proc/schedule.h"

enum { LEVEL_BITS = 6, SLOTS = 1 << LEVEL_BITS, LEVELS = 7 };
/* Timers further away than the wheel reaches (17 years) are put at its rim, and put in again when they get there. */
#define REACH ((int64_t)1 << (LEVEL_BITS * LEVELS))

struct TimerWheel {
    Lock lock;   /* its scheduler puts in and fires, any may take out */
    int64_t now; /* ticks up to here have been run */
    uint64_t used[LEVELS];
    Timer *slot[LEVELS][SLOTS];
};

/* The last multiple of `step` up to ns, in steps. */
static int64_t whole(int64_t ns, int64_t step) {
    int64_t n = ns / step;
    return n * step > ns ? n - 1 : n;
}

int64_t timers_now(VM *vm) {
    return whole(clock_monotonic(vm), TICK);
}

int64_t timers_after(VM *vm, int64_t ms) {
    if (vm->seeded) { /* there, timers of the same millisecond fire in any order */
        return timers_at(whole(clock_monotonic(vm) + MILLISECOND - 1, MILLISECOND) + ms);
    }
    return whole(clock_monotonic(vm) + TICK - 1, TICK) + timers_at(ms);
}

/* The clock is read once: MAX would read it again, and a thread may have slept in between. */
static int64_t until(VM *vm, int64_t end) {
    int64_t left = end - clock_monotonic(vm);
    return MAX(left, 0);
}

int64_t timers_wait(VM *vm, int64_t tick) {
    return until(vm, tick * TICK);
}

int64_t timers_left(VM *vm, int64_t tick) {
    int64_t end = whole(tick * TICK + MILLISECOND - 1, MILLISECOND) * MILLISECOND;
    return until(vm, end) / MILLISECOND;
}

TimerWheel *timers_new(VM *vm) {
    TimerWheel *w = MEM_NEW(&vm->mem, MEM_SYSTEM, TimerWheel);
    if (w != NULL) {
        w->now = timers_now(vm);
    }
    return w;
}

void timers_free(VM *vm, TimerWheel *w) {
    if (w != NULL) {
        MEM_DELETE(&vm->mem, MEM_SYSTEM, w);
    }
}

/* Which slot the timer belongs in, as seen from w->now: the level is that of the highest group of bits in which the two
   differ, so that a slot is emptied exactly when the levels below have come round to it. */
static void insert(TimerWheel *w, Timer *t) {
    int64_t at = MIN(MAX(t->at, w->now + 1), w->now + REACH - 1);
    uint64_t differ = (uint64_t)at ^ (uint64_t)w->now;
    int level = (63 - __builtin_clzll(differ)) / LEVEL_BITS;
    if (level >= LEVELS) { /* a carry into bits beyond the wheel: the last slot before it is early enough to look again */
        level = LEVELS - 1;
        at = w->now | (REACH - 1);
        if (at == w->now) {
            at = w->now + 1, level = 0; /* the carry happens now: tick by tick */
        } else {
            level = (63 - __builtin_clzll((uint64_t)at ^ (uint64_t)w->now)) / LEVEL_BITS;
        }
    }
    unsigned i = (unsigned)(at >> (level * LEVEL_BITS)) & (SLOTS - 1);
    Timer **list = &w->slot[level][i];
    t->next = *list;
    t->link = list;
    if (t->next != NULL) {
        t->next->link = &t->next;
    }
    *list = t;
    w->used[level] |= (uint64_t)1 << i;
}

static void unlink_timer(Timer *t) {
    *t->link = t->next;
    if (t->next != NULL) {
        t->next->link = t->link;
    }
    t->link = NULL;
}

void timer_set(Scheduler *s, Timer *t, int64_t at_tick, TimerFire *fire) {
    TimerWheel *w = s->timers;
    vm_lock(s->vm, &w->lock);
    t->at = at_tick;
    t->fire = fire;
    t->wheel = w;
    insert(w, t);
    vm_unlock(s->vm, &w->lock);
}

static void take_out(TimerWheel *w, Timer *t) {
    Timer **first = &w->slot[0][0], **link = t->link;
    unlink_timer(t);
    if (link >= first && link < first + LEVELS * SLOTS && *link == NULL) { /* it was the only one in its slot */
        size_t i = (size_t)(link - first);
        w->used[i / SLOTS] &= ~((uint64_t)1 << i % SLOTS);
    }
}

void timer_cancel(VM *vm, Timer *t) {
    TimerWheel *w = t->wheel;
    if (w != NULL) {
        vm_lock(vm, &w->lock);
        if (t->link != NULL) {
            take_out(w, t);
        }
        vm_unlock(vm, &w->lock);
    }
}

/* Moves a slot's timers to a list of their own, oldest first: those of the same tick fire in the order they were set. */
static void empty_slot(TimerWheel *w, int level, unsigned i, Timer **list) {
    *list = NULL;
    Timer *t = w->slot[level][i];
    w->slot[level][i] = NULL;
    w->used[level] &= ~((uint64_t)1 << i);
    for (Timer *next; t != NULL; t = next) {
        next = t->next;
        t->next = *list;
        t->link = list;
        if (t->next != NULL) {
            t->next->link = &t->next;
        }
        *list = t;
    }
}

/* The next tick at which a slot must be emptied: of the lowest level in use. INT64_MAX: there is none. */
static int64_t next_event(const TimerWheel *w) {
    for (int level = 0; level < LEVELS; level++) {
        if (w->used[level] == 0) {
            continue;
        }
        int shift = level * LEVEL_BITS;
        int64_t base = w->now >> shift;
        unsigned here = (unsigned)base & (SLOTS - 1);
        uint64_t ahead = here == SLOTS - 1 ? 0 : w->used[level] & (~(uint64_t)0 << (here + 1));
        /* Slots at or before `here` belong to the next turn: only ticks put in across a carry (see insert) are there. */
        int64_t turn = base - here;
        int64_t slot = ahead != 0 ? turn + __builtin_ctzll(ahead) : turn + SLOTS + __builtin_ctzll(w->used[level]);
        return (int64_t)((uint64_t)slot << shift);
    }
    return INT64_MAX;
}

int64_t timers_next(VM *vm, TimerWheel *w) {
    vm_lock(vm, &w->lock);
    int64_t next = next_event(w);
    vm_unlock(vm, &w->lock);
    return next;
}

static void run_locked(Scheduler *s, TimerWheel *w, int64_t now_tick) {
    for (;;) {
        int64_t event = next_event(w);
        if (event > now_tick) {
            w->now = MAX(w->now, now_tick);
            return;
        }
        w->now = event;
        /* From the top down: what a higher level gives up may be due on the same tick. */
        for (int level = LEVELS - 1; level >= 0; level--) {
            int shift = level * LEVEL_BITS;
            if (level > 0 && (event & (((int64_t)1 << shift) - 1)) != 0) {
                continue; /* this level's slot begins only at multiples of its step */
            }
            Timer *list;
            empty_slot(w, level, (unsigned)(event >> shift) & (SLOTS - 1), &list);
            while (list != NULL) { /* firing one may cancel others */
                Timer *t = s->vm->seeded ? chance_timer(s, list) : list;
                unlink_timer(t);
                if (t->at <= event) {
                    t->fire(s, t);
                } else {
                    insert(w, t);
                }
            }
        }
    }
}

void timers_run(Scheduler *s, int64_t now_tick) {
    TimerWheel *w = s->timers;
    vm_lock(s->vm, &w->lock);
    run_locked(s, w, now_tick);
    vm_unlock(s->vm, &w->lock);
}
