/* Run queues and the loop that runs processes.

   A process is in exactly one of these states of affairs: RUNNABLE (in a run queue), RUNNING (a scheduler has it, or somebody
   has entered it), or neither: then it waits in receive, or is suspended. Whoever gives it something to do calls schedule;
   whoever has had it calls process_leave, which looks whether something has come in the meantime. So nothing is missed. */
#include "proc/schedule.h"

#include "platform/platform.h"
#include "proc/blockers.h"
#include "proc/chance.h"
#include "proc/collect.h"
#include "proc/epoch.h"
#include "proc/mailbox.h"
#include "proc/names.h"
#include "proc/quota.h"
#include "proc/relation.h"
#include "proc/rest.h"
#include "proc/run_queue.h"
#include "proc/shortage.h"
#include "proc/signal.h"
#include "proc/spawn.h"
#include "proc/watch.h"
#include "term/atom.h"
#include "term/literal.h"

// clang-format off
enum { LOOK_EVERY = SLICE_REDUCTIONS, SWITCH_COST = 250, POLLS = 4, EVEN_EVERY = 32 }; /* reductions between looks at the clock; one in POLLS is at io/, one in EVEN_EVERY at others' queues, too */
// clang-format on
/* What stands in a queue for so many reductions is worth another scheduler; for so many, another thread. A burst of short messages is not. */
enum { WORTH_WAKING = SLICE_REDUCTIONS / 4, WORTH_STARTING = 4 * SLICE_REDUCTIONS };

_Thread_local Scheduler *scheduler_here;

/* Marks it as runnable. False: it is in a queue, or somebody has it and will look when he leaves it, or it must not run. */
static bool make_runnable(Process *p) {
    uint32_t state = process_state(p);
    do {
        if (state & (STATE_RUNNABLE | STATE_RUNNING)) {
            return false;
        }
        if (state & (STATE_SUSPENDED | STATE_PARKED) && !(state & (STATE_SIGNALS | STATE_EXITING))) {
            return false;
        }
    } while (!atomic_compare_exchange_weak(&p->state, &state, state | STATE_RUNNABLE));
    return true;
}

static void enqueue_slowly(Scheduler *s, Process *p) {
    p->skips = p->priority == PRIORITY_LOW ? LOW_SKIPS : 0;
    if (!s->vm->processes->concurrent) {
        run_queue_push(s->queues, p, queue_of(p));
        return;
    }
    run_queue_put(s, p);
}

static void enqueue(Scheduler *s, Process *p) {
    if (LIKELY(p->priority == PRIORITY_NORMAL) && LIKELY(!s->vm->processes->concurrent)) {
        run_queue_push(s->queues, p, QUEUE_NORMAL);
    } else {
        enqueue_slowly(s, p);
    }
}

void schedule(Process *p) {
    if (make_runnable(p)) {
        Scheduler *s = vm_scheduler(process_vm(p));
        if (UNLIKELY(watched(s) & WATCH_RUNNABLE) && s->leaving != p) { /* before others may take it */
            process_hooks(p)->runnable(p, true);
        }
        enqueue(s, p);
    }
}

void schedule_new(Process *p) {
    atomic_fetch_xor(&p->state, STATE_RUNNING | STATE_RUNNABLE);
    enqueue(vm_scheduler(process_vm(p)), p);
}

/* Takes a process that came from a queue. False: somebody else has it, and will put it into a queue again if there is need. */
static bool claim(Process *p, uint32_t *state) {
    uint32_t was = process_state(p);
    for (;;) {
        uint32_t is = (was & ~(uint32_t)STATE_RUNNABLE) | STATE_RUNNING;
        if (UNLIKELY(was & STATE_RUNNING)) {
            is = was & ~(uint32_t)STATE_RUNNABLE;
        }
        if (atomic_compare_exchange_weak(&p->state, &was, is)) {
            *state = is;
            return !(was & STATE_RUNNING);
        }
    }
}

/* Registers of a process that is switched out are on its stack, x0 on top. */
static bool save_registers(Scheduler *s, Process *p) {
    size_t live = p->live;
    if ((size_t)(p->heap.sp - p->heap.top) < live && !process_collect(p, live, live)) {
        return false;
    }
    p->heap.sp -= live;
    memcpy(p->heap.sp, s->x, live * sizeof(term));
    return true;
}

static void restore_registers(Scheduler *s, Process *p) {
    memcpy(s->x, p->heap.sp, p->live * sizeof(term));
    p->heap.sp += p->live;
}

/* Lets p run code. Afterwards it is exiting, or switched out whole. */
static void run_slice(Scheduler *s, Process *p) {
    process_clear(p, STATE_WAITING | STATE_HIBERNATING);
    restore_registers(s, p);
    RunResult result = process_vm(p)->processes->run(s, p);
    if (p->state & STATE_EXITING) {
        return;
    }
    assert(result != RUN_EXIT);
    if (UNLIKELY(p->flags & FLAG_HIBERNATES)) {
        p->flags &= (uint16_t)~FLAG_HIBERNATES;
        signals_handle(p);
        if (p->messages == 0 && !(p->state & STATE_EXITING) && process_collect_hibernate(p, p->live)) {
            result = RUN_WAIT;
        }
        if (p->state & STATE_EXITING) {
            return;
        }
    }
    if (p->state & STATE_KILLED || p->heap.doomed || !save_registers(s, p)) {
        p->live = 0;
        process_end(p, A_killed);
        return;
    }
    if (result == RUN_WAIT) {
        p->save = p->inner_last; /* a receive with nothing but `after` waits for time alone, whatever there is */
        process_set(p, STATE_WAITING);
    }
    if (process_should_collect(p) && !process_collect(p, 0, 0)) {
        process_end(p, A_killed);
    }
}

/* Of a process that is counted or traced. */
static void tell_of_slice(Process *p, bool in) {
    if (p->state & STATE_QUOTA) {
        (in ? quota_slice_begins : quota_slice_ends)(p);
    }
    if (!(p->state & STATE_TRACED)) {
        return;
    }
    if (UNLIKELY(p->flags & FLAG_UNSEEN) && !(p->state & STATE_EXITING)) {
        if (in && !world_is_still(p->scheduler)) { /* it has done what it stopped the others for */
            p->flags &= (uint16_t)~FLAG_UNSEEN;
        }
        return;
    }
    term what = in ? A_in : A_out;
    if (p->state & STATE_EXITING) {
        what = in ? A_in_exiting : p->state & STATE_FREE ? A_out_exited : A_out_exiting;
    }
    process_hooks(p)->scheduled(p, what);
}

/* Gives p, which has been claimed, the machine: handles its signals, and lets it run if it can. */
static void run_process(Scheduler *s, Process *p, uint32_t state) {
    __atomic_store_n(&s->current, p, __ATOMIC_RELAXED); /* others look whether there is one */
    p->scheduler = s;
    p->heap.reds = SLICE_REDUCTIONS;
    if (!(state & STATE_EXITING)) { /* in every slice, so that what has come in never takes long to go through */
        signals_handle(p);
        if ((p->state & (STATE_KILLED | STATE_EXITING)) == STATE_KILLED) { /* somebody who had entered it ran out of memory */
            process_end(p, A_killed);
        }
        state = p->state;
    }
    if (UNLIKELY(state & (STATE_TRACED | STATE_QUOTA))) {
        tell_of_slice(p, true);
        state = p->state;
    }
    if (UNLIKELY(watched(s) & WATCH_QUEUES) && !(state & STATE_EXITING)) {
        process_hooks(p)->queue(p);
    }
    int64_t began = UNLIKELY(watched(s) & WATCH_SLICES) ? clock_platform(s->vm) : 0;
    intptr_t cut = UNLIKELY(watched(s) & WATCH_CHANCE) ? chance_cut(s, p) : 0;
    const void *from = p->ip;
    bool idle = state & (STATE_SUSPENDED | STATE_PARKED) || (state & STATE_WAITING && !(state & STATE_TIMEOUT) && *p->save == NULL);
    if (!idle && !(state & STATE_EXITING) && LIKELY(s->asked == NULL)) {
        run_slice(s, p);
    }
    bool gone = p->state & STATE_EXITING && process_end_continue(p);
    if (UNLIKELY(p->state & (STATE_TRACED | STATE_QUOTA))) {
        tell_of_slice(p, false);
    }
    if (UNLIKELY(watched(s) & WATCH_QUEUES) && !(p->state & STATE_EXITING)) {
        process_hooks(p)->queue(p);
    }
    if (UNLIKELY(began != 0)) {
        process_hooks(p)->ran(p, clock_platform(s->vm) - began, from);
    }
    int64_t used = MAX(SLICE_REDUCTIONS - p->heap.reds, 0);
    p->reductions += (uint64_t)used;
    figure_add(&s->reductions, (uint64_t)used);
    figure_add(&s->context_switches, 1);
    s->queues->until_look -= used + SWITCH_COST;
    s->crowded += used + SWITCH_COST;
    if (UNLIKELY(watched(s) & WATCH_CHANCE)) {
        chance_passed(s, used - cut);
    }
    __atomic_store_n(&s->current, NULL, __ATOMIC_RELAXED);
    s->leaving = p;
    if (!gone) {
        process_leave(p);
    }
    s->leaving = NULL;
    if (UNLIKELY(watched(s) & WATCH_RUNNABLE && (gone || !(p->state & STATE_RUNNABLE)))) {
        process_hooks(p)->runnable(p, false);
    }
    if (gone) {
        process_free(p);
    }
    if (UNLIKELY(s->asked != NULL)) {
        signals_ask_over(s);
    }
}

/* What p does in this slice, a short one, nobody else may see half of. */
static void run_still(Scheduler *s, Process *p, uint32_t state) {
    p->flags &= (uint16_t)~FLAG_STILL;
    while (!world_stop(s)) {
    }
    run_process(s, p, state);
    world_go(s);
}

static void sweep_literals(Scheduler *s) {
    if (world_stop(s)) {
        literals_sweep(s->vm);
        world_go(s);
    }
}

static void call_when_still(Scheduler *s) {
    if (world_stop(s)) {
        void (*call)(VM * vm) = __atomic_exchange_n(&s->vm->processes->when_still, NULL, __ATOMIC_ACQ_REL);
        if (call != NULL) {
            call(s->vm);
        }
        world_go(s);
    }
}

void scheduler_look_around(Scheduler *s, bool poll) {
    VM *vm = s->vm;
    Processes *ps = vm->processes;
    s->queues->until_look = LOOK_EVERY;
    timers_run(s, timers_now(vm));
    if (poll && ps->poll != NULL && (!ps->concurrent || mutex_try(ps->poll_lock))) {
        ps->poll(vm, 0);
        if (ps->concurrent) {
            mutex_give(ps->poll_lock);
            schedulers_polled(s);
        }
    }
    if (UNLIKELY(__atomic_load_n(&ps->started, __ATOMIC_RELAXED) > __atomic_load_n(&ps->allowed, __ATOMIC_RELAXED))) {
        schedulers_take_over(s);
    }
    if (ps->concurrent && s->queues->looks % EVEN_EVERY == 0 && scheduler_is_online(s)) {
        schedulers_even(s);
    }
    if (UNLIKELY(literals_want_sweep(vm))) {
        sweep_literals(s);
    }
    if (UNLIKELY(__atomic_load_n(&ps->when_still, __ATOMIC_RELAXED) != NULL)) {
        call_when_still(s);
    }
}

static inline Process *take(Scheduler *s) {
    RunQueues *r = s->queues;
    if (UNLIKELY(s->vm->processes->several)) {
        return s->vm->seeded ? chance_take(s) : run_queue_take(s);
    }
    return run_queue_pop(r);
}

/* One that has been claimed goes where it is bound to. False: it runs here. */
static bool send_home(Scheduler *s, Process *p) {
    Scheduler *home = scheduler_for_bound(s, p->extra->bound);
    if (home == s) {
        return false;
    }
    p->skips = p->priority == PRIORITY_LOW ? LOW_SKIPS : 0;
    atomic_fetch_xor(&p->state, STATE_RUNNING | STATE_RUNNABLE);
    run_queue_put(home, p);
    scheduler_wake(home);
    return true;
}

static inline Process *next_process(Scheduler *s, uint32_t *state) {
    Process *p;
    do {
        p = take(s);
    } while (p != NULL && (UNLIKELY(!claim(p, state)) || (UNLIKELY(*state & STATE_BOUND) && send_home(s, p))));
    return p;
}

/* With several schedulers, before each slice. False: this one is not to run anything. */
static bool before_slice(Scheduler *s) {
    Processes *ps = s->vm->processes;
    if (run_queue_length(s) <= 1) {
        s->crowded = 0;
    } else if (s->crowded > WORTH_WAKING) {
        schedulers_help(s, s->crowded > WORTH_STARTING);
    }
    if (ps->concurrent) {
        __atomic_store_n(&s->queues->slices, s->queues->slices + 1, __ATOMIC_RELAXED);
        scheduler_checkpoint(s);
    }
    if (scheduler_is_online(s)) {
        return true;
    }
    run_queue_open(s);
    return false;
}

static inline bool step(Scheduler *s) {
    if (UNLIKELY(s->vm->processes->several) && !before_slice(s)) {
        return false;
    }
    if (s->queues->until_look <= 0) {
        scheduler_look_around(s, s->vm->seeded || s->queues->looks++ % POLLS == 0);
    }
    uint32_t state;
    Process *p = next_process(s, &state);
    if (p == NULL) {
        scheduler_look_around(s, false);
        p = next_process(s, &state);
        if (p == NULL) {
            return false;
        }
    }
    if (UNLIKELY(p->flags & FLAG_STILL)) {
        run_still(s, p, state);
    } else {
        run_process(s, p, state);
    }
    return true;
}

bool scheduler_step(Scheduler *s) {
    return step(s);
}

/* Nobody can run: sleeps until a timer is due or io/ has something. False: neither will ever be. */
static bool sleep_until_next(Scheduler *s) {
    VM *vm = s->vm;
    Processes *ps = vm->processes;
    int64_t tick = timers_next(vm, s->timers), wait = -1;
    bool pending = ps->pending != NULL && ps->pending(vm, tick == INT64_MAX || !ps->clock.frozen);
    if (tick == INT64_MAX) {
        if (!pending) {
            return false;
        }
    } else {
        wait = timers_wait(vm, tick);
        if (ps->clock.frozen && !pending) {
            ps->clock.now += wait;
            wait = 0;
        }
    }
    if (pending) {
        int64_t began = platform_monotonic();
        ps->poll(vm, wait);
        if (ps->clock.frozen && wait > 0 && platform_monotonic() - began >= wait) { /* what comes from outside takes no time */
            ps->clock.now += wait;
        }
    } else if (wait > 0) {
        platform_sleep(wait);
    }
    scheduler_look_around(s, false);
    return true;
}

/* Time that passes meanwhile is not time of work. */
static bool wait_for_work(Scheduler *s) {
    int64_t worked = clock_platform(s->vm) - s->clock_of_work;
    __atomic_store_n(&s->clock_of_work, ~worked, __ATOMIC_RELAXED);
    bool more = s->vm->processes->concurrent ? scheduler_rest(s) : sleep_until_next(s);
    __atomic_store_n(&s->clock_of_work, clock_platform(s->vm) - worked, __ATOMIC_RELAXED);
    return more;
}

static inline bool is_halting(const Scheduler *s) {
    return UNLIKELY(__atomic_load_n(&s->vm->processes->halting, __ATOMIC_ACQUIRE));
}

/* False: nothing will ever happen any more. */
static inline bool go_on(Scheduler *s) {
    return LIKELY(step(s)) || is_halting(s) || wait_for_work(s);
}

void scheduler_loop(Scheduler *s) {
    while (!is_halting(s)) {
        go_on(s);
    }
}

ScheduleResult scheduler_run(Scheduler *s) {
    ScheduleResult result = SCHEDULE_HALTED;
    scheduler_here = s;
    if (s->os_thread == 0) {
        scheduler_has_thread(s);
    }
    while (result == SCHEDULE_HALTED && !is_halting(s)) {
        result = go_on(s) ? SCHEDULE_HALTED : SCHEDULE_IDLE;
    }
    if (result == SCHEDULE_HALTED && s->vm->processes->concurrent) {
        scheduler_leave_world(s);
        schedulers_join(s->vm);
        for (uint32_t i = 0; i < s->vm->processes->started; i++) {
            epoch_done(s->vm->processes->schedulers[i]);
        }
        s->vm->processes->concurrent = false; /* all others have ended */
    }
    scheduler_here = NULL;
    return result;
}

void schedule_halt(VM *vm, int status) {
    vm->processes->halt_status = status;
    __atomic_store_n(&vm->processes->halting, true, __ATOMIC_RELEASE);
    schedulers_wake_all(vm);
}

SchedulerTotals scheduler_totals(const VM *vm) {
    const Processes *ps = vm->processes;
    SchedulerTotals t = {0};
    for (uint32_t i = 0; i < __atomic_load_n(&ps->started, __ATOMIC_ACQUIRE); i++) {
        const Scheduler *s = ps->schedulers[i];
        t.reductions += __atomic_load_n(&s->reductions, __ATOMIC_RELAXED);
        t.context_switches += __atomic_load_n(&s->context_switches, __ATOMIC_RELAXED);
        t.collections += __atomic_load_n(&s->collections, __ATOMIC_RELAXED);
        t.words_reclaimed += __atomic_load_n(&s->words_reclaimed, __ATOMIC_RELAXED);
        t.spawned += __atomic_load_n(&s->spawned, __ATOMIC_RELAXED);
        t.queued += run_queue_length(s);
    }
    return t;
}

uint64_t schedule_random(Scheduler *s) {
    uint64_t x = s->random;
    x ^= x >> 12, x ^= x << 25, x ^= x >> 27;
    s->random = x;
    return x * 0x2545f4914f6cdd1dull;
}

void process_resume(Process *p, uint64_t count) {
    assert(p->extra != NULL && p->extra->suspended >= count);
    p->extra->suspended -= count;
    if (p->extra->suspended == 0) {
        process_clear(p, STATE_SUSPENDED);
    }
}

void process_give_up(Process *p, intptr_t reductions) {
    p->reductions -= (uint64_t)reductions;
    figure_add(&p->scheduler->reductions, (uint64_t)0 - (uint64_t)reductions);
    p->heap.reds -= reductions;
}

void process_park(Process *p) {
    process_set(p, STATE_PARKED);
    process_give_up(p, MAX(p->heap.reds, 0));
}

/* Should it run now? */
static bool unpark(Process *p) {
    return p->state & STATE_PARKED && !(process_clear(p, STATE_PARKED | STATE_HELD_UP) & STATE_WAITING);
}

void process_unpark(Process *p) {
    if (unpark(p)) {
        schedule(p);
    }
}

void process_unpark_next(Process *p) {
    if (unpark(p) && make_runnable(p)) {
        RunQueues *r = vm_scheduler(process_vm(p))->queues;
        p->next = r->next;
        r->next = p;
    }
}

bool target_alive(VM *vm, term t) {
    const Processes *ps = vm->processes;
    return is_local_port(t) ? ps->port_alive != NULL && ps->port_alive(vm, t) : process_find(vm, t) != NULL;
}

bool processes_on_end(VM *vm, ProcessEnded *hook) {
    Processes *ps = vm->processes;
    if (ps->ended_count == MAX_END_HOOKS) {
        return false;
    }
    ps->ended[ps->ended_count++] = hook;
    return true;
}

/* Making and unmaking all of it. */

enum { LARGE_TABLE = 1 << 13 }; /* slots; a table this large gets addresses of its own, and memory only where it is used */

static bool table_init(VM *vm, Processes *ps, uint32_t limit) {
    limit = MIN(MAX(limit, 16), PROCESS_LIMIT_MAX);
    uint32_t size = round_up_power(limit, 16);
    ps->size = ps->limit = size;
    if (size >= LARGE_TABLE) {
        ps->table = platform_reserve(size * sizeof *ps->table);
    } else {
        ps->table = mem_zalloc(&vm->mem, MEM_SYSTEM, size * sizeof *ps->table);
    }
    return ps->table != NULL;
}

static void table_done(VM *vm, Processes *ps) {
    if (ps->table != NULL && ps->size >= LARGE_TABLE) {
        platform_release(ps->table, ps->size * sizeof *ps->table);
    } else {
        mem_free(&vm->mem, MEM_SYSTEM, ps->table, ps->table == NULL ? 0 : ps->size * sizeof *ps->table);
    }
}

Scheduler *scheduler_new(VM *vm, uint32_t id, uint64_t seed) {
    Scheduler *s = MEM_NEW(&vm->mem, MEM_SYSTEM, Scheduler);
    if (s == NULL) {
        return NULL;
    }
    s->vm = vm;
    s->id = id;
    s->clock_of_work = clock_platform(vm);
    s->random = seed | 1;
    s->epoch = UINT64_MAX;
    s->ended_last = &s->ended;
    s->deferred_last = &s->deferred;
    s->queues = MEM_NEW(&vm->mem, MEM_SYSTEM, RunQueues);
    if (s->queues != NULL) {
        run_queue_init(s->queues);
    }
    s->timers = timers_new(vm);
    s->event = event_new(&vm->mem);
    if (s->queues == NULL || s->timers == NULL || s->event == NULL) {
        scheduler_free(s);
        return NULL;
    }
    return s;
}

void scheduler_free(Scheduler *s) {
    if (s == NULL) {
        return;
    }
    VM *vm = s->vm;
    if (scheduler_here == s) {
        scheduler_here = NULL;
    }
    timers_free(vm, s->timers);
    mem_free(&vm->mem, MEM_SYSTEM, s->queues, s->queues == NULL ? 0 : sizeof *s->queues);
    event_free(&vm->mem, s->event);
    signals_done(s);
    mem_counts_done(&vm->mem, &s->counts);
    MEM_DELETE(&vm->mem, MEM_SYSTEM, s);
}

bool schedulers_set(VM *vm, uint32_t count, uint32_t online) {
    Processes *ps = vm->processes;
    assert(ps->started == 1);
    count = MIN(MAX(count, 1), SCHEDULERS_MAX);
    Scheduler **grown = mem_resize(&vm->mem, MEM_SYSTEM, ps->schedulers, ps->scheduler_count * sizeof *grown, count * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    for (uint32_t i = ps->scheduler_count; i < count; i++) {
        grown[i] = NULL;
    }
    ps->schedulers = grown;
    ps->scheduler_count = count;
    ps->online = ps->allowed = ps->first_online = MIN(MAX(online, 1), count);
    ps->several = count > 1;
    return true;
}

static bool scheduler_init(VM *vm, Processes *ps, uint64_t seed) {
    if (seed == 0 && !platform_entropy(&seed, sizeof seed)) {
        seed = (uint64_t)platform_monotonic();
    }
    Scheduler *s = scheduler_new(vm, 1, seed);
    ps->schedulers = mem_zalloc(&vm->mem, MEM_SYSTEM, sizeof *ps->schedulers);
    ps->poll_lock = mutex_new(&vm->mem);
    if (s == NULL || ps->schedulers == NULL || ps->poll_lock == NULL) {
        scheduler_free(s);
        return false;
    }
    ps->schedulers[0] = s;
    ps->scheduler_count = ps->online = ps->allowed = ps->first_online = ps->started = 1;
    mem_counts_add(&vm->mem, &s->counts);
    mem_count_here(&vm->mem, &s->counts);
    if (vm->seeded) {
        chance_begin(s);
    }
    return true;
}

bool processes_init(VM *vm, uint32_t limit, uint64_t seed) {
    Processes *ps = vm->processes = MEM_NEW(&vm->mem, MEM_SYSTEM, Processes);
    if (ps == NULL) {
        return false;
    }
    clock_init(&ps->clock);
    if (vm->seeded) {
        chance_time(vm);
    }
    ps->scheduler_count = 1;
    ps->heap = ps->first_heap = (HeapSettings){
        .min_words = MIN_HEAP_WORDS,
        .min_binary_words = MIN_BINARY_WORDS,
        .full_sweep_after = FULL_SWEEP_AFTER,
        .max_kill = true,
        .max_log = true,
    };
    ps->backtrace_depth = 8;
    if (table_init(vm, ps, limit == 0 ? PROCESS_LIMIT_DEFAULT : limit) && scheduler_init(vm, ps, seed) && names_init(vm) &&
        blockers_init(vm)) {
        return true;
    }
    processes_done(vm);
    return false;
}

void processes_done(VM *vm) {
    Processes *ps = vm->processes;
    if (ps == NULL) {
        return;
    }
    uint32_t started = ps->started;
    for (uint32_t i = 0; i < started; i++) {
        epoch_done(ps->schedulers[i]);
    }
    mem_count_here(&vm->mem, NULL);
    ps->concurrent = false;
    shortage_done(vm);
    for (uint32_t i = 0; ps->table != NULL && ps->count > 0 && i < ps->size; i++) {
        if (ps->table[i] != NULL) {
            process_discard(ps->table[i]);
        }
    }
    bif_timers_done(vm);
    names_done(vm);
    blockers_done(vm);
    table_done(vm, ps);
    for (uint32_t i = 0; ps->schedulers != NULL && i < ps->scheduler_count;
         i++) { /* one more than have been started, if it got no thread */
        scheduler_free(ps->schedulers[i]);
    }
    mem_free(&vm->mem, MEM_SYSTEM, ps->schedulers, ps->schedulers == NULL ? 0 : MAX(ps->scheduler_count, 1) * sizeof *ps->schedulers);
    mutex_free(&vm->mem, ps->poll_lock);
    MEM_DELETE(&vm->mem, MEM_SYSTEM, ps);
    vm->processes = NULL;
}
