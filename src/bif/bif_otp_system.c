/* What OTP's system processes and its own modules of the preloaded set call: tracers, literal areas, signals of processes that
   run on other threads. */
#include "bif/bif.h"
#include "data/map.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "trace/trace.h"

/* --- erl_tracer: the tracer that sends messages ----------------------------------------------------------------------- */

/* enabled(Tag, Tracer, Tracee) -> trace | discard | remove. */
BIF(erl_tracer, enabled, 3) {
    const Tracer t = {.module = A_erl_tracer, .state = a[1]};
    return tracer_enabled(process_vm(p), &t, a[0], a[2]);
}

/* trace(Tag, Tracer, Tracee, Term, Options) */
BIF(erl_tracer, trace, 5) {
    VM *vm = process_vm(p);
    const Tracer t = {.module = A_erl_tracer, .state = a[1]};
    term extra = NONE, result = NONE, time = NONE;
    if (is_map(a[4])) {
        extra = map_get(vm, a[4], A_extra), result = map_get(vm, a[4], A_match_spec_result), time = map_get(vm, a[4], A_timestamp);
    }
    uint32_t flags = time == A_timestamp          ? TRACE_TIMESTAMP
                     : time == A_monotonic        ? TRACE_MONOTONIC
                     : time == A_strict_monotonic ? TRACE_STRICT_MONOTONIC
                                                  : 0;
    if (target_alive(vm, a[1])) {
        trace_report(vm, &t, flags, a[2], a[0], a[3], extra, result == NONE ? A_true : result);
    }
    return A_ok;
}

/* --- erts_literal_area_collector -------------------------------------------------------------------------------------- */

/* Literals of purged code are freed by proc/literals.c, which looks at all processes between their slices. So the collector
   process is never told of an area. */
BIF(erts_literal_area_collector, release_area_switch, 0) {
    return A_false;
}

BIF(erts_literal_area_collector, send_copy_request, 3) {
    return is_local_pid(a[0]) ? A_ok : raise_badarg(p);
}

/* --- erts_trace_cleaner ----------------------------------------------------------------------------------------------- */

BIF(erts_trace_cleaner, check, 0) {
    return A_undefined;
}

BIF(erts_trace_cleaner, send_trace_clean_signal, 1) {
    return is_local_pid(a[0]) ? A_true : raise_badarg(p);
}
