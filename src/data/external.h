/* The external term format, both ways: what term_to_binary and binary_to_term, literal tables, files and the distribution
   use. Bytes that come in are hostile: every count is checked against the bytes that are left before anything is
   allocated for it, depth costs memory but no C stack, and nothing but the heap given changes if decoding fails (except
   that atoms may have been made). */
#ifndef MOTE_DATA_EXTERNAL_H
#define MOTE_DATA_EXTERNAL_H

#include "base/text.h"
#include "term/fun.h"
#include "term/heap.h"

enum { EXTERNAL_VERSION = 131 };

/* Decoding. */
enum {
    EXTERNAL_SAFE = 1 << 0,       /* make no atoms and no external funs that were not there before */
    EXTERNAL_NO_VERSION = 1 << 1, /* no version byte in front */
};

/* Reads one term from the front of b onto h (which may be detached). *used, if not NULL, is how many bytes it took.
   NONE: h->reason is A_badarg, or A_system_limit (too many atoms, no memory). */
term external_decode(Heap *h, Bytes b, unsigned flags, size_t *used);

/* The same in pieces: a step works for about *budget bytes, says whether it is done, and leaves in *budget what is over.
   The heap must not be collected meanwhile: use a detached one. */
typedef struct ExternalDecoder ExternalDecoder;
ExternalDecoder *external_decoder_new(Heap *h, Bytes b, unsigned flags); /* NULL: no memory. The bytes must stay */
bool external_decoder_step(ExternalDecoder *d, size_t *budget);
term external_decoder_result(const ExternalDecoder *d, size_t *used); /* NONE: reason in the heap */
void external_decoder_delete(ExternalDecoder *d);

/* Encoding. */
typedef struct ExternalOptions {
    bool no_version;      /* no version byte in front */
    bool deterministic;   /* atoms and map pairs in an order that does not depend on this VM (OTP 24.1+) */
    bool local;           /* as LOCAL_EXT (OTP 26+) */
    uint8_t minor_version; /* 0: floats as text; 1: OTP 17 to 25, atoms in Latin-1 where they fit; 2: OTP 26+, UTF-8 */
    uint8_t compression;  /* 0: none; 1..9: zlib's levels, if that makes it shorter */
} ExternalOptions;

/* Adds t's external form to out. False: no memory (out->failed), or a value that has no external form: *reason says. */
bool external_encode(Text *out, VM *vm, term t, const ExternalOptions *options, term *reason);

/* Bytes that external_encode would write at most, without compression (erlang:external_size). */
size_t external_size(VM *vm, term t, const ExternalOptions *options);

#endif
