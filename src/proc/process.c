/* Finding processes, and what few of them have. */
#include "proc/relation.h"
#include "proc/schedule.h"
#include "proc/spawn.h"

ProcessExtra *process_extra(Process *p) {
    if (p->extra == NULL) {
        ProcessExtra *e = MEM_NEW(&process_vm(p)->mem, MEM_PROCESS, ProcessExtra);
        if (e == NULL) {
            return NULL;
        }
        Processes *ps = process_vm(p)->processes;
        e->max_heap_words = ps->max_heap_words;
        e->max_heap_kill = ps->max_heap_kill;
        e->max_heap_log = ps->max_heap_log;
        e->max_heap_binaries = ps->max_heap_binaries;
        e->min_heap_words = ps->min_heap_words;
        e->min_binary_words = ps->min_binary_words;
        e->full_sweep_after = ps->full_sweep_after;
        e->label = NONE;
        p->extra = e;
    }
    return p->extra;
}

Process *process_at(const VM *vm, uint32_t i) {
    const Processes *ps = vm->processes;
    assert(i < ps->size);
    return ps->table[i];
}

/* Alive or ending. */
static Process *slot(VM *vm, term pid) {
    const Processes *ps = vm->processes;
    if (!is_local_pid(pid)) {
        return NULL;
    }
    Process *p = __atomic_load_n(&ps->table[pid_data(pid) & (ps->size - 1)], __ATOMIC_ACQUIRE);
    return p != NULL && p->pid == pid ? p : NULL;
}

Process *process_find(VM *vm, term pid) {
    Process *p = slot(vm, pid);
    return p == NULL || p->state & (STATE_EXITING | STATE_FREE) ? NULL : p;
}

Process *process_find_any(VM *vm, term pid) {
    return slot(vm, pid);
}

bool process_enter(Process *p) {
    uint32_t state = __atomic_load_n(&p->state, __ATOMIC_RELAXED);
    do {
        if (state & (STATE_RUNNING | STATE_EXITING | STATE_FREE)) {
            return false;
        }
    } while (!__atomic_compare_exchange_n(&p->state, &state, state | STATE_RUNNING, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
    signals_handle(p);
    if (!(p->state & STATE_EXITING)) {
        return true;
    }
    /* A signal has ended it: whoever asks next finds its name free and its tables gone, as if it had run. */
    p->heap.reds = SLICE_REDUCTIONS;
    if (process_end_continue(p) && !(p->state & STATE_RUNNABLE)) {
        process_free(p);
    } else {
        process_leave(p);
    }
    return false;
}

void process_leave(Process *p) {
    assert(p->state & STATE_RUNNING);
    uint32_t state = process_clear(p, STATE_RUNNING);
    if (state & (STATE_EXITING | STATE_SIGNALS | STATE_TIMEOUT | STATE_KILLED) || !(state & STATE_WAITING) || *p->save != NULL
        || __atomic_load_n(&p->outer, __ATOMIC_RELAXED) != NULL) {
        schedule(p);
    }
}
