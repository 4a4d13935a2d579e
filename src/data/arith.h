/* Arithmetic on numbers as Erlang's operators define it: integers of any size and floats, mixed. These are the slow parts behind
   the engines' small-integer paths, and correct for every term.

   A result of NONE leaves h->reason: A_badarith (wrong types, division by zero, a float too large), A_system_limit (an integer
   too large), A_badarg (round and its like of what is no number). Long work is charged to h->reds. */
#ifndef MOTE_DATA_ARITH_H
#define MOTE_DATA_ARITH_H

#include "data/integer.h"
#include "term/number.h"

term arith_add(Heap *h, term a, term b);
term arith_sub(Heap *h, term a, term b);
term arith_mul(Heap *h, term a, term b);
term arith_div(Heap *h, term a, term b);     /* / : a float */
term arith_int_div(Heap *h, term a, term b); /* div: towards zero */
term arith_rem(Heap *h, term a, term b);     /* sign of a */
term arith_band(Heap *h, term a, term b);
term arith_bor(Heap *h, term a, term b);
term arith_bxor(Heap *h, term a, term b);
term arith_bnot(Heap *h, term a);
term arith_bsl(Heap *h, term a, term b); /* by a negative number: bsr */
term arith_bsr(Heap *h, term a, term b);
term arith_neg(Heap *h, term a);
term arith_plus(Heap *h, term a); /* unary +: a number, unchanged */

/* These fail with A_badarg. */
term arith_abs(Heap *h, term a);
term arith_round(Heap *h, term a); /* away from zero at .5 */
term arith_trunc(Heap *h, term a);
term arith_ceil(Heap *h, term a);
term arith_floor(Heap *h, term a);
term arith_float(Heap *h, term a);

/* The number as a double; false: not a number, or an integer too large for a double. */
bool arith_to_double(term a, double *d);

#endif
