/* Tracing: who wants to know what processes, ports and functions do, and telling them. See docs/tracing.md.

   What a session has asked of a process stands in a Tracing that hangs off the process; what it has asked of a function in a
   TracePoint that hangs off the function's Traced. Rooms above this one (proc/) tell of what happens through TraceHooks, and only
   for processes with STATE_TRACED; code tells of calls by breakpoints. */
#ifndef MOTE_TRACE_TRACE_H
#define MOTE_TRACE_TRACE_H

#include "base/lock.h"
#include "code/breakpoint.h"
#include "code/module.h"
#include "proc/watch.h"
#include "table/match_spec.h"

/* Flags of trace/3. */
typedef enum {
    TRACE_TIMESTAMP = 1 << 0,
    TRACE_STRICT_MONOTONIC = 1 << 1,
    TRACE_MONOTONIC = 1 << 2,
    TRACE_SEND = 1 << 3,
    TRACE_RECEIVE = 1 << 4,
    TRACE_SET_ON_SPAWN = 1 << 5,
    TRACE_CALL = 1 << 6,
    TRACE_PROCS = 1 << 7,
    TRACE_SET_ON_FIRST_SPAWN = 1 << 8,
    TRACE_SET_ON_LINK = 1 << 9,
    TRACE_SET_ON_FIRST_LINK = 1 << 10,
    TRACE_RUNNING = 1 << 11,
    TRACE_EXITING = 1 << 12,
    TRACE_GC = 1 << 13,
    TRACE_ARITY = 1 << 14,
    TRACE_RETURN_TO = 1 << 15,
    TRACE_SILENT = 1 << 16,
    TRACE_SCHEDULER_ID = 1 << 17,
    TRACE_PORTS = 1 << 18,
    TRACE_RUNNING_PORTS = 1 << 19,
    TRACE_RUNNING_PROCS = 1 << 20,
    TRACE_TIMES = TRACE_TIMESTAMP | TRACE_STRICT_MONOTONIC | TRACE_MONOTONIC,
    TRACE_ALL = (1 << 21) - 1,
    TRACE_OF_BOTH = TRACE_SILENT | TRACE_TIMES | TRACE_SCHEDULER_ID | TRACE_RECEIVE | TRACE_SEND, /* processes and ports */
    TRACE_OF_PORTS = TRACE_OF_BOTH | TRACE_PORTS | TRACE_RUNNING_PORTS,
    TRACE_OF_PROCESSES = (TRACE_ALL & ~TRACE_OF_PORTS) | TRACE_OF_BOTH,
} TraceFlag;
uint32_t trace_flag(term atom); /* 0: none. `all`: every one but timestamps */
term trace_flags_term(Heap *h, uint32_t flags);

/* Who is told. */
typedef struct Tracer {
    size_t refs;
    term module; /* A_erl_tracer: state is a pid or port that gets messages. Else a module with native functions */
    term state;  /* an immediate, a literal, or in data */
    Fragment *data;
} Tracer;
Tracer *tracer_new(VM *vm, term module, term state); /* NULL: no memory */
void tracer_release(VM *vm, Tracer *t);              /* NULL is no error */
static inline Tracer *tracer_keep(Tracer *t) {
    if (t != NULL) {
        __atomic_add_fetch(&t->refs, 1, __ATOMIC_RELAXED);
    }
    return t;
}
bool tracer_same(VM *vm, const Tracer *a, const Tracer *b);
term tracer_term(Heap *h, const Tracer *t); /* a pid, a port, {Module, State}; false: NULL */
/* What a tracer says to an event: A_trace, A_discard or, of the tag trace_status, A_remove. */
term tracer_enabled(VM *vm, const Tracer *t, term tag, term tracee);
/* Can there be such a tracer: a live process or port, or a module with the functions? */
bool tracer_is_possible(VM *vm, term module, term state);

/* What one session has asked of one process or port. */
typedef struct Tracing {
    struct Tracing *next;
    struct TraceSession *session;
    uint32_t flags;
    Tracer *tracer;
} Tracing;

/* A pattern of events: send, receive. */
typedef struct {
    bool off;
    MatchSpec *spec; /* NULL: all */
} EventPattern;

/* What is known of calls, by function and session. */
typedef enum {
    POINT_GLOBAL = 1 << 0,
    POINT_LOCAL = 1 << 1,
    POINT_META = 1 << 2,
    POINT_COUNT = 1 << 3,
    POINT_COUNT_RUNS = 1 << 4, /* not paused */
    POINT_TIME = 1 << 5,
    POINT_TIME_RUNS = 1 << 6,
    POINT_MEMORY = 1 << 7,
    POINT_MEMORY_RUNS = 1 << 8,
    POINT_DEBUG = 1 << 9, /* erts_debug:breakpoint/2: calls go to the error handler's breakpoint/3 */
    POINT_BREAKS = POINT_LOCAL | POINT_META | POINT_COUNT | POINT_TIME | POINT_MEMORY,
} PointFlag;

/* What calls of a function cost, by process: time in nanoseconds, memory in words. */
typedef struct {
    bool used;
    uint32_t pid_number;
    uint64_t calls, cost;
} CallCost;
typedef struct {
    CallCost *at; /* open addressing, by pid */
    uint32_t count, room;
    Lock lock; /* while there are several schedulers */
} CallCosts;

typedef struct TracePoint {
    struct TracePoint *next;
    struct TraceSession *session;
    uint32_t flags; /* PointFlag */
    MatchSpec *spec, *meta_spec;
    Tracer *meta_tracer;
    uint64_t count;
    CallCosts time, memory;
} TracePoint;

typedef struct Traced { /* a function with points, or an export */
    term module, name;
    uint32_t arity;
    const Function *function; /* NULL: a built-in */
    Export *export;           /* NULL: it is the function that is traced, wherever it is called from */
    Unit own;                 /* of a built-in's stub: its handler */
    struct Breakpoint *breakpoints;
    TracePoint *points;
    bool measured;       /* has had points that measure: processes may know of it, so it stays when they are gone */
    struct Traced *next; /* of those that stay */
} Traced;

/* A pattern that functions of modules loaded later get. */
typedef struct {
    bool on;
    uint32_t flags; /* PointFlag */
    MatchSpec *spec, *meta_spec;
    Tracer *meta_tracer;
} LoadPattern;

/* Who is told of what takes long or is large: system_monitor, trace:system/3. */
typedef struct {
    term pid;                                    /* NONE: nobody */
    uint64_t long_gc, long_schedule, large_heap; /* ms, ms, words; 0: not asked for */
    uint64_t queue_long, queue_short; /* messages: from when on a mailbox is long (0: not asked for), and until when it stays so */
    bool busy_port, busy_dist_port;
    uint32_t *long_queues; /* numbers of processes whose mailbox is (Trace.queues_lock) */
    uint32_t count, room;
} SystemMonitor;

typedef struct TraceSession {
    size_t refs;
    struct TraceSession *next;
    uint32_t number; /* frames on stacks name it; 0: the one that always is */
    term name;
    bool ended;
    Tracer *tracer;                    /* NULL: whoever calls trace/3 */
    uint32_t new_processes, new_ports; /* flags */
    Tracer *process_tracer, *port_tracer;
    EventPattern send, receive;
    LoadPattern on_load;
    SystemMonitor monitor;
} TraceSession;

typedef struct Trace {
    TraceSession *sessions; /* the first one is number 0 */
    Traced *kept;           /* those that are not, but processes may know of */
    size_t traced;          /* functions and exports that are */
    uint32_t last_session;
    bool new_processes;  /* some session wants new ones traced */
    bool on_load;        /* some session has an on_load pattern */
    TraceSession *saver; /* the session that traces all exports, while calls are saved; NULL: none are */
    size_t savers;       /* processes whose calls are saved */
    bool cpu_time;       /* timestamps are of CPU time */
    uint32_t control_word;
    Tracer *seq_tracer;
    term (*call_native)(VM *vm, const BifEntry *called,
                        const term *args); /* of a library; an immediate, NONE if it raises. NULL: there is none */
    Lock queues_lock;
    /* system_profile */
    term profiler;
    bool profile_scheduler, profile_processes, profile_ports, profile_exclusive;
    uint32_t profile_time;
} Trace;

bool trace_init(VM *vm);
static inline bool trace_of_code(const VM *vm) { /* code that comes or goes has points, or gets some */
    return vm->trace != NULL && (vm->trace->traced > 0 || vm->trace->on_load);
}
void trace_done(VM *vm);

/* --- Sessions ------------------------------------------------------------------------------------------------------ */

TraceSession *session_new(VM *vm, term name, Tracer *tracer); /* takes the reference to tracer over. NULL: no memory */
void session_end(VM *vm, TraceSession *s);                    /* nothing is traced for it any more */
void session_release(VM *vm, TraceSession *s);
TraceSession *session_of(VM *vm, uint32_t number); /* NULL: it is over */

/* --- Processes and ports ------------------------------------------------------------------------------------------- */

/* What hangs off a process that is or has been traced. */
typedef struct ProcessTrace {
    Tracing *list;
    struct SeqToken *token;     /* sequential tracing; NULL: none */
    struct SavedCalls *saved;   /* process_flag(save_calls, N); NULL: none are */
    uint32_t clock, last_count; /* its counters of messages */
    struct Traced *timed;       /* the innermost function whose calls cost time or memory that is measured; NULL: none */
    int64_t since;              /* when that began, or when the process was scheduled in */
    uint64_t words;             /* and what it had allocated then */
    uint64_t collected;         /* words that were on its young heap and are no longer */
} ProcessTrace;
ProcessTrace *trace_of(Process *p); /* made with its first use. NULL: no memory */
static inline ProcessTrace *trace_if(const Process *p) {
    return p->extra == NULL ? NULL : p->extra->trace;
}
Tracing *tracing_find(Tracing *list, const TraceSession *s);
/* Sets or clears flags in a list; tracer NULL: leaves it as it is. False: another tracer has it. */
bool tracing_change(VM *vm, Tracing **list, TraceSession *s, Tracer *tracer, bool on, uint32_t flags, term tracee);
bool tracing_change_process(Process *p, TraceSession *s, Tracer *tracer, bool on, uint32_t flags);
void tracing_free(VM *vm, Tracing *list);
/* Those of a list that want to be told of an event; drops tracers that are gone. */
Tracing *tracing_next(VM *vm, Tracing **list, Tracing *after, uint32_t flags, term tag, term tracee);
void trace_process_state(Process *p); /* sets or clears STATE_TRACED by what it has */

/* --- Telling ------------------------------------------------------------------------------------------------------- */

/* {trace, Tracee, Tag, Message [, Extra] [, Result] [, SchedulerId]} or {trace_ts, ..., Time}. extra NONE: none; result A_true: none. */
void trace_report(VM *vm, const Tracer *t, uint32_t flags, term tracee, term tag, term message, term extra, term result);
/* The same to all of the list that have asked for one of the flags. */
void trace_tell(VM *vm, Tracing **list, uint32_t flags, term tracee, term tag, term message, term extra);
term trace_time(Heap *h, uint32_t flags);       /* a timestamp */
void trace_send(VM *vm, term to, term message); /* to a process or port */

typedef struct {
    term name;
    size_t value;
} TraceFigure;
term trace_figures(Heap *h, const TraceFigure *f, size_t n); /* [{Name, Value}] */
term trace_place(Heap *h, const Process *p, const void *ip); /* {Module, Name, Arity}, or 0 */

/* --- Watching the system ------------------------------------------------------------------------------------------- */

void monitor_clear(VM *vm, SystemMonitor *m);
uint32_t monitor_watch(const Trace *t); /* WATCH_... */
void monitor_ran(Process *p, int64_t nanoseconds, const void *from);
void monitor_queue(Process *p);
void monitor_collected(Process *p, int64_t nanoseconds);
void monitor_busy_port(Process *p, term port);
void monitor_ended(Process *p); /* told of no more, and tells nobody */

/* --- Calls --------------------------------------------------------------------------------------------------------- */

typedef struct {
    const Unit *at;         /* where to go on */
    Unit handler;           /* with this instruction; 0: nowhere, the process is to be killed */
    const Traced *debugged; /* the error handler's breakpoint/3 is to be called instead; NULL: it is not */
} TraceResume;
TraceResume trace_called(Process *p, const Unit *ip);
/* A traced built-in is called by the instruction at ip, last in its function: for what is told of the call, it is as if it returned there.
   False: no memory. */
bool trace_tail_call(Process *p, const Unit *ip, uint32_t arity);
static inline bool trace_begins(const Process *p, const Export *to) { /* a trap to a built-in: is it that a traced one is called? */
    return to->bif != NULL && export_traced(process_vm(p), to) != NULL && !(p->flags & FLAG_GOES_ON);
}
/* The return address of a frame of ours has been taken from the stack: tells, and takes the rest. */
void trace_returned(Process *p);
/* The stack is unwound from `from` to `to`: a catch mark, if it is caught. */
void trace_unwound(Process *p, const term *from, const term *to, term class, term reason, bool caught);
/* The next return address that is not one of ours or a bridge between engines; NULL: there is none. */
const term *trace_skip(Process *p, const term *sp);

typedef struct {
    term module, name;
    uint32_t arity; /* those above are for all, if `parts` says so */
    unsigned parts; /* how many of the three are given */
} FunctionPattern;

/* What trace_pattern sets. */
typedef struct {
    enum { PATTERN_OFF, PATTERN_ON, PATTERN_RESTART, PATTERN_PAUSE } how;
    uint32_t flags;  /* PointFlag: breaks; 0: global */
    MatchSpec *spec; /* NULL: none */
    Tracer *meta_tracer;
} TracePattern;
/* How many functions match; -1: no memory. */
int64_t points_set(VM *vm, TraceSession *s, const FunctionPattern *f, const TracePattern *t);
void points_clear(VM *vm, TraceSession *s); /* all of a session */
/* The point of a function, global or not. *exists: there is such a function. */
TracePoint *point_find(VM *vm, const TraceSession *s, const FunctionPattern *f, bool *exists);
term call_costs_term(Heap *h, const CallCosts *c, bool memory); /* as trace_info shows them */
void call_costs_free(VM *vm, CallCosts *c);

void points_init(VM *vm);
void points_done(VM *vm);

/* Scheduling in and out, for the time of calls. */
void trace_time_pause(Process *p);
void trace_time_resume(Process *p);

/* --- Match specifications ------------------------------------------------------------------------------------------ */

/* What happens while a specification of a trace runs. */
typedef struct TraceRun {
    TraceSession *session;
    term message;             /* what {message, T} has set; A_true */
    bool returns, exceptions; /* {return_trace}, {exception_trace} */
    bool test;                /* match_spec_test: no effects */
    const term *caller;       /* its return address; NULL: none */
} TraceRun;
/* What may stand in bodies; calls: the event is a call. */
extern const MatchForm trace_forms[];
extern const size_t trace_form_count;
/* A_false: no match, or nothing to be told. Else what {message, T} says. */
term trace_match(Process *p, MatchSpec *m, term args, TraceRun *run);

term trace_set_control_word(Process *p, term value); /* the old one; NONE: badarg */

/* Flags as in trace/3: a list. tracer: *tracer has a new reference, or is untouched. False: a mistake. */
bool trace_parse_flags(VM *vm, term list, uint32_t *flags, Tracer **tracer, bool *cpu_time);
bool trace_parse_tracer(VM *vm, term key, term t, Tracer **tracer); /* {key, Pid}, {key, Module, State} */

/* --- Calls that a process remembers -------------------------------------------------------------------------------- */

uint32_t saved_calls_size(const Process *p);
bool saved_calls_set(Process *p, uint32_t size);                          /* 0: none. False: no memory */
void saved_calls_add(Process *p, term module, term name, uint32_t arity); /* name NONE: module is send, receive, timeout */
term saved_calls_term(Heap *h, const Process *p);                         /* newest last; false: none are saved */

/* --- Sequential tracing -------------------------------------------------------------------------------------------- */

// clang-format off
typedef enum { SEQ_SEND = 1 << 0, SEQ_RECEIVE = 1 << 1, SEQ_PRINT = 1 << 2, SEQ_TIMES = 3 } SeqFlag; /* times: TRACE_... shifted by SEQ_TIMES */
typedef struct SeqToken {  /* what a message carries. Never changed once it is on its way */
    size_t refs;
    uint32_t flags;
    uint32_t serial, last_count;
    term from;             /* pid; who sent what carries it */
    term label;
    Fragment *data;        /* of the label */
} SeqToken;
// clang-format on
term seq_set(Process *p, term what, term value); /* the old value; NONE: badarg */
term seq_get(Process *p, term what);             /* {What, Value}; [] where there is nothing; NONE: badarg */
term seq_token_term(Process *p);                 /* as match specifications see it; []: none */
bool seq_update(Process *p);                     /* the process is about to send: a new serial. False: it has no token */
void seq_output(Process *p, uint32_t what, term to, term message);
SeqToken *seq_keep(SeqToken *t);
void seq_release(VM *vm, SeqToken *t);
void seq_clear(Process *p);
void seq_reset(VM *vm);                       /* all tokens */
term seq_set_tracer(Process *p, term tracer); /* the old one; NONE: badarg */
const Tracer *seq_tracer(VM *vm);             /* who hears of it; NULL: nobody (any more) */

/* --- Watching the system ------------------------------------------------------------------------------------------- */

void watch_update(VM *vm); /* tells proc/ what to look at */

#endif
