/* Iolists: lists, however deep, of bytes, binaries and such lists, whose tails may be binaries. */
#ifndef MOTE_DATA_IOLIST_H
#define MOTE_DATA_IOLIST_H

#include "base/text.h"
#include "data/bits.h"

typedef enum {
    IOLIST_OK,
    IOLIST_BAD,       /* something else is in it */
    IOLIST_TOO_LARGE, /* its size does not fit a word */
    IOLIST_NO_MEMORY,
    IOLIST_LATER, /* the budget is used up */
} IolistResult;

/* A walk through an iolist. It can stop when a budget of steps is used up, and go on later, even after a collection:
   iolist_save turns what is left into an Erlang list of the lists and binaries that are still to be walked. */
typedef struct {
    VM *vm;
    term at;     /* list, binary or NONE: what comes next */
    term *stack; /* what comes after it, last one first */
    size_t depth, capacity;
    size_t skip;     /* bits of `at` that are done with */
    term below;      /* an Erlang list of what comes after that: from iolist_resume */
    bool bits;       /* bitstrings of any size are welcome */
    uint8_t byte;    /* what a piece of one byte points to */
    intptr_t budget; /* steps: one for each cell, and for each kilobyte copied */
    term few[16];    /* the stack while it is small */
} IolistWalk;
void iolist_begin(IolistWalk *w, VM *vm, term list, bool bits); /* unlimited budget */
void iolist_resume(IolistWalk *w, VM *vm, term saved, bool bits);
term iolist_save(const IolistWalk *w, Heap *h);
void iolist_end(IolistWalk *w);

/* The next piece: a bitstring, or one byte (*source then is NONE). False: no more, *end says why. */
bool iolist_next(IolistWalk *w, Bits *piece, term *source, IolistResult *end);
IolistResult iolist_count(IolistWalk *w, size_t *bits);           /* adds to *bits */
IolistResult iolist_fill(IolistWalk *w, uint8_t *to, size_t *at); /* writes from bit *at on: of a list that was counted */
IolistResult iolist_append(IolistWalk *w, Buffer **out);          /* adds to a buffer that grows, in pieces as the budget allows */

/* All at once, for short ones and where nothing can wait. A binary counts as an iolist here. */
IolistResult iolist_size(VM *vm, term t, size_t *bytes);
IolistResult iolist_bytes(VM *vm, term t, Text *out); /* appends its bytes */

#endif
