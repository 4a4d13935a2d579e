/* The Code chunk: from compact operands to an array of instructions whose operands are all of the kinds that generic.tab
   says, and whose indices are all in range. */
#include "code/reader.h"
#include "data/integer.h"
#include "term/atom.h"

#include "gen/generic.inc"

enum { MAX_REGISTERS = 1024, ARG_ROOM = 16 };

/* Which kinds of operand a letter of generic.tab stands for. */
#define K(kind) (1u << (kind))
#define REGISTER (K(ARG_X) | K(ARG_Y))
#define CONSTANT (K(ARG_TERM) | K(ARG_LITERAL))
#define MORE 0x8000u /* there is more to be checked: check_more */
// clang-format off
static const uint16_t letter_kinds[128] = {
    ['s'] = REGISTER | CONSTANT, ['r'] = REGISTER, ['d'] = REGISTER, ['y'] = K(ARG_Y), ['k'] = CONSTANT, ['a'] = K(ARG_TERM) | MORE,
    ['t'] = CONSTANT | MORE, ['w'] = K(ARG_F), ['W'] = K(ARG_F), ['G'] = K(ARG_F) | REGISTER | CONSTANT, ['D'] = K(ARG_F) | REGISTER,
    ['L'] = K(ARG_NUMBER) | MORE, ['j'] = K(ARG_LABEL) | MORE, ['p'] = K(ARG_LABEL) | MORE, ['f'] = K(ARG_LABEL), ['q'] = K(ARG_LABEL) | K(ARG_TERM) | MORE,
    ['n'] = K(ARG_NUMBER), ['u'] = K(ARG_NUMBER) | CONSTANT, ['o'] = K(ARG_NUMBER), ['S'] = K(ARG_NUMBER) | REGISTER, ['z'] = K(ARG_NUMBER) | K(ARG_TERM) | MORE,
    ['h'] = K(ARG_NUMBER) | K(ARG_HEAP) | MORE, ['v'] = K(ARG_NUMBER) | MORE, ['i'] = K(ARG_NUMBER) | MORE, ['b'] = K(ARG_NUMBER) | MORE,
    ['l'] = K(ARG_NUMBER) | MORE, ['['] = K(ARG_LIST), ['T'] = REGISTER | CONSTANT, ['C'] = REGISTER | CONSTANT, ['M'] = REGISTER | CONSTANT,
    ['Q'] = REGISTER, ['*'] = 0x7fff & ~K(ARG_LIST) & ~K(ARG_HEAP),
};
// clang-format on

typedef struct {
    Loading *l;
    Cursor *c;
    Arg *at, *end;      /* room for operands */
    uint32_t op;        /* index of the instruction */
    uint32_t limits[8]; /* of each tag: values from here on are left to long_operand */
    const AtomNumber *atoms;
} Decoder;

static Arg *args_reserve(Decoder *d, size_t count) {
    if ((size_t)(d->end - d->at) < count) {
        size_t room = MAX(count, (size_t)256);
        d->at = arena_alloc(d->l->b->work, room * sizeof(Arg));
        d->end = d->at == NULL ? NULL : d->at + room;
    }
    return d->at;
}

/* Remembers an operand whose term is literal a->value. */
static bool fix_later(Loading *l, Arg *a) {
    if (l->fix_count == l->fix_room) {
        size_t room = 2 * l->fix_room + 64;
        Arg **more = mem_resize(&l->b->vm->mem, MEM_TEMPORARY, l->fixes, l->fix_room * sizeof(Arg *), room * sizeof(Arg *));
        if (more == NULL) {
            return load_no_memory(l->error);
        }
        l->fixes = more;
        l->fix_room = room;
    }
    l->fixes[l->fix_count++] = a;
    return true;
}

term loading_integer(Loading *l, const Compact *v) {
    if (v->large) {
        return integer_from_bytes(&l->heap, v->bytes, 8 * v->size, INTEGER_SIGNED);
    }
    return integer_from_int64(&l->heap, v->value);
}

static bool integer_operand(Decoder *d, const Compact *v, Arg *a) {
    if (!v->large && v->value >= SMALL_MIN && v->value <= SMALL_MAX) {
        a->kind = ARG_TERM;
        a->term = SMALL(v->value);
        return true;
    }
    term t = loading_integer(d->l, v);
    if (t != NONE && is_small(t)) {
        a->kind = ARG_TERM;
        a->term = t;
        return true;
    }
    a->kind = ARG_LITERAL;
    if (d->l->b->chunks != NULL) {
        a->term = t == NONE ? NONE : beam_keep(d->l->b, t);
        return a->term != NONE || load_no_memory(d->l->error);
    }
    a->value = t == NONE ? UINT32_MAX : loading_literal(d->l, t);
    return a->value == UINT32_MAX ? load_no_memory(d->l->error) : fix_later(d->l, a);
}

/* {alloc, [{words, W}, {floats, F}, {funs, N}]} as (0, W), (1, F), (2, N). */
static bool heap_operand(Cursor *c, Arg *a) {
    uint32_t pairs, what, count;
    if (!cursor_number(c, &pairs)) {
        return false;
    }
    a->kind = ARG_HEAP;
    for (uint32_t i = 0; i < pairs; i++) {
        if (!cursor_number(c, &what) || !cursor_number(c, &count)) {
            return false;
        }
        if (what > 2 || pairs > 3 || count > (what == 0 ? 0xffffff : 0xffff)) {
            return CURSOR_FAIL(c, "an allocation list that makes no sense");
        }
        if (what == 0) {
            a->value = count;
        } else if (what == 1) {
            a->floats = (uint16_t)count;
        } else {
            a->funs = (uint16_t)count;
        }
    }
    return true;
}

static bool register_operand(Cursor *c, const Compact *v, uint32_t limit, Arg *a) {
    a->kind = v->tag == COMPACT_X ? ARG_X : v->tag == COMPACT_Y ? ARG_Y : ARG_F;
    a->value = (uint32_t)v->value;
    return (!v->large && v->value < limit) || CURSOR_FAIL(c, "register %lld does not exist", (long long)v->value);
}

/* A number of one byte or two: the usual case of cursor_number. */
static inline bool short_number(Cursor *c, uint32_t *n) {
    if (cursor_left(c) < 2 || (c->at[0] & 7) != COMPACT_U || (c->at[0] & 0x18) == 0x18) {
        return false;
    }
    bool two = c->at[0] & 8;
    *n = two ? (c->at[0] & 0xe0u) << 3 | c->at[1] : c->at[0] >> 4;
    c->at += two ? 2 : 1;
    return true;
}

/* Extended operands; a list is left to list_operand, which sees kind ARG_LIST and its number of elements. */
static bool extended_operand(Decoder *d, const Compact *v, Arg *a) {
    Cursor *c = d->c;
    BeamFile *b = d->l->b;
    uint32_t n;
    Compact inner;
    switch (v->large ? -1 : (int)MIN(v->value, 99)) {
    case 1: a->kind = ARG_LIST; return short_number(c, &a->value) || cursor_number(c, &a->value);
    case 2:
        if (!cursor_number(c, &n)) {
            return false;
        }
        inner = (Compact){.tag = COMPACT_U, .value = n};
        return register_operand(c, &inner, MAX_REGISTERS, a);
    case 3: return heap_operand(c, a);
    case 4:
        if (!short_number(c, &n) && !cursor_number(c, &n)) {
            return false;
        }
        a->kind = ARG_LITERAL;
        a->value = n;
        if (b->chunks != NULL) {
            a->term = loading_literal_at(d->l, n);
            return a->term != NONE;
        }
        return n < d->l->file_literals ? fix_later(d->l, a) : CURSOR_FAIL(c, "literal %u of %u", n, d->l->file_literals);
    case 5:
        if (!cursor_compact(c, &inner) || !cursor_number(c, &n)) {
            return false;
        }
        if (inner.tag != COMPACT_X && inner.tag != COMPACT_Y) {
            return CURSOR_FAIL(c, "a type is given for what is no register");
        }
        /* Without a table (stripped, or of a version that is not known) types mean nothing. */
        if (b->type_count > 1 && n >= b->type_count) {
            return CURSOR_FAIL(c, "type %u of %u", n, b->type_count);
        }
        a->type = b->type_count > 1 && n <= UINT16_MAX ? (uint16_t)n : 0;
        return register_operand(c, &inner, MAX_REGISTERS, a);
    default: return CURSOR_FAIL(c, "an operand of an unknown kind");
    }
}

static bool long_operand(Decoder *d, Arg *a) {
    Cursor *c = d->c;
    BeamFile *b = d->l->b;
    Compact v;
    if (!cursor_compact(c, &v)) {
        return false;
    }
    switch (v.tag) {
    case COMPACT_U:
        if (v.large || v.value > UINT32_MAX) { /* the size of a huge segment: an integer then */
            return integer_operand(d, &v, a);
        }
        a->kind = ARG_NUMBER;
        a->value = (uint32_t)v.value;
        return true;
    case COMPACT_I: return integer_operand(d, &v, a);
    case COMPACT_A:
        if (v.large || v.value > b->atom_count) {
            return CURSOR_FAIL(c, "atom %lld of %u", (long long)v.value, b->atom_count);
        }
        a->kind = ARG_TERM;
        a->term = v.value == 0 ? NIL : b->atoms[v.value];
        return true;
    case COMPACT_X:
    case COMPACT_Y: return register_operand(c, &v, MAX_REGISTERS, a);
    case COMPACT_F:
        if (v.large || v.value >= b->labels) {
            return CURSOR_FAIL(c, "label %lld of %u", (long long)v.value, b->labels);
        }
        a->kind = ARG_LABEL;
        a->value = (uint32_t)v.value;
        return true;
    case COMPACT_Z: return extended_operand(d, &v, a);
    default: return CURSOR_FAIL(c, "an operand of an unknown kind");
    }
}

static NOINLINE bool operand_at(Decoder *d, const uint8_t **at, Arg *a) {
    d->c->at = *at;
    *a = (Arg){0};
    bool ok = long_operand(d, a);
    *at = d->c->at;
    return ok;
}

/* Most operands take one byte or two: those are decoded here, the others in long_operand. */
static inline bool operand(Decoder *d, const uint8_t **at, const uint8_t *end, Arg *a) {
    static const uint8_t kinds[8] = {[COMPACT_U] = ARG_NUMBER, [COMPACT_I] = ARG_TERM, [COMPACT_A] = ARG_TERM,
                                     [COMPACT_X] = ARG_X,      [COMPACT_Y] = ARG_Y,    [COMPACT_F] = ARG_LABEL};
    const uint8_t *p = *at;
    if (UNLIKELY(end - p < 2)) {
        return operand_at(d, at, a);
    }
    uint32_t byte = p[0], tag = byte & 7, two = byte >> 3 & 1, value = two ? (byte & 0xe0) << 3 | p[1] : byte >> 4;
    if (UNLIKELY(((byte & 0x18) == 0x18) | (value >= d->limits[tag]))) {
        return operand_at(d, at, a);
    }
    *at = p + 1 + two;
    a->kind = kinds[tag];
    a->type = 0;
    a->value = value;
    a->term = tag == COMPACT_I ? SMALL(value) : tag == COMPACT_A ? d->atoms[value] : 0;
    return true;
}

static COLD bool wrong_operand(Decoder *d, const GenericShape *shape, char letter, uint32_t number) {
    return CURSOR_FAIL(d->c, "%s: operand %u is not of the kind %c", shape->name, number + 1, letter);
}

/* Checks what a letter says beyond the operand's kind. */
static NOINLINE bool check_more(Decoder *d, const GenericShape *shape, char letter, uint32_t number, Arg *a) {
    const BeamFile *b = d->l->b;
    bool ok = true;
    switch (letter) {
    case 'L': ok = a->value > 0 && a->value < b->labels; break;
    case 'j':
    case 'p': ok = a->value != 0; break;
    case 'a': ok = is_atom(a->term); break;
    case 't': ok = a->kind == ARG_LITERAL || is_atom(a->term); break;
    case 'q': ok = a->kind == ARG_LABEL || a->term == A_no_fail || a->term == A_resume; break;
    case 'z': ok = a->kind == ARG_NUMBER || a->term == A_start; break;
    case 'h':
        a->kind = ARG_HEAP;
        ok = a->value <= 0xffffff;
        break;
    case 'v': ok = a->value <= MAX_REGISTERS; break;
    case 'i':
    case 'b': ok = a->value < b->import_count; break;
    case 'l': ok = a->value < b->lambda_count; break;
    default: break;
    }
    return LIKELY(ok) || CURSOR_FAIL(d->c, "%s: operand %u is out of range", shape->name, number + 1);
}

/* Checks an operand, which ends at `at`, against the letter of generic.tab. */
static inline bool check_operand(Decoder *d, const GenericShape *shape, char letter, uint32_t number, Arg *a, const uint8_t *at) {
    uint32_t kinds = letter_kinds[(uint8_t)letter];
    if (LIKELY((kinds >> a->kind & 1) != 0 && (kinds & MORE) == 0)) {
        return true;
    }
    d->c->at = at;
    return (kinds >> a->kind & 1) == 0 ? wrong_operand(d, shape, letter, number) : check_more(d, shape, letter, number, a);
}

static bool list_operand(Decoder *d, const GenericShape *shape, Arg *list) {
    Cursor *c = d->c;
    uint32_t count = list->value, group = (uint32_t)strlen(shape->group), place = 0;
    if (count > cursor_left(c)) {
        return CURSOR_FAIL(c, "a list of %u elements does not fit into it", count);
    }
    if (count % group != 0) {
        return CURSOR_FAIL(c, "%s: a list of %u elements", shape->name, count);
    }
    Arg *a = args_reserve(d, count);
    if (a == NULL) {
        return load_no_memory(d->l->error);
    }
    list->list = a;
    d->at = a + count;
    for (uint32_t i = 0; i < count; i++, a++) {
        if (!operand(d, &c->at, c->end, a) || !check_operand(d, shape, shape->group[place], i, a, c->at)) {
            return false;
        }
        place = place + 1 == group ? 0 : place + 1;
    }
    return true;
}

static NOINLINE bool more_ops(Decoder *d) {
    BeamFile *b = d->l->b;
    size_t room = b->op_room + b->op_room / 2 + 64;
    GenericOp *more = arena_alloc(b->work, room * sizeof *more);
    if (more == NULL) {
        return false;
    }
    memcpy(more, b->ops, d->op * sizeof *more);
    b->ops = more;
    b->op_room = room;
    return true;
}

static inline GenericOp *op_new(Decoder *d) {
    return UNLIKELY(d->op == d->l->b->op_room) && !more_ops(d) ? NULL : &d->l->b->ops[d->op];
}

/* Decodes one instruction. */
static bool instruction(Decoder *d) {
    Cursor *c = d->c;
    if (c->at == c->end) {
        return CURSOR_FAIL(c, "the code does not end with int_code_end");
    }
    GenericOp *op = op_new(d);
    Arg *a = op == NULL ? NULL : args_reserve(d, ARG_ROOM);
    if (a == NULL) {
        return load_no_memory(d->l->error);
    }
    uint8_t number = *c->at;
    const GenericShape *shape = &generic_shapes[number < GEN_COUNT ? number : 0];
    if (UNLIKELY(shape->name == NULL)) {
        return CURSOR_FAIL(c, "there is no instruction %u", number);
    }
    op->op = number, op->count = shape->arity, op->flags = OP_DEAD;
    op->offset = (uint32_t)(c->at - c->start);
    op->arg = a;
    c->at++;
    d->at = a + shape->arity;
    const char *letters = shape->operands;
    const uint8_t *at = c->at, *end = c->end;
    for (uint32_t i = 0; letters[i] != '\0'; i++, a++) {
        if (!operand(d, &at, end, a) || !check_operand(d, shape, letters[i], i, a, at)) {
            return false;
        }
        if (letters[i] == '[') {
            c->at = at;
            if (!list_operand(d, shape, a)) {
                return false;
            }
            at = c->at;
        }
    }
    c->at = at;
    return true;
}

static bool define_label(Decoder *d, uint32_t label) {
    BeamFile *b = d->l->b;
    if (b->label_op[label] != UINT32_MAX) {
        return CURSOR_FAIL(d->c, "label %u is there twice", label);
    }
    b->label_op[label] = d->op;
    return true;
}

/* A function begins: label, perhaps line, func_info, entry label. The first three are there. */
static bool function_head(Decoder *d) {
    BeamFile *b = d->l->b;
    const GenericOp *info = &b->ops[d->op];
    uint32_t first = d->op;
    while (first > 0 && b->ops[first - 1].op == GEN_line) {
        first--;
    }
    if (first == 0 || b->ops[first - 1].op != GEN_label || info->arg[2].value > 255) {
        return CURSOR_FAIL(d->c, "a function without a proper head");
    }
    size_t n = b->function_count;
    if ((n & (n - 1)) == 0 && (n >= 32 || n == 0)) { /* a power of two: full */
        BeamFunction *more = arena_alloc(b->arena, (n == 0 ? 32 : 2 * n) * sizeof *more);
        if (more == NULL) {
            return load_no_memory(d->l->error);
        }
        if (n > 0) {
            memcpy(more, b->functions, n * sizeof *more);
        }
        b->functions = more;
    }
    if (n > 0) {
        b->functions[n - 1].end = first - 1;
    } else if (first != 1) {
        return CURSOR_FAIL(d->c, "there is code before the first function");
    }
    b->functions[n] = (BeamFunction){.name = info->arg[1].term, .arity = info->arg[2].value, .first = first - 1};
    b->function_count++;
    return true;
}

static bool all_instructions(Decoder *d) {
    BeamFile *b = d->l->b;
    uint8_t before = 0;
    for (;; d->op++) {
        if (!instruction(d)) {
            return false;
        }
        GenericOp *op = &b->ops[d->op];
        if (before == GEN_func_info && op->op != GEN_label) {
            return CURSOR_FAIL(d->c, "func_info is not followed by the function's entry label");
        }
        switch (op->op) {
        case GEN_label:
            if (!define_label(d, op->arg[0].value)) {
                return false;
            }
            if (before == GEN_func_info) {
                b->functions[b->function_count - 1].entry = op->arg[0].value;
                b->label_function[op->arg[0].value] = b->function_count;
            }
            break;
        case GEN_func_info:
            if (!function_head(d)) {
                return false;
            }
            break;
        case GEN_on_load:
            if (b->function_count == 0) {
                return CURSOR_FAIL(d->c, "there is code before the first function");
            }
            b->on_load_label = b->functions[b->function_count - 1].entry;
            break;
        case GEN_int_code_end:
            b->op_count = d->op + 1;
            if (b->function_count > 0) {
                b->functions[b->function_count - 1].end = d->op;
            } else if (d->op > 0) {
                return CURSOR_FAIL(d->c, "there is code before the first function");
            }
            return true;
        default: break;
        }
        before = op->op;
    }
}

static Decoder decoder(Loading *l, Cursor *c) {
    const BeamFile *b = l->b;
    // clang-format off
    return (Decoder){.l = l, .c = c, .atoms = b->atoms, .limits = {[COMPACT_U] = 2048, [COMPACT_I] = 2048, [COMPACT_A] = b->atom_count + 1,
                     [COMPACT_X] = MAX_REGISTERS, [COMPACT_Y] = MAX_REGISTERS, [COMPACT_F] = b->labels}};
    // clang-format on
}

bool code_decode_function(Loading *l, uint32_t index) {
    BeamFile *b = l->b;
    BeamFunction *f = &b->functions[index];
    Bytes code = b->chunks[CHUNK_CODE];
    Cursor c = {code.at, code.at + f[0].offset, code.at + f[1].offset, "Code", l->error};
    b->label_op = arena_alloc(b->work, (size_t)b->labels * sizeof(uint32_t));
    b->op_room = (f[1].offset - f[0].offset) / 3 + 16;
    b->ops = arena_alloc(b->work, b->op_room * sizeof *b->ops);
    if (b->label_op == NULL || b->ops == NULL) {
        return load_no_memory(l->error);
    }
    memset(b->label_op, 0xff, (size_t)b->labels * sizeof(uint32_t));
    Decoder d = decoder(l, &c);
    for (; c.at < c.end; d.op++) {
        if (!instruction(&d)) {
            return false;
        }
        const GenericOp *op = &b->ops[d.op];
        switch (op->op) {
        case GEN_label:
            if (!define_label(&d, op->arg[0].value)) {
                return false;
            }
            break;
        case GEN_func_info:
            if (d.op <= 2) { /* the head has been looked at */
                break;
            }
            /* fallthrough */
        case GEN_on_load:
        case GEN_int_code_end: return CURSOR_FAIL(&c, "%s inside a function", generic_shapes[op->op].name);
        default: break;
        }
    }
    GenericOp *end = op_new(&d); /* whoever looks ahead finds an end */
    if (end == NULL) {
        return load_no_memory(l->error);
    }
    *end = (GenericOp){.op = GEN_int_code_end, .flags = OP_DEAD, .offset = f[1].offset};
    f->first = 0;
    f->end = b->op_count = d.op;
    return true;
}

bool code_decode(Loading *l, Cursor *c) {
    BeamFile *b = l->b;
    uint32_t head, format, functions;
    if (!cursor_u32(c, &head) || !cursor_u32(c, &format) || !cursor_u32(c, &b->max_opcode) || !cursor_u32(c, &b->labels) ||
        !cursor_u32(c, &functions)) {
        return false;
    }
    if (head < 16 || head - 16 > cursor_left(c) || format != 0) {
        c->at = c->start;
        return CURSOR_FAIL(c, "its head is not one of instruction set 0");
    }
    c->at += head - 16;
    if (b->max_opcode >= GEN_COUNT) {
        return CURSOR_FAIL(c, "its instructions are of a later release (up to number %u)", b->max_opcode);
    }
    /* Every label takes two bytes of code or more, every instruction one. */
    size_t size = cursor_left(c);
    if (b->labels > size / 2 + 1 || functions > size || size > UINT32_MAX) {
        c->at = c->start;
        return CURSOR_FAIL(c, "%u labels and %u functions do not fit into it", b->labels, functions);
    }
    if (functions == 0) {
        return CURSOR_FAIL(c, "it has no functions");
    }
    b->label_op = arena_alloc(b->arena, (size_t)b->labels * sizeof(uint32_t));
    b->label_function = ARENA_ARRAY(b->arena, uint32_t, b->labels);
    b->op_room = size / 4 + 16; /* enough for nearly all compilers' code */
    b->ops = arena_alloc(b->arena, b->op_room * sizeof *b->ops);
    if (b->label_op == NULL || b->label_function == NULL || b->ops == NULL) {
        return load_no_memory(l->error);
    }
    memset(b->label_op, 0xff, (size_t)b->labels * sizeof(uint32_t));
    Decoder d = decoder(l, c);
    if (!all_instructions(&d)) {
        return false;
    }
    if (functions != b->function_count) {
        return CURSOR_FAIL(c, "%u functions where its head says %u", b->function_count, functions);
    }
    return true;
}
