/* Blocks in a list; each new one is larger than the last, up to a limit, and large requests get one of their own size. */
#include "base/arena.h"

enum { FIRST_BLOCK = 4096, LARGEST_BLOCK = 64 * 1024 };

void arena_init(Arena *a, Mem *mem, MemKind kind) {
    memset(a, 0, sizeof *a);
    a->mem = mem;
    a->kind = kind;
}

static void free_blocks(Arena *a, ArenaBlock *b) {
    for (ArenaBlock *next; b != NULL; b = next) {
        next = b->next;
        mem_free(a->mem, a->kind, b, b->size);
    }
}

void arena_done(Arena *a) {
    free_blocks(a, a->blocks);
    free_blocks(a, a->spare);
    a->blocks = a->spare = NULL;
    a->at = a->end = NULL;
}

static void use_block(Arena *a, ArenaBlock *b) {
    b->next = a->blocks;
    a->blocks = b;
    a->at = (uint8_t *)(b + 1);
    a->end = (uint8_t *)b + b->size;
}

void arena_reset(Arena *a, size_t keep) {
    ArenaBlock *b = a->blocks, *next;
    if (b != NULL && b->next == NULL && a->spare == NULL && b->size <= keep) { /* the usual case: there is one */
        a->at = (uint8_t *)(b + 1);
        return;
    }
    size_t kept = 0;
    for (ArenaBlock *s = a->spare; s != NULL; s = s->next) {
        kept += s->size;
    }
    for (; b != NULL; b = next) {
        next = b->next;
        if (kept + b->size <= keep) {
            kept += b->size;
            b->next = a->spare;
            a->spare = b;
        } else {
            mem_free(a->mem, a->kind, b, b->size);
        }
    }
    a->blocks = NULL;
    a->at = a->end = NULL;
}

static ArenaBlock *new_block(Arena *a, size_t size) {
    ArenaBlock *b = mem_alloc(a->mem, a->kind, size);
    if (b != NULL) {
        b->size = size;
        use_block(a, b);
    }
    return b;
}

bool arena_reserve(Arena *a, size_t size) {
    return new_block(a, sizeof(ArenaBlock) + size) != NULL;
}

COLD void *arena_alloc_slow(Arena *a, size_t size) {
    if (size > SIZE_MAX / 2) {
        return NULL;
    }
    size = round_up(size, sizeof(uint64_t));
    for (ArenaBlock **link = &a->spare; *link != NULL; link = &(*link)->next) {
        ArenaBlock *b = *link;
        if (b->size - sizeof *b >= size) {
            *link = b->next;
            use_block(a, b);
            a->at += size;
            return b + 1;
        }
    }
    size_t block = a->blocks == NULL ? FIRST_BLOCK : MIN(2 * a->blocks->size, (size_t)LARGEST_BLOCK);
    block = MAX(block, sizeof(ArenaBlock) + size);
    ArenaBlock *b = new_block(a, block);
    if (b == NULL) {
        return NULL;
    }
    a->at += size;
    return b + 1;
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
