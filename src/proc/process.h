/* A process and the scheduler that runs it.

   Only the scheduler that runs a process touches its insides. Everybody else sends it a signal (signal.h); so a process
   needs no lock but that of its incoming queue. Fields are in order of how often they are used; what few processes need
   lives in ProcessExtra, so that an idle process costs about 400 bytes with its heap. */
#ifndef MOTE_PROC_PROCESS_H
#define MOTE_PROC_PROCESS_H

#include "term/heap.h"

enum { MAX_X = 1024, SLICE_REDUCTIONS = 4000 };

typedef enum { PRIORITY_LOW, PRIORITY_NORMAL, PRIORITY_HIGH, PRIORITY_MAX, PRIORITIES } Priority;

/* What kind of exception is on its way. */
typedef enum { CLASS_ERROR, CLASS_EXIT, CLASS_THROW } ExceptionClass;

typedef enum {
    STATE_RUNNABLE = 1 << 0,  /* in a run queue */
    STATE_RUNNING = 1 << 1,
    STATE_WAITING = 1 << 2,   /* in receive; a signal makes it runnable */
    STATE_SUSPENDED = 1 << 3,
    STATE_EXITING = 1 << 4,   /* clean-up has begun; takes no signals */
    STATE_FREE = 1 << 5,      /* gone from the table */
    STATE_SIGNALS = 1 << 6,   /* the outer queue has something that is not a message */
    STATE_HIBERNATING = 1 << 7,
    STATE_TIMEOUT = 1 << 8,   /* the receive timer has fired */
    STATE_KILLED = 1 << 9,    /* drew on the emergency reserve or broke max_heap_size: dies at the next boundary */
} ProcessState;

typedef enum {
    FLAG_TRAP_EXIT = 1 << 0,
    FLAG_SAVE_CALLS = 1 << 1,
    FLAG_SENSITIVE = 1 << 2,
    FLAG_SYSTEM = 1 << 3,
    FLAG_OFF_HEAP_MESSAGES = 1 << 4,
    FLAG_ASYNC_DIST = 1 << 5,
    FLAG_GC_WANTED = 1 << 6,      /* collect at the next boundary: fragments have grown too much */
    FLAG_FULL_SWEEP = 1 << 7,     /* and make it a full sweep */
    FLAG_DISABLE_GC = 1 << 8,
} ProcessFlag;

struct Message;
struct Signal;

/* What few processes have. Allocated by process_extra(p). */
typedef struct ProcessExtra {
    size_t max_heap_words;         /* 0: none */
    bool max_heap_kill, max_heap_log, max_heap_binaries;
    uint32_t min_heap_words, full_sweep_after;
    term names;                    /* registered name; NONE: none */
    term label;                    /* proc_lib:set_label/1 (27+) */
    uint64_t gc_minor, gc_major, gc_words;  /* figures for process_info */
    uint64_t reductions;           /* of slices that have ended */
    struct Alias *aliases;
    struct Suspender *suspenders;
    const void *markers;           /* receive markers, see mailbox.h */
} ProcessExtra;

typedef struct Process {
    Heap heap;                     /* first, so that a Heap * of a process is a Process * */
    const void *ip;                /* where it goes on when it is scheduled in; belongs to the engine `native` says */
    struct Scheduler *scheduler;   /* the one that runs it or ran it last */
    term pid;
    uint32_t state;                /* ProcessState, atomic */
    uint32_t flags;                /* ProcessFlag */
    uint16_t live;                 /* x registers saved on top of its stack while it is switched out (x0 on top) */
    uint8_t priority;
    bool native;
    uint32_t catches;              /* catch marks on the stack; 0: an exception ends the process */
    struct Message *inner, **inner_last; /* the mailbox proper, oldest first; private */
    struct Message **save;         /* where receive looks next */
    struct Message *outer;         /* what others have sent: lock-free stack, newest first (atomic) */
    struct Process *next;          /* in its run queue */
    struct Relation *relations;    /* links and monitors, both directions (relation.h) */
    struct Dictionary *dictionary; /* process dictionary; NULL: empty */
    struct Timer *timer;           /* of the receive it waits in */
    term group_leader, parent;
    term initial[3];               /* module, function: atoms; arity: small */
    ProcessExtra *extra;
} Process;

static inline Process *heap_process(Heap *h) { /* h must be a process's, not detached */
    return (Process *)h;
}

/* One thread's share of the machine. With one thread there is one. */
typedef struct Scheduler {
    VM *vm;
    Process *current;
    term x[MAX_X];                 /* x registers of the running process */
    double f[16];                  /* float registers */
    /* The exception on its way: set by whoever returns NONE (reason is in heap.reason), read by exec/exception.c. */
    ExceptionClass class;
    term trace;                    /* raw stack trace given to raise/3, or NONE: take one */
    term cause;                    /* error_info: cause atom or map, NONE: none */
    const void *raised_by;         /* BifEntry * of the built-in that failed, for the head of the stack trace */
    term raised_args[6];           /* its arguments */
    /* A built-in that goes on as another call returns NONE with reason = A_trap (see bif.h). */
    const void *trap_to;           /* Export * */
    term trap_args[6];
    uint64_t reductions;           /* done on this scheduler */
    uint64_t context_switches, collections, words_reclaimed;
    struct RunQueue *queue;
    struct TimerWheel *timers;
    uint64_t random;               /* state of the source of free choices */
    uint32_t id;
} Scheduler;

static inline VM *process_vm(const Process *p) {
    return p->heap.vm;
}
ProcessExtra *process_extra(Process *p); /* never NULL for a live process (allocated with its first use; emergency reserve) */

/* The process with this local pid, if it is alive and not exiting; an array access. */
Process *process_find(VM *vm, term pid);

/* How a process enters code: the inversion that keeps proc/ above code/ and exec/. Runs p until its slice ends, it waits or
   it exits. */
typedef enum { RUN_YIELD, RUN_WAIT, RUN_EXIT } RunResult;
typedef RunResult RunFunction(Scheduler *s, Process *p);

#endif
