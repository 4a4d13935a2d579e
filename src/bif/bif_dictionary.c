/* Built-ins of the process dictionary. */
#include "bif/bif.h"
#include "proc/dictionary.h"

static term or_undefined(term t) {
    return t == NONE ? A_undefined : t;
}

static term list_result(Process *p, term list) {
    BUMP(p, (intptr_t)dictionary_count(p) / 32);
    return list == NONE ? raise_heap_reason(p) : list;
}

BIF(erlang, put, 2) {
    term old;
    return dictionary_put(p, a[0], a[1], &old) ? or_undefined(old) : bif_no_memory(p);
}

BIF(erlang, get, 1) {
    return or_undefined(dictionary_get(p, a[0]));
}

BIF(erlang, get, 0) {
    return list_result(p, dictionary_list(p));
}

BIF(erlang, get_keys, 0) {
    return list_result(p, dictionary_keys(p, NONE));
}

BIF(erlang, get_keys, 1) {
    return list_result(p, dictionary_keys(p, a[0]));
}

BIF(erlang, erase, 1) {
    return or_undefined(dictionary_erase(p, a[0]));
}

BIF(erlang, erase, 0) {
    term list = list_result(p, dictionary_list(p));
    if (list != NONE) {
        dictionary_clear(p);
    }
    return list;
}
