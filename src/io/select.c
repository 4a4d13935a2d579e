/* Messages that wait for descriptors. */
#include "io/select.h"

#include "proc/schedule.h"
#include "proc/signal.h"
#include "term/copy.h"

typedef struct Select {
    Watcher watcher;
    struct Select *next;
    int fd;
    term pid, message;
    Fragment *data; /* that holds the message */
} Select;

/* Takes it out of the list and frees it. */
static void drop(VM *vm, Select *s) {
    Select **at = &vm->io->selects;
    while (*at != s) {
        at = &(*at)->next;
    }
    *at = s->next;
    io_watch(vm, s->fd, 0, &s->watcher);
    heap_free_fragments(vm, s->data);
    MEM_DELETE(&vm->mem, MEM_SYSTEM, s);
}

static void ready(VM *vm, Watcher *w, int fd UNUSED, unsigned what UNUSED) {
    Select *s = (Select *)w;
    message_send(vm_scheduler(vm), NULL, s->pid, s->message);
    drop(vm, s);
}

void select_cancel(VM *vm, int fd) {
    Select *s = vm->io->selects;
    while (s != NULL && s->fd != fd) {
        s = s->next;
    }
    if (s != NULL) {
        drop(vm, s);
    }
}

bool select_read(VM *vm, int fd, term pid, term message) {
    select_cancel(vm, fd);
    Select *s = MEM_NEW(&vm->mem, MEM_SYSTEM, Select);
    if (s == NULL) {
        return false;
    }
    *s = (Select){{ready}, vm->io->selects, fd, pid, NONE, NULL};
    vm->io->selects = s;
    s->data = term_copy_to_fragment(vm, message, &s->message);
    if (s->message != NONE && io_watch(vm, fd, POLL_READ, &s->watcher)) {
        return true;
    }
    drop(vm, s);
    return false;
}

void selects_done(VM *vm) {
    while (vm->io->selects != NULL) {
        drop(vm, vm->io->selects);
    }
}
