/* An assembler for x86-64: the instructions the native engine needs, written to two growing sections that become one piece of
   code. The hot section has what usually runs; the cold one has slow paths, and data. */
#ifndef MOTE_NATIVE_ASM_X64_H
#define MOTE_NATIVE_ASM_X64_H

#include "base/mem.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };
enum { XMM0, XMM1, XMM2 };

/* Conditions of jumps. */
// clang-format off
enum { CC_O = 0, CC_NO = 1, CC_B = 2, CC_AE = 3, CC_E = 4, CC_NE = 5, CC_BE = 6, CC_A = 7, CC_S = 8, CC_NS = 9, CC_P = 10, CC_L = 12, CC_GE = 13, CC_LE = 14, CC_G = 15 };
// clang-format on
/* Operations `reg op= operand`, by their opcode with the operand in memory or a register. */
enum { X_MOV = 0x8b, X_ADD = 0x03, X_OR = 0x0b, X_AND = 0x23, X_SUB = 0x2b, X_XOR = 0x33, X_CMP = 0x3b, X_LEA = 0x8d };
/* The same with a constant, by their number in the opcode. */
enum { I_ADD = 0, I_OR = 1, I_AND = 4, I_SUB = 5, I_XOR = 6, I_CMP = 7 };

typedef struct {
    uint8_t *at;
    uint32_t size, capacity;
} Section;

typedef enum { SECTION_HOT, SECTION_COLD, SECTIONS } SectionKind;

typedef uint32_t Label; /* 0: none */

typedef struct {
    uint32_t at; /* offset in its section */
    uint8_t section;
    bool bound;
    uint32_t uses;
} LabelPlace;

typedef struct {
    uint32_t at; /* of the 32 bits to fill in */
    uint8_t section;
    Label to;
    const uint8_t *outside; /* to is 0: an address in other code of this VM */
} Fix;

typedef struct {
    Mem *mem;
    Section section[SECTIONS];
    Section *now;
    LabelPlace *labels;
    uint32_t label_count, label_capacity;
    Fix *fixes;
    uint32_t fix_count, fix_capacity;
    bool failed; /* no memory: sticks */
} Asm;

void asm_init(Asm *a, Mem *mem);
void asm_done(Asm *a);
void asm_grow(Asm *a); /* makes room for at least 16 bytes in the current section, or sets failed */

Label asm_label(Asm *a);
void asm_bind(Asm *a, Label l);
static inline bool asm_is_cold(const Asm *a) {
    return a->now == &a->section[SECTION_COLD];
}
static inline void asm_section(Asm *a, SectionKind k) {
    a->now = &a->section[k];
}
/* Bytes that the code takes: hot section, then cold, each from a multiple of 16 on. */
size_t asm_size(const Asm *a);
/* Writes the code to `write`, to be run at `run`. */
void asm_finish(const Asm *a, uint8_t *write, const uint8_t *run);
static inline size_t asm_label_offset(const Asm *a, Label l) { /* in the finished code */
    const LabelPlace *p = &a->labels[l];
    assert(p->bound);
    return p->at + (p->section == SECTION_COLD ? round_up(a->section[SECTION_HOT].size, 16) : 0);
}

static inline void asm_byte(Asm *a, unsigned b) {
    Section *s = a->now;
    if (UNLIKELY(s->size >= s->capacity)) {
        asm_grow(a);
        if (a->failed) {
            return;
        }
    }
    s->at[s->size++] = (uint8_t)b;
}
static inline void asm_32(Asm *a, int32_t v) {
    for (int i = 0; i < 4; i++) {
        asm_byte(a, (uint32_t)v >> 8 * i);
    }
}
static inline void asm_64(Asm *a, uint64_t v) {
    asm_32(a, (int32_t)v);
    asm_32(a, (int32_t)(v >> 32));
}
static inline void x_rex(Asm *a, int w, int reg, int rm) {
    asm_byte(a, (unsigned)(0x40 | w << 3 | reg >> 3 << 2 | rm >> 3));
}
/* The bytes that say [base + off]. */
static inline void x_mem(Asm *a, int reg, int base, int32_t off) {
    int mod = off == 0 && (base & 7) != RBP ? 0 : off == (int8_t)off ? 1 : 2;
    asm_byte(a, (unsigned)(mod << 6 | (reg & 7) << 3 | (base & 7)));
    if ((base & 7) == RSP) {
        asm_byte(a, 0x24);
    }
    if (mod == 1) {
        asm_byte(a, (uint8_t)off);
    } else if (mod == 2) {
        asm_32(a, off);
    }
}
static inline void x_modrm(Asm *a, int reg, int rm) {
    asm_byte(a, (unsigned)(0xc0 | (reg & 7) << 3 | (rm & 7)));
}
/* reg op= reg, and reg op= [base + off], 64 bits. */
static inline void x_rr(Asm *a, int op, int reg, int rm) {
    x_rex(a, 1, reg, rm);
    asm_byte(a, (unsigned)op);
    x_modrm(a, reg, rm);
}
static inline void x_rm(Asm *a, int op, int reg, int base, int32_t off) {
    x_rex(a, 1, reg, base);
    asm_byte(a, (unsigned)op);
    x_mem(a, reg, base, off);
}
static inline void x_store(Asm *a, int reg, int base, int32_t off) {
    x_rm(a, 0x89, reg, base, off);
}
/* reg op= constant of 32 bits, sign-extended. */
static inline void x_ri(Asm *a, int op, int reg, int32_t v) {
    x_rex(a, 1, 0, reg);
    asm_byte(a, v == (int8_t)v ? 0x83 : 0x81);
    x_modrm(a, op, reg);
    if (v == (int8_t)v) {
        asm_byte(a, (uint8_t)v);
    } else {
        asm_32(a, v);
    }
}
/* [base + off] op= constant. */
static inline void x_mi(Asm *a, int op, int base, int32_t off, int32_t v) {
    x_rex(a, 1, 0, base);
    asm_byte(a, v == (int8_t)v ? 0x83 : 0x81);
    x_mem(a, op, base, off);
    if (v == (int8_t)v) {
        asm_byte(a, (uint8_t)v);
    } else {
        asm_32(a, v);
    }
}
/* lea reg, [base + index * 8]. */
static inline void x_lea_index(Asm *a, int reg, int base, int index) {
    asm_byte(a, (unsigned)(0x48 | reg >> 3 << 2 | index >> 3 << 1 | base >> 3));
    asm_byte(a, X_LEA);
    asm_byte(a, (unsigned)(0x44 | (reg & 7) << 3));
    asm_byte(a, (unsigned)(0xc0 | (index & 7) << 3 | (base & 7)));
    asm_byte(a, 0);
}
static inline bool fits_32(intptr_t v) {
    return v == (int32_t)v;
}
static inline void x_imm(Asm *a, int reg, uintptr_t v) {
    if (v == 0) {
        x_rex(a, 0, reg, reg);
        asm_byte(a, 0x33);
        x_modrm(a, reg, reg);
    } else if (v == (uint32_t)v) {
        x_rex(a, 0, 0, reg);
        asm_byte(a, (unsigned)(0xb8 | (reg & 7)));
        asm_32(a, (int32_t)v);
    } else if (fits_32((intptr_t)v)) {
        x_rex(a, 1, 0, reg);
        asm_byte(a, 0xc7);
        x_modrm(a, 0, reg);
        asm_32(a, (int32_t)v);
    } else {
        x_rex(a, 1, 0, reg);
        asm_byte(a, (unsigned)(0xb8 | (reg & 7)));
        asm_64(a, v);
    }
}
static inline void x_store_imm(Asm *a, int32_t v, int base, int32_t off) {
    x_rex(a, 1, 0, base);
    asm_byte(a, 0xc7);
    x_mem(a, 0, base, off);
    asm_32(a, v);
}
static inline void x_store_byte(Asm *a, int v, int base, int32_t off) {
    x_rex(a, 0, 0, base);
    asm_byte(a, 0xc6);
    x_mem(a, 0, base, off);
    asm_byte(a, (unsigned)v);
}
/* Tests the low byte of a register, or of memory, against bits. */
static inline void x_test_low(Asm *a, int reg, int bits) {
    x_rex(a, 0, 0, reg);
    asm_byte(a, 0xf6);
    x_modrm(a, 0, reg);
    asm_byte(a, (unsigned)bits);
}
static inline void x_test_low_mem(Asm *a, int base, int32_t off, int bits) {
    x_rex(a, 0, 0, base);
    asm_byte(a, 0xf6);
    x_mem(a, 0, base, off);
    asm_byte(a, (unsigned)bits);
}
static inline void x_test(Asm *a, int r, int s) {
    x_rex(a, 1, r, s);
    asm_byte(a, 0x85);
    x_modrm(a, r, s);
}
/* Shifts by a constant: 4 left, 5 right, 7 right with sign. */
enum { SHIFT_LEFT = 4, SHIFT_RIGHT = 5, SHIFT_ARITHMETIC = 7 };
static inline void x_shift(Asm *a, int how, int reg, int by) {
    x_rex(a, 1, 0, reg);
    asm_byte(a, 0xc1);
    x_modrm(a, how, reg);
    asm_byte(a, (unsigned)by);
}
static inline void x_shift_cl(Asm *a, int how, int reg) {
    x_rex(a, 1, 0, reg);
    asm_byte(a, 0xd3);
    x_modrm(a, how, reg);
}
/* reg = its low bytes (4 or 8 of them) the other way round. */
static inline void x_swap_bytes(Asm *a, int reg, int bytes) {
    x_rex(a, bytes == 8, 0, reg);
    asm_byte(a, 0x0f);
    asm_byte(a, (unsigned)(0xc8 | (reg & 7)));
}
/* reg = 1, 2 or 4 bytes from [base] on, the first one on top. */
static inline void x_load_big(Asm *a, int reg, int base, int bytes) {
    x_rex(a, 0, reg, base);
    if (bytes < 4) { /* movzx */
        asm_byte(a, 0x0f);
        asm_byte(a, bytes == 1 ? 0xb6 : 0xb7);
    } else {
        asm_byte(a, X_MOV);
    }
    x_mem(a, reg, base, 0);
    if (bytes > 1) {
        x_swap_bytes(a, reg, 4);
    }
    if (bytes == 2) {
        x_shift(a, SHIFT_RIGHT, reg, 16);
    }
}
static inline void x_push(Asm *a, int reg) {
    x_rex(a, 0, 0, reg);
    asm_byte(a, (unsigned)(0x50 | (reg & 7)));
}
static inline void x_pop(Asm *a, int reg) {
    x_rex(a, 0, 0, reg);
    asm_byte(a, (unsigned)(0x58 | (reg & 7)));
}
static inline void x_ret(Asm *a) {
    asm_byte(a, 0xc3);
}
static inline void x_jump_reg(Asm *a, int reg) {
    x_rex(a, 0, 0, reg);
    asm_byte(a, 0xff);
    x_modrm(a, 4, reg);
}
static inline void x_jump_mem(Asm *a, int base, int32_t off) {
    x_rex(a, 0, 0, base);
    asm_byte(a, 0xff);
    x_mem(a, 4, base, off);
}
static inline void x_call_reg(Asm *a, int reg) {
    x_rex(a, 0, 0, reg);
    asm_byte(a, 0xff);
    x_modrm(a, 2, reg);
}

/* Doubles: op xmm, [base + off] and op xmm, xmm. */
enum { F_LOAD = 0x10, F_STORE = 0x11, F_ADD = 0x58, F_MUL = 0x59, F_SUB = 0x5c, F_DIV = 0x5e };
static inline void x_fm(Asm *a, int op, int xmm, int base, int32_t off) {
    asm_byte(a, 0xf2);
    x_rex(a, 0, xmm, base);
    asm_byte(a, 0x0f);
    asm_byte(a, (unsigned)op);
    x_mem(a, xmm, base, off);
}
static inline void x_int_to_double(Asm *a, int xmm, int reg) { /* cvtsi2sd */
    asm_byte(a, 0xf2);
    x_rex(a, 1, xmm, reg);
    asm_byte(a, 0x0f);
    asm_byte(a, 0x2a);
    x_modrm(a, xmm, reg);
}
static inline void x_double_bits(Asm *a, int reg, int xmm) { /* movq reg, xmm */
    asm_byte(a, 0x66);
    x_rex(a, 1, xmm, reg);
    asm_byte(a, 0x0f);
    asm_byte(a, 0x7e);
    x_modrm(a, xmm, reg);
}
static inline void x_bits_double(Asm *a, int xmm, int reg) { /* movq xmm, reg */
    asm_byte(a, 0x66);
    x_rex(a, 1, xmm, reg);
    asm_byte(a, 0x0f);
    asm_byte(a, 0x6e);
    x_modrm(a, xmm, reg);
}

/* Jumps and calls to labels, or to addresses elsewhere in the VM's code. */
void asm_fix(Asm *a, Label to, const uint8_t *outside);
static inline void x_jump(Asm *a, Label l) {
    asm_byte(a, 0xe9);
    asm_fix(a, l, NULL);
}
static inline void x_jump_if(Asm *a, int cc, Label l) {
    asm_byte(a, 0x0f);
    asm_byte(a, (unsigned)(0x80 | cc));
    asm_fix(a, l, NULL);
}
static inline void x_jump_to(Asm *a, const void *address) {
    asm_byte(a, 0xe9);
    asm_fix(a, 0, address);
}
/* Nothing, so many bytes long (less than 4). */
void x_pad(Asm *a, unsigned bytes);
/* Calls whose return address ends in 00. */
void x_call(Asm *a, Label l);
void x_call_to(Asm *a, const void *address);
/* The same with a word in rax, which x_called_with finds by the return address. */
void x_call_with(Asm *a, uintptr_t v, const void *address);
uintptr_t x_called_with(const uint8_t *back);
void x_call_mem(Asm *a, int base, int32_t off);
void x_load_address(Asm *a, int reg, Label l); /* lea reg, [rip + l] */

#endif
