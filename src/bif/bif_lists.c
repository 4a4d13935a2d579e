/* Built-ins on lists. Those that may take long go on by calling themselves with what is left. */
#include "bif/bif.h"

#include "term/compare.h"

/* How much a reduction buys. */
enum { CELLS_PER_REDUCTION = 40, TESTS_PER_REDUCTION = 16 };

/* How many steps are left in this slice, if a reduction buys so many. */
static size_t steps_left(const Process *p, size_t per_reduction) {
    return p->heap.reds > 0 ? (size_t)p->heap.reds * per_reduction : per_reduction;
}
static void charge(Process *p, size_t steps, size_t per_reduction) {
    BUMP(p, (intptr_t)(steps / per_reduction));
}

/* Counts cells up to a limit. *list: what comes behind them. */
static size_t count_cells(term *list, size_t limit) {
    size_t n = 0;
    term l = *list;
    for (; is_cons(l) && n < limit; l = tail(l)) {
        n++;
    }
    *list = l;
    return n;
}

BIF(erlang, hd, 1) {
    return is_cons(a[0]) ? head(a[0]) : raise_badarg(p);
}

BIF(erlang, tl, 1) {
    return is_cons(a[0]) ? tail(a[0]) : raise_badarg(p);
}

BIF(erlang, length, 1) {
    term list = a[0];
    size_t n = count_cells(&list, SIZE_MAX);
    charge(p, n, 2 * CELLS_PER_REDUCTION);
    return list == NIL ? SMALL(n) : raise_badarg(p);
}

BIF(lists, member, 2) {
    term key = a[0], list = a[1];
    size_t limit = steps_left(p, TESTS_PER_REDUCTION), n = 0;
    VM *vm = process_vm(p);
    if (is_immediate(key)) {
        for (; is_cons(list) && n < limit && head(list) != key; list = tail(list)) {
            n++;
        }
    } else {
        for (; is_cons(list) && n < limit && !term_same(vm, head(list), key); list = tail(list)) {
            n++;
        }
    }
    charge(p, n, TESTS_PER_REDUCTION);
    if (n == limit && is_cons(list)) {
        return bif_trap(p, BIF_EXPORT(p, lists, member, 2), 2, key, list);
    }
    return is_cons(list) ? A_true : list == NIL ? A_false : raise_badarg(p);
}

/* ---- Reversing and appending ---- */

enum { PIECE = HEAP_SURE / 2 }; /* cells allocated at once: surely to be had */

/* Puts the cells of *list, one after the other, in front of *onto, until one is not a cell or the slice ends. */
static void reverse_some(Process *p, term *list, term *onto) {
    size_t left = steps_left(p, CELLS_PER_REDUCTION);
    while (is_cons(*list) && left > 0) {
        term behind = *list;
        size_t n = count_cells(&behind, MIN(left, PIECE));
        term *cell = heap_alloc(HEAP(p), 2 * n), l = *list;
        for (term *end = cell + 2 * n; cell < end; cell += 2, l = tail(l)) {
            cell[0] = head(l), cell[1] = *onto;
            *onto = make_cons(cell);
        }
        *list = l;
        left -= n;
        charge(p, n, CELLS_PER_REDUCTION);
    }
}

static term reverse(Process *p, term list, term onto) {
    reverse_some(p, &list, &onto);
    if (is_cons(list)) {
        return bif_trap(p, BIF_EXPORT(p, lists, reverse, 2), 2, list, onto);
    }
    return list == NIL ? onto : raise_badarg(p);
}

BIF(lists, reverse, 2) {
    return reverse(p, a[0], a[1]);
}

/* Turns around the first list of an append that is long, to turn it back onto the second one. */
BIF_REST(append_more, 4, erlang, "++", 2) { /* what is left, what is turned around; the arguments of ++ */
    term list = a[0], reversed = a[1];
    reverse_some(p, &list, &reversed);
    if (is_cons(list)) {
        return bif_trap(p, BIF_EXPORT(p, erts_internal, append_more, 4), 4, list, reversed, a[2], a[3]);
    }
    if (list != NIL) {
        return raise_error_as(p, A_badarg, A_erlang, A_op_append, 2, a + 2);
    }
    return reverse(p, reversed, a[3]);
}

static term append(Process *p, term list, term more) {
    size_t limit = steps_left(p, CELLS_PER_REDUCTION);
    term behind = list;
    size_t n = count_cells(&behind, limit);
    if (is_cons(behind)) {
        return bif_trap(p, BIF_EXPORT(p, erts_internal, append_more, 4), 4, list, NIL, list, more);
    }
    if (behind != NIL) {
        return raise_badarg(p);
    }
    if (more == NIL || n == 0) {
        return n == 0 ? more : list;
    }
    term *cell = heap_alloc(HEAP(p), 2 * n), result = make_cons(cell);
    if (cell == NULL) {
        return raise_error(p, A_system_limit);
    }
    for (; is_cons(list); list = tail(list), cell += 2) {
        cell[0] = head(list), cell[1] = make_cons(cell + 2);
    }
    cell[-1] = more; /* even if it is no list: [1] ++ 2 is [1 | 2] */
    charge(p, n, CELLS_PER_REDUCTION);
    return result;
}

BIF_AS(erlang, "++", append_operator, 2) {
    return append(p, a[0], a[1]);
}

BIF(erlang, append, 2) {
    return append(p, a[0], a[1]);
}

/* ---- Lists of tuples ---- */

/* Is it the key, as == has it? A float and a small integer are compared as floats. */
static inline bool is_key(VM *vm, term key, term t) {
    if (key == t) {
        return true;
    }
    if (is_immediate(t) && is_immediate(key)) {
        return false;
    }
    if (is_small(key)) {
        return is_float(t) && float_value(t) == (double)small_value(key);
    }
    return !is_atom(key) && !is_atom(t) && term_equal(vm, key, t);
}

/* The first tuple with this key, or false. NONE: raised, or to go on. */
static term keyfind(Process *p, term name, const term *a) {
    if (!is_small(a[1]) || small_value(a[1]) < 1) {
        return raise_badarg(p);
    }
    term key = a[0], list = a[2];
    size_t position = (size_t)small_value(a[1]), limit = steps_left(p, TESTS_PER_REDUCTION), n = 0;
    for (; is_cons(list) && n < limit; list = tail(list), n++) {
        term t = head(list);
        if (is_tuple(t) && position <= tuple_arity(t) && is_key(process_vm(p), key, boxed(t)[position])) {
            charge(p, n, TESTS_PER_REDUCTION);
            return t;
        }
    }
    charge(p, n, TESTS_PER_REDUCTION);
    if (is_cons(list)) {
        return bif_trap(p, bif_export(process_vm(p), A_lists, name, 3), 3, key, a[1], list);
    }
    return list == NIL ? A_false : raise_badarg(p);
}

BIF(lists, keyfind, 3) {
    return keyfind(p, A_keyfind, a);
}

BIF(lists, keymember, 3) {
    term t = keyfind(p, A_keymember, a);
    return t == NONE || t == A_false ? t : A_true;
}

BIF(lists, keysearch, 3) {
    term t = keyfind(p, A_keysearch, a);
    return t == NONE || t == A_false ? t : TUPLE2(HEAP(p), A_value, t);
}
