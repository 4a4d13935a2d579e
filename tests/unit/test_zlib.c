/* zlib's and prim_buffer's built-ins: streams and queues driven as zlib.erl and prim_file.erl drive them. */
#include "unit.h"

#include <zlib.h>

#include "bif/bif.h"
#include "data/bits.h"

static VM vm;
static Process process;
static Scheduler scheduler;
extern const BifTable bif_table;

static void begin(void) {
    memset(&vm, 0, sizeof vm);
    mem_init(&vm.mem);
    vm.bifs = &bif_table;
    memset(&process, 0, sizeof process);
    memset(&scheduler, 0, sizeof scheduler);
    process.scheduler = &scheduler;
    process.pid = make_pid(7);
    CHECK(terms_init(&vm) && heap_init(&process.heap, &vm, 1000));
}

static void end(void) {
    heap_done(&process.heap);
    terms_done(&vm);
    CHECK(mem_total(&vm.mem) == 0);
}

static term call(const char *module, const char *name, uint32_t arity, term a, term b, term c, term d) {
    const term args[] = {a, b, c, d, SMALL(8), SMALL(0)};
    const BifEntry *e = bif_find(&vm, atom_from(&vm, module), atom_from(&vm, name), arity);
    CHECK(e != NULL);
    process.heap.reds = 4000;
    return e == NULL ? NONE : e->function(&process, args);
}
#define ZLIB(name, arity, a, b, c, d) call("zlib", name, arity, a, b, c, d)
#define QUEUE(name, arity, a, b) call("prim_buffer", name, arity, a, b, NIL, NIL)

/* Runs a codec until it has finished; returns how many bytes it wrote to `out`. */
static size_t drain(const char *codec, term stream, term flush, uint8_t *out) {
    size_t size = 0;
    for (int i = 0; i < 10000; i++) {
        term r = ZLIB(codec, 4, stream, SMALL(8192), SMALL(1000), flush);
        CHECK(r != NONE && is_tuple_of(r, 2));
        if (r == NONE) {
            break;
        }
        for (term l = element(r, 2); l != NIL; l = tail(l)) {
            Bits b = bits_of(head(l));
            memcpy(out + size, b.at, b.size / 8);
            size += b.size / 8;
        }
        if (element(r, 1) == A_finished) {
            break;
        }
    }
    return size;
}

TEST(zlib_streams) {
    begin();
    static uint8_t plain[100000], packed[110000], again[110000], expected[110000];
    for (size_t i = 0; i < sizeof plain; i++) {
        plain[i] = (uint8_t)(i * i >> 7 ^ i);
    }
    uLongf expected_size = sizeof expected;
    CHECK(compress(expected, &expected_size, plain, sizeof plain) == Z_OK);
    term z = ZLIB("open_nif", 0, NIL, NIL, NIL, NIL), list = NIL;
    CHECK(ZLIB("deflate_nif", 4, z, SMALL(1), SMALL(1), SMALL(0)) == NONE && process.heap.reason == A_not_initialized);
    CHECK(ZLIB("deflateInit_nif", 6, z, SMALL(-1), SMALL(8), SMALL(15)) == A_ok);
    for (size_t i = sizeof plain / 100; i > 0; i--) { /* both small and large pieces */
        list = heap_cons(&process.heap, bits_from(&process.heap, plain + (i - 1) * 100, 100), list);
    }
    term t;
    while (is_tuple(t = ZLIB("enqueue_nif", 2, z, list, NIL, NIL))) {
        list = element(t, 2);
    }
    CHECK(t == A_ok);
    size_t size = drain("deflate_nif", z, SMALL(Z_FINISH), packed);
    CHECK(size == expected_size && memcmp(packed, expected, size) == 0);
    CHECK(ZLIB("deflateEnd_nif", 1, z, NIL, NIL, NIL) == A_ok);
    CHECK(ZLIB("inflateInit_nif", 3, z, SMALL(15), SMALL(2), NIL) == A_ok);
    list = heap_cons(&process.heap, bits_from(&process.heap, packed, size), NIL);
    CHECK(ZLIB("enqueue_nif", 2, z, list, NIL, NIL) == A_ok);
    CHECK(drain("inflate_nif", z, SMALL(0), again) == sizeof plain && memcmp(again, plain, sizeof plain) == 0);
    CHECK(ZLIB("getStash_nif", 1, z, NIL, NIL, NIL) == A_empty && ZLIB("setStash_nif", 2, z, list, NIL, NIL) == A_ok);
    t = ZLIB("getStash_nif", 1, z, NIL, NIL, NIL);
    CHECK(is_tuple_of(t, 2) && bits_size(head(element(t, 2))) == size * 8);
    CHECK(ZLIB("inflateEnd_nif", 1, z, NIL, NIL, NIL) == A_ok);
    process.pid = make_pid(8);
    CHECK(ZLIB("close_nif", 1, z, NIL, NIL, NIL) == NONE && process.heap.reason == A_not_on_controlling_process);
    process.pid = make_pid(7);
    CHECK(ZLIB("close_nif", 1, z, NIL, NIL, NIL) == A_ok && ZLIB("close_nif", 1, z, NIL, NIL, NIL) == NONE);
    end();
}

TEST(queues_of_bytes) {
    begin();
    term q = QUEUE("new", 0, NIL, NIL);
    static uint8_t in[200000], out[1000];
    size_t written = 0, read = 0;
    for (size_t i = 0; i < sizeof in; i++) {
        in[i] = (uint8_t)(i * 2654435761u >> 24);
    }
    for (size_t round = 0; written < sizeof in - 5000; round++) {
        size_t n = round * 37 % 700 + round % 5 * 300;
        term whole = bits_from(&process.heap, in + written, n + 1);
        term list = heap_cons(&process.heap, bits_sub(&process.heap, whole, 0, n * 8), NIL);
        CHECK(QUEUE("write", 2, q, list) == A_ok);
        written += n;
        CHECK(QUEUE("size", 1, q, NIL) == SMALL(written - read));
        n = MIN(round * 53 % 900, written - read);
        const uint8_t *hit = memchr(in + read, 77, written - read);
        term index = QUEUE("find_byte_index", 2, q, SMALL(77));
        CHECK(hit == NULL ? index == A_not_found : element(index, 2) == SMALL(hit - (in + read)));
        if (round % 3 == 0) {
            term first = QUEUE("peek_head", 1, q, NIL);
            n = MIN(first == NONE ? 0 : bits_size(first) / 8, sizeof out);
            CHECK(n == 0 || bits_equal(bits_of(bits_sub(&process.heap, first, 0, n * 8)), (Bits){in + read, 0, n * 8}));
            CHECK(QUEUE("skip", 2, q, SMALL(n)) == A_ok);
        } else {
            CHECK(bits_equal(bits_of(QUEUE("copying_read", 2, q, SMALL(n))), (Bits){in + read, 0, n * 8}));
        }
        read += n;
    }
    CHECK(QUEUE("skip", 2, q, SMALL(written - read + 1)) == NONE);
    CHECK(QUEUE("try_lock", 1, q, NIL) == A_acquired && QUEUE("try_lock", 1, q, NIL) == A_busy);
    CHECK(QUEUE("unlock", 1, q, NIL) == A_ok && QUEUE("unlock", 1, q, NIL) == NONE);
    end();
}
