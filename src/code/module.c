/* Loaded modules. */
#include "code/code.h"

bool code_init(VM *vm) {
    vm->code = MEM_NEW(&vm->mem, MEM_CODE, Code);
    return vm->code != NULL && exports_init(vm);
}

void code_done(VM *vm) {
    if (vm->code != NULL) {
        exports_done(vm);
        MEM_DELETE(&vm->mem, MEM_CODE, vm->code);
        vm->code = NULL;
    }
}
