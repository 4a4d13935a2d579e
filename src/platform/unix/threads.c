/* Threads and waiting, on POSIX threads. */
#include "platform/threads.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

#include "base/lock.h"
#include "platform/platform.h"
#include "platform/processors.h"
#include "platform/unix/new_thread.h"

struct Thread {
    pthread_t id;
    void (*run)(void *arg);
    void *arg;
};

static void *begin(void *arg) {
    Thread *t = arg;
    t->run(t->arg);
    return NULL;
}

bool threads_leave_memory(void) {
    enum { LEFT = 192 << 20 }; /* addresses; of these its stack and its heap's arena take less than half */
    void *left = platform_reserve(LEFT);
    if (left != NULL) {
        platform_release(left, LEFT);
    }
    return left != NULL;
}

int new_thread(pthread_t *id, const pthread_attr_t *attributes, void *(*run)(void *arg), void *arg) {
    sigset_t all, old;
    BoundThread bound;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    thread_unbind_begin(&bound);
    int error = pthread_create(id, attributes, run, arg);
    thread_unbind_end(&bound);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return error;
}

Thread *thread_start(Mem *mem, void (*run)(void *arg), void *arg) {
    Thread *t = MEM_NEW(mem, MEM_SYSTEM, Thread);
    if (t == NULL) {
        return NULL;
    }
    t->run = run, t->arg = arg;
    if (new_thread(&t->id, NULL, begin, t) != 0) {
        MEM_DELETE(mem, MEM_SYSTEM, t);
        return NULL;
    }
    return t;
}

void thread_join(Mem *mem, Thread *t) {
    if (t != NULL) {
        pthread_join(t->id, NULL);
        MEM_DELETE(mem, MEM_SYSTEM, t);
    }
}

void lock_wait(void) {
    sched_yield();
}

enum { MUTEX_SPINS = 25, MUTEX_PAUSES = 40 };

struct Event {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool set;
};

Event *event_new(Mem *mem) {
    Event *e = MEM_NEW(mem, MEM_SYSTEM, Event);
    if (e != NULL) {
        pthread_condattr_t monotonic;
        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        e->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
        pthread_cond_init(&e->changed, &monotonic);
        pthread_condattr_destroy(&monotonic);
    }
    return e;
}

void event_free(Mem *mem, Event *e) {
    if (e != NULL) {
        pthread_cond_destroy(&e->changed);
        pthread_mutex_destroy(&e->lock);
        MEM_DELETE(mem, MEM_SYSTEM, e);
    }
}

void event_set(Event *e) {
    pthread_mutex_lock(&e->lock);
    e->set = true;
    pthread_cond_signal(&e->changed);
    pthread_mutex_unlock(&e->lock);
}

void event_wait(Event *e, int64_t nanoseconds) {
    struct timespec t;
    if (nanoseconds >= 0) {
        clock_gettime(CLOCK_MONOTONIC, &t);
        t.tv_sec += nanoseconds / 1000000000;
        t.tv_nsec += nanoseconds % 1000000000;
        t.tv_sec += t.tv_nsec / 1000000000;
        t.tv_nsec %= 1000000000;
    }
    pthread_mutex_lock(&e->lock);
    for (int error = 0; !e->set && error != ETIMEDOUT;) {
        error = nanoseconds < 0 ? pthread_cond_wait(&e->changed, &e->lock) : pthread_cond_timedwait(&e->changed, &e->lock, &t);
    }
    e->set = false;
    pthread_mutex_unlock(&e->lock);
}

struct Mutex {
    pthread_mutex_t lock;
};

Mutex *mutex_new(Mem *mem) {
    Mutex *m = MEM_NEW(mem, MEM_SYSTEM, Mutex);
    if (m != NULL) {
#ifdef PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP
        m->lock = (pthread_mutex_t)PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
#else
        pthread_mutexattr_t recursive;
        pthread_mutexattr_init(&recursive);
        pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
        pthread_mutex_init(&m->lock, &recursive);
        pthread_mutexattr_destroy(&recursive);
#endif
    }
    return m;
}

void mutex_free(Mem *mem, Mutex *m) {
    if (m != NULL) {
        pthread_mutex_destroy(&m->lock);
        MEM_DELETE(mem, MEM_SYSTEM, m);
    }
}

/* Most are given back after a system call or two: to sleep, and to be woken, takes longer. */
void mutex_take(Mutex *m) {
    for (int i = 0; i < MUTEX_SPINS; i++) {
        if (pthread_mutex_trylock(&m->lock) == 0) {
            return;
        }
        for (int k = 0; k < MUTEX_PAUSES; k++) {
            cpu_pause();
        }
    }
    pthread_mutex_lock(&m->lock);
}

bool mutex_try(Mutex *m) {
    return pthread_mutex_trylock(&m->lock) == 0;
}

void mutex_give(Mutex *m) {
    pthread_mutex_unlock(&m->lock);
}
