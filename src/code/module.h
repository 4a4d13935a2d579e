/* Loaded modules: their code, literals, lambdas and line tables, and finding what an address belongs to. */
#ifndef MOTE_CODE_MODULE_H
#define MOTE_CODE_MODULE_H

#include "code/beam.h"
#include "code/export.h"

typedef struct Lambda {        /* a fun of a module: outlives the code, as funs may */
    struct Export *export_of;  /* unused for local funs: NULL */
    const Unit *code;          /* entry; a stub that calls the error handler once the code is purged */
    const void *native;
    term module, name;         /* name: of the lambda's function, -f/1-fun-0- */
    uint32_t arity;            /* as called: without the free variables */
    uint32_t free;
    uint32_t index, old_uniq;
    uint8_t uniq[16];          /* MD5 of the module */
    struct Lambda *next;
} Lambda;

typedef struct {
    const Unit *at;            /* return address, or entry */
    uint32_t line;             /* index into lines */
} LineEntry;

typedef struct Function {
    const Unit *info;          /* its func_info; the entry follows */
    const Unit *code;
    const void *native;
    term name;
    uint32_t arity;
} Function;

typedef struct ModuleCode {    /* one generation of a module's code */
    Unit *units;               size_t unit_count;
    Function *functions;       uint32_t function_count; /* in order of their code */
    LineEntry *lines;          uint32_t line_count;     /* in order of their code */
    BeamLine *places;          uint32_t place_count;
    term *files;               uint32_t file_count;
    term *literal_block;       size_t literal_words;  term literal_off_heap;
    BeamExport *exports;       uint32_t export_count;
    BeamExport *locals;        uint32_t local_count;
    Bytes attributes, compile_info; /* copies */
    uint8_t md5[16];
    struct NativeCode *native; /* native/'s part */
    uint32_t on_load;          /* 0: none, else index of the function + 1 */
} ModuleCode;

typedef struct Module {
    term name;
    ModuleCode *current, *old;
    struct Module *next;
    term file;                 /* where it came from: NONE, or a literal string */
} Module;

bool code_init(VM *vm); /* vm->bifs is set before */
void code_done(VM *vm);

Module *module_find(VM *vm, term name); /* NULL: never loaded */
/* The function that an interpreter address lies in; NULL: none (a stub). */
const Function *code_find(VM *vm, const Unit *at, ModuleCode **code, Module **module);

/* Makes the file's code the module's current code; takes over its literals. False: *error says why. The old current code,
   if any, becomes old; there must be none that is old already. */
bool module_load(VM *vm, BeamFile *b, LoadError *error, Module **module);

#endif
