/* UTF-8, strictly: no overlong forms, no surrogates, nothing above 10FFFF. */
#ifndef MOTE_BASE_UTF8_H
#define MOTE_BASE_UTF8_H

#include "base/base.h"

enum { UTF8_MAX = 4, UTF8_BAD = -1, UTF8_SHORT = -2 };

/* Reads one character of [p, end). Returns its length and sets *c; UTF8_BAD: not UTF-8; UTF8_SHORT: the bytes that are
   there begin a character but end too soon. */
int utf8_read(const uint8_t *p, const uint8_t *end, uint32_t *c);
size_t utf8_write(uint8_t *p, uint32_t c); /* c must be a character; returns its length */
size_t utf8_length(uint32_t c);            /* bytes that c takes */
/* Characters in the text; -1 if it is not UTF-8. */
ptrdiff_t utf8_count(const uint8_t *p, size_t size);

static inline bool is_character(uint32_t c) {
    return c < 0xd800 || (c >= 0xe000 && c <= 0x10ffff);
}

#endif
