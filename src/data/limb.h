/* Natural numbers as arrays of limbs, least significant first: the dozen inner functions that everything about large
   integers rests on. They have the shape of GMP's mpn, and are GMP's where it is there; with MOTE_PORTABLE_LIMBS defined
   they are limb.c's own. Sizes are in limbs; operands and results may be the same array, but must not overlap otherwise
   unless a function says so. None allocates on an Erlang heap, and none checks for leading zeros. */
#ifndef MOTE_DATA_LIMB_H
#define MOTE_DATA_LIMB_H

#include "base/base.h"

typedef uintptr_t Limb;
enum { LIMB_BITS = 8 * sizeof(Limb), LIMB_BYTES = sizeof(Limb) };

/* r = a + b, a - b; returns the carry or borrow. */
Limb limb_add_n(Limb *r, const Limb *a, const Limb *b, size_t n);
Limb limb_sub_n(Limb *r, const Limb *a, const Limb *b, size_t n);
Limb limb_add_1(Limb *r, const Limb *a, size_t n, Limb b);
Limb limb_sub_1(Limb *r, const Limb *a, size_t n, Limb b);

int limb_cmp(const Limb *a, const Limb *b, size_t n);

/* r = a * b; returns the top limb. */
Limb limb_mul_1(Limb *r, const Limb *a, size_t n, Limb b);
/* r[0..an + bn) = a * b; an >= bn >= 1; r apart from both. */
void limb_mul(Limb *r, const Limb *a, size_t an, const Limb *b, size_t bn);
void limb_sqr(Limb *r, const Limb *a, size_t n); /* r[0..2n) */

/* q = a / d; returns the remainder. */
Limb limb_divrem_1(Limb *q, const Limb *a, size_t n, Limb d);
/* q[0..an - dn] = a / d, rem[0..dn) = a % d; an >= dn >= 1, d[dn - 1] not 0; results apart from operands. */
void limb_divrem(Limb *q, Limb *rem, const Limb *a, size_t an, const Limb *d, size_t dn);

/* Shifts by 0 < bits < LIMB_BITS; return what is shifted out, at the end of the limb where it would go on. left: r may be
   above or at a; right: r may be below or at a. */
Limb limb_lshift(Limb *r, const Limb *a, size_t n, unsigned bits);
Limb limb_rshift(Limb *r, const Limb *a, size_t n, unsigned bits);

/* Text in base 2..36, most significant digit first, as the digits' values (not characters). limb_get_str destroys a (n >= 1,
   a[n - 1] not 0) and needs room for limb_digits(n, base) digits; it returns how many there are, which may include leading
   zeros. limb_set_str needs room for limb_room(digits, base) limbs and returns how many are used (top limb not 0). */
size_t limb_get_str(uint8_t *digits, unsigned base, Limb *a, size_t n);
size_t limb_set_str(Limb *r, const uint8_t *digits, size_t count, unsigned base);
size_t limb_digits(size_t n, unsigned base);
size_t limb_room(size_t digits, unsigned base);

/* a * b: the low limb, and the high one in *high. */
static inline Limb limb_mul_wide(Limb a, Limb b, Limb *high) {
#if UINTPTR_MAX == 0xffffffff
    uint64_t p = (uint64_t)a * b;
#else
    unsigned __int128 p = (unsigned __int128)a * b;
#endif
    *high = (Limb)(p >> LIMB_BITS);
    return (Limb)p;
}

/* r = a + b, a - b for an >= bn; returns the carry or borrow. */
static inline Limb limb_add(Limb *r, const Limb *a, size_t an, const Limb *b, size_t bn) {
    assert(an >= bn);
    return limb_add_1(r + bn, a + bn, an - bn, bn == 0 ? 0 : limb_add_n(r, a, b, bn));
}
static inline Limb limb_sub(Limb *r, const Limb *a, size_t an, const Limb *b, size_t bn) {
    assert(an >= bn);
    return limb_sub_1(r + bn, a + bn, an - bn, bn == 0 ? 0 : limb_sub_n(r, a, b, bn));
}

static inline unsigned limb_clz(Limb a) {
    assert(a != 0);
    return sizeof a == 8 ? (unsigned)__builtin_clzll(a) : (unsigned)__builtin_clz((unsigned)a);
}

/* Reductions that multiplying costs, at about 250 ns each. Beyond some size it is no longer quadratic: a limb then costs the same
   whatever it meets, but for a logarithm. Division takes about three times as long, text five times. */
static inline intptr_t limb_work(size_t an, size_t bn) {
    size_t depth = bn < 1024 ? 0 : 1 + LIMB_BITS - limb_clz(bn / 1024);
    return (intptr_t)(an * MIN(bn, 150) / 300 * (2 + depth) / 2);
}

static inline size_t limb_normal(const Limb *a, size_t n) { /* the size without leading zeros */
    while (n > 0 && a[n - 1] == 0) {
        n--;
    }
    return n;
}

#endif
