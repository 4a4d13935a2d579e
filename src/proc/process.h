/* A process and the scheduler that runs it.

   Only the scheduler that runs a process touches its insides. Everybody else sends it a signal (signal.h); so a process
   needs no lock but that of its incoming queue. Fields are in order of how often they are used; what few processes need
   lives in ProcessExtra, so that an idle process costs about 400 bytes with its heap. */
#ifndef MOTE_PROC_PROCESS_H
#define MOTE_PROC_PROCESS_H

#include <stdatomic.h>

#include "base/lock.h"
#include "term/heap.h"

enum { MAX_X = 1024, SLICE_REDUCTIONS = 4000 };
#define NO_PARENT UINT32_MAX

typedef enum { PRIORITY_LOW, PRIORITY_NORMAL, PRIORITY_HIGH, PRIORITY_MAX, PRIORITIES } Priority;

/* What kind of exception is on its way. */
typedef enum { CLASS_ERROR, CLASS_EXIT, CLASS_THROW } ExceptionClass;

typedef enum {
    STATE_RUNNABLE = 1 << 0, /* in a run queue */
    STATE_RUNNING = 1 << 1,  /* somebody is touching its insides: the scheduler that runs it, or one that serves its signals */
    STATE_WAITING = 1 << 2,  /* in receive; a signal makes it runnable */
    STATE_SUSPENDED = 1 << 3,
    STATE_EXITING = 1 << 4, /* clean-up has begun; takes no signals */
    STATE_FREE = 1 << 5,    /* gone from the table */
    STATE_SIGNALS = 1 << 6, /* the outer queue has something that is not a message */
    STATE_HIBERNATING = 1 << 7,
    STATE_TIMEOUT = 1 << 8,     /* the receive timer has fired */
    STATE_KILLED = 1 << 9,      /* drew on the emergency reserve or broke max_heap_size: dies at the next boundary */
    STATE_COLLECTING = 1 << 10, /* for process_info(Pid, status) */
    STATE_NAMED = 1 << 11,      /* has a registered name */
    STATE_TABLES = 1 << 13,     /* owns or has fixed tables, or did */
    STATE_TRACED = 1 << 14,     /* somebody wants to know what it does, or it has a token of sequential tracing: see watch.h */
    STATE_QUOTA = 1 << 15,      /* part of a group whose use is counted: see quota.h. From its beginning to its end */
    STATE_PARKED = 1 << 12,     /* in the middle of a built-in that waits for io/: takes signals, but does not run on */
    STATE_HELD_UP = 1 << 16,    /* parked as a port is busy */
    STATE_BOUND = 1 << 17,      /* runs on one scheduler only, as long as that one is online */
    STATE_SYSTEM = 1 << 18,     /* the VM ends if it does. From its beginning to its end */
    STATE_SENSITIVE = 1 << 19,  /* nobody may see what it has */
} ProcessState;

typedef enum {
    FLAG_TRAP_EXIT = 1 << 0,
    FLAG_OFF_HEAP_MESSAGES = 1 << 4,
    FLAG_ASYNC_DIST = 1 << 5,
    FLAG_GC_WANTED = 1 << 6,  /* collect at the next boundary: fragments have grown too much */
    FLAG_FULL_SWEEP = 1 << 7, /* and make it a full sweep */
    FLAG_DISABLE_GC = 1 << 8,
    FLAG_WAITS_FOREVER =
        1 << 9, /* the receive it is in has been told so, and does not look at its timeout again: it may be in a register */
    FLAG_TRACE_FRAMES = 1 << 10, /* there may be frames on its stack that trace/ has left */
    FLAG_HIBERNATES = 1 << 12,   /* hibernate/0 has been called: at the end of this slice it becomes small and waits for a message */
    FLAG_STILL = 1 << 13,        /* all other schedulers stand still in its next slice: see bif_still */
    FLAG_UNSEEN = 1 << 14,       /* its slices end and begin for that only, which who traces it does not see */
    FLAG_GOES_ON = 1 << 11,      /* the traced built-in that is called next has been told of: it goes on by itself */
} ProcessFlag;

struct Signal;

/* How large a heap may and shall be. */
typedef struct HeapSettings {
    size_t max_words; /* 0: no limit */
    uint32_t min_words, min_binary_words, full_sweep_after;
    bool max_kill, max_log; /* what happens beyond it */
    bool max_binaries;      /* large binaries count, too */
} HeapSettings;

/* What few processes have. Allocated by process_extra(p). */
typedef struct ProcessExtra {
    HeapSettings heap;
    term label;                            /* proc_lib:set_label/1 (27+) */
    uint64_t gc_minor, gc_major, gc_words; /* figures for process_info */
    struct BifTimer *timers;               /* that will send to this process */
    struct Markers *markers;               /* receive markers, see mailbox.h */
    uint64_t suspended;                    /* how often: it runs again when this is 0 */
    Lock timer_lock;                       /* of `timers` */
    uint16_t bound;                        /* number of the scheduler, of one with STATE_BOUND; 0: none */
    uint32_t node_monitors;     /* how often it has asked to be told of nodes that come and go (none does without distribution) */
    struct QuotaShare *quota;   /* what it uses of its group's quota, of one with STATE_QUOTA */
    struct ProcessTrace *trace; /* who traces it, and how: trace/ keeps it */
    term error_handler;         /* the module that is called for functions that are not there; NONE: error_handler */
} ProcessExtra;

typedef struct Process {
    Heap heap;                   /* first, so that a Heap * of a process is a Process * */
    const void *ip;              /* where it goes on when it is scheduled in; belongs to the engine `native` says.
                                      NULL: it calls the function whose module and name are the last two of its live
                                      registers, with those before them as the arguments (a new or hibernated process) */
    struct Scheduler *scheduler; /* the one that has it, or had it last: for whoever has it (STATE_RUNNING) */
    term pid;
    _Atomic(uint32_t) state;   /* ProcessState */
    uint32_t parent;           /* number of a local pid; NO_PARENT: none */
    uint16_t flags;            /* ProcessFlag */
    uint16_t minors;           /* collections since the last full sweep */
    uint16_t live;             /* x registers saved on top of its stack while it is switched out (x0 on top) */
    uint8_t initial_arity : 4; /* of the function it began with; for those with more: 3, and erlang:apply as its name */
    uint8_t priority : 2;      /* never changes while it is in a run queue */
    uint8_t native : 1;
    uint8_t skips;                      /* low priority: passed over so often; belongs to the run queue it is in */
    uint32_t catches;                   /* catch marks on the stack; 0: an exception ends the process */
    uint32_t messages;                  /* in inner */
    struct Signal *inner, **inner_last; /* the mailbox proper, oldest first; private */
    struct Signal **save;               /* where receive looks next */
    struct Signal *outer;               /* what others have sent: lock-free stack, newest first (atomic) */
    struct Process *next;               /* in its run queue; of one that has ended: in the list of those to be freed */
    struct Relation *relations;         /* links and monitors, both directions (relation.h) */
    struct Dictionary *dictionary;      /* process dictionary; NULL: empty */
    struct Timer *timer;                /* of the receive it waits in */
    union {
        term group_leader;
        term exit_reason; /* of a process that is exiting */
    };
    uint32_t initial_module, initial_function; /* indices of atoms */
    ProcessExtra *extra;
    uint64_t reductions; /* of slices that have ended; of one that has ended: the epoch of that */
} Process;

/* One thread's share of the machine. Only that thread touches it, but for what says otherwise. */
typedef struct Scheduler {
    VM *vm;
    Process *current;
    term x[MAX_X]; /* x registers of the running process */
    double f[16];  /* float registers */
    /* The exception on its way: set by whoever returns NONE (reason is in heap.reason), read by exec/exception.c. */
    ExceptionClass class;
    bool raised_by_caller; /* the stack trace begins with the caller of the built-in: error/1,2,3, exit/1, throw/1 */
    term trace;            /* raw stack trace given to raise, or NONE: take one */
    term cause;            /* of a built-in: the cause for error_info; else error_info itself, a map; NONE: none */
    const void *raised_by; /* BifEntry * of the built-in that failed, for the head of the stack trace */
    term raised_args;      /* list of arguments for the head of the stack trace, or NONE */
    /* A built-in that goes on as another call returns NONE with reason = A_trap (see bif.h). */
    const void *trap_to; /* Export *; NULL: give way, then go on behind the call with trap_args[0] as its result */
    term trap_args[6];
    void *c_stack;       /* native code: the C stack, while the machine's stack pointer is the process's */
    term c_args[8];      /* and arguments of C functions it calls */
    uint64_t reductions; /* done on this scheduler; others may read them */
    uint64_t context_switches, collections, words_reclaimed, spawned;
    int64_t clock_of_work; /* while it works: monotonic time less what it has worked, >= 0; while it rests: ~ what it has worked. Atomic */
    int64_t worked_before[2]; /* what its clock of work said when a meter was started, see schedule.h */
    struct RunQueues *queues; /* own locks */
    struct TimerWheel *timers;
    struct Signal *spare_signals; /* free list */
    uint32_t spare_count;
    struct Table *table;          /* that the running built-in has locked; NULL: none */
    union Stripe *stripe;         /* the only one of its locks that it has; NULL: all of them */
    bool table_shared;            /* to read it only */
    struct Signal *asked;         /* those who want to enter the process that runs: it gives way when its slice ends */
    uint64_t random;              /* state of the source of free choices */
    uint32_t id;                  /* from 1 */
    uint64_t epoch;               /* atomic: see epoch.h */
    Process *ended, **ended_last; /* processes to be freed, oldest first: see epoch.h */
    struct Deferred *deferred, **deferred_last;
    struct Thread *thread;   /* NULL: not started, or the thread that the VM was made in */
    uintptr_t os_thread;     /* that it runs on; 0: none (atomic) */
    struct Event *event;     /* what it sleeps on */
    Process *leaving;        /* its slice is over: if it can go on at once, it has not become runnable */
    int64_t crowded;         /* reductions it has done while more stood in its queue than the next one */
    bool away;               /* it rests or has stopped: does nothing (under Processes.rest_lock) */
    bool resting, searching; /* likewise: it waits for something to do; it has been woken to look for something */
    MemCounts counts;
    uint32_t watch;  /* WATCH_...: what it is to tell trace/ of, see watch.h (atomic) */
    void *trace_run; /* TraceRun *: of the match specification that runs; see trace.h */
} Scheduler;

/* The scheduler whose thread this is; NULL: the thread is none's. vm_scheduler (schedule.h) is what others ask. */
extern _Thread_local Scheduler *scheduler_here;

/* A figure of a scheduler, by its thread; others may read it. */
static inline void figure_add(uint64_t *figure, uint64_t n) {
    __atomic_store_n(figure, *figure + n, __ATOMIC_RELAXED);
}

static inline VM *process_vm(const Process *p) {
    return p->heap.vm;
}
ProcessExtra *process_extra(Process *p); /* allocates it with its first use; NULL: no memory */
/* It runs on the scheduler with this number only; 0: on any. By whoever has it, who has allocated its extra. */
void process_bind(Process *p, uint32_t scheduler);

/* The process with this local pid, if it is alive and not exiting; an array access. */
Process *process_find(VM *vm, term pid);
Process *process_find_any(VM *vm, term pid);  /* also one that is exiting */
bool process_alive_outside(VM *vm, term pid); /* for threads that are no scheduler's, if Processes.outsiders is set */

/* State is changed by others too. Both return the state as it is afterwards. */
static inline uint32_t process_set(Process *p, uint32_t state) {
    return atomic_fetch_or(&p->state, state) | state;
}
static inline uint32_t process_clear(Process *p, uint32_t state) {
    return atomic_fetch_and(&p->state, ~state) & ~state;
}
static inline uint32_t process_state(const Process *p) { /* where it matters little whether it is the newest */
    return atomic_load_explicit(&p->state, memory_order_relaxed);
}

/* Has something happened that the running process must not go on with: its end, or a suspension? Asked by the engines after
   whatever handles signals (mailbox_peek), or a built-in that returned by bif_yield: they then leave with RUN_YIELD. */
static inline bool process_must_leave(const Process *p) {
    return (process_state(p) & (STATE_EXITING | STATE_SUSPENDED | STATE_KILLED)) != 0;
}

/* How a process enters code: the inversion that keeps proc/ above code/ and exec/. Runs p until its slice ends, it waits or
   it exits. Before: s->x holds p->live registers, heap.reds what the slice has. Afterwards (unless RUN_EXIT): p->ip says where
   it goes on and s->x the p->live registers it then wants; the scheduler saves them. RUN_EXIT: process_end has been called. */
typedef enum {
    RUN_YIELD,
    RUN_WAIT,
    RUN_EXIT,
    RUN_SWITCH /* between the engines only: the other one goes on */
} RunResult;
typedef RunResult RunFunction(Scheduler *s, Process *p);

#endif
