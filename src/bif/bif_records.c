/* Built-ins on native records (OTP 29). */
#include "bif/bif.h"

#include "code/module.h"
#include "data/map.h"
#include "data/record.h"

static term bad_record(Process *p, term t) {
    return raise_error(p, TUPLE2(HEAP(p), A_badrecord, t));
}

/* The value of #{is_exported => Boolean}, a map with nothing else in it; NONE: it is something else. */
static term exported_option(VM *vm, term options) {
    term value = map_size(options) == 1 ? map_get(vm, options, A_is_exported) : NONE;
    return value == A_true || value == A_false ? value : NONE;
}

/* Writes keys and values of a list of n pairs. False: raised. */
static bool read_fields(Process *p, term definition, term list, term *keys, term *values) {
    for (size_t i = 0; list != NIL; list = tail(list), i++) {
        term pair = head(list);
        if (!is_tuple_of(pair, 2)) {
            return raise_badarg(p), false;
        }
        keys[i] = element(pair, 1), values[i] = element(pair, 2);
        if (!is_atom(keys[i])) {
            return raise_error(p, record_reason(HEAP(p), A_badfield, definition, keys[i])), false;
        }
    }
    return true;
}

static bool all_differ(Heap *h, const term *keys, size_t n) {
    term *cells = heap_alloc(h, 2 * n + 1);
    for (size_t i = 0; i < n && cells != NULL; i++) {
        cells[2 * i] = keys[i], cells[2 * i + 1] = NIL;
    }
    return cells != NULL && map_from_cells(h, cells, n, true) != NONE;
}

BIF(records, create, 4) { /* module, name, fields, options */
    if (!is_atom(a[0]) || !is_atom(a[1])) {
        return bad_record(p, a[1]);
    }
    if (!is_map(a[3])) {
        return raise_error(p, TUPLE2(HEAP(p), A_badmap, a[3]));
    }
    term exported = exported_option(process_vm(p), a[3]), list = a[2];
    size_t n = 0;
    for (; is_cons(list); list = tail(list)) {
        n++;
    }
    if (exported == NONE || list != NIL) {
        return raise_badarg(p);
    }
    term *fields = heap_alloc(HEAP(p), 2 * n + 1);
    if (fields == NULL) {
        return raise_error(p, A_system_limit);
    }
    term definition = record_define(HEAP(p), a[0], a[1], exported == A_true, fields, 0);
    if (!read_fields(p, definition, a[2], fields, fields + n)) {
        return NONE;
    }
    if (!all_differ(HEAP(p), fields, n)) {
        return raise_badarg(p);
    }
    definition = record_define(HEAP(p), a[0], a[1], exported == A_true, fields, n);
    term record = definition == NONE ? NONE : record_new(HEAP(p), definition);
    if (record == NONE) {
        return raise_heap_reason(p);
    }
    memcpy(record_values(record), fields + n, n * sizeof(term));
    BUMP(p, (intptr_t)(n / 16));
    return record;
}

BIF(records, update, 4) { /* record, module, name, map of fields */
    if (!is_record(a[0])) {
        return bad_record(p, a[0]);
    }
    if (a[2] != A_underscore && !record_is(a[0], a[1], a[2])) {
        return bad_record(p, a[2]);
    }
    if (!is_map(a[3])) {
        return raise_error(p, TUPLE2(HEAP(p), A_badmap, a[3]));
    }
    if (map_size(a[3]) == 0) {
        return a[0];
    }
    MapWalk w;
    term record = record_copy(HEAP(p), a[0]);
    for (map_walk(&w, a[3]); record != NONE && map_next(&w);) {
        if (!record_set(HEAP(p), record, w.key, w.value)) {
            return raise_heap_reason(p);
        }
    }
    return record != NONE ? record : raise_heap_reason(p);
}

BIF(records, get, 2) { /* field, record */
    term value = is_record(a[1]) ? record_get(a[1], a[0]) : NONE;
    return value != NONE ? value : raise_badarg(p);
}

BIF(records, get_module, 1) {
    return is_record(a[0]) ? element(record_definition(a[0]), RECORD_MODULE) : raise_badarg(p);
}

BIF(records, get_name, 1) {
    return is_record(a[0]) ? element(record_definition(a[0]), RECORD_NAME) : raise_badarg(p);
}

BIF(records, get_field_names, 1) {
    if (!is_record(a[0])) {
        return bad_record(p, a[0]);
    }
    term names = heap_list(HEAP(p), record_keys(record_definition(a[0])), record_size(a[0]), NIL);
    return names != NONE ? names : raise_heap_reason(p);
}

BIF(records, is_exported, 1) {
    return is_record(a[0]) ? element(record_definition(a[0]), RECORD_EXPORTED) : bad_record(p, a[0]);
}

/* {#{is_exported => Boolean}, [Field or {Field, Default}]} */
BIF(records, get_definition, 2) { /* module, name */
    term template = is_atom(a[0]) && is_atom(a[1]) ? module_record(process_vm(p), a[0], a[1]) : NONE;
    if (template == NONE) {
        return raise_badarg(p);
    }
    term definition = head(template), list = NIL;
    for (size_t i = tuple_arity(tail(template)); i > 0; i--) {
        term key = record_keys(definition)[i - 1], value = element(tail(template), i);
        list = heap_cons(HEAP(p), is_catch(value) ? key : TUPLE2(HEAP(p), key, value), list);
    }
    term options = map_put(HEAP(p), map_empty(HEAP(p)), A_is_exported, element(definition, RECORD_EXPORTED));
    return TUPLE2(HEAP(p), options, list);
}

BIF(erlang, is_record, 1) {
    return is_record(a[0]) ? A_true : A_false;
}
