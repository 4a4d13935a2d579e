/* The x86-64 assembler: sections, labels, and what jumps to them. */
#include "native/asm_x64.h"

void asm_init(Asm *a, Mem *mem) {
    *a = (Asm){.mem = mem, .label_count = 1};
    a->now = &a->section[SECTION_HOT];
}

void asm_done(Asm *a) {
    for (int i = 0; i < SECTIONS; i++) {
        mem_free(a->mem, MEM_TEMPORARY, a->section[i].at, a->section[i].capacity);
    }
    mem_free(a->mem, MEM_TEMPORARY, a->labels, a->label_capacity * sizeof *a->labels);
    mem_free(a->mem, MEM_TEMPORARY, a->fixes, a->fix_capacity * sizeof *a->fixes);
}

void asm_grow(Asm *a) {
    Section *s = a->now;
    uint32_t capacity = MAX(4096, 2 * s->capacity);
    uint8_t *grown = a->failed ? NULL : mem_resize(a->mem, MEM_TEMPORARY, s->at, s->capacity, capacity);
    if (grown == NULL) {
        a->failed = true;
        return;
    }
    s->at = grown;
    s->capacity = capacity;
}

Label asm_label(Asm *a) {
    if (a->label_count >= a->label_capacity) {
        uint32_t capacity = MAX(256, 2 * a->label_capacity);
        LabelPlace *grown = mem_resize(a->mem, MEM_TEMPORARY, a->labels, a->label_capacity * sizeof *grown, capacity * sizeof *grown);
        if (grown == NULL) {
            a->failed = true;
            return 0;
        }
        a->labels = grown;
        a->label_capacity = capacity;
    }
    a->labels[a->label_count] = (LabelPlace){0};
    return a->label_count++;
}

void asm_bind(Asm *a, Label l) {
    if (l != 0) {
        assert(!a->labels[l].bound);
        a->labels[l].at = a->now->size;
        a->labels[l].section = (uint8_t)(a->now - a->section);
        a->labels[l].bound = true;
    }
}

static void add_fix(Asm *a, Fix f) {
    if (a->fix_count >= a->fix_capacity) {
        uint32_t capacity = MAX(256, 2 * a->fix_capacity);
        Fix *grown = mem_resize(a->mem, MEM_TEMPORARY, a->fixes, a->fix_capacity * sizeof *grown, capacity * sizeof *grown);
        if (grown == NULL) {
            a->failed = true;
            return;
        }
        a->fixes = grown;
        a->fix_capacity = capacity;
    }
    if (f.to != 0) {
        a->labels[f.to].uses++;
    }
    a->fixes[a->fix_count++] = f;
}

void asm_fix(Asm *a, Label to, const uint8_t *outside) {
    assert(to != 0 || outside != NULL || a->failed);
    add_fix(a, (Fix){.at = a->now->size, .section = (uint8_t)(a->now - a->section), .to = to, .outside = outside});
    asm_32(a, 0);
}

size_t asm_size(const Asm *a) {
    return round_up(a->section[SECTION_HOT].size, 16) + round_up(a->section[SECTION_COLD].size, 16);
}

void asm_finish(const Asm *a, uint8_t *write, const uint8_t *run) {
    size_t start[SECTIONS] = {[SECTION_COLD] = round_up(a->section[SECTION_HOT].size, 16)};
    for (int i = 0; i < SECTIONS; i++) {
        if (a->section[i].size > 0) {
            memcpy(write + start[i], a->section[i].at, a->section[i].size);
        }
    }
    for (uint32_t i = 0; i < a->fix_count; i++) {
        const Fix *f = &a->fixes[i];
        size_t at = start[f->section] + f->at;
        const uint8_t *to = f->outside != NULL ? f->outside : run + asm_label_offset(a, f->to);
        intptr_t distance = to - (run + at + 4);
        assert(fits_32(distance));
        memcpy(write + at, &(int32_t){(int32_t)distance}, 4);
    }
}

void x_pad(Asm *a, unsigned bytes) {
    static const uint8_t nops[4][3] = {{0}, {0x90}, {0x66, 0x90}, {0x0f, 0x1f, 0x00}};
    for (unsigned i = 0; i < bytes; i++) {
        asm_byte(a, nops[bytes][i]);
    }
}

/* Pads so that an instruction of `size` bytes ends where the address ends in 00. */
static void align_end(Asm *a, unsigned size) {
    x_pad(a, (4 - (a->now->size + size) % 4) % 4);
}

void x_call(Asm *a, Label l) {
    align_end(a, 5);
    asm_byte(a, 0xe8);
    asm_fix(a, l, NULL);
}

void x_call_to(Asm *a, const void *address) {
    align_end(a, 5);
    asm_byte(a, 0xe8);
    asm_fix(a, 0, address);
}

enum { CALL_BYTES = 5, LOAD_BYTES = 10 };

void x_call_with(Asm *a, uintptr_t v, const void *address) {
    align_end(a, LOAD_BYTES + CALL_BYTES);
    x_rex(a, 1, 0, RAX);
    asm_byte(a, 0xb8 | RAX);
    asm_64(a, v);
    x_call_to(a, address);
}

uintptr_t x_called_with(const uint8_t *back) {
    uintptr_t v;
    memcpy(&v, back - CALL_BYTES - sizeof v, sizeof v);
    return v;
}

void x_call_mem(Asm *a, int base, int32_t off) {
    unsigned size = 3 + ((base & 7) == RSP) + (off == 0 && (base & 7) != RBP ? 0 : off == (int8_t)off ? 1 : 4);
    align_end(a, size);
    x_rex(a, 0, 0, base);
    asm_byte(a, 0xff);
    x_mem(a, 2, base, off);
}

void x_load_address(Asm *a, int reg, Label l) {
    x_rex(a, 1, reg, 0);
    asm_byte(a, X_LEA);
    asm_byte(a, (unsigned)(0x05 | (reg & 7) << 3));
    asm_fix(a, l, NULL);
}
