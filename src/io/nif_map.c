/* Maps of native functions. */
#include "data/map.h"
#include "io/nif.h"

ENIF(int, enif_is_map, ErlNifEnv *env UNUSED, ERL_NIF_TERM t) {
    return is_map(t);
}

ENIF(int, enif_get_map_size, ErlNifEnv *env UNUSED, ERL_NIF_TERM t, size_t *size) {
    if (is_map(t)) {
        *size = map_size(t);
    }
    return is_map(t);
}

ENIF(ERL_NIF_TERM, enif_make_new_map, ErlNifEnv *env) {
    return map_empty(env->heap);
}

static int changed(term result, ERL_NIF_TERM *to) {
    *to = result != NONE ? result : *to;
    return result != NONE;
}

ENIF(int, enif_make_map_put, ErlNifEnv *env, ERL_NIF_TERM map, ERL_NIF_TERM key, ERL_NIF_TERM value, ERL_NIF_TERM *to) {
    return is_map(map) && changed(map_put(env->heap, map, key, value), to);
}

ENIF(int, enif_make_map_update, ErlNifEnv *env, ERL_NIF_TERM map, ERL_NIF_TERM key, ERL_NIF_TERM value, ERL_NIF_TERM *to) {
    return is_map(map) && map_has(env->vm, map, key) && changed(map_update(env->heap, map, key, value), to);
}

ENIF(int, enif_make_map_remove, ErlNifEnv *env, ERL_NIF_TERM map, ERL_NIF_TERM key, ERL_NIF_TERM *to) {
    return is_map(map) && changed(map_remove(env->heap, map, key), to);
}

ENIF(int, enif_get_map_value, ErlNifEnv *env, ERL_NIF_TERM map, ERL_NIF_TERM key, ERL_NIF_TERM *value) {
    return is_map(map) && changed(map_get(env->vm, map, key), value);
}

/* False if a key is there twice. */
ENIF(int, enif_make_map_from_arrays, ErlNifEnv *env, ERL_NIF_TERM keys[], ERL_NIF_TERM values[], size_t n, ERL_NIF_TERM *to) {
    term *pairs = n == 0 ? NULL : mem_sized_alloc(&env->vm->mem, 2 * n * sizeof *pairs);
    if (n > 0 && pairs == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        pairs[2 * i] = keys[i], pairs[2 * i + 1] = values[i];
    }
    term map = n == 0 ? map_empty(env->heap) : map_from_pairs(env->heap, pairs, n);
    mem_sized_free(&env->vm->mem, pairs);
    return map != NONE && map_size(map) == n && changed(map, to);
}

/* --- Iterators: large maps are walked through once, when the iterator is made -------------------------------------- */

ENIF(int, enif_map_iterator_create, ErlNifEnv *env, ERL_NIF_TERM map, ErlNifMapIterator *i, int entry) {
    if (!is_map(map) || (entry != NIF_MAP_FIRST && entry != NIF_MAP_LAST)) {
        return false;
    }
    size_t n = map_size(map);
    *i = (ErlNifMapIterator){.map = map, .size = n, .at = entry == NIF_MAP_FIRST ? 1 : n};
    if (is_flat_map(map)) {
        i->keys = map_flat_keys(map), i->values = map_flat_values(map);
        return true;
    }
    term *pairs = mem_sized_alloc(&env->vm->mem, 2 * n * sizeof *pairs), *at = pairs;
    if (pairs == NULL) {
        return false;
    }
    MapWalk w;
    for (map_walk(&w, map); map_next(&w);) {
        *at++ = w.key;
        *at++ = w.value;
    }
    i->keys = i->owned = pairs;
    return true;
}

ENIF(void, enif_map_iterator_destroy, ErlNifEnv *env, ErlNifMapIterator *i) {
    mem_sized_free(&env->vm->mem, i->owned);
    i->owned = NULL;
}

ENIF(int, enif_map_iterator_is_head, ErlNifEnv *env UNUSED, ErlNifMapIterator *i) {
    return i->size == 0 || i->at == 0;
}

ENIF(int, enif_map_iterator_is_tail, ErlNifEnv *env UNUSED, ErlNifMapIterator *i) {
    return i->size == 0 || i->at == i->size + 1;
}

static bool is_inside(const ErlNifMapIterator *i) {
    return i->at >= 1 && i->at <= i->size;
}

ENIF(int, enif_map_iterator_next, ErlNifEnv *env UNUSED, ErlNifMapIterator *i) {
    i->at += i->at <= i->size;
    return is_inside(i);
}

ENIF(int, enif_map_iterator_prev, ErlNifEnv *env UNUSED, ErlNifMapIterator *i) {
    i->at -= i->at > 0;
    return is_inside(i);
}

ENIF(int, enif_map_iterator_get_pair, ErlNifEnv *env UNUSED, ErlNifMapIterator *i, ERL_NIF_TERM *key, ERL_NIF_TERM *value) {
    if (!is_inside(i)) {
        return false;
    }
    size_t n = i->at - 1;
    *key = i->values != NULL ? i->keys[n] : i->keys[2 * n];
    *value = i->values != NULL ? i->values[n] : i->keys[2 * n + 1];
    return true;
}
