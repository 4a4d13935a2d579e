/* What term/ and data/ need to know of funs. Funs lead to code, which is in a room below: code/ points vm->external at its
   hooks when it starts. Until then funs have no description. */
#ifndef MOTE_TERM_FUN_H
#define MOTE_TERM_FUN_H

#include "term/vm.h"

typedef struct FunDescription {
    term module;
    uint32_t arity, index, old_index, old_uniq; /* arity: as called, without the free variables */
    uint8_t uniq[16];
} FunDescription;
typedef struct ExternalHooks {
    /* Word 1 of a KIND_FUN for this fun; made, with a stub for code, if its module is not there. NULL: no memory. */
    void *(*lambda)(VM *vm, const FunDescription *fun, uint32_t free);
    void (*describe_lambda)(VM *vm, const void *lambda, FunDescription *fun);
    /* Word 1 of a KIND_EXPORT. NULL: no memory. */
    void *(*export)(VM *vm, term module, term name, uint32_t arity);
    void (*describe_export)(VM *vm, const void *export, term *module, term *name, uint32_t *arity);
    bool (*export_exists)(VM *vm, term module, term name, uint32_t arity); /* for EXTERNAL_SAFE */
} ExternalHooks;

enum { FUN_FREE = 3 };                         /* word of a KIND_FUN where its free variables begin */
static inline const void *fun_code(term fun) { /* Lambda * or Export * */
    return (const void *)boxed(fun)[1];
}
static inline size_t fun_free_count(term fun) {
    return HEADER_WORDS(header_of(fun)) - (FUN_FREE - 1);
}

#endif
