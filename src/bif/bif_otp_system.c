/* What OTP's system processes and its own modules of the preloaded set call: tracers, literal areas, signals of processes that
   run on other threads. */
#include "bif/bif.h"
#include "proc/signal.h"

/* --- erl_tracer: the tracer that sends messages ----------------------------------------------------------------------- */

static bool is_alive(Process *p, term t) {
    return is_local_pid(t) && process_find(process_vm(p), t) != NULL;
}

/* enabled(Tag, Tracer, Tracee) -> trace | discard | remove. */
BIF(erl_tracer, enabled, 3) {
    bool status = a[0] == A_trace_status;
    if (!is_alive(p, a[1])) {
        return status ? A_remove : A_discard;
    }
    return a[1] == a[2] && !status ? A_discard : A_trace;
}

/* trace(Tag, Tracer, Tracee, Term, Options) sends {trace, Tracee, Tag, Term [, Extra]}. */
BIF(erl_tracer, trace, 5) {
    Heap *h = HEAP(p);
    if (is_alive(p, a[1]) && a[1] != a[2]) {
        message_send(p->scheduler, p, a[1], TUPLE4(h, A_trace, a[2], a[0], a[3]));
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
