/* Who has a table while several schedulers run: a TableUse says what for.

   A table has one lock, or several, its stripes. With {write_concurrency, _} a stripe of a set or bag is that of the keys whose hash ends in
   its number: who uses one key takes that one, all others take all, in order. Buckets that are split or joined have the same ending, so
   an object never leaves its stripe. In an ordered set it is that of a range of keys, or of none, see range.h: who uses one key looks again,
   when he has taken it, whether it still is that of his key; who takes all, those of the ranges, whether these still are all. With
   {read_concurrency, true} only, each scheduler has a stripe of its own (more or less): who looks takes that one, who changes something
   takes all. */
#include "proc/schedule.h"
#include "table/insertion.h"
#include "table/range.h"
#include "term/atom.h"

enum { STRIPES_PER_SCHEDULER = 8, MOST_STRIPES = 64, CACHE_LINE = sizeof(Stripe) };

/* The block that the stripes are in begins up to a line before. */
static size_t block_bytes(const Table *t) {
    return (t->stripe_mask + (size_t)2) * sizeof *t->stripes;
}

bool stripes_init(VM *vm, Table *t) {
    uint32_t schedulers = vm->processes == NULL ? 1 : vm->processes->scheduler_count;
    bool by_key = t->write_concurrency != A_false;
    if (schedulers == 1 || t->protection == PROTECTION_PRIVATE || !(by_key || t->read_concurrency)) {
        return true;
    }
    size_t n = 1, wanted = MIN(schedulers * STRIPES_PER_SCHEDULER, MOST_STRIPES);
    if (is_small(t->write_concurrency)) {
        wanted = MIN((size_t)small_value(t->write_concurrency), MOST_STRIPES);
    }
    while (n < wanted) {
        n *= 2;
    }
    t->stripe_mask = (uint32_t)n - 1;
    uint8_t *block = mem_zalloc(&vm->mem, MEM_ETS, block_bytes(t));
    if (block == NULL) {
        return false;
    }
    size_t skip = CACHE_LINE - (uintptr_t)block % CACHE_LINE;
    block[skip - 1] = (uint8_t)skip;
    t->stripes = (Stripe *)(block + skip);
    t->keyed = by_key ? t->stripes : NULL;
    t->bytes += n * sizeof *t->stripes;
    return true;
}

void stripes_done(VM *vm, Table *t) {
    if (t->stripes != NULL) {
        uint8_t *at = (uint8_t *)t->stripes;
        mem_free(&vm->mem, MEM_ETS, at - at[-1], block_bytes(t));
        t->stripes = t->keyed = NULL;
    }
}

size_t table_size(const Table *t) {
    size_t n = t->count;
    for (size_t i = 0; t->keyed != NULL && i <= t->stripe_mask; i++) {
        n += t->keyed[i].count;
    }
    return n;
}

size_t table_bytes(const Table *t) {
    size_t n = t->bytes;
    for (size_t i = 0; t->keyed != NULL && i <= t->stripe_mask; i++) {
        n += t->keyed[i].bytes;
    }
    return n;
}

static int take(SharedLock *l, bool shared) {
    return shared ? shared_read(l) : shared_write(l);
}

static int give(SharedLock *l, bool shared) {
    if (shared) {
        shared_read_end(l);
    } else {
        shared_write_end(l);
    }
    return 0;
}

/* The only stripe that is needed. NULL: all. */
static Stripe *stripe_for(const Scheduler *s, const Table *t, TableUse use, term key) {
    bool one = t->keyed != NULL ? use >= USE_HEAD : use != USE_ALONE && use != USE_KEY;
    if (!one || t->stripes == NULL) {
        return NULL;
    }
    if (table_has_ranges(t)) {
        return use == USE_HEAD || use == USE_FIRST ? t->keyed
                                                   : range_find(s->vm, t, use == USE_LAST ? WALK_ALL : WALK_FROM, key, use == USE_LAST);
    }
    return &t->stripes[(t->keyed != NULL && use != USE_HEAD ? hash_of(s->vm, key) : s->id) & t->stripe_mask];
}

/* Takes or gives what s has of its table. How often it has looked for a stripe in vain. */
static inline int each_lock(const Scheduler *s, const Routes *routes, int (*act)(SharedLock *l, bool shared)) {
    Table *t = s->table;
    if (s->stripe != NULL) {
        return act(&s->stripe->lock, s->table_shared);
    }
    if (t->stripes == NULL) {
        act(&t->lock, s->table_shared);
    } else { /* by number: what is a range for one may stand elsewhere for another who comes later */
        uint64_t left = !table_has_ranges(t) ? table_all_stripes(t) : routes == NULL ? 1 : routes->used;
        for (; left != 0; left &= left - 1) {
            act(&t->stripes[__builtin_ctzll(left)].lock, s->table_shared);
        }
    }
    return 0;
}

static void take_as(Scheduler *s, Table *t, TableUse use, term key) {
    bool ranges = table_has_ranges(t);
    use = use >= USE_BESIDE && !ranges ? USE_LOOK : use;
    s->table = t;
    s->table_shared = use != USE_ALONE && use != USE_KEY;
    for (;;) {
        const Routes *routes = table_routes(t);
        s->stripe = stripe_for(s, t, use, key);
        int waited = each_lock(s, routes, take);
        if (LIKELY(table_routes(t) == routes) || (s->stripe != NULL && s->stripe == stripe_for(s, t, use, key))) {
            if (ranges && s->stripe != NULL && use != USE_HEAD) {
                range_taken(s->stripe, waited, s->table_shared);
            }
            return;
        }
        each_lock(s, routes, give);
    }
}

void table_unlock(Scheduler *s) {
    Table *t = s->table;
    if (s->stripe != NULL && !s->table_shared && table_has_ranges(t) && !t->gone) {
        range_adapt(s->vm, t, s->stripe);
    }
    each_lock(s, table_routes(t), give);
    s->table = NULL, s->stripe = NULL;
}

bool table_take(Scheduler *s, Table *t, TableUse use, term key) {
    if (s->table == t) {
        return !t->gone;
    }
    assert(s->table == NULL);
    take_as(s, t, use, key);
    if (t->pending != NULL && use != USE_HEAD && (s->table_shared || s->stripe != NULL)) { /* it must be finished first */
        table_unlock(s);
        take_as(s, t, USE_ALONE, NONE);
    }
    if (t->gone) {
        table_unlock(s);
        return false;
    }
    return true;
}

bool table_take_alone(Scheduler *s) {
    Table *t = s->table;
    table_unlock(s);
    return table_take(s, t, USE_ALONE, NONE);
}

bool table_lock(VM *vm, Table *t) {
    Scheduler *s = vm->processes == NULL ? NULL : vm_scheduler(vm);
    return s != NULL && vm->processes->concurrent && s->table != t && table_take(s, t, USE_ALONE, NONE);
}

bool table_enter(Process *p, Table *t) {
    return !process_vm(p)->processes->concurrent || table_take(p->scheduler, t, USE_HEAD, NONE);
}
