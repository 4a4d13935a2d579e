/* os:set_signal/2. */
#include "bif/bif.h"
#include "io/signals.h"

#define GUARD_BEGIN(p) io_lock(process_vm(p))
#define GUARD_END(p) io_unlock(process_vm(p))
#include "bif/guarded.h"

BIF(os, set_signal, 2) {
    char name[16];
    if (!is_atom(a[0]) || (a[1] != A_handle && a[1] != A_ignore && a[1] != A_default)) {
        return raise_badarg(p);
    }
    Bytes text = atom_text(process_vm(p), a[0]);
    size_t n = MIN(text.size, sizeof name - 1);
    memcpy(name, text.at, n);
    name[n] = '\0';
    SignalsUse use = a[1] == A_handle ? SIGNALS_HANDLE : a[1] == A_ignore ? SIGNALS_IGNORE : SIGNALS_DEFAULT;
    return text.size < sizeof name && signals_use(process_vm(p), name, use) ? A_ok : raise_badarg(p);
}
