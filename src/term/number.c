/* The order of numbers. */
#include "term/number.h"

#include <math.h>

static int sign_of(bool negative) {
    return negative ? -1 : 1;
}

static int compare_bigs(term a, term b) {
    bool a_negative = kind_of(a) == KIND_NEG_BIG, b_negative = kind_of(b) == KIND_NEG_BIG;
    if (a_negative != b_negative) {
        return sign_of(a_negative);
    }
    const term *x = boxed(a), *y = boxed(b);
    size_t xn = HEADER_WORDS(x[0]), yn = HEADER_WORDS(y[0]);
    if (xn != yn) {
        return sign_of((xn < yn) != a_negative);
    }
    for (size_t i = xn; i > 0; i--) {
        if (x[i] != y[i]) {
            return sign_of((x[i] < y[i]) != a_negative);
        }
    }
    return 0;
}

int integer_compare(term a, term b) {
    if (is_small(a)) {
        if (is_small(b)) {
            return (small_value(a) > small_value(b)) - (small_value(a) < small_value(b));
        }
        return -sign_of(kind_of(b) == KIND_NEG_BIG);
    }
    return is_small(b) ? sign_of(kind_of(a) == KIND_NEG_BIG) : compare_bigs(a, b);
}

static int compare_small_double(intptr_t i, double d) {
    if (d >= -(double)INTPTR_MIN) {
        return -1;
    }
    if (d < (double)INTPTR_MIN) {
        return 1;
    }
    intptr_t whole = (intptr_t)d;
    if (i != whole) {
        return i < whole ? -1 : 1;
    }
    double rest = d - (double)whole;
    return rest > 0 ? -1 : rest < 0;
}

/* The top 64 bits of a magnitude, the first of them set; *rest: whether any bit below them is set. */
static uint64_t top_bits(const term *limbs, size_t n, bool *rest) {
    uint64_t top = 0;
    int have = 0;
    *rest = false;
    for (size_t i = n; i > 0; i--) {
        term limb = limbs[i - 1];
        if (have == 64) {
            *rest = *rest || limb != 0;
            continue;
        }
        int bits = have > 0 ? WORD_BITS : WORD_BITS - (WORD_BITS == 64 ? __builtin_clzll(limb) : __builtin_clz((unsigned)limb));
        int take = MIN(bits, 64 - have);
        uint64_t part = (uint64_t)limb >> (bits - take);
        top = take == 64 ? part : top << take | part;
        *rest = take < bits && (limb & (((term)1 << (bits - take)) - 1)) != 0;
        have += take;
    }
    assert(have > 0); /* the last limb is never zero */
    return top << (64 - have);
}

static int compare_big_double(term a, double d) {
    bool negative = kind_of(a) == KIND_NEG_BIG;
    if (d == 0 || negative != (d < 0)) {
        return sign_of(negative);
    }
    const term *x = boxed(a);
    size_t n = HEADER_WORDS(x[0]);
    int exponent;
    double mantissa = frexp(fabs(d), &exponent);
    size_t bits = n * (size_t)WORD_BITS;
    for (term top = x[n]; (intptr_t)top > 0; top <<= 1) {
        bits--;
    }
    if (exponent < 0 || (size_t)exponent != bits) {
        return sign_of((exponent > 0 && (size_t)exponent > bits) != negative);
    }
    bool rest;
    uint64_t mine = top_bits(x + 1, n, &rest), other = (uint64_t)ldexp(mantissa, 64);
    if (mine != other) {
        return sign_of((mine < other) != negative);
    }
    return rest ? sign_of(negative) : 0;
}

static int compare_integer_double(term a, double d) {
    return is_small(a) ? compare_small_double(small_value(a), d) : compare_big_double(a, d);
}

int number_compare(term a, term b) {
    if (is_float(a)) {
        if (is_float(b)) {
            double x = float_value(a), y = float_value(b);
            return (x > y) - (x < y);
        }
        return -compare_integer_double(b, float_value(a));
    }
    return is_float(b) ? compare_integer_double(a, float_value(b)) : integer_compare(a, b);
}
