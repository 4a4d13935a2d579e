/* Hashes of terms. phash2 is part of the language: the same number on every node and release, to the bit. The internal
   hash is for tables of this VM (hash maps, ETS) and may differ between VMs. */
#ifndef MOTE_TERM_HASH_H
#define MOTE_TERM_HASH_H

#include "term/heap.h"

uint32_t term_phash2(VM *vm, term t); /* erlang:phash2/1 before its reduction to a range: 32 bits */
/* The same in slices of about *steps subterms, of which what is over is left there. *state: at first (`begin`) the term, then what
   it was set to. False: to be gone on with *state (NONE: no memory). */
bool term_phash2_some(Heap *heap, term *state, bool begin, size_t *steps, uint32_t *hash);
uint32_t term_phash(VM *vm, term t); /* erlang:phash/2 before its reduction to a range */
uint64_t term_hash(VM *vm, term t);  /* internal; equal (=:=) terms have equal hashes */

#endif
