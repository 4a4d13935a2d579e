/* .beam files: whatever the bytes, reading and verifying ends, leaks nothing and stays inside its input. */
#include "fuzz.h"

#include "data/external.h"
#include "term/atom.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    VM *vm = fuzz_code_vm(NULL);
    vm->external = &hooks;
    LoadError error;
    BeamFile *b = beam_read(vm, "fuzz", (Bytes){data, size}, &error);
    MUST((b == NULL) == (error.reason[0] != 0));
    beam_free(b);
    MUST(vm->mem.used[MEM_TEMPORARY] == 0);
    return 0;
}
