/* process_info: what a process knows of itself, asked by itself or by another. The other one enters it for that, in the order
   of signals. */
#include "bif/spawn_options.h"
#include "code/breakpoint.h"
#include "data/bits.h"
#include "data/integer.h"
#include "data/map.h"
#include "exec/exception.h"
#include "io/nif_info.h"
#include "platform/platform.h"
#include "proc/collect.h"
#include "proc/dictionary.h"
#include "proc/names.h"
#include "proc/quota.h"
#include "proc/relation.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "term/bitstring.h"
#include "term/copy.h"
#include "term/gc.h"
#include "term/print.h"
#include "term/ref.h"
#include "trace/trace.h"

/* p asks about q; results are built on p's heap. NONE: no memory. */
typedef term InfoFunction(Process *p, Process *q);

static term number(Process *p, uint64_t n) {
    return integer_from_uint64(HEAP(p), n);
}

static term boolean(bool b) {
    return b ? A_true : A_false;
}

static term pair(Process *p, term a, term b) {
    return TUPLE2(HEAP(p), a, b);
}

static term push(Process *p, term list, term key, term value) {
    return heap_cons(HEAP(p), pair(p, key, value), list);
}

/* --- Code ---------------------------------------------------------------------------------------------------------- */

/* Where a process that has not begun, or sleeps in hibernation, is. */
static term entry(Process *p, Process *q) {
    if (q->state & STATE_WAITING) {
        return TUPLE4(HEAP(p), A_erlang, A_hibernate, SMALL(3), NIL);
    }
    const term *x = q->heap.sp; /* arguments, module, function */
    return TUPLE4(HEAP(p), x[q->live - 2], x[q->live - 1], SMALL(q->live - 2), NIL);
}

static term stack_trace(Process *p, Process *q, uint32_t depth) {
    if (q->ip == NULL) {
        return heap_cons(HEAP(p), entry(p, q), NIL);
    }
    return exception_current_stacktrace(q, HEAP(p), q->ip, depth);
}

static term current_stacktrace(Process *p, Process *q) {
    return stack_trace(p, q, process_vm(p)->processes->backtrace_depth);
}

static term current_location(Process *p, Process *q) {
    StubName stub;
    if (q != p && q->ip != NULL && !q->native && stub_name(process_vm(p), q->ip, &stub)) { /* it is in the middle of a built-in */
        return TUPLE4(HEAP(p), stub.module, stub.name, SMALL(stub.arity), NIL);
    }
    term trace = stack_trace(p, q, 1);
    return is_cons(trace) ? head(trace) : A_undefined;
}

static term current_function(Process *p, Process *q) {
    term at = current_location(p, q);
    return at == A_undefined ? at : TUPLE3(HEAP(p), element(at, 1), element(at, 2), element(at, 3));
}

static term initial_call(Process *p, Process *q) {
    return TUPLE3(HEAP(p), ATOM(q->initial_module), ATOM(q->initial_function), SMALL(q->initial_arity));
}

static term backtrace(Process *p, Process *q) {
    Text text;
    text_init(&text, &process_vm(p)->mem);
    PrintOptions plain = {0};
    for (term l = stack_trace(p, q, 64); is_cons(l); l = tail(l)) {
        text_string(&text, text.size == 0 ? "Program counter: (" : "Return addr (");
        for (int i = 1; i <= 3; i++) {
            term_print(&text, process_vm(p), element(head(l), (size_t)i), &plain);
            text_string(&text, i == 1 ? ":" : i == 2 ? "/" : ")\n");
        }
    }
    term result = text.failed ? NONE : bits_from(HEAP(p), text.at, text.size);
    text_done(&text);
    return result;
}

static term catch_level(Process *p, Process *q) {
    return number(p, q->catches);
}

static term error_handler(Process *p, Process *q) {
    return q->extra == NULL || q->extra->error_handler == NONE ? A_error_handler : q->extra->error_handler;
}

static term seq_token(Process *p, Process *q) {
    return term_copy(HEAP(p), seq_token_term(q));
}

static term trace_flags(Process *p, Process *q) {
    uint32_t flags = 0;
    for (const Tracing *t = trace_if(q) == NULL ? NULL : trace_if(q)->list; t != NULL; t = t->next) {
        flags |= t->flags;
    }
    return number(p, flags);
}

static term last_calls(Process *p, Process *q) {
    return saved_calls_term(HEAP(p), q);
}

/* --- State --------------------------------------------------------------------------------------------------------- */

static term status(Process *p, Process *q) {
    if (q == p) {
        return A_running;
    }
    if (q->state & STATE_SUSPENDED) {
        return A_suspended;
    }
    if (q->state & STATE_PARKED) { /* somebody works for it, or keeps it waiting */
        return q->state & STATE_HELD_UP ? A_suspended : A_running;
    }
    return q->state & STATE_WAITING && *q->save == NULL ? A_waiting : A_runnable;
}

static term registered_name(Process *p, Process *q) {
    return q->state & STATE_NAMED ? name_of(process_vm(p), q->pid) : NIL;
}

static term group_leader(Process *p, Process *q) {
    return term_copy(HEAP(p), q->group_leader);
}

static term parent(Process *p, Process *q) {
    return q->parent == NO_PARENT ? A_undefined : make_pid(q->parent);
}

static term priority(Process *p, Process *q) {
    return priority_atom((Priority)q->priority);
}

static term trap_exit(Process *p, Process *q) {
    return boolean(q->flags & FLAG_TRAP_EXIT);
}

static term async_dist(Process *p, Process *q) {
    return boolean(q->flags & FLAG_ASYNC_DIST);
}

static term reductions(Process *p, Process *q) {
    uint64_t n = q->reductions;
    if (q == p) {
        n += (uint64_t)MAX(0, SLICE_REDUCTIONS - q->heap.reds);
    }
    return number(p, n);
}

static term dictionary(Process *p, Process *q) {
    term list = dictionary_list(q);
    return q == p || list == NONE ? list : term_copy(HEAP(p), list);
}

static term label(Process *p, Process *q) {
    term value = dictionary_get(q, A_process_label_key);
    return value == NONE ? A_undefined : term_copy(HEAP(p), value);
}

/* --- Messages ------------------------------------------------------------------------------------------------------ */

static term messages(Process *p, Process *q) {
    term list = NIL, *last = &list;
    for (const Signal *m = q->inner; m != NULL; m = m->next) {
        term copy = term_copy(HEAP(p), m->value), *cell = copy == NONE ? NULL : heap_alloc(HEAP(p), 2);
        if (cell == NULL) {
            return NONE;
        }
        cell[0] = copy, cell[1] = NIL;
        *last = make_cons(cell);
        last = &cell[1];
        BUMP(p, 1);
    }
    return list;
}

static term message_queue_len(Process *p, Process *q) {
    return number(p, q->messages);
}

static term message_queue_data(Process *p, Process *q) {
    return q->flags & FLAG_OFF_HEAP_MESSAGES ? A_off_heap : A_on_heap;
}

/* --- Relations ----------------------------------------------------------------------------------------------------- */

typedef struct {
    Process *asker;
    RelationKind kind;
    term list;
} Gather;

static term monitor_item(Process *p, const Relation *r) {
    term kind = r->flags & RELATION_PORT ? A_port : A_process;
    if (r->flags & RELATION_TIME_OFFSET) {
        return pair(p, A_time_offset, A_clock_service);
    }
    if (r->extra != NULL && r->extra->name != NONE) {
        return pair(p, kind, pair(p, r->extra->name, node_name(process_vm(p))));
    }
    return pair(p, kind, r->other);
}

static void gather(Process *q, Relation *r, void *arg) {
    Gather *g = arg;
    Process *p = g->asker;
    BUMP(p, 1);
    if ((RelationKind)r->kind != g->kind) {
        return;
    }
    term item = r->other;
    if (g->kind == RELATION_LINK && r->flags & RELATION_UNLINKING) {
        return;
    }
    if (g->kind == RELATION_REFERENCE) {
        if (!(r->flags & RELATION_MONITOR)) {
            return;
        }
        item = monitor_item(p, r);
    }
    if (g->kind == RELATION_SUSPENDED) {
        if (process_find(process_vm(p), r->other) == NULL) {
            return;
        }
        item = TUPLE3(HEAP(p), r->other, SMALL(r->count), SMALL(r->flags));
    }
    g->list = heap_cons(HEAP(p), item, g->list);
}

static term relations(Process *p, Process *q, RelationKind kind) {
    Gather g = {p, kind, NIL};
    relation_each(q, gather, &g);
    return g.list;
}

static term links(Process *p, Process *q) { /* the oldest first, as OTP has one or two */
    term list = NIL;
    for (term newest = relations(p, q, RELATION_LINK); newest != NIL; newest = tail(newest)) {
        list = heap_cons(HEAP(p), head(newest), list);
    }
    return list;
}
static term monitors(Process *p, Process *q) {
    return relations(p, q, RELATION_REFERENCE);
}
static term monitored_by(Process *p, Process *q) {
    term list = relations(p, q, RELATION_MONITORED);
    return nif_monitored_by == NULL ? list : nif_monitored_by(HEAP(p), q->pid, list);
}
static term suspending(Process *p, Process *q) {
    return relations(p, q, RELATION_SUSPENDED);
}

/* --- Memory -------------------------------------------------------------------------------------------------------- */

static term heap_size(Process *p, Process *q) {
    return number(p, gc_sizes(&q->heap).heap_block);
}

static term total_heap_size(Process *p, Process *q) {
    HeapSizes s = gc_sizes(&q->heap);
    return number(p, s.heap_block + s.old_block + s.fragments);
}

static term stack_size(Process *p, Process *q) {
    return number(p, gc_sizes(&q->heap).stack);
}

static term memory(Process *p, Process *q) {
    return number(p, process_memory(q));
}

static term min_heap_size(Process *p, Process *q) {
    return number(p, process_heap_settings(q)->min_words);
}
static term min_bin_vheap_size(Process *p, Process *q) {
    return number(p, process_heap_settings(q)->min_binary_words);
}
static term fullsweep_after(Process *p, Process *q) {
    return number(p, process_heap_settings(q)->full_sweep_after);
}
static term max_heap_size(Process *p, Process *q) {
    return max_heap_map(p, process_heap_settings(q));
}

static term garbage_collection(Process *p, Process *q) {
    term list = push(p, NIL, A_minor_gcs, SMALL(q->minors));
    list = push(p, list, A_fullsweep_after, fullsweep_after(p, q));
    list = push(p, list, A_min_heap_size, min_heap_size(p, q));
    list = push(p, list, A_min_bin_vheap_size, min_bin_vheap_size(p, q));
    return push(p, list, A_max_heap_size, max_heap_size(p, q));
}

static term garbage_collection_info(Process *p, Process *q) {
    HeapSizes s = gc_sizes(&q->heap);
    size_t limit = process_heap_settings(q)->min_binary_words;
    const struct {
        term key;
        size_t value;
        // clang-format off
    } rows[] = {
        {A_old_heap_block_size, s.old_block}, {A_heap_block_size, s.heap_block}, {A_mbuf_size, s.fragments},
        {A_recent_size, q->heap.mark == NULL ? 0 : (size_t)(q->heap.mark - q->heap.start)}, {A_stack_size, s.stack},
        {A_old_heap_size, s.old_used}, {A_heap_size, s.heap_used}, {A_bin_vheap_size, s.buffer_bytes / sizeof(term)},
        {A_bin_vheap_block_size, limit}, {A_bin_old_vheap_size, 0}, {A_bin_old_vheap_block_size, limit},
    };
    // clang-format on
    term list = NIL;
    for (size_t i = ARRAY_LEN(rows); i-- > 0;) {
        list = push(p, list, rows[i].key, number(p, rows[i].value));
    }
    return list;
}

/* {Address, Bytes, References} of every counted buffer. */
static term buffers_of(Process *p, term list, term off_heap) {
    for (; off_heap != NONE; off_heap = *off_heap_next(off_heap)) {
        if (kind_of(off_heap) == KIND_BUFFER) {
            const Buffer *b = ((BufferRef *)boxed(off_heap))->buffer;
            term item = TUPLE3(HEAP(p), number(p, (uintptr_t)b), number(p, b->capacity), number(p, b->refs));
            list = heap_cons(HEAP(p), item, list);
            BUMP(p, 1);
        }
    }
    return list;
}

static term binary(Process *p, Process *q) {
    term list = buffers_of(p, NIL, q->heap.off_heap);
    if (q->heap.old != NULL) {
        list = buffers_of(p, list, q->heap.old->off_heap);
    }
    for (const Fragment *f = q->heap.fragments; f != NULL; f = f->next) {
        list = buffers_of(p, list, f->off_heap);
    }
    return list;
}

/* A map of each group that the process is part of, the innermost first: limits and what is used of them. */
static term quota(Process *p, Process *q) {
    term list = NIL, *last = &list;
    if (q->state & STATE_QUOTA) {
        quota_count(q);
    }
    for (const Account *a = quota_account(q); a != NULL; a = a->outer) {
        term limits[2 * ACCOUNT_ITEMS], used[2 * ACCOUNT_ITEMS];
        size_t n = 0;
        for (size_t i = 0; i < ACCOUNT_ITEMS; i++) {
            used[2 * i] = quota_items[i];
            used[2 * i + 1] = number(p, __atomic_load_n(&a->used[i], __ATOMIC_RELAXED));
            if (a->limit[i] != ACCOUNT_NO_LIMIT) {
                limits[n++] = quota_items[i];
                limits[n++] = number(p, a->limit[i]);
            }
        }
        const term both[] = {A_limits, map_from_pairs(HEAP(p), limits, n / 2), A_used, map_from_pairs(HEAP(p), used, ACCOUNT_ITEMS)};
        term *cell = heap_alloc(HEAP(p), 2);
        cell[0] = map_from_pairs(HEAP(p), both, 2), cell[1] = NIL;
        *last = make_cons(cell);
        last = &cell[1];
    }
    return list;
}

static term nothing(Process *p, Process *q) {
    return NIL;
}
static void look_for_priority(Process *p, Relation *r, void *found) {
    bool here = (r->kind == RELATION_LINK || r->kind == RELATION_REFERENCE) && r->flags & (RELATION_PRIORITY | RELATION_ALIAS_PRIORITY);
    *(bool *)found |= here;
}

static term priority_messages(Process *p, Process *q) {
    bool found = false;
    relation_each(q, look_for_priority, &found);
    return found ? A_true : A_false;
}

/* --- The items ----------------------------------------------------------------------------------------------------- */

static const struct {
    term item;
    InfoFunction *ask;
    bool first; /* part of process_info/1, in this order */
    // clang-format off
} items[] = {
    {A_registered_name, registered_name, true}, {A_current_function, current_function, true}, {A_initial_call, initial_call, true},
    {A_status, status, true}, {A_message_queue_len, message_queue_len, true}, {A_links, links, true}, {A_dictionary, dictionary, true},
    {A_trap_exit, trap_exit, true}, {A_error_handler, error_handler, true}, {A_priority, priority, true},
    {A_group_leader, group_leader, true}, {A_total_heap_size, total_heap_size, true}, {A_heap_size, heap_size, true},
    {A_stack_size, stack_size, true}, {A_reductions, reductions, true}, {A_garbage_collection, garbage_collection, true},
    {A_suspending, suspending, true}, {A_current_location, current_location, false},
    {A_current_stacktrace, current_stacktrace, false}, {A_messages, messages, false}, {A_monitors, monitors, false},
    {A_monitored_by, monitored_by, false}, {A_memory, memory, false}, {A_garbage_collection_info, garbage_collection_info, false},
    {A_binary, binary, false}, {A_catchlevel, catch_level, false}, {A_backtrace, backtrace, false}, {A_last_calls, last_calls, false},
    {A_min_heap_size, min_heap_size, false}, {A_min_bin_vheap_size, min_bin_vheap_size, false},
    {A_max_heap_size, max_heap_size, false}, {A_message_queue_data, message_queue_data, false}, {A_magic_ref, nothing, false},
    {A_fullsweep_after, fullsweep_after, false}, {A_sequential_trace_token, seq_token, false}, {A_trace, trace_flags, false},
    {A_parent, parent, false}, {A_async_dist, async_dist, false}, {A_label, label, false}, {A_priority_messages, priority_messages, false}, {A_quota, quota, false},
};
// clang-format on

term process_info_names(Heap *h) {
    term list = NIL;
    for (size_t i = ARRAY_LEN(items); i-- > 0;) {
        list = heap_cons(h, items[i].item, list);
    }
    return list;
}

/* The number of an item; -1: there is none of this name; ARRAY_LEN(items): {dictionary, Key}. */
static int find_item(term item) {
    for (size_t i = 0; i < ARRAY_LEN(items); i++) {
        if (items[i].item == item) {
            return (int)i;
        }
    }
    return is_tuple_of(item, 2) && element(item, 1) == A_dictionary ? (int)ARRAY_LEN(items) : -1;
}

/* {Item, Value}; NONE: no memory. */
static term ask(Process *p, Process *q, term item) {
    int i = find_item(item);
    term value;
    if (i == (int)ARRAY_LEN(items)) {
        value = q->state & STATE_SENSITIVE ? NONE : dictionary_get(q, element(item, 2));
        value = value == NONE ? A_undefined : term_copy(HEAP(p), value);
    } else if (q->state & STATE_SENSITIVE && (item == A_dictionary || item == A_messages || item == A_backtrace)) {
        value = item == A_backtrace ? bits_from(HEAP(p), NULL, 0) : NIL;
    } else {
        value = items[i].ask(p, q);
    }
    BUMP(p, 2);
    return value == NONE ? NONE : pair(p, item, value);
}

static term ask_all(Process *p, Process *q, term list) {
    term result = NIL, *last = &result;
    for (; is_cons(list); list = tail(list)) {
        term answer = ask(p, q, head(list));
        if (answer == NONE) {
            return NONE;
        }
        term *cell = heap_alloc(HEAP(p), 2);
        cell[0] = answer, cell[1] = NIL;
        *last = make_cons(cell);
        last = &cell[1];
    }
    return result;
}

/* What process_info/1 tells. */
static term ask_first(Process *p, Process *q) {
    term list = NIL;
    for (size_t i = ARRAY_LEN(items); i-- > 0;) {
        if (!items[i].first || (items[i].item == A_registered_name && !(q->state & STATE_NAMED))) {
            continue;
        }
        term answer = ask(p, q, items[i].item);
        if (answer == NONE) {
            return NONE;
        }
        list = heap_cons(HEAP(p), answer, list);
    }
    return list;
}

/* Are these items? NIL is an empty list of them. */
static bool good_items(term what) {
    if (!is_list(what)) {
        return find_item(what) >= 0;
    }
    for (; is_cons(what); what = tail(what)) {
        if (find_item(head(what)) < 0) {
            return false;
        }
    }
    return what == NIL;
}

/* what NONE: process_info/1. again: the built-in that asks, a: its arguments. */
static term process_info(Process *p, const Export *again, const term *a, term what) {
    term pid = a[0];
    VM *vm = process_vm(p);
    if (!is_local_pid(pid)) {
        bool old_pid = is_external(pid, EXTERNAL_PID) && ((External *)boxed(pid))->node == node_name(vm);
        return old_pid && (what == NONE || good_items(what)) ? A_undefined : raise_badarg(p);
    }
    if (what != NONE && !good_items(what)) {
        return raise_badarg(p);
    }
    Process *q = process_find(vm, pid);
    if (q == p) {
        signals_handle(p);
        if (process_must_leave(p)) {
            return bif_yield(p, A_undefined);
        }
    } else {
        Entered entered = q == NULL ? ENTER_GONE : process_enter(q);
        if (entered == ENTER_BUSY) {
            return bif_ask(p, q, again, a);
        }
        if (entered == ENTER_GONE) {
            return A_undefined;
        }
    }
    term result;
    if (what == NONE) {
        result = ask_first(p, q);
    } else if (what == A_registered_name && !(q->state & STATE_NAMED)) {
        result = NIL;
    } else {
        result = is_list(what) ? ask_all(p, q, what) : ask(p, q, what);
    }
    if (q != p) {
        process_leave(q);
    }
    return result == NONE ? raise_error(p, A_system_limit) : result;
}

BIF(erlang, process_info, 1) {
    return process_info(p, BIF_EXPORT(p, erlang, process_info, 1), a, NONE);
}

BIF(erlang, process_info, 2) {
    return process_info(p, BIF_EXPORT(p, erlang, process_info, 2), a, a[1]);
}

/* Prints a backtrace on standard error. */
BIF(erts_internal, process_display, 2) {
    if (!is_local_pid(a[0])) {
        return A_badarg;
    }
    if (a[1] != A_backtrace) {
        return A_badopt;
    }
    term info = process_info(p, BIF_EXPORT(p, erts_internal, process_display, 2), a, A_backtrace);
    if (info == NONE && p->heap.reason == A_trap) {
        return NONE;
    }
    if (info == NONE || !is_tuple(info)) {
        return A_badarg;
    }
    BitsBytes text;
    if (bits_bytes(process_vm(p), element(info, 2), &text)) {
        platform_write(2, text.at, text.size);
        bits_bytes_done(process_vm(p), &text);
    }
    return A_true;
}
