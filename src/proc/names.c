/* Registered names: one hash table with both directions, name to process and process to name. It is read without a lock (see
   base/sequence.h) and written under one. */
#include "proc/names.h"

#include "base/sequence.h"
#include "proc/epoch.h"
#include "proc/schedule.h"

/* Open addressing; key NONE: free. Two entries a name. */
typedef struct {
    term key, value;
} Name;

typedef struct {
    uint32_t room;
    Name at[];
} NameTable;

typedef struct Names {
    Lock lock;
    Sequence sequence;
    uint32_t count;
    NameTable *table;
} Names;

enum { FIRST_ROOM = 32 };

static size_t bytes(uint32_t room) {
    return sizeof(NameTable) + room * sizeof(Name);
}

static uint32_t slot_of(const NameTable *t, term key) {
    uint32_t mask = t->room - 1, i = (uint32_t)((uint64_t)key * 0x9e3779b97f4a7c15ull >> 32) & mask;
    for (uint32_t n = 0; n < mask; n++) { /* it ends anyhow, but may be in vain while somebody writes */
        term k = sequence_load(&t->at[i].key);
        if (k == NONE || k == key) {
            break;
        }
        i = (i + 1) & mask;
    }
    return i;
}

static void put(NameTable *t, Name n) {
    Name *to = &t->at[slot_of(t, n.key)];
    sequence_store(&to->value, n.value);
    sequence_store(&to->key, n.key);
}

static bool grow(VM *vm, uint32_t room) {
    Names *ns = vm->processes->names;
    NameTable *old = ns->table, *t = mem_zalloc(&vm->mem, MEM_SYSTEM, bytes(room));
    if (t == NULL) {
        return false;
    }
    t->room = room;
    for (uint32_t i = 0; old != NULL && i < old->room; i++) {
        if (old->at[i].key != NONE) {
            put(t, old->at[i]);
        }
    }
    sequence_store(&ns->table, t);
    if (old != NULL) {
        epoch_mem_free(vm, MEM_SYSTEM, old, bytes(old->room));
    }
    return true;
}

bool names_init(VM *vm) {
    return (vm->processes->names = MEM_NEW(&vm->mem, MEM_SYSTEM, Names)) != NULL && grow(vm, FIRST_ROOM);
}

void names_done(VM *vm) {
    Names *ns = vm->processes->names;
    if (ns == NULL) {
        return;
    }
    if (ns->table != NULL) {
        mem_free(&vm->mem, MEM_SYSTEM, ns->table, bytes(ns->table->room));
    }
    MEM_DELETE(&vm->mem, MEM_SYSTEM, ns);
    vm->processes->names = NULL;
}

/* The value of a key, or NONE. */
static term get(VM *vm, term key) {
    const Names *ns = vm->processes->names;
    term value;
    uint32_t count;
    do {
        count = sequence_read(&ns->sequence);
        const NameTable *t = sequence_load(&ns->table);
        const Name *n = &t->at[slot_of(t, key)];
        value = sequence_load(&n->key) == key ? sequence_load(&n->value) : NONE;
    } while (UNLIKELY(sequence_changed(&ns->sequence, count)));
    return value;
}

/* The rest under the lock. */
static void forget(Names *ns, term key) {
    NameTable *t = ns->table;
    uint32_t mask = t->room - 1, i = slot_of(t, key);
    sequence_store(&t->at[i].key, NONE);
    sequence_store(&t->at[i].value, NONE);
    /* Those behind it that its place kept away from theirs are put in again. */
    for (uint32_t j = (i + 1) & mask; t->at[j].key != NONE; j = (j + 1) & mask) {
        Name n = t->at[j];
        sequence_store(&t->at[j].key, NONE);
        put(t, n);
    }
}

static void forget_both(Names *ns, term name, term pid) {
    sequence_write(&ns->sequence);
    forget(ns, name);
    forget(ns, pid);
    sequence_written(&ns->sequence);
    ns->count--;
}

term name_find(VM *vm, term name) {
    return is_atom(name) ? get(vm, name) : NONE;
}

term name_find_outside(VM *vm, term name) {
    Names *ns = vm->processes->names;
    lock_take(&ns->lock);
    term t = name_find(vm, name);
    lock_give(&ns->lock);
    return t;
}

term name_of(VM *vm, term pid) {
    return get(vm, pid);
}

bool name_register(VM *vm, term name, term pid) {
    Names *ns = vm->processes->names;
    lock_take(&ns->lock);
    bool ok =
        get(vm, name) == NONE && get(vm, pid) == NONE && (8 * (ns->count + 1) <= 3 * ns->table->room || grow(vm, 2 * ns->table->room));
    if (ok) {
        sequence_write(&ns->sequence);
        put(ns->table, (Name){name, pid});
        put(ns->table, (Name){pid, name});
        sequence_written(&ns->sequence);
        ns->count++;
        Process *p = process_find_any(vm, pid);
        /* A process that has begun to end gives up its name when it has seen STATE_NAMED, and else will not: both see each other. */
        ok = !is_local_pid(pid) || (p != NULL && !(process_set(p, STATE_NAMED) & STATE_EXITING));
        if (!ok) {
            forget_both(ns, name, pid);
        }
    }
    lock_give(&ns->lock);
    return ok;
}

/* key: a name or who has it. */
static bool unregister(VM *vm, term key) {
    Names *ns = vm->processes->names;
    lock_take(&ns->lock);
    term value = get(vm, key);
    if (value != NONE) {
        forget_both(ns, key, value);
        Process *p = process_find_any(vm, is_atom(key) ? value : key);
        if (p != NULL) {
            process_clear(p, STATE_NAMED);
        }
    }
    lock_give(&ns->lock);
    return value != NONE;
}

bool name_unregister(VM *vm, term name) {
    return unregister(vm, name);
}

void name_give_up(VM *vm, term pid) {
    unregister(vm, pid);
}

size_t name_count(const VM *vm) {
    return __atomic_load_n(&vm->processes->names->count, __ATOMIC_RELAXED);
}

size_t name_all(VM *vm, term *names, size_t room) {
    Names *ns = vm->processes->names;
    lock_take(&ns->lock);
    size_t n = 0;
    for (uint32_t i = 0; i < ns->table->room && n < room; i++) {
        if (is_atom(ns->table->at[i].key)) {
            names[n++] = ns->table->at[i].key;
        }
    }
    lock_give(&ns->lock);
    return n;
}
