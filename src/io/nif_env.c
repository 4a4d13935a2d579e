/* Environments of native functions: memory of one, copies, messages, and the queue of what other threads want. */
#include "io/nif.h"

#include "proc/schedule.h"
#include "proc/signal.h"
#include "term/copy.h"

#include <stdlib.h>

Nifs *nif_world;
_Thread_local int nif_thread_kind;

ENIF(int, enif_thread_type, void) {
    return nif_on_scheduler(nif_world->vm) ? NIF_THREAD_NORMAL : nif_thread_kind;
}

/* --- Memory that is nobody's term ---------------------------------------------------------------------------------- */

typedef union {
    size_t size; /* with the head */
    max_align_t align;
} Head;

ENIF(void *, enif_alloc, size_t size) {
    return mem_sized_alloc(&nif_world->vm->mem, size);
}

ENIF(void, enif_free, void *block) {
    mem_sized_free(&nif_world->vm->mem, block);
}

ENIF(void *, enif_realloc, void *block, size_t size) {
    if (block == NULL) {
        return enif_alloc(size);
    }
    Head *h = (Head *)block - 1;
    h = size > SIZE_MAX - sizeof *h ? NULL : mem_resize(&nif_world->vm->mem, MEM_SYSTEM, h, h->size, size + sizeof *h);
    if (h == NULL) {
        return NULL;
    }
    h->size = size + sizeof *h;
    return h + 1;
}

/* --- Environments -------------------------------------------------------------------------------------------------- */

void nif_env_begin(ErlNifEnv *env, VM *vm, EnvKind kind, NifLibrary *library) {
    memset(env, 0, sizeof *env);
    heap_init_detached(&env->own, vm);
    env->heap = &env->own;
    env->vm = vm;
    env->kind = kind;
    env->library = library;
    env->pid = env->raised = NONE;
}

void nif_env_free_temporaries(ErlNifEnv *env) {
    for (NifTemporary *t = env->temporaries, *next; t != NULL; t = next) {
        next = t->next;
        if (t->free != NULL) {
            t->free(env->vm, t->what);
        }
        mem_sized_free(&env->vm->mem, t);
    }
    env->temporaries = NULL;
}

void nif_env_end(ErlNifEnv *env) {
    nif_env_free_temporaries(env);
    nif_fragments_free(env->vm, heap_detach(&env->own));
    env->own.doomed = false;
}

static NifTemporary *add_temporary(ErlNifEnv *env, size_t size) {
    NifTemporary *t = size > SIZE_MAX - sizeof *t ? NULL : mem_sized_alloc(&env->vm->mem, sizeof *t + size);
    if (t != NULL) {
        *t = (NifTemporary){.next = env->temporaries};
        env->temporaries = t;
    }
    return t;
}

bool nif_env_keep(ErlNifEnv *env, void (*free)(VM *vm, void *what), void *what) {
    NifTemporary *t = add_temporary(env, 0);
    if (t == NULL) {
        return false;
    }
    t->free = free, t->what = what;
    return true;
}

void *nif_env_memory(ErlNifEnv *env, size_t size) {
    NifTemporary *t = add_temporary(env, size);
    return t == NULL ? NULL : t + 1;
}

term nif_fail(ErlNifEnv *env, term reason) {
    env->raised = reason;
    return NONE;
}

term *nif_room(ErlNifEnv *env, size_t words) {
    term *p = heap_alloc(env->heap, words);
    if (p == NULL) {
        nif_fail(env, A_system_limit);
    }
    return p;
}

term nif_checked(ErlNifEnv *env, term t) {
    return t != NONE ? t : nif_fail(env, env->heap->reason);
}

ENIF(ErlNifEnv *, enif_alloc_env, void) {
    VM *vm = nif_world->vm;
    ErlNifEnv *env = mem_alloc(&vm->mem, MEM_SYSTEM, sizeof *env);
    if (env != NULL) {
        nif_env_begin(env, vm, ENV_OWN, NULL);
    }
    return env;
}

ENIF(void, enif_clear_env, ErlNifEnv *env) {
    nif_env_end(env);
    env->raised = NONE;
}

ENIF(void, enif_free_env, ErlNifEnv *env) {
    VM *vm = env->vm;
    nif_env_end(env);
    MEM_DELETE(&vm->mem, MEM_SYSTEM, env);
}

/* Literals are copied, too: code that they belong to may be purged, and nobody looks for them here. */
ENIF(ERL_NIF_TERM, enif_make_copy, ErlNifEnv *env, ERL_NIF_TERM t) {
    return is_immediate(t) ? t : nif_checked(env, env->kind == ENV_CALL ? term_copy(env->heap, t) : term_copy_literals_too(env->heap, t));
}

ENIF(void *, enif_priv_data, ErlNifEnv *env) {
    return env->library == NULL ? NULL : env->library->priv_data;
}

ENIF(ErlNifPid *, enif_self, ErlNifEnv *env, ErlNifPid *pid) {
    if (env->pid == NONE) {
        return NULL;
    }
    pid->pid = env->pid;
    return pid;
}

/* --- Other threads ------------------------------------------------------------------------------------------------- */

void nif_queue(Nifs *n, NifRequest *r) {
    r->next = NULL;
    lock_take(&n->queue_lock);
    *n->queue_last = r;
    n->queue_last = &r->next;
    lock_give(&n->queue_lock);
    if (n->vm->processes->poll_wake != NULL) {
        n->vm->processes->poll_wake(n->vm);
    }
}

void nif_serve(VM *vm) {
    Nifs *n = vm->io->nifs;
    if (__atomic_load_n(&n->queue, __ATOMIC_RELAXED) == NULL) {
        return;
    }
    io_lock(vm); /* one at a time: requests of one thread are in order */
    for (;;) {
        lock_take(&n->queue_lock);
        NifRequest *r = n->queue;
        if (r != NULL && (n->queue = r->next) == NULL) {
            n->queue_last = &n->queue;
        }
        lock_give(&n->queue_lock);
        if (r == NULL) {
            break;
        }
        r->serve(vm, r);
    }
    io_unlock(vm);
}

typedef struct {
    NifRequest request;
    term pid, value;
    Fragment *data;
} NifMessage;

static void send_message(VM *vm, NifRequest *r) {
    NifMessage *m = (NifMessage *)r;
    if (m->pid == NONE) {
        heap_free_fragments(vm, m->data);
    } else {
        Heap built;
        heap_init_detached(&built, vm);
        built.fragments = m->data;
        message_send_built(vm_scheduler(vm), m->pid, m->value, &built);
    }
    MEM_DELETE(&vm->mem, MEM_SYSTEM, m);
}

static bool queue_message(VM *vm, term pid, term value, Fragment *data) {
    NifMessage *m = MEM_NEW(&vm->mem, MEM_SYSTEM, NifMessage);
    if (m == NULL) {
        return false;
    }
    *m = (NifMessage){{NULL, send_message}, pid, value, data};
    nif_queue(vm->io->nifs, &m->request);
    return true;
}

/* What hangs off them may be anything (a table's reference): it is let go on a scheduler. */
void nif_fragments_free(VM *vm, Fragment *f) {
    bool hangs = false;
    for (const Fragment *i = f; i != NULL; i = i->next) {
        hangs |= i->off_heap != NONE;
    }
    if (!hangs || nif_on_scheduler(vm) || !queue_message(vm, NONE, NONE, f)) {
        heap_free_fragments(vm, f);
    }
}

/* --- Messages ------------------------------------------------------------------------------------------------------ */

enum { UNDEFINED_PID = A_undefined };

ENIF(void, enif_set_pid_undefined, ErlNifPid *pid) {
    pid->pid = UNDEFINED_PID;
}

ENIF(int, enif_is_pid_undefined, const ErlNifPid *pid) {
    return pid->pid == UNDEFINED_PID;
}

static bool is_alive(VM *vm, term pid) {
    return nif_on_scheduler(vm) ? process_find(vm, pid) != NULL : process_alive_outside(vm, pid);
}

/* The message is moved, if it has an environment of its own; else copied. */
static bool send_from_outside(VM *vm, term pid, ErlNifEnv *message_env, term message) {
    Fragment *data = NULL;
    if (message_env != NULL) {
        data = heap_detach(&message_env->own);
    } else if (!is_immediate(message)) {
        Heap copy;
        heap_init_detached(&copy, vm);
        message = term_copy_literals_too(&copy, message);
        if (message == NONE) {
            return false;
        }
        data = heap_detach(&copy);
    }
    if (!queue_message(vm, pid, message, data)) {
        heap_free_fragments(vm, data);
        return false;
    }
    return true;
}

ENIF(int, enif_send, ErlNifEnv *env, const ErlNifPid *to, ErlNifEnv *message_env, ERL_NIF_TERM message) {
    VM *vm = nif_world->vm;
    bool sent;
    if (!is_alive(vm, to->pid)) {
        return false;
    }
    if (!nif_on_scheduler(vm)) {
        sent = send_from_outside(vm, to->pid, message_env, message);
    } else if (message_env != NULL) {
        sent = message_send_built(vm_scheduler(vm), to->pid, message, &message_env->own);
    } else {
        sent = message_send(vm_scheduler(vm), env == NULL ? NULL : env->process, to->pid, message);
    }
    if (sent && message_env != NULL) {
        nif_env_free_temporaries(message_env);
    }
    return sent;
}
