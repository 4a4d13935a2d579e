/* code/: the export table and the look-up of built-ins. */
#include "unit.h"

#include "code/module.h"

enum { ERLANG = 10, LISTS = 20, ABS = 5, EXIT = 6, REVERSE = 30 };
static const BifEntry entries[] = {
    {NULL, ERLANG, ABS, 1, 0, 0},    {NULL, ERLANG, ABS, 2, 0, 0},      {NULL, ERLANG, EXIT, 1, 0, 0},
    {NULL, LISTS, REVERSE, 2, 0, 0}, {NULL, LISTS, REVERSE, 3, 27, 28},
};

static int release;
static int its_release(VM *vm UNUSED) {
    return release;
}

TEST(bif_find_finds_every_entry_and_no_other) {
    static const BifTable table = {entries, ARRAY_LEN(entries), NULL, 0};
    VM vm = {.bifs = &table};
    for (size_t i = 0; i < ARRAY_LEN(entries) - 1; i++) {
        CHECK(bif_find(&vm, bif_module(&entries[i]), bif_name(&entries[i]), entries[i].arity) == &entries[i]);
    }
    CHECK(bif_find(&vm, ATOM(ERLANG), ATOM(ABS), 0) == NULL);
    CHECK(bif_find(&vm, ATOM(LISTS), ATOM(ABS), 1) == NULL);
}

TEST(bif_find_finds_what_the_release_has) {
    static const BifTable table = {entries, ARRAY_LEN(entries), NULL, 0};
    static VM vm;
    mem_init(&vm.mem);
    vm.bifs = &table, vm.release = its_release;
    CHECK(code_init(&vm));
    for (release = 25; release <= 29; release++) {
        CHECK((bif_find(&vm, ATOM(LISTS), ATOM(REVERSE), 3) != NULL) == (release == 27 || release == 28));
        CHECK(bif_find(&vm, ATOM(LISTS), ATOM(REVERSE), 2) != NULL);
    }
    code_done(&vm);
}

TEST(exports_are_found_again) {
    static VM vm;
    static const BifTable table = {entries, ARRAY_LEN(entries), NULL, 0};
    mem_init(&vm.mem);
    vm.bifs = &table;
    CHECK(code_init(&vm));
    CHECK(export_find(&vm, ATOM(LISTS), ATOM(ABS), 1) == NULL);
    Export *b = export_find(&vm, ATOM(ERLANG), ATOM(ABS), 1);
    CHECK(b != NULL && b->bif == &entries[0] && export_is_callable(b));
    Export *first = export_get(&vm, ATOM(LISTS), ATOM(ABS), 0);
    CHECK(first != NULL && !export_is_callable(first));
    for (uint32_t i = 1; i < 2000; i++) {
        CHECK(export_get(&vm, ATOM(LISTS), ATOM(ABS), i) != NULL);
    }
    CHECK(export_get(&vm, ATOM(LISTS), ATOM(ABS), 0) == first);
    CHECK(export_find(&vm, ATOM(ERLANG), ATOM(ABS), 1) == b);
    code_done(&vm);
    CHECK(mem_total(&vm.mem) == 0);
}
