/* erlang:system_flag and memory. */
#include "bif/meters.h"
#include "bif/schedulers.h"
#include "bif/spawn_options.h"
#include "bif/system_flags.h"
#include "bif/topology_info.h"
#include "data/integer.h"
#include "proc/schedule.h"
#include "term/gc.h"
#include "trace/trace.h"

enum { BACKTRACE_MAX = 64 };

/* A number that is not negative; -1: something else. */
static intptr_t natural(term t) {
    return is_small(t) && small_value(t) >= 0 ? small_value(t) : -1;
}

static term set_size(Process *p, uint32_t *words, term value) {
    intptr_t n = natural(value);
    if (n < 0) {
        return raise_badarg(p);
    }
    term old = SMALL(*words);
    *words = (uint32_t)MIN(gc_next_size((size_t)MIN(n, UINT32_MAX / 2)), UINT32_MAX);
    return old;
}

static term set_limited(Process *p, uint32_t *number, term value, intptr_t limit) {
    intptr_t n = natural(value);
    if (n < 0) {
        return raise_badarg(p);
    }
    term old = SMALL(*number);
    *number = (uint32_t)MIN(n, limit);
    return old;
}

static term set_max_heap(Process *p, Processes *ps, term value) {
    HeapSettings old = ps->heap, is = old;
    if (!parse_max_heap(process_vm(p), value, &is)) {
        return raise_badarg(p);
    }
    ps->heap = is;
    return max_heap_map(p, &old);
}

static term set_logger(Process *p, Processes *ps, term value) {
    if (value != A_logger && value != A_undefined && !is_local_pid(value)) {
        return raise_badarg(p);
    }
    term old = ps->logger == NONE ? A_logger : ps->logger;
    ps->logger = value == A_logger ? NONE : value;
    return old;
}

static term finalize_time_offset(Process *p, Processes *ps, term value) {
    if (value != A_finalize) {
        return raise_badarg(p);
    }
    term was = info_time_offset(p);
    ps->time_offset_final = true;
    return was;
}

static term or_badarg(Process *p, term value) {
    return value == NONE ? raise_badarg(p) : value;
}

BIF(erlang, system_flag, 2) {
    if ((a[0] == A_sequential_tracer || a[0] == A_reset_seq_trace) && !bif_is_still(p)) {
        return bif_still(p, BIF_EXPORT(p, erlang, system_flag, 2), a);
    }
    Processes *ps = process_vm(p)->processes;
    term value = a[1];
    switch (a[0]) {
    case A_fullsweep_after: return set_limited(p, &ps->heap.full_sweep_after, value, UINT16_MAX);
    case A_backtrace_depth: return set_limited(p, &ps->backtrace_depth, value, BACKTRACE_MAX);
    case A_min_heap_size: return set_size(p, &ps->heap.min_words, value);
    case A_min_bin_vheap_size: return set_size(p, &ps->heap.min_binary_words, value);
    case A_max_heap_size: return set_max_heap(p, ps, value);
    case A_system_logger: return set_logger(p, ps, value);
    case A_multi_scheduling: return set_multi_scheduling(p, value);
    case A_schedulers_online: return set_schedulers_online(p, value);
    case A_dirty_cpu_schedulers_online: return set_dirty_cpu_online(p, value);
    case A_scheduler_bind_type: return set_bind_type(p, value);
    case A_cpu_topology: return set_cpu_topology(p, value);
    case A_internal_cpu_topology: return set_cpu_topology_internal(p, value);
    case A_scheduler_wall_time: /* the kernel knows who has turned it on, and when they end */
        return process_vm(p)->flags->booted && (value == A_true || value == A_false)
                   ? bif_trap(p, export_get(process_vm(p), A_kernel_refc, A_scheduler_wall_time, 1), 1, value)
                   : meter_set(p, METER_WALL, value);
    case A_microstate_accounting: return value == A_reset ? meter_restart(p, METER_STATES) : meter_set(p, METER_STATES, value);
    case A_time_offset: return finalize_time_offset(p, ps, value);
    case A_outstanding_system_requests_limit: return natural(value) > 0 ? value : raise_badarg(p);
    case A_trace_control_word: return or_badarg(p, trace_set_control_word(p, value));
    case A_sequential_tracer: return or_badarg(p, seq_set_tracer(p, value));
    case A_reset_seq_trace: seq_reset(process_vm(p)); return A_true;
    case A_debug_flags: return A_true;
    default: return raise_error_cause(p, A_badarg, A_badopt);
    }
}

/* --- Memory -------------------------------------------------------------------------------------------------------- */

/* Bytes of one kind; -1: there is no such kind. */
static int64_t memory_of(VM *vm, term kind) {
    const Mem *m = &vm->mem;
    int64_t processes = (int64_t)(mem_used(m, MEM_PROCESS) + mem_used(m, MEM_HEAP));
    int64_t total = (int64_t)mem_total(&vm->mem);
    switch (kind) {
    case A_total: return total;
    case A_processes:
    case A_processes_used: return processes;
    case A_system: return total - processes;
    case A_atom:
    case A_atom_used: return (int64_t)mem_used(m, MEM_ATOM);
    case A_binary: return (int64_t)mem_used(m, MEM_BINARY);
    case A_code: return (int64_t)mem_used(m, MEM_CODE);
    case A_ets: return (int64_t)mem_used(m, MEM_ETS);
    default: return -1;
    }
}

static term memory_pair(Process *p, term kind) {
    int64_t bytes = memory_of(process_vm(p), kind);
    return bytes < 0 ? NONE : TUPLE2(HEAP(p), kind, integer_from_int64(HEAP(p), bytes));
}

BIF(erlang, memory, 0) {
    static const term kinds[] = {A_total, A_processes, A_processes_used, A_system, A_atom, A_atom_used, A_binary, A_code, A_ets};
    term list = NIL;
    for (size_t i = ARRAY_LEN(kinds); i-- > 0;) {
        list = heap_cons(HEAP(p), memory_pair(p, kinds[i]), list);
    }
    return list;
}

BIF(erlang, memory, 1) {
    if (is_atom(a[0])) {
        int64_t bytes = memory_of(process_vm(p), a[0]);
        return bytes < 0 ? raise_badarg(p) : integer_from_int64(HEAP(p), bytes);
    }
    term result = NIL, *last = &result, kinds = a[0];
    for (; is_cons(kinds); kinds = tail(kinds)) {
        term pair = memory_pair(p, head(kinds));
        if (pair == NONE) {
            return raise_badarg(p);
        }
        term *cell = heap_alloc(HEAP(p), 2);
        cell[0] = pair, cell[1] = NIL;
        *last = make_cons(cell);
        last = &cell[1];
    }
    return kinds == NIL ? result : raise_badarg(p);
}
