/* .beam files whose functions are emitted on demand: whatever the bytes, it ends, leaks nothing and stays inside its input. */
#include <stdlib.h>

#include "code/code.h"
#include "code/demand.h"
#include "code/emit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const BifTable no_bifs;
static const uintptr_t handlers[VARIANT_COUNT];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static VM vm;
    static unsigned runs;
    /* A new VM now and then: atoms and exports stay as long as it does. */
    if (runs++ % 1000 == 0) {
        if (vm.code != NULL) {
            code_done(&vm);
            terms_done(&vm);
        }
        memset(&vm, 0, sizeof vm);
        mem_init(&vm.mem);
        vm.bifs = &no_bifs;
        vm.handlers = handlers;
        if (!terms_init(&vm) || !code_init(&vm)) {
            abort();
        }
    }
    LoadError error = {0};
    BeamFile *b = beam_open(&vm, "fuzz", (Bytes){data, size}, true, &error);
    ModuleCode *c = b == NULL ? NULL : module_prepare(&vm, b, &error);
    for (uint32_t i = 0; c != NULL && c->source != NULL && i < c->function_count; i++) {
        LoadError why;
        if (demand_function(&vm, &c->functions[i], &why) == (why.reason[0] != 0)) {
            abort();
        }
    }
    if (c != NULL) {
        demand_lines(c);
    }
    beam_free(b);
    module_code_free(&vm, c);
    if (vm.mem.used[MEM_TEMPORARY] != 0) {
        abort();
    }
    return 0;
}
