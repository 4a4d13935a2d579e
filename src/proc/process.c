/* Finding processes, and what few of them have. */
#include "proc/relation.h"
#include "proc/schedule.h"
#include "proc/spawn.h"
#include "proc/watch.h"

ProcessExtra *process_extra(Process *p) {
    if (p->extra == NULL) {
        ProcessExtra *e = MEM_NEW(&process_vm(p)->mem, MEM_PROCESS, ProcessExtra);
        if (e == NULL) {
            return NULL;
        }
        e->heap = process_vm(p)->processes->first_heap;
        e->label = NONE;
        p->extra = e;
    }
    return p->extra;
}

void process_bind(Process *p, uint32_t scheduler) {
    p->extra->bound = (uint16_t)scheduler;
    if (scheduler != 0) {
        process_set(p, STATE_BOUND);
    } else {
        process_clear(p, STATE_BOUND);
    }
}

const TraceHooks *process_hooks(const Process *p) {
    return process_vm(p)->processes->trace;
}

Process *process_at(const VM *vm, uint32_t i) {
    const Processes *ps = vm->processes;
    assert(i < ps->size);
    return __atomic_load_n(&ps->table[i], __ATOMIC_ACQUIRE);
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
    return p == NULL || process_state(p) & (STATE_EXITING | STATE_FREE) ? NULL : p;
}

Process *process_find_any(VM *vm, term pid) {
    return slot(vm, pid);
}

bool process_alive_outside(VM *vm, term pid) {
    Processes *ps = vm->processes;
    lock_take(&ps->outside_lock);
    bool alive = process_find(vm, pid) != NULL;
    lock_give(&ps->outside_lock);
    return alive;
}

Entered process_enter(Process *p) {
    uint32_t state = process_state(p);
    do {
        if (state & (STATE_EXITING | STATE_FREE)) {
            return ENTER_GONE;
        }
        if (state & STATE_RUNNING) {
            return ENTER_BUSY;
        }
    } while (!atomic_compare_exchange_weak(&p->state, &state, state | STATE_RUNNING));
    p->scheduler = vm_scheduler(process_vm(p));
    signals_handle(p);
    if (!(p->state & STATE_EXITING)) {
        return ENTER_DONE;
    }
    /* A signal has ended it: whoever asks next finds its name free and its tables gone, as if it had run. */
    p->heap.reds = SLICE_REDUCTIONS;
    if (process_end_continue(p) && !(p->state & STATE_RUNNABLE)) {
        process_free(p);
    } else {
        process_leave(p);
    }
    return ENTER_GONE;
}

void process_leave(Process *p) {
    assert(p->state & STATE_RUNNING);
    bool message = *p->save != NULL;
    /* From here on others may have it. What has come in before is seen below; who sends something later sees that nobody has it. */
    uint32_t state = process_clear(p, STATE_RUNNING);
    if (state & (STATE_EXITING | STATE_SIGNALS | STATE_TIMEOUT | STATE_KILLED) || !(state & STATE_WAITING) || message ||
        __atomic_load_n(&p->outer, __ATOMIC_SEQ_CST) != NULL) {
        schedule(p);
    }
}

bool process_ask(Process *p, Process *q) {
    Signal *s = signal_new(p->scheduler, SIGNAL_ASK);
    if (s == NULL) {
        process_set(p, STATE_KILLED);
        return false;
    }
    s->from = p->pid;
    process_park(p);
    return signal_send(p->scheduler, q->pid, s) || (process_unpark(p), false);
}
