/* The table of exports, and finding built-ins. */
#include "code/export.h"

#include <limits.h>

#include "code/breakpoint.h"
#include "code/code.h"
#include "code/emit.h"
#include "proc/epoch.h"
#include "term/atom.h"

bool bif_is_there(VM *vm, const BifEntry *b) {
    if (b->since == 0 && b->until == 0) {
        return true;
    }
    int release = vm->release == NULL ? INT_MAX : MAX(vm->release(vm), vm->code->compiled_for);
    return release >= b->since && (b->until == 0 || release <= b->until);
}

const BifEntry *bif_find(VM *vm, term module, term name, uint32_t arity) {
    const BifTable *t = vm->bifs;
    size_t low = 0, high = t->count;
    if (atom_index(name) >= STATIC_ATOMS || atom_index(module) >= STATIC_ATOMS) {
        return NULL; /* built-ins have their names in the executable */
    }
    while (low < high) {
        size_t middle = (low + high) / 2;
        const BifEntry *b = &t->entries[middle];
        term m = bif_module(b), n = bif_name(b);
        if (m == module && n == name && b->arity == arity) {
            return bif_is_there(vm, b) ? b : NULL;
        }
        if (m != module ? m < module : n != name ? n < name : b->arity < arity) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

bool bif_find_module(const BifTable *t, term module) {
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (bif_module(&t->entries[middle]) < module) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < t->count && bif_module(&t->entries[low]) == module;
}

static uint32_t export_hash(term module, term name, uint32_t arity) {
    uint64_t h = (uint64_t)(module >> 6) * 0x9e3779b97f4a7c15u ^ (uint64_t)(name >> 6) * 0xc2b2ae3d27d4eb4fu ^ arity;
    return (uint32_t)(h * 0x9e3779b97f4a7c15u >> 32);
}

enum { FIRST_BUCKETS = 256 };

bool exports_init(VM *vm) {
    Code *c = vm->code;
    arena_init(&c->export_memory, &vm->mem, MEM_CODE);
    c->exports = mem_zalloc(&vm->mem, MEM_CODE, FIRST_BUCKETS * sizeof(Export *));
    c->export_buckets = c->exports == NULL ? 0 : FIRST_BUCKETS;
    return c->exports != NULL;
}

void exports_done(VM *vm) {
    Code *c = vm->code;
    arena_done(&c->export_memory);
    mem_free(&vm->mem, MEM_CODE, c->exports, c->export_buckets * sizeof(Export *));
    c->exports = NULL;
    c->export_buckets = c->export_count = 0;
}

/* Doubles the table; without memory it stays as it is, which is slower but right. */
static void grow(VM *vm) {
    Code *c = vm->code;
    uint32_t size = 2 * c->export_buckets;
    Export **table = mem_zalloc(&vm->mem, MEM_CODE, size * sizeof(Export *));
    if (table == NULL) {
        return;
    }
    for (uint32_t i = 0; i < c->export_buckets; i++) {
        for (Export *e = c->exports[i], *next; e != NULL; e = next) {
            next = e->next;
            Export **bucket = &table[export_hash(e->module, e->name, e->arity) & (size - 1)];
            __atomic_store_n(&e->next, *bucket, __ATOMIC_RELEASE); /* who follows it comes to an end: what stands there was moved before */
            *bucket = e;
        }
    }
    Export **old = c->exports;
    uint32_t old_size = c->export_buckets;
    __atomic_store_n(&c->exports, table, __ATOMIC_RELEASE); /* first: who reads the old size finds his place in the new table */
    __atomic_store_n(&c->export_buckets, size, __ATOMIC_RELEASE);
    epoch_mem_free(vm, MEM_CODE, old, old_size * sizeof(Export *));
}

/* Without a lock; while the table grows, what is there may not be found. */
static Export *look_up(const Code *c, term module, term name, uint32_t arity) {
    uint32_t mask = __atomic_load_n(&c->export_buckets, __ATOMIC_ACQUIRE) - 1;
    Export *const *table = __atomic_load_n(&c->exports, __ATOMIC_ACQUIRE);
    Export *e = __atomic_load_n(&table[export_hash(module, name, arity) & mask], __ATOMIC_ACQUIRE);
    while (e != NULL && (e->name != name || e->module != module || e->arity != arity)) {
        e = __atomic_load_n(&e->next, __ATOMIC_ACQUIRE);
    }
    return e;
}

static Export *insert(VM *vm, term module, term name, uint32_t arity, const BifEntry *bif, const Function *function) {
    Code *c = vm->code;
    Export *e = arena_alloc(&c->export_memory, sizeof *e);
    if (e == NULL) {
        return NULL;
    }
    if (c->export_count >= c->export_buckets) {
        grow(vm);
    }
    *e = (Export){.module = module, .name = name, .arity = arity, .bif = bif};
    if (bif != NULL) {
        e->called = *bif;
        e->called.function = export_built_in(vm, e);
    }
    Export **bucket = &c->exports[export_hash(module, name, arity) & (c->export_buckets - 1)];
    e->next = *bucket;
    if (vm->handlers != NULL) {
        emit_export_stub(vm, e);
    }
    if (function != NULL) {
        module_link_export(vm, e, function);
    }
    __atomic_store_n(bucket, e, __ATOMIC_RELEASE);
    c->export_count++;
    return e;
}

/* It was not found without the lock. make: it shall be there, even if there is no such function. */
static Export *look_again(VM *vm, term module, term name, uint32_t arity, bool make) {
    code_lock(vm);
    Export *e = look_up(vm->code, module, name, arity);
    if (e == NULL) {
        const BifEntry *bif = bif_find(vm, module, name, arity);
        const Function *f = bif != NULL ? NULL : module_exported(vm, module, name, arity);
        e = make || bif != NULL || f != NULL ? insert(vm, module, name, arity, bif, f) : NULL;
    }
    code_unlock(vm);
    return e;
}

Export *export_known(VM *vm, term module, term name, uint32_t arity) {
    code_lock(vm);
    Export *e = look_up(vm->code, module, name, arity);
    code_unlock(vm);
    return e;
}

Export *export_get(VM *vm, term module, term name, uint32_t arity) {
    Export *e = look_up(vm->code, module, name, arity);
    return LIKELY(e != NULL) ? e : look_again(vm, module, name, arity, true);
}

Export *export_find(VM *vm, term module, term name, uint32_t arity) {
    Export *e = look_up(vm->code, module, name, arity);
    return LIKELY(e != NULL) ? e : look_again(vm, module, name, arity, false);
}
