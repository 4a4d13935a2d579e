/* Programs: rewritten instructions on their way to the engines, and what is known of their operands. */
#include "code/ins.h"

#include "base/arena.h"

enum { OPERAND_ROOM = 96 };

/* --- Memory of a program ------------------------------------------------------------------------------------------- */

/* It is the reader's, as the program itself is: that does not outlive the work on its file. */
void *program_alloc(Program *pr, size_t size) {
    void *p = arena_alloc(pr->file->work, size);
    pr->no_memory |= p == NULL;
    return p;
}

static NOINLINE bool more_operands(Program *pr, size_t count) {
    size_t room = MAX(count, (size_t)OPERAND_ROOM);
    pr->operands = program_alloc(pr, room * sizeof *pr->operands);
    pr->operands_left = pr->operands == NULL ? 0 : room;
    if (pr->operands == NULL) {
        return false;
    }
    memset(pr->operands, 0, room * sizeof *pr->operands);
    return true;
}

static inline Operand *operands(Program *pr, size_t count) {
    if (UNLIKELY(pr->operands_left < count) && !more_operands(pr, count)) {
        return NULL;
    }
    Operand *a = pr->operands;
    pr->operands += count;
    pr->operands_left -= count;
    return a;
}

Operand *program_operands(Program *pr, size_t count) {
    return operands(pr, count);
}

static NOINLINE void grow(Program *pr) {
    uint32_t capacity = MAX(pr->file->op_count + 16, 2 * pr->capacity);
    Ins *grown = program_alloc(pr, capacity * sizeof *grown);
    if (grown != NULL) {
        if (pr->count > 0) {
            memcpy(grown, pr->ins, pr->count * sizeof *grown);
        }
        pr->ins = grown;
        pr->capacity = capacity;
    }
}

static inline Ins *add(Program *pr, uint16_t op, uint8_t count) {
    Ins *i = &pr->ins[pr->count++];
    *i = (Ins){.op = op, .count = count, .origin = pr->origin, .a = pr->operands};
    pr->operands += count;
    pr->operands_left -= count;
    return i;
}

static NOINLINE Ins *add_with_room(Program *pr, uint16_t op, uint8_t count) {
    if (pr->count >= pr->capacity) {
        grow(pr);
    }
    if (pr->no_memory || (pr->operands_left < count && !more_operands(pr, count))) {
        pr->lost = (Ins){.a = pr->lost_operands};
        memset(pr->lost_operands, 0, sizeof pr->lost_operands);
        return &pr->lost;
    }
    return add(pr, op, count);
}

Ins *program_add(Program *pr, uint16_t op, uint8_t count) {
    if (LIKELY(pr->count < pr->capacity && count <= pr->operands_left && !pr->no_memory)) {
        return add(pr, op, count);
    }
    return add_with_room(pr, op, count);
}

/* --- What is known of values --------------------------------------------------------------------------------------- */

static BeamType constant_type(term t) {
    BeamType k = {.types = TYPE_ANY};
    if (is_small(t)) {
        k = (BeamType){.types = TYPE_INTEGER, .has_min = true, .has_max = true, .min = small_value(t), .max = small_value(t)};
    } else if (is_atom(t)) {
        k.types = TYPE_ATOM;
    } else if (t == NIL) {
        k.types = TYPE_NIL;
    } else if (is_cons(t)) {
        k.types = TYPE_CONS;
    } else if (is_tuple(t)) {
        k.types = TYPE_TUPLE;
    } else if (is_map(t)) {
        k.types = TYPE_MAP;
    } else if (is_float(t)) {
        k.types = TYPE_FLOAT;
    } else if (is_integer(t)) {
        k.types = TYPE_INTEGER;
    }
    return k;
}

BeamType operand_type(const Program *pr, const Operand *o) {
    if (o->kind == OPERAND_TERM) {
        return constant_type(o->term);
    }
    return o->type < pr->file->type_count ? pr->file->types[o->type] : (BeamType){.types = TYPE_ANY};
}

bool operand_is_small(const Program *pr, const Operand *o) {
    BeamType t = operand_type(pr, o);
    return t.types == TYPE_INTEGER && t.has_min && t.has_max && t.min >= SMALL_MIN && t.max <= SMALL_MAX;
}
