/* Built-ins that raise: error, exit, throw, raise, nif_error. */
#include "bif/bif.h"
#include "exec/exception.h"

/* The stack trace begins with the function that called the built-in, as the exception is that function's. */
static term raise_from_caller(Process *p, ExceptionClass class, term reason, term args, term info) {
    Scheduler *s = p->scheduler;
    exception_set(p, class, reason);
    s->raised_by_caller = true;
    s->raised_args = is_list(args) ? args : NONE;
    s->cause = info;
    return NONE;
}

BIF(erlang, error, 1) {
    return raise_from_caller(p, CLASS_ERROR, a[0], NONE, NONE);
}

BIF(erlang, error, 2) {
    return raise_from_caller(p, CLASS_ERROR, a[0], a[1], NONE);
}

/* Options are [{error_info, Map}]; anything else in the list makes it as if there were none. */
BIF(erlang, error, 3) {
    term info = NONE, l = a[2];
    for (; is_cons(l); l = tail(l)) {
        term option = head(l);
        if (!is_tuple_of(option, 2) || element(option, 1) != A_error_info || !is_map(element(option, 2))) {
            break;
        }
        info = element(option, 2);
    }
    return raise_from_caller(p, CLASS_ERROR, a[0], a[1], l == NIL ? info : NONE);
}

BIF(erlang, exit, 1) {
    return raise_from_caller(p, CLASS_EXIT, a[0], NONE, NONE);
}

BIF(erlang, throw, 1) {
    return raise_from_caller(p, CLASS_THROW, a[0], NONE, NONE);
}

BIF(erlang, nif_error, 1) {
    return raise_error(p, a[0]);
}

BIF(erlang, nif_error, 2) {
    return raise_error(p, a[0]);
}

BIF(erlang, raise, 3) {
    term trace = exception_raised_trace(p, a[0], a[2]);
    if (trace == NONE) {
        return A_badarg; /* it returns it */
    }
    exception_raise(p, trace, a[1]);
    return NONE;
}
