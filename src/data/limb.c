/* Natural numbers as arrays of limbs: GMP's, or our own for machines without it. The tests include this file a second time,
   to compare the two. */
#include "data/limb.h"

/* How many digits of a base surely fit into a limb, and that power of the base. */
typedef struct {
    unsigned digits;
    Limb power;
} Chunk;
UNUSED static Chunk chunk_of(unsigned base) {
    Chunk c = {0, 1};
    while (c.power <= (Limb)-1 / base) {
        c.power *= base, c.digits++;
    }
    return c;
}

/* Sixteenths of a bit per digit, rounded down: log2(base) * 16. */
static const uint8_t sixteenths[37] = {0,  0,  16, 25, 32, 37, 41, 44, 48, 50, 53, 55, 57, 59, 60, 62, 64, 65, 66,
                                       67, 69, 70, 71, 72, 73, 74, 75, 76, 76, 77, 78, 79, 80, 80, 81, 82, 82};

size_t limb_digits(size_t n, unsigned base) {
    assert(base >= 2 && base <= 36);
    return n * LIMB_BITS * 16 / sixteenths[base] + 2;
}

size_t limb_room(size_t digits, unsigned base) {
    assert(base >= 2 && base <= 36);
    return digits / (LIMB_BITS * 16) * (sixteenths[base] + 1u) + digits % (LIMB_BITS * 16) * (sixteenths[base] + 1u) / (LIMB_BITS * 16) + 2;
}

#ifndef MOTE_PORTABLE_LIMBS

#include <gmp.h>

_Static_assert(sizeof(mp_limb_t) == sizeof(Limb) && GMP_NUMB_BITS == LIMB_BITS, "GMP's limbs are ours");

/* On Windows a limb is a long long and on Linux a long: the same bits, but to C different types. */
#define M(p) ((mp_limb_t *)(p))
#define C(p) ((const mp_limb_t *)(p))
#define S(n) ((mp_size_t)(n))

Limb limb_add_n(Limb *r, const Limb *a, const Limb *b, size_t n) {
    return mpn_add_n(M(r), C(a), C(b), S(n));
}
Limb limb_sub_n(Limb *r, const Limb *a, const Limb *b, size_t n) {
    return mpn_sub_n(M(r), C(a), C(b), S(n));
}
Limb limb_add_1(Limb *r, const Limb *a, size_t n, Limb b) {
    return n == 0 ? b : mpn_add_1(M(r), C(a), S(n), b);
}
Limb limb_sub_1(Limb *r, const Limb *a, size_t n, Limb b) {
    return n == 0 ? b : mpn_sub_1(M(r), C(a), S(n), b);
}
int limb_cmp(const Limb *a, const Limb *b, size_t n) {
    return mpn_cmp(C(a), C(b), S(n));
}
Limb limb_mul_1(Limb *r, const Limb *a, size_t n, Limb b) {
    return mpn_mul_1(M(r), C(a), S(n), b);
}
void limb_mul(Limb *r, const Limb *a, size_t an, const Limb *b, size_t bn) {
    assert(an >= bn && bn >= 1);
    mpn_mul(M(r), C(a), S(an), C(b), S(bn));
}
void limb_sqr(Limb *r, const Limb *a, size_t n) {
    mpn_sqr(M(r), C(a), S(n));
}
Limb limb_divrem_1(Limb *q, const Limb *a, size_t n, Limb d) {
    return mpn_divrem_1(M(q), 0, C(a), S(n), d);
}
void limb_divrem(Limb *q, Limb *rem, const Limb *a, size_t an, const Limb *d, size_t dn) {
    assert(an >= dn && dn >= 1 && d[dn - 1] != 0);
    mpn_tdiv_qr(M(q), M(rem), 0, C(a), S(an), C(d), S(dn));
}
Limb limb_lshift(Limb *r, const Limb *a, size_t n, unsigned bits) {
    return mpn_lshift(M(r), C(a), S(n), bits);
}
Limb limb_rshift(Limb *r, const Limb *a, size_t n, unsigned bits) {
    return mpn_rshift(M(r), C(a), S(n), bits);
}
size_t limb_get_str(uint8_t *digits, unsigned base, Limb *a, size_t n) {
    return mpn_get_str(digits, (int)base, M(a), S(n));
}
size_t limb_set_str(Limb *r, const uint8_t *digits, size_t count, unsigned base) {
    while (count > 0 && *digits == 0) { /* GMP wants the first digit not to be zero */
        digits++, count--;
    }
    return count == 0 ? 0 : limb_normal(r, (size_t)mpn_set_str(M(r), digits, count, (int)base));
}

#else

#if UINTPTR_MAX > 0xffffffff
typedef unsigned __int128 Double;
#else
typedef uint64_t Double;
#endif

Limb limb_add_n(Limb *r, const Limb *a, const Limb *b, size_t n) {
    Limb carry = 0;
    for (size_t i = 0; i < n; i++) {
        Limb sum = a[i] + carry;
        carry = sum < carry;
        sum += b[i];
        carry += sum < b[i];
        r[i] = sum;
    }
    return carry;
}

Limb limb_sub_n(Limb *r, const Limb *a, const Limb *b, size_t n) {
    Limb borrow = 0;
    for (size_t i = 0; i < n; i++) {
        Limb minus = b[i] + borrow;
        borrow = minus < borrow;
        borrow += a[i] < minus;
        r[i] = a[i] - minus;
    }
    return borrow;
}

Limb limb_add_1(Limb *r, const Limb *a, size_t n, Limb b) {
    for (size_t i = 0; i < n; i++) {
        r[i] = a[i] + b;
        b = r[i] < b;
    }
    return b;
}

Limb limb_sub_1(Limb *r, const Limb *a, size_t n, Limb b) {
    for (size_t i = 0; i < n; i++) {
        Limb from = a[i];
        r[i] = from - b;
        b = from < b;
    }
    return b;
}

int limb_cmp(const Limb *a, const Limb *b, size_t n) {
    while (n > 0) {
        n--;
        if (a[n] != b[n]) {
            return a[n] < b[n] ? -1 : 1;
        }
    }
    return 0;
}

Limb limb_mul_1(Limb *r, const Limb *a, size_t n, Limb b) {
    Limb carry = 0;
    for (size_t i = 0; i < n; i++) {
        Double p = (Double)a[i] * b + carry;
        r[i] = (Limb)p;
        carry = (Limb)(p >> LIMB_BITS);
    }
    return carry;
}

static Limb add_product(Limb *r, const Limb *a, size_t n, Limb b) {
    Limb carry = 0;
    for (size_t i = 0; i < n; i++) {
        Double p = (Double)a[i] * b + r[i] + carry;
        r[i] = (Limb)p;
        carry = (Limb)(p >> LIMB_BITS);
    }
    return carry;
}

static Limb sub_product(Limb *r, const Limb *a, size_t n, Limb b) {
    Limb borrow = 0;
    for (size_t i = 0; i < n; i++) {
        Double p = (Double)a[i] * b + borrow;
        borrow = (Limb)(p >> LIMB_BITS) + (r[i] < (Limb)p);
        r[i] -= (Limb)p;
    }
    return borrow;
}

void limb_mul(Limb *r, const Limb *a, size_t an, const Limb *b, size_t bn) {
    assert(an >= bn && bn >= 1);
    r[an] = limb_mul_1(r, a, an, b[0]);
    for (size_t i = 1; i < bn; i++) {
        r[an + i] = add_product(r + i, a, an, b[i]);
    }
}

void limb_sqr(Limb *r, const Limb *a, size_t n) {
    limb_mul(r, a, n, a, n);
}

Limb limb_divrem_1(Limb *q, const Limb *a, size_t n, Limb d) {
    Double rem = 0;
    while (n > 0) {
        n--;
        rem = rem << LIMB_BITS | a[n];
        q[n] = (Limb)(rem / d);
        rem %= d;
    }
    return (Limb)rem;
}

/* A guess at (top, r[n-1], r[n-2] ...) / d, at most 1 too large: Knuth's, with operands shifted on the fly. */
static Limb guess_quotient(Limb top, const Limb *r, const Limb *d, size_t n, unsigned shift) {
#define SHIFTED(hi, lo) (shift == 0 ? (hi) : (hi) << shift | (lo) >> (LIMB_BITS - shift))
    Limb d1 = SHIFTED(d[n - 1], d[n - 2]), d0 = SHIFTED(d[n - 2], n > 2 ? d[n - 3] : 0);
    Limb r2 = SHIFTED(top, r[n - 1]), r1 = SHIFTED(r[n - 1], r[n - 2]), r0 = SHIFTED(r[n - 2], n > 2 ? r[n - 3] : 0);
#undef SHIFTED
    Double q, rest;
    if (r2 >= d1) {
        q = (Limb)-1;
        rest = ((Double)r2 << LIMB_BITS | r1) - q * d1;
    } else {
        Double over = (Double)r2 << LIMB_BITS | r1;
        q = over / d1, rest = over % d1;
    }
    while (rest >> LIMB_BITS == 0 && q * d0 > (rest << LIMB_BITS | r0)) {
        q--, rest += d1;
    }
    return (Limb)q;
}

void limb_divrem(Limb *q, Limb *rem, const Limb *a, size_t an, const Limb *d, size_t dn) {
    assert(an >= dn && dn >= 1 && d[dn - 1] != 0);
    if (dn == 1) {
        rem[0] = limb_divrem_1(q, a, an, d[0]);
        return;
    }
    unsigned shift = limb_clz(d[dn - 1]);
    memcpy(rem, a + (an - dn + 1), (dn - 1) * sizeof *rem);
    rem[dn - 1] = 0;
    /* rem holds the remainder so far, less than d; each step moves it up a limb and takes one more of a. */
    for (size_t i = an - dn + 1; i > 0; i--) {
        Limb top = rem[dn - 1];
        memmove(rem + 1, rem, (dn - 1) * sizeof *rem);
        rem[0] = a[i - 1];
        Limb guess = guess_quotient(top, rem, d, dn, shift);
        Limb borrow = sub_product(rem, d, dn, guess);
        if (borrow > top) {
            guess--;
            limb_add_n(rem, rem, d, dn);
        }
        q[i - 1] = guess;
    }
}

Limb limb_lshift(Limb *r, const Limb *a, size_t n, unsigned bits) {
    assert(bits > 0 && bits < LIMB_BITS);
    Limb out = a[n - 1] >> (LIMB_BITS - bits);
    for (size_t i = n - 1; i > 0; i--) {
        r[i] = a[i] << bits | a[i - 1] >> (LIMB_BITS - bits);
    }
    r[0] = a[0] << bits;
    return out;
}

Limb limb_rshift(Limb *r, const Limb *a, size_t n, unsigned bits) {
    assert(bits > 0 && bits < LIMB_BITS);
    Limb out = a[0] << (LIMB_BITS - bits);
    for (size_t i = 0; i + 1 < n; i++) {
        r[i] = a[i] >> bits | a[i + 1] << (LIMB_BITS - bits);
    }
    r[n - 1] = a[n - 1] >> bits;
    return out;
}

size_t limb_get_str(uint8_t *digits, unsigned base, Limb *a, size_t n) {
    Chunk chunk = chunk_of(base);
    size_t room = limb_digits(n, base), at = room;
    while (n > 0) {
        Limb part = limb_divrem_1(a, a, n, chunk.power);
        n = limb_normal(a, n);
        for (unsigned i = 0; i < chunk.digits && at > 0; i++) {
            digits[--at] = (uint8_t)(part % base);
            part /= base;
        }
    }
    memmove(digits, digits + at, room - at);
    return room - at;
}

size_t limb_set_str(Limb *r, const uint8_t *digits, size_t count, unsigned base) {
    Chunk chunk = chunk_of(base);
    size_t n = 0;
    while (count > 0) {
        Limb part = 0, power = 1;
        for (unsigned i = 0; i < chunk.digits && count > 0; i++, count--) {
            part = part * base + *digits++;
            power *= base;
        }
        Limb carry = limb_mul_1(r, r, n, power);
        carry += limb_add_1(r, r, n, part);
        if (carry != 0) {
            r[n++] = carry;
        }
    }
    return n;
}

#endif
