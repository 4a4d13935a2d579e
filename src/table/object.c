/* Objects of tables: into their block and out again. */
#include "table/object.h"

#include "term/bitstring.h"
#include "term/copy.h"
#include "term/layout.h"

Object *object_new_as(VM *vm, MemKind kind, term tuple) {
    size_t words = term_flat_size(vm, tuple);
    Object *o = words > UINT32_MAX ? NULL : mem_alloc(&vm->mem, kind, sizeof *o + words * sizeof(term));
    if (o != NULL) {
        *o = (Object){.words = (uint32_t)words};
        term off_heap = NONE;
        term_copy_at(vm, o->data, tuple, true, &off_heap);
        o->off_heap = off_heap != NONE;
    }
    return o;
}

static bool is_off_heap(term header) {
    Kind k = HEADER_KIND(header);
    return k == KIND_BUFFER || (k == KIND_REF && HEADER_WORDS(header) == MAGIC_WORDS - 1);
}

/* The word after the raw ones that a header announces, where a walk over data goes on. */
static size_t skip_raw(term header) {
    unsigned raw = kind_layout[HEADER_KIND(header)];
    return raw < LAYOUT_BASE_ONLY ? 1 + raw : 1 + HEADER_WORDS(header);
}

void object_free_as(VM *vm, MemKind kind, Object *o) {
    if (o->off_heap) {
        term list = NONE;
        for (term *p = o->data; p < o->data + o->words; p += is_header(*p) ? skip_raw(*p) : 1) {
            if (is_header(*p) && is_off_heap(*p)) {
                *off_heap_next(make_boxed(p)) = list;
                list = make_boxed(p);
            }
        }
        off_heap_release(vm, list);
    }
    size_t size = object_bytes(o);
    HEAP_POISON(o, size);
    mem_free(&vm->mem, kind, o, size);
}

const BufferRef *object_next_buffer(const Object *o, const BufferRef *last) {
    const term *p = last == NULL ? o->data : (const term *)last + skip_raw(last->header), *end = o->data + o->words;
    for (; o->off_heap && p < end; p += is_header(*p) ? skip_raw(*p) : 1) {
        if (is_header(*p) && HEADER_KIND(*p) == KIND_BUFFER) {
            return (const BufferRef *)p;
        }
    }
    return NULL;
}

static void copy_off_heap(Heap *h, term *at) {
    if (HEADER_KIND(at[0]) == KIND_BUFFER) {
        buffer_share(((BufferRef *)at)->buffer);
    } else {
        resource_keep((Resource *)((Ref *)at)->of);
    }
    heap_link_off_heap(h, make_boxed(at));
}

/* The block is copied as it is; what points into it moves with it. */
term object_copy(Heap *h, const Object *o) {
    term *to = heap_alloc(h, o->words);
    if (to == NULL) {
        return heap_no_memory(h);
    }
    uintptr_t from = (uintptr_t)o->data, size = o->words * sizeof(term), delta = (uintptr_t)to - from;
    for (size_t i = 0; i < o->words;) {
        term t = o->data[i];
        if (!is_header(t)) {
            to[i++] = !is_immediate(t) && t - from < size ? t + delta : t;
            continue;
        }
        if (HEADER_KIND(t) == KIND_TUPLE) { /* what most of them are made of */
            to[i++] = t;
            continue;
        }
        unsigned raw = kind_layout[HEADER_KIND(t)];
        size_t n = skip_raw(t);
        memcpy(to + i, o->data + i, n * sizeof *to);
        if (raw == LAYOUT_BASE_ONLY) {
            to[i + 1] += delta;
        }
        if (UNLIKELY(is_off_heap(t))) {
            copy_off_heap(h, to + i);
        }
        i += n;
    }
    return make_boxed(to);
}
