/* Ranges of an ordered set: see the header. Figures of contention are those of the paper "A Contention Adapting Approach to Concurrent Ordered
   Sets" (Sagonas, Winblad, 2018); who waits long counts for more, as others come and go meanwhile. */
#include "table/range.h"

#include "proc/epoch.h"
#include "proc/schedule.h"
#include "table/match_spec.h"
#include "term/compare.h"

enum { WAITED = 250, MOST_WAITED = 750, SPLIT_ABOVE = 1000, JOIN_BELOW = -10000 };

Stripe *range_find(VM *vm, const Table *t, WalkStart start, term key, bool down) {
    const Routes *routes = table_routes(t);
    size_t at = 0, end = routes == NULL ? 1 : routes->count;
    while (end - at > 1) {
        size_t middle = (at + end) / 2;
        int c = walk_compare(vm, start, key, down, object_key(routes->at[middle].from, 1));
        /* What a pattern begins with may be on both sides. */
        if (c > 0 || (c == 0 && (start != WALK_PATTERN || down))) {
            at = middle;
        } else {
            end = middle;
        }
    }
    return routes == NULL ? t->keyed : routes->at[at].range;
}

Stripe *range_in_hand(VM *vm, const Table *t, term key) {
    Stripe *only = vm_scheduler(vm)->stripe;
    return only != NULL ? only : range_find(vm, t, WALK_FROM, key, false);
}

static size_t place_of(const Routes *routes, const Stripe *r) {
    size_t i = 0;
    while (routes->at[i].range != r) {
        i++;
        assert(i < routes->count);
    }
    return i;
}

Stripe *range_beside(const Table *t, const Stripe *r, bool down) {
    const Routes *routes = table_routes(t);
    if (routes == NULL) {
        return NULL;
    }
    size_t i = place_of(routes, r) + (down ? (size_t)-1 : 1);
    return i < routes->count ? routes->at[i].range : NULL;
}

/* Replacing routes. */

static size_t routes_bytes(size_t count) {
    return sizeof(Routes) + count * sizeof(struct Route);
}

static void free_routes(VM *vm, void *routes, size_t size) {
    mem_free(&vm->mem, MEM_ETS, routes, size);
}

static void free_key(VM *vm, void *from, size_t size UNUSED) {
    object_free(vm, from);
}

/* Returns the old ones: they, and keys that have gone with them, may be given up now. */
static Routes *set_routes(Table *t, Routes *routes) {
    Routes *old = t->routes;
    __atomic_store_n(&t->routes, routes, __ATOMIC_RELEASE);
    return old;
}

static void give_up(VM *vm, Routes *old) {
    if (old != NULL) {
        epoch_defer(vm, free_routes, old, routes_bytes(old->count));
    }
}

/* A copy with one more behind a place, or one less. NULL: no memory. */
static Routes *copy_routes(VM *vm, const Table *t, size_t place, bool more) {
    const Routes *old = t->routes;
    size_t had = old == NULL ? 1 : old->count, count = more ? had + 1 : had - 1, rest = MIN(had, count) - place - 1;
    Routes *routes = mem_alloc(&vm->mem, MEM_ETS, routes_bytes(count));
    if (routes == NULL) {
        return NULL;
    }
    *routes = (Routes){.used = 1, .count = count};
    routes->at[0] = (struct Route){NULL, t->keyed};
    if (old != NULL) {
        routes->used = old->used;
        memcpy(routes->at, old->at, (place + 1) * sizeof *old->at);
        memcpy(routes->at + count - rest, old->at + had - rest, rest * sizeof *old->at);
    }
    return routes;
}

static void add_bytes(VM *vm, Table *t, Stripe *r, size_t more) {
    r->bytes += more;
    if (t->account != NULL) {
        table_tell_account(vm, t, more);
    }
}

/* Stripes that are no ranges, by number. */
static uint64_t spare(const Table *t) {
    return ~(t->routes == NULL ? 1 : t->routes->used) & table_all_stripes(t);
}

/* The greater half becomes another range. */
static void split(VM *vm, Table *t, Stripe *r) {
    Object **root = t->routes == NULL ? &t->tree.root : &r->root;
    const Object *least = *root == NULL ? NULL : (*root)->next != NULL ? *root : (*root)->right;
    if (least == NULL || spare(t) == 0) {
        return;
    }
    int number = __builtin_ctzll(spare(t));
    term tuple[2] = {HEADER(1, KIND_TUPLE), table_key(t, least)};
    Object *from = object_new(vm, make_boxed(tuple));
    size_t place = t->routes == NULL ? 0 : place_of(t->routes, r);
    Routes *routes = from == NULL ? NULL : copy_routes(vm, t, place, true);
    if (routes == NULL) {
        if (from != NULL) {
            object_free(vm, from);
        }
        return;
    }
    Stripe *other = &t->keyed[number];
    other->root = tree_cut(root);
    if (t->routes == NULL) {
        r->root = *root;
        *root = NULL;
    }
    other->contention = 0;
    add_bytes(vm, t, r, object_bytes(from));
    routes->used |= (uint64_t)1 << number;
    routes->at[place + 1] = (struct Route){from, other};
    give_up(vm, set_routes(t, routes));
}

/* The range at this place and the one behind it become one: by who has one of them, or neither. */
static void join(VM *vm, Table *t, size_t place, const Stripe *own) {
    const Routes *old = t->routes;
    Stripe *a = old->at[place].range, *b = old->at[place + 1].range;
    Object *from = old->at[place + 1].from;
    if (a != own && !shared_write_try(&a->lock)) {
        return;
    }
    bool both = b == own || shared_write_try(&b->lock);
    Routes *routes = both && old->count > 2 ? copy_routes(vm, t, place, false) : NULL;
    if (both && (routes != NULL || old->count == 2)) {
        Object *all = tree_join(a->root, b->root);
        a->root = b->root = NULL;
        *(routes == NULL ? &t->tree.root : &a->root) = all;
        a->count += b->count;
        a->contention = 0;
        add_bytes(vm, t, a, (size_t)0 - object_bytes(from));
        a->bytes += b->bytes;
        b->count = 0, b->bytes = 0;
        if (routes != NULL) {
            routes->used &= ~((uint64_t)1 << (b - t->keyed));
        }
        give_up(vm, set_routes(t, routes));
        epoch_defer(vm, free_key, from, 0);
    }
    if (both && b != own) {
        shared_write_end(&b->lock);
    }
    if (a != own) {
        shared_write_end(&a->lock);
    }
}

/* All stripes are ranges: two for which nobody waits become one. */
static void make_room(VM *vm, Table *t, const Stripe *own) {
    const Routes *routes = t->routes;
    for (size_t i = 0; i + 1 < routes->count; i++) {
        const Stripe *a = routes->at[i].range, *b = routes->at[i + 1].range;
        if (a != own && b != own && LATEST(a->contention) <= 0 && LATEST(b->contention) <= 0) {
            join(vm, t, i, own);
            return;
        }
    }
}

/* Contention. */

void range_taken(Stripe *r, int waited, bool shared) {
    int32_t c = LATEST(r->contention);
    if (waited > 0 ? c <= SPLIT_ABOVE : !shared) { /* of several who share it at once one may go uncounted */
        BECOMES(r->contention, waited > 0 ? c + MIN(WAITED + waited, MOST_WAITED) : c - 1);
    }
}

/* 1: it shall be split, -1: joined with its neighbour. */
static int wish(Table *t, const Stripe *r) {
    if (UNLIKELY(t->splits != SPLITS_BY_CONTENTION)) {
        uint32_t turn = t->splits == SPLITS_ALWAYS ? 0 : __atomic_fetch_add(&t->turn, 1, __ATOMIC_RELAXED) % 8;
        return turn == 0 ? 1 : turn == 1 ? -1 : 0;
    }
    return r->contention > SPLIT_ABOVE ? 1 : r->contention < JOIN_BELOW || (r->root == NULL && table_routes(t) != NULL) ? -1 : 0;
}

void range_adapt(VM *vm, Table *t, Stripe *r) {
    int w = wish(t, r);
    if (LIKELY(w == 0) || !lock_try(&t->resizing)) { /* somebody else does so somewhere: later */
        return;
    }
    BECOMES(r->contention, 0);
    const Routes *routes = t->routes;
    if (w > 0) {
        if (spare(t) == 0) {
            make_room(vm, t, r);
        }
        split(vm, t, r);
    } else if (routes != NULL) {
        size_t place = place_of(routes, r);
        join(vm, t, place + 1 < routes->count ? place : place - 1, r);
    }
    lock_give(&t->resizing);
}

Object *range_gather(VM *vm, Table *t) {
    Routes *old = set_routes(t, NULL);
    Object *all = t->tree.root;
    t->tree.root = NULL;
    for (size_t i = 0; old != NULL && i < old->count; i++) {
        const struct Route *at = &old->at[i];
        all = tree_join(all, at->range->root);
        at->range->root = NULL;
        if (i > 0) {
            epoch_defer(vm, free_key, at->from, 0);
            if (vm->processes->concurrent) {
                shared_write_end(&at->range->lock); /* it is none of the table's any more */
            }
        }
    }
    give_up(vm, old);
    return all;
}
