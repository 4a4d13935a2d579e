/* Integers of any size as terms. */
#include "data/integer.h"

#include <math.h>

#include "base/bitrun.h"
#include "term/atom.h"

/* Does this magnitude of one limb fit into a small? */
static bool fits_small(Limb limb, bool negative) {
    return limb <= (Limb)SMALL_MAX + negative;
}

Limb *integer_begin(Heap *h, size_t count) {
    term *p = count > INTEGER_MAX_LIMBS + 2 ? NULL : heap_alloc(h, 1 + count);
    if (UNLIKELY(p == NULL)) {
        h->reason = A_system_limit;
        return NULL;
    }
    return p + 1;
}

term integer_finish(Heap *h, Limb *limbs, size_t count, bool negative) {
    size_t n = limb_normal(limbs, count);
    term *start = limbs - 1, *end = limbs + count;
    if (n <= 1 && (n == 0 || fits_small(limbs[0], negative))) {
        intptr_t value = n == 0 ? 0 : (intptr_t)(negative ? -limbs[0] : limbs[0]);
        heap_release(h, start, end);
        return SMALL(value);
    }
    if (UNLIKELY(n > INTEGER_MAX_LIMBS)) {
        heap_release(h, start, end);
        return heap_fail(h, A_system_limit);
    }
    if (n < count) {
        heap_release(h, limbs + n, end);
    }
    start[0] = HEADER(n, negative ? KIND_NEG_BIG : KIND_BIG);
    return make_boxed(start);
}

term integer_from_limbs(Heap *h, const Limb *limbs, size_t count, bool negative) {
    count = limb_normal(limbs, count);
    if (count <= 1 && (count == 0 || fits_small(limbs[0], negative))) {
        return count == 0 ? SMALL(0) : SMALL(negative ? -limbs[0] : limbs[0]);
    }
    Limb *to = integer_begin(h, count);
    if (to == NULL) {
        return NONE;
    }
    memcpy(to, limbs, count * sizeof *to);
    return integer_finish(h, to, count, negative);
}

enum { LIMBS_OF_64 = 64 / LIMB_BITS };

static term from_magnitude_64(Heap *h, uint64_t n, bool negative) {
    Limb limbs[LIMBS_OF_64];
    for (int i = 0; i < LIMBS_OF_64; i++) {
        limbs[i] = (Limb)(n >> (i * LIMB_BITS % 64));
    }
    return integer_from_limbs(h, limbs, LIMBS_OF_64, negative);
}

term integer_from_int64(Heap *h, int64_t n) {
    if (LIKELY(n >= SMALL_MIN && n <= SMALL_MAX)) {
        return SMALL(n);
    }
    return from_magnitude_64(h, n < 0 ? -(uint64_t)n : (uint64_t)n, n < 0);
}

term integer_from_uint64(Heap *h, uint64_t n) {
    return n <= (uint64_t)SMALL_MAX ? SMALL(n) : from_magnitude_64(h, n, false);
}

static bool magnitude_64(term t, uint64_t *magnitude, bool *negative) {
    if (!is_integer(t)) {
        return false;
    }
    IntegerView v;
    integer_view(&v, t);
    if (v.count > LIMBS_OF_64) {
        return false;
    }
    *magnitude = 0;
    for (size_t i = 0; i < v.count; i++) {
        *magnitude |= (uint64_t)v.limbs[i] << (i * LIMB_BITS % 64);
    }
    *negative = v.negative;
    return true;
}

bool integer_to_int64(term t, int64_t *n) {
    if (LIKELY(is_small(t))) {
        *n = small_value(t);
        return true;
    }
    uint64_t m;
    bool negative;
    if (!magnitude_64(t, &m, &negative) || m > (uint64_t)INT64_MAX + negative) {
        return false;
    }
    *n = negative ? (int64_t)-m : (int64_t)m;
    return true;
}

bool integer_to_uint64(term t, uint64_t *n) {
    bool negative;
    return magnitude_64(t, n, &negative) && !negative;
}

size_t integer_bit_length(term t) {
    IntegerView v;
    integer_view(&v, t);
    return v.count == 0 ? 0 : v.count * LIMB_BITS - limb_clz(v.limbs[v.count - 1]);
}

/* Floats. */

term integer_from_double(Heap *h, double d) {
    assert(isfinite(d) && d == trunc(d));
    if (d >= (double)SMALL_MIN && d < -(double)SMALL_MIN) {
        return SMALL((intptr_t)d);
    }
    int exponent;
    uint64_t mantissa = (uint64_t)ldexp(frexp(fabs(d), &exponent), 53);
    exponent -= 53; /* |d| = mantissa * 2^exponent; below 0 only where limbs are narrower than a mantissa */
    if (exponent < 0) {
        return from_magnitude_64(h, mantissa >> -exponent, d < 0);
    }
    size_t low = (size_t)exponent / LIMB_BITS, count = low + 64 / LIMB_BITS + 1;
    unsigned shift = (unsigned)exponent % LIMB_BITS;
    Limb *limbs = integer_begin(h, count);
    if (limbs == NULL) {
        return NONE;
    }
    memset(limbs, 0, count * sizeof *limbs);
    for (int i = 0; i < LIMBS_OF_64; i++) {
        limbs[low + (size_t)i] = (Limb)(mantissa >> (i * LIMB_BITS % 64));
    }
    if (shift > 0) {
        limb_lshift(limbs + low, limbs + low, count - low, shift);
    }
    return integer_finish(h, limbs, count, d < 0);
}

/* Rounds as OTP does, 64 bits at a time: the result is not always the nearest double, but it is the one that programs see. */
double integer_to_double(term t) {
    if (is_small(t)) {
        return (double)small_value(t);
    }
    IntegerView v;
    integer_view(&v, t);
    double d = 0;
    for (size_t i = round_up(v.count, LIMBS_OF_64); i > 0 && isfinite(d); i -= LIMBS_OF_64) {
        uint64_t digit = 0;
        for (size_t k = 0; k < LIMBS_OF_64; k++) {
            size_t at = i - LIMBS_OF_64 + k;
            digit |= at < v.count ? (uint64_t)v.limbs[at] << (k * LIMB_BITS % 64) : 0;
        }
        d = d * 0x1p64 + (double)digit;
    }
    return v.negative ? -d : d;
}

/* Bits. */

/* The limb of a two's complement, as if it went on for ever; first: the lowest limb of the magnitude that is not 0. */
static Limb complement_limb(const IntegerView *v, size_t first, size_t i) {
    if (i >= v->count) {
        return v->negative ? (Limb)-1 : 0;
    }
    Limb limb = v->limbs[i];
    return !v->negative || i < first ? limb : i == first ? -limb : ~limb;
}

/* LIMB_BITS bits of it from the bit at `offset` (0: least significant) on. */
static Limb complement_bits(const IntegerView *v, size_t first, size_t offset) {
    size_t i = offset / LIMB_BITS;
    unsigned shift = offset % LIMB_BITS;
    Limb low = complement_limb(v, first, i);
    return shift == 0 ? low : low >> shift | complement_limb(v, first, i + 1) << (LIMB_BITS - shift);
}

/* Puts the low n <= 8 bits of value at the bit `at` of p. */
static void put_bits(uint8_t *p, size_t at, unsigned value, unsigned n) {
    unsigned shift = 16 - at % 8 - n, mask = ((1u << n) - 1) << shift;
    p += at / 8;
    p[0] = (uint8_t)((p[0] & ~(mask >> 8)) | ((value << shift & mask) >> 8));
    if ((mask & 0xff) != 0) {
        p[1] = (uint8_t)((p[1] & ~mask) | (value << shift & mask));
    }
}

/* The same for a whole limb, most significant byte first. */
static void put_limb(uint8_t *p, size_t at, Limb limb) {
    unsigned shift = at % 8;
    p += at / 8;
    if (shift > 0) { /* the first byte keeps what is before, the last one what is behind */
        *p = (uint8_t)((*p & ~(0xff >> shift)) | limb >> (LIMB_BITS - 8 + shift));
        p++;
        limb = limb << (8 - shift) | (p[LIMB_BYTES - 1] & (0xffu >> shift));
    }
    if (LIMB_BYTES == 8) {
        write_be64(p, limb);
    } else {
        write_be32(p, (uint32_t)limb);
    }
}

static Limb reversed(Limb limb) {
    return LIMB_BYTES == 8 ? (Limb)__builtin_bswap64(limb) : (Limb)__builtin_bswap32((uint32_t)limb);
}

static unsigned get_bits(const uint8_t *p, size_t at, unsigned n) {
    unsigned two = (unsigned)p[at / 8] << 8 | (at % 8 + n > 8 ? p[at / 8 + 1] : 0u);
    return two >> (16 - at % 8 - n) & ((1u << n) - 1);
}

void integer_to_bits(term t, uint8_t *p, size_t start, size_t bits, unsigned flags) {
    IntegerView v;
    integer_view(&v, t);
    size_t first = 0;
    while (first < v.count && v.limbs[first] == 0) {
        first++;
    }
    size_t end = start + bits, done = 0;
    bool little = flags & INTEGER_LITTLE;
    for (; bits - done >= LIMB_BITS; done += LIMB_BITS) {
        Limb limb = complement_bits(&v, first, done);
        put_limb(p, little ? start + done : end - done - LIMB_BITS, little ? reversed(limb) : limb);
    }
    for (Limb limb = complement_bits(&v, first, done); done < bits; done += 8, limb >>= 8) {
        unsigned n = (unsigned)MIN(bits - done, 8);
        put_bits(p, little ? start + done : end - done - n, (uint8_t)limb, n);
    }
}

/* Reads `count` limbs' worth of bits; what is beyond `bits` is 0. */
static void read_limbs(Limb *limbs, size_t count, const uint8_t *p, size_t start, size_t bits, unsigned flags) {
    size_t end = start + bits, done = 0;
    for (size_t i = 0; i < count; i++) {
        Limb limb = 0;
        if (bits - done >= LIMB_BITS) {
            bool little = flags & INTEGER_LITTLE;
            limb = (Limb)bitrun_read(p, little ? start + done : end - done - LIMB_BITS, LIMB_BITS);
            limb = little ? reversed(limb) : limb;
            done += LIMB_BITS;
        } else {
            for (unsigned k = 0; k < LIMB_BITS && done < bits; k += 8) {
                unsigned n = (unsigned)MIN(bits - done, 8);
                limb |= (Limb)get_bits(p, (flags & INTEGER_LITTLE) ? start + done : end - done - n, n) << k;
                done += n;
            }
        }
        limbs[i] = limb;
    }
    assert(done == bits);
}

/* Two's complement to magnitude, in place. */
static bool negate_if_signed(Limb *limbs, size_t count, size_t bits, unsigned flags) {
    if (!(flags & INTEGER_SIGNED) || (limbs[count - 1] >> ((bits - 1) % LIMB_BITS) & 1) == 0) {
        return false;
    }
    unsigned unused = (unsigned)(count * LIMB_BITS - bits);
    limbs[count - 1] |= unused == 0 ? 0 : (Limb)-1 << (LIMB_BITS - unused);
    Limb carry = 1;
    for (size_t i = 0; i < count; i++) {
        limbs[i] = ~limbs[i] + carry;
        carry = carry && limbs[i] == 0;
    }
    return true;
}

enum { FITS_BITS = INTEGER_MAX_LIMBS * LIMB_BITS };

/* Leaves out bytes that say no more than the sign: a huge field may hold a small number. */
static void drop_leading(const uint8_t *p, size_t *start, size_t *bits, unsigned flags) {
    bool little = flags & INTEGER_LITTLE;
    unsigned part = little ? (unsigned)((*bits - 1) % 8 + 1) : 8; /* the last byte of a little-endian number may be short */
    unsigned sign = (flags & INTEGER_SIGNED) ? get_bits(p, little ? *start + *bits - part : *start, 1) : 0;
    while (*bits > FITS_BITS) {
        size_t top = little ? *start + *bits - part : *start, next = little ? top - 8 : top + 8;
        if (get_bits(p, top, part) != (sign ? (1u << part) - 1 : 0) || ((flags & INTEGER_SIGNED) && get_bits(p, next, 1) != sign)) {
            return;
        }
        *bits -= part;
        *start += little ? 0 : part;
        part = 8;
    }
}

term integer_from_bits(Heap *h, const uint8_t *p, size_t start, size_t bits, unsigned flags) {
    if (bits == 0) {
        return SMALL(0);
    }
    if (UNLIKELY(bits > FITS_BITS)) {
        drop_leading(p, &start, &bits, flags);
    }
    size_t count = (bits - 1) / LIMB_BITS + 1;
    Limb one, *limbs = &one;
    if (count > 1 && (limbs = integer_begin(h, count)) == NULL) {
        return NONE;
    }
    read_limbs(limbs, count, p, start, bits, flags);
    bool negative = negate_if_signed(limbs, count, bits, flags);
    return count > 1 ? integer_finish(h, limbs, count, negative) : integer_from_limbs(h, limbs, count, negative);
}

size_t integer_magnitude_size(term t) {
    return (integer_bit_length(t) + 7) / 8;
}

void integer_write_magnitude(term t, uint8_t *p) {
    IntegerView v;
    integer_view(&v, t);
    v.negative = false;
    size_t size = integer_magnitude_size(t);
    size_t i = 0;
    if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
        i = size - size % LIMB_BYTES;
        memcpy(p, v.limbs, i);
    }
    for (; i < size; i++) {
        p[i] = (uint8_t)(v.limbs[i / LIMB_BYTES] >> (i % LIMB_BYTES * 8));
    }
}

term integer_from_magnitude(Heap *h, const uint8_t *p, size_t size, bool negative) {
    while (size > 0 && p[size - 1] == 0) {
        size--;
    }
    size_t count = (size + LIMB_BYTES - 1) / LIMB_BYTES;
    Limb one, *limbs = &one;
    if (count == 0) {
        return SMALL(0);
    }
    if (count > 1 && (limbs = integer_begin(h, count)) == NULL) {
        return NONE;
    }
    read_limbs(limbs, count, p, 0, size * 8, INTEGER_LITTLE);
    return count > 1 ? integer_finish(h, limbs, count, negative) : integer_from_limbs(h, limbs, count, negative);
}

/* Text. */

static const char digit_chars[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

size_t integer_text_room(term t, unsigned base) {
    return 1 + limb_digits(is_small(t) ? 1 : HEADER_WORDS(header_of(t)), base);
}

static size_t small_to_text(intptr_t value, unsigned base, char *p) {
    char text[1 + WORD_BITS], *at = text + sizeof text;
    Limb n = value < 0 ? -(Limb)value : (Limb)value;
    if (base == 10) { /* division by a constant is a multiplication */
        do {
            *--at = (char)('0' + n % 10);
        } while ((n /= 10) != 0);
    } else {
        do {
            *--at = digit_chars[n % base];
        } while ((n /= base) != 0);
    }
    if (value < 0) {
        *--at = '-';
    }
    size_t size = (size_t)(text + sizeof text - at);
    memcpy(p, at, size);
    return size;
}

size_t integer_to_text(Heap *h, term t, unsigned base, char *p) {
    assert(base >= 2 && base <= 36);
    if (is_small(t)) {
        return small_to_text(small_value(t), base, p);
    }
    IntegerView v;
    integer_view(&v, t);
    Limb few[32], *limbs = few;
    if (v.count > ARRAY_LEN(few)) {
        limbs = mem_alloc(&h->vm->mem, MEM_TEMPORARY, v.count * sizeof *limbs);
        if (limbs == NULL) {
            h->reason = A_system_limit;
            return 0;
        }
    }
    memcpy(limbs, v.limbs, v.count * sizeof *limbs);
    char *digits = p;
    if (v.negative) {
        *digits++ = '-';
    }
    size_t count = limb_get_str((uint8_t *)digits, base, limbs, v.count), zeros = 0;
    if (limbs != few) {
        mem_free(&h->vm->mem, MEM_TEMPORARY, limbs, v.count * sizeof *limbs);
    }
    while (digits[zeros] == 0) {
        zeros++;
    }
    for (size_t i = zeros; i < count; i++) {
        digits[i - zeros] = digit_chars[(uint8_t)digits[i]];
    }
    h->reds -= 5 * limb_work(v.count, v.count);
    return (size_t)(digits - p) + count - zeros;
}

unsigned integer_digit(uint8_t c) {
    return c >= '0' && c <= '9' ? c - (unsigned)'0' : c >= 'a' && c <= 'z' ? c - 'a' + 10u : c >= 'A' && c <= 'Z' ? c - 'A' + 10u : 255;
}

static term large_from_text(Heap *h, const uint8_t *p, size_t count, unsigned base, bool negative) {
    size_t room = limb_room(count, base);
    if (room > INTEGER_MAX_LIMBS + 2) {
        return heap_fail(h, A_system_limit);
    }
    uint8_t few[256], *digits = few;
    if (count > sizeof few) {
        digits = mem_alloc(&h->vm->mem, MEM_TEMPORARY, count);
    }
    Limb *limbs = digits == NULL ? NULL : integer_begin(h, room);
    term result = heap_fail(h, A_system_limit);
    if (limbs != NULL) {
        for (size_t i = 0; i < count; i++) {
            digits[i] = (uint8_t)integer_digit(p[i]);
        }
        size_t n = limb_set_str(limbs, digits, count, base);
        memset(limbs + n, 0, (room - n) * sizeof *limbs);
        result = integer_finish(h, limbs, room, negative);
        h->reds -= 5 * limb_work(n, n);
    }
    if (digits != few) {
        mem_free(&h->vm->mem, MEM_TEMPORARY, digits, count);
    }
    return result;
}

term integer_from_text(Heap *h, const uint8_t *p, size_t size, unsigned base) {
    assert(base >= 2 && base <= 36);
    bool negative = size > 0 && *p == '-';
    if (size > 0 && (*p == '-' || *p == '+')) {
        p++, size--;
    }
    if (size == 0) {
        return heap_fail(h, A_badarg);
    }
    for (size_t i = 0; i < size; i++) {
        if (integer_digit(p[i]) >= base) {
            return heap_fail(h, A_badarg);
        }
    }
    while (size > 1 && *p == '0') {
        p++, size--;
    }
    if (limb_digits(1, base) < size + 3) { /* may be more than 64 bits: limb_digits rounds up by at most 3 */
        return large_from_text(h, p, size, base, negative);
    }
    Limb n = 0;
    for (size_t i = 0; i < size; i++) {
        n = n * base + integer_digit(p[i]);
    }
    return integer_from_limbs(h, &n, 1, negative);
}
