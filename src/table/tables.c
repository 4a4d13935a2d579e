/* What table/ owns in a VM, made and unmade in order. */
#include "table/tables.h"

#include "table/ets.h"
#include "table/persistent.h"

bool tables_init(VM *vm) {
    vm->tables = MEM_NEW(&vm->mem, MEM_SYSTEM, Tables);
    if (vm->tables != NULL && persistents_init(vm) && ets_init(vm)) {
        return true;
    }
    tables_done(vm);
    return false;
}

void tables_done(VM *vm) {
    if (vm->tables != NULL) {
        ets_done(vm);
        persistents_done(vm);
        MEM_DELETE(&vm->mem, MEM_SYSTEM, vm->tables);
        vm->tables = NULL;
    }
}
