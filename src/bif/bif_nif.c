/* Calls of native functions: on the scheduler, or as jobs of the pool if their library says that they are dirty; and what they ask
   to be called next. */
#include "io/nif.h"

#include "bif/bif_state.h"
#include "exec/exception.h"
#include "proc/schedule.h"
#include "term/copy.h"

/* What is being called: a function of a library, and what stack traces call it. */
typedef struct {
    NifLibrary *library;
    NifFunction *function;
    unsigned flags;
    int argc;
    term name;
    term first; /* arguments of the Erlang function, a list; NONE: argv is they */
} Call;

/* --- What comes next ------------------------------------------------------------------------------------------------ */

static void next_destroy(VM *vm, Resource *r) {
    NifNext *n = (NifNext *)r;
    if (n->library != NULL) {
        nif_library_release(n->library);
    }
    MEM_DELETE(&vm->mem, MEM_TEMPORARY, n);
}

/* The result is to be returned: the call goes on with this function. */
ENIF(ERL_NIF_TERM, enif_schedule_nif, ErlNifEnv *env, const char *name, int flags, NifFunction *function, int argc,
     const ERL_NIF_TERM argv[]) {
    bool ok = atom_intern(env->vm, (const uint8_t *)name, strlen(name), NULL) != NONE && argc >= 0 && argc <= 255 &&
              (flags == 0 || flags == NIF_DIRTY_CPU || flags == NIF_DIRTY_IO) && env->library != NULL;
    NifNext *n = ok ? MEM_NEW(&env->vm->mem, MEM_TEMPORARY, NifNext) : NULL;
    term *values = n == NULL ? NULL : heap_alloc(env->heap, 1 + (size_t)argc);
    if (values == NULL) {
        MEM_DELETE(&env->vm->mem, MEM_TEMPORARY, n);
        return nif_fail(env, ok ? A_system_limit : A_badarg);
    }
    *n = (NifNext){.resource = {1, next_destroy, (const void *)(uintptr_t)next_destroy},
                   .library = nif_library_keep(env->library),
                   .function = function,
                   .flags = (unsigned)flags,
                   .argc = argc};
    values[0] = HEADER(argc, KIND_TUPLE);
    memcpy(values + 1, argv, (size_t)argc * sizeof *argv);
    if (env->next != NULL) {
        resource_release(env->vm, &env->next->resource);
    }
    env->next = n;
    env->next_args = argc == 0 ? NIL : make_boxed(values);
    return NONE;
}

ENIF(int, enif_consume_timeslice, ErlNifEnv *env, int percent) {
    if (env->kind != ENV_CALL) {
        return false;
    }
    Process *p = env->process;
    intptr_t used = SLICE_REDUCTIONS / 100 * (intptr_t)MIN(MAX(percent, 1), 100);
    BUMP(p, MIN(used, MAX(p->heap.reds, 0))); /* what is beyond the slice does not count */
    return OUT_OF_TIME(p);
}

/* The call is over: what the built-in returns. env: its own heap is part of the process's by now. */
static term finish(Process *p, ErlNifEnv *env, const Call *c, term result, const term *argv) {
    VM *vm = env->vm;
    NifNext *next = env->next;
    nif_env_free_temporaries(env);
    if (next != NULL && (result != NONE || env->raised != NONE)) {
        resource_release(vm, &next->resource);
        next = NULL;
    }
    if (env->raised == NONE && next == NULL && result != NONE) {
        return result;
    }
    term first = c->first != NONE ? c->first : heap_list(HEAP(p), argv, (size_t)c->argc, NIL);
    if (next == NULL) {
        exception_of(p, env->raised == NONE ? A_badarg : env->raised, c->library->module, c->name, first);
        return NONE;
    }
    term ref = heap_magic_ref(HEAP(p), &next->resource);
    return bif_trap(p, BIF_EXPORT(p, erts_internal, nif_resume, 4), 4, ref, env->next_args, c->name, first);
}

/* --- Dirty calls ---------------------------------------------------------------------------------------------------- */

typedef struct {
    Work work;
    ErlNifEnv env;
    Call call;
    term args; /* a tuple on env.own, NIL: none */
    term result;
} NifJob;

static void job_destroy(VM *vm, Resource *r) {
    NifJob *j = (NifJob *)work_of(r);
    if (j->env.next != NULL) {
        resource_release(vm, &j->env.next->resource);
    }
    nif_env_end(&j->env);
    if (j->call.library != NULL) {
        nif_library_release(j->call.library);
    }
    MEM_DELETE(&vm->mem, MEM_TEMPORARY, j);
}

static void job_work(Job *job) {
    NifJob *j = (NifJob *)job;
    nif_thread_kind = j->call.flags == NIF_DIRTY_CPU ? NIF_THREAD_DIRTY_CPU : NIF_THREAD_DIRTY_IO;
    j->result = j->call.function(&j->env, j->call.argc, j->args == NIL ? NULL : boxed(j->args) + 1);
    nif_thread_kind = NIF_THREAD_UNDEFINED;
}

static NifJob *job_of(term ref) {
    if (!is_magic_ref(ref)) {
        return NULL;
    }
    Resource *r = magic_resource(ref);
    return r->type == (const void *)(uintptr_t)job_destroy ? (NifJob *)work_of(r) : NULL;
}

/* The arguments are copied, literals too: the process may be collected, or end, while the function runs. */
static term copy_arguments(NifJob *j, const term *argv) {
    size_t n = (size_t)j->call.argc;
    term *tuple = n == 0 ? NULL : heap_alloc(&j->env.own, 1 + n);
    if (tuple == NULL) {
        return n == 0 ? NIL : NONE;
    }
    tuple[0] = HEADER(n, KIND_TUPLE);
    for (size_t i = 0; i < n; i++) {
        tuple[1 + i] = is_immediate(argv[i]) ? argv[i] : term_copy_literals_too(&j->env.own, argv[i]);
        if (tuple[1 + i] == NONE) {
            return NONE;
        }
    }
    return make_boxed(tuple);
}

static term begin_dirty(Process *p, const Call *c, const term *argv) {
    VM *vm = process_vm(p);
    NifJob *j = MEM_NEW(&vm->mem, MEM_TEMPORARY, NifJob);
    if (j == NULL) {
        return bif_no_memory(p);
    }
    j->work.job.work = job_work;
    j->work.vm = vm;
    j->work.resource = (Resource){1, job_destroy, (const void *)(uintptr_t)job_destroy};
    j->call = *c;
    nif_library_keep(c->library);
    nif_env_begin(&j->env, vm, ENV_DIRTY, c->library);
    j->env.pid = p->pid;
    term ref = heap_magic_ref(HEAP(p), &j->work.resource);
    term first = c->first != NONE ? c->first : heap_list(HEAP(p), argv, (size_t)c->argc, NIL);
    j->args = copy_arguments(j, argv);
    if (j->args == NONE || !work_submit(p, &j->work)) {
        return bif_no_memory(p);
    }
    return bif_trap(p, BIF_EXPORT(p, erts_internal, nif_done, 3), 3, ref, c->name, first);
}

/* State, Name, Arguments: where a process waits for a dirty call. */
BIF(erts_internal, nif_done, 3) {
    NifJob *j = job_of(a[0]);
    if (j == NULL || j->call.library == NULL) {
        return raise_badarg(p);
    }
    if (!work_done(p, &j->work)) {
        return bif_trap(p, BIF_EXPORT(p, erts_internal, nif_done, 3), 3, a[0], a[1], a[2]);
    }
    nif_serve(process_vm(p)); /* what it has sent comes before what this process sends */
    HEAP(p)->doomed |= j->env.own.doomed;
    heap_adopt(HEAP(p), heap_detach(&j->env.own));
    Call c = j->call;
    c.first = a[2];
    term result = finish(p, &j->env, &c, j->result, NULL);
    j->env.next = NULL;
    j->call.library = NULL; /* the reference may stay for long */
    nif_library_release(c.library);
    return result;
}

/* --- Calls ---------------------------------------------------------------------------------------------------------- */

static term call(Process *p, const Call *c, const term *argv) {
    if (c->flags != 0) {
        return begin_dirty(p, c, argv);
    }
    ErlNifEnv env;
    nif_env_begin(&env, process_vm(p), ENV_CALL, c->library);
    env.heap = HEAP(p);
    env.process = p;
    env.pid = p->pid;
    term result = c->function(&env, c->argc, argv);
    return finish(p, &env, c, result, argv);
}

/* What all instructions call_nif call: which function, their operand says. */
term nif_call(Process *p, const term *a) {
    const Nif *nif = (const Nif *)((const Unit *)p->ip)[-2];
    return call(p, &(Call){nif->library, nif->function, nif->flags, nif->called.arity, nif->name, NONE}, a);
}

/* For tracers. */
term nif_call_outside(VM *vm, const BifEntry *called, const term *args) {
    const Nif *nif = (const Nif *)called;
    ErlNifEnv env;
    nif_env_begin(&env, vm, ENV_CALLBACK, nif->library);
    term result = nif->function(&env, nif->called.arity, args);
    bool good = env.raised == NONE && result != NONE && is_immediate(result);
    if (env.next != NULL) {
        resource_release(vm, &env.next->resource);
    }
    nif_env_end(&env);
    return good ? result : NONE;
}

/* State, Arguments, Name, FirstArguments: what enif_schedule_nif has asked for. */
BIF(erts_internal, nif_resume, 4) {
    NifNext *n = state_of(a[0], next_destroy);
    if (n == NULL || n->library == NULL) {
        return raise_badarg(p);
    }
    Call c = {n->library, n->function, n->flags, n->argc, a[2], a[3]};
    n->library = NULL;
    term result = call(p, &c, a[1] == NIL ? NULL : boxed(a[1]) + 1);
    nif_library_release(c.library);
    return result;
}
