/* What match specifications of traces may do, apart from looking: see the documentation of match specifications. */
#include "trace/trace.h"

#include "base/text.h"
#include "code/code.h"
#include "data/bits.h"
#include "data/integer.h"
#include "platform/platform.h"
#include "proc/names.h"
#include "proc/schedule.h"
#include "term/atom.h"
#include "term/print.h"

static TraceRun *run_of(const Process *p) {
    return p->scheduler->trace_run;
}

static term message(Process *p, const term *a) {
    run_of(p)->message = a[0];
    return A_true;
}

static term return_trace(Process *p, const term *a UNUSED) {
    run_of(p)->returns = true;
    return A_true;
}

static term exception_trace(Process *p, const term *a UNUSED) {
    run_of(p)->exceptions = true;
    return A_true;
}

static term display(Process *p, const term *a) {
    Text out;
    text_init(&out, &process_vm(p)->mem);
    term_print(&out, process_vm(p), a[0], &(PrintOptions){.as_display = true});
    text_byte(&out, '\n');
    platform_write(1, out.at, out.size);
    text_done(&out);
    return A_true;
}

/* --- Where it was called from -------------------------------------------------------------------------------------- */

static const Function *function_at(const Process *p, const term *at, ModuleCode **code, Module **module) {
    return at == NULL ? NULL : code_find(process_vm(p), (const char *)*at - 1, code, module);
}

static term caller(Process *p, const term *a UNUSED) {
    Module *m;
    ModuleCode *code;
    const Function *f = function_at(p, run_of(p)->caller, &code, &m);
    return f == NULL ? A_undefined : TUPLE3(&p->heap, m->name, f->name, SMALL(f->arity));
}

static term caller_line(Process *p, const term *a UNUSED) {
    const TraceRun *run = run_of(p);
    ModuleCode *code;
    Module *m;
    const Function *f = function_at(p, run->caller, &code, &m);
    if (f == NULL) {
        return A_undefined;
    }
    Heap *h = &p->heap;
    term file;
    uint32_t line = code_place(h, code, m, f, (const char *)*run->caller - 1, &file);
    return TUPLE4(h, m->name, f->name, SMALL(f->arity), line == 0 ? A_undefined : TUPLE2(h, file, SMALL(line)));
}

/* [{Module, Name, Arity, [{file, File}, {line, Line}]}] */
static term current_stacktrace(Process *p, uint32_t depth) {
    Heap *h = &p->heap;
    enum { MOST = 64 };
    term items[MOST];
    size_t n = 0;
    const term *at = run_of(p)->caller;
    for (; at != NULL && n < MIN(depth, (uint32_t)MOST); at = trace_skip(p, at + 1)) {
        ModuleCode *code;
        Module *m;
        const void *pc = (const char *)*at - 1;
        const Function *f = function_at(p, at, &code, &m);
        if (f != NULL) {
            term file;
            uint32_t line = code_place(h, code, m, f, pc, &file);
            term info = line == 0 ? NIL : heap_cons(h, TUPLE2(h, A_file, file), heap_cons(h, TUPLE2(h, A_line, SMALL(line)), NIL));
            items[n++] = TUPLE4(h, m->name, f->name, SMALL(f->arity), info);
        }
    }
    return heap_list(h, items, n, NIL);
}

static term current_stacktrace_all(Process *p, const term *a UNUSED) {
    return current_stacktrace(p, process_vm(p)->processes->backtrace_depth);
}

static term current_stacktrace_some(Process *p, const term *a) {
    return is_small(a[0]) && small_value(a[0]) >= 0 ? current_stacktrace(p, (uint32_t)MIN(small_value(a[0]), 64)) : NONE;
}

/* --- Flags of processes -------------------------------------------------------------------------------------------- */

static Process *named(Process *p, term t) {
    return process_find(process_vm(p), is_atom(t) ? name_find(process_vm(p), t) : t);
}

static Tracing *tracing_of(const Process *p, const TraceSession *s) {
    return trace_if(p) == NULL ? NULL : tracing_find(trace_if(p)->list, s);
}

static Tracer *own_tracer(Process *p) {
    const Tracing *own = tracing_of(p, run_of(p)->session);
    return own == NULL ? NULL : own->tracer;
}

/* q gets this tracer in place of the one it has; without a tracer it is traced no longer. True: that has changed something. */
static bool set_flags_here(Process *p, Process *q, Tracer *tracer, uint32_t clear, uint32_t set) {
    TraceSession *s = run_of(p)->session;
    const Tracing *old = tracing_of(q, s);
    uint32_t was = old == NULL ? 0 : old->flags, flags = tracer == NULL ? 0 : (was & ~clear) | set;
    bool changes = flags != was || (was != 0 && !tracer_same(process_vm(p), old->tracer, tracer));
    if (changes && !run_of(p)->test) {
        tracer_keep(tracer);
        tracing_change_process(q, s, NULL, false, TRACE_ALL);
        tracing_change_process(q, s, tracer, true, flags);
        tracer_release(process_vm(p), tracer);
    }
    return changes;
}

/* The same of a process that another scheduler may have: then nothing is changed. */
static bool set_flags(Process *p, Process *q, Tracer *tracer, uint32_t clear, uint32_t set) {
    if (q == p || world_is_still(p->scheduler)) {
        return set_flags_here(p, q, tracer, clear, set);
    }
    bool entered = process_enter(q) == ENTER_DONE, changes = entered && set_flags_here(p, q, tracer, clear, set);
    if (entered) {
        process_leave(q);
    }
    return changes;
}

/* The tracer is that of the process that runs. */
static term change(Process *p, Process *q, term flag, bool on) {
    uint32_t flags = is_atom(flag) ? trace_flag(flag) : 0;
    if (flags == 0 || q == NULL) {
        return NONE;
    }
    set_flags(p, q, own_tracer(p), on ? 0 : flags, on ? flags : 0);
    return A_true;
}

static term enable_own(Process *p, const term *a) {
    return change(p, p, a[0], true);
}
static term disable_own(Process *p, const term *a) {
    return change(p, p, a[0], false);
}
static term enable_other(Process *p, const term *a) {
    return change(p, named(p, a[0]), a[1], true);
}
static term disable_other(Process *p, const term *a) {
    return change(p, named(p, a[0]), a[1], false);
}

static term set_both(Process *p, Process *q, term off, term on) {
    VM *vm = process_vm(p);
    Tracer *tracer = tracer_keep(own_tracer(p));
    uint32_t clear = 0, set = 0;
    bool cpu_time = false;
    bool ok = q != NULL && trace_parse_flags(vm, off, &clear, &tracer, &cpu_time) && trace_parse_flags(vm, on, &set, &tracer, &cpu_time) &&
              !cpu_time && (tracer == NULL || tracer_enabled(vm, tracer, A_trace_status, q->pid) != A_remove);
    term result = !ok ? NONE : set_flags(p, q, tracer, clear, set) ? A_true : A_false;
    tracer_release(vm, tracer);
    return result;
}

static term trace_own(Process *p, const term *a) {
    return set_both(p, p, a[0], a[1]);
}
static term trace_other(Process *p, const term *a) {
    return set_both(p, named(p, a[0]), a[1], a[2]);
}

static term silent(Process *p, const term *a) {
    Tracing *own = tracing_of(p, run_of(p)->session);
    if (own != NULL && !run_of(p)->test && (a[0] == A_true || a[0] == A_false)) {
        own->flags = a[0] == A_true ? own->flags | TRACE_SILENT : own->flags & ~(uint32_t)TRACE_SILENT;
    }
    return A_true;
}

/* --- Sequential tracing, control word, dump ------------------------------------------------------------------------ */

static term set_seq_token(Process *p, const term *a) {
    if (run_of(p)->test) { /* says only whether it could */
        return trace_flag(a[0]) != 0 || a[0] == A_label || a[0] == A_serial || a[0] == A_print || a[0] == A_sequential_trace_token ? A_true
                                                                                                                                   : NONE;
    }
    return seq_set(p, a[0], a[1]);
}

static term get_seq_token(Process *p, const term *a UNUSED) {
    return seq_token_term(p);
}

static term is_seq_trace(Process *p, const term *a UNUSED) {
    return trace_if(p) != NULL && trace_if(p)->token != NULL ? A_true : A_false;
}

static term get_tcw(Process *p, const term *a UNUSED) {
    return integer_from_uint64(&p->heap, process_vm(p)->trace->control_word);
}

term trace_set_control_word(Process *p, term value) {
    Trace *t = process_vm(p)->trace;
    term was = get_tcw(p, NULL);
    uint64_t n;
    if (!is_integer(value) || !integer_to_uint64(value, &n) || n > UINT32_MAX) {
        return NONE;
    }
    t->control_word = (uint32_t)n;
    return was;
}

static term set_tcw(Process *p, const term *a) {
    return run_of(p)->test ? get_tcw(p, NULL) : trace_set_control_word(p, a[0]);
}

static term process_dump(Process *p, const term *a UNUSED) {
    VM *vm = process_vm(p);
    Text out;
    text_init(&out, &vm->mem);
    const PrintOptions plain = {0};
    text_string(&out, "=proc:");
    term_print(&out, vm, p->pid, &plain);
    text_string(&out, "\nState: Running\nSpawned as: ");
    term_print(&out, vm, ATOM(p->initial_module), &plain);
    text_byte(&out, ':');
    term_print(&out, vm, ATOM(p->initial_function), &plain);
    text_format(&out, "/%u\nMessage queue length: %u\nReductions: %llu\nHeap size: %llu\n", (unsigned)p->initial_arity, p->messages,
                (unsigned long long)p->reductions, (unsigned long long)(p->heap.top - p->heap.start));
    for (const term *at = run_of(p)->caller; at != NULL; at = trace_skip(p, at + 1)) {
        ModuleCode *code;
        Module *m;
        const Function *f = function_at(p, at, &code, &m);
        if (f != NULL) {
            text_string(&out, "Return addr (");
            term_print(&out, vm, m->name, &plain);
            text_byte(&out, ':');
            term_print(&out, vm, f->name, &plain);
            text_format(&out, "/%u)\n", f->arity);
        }
    }
    term made = out.failed ? NONE : bits_from(&p->heap, out.at, out.size);
    text_done(&out);
    return made;
}

const MatchForm trace_forms[] = {
    {A_message, 1, 1, false, false, {message}},
    {A_return_trace, 0, 0, false, false, {return_trace}},
    {A_exception_trace, 0, 0, false, false, {exception_trace}},
    {A_display, 1, 1, false, false, {display}},
    {A_process_dump, 0, 0, false, false, {process_dump}},
    {A_enable_trace, 1, 2, false, false, {enable_own, enable_other}},
    {A_disable_trace, 1, 2, false, false, {disable_own, disable_other}},
    {A_trace, 2, 3, false, false, {trace_own, trace_other}},
    {A_silent, 1, 1, false, false, {silent}},
    {A_caller, 0, 0, false, true, {caller}},
    {A_caller_line, 0, 0, false, true, {caller_line}},
    {A_current_stacktrace, 0, 1, false, true, {current_stacktrace_all, current_stacktrace_some}},
    {A_set_seq_token, 2, 2, false, false, {set_seq_token}},
    {A_get_seq_token, 0, 0, false, false, {get_seq_token}},
    {A_is_seq_trace, 0, 0, true, false, {is_seq_trace}},
    {A_get_tcw, 0, 0, true, false, {get_tcw}},
    {A_set_tcw, 1, 1, false, false, {set_tcw}},
};
const size_t trace_form_count = ARRAY_LEN(trace_forms);

term trace_match(Process *p, MatchSpec *m, term args, TraceRun *run) {
    TraceRun *outer = p->scheduler->trace_run;
    run->message = A_true;
    p->scheduler->trace_run = run;
    term matched = match_run(m, p, args);
    p->scheduler->trace_run = outer;
    return matched == NONE ? A_false : run->message;
}
