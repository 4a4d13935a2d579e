/* Sessions, tracers, and what hangs off the processes that are traced. */
#include "trace/trace.h"

#include "code/code.h"
#include "code/emit.h"
#include "data/integer.h"
#include "data/map.h"
#include "platform/platform.h"
#include "proc/schedule.h"
#include "term/atom.h"
#include "term/compare.h"
#include "term/copy.h"
#include "term/ref.h"

/* --- Flags --------------------------------------------------------------------------------------------------------- */

/* In the order in which trace_info lists them, last first. */
static const struct {
    term name;
    uint32_t flag;
    // clang-format off
} flag_names[] = {
    {A_timestamp, TRACE_TIMESTAMP}, {A_strict_monotonic_timestamp, TRACE_STRICT_MONOTONIC}, {A_monotonic_timestamp, TRACE_MONOTONIC},
    {A_send, TRACE_SEND}, {A_receive, TRACE_RECEIVE}, {A_set_on_spawn, TRACE_SET_ON_SPAWN}, {A_call, TRACE_CALL},
    {A_procs, TRACE_PROCS}, {A_set_on_first_spawn, TRACE_SET_ON_FIRST_SPAWN}, {A_set_on_link, TRACE_SET_ON_LINK},
    {A_set_on_first_link, TRACE_SET_ON_FIRST_LINK}, {A_running, TRACE_RUNNING}, {A_exiting, TRACE_EXITING},
    {A_garbage_collection, TRACE_GC}, {A_arity, TRACE_ARITY}, {A_return_to, TRACE_RETURN_TO}, {A_silent, TRACE_SILENT},
    {A_scheduler_id, TRACE_SCHEDULER_ID}, {A_ports, TRACE_PORTS}, {A_running_ports, TRACE_RUNNING_PORTS},
    {A_running_procs, TRACE_RUNNING_PROCS},
};
// clang-format on

uint32_t trace_flag(term atom) {
    if (atom == A_all) {
        return TRACE_ALL;
    }
    for (size_t i = 0; i < ARRAY_LEN(flag_names); i++) {
        if (flag_names[i].name == atom) {
            return flag_names[i].flag;
        }
    }
    return 0;
}

term trace_flags_term(Heap *h, uint32_t flags) {
    term list = NIL;
    for (size_t i = 0; i < ARRAY_LEN(flag_names); i++) {
        if (flags & flag_names[i].flag) {
            list = heap_cons(h, flag_names[i].name, list);
        }
    }
    return list;
}

bool trace_parse_tracer(VM *vm, term key, term t, Tracer **tracer) {
    term module = A_erl_tracer, state;
    if (is_tuple_of(t, 2) && element(t, 1) == key) {
        state = element(t, 2);
        if (is_tuple_of(state, 2) && is_atom(element(state, 1))) { /* as trace_info shows it */
            module = element(state, 1), state = element(state, 2);
        } else if (!is_local_pid(state) && !is_local_port(state)) {
            return false;
        }
    } else if (is_tuple_of(t, 3) && element(t, 1) == key && is_atom(element(t, 2))) {
        module = element(t, 2), state = element(t, 3);
    } else {
        return false;
    }
    if (module == A_erl_tracer && state == NIL) { /* {tracer, Module, []}: none */
        return true;
    }
    if (!tracer_is_possible(vm, module, state)) {
        return false;
    }
    Tracer *made = tracer_new(vm, module, state);
    if (made != NULL) {
        tracer_release(vm, *tracer);
        *tracer = made;
    }
    return made != NULL;
}

bool trace_parse_flags(VM *vm, term list, uint32_t *flags, Tracer **tracer, bool *cpu_time) {
    Tracer *found = NULL;
    bool ok = true;
    uint32_t mask = 0;
    for (; ok && is_cons(list); list = tail(list)) {
        term t = head(list);
        uint32_t flag = is_atom(t) ? trace_flag(t) : 0;
        mask |= flag;
        if (t == A_cpu_timestamp) {
            *cpu_time = true;
        } else if (flag == 0) {
            ok = trace_parse_tracer(vm, A_tracer, t, &found);
        }
    }
    if (!ok || list != NIL) {
        tracer_release(vm, found);
        return false;
    }
    *flags |= mask;
    if (found != NULL) {
        tracer_release(vm, *tracer);
        *tracer = found;
    }
    return true;
}

/* --- Tracers ------------------------------------------------------------------------------------------------------- */

Tracer *tracer_new(VM *vm, term module, term state) {
    Tracer *t = MEM_NEW(&vm->mem, MEM_SYSTEM, Tracer);
    if (t == NULL) {
        return NULL;
    }
    *t = (Tracer){.refs = 1, .module = module, .state = state};
    t->data = term_copy_to_fragment(vm, state, &t->state);
    if (t->data == NULL && t->state == NONE) {
        MEM_DELETE(&vm->mem, MEM_SYSTEM, t);
        return NULL;
    }
    return t;
}

void tracer_release(VM *vm, Tracer *t) {
    if (t != NULL && __atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        heap_free_fragments(vm, t->data);
        MEM_DELETE(&vm->mem, MEM_SYSTEM, t);
    }
}

bool tracer_same(VM *vm, const Tracer *a, const Tracer *b) {
    return a == b || (a != NULL && b != NULL && a->module == b->module && term_same(vm, a->state, b->state));
}

term tracer_term(Heap *h, const Tracer *t) {
    if (t == NULL) {
        return A_false;
    }
    return t->module == A_erl_tracer ? t->state : TUPLE2(h, t->module, term_copy(h, t->state));
}

/* The function of a tracer's module that is native code; NULL: there is none. */
static const BifEntry *native_function(VM *vm, term module, term name, uint32_t arity) {
    const Export *e = export_find(vm, module, name, arity);
    if (e == NULL || e->bif != NULL) {
        return e == NULL ? NULL : e->bif;
    }
    const Function *f = e->loaded == NULL ? NULL : module_exported(vm, module, name, arity);
    return f == NULL ? NULL : nif_bound(vm, f);
}

static term call_module(VM *vm, const Tracer *t, term name, const term *args, uint32_t arity) {
    const BifEntry *f = native_function(vm, t->module, name, arity);
    return f == NULL || vm->trace->call_native == NULL ? NONE : vm->trace->call_native(vm, f, args);
}

term tracer_enabled(VM *vm, const Tracer *t, term tag, term tracee) {
    if (t->module != A_erl_tracer) {
        const term args[] = {tag, t->state, tracee};
        term answer = call_module(vm, t, A_enabled, args, 3);
        return answer == NONE ? (tag == A_trace_status ? A_remove : A_discard) : answer;
    }
    if (!target_alive(vm, t->state)) {
        return tag == A_trace_status ? A_remove : A_discard;
    }
    return t->state == tracee ? A_discard : A_trace;
}

bool tracer_is_possible(VM *vm, term module, term state) {
    if (module == A_erl_tracer) {
        return target_alive(vm, state);
    }
    return native_function(vm, module, A_enabled, 3) != NULL && native_function(vm, module, A_trace, 5) != NULL;
}

/* --- Sessions ------------------------------------------------------------------------------------------------------ */

TraceSession *session_new(VM *vm, term name, Tracer *tracer) {
    Trace *t = vm->trace;
    TraceSession *s = MEM_NEW(&vm->mem, MEM_SYSTEM, TraceSession);
    if (s != NULL) {
        *s = (TraceSession){.refs = 1, .number = t->last_session++, .name = name, .tracer = tracer, .monitor.pid = NONE};
        TraceSession **at = &t->sessions;
        while (*at != NULL) {
            at = &(*at)->next;
        }
        *at = s;
    }
    return s;
}

TraceSession *session_of(VM *vm, uint32_t number) {
    TraceSession *s = vm->trace->sessions;
    while (s != NULL && s->number != number) {
        s = s->next;
    }
    return s;
}

static void pattern_clear(VM *vm, MatchSpec **m) {
    if (*m != NULL) {
        resource_release(vm, &(*m)->resource);
        *m = NULL;
    }
}

void session_end(VM *vm, TraceSession *s) {
    if (s->ended) {
        return;
    }
    s->ended = true;
    points_clear(vm, s);
    for (uint32_t i = 0; i < vm->processes->size; i++) {
        Process *p = process_at(vm, i);
        if (p != NULL && trace_if(p) != NULL) {
            tracing_change_process(p, s, NULL, false, TRACE_ALL);
        }
    }
    for (TraceSession **at = &vm->trace->sessions; *at != NULL; at = &(*at)->next) {
        if (*at == s) {
            *at = s->next;
            break;
        }
    }
    monitor_clear(vm, &s->monitor);
    pattern_clear(vm, &s->send.spec);
    pattern_clear(vm, &s->receive.spec);
    pattern_clear(vm, &s->on_load.spec);
    pattern_clear(vm, &s->on_load.meta_spec);
    tracer_release(vm, s->on_load.meta_tracer);
    tracer_release(vm, s->process_tracer);
    tracer_release(vm, s->port_tracer);
    tracer_release(vm, s->tracer);
    s->tracer = s->process_tracer = s->port_tracer = s->on_load.meta_tracer = NULL;
    watch_update(vm);
    session_release(vm, s);
}

void session_release(VM *vm, TraceSession *s) {
    if (__atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        MEM_DELETE(&vm->mem, MEM_SYSTEM, s);
    }
}

/* --- What is traced ------------------------------------------------------------------------------------------------ */

Tracing *tracing_find(Tracing *list, const TraceSession *s) {
    while (list != NULL && list->session != s) {
        list = list->next;
    }
    return list;
}

static void drop(VM *vm, Tracing **at) {
    Tracing *t = *at;
    *at = t->next;
    tracer_release(vm, t->tracer);
    session_release(vm, t->session);
    MEM_DELETE(&vm->mem, MEM_SYSTEM, t);
}

bool tracing_change(VM *vm, Tracing **list, TraceSession *s, Tracer *tracer, bool on, uint32_t flags, term tracee) {
    Tracing **at = list;
    while (*at != NULL && (*at)->session != s) {
        at = &(*at)->next;
    }
    Tracing *t = *at;
    if (t != NULL && tracer != NULL && t->flags != 0 && !tracer_same(vm, t->tracer, tracer) &&
        tracer_enabled(vm, t->tracer, A_trace_status, tracee) != A_remove) {
        return false;
    }
    if (t == NULL) {
        if (!on || flags == 0 || tracer == NULL) {
            return true;
        }
        t = MEM_NEW(&vm->mem, MEM_SYSTEM, Tracing);
        if (t == NULL) {
            return true;
        }
        __atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
        *t = (Tracing){.session = s};
        *at = t;
    }
    t->flags = on ? t->flags | flags : t->flags & ~flags;
    if (tracer != NULL && t->flags != 0) {
        tracer_keep(tracer);
        tracer_release(vm, t->tracer);
        t->tracer = tracer;
    }
    if (t->flags == 0) {
        drop(vm, at);
    }
    return true;
}

void tracing_free(VM *vm, Tracing *list) {
    while (list != NULL) {
        drop(vm, &list);
    }
}

Tracing *tracing_next(VM *vm, Tracing **list, Tracing *after, uint32_t flags, term tag, term tracee) {
    Tracing **at = after == NULL ? list : &after->next;
    while (*at != NULL) {
        Tracing *t = *at;
        if (t->flags & flags) {
            if (tracer_enabled(vm, t->tracer, A_trace_status, tracee) == A_remove) {
                drop(vm, at);
                continue;
            }
            if (tracer_enabled(vm, t->tracer, tag, tracee) == A_trace) {
                return t;
            }
        }
        at = &t->next;
    }
    return NULL;
}

/* --- Processes ----------------------------------------------------------------------------------------------------- */

ProcessTrace *trace_of(Process *p) {
    ProcessExtra *e = process_extra(p);
    if (e != NULL && e->trace == NULL) {
        e->trace = MEM_NEW(&process_vm(p)->mem, MEM_PROCESS, ProcessTrace);
    }
    return e == NULL ? NULL : e->trace;
}

void trace_process_state(Process *p) {
    const ProcessTrace *t = trace_if(p);
    if (t != NULL && (t->list != NULL || t->token != NULL || t->timed != NULL || t->saved != NULL)) {
        process_set(p, STATE_TRACED);
    } else {
        process_clear(p, STATE_TRACED);
    }
}

bool tracing_change_process(Process *p, TraceSession *s, Tracer *tracer, bool on, uint32_t flags) {
    ProcessTrace *t = on ? trace_of(p) : trace_if(p);
    bool ok = t == NULL || tracing_change(process_vm(p), &t->list, s, tracer, on, flags & TRACE_ALL, p->pid);
    trace_process_state(p);
    return ok;
}

/* --- Messages ------------------------------------------------------------------------------------------------------ */

term trace_time(Heap *h, uint32_t flags) {
    VM *vm = h->vm;
    if (flags & TRACE_TIMESTAMP) {
        int64_t now = vm->trace->cpu_time ? clock_cpu(vm) / 1000 : clock_system(vm) / 1000, *last = &vm->processes->clock.last_now;
        if (!vm->trace->cpu_time) {
            now = now <= *last ? *last + 1 : now;
            *last = now;
        }
        return TUPLE3(h, SMALL(now / 1000000000000), SMALL(now / 1000000 % 1000000), SMALL(now % 1000000));
    }
    term monotonic = integer_from_int64(h, clock_monotonic(vm));
    return flags & TRACE_STRICT_MONOTONIC ? TUPLE2(h, monotonic, SMALL(unique_integer(vm))) : monotonic;
}

/* The options of a module's trace/5. */
static term report_options(Heap *h, uint32_t flags, term extra, term result) {
    term pairs[8];
    size_t n = 0;
    if (extra != NONE) {
        pairs[2 * n] = A_extra, pairs[2 * n++ + 1] = extra;
    }
    if (result != A_true) {
        pairs[2 * n] = A_match_spec_result, pairs[2 * n++ + 1] = result;
    }
    if (flags & TRACE_SCHEDULER_ID) {
        pairs[2 * n] = A_scheduler_id, pairs[2 * n++ + 1] = SMALL(1);
    }
    if (flags & TRACE_TIMES) {
        pairs[2 * n] = A_timestamp;
        pairs[2 * n++ + 1] = flags & TRACE_TIMESTAMP ? A_timestamp : flags & TRACE_STRICT_MONOTONIC ? A_strict_monotonic : A_monotonic;
    }
    return map_from_pairs(h, pairs, n);
}

static void report_to_module(VM *vm, const Tracer *t, uint32_t flags, term tracee, term tag, term message, term extra, term result) {
    Heap h;
    heap_init_detached(&h, vm);
    const term args[] = {tag, t->state, tracee, message, report_options(&h, flags, extra, result)};
    if (args[4] != NONE) {
        call_module(vm, t, A_trace, args, 5);
    }
    heap_free_fragments(vm, heap_detach(&h));
}

void trace_send(VM *vm, term to, term message) {
    if (is_local_pid(to)) {
        message_send(vm_scheduler(vm), NULL, to, message);
    } else if (vm->processes->port_report != NULL) {
        vm->processes->port_report(vm, to, message);
    }
}

void trace_report(VM *vm, const Tracer *t, uint32_t flags, term tracee, term tag, term message, term extra, term result) {
    if (t->module != A_erl_tracer) {
        report_to_module(vm, t, flags, tracee, tag, message, extra, result);
        return;
    }
    term tuple[9], *at = tuple + 1;
    Heap times;
    heap_init_detached(&times, vm);
    bool timed = flags & TRACE_TIMES;
    if (tag == A_seq_trace) {
        *at++ = A_seq_trace;
        *at++ = tracee;
    } else {
        *at++ = timed ? A_trace_ts : A_trace;
        *at++ = tracee;
        *at++ = tag;
    }
    *at++ = message;
    if (extra != NONE) {
        *at++ = extra;
    }
    if (result != A_true) {
        *at++ = result;
    }
    if (flags & TRACE_SCHEDULER_ID) {
        *at++ = SMALL(vm_scheduler(vm)->id);
    }
    if (timed) {
        *at++ = trace_time(&times, flags);
    }
    tuple[0] = HEADER((size_t)(at - tuple - 1), KIND_TUPLE);
    trace_send(vm, t->state, make_boxed(tuple));
    heap_free_fragments(vm, heap_detach(&times));
}

void trace_tell(VM *vm, Tracing **list, uint32_t flags, term tracee, term tag, term message, term extra) {
    for (Tracing *t = NULL; (t = tracing_next(vm, list, t, flags, tag, tracee)) != NULL;) {
        trace_report(vm, t->tracer, t->flags, tracee, tag, message, extra, A_true);
    }
}
