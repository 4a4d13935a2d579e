/* Persistent terms: a hash table of {Key, Value} tuples, each a block of literals of its own. It is read without a lock (see
   base/sequence.h); what leaves it is retired, and stays until all schedulers stand still. */
#include "table/persistent.h"

#include "base/sequence.h"
#include "proc/epoch.h"
#include "term/compare.h"
#include "term/copy.h"
#include "term/hash.h"

enum { FIRST_SIZE = 16 };

typedef struct {
    term pair; /* NONE: free */
    uint64_t hash;
    LiteralBlock block;
} Entry;

typedef struct {
    size_t size;
    Entry at[]; /* open addressing, never full */
} PairTable;

typedef struct Persistents {
    Lock lock;
    Sequence sequence;
    PairTable *table; /* NULL: nothing was ever put in */
    size_t count, words;
} Persistents;

static size_t table_bytes(size_t size) {
    return sizeof(PairTable) + size * sizeof(Entry);
}

bool persistents_init(VM *vm) {
    return (vm->tables->persistents = MEM_NEW(&vm->mem, MEM_SYSTEM, Persistents)) != NULL;
}

void persistents_done(VM *vm) {
    Persistents *t = vm->tables->persistents;
    if (t == NULL) {
        return;
    }
    for (size_t i = 0; t->table != NULL && i < t->table->size; i++) {
        if (t->table->at[i].pair != NONE) {
            const LiteralBlock *b = &t->table->at[i].block;
            literal_free(vm, b->at, b->words, b->off_heap);
        }
    }
    mem_free(&vm->mem, MEM_SYSTEM, t->table, t->table == NULL ? 0 : table_bytes(t->table->size));
    MEM_DELETE(&vm->mem, MEM_SYSTEM, t);
    vm->tables->persistents = NULL;
}

/* The key's entry, or the free one where it belongs. While somebody writes, it may be any. */
static Entry *find(VM *vm, PairTable *t, term key, uint64_t hash) {
    for (size_t i = hash, n = 0;; i++, n++) {
        Entry *e = &t->at[i & (t->size - 1)];
        term pair = sequence_load(&e->pair);
        if (pair == NONE || n == t->size || (sequence_load(&e->hash) == hash && term_same(vm, element(pair, 1), key))) {
            return e;
        }
    }
}

static void set(Entry *e, const Entry *to) {
    e->block = to->block;
    sequence_store(&e->hash, to->hash);
    sequence_store(&e->pair, to->pair);
}

static bool grow(VM *vm, Persistents *t) {
    PairTable *old = t->table;
    size_t size = old == NULL ? FIRST_SIZE : 2 * old->size;
    PairTable *bigger = mem_zalloc(&vm->mem, MEM_SYSTEM, table_bytes(size));
    if (bigger == NULL) {
        return false;
    }
    bigger->size = size;
    for (size_t i = 0; old != NULL && i < old->size; i++) {
        if (old->at[i].pair != NONE) {
            *find(vm, bigger, element(old->at[i].pair, 1), old->at[i].hash) = old->at[i];
        }
    }
    sequence_store(&t->table, bigger);
    epoch_mem_free(vm, MEM_SYSTEM, old, old == NULL ? 0 : table_bytes(old->size));
    return true;
}

term persistent_get(VM *vm, term key) {
    const Persistents *t = vm->tables->persistents;
    uint64_t hash = term_hash(vm, key);
    uint32_t count;
    term value;
    do {
        count = sequence_read(&t->sequence);
        PairTable *table = sequence_load(&t->table);
        term pair = table == NULL ? NONE : sequence_load(&find(vm, table, key, hash)->pair);
        value = pair == NONE ? NONE : element(pair, 2);
    } while (UNLIKELY(sequence_changed(&t->sequence, count)));
    return value;
}

static void retire(VM *vm, Persistents *t, Entry *e) {
    t->words -= e->block.words;
    literal_retire(vm, &e->block);
}

bool persistent_put(VM *vm, term key, term value, size_t *words) {
    Persistents *t = vm->tables->persistents;
    term old = persistent_get(vm, key);
    *words = 0;
    if (old != NONE && term_same(vm, old, value)) {
        return true;
    }
    Heap h;
    LiteralBlock block;
    heap_init_detached(&h, vm);
    term pair = term_copy_shared_to_literal(vm, TUPLE2(&h, key, value), &block);
    heap_done(&h);
    if (pair == NONE) {
        return false;
    }
    uint64_t hash = term_hash(vm, key);
    lock_take(&t->lock);
    *words = block.words;
    sequence_write(&t->sequence);
    bool ok = (t->table != NULL && 2 * (t->count + 1) <= t->table->size) || grow(vm, t);
    if (ok) {
        Entry *e = find(vm, t->table, key, hash);
        if (e->pair == NONE) {
            t->count++;
        } else {
            retire(vm, t, e);
        }
        set(e, &(Entry){pair, hash, block});
        t->words += block.words;
    }
    sequence_written(&t->sequence);
    lock_give(&t->lock);
    if (!ok) {
        literal_free(vm, block.at, block.words, block.off_heap);
    }
    return ok;
}

/* Closes the gap: entries that would no longer be found behind it move up. */
static void remove_entry(Persistents *t, size_t gap) {
    PairTable *table = t->table;
    size_t mask = table->size - 1;
    for (size_t i = (gap + 1) & mask; table->at[i].pair != NONE; i = (i + 1) & mask) {
        if (((i - table->at[i].hash) & mask) >= ((i - gap) & mask)) {
            set(&table->at[gap], &table->at[i]);
            gap = i;
        }
    }
    sequence_store(&table->at[gap].pair, NONE);
    t->count--;
}

bool persistent_erase(VM *vm, term key) {
    Persistents *t = vm->tables->persistents;
    uint64_t hash = term_hash(vm, key);
    lock_take(&t->lock);
    Entry *e = t->table == NULL ? NULL : find(vm, t->table, key, hash);
    bool found = e != NULL && e->pair != NONE;
    if (found) {
        sequence_write(&t->sequence);
        retire(vm, t, e);
        remove_entry(t, (size_t)(e - t->table->at));
        sequence_written(&t->sequence);
    }
    lock_give(&t->lock);
    return found;
}

void persistent_erase_all(VM *vm) {
    Persistents *t = vm->tables->persistents;
    lock_take(&t->lock);
    sequence_write(&t->sequence);
    for (size_t i = 0; t->table != NULL && i < t->table->size; i++) {
        if (t->table->at[i].pair != NONE) {
            retire(vm, t, &t->table->at[i]);
            sequence_store(&t->table->at[i].pair, NONE);
        }
    }
    t->count = 0;
    sequence_written(&t->sequence);
    lock_give(&t->lock);
}

term persistent_list(Heap *h) {
    Persistents *t = h->vm->tables->persistents;
    lock_take(&t->lock);
    term list = NIL, *at = t->count == 0 ? NULL : heap_alloc(h, 2 * t->count);
    if (at == NULL && t->count > 0) {
        list = heap_no_memory(h);
    }
    for (size_t i = 0; t->table != NULL && i < t->table->size && at != NULL; i++) {
        if (t->table->at[i].pair != NONE) {
            at[0] = t->table->at[i].pair, at[1] = list;
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
    const PairTable *t = vm->tables->persistents->table;
    return t == NULL ? 0 : t->size;
}

size_t persistent_bytes(VM *vm) {
    const Persistents *t = vm->tables->persistents;
    return sizeof *t + (t->table == NULL ? 0 : table_bytes(t->table->size)) + t->words * sizeof(term);
}
