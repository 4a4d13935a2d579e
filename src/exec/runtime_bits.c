/* What instructions of the bit syntax do. */
#include "exec/runtime_bits.h"

#include "data/map.h"
#include "exec/runtime.h"

/* --- Contexts ------------------------------------------------------------------------------------------------------ */

term rt_start_match_slow(Process *p, term t) {
    if (rt_can_match(p, t)) {
        return match_start(&p->heap, t);
    }
    exception_error(p, A_badarg);
    return NONE;
}

static size_t *position_slots(term context) {
    return (size_t *)(boxed(context) + VIEW_WORDS);
}

term rt_start_match_slots(Process *p, term t, uintptr_t slots) {
    if (!rt_can_match(p, t)) {
        return NONE;
    }
    term context = t;
    if (!is_kind(t, KIND_MATCH) || HEADER_WORDS(header_of(t)) + 1 < VIEW_WORDS + slots) {
        term *at = heap_alloc(&p->heap, VIEW_WORDS + slots);
        context = match_write(at, t);
        at[0] = HEADER(VIEW_WORDS + slots - 1, KIND_MATCH);
        memset(at + VIEW_WORDS, 0, slots * sizeof(term));
    }
    position_slots(context)[0] = match_of(context)->start;
    return context;
}

/* The verifier does not know how many slots a context has. */
static bool has_slot(term context, uintptr_t slot) {
    return HEADER_WORDS(header_of(context)) + 1 > VIEW_WORDS + slot;
}

void rt_save_position(Process *p UNUSED, term context, uintptr_t slot) {
    if (has_slot(context, slot)) {
        position_slots(context)[slot] = match_of(context)->start;
    }
}

void rt_restore_position(Process *p UNUSED, term context, uintptr_t slot) {
    View *m = match_of(context);
    if (has_slot(context, slot) && position_slots(context)[slot] <= m->end) {
        m->start = position_slots(context)[slot];
    }
}

term rt_context_to_bits(Process *p, term t) {
    if (!is_kind(t, KIND_MATCH)) {
        return t;
    }
    rt_restore_position(p, t, 0);
    return match_tail(&p->heap, match_of(t));
}

/* --- Matching ------------------------------------------------------------------------------------------------------ */

uintptr_t rt_bits_at(Process *p UNUSED, term base, uintptr_t at, uintptr_t bits, uintptr_t flags) {
    unsigned n = (unsigned)bits;
    return n == 0 ? 0 : (uintptr_t)bits_meaning(bitrun_read(bits_base(base), at, n), n, (unsigned)flags);
}

bool rt_skip_units(Process *p UNUSED, term context, term size, uintptr_t unit) {
    size_t bits;
    return match_size(size, (unsigned)unit, &bits) && match_skip(match_of(context), bits);
}

bool rt_match_string(Process *p UNUSED, term context, uintptr_t bits, const uint8_t *at) {
    return match_string(match_of(context), at, bits);
}

term rt_match_integer(Process *p, term context, term size, uintptr_t unit_flags) {
    size_t bits;
    View *m = match_of(context);
    if (!match_size(size, (unsigned)(unit_flags >> 8), &bits) || !match_has(m, bits)) {
        return NONE;
    }
    return match_integer(&p->heap, m, bits, unit_flags & 0xff);
}

term rt_match_float(Process *p, term context, term size, uintptr_t unit_flags) {
    size_t bits;
    if (!match_size(size, (unsigned)(unit_flags >> 8), &bits)) {
        return NONE;
    }
    return match_float(&p->heap, match_of(context), bits, unit_flags & 0xff);
}

term rt_match_bits(Process *p, term context, term size, uintptr_t unit) {
    size_t bits;
    return match_size(size, (unsigned)unit, &bits) ? match_bits(&p->heap, match_of(context), bits) : NONE;
}

term rt_match_rest(Process *p, term context, uintptr_t unit) {
    return match_all(&p->heap, match_of(context), (unsigned)unit);
}

term rt_match_tail(Process *p, term context) {
    return match_tail(&p->heap, match_of(context));
}

term rt_match_utf8_slow(Process *p UNUSED, term context) {
    return match_utf8(match_of(context));
}

term rt_match_utf16(Process *p UNUSED, term context, uintptr_t flags) {
    return match_utf16(match_of(context), (unsigned)flags);
}

term rt_match_utf32(Process *p UNUSED, term context, uintptr_t flags) {
    return match_utf32(match_of(context), (unsigned)flags);
}

/* --- Construction -------------------------------------------------------------------------------------------------- */

enum { SEGMENT_UNITS = 6, FEW_SEGMENTS = 16 };

static void read_segment(BitSegment *s, const term *x, const term *y, const Unit *u) {
    s->type = (uint8_t)u[0], s->number = (uint32_t)u[1], s->unit = (uint16_t)u[2], s->flags = (uint8_t)u[3];
    if (s->type == SEGMENT_STRING) {
        s->string = (const uint8_t *)u[4];
    } else {
        s->value = rt_unit(x, y, u[4]);
    }
    s->size = rt_unit(x, y, u[5]);
}

/* error_info as OTP's instruction gives it: erl_erts_errors:format_bs_fail/2 explains the cause. */
static term bits_error(Process *p, term reason, term cause) {
    Heap *h = &p->heap;
    exception_error(p, reason);
    if (cause != NONE) {
        const term pairs[] = {A_cause, cause, A_function, A_format_bs_fail, A_module, A_erl_erts_errors};
        p->scheduler->cause = map_from_pairs(h, pairs, 3);
    }
    return NONE;
}

/* Most constructions are of small integers of constant size, strings and whole binaries; they are done straight from the units,
   in two rounds: sizes, then contents. The size of such a segment in bits; SIZE_MAX: it is none of these, or it is wrong. */
static inline size_t simple_size(const term *x, const term *y, const Unit *u) {
    switch ((SegmentType)u[0]) {
    case SEGMENT_INTEGER: {
        term size = rt_unit(x, y, u[5]);
        term bits = is_small(size) ? (term)small_value(size) * u[2] : 65;
        return is_small(rt_unit(x, y, u[4])) && bits <= 64 && small_value(size) <= 64 ? (size_t)bits : SIZE_MAX;
    }
    case SEGMENT_STRING: return 8 * (size_t)small_value(u[5]);
    case SEGMENT_BINARY: {
        term value = rt_unit(x, y, u[4]);
        if (u[5] != A_all || !is_bitstring(value)) {
            return SIZE_MAX;
        }
        size_t bits = bits_size(value);
        return bits_fit_unit(bits, (unsigned)u[2]) && bits <= BITS_SIZE_MAX / 4 ? bits : SIZE_MAX;
    }
    default: return SIZE_MAX;
    }
}

static void put_simple(BitBuilder *b, const term *x, const term *y, const Unit *u) {
    switch ((SegmentType)u[0]) {
    case SEGMENT_INTEGER: {
        unsigned bits = (unsigned)(small_value(rt_unit(x, y, u[5])) * (intptr_t)u[2]);
        build_number(b, bits_order((uint64_t)small_value(rt_unit(x, y, u[4])), bits, bits_flags((unsigned)u[3])), bits);
        break;
    }
    case SEGMENT_STRING: build_string(b, (const uint8_t *)u[4], (size_t)small_value(u[5])); break;
    default: build_all(b, rt_unit(x, y, u[4]), 1);
    }
}

/* NONE: it must be done, or fail, the long way. */
static term create_simple(Process *p, const term *x, const term *y, const Unit *units, uintptr_t count) {
    size_t total = 0;
    uintptr_t first = count > 0 && (units[0] == SEGMENT_APPEND || units[0] == SEGMENT_PRIVATE_APPEND) ? SEGMENT_UNITS : 0;
    for (uintptr_t i = first; i < count; i += SEGMENT_UNITS) {
        size_t bits = simple_size(x, y, units + i);
        if (bits == SIZE_MAX || __builtin_add_overflow(total, bits, &total)) {
            return NONE;
        }
    }
    BitBuilder b;
    if (first > 0 ? !build_append(&b, &p->heap, rt_unit(x, y, units[4]), total, (unsigned)units[2], units[0] == SEGMENT_PRIVATE_APPEND)
                  : !build_begin(&b, &p->heap, total)) {
        return NONE;
    }
    for (uintptr_t i = first; i < count; i += SEGMENT_UNITS) {
        put_simple(&b, x, y, units + i);
    }
    return b.result;
}

term rt_create_bits(Process *p, const term *x, const term *y, const Unit *units, uintptr_t count) {
    CODE_HAS_FOUND(process_vm(p)->code);
    term simple = create_simple(p, x, y, units, count);
    if (LIKELY(simple != NONE)) {
        return simple;
    }
    BitSegment few[FEW_SEGMENTS], *segments = few;
    few[0] = (BitSegment){0};
    size_t n = count / SEGMENT_UNITS;
    Mem *mem = &process_vm(p)->mem;
    if (n > FEW_SEGMENTS) {
        segments = mem_alloc(mem, MEM_TEMPORARY, n * sizeof *segments);
        if (segments == NULL) {
            return bits_error(p, A_system_limit, NONE);
        }
    }
    for (size_t i = 0; i < n; i++) {
        read_segment(&segments[i], x, y, units + SEGMENT_UNITS * i);
    }
    term cause = NONE, result = bits_create(&p->heap, segments, n, &cause);
    if (segments != few) {
        mem_free(mem, MEM_TEMPORARY, segments, n * sizeof *segments);
    }
    return result != NONE ? result : bits_error(p, p->heap.reason, cause);
}

term rt_init_writable(Process *p, term size) {
    size_t bytes = is_small(size) && small_value(size) >= 0 ? (size_t)small_value(size) : 1024;
    term t = build_writable(&p->heap, bytes);
    return t != NONE ? t : bits_error(p, p->heap.reason, NONE);
}

/* a + b * unit, as sizes are computed by old code: what is no size is badarg. */
term rt_bits_size_add(Process *p, term a, term b, uintptr_t unit) {
    if (is_small(a) && is_small(b) && small_value(a) >= 0 && small_value(b) >= 0) {
        intptr_t product, sum;
        if (!__builtin_mul_overflow(small_value(b), (intptr_t)unit, &product) && !__builtin_add_overflow(small_value(a), product, &sum) &&
            small_fits(sum)) {
            return SMALL(sum);
        }
        return bits_error(p, A_system_limit, NONE);
    }
    bool too_large = is_integer(a) && is_integer(b) && !(is_small(a) && small_value(a) < 0) && !(is_small(b) && small_value(b) < 0) &&
                     !is_kind(a, KIND_NEG_BIG) && !is_kind(b, KIND_NEG_BIG);
    return bits_error(p, too_large ? A_system_limit : A_badarg, NONE);
}

term rt_utf8_size(Process *p UNUSED, term c) {
    return SMALL(build_utf8_size(c) / 8);
}

term rt_utf16_size(Process *p UNUSED, term c) {
    return SMALL(build_utf16_size(c) / 8);
}
