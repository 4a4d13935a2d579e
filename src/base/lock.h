/* A lock of one byte, for sections of a few dozen instructions. Never held over anything that waits. */
#ifndef MOTE_BASE_LOCK_H
#define MOTE_BASE_LOCK_H

#include "base/base.h"

typedef struct {
    bool taken;
} Lock;

void lock_wait(void); /* lets other threads run: who has the lock may have been interrupted. The platform's */

static inline void cpu_pause(void) { /* in a loop that waits for another thread */
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#endif
}

enum { LOCK_SPINS = 200 };
static inline void lock_take(Lock *l) {
    while (UNLIKELY(__atomic_exchange_n(&l->taken, true, __ATOMIC_ACQUIRE))) {
        for (int i = 0; __atomic_load_n(&l->taken, __ATOMIC_RELAXED); i++) {
            if (i < LOCK_SPINS) {
                cpu_pause();
            } else {
                lock_wait();
            }
        }
    }
}
static inline bool lock_try(Lock *l) {
    return !__atomic_exchange_n(&l->taken, true, __ATOMIC_ACQUIRE);
}
static inline void lock_give(Lock *l) {
    assert(__atomic_load_n(&l->taken, __ATOMIC_RELAXED));
    __atomic_store_n(&l->taken, false, __ATOMIC_RELEASE);
}

/* The thread sanitizer does not see the interpreter: what it finds by following what another thread has published, and hands to C code,
   looks as if it had never been handed over. So the publisher says so, and who is called with it; and what can be anywhere, literals of
   code, is written unseen. Other builds know nothing of it. */
#ifdef __SANITIZE_THREAD__
void __tsan_acquire(void *);
void __tsan_release(void *);
void AnnotateIgnoreWritesBegin(const char *, int);
void AnnotateIgnoreWritesEnd(const char *, int);
#else
#define __tsan_acquire(where) ((void)(where))
#define __tsan_release(where) ((void)(where))
#define AnnotateIgnoreWritesBegin(file, line) ((void)0)
#define AnnotateIgnoreWritesEnd(file, line) ((void)0)
#endif
#define CODE_PUBLISHED(where) __tsan_release((void *)(where))
#define CODE_HAS_FOUND(where) __tsan_acquire((void *)(where))
#define UNSEEN_BEGIN() AnnotateIgnoreWritesBegin(__FILE__, __LINE__)
#define UNSEEN_END() AnnotateIgnoreWritesEnd(__FILE__, __LINE__)

/* A lock that several may have to read, or one to write. A writer that waits keeps new readers out. */
typedef struct {
    uint32_t state; /* how many read; SHARED_WRITER: somebody writes; SHARED_WAITER: somebody wants to */
} SharedLock;
#define SHARED_WRITER (1u << 31)
#define SHARED_WAITER (1u << 30)

static inline void shared_pause(int *times) {
    if ((*times)++ < LOCK_SPINS) {
        cpu_pause();
    } else {
        lock_wait();
    }
}
/* How often it has looked in vain. */
static inline int shared_read(SharedLock *l) {
    int times = 0;
    for (uint32_t was = __atomic_load_n(&l->state, __ATOMIC_RELAXED);;) {
        if (was & (SHARED_WRITER | SHARED_WAITER)) {
            shared_pause(&times);
            was = __atomic_load_n(&l->state, __ATOMIC_RELAXED);
        } else if (__atomic_compare_exchange_n(&l->state, &was, was + 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
            return times;
        }
    }
}
static inline int shared_write(SharedLock *l) {
    int times = 0;
    for (uint32_t was = __atomic_load_n(&l->state, __ATOMIC_RELAXED);;) {
        if ((was & ~SHARED_WAITER) != 0) {
            if (!(was & SHARED_WAITER)) {
                __atomic_fetch_or(&l->state, SHARED_WAITER, __ATOMIC_RELAXED);
            }
            shared_pause(&times);
            was = __atomic_load_n(&l->state, __ATOMIC_RELAXED);
        } else if (__atomic_compare_exchange_n(&l->state, &was, SHARED_WRITER, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
            return times; /* others that wait ask again */
        }
    }
}
/* Waits for a moment only. False: it is not taken. */
static inline bool shared_write_try(SharedLock *l) {
    for (int i = 0; i < LOCK_SPINS; i++) {
        uint32_t was = __atomic_load_n(&l->state, __ATOMIC_RELAXED);
        if ((was & ~SHARED_WAITER) == 0 &&
            __atomic_compare_exchange_n(&l->state, &was, SHARED_WRITER, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
            return true;
        }
        cpu_pause();
    }
    return false;
}
static inline void shared_read_end(SharedLock *l) {
    __atomic_fetch_sub(&l->state, 1, __ATOMIC_RELEASE);
}
static inline void shared_write_end(SharedLock *l) {
    __atomic_fetch_and(&l->state, ~SHARED_WRITER, __ATOMIC_RELEASE);
}

#endif
