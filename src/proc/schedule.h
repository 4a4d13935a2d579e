/* The scheduler: who runs next; the process table; the loop that runs processes, fires timers, asks io/ for readiness and
   sleeps when there is nothing to do. */
#ifndef MOTE_PROC_SCHEDULE_H
#define MOTE_PROC_SCHEDULE_H

#include "base/lock.h"
#include "base/utf8.h"
#include "platform/threads.h"
#include "proc/clock.h"
#include "proc/timer.h"

enum { PROCESS_LIMIT_DEFAULT = 262144, PROCESS_LIMIT_MAX = 1 << 27, PROCESS_LIMIT_MIN = 1024 };
/* New processes begin with so many words; their first collection gives them MIN_HEAP_WORDS. */
enum { FIRST_HEAP_WORDS = 15, MIN_HEAP_WORDS = 233, MIN_BINARY_WORDS = 46422, FULL_SWEEP_AFTER = 65535 };

/* Called when a process ends, while its memory is still there: how table/ and io/ (rooms that come later) free what it
   owned. Asked again in the next slice until it returns true. */
typedef bool ProcessEnded(Process *p);
enum { MAX_END_HOOKS = 4, SCHEDULERS_MAX = 1024, HALT_CHARACTERS = 1023 };

struct Names;

/* What schedulers do with their time is told since this was turned on. A scheduler's clock of work is monotonic time less what
   it has slept; it begins at 0. */
typedef struct {
    uint32_t on;  /* how often it was turned on; 0: it does not run */
    int64_t from; /* monotonic nanoseconds, while it runs; else how far it has come */
} Meter;
typedef enum { METER_WALL, METER_STATES, METERS } MeterKind;

/* How a run with a seed chooses, see chance.c. */
typedef struct {
    uint64_t favour; /* settles who comes first */
    uint32_t odds;   /* of the next stall */
    uint8_t stalls;  /* their kind */
    bool favours;
} Chance;

/* What is let go of when memory runs out: see shortage.h. */
typedef struct {
    void *at;    /* NULL: let go of, or there is none (atomic) */
    size_t size; /* 0: there is none */
    term first;  /* the process that came upon it (atomic); NONE: none */
} Ballast;

typedef struct Processes {
    Process **table;      /* by number modulo size (atomic) */
    uint32_t size, limit; /* size: limit rounded up to a power of 2 */
    uint32_t count;       /* alive (atomic, as the next two) */
    uint32_t next_number; /* where the search for the next number begins */
    uint32_t top;         /* slots from here on have never been used */

    /* Schedulers. Only the first exists at first, and runs on the thread that has made the VM; the others begin when there is
       something for them to do. */
    Scheduler **schedulers;                 /* `started` of them are there */
    uint32_t scheduler_count;               /* as many as there may be */
    uint32_t processors;                    /* that may be used, as far as it is known: see update_cpu_info */
    uint32_t online;                        /* as many as may run processes, if nobody blocks them */
    uint32_t first_online;                  /* as many were online at the start */
    uint32_t dirty_cpu_online;              /* told, not made; 0: not set yet */
    uint32_t allowed;                       /* as many as may do so now (atomic): see blockers.h */
    struct Blocker *blockers;               /* under rest_lock */
    struct Topology *topology;              /* NULL: threads are never bound; see topology.h */
    void (*bind)(VM *vm, Scheduler *begun); /* atomic; likewise. NULL: nothing has been bound yet */
    uint32_t started;                       /* atomic */
    bool several;                           /* there may be more than one */
    bool starting;                          /* one is just being started; under rest_lock */
    bool concurrent;                        /* more than one has been started: from then on (between two slices) locks are taken */
    uint64_t epoch;                         /* atomic; see epoch.h */
    Ballast ballast;                        /* see shortage.h */
    Lock rest_lock;                         /* of what follows, and of schedulers' away, resting, searching; never held for long */
    uint32_t resting, searching;            /* how many: atomic, so that others may look without the lock */
    Scheduler *stopper;                     /* for whom all others stand still; NULL: nobody (atomic) */
    Scheduler *poller;                      /* who waits in poll; NULL: nobody */
    Mutex *poll_lock;                       /* of calls of poll; who does not get it leaves it to the one who has */
    bool idle;                              /* nothing will ever happen any more */

    Clock clock;
    Chance chance;
    bool outsiders;               /* threads that are no scheduler's look processes up: none is freed while one does */
    Lock outside_lock;            /* held meanwhile */
    struct Names *names;          /* see names.c */
    struct BifTimers *bif_timers; /* see bif_timer.c (atomic) */
    RunFunction *run;             /* the engine; set by vm/ before the first process runs */
    /* io/: waits up to `nanoseconds` (0: only looks; < 0: for ever) until something is ready, and sends its signals. May return
       early. NULL: none. `pending`: is there anything that could become ready, the system's signals
       included or not? */
    void (*poll)(VM *vm, int64_t nanoseconds);
    bool (*pending)(VM *vm, bool signals);
    bool (*poll_wait)(VM *vm,
                      int64_t nanoseconds); /* waits until poll would find something; touches nothing of the VM. False: it would not */
    void (*when_still)(VM *vm); /* atomic; to be called once between two slices, while all schedulers stand still. NULL: nothing */
    void (*poll_wake)(VM *vm);  /* a poll that is under way, or the next one, returns at once */
    /* io/: does this port exist? And: a signal for a port that a process has sent; false: there is none. */
    bool (*port_alive)(VM *vm, term port);
    bool (*port_signal)(VM *vm, term port, const struct Signal *signal);
    const struct TraceHooks *trace;                       /* trace/'s. NULL: there is no tracing */
    void (*port_report)(VM *vm, term port, term message); /* io/: a message of tracing for a port, in the external format */
    ProcessEnded *ended[MAX_END_HOOKS];
    size_t ended_count;
    uint64_t unlinks;         /* numbers the unlinks that wait for their answer (atomic) */
    uint64_t last_reductions; /* as statistics(reductions) told last */
    bool halting;             /* atomic; halt has been asked for: scheduler_run returns */
    int halt_status;
    int64_t halt_flush; /* how long to wait for what ports have not written yet: milliseconds; < 0: for ever */
    bool halt_abort;    /* halt(abort): the command ends by abort() */
    bool halt_slogan;   /* halt(Slogan): halt_text is to be printed */
    char halt_text[HALT_CHARACTERS * UTF8_MAX + 1];
    Meter meters[METERS];
    /* system_flag settings */
    term logger; /* who gets log messages: a pid, A_undefined: nobody; NONE: the process named logger */
    uint32_t backtrace_depth;
    HeapSettings heap;       /* of processes that will be spawned */
    HeapSettings first_heap; /* as it was at the start: of processes without a ProcessExtra */
    bool time_offset_final;  /* with single_time_warp: somebody has said so */
    bool off_heap_messages;  /* default of message_queue_data */
} Processes;

/* limit 0: the default; seed 0: free choices are seeded from the platform's entropy. */
bool processes_init(VM *vm, uint32_t limit, uint64_t seed);
void processes_done(VM *vm); /* frees all processes, also those that are alive */
/* There may be `count` schedulers, of which `online` run processes. Before the first of them runs. False: no memory. */
bool schedulers_set(VM *vm, uint32_t count, uint32_t online);
/* Figures of all schedulers together. */
typedef struct {
    uint64_t reductions, context_switches, collections, words_reclaimed, spawned;
    size_t queued; /* processes in run queues */
} SchedulerTotals;
SchedulerTotals scheduler_totals(const VM *vm);

typedef enum {
    SCHEDULE_HALTED, /* halt was asked for: halt_status */
    SCHEDULE_IDLE    /* nobody can run, no timer is set and io/ waits for nothing: nothing will ever happen */
} ScheduleResult;
ScheduleResult scheduler_run(Scheduler *s);
/* Runs one process for one slice, and timers that are due, without sleeping. False: nobody could run. For embedding and tests. */
bool scheduler_step(Scheduler *s);

void schedule(Process *p);                       /* makes it runnable, if it is not running, runnable, suspended */
void schedule_new(Process *p);                   /* a new one, that is marked as running */
void process_resume(Process *p, uint64_t count); /* undoes so many suspensions */
/* A built-in of the running process p waits for io/: p ends its slice at the next call, which must be that of a built-in that looks
   whether it may go on, and comes back when it has been unparked. Signals are handled meanwhile. */
void process_park(Process *p);
void process_unpark(Process *p);
void process_give_up(Process *p, intptr_t reductions); /* its slice has so many less than are left of it; they do not count as done */
void process_unpark_next(Process *p);                  /* and it runs next, on this scheduler */
/* Is there such a process (or port) to link to or to monitor? */
bool target_alive(VM *vm, term pid_or_port);
void schedule_halt(VM *vm, int status);
uint64_t schedule_random(Scheduler *s); /* the source of all free choices */
bool processes_on_end(VM *vm, ProcessEnded *hook);

/* The slot of a number, for walking over all: the i-th of `size`; NULL: free. Exiting ones are returned too. */
Process *process_at(const VM *vm, uint32_t i);
/* This thread's scheduler. */
static inline Scheduler *vm_scheduler(const VM *vm) {
    Scheduler *s = scheduler_here;
    return LIKELY(s != NULL && s->vm == vm) ? s : vm->processes->schedulers[0];
}
/* A lock that is only taken while there are several schedulers. */
static inline void vm_lock(const VM *vm, Lock *l) {
    if (vm->processes != NULL && vm->processes->concurrent) {
        lock_take(l);
    }
}
static inline void vm_unlock(const VM *vm, Lock *l) {
    if (vm->processes != NULL && vm->processes->concurrent) {
        lock_give(l);
    }
}
static inline const HeapSettings *process_heap_settings(const Process *p) {
    return p->extra != NULL ? &p->extra->heap : &process_vm(p)->processes->first_heap;
}
/* With several schedulers: all others stand still between two slices, from its return until world_go. Only to be called between two
   slices, without any lock. False: somebody else has done it; that is over now. */
bool world_stop(Scheduler *s);
void world_go(Scheduler *s);
static inline bool world_is_still(const Scheduler *s) { /* is nobody but this one doing anything? */
    const Processes *ps = s->vm->processes;
    return !ps->concurrent || __atomic_load_n(&ps->stopper, __ATOMIC_RELAXED) == s;
}

#endif
