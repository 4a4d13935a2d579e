/* Loading libzstd, and its memory. */
#include "io/zstd.h"

#include "io/io.h"
#include "platform/library.h"

static void *zstd_alloc(void *vm, size_t size) {
    return mem_sized_alloc(&((VM *)vm)->mem, size);
}

static void zstd_free(void *vm, void *block) {
    mem_sized_free(&((VM *)vm)->mem, block);
}

Zstd *zstd_library(VM *vm) {
    static const char *const names[] = {
#define NAME(name) "ZSTD_" #name,
        ZSTD_FUNCTIONS(NAME)};
    if (vm->io->zstd == NULL) {
        Zstd *z = MEM_NEW(&vm->mem, MEM_SYSTEM, Zstd);
        if (z != NULL && (z->library = library_open_all("libzstd.so.1", names, ARRAY_LEN(names), &z->f)) == NULL) {
            MEM_DELETE(&vm->mem, MEM_SYSTEM, z);
            z = NULL;
        }
        if (z != NULL) {
            z->memory = (ZSTD_customMem){zstd_alloc, zstd_free, vm};
        }
        vm->io->zstd = z;
    }
    return vm->io->zstd;
}

void zstd_done(VM *vm) {
    Zstd *z = vm->io->zstd;
    if (z != NULL) {
        library_close(z->library);
        MEM_DELETE(&vm->mem, MEM_SYSTEM, z);
        vm->io->zstd = NULL;
    }
}
