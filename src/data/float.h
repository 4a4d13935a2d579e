/* Floats as text: the formats of float_to_list/2 and what list_to_float/1 takes. Values are always finite: text that means
   infinity is no float. */
#ifndef MOTE_DATA_FLOAT_H
#define MOTE_DATA_FLOAT_H

#include "base/base.h"

typedef enum {
    FLOAT_SCIENTIFIC, /* 1.50000000000000000000e+00 */
    FLOAT_DECIMALS,   /* 1.50; `compact` drops the zeros at the end */
    FLOAT_SHORT,      /* 1.5: as few digits as read back as the same float */
} FloatStyle;
typedef struct {
    FloatStyle style;
    int digits; /* behind the point; not of FLOAT_SHORT */
    bool compact;
} FloatFormat;
#define FLOAT_DEFAULT ((FloatFormat){FLOAT_SCIENTIFIC, 20, false})
enum { FLOAT_TEXT_MAX = 256 };

/* How many characters it takes (a 0 follows them); 0: it does not fit, or negative decimals. */
size_t float_to_text(double d, const FloatFormat *f, char out[FLOAT_TEXT_MAX]);

/* A sign perhaps, digits, point, digits, and perhaps an exponent, up to a 0: the whole text. False: something else, or too
   large. The text may be changed. */
bool float_from_text(char *text, double *d);

#endif
