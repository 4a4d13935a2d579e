/* Where the functions of a file on demand are: one pass over the Code chunk that looks at little more than the first byte of each
   operand. What it takes to be code is decoded and verified later, function by function; so it may be wrong about bytes that no
   compiler writes, but must not leave the chunk. */
#include "code/reader.h"
#include "term/atom.h"

enum { MAX_ARITY = 255, LONGEST_SMALL = 7 };

typedef struct {
    BeamFile *b;
    const uint8_t *start, *at, *end;
    uint32_t room;       /* of b->functions */
    uint32_t head;       /* offset of a label with nothing but line instructions behind it so far; 0: none */
} Scan;

/* By the low five bits of an operand's first byte: how long it is; 0: look closer. */
static const uint8_t operand_sizes[32] = {
    1, 1, 1, 1, 1, 1, 1, 0, 2, 2, 2, 2, 2, 2, 2, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};

/* An operand of this kind with a number of 32 bits. */
static bool number(Scan *s, unsigned tag, uint32_t *value) {
    LoadError error;
    Cursor c = {.at = s->at, .end = s->end, .start = s->start, .chunk = "Code", .error = &error};
    Compact v;
    if (s->at == s->end || (*s->at & 0xf8) == 0xf8 || !cursor_compact(&c, &v) || v.tag != tag || v.large || v.value > UINT32_MAX) {
        return false;
    }
    s->at = c.at;
    *value = (uint32_t)v.value;
    return true;
}

/* Passes an operand that is not short; how many more belong to it: -1: it is none of the usual form. */
static int64_t pass_long(Scan *s) {
    uint8_t byte = *s->at;
    uint32_t what, count = 0;
    if ((byte & 7) == COMPACT_Z) {
        if (!number(s, COMPACT_Z, &what)) {
            return -1;
        }
        switch (what) {
        case 1: return number(s, COMPACT_U, &count) ? (int64_t)count : -1;
        case 2: return 1;
        case 3: return number(s, COMPACT_U, &count) ? 2 * (int64_t)count : -1;
        case 4: return 1;
        case 5: return 2;
        default: return -1;
        }
    }
    size_t size = (size_t)(byte >> 5) + 2;
    if (size > ((byte & 7) == COMPACT_I ? LONGEST_SMALL : sizeof(uint32_t)) || size >= (size_t)(s->end - s->at)) {
        return -1; /* large integers make literals */
    }
    s->at += 1 + size;
    return 0;
}

static bool pass_operands(Scan *s, uint32_t count) {
    const uint8_t *at = s->at, *end = s->end;
    for (int64_t left = count; left > 0; left--) {
        if (at >= end) {
            return false;
        }
        uint8_t size = operand_sizes[*at & 31];
        at += size;
        if (size == 0) {
            s->at = at;
            int64_t more = pass_long(s);
            if (more < 0 || more > end - s->at) {
                return false;
            }
            at = s->at;
            left += more;
        }
    }
    s->at = at;
    return at < end;
}

static BeamFunction *new_function(Scan *s) {
    BeamFile *b = s->b;
    if (b->function_count + 1 >= s->room) { /* one more is the end */
        return NULL;
    }
    BeamFunction *f = &b->functions[b->function_count++];
    *f = (BeamFunction){.offset = s->head};
    return f;
}

/* Behind the opcode of func_info. */
static bool function_head(Scan *s) {
    const BeamFile *b = s->b;
    uint32_t module, name, label;
    BeamFunction *f = s->head == 0 ? NULL : new_function(s);
    if (f == NULL || !number(s, COMPACT_A, &module) || !number(s, COMPACT_A, &name) || !number(s, COMPACT_U, &f->arity) || name == 0 ||
        name > b->atom_count || module != 1 || f->arity > MAX_ARITY || s->at == s->end || *s->at++ != GEN_label || !number(s, COMPACT_U, &label)) {
        return false;
    }
    f->name = b->atoms[name];
    f->entry = label;
    s->head = 0;
    return true;
}

static bool scan(Scan *s) {
    uint32_t labels = 0;
    while (s->at < s->end) {
        uint32_t offset = (uint32_t)(s->at - s->start), label;
        uint8_t op = *s->at++;
        if (op >= GEN_COUNT || generic_shapes[op].name == NULL || op == GEN_on_load) {
            return false;
        }
        if (op == GEN_int_code_end) {
            s->b->functions[s->b->function_count].offset = offset;
            return labels + 1 == s->b->labels;
        }
        if (op == GEN_label) {
            if (!number(s, COMPACT_U, &label) || label != ++labels) {
                return false;
            }
            s->head = offset;
            continue;
        }
        if (op == GEN_func_info) {
            if (!function_head(s) || s->b->functions[s->b->function_count - 1].entry != ++labels) {
                return false;
            }
            continue;
        }
        if (s->b->function_count == 0 && op != GEN_line) {
            return false;
        }
        if (op != GEN_line) {
            s->head = 0;
        }
        if (!pass_operands(s, generic_shapes[op].arity)) {
            return false;
        }
    }
    return false;
}

bool code_scan(BeamFile *b) {
    Bytes code = b->chunks[CHUNK_CODE];
    if (code.size < 20 || code.size > UINT32_MAX) {
        return false;
    }
    uint32_t head = read_be32(code.at), format = read_be32(code.at + 4), functions = read_be32(code.at + 16);
    b->max_opcode = read_be32(code.at + 8);
    b->labels = read_be32(code.at + 12);
    if (head < 16 || head > code.size - 4 || format != 0 || b->max_opcode >= GEN_COUNT || b->labels > code.size / 2 + 1 || functions > code.size) {
        return false;
    }
    Scan s = {.b = b, .start = code.at, .at = code.at + 4 + head, .end = code.at + code.size, .room = functions + 1};
    b->functions = ARENA_ARRAY(b->arena, BeamFunction, s.room);
    return b->functions != NULL && scan(&s) && b->function_count == functions;
}
