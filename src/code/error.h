/* Why a file could not be read or loaded: one clear line. */
#ifndef MOTE_CODE_ERROR_H
#define MOTE_CODE_ERROR_H

#include "base/base.h"

typedef struct {
    char file[256];
    char module[64]; /* "" : not known (yet) */
    char chunk[5];   /* "" : the container itself */
    int64_t offset;  /* in the chunk; -1: unknown */
    char reason[200];
    bool no_memory;
} LoadError;

/* No error yet, in this file. */
void load_error_name(LoadError *e, const char *name);
/* Fills in an error; returns false, so that readers can `return load_error(...)`. */
bool load_error(LoadError *e, const char *chunk, int64_t offset, const char *format, ...) PRINTF_LIKE(4, 5);
bool load_no_memory(LoadError *e);

/* The line itself: FILE: module MODULE, chunk CHUNK, offset N: REASON. */
void load_error_text(const LoadError *e, char *text, size_t size);

#endif
