/* The C functions behind the instructions of native records. */
#include "data/record.h"
#include "exec/runtime.h"

bool rt_is_native_record(Process *p UNUSED, term t, term module, term name) {
    return record_is(t, module, name);
}

/* is_record/3 as an instruction of OTP 29; the function is about tuples. */
term rt_is_record_named(Process *p, term t, term module, term name) {
    if (!is_atom(module) || !is_atom(name)) {
        exception_in_operator(p, A_badarg, A_is_record, 3, (term[]){t, module, name});
        return NONE;
    }
    return record_is(t, module, name) ? A_true : A_false;
}

bool rt_is_record_accessible(Process *p UNUSED, term t, term module) {
    return is_record(t) && (record_is_exported(t) || element(record_definition(t), RECORD_MODULE) == module);
}

term rt_get_record_element(Process *p UNUSED, term t, term key) {
    return is_record(t) ? record_get(t, key) : NONE;
}

/* Does the name in an instruction mean this record? In other modules (where it is {Module, Name}), only if it is exported. */
static bool is_meant(term record, term id) {
    if (is_atom(id)) {
        return id == A_underscore || element(record_definition(record), RECORD_NAME) == id;
    }
    return is_tuple_of(id, 2) && record_is(record, element(id, 1), element(id, 2)) && record_is_exported(record);
}

term rt_get_record_field(Process *p, term t, term id, term key) {
    if (!is_record(t) || !is_meant(t, id)) {
        exception_error_with(p, A_badrecord, t);
        return NONE;
    }
    term value = record_get(t, key);
    if (value == NONE) {
        exception_error(p, record_reason(&p->heap, A_badfield, record_definition(t), key));
    }
    return value;
}

/* Sets the fields of a list in a record that nobody else has seen. NONE: an exception is set. */
static term set_fields(Process *p, const term *x, const term *y, const Unit *units, uintptr_t count, term record) {
    bool good = record != NONE;
    CODE_HAS_FOUND(process_vm(p)->code);
    for (uintptr_t i = 0; good && i + 1 < count; i += 2) {
        good = record_set(&p->heap, record, units[i], rt_unit(x, y, units[i + 1]));
    }
    if (!good) {
        exception_error(p, p->heap.reason);
    }
    return good ? record : NONE;
}

term rt_create_record(Process *p, const term *x, const term *y, const Unit *units, uintptr_t count, term template) {
    term record = set_fields(p, x, y, units, count, record_begin(&p->heap, template));
    if (record != NONE && record_finish(&p->heap, record) == NONE) {
        exception_error(p, p->heap.reason);
        return NONE;
    }
    return record;
}

/* As in OTP the record must be exported, whoever asks. A module that is not there is not loaded for it. */
term rt_create_external_record(Process *p, const term *x, const term *y, const Unit *units, uintptr_t count, term id) {
    term template = is_tuple_of(id, 2) ? module_record(process_vm(p), element(id, 1), element(id, 2)) : NONE;
    if (template == NONE || element(head(template), RECORD_EXPORTED) != A_true) {
        exception_error_with(p, A_badrecord, id);
        return NONE;
    }
    return rt_create_record(p, x, y, units, count, template);
}

term rt_change_record(Process *p, const term *x, const term *y, const Unit *units, uintptr_t count, term record) {
    if (!is_record(record)) {
        exception_error_with(p, A_badrecord, record);
        return NONE;
    }
    return set_fields(p, x, y, units, count, record_copy(&p->heap, record));
}
