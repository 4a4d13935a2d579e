/* Signals: the one way a process is reached from outside. Every process has one queue of them, ordered per sender: an outer
   part, a lock-free stack that anybody pushes to, and an inner part that only the process itself touches. When it takes
   over the outer part, messages go on to the mailbox and all other signals are handled at once, in order. */
#ifndef MOTE_PROC_SIGNAL_H
#define MOTE_PROC_SIGNAL_H

#include "proc/process.h"

typedef enum {
    SIGNAL_MESSAGE,        /* value */
    SIGNAL_ALIAS_MESSAGE,  /* value; key: reference of the alias. Dropped if it is no longer active */
    SIGNAL_EXIT,           /* from exit/2. from, value: reason */
    SIGNAL_LINK_EXIT,      /* from a linked process that ended. from, value: reason; extra: number of the link */
    SIGNAL_LINK,           /* from */
    SIGNAL_UNLINK,         /* from; key: number of this unlink, returned in the acknowledgement */
    SIGNAL_UNLINK_DONE,    /* from; key */
    SIGNAL_MONITOR,        /* from, key: reference; value: registered name it was asked for, or NONE */
    SIGNAL_DEMONITOR,      /* key */
    SIGNAL_DOWN,           /* from, key, value: reason */
    SIGNAL_GROUP_LEADER,   /* value: the new one; key, from: whom to answer, if key is not 0 */
    SIGNAL_SUSPEND,        /* from */
    SIGNAL_RESUME,         /* from */
    SIGNAL_IS_ALIVE,       /* from, key: reply reference */
    SIGNAL_CALL,           /* call: a function run by the receiver on itself, for requests (process_info, collect ...) */
    SIGNAL_SPAWN_REPLY,    /* from, key */
} SignalKind;

typedef struct Signal {
    struct Signal *next;
    uint32_t kind;           /* SignalKind */
    uint32_t extra;
    term value;              /* in data, an immediate, or a literal; of a message that has been looked at: on the receiver's heap */
    Fragment *data;          /* adopted by the receiver; NULL: none */
    union {
        struct {
            term from;       /* pid of the sender; NONE: the system */
            uint64_t key[2]; /* number of a reference */
        };
        struct {
            void (*call)(Process *p, struct Signal *s); /* p NULL: the receiver is gone; owns arg */
            void *arg;
        };
    };
} Signal;

/* NULL: no memory. s: the scheduler of this thread. */
Signal *signal_new(Scheduler *s, SignalKind kind);
void signal_free(Scheduler *s, Signal *signal); /* and its data, if nobody has taken it */

/* Puts the signal into the queue of the process and makes it runnable if it waits. False: there is no such process; the signal
   is freed then. */
bool signal_send(Scheduler *s, term pid, Signal *signal);

/* Sends a copy of message. False: no memory (the process `from`, if any, is then marked to be killed). A dead receiver is no
   error. */
bool message_send(Scheduler *s, Process *from, term pid, term message);
/* Sends what `built` holds: value and the fragments it was built in (a detached heap). */
bool message_send_built(Scheduler *s, term pid, term value, Heap *built);
bool message_send_alias(Scheduler *s, Process *from, term alias, term message);

/* exit/2: reason is copied. */
bool exit_send(Scheduler *s, term from, term pid, term reason);

/* Takes over the outer queue: messages to the mailbox, the rest is handled now. p must be the running process, or one that
   signals_serve has entered. The process may have STATE_EXITING or STATE_SUSPENDED afterwards. */
void signals_handle(Process *p);

/* If nobody runs the process just now, handles its signals in its place. Returns whether that was so: then its insides may be
   touched until process_leave. */
bool process_enter(Process *p);
void process_leave(Process *p);

#endif
