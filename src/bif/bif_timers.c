/* Built-ins of timers: send_after, start_timer, cancel_timer, read_timer. */
#include "bif/bif.h"
#include "data/integer.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "term/ref.h"

/* Erlang monotonic time, in ms, of the end of days: as in OTP. */
#define END_OF_TIME_MS ((int64_t)8646911283000)

typedef struct {
    bool async, info, absolute;
} TimerOptions;

typedef enum { STARTING, CANCELLING, READING } TimerCall; /* {abs, _}; {async, _}, {info, _}; {async, _} */

static bool parse_flag(term value, bool *flag) {
    *flag = value == A_true;
    return value == A_true || value == A_false;
}

static bool parse_options(term list, TimerCall call, TimerOptions *o) {
    *o = (TimerOptions){.info = true};
    for (; is_cons(list); list = tail(list)) {
        term option = head(list);
        if (!is_tuple_of(option, 2)) {
            return false;
        }
        term key = element(option, 1), value = element(option, 2);
        bool ok = false;
        if (call == STARTING) {
            ok = key == A_abs && parse_flag(value, &o->absolute);
        } else if (key == A_async) {
            ok = parse_flag(value, &o->async);
        } else if (key == A_info) {
            ok = call == CANCELLING && parse_flag(value, &o->info);
        }
        if (!ok) {
            return false;
        }
    }
    return list == NIL;
}

static term start(Process *p, const term *a, bool absolute, bool wrap) {
    VM *vm = process_vm(p);
    int64_t time, first = absolute ? vm->processes->clock.origin / MILLISECOND : 0;
    if (!integer_to_int64(a[0], &time) || time < first || time > END_OF_TIME_MS) {
        return raise_error_cause(p, A_badarg, A_time);
    }
    int64_t tick = absolute ? timers_at(time) : timers_after(vm, time);
    if (tick > timers_at(END_OF_TIME_MS)) {
        return raise_error_cause(p, A_badarg, A_time);
    }
    if (!is_local_pid(a[1]) && !is_atom(a[1])) {
        return raise_badarg(p);
    }
    term ref = ref_make(HEAP(p));
    if (is_local_pid(a[1]) && process_find(vm, a[1]) == NULL) {
        return ref; /* nobody is there to get it */
    }
    return bif_timer_start(p, ref, tick, a[1], a[2], wrap) ? ref : bif_no_memory(p);
}

static term start_with(Process *p, const term *a, bool wrap) {
    TimerOptions o;
    return parse_options(a[3], STARTING, &o) ? start(p, a, o.absolute, wrap) : raise_error_cause(p, A_badarg, A_badopt);
}

BIF(erlang, send_after, 3) {
    return start(p, a, false, false);
}

BIF(erlang, send_after, 4) {
    return start_with(p, a, false);
}

BIF(erlang, start_timer, 3) {
    return start(p, a, false, true);
}

BIF(erlang, start_timer, 4) {
    return start_with(p, a, true);
}

/* The milliseconds that were left, or false. */
static term left(Process *p, term ref, bool cancel) {
    int64_t ms = -1;
    if (is_local_ref(ref)) {
        ms = cancel ? bif_timer_cancel(process_vm(p), ref_low(ref), ref_high(ref))
                    : bif_timer_read(process_vm(p), ref_low(ref), ref_high(ref));
    }
    return ms < 0 ? A_false : integer_from_int64(HEAP(p), ms);
}

static term access_timer(Process *p, term ref, const TimerOptions *o, bool cancel) {
    if (!is_ref(ref)) {
        return raise_badarg(p);
    }
    term result = left(p, ref, cancel);
    if (!o->async) {
        return o->info ? result : A_ok;
    }
    if (o->info) {
        term message = TUPLE3(HEAP(p), cancel ? A_cancel_timer : A_read_timer, ref, result);
        if (!message_send(p->scheduler, p, p->pid, message)) {
            return bif_no_memory(p);
        }
    }
    return A_ok;
}

static const TimerOptions plain = {.info = true};

BIF(erlang, cancel_timer, 1) {
    return access_timer(p, a[0], &plain, true);
}

BIF(erlang, cancel_timer, 2) {
    TimerOptions o;
    return parse_options(a[1], CANCELLING, &o) ? access_timer(p, a[0], &o, true) : raise_badarg(p);
}

BIF(erlang, read_timer, 1) {
    return access_timer(p, a[0], &plain, false);
}

BIF(erlang, read_timer, 2) {
    TimerOptions o;
    return parse_options(a[1], READING, &o) ? access_timer(p, a[0], &o, false) : raise_badarg(p);
}
