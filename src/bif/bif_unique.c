/* Unique values: integers and references. */
#include "bif/bif.h"

#include "data/integer.h"
#include "term/ref.h"

/* Positive ones count from 1, the others from the smallest small integer, as in OTP. One counter serves all, so that all are in
   the order of their making. */
static term unique(Process *p, bool positive) {
    int64_t n = (int64_t)unique_integer(process_vm(p));
    return integer_from_int64(HEAP(p), positive ? n : SMALL_MIN + n);
}

BIF(erlang, unique_integer, 0) {
    return unique(p, false);
}

BIF(erlang, unique_integer, 1) {
    bool positive = false;
    term options = a[0];
    for (; is_cons(options); options = tail(options)) {
        if (head(options) != A_monotonic && head(options) != A_positive) {
            return raise_badarg(p);
        }
        positive = positive || head(options) == A_positive;
    }
    return options == NIL ? unique(p, positive) : raise_badarg(p);
}

BIF(erlang, make_ref, 0) {
    return ref_make(HEAP(p));
}
