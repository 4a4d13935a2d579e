/* Standard input for a process of bare mode. */
#include "io/console.h"

#include "io/io.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "term/atom.h"

typedef struct Console {
    Watcher watcher;
    term pid;
} Console;

static void ready(VM *vm, Watcher *w, int fd, unsigned what UNUSED) {
    Heap h;
    heap_init_detached(&h, vm);
    term message = TUPLE2(&h, A_mote_readable, SMALL(fd));
    io_watch(vm, fd, 0, w);
    message_send_built(vm_scheduler(vm), ((Console *)w)->pid, message, &h);
}

bool console_init(VM *vm) {
    Console *c = vm->io->console = MEM_NEW(&vm->mem, MEM_SYSTEM, Console);
    if (c != NULL) {
        c->watcher.ready = ready;
    }
    return c != NULL;
}

void console_done(VM *vm) {
    if (vm->io->console != NULL) {
        MEM_DELETE(&vm->mem, MEM_SYSTEM, vm->io->console);
    }
}

void console_notify(VM *vm, int fd, term pid) {
    vm->io->console->pid = pid;
    io_watch(vm, fd, POLL_READ, &vm->io->console->watcher);
}
