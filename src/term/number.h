/* The order of numbers, which all other orders need. Integers and floats are compared by their exact values: no rounding. */
#ifndef MOTE_TERM_NUMBER_H
#define MOTE_TERM_NUMBER_H

#include "term/term.h"

/* < 0, 0, > 0; both must be numbers, of any type. */
int number_compare(term a, term b);
int integer_compare(term a, term b); /* both integers */

#endif
