/* Garbage collection: generational, copying. Minor: young objects below the mark move to the old generation, the others
   to a new young block. Major (full sweep): all into one new block. Literals are left alone by a range check. */
#ifndef MOTE_TERM_GC_H
#define MOTE_TERM_GC_H

#include "term/heap.h"

typedef struct {
    term *at;
    size_t count;
} Roots;

typedef struct {
    bool full;                          /* sweep the old generation too */
    bool shrink;                        /* hibernation: smallest block that holds what lives */
    size_t need;                        /* words that must be free afterwards (HEAP_RESERVE comes on top) */
    size_t min_words;                   /* the block never gets smaller than this */
    size_t max_words;                   /* 0: no limit; more after the collection: GC_TOO_LARGE */
    const struct LiteralBlock *leaving; /* not NULL: literals that are about to be freed, see gc_mentions */
} GcRequest;

typedef enum { GC_OK, GC_NO_MEMORY, GC_TOO_LARGE } GcResult;

/* Collects. The stack (sp to end) is always a root; `roots` are the others (registers, dictionary, messages ...).
   GC_NO_MEMORY: nothing has happened, the heap is as before. Subtracts its work from h->reds. */
GcResult gc_collect(Heap *h, const GcRequest *request, const Roots *roots, size_t nroots);

/* Before a block of literals is freed, no heap may point to it any more. gc_mentions tells whether one may do so (wrongly at
   times, but never wrongly no): then collect it with `leaving` set, which copies what it needs of them. */
bool gc_mentions(const Heap *h, const Roots *roots, size_t nroots, const struct LiteralBlock *leaving);

/* Sizes for process_info(Pid, garbage_collection_info) and erlang:memory, in words. */
typedef struct {
    size_t heap_block, heap_used, stack, old_block, old_used, fragments, buffer_bytes;
} HeapSizes;
HeapSizes gc_sizes(const Heap *h);

size_t gc_next_size(size_t words); /* the block size to use for at least so many words */

#endif
