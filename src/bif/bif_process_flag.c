/* Built-ins that change how processes run: flags, group leaders, suspension, collection, priorities, halting. */
#include "base/utf8.h"
#include "bif/spawn_options.h"
#include "data/integer.h"
#include "data/map.h"
#include "proc/collect.h"
#include "proc/dictionary.h"
#include "proc/relation.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "term/copy.h"
#include "term/gc.h"
#include "term/ref.h"
#include "trace/trace.h"

/* --- process_flag -------------------------------------------------------------------------------------------------- */

/* A flag that has two values. */
static term set_bit(Process *p, uint16_t flag, term on, term value, term off) {
    term old = p->flags & flag ? on : off;
    if (value == on) {
        p->flags |= flag;
    } else if (value == off) {
        p->flags &= (uint16_t)~flag;
    } else {
        return raise_badarg(p);
    }
    return old;
}

static term set_sensitive(Process *p, term value) {
    term old = process_state(p) & STATE_SENSITIVE ? A_true : A_false;
    if (value == A_true) {
        process_set(p, STATE_SENSITIVE);
    } else if (value == A_false) {
        process_clear(p, STATE_SENSITIVE);
    } else {
        return raise_badarg(p);
    }
    return old;
}

/* A size in words: at least `minimum`; the value that it had. */
static term set_words(Process *p, uint32_t *words, term value, uint32_t minimum) {
    if (!is_small(value) || small_value(value) < 0) {
        return raise_badarg(p);
    }
    size_t n = MIN((size_t)small_value(value), UINT32_MAX / 2);
    term old = SMALL(*words);
    *words = n < minimum ? minimum : (uint32_t)gc_next_size(n);
    return old;
}

static term set_max_heap(Process *p, ProcessExtra *e, term value) {
    HeapSettings was = e->heap, is = was;
    if (!parse_max_heap(process_vm(p), value, &is)) {
        return raise_badarg(p);
    }
    e->heap = is;
    return max_heap_map(p, &was);
}

static term set_full_sweep(Process *p, ProcessExtra *e, term value) {
    if (!is_small(value) || small_value(value) < 0) {
        return raise_badarg(p);
    }
    term old = SMALL(e->heap.full_sweep_after);
    e->heap.full_sweep_after = (uint16_t)small_value(value);
    return old;
}

static term set_error_handler(Process *p, ProcessExtra *e, term value) {
    if (!is_atom(value)) {
        return raise_badarg(p);
    }
    term old = e->error_handler == NONE ? A_error_handler : e->error_handler;
    e->error_handler = value;
    return old;
}

/* Those that process_flag/3 can set, too. NONE: bad value. */
static term set_save_calls(Process *p, term value) {
    if (!is_small(value) || small_value(value) < 0 || small_value(value) > 10000) {
        return NONE;
    }
    term old = SMALL(saved_calls_size(p));
    return saved_calls_set(p, (uint32_t)small_value(value)) ? old : NONE;
}

static term set_priority(Process *p, term value) {
    Priority priority;
    if (!parse_priority(value, &priority)) {
        return raise_badarg(p);
    }
    term old = priority_atom((Priority)p->priority);
    p->priority = priority;
    return old;
}

/* Flags kept in ProcessExtra; *known: is it one of them? */
static term set_extra_flag(Process *p, term flag, term value, bool *known) {
    *known = flag == A_error_handler || flag == A_fullsweep_after || flag == A_min_heap_size || flag == A_min_bin_vheap_size ||
             flag == A_max_heap_size || flag == A_save_calls;
    if (!*known) {
        return NONE;
    }
    ProcessExtra *e = process_extra(p);
    if (e == NULL) {
        return bif_no_memory(p);
    }
    if (flag == A_error_handler) {
        return set_error_handler(p, e, value);
    }
    if (flag == A_fullsweep_after) {
        return set_full_sweep(p, e, value);
    }
    if (flag == A_min_heap_size) {
        return set_words(p, &e->heap.min_words, value, MIN_HEAP_WORDS);
    }
    if (flag == A_min_bin_vheap_size) {
        return set_words(p, &e->heap.min_binary_words, value, MIN_BINARY_WORDS);
    }
    if (flag == A_max_heap_size) {
        return set_max_heap(p, e, value);
    }
    term old = set_save_calls(p, value);
    return old == NONE ? raise_error_cause(p, A_badarg, A_none) : old;
}

/* What net_kernel:monitor_nodes asks for: how often the process has asked before. Options are a map, or none. */
static term monitor_nodes(Process *p, term options, term on) {
    static const term items[] = {A_list, A_connection_id, A_node_type, A_nodedown_reason};
    VM *vm = process_vm(p);
    size_t known = 0;
    bool good = (on == A_true || on == A_false) && (options == NIL || is_map(options));
    for (size_t i = 0; i < ARRAY_LEN(items) && good && options != NIL; i++) {
        term value = map_get(vm, options, items[i]);
        known += value != NONE;
        good = value == NONE || (items[i] == A_node_type ? value == A_visible || value == A_hidden || value == A_all
                                                         : value == A_true || (value == A_false && items[i] != A_list));
    }
    if (!good || (options != NIL && known != map_size(options))) {
        return raise_badarg(p);
    }
    ProcessExtra *e = process_extra(p);
    if (e == NULL) {
        return bif_no_memory(p);
    }
    uint32_t old = e->node_monitors;
    e->node_monitors = on == A_true ? old + 1 : 0;
    return SMALL(old);
}

static term set_scheduler(Process *p, term value) {
    if (!is_small(value) || small_value(value) < 0 || small_value(value) > process_vm(p)->processes->scheduler_count) {
        return raise_badarg(p);
    }
    ProcessExtra *e = process_extra(p);
    if (e == NULL) {
        return bif_no_memory(p);
    }
    term old = SMALL(e->bound);
    process_bind(p, (uint32_t)small_value(value));
    return e->bound == 0 || e->bound == p->scheduler->id ? old : bif_yield(p, old); /* it goes on where it belongs */
}

BIF(erlang, process_flag, 2) {
    if (a[0] == A_save_calls && !bif_is_still(p)) {
        return bif_still(p, BIF_EXPORT(p, erlang, process_flag, 2), a);
    }
    term flag = a[0], value = a[1];
    if (flag == A_trap_exit) {
        return set_bit(p, FLAG_TRAP_EXIT, A_true, value, A_false);
    }
    if (flag == A_priority) {
        return set_priority(p, value);
    }
    if (flag == A_message_queue_data) {
        return set_bit(p, FLAG_OFF_HEAP_MESSAGES, A_off_heap, value, A_on_heap);
    }
    if (flag == A_sensitive) {
        return set_sensitive(p, value);
    }
    if (flag == A_async_dist) {
        return set_bit(p, FLAG_ASYNC_DIST, A_true, value, A_false);
    }
    if (flag == A_scheduler) {
        return set_scheduler(p, value);
    }
    if (flag == A_monitor_nodes || (is_tuple_of(flag, 2) && element(flag, 1) == A_monitor_nodes)) {
        return monitor_nodes(p, flag == A_monitor_nodes ? NIL : element(flag, 2), value);
    }
    bool known;
    term old = set_extra_flag(p, flag, value, &known);
    return known ? old : raise_error_cause(p, A_badarg, A_badopt);
}

/* Enters the process with this pid: NULL: it is not there, or has just ended; or *busy must be asked first. Entering oneself
   handles one's signals. */
static Process *enter(Process *p, term pid, Process **busy) {
    Process *q = process_find(process_vm(p), pid);
    *busy = NULL;
    if (q == p) {
        signals_handle(p);
        return p;
    }
    Entered entered = q == NULL ? ENTER_GONE : process_enter(q);
    *busy = entered == ENTER_BUSY ? q : NULL;
    return entered == ENTER_DONE ? q : NULL;
}

static void leave(Process *p, Process *q) {
    if (q != p) {
        process_leave(q);
    }
}

/* The caller in erlang.erl raises what is returned as an atom. */
BIF(erts_internal, process_flag, 3) {
    if (a[1] == A_save_calls && !bif_is_still(p)) {
        return bif_still(p, BIF_EXPORT(p, erts_internal, process_flag, 3), a);
    }
    if (!is_local_pid(a[0])) {
        return A_badtype;
    }
    Process *busy, *q = enter(p, a[0], &busy);
    if (busy != NULL) {
        return bif_ask(p, busy, BIF_EXPORT(p, erts_internal, process_flag, 3), a);
    }
    if (q == NULL) {
        return A_badtype;
    }
    if (a[1] != A_save_calls) {
        leave(p, q);
        return A_badarg;
    }
    term old = set_save_calls(q, a[2]);
    leave(p, q);
    return old == NONE ? A_badarg : old;
}

/* --- Group leaders ------------------------------------------------------------------------------------------------- */

BIF(erlang, group_leader, 0) {
    return p->group_leader;
}

static term set_group_leader(Process *p, term leader, term pid, Process **busy) {
    *busy = NULL;
    if (!is_pid(leader) || !is_pid(pid)) {
        return A_badarg;
    }
    Process *q = is_local_pid(pid) ? enter(p, pid, busy) : NULL;
    if (q == NULL) {
        return A_badarg;
    }
    term copy = term_copy(HEAP(q), leader);
    if (copy != NONE) {
        q->group_leader = copy;
    }
    leave(p, q);
    return copy == NONE ? A_badarg : A_true;
}

BIF(erts_internal, group_leader, 2) {
    Process *busy;
    term result = set_group_leader(p, a[0], a[1], &busy);
    return busy != NULL ? bif_ask(p, busy, BIF_EXPORT(p, erts_internal, group_leader, 2), a) : result;
}

BIF(erts_internal, group_leader, 3) {
    if (!is_ref(a[2])) {
        return raise_badarg(p);
    }
    Process *busy;
    term result = set_group_leader(p, a[0], a[1], &busy);
    if (busy != NULL) {
        return bif_ask(p, busy, BIF_EXPORT(p, erts_internal, group_leader, 3), a);
    }
    term message = TUPLE2(HEAP(p), a[2], result);
    return message_send(p->scheduler, p, p->pid, message) ? A_ok : bif_no_memory(p);
}

/* --- Suspension ---------------------------------------------------------------------------------------------------- */

typedef struct {
    bool unless_suspending, asynchronous;
    term reply_tag;
} SuspendOptions;

static bool parse_suspend_options(term list, SuspendOptions *o) {
    *o = (SuspendOptions){.reply_tag = NONE};
    for (; is_cons(list); list = tail(list)) {
        term option = head(list);
        if (option == A_unless_suspending) {
            o->unless_suspending = true;
        } else if (option == A_asynchronous) {
            o->asynchronous = true;
        } else if (is_tuple_of(option, 2) && element(option, 1) == A_asynchronous) {
            o->asynchronous = true;
            o->reply_tag = element(option, 2);
        } else {
            return false;
        }
    }
    return list == NIL;
}

/* One more suspension of q by p. NONE: no memory. */
static term suspend(Process *p, Process *q, bool unless_suspending) {
    bool made;
    Relation *mine = relation_find(p, RELATION_SUSPENDED, q->pid, 0);
    if (mine != NULL && unless_suspending) {
        return A_false;
    }
    mine = relation_add(p, RELATION_SUSPENDED, q->pid, 0, &made);
    if (mine == NULL || !process_suspend(q, p->pid)) {
        if (mine != NULL && made) {
            relation_remove(p, mine);
        }
        return NONE;
    }
    mine->other = q->pid;
    mine->count++;
    return A_true;
}

BIF(erts_internal, suspend_process, 2) {
    SuspendOptions o;
    if (!is_local_pid(a[0]) || a[0] == p->pid) {
        return A_badarg;
    }
    if (!parse_suspend_options(a[1], &o)) {
        return A_badopt;
    }
    Process *busy, *q = process_find(process_vm(p), a[0]);
    if (o.asynchronous && q != NULL) {
        const Relation *mine = relation_find(p, RELATION_SUSPENDED, a[0], 0);
        if (mine == NULL || (mine->count == 0 && !o.unless_suspending)) {
            return suspend_ask(p, q, o.reply_tag) ? A_true : bif_no_memory(p);
        }
    }
    q = enter(p, a[0], &busy);
    if (busy != NULL) {
        return bif_ask(p, busy, BIF_EXPORT(p, erts_internal, suspend_process, 2), a);
    }
    term result = q == NULL ? (o.asynchronous ? A_true : A_badarg) : suspend(p, q, o.unless_suspending);
    if (q != NULL) {
        leave(p, q);
    }
    if (result == NONE) {
        return bif_no_memory(p);
    }
    if (o.reply_tag != NONE) { /* {Tag, Was it suspended, or has it exited?} */
        term message = TUPLE2(HEAP(p), o.reply_tag, q == NULL ? A_exited : A_suspended);
        if (!message_send(p->scheduler, p, p->pid, message)) {
            return bif_no_memory(p);
        }
    }
    return result;
}

BIF(erlang, resume_process, 1) {
    Relation *mine = is_local_pid(a[0]) ? relation_find(p, RELATION_SUSPENDED, a[0], 0) : NULL;
    if (mine == NULL) {
        return raise_badarg(p);
    }
    Process *busy, *q = enter(p, a[0], &busy);
    if (busy != NULL) {
        return bif_ask(p, busy, BIF_EXPORT(p, erlang, resume_process, 1), a);
    }
    if (q == NULL) {
        relation_remove(p, mine);
        return raise_badarg(p);
    }
    if (mine->flags > 0) { /* what it was asked for is in effect, now that it has been entered; it has said so */
        signals_handle(p);
        if (process_must_leave(p)) {
            leave(p, q);
            return bif_yield(p, A_true);
        }
    }
    Relation *theirs = relation_find(q, RELATION_SUSPENDER, p->pid, 0);
    process_resume(q, 1);
    theirs->count--;
    if (--mine->count == 0) {
        relation_remove(p, mine);
        relation_remove(q, theirs);
    }
    leave(p, q);
    return A_true;
}

/* --- Collection and other tasks ------------------------------------------------------------------------------------ */

/* Takes place when the built-in has returned: nothing moves while it runs. */
/* Of OTP 28: waits for a message, like hibernate/3, and returns. */
BIF(erlang, hibernate, 0) {
    p->flags |= FLAG_HIBERNATES;
    return bif_yield(p, A_ok);
}

BIF(erts_internal, garbage_collect, 1) {
    if (a[0] != A_major && a[0] != A_minor) {
        return raise_badarg(p);
    }
    p->flags |= FLAG_GC_WANTED | (a[0] == A_major ? FLAG_FULL_SWEEP : 0);
    return A_true;
}

static term collect(Process *p, term pid, bool major, Process **busy) {
    Process *q = enter(p, pid, busy);
    if (q == NULL) {
        return A_false;
    }
    q->flags |= major ? FLAG_FULL_SWEEP : 0;
    if (q == p) {
        p->flags |= FLAG_GC_WANTED;
    } else {
        process_collect(q, 0, 0);
        leave(p, q);
    }
    return A_true;
}

BifFunction bif_erts_internal_check_process_code_1;

static term check_code(Process *p, term pid, term module, Process **busy) {
    Process *q = enter(p, pid, busy);
    if (q == NULL) {
        return A_false;
    }
    term result = bif_erts_internal_check_process_code_1(q, &module);
    leave(p, q);
    return result;
}

/* {Kind, Id, Argument} done to the process; the answer {Kind, Id, Result} goes to the requester. {system_task_test, Id} does nothing. */
static term system_task(Process *p, const Export *again, const term *a, term requester, term pid, term priority, term request) {
    Process *busy = NULL;
    Priority ignored;
    bool test = is_tuple_of(request, 2) && element(request, 1) == A_system_task_test;
    bool good = (is_tuple_of(request, 3) || test) && (priority == A_inherit || parse_priority(priority, &ignored));
    term kind = good ? element(request, 1) : NONE, argument = good && !test ? element(request, 3) : NONE, result;
    if (!is_local_pid(pid) || !is_local_pid(requester)) {
        return raise_badarg(p);
    }
    if (kind == A_garbage_collect) {
        result = collect(p, pid, argument != A_minor, &busy);
    } else if (kind == A_check_process_code && is_atom(argument)) {
        result = check_code(p, pid, argument, &busy);
    } else if (kind == A_copy_literals || test) {
        result = test ? A_true : A_ok;
    } else {
        return raise_badarg(p);
    }
    if (busy != NULL) {
        return bif_ask(p, busy, again, a);
    }
    term message = TUPLE3(HEAP(p), kind, element(request, 2), result);
    return message_send(p->scheduler, p, requester, message) ? A_ok : bif_no_memory(p);
}

BIF(erts_internal, request_system_task, 3) {
    return system_task(p, BIF_EXPORT(p, erts_internal, request_system_task, 3), a, p->pid, a[0], a[1], a[2]);
}

BIF(erts_internal, request_system_task, 4) {
    return system_task(p, BIF_EXPORT(p, erts_internal, request_system_task, 4), a, a[0], a[1], a[2], a[3]);
}

/* There are no dirty schedulers. */
BIF(erts_internal, is_process_executing_dirty, 1) {
    return is_pid(a[0]) ? A_false : raise_badarg(p);
}

BIF(erts_internal, dirty_process_handle_signals, 1) {
    return A_noproc;
}

BIF(erts_internal, check_dirty_process_code, 2) {
    return is_local_pid(a[0]) && is_atom(a[1]) ? A_normal : raise_badarg(p);
}

/* --- Giving way and stopping --------------------------------------------------------------------------------------- */

BIF(erlang, bump_reductions, 1) {
    if (!is_small(a[0]) || small_value(a[0]) < 0) {
        return raise_badarg(p);
    }
    BUMP(p, MIN(small_value(a[0]), SLICE_REDUCTIONS));
    return A_true;
}

BIF(erlang, yield, 0) {
    return bif_yield(p, A_true);
}

/* A slogan as UTF-8, cut off where there is no more room. False: not a list of characters. */
static bool slogan(term list, char *to) {
    size_t n = 0, count = 0;
    for (; is_cons(list); list = tail(list), count++) {
        term c = head(list);
        if (!is_small(c) || small_value(c) < 0 || small_value(c) > 0x10ffff || !is_character((uint32_t)small_value(c))) {
            return false;
        }
        if (count < HALT_CHARACTERS) {
            n += utf8_write((uint8_t *)to + n, (uint32_t)small_value(c));
        }
    }
    to[n] = '\0';
    return list == NIL;
}

/* *flush: how long to wait for output, in milliseconds; < 0: for ever. */
static bool halt_options(term list, int64_t *flush) {
    bool wait = true;
    *flush = -1;
    for (; is_cons(list); list = tail(list)) {
        term option = head(list);
        if (!is_tuple_of(option, 2) || (element(option, 1) != A_flush && element(option, 1) != A_flush_timeout) ||
            (element(option, 1) == A_flush && element(option, 2) != A_true && element(option, 2) != A_false)) {
            return false;
        }
        if (element(option, 1) == A_flush) {
            wait = element(option, 2) == A_true;
        } else if (!is_small(element(option, 2)) || small_value(element(option, 2)) < 0) {
            if (element(option, 2) != A_infinity) {
                return false;
            }
            *flush = -1;
        } else {
            *flush = small_value(element(option, 2));
        }
    }
    *flush = wait ? *flush : 0;
    return list == NIL;
}

BIF(erlang, halt, 2) {
    VM *vm = process_vm(p);
    Processes *ps = vm->processes;
    int64_t flush;
    if (!halt_options(a[1], &flush)) {
        return raise_error_cause(p, A_badarg, A_badopt);
    }
    if (is_integer(a[0]) && !integer_is_negative(a[0])) {
        IntegerView v;
        integer_view(&v, a[0]);
        ps->halt_flush = flush;
        schedule_halt(vm, v.count == 0 ? 0 : (int)(v.limbs[0] & INT32_MAX));
    } else if (a[0] == A_abort) {
        ps->halt_abort = true;
        schedule_halt(vm, 134);
    } else if (is_list(a[0]) && slogan(a[0], ps->halt_text)) {
        ps->halt_slogan = true;
        schedule_halt(vm, 1);
    } else {
        return raise_badarg(p);
    }
    return bif_yield(p, A_true);
}
