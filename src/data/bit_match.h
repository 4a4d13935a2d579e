/* Matching of bitstrings. A match context (KIND_MATCH) is a view whose start moves: [start, end) is what has not been read.

   A function that finds no match returns NONE (or false) and leaves the context as it was. None raises anything. Positions
   and sizes are in bits; flags are those of the instructions. The inline functions check nothing: for instructions that know
   that the bits are there. */
#ifndef MOTE_DATA_BIT_MATCH_H
#define MOTE_DATA_BIT_MATCH_H

#include "data/bits.h"
#include "data/integer.h"

enum { BITS_LITTLE = 2, BITS_SIGNED = 4, BITS_NATIVE = 16 }; /* as written in the code of a module */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
enum { BITS_NATIVE_IS = BITS_LITTLE };
#else
enum { BITS_NATIVE_IS = 0 };
#endif
/* Native order resolved: LITTLE and SIGNED are left. Functions that are not inline do it themselves. */
static inline unsigned bits_flags(unsigned flags) {
    return flags & BITS_NATIVE ? (flags & BITS_SIGNED) | BITS_NATIVE_IS : flags & (BITS_LITTLE | BITS_SIGNED);
}

static inline View *match_of(term context) {
    assert(is_kind(context, KIND_MATCH));
    return (View *)boxed(context);
}
/* Writes a new context for a bitstring (or, for another context, of what it has not read yet) to VIEW_WORDS words. */
static inline term match_write(term *at, term t) {
    const View *v = (const View *)boxed(t);
    View *m = (View *)at;
    if (HEADER_KIND(v->header) == KIND_BITS) {
        *m = (View){HEADER(VIEW_WORDS - 1, KIND_MATCH), t, 0, ((const HeapBits *)v)->bits};
    } else {
        *m = (View){HEADER(VIEW_WORDS - 1, KIND_MATCH), v->base, v->start, v->end};
    }
    return make_boxed(m);
}
static inline term match_start(Heap *h, term t) {
    return match_write(heap_alloc(h, VIEW_WORDS), t);
}

/* Is a size a multiple of a segment's unit? */
static inline bool bits_fit_unit(size_t bits, unsigned unit) {
    return LIKELY((unit & (unit - 1)) == 0) ? unit == 0 || (bits & (unit - 1)) == 0 : bits % unit == 0;
}

static inline size_t match_left(const View *m) {
    return m->end - m->start;
}
static inline bool match_has(const View *m, size_t bits) { /* bs_match: ensure_at_least, without its unit */
    return match_left(m) >= bits;
}

/* So many bits are in one word whatever bit they begin at. */
enum { BITS_AT_MAX = WORD_BITS - 7 };

/* The value of the next n (0..64) bits, big-endian and unsigned; they must be there. */
static inline uint64_t match_peek(const View *m, unsigned n) {
    assert(match_has(m, n));
    return bitrun_read(bits_base(m->base), m->start, n);
}
static inline uint64_t match_take(View *m, unsigned n) {
    uint64_t v = match_peek(m, n);
    m->start += n;
    return v;
}
/* What n (1..64) bits that were read big-endian mean with these flags (resolved). Signed ones are extended to 64 bits. */
static inline uint64_t bits_meaning(uint64_t v, unsigned n, unsigned flags) {
    if (flags & BITS_LITTLE && n > 8) {
        unsigned whole = n & ~7u, rest = n & 7;
        uint64_t top = whole == 64 ? 0 : (v & bits_mask(rest)) << whole;
        v = __builtin_bswap64(v >> rest << (64 - whole)) | top;
    }
    if (flags & BITS_SIGNED) {
        return (uint64_t)((int64_t)(v << (64 - n)) >> (64 - n));
    }
    return v;
}
/* The next n bits as a small integer; n < SMALL_BITS (<= 59 on 64-bit machines): always fits. */
static inline term match_take_small(View *m, unsigned n, unsigned flags) {
    assert(n < (unsigned)SMALL_BITS);
    uint64_t v = match_take(m, n);
    return n == 0 ? SMALL(0) : SMALL((intptr_t)bits_meaning(v, n, flags));
}

/* Any size; NONE also if the integer would be larger than any may be. */
term match_integer(Heap *h, View *m, size_t bits, unsigned flags);
term match_float(Heap *h, View *m, size_t bits, unsigned flags); /* NONE too for NaN, infinity, and sizes but 0, 16, 32, 64 */
term match_bits(Heap *h, View *m, size_t bits);                  /* a bitstring of so many bits */
term match_all(Heap *h, View *m, unsigned unit);                 /* all that is left; NONE: not a multiple of unit */
term match_tail(Heap *h, const View *m);                         /* the same without reading: bs_get_tail */
static inline bool match_skip(View *m, size_t bits) {
    if (!match_has(m, bits)) {
        return false;
    }
    m->start += bits;
    return true;
}
static inline bool match_string(View *m, const uint8_t *s, size_t bits) { /* skips what is equal to s */
    if (!match_has(m, bits) || !bitrun_equal(bits_base(m->base), m->start, s, 0, bits)) {
        return false;
    }
    m->start += bits;
    return true;
}

/* The next character as a small integer. To skip it, ignore the value. */
term match_utf8_slow(View *m);
static inline term match_utf8(View *m) {
    if (LIKELY(m->start % 8 == 0 && match_has(m, 8))) {
        uint8_t c = bits_base(m->base)[m->start / 8];
        if (LIKELY(c < 0x80)) {
            m->start += 8;
            return SMALL(c);
        }
    }
    return match_utf8_slow(m);
}
term match_utf16(View *m, unsigned flags);
term match_utf32(View *m, unsigned flags);

/* A field's size from the term that gives it: false: no match (not an integer, negative, or more than can be there). */
static inline bool match_size(term size, unsigned unit, size_t *bits) {
    if (!is_small(size) || small_value(size) < 0) {
        return false;
    }
    return !__builtin_mul_overflow((size_t)small_value(size), (size_t)unit, bits);
}

/* bs_get_position, bs_set_position: where reading goes on, as an integer (needs heap only where words are small). */
static inline term match_position(Heap *h, const View *m) {
    if (LIKELY(m->start <= (size_t)SMALL_MAX)) {
        return SMALL(m->start);
    }
    return integer_from_uint64(h, m->start);
}
static inline void match_set_position(View *m, term position) {
    uint64_t at = 0;
    if (LIKELY(is_small(position))) {
        at = (uint64_t)small_value(position);
    } else {
        integer_to_uint64(position, &at);
    }
    m->start = at <= m->end ? (size_t)at : m->end; /* hostile code must not make it read elsewhere */
}

#endif
