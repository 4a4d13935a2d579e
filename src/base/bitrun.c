/* Copying and comparing runs of bits, a word at a time once they are long enough. */
#include "base/bitrun.h"

/* 64 bits from bit `at` (0..7) of p on; touches the ninth byte only if a bit of it is wanted. */
static inline uint64_t read64(const uint8_t *p, unsigned at) {
    uint64_t v = read_be64(p);
    return at == 0 ? v : v << at | p[8] >> (8 - at);
}

/* Overwrites n (1..8) bits that lie within one byte, from bit `at` of it on. */
static void replace_in_byte(uint8_t *p, unsigned at, unsigned n, unsigned v) {
    unsigned shift = 8 - at - n, mask = ((1u << n) - 1) << shift;
    *p = (uint8_t)((*p & ~mask) | (v << shift & mask));
}

void bitrun_copy(uint8_t *dst, size_t dst_at, const uint8_t *src, size_t src_at, size_t n) {
    if (n == 0) {
        return;
    }
    dst += dst_at / 8, dst_at %= 8;
    src += src_at / 8, src_at %= 8;
    if (dst_at != 0) {
        unsigned first = (unsigned)MIN(8 - dst_at, n);
        replace_in_byte(dst, (unsigned)dst_at, first, (unsigned)bitrun_read(src, src_at, first));
        dst++, n -= first;
        src += (src_at + first) / 8, src_at = (src_at + first) % 8;
    }
    if (src_at == 0) {
        memcpy(dst, src, n / 8);
        dst += n / 8, src += n / 8, n %= 8;
    }
    for (; n >= 64; n -= 64, dst += 8, src += 8) {
        write_be64(dst, read64(src, (unsigned)src_at));
    }
    if (n >= 8) {
        unsigned whole = (unsigned)n / 8;
        bytes_write(dst, bitrun_read(src, src_at, whole * 8), whole);
        dst += whole, src += whole, n %= 8;
    }
    if (n > 0) {
        replace_in_byte(dst, 0, (unsigned)n, (unsigned)bitrun_read(src, src_at, (unsigned)n));
    }
}

/* How the first n bits of both compare: < 0, 0, > 0. */
static int compare_common(const uint8_t *a, size_t a_at, const uint8_t *b, size_t b_at, size_t n) {
    a += a_at / 8, a_at %= 8;
    b += b_at / 8, b_at %= 8;
    if (a_at == 0 && b_at == 0) {
        int c = memcmp(a, b, n / 8);
        if (c != 0) {
            return c;
        }
        a += n / 8, b += n / 8, n %= 8;
    }
    for (; n >= 64; n -= 64, a += 8, b += 8) {
        uint64_t x = read64(a, (unsigned)a_at), y = read64(b, (unsigned)b_at);
        if (x != y) {
            return x < y ? -1 : 1;
        }
    }
    uint64_t x = bitrun_read(a, a_at, (unsigned)n), y = bitrun_read(b, b_at, (unsigned)n);
    return x < y ? -1 : x > y;
}

bool bitrun_equal(const uint8_t *a, size_t a_at, const uint8_t *b, size_t b_at, size_t n) {
    return compare_common(a, a_at, b, b_at, n) == 0;
}

int bitrun_compare(const uint8_t *a, size_t a_at, size_t an, const uint8_t *b, size_t b_at, size_t bn) {
    int c = compare_common(a, a_at, b, b_at, MIN(an, bn));
    return c != 0 ? c : an < bn ? -1 : an > bn;
}
