/* What the operating system has to say. */
#include "io/signals.h"

#include "proc/names.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "term/atom.h"

static void ready(VM *vm, Watcher *w UNUSED, int fd UNUSED, unsigned what UNUSED) {
    const char *name = signals_next();
    if (name != NULL && strcmp(name, "sigint") == 0) {
        __atomic_store_n(&vm->processes->when_still, vm->io->interrupted, __ATOMIC_RELEASE);
        return;
    }
    term server = name_find(vm, A_erl_signal_server);
    if (name != NULL && server != NONE) {
        Heap h;
        heap_init_detached(&h, vm);
        message_send_built(vm_scheduler(vm), server, TUPLE2(&h, A_notify, atom_from(vm, name)), &h);
    }
}

static void listen(VM *vm) {
    if (vm->io->signals == NULL) {
        Watcher *w = vm->io->signals = MEM_NEW(&vm->mem, MEM_SYSTEM, Watcher);
        if (w != NULL) {
            w->ready = ready;
            io_watch(vm, signals_open(), POLL_READ, w);
        }
    }
}

bool signals_use(VM *vm, const char *name, SignalsUse use) {
    if (!signals_set(name, use)) {
        return false;
    }
    if (use == SIGNALS_HANDLE) {
        listen(vm);
    }
    return true;
}

bool signals_on_interrupt(VM *vm, void (*call)(VM *vm)) {
    vm->io->interrupted = call;
    listen(vm);
    return signals_interrupt(SIGNALS_HANDLE);
}

void signals_stop(VM *vm) {
    if (vm->io->signals != NULL) {
        io_watch(vm, signals_open(), 0, vm->io->signals);
        MEM_DELETE(&vm->mem, MEM_SYSTEM, vm->io->signals);
    }
}
