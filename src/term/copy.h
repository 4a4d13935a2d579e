/* Copying terms between heaps. Literals are shared, buffers are shared by reference; match contexts are never copied. */
#ifndef MOTE_TERM_COPY_H
#define MOTE_TERM_COPY_H

#include "term/literal.h"

size_t term_size(VM *vm, term t);        /* words a copy takes (literals count 0); shared subterms count each time */
size_t term_flat_size(VM *vm, term t);   /* the same, literals counted too: erts_debug:flat_size/1 */
size_t term_shared_size(VM *vm, term t); /* every object once: erts_debug:size/1 */

/* Copies to `to` in one allocation of term_size words. NONE if there is no memory. */
term term_copy(Heap *to, term t);
term term_copy_literals_too(Heap *to, term t);

/* The same for those who know the size, which is not 0: into the block of a heap that has room for it, or to a fragment. */
term term_copy_sized(Heap *to, term t, size_t words);
Fragment *term_copy_sized_to_fragment(VM *vm, term t, size_t words, term *copy);

/* A fragment that holds a copy; *copy is its root. NULL fragment with *copy != NONE: t needs no room (immediate or
   literal). NULL and NONE: no memory. */
Fragment *term_copy_to_fragment(VM *vm, term t, term *copy);

/* A copy in the literal area, for persistent terms and constants; all of it is in the block, literals too. NONE: no memory.
   block->words is 0 for an immediate. */
term term_copy_to_literal(VM *vm, term t, LiteralBlock *block);
term term_copy_shared_to_literal(VM *vm, term t, LiteralBlock *block); /* what is mentioned twice is one object in the copy, too */

/* The primitive behind them: writes the copy to `at`, where there is room for term_size words (term_flat_size, if literals
   are copied too), and links its off-heap objects in front of *off_heap. Cannot fail. */
term term_copy_at(VM *vm, term *at, term t, bool literals_too, term *off_heap);

#endif
