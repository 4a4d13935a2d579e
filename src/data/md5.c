/* MD5, four rounds of sixteen steps unrolled by macro. */
#include "data/md5.h"

void md5_init(Md5 *m) {
    *m = (Md5){.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}};
}

static inline uint32_t rotate(uint32_t x, int n) {
    return x << n | x >> (32 - n);
}

#define F(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
/* The two halves of (x & z) | (y & ~z) have no bit in common: added one by one, only one of them waits for x. */
#define G(x, y, z) (((x) & (z)) + ((y) & ~(z)))
#define H(x, y, z) ((x) ^ (y) ^ (z))
#define I(x, y, z) ((y) ^ ((x) | ~(z)))
#define STEP(f, a, b, c, d, k, t, s) (a) = rotate((a) + (k) + (uint32_t)(t) + f(b, c, d), s) + (b)
#define FOUR(f, i, j, k, l, t1, t2, t3, t4, s1, s2, s3, s4) \
    STEP(f, a, b, c, d, x[i], t1, s1);                      \
    STEP(f, d, a, b, c, x[j], t2, s2);                      \
    STEP(f, c, d, a, b, x[k], t3, s3);                      \
    STEP(f, b, c, d, a, x[l], t4, s4)

static void blocks(uint32_t state[4], const uint8_t *p, size_t count) {
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    for (; count > 0; count--, p += 64) {
        uint32_t x[16], a0 = a, b0 = b, c0 = c, d0 = d;
        for (int i = 0; i < 16; i++) {
            const uint8_t *q = p + 4 * i;
            x[i] = q[0] | (uint32_t)q[1] << 8 | (uint32_t)q[2] << 16 | (uint32_t)q[3] << 24;
        }
        FOUR(F, 0, 1, 2, 3, 0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 7, 12, 17, 22);
        FOUR(F, 4, 5, 6, 7, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501, 7, 12, 17, 22);
        FOUR(F, 8, 9, 10, 11, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 7, 12, 17, 22);
        FOUR(F, 12, 13, 14, 15, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 7, 12, 17, 22);
        FOUR(G, 1, 6, 11, 0, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 5, 9, 14, 20);
        FOUR(G, 5, 10, 15, 4, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8, 5, 9, 14, 20);
        FOUR(G, 9, 14, 3, 8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 5, 9, 14, 20);
        FOUR(G, 13, 2, 7, 12, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 5, 9, 14, 20);
        FOUR(H, 5, 8, 11, 14, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 4, 11, 16, 23);
        FOUR(H, 1, 4, 7, 10, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 4, 11, 16, 23);
        FOUR(H, 13, 0, 3, 6, 0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 4, 11, 16, 23);
        FOUR(H, 9, 12, 15, 2, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 4, 11, 16, 23);
        FOUR(I, 0, 7, 14, 5, 0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 6, 10, 15, 21);
        FOUR(I, 12, 3, 10, 1, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1, 6, 10, 15, 21);
        FOUR(I, 8, 15, 6, 13, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 6, 10, 15, 21);
        FOUR(I, 4, 11, 2, 9, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391, 6, 10, 15, 21);
        a += a0, b += b0, c += c0, d += d0;
    }
    state[0] = a, state[1] = b, state[2] = c, state[3] = d;
}

void md5_update(Md5 *m, const void *bytes, size_t size) {
    const uint8_t *p = bytes;
    size_t held = m->size % 64;
    if (size == 0) {
        return;
    }
    m->size += size;
    if (held > 0) {
        size_t n = MIN(size, 64 - held);
        memcpy(m->block + held, p, n);
        p += n, size -= n;
        if (held + n < 64) {
            return;
        }
        blocks(m->state, m->block, 1);
    }
    blocks(m->state, p, size / 64);
    if (size % 64 != 0) {
        memcpy(m->block, p + size / 64 * 64, size % 64);
    }
}

void md5_final(Md5 *m, uint8_t digest[16]) {
    static const uint8_t padding[64] = {0x80};
    uint64_t bits = m->size * 8;
    uint8_t length[8];
    md5_update(m, padding, 1 + (119 - m->size % 64) % 64);
    for (int i = 0; i < 8; i++) {
        length[i] = (uint8_t)(bits >> 8 * i);
    }
    md5_update(m, length, 8);
    for (int i = 0; i < 16; i++) {
        digest[i] = (uint8_t)(m->state[i / 4] >> 8 * (i % 4));
    }
}
