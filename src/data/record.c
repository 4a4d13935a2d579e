/* Native records: making, updating and looking into them. */
#include "data/record.h"

#include "term/literal.h"

size_t record_template_words(size_t count) {
    return 1 + RECORD_FIELDS + (count > 0 ? 2 * (1 + count) : 0) + 2;
}

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

/* Puts values into a record that nobody else has seen. */
static term set_fields(Heap *h, term record, const term *pairs, size_t n) {
    term definition = record_definition(record);
    for (size_t i = 0; i < n; i++) {
        size_t at = record_find(definition, pairs[2 * i]);
        if (at == record_size(record)) {
            return heap_fail(h, record_reason(h, A_badfield, definition, pairs[2 * i]));
        }
        record_values(record)[at] = pairs[2 * i + 1];
    }
    return record;
}

term record_create(Heap *h, term template, const term *pairs, size_t n) {
    term definition = head(template), defaults = tail(template), record = record_new(h, definition);
    if (record == NONE) {
        return NONE;
    }
    size_t count = record_size(record);
    memcpy(record_values(record), boxed(defaults) + 1, count * sizeof(term));
    if (set_fields(h, record, pairs, n) == NONE) {
        return NONE;
    }
    for (size_t i = 0; i < count; i++) {
        if (is_catch(record_values(record)[i])) {
            return heap_fail(h, record_reason(h, A_novalue, definition, record_keys(definition)[i]));
        }
    }
    return record;
}

term record_update(Heap *h, term record, const term *pairs, size_t n) {
    term copy = record_new(h, record_definition(record));
    if (copy == NONE) {
        return NONE;
    }
    memcpy(record_values(copy), record_values(record), record_size(record) * sizeof(term));
    return set_fields(h, copy, pairs, n);
}
