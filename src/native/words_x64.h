/* The second reading of ops.tab: every word w_WORD emits x86-64 code. Included by x64.c alone. */

#include "exec/runtime.h"
#include "native/emitter_x64.h"

static const int x_register[X_REGISTERS] = {RSI, RDX, R8, R9, R10, R11};
static const int scratch[] = {RAX, RCX, RDI, RBP, R12, R13};

/* --- Values -------------------------------------------------------------------------------------------------------- */

static int temp(Emitter *e) {
    assert(e->temps < (int)ARRAY_LEN(scratch));
    return scratch[e->temps++];
}

/* One more, for a moment. */
static int brief(const Emitter *e) {
    assert(e->temps < (int)ARRAY_LEN(scratch));
    return scratch[e->temps];
}

static Value immediate(uintptr_t v) {
    return (Value){.kind = VALUE_IMM, .v = (intptr_t)v, .slot = -1};
}

static Value in_register_value(int reg) {
    return (Value){.kind = VALUE_REG, .reg = reg, .slot = -1};
}

static int slot_of(const Operand *o) {
    if ((o->kind != OPERAND_X && o->kind != OPERAND_Y) || o->index >= KNOWN_SLOTS) {
        return -1;
    }
    return (int)o->index + (o->kind == OPERAND_Y ? KNOWN_SLOTS : 0);
}

static Value place_of(const Operand *o) {
    if (o->kind == OPERAND_X && o->index < X_REGISTERS) {
        return (Value){.kind = VALUE_REG, .reg = x_register[o->index], .slot = slot_of(o)};
    }
    if (o->kind == OPERAND_X) {
        return (Value){.kind = VALUE_MEM, .reg = SCHEDULER, .v = (intptr_t)(offsetof(Scheduler, x) + o->index * sizeof(term)), .slot = slot_of(o)};
    }
    assert(o->kind == OPERAND_Y);
    return (Value){.kind = VALUE_MEM, .reg = SP, .v = (intptr_t)(o->index * sizeof(term)), .slot = slot_of(o)};
}

static Value get_value(Emitter *e, const Operand *o) {
    if (o->kind == OPERAND_TERM) {
        Value v = immediate(o->term);
        v.small = v.typed = is_small(o->term);
        v.low = v.high = v.small ? small_value(o->term) : 0;
        return v;
    }
    Value v = place_of(o);
    v.small = v.slot >= 0 && e->small[v.slot];
    if (operand_is_small(e->pr, o)) {
        BeamType t = operand_type(e->pr, o);
        v.typed = true;
        v.low = t.has_min ? t.min : SMALL_MIN;
        v.high = t.has_max ? t.max : SMALL_MAX;
    }
    return v;
}

static void move_to(Emitter *e, int reg, Value v) {
    Asm *a = &e->a;
    if (v.kind == VALUE_IMM) {
        x_imm(a, reg, (uintptr_t)v.v);
    } else if (v.kind == VALUE_REG) {
        if (v.reg != reg) {
            x_rr(a, X_MOV, reg, v.reg);
        }
    } else {
        x_rm(a, v.kind == VALUE_MEM ? X_MOV : X_LEA, reg, v.reg, (int32_t)v.v);
    }
}

/* The same value in a register. */
static Value in_reg(Emitter *e, Value v) {
    if (v.kind != VALUE_REG) {
        int r = temp(e);
        move_to(e, r, v);
        v.kind = VALUE_REG, v.reg = r;
    }
    return v;
}

static Value held(Emitter *e, Value v) {
    return v.kind == VALUE_MEM || v.kind == VALUE_ADDRESS ? in_reg(e, v) : v;
}

static void store_to(Emitter *e, int base, int32_t off, Value v) {
    if (v.kind == VALUE_IMM && fits_32(v.v)) {
        x_store_imm(&e->a, (int32_t)v.v, base, off);
        return;
    }
    int r = v.reg;
    if (v.kind != VALUE_REG) {
        r = brief(e);
        move_to(e, r, v);
    }
    x_store(&e->a, r, base, off);
}

static void put_value(Emitter *e, const Operand *o, Value v) {
    Value to = place_of(o);
    if (to.slot >= 0) {
        e->small[to.slot] = v.small && (e->small[to.slot] || !asm_is_cold(&e->a)); /* a slow part joins the fast one */
    }
    if (to.kind == VALUE_REG) {
        move_to(e, to.reg, v);
    } else {
        store_to(e, to.reg, (int32_t)to.v, v);
    }
}

/* Would writing o change v? */
static bool overwrites(const Operand *o, Value v) {
    Value to = place_of(o);
    if (to.kind == VALUE_REG) {
        return v.kind != VALUE_IMM && v.reg == to.reg;
    }
    return v.kind == VALUE_MEM && v.reg == to.reg && v.v == to.v;
}

static void put_both(Emitter *e, const Operand *o, Value v, const Operand *p, Value w) {
    if (!overwrites(o, w)) {
        put_value(e, o, v);
        put_value(e, p, w);
    } else if (!overwrites(p, v)) {
        put_value(e, p, w);
        put_value(e, o, v);
    } else {
        int t = temp(e);
        move_to(e, t, v);
        v.kind = VALUE_REG, v.reg = t;
        put_value(e, p, w);
        put_value(e, o, v);
    }
}

static const Operand *x_operand(Emitter *e, uint32_t n) {
    e->x[n] = (Operand){.kind = OPERAND_X, .index = n};
    return &e->x[n];
}

#define w_get(e, o) get_value(e, &(o))
#define w_put(e, o, v) put_value(e, &(o), v)
#define w_put2(e, o, v, p, w) put_both(e, &(o), v, &(p), w)
#define w_hold(e, name, v) const Value name = held(e, v)
#define w_imm(e, t) immediate((uintptr_t)(t))
#define w_num(e, o) immediate((o).number)
#define w_ptr(e, o) immediate((uintptr_t)(o).pointer)
#define w_length_of(e, o) immediate((o).number)

/* --- Labels, and what is out of line ------------------------------------------------------------------------------- */

enum { RAISES = 0 }; /* in place of a label: unwind */

static Label label_operand(const Operand *o) {
    return o->kind == OPERAND_FAIL ? RAISES : o->index;
}
#define NO_LABEL(e, o) label_operand(o)

static void enter_cold(Emitter *e) {
    asm_section(&e->a, SECTION_COLD);
}

static void leave_cold(Emitter *e) {
    asm_section(&e->a, SECTION_HOT);
}

/* The instruction raises: unwinds from where it begins. */
static void unwind(Emitter *e) {
    if (e->start_label == 0) {
        e->start_label = asm_label(&e->a);
        if (!e->a.failed) {
            e->a.labels[e->start_label] = (LabelPlace){.at = e->start, .section = SECTION_HOT, .bound = true};
        }
    }
    x_load_address(&e->a, RAX, e->start_label);
    x_jump_to(&e->a, e->native->stubs.unwind);
}

/* Goes to the label on a condition, or unwinds. */
static void leave_if(Emitter *e, int cc, Label to) {
    Asm *a = &e->a;
    if (to != RAISES) {
        x_jump_if(a, cc, to);
        return;
    }
    Label over = asm_label(a);
    if (asm_is_cold(a)) {
        x_jump_if(a, cc ^ 1, over);
        unwind(e);
        asm_bind(a, over);
    } else {
        x_jump_if(a, cc, over);
        enter_cold(e);
        asm_bind(a, over);
        unwind(e);
        leave_cold(e);
    }
}

static Label begin_slow(Emitter *e) {
    return asm_label(&e->a);
}

/* What follows is out of line, until end_slow. */
static void slow_part(Emitter *e, Label slow) {
    Asm *a = &e->a;
    memcpy(e->small_before_slow, e->small, sizeof e->small);
    e->cold_mark = a->section[SECTION_COLD].size;
    e->cold_fixes = a->fix_count;
    enter_cold(e);
    asm_bind(a, slow);
}

static void end_slow(Emitter *e, Label slow) {
    Asm *a = &e->a;
    Label back = asm_label(a);
    if (a->failed) {
        leave_cold(e);
        return;
    }
    if (a->labels[slow].uses == 0) { /* nothing leads here: away with it */
        while (a->fix_count > e->cold_fixes) {
            const Fix *f = &a->fixes[--a->fix_count];
            a->labels[f->to].uses -= f->to != 0;
        }
        a->section[SECTION_COLD].size = e->cold_mark;
        memcpy(e->small, e->small_before_slow, sizeof e->small);
        leave_cold(e);
        return;
    }
    x_jump(a, back);
    leave_cold(e);
    asm_bind(a, back);
}

static void jump_to_label(Emitter *e, Label to) {
    if (to == RAISES) {
        unwind(e);
    } else {
        x_jump(&e->a, to);
    }
}
#define w_go(e, to) jump_to_label(e, to)

/* --- Memory and heap ----------------------------------------------------------------------------------------------- */

static Value word_at(Value t, int tag, Value k) {
    assert(t.kind == VALUE_REG && k.kind == VALUE_IMM);
    return (Value){.kind = VALUE_MEM, .reg = t.reg, .v = (intptr_t)sizeof(term) * k.v - tag, .slot = -1};
}
#define AS_VALUE(k) _Generic((k), Value: value_itself, default: value_of_number)(k)
static Value value_itself(Value v) {
    return v;
}
static Value value_of_number(uintptr_t n) {
    return immediate(n);
}
#define w_load(e, t, tag, k) word_at(t, TAG_##tag, AS_VALUE(k))

static void store_word(Emitter *e, Value t, int tag, Value k, Value v) {
    Value at = word_at(in_reg(e, t), tag, k);
    store_to(e, at.reg, (int32_t)at.v, v);
}
#define w_store(e, t, tag, k, v) store_word(e, t, TAG_##tag, k, v)

/* Goes on in the cold section while `words` words are free above the top of the heap; else collects. */
static void need_words(Emitter *e, Value words, Value live) {
    Asm *a = &e->a;
    int t = brief(e);
    Label slow = asm_label(a), back = asm_label(a);
    if (words.kind == VALUE_IMM) {
        x_rm(a, X_LEA, t, HTOP, (int32_t)((size_t)(words.v + HEAP_RESERVE) * sizeof(term)));
    } else {
        assert(words.kind == VALUE_REG);
        x_rr(a, X_MOV, t, words.reg);
        x_shift(a, SHIFT_LEFT, t, 3);
        x_rr(a, X_ADD, t, HTOP);
        x_ri(a, I_ADD, t, (int32_t)(HEAP_RESERVE * sizeof(term)));
    }
    x_rr(a, X_CMP, t, SP);
    bool was_cold = asm_is_cold(a);
    if (was_cold) {
        x_jump_if(a, CC_BE, back);
    } else {
        x_jump_if(a, CC_A, slow);
        asm_bind(a, back);
        enter_cold(e);
        asm_bind(a, slow);
    }
    store_to(e, IN_SCHEDULER(c_args[0]), words);
    store_to(e, IN_SCHEDULER(c_args[1]), live);
    x_call_to(a, e->native->stubs.collect);
    if (was_cold) {
        asm_bind(a, back);
    } else {
        x_jump(a, back);
        leave_cold(e);
    }
}
#define w_need(e, words, live) need_words(e, words, live)
#define w_room(e, live) need_words(e, immediate(ROOM_WORDS), live)
#define w_heap_set(e, k, v) store_to(e, HTOP, (int32_t)sizeof(term) * (k), v)
#define w_heap_fill(e, k, list) fill_heap(e, k, &(list))
static void fill_heap(Emitter *e, int k, const Operand *list) {
    for (size_t i = 0; i < list->number; i++) {
        store_to(e, HTOP, (int32_t)(sizeof(term) * (i + (size_t)k)), get_value(e, &list->list[i]));
    }
}

static Value take_heap(Emitter *e, Value words, int tag) {
    int32_t bytes = (int32_t)(words.v * (intptr_t)sizeof(term));
    x_ri(&e->a, I_ADD, HTOP, bytes);
    return (Value){.kind = VALUE_ADDRESS, .reg = HTOP, .v = tag - bytes, .slot = -1};
}
#define w_heap_take(e, words, tag) take_heap(e, AS_VALUE(words), TAG_##tag)

/* --- Tests --------------------------------------------------------------------------------------------------------- */

/* The low four bits of a register are all set if it is a small: plus one, they are 0. */
static void unless_small_(Emitter *e, Value v, Label to) {
    Asm *a = &e->a;
    if (v.small || v.typed) {
        return;
    }
    if (v.kind == VALUE_IMM) {
        leave_always(e, to);
        return;
    }
    int t = brief(e);
    x_rex(a, 0, t, v.reg);
    asm_byte(a, X_LEA);
    x_mem(a, t, v.reg, 1);
    x_test_low(a, t, TAG4_MASK);
    leave_if(e, CC_NE, to);
    if (v.slot >= 0 && (to == RAISES || to < e->pr->labels)) {
        e->small[v.slot] = true;
    }
}

static void unless_both_small_(Emitter *e, Value v, Value w, Label to) {
    Asm *a = &e->a;
    if (v.small || v.typed || w.small || w.typed || (v.kind == VALUE_REG && w.kind == VALUE_REG && v.reg == w.reg)) {
        unless_small_(e, v.small || v.typed ? w : v, to);
        return;
    }
    if (v.kind == VALUE_IMM || w.kind == VALUE_IMM) {
        leave_always(e, to);
        return;
    }
    int t = brief(e);
    x_rr(a, X_MOV, t, v.reg);
    x_rr(a, X_AND, t, w.reg);
    x_rex(a, 0, 0, t); /* inc */
    asm_byte(a, 0xff);
    x_modrm(a, 0, t);
    x_test_low(a, t, TAG4_MASK);
    leave_if(e, CC_NE, to);
}

/* Compares a register with a value. */
static void compare(Emitter *e, Value v, Value w) {
    Asm *a = &e->a;
    if (v.kind == VALUE_MEM && w.kind == VALUE_IMM && fits_32(w.v)) {
        x_mi(a, I_CMP, v.reg, (int32_t)v.v, (int32_t)w.v);
        return;
    }
    v = in_reg(e, v);
    if (w.kind == VALUE_IMM && fits_32(w.v)) {
        x_ri(a, I_CMP, v.reg, (int32_t)w.v);
    } else if (w.kind == VALUE_MEM) {
        x_rm(a, X_CMP, v.reg, w.reg, (int32_t)w.v);
    } else {
        int r = w.reg;
        if (w.kind != VALUE_REG) {
            r = brief(e);
            move_to(e, r, w);
        }
        x_rr(a, X_CMP, v.reg, r);
    }
}

static void unless_compared(Emitter *e, Value v, Value w, int cc_not, Label to) {
    if (v.kind == VALUE_IMM && w.kind != VALUE_IMM) { /* the other way round */
        static const uint8_t swapped[16] = {[CC_L] = CC_G, [CC_GE] = CC_LE, [CC_LE] = CC_GE, [CC_G] = CC_L, [CC_E] = CC_E, [CC_NE] = CC_NE};
        Value t = v;
        v = w, w = t;
        cc_not = swapped[cc_not];
    }
    compare(e, v, w);
    leave_if(e, cc_not, to);
}

static void unless_bits(Emitter *e, Value v, int mask, int tag, Label to) {
    Asm *a = &e->a;
    int t = brief(e);
    x_rex(a, 0, t, v.reg);
    asm_byte(a, X_MOV);
    x_modrm(a, t, v.reg);
    x_rex(a, 0, 0, t); /* and t32, mask */
    asm_byte(a, 0x83);
    x_modrm(a, I_AND, t);
    asm_byte(a, (unsigned)mask);
    x_rex(a, 0, 0, t);
    asm_byte(a, 0x83);
    x_modrm(a, I_CMP, t);
    asm_byte(a, (unsigned)tag);
    leave_if(e, CC_NE, to);
}

static Value tested(Emitter *e, Value v) {
    return in_reg(e, v);
}
#define w_unless_cons(e, v, to) unless_low_clear(e, v, 2, to)
#define w_unless_boxed(e, v, to) unless_low_clear(e, v, 1, to)
/* cons is 01, boxed 10, immediate 11; 00 is no value. */
static void unless_low_clear(Emitter *e, Value v, int bit, Label to) {
    v = tested(e, v);
    x_test_low(&e->a, v.reg, bit);
    leave_if(e, CC_NE, to);
}
static void unless_list(Emitter *e, Value v, Label to) {
    Asm *a = &e->a;
    Label is = asm_label(a);
    v = tested(e, v);
    x_test_low(a, v.reg, 2);
    x_jump_if(a, CC_E, is);
    compare(e, v, immediate(NIL));
    leave_if(e, CC_NE, to);
    asm_bind(a, is);
}
static void unless_boolean(Emitter *e, Value v, Label to) { /* false and true are the first two atoms */
    Asm *a = &e->a;
    int t = brief(e);
    v = tested(e, v);
    t = brief(e);
    _Static_assert(A_false == ATOM(0) && A_true == ATOM(1), "");
    x_rr(a, X_MOV, t, v.reg);
    x_ri(a, I_AND, t, ~(1 << 6));
    x_ri(a, I_CMP, t, (int32_t)A_false);
    leave_if(e, CC_NE, to);
}
static void unless_kind_(Emitter *e, Value h, unsigned set, Label to) {
    Asm *a = &e->a;
    int t = temp(e);
    move_to(e, t, h);
    x_shift(a, SHIFT_RIGHT, t, 2);
    x_rex(a, 0, 0, t); /* and t32, 15 */
    asm_byte(a, 0x83);
    x_modrm(a, I_AND, t);
    asm_byte(a, 15);
    int u = brief(e);
    x_imm(a, u, set);
    x_rex(a, 0, t, u); /* bt u32, t32 */
    asm_byte(a, 0x0f);
    asm_byte(a, 0xa3);
    x_modrm(a, t, u);
    leave_if(e, CC_AE, to);
}
static void unless_tuple_header_(Emitter *e, Value h, Label to) {
    if (h.kind == VALUE_MEM) {
        x_test_low_mem(&e->a, h.reg, (int32_t)h.v, 0x3f);
    } else {
        x_test_low(&e->a, h.reg, 0x3f);
    }
    leave_if(e, CC_NE, to);
}
#define w_unless_list(e, v, to) unless_list(e, v, to)
#define w_unless_atom(e, v, to) unless_bits(e, tested(e, v), TAG6_MASK, TAG_ATOM, to)
#define w_unless_boolean(e, v, to) unless_boolean(e, v, to)
#define w_unless_small(e, v, to) unless_small_(e, v, to)
#define w_unless_both_small(e, v, w, to) unless_both_small_(e, v, w, to)
#define w_unless_local_pid(e, v, to) unless_bits(e, tested(e, v), TAG4_MASK, TAG_PID, to)
#define w_unless_local_port(e, v, to) unless_bits(e, tested(e, v), TAG4_MASK, TAG_PORT, to)
#define w_unless_same(e, v, w, to) unless_compared(e, v, w, CC_NE, to)
#define w_unless_different(e, v, w, to) unless_compared(e, v, w, CC_E, to)
#define w_unless_less(e, v, w, to) unless_compared(e, v, w, CC_GE, to)
#define w_unless_at_least(e, v, w, to) unless_compared(e, v, w, CC_L, to)
#define w_unless_tuple_header(e, h, to) unless_tuple_header_(e, h, to)
#define w_unless_kind(e, h, set, to) unless_kind_(e, h, set, to)
