/* Persistent terms: a hash table of {Key, Value} tuples, each a block of literals of its own. */
#include "table/persistent.h"

#include "base/lock.h"
#include "term/compare.h"
#include "term/copy.h"
#include "term/hash.h"

enum { FIRST_SIZE = 16 };

typedef struct {
    term pair;  /* NONE: free */
    uint64_t hash;
    LiteralBlock block;
} Entry;

typedef struct Persistents {
    Lock lock;
    Entry *table; /* open addressing */
    size_t size, count, words;
} Persistents;

bool persistents_init(VM *vm) {
    return (vm->tables->persistents = MEM_NEW(&vm->mem, MEM_SYSTEM, Persistents)) != NULL;
}

void persistents_done(VM *vm) {
    Persistents *t = vm->tables->persistents;
    if (t == NULL) {
        return;
    }
    for (size_t i = 0; i < t->size; i++) {
        if (t->table[i].pair != NONE) {
            literal_free(vm, t->table[i].block.at, t->table[i].block.words, t->table[i].block.off_heap);
        }
    }
    mem_free(&vm->mem, MEM_SYSTEM, t->table, t->size * sizeof *t->table);
    MEM_DELETE(&vm->mem, MEM_SYSTEM, t);
    vm->tables->persistents = NULL;
}

/* The key's entry, or the free one where it belongs. The table is never full. */
static Entry *find(VM *vm, const Persistents *t, term key, uint64_t hash) {
    for (size_t i = hash;; i++) {
        Entry *e = &t->table[i & (t->size - 1)];
        if (e->pair == NONE || (e->hash == hash && term_same(vm, element(e->pair, 1), key))) {
            return e;
        }
    }
}

static bool grow(VM *vm, Persistents *t) {
    Persistents bigger = {.size = t->size == 0 ? FIRST_SIZE : 2 * t->size};
    bigger.table = mem_zalloc(&vm->mem, MEM_SYSTEM, bigger.size * sizeof *bigger.table);
    if (bigger.table == NULL) {
        return false;
    }
    for (size_t i = 0; i < t->size; i++) {
        if (t->table[i].pair != NONE) {
            *find(vm, &bigger, element(t->table[i].pair, 1), t->table[i].hash) = t->table[i];
        }
    }
    mem_free(&vm->mem, MEM_SYSTEM, t->table, t->size * sizeof *t->table);
    t->table = bigger.table, t->size = bigger.size;
    return true;
}

term persistent_get(VM *vm, term key) {
    Persistents *t = vm->tables->persistents;
    uint64_t hash = term_hash(vm, key);
    lock_take(&t->lock);
    const Entry *e = t->size == 0 ? NULL : find(vm, t, key, hash);
    term value = e == NULL || e->pair == NONE ? NONE : element(e->pair, 2);
    lock_give(&t->lock);
    return value;
}

static void retire(VM *vm, Persistents *t, Entry *e) {
    t->words -= e->block.words;
    literal_retire(vm, &e->block);
}

bool persistent_put(VM *vm, term key, term value) {
    Persistents *t = vm->tables->persistents;
    term old = persistent_get(vm, key);
    if (old != NONE && term_same(vm, old, value)) {
        return true;
    }
    Heap h;
    LiteralBlock block;
    heap_init_detached(&h, vm);
    term pair = term_copy_to_literal(vm, TUPLE2(&h, key, value), &block);
    heap_done(&h);
    if (pair == NONE) {
        return false;
    }
    uint64_t hash = term_hash(vm, key);
    lock_take(&t->lock);
    bool ok = 2 * (t->count + 1) <= t->size || grow(vm, t);
    if (ok) {
        Entry *e = find(vm, t, key, hash);
        if (e->pair == NONE) {
            t->count++;
        } else {
            retire(vm, t, e);
        }
        *e = (Entry){pair, hash, block};
        t->words += block.words;
    }
    lock_give(&t->lock);
    if (!ok) {
        literal_free(vm, block.at, block.words, block.off_heap);
    }
    return ok;
}

/* Closes the gap: entries that would no longer be found behind it move up. */
static void remove_entry(Persistents *t, size_t gap) {
    size_t mask = t->size - 1;
    for (size_t i = (gap + 1) & mask; t->table[i].pair != NONE; i = (i + 1) & mask) {
        if (((i - t->table[i].hash) & mask) >= ((i - gap) & mask)) {
            t->table[gap] = t->table[i];
            gap = i;
        }
    }
    t->table[gap].pair = NONE;
    t->count--;
}

bool persistent_erase(VM *vm, term key) {
    Persistents *t = vm->tables->persistents;
    uint64_t hash = term_hash(vm, key);
    lock_take(&t->lock);
    Entry *e = t->size == 0 ? NULL : find(vm, t, key, hash);
    bool found = e != NULL && e->pair != NONE;
    if (found) {
        retire(vm, t, e);
        remove_entry(t, (size_t)(e - t->table));
    }
    lock_give(&t->lock);
    return found;
}

void persistent_erase_all(VM *vm) {
    Persistents *t = vm->tables->persistents;
    lock_take(&t->lock);
    for (size_t i = 0; i < t->size; i++) {
        if (t->table[i].pair != NONE) {
            retire(vm, t, &t->table[i]);
            t->table[i].pair = NONE;
        }
    }
    t->count = 0;
    lock_give(&t->lock);
}

term persistent_list(Heap *h) {
    Persistents *t = h->vm->tables->persistents;
    lock_take(&t->lock);
    term list = NIL, *at = t->count == 0 ? NULL : heap_alloc(h, 2 * t->count);
    if (at == NULL && t->count > 0) {
        list = heap_no_memory(h);
    }
    for (size_t i = 0; i < t->size && at != NULL; i++) {
        if (t->table[i].pair != NONE) {
            at[0] = t->table[i].pair, at[1] = list;
            list = make_cons(at);
            at += 2;
        }
    }
    lock_give(&t->lock);
    return list;
}

size_t persistent_count(VM *vm) {
    return vm->tables->persistents->count;
}

size_t persistent_room(VM *vm) {
    return vm->tables->persistents->size;
}

size_t persistent_bytes(VM *vm) {
    const Persistents *t = vm->tables->persistents;
    return sizeof *t + t->size * sizeof *t->table + t->words * sizeof(term);
}
