/* Sized allocation with counters and fault injection.

   There is one function, mem_resize, and it is always told the old size: so the counters are exact, no header is kept per
   block, and a test can make the Nth allocation fail. Failure is NULL and the caller handles it: running out of memory
   must end the process that asked, never the VM. */
#ifndef MOTE_BASE_MEM_H
#define MOTE_BASE_MEM_H

#include "base/base.h"

/* What memory is used for; the categories of erlang:memory/0 are sums of these. */
typedef enum {
    MEM_SYSTEM,    /* tables of the VM itself */
    MEM_PROCESS,   /* process structures */
    MEM_HEAP,      /* process heaps and fragments */
    MEM_BINARY,    /* reference-counted binary buffers */
    MEM_ATOM,      /* dynamic atoms: text and table */
    MEM_CODE,      /* loaded code, literals, line tables */
    MEM_ETS,       /* ETS tables and their objects */
    MEM_TEMPORARY, /* buffers that live for one call */
    MEM_KINDS
} MemKind;

typedef struct {
    size_t used[MEM_KINDS]; /* bytes handed out now (atomic, relaxed) */
    size_t peak;            /* most bytes handed out at once, over all kinds (approximate under threads) */
    int64_t fail_after;     /* fault injection: how many more allocations succeed; negative: off */
    int64_t fail_count;     /* then this many fail; 0: all that follow */
} Mem;

void mem_init(Mem *m);

/* Grows, shrinks, allocates (old 0) or frees (size 0) a block; contents are kept up to the smaller size. Returns NULL
   when there is no memory (the old block then stays as it is), or when size is 0. */
void *mem_resize(Mem *m, MemKind kind, void *block, size_t old, size_t size);

static inline void *mem_alloc(Mem *m, MemKind kind, size_t size) {
    return mem_resize(m, kind, NULL, 0, size);
}
void *mem_zalloc(Mem *m, MemKind kind, size_t size); /* the same, zeroed */
static inline void mem_free(Mem *m, MemKind kind, void *block, size_t size) {
    if (block != NULL) {
        mem_resize(m, kind, block, size, 0);
    }
}
size_t mem_total(const Mem *m);

#define MEM_NEW(m, kind, Type) ((Type *)mem_zalloc(m, kind, sizeof(Type)))
#define MEM_DELETE(m, kind, p) mem_free(m, kind, p, sizeof *(p))

#endif
