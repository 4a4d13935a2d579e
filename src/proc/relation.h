/* Links, monitors and aliases: what a process knows of others, in one search tree per process. Every link and monitor has
   two ends, each in the tree of its own process; signals keep the ends in step. */
#ifndef MOTE_PROC_RELATION_H
#define MOTE_PROC_RELATION_H

#include "proc/signal.h"

typedef enum {
    RELATION_LINK,      /* key: pid of the other, 0 */
    RELATION_REFERENCE, /* what a reference of this process stands for: a monitor, an alias or both. key: the reference */
    RELATION_MONITORED, /* somebody monitors this process. key: the reference */
    RELATION_SUSPENDED, /* this process has suspended another. key: pid, 0 */
    RELATION_SUSPENDER, /* another has suspended this one. key: pid, 0 */
    RELATION_NODE,      /* monitor_node. key: atom, 0 */
} RelationKind;

enum {
    RELATION_MONITOR = 1 << 0,         /* REFERENCE: a monitor that is active */
    RELATION_ALIAS_UNALIAS = 1 << 1,   /* active until unalias */
    RELATION_ALIAS_DEMONITOR = 1 << 2, /* until demonitor, 'DOWN' or unalias */
    RELATION_ALIAS_REPLY = 1 << 3,     /* the same, or the first message through it */
    RELATION_ALIAS = RELATION_ALIAS_UNALIAS | RELATION_ALIAS_DEMONITOR | RELATION_ALIAS_REPLY,
    RELATION_UNLINKING = 1 << 4,      /* LINK: unlink has been sent, not acknowledged; count: its number */
    RELATION_TIME_OFFSET = 1 << 5,    /* REFERENCE: monitor(time_offset, clock_service) */
    RELATION_PORT = 1 << 6,           /* the other end is a port */
    RELATION_PRIORITY = 1 << 7,       /* LINK, REFERENCE of a monitor: its message goes in front of ordinary ones */
    RELATION_ALIAS_PRIORITY = 1 << 8, /* REFERENCE of an alias: so do messages through it that ask for it */
};

/* What a monitor has besides, if anything. */
typedef struct {
    term name; /* the registered name that was asked for; NONE: a pid was */
    term tag;  /* in place of 'DOWN': a literal or immediate, or in data */
    Fragment *data;
} MonitorExtra;

/* As large as a Signal, so that the memory of the one can become the other: links and monitors end without asking for
   memory. */
typedef struct Relation {
    struct Relation *left, *right;
    uint32_t kind, flags; /* flags of SUSPENDED: how often it has been asked for and is not in effect yet */
    uint64_t key[2];
    term other; /* pid, or port, of the other end; NONE: none */
    union {
        term name;           /* MONITORED: the registered name that was asked for, or NONE */
        MonitorExtra *extra; /* REFERENCE: NULL: nothing */
        uint64_t count;      /* LINK: number of the unlink under way. SUSPENDED, SUSPENDER: how often, in effect */
    };
} Relation;

Relation *relation_find(Process *p, RelationKind kind, uint64_t key0, uint64_t key1);
/* The relation with this key, made if it is not there (*made says so). NULL: no memory. */
Relation *relation_add(Process *p, RelationKind kind, uint64_t key0, uint64_t key1, bool *made);
void relation_remove(Process *p, Relation *r); /* and frees it */
Relation *relation_first(Process *p);          /* any one; NULL: there is none */
/* Walks all relations in the order of their keys. */
void relation_each(Process *p, void (*visit)(Process *p, Relation *r, void *arg), void *arg);

/* What the built-ins do; `with` is a pid or port of this node. */
bool link_make(Process *p, term with, uint32_t flags); /* flags: 0 or RELATION_PRIORITY. False: no such process (nothing has happened) */
void link_break(Process *p, term with);
/* Makes a monitor of the process `other` (pid; NONE or dead: the message comes at once). name: what was asked for, if not a
   pid. flags: RELATION_ALIAS_..., RELATION_PRIORITY; tag NONE: 'DOWN'. ref: a fresh reference (of alias shape if flags say so). False: no memory. */
bool monitor_make(Process *p, term ref, term other, term name, uint32_t flags, term tag);
/* The end here of a monitor whose other end is in place already: of a new process. */
bool monitor_adopt(Process *p, term ref, term other, uint32_t flags, term tag);
/* demonitor/1. Returns whether there was such a monitor. */
bool monitor_break(Process *p, term ref);
bool alias_make(Process *p, term ref, uint32_t flags);
bool alias_break(Process *p, term ref); /* unalias/1 */
/* A message or another signal has come through the alias: may it be received? 0: no; else the flags of the alias. */
uint32_t alias_take(Process *p, uint64_t low, uint64_t high, bool message);

/* Handle the signals of the other end; s is freed or becomes a message. */
void link_signal(Process *p, Signal *s);
void monitor_signal(Process *p, Signal *s);
/* q is suspended once more, by the process `by`; the caller has q. False: no memory. */
bool process_suspend(Process *q, term by);
/* The same, some time: when q comes to it, it suspends itself, and then sends {Tag, suspended}, or {Tag, exited}. tag NONE: nothing. */
bool suspend_ask(Process *p, Process *q, term tag);
void suspend_signal(Process *p, Signal *s);
void suspend_refuse(Process *q, Signal *s); /* q has ended */
/* p has ended with `reason`: tells the other end of r, whose memory is used for it. */
void relation_end(Process *p, Relation *r, term reason);

#endif
