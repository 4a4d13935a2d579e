/* Garbage collection: copying, by two generations, with one loop for all ways to do it.

   The new spaces are their own work lists (Cheney): objects are copied to their ends, and the part that has not been walked
   yet is the work that is left. A moved object leaves its new address in its first word; a cell leaves NONE and the
   address in the second.

   Where the pointer in hand goes is decided by ranges. Nothing old points to anything younger, so what is reached from
   the old space goes to the old space. While little is alive there is one generation: see GENERATIONAL_MIN. */
#include "term/gc.h"

#include "platform/platform.h"
#include "term/bitstring.h"
#include "term/layout.h"
#include "term/literal.h"

/* In words. */
enum {
    GENERATIONAL_MIN = 2048,  /* less than that alive: it is quicker to copy it every time */
    HOT_MAX = 8 * 1024,       /* a block grows up to this only for the sake of fewer collections */
    NURSERY_MAX = 128 * 1024, /* the same, with a large old generation */
    SHRINK_MIN = 16 * 1024,   /* smaller blocks are not worth shrinking */
    OLD_MIN = 4 * GENERATIONAL_MIN,
    LARGE_MIN = 512 * 1024, /* blocks to be backed by large pages */
    WORDS_PER_REDUCTION = 32,
};
enum { HOT_REDUCTIONS = 500, HOTTEST = 5, OLD_BUFFERS_MIN = 1 << 20, SHRUNK_MIN = 1 << 10 };

typedef enum {
    SINGLE,  /* everything to one new block: there is no old space afterwards */
    MINOR,   /* below the mark to the old space, the rest to a new young block */
    PROMOTE, /* all that is young to the old space: nearly everything lives, so do not copy it twice */
    MAJOR,   /* the old space and what is below the mark to a new old space, the rest to a new young block */
} Mode;

typedef struct {
    uintptr_t at, size;
} Range;

static inline Range range(const term *from, const term *to) {
    return (Range){(uintptr_t)from, (uintptr_t)to - (uintptr_t)from};
}
static inline bool in_range(Range r, const term *p) {
    return (uintptr_t)p - r.at < r.size;
}

#define INLINE static inline __attribute__((always_inline))

/* Literals that are to be copied to the heap. They belong to others, too, and may not be written: where an object went is in
   a table beside them. */
typedef struct {
    const term *at;
    term *moved; /* by word of the block: the pointer to the copy, or NONE */
    size_t words;
    term off_heap; /* copies that are off-heap objects */
} Leaving;

/* What does not change while objects are moved. What is in none of the ranges is in a fragment, and young. */
typedef struct {
    Range fresh;  /* young, above the mark */
    Range mature; /* young, below the mark */
    Range old;
    Range literals;
    Leaving *leaving; /* only in SINGLE mode; else NULL */
} Spaces;

INLINE term *move_cell(term *slot, term *p, term *to) {
    term first = p[0];
    if (first == NONE) {
        *slot = p[1];
        return to;
    }
    term cell = make_cons(to);
    to[0] = first, to[1] = p[1];
    p[0] = NONE, p[1] = cell;
    *slot = cell;
    return to + 2;
}

INLINE term *move_boxed(term *slot, term *p, term *to) {
    term header = p[0];
    if (!is_header(header)) {
        *slot = header;
        return to;
    }
    size_t n = HEADER_WORDS(header);
    term object = make_boxed(to);
    *slot = object;
    p[0] = object;
    *to++ = header;
    if (UNLIKELY(n > 32)) {
        memcpy(to, p + 1, n * sizeof *to);
        return to + n;
    }
    while (n-- > 0) {
        *to++ = *++p;
    }
    return to;
}

INLINE term *move(term *slot, term t, term *p, term *to) {
    return is_cons(t) ? move_cell(slot, p, to) : move_boxed(slot, p, to);
}

static NOINLINE term *move_leaving(Leaving *l, term *slot, term t, const term *p, term *to) {
    if (p < l->at || p >= l->at + l->words) {
        return to;
    }
    term *moved = &l->moved[p - l->at];
    if (*moved == NONE) {
        size_t words = is_cons(t) ? 2 : 1 + HEADER_WORDS(p[0]);
        memcpy(to, p, words * sizeof *to);
        *moved = is_cons(t) ? make_cons(to) : make_boxed(to);
        bool buffer = is_boxed(t) && HEADER_KIND(p[0]) == KIND_BUFFER;
        if (buffer || is_magic_ref(t)) {
            if (buffer) {
                buffer_share(((BufferRef *)to)->buffer);
                ((BufferRef *)to)->writable = false;
            } else {
                resource_keep((Resource *)((Ref *)to)->of);
            }
            *off_heap_next(*moved) = l->off_heap;
            l->off_heap = *moved;
        }
        to += words;
    }
    *slot = *moved;
    return to;
}

/* Moves what the slot points to, if it is to be moved. With from_old the slot is in the old space. */
INLINE void visit(const Spaces *s, const Mode mode, const bool from_old, term *slot, term t, term **young, term **old) {
    term *p = (term *)(t & ~(term)TAG_MASK);
    if (from_old && mode != PROMOTE) {
        if (in_range(s->mature, p) || (mode == MAJOR && in_range(s->old, p))) {
            *old = move(slot, t, p, *old);
        }
        return;
    }
    if (LIKELY(in_range(s->fresh, p))) {
        if (mode == PROMOTE) {
            *old = move(slot, t, p, *old);
        } else {
            *young = move(slot, t, p, *young);
        }
        return;
    }
    if (in_range(s->literals, p)) {
        if (mode == SINGLE && UNLIKELY(s->leaving != NULL)) {
            *young = move_leaving(s->leaving, slot, t, p, *young);
        }
        return;
    }
    if (mode == PROMOTE) {
        if (!in_range(s->old, p)) {
            *old = move(slot, t, p, *old);
        }
        return;
    }
    if (mode == MINOR || mode == MAJOR) {
        if (in_range(s->mature, p)) {
            *old = move(slot, t, p, *old);
            return;
        }
        if (in_range(s->old, p)) {
            if (mode == MAJOR) {
                *old = move(slot, t, p, *old);
            }
            return;
        }
    }
    *young = move(slot, t, p, *young);
}

/* Walks a new space from `scan` to its growing end. */
INLINE void walk(const Spaces *s, const Mode mode, const bool from_old, term *scan, term **young, term **old) {
    term *y = *young, *o = *old;
    while (scan < (from_old ? o : y)) {
        term t = *scan;
        if (is_immediate(t)) {
            scan++;
        } else if (!is_header(t)) {
            visit(s, mode, from_old, scan, t, &y, &o);
            scan++;
        } else {
            unsigned raw = kind_layout[HEADER_KIND(t)];
            if (LIKELY(raw < LAYOUT_BASE_ONLY)) {
                scan += 1 + raw;
                continue;
            }
            if (raw == LAYOUT_BASE_ONLY) {
                visit(s, mode, from_old, scan + 1, scan[1], &y, &o);
            }
            scan += 1 + HEADER_WORDS(t);
        }
    }
    *young = y, *old = o;
}

/* The growing ends of the new spaces. */
typedef struct {
    term *young, *old;
} Ends;

/* Slots outside the new spaces. On the stack there are return addresses, too. */
INLINE Ends visit_slots(const Spaces *s, const Mode mode, term *at, size_t n, Ends ends) {
    term *y = ends.young, *o = ends.old;
    for (size_t i = 0; i < n; i++) {
        term t = at[i];
        if (!is_immediate(t) && !is_header(t)) {
            visit(s, mode, false, at + i, t, &y, &o);
        }
    }
    return (Ends){y, o};
}

typedef struct {
    Heap *heap;
    const Roots *roots;
    size_t nroots;
    term *block; /* of `words` words; PROMOTE: the one that is there */
    size_t words;
    term *young;  /* end of what has been moved to the block */
    OldHeap *old; /* where old objects go; NULL in SINGLE mode */
    term *sp;
    Leaving *leaving;
} Collection;

typedef Ends VisitRoots(const Spaces *s, term *at, size_t n, Ends ends);

INLINE void move_all(Collection *c, const Mode mode, VisitRoots *visit_roots) {
    Heap *h = c->heap;
    const VM *vm = h->vm;
    term *mark = mode == MINOR || mode == MAJOR ? h->mark : h->start;
    Spaces s = {range(mark, h->top), range(h->start, mark), {0, 0}, {vm->literal_start, vm->literal_end - vm->literal_start}, c->leaving};
    if (h->old != NULL) {
        s.old = range(h->old->start, h->old->top);
    }
    Ends ends = {c->block, mode == SINGLE ? NULL : c->old->top};
    ends = visit_roots(&s, c->sp, (size_t)(c->block + c->words - c->sp), ends);
    for (size_t i = 0; i < c->nroots; i++) {
        ends = visit_roots(&s, c->roots[i].at, c->roots[i].count, ends);
    }
    if (mode != PROMOTE) {
        walk(&s, mode, false, c->block, &ends.young, &ends.old);
    }
    if (mode != SINGLE) {
        walk(&s, mode, true, c->old->top, &ends.young, &ends.old);
    }
    c->young = ends.young;
    if (mode != SINGLE) {
        c->old->top = ends.old;
    }
}

/* The modes, each with its own loops. */
#define MODE(name, mode)                                                                \
    static NOINLINE Ends visit_##name(const Spaces *s, term *at, size_t n, Ends ends) { \
        return visit_slots(s, mode, at, n, ends);                                       \
    }                                                                                   \
    static NOINLINE void move_##name(Collection *c) {                                   \
        move_all(c, mode, visit_##name);                                                \
    }
MODE(single, SINGLE)
MODE(minor, MINOR)
MODE(promote, PROMOTE)
MODE(major, MAJOR)

/* A buffer that was made to be appended to and has come into the old space keeps a quarter of what it holds as room. */
static void shrink_buffer(VM *vm, term object) {
    BufferRef *r = (BufferRef *)boxed(object);
    if (HEADER_KIND(r->header) != KIND_BUFFER || !r->writable || buffer_refs(r->buffer) != 1) {
        return;
    }
    size_t bytes = (r->buffer->used + 7) / 8;
    if (r->buffer->capacity - bytes > bytes / 4 + SHRUNK_MIN) {
        Buffer *b = buffer_resize(vm, r->buffer, bytes + bytes / 4);
        r->buffer = b != NULL ? b : r->buffer;
    }
}

/* Links the moved objects of a list into the lists of their new spaces and releases the others; returns the bytes of
   buffers that stay with the young ones. */
static size_t sweep(Collection *c, term list, term *young_list) {
    size_t bytes = 0;
    OldHeap *old = c->old;
    while (list != NONE) {
        term *p = boxed(list);
        term object = p[0];
        if (is_header(object)) {
            term next = *off_heap_next(list);
            *off_heap_next(list) = NONE;
            off_heap_release(c->heap->vm, list);
            list = next;
            continue;
        }
        uintptr_t *link = off_heap_next(object);
        list = *link; /* copied with the object */
        if (old != NULL && boxed(object) >= old->start && boxed(object) < old->end) {
            *link = old->off_heap, old->off_heap = object;
            shrink_buffer(c->heap->vm, object);
            old->buffer_bytes += buffer_bytes(object);
        } else {
            *link = *young_list, *young_list = object;
            bytes += buffer_bytes(object);
        }
    }
    return bytes;
}

static void free_old(VM *vm, OldHeap *o) {
    if (o != NULL) {
        size_t size = sizeof *o + (size_t)(o->end - o->start) * sizeof(term);
        HEAP_POISON(o, size);
        mem_free(&vm->mem, MEM_HEAP, o, size);
    }
}

/* For large blocks half of the time would go into the system's giving out pages one by one. */
static void expect_use(term *block, size_t words) {
    if (words >= LARGE_MIN) {
        platform_large_pages(block, words * sizeof *block);
    }
}

/* What will do when there is no memory for so many words. Room for a few more allocations only would be worse than none: everything
   would be moved again for each of them. */
static size_t fewer(size_t words, size_t at_least) {
    return MIN(words, at_least + at_least / 8);
}

static OldHeap *new_old(VM *vm, size_t words, size_t at_least) {
    for (at_least = fewer(words, at_least);; words = at_least) {
        OldHeap *o = mem_alloc(&vm->mem, MEM_HEAP, sizeof *o + words * sizeof(term));
        if (o != NULL) {
            *o = (OldHeap){.start = (term *)(o + 1), .off_heap = NONE, .buffer_limit = OLD_BUFFERS_MIN};
            o->top = o->start, o->end = o->limit = o->start + words;
            expect_use(o->start, words);
            return o;
        }
        if (words <= at_least) {
            return NULL;
        }
    }
}

static term *new_block(VM *vm, size_t *words, size_t at_least) {
    for (at_least = fewer(*words, at_least);; *words = at_least) {
        term *p = mem_alloc(&vm->mem, MEM_HEAP, *words * sizeof *p);
        if (p != NULL) {
            expect_use(p, *words);
            return p;
        }
        if (*words <= at_least) {
            return NULL;
        }
    }
}

static void free_block(Heap *h) {
    size_t size = (size_t)(h->end - h->start) * sizeof(term);
    HEAP_POISON(h->start, size);
    mem_free(&h->vm->mem, MEM_HEAP, h->start, size);
}

/* Moves everything and makes the new spaces the heap's. Memory has been allocated: this cannot fail. Returns how many words
   were moved. */
static size_t run(Collection *c, Mode mode) {
    Heap *h = c->heap;
    size_t stack = (size_t)(h->end - h->sp);
    term *old_top = mode == SINGLE ? NULL : c->old->top;
    c->sp = c->block + c->words - stack;
    if (mode == PROMOTE) {
        c->sp = h->sp;
    } else {
        memcpy(c->sp, h->sp, stack * sizeof *c->sp);
    }
    switch (mode) {
    case SINGLE: move_single(c); break;
    case MINOR: move_minor(c); break;
    case PROMOTE: move_promote(c); break;
    case MAJOR: move_major(c); break;
    }
    assert(c->young <= c->sp);
    assert(c->old == NULL || c->old->top <= c->old->end);
    term list = NONE;
    size_t bytes = sweep(c, h->off_heap, &list);
    for (Fragment *f = h->fragments; f != NULL; f = f->next) {
        bytes += sweep(c, f->off_heap, &list);
        f->off_heap = NONE;
    }
    if (h->old != NULL && h->old != c->old) {
        bytes += sweep(c, h->old->off_heap, &list);
        free_old(h->vm, h->old);
    }
    if (c->leaving != NULL) {
        for (term t = c->leaving->off_heap; t != NONE;) {
            uintptr_t *link = off_heap_next(t);
            term next = *link;
            *link = list, list = t;
            t = next;
        }
    }
    heap_free_fragments(h->vm, h->fragments);
    size_t moved = (size_t)(c->young - c->block) + (mode == SINGLE ? 0 : (size_t)(c->old->top - old_top));
    if (mode == PROMOTE) {
        HEAP_POISON(h->start, (size_t)(h->top - h->start) * sizeof(term));
    } else {
        free_block(h);
    }
    h->start = c->block, h->end = c->block + c->words;
    h->top = c->young, h->sp = c->sp;
    h->old = c->old;
    h->off_heap = list;
    h->fragments = NULL, h->fragment_words = 0;
    heap_limit_fragments(h, MAX(c->words, bytes / HEAP_BUFFER_WEIGHT));
    bool generational = h->old != NULL || h->top - h->start > GENERATIONAL_MIN;
    h->mark = generational ? h->top : h->start;
    return moved;
}

/* Block sizes: each is the sum of the two before, later 20 % more; the numbers that process_info shows on OTP. */
size_t gc_next_size(size_t words) {
    size_t before = 12, size = 38;
    if (words <= before) {
        return before;
    }
    while (size < words && size < 1200000) {
        size_t next = before + size + 1;
        before = size, size = next;
    }
    while (size < words) {
        size += size / 5;
    }
    return size;
}

static size_t fragments_used(const Heap *h) {
    size_t n = 0;
    for (const Fragment *f = h->fragments; f != NULL; f = f->next) {
        n += f->used;
    }
    return n;
}

static size_t old_used(const Heap *h) {
    return h->old == NULL ? 0 : (size_t)(h->old->top - h->old->start);
}

/* The block that suits so many words alive in it (with the stack). */
static size_t wanted_size(const Heap *h, size_t live, const GcRequest *r) {
    size_t factor = live < 4096 ? 4 : live < 65536 ? 3 : 2;
    size_t words = live * factor + r->need + HEAP_RESERVE;
    size_t hot = h->heat == 0 ? 0 : MIN(MAX(r->min_words, 233) << h->heat, (size_t)HOT_MAX);
    words = MAX(words, MAX(hot, r->min_words));
    return gc_next_size(MAX(words, MIN(old_used(h) / 8, (size_t)NURSERY_MAX)));
}

/* A block in which `bound` words fit with the need; larger if most of `young` words are expected to survive. */
static size_t choose_size(const Heap *h, size_t bound, size_t young, size_t stack, const GcRequest *r) {
    size_t current = (size_t)(h->end - h->start);
    size_t wanted = wanted_size(h, young / 256 * h->survival + young % 256 * h->survival / 256 + stack, r);
    size_t size = wanted > current ? wanted : current > 4 * wanted ? 2 * wanted : current;
    size = MAX(size, r->min_words);
    if (r->max_words > 0) { /* room to spare is not what a process dies of */
        size_t most = r->max_words - r->max_words / 4;
        size = MIN(size, most - MIN(most, old_used(h) + (size_t)(h->mark - h->start)));
    }
    return MAX(size, bound);
}

static void note_heat(Heap *h) {
    int64_t since = (int64_t)h->last_reds - h->reds;
    if (since >= 0 && since < HOT_REDUCTIONS) {
        h->heat += h->heat < HOTTEST;
    } else {
        h->heat -= h->heat > 0;
    }
}

/* Everything into one block: of the size that suits it, or, to shrink, the smallest possible one. */
static GcResult collect_single(Heap *h, const GcRequest *r, const Roots *roots, size_t nroots, size_t *moved) {
    size_t stack = (size_t)(h->end - h->sp), young = (size_t)(h->top - h->start) + fragments_used(h);
    size_t leaving = r->leaving != NULL ? r->leaving->words : 0;
    size_t all = young + old_used(h), bound = all + leaving + stack + r->need + HEAP_RESERVE;
    size_t size = r->shrink ? MAX(bound, r->min_words) : choose_size(h, bound, all, stack, r);
    Collection c = {.heap = h, .roots = roots, .nroots = nroots};
    c.block = new_block(h->vm, &size, bound);
    if (c.block == NULL) {
        return GC_NO_MEMORY;
    }
    c.words = size;
    Leaving l = {.words = leaving, .off_heap = NONE};
    if (leaving > 0) {
        l.at = r->leaving->at;
        l.moved = mem_zalloc(&h->vm->mem, MEM_TEMPORARY, leaving * sizeof(term));
        if (l.moved == NULL) {
            mem_free(&h->vm->mem, MEM_HEAP, c.block, size * sizeof(term));
            return GC_NO_MEMORY;
        }
        c.leaving = &l;
    }
    *moved = run(&c, SINGLE);
    if (leaving > 0) {
        mem_free(&h->vm->mem, MEM_TEMPORARY, l.moved, leaving * sizeof(term));
    }
    h->survival = (uint8_t)(all == 0 ? 128 : MIN(*moved, all) * 255 / all);
    return GC_OK;
}

/* Limits of the old space after a full sweep: the next one is due when it has doubled; later if this one found little to
   throw away. */
static void set_limits(OldHeap *o, size_t swept) {
    size_t live = (size_t)(o->top - o->start);
    size_t limit = MAX(live > swept / 4 * 3 ? 4 * live : 2 * live, (size_t)OLD_MIN);
    o->limit = o->start + MIN(limit, (size_t)(o->end - o->start));
    o->buffer_limit = MAX(2 * o->buffer_bytes, (size_t)OLD_BUFFERS_MIN);
}

static GcResult collect_major(Heap *h, const GcRequest *r, const Roots *roots, size_t nroots, size_t *moved) {
    size_t stack = (size_t)(h->end - h->sp), fresh = (size_t)(h->top - h->mark) + fragments_used(h);
    size_t old = old_used(h) + (size_t)(h->mark - h->start), bound = fresh + stack + r->need + HEAP_RESERVE;
    size_t size = choose_size(h, bound, fresh, stack, r);
    Collection c = {.heap = h, .roots = roots, .nroots = nroots};
    c.old = new_old(h->vm, MAX(old * 3 + fresh, (size_t)OLD_MIN), old);
    c.block = c.old == NULL ? NULL : new_block(h->vm, &size, bound);
    if (c.block == NULL) {
        free_old(h->vm, c.old);
        return GC_NO_MEMORY;
    }
    c.words = size;
    *moved = run(&c, MAJOR);
    set_limits(h->old, old);
    return GC_OK;
}

static GcResult collect_minor(Heap *h, const GcRequest *r, const Roots *roots, size_t nroots, size_t *moved) {
    size_t stack = (size_t)(h->end - h->sp), young = (size_t)(h->top - h->start) + fragments_used(h);
    size_t mature = (size_t)(h->mark - h->start), bound = young - mature + stack + r->need + HEAP_RESERVE;
    /* Most of it lives, and the block will do: move all of it for good. */
    size_t current = (size_t)(h->end - h->start);
    bool promote = h->survival > 192 && stack + r->need + HEAP_RESERVE <= current / 2 && wanted_size(h, stack, r) <= 2 * current;
    size_t to_old = promote ? young : mature;
    OldHeap *fresh_old = NULL;
    if (h->old == NULL && to_old > 0) {
        fresh_old = new_old(h->vm, MAX(4 * to_old, (size_t)OLD_MIN), to_old);
        if (fresh_old == NULL) {
            return GC_NO_MEMORY;
        }
    }
    Collection c = {.heap = h, .roots = roots, .nroots = nroots, .old = fresh_old != NULL ? fresh_old : h->old};
    if (promote) {
        c.block = h->start, c.words = current;
    } else {
        size_t size = choose_size(h, bound, young, stack, r);
        c.block = new_block(h->vm, &size, bound);
        c.words = size;
        if (c.block == NULL) {
            free_old(h->vm, fresh_old);
            return GC_NO_MEMORY;
        }
    }
    *moved = run(&c, promote ? PROMOTE : MINOR);
    h->survival = (uint8_t)(young == 0 ? 128 : *moved * 255 / young);
    return GC_OK;
}

/* The block is much too large for what lives in it, or larger than it may be: move that once more, to a smaller one. */
static void shrink_block(Heap *h, const GcRequest *r, const Roots *roots, size_t nroots) {
    size_t live = (size_t)(h->top - h->start) + (size_t)(h->end - h->sp), current = (size_t)(h->end - h->start);
    size_t size = MAX(live + r->need + HEAP_RESERVE, r->min_words);
    if (r->max_words > 0 && current + old_used(h) > r->max_words && size + old_used(h) <= r->max_words) {
        size = MIN(2 * size, r->max_words - old_used(h));
    } else if (!r->shrink) {
        if (current < SHRINK_MIN || current <= 4 * wanted_size(h, live, r)) {
            return;
        }
        size = MAX(size, wanted_size(h, live, r));
    }
    if (size >= current) {
        return;
    }
    Collection c = {.heap = h, .roots = roots, .nroots = nroots, .old = h->old, .words = size};
    c.block = mem_alloc(&h->vm->mem, MEM_HEAP, size * sizeof(term));
    if (c.block != NULL) {
        h->mark = h->start;
        run(&c, h->old == NULL ? SINGLE : MINOR);
    }
}

GcResult gc_collect(Heap *h, const GcRequest *r, const Roots *roots, size_t nroots) {
    assert(h->start <= h->mark && h->mark <= h->top && h->top <= h->sp && h->sp <= h->end);
    note_heat(h);
    size_t mature = (size_t)(h->mark - h->start), before = old_used(h);
    size_t to_old = h->survival > 192 ? (size_t)(h->top - h->start) + fragments_used(h) : mature;
    OldHeap *o = h->old;
    bool full = r->full || r->shrink ||
                (o != NULL && (o->top > o->limit || o->buffer_bytes > o->buffer_limit || (size_t)(o->end - o->top) < to_old));
    size_t moved = 0;
    GcResult result;
    if (r->shrink || r->leaving != NULL || (o == NULL && mature == 0) || (full && before + mature < GENERATIONAL_MIN)) {
        result = collect_single(h, r, roots, nroots, &moved);
    } else if (full) {
        result = collect_major(h, r, roots, nroots, &moved);
    } else {
        result = collect_minor(h, r, roots, nroots, &moved);
    }
    if (result != GC_OK) {
        return result;
    }
    shrink_block(h, r, roots, nroots);
    h->reds -= (intptr_t)(moved / WORDS_PER_REDUCTION);
    h->last_reds = (int32_t)MAX(MIN(h->reds, (intptr_t)INT32_MAX), (intptr_t)INT32_MIN);
    bool too_large = r->max_words > 0 && (size_t)(h->end - h->start) + old_used(h) > r->max_words;
    return too_large ? GC_TOO_LARGE : GC_OK;
}

static bool words_mention(const term *at, const term *end, Range r) {
    for (; at < end; at++) {
        unsigned tag = *at & TAG_MASK;
        if (in_range(r, (const term *)(*at - tag)) && (tag == TAG_CONS || tag == TAG_BOXED)) {
            return true;
        }
    }
    return false;
}

bool gc_mentions(const Heap *h, const Roots *roots, size_t nroots, const LiteralBlock *leaving) {
    Range r = range(leaving->at, leaving->at + leaving->words);
    bool found = words_mention(h->start, h->top, r) || words_mention(h->sp, h->end, r) ||
                 (h->old != NULL && words_mention(h->old->start, h->old->top, r));
    for (const Fragment *f = h->fragments; f != NULL && !found; f = f->next) {
        found = words_mention(f->data, f->data + f->used, r);
    }
    for (size_t i = 0; i < nroots && !found; i++) {
        found = words_mention(roots[i].at, roots[i].at + roots[i].count, r);
    }
    return found;
}

HeapSizes gc_sizes(const Heap *h) {
    HeapSizes s = {
        .heap_block = (size_t)(h->end - h->start),
        .heap_used = (size_t)(h->top - h->start),
        .stack = (size_t)(h->end - h->sp),
    };
    if (h->old != NULL) {
        s.old_block = (size_t)(h->old->limit - h->old->start); /* what lies beyond has never been touched */
        s.old_used = old_used(h);
        s.buffer_bytes = h->old->buffer_bytes;
    }
    for (term t = h->off_heap; t != NONE; t = *off_heap_next(t)) {
        s.buffer_bytes += buffer_bytes(t);
    }
    for (const Fragment *f = h->fragments; f != NULL; f = f->next) {
        s.fragments += f->size;
        for (term t = f->off_heap; t != NONE; t = *off_heap_next(t)) {
            s.buffer_bytes += buffer_bytes(t);
        }
    }
    return s;
}
