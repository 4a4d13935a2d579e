/* Floats as text. */
#include "data/float.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/dtoa.h"

/* Drops zeros at the end, but the one behind the point. */
static char *without_zeros(char *end) {
    while (end[-1] == '0') {
        end--;
    }
    return end[-1] == '.' ? end + 1 : end;
}

/* Writes `count` digits (leading zeros included), or as many as n has if count is 0, to end before `end`. */
static char *put_digits(char *end, uint64_t n, int count) {
    do {
        *--end = (char)('0' + n % 10);
        n /= 10;
    } while (--count > 0 || (count < 0 && n > 0));
    return end;
}

/* OTP rounds the fraction alone, in doubles, as long as the number is small enough for that. So 0.15 with one decimal is 0.2,
   although the double is a little less than 0.15, and printf would say 0.1. */
static size_t small_decimals(double d, int digits, bool compact, char *out) {
    static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
    assert(digits < (int)ARRAY_LEN(powers));
    double magnitude = fabs(d), whole = digits > 0 ? floor(magnitude) : round(magnitude);
    double fraction = digits > 0 ? round((magnitude - whole) * powers[digits]) : 0;
    if (digits > 0 && fraction >= powers[digits]) {
        whole++, fraction = 0;
    }
    char text[48], *end = text + sizeof text, *p = end;
    if (digits > 0) {
        p = put_digits(p, (uint64_t)fraction, digits);
        *--p = '.';
        end = compact ? without_zeros(end) : end;
    }
    p = put_digits(p, (uint64_t)whole, 0);
    if (signbit(d)) {
        *--p = '-';
    }
    memcpy(out, p, (size_t)(end - p));
    out[end - p] = 0;
    return (size_t)(end - p);
}

size_t float_to_text(double d, const FloatFormat *f, char out[FLOAT_TEXT_MAX]) {
    int n;
    switch (f->style) {
    case FLOAT_SHORT:
        n = (int)dtoa_short(d, out);
        out[n] = 0;
        return (size_t)n;
    case FLOAT_SCIENTIFIC: n = snprintf(out, FLOAT_TEXT_MAX, "%.*e", f->digits, d); return n < FLOAT_TEXT_MAX ? (size_t)n : 0;
    case FLOAT_DECIMALS:
        if (f->digits < 0) {
            return 0;
        }
        if (fabs(d) <= 0x1p53 && f->digits <= 18) {
            return small_decimals(d, f->digits, f->compact, out);
        }
        n = snprintf(out, FLOAT_TEXT_MAX, "%.*f", f->digits, d);
        if (n < 0 || n >= FLOAT_TEXT_MAX) {
            return 0;
        }
        if (f->compact) {
            char *end = without_zeros(out + n);
            *end = 0;
            n = (int)(end - out);
        }
        return (size_t)n;
    }
    UNREACHABLE();
}

static char *skip_digits(char *p) {
    while (*p >= '0' && *p <= '9') {
        p++;
    }
    return p;
}

bool float_from_text(char *text, double *d) {
    char *p = text + (*text == '+' || *text == '-'), *q = skip_digits(p);
    if (q == p || (*q != '.' && *q != ',')) {
        return false;
    }
    char *point = q;
    p = q + 1, q = skip_digits(p);
    if (q == p) {
        return false;
    }
    if (*q == 'e' || *q == 'E') {
        p = q + 1 + (q[1] == '+' || q[1] == '-'), q = skip_digits(p);
        if (q == p) {
            return false;
        }
    }
    if (*q != 0) {
        return false;
    }
    *point = '.'; /* OTP takes a comma, too */
    *d = strtod(text, NULL);
    return isfinite(*d);
}
