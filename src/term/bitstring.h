/* Looking into bitstrings, and the life of the counted buffers behind large ones. Building, cutting and appending are in
   data/bits.h. */
#ifndef MOTE_TERM_BITSTRING_H
#define MOTE_TERM_BITSTRING_H

#include "base/bitrun.h"
#include "term/heap.h"

/* A run of bits that a term holds. Valid as long as the term, except that appending to it may move a buffer. */
typedef struct {
    const uint8_t *at;
    size_t start; /* first bit, counted from the top of at[0]; 0..7 */
    size_t size;  /* in bits */
} Bits;

/* The bytes that a KIND_BITS or KIND_BUFFER object holds. */
static inline uint8_t *bits_base(term base) {
    term *p = boxed(base);
    return HEADER_KIND(p[0]) == KIND_BITS ? ((HeapBits *)p)->data : ((BufferRef *)p)->buffer->data;
}
/* What an object of an off-heap list keeps outside the heap. */
static inline size_t buffer_bytes(term object) {
    const term *p = boxed(object);
    return HEADER_KIND(p[0]) == KIND_BUFFER ? ((const BufferRef *)p)->buffer->capacity : 0;
}
/* Of a bitstring or a match context (then: what it has not read yet). */
static inline Bits bits_of(term t) {
    term *p = boxed(t);
    if (HEADER_KIND(p[0]) == KIND_BITS) {
        return (Bits){((HeapBits *)p)->data, 0, ((HeapBits *)p)->bits};
    }
    const View *v = (View *)p;
    return (Bits){bits_base(v->base) + v->start / 8, v->start % 8, v->end - v->start};
}
static inline size_t bits_size(term t) { /* in bits */
    term *p = boxed(t);
    return HEADER_KIND(p[0]) == KIND_BITS ? ((HeapBits *)p)->bits : ((View *)p)->end - ((View *)p)->start;
}
static inline bool is_binary(term t) {
    return is_bitstring(t) && bits_size(t) % 8 == 0;
}
static inline bool bits_equal(Bits a, Bits b) {
    return a.size == b.size && bitrun_equal(a.at, a.start, b.at, b.start, a.size);
}
static inline int bits_compare(Bits a, Bits b) {
    return bitrun_compare(a.at, a.start, a.size, b.at, b.start, b.size);
}

/* Buffers. Whoever holds a reference may read; the owner of the writable handle (see data/bits.h) may write behind `used`. */
Buffer *buffer_new(VM *vm, size_t capacity); /* one reference, used 0; NULL: no memory */
/* Other capacity, contents kept; only with one reference. The buffer may move. NULL: no memory, as before. */
Buffer *buffer_resize(VM *vm, Buffer *b, size_t capacity);
void buffer_release(VM *vm, Buffer *b); /* gives up one reference */
/* From now on it counts as that account's. NULL: nobody's. */
void buffer_charge(VM *vm, Buffer *b, struct Account *to);
static inline Buffer *buffer_share(Buffer *b) {
    __atomic_fetch_add(&b->refs, 1, __ATOMIC_RELAXED);
    return b;
}
/* Bytes that a resource holds, as a buffer that keeps it; NULL: no memory. And the resource of such a buffer; NULL: it is an ordinary one. */
Buffer *buffer_over(VM *vm, Resource *r, const void *data, size_t size);
Resource *buffer_resource(const Buffer *b);
/* Contents that are trusted to be whole, as they come from a file of the installed OTP. */
void buffer_trust(Buffer *b); /* b is never appended to */
bool bits_are_trusted(term t);
static inline size_t buffer_refs(const Buffer *b) {
    return __atomic_load_n(&b->refs, __ATOMIC_ACQUIRE);
}

#endif
