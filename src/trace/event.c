/* What proc/ tells: messages, processes that begin and end, slices, collections. */
#include "trace/trace.h"

#include "code/breakpoint.h"
#include "data/integer.h"
#include "platform/platform.h"
#include "proc/schedule.h"
#include "table/tables.h"
#include "term/atom.h"
#include "term/gc.h"
#include "term/ref.h"

/* Whoever has asked for `flags` is told, unless the process keeps its doings to itself. */
static void tell(Process *p, uint32_t flags, term tag, term message, term extra) {
    ProcessTrace *t = trace_if(p);
    if (t == NULL || t->list == NULL || p->state & STATE_SENSITIVE) {
        return;
    }
    trace_tell(process_vm(p), &t->list, flags, p->pid, tag, message, extra);
    if (t->list == NULL) {
        trace_process_state(p);
    }
}

/* --- Messages ------------------------------------------------------------------------------------------------------ */

/* The same for messages, with the sessions' patterns; args: what they are compared with. */
static void tell_of_message(Process *p, uint32_t flag, term tag, term message, term extra, const term *args, size_t count) {
    ProcessTrace *t = trace_if(p);
    VM *vm = process_vm(p);
    if (p->state & STATE_SENSITIVE) {
        return;
    }
    for (Tracing *of = NULL; (of = tracing_next(vm, &t->list, of, flag, tag, p->pid)) != NULL;) {
        const EventPattern *pattern = flag == TRACE_SEND ? &of->session->send : &of->session->receive;
        term result = A_true;
        if (pattern->off) {
            continue;
        }
        if (pattern->spec != NULL) {
            TraceRun run = {.session = of->session};
            Tracer *tracer = tracer_keep(of->tracer);
            uint32_t flags = of->flags;
            result = trace_match(p, pattern->spec, heap_list(&p->heap, args, count, NIL), &run);
            of = tracing_find(t->list, run.session);
            if (result != A_false && !((of == NULL ? flags : of->flags) & TRACE_SILENT)) {
                trace_report(vm, tracer, flags, p->pid, tag, message, extra, result);
            }
            tracer_release(vm, tracer);
            if (of == NULL) {
                break; /* the specification has ended it */
            }
        } else {
            trace_report(vm, of->tracer, of->flags, p->pid, tag, message, extra, A_true);
        }
    }
    trace_process_state(p);
}

static SeqToken *sends(Process *p, term to, term named, term message) {
    ProcessTrace *t = trace_if(p);
    VM *vm = process_vm(p);
    saved_calls_add(p, A_send, NONE, 0);
    if (t->list != NULL) {
        bool nobody = is_local_pid(to) && process_find(vm, to) == NULL;
        const term args[] = {named, message};
        tell_of_message(p, TRACE_SEND, nobody ? A_send_to_non_existing_process : A_send, message, named, args, 2);
    }
    if (t->token == NULL) {
        return NULL;
    }
    if (seq_update(p)) {
        seq_output(p, SEQ_SEND, to, message);
    }
    return seq_keep(t->token);
}

static void told(Process *p, term to, term message) {
    seq_release(process_vm(p), sends(p, to, to, message));
}

static SeqToken *sends_exit(Process *p, term to, term reason) {
    const ProcessTrace *t = trace_if(p);
    if (t == NULL || t->token == NULL) {
        return NULL;
    }
    const Process *q = process_find(process_vm(p), to);
    if (seq_update(p) && q != NULL && !(q->state & STATE_SENSITIVE)) {
        const term message[] = {HEADER(3, KIND_TUPLE), A_EXIT, p->pid, reason};
        seq_output(p, SEQ_SEND, to, make_boxed(message));
    }
    return seq_keep(t->token);
}

static term sender_of(const Signal *m) {
    return m->token == TOKEN_CARRIED ? ((const SeqToken *)m->from)->from : m->from;
}

static void received(Process *p, const Signal *m) {
    term from = sender_of(m), node = A_system;
    if (trace_if(p)->list == NULL) {
        return;
    }
    if (is_pid(from)) {
        node = is_local_pid(from) ? node_name(process_vm(p)) : ((External *)boxed(from))->node;
    } else {
        from = A_undefined;
    }
    const term args[] = {node, from, m->value};
    tell_of_message(p, TRACE_RECEIVE, A_receive, m->value, NONE, args, 3);
}

static void timed_out(Process *p) {
    saved_calls_add(p, A_timeout, NONE, 0);
    const term args[] = {A_clock_service, A_undefined, A_timeout};
    if (trace_if(p)->list != NULL) {
        tell_of_message(p, TRACE_RECEIVE, A_receive, A_timeout, NONE, args, 3);
    }
}

static void taken(Process *p, const Signal *m) {
    saved_calls_add(p, A_receive, NONE, 0);
    if (m->token == TOKEN_STAYS) {
        return;
    }
    if (m->token == TOKEN_NONE) {
        seq_clear(p);
        return;
    }
    ProcessTrace *t = trace_of(p);
    if (t == NULL) {
        return;
    }
    SeqToken *token = seq_keep((SeqToken *)m->from);
    seq_release(process_vm(p), t->token);
    t->token = token;
    t->last_count = token->serial;
    t->clock = MAX(t->clock, token->serial);
    trace_process_state(p);
    seq_output(p, SEQ_RECEIVE, p->pid, m->value);
}

static void token_dropped(VM *vm, Signal *m) {
    bool exit = m->kind == SIGNAL_LINK_EXIT;
    seq_release(vm, exit ? (SeqToken *)(uintptr_t)m->key[1] : (SeqToken *)m->from);
    m->token = TOKEN_NONE;
    m->from = exit ? m->from : NONE;
}

/* --- Processes ----------------------------------------------------------------------------------------------------- */

static void event(Process *p, term what, term data, term extra) {
    tell(p, TRACE_PROCS, what, data, extra);
}

/* What a linked process inherits. */
static void linked(Process *p, term what, term with) {
    event(p, what, with, NONE);
    Process *q = what == A_link ? process_find(process_vm(p), with) : NULL;
    for (Tracing *t = q == NULL ? NULL : trace_if(p)->list; t != NULL; t = t->next) {
        if (t->flags & (TRACE_SET_ON_LINK | TRACE_SET_ON_FIRST_LINK)) {
            uint32_t once = t->flags & TRACE_SET_ON_FIRST_LINK ? TRACE_SET_ON_LINK | TRACE_SET_ON_FIRST_LINK : 0;
            t->flags &= ~once;
            tracing_change_process(q, t->session, t->tracer, true, t->flags & ~once);
        }
    }
}

static void exits(Process *p, term reason) {
    event(p, A_exit, reason, NONE);
}

static bool inherit(Process *p, const Tracing *from, uint32_t flags) {
    return tracing_change_process(p, from->session, from->tracer, true, flags);
}

static void inherit_from(Process *parent, Process *p, bool link) {
    enum { SPAWN = TRACE_SET_ON_SPAWN | TRACE_SET_ON_FIRST_SPAWN, LINK = TRACE_SET_ON_LINK | TRACE_SET_ON_FIRST_LINK };
    for (Tracing *t = trace_if(parent)->list; t != NULL; t = t->next) {
        uint32_t was = t->flags;
        if (was & SPAWN) {
            uint32_t once = was & TRACE_SET_ON_FIRST_SPAWN ? SPAWN : 0;
            inherit(p, t, was & ~once);
            t->flags &= ~once;
        }
        if (link && was & LINK) {
            uint32_t once = was & TRACE_SET_ON_FIRST_LINK ? LINK : 0;
            inherit(p, t, t->flags & ~once);
            t->flags &= ~once;
        }
    }
}

static void inherit_token(Process *parent, Process *p, term function, const SpawnOptions *o) {
    const SeqToken *old = trace_if(parent)->token;
    ProcessTrace *t = old == NULL ? NULL : trace_of(p);
    if (t == NULL) {
        return;
    }
    seq_update(parent);
    t->token = seq_keep(trace_if(parent)->token);
    t->clock = t->last_count = t->token->serial;
    trace_process_state(p);
    term arity = SMALL(p->initial_arity), ref = o->reference != NONE ? o->reference : ref_make(&parent->heap);
    const term mfa[] = {HEADER(3, KIND_TUPLE), element(function, 1), element(function, 2), arity};
    const term request[] = {HEADER(8, KIND_TUPLE), A_spawn_request,     ref, parent->pid, parent->group_leader, make_boxed(mfa), NIL,
                            o->reply_tag,          element(function, 3)};
    seq_output(parent, SEQ_SEND, p->pid, make_boxed(request));
    seq_output(parent, SEQ_RECEIVE, p->pid, make_boxed(request));
    if (seq_update(p)) {
        const term reply[] = {HEADER(4, KIND_TUPLE), o->reply_tag, ref, A_ok, p->pid};
        seq_output(p, SEQ_SEND, parent->pid, make_boxed(reply));
        seq_output(p, SEQ_RECEIVE, parent->pid, make_boxed(reply));
    }
}

static bool spawned(Process *parent, Process *p, term function, const SpawnOptions *o) {
    bool link = o->link;
    VM *vm = process_vm(p);
    for (TraceSession *s = vm->trace->new_processes ? vm->trace->sessions : NULL; s != NULL; s = s->next) {
        if (s->new_processes == 0) {
            continue;
        }
        if (tracer_enabled(vm, s->process_tracer, A_trace_status, p->pid) == A_remove) {
            if (world_is_still(vm_scheduler(vm))) {
                s->new_processes = 0;
                watch_update(vm);
            }
        } else {
            tracing_change_process(p, s, s->process_tracer, true, s->new_processes);
        }
    }
    if (parent != NULL && trace_if(parent) != NULL) {
        inherit_from(parent, p, link);
        inherit_token(parent, p, function, o);
        event(parent, A_spawn, p->pid, function);
        if (link) {
            event(parent, A_link, p->pid, NONE);
        }
    }
    event(p, A_spawned, parent == NULL ? A_undefined : parent->pid, function);
    if (link) {
        event(p, A_getting_linked, parent->pid, NONE);
    }
    return true;
}

static void freed(Process *p) {
    ProcessTrace *t = trace_if(p);
    saved_calls_set(p, 0);
    tracing_free(process_vm(p), t->list);
    seq_release(process_vm(p), t->token);
    MEM_DELETE(&process_vm(p)->mem, MEM_PROCESS, t);
    p->extra->trace = NULL;
}

/* --- Slices -------------------------------------------------------------------------------------------------------- */

/* {Module, Name, Arity} of where the process is, or 0. */
term trace_place(Heap *h, const Process *p, const void *at) {
    VM *vm = process_vm(p);
    if (p->state & STATE_EXITING) {
        return SMALL(0);
    }
    if (at == NULL) { /* it has not begun, or hibernates */
        const term *x = p->heap.sp;
        return p->live < 2 ? SMALL(0) : TUPLE3(h, x[p->live - 2], x[p->live - 1], SMALL(p->live - 2));
    }
    ModuleCode *code;
    Module *m;
    const Function *f = code_find(vm, at, &code, &m);
    if (f != NULL) {
        return TUPLE3(h, m->name, f->name, SMALL(f->arity));
    }
    StubName stub;
    return at == p->ip && !p->native && stub_name(vm, at, &stub) ? TUPLE3(h, stub.module, stub.name, SMALL(stub.arity)) : SMALL(0);
}

static void scheduled(Process *p, term what) {
    bool ends = what == A_in_exiting || what == A_out_exiting || what == A_out_exited;
    if (what == A_in) {
        trace_time_resume(p);
    } else if (what == A_out) {
        trace_time_pause(p);
    }
    if (trace_if(p) == NULL || trace_if(p)->list == NULL) {
        return;
    }
    Heap h;
    heap_init_detached(&h, process_vm(p));
    tell(p, ends ? TRACE_EXITING : TRACE_RUNNING | TRACE_RUNNING_PROCS, what, trace_place(&h, p, p->ip), NONE);
    heap_free_fragments(process_vm(p), heap_detach(&h));
}

/* {profile, Pid, active | inactive, Where, Time} */
static void runnable(Process *p, bool active) {
    VM *vm = process_vm(p);
    const Trace *t = vm->trace;
    if (!t->profile_processes || t->profiler == p->pid || (active && p->state & STATE_EXITING)) {
        return;
    }
    Heap h;
    heap_init_detached(&h, vm);
    term message =
        heap_tuple(&h, 5, A_profile, p->pid, active ? A_active : A_inactive, trace_place(&h, p, p->ip), trace_time(&h, t->profile_time));
    trace_send(vm, t->profiler, message);
    heap_free_fragments(vm, heap_detach(&h));
}

/* --- Collections --------------------------------------------------------------------------------------------------- */

term trace_figures(Heap *h, const TraceFigure *f, size_t n) {
    term list = NIL;
    while (n-- > 0) {
        list = heap_cons(h, TUPLE2(h, f[n].name, SMALL(f[n].value)), list);
    }
    return list;
}

static void collects(Process *p, term what, size_t words) {
    if (what == A_gc_minor_end || what == A_gc_major_end) {
        trace_if(p)->collected += words;
    }
    if (trace_if(p)->list == NULL) {
        return;
    }
    HeapSizes s = gc_sizes(&p->heap);
    // clang-format off
    const TraceFigure f[] = {
        {A_wordsize, words}, {A_old_heap_block_size, s.old_block}, {A_heap_block_size, s.heap_block}, {A_mbuf_size, s.fragments},
        {A_recent_size, 0}, {A_stack_size, s.stack}, {A_old_heap_size, s.old_used}, {A_heap_size, s.heap_used},
        {A_bin_vheap_size, s.buffer_bytes / sizeof(term)}, {A_bin_vheap_block_size, MIN_BINARY_WORDS},
        {A_bin_old_vheap_size, 0}, {A_bin_old_vheap_block_size, MIN_BINARY_WORDS},
    };
    // clang-format on
    Heap h;
    heap_init_detached(&h, process_vm(p));
    size_t first = what == A_gc_max_heap_size; /* there it is not about any words */
    tell(p, TRACE_GC, what, trace_figures(&h, f + first, ARRAY_LEN(f) - first), NONE);
    heap_free_fragments(process_vm(p), heap_detach(&h));
}

/* --- Making and unmaking ------------------------------------------------------------------------------------------- */

static void event_or_link(Process *p, term what, term data, term extra) {
    if (what == A_link) {
        linked(p, what, data);
    } else {
        event(p, what, data, extra);
    }
}

// clang-format off
static const TraceHooks hooks = {
    .sends = sends, .sends_exit = sends_exit, .told = told, .received = received, .taken = taken, .timed_out = timed_out, .event = event_or_link, .exits = exits, .scheduled = scheduled,
    .collects = collects, .freed = freed, .token_dropped = token_dropped, .spawned = spawned, .collected = monitor_collected,
    .ran = monitor_ran, .queue = monitor_queue, .runnable = runnable,
};
// clang-format on

static bool ended(Process *p) {
    VM *vm = process_vm(p);
    Trace *t = vm->trace;
    monitor_ended(p);
    if (t->profiler == p->pid) {
        t->profiler = NONE;
        t->profile_processes = t->profile_ports = t->profile_scheduler = t->profile_exclusive = false;
        watch_update(vm);
    }
    return true;
}

void watch_update(VM *vm) {
    Trace *t = vm->trace;
    bool spawns = false, loads = false;
    for (const TraceSession *s = t->sessions; s != NULL; s = s->next) {
        spawns |= s->new_processes != 0;
        loads |= s->on_load.on;
    }
    uint32_t watch = monitor_watch(t);
    t->new_processes = spawns, t->on_load = loads;
    watch |= (t->profiler != NONE && t->profile_processes ? WATCH_RUNNABLE : 0u) | (spawns ? WATCH_SPAWNS : 0u);
    const Processes *ps = vm->processes;
    for (uint32_t i = 0; i < __atomic_load_n(&ps->started, __ATOMIC_ACQUIRE); i++) {
        Scheduler *s = ps->schedulers[i];
        __atomic_store_n(&s->watch, watch | (watched(s) & WATCH_CHANCE), __ATOMIC_RELAXED);
    }
}

bool trace_init(VM *vm) {
    vm->trace = MEM_NEW(&vm->mem, MEM_SYSTEM, Trace);
    if (vm->trace == NULL) {
        return false;
    }
    vm->trace->profiler = NONE;
    vm->processes->trace = &hooks;
    points_init(vm);
    return session_new(vm, A_default, NULL) != NULL && processes_on_end(vm, ended);
}

void trace_done(VM *vm) {
    if (vm->trace == NULL) {
        return;
    }
    while (vm->trace->sessions != NULL) {
        session_end(vm, vm->trace->sessions);
    }
    tracer_release(vm, vm->trace->seq_tracer);
    points_done(vm);
    MEM_DELETE(&vm->mem, MEM_SYSTEM, vm->trace);
    vm->trace = NULL;
}
