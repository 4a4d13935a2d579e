/* A growing run of bytes, for building text and output. Errors stick: after a failed allocation it takes no more and
   `failed` is set, so that callers check once, at the end. */
#ifndef MOTE_BASE_TEXT_H
#define MOTE_BASE_TEXT_H

#include <stdarg.h>

#include "base/mem.h"

typedef struct {
    Mem *mem;
    uint8_t *at;
    size_t size, capacity;
    bool failed;
} Text;

void text_init(Text *t, Mem *mem);
void text_done(Text *t);
bool text_reserve(Text *t, size_t more); /* room for so many bytes at at + size */
void text_add(Text *t, const void *bytes, size_t size);
void text_byte(Text *t, uint8_t b);
void text_char(Text *t, uint32_t codepoint); /* as UTF-8 */
void text_string(Text *t, const char *s);
void text_format(Text *t, const char *format, ...) PRINTF_LIKE(2, 3);
void text_vformat(Text *t, const char *format, va_list args);
void text_be32(Text *t, uint32_t v);

#endif
