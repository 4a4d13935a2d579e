/* Filling in the one line that says why a file could not be read or loaded. */
#include "code/error.h"

#include <stdarg.h>
#include <stdio.h>

void load_error_name(LoadError *e, const char *name) {
    size_t size = strnlen(name, sizeof e->file - 1);
    *e = (LoadError){.offset = -1};
    memcpy(e->file, name, size);
}

COLD bool load_error(LoadError *e, const char *chunk, int64_t offset, const char *format, ...) {
    snprintf(e->chunk, sizeof e->chunk, "%s", chunk);
    e->offset = offset;
    va_list args;
    va_start(args, format);
    vsnprintf(e->reason, sizeof e->reason, format, args);
    va_end(args);
    return false;
}

bool load_no_memory(LoadError *e) {
    e->no_memory = true;
    return load_error(e, "", -1, "no memory");
}

void load_error_text(const LoadError *e, char *text, size_t size) {
    int n = snprintf(text, size, "%s: ", e->file);
    if (e->chunk[0] != 0 && n >= 0 && (size_t)n < size) {
        n += snprintf(text + n, size - (size_t)n, "chunk %s", e->chunk);
        if (e->offset >= 0 && (size_t)n < size) {
            n += snprintf(text + n, size - (size_t)n, ", offset %lld", (long long)e->offset);
        }
        if ((size_t)n < size) {
            n += snprintf(text + n, size - (size_t)n, ": ");
        }
    } else if (e->offset >= 0 && n >= 0 && (size_t)n < size) {
        n += snprintf(text + n, size - (size_t)n, "offset %lld: ", (long long)e->offset);
    }
    if (n >= 0 && (size_t)n < size) {
        snprintf(text + n, size - (size_t)n, "%s", e->reason);
    }
}
