/* Lays out rewritten instructions as units of the interpreter. */
#include "code/emit.h"

#include "code/code.h"
#include "term/atom.h"

#include "gen/ops.inc"

/* --- Fusing -------------------------------------------------------------------------------------------------------- */

static bool same_operand(const Operand *a, const Operand *b) {
    if (a->kind != b->kind || a->index != b->index || a->kind == OPERAND_LIST) {
        return false;
    }
    return a->kind == OPERAND_X || a->kind == OPERAND_Y || a->kind == OPERAND_FLOAT || a->number == b->number;
}

/* Which letter of an instruction's operand stands for it; -1: none. */
static int kind_index(const char *kinds, const Operand *o) {
    const char *at = strchr(kinds, o->kind);
    if (at == NULL && o->kind == OPERAND_NUMBER) {
        at = strchr(kinds, 'N');
    }
    if (at == NULL && (o->kind == OPERAND_X || o->kind == OPERAND_Y)) {
        at = strchr(kinds, 'r');
    }
    if (at == NULL && (o->kind == OPERAND_X || o->kind == OPERAND_Y || o->kind == OPERAND_TERM)) {
        at = strchr(kinds, 's');
    }
    return at == NULL ? -1 : (int)(at - kinds);
}

/* The fused instruction that the ones at `ins` make; false: none of this kind. */
static bool try_fusion(Program *pr, const Fusion *f, const Ins *ins, const Ins *end, Ins *fused) {
    const OpInfo *info = &op_infos[f->op];
    Operand a[16];
    bool bound[16] = {false};
    if ((size_t)(end - ins) < f->parts) {
        return false;
    }
    for (unsigned p = 0; p < f->parts; p++) {
        if (ins[p].op != f->part[p].op) {
            return false;
        }
        for (unsigned k = 0; k < f->part[p].count; k++) {
            unsigned to = f->part[p].a[k];
            const Operand *o = &ins[p].a[k];
            if (bound[to] ? !same_operand(&a[to], o) : kind_index(info->kinds[to], o) < 0) {
                return false;
            }
            a[to] = *o;
            bound[to] = true;
        }
    }
    Operand *operands = program_alloc(pr, MAX(info->count, 1u) * sizeof *operands);
    if (operands == NULL) {
        return false;
    }
    memcpy(operands, a, info->count * sizeof *operands);
    *fused = (Ins){.op = f->op, .count = info->count, .origin = ins[f->parts - 1].origin, .a = operands};
    return true;
}

Ins *program_fuse(Program *pr, uint32_t *count) {
    Ins *to = mem_alloc(&pr->vm->mem, MEM_TEMPORARY, MAX(pr->count, 1u) * sizeof *to);
    if (to == NULL) {
        return NULL;
    }
    uint32_t n = 0;
    for (const Ins *i = pr->ins, *end = pr->ins + pr->count; i < end;) {
        const Fusion *found = NULL;
        for (const Fusion *f = fusions; f < fusions + ARRAY_LEN(fusions); f++) {
            if (f->part[0].op == i->op && try_fusion(pr, f, i, end, &to[n])) {
                found = f;
                break;
            }
        }
        if (found == NULL) {
            to[n] = *i;
        }
        i += found == NULL ? 1 : found->parts;
        n++;
    }
    *count = n;
    return to;
}

void program_free_fused(Program *pr, Ins *fused) {
    mem_free(&pr->vm->mem, MEM_TEMPORARY, fused, MAX(pr->count, 1u) * sizeof *fused);
}

/* --- Layout -------------------------------------------------------------------------------------------------------- */

typedef struct {
    Program *pr;
    VM *vm;
    Ins *ins;
    uint32_t count;
    uint16_t *variant;     /* of each instruction */
    uint32_t *label_at;    /* unit offset of each label */
    size_t units;
    uint32_t functions, lines;
} Layout;

static unsigned find_variant(const Ins *i) {
    const OpInfo *info = &op_infos[i->op];
    unsigned variant = 0;
    assert(info->count == i->count);
    for (unsigned k = 0; k < info->count; k++) {
        int at = kind_index(info->kinds[k], &i->a[k]);
        assert(at >= 0);
        variant = variant * (unsigned)strlen(info->kinds[k]) + (unsigned)at;
    }
    return info->first + variant;
}

static size_t units_of(const Ins *i, unsigned variant) {
    size_t units = variant_units[variant];
    if (i->count > 0 && i->a[i->count - 1].kind == OPERAND_LIST) {
        units += i->a[i->count - 1].number;
    }
    return units;
}

static void measure(Layout *l) {
    for (uint32_t n = 0; n < l->count; n++) {
        const Ins *i = &l->ins[n];
        if (i->op == OP_label) {
            l->label_at[i->a[0].index] = (uint32_t)l->units;
        } else if (i->op == OP_line) {
            l->lines++;
        } else if (op_infos[i->op].interpreted) {
            l->functions += i->op == OP_func_info;
            l->variant[n] = (uint16_t)find_variant(i);
            l->units += units_of(i, l->variant[n]);
        }
    }
}

/* Registers are byte offsets; what is told apart at run time has bit 2 set for y. */
static Unit unit_of(const Layout *l, const Unit *units, char kind, const Operand *o) {
    switch (o->kind) {
    case OPERAND_X: return o->index * sizeof(term);
    case OPERAND_Y: return o->index * sizeof(term) + (kind == 'y' ? 0 : 4);
    case OPERAND_TERM: return o->term;
    case OPERAND_FLOAT: return o->index * sizeof(double);
    case OPERAND_NUMBER: return o->number;
    case OPERAND_LABEL:
    case OPERAND_CALL: return (Unit)(units + l->label_at[o->index]);
    case OPERAND_HANDLER: return make_catch(o->number);
    case OPERAND_POINTER: return (Unit)o->pointer;
    case OPERAND_LIST: return o->number;
    default: return 0;
    }
}

static Unit *lay_out(const Layout *l, Unit *units, Unit *at, const Ins *i, unsigned variant) {
    *at++ = l->vm->handlers[variant];
    const char *kinds = variant_kinds[variant];
    for (unsigned k = 0; k < i->count; k++) {
        const Operand *o = &i->a[k];
        if (kinds[k] == 'N' || kinds[k] == 'j') {
            continue;
        }
        *at++ = unit_of(l, units, kinds[k], o);
        if (o->kind == OPERAND_HANDLER) {
            CatchHandler *h = catch_handler(l->vm, (uint32_t)o->number);
            h->code = units + l->label_at[o->index];
        }
        if (o->kind == OPERAND_LIST) {
            for (uintptr_t n = 0; n < o->number; n++) {
                *at++ = unit_of(l, units, 's', &o->list[n]);
            }
        }
    }
    return at;
}

/* The entry's label is the one behind func_info. */
static uint32_t entry_label(const Layout *l, uint32_t n) {
    while (++n < l->count && l->ins[n].op != OP_label) {
        assert(l->ins[n].op == OP_line);
    }
    return n < l->count ? l->ins[n].a[0].index : 0;
}

static void emit(const Layout *l, ModuleCode *code) {
    Unit *at = code->units;
    for (uint32_t n = 0; n < l->count; n++) {
        const Ins *i = &l->ins[n];
        if (i->op == OP_line) {
            code->lines[code->line_count++] = (LineEntry){.at = at, .line = (uint32_t)i->a[0].number};
        }
        if (i->op == OP_label || !op_infos[i->op].interpreted) {
            continue;
        }
        Unit *start = at;
        at = lay_out(l, code->units, at, i, l->variant[n]);
        if (i->op == OP_func_info) {
            code->functions[code->function_count++] =
                (Function){.info = start, .code = at, .name = i->a[1].term, .arity = (uint32_t)i->a[2].number, .label = entry_label(l, n)};
        }
    }
    assert(at == code->units + l->units);
}

static bool allocate_code(Layout *l, ModuleCode *code) {
    Mem *mem = &l->vm->mem;
    code->units = mem_alloc(mem, MEM_CODE, MAX(l->units, (size_t)1) * sizeof(Unit));
    code->functions = mem_zalloc(mem, MEM_CODE, MAX(l->functions, 1u) * sizeof *code->functions);
    code->lines = mem_zalloc(mem, MEM_CODE, MAX(l->lines, 1u) * sizeof *code->lines);
    if (code->units != NULL && code->functions != NULL && code->lines != NULL) {
        code->unit_count = l->units;
        code->function_count = code->line_count = 0;
        return true;
    }
    mem_free(mem, MEM_CODE, code->units, MAX(l->units, (size_t)1) * sizeof(Unit));
    mem_free(mem, MEM_CODE, code->functions, MAX(l->functions, 1u) * sizeof *code->functions);
    mem_free(mem, MEM_CODE, code->lines, MAX(l->lines, 1u) * sizeof *code->lines);
    code->units = NULL;
    code->functions = NULL;
    code->lines = NULL;
    return false;
}

bool emit_units(Program *pr) {
    Mem *mem = &pr->vm->mem;
    Layout l = {.pr = pr, .vm = pr->vm};
    l.ins = program_fuse(pr, &l.count);
    l.variant = mem_zalloc(mem, MEM_TEMPORARY, MAX(pr->count, 1u) * sizeof *l.variant);
    l.label_at = mem_zalloc(mem, MEM_TEMPORARY, (pr->labels + 1) * sizeof *l.label_at);
    bool done = false;
    if (l.ins != NULL && l.variant != NULL && l.label_at != NULL) {
        measure(&l);
        done = allocate_code(&l, pr->code);
        if (done) {
            emit(&l, pr->code);
        }
    }
    program_free_fused(pr, l.ins);
    mem_free(mem, MEM_TEMPORARY, l.variant, MAX(pr->count, 1u) * sizeof *l.variant);
    mem_free(mem, MEM_TEMPORARY, l.label_at, (pr->labels + 1) * sizeof *l.label_at);
    return done;
}

void emit_free(VM *vm, ModuleCode *code) {
    Mem *mem = &vm->mem;
    mem_free(mem, MEM_CODE, code->units, MAX(code->unit_count, (size_t)1) * sizeof(Unit));
    mem_free(mem, MEM_CODE, code->functions, MAX(code->function_count, 1u) * sizeof *code->functions);
    mem_free(mem, MEM_CODE, code->lines, MAX(code->line_count, 1u) * sizeof *code->lines);
    code->units = NULL;
    code->functions = NULL;
    code->lines = NULL;
    rewrite_free(vm, code);
}

const Function *emit_function(const ModuleCode *code, uint32_t label) {
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
