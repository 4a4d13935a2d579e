/* Libraries of native functions (NIFs) that others have compiled: loading them, calling their functions, and what these functions
   call. The C functions named enif_... are what libraries see (nif_abi.h); they work on an environment:

       a call's       terms go to the heap of the process that calls; nothing ever moves while C code runs
       a dirty call's runs on a thread of the pool, while its process is parked: arguments are copied to the environment's own heap,
                      which the process adopts with the result
       a callback's   destructors and the like: a heap of its own that is freed afterwards
       alloc_env      likewise, until it is freed, or sent as a message

   Threads that are no scheduler's touch nothing of the VM but what is always safe (atoms, buffers, memory); what they want sent,
   selected or freed stands in a queue (Nifs.queue) that schedulers look at where they look at descriptors.
   See docs/nif.md. */
#ifndef MOTE_IO_NIF_H
#define MOTE_IO_NIF_H

#include "base/lock.h"
#include "code/export.h"
#include "io/io.h"
#include "io/nif_abi.h"
#include "term/atom.h"
#include "term/ref.h"

/* A library that a generation of a module's code has loaded. Lives as long as that code, its resource types with callbacks, and calls
   that have begun. */
typedef struct NifLibrary {
    VM *vm;
    void *handle;
    ErlNifEntry entry; /* a copy, with all fields */
    void *priv_data;
    term module;
    size_t refs; /* atomic */
    bool delay_halt;
    void (*on_halt)(void *priv_data);
    void (*on_unload_thread)(void *priv_data);
    struct NifLibrary *next; /* in Nifs.libraries */
    struct Nif *nifs;        /* entry.function_count of them */
} NifLibrary;

/* A function of one: what the entry of its Erlang function leads to. */
typedef struct Nif {
    BifEntry called; /* first: what the instruction calls. Its names are not used */
    NifFunction *function;
    NifLibrary *library;
    term name;
    unsigned flags;
} Nif;

/* Memory that an environment frees at its end. */
typedef struct NifTemporary {
    struct NifTemporary *next;
    void (*free)(VM *vm, void *what); /* NULL: it is this block only */
    void *what;
} NifTemporary;

/* A call that enif_schedule_nif has asked for: goes on in the next slice. */
typedef struct NifNext {
    Resource resource;   /* behind a magic reference */
    NifLibrary *library; /* counted */
    NifFunction *function;
    unsigned flags;
    int argc;
} NifNext;

typedef enum { ENV_CALL, ENV_DIRTY, ENV_CALLBACK, ENV_OWN } EnvKind;
struct enif_environment_t {
    Heap *heap; /* where terms go: the process's, or own */
    Heap own;   /* detached */
    VM *vm;
    EnvKind kind;
    Process *process;    /* of ENV_CALL */
    term pid;            /* of the process it is for; NONE: none */
    NifLibrary *library; /* NULL: none's */
    NifTemporary *temporaries;
    term raised;    /* reason of a pending exception; NONE: none */
    NifNext *next;  /* what is to be called next; NULL: nothing */
    term next_args; /* with these: a tuple, or NIL */
};

/* Environments. */
void nif_env_begin(ErlNifEnv *env, VM *vm, EnvKind kind, NifLibrary *library);
void nif_env_end(ErlNifEnv *env); /* frees temporaries and what is still on its own heap */
void nif_env_free_temporaries(ErlNifEnv *env);
bool nif_env_keep(ErlNifEnv *env, void (*free)(VM *vm, void *what), void *what); /* to be freed at its end; false: no memory */
void *nif_env_memory(ErlNifEnv *env, size_t size);
term nif_fail(ErlNifEnv *env, term reason);   /* the exception is set; NONE */
term *nif_room(ErlNifEnv *env, size_t words); /* NULL: no memory, and system_limit is raised */
term nif_checked(ErlNifEnv *env, term t);     /* t, or NONE after raising what the heap says */

/* What threads that are no scheduler's have to hand over. */
typedef struct NifRequest {
    struct NifRequest *next;
    void (*serve)(VM *vm, struct NifRequest *r); /* on a scheduler; frees it */
} NifRequest;

typedef struct Nifs {
    VM *vm;
    Mutex *lock; /* of libraries, types, monitors, selects */
    NifLibrary *libraries;
    term *taints; /* modules that have ever loaded one */
    size_t taint_count;
    ErlNifResourceType *types;
    ErlNifResourceType *opened; /* by a load that has not succeeded yet */
    struct NifMonitors *monitors;
    struct NifSelect *selects;
    Lock queue_lock;
    NifRequest *queue, **queue_last;
    bool ended; /* the VM stops: nothing is served any more */
} Nifs;

/* The VM whose libraries these are: functions without an environment need one. Only one VM of a process can have them. */
extern Nifs *nif_world;
static inline bool nif_on_scheduler(const VM *vm) {
    return scheduler_here != NULL && scheduler_here->vm == vm;
}
extern _Thread_local int nif_thread_kind; /* of a thread of the pool: NIF_THREAD_... */
int enif_thread_type(void);
void nif_queue(Nifs *n, NifRequest *r);
void nif_serve(VM *vm);
void nif_fragments_free(VM *vm, Fragment *f); /* from any thread */

void *nif_library_open(const char *path); /* of path.so; NULL: library_error says why */
void nif_library_release(NifLibrary *l);  /* the last one closes it */
static inline NifLibrary *nif_library_keep(NifLibrary *l) {
    __atomic_fetch_add(&l->refs, 1, __ATOMIC_RELAXED);
    return l;
}
int nif_minor_version(VM *vm); /* of OTP's interface that the booted release has */

/* Calling. */
BifFunction nif_call; /* that of all Nifs */
term nif_call_outside(VM *vm, const BifEntry *called,
                      const term *args); /* not for a process, whether dirty or not. The result is an immediate, or NONE */

/* Resources. */
void nif_types_commit(Nifs *n, NifLibrary *l);
void nif_types_rollback(Nifs *n);
void nif_types_orphan(Nifs *n, NifLibrary *l); /* the code that owned them is gone */
bool nif_process_ended(Process *p);            /* a ProcessEnded: calls `down` */
bool nif_resources_init(Nifs *n);              /* false: no memory */
void nif_resources_done(Nifs *n);
bool nif_resource_stops(void *obj); /* has its type a callback for the end of a select? */
void nif_resource_stop(VM *vm, void *obj, int fd, bool direct);
void nif_selects_done(Nifs *n);

#endif
