/* Which words of a boxed object are terms: the one table behind collecting, copying and measuring. */
#ifndef MOTE_TERM_LAYOUT_H
#define MOTE_TERM_LAYOUT_H

#include "term/term.h"

/* How many raw words follow the header before the terms begin; ALL_RAW: there are none; BASE_ONLY: word 1 is one, the rest
   is raw. */
enum { LAYOUT_BASE_ONLY = 254, LAYOUT_ALL_RAW = 255 };
static const uint8_t kind_layout[16] = {
    [KIND_TUPLE] = 0,
    [KIND_MAP] = 0,
    [KIND_HASH_MAP] = 0,
    [KIND_HASH_NODE] = 0,
    [KIND_FUN] = 1,
    [KIND_RECORD] = 0,
    [KIND_VIEW] = LAYOUT_BASE_ONLY,
    [KIND_MATCH] = LAYOUT_BASE_ONLY,
    [KIND_EXPORT] = LAYOUT_ALL_RAW,
    [KIND_BIG] = LAYOUT_ALL_RAW,
    [KIND_NEG_BIG] = LAYOUT_ALL_RAW,
    [KIND_FLOAT] = LAYOUT_ALL_RAW,
    [KIND_REF] = LAYOUT_ALL_RAW,
    [KIND_BITS] = LAYOUT_ALL_RAW,
    [KIND_BUFFER] = LAYOUT_ALL_RAW,
    [KIND_EXTERNAL] = LAYOUT_ALL_RAW,
};

/* The terms of the object at p: *first and their number. */
static inline size_t object_terms(term *p, term **first) {
    size_t words = HEADER_WORDS(p[0]);
    unsigned raw = kind_layout[HEADER_KIND(p[0])];
    *first = p + 1;
    if (LIKELY(raw == 0)) {
        return words;
    }
    if (raw >= LAYOUT_BASE_ONLY) {
        return raw == LAYOUT_BASE_ONLY;
    }
    *first += raw;
    return words - raw;
}

#endif
