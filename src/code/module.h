/* Loaded modules: their code, literals, lambdas and line tables, and finding what an address belongs to. */
#ifndef MOTE_CODE_MODULE_H
#define MOTE_CODE_MODULE_H

#include "code/beam.h"
#include "code/export.h"
#include "term/literal.h"

typedef struct Lambda { /* a fun of a module: outlives the code, as funs may */
    union {
        Entry entry; /* the function; or stub, while its code is not there */
        struct {
            const Unit *code;
            const void *native;
        };
    };
    struct ModuleCode *loaded; /* whose code that is; NULL: a stub */
    term module, name;         /* name: of the lambda's function, -f/1-fun-0-; NIL: never loaded */
    uint32_t arity;            /* as called: without the free variables */
    uint32_t free;
    uint32_t index, old_index, old_uniq;
    uint8_t uniq[16];    /* MD5 of the module */
    Unit stub[4];        /* as in Export */
    struct Lambda *next; /* in its bucket */
} Lambda;

typedef struct {
    const void *at; /* where the code of a `line` instruction would be: it holds from here to the next one */
    uint32_t line;  /* index into places; 0: none */
} LineEntry;

/* What a catch mark stands for: where to go on. A mark's index is given out when its module is loaded. */
typedef struct {
    const Unit *code;
    const void *native;
    uint32_t next; /* of the same module (or free): 0 ends the list */
} CatchHandler;

typedef struct Function {
    union {
        Entry entry; /* where calls of it lead: its code, or stub */
        struct {
            const Unit *code;
            const void *native;
        };
    };
    struct ModuleCode *of;
    Unit stub[3]; /* arity, then an instruction that emits the function */
    AtomNumber name;
    uint32_t label; /* of the entry */
    uint32_t sites; /* calls of stub in emitted code: the first in of->sites, 0: none */
    uint8_t arity;
    bool emitted;
    bool damaged; /* it cannot be emitted, and somebody has been told why */
} Function;

/* Code of functions, one behind the other in the order in which they were emitted. Behind the units of a function stand its
   line table (CodeLine) and a unit that says how long that is. Pieces grow down from the end of the segment. */
typedef struct {
    uint32_t start; /* index of its func_info in units */
    uint32_t function;
} CodePiece;
typedef struct {
    uint32_t at;   /* index in the segment's units: it holds from there to the next one */
    uint32_t line; /* index into places; 0: none */
} CodeLine;
typedef struct CodeSegment {
    struct CodeSegment *next;
    uint32_t room;              /* units */
    uint32_t used, piece_count; /* grow while others look for places (atomic) */
    Unit units[];
} CodeSegment;
static inline const CodePiece *segment_piece(const CodeSegment *s, uint32_t n) {
    return (const CodePiece *)(s->units + s->room) - 1 - n;
}

static inline uint32_t segment_used(const CodeSegment *s) {
    return __atomic_load_n(&s->used, __ATOMIC_ACQUIRE);
}
static inline uint32_t segment_pieces(const CodeSegment *s) {
    return __atomic_load_n(&s->piece_count, __ATOMIC_ACQUIRE);
}

/* A call that leads to the stub of a function which was not emitted when the call was. */
typedef struct {
    Unit *at;
    uint32_t next; /* of the same function, or free */
} CallSite;

typedef struct {
    const uint8_t *at;
    uint32_t function;
} NativeEntry;
typedef struct NativeCode { /* machine code of a module, and what its addresses mean: native/ makes it */
    const uint8_t *start;
    size_t size;
    size_t hot; /* bytes of its first part, where functions follow each other; only these are ever looked up */
    NativeEntry *entries;
    uint32_t entry_count; /* functions that have machine code, in order of it */
    LineEntry *lines;
    uint32_t line_count;            /* in order of the code */
    uint32_t entry_room, line_room; /* what has been allocated */
    struct NativeCode *next;
} NativeCode;

typedef struct ModuleCode { /* one generation of a module's code */
    CodeSegment *segments;  /* newest first */
    Function *functions;
    uint32_t function_count; /* in the file's order */
    uint32_t line_count;     /* of line instructions in emitted code */
    BeamLine *places;
    uint32_t place_count;
    term *files;
    uint32_t file_count;
    term *literal_block;
    size_t literal_words;
    term literal_off_heap;
    BeamExport *exports;
    uint32_t export_count; /* on demand: the source's */
    Lambda **lambdas;
    uint32_t lambda_count;          /* in the file's order */
    Function **lambda_functions;    /* their code, likewise */
    Bytes attributes, compile_info; /* copies */
    Bytes strings;                  /* copy of the string table */
    uint8_t md5[16];
    BeamFile *source;            /* what functions are emitted from on demand; NULL: all is there. Its lambdas are NULL until needed */
    bool md5_known, lines_known; /* on demand: md5; places and files */
    CallSite *sites;
    uint32_t site_count, site_room, site_free; /* index 0 is never used */
    NativeCode *native;                        /* NULL: none */
    uint32_t catches;                          /* its first catch mark; 0: none */
    const Function *on_load;                   /* NULL: none */
    term *records;
    uint32_t record_count;  /* templates of its native records, see data/record.h */
    struct NifLibrary *nif; /* the library that it has loaded: io/ keeps it. NULL: none */
    struct Traced **traced; /* by function, those that are traced: trace/ keeps it. NULL: none */
    struct Module *module;
    struct ModuleCode *next; /* in the module's list of abandoned code */
} ModuleCode;

typedef struct Module {
    term name;
    ModuleCode *current, *old; /* current: atomic */
    ModuleCode *pending;       /* its on_load function has not finished, or has failed */
    ModuleCode *abandoned;     /* was pending when other code came: somebody may still run it */
    Export *on_load;           /* hidden: leads to that function */
    struct Module *next;       /* in its bucket */
    char *file;                /* where it came from; NULL: not known */
    bool preloaded;
} Module;
/* For whoever does not have the lock. */
static inline ModuleCode *module_current(const Module *m) {
    return __atomic_load_n(&m->current, __ATOMIC_ACQUIRE);
}

enum { CODE_MAX_BACKTRACE = 64 };

/* With several schedulers, whoever changes code or its tables has this lock, and may take it again. */
void code_lock(VM *vm);
void code_unlock(VM *vm);

bool code_init(VM *vm); /* vm->bifs is set before */
void code_done(VM *vm);

Module *module_find(VM *vm, term name);             /* NULL: never loaded */
term module_record(VM *vm, term module, term name); /* template of a native record in the module's current code; NONE: none */
/* The function that an address in interpreter or native code lies in; NULL: none (a stub, or not code at all). */
const Function *code_find(VM *vm, const void *at, ModuleCode **code, Module **module);
/* The line at that address in this function; false: not known. file 0: the module's own. */
bool code_line(VM *vm, ModuleCode *code, const Function *f, const void *at, BeamLine *line);

/* The same with the file's name as a string; 0: not known. */
uint32_t code_place(Heap *h, ModuleCode *code, const Module *module, const Function *f, const void *at, term *file);

/* A mark that is part of code from now on, until that is freed; 0: no memory. Its handler is filled in later. */
uint32_t catch_new(VM *vm, ModuleCode *code);
CatchHandler *catch_handler(VM *vm, uint32_t index);

/* The code's MD5, as code:module_md5/1 has it. */
const uint8_t *module_md5(ModuleCode *code);

/* Loading. module_prepare makes code of a file (NULL: *error says why; the file's literals are taken over, a file on demand
   altogether) that nobody can reach yet. module_commit makes it the module's current code, and cannot fail; the old current code, if any, becomes old: there must
   be none that is old already. Code with an on_load function waits in module->pending instead, until that has
   succeeded. */
ModuleCode *module_prepare(VM *vm, BeamFile *b, LoadError *error);
void module_commit(VM *vm, ModuleCode *code);
void module_on_load_done(VM *vm, Module *m);
/* Both at once, for bare mode: what is old is abandoned, and code with an on_load function is current before that is called. */
bool module_load(VM *vm, BeamFile *b, LoadError *error, Module **module);

void module_delete(VM *vm, Module *m);           /* current code becomes old; there must be none */
void module_abandon_old(Module *m);              /* somebody may still run it: it is freed with the VM */
void module_purge(VM *vm, Module *m);            /* frees the old code, which nobody runs; its literals are retired */
void module_relink(VM *vm, ModuleCode *code);    /* funs that belong to this code lead to it again */
void module_code_free(VM *vm, ModuleCode *code); /* nobody uses it any more; NULL is no error */
/* A function that the module's current code exports; NULL: it does not. */
const Function *module_exported(VM *vm, term module, term name, uint32_t arity);
void module_link_export(VM *vm, Export *e, const Function *f); /* calls of e lead to f, which its module's current code exports */
void module_each(VM *vm, void (*visit)(Module *m, void *arg), void *arg);

/* The fun of this description; made, with a stub for code, if it is not there. NULL: no memory. */
bool lambdas_of(VM *vm, term module); /* are there any of this module? */
Lambda *lambda_get(VM *vm, term module, const uint8_t *uniq, uint32_t index, uint32_t old_index, uint32_t old_uniq, uint32_t arity,
                   uint32_t free);

#endif
