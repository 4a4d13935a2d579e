/* Matching of bitstrings: what is not worth doing inline. */
#include "data/bit_match.h"

#include <math.h>

term match_integer(Heap *h, View *m, size_t bits, unsigned flags) {
    if (!match_has(m, bits)) {
        return NONE;
    }
    flags = bits_flags(flags);
    if (LIKELY(bits < (size_t)SMALL_BITS)) {
        return match_take_small(m, (unsigned)bits, flags);
    }
    term t;
    if (bits <= 64) {
        uint64_t v = bits_meaning(match_peek(m, (unsigned)bits), (unsigned)bits, flags);
        t = flags & BITS_SIGNED ? integer_from_int64(h, (int64_t)v) : integer_from_uint64(h, v);
    } else {
        unsigned how = (flags & BITS_SIGNED ? INTEGER_SIGNED : 0) | (flags & BITS_LITTLE ? INTEGER_LITTLE : 0);
        h->reds -= (intptr_t)(bits / 8192);
        t = integer_from_bits(h, bits_base(m->base), m->start, bits, how);
    }
    if (t != NONE) {
        m->start += bits;
    }
    return t;
}

/* IEEE half precision; false: not finite. */
static bool half_to_double(unsigned half, double *d) {
    unsigned exponent = half >> 10 & 31, mantissa = half & 1023;
    if (exponent == 31) {
        return false;
    }
    double magnitude = exponent == 0 ? ldexp(mantissa, -24) : ldexp(1024 + mantissa, (int)exponent - 25);
    *d = half >> 15 ? -magnitude : magnitude;
    return true;
}

term match_float(Heap *h, View *m, size_t bits, unsigned flags) {
    if (bits == 0) {
        return heap_float(h, 0.0);
    }
    if ((bits != 16 && bits != 32 && bits != 64) || !match_has(m, bits)) {
        return NONE;
    }
    uint64_t v = bits_meaning(match_peek(m, (unsigned)bits), (unsigned)bits, bits_flags(flags) & BITS_LITTLE);
    double d;
    if (bits == 64) {
        memcpy(&d, &v, sizeof d);
    } else if (bits == 32) {
        float f;
        uint32_t v32 = (uint32_t)v;
        memcpy(&f, &v32, sizeof f);
        d = (double)f;
    } else if (!half_to_double((unsigned)v, &d)) {
        return NONE;
    }
    if (!isfinite(d)) {
        return NONE;
    }
    m->start += bits;
    return heap_float(h, d);
}

static term cut(Heap *h, const View *m, size_t bits) {
    return bits_sub(h, make_boxed(m), 0, bits);
}

term match_bits(Heap *h, View *m, size_t bits) {
    if (!match_has(m, bits)) {
        return NONE;
    }
    term t = cut(h, m, bits);
    m->start += bits;
    return t;
}

term match_all(Heap *h, View *m, unsigned unit) {
    size_t bits = match_left(m);
    if (!bits_fit_unit(bits, unit)) {
        return NONE;
    }
    return match_bits(h, m, bits);
}

term match_tail(Heap *h, const View *m) {
    return cut(h, m, match_left(m));
}

term match_utf8_slow(View *m) {
    size_t left = match_left(m);
    if (left < 8) {
        return NONE;
    }
    unsigned bytes = (unsigned)MIN(left / 8, 4);
    uint32_t v = (uint32_t)match_peek(m, bytes * 8) << (32 - bytes * 8); /* the first byte on top, zeros behind the end */
    uint32_t c = v >> 24;
    unsigned length;
    if (c < 0x80) {
        length = 1;
    } else if (c >= 0xc2 && c <= 0xdf && (v & 0x00c00000) == 0x00800000) {
        length = 2;
        c = (c & 0x1f) << 6 | (v >> 16 & 0x3f);
    } else if ((c & 0xf0) == 0xe0 && (v & 0x00c0c000) == 0x00808000) {
        length = 3;
        c = (c & 0x0f) << 12 | (v >> 16 & 0x3f) << 6 | (v >> 8 & 0x3f);
        if (c < 0x800 || (c >= 0xd800 && c <= 0xdfff)) {
            return NONE;
        }
    } else if ((c & 0xf8) == 0xf0 && (v & 0x00c0c0c0) == 0x00808080) {
        length = 4;
        c = (c & 0x07) << 18 | (v >> 16 & 0x3f) << 12 | (v >> 8 & 0x3f) << 6 | (v & 0x3f);
        if (c < 0x10000 || c > 0x10ffff) {
            return NONE;
        }
    } else {
        return NONE;
    }
    m->start += length * 8;
    return SMALL(c);
}

term match_utf16(View *m, unsigned flags) {
    flags = bits_flags(flags) & BITS_LITTLE;
    size_t left = match_left(m);
    if (left < 16) {
        return NONE;
    }
    uint32_t first = (uint32_t)bits_meaning(match_peek(m, 16), 16, flags);
    if (first < 0xd800 || first > 0xdfff) {
        m->start += 16;
        return SMALL(first);
    }
    if (first > 0xdbff || left < 32) {
        return NONE;
    }
    uint32_t second = (uint32_t)bits_meaning(match_peek(m, 32) & 0xffff, 16, flags);
    if (second < 0xdc00 || second > 0xdfff) {
        return NONE;
    }
    m->start += 32;
    return SMALL(((first & 0x3ff) << 10 | (second & 0x3ff)) + 0x10000);
}

term match_utf32(View *m, unsigned flags) {
    if (!match_has(m, 32)) {
        return NONE;
    }
    uint64_t c = bits_meaning(match_peek(m, 32), 32, bits_flags(flags) & BITS_LITTLE);
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        return NONE;
    }
    m->start += 32;
    return SMALL(c);
}
