/* Runs of bits at any alignment: reading, writing, copying and comparing. Bit 0 of a run is the top bit of its first byte, as
   in Erlang's bitstrings. None of these touches a byte that holds no bit of its run. */
#ifndef MOTE_BASE_BITRUN_H
#define MOTE_BASE_BITRUN_H

#include "base/base.h"

static inline uint64_t bits_mask(unsigned n) { /* the low n bits, n 0..64 */
    return n == 0 ? 0 : ~(uint64_t)0 >> (64 - n);
}

/* So many whole bytes (1..8) as a big-endian number. The two loads of each case may overlap: the bytes they share agree. */
static inline uint64_t bytes_read(const uint8_t *p, unsigned n) {
    assert(n >= 1 && n <= 8);
    if (n >= 4) {
        return (uint64_t)read_be32(p) << 8 * (n - 4) | read_be32(p + n - 4);
    }
    if (n >= 2) {
        return (uint64_t)read_be16(p) << 8 * (n - 2) | read_be16(p + n - 2);
    }
    return p[0];
}
static inline void bytes_write(uint8_t *p, uint64_t v, unsigned n) {
    assert(n >= 1 && n <= 8);
    if (n >= 4) {
        write_be32(p, (uint32_t)(v >> 8 * (n - 4)));
        write_be32(p + n - 4, (uint32_t)v);
    } else if (n >= 2) {
        write_be16(p, (uint32_t)(v >> 8 * (n - 2)));
        write_be16(p + n - 2, (uint32_t)v);
    } else {
        p[0] = (uint8_t)v;
    }
}

/* n bits (0..64) from bit `at` of p on, as a number. */
static inline uint64_t bitrun_read(const uint8_t *p, size_t at, unsigned n) {
    assert(n <= 64);
    if (UNLIKELY(n == 0)) {
        return 0;
    }
    p += at / 8;
    unsigned end = at % 8 + n;
    if (LIKELY(end <= 64)) {
        return bytes_read(p, (end + 7) / 8) >> (-end & 7) & bits_mask(n);
    }
    return (read_be64(p) << (end - 64) | p[8] >> (72 - end)) & bits_mask(n);
}

/* Writes the low n bits (0..64) of v from bit `at` of p on. Bits before `at` are kept; those that follow in the last byte
   touched become 0: for building from left to right. */
static inline void bitrun_put(uint8_t *p, size_t at, uint64_t v, unsigned n) {
    assert(n <= 64);
    if (UNLIKELY(n == 0)) {
        return;
    }
    p += at / 8;
    unsigned before = at % 8, end = before + n;
    v &= bits_mask(n);
    if (before != 0) {
        uint64_t kept = (uint64_t)(p[0] >> (8 - before));
        if (UNLIKELY(end > 64)) {
            uint64_t low = v << (72 - end);
            write_be64(p, kept << (64 - before) | v >> (end - 64));
            p[8] = (uint8_t)low;
            return;
        }
        v |= kept << n;
    }
    bytes_write(p, v << (-end & 7), (end + 7) / 8);
}

/* Copies n bits; those around them in dst are kept. The runs must not overlap. */
void bitrun_copy(uint8_t *dst, size_t dst_at, const uint8_t *src, size_t src_at, size_t n);
bool bitrun_equal(const uint8_t *a, size_t a_at, const uint8_t *b, size_t b_at, size_t n);
/* < 0, 0, > 0: bit by bit, and if one is the beginning of the other, the shorter one is less. */
int bitrun_compare(const uint8_t *a, size_t a_at, size_t an, const uint8_t *b, size_t b_at, size_t bn);

#endif
