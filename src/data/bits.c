/* Making bitstrings. */
#include "data/bits.h"

#include "term/atom.h"

static size_t heap_bits_words(size_t bits) {
    return HEAP_BITS_HEAD + (bits + WORD_BITS - 1) / WORD_BITS;
}

static HeapBits *new_on_heap(Heap *h, size_t bits) {
    size_t words = heap_bits_words(bits);
    HeapBits *b = (HeapBits *)heap_alloc(h, words);
    b->header = HEADER(words - 1, KIND_BITS);
    b->bits = bits;
    return b;
}

/* A handle and a view of all of it, in one piece of heap. */
static term new_handle(Heap *h, Buffer *buffer, bool writable, size_t start, size_t end) {
    assert(start <= end && end <= buffer->used);
    term *p = heap_alloc(h, BUFFER_WORDS + VIEW_WORDS);
    BufferRef *ref = (BufferRef *)p;
    *ref = (BufferRef){HEADER(BUFFER_WORDS - 1, KIND_BUFFER), buffer, writable, NONE};
    heap_link_off_heap(h, make_boxed(ref));
    View *v = (View *)(p + BUFFER_WORDS);
    *v = (View){HEADER(VIEW_WORDS - 1, KIND_VIEW), make_boxed(ref), start, end};
    return make_boxed(v);
}

uint8_t *bits_new_sized(Heap *h, size_t bits, term *result) {
    if (LIKELY(bits <= BITS_ON_HEAP_MAX * 8)) {
        HeapBits *b = new_on_heap(h, bits);
        *result = make_boxed(b);
        return b->data;
    }
    Buffer *buffer = bits > BITS_SIZE_MAX ? NULL : buffer_new(h->vm, (bits + 7) / 8);
    if (buffer == NULL) {
        *result = heap_fail(h, A_system_limit);
        return NULL;
    }
    buffer->used = bits;
    *result = new_handle(h, buffer, false, 0, bits);
    return buffer->data;
}

uint8_t *bits_new(Heap *h, size_t bytes, term *result) {
    if (bytes > BITS_SIZE_MAX / 8) {
        *result = heap_fail(h, A_system_limit);
        return NULL;
    }
    return bits_new_sized(h, bytes * 8, result);
}

term bits_from(Heap *h, const void *bytes, size_t size) {
    term t;
    uint8_t *p = bits_new(h, size, &t);
    if (p != NULL && size > 0) {
        memcpy(p, bytes, size);
    }
    return t;
}

term bits_copy(Heap *h, Bits from) {
    term t;
    uint8_t *p = bits_new_sized(h, from.size, &t);
    if (p != NULL) {
        bitrun_copy(p, 0, from.at, from.start, from.size);
    }
    return t;
}

term bits_sub(Heap *h, term t, size_t start, size_t size) {
    assert(start <= bits_size(t) && size <= bits_size(t) - start);
    if (size <= BITS_COPY_MAX) {
        HeapBits *b = new_on_heap(h, size);
        Bits from = bits_of(t);
        bitrun_copy(b->data, 0, from.at, from.start + start, size);
        return make_boxed(b);
    }
    term base = t;
    if (kind_of(t) != KIND_BITS) {
        const View *whole = (View *)boxed(t);
        base = whole->base;
        start += whole->start;
    }
    View *v = (View *)heap_alloc(h, VIEW_WORDS);
    *v = (View){HEADER(VIEW_WORDS - 1, KIND_VIEW), base, start, start + size};
    return make_boxed(v);
}

term bits_from_buffer(Heap *h, Buffer *buffer, size_t start, size_t end) {
    return new_handle(h, buffer, false, start, end);
}

term bits_from_writable(Heap *h, Buffer *buffer, size_t end) {
    assert(buffer_refs(buffer) == 1 && buffer->used == end);
    return new_handle(h, buffer, true, 0, end);
}

bool bits_bytes(VM *vm, term t, BitsBytes *b) {
    Bits from = bits_of(t);
    assert(from.size % 8 == 0);
    *b = (BitsBytes){from.at, from.size / 8, NULL};
    if (from.start == 0 || from.size == 0) {
        return true;
    }
    b->owned = mem_alloc(&vm->mem, MEM_TEMPORARY, b->size);
    if (b->owned == NULL) {
        return false;
    }
    bitrun_copy(b->owned, 0, from.at, from.start, from.size);
    b->at = b->owned;
    return true;
}

term bits_from_filled(Heap *h, Buffer *buffer, size_t size) {
    if (size <= BITS_ON_HEAP_MAX) {
        term t = bits_from(h, buffer->data, size);
        buffer_release(h->vm, buffer);
        return t;
    }
    Buffer *exact = buffer_resize(h->vm, buffer, size);
    buffer = exact != NULL ? exact : buffer;
    buffer->used = size * 8;
    return bits_from_buffer(h, buffer, 0, size * 8);
}
