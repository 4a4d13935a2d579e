/* Built-ins on maps. Those on many pairs go on by calling themselves, or a hidden helper, with what is left. */
#include "bif/bif.h"
#include "bif/bif_state.h"

#include "data/integer.h"
#include "data/map_merge.h"
#include "term/compare.h"

/* How many pairs a reduction buys: when walking, and when hashing and sorting. */
enum { WALKED_PER_REDUCTION = 15, BUILT_PER_REDUCTION = 4 };

static term bad_map(Process *p, term t) {
    return raise_error(p, TUPLE2(HEAP(p), A_badmap, t));
}
static term bad_key(Process *p, term key) {
    return raise_error(p, TUPLE2(HEAP(p), A_badkey, key));
}
static term map_or_raise(Process *p, term map) {
    return map != NONE ? map : raise_heap_reason(p);
}

/* ---- One key ---- */

static term get(Process *p, term key, term map) {
    if (!is_map(map)) {
        return bad_map(p, map);
    }
    term value = map_get(process_vm(p), map, key);
    return value != NONE ? value : bad_key(p, key);
}

BIF(maps, get, 2) {
    return get(p, a[0], a[1]);
}

BIF(erlang, map_get, 2) {
    return get(p, a[0], a[1]);
}

BIF(maps, find, 2) {
    if (!is_map(a[1])) {
        return bad_map(p, a[1]);
    }
    term value = map_get(process_vm(p), a[1], a[0]);
    return value != NONE ? TUPLE2(HEAP(p), A_ok, value) : A_error;
}

static term is_key(Process *p, term key, term map) {
    if (!is_map(map)) {
        return bad_map(p, map);
    }
    return map_has(process_vm(p), map, key) ? A_true : A_false;
}

BIF(maps, is_key, 2) {
    return is_key(p, a[0], a[1]);
}

BIF(erlang, is_map_key, 2) {
    return is_key(p, a[0], a[1]);
}

BIF(erlang, map_size, 1) {
    return is_map(a[0]) ? SMALL(map_size(a[0])) : bad_map(p, a[0]);
}

BIF(maps, put, 3) {
    return is_map(a[2]) ? map_or_raise(p, map_put(HEAP(p), a[2], a[0], a[1])) : bad_map(p, a[2]);
}

BIF(maps, update, 3) {
    return is_map(a[2]) ? map_or_raise(p, map_update(HEAP(p), a[2], a[0], a[1])) : bad_map(p, a[2]);
}

BIF(maps, remove, 2) {
    return is_map(a[1]) ? map_or_raise(p, map_remove(HEAP(p), a[1], a[0])) : bad_map(p, a[1]);
}

BIF(maps, take, 2) {
    if (!is_map(a[1])) {
        return bad_map(p, a[1]);
    }
    term value = map_get(process_vm(p), a[1], a[0]);
    if (value == NONE) {
        return A_error;
    }
    term rest = map_remove(HEAP(p), a[1], a[0]);
    return rest != NONE ? TUPLE2(HEAP(p), value, rest) : raise_heap_reason(p);
}

/* ---- From lists ---- */

/* Takes up to `limit` elements off the front of *list and makes a map of them: pairs, or keys that all get `value`. NONE:
   one is not a pair, or no memory; the reason is in the heap. */
static term map_of_some(Heap *h, term *list, term value, size_t limit) {
    term few[2 * MAP_FLAT_MAX], *cells = few, l = *list;
    size_t n = 0;
    for (; is_cons(l) && n < limit; l = tail(l)) {
        n++;
    }
    if (n > MAP_FLAT_MAX && (cells = heap_alloc(h, 2 * n)) == NULL) {
        return heap_fail(h, A_system_limit);
    }
    l = *list;
    for (size_t i = 0; i < n; i++, l = tail(l)) {
        term t = head(l);
        if (value == NONE && !is_tuple_of(t, 2)) {
            return heap_fail(h, A_badarg);
        }
        cells[2 * i] = value == NONE ? boxed(t)[1] : t;
        cells[2 * i + 1] = value == NONE ? boxed(t)[2] : value;
    }
    *list = l;
    h->reds -= (intptr_t)(n / BUILT_PER_REDUCTION);
    return cells == few ? map_from_pairs(h, few, n) : map_from_cells(h, cells, n, false);
}

static size_t build_limit(const Process *p) {
    return (size_t)MAX(p->heap.reds, 1) * BUILT_PER_REDUCTION;
}

/* Adds what is left of the list to the map (NONE: it begins), a slice at a time. value: of from_keys, or NONE. */
static term build(Process *p, term rest, term map, term list, term value) {
    term some = map_of_some(HEAP(p), &rest, value, build_limit(p)), args[2] = {list, value};
    map = map == NONE || some == NONE ? some : map_merge(HEAP(p), map, some);
    if (map == NONE || !is_list(rest)) {
        term reason = map == NONE ? p->heap.reason : A_badarg;
        return value == NONE ? raise_error_as(p, reason, A_maps, A_from_list, 1, args)
                             : raise_error_as(p, reason, A_maps, A_from_keys, 2, args);
    }
    if (rest == NIL) {
        return map;
    }
    return value == NONE ? bif_trap(p, BIF_EXPORT(p, erts_internal, map_from_list_more, 3), 3, rest, map, list)
                         : bif_trap(p, BIF_EXPORT(p, erts_internal, map_from_keys_more, 4), 4, rest, map, list, value);
}

BIF_REST(map_from_list_more, 3, maps, from_list, 1) { /* what is left, map, the list at first */
    return is_map(a[1]) ? build(p, a[0], a[1], a[2], NONE) : raise_badarg(p);
}

BIF_REST(map_from_keys_more, 4, maps, from_keys, 2) { /* what is left, map, the arguments */
    return is_map(a[1]) ? build(p, a[0], a[1], a[2], a[3]) : raise_badarg(p);
}

BIF(maps, from_list, 1) {
    return build(p, a[0], NONE, a[0], NONE);
}

BIF(maps, from_keys, 2) {
    return build(p, a[0], NONE, a[0], a[1]);
}

static term merge(Process *p, term one, term other, term state) {
    term map = map_merge_some(HEAP(p), one, other, &state, (size_t)MAX(p->heap.reds, 1));
    if (map == NONE && state != NONE) {
        return bif_trap(p, BIF_EXPORT(p, erts_internal, map_merge_more, 2), 2, state_pass(p), state);
    }
    return map_or_raise(p, map);
}

BIF_REST(map_merge_more, 2, maps, merge_trap, 1) { /* pass; what map_merge_some has left */
    return state_has_passed(a[0]) ? merge(p, NONE, NONE, a[1]) : raise_badarg(p);
}

BIF(maps, merge, 2) {
    if (!is_map(a[0]) || !is_map(a[1])) {
        return bad_map(p, is_map(a[0]) ? a[1] : a[0]);
    }
    return merge(p, a[0], a[1], NONE);
}

/* ---- To lists ---- */

static term path_term(Heap *h, MapPath path) {
    Limb limbs[16 / sizeof(Limb)];
    for (size_t i = 0; i < ARRAY_LEN(limbs); i++) {
        size_t shift = i * LIMB_BITS;
        limbs[i] = (Limb)(shift < 64 ? path.low >> shift : path.high >> (shift - 64));
    }
    return integer_from_limbs(h, limbs, ARRAY_LEN(limbs), false);
}

static bool path_of_term(term t, MapPath *path) {
    IntegerView v;
    if (!is_integer(t)) {
        return false;
    }
    integer_view(&v, t);
    if (v.negative || v.count * sizeof(Limb) > sizeof *path) {
        return false;
    }
    *path = (MapPath){0, 0};
    for (size_t i = 0; i < v.count; i++) {
        size_t shift = i * LIMB_BITS;
        if (shift < 64) {
            path->low |= (uint64_t)v.limbs[i] << shift;
        } else {
            path->high |= (uint64_t)v.limbs[i] << (shift - 64);
        }
    }
    return true;
}

/* The next pair of a walk of about *limit pairs. False: all pairs are done, or *limit is 0 and the walk stands at *path. */
static bool walk_on(MapWalk *w, size_t *limit, MapPath *path) {
    if (*limit == 1) { /* the last one, unless the walk cannot stop here */
        MapPause pause = map_walk_path(w, path);
        if (pause == MAP_PAUSE) {
            *limit = 0;
        }
        return pause == MAP_GO_ON && map_next(w);
    }
    --*limit;
    return map_next(w);
}

/* Walks through a large map, a slice at a time; its keys or values come out in the opposite order. */
static term walk_more(Process *p, term at, term map, term list, bool keys) {
    MapWalk w;
    MapPath path;
    if (!is_map(map) || is_flat_map(map) || !path_of_term(at, &path) || !map_walk_from(&w, map, path)) {
        return raise_badarg(p);
    }
    size_t all = 1 + (size_t)MAX(p->heap.reds, 1) * WALKED_PER_REDUCTION, limit = all;
    while (walk_on(&w, &limit, &path)) {
        list = heap_cons(HEAP(p), keys ? w.key : w.value, list);
    }
    BUMP(p, (intptr_t)((all - limit) / WALKED_PER_REDUCTION));
    if (limit > 0) {
        return list;
    }
    at = path_term(HEAP(p), path);
    const Export *more = keys ? BIF_EXPORT(p, erts_internal, map_keys_more, 3) : BIF_EXPORT(p, erts_internal, map_values_more, 3);
    return bif_trap(p, more, 3, at, map, list);
}

BIF_REST(map_keys_more, 3, maps, keys, 1) { /* path, map, what has come out */
    return walk_more(p, a[0], a[1], a[2], true);
}

BIF_REST(map_values_more, 3, maps, values, 1) {
    return walk_more(p, a[0], a[1], a[2], false);
}

static term keys_or_values(Process *p, term map, bool keys) {
    if (!is_map(map)) {
        return bad_map(p, map);
    }
    if (is_flat_map(map)) {
        return heap_list(HEAP(p), keys ? map_flat_keys(map) : map_flat_values(map), map_size(map), NIL);
    }
    return walk_more(p, SMALL(0), map, NIL, keys);
}

BIF(maps, keys, 1) {
    return keys_or_values(p, a[0], true);
}

BIF(maps, values, 1) {
    return keys_or_values(p, a[0], false);
}

/* ---- Iterators ---- */

static term flat_to_iterator(Heap *h, term map) {
    term result = A_none;
    for (size_t i = map_size(map); i-- > 0;) {
        result = TUPLE3(h, map_flat_keys(map)[i], map_flat_values(map)[i], result);
    }
    return result;
}

static term flat_to_list(Heap *h, term map, term list) {
    for (size_t i = map_size(map); i-- > 0;) {
        list = heap_cons(h, TUPLE2(h, map_flat_keys(map)[i], map_flat_values(map)[i]), list);
    }
    return list;
}

/* How many pairs of a large map one call takes: few at first, as often not more are wanted. */
static size_t piece(const Process *p, MapPath path) {
    size_t n = (size_t)MAX(p->heap.reds / 4, 1);
    return path.low == 0 && path.high == 0 ? MIN(n, MAP_FLAT_MAX) : n;
}

/* {K1, V1, {K2, V2, ... [Path | Map]}}, or none at the end. */
static term iterate(Process *p, MapWalk *w, term map, size_t limit) {
    Heap *h = HEAP(p);
    term result = A_none, *last = &result;
    MapPath path;
    while (walk_on(w, &limit, &path)) {
        *last = TUPLE3(h, w->key, w->value, A_none);
        last = boxed(*last) + 3;
    }
    if (limit == 0) {
        *last = heap_cons(h, path_term(h, path), map);
    }
    return result;
}

/* [Path, Map, {K2, V2}, {K1, V1} | List], or only the pairs at the end. */
static term collect(Process *p, MapWalk *w, term map, term list, size_t limit) {
    Heap *h = HEAP(p);
    MapPath path;
    while (walk_on(w, &limit, &path)) {
        list = heap_cons(h, TUPLE2(h, w->key, w->value), list);
    }
    return limit > 0 ? list : heap_cons(h, path_term(h, path), heap_cons(h, map, list));
}

enum { KEYS_PER_PIECE = 1000 };

/* Since 26 an iterator may name keys, in the order in which they are to come. */
static term keys_to_iterator(Process *p, term keys, term map) {
    Heap *h = HEAP(p);
    term first = A_none, *last = &first;
    for (int n = 0; is_cons(keys) && n < KEYS_PER_PIECE; n++, keys = tail(keys)) {
        term value = map_get(p->heap.vm, map, head(keys));
        if (value == NONE) {
            return raise_badarg(p);
        }
        *last = TUPLE3(h, head(keys), value, A_none);
        last = boxed(*last) + 3;
    }
    if (is_cons(keys)) {
        *last = heap_cons(h, keys, map);
    }
    return keys == NIL || is_cons(keys) ? first : raise_badarg(p);
}

BIF(erts_internal, map_next, 3) {
    term map = a[1];
    MapPath path;
    MapWalk w;
    if (!is_map(map) || (a[2] != A_iterator && !is_list(a[2]))) {
        return raise_badarg(p);
    }
    if (is_list(a[0]) && a[2] == A_iterator) {
        return keys_to_iterator(p, a[0], map);
    }
    if (is_flat_map(map)) {
        if (!is_small(a[0]) || (uintptr_t)small_value(a[0]) > map_size(map)) {
            return raise_badarg(p);
        }
        return a[2] == A_iterator ? flat_to_iterator(HEAP(p), map) : flat_to_list(HEAP(p), map, a[2]);
    }
    if (!path_of_term(a[0], &path) || !map_walk_from(&w, map, path)) {
        return raise_badarg(p);
    }
    size_t limit = 1 + MIN(piece(p, path), map_size(map));
    BUMP(p, (intptr_t)limit);
    return a[2] == A_iterator ? iterate(p, &w, map, limit) : collect(p, &w, map, a[2], limit);
}

/* ---- How maps are made, for erts_debug ---- */

BIF(erts_internal, map_to_tuple_keys, 1) {
    return !is_map(a[0]) ? bad_map(p, a[0]) : is_flat_map(a[0]) ? map_key_tuple(a[0]) : raise_badarg(p);
}

BIF(erts_internal, map_hashmap_children, 1) {
    if (is_kind(a[0], KIND_MAP)) {
        return raise_badarg(p);
    }
    if (!is_kind(a[0], KIND_HASH_MAP) && !is_kind(a[0], KIND_HASH_NODE)) {
        return bad_map(p, a[0]);
    }
    size_t n;
    const term *child = map_children(a[0], &n);
    term list = NIL;
    for (size_t i = 0; i < n; i++) {
        list = heap_cons(HEAP(p), child[i], list);
    }
    return list;
}

static term count_tuple(Heap *h, const uint32_t *count) {
    term *t = heap_alloc(h, 17);
    t[0] = HEADER(16, KIND_TUPLE);
    for (unsigned i = 0; i < 16; i++) {
        t[1 + i] = SMALL(count[i]);
    }
    return make_boxed(t);
}

/* The shape of a large map: how deep it is, how many nodes have so many children, how many pairs are in which level. */
BIF(erts_debug, map_info, 1) {
    if (!is_map(a[0]) || is_flat_map(a[0])) {
        return is_map(a[0]) ? raise_badarg(p) : bad_map(p, a[0]);
    }
    uint32_t usage[16] = {0}, leaves[16] = {0}, nodes = 0;
    MapWalk w;
    unsigned depth = 0;
    const term *last[MAP_LEVELS + 1] = {0};
    for (map_walk(&w, a[0]); map_next(&w);) {
        leaves[MIN(w.depth + 1, 15)]++;
        depth = MAX(depth, w.depth + 1);
        for (unsigned d = 0; d <= w.depth; d++) {
            if (w.place[d].child != last[d]) {
                last[d] = w.place[d].child;
                // cppcheck-suppress negativeIndex -- every node has children
                usage[MIN(w.place[d].count, 16) - 1] += d > 0 || w.place[d].count < 16;
                nodes += d > 0 || w.place[d].count < 16;
            }
        }
    }
    Heap *h = HEAP(p);
    term list[] = {
        TUPLE2(h, A_depth, SMALL(depth)),
        TUPLE3(h, A_arrays, SMALL(w.place[0].count == 16), NIL),
        TUPLE3(h, A_bitmaps, SMALL(nodes), count_tuple(h, usage)),
        TUPLE3(h, A_leafs, SMALL(map_size(a[0])), count_tuple(h, leaves)),
    };
    return heap_list(h, list, ARRAY_LEN(list), NIL);
}

BIF(erts_internal, cmp_term, 2) {
    int order = term_compare_exact(process_vm(p), a[0], a[1]);
    return SMALL(order < 0 ? -1 : order > 0);
}
