/* A .beam file, parsed and verified: what the loader and the tools work from. Everything in it has been checked: every index
   is in range, every label exists, every function keeps the rules the engines rely on (verify.h). */
#ifndef MOTE_CODE_BEAM_H
#define MOTE_CODE_BEAM_H

#include "code/error.h"
#include "term/atom.h"
#include "term/literal.h"

/* Operand kinds of generic instructions, after decoding. */
typedef enum {
    ARG_NONE,
    ARG_X, /* value: register; type: index into types, 0: any */
    ARG_Y,
    ARG_F,       /* float register */
    ARG_LABEL,   /* value: label, 1..labels-1; 0: no label */
    ARG_NUMBER,  /* value: an untagged number (arity, live count, size, flags ...) */
    ARG_TERM,    /* term: small integer, atom or nil */
    ARG_LITERAL, /* term: a literal (built in the literal area), or a big integer written in the code */
    ARG_LIST,    /* value: how many elements; list: the first of them (no list holds another) */
    ARG_HEAP,    /* value: words, floats, funs: an allocation list, or a plain number (then it is only words) */
} ArgKind;

typedef struct Arg {
    uint8_t kind; /* ArgKind */
    uint16_t type;
    uint32_t value;
    union {
        term term;
        struct Arg *list;
        struct {
            uint16_t floats, funs;
        };
    };
} Arg;

/* What the verifier has to tell the loader about an instruction. */
enum {
    OP_UNPROVED = 1 << 0, /* it relies on the kind of an operand (generic.tab says of which: T, C, M, Q ...), and nothing in
                             the file proves that it is of that kind: the instruction must check, and raise badarg */
    OP_DEAD = 1 << 1,     /* nothing leads here; not verified beyond its operands' kinds */
    OP_STOP = 1 << 3,     /* it never returns, or so the compiler says: behind it the loader puts an instruction that raises */
    OP_PRESET = 1 << 4,   /* a guard built-in that fails to a label where its result, though unset, is used: the compiler knows that it
                             never fails, the file does not say so. The result's register must be set before it */
    OP_CLEAR = 1 << 2,    /* allocate: something may raise before all its y registers are written: they must be cleared */
};

typedef struct {
    uint8_t op; /* generic instruction number, GEN_name */
    uint8_t count;
    uint8_t flags;   /* OP_... */
    uint32_t offset; /* in the Code chunk, for messages */
    Arg *arg;
} GenericOp;

/* Atoms and nil in half a word, for tables that can be long. */
typedef uint32_t AtomNumber;
static_assert(ATOM(ATOM_LIMIT) <= UINT32_MAX, "they fit");

typedef struct {
    AtomNumber module, name;
    uint32_t arity;
} BeamImport;
typedef struct {
    AtomNumber name;
    uint32_t arity, function; /* its index */
} BeamExport;                 /* exports and local functions */
typedef struct {
    AtomNumber name; /* of the function that is its body, -f/1-fun-0- */
    uint32_t arity;  /* of that function: with the free variables */
    uint32_t label, index, free, old_uniq;
} BeamLambda;
typedef struct {
    uint32_t file, line; /* file 0: the module's own name + ".erl" */
} BeamLine;

/* What the compiler knows of a register's value. It comes from the file and nothing proves it: code that relies on it may
   compute wrong numbers from a wrong type, but must not read or write what it should not. */
// clang-format off
enum {
    TYPE_ATOM = 1 << 0, TYPE_BITSTRING = 1 << 1, TYPE_CONS = 1 << 2, TYPE_FLOAT = 1 << 3, TYPE_FUN = 1 << 4,
    TYPE_INTEGER = 1 << 5, TYPE_MAP = 1 << 6, TYPE_NIL = 1 << 7, TYPE_PID = 1 << 8, TYPE_PORT = 1 << 9, TYPE_REF = 1 << 10,
    TYPE_TUPLE = 1 << 11, TYPE_RECORD = 1 << 12, TYPE_MATCH = 1 << 13, TYPE_ANY = (1 << 14) - 1,
};
// clang-format on
typedef struct {
    uint16_t types; /* TYPE_... that it may be */
    bool has_min, has_max;
    uint8_t unit;     /* of a bitstring; 0 or 1: any */
    int64_t min, max; /* of an integer */
} BeamType;

/* A native record of OTP 29: its definition, from the Recs chunk. */
typedef struct {
    term name; /* atom */
    bool exported;
    uint32_t count; /* of fields */
    struct BeamField {
        term key;         /* atom */
        term value;       /* its default; NONE: it has none */
        uint32_t literal; /* where the default comes from while the file is read */
    } * fields;           /* in the order of the source */
    term template;        /* all of that as a literal, see data/record.h */
} BeamRecord;

typedef struct {
    AtomNumber name;
    uint32_t entry;      /* label of its entry */
    uint32_t first, end; /* ops [first, end): first is the label before its func_info */
    uint32_t offset;     /* of a file on demand: where that label is in the Code chunk */
    uint8_t arity;
    bool walked; /* it has been verified; on demand, somebody may run it already */
} BeamFunction;

typedef struct BeamFile {
    VM *vm;
    term module;
    uint32_t max_opcode;
    uint32_t labels;          /* labels are 1..labels - 1 */
    uint32_t *label_function; /* of each label: index of the function whose entry it is + 1, or 0; on demand NULL: in order of
                                 the functions, labels are in order, too */
    uint32_t *label_op;       /* of each label: index of its instruction; UINT32_MAX: there is none */
    AtomNumber *atoms;        /* 1..atom_count; 0: nil */
    uint32_t atom_count;
    BeamImport *imports;
    uint32_t import_count;
    BeamExport *exports;
    uint32_t export_count;
    BeamExport *locals;
    uint32_t local_count;
    BeamLambda *lambdas;
    uint32_t lambda_count;
    term *literals;
    uint32_t literal_count;
    term *literal_block;
    size_t literal_words;
    term literal_off_heap; /* handed over to the module when it is loaded */
    BeamType *types;
    uint32_t type_count;
    Bytes strings; /* StrT */
    BeamLine *lines;
    uint32_t line_count; /* index 0: no line */
    term *files;
    uint32_t file_count;                  /* names, as literals: 1..file_count - 1 */
    Bytes attributes, compile_info, meta; /* external terms; empty: no chunk */
    BeamRecord *records;
    uint32_t record_count; /* native records, OTP 29 */
    GenericOp *ops;
    uint32_t op_count; /* the whole Code chunk, up to int_code_end */
    BeamFunction *functions;
    uint32_t function_count; /* in order of their code */
    uint32_t on_load_label;  /* entry of the function that has on_load; 0: none */
    uint8_t md5[16];
    struct Arena *arena;  /* all of the above is in here, but literals; and but ops and label_op of a file on demand: */
    struct Arena *work;   /* what decoding and verifying need; the same arena unless on demand */
    const Bytes *chunks;  /* on demand: by CHUNK_..., they stay as long as the file; NULL: all has been read */
    uint64_t *match_args; /* on demand, of each function: which arguments may be match contexts */
    const char *name;     /* on demand: what messages call the file */
    LiteralBlock *blocks;
    uint32_t block_count; /* on demand: further literals, which beam_keep has made */
    Bytes literal_table;  /* on demand: what literals that are NONE so far are read from; at NULL: there are none */
    uint8_t *inflated;
    size_t inflated_room; /* where it stands, if that is not the file */
    Bytes given;          /* on demand: the bytes of the file, if they are the file's own */
    bool kept;            /* on demand: code has it now, and beam_free leaves it alone */
    size_t op_room;       /* there is room for so many ops */
    size_t literal_room;  /* literals are a block of so many */
} BeamFile;

/* Parses and verifies. `name` is what messages call the file. NULL: *error says why. The bytes may go afterwards. */
BeamFile *beam_read(VM *vm, const char *name, Bytes file, LoadError *error);
/* The same for a file that is trusted to be whole: code, literals, types and lines are looked at when they are needed (demand.h),
   and verified then. What is not in the usual form is read at once. stays: the bytes are there for ever, and need not be copied. */
BeamFile *beam_open(VM *vm, const char *name, Bytes file, bool stays, LoadError *error);
/* Bytes that stay, in a block of MEM_CODE, are freed with the file. */
void beam_give(BeamFile *b, Bytes file);
void beam_free(BeamFile *b); /* takes literal_block along unless somebody has taken it over and set it to NULL */
/* The function with this entry; NULL: the label is no entry. */
BeamFunction *beam_function(const BeamFile *b, uint32_t label);

term beam_keep(BeamFile *b, term t); /* on demand: a literal like t, as long as the file; NONE: no memory */
void beam_md5_now(BeamFile *b);      /* on demand: fills in md5 */

#endif
