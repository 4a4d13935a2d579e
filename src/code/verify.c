/* The verifier's walk. Each function is walked from its entry with what is known of its registers. At a jump, what is known
   is joined into what the label knows; at a label, the walk goes on with what the label knows. A backward jump that takes
   knowledge away makes its label dirty, and the walk starts again from there, until nothing is dirty. */
#include "code/verify_state.h"
#include "term/atom.h"

#include <stdarg.h>
#include <stdio.h>

/* How often an instruction may be walked on average before the file is refused. Compilers' code needs less than 3. */
enum { WALKS = 64, WALKS_FREE = 10000, MATCH_ARGS = 64 };

bool verify_fail(Verifier *v, const char *format, ...) {
    char reason[160], name[96] = "";
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    if (v->function != NULL) {
        Bytes text = atom_text(v->b->vm, v->function->name);
        snprintf(name, sizeof name, "%.*s/%u: ", (int)MIN(text.size, (size_t)60), (const char *)text.at, v->function->arity);
    }
    const GenericOp *op = &v->b->ops[v->op];
    return load_error(v->error, "Code", op->offset, "%s%s: %s", name, generic_shapes[op->op].name, reason);
}

Fact fact_join(Fact a, Fact b) {
    if (a == b) {
        return a;
    }
    FactKind x = FACT_KIND(a), y = FACT_KIND(b);
    if (fact_is_term(a) && fact_is_term(b)) {
        bool tuples = (x == FACT_TUPLE || x == FACT_FRESH) && (y == FACT_TUPLE || y == FACT_FRESH);
        return tuples ? FACT(x == y ? x : FACT_TUPLE, MIN(FACT_N(a), FACT_N(b))) : (Fact)FACT_ANY;
    }
    if (fact_is_value(a) && fact_is_value(b)) {
        return x == FACT_MATCH && y == FACT_MATCH ? FACT(FACT_MATCH, MIN(FACT_N(a), FACT_N(b))) : (Fact)FACT_MAYBE_MATCH;
    }
    bool raised =
        (x == FACT_RAISED || x == FACT_MAYBE_RAISED || fact_is_term(a)) && (y == FACT_RAISED || y == FACT_MAYBE_RAISED || fact_is_term(b));
    return raised ? FACT_MAYBE_RAISED : FACT_UNSET;
}

static bool join_facts(Fact *into, const Fact *from, uint32_t count) {
    bool changed = false;
    for (uint32_t i = 0; i < count; i++) {
        if (UNLIKELY(into[i] != from[i])) {
            Fact f = fact_join(into[i], from[i]);
            changed |= f != into[i];
            into[i] = f;
        }
    }
    return changed;
}

static SavedState *save_new(Verifier *v, uint32_t label, const StateHead *h, const Fact *x, const Fact *y) {
    SavedState *t = arena_alloc(v->states, sizeof *t + (h->xs + h->ys) * sizeof(Fact));
    if (t == NULL) {
        load_no_memory(v->error);
        return NULL;
    }
    t->h = *h;
    t->op = v->b->label_op[label];
    t->room_x = h->xs;
    memcpy(t->facts, x, h->xs * sizeof(Fact));
    memcpy(t->facts + h->xs, y, h->ys * sizeof(Fact));
    return v->saved[label] = t;
}

/* Joins what is known of frames; *changed if the saved state loses something. False: they contradict each other. */
static bool join_frames(Verifier *v, SavedState *t, const StateHead *h, const Fact *y, bool *changed) {
    StateHead *a = &t->h;
    Fact *ys = t->facts + t->room_x;
    uint32_t common = MIN(a->ys, h->ys);
    if (a->frame != h->frame && a->frame != FRAME_UNDECIDED) {
        a->frame = FRAME_UNDECIDED;
        *changed = true;
    }
    for (uint32_t i = 0; i < MAX(a->ys, h->ys); i++) {
        Fact old = i < a->ys ? ys[i] : (Fact)FACT_UNSET, now = i < h->ys ? y[i] : (Fact)FACT_UNSET;
        if (old != now && (fact_is_mark(old) || fact_is_mark(now))) {
            return FAIL(v, "the catch marks in y%u differ from those on another way to the same label", i);
        }
    }
    bool unset = a->unset != 0 || h->unset != 0;
    *changed |= join_facts(ys, y, common) || common != a->ys;
    a->ys = common;
    if (a->frame == FRAME_UNDECIDED) {
        *changed |= unset != (a->unset != 0);
        a->unset = unset;
    } else {
        a->unset = 0;
        for (uint32_t i = 0; i < common; i++) {
            a->unset += ys[i] == FACT_UNSET;
        }
    }
    if (a->allocate != h->allocate && unset) { /* whichever it is, it must clear its frame if something raises */
        v->b->ops[h->allocate].flags |= OP_CLEAR;
        v->b->ops[a->allocate].flags |= OP_CLEAR;
    }
    return true;
}

#define LOWER(field)               \
    do {                           \
        if (a->field > h->field) { \
            a->field = h->field;   \
            changed = true;        \
        }                          \
    } while (0)

static bool join_into(Verifier *v, SavedState *t, const StateHead *h, const Fact *x, const Fact *y, bool *result) {
    StateHead *a = &t->h;
    bool changed = false;
    LOWER(xs);
    changed |= join_facts(t->facts, x, a->xs);
    if (!join_frames(v, t, h, y, &changed)) {
        return false;
    }
    LOWER(words);
    LOWER(floats);
    LOWER(funs);
    LOWER(message);
    LOWER(building);
    if ((a->f & h->f) != a->f) {
        a->f &= h->f;
        changed = true;
    }
    a->fresh |= h->fresh;
    *result = changed;
    return true;
}

static void make_dirty(Verifier *v, SavedState *t) {
    if (!t->dirty) {
        t->dirty = true;
        v->pending++;
    }
    if (t->op <= v->op) {
        v->restart = MIN(v->restart, t->op);
    }
}

static bool flow_to(Verifier *v, uint32_t label, const StateHead *h, const Fact *x, const Fact *y) {
    uint32_t op = v->b->label_op[label];
    if (UNLIKELY(op < v->function->first || op >= v->function->end)) {
        return FAIL(v, op == UINT32_MAX ? "label %u does not exist" : "label %u is in another function", label);
    }
    SavedState *t = v->saved[label];
    bool changed = true;
    if (t == NULL) {
        t = save_new(v, label, h, x, y);
        if (t == NULL) {
            return false;
        }
        t->dirty = false;
    } else if (!join_into(v, t, h, x, y, &changed)) {
        return false;
    }
    if (changed) {
        make_dirty(v, t);
    }
    return true;
}

static bool is_wait(const GenericOp *op) { /* jumps back in a receive, and costs a reduction */
    return op->op == GEN_loop_rec_end || op->op == GEN_wait || op->op == GEN_wait_timeout;
}

bool verify_branch(Verifier *v, uint32_t label) {
    return flow_to(v, label, &v->s.h, v->s.x, v->s.y) && (is_wait(&v->b->ops[v->op]) || verify_edge(v, v->b->label_op[label]));
}

bool verify_raise(Verifier *v) {
    StateHead *h = &v->s.h;
    if (h->unset != 0) {
        /* The search for a catch mark would run over whatever happens to be in the frame. */
        v->b->ops[h->allocate].flags |= OP_CLEAR;
    }
    if (h->marks == 0 || v->handled) {
        return true;
    }
    v->handled = true;
    StateHead at = *h;
    Fact x0 = FACT_RAISED;
    at.xs = 1;
    at.words = at.floats = at.funs = 0;
    at.f = 0;
    at.message = at.building = false;
    uint32_t label = FACT_N(v->s.y[h->innermost]);
    return flow_to(v, label, &at, &x0, v->s.y) && verify_edge(v, v->b->label_op[label]);
}

void verify_never_returns(Verifier *v) {
    v->b->ops[v->op - 1].flags |= OP_STOP;
    v->live = false;
}

static void load(Verifier *v, const SavedState *t) {
    v->s.h = t->h;
    memcpy(v->s.x, t->facts, t->h.xs * sizeof(Fact));
    memcpy(v->s.y, t->facts + t->room_x, t->h.ys * sizeof(Fact));
    v->live = true;
}

/* A label: takes in what comes from before, and says whether the walk goes on. */
static bool at_label(Verifier *v, uint32_t label) {
    SavedState *t = v->saved[label];
    v->handled = false;
    if (v->live && v->b->ops[v->op + 1].op == GEN_try_case) {
        verify_never_returns(v);
    }
    if (v->live && !verify_edge(v, v->op)) {
        return false;
    }
    v->block = v->op;
    if (v->live && t == NULL) {
        t = save_new(v, label, &v->s.h, v->s.x, v->s.y);
        if (t == NULL) {
            return false;
        }
        t->dirty = false;
        return true;
    }
    if (t == NULL) {
        return true;
    }
    bool changed = false;
    if (v->live && !join_into(v, t, &v->s.h, v->s.x, v->s.y, &changed)) {
        return false;
    }
    if (t->dirty) {
        t->dirty = false;
        v->pending--;
        load(v, t);
    } else if (changed) {
        load(v, t);
    } else {
        v->live = false;
    }
    return true;
}

/* Arguments may be match contexts if somebody in this file passes one: then the function is walked again. */
static void entry_state(Verifier *v, const BeamFunction *f) {
    uint64_t match = v->match_args[f - v->b->functions];
    State *s = &v->s;
    s->h = (StateHead){.frame = FRAME_NONE};
    for (uint32_t i = 0; i < f->arity; i++) {
        bool may_match = i < MATCH_ARGS && (match >> i & 1);
        state_set_x(s, i, may_match ? FACT_MAYBE_MATCH : FACT_ANY);
    }
    v->live = true;
}

static bool sweep(Verifier *v, uint32_t from, uint64_t *budget) {
    GenericOp *ops = v->b->ops;
    uint32_t end = v->function->end;
    for (v->op = from; v->op < end; v->op++) {
        GenericOp *op = &ops[v->op];
        if (op->op == GEN_label) {
            if (!at_label(v, op->arg[0].value)) {
                return false;
            }
            if (v->live) {
                op->flags &= (uint8_t)~OP_DEAD;
            } else if (v->pending == 0) {
                return true;
            }
        } else if (v->live) {
            if (--*budget == 0) {
                return FAIL(v, "the function is too complicated to verify");
            }
            op->flags &= (uint8_t)~OP_DEAD;
            if (!verify_instruction(v, op)) {
                return false;
            }
        }
    }
    if (v->live) {
        ops[end - 1].flags |= OP_STOP;
        v->live = false;
    }
    return true;
}

static bool walk_once(Verifier *v, const BeamFunction *f) {
    BeamFile *b = v->b;
    arena_reset(&v->scratch, SIZE_MAX);
    for (uint32_t i = f->first; i < f->end; i++) {
        if (b->ops[i].op == GEN_label) {
            v->saved[b->ops[i].arg[0].value] = NULL;
        }
    }
    entry_state(v, f);
    v->pending = 0;
    v->handled = v->backward = false;
    v->edge_count = 0;
    v->block = VERIFY_NO_BLOCK;
    uint64_t budget = (uint64_t)WALKS * (f->end - f->first) + WALKS_FREE;
    uint32_t from = b->label_op[f->entry];
    for (;;) {
        v->restart = UINT32_MAX;
        if (!sweep(v, from, &budget)) {
            return false;
        }
        if (v->pending == 0) {
            return true;
        }
        from = v->restart;
        assert(from < f->end);
    }
}

/* Jumps back are rare: compilers share the ends of functions with them. */
static bool loops_are_charged(Verifier *v) {
    return !v->backward || verify_no_loops(v);
}

static bool walk(Verifier *v, const BeamFunction *f) {
    v->function = f;
    v->preset = false;
    if (walk_once(v, f)) {
        return loops_are_charged(v);
    }
    LoadError first = *v->error;
    v->preset = !first.no_memory;
    if (!v->preset || !walk_once(v, f)) {
        *v->error = first;
        return false;
    }
    *v->error = (LoadError){0};
    memcpy(v->error->file, first.file, sizeof first.file);
    return loops_are_charged(v);
}

static Verifier *verifier_new(BeamFile *b, LoadError *error) {
    size_t n = b->function_count;
    Verifier *v = arena_alloc(b->work, sizeof *v);
    if (v == NULL) {
        return NULL;
    }
    memset(v, 0, offsetof(Verifier, s)); /* the state is made at a function's entry */
    v->b = b;
    v->error = error;
    v->match_args = b->match_args;
    v->op = v->pending = v->restart = 0;
    v->live = v->handled = v->backward = v->repeat = false;
    v->edges = NULL;
    v->edge_count = v->edge_room = v->block = 0;
    v->saved = arena_alloc(b->work, b->labels * sizeof *v->saved);
    v->imports = ARENA_ARRAY(b->work, uint8_t, b->import_count);
    if (v->match_args == NULL) {
        v->match_args = ARENA_ARRAY(b->work, uint64_t, n);
    }
    v->again = ARENA_ARRAY(b->work, bool, n);
    if (v->saved == NULL || v->imports == NULL || v->match_args == NULL || v->again == NULL) {
        return NULL;
    }
    arena_init(&v->scratch, &b->vm->mem, MEM_TEMPORARY);
    v->states = &v->scratch;
    return v;
}

bool beam_verify(BeamFile *b, LoadError *error) {
    size_t n = b->function_count;
    Verifier *v = verifier_new(b, error);
    if (v == NULL) {
        return load_no_memory(error);
    }
    bool ok = true, more = true;
    for (bool first = true; ok && more; first = false) {
        more = false;
        for (size_t i = 0; ok && i < n; i++) {
            if (first || v->again[i]) {
                v->again[i] = false;
                ok = walk(v, &b->functions[i]);
                b->functions[i].walked = true;
            }
        }
        for (size_t i = 0; ok && i < n; i++) {
            more |= v->again[i];
        }
    }
    arena_done(&v->scratch);
    return ok;
}

bool beam_verify_function(BeamFile *b, uint32_t index, const bool **again, LoadError *error) {
    Verifier *v = verifier_new(b, error);
    if (v == NULL) {
        return load_no_memory(error);
    }
    bool ok = true;
    v->states = b->work;
    for (v->again[index] = true; ok && v->again[index];) {
        v->again[index] = false;
        ok = walk(v, &b->functions[index]);
    }
    *again = v->repeat ? v->again : NULL;
    return ok;
}
