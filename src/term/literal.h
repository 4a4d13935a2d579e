/* The literal area: one reserved range of addresses per VM, so that "is it a literal" is one comparison. Blocks in it hold
   what is never moved: literals of modules, persistent terms, the empty tuple. */
#ifndef MOTE_TERM_LITERAL_H
#define MOTE_TERM_LITERAL_H

#include "term/heap.h"

typedef struct LiteralBlock {
    term *at;
    size_t words;
    term off_heap; /* its off-heap objects */
} LiteralBlock;

static inline bool literal_holds(const LiteralBlock *b, term t) { /* does t point into the block? */
    const term *p = (const term *)(t & ~(term)TAG_MASK);
    return (is_cons(t) || is_boxed(t)) && p >= b->at && p < b->at + b->words;
}

bool literals_init(VM *vm);
void literals_done(VM *vm);
term *literal_alloc(VM *vm, size_t words); /* NULL: no room */
/* Gives a block back, and what its off-heap objects (linked from off_heap) hold. */
void literal_free(VM *vm, term *block, size_t words, term off_heap);
/* The block has no owner any more, but heaps may still point to it. It is freed when somebody who knows all heaps has seen to
   it that none does (proc/literals.c). */
void literal_retire(VM *vm, const LiteralBlock *block);
size_t literal_retired_words(const VM *vm);
bool literals_want_sweep(const VM *vm); /* so much has been retired that it is worth looking */
void literals_ask_sweep(VM *vm);        /* at the next look around, whether it is worth it or not */
/* The retired blocks; the list is then empty and the caller's, to be freed by literal_free_retired. */
LiteralBlock *literal_take_retired(VM *vm, size_t *count);
void literal_free_retired(VM *vm, LiteralBlock *blocks, size_t count);

size_t literal_bytes(const VM *vm);
term literal_empty_tuple(const VM *vm); /* the {} that all share */

#endif
