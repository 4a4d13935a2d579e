/* AVM packs: whatever the bytes, opening ends, entries lie inside the pack, and a pack made of them is the same again. */
#include "fuzz.h"

#include "code/avm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Avm pack, again;
    AvmEntry e, f;
    LoadError error;
    Mem mem;
    Text out, stripped;
    Bytes start;
    mem_init(&mem);
    if (!avm_open(&pack, "fuzz", (Bytes){data, size}, &error)) {
        return 0;
    }
    text_init(&out, &mem);
    avm_begin(&out);
    for (size_t at = 0; avm_next(&pack, &at, &e);) {
        AvmModule module;
        avm_add(&out, e.name, e.flags, e.content);
        text_init(&stripped, &mem);
        avm_strip(&stripped, "fuzz", e.content, AVM_KEEP_LINES, &module, &error);
        text_done(&stripped);
    }
    avm_end(&out);
    avm_start(&pack, &start);
    MUST(avm_open(&again, "again", (Bytes){out.at, out.size}, &error));
    for (size_t at = 0, there = 0; avm_next(&pack, &at, &e);) {
        MUST(avm_next(&again, &there, &f) && e.flags == f.flags && e.content.size <= f.content.size);
        MUST(e.content.size == 0 || memcmp(e.content.at, f.content.at, e.content.size) == 0);
    }
    text_done(&out);
    MUST(mem_total(&mem) == 0);
    return 0;
}
