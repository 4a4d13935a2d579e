/* code/: loading modules: the ones that the executable carries. */
#include "code_vm.h"

#include <stdlib.h>

#include "code/emit.h"
#include "code/inflate.h"
#include "term/atom.h"
#include "vm/lib.h"

enum { FUNC_INFO_UNITS = 4 }; /* a function's code stands behind its func_info */

static Module *load(VM *vm, const LibModule *l) {
    LoadError error = {0};
    Module *m = NULL;
    uint8_t *inflated = malloc(l->inflated);
    CHECK(l->inflated == 0 || inflate_small(l->beam, inflated, l->inflated));
    BeamFile *b = beam_read(vm, l->name, l->inflated > 0 ? (Bytes){inflated, l->inflated} : l->beam, &error);
    CHECK(b != NULL);
    if (b != NULL) {
        CHECK(module_load(vm, b, &error, &m));
        beam_free(b);
    }
    free(inflated);
    if (m == NULL) {
        printf("%s: %s %s\n", l->name, error.chunk, error.reason);
    }
    return m;
}

TEST(modules_load_and_their_addresses_are_found) {
    VM vm;
    CHECK(start(&vm));
    for (const LibModule *l = lib_modules; l->name != NULL; l++) {
        Module *m = load(&vm, l);
        CHECK(m != NULL && m == module_find(&vm, atom_from(&vm, l->name)));
        if (m == NULL) {
            continue;
        }
        const ModuleCode *c = m->current;
        CHECK(c->export_count > 0 && c->function_count >= c->export_count);
        for (uint32_t i = 0; i < c->function_count; i++) {
            const Function *f = &c->functions[i];
            ModuleCode *code = NULL;
            Module *of = NULL;
            CHECK(code_find(&vm, f->code, &code, &of) == f && code == c && of == m);
            CHECK(code_find(&vm, (const uint8_t *)(f->code - FUNC_INFO_UNITS) - 1, &code, &of) != f);
        }
        for (uint32_t i = 0; i < c->export_count; i++) {
            Export *e = export_get(&vm, m->name, c->exports[i].name, c->exports[i].arity);
            CHECK(e->bif != NULL || (e->loaded == m && e->code == c->functions[c->exports[i].function].code));
        }
    }
    stop(&vm);
}

TEST(new_code_replaces_old_code) {
    VM vm;
    CHECK(start(&vm));
    const LibModule *l = lib_modules; /* one that has funs */
    Module *m = load(&vm, l);
    while (m->current->lambda_count == 0 && l[1].name != NULL) {
        m = load(&vm, ++l);
    }
    ModuleCode *first = m->current;
    Export *e = export_get(&vm, m->name, first->exports[0].name, first->exports[0].arity);
    CHECK(e->code == first->functions[first->exports[0].function].code && e->loaded == m);
    CHECK(load(&vm, l) == m);
    CHECK(m->old == first && m->current != first && e->code == m->current->functions[m->current->exports[0].function].code);
    Lambda *lambdas[32]; /* they outlive the code */
    uint32_t lambda_count = first->lambda_count;
    CHECK(lambda_count > 0 && lambda_count <= ARRAY_LEN(lambdas));
    for (uint32_t i = 0; i < lambda_count; i++) {
        lambdas[i] = first->lambdas[i];
        CHECK(lambdas[i] == m->current->lambdas[i] && lambdas[i]->loaded == m->current); /* the same module: the same funs */
    }
    module_purge(&vm, m);
    module_delete(&vm, m);
    CHECK(m->current == NULL && m->old != NULL && !export_is_callable(e) && e->code == &e->stub[1]);
    module_purge(&vm, m);
    for (uint32_t i = 0; i < lambda_count; i++) {
        CHECK(lambdas[i]->loaded == NULL);
    }
    stop(&vm);
}

TEST(loading_survives_lack_of_memory) {
    bool loaded = false;
    for (int64_t n = 0; !loaded; n = n * 5 / 4 + 1) {
        VM vm;
        CHECK(start(&vm));
        LoadError error = {0};
        Module *m = NULL;
        BeamFile *b = beam_read(&vm, lib_modules->name, lib_modules->beam, &error);
        vm.mem.fail_after = n;
        loaded = module_load(&vm, b, &error, &m);
        vm.mem.fail_after = -1;
        CHECK(loaded || error.no_memory);
        beam_free(b);
        stop(&vm);
    }
}
