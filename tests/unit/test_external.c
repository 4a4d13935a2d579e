/* data/: the external term format: damage, depth, lack of memory, and collections between two steps. What it reads and writes is
   compared with OTP in test_calls.c. */
#include "unit.h"

#include <stdlib.h>

#include "data/bits.h"
#include "data/external.h"
#include "data/map.h"
#include "term/atom.h"
#include "term/compare.h"
#include "term/gc.h"

static VM vm;
static Heap heap;
static const ExternalOptions plain = {.minor_version = 1};

static void begin(void) {
    memset(&vm, 0, sizeof vm);
    mem_init(&vm.mem);
    CHECK(terms_init(&vm) && heap_init(&heap, &vm, 1000));
}

static void end(void) {
    heap_done(&heap);
    terms_done(&vm);
    CHECK(mem_total(&vm.mem) == 0);
}

static uint64_t seed = 7;
static uint32_t random_below(uint32_t n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

/* Something of most kinds. */
static term sample(Heap *h) {
    term bits, pairs[2 * 50], words[] = {SMALL(1), A_ok, SMALL(-70000), NIL, heap_float(h, 1.5), heap_latin1_list(h, "text", 4)};
    memset(bits_new_sized(h, 701, &bits), 0x55, 88);
    for (size_t i = 0; i < 50; i++) {
        pairs[2 * i] = SMALL(i), pairs[2 * i + 1] = heap_list(h, words, 1 + i % 6, i % 2 == 0 ? NIL : bits);
    }
    term map = map_from_pairs(h, pairs, 50), few = map_from_pairs(h, pairs, 7);
    return TUPLE4(h, heap_list(h, words, 6, NIL), map, few, TUPLE3(h, bits, make_pid(7), bits_from(h, "abc", 3)));
}

TEST(damaged_external_terms) {
    static uint8_t copy[20000];
    begin();
    Text text;
    term reason;
    text_init(&text, &vm.mem);
    CHECK(external_encode(&text, &vm, sample(&heap), &plain, &reason) && text.size < sizeof copy);
    for (int round = 0; round < 30000; round++) {
        size_t size = text.size, used;
        memcpy(copy, text.at, size);
        for (uint32_t n = 1 + random_below(4); n > 0; n--) {
            copy[random_below((uint32_t)size)] = (uint8_t)(random_below(2) ? random_below(256) : 97 + random_below(24));
        }
        if (random_below(4) == 0) {
            size = random_below((uint32_t)size);
        }
        uint8_t *exact = malloc(size + 1); /* so that reading past the end is noticed */
        memcpy(exact, copy, size);
        Heap h;
        heap_init_detached(&h, &vm);
        term t = external_decode(&h, (Bytes){exact, size}, EXTERNAL_SAFE, &used);
        CHECK(t == NONE ? h.reason == A_badarg : used <= size);
        CHECK(h.fragment_words < 100 * text.size);
        heap_free_fragments(&vm, heap_detach(&h));
        free(exact);
    }
    text_done(&text);
    end();
}

TEST(promises_without_bytes_cost_nothing) {
    begin();
    static uint8_t lists[100000]; /* each a list of a million, in the head of the one before */
    lists[0] = EXTERNAL_VERSION;
    for (size_t i = 1; i + 5 <= sizeof lists; i += 5) {
        lists[i] = 108, write_be32(lists + i + 1, 90000);
    }
    CHECK(external_decode(&heap, (Bytes){lists, sizeof lists}, 0, NULL) == NONE && heap.reason == A_badarg);
    CHECK(mem_total(&vm.mem) < 16 << 20);
    end();
}

TEST(deep_external_terms) {
    enum { DEPTH = 300000 };
    begin();
    term list = NIL, tuple = NIL;
    for (int i = 0; i < DEPTH; i++) {
        list = heap_cons(&heap, list, NIL);
        tuple = TUPLE2(&heap, tuple, SMALL(1));
    }
    Text text;
    term reason;
    text_init(&text, &vm.mem);
    CHECK(external_encode(&text, &vm, TUPLE2(&heap, list, tuple), &plain, &reason));
    CHECK(text.size == 3 + DEPTH * (6 + 4) + 2);
    ExternalEncoder *counter = external_encoder_new(&vm, TUPLE2(&heap, list, tuple), &plain);
    size_t budget = SIZE_MAX;
    external_encoder_count(counter);
    CHECK(external_encoder_step(counter, &budget) && external_encoder_counted(counter, &reason) == text.size);
    external_encoder_delete(counter);
    term t = external_decode(&heap, (Bytes){text.at, text.size}, 0, NULL);
    CHECK(t != NONE && term_same(&vm, element(t, 1), list) && term_same(&vm, element(t, 2), tuple));
    text_done(&text);
    end();
}

/* Writes t with so few steps at a time that everything moves in between, again and again. */
static void write_while_collecting(term t, const ExternalOptions *o) {
    Text once;
    Bytes pieces;
    term reason;
    text_init(&once, &vm.mem);
    CHECK(external_encode(&once, &vm, t, o, &reason));
    ExternalEncoder *e = external_encoder_new(&vm, t, o);
    size_t budget = 3;
    while (!external_encoder_step(e, &budget)) {
        term saved = external_encoder_save(e, &heap);
        if (saved != NONE) {
            GcRequest request = {.full = true};
            Roots roots = {&saved, 1};
            CHECK(gc_collect(&heap, &request, &roots, 1) == GC_OK);
            external_encoder_restore(e, saved);
        }
        budget = 3;
    }
    CHECK(external_encoder_result(e, &pieces, &reason));
    CHECK(pieces.size == once.size && memcmp(pieces.at, once.at, once.size) == 0);
    external_encoder_delete(e);
    text_done(&once);
}

TEST(writing_in_pieces_while_the_heap_moves) {
    begin();
    static const ExternalOptions options[] = {
        {.minor_version = 1},
        {.minor_version = 0},
        {.minor_version = 2, .local = true},
        {.minor_version = 1, .compression = -1},
        {.minor_version = 1, .compression = 9},
    };
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        write_while_collecting(sample(&heap), &options[i]);
    }
    end();
}

TEST(external_terms_without_memory) {
    begin();
    Text text;
    term reason;
    ExternalOptions o = {.minor_version = 1, .deterministic = true, .compression = 6};
    Heap build;
    heap_init_detached(&build, &vm);
    term t = sample(&build);
    size_t before = mem_total(&vm.mem);
    for (int n = 0; n < 40; n++) {
        text_init(&text, &vm.mem);
        vm.mem.fail_after = n;
        bool written = external_encode(&text, &vm, t, &o, &reason);
        vm.mem.fail_after = -1;
        CHECK(written || reason == A_system_limit);
        text_done(&text);
        CHECK(mem_total(&vm.mem) == before);
    }
    text_init(&text, &vm.mem);
    CHECK(external_encode(&text, &vm, t, &o, &reason));
    before = mem_total(&vm.mem);
    for (int n = 0; n < 40; n++) {
        Heap h;
        heap_init_detached(&h, &vm);
        vm.mem.fail_after = n;
        term got = external_decode(&h, (Bytes){text.at, text.size}, 0, NULL);
        vm.mem.fail_after = -1;
        CHECK(got != NONE ? term_same(&vm, got, t) : h.reason == A_system_limit);
        heap_free_fragments(&vm, heap_detach(&h));
        CHECK(mem_total(&vm.mem) == before);
    }
    text_done(&text);
    heap_free_fragments(&vm, heap_detach(&build));
    end();
}

TEST(terms_of_this_vm_only) {
    begin();
    Text text;
    term reason, t = TUPLE2(&heap, make_pid(5), A_ok);
    ExternalOptions o = {.minor_version = 2, .local = true};
    text_init(&text, &vm.mem);
    CHECK(external_encode(&text, &vm, t, &o, &reason));
    CHECK(text.at[1] == 121 && text.size == 1 + 5 + 2 + 14 + 4);
    CHECK(term_same(&vm, external_decode(&heap, (Bytes){text.at, text.size}, 0, NULL), t));
    text.at[2] ^= 1;
    CHECK(external_decode(&heap, (Bytes){text.at, text.size}, 0, NULL) == NONE);
    text_done(&text);
    end();
}
