/* Copying: the copy is its own work list, walked from front to back as a collection walks its new space. */
#include "term/copy.h"

#include <stdlib.h>

#include "base/stack.h"
#include "term/bitstring.h"
#include "term/layout.h"
#include "term/literal.h"

/* A view of so many bits at most is copied as bits of its own: smaller than view and handle, and keeps no buffer alive. */
enum { COPIED_BITS = 8 * 48 };

static size_t bits_words(size_t bits) { /* of a KIND_BITS object */
    return HEAP_BITS_HEAD + (bits + 8 * sizeof(term) - 1) / (8 * sizeof(term));
}

/* What a view becomes when it is copied: bits of its own. Else it is copied with what it is a view of. */
static bool copied_as_bits(const View *v) {
    if (kind_of(v->base) == KIND_BITS) {
        return true;
    }
    return v->end - v->start <= COPIED_BITS && LIKELY(buffer_resource(((const BufferRef *)boxed(v->base))->buffer) == NULL);
}

/* Is this tail the next cell of a list that is copied? */
static inline bool goes_on(const VM *vm, term tail, bool literals_too) {
    return is_cons(tail) && (literals_too || !is_literal_address(vm, cons_cell(tail)));
}

/* Words of all copies below t, each subterm as often as it is mentioned. */
static size_t measure(VM *vm, term t, bool literals_too) {
    Stack s;
    stack_init(&s);
    size_t words = 0;
    term *at = &t;
    size_t n = 1;
    for (;;) {
        while (n > 0) {
            term x = *at++;
            n--;
            if (is_immediate(x)) {
                continue;
            }
            term *p = (term *)(x & ~(term)TAG_MASK), *first;
            if (!literals_too && is_literal_address(vm, p)) {
                continue;
            }
            size_t more;
            if (is_cons(x)) {
                for (words += 2; is_immediate(p[0]) && goes_on(vm, p[1], literals_too); words += 2) {
                    p = cons_cell(p[1]);
                }
                more = 2, first = p;
            } else if (p[0] == HEADER(0, KIND_TUPLE)) {
                continue; /* all share the one */
            } else if (HEADER_KIND(p[0]) == KIND_VIEW && copied_as_bits((View *)p)) {
                words += bits_words(((View *)p)->end - ((View *)p)->start);
                continue;
            } else {
                words += 1 + HEADER_WORDS(p[0]);
                more = object_terms(p, &first);
            }
            if (n > 0 && more > 0) {
                uintptr_t *r = stack_room(&s, 2);
                r[0] = (uintptr_t)at, r[1] = n;
            }
            if (more > 0) {
                at = first, n = more;
            }
        }
        if (stack_is_empty(&s)) {
            stack_done(&s);
            return words;
        }
        uintptr_t *r = s.top -= 2;
        at = (term *)r[0], n = r[1];
    }
}

size_t term_size(VM *vm, term t) {
    return is_immediate(t) ? 0 : measure(vm, t, false);
}

size_t term_flat_size(VM *vm, term t) {
    return is_immediate(t) ? 0 : measure(vm, t, true);
}

/* Where copies of objects are, by address: an entry for every word of the pages that hold objects, since those lie close together.
   Not on anybody's account, like the work stack. */
enum { PAGE_WORDS = 512 };
#define SEEN ((term)TAG_HEADER | 1 << 6) /* an entry: the object has been seen, and not yet copied. NONE: it has not been seen */

typedef struct {
    uintptr_t number; /* 0: no page */
    term *copies;
} Page;

typedef struct {
    Page *at; /* open addressing */
    size_t size, count;
    Page last;
} Seen;

static Page *find_page(Page *at, size_t size, uintptr_t number) {
    for (size_t i = number * (size_t)0x9e3779b97f4a7c15 >> 7;; i++) {
        Page *page = &at[i & (size - 1)];
        if (page->number == 0 || page->number == number) {
            return page;
        }
    }
}

static void *zalloc(size_t n, size_t size) {
    void *p = calloc(n, size);
    if (p == NULL) {
        abort();
    }
    return p;
}

static term *seen_place(Seen *s, const term *p) {
    uintptr_t number = (uintptr_t)p / sizeof(term) / PAGE_WORDS;
    if (number != s->last.number) {
        if (2 * (s->count + 1) > s->size) {
            size_t size = MAX(16, 2 * s->size);
            Page *bigger = zalloc(size, sizeof *bigger);
            for (size_t i = 0; i < s->size; i++) {
                if (s->at[i].number != 0) {
                    *find_page(bigger, size, s->at[i].number) = s->at[i];
                }
            }
            free(s->at);
            s->at = bigger, s->size = size;
        }
        Page *page = find_page(s->at, s->size, number);
        if (page->number == 0) {
            *page = (Page){number, zalloc(PAGE_WORDS, sizeof(term))};
            s->count++;
        }
        s->last = *page;
    }
    return &s->last.copies[(uintptr_t)p / sizeof(term) % PAGE_WORDS];
}

static bool seen_add(Seen *s, const term *p) { /* false: it was there */
    term *place = seen_place(s, p);
    bool new = *place == NONE;
    *place = SEEN;
    return new;
}

static void seen_done(Seen *s) {
    for (size_t i = 0; i < s->size; i++) {
        free(s->at[i].copies);
    }
    free(s->at);
}

/* Words of the objects below t, each counted once: of copies of all, or of what is no literal as it is. */
static size_t shared_words(VM *vm, term t, Seen *seen, bool of_copies) {
    Stack s;
    stack_init(&s);
    stack_push(&s, t);
    size_t words = 0;
    while (!stack_is_empty(&s)) {
        term x = stack_pop(&s);
        if (is_immediate(x)) {
            continue;
        }
        term *p = (term *)(x & ~(term)TAG_MASK), *first;
        if ((!of_copies && is_literal_address(vm, p)) || !seen_add(seen, p)) {
            continue;
        }
        size_t n = 2;
        if (is_cons(x)) {
            words += 2, first = p;
        } else if (of_copies && p[0] == HEADER(0, KIND_TUPLE)) {
            continue;
        } else if (of_copies && HEADER_KIND(p[0]) == KIND_VIEW && copied_as_bits((View *)p)) {
            words += bits_words(((View *)p)->end - ((View *)p)->start);
            continue;
        } else {
            words += 1 + HEADER_WORDS(p[0]);
            n = object_terms(p, &first);
        }
        for (size_t i = 0; i < n; i++) {
            if (!is_immediate(first[i])) {
                stack_push(&s, first[i]);
            }
        }
    }
    stack_done(&s);
    return words;
}

size_t term_shared_size(VM *vm, term t) {
    Seen seen = {0};
    size_t words = shared_words(vm, t, &seen, false);
    seen_done(&seen);
    return words;
}

/* One copy in the making. */
typedef struct {
    VM *vm;
    term *top;
    term off_heap;
    bool literals_too;
    Seen *seen;            /* NULL: an object is copied as often as it is mentioned */
    term *flat, *flat_end; /* the last list that leads nowhere else */
} Copy;

static void copy_bits(Copy *c, const View *v) {
    HeapBits *b = (HeapBits *)c->top;
    size_t bits = v->end - v->start, words = bits_words(bits);
    b->header = HEADER(words - 1, KIND_BITS);
    b->bits = bits;
    c->top += words;
    c->top[-1] = 0; /* no bytes that were never written */
    bitrun_copy(b->data, 0, bits_base(v->base), v->start, bits);
}

static void copy_off_heap(Copy *c, term *at) {
    term object = make_boxed(at);
    if (HEADER_KIND(at[0]) == KIND_BUFFER) {
        BufferRef *r = (BufferRef *)at;
        buffer_share(r->buffer);
        r->writable = false;
    } else {
        resource_keep((Resource *)((Ref *)at)->of);
    }
    *off_heap_next(object) = c->off_heap;
    c->off_heap = object;
}

/* The cells of a list, one behind the other: a tail that leads right behind itself has been copied. (With `seen`, each cell by itself.) */
static void copy_cells(Copy *c, const term *p) {
    term *to = c->top, *from = to;
    bool flat = true;
    for (;;) {
        term first = p[0], rest = p[1];
        flat &= is_immediate(first);
        to[0] = first, to[1] = rest;
        to += 2;
        if (c->seen != NULL || !goes_on(c->vm, rest, c->literals_too)) {
            flat &= is_immediate(rest);
            break;
        }
        to[-1] = make_cons(to);
        p = cons_cell(rest);
    }
    c->top = to;
    if (flat) {
        c->flat = from, c->flat_end = to;
    }
}

/* Copies the object that *slot points to, but not yet what that points to. */
static inline void copy_object(Copy *c, term *slot) {
    term t = *slot;
    if (is_immediate(t)) {
        return;
    }
    const term *p = (term *)(t & ~(term)TAG_MASK);
    if (!c->literals_too && is_literal_address(c->vm, p)) {
        return;
    }
    term *to = c->top;
    if (c->seen != NULL && p[0] != HEADER(0, KIND_TUPLE)) {
        term *copy = seen_place(c->seen, p);
        if (*copy != SEEN) {
            *slot = *copy;
            return;
        }
        *copy = is_cons(t) ? make_cons(to) : make_boxed(to);
    }
    if (is_cons(t)) {
        *slot = make_cons(to);
        copy_cells(c, p);
        return;
    }
    term header = p[0];
    if (header == HEADER(0, KIND_TUPLE)) {
        *slot = literal_empty_tuple(c->vm);
        return;
    }
    *slot = make_boxed(to);
    Kind k = HEADER_KIND(header);
    if (k == KIND_VIEW && copied_as_bits((const View *)p)) {
        copy_bits(c, (const View *)p);
        return;
    }
    assert(k != KIND_MATCH);
    size_t n = HEADER_WORDS(header);
    for (size_t i = 0; i <= n; i++) {
        to[i] = p[i];
    }
    c->top += n + 1;
    if (k == KIND_BUFFER || (k == KIND_REF && n == MAGIC_WORDS - 1)) {
        copy_off_heap(c, to);
    }
}

static term copy_all(Copy *c, term t) {
    term *scan = c->top;
    copy_object(c, &t);
    if (c->flat == scan) {
        scan = c->flat_end;
    }
    while (scan < c->top) {
        term x = *scan;
        if (!is_header(x)) {
            if (x != make_cons(scan + 1)) { /* else the next cell: see copy_cells */
                copy_object(c, scan);
            }
            scan++;
            continue;
        }
        unsigned raw = kind_layout[HEADER_KIND(x)];
        if (raw < LAYOUT_BASE_ONLY) {
            scan += 1 + raw;
            continue;
        }
        if (raw == LAYOUT_BASE_ONLY) {
            copy_object(c, scan + 1);
        }
        scan += 1 + HEADER_WORDS(x);
    }
    return t;
}

term term_copy_at(VM *vm, term *at, term t, bool literals_too, term *off_heap) {
    Copy c = {vm, at, *off_heap, literals_too, NULL, NULL, NULL};
    t = copy_all(&c, t);
    *off_heap = c.off_heap;
    return t;
}

static term copy_to_heap(Heap *to, term t, bool literals_too) {
    if (is_immediate(t) || (!literals_too && is_literal_address(to->vm, (term *)(t & ~(term)TAG_MASK)))) {
        return t;
    }
    term *at = heap_alloc(to, measure(to->vm, t, literals_too));
    if (at == NULL) {
        return heap_no_memory(to);
    }
    term off_heap = NONE;
    t = term_copy_at(to->vm, at, t, literals_too, &off_heap);
    while (off_heap != NONE) {
        term next = *off_heap_next(off_heap);
        heap_link_off_heap(to, off_heap);
        off_heap = next;
    }
    return t;
}

term term_copy_sized(Heap *to, term t, size_t words) {
    assert((size_t)(to->sp - to->top) >= words + HEAP_RESERVE);
    term *at = to->top;
    to->top += words;
    term off_heap = NONE;
    t = term_copy_at(to->vm, at, t, false, &off_heap);
    while (off_heap != NONE) {
        term next = *off_heap_next(off_heap);
        heap_link_off_heap(to, off_heap);
        off_heap = next;
    }
    return t;
}

term term_copy(Heap *to, term t) {
    return copy_to_heap(to, t, false);
}

term term_copy_literals_too(Heap *to, term t) {
    return copy_to_heap(to, t, true);
}

Fragment *term_copy_to_fragment(VM *vm, term t, term *copy) {
    *copy = t;
    size_t words = term_size(vm, t);
    return words == 0 ? NULL : term_copy_sized_to_fragment(vm, t, words, copy);
}

Fragment *term_copy_sized_to_fragment(VM *vm, term t, size_t words, term *copy) {
    Fragment *f = fragment_new(vm, words);
    if (f == NULL) {
        *copy = NONE;
        return NULL;
    }
    *copy = term_copy_at(vm, f->data, t, false, &f->off_heap);
    f->used = f->size;
    return f;
}

static term copy_to_literal(VM *vm, term t, size_t words, Seen *seen, LiteralBlock *block) {
    *block = (LiteralBlock){NULL, 0, NONE};
    if (words == 0) {
        return t;
    }
    Copy c = {vm, literal_alloc(vm, words), NONE, true, seen, NULL, NULL};
    if (c.top == NULL) {
        return NONE;
    }
    term *at = c.top;
    t = copy_all(&c, t);
    *block = (LiteralBlock){at, words, c.off_heap};
    return t;
}

term term_copy_to_literal(VM *vm, term t, LiteralBlock *block) {
    return copy_to_literal(vm, t, term_flat_size(vm, t), NULL, block);
}

term term_copy_shared_to_literal(VM *vm, term t, LiteralBlock *block) {
    Seen seen = {0};
    t = copy_to_literal(vm, t, shared_words(vm, t, &seen, true), &seen, block);
    seen_done(&seen);
    return t;
}
