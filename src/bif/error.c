/* How built-ins raise exceptions and hand over to other functions. */
#include "bif/bif.h"
#include "bif/bif_state.h"
#include "proc/schedule.h"
#include "proc/signal.h"

#include <stdarg.h>
#include <stdlib.h>

/* The engine that called the built-in adds its name and arguments (scheduler: raised_by, raised_args) when it sees NONE. */
static term raise_class(Process *p, ExceptionClass class, term reason, term cause) {
    Scheduler *s = p->scheduler;
    assert(reason != NONE && reason != A_trap);
    s->class = class;
    s->trace = s->raised_args = NONE;
    s->cause = cause;
    s->raised_by = NULL;
    s->raised_by_caller = false;
    return heap_fail(&p->heap, reason);
}

term raise_error(Process *p, term reason) {
    return raise_class(p, CLASS_ERROR, reason, NONE);
}

term raise_error_cause(Process *p, term reason, term cause) {
    return raise_class(p, CLASS_ERROR, reason, cause);
}

term raise_error_as(Process *p, term reason, term module, term name, int arity, const term *args) {
    raise_class(p, CLASS_ERROR, reason, NONE);
    p->scheduler->raised_by = bif_find(process_vm(p), module, name, (uint32_t)arity);
    p->scheduler->raised_args = heap_list(&p->heap, args, (size_t)arity, NIL);
    assert(p->scheduler->raised_by != NULL);
    return NONE;
}

term raise_heap_reason(Process *p) {
    return raise_class(p, CLASS_ERROR, p->heap.reason, NONE);
}

term bif_trap(Process *p, const Export *to, int arity, ...) {
    Scheduler *s = p->scheduler;
    assert(arity >= 0 && (size_t)arity <= ARRAY_LEN(s->trap_args) && (uint32_t)arity == to->arity);
    s->trap_to = to;
    if (UNLIKELY(to->bif != NULL && to->called.function != to->bif->function)) {
        p->flags |= FLAG_GOES_ON;
    }
    va_list args;
    va_start(args, arity);
    for (int i = 0; i < arity; i++) {
        s->trap_args[i] = va_arg(args, term);
    }
    va_end(args);
    return heap_fail(&p->heap, A_trap);
}

term bif_yield(Process *p, term result) {
    Scheduler *s = p->scheduler;
    s->trap_to = NULL;
    s->trap_args[0] = result;
    return heap_fail(&p->heap, A_trap);
}

term bif_ask(Process *p, Process *q, const Export *again, const term *args) {
    Scheduler *s = p->scheduler;
    process_ask(p, q);
    s->trap_to = again;
    memcpy(s->trap_args, args, again->arity * sizeof *args);
    return heap_fail(&p->heap, A_trap);
}

bool bif_is_still(const Process *p) {
    return world_is_still(p->scheduler);
}

term bif_still(Process *p, const Export *again, const term *args) {
    Scheduler *s = p->scheduler;
    p->flags |= FLAG_STILL | FLAG_UNSEEN;
    process_give_up(p, MAX(p->heap.reds, 0));
    s->trap_to = again;
    memcpy(s->trap_args, args, again->arity * sizeof *args);
    return heap_fail(&p->heap, A_trap);
}

void bif_still_over(Process *p) {
    if (!(p->state & STATE_TRACED)) {
        p->flags &= (uint16_t)~FLAG_UNSEEN;
    }
    if (process_vm(p)->processes->concurrent) {
        process_give_up(p, MAX(p->heap.reds, 0));
    }
}

term bif_no_memory(Process *p) {
    process_set(p, STATE_KILLED);
    return bif_yield(p, A_killed);
}

Export *bif_export(VM *vm, term module, term name, int arity) {
    Export *e = export_find(vm, module, name, (uint32_t)arity);
    assert(e != NULL && e->bif != NULL);
    return e;
}

void state_pass_destroy(VM *vm, Resource *r) {
    state_free(vm, r, sizeof *r);
}

int vm_release(VM *vm) {
    return vm->otp_release == NULL ? 25 : atoi(vm->otp_release(vm));
}
int bif_release(const Process *p) {
    return vm_release(process_vm(p));
}
