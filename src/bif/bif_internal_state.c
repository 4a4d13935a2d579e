/* erts_debug:set_internal_state/2 and get_internal_state/1: what test programs need to look at or to provoke. Open only after
   set_internal_state(available_internal_state, true); then whatever is not known here is a bad argument. */
#include "bif/bif.h"
#include "table/ets.h"
#include "term/copy.h"

static term undefined(Process *p) {
    return raise_error(p, A_undef);
}

/* How much is done before giving way, in steps of OTP's; remembered only: here the reductions of the slice decide. */
static term set_limit(Process *p, intptr_t *limit, term value) {
    enum { DEFAULT_LIMIT = 40000 };
    intptr_t old = *limit == 0 ? DEFAULT_LIMIT : *limit;
    if (value != A_default && !(is_small(value) && small_value(value) > 0)) {
        return raise_badarg(p);
    }
    *limit = value == A_default ? 0 : small_value(value);
    return SMALL(old);
}

BIF(erts_debug, set_internal_state, 2) {
    InternalState *s = &process_vm(p)->tables->internal;
    if (a[0] == A_available_internal_state) {
        bool was = s->available;
        if (a[1] != A_true && a[1] != A_false) {
            return raise_badarg(p);
        }
        s->available = a[1] == A_true;
        return was ? A_true : A_false;
    }
    if (!s->available) {
        return undefined(p);
    }
    switch (a[0]) {
    case A_reds_left:
        if (!is_small(a[1])) {
            return raise_badarg(p);
        }
        HEAP(p)->reds = small_value(a[1]);
        return A_true;
    case A_re_loop_limit:
        return set_limit(p, &s->re_limit, a[1]);
    case A_unicode_loop_limit:
        return set_limit(p, &s->unicode_limit, a[1]);
    case A_binary_loop_limit:
        return set_limit(p, &s->binary_limit, a[1]);
    case A_mbuf: {
        term copy = term_copy(HEAP(p), a[1]);
        return copy == NONE ? raise_heap_reason(p) : copy;
    }
    case A_wait: /* nothing is freed later than it is said to be */
        return A_ok;
    case A_ets_force_trap:
        return A_notsup;
    case A_ets_force_split: case A_ets_debug_random_split_join:
        return A_ok;
    default:
        return raise_badarg(p);
    }
}

BIF(erts_debug, get_internal_state, 1) {
    if (!process_vm(p)->tables->internal.available) {
        return undefined(p);
    }
    if (is_tuple_of(a[0], 2) && element(a[0], 1) == A_process_status && is_local_pid(element(a[0], 2))) {
        return process_find_any(process_vm(p), element(a[0], 2)) == NULL ? A_undefined
               : process_find(process_vm(p), element(a[0], 2)) == NULL    ? A_exiting
                                                                          : A_running;
    }
    switch (a[0]) {
    case A_reds_left:
        return SMALL(HEAP(p)->reds);
    case A_DbTable_words:
        return TUPLE2(HEAP(p), SMALL(sizeof(Table) / sizeof(term)), SMALL(0));
    default:
        return raise_badarg(p);
    }
}
