/* The rules of each instruction: what must hold before it, and what is known after it. Instructions without a rule of their
   own follow the letters of their operands (by_letters). */
#include "code/verify_state.h"
#include "term/atom.h"

enum { MAX_FRAME = 1024, MAX_UNIT = 256 };

Fact fact_of_constant(const Arg *a) {
    term t = a->term;
    if (is_small(t)) {
        intptr_t n = small_value(t);
        return n >= 0 && n <= FACT_N_MAX ? FACT(FACT_SMALL, n) : (Fact)FACT_ANY;
    }
    if (is_cons(t)) {
        return FACT_CELL;
    }
    if (is_tuple(t)) {
        return FACT(FACT_TUPLE, MIN(tuple_arity(t), (size_t)FACT_N_MAX));
    }
    return is_map(t) ? FACT_MAP : is_float(t) ? FACT_FLOAT : FACT_ANY;
}

static inline Fact fact_of(const Verifier *v, const Arg *a) {
    switch (a->kind) {
    case ARG_X: return state_x(&v->s, a->value);
    case ARG_Y: return a->value < v->s.h.ys ? v->s.y[a->value] : (Fact)FACT_UNSET;
    case ARG_TERM:
    case ARG_LITERAL: return fact_of_constant(a);
    default: return FACT_UNSET;
    }
}

static COLD bool not_readable(Verifier *v, const Arg *a, Fact f) {
    // clang-format off
    static const char *const kinds[16] = {
        [FACT_UNSET] = "not set", [FACT_MATCH] = "a match context", [FACT_MAYBE_MATCH] = "perhaps a match context",
        [FACT_RAISED] = "an exception", [FACT_MAYBE_RAISED] = "perhaps an exception", [FACT_CATCH] = "a catch mark",
        [FACT_TRY] = "a catch mark",
    };
    // clang-format on
    const char *what = kinds[FACT_KIND(f)];
    return FAIL(v, "%c%u is %s", a->kind == ARG_X ? 'x' : 'y', a->value, what != NULL ? what : "a term");
}

static inline bool is_register(const Arg *a) {
    return a->kind == ARG_X || a->kind == ARG_Y;
}

/* A term is read. */
static inline bool reads(Verifier *v, const Arg *a) {
    if (!is_register(a)) {
        return true;
    }
    Fact f = fact_of(v, a);
    return LIKELY(fact_is_term(f)) || not_readable(v, a, f);
}

/* A register is written. */
static inline bool writes(Verifier *v, const Arg *a, Fact f) {
    State *s = &v->s;
    if (a->kind == ARG_X) {
        state_set_x(s, a->value, f);
        return true;
    }
    assert(a->kind == ARG_Y);
    if (UNLIKELY(s->h.frame < 0 || a->value >= s->h.ys)) {
        return FAIL(v, "y%u is not in the frame", a->value);
    }
    Fact old = s->y[a->value];
    if (UNLIKELY(fact_is_mark(old))) {
        return FAIL(v, "y%u is a catch mark", a->value);
    }
    s->h.unset -= old == FACT_UNSET;
    s->y[a->value] = f;
    v->handled = false;
    return true;
}

/* Something becomes known of a register's value. */
static inline void learn(Verifier *v, const Arg *a, Fact f) {
    if (a->kind == ARG_X) {
        v->s.x[a->value] = f;
    } else if (a->kind == ARG_Y) {
        v->s.y[a->value] = f;
        v->handled = false;
    }
}

/* The instruction relies on a value's kind. Without proof it has to check, and may raise. */
static bool relies(Verifier *v, GenericOp *op, const Arg *a, FactKind kind, uint32_t n) {
    Fact f = fact_of(v, a);
    FactKind k = FACT_KIND(f);
    if (k == kind || (k == FACT_FRESH && kind == FACT_TUPLE)) {
        if (kind != FACT_TUPLE || FACT_N(f) >= n) {
            return true;
        }
    } else if (kind == FACT_MATCH ? !fact_is_value(f) : !fact_is_term(f)) {
        return not_readable(v, a, f);
    }
    op->flags |= OP_UNPROVED;
    return verify_raise(v);
}

static bool relies_and_learns(Verifier *v, GenericOp *op, const Arg *a, FactKind kind, uint32_t n) {
    if (!relies(v, op, a, kind, n)) {
        return false;
    }
    if ((op->flags & OP_UNPROVED) && is_register(a) && n <= FACT_N_MAX) {
        Fact f = fact_of(v, a);
        if (FACT_KIND(f) == FACT_FRESH || (FACT_KIND(f) == kind && FACT_N(f) >= n)) {
            return true;
        }
        learn(v, a, FACT(kind, n));
    }
    return true;
}

/* Objects made by setelement/3 are not fresh any more once a collection may have happened. */
static void not_fresh(State *s) {
    for (uint32_t i = 0; i < s->h.xs; i++) {
        if (FACT_KIND(s->x[i]) == FACT_FRESH) {
            s->x[i] = FACT(FACT_TUPLE, FACT_N(s->x[i]));
        }
    }
    for (uint32_t i = 0; i < s->h.ys; i++) {
        if (FACT_KIND(s->y[i]) == FACT_FRESH) {
            s->y[i] = FACT(FACT_TUPLE, FACT_N(s->y[i]));
        }
    }
    s->h.fresh = false;
}

static bool frame_is_set(Verifier *v) {
    const State *s = &v->s;
    if (LIKELY(s->h.unset == 0)) {
        return true;
    }
    uint32_t i = 0;
    while (i < s->h.ys && s->y[i] != FACT_UNSET) {
        i++;
    }
    return FAIL(v, "y%u is not set", i);
}

/* A collection may happen; the first `live` x registers survive. */
static bool collects(Verifier *v, uint32_t live) {
    State *s = &v->s;
    if (!frame_is_set(v)) {
        return false;
    }
    for (uint32_t i = 0; i < live; i++) {
        Fact f = state_x(s, i);
        if (UNLIKELY(!fact_is_value(f))) {
            return not_readable(v, &(Arg){.kind = ARG_X, .value = i}, f);
        }
    }
    s->h.xs = MIN(s->h.xs, live);
    s->h.words = s->h.floats = s->h.funs = 0;
    s->h.building = false;
    if (UNLIKELY(s->h.fresh)) {
        not_fresh(s);
    }
    return true;
}

static inline bool takes_heap(Verifier *v, uint32_t words) {
    if (UNLIKELY(v->s.h.words < words)) {
        return FAIL(v, "%u words of heap are needed, %u have been tested for", words, v->s.h.words);
    }
    v->s.h.words -= words;
    return true;
}

static inline void tests_heap(Verifier *v, const Arg *need) {
    v->s.h.words = need->value;
    v->s.h.floats = need->floats;
    v->s.h.funs = need->funs;
}

static inline void ends(Verifier *v) {
    v->live = false;
}

/* On failure: at the label, or an exception. */
static inline bool fails_to(Verifier *v, const Arg *label) {
    return label->value != 0 ? verify_branch(v, label->value) : verify_raise(v);
}

/* On failure, when some of the registers that it writes may have been written already. */
static bool fails_half_done(Verifier *v, const Arg *label, const Arg *list, uint32_t first) {
    /* A fact that speaks of the old value is no longer true of the new one. */
    for (uint32_t i = first; i < list->value; i += 2) {
        const Arg *d = &list->list[i];
        Fact f = fact_of(v, d);
        if (f != FACT_UNSET && !fact_is_mark(f)) {
            learn(v, d, fact_join(f, FACT_ANY));
        }
    }
    return fails_to(v, label);
}

/* ---- calls ---- */

static bool arguments(Verifier *v, uint32_t n, const BeamFunction *callee) {
    const State *s = &v->s;
    for (uint32_t i = 0; i < n; i++) {
        Fact f = state_x(s, i);
        if (LIKELY(fact_is_term(f))) {
            continue;
        }
        if (callee == NULL || !fact_is_value(f) || i >= 64) {
            return not_readable(v, &(Arg){.kind = ARG_X, .value = i}, f);
        }
        size_t c = (size_t)(callee - v->b->functions);
        uint64_t bit = (uint64_t)1 << i;
        if ((v->match_args[c] & bit) == 0) {
            v->match_args[c] |= bit;
            v->again[c] = v->b->functions[c].walked || &v->b->functions[c] == v->function;
            v->repeat |= v->again[c];
        }
    }
    return true;
}

static bool no_message(Verifier *v) {
    return LIKELY(!v->s.h.message) || FAIL(v, "a message has not been removed yet");
}

/* Other code runs, and comes back with a result. */
static bool calls(Verifier *v, Fact result) {
    State *s = &v->s;
    if (!verify_raise(v) || !collects(v, 0)) {
        return false;
    }
    s->h.f = 0;
    state_set_x(s, 0, result);
    s->h.fresh = FACT_KIND(result) == FACT_FRESH;
    return true;
}

static bool has_frame(Verifier *v) {
    return LIKELY(v->s.h.frame >= 0) || FAIL(v, v->s.h.frame == FRAME_NONE ? "there is no frame" : "frames differ");
}

static bool has_no_frame(Verifier *v) {
    return LIKELY(v->s.h.frame == FRAME_NONE) || FAIL(v, v->s.h.frame >= 0 ? "there is a frame" : "frames differ");
}

static bool frees_frame(Verifier *v, uint32_t n) {
    StateHead *h = &v->s.h;
    if (h->frame < 0 || (uint32_t)h->frame != n) {
        return FAIL(v, "the frame has not %u words", n);
    }
    if (h->marks != 0) {
        return FAIL(v, "there are catch marks in the frame");
    }
    h->frame = FRAME_NONE;
    h->ys = h->unset = 0;
    v->handled = false;
    return true;
}

static bool local_call(Verifier *v, const GenericOp *op, uint32_t n, const Arg *label) {
    const BeamFunction *f = beam_function(v->b, label->value);
    if (f == NULL || f->arity != n) {
        return FAIL(v, "label %u is not the entry of a function of %u arguments", label->value, n);
    }
    (void)op;
    return arguments(v, n, f);
}

static bool import_call(Verifier *v, uint32_t n, const Arg *import) {
    if (v->b->imports[import->value].arity != n) {
        return FAIL(v, "the import has %u arguments", v->b->imports[import->value].arity);
    }
    return arguments(v, n, NULL);
}

/* Calls of functions that never return keep the frame they find, whatever it is. */
static bool exit_call(Verifier *v, GenericOp *op) {
    op->op = GEN_call_ext;
    op->count = 2;
    op->flags |= OP_STOP;
    ends(v);
    return verify_raise(v);
}

static bool call_import(Verifier *v, GenericOp *op) {
    const Arg *a = op->arg;
    if (!import_call(v, a[0].value, &a[1])) {
        return false;
    }
    uint8_t kind = verify_import(v, a[1].value);
    if (kind == IMPORT_EXIT) {
        return exit_call(v, op);
    }
    Fact result = FACT_ANY;
    switch (op->op) {
    case GEN_call_ext_last: ends(v); return no_message(v) && frees_frame(v, a[2].value);
    case GEN_call_ext_only: ends(v); return no_message(v) && has_no_frame(v);
    default:
        if (kind == IMPORT_SETELEMENT) {
            Fact index = state_x(&v->s, 0);
            result = FACT(FACT_FRESH, FACT_KIND(index) == FACT_SMALL ? FACT_N(index) : 0);
        }
        return has_frame(v) && calls(v, result);
    }
}

static bool call(Verifier *v, GenericOp *op) {
    const Arg *a = op->arg;
    switch (op->op) {
    case GEN_call: return local_call(v, op, a[0].value, &a[1]) && has_frame(v) && calls(v, FACT_ANY);
    case GEN_call_last: ends(v); return local_call(v, op, a[0].value, &a[1]) && no_message(v) && frees_frame(v, a[2].value);
    case GEN_call_only: ends(v); return local_call(v, op, a[0].value, &a[1]) && no_message(v) && has_no_frame(v);
    case GEN_call_fun: return arguments(v, a[0].value + 1, NULL) && has_frame(v) && calls(v, FACT_ANY);
    case GEN_call_fun2:
        if (a[0].kind == ARG_NUMBER ? a[0].value >= v->b->lambda_count : a[0].kind != ARG_TERM) {
            return FAIL(v, "its hint is no hint");
        }
        return arguments(v, a[1].value, NULL) && reads(v, &a[2]) && has_frame(v) && calls(v, FACT_ANY);
    case GEN_apply: return arguments(v, a[0].value + 2, NULL) && has_frame(v) && calls(v, FACT_ANY);
    case GEN_apply_last: ends(v); return arguments(v, a[0].value + 2, NULL) && no_message(v) && frees_frame(v, a[1].value);
    case GEN_send: return arguments(v, 2, NULL) && calls(v, FACT_ANY);
    case GEN_raw_raise: return arguments(v, 3, NULL) && calls(v, FACT_ANY); /* goes on, with badarg, if the class is none */
    case GEN_bs_init_writable: return arguments(v, 1, NULL) && calls(v, FACT_ANY);
    case GEN_make_fun2: return arguments(v, v->b->lambdas[a[0].value].free, NULL) && calls(v, FACT_ANY);
    default: UNREACHABLE();
    }
}

/* ---- frames and heap ---- */

static bool allocate(Verifier *v, GenericOp *op, const Arg *need, const Arg *live, bool cleared) {
    State *s = &v->s;
    uint32_t n = op->arg[0].value;
    if (n > MAX_FRAME) {
        return FAIL(v, "a frame of %u words is too large", n);
    }
    if (!has_no_frame(v) || !collects(v, live->value)) {
        return false;
    }
    s->h.frame = (int32_t)n;
    s->h.ys = n;
    s->h.unset = cleared ? 0 : n;
    s->h.allocate = v->op;
    for (uint32_t i = 0; i < n; i++) {
        s->y[i] = cleared ? FACT_ANY : FACT_UNSET;
    }
    if (need != NULL) {
        tests_heap(v, need);
    }
    return true;
}

static bool trim(Verifier *v, const GenericOp *op) {
    StateHead *h = &v->s.h;
    uint32_t n = op->arg[0].value, left = op->arg[1].value;
    if (h->frame < 0 || n > (uint32_t)h->frame || left != (uint32_t)h->frame - n) {
        return FAIL(v, "the frame has not %u words", n + left);
    }
    if (h->marks != 0 && h->innermost < n) {
        return FAIL(v, "there are catch marks in what is dropped");
    }
    for (uint32_t i = 0; i < n; i++) {
        h->unset -= v->s.y[i] == FACT_UNSET;
    }
    memmove(v->s.y, v->s.y + n, left * sizeof(Fact));
    h->frame = (int32_t)left;
    h->ys = left;
    h->innermost -= h->marks != 0 ? n : 0;
    v->handled = false;
    return true;
}

static bool put_tuple(Verifier *v, const GenericOp *op) {
    uint32_t n = op->arg[0].value;
    if (n >= v->function->end - v->op || n >= v->s.h.words) {
        return FAIL(v, "a tuple of %u elements", n);
    }
    for (uint32_t i = 1; i <= n; i++) {
        GenericOp *put = &v->b->ops[v->op + i];
        if (put->op != GEN_put) {
            return FAIL(v, "only %u elements of %u follow", i - 1, n);
        }
        put->flags &= (uint8_t)~OP_DEAD;
        if (!reads(v, &put->arg[0])) {
            return false;
        }
    }
    v->op += n;
    return takes_heap(v, n + 1) && writes(v, &op->arg[1], FACT(FACT_TUPLE, n));
}

static bool put_tuple2(Verifier *v, const GenericOp *op) {
    const Arg *list = &op->arg[1];
    for (uint32_t i = 0; i < list->value; i++) {
        if (!reads(v, &list->list[i])) {
            return false;
        }
    }
    return takes_heap(v, list->value + 1) && writes(v, &op->arg[0], FACT(FACT_TUPLE, list->value));
}

static bool update_record(Verifier *v, GenericOp *op) {
    Arg *a = op->arg, *list = &a[4];
    uint32_t size = a[1].value;
    if (size >= FACT_N_MAX || !relies(v, op, &a[2], FACT_TUPLE, size)) {
        return size < FACT_N_MAX ? false : FAIL(v, "a tuple of %u elements", size);
    }
    for (uint32_t i = 0; i < list->value; i += 2) {
        if (list->list[i].value == 0 || list->list[i].value > size) {
            return FAIL(v, "element %u of a tuple of %u", list->list[i].value, size);
        }
        if (!reads(v, &list->list[i + 1])) {
            return false;
        }
    }
    return frame_is_set(v) && takes_heap(v, size + 1) && writes(v, &a[3], FACT(FACT_TUPLE, size));
}

static bool make_fun3(Verifier *v, const GenericOp *op) {
    const Arg *a = op->arg;
    if (a[2].value != v->b->lambdas[a[0].value].free) {
        return FAIL(v, "the lambda has %u free variables", v->b->lambdas[a[0].value].free);
    }
    for (uint32_t i = 0; i < a[2].value; i++) {
        if (!reads(v, &a[2].list[i])) {
            return false;
        }
    }
    if (v->s.h.funs == 0) {
        return FAIL(v, "no heap has been tested for a fun");
    }
    v->s.h.funs--;
    return takes_heap(v, a[2].value) && writes(v, &a[1], FACT_ANY);
}

/* ---- moves and look-ups ---- */

static bool move(Verifier *v, const GenericOp *op) {
    const Arg *a = op->arg;
    Fact f = fact_of(v, &a[0]);
    return (LIKELY(fact_is_value(f)) || not_readable(v, &a[0], f)) && writes(v, &a[1], f);
}

static bool swap(Verifier *v, const GenericOp *op) {
    const Arg *a = op->arg;
    Fact f = fact_of(v, &a[0]), g = fact_of(v, &a[1]);
    if (!fact_is_value(f) || !fact_is_value(g)) {
        return not_readable(v, fact_is_value(f) ? &a[1] : &a[0], fact_is_value(f) ? g : f);
    }
    return writes(v, &a[0], g) && writes(v, &a[1], f);
}

static bool get_tuple_element(Verifier *v, GenericOp *op) {
    const Arg *a = op->arg;
    if (a[1].value >= FACT_N_MAX) {
        return FAIL(v, "element %u", a[1].value);
    }
    return relies_and_learns(v, op, &a[0], FACT_TUPLE, a[1].value + 1) && writes(v, &a[2], FACT_ANY);
}

static bool set_tuple_element(Verifier *v, const GenericOp *op) {
    const Arg *a = op->arg;
    Fact f = fact_of(v, &a[1]);
    if (FACT_KIND(f) != FACT_FRESH || FACT_N(f) <= a[2].value) {
        return FAIL(v, "the tuple was not made by setelement/3 just now, with so many elements");
    }
    return reads(v, &a[0]);
}

static bool get_list(Verifier *v, GenericOp *op) {
    const Arg *a = op->arg;
    for (uint32_t i = 1; i < op->count; i++) {
        if (i == 1 && !relies_and_learns(v, op, &a[0], FACT_CELL, 0)) {
            return false;
        }
        if (!writes(v, &a[i], FACT_ANY)) {
            return false;
        }
    }
    return true;
}

static bool map_elements(Verifier *v, GenericOp *op, bool map) {
    const Arg *a = op->arg, *list = &a[2];
    if (map ? !relies_and_learns(v, op, &a[1], FACT_MAP, 0) : !reads(v, &a[1])) {
        return false;
    }
    for (uint32_t i = 0; i < list->value; i += 2) {
        if (!reads(v, &list->list[i])) {
            return false;
        }
    }
    if (!fails_half_done(v, &a[0], list, 1)) {
        return false;
    }
    for (uint32_t i = 1; i < list->value; i += 2) {
        if (!writes(v, &list->list[i], FACT_ANY)) {
            return false;
        }
    }
    return true;
}

/* Tests that teach something: on to the label with what was known, on here with more. */
static bool test(Verifier *v, const GenericOp *op, Fact fact) {
    const Arg *a = op->arg;
    if (!is_register(&a[1])) {
        return fails_to(v, &a[0]);
    }
    Fact f = fact_of(v, &a[1]);
    if (!fact_is_value(f)) {
        return not_readable(v, &a[1], f);
    }
    if (!fails_to(v, &a[0])) {
        return false;
    }
    bool better = FACT_KIND(f) == FACT_ANY || FACT_KIND(f) == FACT_MAYBE_MATCH || FACT_KIND(f) == FACT_MATCH ||
                  (FACT_KIND(f) == FACT_KIND(fact) && FACT_N(f) < FACT_N(fact));
    if (better) {
        learn(v, &a[1], fact);
    }
    return true;
}

static bool select_arity(Verifier *v, GenericOp *op) {
    const Arg *a = op->arg, *list = &a[2];
    if (!relies_and_learns(v, op, &a[0], FACT_TUPLE, 0)) {
        return false;
    }
    Fact before = fact_of(v, &a[0]);
    for (uint32_t i = 0; i < list->value; i += 2) {
        uint32_t n = list->list[i].value;
        if (n > FACT_N(before) && n <= FACT_N_MAX) {
            learn(v, &a[0], FACT(FACT_TUPLE, n));
        }
        if (!verify_branch(v, list->list[i + 1].value)) {
            return false;
        }
        learn(v, &a[0], before);
    }
    ends(v);
    return fails_to(v, &a[1]);
}

static bool jump(Verifier *v, GenericOp *op) {
    uint32_t label = op->arg[0].value, to = v->b->label_op[label];
    if (to != UINT32_MAX && v->b->ops[to + 1].op == GEN_try_case && FACT_KIND(state_x(&v->s, 0)) != FACT_RAISED) {
        op->flags |= OP_DEAD;
        verify_never_returns(v);
        return true;
    }
    ends(v);
    return verify_branch(v, label);
}

static bool select_val(Verifier *v, const GenericOp *op) {
    const Arg *a = op->arg, *list = &a[2];
    for (uint32_t i = 1; i < list->value; i += 2) {
        if (!verify_branch(v, list->list[i].value)) {
            return false;
        }
    }
    ends(v);
    return reads(v, &a[0]) && fails_to(v, &a[1]);
}

/* ---- catch, try ---- */

static bool sets_mark(Verifier *v, const GenericOp *op, FactKind kind) {
    StateHead *h = &v->s.h;
    const Arg *a = op->arg;
    uint32_t y = a[0].value, label = a[1].value, at = v->b->label_op[label];
    if (at < v->function->first || at >= v->function->end || label > FACT_N_MAX) {
        return FAIL(v, "label %u is not in this function", label);
    }
    if (h->marks != 0 && y >= h->innermost) {
        return FAIL(v, "a catch mark in y%u, inside one in y%u", y, h->innermost);
    }
    if (!writes(v, &a[0], FACT(kind, label))) {
        return false;
    }
    h->marks++;
    h->innermost = y;
    return true;
}

static bool ends_mark(Verifier *v, const Arg *a, FactKind kind) {
    State *s = &v->s;
    if (s->h.marks == 0 || s->h.frame < 0 || s->h.innermost != a->value || FACT_KIND(s->y[a->value]) != kind) {
        return FAIL(v, "y%u is not the innermost catch mark, or not of this kind", a->value);
    }
    s->y[a->value] = FACT_ANY;
    s->h.marks--;
    v->handled = false;
    for (uint32_t y = a->value + 1; s->h.marks != 0 && y < s->h.ys; y++) {
        if (fact_is_mark(s->y[y])) {
            s->h.innermost = y;
            break;
        }
    }
    return true;
}

static bool catch_end(Verifier *v, const GenericOp *op) {
    Fact f = state_x(&v->s, 0);
    if (!fact_is_term(f) && FACT_KIND(f) != FACT_RAISED && FACT_KIND(f) != FACT_MAYBE_RAISED) {
        return not_readable(v, &(Arg){.kind = ARG_X}, f);
    }
    if (!ends_mark(v, &op->arg[0], FACT_CATCH)) {
        return false;
    }
    v->s.h.words = v->s.h.floats = v->s.h.funs = 0;
    state_set_x(&v->s, 0, FACT_ANY);
    return true;
}

static bool try_case(Verifier *v, const GenericOp *op) {
    if (FACT_KIND(state_x(&v->s, 0)) != FACT_RAISED) {
        return FAIL(v, "there is no exception");
    }
    if (!ends_mark(v, &op->arg[0], FACT_TRY)) {
        return false;
    }
    v->s.h.words = v->s.h.floats = v->s.h.funs = 0;
    for (uint32_t i = 0; i < 3; i++) {
        state_set_x(&v->s, i, FACT_ANY);
    }
    return true;
}

/* ---- receive ---- */

static bool loop_rec(Verifier *v, const GenericOp *op) {
    State *s = &v->s;
    if (!no_message(v) || !collects(v, 0)) {
        return false;
    }
    s->h.f = 0;
    if (!verify_branch(v, op->arg[0].value)) {
        return false;
    }
    s->h.message = true;
    return writes(v, &op->arg[1], FACT_ANY);
}

/* receive after Time -> .. end, without clauses: when a message comes, the process goes on at a label that leads to the same
   wait_timeout, whose time is set by then and not read again. */
static bool waits_for_nothing(Verifier *v, const GenericOp *op) {
    uint32_t i = v->b->label_op[op->arg[0].value];
    if (i >= v->op || i < v->function->first) {
        return false;
    }
    while (i < v->op && (v->b->ops[i].op == GEN_label || v->b->ops[i].op == GEN_line)) {
        i++;
    }
    return i == v->op;
}

static bool waits(Verifier *v, const GenericOp *op) {
    if (op->op == GEN_wait_timeout && (!reads(v, &op->arg[1]) || !verify_raise(v))) {
        return false;
    }
    if (op->op == GEN_loop_rec_end ? !v->s.h.message : v->s.h.message) {
        return FAIL(v, v->s.h.message ? "a message has not been removed yet" : "there is no message");
    }
    if (!collects(v, 0)) {
        return false;
    }
    v->s.h.message = false;
    v->s.h.f = 0;
    if (op->op != GEN_wait_timeout) {
        ends(v);
    } else if (waits_for_nothing(v, op)) {
        return true;
    }
    return verify_branch(v, op->arg[0].value);
}

/* ---- floats ---- */

static inline bool reads_float(Verifier *v, const Arg *a) {
    return a->value >= 64 || (v->s.h.f >> a->value & 1) || FAIL(v, "float register %u is not set", a->value);
}
static inline void writes_float(Verifier *v, const Arg *a) {
    if (a->value < 64) {
        v->s.h.f |= (uint64_t)1 << a->value;
    }
}

static bool fmove(Verifier *v, GenericOp *op) {
    const Arg *a = op->arg;
    StateHead *h = &v->s.h;
    if (a[1].kind == ARG_F) {
        writes_float(v, &a[1]);
        return a[0].kind == ARG_F ? reads_float(v, &a[0]) : relies(v, op, &a[0], FACT_FLOAT, 0);
    }
    if (a[0].kind != ARG_F) {
        return FAIL(v, "neither operand is a float register");
    }
    if (h->floats > 0) {
        h->floats--;
    } else if (!takes_heap(v, FLOAT_WORDS)) {
        return false;
    }
    return reads_float(v, &a[0]) && writes(v, &a[1], FACT_FLOAT);
}

/* ---- built-ins ---- */

static bool guard(Verifier *v, GenericOp *op) {
    const GenericShape *shape = &generic_shapes[op->op];
    const Arg *a = op->arg, *import = NULL, *first = NULL;
    uint32_t args = 0;
    bool sizes = false;
    if (shape->live >= 0 && !collects(v, a[shape->live].value)) {
        return false;
    }
    for (uint32_t i = 0; i < op->count; i++) {
        if (shape->operands[i] == 'b') {
            import = &a[i];
            term name = v->b->imports[import->value].name;
            sizes = name == A_byte_size || name == A_bit_size; /* of what a match context has left, too */
        } else if (shape->operands[i] == 's') {
            first = args++ == 0 ? &a[i] : first;
            Fact f = fact_of(v, &a[i]);
            if (!fact_is_term(f) && !(sizes && fact_is_value(f))) {
                return not_readable(v, &a[i], f);
            }
        }
    }
    if (verify_import(v, import->value) != IMPORT_GUARD || v->b->imports[import->value].arity != args) {
        return FAIL(v, "import %u is no guard built-in of %u arguments", import->value, args);
    }
    const Arg *result = &a[op->count - 1];
    if (v->preset && shape->fail >= 0 && a[shape->fail].value != 0 && fact_of(v, result) == FACT_UNSET) {
        op->flags |= OP_PRESET;
        if (!writes(v, result, FACT_ANY)) {
            return false;
        }
    }
    if (shape->fail >= 0 && !fails_to(v, &a[shape->fail])) {
        return false;
    }
    /* What did not fail tells what its arguments were. */
    term name = v->b->imports[import->value].name;
    const Arg *of = &first[args == 0 ? 0 : args - 1];
    Fact learned = FACT_ANY;
    if (name == A_hd || name == A_tl) {
        learned = FACT_CELL;
    } else if (name == A_element) {
        Fact n = fact_of(v, first);
        learned = FACT(FACT_TUPLE, FACT_KIND(n) == FACT_SMALL ? FACT_N(n) : 0);
    } else if (name == A_tuple_size) {
        learned = FACT_TUPLE;
    } else if (name == A_map_size || name == A_map_get || name == A_is_map_key) {
        learned = FACT_MAP;
    }
    if (learned != FACT_ANY && args > 0) {
        Fact f = fact_of(v, of);
        if (FACT_KIND(f) == FACT_ANY || (FACT_KIND(f) == FACT_KIND(learned) && FACT_N(f) < FACT_N(learned))) {
            learn(v, of, learned);
        }
    }
    return writes(v, result, FACT_ANY);
}

/* ---- bit syntax ---- */

/* Flags written as a list of atoms become a number. */
static bool flags_to_number(Verifier *v, Arg *a) {
    if (a->kind == ARG_NUMBER) {
        return true;
    }
    uint32_t flags = 0;
    term t = a->kind == ARG_TERM || a->kind == ARG_LITERAL ? a->term : NONE;
    for (; t != NONE && is_cons(t); t = tail(t)) {
        term f = head(t);
        flags |= f == A_little ? 2 : f == A_signed ? 4 : f == A_native ? 16 : 0;
    }
    if (t != NIL) {
        return FAIL(v, "flags that are no list");
    }
    *a = (Arg){.kind = ARG_NUMBER, .value = flags};
    return true;
}

static bool in_strings(Verifier *v, uint32_t offset, uint64_t bytes) {
    return (offset <= v->b->strings.size && bytes <= v->b->strings.size - offset) ||
           FAIL(v, "bytes %u to %llu are not in the string table", offset, (unsigned long long)(offset + bytes));
}

static bool create_segment(Verifier *v, Arg *a) {
    if (a[0].kind != ARG_TERM || a[2].kind != ARG_NUMBER || a[2].value > MAX_UNIT || !flags_to_number(v, &a[3])) {
        return FAIL(v, "a segment that makes no sense");
    }
    term type = a[0].term;
    if (type == A_string) {
        if (a[4].kind != ARG_NUMBER || a[5].kind != ARG_TERM || !is_small(a[5].term) || small_value(a[5].term) < 0) {
            return FAIL(v, "a string segment without its place");
        }
        return in_strings(v, a[4].value, (uint64_t)small_value(a[5].term));
    }
    if (type != A_append && type != A_private_append && type != A_binary && type != A_float && type != A_integer && type != A_utf8 &&
        type != A_utf16 && type != A_utf32) {
        return FAIL(v, "a segment of an unknown type");
    }
    for (uint32_t i = 4; i < 6; i++) {
        if (!is_register(&a[i]) && a[i].kind != ARG_TERM && a[i].kind != ARG_LITERAL) {
            return FAIL(v, "a segment without a value or size");
        }
        if (!reads(v, &a[i])) {
            return false;
        }
    }
    return true;
}

static bool create_bin(Verifier *v, const GenericOp *op) {
    Arg *a = op->arg, *list = &a[5];
    if (list->value % 6 != 0) {
        return FAIL(v, "a list of %u operands", list->value);
    }
    if (!collects(v, a[2].value)) {
        return false;
    }
    for (uint32_t i = 0; i < list->value; i += 6) {
        if (!create_segment(v, list->list + i)) {
            return false;
        }
    }
    if (!fails_to(v, &a[0])) {
        return false;
    }
    tests_heap(v, &a[1]);
    return writes(v, &a[4], FACT_ANY);
}

/* A size in bits: a number; one too large for that (then nothing that exists is large enough) is an integer. */
static bool bits_operand(Verifier *v, const Arg *a, uint64_t *bits) {
    if (a->kind == ARG_NUMBER) {
        *bits = a->value;
        return true;
    }
    if (a->kind == ARG_TERM && is_small(a->term) && small_value(a->term) >= 0) {
        *bits = (uint64_t)small_value(a->term);
        return true;
    }
    *bits = UINT64_MAX;
    return a->kind == ARG_LITERAL || FAIL(v, "a size that is none");
}

static bool uses_bits(Verifier *v, uint64_t *ensured, uint64_t bits) {
    if (bits > *ensured) {
        return FAIL(v, "%llu bits are read, %llu have been ensured", (unsigned long long)bits, (unsigned long long)*ensured);
    }
    *ensured -= bits;
    return true;
}

/* {binary|integer, Live, Flags, Size, Unit, Dst} */
static bool match_extract(Verifier *v, Arg *a, uint64_t *ensured) {
    uint64_t size;
    if (a[1].kind != ARG_NUMBER || a[4].kind != ARG_NUMBER || a[4].value > MAX_UNIT || !is_register(&a[5])) {
        return FAIL(v, "a command that makes no sense");
    }
    /* Size is in units. */
    if (!flags_to_number(v, &a[2]) || !bits_operand(v, &a[3], &size) ||
        !uses_bits(v, ensured, a[4].value != 0 && size > UINT64_MAX / a[4].value ? UINT64_MAX : size)) {
        return false;
    }
    return collects(v, a[1].value) && writes(v, &a[5], FACT_ANY);
}

/* Checks the command at a, with `left` operands to the end of the list; how many it takes, or 0: refused. */
static uint32_t match_command(Verifier *v, Arg *a, uint32_t left, uint64_t *ensured) {
    static const struct {
        term name;
        uint8_t count;
    } commands[] = {{A_ensure_at_least, 3}, {A_ensure_exactly, 2}, {A_binary, 6}, {A_integer, 6}, {A_skip, 2},
                    {A_get_tail, 4},        {A_op_exact_eq, 4}};
    uint32_t count = 0;
    for (size_t i = 0; a->kind == ARG_TERM && i < ARRAY_LEN(commands); i++) {
        if (a->term == commands[i].name) {
            count = commands[i].count;
        }
    }
    if (count == 0 || count > left) {
        verify_fail(v, "a command that is not known");
        return 0;
    }
    uint64_t bits;
    term name = a->term;
    bool ok;
    if (name == A_ensure_at_least || name == A_ensure_exactly) {
        ok = bits_operand(v, &a[1], ensured) && (count == 2 || a[2].kind == ARG_NUMBER || FAIL(v, "a unit that is none"));
    } else if (name == A_skip) {
        ok = bits_operand(v, &a[1], &bits) && uses_bits(v, ensured, bits);
    } else if (name == A_op_exact_eq) {
        ok = bits_operand(v, &a[2], &bits) && (bits <= 64 || FAIL(v, "a comparison of more than 64 bits")) && uses_bits(v, ensured, bits) &&
             (a[3].kind == ARG_NUMBER || a[3].kind == ARG_TERM || a[3].kind == ARG_LITERAL || FAIL(v, "no value"));
    } else if (name == A_get_tail) {
        ok = (a[1].kind == ARG_NUMBER && is_register(&a[3])) || FAIL(v, "a command that makes no sense");
        ok = ok && collects(v, a[1].value) && writes(v, &a[3], FACT_ANY);
        *ensured = 0;
    } else {
        ok = match_extract(v, a, ensured);
    }
    return ok ? count : 0;
}

static bool bs_match(Verifier *v, GenericOp *op) {
    Arg *a = op->arg, *list = &a[2];
    uint64_t ensured = 0;
    if (!relies_and_learns(v, op, &a[1], FACT_MATCH, 0)) {
        return false;
    }
    State *s = &v->s;
    if (!frame_is_set(v)) {
        return false;
    }
    /* The label sees the registers that have been written when a later command fails as unknown, or not set. */
    bool branched = false;
    for (uint32_t i = 0, n; i < list->value; i += n) {
        if (FACT_KIND(fact_of(v, &a[1])) != FACT_MATCH) {
            return FAIL(v, "a command writes to the context's register, and more follow");
        }
        if (!branched || list->list[i].term == A_op_exact_eq || list->list[i].term == A_ensure_at_least ||
            list->list[i].term == A_ensure_exactly) {
            branched = true;
            uint32_t words = s->h.words;
            if (!fails_to(v, &a[0])) {
                return false;
            }
            s->h.words = words;
        }
        n = match_command(v, list->list + i, list->value - i, &ensured);
        if (n == 0) {
            return false;
        }
    }
    return branched || fails_to(v, &a[0]);
}

static bool start_match(Verifier *v, GenericOp *op, const Arg *fail, Arg *live, const Arg *src, const Arg *dst, uint32_t slots) {
    Fact f = fact_of(v, src);
    if (src->kind == ARG_X && src->value == live->value) {
        live->value++; /* what a literal is moved to for this is not counted by compilers */
    }
    if (!fact_is_value(f)) {
        return not_readable(v, src, f);
    }
    if (fail->kind == ARG_TERM) {
        if (fail->term == A_resume && FACT_KIND(f) != FACT_MATCH) {
            op->flags |= OP_UNPROVED;
        }
        if (!verify_raise(v)) {
            return false;
        }
    }
    if (fail->kind == ARG_LABEL) { /* before anything is collected */
        /* A match context never fails. */
        if (FACT_KIND(f) == FACT_MAYBE_MATCH) {
            learn(v, src, FACT_ANY);
        }
        if (!fails_to(v, fail)) {
            return false;
        }
        learn(v, src, f);
    }
    if (!collects(v, live->value)) { /* the source is kept, see rewrite_start_match */
        return false;
    }
    return slots < FACT_N_MAX ? writes(v, dst, FACT(FACT_MATCH, slots)) : FAIL(v, "%u slots", slots);
}

static bool uses_slot(Verifier *v, const GenericOp *op) {
    const Arg *a = op->arg;
    Fact f = fact_of(v, &a[0]);
    if (FACT_KIND(f) != FACT_MATCH || (a[1].kind == ARG_NUMBER && a[1].value >= FACT_N(f))) {
        return FAIL(v, "there is no match context with such a slot");
    }
    return true;
}

/* Instructions that begin a binary which bs_put_.. then fill. */
static bool begins_binary(Verifier *v, const GenericOp *op, const Arg *sources, uint32_t count, const Arg *need, int live) {
    const Arg *a = op->arg;
    if (live >= 0 && !collects(v, a[live].value)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (sources[i].kind != ARG_NUMBER && !reads(v, &sources[i])) {
            return false;
        }
    }
    if (!fails_to(v, &a[0])) {
        return false;
    }
    if (need != NULL) {
        tests_heap(v, need);
    }
    v->s.h.building = true;
    return writes(v, &a[op->count - 1], FACT_ANY);
}

static bool builds(Verifier *v) {
    return v->s.h.building || FAIL(v, "no binary has been begun");
}

/* ---- the rest, by the letters of generic.tab ---- */

static bool by_letters(Verifier *v, GenericOp *op) {
    const GenericShape *shape = &generic_shapes[op->op];
    const Arg *a = op->arg;
    const char *letters = shape->operands;
    if (shape->live >= 0 && !collects(v, a[shape->live].value)) {
        return false;
    }
    for (uint32_t i = 0; i < op->count; i++) {
        bool ok = true;
        switch (letters[i]) {
        case 's':
        case 'r': ok = reads(v, &a[i]); break;
        case 'w': ok = reads_float(v, &a[i]); break;
        case 'T': ok = relies_and_learns(v, op, &a[i], FACT_TUPLE, 0); break;
        case 'M': ok = relies_and_learns(v, op, &a[i], FACT_MAP, 0); break;
        case 'Q': ok = relies_and_learns(v, op, &a[i], FACT_MATCH, 0); break;
        case '[':
            for (uint32_t k = 0; ok && k < a[i].value; k++) {
                ok = !is_register(&a[i].list[k]) || reads(v, &a[i].list[k]);
            }
            break;
        default: break;
        }
        if (!ok) {
            return false;
        }
    }
    if (shape->fail >= 0 && !fails_to(v, &a[shape->fail])) {
        return false;
    }
    if ((shape->flags & GENERIC_RAISES) && !verify_raise(v)) {
        return false;
    }
    for (uint32_t i = 0; i < op->count; i++) {
        if (letters[i] == 'd' && !writes(v, &a[i], FACT_ANY)) {
            return false;
        }
        if (letters[i] == 'W') {
            writes_float(v, &a[i]);
        }
    }
    if (shape->flags & GENERIC_ENDS) {
        ends(v);
    }
    return true;
}

static bool line(Verifier *v, Arg *a) {
    if (v->b->chunks == NULL && a->value >= v->b->line_count) { /* on demand: looked at when a line is asked for */
        if (v->b->line_count != 0) {
            return FAIL(v, "line entry %u of %u", a->value, v->b->line_count);
        }
        a->value = 0;
    }
    return true;
}

bool verify_instruction(Verifier *v, GenericOp *op) {
    Arg *a = op->arg;
    State *s = &v->s;
    switch (op->op) {
    case GEN_line:
    case GEN_executable_line: return line(v, &a[0]);
    case GEN_debug_line: return line(v, &a[1]);
    case GEN_move: return move(v, op);
    case GEN_swap: return swap(v, op);
    case GEN_get_tuple_element: return get_tuple_element(v, op);
    case GEN_set_tuple_element: return set_tuple_element(v, op);
    case GEN_get_list:
    case GEN_get_hd:
    case GEN_get_tl: return get_list(v, op);
    case GEN_put_list: return reads(v, &a[0]) && reads(v, &a[1]) && takes_heap(v, 2) && writes(v, &a[2], FACT_CELL);
    case GEN_put_tuple2: return put_tuple2(v, op);
    case GEN_put_tuple: return put_tuple(v, op);
    case GEN_put: return FAIL(v, "no put_tuple before it");
    case GEN_update_record: return update_record(v, op);
    case GEN_make_fun3: return make_fun3(v, op);
    case GEN_test_heap:
        if (!collects(v, a[1].value)) {
            return false;
        }
        tests_heap(v, &a[0]);
        return true;
    case GEN_allocate: return allocate(v, op, NULL, &a[1], false);
    case GEN_allocate_heap: return allocate(v, op, &a[1], &a[2], false);
    case GEN_allocate_zero: return allocate(v, op, NULL, &a[1], true);
    case GEN_allocate_heap_zero: return allocate(v, op, &a[1], &a[2], true);
    case GEN_deallocate: return frees_frame(v, a[0].value);
    case GEN_trim: return trim(v, op);
    case GEN_init: return writes(v, &a[0], FACT_ANY);
    case GEN_init_yregs:
        for (uint32_t i = 0; i < a[0].value; i++) {
            if (!writes(v, &a[0].list[i], FACT_ANY)) {
                return false;
            }
        }
        return true;
    case GEN_return: ends(v); return has_no_frame(v) && no_message(v) && reads(v, &(Arg){.kind = ARG_X});
    case GEN_func_info: ends(v); return has_no_frame(v) && arguments(v, a[2].value, v->function);
    case GEN_int_code_end: return FAIL(v, "the code goes on behind its end");
    case GEN_call:
    case GEN_call_last:
    case GEN_call_only:
    case GEN_call_fun:
    case GEN_call_fun2:
    case GEN_apply:
    case GEN_apply_last:
    case GEN_send:
    case GEN_raw_raise:
    case GEN_bs_init_writable:
    case GEN_make_fun2: return call(v, op);
    case GEN_call_ext:
    case GEN_call_ext_last:
    case GEN_call_ext_only: return call_import(v, op);
    case GEN_jump: return jump(v, op);
    case GEN_select_val: return select_val(v, op);
    case GEN_select_tuple_arity: return select_arity(v, op);
    case GEN_is_integer:
    case GEN_is_number:
    case GEN_is_atom:
    case GEN_is_pid:
    case GEN_is_reference:
    case GEN_is_port:
    case GEN_is_nil:
    case GEN_is_binary:
    case GEN_is_bitstr:
    case GEN_is_list:
    case GEN_is_boolean:
    case GEN_is_function: return test(v, op, FACT_ANY);
    case GEN_is_tuple: return test(v, op, FACT_TUPLE);
    case GEN_is_nonempty_list: return test(v, op, FACT_CELL);
    case GEN_is_map: return test(v, op, FACT_MAP);
    case GEN_is_float: return test(v, op, FACT_FLOAT);
    case GEN_is_tagged_tuple: return test(v, op, FACT(FACT_TUPLE, MIN(a[2].value, (uint32_t)FACT_N_MAX)));
    case GEN_test_arity:
        return relies_and_learns(v, op, &a[1], FACT_TUPLE, 0) && test(v, op, FACT(FACT_TUPLE, MIN(a[2].value, (uint32_t)FACT_N_MAX)));
    case GEN_get_map_elements: return map_elements(v, op, true);
    case GEN_get_record_elements: return map_elements(v, op, false);
    case GEN_catch: return sets_mark(v, op, FACT_CATCH);
    case GEN_try: return sets_mark(v, op, FACT_TRY);
    case GEN_catch_end: return catch_end(v, op);
    case GEN_try_end: return ends_mark(v, &a[0], FACT_TRY);
    case GEN_try_case: return try_case(v, op);
    case GEN_build_stacktrace: return collects(v, 1) && reads(v, &(Arg){.kind = ARG_X}) && writes(v, &(Arg){.kind = ARG_X}, FACT_ANY);
    case GEN_loop_rec: return loop_rec(v, op);
    case GEN_loop_rec_end:
    case GEN_wait:
    case GEN_wait_timeout: return waits(v, op);
    case GEN_remove_message:
        if (!s->h.message) {
            return FAIL(v, "there is no message");
        }
        s->h.message = false;
        return true;
    case GEN_timeout: return no_message(v) && collects(v, 0);
    case GEN_recv_mark:
    case GEN_recv_set: return true;
    case GEN_fmove: return fmove(v, op);
    case GEN_bif0:
    case GEN_bif1:
    case GEN_bif2:
    case GEN_bif3:
    case GEN_gc_bif1:
    case GEN_gc_bif2:
    case GEN_gc_bif3: return guard(v, op);
    case GEN_bs_create_bin: return create_bin(v, op);
    case GEN_bs_match: return bs_match(v, op);
    case GEN_bs_start_match2: return start_match(v, op, &a[0], &op->arg[2], &a[1], &a[4], a[3].value);
    case GEN_bs_start_match3: return start_match(v, op, &a[0], &op->arg[2], &a[1], &a[3], 0);
    case GEN_bs_start_match4: return start_match(v, op, &a[0], &op->arg[1], &a[2], &a[3], 0);
    case GEN_bs_save2:
    case GEN_bs_restore2: return uses_slot(v, op);
    case GEN_bs_context_to_binary: {
        Fact f = fact_of(v, &a[0]);
        return (fact_is_value(f) || not_readable(v, &a[0], f)) && writes(v, &a[0], FACT_ANY);
    }
    case GEN_bs_match_string: return in_strings(v, a[3].value, ((uint64_t)a[2].value + 7) / 8) && by_letters(v, op);
    case GEN_bs_init2:
    case GEN_bs_init_bits: return begins_binary(v, op, &a[1], 1, &a[2], 3);
    case GEN_bs_append: return reads(v, &a[5]) && begins_binary(v, op, &a[1], 1, &a[2], 3);
    case GEN_bs_private_append: return reads(v, &a[3]) && begins_binary(v, op, &a[1], 1, NULL, -1);
    case GEN_bs_put_string: return builds(v) && in_strings(v, a[1].value, a[0].value);
    case GEN_bs_put_integer:
    case GEN_bs_put_binary:
    case GEN_bs_put_float:
    case GEN_bs_put_utf8:
    case GEN_bs_put_utf16:
    case GEN_bs_put_utf32: return builds(v) && by_letters(v, op);
    default: return by_letters(v, op);
    }
}

/* ---- imports ---- */

static const struct {
    term name;
    uint8_t arity;
    // clang-format off
} guards[] = {
    {A_abs, 1}, {A_element, 2}, {A_float, 1}, {A_hd, 1}, {A_length, 1}, {A_node, 0}, {A_node, 1}, {A_round, 1}, {A_self, 0},
    {A_size, 1}, {A_tl, 1}, {A_trunc, 1}, {A_and, 2}, {A_or, 2}, {A_xor, 2}, {A_not, 1}, {A_op_gt, 2}, {A_op_ge, 2},
    {A_op_lt, 2}, {A_op_le, 2}, {A_op_exact_eq, 2}, {A_op_eq, 2}, {A_op_exact_ne, 2}, {A_op_ne, 2}, {A_op_plus, 2},
    {A_op_minus, 2}, {A_op_times, 2}, {A_op_divide, 2}, {A_div, 2}, {A_rem, 2}, {A_bor, 2}, {A_band, 2}, {A_bxor, 2},
    {A_bsl, 2}, {A_bsr, 2}, {A_bnot, 1}, {A_op_minus, 1}, {A_op_plus, 1}, {A_is_atom, 1}, {A_is_list, 1}, {A_is_tuple, 1},
    {A_is_float, 1}, {A_is_integer, 1}, {A_is_number, 1}, {A_is_pid, 1}, {A_is_port, 1}, {A_is_reference, 1},
    {A_is_binary, 1}, {A_is_function, 1}, {A_is_function, 2}, {A_is_record, 2}, {A_is_record, 3}, {A_is_boolean, 1},
    {A_is_bitstring, 1}, {A_tuple_size, 1}, {A_byte_size, 1}, {A_bit_size, 1}, {A_binary_part, 2}, {A_binary_part, 3},
    {A_is_map, 1}, {A_map_size, 1}, {A_floor, 1}, {A_ceil, 1}, {A_map_get, 2}, {A_is_map_key, 2}, {A_get, 1}, {A_min, 2},
    {A_max, 2}, {A_is_integer, 3}, {A_is_record, 1}, {A_binary_to_atom, 2}, {A_binary_to_existing_atom, 2},
    {A_list_to_atom, 1}, {A_list_to_existing_atom, 1},
};
// clang-format on

uint8_t verify_import(Verifier *v, uint32_t index) {
    uint8_t kind = v->imports[index];
    if (kind != 0) {
        return kind;
    }
    const BeamImport *i = &v->b->imports[index];
    kind = IMPORT_PLAIN;
    if (i->module == A_erlang) {
        for (size_t k = 0; k < ARRAY_LEN(guards); k++) {
            if (guards[k].name == i->name && guards[k].arity == i->arity) {
                kind = IMPORT_GUARD;
            }
        }
        if ((i->name == A_error && i->arity >= 1 && i->arity <= 3) || (i->name == A_exit && i->arity == 1) ||
            (i->name == A_throw && i->arity == 1)) {
            kind = IMPORT_EXIT;
        } else if (i->name == A_setelement && i->arity == 3) {
            kind = IMPORT_SETELEMENT;
        }
    }
    return v->imports[index] = kind;
}
