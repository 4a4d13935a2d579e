/* Room for values: blocks, fragments, what hangs off them, and the reserve for when memory has run out. */
#include "term/heap.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/lock.h"
#include "platform/platform.h"
#include "term/atom.h"
#include "term/bitstring.h"
#include "term/literal.h"

enum { FIRST_FRAGMENT = 32, LARGEST_GROWTH = 16 * 1024 }; /* words */

/* The emergency reserve: a reserved range, cut into fragments of HEAP_SURE words, that costs nothing until it is touched. A
   process that has drawn on it dies at its next boundary, and gives it back. */
typedef struct Reserve {
    Lock lock;
    uint8_t *start, *end;
    uint8_t *top; /* above: never used */
    Fragment *free;
} Reserve;
enum { RESERVE_STEP = sizeof(Fragment) + HEAP_SURE * sizeof(term) };

bool reserve_init(VM *vm) {
    Reserve *r = MEM_NEW(&vm->mem, MEM_SYSTEM, Reserve);
    if (r == NULL) {
        return false;
    }
    size_t size = sizeof(term) == 8 ? 32 << 20 : 1 << 20;
    while ((r->start = platform_reserve(size)) == NULL && size > 2 * RESERVE_STEP) {
        size /= 2;
    }
    if (r->start == NULL) {
        MEM_DELETE(&vm->mem, MEM_SYSTEM, r);
        return false;
    }
    r->top = r->start, r->end = r->start + size;
    vm->reserve = r;
    return true;
}

void reserve_done(VM *vm) {
    Reserve *r = vm->reserve;
    if (r != NULL) {
        platform_release(r->start, (size_t)(r->end - r->start));
        MEM_DELETE(&vm->mem, MEM_SYSTEM, r);
        vm->reserve = NULL;
    }
}

static Fragment *reserve_take(VM *vm) {
    Reserve *r = vm->reserve;
    lock_take(&r->lock);
    Fragment *f = r->free;
    if (f != NULL) {
        r->free = f->next;
    } else if ((size_t)(r->end - r->top) >= RESERVE_STEP) {
        f = (Fragment *)r->top;
        r->top += RESERVE_STEP;
    }
    lock_give(&r->lock);
    if (f == NULL) { /* one call of a built-in has used up all of it: nothing is left to go on with */
        static const char message[] = "mote: out of memory\n";
        platform_write(2, message, sizeof message - 1);
        abort();
    }
    f->size = HEAP_SURE;
    return f;
}

static bool reserve_give(VM *vm, Fragment *f) {
    Reserve *r = vm->reserve;
    if ((uint8_t *)f < r->start || (uint8_t *)f >= r->end) {
        return false;
    }
    lock_take(&r->lock);
    f->next = r->free, r->free = f;
    lock_give(&r->lock);
    return true;
}

/* Blocks. */

bool heap_init(Heap *h, VM *vm, size_t words) {
    words = MAX(words, HEAP_RESERVE + 7); /* with the C library's own word: a multiple of 16 bytes */
    heap_init_detached(h, vm);
    h->start = mem_alloc(&vm->mem, MEM_HEAP, words * sizeof(term));
    if (h->start == NULL) {
        return false;
    }
    h->top = h->mark = h->start;
    h->sp = h->end = h->start + words;
    heap_limit_fragments(h, words);
    h->last_reds = INT32_MIN, h->survival = 128;
    return true;
}

void heap_init_detached(Heap *h, VM *vm) {
    memset(h, 0, sizeof *h);
    h->vm = vm;
    h->off_heap = NONE;
    h->fragment_limit = WORD_BITS - 1; /* never */
}

void heap_done(Heap *h) {
    Mem *mem = &h->vm->mem;
    off_heap_release(h->vm, h->off_heap);
    heap_free_fragments(h->vm, h->fragments);
    if (h->start != NULL) {
        size_t size = (size_t)(h->end - h->start) * sizeof(term);
        HEAP_POISON(h->start, size);
        mem_free(mem, MEM_HEAP, h->start, size);
    }
    if (h->old != NULL) {
        OldHeap *o = h->old;
        off_heap_release(h->vm, o->off_heap);
        size_t size = sizeof *o + (size_t)(o->end - o->start) * sizeof(term);
        HEAP_POISON(o, size);
        mem_free(mem, MEM_HEAP, o, size);
    }
    heap_init_detached(h, h->vm);
}

/* Fragments. */

Fragment *fragment_new(VM *vm, size_t words) {
    if (words > UINT32_MAX) {
        return NULL;
    }
    Fragment *f = mem_alloc(&vm->mem, MEM_HEAP, sizeof *f + words * sizeof(term));
    if (f != NULL) {
        f->next = NULL, f->off_heap = NONE;
        f->size = (uint32_t)words, f->used = 0;
    }
    return f;
}

size_t fragments_bytes(const Fragment *f) {
    size_t bytes = 0;
    for (; f != NULL; f = f->next) {
        bytes += sizeof *f + f->size * sizeof(term);
    }
    return bytes;
}

static Fragment *new_fragment(Heap *h, size_t words) {
    size_t size = words;
    if (h->fragments != NULL || h->start != NULL) { /* a detached heap's first fragment is exact: it often is a whole message */
        size_t grown = h->fragments == NULL ? FIRST_FRAGMENT : 2 * (size_t)h->fragments->size;
        size = MAX(words, MIN(MAX(grown, FIRST_FRAGMENT), LARGEST_GROWTH));
    }
    Fragment *f = fragment_new(h->vm, size);
    if (f == NULL && size > words) {
        f = fragment_new(h->vm, words);
    }
    if (f == NULL && words <= HEAP_SURE) {
        f = reserve_take(h->vm);
        f->off_heap = NONE, f->used = 0;
        h->doomed = true;
    }
    return f;
}

term *heap_alloc_fragment(Heap *h, size_t words) {
    Fragment *f = h->fragments;
    if (f == NULL || f->size - f->used < words) {
        f = new_fragment(h, words);
        if (f == NULL) {
            return NULL;
        }
        f->next = h->fragments, h->fragments = f;
        h->fragment_words += f->size;
    }
    term *p = f->data + f->used;
    f->used += (uint32_t)words;
    return p;
}

void heap_release(Heap *h, term *from, term *end) {
    assert(from <= end);
    Fragment *f = h->fragments;
    if (end == h->top && h->start <= from) {
        h->top = from;
    } else if (f != NULL && end == f->data + f->used && from >= f->data) {
        f->used -= (uint32_t)(end - from);
    } else {
        assert(from == end);
    }
}

Fragment *heap_detach(Heap *h) {
    Fragment *f = h->fragments;
    h->fragments = NULL;
    h->fragment_words = 0;
    return f;
}

static size_t buffer_weight(term object) {
    const term *p = boxed(object);
    return HEADER_KIND(p[0]) == KIND_BUFFER ? ((const BufferRef *)p)->buffer->capacity / HEAP_BUFFER_WEIGHT : 0;
}

void heap_adopt(Heap *h, Fragment *f) {
    if (f == NULL) {
        return;
    }
    Fragment *last = f;
    for (Fragment *i = f; i != NULL; last = i, i = i->next) {
        h->fragment_words += i->size;
        for (term t = i->off_heap; t != NONE; t = *off_heap_next(t)) {
            h->fragment_words += buffer_weight(t);
        }
    }
    if (h->fragments == NULL) {
        h->fragments = f;
    } else { /* behind the one that is being filled */
        last->next = h->fragments->next;
        h->fragments->next = f;
    }
}

void heap_free_fragments(VM *vm, Fragment *f) {
    for (Fragment *next; f != NULL; f = next) {
        next = f->next;
        off_heap_release(vm, f->off_heap);
        HEAP_POISON(f->data, f->size * sizeof(term));
        if (!reserve_give(vm, f)) {
            mem_free(&vm->mem, MEM_HEAP, f, sizeof *f + f->size * sizeof(term));
        }
    }
}

/* What hangs off a heap. */

void heap_link_off_heap(Heap *h, term object) {
    const term *p = boxed(object);
    term *list = &h->off_heap;
    if (p < h->start || p >= h->end) {
        Fragment *f = h->fragments;
        while (p < f->data || p >= f->data + f->size) {
            f = f->next;
            assert(f != NULL);
        }
        list = &f->off_heap;
    }
    *off_heap_next(object) = *list;
    *list = object;
    h->fragment_words += buffer_weight(object);
}

void off_heap_release(VM *vm, term list) {
    while (list != NONE) {
        term *p = boxed(list), next = *off_heap_next(list);
        if (HEADER_KIND(p[0]) == KIND_BUFFER) {
            buffer_release(vm, ((BufferRef *)p)->buffer);
        } else {
            resource_release(vm, (Resource *)((Ref *)p)->of);
        }
        list = next;
    }
}

void resource_release(VM *vm, Resource *r) {
    if (__atomic_sub_fetch(&r->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        r->destroy(vm, r);
    }
}

term heap_buffer_ref(Heap *h, Buffer *b, bool writable) {
    BufferRef *r = (BufferRef *)heap_alloc(h, BUFFER_WORDS);
    *r = (BufferRef){HEADER(BUFFER_WORDS - 1, KIND_BUFFER), b, writable, NONE};
    term object = make_boxed(r);
    heap_link_off_heap(h, object);
    return object;
}

/* Constructors. */

term heap_no_memory(Heap *h) {
    return heap_fail(h, A_system_limit);
}

term heap_tuple(Heap *h, size_t arity, ...) {
    if (arity == 0) {
        return literal_empty_tuple(h->vm);
    }
    term *p = heap_alloc(h, 1 + arity);
    p[0] = HEADER(arity, KIND_TUPLE);
    va_list args;
    va_start(args, arity);
    for (size_t i = 1; i <= arity; i++) {
        p[i] = va_arg(args, term);
    }
    va_end(args);
    return make_boxed(p);
}

/* A list of n cells at p; the caller fills in their heads. */
static term *link_cells(term *p, size_t n, term tail) {
    for (size_t i = 0; i < n; i++) {
        p[2 * i + 1] = make_cons(p + 2 * i + 2);
    }
    p[2 * n - 1] = tail;
    return p;
}

term heap_list(Heap *h, const term *at, size_t n, term tail) {
    if (n == 0) {
        return tail;
    }
    term *p = heap_alloc(h, 2 * n);
    if (p == NULL) {
        return heap_no_memory(h);
    }
    link_cells(p, n, tail);
    for (size_t i = 0; i < n; i++) {
        p[2 * i] = at[i];
    }
    return make_cons(p);
}

term heap_latin1_list(Heap *h, const char *s, size_t n) {
    if (n == 0) {
        return NIL;
    }
    term *p = heap_alloc(h, 2 * n);
    if (p == NULL) {
        return heap_no_memory(h);
    }
    link_cells(p, n, NIL);
    for (size_t i = 0; i < n; i++) {
        p[2 * i] = SMALL((uint8_t)s[i]);
    }
    return make_cons(p);
}
