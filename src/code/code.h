/* What the files of this room share: the tables behind vm->code. */
#ifndef MOTE_CODE_CODE_H
#define MOTE_CODE_CODE_H

#include "base/arena.h"
#include "code/module.h"
#include "platform/threads.h"

/* A run of addresses that belongs to one generation of a module's code. */
typedef struct {
    uintptr_t start, end;
    ModuleCode *code;
} CodeRange;

/* All of them. With several schedulers there is a new one for each change. */
typedef struct {
    uint32_t count, room;
    CodeRange at[]; /* sorted by address */
} CodeRanges;

enum { CATCH_PAGE = 64, CATCH_PAGES = 20 };

struct Program;
typedef struct Code {
    Mutex *lock;      /* of all that changes here; exports, modules and ranges are read without it */
    Export **exports; /* hash table, chained; a power of two of buckets */
    uint32_t export_buckets, export_count;
    int compiled_for;    /* the release that the newest instruction of what was loaded is of */
    Arena export_memory; /* exports stay as long as the VM */
    Module **modules;    /* the same */
    uint32_t module_buckets, module_count;
    Lambda **lambdas; /* the same */
    uint32_t lambda_buckets, lambda_count;
    CodeRanges *ranges;
    CatchHandler *catches[CATCH_PAGES]; /* page k has CATCH_PAGE << k; index 0 is never used. They never move */
    uint32_t catch_count, catch_free;
    Module *purging;       /* whose old code is about to be freed, see purge.h; NULL: none */
    ModuleCode *saved_old; /* its old code, while code whose on_load function has failed is freed in its place */
    term *waiting;         /* processes that wait for the end of that */
    uint32_t waiting_count, waiting_room;
    Arena spare; /* for code_work_begin */
    /* native/'s: emits a program a second time, into c->native and functions' native addresses; frees that. NULL: no native code. */
    void (*native)(struct Program *pr);
    void (*native_free)(VM *vm, ModuleCode *c);
    const void *native_entry;                                  /* the `native` of an Entry that has no machine code */
    uintptr_t native_start, native_size;                       /* where machine code is */
    void (*native_divert)(VM *vm, const Function *f, bool on); /* its machine code goes to the interpreter's at once, or no longer */
    const BifEntry *(*native_called)(const void *back);        /* the built-in that machine code has called, by the return address */
    void (*nif_gone)(VM *vm, struct NifLibrary *l);            /* io/'s: code that had loaded it has been purged */
    /* trace/'s: code becomes current; nobody shall find it any more, or it is about to be freed; a traced function has been emitted (again). */
    void (*code_loaded)(VM *vm, ModuleCode *c);
    void (*code_gone)(VM *vm, ModuleCode *c);
    void (*traced_emitted)(VM *vm, Function *f);
} Code;

/* Memory for reading a file or emitting a function, kept from one to the next: fresh pages are slow. */
void code_work_begin(VM *vm, Arena *work);
void code_work_end(VM *vm, Arena *work);

bool exports_init(VM *vm);
void exports_done(VM *vm);
bool lambdas_init(VM *vm);
void lambdas_done(VM *vm);
void modules_done(VM *vm);
bool module_lambda(VM *vm, ModuleCode *c, uint32_t i); /* c->lambdas[i] is there from now on; false: no memory */
bool module_take_lines(VM *vm, ModuleCode *c, const BeamFile *b);
bool ranges_add(VM *vm, const void *start, const void *end, ModuleCode *code); /* false: no memory */
void ranges_remove(VM *vm, const ModuleCode *code);
void catches_free(VM *vm, ModuleCode *code);

#endif
