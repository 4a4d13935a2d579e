/* Compiling match specifications. */
#include "table/match_spec.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/stack.h"
#include "data/map.h"
#include "term/atom.h"
#include "term/compare.h"
#include "term/copy.h"
#include "term/print.h"

enum { MAX_DEPTH = 1000, FIRST_CODE = 64, FIRST_VARIABLES = 16 };

/* '$7' -> 7; -1: no variable. */
static int64_t variable_number(VM *vm, term t) {
    if (!is_atom(t)) {
        return -1;
    }
    Bytes text = atom_text(vm, t);
    int64_t n = 0;
    if (text.size < 2 || text.size > 9 || text.at[0] != '$') {
        return -1;
    }
    for (size_t i = 1; i < text.size; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return -1;
        }
        n = 10 * n + text.at[i] - '0';
    }
    return n;
}

bool is_match_variable(VM *vm, term t) {
    return variable_number(vm, t) >= 0;
}

typedef struct {
    term name; /* NONE: free */
    int64_t number;
    size_t value;
} Variable;

typedef struct {
    VM *vm;
    MatchSpec *m;
    const MatchOptions *options;
    bool in_guard;
    Variable *variables; /* of the clause at hand: open addressing by name */
    size_t variable_count, variable_room;
    size_t values; /* used by the clause at hand */
    size_t stack;  /* values on the stack at this point */
    bool copies;   /* what is compiled becomes part of the result */
    term reason;   /* NONE: all is well */
} Compiler;

static bool fail(Compiler *c, term reason) {
    c->reason = reason;
    return false;
}

static void emit(Compiler *c, uintptr_t word);
static void emit_const(Compiler *c, term t);

/* A mistake in the specification, in words; %T stands for the term. When all are wanted, compiling goes on, as if there were a constant
   in its place. */
static bool mistake(Compiler *c, const char *words, term t) {
    Text *out = c->options->mistakes;
    if (out == NULL) {
        return fail(c, A_badarg);
    }
    const char *at = strstr(words, "%T");
    text_add(out, words, at == NULL ? strlen(words) : (size_t)(at - words));
    if (at != NULL) {
        term_print(out, c->vm, t, &(PrintOptions){.as_display = true});
        text_string(out, at + 2);
    }
    text_byte(out, 0);
    emit_const(c, NIL);
    return true;
}

static void emit(Compiler *c, uintptr_t word) {
    MatchSpec *m = c->m;
    if (m->code_size == m->code_room) {
        size_t room = MAX((size_t)FIRST_CODE, 2 * m->code_room);
        uintptr_t *code = mem_resize(&c->vm->mem, MEM_SYSTEM, m->code, m->code_room * sizeof *code, room * sizeof *code);
        if (code == NULL) {
            fail(c, A_system_limit);
            return;
        }
        m->code = code, m->code_room = room;
    }
    m->code[m->code_size++] = word;
}

static void emit_1(Compiler *c, MatchOp op, uintptr_t a) {
    emit(c, op);
    emit(c, a);
}

static size_t new_value(Compiler *c) {
    size_t v = c->values++;
    c->m->values = MAX(c->m->values, c->values);
    return v;
}

/* Variables. */

static Variable *find_variable(const Compiler *c, term name) {
    for (size_t i = atom_index(name) * (size_t)0x9e3779b1; c->variable_room > 0; i++) {
        Variable *v = &c->variables[i & (c->variable_room - 1)];
        if (v->name == name || v->name == NONE) {
            return v;
        }
    }
    return NULL;
}

static bool add_variable(Compiler *c, term name, int64_t number) {
    if (2 * (c->variable_count + 1) > c->variable_room) {
        Compiler old = *c;
        c->variable_room = MAX((size_t)FIRST_VARIABLES, 2 * c->variable_room);
        c->variables = mem_zalloc(&c->vm->mem, MEM_TEMPORARY, c->variable_room * sizeof *c->variables);
        if (c->variables == NULL) {
            c->variables = old.variables, c->variable_room = old.variable_room;
            return fail(c, A_system_limit);
        }
        for (size_t i = 0; i < old.variable_room; i++) {
            if (old.variables[i].name != NONE) {
                *find_variable(c, old.variables[i].name) = old.variables[i];
            }
        }
        mem_free(&c->vm->mem, MEM_TEMPORARY, old.variables, old.variable_room * sizeof *c->variables);
    }
    *find_variable(c, name) = (Variable){name, number, new_value(c)};
    c->variable_count++;
    return true;
}

static void free_variables(Compiler *c) {
    mem_free(&c->vm->mem, MEM_TEMPORARY, c->variables, c->variable_room * sizeof *c->variables);
    c->variables = NULL;
    c->variable_count = c->variable_room = 0;
}

/* Patterns. Compound elements wait on `later`; the run's stack of pointers is always as high as this one. Maps wait with the
   value that holds them in front. */

static void compile_element(Compiler *c, term t, Stack *later, size_t *waiting) {
    int64_t number = variable_number(c->vm, t);
    if (number >= 0) {
        const Variable *v = find_variable(c, t);
        bool known = v != NULL && v->name == t;
        if (known || add_variable(c, t, number)) {
            emit_1(c, known ? MATCH_SAME : MATCH_BIND, find_variable(c, t)->value);
        }
    } else if (t == A_underscore) {
        emit(c, MATCH_ANY);
    } else if (is_immediate(t)) {
        emit_1(c, MATCH_WORD, t);
    } else if (is_map(t)) {
        size_t value = new_value(c);
        emit_1(c, MATCH_MAP, value);
        emit(c, map_size(t));
        stack_push(later, value);
        stack_push(later, t);
    } else if (is_cons(t) || is_tuple(t)) {
        if (is_cons(t)) {
            emit(c, MATCH_CONS);
        } else {
            emit_1(c, MATCH_TUPLE, tuple_arity(t));
        }
        c->m->pointers = MAX(c->m->pointers, ++*waiting);
        stack_push(later, t);
    } else {
        emit_1(c, MATCH_TERM, t);
    }
}

static void compile_pattern(Compiler *c, term pattern) {
    Stack later;
    stack_init(&later);
    size_t waiting = 0;
    compile_element(c, pattern, &later, &waiting);
    while (!stack_is_empty(&later) && c->reason == NONE) {
        term t = stack_pop(&later);
        if (is_map(t)) {
            size_t value = stack_pop(&later);
            MapWalk w;
            for (map_walk(&w, t); map_next(&w);) {
                if (variable_number(c->vm, w.key) >= 0 || w.key == A_underscore) {
                    mistake(c, w.key == A_underscore ? "Underscore found in map key." : "Variable found in map key.", NIL);
                    fail(c, A_badarg);
                }
                emit_1(c, MATCH_KEY, value);
                emit(c, w.key);
                emit(c, new_value(c));
                compile_element(c, w.value, &later, &waiting);
            }
            continue;
        }
        emit(c, MATCH_POP);
        waiting--;
        const term *at = is_cons(t) ? cons_cell(t) : boxed(t) + 1;
        for (size_t n = is_cons(t) ? 2 : tuple_arity(t); n > 0 && c->reason == NONE; n--) {
            compile_element(c, *at++, &later, &waiting);
        }
    }
    stack_done(&later);
}

/* Expressions. */

static void pushed(Compiler *c) {
    c->m->stack = MAX(c->m->stack, ++c->stack);
}

static void emit_const(Compiler *c, term t) {
    emit_1(c, c->copies && !is_immediate(t) ? EXPR_COPY_CONST : EXPR_CONST, t);
    pushed(c);
}

/* Stands for itself: not even to be looked into. */
static bool is_plain(const Compiler *c, term t) {
    return is_immediate(t) ? variable_number(c->vm, t) < 0 && t != A_dollar_underscore && t != A_dollar_dollar
                           : !is_cons(t) && !is_tuple(t) && !is_map(t);
}

static bool is_plain_list(const Compiler *c, term t) {
    while (is_cons(t) && is_plain(c, head(t))) {
        t = tail(t);
    }
    return !is_cons(t) && is_plain(c, t);
}

static bool compile_expression(Compiler *c, term t, int depth);

static bool compile_list(Compiler *c, term t, int depth) {
    if (is_plain_list(c, t)) {
        emit_const(c, t);
        return true;
    }
    size_t n = 0;
    for (; is_cons(t); t = tail(t), n++) {
        if (!compile_expression(c, head(t), depth)) {
            return false;
        }
    }
    if (!compile_expression(c, t, depth)) {
        return false;
    }
    emit_1(c, EXPR_LIST, n);
    c->stack -= n;
    return true;
}

static bool compile_tuple(Compiler *c, term t, int depth) {
    size_t n = tuple_arity(t);
    for (size_t i = 1; i <= n; i++) {
        if (!compile_expression(c, element(t, i), depth)) {
            return false;
        }
    }
    emit_1(c, EXPR_MAKE_TUPLE, n);
    c->stack -= n;
    pushed(c);
    return true;
}

static bool compile_map(Compiler *c, term t, int depth) {
    MapWalk w;
    for (map_walk(&w, t); map_next(&w);) {
        if (!compile_expression(c, w.key, depth) || !compile_expression(c, w.value, depth)) {
            return false;
        }
    }
    emit_1(c, EXPR_MAKE_MAP, map_size(t));
    c->stack -= 2 * map_size(t);
    pushed(c);
    return true;
}

static int compare_variables(const Variable *a, const Variable *b) {
    return (a->number > b->number) - (a->number < b->number);
}

/* '$$': the values of all variables, in the order of their numbers. */
static bool compile_bindings(Compiler *c) {
    size_t n = c->variable_count;
    Variable *sorted = mem_alloc(&c->vm->mem, MEM_TEMPORARY, (n + 1) * sizeof *sorted);
    if (sorted == NULL) {
        return fail(c, A_system_limit);
    }
    size_t count = 0;
    for (size_t i = 0; i < c->variable_room; i++) {
        if (c->variables[i].name != NONE) {
            sorted[count++] = c->variables[i];
        }
    }
    qsort(sorted, count, sizeof *sorted, (int (*)(const void *, const void *))compare_variables);
    emit_1(c, EXPR_BINDINGS, c->copies);
    emit(c, count);
    for (size_t i = 0; i < count; i++) {
        emit(c, sorted[i].value);
    }
    mem_free(&c->vm->mem, MEM_TEMPORARY, sorted, (n + 1) * sizeof *sorted);
    pushed(c);
    return true;
}

/* 'and', 'or': all arguments are evaluated. */
static bool compile_and_or(Compiler *c, term t, MatchOp op, int depth) {
    size_t n = tuple_arity(t) - 1;
    if (n == 0) {
        return mistake(
            c, op == EXPR_AND ? "Special form 'and' called without arguments in %T." : "Special form 'or' called without arguments in %T.",
            t);
    }
    for (size_t i = 2; i <= n + 1; i++) {
        if (!compile_expression(c, element(t, i), depth)) {
            return false;
        }
    }
    emit_1(c, op, n);
    c->stack -= n - 1;
    return true;
}

/* 'andalso', 'orelse': each but the last decides whether to go on. */
static bool compile_lazy(Compiler *c, term t, MatchOp op, int depth) {
    size_t n = tuple_arity(t) - 1;
    if (n == 0) {
        return mistake(c,
                       op == EXPR_OR_ELSE ? "Special form 'orelse' called without arguments in %T."
                                          : "Special form 'andalso' called without arguments in %T.",
                       t);
    }
    Stack jumps;
    stack_init(&jumps);
    bool ok = true;
    for (size_t i = 2; i <= n + 1 && ok; i++) {
        ok = compile_expression(c, element(t, i), depth);
        if (ok && i <= n) {
            emit_1(c, op, 0);
            stack_push(&jumps, c->m->code_size - 1);
            c->stack--;
        }
    }
    while (!stack_is_empty(&jumps)) {
        size_t at = stack_pop(&jumps);
        if (c->reason == NONE) {
            c->m->code[at] = c->m->code_size - at - 1;
        }
    }
    stack_done(&jumps);
    return ok;
}

/* What has a meaning only in traces. */
static bool is_trace_form(term name) {
    static const term names[] = {A_message,       A_return_trace,  A_exception_trace, A_process_dump, A_enable_trace,
                                 A_disable_trace, A_trace,         A_caller,          A_caller_line,  A_current_stacktrace,
                                 A_silent,        A_set_seq_token, A_get_seq_token,   A_is_seq_trace, A_display};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i] == name) {
            return true;
        }
    }
    return false;
}

static const MatchForm *trace_form(const Compiler *c, term name) {
    for (size_t i = 0; c->options->dialect == MATCH_TRACE && i < c->options->form_count; i++) {
        if (c->options->forms[i].name == name) {
            return &c->options->forms[i];
        }
    }
    return NULL;
}

/* Is the form right in this place? Else says what is wrong with it. */
static bool form_fits(Compiler *c, const MatchForm *f, size_t arity, term t) {
    if (f->of_calls && c->options->no_call) {
        mistake(c, "Special form '%T' not allow for this trace event.", f->name);
    } else if (c->in_guard && !f->in_guards) {
        mistake(c, "Special form '%T' called in guard context.", f->name);
    } else if (arity < f->least || arity > f->most) {
        Bytes name = atom_text(c->vm, f->name);
        char words[120];
        snprintf(words, sizeof words, "Special form '%.*s' called with %s in %%T.", (int)name.size, (const char *)name.at,
                 f->most == 0 ? "arguments" : "wrong number of arguments");
        mistake(c, words, t);
    } else {
        return true;
    }
    return false;
}

static bool no_function(Compiler *c, term t) {
    term name = element(t, 1);
    char words[100];
    if (c->options->dialect == MATCH_TABLE && is_trace_form(name)) {
        return mistake(c, "Special form '%T' used in wrong dialect.", name);
    }
    if (c->options->dialect == MATCH_TABLE && (name == A_get_tcw || name == A_set_tcw)) {
        snprintf(words, sizeof words, "Function %%T/%zu cannot be called in this context.", tuple_arity(t) - 1);
    } else {
        snprintf(words, sizeof words, "Function %%T/%zu does_not_exist.", tuple_arity(t) - 1);
    }
    return mistake(c, words, name);
}

static bool compile_call(Compiler *c, term t, int depth) {
    term name = element(t, 1);
    size_t arity = tuple_arity(t) - 1;
    if (name == A_const) {
        if (arity != 1) {
            return mistake(c, "Special form 'const' called with more than one argument in %T.", t);
        }
        emit_const(c, element(t, 2));
        return true;
    }
    if (name == A_self) {
        if (arity != 0) {
            return mistake(c, "Special form 'self' called with arguments in %T.", t);
        }
        emit(c, EXPR_SELF);
        pushed(c);
        return true;
    }
    bool copies = c->copies, ok = true;
    c->copies = false; /* arguments are only looked at */
    if (name == A_and || name == A_or) {
        ok = compile_and_or(c, t, name == A_and ? EXPR_AND : EXPR_OR, depth);
    } else if (name == A_andalso || name == A_andthen || name == A_orelse) {
        ok = compile_lazy(c, t, name == A_orelse ? EXPR_OR_ELSE : EXPR_AND_ALSO, depth);
    } else {
        bool length = name == A_length && arity == 1;
        const MatchForm *form = trace_form(c, name);
        if (form != NULL && !form_fits(c, form, arity, t)) {
            c->copies = copies;
            return c->reason == NONE;
        }
        GuardFunction *f = length ? NULL : form != NULL ? form->function[arity - form->least] : c->options->lookup(c->vm, name, arity);
        if (f == NULL && !length) {
            c->copies = copies;
            return no_function(c, t);
        }
        for (size_t i = 2; i <= arity + 1 && ok; i++) {
            ok = compile_expression(c, element(t, i), depth);
        }
        if (length) {
            emit(c, EXPR_LENGTH);
        } else {
            emit_1(c, copies ? EXPR_COPY_CALL : EXPR_CALL, (uintptr_t)f);
            emit(c, arity);
            c->stack -= arity;
            pushed(c);
        }
    }
    c->copies = copies;
    return ok;
}

static bool compile_expression(Compiler *c, term t, int depth) {
    if (c->reason != NONE || depth > MAX_DEPTH) {
        return c->reason == NONE ? fail(c, A_system_limit) : false;
    }
    if (is_plain(c, t)) {
        emit_const(c, t);
    } else if (t == A_dollar_underscore) {
        emit(c, c->copies ? EXPR_COPY_OBJECT : EXPR_OBJECT);
        pushed(c);
    } else if (t == A_dollar_dollar) {
        return compile_bindings(c);
    } else if (is_atom(t)) {
        const Variable *v = find_variable(c, t);
        if (v == NULL || v->name != t) {
            char words[50];
            snprintf(words, sizeof words, "Variable $%d is unbound.", (int)variable_number(c->vm, t));
            return mistake(c, words, NIL);
        }
        emit_1(c, c->copies ? EXPR_COPY_VALUE : EXPR_VALUE, v->value);
        pushed(c);
    } else if (is_cons(t)) {
        return compile_list(c, t, depth + 1);
    } else if (is_map(t)) {
        return compile_map(c, t, depth + 1);
    } else if (is_tuple_of(t, 1) && is_tuple(element(t, 1))) {
        return compile_tuple(c, element(t, 1), depth + 1);
    } else if (tuple_arity(t) >= 1 && is_atom(element(t, 1)) && variable_number(c->vm, element(t, 1)) < 0) {
        return compile_call(c, t, depth + 1);
    } else {
        return mistake(c, "%T is neither a function call, nor a tuple (tuples are written {{ ... }}).", t);
    }
    return true;
}

static bool compile_guards(Compiler *c, term guards) {
    c->copies = false;
    c->in_guard = true;
    for (term list = guards; is_cons(list) || list != NIL; list = tail(list)) {
        if (!is_cons(list)) {
            return mistake(c, list == guards ? "Match expression is not a list." : "Match expression is not a proper list.", NIL);
        }
        if (!compile_expression(c, head(list), 0)) {
            return false;
        }
        emit(c, EXPR_GUARD);
        c->stack--;
    }
    return true;
}

static bool compile_body(Compiler *c, term body) {
    c->in_guard = false;
    bool calls = c->options->dialect == MATCH_TRACE;
    if (!is_cons(body) && !(calls && body == NIL)) {
        return mistake(c, calls ? "Match expression is not a list." : "Body clause does not return anything.", NIL);
    }
    for (; is_cons(body); body = tail(body)) {
        c->copies = !calls && !is_cons(tail(body)); /* the last one is the result */
        if (!compile_expression(c, head(body), 0)) {
            return false;
        }
        emit(c, c->copies ? EXPR_RETURN : EXPR_DROP);
        c->stack--;
    }
    if (calls) {
        emit_const(c, A_true);
        emit(c, EXPR_RETURN);
    }
    return body == NIL || mistake(c, "Match expression is not a proper list.", NIL);
}

static bool compile_clause(Compiler *c, term clause) {
    if (!is_tuple_of(clause, 3)) {
        return fail(c, A_badarg);
    }
    term pattern = element(clause, 1);
    c->values = c->stack = 0;
    if (c->options->dialect == MATCH_TRACE && !is_list(pattern) && pattern != A_underscore && !is_match_variable(c->vm, pattern)) {
        mistake(c, "Match head is invalid in this context.", NIL);
        return fail(c, A_badarg);
    }
    term rest = c->options->dialect == MATCH_TRACE ? pattern : NIL;
    while (is_cons(rest)) {
        rest = tail(rest);
    }
    if (is_cons(pattern) && rest != NIL) {
        mistake(c, "Match expression part %T is not a proper list.", pattern);
        return fail(c, A_badarg);
    }
    compile_pattern(c, pattern);
    bool ok = c->reason == NONE && compile_guards(c, element(clause, 2));
    emit(c, EXPR_CATCH);
    ok = ok && compile_body(c, element(clause, 3));
    free_variables(c);
    return ok;
}

static void match_destroy(VM *vm, Resource *r) {
    MatchSpec *m = (MatchSpec *)r;
    if (m->spec != NULL) {
        object_free_as(vm, MEM_SYSTEM, m->spec);
    }
    mem_free(&vm->mem, MEM_SYSTEM, m->code, m->code_room * sizeof *m->code);
    mem_free(&vm->mem, MEM_SYSTEM, m->starts, m->starts == NULL ? 0 : (m->clauses + 1) * sizeof *m->starts);
    MEM_DELETE(&vm->mem, MEM_SYSTEM, m);
}

MatchSpec *match_spec_of(term ref) {
    if (!is_magic_ref(ref)) {
        return NULL;
    }
    Resource *r = (Resource *)((Ref *)boxed(ref))->of;
    return r->destroy == match_destroy ? (MatchSpec *)r : NULL;
}

term match_pattern(const MatchSpec *m, size_t clause) {
    term list = m->spec->data[1];
    while (clause-- > 0) {
        list = tail(list);
    }
    return element(head(list), 1);
}

MatchSpec *match_compile(VM *vm, term spec, const MatchOptions *o, term *reason) {
    size_t clauses = 0;
    term list = spec;
    for (; is_cons(list); list = tail(list)) {
        clauses++;
    }
    *reason = A_badarg;
    if (list != NIL || (clauses == 0 && o->at_least_one)) {
        if (o->mistakes != NULL) {
            text_string(o->mistakes, clauses == 0 ? "Match programs are not in a list." : "Match programs are not in a proper list.");
            text_byte(o->mistakes, 0);
        }
        return NULL;
    }
    *reason = A_system_limit;
    MatchSpec *m = MEM_NEW(&vm->mem, MEM_SYSTEM, MatchSpec);
    if (m == NULL) {
        return NULL;
    }
    m->resource = (Resource){.refs = 1, .destroy = match_destroy};
    const term tuple[2] = {HEADER(1, KIND_TUPLE), spec};
    m->spec = object_new_as(vm, MEM_SYSTEM, make_boxed(tuple));
    m->clauses = clauses;
    m->starts = mem_alloc(&vm->mem, MEM_SYSTEM, (clauses + 1) * sizeof *m->starts);
    Compiler c = {.vm = vm, .m = m, .options = o};
    if (m->spec == NULL || m->starts == NULL) {
        c.reason = A_system_limit;
    } else {
        list = m->spec->data[1];
        for (size_t i = 0; i < clauses && c.reason == NONE; i++, list = tail(list)) {
            m->starts[i] = m->code_size;
            compile_clause(&c, head(list));
        }
        m->starts[clauses] = m->code_size;
    }
    free_variables(&c);
    if (c.reason == NONE && o->mistakes != NULL && o->mistakes->size > 0) {
        c.reason = A_badarg;
    }
    if (c.reason != NONE) {
        *reason = c.reason;
        resource_release(vm, &m->resource);
        return NULL;
    }
    return m;
}

/* What a pattern says about the key before anything is looked at. */

static bool is_variable(VM *vm, term t) {
    return t == A_underscore || variable_number(vm, t) >= 0;
}

/* Is there a variable in it, or a map? */
static bool contains(VM *vm, term pattern, bool map) {
    Stack s;
    stack_init(&s);
    stack_push(&s, pattern);
    bool found = false;
    while (!found && !stack_is_empty(&s)) {
        term t = stack_pop(&s);
        if (is_immediate(t)) {
            found = !map && is_variable(vm, t);
        } else if (is_cons(t)) {
            stack_push(&s, tail(t));
            stack_push(&s, head(t));
        } else if (is_tuple(t)) {
            size_t n = tuple_arity(t);
            memcpy(stack_room(&s, n), boxed(t) + 1, n * sizeof(term));
        } else if (is_map(t)) {
            found = map;
            MapWalk w;
            for (map_walk(&w, t); !found && map_next(&w);) {
                stack_push(&s, w.key);
                stack_push(&s, w.value);
            }
        }
    }
    stack_done(&s);
    return found;
}

bool match_is_bound(VM *vm, term pattern) {
    return is_immediate(pattern) ? !is_variable(vm, pattern) : !contains(vm, pattern, false);
}

bool match_has_map(VM *vm, term pattern) {
    return contains(vm, pattern, true);
}

/* Does the expression always make what the pattern has matched? `constant`: it stands for itself. */
static bool makes_same(VM *vm, term pattern, term made, bool constant, int depth) {
    if (depth > MAX_DEPTH) {
        return false;
    }
    if (is_immediate(made)) {
        bool special = pattern == A_underscore || pattern == A_dollar_dollar || pattern == A_dollar_underscore;
        return pattern == made && !special && !(constant && variable_number(vm, pattern) >= 0);
    }
    if (is_cons(made)) {
        return is_cons(pattern) && makes_same(vm, head(pattern), head(made), constant, depth + 1) &&
               makes_same(vm, tail(pattern), tail(made), constant, depth + 1);
    }
    if (!is_tuple(made)) { /* a map that is matched may have other pairs */
        return !is_map(made) && term_same(vm, pattern, made);
    }
    if (!constant && is_tuple_of(made, 2) && element(made, 1) == A_const) {
        return makes_same(vm, pattern, element(made, 2), true, depth + 1);
    }
    if (!constant && !(is_tuple_of(made, 1) && is_tuple(element(made, 1)))) {
        return false; /* a function */
    }
    made = constant ? made : element(made, 1);
    bool same = is_tuple_of(pattern, tuple_arity(made));
    for (size_t i = 1; same && i <= tuple_arity(made); i++) {
        same = makes_same(vm, element(pattern, i), element(made, i), constant, depth + 1);
    }
    return same;
}

static term key_in(term tuple, size_t keypos) {
    return is_tuple(tuple) && tuple_arity(tuple) >= keypos ? element(tuple, keypos) : NONE;
}

bool match_keeps_key(VM *vm, size_t keypos, term clause) {
    term key = key_in(element(clause, 1), keypos), body = element(clause, 3);
    if (tail(body) != NIL) {
        return false;
    }
    body = head(body);
    if (body == A_dollar_underscore) {
        return true;
    }
    bool constant = is_tuple_of(body, 2) && element(body, 1) == A_const;
    term made = constant ? key_in(element(body, 2), keypos) : is_tuple_of(body, 1) ? key_in(element(body, 1), keypos) : NONE;
    if (key == NONE || made == NONE) {
        return false;
    }
    bool takes = !constant && is_tuple_of(made, 3) && element(made, 1) == A_element && element(made, 2) == SMALL(keypos) &&
                 element(made, 3) == A_dollar_underscore;
    return takes || makes_same(vm, key, made, constant, 0);
}

int match_compare_partly(VM *vm, term pattern, term key) {
    for (;;) {
        const term *a, *b;
        size_t n;
        if (is_cons(pattern) && is_cons(key)) {
            a = cons_cell(pattern), b = cons_cell(key), n = 2;
        } else if (is_tuple(pattern) && is_tuple(key) && tuple_arity(pattern) == tuple_arity(key)) {
            a = boxed(pattern) + 1, b = boxed(key) + 1, n = tuple_arity(pattern);
        } else {
            /* Of what is not bound, only the type and size of tuples and lists say something. */
            return is_cons(pattern) || is_tuple(pattern) || match_is_bound(vm, pattern) ? term_compare(vm, pattern, key) : 0;
        }
        for (; n > 0 && match_is_bound(vm, *a); a++, b++, n--) {
            int c = term_compare(vm, *a, *b);
            if (c != 0) {
                return c;
            }
        }
        if (n == 0) {
            return 0;
        }
        pattern = *a, key = *b; /* the first one with a variable decides, or nothing does */
    }
}
