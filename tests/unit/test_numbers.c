/* data/: arithmetic as Erlang/OTP does it, integers to and from bits and text; the two sets of limb functions. */
#include "limbs.h"
#include "unit.h"

#include "base/dtoa.h"
#include "data/arith.h"
#include "term/atom.h"

static const struct {
    const char *op, *a, *b, *result;
} rows[] = {
#include "numbers_table.inc"
};

static void begin(VM *vm, Heap *h) {
    memset(vm, 0, sizeof *vm);
    mem_init(&vm->mem);
    CHECK(terms_init(vm));
    CHECK(heap_init(h, vm, 1000));
}

static void end(VM *vm, Heap *h) {
    heap_done(h);
    terms_done(vm);
    CHECK(mem_total(&vm->mem) == 0);
}

static term from_string(Heap *h, const char *s) {
    if (*s == 'f') {
        uint64_t bits = 0;
        double d;
        for (int i = 1; i <= 16; i++) {
            bits = bits << 4 | (unsigned)(s[i] <= '9' ? s[i] - '0' : s[i] - 'a' + 10);
        }
        memcpy(&d, &bits, sizeof d);
        return heap_float(h, d);
    }
    term t = integer_from_text(h, (const uint8_t *)s, strlen(s), 16);
    CHECK(t != NONE);
    return t;
}

static bool is_string(Heap *h, term t, const char *s) {
    if (t == NONE) {
        Bytes text = atom_text(h->vm, h->reason);
        return text.size == strlen(s) && memcmp(text.at, s, text.size) == 0;
    }
    char out[8192];
    size_t size;
    if (t == A_true || t == A_false) {
        size = (size_t)sprintf(out, t == A_true ? "true" : "false");
    } else if (is_float(t)) {
        double d = float_value(t);
        uint64_t bits;
        memcpy(&bits, &d, sizeof d);
        size = (size_t)sprintf(out, "f%016llx", (unsigned long long)bits);
    } else {
        CHECK(integer_text_room(t, 16) <= sizeof out);
        size = integer_to_text(h, t, 16, out);
    }
    return size == strlen(s) && memcmp(out, s, size) == 0;
}

static term less(Heap *h, term a, term b) {
    return number_compare(a, b) < 0 ? A_true : A_false;
}
static term equal(Heap *h, term a, term b) {
    return number_compare(a, b) == 0 ? A_true : A_false;
}

TEST(arithmetic_is_otps) {
    static const struct {
        const char *name;
        term (*f)(Heap *, term, term);
    } two[] = {
        {"+", arith_add},   {"-", arith_sub},     {"*", arith_mul},   {"/", arith_div},     {"div", arith_int_div},
        {"rem", arith_rem}, {"band", arith_band}, {"bor", arith_bor}, {"bxor", arith_bxor}, {"bsl", arith_bsl},
        {"bsr", arith_bsr}, {"<", less},          {"==", equal},
    };
    static const struct {
        const char *name;
        term (*f)(Heap *, term);
    } one[] = {
        {"-", arith_neg},       {"bnot", arith_bnot}, {"abs", arith_abs},     {"round", arith_round},
        {"trunc", arith_trunc}, {"ceil", arith_ceil}, {"floor", arith_floor}, {"float", arith_float},
    };
    VM vm;
    Heap h;
    begin(&vm, &h);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        term a = from_string(&h, rows[i].a), result = NIL;
        if (rows[i].b != NULL) {
            term b = from_string(&h, rows[i].b);
            for (size_t k = 0; k < ARRAY_LEN(two); k++) {
                result = strcmp(two[k].name, rows[i].op) == 0 ? two[k].f(&h, a, b) : result;
            }
        } else {
            for (size_t k = 0; k < ARRAY_LEN(one); k++) {
                result = strcmp(one[k].name, rows[i].op) == 0 ? one[k].f(&h, a) : result;
            }
        }
        if (!is_string(&h, result, rows[i].result)) {
            printf("row %zu: %s %s %s: not %s\n", i + 1, rows[i].op, rows[i].a, rows[i].b ? rows[i].b : "", rows[i].result);
            unit_failures++;
        }
    }
    end(&vm, &h);
}

static uint64_t random_state = 88172645463325252u;
static uint64_t next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    return random_state ^= random_state << 17;
}

/* Limbs that make trouble: all ones, all zeros, sparse ones, random ones. */
static void random_limbs(Limb *a, size_t n) {
    for (size_t i = 0; i < n; i++) {
        uint64_t r = next_random();
        a[i] = r % 4 == 0 ? 0 : r % 4 == 1 ? (Limb)-1 : r % 4 == 2 ? (Limb)1 << (r >> 10 & 31) : (Limb)next_random();
    }
}

enum { MOST = 40 };
static bool same(const Limb *a, const Limb *b, size_t n) {
    return memcmp(a, b, n * sizeof *a) == 0;
}

TEST(both_limbs_agree) {
    Limb a[MOST], b[MOST], r[2 * MOST], s[2 * MOST], q[2 * MOST], p[2 * MOST];
    for (int round = 0; round < 20000; round++) {
        size_t bn = 1 + next_random() % (MOST / 2), an = bn + next_random() % (MOST / 2);
        unsigned shift = 1 + next_random() % (LIMB_BITS - 1);
        random_limbs(a, an);
        random_limbs(b, bn);
        CHECK(limb_add_n(r, a, b, bn) == portable.add_n(s, a, b, bn) && same(r, s, bn));
        CHECK(limb_sub_n(r, a, b, bn) == portable.sub_n(s, a, b, bn) && same(r, s, bn));
        CHECK(limb_add_1(r, a, an, b[0]) == portable.add_1(s, a, an, b[0]) && same(r, s, an));
        CHECK(limb_sub_1(r, a, an, b[0]) == portable.sub_1(s, a, an, b[0]) && same(r, s, an));
        CHECK((limb_cmp(a, b, bn) < 0) == (portable.cmp(a, b, bn) < 0));
        CHECK(limb_mul_1(r, a, an, b[0]) == portable.mul_1(s, a, an, b[0]) && same(r, s, an));
        limb_mul(r, a, an, b, bn), portable.mul(s, a, an, b, bn);
        CHECK(same(r, s, an + bn));
        limb_sqr(r, a, an), portable.sqr(s, a, an);
        CHECK(same(r, s, 2 * an));
        CHECK(limb_lshift(r, a, an, shift) == portable.lshift(s, a, an, shift) && same(r, s, an));
        CHECK(limb_rshift(r, a, an, shift) == portable.rshift(s, a, an, shift) && same(r, s, an));
        b[bn - 1] |= b[bn - 1] == 0;
        CHECK(limb_divrem_1(r, a, an, b[bn - 1]) == portable.divrem_1(s, a, an, b[bn - 1]) && same(r, s, an));
        limb_divrem(q, r, a, an, b, bn), portable.divrem(p, s, a, an, b, bn);
        CHECK(same(q, p, an - bn + 1) && same(r, s, bn));
    }
}

TEST(both_limbs_agree_on_text) {
    Limb a[MOST], b[MOST + 4], c[MOST + 4];
    uint8_t x[MOST * LIMB_BITS + 2], y[MOST * LIMB_BITS + 2];
    for (int round = 0; round < 2000; round++) {
        unsigned base = 2 + (unsigned)(next_random() % 35);
        size_t n = 1 + next_random() % (MOST - 2);
        random_limbs(a, n);
        a[n - 1] |= a[n - 1] == 0;
        memcpy(b, a, n * sizeof *a);
        size_t xn = limb_get_str(x, base, b, n);
        memcpy(b, a, n * sizeof *a);
        size_t yn = portable.get_str(y, base, b, n), xz = 0, yz = 0;
        for (; xz < xn && x[xz] == 0; xz++) {
        }
        for (; yz < yn && y[yz] == 0; yz++) {
        }
        CHECK(xn - xz == yn - yz && memcmp(x + xz, y + yz, xn - xz) == 0 && xn <= limb_digits(n, base));
        CHECK(limb_room(xn, base) <= ARRAY_LEN(b));
        CHECK(limb_set_str(b, x, xn, base) == n && same(a, b, n));
        CHECK(portable.set_str(c, x, xn, base) == n && same(a, c, n));
    }
}

/* Bits of an integer one by one, the slow and obvious way. */
static bool bit_at(const uint8_t *p, size_t i) {
    return p[i / 8] >> (7 - i % 8) & 1;
}

static size_t place(size_t i, size_t bits, bool little) { /* where the bit of weight 2^i is */
    if (!little) {
        return bits - 1 - i;
    }
    size_t byte = i / 8, size = MIN(bits - byte * 8, 8);
    return byte * 8 + size - 1 - i % 8;
}

TEST(integers_and_bits) {
    VM vm;
    Heap h;
    begin(&vm, &h);
    uint8_t from[64], to[64], before[64];
    for (int round = 0; round < 20000; round++) {
        size_t start = next_random() % 20, bits = next_random() % (round % 2 ? 70 : 400);
        unsigned flags = next_random() & 3;
        for (size_t i = 0; i < sizeof from; i++) {
            uint64_t r = next_random();
            from[i] = r % 3 == 0 ? 0 : r % 3 == 1 ? 255 : (uint8_t)(r >> 8);
            before[i] = to[i] = (uint8_t)(r >> 16);
        }
        h.top = h.start;
        term t = integer_from_bits(&h, from, start, bits, flags);
        CHECK(is_integer(t));
        bool negative = (flags & INTEGER_SIGNED) && bits > 0 && bit_at(from, start + place(bits - 1, bits, flags & INTEGER_LITTLE));
        CHECK(integer_is_negative(t) == negative);
        for (size_t i = 0; i < bits; i++) {
            term bit = arith_band(&h, arith_bsr(&h, t, SMALL(i)), SMALL(1));
            CHECK(bit == SMALL(bit_at(from, start + place(i, bits, flags & INTEGER_LITTLE))));
            h.top = is_boxed(t) ? boxed(t) + 1 + HEADER_WORDS(header_of(t)) : h.start;
        }
        size_t other = next_random() % 20;
        integer_to_bits(t, to, other, bits, flags);
        for (size_t i = 0; i < 8 * sizeof to; i++) {
            CHECK(bit_at(to, i) == (i >= other && i < other + bits ? bit_at(from, start + i - other) : bit_at(before, i)));
        }
        size_t size = integer_magnitude_size(t);
        integer_write_magnitude(t, to);
        term u = integer_from_magnitude(&h, to, size, negative);
        CHECK(integer_compare(t, u) == 0);
    }
    end(&vm, &h);
}

TEST(integers_have_one_form) {
    VM vm;
    Heap h;
    begin(&vm, &h);
    static const int64_t some[] = {
        0, 1, -1, INT64_MAX, INT64_MIN, ((int64_t)1 << 59) - 1, (int64_t)1 << 59, -((int64_t)1 << 59), -((int64_t)1 << 59) - 1};
    for (size_t i = 0; i < ARRAY_LEN(some); i++) {
        int64_t back = 7;
        uint64_t magnitude;
        term t = integer_from_int64(&h, some[i]);
        CHECK(is_small(t) == (some[i] >= SMALL_MIN && some[i] <= SMALL_MAX));
        CHECK(integer_to_int64(t, &back) && back == some[i]);
        CHECK(integer_to_uint64(t, &magnitude) == (some[i] >= 0));
        CHECK(arith_sub(&h, arith_add(&h, t, SMALL(5)), SMALL(5)) == t || !is_small(t));
    }
    uint64_t u;
    int64_t n;
    CHECK(integer_to_uint64(integer_from_uint64(&h, UINT64_MAX), &u) && u == UINT64_MAX);
    CHECK(!integer_to_int64(integer_from_uint64(&h, UINT64_MAX), &n));
    CHECK(!integer_to_int64(A_badarg, &n) && !integer_to_uint64(NIL, &u));
    end(&vm, &h);
}

TEST(integers_have_a_limit) {
    VM vm;
    Heap h;
    begin(&vm, &h);
    CHECK(arith_bsl(&h, SMALL(1), SMALL(SMALL_MAX)) == NONE && h.reason == A_system_limit);
    term most = arith_bsl(&h, SMALL(1), SMALL(INTEGER_MAX_LIMBS * LIMB_BITS - 1));
    CHECK(most != NONE && arith_add(&h, most, most) == NONE && h.reason == A_system_limit);
    CHECK(arith_mul(&h, most, most) == NONE && h.reason == A_system_limit);
    CHECK(arith_bsr(&h, most, SMALL(INTEGER_MAX_LIMBS * LIMB_BITS - 1)) == SMALL(1));
    intptr_t before = h.reds;
    CHECK(arith_int_div(&h, most, arith_bsr(&h, most, SMALL(1 << 20))) != NONE && h.reds < before - 1000);
    vm.mem.fail_after = 0;
    CHECK(arith_bsl(&h, SMALL(1), SMALL(10000000)) == NONE && h.reason == A_system_limit);
    end(&vm, &h);
}

TEST(floats_as_short_text) {
    static const struct {
        double d;
        const char *text;
        // clang-format off
    } cases[] = {
        {0.0, "0.0"}, {-0.0, "-0.0"}, {1.0, "1.0"}, {0.1, "0.1"}, {1e22, "1.0e22"}, {1e23, "1.0e23"}, {5e-324, "5.0e-324"},
        {1.7976931348623157e308, "1.7976931348623157e308"}, {2.2250738585072014e-308, "2.2250738585072014e-308"}, {100.0, "100.0"},
        {1000.0, "1.0e3"}, {12340.0, "12340.0"}, {123400.0, "1.234e5"}, {0.0001, "0.0001"}, {0.00001, "1.0e-5"}, {0.001234, "0.001234"},
        {1234e-8, "1.234e-5"}, {123456789e2, "12345678900.0"}, {123456789e3, "1.23456789e11"}, {9007199254740991.0, "9007199254740991.0"},
        {9007199254740992.0, "9.007199254740992e15"}, {-2.5e-3, "-0.0025"}, {1.0 / 3, "0.3333333333333333"}, {9.5367431640625e-7, "9.5367431640625e-7"},
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char out[DTOA_SHORT_MAX + 1];
        out[dtoa_short(cases[i].d, out)] = 0;
        CHECK(strcmp(out, cases[i].text) == 0);
    }
}
