/* Schedulers sleep or work: finer states are told as no time at all. */
#include "bif/meters.h"

#include "bif/schedulers.h"
#include "data/integer.h"
#include "data/map.h"
#include "platform/platform.h"

static int64_t worked(const Scheduler *s, int64_t now) {
    int64_t clock = __atomic_load_n(&s->clock_of_work, __ATOMIC_RELAXED);
    return clock < 0 ? ~clock : now - clock;
}

/* Scheduler i (from 0), if it has been started. */
static Scheduler *started(const Processes *ps, uint32_t i) {
    return i < __atomic_load_n(&ps->started, __ATOMIC_ACQUIRE) ? ps->schedulers[i] : NULL;
}

/* A meter that runs keeps where its clocks would have been at 0; one that has been stopped, how far they had come. */
static void turn(Process *p, MeterKind kind, int64_t now, bool from_zero) {
    Processes *ps = process_vm(p)->processes;
    Meter *m = &ps->meters[kind];
    m->from = now - (from_zero ? 0 : m->from);
    for (uint32_t i = 0; i < ps->scheduler_count; i++) {
        Scheduler *s = started(ps, i);
        if (s != NULL) {
            s->worked_before[kind] = worked(s, now) - (from_zero ? 0 : s->worked_before[kind]);
        }
    }
}

term meter_set(Process *p, MeterKind kind, term on) {
    Meter *m = &process_vm(p)->processes->meters[kind];
    if (on != A_true && on != A_false) {
        return raise_badarg(p);
    }
    uint32_t was = m->on, now = on == A_false ? (was > 0 ? was - 1 : 0) : kind == METER_WALL ? was + 1 : 1;
    if ((was > 0) != (now > 0)) {
        turn(p, kind, clock_platform(process_vm(p)), kind == METER_WALL && was == 0);
    }
    m->on = now;
    return was > 0 ? A_true : A_false;
}

term meter_restart(Process *p, MeterKind kind) {
    Processes *ps = process_vm(p)->processes;
    bool on = ps->meters[kind].on > 0;
    int64_t clock = clock_platform(process_vm(p));
    turn(p, kind, clock, true);
    if (!on) { /* stopped at 0 */
        turn(p, kind, clock, false);
    }
    return on ? A_true : A_false;
}

/* A list of what `tell` says of each scheduler, from the first one on. */
typedef term TellTimes(Heap *h, uint32_t id, int64_t active, int64_t total);
static term tell_all(Process *p, MeterKind kind, TellTimes *tell, uint32_t dirty) {
    const Processes *ps = process_vm(p)->processes;
    const Meter *m = &ps->meters[kind];
    int64_t now = clock_platform(process_vm(p)), total = m->on > 0 ? now - m->from : m->from;
    term list = NIL;
    for (uint32_t i = ps->scheduler_count + dirty; i-- > ps->scheduler_count;) {
        list = heap_cons(HEAP(p), tell(HEAP(p), i + 1, 0, total), list);
    }
    for (uint32_t i = ps->scheduler_count; i-- > 0;) {
        const Scheduler *s = started(ps, i);
        int64_t active = s == NULL ? 0 : m->on > 0 ? worked(s, now) - s->worked_before[kind] : s->worked_before[kind];
        list = heap_cons(HEAP(p), tell(HEAP(p), i + 1, MIN(MAX(active, 0), total), total), list);
    }
    return list;
}

static term tell_wall_time(Heap *h, uint32_t id, int64_t active, int64_t total) {
    return TUPLE3(h, SMALL(id), integer_from_int64(h, active), integer_from_int64(h, total));
}

static term tell_states(Heap *h, uint32_t id, int64_t active, int64_t total) {
    // clang-format off
    const term counters[] = {
        A_aux, SMALL(0), A_check_io, SMALL(0), A_gc, SMALL(0), A_other, SMALL(0), A_port, SMALL(0),
        A_emulator, integer_from_int64(h, active), A_sleep, integer_from_int64(h, total - active),
    };
    // clang-format on
    const term thread[] = {A_type, A_scheduler, A_id, SMALL(id), A_counters, map_from_pairs(h, counters, ARRAY_LEN(counters) / 2)};
    return map_from_pairs(h, thread, ARRAY_LEN(thread) / 2);
}

term wall_time(Process *p, bool io) {
    const VM *vm = process_vm(p);
    uint32_t dirty = dirty_cpu_count(vm) + (io ? dirty_io_count(vm) : 0);
    return vm->processes->meters[METER_WALL].on > 0 ? tell_all(p, METER_WALL, tell_wall_time, dirty) : A_undefined;
}

term microstates(Process *p) {
    return tell_all(p, METER_STATES, tell_states, 0);
}
