/* A lock of one byte, for sections of a few dozen instructions. Never held over anything that waits. */
#ifndef MOTE_BASE_LOCK_H
#define MOTE_BASE_LOCK_H

#include "base/base.h"

typedef struct {
    bool taken;
} Lock;

static inline void lock_take(Lock *l) {
    while (UNLIKELY(__atomic_exchange_n(&l->taken, true, __ATOMIC_ACQUIRE))) {
        while (__atomic_load_n(&l->taken, __ATOMIC_RELAXED)) {
        }
    }
}
static inline void lock_give(Lock *l) {
    assert(l->taken);
    __atomic_store_n(&l->taken, false, __ATOMIC_RELEASE);
}

#endif
