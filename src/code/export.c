/* The table of exports, and finding built-ins. */
#include "code/code.h"
#include "code/emit.h"

const BifEntry *bif_find(const BifTable *t, term module, term name, uint32_t arity) {
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const BifEntry *b = &t->entries[middle];
        if (b->module == module && b->name == name && b->arity == arity) {
            return b;
        }
        bool before = b->module != module ? b->module < module : b->name != name ? b->name < name : b->arity < arity;
        if (before) {
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
        if (t->entries[middle].module < module) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < t->count && t->entries[low].module == module;
}

static uint32_t export_hash(term module, term name, uint32_t arity) {
    uint64_t h = (uint64_t)(module >> 6) * 0x9e3779b97f4a7c15u ^ (uint64_t)(name >> 6) * 0xc2b2ae3d27d4eb4fu ^ arity;
    return (uint32_t)(h * 0x9e3779b97f4a7c15u >> 32);
}

enum { FIRST_BUCKETS = 256 };

bool exports_init(VM *vm) {
    Code *c = vm->code;
    c->exports = mem_zalloc(&vm->mem, MEM_CODE, FIRST_BUCKETS * sizeof(Export *));
    c->export_buckets = c->exports == NULL ? 0 : FIRST_BUCKETS;
    return c->exports != NULL;
}

void exports_done(VM *vm) {
    Code *c = vm->code;
    for (uint32_t i = 0; i < c->export_buckets; i++) {
        for (Export *e = c->exports[i], *next; e != NULL; e = next) {
            next = e->next;
            MEM_DELETE(&vm->mem, MEM_CODE, e);
        }
    }
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
            e->next = *bucket;
            *bucket = e;
        }
    }
    mem_free(&vm->mem, MEM_CODE, c->exports, c->export_buckets * sizeof(Export *));
    c->exports = table;
    c->export_buckets = size;
}

static Export *look_up(const Code *c, term module, term name, uint32_t arity) {
    Export *e = c->exports[export_hash(module, name, arity) & (c->export_buckets - 1)];
    while (e != NULL && (e->name != name || e->module != module || e->arity != arity)) {
        e = e->next;
    }
    return e;
}

static Export *insert(VM *vm, term module, term name, uint32_t arity, const BifEntry *bif) {
    Code *c = vm->code;
    Export *e = MEM_NEW(&vm->mem, MEM_CODE, Export);
    if (e == NULL) {
        return NULL;
    }
    if (c->export_count >= c->export_buckets) {
        grow(vm);
    }
    *e = (Export){.module = module, .name = name, .arity = arity, .bif = bif};
    Export **bucket = &c->exports[export_hash(module, name, arity) & (c->export_buckets - 1)];
    e->next = *bucket;
    *bucket = e;
    c->export_count++;
    if (vm->handlers != NULL) {
        emit_export_stub(vm, e);
    }
    return e;
}

Export *export_get(VM *vm, term module, term name, uint32_t arity) {
    Export *e = look_up(vm->code, module, name, arity);
    return e != NULL ? e : insert(vm, module, name, arity, bif_find(vm->bifs, module, name, arity));
}

Export *export_find(VM *vm, term module, term name, uint32_t arity) {
    Export *e = look_up(vm->code, module, name, arity);
    if (e != NULL) {
        return e;
    }
    const BifEntry *bif = bif_find(vm->bifs, module, name, arity);
    return bif == NULL ? NULL : insert(vm, module, name, arity, bif);
}
