/* UTF-8, strictly. */
#include "base/utf8.h"

int utf8_read(const uint8_t *p, const uint8_t *end, uint32_t *c) {
    if (p == end) {
        return UTF8_SHORT;
    }
    uint32_t b = *p;
    if (b < 0x80) {
        *c = b;
        return 1;
    }
    int n = b >= 0xc2 && b <= 0xdf ? 2 : b >= 0xe0 && b <= 0xef ? 3 : b >= 0xf0 && b <= 0xf4 ? 4 : 0;
    if (n == 0) {
        return UTF8_BAD;
    }
    uint32_t v = b & (0xffu >> (n + 1));
    for (int i = 1; i < n; i++) {
        if (p + i == end) {
            return UTF8_SHORT;
        }
        uint32_t k = p[i];
        /* The second byte alone decides about overlong forms, surrogates and the upper end. */
        uint32_t low = i > 1 ? 0x80 : b == 0xe0 ? 0xa0 : b == 0xf0 ? 0x90 : 0x80;
        uint32_t high = i > 1 ? 0xbf : b == 0xed ? 0x9f : b == 0xf4 ? 0x8f : 0xbf;
        if (k < low || k > high) {
            return UTF8_BAD;
        }
        v = v << 6 | (k & 0x3f);
    }
    *c = v;
    return n;
}

size_t utf8_length(uint32_t c) {
    return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

size_t utf8_write(uint8_t *p, uint32_t c) {
    size_t n = utf8_length(c);
    if (n == 1) {
        *p = (uint8_t)c;
        return 1;
    }
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--, c >>= 6) {
        p[i] = (uint8_t)(0x80 | (c & 0x3f));
    }
    p[0] = (uint8_t)(lead[n] | c);
    return n;
}

ptrdiff_t utf8_count(const uint8_t *p, size_t size) {
    const uint8_t *end = p + size;
    ptrdiff_t count = 0;
    for (uint32_t c; p < end; count++) {
        int n = utf8_read(p, end, &c);
        if (n < 0) {
            return -1;
        }
        p += n;
    }
    return count;
}
