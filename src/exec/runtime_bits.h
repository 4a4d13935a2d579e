/* The C functions behind the instructions of the bit syntax: see runtime.h. A context is a match context for sure. */
#ifndef MOTE_EXEC_RUNTIME_BITS_H
#define MOTE_EXEC_RUNTIME_BITS_H

#include "data/bit_build.h"
#include "exec/exception.h"

/* Words of a view, and of a match context. */
enum { VIEW_BASE = 1, VIEW_START = 2, VIEW_END = 3 };
_Static_assert(offsetof(View, base) == VIEW_BASE * sizeof(term) && offsetof(View, start) == VIEW_START * sizeof(term) &&
                   offsetof(View, end) == VIEW_END * sizeof(term),
               "");

static inline bool rt_can_match(Process *p UNUSED, term t) { /* a bitstring, or a context */
    return is_boxed(t) && 1u << kind_of(t) & (1u << KIND_BITS | 1u << KIND_VIEW | 1u << KIND_MATCH);
}
/* NONE: it is neither a bitstring nor a context (badarg has been set, for those that raise). */
term rt_start_match_slow(Process *p, term t);
static inline term rt_start_match(Process *p, term t) {
    return LIKELY(is_kind(t, KIND_MATCH)) ? t : rt_start_match_slow(p, t);
}
/* The same, with room for positions behind the context's own fields; position 0 is where it starts. */
term rt_start_match_slots(Process *p, term t, uintptr_t slots);
void rt_save_position(Process *p, term context, uintptr_t slot);
void rt_restore_position(Process *p, term context, uintptr_t slot);
term rt_context_to_bits(Process *p, term t); /* what is no context stays as it is */
static inline term rt_get_position(Process *p, term context) {
    return match_position(&p->heap, match_of(context));
}
static inline void rt_set_position(Process *p UNUSED, term context, term position) {
    if (LIKELY(is_integer(position))) { /* hostile code may have anything there */
        match_set_position(match_of(context), position);
    }
}

/* NONE or false: no match. */
static inline bool rt_test_unit(Process *p UNUSED, term context, uintptr_t unit) {
    return bits_fit_unit(match_left(match_of(context)), (unsigned)unit);
}
static inline bool rt_ensure_at_least(Process *p UNUSED, term context, uintptr_t bits, uintptr_t unit) {
    size_t left = match_left(match_of(context));
    return left >= bits && bits_fit_unit(left - bits, (unsigned)unit);
}
bool rt_skip_units(Process *p, term context, term size, uintptr_t unit);
static inline term rt_take_byte(Process *p UNUSED, term context) {
    View *m = match_of(context);
    if (LIKELY(m->start % 8 == 0)) {
        term t = SMALL(bits_base(m->base)[m->start / 8]);
        m->start += 8;
        return t;
    }
    return match_take_small(m, 8, 0);
}
/* What so many bits (fewer than a small has) from bit `at` of a base on mean. */
uintptr_t rt_bits_at(Process *p, term base, uintptr_t at, uintptr_t bits, uintptr_t flags);
/* The next bits (at most 64) are this number: skips them. */
static inline bool rt_match_equal(Process *p UNUSED, term context, uintptr_t bits, uintptr_t value) {
    View *m = match_of(context);
    if (!match_has(m, bits) || match_peek(m, (unsigned)bits) != ((uint64_t)value & bits_mask((unsigned)bits))) {
        return false;
    }
    m->start += bits;
    return true;
}
bool rt_match_string(Process *p, term context, uintptr_t bits, const uint8_t *at);
term rt_match_integer(Process *p, term context, term size, uintptr_t unit_flags);
term rt_match_float(Process *p, term context, term size, uintptr_t unit_flags);
term rt_match_bits(Process *p, term context, term size, uintptr_t unit);
term rt_match_rest(Process *p, term context, uintptr_t unit);
term rt_match_tail(Process *p, term context);
term rt_match_utf8_slow(Process *p, term context);
static inline term rt_match_utf8(Process *p, term context) { /* ASCII first */
    View *m = match_of(context);
    if (LIKELY(m->start % 8 == 0 && match_has(m, 8))) {
        uint8_t byte = bits_base(m->base)[m->start / 8];
        if (byte < 0x80) {
            m->start += 8;
            return SMALL(byte);
        }
    }
    return rt_match_utf8_slow(p, context);
}
term rt_match_utf16(Process *p, term context, uintptr_t flags);
term rt_match_utf32(Process *p, term context, uintptr_t flags);

/* Construction. units: six for each segment. */
term rt_create_bits(Process *p, const term *x, const term *y, const Unit *units, uintptr_t count);
term rt_init_writable(Process *p, term size);
term rt_bits_size_add(Process *p, term a, term b, uintptr_t unit);
term rt_utf8_size(Process *p, term c);
term rt_utf16_size(Process *p, term c);

#endif
