/* Built-ins on tuples. */
#include "bif/bif.h"

#include "term/literal.h"

enum { TUPLE_MAX = (1 << 24) - 1, WORDS_PER_REDUCTION = 64 };

/* Room for a tuple, its header written; NULL after raising. */
static term *new_tuple(Process *p, size_t arity) {
    if (arity > TUPLE_MAX) {
        raise_badarg(p);
        return NULL;
    }
    term *t = heap_alloc(HEAP(p), 1 + arity);
    if (t == NULL) {
        raise_error(p, A_system_limit);
        return NULL;
    }
    BUMP(p, arity / WORDS_PER_REDUCTION);
    t[0] = HEADER(arity, KIND_TUPLE);
    return t;
}

/* The position that `index` names; 0: it is none in 1..last. */
static size_t position(term index, size_t last) {
    if (!is_small(index) || small_value(index) < 1 || (size_t)small_value(index) > last) {
        return 0;
    }
    return (size_t)small_value(index);
}

BIF(erlang, tuple_size, 1) {
    return is_tuple(a[0]) ? SMALL(tuple_arity(a[0])) : raise_badarg(p);
}

BIF(erlang, element, 2) {
    size_t i = is_tuple(a[1]) ? position(a[0], tuple_arity(a[1])) : 0;
    return i > 0 ? element(a[1], i) : raise_badarg(p);
}

BIF(erlang, setelement, 3) {
    size_t i = is_tuple(a[1]) ? position(a[0], tuple_arity(a[1])) : 0;
    if (i == 0) {
        return raise_badarg(p);
    }
    term *t = new_tuple(p, tuple_arity(a[1]));
    if (t == NULL) {
        return NONE;
    }
    memcpy(t + 1, boxed(a[1]) + 1, tuple_arity(a[1]) * sizeof(term));
    t[i] = a[2];
    return make_boxed(t);
}

/* n elements that are all the same. NONE after raising. */
static term make_tuple(Process *p, term arity, term initial) {
    if (!is_small(arity) || small_value(arity) < 0) {
        return raise_badarg(p);
    }
    size_t n = (size_t)small_value(arity);
    if (n == 0) {
        return literal_empty_tuple(process_vm(p));
    }
    term *t = new_tuple(p, n);
    if (t == NULL) {
        return NONE;
    }
    for (size_t i = 1; i <= n; i++) {
        t[i] = initial;
    }
    return make_boxed(t);
}

BIF(erlang, make_tuple, 2) {
    return make_tuple(p, a[0], a[1]);
}

BIF(erlang, make_tuple, 3) {
    term result = make_tuple(p, a[0], a[1]), list = a[2];
    if (result == NONE) {
        return NONE;
    }
    for (; is_cons(list); list = tail(list)) {
        term pair = head(list);
        size_t i = is_tuple_of(pair, 2) ? position(element(pair, 1), tuple_arity(result)) : 0;
        if (i == 0) {
            return raise_badarg(p);
        }
        boxed(result)[i] = element(pair, 2);
    }
    return list == NIL ? result : raise_badarg(p);
}

BIF(erlang, insert_element, 3) {
    size_t i = is_tuple(a[1]) ? position(a[0], tuple_arity(a[1]) + 1) : 0;
    if (i == 0) {
        return raise_badarg(p);
    }
    size_t n = tuple_arity(a[1]);
    term *t = new_tuple(p, n + 1);
    if (t == NULL) {
        return NONE;
    }
    memcpy(t + 1, boxed(a[1]) + 1, (i - 1) * sizeof(term));
    t[i] = a[2];
    memcpy(t + i + 1, boxed(a[1]) + i, (n + 1 - i) * sizeof(term));
    return make_boxed(t);
}

BIF(erlang, append_element, 2) {
    if (!is_tuple(a[0])) {
        return raise_badarg(p);
    }
    size_t n = tuple_arity(a[0]);
    term *t = new_tuple(p, n + 1);
    if (t == NULL) {
        return NONE;
    }
    memcpy(t + 1, boxed(a[0]) + 1, n * sizeof(term));
    t[n + 1] = a[1];
    return make_boxed(t);
}

BIF(erlang, delete_element, 2) {
    size_t i = is_tuple(a[1]) ? position(a[0], tuple_arity(a[1])) : 0;
    if (i == 0) {
        return raise_badarg(p);
    }
    size_t n = tuple_arity(a[1]);
    if (n == 1) {
        return literal_empty_tuple(process_vm(p));
    }
    term *t = new_tuple(p, n - 1);
    if (t == NULL) {
        return NONE;
    }
    memcpy(t + 1, boxed(a[1]) + 1, (i - 1) * sizeof(term));
    memcpy(t + i, boxed(a[1]) + i + 1, (n - i) * sizeof(term));
    return make_boxed(t);
}

BIF(erlang, tuple_to_list, 1) {
    if (!is_tuple(a[0])) {
        return raise_badarg(p);
    }
    size_t n = tuple_arity(a[0]);
    term list = heap_list(HEAP(p), boxed(a[0]) + 1, n, NIL);
    BUMP(p, n / WORDS_PER_REDUCTION);
    return list != NONE ? list : raise_heap_reason(p);
}

BIF(erlang, list_to_tuple, 1) {
    size_t n = 0;
    term list = a[0];
    for (; is_cons(list) && n <= TUPLE_MAX; list = tail(list)) {
        n++;
    }
    if (list != NIL) {
        return raise_badarg(p);
    }
    if (n == 0) {
        return literal_empty_tuple(process_vm(p));
    }
    term *t = new_tuple(p, n);
    if (t == NULL) {
        return NONE;
    }
    list = a[0];
    for (size_t i = 1; i <= n; i++, list = tail(list)) {
        t[i] = head(list);
    }
    return make_boxed(t);
}
