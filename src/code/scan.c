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

/* By an operand's first byte: how long it is (0: look closer), and how many more operands are part of it. */
#define EIGHT(f, at) f(at), f(at + 1), f(at + 2), f(at + 3), f(at + 4), f(at + 5), f(at + 6), f(at + 7)
#define ALL(f) EIGHT(f, 0), EIGHT(f, 8), EIGHT(f, 16), EIGHT(f, 24), EIGHT(f, 32), EIGHT(f, 40), EIGHT(f, 48), EIGHT(f, 56), \
               EIGHT(f, 64), EIGHT(f, 72), EIGHT(f, 80), EIGHT(f, 88), EIGHT(f, 96), EIGHT(f, 104), EIGHT(f, 112), EIGHT(f, 120), \
               EIGHT(f, 128), EIGHT(f, 136), EIGHT(f, 144), EIGHT(f, 152), EIGHT(f, 160), EIGHT(f, 168), EIGHT(f, 176), EIGHT(f, 184), \
               EIGHT(f, 192), EIGHT(f, 200), EIGHT(f, 208), EIGHT(f, 216), EIGHT(f, 224), EIGHT(f, 232), EIGHT(f, 240), EIGHT(f, 248)
enum { EXTENDED_LIST = 0x17, EXTENDED_FLOAT = 0x27, EXTENDED_ALLOC = 0x37, EXTENDED_LITERAL = 0x47, EXTENDED_TYPED = 0x57 };
#define INNER(byte) ((byte) == EXTENDED_TYPED ? 2 : (byte) == EXTENDED_LITERAL || (byte) == EXTENDED_FLOAT ? 1 : 0)
#define SIZE(byte) (((byte) & 7) == COMPACT_Z ? INNER(byte) != 0 : ((byte) & 0x18) == 0x18 ? 0 : ((byte) & 8) == 0 ? 1 : 2)
static const uint8_t operand_sizes[256] = {ALL(SIZE)}, operand_inner[256] = {ALL(INNER)};

/* An operand of this kind with a number of 32 bits. */
static NOINLINE bool long_number(Scan *s, unsigned tag, uint32_t *value) {
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

static inline bool number(Scan *s, unsigned tag, uint32_t *value) {
    const uint8_t *at = s->at;
    if (LIKELY(s->end - at >= 2)) {
        if ((at[0] & 15) == tag) {
            *value = at[0] >> 4;
            s->at = at + 1;
            return true;
        }
        if ((at[0] & 31) == (tag | 8)) {
            *value = (at[0] & 0xe0u) << 3 | at[1];
            s->at = at + 2;
            return true;
        }
    }
    return long_number(s, tag, value);
}

/* Passes an operand that is not short; how many more are part of it; -1: it is not of the usual form. */
static int64_t pass_long(Scan *s) {
    uint8_t byte = *s->at;
    uint32_t count;
    if ((byte & 7) == COMPACT_Z) {
        s->at++;
        return (byte != EXTENDED_LIST && byte != EXTENDED_ALLOC) || !number(s, COMPACT_U, &count) ? -1 : byte == EXTENDED_LIST ? (int64_t)count : 2 * (int64_t)count;
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
        uint8_t byte = *at, size = operand_sizes[byte];
        at += size;
        left += operand_inner[byte];
        if (UNLIKELY(size == 0)) {
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
