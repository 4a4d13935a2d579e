/* Sets and bags: linear hashing, one bucket split or joined at a time. Objects with the same key stand together, newest first.
   Hash, growth and place in the bucket are those of OTP 25, so that tables are walked in the same order as there. */
#include "data/map.h"
#include "table/ets.h"
#include "term/atom.h"
#include "term/compare.h"

enum { FIRST_SLOTS = 256, STEP_SLOTS = 2048, MAX_STEPS = 5, HASH_MASK = 0x7fffffff };

static uint32_t hash_of(VM *vm, term key) {
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
    size_t i = hash & h->mask;
    return i < h->active ? i : i & h->mask >> 1;
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

static bool split(VM *vm, Table *t) {
    HashTable *h = &t->hash;
    if (h->active == h->room && !set_room(vm, t, 2 * h->room)) {
        return false;
    }
    if (h->active == h->slots) {
        h->slots += STEP_SLOTS;
    }
    size_t to = h->active;
    if (to > h->mask) {
        h->mask = h->mask << 1 | 1;
    }
    size_t from = to & h->mask >> 1;
    h->active++;
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
    return true;
}

static void join(Table *t) {
    HashTable *h = &t->hash;
    size_t from = h->active - 1, to = from & h->mask >> 1;
    h->active--;
    if (to == 0) {
        h->mask >>= 1;
    }
    if (h->slots - from >= STEP_SLOTS) {
        h->slots -= STEP_SLOTS;
    }
    Object **end = &h->buckets[from];
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = h->buckets[to];
    h->buckets[to] = h->buckets[from];
}

static void grow(VM *vm, Table *t) {
    for (int i = 0; i < MAX_STEPS && t->count > t->hash.active && !table_is_fixed(t) && split(vm, t); i++) {
    }
}

static void shrink(VM *vm, Table *t) {
    HashTable *h = &t->hash;
    for (int i = 0; i < MAX_STEPS && !table_is_fixed(t); i++) {
        size_t limit = h->slots >= FIRST_SLOTS + 2 * STEP_SLOTS ? (h->slots - STEP_SLOTS) / 2 : 0;
        if (t->count >= limit) {
            break;
        }
        join(t);
    }
    if (h->active < h->room / 4 && h->room > FIRST_SLOTS) {
        set_room(vm, t, h->room / 2);
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
    t->count += old->dead;
    table_counts(vm, t, object_bytes(with) - object_bytes(old));
    object_free(vm, old);
}

/* Is the same object there already? A dead one comes back to life, and to the front. */
static bool bag_has(VM *vm, Table *t, Object **first, const Object *o) {
    for (Object **at = first; *at != NULL && has_key(vm, t, *at, o->hash, table_key(t, o)); at = &(*at)->next) {
        Object *have = *at;
        if (term_same(vm, object_tuple(have), object_tuple(o))) {
            if (have->dead) {
                have->dead = false;
                t->count++;
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
    t->count++;
    table_counts(vm, t, object_bytes(o));
    grow(vm, t);
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

/* Takes the object out, or, while the table is fixed, marks it. Returns where the next one is linked. */
static Object **drop(VM *vm, Table *t, Object **at) {
    Object *o = *at;
    t->count--;
    if (table_is_fixed(t)) {
        o->dead = true;
        note_dead(vm, &t->hash, slot_of(&t->hash, o->hash));
        return &o->next;
    }
    *at = o->next;
    table_counts(vm, t, (size_t)0 - object_bytes(o));
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
    shrink(vm, t);
    return n;
}

void hash_delete_one(VM *vm, Table *t, Object *o) {
    drop(vm, t, link_to(t, o));
    shrink(vm, t);
}

void hash_mark_all(VM *vm, Table *t) {
    HashTable *h = &t->hash;
    for (size_t i = 0; i < h->active; i++) {
        for (Object *o = h->buckets[i]; o != NULL; o = o->next) {
            if (!o->dead) {
                o->dead = true;
                note_dead(vm, h, i);
            }
        }
    }
    t->count = 0;
}

static void purge_slot(VM *vm, Table *t, size_t slot) {
    for (Object **at = &t->hash.buckets[slot], *o; (o = *at) != NULL;) {
        if (o->dead) {
            *at = o->next;
            table_counts(vm, t, (size_t)0 - object_bytes(o));
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
