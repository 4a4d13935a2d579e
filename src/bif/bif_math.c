/* Module math: the C library's functions on floats. A result that is no number, or infinite, is badarith. */
#include "bif/bif.h"

#include <math.h>

#include "data/arith.h"

static term finish(Process *p, double d) {
    return isfinite(d) ? heap_float(HEAP(p), d) : raise_error(p, A_badarith);
}

/* False after raising: badarg for what is no number, badarith for an integer too large for a float. */
static bool get_double(Process *p, term t, double *d) {
    if (arith_to_double(t, d)) {
        return true;
    }
    raise_error(p, is_number(t) ? A_badarith : A_badarg);
    return false;
}

static term call_1(Process *p, double (*f)(double), term x) {
    double d;
    return get_double(p, x, &d) ? finish(p, f(d)) : NONE;
}

static term call_2(Process *p, double (*f)(double, double), term x, term y) {
    double d, e;
    return get_double(p, x, &d) && get_double(p, y, &e) ? finish(p, f(d, e)) : NONE;
}

BIF(math, acos, 1) {
    return call_1(p, acos, a[0]);
}

BIF(math, acosh, 1) {
    return call_1(p, acosh, a[0]);
}

BIF(math, asin, 1) {
    return call_1(p, asin, a[0]);
}

BIF(math, asinh, 1) {
    return call_1(p, asinh, a[0]);
}

BIF(math, atan, 1) {
    return call_1(p, atan, a[0]);
}

BIF(math, atanh, 1) {
    return call_1(p, atanh, a[0]);
}

BIF(math, ceil, 1) {
    return call_1(p, ceil, a[0]);
}

BIF(math, cos, 1) {
    return call_1(p, cos, a[0]);
}

BIF(math, cosh, 1) {
    return call_1(p, cosh, a[0]);
}

BIF(math, erf, 1) {
    return call_1(p, erf, a[0]);
}

BIF(math, erfc, 1) {
    return call_1(p, erfc, a[0]);
}

BIF(math, exp, 1) {
    return call_1(p, exp, a[0]);
}

BIF(math, floor, 1) {
    return call_1(p, floor, a[0]);
}

BIF(math, log, 1) {
    return call_1(p, log, a[0]);
}

BIF(math, log10, 1) {
    return call_1(p, log10, a[0]);
}

BIF(math, log2, 1) {
    return call_1(p, log2, a[0]);
}

BIF(math, sin, 1) {
    return call_1(p, sin, a[0]);
}

BIF(math, sinh, 1) {
    return call_1(p, sinh, a[0]);
}

BIF(math, sqrt, 1) {
    return call_1(p, sqrt, a[0]);
}

BIF(math, tan, 1) {
    return call_1(p, tan, a[0]);
}

BIF(math, tanh, 1) {
    return call_1(p, tanh, a[0]);
}

BIF(math, atan2, 2) {
    return call_2(p, atan2, a[0], a[1]);
}

BIF(math, fmod, 2) {
    return call_2(p, fmod, a[0], a[1]);
}

BIF(math, pow, 2) {
    return call_2(p, pow, a[0], a[1]);
}
