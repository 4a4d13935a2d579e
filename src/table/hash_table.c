/* Sets and bags: linear hashing, one bucket split or joined at a time. Objects with the same key stand together, newest first.
   Hash, growth and place in the bucket are those of OTP 25, so that tables are walked in the same order as there.

   Of a table with a stripe per key (table_lock.c) somebody may have one stripe and others be splitting and joining buckets of other
   stripes. So `active` and `mask` change while he looks at them, but not so far that a bucket of his own stripe comes or goes: whichever of
   their values he sees, slot_of is the same for his keys. Buckets as a whole are only moved by who has all stripes. */
#include "data/map.h"
#include "table/ets.h"
#include "term/atom.h"
#include "term/compare.h"

enum { FIRST_SLOTS = 256, STEP_SLOTS = 2048, MAX_STEPS = 5, HASH_MASK = 0x7fffffff };

uint32_t hash_of(VM *vm, term key) {
    return (is_atom(key) ? atom_hash(vm, key) : map_hash(vm, key, 0)) & HASH_MASK;
}

bool hash_init(VM *vm, Table *t) {
    HashTable *h = &t->hash;
    h->buckets = mem_zalloc(&vm->mem, MEM_ETS, FIRST_SLOTS * sizeof *h->buckets);
    h->room = h->active = h->slots = FIRST_SLOTS;
    h->mask = FIRST_SLOTS - 1;
    table_counts(vm, t, FIRST_SLOTS * sizeof *h->buckets);
    return h->buckets != NULL;
}

bool hash_free_some(VM *vm, Table *t, size_t *objects) {
    HashTable *h = &t->hash;
    for (; h->active > 0; h->active--) {
        Object **bucket = &h->buckets[h->active - 1];
        while (*bucket != NULL) {
            if (*objects == 0) {
                return false;
            }
            Object *o = *bucket;
            *bucket = o->next;
            object_free(vm, o);
            --*objects;
        }
    }
    mem_free(&vm->mem, MEM_ETS, h->buckets, h->room * sizeof *h->buckets);
    mem_free(&vm->mem, MEM_ETS, h->dead, h->dead_room * sizeof *h->dead);
    h->buckets = NULL, h->dead = NULL;
    return true;
}

static size_t slot_of(const HashTable *h, uint32_t hash) {
    size_t mask = LATEST(h->mask), i = hash & mask;
    return i < LATEST(h->active) ? i : i & mask >> 1;
}

/* So many objects and bytes more, or less (modulo the word), where this hash is. */
static inline void tally(VM *vm, Table *t, uint32_t hash, size_t objects, size_t bytes) {
    if (UNLIKELY(t->keyed != NULL)) {
        Stripe *s = &t->keyed[hash & t->stripe_mask];
        s->count += objects, s->bytes += bytes;
    } else {
        t->count += objects, t->bytes += bytes;
    }
    if (UNLIKELY(t->account != NULL)) {
        table_tell_account(vm, t, bytes);
    }
}

/* How many objects there are, as far as the stripe of this hash can tell. */
static inline size_t about(const Table *t, uint32_t hash) {
    return LIKELY(t->keyed == NULL) ? t->count : t->keyed[hash & t->stripe_mask].count * (t->stripe_mask + (size_t)1);
}

static bool has_key(VM *vm, const Table *t, const Object *o, uint32_t hash, term key) {
    return o->hash == hash && term_same(vm, table_key(t, o), key);
}

/* Where the first object with the key is linked, dead or not; or the end of the bucket. */
static Object **find(VM *vm, const Table *t, uint32_t hash, term key) {
    Object **at = &t->hash.buckets[slot_of(&t->hash, hash)];
    while (*at != NULL && !has_key(vm, t, *at, hash, key)) {
        at = &(*at)->next;
    }
    return at;
}

static bool set_room(VM *vm, Table *t, size_t room) {
    HashTable *h = &t->hash;
    Object **b = mem_resize(&vm->mem, MEM_ETS, h->buckets, h->room * sizeof *b, room * sizeof *b);
    if (b == NULL) {
        return false;
    }
    table_counts(vm, t, (room - h->room) * sizeof *b);
    h->buckets = b, h->room = room;
    return true;
}

static void split_bucket(Table *t) {
    HashTable *h = &t->hash;
    if (h->active == h->slots) {
        BECOMES(h->slots, h->slots + STEP_SLOTS);
    }
    size_t to = h->active;
    if (to > h->mask) {
        BECOMES(h->mask, h->mask << 1 | 1);
    }
    size_t from = to & h->mask >> 1;
    BECOMES(h->active, to + 1);
    Object **stay = &h->buckets[from], **go = &h->buckets[to];
    for (Object *o = *stay; o != NULL; o = *stay) { /* the order is kept */
        if ((o->hash & h->mask) == from) {
            stay = &o->next;
        } else {
            *go = o;
            go = &o->next;
            *stay = o->next;
        }
    }
    *go = NULL;
}

static void join_bucket(Table *t) {
    HashTable *h = &t->hash;
    size_t from = h->active - 1, to = from & h->mask >> 1;
    BECOMES(h->active, from);
    if (to == 0) {
        BECOMES(h->mask, h->mask >> 1);
    }
    if (h->slots - from >= STEP_SLOTS) {
        BECOMES(h->slots, h->slots - STEP_SLOTS);
    }
    Object **end = &h->buckets[from];
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = h->buckets[to];
    h->buckets[to] = h->buckets[from];
}

/* The stripes but for one: all of them, or none. */
static bool take_others(Table *t, const Stripe *own) {
    for (size_t i = 0; i <= t->stripe_mask; i++) {
        if (&t->keyed[i] != own && !shared_write_try(&t->keyed[i].lock)) {
            while (i-- > 0) {
                if (&t->keyed[i] != own) {
                    shared_write_end(&t->keyed[i].lock);
                }
            }
            return false;
        }
    }
    return true;
}

static void give_others(Table *t, const Stripe *own) {
    for (size_t i = 0; i <= t->stripe_mask; i++) {
        if (&t->keyed[i] != own) {
            shared_write_end(&t->keyed[i].lock);
        }
    }
}

static inline bool needs_room(const HashTable *h, bool more) {
    return more ? h->active == h->room : h->active - 1 < h->room / 4 && h->room > FIRST_SLOTS;
}

static bool set_next_room(VM *vm, Table *t, bool more) {
    return set_room(vm, t, more ? 2 * t->hash.room : t->hash.room / 2);
}

static inline void change_bucket(Table *t, bool more) {
    if (more) {
        split_bucket(t);
    } else {
        join_bucket(t);
    }
}

/* One bucket more, or less, by who has one stripe. Others may have what it takes: then it is left to who comes next. Who waits for a stripe
   of somebody who waits for his gives up at once. */
static bool resize_shared(VM *vm, Table *t, bool more) {
    HashTable *h = &t->hash;
    const Stripe *own = vm_scheduler(vm)->stripe;
    if (!lock_try(&t->resizing)) {
        return false;
    }
    bool ok = true;
    if (needs_room(h, more)) {
        ok = take_others(t, own);
        if (ok) {
            ok = set_next_room(vm, t, more) || !more;
            give_others(t, own);
        }
    }
    Stripe *other = &t->keyed[(h->active - !more) & t->stripe_mask];
    ok = ok && (other == own || shared_write_try(&other->lock));
    if (ok) {
        change_bucket(t, more);
        if (other != own) {
            shared_write_end(&other->lock);
        }
    }
    lock_give(&t->resizing);
    return ok;
}

static inline bool resize(VM *vm, Table *t, bool more) {
    if (UNLIKELY(table_is_shared_by_key(vm, t))) {
        return resize_shared(vm, t, more);
    }
    if (needs_room(&t->hash, more) && !set_next_room(vm, t, more) && more) {
        return false;
    }
    change_bucket(t, more);
    return true;
}

static inline void grow(VM *vm, Table *t, uint32_t hash) {
    for (int i = 0; i < MAX_STEPS && about(t, hash) > LATEST(t->hash.active) && !table_is_fixed(t) && resize(vm, t, true); i++) {
    }
}

static size_t least_objects(const HashTable *h) {
    size_t slots = LATEST(h->slots);
    return slots >= FIRST_SLOTS + 2 * STEP_SLOTS ? (slots - STEP_SLOTS) / 2 : 0;
}

static inline void shrink(VM *vm, Table *t, uint32_t hash) {
    for (int i = 0; i < MAX_STEPS && about(t, hash) < least_objects(&t->hash) && !table_is_fixed(t) && resize(vm, t, false); i++) {
    }
}

Object *hash_lookup(VM *vm, const Table *t, term key) {
    uint32_t hash = hash_of(vm, key);
    Object *o = *find(vm, t, hash, key);
    return o != NULL && o->dead ? table_next_same(vm, t, o) : o;
}

/* Puts an object of the same key in the place of another. */
static void exchange(VM *vm, Table *t, Object **at, Object *with) {
    Object *old = *at;
    with->next = old->next, with->hash = old->hash;
    *at = with;
    tally(vm, t, with->hash, old->dead, object_bytes(with) - object_bytes(old));
    object_free(vm, old);
}

/* Is the same object there already? A dead one comes back to life, and to the front. */
static bool bag_has(VM *vm, Table *t, Object **first, const Object *o) {
    for (Object **at = first; *at != NULL && has_key(vm, t, *at, o->hash, table_key(t, o)); at = &(*at)->next) {
        Object *have = *at;
        if (term_same(vm, object_tuple(have), object_tuple(o))) {
            if (have->dead) {
                have->dead = false;
                tally(vm, t, have->hash, 1, 0);
                *at = have->next;
                have->next = *first;
                *first = have;
            }
            return true;
        }
    }
    return false;
}

static bool any_alive(VM *vm, const Table *t, const Object *o, uint32_t hash, term key) {
    while (o != NULL && has_key(vm, t, o, hash, key)) {
        if (!o->dead) {
            return true;
        }
        o = o->next;
    }
    return false;
}

PutResult hash_put(VM *vm, Table *t, Object *o, bool only_new) {
    term key = table_key(t, o);
    o->hash = hash_of(vm, key);
    Object **at = find(vm, t, o->hash, key);
    bool exists = *at != NULL;
    if (exists && only_new && any_alive(vm, t, *at, o->hash, key)) {
        object_free(vm, o);
        return PUT_EXISTS;
    }
    if (exists && t->type == TABLE_SET) {
        exchange(vm, t, at, o);
        return PUT_DONE;
    }
    if (exists && t->type == TABLE_BAG && !only_new && bag_has(vm, t, at, o)) {
        object_free(vm, o);
        return PUT_DONE;
    }
    o->next = *at;
    *at = o;
    tally(vm, t, o->hash, 1, object_bytes(o));
    grow(vm, t, o->hash);
    return PUT_DONE;
}

static Object **link_to(const Table *t, const Object *o) {
    Object **at = &t->hash.buckets[slot_of(&t->hash, o->hash)];
    while (*at != o) {
        at = &(*at)->next;
        assert(*at != NULL);
    }
    return at;
}

void hash_replace(VM *vm, Table *t, Object *old, Object *with) {
    exchange(vm, t, link_to(t, old), with);
}

static void note_dead(VM *vm, HashTable *h, size_t slot) {
    if (h->dead_count == h->dead_room) {
        size_t room = MAX(16, 2 * h->dead_room);
        size_t *dead = mem_resize(&vm->mem, MEM_ETS, h->dead, h->dead_room * sizeof *dead, room * sizeof *dead);
        if (dead == NULL) {
            h->dead_anywhere = true;
            return;
        }
        h->dead = dead, h->dead_room = room;
    }
    h->dead[h->dead_count++] = slot;
}

static NOINLINE void mark_dead(VM *vm, Table *t, Object *o) {
    tally(vm, t, o->hash, (size_t)0 - 1, 0);
    o->dead = true;
    bool shared = table_is_shared_by_key(vm, t);
    if (shared) {
        lock_take(&t->small_lock);
    }
    note_dead(vm, &t->hash, slot_of(&t->hash, o->hash));
    if (shared) {
        lock_give(&t->small_lock);
    }
}

/* Takes the object out, or, while the table is fixed, marks it. Returns where the next one is linked. */
static Object **drop(VM *vm, Table *t, Object **at) {
    Object *o = *at;
    if (UNLIKELY(table_is_fixed(t))) {
        mark_dead(vm, t, o);
        return &o->next;
    }
    *at = o->next;
    tally(vm, t, o->hash, (size_t)0 - 1, (size_t)0 - object_bytes(o));
    object_free(vm, o);
    return at;
}

size_t hash_delete_key(VM *vm, Table *t, term key) {
    uint32_t hash = hash_of(vm, key);
    Object **at = find(vm, t, hash, key);
    size_t n = 0;
    while (*at != NULL && has_key(vm, t, *at, hash, key)) {
        if ((*at)->dead) {
            at = &(*at)->next;
        } else {
            at = drop(vm, t, at);
            n++;
        }
    }
    shrink(vm, t, hash);
    return n;
}

void hash_delete_one(VM *vm, Table *t, Object *o) {
    uint32_t hash = o->hash;
    drop(vm, t, link_to(t, o));
    shrink(vm, t, hash);
}

void hash_mark_all(VM *vm, Table *t) {
    HashTable *h = &t->hash;
    for (size_t i = 0; i < h->active; i++) {
        for (Object *o = h->buckets[i]; o != NULL; o = o->next) {
            if (!o->dead) {
                o->dead = true;
                note_dead(vm, h, i);
                tally(vm, t, o->hash, (size_t)0 - 1, 0);
            }
        }
    }
}

static void purge_slot(VM *vm, Table *t, size_t slot) {
    for (Object **at = &t->hash.buckets[slot], *o; (o = *at) != NULL;) {
        if (o->dead) {
            *at = o->next;
            tally(vm, t, o->hash, 0, (size_t)0 - object_bytes(o));
            object_free(vm, o);
        } else {
            at = &o->next;
        }
    }
}

bool hash_purge_some(VM *vm, Table *t, size_t most) {
    HashTable *h = &t->hash;
    if (!h->dead_anywhere) {
        for (size_t n = 0; n < most && h->dead_count > 0; n++) {
            purge_slot(vm, t, h->dead[--h->dead_count]);
        }
    }
    return h->dead_count == 0;
}

void hash_purge(VM *vm, Table *t) {
    HashTable *h = &t->hash;
    if (h->dead_anywhere) {
        for (size_t i = 0; i < h->active; i++) {
            purge_slot(vm, t, i);
        }
    } else {
        hash_purge_some(vm, t, SIZE_MAX);
    }
    mem_free(&vm->mem, MEM_ETS, h->dead, h->dead_room * sizeof *h->dead);
    h->dead = NULL;
    h->dead_count = h->dead_room = 0, h->dead_anywhere = false;
}

Object *hash_from(const Table *t, size_t slot) {
    for (; slot < t->hash.active; slot++) {
        for (Object *o = t->hash.buckets[slot]; o != NULL; o = o->next) {
            if (!o->dead) {
                return o;
            }
        }
    }
    return NULL;
}

Object *hash_after(VM *vm, const Table *t, term key, bool *bad) {
    uint32_t hash = hash_of(vm, key);
    Object *o = *find(vm, t, hash, key);
    *bad = o == NULL;
    while (o != NULL && (o->dead || has_key(vm, t, o, hash, key))) {
        o = o->next;
    }
    return *bad || o != NULL ? o : hash_from(t, slot_of(&t->hash, hash) + 1);
}
