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
    lock_take(&s->queues->lock);
    p = run_queue_pop(s->queues);
    lock_give(&s->queues->lock);
    return p;
}

void run_queue_open(Scheduler *s) {
    for (Process *p; (p = s->queues->next) != NULL;) {
        s->queues->next = p->next;
        run_queue_put(s, p);
    }
}

bool run_queue_steal(Scheduler *s, Scheduler *from) {
    Process *stolen[STEAL_MAX];
    size_t count = 0;
    bool all = !scheduler_is_online(from);
    lock_take(&from->queues->lock);
    for (size_t wanted = MIN((from->queues->length + 1) / 2, (size_t)STEAL_MAX); wanted > 0; wanted--) {
        Process *p = run_queue_pop(from->queues);
        if (UNLIKELY(process_state(p) & STATE_BOUND) && !all) {
            run_queue_push(from->queues, p, queue_of(p));
        } else {
            stolen[count++] = p;
        }
    }
    lock_give(&from->queues->lock);
    if (count == 0) {
        return false;
    }
    lock_take(&s->queues->lock);
    for (size_t i = 0; i < count; i++) {
        run_queue_push(s->queues, stolen[i], queue_of(stolen[i]));
    }
    lock_give(&s->queues->lock);
    return true;
}
