/* Finding byte strings in byte strings: one needle, or the leftmost and then longest of several. */
#ifndef MOTE_DATA_PATTERN_H
#define MOTE_DATA_PATTERN_H

#include "term/heap.h"

/* Ready to search with. A resource, so that compiled patterns can be terms. */
typedef struct Pattern {
    Resource resource;
    size_t size;   /* of this object, in bytes */
    size_t count;  /* of needles */
    size_t length; /* one needle: its length; it is in `data` */
    /* Several: an automaton of Aho and Corasick, over classes of bytes that the needles do not tell apart. State 0 is the
       beginning. */
    uint32_t classes;
    uint8_t class_of[256];
    bool starts[256]; /* a needle begins with this byte */
    uint32_t *next;   /* [state * classes + class]: the state after a byte */
    uint32_t *depth;  /* of a state: how many bytes of a needle have been seen */
    uint32_t *found;  /* of a state: length of the longest needle that ends here; 0: none */
    max_align_t data[];
} Pattern;

/* count needles, none empty. NULL: no memory. With one reference. */
Pattern *pattern_new(VM *vm, const Bytes *needles, size_t count);
void pattern_destroy(VM *vm, Resource *r); /* names the type of the resource */

/* The first match in text that begins in [from, stop); it may end anywhere up to size. */
bool pattern_find(const Pattern *p, const uint8_t *text, size_t size, size_t from, size_t stop, size_t *at, size_t *length);

#endif
