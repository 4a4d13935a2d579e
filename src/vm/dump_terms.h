/* Terms in a crash dump, as OTP's crashdump_viewer reads them: what fits a word where it is, everything else once, in a line of
   its own that begins with its address. */
#ifndef MOTE_VM_DUMP_TERMS_H
#define MOTE_VM_DUMP_TERMS_H

#include <stdio.h>

#include "base/text.h"
#include "term/term.h"
#include "term/vm.h"

typedef struct {
    const void **at;
    size_t count, room;
} PointerList;

typedef struct {
    VM *vm;
    FILE *file;
    int64_t left;         /* bytes that may still be written */
    bool full;            /* no more, or no memory for more terms */
    PointerList seen;     /* a hash table of addresses; room is a power of 2 */
    PointerList literals; /* terms in the literal area that have been mentioned */
    PointerList buffers;  /* of long binaries, likewise */
} Dump;

void dump_text(Dump *d, const char *format, ...) PRINTF_LIKE(2, 3);
void dump_bytes(Dump *d, const void *bytes, size_t size);
void dump_term(Dump *d, term t);    /* as text, not as the viewer reads it */
void dump_element(Dump *d, term t); /* a word: the value, or where it is */
void dump_heap(Dump *d, term t);    /* the lines of what t refers to, but literals, which wait */
void dump_literals(Dump *d);        /* those */
void dump_buffers(Dump *d);
void dump_done(Dump *d);

#endif
