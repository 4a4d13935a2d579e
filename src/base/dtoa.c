/* Floats as decimal digits, by Raffaello Giulietti's method ("The Schubfach way to render doubles"): scale the float and the two
   ends of the interval that rounds to it by a power of ten, once, with 128 bits; that is provably enough to pick the shortest
   decimal inside, and the closest of those.

   The 617 powers would take 10 KB. We keep every 27th with 192 bits, and multiply by a power of five. */
#include "base/dtoa.h"

#include <math.h>

/* floor(10^(27 * i - 297) * 2^x), most significant word first, x such that the top bit is set. */
static const uint64_t tens[][3] = {
    {0xa76c582338ed2621, 0xaf2af2b80af6f24e, 0x657c8f4d43323a36}, {0x873e4f75e2224e68, 0x5a7744a6e804a291, 0xcc35eddfcf0996d7},
    {0xda7f5bf590966848, 0xaf39a475506a899e, 0xa30294cc2934e662}, {0xb080392cc4349dec, 0xbd8d794d96aacfb3, 0xfe13a5c86af64418},
    {0x8e938662882af53e, 0x547eb47b7282ee9c, 0x41b0230e1421487d}, {0xe65829b3046b0afa, 0x0cb4a5a3112a5112, 0xa3b561b1cb208396},
    {0xba121a4650e4ddeb, 0x92f34d62616ce413, 0x21a0183e10583cd3}, {0x964e858c91ba2655, 0x3a6a07f8d510f86f, 0xe9082f25e9c5e9ec},
    {0xf2d56790ab41c2a2, 0xfae27299423fb9c3, 0x3695dad7e8858901}, {0xc428d05aa4751e4c, 0xaa97e14c3c26b886, 0x96842dc95323f5a8},
    {0x9e74d1b791e07e48, 0x775ea264cf55347d, 0xca49f1c05120c9c7}, {0x8000000000000000, 0x0000000000000000, 0x0000000000000000},
    {0xcecb8f27f4200f3a, 0x0000000000000000, 0x0000000000000000}, {0xa70c3c40a64e6c51, 0x999090b65f67d924, 0x0000000000000000},
    {0x86f0ac99b4e8dafd, 0x69a028bb3ded71a3, 0xdf9f915627c04e28}, {0xda01ee641a708de9, 0xe80e6f4820cc9495, 0xd74baad03bc1d8d3},
    {0xb01ae745b101e9e4, 0x5ec05dcff72e7f8f, 0xc04c79ffe324301f}, {0x8e41ade9fbebc27d, 0x14588f13be847307, 0x23bd6a2059c002f5},
    {0xe5d3ef282a242e81, 0x8f1668c8a86da5fa, 0xf0b5ccf5176ecc7c}, {0xb9a74a0637ce2ee1, 0x6d953e2bd7173692, 0x88efb0037ac08bde},
    {0x95f83d0a1fb69cd9, 0x4abdaf101564f98e, 0x0d5a4af7b3a98e47}, {0xf24a01a73cf2dccf, 0xbc633b39673c8cec, 0x3d9c44cd2f36917c},
    {0xc3b8358109e84f07, 0x0a862f80ec4700c8, 0x02606ea01029dc37}, {0x9e19db92b4e31ba9, 0x6c07a2c26a8346d1, 0x4944d9f52cd0dec2},
};
enum { TENS_STEP = 27, TENS_FIRST = -297 };

/* 5^0 ... 5^26 */
// clang-format off
static const uint64_t fives[TENS_STEP] = {
    1, 5, 25, 125,
    625, 3125, 15625, 78125,
    390625, 1953125, 9765625, 48828125,
    244140625, 1220703125, 6103515625u, 30517578125u,
    152587890625u, 762939453125u, 3814697265625u, 19073486328125u,
    95367431640625u, 476837158203125u, 2384185791015625u, 11920928955078125u,
    59604644775390625u, 298023223876953125u, 1490116119384765625u,
};
// clang-format on

static int floor_log2_pow10(int e) {
    return (e * 1741647) >> 19;
}
static int floor_log10_pow2(int e) {
    return (e * 1262611) >> 22;
}
static int floor_log10_three_quarters_pow2(int e) {
    return (e * 1262611 - 524031) >> 22;
}

typedef struct {
    uint64_t high, low;
} Wide;

static Wide multiply(uint64_t a, uint64_t b) {
#ifdef __SIZEOF_INT128__
    unsigned __int128 p = (unsigned __int128)a * b;
    return (Wide){(uint64_t)(p >> 64), (uint64_t)p};
#else
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t low = a0 * b0, middle = a1 * b0 + (low >> 32), other = a0 * b1 + (uint32_t)middle;
    return (Wide){a1 * b1 + (middle >> 32) + (other >> 32), other << 32 | (uint32_t)low};
#endif
}

/* 10^k * 2^x, rounded up to 128 bits, the top one set. */
static Wide power_of_ten(int k) {
    assert(k >= -292 && k <= 324);
    int i = (k - TENS_FIRST) / TENS_STEP, base = TENS_FIRST + TENS_STEP * i;
    uint64_t five = fives[k - base];
    Wide p0 = multiply(tens[i][2], five), p1 = multiply(tens[i][1], five), p2 = multiply(tens[i][0], five);
    uint64_t w1 = p1.low + p0.high, carry = w1 < p0.high;
    uint64_t w2 = p2.low + p1.high + carry;
    uint64_t w3 = p2.high + (w2 < p2.low || (carry && w2 == p2.low));
    int shift = floor_log2_pow10(k) - floor_log2_pow10(base) - (k - base);
    Wide g = {w2, w1};
    if (shift > 0) {
        g = (Wide){w2 >> shift | w3 << (64 - shift), w1 >> shift | w2 << (64 - shift)};
    }
    bool exact = k >= 0 && k <= 55; /* 5^55 is the last that fits */
    g.low += !exact;
    g.high += !exact && g.low == 0;
    return g;
}

/* The top 64 bits of g * n / 2^128 with the last bit set if anything was lost below it. */
static uint64_t scale(Wide g, uint64_t n) {
    Wide low = multiply(g.low, n), high = multiply(g.high, n);
    uint64_t middle = high.low + low.high;
    high.high += middle < low.high;
    return high.high | (middle > 1);
}

/* The shortest decimal digits * 10^*exponent of fraction * 2^power. */
static uint64_t shortest(uint64_t fraction, int power, bool uneven, int *exponent) {
    bool odd = fraction & 1;
    int k = uneven ? floor_log10_three_quarters_pow2(power) : floor_log10_pow2(power);
    int h = power + floor_log2_pow10(-k) + 1;
    Wide g = power_of_ten(-k);
    uint64_t low = scale(g, (4 * fraction - 2 + uneven) << h) + odd, middle = scale(g, (4 * fraction) << h);
    uint64_t high = scale(g, (4 * fraction + 2) << h) - odd;
    uint64_t s = middle / 4;
    if (s >= 10) { /* one digit less, if exactly one such number is inside */
        uint64_t t = s / 10;
        bool below = low <= 40 * t, above = 40 * t + 40 <= high;
        if (below != above) {
            *exponent = k + 1;
            return t + above;
        }
    }
    *exponent = k;
    bool below = low <= 4 * s, above = 4 * s + 4 <= high;
    if (below != above) {
        return s + above;
    }
    return s + (middle > 4 * s + 2 || (middle == 4 * s + 2 && (s & 1)));
}

void dtoa_shortest(double d, Decimal *out) {
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    uint64_t fraction = bits & (((uint64_t)1 << 52) - 1), digits;
    int power = bits >> 52 & 2047, exponent;
    assert(power != 2047);
    out->negative = bits >> 63;
    if (power == 0 && fraction == 0) {
        out->count = 1, out->point = 1, out->digits[0] = '0';
        return;
    }
    uint64_t whole = fraction | (uint64_t)1 << 52;
    int lost = 1075 - power;
    if (lost >= 0 && lost <= 52 && (whole & (((uint64_t)1 << lost) - 1)) == 0) {
        digits = whole >> lost, exponent = 0; /* a small integer */
    } else if (power == 0) {
        digits = shortest(fraction, -1074, false, &exponent);
    } else {
        digits = shortest(whole, power - 1075, fraction == 0 && power > 1, &exponent);
    }
    while (digits % 10 == 0) {
        digits /= 10, exponent++;
    }
    char text[20], *at = text + sizeof text;
    for (; digits > UINT32_MAX; digits /= 10) {
        *--at = (char)('0' + digits % 10);
    }
    for (uint32_t few = (uint32_t)digits; few > 0; few /= 10) { /* half the width, half the time */
        *--at = (char)('0' + few % 10);
    }
    size_t n = (size_t)(text + sizeof text - at);
    assert(n <= DTOA_DIGITS);
    memcpy(out->digits, at, n);
    out->count = (uint8_t)n, out->point = (int16_t)((int)n + exponent);
}

static char *put_exponent(char *p, int e) {
    *p++ = 'e';
    if (e < 0) {
        *p++ = '-', e = -e;
    }
    if (e >= 100) {
        *p++ = (char)('0' + e / 100);
    }
    if (e >= 10) {
        *p++ = (char)('0' + e / 10 % 10);
    }
    *p++ = (char)('0' + e % 10);
    return p;
}

/* Without an exponent if that is not longer and the number is not so large that its last digits would be invented. */
static bool is_plain(const Decimal *v, double d) {
    int zeros = v->point - v->count; /* the exponent of the last digit */
    int most = v->count == 1 || v->point > 10 ? 2 : 1, least = v->count == 1 ? -4 : -(v->count + 2);
    return zeros >= least && zeros <= most && fabs(d) < 0x1p53;
}

size_t dtoa_short(double d, char out[DTOA_SHORT_MAX]) {
    Decimal v;
    dtoa_shortest(d, &v);
    char *p = out;
    const char *digit = v.digits, *end = digit + v.count;
    if (v.negative) {
        *p++ = '-';
    }
    if (!is_plain(&v, d)) {
        *p++ = *digit++;
        *p++ = '.';
        do {
            *p++ = digit < end ? *digit++ : '0';
        } while (digit < end);
        return (size_t)(put_exponent(p, v.point - 1) - out);
    }
    int point = v.point;
    if (point <= 0) {
        *p++ = '0';
    }
    for (int i = point; i > 0; i--) {
        *p++ = digit < end ? *digit++ : '0';
    }
    *p++ = '.';
    for (; point < 0; point++) {
        *p++ = '0';
    }
    do {
        *p++ = digit < end ? *digit++ : '0';
    } while (digit < end);
    return (size_t)(p - out);
}
