/* The list of tables: names, owners, heirs, fixations; and what is the same for both ways to keep objects. */
#include "table/insertion.h"

#include "base/sequence.h"
#include "proc/epoch.h"
#include "proc/quota.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "table/range.h"
#include "term/atom.h"
#include "term/compare.h"
#include "term/copy.h"
#include "term/ref.h"

enum { FIRST_INDEX = 16, FREED_AT_ONCE = 1000 };

/* Open addressing. */
typedef struct {
    size_t size, count;
    Table *at[];
} Index;

/* The directory is read without a lock (base/sequence.h), and written under one. Order of locks: a table's, then this one. */
typedef struct Ets {
    Lock lock; /* of all here */
    Sequence sequence;
    Table *all;   /* newest first */
    Table *dying; /* deleted, not yet freed */
    Index *names, *numbers;
    size_t count;
    bool super_user;
} Ets;

static void directory_lock(VM *vm) {
    vm_lock(vm, &vm->tables->ets->lock);
}
static void directory_unlock(VM *vm) {
    vm_unlock(vm, &vm->tables->ets->lock);
}

static size_t name_hash(const Table *t) {
    return atom_index(t->name) * (size_t)0x9e3779b1;
}
static size_t number_place(uint64_t low) {
    return (size_t)(low ^ low >> 29) * (size_t)0x9e3779b1;
}
static size_t number_hash(const Table *t) {
    return number_place(t->low);
}

typedef size_t HashOf(const Table *t);

static size_t index_bytes(size_t size) {
    return sizeof(Index) + size * sizeof(Table *);
}

static void index_put(Index *x, Table *t, HashOf *hash) {
    size_t i = hash(t);
    while (x->at[i & (x->size - 1)] != NULL) {
        i++;
    }
    sequence_store(&x->at[i & (x->size - 1)], t);
    x->count++;
}

static bool index_add(VM *vm, Index **at, Table *t, HashOf *hash) {
    Index *x = *at;
    if (x == NULL || 2 * (x->count + 1) > x->size) {
        size_t size = x == NULL ? FIRST_INDEX : 2 * x->size;
        Index *bigger = mem_zalloc(&vm->mem, MEM_SYSTEM, index_bytes(size));
        if (bigger == NULL) {
            return false;
        }
        bigger->size = size;
        for (size_t i = 0; x != NULL && i < x->size; i++) {
            if (x->at[i] != NULL) {
                index_put(bigger, x->at[i], hash);
            }
        }
        sequence_store(at, bigger);
        if (x != NULL) {
            epoch_mem_free(vm, MEM_SYSTEM, x, index_bytes(x->size));
        }
        x = bigger;
    }
    index_put(x, t, hash);
    return true;
}

static void index_remove(Index *x, const Table *t, HashOf *hash) {
    size_t mask = x->size - 1, gap = hash(t) & mask;
    while (x->at[gap] != t) {
        assert(x->at[gap] != NULL);
        gap = (gap + 1) & mask;
    }
    for (size_t i = (gap + 1) & mask; x->at[i] != NULL; i = (i + 1) & mask) {
        if (((i - hash(x->at[i])) & mask) >= ((i - gap) & mask)) {
            sequence_store(&x->at[gap], x->at[i]);
            gap = i;
        }
    }
    sequence_store(&x->at[gap], NULL);
    x->count--;
}

static Table *search_name(const Index *x, term name) {
    for (size_t i = atom_index(name) * (size_t)0x9e3779b1, n = 0; x != NULL && n < x->size; i++, n++) {
        Table *t = sequence_load(&x->at[i & (x->size - 1)]);
        if (t == NULL || sequence_load(&t->name) == name) {
            return t;
        }
    }
    return NULL;
}

static Table *search_number(const Index *x, uint64_t low, uint64_t high) {
    for (size_t i = number_place(low), n = 0; x != NULL && n < x->size; i++, n++) {
        Table *t = sequence_load(&x->at[i & (x->size - 1)]);
        if (t == NULL || (t->low == low && t->high == high)) {
            return t;
        }
    }
    return NULL;
}

Table *table_named(VM *vm, term name) {
    const Ets *ets = vm->tables->ets;
    Table *t;
    uint32_t count;
    do {
        count = sequence_read(&ets->sequence);
        t = search_name(sequence_load(&ets->names), name);
    } while (UNLIKELY(sequence_changed(&ets->sequence, count)));
    return t;
}

static Table *table_numbered(VM *vm, uint64_t low, uint64_t high) {
    const Ets *ets = vm->tables->ets;
    Table *t;
    uint32_t count;
    do {
        count = sequence_read(&ets->sequence);
        t = search_number(sequence_load(&ets->numbers), low, high);
    } while (UNLIKELY(sequence_changed(&ets->sequence, count)));
    return t;
}

void table_handle_destroy(VM *vm, Resource *r) {
    MEM_DELETE(&vm->mem, MEM_SYSTEM, (TableHandle *)r);
}

/* The table, from when on the slice began until now. */
static Table *find(VM *vm, term id, term *cause) {
    *cause = A_id;
    if (is_atom(id)) {
        return table_named(vm, id);
    }
    if (is_magic_ref(id) && magic_resource(id)->destroy == table_handle_destroy) {
        return __atomic_load_n(&((TableHandle *)magic_resource(id))->table, __ATOMIC_ACQUIRE);
    }
    *cause = A_type;
    return is_local_ref(id) ? table_numbered(vm, ref_low(id), ref_high(id)) : NULL;
}

Table *table_find(Process *p, term id, Access access, TableUse use, term key, term *cause) {
    VM *vm = process_vm(p);
    bool concurrent = vm->processes->concurrent;
    Table *t = find(vm, id, cause);
    if (t != NULL && concurrent) {
        if (use == USE_OBJECT) {
            bool good = is_tuple(key) && tuple_arity(key) >= t->keypos;
            use = good ? USE_KEY : USE_HEAD, key = good ? element(key, t->keypos) : NONE;
        }
        t = table_take(p->scheduler, t, use, key) ? t : NULL;
        if (t != NULL && is_atom(id) && t->name != id) { /* renamed meanwhile */
            table_leave(p);
            t = NULL;
        }
    }
    if (t == NULL) {
        return NULL;
    }
    bool allowed = access == ACCESS_INFO || t->owner == p->pid || t->protection == PROTECTION_PUBLIC ||
                   (access == ACCESS_READ && t->protection == PROTECTION_PROTECTED) || vm->tables->ets->super_user;
    if (!allowed) {
        *cause = A_access;
        table_leave(p);
        return NULL;
    }
    if (use != USE_HEAD) {
        insertion_finish(vm, t);
    }
    return t;
}

bool ets_super_user(VM *vm, bool on) {
    bool was = vm->tables->ets->super_user;
    vm->tables->ets->super_user = on;
    return was;
}

term table_ref(Heap *h, const Table *t) {
    term *at = heap_alloc(h, MAGIC_WORDS);
    ref_write(at, t->low, t->high);
    at[0] = HEADER(MAGIC_WORDS - 1, KIND_REF);
    at[REF_WORDS] = (term)t->handle;
    at[REF_WORDS + 1] = NONE;
    resource_keep(&t->handle->resource);
    term ref = make_boxed(at);
    heap_link_off_heap(h, ref);
    return ref;
}

term table_id(Heap *h, const Table *t) {
    return t->named ? t->name : table_ref(h, t);
}

/* It owns a table now, or has fixed one: they are looked for when it ends. False: its end has begun. */
static bool has_tables(VM *vm, term pid) {
    Process *p = process_find_any(vm, pid);
    return p != NULL && (process_state(p) & (STATE_TABLES | STATE_EXITING)) == STATE_TABLES
               ? true
               : p != NULL && !(process_set(p, STATE_TABLES) & STATE_EXITING);
}

/* Into the directory. False: *reason says why. */
static bool enter(VM *vm, Table *t, term *reason) {
    Ets *ets = vm->tables->ets;
    bool ok = false;
    directory_lock(vm);
    sequence_write(&ets->sequence);
    if (t->named && search_name(ets->names, t->name) != NULL) {
        *reason = A_badarg;
    } else if (index_add(vm, &ets->numbers, t, number_hash)) {
        ok = !t->named || index_add(vm, &ets->names, t, name_hash);
        if (!ok) {
            index_remove(ets->numbers, t, number_hash);
        }
    }
    sequence_written(&ets->sequence);
    if (ok) {
        t->next = ets->all;
        if (t->next != NULL) {
            t->next->before = t;
        }
        __atomic_store_n(&ets->all, t, __ATOMIC_RELEASE);
        ets->count++;
    }
    directory_unlock(vm);
    return ok;
}

void table_tell_account(VM *vm, Table *t, size_t more) {
    if (account_add(t->account, ACCOUNT_MEMORY, more)) {
        quota_look(vm, t->owner);
    }
}

/* From now on it counts as that account's. */
static void charge(VM *vm, Table *t, Account *to) {
    Account *was = t->account;
    if (LIKELY(was == to)) {
        return;
    }
    size_t bytes = table_bytes(t);
    account_add(was, ACCOUNT_MEMORY, (size_t)0 - bytes);
    t->account = account_keep(to);
    if (to != NULL) {
        table_tell_account(vm, t, bytes);
    }
    account_release(&vm->mem, was);
}

Table *table_new(Process *p, const Table *as, term *reason) {
    VM *vm = process_vm(p);
    *reason = A_system_limit;
    Table *t = mem_alloc(&vm->mem, MEM_ETS, sizeof *t);
    if (t == NULL) {
        return NULL;
    }
    *t = *as;
    t->owner = p->pid;
    t->bytes = sizeof *t;
    term number[REF_WORDS], ref = ref_write_fresh(vm, number);
    t->low = ref_low(ref), t->high = ref_high(ref);
    t->handle = MEM_NEW(&vm->mem, MEM_SYSTEM, TableHandle);
    bool ok = t->handle != NULL && (table_is_tree(t) || hash_init(vm, t)) && stripes_init(vm, t) && has_tables(vm, p->pid);
    if (ok) {
        t->handle->resource = (Resource){.refs = 1, .destroy = table_handle_destroy};
        t->handle->table = t;
        if (vm->processes->concurrent) {
            table_take(p->scheduler, t, USE_ALONE, NONE);
        }
        ok = enter(vm, t, reason);
    }
    if (ok) {
        charge(vm, t, quota_account(p));
    }
    if (!ok) {
        p->scheduler->table = NULL;
        if (!table_is_tree(t) && t->hash.buckets != NULL) {
            size_t none = 0;
            hash_free_some(vm, t, &none);
        }
        stripes_done(vm, t);
        mem_free(&vm->mem, MEM_SYSTEM, t->handle, t->handle == NULL ? 0 : sizeof *t->handle);
        mem_free(&vm->mem, MEM_ETS, t, sizeof *t);
        return NULL;
    }
    return t;
}

static void put_dying(VM *vm, Table *t) {
    Ets *ets = vm->tables->ets;
    directory_lock(vm);
    t->dying = ets->dying;
    ets->dying = t;
    directory_unlock(vm);
}

static Table *take_dying(VM *vm) {
    Ets *ets = vm->tables->ets;
    directory_lock(vm);
    Table *t = ets->dying;
    if (t != NULL) {
        ets->dying = t->dying;
    }
    directory_unlock(vm);
    return t;
}

void table_delete(VM *vm, Table *t) {
    Ets *ets = vm->tables->ets;
    insertion_finish(vm, t);
    charge(vm, t, NULL);
    t->gone = true;
    directory_lock(vm);
    __atomic_store_n(t->before != NULL ? &t->before->next : &ets->all, t->next, __ATOMIC_RELEASE);
    if (t->next != NULL) {
        t->next->before = t->before;
    }
    sequence_write(&ets->sequence);
    index_remove(ets->numbers, t, number_hash);
    if (t->named) {
        index_remove(ets->names, t, name_hash);
    }
    sequence_written(&ets->sequence);
    ets->count--;
    directory_unlock(vm);
    while (t->fixers != NULL) {
        Fixer *f = t->fixers;
        __atomic_store_n(&t->fixers, f->next, __ATOMIC_RELEASE);
        MEM_DELETE(&vm->mem, MEM_ETS, f);
    }
    __atomic_store_n(&t->handle->table, NULL, __ATOMIC_RELEASE);
    resource_release(vm, &t->handle->resource);
    t->handle = NULL;
    if (table_has_ranges(t)) {
        t->tree.root = range_gather(vm, t);
    }
    put_dying(vm, t);
}

static void free_table(VM *vm, void *table, size_t size UNUSED) {
    stripes_done(vm, table);
    MEM_DELETE(&vm->mem, MEM_ETS, (Table *)table);
}

bool ets_free_some(VM *vm, size_t objects) {
    for (Table *t; (t = take_dying(vm)) != NULL;) {
        if (!(table_is_tree(t) ? tree_free_some(vm, t, &objects) : hash_free_some(vm, t, &objects))) {
            put_dying(vm, t);
            return false;
        }
        if (t->heir_data != NULL) {
            object_free(vm, t->heir_data);
        }
        epoch_defer(vm, free_table, t, sizeof *t); /* somebody may be waiting for its lock, to find that it has gone */
    }
    return true;
}

Table *table_next(VM *vm, const Table *t) {
    return __atomic_load_n(t == NULL ? &vm->tables->ets->all : &t->next, __ATOMIC_ACQUIRE);
}

/* What was in the table goes to one that is about to be freed. */
static bool empty_into_dying(VM *vm, Table *t) {
    Table *shell = MEM_NEW(&vm->mem, MEM_ETS, Table);
    if (shell == NULL) {
        return false;
    }
    enum { BEHIND_LOCKS = offsetof(Table, name) }; /* others may be waiting at those of t */
    memcpy((uint8_t *)shell + BEHIND_LOCKS, (const uint8_t *)t + BEHIND_LOCKS, sizeof *t - BEHIND_LOCKS);
    shell->heir_data = NULL;
    shell->account = NULL;
    if (table_has_ranges(t)) {
        shell->tree.root = range_gather(vm, t);
        shell->routes = NULL;
    } else if (table_is_tree(t)) {
        t->tree.root = NULL;
    } else {
        memset(&t->hash, 0, sizeof t->hash);
        if (!hash_init(vm, t)) {
            t->hash = shell->hash;
            MEM_DELETE(&vm->mem, MEM_ETS, shell);
            return false;
        }
    }
    size_t was = table_bytes(t), stripes = 0;
    for (size_t i = 0; t->stripes != NULL && i <= t->stripe_mask; i++, stripes++) {
        t->stripes[i].count = t->stripes[i].bytes = 0;
    }
    t->bytes = was;
    table_counts(vm, t, sizeof *t + stripes * sizeof *t->stripes + t->hash.room * sizeof(Object *) * !table_is_tree(t) - was);
    put_dying(vm, shell);
    return true;
}

size_t table_clear(VM *vm, Table *t) {
    size_t count = table_size(t);
    if (table_is_fixed(t) && !table_is_tree(t)) {
        hash_mark_all(vm, t);
    } else if (!empty_into_dying(vm, t)) { /* no memory: one by one */
        for (Object *o; (o = table_first(vm, t)) != NULL;) {
            table_delete_key(vm, t, table_key(t, o));
        }
    }
    t->count = 0;
    return count;
}

size_t ets_count(VM *vm) {
    return vm->tables->ets->count;
}

bool table_rename(VM *vm, Table *t, term name) {
    Ets *ets = vm->tables->ets;
    if (!t->named) {
        t->name = name;
        return true;
    }
    directory_lock(vm);
    bool free = search_name(ets->names, name) == NULL;
    if (free) {
        sequence_write(&ets->sequence);
        index_remove(ets->names, t, name_hash);
        sequence_store(&t->name, name);
        index_put(ets->names, t, name_hash); /* its old place is free: there is room */
        sequence_written(&ets->sequence);
    }
    directory_unlock(vm);
    return free;
}

bool table_set_heir(VM *vm, Table *t, term heir, term data) {
    Object *copy = NULL;
    heir = heir != NONE && process_find(vm, heir) == NULL ? NONE : heir;
    if (heir != NONE) {
        term tuple[2] = {HEADER(1, KIND_TUPLE), data};
        copy = object_new(vm, make_boxed(tuple));
        if (copy == NULL) {
            return false;
        }
    }
    if (t->heir_data != NULL) {
        object_free(vm, t->heir_data);
    }
    t->heir = heir, t->heir_data = copy;
    return true;
}

static bool send_transfer(VM *vm, const Table *t, term to, term from, term data) {
    Heap h;
    heap_init_detached(&h, vm);
    term copy = data == NONE ? object_copy(&h, t->heir_data) : term_copy_literals_too(&h, data);
    if (copy != NONE && data == NONE) {
        copy = element(copy, 1);
    }
    term message = copy == NONE ? NONE : TUPLE4(&h, A_ets_transfer, table_id(&h, t), from, copy);
    bool ok = message != NONE && message_send_built(vm_scheduler(vm), to, message, &h);
    heap_done(&h);
    return ok;
}

/* False: the end of the new one has begun, and may have looked for its tables already. */
static bool change_owner(VM *vm, Table *t, term to) {
    term was = t->owner;
    __atomic_store_n(&t->owner, to, __ATOMIC_SEQ_CST);
    if (has_tables(vm, to)) {
        charge(vm, t, quota_account_of(vm, to));
        return true;
    }
    __atomic_store_n(&t->owner, was, __ATOMIC_SEQ_CST);
    return false;
}

bool table_give(Process *from, Table *t, term to, term data) {
    VM *vm = process_vm(from);
    if (!change_owner(vm, t, to)) {
        return false;
    }
    return send_transfer(vm, t, to, from->pid, data);
}

/* Fixations. */

static bool add_fixer(Process *p, Table *t) {
    VM *vm = process_vm(p);
    for (Fixer *f = t->fixers; f != NULL; f = f->next) {
        if (f->pid == p->pid) {
            f->count++;
            return true;
        }
    }
    Fixer *f = MEM_NEW(&vm->mem, MEM_ETS, Fixer);
    if (f == NULL || !has_tables(vm, p->pid)) {
        mem_free(&vm->mem, MEM_ETS, f, f == NULL ? 0 : sizeof *f);
        return false;
    }
    if (t->fixers == NULL) {
        t->fixed_since[0] = clock_monotonic(vm);
        t->fixed_since[1] = clock_system(vm);
    }
    *f = (Fixer){t->fixers, p->pid, 1};
    __atomic_store_n(&t->fixers, f, __ATOMIC_RELEASE); /* process_ended looks without the lock */
    return true;
}

/* Others may be looking at it, and fixing it; nobody relies on its not being fixed. */
bool table_fix(Process *p, Table *t) {
    vm_lock(process_vm(p), &t->small_lock);
    bool ok = add_fixer(p, t);
    vm_unlock(process_vm(p), &t->small_lock);
    return ok;
}

bool table_is_fixed_once(const Table *t) {
    return t->fixers != NULL && t->fixers->next == NULL && t->fixers->count == 1;
}

static void remove_fixer(VM *vm, Table *t, Fixer **at) {
    Fixer *f = *at;
    __atomic_store_n(at, f->next, __ATOMIC_RELEASE);
    MEM_DELETE(&vm->mem, MEM_ETS, f);
    if (t->fixers == NULL && !table_is_tree(t)) {
        hash_purge(vm, t);
    }
}

/* What is dead can only be freed by who has the table alone. */
bool table_unfix(VM *vm, Table *t, term pid) {
    Scheduler *s = vm_scheduler(vm);
    vm_lock(vm, &t->small_lock);
    if (s->table == t && s->table_shared && table_is_fixed_once(t) && !table_is_tree(t) &&
        (t->hash.dead_count > 0 || t->hash.dead_anywhere)) {
        vm_unlock(vm, &t->small_lock);
        if (!table_take_alone(s)) {
            return true;
        }
        vm_lock(vm, &t->small_lock);
    }
    Fixer **at = &t->fixers;
    while (*at != NULL && (*at)->pid != pid) {
        at = &(*at)->next;
    }
    bool fixed = *at != NULL;
    if (fixed && --(*at)->count == 0) {
        remove_fixer(vm, t, at);
    }
    vm_unlock(vm, &t->small_lock);
    return fixed;
}

/* A process has ended: its tables go to their heirs, or away. */
static void owner_ended(VM *vm, Table *t) {
    Process *heir = t->heir == NONE ? NULL : process_find(vm, t->heir);
    term from = t->owner;
    if (heir == NULL || heir->pid == from || !change_owner(vm, t, t->heir)) {
        table_delete(vm, t);
        return;
    }
    send_transfer(vm, t, t->owner, from, NONE);
}

static bool process_ended(Process *p) {
    VM *vm = process_vm(p);
    if (vm->tables == NULL) {
        return true; /* the VM ends */
    }
    bool concurrent = vm->processes->concurrent;
    Table *next;
    for (Table *t = process_state(p) & STATE_TABLES ? table_next(vm, NULL) : NULL; t != NULL; t = next) {
        next = table_next(vm, t);
        /* What it owns or has fixed is so since before its end began; others come and go meanwhile. */
        bool may_be = __atomic_load_n(&t->owner, __ATOMIC_SEQ_CST) == p->pid || __atomic_load_n(&t->fixers, __ATOMIC_SEQ_CST) != NULL;
        if (!may_be || (concurrent && !table_take(p->scheduler, t, USE_ALONE, NONE))) {
            continue;
        }
        for (Fixer **at = &t->fixers; *at != NULL; at = &(*at)->next) {
            if ((*at)->pid == p->pid) {
                remove_fixer(vm, t, at);
                break;
            }
        }
        if (t->owner == p->pid) {
            owner_ended(vm, t);
        }
        table_leave(p);
    }
    process_clear(p, STATE_TABLES);
    return ets_free_some(vm, FREED_AT_ONCE);
}

bool ets_init(VM *vm) {
    vm->tables->ets = MEM_NEW(&vm->mem, MEM_SYSTEM, Ets);
    return vm->tables->ets != NULL && (vm->processes == NULL || processes_on_end(vm, process_ended));
}

void ets_done(VM *vm) {
    Ets *ets = vm->tables->ets;
    if (ets == NULL) {
        return;
    }
    while (ets->all != NULL) {
        table_delete(vm, ets->all);
    }
    while (!ets_free_some(vm, SIZE_MAX)) {
    }
    mem_free(&vm->mem, MEM_SYSTEM, ets->names, ets->names == NULL ? 0 : index_bytes(ets->names->size));
    mem_free(&vm->mem, MEM_SYSTEM, ets->numbers, ets->numbers == NULL ? 0 : index_bytes(ets->numbers->size));
    MEM_DELETE(&vm->mem, MEM_SYSTEM, ets);
    vm->tables->ets = NULL;
}

/* Objects, whichever way they are kept. */

Object *table_lookup(VM *vm, const Table *t, term key) {
    return table_is_tree(t) ? tree_lookup(vm, t, key) : hash_lookup(vm, t, key);
}

Object *table_next_same(VM *vm, const Table *t, const Object *o) {
    if (table_is_tree(t) || t->type == TABLE_SET) {
        return NULL;
    }
    for (Object *n = o->next; n != NULL && n->hash == o->hash && term_same(vm, table_key(t, n), table_key(t, o)); n = n->next) {
        if (!n->dead) {
            return n;
        }
    }
    return NULL;
}

PutResult table_put(VM *vm, Table *t, Object *o, bool only_new) {
    return table_is_tree(t) ? tree_put(vm, t, o, only_new) : hash_put(vm, t, o, only_new);
}

void table_replace(VM *vm, Table *t, Object *old, Object *with) {
    if (table_is_tree(t)) {
        tree_replace(vm, t, old, with);
    } else {
        hash_replace(vm, t, old, with);
    }
}

size_t table_delete_key(VM *vm, Table *t, term key) {
    return table_is_tree(t) ? tree_delete_key(vm, t, key) : hash_delete_key(vm, t, key);
}

void table_delete_one(VM *vm, Table *t, Object *o) {
    if (table_is_tree(t)) {
        tree_delete_key(vm, t, table_key(t, o));
    } else {
        hash_delete_one(vm, t, o);
    }
}

size_t table_delete_object(VM *vm, Table *t, term object) {
    if (tuple_arity(object) < t->keypos) {
        return 0;
    }
    size_t n = 0;
    for (Object *o = table_lookup(vm, t, element(object, t->keypos)), *next; o != NULL; o = next) {
        next = table_next_same(vm, t, o);
        if (term_same(vm, object_tuple(o), object)) {
            table_delete_one(vm, t, o);
            n++;
        }
    }
    return n;
}

Object *table_first(VM *vm, const Table *t) {
    return table_is_tree(t) ? tree_after(vm, t, NONE) : hash_from(t, 0);
}

Object *table_last(VM *vm, const Table *t) {
    return table_is_tree(t) ? tree_before(vm, t, NONE) : hash_from(t, 0);
}

Object *table_after(VM *vm, const Table *t, term key, bool *bad) {
    *bad = false;
    return table_is_tree(t) ? tree_after(vm, t, key) : hash_after(vm, t, key, bad);
}

Object *table_before(VM *vm, const Table *t, term key, bool *bad) {
    *bad = false;
    return table_is_tree(t) ? tree_before(vm, t, key) : hash_after(vm, t, key, bad);
}

size_t table_slots(const Table *t) {
    return table_is_tree(t) ? table_size(t) : t->hash.active;
}

Object *table_slot(const Table *t, size_t slot) {
    return table_is_tree(t) ? tree_at(t, slot) : t->hash.buckets[slot];
}
