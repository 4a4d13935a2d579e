/* Maps from many pairs at once: sorted by hash, not put in one by one. */
#include "data/map.h"

#include "term/atom.h"
#include "term/compare.h"
#include "term/literal.h"

/* ---- Flat ---- */

/* Moves key i to its place among the sorted keys before it. False: it is there already, at *place. */
static bool sort_in(VM *vm, term *keys, term *values, size_t i, size_t *place) {
    size_t low = 0, high = i;
    int order = i == 0 ? -1 : term_compare_exact(vm, keys[i - 1], keys[i]);
    if (order <= 0) { /* as a rule they come in order */
        *place = order < 0 ? i : i - 1;
        return order < 0;
    }
    high--;
    while (low < high) {
        size_t middle = (low + high) / 2;
        order = term_compare_exact(vm, keys[middle], keys[i]);
        if (order == 0) {
            *place = middle;
            return false;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    term key = keys[i], value = values[i];
    memmove(keys + low + 1, keys + low, (i - low) * sizeof(term));
    memmove(values + low + 1, values + low, (i - low) * sizeof(term));
    keys[low] = key, values[low] = value;
    return true;
}

term map_from_flat(Heap *h, term *map, term *keys, size_t n, bool unique) {
    assert(n <= MAP_FLAT_MAX);
    term *k = keys + 1, *v = map + 2;
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        size_t place;
        k[count] = k[i], v[count] = v[i];
        if (sort_in(h->vm, k, v, count, &place)) {
            count++;
        } else if (unique) {
            return heap_fail(h, A_badarg);
        } else {
            v[place] = v[count];
        }
    }
    map[0] = HEADER(1 + count, KIND_MAP);
    if (count == 0) {
        map[1] = literal_empty_tuple(h->vm);
    } else {
        keys[0] = HEADER(count, KIND_TUPLE);
        map[1] = make_boxed(keys);
    }
    return make_boxed(map);
}

static term flat_from_cells(Heap *h, const term *cells, size_t n, bool unique) {
    term *keys = heap_alloc(h, 2 * n + 3), *map = keys + n + 1;
    for (size_t i = 0; i < n; i++) {
        keys[1 + i] = cells[2 * i], map[2 + i] = cells[2 * i + 1];
    }
    return map_from_flat(h, map, keys, n, unique);
}

term map_from_pairs(Heap *h, const term *pairs, size_t n) {
    if (n <= MAP_FLAT_MAX) {
        return flat_from_cells(h, pairs, n, false);
    }
    term *cells = heap_alloc(h, 2 * n);
    if (cells == NULL) {
        return heap_no_memory(h);
    }
    memcpy(cells, pairs, 2 * n * sizeof(term));
    return map_from_cells(h, cells, n, false);
}

/* ---- Tries ---- */

/* A leaf with the hash of its round, the four bits of the first level on top: sorted, entries are in the trie's order. */
typedef struct {
    uint32_t hash;
    term leaf;
} Entry;

typedef struct {
    Heap *h;
    Entry *other; /* as many entries again, to sort with */
} Build;

static uint32_t sort_hash(VM *vm, term leaf, unsigned round) {
    uint32_t hash = __builtin_bswap32(map_hash(vm, head(leaf), round));
    return (hash & 0x0f0f0f0f) << 4 | (hash >> 4 & 0x0f0f0f0f);
}

/* Stable. Four passes, each over a byte. */
static void sort_by_radix(Entry *e, Entry *other, size_t n) {
    for (unsigned shift = 0; shift < 32; shift += 8) {
        size_t at[257] = {0};
        for (size_t i = 0; i < n; i++) {
            at[(e[i].hash >> shift & 255) + 1]++;
        }
        for (unsigned b = 0; b < 256; b++) {
            at[b + 1] += at[b];
        }
        for (size_t i = 0; i < n; i++) {
            other[at[e[i].hash >> shift & 255]++] = e[i];
        }
        Entry *swap = e;
        e = other, other = swap;
    }
}

/* Stable. By merging, for a few entries or for an order that bits do not give: by hash, or by key. */
static void sort_by_merging(VM *vm, Entry *e, Entry *other, size_t n, bool by_key) {
    Entry *from = e, *to = other;
    for (size_t run = 1; run < n; run *= 2) {
        for (size_t start = 0; start < n; start += 2 * run) {
            size_t a = start, a_end = MIN(start + run, n), b = a_end, b_end = MIN(b + run, n);
            for (size_t i = start; i < b_end; i++) {
                bool take_b;
                if (a == a_end || b == b_end) {
                    take_b = a == a_end;
                } else if (by_key) {
                    take_b = term_compare_exact(vm, head(from[b].leaf), head(from[a].leaf)) < 0;
                } else {
                    take_b = from[b].hash < from[a].hash;
                }
                to[i] = from[take_b ? b++ : a++];
            }
        }
        Entry *swap = from;
        from = to, to = swap;
    }
    if (from != e) {
        memcpy(e, from, n * sizeof *e);
    }
}

/* Drops all but the last entry of each key. Returns how many stay. */
static size_t drop_duplicates(VM *vm, Entry *e, Entry *other, size_t n) {
    size_t count = 0;
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && e[end].hash == e[i].hash; end++) {
        }
        if (end - i > 1) {
            sort_by_merging(vm, e + i, other, end - i, true);
        }
        for (; i < end; i++) {
            if (i + 1 == end || !term_same(vm, head(e[i].leaf), head(e[i + 1].leaf))) {
                e[count++] = e[i];
            }
        }
    }
    return count;
}

static term build_collisions(Build *b, Entry *e, size_t n) {
    sort_by_merging(b->h->vm, e, b->other, n, true);
    term *p = heap_alloc(b->h, 2 + n);
    if (p == NULL) {
        return heap_no_memory(b->h);
    }
    p[0] = HEADER(1 + n, KIND_HASH_NODE);
    p[1] = SMALL(0);
    for (size_t i = 0; i < n; i++) {
        p[2 + i] = e[i].leaf;
    }
    return make_boxed(p);
}

static term build_node(Build *b, Entry *e, size_t n, unsigned level) {
    if (level == MAP_LEVELS) {
        return build_collisions(b, e, n);
    }
    if (level % 8 == 0 && level > 0) {
        for (size_t i = 0; i < n; i++) {
            e[i].hash = sort_hash(b->h->vm, e[i].leaf, level / 8);
        }
        sort_by_merging(b->h->vm, e, b->other, n, false);
    }
    assert(n > 0);
    unsigned shift = 28 - 4 * (level % 8), bitmap = 0;
    term children[16];
    size_t count = 0;
    for (size_t i = 0, end; i < n; i = end) {
        unsigned slot = e[i].hash >> shift & 15;
        bitmap |= 1u << slot;
        for (end = i + 1; end < n && (e[end].hash >> shift & 15) == slot; end++) {
        }
        children[count] = end - i == 1 ? e[i].leaf : build_node(b, e + i, end - i, level + 1);
        if (children[count++] == NONE) {
            return NONE;
        }
    }
    size_t head_words = level == 0 ? 3 : 2;
    term *p = heap_alloc(b->h, head_words + count);
    p[0] = HEADER(head_words - 1 + count, level == 0 ? KIND_HASH_MAP : KIND_HASH_NODE);
    p[1] = SMALL(n);
    p[head_words - 1] = SMALL(bitmap);
    memcpy(p + head_words, children, count * sizeof(term));
    return make_boxed(p);
}

term map_from_cells(Heap *h, term *cells, size_t n, bool unique) {
    if (n <= MAP_FLAT_MAX) {
        return flat_from_cells(h, cells, n, unique);
    }
    VM *vm = h->vm;
    Entry *e = mem_alloc(&vm->mem, MEM_TEMPORARY, 2 * n * sizeof *e);
    if (e == NULL) {
        return heap_no_memory(h);
    }
    for (size_t i = 0; i < n; i++) {
        e[i].leaf = make_cons(cells + 2 * i);
        e[i].hash = sort_hash(vm, e[i].leaf, 0);
    }
    Build b = {h, e + n};
    if (n < 256) {
        sort_by_merging(vm, e, b.other, n, false);
    } else {
        sort_by_radix(e, b.other, n);
    }
    size_t count = drop_duplicates(vm, e, b.other, n);
    term map;
    if (unique && count < n) {
        map = heap_fail(h, A_badarg);
    } else if (count <= MAP_FLAT_MAX) {
        term *keys = heap_alloc(h, 2 * count + 3), *flat = keys + count + 1;
        for (size_t i = 0; i < count; i++) {
            keys[1 + i] = head(e[i].leaf), flat[2 + i] = tail(e[i].leaf);
        }
        map = map_from_flat(h, flat, keys, count, true);
    } else {
        map = build_node(&b, e, count, 0);
    }
    mem_free(&vm->mem, MEM_TEMPORARY, e, 2 * n * sizeof *e);
    return map;
}
