/* The disassembler: reads and rewrites a file as loading does, and writes down what came of it. */
#include "code/disasm.h"

#include <stdio.h>

#include "code/code.h"
#include "code/emit.h"
#include "gen/generic.h"
#include "term/atom.h"
#include "term/print.h"

static const char *const generic_names[GEN_COUNT] = {
#define NAME(number, name, ...) [number] = #name,
    GENERIC_INSTRUCTIONS(NAME)
#undef NAME
};

typedef struct {
    Text *out;
    VM *vm;
    const BeamFile *file;
} Listing;

static void write_term(Listing *l, term t) {
    static const PrintOptions options = {.max_chars = 200, .strings = true};
    term_print(l->out, l->vm, t, &options);
}

/* --- Generic instructions ------------------------------------------------------------------------------------------ */

static void write_arg(Listing *l, const Arg *a) {
    switch (a->kind) {
    case ARG_X: text_format(l->out, "{x,%u}", a->value); break;
    case ARG_Y: text_format(l->out, "{y,%u}", a->value); break;
    case ARG_F: text_format(l->out, "{fr,%u}", a->value); break;
    case ARG_LABEL: text_format(l->out, "{f,%u}", a->value); break;
    case ARG_NUMBER: text_format(l->out, "%u", a->value); break;
    case ARG_HEAP:
        text_format(l->out, "%u", a->value);
        if (a->floats + a->funs > 0) {
            text_format(l->out, "+%u floats+%u funs", a->floats, a->funs);
        }
        break;
    case ARG_TERM:
    case ARG_LITERAL: write_term(l, a->term); break;
    case ARG_LIST:
        text_byte(l->out, '[');
        for (uint32_t i = 0; i < a->value; i++) {
            text_string(l->out, i == 0 ? "" : ", ");
            write_arg(l, &a->list[i]);
        }
        text_byte(l->out, ']');
        break;
    default: text_byte(l->out, '?');
    }
}

static void write_function_name(Listing *l, term module, term name, uint32_t arity) {
    atom_print(l->out, l->vm, module);
    text_byte(l->out, ':');
    atom_print(l->out, l->vm, name);
    text_format(l->out, "/%u", arity);
}

/* Which operand is an index into the table of imports; -1: none. */
static int import_operand(unsigned op) {
    switch (op) {
    case GEN_bif0: return 0;
    case GEN_call_ext:
    case GEN_call_ext_only:
    case GEN_call_ext_last:
    case GEN_bif1:
    case GEN_bif2:
    case GEN_bif3: return 1;
    case GEN_gc_bif1:
    case GEN_gc_bif2:
    case GEN_gc_bif3: return 2;
    default: return -1;
    }
}

static void write_generic(Listing *l, const GenericOp *g) {
    if (g->op == GEN_label) {
        text_format(l->out, "L%u:\n", g->arg[0].value);
        return;
    }
    text_format(l->out, "    %s", generic_names[g->op]);
    for (int i = 0; i < g->count; i++) {
        text_byte(l->out, ' ');
        if (i == import_operand(g->op) && g->arg[i].kind == ARG_NUMBER) {
            const BeamImport *import = &l->file->imports[g->arg[i].value];
            write_function_name(l, import->module, import->name, import->arity);
        } else {
            write_arg(l, &g->arg[i]);
        }
    }
    text_string(l->out, g->flags & OP_DEAD ? "    (dead)\n" : g->flags & OP_UNPROVED ? "    (to be checked)\n" : "\n");
}

/* --- Specialised instructions -------------------------------------------------------------------------------------- */

/* What a pointer leads to is known by the operand's name in ops.tab. */
static void write_pointer(Listing *l, uint16_t op, const void *p) {
    switch (op) {
    case OP_call_export:
    case OP_call_export_only:
    case OP_call_export_last:
    case OP_no_bif: {
        const Export *e = p;
        write_function_name(l, e->module, e->name, e->arity);
        break;
    }
    case OP_make_fun: atom_print(l->out, l->vm, ((const Lambda *)p)->name); break;
    case OP_match_string:
    case OP_create_bits: text_string(l->out, "\"...\""); break;
    default: {
        const BifEntry *b = p;
        write_function_name(l, bif_module(b), bif_name(b), b->arity);
    }
    }
}

static void write_operand(Listing *l, const Ins *i, const Operand *o) {
    switch (o->kind) {
    case OPERAND_X: text_format(l->out, "x%u", o->index); break;
    case OPERAND_Y: text_format(l->out, "y%u", o->index); break;
    case OPERAND_FLOAT: text_format(l->out, "f%u", o->index); break;
    case OPERAND_TERM: write_term(l, o->term); break;
    case OPERAND_NUMBER: text_format(l->out, "#%llu", (unsigned long long)o->number); break;
    case OPERAND_LABEL:
    case OPERAND_CALL:
    case OPERAND_HANDLER: text_format(l->out, "L%u", o->index); break;
    case OPERAND_FAIL: text_byte(l->out, '-'); break;
    case OPERAND_POINTER: write_pointer(l, i->op, o->pointer); break;
    case OPERAND_LIST:
        text_byte(l->out, '[');
        for (uint32_t n = 0; n < o->index; n++) {
            text_string(l->out, n == 0 ? "" : " ");
            write_operand(l, i, &o->list[n]);
        }
        text_byte(l->out, ']');
        break;
    default: text_byte(l->out, '?');
    }
}

static void write_specialised(Listing *l, const Ins *i) {
    if (!op_is_interpreted(i->op)) {
        return;
    }
    text_format(l->out, "            %s", op_name(i->op));
    for (unsigned k = 0; k < i->count; k++) {
        text_byte(l->out, ' ');
        write_operand(l, i, &i->a[k]);
    }
    text_byte(l->out, '\n');
}

/* --- Listings ------------------------------------------------------------------------------------------------------ */

static bool wanted(Listing *l, const BeamFunction *f, const char *function) {
    if (function == NULL) {
        return true;
    }
    const char *colon = strchr(function, ':'), *slash = strrchr(function, '/');
    if (colon != NULL && colon[1] != '\0' && (slash == NULL || colon < slash)) {
        function = colon + 1;
    }
    Bytes name = atom_text(l->vm, f->name);
    size_t size = slash == NULL ? strlen(function) : (size_t)(slash - function);
    if (name.size != size || memcmp(name.at, function, size) != 0) {
        return false;
    }
    char arity[12];
    snprintf(arity, sizeof arity, "%u", f->arity);
    return slash == NULL || strcmp(slash + 1, arity) == 0;
}

static void write_functions(Listing *l, const Ins *ins, uint32_t count, const char *function) {
    const Ins *i = ins, *end = ins + count;
    for (uint32_t n = 0; n < l->file->function_count; n++) {
        const BeamFunction *f = &l->file->functions[n];
        bool write = wanted(l, f, function);
        if (write) {
            text_byte(l->out, '\n');
            write_function_name(l, l->file->module, f->name, f->arity);
            text_string(l->out, "\n");
        }
        for (uint32_t k = f->first; k < f->end; k++) {
            if (write) {
                write_generic(l, &l->file->ops[k]);
            }
            for (; i < end && i->origin <= k; i++) {
                if (write) {
                    write_specialised(l, i);
                }
            }
        }
    }
}

bool disassemble(Text *out, VM *vm, const char *name, Bytes bytes, const char *function, LoadError *error) {
    BeamFile *file = beam_read(vm, name, bytes, error);
    if (file == NULL) {
        return false;
    }
    Listing l = {out, vm, file};
    ModuleCode code = {0};
    Lambda *lambdas = mem_zalloc(&vm->mem, MEM_TEMPORARY, (file->lambda_count + 1) * sizeof *lambdas);
    Lambda **pointers = mem_zalloc(&vm->mem, MEM_TEMPORARY, (file->lambda_count + 1) * sizeof *pointers);
    Program *pr = NULL;
    if (lambdas != NULL && pointers != NULL) {
        for (uint32_t i = 0; i < file->lambda_count; i++) {
            pointers[i] = &lambdas[i];
            lambdas[i].name = file->lambdas[i].name;
            lambdas[i].free = file->lambdas[i].free;
        }
        pr = rewrite(vm, file, pointers, &code, 0, error);
    }
    uint32_t count;
    Ins *fused = pr == NULL ? NULL : program_fuse(pr, &count);
    if (fused != NULL) {
        write_functions(&l, fused, count, function);
    }
    if (pr != NULL) {
        rewrite_free(vm, &code);
        catches_free(vm, &code);
    }
    mem_free(&vm->mem, MEM_TEMPORARY, lambdas, (file->lambda_count + 1) * sizeof *lambdas);
    mem_free(&vm->mem, MEM_TEMPORARY, pointers, (file->lambda_count + 1) * sizeof *pointers);
    beam_free(file);
    return fused != NULL && !out->failed;
}
