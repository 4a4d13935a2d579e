/* Text of integers that are too large for one slice. */
#ifndef MOTE_BIF_INTEGER_TEXT_H
#define MOTE_BIF_INTEGER_TEXT_H

#include "bif/bif.h"

enum { INTEGER_TEXT_AT_ONCE = 8000 }; /* digits; more are written and read in slices */

/* The text of a large integer, as a list or a binary. */
term big_integer_to_text(Process *p, term integer, unsigned base, bool to_binary);
/* An optional sign and many digits, all of them good. `rest`: if not NONE, the result is {Integer, Rest}. */
term big_integer_from_text(Process *p, const char *text, size_t size, unsigned base, term rest);

#endif
