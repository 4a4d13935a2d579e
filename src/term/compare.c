/* Equality and order, both as loops over ranges of words, with an explicit stack for what is to be compared later. */
#include "term/compare.h"

#include <stdlib.h>

#include "base/stack.h"
#include "term/atom.h"
#include "term/bitstring.h"
#include "term/fun.h"
#include "term/number.h"
#include "term/ref.h"

/* How a range is compared. */
enum {
    EXACT = 1,  /* integers differ from floats (and come before them) */
    LEAVES = 2, /* children of a hash map: cells are pairs, whose keys are compared exactly */
};

/* Identifiers and numbers that are not the same word. */
static bool same_leaf(VM *vm, term x, term y, bool exact) {
    if (is_immediate(x) || is_immediate(y)) {
        return !exact && is_number(x) && is_number(y) && number_compare(x, y) == 0;
    }
    const term *p = boxed(x), *q = boxed(y);
    switch (HEADER_KIND(p[0])) {
    case KIND_BIG:
    case KIND_NEG_BIG:
        if (p[0] == q[0]) {
            return memcmp(p + 1, q + 1, HEADER_WORDS(p[0]) * sizeof *p) == 0;
        }
        return !exact && is_float(y) && number_compare(x, y) == 0;
    case KIND_FLOAT: return (is_float(y) || (!exact && is_big(y))) && number_compare(x, y) == 0;
    case KIND_BITS:
    case KIND_VIEW: return is_bitstring(y) && bits_equal(bits_of(x), bits_of(y));
    case KIND_EXPORT: return p[0] == q[0] && p[1] == q[1];
    case KIND_REF: return is_local_ref(y) && ref_low(x) == ref_low(y) && ref_high(x) == ref_high(y);
    case KIND_EXTERNAL: return is_kind(y, KIND_EXTERNAL) && ((External *)p)->type == ((External *)q)->type && term_compare(vm, x, y) == 0;
    default: return false;
    }
}

static bool is_compound(Kind k) {
    enum { KINDS = 1 << KIND_TUPLE | 1 << KIND_MAP | 1 << KIND_HASH_MAP | 1 << KIND_HASH_NODE | 1 << KIND_FUN | 1 << KIND_RECORD };
    return KINDS >> k & 1;
}

/* The one loop behind =:= and ==: is everything in a[0..n) equal to b[0..n)? */
static inline __attribute__((always_inline)) bool equal(VM *vm, const term *a, const term *b, const bool always_exact) {
    Stack s;
    stack_init(&s);
    size_t n = 1;
    unsigned mode = always_exact ? EXACT : 0;
    for (;;) {
        while (n > 0) {
            term x = *a++, y = *b++;
            n--;
            if (x == y) {
                continue;
            }
            const term *p, *q;
            size_t more;
            unsigned next = mode;
            if (is_cons(x) && is_cons(y)) {
                p = cons_cell(x), q = cons_cell(y), more = 2;
                next = mode & EXACT;
            } else if (is_boxed(x) && is_boxed(y) && is_compound(kind_of(x))) {
                if (header_of(x) != header_of(y)) {
                    goto differ;
                }
                p = boxed(x) + 1, q = boxed(y) + 1, more = HEADER_WORDS(p[-1]);
                Kind k = HEADER_KIND(p[-1]);
                if (k == KIND_FUN) {
                    if (p[0] != q[0]) {
                        goto differ;
                    }
                    p += FUN_FREE - 1, q += FUN_FREE - 1, more -= FUN_FREE - 1;
                } else if (k == KIND_HASH_MAP || k == KIND_HASH_NODE) {
                    next |= LEAVES;
                }
            } else if (!is_cons(x) && !is_cons(y) && same_leaf(vm, x, y, always_exact || (mode & EXACT))) {
                continue;
            } else {
                goto differ;
            }
            if (n > 0) {
                uintptr_t *r = stack_room(&s, 4);
                r[0] = (uintptr_t)a, r[1] = (uintptr_t)b, r[2] = n, r[3] = mode;
            }
            /* Keys are compared exactly even where values are not. */
            if (!always_exact && !(next & EXACT) && (is_cons(x) ? mode & LEAVES : kind_of(x) == KIND_MAP)) {
                uintptr_t *r = stack_room(&s, 4);
                r[0] = (uintptr_t)(p + 1), r[1] = (uintptr_t)(q + 1), r[2] = more - 1, r[3] = next;
                more = 1, next |= EXACT;
            }
            a = p, b = q, n = more, mode = next;
        }
        if (stack_is_empty(&s)) {
            stack_done(&s);
            return true;
        }
        uintptr_t *r = s.top -= 4;
        a = (const term *)r[0], b = (const term *)r[1], n = r[2], mode = (unsigned)r[3];
    }
differ:
    stack_done(&s);
    return false;
}

bool term_same_slow(VM *vm, term a, term b) {
    return equal(vm, &a, &b, true);
}

bool term_equal(VM *vm, term a, term b) {
    if (a == b) {
        return true;
    }
    if (is_small(a) && is_small(b)) {
        return false;
    }
    return equal(vm, &a, &b, false);
}

/* The order of types. */
enum { RANK_NUMBER, RANK_ATOM, RANK_REF, RANK_FUN, RANK_PORT, RANK_PID, RANK_TUPLE, RANK_RECORD, RANK_MAP, RANK_NIL, RANK_LIST, RANK_BITS };

static int rank_of(term t) {
    if (is_cons(t)) {
        return RANK_LIST;
    }
    if (is_immediate(t)) {
        return is_small(t) ? RANK_NUMBER : is_atom(t) ? RANK_ATOM : is_local_pid(t) ? RANK_PID : is_local_port(t) ? RANK_PORT : RANK_NIL;
    }
    static const uint8_t ranks[16] = {
        [KIND_TUPLE] = RANK_TUPLE,  [KIND_MAP] = RANK_MAP,       [KIND_HASH_MAP] = RANK_MAP, [KIND_HASH_NODE] = RANK_MAP,
        [KIND_FUN] = RANK_FUN,      [KIND_EXPORT] = RANK_FUN,    [KIND_BIG] = RANK_NUMBER,   [KIND_NEG_BIG] = RANK_NUMBER,
        [KIND_FLOAT] = RANK_NUMBER, [KIND_REF] = RANK_REF,       [KIND_BITS] = RANK_BITS,    [KIND_VIEW] = RANK_BITS,
        [KIND_MATCH] = RANK_BITS,   [KIND_RECORD] = RANK_RECORD,
    };
    if (kind_of(t) == KIND_EXTERNAL) {
        uintptr_t type = ((External *)boxed(t))->type;
        return type == EXTERNAL_PID ? RANK_PID : type == EXTERNAL_PORT ? RANK_PORT : RANK_REF;
    }
    return ranks[kind_of(t)];
}

#define ORDER(x, y) (((x) > (y)) - ((x) < (y)))

static int compare_nodes(VM *vm, term x, term y) {
    term name[2] = {node_name(vm), node_name(vm)};
    uintptr_t creation[2] = {node_creation(vm), node_creation(vm)};
    const term t[2] = {x, y};
    for (int i = 0; i < 2; i++) {
        if (is_kind(t[i], KIND_EXTERNAL)) {
            const External *e = (External *)boxed(t[i]);
            name[i] = e->node, creation[i] = e->creation;
        }
    }
    return name[0] != name[1] ? atom_compare(vm, name[0], name[1]) : ORDER(creation[0], creation[1]);
}

static uint64_t pid_place(term t) { /* serial, then number */
    if (is_local_pid(t)) {
        return (uint64_t)pid_serial(t) << 32 | pid_number(t);
    }
    const External *e = (External *)boxed(t);
    return (uint64_t)e->number[1] << 32 | e->number[0];
}

static int compare_pids(VM *vm, term x, term y) {
    int c = ORDER(pid_place(x), pid_place(y));
    return c != 0 ? c : compare_nodes(vm, x, y);
}

static int compare_ports(VM *vm, term x, term y) {
    int c = compare_nodes(vm, x, y);
    return c != 0 ? c : ORDER(port_number(x), port_number(y));
}

static int compare_refs(VM *vm, term x, term y) {
    int c = compare_nodes(vm, x, y);
    uint32_t p[5], q[5];
    ref_words(x, p), ref_words(y, q);
    for (int i = 4; i >= 0 && c == 0; i--) {
        c = ORDER(p[i], q[i]);
    }
    return c;
}

/* All of two funs but their free variables. */
static int compare_funs(VM *vm, term x, term y) {
    bool external = kind_of(x) == KIND_EXPORT;
    if (external != (kind_of(y) == KIND_EXPORT)) {
        return external ? 1 : -1;
    }
    if (fun_code(x) == fun_code(y)) {
        return external ? 0 : ORDER(fun_free_count(x), fun_free_count(y));
    }
    const ExternalHooks *hooks = vm->external;
    if (hooks == NULL) {
        return ORDER(fun_code(x), fun_code(y));
    }
    int c;
    if (external) {
        term m1, f1, m2, f2;
        uint32_t a1, a2;
        hooks->describe_export(vm, fun_code(x), &m1, &f1, &a1);
        hooks->describe_export(vm, fun_code(y), &m2, &f2, &a2);
        c = atom_compare(vm, m1, m2);
        c = c != 0 ? c : atom_compare(vm, f1, f2);
        return c != 0 ? c : ORDER(a1, a2);
    }
    FunDescription d, e;
    hooks->describe_lambda(vm, fun_code(x), &d);
    hooks->describe_lambda(vm, fun_code(y), &e);
    c = atom_compare(vm, d.module, e.module);
    c = c != 0 ? c : ORDER(d.index, e.index);
    c = c != 0 ? c : ORDER(d.old_uniq, e.old_uniq);
    return c != 0 ? c : ORDER(fun_free_count(x), fun_free_count(y));
}

/* Large maps of the same size. What decides is the least key that only one of them has, or else the least key with
   different values: candidates. Finding them takes only equality; which one is the least is found out by the loop in
   `order`, one comparison after the other, so that nothing recurses. */
typedef struct {
    const term *cell;  /* of the pair in the one map */
    const term *other; /* of the pair in the other map with the same key; NULL: there is none */
    int side;          /* the one map is: -1 the left one, 1 the right one */
} Candidate;
typedef struct {
    Candidate *at;
    size_t count, capacity;
    size_t least, next; /* at[least] is the least of at[0..next) */
    bool one_sided;     /* keys that only one map has: values do not matter any more */
} Contest;

static void contest_add(Contest *c, const term *cell, const term *other, int side) {
    if (other != NULL && c->one_sided) {
        return;
    }
    if (other == NULL && !c->one_sided) {
        c->one_sided = true, c->count = 0;
    }
    if (c->count == c->capacity) {
        c->capacity = c->capacity == 0 ? 16 : 2 * c->capacity;
        Candidate *at = realloc(c->at, c->capacity * sizeof *at);
        if (at == NULL) {
            abort();
        }
        c->at = at;
    }
    c->at[c->count++] = (Candidate){cell, other, side};
}

static const term *hash_children(term node, size_t *count, uintptr_t *bitmap) {
    const term *p = boxed(node);
    size_t skip = HEADER_KIND(p[0]) == KIND_HASH_MAP ? 2 : 1;
    *bitmap = (uintptr_t)small_value(p[skip]);
    *count = HEADER_WORDS(p[0]) - skip;
    return p + 1 + skip;
}

/* All pairs below `node` are candidates, but the one with the key of `match`, if there is one: it belongs to that. Returns
   whether there was. Depth is bounded by the trie's. */
static bool add_all(VM *vm, Contest *c, term node, int side, const term *match, bool exact) {
    if (is_cons(node)) {
        const term *cell = cons_cell(node);
        if (match == NULL || !term_same(vm, cell[0], match[0])) {
            contest_add(c, cell, NULL, side);
            return false;
        }
        if (!(exact ? term_same(vm, cell[1], match[1]) : term_equal(vm, cell[1], match[1]))) {
            contest_add(c, cell, match, side);
        }
        return true;
    }
    size_t n;
    uintptr_t bitmap;
    const term *child = hash_children(node, &n, &bitmap);
    bool found = false;
    for (size_t i = 0; i < n; i++) {
        found |= add_all(vm, c, child[i], side, found ? NULL : match, exact);
    }
    return found;
}

static void contest_nodes(VM *vm, Contest *c, term x, term y, bool exact);

/* Nodes whose children are all that is left of equal hashes: no order to go by but the keys'. */
static void contest_collisions(VM *vm, Contest *c, const term *x, size_t n, const term *y, size_t m, bool exact) {
    for (size_t i = 0; i < n; i++) {
        const term *cell = cons_cell(x[i]), *other = NULL;
        for (size_t k = 0; k < m && other == NULL; k++) {
            other = term_same(vm, cell[0], head(y[k])) ? cons_cell(y[k]) : NULL;
        }
        if (other == NULL || !(exact ? term_same(vm, cell[1], other[1]) : term_equal(vm, cell[1], other[1]))) {
            contest_add(c, cell, other, -1);
        }
    }
    for (size_t k = 0; k < m; k++) {
        bool found = false;
        for (size_t i = 0; i < n && !found; i++) {
            found = term_same(vm, head(x[i]), head(y[k]));
        }
        if (!found) {
            contest_add(c, cons_cell(y[k]), NULL, 1);
        }
    }
}

static void contest_children(VM *vm, Contest *c, term x, term y, bool exact) {
    size_t n, m;
    uintptr_t left, right;
    const term *p = hash_children(x, &n, &left), *q = hash_children(y, &m, &right);
    if (left == 0 || right == 0) {
        assert(left == right);
        contest_collisions(vm, c, p, n, q, m, exact);
        return;
    }
    for (uintptr_t bits = left | right; bits != 0; bits &= bits - 1) {
        uintptr_t bit = bits & -bits;
        if ((left & right & bit) != 0) {
            contest_nodes(vm, c, *p++, *q++, exact);
        } else if ((left & bit) != 0) {
            add_all(vm, c, *p++, -1, NULL, exact);
        } else {
            add_all(vm, c, *q++, 1, NULL, exact);
        }
    }
}

/* Compares what is at the same place of both tries. */
static void contest_nodes(VM *vm, Contest *c, term x, term y, bool exact) {
    if (x == y) {
        return;
    }
    if (is_cons(x)) {
        if (!add_all(vm, c, y, 1, cons_cell(x), exact)) {
            contest_add(c, cons_cell(x), NULL, -1);
        }
    } else if (is_cons(y)) {
        if (!add_all(vm, c, x, -1, cons_cell(y), exact)) {
            contest_add(c, cons_cell(y), NULL, 1);
        }
    } else {
        contest_children(vm, c, x, y, exact);
    }
}

/* What waits on the stack: a range (words, words, count, mode), or a contest (Contest *, 0, CONTEST, mode). */
#define CONTEST SIZE_MAX

static void contest_free(Contest *c) {
    free(c->at);
    free(c);
}

typedef struct {
    Stack stack;
    const term *a, *b;
    size_t n;
    unsigned mode;
} Order;

static void order_push(Order *o, const void *a, const void *b, size_t n, unsigned mode) {
    if (n > 0) {
        uintptr_t *r = stack_room(&o->stack, 4);
        r[0] = (uintptr_t)a, r[1] = (uintptr_t)b, r[2] = n, r[3] = mode;
    }
}

/* Goes on with the next candidate's key, or, when all have been seen, decides: returns the result, or 0 if the values of
   the least key are to be compared now. */
static int contest_go_on(Order *o, Contest *c, unsigned mode) {
    if (c->next < c->count) {
        order_push(o, c, NULL, CONTEST, mode);
        o->a = c->at[c->next].cell, o->b = c->at[c->least].cell;
        o->n = 1, o->mode = EXACT;
        return 0;
    }
    Candidate w = c->at[c->least];
    contest_free(c);
    if (w.other == NULL) {
        return w.side;
    }
    o->a = (w.side < 0 ? w.cell : w.other) + 1, o->b = (w.side < 0 ? w.other : w.cell) + 1;
    o->n = 1, o->mode = mode;
    return 0;
}

static int order_hash_maps(VM *vm, Order *o, term x, term y, unsigned mode) {
    Contest *c = calloc(1, sizeof *c);
    if (c == NULL) {
        abort();
    }
    contest_children(vm, c, x, y, mode & EXACT);
    if (c->count == 0) {
        contest_free(c);
        return 0;
    }
    c->next = 1;
    return contest_go_on(o, c, mode);
}

static int order_maps(VM *vm, Order *o, term x, term y, unsigned mode) {
    const term *p = boxed(x), *q = boxed(y);
    bool flat = HEADER_KIND(p[0]) == KIND_MAP, other_flat = HEADER_KIND(q[0]) == KIND_MAP;
    size_t n = flat ? HEADER_WORDS(p[0]) - 1 : (size_t)small_value(p[1]);
    size_t m = other_flat ? HEADER_WORDS(q[0]) - 1 : (size_t)small_value(q[1]);
    if (n != m) {
        return ORDER(n, m);
    }
    assert(flat == other_flat);
    if (!flat) {
        return order_hash_maps(vm, o, x, y, mode);
    }
    order_push(o, p + 2, q + 2, n, mode);
    o->a = p + 1, o->b = q + 1, o->n = 1, o->mode = EXACT;
    return 0;
}

/* Orders two terms that differ as words: returns the result, or 0, with o set to what is to be compared first. */
static int order_terms(VM *vm, Order *o, term x, term y, unsigned mode) {
    int rank = rank_of(x), other = rank_of(y);
    if (rank != other) {
        return rank - other;
    }
    switch (rank) {
    case RANK_NUMBER:
        if ((mode & EXACT) && is_float(x) != is_float(y)) {
            return is_float(x) ? 1 : -1;
        }
        return number_compare(x, y);
    case RANK_ATOM: return atom_compare(vm, x, y);
    case RANK_REF: return compare_refs(vm, x, y);
    case RANK_FUN: {
        int c = compare_funs(vm, x, y);
        if (c == 0 && kind_of(x) == KIND_FUN) {
            o->a = boxed(x) + FUN_FREE, o->b = boxed(y) + FUN_FREE, o->n = fun_free_count(x), o->mode = mode;
        }
        return c;
    }
    case RANK_PORT: return compare_ports(vm, x, y);
    case RANK_PID: return compare_pids(vm, x, y);
    case RANK_RECORD: { /* the definition decides before the number of fields */
        size_t n = HEADER_WORDS(header_of(x)), m = HEADER_WORDS(header_of(y));
        o->a = boxed(x) + 1, o->b = boxed(y) + 1, o->n = MIN(n, m), o->mode = mode;
        return 0;
    }
    case RANK_TUPLE: {
        size_t n = HEADER_WORDS(header_of(x)), m = HEADER_WORDS(header_of(y));
        if (n != m && rank == RANK_TUPLE) {
            return ORDER(n, m);
        }
        o->a = boxed(x) + 1, o->b = boxed(y) + 1, o->n = MIN(n, m), o->mode = mode; /* records of other size differ by their definitions */
        return 0;
    }
    case RANK_MAP: return order_maps(vm, o, x, y, mode);
    case RANK_LIST: o->a = cons_cell(x), o->b = cons_cell(y), o->n = 2, o->mode = mode; return 0;
    case RANK_BITS: return bits_compare(bits_of(x), bits_of(y));
    default: return 0;
    }
}

static int order(VM *vm, term x, term y, unsigned mode) {
    Order o = {.a = &x, .b = &y, .n = 1, .mode = mode};
    stack_init(&o.stack);
    int c = 0;
    for (;;) {
        while (o.n > 0 && c == 0) {
            x = *o.a++, y = *o.b++;
            o.n--;
            if (x == y) {
                continue;
            }
            if (is_small(x) && is_small(y)) {
                c = (intptr_t)x < (intptr_t)y ? -1 : 1;
                break;
            }
            order_push(&o, o.a, o.b, o.n, o.mode);
            mode = o.mode, o.n = 0;
            c = order_terms(vm, &o, x, y, mode);
        }
        /* Something has been decided, if only that all there was is equal. A contest wants to know; it ends what was
           begun for its sake. */
        for (;;) {
            if (stack_is_empty(&o.stack)) {
                stack_done(&o.stack);
                return c;
            }
            uintptr_t *r = o.stack.top -= 4;
            if (r[2] == CONTEST) {
                Contest *contest = (Contest *)r[0];
                if (c < 0) {
                    contest->least = contest->next;
                }
                contest->next++;
                c = contest_go_on(&o, contest, (unsigned)r[3]);
                if (c == 0) {
                    break;
                }
            } else if (c == 0) {
                o.a = (const term *)r[0], o.b = (const term *)r[1], o.n = r[2], o.mode = (unsigned)r[3];
                break;
            }
        }
    }
}

/* Tuples of the same size: decided here if the first elements that differ are small integers. */
static bool order_tuples(term x, term y, int *c) {
    const term *a = boxed(x), *b = boxed(y);
    if (a[0] != b[0] || HEADER_KIND(a[0]) != KIND_TUPLE) {
        return false;
    }
    for (size_t n = HEADER_WORDS(a[0]); n > 0; n--) {
        if (*++a != *++b) {
            *c = (intptr_t)*a < (intptr_t)*b ? -1 : 1;
            return is_small(*a) && is_small(*b);
        }
    }
    *c = 0;
    return true;
}

int term_compare(VM *vm, term a, term b) {
    if (a == b) {
        return 0;
    }
    if (is_small(a) && is_small(b)) {
        return (intptr_t)a < (intptr_t)b ? -1 : 1;
    }
    if (is_atom(a) && is_atom(b)) {
        return atom_compare(vm, a, b);
    }
    int c;
    return is_boxed(a) && is_boxed(b) && order_tuples(a, b, &c) ? c : order(vm, a, b, 0);
}

int term_compare_exact(VM *vm, term a, term b) {
    if (a == b) {
        return 0;
    }
    if (is_small(a) && is_small(b)) {
        return (intptr_t)a < (intptr_t)b ? -1 : 1;
    }
    return order(vm, a, b, EXACT);
}
