/* The one allocation function: malloc behind it, exact counters and fault injection in front. */
#include "base/mem.h"

#include <stdlib.h>

void mem_init(Mem *m) {
    memset(m, 0, sizeof *m);
    m->fail_after = -1;
}

static bool must_fail(Mem *m) {
    if (LIKELY(m->fail_after < 0)) {
        return false;
    }
    if (m->fail_after > 0) {
        m->fail_after--;
        return false;
    }
    if (m->fail_count > 0 && --m->fail_count == 0) {
        m->fail_after = -1;
    }
    return true;
}

void *mem_resize(Mem *m, MemKind kind, void *block, size_t old, size_t size) {
    assert((block == NULL) == (old == 0));
    if (size == 0) {
        free(block);
        __atomic_fetch_sub(&m->used[kind], old, __ATOMIC_RELAXED);
        return NULL;
    }
    if (size > old && must_fail(m)) {
        return NULL;
    }
    void *p = realloc(block, size);
    if (UNLIKELY(p == NULL)) {
        return NULL;
    }
    __atomic_fetch_add(&m->used[kind], size - old, __ATOMIC_RELAXED);
    if (size > old) {
        size_t total = mem_total(m);
        if (total > m->peak) {
            m->peak = total;
        }
    }
    return p;
}

void *mem_zalloc(Mem *m, MemKind kind, size_t size) {
    void *p = mem_alloc(m, kind, size);
    if (p != NULL) {
        memset(p, 0, size);
    }
    return p;
}

size_t mem_total(const Mem *m) {
    size_t total = 0;
    for (int k = 0; k < MEM_KINDS; k++) {
        total += __atomic_load_n(&m->used[k], __ATOMIC_RELAXED);
    }
    return total;
}
