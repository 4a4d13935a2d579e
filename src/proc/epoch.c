/* Deferred reclamation: see the header. */
#include "proc/epoch.h"

#include "proc/schedule.h"
#include "proc/spawn.h"

#define AWAY UINT64_MAX

typedef struct Deferred {
    struct Deferred *next;
    uint64_t epoch;
    EpochFree *free;
    void *what;
    size_t size;
} Deferred;

static uint64_t now(VM *vm) {
    return __atomic_load_n(&vm->processes->epoch, __ATOMIC_SEQ_CST);
}

void epoch_process_free(Process *p) {
    VM *vm = process_vm(p);
    Scheduler *s = vm_scheduler(vm);
    if (!vm->processes->concurrent) {
        process_free_rest(p);
        return;
    }
    p->reductions = now(vm);
    p->next = NULL;
    *s->ended_last = p;
    s->ended_last = &p->next;
}

void epoch_defer(VM *vm, EpochFree *free, void *what, size_t size) {
    if (vm->processes == NULL || !vm->processes->concurrent) {
        free(vm, what, size);
        return;
    }
    Scheduler *s = vm_scheduler(vm);
    Deferred *d = MEM_NEW(&vm->mem, MEM_SYSTEM, Deferred);
    if (d == NULL) {
        return; /* it stays: better than a reader that reads what is not there */
    }
    *d = (Deferred){NULL, now(vm), free, what, size};
    *s->deferred_last = d;
    s->deferred_last = &d->next;
}

static void free_system(VM *vm, void *what, size_t size) {
    mem_free(&vm->mem, MEM_SYSTEM, what, size);
}
static void free_code(VM *vm, void *what, size_t size) {
    mem_free(&vm->mem, MEM_CODE, what, size);
}

void epoch_mem_free(VM *vm, MemKind kind, void *block, size_t size) {
    assert(kind == MEM_SYSTEM || kind == MEM_CODE);
    if (block != NULL) {
        epoch_defer(vm, kind == MEM_SYSTEM ? free_system : free_code, block, size);
    }
}

/* Frees what was put aside before this epoch. */
static void free_before(Scheduler *s, uint64_t epoch) {
    for (Process *p; (p = s->ended) != NULL && p->reductions < epoch;) {
        if ((s->ended = p->next) == NULL) {
            s->ended_last = &s->ended;
        }
        p->scheduler = s;
        process_free_rest(p);
    }
    for (Deferred *d; (d = s->deferred) != NULL && d->epoch < epoch;) {
        if ((s->deferred = d->next) == NULL) {
            s->deferred_last = &s->deferred;
        }
        d->free(s->vm, d->what, d->size);
        MEM_DELETE(&s->vm->mem, MEM_SYSTEM, d);
    }
}

static uint64_t oldest(const Processes *ps) {
    uint64_t least = AWAY;
    for (uint32_t i = 0; i < __atomic_load_n(&ps->started, __ATOMIC_ACQUIRE); i++) {
        uint64_t e = __atomic_load_n(&ps->schedulers[i]->epoch, __ATOMIC_SEQ_CST);
        least = MIN(least, e);
    }
    return least;
}

void epoch_pass(Scheduler *s) {
    Processes *ps = s->vm->processes;
    uint64_t epoch = now(s->vm);
    if (s->epoch != epoch) {
        __atomic_store_n(&s->epoch, epoch, __ATOMIC_SEQ_CST);
    }
    if (s->ended == NULL && s->deferred == NULL) {
        return;
    }
    uint64_t least = oldest(ps);
    free_before(s, least);
    if (least == epoch && (s->ended != NULL || s->deferred != NULL)) {
        __atomic_compare_exchange_n(&ps->epoch, &epoch, epoch + 1, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
    }
}

void epoch_away(Scheduler *s) {
    __atomic_store_n(&s->epoch, AWAY, __ATOMIC_SEQ_CST);
}

void epoch_back(Scheduler *s) {
    __atomic_store_n(&s->epoch, now(s->vm), __ATOMIC_SEQ_CST);
}

bool epoch_is_done(const Scheduler *s) {
    return s->ended == NULL && s->deferred == NULL;
}

bool epoch_all_done(VM *vm) {
    const Processes *ps = vm->processes;
    for (uint32_t i = 0; i < __atomic_load_n(&ps->started, __ATOMIC_ACQUIRE); i++) {
        if (!epoch_is_done(ps->schedulers[i])) {
            return false;
        }
    }
    return true;
}

void epoch_done(Scheduler *s) {
    while (!epoch_is_done(s)) { /* answers to signals may end in others' queues */
        free_before(s, AWAY);
    }
}
