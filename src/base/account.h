/* What a group of processes uses, counted apart, and how much of it it may use. An account may be part of another one, which counts
   the same again. Counting is atomic: whoever changes something that belongs to an account says so, from whichever thread. What the
   group is, and what happens when it uses too much, is in proc/quota.h. */
#ifndef MOTE_BASE_ACCOUNT_H
#define MOTE_BASE_ACCOUNT_H

#include "base/mem.h"

typedef enum {
    ACCOUNT_MEMORY,     /* bytes */
    ACCOUNT_REDUCTIONS, /* done so far */
    ACCOUNT_MESSAGES,   /* in mailboxes */
    ACCOUNT_PROCESSES,
    ACCOUNT_ITEMS
} AccountItem;
enum { ACCOUNT_NOTHING = -1 };
#define ACCOUNT_NO_LIMIT UINT64_MAX

typedef struct Account {
    struct Account *outer; /* NULL: part of none */
    uint32_t refs;         /* atomic, as the next ones */
    int32_t over;          /* which limit has been overrun; ACCOUNT_NOTHING: none */
    bool told;             /* all who are part of it have been told of that */
    uint64_t used[ACCOUNT_ITEMS];
    uint64_t limit[ACCOUNT_ITEMS]; /* does not change */
} Account;

Account *account_new(Mem *m, Account *outer, const uint64_t limit[ACCOUNT_ITEMS]); /* one reference. NULL: no memory */
Account *account_keep(Account *a);                                                 /* one more; NULL stays NULL */
void account_release(Mem *m, Account *a);

/* Counts `by` more (or, modulo the word, less) in the account and those it is part of. True: a limit has just been exceeded. */
bool account_add(Account *a, AccountItem item, uint64_t by);
/* Is there too much of the item, in this account or one it is part of? And: then that limit counts as overrun from now on, whatever happens. */
bool account_exceeds(Account *a, AccountItem item);
void account_judge(Account *a, AccountItem item);
/* This account, or one it is part of, of which a limit has been overrun (which: over). NULL: none. */
Account *account_over(Account *a);

/* Who uses what this thread asks for now; NULL: nobody that is counted. */
extern _Thread_local Account *account_here;
static inline Account *account_switch(Account *to) {
    Account *was = account_here;
    account_here = to;
    return was;
}
/* A block of so many bytes is more than the account of this thread may ever use: it counts as overrun. Asked for large blocks. */
bool account_refuses(size_t bytes);

#endif
