/* What term/ owns in a VM, made and unmade in order. */
#include "term/vm.h"

#include "term/atom.h"
#include "term/heap.h"
#include "term/literal.h"
#include "term/ref.h"

bool terms_init(VM *vm) {
    if (atoms_init(vm) && literals_init(vm) && identity_init(vm) && reserve_init(vm)) {
        return true;
    }
    terms_done(vm);
    return false;
}

void terms_done(VM *vm) {
    reserve_done(vm);
    identity_done(vm);
    literals_done(vm);
    atoms_done(vm);
}
