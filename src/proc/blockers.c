/* Who blocks multi-scheduling: see the header. All under rest_lock. */
#include "proc/blockers.h"

#include "proc/rest.h"

/* Under the lock. Those that may run no longer finish their slices; what stands in their queues is for the others (rest.c). */
static void decide(Processes *ps) {
    __atomic_store_n(&ps->allowed, ps->blockers != NULL ? 1 : ps->online, __ATOMIC_RELAXED);
}

static Blocker **find(Processes *ps, term pid) {
    Blocker **at = &ps->blockers;
    while (*at != NULL && (*at)->pid != pid) {
        at = &(*at)->next;
    }
    return at;
}

bool blockers_add(Process *p, BlockKind kind) {
    VM *vm = process_vm(p);
    Processes *ps = vm->processes;
    Blocker *fresh = MEM_NEW(&vm->mem, MEM_SYSTEM, Blocker);
    if (fresh == NULL) {
        return false;
    }
    lock_take(&ps->rest_lock);
    Blocker **at = find(ps, p->pid), *b = *at;
    if (b == NULL) {
        b = fresh;
        fresh = NULL;
        b->pid = p->pid;
        b->next = ps->blockers;
        ps->blockers = b;
    }
    b->count[kind]++;
    decide(ps);
    lock_give(&ps->rest_lock);
    mem_free(&vm->mem, MEM_SYSTEM, fresh, fresh == NULL ? 0 : sizeof *fresh);
    return true;
}

/* all: whatever it blocks. */
static void take_away(Process *p, BlockKind kind, bool all) {
    VM *vm = process_vm(p);
    Processes *ps = vm->processes;
    lock_take(&ps->rest_lock);
    Blocker **at = find(ps, p->pid), *b = *at, *gone = NULL;
    if (b != NULL) {
        b->count[kind] -= b->count[kind] > 0;
        if (all || (b->count[BLOCK_ALL] == 0 && b->count[BLOCK_NORMAL] == 0)) {
            gone = b;
            *at = b->next;
        }
        decide(ps);
    }
    lock_give(&ps->rest_lock);
    mem_free(&vm->mem, MEM_SYSTEM, gone, gone == NULL ? 0 : sizeof *gone);
}

void blockers_remove(Process *p, BlockKind kind) {
    take_away(p, kind, false);
}

static bool ended(Process *p) {
    if (UNLIKELY(__atomic_load_n(&process_vm(p)->processes->blockers, __ATOMIC_RELAXED) != NULL)) {
        take_away(p, BLOCK_ALL, true);
    }
    return true;
}

bool blockers_init(VM *vm) {
    return processes_on_end(vm, ended);
}

void blockers_done(VM *vm) {
    for (Blocker *b; (b = vm->processes->blockers) != NULL;) {
        vm->processes->blockers = b->next;
        MEM_DELETE(&vm->mem, MEM_SYSTEM, b);
    }
}

static void note(term pid UNUSED, void *arg) {
    *(bool *)arg = true;
}

bool blockers_any(VM *vm, BlockKind kind) {
    bool any = false;
    blockers_each(vm, kind, note, &any);
    return any;
}

void blockers_each(VM *vm, BlockKind kind, void (*visit)(term pid, void *arg), void *arg) {
    Processes *ps = vm->processes;
    lock_take(&ps->rest_lock);
    for (const Blocker *b = ps->blockers; b != NULL; b = b->next) {
        if (b->count[kind] > 0) {
            visit(b->pid, arg);
        }
    }
    lock_give(&ps->rest_lock);
}

uint32_t schedulers_set_online(VM *vm, uint32_t online) {
    Processes *ps = vm->processes;
    lock_take(&ps->rest_lock);
    uint32_t was = ps->online;
    ps->online = online;
    decide(ps);
    lock_give(&ps->rest_lock);
    return was;
}

bool scheduler_is_alone(Scheduler *s) {
    Processes *ps = s->vm->processes;
    if (s->id != 1) {
        return false;
    }
    bool alone = true;
    lock_take(&ps->rest_lock);
    for (uint32_t i = 1; i < __atomic_load_n(&ps->started, __ATOMIC_ACQUIRE); i++) {
        alone &= ps->schedulers[i]->away;
    }
    lock_give(&ps->rest_lock);
    return alone;
}
