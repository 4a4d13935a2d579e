/* Words of arithmetic: small integers, and floats. Included by x64.c alone, behind the other words. */

/* --- Small integers ------------------------------------------------------------------------------------------------ */

/* A result whose operands nothing has proved to be small (`typed`) is tagged by force: then a file that lies about its types
   computes wrong numbers, and no more. */
static Value small_result(Emitter *e, int reg, Value v, Value w) {
    bool proved = (v.small || !v.typed) && (w.small || !w.typed);
    if (!proved) {
        x_ri(&e->a, I_OR, reg, TAG_SMALL);
    }
    Value r = in_register_value(reg);
    r.small = true;
    return r;
}

/* Words w_..._small: of two small integers the one that comes out, or it goes to the label. */
typedef Value SmallWord(Emitter *e, Value v, Value w, Label to);

/* Is a result between low and high a small? */
static bool is_in_range(__int128 low, __int128 high) {
    return low >= SMALL_MIN && high <= SMALL_MAX;
}

static Value w_add_small(Emitter *e, Value v, Value w, Label to) {
    Asm *a = &e->a;
    if (v.kind == VALUE_IMM || (is_own(e, w) && w.kind != VALUE_IMM)) {
        Value t = v;
        v = w, w = t;
    }
    int r;
    if (w.kind == VALUE_IMM && fits_32(w.v - TAG_SMALL)) {
        r = own_register(e, v);
        x_ri(a, I_ADD, r, (int32_t)(w.v - TAG_SMALL));
    } else if (v.kind == VALUE_REG && w.kind == VALUE_REG) {
        r = is_own(e, v) ? v.reg : temp(e);
        x_rm(a, X_LEA, r, v.reg, -TAG_SMALL);
        x_rr(a, X_ADD, r, w.reg);
    } else {
        r = temp(e);
        move_to(e, r, w);
        x_ri(a, I_SUB, r, TAG_SMALL);
        if (v.kind == VALUE_IMM) {
            int t = brief(e);
            move_to(e, t, v);
            v.kind = VALUE_REG, v.reg = t;
        }
        x_rr(a, X_ADD, r, v.reg);
    }
    if (!v.typed || !w.typed || !is_in_range((__int128)low_of(e, v) + low_of(e, w), (__int128)high_of(e, v) + high_of(e, w))) {
        leave_if(e, CC_O, to);
    }
    return small_result(e, r, v, w);
}

static Value w_sub_small(Emitter *e, Value v, Value w, Label to) {
    Asm *a = &e->a;
    int r = own_register(e, v);
    bool range = v.typed && w.typed && is_in_range((__int128)low_of(e, v) - high_of(e, w), (__int128)high_of(e, v) - low_of(e, w));
    if (w.kind == VALUE_IMM && fits_32(w.v - TAG_SMALL)) {
        x_ri(a, I_SUB, r, (int32_t)(w.v - TAG_SMALL));
        if (!range) {
            leave_if(e, CC_O, to);
        }
        return small_result(e, r, v, w);
    }
    if (w.kind == VALUE_IMM) {
        int t = brief(e);
        move_to(e, t, w);
        w.kind = VALUE_REG, w.reg = t;
    }
    x_rr(a, X_SUB, r, w.reg);
    if (!range) {
        leave_if(e, CC_O, to);
    }
    x_ri(a, I_OR, r, TAG_SMALL); /* the tags have cancelled each other */
    Value result = in_register_value(r);
    result.small = true;
    return result;
}

static Value w_mul_small(Emitter *e, Value v, Value w, Label to) {
    Asm *a = &e->a;
    if (v.kind == VALUE_IMM) {
        Value t = v;
        v = w, w = t;
    }
    int r = temp(e);
    if (w.kind == VALUE_IMM && v.kind == VALUE_IMM) {
        v = in_reg(e, v);
    }
    if (w.kind == VALUE_IMM && fits_32(w.v >> 4)) {
        x_rm(a, X_LEA, r, v.reg, -TAG_SMALL);
        x_rex(a, 1, r, r); /* imul r, r, constant */
        asm_byte(a, 0x69);
        x_modrm(a, r, r);
        asm_32(a, (int32_t)(w.v >> 4));
    } else {
        int t = temp(e);
        move_to(e, t, w);
        x_shift(a, SHIFT_ARITHMETIC, t, 4);
        x_rm(a, X_LEA, r, v.reg, -TAG_SMALL);
        x_rex(a, 1, r, t); /* imul r, t */
        asm_byte(a, 0x0f);
        asm_byte(a, 0xaf);
        x_modrm(a, r, t);
    }
    bool range = v.typed && w.typed && low_of(e, v) >= 0 && low_of(e, w) >= 0 &&
                 is_in_range((__int128)low_of(e, v) * low_of(e, w), (__int128)high_of(e, v) * high_of(e, w));
    if (!range) {
        leave_if(e, CC_O, to);
    }
    x_ri(a, I_OR, r, TAG_SMALL);
    Value result = in_register_value(r);
    result.small = true;
    return result;
}

/* Quotient or remainder. rdx is x1: kept in rcx meanwhile. */
static Value divide_(Emitter *e, Value v, Value w, bool remainder, Label to) {
    Asm *a = &e->a;
    e->target_free = false;
    int d = temp(e);
    assert(e->temps <= SCRATCH_SAFE);
    move_to(e, d, w);
    if (!w.small) { /* nothing has proved it: whatever it is, the machine must not trap */
        x_ri(a, I_OR, d, TAG_SMALL);
    }
    compare(e, in_register_value(d), immediate(SMALL(0)));
    leave_if(e, CC_E, to);
    compare(e, in_register_value(d), immediate(SMALL(-1)));
    leave_if(e, CC_E, to);
    move_to(e, RAX, v);
    x_shift(a, SHIFT_ARITHMETIC, d, 4);
    x_shift(a, SHIFT_ARITHMETIC, RAX, 4);
    x_rr(a, X_MOV, RCX, RDX);
    x_rex(a, 1, 0, 0); /* cqo */
    asm_byte(a, 0x99);
    x_rex(a, 1, 0, d); /* idiv d */
    asm_byte(a, 0xf7);
    x_modrm(a, 7, d);
    x_rr(a, X_MOV, d, remainder ? RDX : RAX);
    x_rr(a, X_MOV, RDX, RCX);
    x_shift(a, SHIFT_LEFT, d, 4);
    x_ri(a, I_OR, d, TAG_SMALL);
    Value result = in_register_value(d);
    result.small = true;
    return result;
}

static Value bitwise_(Emitter *e, int op, int op_imm, Value v, Value w) {
    Asm *a = &e->a;
    if (v.kind == VALUE_IMM) {
        Value t = v;
        v = w, w = t;
    }
    int r = own_register(e, v);
    if (w.kind == VALUE_IMM && fits_32(w.v)) {
        x_ri(a, op_imm, r, (int32_t)w.v);
    } else {
        x_rr(a, op, r, in_reg(e, w).reg);
    }
    if (op == X_XOR) {
        x_ri(a, I_OR, r, TAG_SMALL);
    }
    return small_result(e, r, v, w);
}

static Value shift_(Emitter *e, bool left, Value v, Value w, Label to) {
    Asm *a = &e->a;
    int r = temp(e), back = brief(e);
    intptr_t limit = left ? SMALL_BITS - 1 : WORD_BITS - 4;
    assert(e->temps < SCRATCH_SAFE);
    bool constant = w.kind == VALUE_IMM;
    if (constant) {
        if (w.v >> 4 < 0 || w.v >> 4 >= limit) {
            leave_always(e, to);
            w = immediate(SMALL(0));
        }
    } else {
        move_to(e, RCX, w);
        x_shift(a, SHIFT_RIGHT, RCX, 4); /* a negative one is large then */
        x_ri(a, I_CMP, RCX, (int32_t)limit);
        leave_if(e, CC_AE, to);
    }
    move_to(e, r, v);
    if (left) {
        x_ri(a, I_AND, r, ~TAG_SMALL);
        x_rr(a, X_MOV, RAX, r);
    }
    int how = left ? SHIFT_LEFT : SHIFT_ARITHMETIC;
    constant ? x_shift(a, how, r, (int)(w.v >> 4)) : x_shift_cl(a, how, r);
    if (left) { /* shifted back it must be what it was */
        x_rr(a, X_MOV, back, r);
        constant ? x_shift(a, SHIFT_ARITHMETIC, back, (int)(w.v >> 4)) : x_shift_cl(a, SHIFT_ARITHMETIC, back);
        x_rr(a, X_CMP, back, RAX);
        leave_if(e, CC_NE, to);
    }
    x_ri(a, I_OR, r, TAG_SMALL);
    Value result = in_register_value(r);
    result.small = true;
    return result;
}

static Value w_div_small(Emitter *e, Value v, Value w, Label to) {
    return divide_(e, v, w, false, to);
}
static Value w_rem_small(Emitter *e, Value v, Value w, Label to) {
    return divide_(e, v, w, true, to);
}
static Value w_and_small(Emitter *e, Value v, Value w, Label to UNUSED) {
    return bitwise_(e, X_AND, I_AND, v, w);
}
static Value w_or_small(Emitter *e, Value v, Value w, Label to UNUSED) {
    return bitwise_(e, X_OR, I_OR, v, w);
}
static Value w_xor_small(Emitter *e, Value v, Value w, Label to UNUSED) {
    return bitwise_(e, X_XOR, I_XOR, v, w);
}
static Value w_shl_small(Emitter *e, Value v, Value w, Label to) {
    return shift_(e, true, v, w, to);
}
static Value w_shr_small(Emitter *e, Value v, Value w, Label to) {
    return shift_(e, false, v, w, to);
}

/* --- Floats: in xmm0, one at a time -------------------------------------------------------------------------------- */

static Double float_place(const Operand *o) {
    return (Double){.reg = SCHEDULER, .off = (int32_t)(offsetof(Scheduler, f) + o->index * sizeof(double))};
}

static Double float_op(Emitter *e, int op, Double d, Double f) {
    load_double(e, d);
    assert(!f.in_register);
    x_fm(&e->a, op, XMM0, f.reg, f.off);
    return (Double){.in_register = true};
}

static Double float_negated(Emitter *e, Double d) {
    Asm *a = &e->a;
    int r = brief(e);
    load_double(e, d);
    x_double_bits(a, r, XMM0);
    x_rex(a, 1, 0, r); /* btc r, 63 */
    asm_byte(a, 0x0f);
    asm_byte(a, 0xba);
    x_modrm(a, 7, r);
    asm_byte(a, 63);
    x_bits_double(a, XMM0, r);
    return (Double){.in_register = true};
}

static void store_double(Emitter *e, Double d, int base, int32_t off) {
    load_double(e, d);
    x_fm(&e->a, F_STORE, XMM0, base, off);
}

static Double float_from_small(Emitter *e, Value v) {
    int r = brief(e);
    move_to(e, r, v);
    x_shift(&e->a, SHIFT_ARITHMETIC, r, 4);
    x_int_to_double(&e->a, XMM0, r);
    return (Double){.in_register = true};
}

static Double float_in_heap(Emitter *e, Value t) {
    return (Double){.reg = in_reg(e, t).reg, .off = (int32_t)sizeof(term) - TAG_BOXED};
}

static Value box_double(Emitter *e, Double d) {
    x_store_imm(&e->a, (int32_t)FLOAT_HEADER, HTOP, 0);
    store_double(e, d, HTOP, sizeof(term));
    return take_heap(e, immediate(FLOAT_WORDS), TAG_BOXED);
}

#define w_fget(e, o) float_place(&(o))
#define w_fput(e, o, d) store_double(e, d, float_place(&(o)).reg, float_place(&(o)).off)
#define w_float_add(e, d, f) float_op(e, F_ADD, d, f)
#define w_float_sub(e, d, f) float_op(e, F_SUB, d, f)
#define w_float_mul(e, d, f) float_op(e, F_MUL, d, f)
#define w_float_div(e, d, f) float_op(e, F_DIV, d, f)
#define w_float_neg(e, d) float_negated(e, d)
#define w_float_of_small(e, v) float_from_small(e, v)
#define w_float_at(e, t) float_in_heap(e, t)
#define w_heap_float(e, d) box_double(e, d)
