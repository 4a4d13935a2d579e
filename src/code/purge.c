/* Freeing old code. */
#include "code/purge.h"

#include "code/code.h"
#include "code/emit.h"
#include "proc/schedule.h"
#include "proc/signal.h"

/* --- Who uses it ------------------------------------------------------------------------------------------------------ */

static bool lies_in(VM *vm, const void *at, const ModuleCode *c) {
    const uint8_t *functions = (const uint8_t *)c->functions;
    if ((const uint8_t *)at >= functions && (const uint8_t *)at < functions + c->function_count * sizeof *c->functions) {
        return true; /* the stub of a function that has not been emitted */
    }
    ModuleCode *code;
    Module *module;
    return code_find(vm, at, &code, &module) != NULL && code == c;
}

bool purge_is_used(Process *q, bool running, const ModuleCode *c) {
    VM *vm = process_vm(q);
    if (!running && q->ip != NULL && lies_in(vm, q->ip, c)) {
        return true;
    }
    for (const term *at = q->heap.sp; at < q->heap.end; at++) {
        if (is_header(*at) && lies_in(vm, (const void *)*at, c)) {
            return true;
        }
    }
    return false;
}

/* --- Calls of funs meanwhile ------------------------------------------------------------------------------------------- */

bool purge_holds(VM *vm, const Lambda *l) {
    const Module *m = vm->code->purging;
    return m != NULL && l->loaded != NULL && l->loaded == m->old;
}

bool purge_wait(Process *p, const Lambda *l) {
    VM *vm = process_vm(p);
    Code *c = vm->code;
    if (!purge_holds(vm, l)) {
        return false;
    }
    ProcessExtra *e = process_extra(p);
    if (c->waiting_count == c->waiting_room) {
        uint32_t room = MAX(8, 2 * c->waiting_room);
        term *waiting = mem_resize(&vm->mem, MEM_CODE, c->waiting, c->waiting_room * sizeof *waiting, room * sizeof *waiting);
        if (waiting == NULL) {
            e = NULL;
        } else {
            c->waiting = waiting, c->waiting_room = room;
        }
    }
    if (e == NULL) {
        process_set(p, STATE_KILLED);
        return true;
    }
    c->waiting[c->waiting_count++] = p->pid;
    e->suspended++;
    process_set(p, STATE_SUSPENDED);
    p->heap.reds = 0;
    return true;
}

static void resume_waiting(VM *vm) {
    Code *c = vm->code;
    for (uint32_t i = 0; i < c->waiting_count; i++) {
        Process *p = process_find(vm, c->waiting[i]);
        if (p != NULL) {
            process_resume(p, 1);
            schedule(p);
        }
    }
    mem_free(&vm->mem, MEM_CODE, c->waiting, c->waiting_room * sizeof *c->waiting);
    c->waiting = NULL;
    c->waiting_count = c->waiting_room = 0;
}

/* --- The steps --------------------------------------------------------------------------------------------------------- */

bool purge_is_prepared(VM *vm, const Module *m) {
    return m != NULL && vm->code->purging == m;
}

bool purge_prepare(VM *vm, Module *m, bool pending) {
    Code *c = vm->code;
    if (pending && m->pending != NULL) {
        c->saved_old = m->old;
        m->old = m->pending;
        m->pending = NULL;
    }
    if (m->old == NULL) {
        return false;
    }
    c->purging = m;
    for (uint32_t i = 0; i < m->old->lambda_count; i++) {
        Lambda *l = m->old->lambdas[i];
        if (l != NULL && l->loaded == m->old) {
            emit_lambda_stub(vm, l);
        }
    }
    return true;
}

static void end(VM *vm) {
    vm->code->purging = NULL;
    resume_waiting(vm);
}

void purge_abort(VM *vm, Module *m) {
    module_relink(vm, m->old);
    end(vm);
}

void purge_complete(VM *vm, Module *m) {
    Code *c = vm->code;
    module_purge(vm, m);
    m->old = c->saved_old;
    c->saved_old = NULL;
    end(vm);
}
