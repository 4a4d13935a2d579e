/* RFC 1951, bit by bit: codes are canonical, so that counting how many there are of each length is enough to decode them. */
#include "code/inflate.h"

enum { LONGEST_CODE = 15, MAX_SYMBOLS = 288, DISTANCES = 32, END = 256, FIRST_LENGTH = 257 };

typedef struct {
    const uint8_t *at, *end;
    uint32_t bits, count; /* bits that have been taken from the input and not been used */
    uint8_t *start, *to, *limit;
} Stream;

typedef struct {
    uint16_t limit[LONGEST_CODE + 1]; /* of each length: behind the last of its codes, as if codes had LONGEST_CODE bits */
    uint16_t base[LONGEST_CODE + 1];  /* what, added to a code of this length, is its place in `symbol` (modulo 2^16) */
    uint16_t symbol[MAX_SYMBOLS];     /* in order of their codes */
    uint8_t shortest;
} Codes;

static bool take(Stream *s, uint32_t n, uint32_t *value) {
    while (s->count < n) {
        if (s->at == s->end) {
            return false;
        }
        s->bits |= (uint32_t)*s->at++ << s->count;
        s->count += 8;
    }
    *value = s->bits & ((1u << n) - 1);
    s->bits >>= n;
    s->count -= n;
    return true;
}

/* False: there are more codes than fit. Fewer are fine: what is missing is met as a damaged stream. */
static bool codes_make(Codes *c, const uint8_t *lengths, uint32_t n) {
    uint16_t count[LONGEST_CODE + 1] = {0}, offset[LONGEST_CODE + 1];
    for (uint32_t i = 0; i < n; i++) {
        count[lengths[i]]++;
    }
    uint32_t code = 0, place = 0;
    c->shortest = LONGEST_CODE;
    for (uint32_t i = 1; i <= LONGEST_CODE; i++) {
        offset[i] = (uint16_t)place;
        c->base[i] = (uint16_t)(place - code);
        place += count[i];
        code += count[i];
        if (code > 1u << i) {
            return false;
        }
        c->limit[i] = (uint16_t)(code << (LONGEST_CODE - i));
        if (count[i] > 0) {
            c->shortest = MIN(c->shortest, (uint8_t)i);
        }
        code <<= 1;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (lengths[i] != 0) {
            c->symbol[offset[lengths[i]]++] = (uint16_t)i;
        }
    }
    return true;
}

static bool symbol(Stream *s, const Codes *c, uint32_t *value) {
    while (s->count < LONGEST_CODE && s->at < s->end) {
        s->bits |= (uint32_t)*s->at++ << s->count;
        s->count += 8;
    }
    uint32_t code = s->bits, length = c->shortest; /* codes have their first bit lowest: turned around, they are in order */
    code = (code >> 1 & 0x5555) | (code & 0x5555) << 1;
    code = (code >> 2 & 0x3333) | (code & 0x3333) << 2;
    code = (code >> 4 & 0x0f0f) | (code & 0x0f0f) << 4;
    code = ((code >> 8 & 0x00ff) | (code & 0x00ff) << 8) >> (16 - LONGEST_CODE);
    while (code >= c->limit[length]) {
        if (++length > LONGEST_CODE) {
            return false;
        }
    }
    if (length > s->count) {
        return false;
    }
    *value = c->symbol[(uint16_t)(c->base[length] + (code >> (LONGEST_CODE - length)))];
    s->bits >>= length;
    s->count -= length;
    return true;
}

static bool compressed_block(Stream *s, const Codes *lengths, const Codes *distances) {
    static const uint16_t length_base[] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                           31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
    static const uint8_t length_bits[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    for (;;) {
        uint32_t what, more, distance;
        if (!symbol(s, lengths, &what)) {
            return false;
        }
        if (what == END) {
            return true;
        }
        if (what < END) {
            if (s->to == s->limit) {
                return false;
            }
            *s->to++ = (uint8_t)what;
            continue;
        }
        what -= FIRST_LENGTH;
        if (what >= ARRAY_LEN(length_base) || !take(s, length_bits[what], &more)) {
            return false;
        }
        size_t length = length_base[what] + more;
        if (!symbol(s, distances, &distance) || distance >= 30) {
            return false;
        }
        uint32_t bits = distance < 2 ? 0 : distance / 2 - 1;
        if (!take(s, bits, &more)) {
            return false;
        }
        size_t back = (distance < 2 ? distance : (2 + (distance & 1)) << bits) + more + 1;
        if (back > (size_t)(s->to - s->start) || length > (size_t)(s->limit - s->to)) {
            return false;
        }
        for (; length > 0; length--, s->to++) {
            *s->to = s->to[-(ptrdiff_t)back];
        }
    }
}

static bool fixed_block(Stream *s) {
    uint8_t lengths[MAX_SYMBOLS];
    Codes codes, distances;
    memset(lengths, 8, 144);
    memset(lengths + 144, 9, 112);
    memset(lengths + 256, 7, 24);
    memset(lengths + 280, 8, 8);
    codes_make(&codes, lengths, MAX_SYMBOLS);
    memset(lengths, 5, 30);
    codes_make(&distances, lengths, 30);
    return compressed_block(s, &codes, &distances);
}

static bool dynamic_block(Stream *s) {
    static const uint8_t order[] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    uint8_t lengths[MAX_SYMBOLS + DISTANCES] = {0};
    Codes codes, distances;
    uint32_t symbols, places, given, length;
    if (!take(s, 5, &symbols) || !take(s, 5, &places) || !take(s, 4, &given) || symbols + 257 > 286 || places + 1 > 30) {
        return false;
    }
    symbols += 257, places += 1, given += 4;
    for (uint32_t i = 0; i < given; i++) {
        if (!take(s, 3, &length)) {
            return false;
        }
        lengths[order[i]] = (uint8_t)length;
    }
    if (!codes_make(&codes, lengths, ARRAY_LEN(order))) {
        return false;
    }
    memset(lengths, 0, ARRAY_LEN(order));
    for (uint32_t i = 0; i < symbols + places;) {
        uint32_t what, times = 1;
        uint8_t value;
        if (!symbol(s, &codes, &what)) {
            return false;
        }
        value = what < 16 ? (uint8_t)what : what == 16 && i > 0 ? lengths[i - 1] : 0;
        if (what >= 16) {
            uint32_t bits = what == 16 ? 2 : what == 17 ? 3 : 7;
            if ((what == 16 && i == 0) || !take(s, bits, &times)) {
                return false;
            }
            times += what == 18 ? 11 : 3;
        }
        if (times > symbols + places - i) {
            return false;
        }
        memset(lengths + i, value, times);
        i += times;
    }
    return lengths[END] != 0 && codes_make(&codes, lengths, symbols) && codes_make(&distances, lengths + symbols, places) &&
           compressed_block(s, &codes, &distances);
}

/* Whole bytes that were taken too early go back; the rest of the last one is left out. */
static void to_byte(Stream *s) {
    s->at -= s->count / 8;
    s->bits = s->count = 0;
}

static bool stored_block(Stream *s) {
    to_byte(s);
    if (s->end - s->at < 4) {
        return false;
    }
    size_t size = s->at[0] | (size_t)s->at[1] << 8, check = s->at[2] | (size_t)s->at[3] << 8;
    s->at += 4;
    if (size != (check ^ 0xffff) || size > (size_t)(s->end - s->at) || size > (size_t)(s->limit - s->to)) {
        return false;
    }
    memcpy(s->to, s->at, size);
    s->at += size;
    s->to += size;
    return true;
}

static uint32_t adler(const uint8_t *p, size_t size) {
    uint32_t a = 1, b = 0;
    for (size_t i = 0; i < size; i++) {
        a += p[i];
        b += a;
        if ((i & 4095) == 4095) { /* 5,552 sums of bytes fit */
            a %= 65521;
            b %= 65521;
        }
    }
    return b % 65521 << 16 | a % 65521;
}

bool inflate_small(Bytes from, uint8_t *to, size_t size) {
    Stream s = {.at = from.at + 2, .end = from.at + from.size, .start = to, .to = to, .limit = to + size};
    uint32_t last = 0, kind;
    if (from.size < 6 || (from.at[0] & 15) != 8 || from.at[0] >> 4 > 7 || (from.at[1] & 0x20) || (from.at[0] << 8 | from.at[1]) % 31 != 0) {
        return false;
    }
    while (!last) {
        if (!take(&s, 1, &last) || !take(&s, 2, &kind) || kind == 3) {
            return false;
        }
        if (kind == 0 ? !stored_block(&s) : kind == 1 ? !fixed_block(&s) : !dynamic_block(&s)) {
            return false;
        }
    }
    to_byte(&s);
    return s.to == s.limit && s.end - s.at >= 4 && read_be32(s.at) == adler(to, size);
}
