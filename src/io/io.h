/* Where the VM meets the outside: who waits for which descriptor, and the work that may block. All of it happens on threads of
   schedulers, in poll, but the jobs of the pool. */
#ifndef MOTE_IO_IO_H
#define MOTE_IO_IO_H

#include "platform/poll.h"
#include "platform/pool.h"
#include "platform/threads.h"
#include "proc/process.h"

struct Ports;
struct ChildWatch;
struct Console;
struct Nifs;
struct Select;
struct Watcher;
struct Zstd;

typedef struct Io {
    Mutex *lock;        /* of all that follows but the pool, and of every port */
    unsigned lock_held; /* how often its owner has taken it */
    Poll *poll;
    Pool *pool;
    struct Ports *ports;                   /* io/port.h */
    struct Console *console;               /* io/console.h */
    struct ChildWatch *children;           /* io/port_stream.c: programs that have not ended */
    struct Regexes *regexes;               /* io/regex.c; NULL: none was needed yet */
    struct Zstd *zstd;                     /* io/zstd.c; NULL: was not needed yet */
    struct Select *selects;                /* io/select.c: messages that wait for descriptors */
    struct Watcher *signals;               /* io/signals.c; NULL: none is handled */
    void (*interrupted)(VM *vm);           /* likewise */
    struct Alarm *due, *ringing;           /* io/alarm.c; due: atomic */
    size_t alarms;                         /* set (atomic) */
    struct Nifs *nifs;                     /* io/nif.h; NULL: no library has been loaded */
    void (*nifs_serve)(VM *vm);            /* likewise: what its threads want */
    void (*nifs_halt)(VM *vm, bool ended); /* the VM is about to end; all schedulers have ended */
    uint64_t input, output;                /* bytes, for statistics(io) */
} Io;

/* With several schedulers, everything here and in ports happens under one lock, which its owner may take again. */
void io_lock(VM *vm);
void io_unlock(VM *vm);
bool io_may_leave(VM *vm); /* who has it: has nobody above this call taken it too? */

bool io_init(VM *vm); /* hooks into the scheduler's idle wait; processes_init comes before */
void io_done(VM *vm);
/* Before the VM ends on request: waits until what ports have taken has been written, at most so many milliseconds; < 0: for ever. */
void io_flush(VM *vm, int64_t milliseconds);

/* Somebody who waits for a descriptor. The first member of what is to be told. */
typedef struct Watcher {
    void (*ready)(VM *vm, struct Watcher *w, int fd, unsigned what); /* what: POLL_READ or POLL_WRITE */
} Watcher;
bool io_watch(VM *vm, int fd, unsigned what, Watcher *w);

/* Work that may block, done for a process that waits for it. The process holds it by a magic reference, the pool by a second
   count; so it lives until both have done with it, even if the process ends meanwhile. */
typedef struct Work {
    Job job; /* first; job.work does it, without touching the VM */
    Resource resource;
    VM *vm;
    term pid;      /* who waits */
    bool finished; /* atomic */
} Work;
static inline Work *work_of(Resource *r) {
    return (Work *)((uint8_t *)r - offsetof(Work, resource));
}
/* Hands it to the pool and parks p: it does not run until the work is done or a signal has come. False: no thread. */
bool work_submit(Process *p, Work *w);
/* Is it done? If not, p is parked again. */
bool work_done(Process *p, const Work *w);

#endif
