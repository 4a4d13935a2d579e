/* Calls of traced functions: telling of them, and leaving frames on the stack to hear of their ends.

   A frame of ours begins with a return address, vm->returns_traced. Above it (towards the callers):

       FRAME_RETURN, FRAME_RAISE  what, module, name, arity, tracer   tells of the value, or of an exception, too
       FRAME_TO                   what                                tells where the process returns to
       FRAME_TIME                 what, function                      what has been called is paid for; function: who pays from now on
       FRAME_TAIL                 what, address                       a built-in that was called last: as if it would return there

   `what` is a small integer: the kind and the number of the session. tracer: [], or that of a meta trace. */
#include "trace/trace.h"

#include "code/breakpoint.h"
#include "code/code.h"
#include "code/emit.h"
#include "data/bit_match.h"
#include "platform/platform.h"
#include "proc/collect.h"
#include "proc/schedule.h"
#include "term/atom.h"

enum { FRAME_RETURN, FRAME_RAISE, FRAME_TO, FRAME_TIME, FRAME_TAIL, FRAME_KIND_BITS = 3 };
static const size_t frame_words[] = {[FRAME_RETURN] = 6, [FRAME_RAISE] = 6, [FRAME_TO] = 2, [FRAME_TIME] = 3, [FRAME_TAIL] = 3};
/* Where things are in a frame, from its return address on. */
enum { FRAME_WHAT = 1, FRAME_MODULE, FRAME_NAME, FRAME_ARITY, FRAME_TRACER, FRAME_FUNCTION = FRAME_MODULE, FRAME_ADDRESS = FRAME_MODULE };

static int kind_of_frame(const term *frame) {
    return (int)(small_value(frame[FRAME_WHAT]) & ((1 << FRAME_KIND_BITS) - 1));
}

static uint32_t session_of_frame(const term *frame) {
    return (uint32_t)(small_value(frame[FRAME_WHAT]) >> FRAME_KIND_BITS);
}

static bool is_frame(const VM *vm, const term *at) {
    return *at == (term)vm->returns_traced;
}

static bool is_bridge(const VM *vm, term t) {
    return vm->returns_native != NULL && (t == (term)vm->returns_interpreted || t == (term)vm->returns_native);
}

const term *trace_skip(Process *p, const term *sp) {
    const VM *vm = process_vm(p);
    const term *end = p->heap.end;
    while (sp < end) {
        if (is_frame(vm, sp) && kind_of_frame(sp) == FRAME_TAIL) {
            return sp + FRAME_ADDRESS;
        }
        if (is_frame(vm, sp)) {
            sp += frame_words[kind_of_frame(sp)];
        } else if (is_header(*sp) && !is_bridge(vm, *sp)) {
            return sp;
        } else {
            sp++;
        }
    }
    return NULL;
}

/* A frame on top of the stack: below it return addresses that lead between the engines. */
static const term *top_frame(const Process *p) {
    const term *sp = p->heap.sp;
    while (sp < p->heap.end && is_bridge(process_vm(p), *sp)) {
        sp++;
    }
    return sp < p->heap.end && is_frame(process_vm(p), sp) && kind_of_frame(sp) != FRAME_TAIL ? sp : NULL;
}

/* Room for so many words on the stack. */
static term *push(Process *p, size_t words, uint32_t arity) {
    Heap *h = &p->heap;
    if ((size_t)(h->sp - h->top) < words + HEAP_RESERVE && !process_collect(p, words, arity)) {
        return NULL;
    }
    h->sp -= words;
    h->sp[0] = (term)process_vm(p)->returns_traced;
    p->flags |= FLAG_TRACE_FRAMES;
    return h->sp;
}

bool trace_tail_call(Process *p, const Unit *ip, uint32_t arity) {
    term *frame = push(p, frame_words[FRAME_TAIL], arity);
    if (frame != NULL) {
        frame[FRAME_WHAT] = SMALL(FRAME_TAIL);
        frame[FRAME_ADDRESS] = (term)(ip + 1);
    }
    return frame != NULL;
}

static term what_of(int kind, const TraceSession *s) {
    return SMALL((intptr_t)((uintptr_t)s->number << FRAME_KIND_BITS | (unsigned)kind));
}

/* --- Calls --------------------------------------------------------------------------------------------------------- */

/* The arguments as a list; match contexts as the bits that are left. */
static term arguments(Process *p, uint32_t arity) {
    Heap *h = &p->heap;
    const term *x = p->scheduler->x;
    term list = NIL;
    for (uint32_t i = arity; i-- > 0;) {
        list = heap_cons(h, is_kind(x[i], KIND_MATCH) ? match_tail(h, match_of(x[i])) : x[i], list);
    }
    return list;
}

typedef struct {
    const Tracer *tracer;
    uint32_t flags;
    bool returns, exceptions, to; /* wants to hear of these ends */
} CallTrace;

/* Runs the specification and tells. */
static void tell_call(Process *p, const Traced *t, const TracePoint *point, bool meta, CallTrace *c) {
    Heap *h = &p->heap;
    MatchSpec *spec = meta ? point->meta_spec : point->spec;
    TraceRun run = {.session = point->session, .message = A_true, .caller = trace_skip(p, h->sp)};
    term args = NONE, result = A_true;
    if (spec != NULL) {
        args = arguments(p, t->arity);
        result = trace_match(p, spec, args, &run);
    }
    if (!meta) { /* the specification may have changed flags */
        const Tracing *of = tracing_find(trace_if(p)->list, run.session);
        c->flags = of == NULL ? c->flags : of->flags;
        if (c->flags & TRACE_SILENT) {
            return;
        }
    }
    c->returns = run.returns;
    c->exceptions = run.exceptions;
    if (result == A_false) {
        return;
    }
    c->to = !meta && point->flags & POINT_LOCAL && c->flags & TRACE_RETURN_TO;
    if (c->flags & TRACE_ARITY) {
        args = SMALL(t->arity);
    } else if (args == NONE) {
        args = arguments(p, t->arity);
    }
    const term mfa[] = {HEADER(3, KIND_TUPLE), t->module, t->name, args};
    trace_report(process_vm(p), c->tracer, c->flags, p->pid, A_call, make_boxed(mfa), NONE, result);
}

/* False: no memory. */
static bool leave_frames(Process *p, const Traced *t, const TracePoint *point, const CallTrace *c, term meta_tracer) {
    if (c->to) {
        const term *top = top_frame(p);
        bool there = false;
        for (; top != NULL && is_frame(process_vm(p), top) && kind_of_frame(top) != FRAME_TAIL; top += frame_words[kind_of_frame(top)]) {
            there |= kind_of_frame(top) == FRAME_TO && session_of_frame(top) == point->session->number;
        }
        term *frame = there ? NULL : push(p, frame_words[FRAME_TO], t->arity);
        if (frame == NULL && !there) {
            return false;
        }
        if (frame != NULL) {
            frame[FRAME_WHAT] = what_of(FRAME_TO, point->session);
        }
    }
    if (c->returns || c->exceptions) {
        term *frame = push(p, frame_words[FRAME_RETURN], t->arity);
        if (frame == NULL) {
            return false;
        }
        frame[FRAME_WHAT] = what_of(c->exceptions ? FRAME_RAISE : FRAME_RETURN, point->session);
        frame[FRAME_MODULE] = t->module, frame[FRAME_NAME] = t->name, frame[FRAME_ARITY] = SMALL(t->arity);
        frame[FRAME_TRACER] = meta_tracer;
    }
    return true;
}

/* Does somebody trace the process's calls? A tracer that is gone no longer does. NULL: nobody. */
static const Tracing *traces_calls(Process *p, TraceSession *s) {
    VM *vm = process_vm(p);
    ProcessTrace *t = trace_if(p);
    const Tracing *of = t == NULL ? NULL : tracing_find(t->list, s);
    if (of != NULL && of->flags & TRACE_CALL && tracer_enabled(vm, of->tracer, A_trace_status, p->pid) == A_remove) {
        tracing_change(vm, &t->list, s, NULL, false, TRACE_ALL, p->pid);
        trace_process_state(p);
        return NULL;
    }
    return of != NULL && of->flags & TRACE_CALL ? of : NULL;
}

static bool trace_for_process(Process *p, const Traced *t, const TracePoint *point) {
    VM *vm = process_vm(p);
    const Tracing *of = traces_calls(p, point->session);
    if (of == NULL) {
        return true;
    }
    if (tracer_enabled(vm, of->tracer, A_call, p->pid) != A_trace) {
        return true;
    }
    Tracer *tracer = tracer_keep(of->tracer); /* the specification may end it */
    CallTrace c = {.tracer = tracer, .flags = of->flags};
    tell_call(p, t, point, false, &c);
    tracer_release(vm, tracer);
    return leave_frames(p, t, point, &c, NIL);
}

static bool trace_for_meta(Process *p, const Traced *t, TracePoint *point) {
    VM *vm = process_vm(p);
    if (point->meta_tracer == NULL) {
        return true;
    }
    if (tracer_enabled(vm, point->meta_tracer, A_trace_status, p->pid) == A_remove) {
        tracer_release(vm, point->meta_tracer);
        point->meta_tracer = NULL;
        return true;
    }
    if (tracer_enabled(vm, point->meta_tracer, A_call, p->pid) != A_trace) {
        return true;
    }
    CallTrace c = {.tracer = point->meta_tracer, .flags = TRACE_CALL | TRACE_TIMESTAMP};
    tell_call(p, t, point, true, &c);
    return leave_frames(p, t, point, &c, c.returns || c.exceptions ? tracer_term(&p->heap, point->meta_tracer) : NIL);
}

/* --- What calls cost ----------------------------------------------------------------------------------------------- */

void call_costs_free(VM *vm, CallCosts *c) {
    mem_free(&vm->mem, MEM_SYSTEM, c->at, c->room * sizeof *c->at);
    *c = (CallCosts){0};
}

static CallCost *cost_slot(CallCost *at, uint32_t room, uint32_t pid_number) {
    uint32_t i = pid_number & (room - 1);
    while (at[i].used && at[i].pid_number != pid_number) {
        i = (i + 1) & (room - 1);
    }
    return &at[i];
}

static void costs_add_alone(VM *vm, CallCosts *c, uint32_t pid_number, uint64_t calls, uint64_t cost) {
    if (2 * (c->count + 1) > c->room) {
        uint32_t room = MAX(8u, 2 * c->room);
        CallCost *grown = mem_zalloc(&vm->mem, MEM_SYSTEM, room * sizeof *grown);
        if (grown == NULL) {
            return;
        }
        for (uint32_t i = 0; i < c->room; i++) {
            if (c->at[i].used) {
                *cost_slot(grown, room, c->at[i].pid_number) = c->at[i];
            }
        }
        mem_free(&vm->mem, MEM_SYSTEM, c->at, c->room * sizeof *c->at);
        c->at = grown, c->room = room;
    }
    CallCost *k = cost_slot(c->at, c->room, pid_number);
    c->count += !k->used;
    *k = (CallCost){true, pid_number, k->calls + calls, k->cost + cost};
}

static void costs_add(VM *vm, CallCosts *c, uint32_t pid_number, uint64_t calls, uint64_t cost) {
    lock_take(&c->lock);
    costs_add_alone(vm, c, pid_number, calls, cost);
    lock_give(&c->lock);
}

term call_costs_term(Heap *h, const CallCosts *c, bool memory) {
    term list = NIL;
    for (uint32_t i = 0; i < c->room; i++) {
        const CallCost *k = &c->at[i];
        if (!k->used) {
            continue;
        }
        term pid = make_pid(k->pid_number);
        uint64_t us = k->cost / 1000;
        list = heap_cons(h,
                         memory ? TUPLE3(h, pid, SMALL(k->calls), SMALL(k->cost))
                                : TUPLE4(h, pid, SMALL(k->calls), SMALL(us / 1000000), SMALL(us % 1000000)),
                         list);
    }
    return list;
}

static uint64_t words_allocated(const Process *p, const ProcessTrace *t) {
    return (uint64_t)(p->heap.top - p->heap.start) + p->heap.fragment_words + t->collected;
}

/* What has been used since goes to the function whose time it is. */
static void charge(Process *p, ProcessTrace *t) {
    int64_t now = clock_platform(process_vm(p));
    uint64_t words = words_allocated(p, t);
    for (TracePoint *point = t->timed == NULL ? NULL : t->timed->points; point != NULL; point = point->next) {
        uint32_t pid = (uint32_t)pid_data(p->pid);
        if (point->flags & POINT_TIME) {
            costs_add(process_vm(p), &point->time, pid, 0, (uint64_t)(now - t->since));
        }
        if (point->flags & POINT_MEMORY) {
            costs_add(process_vm(p), &point->memory, pid, 0, words > t->words ? words - t->words : 0);
        }
    }
    t->since = now;
    t->words = words;
}

void trace_time_pause(Process *p) {
    ProcessTrace *t = trace_if(p);
    if (t->timed != NULL) {
        charge(p, t);
    }
}

void trace_time_resume(Process *p) {
    trace_if(p)->since = clock_platform(process_vm(p));
}

static term function_term(const Traced *t) {
    return SMALL((uintptr_t)t >> 4);
}

/* False: no memory. */
static bool measure_call(Process *p, Traced *traced) {
    ProcessTrace *t = trace_if(p);
    bool wanted = false;
    for (TracePoint *point = traced->points; point != NULL; point = point->next) {
        if (t == NULL || !(point->flags & (POINT_TIME_RUNS | POINT_MEMORY_RUNS)) || traces_calls(p, point->session) == NULL) {
            continue;
        }
        if (!wanted) {
            charge(p, t);
        }
        wanted = true;
        uint32_t pid = (uint32_t)pid_data(p->pid);
        if (point->flags & POINT_TIME_RUNS) {
            costs_add(process_vm(p), &point->time, pid, 1, 0);
        }
        if (point->flags & POINT_MEMORY_RUNS) {
            costs_add(process_vm(p), &point->memory, pid, 1, 0);
        }
    }
    if (!wanted) {
        return true;
    }
    Traced *before = t->timed;
    t->timed = traced;
    if (top_frame(p) != NULL) { /* a tail call of what is measured: whoever pays then is known */
        return true;
    }
    term *frame = push(p, frame_words[FRAME_TIME], traced->arity);
    if (frame != NULL) {
        frame[FRAME_WHAT] = SMALL(FRAME_TIME);
        frame[FRAME_FUNCTION] = function_term(before);
    }
    return frame != NULL;
}

/* --- The breakpoint ------------------------------------------------------------------------------------------------- */

static bool hit(Process *p, Traced *t) {
    bool ok = true;
    bool quiet = p->state & STATE_SENSITIVE;
    for (TracePoint *point = t->points; ok && point != NULL; point = point->next) {
        if (point->flags & (POINT_LOCAL | POINT_GLOBAL) && p->state & STATE_TRACED && !quiet) {
            if (point->session == process_vm(p)->trace->saver) {
                saved_calls_add(p, t->module, t->name, t->arity);
            } else {
                ok = trace_for_process(p, t, point);
            }
        }
        if (ok && point->flags & POINT_META && !quiet) {
            ok = trace_for_meta(p, t, point);
        }
        if (point->flags & POINT_COUNT_RUNS) {
            __atomic_add_fetch(&point->count, 1, __ATOMIC_RELAXED);
        }
    }
    return ok && (!(p->state & STATE_TRACED) || measure_call(p, t));
}

TraceResume trace_called(Process *p, const Unit *ip) {
    const VM *vm = process_vm(p);
    TraceResume r = {.at = ip};
    Traced *t;
    if (ip[0] == vm->handlers[VARIANT_breakpoint]) {
        const Breakpoint *b = breakpoint_at(ip);
        r.handler = b->handler;
        t = b->of;
    } else {
        t = (Traced *)ip[2];
        if (t->function != NULL) {
            r.at = t->function->code;
        }
        r.handler = t->function != NULL ? r.at[0] : t->own;
    }
    if (p->flags & FLAG_GOES_ON && t->function == NULL) {
        p->flags &= (uint16_t)~FLAG_GOES_ON;
        return r;
    }
    if (!hit(p, t)) {
        r.handler = 0;
    }
    for (const TracePoint *point = t->points; point != NULL; point = point->next) {
        if (point->flags & POINT_DEBUG) {
            r.debugged = t;
        }
    }
    return r;
}

/* --- Ends of calls -------------------------------------------------------------------------------------------------- */

/* Who is to hear of a frame's end: the tracer of a meta trace, or whoever traces the process's calls now. *made is to be released. */
static const Tracer *tracer_of_frame(Process *p, const term *frame, uint32_t *flags, Tracer **made) {
    VM *vm = process_vm(p);
    term meta = frame[FRAME_TRACER];
    *made = NULL;
    if (p->state & STATE_SENSITIVE) {
        return NULL;
    }
    if (meta != NIL) {
        bool module = is_tuple(meta);
        *flags = TRACE_CALL | TRACE_TIMESTAMP;
        *made = tracer_new(vm, module ? element(meta, 1) : A_erl_tracer, module ? element(meta, 2) : meta);
        return *made;
    }
    const TraceSession *s = session_of(vm, session_of_frame(frame));
    const Tracing *of = s == NULL || trace_if(p) == NULL ? NULL : tracing_find(trace_if(p)->list, s);
    if (of == NULL || !(of->flags & TRACE_CALL) || of->flags & TRACE_SILENT) {
        return NULL;
    }
    *flags = of->flags;
    return of->tracer;
}

static void tell_end(Process *p, const term *frame, term tag, term value) {
    VM *vm = process_vm(p);
    uint32_t flags;
    Tracer *made;
    const Tracer *tracer = tracer_of_frame(p, frame, &flags, &made);
    bool there = tracer != NULL && tracer_enabled(vm, tracer, A_trace_status, p->pid) != A_remove;
    if (there && (tracer->module != A_erl_tracer ||
                  tracer_enabled(vm, tracer, tag, p->pid) == A_trace)) { /* a module has been asked about the call */
        const term mfa[] = {HEADER(3, KIND_TUPLE), frame[FRAME_MODULE], frame[FRAME_NAME], frame[FRAME_ARITY]};
        trace_report(vm, tracer, flags, p->pid, tag, make_boxed(mfa), value, A_true);
    }
    tracer_release(vm, made);
}

static void tell_return_to(Process *p, uint32_t session, const term *to) {
    VM *vm = process_vm(p);
    const TraceSession *s = session_of(vm, session);
    ProcessTrace *t = trace_if(p);
    const Tracing *of = s == NULL || t == NULL ? NULL : tracing_find(t->list, s);
    if (of == NULL || !(of->flags & TRACE_RETURN_TO) || of->flags & TRACE_SILENT || p->state & STATE_SENSITIVE ||
        tracer_enabled(vm, of->tracer, A_return_to, p->pid) != A_trace) {
        return;
    }
    ModuleCode *code;
    Module *m;
    const Function *f = to == NULL ? NULL : code_find(vm, (const char *)*to - 1, &code, &m);
    term mfa[4] = {HEADER(3, KIND_TUPLE)};
    if (f != NULL) {
        mfa[1] = m->name, mfa[2] = f->name, mfa[3] = SMALL(f->arity);
    }
    trace_report(vm, of->tracer, of->flags, p->pid, A_return_to, f == NULL ? A_undefined : make_boxed(mfa), NONE, A_true);
}

static void end_measured(Process *p, const term *frame) {
    ProcessTrace *t = trace_if(p);
    if (t != NULL && t->timed != NULL) {
        charge(p, t);
    }
    if (t != NULL) {
        t->timed = (Traced *)((uintptr_t)small_value(frame[FRAME_FUNCTION]) << 4);
        trace_process_state(p);
    }
}

void trace_returned(Process *p) {
    Heap *h = &p->heap;
    const term *frame = h->sp - 1; /* with its return address */
    int kind = kind_of_frame(frame);
    switch (kind) {
    case FRAME_TO: tell_return_to(p, session_of_frame(frame), trace_skip(p, frame + frame_words[kind])); break;
    case FRAME_TIME: end_measured(p, frame); break;
    case FRAME_TAIL: break;
    default: tell_end(p, frame, A_return_from, p->scheduler->x[0]);
    }
    h->sp += frame_words[kind] - 1;
}

void trace_unwound(Process *p, const term *from, const term *to, term class, term reason, bool caught) {
    const VM *vm = process_vm(p);
    const term pair[] = {HEADER(2, KIND_TUPLE), class, reason};
    const term *returns = NULL; /* the ordinary return address behind the last frame that tells of it */
    uint32_t session = 0;
    bool pending = false;
    for (const term *at = from; at < to;) {
        if (!is_frame(vm, at)) {
            if (is_header(*at) && !is_bridge(vm, *at)) {
                returns = pending ? at : NULL;
                pending = false;
            }
            at++;
            continue;
        }
        int kind = kind_of_frame(at);
        if (kind == FRAME_RAISE) {
            tell_end(p, at, A_exception_from, make_boxed(pair));
        } else if (kind == FRAME_TIME) {
            end_measured(p, at);
        } else if (kind == FRAME_TO) {
            pending = true;
            session = session_of_frame(at);
        } else if (kind == FRAME_TAIL) {
            returns = pending ? at + FRAME_ADDRESS : NULL;
            pending = false;
        }
        at += frame_words[kind];
    }
    if (caught && returns != NULL) {
        tell_return_to(p, session, returns);
    }
}
