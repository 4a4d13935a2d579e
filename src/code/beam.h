/* A .beam file, parsed and verified: what the loader and the tools work from. Everything in it has been checked: every index
   is in range, every label exists, every function keeps the rules the engines rely on (verify.h). */
#ifndef MOTE_CODE_BEAM_H
#define MOTE_CODE_BEAM_H

#include "code/error.h"
#include "term/heap.h"

/* Operand kinds of generic instructions, after decoding. */
typedef enum {
    ARG_NONE,
    ARG_X,       /* value: register; type: index into types, 0: any */
    ARG_Y,
    ARG_F,       /* float register */
    ARG_LABEL,   /* value: label, 1..labels-1; 0: no label */
    ARG_NUMBER,  /* value: an untagged number (arity, live count, size, flags ...) */
    ARG_TERM,    /* term: small integer, atom or nil */
    ARG_LITERAL, /* term: a literal (built in the literal area), or a big integer written in the code */
    ARG_LIST,    /* value: how many elements; list: the first of them */
} ArgKind;

typedef struct Arg {
    uint8_t kind;   /* ArgKind */
    uint16_t type;
    union {
        uint32_t value;
        term term;
        struct Arg *list;
    };
    uint32_t count; /* of a list */
} Arg;

typedef struct {
    uint8_t op;      /* generic instruction number, GEN_name */
    uint8_t count;
    uint32_t offset; /* in the Code chunk, for messages */
    Arg *arg;
} GenericOp;

typedef struct {
    term module, name; /* atoms */
    uint32_t arity;
} BeamImport;
typedef struct {
    term name;
    uint32_t arity, label;
} BeamExport; /* exports and local functions */
typedef struct {
    term name;
    uint32_t arity, label, index, free, old_uniq;
} BeamLambda;
typedef struct {
    uint32_t file, line; /* file 0: the module's own name + ".erl" */
} BeamLine;

/* What the compiler knows of a register's value. */
enum {
    TYPE_ATOM = 1 << 0, TYPE_BITSTRING = 1 << 1, TYPE_CONS = 1 << 2, TYPE_FLOAT = 1 << 3, TYPE_FUN = 1 << 4,
    TYPE_INTEGER = 1 << 5, TYPE_MAP = 1 << 6, TYPE_NIL = 1 << 7, TYPE_PID = 1 << 8, TYPE_PORT = 1 << 9, TYPE_REF = 1 << 10,
    TYPE_TUPLE = 1 << 11, TYPE_RECORD = 1 << 12, TYPE_MATCH = 1 << 13, TYPE_ANY = (1 << 14) - 1,
};
typedef struct {
    uint16_t types;           /* TYPE_... that it may be */
    bool has_min, has_max;
    uint8_t unit;             /* of a bitstring; 0 or 1: any */
    int64_t min, max;         /* of an integer */
} BeamType;

typedef struct BeamFile {
    VM *vm;
    term module;
    uint32_t instruction_set, max_opcode, labels, functions;
    term *atoms;              /* 1..atom_count */
    uint32_t atom_count;
    BeamImport *imports;      uint32_t import_count;
    BeamExport *exports;      uint32_t export_count;
    BeamExport *locals;       uint32_t local_count;
    BeamLambda *lambdas;      uint32_t lambda_count;
    term *literals;           uint32_t literal_count;
    term *literal_block;      size_t literal_words;  term literal_off_heap; /* handed over to the module when it is loaded */
    BeamType *types;          uint32_t type_count;
    Bytes strings;            /* StrT */
    BeamLine *lines;          uint32_t line_count;   /* index 0: no line */
    term *files;              uint32_t file_count;   /* names, as literals: 1..file_count - 1 */
    Bytes attributes, compile_info, meta; /* external terms; empty: no chunk */
    struct BeamRecord *records; uint32_t record_count; /* native records, OTP 29 */
    GenericOp *ops;           uint32_t op_count;     /* the whole Code chunk, up to int_code_end */
    uint32_t on_load_label;   /* 0: none */
    uint8_t md5[16];
    struct Arena *arena;      /* all of the above is in here */
} BeamFile;

/* Parses and verifies. `name` is what messages call the file. NULL: *error says why. The bytes may go afterwards. */
BeamFile *beam_read(VM *vm, const char *name, Bytes file, LoadError *error);
void beam_free(BeamFile *b);

#endif
