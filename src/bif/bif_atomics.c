/* atomics and counters: arrays of 64-bit integers that processes share. Arithmetic wraps around. */
#include "bif/bif.h"

#include "data/integer.h"
#include "data/map.h"
#include "table/atomics.h"

enum { OPTION_SIGNED = 1 };

/* Sizes and indices: badarg, or system_limit for what is larger than a word. */
static bool word_of(Process *p, term t, uint64_t *n) {
    if (!is_integer(t) || integer_is_negative(t)) {
        raise_badarg(p);
        return false;
    }
    if (!integer_to_uint64(t, n) || *n > SIZE_MAX) {
        raise_error(p, A_system_limit);
        return false;
    }
    return true;
}

static term new_array(Process *p, AtomicsUse use, term size, bool is_signed) {
    uint64_t n;
    if (!word_of(p, size, &n)) {
        return NONE;
    }
    if (n == 0) {
        return raise_badarg(p);
    }
    Atomics64 *a = atomics_new(process_vm(p), use, (size_t)n, is_signed);
    return a == NULL ? raise_error(p, A_system_limit) : heap_magic_ref(HEAP(p), &a->resource);
}

static uint64_t *slot_of(term ref, term index, AtomicsUse use, Atomics64 **array) {
    uint64_t i;
    Atomics64 *a = *array = atomics_of(ref, use);
    return a != NULL && integer_to_uint64(index, &i) && i - 1 < a->count ? &a->at[i - 1] : NULL;
}

static bool value_of(const Atomics64 *a, term t, uint64_t *v) {
    return a->is_signed ? integer_to_int64(t, (int64_t *)v) : integer_to_uint64(t, v);
}

static bool increment_of(term t, uint64_t *v) {
    return integer_to_int64(t, (int64_t *)v) || integer_to_uint64(t, v);
}

static term integer_of(Process *p, const Atomics64 *a, uint64_t v) {
    return a->is_signed ? integer_from_int64(HEAP(p), (int64_t)v) : integer_from_uint64(HEAP(p), v);
}

BIF(erts_internal, atomics_new, 2) {
    uint64_t options;
    return word_of(p, a[1], &options) ? new_array(p, ATOMICS_ARRAY, a[0], options & OPTION_SIGNED) : NONE;
}

BIF(atomics, put, 3) {
    Atomics64 *array;
    uint64_t v, *slot = slot_of(a[0], a[1], ATOMICS_ARRAY, &array);
    if (slot == NULL || !value_of(array, a[2], &v)) {
        return raise_badarg(p);
    }
    __atomic_store_n(slot, v, __ATOMIC_SEQ_CST);
    return A_ok;
}

BIF(atomics, get, 2) {
    Atomics64 *array;
    const uint64_t *slot = slot_of(a[0], a[1], ATOMICS_ARRAY, &array);
    return slot == NULL ? raise_badarg(p) : integer_of(p, array, __atomic_load_n(slot, __ATOMIC_SEQ_CST));
}

BIF(atomics, add, 3) {
    Atomics64 *array;
    uint64_t v, *slot = slot_of(a[0], a[1], ATOMICS_ARRAY, &array);
    if (slot == NULL || !increment_of(a[2], &v)) {
        return raise_badarg(p);
    }
    __atomic_fetch_add(slot, v, __ATOMIC_SEQ_CST);
    return A_ok;
}

BIF(atomics, add_get, 3) {
    Atomics64 *array;
    uint64_t v, *slot = slot_of(a[0], a[1], ATOMICS_ARRAY, &array);
    if (slot == NULL || !increment_of(a[2], &v)) {
        return raise_badarg(p);
    }
    return integer_of(p, array, __atomic_add_fetch(slot, v, __ATOMIC_SEQ_CST));
}

BIF(atomics, exchange, 3) {
    Atomics64 *array;
    uint64_t v, *slot = slot_of(a[0], a[1], ATOMICS_ARRAY, &array);
    if (slot == NULL || !value_of(array, a[2], &v)) {
        return raise_badarg(p);
    }
    return integer_of(p, array, __atomic_exchange_n(slot, v, __ATOMIC_SEQ_CST));
}

BIF(atomics, compare_exchange, 4) {
    Atomics64 *array;
    uint64_t expected, v, *slot = slot_of(a[0], a[1], ATOMICS_ARRAY, &array);
    if (slot == NULL || !value_of(array, a[2], &expected) || !value_of(array, a[3], &v)) {
        return raise_badarg(p);
    }
    bool done = __atomic_compare_exchange_n(slot, &expected, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return done ? A_ok : integer_of(p, array, expected);
}

static term info_map(Process *p, const term *pairs, size_t n) {
    term map = map_from_pairs(HEAP(p), pairs, n);
    return map == NONE ? raise_heap_reason(p) : map;
}

BIF(atomics, info, 1) {
    const Atomics64 *array = atomics_of(a[0], ATOMICS_ARRAY);
    if (array == NULL) {
        return raise_badarg(p);
    }
    Heap *h = HEAP(p);
    const term pairs[] = {
        A_max,    array->is_signed ? integer_from_int64(h, INT64_MAX) : integer_from_uint64(h, UINT64_MAX),
        A_min,    array->is_signed ? integer_from_int64(h, INT64_MIN) : SMALL(0),
        A_size,   SMALL(array->count),
        A_memory, SMALL(atomics_bytes(array)),
    };
    return info_map(p, pairs, ARRAY_LEN(pairs) / 2);
}

BIF(erts_internal, counters_new, 1) {
    return new_array(p, ATOMICS_COUNTERS, a[0], true);
}

BIF(erts_internal, counters_get, 2) {
    Atomics64 *array;
    const uint64_t *slot = slot_of(a[0], a[1], ATOMICS_COUNTERS, &array);
    return slot == NULL ? raise_badarg(p) : integer_of(p, array, __atomic_load_n(slot, __ATOMIC_RELAXED));
}

BIF(erts_internal, counters_add, 3) {
    Atomics64 *array;
    uint64_t v, *slot = slot_of(a[0], a[1], ATOMICS_COUNTERS, &array);
    if (slot == NULL || !increment_of(a[2], &v)) {
        return raise_badarg(p);
    }
    __atomic_fetch_add(slot, v, __ATOMIC_RELAXED);
    return A_ok;
}

BIF(erts_internal, counters_put, 3) {
    Atomics64 *array;
    uint64_t v, *slot = slot_of(a[0], a[1], ATOMICS_COUNTERS, &array);
    if (slot == NULL || !value_of(array, a[2], &v)) {
        return raise_badarg(p);
    }
    __atomic_store_n(slot, v, __ATOMIC_RELAXED);
    return A_ok;
}

BIF(erts_internal, counters_info, 1) {
    const Atomics64 *array = atomics_of(a[0], ATOMICS_COUNTERS);
    if (array == NULL) {
        return raise_badarg(p);
    }
    const term pairs[] = {A_memory, SMALL(atomics_bytes(array)), A_size, SMALL(array->count)};
    return info_map(p, pairs, ARRAY_LEN(pairs) / 2);
}
