/* Terms of all kinds: what nif_terms.erl asks for, told as terms. */
#include <erl_nif.h>
#include <string.h>
#include <stdio.h>

typedef ERL_NIF_TERM Term;
#define NIF(name) static Term name(ErlNifEnv *e, int argc, const Term a[])
#define INT(n) enif_make_int(e, n)

NIF(kinds) {
    Term t[] = {INT(enif_is_atom(e, a[0])), INT(enif_is_binary(e, a[0])), INT(enif_is_ref(e, a[0])), INT(enif_is_fun(e, a[0])), INT(enif_is_pid(e, a[0])),
                INT(enif_is_port(e, a[0])), INT(enif_is_list(e, a[0])), INT(enif_is_empty_list(e, a[0])), INT(enif_is_tuple(e, a[0])),
                INT(enif_is_number(e, a[0])), INT(enif_is_map(e, a[0])), INT(enif_is_exception(e, a[0])), INT(enif_term_type(e, a[0]))};
    return enif_make_tuple_from_array(e, t, sizeof t / sizeof *t);
}

NIF(numbers) {
    int i = -1;
    unsigned u = 1;
    long l = -1;
    unsigned long ul = 1;
    double d = -1;
    Term none = enif_make_atom(e, "no");
    ErlNifSInt64 l64 = -1;
    ErlNifUInt64 u64 = 1;
    return enif_make_tuple7(e, enif_get_int(e, a[0], &i) ? INT(i) : none, enif_get_uint(e, a[0], &u) ? enif_make_uint(e, u) : none,
                            enif_get_long(e, a[0], &l) ? enif_make_long(e, l) : none, enif_get_ulong(e, a[0], &ul) ? enif_make_ulong(e, ul) : none,
                            enif_get_double(e, a[0], &d) ? enif_make_double(e, d) : none, enif_get_int64(e, a[0], &l64) ? enif_make_int64(e, l64) : none,
                            enif_get_uint64(e, a[0], &u64) ? enif_make_uint64(e, u64) : none);
}

NIF(atoms) {
    char text[300];
    unsigned n = 0;
    int got = enif_get_atom(e, a[0], text, sizeof text, ERL_NIF_LATIN1), length = enif_get_atom_length(e, a[0], &n, ERL_NIF_LATIN1);
    int short_one = enif_get_atom(e, a[0], text + 270, 3, ERL_NIF_LATIN1);
    Term again = INT(0);
    int exists = got > 0 && enif_make_existing_atom(e, text, &again, ERL_NIF_LATIN1);
    return enif_make_tuple(e, 7, INT(got), INT(length), enif_make_uint(e, n), INT(short_one), again, INT(exists), got > 0 ? enif_make_atom_len(e, text, 1) : INT(0));
}

NIF(new_atom) {
    char text[600];
    memset(text, 'x', sizeof text);
    int n;
    Term t = INT(0);
    enif_get_int(e, a[0], &n);
    if (enif_make_existing_atom(e, "there is no atom of this name", &t, ERL_NIF_LATIN1)) {
        return INT(-1);
    }
    return enif_make_atom_len(e, text, n);
}

NIF(strings) {
    char text[8];
    int n = enif_get_string(e, a[0], text, sizeof text, ERL_NIF_LATIN1), one = enif_get_string(e, a[0], text + 7, 1, ERL_NIF_LATIN1);
    return enif_make_tuple4(e, INT(n), INT(one), n != 0 ? enif_make_string(e, text, ERL_NIF_LATIN1) : INT(0), enif_make_string_len(e, "a\0b\377", 4, ERL_NIF_LATIN1));
}

NIF(lists) {
    unsigned n = 77;
    Term first = INT(0), rest = INT(0), reversed = INT(0), cells[3] = {a[0], INT(1), INT(2)};
    int length = enif_get_list_length(e, a[0], &n), cell = enif_get_list_cell(e, a[0], &first, &rest), reverse = enif_make_reverse_list(e, a[0], &reversed);
    return enif_make_tuple(e, 10, INT(length), enif_make_uint(e, n), INT(cell), first, rest, INT(reverse), reversed, enif_make_list_cell(e, a[0], a[0]),
                           enif_make_list_from_array(e, cells, 3), enif_make_list2(e, a[0], enif_make_list(e, 0)));
}

NIF(tuples) {
    int n = -1;
    const Term *p = NULL;
    return enif_get_tuple(e, a[0], &n, &p) ? enif_make_tuple3(e, INT(n), enif_make_tuple_from_array(e, p, n), enif_make_list_from_array(e, p, n)) : INT(n);
}

NIF(compare) {
    int c = enif_compare(a[0], a[1]);
    return enif_make_tuple4(e, INT(enif_is_identical(a[0], a[1])), INT((c > 0) - (c < 0)), enif_make_uint64(e, enif_hash(ERL_NIF_PHASH2, a[0], 17)),
                            INT(enif_hash(ERL_NIF_INTERNAL_HASH, a[0], 1) == enif_hash(ERL_NIF_INTERNAL_HASH, a[0], 1)));
}

NIF(maps) { /* Map, Key, Value */
    size_t size = 999;
    Term value = INT(0), put = INT(0), update = INT(0), removed = INT(0), forward = enif_make_list(e, 0), back = forward, k, v;
    int sized = enif_get_map_size(e, a[0], &size), got = enif_get_map_value(e, a[0], a[1], &value), puts = enif_make_map_put(e, a[0], a[1], a[2], &put),
        updates = enif_make_map_update(e, a[0], a[1], a[2], &update), removes = enif_make_map_remove(e, a[0], a[1], &removed);
    ErlNifMapIterator i;
    int ends = 0;
    if (enif_map_iterator_create(e, a[0], &i, ERL_NIF_MAP_ITERATOR_FIRST)) {
        for (; enif_map_iterator_get_pair(e, &i, &k, &v); enif_map_iterator_next(e, &i)) {
            forward = enif_make_list_cell(e, enif_make_list_cell(e, k, v), forward);
        }
        ends = enif_map_iterator_is_tail(e, &i) + 2 * enif_map_iterator_is_head(e, &i);
        enif_map_iterator_destroy(e, &i);
    }
    if (enif_map_iterator_create(e, a[0], &i, ERL_NIF_MAP_ITERATOR_LAST)) {
        for (; enif_map_iterator_get_pair(e, &i, &k, &v); enif_map_iterator_prev(e, &i)) {
            back = enif_make_list_cell(e, enif_make_list_cell(e, k, v), back);
        }
        ends += 4 * enif_map_iterator_is_head(e, &i);
        enif_map_iterator_destroy(e, &i);
    }
    return enif_make_tuple(e, 13, INT(sized), enif_make_ulong(e, size), INT(got), value, INT(puts), put, INT(updates), update, INT(removes), removed, INT(ends), forward, back);
}

NIF(map_of) { /* keys, values: tuples */
    int n, m;
    const Term *k, *v;
    Term map = enif_make_new_map(e);
    enif_get_tuple(e, a[0], &n, &k);
    enif_get_tuple(e, a[1], &m, &v);
    int ok = enif_make_map_from_arrays(e, (Term *)k, (Term *)v, n, &map);
    return enif_make_tuple2(e, INT(ok), ok ? map : INT(0));
}

NIF(binaries) {
    ErlNifBinary b, c, d;
    Term fresh, t[6];
    if (!enif_inspect_binary(e, a[0], &b)) {
        return enif_inspect_iolist_as_binary(e, a[0], &b) ? enif_make_tuple2(e, enif_make_atom(e, "iolist"), enif_make_binary(e, &b)) : enif_make_badarg(e);
    }
    unsigned char *p = enif_make_new_binary(e, b.size, &fresh);
    memcpy(p, b.data, b.size);
    enif_alloc_binary(b.size, &c);
    memcpy(c.data, b.data, b.size);
    enif_realloc_binary(&c, b.size + 100);
    memset(c.data + b.size, 'x', 100);
    enif_alloc_binary(10, &d);
    enif_release_binary(&d);
    enif_inspect_binary(e, a[0], &d);
    enif_realloc_binary(&d, b.size / 2);
    t[0] = enif_make_ulong(e, b.size);
    t[1] = fresh;
    t[2] = enif_make_binary(e, &c);
    t[3] = enif_make_binary(e, &d);
    t[4] = b.size > 2 ? enif_make_sub_binary(e, a[0], 1, b.size - 2) : a[0];
    t[5] = b.size > 2 ? enif_make_sub_binary(e, t[2], b.size, 50) : a[0];
    return enif_make_tuple_from_array(e, t, 6);
}

NIF(external) {
    ErlNifBinary b;
    Term t = INT(0), u = INT(0);
    enif_term_to_binary(e, a[0], &b);
    size_t n = enif_binary_to_term(e, b.data, b.size, &t, 0), m = enif_binary_to_term(e, b.data, b.size - 1, &u, ERL_NIF_BIN2TERM_SAFE);
    return enif_make_tuple4(e, enif_make_binary(e, &b), enif_make_ulong(e, n), t, enif_make_ulong(e, m));
}

/* A list of binaries through a queue, of which Skip bytes are left out and Count taken. */
NIF(queue) {
    unsigned skip, count, most;
    ErlNifIOVec vec, *v = &vec, *w = NULL;
    Term rest, head = INT(0), all = enif_make_list(e, 0);
    enif_get_uint(e, a[1], &skip);
    enif_get_uint(e, a[2], &count);
    enif_get_uint(e, a[3], &most);
    if (!enif_inspect_iovec(e, most, a[0], &rest, &v) || !enif_inspect_iovec(NULL, most, a[0], &rest, &w)) {
        return enif_make_badarg(e);
    }
    ErlNifIOQueue *q = enif_ioq_create(ERL_NIF_IOQ_NORMAL);
    ErlNifBinary b;
    size_t size = 0, left = 0;
    enif_alloc_binary(5, &b);
    memcpy(b.data, "tail!", 5);
    int ok = enif_ioq_enqv(q, v, skip) + 2 * enif_ioq_enqv(q, w, 0) + 4 * enif_ioq_enq_binary(q, &b, 1), deq = enif_ioq_deq(q, count, &size);
    enif_free_iovec(w);
    int n, has = enif_ioq_peek_head(e, q, &left, &head);
    SysIOVec *iov = enif_ioq_peek(q, &n);
    for (int i = 0; i < n; i++) {
        Term t;
        memcpy(enif_make_new_binary(e, iov[i].iov_len, &t), iov[i].iov_base, iov[i].iov_len);
        all = enif_make_list_cell(e, t, all);
    }
    size_t whole = enif_ioq_size(q);
    enif_ioq_destroy(q);
    return enif_make_tuple(e, 9, INT(ok), INT(deq), enif_make_ulong(e, size), enif_make_ulong(e, whole), INT(has), head, enif_make_ulong(e, left), all, rest);
}

NIF(format) {
    char text[400], little[6];
    int n = enif_snprintf(text, sizeof text, "%T|%d|%5.2f|%s|%-4c|%%|%lu|%x|%*d|%lld", a[0], -5, 3.14159, "str", 'c', 123456789012UL, 255, 6, 42, -7LL);
    int m = enif_snprintf(little, sizeof little, "%s", "longer than that");
    return enif_make_tuple4(e, INT(n), enif_make_string(e, text, ERL_NIF_LATIN1), INT(m), enif_make_string(e, little, ERL_NIF_LATIN1));
}

NIF(raise) {
    Term reason = INT(0);
    int before = enif_has_pending_exception(e, NULL);
    enif_raise_exception(e, enif_make_tuple2(e, a[0], INT(before)));
    int after = enif_has_pending_exception(e, &reason);
    return after && enif_is_tuple(e, reason) ? INT(1) : INT(2);
}

NIF(badarg) {
    return enif_make_badarg(e);
}

NIF(infinite) {
    return enif_make_double(e, 1e308 * 10);
}

NIF(times) {
    ErlNifTime ms = enif_monotonic_time(ERL_NIF_MSEC), ns = enif_monotonic_time(ERL_NIF_NSEC), off = enif_time_offset(ERL_NIF_SEC);
    return enif_make_tuple(e, 8, enif_make_int64(e, ms), enif_make_int64(e, ns), enif_make_int64(e, off), enif_make_int64(e, enif_convert_time_unit(-1500, ERL_NIF_MSEC, ERL_NIF_SEC)),
                           enif_make_int64(e, enif_convert_time_unit(7, ERL_NIF_SEC, ERL_NIF_USEC)), INT(enif_monotonic_time(99) == ERL_NIF_TIME_ERROR), enif_now_time(e), enif_cpu_time(e));
}

NIF(system_) {
    ErlNifSysInfo i;
    memset(&i, 0, sizeof i);
    enif_system_info(&i, sizeof i);
    char value[10];
    size_t size = sizeof value;
    int home = enif_getenv("NIF_TEST_SHORT", value, &size), got = (int)size;
    size = sizeof value;
    int large = enif_getenv("NIF_TEST_LONG", value, &size);
    int none = enif_getenv("NIF_TEST_NONE", value, &size);
    return enif_make_tuple(e, 8, INT(i.nif_major_version), INT(i.nif_minor_version), INT(i.dirty_scheduler_support), enif_make_string(e, i.otp_release, ERL_NIF_LATIN1),
                           INT(home), INT(got), INT(large), INT(none));
}

NIF(unique) {
    return enif_make_tuple3(e, enif_make_unique_integer(e, ERL_NIF_UNIQUE_POSITIVE), enif_make_unique_integer(e, ERL_NIF_UNIQUE_POSITIVE | ERL_NIF_UNIQUE_MONOTONIC), enif_make_ref(e));
}

NIF(identity) {
    return a[0];
}

NIF(many) {
    return enif_make_list_from_array(e, a, argc);
}

static ErlNifFunc functions[] = {
    {"kinds", 1, kinds}, {"numbers", 1, numbers}, {"atoms", 1, atoms}, {"new_atom", 1, new_atom}, {"strings", 1, strings}, {"lists", 1, lists}, {"tuples", 1, tuples},
    {"compare", 2, compare}, {"maps", 3, maps}, {"map_of", 2, map_of}, {"binaries", 1, binaries}, {"external", 1, external}, {"queue", 4, queue}, {"format", 1, format},
    {"raise", 1, raise}, {"badarg", 0, badarg}, {"infinite", 0, infinite}, {"times", 0, times}, {"system", 0, system_}, {"unique", 0, unique}, {"identity", 1, identity}, {"many", 12, many},
};
ERL_NIF_INIT(nif_terms, functions, NULL, NULL, NULL, NULL)
