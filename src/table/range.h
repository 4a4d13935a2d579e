/* Ranges: an ordered set with {write_concurrency, _} is cut in two where several schedulers have been waiting for each other, and
   joined where they have not for long (a contention adapting tree, as in Erlang/OTP). Each range of keys has a stripe (table_lock.c) and a tree
   of its own. It begins as one range, that of the first stripe, which stays the first of all; while it is the only one, its tree is that
   of the table.

   Which range a key belongs to is said by the routes: they are read without a lock, never change, and are replaced as a whole. Only who
   has all ranges that are cut or joined to himself replaces them; so who has taken a range, and finds that it still is that of his key,
   can rely on it. */
#ifndef MOTE_TABLE_RANGE_H
#define MOTE_TABLE_RANGE_H

#include "table/ets.h"

typedef struct Routes {
    uint64_t used; /* numbers of stripes */
    size_t count;  /* at least 2 */
    struct Route {
        Object *from; /* {Key}: no key in it is less; NULL: of the first one */
        Stripe *range;
    } at[]; /* in order */
} Routes;

/* NULL: there is one range. */
static inline const Routes *table_routes(const Table *t) {
    return __atomic_load_n(&t->routes, __ATOMIC_ACQUIRE);
}
/* How what a walk begins with stands to a key: < 0: before it. */
int walk_compare(VM *vm, WalkStart start, term key, bool down, term to);
/* Where a walk begins. */
Stripe *range_find(VM *vm, const Table *t, WalkStart start, term key, bool down);
/* The one that this scheduler has, or, if it has all, that of the key. */
Stripe *range_in_hand(VM *vm, const Table *t, term key);
Stripe *range_beside(const Table *t, const Stripe *r, bool down); /* the next one. NULL: there is none */

/* Somebody has taken it, having looked so often in vain. */
void range_taken(Stripe *r, int waited, bool shared);
/* Who has this one to himself is about to give it, and cuts or joins it before. */
void range_adapt(VM *vm, Table *t, Stripe *r);
/* Takes all objects out, as one tree: by who has the table alone. Only the first range is left, empty. */
Object *range_gather(VM *vm, Table *t);

#endif
