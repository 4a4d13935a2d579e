/* Construction of bitstrings. */
#include "data/bit_build.h"

#include <math.h>

#include "base/utf8.h"
#include "term/atom.h"

enum { BITS_PER_REDUCTION = 8 * 1024, WRITABLE_MIN = 256 };

static bool fail(BitBuilder *b, term reason, term cause, term culprit) {
    b->heap->reason = reason;
    b->cause = cause, b->culprit = culprit;
    return false;
}

bool build_begin(BitBuilder *b, Heap *h, size_t bits) {
    *b = (BitBuilder){.heap = h, .end = bits};
    b->base = bits_new_sized(h, bits, &b->result);
    return b->base != NULL || fail(b, A_system_limit, NONE, NONE);
}

/* The handle behind a bitstring that can be extended in place, or NULL. What lies before its start is kept in the buffer
   for nothing, so there must not be more of that than of what is used. */
static BufferRef *writable_handle(term bin) {
    const View *v = (const View *)boxed(bin);
    if (HEADER_KIND(v->header) != KIND_VIEW || kind_of(v->base) != KIND_BUFFER) {
        return NULL;
    }
    BufferRef *ref = (BufferRef *)boxed(v->base);
    return ref->writable && ref->buffer->used == v->end && v->start <= v->end - v->start ? ref : NULL;
}

/* Makes room for so many bits in all in the handle's buffer. False: others refer to it, or no memory. */
static bool make_room(Heap *h, BufferRef *ref, size_t bits) {
    Buffer *buffer = ref->buffer;
    size_t bytes = (bits + 7) / 8;
    if (bytes <= buffer->capacity) {
        return true;
    }
    if (buffer_refs(buffer) != 1 || bytes > PTRDIFF_MAX / 2) {
        return false;
    }
    h->reds -= (intptr_t)(buffer->used / BITS_PER_REDUCTION);
    size_t before = buffer->capacity;
    buffer = buffer_resize(h->vm, buffer, bytes * 2);
    if (buffer == NULL) {
        return false;
    }
    h->fragment_words += (buffer->capacity - before) / HEAP_BUFFER_WEIGHT;
    ref->buffer = buffer;
    return true;
}

/* A new bitstring of `total` bits that begins with bin: on the heap while it is short, then in a buffer with room to grow. */
static bool append_to_copy(BitBuilder *b, term bin, size_t total) {
    Bits from = bits_of(bin);
    if (total <= BITS_ON_HEAP_MAX * 8) {
        b->base = bits_new_sized(b->heap, total, &b->result);
    } else {
        size_t bytes = (total + 7) / 8;
        Buffer *buffer = buffer_new(b->heap->vm, MAX(bytes > PTRDIFF_MAX / 2 ? bytes : bytes * 2, WRITABLE_MIN));
        if (buffer == NULL) {
            return fail(b, A_system_limit, A_size, bin);
        }
        buffer->used = total;
        b->base = buffer->data;
        b->result = bits_from_writable(b->heap, buffer, total);
    }
    b->heap->reds -= (intptr_t)(from.size / BITS_PER_REDUCTION);
    bitrun_copy(b->base, 0, from.at, from.start, from.size);
    b->at = from.size, b->end = total;
    return true;
}

bool build_append(BitBuilder *b, Heap *h, term bin, size_t more, unsigned unit, bool private) {
    *b = (BitBuilder){.heap = h};
    if (!is_bitstring(bin)) {
        return fail(b, A_badarg, A_type, bin);
    }
    size_t size = bits_size(bin), total;
    if (!bits_fit_unit(size, unit)) {
        return fail(b, A_badarg, A_unit, bin);
    }
    if (more == 0) {
        b->result = bin;
        return true;
    }
    if (__builtin_add_overflow(size, more, &total) || total > BITS_SIZE_MAX / 2) {
        return fail(b, A_system_limit, A_size, bin);
    }
    BufferRef *ref = writable_handle(bin);
    View *v = (View *)boxed(bin);
    if (ref == NULL || !make_room(h, ref, v->end + more)) {
        return append_to_copy(b, bin, total);
    }
    b->base = ref->buffer->data;
    b->at = v->end, b->end = v->end + more;
    ref->buffer->used = b->end;
    if (private) {
        v->end = b->end;
        b->result = bin;
    } else {
        View *longer = (View *)heap_alloc(h, VIEW_WORDS);
        *longer = (View){HEADER(VIEW_WORDS - 1, KIND_VIEW), v->base, v->start, b->end};
        b->result = make_boxed(longer);
    }
    return true;
}

term build_writable(Heap *h, size_t bytes) {
    Buffer *buffer = buffer_new(h->vm, bytes);
    return buffer == NULL ? heap_fail(h, A_system_limit) : bits_from_writable(h, buffer, 0);
}

bool build_integer_slow(BitBuilder *b, term value, size_t bits, unsigned flags) {
    assert(bits <= b->end - b->at);
    flags = bits_flags(flags);
    if (is_small(value) && bits <= 64) {
        uint64_t v = (uint64_t)small_value(value);
        build_number(b, bits == 0 ? 0 : bits_order(v, (unsigned)bits, flags), (unsigned)bits);
        return true;
    }
    if (!is_integer(value)) {
        return fail(b, A_badarg, A_type, value);
    }
    if (bits > 0) {
        b->heap->reds -= (intptr_t)(bits / BITS_PER_REDUCTION);
        integer_to_bits(value, b->base, b->at, bits, flags & BITS_LITTLE ? INTEGER_LITTLE : 0);
        b->at += bits;
    }
    return true;
}

/* Rounded to nearest, ties to even; too large: infinity. */
static unsigned half_from_double(double d) {
    uint64_t v;
    memcpy(&v, &d, sizeof v);
    unsigned sign = (unsigned)(v >> 63) << 15;
    int exponent = (int)(v >> 52 & 0x7ff) - 1023;
    uint64_t mantissa = v & bits_mask(52);
    if (exponent > 15) {
        return sign | 31 << 10;
    }
    /* How many bits of the mantissa are lost, and what is kept, with the exponent in place. */
    unsigned lost = 42, half;
    if (exponent >= -14) {
        half = (unsigned)(exponent + 15) << 10 | (unsigned)(mantissa >> lost);
    } else {
        lost = (unsigned)(28 - exponent);
        if (lost > 54) {
            return sign;
        }
        mantissa |= (uint64_t)1 << 52;
        half = (unsigned)(mantissa >> lost);
    }
    uint64_t rest = mantissa & bits_mask(lost), tie = (uint64_t)1 << (lost - 1);
    return sign | (half + (rest > tie || (rest == tie && half & 1))); /* a carry goes into the exponent, as it should */
}

/* The bits of a number as a float of 16, 32 or 64 bits. The value of a float out of range is infinity, as in OTP. */
static bool float_bits(BitBuilder *b, term value, size_t bits, uint64_t *v) {
    double d;
    if (is_small(value)) {
        d = (double)small_value(value);
    } else if (is_float(value)) {
        d = float_value(value);
    } else if (is_big(value)) {
        d = integer_to_double(value);
        if (!isfinite(d)) {
            return fail(b, A_badarg, A_no_float, value);
        }
    } else {
        return fail(b, A_badarg, A_type, value);
    }
    if (bits == 64) {
        memcpy(v, &d, sizeof d);
    } else if (bits == 32) {
        float f = is_small(value) ? (float)small_value(value) : (float)d;
        uint32_t v32;
        memcpy(&v32, &f, sizeof v32);
        *v = v32;
    } else {
        *v = half_from_double(d);
    }
    return true;
}

bool build_float(BitBuilder *b, term value, size_t bits, unsigned flags) {
    if (bits != 16 && bits != 32 && bits != 64) {
        return fail(b, A_badarg, A_invalid, integer_from_uint64(b->heap, bits));
    }
    uint64_t v;
    if (!float_bits(b, value, bits, &v)) {
        return false;
    }
    build_number(b, bits_order(v, (unsigned)bits, bits_flags(flags)), (unsigned)bits);
    return true;
}

static void put_bits(BitBuilder *b, Bits from, size_t bits) {
    assert(bits <= b->end - b->at);
    bitrun_copy(b->base, b->at, from.at, from.start, bits);
    b->at += bits;
    b->heap->reds -= (intptr_t)(bits / BITS_PER_REDUCTION);
}

bool build_bits(BitBuilder *b, term value, size_t bits) {
    if (!is_bitstring(value)) {
        return fail(b, A_badarg, A_type, value);
    }
    Bits from = bits_of(value);
    if (from.size < bits) {
        return fail(b, A_badarg, A_short, value);
    }
    put_bits(b, from, bits);
    return true;
}

bool build_all(BitBuilder *b, term value, unsigned unit) {
    if (!is_bitstring(value)) {
        return fail(b, A_badarg, A_type, value);
    }
    Bits from = bits_of(value);
    if (!bits_fit_unit(from.size, unit)) {
        return fail(b, A_badarg, A_unit, value);
    }
    put_bits(b, from, from.size);
    return true;
}

static bool is_char(term c) {
    return is_small(c) && small_value(c) >= 0 && small_value(c) <= 0x10ffff && is_character((uint32_t)small_value(c));
}

unsigned build_utf8_size(term c) {
    return is_char(c) ? (unsigned)utf8_length((uint32_t)small_value(c)) * 8 : 8;
}

unsigned build_utf16_size(term c) {
    return is_char(c) && small_value(c) >= 0x10000 ? 32 : 16;
}

bool build_utf8(BitBuilder *b, term c) {
    if (!is_char(c)) {
        return fail(b, A_badarg, A_type, c);
    }
    uint8_t text[UTF8_MAX];
    size_t n = utf8_write(text, (uint32_t)small_value(c));
    build_number(b, bytes_read(text, (unsigned)n), (unsigned)n * 8);
    return true;
}

bool build_utf16(BitBuilder *b, term c, unsigned flags) {
    if (!is_char(c)) {
        return fail(b, A_badarg, A_type, c);
    }
    flags = bits_flags(flags);
    uint32_t v = (uint32_t)small_value(c);
    if (v >= 0x10000) {
        v -= 0x10000;
        build_number(b, bits_order(0xd800 | v >> 10, 16, flags), 16);
        v = 0xdc00 | (v & 0x3ff);
    }
    build_number(b, bits_order(v, 16, flags), 16);
    return true;
}

bool build_utf32(BitBuilder *b, term c, unsigned flags) {
    if (!is_char(c)) {
        return fail(b, A_badarg, A_type, c);
    }
    build_number(b, bits_order((uint64_t)small_value(c), 32, bits_flags(flags)), 32);
    return true;
}

bool build_size(BitBuilder *b, term size, unsigned unit, size_t *bits) {
    bool whole = is_integer(size);
    if (!whole || integer_is_negative(size)) {
        return fail(b, A_badarg, A_size, size);
    }
    if (!is_small(size) || __builtin_mul_overflow((size_t)small_value(size), (size_t)unit, bits) || *bits > BITS_SIZE_MAX / 2) {
        return fail(b, A_system_limit, A_size, size);
    }
    return true;
}

term build_cause(const BitBuilder *b, uint32_t number, SegmentType type) {
    static const term names[] = {A_binary, A_binary, A_binary, A_float, A_integer, A_string, A_utf8, A_utf16, A_utf32};
    if (b->cause == NONE) { /* not the fault of one segment */
        return NONE;
    }
    return TUPLE4(b->heap, SMALL(number), names[type], b->cause, b->culprit);
}

/* The common case of build_size: no product of these can overflow. */
static inline bool size_of(BitBuilder *b, const BitSegment *s, size_t *bits) {
    if (LIKELY(is_small(s->size) && (uintptr_t)small_value(s->size) <= INT32_MAX / 256)) {
        *bits = (size_t)small_value(s->size) * s->unit;
        return true;
    }
    return build_size(b, s->size, s->unit, bits);
}

/* The size of one segment; sizes of all are checked before anything is built. */
static inline bool segment_size(BitBuilder *b, const BitSegment *s, size_t *bits) {
    switch ((SegmentType)s->type) {
    case SEGMENT_APPEND:
    case SEGMENT_PRIVATE_APPEND: *bits = 0; return true;
    case SEGMENT_BINARY:
        if (s->size == A_all) {
            if (!is_bitstring(s->value)) {
                return fail(b, A_badarg, A_type, s->value);
            }
            *bits = bits_size(s->value);
            return true;
        }
        break;
    case SEGMENT_FLOAT:
    case SEGMENT_INTEGER: break;
    case SEGMENT_STRING: return build_size(b, s->size, 8, bits);
    case SEGMENT_UTF8: *bits = build_utf8_size(s->value); return true;
    case SEGMENT_UTF16: *bits = build_utf16_size(s->value); return true;
    case SEGMENT_UTF32: *bits = 32; return is_char(s->value) || fail(b, A_badarg, A_type, s->value);
    }
    return size_of(b, s, bits);
}

static inline bool build_segment(BitBuilder *b, const BitSegment *s) {
    size_t bits = 0;
    switch ((SegmentType)s->type) {
    case SEGMENT_APPEND:
    case SEGMENT_PRIVATE_APPEND: return true;
    case SEGMENT_BINARY:
        if (s->size == A_all) {
            return build_all(b, s->value, s->unit);
        }
        return size_of(b, s, &bits) && build_bits(b, s->value, bits);
    case SEGMENT_FLOAT: return size_of(b, s, &bits) && build_float(b, s->value, bits, s->flags);
    case SEGMENT_INTEGER: return size_of(b, s, &bits) && build_integer(b, s->value, bits, s->flags);
    case SEGMENT_STRING: build_string(b, s->string, (size_t)small_value(s->size)); return true;
    case SEGMENT_UTF8: return build_utf8(b, s->value);
    case SEGMENT_UTF16: return build_utf16(b, s->value, s->flags);
    case SEGMENT_UTF32: return build_utf32(b, s->value, s->flags);
    }
    UNREACHABLE();
}

static bool allocate(BitBuilder *b, Heap *h, const BitSegment *first, size_t total) {
    if (first->type == SEGMENT_APPEND || first->type == SEGMENT_PRIVATE_APPEND) {
        return build_append(b, h, first->value, total, first->unit, first->type == SEGMENT_PRIVATE_APPEND);
    }
    return build_begin(b, h, total);
}

term bits_create(Heap *h, const BitSegment *segments, size_t count, term *cause) {
    BitBuilder b = {.heap = h};
    size_t total = 0, i;
    for (i = 0; i < count; i++) {
        size_t bits;
        if (!segment_size(&b, &segments[i], &bits)) {
            goto failed;
        }
        if (__builtin_add_overflow(total, bits, &total) || total > BITS_SIZE_MAX / 2) {
            fail(&b, A_system_limit, NONE, NONE);
            goto failed;
        }
    }
    i = 0;
    if (count == 0) {
        return bits_from(h, NULL, 0);
    }
    if (!allocate(&b, h, &segments[0], total)) {
        goto failed;
    }
    for (i = 0; i < count; i++) {
        if (!build_segment(&b, &segments[i])) {
            goto failed;
        }
    }
    assert(b.at == b.end);
    return b.result;
failed:
    if (cause != NULL) {
        term reason = h->reason;
        *cause = build_cause(&b, segments[i].number, (SegmentType)segments[i].type);
        h->reason = reason;
    }
    return NONE;
}
