/* Threads, locks and thread-specific data for libraries of native functions: POSIX's own (but for keys of data, of which it has too few), under the names of OTP's interface
   (enif_... and erl_drv_...). They know nothing of the VM. */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "platform/unix/new_thread.h"

#define API __attribute__((visibility("default")))
/* A function under both names. */
#define BOTH(Type, name, ...)                                                   \
    API Type enif_##name(__VA_ARGS__);                                          \
    API Type erl_drv_##name(__VA_ARGS__) __attribute__((alias("enif_" #name))); \
    Type enif_##name(__VA_ARGS__)

typedef struct ErlDrvMutex_ {
    pthread_mutex_t lock;
    char *name;
} Mutex;
typedef struct ErlDrvCond_ {
    pthread_cond_t cond;
    char *name;
} Cond;
typedef struct ErlDrvRWLock_ {
    pthread_rwlock_t lock;
    char *name;
} RWLock;
typedef struct ErlDrvTid_ {
    pthread_t id;
    char *name;
    void *(*run)(void *arg);
    void *arg;
} * Tid;
typedef struct {
    int suggested_stack_size;
} ThreadOpts;

static char *copy_of(const char *name) {
    return name == NULL ? NULL : strdup(name);
}

/* A struct with a name in it. NULL: no memory. */
static void *named(size_t size, char *name, size_t where) {
    char *p = calloc(1, size), *copy = copy_of(name);
    if (p != NULL) {
        memcpy(p + where, &copy, sizeof copy);
    } else {
        free(copy);
    }
    return p;
}

/* What the three kinds of locks share: making one, ending it, its name. */
#define NAMED(Type, kind, pthread, field)                       \
    BOTH(Type *, kind##_create, char *name) {                   \
        Type *l = named(sizeof *l, name, offsetof(Type, name)); \
        if (l != NULL) {                                        \
            pthread_##pthread##_init(&l->field, NULL);          \
        }                                                       \
        return l;                                               \
    }                                                           \
    BOTH(void, kind##_destroy, Type *l) {                       \
        pthread_##pthread##_destroy(&l->field);                 \
        free(l->name);                                          \
        free(l);                                                \
    }                                                           \
    BOTH(char *, kind##_name, Type *l) {                        \
        return l == NULL ? NULL : l->name;                      \
    }

NAMED(Mutex, mutex, mutex, lock)
NAMED(Cond, cond, cond, cond)
NAMED(RWLock, rwlock, rwlock, lock)

/* --- Mutexes ------------------------------------------------------------------------------------------------------- */

BOTH(int, mutex_trylock, Mutex *m) {
    return pthread_mutex_trylock(&m->lock);
}

BOTH(void, mutex_lock, Mutex *m) {
    pthread_mutex_lock(&m->lock);
}

BOTH(void, mutex_unlock, Mutex *m) {
    pthread_mutex_unlock(&m->lock);
}

/* --- Conditions ---------------------------------------------------------------------------------------------------- */

BOTH(void, cond_signal, Cond *c) {
    pthread_cond_signal(&c->cond);
}

BOTH(void, cond_broadcast, Cond *c) {
    pthread_cond_broadcast(&c->cond);
}

BOTH(void, cond_wait, Cond *c, Mutex *m) {
    pthread_cond_wait(&c->cond, &m->lock);
}

/* --- Locks to read or to write ------------------------------------------------------------------------------------- */

BOTH(int, rwlock_tryrlock, RWLock *l) {
    return pthread_rwlock_tryrdlock(&l->lock);
}

BOTH(void, rwlock_rlock, RWLock *l) {
    pthread_rwlock_rdlock(&l->lock);
}

BOTH(void, rwlock_runlock, RWLock *l) {
    pthread_rwlock_unlock(&l->lock);
}

BOTH(int, rwlock_tryrwlock, RWLock *l) {
    return pthread_rwlock_trywrlock(&l->lock);
}

BOTH(void, rwlock_rwlock, RWLock *l) {
    pthread_rwlock_wrlock(&l->lock);
}

BOTH(void, rwlock_rwunlock, RWLock *l) {
    pthread_rwlock_unlock(&l->lock);
}

/* --- Data of threads: keys without number, where POSIX has 1,024 ----------------------------------------------------- */

/* A thread's values, by key. */
typedef struct {
    int count;
    void *of[];
} Values;

static pthread_once_t keys_once = PTHREAD_ONCE_INIT;
static pthread_key_t values_key;
static pthread_mutex_t keys_lock = PTHREAD_MUTEX_INITIALIZER;
static bool *key_taken;
static int key_room;

static void keys_begin(void) {
    pthread_key_create(&values_key, free);
}

BOTH(int, tsd_key_create, char *name, int *key) {
    (void)name;
    pthread_once(&keys_once, keys_begin);
    pthread_mutex_lock(&keys_lock);
    int k = 0;
    while (k < key_room && key_taken[k]) {
        k++;
    }
    if (k == key_room) {
        int room = key_room == 0 ? 16 : 2 * key_room;
        bool *more = realloc(key_taken, (size_t)room);
        if (more != NULL) {
            memset(more + key_room, 0, (size_t)(room - key_room));
            key_taken = more;
            key_room = room;
        }
    }
    bool made = k < key_room;
    if (made) {
        key_taken[k] = true;
    }
    pthread_mutex_unlock(&keys_lock);
    *key = made ? k : -1;
    return made ? 0 : ENOMEM;
}

BOTH(void, tsd_key_destroy, int key) {
    pthread_mutex_lock(&keys_lock);
    key_taken[key] = false;
    pthread_mutex_unlock(&keys_lock);
}

BOTH(void, tsd_set, int key, void *data) {
    Values *v = pthread_getspecific(values_key);
    int count = v == NULL ? 0 : v->count;
    if (key >= count) {
        int room = key + 16;
        v = realloc(v, sizeof *v + (size_t)room * sizeof v->of[0]);
        if (v == NULL) {
            abort(); /* there is no other answer */
        }
        memset(v->of + count, 0, (size_t)(room - count) * sizeof v->of[0]);
        v->count = room;
        pthread_setspecific(values_key, v);
    }
    v->of[key] = data;
}

BOTH(void *, tsd_get, int key) {
    const Values *v = pthread_getspecific(values_key);
    return v == NULL || key >= v->count ? NULL : v->of[key];
}

/* --- Threads ------------------------------------------------------------------------------------------------------- */

static __thread Tid here; /* NULL: a thread that these functions have not started, or have not been asked for */

BOTH(ThreadOpts *, thread_opts_create, char *name) {
    ThreadOpts *o = malloc(sizeof *o);
    (void)name;
    if (o != NULL) {
        o->suggested_stack_size = -1;
    }
    return o;
}

BOTH(void, thread_opts_destroy, ThreadOpts *opts) {
    free(opts);
}

static void *begin(void *arg) {
    here = arg;
    return here->run(here->arg);
}

/* A suggested size is in thousands of words. */
BOTH(int, thread_create, char *name, Tid *tid, void *(*run)(void *), void *arg, ThreadOpts *opts) {
    Tid t = named(sizeof *t, name, offsetof(struct ErlDrvTid_, name));
    pthread_attr_t attr;
    if (t == NULL) {
        return ENOMEM;
    }
    t->run = run, t->arg = arg;
    pthread_attr_init(&attr);
    if (opts != NULL && opts->suggested_stack_size > 0) {
        size_t size = (size_t)opts->suggested_stack_size * 1024 * sizeof(void *), least = 64 << 10;
        pthread_attr_setstacksize(&attr, ((size < least ? least : size) + 4095) / 4096 * 4096);
    }
    int error = new_thread(&t->id, &attr, begin, t);
    pthread_attr_destroy(&attr);
    if (error != 0) {
        free(t->name);
        free(t);
        return error;
    }
    *tid = t;
    return 0;
}

BOTH(Tid, thread_self, void) {
    if (here == NULL && (here = calloc(1, sizeof *here)) != NULL) { /* stays with the thread */
        here->id = pthread_self();
    }
    return here;
}

BOTH(int, equal_tids, Tid a, Tid b) {
    return a == b || (a != NULL && b != NULL && pthread_equal(a->id, b->id));
}

BOTH(void, thread_exit, void *result) {
    pthread_exit(result);
}

BOTH(int, thread_join, Tid t, void **result) {
    int error = pthread_join(t->id, result);
    if (error == 0) {
        free(t->name);
        free(t);
    }
    return error;
}

BOTH(char *, thread_name, Tid t) {
    return t == NULL ? NULL : t->name;
}
