/* Specialised instructions as the rewriter makes them: what the interpreter's emitter and the native emitters both read.

   Operands are decoded and checked; names of functions, literals and funs have become pointers. What the compiler knows of a
   value's type stays with the operand, so that either engine can leave out checks. */
#ifndef MOTE_CODE_INS_H
#define MOTE_CODE_INS_H

#include "code/module.h"
#include "gen/ops.h"

/* The letters are those of ops.tab. */
typedef enum {
    OPERAND_X = 'x',       /* index: x register */
    OPERAND_Y = 'y',       /* index: y register */
    OPERAND_TERM = 'i',    /* term: an immediate, or a literal (boxed or cons) */
    OPERAND_FLOAT = 'v',   /* index: float register */
    OPERAND_NUMBER = 'n',  /* number */
    OPERAND_LABEL = 'f',   /* index: label to jump to */
    OPERAND_FAIL = 'j',    /* instead of a label: raise */
    OPERAND_CALL = 'e',    /* index: label of the function called */
    OPERAND_HANDLER = 'h', /* index: label to go on at when an exception is caught; number: its catch mark */
    OPERAND_POINTER = 'p', /* pointer: Export, BifEntry, Lambda ... as the instruction says */
    OPERAND_LIST = 'l',    /* list: number of operands */
} OperandKind;

typedef struct Operand {
    uint8_t kind;
    uint16_t type;         /* index into the file's types; 0: any */
    uint32_t index;
    union {
        term term;
        uintptr_t number;
        const void *pointer;
    };
    struct Operand *list;
} Operand;

typedef struct {
    uint16_t op;           /* OP_... */
    uint8_t count;
    uint32_t origin;       /* index of the generic instruction that it comes from (the last, if from several) */
    Operand *a;
} Ins;

/* A module's code, function after function: label, func_info, label (the entry), instructions. */
typedef struct Program {
    VM *vm;
    const BeamFile *file;
    ModuleCode *code;      /* what it is made for */
    uint32_t first_function; /* index of the first of its functions in code->functions */
    Lambda **lambdas;      /* of the file, by index */
    Ins *ins;
    uint32_t count, capacity;
    uint32_t origin;       /* of what is added now */
    uint32_t labels;       /* labels are 1 .. labels - 1; those from file->labels on are the rewriter's */
    bool no_memory;
    Ins lost;              /* what program_add gives when there is no memory */
    Operand lost_operands[12];
    LoadError *error;
} Program;

/* What is known of an operand's value. */
BeamType operand_type(const Program *pr, const Operand *o);
/* Is it a small integer for sure? */
bool operand_is_small(const Program *pr, const Operand *o);

/* Rewrites the file's generic instructions; first_function: index of the first function among them. lambdas: one for each of the file's, with its place fixed but not yet its code.
   NULL: *error says why. Free it with program_free when all engines have emitted. */
Program *rewrite(VM *vm, const BeamFile *file, Lambda **lambdas, ModuleCode *code, uint32_t first_function, LoadError *error);
void program_free(Program *pr);
void rewrite_free(VM *vm, ModuleCode *code); /* what rewrite has put into code */

/* For rewrite.c and fuse.c. */
Ins *program_add(Program *pr, uint16_t op, uint8_t count); /* never NULL; operands zeroed; pr->no_memory sticks */
void *program_alloc(Program *pr, size_t size);             /* as long as the program; contents: any. NULL: no memory */

/* A copy of the instructions, with chains of them fused, for the interpreter. NULL: no memory. */
Ins *program_fuse(Program *pr, uint32_t *count);

/* A fused instruction: a chain of others, read by the interpreter only. Operands are numbered by their first mention. */
typedef struct {
    uint16_t op;           /* the fused one */
    uint8_t parts;
    struct {
        uint16_t op;
        uint8_t count;
        uint8_t a[8];      /* which of the fused one's operands each of its operands is */
    } part[4];
} Fusion;

/* What the generator knows of an instruction. */
typedef struct {
    const char *name;
    uint8_t count;             /* operands */
    bool interpreted;          /* false: no code of the interpreter (label, line, what native code alone reads) */
    uint16_t first;            /* its first variant */
    const struct OperandForms *const *forms; /* by operand */
} OpInfo;
/* The letters the interpreter has variants for. */
typedef struct OperandForms {
    uint8_t count;
    uint8_t index[32];         /* by OperandKind & 31: which of them stands for it, counted from 1; 0: none */
} OperandForms;
extern const OpInfo op_infos[OP_COUNT];
/* By variant: the letters of its operands, one each. */
extern const char *const variant_kinds[VARIANT_COUNT];
extern const uint8_t variant_units[VARIANT_COUNT]; /* units it takes, without the elements of its list */
extern const uint16_t variant_ops[VARIANT_COUNT];

#endif
