/* Maps: looking up, putting, removing, walking. Building from many pairs at once and merging: map_build.c. */
#include "data/map.h"

#include "term/atom.h"
#include "term/compare.h"
#include "term/literal.h"

/* A node of a trie is named by the address of its bitmap, which its children follow: so the root looks like the others. */
static inline const term *node_of(term t) {
    return boxed(t) + (is_kind(t, KIND_HASH_MAP) ? 2 : 1);
}
static inline unsigned node_bitmap(const term *node) {
    return (unsigned)small_value(node[0]);
}
static inline unsigned slot_index(unsigned bitmap, unsigned bit) {
    return (unsigned)__builtin_popcount(bitmap & (bit - 1));
}

/* The hash's bits for this level are the lowest four. */
static inline uint32_t next_hash(VM *vm, uint32_t hash, term key, unsigned level) {
    return level % 8 != 0 ? hash >> 4 : map_hash(vm, key, level / 8);
}

/* ---- Looking up ---- */

/* Index of the key in [keys, keys + n); n: not there. */
static inline size_t flat_find(VM *vm, const term *keys, size_t n, term key) {
    size_t i = 0;
    if (is_immediate(key)) {
        while (i < n && keys[i] != key) {
            i++;
        }
    } else {
        while (i < n && !term_same(vm, keys[i], key)) {
            i++;
        }
    }
    return i;
}

term map_get_hashed(VM *vm, term map, term key, uint32_t hash) {
    assert(is_map(map));
    if (is_flat_map(map)) {
        size_t n = map_size(map), i = flat_find(vm, map_flat_keys(map), n, key);
        return i < n ? map_flat_values(map)[i] : NONE;
    }
    const term *node = node_of(map);
    for (unsigned level = 0; level < MAP_LEVELS;) {
        unsigned bitmap = node_bitmap(node), bit = 1u << (hash & 15);
        if (!(bitmap & bit)) {
            return NONE;
        }
        term child = node[1 + slot_index(bitmap, bit)];
        if (is_cons(child)) {
            return term_same(vm, head(child), key) ? tail(child) : NONE;
        }
        node = node_of(child);
        hash = next_hash(vm, hash, key, ++level);
    }
    size_t n = HEADER_WORDS(node[-1]) - 1;
    for (size_t i = 1; i <= n; i++) {
        if (term_same(vm, head(node[i]), key)) {
            return tail(node[i]);
        }
    }
    return NONE;
}

term map_get(VM *vm, term map, term key) {
    if (LIKELY(is_flat_map(map))) {
        size_t n = map_size(map), i = flat_find(vm, map_flat_keys(map), n, key);
        return i < n ? map_flat_values(map)[i] : NONE;
    }
    return map_get_hashed(vm, map, key, map_hash(vm, key, 0));
}

/* ---- Flat maps ---- */

term map_empty(Heap *h) {
    term *p = heap_alloc(h, 2);
    p[0] = HEADER(1, KIND_MAP);
    p[1] = literal_empty_tuple(h->vm);
    return make_boxed(p);
}

static term flat_copy(Heap *h, term map) {
    size_t words = HEADER_WORDS(header_of(map)) + 1;
    return make_boxed(memcpy(heap_alloc(h, words), boxed(map), words * sizeof(term)));
}

/* Where key belongs among sorted keys in which it is not. */
static size_t flat_place(VM *vm, const term *keys, size_t n, term key) {
    size_t low = 0;
    while (low < n) {
        size_t middle = (low + n) / 2;
        if (term_compare_exact(vm, keys[middle], key) < 0) {
            low = middle + 1;
        } else {
            n = middle;
        }
    }
    return low;
}

static term flat_insert(Heap *h, term map, term key, term value) {
    size_t n = map_size(map), at = flat_place(h->vm, map_flat_keys(map), n, key);
    const term *old_keys = map_flat_keys(map), *old_values = map_flat_values(map);
    term *keys = heap_alloc(h, 2 * n + 5), *p = keys + n + 2;
    keys[0] = HEADER(n + 1, KIND_TUPLE);
    memcpy(keys + 1, old_keys, at * sizeof(term));
    keys[1 + at] = key;
    memcpy(keys + 2 + at, old_keys + at, (n - at) * sizeof(term));
    p[0] = HEADER(n + 2, KIND_MAP);
    p[1] = make_boxed(keys);
    memcpy(p + 2, old_values, at * sizeof(term));
    p[2 + at] = value;
    memcpy(p + 3 + at, old_values + at, (n - at) * sizeof(term));
    return make_boxed(p);
}

static term flat_put(Heap *h, term map, term key, term value, bool insert) {
    size_t n = map_size(map), i = flat_find(h->vm, map_flat_keys(map), n, key);
    if (i < n) {
        if (map_flat_values(map)[i] == value) {
            return map;
        }
        term copy = flat_copy(h, map);
        map_flat_values(copy)[i] = value;
        return copy;
    }
    if (!insert) {
        return NONE;
    }
    if (n < MAP_FLAT_MAX) {
        return flat_insert(h, map, key, value);
    }
    term *cells = heap_alloc(h, 2 * (MAP_FLAT_MAX + 1));
    for (i = 0; i < n; i++) {
        cells[2 * i] = map_flat_keys(map)[i], cells[2 * i + 1] = map_flat_values(map)[i];
    }
    cells[2 * n] = key, cells[2 * n + 1] = value;
    return map_from_cells(h, cells, n + 1, false);
}

static term flat_remove(Heap *h, term map, term key) {
    size_t n = map_size(map), i = flat_find(h->vm, map_flat_keys(map), n, key);
    if (i == n) {
        return map;
    }
    if (n == 1) {
        return map_empty(h);
    }
    const term *old_keys = map_flat_keys(map), *old_values = map_flat_values(map);
    term *keys = heap_alloc(h, 2 * n + 1), *p = keys + n;
    keys[0] = HEADER(n - 1, KIND_TUPLE);
    memcpy(keys + 1, old_keys, i * sizeof(term));
    memcpy(keys + 1 + i, old_keys + i + 1, (n - 1 - i) * sizeof(term));
    p[0] = HEADER(n, KIND_MAP);
    p[1] = make_boxed(keys);
    memcpy(p + 2, old_values, i * sizeof(term));
    memcpy(p + 2 + i, old_values + i + 1, (n - 1 - i) * sizeof(term));
    return make_boxed(p);
}

/* ---- Tries ---- */

/* The way from the root to where a key is or belongs. */
typedef struct {
    const term *node[MAP_LEVELS + 1];
    size_t index[MAP_LEVELS + 1];                   /* of the child that is on the way */
    unsigned depth;                                 /* the last node is node[depth] */
    unsigned bit;                                   /* in the last node: the key's; 0: it is a node of collisions */
    uint32_t hash;                                  /* what is left of it there */
    enum { PATH_FOUND, PATH_FREE, PATH_TAKEN } end; /* by the key, nobody, another key */
} Path;

static void trie_path(VM *vm, term map, term key, Path *p) {
    const term *node = node_of(map);
    uint32_t hash = map_hash(vm, key, 0);
    for (p->depth = 0; p->depth < MAP_LEVELS;) {
        unsigned bitmap = node_bitmap(node);
        p->bit = 1u << (hash & 15), p->hash = hash;
        p->node[p->depth] = node;
        size_t i = p->index[p->depth] = slot_index(bitmap, p->bit);
        if (!(bitmap & p->bit)) {
            p->end = PATH_FREE;
            return;
        }
        term child = node[1 + i];
        if (is_cons(child)) {
            p->end = term_same(vm, head(child), key) ? PATH_FOUND : PATH_TAKEN;
            return;
        }
        node = node_of(child);
        hash = next_hash(vm, hash, key, ++p->depth);
    }
    size_t n = HEADER_WORDS(node[-1]) - 1, i = 0;
    int order = -1;
    while (i < n && (order = term_compare_exact(vm, head(node[1 + i]), key)) < 0) {
        i++;
    }
    p->node[p->depth] = node, p->index[p->depth] = i, p->bit = 0, p->hash = hash;
    p->end = order == 0 ? PATH_FOUND : PATH_FREE;
}

/* Copies the nodes of a path from its node `depth` upwards, with `child` on the way instead of what is there. */
static term path_replace(Heap *h, const Path *p, unsigned depth, term child, intptr_t size_change) {
    for (;; depth--) {
        const term *node = p->node[depth] - (depth == 0 ? 2 : 1);
        size_t words = HEADER_WORDS(node[0]) + 1;
        term *copy = heap_alloc(h, words);
        if (copy == NULL) {
            return heap_no_memory(h);
        }
        memcpy(copy, node, words * sizeof(term));
        copy[p->node[depth] - node + 1 + p->index[depth]] = child;
        child = make_boxed(copy);
        if (depth == 0) {
            copy[1] = SMALL(small_value(copy[1]) + size_change);
            return child;
        }
    }
}

/* The same, but that the last node has one child more, at the place the path ends at. */
static term path_insert(Heap *h, const Path *p, term child) {
    const term *bitmap = p->node[p->depth], *node = bitmap - (p->depth == 0 ? 2 : 1);
    size_t words = HEADER_WORDS(node[0]) + 1, before = (size_t)(bitmap - node) + 1 + p->index[p->depth];
    term *copy = heap_alloc(h, words + 1);
    if (copy == NULL) {
        return heap_no_memory(h);
    }
    memcpy(copy, node, before * sizeof(term));
    copy[before] = child;
    memcpy(copy + before + 1, node + before, (words - before) * sizeof(term));
    copy[0] = HEADER(words, HEADER_KIND(node[0]));
    copy[bitmap - node] = SMALL(node_bitmap(bitmap) | p->bit);
    if (p->depth == 0) {
        copy[1] = SMALL(small_value(copy[1]) + 1);
        return make_boxed(copy);
    }
    return path_replace(h, p, p->depth - 1, make_boxed(copy), 1);
}

static term make_node(Heap *h, unsigned bitmap, term a, term b) {
    size_t n = b == NONE ? 1 : 2;
    term *p = heap_alloc(h, 2 + n);
    p[0] = HEADER(1 + n, KIND_HASH_NODE);
    p[1] = SMALL(bitmap);
    p[2] = a;
    if (n == 2) {
        p[3] = b;
    }
    return make_boxed(p);
}

/* The smallest subtree, whose root is at `level`, of two leaves. hash: of the second one, for the level above. */
static term trie_of_two(Heap *h, term a, term b, uint32_t hash_b, unsigned level) {
    unsigned bits[MAP_LEVELS + 1], top = level;
    uint32_t hash_a = map_hash(h->vm, head(a), (level - 1) / 8) >> 4 * ((level - 1) % 8);
    term node = NONE;
    for (; node == NONE; level++) {
        if (level == MAP_LEVELS) {
            bool swap = term_compare_exact(h->vm, head(a), head(b)) > 0;
            node = make_node(h, 0, swap ? b : a, swap ? a : b);
            break;
        }
        hash_a = next_hash(h->vm, hash_a, head(a), level);
        hash_b = next_hash(h->vm, hash_b, head(b), level);
        unsigned bit_a = 1u << (hash_a & 15), bit_b = 1u << (hash_b & 15);
        bits[level] = bit_a;
        if (bit_a != bit_b) {
            node = make_node(h, bit_a | bit_b, bit_a < bit_b ? a : b, bit_a < bit_b ? b : a);
            break;
        }
    }
    while (level-- > top) {
        node = make_node(h, bits[level], node, NONE);
    }
    return node;
}

static term trie_put(Heap *h, term map, term key, term value, bool insert) {
    Path p;
    trie_path(h->vm, map, key, &p);
    const term *last = p.node[p.depth] + 1 + p.index[p.depth];
    if (p.end == PATH_FOUND) {
        if (tail(*last) == value) {
            return map;
        }
        return path_replace(h, &p, p.depth, heap_cons(h, head(*last), value), 0);
    }
    if (!insert) {
        return NONE;
    }
    term leaf = heap_cons(h, key, value);
    if (p.end == PATH_FREE) {
        return path_insert(h, &p, leaf);
    }
    return path_replace(h, &p, p.depth, trie_of_two(h, *last, leaf, p.hash, p.depth + 1), 1);
}

/* What is left in a trie that is about to become flat. */
static term trie_to_flat(Heap *h, term map, term without) {
    term *keys = heap_alloc(h, 1 + MAP_FLAT_MAX), *p = heap_alloc(h, 2 + MAP_FLAT_MAX);
    size_t n = 0;
    MapWalk w;
    for (map_walk(&w, map); map_next(&w);) {
        if (w.key != without) {
            assert(n < MAP_FLAT_MAX);
            keys[1 + n] = w.key, p[2 + n] = w.value;
            n++;
        }
    }
    return map_from_flat(h, p, keys, n, true);
}

static term trie_remove(Heap *h, term map, term key) {
    Path p;
    trie_path(h->vm, map, key, &p);
    if (p.end != PATH_FOUND) {
        return map;
    }
    unsigned depth = p.depth;
    size_t index = p.index[depth];
    const term *bitmap = p.node[depth];
    if (map_size(map) == MAP_FLAT_MAX + 1) {
        return trie_to_flat(h, map, head(bitmap[1 + index]));
    }
    size_t children = HEADER_WORDS(bitmap[depth == 0 ? -2 : -1]) - (depth == 0 ? 2 : 1);
    if (depth > 0 && children == 2 && is_cons(bitmap[2 - index])) {
        /* One leaf is left: it moves up to where it is not alone. */
        term leaf = bitmap[2 - index];
        // cppcheck-suppress negativeIndex -- a node's bitmap stands behind its header
        while (--depth > 0 && HEADER_WORDS(p.node[depth][-1]) == 2) {
        }
        return path_replace(h, &p, depth, leaf, -1);
    }
    assert(children > 1 || depth == 0);
    const term *node = bitmap - (depth == 0 ? 2 : 1);
    size_t words = HEADER_WORDS(node[0]) + 1, before = (size_t)(bitmap - node) + 1 + index;
    term *copy = heap_alloc(h, words - 1);
    if (copy == NULL) {
        return heap_no_memory(h);
    }
    memcpy(copy, node, before * sizeof(term));
    memcpy(copy + before, node + before + 1, (words - before - 1) * sizeof(term));
    copy[0] = HEADER(words - 2, HEADER_KIND(node[0]));
    copy[bitmap - node] = SMALL(node_bitmap(bitmap) & ~p.bit);
    if (depth == 0) {
        copy[1] = SMALL(small_value(copy[1]) - 1);
        return make_boxed(copy);
    }
    return path_replace(h, &p, depth - 1, make_boxed(copy), -1);
}

/* ---- Both ---- */

term map_put(Heap *h, term map, term key, term value) {
    return is_flat_map(map) ? flat_put(h, map, key, value, true) : trie_put(h, map, key, value, true);
}

static term bad_key(Heap *h, term key) {
    return heap_fail(h, TUPLE2(h, A_badkey, key));
}

term map_update(Heap *h, term map, term key, term value) {
    term t = is_flat_map(map) ? flat_put(h, map, key, value, false) : trie_put(h, map, key, value, false);
    return t != NONE ? t : bad_key(h, key);
}

term map_remove(Heap *h, term map, term key) {
    return is_flat_map(map) ? flat_remove(h, map, key) : trie_remove(h, map, key);
}

/* Updates of keys that are there: one copy for all of them. Returns how many pairs from the front were such. */
static size_t flat_update_pairs(Heap *h, term *map, const term *pairs, size_t n) {
    size_t size = map_size(*map);
    const term *keys = map_flat_keys(*map);
    term result = *map;
    for (size_t done = 0; done < n; done++) {
        size_t i = flat_find(h->vm, keys, size, pairs[2 * done]);
        if (i == size) {
            *map = result;
            return done;
        }
        if (map_flat_values(result)[i] != pairs[2 * done + 1]) {
            if (result == *map) {
                result = flat_copy(h, *map);
            }
            map_flat_values(result)[i] = pairs[2 * done + 1];
        }
    }
    *map = result;
    return n;
}

term map_update_pairs(Heap *h, term map, const term *pairs, size_t n) {
    if (is_flat_map(map)) {
        size_t done = flat_update_pairs(h, &map, pairs, n);
        return done == n ? map : bad_key(h, pairs[2 * done]);
    }
    for (size_t i = 0; i < n && map != NONE; i++) {
        map = map_update(h, map, pairs[2 * i], pairs[2 * i + 1]);
    }
    return map;
}

term map_put_pairs(Heap *h, term map, const term *pairs, size_t n) {
    size_t size = map_size(map), i = 0;
    if (size == 0) {
        return map_from_pairs(h, pairs, n);
    }
    if (is_flat_map(map)) {
        i = flat_update_pairs(h, &map, pairs, n);
        if (n - i > 2) { /* many keys at once */
            return map_merge(h, map, map_from_pairs(h, pairs + 2 * i, n - i));
        }
    }
    for (; i < n && map != NONE; i++) {
        map = map_put(h, map, pairs[2 * i], pairs[2 * i + 1]);
    }
    return map;
}

/* ---- Walking ---- */

static MapPlace place_in(term node) {
    size_t count;
    const term *child = map_children(node, &count);
    return (MapPlace){child, 0, (uint32_t)count};
}

void map_walk(MapWalk *w, term map) {
    if (is_flat_map(map)) {
        w->keys = map_flat_keys(map), w->values = map_flat_values(map);
        w->left = map_size(map);
    } else {
        w->keys = NULL;
        w->depth = 0;
        w->place[0] = place_in(map);
    }
}

bool map_next(MapWalk *w) {
    if (w->keys != NULL) {
        if (w->left == 0) {
            return false;
        }
        w->left--;
        w->key = *w->keys++, w->value = *w->values++;
        return true;
    }
    for (;;) {
        MapPlace *p = &w->place[w->depth];
        if (p->next == p->count) {
            if (w->depth == 0) {
                return false;
            }
            w->depth--;
            continue;
        }
        term child = p->child[p->next++];
        if (is_cons(child)) {
            w->key = head(child), w->value = tail(child);
            return true;
        }
        w->place[++w->depth] = place_in(child);
    }
}

MapPause map_walk_path(MapWalk *w, MapPath *path) {
    assert(w->keys == NULL);
    while (w->place[w->depth].next == w->place[w->depth].count) {
        if (w->depth == 0) {
            return MAP_END;
        }
        w->depth--;
    }
    if (w->depth == MAP_LEVELS) {
        return MAP_GO_ON;
    }
    *path = (MapPath){0, 0};
    for (unsigned d = 0; d <= w->depth; d++) {
        uint64_t index = w->place[d].next - (d < w->depth);
        if (d < 16) {
            path->low |= index << 4 * d;
        } else {
            path->high |= index << 4 * (d - 16);
        }
    }
    return MAP_PAUSE;
}

bool map_walk_from(MapWalk *w, term map, MapPath path) {
    map_walk(w, map);
    assert(w->keys == NULL);
    for (;; w->depth++) {
        MapPlace *p = &w->place[w->depth];
        if (w->depth == MAP_LEVELS) {
            return true;
        }
        unsigned index = (w->depth < 16 ? path.low >> 4 * w->depth : path.high >> 4 * (w->depth - 16)) & 15;
        if (index >= p->count) {
            return false;
        }
        p->next = index;
        if (is_cons(p->child[index])) {
            return true;
        }
        p->next++;
        w->place[w->depth + 1] = place_in(p->child[index]);
    }
}
