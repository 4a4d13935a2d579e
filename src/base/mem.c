/* The one allocation function: malloc behind it, exact counters and fault injection in front. */
#include "base/account.h"

#include <stdlib.h>

enum { LARGE_BLOCK = 64 << 10 }; /* bytes */

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

/* Where this thread counts, and for which memory: there may be several VMs. */
static _Thread_local struct {
    const Mem *of;
    MemCounts *counts;
} here;

void mem_init(Mem *m) {
    memset(m, 0, sizeof *m);
    m->fail_after = -1;
    if (here.of == m) { /* another one that was here */
        here.of = NULL;
    }
}

static void look_at_peak(Mem *m) {
    size_t total = mem_peak(m);
    if (total > __atomic_load_n(&m->peak, __ATOMIC_RELAXED)) {
        __atomic_store_n(&m->peak, total, __ATOMIC_RELAXED);
    }
}

static void count(Mem *m, MemKind kind, size_t by, bool more) {
    if (LIKELY(here.of != m)) {
        __atomic_fetch_add(&m->used[kind], by, __ATOMIC_RELAXED);
        if (more) {
            look_at_peak(m);
        }
        return;
    }
    MemCounts *c = here.counts;
    __atomic_store_n(&c->used[kind], c->used[kind] + by, __ATOMIC_RELAXED);
    c->total += by;
    if ((intptr_t)(c->total - c->peak) > 0) {
        __atomic_store_n(&c->peak, c->total, __ATOMIC_RELAXED);
    }
}

void *mem_resize(Mem *m, MemKind kind, void *block, size_t old, size_t size) {
    assert((block == NULL) == (old == 0));
    if (size == 0) {
        free(block);
        count(m, kind, (size_t)0 - old, false);
        return NULL;
    }
    if (size > old && must_fail(m)) {
        return NULL;
    }
    if (UNLIKELY(size > LARGE_BLOCK) && (kind == MEM_HEAP || kind == MEM_BINARY) && account_refuses(size)) {
        return NULL;
    }
    void *p;
    for (unsigned tries = 0; UNLIKELY((p = realloc(block, size)) == NULL); tries++) {
        if (m->wait == NULL || !m->wait(m, size, tries)) {
            // cppcheck-suppress memleak -- nothing is there to leak
            return NULL;
        }
    }
    count(m, kind, size - old, size > old);
    return p;
}

void mem_counts_add(Mem *m, MemCounts *counts) {
    counts->next = m->counts;
    __atomic_store_n(&m->counts, counts, __ATOMIC_RELEASE);
}

void mem_counts_done(Mem *m, MemCounts *counts) {
    for (MemCounts **at = &m->counts; *at != NULL; at = &(*at)->next) {
        if (*at == counts) {
            *at = counts->next;
            for (int k = 0; k < MEM_KINDS; k++) {
                m->used[k] += counts->used[k];
            }
            return;
        }
    }
}

void mem_count_here(Mem *m, MemCounts *counts) {
    here.of = counts == NULL ? NULL : m;
    here.counts = counts;
}

void *mem_zalloc(Mem *m, MemKind kind, size_t size) {
    void *p = mem_alloc(m, kind, size);
    if (p != NULL) {
        memset(p, 0, size);
    }
    return p;
}

size_t mem_used(const Mem *m, MemKind kind) {
    size_t used = __atomic_load_n(&m->used[kind], __ATOMIC_RELAXED);
    for (const MemCounts *c = __atomic_load_n(&m->counts, __ATOMIC_ACQUIRE); c != NULL; c = c->next) {
        used += __atomic_load_n(&c->used[kind], __ATOMIC_RELAXED);
    }
    return used;
}

size_t mem_total(const Mem *m) {
    size_t total = 0;
    for (int k = 0; k < MEM_KINDS; k++) {
        total += __atomic_load_n(&m->used[k], __ATOMIC_RELAXED);
    }
    for (const MemCounts *c = __atomic_load_n(&m->counts, __ATOMIC_ACQUIRE); c != NULL; c = c->next) {
        for (int k = 0; k < MEM_KINDS; k++) {
            total += __atomic_load_n(&c->used[k], __ATOMIC_RELAXED);
        }
    }
    return total;
}

size_t mem_peak(const Mem *m) {
    size_t most = 0;
    for (int k = 0; k < MEM_KINDS; k++) {
        most += __atomic_load_n(&m->used[k], __ATOMIC_RELAXED);
    }
    for (const MemCounts *c = __atomic_load_n(&m->counts, __ATOMIC_ACQUIRE); c != NULL; c = c->next) {
        most += __atomic_load_n(&c->peak, __ATOMIC_RELAXED);
    }
    return MAX(most, __atomic_load_n(&m->peak, __ATOMIC_RELAXED));
}

typedef union {
    size_t size;
    max_align_t align;
} BlockHead;

void *mem_sized_alloc(Mem *m, size_t size) {
    BlockHead *b = size > SIZE_MAX - sizeof *b ? NULL : mem_alloc(m, MEM_SYSTEM, size + sizeof *b);
    if (b == NULL) {
        return NULL;
    }
    b->size = size + sizeof *b;
    return b + 1;
}

void mem_sized_free(Mem *m, void *block) {
    if (block != NULL) {
        BlockHead *b = (BlockHead *)block - 1;
        mem_free(m, MEM_SYSTEM, b, b->size);
    }
}
