/* ets: what a table tells about itself. */
#include "bif/bif_ets.h"

#include <math.h>

#include "data/integer.h"
#include "proc/clock.h"
#include "proc/schedule.h"
#include "table/range.h"
#include "term/bitstring.h"
#include "term/ref.h"

#define GUARD_BEGIN(p) ((void)0)
#define GUARD_END(p) table_leave(p)
#include "bif/guarded.h"

static term boolean(bool b) {
    return b ? A_true : A_false;
}

static term type_name(const Table *t) {
    static const term names[] = {
        [TABLE_SET] = A_set, [TABLE_ORDERED_SET] = A_ordered_set, [TABLE_BAG] = A_bag, [TABLE_DUPLICATE_BAG] = A_duplicate_bag};
    return names[t->type];
}

static term protection_name(const Table *t) {
    return t->protection == PROTECTION_PRIVATE ? A_private : t->protection == PROTECTION_PUBLIC ? A_public : A_protected;
}

static term fixers(Heap *h, const Table *t) {
    term list = NIL;
    for (const Fixer *f = t->fixers; f != NULL; f = f->next) {
        list = heap_cons(h, TUPLE2(h, f->pid, SMALL(f->count)), list);
    }
    return list;
}

static term system_time(Heap *h, int64_t nanoseconds) { /* {MegaSecs, Secs, MicroSecs} */
    int64_t us = nanoseconds / 1000;
    return TUPLE3(h, SMALL(us / 1000000000000), SMALL(us / 1000000 % 1000000), SMALL(us % 1000000));
}

/* {Routes, Ranges, Depth} of an ordered set. While only one thread runs there are no ranges. */
static term statistics_of_ranges(VM *vm, Heap *h, const Table *t) {
    if (t->keyed == NULL || !vm->processes->concurrent) {
        return A_false;
    }
    size_t n = t->routes == NULL ? 1 : t->routes->count, depth = 0;
    while ((size_t)1 << depth < n) {
        depth++;
    }
    return TUPLE3(h, SMALL(n - 1), SMALL(n), SMALL(depth));
}

/* How even the buckets of a hash table are. */
static term statistics(Heap *h, const Table *t) {
    size_t least = SIZE_MAX, most = 0, buckets = table_slots(t);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < buckets; i++) {
        size_t n = 0;
        for (const Object *o = table_slot(t, i); o != NULL; o = o->next) {
            n++;
        }
        least = MIN(least, n), most = MAX(most, n);
        sum += (double)n, squares += (double)n * (double)n;
    }
    double mean = sum / (double)buckets;
    double deviation = sqrt(fmax(0, squares - sum * mean) / (double)buckets), expected = sqrt(mean * (1 - 1.0 / (double)buckets));
    return heap_tuple(h, 8, SMALL(buckets), heap_float(h, mean), heap_float(h, deviation), heap_float(h, expected), SMALL(least),
                      SMALL(most), SMALL(t->hash.dead_count), SMALL(1));
}

/* {Address, Size, References} of each handle of a buffer in the object, on top of a list. */
static term buffers(Heap *h, const Object *o, term list) {
    for (const BufferRef *b = object_next_buffer(o, NULL); b != NULL; b = object_next_buffer(o, b)) {
        term address = integer_from_uint64(h, (uintptr_t)b->buffer->data), size = SMALL((b->buffer->used + 7) / 8);
        list = heap_cons(h, TUPLE3(h, address, size, SMALL(buffer_refs(b->buffer))), list);
    }
    return list;
}

static term all_buffers(Process *p, const Table *t) {
    term list = NIL;
    if (table_is_tree(t)) {
        TreeWalk w;
        tree_walk(process_vm(p), t, &w, WALK_ALL, NONE, false);
        for (const Object *o; (o = tree_walk_next(&w)) != NULL;) {
            list = buffers(HEAP(p), o, list);
        }
        return list;
    }
    for (size_t i = 0; i < table_slots(t); i++) {
        for (const Object *o = table_slot(t, i); o != NULL; o = o->next) {
            list = buffers(HEAP(p), o, list); /* those that are only marked as deleted, too */
        }
    }
    return list;
}

/* NONE: there is no such item. */
static term item(Process *p, const Table *t, term name) {
    Heap *h = HEAP(p);
    /* Options that mean nothing to one scheduler, or to one process, are not in force. */
    bool alone = process_vm(p)->processes->scheduler_count == 1 || t->protection == PROTECTION_PRIVATE;
    term concurrent = alone ? A_false : t->write_concurrency;
    switch (name) {
    case A_id: return table_ref(h, t);
    case A_decentralized_counters:
        return boolean(concurrent != A_false && (t->decentralized_counters == NONE ? concurrent != A_true || table_is_tree(t)
                                                                                   : t->decentralized_counters == A_true));
    case A_read_concurrency: return boolean(t->read_concurrency && t->protection != PROTECTION_PRIVATE);
    case A_write_concurrency: return is_small(concurrent) ? TUPLE2(h, A_debug_hash_fixed_number_of_locks, concurrent) : concurrent;
    case A_compressed: return boolean(t->compressed);
    case A_memory: return SMALL(table_bytes(t) / sizeof(term));
    case A_owner: return t->owner;
    case A_heir: return t->heir == NONE ? A_none : t->heir;
    case A_name: return t->name;
    case A_size: return SMALL(table_size(t));
    case A_node: return node_name(process_vm(p));
    case A_named_table: return boolean(t->named);
    case A_type: return type_name(t);
    case A_keypos: return SMALL(t->keypos);
    case A_protection: return protection_name(t);
    case A_fixed: return boolean(table_is_fixed(t));
    case A_safe_fixed: return !table_is_fixed(t) ? A_false : TUPLE2(h, system_time(h, t->fixed_since[1]), fixers(h, t));
    case A_safe_fixed_monotonic_time:
        return !table_is_fixed(t) ? A_false : TUPLE2(h, integer_from_int64(h, t->fixed_since[0]), fixers(h, t));
    case A_stats: return table_is_tree(t) ? statistics_of_ranges(process_vm(p), h, t) : statistics(h, t);
    case A_binary: BUMP(p, (intptr_t)table_size(t)); return all_buffers(p, t);
    default: return NONE;
    }
}

/* Nothing that makes sense names the table: badarg; it is gone: undefined. */
static Table *info_table(Process *p, term id, TableUse use, term *result) {
    term cause;
    Table *t = table_find(p, id, ACCESS_INFO, use, NONE, &cause);
    if (t == NULL) {
        *result = cause == A_id ? A_undefined : raise_error_cause(p, A_badarg, cause);
    }
    return t;
}

BIF(ets, info, 1) {
    // clang-format off
    static const term names[] = {A_id, A_decentralized_counters, A_read_concurrency, A_write_concurrency, A_compressed, A_memory, A_owner,
                                 A_heir, A_name, A_size, A_node, A_named_table, A_type, A_keypos, A_protection};
    // clang-format on
    term result;
    const Table *t = info_table(p, a[0], USE_LOOK, &result);
    if (t == NULL) {
        return result;
    }
    term list = NIL;
    for (size_t i = ARRAY_LEN(names); i-- > 0;) {
        list = heap_cons(HEAP(p), TUPLE2(HEAP(p), names[i], item(p, t, names[i])), list);
    }
    return list;
}

/* Who looks may fix it: who wants to know of that must be alone. */
static TableUse use_of(term name) {
    switch (name) {
    case A_fixed:
    case A_safe_fixed:
    case A_safe_fixed_monotonic_time: return USE_ALONE;
    case A_size:
    case A_memory:
    case A_binary:
    case A_stats: return USE_LOOK;
    default: return USE_HEAD;
    }
}

BIF(ets, info, 2) {
    term result;
    const Table *t = info_table(p, a[0], use_of(a[1]), &result);
    if (t == NULL) {
        return result;
    }
    result = item(p, t, a[1]);
    return result == NONE ? raise_badarg(p) : result;
}

/* The same for the objects with a key. */
BIF(erts_internal, ets_lookup_binary_info, 2) {
    const Table *t = ets_table_for(p, a[0], ACCESS_READ, USE_KEY_LOOK, a[1]);
    if (t == NULL) {
        return NONE;
    }
    term list = NIL;
    for (const Object *o = table_lookup(process_vm(p), t, a[1]); o != NULL; o = table_next_same(process_vm(p), t, o)) {
        list = buffers(HEAP(p), o, list);
    }
    return list;
}
