/* Memory that is short: see the header. */
#include "proc/shortage.h"

#include "platform/platform.h"
#include "proc/schedule.h"

enum { WAIT_NANOSECONDS = 1000000, MOST_TRIES = 1000, SMALL_PART = 4 /* of the ballast: who wants more gets nothing of it */ };

/* On the thread that asks, which is no scheduler's if it belongs to the pool. */
static bool ask_again(Mem *m, size_t size, unsigned tries) {
    VM *vm = (VM *)((uint8_t *)m - offsetof(VM, mem));
    Ballast *b = &vm->processes->ballast;
    if (size > b->size / SMALL_PART) {
        return false;
    }
    term me = scheduler_here != NULL && scheduler_here->current != NULL ? scheduler_here->current->pid : NONE;
    void *at = __atomic_exchange_n(&b->at, NULL, __ATOMIC_ACQ_REL);
    if (at != NULL) {
        __atomic_store_n(&b->first, me, __ATOMIC_RELAXED);
        platform_drop_ballast(at, b->size);
        return me == NONE;
    }
    if (me != NONE && me == __atomic_load_n(&b->first, __ATOMIC_RELAXED)) {
        return false;
    }
    if (tries == MOST_TRIES) { /* that one lives on */
        __atomic_store_n(&b->first, me, __ATOMIC_RELAXED);
        return false;
    }
    platform_sleep(WAIT_NANOSECONDS);
    return true;
}

void shortage_prepare(VM *vm) {
    Ballast *b = &vm->processes->ballast;
    b->at = platform_ballast(&b->size);
    vm->mem.wait = b->at != NULL ? ask_again : NULL;
}

void shortage_ended(VM *vm) {
    Ballast *b = &vm->processes->ballast;
    if (LIKELY(b->size == 0) || __atomic_load_n(&b->at, __ATOMIC_RELAXED) != NULL) {
        return;
    }
    void *at = platform_ballast(&b->size), *none = NULL;
    if (at != NULL && !__atomic_compare_exchange_n(&b->at, &none, at, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
        platform_drop_ballast(at, b->size);
    }
}

void shortage_done(VM *vm) {
    Ballast *b = &vm->processes->ballast;
    vm->mem.wait = NULL;
    if (b->at != NULL) {
        platform_drop_ballast(b->at, b->size);
        b->at = NULL;
    }
}
