/* Subtraction of lists. Few elements to take away are compared one by one; of many there is a hash table outside the heap,
   which refers to them by their place in a tuple, so that a collection may move them. */
#include "bif/bif.h"
#include "bif/bif_state.h"

#include "term/compare.h"
#include "term/hash.h"

enum { FEW = 16, TESTS_PER_REDUCTION = 10, CELLS_PER_REDUCTION = 80 };

/* A different element to take away. */
typedef struct {
    uint32_t hash, next; /* next: of the same bucket, plus 1 */
    uint32_t left;       /* how often it is still to be taken away */
} Different;

typedef struct {
    Resource resource;
    Different *entries; /* entry i: of element i + 1 of the tuple */
    uint32_t *buckets;  /* entry plus 1; 0: empty */
    size_t size, mask;  /* of entries; of buckets */
    size_t hashed;      /* elements that have been put in */
    size_t left;        /* elements to take away */
} Subtrahend;

static void subtrahend_destroy(VM *vm, Resource *r) {
    Subtrahend *s = (Subtrahend *)r;
    mem_free(&vm->mem, MEM_TEMPORARY, s->entries, s->size * sizeof *s->entries);
    mem_free(&vm->mem, MEM_TEMPORARY, s->buckets, (s->mask + 1) * sizeof *s->buckets);
    state_free(vm, r, sizeof *s);
}

static size_t steps_left(const Process *p) {
    return (size_t)MAX(p->heap.reds, 1) * TESTS_PER_REDUCTION;
}

/* Where the entry of an element is linked, or where it would be. */
static uint32_t *find(VM *vm, const Subtrahend *s, const term *elements, term t, uint32_t hash, size_t *steps) {
    uint32_t *at = &s->buckets[hash & s->mask];
    while (*at != 0) {
        Different *e = &s->entries[*at - 1];
        if (e->hash == hash && term_same(vm, elements[*at - 1], t)) {
            break;
        }
        at = &e->next;
        ++*steps;
    }
    return at;
}

static void put_in(VM *vm, Subtrahend *s, const term *elements, size_t *steps) {
    term t = elements[s->hashed];
    uint32_t hash = (uint32_t)term_hash(vm, t), *at = find(vm, s, elements, t, hash, steps);
    if (*at != 0) {
        s->entries[*at - 1].left++;
    } else {
        s->entries[s->hashed] = (Different){hash, 0, 1};
        *at = (uint32_t)s->hashed + 1;
    }
    s->hashed++, s->left++;
}

/* Is it to be taken away? It then is no longer in s. */
static bool take(VM *vm, Subtrahend *s, const term *elements, term t, size_t *steps) {
    uint32_t *at = find(vm, s, elements, t, (uint32_t)term_hash(vm, t), steps);
    if (*at == 0) {
        return false;
    }
    Different *e = &s->entries[*at - 1];
    s->left--;
    if (--e->left == 0) {
        *at = e->next;
    }
    return true;
}

static term finish(Process *p, term kept, term list) {
    return bif_trap(p, BIF_EXPORT(p, lists, reverse, 2), 2, kept, list);
}

/* Goes through the list, keeping in reverse order what is not taken away. */
BIF_REST(subtract_more, 4, erlang, "--", 2) { /* state, tuple of what is taken away, what is left of the list, what is kept */
    Subtrahend *s = state_of(a[0], subtrahend_destroy);
    if (s == NULL) {
        return raise_badarg(p);
    }
    VM *vm = process_vm(p);
    const term *elements = boxed(a[1]) + 1;
    size_t limit = steps_left(p), steps = 0;
    term list = a[2], kept = a[3];
    for (; s->hashed < s->size && steps < limit; steps++) {
        put_in(vm, s, elements, &steps);
    }
    for (; is_cons(list) && s->left > 0 && steps < limit; list = tail(list), steps++) {
        if (!take(vm, s, elements, head(list), &steps)) {
            kept = heap_cons(HEAP(p), head(list), kept);
        }
    }
    BUMP(p, (intptr_t)(steps / TESTS_PER_REDUCTION));
    if (is_cons(list) && (s->left > 0 || s->hashed < s->size)) {
        return bif_trap(p, BIF_EXPORT(p, erts_internal, subtract_more, 4), 4, a[0], a[1], list, kept);
    }
    return finish(p, kept, list);
}

static term subtract_many(Process *p, term list, term from, size_t count) {
    Mem *m = &process_vm(p)->mem;
    term ref, *tuple = heap_alloc(HEAP(p), 1 + count);
    Subtrahend *s = tuple == NULL || count >= UINT32_MAX ? NULL : state_new(p, sizeof *s, subtrahend_destroy, &ref);
    if (s == NULL) {
        return raise_error(p, A_system_limit);
    }
    tuple[0] = HEADER(count, KIND_TUPLE);
    for (size_t i = 1; i <= count; i++, from = tail(from)) {
        tuple[i] = head(from);
    }
    size_t buckets = 32;
    while (buckets < count) {
        buckets *= 2;
    }
    s->size = count, s->mask = buckets - 1;
    s->entries = mem_alloc(m, MEM_TEMPORARY, count * sizeof *s->entries);
    s->buckets = mem_zalloc(m, MEM_TEMPORARY, buckets * sizeof *s->buckets);
    if (s->entries == NULL || s->buckets == NULL) {
        return raise_error(p, A_system_limit);
    }
    return bif_erts_internal_subtract_more_4(p, (term[]){ref, make_boxed(tuple), list, NIL});
}

/* Takes away the elements of `from`, which are few, in the time that there is. */
static term subtract_few(Process *p, term list, term from, term kept) {
    VM *vm = process_vm(p);
    term few[FEW];
    size_t count = 0, limit = steps_left(p), steps = 0;
    for (; is_cons(from) && count < FEW; from = tail(from)) {
        few[count++] = head(from);
    }
    for (; is_cons(list) && count > 0 && steps < limit; list = tail(list), steps++) {
        size_t i = 0;
        for (; i < count && !term_same(vm, few[i], head(list)); i++) {
        }
        if (i == count) {
            kept = heap_cons(HEAP(p), head(list), kept);
        } else { /* order matters not: an element is taken away once for each time it is there */
            few[i] = few[--count];
        }
        steps += count / 4;
    }
    BUMP(p, (intptr_t)(steps / TESTS_PER_REDUCTION));
    if (count > 0 && is_cons(list)) {
        term rest = heap_list(HEAP(p), few, count, NIL);
        return bif_trap(p, BIF_EXPORT(p, erts_internal, subtract_few_more, 3), 3, list, rest, kept);
    }
    return finish(p, kept, list);
}

BIF_REST(subtract_few_more, 3, erlang, "--", 2) { /* what is left of the list, what is taken away, what is kept */
    return subtract_few(p, a[0], a[1], a[2]);
}

static term subtract(Process *p, term list, term from) {
    size_t n = 0, count = 0;
    term l = list, f = from;
    for (; is_cons(l); l = tail(l)) {
        n++;
    }
    for (; is_cons(f); f = tail(f)) {
        count++;
    }
    BUMP(p, (intptr_t)((n + count) / CELLS_PER_REDUCTION));
    if (l != NIL || f != NIL) {
        return raise_badarg(p);
    }
    if (n == 0 || count == 0) {
        return list;
    }
    return count > FEW ? subtract_many(p, list, from, count) : subtract_few(p, list, from, NIL);
}

BIF_AS(erlang, "--", subtract_operator, 2) {
    return subtract(p, a[0], a[1]);
}

BIF(erlang, subtract, 2) {
    return subtract(p, a[0], a[1]);
}
