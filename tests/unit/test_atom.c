/* term/: atoms: texts, limits, order, hash. */
#include "unit.h"

#include "term/atom.h"

static term reason_of(VM *vm, const char *text, size_t n) {
    term reason = NONE;
    CHECK(atom_intern(vm, (const uint8_t *)text, n, &reason) == NONE);
    return reason;
}

TEST(atoms) {
    VM vm = {0};
    mem_init(&vm.mem);
    CHECK(terms_init(&vm));
    CHECK(atom_from(&vm, "badarg") == A_badarg && atom_from(&vm, "false") == A_false);
    size_t before = atom_count(&vm);
    CHECK(atom_find(&vm, (const uint8_t *)"nobody", 6) == NONE);
    term a = atom_from(&vm, "nobody");
    CHECK(a != NONE && a == atom_from(&vm, "nobody") && atom_count(&vm) == before + 1);
    CHECK(atom_find(&vm, (const uint8_t *)"nobody", 6) == a);
    CHECK(atom_text(&vm, a).size == 6 && memcmp(atom_text(&vm, a).at, "nobody", 6) == 0);
    CHECK(atom_compare(&vm, a, A_badarg) > 0 && atom_compare(&vm, A_badarg, a) < 0 && atom_compare(&vm, a, a) == 0);
    CHECK(atom_compare(&vm, atom_from(&vm, "no"), a) < 0);

    char text[2000];
    memset(text, 'a', sizeof text);
    CHECK(atom_intern(&vm, (uint8_t *)text, 255, NULL) != NONE);
    CHECK(reason_of(&vm, text, 256) == A_system_limit && reason_of(&vm, text, 2000) == A_system_limit);
    CHECK(reason_of(&vm, "\xff", 1) == A_badarg);
    text[100] = '\xff';
    CHECK(reason_of(&vm, text, 300) == A_badarg);
    for (int i = 0; i < 256; i++) {
        memcpy(text + 2 * i, "\xc3\xa9", 2);
    }
    CHECK(atom_intern(&vm, (uint8_t *)text, 510, NULL) != NONE && reason_of(&vm, text, 512) == A_system_limit);

    for (int i = 0; i < 5000; i++) {
        char name[20];
        snprintf(name, sizeof name, "atom_%d", i);
        term t = atom_from(&vm, name);
        CHECK(t != NONE && t == atom_from(&vm, name));
    }
    /* erl: erlang:phash2(A) of ok, the empty atom, e acute, and a Cyrillic word */
    CHECK(atom_hash(&vm, atom_from(&vm, "ok")) == 1883);
    CHECK(atom_hash(&vm, atom_from(&vm, "")) == 0);
    CHECK(atom_hash(&vm, atom_from(&vm, "\xc3\xa9")) == 233);

    vm.mem.fail_after = 0;
    for (int i = 0; i < 5000; i++) {
        char name[20];
        snprintf(name, sizeof name, "later_%d", i);
        atom_from(&vm, name);
    }
    vm.mem.fail_after = -1;
    terms_done(&vm);
    CHECK(mem_total(&vm.mem) == 0);
}
