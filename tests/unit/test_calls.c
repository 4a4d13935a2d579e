/* Built-ins against what Erlang/OTP answers: the calls in tests/unit/calls_*.etf, made by the escripts beside them. Each is
   made twice: with plenty of reductions, and with so few that whatever can go on later does. */
#include "unit.h"

#include <stdlib.h>

#include "bif/bif.h"
#include "code/code.h"
#include "data/external.h"
#include "term/compare.h"
#include "term/print.h"
extern const BifTable bif_table;

static VM vm;
static Process process;
static Scheduler scheduler;

static void begin(void) {
    memset(&vm, 0, sizeof vm);
    mem_init(&vm.mem);
    vm.bifs = &bif_table;
    CHECK(terms_init(&vm) && code_init(&vm));
    memset(&process, 0, sizeof process);
    memset(&scheduler, 0, sizeof scheduler);
    process.scheduler = &scheduler;
    scheduler.vm = &vm;
}

static void end(void) {
    code_done(&vm);
    terms_done(&vm);
    CHECK(mem_total(&vm.mem) == 0);
}

static term call(term module, term name, term args, intptr_t reds) {
    term a[8];
    uint32_t arity = 0;
    for (; args != NIL; args = tail(args)) {
        a[arity++] = head(args);
    }
    const BifEntry *bif = bif_find(&vm, module, name, arity);
    if (bif == NULL) {
        return NONE;
    }
    process.heap.reds = reds;
    term r = bif->function(&process, a);
    for (int i = 0; r == NONE && process.heap.reason == A_trap && i < 100000; i++) {
        const Export *to = scheduler.trap_to;
        if (to == NULL) {
            return scheduler.trap_args[0];
        }
        term next[6];
        memcpy(next, scheduler.trap_args, sizeof next);
        process.heap.reds = reds;
        r = to->bif->function(&process, next);
    }
    return r;
}

static term simplify(Heap *h, term name, term value) {
    if (value != NONE && (name == A_iolist_to_iovec || name == A_term_to_iovec)) {
        return call(atom_from(&vm, "erlang"), atom_from(&vm, "list_to_binary"), heap_cons(h, value, NIL), 4000);
    }
    return value;
}

static void report(term row, term got) {
    Text t;
    PrintOptions options = {.max_chars = 400, .strings = true};
    text_init(&t, &vm.mem);
    term_print(&t, &vm, row, &options);
    text_string(&t, "\n    got ");
    term_print(&t, &vm, got == NONE ? process.heap.reason : got, &options);
    printf("%.*s\n", (int)t.size, t.at);
    text_done(&t);
}

static void check_row(term row, intptr_t reds) {
    Heap *h = &process.heap;
    CHECK(heap_init(h, &vm, 500));
    term expected = element(row, 4), name = element(row, 2);
    term got = simplify(h, name, call(element(row, 1), name, element(row, 3), reds));
    bool good = element(expected, 1) == A_ok ? got != NONE && term_same(&vm, got, element(expected, 2))
                                             : got == NONE && term_same(&vm, h->reason, element(expected, 2));
    if (!good) {
        report(row, got);
    }
    CHECK(good);
    heap_done(h);
}

/* When memory runs out there may be any error, but nothing worse. */
static void try_without_memory(term row, int64_t allocations) {
    Heap *h = &process.heap;
    CHECK(heap_init(h, &vm, 500));
    vm.mem.fail_after = allocations;
    vm.mem.fail_count = allocations % 2; /* one, or all from then on */
    call(element(row, 1), element(row, 2), element(row, 3), 1000);
    vm.mem.fail_after = -1;
    heap_done(h);
}

static void check_file(const char *path) {
    FILE *f = fopen(path, "rb");
    CHECK(f != NULL);
    if (f == NULL) {
        return;
    }
    static uint8_t bytes[1 << 20];
    size_t size = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    begin();
    Heap rows;
    heap_init_detached(&rows, &vm);
    term list = external_decode(&rows, (Bytes){bytes, size}, 0, NULL);
    CHECK(list != NONE);
    for (; list != NONE && list != NIL; list = tail(list)) {
        check_row(head(list), 100000);
        check_row(head(list), 1);
        for (int64_t n = 0; n < 4; n++) {
            try_without_memory(head(list), n);
        }
    }
    heap_done(&rows);
    end();
}

TEST(calls_about_binaries) {
    check_file("tests/unit/calls_binary.etf");
}

TEST(calls_about_numbers) {
    check_file("tests/unit/calls_numbers.etf");
}

TEST(calls_about_packets) {
    check_file("tests/unit/calls_packet.etf");
}

TEST(calls_about_terms) {
    check_file("tests/unit/calls_terms.etf");
}

TEST(calls_about_records) {
    check_file("tests/unit/calls_records.etf");
}
