/* What the operating system has to say. */
#include "io/signals.h"

#include "proc/names.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "term/atom.h"

static void ready(VM *vm, Watcher *w UNUSED, int fd UNUSED, unsigned what UNUSED) {
    const char *name = signals_next();
    term server = name_find(vm, A_erl_signal_server);
    if (name != NULL && server != NONE) {
        Heap h;
        heap_init_detached(&h, vm);
        message_send_built(vm_scheduler(vm), server, TUPLE2(&h, A_notify, atom_from(vm, name)), &h);
    }
}

bool signals_use(VM *vm, const char *name, SignalsUse use) {
    if (!signals_set(name, use)) {
        return false;
    }
    if (use == SIGNALS_HANDLE && vm->io->signals == NULL) {
        Watcher *w = vm->io->signals = MEM_NEW(&vm->mem, MEM_SYSTEM, Watcher);
        if (w != NULL) {
            w->ready = ready;
            io_watch(vm, signals_open(), POLL_READ, w);
        }
    }
    return true;
}

void signals_stop(VM *vm) {
    if (vm->io->signals != NULL) {
        io_watch(vm, signals_open(), 0, vm->io->signals);
        MEM_DELETE(&vm->mem, MEM_SYSTEM, vm->io->signals);
    }
}
