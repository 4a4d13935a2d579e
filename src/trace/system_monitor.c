/* system_monitor and trace:system/3: telling of what takes long or is large. */
#include "trace/trace.h"

#include "platform/platform.h"
#include "proc/schedule.h"
#include "table/tables.h"
#include "term/atom.h"
#include "term/gc.h"

void monitor_clear(VM *vm, SystemMonitor *m) {
    mem_free(&vm->mem, MEM_SYSTEM, m->long_queues, m->room * sizeof *m->long_queues);
    *m = (SystemMonitor){.pid = NONE};
}

uint32_t monitor_watch(const Trace *t) {
    uint32_t watch = 0;
    for (const TraceSession *s = t->sessions; s != NULL; s = s->next) {
        const SystemMonitor *m = &s->monitor;
        watch |= (m->long_gc != 0 || m->large_heap != 0 ? WATCH_COLLECTIONS : 0u) | (m->long_schedule != 0 ? WATCH_SLICES : 0u) |
                 (m->queue_long != 0 ? WATCH_QUEUES : 0u);
    }
    return watch;
}

/* {monitor, Pid, What, More}; not of the monitor itself. */
static bool tells(const SystemMonitor *m, const Process *p) {
    return m->pid != NONE && m->pid != p->pid;
}

static void tell(const SystemMonitor *m, Process *p, Heap *h, term what, term more) {
    message_send(p->scheduler, NULL, m->pid, TUPLE4(h, A_monitor, p->pid, what, more));
    heap_free_fragments(process_vm(p), heap_detach(h));
}

static void tell_long_schedule(const SystemMonitor *m, Process *p, int64_t ms, const void *from) {
    Heap h;
    heap_init_detached(&h, process_vm(p));
    term in = trace_place(&h, p, from), out = trace_place(&h, p, p->ip);
    term list = heap_cons(&h, TUPLE2(&h, A_out, out == SMALL(0) ? A_undefined : out), NIL);
    list = heap_cons(&h, TUPLE2(&h, A_in, in == SMALL(0) ? A_undefined : in), list);
    list = heap_cons(&h, TUPLE2(&h, A_timeout, SMALL(ms)), list);
    tell(m, p, &h, A_long_schedule, list);
}

void monitor_ran(Process *p, int64_t nanoseconds, const void *from) {
    uint64_t ms = (uint64_t)nanoseconds / 1000000;
    for (const TraceSession *s = process_vm(p)->trace->sessions; s != NULL; s = s->next) {
        const SystemMonitor *m = &s->monitor;
        if (m->long_schedule != 0 && ms >= m->long_schedule && tells(m, p)) {
            tell_long_schedule(m, p, (int64_t)ms, from);
        }
    }
}

static void tell_of_collection(const SystemMonitor *m, Process *p, term what, uint64_t ms) {
    HeapSizes s = gc_sizes(&p->heap);
    const TraceFigure f[] = {
        {A_timeout, ms},         {A_old_heap_block_size, s.old_block}, {A_heap_block_size, s.heap_block}, {A_mbuf_size, s.fragments},
        {A_stack_size, s.stack}, {A_old_heap_size, s.old_used},        {A_heap_size, s.heap_used},
    };
    size_t skip = what == A_long_gc ? 0 : 1;
    Heap h;
    heap_init_detached(&h, process_vm(p));
    tell(m, p, &h, what, trace_figures(&h, f + skip, ARRAY_LEN(f) - skip));
}

void monitor_collected(Process *p, int64_t nanoseconds) {
    VM *vm = process_vm(p);
    int64_t longer = vm->tables->internal.long_gc_ms;
    if (longer > 0) {
        platform_sleep(longer * 1000000);
    }
    uint64_t ms = (uint64_t)nanoseconds / 1000000 + (uint64_t)longer;
    HeapSizes sizes = gc_sizes(&p->heap);
    for (const TraceSession *s = vm->trace->sessions; s != NULL; s = s->next) {
        const SystemMonitor *m = &s->monitor;
        if (!tells(m, p)) {
            continue;
        }
        if (m->long_gc != 0 && ms >= m->long_gc) {
            tell_of_collection(m, p, A_long_gc, ms);
        }
        if (m->large_heap != 0 && sizes.heap_block + sizes.old_block >= m->large_heap) {
            tell_of_collection(m, p, A_large_heap, 0);
        }
    }
}

void monitor_busy_port(Process *p, term port) {
    for (const TraceSession *s = process_vm(p)->trace->sessions; s != NULL; s = s->next) {
        if (s->monitor.busy_port && s->monitor.pid != NONE) {
            Heap h;
            heap_init_detached(&h, process_vm(p));
            tell(&s->monitor, p, &h, A_busy_port, port);
        }
    }
}

/* --- Long mailboxes ------------------------------------------------------------------------------------------------ */

/* Where the process stands among those whose mailbox is long; count: it does not. */
static uint32_t place_among(const SystemMonitor *m, uint32_t number) {
    uint32_t i = 0;
    while (i < m->count && m->long_queues[i] != number) {
        i++;
    }
    return i;
}

static bool grow(VM *vm, SystemMonitor *m) {
    uint32_t room = m->room == 0 ? 8 : 2 * m->room;
    uint32_t *more = mem_resize(&vm->mem, MEM_SYSTEM, m->long_queues, m->room * sizeof *more, room * sizeof *more);
    if (more != NULL) {
        m->long_queues = more;
        m->room = room;
    }
    return more != NULL;
}

/* A mailbox has become long, or is no longer. */
static bool queue_changes(VM *vm, SystemMonitor *m, const Process *p) {
    bool long_now = p->messages >= m->queue_long, short_now = p->messages <= m->queue_short;
    if (m->count == 0 && !long_now) {
        return false;
    }
    uint32_t number = (uint32_t)pid_data(p->pid), i = place_among(m, number);
    if (i < m->count && short_now) {
        m->long_queues[i] = m->long_queues[--m->count];
        return true;
    }
    if (i == m->count && long_now && (m->count < m->room || grow(vm, m))) {
        m->long_queues[m->count++] = number;
        return true;
    }
    return false;
}

void monitor_queue(Process *p) {
    VM *vm = process_vm(p);
    for (TraceSession *s = vm->trace->sessions; s != NULL; s = s->next) {
        SystemMonitor *m = &s->monitor;
        if (m->queue_long == 0 || !tells(m, p)) {
            continue;
        }
        lock_take(&vm->trace->queues_lock);
        bool changes = queue_changes(vm, m, p);
        lock_give(&vm->trace->queues_lock);
        if (changes) {
            Heap h;
            heap_init_detached(&h, vm);
            tell(m, p, &h, A_long_message_queue, p->messages >= m->queue_long ? A_true : A_false);
        }
    }
}

void monitor_ended(Process *p) {
    VM *vm = process_vm(p);
    for (TraceSession *s = vm->trace->sessions; s != NULL; s = s->next) {
        SystemMonitor *m = &s->monitor;
        if (m->pid == p->pid && s->number != 0) {
            m->pid = NONE; /* a session remembers what it was asked for */
        } else if (m->pid == p->pid) {
            monitor_clear(vm, m);
            watch_update(vm);
        } else if (m->count > 0) {
            lock_take(&vm->trace->queues_lock);
            uint32_t i = place_among(m, (uint32_t)pid_data(p->pid));
            if (i < m->count) {
                m->long_queues[i] = m->long_queues[--m->count];
            }
            lock_give(&vm->trace->queues_lock);
        }
    }
}
