/* A growing run of bytes. */
#include "base/text.h"

#include <stdio.h>

#include "base/utf8.h"

void text_init(Text *t, Mem *mem) {
    *t = (Text){.mem = mem};
}

void text_done(Text *t) {
    mem_free(t->mem, MEM_TEMPORARY, t->at, t->capacity);
    *t = (Text){.mem = t->mem};
}

bool text_reserve(Text *t, size_t more) {
    if (LIKELY(t->capacity - t->size >= more)) {
        return !t->failed;
    }
    if (t->failed) {
        return false;
    }
    size_t capacity = MAX(t->size + more, MAX(2 * t->capacity, 64));
    uint8_t *at = mem_resize(t->mem, MEM_TEMPORARY, t->at, t->capacity, capacity);
    if (at == NULL) {
        t->failed = true;
        return false;
    }
    t->at = at, t->capacity = capacity;
    return true;
}

void text_add(Text *t, const void *bytes, size_t size) {
    if (size > 0 && text_reserve(t, size)) {
        memcpy(t->at + t->size, bytes, size);
        t->size += size;
    }
}

void text_byte(Text *t, uint8_t b) {
    if (text_reserve(t, 1)) {
        t->at[t->size++] = b;
    }
}

void text_char(Text *t, uint32_t codepoint) {
    if (text_reserve(t, UTF8_MAX)) {
        t->size += utf8_write(t->at + t->size, codepoint);
    }
}

void text_string(Text *t, const char *s) {
    text_add(t, s, strlen(s));
}

void text_be32(Text *t, uint32_t v) {
    if (text_reserve(t, 4)) {
        write_be32(t->at + t->size, v);
        t->size += 4;
    }
}

void text_vformat(Text *t, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    char small[256];
    int n = vsnprintf(small, sizeof small, format, args);
    if (n < (int)sizeof small) {
        text_add(t, small, n < 0 ? 0 : (size_t)n);
    } else if (text_reserve(t, (size_t)n + 1)) {
        vsnprintf((char *)t->at + t->size, (size_t)n + 1, format, again);
        t->size += (size_t)n;
    }
    va_end(again);
}

void text_format(Text *t, const char *format, ...) {
    va_list args;
    va_start(args, format);
    text_vformat(t, format, args);
    va_end(args);
}
