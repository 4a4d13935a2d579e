/* What is told of schedulers, and what can be asked of them. */
#include "bif/schedulers.h"

#include "bif/system_flags.h"
#include "data/integer.h"
#include "proc/blockers.h"
#include "proc/run_queue.h"

enum { DIRTY_IO = 10 };

/* --- How many */

static const Processes *all(const Process *p) {
    return process_vm(p)->processes;
}

uint32_t dirty_cpu_count(const VM *vm) {
    uint32_t schedulers = vm->processes->scheduler_count, told = (uint32_t)MAX(vm->flags->dirty_cpu, 0);
    return told == 0 ? schedulers : MIN(told, schedulers);
}

uint32_t dirty_io_count(const VM *vm) {
    return vm->flags->dirty_io > 0 ? (uint32_t)vm->flags->dirty_io : DIRTY_IO;
}

static uint32_t dirty_cpu_online(const VM *vm) {
    uint32_t most = dirty_cpu_count(vm), set = vm->processes->dirty_cpu_online, told = (uint32_t)MAX(vm->flags->dirty_cpu_online, 0);
    return MIN(most, set != 0 ? set : told != 0 ? told : vm->processes->first_online);
}

term info_schedulers(Process *p) {
    return SMALL(all(p)->scheduler_count);
}
term info_schedulers_online(Process *p) {
    return SMALL(all(p)->online);
}
term info_schedulers_active(Process *p) {
    return SMALL(__atomic_load_n(&all(p)->allowed, __ATOMIC_RELAXED));
}
term info_schedulers_state(Process *p) {
    return TUPLE3(HEAP(p), info_schedulers(p), info_schedulers_online(p), info_schedulers_active(p));
}
term info_dirty_cpu(Process *p) {
    return SMALL(dirty_cpu_count(process_vm(p)));
}
term info_dirty_cpu_online(Process *p) {
    return SMALL(dirty_cpu_online(process_vm(p)));
}
term info_dirty_io(Process *p) {
    return SMALL(dirty_io_count(process_vm(p)));
}
term info_all_schedulers_state(Process *p) {
    Heap *h = HEAP(p);
    term io = info_dirty_io(p), cpu = info_dirty_cpu_online(p);
    bool blocked = blockers_any(process_vm(p), BLOCK_ALL);
    term list = heap_cons(h, TUPLE4(h, A_dirty_io, io, io, blocked ? SMALL(0) : io), NIL);
    list = heap_cons(h, TUPLE4(h, A_dirty_cpu, info_dirty_cpu(p), cpu, blocked ? SMALL(0) : cpu), list);
    return heap_cons(h, TUPLE4(h, A_normal, info_schedulers(p), info_schedulers_online(p), info_schedulers_active(p)), list);
}
static term set_count(Process *p, term value, uint32_t most, uint32_t *count) {
    if (!is_small(value) || small_value(value) < 1 || (uintptr_t)small_value(value) > most) {
        return raise_badarg(p);
    }
    *count = (uint32_t)small_value(value);
    return A_ok;
}

/* Those above it finish their slices, and then let others have what stands in their queues. Those for dirty CPU jobs follow in proportion. */
term set_schedulers_online(Process *p, term value) {
    VM *vm = process_vm(p);
    uint32_t n, dirty = dirty_cpu_online(vm);
    if (set_count(p, value, all(p)->scheduler_count, &n) == NONE) {
        return NONE;
    }
    uint32_t was = schedulers_set_online(vm, n);
    if (vm->processes->bind != NULL) {
        vm->processes->bind(vm, NULL);
    }
    vm->processes->dirty_cpu_online = MAX((uint32_t)((uint64_t)dirty * n / was), 1);
    return SMALL(was);
}

term set_dirty_cpu_online(Process *p, term value) {
    VM *vm = process_vm(p);
    uint32_t was = dirty_cpu_online(vm), n;
    if (set_count(p, value, dirty_cpu_count(vm), &n) == NONE) {
        return NONE;
    }
    vm->processes->dirty_cpu_online = n;
    return SMALL(was);
}

/* --- Blocking multi-scheduling */

term info_multi_scheduling(Process *p) {
    VM *vm = process_vm(p);
    return blockers_any(vm, BLOCK_ALL) ? A_blocked : blockers_any(vm, BLOCK_NORMAL) ? A_blocked_normal : A_enabled;
}

/* They are gathered under a lock: so many at most. */
enum { TOLD_MAX = 256 };
typedef struct {
    term pid[TOLD_MAX];
    size_t count;
} Told;
static void tell(term pid, void *arg) {
    Told *t = arg;
    if (t->count < TOLD_MAX) {
        t->pid[t->count++] = pid;
    }
}
static term blockers(Process *p, BlockKind kind) {
    Told told;
    told.count = 0;
    blockers_each(process_vm(p), kind, tell, &told);
    return heap_list(HEAP(p), told.pid, told.count, NIL);
}
term info_blockers(Process *p) {
    return blockers(p, BLOCK_ALL);
}
term info_normal_blockers(Process *p) {
    return blockers(p, BLOCK_NORMAL);
}

/* Comes back, slice by slice, until p is on the first scheduler and no other one does anything. */
BIF(erts_internal, multi_scheduling_blocked, 0) {
    if (all(p)->allowed > 1 || scheduler_is_alone(p->scheduler)) {
        return info_multi_scheduling(p);
    }
    BUMP(p, MAX(p->heap.reds, 0));
    return bif_trap(p, BIF_EXPORT(p, erts_internal, multi_scheduling_blocked, 0), 0);
}

term set_multi_scheduling(Process *p, term value) {
    bool block = value == A_block || value == A_block_normal, normal = value == A_block_normal || value == A_unblock_normal;
    BlockKind kind = normal ? BLOCK_NORMAL : BLOCK_ALL;
    if (!block && value != A_unblock && value != A_unblock_normal) {
        return raise_badarg(p);
    }
    if (!block) {
        blockers_remove(p, kind);
        return info_multi_scheduling(p);
    }
    if (!blockers_add(p, kind)) {
        return bif_no_memory(p);
    }
    return bif_erts_internal_multi_scheduling_blocked_0(p, NULL);
}

/* --- Queues */

/* Of each scheduler: what waits in its queue, and, if it has not gone to sleep, what it works at. Behind them, the queues of dirty
   jobs: `dirty` of them, empty. */
static term lengths(Process *p, bool active, size_t dirty, uint64_t *sum) {
    const Processes *ps = all(p);
    uint32_t n = ps->scheduler_count, there = __atomic_load_n(&ps->started, __ATOMIC_ACQUIRE);
    term list = NIL;
    *sum = 0;
    for (size_t i = 0; i < dirty; i++) {
        list = heap_cons(HEAP(p), SMALL(0), list);
    }
    for (uint32_t i = n; i-- > 0;) {
        const Scheduler *s = i < there ? ps->schedulers[i] : NULL;
        uint64_t length = s == NULL ? 0 : run_queue_length(s);
        if (active && s != NULL) {
            length += s == p->scheduler || !s->away;
        }
        *sum += length;
        list = heap_cons(HEAP(p), SMALL(length), list);
    }
    return list;
}

term queue_statistics(Process *p, term item) {
    static const struct {
        term item;
        uint8_t dirty;
        bool active, sum;
        // clang-format off
    } rows[] = {
        {A_run_queue, 0, false, true}, {A_total_run_queue_lengths, 1, false, true}, {A_total_run_queue_lengths_all, 2, false, true},
        {A_run_queue_lengths, 1, false, false}, {A_run_queue_lengths_all, 2, false, false},
        {A_total_active_tasks, 1, true, true}, {A_total_active_tasks_all, 2, true, true},
        {A_active_tasks, 1, true, false}, {A_active_tasks_all, 2, true, false},
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].item == item) {
            Processes *ps = process_vm(p)->processes;
            uint64_t sum;
            lock_take(&ps->rest_lock);
            term list = lengths(p, rows[i].active, rows[i].dirty, &sum);
            lock_give(&ps->rest_lock);
            return rows[i].sum ? integer_from_uint64(HEAP(p), sum) : list;
        }
    }
    return NONE;
}
