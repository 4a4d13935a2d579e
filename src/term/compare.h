/* Equality and order of terms: number < atom < reference < fun < port < pid < tuple < map < nil < list < bitstring.
   None of these recurses on the C stack without bound (deep terms are walked with an explicit stack), and none allocates on
   the heap. */
#ifndef MOTE_TERM_COMPARE_H
#define MOTE_TERM_COMPARE_H

#include "term/heap.h"

bool term_same_slow(VM *vm, term a, term b);

static inline bool term_same(VM *vm, term a, term b) { /* =:= */
    if (a == b) {
        return true;
    }
    return !(is_immediate(a) || is_immediate(b)) && term_same_slow(vm, a, b);
}
bool term_equal(VM *vm, term a, term b);        /* ==  (1 == 1.0) */
int term_compare(VM *vm, term a, term b);       /* < 0, 0, > 0, as < == > of Erlang */
int term_compare_exact(VM *vm, term a, term b); /* total order: as term_compare, but integers before floats (map keys) */

#endif
