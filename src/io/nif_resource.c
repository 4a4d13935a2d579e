/* Resources: objects of libraries behind references, their types, and the processes they watch. */
#include "data/bits.h"
#include "io/nif.h"
#include "io/nif_info.h"
#include "proc/schedule.h"

static const char nif_resource[] = "resource of a library";

typedef struct NifMonitor {
    struct NifMonitor *next;    /* in its bucket */
    struct NifMonitor *next_of; /* of the same resource */
    struct NifResource *resource;
    term pid;
    uint64_t low, high; /* number of the reference that it is known by */
} NifMonitor;

typedef struct NifResource {
    Resource resource;
    ErlNifResourceType *type;
    size_t size;
    uint64_t low, high;   /* number of its references: all of one resource are equal */
    NifMonitor *monitors; /* under Nifs.lock */
    max_align_t data[];
} NifResource;

struct enif_resource_type_t {
    ErlNifResourceType *next;
    term module, name;
    ErlNifResourceTypeInit callbacks;
    NifLibrary *owner; /* counted if there are callbacks; NULL: to be given by the load that opens it */
    size_t refs;       /* atomic: the list's, and each resource's */
    /* of one that is being opened: */
    ErlNifResourceType *taken_over; /* by this one's callbacks; NULL: it is new */
};

enum { MONITOR_BUCKETS = 256 };
typedef struct NifMonitors {
    size_t count; /* atomic */
    NifMonitor *buckets[MONITOR_BUCKETS];
} NifMonitors;

static NifResource *resource_at(void *obj) {
    return (NifResource *)((uint8_t *)obj - offsetof(NifResource, data));
}

/* --- Types --------------------------------------------------------------------------------------------------------- */

static bool has_callbacks(const ErlNifResourceTypeInit *c) {
    return c->dtor != NULL || c->stop != NULL || c->down != NULL || c->dyncall != NULL;
}

static void type_release(VM *vm, ErlNifResourceType *t) {
    if (__atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        NifLibrary *owner = has_callbacks(&t->callbacks) ? t->owner : NULL;
        MEM_DELETE(&vm->mem, MEM_SYSTEM, t);
        if (owner != NULL) {
            nif_library_release(owner);
        }
    }
}

static ErlNifResourceType *find_type(const Nifs *n, term module, term name) {
    ErlNifResourceType *t = n->types;
    while (t != NULL && (t->module != module || t->name != name)) {
        t = t->next;
    }
    return t;
}

/* What the type becomes when the load that opens it succeeds. The result is the type itself, which may be used at once. */
static ErlNifResourceType *open_type(ErlNifEnv *env, const char *name_text, const ErlNifResourceTypeInit *init, int flags, int *tried) {
    VM *vm = env->vm;
    Nifs *n = vm->io->nifs;
    term name = atom_intern(vm, (const uint8_t *)name_text, strlen(name_text), NULL);
    ErlNifResourceType *old = name == NONE ? NULL : find_type(n, env->library->module, name);
    int op = old != NULL && flags & NIF_RT_TAKEOVER ? NIF_RT_TAKEOVER : old == NULL && flags & NIF_RT_CREATE ? NIF_RT_CREATE : 0;
    if (tried != NULL) {
        *tried = op == 0 ? flags : op;
    }
    ErlNifResourceType *t = op == 0 || name == NONE ? NULL : MEM_NEW(&vm->mem, MEM_SYSTEM, ErlNifResourceType);
    if (t == NULL) {
        return NULL;
    }
    *t = (ErlNifResourceType){
        .module = env->library->module, .name = name, .callbacks = *init, .refs = 1, .taken_over = old, .next = n->opened};
    n->opened = t;
    return old != NULL ? old : t;
}

ENIF(ErlNifResourceType *, enif_open_resource_type, ErlNifEnv *env, const char *module, const char *name, void (*dtor)(ErlNifEnv *, void *),
     int flags, int *tried) {
    return module != NULL ? NULL : open_type(env, name, &(ErlNifResourceTypeInit){.dtor = dtor}, flags, tried);
}

ENIF(ErlNifResourceType *, enif_open_resource_type_x, ErlNifEnv *env, const char *name, const ErlNifResourceTypeInit *init, int flags,
     int *tried) {
    return open_type(env, name, &(ErlNifResourceTypeInit){init->dtor, init->stop, init->down, 3, NULL}, flags, tried);
}

ENIF(ErlNifResourceType *, enif_init_resource_type, ErlNifEnv *env, const char *name, const ErlNifResourceTypeInit *init, int flags,
     int *tried) {
    ErlNifResourceTypeInit c = {.members = init->members};
    c.dtor = init->members > 0 ? init->dtor : NULL;
    c.stop = init->members > 1 ? init->stop : NULL;
    c.down = init->members > 2 ? init->down : NULL;
    c.dyncall = init->members > 3 ? init->dyncall : NULL;
    return open_type(env, name, &c, flags, tried);
}

/* An existing type gets the new callbacks, and their library as its owner. */
static void take_over(VM *vm, ErlNifResourceType *old, ErlNifResourceType *t) {
    NifLibrary *was = has_callbacks(&old->callbacks) ? old->owner : NULL;
    old->callbacks = t->callbacks;
    old->owner = t->owner;
    MEM_DELETE(&vm->mem, MEM_SYSTEM, t);
    if (was != NULL) {
        nif_library_release(was);
    }
}

void nif_types_commit(Nifs *n, NifLibrary *l) {
    for (ErlNifResourceType *t = n->opened, *next; t != NULL; t = next) {
        next = t->next;
        t->owner = l;
        if (has_callbacks(&t->callbacks)) {
            nif_library_keep(l);
        }
        if (t->taken_over != NULL) {
            take_over(n->vm, t->taken_over, t);
        } else {
            t->next = n->types;
            n->types = t;
        }
    }
    n->opened = NULL;
}

void nif_types_rollback(Nifs *n) {
    for (ErlNifResourceType *t = n->opened, *next; t != NULL; t = next) {
        next = t->next;
        t->callbacks = (ErlNifResourceTypeInit){0};
        type_release(n->vm, t);
    }
    n->opened = NULL;
}

/* Types whose code is gone can be found no more; they live as long as their resources. */
void nif_types_orphan(Nifs *n, NifLibrary *l) {
    for (ErlNifResourceType **at = &n->types; *at != NULL;) {
        ErlNifResourceType *t = *at;
        if (t->owner == l) {
            *at = t->next;
            type_release(n->vm, t);
        } else {
            at = &t->next;
        }
    }
}

/* --- Objects ------------------------------------------------------------------------------------------------------- */

static void forget_monitors(Nifs *n, NifResource *r);

static void destroy(VM *vm, Resource *resource) {
    NifResource *r = (NifResource *)resource;
    ErlNifResourceType *t = r->type;
    forget_monitors(vm->io->nifs, r);
    if (t->callbacks.dtor != NULL && t->owner != NULL) {
        ErlNifEnv env;
        nif_env_begin(&env, vm, ENV_CALLBACK, t->owner);
        t->callbacks.dtor(&env, r->data);
        nif_env_end(&env);
    }
    mem_free(&vm->mem, MEM_BINARY, r, sizeof *r + r->size);
    type_release(vm, t);
}

ENIF(void *, enif_alloc_resource, ErlNifResourceType *t, size_t size) {
    VM *vm = nif_world->vm;
    NifResource *r = size > PTRDIFF_MAX ? NULL : mem_alloc(&vm->mem, MEM_BINARY, sizeof *r + size);
    if (r == NULL) {
        return NULL;
    }
    term number[REF_WORDS];
    term ref = ref_write_fresh(vm, number);
    *r = (NifResource){.resource = {1, destroy, nif_resource}, .type = t, .size = size, .low = ref_low(ref), .high = ref_high(ref)};
    __atomic_fetch_add(&t->refs, 1, __ATOMIC_RELAXED);
    return r->data;
}

ENIF(void, enif_keep_resource, void *obj) {
    resource_keep(&resource_at(obj)->resource);
}

ENIF(void, enif_release_resource, void *obj) {
    resource_release(nif_world->vm, &resource_at(obj)->resource);
}

ENIF(size_t, enif_sizeof_resource, void *obj) {
    return resource_at(obj)->size;
}

ENIF(ERL_NIF_TERM, enif_make_resource, ErlNifEnv *env, void *obj) {
    NifResource *r = resource_at(obj);
    term *at = heap_alloc(env->heap, MAGIC_WORDS);
    term t = ref_write(at, r->low, r->high);
    resource_keep(&r->resource);
    at[0] = HEADER(MAGIC_WORDS - 1, KIND_REF);
    at[REF_WORDS] = (term)&r->resource;
    at[REF_WORDS + 1] = NONE;
    heap_link_off_heap(env->heap, t);
    return t;
}

/* A binary of bytes that the resource holds. */
ENIF(ERL_NIF_TERM, enif_make_resource_binary, ErlNifEnv *env, void *obj, const void *data, size_t size) {
    Buffer *b = buffer_over(env->vm, &resource_at(obj)->resource, data, size);
    return b == NULL ? nif_fail(env, A_system_limit) : bits_from_buffer(env->heap, b, 0, size * 8);
}

/* The resource of a reference or of such a binary; NULL: it is none of a library's. */
static NifResource *resource_of(term t) {
    const Resource *r = NULL;
    if (is_magic_ref(t)) {
        r = magic_resource(t);
    } else if (is_kind(t, KIND_VIEW) && kind_of(((View *)boxed(t))->base) == KIND_BUFFER) {
        r = buffer_resource(((BufferRef *)boxed(((View *)boxed(t))->base))->buffer);
    }
    return r == NULL || r->type != nif_resource ? NULL : (NifResource *)r;
}

ENIF(int, enif_get_resource, ErlNifEnv *env UNUSED, ERL_NIF_TERM t, ErlNifResourceType *type, void **obj) {
    NifResource *r = resource_of(t);
    if (r == NULL || r->type != type) {
        return false;
    }
    *obj = r->data;
    return true;
}

ENIF(int, enif_dynamic_resource_call, ErlNifEnv *env, ERL_NIF_TERM module, ERL_NIF_TERM name, ERL_NIF_TERM t, void *data) {
    NifResource *r = is_magic_ref(t) ? resource_of(t) : NULL;
    if (r == NULL || r->type->module != module || r->type->name != name || r->type->callbacks.dyncall == NULL) {
        return 1;
    }
    r->type->callbacks.dyncall(env, r->data, data);
    return 0;
}

void nif_resource_stop(VM *vm, void *obj, int fd, bool direct) {
    const ErlNifResourceType *t = resource_at(obj)->type;
    ErlNifEnv env;
    nif_env_begin(&env, vm, ENV_CALLBACK, t->owner);
    t->callbacks.stop(&env, obj, fd, direct);
    nif_env_end(&env);
}

bool nif_resource_stops(void *obj) {
    return resource_at(obj)->type->callbacks.stop != NULL;
}

/* --- Monitors ------------------------------------------------------------------------------------------------------ */

static NifMonitor **bucket_of(Nifs *n, term pid) {
    return &n->monitors->buckets[pid_number(pid) % MONITOR_BUCKETS];
}

static void take_out(Nifs *n, NifMonitor *m) {
    NifMonitor **at = bucket_of(n, m->pid);
    while (*at != m) {
        at = &(*at)->next;
    }
    *at = m->next;
    for (at = &m->resource->monitors; *at != m; at = &(*at)->next_of) {
    }
    *at = m->next_of;
    __atomic_fetch_sub(&n->monitors->count, 1, __ATOMIC_RELAXED);
}

static void forget_monitors(Nifs *n, NifResource *r) {
    if (r->type->callbacks.down == NULL) {
        return;
    }
    mutex_take(n->lock);
    for (NifMonitor *m; (m = r->monitors) != NULL;) {
        take_out(n, m);
        MEM_DELETE(&n->vm->mem, MEM_SYSTEM, m);
    }
    mutex_give(n->lock);
}

static void monitor_fill(ErlNifMonitor *to, const NifMonitor *m) {
    const uint64_t words[] = {m->low, m->high, (uintptr_t)m->resource, 0};
    _Static_assert(sizeof words >= sizeof to->data, "as much as the struct has");
    memcpy(to->data, words, sizeof to->data);
}

static bool is_there(VM *vm, term pid) {
    return nif_on_scheduler(vm) ? process_find(vm, pid) != NULL : process_alive_outside(vm, pid);
}

/* Under the lock it is seen as alive: then its end will look here. */
ENIF(int, enif_monitor_process, ErlNifEnv *env UNUSED, void *obj, const ErlNifPid *pid, ErlNifMonitor *monitor) {
    Nifs *n = nif_world;
    NifResource *r = resource_at(obj);
    if (r->type->callbacks.down == NULL) {
        return -1;
    }
    NifMonitor *m = MEM_NEW(&n->vm->mem, MEM_SYSTEM, NifMonitor);
    if (m == NULL) {
        return -1;
    }
    term number[REF_WORDS], ref = ref_write_fresh(n->vm, number);
    mutex_take(n->lock);
    bool alive = is_there(n->vm, pid->pid);
    if (alive) {
        NifMonitor **bucket = bucket_of(n, pid->pid);
        *m = (NifMonitor){*bucket, r->monitors, r, pid->pid, ref_low(ref), ref_high(ref)};
        *bucket = r->monitors = m;
        __atomic_fetch_add(&n->monitors->count, 1, __ATOMIC_SEQ_CST);
        if (monitor != NULL) {
            monitor_fill(monitor, m);
        }
    }
    mutex_give(n->lock);
    if (!alive) {
        MEM_DELETE(&n->vm->mem, MEM_SYSTEM, m);
    }
    return !alive;
}

ENIF(int, enif_demonitor_process, ErlNifEnv *env UNUSED, void *obj, const ErlNifMonitor *monitor) {
    Nifs *n = nif_world;
    uint64_t number[2];
    memcpy(number, monitor->data, sizeof number);
    mutex_take(n->lock);
    NifMonitor *m = resource_at(obj)->monitors;
    while (m != NULL && (m->low != number[0] || m->high != number[1])) {
        m = m->next_of;
    }
    if (m != NULL) {
        take_out(n, m);
    }
    mutex_give(n->lock);
    if (m == NULL) {
        return 1;
    }
    MEM_DELETE(&n->vm->mem, MEM_SYSTEM, m);
    return 0;
}

ENIF(int, enif_compare_monitors, const ErlNifMonitor *a, const ErlNifMonitor *b) {
    return memcmp(a->data, b->data, 2 * sizeof(uint64_t));
}

ENIF(ERL_NIF_TERM, enif_make_monitor_term, ErlNifEnv *env, const ErlNifMonitor *monitor) {
    uint64_t number[2];
    memcpy(number, monitor->data, sizeof number);
    return ref_write(heap_alloc(env->heap, REF_WORDS), number[0], number[1]);
}

/* One more reference to a resource that may just be going: false then. */
static bool keep_alive(Resource *r) {
    size_t refs = __atomic_load_n(&r->refs, __ATOMIC_RELAXED);
    while (refs > 0) {
        if (__atomic_compare_exchange_n(&r->refs, &refs, refs + 1, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
            return true;
        }
    }
    return false;
}

/* A monitor of the process, taken out, whose resource is kept. NULL: none is left. */
static NifMonitor *next_monitor(Nifs *n, term pid) {
    mutex_take(n->lock);
    NifMonitor *m = *bucket_of(n, pid);
    while (m != NULL && (m->pid != pid || !keep_alive(&m->resource->resource))) {
        m = m->next;
    }
    if (m != NULL) {
        take_out(n, m);
    }
    mutex_give(n->lock);
    return m;
}

bool nif_process_ended(Process *p) {
    VM *vm = process_vm(p);
    Nifs *n = vm->io->nifs;
    while (__atomic_load_n(&n->monitors->count, __ATOMIC_SEQ_CST) > 0) {
        NifMonitor *m = next_monitor(n, p->pid);
        if (m == NULL) {
            break;
        }
        NifResource *r = m->resource;
        ErlNifMonitor monitor;
        ErlNifPid pid = {p->pid};
        ErlNifEnv env;
        monitor_fill(&monitor, m);
        MEM_DELETE(&vm->mem, MEM_SYSTEM, m);
        nif_env_begin(&env, vm, ENV_CALLBACK, r->type->owner);
        r->type->callbacks.down(&env, r->data, &pid, &monitor);
        nif_env_end(&env);
        resource_release(vm, &r->resource);
    }
    return true;
}

term nif_monitored_by(Heap *h, term pid, term list) {
    Nifs *n = h->vm->io->nifs;
    if (n == NULL) {
        return list;
    }
    ErlNifEnv env;
    nif_env_begin(&env, h->vm, ENV_CALLBACK, NULL);
    env.heap = h;
    mutex_take(n->lock);
    for (const NifMonitor *m = *bucket_of(n, pid); m != NULL; m = m->next) {
        list = m->pid == pid ? heap_cons(h, enif_make_resource(&env, m->resource->data), list) : list;
    }
    mutex_give(n->lock);
    return list;
}

bool nif_resources_init(Nifs *n) {
    return (n->monitors = MEM_NEW(&n->vm->mem, MEM_SYSTEM, NifMonitors)) != NULL;
}

/* The VM ends: resources that are left have no owner to be told of. */
void nif_resources_done(Nifs *n) {
    for (size_t i = 0; i < MONITOR_BUCKETS; i++) {
        for (NifMonitor *m = n->monitors->buckets[i], *next; m != NULL; m = next) {
            next = m->next;
            MEM_DELETE(&n->vm->mem, MEM_SYSTEM, m);
        }
    }
    MEM_DELETE(&n->vm->mem, MEM_SYSTEM, n->monitors);
}
