/* Arrays of 64-bit integers that processes share, behind magic references. */
#ifndef MOTE_TABLE_ATOMICS_H
#define MOTE_TABLE_ATOMICS_H

#include "term/ref.h"

typedef enum { ATOMICS_ARRAY, ATOMICS_COUNTERS } AtomicsUse; /* what `atomics` or `counters` has made: they do not mix */

typedef struct {
    Resource resource;
    AtomicsUse use;
    bool is_signed;
    size_t count;
    uint64_t at[]; /* atomic */
} Atomics64;

/* All zero, with one reference. NULL: no memory. */
Atomics64 *atomics_new(VM *vm, AtomicsUse use, size_t count, bool is_signed);
Atomics64 *atomics_of(term ref, AtomicsUse use); /* NULL: it is none */
size_t atomics_bytes(const Atomics64 *a);

#endif
