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
    uint8_t count;     /* operands */
    bool interpreted;
    uint16_t first;    /* its first variant */
    uint16_t forms;    /* in operand_forms: for each operand the number of its forms */
    uint16_t name;     /* in op_names */
} OpInfo;
/* A fused instruction: a chain of others, read by the interpreter only. Operands are numbered by their first mention. */
typedef struct {
    uint16_t op;           /* the fused one */
    uint8_t parts;
    struct {
        uint16_t op;
        uint8_t count;
        uint8_t a[8];      /* which of the fused one's operands each of its operands is */
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
    Ins *to = program_alloc(pr, MAX(pr->count, 1u) * sizeof *to);
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
    uint16_t *variant;     /* of each instruction */
    uint32_t *label_at;    /* unit offset of each label in this program */
    size_t units;
    uint32_t functions, lines;
    CodeLine *function_lines; /* of the function that is emitted now */
    uint32_t function_line_count;
    CodeSegment *segment;
    Unit *start;           /* of the program in its segment */
} Layout;

enum {
    PIECE_UNITS = sizeof(CodePiece) / sizeof(Unit),
    LINE_UNITS = sizeof(CodeLine) / sizeof(Unit),
    FIRST_SEGMENT = 512, LARGEST_SEGMENT = 8192, /* units, of code on demand */
};

/* Constants that are in the handler, and a label that is none, take no unit. */
static inline bool is_laid_out(char letter) {
    return letter != 'N' && letter != 'j';
}

/* The variant of an instruction; *units: how many it takes. */
static unsigned find_variant(const Ins *i, size_t *units) {
    const OpInfo *info = &op_infos[i->op];
    unsigned variant = 0;
    size_t n = 1;
    assert(info->count == i->count);
    for (unsigned k = 0; k < info->count; k++) {
        const OperandForms *f = forms_of(info, k);
        unsigned form = f->index[i->a[k].kind & 31];
        assert(form > 0);
        variant = variant * f->count + form - 1;
        n += is_laid_out(f->letters[form - 1]);
        n += i->a[k].kind == OPERAND_LIST ? i->a[k].index : 0;
    }
    *units += n;
    return info->first + variant;
}

/* A function begins with the label in front of its func_info. */
static bool begins_function(const Layout *l, uint32_t n) {
    do {
        n++;
    } while (n < l->count && l->ins[n].op == OP_line);
    return n < l->count && l->ins[n].op == OP_func_info;
}

static void measure(Layout *l) {
    uint32_t lines = 0;
    for (uint32_t n = 0; n < l->count; n++) {
        const Ins *i = &l->ins[n];
        if (i->op == OP_label && begins_function(l, n)) {
            l->units += l->functions == 0 ? 0 : LINE_UNITS * lines + 1;
            l->functions++;
            lines = 0;
        }
        if (i->op == OP_label) {
            l->label_at[i->a[0].index] = (uint32_t)l->units;
        } else if (i->op == OP_line) {
            lines++;
            l->lines++;
        } else if (op_infos[i->op].interpreted) {
            l->variant[n] = (uint16_t)find_variant(i, &l->units);
        }
    }
    l->units += LINE_UNITS * lines + 1;
}

/* Registers are byte offsets; what is told apart at run time has bit 2 set for y. */
static Unit unit_of(const Layout *l, char kind, const Operand *o) {
    switch (o->kind) {
    case OPERAND_X: return o->index * sizeof(term);
    case OPERAND_Y: return o->index * sizeof(term) + (kind == 'y' ? 0 : 4);
    case OPERAND_TERM: return o->term;
    case OPERAND_FLOAT: return o->index * sizeof(double);
    case OPERAND_NUMBER: return o->number;
    case OPERAND_LABEL: return (Unit)(l->start + l->label_at[o->index]);
    case OPERAND_HANDLER: return make_catch(o->number);
    case OPERAND_POINTER: return (Unit)o->pointer;
    case OPERAND_LIST: return o->index;
    default: return 0;
    }
}

/* A call of a function that may not be emitted yet: then it leads to its stub, and is remembered. */
static Unit call_of(const Layout *l, Unit *at, uint32_t label) {
    if (l->pr->file->label_op[label] != UINT32_MAX) {
        return (Unit)(l->start + l->label_at[label]);
    }
    ModuleCode *code = l->pr->code;
    Function *f = emit_function(code, label);
    if (f->info == NULL) {
        demand_call_site(l->vm, f, at);
    }
    return (Unit)f->code;
}

static Unit *lay_out(const Layout *l, Unit *at, const Ins *i, unsigned variant) {
    *at++ = l->vm->handlers[variant];
    const OpInfo *info = &op_infos[i->op];
    for (unsigned k = 0; k < i->count; k++) {
        const Operand *o = &i->a[k];
        const OperandForms *f = forms_of(info, k);
        char letter = f->letters[f->index[o->kind & 31] - 1];
        if (!is_laid_out(letter)) {
            continue;
        }
        *at = o->kind == OPERAND_CALL ? call_of(l, at, o->index) : unit_of(l, letter, o);
        at++;
        if (o->kind == OPERAND_HANDLER) {
            CatchHandler *h = catch_handler(l->vm, (uint32_t)o->number);
            h->code = l->start + l->label_at[o->index];
        }
        if (o->kind == OPERAND_LIST) {
            for (uint32_t n = 0; n < o->index; n++) {
                *at++ = unit_of(l, 's', &o->list[n]);
            }
        }
    }
    return at;
}

static Unit *end_function(Layout *l, Unit *at) {
    memcpy(at, l->function_lines, l->function_line_count * sizeof *l->function_lines);
    at += LINE_UNITS * l->function_line_count;
    *at = l->function_line_count;
    l->function_line_count = 0;
    return at + 1;
}

static void emit(Layout *l, ModuleCode *code) {
    CodeSegment *s = l->segment;
    Unit *at = l->start;
    uint32_t function = l->pr->first_function;
    for (uint32_t n = 0; n < l->count; n++) {
        const Ins *i = &l->ins[n];
        if (i->op == OP_label && begins_function(l, n)) {
            if (function > l->pr->first_function) {
                at = end_function(l, at);
            }
            ((CodePiece *)(s->units + s->room))[-1 - (ptrdiff_t)s->piece_count++] = (CodePiece){(uint32_t)(at - s->units), function++};
        }
        if (i->op == OP_line) {
            l->function_lines[l->function_line_count++] = (CodeLine){(uint32_t)(at - s->units), (uint32_t)i->a[0].number};
        }
        if (i->op == OP_label || !op_infos[i->op].interpreted) {
            continue;
        }
        Unit *start = at;
        at = lay_out(l, at, i, l->variant[n]);
        if (i->op == OP_func_info) {
            Function *f = &code->functions[function - 1];
            f->info = start;
            f->code = at;
        }
    }
    at = end_function(l, at);
    assert(at == l->start + l->units);
    s->used += (uint32_t)l->units;
    code->line_count += l->lines;
}

/* Room for the program in the newest segment or, if there is none, in a new one. */
static bool find_room(Layout *l, ModuleCode *code) {
    CodeSegment *s = code->segments;
    size_t need = l->units + PIECE_UNITS * l->functions;
    if (s == NULL || s->room - s->used - PIECE_UNITS * s->piece_count < need) {
        size_t room = need;
        if (code->source != NULL) {
            room = MAX(need, s == NULL ? (size_t)FIRST_SEGMENT : MIN(2 * (size_t)s->room, (size_t)LARGEST_SEGMENT));
        }
        s = mem_alloc(&l->vm->mem, MEM_CODE, sizeof *s + room * sizeof(Unit));
        if (s == NULL) {
            return false;
        }
        *s = (CodeSegment){.next = code->segments, .room = (uint32_t)room};
        if (!ranges_add(l->vm, s->units, s->units + room, code)) {
            mem_free(&l->vm->mem, MEM_CODE, s, sizeof *s + room * sizeof(Unit));
            return false;
        }
        code->segments = s;
    }
    l->segment = s;
    l->start = s->units + s->used;
    return true;
}

bool emit_units(Program *pr) {
    Layout l = {.pr = pr, .vm = pr->vm};
    l.ins = program_fuse(pr, &l.count);
    l.variant = program_alloc(pr, MAX(pr->count, 1u) * sizeof *l.variant);
    l.label_at = program_alloc(pr, (pr->labels + 1) * sizeof *l.label_at);
    bool done = false;
    if (l.ins != NULL && l.variant != NULL && l.label_at != NULL) {
        measure(&l);
        l.function_lines = program_alloc(pr, MAX(l.lines, 1u) * sizeof *l.function_lines);
        done = l.function_lines != NULL && find_room(&l, pr->code);
        if (done) {
            emit(&l, pr->code);
        }
    }
    return done;
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

bool emit_native_function(VM *vm, const Function *f, const BifEntry *nif) {
    Unit *at = (Unit *)f->code;
    if (at[0] != vm->handlers[VARIANT_nif_start] && at[0] != vm->handlers[VARIANT_call_nif]) {
        return false;
    }
    at[1] = (Unit)nif;
    at[0] = vm->handlers[VARIANT_call_nif];
    return true;
}
