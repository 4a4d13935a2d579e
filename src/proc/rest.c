/* Several schedulers: how they begin, rest, wake each other, stand still and end.

   A scheduler that finds nothing to run looks for a short time whether others have more than they can do, and then rests: it sleeps
   on its event until its next timer is due, or one of those that rest waits in poll for all. Who has had more than one process to run
   for a while wakes one of them, and no other before that one has found something or rests again: so a burst of work wakes them one by one.

   A process that one scheduler makes runnable stands in that scheduler's queue: two that talk to each other run on one of them. What
   stands alone in a queue is therefore left there as long as its scheduler goes from process to process, and taken when that is busy
   with one. */
#include "proc/rest.h"

#include "platform/platform.h"
#include "platform/processors.h"
#include "proc/blockers.h"
#include "proc/epoch.h"
#include "proc/run_queue.h"
#include "proc/shortage.h"

enum { SPINS = 40, SPIN_PAUSES = 50, SPINS_TO_POLL = 4 };

static Scheduler *scheduler_at(const Processes *ps, uint32_t i) {
    return __atomic_load_n(&ps->schedulers[i], __ATOMIC_ACQUIRE);
}
static uint32_t started(const Processes *ps) {
    return __atomic_load_n(&ps->started, __ATOMIC_ACQUIRE);
}
static bool is_halting(const Processes *ps) {
    return __atomic_load_n(&ps->halting, __ATOMIC_ACQUIRE);
}
static Scheduler *stopper(const Processes *ps) {
    return __atomic_load_n(&ps->stopper, __ATOMIC_SEQ_CST);
}

/* --- Coming and going ---------------------------------------------------------------------------------------------------- */

/* It does nothing from here on. Under the lock. */
static void set_away(Processes *ps, Scheduler *s) {
    s->away = true;
    if (ps->stopper != NULL) {
        event_set(ps->stopper->event);
    }
}

/* Did it rest? It does no longer. Under the lock. */
static bool end_rest(Processes *ps, Scheduler *s) {
    bool rested = s->resting;
    s->resting = false;
    __atomic_fetch_sub(&ps->resting, rested, __ATOMIC_SEQ_CST);
    return rested;
}

/* It does something again, as soon as it may. */
static void come_back(Scheduler *s) {
    Processes *ps = s->vm->processes;
    lock_take(&ps->rest_lock);
    while (ps->stopper != NULL && ps->stopper != s) {
        lock_give(&ps->rest_lock);
        event_wait(s->event, -1);
        lock_take(&ps->rest_lock);
    }
    s->away = false;
    end_rest(ps, s);
    if (ps->poller == s) {
        __atomic_store_n(&ps->poller, NULL, __ATOMIC_RELAXED);
    }
    lock_give(&ps->rest_lock);
    epoch_back(s);
}

static void stand_still(Scheduler *s) {
    Processes *ps = s->vm->processes;
    epoch_away(s);
    lock_take(&ps->rest_lock);
    set_away(ps, s);
    lock_give(&ps->rest_lock);
    come_back(s);
}

void scheduler_checkpoint(Scheduler *s) {
    if (UNLIKELY(stopper(s->vm->processes) != NULL)) {
        stand_still(s);
    }
    epoch_pass(s);
}

bool world_stop(Scheduler *s) {
    Processes *ps = s->vm->processes;
    if (!ps->concurrent) {
        return true;
    }
    lock_take(&ps->rest_lock);
    if (ps->stopper != NULL) {
        lock_give(&ps->rest_lock);
        stand_still(s);
        return false;
    }
    __atomic_store_n(&ps->stopper, s, __ATOMIC_SEQ_CST);
    for (;;) {
        bool all = true;
        for (uint32_t i = 0; i < started(ps); i++) {
            const Scheduler *other = scheduler_at(ps, i);
            all &= other == s || other->away;
        }
        lock_give(&ps->rest_lock);
        if (all) {
            return true;
        }
        event_wait(s->event, -1);
        lock_take(&ps->rest_lock);
    }
}

void world_go(Scheduler *s) {
    Processes *ps = s->vm->processes;
    if (ps->concurrent) {
        lock_take(&ps->rest_lock);
        __atomic_store_n(&ps->stopper, NULL, __ATOMIC_SEQ_CST);
        lock_give(&ps->rest_lock);
        for (uint32_t i = 0; i < started(ps); i++) {
            event_set(scheduler_at(ps, i)->event);
        }
    }
}

/* --- Waking -------------------------------------------------------------------------------------------------------------- */

static void wake(VM *vm, Scheduler *s, bool polls) {
    event_set(s->event);
    if (polls && vm->processes->poll_wake != NULL) {
        vm->processes->poll_wake(vm);
    }
}

void schedulers_wake_all(VM *vm) {
    Processes *ps = vm->processes;
    for (uint32_t i = 0; ps->concurrent && i < started(ps); i++) {
        wake(vm, scheduler_at(ps, i), i == 0);
    }
}

void schedulers_polled(Scheduler *s) {
    Processes *ps = s->vm->processes;
    lock_take(&ps->rest_lock);
    bool again = ps->poller != NULL && (!ps->poller->resting || is_halting(ps));
    lock_give(&ps->rest_lock);
    if (again) {
        ps->poll_wake(s->vm);
    }
}

static void wake_one(Processes *ps, VM *vm) {
    Scheduler *s = NULL;
    lock_take(&ps->rest_lock);
    bool polls = false;
    if (ps->searching == 0 && ps->resting > 0) {
        for (uint32_t i = 0; i < started(ps); i++) {
            Scheduler *other = scheduler_at(ps, i);
            if (other->resting && scheduler_is_online(other) && (s == NULL || polls)) {
                s = other;
                polls = ps->poller == other;
            }
        }
    }
    if (s != NULL) {
        end_rest(ps, s);
        s->searching = true;
        __atomic_fetch_add(&ps->searching, 1, __ATOMIC_SEQ_CST);
    }
    lock_give(&ps->rest_lock);
    if (s != NULL) {
        wake(vm, s, polls);
    }
}

void scheduler_leave_world(Scheduler *s) {
    Processes *ps = s->vm->processes;
    epoch_away(s);
    lock_take(&ps->rest_lock);
    set_away(ps, s);
    lock_give(&ps->rest_lock);
}

void scheduler_has_thread(Scheduler *s) {
    __atomic_store_n(&s->os_thread, thread_self(), __ATOMIC_SEQ_CST);
    void (*bind)(VM *, Scheduler *) = __atomic_load_n(&s->vm->processes->bind, __ATOMIC_SEQ_CST);
    if (bind != NULL) {
        bind(s->vm, s);
    }
}

static void run_thread(void *arg) {
    Scheduler *s = arg;
    scheduler_here = s;
    scheduler_has_thread(s);
    mem_count_here(&s->vm->mem, &s->counts);
    void *first = mem_alloc(&s->vm->mem, MEM_SYSTEM, 1); /* its heap takes its addresses now: see threads_leave_memory */
    mem_free(&s->vm->mem, MEM_SYSTEM, first, first != NULL);
    come_back(s);
    scheduler_loop(s);
    scheduler_leave_world(s);
    mem_count_here(&s->vm->mem, NULL);
    __atomic_store_n(&s->os_thread, 0, __ATOMIC_SEQ_CST);
    scheduler_here = NULL;
}

/* One more, between two slices of s; it looks for something to do if it shall search. Only one thread at a time does it. False: there are no more, or
   somebody else does it. */
static bool start_one(Scheduler *s, bool search) {
    VM *vm = s->vm;
    Processes *ps = vm->processes;
    if (!ps->concurrent) { /* the first one has been alone until now */
        ps->concurrent = true;
        shortage_prepare(vm);
        epoch_back(s);
    }
    lock_take(&ps->rest_lock);
    uint32_t n = started(ps);
    bool wanted = n < MIN(__atomic_load_n(&ps->allowed, __ATOMIC_RELAXED), ps->scheduler_count) && !ps->starting &&
                  !(search && ps->searching > 0) && !is_halting(ps) && ps->stopper == NULL;
    if (wanted) {
        ps->starting = true;
        __atomic_fetch_add(&ps->searching, search, __ATOMIC_SEQ_CST);
    }
    lock_give(&ps->rest_lock);
    if (!wanted) {
        return false;
    }
    bool ok = false;
    Scheduler *made = scheduler_at(ps, n); /* there already: the system had no thread for it */
    if (made == NULL && (made = scheduler_new(vm, n + 1, schedule_random(s))) != NULL) {
        mem_counts_add(&vm->mem, &made->counts);
        __atomic_store_n(&ps->schedulers[n], made, __ATOMIC_RELEASE);
    }
    if (made != NULL) {
        made->away = true;
        made->searching = search;
        made->watch = s->watch;
        __atomic_store_n(&ps->started, n + 1, __ATOMIC_SEQ_CST);
        struct Thread *thread = threads_leave_memory() ? thread_start(&vm->mem, run_thread, made) : NULL;
        __atomic_store_n(&made->thread, thread, __ATOMIC_RELEASE);
        ok = thread != NULL;
        if (!ok) { /* there are no more than those that run; others may be looking at this one */
            schedulers_set_online(vm, n);
            __atomic_store_n(&ps->started, n, __ATOMIC_SEQ_CST);
        }
    }
    lock_take(&ps->rest_lock);
    ps->starting = false;
    __atomic_fetch_sub(&ps->searching, search && !ok, __ATOMIC_SEQ_CST);
    lock_give(&ps->rest_lock);
    return ok;
}

Scheduler *scheduler_for_bound(Scheduler *s, uint32_t id) {
    Processes *ps = s->vm->processes;
    if (id == s->id || id > __atomic_load_n(&ps->allowed, __ATOMIC_RELAXED)) {
        return s;
    }
    while (started(ps) < id) {
        if (!start_one(s, false)) {
            return s;
        }
    }
    Scheduler *home = scheduler_at(ps, id - 1);
    return id == 1 || __atomic_load_n(&home->thread, __ATOMIC_ACQUIRE) != NULL ? home : s; /* another one may be just starting it */
}

void scheduler_wake(Scheduler *s) {
    Processes *ps = s->vm->processes;
    lock_take(&ps->rest_lock);
    bool rested = end_rest(ps, s), polls = ps->poller == s;
    lock_give(&ps->rest_lock);
    if (rested) {
        wake(s->vm, s, polls);
    }
}

void schedulers_help(Scheduler *s, bool start) {
    Processes *ps = s->vm->processes;
    if (__atomic_load_n(&ps->searching, __ATOMIC_RELAXED) > 0) {
        return;
    }
    if (__atomic_load_n(&ps->resting, __ATOMIC_SEQ_CST) > 0) {
        wake_one(ps, s->vm);
    } else if (start && started(ps) < __atomic_load_n(&ps->allowed, __ATOMIC_RELAXED) && s->current == NULL) {
        start_one(s, true);
    }
}

void schedulers_join(VM *vm) {
    Processes *ps = vm->processes;
    schedulers_wake_all(vm);
    for (uint32_t i = 1; i < started(ps); i++) {
        thread_join(&vm->mem, scheduler_at(ps, i)->thread);
        scheduler_at(ps, i)->thread = NULL;
    }
}

/* --- Resting ------------------------------------------------------------------------------------------------------------- */

/* Something of another scheduler's. seen: how many slices each had begun when this one began to look; NULL: only from those that
   have more than one process waiting. */
static bool find_work(Scheduler *s, const uint64_t *seen) {
    Processes *ps = s->vm->processes;
    uint32_t n = started(ps);
    for (uint32_t i = 1; i < n; i++) {
        uint32_t k = (s->id - 1 + i) % n;
        Scheduler *other = scheduler_at(ps, k);
        size_t length = run_queue_length(other);
        bool stuck = length > 0 && (!scheduler_is_online(other) ||
                                    (seen != NULL && seen[k] == __atomic_load_n(&other->queues->slices, __ATOMIC_RELAXED)));
        if ((length > 1 || stuck) && run_queue_steal(s, other)) {
            return true;
        }
    }
    return false;
}

void schedulers_even(Scheduler *s) {
    Processes *ps = s->vm->processes;
    uint32_t n = MIN(started(ps), __atomic_load_n(&ps->allowed, __ATOMIC_RELAXED));
    if (n > 1) {
        RunQueues *r = s->queues;
        r->asked = (r->asked + 1) % n;
        if (r->asked == s->id - 1) {
            r->asked = (r->asked + 1) % n;
        }
        run_queue_even(s, scheduler_at(ps, r->asked));
    }
}

void schedulers_take_over(Scheduler *s) {
    Processes *ps = s->vm->processes;
    for (uint32_t i = 0; i < started(ps); i++) {
        Scheduler *other = scheduler_at(ps, i);
        while (!scheduler_is_online(other) && run_queue_length(other) > 0 && scheduler_is_online(s)) {
            run_queue_steal(s, other);
        }
    }
}

/* Does something stand in the queue of one that may not run it? */
static bool some_are_left(const Processes *ps) {
    uint32_t i = __atomic_load_n(&ps->allowed, __ATOMIC_RELAXED), n = started(ps);
    while (i < n && run_queue_length(scheduler_at(ps, i)) == 0) {
        i++;
    }
    return i < n;
}

static bool must_look(const Scheduler *s) {
    const Processes *ps = s->vm->processes;
    return is_halting(ps) || stopper(ps) != NULL || (scheduler_is_online(s) && (run_queue_length(s) > 0 || some_are_left(ps)));
}

/* Something that io/ has, if nobody waits for that. */
static bool find_input(Scheduler *s) {
    Processes *ps = s->vm->processes;
    if (ps->poll_wait == NULL || __atomic_load_n(&ps->poller, __ATOMIC_RELAXED) != NULL || !ps->pending(s->vm, true) ||
        !ps->poll_wait(s->vm, 0)) {
        return false;
    }
    scheduler_look_around(s, true);
    return run_queue_length(s) > 0;
}

static bool search(Scheduler *s) {
    Processes *ps = s->vm->processes;
    uint64_t seen[SCHEDULERS_MAX];
    uint32_t n = started(ps);
    if (!scheduler_is_online(s)) {
        return is_halting(ps) || stopper(ps) != NULL;
    }
    if (__atomic_load_n(&ps->resting, __ATOMIC_RELAXED) + 1 >= n) { /* nobody else runs: what comes, comes from io/ */
        return must_look(s);
    }
    for (uint32_t i = 0; i < n; i++) {
        seen[i] = __atomic_load_n(&scheduler_at(ps, i)->queues->slices, __ATOMIC_RELAXED);
    }
    for (int i = 0; i < SPINS; i++) {
        if (must_look(s) || find_work(s, NULL) || (i % SPINS_TO_POLL == 0 && find_input(s))) {
            return true;
        }
        for (int k = 0; k < SPIN_PAUSES; k++) {
            cpu_pause();
        }
    }
    return find_work(s, seen);
}

/* It has looked: who has more than he can do may wake the next one. */
static void end_search(Processes *ps, Scheduler *s) {
    if (s->searching) {
        s->searching = false;
        __atomic_fetch_sub(&ps->searching, 1, __ATOMIC_SEQ_CST);
    }
}

/* All rest, no timer is set, io/ waits for nothing? Under the lock. */
static bool is_over(VM *vm, Processes *ps) {
    if (ps->resting < started(ps) || (ps->pending != NULL && ps->pending(vm, true))) {
        return false;
    }
    for (uint32_t i = 0; i < started(ps); i++) {
        Scheduler *s = scheduler_at(ps, i);
        /* Who has ended may have been asked something: the answer comes when it is freed. */
        if (run_queue_length(s) > 0 || timers_next(vm, s->timers) != INT64_MAX || !epoch_is_done(s)) {
            return false;
        }
    }
    return true;
}

bool scheduler_rest(Scheduler *s) {
    VM *vm = s->vm;
    Processes *ps = vm->processes;
    bool found = search(s);
    lock_take(&ps->rest_lock);
    end_search(ps, s);
    if (found) {
        lock_give(&ps->rest_lock);
        return true;
    }
    s->resting = true;
    __atomic_fetch_add(&ps->resting, 1, __ATOMIC_SEQ_CST);
    set_away(ps, s);
    if (is_over(vm, ps)) {
        ps->idle = true;
        event_set(scheduler_at(ps, 0)->event);
    }
    bool polls = ps->poller == NULL && ps->poll_wait != NULL && ps->pending(vm, true);
    if (polls) {
        __atomic_store_n(&ps->poller, s, __ATOMIC_RELAXED);
    }
    lock_give(&ps->rest_lock);
    if (UNLIKELY(!scheduler_is_online(s)) && run_queue_length(s) > 0) {
        wake_one(ps, vm); /* somebody must take that over: who searches now looks once more before it rests */
    }
    epoch_away(s);
    int64_t tick = timers_next(vm, s->timers);
    int64_t wait = tick == INT64_MAX ? -1 : timers_wait(vm, tick);
    if (!epoch_is_done(s) && (wait < 0 || wait > 10000000)) {
        wait = 10000000; /* what has been put aside shall not wait for ever */
    }
    bool over = s->id == 1 && __atomic_load_n(&ps->idle, __ATOMIC_ACQUIRE);
    if (!over && !must_look(s)) {
        if (polls) {
            ps->poll_wait(vm, wait);
        } else {
            event_wait(s->event, wait);
        }
    }
    come_back(s);
    scheduler_look_around(s, polls);
    if (run_queue_length(s) > 0) { /* of a timer: it does not search */
        lock_take(&ps->rest_lock);
        end_search(ps, s);
        lock_give(&ps->rest_lock);
    }
    over = s->id == 1 && __atomic_exchange_n(&ps->idle, false, __ATOMIC_ACQ_REL);
    return !over || run_queue_length(s) > 0;
}
