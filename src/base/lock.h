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
static inline void lock_give(Lock *l) {
    assert(__atomic_load_n(&l->taken, __ATOMIC_RELAXED));
    __atomic_store_n(&l->taken, false, __ATOMIC_RELEASE);
}

#endif
