/* Messages of libraries when a descriptor can be read or written, once for each time they ask. */
#include <fcntl.h>
#include <limits.h>

#include "io/nif.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "term/copy.h"

/* What is to be sent when one direction is ready. */
typedef struct {
    term pid, message; /* pid NONE: nothing is wanted */
    Fragment *data;
} Wanted;

typedef struct NifSelect {
    Watcher watcher;
    struct NifSelect *next; /* in Nifs.selects */
    int fd;
    void *obj;        /* the resource, counted */
    Wanted wanted[2]; /* reading, writing */
    unsigned watched; /* what the poller knows */
    bool stops;       /* the end has been asked for */
} NifSelect;

typedef struct {
    NifRequest request;
    int fd;
} Sync;

ENIF(void, enif_keep_resource, void *obj);
ENIF(void, enif_release_resource, void *obj);
ENIF(ERL_NIF_TERM, enif_make_resource, ErlNifEnv *env, void *obj);

static NifSelect *find(const Nifs *n, int fd) {
    NifSelect *s = n->selects;
    while (s != NULL && s->fd != fd) {
        s = s->next;
    }
    return s;
}

static void drop(VM *vm, Wanted *w) {
    nif_fragments_free(vm, w->data);
    *w = (Wanted){NONE, NONE, NULL};
}

static unsigned wants(const NifSelect *s) {
    return (s->wanted[0].pid != NONE ? POLL_READ : 0u) | (s->wanted[1].pid != NONE ? POLL_WRITE : 0u);
}

static void ready(VM *vm, Watcher *watcher, int fd UNUSED, unsigned what) {
    NifSelect *s = (NifSelect *)watcher;
    Nifs *n = vm->io->nifs;
    mutex_take(n->lock);
    Wanted *w = &s->wanted[what == POLL_WRITE], sent = *w;
    *w = (Wanted){NONE, NONE, NULL};
    s->watched = wants(s);
    io_watch(vm, s->fd, s->watched, &s->watcher);
    mutex_give(n->lock);
    if (sent.pid != NONE) {
        Heap built;
        heap_init_detached(&built, vm);
        built.fragments = sent.data;
        message_send_built(vm_scheduler(vm), sent.pid, sent.message, &built);
    }
}

/* Out of the list, and the poller lets go. On a scheduler. */
static void take_out(VM *vm, NifSelect *s) {
    NifSelect **at = &vm->io->nifs->selects;
    while (*at != s) {
        at = &(*at)->next;
    }
    *at = s->next;
    if (s->watched != 0) {
        io_watch(vm, s->fd, 0, &s->watcher);
    }
    drop(vm, &s->wanted[0]);
    drop(vm, &s->wanted[1]);
}

static void stop(VM *vm, NifSelect *s, bool direct) {
    void *obj = s->obj;
    int fd = s->fd;
    MEM_DELETE(&vm->mem, MEM_SYSTEM, s);
    if (nif_resource_stops(obj)) {
        nif_resource_stop(vm, obj, fd, direct);
    }
    enif_release_resource(obj);
}

/* Brings the poller up to date. On a scheduler, under both locks. False: no such descriptor. */
static bool watch(VM *vm, NifSelect *s) {
    unsigned w = wants(s);
    bool ok = w == s->watched || io_watch(vm, s->fd, w, &s->watcher);
    s->watched = ok ? w : s->watched;
    return ok;
}

static void sync_serve(VM *vm, NifRequest *r) {
    Nifs *n = vm->io->nifs;
    Sync *sync = (Sync *)r;
    mutex_take(n->lock);
    NifSelect *s = find(n, sync->fd);
    bool ends = s != NULL && s->stops;
    if (ends) {
        take_out(vm, s);
    } else if (s != NULL) {
        watch(vm, s);
    }
    mutex_give(n->lock);
    MEM_DELETE(&vm->mem, MEM_SYSTEM, sync);
    if (ends) {
        stop(vm, s, false);
    }
}

static bool sync_later(Nifs *n, int fd) {
    Sync *sync = MEM_NEW(&n->vm->mem, MEM_SYSTEM, Sync);
    if (sync == NULL) {
        return false;
    }
    *sync = (Sync){{NULL, sync_serve}, fd};
    nif_queue(n, &sync->request);
    return true;
}

/* --- What is asked for: under the lock, and io_lock on a scheduler -------------------------------------------------- */

static NifSelect *select_new(Nifs *n, int fd, void *obj) {
    NifSelect *s = MEM_NEW(&n->vm->mem, MEM_SYSTEM, NifSelect);
    if (s != NULL) {
        *s = (NifSelect){.watcher = {ready}, .next = n->selects, .fd = fd, .obj = obj, .wanted = {{NONE, NONE, NULL}, {NONE, NONE, NULL}}};
        n->selects = s;
        enif_keep_resource(obj);
    }
    return s;
}

static int end_select(Nifs *n, NifSelect *s, bool here) {
    if (s == NULL || s->stops) {
        return INT_MIN | NIF_SELECT_INVALID_EVENT;
    }
    s->stops = true;
    if (here) {
        take_out(n->vm, s);
        return NIF_SELECT_STOP_CALLED;
    }
    return sync_later(n, s->fd) ? NIF_SELECT_STOP_SCHEDULED : INT_MIN | NIF_SELECT_FAILED;
}

static int cancel(Nifs *n, NifSelect *s, int flags, bool here) {
    int result = 0;
    for (int i = 0; s != NULL && i < 2; i++) {
        if (flags & (i == 0 ? NIF_SELECT_READ : NIF_SELECT_WRITE) && s->wanted[i].pid != NONE) {
            drop(n->vm, &s->wanted[i]);
            result |= i == 0 ? NIF_SELECT_READ_CANCELLED : NIF_SELECT_WRITE_CANCELLED;
        }
    }
    if (result != 0 && !(here ? watch(n->vm, s) : sync_later(n, s->fd))) {
        return INT_MIN | NIF_SELECT_FAILED;
    }
    return result;
}

/* The message: what the caller has made, or {select, Resource, Ref, ready_input}. */
static bool make_message(VM *vm, Wanted *w, void *obj, term ref, bool writes, bool custom, ErlNifEnv *message_env) {
    ErlNifEnv env;
    nif_env_begin(&env, vm, ENV_OWN, NULL);
    if (!custom) {
        term copy = is_immediate(ref) ? ref : term_copy_literals_too(env.heap, ref);
        w->message =
            copy == NONE ? NONE : TUPLE4(env.heap, A_select, enif_make_resource(&env, obj), copy, writes ? A_ready_output : A_ready_input);
        w->data = heap_detach(&env.own);
    } else if (message_env != NULL) {
        w->message = ref;
        w->data = heap_detach(&message_env->own);
    } else {
        w->message = is_immediate(ref) ? ref : term_copy_literals_too(env.heap, ref);
        w->data = heap_detach(&env.own);
    }
    return w->message != NONE;
}

static int want(Nifs *n, NifSelect *s, int fd, int flags, void *obj, term pid, term ref, ErlNifEnv *message_env, bool here) {
    VM *vm = n->vm;
    s = s != NULL ? s : select_new(n, fd, obj);
    if (s == NULL) {
        return INT_MIN | NIF_SELECT_FAILED;
    }
    for (int i = 0; i < 2; i++) {
        if (flags & (i == 0 ? NIF_SELECT_READ : NIF_SELECT_WRITE)) {
            Wanted w = {pid, NONE, NULL};
            if (!make_message(vm, &w, obj, ref, i == 1, flags & NIF_SELECT_CUSTOM_MSG, message_env)) {
                return INT_MIN | NIF_SELECT_FAILED;
            }
            drop(vm, &s->wanted[i]);
            s->wanted[i] = w;
        }
    }
    if (here ? watch(vm, s) : sync_later(n, fd)) {
        return 0;
    }
    take_out(vm, s);
    enif_release_resource(s->obj);
    MEM_DELETE(&vm->mem, MEM_SYSTEM, s);
    return INT_MIN | NIF_SELECT_INVALID_EVENT;
}

ENIF(int, enif_select_x, ErlNifEnv *env, ErlNifEvent fd, int flags, void *obj, const ErlNifPid *to, ERL_NIF_TERM ref,
     ErlNifEnv *message_env) {
    Nifs *n = nif_world;
    bool here = nif_on_scheduler(n->vm), stops = flags & NIF_SELECT_STOP, cancels = flags & NIF_SELECT_CANCEL;
    term pid = to != NULL ? to->pid : env != NULL ? env->pid : NONE;
    if (fd < 0 || fcntl(fd, F_GETFD) < 0) {
        return INT_MIN | NIF_SELECT_INVALID_EVENT;
    }
    if (flags & NIF_SELECT_ERROR) {
        return INT_MIN | NIF_SELECT_FAILED | NIF_SELECT_NOTSUP;
    }
    if (here) {
        io_lock(n->vm);
    }
    mutex_take(n->lock);
    NifSelect *s = find(n, fd), *stolen = NULL;
    if (s != NULL && s->obj != obj && !stops && here) {
        take_out(n->vm, s); /* another resource has the descriptor now: that is no end for the one that had it */
        stolen = s, s = NULL;
    }
    if (stops && s == NULL) { /* it was never asked for */
        s = select_new(n, fd, obj);
    }
    int result = stops     ? end_select(n, s, here)
                 : cancels ? cancel(n, s, flags, here)
                           : want(n, s, fd, flags, obj, pid, ref, message_env, here);
    mutex_give(n->lock);
    if (here) {
        io_unlock(n->vm);
    }
    if (stolen != NULL) {
        enif_release_resource(stolen->obj);
        MEM_DELETE(&n->vm->mem, MEM_SYSTEM, stolen);
    }
    if (result == NIF_SELECT_STOP_CALLED) {
        stop(n->vm, s, true);
    }
    return result;
}

ENIF(int, enif_select, ErlNifEnv *env, ErlNifEvent fd, int flags, void *obj, const ErlNifPid *to, ERL_NIF_TERM ref) {
    return enif_select_x(env, fd, flags & ~NIF_SELECT_CUSTOM_MSG, obj, to, ref, NULL);
}

void nif_selects_done(Nifs *n) {
    while (n->selects != NULL) {
        NifSelect *s = n->selects;
        take_out(n->vm, s);
        enif_release_resource(s->obj);
        MEM_DELETE(&n->vm->mem, MEM_SYSTEM, s);
    }
}
