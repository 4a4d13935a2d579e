/* .beam files: whatever the bytes, reading and verifying ends, leaks nothing and stays inside its input. */
#include <stdlib.h>

#include "code/code.h"
#include "data/external.h"
#include "term/atom.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stand-ins for what code/ does about funs in literals. */
static void *get_export(VM *vm, term module, term name, uint32_t arity) {
    return export_get(vm, module, name, arity);
}
static void describe_export(VM *vm UNUSED, const void *export, term *module, term *name, uint32_t *arity) {
    const Export *e = export;
    *module = e->module, *name = e->name, *arity = e->arity;
}
static bool export_exists(VM *vm UNUSED, term module UNUSED, term name UNUSED, uint32_t arity UNUSED) {
    return true;
}
static const ExternalHooks hooks = {.export = get_export, .describe_export = describe_export, .export_exists = export_exists};
static const BifTable no_bifs;

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
        if (!terms_init(&vm) || !code_init(&vm)) {
            abort();
        }
        vm.external = &hooks;
    }
    LoadError error;
    BeamFile *b = beam_read(&vm, "fuzz", (Bytes){data, size}, &error);
    if ((b == NULL) != (error.reason[0] != 0)) {
        abort();
    }
    beam_free(b);
    uint8_t digest[16];
    beam_md5(&vm, (Bytes){data, size}, digest);
    if (vm.mem.used[MEM_TEMPORARY] != 0) {
        abort();
    }
    return 0;
}
