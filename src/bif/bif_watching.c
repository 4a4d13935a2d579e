/* Sequential tracing, system_monitor, system_profile. */
#include "bif/bif_tracing.h"

#include "data/integer.h"
#include "proc/schedule.h"
#include "term/compare.h"

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

/* What a monitor is told of: [{long_gc, 100}, busy_port ...]. */
static term monitored(Process *p, const SystemMonitor *m) {
    const struct {
        term name;
        uint64_t value;
    } all[] = {{A_long_gc, m->long_gc}, {A_long_schedule, m->long_schedule}, {A_large_heap, m->large_heap}};
    Heap *h = HEAP(p);
    term list = NIL;
    if (m->queue_long != 0) {
        term range = TUPLE2(h, integer_from_uint64(h, m->queue_short), integer_from_uint64(h, m->queue_long));
        list = heap_cons(h, TUPLE2(h, A_long_message_queue, range), list);
    }
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (all[i].value != 0) {
            list = heap_cons(h, TUPLE2(h, all[i].name, integer_from_uint64(h, all[i].value)), list);
        }
    }
    list = m->busy_port ? heap_cons(h, A_busy_port, list) : list;
    return m->busy_dist_port ? heap_cons(h, A_busy_dist_port, list) : list;
}

term monitor_info(Process *p, const TraceSession *s) {
    return monitored(p, &s->monitor);
}

/* {Monitor, What}, or undefined. */
static term settings(Process *p, const SystemMonitor *m) {
    return m->pid == NONE ? A_undefined : TUPLE2(HEAP(p), m->pid, monitored(p, m));
}

enum { LEAST_LARGE_HEAP = 16384 };

static bool natural(term t, uint64_t *n) {
    return is_integer(t) && integer_to_uint64(t, n);
}

/* value A_false: no longer; A_true: of what is or is not. */
static bool set_monitored(SystemMonitor *m, term name, term value) {
    const struct {
        term name;
        uint64_t *at, least;
    } limits[] = {{A_long_gc, &m->long_gc, 1}, {A_long_schedule, &m->long_schedule, 1}, {A_large_heap, &m->large_heap, LEAST_LARGE_HEAP}};
    uint64_t n = 0, until = 0;
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        if (limits[i].name == name) {
            bool good = value == A_false || natural(value, &n);
            *limits[i].at = value == A_false ? 0 : MAX(n, limits[i].least);
            return good;
        }
    }
    if (name == A_long_message_queue) {
        bool off = value == A_false;
        bool good = off || (is_tuple_of(value, 2) && natural(element(value, 1), &until) && natural(element(value, 2), &n) && until < n);
        m->queue_short = until;
        m->queue_long = n;
        return good;
    }
    bool *is = name == A_busy_port ? &m->busy_port : name == A_busy_dist_port ? &m->busy_dist_port : NULL;
    if (is != NULL) {
        *is = value == A_true;
    }
    return is != NULL && (value == A_true || value == A_false);
}

/* changes: of a session, {Name, Value} each. Else: all that there is to be, and nothing is false. */
static bool parse_monitored(term list, bool changes, SystemMonitor *m) {
    for (; is_cons(list); list = tail(list)) {
        term o = head(list);
        bool pair = is_tuple_of(o, 2);
        term value = pair ? element(o, 2) : A_true;
        if ((!pair && changes) || (!changes && (value == A_false || pair != (value != A_true))) ||
            !set_monitored(m, pair ? element(o, 1) : o, value)) {
            return false;
        }
    }
    return list == NIL;
}

static bool monitors_something(const SystemMonitor *m) {
    return m->long_gc != 0 || m->long_schedule != 0 || m->large_heap != 0 || m->queue_long != 0 || m->busy_port || m->busy_dist_port;
}

/* Of a session: the monitor is who the session tells. */
static term monitor_session(Process *p, TraceSession *s, term list) {
    VM *vm = process_vm(p);
    SystemMonitor new = s->monitor;
    new.long_queues = NULL;
    new.count = new.room = 0;
    new.pid = s->tracer == NULL || s->tracer->module != A_erl_tracer ? NONE : s->tracer->state;
    if (new.pid == NONE || process_find(vm, new.pid) == NULL || !parse_monitored(list, true, &new)) {
        return raise_badarg(p);
    }
    new.pid = monitors_something(&new) ? new.pid : NONE;
    monitor_clear(vm, &s->monitor);
    s->monitor = new;
    watch_update(vm);
    return A_ok;
}

static term monitor_system(Process *p, term monitor, term list) {
    VM *vm = process_vm(p);
    SystemMonitor *m = &vm->trace->sessions->monitor, new = {.pid = NONE};
    if (monitor != A_undefined && list != NIL) {
        if (!is_cons(list) || process_find(vm, monitor) == NULL || !parse_monitored(list, false, &new)) {
            return raise_badarg(p);
        }
        new.pid = monitor;
    }
    term before = settings(p, m);
    monitor_clear(vm, m);
    *m = new;
    watch_update(vm);
    return before;
}

BIF(erlang, system_monitor, 0) {
    return settings(p, &process_vm(p)->trace->sessions->monitor);
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

/* Of a session, or `legacy` (OTP 28). */
BIF(erts_internal, system_monitor, 1) {
    const TraceSession *s = a[0] == A_legacy ? process_vm(p)->trace->sessions : trace_session_arg(p, a[0]);
    return s == NULL ? raise_badarg(p) : settings(p, &s->monitor);
}

BIF(erts_internal, system_monitor, 3) {
    if (!bif_is_still(p)) {
        return bif_still(p, BIF_EXPORT(p, erts_internal, system_monitor, 3), a);
    }
    if (a[0] == A_legacy) {
        return monitor_system(p, a[1], a[2]);
    }
    TraceSession *s = trace_session_arg(p, a[0]);
    return s == NULL || a[1] != A_session ? raise_badarg(p) : monitor_session(p, s, a[2]);
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
