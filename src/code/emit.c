/* Lays out rewritten instructions as units of the interpreter. */
#include "code/emit.h"

#include "code/code.h"
#include "code/demand.h"
#include "term/atom.h"

/* The letters that the interpreter has variants for, of one operand. */
typedef struct {
    uint8_t count;
    char letters[4];
    uint8_t index[32]; /* by OperandKind & 31: which of them stands for it, counted from 1; 0: none */
} OperandForms;
/* What the generator knows of an instruction. */
typedef struct {
    uint8_t count; /* operands */
    bool interpreted;
    uint16_t first; /* its first variant */
    uint16_t forms; /* in operand_forms: for each operand the number of its forms */
    uint16_t name;  /* in op_names */
} OpInfo;
/* A fused instruction: a chain of others, read by the interpreter only. Operands are numbered by their first mention. */
typedef struct {
    uint16_t op; /* the fused one */
    uint8_t parts;
    struct {
        uint16_t op;
        uint8_t count;
        uint8_t a[8]; /* which of the fused one's operands each of its operands is */
    } part[4];
} Fusion;

#include "gen/ops.inc"

const char *op_name(unsigned op) {
    return op_names + op_infos[op].name;
}

unsigned op_operands(unsigned op) {
    return op_infos[op].count;
}

bool op_is_interpreted(unsigned op) {
    return op_infos[op].interpreted;
}

static inline const OperandForms *forms_of(const OpInfo *info, unsigned operand) {
    return &forms[operand_forms[info->forms + operand]];
}

enum { NO_FORM };
/* Which of an operand's forms stands for a value, counted from 1; NO_FORM: none. */
static inline unsigned form_of(const OpInfo *info, unsigned operand, const Operand *o) {
    return forms_of(info, operand)->index[o->kind & 31];
}

/* --- Fusing -------------------------------------------------------------------------------------------------------- */

static bool same_operand(const Operand *a, const Operand *b) {
    if (a->kind != b->kind || a->index != b->index || a->kind == OPERAND_LIST) {
        return false;
    }
    return a->kind == OPERAND_X || a->kind == OPERAND_Y || a->kind == OPERAND_FLOAT || a->number == b->number;
}

/* The fused instruction that the ones at `ins` make; false: none of this kind. */
static bool try_fusion(Program *pr, const Fusion *f, const Ins *ins, const Ins *end, Ins *fused) {
    if ((size_t)(end - ins) < f->parts || (f->parts > 2 && ins[2].op != f->part[2].op) || (f->parts > 3 && ins[3].op != f->part[3].op)) {
        return false;
    }
    const OpInfo *info = &op_infos[f->op];
    Operand a[16];
    uint32_t bound = 0;
    for (unsigned p = 0; p < f->parts; p++) {
        for (unsigned k = 0; k < f->part[p].count; k++) {
            unsigned to = f->part[p].a[k];
            const Operand *o = &ins[p].a[k];
            if (bound >> to & 1 ? !same_operand(&a[to], o) : form_of(info, to, o) == NO_FORM) {
                return false;
            }
            a[to] = *o;
            bound |= 1u << to;
        }
    }
    Operand *operands = program_alloc(pr, MAX(info->count, 1u) * sizeof *operands);
    if (operands == NULL) {
        return false;
    }
    for (unsigned k = 0; k < info->count; k++) {
        operands[k] = a[k];
    }
    *fused = (Ins){.op = f->op, .count = info->count, .origin = ins[f->parts - 1].origin, .a = operands};
    return true;
}

Ins *program_fuse(Program *pr, uint32_t *count) {
    Ins *to = pr->vm->code->native == NULL ? pr->ins : program_alloc(pr, MAX(pr->count, 1u) * sizeof *to);
    if (to == NULL) {
        return NULL;
    }
    uint32_t n = 0;
    for (const Ins *i = pr->ins, *end = pr->ins + pr->count; i < end; n++) {
        const Fusion *f = fusions + first_fusion[i->op], *last = i + 1 == end ? f : fusions + first_fusion[i->op + 1];
        while (f < last && (f->part[1].op != i[1].op || !try_fusion(pr, f, i, end, &to[n]))) {
            f++;
        }
        if (f == last) {
            to[n] = *i++;
        } else {
            i += f->parts;
        }
    }
    *count = n;
    return to;
}

/* --- Layout -------------------------------------------------------------------------------------------------------- */

typedef struct {
    Program *pr;
    VM *vm;
    Ins *ins;
    uint32_t count;
    uint32_t *label_at; /* index in `start` of each label that has been passed */
    uint32_t
        *fixes; /* indices in `start` of units that hold a label's number so far; FIX_HANDLER: a catch mark, whose handler's code does */
    uint32_t fix_count;
    CodeLine *function_lines; /* of the function that is emitted now */
    uint32_t function_line_count;
    Unit *start; /* of the program in its segment */
    /* At most: */
    size_t units, operands;
    uint32_t functions, lines;
} Layout;

#define FIX_HANDLER 0x80000000u
enum {
    PIECE_UNITS = sizeof(CodePiece) / sizeof(Unit),
    LINE_UNITS = sizeof(CodeLine) / sizeof(Unit),
    FIRST_SEGMENT = 128,
    LARGEST_SEGMENT = 4096, /* units, of code on demand */
};

/* A function begins with the label in front of its func_info. */
static bool begins_function(const Layout *l, uint32_t n) {
    do {
        n++;
    } while (n < l->count && l->ins[n].op == OP_line);
    return n < l->count && l->ins[n].op == OP_func_info;
}

static void measure(Layout *l) {
    size_t operands = 0, handlers = 0;
    for (const Ins *i = l->ins, *end = i + l->count; i < end; i++) {
        if (op_infos[i->op].interpreted) {
            handlers++;
            operands += i->count;
            l->functions += i->op == OP_func_info;
            if (i->count > 0 && i->a[i->count - 1].kind == OPERAND_LIST) {
                operands += i->a[i->count - 1].index;
            }
        } else {
            l->lines += i->op == OP_line;
        }
    }
    l->operands = operands;
    l->units = operands + handlers + LINE_UNITS * l->lines + l->functions;
}

static Unit fix(Layout *l, const Unit *at, uint32_t label) {
    l->fixes[l->fix_count++] = (uint32_t)(at - l->start);
    return label;
}

static Unit handler_of(Layout *l, const Unit *at, const Operand *o) {
    catch_handler(l->vm, (uint32_t)o->number)->code = (const Unit *)(uintptr_t)o->index;
    l->fixes[l->fix_count++] = (uint32_t)(at - l->start) | FIX_HANDLER;
    return o->number;
}

/* A call of a function that may not be emitted yet: then it leads to its stub, and is remembered. */
static Unit call_of(Layout *l, Unit *at, uint32_t label) {
    if (l->pr->file->label_op[label] != UINT32_MAX) {
        return fix(l, at, label);
    }
    ModuleCode *code = l->pr->code;
    Function *f = emit_function(code, label);
    if (!f->emitted) {
        demand_call_site(l->vm, f, at);
    }
    return (Unit)f->code;
}

/* Registers are byte offsets; what is told apart at run time has bit 2 set for y. */
static inline Unit unit_of(Layout *l, Unit *at, char letter, const Operand *o) {
    switch (o->kind) {
    case OPERAND_X: return o->index * sizeof(term);
    case OPERAND_Y: return o->index * sizeof(term) + (letter == 'y' ? 0 : 4);
    case OPERAND_FLOAT: return o->index * sizeof(double);
    case OPERAND_LABEL: return fix(l, at, o->index);
    case OPERAND_CALL: return call_of(l, at, o->index);
    case OPERAND_HANDLER: return handler_of(l, at, o);
    case OPERAND_LIST: return o->index;
    default: return o->number; /* and term, and pointer */
    }
}

static Unit *lay_out(Layout *l, Unit *at, const Ins *i) {
    const OpInfo *info = &op_infos[i->op];
    unsigned variant = 0;
    Unit *handler = at++;
    assert(info->count == i->count);
    const uint8_t *form_at = operand_forms + info->forms;
    for (const Operand *o = i->a, *end = o + i->count; o < end; o++) {
        const OperandForms *f = &forms[*form_at++];
        unsigned form = f->index[o->kind & 31];
        assert(form != NO_FORM);
        variant = variant * f->count + form - 1;
        char letter = f->letters[form - 1];
        if (letter == 'N' || letter == 'j') { /* what is in the handler, and a label that is none, take no unit */
            continue;
        }
        *at = unit_of(l, at, letter, o);
        at++;
        if (UNLIKELY(letter == 'l')) {
            for (uint32_t n = 0; n < o->index; n++, at++) {
                *at = unit_of(l, at, 's', &o->list[n]);
            }
        }
    }
    *handler = l->vm->handlers[info->first + variant];
    return at;
}

static Unit *end_function(Layout *l, Unit *at) {
    memcpy(at, l->function_lines, l->function_line_count * sizeof *l->function_lines);
    at += LINE_UNITS * l->function_line_count;
    *at = l->function_line_count;
    l->function_line_count = 0;
    return at + 1;
}

/* All labels have been passed. */
static void fix_labels(const Layout *l) {
    for (const uint32_t *f = l->fixes, *end = f + l->fix_count; f < end; f++) {
        Unit *at = l->start + (*f & ~FIX_HANDLER);
        if (*f & FIX_HANDLER) {
            uint32_t number = (uint32_t)*at;
            CatchHandler *h = catch_handler(l->vm, number);
            h->code = l->start + l->label_at[(uintptr_t)h->code];
            *at = make_catch(number);
        } else {
            *at = (Unit)(l->start + l->label_at[*at]);
        }
    }
}

static void emit(Layout *l, CodeSegment *s) {
    ModuleCode *code = l->pr->code;
    Unit *at = l->start;
    uint32_t function = l->pr->first_function;
    for (uint32_t n = 0; n < l->count; n++) {
        const Ins *i = &l->ins[n];
        if (i->op == OP_label) {
            if (begins_function(l, n)) {
                if (function > l->pr->first_function) {
                    at = end_function(l, at);
                }
                ((CodePiece *)(s->units + s->room))[-1 - (ptrdiff_t)s->piece_count] = (CodePiece){(uint32_t)(at - s->units), function++};
                __atomic_store_n(&s->piece_count, s->piece_count + 1, __ATOMIC_RELEASE);
            }
            l->label_at[i->a[0].index] = (uint32_t)(at - l->start);
        } else if (i->op == OP_line) {
            l->function_lines[l->function_line_count++] = (CodeLine){(uint32_t)(at - s->units), (uint32_t)i->a[0].number};
        } else if (op_infos[i->op].interpreted) {
            at = lay_out(l, at, i);
            if (i->op == OP_func_info) {
                Function *f = &code->functions[function - 1];
                f->emitted = true;
                f->code = at;
            }
        }
    }
    at = end_function(l, at);
    fix_labels(l);
    assert(at <= l->start + l->units);
    __atomic_store_n(&s->used, (uint32_t)(at - s->units), __ATOMIC_RELEASE);
    code->line_count += l->lines;
}

/* Room for a new segment of code on demand: half as much as there is already. */
static size_t next_room(const CodeSegment *s) {
    size_t room = 0;
    for (; s != NULL && room < 2 * LARGEST_SEGMENT; s = s->next) {
        room += s->room;
    }
    return MIN(MAX(room / 2, (size_t)FIRST_SEGMENT), (size_t)LARGEST_SEGMENT);
}

/* Room for the program in the newest segment or, if there is none, in a new one. */
static CodeSegment *find_room(const Layout *l, ModuleCode *code) {
    CodeSegment *s = code->segments;
    size_t need = l->units + PIECE_UNITS * l->functions;
    if (s == NULL || s->room - s->used - PIECE_UNITS * s->piece_count < need) {
        size_t room = code->source == NULL ? need : MAX(need, next_room(s));
        s = mem_alloc(&l->vm->mem, MEM_CODE, sizeof *s + room * sizeof(Unit));
        if (s == NULL) {
            return NULL;
        }
        *s = (CodeSegment){.next = code->segments, .room = (uint32_t)room};
        if (!ranges_add(l->vm, s->units, s->units + room, code)) {
            mem_free(&l->vm->mem, MEM_CODE, s, sizeof *s + room * sizeof(Unit));
            return NULL;
        }
        __atomic_store_n(&code->segments, s, __ATOMIC_RELEASE);
    }
    return s;
}

bool emit_units(Program *pr) {
    Layout l = {.pr = pr, .vm = pr->vm};
    l.ins = program_fuse(pr, &l.count);
    l.label_at = program_alloc(pr, (pr->labels + 1) * sizeof *l.label_at);
    if (l.ins == NULL || l.label_at == NULL) {
        return false;
    }
    measure(&l);
    l.function_lines = program_alloc(pr, MAX(l.lines, 1u) * sizeof *l.function_lines);
    l.fixes = program_alloc(pr, MAX(l.operands, (size_t)1) * sizeof *l.fixes);
    CodeSegment *s = l.function_lines == NULL || l.fixes == NULL ? NULL : find_room(&l, pr->code);
    if (s == NULL) {
        return false;
    }
    l.start = s->units + s->used;
    emit(&l, s);
    return true;
}

void emit_free(VM *vm, ModuleCode *code) {
    for (CodeSegment *s = code->segments, *next; s != NULL; s = next) {
        next = s->next;
        mem_free(&vm->mem, MEM_CODE, s, sizeof *s + s->room * sizeof(Unit));
    }
    code->segments = NULL;
    rewrite_free(vm, code);
}

Function *emit_function(const ModuleCode *code, uint32_t label) {
    uint32_t low = 0, high = code->function_count;
    while (low < high) { /* compilers number labels in the order of the code */
        uint32_t middle = (low + high) / 2;
        if (code->functions[middle].label < label) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < code->function_count && code->functions[low].label == label) {
        return &code->functions[low];
    }
    for (uint32_t i = 0; i < code->function_count; i++) {
        if (code->functions[i].label == label) {
            return &code->functions[i];
        }
    }
    return NULL;
}

/* --- Stubs --------------------------------------------------------------------------------------------------------- */

void emit_export_stub(VM *vm, Export *e) {
    unsigned variant = e->bif != NULL ? VARIANT_bif_stub : VARIANT_undefined_stub;
    if (e->module == A_erlang && e->name == A_apply && e->arity == 3) {
        variant = VARIANT_apply_list_only;
    } else if (e->module == A_erlang && e->name == A_apply && e->arity == 2) {
        variant = VARIANT_apply_fun_only;
    } else if (e->module == A_erlang && e->name == A_hibernate && e->arity == 3) {
        variant = VARIANT_hibernate;
    }
    e->stub[0] = e->arity;
    e->stub[1] = vm->handlers[variant];
    e->stub[2] = (Unit)e;
    e->code = &e->stub[1];
    e->native = vm->code->native_entry;
}

void emit_function_stub(VM *vm, Function *f) {
    f->stub[0] = f->arity;
    f->stub[1] = vm->handlers[VARIANT_demand_stub];
    f->stub[2] = (Unit)f;
    f->code = &f->stub[1];
    f->native = vm->code->native_entry;
}

void emit_lambda_stub(VM *vm, Lambda *l) {
    l->stub[0] = l->arity + l->free;
    l->stub[1] = vm->handlers[VARIANT_unloaded_stub];
    l->stub[2] = (Unit)l;
    l->code = &l->stub[1];
    l->native = vm->code->native_entry;
}
