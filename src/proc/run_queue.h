/* Run queues: one set of them per scheduler, by priority. Its scheduler and those that have nothing to do take from it. */
#ifndef MOTE_PROC_RUN_QUEUE_H
#define MOTE_PROC_RUN_QUEUE_H

#include "base/lock.h"
#include "proc/process.h"

/* Normal and low share a queue: a low process is passed over LOW_SKIPS times before it runs, as in OTP. */
enum { QUEUE_NORMAL, QUEUE_HIGH, QUEUE_MAX, QUEUES };
enum { LOW_SKIPS = 7 };

typedef struct RunQueues {
    struct {
        Process *first, **last;
        size_t length; /* others may read it */
    } queue[QUEUES];
    int serving;        /* which of them it took from last; others may read it */
    uint32_t asked;     /* the number, less one, of the scheduler whose queues it has looked at last, to even them */
    Process *next;      /* they run before all others, and only here */
    int64_t until_look; /* reductions until the scheduler looks around */
    uint32_t looks;     /* how often it has done so, instead of resting */
    uint64_t slices;    /* that have begun, while there are several schedulers; others may read it */
    Lock lock;          /* of the queues, taken while there are several schedulers */
} RunQueues;

static inline size_t run_queue_length_of(const Scheduler *s, int q) {
    return __atomic_load_n(&s->queues->queue[q].length, __ATOMIC_RELAXED);
}
static inline size_t run_queue_length(const Scheduler *s) {
    return run_queue_length_of(s, QUEUE_NORMAL) + run_queue_length_of(s, QUEUE_HIGH) + run_queue_length_of(s, QUEUE_MAX);
}

static inline void run_queue_init(RunQueues *r) {
    for (int q = 0; q < QUEUES; q++) {
        r->queue[q].last = &r->queue[q].first;
    }
}

static inline int queue_of(const Process *p) {
    return p->priority <= PRIORITY_NORMAL ? QUEUE_NORMAL : p->priority == PRIORITY_HIGH ? QUEUE_HIGH : QUEUE_MAX;
}
/* With the lock, or with one scheduler. */
static inline void run_queue_push(RunQueues *r, Process *p, int q) {
    p->next = NULL;
    *r->queue[q].last = p;
    r->queue[q].last = &p->next;
    __atomic_store_n(&r->queue[q].length, r->queue[q].length + 1, __ATOMIC_RELAXED);
}
static inline Process *run_queue_first(RunQueues *r, int q) {
    Process *p = r->queue[q].first;
    if (p != NULL) {
        if ((r->queue[q].first = p->next) == NULL) {
            r->queue[q].last = &r->queue[q].first;
        }
        __atomic_store_n(&r->queue[q].length, r->queue[q].length - 1, __ATOMIC_RELAXED);
    }
    return p;
}
static inline Process *run_queue_pop(RunQueues *r) {
    for (int q = QUEUE_MAX; q >= QUEUE_NORMAL; q--) {
        for (Process *p; (p = run_queue_first(r, q)) != NULL;) {
            if (LIKELY(p->priority != PRIORITY_LOW) || p->skips == 0) {
                __atomic_store_n(&r->serving, q, __ATOMIC_RELAXED);
                return p;
            }
            p->skips--;
            run_queue_push(r, p, q);
        }
    }
    return NULL;
}

/* With the lock taken, while there are several. Others than s put in what is bound to it (and wake it then). */
void run_queue_put(Scheduler *s, Process *p);
Process *run_queue_take(Scheduler *s); /* NULL: there is none */
/* What was to run next, and only here, stands in the queue for all: this scheduler may not run anything now. */
void run_queue_open(Scheduler *s);
/* Moves some processes of another scheduler to this one's queue. Those that are bound stay with one that is online. */
bool run_queue_steal(Scheduler *s, Scheduler *from);
/* Of each priority that s comes to, it takes half of what from has more than s; all, if from does not come to it. */
void run_queue_even(Scheduler *s, Scheduler *from);

#endif
