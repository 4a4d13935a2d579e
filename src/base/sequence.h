/* A sequence lock: what is read often and written seldom, as a whole. Writers have a lock of their own and enclose their changes;
   readers look whether there was one, and then read again. What is read must be read by sequence_load (another thread may just be
   writing it), and memory that is reached through it must outlive its readers. */
#ifndef MOTE_BASE_SEQUENCE_H
#define MOTE_BASE_SEQUENCE_H

#include "base/lock.h"

typedef struct {
    uint32_t count; /* odd: somebody writes */
} Sequence;

static inline uint32_t sequence_read(const Sequence *s) {
    uint32_t count;
    for (int i = 0; (count = __atomic_load_n(&s->count, __ATOMIC_ACQUIRE)) & 1; i++) {
        if (i < LOCK_SPINS) {
            cpu_pause();
        } else {
            lock_wait();
        }
    }
    return count;
}
/* True: what was read since then is not to be used. */
static inline bool sequence_changed(const Sequence *s, uint32_t count) {
    return __atomic_load_n(&s->count, __ATOMIC_ACQUIRE) != count;
}
static inline void sequence_write(Sequence *s) {
    __atomic_fetch_add(&s->count, 1, __ATOMIC_SEQ_CST);
}
static inline void sequence_written(Sequence *s) {
    __atomic_fetch_add(&s->count, 1, __ATOMIC_SEQ_CST);
}
/* Acquire and release, so that sequence_changed comes after the loads, and stores come after sequence_write. */
#define sequence_load(at) __atomic_load_n(at, __ATOMIC_ACQUIRE)
#define sequence_store(at, value) __atomic_store_n(at, value, __ATOMIC_RELEASE)

#endif
