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
    char module[80] = "", chunk[16] = "", offset[40] = "";
    if (e->module[0] != 0) {
        snprintf(module, sizeof module, "module %s", e->module);
    }
    if (e->chunk[0] != 0) {
        snprintf(chunk, sizeof chunk, "chunk %s", e->chunk);
    }
    if (e->offset >= 0) {
        snprintf(offset, sizeof offset, "offset %lld", (long long)e->offset);
    }
    const char *const parts[] = {module, chunk, offset}, *between = ": ";
    size_t n = 0;
    n += (size_t)snprintf(text, size, "%s", e->file);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (parts[i][0] != 0 && n < size) {
            n += (size_t)snprintf(text + n, size - n, "%s%s", between, parts[i]);
            between = ", ";
        }
    }
    if (n < size) {
        snprintf(text + n, size - n, ": %s", e->reason);
    }
}
