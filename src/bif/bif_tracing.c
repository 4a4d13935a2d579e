/* Tracing: who is traced, and which functions. */
#include "bif/bif_tracing.h"
#include "bif/bif_state.h"
#include "bif/guards.h"

#include "data/integer.h"
#include "io/port.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "proc/spawn.h"
#include "term/copy.h"

#define GUARD_STILL
#include "bif/guarded.h"

/* --- Sessions ------------------------------------------------------------------------------------------------------ */

/* A session in Erlang's hands: a magic reference, and it ends with it. */
typedef struct {
    Resource resource;
    uint32_t number;
    bool weak; /* made by trace_info: does not end the session */
} SessionHandle;

static void handle_destroy(VM *vm, Resource *r) {
    const SessionHandle *h = (SessionHandle *)r;
    TraceSession *s = vm->trace == NULL || h->weak ? NULL : session_of(vm, h->number);
    if (s != NULL) {
        session_end(vm, s);
    }
    state_free(vm, r, sizeof *h);
}

static term session_term(Process *p, const TraceSession *s, bool weak) {
    if (s->number == 0) {
        return A_default;
    }
    term ref;
    SessionHandle *h = state_new(p, sizeof *h, handle_destroy, &ref);
    if (h == NULL) {
        return NONE;
    }
    h->number = s->number;
    h->weak = weak;
    return TUPLE2(HEAP(p), ref, TUPLE2(HEAP(p), s->name, SMALL(s->number)));
}

TraceSession *trace_session_arg(Process *p, term t) {
    if (t == A_default || is_tuple_of(t, 2)) {
        if (t == A_default || element(t, 1) == A_default) {
            return session_of(process_vm(p), 0);
        }
        const SessionHandle *h = state_of(element(t, 1), handle_destroy);
        if (h != NULL) {
            return session_of(process_vm(p), h->number);
        }
        term weak = element(t, 2); /* {Name, Number}, as session_info shows it */
        if (is_tuple_of(weak, 2) && is_small(element(weak, 2))) {
            return session_of(process_vm(p), (uint32_t)small_value(element(weak, 2)));
        }
    }
    const SessionHandle *h = state_of(t, handle_destroy);
    return h == NULL ? NULL : session_of(process_vm(p), h->number);
}

/* Name, Tracer, Options. */
BIF(erts_internal, trace_session_create, 3) {
    VM *vm = process_vm(p);
    if (!is_atom(a[0])) {
        return raise_error_cause(p, A_badarg, A_badopt);
    }
    if (a[2] != NIL) {
        return raise_error_cause(p, A_badarg, A_badopt);
    }
    Tracer *tracer = NULL;
    bool module = is_tuple_of(a[1], 2) && is_atom(element(a[1], 1));
    term state = module ? element(a[1], 2) : a[1];
    if ((!module && !is_local_pid(state) && !is_local_port(state)) ||
        !tracer_is_possible(vm, module ? element(a[1], 1) : A_erl_tracer, state)) {
        return raise_error_cause(p, A_badarg, A_badopt);
    }
    tracer = tracer_new(vm, module ? element(a[1], 1) : A_erl_tracer, state);
    TraceSession *s = tracer == NULL ? NULL : session_new(vm, a[0], tracer);
    term made = s == NULL ? NONE : session_term(p, s, false);
    return made == NONE ? raise_error(p, A_system_limit) : made;
}

BIF(erts_internal, trace_session_destroy, 1) {
    TraceSession *s = trace_session_arg(p, a[0]);
    if (s == NULL) {
        return is_tuple_of(a[0], 2) || is_ref(a[0]) ? A_false : raise_badarg(p);
    }
    if (s->number == 0) {
        return raise_badarg(p);
    }
    session_end(process_vm(p), s);
    return A_true;
}

/* --- trace --------------------------------------------------------------------------------------------------------- */

typedef struct {
    VM *vm;
    TraceSession *s;
    Tracer *tracer;
    bool on, cpu_time;
    uint32_t flags;
    intptr_t count;
} Change;

static void change_processes(Change *c) {
    for (uint32_t i = 0; i < c->vm->processes->size; i++) {
        Process *q = process_at(c->vm, i);
        if (q != NULL && !(q->state & STATE_EXITING)) {
            c->count += tracing_change_process(q, c->s, c->tracer, c->on, c->flags);
        }
    }
}

static bool change_port(Change *c, Port *port) {
    return tracing_change(c->vm, &port->traced, c->s, c->tracer, c->on, c->flags & TRACE_OF_PORTS, port->id);
}

static void change_ports(Change *c) {
    size_t at = 0;
    for (Port *port; (port = ports_next(c->vm, &at)) != NULL;) {
        c->count += change_port(c, port);
    }
}

static void change_new(uint32_t *flags, Tracer **tracer, Change *c, uint32_t mask) {
    *flags = c->on ? *flags | (c->flags & mask) : *flags & ~(c->flags & mask);
    if (c->on) {
        tracer_keep(c->tracer);
        tracer_release(c->vm, *tracer);
        *tracer = c->tracer;
    }
    if (*flags == 0) {
        tracer_release(c->vm, *tracer);
        *tracer = NULL;
    }
}

/* all, new, existing ... False: it is none of them. */
static bool change_many(term spec, Change *c) {
    bool all = spec == A_all, processes = spec == A_processes, ports = spec == A_ports;
    bool now = all || processes || ports || spec == A_existing || spec == A_existing_processes || spec == A_existing_ports;
    bool later = all || processes || ports || spec == A_new || spec == A_new_processes || spec == A_new_ports;
    bool only_processes = processes || spec == A_existing_processes || spec == A_new_processes;
    bool only_ports = ports || spec == A_existing_ports || spec == A_new_ports;
    if (now) {
        bool of_processes = c->flags & (TRACE_OF_PROCESSES & ~TRACE_OF_BOTH), of_ports = c->flags & (TRACE_OF_PORTS & ~TRACE_OF_BOTH);
        bool of_both = c->flags & TRACE_OF_BOTH;
        if (!only_ports && (of_processes || of_both)) {
            change_processes(c);
        }
        if (!only_processes && (of_ports || of_both)) {
            change_ports(c);
        }
    }
    if (later) {
        if (c->flags & TRACE_OF_PROCESSES && !only_ports) {
            change_new(&c->s->new_processes, &c->s->process_tracer, c, TRACE_OF_PROCESSES);
        }
        if (c->flags & TRACE_OF_PORTS && !only_processes) {
            change_new(&c->s->new_ports, &c->s->port_tracer, c, TRACE_OF_PORTS);
        }
        watch_update(c->vm);
    }
    return now || later;
}

/* False: badarg. */
static bool change_one(Process *p, term spec, Change *c) {
    bool changed = false;
    if (is_local_pid(spec)) {
        Process *q = process_find(c->vm, spec);
        if (q == NULL) {
            return false;
        }
        changed = tracing_change_process(q, c->s, c->tracer, c->on, c->flags);
    } else {
        Port *port = port_find(c->vm, spec);
        if (port == NULL) {
            return false;
        }
        changed = change_port(c, port);
    }
    c->count = changed;
    if (!changed) {
        log_send(c->vm, A_error, "** can only have one tracer per process~n", NIL, p->group_leader, p->pid);
    }
    return changed;
}

static bool change(Process *p, term spec, term how, Change *c) {
    if (how != A_true && how != A_false) {
        return false;
    }
    c->on = how == A_true;
    if (c->on && c->s->tracer != NULL) {
        tracer_release(c->vm, c->tracer);
        c->tracer = tracer_keep(c->s->tracer);
    } else if (c->on && c->tracer == NULL) {
        c->tracer = tracer_new(c->vm, A_erl_tracer, p->pid);
    }
    if (is_local_pid(spec) || is_local_port(spec)) {
        return !c->cpu_time && change_one(p, spec, c);
    }
    if (!is_atom(spec) || (c->cpu_time && spec != A_all)) {
        return false;
    }
    if (c->cpu_time) {
        c->vm->trace->cpu_time = c->on;
    }
    return change_many(spec, c);
}

static term trace(Process *p, TraceSession *s, term spec, term how, term flags) {
    Change c = {.vm = process_vm(p), .s = s};
    if (s == NULL) {
        return raise_error_cause(p, A_badarg, A_session);
    }
    if (!trace_parse_flags(c.vm, flags, &c.flags, &c.tracer, &c.cpu_time)) {
        return raise_error_cause(p, A_badarg, A_badopt);
    }
    bool ok = change(p, spec, how, &c);
    tracer_release(c.vm, c.tracer);
    return ok ? SMALL(c.count) : raise_badarg(p);
}

BIF(erts_internal, trace, 3) {
    return trace(p, process_vm(p)->trace->sessions, a[0], a[1], a[2]);
}

BIF(erts_internal, trace, 4) {
    return trace(p, trace_session_arg(p, a[0]), a[1], a[2], a[3]);
}

/* {trace_delivered, Tracee, Ref} when all that has happened has been told: messages are sent at once, so it has. */
BIF(erlang, trace_delivered, 1) {
    if (a[0] != A_all && !is_local_pid(a[0])) {
        return raise_badarg(p);
    }
    term ref = ref_make(HEAP(p));
    return message_send(p->scheduler, NULL, p->pid, TUPLE3(HEAP(p), A_trace_delivered, a[0], ref)) ? ref : bif_no_memory(p);
}

/* --- trace_pattern ------------------------------------------------------------------------------------------------- */

/* Flags of patterns. False: a mistake. */
static bool parse_pattern_flags(Process *p, TraceSession *s, term list, TracePattern *t) {
    VM *vm = process_vm(p);
    bool global = false;
    for (; is_cons(list); list = tail(list)) {
        term o = head(list);
        uint32_t flag;
        switch (o) {
        case A_global: flag = 0; break;
        case A_local: flag = POINT_LOCAL; break;
        case A_meta: flag = POINT_META; break;
        case A_call_count: flag = POINT_COUNT; break;
        case A_call_time: flag = POINT_TIME; break;
        case A_call_memory: flag = POINT_MEMORY; break;
        default:
            if (!is_tuple(o) || !trace_parse_tracer(vm, A_meta, o, &t->meta_tracer)) {
                return false;
            }
            flag = POINT_META;
        }
        if (flag == 0 ? t->flags != 0 : global) {
            return false;
        }
        global |= flag == 0;
        t->flags |= flag;
    }
    if (t->flags & POINT_META && t->meta_tracer == NULL) {
        t->meta_tracer = s->tracer != NULL ? tracer_keep(s->tracer) : tracer_new(vm, A_erl_tracer, p->pid);
    }
    return list == NIL;
}

static void set_load_spec(VM *vm, MatchSpec **to, MatchSpec *m) {
    if (m != NULL) {
        resource_keep(&m->resource);
    }
    if (*to != NULL) {
        resource_release(vm, &(*to)->resource);
    }
    *to = m;
}

static void set_on_load(VM *vm, TraceSession *s, const TracePattern *t) {
    LoadPattern *l = &s->on_load;
    bool on = t->how != PATTERN_OFF;
    enum { COUNTS = POINT_COUNT | POINT_TIME | POINT_MEMORY };
    if (t->flags & POINT_LOCAL || t->flags == 0) {
        set_load_spec(vm, &l->spec, t->spec);
    }
    if (t->flags & POINT_META || t->flags == 0) {
        bool meta = t->flags & POINT_META;
        set_load_spec(vm, &l->meta_spec, meta ? t->spec : NULL);
        tracer_release(vm, l->meta_tracer);
        l->meta_tracer = meta ? tracer_keep(t->meta_tracer) : NULL;
    }
    uint32_t flags = t->how == PATTERN_ON ? t->flags : t->flags & ~(uint32_t)COUNTS;
    if (l->on && l->flags != 0 && t->flags != 0) { /* breakpoints before and now */
        l->flags = on ? l->flags | flags : l->flags & ~t->flags;
        l->on = l->flags != 0;
    } else if (l->flags == 0 && t->flags == 0) {
        l->on = on;
    } else if (on) {
        l->flags = flags;
        l->on = true;
    }
    watch_update(vm);
}

/* {Module, Name, Arity}, with '_' for all at the end. */
static bool parse_function(term t, FunctionPattern *f) {
    if (!is_tuple_of(t, 3) || !is_atom(element(t, 1)) || !is_atom(element(t, 2)) ||
        (!is_small(element(t, 3)) && element(t, 3) != A_underscore)) {
        return false;
    }
    f->parts = 0;
    while (f->parts < 3 && element(t, f->parts + 1) != A_underscore) {
        f->parts++;
    }
    for (unsigned i = f->parts; i < 3; i++) {
        if (element(t, i + 1) != A_underscore) {
            return false;
        }
    }
    f->module = element(t, 1), f->name = element(t, 2);
    f->arity = f->parts == 3 ? (uint32_t)small_value(element(t, 3)) : 0;
    return true;
}

static term set_event(VM *vm, EventPattern *e, const TracePattern *t) {
    set_load_spec(vm, &e->spec, t->spec);
    e->off = t->how == PATTERN_OFF;
    return SMALL(vm == NULL ? 0 : 1);
}

/* NONE: *cause says why. */
static term set_pattern(Process *p, TraceSession *s, term what, const TracePattern *t, term *cause) {
    VM *vm = process_vm(p);
    *cause = A_none;
    if (t->spec != NULL && !(t->flags & (POINT_LOCAL | POINT_META)) && t->flags != 0) {
        *cause = t->flags & POINT_COUNT ? A_call_count : t->flags & POINT_TIME ? A_call_count : A_none;
        return NONE;
    }
    if (what == A_on_load) {
        set_on_load(vm, s, t);
        return SMALL(0);
    }
    if (what == A_send || what == A_receive) {
        if (t->flags != 0 || t->how > PATTERN_ON) {
            return NONE;
        }
        return set_event(vm, what == A_send ? &s->send : &s->receive, t);
    }
    FunctionPattern f;
    if (!parse_function(what, &f)) {
        return NONE;
    }
    int64_t matched = points_set(vm, s, &f, t);
    return matched < 0 ? NONE : SMALL(matched);
}

static term trace_pattern(Process *p, TraceSession *s, term what, term spec, term flags) {
    VM *vm = process_vm(p);
    TracePattern t = {.how = PATTERN_ON};
    if (s == NULL) {
        return raise_error_cause(p, A_badarg, A_session);
    }
    if (spec == A_false) {
        t.how = PATTERN_OFF;
    } else if (spec == A_restart || spec == A_pause) {
        t.how = spec == A_pause ? PATTERN_PAUSE : PATTERN_RESTART;
    } else if (spec != NIL && spec != A_true) {
        MatchOptions o = {.lookup = guard_lookup,
                          .dialect = MATCH_TRACE,
                          .forms = trace_forms,
                          .form_count = trace_form_count,
                          .no_call = what == A_send || what == A_receive};
        term reason;
        t.spec = match_compile(vm, spec, &o, &reason);
        if (t.spec == NULL) {
            return raise_error_cause(p, reason, A_match_spec);
        }
    }
    term cause = A_badopt, result = NONE;
    bool global = flags == NIL;
    for (term l = flags; is_cons(l); l = tail(l)) {
        global |= head(l) == A_global;
    }
    if (parse_pattern_flags(p, s, flags, &t)) {
        bool event = what == A_send || what == A_receive;
        result = event && flags != NIL && global ? NONE : set_pattern(p, s, what, &t, &cause);
    }
    tracer_release(vm, t.meta_tracer);
    if (t.spec != NULL) {
        resource_release(vm, &t.spec->resource);
    }
    return result == NONE ? raise_error_cause(p, A_badarg, cause) : result;
}

BIF(erts_internal, trace_pattern, 3) {
    return trace_pattern(p, process_vm(p)->trace->sessions, a[0], a[1], a[2]);
}

BIF(erts_internal, trace_pattern, 4) {
    return trace_pattern(p, trace_session_arg(p, a[0]), a[1], a[2], a[3]);
}

/* Calls of the functions that match go to error_handler:breakpoint/3, or the caller's own error handler: OTP's debugger lives on it. */
BIF(erts_debug, breakpoint, 2) {
    FunctionPattern f;
    if ((a[1] != A_true && a[1] != A_false) || !parse_function(a[0], &f)) {
        return raise_badarg(p);
    }
    VM *vm = process_vm(p);
    const TracePattern t = {.how = a[1] == A_true ? PATTERN_ON : PATTERN_OFF, .flags = POINT_DEBUG};
    int64_t matched = points_set(vm, vm->trace->sessions, &f, &t);
    return matched < 0 ? raise_error(p, A_system_limit) : SMALL(matched);
}

/* --- trace_info ---------------------------------------------------------------------------------------------------- */

static term pair(Process *p, term key, term value) {
    return TUPLE2(HEAP(p), key, value);
}

static term tracing_info(Process *p, uint32_t flags, const Tracer *tracer, term key) {
    if (key == A_flags) {
        return pair(p, key, trace_flags_term(HEAP(p), flags));
    }
    if (key == A_tracer) {
        return pair(p, key, tracer == NULL ? NIL : tracer_term(HEAP(p), tracer));
    }
    return raise_badarg(p);
}

/* Of a process or port; a tracer that is gone is forgotten first. */
static term list_info(Process *p, Tracing **list, const TraceSession *s, term tracee, term key) {
    VM *vm = process_vm(p);
    Tracing *t = tracing_find(*list, s);
    if (t != NULL && tracer_enabled(vm, t->tracer, A_trace_status, tracee) == A_remove) {
        tracing_change(vm, list, t->session, NULL, false, TRACE_ALL, tracee);
        t = NULL;
    }
    return tracing_info(p, t == NULL ? 0 : t->flags, t == NULL ? NULL : t->tracer, key);
}

static term new_info(Process *p, uint32_t *flags, Tracer **tracer, term key) {
    VM *vm = process_vm(p);
    if (*tracer != NULL && tracer_enabled(vm, *tracer, A_trace_status, A_undefined) == A_remove) {
        tracer_release(vm, *tracer);
        *tracer = NULL;
        *flags = 0;
        watch_update(vm);
    }
    return tracing_info(p, *flags, *tracer, key);
}

static term sessions_info(Process *p) {
    term list = NIL;
    for (const TraceSession *s = process_vm(p)->trace->sessions; s != NULL && list != NONE; s = s->next) {
        if (s == process_vm(p)->trace->saver) {
            continue; /* nobody's */
        }
        term t = session_term(p, s, true);
        list = t == NONE ? NONE : heap_cons(HEAP(p), t, list);
    }
    return list == NONE ? raise_error(p, A_system_limit) : pair(p, A_session, list);
}

static term process_info(Process *p, TraceSession *s, term what, term key) {
    VM *vm = process_vm(p);
    Tracing *none = NULL;
    if (what == A_new || what == A_new_processes) {
        return new_info(p, &s->new_processes, &s->process_tracer, key);
    }
    if (what == A_new_ports) {
        return new_info(p, &s->new_ports, &s->port_tracer, key);
    }
    if (is_local_port(what)) {
        Port *port = port_find(vm, what);
        return port == NULL ? A_undefined : list_info(p, &port->traced, s, what, key);
    }
    if (is_external(what, EXTERNAL_PID)) {
        return A_undefined;
    }
    if (!is_local_pid(what)) {
        return raise_error_cause(p, A_badarg, A_badopt);
    }
    if (key != A_flags && key != A_tracer) {
        return raise_badarg(p);
    }
    Process *q = process_find(vm, what);
    if (q == NULL) {
        return A_undefined;
    }
    term info = list_info(p, trace_if(q) == NULL ? &none : &trace_if(q)->list, s, what, key);
    trace_process_state(q);
    return info;
}

static term spec_term(Process *p, const MatchSpec *m) {
    return m == NULL ? NIL : term_copy(HEAP(p), match_source(m));
}

/* One item of a function; NONE: there is no such item. */
static term point_item(Process *p, const TracePoint *t, term key) {
    uint32_t flags = t == NULL ? 0 : t->flags;
    switch (key) {
    case A_traced: return flags & POINT_GLOBAL ? A_global : flags & POINT_LOCAL ? A_local : A_false;
    case A_match_spec: return flags & (POINT_GLOBAL | POINT_LOCAL) ? spec_term(p, t->spec) : A_false;
    case A_meta: return flags & POINT_META && t->meta_tracer != NULL ? tracer_term(HEAP(p), t->meta_tracer) : flags != 0 ? NIL : A_false;
    case A_meta_match_spec: return flags & POINT_META ? spec_term(p, t->meta_spec) : A_false;
    case A_call_count: return flags & POINT_COUNT ? integer_from_uint64(HEAP(p), t->count) : A_false;
    case A_call_time: return flags & POINT_TIME ? call_costs_term(HEAP(p), &t->time, false) : A_false;
    case A_call_memory: return flags & POINT_MEMORY ? call_costs_term(HEAP(p), &t->memory, true) : A_false;
    default: return NONE;
    }
}

static term all_items(Process *p, const TracePoint *t) {
    static const term keys[] = {A_traced, A_match_spec, A_meta, A_meta_match_spec, A_call_time, A_call_count};
    term list = NIL;
    for (size_t i = ARRAY_LEN(keys); i-- > 0;) {
        term value = point_item(p, t, keys[i]);
        list = heap_cons(HEAP(p), pair(p, keys[i], keys[i] == A_meta && value == NIL ? A_false : value), list);
    }
    return list;
}

static term function_info(Process *p, const TraceSession *s, term what, term key) {
    FunctionPattern f;
    if (!parse_function(what, &f) || f.parts != 3) {
        return raise_badarg(p);
    }
    bool exists;
    const TracePoint *t = point_find(process_vm(p), s, &f, &exists);
    if (!exists) {
        return pair(p, key, A_undefined);
    }
    if (t == NULL) {
        return pair(p, key, A_false);
    }
    term value = key == A_all ? all_items(p, t) : point_item(p, t, key);
    return value == NONE ? raise_badarg(p) : pair(p, key, value);
}

static term load_item(Process *p, const LoadPattern *l, term key) {
    bool plain = l->flags == 0 || l->flags & POINT_LOCAL;
    switch (key) {
    case A_traced: return l->flags == 0 ? A_global : l->flags & POINT_LOCAL ? A_local : A_false;
    case A_match_spec: return plain ? spec_term(p, l->spec) : A_false;
    case A_meta: return l->flags & POINT_META ? tracer_term(HEAP(p), l->meta_tracer) : A_false;
    case A_meta_match_spec: return l->flags & POINT_META ? spec_term(p, l->meta_spec) : A_false;
    case A_call_count: return l->flags & POINT_COUNT ? A_true : A_false;
    case A_call_time: return l->flags & POINT_TIME ? A_true : A_false;
    case A_call_memory: return l->flags & POINT_MEMORY ? A_true : A_false;
    default: return NONE;
    }
}

static term load_info(Process *p, const LoadPattern *l, term key) {
    static const term keys[] = {A_traced, A_match_spec, A_meta, A_meta_match_spec, A_call_count};
    if (!l->on) {
        return pair(p, key, A_false);
    }
    if (key != A_all) {
        term value = load_item(p, l, key);
        return value == NONE ? raise_badarg(p) : pair(p, key, value);
    }
    term list = NIL;
    for (size_t i = ARRAY_LEN(keys); i-- > 0;) {
        list = heap_cons(HEAP(p), pair(p, keys[i], load_item(p, l, keys[i])), list);
    }
    return pair(p, key, list);
}

static term trace_info(Process *p, TraceSession *s, term what, term key) {
    if (s == NULL) {
        return raise_error_cause(p, A_badarg, A_session);
    }
    if (key == A_session) {
        return sessions_info(p);
    }
    if (what == A_on_load) {
        return load_info(p, &s->on_load, key);
    }
    if (what == A_system) {
        return key != A_all ? raise_badarg(p) : pair(p, what, monitor_info(p, s));
    }
    if (what == A_send || what == A_receive) {
        const EventPattern *e = what == A_send ? &s->send : &s->receive;
        return key != A_match_spec ? raise_badarg(p) : pair(p, key, e->off ? A_false : e->spec == NULL ? A_true : spec_term(p, e->spec));
    }
    if (is_tuple(what)) {
        return function_info(p, s, what, key);
    }
    return process_info(p, s, what, key);
}

BIF(erlang, trace_info, 2) {
    return trace_info(p, process_vm(p)->trace->sessions, a[0], a[1]);
}

BIF(erts_internal, trace_info, 3) {
    if (a[0] == A_any) { /* which sessions trace it */
        return sessions_info(p);
    }
    return trace_info(p, trace_session_arg(p, a[0]), a[1], a[2]);
}
