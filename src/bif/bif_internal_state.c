/* erts_debug:set_internal_state/2 and get_internal_state/1: what test programs need to look at or to provoke. Open only after
   set_internal_state(available_internal_state, true); then whatever is not known here is a bad argument. */
#include "bif/topology_info.h"
#include "data/bits.h"
#include "data/integer.h"
#include "data/map.h"
#include "io/io.h"
#include "platform/platform.h"
#include "proc/epoch.h"
#include "proc/relation.h"
#include "proc/schedule.h"
#include "table/ets.h"
#include "table/persistent.h"
#include "term/copy.h"
#include "term/literal.h"
#include "term/ref.h"

enum { BALANCE_REDUCTIONS = 16000000 };

static term undefined(Process *p) {
    return raise_error(p, A_undef);
}

/* How much is done before giving way, in steps of OTP's; remembered only: here the reductions of the slice decide. */
static term set_limit(Process *p, intptr_t *limit, term value) {
    enum { DEFAULT_LIMIT = 40000 };
    intptr_t old = *limit == 0 ? DEFAULT_LIMIT : *limit;
    if (value != A_default && !(is_small(value) && small_value(value) > 0)) {
        return raise_badarg(p);
    }
    *limit = value == A_default ? 0 : small_value(value);
    return SMALL(old);
}

/* {Table, Bool}: when the ranges of an ordered set become more or less. */
static term set_splits(Process *p, term value, TableSplits splits) {
    term cause;
    Table *t = is_tuple_of(value, 2) ? table_find(p, element(value, 1), ACCESS_INFO, USE_ALONE, NONE, &cause) : NULL;
    if (t == NULL) {
        return raise_badarg(p);
    }
    if (element(value, 2) == A_true || t->splits == splits) {
        t->splits = element(value, 2) == A_true ? splits : SPLITS_BY_CONTENTION;
    }
    table_leave(p);
    return A_ok;
}

BIF(erts_debug, set_internal_state, 2) {
    InternalState *s = &process_vm(p)->tables->internal;
    if (a[0] == A_available_internal_state) {
        bool was = s->available;
        if (a[1] != A_true && a[1] != A_false) {
            return raise_badarg(p);
        }
        s->available = a[1] == A_true;
        return was ? A_true : A_false;
    }
    if (!s->available) {
        return undefined(p);
    }
    switch (a[0]) {
    case A_reds_left:
        if (!is_small(a[1])) {
            return raise_badarg(p);
        }
        HEAP(p)->reds = small_value(a[1]);
        return A_true;
    case A_re_loop_limit: return set_limit(p, &s->re_limit, a[1]);
    case A_unicode_loop_limit: return set_limit(p, &s->unicode_limit, a[1]);
    case A_binary_loop_limit: return set_limit(p, &s->binary_limit, a[1]);
    case A_mbuf: {
        term copy = term_copy(HEAP(p), a[1]);
        return copy == NONE ? raise_heap_reason(p) : copy;
    }
    case A_wait: /* literals are freed later than is said, and with several schedulers what others may be reading, or are deleting */
        if (!bif_is_still(p) || !ets_free_some(process_vm(p), SIZE_MAX) || !epoch_all_done(process_vm(p))) {
            return bif_still(p, BIF_EXPORT(p, erts_debug, set_internal_state, 2), a);
        }
        bif_still_over(p);
        literals_ask_sweep(process_vm(p));
        return A_ok;
    case A_sleep: /* with its scheduler */
        if (!is_small(a[1]) || small_value(a[1]) < 0) {
            return raise_badarg(p);
        }
        platform_sleep(small_value(a[1]) * 1000000);
        return A_true;
    case A_test_long_gc_sleep: /* added to what collections take, for those who are told of long ones */
        s->long_gc_ms = is_small(a[1]) ? MAX(small_value(a[1]), 0) : 0;
        return A_true;
    case A_fill_heap: p->flags |= FLAG_GC_WANTED; return A_true;
    case A_force_gc:
        return is_local_pid(a[1]) ? bif_trap(p, export_get(process_vm(p), A_erlang, A_garbage_collect, 1), 1, a[1]) : raise_badarg(p);
    case A_ets_force_trap: return A_notsup;
    case A_ets_force_split: return set_splits(p, a[1], SPLITS_ALWAYS);
    case A_ets_debug_random_split_join: return set_splits(p, a[1], SPLITS_IN_TURN);
    default: return raise_badarg(p);
    }
}

/* What a bitstring is made of: heap_binary, or {refc_binary, Size, {binary, Capacity}, Flags}. */
static term binary_info(Process *p, term bin) {
    Heap *h = HEAP(p);
    const View *v = (const View *)boxed(bin);
    const term *base = boxed(HEADER_KIND(header_of(bin)) == KIND_BITS ? bin : v->base);
    if (HEADER_KIND(base[0]) != KIND_BUFFER) {
        return A_heap_binary;
    }
    const Buffer *b = ((const BufferRef *)base)->buffer;
    term capacity = TUPLE2(h, A_binary, integer_from_uint64(h, b->capacity));
    return TUPLE4(h, A_refc_binary, integer_from_uint64(h, (b->used + 7) / 8), capacity, SMALL(((const BufferRef *)base)->writable));
}

/* Both ends of links and monitors, as records that OTP's test programs know: {erl_link, Type, Pid, State, Id} and {erl_monitor, Type,
   Direction, Ref, Pid, Name}. */
typedef struct {
    Process *asker;
    bool links;
    term list;
} Ends;

static term monitor_row(Heap *h, const Relation *r, term type, term direction, term name) {
    term ref = ref_write(heap_alloc(h, REF_WORDS), r->key[0], r->key[1]);
    return heap_tuple(h, 6, (term)A_erl_monitor, type, direction, ref, r->other == NONE ? NIL : r->other, name == NONE ? NIL : name);
}

static void add_end(Process *q UNUSED, Relation *r, void *arg) {
    Ends *e = arg;
    Process *p = e->asker;
    Heap *h = HEAP(p);
    term type = r->flags & RELATION_PORT ? A_port : A_process, row = NONE;
    if (e->links && r->kind == RELATION_LINK) {
        term state = r->flags & RELATION_UNLINKING ? A_unlinking : A_linked;
        row = heap_tuple(h, 5, (term)A_erl_link, type, r->other, state, integer_from_uint64(h, (uint64_t)(uintptr_t)r));
    } else if (!e->links && r->kind == RELATION_MONITORED) {
        row = monitor_row(h, r, type, A_target, r->name);
    } else if (!e->links && r->kind == RELATION_REFERENCE && r->flags & RELATION_MONITOR) {
        row = monitor_row(h, r, r->flags & RELATION_TIME_OFFSET ? A_time_offset : type, A_origin, r->extra == NULL ? NONE : r->extra->name);
    }
    e->list = row == NONE ? e->list : heap_cons(h, row, e->list);
}

static term ends_of(Process *p, const term *a, bool links) {
    Process *q = process_find(process_vm(p), element(a[0], 2));
    Ends e = {p, links, NIL};
    if (q == p) {
        signals_handle(p);
    } else {
        Entered entered = q == NULL ? ENTER_GONE : process_enter(q);
        if (entered == ENTER_BUSY) {
            return bif_ask(p, q, BIF_EXPORT(p, erts_debug, get_internal_state, 1), a);
        }
        if (entered == ENTER_GONE) {
            return A_undefined;
        }
    }
    relation_each(q, add_end, &e);
    if (q != p) {
        process_leave(q);
    }
    return e.list;
}

static term status_of(Process *p, term pid) {
    return process_find_any(process_vm(p), pid) == NULL ? A_undefined : process_find(process_vm(p), pid) == NULL ? A_exiting : A_running;
}

/* Of a magic reference: where what it keeps alive is, how many keep it, and whether it is one of OTP's tests. */
static term magic_ref_info(Process *p, term t) {
    if (!is_local_ref(t) || !is_magic_ref(t)) {
        return A_false;
    }
    Resource *r = magic_resource(t);
    size_t refs = __atomic_load_n(&r->refs, __ATOMIC_RELAXED);
    return TUPLE3(HEAP(p), integer_from_uint64(HEAP(p), (uintptr_t)r), integer_from_uint64(HEAP(p), refs), A_false);
}

static term ask_about(Process *p, term what, term about) {
    VM *vm = process_vm(p);
    switch (what) {
    case A_process_status: return is_local_pid(about) ? status_of(p, about) : NONE;
    case A_link_list:
    case A_monitor_list: return is_atom(about) ? NIL : NONE; /* of a node that is not connected */
    case A_internal_hash: return integer_from_uint64(HEAP(p), map_hash(vm, about, 0));
    case A_magic_ref: return magic_ref_info(p, about);
    case A_dist_ctrl: return A_undefined;
    case A_fake_scheduler_bindings: return fake_bindings(p, about);
    case A_binary_info: return is_bitstring(about) ? binary_info(p, about) : NONE;
    case A_atom: return is_small(about) && (uintptr_t)small_value(about) < atom_count(vm) ? ATOM(small_value(about)) : NONE;
    default: return NONE;
    }
}

BIF(erts_debug, get_internal_state, 1) {
    VM *vm = process_vm(p);
    Heap *h = HEAP(p);
    if (!vm->tables->internal.available) {
        return undefined(p);
    }
    if (is_tuple_of(a[0], 2) && (element(a[0], 1) == A_link_list || element(a[0], 1) == A_monitor_list) && is_local_pid(element(a[0], 2))) {
        return ends_of(p, a, element(a[0], 1) == A_link_list);
    }
    if (is_tuple_of(a[0], 2)) {
        term answer = ask_about(p, element(a[0], 1), element(a[0], 2));
        return answer == NONE ? raise_badarg(p) : answer;
    }
    switch (a[0]) {
    case A_reds_left: return SMALL(h->reds);
    case A_DbTable_words: return TUPLE2(h, SMALL(sizeof(Table) / sizeof(term)), SMALL(0));
    case A_persistent_term: {
        const term pair[] = {A_table, integer_from_uint64(h, persistent_room(vm))};
        return map_from_pairs(h, pair, 1);
    }
    case A_check_io_debug: { /* errors, descriptors that are waited for, twice, events */
        term watched = integer_from_uint64(h, poll_watched(vm->io->poll));
        return TUPLE4(h, SMALL(0), watched, watched, SMALL(0));
    }
    case A_available_internal_state: return A_true;
    case A_process_info_args: return process_info_names(h);
    case A_force_heap_frags:
    case A_scheduler_dump: return A_false;
    case A_min_unique_integer:
    case A_min_unique_monotonic_integer: return SMALL(SMALL_MIN);
    case A_memory: return bif_trap(p, BIF_EXPORT(p, erlang, memory, 0), 0);
    case A_mmap: return A_undefined;
    case A_nbalance: /* here loads are evened all the time; OTP does it every so many reductions, and counts */
        return SMALL((intptr_t)(scheduler_totals(vm).reductions / BALANCE_REDUCTIONS));
    case A_lc_graph:
    case A_flxctr_memory_usage: /* neither lock checker nor counters of many parts */ return A_notsup;
    case A_node_and_dist_references: /* other nodes are known by their names alone, which are not counted */
        return TUPLE2(h, TUPLE2(h, A_node_references, NIL), TUPLE2(h, A_dist_references, NIL));
    default: return raise_badarg(p);
    }
}
