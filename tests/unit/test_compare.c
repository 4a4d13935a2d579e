/* term/: equality, order, copying. */
#include "unit.h"

#include "term/atom.h"
#include "term/bitstring.h"
#include "term/compare.h"
#include "term/copy.h"
#include "term/literal.h"
#include "term/ref.h"

static VM vm;
static Heap h;

static void begin(void) {
    memset(&vm, 0, sizeof vm);
    mem_init(&vm.mem);
    CHECK(terms_init(&vm));
    CHECK(heap_init(&h, &vm, 10000));
}

static void end(void) {
    heap_done(&h);
    terms_done(&vm);
    CHECK(mem_total(&vm.mem) == 0);
}

static term big(int sign, uintptr_t limb) {
    term *p = heap_alloc(&h, 2);
    p[0] = HEADER(1, sign < 0 ? KIND_NEG_BIG : KIND_BIG), p[1] = limb;
    return make_boxed(p);
}

static term bits(const char *bytes, size_t n) { /* n in bits */
    term *p = heap_alloc(&h, HEAP_BITS_HEAD + (n + 63) / 64);
    p[0] = HEADER(1 + (n + 63) / 64, KIND_BITS), p[1] = n;
    memcpy(p + 2, bytes, (n + 7) / 8);
    return make_boxed(p);
}

static term view(term base, size_t from, size_t to) {
    View *v = (View *)heap_alloc(&h, VIEW_WORDS);
    *v = (View){HEADER(VIEW_WORDS - 1, KIND_VIEW), base, from, to};
    return make_boxed(v);
}

static term external(ExternalType type, const char *node, uint32_t creation, uint32_t a, uint32_t b) {
    External *e = (External *)heap_alloc(&h, EXTERNAL_WORDS);
    *e = (External){HEADER(EXTERNAL_WORDS - 1, KIND_EXTERNAL), type, atom_from(&vm, node), creation, 2, {a, b}};
    return make_boxed(e);
}

static term flat_map(size_t n, const term *keys, const term *values) {
    term *k = heap_alloc(&h, n + 1), *m = heap_alloc(&h, n + 2);
    k[0] = HEADER(n, KIND_TUPLE), m[0] = HEADER(n + 1, KIND_MAP), m[1] = make_boxed(k);
    memcpy(k + 1, keys, n * sizeof *k);
    memcpy(m + 2, values, n * sizeof *k);
    return make_boxed(m);
}

TEST(order_of_types) {
    begin();
    const term keys[] = {SMALL(1)}, values[] = {SMALL(2)};
    // clang-format off
    const term sorted[] = {
        big(-1, (uintptr_t)1 << 63), SMALL(-1), heap_float(&h, -0.5), SMALL(0), heap_float(&h, 0.5), SMALL(1),
        big(1, (uintptr_t)1 << 62), atom_from(&vm, "a"), atom_from(&vm, "aa"), atom_from(&vm, "b"),
        external(EXTERNAL_REF, "a@b", 1, 1, 2), ref_make(&h), ref_make(&h),
        external(EXTERNAL_PORT, "a@b", 1, 0, 1), make_port(1), make_port(5),
        external(EXTERNAL_PID, "a@b", 1, 1, 0), make_pid(1), external(EXTERNAL_PID, "z@b", 1, 1, 0), make_pid(2),
        heap_tuple(&h, 0), heap_tuple(&h, 1, SMALL(5)), TUPLE2(&h, SMALL(1), SMALL(2)), TUPLE2(&h, SMALL(1), NIL),
        flat_map(0, keys, values), flat_map(1, keys, values), NIL, heap_cons(&h, SMALL(1), NIL),
        heap_cons(&h, SMALL(1), heap_cons(&h, SMALL(1), NIL)), heap_cons(&h, SMALL(2), SMALL(1)) ,
        heap_cons(&h, SMALL(2), NIL),
        bits("", 0), bits("\0", 1), bits("\0", 8), bits("\x80", 1), bits("\x80", 8),
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_LEN(sorted); i++) {
        for (size_t k = 0; k < ARRAY_LEN(sorted); k++) {
            int c = term_compare(&vm, sorted[i], sorted[k]);
            CHECK(i < k ? c < 0 : i > k ? c > 0 : c == 0);
            CHECK(term_same(&vm, sorted[i], sorted[k]) == (i == k));
            CHECK(term_equal(&vm, sorted[i], sorted[k]) == (i == k));
        }
    }
    end();
}

TEST(order_exact_and_not) {
    begin();
    term f1 = heap_float(&h, 1.0), i1 = SMALL(1);
    CHECK(term_equal(&vm, f1, i1) && !term_same(&vm, f1, i1) && term_compare(&vm, i1, f1) == 0);
    CHECK(term_compare_exact(&vm, i1, f1) < 0 && term_compare_exact(&vm, SMALL(2), f1) < 0);
    term a = TUPLE2(&h, heap_cons(&h, i1, NIL), A_badarg), b = TUPLE2(&h, heap_cons(&h, f1, NIL), A_badarg);
    CHECK(term_equal(&vm, a, b) && !term_same(&vm, a, b) && term_compare(&vm, a, b) == 0);
    CHECK(term_compare_exact(&vm, a, b) < 0 && term_compare_exact(&vm, b, a) > 0);
    CHECK(term_same(&vm, heap_float(&h, 0.0), heap_float(&h, -0.0)));

    /* Keys are compared exactly, values are not. */
    term m1 = flat_map(1, &i1, &i1), m2 = flat_map(1, &i1, &f1), m3 = flat_map(1, &f1, &i1);
    CHECK(term_equal(&vm, m1, m2) && !term_same(&vm, m1, m2) && term_compare(&vm, m1, m2) == 0);
    CHECK(!term_equal(&vm, m1, m3) && term_compare(&vm, m1, m3) < 0 && term_compare(&vm, m3, m1) > 0);
    CHECK(term_compare_exact(&vm, m1, m2) < 0);

    term whole = bits("\x12\x34\x56", 24);
    CHECK(term_same(&vm, view(whole, 4, 12), bits("\x23", 8)));
    CHECK(!term_same(&vm, view(whole, 4, 12), bits("\x24", 8)));
    end();
}

TEST(order_of_deep_terms) {
    begin();
    term a = NIL, b = NIL, c = SMALL(1);
    for (int i = 0; i < 200000; i++) {
        a = heap_cons(&h, a, NIL), b = heap_cons(&h, b, NIL), c = heap_cons(&h, c, NIL);
    }
    CHECK(term_same(&vm, a, b) && term_compare(&vm, a, b) == 0 && term_compare(&vm, a, c) > 0 && !term_equal(&vm, a, c));
    CHECK(term_size(&vm, a) == 400000);
    term d = term_copy(&h, a);
    CHECK(d != NONE && d != a && term_same(&vm, a, d));
    end();
}

TEST(copies) {
    begin();
    Buffer *buffer = buffer_new(&vm, 1000);
    memset(buffer->data, 'x', 1000);
    term handle = heap_buffer_ref(&h, buffer, true);
    term list = heap_latin1_list(&h, "hello", 5), whole = bits("\x12\x34\x56", 24);
    term t = heap_tuple(&h, 7, list, list, view(handle, 0, 8000), view(handle, 4, 20), view(whole, 4, 24), heap_float(&h, 1.5),
                        ref_make_alias(&h, make_pid(7)));
    CHECK(term_size(&vm, t) == 8 + 10 + 10 + (4 + 4) + 3 + 3 + 2 + 4);
    CHECK(term_shared_size(&vm, t) == 8 + 10 + 4 * 3 + 4 + 3 + 2 + 4);
    term copy;
    Fragment *f = term_copy_to_fragment(&vm, t, &copy);
    CHECK(f != NULL && f->used == term_size(&vm, t) && term_same(&vm, t, copy) && buffer_refs(buffer) == 2);
    heap_adopt(&h, f);
    CHECK(!((BufferRef *)boxed(((View *)boxed(element(copy, 3)))->base))->writable);
    CHECK(kind_of(element(copy, 4)) == KIND_BITS && alias_pid(element(copy, 7)) == make_pid(7));

    LiteralBlock block;
    term literal = term_copy_to_literal(&vm, t, &block);
    CHECK(is_literal_address(&vm, boxed(literal)) && term_same(&vm, literal, t) && buffer_refs(buffer) == 3);
    CHECK(term_size(&vm, literal) == 0 && term_flat_size(&vm, literal) == block.words && term_copy(&h, literal) == literal);
    term again = term_copy_literals_too(&h, literal);
    CHECK(again != literal && term_same(&vm, literal, again));
    literal_free(&vm, block.at, block.words, block.off_heap);
    CHECK(buffer_refs(buffer) == 3);
    CHECK(term_copy_to_literal(&vm, A_badarg, &block) == A_badarg && block.words == 0);
    vm.mem.fail_after = 0;
    CHECK(term_copy_to_fragment(&vm, t, &copy) == NULL && copy == NONE);
    CHECK(term_copy_to_fragment(&vm, A_badarg, &copy) == NULL && copy == A_badarg);
    vm.mem.fail_after = -1;
    end();
}
