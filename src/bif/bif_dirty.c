/* erts_debug:dirty_cpu/2, dirty_io/2 and dirty/3: OTP's own test programs call them to keep a scheduler of that kind busy. Here all
   run where everything runs: what they wait for, they wait for in Erlang's time. */
#include "bif/bif.h"
#include "data/integer.h"
#include "proc/signal.h"
#include "term/copy.h"

enum { COPIES = 1000 };

static term fail(Process *p, term reason) {
    bool known = reason == A_notsup || reason == A_undef || reason == A_badarith || reason == A_noproc || reason == A_system_limit;
    return raise_error(p, known ? reason : A_badarg);
}

static term copies(Process *p, term t) {
    term list = NIL;
    for (int i = 0; i < COPIES; i++) {
        term copy = term_copy(HEAP(p), t);
        if (copy == NONE) {
            return raise_heap_reason(p);
        }
        list = heap_cons(HEAP(p), copy, list);
    }
    return list;
}

static term dirty(Process *p, term kind, term what, term value) {
    switch (what) {
    case A_scheduler: return value == A_type ? kind : raise_badarg(p);
    case A_error: return fail(p, value);
    case A_copy: return copies(p, value);
    case A_send: return !is_local_pid(value) || message_send(p->scheduler, p, value, A_ok) ? A_ok : bif_no_memory(p);
    case A_reschedule: return is_small(value) && small_value(value) >= 0 && small_value(value) % 2 == 0 ? A_ok : raise_badarg(p);
    case A_alive_waitexiting: /* tells value so, and waits to be killed */
        if (is_local_pid(value) && !message_send(p->scheduler, p, value, TUPLE2(HEAP(p), A_alive, p->pid))) {
            return bif_no_memory(p);
        }
        return bif_trap(p, export_get(process_vm(p), A_timer, A_sleep, 1), 1, A_infinity);
    case A_wait: /* timer:sleep(Milliseconds) */
        return is_small(value) && small_value(value) >= 0 ? bif_trap(p, export_get(process_vm(p), A_timer, A_sleep, 1), 1, value)
                                                          : raise_badarg(p);
    default: return raise_badarg(p);
    }
}

BIF(erts_debug, dirty_cpu, 2) {
    return dirty(p, A_dirty_cpu, a[0], a[1]);
}

BIF(erts_debug, dirty_io, 2) {
    return dirty(p, A_dirty_io, a[0], a[1]);
}

BIF(erts_debug, dirty, 3) {
    return a[0] == A_normal || a[0] == A_dirty_cpu || a[0] == A_dirty_io ? dirty(p, a[0], a[1], a[2]) : raise_badarg(p);
}
