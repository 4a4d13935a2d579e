/* What the system tells about itself: system_info, statistics. */
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bif/meters.h"
#include "bif/schedulers.h"
#include "bif/spawn_options.h"
#include "bif/system_flags.h"
#include "bif/topology_info.h"
#include "data/bits.h"
#include "data/integer.h"
#include "io/nif_info.h"
#include "io/port.h"
#include "platform/platform.h"
#include "platform/processors.h"
#include "proc/schedule.h"
#include "table/ets.h"
#include "term/copy.h"
#include "term/gc.h"
#include "trace/trace.h"

enum { ETS_LIMIT = 8192 };

static term text_list(Process *p, const char *s) {
    return heap_latin1_list(HEAP(p), s, strlen(s));
}

static term unsigned_term(Process *p, uint64_t n) {
    return integer_from_uint64(HEAP(p), n);
}

/* --- system_info: one row an item. `number` or `atom`, or else a function. */

typedef term InfoFunction(Process *p);

static term info_release(Process *p) {
    return text_list(p, process_vm(p)->otp_release(process_vm(p)));
}
static term info_machine(Process *p) {
    return text_list(p, "BEAM");
}
static const SystemFlags *flags_of(Process *p) {
    return process_vm(p)->flags;
}
static term info_version(Process *p) {
    return text_list(p, process_vm(p)->erts_version(process_vm(p)));
}
static term info_architecture(Process *p) {
    struct utsname u;
    uname(&u);
    char text[sizeof u.machine + 16];
    snprintf(text, sizeof text, "%s-pc-linux-gnu", u.machine);
    return text_list(p, text);
}
/* As OTP has it, so that whoever reads it finds what there is to be found; with the name of this machine. */
static term info_system_version(Process *p) {
    char text[300];
    VM *vm = process_vm(p);
    snprintf(text, sizeof text, "Erlang/OTP %s [erts-%s] [mote] [%d-bit] [smp:1:1] [async-threads:%d]\n", vm->otp_release(vm),
             vm->erts_version(vm), WORD_BITS, vm->flags->async_threads);
    return text_list(p, text);
}
static term info_os_type(Process *p) {
    return TUPLE2(HEAP(p), A_unix, A_linux);
}
static term info_os_version(Process *p) {
    struct utsname u;
    unsigned v[3] = {0};
    uname(&u);
    sscanf(u.release, "%u.%u.%u", &v[0], &v[1], &v[2]);
    return TUPLE3(HEAP(p), SMALL(v[0]), SMALL(v[1]), SMALL(v[2]));
}
static term info_process_count(Process *p) {
    return unsigned_term(p, __atomic_load_n(&process_vm(p)->processes->count, __ATOMIC_RELAXED));
}
static term info_process_limit(Process *p) {
    return unsigned_term(p, process_vm(p)->processes->limit);
}
static term info_port_count(Process *p) {
    return SMALL(ports_count(process_vm(p)));
}
static term info_atom_count(Process *p) {
    return unsigned_term(p, atom_count(process_vm(p)));
}
static term info_atom_limit(Process *p) {
    return unsigned_term(p, atoms_limit(process_vm(p)));
}
static term info_processors(Process *p) {
    return SMALL(processors_count(true));
}
static term info_processors_available(Process *p) {
    return SMALL(process_vm(p)->processes->processors);
}
static term info_update_processors(Process *p) {
    uint32_t now = processors_count(false);
    return __atomic_exchange_n(&process_vm(p)->processes->processors, now, __ATOMIC_RELAXED) == now ? A_unchanged : A_changed;
}
static term info_start_time(Process *p) {
    return integer_from_int64(HEAP(p), process_vm(p)->processes->clock.origin);
}
static term info_end_time(Process *p) {
    return integer_from_int64(HEAP(p), INT64_C(8646911283000000000));
}
static term info_full_sweep(Process *p) {
    return TUPLE2(HEAP(p), A_fullsweep_after, unsigned_term(p, process_vm(p)->processes->heap.full_sweep_after));
}
static term info_min_heap(Process *p) {
    return TUPLE2(HEAP(p), A_min_heap_size, unsigned_term(p, process_vm(p)->processes->heap.min_words));
}
static term info_min_binary(Process *p) {
    return TUPLE2(HEAP(p), A_min_bin_vheap_size, unsigned_term(p, process_vm(p)->processes->heap.min_binary_words));
}
static term info_collection(Process *p) {
    const Processes *all = process_vm(p)->processes;
    Heap *h = HEAP(p);
    term list = heap_cons(h, TUPLE2(h, A_fullsweep_after, unsigned_term(p, all->heap.full_sweep_after)), NIL);
    list = heap_cons(h, TUPLE2(h, A_min_heap_size, unsigned_term(p, all->heap.min_words)), list);
    list = heap_cons(h, TUPLE2(h, A_min_bin_vheap_size, unsigned_term(p, all->heap.min_binary_words)), list);
    return heap_cons(h, TUPLE2(h, A_max_heap_size, unsigned_term(p, all->heap.max_words)), list);
}
static term info_queue_data(Process *p) {
    return process_vm(p)->processes->off_heap_messages ? A_off_heap : A_on_heap;
}
static term info_taints(Process *p) {
    return nif_modules == NULL ? NIL : nif_modules(HEAP(p));
}

static term info_nif_version(Process *p) {
    int release = bif_release(p);
    return text_list(p, release >= 29 ? "2.18" : release >= 26 ? "2.17" : "2.16");
}
static term info_driver_version(Process *p) {
    return text_list(p, "3.3");
}
static term info_heap_sizes(Process *p) {
    size_t sizes[200], n = 0;
    for (size_t w = gc_next_size(1); n < ARRAY_LEN(sizes) && w < SIZE_MAX / 16 / sizeof(term); w = gc_next_size(w + 1)) {
        sizes[n++] = w;
    }
    term list = NIL;
    while (n > 0) {
        list = heap_cons(HEAP(p), unsigned_term(p, sizes[--n]), list);
    }
    return list;
}
static term info_scheduler_id(Process *p) {
    return SMALL(p->scheduler->id);
}
/* Since OTP 27. This machine's own limit: 8 times OTP's. */
static term info_max_integer(Process *p) {
    size_t count = INTEGER_MAX_LIMBS;
    if (bif_release(p) < 27) {
        return raise_badarg(p);
    }
    Limb *limbs = integer_begin(HEAP(p), count);
    if (limbs == NULL) {
        return raise_heap_reason(p);
    }
    memset(limbs, 0xff, count * sizeof *limbs);
    return integer_finish(HEAP(p), limbs, count, false);
}

static term info_system_logger(Process *p) {
    term logger = process_vm(p)->processes->logger;
    return logger == NONE ? A_logger : logger;
}
static term info_allocator(Process *p) {
    return TUPLE4(HEAP(p), A_undefined, NIL, NIL, NIL);
}
/* How C makes atomic operations. What OTP has more of depends on its own library of threads. */
static term info_threading(Process *p) {
    static const char *const facts[][2] = {{"32-bit native atomics", "compiler"},
                                           {"64-bit native atomics", __GCC_ATOMIC_LLONG_LOCK_FREE == 2 ? "compiler" : "no"},
                                           {"Double word native atomics", "no"},
                                           {"Native spinlocks", "no"},
                                           {"Native rw-spinlocks", "no"}};
    term list = NIL;
    for (size_t i = ARRAY_LEN(facts); i-- > 0;) {
        list = heap_cons(HEAP(p), TUPLE2(HEAP(p), text_list(p, facts[i][0]), text_list(p, facts[i][1])), list);
    }
    return list;
}
static term info_check_io(Process *p) { /* a list with one set of descriptors, which the scheduler waits for */
    const Poll *poll = process_vm(p)->io->poll;
    Heap *h = HEAP(p);
    // clang-format off
    const term facts[][2] = {
        {A_name, A_erts_poll}, {A_primary, A_epoll}, {A_kernel_poll, A_epoll}, {A_memory_size, unsigned_term(p, poll_memory(poll))},
        {A_total_poll_set_size, unsigned_term(p, poll_watched(poll))}, {A_lazy_updates, A_false}, {A_pending_updates, SMALL(0)},
        {A_batch_updates, A_false}, {A_concurrent_updates, A_false}, {A_fallback, A_false}, {A_max_fds, SMALL(sysconf(_SC_OPEN_MAX))},
        {A_active_fds, SMALL(0)}, {A_poll_threads, SMALL(1)}};
    // clang-format on
    term list = NIL;
    for (size_t i = ARRAY_LEN(facts); i-- > 0;) {
        list = heap_cons(h, TUPLE2(h, facts[i][0], facts[i][1]), list);
    }
    return heap_cons(h, list, NIL);
}
static term info_sequential_tracer(Process *p) {
    return TUPLE2(HEAP(p), A_sequential_tracer, tracer_term(HEAP(p), seq_tracer(process_vm(p))));
}
static term info_control_word(Process *p) {
    return integer_from_uint64(HEAP(p), process_vm(p)->trace->control_word);
}
static term info_compiler(Process *p) {
    term version = TUPLE3(HEAP(p), SMALL(__GNUC__), SMALL(__GNUC_MINOR__), SMALL(__GNUC_PATCHLEVEL__));
    return TUPLE2(HEAP(p), A_gnuc, version);
}
static term clock_source(Process *p, term id, int64_t now, bool monotonic) {
    Heap *h = HEAP(p);
    term list = heap_cons(h, TUPLE2(h, A_time, integer_from_int64(h, now)), NIL);
    list = heap_cons(h, TUPLE2(h, A_parallel, A_yes), list);
    if (monotonic) {
        list = heap_cons(h, TUPLE2(h, A_extended, A_no), list);
        enum { USED_SINCE = 26 };
        list = bif_release(p) >= USED_SINCE ? heap_cons(h, TUPLE2(h, A_used_resolution, SMALL(1000000000)), list) : list;
    }
    list = heap_cons(h, TUPLE2(h, A_resolution, SMALL(1000000000)), list);
    list = heap_cons(h, TUPLE2(h, A_clock_id, id), list);
    return heap_cons(h, TUPLE2(h, A_function, A_clock_gettime), list);
}
static term info_monotonic_source(Process *p) {
    return clock_source(p, A_CLOCK_MONOTONIC, clock_platform(process_vm(p)), true);
}
static term info_system_source(Process *p) {
    return clock_source(p, A_CLOCK_REALTIME, clock_platform_system(process_vm(p)), false);
}
static term info_text(Process *p) { /* what a crash dump has in OTP */
    char text[200];
    int n = snprintf(text, sizeof text, "=memory\ntotal: %zu\n=processes\n%u\n=atoms\n%zu\n", mem_total(&process_vm(p)->mem),
                     process_vm(p)->processes->count, atom_count(process_vm(p)));
    return bits_from(HEAP(p), text, (size_t)n);
}
/* What the system was started with. */
static term number_or(int number, int otherwise) {
    return SMALL(number > 0 ? number : otherwise);
}
static term info_port_limit(Process *p) {
    return SMALL(ports_limit(process_vm(p)));
}
static term info_ets_limit(Process *p) {
    return SMALL(MAX(flags_of(p)->tables, ETS_LIMIT)); /* told, as in OTP: there is none */
}
static term info_threads(Process *p) {
    return SMALL(flags_of(p)->async_threads);
}
static term info_time_correction(Process *p) {
    return flags_of(p)->no_time_correction ? A_false : A_true;
}
static term info_time_warp(Process *p) {
    enum { MULTI_SINCE = 26 };
    term mode = flags_of(p)->time_warp;
    return mode != NONE ? mode : bif_release(p) >= MULTI_SINCE ? A_multi_time_warp : A_no_time_warp;
}
term info_time_offset(Process *p) {
    term mode = info_time_warp(p);
    return mode == A_multi_time_warp                                               ? A_volatile
           : mode == A_no_time_warp || process_vm(p)->processes->time_offset_final ? A_final
                                                                                   : A_preliminary;
}
static term info_tolerant_time(Process *p) {
    return !flags_of(p)->no_time_correction && info_time_offset(p) == A_final ? A_enabled : A_disabled;
}
static term info_compat(Process *p) {
    return number_or(flags_of(p)->compat_release, bif_release(p));
}
static term info_node_gc(Process *p) {
    int seconds = flags_of(p)->delayed_node_gc;
    return seconds == -2 ? A_infinity : SMALL(seconds < 0 ? 60 : seconds);
}
static term info_dist_busy(Process *p) {
    int kilobytes = flags_of(p)->dist_busy_limit;
    return SMALL((int64_t)1024 * (kilobytes > 0 ? kilobytes : 1024));
}
static term info_timing_level(Process *p) {
    return flags_of(p)->timing_level == 0 ? A_undefined : SMALL(flags_of(p)->timing_level);
}
static term info_break_ignored(Process *p) {
    return flags_of(p)->break_mode == 'i' ? A_true : A_false;
}
static term info_parallelism(Process *p) {
    return flags_of(p)->port_parallelism ? A_true : A_false;
}
static term info_async_dist(Process *p) {
    return flags_of(p)->async_dist ? A_true : A_false;
}
static term info_outstanding(Process *p) {
    return number_or(flags_of(p)->outstanding_requests, 4);
}
static term info_ets_count(Process *p) {
    return unsigned_term(p, ets_count(process_vm(p)));
}
static term info_mote(Process *p) {
    return text_list(p, MOTE_VERSION);
}
static term info_snifs(Process *p) {
    return builtin_functions(HEAP(p));
}
static const struct {
    term item;
    term value; /* NONE: ask */
    InfoFunction *ask;
    // clang-format off
} items[] = {
    {A_otp_release, NONE, info_release}, {A_version, NONE, info_version}, {A_machine, NONE, info_machine},
    {A_wordsize, SMALL(sizeof(term)), NULL}, {A_schedulers, NONE, info_schedulers}, {A_schedulers_online, NONE, info_schedulers_online},
    {A_schedulers_state, NONE, info_schedulers_state}, {A_dirty_cpu_schedulers, NONE, info_dirty_cpu}, {A_dirty_cpu_schedulers_online, NONE, info_dirty_cpu_online},
    {A_dirty_io_schedulers, NONE, info_dirty_io}, {A_process_count, NONE, info_process_count}, {A_process_limit, NONE, info_process_limit},
    {A_atom_count, NONE, info_atom_count}, {A_atom_limit, NONE, info_atom_limit}, {A_port_count, NONE, info_port_count},
    {A_port_limit, NONE, info_port_limit}, {A_ets_limit, NONE, info_ets_limit}, {A_ets_count, NONE, info_ets_count}, {A_emu_flavor, A_emu, NULL},
    {A_emu_type, A_opt, NULL}, {A_build_type, A_opt, NULL}, {A_os_type, NONE, info_os_type}, {A_os_version, NONE, info_os_version},
    {A_system_architecture, NONE, info_architecture}, {A_system_version, NONE, info_system_version}, {A_smp_support, A_true, NULL},
    {A_threads, A_true, NULL}, {A_thread_pool_size, NONE, info_threads}, {A_time_correction, NONE, info_time_correction},
    {A_time_warp_mode, NONE, info_time_warp}, {A_start_time, NONE, info_start_time}, {A_end_time, NONE, info_end_time},
    {A_endian, A_little, NULL}, {A_fullsweep_after, NONE, info_full_sweep}, {A_garbage_collection, NONE, info_collection},
    {A_heap_type, A_private, NULL}, {A_kernel_poll, A_true, NULL}, {A_logical_processors, NONE, info_processors},
    {A_logical_processors_online, NONE, info_processors}, {A_logical_processors_available, NONE, info_processors_available},
    {A_min_heap_size, NONE, info_min_heap}, {A_min_bin_vheap_size, NONE, info_min_binary}, {A_message_queue_data, NONE, info_queue_data},
    {A_multi_scheduling, NONE, info_multi_scheduling}, {A_multi_scheduling_blockers, NONE, info_blockers}, {A_nif_version, NONE, info_nif_version},
    {A_driver_version, NONE, info_driver_version}, {A_dist_ctrl, NIL, NULL}, {A_compat_rel, NONE, info_compat}, {A_creation, SMALL(0), NULL},
    {A_debug_compiled, A_false, NULL}, {A_delayed_node_table_gc, NONE, info_node_gc}, {A_dist_buf_busy_limit, NONE, info_dist_busy},
    {A_dynamic_trace, A_none, NULL}, {A_dynamic_trace_probes, A_false, NULL}, {A_modified_timing_level, NONE, info_timing_level},
    {A_port_parallelism, NONE, info_parallelism}, {A_scheduler_bind_type, NONE, info_bind_type}, {A_scheduler_bindings, NONE, info_bindings},
    {A_scheduler_id, NONE, info_scheduler_id}, {A_tolerant_timeofday, NONE, info_tolerant_time}, {A_trace_control_word, NONE, info_control_word},
    {A_update_cpu_info, NONE, info_update_processors}, {A_eager_check_io, A_true, NULL}, {A_context_reductions, SMALL(SLICE_REDUCTIONS), NULL},
    {A_cpu_topology, NONE, info_cpu_topology}, {A_allocator, NONE, info_allocator}, {A_alloc_util_allocators, NIL, NULL},
    {A_cpu_quota, A_unknown, NULL}, {A_taints, NONE, info_taints}, {A_heap_sizes, NONE, info_heap_sizes}, {A_ethread_info, NONE, info_threading}, {A_ethread_used_tse, SMALL(1), NULL}, {A_system_logger, NONE, info_system_logger},
    {A_time_offset, NONE, info_time_offset}, {A_normal_multi_scheduling_blockers, NONE, info_normal_blockers},
    {A_sequential_tracer, NONE, info_sequential_tracer}, {A_c_compiler_used, NONE, info_compiler},
    {A_os_monotonic_time_source, NONE, info_monotonic_source}, {A_os_system_time_source, NONE, info_system_source},
    {A_hipe_architecture, A_undefined, NULL}, {A_outstanding_system_requests_limit, NONE, info_outstanding}, {A_check_io, NONE, info_check_io},
    {A_break_ignored, NONE, info_break_ignored}, {A_constant_pool_support, A_true, NULL}, {A_info, NONE, info_text}, {A_procs, NONE, info_text},
    {A_loaded, NONE, info_text}, {A_dist, NONE, info_text}, {A_allocated_areas, NIL, NULL}, {A_snifs, NONE, info_snifs}, {A_mote, NONE, info_mote},
    {A_all_schedulers_state, NONE, info_all_schedulers_state}, {A_beam_jump_table, A_true, NULL}, {A_lock_checking, A_false, NULL},
    {A_lock_counting, A_false, NULL}, {A_io_thread, A_false, NULL}, {A_port_tasks, A_true, NULL}, {A_literal_test, A_range, NULL},
    {A_ets_realloc_moves, A_false, NULL}, {A_run_queues, NONE, info_schedulers}, {A_schedulers_active, NONE, info_schedulers_active}, {A_schedulers_total, NONE, info_schedulers},
    {A_async_dist, NONE, info_async_dist}, {A_max_integer, NONE, info_max_integer}, {A_ets_always_compress, A_false, NULL}, {A_halt_flush_timeout, A_infinity, NULL},
};
// clang-format on

/* OTP's allocators are not here: the caller is sent {Ref, Scheduler, [{Allocator, false}]}, as if all were turned off. */
static term tell_allocators(Process *p, term ref, term names) {
    Heap h;
    heap_init_detached(&h, process_vm(p));
    term list = NIL;
    for (; is_cons(names); names = tail(names)) {
        list = heap_cons(&h, TUPLE2(&h, head(names), A_false), list);
    }
    if (names != NIL || !is_ref(ref)) {
        heap_free_fragments(process_vm(p), heap_detach(&h));
        return raise_badarg(p);
    }
    message_send_built(p->scheduler, p->pid, TUPLE3(&h, term_copy(&h, ref), SMALL(1), list), &h);
    return A_true;
}

/* OTP's allocators, none of which is in use here: false. Of a list, pairs. */
static term allocator_info(Process *p, term which) {
    static const term names[] = {A_sys_alloc,    A_temp_alloc,   A_sl_alloc,   A_std_alloc,     A_ll_alloc,
                                 A_eheap_alloc,  A_ets_alloc,    A_fix_alloc,  A_literal_alloc, A_exec_alloc,
                                 A_binary_alloc, A_driver_alloc, A_mseg_alloc, A_test_alloc,    A_erts_mmap};
    if (is_atom(which)) {
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
            if (names[i] == which) {
                return A_false;
            }
        }
        return raise_badarg(p);
    }
    term list = NIL, *last = &list;
    for (; is_cons(which); which = tail(which)) {
        if (!is_atom(head(which)) || allocator_info(p, head(which)) == NONE) {
            return raise_badarg(p);
        }
        term *cell = heap_alloc(HEAP(p), 2);
        cell[0] = TUPLE2(HEAP(p), head(which), A_false), cell[1] = NIL;
        *last = make_cons(cell);
        last = &cell[1];
    }
    return which == NIL ? list : raise_badarg(p);
}

BIF(erlang, system_info, 1) {
    if (is_tuple_of(a[0], 2) && element(a[0], 1) == A_wordsize && (element(a[0], 2) == A_internal || element(a[0], 2) == A_external)) {
        return SMALL(sizeof(term));
    }
    if (is_tuple_of(a[0], 3) && (element(a[0], 1) == A_memory_internal || element(a[0], 1) == A_allocator_sizes)) {
        return tell_allocators(p, element(a[0], 2), element(a[0], 3));
    }
    if (is_tuple_of(a[0], 2)) {
        term item = element(a[0], 1);
        return item == A_cpu_topology                             ? info_cpu_topology_of(p, element(a[0], 2))
               : item == A_allocator || item == A_allocator_sizes ? allocator_info(p, element(a[0], 2))
                                                                  : raise_badarg(p);
    }
    if (a[0] == A_max_heap_size) {
        return max_heap_map(p, &process_vm(p)->processes->heap);
    }
    for (size_t i = 0; i < ARRAY_LEN(items); i++) {
        if (items[i].item == a[0] && (items[i].value != NONE || items[i].ask != NULL)) {
            return items[i].value != NONE ? items[i].value : items[i].ask(p);
        }
    }
    return raise_badarg(p);
}

/* --- statistics */

static uint64_t reductions_now(Process *p) {
    return scheduler_totals(process_vm(p)).reductions + (uint64_t)MAX(0, SLICE_REDUCTIONS - p->heap.reds);
}

static term since_last(Process *p, uint64_t now, uint64_t *last) {
    uint64_t delta = now - *last;
    *last = now;
    return TUPLE2(HEAP(p), unsigned_term(p, now), unsigned_term(p, delta));
}

BIF(erlang, statistics, 1) {
    VM *vm = process_vm(p);
    Processes *all = vm->processes;
    SchedulerTotals s = scheduler_totals(vm);
    Heap *h = HEAP(p);
    if (a[0] == A_reductions || a[0] == A_exact_reductions) {
        return since_last(p, reductions_now(p), &all->last_reductions);
    }
    if (a[0] == A_runtime) {
        uint64_t now = (uint64_t)(clock_cpu(process_vm(p)) / 1000000);
        return since_last(p, now, (uint64_t *)&all->clock.last_cpu);
    }
    if (a[0] == A_wall_clock) {
        uint64_t now = (uint64_t)((clock_monotonic(vm) - all->clock.origin) / 1000000);
        return since_last(p, now, (uint64_t *)&all->clock.last_wall);
    }
    if (a[0] == A_context_switches) {
        return TUPLE2(h, unsigned_term(p, s.context_switches), SMALL(0));
    }
    if (a[0] == A_garbage_collection) {
        return TUPLE3(h, unsigned_term(p, s.collections), unsigned_term(p, s.words_reclaimed), SMALL(0));
    }
    if (a[0] == A_io) {
        return TUPLE2(h, TUPLE2(h, A_input, unsigned_term(p, vm->io->input)), TUPLE2(h, A_output, unsigned_term(p, vm->io->output)));
    }
    if (a[0] == A_microstate_accounting) {
        return microstates(p);
    }
    if (a[0] == A_scheduler_wall_time || a[0] == A_scheduler_wall_time_all) {
        return wall_time(p, a[0] == A_scheduler_wall_time_all);
    }
    term queues = queue_statistics(p, a[0]);
    return queues == NONE ? raise_badarg(p) : queues;
}

/* --- Odds and ends */

BIF(erts_internal, get_creation, 0) {
    return SMALL(0);
}

BIF(net_kernel, dflag_unicode_io, 1) {
    return is_pid(a[0]) ? A_true : raise_badarg(p);
}

BIF(error_logger, warning_map, 0) {
    return flags_of(p)->warnings;
}

BIF(erts_internal, no_aux_work_threads, 0) { /* who answers system_info({allocator_sizes, Ref, ...}), and one more */
    return SMALL(2);
}

BIF(erts_internal, scheduler_wall_time, 1) {
    return meter_set(p, METER_WALL, a[0]);
}

BIF(erts_internal, system_check, 1) {
    return a[0] == A_schedulers ? A_ok : raise_badarg(p);
}
