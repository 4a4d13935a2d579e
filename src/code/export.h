/* Exported functions and built-ins by name. An Export is the fixed place that calls to M:F/A go through: code, external
   funs and traps keep its address; loading and purging change what it leads to. It exists as soon as anything but the module
   that has the function mentions M:F/A, and as long as the VM. */
#ifndef MOTE_CODE_EXPORT_H
#define MOTE_CODE_EXPORT_H

#include "code/unit.h"
#include "proc/process.h"

typedef term BifFunction(Process *p, const term *args);

typedef struct BifEntry {
    BifFunction *function;
    uint16_t module_index, name_index; /* atoms of the executable: bif_module, bif_name */
    uint8_t arity;
    uint8_t since, until; /* the first and the last release of OTP that has it; 0: no limit */
} BifEntry;
static inline term bif_module(const BifEntry *b) {
    return ATOM(b->module_index);
}
static inline term bif_name(const BifEntry *b) {
    return ATOM(b->name_index);
}

/* A built-in that goes on with another's work: the name under which a process is seen meanwhile, which is OTP's. */
typedef struct BifRest {
    uint16_t entry; /* in BifTable */
    uint16_t module_index, name_index;
    uint8_t arity;
} BifRest;

/* The table of built-ins, made by the build and handed to code/ through vm->bifs; sorted by module, name, arity (as numbers). */
typedef struct BifTable {
    const BifEntry *entries;
    size_t count;
    const BifRest *rests;
    size_t rest_count;
} BifTable;
/* Of what the release at hand has, or the one that loaded code was compiled for. */
const BifEntry *bif_find(VM *vm, term module, term name, uint32_t arity);
bool bif_find_module(const BifTable *t, term module); /* are there any of this module? */
bool bif_is_there(VM *vm, const BifEntry *b);

/* Where a call goes on: the common head of Export and Lambda. */
typedef struct {
    const Unit *code;   /* in the interpreter: the function's entry, or a stub; code[-1] is the arity */
    const void *native; /* in native code */
} Entry;

typedef struct Export {
    union {
        Entry entry; /* leads to the function's entry, or to stub */
        struct {
            const Unit *code;
            const void *native;
        };
    };
    term module, name;
    uint32_t arity;
    BifEntry called;       /* what instructions that call a built-in hold: a copy of bif's. While it is traced, its function is one
                                  that goes on at `code` instead */
    const BifEntry *bif;   /* not NULL: a built-in */
    struct Module *loaded; /* not NULL: the module whose current code exports it (atomic) */
    Unit stub[4];          /* arity, then an instruction that calls the built-in, or the error handler for what is not
                                  there, or says that it is traced: see emit.h and breakpoint.h */
    struct Export *next;   /* in its bucket */
} Export;

Export *export_get(VM *vm, term module, term name, uint32_t arity); /* makes it; NULL: no memory */
Export *export_find(VM *vm, term module, term name,
                    uint32_t arity); /* NULL: nobody mentions it, it is no built-in, and no loaded module exports it */
Export *export_known(VM *vm, term module, term name, uint32_t arity); /* NULL: nobody mentions it */
static inline bool export_is_callable(const Export *e) {
    return e->bif != NULL || __atomic_load_n(&e->loaded, __ATOMIC_ACQUIRE) != NULL;
}

#endif
