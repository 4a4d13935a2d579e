/* Native records of OTP 29: making, updating and looking into them. Layout: term.h.

   What the Recs chunk says of a record is a template: a list cell [Definition | Defaults], where Defaults is a tuple like
   Fields, with a catch mark for each field that has no default. It is a literal of the module that declares the record. */
#ifndef MOTE_DATA_RECORD_H
#define MOTE_DATA_RECORD_H

#include "term/atom.h"
#include "term/heap.h"

#define RECORD_NO_DEFAULT make_catch(0)

/* Definition and template, for any number of fields. NONE: no memory. */
term record_define(Heap *h, term module, term name, bool exported, const term *keys, size_t count);
term record_template(Heap *h, term definition, const term *defaults); /* NONE in it: no default */

/* A record of this definition, its values still to be written; one with the defaults of a template, to be finished when the
   others are set; a copy. NONE: no memory. */
term record_new(Heap *h, term definition);
term record_begin(Heap *h, term template);
term record_copy(Heap *h, term record);
/* Sets a field of a record that nobody else has seen. False: the reason is {badfield, {{Module, Name}, Key}}. */
bool record_set(Heap *h, term record, term key, term value);
/* The record. NONE: a field has no value; the reason is {novalue, {{Module, Name}, Key}}. */
term record_finish(Heap *h, term record);

/* Index of a field, from 0; the number of fields if there is none of that name. */
static inline size_t record_find(term definition, term key) {
    const term *keys = record_keys(definition);
    size_t n = tuple_arity(element(definition, RECORD_FIELDS)), i = 0;
    while (i < n && keys[i] != key) {
        i++;
    }
    return i;
}
static inline term record_get(term record, term key) { /* NONE: no such field */
    size_t i = record_find(record_definition(record), key);
    return i < record_size(record) ? record_values(record)[i] : NONE;
}
static inline bool record_is(term t, term module, term name) {
    return is_record(t) && element(record_definition(t), RECORD_MODULE) == module && element(record_definition(t), RECORD_NAME) == name;
}
static inline bool record_is_exported(term t) {
    return element(record_definition(t), RECORD_EXPORTED) == A_true;
}
/* {What, {{Module, Name}, Key}} */
term record_reason(Heap *h, term what, term definition, term key);

#endif
