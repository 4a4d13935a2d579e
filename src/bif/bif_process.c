/* Built-ins of processes: making them, sending, links, exit signals, names. */
#include "bif/spawn_options.h"
#include "io/port.h"
#include "proc/names.h"
#include "proc/relation.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "proc/watch.h"
#include "term/ref.h"
#include "trace/trace.h"

BIF(erlang, self, 0) {
    return p->pid;
}

/* --- Making processes ---------------------------------------------------------------------------------------------- */

static term spawn(Process *p, const term *a, SpawnOptions *o) {
    size_t arity;
    if (!is_atom(a[0]) || !is_atom(a[1]) || !proper_list(a[2], &arity)) {
        return raise_badarg(p);
    }
    BUMP(p, 1 + (intptr_t)arity / 16);
    term reason;
    term pid = process_spawn(process_vm(p), p, a[0], a[1], a[2], o, &reason);
    return pid == NONE ? raise_error(p, reason) : pid;
}

BIF(erlang, spawn, 3) {
    SpawnOptions o;
    spawn_options_init(process_vm(p), &o);
    return spawn(p, a, &o);
}

BIF(erlang, spawn_link, 3) {
    SpawnOptions o;
    spawn_options_init(process_vm(p), &o);
    o.link = true;
    return spawn(p, a, &o);
}

static void make_reference(Process *p, SpawnOptions *o) {
    o->reference = o->monitor && o->monitor_flags & RELATION_ALIAS ? ref_make_alias(HEAP(p), p->pid) : ref_make(HEAP(p));
}

BIF(erlang, spawn_opt, 4) {
    ParsedSpawnOptions o;
    if (parse_spawn_options(process_vm(p), a[3], false, &o) != SPAWN_OPTIONS_OK) {
        return raise_error_cause(p, A_badarg, A_badopt);
    }
    if (!o.spawn.monitor) {
        return spawn(p, a, &o.spawn);
    }
    make_reference(p, &o.spawn);
    term pid = spawn(p, a, &o.spawn);
    return pid == NONE ? NONE : TUPLE2(HEAP(p), pid, o.spawn.reference);
}

/* {Tag, Ref, ok | error, Result} to the caller. */
static bool spawn_reply(Process *p, term tag, term ref, term kind, term result) {
    term message = TUPLE4(HEAP(p), tag, ref, kind, result);
    return message_send(p->scheduler, NULL, p->pid, message);
}

/* Returns an atom (the caller in erlang.erl raises the error), or the reference of the request. */
BIF(erts_internal, spawn_request, 4) {
    size_t arity;
    if (!is_atom(a[0]) || !is_atom(a[1]) || !proper_list(a[2], &arity)) {
        return A_badarg;
    }
    ParsedSpawnOptions o;
    SpawnOptionsResult parsed = parse_spawn_options(process_vm(p), a[3], true, &o);
    if (parsed == SPAWN_OPTIONS_NO_LIST) {
        return A_badopt;
    }
    BUMP(p, 1 + (intptr_t)arity / 16);
    term reason = A_badopt, pid = NONE;
    make_reference(p, &o.spawn);
    if (parsed == SPAWN_OPTIONS_OK) {
        o.spawn.held = true; /* what it does comes after the reply */
        pid = process_spawn(process_vm(p), p, a[0], a[1], a[2], &o.spawn, &reason);
    }
    bool wanted = pid == NONE ? o.reply_error : o.reply_ok;
    bool ok = !wanted || spawn_reply(p, o.spawn.reply_tag, o.spawn.reference, pid == NONE ? A_error : A_ok, pid == NONE ? reason : pid);
    if (pid != NONE) {
        schedule_new(process_find_any(process_vm(p), pid));
    }
    return ok ? o.spawn.reference : bif_no_memory(p);
}

/* Requests of this node are answered at once: there is never one to abandon. */
BIF(erlang, spawn_request_abandon, 1) {
    return is_ref(a[0]) ? A_false : raise_badarg(p);
}

BIF(erts_internal, spawn_system_process, 3) {
    size_t arity;
    if (!is_atom(a[0]) || !is_atom(a[1]) || !proper_list(a[2], &arity)) {
        return raise_badarg(p);
    }
    SpawnOptions o;
    spawn_options_init(process_vm(p), &o);
    o.system = true;
    return spawn(p, a, &o);
}

BIF(erts_internal, is_system_process, 1) {
    if (!is_local_pid(a[0])) {
        return raise_badarg(p);
    }
    const Process *q = process_find(process_vm(p), a[0]);
    return q != NULL && process_state(q) & STATE_SYSTEM ? A_true : A_false;
}

/* --- Sending ------------------------------------------------------------------------------------------------------- */

/* What to make of the receiver in Receiver ! Message. */
typedef enum { SEND_DONE, SEND_NOBODY, SEND_BADARG, SEND_NO_MEMORY, SEND_REMOTE, SEND_YIELD } SendResult;

static SendResult send_to_port(Process *p, term to, term message) {
    if (UNLIKELY(p->state & STATE_TRACED)) {
        process_hooks(p)->told(p, to, message);
    }
    io_lock(process_vm(p));
    Port *port = port_find(process_vm(p), to);
    PortResult result = port == NULL ? PORT_DONE : port_message(p, port, message);
    io_unlock(process_vm(p));
    switch (result) {
    case PORT_NO_MEMORY: return SEND_NO_MEMORY;
    case PORT_IS_BUSY: return SEND_YIELD;
    default: return SEND_DONE;
    }
}

/* A message that somebody wants to know of, or that carries a token of sequential tracing. `named`: as the sender says it. */
static SendResult send_traced(Process *p, term to, term named, term message, bool priority) {
    struct SeqToken *token = process_hooks(p)->sends(p, to, named, message);
    return message_send_traced(p, to, message, priority, token) ? SEND_DONE : SEND_NO_MEMORY;
}

static SendResult send_to_name(Process *p, term name, term message) {
    term to = name_find(process_vm(p), name);
    if (to == NONE) {
        if (UNLIKELY(p->state & STATE_TRACED)) {
            process_hooks(p)->told(p, name, message);
        }
        return SEND_NOBODY;
    }
    if (is_local_port(to)) {
        return send_to_port(p, to, message);
    }
    if (UNLIKELY(p->state & STATE_TRACED)) {
        return send_traced(p, to, name, message, false);
    }
    return message_send(p->scheduler, p, to, message) ? SEND_DONE : SEND_NO_MEMORY;
}

/* priority: if `to` is an alias that lets it. */
static inline SendResult send_message(Process *p, term to, term message, bool priority) {
    BUMP(p, 3);
    if (LIKELY(is_local_pid(to))) {
        if (UNLIKELY(p->state & STATE_TRACED)) {
            return send_traced(p, to, to, message, false);
        }
        return message_send(p->scheduler, p, to, message) ? SEND_DONE : SEND_NO_MEMORY;
    }
    if (is_atom(to)) {
        SendResult result = send_to_name(p, to, message);
        return result == SEND_NOBODY ? SEND_BADARG : result;
    }
    if (is_alias(to)) {
        if (UNLIKELY(p->state & STATE_TRACED)) {
            return send_traced(p, to, to, message, priority);
        }
        return message_send_alias(p->scheduler, p, to, message, priority) ? SEND_DONE : SEND_NO_MEMORY;
    }
    if (is_local_port(to)) {
        return send_to_port(p, to, message);
    }
    if (is_local_ref(to)) {
        return SEND_DONE;
    }
    if (is_external(to, EXTERNAL_PID) || is_external(to, EXTERNAL_REF)) {
        return SEND_REMOTE;
    }
    if (is_tuple_of(to, 2) && is_atom(element(to, 1)) && is_atom(element(to, 2))) {
        return element(to, 2) == node_name(process_vm(p)) ? send_to_name(p, element(to, 1), message) : SEND_REMOTE;
    }
    return SEND_BADARG;
}

static term send(Process *p, const term *a) {
    switch (send_message(p, a[0], a[1], false)) {
    case SEND_BADARG: return raise_badarg(p);
    case SEND_NO_MEMORY: return bif_no_memory(p);
    case SEND_YIELD: return bif_yield(p, a[1]);
    default: return a[1];
    }
}

BIF_AS(erlang, "!", op_send, 2) {
    return send(p, a);
}

BIF(erlang, send, 2) {
    return send(p, a);
}

BIF(erlang, send, 3) {
    bool connect = true, priority = false;
    term options = a[2];
    for (; is_cons(options); options = tail(options)) {
        if (head(options) == A_noconnect) {
            connect = false;
        } else if (head(options) == A_priority) {
            priority = true;
        } else if (head(options) != A_nosuspend) {
            break;
        }
    }
    if (options != NIL) {
        return raise_error_cause(p, A_badarg, A_badopt);
    }
    switch (send_message(p, a[0], a[1], priority)) {
    case SEND_BADARG: return raise_badarg(p);
    case SEND_NO_MEMORY: return bif_no_memory(p);
    case SEND_REMOTE: return connect ? A_ok : A_noconnect;
    case SEND_YIELD: return bif_yield(p, A_ok);
    default: return A_ok;
    }
}

/* --- Exit signals and links ---------------------------------------------------------------------------------------- */

/* A pid or port of an earlier incarnation of this node. */
static bool of_this_node(Process *p, term t) {
    return ((External *)boxed(t))->node == node_name(process_vm(p));
}

/* To whom an alias belongs; nothing happens if it is not active, or no alias at all. */
static term exit_alias(Process *p, term to, term reason, bool priority) {
    if (!is_alias(to)) {
        return A_true;
    }
    if (!exit_send_alias(p->scheduler, p->pid, to, reason, priority)) {
        return bif_no_memory(p);
    }
    if (alias_pid(to) == p->pid) {
        signals_handle(p);
    }
    return process_must_leave(p) ? bif_yield(p, A_true) : A_true;
}

static term exit_signal(Process *p, term to, term reason, bool may_end_self, bool priority) {
    if (is_local_pid(to)) {
        bool end_self = may_end_self && to == p->pid && (reason == A_kill || !(p->flags & FLAG_TRAP_EXIT));
        if (!(end_self ? exit_send_self(p, reason) : exit_send(p->scheduler, p->pid, to, reason))) {
            return bif_no_memory(p);
        }
        if (to == p->pid) {
            signals_handle(p);
        }
        return process_must_leave(p) ? bif_yield(p, A_true) : A_true;
    }
    if (is_local_port(to)) {
        io_lock(process_vm(p));
        Port *port = port_find(process_vm(p), to);
        if (port != NULL) {
            port_close(p, port, reason, false);
        }
        io_unlock(process_vm(p));
        signals_handle(p);
        return process_must_leave(p) ? bif_yield(p, A_true) : A_true;
    }
    if (is_ref(to)) {
        return exit_alias(p, to, reason, priority);
    }
    if (is_external(to, EXTERNAL_PID) || (is_external(to, EXTERNAL_PORT) && of_this_node(p, to))) {
        return A_true;
    }
    return raise_badarg(p);
}

BIF(erlang, exit, 2) {
    bool good = !is_ref(a[0]) || bif_release(p) >= 28;
    return good ? exit_signal(p, a[0], a[1], true, false) : raise_badarg(p);
}

BIF(erlang, exit_signal, 2) {
    return exit_signal(p, a[0], a[1], false, false);
}

BIF(erlang, exit, 3) {
    int flags = parse_priority_option(a[2]);
    return flags < 0 ? raise_error_cause(p, A_badarg, A_badopt) : exit_signal(p, a[0], a[1], true, flags != 0);
}

BIF(erlang, exit_signal, 3) {
    int flags = parse_priority_option(a[2]);
    return flags < 0 ? raise_error_cause(p, A_badarg, A_badopt) : exit_signal(p, a[0], a[1], false, flags != 0);
}

/* There is no such process: an exit message for those who trap, an error for the others. */
static term link_to_nobody(Process *p, term to, uint32_t flags) {
    if (!(p->flags & FLAG_TRAP_EXIT)) {
        return raise_error(p, A_noproc);
    }
    term message = TUPLE3(HEAP(p), A_EXIT, to, A_noproc);
    return message_send_self(p, message, flags != 0) ? A_true : bif_no_memory(p);
}

static term link(Process *p, term to, uint32_t flags) {
    if (is_local_pid(to)) {
        if (to != p->pid) {
            process_event(p, A_link, to);
        }
        return to == p->pid || link_make(p, to, flags) ? A_true : link_to_nobody(p, to, flags);
    }
    if (is_local_port(to)) {
        process_event(p, A_link, to);
        return link_make(p, to, flags) ? A_true : link_to_nobody(p, to, flags);
    }
    if (is_external(to, EXTERNAL_PORT) && of_this_node(p, to)) {
        return link_to_nobody(p, to, flags);
    }
    if (!is_external(to, EXTERNAL_PID)) {
        return raise_badarg(p);
    }
    if (of_this_node(p, to)) {
        return link_to_nobody(p, to, flags);
    }
    /* Without distribution the connection is always just lost. */
    if (!exit_send(p->scheduler, to, p->pid, A_noconnection)) {
        return bif_no_memory(p);
    }
    signals_handle(p);
    return process_must_leave(p) ? bif_yield(p, A_true) : A_true;
}

BIF(erlang, link, 1) {
    if (UNLIKELY(p->state & STATE_TRACED) && !bif_is_still(p)) { /* the other one may inherit flags */
        return bif_still(p, BIF_EXPORT(p, erlang, link, 1), a);
    }
    return link(p, a[0], 0);
}

BIF(erlang, link, 2) {
    int flags = parse_priority_option(a[1]);
    if (flags < 0) {
        return raise_error_cause(p, A_badarg, A_badopt);
    }
    if (UNLIKELY(p->state & STATE_TRACED) && !bif_is_still(p)) {
        return bif_still(p, BIF_EXPORT(p, erlang, link, 2), a);
    }
    return link(p, a[0], (uint32_t)flags);
}

BIF(erlang, unlink, 1) {
    if (is_local_pid(a[0]) || is_local_port(a[0])) {
        process_event(p, A_unlink, a[0]);
        link_break(p, a[0]);
        return A_true;
    }
    if (is_external(a[0], EXTERNAL_PID) || (is_external(a[0], EXTERNAL_PORT) && of_this_node(p, a[0]))) {
        return A_true;
    }
    return raise_badarg(p);
}

/* --- Names --------------------------------------------------------------------------------------------------------- */

/* To those who trace it. */
static void tell_of_name(VM *vm, term of, term what, term name) {
    Process *q = is_local_port(of) ? NULL : process_find(vm, of);
    if (q != NULL) {
        process_event(q, what, name);
    } else if (is_local_port(of)) {
        io_lock(vm);
        Port *port = port_find(vm, of);
        if (port != NULL) {
            port_tell(port, TRACE_PORTS, what, name, NONE);
        }
        io_unlock(vm);
    }
}

BIF(erlang, register, 2) {
    VM *vm = process_vm(p);
    term cause = A_none;
    if (is_atom(a[0]) && a[0] != A_undefined && (is_local_pid(a[1]) || is_local_port(a[1]))) {
        if (!target_alive(vm, a[1])) {
            cause = A_notalive;
        } else if (name_of(vm, a[1]) != NONE) {
            cause = A_registered_name;
        } else if (name_register(vm, a[0], a[1])) {
            tell_of_name(vm, a[1], A_register, a[0]);
            return A_true;
        }
    }
    return raise_error_cause(p, A_badarg, cause);
}

BIF(erlang, unregister, 1) {
    VM *vm = process_vm(p);
    term was = name_find(vm, a[0]);
    if (was == NONE || !name_unregister(vm, a[0])) {
        return raise_badarg(p);
    }
    tell_of_name(vm, was, A_unregister, a[0]);
    return A_true;
}

BIF(erlang, whereis, 1) {
    if (!is_atom(a[0])) {
        return raise_badarg(p);
    }
    term pid = name_find(process_vm(p), a[0]);
    return pid == NONE ? A_undefined : pid;
}

BIF(erlang, registered, 0) {
    VM *vm = process_vm(p);
    size_t n = name_count(vm);
    if (n == 0) {
        return NIL;
    }
    term *cells = heap_alloc(HEAP(p), 2 * n);
    if (cells == NULL) {
        return raise_error(p, A_system_limit);
    }
    n = name_all(vm, cells, n); /* the first half, spread below from the end */
    for (size_t i = n; i-- > 0;) {
        cells[2 * i] = cells[i];
        cells[2 * i + 1] = i + 1 < n ? make_cons(cells + 2 * (i + 1)) : NIL;
    }
    return make_cons(cells);
}

/* --- Who is there -------------------------------------------------------------------------------------------------- */

/* False also for one whose end is only on its way: signals keep their order. *busy: the process that must be asked. */
static term is_alive(Process *p, term pid, Process **busy) {
    Process *q = process_find(process_vm(p), pid);
    *busy = NULL;
    if (q == NULL || q == p) {
        return q == p ? A_true : A_false;
    }
    switch (process_enter(q)) {
    case ENTER_BUSY: *busy = q; return NONE;
    case ENTER_GONE: return A_false;
    default: process_leave(q); return A_true;
    }
}

BIF(erlang, is_process_alive, 1) {
    if (is_local_pid(a[0])) {
        Process *busy;
        term alive = is_alive(p, a[0], &busy);
        return busy != NULL ? bif_ask(p, busy, BIF_EXPORT(p, erlang, is_process_alive, 1), a) : alive;
    }
    return is_external(a[0], EXTERNAL_PID) && of_this_node(p, a[0]) ? A_false : raise_badarg(p);
}

/* The answer comes as a message {Ref, Result}. */
BIF(erts_internal, is_process_alive, 2) {
    if (!is_ref(a[1]) || !is_local_pid(a[0])) {
        return raise_badarg(p);
    }
    Process *busy;
    term alive = is_alive(p, a[0], &busy);
    if (busy != NULL) {
        return bif_ask(p, busy, BIF_EXPORT(p, erts_internal, is_process_alive, 2), a);
    }
    term message = TUPLE2(HEAP(p), a[1], alive);
    return message_send(p->scheduler, p, p->pid, message) ? A_ok : bif_no_memory(p);
}

BIF(erlang, processes, 0) {
    VM *vm = process_vm(p);
    const Processes *ps = vm->processes;
    size_t room = __atomic_load_n(&ps->count, __ATOMIC_RELAXED), n = 0;
    term *cells = heap_alloc(HEAP(p), 2 * room), list = NIL;
    if (cells == NULL) {
        return raise_error(p, A_system_limit);
    }
    uint32_t top = __atomic_load_n(&ps->top, __ATOMIC_RELAXED);
    for (uint32_t i = top; i-- > 0 && n < room;) {
        const Process *q = process_at(vm, i);
        if (q != NULL && !(process_state(q) & (STATE_EXITING | STATE_FREE))) {
            cells[2 * n] = q->pid, cells[2 * n + 1] = list;
            list = make_cons(cells + 2 * n++);
        }
    }
    heap_release(HEAP(p), cells + 2 * n, cells + 2 * room);
    BUMP(p, (intptr_t)(top / 64 + n / 8));
    return list;
}

/* A piece of the table at a time: none, or {Where to go on, Pids}. */
BIF(erts_internal, processes_next, 1) {
    enum { PIECE = 1000 };
    VM *vm = process_vm(p);
    const Processes *ps = vm->processes;
    if (!is_small(a[0]) || small_value(a[0]) < 0) {
        return raise_badarg(p);
    }
    size_t at = (size_t)small_value(a[0]), top = __atomic_load_n(&ps->top, __ATOMIC_RELAXED), end = MIN(at + PIECE, top);
    if (at >= top) {
        return A_none;
    }
    term list = NIL;
    for (size_t i = end; i-- > at;) {
        const Process *q = process_at(vm, (uint32_t)i);
        if (q != NULL && !(process_state(q) & (STATE_EXITING | STATE_FREE))) {
            list = heap_cons(HEAP(p), q->pid, list);
        }
    }
    BUMP(p, PIECE / 64);
    return TUPLE2(HEAP(p), SMALL(end), list);
}
