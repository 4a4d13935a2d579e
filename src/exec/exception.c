/* Exceptions: stack traces and unwinding. */
#include "exec/exception.h"

#include "code/code.h"
#include "data/map.h"
#include "proc/schedule.h"
#include "trace/trace.h"

/* A raw trace is a tuple of six:

       1  class: error, exit, throw
       2  module of the function on top; []: the function that the first address lies in
       3  its name
       4  its arguments, a list; or its arity, or true: what the function says
       5  for error_info: a map; or the module that explains, or [Module | Cause]; or []
       6  addresses, raw, as a bitstring; or a list: the finished stack trace given to raise/3

   Addresses are only ever looked up, so that a tuple made by hostile code does no harm. */
enum { RAW_CLASS = 1, RAW_MODULE, RAW_NAME, RAW_ARGS, RAW_INFO, RAW_ADDRESSES, RAW_ARITY = RAW_ADDRESSES };

static uint32_t backtrace_depth(const Process *p) {
    return MIN(process_vm(p)->processes->backtrace_depth, CODE_MAX_BACKTRACE);
}

static const term class_atoms[] = {[CLASS_ERROR] = A_error, [CLASS_EXIT] = A_exit, [CLASS_THROW] = A_throw};

void exception_set(Process *p, ExceptionClass class, term reason) {
    assert(reason != NONE && reason != A_trap);
    Scheduler *s = p->scheduler;
    s->class = class;
    s->trace = s->cause = s->raised_args = NONE;
    s->raised_by = NULL;
    s->raised_by_caller = false;
    p->heap.reason = reason;
}

void exception_error(Process *p, term reason) {
    exception_set(p, CLASS_ERROR, reason);
}

void exception_error_with(Process *p, term tag, term value) {
    exception_set(p, CLASS_ERROR, TUPLE2(&p->heap, tag, value));
}

void exception_in_bif(Process *p, const BifEntry *bif, const term *args) {
    Scheduler *s = p->scheduler;
    if (!s->raised_by_caller && s->trace == NONE && s->raised_by == NULL) {
        s->raised_by = bif;
        s->raised_args = heap_list(&p->heap, args, bif->arity, NIL);
    }
}

void exception_in_operator(Process *p, term reason, term name, uint32_t arity, const term *args) {
    exception_error(p, reason);
    const BifEntry *bif = bif_find(process_vm(p), A_erlang, name, arity);
    assert(bif != NULL);
    exception_in_bif(p, bif, args);
}

void exception_function_clause(Process *p, uint32_t arity, const term *x) {
    exception_error(p, A_function_clause);
    p->scheduler->raised_args = heap_list(&p->heap, x, arity, NIL);
}

void exception_of(Process *p, term reason, term module, term name, term args) {
    Heap *h = &p->heap;
    exception_error(p, reason);
    term *trace = heap_alloc(h, 1 + RAW_ARITY);
    trace[0] = HEADER(RAW_ARITY, KIND_TUPLE);
    trace[RAW_CLASS] = A_error, trace[RAW_MODULE] = module, trace[RAW_NAME] = name;
    trace[RAW_ARGS] = args, trace[RAW_INFO] = NIL, trace[RAW_ADDRESSES] = NONE;
    p->scheduler->trace = make_boxed(trace);
}

void exception_undef(Process *p, term module, term name, uint32_t arity, const term *x) {
    exception_of(p, A_undef, module, name, heap_list(&p->heap, x, arity, NIL));
}

/* --- Taking a trace ------------------------------------------------------------------------------------------------ */

/* Adds return addresses from sp on, a run of equal ones once, as addresses inside the calls. Bridges between the engines do not
   count. Returns how many there are. */
static uint32_t gather(const VM *vm, const term *sp, const term *end, const void *previous, uint32_t max, uintptr_t *to) {
    uint32_t n = 0;
    for (term last = (term)previous; sp < end && n < max; sp++) {
        if (is_header(*sp) && *sp != last && *sp != (term)vm->returns_interpreted && *sp != (term)vm->returns_native &&
            *sp != (term)vm->returns_traced) {
            last = *sp;
            to[n++] = last - 1;
        }
    }
    return n;
}

/* The module that explains errors of a module's built-ins; NIL: none does. */
static term explaining_module(term module) {
    switch (module) {
    case A_atomics:
    case A_counters:
    case A_erlang:
    case A_erts_internal:
    case A_persistent_term: return A_erl_erts_errors;
    case A_os: return A_erl_kernel_errors;
    case A_binary:
    case A_ets:
    case A_lists:
    case A_maps:
    case A_math:
    case A_re:
    case A_unicode: return A_erl_stdlib_errors;
    default: return NIL;
    }
}

static term take_trace(Process *p, const void *pc) {
    Scheduler *s = p->scheduler;
    Heap *h = &p->heap;
    const BifEntry *bif = s->raised_by;
    uint32_t depth = backtrace_depth(p);
    uint32_t max = MAX(depth, 1); /* entries in all; there is always a function on top */
    term info = NIL;
    if (bif != NULL) {
        info = explaining_module(bif_module(bif));
        info = s->cause != NONE && info != NIL ? heap_cons(h, info, s->cause) : info;
    } else if (s->cause != NONE && is_map(s->cause)) {
        info = s->cause;
    }
    term *trace = heap_alloc(h, 1 + RAW_ARITY + HEAP_BITS_HEAD + max);
    trace[0] = HEADER(RAW_ARITY, KIND_TUPLE);
    trace[RAW_CLASS] = class_atoms[s->class];
    trace[RAW_MODULE] = bif == NULL ? NIL : bif_module(bif);
    trace[RAW_NAME] = bif == NULL ? NIL : bif_name(bif);
    trace[RAW_ARGS] = s->raised_args == NONE ? A_true : s->raised_args;
    trace[RAW_INFO] = info;
    HeapBits *bits = (HeapBits *)(trace + 1 + RAW_ARITY);
    trace[RAW_ADDRESSES] = make_boxed(bits);
    uintptr_t *addresses = (uintptr_t *)bits->data;
    uint32_t n = 0;
    if (bif == NULL || depth > 1) {
        addresses[n++] = (uintptr_t)pc;
    }
    uint32_t top = bif == NULL ? 0 : 1;
    n += gather(h->vm, h->sp, h->end, pc, max - n - top, addresses + n);
    bits->header = HEADER(HEAP_BITS_HEAD - 1 + n, KIND_BITS);
    bits->bits = (size_t)n * WORD_BITS;
    heap_release(h, (term *)(addresses + n), trace + 1 + RAW_ARITY + HEAP_BITS_HEAD + max);
    return make_boxed(trace);
}

/* exception_of knows the top of its trace, but not the stack pointer at the time of unwinding. */
static void complete_trace(Process *p, term *trace) {
    Heap *h = &p->heap;
    uint32_t max = MAX(backtrace_depth(p), 1);
    term *at = heap_alloc(h, HEAP_BITS_HEAD + max);
    HeapBits *bits = (HeapBits *)at;
    uint32_t n = gather(h->vm, h->sp, h->end, NULL, max - 1, (uintptr_t *)bits->data);
    bits->header = HEADER(HEAP_BITS_HEAD - 1 + n, KIND_BITS);
    bits->bits = (size_t)n * WORD_BITS;
    heap_release(h, at + HEAP_BITS_HEAD + n, at + HEAP_BITS_HEAD + max);
    trace[RAW_ADDRESSES] = make_boxed(bits);
}

/* --- Unwinding ----------------------------------------------------------------------------------------------------- */

static const CatchHandler *uncaught(Process *p, term trace) {
    Scheduler *s = p->scheduler;
    Heap *h = &p->heap;
    if (s->class == CLASS_THROW) {
        s->class = CLASS_ERROR;
        h->reason = TUPLE2(h, A_nocatch, h->reason);
    }
    if (UNLIKELY(p->flags & FLAG_TRACE_FRAMES)) {
        trace_unwound(p, h->sp, h->end, class_atoms[s->class], h->reason, false);
    }
    if (s->class == CLASS_ERROR) {
        term reason = h->reason;
        h->reason = TUPLE2(h, reason, exception_stacktrace(p, trace));
    }
    return NULL;
}

/* The frame belongs to the engine that code returns to it in: a function that is traced runs interpreted though it has machine code. */
static bool is_native_code(const VM *vm, term at) {
    return vm->native != NULL && at - vm->code->native_start < vm->code->native_size;
}

const CatchHandler *exception_unwind(Process *p, const void *pc, bool *native) {
    Scheduler *s = p->scheduler;
    Heap *h = &p->heap;
    if (s->trace == NONE) {
        s->trace = take_trace(p, pc);
    } else if (is_tuple_of(s->trace, RAW_ARITY) && boxed(s->trace)[RAW_ADDRESSES] == NONE) {
        complete_trace(p, boxed(s->trace));
    }
    term trace = s->trace;
    s->trace = s->raised_args = s->cause = NONE;
    if (p->catches == 0) {
        return uncaught(p, trace);
    }
    term *frame = h->sp; /* of the last return address seen, the frame above it */
    term last = (term)pc;
    for (term *at = h->sp; at < h->end; at++) {
        if (is_header(*at)) {
            frame = at + 1;
            last = *at;
        } else if (is_catch(*at)) {
            const CatchHandler *handler = catch_handler(process_vm(p), (uint32_t)catch_index(*at));
            if (UNLIKELY(p->flags & FLAG_TRACE_FRAMES)) {
                trace_unwound(p, h->sp, at, class_atoms[s->class], h->reason, true);
            }
            *at = NIL;
            *native = handler->native != NULL && is_native_code(process_vm(p), last);
            h->sp = frame;
            s->x[0] = NONE;
            s->x[1] = h->reason;
            s->x[2] = trace;
            s->x[3] = class_atoms[s->class];
            return handler;
        }
    }
    UNREACHABLE(); /* p->catches counts the marks on the stack */
}

/* --- Instructions -------------------------------------------------------------------------------------------------- */

static bool class_of(term atom, ExceptionClass *class) {
    for (size_t i = 0; i < ARRAY_LEN(class_atoms); i++) {
        if (class_atoms[i] == atom) {
            *class = (ExceptionClass)i;
            return true;
        }
    }
    return false;
}

/* The elements of a raw trace; NULL: it is none. */
static const term *raw_trace(term t) {
    return is_tuple_of(t, RAW_ARITY) ? boxed(t) : NULL;
}

void exception_raise(Process *p, term trace, term reason) {
    const term *raw = raw_trace(trace);
    ExceptionClass class;
    exception_set(p, raw != NULL && class_of(raw[RAW_CLASS], &class) ? class : CLASS_ERROR, reason);
    p->scheduler->trace = trace;
}

bool exception_raw_raise(Process *p, term class_atom, term reason, term trace) {
    ExceptionClass class;
    if (!class_of(class_atom, &class)) {
        return false;
    }
    const term *raw = raw_trace(trace);
    if (raw != NULL && raw[RAW_CLASS] != class_atom) {
        term *copy = heap_alloc(&p->heap, 1 + RAW_ARITY);
        memcpy(copy, raw, (1 + RAW_ARITY) * sizeof(term));
        copy[RAW_CLASS] = class_atom;
        trace = make_boxed(copy);
    }
    exception_set(p, class, reason);
    p->scheduler->trace = trace;
    return true;
}

term exception_caught(Process *p, const term *x) {
    Heap *h = &p->heap;
    if (x[3] == A_throw) {
        return x[1];
    }
    return TUPLE2(h, A_EXIT, x[3] == A_error ? TUPLE2(h, x[1], exception_stacktrace(p, x[2])) : x[1]);
}

/* --- Erlang's form of a trace -------------------------------------------------------------------------------------- */

/* {Module, Name, ArgsOrArity, Location} in front of rest. */
static term add_item(Heap *h, term module, term name, term args, term location, term rest) {
    return heap_cons(h, TUPLE4(h, module, name, args, location), rest);
}

static term location(Heap *h, ModuleCode *code, const Module *module, const Function *f, const void *at, term rest) {
    term file;
    uint32_t line = code_place(h, code, module, f, at, &file);
    if (line == 0) {
        return rest;
    }
    rest = heap_cons(h, TUPLE2(h, A_line, SMALL(line)), rest);
    return heap_cons(h, TUPLE2(h, A_file, file), rest);
}

/* The item of an address in front of rest, with these arguments (a list) if it has some; rest, if no code is there. */
static term add_address(Heap *h, uintptr_t at, term args, term info, term rest) {
    ModuleCode *code;
    Module *module;
    const Function *f = code_find(h->vm, (const void *)at, &code, &module);
    if (f == NULL) {
        return rest;
    }
    return add_item(h, module->name, f->name, is_list(args) ? args : SMALL(f->arity), location(h, code, module, f, (const void *)at, info),
                    rest);
}

/* [{error_info, Map}], or []. */
static term expand_info(Heap *h, term info) {
    if (info == NIL) {
        return NIL;
    }
    if (!is_map(info)) {
        term pairs[] = {A_module, is_cons(info) ? head(info) : info, A_cause, is_cons(info) ? tail(info) : NIL};
        info = map_from_pairs(h, pairs, is_cons(info) ? 2 : 1);
    }
    return info == NONE ? NIL : heap_cons(h, TUPLE2(h, A_error_info, info), NIL);
}

/* Of a built-in that is traced: it was called by what is at the next address. */
static bool in_stub(VM *vm, uintptr_t at) {
    ModuleCode *code;
    Module *module;
    return code_find(vm, (const void *)at, &code, &module) == NULL;
}

term exception_stacktrace(Process *p, term trace) {
    Heap *h = &p->heap;
    const term *raw = raw_trace(trace);
    if (raw == NULL) {
        return NIL;
    }
    if (!is_kind(raw[RAW_ADDRESSES], KIND_BITS)) {
        return is_list(raw[RAW_ADDRESSES]) ? raw[RAW_ADDRESSES] : NIL;
    }
    const HeapBits *bits = (const HeapBits *)boxed(raw[RAW_ADDRESSES]);
    const uintptr_t *addresses = (const uintptr_t *)bits->data;
    size_t n = HEADER_WORDS(bits->header) - (HEAP_BITS_HEAD - 1);
    bool named = raw[RAW_MODULE] != NIL;
    if (!named && n > 0 && in_stub(h->vm, addresses[0])) {
        n--, addresses++;
    }
    term list = NIL;
    for (size_t i = n; i-- > (named ? 0 : 1);) {
        list = add_address(h, addresses[i], A_true, NIL, list);
    }
    if (named) {
        return add_item(h, raw[RAW_MODULE], raw[RAW_NAME], raw[RAW_ARGS], expand_info(h, raw[RAW_INFO]), list);
    }
    term whole = n == 0 ? list : add_address(h, addresses[0], raw[RAW_ARGS], expand_info(h, raw[RAW_INFO]), list);
    if (whole == NIL) { /* it failed before there was any code, as in spawn(erlang, abs, [x]) */
        whole = add_item(h, ATOM(p->initial_module), ATOM(p->initial_function), SMALL(p->initial_arity), NIL, NIL);
    }
    return whole;
}

term exception_current_stacktrace(Process *p, Heap *to, const void *pc, uint32_t depth) {
    uintptr_t addresses[64];
    const term *sp = p->heap.sp + (p->scheduler->current == p ? 0 : p->live);
    uint32_t n = 0;
    ModuleCode *code;
    Module *module;
    if (depth > 0 && pc != NULL && code_find(to->vm, pc, &code, &module) != NULL) { /* not in the stub of a built-in that is traced */
        addresses[n++] = (uintptr_t)pc;
    }
    depth = MIN(depth, (uint32_t)ARRAY_LEN(addresses));
    n += gather(to->vm, sp, p->heap.end, pc, depth - n, addresses + n);
    term list = NIL;
    while (n > 0) {
        list = add_address(to, addresses[--n], A_true, NIL, list);
    }
    return list;
}

/* --- erlang:raise/3 ------------------------------------------------------------------------------------------------ */

/* Is it an item of a stack trace, as raise/3 takes them? Old forms without a location are: *complete is then false. */
static bool is_item(term t, bool *complete) {
    if (!is_tuple(t)) {
        return false;
    }
    const term *e = boxed(t);
    size_t arity = tuple_arity(t);
    if (arity == 2 && is_fun(e[1])) {
        *complete = false;
        return true;
    }
    if (arity == 3 && is_fun(e[1])) {
        return is_list(e[3]);
    }
    if (arity == 3 && is_atom(e[1]) && is_atom(e[2])) {
        *complete = false;
        return true;
    }
    return arity == 4 && is_atom(e[1]) && is_atom(e[2]) && is_list(e[4]);
}

static term complete_item(Heap *h, term t) {
    const term *e = boxed(t);
    if (tuple_arity(t) == 2) {
        return TUPLE3(h, e[1], e[2], NIL);
    }
    return tuple_arity(t) == 3 && is_atom(e[1]) ? TUPLE4(h, e[1], e[2], e[3], NIL) : t;
}

term exception_raised_trace(Process *p, term class_atom, term stacktrace) {
    Heap *h = &p->heap;
    ExceptionClass class;
    bool complete = true;
    size_t n = 0;
    if (!class_of(class_atom, &class)) {
        return NONE;
    }
    term l;
    for (l = stacktrace; is_cons(l); l = tail(l), n++) {
        if (!is_item(head(l), &complete)) {
            return NONE;
        }
    }
    if (l != NIL) {
        return NONE;
    }
    size_t max = MAX(backtrace_depth(p), 1);
    if (n > max || !complete) {
        term items[CODE_MAX_BACKTRACE];
        n = MIN(n, max);
        l = stacktrace;
        for (size_t i = 0; i < n; i++, l = tail(l)) {
            items[i] = complete_item(h, head(l));
        }
        stacktrace = heap_list(h, items, n, NIL);
    }
    return heap_tuple(h, RAW_ARITY, class_atom, NIL, NIL, NIL, NIL, stacktrace);
}
