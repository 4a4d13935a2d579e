/* What fuzz targets share. */
#ifndef MOTE_FUZZ_H
#define MOTE_FUZZ_H

#include <stdlib.h>

#include "code/code.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever the input is, in every build. */
#define MUST(c)                                                                                                           \
    do {                                                                                                                  \
        if (!(c)) {                                                                                                       \
            abort();                                                                                                      \
        }                                                                                                                 \
    } while (0)

/* A VM that can read code and knows no built-ins; a new one now and then: atoms and exports stay as long as it does. */
static inline VM *fuzz_code_vm(const uintptr_t *handlers) {
    static const BifTable no_bifs;
    static VM vm;
    static unsigned runs;
    if (runs++ % 1000 == 0) {
        if (vm.code != NULL) {
            code_done(&vm);
            terms_done(&vm);
        }
        memset(&vm, 0, sizeof vm);
        mem_init(&vm.mem);
        vm.bifs = &no_bifs;
        vm.handlers = handlers;
        MUST(terms_init(&vm) && code_init(&vm));
    }
    return &vm;
}

#endif
