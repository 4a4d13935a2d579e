/* Rewrites the instructions of the bit syntax. Those of OTP 21 to 24 that build a binary field by field become one
   instruction with a list of segments, as bs_create_bin is; the commands of bs_match become an instruction each. */
#include "code/rewrite.h"

#include "data/bit_build.h"
#include "term/atom.h"

/* Instructions that take a unit and flags have them in one number. */
void make_unit_flags(Rewriter *r UNUSED, Operand *o, const Arg *unit) {
    set_number(o, (uintptr_t)unit[0].value << 8 | unit[1].value);
}

/* --- Matching ------------------------------------------------------------------------------------------------------ */

/* What is no bitstring fails before anything is collected: at the label all registers are as they were. The source may be
   a register that a collection does not know of (x(live) or above); those above x(live) are then free. */
uint32_t rewrite_start_match(Rewriter *r, const GenericOp *g) {
    bool slots = g->op == GEN_bs_start_match2, old = slots || g->op == GEN_bs_start_match3;
    const Arg *fail = &g->arg[0], *source = &g->arg[old ? 1 : 2], *to = &g->arg[slots ? 4 : 3];
    uint32_t live = g->arg[old ? 2 : 1].value;
    if (fail->kind == ARG_LABEL) {
        Ins *test = out(r, OP_can_match, 2);
        set_sure_label(r, &test->a[0], fail);
        set_value(r, &test->a[1], source);
    }
    Arg moved = {.kind = ARG_X, .value = live};
    if (source->kind == ARG_X && source->value >= live) {
        if (source->value > live) {
            Ins *move = out(r, OP_move, 2);
            set_value(r, &move->a[0], source);
            set_value(r, &move->a[1], &moved);
        }
        source = &moved;
        live++;
    }
    Ins *i = out(r, slots ? OP_start_match_slots : OP_start_match, slots ? 5 : 4);
    if (slots) {
        set_sure_label(r, &i->a[0], fail);
    } else {
        set_label(r, &i->a[0], fail);
    }
    set_value(r, &i->a[1], source);
    set_number(&i->a[2], live);
    if (slots) {
        set_number(&i->a[3], g->arg[3].value + 1);
    }
    set_value(r, &i->a[slots ? 4 : 3], to);
    return 1;
}

/* Slot 0 is where the match has begun. */
uint32_t rewrite_save_position(Rewriter *r, const GenericOp *g) {
    Ins *i = out(r, g->op == GEN_bs_save2 ? OP_save_position : OP_restore_position, 2);
    set_value(r, &i->a[0], &g->arg[0]);
    set_number(&i->a[1], g->arg[1].kind == ARG_NUMBER ? g->arg[1].value + 1 : 0);
    return 1;
}

/* Bits of a constant number of units; false: it is known at run time only. */
static bool constant_bits(const Arg *size, uint32_t unit, uint64_t *bits) {
    return size->kind == ARG_TERM && is_small(size->term) && small_value(size->term) >= 0 &&
           !__builtin_mul_overflow((uint64_t)small_value(size->term), (uint64_t)unit, bits) && *bits <= (uint64_t)INTPTR_MAX;
}

static void begin_match(Rewriter *r, uint16_t op, uint8_t count, const Arg *fail, const Arg *context, Ins **i) {
    *i = out(r, op, count);
    if (fail != NULL) {
        set_sure_label(r, &(*i)->a[0], fail);
        set_value(r, &(*i)->a[1], context);
    } else {
        set_value(r, &(*i)->a[0], context);
    }
}

/* An integer of so many bits; `sure`: they are there. */
static void add_integer(Rewriter *r, const Arg *fail, const Arg *context, uint32_t live, uint64_t bits, uint32_t flags, const Arg *d,
                        bool sure) {
    Ins *i;
    if (bits >= (unsigned)SMALL_BITS) {
        begin_match(r, OP_match_integer, 6, fail, context, &i);
        set_number(&i->a[2], live);
        i->a[3] = (Operand){.kind = OPERAND_TERM, .term = SMALL(bits)};
        set_number(&i->a[4], 1u << 8 | flags);
        set_value(r, &i->a[5], d);
        return;
    }
    bool byte = bits == 8 && (flags & BITS_SIGNED) == 0;
    begin_match(r,
                sure   ? byte ? OP_take_byte : OP_take_small
                : byte ? OP_match_byte
                       : OP_match_small,
                (uint8_t)((sure ? 2 : 3) + (byte ? 0 : 2)), sure ? NULL : fail, context, &i);
    Operand *o = &i->a[sure ? 1 : 2];
    if (!byte) {
        set_number(o++, bits);
        set_number(o++, bits_flags(flags));
    }
    set_value(r, o, d);
}

uint32_t rewrite_get_integer(Rewriter *r, const GenericOp *g) {
    const Arg *a = g->arg; /* fail, context, live, size, unit, flags, destination */
    uint64_t bits;
    if (constant_bits(&a[3], a[4].value, &bits) && bits <= (uint64_t)SMALL_MAX) {
        add_integer(r, &a[0], &a[1], a[2].value, bits, a[5].value, &a[6], false);
        return 1;
    }
    Ins *i;
    begin_match(r, OP_match_integer, 6, &a[0], &a[1], &i);
    set_number(&i->a[2], a[2].value);
    set_value(r, &i->a[3], &a[3]);
    make_unit_flags(r, &i->a[4], &a[4]);
    set_value(r, &i->a[5], &a[6]);
    return 1;
}

static bool is_all(const Arg *a) {
    return a->kind == ARG_TERM && a->term == A_all;
}

uint32_t rewrite_get_binary(Rewriter *r, const GenericOp *g) {
    const Arg *a = g->arg; /* fail, context, live, size, unit, flags, destination */
    bool all = is_all(&a[3]);
    Ins *i;
    begin_match(r, all ? OP_match_rest : OP_match_bits, all ? 5 : 6, &a[0], &a[1], &i);
    set_number(&i->a[2], a[2].value);
    Operand *o = &i->a[3];
    if (!all) {
        set_value(r, o++, &a[3]);
    }
    set_number(o++, a[4].value);
    set_value(r, o, &a[6]);
    return 1;
}

static void add_test_unit(Rewriter *r, const Arg *fail, const Arg *context, uint32_t unit) {
    bool power_of_2 = unit != 0 && unit <= 256 && (unit & (unit - 1)) == 0;
    Ins *i;
    begin_match(r, power_of_2 ? OP_test_clear : OP_test_unit, 3, fail, context, &i);
    set_number(&i->a[2], power_of_2 ? unit - 1 : unit);
}

uint32_t rewrite_test_unit(Rewriter *r, const GenericOp *g) {
    add_test_unit(r, &g->arg[0], &g->arg[1], g->arg[2].value);
    return 1;
}

uint32_t rewrite_skip_bits(Rewriter *r, const GenericOp *g) {
    const Arg *a = g->arg; /* fail, context, size, unit, flags */
    uint64_t bits;
    Ins *i;
    if (is_all(&a[2])) {
        add_test_unit(r, &a[0], &a[1], a[3].value);
    } else if (constant_bits(&a[2], a[3].value, &bits)) {
        begin_match(r, OP_skip, 3, &a[0], &a[1], &i);
        set_number(&i->a[2], bits);
    } else {
        begin_match(r, OP_skip_units, 4, &a[0], &a[1], &i);
        set_value(r, &i->a[2], &a[2]);
        set_number(&i->a[3], a[3].value);
    }
    return 1;
}

static void add_equal(Rewriter *r, const Arg *fail, const Arg *context, uint64_t bits, uint64_t value) {
    Ins *i;
    begin_match(r, bits <= BITS_AT_MAX ? OP_match_equal : OP_match_equal_long, 4, fail, context, &i);
    set_number(&i->a[2], (uintptr_t)bits);
    set_number(&i->a[3], (uintptr_t)(value & bits_mask((unsigned)bits)));
}

uint32_t rewrite_match_string(Rewriter *r, const GenericOp *g) {
    const Arg *a = g->arg; /* fail, context, bits, offset */
    const uint8_t *at = r->pr->code->strings.at + a[3].value;
    uint32_t bits = a[2].value;
    if (bits <= 64) {
        add_equal(r, &a[0], &a[1], bits, bitrun_read(at, 0, bits));
    } else {
        Ins *i;
        begin_match(r, OP_match_string, 4, &a[0], &a[1], &i);
        set_number(&i->a[2], bits);
        set_pointer(&i->a[3], at);
    }
    return 1;
}

/* --- bs_match ------------------------------------------------------------------------------------------------------ */

/* A number of bits; one that is too large for that, and then matches nothing, has the greatest. */
static uint64_t number_of(const Arg *a) {
    return a->kind == ARG_NUMBER ? a->value : a->kind == ARG_TERM && is_small(a->term) ? (uint64_t)small_value(a->term) : UINT64_MAX;
}

uint32_t rewrite_test_tail(Rewriter *r, const GenericOp *g) {
    Ins *i;
    begin_match(r, OP_test_tail, 3, &g->arg[0], &g->arg[1], &i);
    set_number(&i->a[2], (uintptr_t)number_of(&g->arg[2]));
    return 1;
}

static uint64_t bits_of_units(const Arg *size, const Arg *unit) {
    uint64_t bits;
    return __builtin_mul_overflow(number_of(size), (uint64_t)unit->value, &bits) ? UINT64_MAX : bits;
}

/* The low 64 bits of an integer that a field is compared with. */
static uint64_t value_of(const Arg *a) {
    uint64_t v = 0;
    if (a->kind == ARG_NUMBER) {
        return a->value;
    }
    if (is_small(a->term)) {
        return (uint64_t)small_value(a->term);
    }
    return integer_to_uint64(a->term, &v) ? v : 0;
}

typedef struct {
    Rewriter *r;
    const Arg *fail, *context;
    uint64_t ensured; /* so many bits are there */
} Match;

static bool match_sure(Match *m, uint64_t bits) {
    if (bits > m->ensured) {
        m->ensured = 0;
        return false;
    }
    m->ensured -= bits;
    return true;
}

static void match_ensure(Match *m, const Arg *c, bool exactly) {
    Ins *i;
    m->ensured = number_of(&c[1]);
    begin_match(m->r, exactly ? OP_ensure_exactly : OP_ensure_at_least, exactly ? 3 : 4, m->fail, m->context, &i);
    set_number(&i->a[2], MIN(m->ensured, (uint64_t)SIZE_MAX));
    if (!exactly) {
        set_number(&i->a[3], c[2].value);
    }
}

static void match_extract(Match *m, const Arg *c) { /* type, live, flags, size, unit, destination */
    uint64_t bits = bits_of_units(&c[3], &c[4]);
    Ins *i;
    bool sure = match_sure(m, bits);
    if (bits > (uint64_t)SMALL_MAX / 2) { /* nothing is that long */
        set_sure_label(m->r, &out(m->r, OP_jump, 1)->a[0], m->fail);
    } else if (c[0].term == A_integer) {
        add_integer(m->r, m->fail, m->context, c[1].value, bits, c[2].value, &c[5], sure);
    } else {
        begin_match(m->r, OP_match_bits, 6, m->fail, m->context, &i);
        set_number(&i->a[2], c[1].value);
        i->a[3] = (Operand){.kind = OPERAND_TERM, .term = SMALL(bits)};
        set_number(&i->a[4], 1);
        set_value(m->r, &i->a[5], &c[5]);
    }
}

static void match_skip_command(Match *m, uint64_t bits) {
    Ins *i;
    bool sure = match_sure(m, bits);
    begin_match(m->r, sure ? OP_take_skip : OP_skip, sure ? 2 : 3, sure ? NULL : m->fail, m->context, &i);
    set_number(&i->a[sure ? 1 : 2], (uintptr_t)MIN(bits, (uint64_t)INTPTR_MAX)); /* more than anything has */
}

/* One command; returns how many operands it takes, 0: unknown. */
static uint32_t match_command(Match *m, const Arg *c) {
    Ins *i;
    switch (c->term) {
    case A_ensure_at_least: match_ensure(m, c, false); return 3;
    case A_ensure_exactly: match_ensure(m, c, true); return 2;
    case A_integer:
    case A_binary: match_extract(m, c); return 6;
    case A_skip: match_skip_command(m, number_of(&c[1])); return 2;
    case A_get_tail: /* live, unit, destination */
        i = out(m->r, OP_get_tail, 3);
        set_value(m->r, &i->a[0], m->context);
        set_value(m->r, &i->a[1], &c[3]);
        set_number(&i->a[2], c[1].value);
        return 4;
    case A_op_exact_eq: /* live, bits, value */
        add_equal(m->r, m->fail, m->context, number_of(&c[2]), value_of(&c[3]));
        match_sure(m, number_of(&c[2]));
        return 4;
    default: return 0;
    }
}

uint32_t rewrite_bs_match(Rewriter *r, const GenericOp *g) {
    const Arg *list = &g->arg[2];
    Match m = {.r = r, .fail = &g->arg[0], .context = &g->arg[1]};
    for (uint32_t k = 0, n; k < list->value; k += n) {
        n = match_command(&m, list->list + k);
        if (n == 0) {
            return 0;
        }
    }
    return 1;
}

/* --- Construction -------------------------------------------------------------------------------------------------- */

enum { SEGMENT_OPERANDS = 6 };

static bool segment_type(term name, uint8_t *type) {
    static const struct {
        term name;
        uint8_t type;
    } types[] = {{A_append, SEGMENT_APPEND},   {A_private_append, SEGMENT_PRIVATE_APPEND},
                 {A_binary, SEGMENT_BINARY},   {A_float, SEGMENT_FLOAT},
                 {A_integer, SEGMENT_INTEGER}, {A_string, SEGMENT_STRING},
                 {A_utf8, SEGMENT_UTF8},       {A_utf16, SEGMENT_UTF16},
                 {A_utf32, SEGMENT_UTF32}};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (types[i].name == name) {
            *type = types[i].type;
            return true;
        }
    }
    return false;
}

/* value NULL: a string at `string`. */
static void set_segment(Rewriter *r, Operand *to, uint8_t type, uint32_t number, uint32_t unit, uint32_t flags, const Arg *value,
                        const uint8_t *string, const Arg *size) {
    set_number(&to[0], type);
    set_number(&to[1], number);
    set_number(&to[2], unit);
    set_number(&to[3], flags);
    if (value != NULL) {
        set_value(r, &to[4], value);
    } else {
        set_pointer(&to[4], string);
    }
    set_value(r, &to[5], size);
}

static Operand *begin_create(Rewriter *r, const Arg *fail, uint32_t words, uint32_t live, const Arg *d, uint32_t segments) {
    Ins *i = out(r, OP_create_bits, 5);
    set_label(r, &i->a[0], fail);
    set_number(&i->a[1], words + BITS_MAX_WORDS);
    set_number(&i->a[2], live);
    set_value(r, &i->a[3], d);
    return set_room(r, &i->a[4], SEGMENT_OPERANDS * segments);
}

static Operand *begin_append(Rewriter *r, const Arg *fail, const Arg *d, uint32_t segments) {
    Ins *i = out(r, OP_append_bits, 3);
    set_label(r, &i->a[0], fail);
    set_value(r, &i->a[1], d);
    return set_room(r, &i->a[2], SEGMENT_OPERANDS * segments);
}

uint32_t rewrite_create_bin(Rewriter *r, const GenericOp *g) {
    const Arg *a = g->arg; /* fail, heap, live, unit, destination, segments */
    uint32_t n = a[5].value / SEGMENT_OPERANDS;
    Operand *to = begin_create(r, &a[0], heap_words(&a[1]), a[2].value, &a[4], n);
    for (uint32_t k = 0; to != NULL && k < n; k++, to += SEGMENT_OPERANDS) {
        const Arg *s = a[5].list + SEGMENT_OPERANDS * k; /* type, number, unit, flags, value, size */
        uint8_t type;
        if (!segment_type(s[0].term, &type)) {
            return 0;
        }
        uint32_t number = s[1].kind == ARG_NUMBER                        ? s[1].value
                          : s[1].kind == ARG_TERM && is_small(s[1].term) ? (uint32_t)small_value(s[1].term)
                                                                         : 0;
        bool string = type == SEGMENT_STRING;
        set_segment(r, to, type, number, s[2].value, s[3].value, string ? NULL : &s[4],
                    string ? r->pr->code->strings.at + s[4].value : NULL, &s[5]);
    }
    return 1;
}

static bool is_put(unsigned op) {
    switch (op) {
    case GEN_bs_put_integer:
    case GEN_bs_put_binary:
    case GEN_bs_put_float:
    case GEN_bs_put_string:
    case GEN_bs_put_utf8:
    case GEN_bs_put_utf16:
    case GEN_bs_put_utf32: return true;
    default: return false;
    }
}

static void old_segment(Rewriter *r, Operand *to, uint32_t number, const GenericOp *g) {
    static const Arg none = {.kind = ARG_TERM, .term = A_undefined};
    const Arg *a = g->arg;
    switch (g->op) {
    case GEN_bs_put_integer: set_segment(r, to, SEGMENT_INTEGER, number, a[2].value, a[3].value, &a[4], NULL, &a[1]); break;
    case GEN_bs_put_binary: set_segment(r, to, SEGMENT_BINARY, number, a[2].value, a[3].value, &a[4], NULL, &a[1]); break;
    case GEN_bs_put_float: set_segment(r, to, SEGMENT_FLOAT, number, a[2].value, a[3].value, &a[4], NULL, &a[1]); break;
    case GEN_bs_put_utf8: set_segment(r, to, SEGMENT_UTF8, number, 0, a[1].value, &a[2], NULL, &none); break;
    case GEN_bs_put_utf16: set_segment(r, to, SEGMENT_UTF16, number, 0, a[1].value, &a[2], NULL, &none); break;
    case GEN_bs_put_utf32: set_segment(r, to, SEGMENT_UTF32, number, 0, a[1].value, &a[2], NULL, &none); break;
    default: {
        Arg size = {.kind = ARG_TERM, .term = SMALL(a[0].value)};
        set_segment(r, to, SEGMENT_STRING, number, 8, 0, NULL, r->pr->code->strings.at + a[1].value, &size);
        break;
    }
    }
}

/* bs_init2 and its like with the bs_put_ instructions behind it: one instruction. The size that the code has computed is not
   needed: it is that of the fields. */
uint32_t rewrite_old_create(Rewriter *r, const GenericOp *g) {
    const Arg *a = g->arg, *base = NULL, *fail = &a[0], *d;
    static const Arg none = {.kind = ARG_TERM, .term = A_undefined};
    uint32_t words = 0, live = 0, unit = 0, n = 0, used = 1;
    if (g->op == GEN_bs_append) { /* fail, size, heap, live, unit, bits, flags, destination */
        words = heap_words(&a[2]), live = a[3].value, unit = a[4].value, base = &a[5], d = &a[7];
    } else if (g->op == GEN_bs_private_append) { /* fail, size, unit, bits, flags, destination: does not say what is live */
        unit = a[2].value, base = &a[3], d = &a[5];
    } else { /* fail, size, heap, live, flags, destination */
        words = heap_words(&a[2]), live = a[3].value, d = &a[5];
    }
    for (; g + used < r->end && (is_put(g[used].op) || g[used].op == GEN_line); used++) {
        n += is_put(g[used].op);
    }
    n += base != NULL;
    Operand *to = g->op == GEN_bs_private_append ? begin_append(r, fail, d, n) : begin_create(r, fail, words, live, d, n);
    if (to == NULL) {
        return used;
    }
    uint32_t number = 1;
    if (base != NULL) {
        set_segment(r, to, g->op == GEN_bs_append ? SEGMENT_APPEND : SEGMENT_PRIVATE_APPEND, number++, unit, 0, base, NULL, &none);
        to += SEGMENT_OPERANDS;
    }
    for (uint32_t k = 1; k < used; k++) {
        if (is_put(g[k].op)) {
            old_segment(r, to, number++, &g[k]);
            to += SEGMENT_OPERANDS;
        }
    }
    return used;
}
