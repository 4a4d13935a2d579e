/* Integers of any size as terms: small ones in the word, the others as sign and magnitude on the heap. Every integer has
   exactly one form: what fits into a small is one, and the top limb is never 0.

   A function that makes an integer returns NONE with h->reason = A_system_limit if the result would be larger than
   INTEGER_MAX_LIMBS (OTP 25's limit) or there is no memory. */
#ifndef MOTE_DATA_INTEGER_H
#define MOTE_DATA_INTEGER_H

#include "data/limb.h"
#include "term/heap.h"

#define INTEGER_MAX_LIMBS (sizeof(Limb) == 8 ? ((size_t)1 << 19) - 1 : ((size_t)1 << 20) - 1)

/* The value of an integer, wherever it is. Not to be copied: `limbs` may point to `one`. */
typedef struct {
    const Limb *limbs;
    size_t count; /* 0 for zero */
    bool negative;
    Limb one;
} IntegerView;
static inline void integer_view(IntegerView *v, term t) { /* t must be an integer */
    if (is_small(t)) {
        intptr_t n = small_value(t);
        v->negative = n < 0;
        v->one = n < 0 ? -(Limb)n : (Limb)n;
        v->limbs = &v->one;
        v->count = n != 0;
    } else {
        const term *p = boxed(t);
        assert(is_big(t));
        v->negative = HEADER_KIND(p[0]) == KIND_NEG_BIG;
        v->limbs = p + 1;
        v->count = HEADER_WORDS(p[0]);
    }
}

term integer_from_int64(Heap *h, int64_t n);
term integer_from_uint64(Heap *h, uint64_t n);
bool integer_to_int64(term t, int64_t *n); /* false: not an integer, or does not fit */
bool integer_to_uint64(term t, uint64_t *n);
term integer_from_double(Heap *h, double d); /* d must be whole and finite */
double integer_to_double(term t);            /* rounded to nearest, ties to even; infinite if too large */

/* Sign and magnitude: count limbs, leading zeros allowed. */
term integer_from_limbs(Heap *h, const Limb *limbs, size_t count, bool negative);
/* A result to be written in place: room for count limbs. integer_finish normalises it and gives the rest back; nothing else
   may be allocated from h in between. */
Limb *integer_begin(Heap *h, size_t count);
term integer_finish(Heap *h, Limb *limbs, size_t count, bool negative);

static inline bool integer_is_negative(term t) {
    return is_small(t) ? small_value(t) < 0 : kind_of(t) == KIND_NEG_BIG;
}
size_t integer_bit_length(term t); /* bits of the magnitude: 0 for 0, 3 for 5 and -5 */

/* Two's complement, as the bit syntax has it: `bits` bits from the bit `start` (0: the top bit of p[0]) on. Big-endian: most
   significant bit first. Little-endian: least significant byte first; when bits is not a multiple of 8, the last piece has
   the most significant bits % 8 bits. Writing drops what does not fit and leaves the bits around untouched. */
enum { INTEGER_SIGNED = 1, INTEGER_LITTLE = 2 };
term integer_from_bits(Heap *h, const uint8_t *p, size_t start, size_t bits, unsigned flags);
void integer_to_bits(term t, uint8_t *p, size_t start, size_t bits, unsigned flags);

static inline term integer_from_bytes(Heap *h, const uint8_t *p, size_t bits, unsigned flags) {
    return integer_from_bits(h, p, 0, bits, flags);
}
static inline void integer_to_bytes(term t, uint8_t *p, size_t bits, unsigned flags) {
    integer_to_bits(t, p, 0, bits, flags);
}

/* The magnitude as bytes, least significant first: the external format. */
size_t integer_magnitude_size(term t); /* bytes without leading zeros; 0 for 0 */
void integer_write_magnitude(term t, uint8_t *p);
term integer_from_magnitude(Heap *h, const uint8_t *p, size_t size, bool negative);

/* Text, digits above 9 as capitals, no terminating 0. p needs integer_text_room bytes; the result is how many are used, 0 when
   there is no memory. Both directions charge their work. */
size_t integer_text_room(term t, unsigned base);
size_t integer_to_text(Heap *h, term t, unsigned base, char *p);
unsigned integer_digit(uint8_t c); /* what a digit or letter stands for, of either case; 255 for others */
/* An optional sign and one or more digits, nothing else. NONE: h->reason is A_badarg or A_system_limit. */
term integer_from_text(Heap *h, const uint8_t *p, size_t size, unsigned base);

#endif
