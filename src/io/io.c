/* The idle wait: descriptors, finished jobs. */
#include "io/io.h"

#include "io/alarm.h"
#include "io/console.h"
#include "io/port.h"
#include "io/regex.h"
#include "io/select.h"
#include "io/signals.h"
#include "io/zstd.h"
#include "platform/platform.h"
#include "proc/schedule.h"

enum { POOL_THREADS = 10 }; /* as many as OTP has dirty I/O schedulers */

bool io_watch(VM *vm, int fd, unsigned what, Watcher *w) {
    return poll_watch(vm->io->poll, fd, what, w);
}

static void wake(void *arg) {
    poll_wake(arg);
}

static void finish(VM *vm, Work *w) {
    __atomic_store_n(&w->finished, true, __ATOMIC_SEQ_CST);
    Process *p = process_find_any(vm, w->pid);
    if (p != NULL) {
        process_unpark(p);
    }
    resource_release(vm, &w->resource);
}

void io_lock(VM *vm) {
    if (vm->processes->concurrent) {
        mutex_take(vm->io->lock);
        vm->io->lock_held++;
    }
}

void io_unlock(VM *vm) {
    if (vm->processes->concurrent) {
        vm->io->lock_held--;
        mutex_give(vm->io->lock);
    }
}

bool io_may_leave(VM *vm) {
    return vm->processes->concurrent && vm->io->lock_held == 1;
}

static bool wait_io(VM *vm, int64_t nanoseconds) {
    return poll_sleep(vm->io->poll, nanoseconds);
}

static void wake_io(VM *vm) {
    poll_wake(vm->io->poll);
}

static void poll_io(VM *vm, int64_t nanoseconds) {
    Io *io = vm->io;
    io_lock(vm); /* who polls for others has waited before: nanoseconds is 0 then */
    poll_wait(io->poll, nanoseconds);
    int fd;
    unsigned what;
    for (Watcher *w; (w = poll_next(io->poll, &fd, &what)) != NULL;) {
        w->ready(vm, w, fd, what);
    }
    for (Job *j = pool_finished(io->pool), *next; j != NULL; j = next) {
        next = j->next;
        finish(vm, (Work *)j);
    }
    if (io->nifs_serve != NULL) {
        io->nifs_serve(vm);
    }
    alarms_ring(vm);
    io_unlock(vm);
}

static bool pending(VM *vm, bool signals) {
    return poll_watched(vm->io->poll) > (signals || vm->io->signals == NULL ? 0 : 1) || pool_pending(vm->io->pool) > 0 ||
           vm->io->nifs_serve != NULL || __atomic_load_n(&vm->io->alarms, __ATOMIC_RELAXED) > 0;
}

bool work_submit(Process *p, Work *w) {
    VM *vm = process_vm(p);
    w->vm = vm;
    w->pid = p->pid;
    resource_keep(&w->resource);
    process_park(p);
    if (vm->seeded) { /* how long it takes is not to be seen */
        w->job.work(&w->job);
        finish(vm, w);
        return true;
    }
    if (pool_submit(vm->io->pool, &w->job)) {
        return true;
    }
    process_unpark(p);
    resource_release(vm, &w->resource);
    return false;
}

/* Parks first and looks then, as another scheduler may be ending it: that one says so first and unparks then. */
bool work_done(Process *p, const Work *w) {
    if (__atomic_load_n(&w->finished, __ATOMIC_SEQ_CST)) {
        return true;
    }
    process_park(p);
    if (!__atomic_load_n(&w->finished, __ATOMIC_SEQ_CST)) {
        return false;
    }
    process_unpark(p);
    return true;
}

bool io_init(VM *vm) {
    Io *io = vm->io = MEM_NEW(&vm->mem, MEM_SYSTEM, Io);
    if (io == NULL) {
        return false;
    }
    io->lock = mutex_new(&vm->mem);
    io->poll = io->lock == NULL ? NULL : poll_new(&vm->mem);
    io->pool = io->poll == NULL ? NULL : pool_new(&vm->mem, POOL_THREADS, wake, io->poll);
    if (io->pool == NULL || !console_init(vm) || !ports_init(vm)) {
        io_done(vm);
        return false;
    }
    platform_ignore_broken_pipes();
    vm->processes->poll = poll_io;
    vm->processes->poll_wait = wait_io;
    vm->processes->poll_wake = wake_io;
    vm->processes->pending = pending;
    return true;
}

void io_done(VM *vm) {
    Io *io = vm->io;
    if (io == NULL) {
        return;
    }
    if (io->nifs_halt != NULL) {
        io->nifs_halt(vm, true);
    }
    ports_done(vm);
    signals_stop(vm);
    selects_done(vm);
    console_done(vm);
    if (io->pool != NULL) {
        for (Job *j = pool_close(io->pool), *next; j != NULL; j = next) {
            next = j->next;
            resource_release(vm, &((Work *)j)->resource);
        }
        pool_free(io->pool);
    }
    regex_done(vm);
    zstd_done(vm);
    poll_free(io->poll);
    mutex_free(&vm->mem, io->lock);
    MEM_DELETE(&vm->mem, MEM_SYSTEM, io);
    vm->io = NULL;
}

void io_flush(VM *vm, int64_t milliseconds) {
    if (vm->io->nifs_halt != NULL) {
        vm->io->nifs_halt(vm, false);
    }
    if (ports_busy(vm)) {
        ports_close(vm);
    }
    int64_t end = platform_monotonic() + milliseconds * 1000000, left = -1;
    while (ports_busy(vm) && (milliseconds < 0 || (left = end - platform_monotonic()) > 0)) {
        poll_io(vm, left);
    }
}
