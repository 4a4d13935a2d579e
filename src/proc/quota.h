/* Quotas: a group of processes is whoever was spawned with the option `quota`, and all that it and they spawn. What they use is
   counted in one account (base/account.h): memory, reductions, messages that wait, processes. A group that uses more than it may ends,
   all its processes with the reason {quota, Item}. A group in a group counts in both.

   Counted when it happens: buffers, tables, timers, which have the account with them. Counted when a slice ends, and after collections:
   what a process has itself, of which QuotaShare remembers how much the account knows of. Who finds that a limit is exceeded marks the
   account as overrun, and sees to it that every member gets a slice; every slice of a member begins with a look at the account. So
   nobody keeps a list of members, and nothing is locked. */
#ifndef MOTE_PROC_QUOTA_H
#define MOTE_PROC_QUOTA_H

#include "base/account.h"
#include "proc/signal.h"

/* What a process has, as its account knows it. It is there as long as the process can be found. */
typedef struct QuotaShare {
    Account *account;
    size_t bytes;
    uint32_t messages;
    size_t outside; /* bytes of messages that are not on its heap yet, and of relations; the account learns of them with the rest */
} QuotaShare;

extern const term quota_items[ACCOUNT_ITEMS]; /* what Erlang calls them */

/* A process is made. limits NULL: it is part of its parent's group. False: no memory. */
bool quota_join(Process *p, Process *parent, const uint64_t limits[ACCOUNT_ITEMS]);
void quota_leave(Process *p); /* it is freed; and with it, its ProcessExtra */

static inline Account *quota_account(const Process *p) { /* NULL: none */
    return UNLIKELY(p->state & STATE_QUOTA) ? p->extra->quota->account : NULL;
}

/* The same of a process that somebody else may have; the account is there until the slice ends. */
Account *quota_account_of(VM *vm, term pid);

/* Of members only. */
void quota_slice_begins(Process *p);                     /* may end it */
void quota_slice_ends(Process *p);                       /* likewise */
void quota_message_came(Process *p, const Signal *m);    /* into the mailbox proper */
void quota_message_adopted(Process *p, const Signal *m); /* its data are about to become part of the heap */
void quota_count(Process *p);                            /* tells the account what it has now */
void quota_take_buffers(Process *p, bool all);           /* it has been collected; all: its old generation, too */
bool quota_fits(Process *p);                             /* the same; is the memory still within all limits? */
void quota_memory_over(Process *p);                      /* it is not, and there is nothing that could be collected: the group ends */

/* Of any process: has its group's quota been overrun? Then whatever ends it, it ends with the second's result. */
bool quota_is_over(const Process *p);
term quota_reason(Process *p, term reason);
static inline void quota_outside(Process *p, size_t more) {
    if (UNLIKELY(p->state & STATE_QUOTA)) {
        p->extra->quota->outside += more;
    }
}
/* A limit may have been exceeded by somebody who is not part of the group: this member is to look. */
void quota_look(VM *vm, term pid);

#endif
