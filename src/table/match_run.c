/* Running compiled match specifications. */
#include "table/match_spec.h"

#include "data/map.h"
#include "term/atom.h"
#include "term/bitstring.h"
#include "term/compare.h"
#include "term/copy.h"

enum { SMALL_RUN = 64 }; /* words of room on the C stack */

typedef struct {
    MatchSpec *m;
    Process *p;
    term subject;
    const Object *object; /* values must not point into it; NULL: they may */
    term *values, *stack;
    const term **pointers;
} Run;

static bool points_into(const Object *o, term t) {
    const term *p = (const term *)(t & ~(term)TAG_MASK);
    return p >= o->data && p < o->data + o->words;
}

/* A value that is to outlive the object and the specification. */
static term keep(const Run *r, term t) {
    if (is_immediate(t) || r->object == NULL) {
        return t;
    }
    return term_copy(&r->p->heap, t);
}

/* What a function returned: new, or part of its arguments. */
static term keep_part(const Run *r, term t) {
    if (t == NONE || is_immediate(t)) {
        return t;
    }
    term base = is_kind(t, KIND_VIEW) ? ((View *)boxed(t))->base : t;
    bool leaves = points_into(r->m->spec, t) || points_into(r->m->spec, base) ||
                  (r->object != NULL && (points_into(r->object, t) || points_into(r->object, base)));
    return leaves ? term_copy(&r->p->heap, t) : t;
}

/* The pattern of a clause: does it match? *pc is then behind it. */
static bool match(Run *r, const uintptr_t **code) {
    const uintptr_t *pc = *code;
    const term *at = &r->subject, **waiting = r->pointers;
    VM *vm = process_vm(r->p);
    for (;; pc++) {
        switch (*pc) {
        case MATCH_ANY: at++; break;
        case MATCH_BIND: r->values[*++pc] = *at++; break;
        case MATCH_SAME:
            if (!term_same(vm, r->values[*++pc], *at++)) {
                return false;
            }
            break;
        case MATCH_WORD:
            if (*++pc != *at++) {
                return false;
            }
            break;
        case MATCH_TERM:
            if (!term_same(vm, *++pc, *at++)) {
                return false;
            }
            break;
        case MATCH_TUPLE:
            if (!is_tuple_of(*at, *++pc)) {
                return false;
            }
            *waiting++ = boxed(*at++) + 1;
            break;
        case MATCH_CONS:
            if (!is_cons(*at)) {
                return false;
            }
            *waiting++ = cons_cell(*at++);
            break;
        case MATCH_MAP:
            if (!is_map(*at) || map_size(*at) < pc[2]) {
                return false;
            }
            r->values[pc[1]] = *at++;
            pc += 2;
            break;
        case MATCH_KEY: {
            term value = map_get(vm, r->values[pc[1]], pc[2]);
            if (value == NONE) {
                return false;
            }
            r->values[pc[3]] = value;
            at = &r->values[pc[3]];
            pc += 3;
            break;
        }
        case MATCH_POP: at = *--waiting; break;
        default: *code = pc; return true;
        }
    }
}

static term list_length(term t) {
    intptr_t n = 0;
    for (; is_cons(t); t = tail(t)) {
        n++;
    }
    return t == NIL ? SMALL(n) : NONE;
}

static term make_list(Heap *h, const term *at, size_t n, term rest) {
    return heap_list(h, at, n, rest);
}

static term make_tuple(Heap *h, const term *at, size_t n) {
    if (n == 0) {
        return heap_tuple(h, 0);
    }
    term *p = heap_alloc(h, n + 1);
    if (p == NULL) {
        return heap_no_memory(h);
    }
    p[0] = HEADER(n, KIND_TUPLE);
    memcpy(p + 1, at, n * sizeof *p);
    return make_boxed(p);
}

static term make_bindings(const Run *r, const uintptr_t *operands) {
    bool copies = operands[0];
    size_t n = operands[1];
    Heap *h = &r->p->heap;
    term *cells = n == 0 ? NULL : heap_alloc(h, 2 * n);
    if (cells == NULL) {
        return n == 0 ? NIL : heap_no_memory(h);
    }
    for (size_t i = 0; i < n; i++) {
        term t = r->values[operands[2 + i]];
        t = copies ? keep(r, t) : t;
        if (t == NONE) {
            t = NIL; /* the run fails; no half-made list stays behind */
        }
        cells[2 * i] = t;
        cells[2 * i + 1] = i + 1 < n ? make_cons(cells + 2 * i + 2) : NIL;
    }
    return make_cons(cells);
}

/* 'and', 'or': `ends` is the value that decides. NONE: one is no boolean. */
static term all_of(const term *at, size_t n, term ends, term otherwise) {
    term result = otherwise;
    for (size_t i = n; i > 0; i--) {
        if (at[i - 1] == ends) {
            result = ends;
        } else if (at[i - 1] != otherwise) {
            return NONE;
        }
    }
    return result;
}

/* Guards and body. NONE: a guard failed. In the body failures become the value 'EXIT'. */
static term evaluate(Run *r, const uintptr_t *pc) {
    term *top = r->stack; /* the first free one */
    Heap *h = &r->p->heap;
    bool catches = false;
    for (;; pc++) {
        term t;
        switch (*pc) {
        case EXPR_CONST: *top++ = *++pc; continue;
        case EXPR_COPY_CONST: t = term_copy(h, *++pc); break;
        case EXPR_VALUE: *top++ = r->values[*++pc]; continue;
        case EXPR_COPY_VALUE: t = keep(r, r->values[*++pc]); break;
        case EXPR_OBJECT: *top++ = r->subject; continue;
        case EXPR_COPY_OBJECT: t = r->object == NULL ? r->subject : object_copy(h, r->object); break;
        case EXPR_BINDINGS:
            t = make_bindings(r, pc + 1);
            pc += 2 + pc[2];
            break;
        case EXPR_LIST:
            top -= *++pc + 1;
            t = make_list(h, top, *pc, top[*pc]);
            break;
        case EXPR_MAKE_TUPLE:
            top -= *++pc;
            t = make_tuple(h, top, *pc);
            break;
        case EXPR_MAKE_MAP:
            top -= 2 * *++pc;
            t = map_from_pairs(h, top, *pc);
            break;
        case EXPR_CALL:
        case EXPR_COPY_CALL:
            top -= pc[2];
            t = ((GuardFunction *)pc[1])(r->p, top);
            t = *pc == EXPR_CALL ? t : keep_part(r, t);
            pc += 2;
            break;
        case EXPR_LENGTH: t = list_length(*--top); break;
        case EXPR_SELF: *top++ = r->p->pid; continue;
        case EXPR_AND:
        case EXPR_OR:
            top -= pc[1];
            t = *pc == EXPR_AND ? all_of(top, pc[1], A_false, A_true) : all_of(top, pc[1], A_true, A_false);
            pc++;
            break;
        case EXPR_AND_ALSO:
        case EXPR_OR_ELSE:
            t = *--top;
            if (t == (*pc == EXPR_AND_ALSO ? A_true : A_false)) {
                pc++;
                continue;
            }
            if (t != A_true && t != A_false) {
                t = NONE;
            }
            pc += 1 + pc[1];
            break;
        case EXPR_DROP: top--; continue;
        case EXPR_GUARD:
            if (*--top != A_true) {
                return NONE;
            }
            continue;
        case EXPR_CATCH: catches = true; continue;
        default: assert(*pc == EXPR_RETURN); return *--top;
        }
        if (UNLIKELY(t == NONE)) {
            if (!catches) {
                return NONE;
            }
            t = A_EXIT;
        }
        *top++ = t;
    }
}

static term run(MatchSpec *m, Process *p, term subject, const Object *object) {
    term small[SMALL_RUN], *room = small;
    size_t words = m->values + m->stack + m->pointers;
    VM *vm = process_vm(p);
    if (words > SMALL_RUN) {
        room = mem_alloc(&vm->mem, MEM_TEMPORARY, words * sizeof *room);
        if (room == NULL) {
            return NONE;
        }
    }
    Run r = {m, p, subject, object, room, room + m->values, (const term **)(room + m->values + m->stack)};
    term result = NONE;
    for (size_t i = 0; i < m->clauses && result == NONE; i++) {
        const uintptr_t *pc = m->code + m->starts[i];
        if (match(&r, &pc)) {
            result = evaluate(&r, pc);
        }
    }
    if (room != small) {
        mem_free(&vm->mem, MEM_TEMPORARY, room, words * sizeof *room);
    }
    return result;
}

term match_run(MatchSpec *m, Process *p, term t) {
    return run(m, p, t, NULL);
}

term match_run_object(MatchSpec *m, Process *p, const Object *o, bool look) {
    return run(m, p, object_tuple(o), look ? NULL : o);
}
