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

/* Whether b begins like a term, neither compressed nor cut off. Cheap, and makes no atoms: decoding may still fail. */
bool external_has_shape(Bytes b);

/* Decoding. */
enum {
    EXTERNAL_SAFE = 1 << 0,       /* make no atoms and no external funs that were not there before */
    EXTERNAL_NO_VERSION = 1 << 1, /* no version byte in front */
};

/* Reads one term from the front of b onto h (which may be detached). *used, if not NULL, is how many bytes it took.
   NONE: h->reason is A_badarg, or A_system_limit (too many atoms, no memory). */
term external_decode(Heap *h, Bytes b, unsigned flags, size_t *used);
/* The same, in which atoms may be numbers: places in a tuple of atoms. */
term external_decode_cached(Heap *h, Bytes b, term atoms);

/* The same in pieces: a step works for about *budget bytes, says whether it is done, and leaves in *budget what is over.
   The heap must not be collected meanwhile: use a detached one. */
typedef struct ExternalDecoder ExternalDecoder;
ExternalDecoder *external_decoder_new(Heap *h, Bytes b, unsigned flags); /* NULL: no memory. The bytes must stay */
bool external_decoder_step(ExternalDecoder *d, size_t *budget);
term external_decoder_result(const ExternalDecoder *d, size_t *used); /* NONE: reason in the heap */
void external_decoder_delete(ExternalDecoder *d);

/* Encoding. */
typedef struct ExternalOptions {
    bool no_version;       /* no version byte in front */
    bool deterministic;    /* large maps in map key order, not in the order of this VM's hash */
    bool local;            /* pids, ports, references and funs such that only this VM can read them (OTP 26+) */
    uint8_t minor_version; /* 0: floats as text; 1: as OTP 17 to 25, atoms in Latin-1 where they fit; 2: as OTP 26+, UTF-8 */
    int8_t compression;    /* 0: none; 1..9: zlib's levels, -1: its default; where that makes it shorter */
} ExternalOptions;

/* Adds t's external form to out. False: *reason is A_system_limit (no memory: out->failed), or A_badarg: something that
   has no external form (funs without hooks). */
bool external_encode(Text *out, VM *vm, term t, const ExternalOptions *options, term *reason);

/* The same in pieces, as for decoding. Between steps the heap may be collected, if what is still to be written is saved as a
   term first and restored from it afterwards. */
typedef struct ExternalEncoder ExternalEncoder;
ExternalEncoder *external_encoder_new(VM *vm, term t, const ExternalOptions *options); /* NULL: no memory */
bool external_encoder_step(ExternalEncoder *e, size_t *budget);
term external_encoder_save(ExternalEncoder *e, Heap *h); /* NONE: cannot be saved now, go on */
void external_encoder_restore(ExternalEncoder *e, term saved);
bool external_encoder_result(ExternalEncoder *e, Bytes *result, term *reason); /* valid until the encoder is deleted */
/* Makes it count only, before the first step; and the bytes it would have written, without compression (erlang:external_size). */
void external_encoder_count(ExternalEncoder *e);
size_t external_encoder_counted(const ExternalEncoder *e, term *reason);
void external_encoder_delete(ExternalEncoder *e);

#endif
