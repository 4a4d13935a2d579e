/* Construction of bitstrings. A builder writes fields from left to right into memory of the size needed.

       BitBuilder b;
       if (!build_begin(&b, h, total)) ... h->reason, b.cause ...
       build_number(&b, 42, 8);
       ... build_integer, build_bits ...
       result = b.result;

   What is written must fit into the size asked for (asserted). Functions that return false have failed with an Erlang
   reason in h->reason; b->cause and b->culprit say why in the words of erl_erts_errors:format_bs_fail/2. */
#ifndef MOTE_DATA_BIT_BUILD_H
#define MOTE_DATA_BIT_BUILD_H

#include "data/bit_match.h"

typedef struct {
    Heap *heap;
    uint8_t *base;
    size_t at, end; /* next bit to write, and where the result ends; counted from base */
    term result;
    term cause;   /* type, size, unit, short, no_float, invalid */
    term culprit; /* the value that was wrong */
} BitBuilder;

bool build_begin(BitBuilder *b, Heap *h, size_t bits);
/* Makes a bitstring that begins with bin and has room for so many more bits, in place where possible; writing goes on
   behind bin. bin's size must be a multiple of unit. `private`: nobody refers to bin any more. */
bool build_append(BitBuilder *b, Heap *h, term bin, size_t more, unsigned unit, bool private);
term build_writable(Heap *h, size_t bytes); /* an empty binary that can grow to that size in place: bs_init_writable */

/* The low n (0..64) bits of v, most significant first. */
static inline void build_number(BitBuilder *b, uint64_t v, unsigned n) {
    assert(n <= b->end - b->at);
    bitrun_put(b->base, b->at, v, n);
    b->at += n;
}
/* Turns the low n (1..64) bits of a value into what has to be written most significant first; inverse of bits_meaning. */
static inline uint64_t bits_order(uint64_t v, unsigned n, unsigned flags) {
    if (flags & BITS_LITTLE && n > 8) {
        unsigned whole = n & ~7u, rest = n & 7;
        uint64_t top = rest == 0 ? 0 : v >> whole & bits_mask(rest);
        return __builtin_bswap64(v) >> (64 - whole) << rest | top;
    }
    return v;
}

bool build_integer_slow(BitBuilder *b, term value, size_t bits, unsigned flags);
static inline bool build_integer(BitBuilder *b, term value, size_t bits, unsigned flags) {
    if (LIKELY(is_small(value) && bits <= 64 && (flags & (BITS_LITTLE | BITS_NATIVE)) == 0)) {
        build_number(b, (uint64_t)small_value(value), (unsigned)bits);
        return true;
    }
    return build_integer_slow(b, value, bits, flags);
}
bool build_float(BitBuilder *b, term value, size_t bits, unsigned flags);
bool build_bits(BitBuilder *b, term value, size_t bits);  /* the first bits of value */
bool build_all(BitBuilder *b, term value, unsigned unit); /* all of it */
static inline void build_string(BitBuilder *b, const uint8_t *s, size_t bytes) {
    assert(bytes * 8 <= b->end - b->at);
    bitrun_copy(b->base, b->at, s, 0, bytes * 8);
    b->at += bytes * 8;
}
/* Bits that a character takes. Of what is no character, any of the possible sizes: building then fails. */
unsigned build_utf8_size(term c);
unsigned build_utf16_size(term c);
bool build_utf8(BitBuilder *b, term c);
bool build_utf16(BitBuilder *b, term c, unsigned flags);
bool build_utf32(BitBuilder *b, term c, unsigned flags);

/* A field's size in bits from the term that gives it. */
bool build_size(BitBuilder *b, term size, unsigned unit, size_t *bits);

/* The whole of bs_create_bin at once: sizes, memory, fields, in OTP's order of errors. */
typedef enum {
    SEGMENT_APPEND, /* first segment only */
    SEGMENT_PRIVATE_APPEND,
    SEGMENT_BINARY,
    SEGMENT_FLOAT,
    SEGMENT_INTEGER,
    SEGMENT_STRING, /* size: bytes at `string` */
    SEGMENT_UTF8,
    SEGMENT_UTF16,
    SEGMENT_UTF32,
} SegmentType;
typedef struct {
    uint8_t type; /* SegmentType */
    uint8_t flags;
    uint16_t unit;
    uint32_t number; /* for errors: as the compiler counts the segments */
    union {
        term value;
        const uint8_t *string;
    };
    term size; /* in units: an integer, or A_all; unused for append and utf */
} BitSegment;

/* NONE: h->reason is badarg or system_limit; *cause (unless NULL) becomes {Number, Type, Cause, Value}, which is what
   error_info has as its cause. */
term bits_create(Heap *h, const BitSegment *segments, size_t count, term *cause);
/* The same tuple for a builder that failed at a segment of this type. */
term build_cause(const BitBuilder *b, uint32_t number, SegmentType type);

#endif
