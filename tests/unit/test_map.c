/* data/: maps of both kinds against a list of pairs; the order of large ones against OTP's. */
#include "unit.h"

#include "data/external.h"
#include "data/map.h"
#include "term/atom.h"
#include "term/compare.h"
#include "term/heap.h"

static VM vm;
static Heap heap;

static void begin(void) {
    memset(&vm, 0, sizeof vm);
    mem_init(&vm.mem);
    CHECK(terms_init(&vm));
    heap_init_detached(&heap, &vm);
}

static void end(void) {
    heap_free_fragments(&vm, heap_detach(&heap));
    terms_done(&vm);
    CHECK(mem_total(&vm.mem) == 0);
}

static uint64_t seed = 1;
static uint32_t random_below(uint32_t n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

static const struct {
    size_t size;
    const uint8_t *bytes;
} orders[] = {
#include "map_order.inc"
};

TEST(large_maps_have_otp_order) {
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        begin();
        term keys[60], pairs[120], list = external_decode(&heap, (Bytes){orders[i].bytes, orders[i].size}, 0, NULL);
        size_t n = 0;
        for (term l = list; is_cons(l); l = tail(l)) {
            keys[n++] = head(l);
        }
        CHECK(n == 60);
        for (size_t k = 0; k < n; k++) {
            pairs[2 * k] = keys[n - 1 - k], pairs[2 * k + 1] = SMALL(k);
        }
        MapWalk w;
        size_t k = 0;
        term map = map_from_pairs(&heap, pairs, n), second = map_empty(&heap);
        for (map_walk(&w, map); map_next(&w); k++) {
            CHECK(w.key == keys[k] && w.value == SMALL(n - 1 - k));
        }
        CHECK(k == n && map_size(map) == n);
        for (k = 0; k < n; k++) {
            second = map_put(&heap, second, keys[k], SMALL(n - 1 - k));
        }
        CHECK(term_same(&vm, map, second));
        end();
    }
}

/* A key of some kind that depends on n alone. */
static term key_of(uint32_t n) {
    switch (n % 4) {
    case 0: return SMALL(n);
    case 1: return heap_float(&heap, n);
    case 2: return TUPLE2(&heap, SMALL(n), NIL);
    default: return heap_cons(&heap, SMALL(n % 7), SMALL(n));
    }
}

enum { KEYS = 400 };

static void check(term map, const term *values) {
    size_t n = 0, walked = 0;
    for (uint32_t k = 0; k < KEYS; k++) {
        CHECK(map_get(&vm, map, key_of(k)) == values[k]);
        n += values[k] != NONE;
    }
    CHECK(map_size(map) == n && is_flat_map(map) == (n <= MAP_FLAT_MAX));
    MapWalk w;
    for (map_walk(&w, map); map_next(&w); walked++) {
        CHECK(map_get(&vm, map, w.key) == w.value);
        if (is_flat_map(map) && walked > 0) {
            CHECK(term_compare_exact(&vm, map_flat_keys(map)[walked - 1], w.key) < 0);
        }
    }
    CHECK(walked == n);
}

/* The same map, made at once: tries do not depend on their history. */
static term rebuilt(const term *values) {
    term pairs[2 * KEYS];
    size_t n = 0;
    for (uint32_t k = KEYS; k-- > 0;) {
        if (values[k] != NONE) {
            pairs[2 * n] = key_of(k), pairs[2 * n + 1] = values[k];
            n++;
        }
    }
    return map_from_pairs(&heap, pairs, n);
}

TEST(maps_like_a_list_of_pairs) {
    static const uint32_t ranges[] = {8, 31, 32, 33, 34, 40, 100, KEYS};
    for (size_t r = 0; r < ARRAY_LEN(ranges); r++) {
        begin();
        term values[KEYS] = {0}, map = map_empty(&heap);
        for (int round = 0; round < 1500; round++) {
            uint32_t k = random_below(ranges[r]), choice = random_below(8);
            term key = key_of(k), value = SMALL(random_below(3));
            if (choice < 4 - (uint32_t)round / 300 % 2) {
                map = map_put(&heap, map, key, value);
                values[k] = value;
            } else if (choice < 6) {
                map = map_remove(&heap, map, key);
                values[k] = NONE;
            } else {
                term updated = map_update(&heap, map, key, value);
                CHECK((updated == NONE) == (values[k] == NONE));
                if (updated != NONE) {
                    map = updated, values[k] = value;
                } else {
                    CHECK(is_tuple_of(heap.reason, 2) && element(heap.reason, 1) == A_badkey);
                }
            }
            if (round % 50 == 0) {
                check(map, values);
                CHECK(term_same(&vm, map, rebuilt(values)));
            }
        }
        end();
    }
}

TEST(merging_and_many_pairs) {
    for (int round = 0; round < 300; round++) {
        begin();
        term a[KEYS] = {0}, b[KEYS] = {0}, both[KEYS], pairs[4 * KEYS];
        uint32_t range = 1 + random_below(KEYS), na = random_below(range), nb = random_below(range), n = 0;
        for (uint32_t i = 0; i < na; i++) {
            a[random_below(range)] = SMALL(1);
        }
        memcpy(both, a, sizeof both);
        for (uint32_t i = 0; i < nb; i++) {
            uint32_t k = random_below(range);
            b[k] = both[k] = SMALL(2 + random_below(2));
        }
        for (uint32_t k = 0; k < KEYS; k++) {
            if (b[k] != NONE) { /* the first of two with the same key does not matter */
                pairs[2 * n] = key_of(k), pairs[2 * n + 1] = SMALL(9), n++;
                pairs[2 * n] = key_of(k), pairs[2 * n + 1] = b[k], n++;
            }
        }
        term ma = rebuilt(a), mb = rebuilt(b), merged = map_merge(&heap, ma, mb);
        check(merged, both);
        CHECK(term_same(&vm, merged, rebuilt(both)));
        CHECK(map_merge(&heap, merged, mb) == merged || term_same(&vm, merged, map_merge(&heap, merged, mb)));
        CHECK(term_same(&vm, merged, map_merge(&heap, ma, merged)));
        CHECK(term_same(&vm, merged, map_put_pairs(&heap, ma, pairs, n)));
        CHECK(term_same(&vm, mb, map_from_pairs(&heap, pairs, n)));
        CHECK(term_same(&vm, merged, map_update_pairs(&heap, merged, pairs, n)));
        if (n > 0) {
            term *cells = heap_alloc(&heap, 2 * n);
            memcpy(cells, pairs, 2 * n * sizeof(term));
            CHECK(map_from_cells(&heap, cells, n, true) == NONE && heap.reason == A_badarg);
        }
        end();
    }
}

TEST(put_of_the_same_value_is_the_same_map) {
    begin();
    term map = map_put(&heap, map_empty(&heap), A_ok, NIL), longer = map_put(&heap, map, A_badarg, NIL);
    CHECK(map_put(&heap, map, A_ok, NIL) == map && map_remove(&heap, map, A_badarg) == map);
    CHECK(map_key_tuple(map_put(&heap, longer, A_ok, SMALL(1))) == map_key_tuple(longer));
    CHECK(map_size(map_remove(&heap, map, A_ok)) == 0);
    end();
}
