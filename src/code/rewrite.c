/* Rewrites generic instructions into specialised ones. Most of it is the rules of ops.tab; here is what they cannot say. */
#include "code/rewrite.h"

#include "base/arena.h"
#include "code/code.h"
#include "term/atom.h"

/* --- Operands ------------------------------------------------------------------------------------------------------ */

static bool is_x(const Arg *a) {
    return a->kind == ARG_X;
}
static bool is_constant(const Arg *a) {
    return a->kind == ARG_TERM || a->kind == ARG_LITERAL;
}

static bool same_arg(const Arg *a, const Arg *b) {
    if (a->kind != b->kind) {
        return false;
    }
    return is_constant(a) ? a->term == b->term : a->value == b->value;
}

static bool next_is(const Rewriter *r, const GenericOp *g, uint32_t n, unsigned op) {
    return g + n < r->end && g[n].op == op && (g[n].flags & (OP_UNPROVED | OP_PRESET | OP_DEAD)) == 0;
}

Ins *out(Rewriter *r, uint16_t op, uint8_t count) {
    return program_add(r->pr, op, count);
}

void set_value(Rewriter *r UNUSED, Operand *o, const Arg *a) {
    o->type = a->type;
    switch (a->kind) {
    case ARG_X: o->kind = OPERAND_X, o->index = a->value; break;
    case ARG_Y: o->kind = OPERAND_Y, o->index = a->value; break;
    case ARG_F: o->kind = OPERAND_FLOAT, o->index = a->value; break;
    case ARG_TERM:
    case ARG_LITERAL: o->kind = OPERAND_TERM, o->term = a->term; break;
    default: assert(!"not a value");
    }
}

void set_number(Operand *o, uintptr_t n) {
    o->kind = OPERAND_NUMBER;
    o->number = n;
}

static void set_number_arg(Rewriter *r UNUSED, Operand *o, const Arg *a) {
    set_number(o, a->value);
}

void set_label(Rewriter *r UNUSED, Operand *o, const Arg *a) {
    o->kind = a->kind == ARG_LABEL && a->value != 0 ? OPERAND_LABEL : OPERAND_FAIL;
    o->index = a->value;
}

void set_sure_label(Rewriter *r, Operand *o, const Arg *a) {
    set_label(r, o, a);
    if (o->kind == OPERAND_FAIL) { /* no compiler writes that */
        if (r->bad_label == 0) {
            r->bad_label = r->pr->labels++;
        }
        o->kind = OPERAND_LABEL;
        o->index = r->bad_label;
    }
}

static void set_callee(Rewriter *r UNUSED, Operand *o, const Arg *a) {
    o->kind = OPERAND_CALL;
    o->index = a->value;
}

static void set_handler(Rewriter *r, Operand *o, const Arg *a) {
    o->kind = OPERAND_HANDLER;
    o->index = a->value;
    o->number = catch_new(r->pr->vm, r->pr->code);
    r->pr->no_memory |= o->number == 0;
}

void set_pointer(Operand *o, const void *p) {
    o->kind = OPERAND_POINTER;
    o->pointer = p;
}

Operand *set_room(Rewriter *r, Operand *o, uint32_t count) {
    o->kind = OPERAND_LIST;
    o->list = program_operands(r->pr, MAX(count, 1u));
    o->index = o->list == NULL ? 0 : count;
    return o->list;
}

static void set_list(Rewriter *r, Operand *o, const Arg *a) {
    Operand *to = set_room(r, o, a->value);
    for (uint32_t i = 0; to != NULL && i < a->value; i++) {
        if (a->list[i].kind == ARG_NUMBER) {
            to[i] = (Operand){.kind = OPERAND_TERM, .term = SMALL(a->list[i].value)};
        } else {
            set_value(r, &to[i], &a->list[i]);
        }
    }
}

/* Instructions that want a register get constants through one of the last x registers, which compilers never use. */
const Arg *in_register(Rewriter *r, const Arg *a, unsigned which) {
    if (!is_constant(a)) {
        return a;
    }
    Arg *x = &r->scratch[which % ARRAY_LEN(r->scratch)];
    *x = (Arg){.kind = ARG_X, .value = MAX_X - which};
    Ins *i = out(r, OP_move, 2);
    set_value(r, &i->a[0], a);
    set_value(r, &i->a[1], x);
    return x;
}

static void make_tuple_header(Rewriter *r UNUSED, Operand *o, const Arg *arity) {
    set_number(o, HEADER(arity->value, KIND_TUPLE));
}

static void make_place(Rewriter *r UNUSED, Operand *o, const Arg *a) {
    o->kind = OPERAND_LABEL;
    o->index = a->value;
}

static void make_plus1(Rewriter *r UNUSED, Operand *o, const Arg *n) {
    set_number(o, n->value + 1);
}

enum { FUN_WORDS = 3 }; /* without the free variables */

uint32_t heap_words(const Arg *a) {
    return a->kind == ARG_HEAP ? a->value + a->floats * (uint32_t)FLOAT_WORDS + a->funs * (uint32_t)FUN_WORDS : a->value;
}

static void make_heap_words(Rewriter *r UNUSED, Operand *o, const Arg *a) {
    set_number(o, heap_words(a));
}

static void make_lambda(Rewriter *r, Operand *o, const Arg *index) {
    set_pointer(o, r->pr->lambdas[index->value]);
}

/* --- Conditions ---------------------------------------------------------------------------------------------------- */

static bool rule_is_immediate(Rewriter *r UNUSED, const Arg *a, const Arg *b UNUSED) {
    return a->kind == ARG_TERM;
}

/* Equality of values of which one is an immediate other than a number is identity. (Small integers are immediates too: =:=.) */
static bool is_immediate_type(Rewriter *r, const Arg *a) {
    Operand o;
    set_value(r, &o, a);
    BeamType t = operand_type(r->pr, &o);
    return t.types != 0 && ((t.types & ~(TYPE_ATOM | TYPE_NIL)) == 0 || operand_is_small(r->pr, &o));
}

static bool rule_unproved(Rewriter *r, const Arg *a UNUSED, const Arg *b UNUSED) {
    const GenericOp *g = r->pr->file->ops + r->pr->origin;
    return (g->flags & OP_UNPROVED) != 0;
}

static bool rule_one_immediate(Rewriter *r, const Arg *a, const Arg *b) {
    return is_immediate_type(r, a) || is_immediate_type(r, b);
}

/* --- Built-ins in guards ------------------------------------------------------------------------------------------- */

static void make_bif(Rewriter *r, Operand *o, const Arg *a UNUSED) {
    set_pointer(o, r->bif);
}

static bool apply_bif_rules(Rewriter *r, term name, unsigned arity, const GenericOp *g);

static Export *import_export(Rewriter *r, const BeamImport *i) {
    Export *e = export_get(r->pr->vm, i->module, i->name, i->arity);
    r->pr->no_memory |= e == NULL;
    return e;
}

/* What an instruction that calls a built-in holds; NULL: it is none. */
static const BifEntry *built_in(Rewriter *r, const BeamImport *i) {
    if (bif_find(r->pr->vm, i->module, i->name, i->arity) == NULL) {
        return NULL;
    }
    const Export *e = import_export(r, i);
    static const BifEntry none;
    return e == NULL ? &none : &e->called;
}

/* For the rules, the operands of all seven are in one order: label, live registers, arguments, result. */
static uint32_t rewrite_bif(Rewriter *r, const GenericOp *g) {
    unsigned arity = g->op == GEN_bif0                           ? 0
                     : g->op == GEN_bif1 || g->op == GEN_gc_bif1 ? 1
                     : g->op == GEN_bif2 || g->op == GEN_gc_bif2 ? 2
                                                                 : 3;
    bool gc = g->op == GEN_gc_bif1 || g->op == GEN_gc_bif2 || g->op == GEN_gc_bif3;
    const Arg *a = g->arg;
    Arg all[6];
    all[0] = arity > 0 ? *a++ : (Arg){.kind = ARG_LABEL};
    all[1] = gc ? *a++ : (Arg){.kind = ARG_NUMBER};
    const BeamImport *import = &r->pr->file->imports[(a++)->value];
    memcpy(&all[2], a, (arity + 1) * sizeof *a);
    if (g->op == GEN_bif3 && import->module == A_erlang && import->name == A_is_record) {
        Ins *i = out(r, OP_is_record_named, 4);
        for (unsigned k = 0; k < 4; k++) {
            set_value(r, &i->a[k], &all[2 + k]);
        }
        return 1;
    }
    r->bif = bif_find(r->pr->vm, import->module, import->name, import->arity);
    if (r->bif == NULL || import->module != A_erlang || !apply_bif_rules(r, import->name, arity, &(GenericOp){.op = g->op, .arg = all})) {
        Ins *i = out(r, OP_no_bif, 2);
        set_label(r, &i->a[0], &all[0]);
        set_pointer(&i->a[1], import_export(r, import));
    }
    return 1;
}

/* --- Frames and calls ---------------------------------------------------------------------------------------------- */

static uint32_t rewrite_allocate(Rewriter *r, const GenericOp *g) {
    bool heap = g->op == GEN_allocate_heap || g->op == GEN_allocate_heap_zero;
    bool zero = g->op == GEN_allocate_zero || g->op == GEN_allocate_heap_zero || (g->flags & OP_CLEAR);
    uint32_t size = g->arg[0].value;
    Ins *i = out(r, OP_allocate, 3);
    set_number(&i->a[0], size + (heap ? heap_words(&g->arg[1]) : 0));
    set_number(&i->a[1], size);
    set_number(&i->a[2], g->arg[heap ? 2 : 1].value);
    if (zero && size > 0) {
        i = out(r, OP_clear, 1);
        set_number(&i->a[0], size);
    }
    return 1;
}

static uint32_t rewrite_init_yregs(Rewriter *r, const GenericOp *g) {
    for (uint32_t k = 0; k < g->arg[0].value; k++) {
        Ins *i = out(r, OP_init, 1);
        set_value(r, &i->a[0], &g->arg[0].list[k]);
    }
    return 1;
}

/* Adds one of the three forms of a call to something that a pointer stands for. */
static void add_pointer_call(Rewriter *r, uint16_t op, uint16_t only, uint16_t last, const GenericOp *g, const void *to) {
    bool is_only = g->op == GEN_call_only || g->op == GEN_call_ext_only;
    bool is_last = g->op == GEN_call_last || g->op == GEN_call_ext_last;
    Ins *i = out(r, is_only ? only : is_last ? last : op, is_only ? 1 : 2);
    set_pointer(&i->a[0], to);
    if (is_last) {
        set_number(&i->a[1], g->arg[2].value);
    } else if (!is_only) {
        set_number(&i->a[1], g->arg[0].value);
    }
}

static void add_bif_call(Rewriter *r, const GenericOp *g, const BifEntry *b) {
    add_pointer_call(r, OP_call_bif, OP_call_bif_only, OP_call_bif_last, g, b);
}

static uint32_t rewrite_call(Rewriter *r, const GenericOp *g) {
    const BeamFile *file = r->pr->file;
    const BeamFunction *f = r->has_bifs ? beam_function(file, g->arg[1].value) : NULL;
    const BeamImport import = {.module = file->module, .name = f == NULL ? NIL : f->name, .arity = f == NULL ? 0 : f->arity};
    const BifEntry *b = f == NULL ? NULL : built_in(r, &import);
    if (b != NULL) {
        add_bif_call(r, g, b);
        return 1;
    }
    uint16_t op = g->op == GEN_call ? OP_call : g->op == GEN_call_only ? OP_call_only : OP_call_last;
    Ins *i = out(r, op, op == OP_call_only ? 1 : 2);
    set_callee(r, &i->a[0], &g->arg[1]);
    if (op == OP_call_last) {
        set_number(&i->a[1], g->arg[2].value);
    } else if (op == OP_call) {
        set_number(&i->a[1], g->arg[0].value);
    }
    return 1;
}

/* apply/2,3 and hibernate/3 are instructions. */
static bool rewrite_special_call(Rewriter *r, const GenericOp *g, const BeamImport *import) {
    if (import->module != A_erlang) {
        return false;
    }
    uint16_t op;
    if (import->name == A_apply && import->arity == 3) {
        op = OP_apply_list;
    } else if (import->name == A_apply && import->arity == 2) {
        op = OP_apply_fun;
    } else if (import->name == A_hibernate && import->arity == 3) {
        out(r, OP_hibernate, 0);
        return true;
    } else {
        return false;
    }
    static const uint16_t only[] = {[OP_apply_list] = OP_apply_list_only, [OP_apply_fun] = OP_apply_fun_only};
    static const uint16_t last[] = {[OP_apply_list] = OP_apply_list_last, [OP_apply_fun] = OP_apply_fun_last};
    if (g->op == GEN_call_ext_last) {
        set_number(&out(r, last[op], 1)->a[0], g->arg[2].value);
    } else {
        out(r, g->op == GEN_call_ext ? op : only[op], 0);
    }
    return true;
}

static uint32_t rewrite_call_ext(Rewriter *r, const GenericOp *g) {
    const BeamImport *import = &r->pr->file->imports[g->arg[1].value];
    if (rewrite_special_call(r, g, import)) {
        return 1;
    }
    const BifEntry *b = built_in(r, import);
    if (b != NULL) {
        add_bif_call(r, g, b);
    } else {
        add_pointer_call(r, OP_call_export, OP_call_export_only, OP_call_export_last, g, import_export(r, import));
    }
    return 1;
}

/* `!`: the same as erlang:send/2, but nobody who traces that is told. */
static uint32_t rewrite_send(Rewriter *r, const GenericOp *g UNUSED) {
    static const BeamImport import = {.module = A_erlang, .name = A_send, .arity = 2};
    const BifEntry *b = bif_find(r->pr->vm, A_erlang, A_send, 2);
    Ins *i = out(r, b != NULL ? OP_call_bif : OP_call_export, 2);
    set_pointer(&i->a[0], b != NULL ? (const void *)b : import_export(r, &import));
    set_number(&i->a[1], 2);
    return 1;
}

/* The fun is in any register; call_fun wants it behind the arguments. A call with the end of the frame behind it is a tail call. */
static uint32_t rewrite_call_fun2(Rewriter *r, const GenericOp *g) {
    uint32_t n = g->arg[1].value;
    if (!is_x(&g->arg[2]) || g->arg[2].value != n) {
        Ins *i = out(r, OP_move, 2);
        set_value(r, &i->a[0], &g->arg[2]);
        i->a[1] = (Operand){.kind = OPERAND_X, .index = n};
    }
    if (next_is(r, g, 1, GEN_deallocate) && next_is(r, g, 2, GEN_return)) {
        Ins *i = out(r, OP_call_fun_last, 2);
        set_number(&i->a[0], n);
        set_number(&i->a[1], g[1].arg[0].value);
        return 3;
    }
    set_number(&out(r, OP_call_fun, 1)->a[0], n);
    return 1;
}

/* The free variables are in x0 ..., and so will be the fun. */
static uint32_t rewrite_make_fun2(Rewriter *r, const GenericOp *g) {
    Lambda *l = r->pr->lambdas[g->arg[0].value];
    Ins *i = out(r, OP_test_heap, 2);
    set_number(&i->a[0], FUN_WORDS + l->free);
    set_number(&i->a[1], l->free);
    i = out(r, OP_make_fun, 3);
    set_pointer(&i->a[0], l);
    i->a[1] = (Operand){.kind = OPERAND_X};
    Operand *env = set_room(r, &i->a[2], l->free);
    for (uint32_t k = 0; env != NULL && k < l->free; k++) {
        env[k] = (Operand){.kind = OPERAND_X, .index = k};
    }
    return 1;
}

/* --- Choices ------------------------------------------------------------------------------------------------------- */

typedef struct {
    term value;
    Operand to;
} Case;

static void sort_cases(Case *c, uint32_t n) { /* heap sort: lists can be long, and hostile */
    for (uint32_t root = n / 2, end = n; end > 1;) {
        Case moving;
        if (root > 0) {
            moving = c[--root];
        } else {
            moving = c[--end];
            c[end] = c[0];
        }
        uint32_t at = root;
        for (uint32_t child; (child = 2 * at + 1) < end; at = child) {
            if (child + 1 < end && c[child].value < c[child + 1].value) {
                child++;
            }
            if (c[child].value <= moving.value) {
                break;
            }
            c[at] = c[child];
        }
        c[at] = moving;
    }
}

static Operand case_value(const Case *c) {
    return is_header(c->value) ? (Operand){.kind = OPERAND_NUMBER, .number = c->value} : (Operand){.kind = OPERAND_TERM, .term = c->value};
}

static void add_select(Rewriter *r, uint16_t op, const Arg *value, const Arg *fail, const Case *c, uint32_t n) {
    if (n == 2) {
        Ins *i = out(r, op == OP_select_val ? OP_select_val2 : OP_select_arity2, 6);
        set_value(r, &i->a[0], value);
        set_sure_label(r, &i->a[1], fail);
        for (uint32_t k = 0; k < n; k++) {
            i->a[2 + 2 * k] = case_value(&c[k]);
            i->a[3 + 2 * k] = c[k].to;
        }
        return;
    }
    Ins *i = out(r, op, 3);
    set_value(r, &i->a[0], value);
    set_sure_label(r, &i->a[1], fail);
    Operand *to = set_room(r, &i->a[2], 2 * n);
    for (uint32_t k = 0; to != NULL && k < n; k++) {
        to[k] = case_value(&c[k]);
        to[n + k] = c[k].to;
    }
}

/* Small integers close together: true if it was made. */
static bool add_jump_table(Rewriter *r, const Arg *value, const Arg *fail, const Case *c, uint32_t n) {
    if (n < 4 || !is_small(c[0].value) || !is_small(c[n - 1].value)) {
        return false;
    }
    intptr_t low = small_value(c[0].value);
    uint64_t range = (uint64_t)(small_value(c[n - 1].value) - low) + 1;
    for (uint32_t k = 1; k < n; k++) { /* sorted as words: negative numbers come last, other terms may lie between */
        if (!is_small(c[k].value) || small_value(c[k].value) <= small_value(c[k - 1].value)) {
            return false;
        }
    }
    if (range > 2 * (uint64_t)n + 8) {
        return false;
    }
    Ins *i = out(r, OP_jump_table, 4);
    set_value(r, &i->a[0], value);
    set_sure_label(r, &i->a[1], fail);
    i->a[2] = (Operand){.kind = OPERAND_TERM, .term = c[0].value};
    Operand *to = set_room(r, &i->a[3], (uint32_t)range);
    for (uint32_t k = 0; to != NULL && k < range; k++) {
        to[k] = i->a[1];
    }
    for (uint32_t k = 0; to != NULL && k < n; k++) {
        to[small_value(c[k].value) - low] = c[k].to;
    }
    return true;
}

static uint32_t rewrite_select_val(Rewriter *r, const GenericOp *g) {
    const Arg *list = &g->arg[2];
    const Arg *value = in_register(r, &g->arg[0], 1);
    uint32_t n = list->value / 2, immediate = 0;
    Case *c = program_alloc(r->pr, (n + 1) * sizeof *c);
    if (c == NULL) {
        return 1;
    }
    for (uint32_t k = 0; k < n; k++) {
        const Arg *constant = &list->list[2 * k], *to = &list->list[2 * k + 1];
        if (constant->kind == ARG_TERM) {
            c[immediate].value = constant->term;
            set_sure_label(r, &c[immediate++].to, to);
        } else {
            Ins *i = out(r, OP_is_ne_exact, 3); /* equal: go there */
            set_sure_label(r, &i->a[0], to);
            set_value(r, &i->a[1], value);
            set_value(r, &i->a[2], constant);
        }
    }
    sort_cases(c, immediate);
    if (!add_jump_table(r, value, &g->arg[1], c, immediate)) {
        add_select(r, OP_select_val, value, &g->arg[1], c, immediate);
    }
    return 1;
}

static uint32_t rewrite_select_arity(Rewriter *r, const GenericOp *g) {
    const Arg *list = &g->arg[2];
    const Arg *value = in_register(r, &g->arg[0], 1);
    uint32_t n = list->value / 2;
    Case *c = program_alloc(r->pr, (n + 1) * sizeof *c);
    if (c == NULL) {
        return 1;
    }
    for (uint32_t k = 0; k < n; k++) {
        c[k].value = HEADER(list->list[2 * k].value, KIND_TUPLE);
        set_sure_label(r, &c[k].to, &list->list[2 * k + 1]);
    }
    sort_cases(c, n);
    add_select(r, OP_select_arity, value, &g->arg[1], c, n);
    return 1;
}

/* The test is part of the choice. */
static uint32_t rewrite_tuple_select(Rewriter *r, const GenericOp *g) {
    return 1 + rewrite_select_arity(r, g + 1);
}

/* --- Tuples and maps ----------------------------------------------------------------------------------------------- */

static void add_tuple(Rewriter *r, const Arg *to, uint32_t n, const Arg *elements, size_t stride) {
    static const uint16_t small[] = {[2] = OP_put_tuple2, [3] = OP_put_tuple3, [4] = OP_put_tuple4};
    if (n >= 2 && n <= 4) {
        Ins *i = out(r, small[n], (uint8_t)(n + 1));
        for (uint32_t k = 0; k < n; k++) {
            set_value(r, &i->a[k], (const Arg *)((const char *)elements + k * stride));
        }
        set_value(r, &i->a[n], to);
        return;
    }
    Ins *i = out(r, OP_put_tuple, 3);
    set_number(&i->a[0], HEADER(n, KIND_TUPLE));
    set_value(r, &i->a[1], to);
    Operand *list = set_room(r, &i->a[2], n);
    for (uint32_t k = 0; list != NULL && k < n; k++) {
        set_value(r, &list[k], (const Arg *)((const char *)elements + k * stride));
    }
}

static uint32_t rewrite_put_tuple2(Rewriter *r, const GenericOp *g) {
    add_tuple(r, &g->arg[0], g->arg[1].value, g->arg[1].list, sizeof(Arg));
    return 1;
}

static uint32_t rewrite_put_tuple(Rewriter *r, const GenericOp *g) {
    uint32_t n = g->arg[0].value;
    if ((size_t)(r->end - g) <= n) {
        return 0;
    }
    Arg *elements = program_alloc(r->pr, (n + 1) * sizeof(Arg));
    if (elements == NULL) {
        return 1 + n;
    }
    for (uint32_t k = 0; k < n; k++) {
        if (g[1 + k].op != GEN_put) {
            return 0;
        }
        elements[k] = g[1 + k].arg[0];
    }
    add_tuple(r, &g->arg[1], n, elements, sizeof(Arg));
    return 1 + n;
}

static uint32_t rewrite_misplaced(Rewriter *r UNUSED, const GenericOp *g UNUSED) {
    return 0;
}

static uint32_t rewrite_put_map(Rewriter *r, const GenericOp *g) {
    bool exact = g->op == GEN_put_map_exact;
    Ins *i = out(r, exact ? OP_put_map_exact : OP_put_map_assoc, exact ? 5 : 4);
    Operand *o = i->a;
    if (exact) {
        set_label(r, o++, &g->arg[0]);
    }
    set_value(r, &o[0], &g->arg[1]);
    set_value(r, &o[1], &g->arg[2]);
    set_number(&o[2], g->arg[3].value);
    set_list(r, &o[3], &g->arg[4]);
    return 1;
}

static uint32_t rewrite_has_map_fields(Rewriter *r, const GenericOp *g) {
    for (uint32_t k = 0; k < g->arg[2].value; k++) {
        Ins *i = out(r, OP_has_key, 3);
        set_sure_label(r, &i->a[0], &g->arg[0]);
        set_value(r, &i->a[1], &g->arg[1]);
        set_value(r, &i->a[2], &g->arg[2].list[k]);
    }
    return 1;
}

static uint32_t rewrite_get_map_elements(Rewriter *r, const GenericOp *g) {
    const Arg *map = in_register(r, &g->arg[1], 1), *list = g->arg[2].list;
    uint32_t n = g->arg[2].value;
    for (uint32_t k = 0; k + 2 < n; k += 2) {
        if (same_arg(&list[k + 1], map)) { /* overwritten while it is still needed */
            static const Arg kept = {.kind = ARG_X, .value = MAX_X - 1};
            Ins *i = out(r, OP_move, 2);
            set_value(r, &i->a[0], map);
            set_value(r, &i->a[1], &kept);
            map = &kept;
            break;
        }
    }
    for (uint32_t k = 0; k + 1 < n; k += 2) {
        Ins *i = out(r, OP_get_key, 4);
        set_sure_label(r, &i->a[0], &g->arg[0]);
        set_value(r, &i->a[1], map);
        set_value(r, &i->a[2], &list[k]);
        set_value(r, &i->a[3], &list[k + 1]);
    }
    return 1;
}

/* --- Native records ------------------------------------------------------------------------------------------------ */

static uint32_t rewrite_is_record_accessible(Rewriter *r, const GenericOp *g) {
    Ins *i = out(r, OP_is_record_accessible, 3);
    set_sure_label(r, &i->a[0], &g->arg[0]);
    set_value(r, &i->a[1], &g->arg[1]);
    i->a[2].kind = OPERAND_TERM;
    i->a[2].term = g->arg[2].term == A_external ? NIL : r->pr->file->module;
    return 1;
}

static uint32_t rewrite_get_record_elements(Rewriter *r, const GenericOp *g) {
    static const Arg kept = {.kind = ARG_X, .value = MAX_X - 1};
    const Arg *record = &g->arg[1], *list = g->arg[2].list;
    uint32_t n = g->arg[2].value;
    for (uint32_t k = 0; k + 2 < n && record != &kept; k += 2) {
        if (same_arg(&list[k + 1], record)) { /* overwritten while it is still needed */
            Ins *i = out(r, OP_move, 2);
            set_value(r, &i->a[0], record);
            set_value(r, &i->a[1], &kept);
            record = &kept;
        }
    }
    for (uint32_t k = 0; k + 1 < n; k += 2) {
        Ins *i = out(r, OP_get_record_element, 4);
        set_sure_label(r, &i->a[0], &g->arg[0]);
        set_value(r, &i->a[1], record);
        set_value(r, &i->a[2], &list[k]);
        set_value(r, &i->a[3], &list[k + 1]);
    }
    return 1;
}

/* The template of the file's record of this name; NONE: there is none. */
static term template_of(const BeamFile *file, term name) {
    for (uint32_t i = 0; i < file->record_count; i++) {
        if (file->records[i].name == name) {
            return file->records[i].template;
        }
    }
    return NONE;
}

static uint32_t rewrite_put_record(Rewriter *r, const GenericOp *g) {
    const Arg *id = &g->arg[1], *from = &g->arg[2];
    bool create = from->kind == ARG_TERM && from->term == NIL, local = create && is_atom(id->term);
    Ins *i = out(r, !create ? OP_change_record : local ? OP_create_record : OP_create_external_record, 3);
    set_value(r, &i->a[0], create ? id : from);
    set_value(r, &i->a[1], &g->arg[3]);
    set_list(r, &i->a[2], &g->arg[5]);
    if (local) {
        i->a[0].term = template_of(r->pr->file, id->term);
        return i->a[0].term != NONE;
    }
    return 1;
}

/* --- The rules ----------------------------------------------------------------------------------------------------- */

/* A rule is a row of bytes: how many they are, steps that are conditions, steps that make instructions. */
typedef enum {
    RULE_KIND,     /* place, kinds: the operand is one of these kinds */
    RULE_SAME,     /* place, place: they are the same */
    RULE_NEXT,     /* n, GEN_...: the generic instruction n places further on is such a one */
    RULE_IF,       /* condition, place, place */
    RULE_REGISTER, /* n, place: the operand, put into a register if it is a constant, is known as GIVEN(n) */
    RULE_INS,      /* OP_..., n, and for each of its n operands a setter and a place */
    RULE_CALL,     /* function: it does the work */
    RULE_DONE,     /* n: so many generic instructions have been rewritten */
} RuleStep;

typedef bool RuleCondition(Rewriter *r, const Arg *a, const Arg *b);
typedef void RuleSetter(Rewriter *r, Operand *o, const Arg *a);
typedef uint32_t RuleFunction(Rewriter *r, const GenericOp *g);

typedef struct {
    uint32_t name; /* an atom; 0: any */
    uint16_t arity, rules;
} BifRules;

/* Places: operand k of the nth generic instruction, or what RULE_REGISTER has made. */
#define AT(n, k) ((n) << 4 | (k))
#define GIVEN(n) (0xf0 | (n))
enum { SET_NUMBER = 0xff, SET_VALUE = 0 }; /* setters: the place is the number; set_value, which gen_ops.py puts first */
static const uint8_t register_kinds[] = {[ARG_X] = OPERAND_X, [ARG_Y] = OPERAND_Y, [ARG_F] = OPERAND_FLOAT};

/* Kinds as bits. ARG_NONE, which no operand is, stands for a label that is none. */
#define K(kind) (1 << ARG_##kind)

#include "gen/rules.inc"

static_assert(OP_COUNT <= 256 && GEN_COUNT <= 256 && ARG_LITERAL < 8, "bytes are enough for rules");

/* Whether the conditions of a rule hold. Then *rule is at what it makes. */
static bool rule_holds(Rewriter *r, const GenericOp *g, const uint8_t **rule) {
#define PLACE(at) (&g[(at) >> 4].arg[(at)&15])
    for (const uint8_t *at = *rule;; at += 3) {
        switch (at[0]) {
        case RULE_KIND: {
            const Arg *a = PLACE(at[1]);
            unsigned kind = a->kind == ARG_LABEL && a->value == 0 ? (unsigned)ARG_NONE : a->kind;
            if ((at[2] >> kind & 1) == 0) {
                return false;
            }
            break;
        }
        case RULE_SAME:
            if (!same_arg(PLACE(at[1]), PLACE(at[2]))) {
                return false;
            }
            break;
        case RULE_NEXT:
            if (!next_is(r, g, at[1], at[2])) {
                return false;
            }
            break;
        case RULE_IF:
            if (!conditions[at[1]](r, PLACE(at[2]), PLACE(at[3]))) {
                return false;
            }
            at++;
            break;
        default: *rule = at; return true;
        }
    }
}

static uint32_t rule_make(Rewriter *r, const GenericOp *g, const uint8_t *at) {
    const Arg *given[ARRAY_LEN(r->scratch) + 1];
    for (;;) {
        switch (at[0]) {
        case RULE_REGISTER:
            given[at[1]] = in_register(r, PLACE(at[2]), at[1]);
            at += 3;
            break;
        case RULE_INS: {
            unsigned count = at[2];
            Operand *o = out(r, at[1], at[2])->a;
            for (at += 3; count > 0; count--, o++, at += 2) {
                if (at[0] == SET_NUMBER) {
                    set_number(o, at[1]);
                    continue;
                }
                const Arg *a = at[1] >= GIVEN(0) ? given[at[1] & 15] : PLACE(at[1]);
                if (at[0] == SET_VALUE && a->kind <= ARG_F) { /* most are registers */
                    *o = (Operand){.kind = register_kinds[a->kind], .type = a->type, .index = a->value};
                } else {
                    setters[at[0]](r, o, a);
                }
            }
            break;
        }
        case RULE_CALL: return functions[at[1]](r, g);
        default: return at[1]; /* RULE_DONE */
        }
    }
#undef PLACE
}

/* The first rule that fits; 0: none does. */
static uint32_t apply_rules(Rewriter *r, const GenericOp *g, const uint8_t *rule) {
    for (; rule[0] != 0; rule += rule[0]) {
        const uint8_t *at = rule + 1;
        if (at[0] >= RULE_REGISTER || rule_holds(r, g, &at)) { /* most have no conditions */
            return rule_make(r, g, at);
        }
    }
    return 0;
}

static bool apply_bif_rules(Rewriter *r, term name, unsigned arity, const GenericOp *g) {
    for (const BifRules *b = bif_rules; b < bif_rules + ARRAY_LEN(bif_rules); b++) {
        if (b->arity == arity && (b->name == name || b->name == 0) && apply_rules(r, g, rules + b->rules) > 0) {
            return true;
        }
    }
    return false;
}

/* --- What the verifier could not prove ----------------------------------------------------------------------------- */

static void require(Rewriter *r, uint16_t op, const Arg *value, uintptr_t number) {
    Ins *i = out(r, op, (uint8_t)op_operands(op));
    set_value(r, &i->a[0], value);
    if (i->count > 1) {
        set_number(&i->a[1], number);
    }
}

static bool same_register(const Arg *a, const Arg *b) {
    return a->kind == b->kind && a->value == b->value;
}

/* Elements that are taken from one tuple in a row are required together. */
static void require_elements(Rewriter *r, const GenericOp *g) {
    uint32_t most = 0;
    const Arg *tuple = &g->arg[0];
    if (g < r->required) {
        return;
    }
    do {
        most = MAX(most, g->arg[1].value + 1);
        r->required = ++g;
    } while (g < r->end && g->op == GEN_get_tuple_element && same_register(&g->arg[0], tuple) && !same_register(&g[-1].arg[2], tuple));
    require(r, OP_require_element, tuple, HEADER(most, KIND_TUPLE));
}

static void add_requirements(Rewriter *r, const GenericOp *g) {
    switch (g->op) {
    case GEN_get_tuple_element: require_elements(r, g); break;
    case GEN_set_tuple_element: require(r, OP_require_element, &g->arg[1], HEADER(g->arg[2].value + 1, KIND_TUPLE)); break;
    case GEN_update_record: require(r, OP_require_arity, &g->arg[2], HEADER(g->arg[1].value, KIND_TUPLE)); break;
    case GEN_get_list:
    case GEN_get_hd:
    case GEN_get_tl: require(r, OP_require_cons, &g->arg[0], 0); break;
    case GEN_put_map_assoc:
    case GEN_put_map_exact:
    case GEN_has_map_fields:
    case GEN_get_map_elements: require(r, OP_require_map, &g->arg[1], 0); break;
    case GEN_test_arity: {
        Ins *i = out(r, OP_is_tuple, 2);
        set_sure_label(r, &i->a[0], &g->arg[0]);
        set_value(r, &i->a[1], in_register(r, &g->arg[1], 1));
        break;
    }
    case GEN_fmove: /* has an instruction of its own */
    case GEN_bs_start_match4:
    case GEN_select_tuple_arity: break; /* check by themselves */
    case GEN_bs_save2:
    case GEN_bs_restore2:
    case GEN_bs_get_tail:
    case GEN_bs_get_position:
    case GEN_bs_set_position: require(r, OP_require_context, &g->arg[0], 0); break;
    default: require(r, OP_require_context, &g->arg[1], 0); break; /* of the bit syntax */
    }
}

static bool rewrite_error(Rewriter *r, const GenericOp *g) {
    return load_error(r->pr->error, "Code", g->offset, "instruction %u is not supported here", g->op);
}

/* A function that is built in: its own code is there for systems without it. It is called by its name as a built-in, but a
   local fun leads here. */
static const BeamFunction *add_built_in(Rewriter *r, const GenericOp *label) {
    const BeamFunction *f = r->has_bifs ? beam_function(r->pr->file, label->arg[0].value) : NULL;
    const BeamImport import = {.module = r->pr->file->module, .name = f == NULL ? NIL : f->name, .arity = f == NULL ? 0 : f->arity};
    const BifEntry *b = f == NULL ? NULL : built_in(r, &import);
    if (b == NULL) {
        return NULL;
    }
    set_pointer(&out(r, OP_call_bif_only, 1)->a[0], b);
    return f;
}

static bool rewrite_all(Rewriter *r, const BeamFile *file) {
    for (const GenericOp *g = file->ops; g < r->end;) {
        if (g->flags & OP_DEAD && g->op != GEN_label && g->op != GEN_func_info && g->op != GEN_line) {
            g++;
            continue;
        }
        r->pr->origin = (uint32_t)(g - file->ops);
        if (g->flags & OP_UNPROVED) {
            add_requirements(r, g);
        }
        if (g->flags & OP_PRESET) {
            Ins *i = out(r, OP_move, 2);
            set_value(r, &i->a[0], &(Arg){.kind = ARG_TERM, .term = NIL});
            set_value(r, &i->a[1], &g->arg[g->count - 1]);
        }
        uint32_t used = apply_rules(r, g, rules + rules_of[g->op]);
        if (r->pr->no_memory) {
            r->pr->error->no_memory = true;
            return load_error(r->pr->error, "Code", g->offset, "out of memory");
        }
        if (used == 0) {
            return rewrite_error(r, g);
        }
        g += used;
        if (g[-1].op == GEN_label) {
            const BeamFunction *f = add_built_in(r, &g[-1]);
            g = f != NULL ? file->ops + f->end : g;
        }
        if (g[-1].flags & OP_STOP) {
            out(r, OP_bad_code, 0);
        }
    }
    if (r->bad_label != 0) {
        out(r, OP_label, 1)->a[0] = (Operand){.kind = OPERAND_LABEL, .index = r->bad_label};
        out(r, OP_bad_code, 0);
    }
    return !r->pr->no_memory;
}

/* Instructions point into the string table: the code has a copy. */
static bool copy_strings(Program *pr) {
    Bytes from = pr->file->strings;
    if (pr->file->chunks != NULL) {
        pr->code->strings = from;
        return true;
    }
    uint8_t *to = mem_alloc(&pr->vm->mem, MEM_CODE, MAX(from.size, (size_t)1));
    if (to == NULL) {
        pr->error->no_memory = true;
        return load_error(pr->error, "StrT", -1, "out of memory");
    }
    if (from.size > 0) {
        memcpy(to, from.at, from.size);
    }
    pr->code->strings = (Bytes){to, from.size};
    return true;
}

Program *rewrite(VM *vm, const BeamFile *file, Lambda **lambdas, ModuleCode *code, uint32_t first_function, LoadError *error) {
    Program *pr = ARENA_ARRAY(file->work, Program, 1);
    if (pr == NULL) {
        error->no_memory = true;
        load_error(error, "Code", -1, "out of memory");
        return NULL;
    }
    pr->vm = vm;
    pr->file = file;
    pr->code = code;
    pr->first_function = first_function;
    pr->lambdas = lambdas;
    pr->labels = file->labels;
    pr->error = error;
    int release = file->max_opcode >= GEN_debug_line ? 29 : file->max_opcode >= GEN_update_record ? 26 : 0;
    vm->code->compiled_for = MAX(vm->code->compiled_for, release);
    Rewriter r = {.pr = pr, .end = file->ops + file->op_count, .has_bifs = bif_find_module(vm->bifs, file->module)};
    if (!copy_strings(pr) ? !load_no_memory(error) : !rewrite_all(&r, file)) {
        rewrite_free(vm, code);
        return NULL;
    }
    return pr;
}

void rewrite_free(VM *vm, ModuleCode *code) {
    if (code->strings.at != NULL && code->source == NULL) {
        mem_free(&vm->mem, MEM_CODE, (void *)code->strings.at, MAX(code->strings.size, (size_t)1));
        code->strings.at = NULL;
    }
}
