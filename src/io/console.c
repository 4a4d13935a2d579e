/* Standard input for a process. */
#include "io/console.h"

#include "platform/platform.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "term/atom.h"

static void poll_console(VM *vm, int64_t nanoseconds) {
    Io *io = vm->io;
    if (!platform_wait_readable(io->waiting_fd, nanoseconds) || io->waiting_fd < 0) {
        return;
    }
    Heap h;
    heap_init_detached(&h, vm);
    term message = TUPLE2(&h, A_mote_readable, SMALL(io->waiting_fd));
    io->waiting_fd = -1;
    message_send_built(vm_scheduler(vm), io->waiting_pid, message, &h);
}

static bool pending(VM *vm) {
    return vm->io->waiting_fd >= 0;
}

bool io_init(VM *vm) {
    vm->io = MEM_NEW(&vm->mem, MEM_SYSTEM, Io);
    if (vm->io == NULL) {
        return false;
    }
    vm->io->waiting_fd = -1;
    vm->processes->poll = poll_console;
    vm->processes->pending = pending;
    return true;
}

void io_done(VM *vm) {
    if (vm->io != NULL) {
        MEM_DELETE(&vm->mem, MEM_SYSTEM, vm->io);
        vm->io = NULL;
    }
}

void console_notify(VM *vm, int fd, term pid) {
    vm->io->waiting_fd = fd;
    vm->io->waiting_pid = pid;
}
