/* Run queues of several schedulers. */
#include "proc/run_queue.h"

#include "proc/rest.h"

enum { STEAL_MAX = 32 };

void run_queue_put(Scheduler *s, Process *p) {
    lock_take(&s->queues->lock);
    run_queue_push(s->queues, p, queue_of(p));
    lock_give(&s->queues->lock);
}

Process *run_queue_take(Scheduler *s) {
    Process *p = s->queues->next;
    if (p != NULL) {
        s->queues->next = p->next;
        return p;
    }
    if (run_queue_length(s) == 0) { /* who puts something in for another one wakes that one */
        return NULL;
    }
    RunQueues *r = s->queues;
    lock_take(&r->lock);
    if (UNLIKELY(r->serving > QUEUE_NORMAL) && r->queue[r->serving].first == NULL) {
        lock_give(&r->lock);
        schedulers_even(s); /* before what is less urgent, it looks for what is as urgent */
        lock_take(&r->lock);
    }
    p = run_queue_pop(r);
    lock_give(&r->lock);
    return p;
}

void run_queue_open(Scheduler *s) {
    for (Process *p; (p = s->queues->next) != NULL;) {
        s->queues->next = p->next;
        run_queue_put(s, p);
    }
}

static void put_all(Scheduler *s, Process *const *taken, size_t count) {
    lock_take(&s->queues->lock);
    for (size_t i = 0; i < count; i++) {
        run_queue_push(s->queues, taken[i], queue_of(taken[i]));
    }
    lock_give(&s->queues->lock);
}

/* So many from the front of a queue, which is locked, to be put into the queues of another scheduler. */
static size_t take_some(RunQueues *from, int q, size_t wanted, bool bound, Process **taken) {
    size_t count = 0;
    for (; wanted > 0; wanted--) {
        Process *p = run_queue_first(from, q);
        if (UNLIKELY(process_state(p) & STATE_BOUND) && !bound) {
            run_queue_push(from, p, q);
        } else {
            taken[count++] = p;
        }
    }
    return count;
}

bool run_queue_steal(Scheduler *s, Scheduler *from) {
    Process *taken[STEAL_MAX];
    size_t count = 0;
    bool all = !scheduler_is_online(from);
    lock_take(&from->queues->lock);
    size_t wanted = MIN((run_queue_length(from) + 1) / 2, (size_t)STEAL_MAX);
    for (int q = QUEUE_MAX; q >= QUEUE_NORMAL; q--) {
        size_t of_these = MIN(wanted, from->queues->queue[q].length);
        count += take_some(from->queues, q, of_these, all, taken + count);
        wanted -= of_these;
    }
    lock_give(&from->queues->lock);
    put_all(s, taken, count);
    return count > 0;
}

/* How many of this queue stand there in vain, or wait longer than they would with s. */
static size_t surplus(const Scheduler *s, const Scheduler *from, int q) {
    size_t there = run_queue_length_of(from, q), here = run_queue_length_of(s, q);
    bool in_vain = __atomic_load_n(&from->queues->serving, __ATOMIC_RELAXED) > q;
    size_t more = there + (__atomic_load_n(&from->current, __ATOMIC_RELAXED) != NULL); /* one of theirs may be running, none of ours is */
    return in_vain ? there : more > here ? (more - here) / 2 : 0;
}

void run_queue_even(Scheduler *s, Scheduler *from) {
    Process *taken[STEAL_MAX];
    for (int q = QUEUE_MAX; q >= QUEUE_NORMAL; q--) {
        if (surplus(s, from, q) > 0) {
            lock_take(&from->queues->lock);
            size_t count = take_some(from->queues, q, MIN(surplus(s, from, q), (size_t)STEAL_MAX), false, taken);
            lock_give(&from->queues->lock);
            put_all(s, taken, count);
        }
        if (run_queue_length_of(s, q) > 0) {
            break;
        }
    }
}
