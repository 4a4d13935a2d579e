/* ETS: tables of tuples that processes share. Here: what a table is, and the list of them. How its objects are kept is in
   hash_table.c and tree_table.c; what can be asked for in match_spec.h. */
#ifndef MOTE_TABLE_ETS_H
#define MOTE_TABLE_ETS_H

#include "base/account.h"
#include "base/lock.h"
#include "proc/schedule.h"
#include "table/object.h"
#include "table/tables.h"
#include "term/ref.h"

typedef enum { TABLE_SET, TABLE_ORDERED_SET, TABLE_BAG, TABLE_DUPLICATE_BAG } TableType;
typedef enum { PROTECTION_PRIVATE, PROTECTION_PROTECTED, PROTECTION_PUBLIC } Protection;
typedef enum { ACCESS_READ, ACCESS_WRITE, ACCESS_INFO } Access;
typedef enum { SPLITS_BY_CONTENTION, SPLITS_ALWAYS, SPLITS_IN_TURN } TableSplits; /* when ranges are cut (range.h); others are for tests */

/* What others may read, or change, meanwhile. */
#define LATEST(at) __atomic_load_n(&(at), __ATOMIC_RELAXED)
#define BECOMES(at, value) __atomic_store_n(&(at), value, __ATOMIC_RELAXED)

/* A process that has fixed the table. */
typedef struct Fixer {
    struct Fixer *next;
    term pid;
    size_t count;
} Fixer;

typedef struct {
    Object **buckets;
    size_t room;   /* of buckets */
    size_t active; /* buckets in use */
    size_t slots;  /* OTP's idea of the room: when it shrinks depends on it, and so does the order of its objects */
    size_t mask;
    size_t *dead; /* buckets with dead objects, while fixed */
    size_t dead_count, dead_room;
    bool dead_anywhere; /* the list was too short */
} HashTable;

typedef struct {
    Object *root;
} TreeTable;

/* One of the locks of a table that has several, see table_lock.c; and what the objects under it count. A line of the cache. */
typedef union Stripe {
    struct {
        SharedLock lock;
        int32_t contention; /* of a range: see range.c; others may read it */
        size_t count, bytes;
        Object *root; /* of a range */
    };
    char line[64];
} Stripe;

typedef struct Table {
    struct Table *next, *before; /* of all tables; next is read without a lock */
    struct Table *dying;         /* of those whose objects are still to be freed */
    SharedLock lock;             /* of all below, taken while there are several schedulers; not if there are stripes */
    Lock small_lock;             /* of fixers and HashTable.dead for who has not all of the table to itself */
    Lock resizing;               /* of who splits or joins buckets or ranges under two stripes */
    Stripe *stripes, *keyed;     /* NULL: none; keyed: the same if each is that of certain keys, else NULL */
    uint32_t stripe_mask;        /* how many, less one */
    uint32_t turn;               /* of SPLITS_IN_TURN */
    struct Routes *routes;       /* of an ordered set whose stripes are ranges, see range.h */
    TableSplits splits;
    bool gone; /* deleted: nobody finds it any more */
    term name;
    bool named;
    uint64_t low, high;         /* number of the reference that names it */
    struct TableHandle *handle; /* what magic references to it lead to */
    TableType type;
    Protection protection;
    size_t keypos; /* from 1 */
    term owner;
    term heir;         /* pid; NONE: none */
    Object *heir_data; /* {Data} */
    bool compressed, read_concurrency;
    term write_concurrency;      /* as the option said: a boolean, auto, or (OTP's tests) a number of locks */
    term decentralized_counters; /* likewise: a boolean; NONE: it was not there */
    size_t count;                /* objects, without dead ones; and those of the stripes: see table_size */
    size_t bytes;                /* all memory that it takes: changed by table_counts; likewise: table_bytes */
    Account *account;            /* that its owner is part of; NULL: none */
    Fixer *fixers;
    int64_t fixed_since[2];    /* monotonic, system time */
    struct Insertion *pending; /* many objects are being put in; see insertion.h */
    union {
        HashTable hash;
        TreeTable tree;
    };
} Table;

bool ets_init(VM *vm);
void ets_done(VM *vm);

/* Making. Options are set in *as, of which the rest is zero; takes over heir_data. NULL: *reason says why: A_badarg: the name
   is taken; A_system_limit: no memory. */
Table *table_new(Process *p, const Table *as, term *reason);
/* Nobody finds the table any more; its memory is freed bit by bit by ets_free_some. */
void table_delete(VM *vm, Table *t);
bool ets_free_some(VM *vm, size_t objects); /* true: nothing is left to be freed */
/* What Erlang code calls the table: its name, or a reference. */
term table_id(Heap *h, const Table *t);
term table_ref(Heap *h, const Table *t);

/* It takes so much more memory, or less (modulo the word). */
void table_tell_account(VM *vm, Table *t, size_t more);
static inline void table_counts(VM *vm, Table *t, size_t more) {
    t->bytes += more;
    if (UNLIKELY(t->account != NULL)) {
        table_tell_account(vm, t, more);
    }
}

/* The table that an identifier names. NULL: there is none (*cause A_id), the identifier is none (A_type), or the caller may not
   do that (A_access).

   With several schedulers it is locked until table_leave: one table at a time in a built-in. Access is about permission; what the caller
   does to it, and whether with one key only, is a TableUse. */
typedef enum {
    USE_ALONE,    /* whatever it likes */
    USE_LOOK,     /* looks at all of it, and may fix it */
    USE_HEAD,     /* looks at what only changes alone: names, owner, options */
    USE_KEY,      /* looks at objects with one key, and changes, adds and removes such */
    USE_OBJECT,   /* the same for the key of a tuple; of one that has none: USE_HEAD */
    USE_KEY_LOOK, /* looks at them */
    USE_BESIDE,   /* looks at the object before or behind a key; of an ordered set perhaps only at some: table_is_seen_in_part */
    USE_FIRST,    /* likewise for the first one */
    USE_LAST,
} TableUse;
Table *table_find(Process *p, term id, Access access, TableUse use, term key, term *cause);
/* What references to a table lead to: it may be gone. */
typedef struct TableHandle {
    Resource resource;
    Table *table;
} TableHandle;
void table_handle_destroy(VM *vm, Resource *r);
/* What nearly every operation finds: a table by its reference, where nobody else can be in it. NULL: the rest is to be looked at. */
static inline Table *table_find_quickly(const Process *p, term id, Access access) {
    if (!is_boxed(id) || header_of(id) != HEADER(MAGIC_WORDS - 1, KIND_REF) || magic_resource(id)->destroy != table_handle_destroy ||
        process_vm(p)->processes->concurrent) {
        return NULL;
    }
    Table *t = ((TableHandle *)magic_resource(id))->table;
    bool good =
        t != NULL && t->pending == NULL &&
        (t->owner == p->pid || t->protection == PROTECTION_PUBLIC || (access == ACCESS_READ && t->protection == PROTECTION_PROTECTED));
    return good ? t : NULL;
}
bool table_enter(Process *p, Table *t);                          /* one that table_next has found, for its head. False: it has gone */
bool table_lock(VM *vm, Table *t);                               /* to change it. True: it was not, and is now */
bool table_take(Scheduler *s, Table *t, TableUse use, term key); /* false: it has gone */
bool table_take_alone(Scheduler *s); /* gives up what it has, and takes the same table. False: it has gone, and is not locked */
void table_unlock(Scheduler *s);
bool stripes_init(VM *vm, Table *t); /* by its options. False: no memory */
void stripes_done(VM *vm, Table *t);
static inline void table_leave(Process *p) {
    if (UNLIKELY(p->scheduler->table != NULL)) {
        table_unlock(p->scheduler);
    }
}
/* Only one key of it is locked. */
static inline bool table_is_shared_by_key(VM *vm, const Table *t) {
    return UNLIKELY(t->keyed != NULL) && vm_scheduler(vm)->stripe != NULL;
}
static inline bool table_has_ranges(const Table *t) {
    return UNLIKELY(t->keyed != NULL) && t->type == TABLE_ORDERED_SET;
}
/* The one range that is locked is not all. */
static inline bool table_is_seen_in_part(VM *vm, const Table *t) {
    return table_has_ranges(t) && table_is_shared_by_key(vm, t) && LATEST(t->routes) != NULL;
}
/* By number. */
static inline uint64_t table_all_stripes(const Table *t) {
    return ((uint64_t)2 << t->stripe_mask) - 1;
}

bool ets_super_user(VM *vm, bool on);           /* everybody may do everything; returns what it was */
Table *table_named(VM *vm, term name);          /* what it says may have changed at once; the table is there until the slice ends */
bool table_rename(VM *vm, Table *t, term name); /* false: the name is taken */
Table *table_next(VM *vm, const Table *t);      /* walks all: from NULL to NULL */
size_t ets_count(VM *vm);

bool table_give(Process *from, Table *t, term to, term data); /* false: no memory */
bool table_set_heir(VM *vm, Table *t, term heir, term data);  /* NONE: none */
bool table_fix(Process *p, Table *t);                         /* false: no memory */
bool table_unfix(VM *vm, Table *t, term pid);                 /* false: it was not fixed by that process */
size_t table_size(const Table *t);                            /* objects */
size_t table_bytes(const Table *t);                           /* all memory */
static inline bool table_is_fixed(const Table *t) {
    return t->fixers != NULL;
}
static inline bool table_is_tree(const Table *t) {
    return t->type == TABLE_ORDERED_SET;
}

/* Objects. Keys are looked up by == in ordered sets, by =:= in others. */
static inline term table_key(const Table *t, const Object *o) {
    return object_key(o, t->keypos);
}
Object *table_lookup(VM *vm, const Table *t, term key);           /* the first one with this key */
Object *table_next_same(VM *vm, const Table *t, const Object *o); /* the next one with the same key; live ones only */

typedef enum { PUT_DONE, PUT_EXISTS, PUT_NO_MEMORY } PutResult;
/* Takes over the object. Only_new: PUT_EXISTS if there is one with this key (the object is freed then). */
PutResult table_put(VM *vm, Table *t, Object *o, bool only_new);
void table_replace(VM *vm, Table *t, Object *old, Object *with); /* of the same key */
size_t table_delete_key(VM *vm, Table *t, term key);             /* how many objects that were */
size_t table_delete_object(VM *vm, Table *t, term object);
size_t table_clear(VM *vm, Table *t);               /* how many objects that were */
void table_delete_one(VM *vm, Table *t, Object *o); /* it must be there */

/* Walking by keys. NULL: the end. Hash tables know one direction only. */
Object *table_first(VM *vm, const Table *t);
Object *table_last(VM *vm, const Table *t);
/* *bad: there is no such key (only in hash tables). */
Object *table_after(VM *vm, const Table *t, term key, bool *bad);
Object *table_before(VM *vm, const Table *t, term key, bool *bad);

/* The objects of one bucket, dead ones too; of the i-th object, in a tree. `slot` must be below table_slots. */
size_t table_slots(const Table *t);
Object *table_slot(const Table *t, size_t slot);

/* The two ways to keep objects. */
bool hash_init(VM *vm, Table *t);
uint32_t hash_of(VM *vm, term key);
/* Free some objects of a table that nobody uses any more, at least one. True: that was all. */
bool hash_free_some(VM *vm, Table *t, size_t *objects);
bool tree_free_some(VM *vm, Table *t, size_t *objects);
void hash_mark_all(VM *vm, Table *t);                /* all objects are dead */
void hash_purge(VM *vm, Table *t);                   /* the last fixation has gone */
bool hash_purge_some(VM *vm, Table *t, size_t most); /* it will go now: so many dead objects, at least, leave before. True: all have */
bool table_is_fixed_once(const Table *t);            /* one process has fixed it, once */
Object *hash_lookup(VM *vm, const Table *t, term key);
PutResult hash_put(VM *vm, Table *t, Object *o, bool only_new);
void hash_replace(VM *vm, Table *t, Object *old, Object *with);
size_t hash_delete_key(VM *vm, Table *t, term key);
void hash_delete_one(VM *vm, Table *t, Object *o);
Object *hash_after(VM *vm, const Table *t, term key, bool *bad);
Object *hash_from(const Table *t, size_t slot); /* the first live object in this bucket or behind it */

Object *tree_lookup(VM *vm, const Table *t, term key);
PutResult tree_put(VM *vm, Table *t, Object *o, bool only_new);
void tree_replace(VM *vm, Table *t, Object *old, Object *with);
size_t tree_delete_key(VM *vm, Table *t, term key);
/* The least object with a key greater than `key`, and its mirror image. key NONE: the outermost one. */
Object *tree_after(VM *vm, const Table *t, term key);
Object *tree_before(VM *vm, const Table *t, term key);
Object *tree_at(const Table *t, size_t i);
Object *tree_cut(Object **root);         /* there are two objects at least: takes out the greater half, and returns it */
Object *tree_join(Object *a, Object *b); /* all keys of b are greater than those of a */

/* Walking through a tree that does not change meanwhile (but for the object in hand, which may be replaced). */
typedef struct {
    const Table *t;
    const Stripe *range; /* NULL: it has none */
    Object *path[96];    /* what waits: the next one on top */
    size_t depth;
    bool down; /* from the last one to the first */
} TreeWalk;
typedef enum { WALK_ALL, WALK_FROM, WALK_BEHIND, WALK_PATTERN } WalkStart;
/* From the end; from a key on, or behind it; from the first that match_compare_partly does not set before a pattern. */
void tree_walk(VM *vm, const Table *t, TreeWalk *w, WalkStart start, term key, bool down);
Object *tree_walk_next(TreeWalk *w); /* NULL: the end */

#endif
