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

bool literals_init(VM *vm);
void literals_done(VM *vm);
term *literal_alloc(VM *vm, size_t words); /* NULL: no room */
/* Gives a block back, and what its off-heap objects (linked from off_heap) hold. */
void literal_free(VM *vm, term *block, size_t words, term off_heap);
size_t literal_bytes(const VM *vm);
term literal_empty_tuple(const VM *vm); /* the {} that all share */

#endif
