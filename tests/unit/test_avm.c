/* AVM packs: written, read back, damaged. */
#include "unit.h"

#include "code/avm.h"

static void add(Text *out, const char *name, uint32_t flags, const char *content) {
    avm_add(out, (Bytes){(const uint8_t *)name, strlen(name)}, flags, (Bytes){(const uint8_t *)content, strlen(content)});
}

TEST(avm_packs_round_trip) {
    Mem mem;
    mem_init(&mem);
    Text out;
    Avm pack;
    AvmEntry e;
    LoadError error;
    Bytes found;
    text_init(&out, &mem);
    avm_begin(&out);
    add(&out, "lib.beam", AVM_BEAM, "12345");
    add(&out, "app/priv/text", 0, "seven77");
    add(&out, "main.beam", AVM_BEAM | AVM_STARTS, "x");
    add(&out, "other.beam", AVM_BEAM | AVM_STARTS, "y");
    avm_end(&out);
    CHECK(!out.failed && memcmp(out.at, "#!/usr/bin/env AtomVM\n\0\0", 24) == 0);
    CHECK(memcmp(out.at + out.size - 16, "\0\0\0\0\0\0\0\0\0\0\0\0end", 16) == 0);
    CHECK(avm_open(&pack, "a", (Bytes){out.at, out.size}, &error));
    size_t at = 0;
    CHECK(avm_next(&pack, &at, &e) && e.name.size == 8 && e.flags == AVM_BEAM && e.content.size == 8);
    CHECK(avm_next(&pack, &at, &e) && e.flags == 0 && e.content.size == 7 && memcmp(e.content.at, "seven77", 7) == 0);
    CHECK(avm_next(&pack, &at, &e) && avm_next(&pack, &at, &e) && !avm_next(&pack, &at, &e));
    CHECK(avm_find(&pack, (Bytes){(const uint8_t *)"app/priv/text", 13}, &found) && found.size == 7);
    CHECK(!avm_find(&pack, (Bytes){(const uint8_t *)"app", 3}, &found));
    CHECK(avm_start(&pack, &found) && found.size == 4 && memcmp(found.at, "main", 4) == 0);
    for (size_t size = 0; size < out.size; size++) {
        CHECK(!avm_open(&pack, "a", (Bytes){out.at, size}, &error) || size > out.size - 5);
    }
    text_done(&out);
    CHECK(mem_total(&mem) == 0);
}
