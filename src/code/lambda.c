/* The table of funs: what a fun value leads to. An entry stays as long as the VM, since funs may outlive the code, come back
   from other nodes and files, and meet their code again when the same module is loaded once more. */
#include "code/code.h"
#include "code/emit.h"
#include "data/external.h"

enum { FIRST_BUCKETS = 256 };

static uint32_t lambda_hash(term module, uint32_t index, uint32_t old_uniq) {
    uint64_t h = (uint64_t)(module >> 6) * 0x9e3779b97f4a7c15u ^ (uint64_t)old_uniq * 0xc2b2ae3d27d4eb4fu ^ index;
    return (uint32_t)(h * 0x9e3779b97f4a7c15u >> 32);
}

static void grow(VM *vm) {
    Code *c = vm->code;
    uint32_t size = 2 * c->lambda_buckets;
    Lambda **table = mem_zalloc(&vm->mem, MEM_CODE, size * sizeof *table);
    if (table == NULL) {
        return; /* slower, but right */
    }
    for (uint32_t i = 0; i < c->lambda_buckets; i++) {
        for (Lambda *l = c->lambdas[i], *next; l != NULL; l = next) {
            next = l->next;
            Lambda **bucket = &table[lambda_hash(l->module, l->index, l->old_uniq) & (size - 1)];
            l->next = *bucket;
            *bucket = l;
        }
    }
    mem_free(&vm->mem, MEM_CODE, c->lambdas, c->lambda_buckets * sizeof *c->lambdas);
    c->lambdas = table;
    c->lambda_buckets = size;
}

static bool any_of(VM *vm, term module) {
    const Code *c = vm->code;
    for (uint32_t i = 0; c->lambda_count > 0 && i < c->lambda_buckets; i++) {
        for (const Lambda *l = c->lambdas[i]; l != NULL; l = l->next) {
            if (l->module == module) {
                return true;
            }
        }
    }
    return false;
}

bool lambdas_of(VM *vm, term module) {
    code_lock(vm);
    bool any = any_of(vm, module);
    code_unlock(vm);
    return any;
}

static Lambda *get(VM *vm, term module, const uint8_t *uniq, uint32_t index, uint32_t old_index, uint32_t old_uniq, uint32_t arity,
                   uint32_t free) {
    Code *c = vm->code;
    uint32_t hash = lambda_hash(module, index, old_uniq);
    for (Lambda *l = c->lambdas[hash & (c->lambda_buckets - 1)]; l != NULL; l = l->next) {
        if (l->module == module && l->index == index && l->old_index == old_index && l->old_uniq == old_uniq && l->arity == arity &&
            l->free == free && memcmp(l->uniq, uniq, sizeof l->uniq) == 0) {
            return l;
        }
    }
    Lambda *l = MEM_NEW(&vm->mem, MEM_CODE, Lambda);
    if (l == NULL) {
        return NULL;
    }
    if (c->lambda_count >= c->lambda_buckets) {
        grow(vm);
    }
    *l =
        (Lambda){.module = module, .name = NIL, .arity = arity, .free = free, .index = index, .old_index = old_index, .old_uniq = old_uniq};
    memcpy(l->uniq, uniq, sizeof l->uniq);
    Lambda **bucket = &c->lambdas[hash & (c->lambda_buckets - 1)];
    l->next = *bucket;
    *bucket = l;
    c->lambda_count++;
    if (vm->handlers != NULL) {
        emit_lambda_stub(vm, l);
    }
    return l;
}

Lambda *lambda_get(VM *vm, term module, const uint8_t *uniq, uint32_t index, uint32_t old_index, uint32_t old_uniq, uint32_t arity,
                   uint32_t free) {
    code_lock(vm);
    Lambda *l = get(vm, module, uniq, index, old_index, old_uniq, arity, free);
    code_unlock(vm);
    return l;
}

/* --- Funs in external terms ---------------------------------------------------------------------------------------- */

static void *external_lambda(VM *vm, const FunDescription *f, uint32_t free) {
    return lambda_get(vm, f->module, f->uniq, f->index, f->old_index, f->old_uniq, f->arity, free);
}

static void describe_lambda(VM *vm, const void *lambda, FunDescription *f) {
    const Lambda *l = lambda;
    *f = (FunDescription){.module = l->module, .arity = l->arity, .index = l->index, .old_index = l->old_index, .old_uniq = l->old_uniq};
    memcpy(f->uniq, l->uniq, sizeof f->uniq);
}

static void *external_export(VM *vm, term module, term name, uint32_t arity) {
    return export_get(vm, module, name, arity);
}

static void describe_export(VM *vm, const void *export, term *module, term *name, uint32_t *arity) {
    const Export *e = export;
    *module = e->module, *name = e->name, *arity = e->arity;
}

static bool export_exists(VM *vm, term module, term name, uint32_t arity) {
    return export_find(vm, module, name, arity) != NULL;
}

static const ExternalHooks hooks = {
    .lambda = external_lambda,
    .describe_lambda = describe_lambda,
    .export = external_export,
    .describe_export = describe_export,
    .export_exists = export_exists,
};

bool lambdas_init(VM *vm) {
    Code *c = vm->code;
    c->lambdas = mem_zalloc(&vm->mem, MEM_CODE, FIRST_BUCKETS * sizeof(Lambda *));
    c->lambda_buckets = c->lambdas == NULL ? 0 : FIRST_BUCKETS;
    vm->external = &hooks;
    return c->lambdas != NULL;
}

void lambdas_done(VM *vm) {
    Code *c = vm->code;
    for (uint32_t i = 0; i < c->lambda_buckets; i++) {
        for (Lambda *l = c->lambdas[i], *next; l != NULL; l = next) {
            next = l->next;
            MEM_DELETE(&vm->mem, MEM_CODE, l);
        }
    }
    mem_free(&vm->mem, MEM_CODE, c->lambdas, c->lambda_buckets * sizeof *c->lambdas);
}
