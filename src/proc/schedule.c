/* Run queues and the loop that runs processes.

   A process is in exactly one of these states of affairs: RUNNABLE (in a run queue), RUNNING (a scheduler has it, or somebody
   has entered it), or neither: then it waits in receive, or is suspended. Whoever gives it something to do calls schedule;
   whoever has had it calls process_leave, which looks whether something has come in the meantime. So nothing is missed. */
#include "proc/schedule.h"

#include "platform/platform.h"
#include "proc/collect.h"
#include "proc/mailbox.h"
#include "proc/names.h"
#include "proc/relation.h"
#include "proc/signal.h"
#include "proc/spawn.h"
#include "term/atom.h"
#include "term/literal.h"

/* Normal and low share a queue: a low process is passed over LOW_SKIPS times before it runs, as in OTP. */
enum { QUEUE_NORMAL, QUEUE_HIGH, QUEUE_MAX, QUEUES };
enum { LOW_SKIPS = 7 };
enum { POLL_EVERY = 4 * SLICE_REDUCTIONS, SWITCH_COST = 250 }; /* reductions between looks at clock and io/ */

typedef struct RunQueues {
    struct {
        Process *first, *last;
        size_t length;
    } queue[QUEUES];
    int64_t until_poll;
} RunQueues;

static int queue_of(const Process *p) {
    switch (p->priority) {
    case PRIORITY_MAX: return QUEUE_MAX;
    case PRIORITY_HIGH: return QUEUE_HIGH;
    default: return QUEUE_NORMAL;
    }
}

static void enqueue(Scheduler *s, Process *p) {
    RunQueues *r = s->queues;
    int q = queue_of(p);
    p->next = NULL;
    if (r->queue[q].last == NULL) {
        r->queue[q].first = p;
    } else {
        r->queue[q].last->next = p;
    }
    r->queue[q].last = p;
    r->queue[q].length++;
}

static Process *take(RunQueues *r, int q) {
    Process *p = r->queue[q].first;
    r->queue[q].first = p->next;
    if (p->next == NULL) {
        r->queue[q].last = NULL;
    }
    r->queue[q].length--;
    return p;
}

static Process *dequeue(Scheduler *s) {
    RunQueues *r = s->queues;
    for (int q = QUEUE_MAX; q >= QUEUE_NORMAL; q--) {
        while (r->queue[q].first != NULL) {
            Process *p = take(r, q);
            if (p->priority != PRIORITY_LOW || p->skips == 0) {
                return p;
            }
            p->skips--;
            enqueue(s, p);
        }
    }
    return NULL;
}

void schedule(Process *p) {
    uint32_t state = __atomic_load_n(&p->state, __ATOMIC_RELAXED);
    do {
        if (state & (STATE_RUNNABLE | STATE_RUNNING)) {
            return;
        }
        if (state & (STATE_SUSPENDED | STATE_PARKED) && !(state & (STATE_SIGNALS | STATE_EXITING))) {
            return;
        }
    } while (!__atomic_compare_exchange_n(&p->state, &state, state | STATE_RUNNABLE, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
    p->skips = p->priority == PRIORITY_LOW ? LOW_SKIPS : 0;
    enqueue(p->scheduler, p);
}

size_t schedule_queue_length(const Scheduler *s, Priority priority) {
    const RunQueues *r = s->queues;
    switch (priority) {
    case PRIORITY_MAX: return r->queue[QUEUE_MAX].length;
    case PRIORITY_HIGH: return r->queue[QUEUE_HIGH].length;
    case PRIORITY_NORMAL: return r->queue[QUEUE_NORMAL].length;
    default: return 0;
    }
}

/* Registers of a process that is switched out are on its stack, x0 on top. */
static bool save_registers(Scheduler *s, Process *p) {
    size_t live = p->live;
    if ((size_t)(p->heap.sp - p->heap.top) < live + HEAP_RESERVE && !process_collect(p, live, live)) {
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
    if (p->state & STATE_KILLED || p->heap.doomed || !save_registers(s, p)) {
        p->live = 0;
        process_end(p, A_killed);
        return;
    }
    if (result == RUN_WAIT) {
        process_set(p, STATE_WAITING);
    }
    if (process_should_collect(p) && !process_collect(p, 0, 0)) {
        process_end(p, A_killed);
    }
}

/* Gives p the machine: handles its signals, and lets it run if it can. */
static void run_process(Scheduler *s, Process *p) {
    s->current = p;
    p->scheduler = s;
    p->heap.reds = SLICE_REDUCTIONS;
    process_set(p, STATE_RUNNING);
    uint32_t state = process_clear(p, STATE_RUNNABLE);
    if (!(state & STATE_EXITING)) { /* in every slice, so that what has come in never takes long to go through */
        signals_handle(p);
        if ((p->state & (STATE_KILLED | STATE_EXITING)) == STATE_KILLED) { /* somebody who had entered it ran out of memory */
            process_end(p, A_killed);
        }
        state = p->state;
    }
    bool idle = state & (STATE_SUSPENDED | STATE_PARKED) || (state & STATE_WAITING && !(state & STATE_TIMEOUT) && *p->save == NULL);
    if (!idle && !(state & STATE_EXITING)) {
        run_slice(s, p);
    }
    bool gone = p->state & STATE_EXITING && process_end_continue(p);
    int64_t used = MAX(SLICE_REDUCTIONS - p->heap.reds, 0);
    p->reductions += (uint64_t)used;
    s->reductions += (uint64_t)used;
    s->queues->until_poll -= used + SWITCH_COST;
    s->context_switches++;
    s->current = NULL;
    if (gone) {
        process_free(p);
    } else {
        process_leave(p);
    }
}

static void look_around(Scheduler *s, bool poll) {
    VM *vm = s->vm;
    Processes *ps = vm->processes;
    s->queues->until_poll = POLL_EVERY;
    timers_run(s, timers_tick(vm, clock_monotonic(vm)));
    if (poll && ps->poll != NULL) {
        ps->poll(vm, 0);
    }
    if (UNLIKELY(literals_want_sweep(vm))) {
        literals_sweep(vm);
    }
}

bool scheduler_step(Scheduler *s) {
    if (s->queues->until_poll <= 0) {
        look_around(s, true);
    }
    Process *p = dequeue(s);
    if (p == NULL) {
        look_around(s, false);
        p = dequeue(s);
        if (p == NULL) {
            return false;
        }
    }
    run_process(s, p);
    return true;
}

/* Nobody can run: sleeps until a timer is due or io/ has something. False: neither will ever be. */
static bool sleep_until_next(Scheduler *s) {
    VM *vm = s->vm;
    Processes *ps = vm->processes;
    int64_t tick = timers_next(s->timers), wait = -1;
    bool pending = ps->pending != NULL && ps->pending(vm);
    if (tick == INT64_MAX) {
        if (!pending) {
            return false;
        }
    } else {
        wait = MAX(tick * 1000000 - clock_monotonic(vm), 0);
        if (ps->clock.frozen) {
            ps->clock.now += wait;
            wait = 0;
        }
    }
    if (pending) {
        ps->poll(vm, wait);
    } else if (wait > 0) {
        platform_sleep(wait);
    }
    look_around(s, false);
    return true;
}

ScheduleResult scheduler_run(Scheduler *s) {
    Processes *ps = s->vm->processes;
    while (!ps->halting) {
        if (!scheduler_step(s) && !ps->halting && !sleep_until_next(s)) {
            return SCHEDULE_IDLE;
        }
    }
    return SCHEDULE_HALTED;
}

void schedule_halt(VM *vm, int status) {
    vm->processes->halting = true;
    vm->processes->halt_status = status;
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

void process_park(Process *p) {
    process_set(p, STATE_PARKED);
    intptr_t left = MAX(p->heap.reds, 0); /* given up, not used */
    p->reductions -= (uint64_t)left;
    p->scheduler->reductions -= (uint64_t)left;
    p->heap.reds -= left;
}

void process_unpark(Process *p) {
    if (p->state & STATE_PARKED) {
        process_clear(p, STATE_PARKED);
        if (!(p->state & STATE_WAITING)) {
            schedule(p);
        }
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
    uint32_t size = 16;
    while (size < limit) {
        size *= 2;
    }
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

static bool scheduler_init(VM *vm, Processes *ps, uint64_t seed) {
    Scheduler *s = ps->scheduler = MEM_NEW(&vm->mem, MEM_SYSTEM, Scheduler);
    if (s == NULL) {
        return false;
    }
    s->vm = vm;
    s->id = 1;
    if (seed == 0 && !platform_entropy(&seed, sizeof seed)) {
        seed = (uint64_t)platform_monotonic();
    }
    s->random = seed | 1;
    s->queues = MEM_NEW(&vm->mem, MEM_SYSTEM, RunQueues);
    s->timers = timers_new(vm);
    return s->queues != NULL && s->timers != NULL;
}

bool processes_init(VM *vm, uint32_t limit, uint64_t seed) {
    Processes *ps = vm->processes = MEM_NEW(&vm->mem, MEM_SYSTEM, Processes);
    if (ps == NULL) {
        return false;
    }
    clock_init(&ps->clock);
    ps->min_heap_words = MIN_HEAP_WORDS;
    ps->min_binary_words = MIN_BINARY_WORDS;
    ps->full_sweep_after = FULL_SWEEP_AFTER;
    ps->backtrace_depth = 8;
    ps->max_heap_kill = ps->max_heap_log = true;
    if (table_init(vm, ps, limit == 0 ? PROCESS_LIMIT_DEFAULT : limit) && scheduler_init(vm, ps, seed) && names_init(vm)) {
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
    Scheduler *s = ps->scheduler;
    for (uint32_t i = 0; ps->table != NULL && ps->count > 0 && i < ps->size; i++) {
        if (ps->table[i] != NULL) {
            process_discard(ps->table[i]);
        }
    }
    bif_timers_done(vm);
    names_done(vm);
    table_done(vm, ps);
    if (s != NULL) {
        timers_free(vm, s->timers);
        MEM_DELETE(&vm->mem, MEM_SYSTEM, s->queues);
        signals_done(s);
        MEM_DELETE(&vm->mem, MEM_SYSTEM, s);
    }
    MEM_DELETE(&vm->mem, MEM_SYSTEM, ps);
    vm->processes = NULL;
}
