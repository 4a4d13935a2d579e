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

/* What one thread has counted: nobody else writes it. A number alone may be below 0 (modulo the word); sums never are. */
typedef struct MemCounts {
    struct MemCounts *next;
    size_t used[MEM_KINDS];
    size_t total, peak; /* of all kinds: now, and at most */
} MemCounts;

typedef struct Mem {
    size_t used[MEM_KINDS]; /* bytes handed out now, by threads without counts of their own (atomic, relaxed) */
    MemCounts *counts;      /* of threads */
    size_t peak;            /* most bytes handed out at once as far as those threads have seen, see mem_peak */
    int64_t fail_after;     /* fault injection: how many more allocations succeed; negative: off */
    int64_t fail_count;     /* then this many fail; 0: all that follow */
    /* The system had no memory, `tries` + 1 times now: shall it be asked again? NULL: never. */
    bool (*wait)(struct Mem *m, size_t size, unsigned tries);
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
size_t mem_used(const Mem *m, MemKind kind);
size_t mem_total(const Mem *m);
size_t mem_peak(const Mem *m); /* the most that mem_total has been; with several threads it may be less than what this says */

/* Counts of a thread's own, which does not disturb others then. Added by one thread at a time, taken away (into the common ones)
   while no other thread runs; used by the thread that calls mem_count_here (NULL: it counts in common again). */
void mem_counts_add(Mem *m, MemCounts *counts);
void mem_counts_done(Mem *m, MemCounts *counts);
void mem_count_here(Mem *m, MemCounts *counts);

/* For libraries that do not tell the size when they free: each block keeps it in front of itself. */
void *mem_sized_alloc(Mem *m, size_t size); /* MEM_SYSTEM */
void mem_sized_free(Mem *m, void *block);   /* NULL is no error */

#define MEM_NEW(m, kind, Type) ((Type *)mem_zalloc(m, kind, sizeof(Type)))
#define MEM_DELETE(m, kind, p) mem_free(m, kind, p, sizeof *(p))

#endif
