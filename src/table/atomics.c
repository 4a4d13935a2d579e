/* Shared arrays of integers: their life. */
#include "table/atomics.h"

static void destroy(VM *vm, Resource *r) {
    mem_free(&vm->mem, MEM_SYSTEM, r, atomics_bytes((Atomics64 *)r));
}

Atomics64 *atomics_new(VM *vm, AtomicsUse use, size_t count, bool is_signed) {
    if (count > (SIZE_MAX / 2 - sizeof(Atomics64)) / sizeof(uint64_t)) {
        return NULL;
    }
    Atomics64 *a = mem_zalloc(&vm->mem, MEM_SYSTEM, sizeof *a + count * sizeof a->at[0]);
    if (a != NULL) {
        a->resource = (Resource){.refs = 1, .destroy = destroy};
        a->use = use, a->is_signed = is_signed, a->count = count;
    }
    return a;
}

Atomics64 *atomics_of(term ref, AtomicsUse use) {
    if (!is_magic_ref(ref) || magic_resource(ref)->destroy != destroy) {
        return NULL;
    }
    Atomics64 *a = (Atomics64 *)magic_resource(ref);
    return a->use == use ? a : NULL;
}

size_t atomics_bytes(const Atomics64 *a) {
    return sizeof *a + a->count * sizeof a->at[0];
}
