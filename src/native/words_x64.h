/* The second reading of ops.tab: every word w_WORD emits x86-64 code. Included by x64.c alone. */

#include "code/emit.h"
#include "exec/runtime.h"
#include "exec/runtime_bits.h"
#include "native/emitter_x64.h"
#include "native/support.h"
#include "proc/mailbox.h"

static const int x_register[X_REGISTERS] = {RSI, RDX, R8, R9, R10, R11};
/* rax and rcx last: some instructions of the machine want them. */
static const int scratch[] = {RDI, RBP, R12, R13, RAX, RCX};
enum { SCRATCH_SAFE = 4 };

/* --- Values -------------------------------------------------------------------------------------------------------- */

static int temp(Emitter *e) {
    if (e->target_free) { /* the register of the result is as good */
        e->target_free = false;
        return e->target;
    }
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
    return (Value){.kind = VALUE_REG, .reg = (int8_t)reg, .slot = -1};
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
        return (Value){
            .kind = VALUE_MEM, .reg = SCHEDULER, .v = (intptr_t)(offsetof(Scheduler, x) + o->index * sizeof(term)), .slot = slot_of(o)};
    }
    assert(o->kind == OPERAND_Y);
    return (Value){.kind = VALUE_MEM, .reg = SP, .v = (intptr_t)(o->index * sizeof(term)), .slot = slot_of(o)};
}

static Value get_value(Emitter *e, const Operand *o) {
    if (o->kind == OPERAND_TERM) {
        Value v = immediate(o->term);
        v.small = v.typed = is_small(o->term);
        return v;
    }
    Value v = place_of(o);
    v.small = v.slot >= 0 && e->small[v.slot];
    v.typed = o->type != 0 && operand_is_small(e->pr, o);
    v.type = o->type;
    return v;
}

/* Of a typed value: what it lies between. */
static int64_t low_of(const Emitter *e, Value v) {
    return v.type == 0 ? small_value((term)v.v) : e->pr->file->types[v.type].min;
}
static int64_t high_of(const Emitter *e, Value v) {
    return v.type == 0 ? small_value((term)v.v) : e->pr->file->types[v.type].max;
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
    bool is_literal = v.kind == VALUE_IMM && !is_immediate((term)v.v); /* words of it may be wanted */
    return v.kind == VALUE_MEM || v.kind == VALUE_ADDRESS || is_literal ? in_reg(e, v) : v;
}

static Value held_operand(Emitter *e, const Operand *o) {
    return held(e, get_value(e, o));
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

/* The instruction puts its result in d, whose old value it neither reads nor keeps: not if it raises, and not in a collection. */
static void aim_at(Emitter *e, const Operand *d, const Operand *live, const Operand *all, size_t count) {
    if (d->kind != OPERAND_X || d->index >= X_REGISTERS || d->index < live->number || all[0].kind != OPERAND_FAIL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (&all[i] != d && all[i].kind == OPERAND_X && all[i].index == d->index) {
            return;
        }
    }
    e->target = x_register[d->index];
    e->target_free = true;
}

static const Operand *x_operand(Emitter *e, uint32_t n) {
    e->x[n] = (Operand){.kind = OPERAND_X, .index = n};
    return &e->x[n];
}

#define w_get(e, o) get_value(e, &(o))
#define w_put(e, o, v) put_value(e, &(o), v)
#define w_put2(e, o, v, p, w) put_both(e, &(o), v, &(p), w)
#define w_hold(e, name, v) const Value name = held(e, v)
#define w_hold_get(e, name, o) const Value name = held_operand(e, &(o))
#define w_imm(e, t) immediate((uintptr_t)(t))
#define w_num(e, o) immediate((o).number)
#define w_ptr(e, o) immediate((uintptr_t)(o).pointer)
#define w_plus(e, n, w) immediate((uintptr_t)(n) + (uintptr_t)((w).v))
#define w_length_of(e, o) immediate((o).index)

/* Is it in a register that only this instruction uses? */
static bool is_own(const Emitter *e, Value v) {
    bool own = v.kind == VALUE_REG && v.reg == e->target;
    for (size_t i = 0; v.kind == VALUE_REG && i < ARRAY_LEN(scratch); i++) {
        own |= v.reg == scratch[i];
    }
    return own;
}

/* A register with the value, to be changed: what arithmetic has read once it does not read again. */
static int own_register(Emitter *e, Value v) {
    if (is_own(e, v)) {
        return v.reg;
    }
    int r = temp(e);
    move_to(e, r, v);
    return r;
}

static void load_double(Emitter *e, Double d) {
    if (!d.in_register) {
        x_fm(&e->a, F_LOAD, XMM0, d.reg, d.off);
    }
}

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

/* The place where the instruction begins. */
static Label here(Emitter *e) {
    if (e->start_label == 0) {
        e->start_label = asm_label(&e->a);
        if (!e->a.failed) {
            e->a.labels[e->start_label] = (LabelPlace){.at = e->start, .section = SECTION_HOT, .bound = true};
        }
    }
    return e->start_label;
}

/* The instruction raises. */
static void unwind(Emitter *e) {
    x_load_address(&e->a, RAX, here(e));
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

static void leave_always(Emitter *e, Label to) {
    if (to == RAISES) {
        unwind(e);
    } else {
        x_jump(&e->a, to);
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

#define w_go(e, to) leave_always(e, to)

/* --- Memory and heap ----------------------------------------------------------------------------------------------- */

#define AS_VALUE(k) _Generic((k), Value : value_itself, default : value_of_number)(k)
static Value value_itself(Value v) {
    return v;
}
static Value value_of_number(uintptr_t n) {
    return immediate(n);
}
#define AS_NUMBER(k) _Generic((k), Value : number_of_value, default : number_itself)(k)
static inline intptr_t number_of_value(Value v) {
    return v.v;
}
static inline intptr_t number_itself(intptr_t n) {
    return n;
}
/* t may be a constant, in code that no compiler makes. */
static NOINLINE Value load_word(Emitter *e, Value t, intptr_t offset) {
    return (Value){.kind = VALUE_MEM, .reg = in_reg(e, t).reg, .v = offset, .slot = -1};
}
#define OFFSET(tag, k) ((intptr_t)sizeof(term) * AS_NUMBER(k) - TAG_##tag)
#define w_load(e, t, tag, k) load_word(e, t, OFFSET(tag, k))

static NOINLINE void store_word(Emitter *e, Value t, intptr_t offset, Value v) {
    store_to(e, in_reg(e, t).reg, (int32_t)offset, v);
}
#define w_store(e, t, tag, k, v) store_word(e, t, OFFSET(tag, k), v)

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
        if (!e->collect_always) {
            x_jump_if(a, CC_BE, back);
        }
    } else {
        if (e->collect_always) {
            x_jump(a, slow);
        } else {
            x_jump_if(a, CC_A, slow);
        }
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
    for (size_t i = 0; i < list->index; i++) {
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
/* Immediate: both low bits are set. Adding one then clears them. */
static void unless_immediate_(Emitter *e, Value v, int cc_not, Label to) {
    Asm *a = &e->a;
    int t;
    v = tested(e, v);
    t = brief(e);
    x_rex(a, 0, t, v.reg); /* lea t32, [v + 1] */
    asm_byte(a, X_LEA);
    x_mem(a, t, v.reg, 1);
    x_test_low(a, t, TAG_MASK);
    leave_if(e, cc_not, to);
}
#define w_unless_pointer(e, v, to) unless_immediate_(e, v, CC_E, to)
#define w_unless_immediate(e, v, to) unless_immediate_(e, v, CC_NE, to)
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

/* --- Parts of tuples ---------------------------------------------------------------------------------------------- */

static Value arity_of_(Emitter *e, Value h) {
    Asm *a = &e->a;
    int r = temp(e);
    move_to(e, r, h);
    x_shift(a, SHIFT_RIGHT, r, 6);
    x_shift(a, SHIFT_LEFT, r, 4);
    x_ri(a, I_OR, r, TAG_SMALL);
    Value v = in_register_value(r);
    v.small = true;
    return v;
}
#define w_arity_of(e, h) arity_of_(e, h)

/* Word n (a small, from 1 on) of the tuple t with this header. */
static Value element_of_(Emitter *e, Value t, Value h, Value n, Label to) {
    Asm *a = &e->a;
    int size = temp(e);
    move_to(e, size, h);
    x_shift(a, SHIFT_RIGHT, size, 6);
    if (n.kind == VALUE_IMM) {
        intptr_t at = n.v >> 4;
        if (at < 1 || at > 1 << 24) {
            leave_always(e, to);
            at = 1;
        }
        x_ri(a, I_CMP, size, (int32_t)at);
        leave_if(e, CC_B, to);
        return load_word(e, t, OFFSET(BOXED, at));
    }
    int at = temp(e);
    move_to(e, at, n);
    x_shift(a, SHIFT_RIGHT, at, 4);
    x_ri(a, I_SUB, at, 1);
    x_rr(a, X_CMP, at, size);
    leave_if(e, CC_AE, to);
    x_lea_index(a, at, t.reg, at);
    return (Value){.kind = VALUE_MEM, .reg = at, .v = (intptr_t)sizeof(term) - TAG_BOXED, .slot = -1};
}
#define w_element_of(e, t, h, n, to) element_of_(e, t, h, n, to)

/* --- Words that are no terms --------------------------------------------------------------------------------------- */

static Value minus_(Emitter *e, Value v, Value w) {
    Asm *a = &e->a;
    int r = temp(e);
    assert(w.kind == VALUE_REG || w.kind == VALUE_MEM);
    move_to(e, r, v);
    w.kind == VALUE_REG ? x_rr(a, X_SUB, r, w.reg) : x_rm(a, X_SUB, r, w.reg, (int32_t)w.v);
    return in_register_value(r);
}

static Value advance_(Emitter *e, Value v, Value n) {
    assert(v.kind == VALUE_REG);
    if (!fits_32(n.v)) {
        int r = temp(e);
        move_to(e, r, n);
        x_rr(&e->a, X_ADD, r, v.reg);
        return in_register_value(r);
    }
    return (Value){.kind = VALUE_ADDRESS, .reg = v.reg, .v = n.v, .slot = -1};
}

static Value small_of_(Emitter *e, Value v) {
    int r = own_register(e, v);
    x_shift(&e->a, SHIFT_LEFT, r, 4);
    x_ri(&e->a, I_OR, r, TAG_SMALL);
    Value small = in_register_value(r);
    small.small = true;
    return small;
}

static void unless_clear_(Emitter *e, Value v, Value mask, Label to) {
    assert(mask.v <= UINT8_MAX);
    x_test_low(&e->a, in_reg(e, v).reg, (int)mask.v);
    leave_if(e, CC_NE, to);
}

#define w_minus(e, v, w) minus_(e, v, w)
#define w_advance(e, v, n) advance_(e, v, AS_VALUE(n))
#define w_small_of(e, v) small_of_(e, v)
#define w_unless_clear(e, v, mask, to) unless_clear_(e, v, mask, to)

/* --- C functions --------------------------------------------------------------------------------------------------- */

static void call_stub(Emitter *e, const void *function, const uint8_t *stub) {
    x_imm(&e->a, RAX, (uintptr_t)function);
    x_call_to(&e->a, stub);
}

static void set_argument(Emitter *e, int n, Value v) {
    store_to(e, SCHEDULER, (int32_t)(offsetof(Scheduler, c_args) + (size_t)n * sizeof(term)), v);
}

/* Calls fn(p, ...); its result is in rax. */
static Value call_at(Emitter *e, const void *fn, const uint8_t *stub, const Value *args, int n) {
    for (int i = 0; i < n; i++) {
        set_argument(e, i, args[i]);
    }
    call_stub(e, fn, stub);
    return in_register_value(RAX);
}

/* Of native_functions. */
static NOINLINE Value call_function(Emitter *e, int fn, const Value *args, int n) {
    return call_at(e, native_functions[fn], e->native->stubs.call_c, args, n);
}

/* The same of a function that neither allocates nor raises: the process's state stays where it is. */
static NOINLINE Value call_pure(Emitter *e, int fn, const Value *args, int n) {
    assert(n <= PURE_ARGUMENTS);
    return call_at(e, native_functions[fn], e->native->stubs.call_pure[n - 1], args, n);
}
#define ARGS(...) (const Value[]){__VA_ARGS__}, (int)(sizeof((const Value[]){__VA_ARGS__}) / sizeof(Value))
#define CALL_C(e, fn, ...) call_function(e, fn, ARGS(__VA_ARGS__))
#define CALL_PURE(e, fn, ...) call_pure(e, fn, ARGS(__VA_ARGS__))
#define CALL_AT(e, fn, ...) call_at(e, (const void *)(fn), e->native->stubs.call_c, ARGS(__VA_ARGS__))

static Value value_or(Emitter *e, Label no, Value v) {
    x_test(&e->a, v.reg, v.reg);
    leave_if(e, CC_E, no);
    return v;
}

static void test_result(Emitter *e, int cc, Label no) {
    x_rex(&e->a, 0, RAX, RAX); /* test al, al */
    asm_byte(&e->a, 0x84);
    x_modrm(&e->a, RAX, RAX);
    leave_if(e, cc, no);
}

static Value boolean_result(Emitter *e) {
    Asm *a = &e->a;
    asm_byte(a, 0x0f); /* movzx eax, al */
    asm_byte(a, 0xb6);
    x_modrm(a, RAX, RAX);
    x_shift(a, SHIFT_LEFT, RAX, 6);
    x_ri(a, I_OR, RAX, (int32_t)A_false);
    return in_register_value(RAX);
}

/* The list of an operand as units, in the cold section. */
static Label list_units(Emitter *e, const Operand *list) {
    Asm *a = &e->a;
    bool was_cold = asm_is_cold(a);
    Label l = asm_label(a), over = was_cold ? asm_label(a) : 0;
    if (was_cold) {
        x_jump(a, over);
    }
    enter_cold(e);
    while (a->now->size % sizeof(Unit) != 0 && !a->failed) {
        asm_byte(a, 0);
    }
    asm_bind(a, l);
    for (uintptr_t i = 0; i < list->index; i++) {
        const Operand *o = &list->list[i];
        asm_64(a, o->kind == OPERAND_X        ? o->index << 3
                  : o->kind == OPERAND_Y      ? o->index << 3 | 4
                  : o->kind == OPERAND_NUMBER ? o->number
                                              : o->term);
    }
    asm_bind(a, over);
    if (!was_cold) {
        leave_cold(e);
    }
    return l;
}

static Value call_list(Emitter *e, int fn, const Operand *list, const Value *args, int n) {
    Asm *a = &e->a;
    assert(n <= 3);
    Label units = list_units(e, list);
    for (int i = 1; i < n; i++) { /* args[0] is only there so that there is one */
        set_argument(e, 1 + i, args[i]);
    }
    x_load_address(a, RAX, units);
    x_store(a, RAX, IN_SCHEDULER(c_args[0]));
    set_argument(e, 1, immediate(list->index));
    call_stub(e, native_functions[fn], e->native->stubs.call_list);
    return in_register_value(RAX);
}

static Value call_guard(Emitter *e, Label no, const Operand *bif, const Value *args, int n) {
    Asm *a = &e->a;
    const BifEntry *b = bif->pointer;
    for (int i = 1; i < n; i++) {
        set_argument(e, i - 1, args[i]);
    }
    call_stub(e, (const void *)b->function, e->native->stubs.call_guard);
    x_test(a, RAX, RAX);
    if (no != RAISES) {
        leave_if(e, CC_E, no);
        return in_register_value(RAX);
    }
    Label over = asm_label(a);
    bool was_cold = asm_is_cold(a);
    x_jump_if(a, was_cold ? CC_NE : CC_E, over);
    enter_cold(e);
    if (!was_cold) {
        asm_bind(a, over);
    }
    call_stub(e, b, e->native->stubs.guard_failed);
    unwind(e);
    if (was_cold) {
        asm_bind(a, over);
    } else {
        leave_cold(e);
    }
    return in_register_value(RAX);
}

static const Value no_value = {.kind = VALUE_IMM, .slot = -1};
static Value x_pointer(void) {
    return (Value){.kind = VALUE_ADDRESS, .reg = SCHEDULER, .v = offsetof(Scheduler, x), .slot = -1};
}

static NOINLINE Value value_or_c(Emitter *e, Label no, int fn, const Value *args, int n) {
    return value_or(e, no, call_function(e, fn, args, n));
}
static NOINLINE Value list_or_c(Emitter *e, Label no, int fn, const Operand *list, const Value *args, int n) {
    return value_or(e, no, call_list(e, fn, list, args, n));
}
static NOINLINE Value pure_or_c(Emitter *e, Label no, int fn, const Value *args, int n) {
    return value_or(e, no, call_pure(e, fn, args, n));
}
static NOINLINE void unless_c(Emitter *e, Label no, int fn, const Value *args, int n) {
    call_pure(e, fn, args, n);
    test_result(e, CC_E, no);
}
static NOINLINE Value bool_c(Emitter *e, int fn, const Value *args, int n) {
    call_pure(e, fn, args, n);
    return boolean_result(e);
}
static NOINLINE void raise_c(Emitter *e, int fn, const Value *args, int n) {
    call_function(e, fn, args, n);
    unwind(e);
}

#define w_value_c(e, fn, ...) value_or_c(e, RAISES, fn, ARGS(__VA_ARGS__))
#define w_value_or(e, no, fn, ...) value_or_c(e, no, fn, ARGS(__VA_ARGS__))
#define w_guard_c(e, no, bif, ...) call_guard(e, no, &(bif), ARGS(no_value, ##__VA_ARGS__))
#define w_list_c(e, fn, list, ...) list_or_c(e, RAISES, fn, &(list), ARGS(no_value, ##__VA_ARGS__))
#define w_list_or(e, no, fn, list, ...) list_or_c(e, no, fn, &(list), ARGS(no_value, ##__VA_ARGS__))
/* Functions that neither allocate nor raise. */
#define w_pure_c(e, fn, ...) CALL_PURE(e, fn, __VA_ARGS__)
#define w_pure_or(e, no, fn, ...) pure_or_c(e, no, fn, ARGS(__VA_ARGS__))
#define w_pure_do(e, fn, ...) CALL_PURE(e, fn, __VA_ARGS__)
#define w_count_c(e, fn, ...) CALL_C(e, fn, __VA_ARGS__)
#define w_bool_c(e, fn, v, w) bool_c(e, fn, ARGS(v, w))
#define w_unless_c(e, no, fn, ...) unless_c(e, no, fn, ARGS(__VA_ARGS__))
#define w_do_c(e, fn, ...) CALL_C(e, fn, ##__VA_ARGS__)
#define w_raise_c(e, fn, ...) raise_c(e, fn, ARGS(__VA_ARGS__))
#define w_raise_x_c(e, fn, n) raise_c(e, fn, ARGS(x_pointer(), n))
#define w_raise_or(e, no, fn, ...) (CALL_C(e, fn, ##__VA_ARGS__), leave_always(e, no))
#define w_raise_if_c(e, fn, ...) (CALL_C(e, fn, ##__VA_ARGS__), test_result(e, CC_NE, RAISES))

static Double float_made(Emitter *e, int fn, Value v) {
    Value to = {.kind = VALUE_ADDRESS, .reg = SCHEDULER, .v = offsetof(Scheduler, c_args[7]), .slot = -1};
    CALL_C(e, fn, v, to);
    test_result(e, CC_E, RAISES);
    return (Double){.reg = SCHEDULER, .off = offsetof(Scheduler, c_args[7])};
}
#define w_float_c(e, fn, v) float_made(e, fn, v)

static Double checked_double(Emitter *e, Double d) {
    Asm *a = &e->a;
    Label bad = asm_label(a);
    int r = brief(e);
    load_double(e, d);
    x_double_bits(a, r, XMM0);
    x_shift(a, SHIFT_LEFT, r, 1); /* away with the sign */
    x_shift(a, SHIFT_RIGHT, r, 53);
    x_ri(a, I_CMP, r, 0x7ff);
    x_jump_if(a, CC_E, bad);
    enter_cold(e);
    asm_bind(a, bad);
    CALL_AT(e, exception_error, immediate(A_badarith));
    unwind(e);
    leave_cold(e);
    return (Double){.in_register = true};
}
#define w_float_check(e, d) checked_double(e, d)

/* --- Bits of bitstrings -------------------------------------------------------------------------------------------- */

/* Where the bits of a base begin: they are in place, or it leads to a buffer. */
static int bits_pointer(Emitter *e, Value base) {
    Asm *a = &e->a;
    Label in_place = asm_label(a);
    int p = own_register(e, base), t = brief(e);
    x_rm(a, X_MOV, t, p, -TAG_BOXED);
    x_ri(a, I_AND, t, 15 << 2);
    x_ri(a, I_CMP, t, KIND_BITS << 2);
    x_rm(a, X_LEA, p, p, (int32_t)offsetof(HeapBits, data) - TAG_BOXED);
    x_jump_if(a, CC_E, in_place);
    x_rm(a, X_MOV, p, p, (int32_t)offsetof(BufferRef, buffer) - (int32_t)offsetof(HeapBits, data));
    x_rm(a, X_MOV, p, p, (int32_t)offsetof(Buffer, data));
    asm_bind(a, in_place);
    return p;
}

static Value byte_at_(Emitter *e, Value base, Value at) {
    Asm *a = &e->a;
    int p = bits_pointer(e, base), t = brief(e);
    move_to(e, t, at);
    x_shift(a, SHIFT_RIGHT, t, 3);
    x_rr(a, X_ADD, p, t);
    x_load_big(a, p, p, 1);
    return in_register_value(p);
}

/* rcx = 7 - (at + n) % 8. */
static void bits_before_end(Asm *a, int at, int32_t n) {
    x_rm(a, X_LEA, RCX, at, n);
    x_rex(a, 0, 0, RCX); /* not */
    asm_byte(a, 0xf7);
    x_modrm(a, 2, RCX);
    x_ri(a, I_AND, RCX, 7);
}

/* Two loads of 1, 2 or 4 bytes: where the bits begin, and where they end; nothing else is touched. Loads of one byte each make a
   window of 16 bits; what stands in it behind the last byte is shifted out. */
static Value bits_at_(Emitter *e, Value base, Value at, Value bits, Value flags) {
    Asm *a = &e->a;
    int n = (int)bits.v;
    if (n == 0) {
        return immediate(0);
    }
    bool odd_little = flags.v & BITS_LITTLE && n > 8 && n % 8 != 0;
    if (n > BITS_AT_MAX || odd_little) {
        return call_at(e, (const void *)rt_bits_at, e->native->stubs.call_pure[3], ARGS(base, at, bits, flags));
    }
    int p = bits_pointer(e, base), first = RAX;
    assert(at.kind == VALUE_REG && e->temps <= SCRATCH_SAFE);
    int load = n <= 9 ? 1 : n <= 25 ? 2 : 4, load_bits = 8 * load;
    x_rr(a, X_MOV, RCX, at.reg);
    x_shift(a, SHIFT_RIGHT, RCX, 3);
    x_rr(a, X_ADD, RCX, p);
    x_load_big(a, first, RCX, load);
    x_rm(a, X_LEA, RCX, at.reg, n - 1);
    x_shift(a, SHIFT_RIGHT, RCX, 3);
    x_rr(a, X_ADD, p, RCX);
    x_rm(a, X_LEA, p, p, 1 - load);
    x_load_big(a, p, p, load);
    if (load == 1) {
        x_shift(a, SHIFT_LEFT, first, 8);
        x_rr(a, X_OR, p, first);
        bits_before_end(a, at.reg, 0);
        x_shift_cl(a, SHIFT_RIGHT, p);
        x_shift(a, SHIFT_RIGHT, p, 9 - n);
    } else {
        bits_before_end(a, at.reg, 0);
        x_shift(a, SHIFT_LEFT, first, load_bits);
        x_shift_cl(a, SHIFT_RIGHT, first);
        x_shift(a, SHIFT_RIGHT, first, 2 * load_bits - 7 - n);
        bits_before_end(a, at.reg, n - 1);
        x_shift_cl(a, SHIFT_RIGHT, p);
        x_rr(a, X_OR, p, first);
    }
    if (flags.v & BITS_LITTLE && n > 8) {
        x_swap_bytes(a, p, 8);
        x_shift(a, SHIFT_RIGHT, p, 64 - n); /* away with what stood in front of them */
    }
    x_shift(a, SHIFT_LEFT, p, 64 - n);
    x_shift(a, flags.v & BITS_SIGNED ? SHIFT_ARITHMETIC : SHIFT_RIGHT, p, 64 - n);
    return in_register_value(p);
}

#define w_byte_at(e, base, at) byte_at_(e, base, at)
#define w_bits_at(e, base, at, bits, flags) bits_at_(e, base, at, bits, flags)

/* --- Choices ------------------------------------------------------------------------------------------------------- */

static uintptr_t choice(const Operand *o) {
    return o->kind == OPERAND_NUMBER ? o->number : o->term;
}

/* Compares v with the values low .. high - 1 of a list: one after the other, or first with the one in the middle. */
static void select_between(Emitter *e, Value v, const Operand *list, size_t n, size_t low, size_t high) {
    Asm *a = &e->a;
    if (high - low > 6) {
        size_t middle = (low + high) / 2;
        Label upper = asm_label(a);
        compare(e, v, immediate(choice(&list[middle])));
        x_jump_if(a, CC_E, list[n + middle].index);
        x_jump_if(a, CC_A, upper);
        Label none = asm_label(a);
        select_between(e, v, list, n, low, middle);
        x_jump(a, none);
        asm_bind(a, upper);
        select_between(e, v, list, n, middle + 1, high);
        asm_bind(a, none);
        return;
    }
    for (; low < high; low++) {
        compare(e, v, immediate(choice(&list[low])));
        x_jump_if(a, CC_E, list[n + low].index);
    }
}

static void select_value(Emitter *e, Value v, const Operand *list) {
    v = in_reg(e, v);
    select_between(e, v, list->list, list->index / 2, 0, list->index / 2);
}
#define w_select(e, v, list) select_value(e, v, &(list))

/* Labels of the smalls from low on: distances from their own place, in the cold section. */
static void jump_by_table(Emitter *e, Value v, Value low, const Operand *list, Label no) {
    Asm *a = &e->a;
    int at = temp(e), table = temp(e);
    Label places = asm_label(a);
    move_to(e, at, v);
    if (fits_32(low.v)) {
        x_ri(a, I_SUB, at, (int32_t)low.v);
    } else {
        move_to(e, table, low);
        x_rr(a, X_SUB, at, table);
    }
    x_rex(a, 1, 0, at); /* ror at, 4: of a small the place; of others very large */
    asm_byte(a, 0xc1);
    x_modrm(a, 1, at);
    asm_byte(a, 4);
    x_ri(a, I_CMP, at, (int32_t)list->index);
    leave_if(e, CC_AE, no);
    x_load_address(a, table, places);
    x_shift(a, SHIFT_LEFT, at, 2);
    x_rr(a, X_ADD, table, at);
    x_rex(a, 1, at, table); /* movsxd at, [table] */
    asm_byte(a, 0x63);
    x_mem(a, at, table, 0);
    x_ri(a, I_ADD, table, 4); /* a distance counts from behind itself */
    x_rr(a, X_ADD, at, table);
    x_jump_reg(a, at);
    enter_cold(e);
    while (a->now->size % 4 != 0 && !a->failed) {
        asm_byte(a, 0);
    }
    asm_bind(a, places);
    for (uintptr_t i = 0; i < list->index; i++) {
        asm_fix(a, list->list[i].index, NULL);
    }
    leave_cold(e);
}
#define w_jump_table(e, v, low, list, no) jump_by_table(e, v, low, &(list), no)

/* --- Frames and calls ---------------------------------------------------------------------------------------------- */

static void forget_x(Emitter *e) {
    memset(e->small, 0, KNOWN_SLOTS);
}

static void frame_(Emitter *e, intptr_t n) {
    memset(e->small + KNOWN_SLOTS, 0, KNOWN_SLOTS);
    if (n > 0) {
        x_ri(&e->a, I_SUB, SP, (int32_t)(n * (intptr_t)sizeof(term)));
    }
}

static void unframe_(Emitter *e, intptr_t n) {
    if (n > 0) {
        x_ri(&e->a, I_ADD, SP, (int32_t)(n * (intptr_t)sizeof(term)));
    }
    for (intptr_t i = 0; i < KNOWN_SLOTS; i++) {
        e->small[KNOWN_SLOTS + i] = i + n < KNOWN_SLOTS && e->small[KNOWN_SLOTS + i + n];
    }
}

static void clear_(Emitter *e, intptr_t n) {
    for (intptr_t i = 0; i < n; i++) {
        x_store_imm(&e->a, (int32_t)NIL, SP, (int32_t)(i * (intptr_t)sizeof(term)));
    }
}

/* Where calls of a function of this module go: its machine code, or a door to the interpreter. */
static Label callee(Emitter *e, const Operand *to) {
    if (e->is_native[to->index]) {
        return e->entry_of[to->index];
    }
    if (e->entry_of[to->index] == 0) {
        const Function *f = emit_function(e->pr->code, to->index);
        e->entry_of[to->index] = asm_label(&e->a);
        enter_cold(e);
        asm_bind(&e->a, e->entry_of[to->index]);
        x_imm(&e->a, RAX, (uintptr_t)f->code);
        x_jump_to(&e->a, e->native->stubs.to_interpreter);
        leave_cold(e);
    }
    return e->entry_of[to->index];
}

static void call_function_of_module(Emitter *e, const Operand *to) {
    Label l = callee(e, to);
    x_call(&e->a, l);
    forget_x(e);
}

static void call_export_(Emitter *e, const Operand *to) {
    x_imm(&e->a, RAX, (uintptr_t)to->pointer);
    x_call_mem(&e->a, RAX, offsetof(Export, native));
    forget_x(e);
}

static void tail_export_(Emitter *e, const Operand *to) {
    x_imm(&e->a, RAX, (uintptr_t)to->pointer);
    x_jump_mem(&e->a, RAX, offsetof(Export, native));
}

/* fn(p, x, ...) says where to: an Entry in rax, or NULL. */
static void find_entry(Emitter *e, int fn, Value how) {
    CALL_C(e, fn, x_pointer(), how);
    value_or(e, RAISES, in_register_value(RAX));
}

static void call_found(Emitter *e, int fn, Value how) {
    find_entry(e, fn, how);
    x_call_mem(&e->a, RAX, offsetof(Entry, native));
    forget_x(e);
}

static void tail_found(Emitter *e, int fn, Value how) {
    find_entry(e, fn, how);
    x_jump_mem(&e->a, RAX, offsetof(Entry, native));
}

static void call_bif(Emitter *e, const Operand *bif, bool tail) {
    const BifEntry *b = bif->pointer;
    for (uint32_t i = 0; i < MIN(b->arity, (uint32_t)X_REGISTERS); i++) {
        x_store(&e->a, x_register[i], SCHEDULER, (int32_t)(offsetof(Scheduler, x) + i * sizeof(term)));
    }
    x_call_with(&e->a, (uintptr_t)b, tail ? e->native->stubs.tail_bif : e->native->stubs.call_bif);
    forget_x(e);
    if (tail) {
        x_ret(&e->a);
    }
}

/* So many reductions; yields when they are used up. */
static void charge_(Emitter *e, intptr_t calls, intptr_t live) {
    Asm *a = &e->a;
    Label out = asm_label(a), on = asm_label(a);
    x_ri(a, I_SUB, REDS, (int32_t)calls);
    if (e->yield_always) {
        x_jump(a, out);
    } else {
        x_jump_if(a, CC_S, out);
    }
    asm_bind(a, on);
    enter_cold(e);
    asm_bind(a, out);
    x_load_address(a, RAX, on);
    x_imm(a, RCX, (uintptr_t)live);
    x_jump_to(a, e->native->stubs.yield);
    leave_cold(e);
}

#define w_frame(e, n) frame_(e, (n).v)
#define w_unframe(e, n) unframe_(e, (n).v)
#define w_clear(e, n) clear_(e, (n).v)
#define w_call(e, to) call_function_of_module(e, &(to))
#define w_tail_call(e, to) x_jump(&e->a, callee(e, &(to)))
#define w_call_export(e, to) call_export_(e, &(to))
#define w_tail_export(e, to) tail_export_(e, &(to))
#define w_call_entry(e, fn, live, ...) call_found(e, fn, AS_VALUE(__VA_ARGS__))
#define w_tail_entry(e, fn, live, ...) tail_found(e, fn, AS_VALUE(__VA_ARGS__))
#define w_call_built_in(e, bif) call_bif(e, &(bif), false)
#define w_tail_built_in(e, bif) call_bif(e, &(bif), true)
#define w_ret(e) x_ret(&e->a)
#define w_charge(e, calls, live) charge_(e, (calls).v, (live).v)

/* --- Exceptions ---------------------------------------------------------------------------------------------------- */

static void count_catches(Emitter *e, int by) {
    Asm *a = &e->a;
    int r = brief(e);
    x_rm(a, X_MOV, r, IN_SCHEDULER(current));
    x_rex(a, 0, 0, r); /* add dword */
    asm_byte(a, 0x83);
    x_mem(a, I_ADD, IN_PROCESS(r, catches));
    asm_byte(a, (unsigned)by & 0xff);
}

/* The value of `catch`: what it is, unless x0 is NONE. */
static void caught_(Emitter *e, int fn) {
    Asm *a = &e->a;
    Label thrown = asm_label(a), back = asm_label(a);
    x_test(a, x_register[0], x_register[0]);
    x_jump_if(a, CC_E, thrown);
    asm_bind(a, back);
    enter_cold(e);
    asm_bind(a, thrown);
    CALL_C(e, fn, x_pointer());
    x_rr(a, X_MOV, x_register[0], RAX);
    x_jump(a, back);
    leave_cold(e);
    forget_x(e);
}

#define w_catch_mark(e, h) immediate(make_catch((h).number))
#define w_catch_begin(e) count_catches(e, 1)
#define w_catch_over(e) count_catches(e, -1)
#define w_caught(e, fn) caught_(e, fn)

/* --- Processes ----------------------------------------------------------------------------------------------------- */

static Value self_(Emitter *e) {
    int r = temp(e);
    x_rm(&e->a, X_MOV, r, IN_SCHEDULER(current));
    return (Value){.kind = VALUE_MEM, .reg = (int8_t)r, .v = offsetof(Process, pid), .slot = -1};
}

/* Leaves the engine: goes on at the label later, with nothing live. */
static void leave_to(Emitter *e, Label at, const uint8_t *stub) {
    x_load_address(&e->a, RAX, at);
    x_imm(&e->a, RCX, 0);
    x_jump_to(&e->a, stub);
}

/* Where the receive looks: in the register. */
static void load_message(Asm *a, int reg) {
    x_rm(a, X_MOV, RDI, IN_SCHEDULER(current));
    x_rm(a, X_MOV, reg, IN_PROCESS(RDI, save));
    x_rm(a, X_MOV, reg, reg, 0);
}

/* mailbox_at_hand, and out of line native_next_message. */
static Value message_or(Emitter *e, Label no) {
    Asm *a = &e->a;
    Label slow = asm_label(a), found = asm_label(a);
    load_message(a, RAX);
    x_test(a, RAX, RAX);
    x_jump_if(a, CC_E, slow);
    x_mi(a, I_CMP, RAX, offsetof(Signal, data), 0);
    x_jump_if(a, CC_NE, slow);
    x_store_byte(a, true, RAX, offsetof(Signal, seen));
    x_rm(a, X_MOV, RAX, RAX, offsetof(Signal, value));
    asm_bind(a, found);
    enter_cold(e);
    asm_bind(a, slow);
    call_stub(e, (const void *)native_next_message, e->native->stubs.call_c);
    x_test(a, RAX, RAX);
    x_jump_if(a, CC_NE, found);
    x_rm(a, X_MOV, RCX, IN_SCHEDULER(current));
    x_rex(a, 0, 0, RCX); /* test dword */
    asm_byte(a, 0xf7);
    x_mem(a, 0, IN_PROCESS(RCX, state));
    asm_32(a, STATE_EXITING | STATE_SUSPENDED | STATE_KILLED);
    x_jump_if(a, CC_E, no);
    leave_to(e, here(e), e->native->stubs.yield);
    leave_cold(e);
    return in_register_value(RAX);
}

static void pass_message(Emitter *e) {
    Asm *a = &e->a;
    _Static_assert(offsetof(Signal, next) == 0, "so that a message is the place where the next one stands");
    load_message(a, RAX);
    x_store(a, RAX, IN_PROCESS(RDI, save));
}

static void wait_for(Emitter *e, Label to, Value time) {
    Asm *a = &e->a;
    Label wait = asm_label(a);
    CALL_AT(e, native_wait, time);
    x_rex(a, 0, 0, RAX); /* cmp eax, MAILBOX_TIMED_OUT */
    asm_byte(a, 0x83);
    x_modrm(a, I_CMP, RAX);
    asm_byte(a, MAILBOX_TIMED_OUT);
    x_jump_if(a, CC_NE, wait);
    enter_cold(e);
    asm_bind(a, wait);
    x_rex(a, 0, 0, RAX);
    asm_byte(a, 0x83);
    x_modrm(a, I_CMP, RAX);
    asm_byte(a, MAILBOX_BAD_TIME);
    leave_if(e, CC_E, RAISES);
    leave_to(e, to, e->native->stubs.wait);
    leave_cold(e);
}

static void loop_back(Emitter *e, Label to) {
    Asm *a = &e->a;
    Label out = asm_label(a);
    x_rex(a, 1, 0, REDS); /* dec */
    asm_byte(a, 0xff);
    x_modrm(a, 1, REDS);
    x_jump_if(a, CC_S, out);
    x_jump(a, to);
    enter_cold(e);
    asm_bind(a, out);
    leave_to(e, to, e->native->stubs.yield);
    leave_cold(e);
}

#define w_self(e) self_(e)
#define w_next_message(e, no) message_or(e, no)
#define w_pass_message(e) pass_message(e)
#define w_wait_at(e, to) leave_to(e, to, e->native->stubs.wait)
#define w_wait_until(e, to, time) wait_for(e, to, time)
#define w_loop_to(e, to) loop_back(e, to)
#define w_leave_hibernating(e) (call_stub(e, NULL, e->native->stubs.hibernate), unwind(e))
