/* Calls that find out at run time where they lead: funs, apply, functions that are not there, hibernation. */
#include "exec/runtime.h"

#include "base/lock.h"
#include "base/text.h"
#include "code/breakpoint.h"
#include "code/code.h"
#include "code/demand.h"
#include "code/purge.h"
#include "platform/platform.h"
#include "proc/collect.h"
#include "proc/mailbox.h"
#include "proc/signal.h"
#include "trace/trace.h"

enum { MAX_ARITY = 255 };

/* What is an instruction here has a name in stack traces. */
static const BifEntry apply2 = {.module_index = ATOM_INDEX(A_erlang), .name_index = ATOM_INDEX(A_apply), .arity = 2};
static const BifEntry apply3 = {.module_index = ATOM_INDEX(A_erlang), .name_index = ATOM_INDEX(A_apply), .arity = 3};
static const BifEntry hibernate3 = {.module_index = ATOM_INDEX(A_erlang), .name_index = ATOM_INDEX(A_hibernate), .arity = 3};

static const Entry *fail_in(Process *p, const BifEntry *what, term reason, term a, term b, term c) {
    exception_error(p, reason);
    exception_in_bif(p, what, (term[]){a, b, c});
    return NULL;
}

/* --- Funs ---------------------------------------------------------------------------------------------------------- */

const Entry *rt_call_fun_slow(Process *p, term *x, uintptr_t arity) {
    Heap *h = &p->heap;
    term fun = x[arity];
    if (!is_fun(fun)) {
        exception_error_with(p, A_badfun, fun);
        return NULL;
    }
    const term *f = boxed(fun);
    if (HEADER_KIND(f[0]) == KIND_EXPORT) {
        const Export *e = (const Export *)f[1];
        if (e->arity == arity) {
            return &e->entry;
        }
    }
    term args = heap_list(h, x, arity, NIL);
    exception_error_with(p, A_badarity, TUPLE2(h, fun, args));
    return NULL;
}

/* Puts the elements of a list into x registers from x0 on. -1: not a list, or too long. */
static int spread(term *x, term list) {
    int n = 0;
    for (; is_cons(list); list = tail(list)) {
        if (n >= MAX_ARITY) {
            return -1;
        }
        x[n++] = head(list);
    }
    return list == NIL ? n : -1;
}

/* Whether a list can be the arguments of a call, or why not: NONE, A_badarg or A_system_limit. *n: how long it is. */
static term why_no_arguments(term list, uint32_t *n) {
    for (*n = 0; is_cons(list); list = tail(list)) {
        ++*n;
    }
    return list != NIL ? A_badarg : *n > MAX_ARITY ? A_system_limit : NONE;
}

static term why_no_call(term module, term name, term args, uint32_t *n) {
    return is_atom(module) && is_atom(name) ? why_no_arguments(args, n) : A_badarg;
}

const Entry *rt_apply_fun(Process *p, term *x, uintptr_t unused UNUSED) {
    term fun = x[0], args = x[1];
    uint32_t n;
    term wrong = why_no_arguments(args, &n);
    if (wrong != NONE) {
        return fail_in(p, &apply2, wrong, fun, args, NONE);
    }
    spread(x, args);
    x[n] = fun;
    return rt_call_fun(p, x, n);
}

/* --- apply --------------------------------------------------------------------------------------------------------- */

/* Built-ins that do nothing but raise do it in place of the call: the function that calls them is in the stack trace then, be it
   a tail call or not. */
static bool raises(term module, term name, uint32_t arity) {
    return module == A_erlang && (name == A_error ? arity - 1 < 3 : (name == A_exit || name == A_throw) && arity == 1);
}

/* What apply is to apply is done at once, so that no call of apply is in the stack trace. */
static bool is_apply(term module, term name, uint32_t arity) {
    return module == A_erlang && name == A_apply && arity == 3;
}

static const Entry *entry_of(Process *p, term *x, term module, term name, uint32_t arity) {
    Export *e = export_get(process_vm(p), module, name, arity);
    if (raises(module, name, arity) && e != NULL && export_traced(process_vm(p), e) == NULL) {
        e->bif->function(p, x);
        return NULL;
    }
    if (e == NULL) {
        exception_error(p, A_system_limit);
        return NULL;
    }
    return &e->entry;
}

bool rt_keep_caller(Process *p, const Unit *ip, const Export *to) {
    return to->bif == NULL || !raises(to->module, to->name, to->arity) || trace_tail_call(p, ip, to->arity);
}

const Entry *rt_apply(Process *p, term *x, uintptr_t arity) {
    term module = x[arity], name = x[arity + 1];
    if (!is_atom(module) || !is_atom(name)) {
        return fail_in(p, &apply3, A_badarg, module, name, heap_list(&p->heap, x, arity, NIL));
    }
    return is_apply(module, name, (uint32_t)arity) ? rt_apply_list(p, x, 0) : entry_of(p, x, module, name, (uint32_t)arity);
}

const Entry *rt_apply_list(Process *p, term *x, uintptr_t unused UNUSED) {
    term module, name;
    uint32_t n;
    do {
        module = x[0], name = x[1];
        term args = x[2], wrong = why_no_call(module, name, args, &n);
        if (wrong != NONE) {
            return fail_in(p, &apply3, wrong, module, name, args);
        }
        spread(x, args);
    } while (is_apply(module, name, n));
    return entry_of(p, x, module, name, n);
}

/* --- What is not there --------------------------------------------------------------------------------------------- */

static term handler_module(const Process *p) { /* as process_flag(error_handler, Module) has set it */
    return p->extra == NULL || p->extra->error_handler == NONE ? A_error_handler : p->extra->error_handler;
}

/* A function of a process's error handler; NULL: there is none. */
static const Export *handler_function(Process *p, term module, term name) {
    VM *vm = process_vm(p);
    if (module == A_error_handler && vm->load_module != NULL) {
        vm->load_module(vm, module);
    }
    const Export *e = export_find(vm, module, name, 3);
    return e != NULL && export_is_callable(e) ? e : NULL;
}

/* The error handler's function gets the call that is under way; without one it is a call of what is not there. */
static const Entry *handled(Process *p, term *x, term function, term module, term name, uint32_t arity) {
    const Export *handler = handler_function(p, handler_module(p), function);
    if (handler == NULL) {
        exception_undef(p, module, name, arity, x);
        return NULL;
    }
    x[2] = heap_list(&p->heap, x, arity, NIL);
    x[0] = module;
    x[1] = name;
    return &handler->entry;
}

const Entry *rt_debugged(Process *p, term *x, const Traced *t) {
    return handled(p, x, A_breakpoint, t->module, t->name, t->arity);
}

const Entry *rt_undefined(Process *p, term *x, const Export *e) {
    VM *vm = process_vm(p);
    CODE_HAS_FOUND(vm->code);
    if (vm->load_module != NULL && handler_module(p) == A_error_handler && vm->load_module(vm, e->module) && export_is_callable(e)) {
        return &e->entry;
    }
    return handled(p, x, A_undefined_function_handler, e->module, e->name, e->arity);
}

/* Does the module's current code have this fun? Then it leads there, if it did not. */
static bool is_in_current(VM *vm, const Lambda *l, bool *loaded) {
    const Module *m = module_find(vm, l->module);
    ModuleCode *c = m == NULL ? NULL : m->current;
    *loaded = c != NULL;
    return c != NULL && l->old_index < c->lambda_count && module_lambda(vm, c, l->old_index) && l->loaded == c;
}

/* The fun's parts are in registers already: arguments and free variables. */
const Entry *rt_unloaded_fun(Process *p, term *x, const Lambda *l) {
    VM *vm = process_vm(p);
    bool loaded = false;
    code_lock(vm);
    bool waits = purge_wait(p, l), there = !waits && is_in_current(vm, l, &loaded);
    code_unlock(vm);
    if (there) {
        return &l->entry;
    }
    Heap *h = &p->heap;
    term *f = heap_alloc(h, 3 + l->free);
    f[0] = HEADER(2 + l->free, KIND_FUN);
    f[1] = (term)l;
    f[2] = p->pid;
    memcpy(f + 3, x + l->arity, l->free * sizeof(term));
    term fun = make_boxed(f);
    const Export *handler =
        loaded ? NULL
               : handler_function(p, waits ? A_erts_code_purger : handler_module(p), waits ? A_pending_purge_lambda : A_undefined_lambda);
    if (handler == NULL) {
        exception_error_with(p, A_badfun, fun);
        return NULL;
    }
    x[2] = heap_list(h, x, l->arity, NIL);
    x[0] = l->module;
    x[1] = fun;
    return &handler->entry;
}

/* The function is emitted now. It may be there already: whoever had the stub's address before has it still. */
const Entry *rt_demand(Process *p, term *x, const Function *function) {
    Function *f = (Function *)function;
    VM *vm = process_vm(p);
    LoadError error;
    code_lock(vm);
    bool known = f->damaged, there = f->emitted || (!known && demand_function(vm, f, &error));
    code_unlock(vm);
    if (there) {
        return &f->entry;
    }
    if (!f->damaged) {
        exception_error(p, A_system_limit);
        return NULL;
    }
    if (!known) {
        char line[640];
        load_error_text(&error, line, sizeof line);
        Text t;
        text_init(&t, &vm->mem);
        text_format(&t, "mote: %s\n", line);
        platform_write(2, t.at, t.size);
        text_done(&t);
    }
    exception_undef(p, f->of->module->name, f->name, f->arity, x);
    return NULL;
}

/* --- Hibernation --------------------------------------------------------------------------------------------------- */

bool rt_hibernate(Process *p, term *x, RunResult *result) {
    term module = x[0], name = x[1], args = x[2];
    uint32_t n;
    term wrong = why_no_call(module, name, args, &n);
    if (wrong != NONE) {
        fail_in(p, &hibernate3, wrong, module, name, args);
        return false;
    }
    spread(x, args);
    x[n] = module;
    x[n + 1] = name;
    uint16_t live = (uint16_t)(n + 2);
    p->heap.sp = p->heap.end;
    p->catches = 0;
    p->ip = NULL;
    p->native = false;
    p->live = live;
    signals_handle(p);
    mailbox_drop_timer(p);
    *result = RUN_YIELD;
    if (p->messages > 0 || process_must_leave(p)) {
        return true;
    }
    if (process_collect_hibernate(p, live)) {
        *result = RUN_WAIT;
    }
    return true;
}
