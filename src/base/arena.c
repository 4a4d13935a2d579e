/* Blocks in a list; each new one is larger than the last, up to a limit, and large requests get one of their own size. */
#include "base/arena.h"

enum { FIRST_BLOCK = 4096, LARGEST_BLOCK = 128 * 1024 };

void arena_init(Arena *a, Mem *mem, MemKind kind) {
    memset(a, 0, sizeof *a);
    a->mem = mem;
    a->kind = kind;
}

void arena_done(Arena *a) {
    ArenaBlock *next;
    for (ArenaBlock *b = a->blocks; b != NULL; b = next) {
        next = b->next;
        mem_free(a->mem, a->kind, b, b->size);
    }
    a->blocks = NULL;
    a->at = a->end = NULL;
}

void arena_reset(Arena *a) {
    ArenaBlock *kept = NULL, *next;
    for (ArenaBlock *b = a->blocks; b != NULL; b = next) {
        next = b->next;
        ArenaBlock *drop = b;
        if (kept == NULL || b->size > kept->size) {
            drop = kept;
            kept = b;
        }
        if (drop != NULL) {
            mem_free(a->mem, a->kind, drop, drop->size);
        }
    }
    a->blocks = kept;
    if (kept != NULL) {
        kept->next = NULL;
        a->at = (uint8_t *)(kept + 1);
        a->end = (uint8_t *)kept + kept->size;
    }
}

COLD void *arena_alloc_slow(Arena *a, size_t size) {
    if (size > SIZE_MAX / 2) {
        return NULL;
    }
    size = round_up(size, sizeof(uint64_t));
    size_t block = a->blocks == NULL ? FIRST_BLOCK : MIN(2 * a->blocks->size, (size_t)LARGEST_BLOCK);
    block = MAX(block, sizeof(ArenaBlock) + size);
    ArenaBlock *b = mem_alloc(a->mem, a->kind, block);
    if (b == NULL) {
        return NULL;
    }
    *b = (ArenaBlock){a->blocks, block};
    a->blocks = b;
    uint8_t *p = (uint8_t *)(b + 1);
    a->at = p + size;
    a->end = (uint8_t *)b + block;
    return p;
}

void *arena_array(Arena *a, size_t count, size_t size) {
    if (size != 0 && count > SIZE_MAX / 4 / size) {
        return NULL;
    }
    void *p = arena_alloc(a, count * size);
    if (p != NULL) {
        memset(p, 0, count * size);
    }
    return p;
}
