/* Maps of both kinds. Up to MAP_FLAT_MAX pairs: a tuple of keys in map key order (term_compare_exact), which maps made
   from one another share, and the values. Beyond: a trie over the key's hash, four bits a level:

       KIND_HASH_MAP   size, bitmap, children      the root
       KIND_HASH_NODE  bitmap, children            a node below it

   A child is a leaf, which is a cons cell [Key | Value], or a node. Children stand in the order of their bits. The shape
   depends on the keys alone: equal maps have equal tries, whatever their history. When the 32 bits of a hash are used up,
   the next eight levels use the hash of the next round; below MAP_ROUNDS rounds (nobody gets there but by attack) a node
   has bitmap 0 and all that is left as leaves, in map key order. A map that shrinks to MAP_FLAT_MAX pairs is flat again.

   Hash and trie are OTP 25's, so that large maps are walked in the same order as there (but for keys with atoms, pids or
   other values that differ between machines).

   No function here changes a map; each returns a new one, or the same one where nothing changes. What takes heap can
   fail: NONE with a reason in the heap, A_system_limit when there is no memory. */
#ifndef MOTE_DATA_MAP_H
#define MOTE_DATA_MAP_H

#include "term/heap.h"

enum { MAP_FLAT_MAX = 32, MAP_ROUNDS = 4, MAP_LEVELS = 8 * MAP_ROUNDS };

static inline bool is_flat_map(term t) {
    return is_kind(t, KIND_MAP);
}
static inline size_t map_size(term map) {
    assert(is_map(map));
    term *p = boxed(map);
    return HEADER_KIND(p[0]) == KIND_MAP ? HEADER_WORDS(p[0]) - 1 : (size_t)small_value(p[1]);
}
/* Of a flat map: the tuple of its keys; its first key; its first value. */
static inline term map_key_tuple(term map) {
    assert(is_flat_map(map));
    return boxed(map)[1];
}
static inline term *map_flat_keys(term map) {
    return boxed(map_key_tuple(map)) + 1;
}
static inline term *map_flat_values(term map) {
    assert(is_flat_map(map));
    return boxed(map) + 2;
}
/* Of the root of a large map, or of a node below it: its children. */
static inline term *map_children(term node, size_t *count) {
    term *p = boxed(node);
    size_t skip = HEADER_KIND(p[0]) == KIND_HASH_MAP ? 2 : 1;
    *count = HEADER_WORDS(p[0]) - skip;
    return p + 1 + skip;
}

/* Looking up. NONE: no such key. */
term map_get(VM *vm, term map, term key);
uint32_t map_hash(VM *vm, term key, unsigned round); /* round 0: what map_get_hashed wants, for keys known in advance */
term map_get_hashed(VM *vm, term map, term key, uint32_t hash);
static inline bool map_has(VM *vm, term map, term key) {
    return map_get(vm, map, key) != NONE;
}

/* Making and changing. */
term map_empty(Heap *h);
term map_put(Heap *h, term map, term key, term value);
term map_update(Heap *h, term map, term key, term value); /* NONE, reason {badkey, Key}: no such key */
term map_remove(Heap *h, term map, term key);
/* n pairs at once, key and value in turn, one after the other: map_put of each, or map_update of each. */
term map_put_pairs(Heap *h, term map, const term *pairs, size_t n);
term map_update_pairs(Heap *h, term map, const term *pairs, size_t n);
/* A map of n pairs. Of pairs with the same key the last one wins. */
term map_from_pairs(Heap *h, const term *pairs, size_t n);
/* Of n list cells [Key | Value] that lie one after the other on h and become part of the map. Unique: NONE with reason
   badarg if a key is there twice; else the last one wins. */
term map_from_cells(Heap *h, term *cells, size_t n, bool unique);
/* A flat map of n <= MAP_FLAT_MAX keys and values in any order, written where keys and values are: `map` has room for
   2 + n words with the values in place from word 2 on, `keys` for 1 + n with the keys in place from word 1 on. */
term map_from_flat(Heap *h, term *map, term *keys, size_t n, bool unique);
/* What is in a or b; where both have a key, b's value. */
term map_merge(Heap *h, term a, term b);

/* Walking through all pairs: flat maps in key order, large ones in the order of their trie.

       MapWalk w;
       for (map_walk(&w, map); map_next(&w);) {
           ... w.key, w.value ...
       } */
typedef struct {
    const term *child;    /* first child of a node */
    uint32_t next, count; /* which child comes next; how many there are */
} MapPlace;
typedef struct {
    term key, value;
    const term *keys, *values; /* flat: what comes next */
    size_t left;               /* flat: pairs to come */
    unsigned depth;            /* large: place[depth] is the node at hand */
    MapPlace place[MAP_LEVELS + 1];
} MapWalk;
void map_walk(MapWalk *w, term map);
bool map_next(MapWalk *w);

/* Walks through large maps can be left and taken up again: where one stands is a number, four bits for the child in each
   level, lowest first. */
typedef struct {
    uint64_t low, high;
} MapPath;
typedef enum { MAP_PAUSE, MAP_GO_ON, MAP_END } MapPause;
MapPause map_walk_path(MapWalk *w, MapPath *path);      /* MAP_GO_ON: cannot be left here; MAP_END: nothing is left */
bool map_walk_from(MapWalk *w, term map, MapPath path); /* false: no such place */

#endif
