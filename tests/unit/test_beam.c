/* Reading .beam files: all of the installed OTP, damaged ones, and what the reader says of them. */
#include "unit.h"

#include <glob.h>
#include <stdlib.h>

#include "code/avm.h"
#include "code/code.h"
#include "data/external.h"
#include "platform/platform.h"
#include "term/atom.h"

/* External funs are literals of many modules; the rest of the hooks is not needed to read. */
static void *hook_export(VM *vm, term module, term name, uint32_t arity) {
    return export_get(vm, module, name, arity);
}
static bool hook_exists(VM *vm, term module, term name, uint32_t arity) {
    return true;
}
static void hook_describe(VM *vm, const void *export, term *module, term *name, uint32_t *arity) {
    const Export *e = export;
    *module = e->module, *name = e->name, *arity = e->arity;
}
static const ExternalHooks hooks = {.export = hook_export, .export_exists = hook_exists, .describe_export = hook_describe};
static const BifTable no_bifs;

static bool start(VM *vm) {
    memset(vm, 0, sizeof *vm);
    mem_init(&vm->mem);
    vm->bifs = &no_bifs;
    bool ok = terms_init(vm) && code_init(vm);
    vm->external = &hooks;
    return ok;
}
static void stop(VM *vm) {
    CHECK(vm->mem.used[MEM_TEMPORARY] == 0);
    code_done(vm);
    terms_done(vm);
    CHECK(mem_total(&vm->mem) == 0);
}

static bool installed(const char *pattern, glob_t *found) {
    char path[300];
    const char *root = getenv("MOTE_OTP");
    snprintf(path, sizeof path, "%s/lib/%s", root != NULL ? root : "/usr/lib/erlang", pattern);
    return glob(strncmp(pattern, "tests/", 6) == 0 ? pattern : path, 0, NULL, found) == 0;
}

TEST(beam_files_of_otp_are_proved) {
    static const char *const patterns[] = {"stdlib-*/ebin/*.beam", "kernel-*/ebin/*.beam", "compiler-*/ebin/*.beam", "erts-*/ebin/*.beam",
                                           "tests/fixtures/*/*.beam"};
    VM vm;
    CHECK(start(&vm));
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
        glob_t found;
        if (!installed(patterns[i], &found)) {
            continue;
        }
        for (size_t k = 0; k < found.gl_pathc; k++) {
            FileMap map;
            int e;
            if (!platform_map_file(found.gl_pathv[k], &map, &e)) {
                continue;
            }
            LoadError error;
            BeamFile *b = beam_read(&vm, found.gl_pathv[k], (Bytes){map.at, map.size}, &error);
            if (b == NULL) {
                char text[600];
                load_error_text(&error, text, sizeof text);
                printf("%s\n", text);
            }
            CHECK(b != NULL);
            beam_free(b);
            platform_unmap_file(&map);
        }
        globfree(&found);
    }
    stop(&vm);
}

static uint64_t random_next(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* One to eight bytes changed, or the end cut off: nothing worse may happen than an error. What a pack does not keep is left out
   first: changes there would meet nobody. Every other round starts from the whole file. */
static void mutants(VM *vm, const char *name, Bytes whole, uint64_t seed, int count) {
    Text stripped;
    AvmModule module;
    LoadError strip_error;
    text_init(&stripped, &vm->mem);
    CHECK(avm_strip(&stripped, name, whole, AVM_KEEP_LINES | AVM_KEEP_TYPES, &module, &strip_error));
    uint8_t *copy = malloc(MAX(whole.size, stripped.size));
    for (int i = 0; i < count; i++) {
        Bytes file = i % 2 == 0 ? whole : (Bytes){stripped.at, stripped.size};
        memcpy(copy, file.at, file.size);
        size_t size = file.size;
        if (random_next(&seed) % 16 == 0) {
            size = random_next(&seed) % size;
        }
        for (uint64_t n = 1 + random_next(&seed) % 8; n > 0 && size > 0; n--) {
            copy[random_next(&seed) % size] ^= (uint8_t)(1 + random_next(&seed) % 255);
        }
        /* A block of its own, so that the sanitizer sees reads behind its end. */
        uint8_t *exact = malloc(MAX(size, (size_t)1));
        memcpy(exact, copy, size);
        LoadError error;
        BeamFile *b = beam_read(vm, name, (Bytes){exact, size}, &error);
        CHECK(b != NULL || error.reason[0] != 0);
        beam_free(b);
        free(exact);
    }
    free(copy);
    text_done(&stripped);
}

TEST(damaged_beam_files_are_refused) {
    static const char *const names[] = {"stdlib-*/ebin/base64.beam",       "kernel-*/ebin/rpc.beam",
                                        "tests/fixtures/otp21/old.beam",   "tests/fixtures/otp25_r22/probe.beam",
                                        "tests/fixtures/otp27/probe.beam", "tests/fixtures/otp29/*.beam"};
    VM vm;
    CHECK(start(&vm));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        glob_t found;
        FileMap map;
        int e;
        if (!installed(names[i], &found)) {
            continue;
        }
        for (size_t k = 0; k < found.gl_pathc; k++) {
            if (platform_map_file(found.gl_pathv[k], &map, &e)) {
                mutants(&vm, names[i], (Bytes){map.at, map.size}, 0x9e3779b97f4a7c15u + i, 250);
                platform_unmap_file(&map);
            }
        }
        globfree(&found);
    }
    stop(&vm);
}

TEST(beam_errors_are_one_clear_line) {
    static const struct {
        const char *bytes;
        size_t size;
        const char *line;
        // clang-format off
    } cases[] = {
        {"", 0, "x.beam: offset 0: this is no .beam file"},
        {"FOR1\0\0\0\xff" "BEAM", 12, "x.beam: offset 4: the file should have 251 bytes more"},
        {"FOR1\0\0\0\4" "BEAM", 12, "x.beam: it has no chunk AtU8"},
        {"FOR1\0\0\0\x0c" "BEAMCode\0\0\0\1", 20, "x.beam: offset 12: a chunk of 1 bytes does not fit into it"},
        {"FOR1\0\0\0\x0c" "BEAMAtom\0\0\0\0", 20, "x.beam: it was compiled by a release before OTP 20"},
    };
    // clang-format on
    VM vm;
    CHECK(start(&vm));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LoadError error;
        char text[600];
        CHECK(beam_read(&vm, "x.beam", (Bytes){(const uint8_t *)cases[i].bytes, cases[i].size}, &error) == NULL);
        load_error_text(&error, text, sizeof text);
        CHECK(strcmp(text, cases[i].line) == 0);
    }
    stop(&vm);
}

TEST(reading_survives_failing_allocations) {
    glob_t found;
    FileMap map;
    int e;
    if (!installed("stdlib-*/ebin/proplists.beam", &found)) {
        return;
    }
    VM vm;
    CHECK(start(&vm));
    if (platform_map_file(found.gl_pathv[0], &map, &e)) {
        bool done = false;
        for (int64_t n = 0; !done && n < 2000; n++) {
            LoadError error;
            vm.mem.fail_after = n;
            BeamFile *b = beam_read(&vm, "proplists", (Bytes){map.at, map.size}, &error);
            done = b != NULL;
            vm.mem.fail_after = -1;
            beam_free(b);
        }
        CHECK(done);
        platform_unmap_file(&map);
    }
    globfree(&found);
    stop(&vm);
}
