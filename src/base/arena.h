/* An arena: memory handed out by moving a pointer, and freed all at once. For what is read together and dropped together. */
#ifndef MOTE_BASE_ARENA_H
#define MOTE_BASE_ARENA_H

#include "base/mem.h"

typedef struct ArenaBlock {
    struct ArenaBlock *next;
    size_t size; /* with this head */
} ArenaBlock;

typedef struct Arena {
    Mem *mem;
    MemKind kind;
    uint8_t *at, *end;  /* the free rest of the newest block */
    ArenaBlock *blocks; /* newest first */
    ArenaBlock *spare;  /* blocks to be used again */
} Arena;

void arena_init(Arena *a, Mem *mem, MemKind kind);
void arena_done(Arena *a);
bool arena_reserve(Arena *a, size_t size); /* the next so many bytes are one block, of just that size; false: no memory */
/* Everything is free again. Keeps blocks of at most `keep` bytes altogether for use again. */
void arena_reset(Arena *a, size_t keep);
void *arena_alloc_slow(Arena *a, size_t size);

/* Memory aligned for any type, with any contents; NULL: there is none. Size 0 gives a pointer that is not NULL. */
static inline void *arena_alloc(Arena *a, size_t size) {
    size_t rounded = round_up(size, sizeof(uint64_t));
    if (LIKELY(rounded <= (size_t)(a->end - a->at) && rounded >= size && a->at != NULL)) {
        void *p = a->at;
        a->at += rounded;
        return p;
    }
    return arena_alloc_slow(a, size);
}
/* What has been handed out since arena_mark is free again, if it was of the block that was the newest then. */
typedef struct {
    ArenaBlock *block;
    uint8_t *at;
} ArenaMark;
static inline ArenaMark arena_mark(const Arena *a) {
    return (ArenaMark){a->blocks, a->at};
}
static inline void arena_release(Arena *a, ArenaMark m) {
    if (a->blocks == m.block) {
        a->at = m.at;
    }
}

void *arena_array(Arena *a, size_t count, size_t size); /* count * size bytes, checked; zeroed */

#define ARENA_ARRAY(a, Type, count) ((Type *)arena_array(a, count, sizeof(Type)))

#endif
