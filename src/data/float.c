/* Floats as text. */
#include "data/float.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/dtoa.h"

/* 10^0 ... 10^18 are exact as doubles. */
static double power_of_ten(int n) {
    double p = 1;
    while (n-- > 0) {
        p *= 10;
    }
    return p;
}

/* Drops zeros at the end, but the one behind the point. */
static char *without_zeros(char *end) {
    while (end[-1] == '0') {
        end--;
    }
    return end[-1] == '.' ? end + 1 : end;
}

/* OTP rounds the fraction alone, in doubles, as long as the number is small enough for that. So 0.15 with one decimal is 0.2,
   although the double is a little less than 0.15, and printf would say 0.1. */
static size_t small_decimals(double d, int digits, bool compact, char *out) {
    double magnitude = fabs(d), whole = digits > 0 ? floor(magnitude) : round(magnitude);
    double scale = power_of_ten(digits), fraction = digits > 0 ? round((magnitude - whole) * scale) : 0;
    if (fraction >= scale) {
        whole++, fraction = 0;
    }
    const char *sign = signbit(d) ? "-" : "";
    int n = snprintf(out, FLOAT_TEXT_MAX, "%s%llu", sign, (unsigned long long)whole);
    if (digits > 0) {
        n += snprintf(out + n, (size_t)(FLOAT_TEXT_MAX - n), ".%0*llu", digits, (unsigned long long)fraction);
        char *end = compact ? without_zeros(out + n) : out + n;
        *end = 0;
        n = (int)(end - out);
    }
    return (size_t)n;
}

size_t float_to_text(double d, const FloatFormat *f, char out[FLOAT_TEXT_MAX]) {
    int n;
    switch (f->style) {
    case FLOAT_SHORT:
        n = (int)dtoa_short(d, out);
        out[n] = 0;
        return (size_t)n;
    case FLOAT_SCIENTIFIC:
        n = snprintf(out, FLOAT_TEXT_MAX, "%.*e", f->digits, d);
        return n < FLOAT_TEXT_MAX ? (size_t)n : 0;
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
