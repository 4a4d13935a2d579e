/* Reading a .beam file: what the files of the reader share. */
#ifndef MOTE_CODE_READER_H
#define MOTE_CODE_READER_H

#include "base/arena.h"
#include "code/beam.h"
#include "gen/generic.h"

/* What the decoder and the verifier know of a generic instruction: a row of generic.tab. */
enum { GENERIC_ENDS = 1, GENERIC_RAISES = 2, GENERIC_CALLS = 4 };
typedef struct {
    const char *name; /* NULL: no such instruction */
    char operands[9]; /* letters; '[': a list */
    char group[3];    /* letters of a group of the list */
    uint8_t arity;
    int8_t live; /* which operand says what lives; -1: none */
    int8_t fail; /* which operand is the label for failure; -1: none */
    uint8_t flags;
} GenericShape;
extern const GenericShape generic_shapes[GEN_COUNT];

/* The bytes of a chunk, and where we are in them. */
typedef struct {
    const uint8_t *start, *at, *end;
    const char *chunk; /* its name, for messages */
    LoadError *error;
} Cursor;

static inline size_t cursor_left(const Cursor *c) {
    return (size_t)(c->end - c->at);
}
#define CURSOR_FAIL(c, ...) (load_error((c)->error, (c)->chunk, (c)->at - (c)->start, __VA_ARGS__), false)
bool cursor_u32(Cursor *c, uint32_t *v);
/* The same, a number of things of at least `least` bytes each, which must be there. */
bool cursor_count(Cursor *c, uint32_t least, uint32_t *count);
bool cursor_bytes(Cursor *c, size_t size, const uint8_t **p);

/* Compact terms: a tag and a number. */
enum { COMPACT_U, COMPACT_I, COMPACT_A, COMPACT_X, COMPACT_Y, COMPACT_F, COMPACT_H, COMPACT_Z };
typedef struct {
    uint8_t tag;
    bool large; /* does not fit: bytes and size are the number, big-endian, two's complement */
    int64_t value;
    const uint8_t *bytes;
    size_t size;
} Compact;
bool cursor_compact(Cursor *c, Compact *v);
bool cursor_number(Cursor *c, uint32_t *v); /* one that must be tagged u and fit */

/* A file while it is read. */
typedef struct Loading {
    BeamFile *b;
    LoadError *error;
    Heap heap;   /* literals, until they move to their block; detached */
    Arg **fixes; /* operands that are literals: their terms come when all literals are there */
    size_t fix_count, fix_room;
    uint32_t file_literals; /* literals of the file; those behind them are large integers of the code */
} Loading;

// clang-format off
enum { CHUNK_ATOMS, CHUNK_CODE, CHUNK_STRINGS, CHUNK_IMPORTS, CHUNK_EXPORTS, CHUNK_LAMBDAS, CHUNK_LITERALS, CHUNK_PLAIN_LITERALS,
       CHUNK_ATTRIBUTES, CHUNK_COMPILE_INFO, CHUNK_LINES, CHUNK_LOCALS, CHUNK_TYPES, CHUNK_META, CHUNK_RECORDS, CHUNK_DEBUG,
       CHUNK_OLD_ATOMS, CHUNKS };
// clang-format on
extern const char chunk_names[CHUNKS][5];

/* chunk.c: each parses one chunk. */
bool chunk_atoms(Loading *l, Cursor *c);
bool chunk_imports(Loading *l, Cursor *c);
bool chunk_functions(Loading *l, Cursor *c, BeamExport **list, uint32_t *count);
bool chunk_lambdas(Loading *l, Cursor *c);
bool chunk_literals(Loading *l, Cursor *c);
term chunk_literal(Loading *l, Cursor *c, uint32_t n); /* the one at the cursor; NONE: it is damaged */
bool chunk_skip_literal(Cursor *c);
bool chunk_lines(Loading *l, Cursor *c);
bool chunk_types(Loading *l, Cursor *c);
bool chunk_records(Loading *l, Cursor *c);
uint32_t loading_literal(Loading *l, term t); /* adds a literal; its index, or UINT32_MAX: no memory */

term loading_integer(Loading *l, const Compact *v); /* of one tagged i; NONE: no memory */

/* decode.c: the Code chunk. */
bool code_decode(Loading *l, Cursor *c);
bool code_decode_function(Loading *l, uint32_t index); /* of a file on demand: label_op and ops are then this function's */
/* scan.c: fills in functions and labels of a file on demand. False: the code is not in the usual form. */
bool code_scan(BeamFile *b);
term loading_literal_at(Loading *l, uint32_t n); /* a literal of a file on demand; NONE: *l->error says why */

#endif
