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
    OPERAND_LIST = 'l',    /* list: index operands */
} OperandKind;

typedef struct Operand {
    uint8_t kind;
    uint16_t type; /* index into the file's types; 0: any */
    uint32_t index;
    union {
        term term;
        uintptr_t number;
        const void *pointer;
        struct Operand *list;
    };
} Operand;

typedef struct {
    uint16_t op; /* OP_... */
    uint8_t count;
    uint32_t origin; /* index of the generic instruction that it comes from (the last, if from several) */
    Operand *a;
} Ins;

/* A module's code, function after function: label, func_info, label (the entry), instructions. */
typedef struct Program {
    VM *vm;
    const BeamFile *file;
    ModuleCode *code;        /* what it is made for */
    uint32_t first_function; /* index of the first of its functions in code->functions */
    Lambda **lambdas;        /* of the file, by index */
    Ins *ins;
    uint32_t count, capacity;
    Operand *operands; /* room for more */
    size_t operands_left;
    uint32_t origin; /* of what is added now */
    uint32_t labels; /* labels are 1 .. labels - 1; those from file->labels on are the rewriter's */
    bool no_memory;
    Ins lost; /* what program_add gives when there is no memory */
    Operand lost_operands[12];
    LoadError *error;
} Program;

/* What is known of an operand's value. */
BeamType operand_type(const Program *pr, const Operand *o);
/* Is it a small integer for sure? */
bool operand_is_small(const Program *pr, const Operand *o);

/* Rewrites the file's generic instructions; first_function: index of the first function among them. lambdas: one for each of the file's, with its place fixed but not yet its code.
   NULL: *error says why. It lies in the memory for work on the file. */
Program *rewrite(VM *vm, const BeamFile *file, Lambda **lambdas, ModuleCode *code, uint32_t first_function, LoadError *error);
void rewrite_free(VM *vm, ModuleCode *code); /* what rewrite has put into code */

/* For those who rewrite. */
Ins *program_add(Program *pr, uint16_t op, uint8_t count); /* never NULL; operands zeroed; pr->no_memory sticks */
Operand *program_operands(Program *pr, size_t count);      /* zeroed; NULL: no memory */
void *program_alloc(Program *pr, size_t size);             /* as long as the program; contents: any. NULL: no memory */

/* The instructions with chains of them fused, for the interpreter: a copy, if native code is made of them, too. NULL: no memory. */
Ins *program_fuse(Program *pr, uint32_t *count);

const char *op_name(unsigned op);
unsigned op_operands(unsigned op);   /* how many */
bool op_is_interpreted(unsigned op); /* false: no code of the interpreter (label, line, what native code alone reads) */

#endif
