/* What proc/ tells trace/, a room below: of processes with STATE_TRACED, and of what schedulers have been asked to look at. */
#ifndef MOTE_PROC_WATCH_H
#define MOTE_PROC_WATCH_H

#include "proc/signal.h"
#include "proc/spawn.h"

struct SeqToken;

typedef struct TraceHooks {
    /* Of processes that are traced. */
    struct SeqToken *(*sends)(Process *p, term to, term named, term message); /* what is to go with the message; NULL: nothing */
    struct SeqToken *(*sends_exit)(Process *p, term to, term reason);         /* the same of an exit signal */
    void (*told)(Process *p, term to, term message);                          /* the same where no token can go along */
    void (*received)(Process *p, const Signal *m);                            /* m is about to be put into the mailbox */
    void (*timed_out)(Process *p);                                            /* a receive */
    void (*taken)(Process *p, const Signal *m);                               /* receive takes it out */
    void (*event)(Process *p, term what, term data, term extra);              /* of procs. extra: NONE, or more of it */
    void (*exits)(Process *p, term reason);
    void (*scheduled)(Process *p, term what);              /* in, out, in_exiting, out_exiting, out_exited */
    void (*collects)(Process *p, term what, size_t words); /* gc_minor_start ... */
    void (*freed)(Process *p);
    /* Of any process. */
    void (*token_dropped)(VM *vm, Signal *m); /* a message with a token goes to nobody */
    bool (*spawned)(Process *parent, Process *p, term function,
                    const SpawnOptions *o);                         /* function: {Module, Name, Args}. False: no memory */
    void (*collected)(Process *p, int64_t nanoseconds);             /* WATCH_COLLECTIONS */
    void (*ran)(Process *p, int64_t nanoseconds, const void *from); /* WATCH_SLICES; from: where the slice began */
    void (*queue)(Process *p);                                      /* WATCH_QUEUES: before its slice and behind it */
    void (*runnable)(Process *p, bool active);                      /* WATCH_RUNNABLE */
} TraceHooks;

/* Scheduler.watch */
enum {
    WATCH_COLLECTIONS = 1 << 0,
    WATCH_SLICES = 1 << 1,
    WATCH_RUNNABLE = 1 << 2,
    WATCH_SPAWNS = 1 << 3,
    WATCH_QUEUES = 1 << 5,
    WATCH_CHANCE = 1 << 4, /* not for trace/: slices are as chance.h says */
};

const TraceHooks *process_hooks(const Process *p);
static inline uint32_t watched(const Scheduler *s) { /* Scheduler.watch */
    return __atomic_load_n(&s->watch, __ATOMIC_RELAXED);
}

/* Tells of an event of a process that may be traced. */
static inline void process_event(Process *p, term what, term data) {
    if (UNLIKELY(p->state & STATE_TRACED)) {
        process_hooks(p)->event(p, what, data, NONE);
    }
}

#endif
