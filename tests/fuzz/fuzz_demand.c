/* .beam files whose functions are emitted on demand: whatever the bytes, it ends, leaks nothing and stays inside its input. */
#include "fuzz.h"

#include "code/demand.h"
#include "code/emit.h"

static const uintptr_t handlers[VARIANT_COUNT];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    VM *vm = fuzz_code_vm(handlers);
    LoadError error = {0};
    BeamFile *b = beam_open(vm, "fuzz", (Bytes){data, size}, true, &error);
    ModuleCode *c = b == NULL ? NULL : module_prepare(vm, b, &error);
    for (uint32_t i = 0; c != NULL && c->source != NULL && i < c->function_count; i++) {
        LoadError why;
        MUST(demand_function(vm, &c->functions[i], &why) == (why.reason[0] == 0));
    }
    if (c != NULL) {
        demand_lines(c);
    }
    beam_free(b);
    module_code_free(vm, c);
    MUST(vm->mem.used[MEM_TEMPORARY] == 0);
    return 0;
}
