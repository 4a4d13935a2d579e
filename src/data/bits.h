/* Making bitstrings: on the heap when they are short, in a counted buffer when they are long, or as a view of part of another.

   One buffer may be shared by many handles (BufferRef), on the heaps of many processes. At most one of them is writable: it
   may append behind buffer->used in place (bit_build.h). A copy of a handle is never writable. Every view ends at or before
   `used`, so that what is appended is seen by nobody else. */
#ifndef MOTE_DATA_BITS_H
#define MOTE_DATA_BITS_H

#include "term/bitstring.h"

enum {
    BITS_ON_HEAP_MAX = 64, /* bytes; longer ones get a buffer */
    /* Heap words that any new bitstring takes at most, whatever its size. */
    BITS_MAX_WORDS = HEAP_BITS_HEAD + BITS_ON_HEAP_MAX / sizeof(term),
};
/* A view costs as much as a copy of so many bits: such short parts are copied and keep nothing else alive. */
#define BITS_COPY_MAX ((VIEW_WORDS - HEAP_BITS_HEAD) * (size_t)WORD_BITS)
#define BITS_SIZE_MAX ((size_t)PTRDIFF_MAX) /* in bits */

/* A new bitstring whose bytes the caller fills in. NULL: too large or no memory; h->reason is A_system_limit. */
uint8_t *bits_new_sized(Heap *h, size_t bits, term *result);
uint8_t *bits_new(Heap *h, size_t bytes, term *result);
term bits_from(Heap *h, const void *bytes, size_t size); /* NONE: as NULL above */
term bits_copy(Heap *h, Bits from);                      /* a new one with the same bits */

/* `size` bits of t (a bitstring or match context) from bit `start` on; they must be there. Never fails. */
term bits_sub(Heap *h, term t, size_t start, size_t size);

/* A bitstring of bits [start, end) of a buffer; takes over one reference. Never fails. */
term bits_from_buffer(Heap *h, Buffer *buffer, size_t start, size_t end);
/* The first `size` bytes of a new buffer, which is made as large as that; takes over the reference. Never fails. */
term bits_from_filled(Heap *h, Buffer *buffer, size_t size);
/* bits_from_buffer with a handle that may append behind `end`. The buffer must be this caller's alone. */
term bits_from_writable(Heap *h, Buffer *buffer, size_t end);

/* The bytes of a binary. Where they do not lie on a byte boundary they are copied to memory that *owned then points to;
   bits_bytes_done frees it. */
typedef struct {
    const uint8_t *at;
    size_t size;
    uint8_t *owned;
} BitsBytes;
bool bits_bytes(VM *vm, term t, BitsBytes *b); /* t must be a binary; false: no memory */
static inline void bits_bytes_done(VM *vm, BitsBytes *b) {
    mem_free(&vm->mem, MEM_TEMPORARY, b->owned, b->owned == NULL ? 0 : b->size);
}

#endif
