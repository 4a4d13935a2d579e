/* code/: functions that are emitted when they are first called. */
#include "code_vm.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "code/demand.h"
#include "code/emit.h"
#include "platform/platform.h"
#include "term/atom.h"
#include "vm/lib.h"

static Module *open(VM *vm, const char *name, Bytes bytes, bool stays, bool *on_demand) {
    LoadError error = {0};
    Module *m = NULL;
    BeamFile *b = beam_open(vm, name, bytes, stays, &error);
    CHECK(b != NULL);
    if (b != NULL) {
        *on_demand = b->chunks != NULL;
        CHECK(module_load(vm, b, &error, &m));
        beam_free(b);
    }
    return m;
}

/* Emits every function of a module, the last first, and finds it again. */
static void emit_all(VM *vm, Module *m) {
    ModuleCode *c = m->current, *code;
    Module *of;
    for (uint32_t i = c->function_count; i-- > 0;) {
        Function *f = &c->functions[i];
        LoadError error;
        CHECK(code_find(vm, f->code, &code, &of) == f); /* its stub, or code */
        bool ok = demand_function(vm, f, &error);
        CHECK(ok);
        if (!ok) {
            char line[640];
            load_error_text(&error, line, sizeof line);
            printf("%s\n", line);
            return;
        }
        CHECK(code_find(vm, f->code, &code, &of) == f && code == c && of == m && f->code[-1] == f->arity);
        CHECK(code_find(vm, f->code, &code, &of) == f && f->sites == 0);
    }
    for (uint32_t i = 0; i < c->export_count; i++) {
        Export *e = export_get(vm, m->name, c->exports[i].name, c->exports[i].arity);
        CHECK(e->bif != NULL || e->code == c->functions[c->exports[i].function].code);
    }
}

TEST(every_function_of_otp_can_be_emitted_on_demand) {
    static const char *const patterns[] = {"/usr/lib/erlang/lib/stdlib-*/ebin/*.beam", "/usr/lib/erlang/lib/kernel-*/ebin/*.beam",
                                           "/usr/lib/erlang/lib/compiler-*/ebin/*.beam"};
    VM vm;
    CHECK(start(&vm));
    uint32_t files = 0, demanded = 0;
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
        glob_t found;
        if (glob(patterns[i], 0, NULL, &found) != 0) {
            continue;
        }
        for (size_t k = 0; k < found.gl_pathc; k++) {
            FileMap map;
            int error;
            if (!platform_map_file(found.gl_pathv[k], &map, &error)) {
                continue;
            }
            bool on_demand = false;
            Module *m = open(&vm, found.gl_pathv[k], (Bytes){map.at, map.size}, false, &on_demand);
            platform_unmap_file(&map);
            files++;
            demanded += on_demand;
            if (m != NULL && on_demand) {
                emit_all(&vm, m);
            }
        }
        globfree(&found);
    }
    CHECK(demanded * 10 >= files * 9);
    stop(&vm);
}

TEST(code_on_demand_is_replaced_and_purged) {
    VM vm;
    CHECK(start(&vm));
    bool on_demand;
    Module *m = open(&vm, lib_modules->name, lib_modules->beam, true, &on_demand);
    CHECK(on_demand);
    LoadError error;
    CHECK(demand_function(&vm, &m->current->functions[0], &error));
    CHECK(open(&vm, lib_modules->name, lib_modules->beam, true, &on_demand) == m);
    emit_all(&vm, m);
    module_purge(&vm, m);
    module_delete(&vm, m);
    module_purge(&vm, m);
    stop(&vm);
}

TEST(a_damaged_function_is_refused_when_it_is_called) {
    VM vm;
    CHECK(start(&vm));
    bool on_demand, refused = false;
    uint8_t *copy = malloc(lib_modules->beam.size);
    memcpy(copy, lib_modules->beam.at, lib_modules->beam.size);
    Module *m = open(&vm, lib_modules->name, (Bytes){copy, lib_modules->beam.size}, true, &on_demand);
    const BeamFile *b = m->current->source;
    CHECK(on_demand);
    for (uint32_t i = 0; i < b->function_count; i++) { /* near its end: no such instruction */
        uint8_t *end = copy + (b->functions[i + 1].offset - 2) + (b->chunks[1].at - copy);
        end[0] = 0xff;
    }
    for (uint32_t i = 0; i < m->current->function_count; i++) {
        LoadError error;
        Function *f = &m->current->functions[i];
        if (!demand_function(&vm, f, &error)) {
            refused = true;
            CHECK(f->damaged && !f->emitted && error.reason[0] != '\0');
        }
    }
    CHECK(refused);
    stop(&vm);
    free(copy);
}

TEST(emitting_survives_lack_of_memory) {
    bool done = false;
    for (int64_t n = 0; !done; n = n * 5 / 4 + 1) {
        VM vm;
        CHECK(start(&vm));
        bool on_demand;
        LoadError error = {0};
        Module *m = open(&vm, lib_modules->name, lib_modules->beam, false, &on_demand);
        vm.mem.fail_after = n;
        done = true;
        for (uint32_t i = 0; done && i < m->current->function_count; i++) {
            done = demand_function(&vm, &m->current->functions[i], &error);
        }
        vm.mem.fail_after = -1;
        CHECK(done || error.no_memory);
        stop(&vm);
    }
}

TEST(opening_survives_lack_of_memory) {
    bool loaded = false;
    for (int64_t n = 0; !loaded; n = n * 5 / 4 + 1) {
        VM vm;
        CHECK(start(&vm));
        LoadError error = {0};
        Module *m = NULL;
        vm.mem.fail_after = n;
        BeamFile *b = beam_open(&vm, lib_modules->name, lib_modules->beam, false, &error);
        loaded = b != NULL && module_load(&vm, b, &error, &m);
        vm.mem.fail_after = -1;
        CHECK(loaded || error.no_memory || b == NULL);
        beam_free(b);
        stop(&vm);
    }
}
