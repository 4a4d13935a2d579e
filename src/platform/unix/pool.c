/* The pool of blocking work, on POSIX threads. */
#include "platform/pool.h"

#include <pthread.h>

#include "platform/threads.h"
#include "platform/unix/new_thread.h"

typedef struct {
    Job *first, **last;
} JobList;

struct Pool {
    Mem *mem;
    void (*wake)(void *arg);
    void *arg;
    pthread_mutex_t lock;
    pthread_cond_t more;
    JobList waiting, finished;
    size_t pending;
    unsigned count, idle, limit;
    size_t queued; /* in waiting */
    bool closing;
    pthread_t threads[];
};

static void add(JobList *l, Job *j) {
    j->next = NULL;
    *l->last = j;
    l->last = &j->next;
}

static Job *take(JobList *l) {
    Job *j = l->first;
    if (j != NULL && (l->first = j->next) == NULL) {
        l->last = &l->first;
    }
    return j;
}

static void *serve(void *arg) {
    Pool *p = arg;
    pthread_mutex_lock(&p->lock);
    while (!p->closing) {
        Job *j = take(&p->waiting);
        if (j == NULL) {
            p->idle++;
            pthread_cond_wait(&p->more, &p->lock);
            p->idle--;
            continue;
        }
        p->queued--;
        pthread_mutex_unlock(&p->lock);
        j->work(j);
        pthread_mutex_lock(&p->lock);
        bool first = p->finished.first == NULL;
        add(&p->finished, j);
        if (first) {
            p->wake(p->arg);
        }
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

Pool *pool_new(Mem *mem, unsigned limit, void (*wake)(void *arg), void *arg) {
    Pool *p = mem_zalloc(mem, MEM_SYSTEM, sizeof *p + limit * sizeof *p->threads);
    if (p == NULL) {
        return NULL;
    }
    p->mem = mem;
    p->wake = wake, p->arg = arg;
    p->limit = limit;
    p->waiting.last = &p->waiting.first;
    p->finished.last = &p->finished.first;
    p->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER; /* rather than functions, of which each would be looked for at a start */
    p->more = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    return p;
}

Job *pool_close(Pool *p) {
    if (p->count == 0) { /* it has never had work */
        return NULL;
    }
    pthread_mutex_lock(&p->lock);
    p->closing = true;
    pthread_cond_broadcast(&p->more);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->count; i++) {
        pthread_join(p->threads[i], NULL);
    }
    *p->finished.last = p->waiting.first;
    return p->finished.first;
}

void pool_free(Pool *p) {
    if (p->count > 0) {
        pthread_mutex_destroy(&p->lock);
        pthread_cond_destroy(&p->more);
    }
    mem_free(p->mem, MEM_SYSTEM, p, sizeof *p + p->limit * sizeof *p->threads);
}

static bool start_thread(Pool *p) {
    bool ok = new_thread(&p->threads[p->count], NULL, serve, p) == 0;
    p->count += ok;
    return ok;
}

bool pool_submit(Pool *p, Job *j) {
    pthread_mutex_lock(&p->lock);
    bool ok = p->idle > p->queued || p->count == p->limit || ((p->count == 0 || threads_leave_memory()) && start_thread(p)) || p->count > 0;
    if (ok) {
        add(&p->waiting, j);
        p->queued++;
        __atomic_fetch_add(&p->pending, 1, __ATOMIC_RELAXED);
        pthread_cond_signal(&p->more);
    }
    pthread_mutex_unlock(&p->lock);
    return ok;
}

Job *pool_finished(Pool *p) {
    if (pool_pending(p) == 0) {
        return NULL;
    }
    pthread_mutex_lock(&p->lock);
    Job *list = p->finished.first;
    p->finished.first = NULL;
    p->finished.last = &p->finished.first;
    for (Job *j = list; j != NULL; j = j->next) {
        __atomic_fetch_sub(&p->pending, 1, __ATOMIC_RELAXED);
    }
    pthread_mutex_unlock(&p->lock);
    return list;
}

size_t pool_pending(const Pool *p) {
    return __atomic_load_n(&p->pending, __ATOMIC_RELAXED);
}
