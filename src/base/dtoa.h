/* Floats as decimal digits: the shortest that read back as the same float, and Erlang's way to write them. */
#ifndef MOTE_BASE_DTOA_H
#define MOTE_BASE_DTOA_H

#include "base/base.h"

enum { DTOA_DIGITS = 17, DTOA_SHORT_MAX = 32 };

/* 0.d1d2d3... * 10^point for a finite |d|; zero has count 1, digit 0, point 1. The digits are the shortest that read back as d,
   among those the closest to d. */
typedef struct {
    bool negative;
    uint8_t count; /* 1..17; the last digit is not 0 (but for zero itself) */
    int16_t point;
    char digits[DTOA_DIGITS]; /* characters */
} Decimal;
void dtoa_shortest(double d, Decimal *out);

/* As Erlang writes a float (~p, ~w, float_to_list(F, [short])): 0.1, 1.0e22, -0.0. d must be finite. Returns the length;
   writes no terminating 0. */
size_t dtoa_short(double d, char out[DTOA_SHORT_MAX]);

#endif
