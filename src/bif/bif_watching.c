/* Sequential tracing, system_monitor, system_profile. */
#include "bif/bif.h"

#include "data/integer.h"
#include "proc/schedule.h"
#include "term/compare.h"
#include "trace/trace.h"

/* --- Sequential tracing -------------------------------------------------------------------------------------------- */

BIF(erlang, seq_trace, 2) {
    term old = is_atom(a[0]) ? seq_set(p, a[0], a[1]) : NONE;
    return old == NONE ? raise_badarg(p) : old;
}

BIF(erlang, seq_trace_info, 1) {
    term value = is_atom(a[0]) ? seq_get(p, a[0]) : NONE;
    return value == NONE ? raise_badarg(p) : value;
}

static term print(Process *p, term message) {
    if (trace_if(p) == NULL || trace_if(p)->token == NULL) {
        return A_false;
    }
    seq_update(p);
    seq_output(p, SEQ_PRINT, NIL, message);
    return A_true;
}

BIF(erlang, seq_trace_print, 1) {
    return print(p, a[0]);
}

BIF(erlang, seq_trace_print, 2) {
    const ProcessTrace *t = trace_if(p);
    bool same = t != NULL && t->token != NULL && term_same(process_vm(p), a[0], t->token->label);
    return same ? print(p, a[1]) : A_false;
}

/* --- system_monitor ------------------------------------------------------------------------------------------------ */

static term limits(Process *p) {
    const Trace *t = process_vm(p)->trace;
    const struct {
        term name;
        uint64_t value;
    } all[] = {{A_long_gc, t->long_gc}, {A_long_schedule, t->long_schedule}, {A_large_heap, t->large_heap}};
    Heap *h = HEAP(p);
    term list = NIL;
    if (t->monitor == NONE) {
        return A_undefined;
    }
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (all[i].value != 0) {
            list = heap_cons(h, TUPLE2(h, all[i].name, integer_from_uint64(h, all[i].value)), list);
        }
    }
    list = t->busy_port ? heap_cons(h, A_busy_port, list) : list;
    list = t->busy_dist_port ? heap_cons(h, A_busy_dist_port, list) : list;
    return TUPLE2(h, t->monitor, list);
}

enum { LEAST_LARGE_HEAP = 16384 };

static bool parse_limits(term list, Trace *t) {
    for (; is_cons(list); list = tail(list)) {
        term o = head(list);
        uint64_t n = 0;
        bool number = is_tuple_of(o, 2) && is_integer(element(o, 2)) && integer_to_uint64(element(o, 2), &n);
        term name = number ? element(o, 1) : o;
        if (number && name == A_long_gc) {
            t->long_gc = MAX(n, 1u);
        } else if (number && name == A_long_schedule) {
            t->long_schedule = MAX(n, 1u);
        } else if (number && name == A_large_heap) {
            t->large_heap = MAX(n, (uint64_t)LEAST_LARGE_HEAP);
        } else if (name == A_busy_port) {
            t->busy_port = true;
        } else if (name == A_busy_dist_port) {
            t->busy_dist_port = true;
        } else {
            return false;
        }
    }
    return list == NIL;
}

static term monitor_system(Process *p, term monitor, term list) {
    VM *vm = process_vm(p);
    Trace *t = vm->trace, new = *t;
    new.monitor = NONE;
    new.long_gc = new.long_schedule = new.large_heap = 0;
    new.busy_port = new.busy_dist_port = false;
    if (monitor != A_undefined && list != NIL) {
        if (!is_cons(list) || process_find(vm, monitor) == NULL || !parse_limits(list, &new)) {
            return raise_badarg(p);
        }
        new.monitor = monitor;
    }
    term before = limits(p);
    *t = new;
    watch_update(vm);
    return before;
}

BIF(erlang, system_monitor, 0) {
    return limits(p);
}

BIF(erlang, system_monitor, 1) {
    if (!bif_is_still(p)) {
        return bif_still(p, BIF_EXPORT(p, erlang, system_monitor, 1), a);
    }
    if (a[0] == A_undefined) {
        return monitor_system(p, A_undefined, NIL);
    }
    return is_tuple_of(a[0], 2) ? monitor_system(p, element(a[0], 1), element(a[0], 2)) : raise_badarg(p);
}

BIF(erlang, system_monitor, 2) {
    if (!bif_is_still(p)) {
        return bif_still(p, BIF_EXPORT(p, erlang, system_monitor, 2), a);
    }
    return monitor_system(p, a[0], a[1]);
}

/* --- system_profile ------------------------------------------------------------------------------------------------ */

static term profiled(Process *p) {
    const Trace *t = process_vm(p)->trace;
    Heap *h = HEAP(p);
    term list = NIL;
    if (t->profiler == NONE) {
        return A_undefined;
    }
    list = t->profile_ports ? heap_cons(h, A_runnable_ports, list) : list;
    list = t->profile_processes ? heap_cons(h, A_runnable_procs, list) : list;
    list = t->profile_scheduler ? heap_cons(h, A_scheduler, list) : list;
    list = t->profile_exclusive ? heap_cons(h, A_exclusive, list) : list;
    return TUPLE2(h, t->profiler, list);
}

static bool parse_profile(term list, Trace *t) {
    for (; is_cons(list); list = tail(list)) {
        switch (head(list)) {
        case A_runnable_procs: t->profile_processes = true; break;
        case A_runnable_ports: t->profile_ports = true; break;
        case A_exclusive: t->profile_exclusive = true; break;
        case A_scheduler: t->profile_scheduler = true; break;
        case A_timestamp: t->profile_time = TRACE_TIMESTAMP; break;
        case A_strict_monotonic_timestamp: t->profile_time = TRACE_STRICT_MONOTONIC; break;
        case A_monotonic_timestamp: t->profile_time = TRACE_MONOTONIC; break;
        default: return false;
        }
    }
    return list == NIL;
}

BIF(erlang, system_profile, 0) {
    return profiled(p);
}

BIF(erlang, system_profile, 2) {
    if (!bif_is_still(p)) {
        return bif_still(p, BIF_EXPORT(p, erlang, system_profile, 2), a);
    }
    VM *vm = process_vm(p);
    Trace *t = vm->trace, new = *t;
    new.profiler = NONE;
    new.profile_scheduler = new.profile_processes = new.profile_ports = new.profile_exclusive = false;
    new.profile_time = TRACE_TIMESTAMP;
    if (a[0] != A_undefined && a[1] != NIL) {
        bool alive = (is_local_pid(a[0]) || is_local_port(a[0])) && target_alive(vm, a[0]);
        if (!is_cons(a[1]) || !alive || !parse_profile(a[1], &new)) {
            return raise_badarg(p);
        }
        new.profiler = a[0];
    }
    term before = profiled(p);
    *t = new;
    watch_update(vm);
    return before;
}
