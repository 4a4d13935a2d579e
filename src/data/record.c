/* Native records: making, updating and looking into them. */
#include "data/record.h"

#include "term/literal.h"

static term tuple_of(Heap *h, const term *at, size_t n) {
    if (n == 0) {
        return literal_empty_tuple(h->vm);
    }
    term *p = heap_alloc(h, 1 + n);
    if (p == NULL) {
        return heap_no_memory(h);
    }
    p[0] = HEADER(n, KIND_TUPLE);
    memcpy(p + 1, at, n * sizeof *at);
    return make_boxed(p);
}

term record_define(Heap *h, term module, term name, bool exported, const term *keys, size_t count) {
    term fields = tuple_of(h, keys, count);
    return fields == NONE ? NONE : TUPLE4(h, module, name, exported ? A_true : A_false, fields);
}

term record_template(Heap *h, term definition, const term *defaults) {
    size_t n = tuple_arity(element(definition, RECORD_FIELDS));
    term values = tuple_of(h, defaults, n);
    if (values == NONE) {
        return NONE;
    }
    for (size_t i = 1; i <= n; i++) {
        if (element(values, i) == NONE) {
            boxed(values)[i] = RECORD_NO_DEFAULT;
        }
    }
    return heap_cons(h, definition, values);
}

term record_new(Heap *h, term definition) {
    size_t n = tuple_arity(element(definition, RECORD_FIELDS));
    term *p = heap_alloc(h, 2 + n);
    if (p == NULL) {
        return heap_no_memory(h);
    }
    p[0] = HEADER(1 + n, KIND_RECORD);
    p[1] = definition;
    return make_boxed(p);
}

term record_reason(Heap *h, term what, term definition, term key) {
    term id = TUPLE2(h, element(definition, RECORD_MODULE), element(definition, RECORD_NAME));
    return TUPLE2(h, what, TUPLE2(h, id, key));
}

static term with_values(Heap *h, term definition, const term *values) {
    term record = record_new(h, definition);
    if (record != NONE) {
        memcpy(record_values(record), values, record_size(record) * sizeof(term));
    }
    return record;
}

term record_begin(Heap *h, term template) {
    return with_values(h, head(template), boxed(tail(template)) + 1);
}

term record_copy(Heap *h, term record) {
    return with_values(h, record_definition(record), record_values(record));
}

bool record_set(Heap *h, term record, term key, term value) {
    term definition = record_definition(record);
    size_t i = record_find(definition, key);
    if (i == record_size(record)) {
        h->reason = record_reason(h, A_badfield, definition, key);
        return false;
    }
    record_values(record)[i] = value;
    return true;
}

term record_finish(Heap *h, term record) {
    for (size_t i = 0; i < record_size(record); i++) {
        if (is_catch(record_values(record)[i])) {
            term definition = record_definition(record);
            return heap_fail(h, record_reason(h, A_novalue, definition, record_keys(definition)[i]));
        }
    }
    return record;
}
