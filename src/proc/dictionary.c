/* The process dictionary. */
#include "proc/dictionary.h"

#include "term/compare.h"
#include "term/hash.h"

enum { LINEAR_MAX = 12 }; /* so many pairs are searched without an index */

typedef struct Dictionary {
    uint32_t count, room;
    uint32_t index_size; /* power of 2, or 0: no index */
    uint32_t *index;     /* open addressing: number of the pair + 1; 0: free */
    term pairs[][2];
} Dictionary;

static size_t bytes_for(uint32_t room) {
    return sizeof(Dictionary) + room * sizeof(term[2]);
}

static uint32_t start_of(const Dictionary *d, VM *vm, term key) {
    return (uint32_t)(term_hash(vm, key) & (d->index_size - 1));
}

/* Where in the index the pair is, or where the search ends. */
static uint32_t index_slot(const Dictionary *d, VM *vm, term key) {
    uint32_t i = start_of(d, vm, key);
    while (d->index[i] != 0 && !term_same(vm, d->pairs[d->index[i] - 1][0], key)) {
        i = (i + 1) & (d->index_size - 1);
    }
    return i;
}

static term *find(const Dictionary *d, VM *vm, term key) {
    if (d == NULL) {
        return NULL;
    }
    if (d->index_size != 0) {
        uint32_t n = d->index[index_slot(d, vm, key)];
        return n == 0 ? NULL : (term *)d->pairs[n - 1];
    }
    for (uint32_t i = 0; i < d->count; i++) {
        if (term_same(vm, d->pairs[i][0], key)) {
            return (term *)d->pairs[i];
        }
    }
    return NULL;
}

static void index_free(Dictionary *d, Mem *mem) {
    mem_free(mem, MEM_PROCESS, d->index, d->index_size * sizeof *d->index);
    d->index = NULL;
    d->index_size = 0;
}

/* An index for so many pairs. Without memory it goes without one. */
static void index_build(Dictionary *d, VM *vm, uint32_t room) {
    index_free(d, &vm->mem);
    if (room <= LINEAR_MAX) {
        return;
    }
    uint32_t size = round_up_power(2 * room, 32);
    d->index = mem_zalloc(&vm->mem, MEM_PROCESS, size * sizeof *d->index);
    if (d->index == NULL) {
        return;
    }
    d->index_size = size;
    for (uint32_t n = 0; n < d->count; n++) {
        d->index[index_slot(d, vm, d->pairs[n][0])] = n + 1;
    }
}

/* Takes slot i out of the index; those behind it move up, so that no search stops too early. */
static void index_remove(Dictionary *d, VM *vm, uint32_t i) {
    uint32_t mask = d->index_size - 1;
    for (uint32_t j = (i + 1) & mask; d->index[j] != 0; j = (j + 1) & mask) {
        uint32_t home = start_of(d, vm, d->pairs[d->index[j] - 1][0]);
        if (((j - home) & mask) >= ((j - i) & mask)) {
            d->index[i] = d->index[j];
            i = j;
        }
    }
    d->index[i] = 0;
}

static bool grow(Process *p) {
    VM *vm = process_vm(p);
    Dictionary *d = p->dictionary;
    uint32_t room = d == NULL ? 2 : 2 * d->room;
    Dictionary *bigger = mem_resize(&vm->mem, MEM_PROCESS, d, d == NULL ? 0 : bytes_for(d->room), bytes_for(room));
    if (bigger == NULL) {
        return false;
    }
    if (d == NULL) {
        memset(bigger, 0, sizeof *bigger);
    }
    bigger->room = room;
    p->dictionary = bigger;
    index_build(bigger, vm, room);
    return true;
}

term dictionary_get(Process *p, term key) {
    const term *pair = find(p->dictionary, process_vm(p), key);
    return pair == NULL ? NONE : pair[1];
}

bool dictionary_put(Process *p, term key, term value, term *old) {
    VM *vm = process_vm(p);
    term *pair = find(p->dictionary, vm, key);
    if (pair != NULL) {
        *old = pair[1];
        pair[1] = value;
        return true;
    }
    *old = NONE;
    if ((p->dictionary == NULL || p->dictionary->count == p->dictionary->room) && !grow(p)) {
        return false;
    }
    Dictionary *d = p->dictionary;
    d->pairs[d->count][0] = key;
    d->pairs[d->count][1] = value;
    d->count++;
    if (d->index_size != 0) {
        d->index[index_slot(d, vm, key)] = d->count;
    }
    return true;
}

term dictionary_erase(Process *p, term key) {
    VM *vm = process_vm(p);
    Dictionary *d = p->dictionary;
    term *pair = find(d, vm, key);
    if (pair == NULL) {
        return NONE;
    }
    term old = pair[1];
    uint32_t n = (uint32_t)((term(*)[2])pair - d->pairs), last = d->count - 1;
    if (d->index_size != 0) {
        uint32_t gone = index_slot(d, vm, key);
        d->index[index_slot(d, vm, d->pairs[last][0])] = n + 1; /* the last pair moves into the gap */
        memcpy(pair, d->pairs[last], sizeof d->pairs[last]);
        index_remove(d, vm, gone);
    } else {
        memmove(pair, pair + 2, (last - n) * sizeof d->pairs[0]);
    }
    d->count--;
    if (d->count == 0) {
        dictionary_clear(p);
    }
    return old;
}

size_t dictionary_count(const Process *p) {
    return p->dictionary == NULL ? 0 : p->dictionary->count;
}

size_t dictionary_bytes(const Process *p) {
    const Dictionary *d = p->dictionary;
    return d == NULL ? 0 : bytes_for(d->room) + d->index_size * sizeof *d->index;
}

term *dictionary_roots(Process *p, size_t *count) {
    Dictionary *d = p->dictionary;
    *count = d == NULL ? 0 : 2 * (size_t)d->count;
    return d == NULL ? NULL : &d->pairs[0][0];
}

void dictionary_clear(Process *p) {
    Dictionary *d = p->dictionary;
    if (d != NULL) {
        Mem *mem = &process_vm(p)->mem;
        index_free(d, mem);
        mem_free(mem, MEM_PROCESS, d, bytes_for(d->room));
        p->dictionary = NULL;
    }
}

term dictionary_list(Process *p) {
    const Dictionary *d = p->dictionary;
    size_t n = dictionary_count(p);
    if (n == 0) {
        return NIL;
    }
    term *at = heap_alloc(&p->heap, 5 * n), list = NIL;
    if (at == NULL) {
        return heap_no_memory(&p->heap);
    }
    for (size_t i = n; i-- > 0; at += 5) {
        at[0] = HEADER(2, KIND_TUPLE), at[1] = d->pairs[i][0], at[2] = d->pairs[i][1];
        at[3] = make_boxed(at), at[4] = list;
        list = make_cons(at + 3);
    }
    return list;
}

term dictionary_keys(Process *p, term value) {
    const Dictionary *d = p->dictionary;
    size_t n = dictionary_count(p);
    if (n == 0) {
        return NIL;
    }
    term *start = heap_alloc(&p->heap, 2 * n), *at = start, list = NIL;
    if (start == NULL) {
        return heap_no_memory(&p->heap);
    }
    for (size_t i = n; i-- > 0;) {
        if (value == NONE || term_same(process_vm(p), d->pairs[i][1], value)) {
            at[0] = d->pairs[i][0], at[1] = list;
            list = make_cons(at);
            at += 2;
        }
    }
    heap_release(&p->heap, at, start + 2 * n);
    return list;
}
