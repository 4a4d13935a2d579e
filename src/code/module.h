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
    const Unit *at;            /* where the code of a `line` instruction would be: it holds from here to the next one */
    uint32_t line;             /* index into places; 0: none */
} LineEntry;

/* What a catch mark stands for: where to go on. A mark's index is given out when its module is loaded. */
typedef struct {
    const Unit *code;
    const void *native;
    uint32_t next;             /* of the same module (or free): 0 ends the list */
} CatchHandler;

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
    uint32_t catches;          /* its first catch mark; 0: none */
    uint32_t on_load;          /* 0: none, else index of the function + 1 */
} ModuleCode;

typedef struct Module {
    term name;
    ModuleCode *current, *old;
    struct Module *next;
    term file;                 /* where it came from: NONE, or a literal string */
} Module;

enum { CODE_MAX_BACKTRACE = 64 };
uint32_t code_backtrace_depth(const VM *vm); /* erlang:system_flag(backtrace_depth, N) */
void code_set_backtrace_depth(VM *vm, uint32_t depth);

bool code_init(VM *vm); /* vm->bifs is set before */
void code_done(VM *vm);

Module *module_find(VM *vm, term name); /* NULL: never loaded */
/* The function that an address in interpreter or native code lies in; NULL: none (a stub, or not code at all). */
const Function *code_find(VM *vm, const void *at, ModuleCode **code, Module **module);
/* The line at that address in this function; false: not known. file 0: the module's own. */
bool code_line(const ModuleCode *code, const Function *f, const void *at, BeamLine *line);

/* A mark that is part of code from now on, until that is freed; 0: no memory. Its handler is filled in later. */
uint32_t catch_new(VM *vm, ModuleCode *code);
CatchHandler *catch_handler(VM *vm, uint32_t index); /* valid until the next catch_new */

/* Makes the file's code the module's current code; takes over its literals. False: *error says why. The old current code,
   if any, becomes old; there must be none that is old already. */
bool module_load(VM *vm, BeamFile *b, LoadError *error, Module **module);

#endif
