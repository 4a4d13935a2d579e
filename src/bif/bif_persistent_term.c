/* persistent_term: values that every process reads without copying. */
#include "bif/bif.h"

#include "data/map.h"
#include "table/persistent.h"
#include "term/compare.h"

BIF(persistent_term, get, 0) {
    term list = persistent_list(HEAP(p));
    BUMP(p, (intptr_t)(persistent_count(process_vm(p)) / 10));
    return list == NONE ? raise_heap_reason(p) : list;
}

BIF(persistent_term, get, 1) {
    term value = persistent_get(process_vm(p), a[0]);
    return value == NONE ? raise_badarg(p) : value;
}

BIF(persistent_term, get, 2) {
    term value = persistent_get(process_vm(p), a[0]);
    return value == NONE ? a[1] : value;
}

static term put(Process *p, term key, term value) {
    enum { WORDS_PER_REDUCTION = 16 };
    size_t words;
    bool ok = persistent_put(process_vm(p), key, value, &words);
    BUMP(p, (intptr_t)(words / WORDS_PER_REDUCTION));
    return ok ? A_ok : raise_error(p, A_system_limit);
}

BIF(persistent_term, put, 2) {
    return put(p, a[0], a[1]);
}

/* As put, but a key must not get another value than it has. */
BIF(persistent_term, put_new, 2) {
    term value = persistent_get(process_vm(p), a[0]);
    if (value != NONE) {
        return term_same(process_vm(p), value, a[1]) ? A_ok : raise_badarg(p);
    }
    return put(p, a[0], a[1]);
}

BIF(persistent_term, erase, 1) {
    return persistent_erase(process_vm(p), a[0]) ? A_true : A_false;
}

BIF(erts_internal, erase_persistent_terms, 0) {
    persistent_erase_all(process_vm(p));
    return A_ok;
}

BIF(persistent_term, info, 0) {
    VM *vm = process_vm(p);
    const term pairs[] = {A_count, SMALL(persistent_count(vm)), A_memory, SMALL(persistent_bytes(vm))};
    term map = map_from_pairs(HEAP(p), pairs, 2);
    return map == NONE ? raise_heap_reason(p) : map;
}
