/* A VM in which code is loaded and nothing runs, for tests of code/. */
#include "unit.h"

#include "code/code.h"
#include "code/emit.h"
#include "term/atom.h"

/* Nothing runs here: any handlers will do. */
static const uintptr_t handlers[VARIANT_COUNT];
static const BifEntry send = {NULL, ATOM_INDEX(A_erlang), ATOM_INDEX(A_send), 2, 0, 0};
static const BifTable bifs = {&send, 1, NULL, 0};

static bool start(VM *vm) {
    *vm = (VM){0};
    mem_init(&vm->mem);
    vm->bifs = &bifs;
    vm->handlers = handlers;
    return terms_init(vm) && code_init(vm);
}

static void stop(VM *vm) {
    code_done(vm);
    terms_done(vm);
    CHECK(mem_total(&vm->mem) == 0);
}
