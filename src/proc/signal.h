/* Signals: the one way a process is reached from outside. Every process has one queue of them, ordered per sender: an outer
   part, a lock-free stack that anybody pushes to, and an inner part that only the process itself touches. When it takes
   over the outer part, messages go on to the mailbox and all other signals are handled at once, in order. */
#ifndef MOTE_PROC_SIGNAL_H
#define MOTE_PROC_SIGNAL_H

#include "proc/process.h"

typedef enum {
    SIGNAL_MESSAGE,          /* value */
    SIGNAL_ALIAS_MESSAGE,    /* value; key: reference of the alias. Dropped if it is no longer active */
    SIGNAL_PRIORITY_MESSAGE, /* value. Goes in front of ordinary ones */
    SIGNAL_EXIT,             /* from exit/2. from, value: reason */
    SIGNAL_ALIAS_EXIT,       /* the same to an alias. key: its reference */
    SIGNAL_LINK_EXIT,        /* from a linked process that ended. from, value: reason */
    SIGNAL_LINK,             /* from */
    SIGNAL_UNLINK,           /* from; key: number of this unlink, returned in the acknowledgement */
    SIGNAL_UNLINK_DONE,      /* from; key */
    SIGNAL_MONITOR,          /* from, key: reference; value: registered name it was asked for, or NONE */
    SIGNAL_DEMONITOR,        /* key */
    SIGNAL_DOWN,             /* from, key, value: reason */
    SIGNAL_SUSPEND,          /* from: asynchronously. key[1]: shall there be an answer? Then value is its tag */
    SIGNAL_SUSPENDED,        /* from: it is in effect now */
    SIGNAL_RESUME,           /* from: who had suspended it has ended */
    SIGNAL_ASK,              /* from: a process that is parked until it can enter this one */
} SignalKind;

enum {
    TOKEN_STAYS,   /* a message of the system */
    TOKEN_NONE,    /* the sender had none: the receiver's is taken away */
    TOKEN_CARRIED, /* `from` is a SeqToken *: it replaces the receiver's */
};

typedef struct Signal {
    struct Signal *next;
    uint32_t kind;   /* SignalKind */
    bool seen;       /* a message that receive has looked at: its value is on the receiver's heap */
    uint8_t token;   /* of a message: what happens to the receiver's token of sequential tracing */
    bool priority;   /* in the mailbox: stands in front of ordinary ones. Of ALIAS_...: wants to, if the alias lets it */
    term value;      /* in data, an immediate, or a literal; of a message that has been looked at: on the receiver's heap */
    Fragment *data;  /* adopted by the receiver; NULL: none */
    term from;       /* pid of the sender; NONE: the system. Of a message only where tracing wants to know */
    uint64_t key[2]; /* number of a reference. EXIT: key[0] not 0: a process exits itself, where `normal` kills too. Of LINK_EXIT key[1]
                          is the SeqToken *, if it carries one */
} Signal;

/* NULL: no memory. s: the scheduler of this thread. */
Signal *signal_new(Scheduler *s, SignalKind kind);
void signal_free(Scheduler *s, Signal *signal); /* and its data, if nobody has taken it */

/* Puts the signal into the queue of the process and makes it runnable if it waits. False: there is no such process; the signal
   is freed then. */
bool signal_send(Scheduler *s, term pid, Signal *signal);

/* The same, with a copy of signal.value. False: no memory. */
bool signal_send_copy(Scheduler *s, Process *to, Signal signal);

/* Sends a copy of message. False: no memory (the process `from`, if any, is then marked to be killed). A dead receiver is no
   error. */
bool message_send(Scheduler *s, Process *from, term pid, term message);
/* The same of a process that is traced. token: goes with it; NULL: none. */
struct SeqToken;
bool message_send_traced(Process *from, term to, term message, bool priority, struct SeqToken *token);
/* Sends what `built` holds: value and the fragments it was built in (a detached heap). */
bool message_send_built(Scheduler *s, term pid, term value, Heap *built);
bool message_send_alias(Scheduler *s, Process *from, term alias, term message, bool priority);
bool message_send_self(Process *p, term message, bool priority); /* in front of ordinary ones, or behind all */

/* exit/2: reason is copied. False: no memory. */
bool exit_send(Scheduler *s, term from, term pid, term reason);
bool exit_send_alias(Scheduler *s, term from, term alias, term reason, bool priority);
/* exit/2 to itself, where `normal` kills too. */
bool exit_send_self(Process *p, term reason);
void message_queue(Process *p, Signal *message, bool priority); /* to the end of the mailbox, or of those that have priority */

/* A signal of a process that ends: needs no memory but what the relation it comes from has left, and that for the copy of the
   reason, without which the reason becomes `killed`. */
void signal_send_ending(Process *from, term to, SignalKind kind, const uint64_t key[2], term reason);

/* Room for a signal or a relation, from a free list that they share. */
void *signal_memory(Scheduler *s); /* NULL: no memory */
void signal_memory_free(Scheduler *s, void *memory);
void signals_done(Scheduler *s);

/* Takes over the outer queue: messages to the mailbox, the rest is handled now. p must be the running process, or one that
   process_enter has entered. The process may have STATE_EXITING or STATE_SUSPENDED afterwards. */
void signals_handle(Process *p);
/* The same for what comes in after the end: everybody who asks gets the answer that there is no such process. */
void signals_refuse(Process *p);
/* The process that ran has given way: those who have asked for it run next. */
void signals_ask_over(Scheduler *s);
void signals_discard(Process *p);       /* frees those that have been taken over */
void signals_discard_outer(Process *p); /* and those that have not, without an answer */

/* How requests that want an answer (process_info, is_process_alive, collect ...) get it: if nobody runs the process just now,
   enters it in place of its scheduler and handles its signals, so that the order of signals holds. True: it is alive and its
   insides may be touched until process_leave. */
typedef enum {
    ENTER_DONE,
    ENTER_GONE, /* it is exiting, or has just ended */
    ENTER_BUSY  /* another scheduler has it: process_ask, and try again. Never with one scheduler */
} Entered;
Entered process_enter(Process *p);
void process_leave(Process *p);
/* Parks p, whose built-in must begin anew (bif_ask, in bif.h), until q has given way. */
bool process_ask(Process *p, Process *q);

#endif
