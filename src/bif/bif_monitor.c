/* Built-ins of monitors and aliases. */
#include "bif/spawn_options.h"
#include "proc/mailbox.h"
#include "proc/names.h"
#include "proc/relation.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "term/ref.h"

typedef struct {
    term other, name;
    uint32_t flags;
    term down_at_once; /* NONE, or the reason of the message that comes at once */
} Target;

static bool process_target(Process *p, term t, Target *to) {
    VM *vm = process_vm(p);
    if (is_local_pid(t)) {
        to->other = t;
        return true;
    }
    if (is_tuple_of(t, 2) && is_atom(element(t, 1)) && is_atom(element(t, 2))) {
        if (element(t, 2) != node_name(vm)) {
            return false; /* this node is not alive */
        }
        t = element(t, 1);
    }
    if (is_atom(t)) {
        to->name = t;
        to->other = name_find(vm, t);
        if (to->other != NONE && is_local_port(to->other)) {
            to->other = NONE;
        }
        return true;
    }
    if (is_external(t, EXTERNAL_PID)) {
        to->other = t;
        to->down_at_once = ((External *)boxed(t))->node == node_name(vm) ? A_noproc : A_noconnection;
        return true;
    }
    return false;
}

static bool port_target(Process *p, term t, Target *to) {
    to->flags = RELATION_PORT;
    if (is_local_port(t)) {
        to->other = t;
        return true;
    }
    to->down_at_once = A_noproc;
    if (is_external(t, EXTERNAL_PORT) && ((External *)boxed(t))->node == node_name(process_vm(p))) {
        to->other = t;
        return true;
    }
    if (is_tuple_of(t, 2) && is_atom(element(t, 1)) && element(t, 2) == node_name(process_vm(p))) {
        t = element(t, 1);
    }
    to->name = t;
    to->other = name_find(process_vm(p), t);
    if (to->other != NONE && is_local_port(to->other)) {
        to->down_at_once = NONE;
    }
    return is_atom(t);
}

/* {Tag, Ref, Type, Object, Reason}, with no monitor left. */
static bool send_down(Process *p, term ref, term kind, const Target *to, term tag, bool priority) {
    Heap *h = HEAP(p);
    term object = to->name == NONE ? to->other : TUPLE2(h, to->name, node_name(process_vm(p)));
    term message = heap_tuple(h, 5, tag == NONE ? A_DOWN : tag, ref, kind, object, to->down_at_once);
    return message_send_self(p, message, priority);
}

static term monitor(Process *p, term type, term object, uint32_t flags, term tag) {
    Target to = {.other = NONE, .name = NONE, .down_at_once = NONE};
    bool good;
    if (type == A_process) {
        good = process_target(p, object, &to);
    } else if (type == A_port) {
        good = port_target(p, object, &to);
    } else if (type == A_time_offset) {
        good = object == A_clock_service;
        to.flags = RELATION_TIME_OFFSET;
    } else {
        return raise_error_cause(p, A_badarg, A_badtype);
    }
    if (!good) {
        return raise_badarg(p);
    }
    uint32_t alias = flags & RELATION_ALIAS;
    term ref = alias != 0 ? ref_make_alias(HEAP(p), p->pid) : ref_make(HEAP(p));
    if (type == A_process && to.other == p->pid) {
        return ref; /* nobody outlives itself */
    }
    bool ok;
    if (to.down_at_once != NONE) {
        ok = send_down(p, ref, type, &to, tag, flags & RELATION_PRIORITY) &&
             (!(alias & RELATION_ALIAS_UNALIAS) || alias_make(p, ref, alias));
    } else {
        ok = monitor_make(p, ref, to.other, to.name, to.flags | flags, tag);
    }
    return ok ? ref : bif_no_memory(p);
}

BIF(erlang, monitor, 2) {
    return monitor(p, a[0], a[1], 0, NONE);
}

BIF(erlang, monitor, 3) {
    term tag;
    int flags = parse_monitor_options(a[2], &tag);
    return flags < 0 ? raise_error_cause(p, A_badarg, A_badopt) : monitor(p, a[0], a[1], (uint32_t)flags, tag);
}

/* A reference of another node is nobody's monitor; one of an earlier incarnation of this node was one. */
static bool can_be_monitor(Process *p, term t) {
    return is_local_ref(t) || (is_external(t, EXTERNAL_REF) && ((External *)boxed(t))->node == node_name(process_vm(p)));
}

BIF(erlang, demonitor, 1) {
    if (!can_be_monitor(p, a[0])) {
        return raise_badarg(p);
    }
    if (is_local_ref(a[0])) {
        monitor_break(p, a[0]);
    }
    return process_must_leave(p) ? bif_yield(p, A_true) : A_true;
}

BIF(erlang, demonitor, 2) {
    bool flush = false, info = false;
    term options = a[1];
    for (; is_cons(options); options = tail(options)) {
        if (head(options) == A_flush) {
            flush = true;
        } else if (head(options) == A_info) {
            info = true;
        } else {
            break;
        }
    }
    if (options != NIL || !can_be_monitor(p, a[0])) {
        return raise_badarg(p);
    }
    bool was = is_local_ref(a[0]) && monitor_break(p, a[0]);
    if (!was && flush) {
        signals_handle(p);
        mailbox_flush_down(p, a[0]);
    }
    term result = !was && info ? A_false : A_true;
    return process_must_leave(p) ? bif_yield(p, result) : result;
}

BIF(erlang, alias, 1) {
    uint32_t flags = RELATION_ALIAS_UNALIAS, priority = 0;
    term options = a[0];
    for (; is_cons(options); options = tail(options)) {
        if (head(options) == A_reply) {
            flags = RELATION_ALIAS_REPLY;
        } else if (head(options) == A_explicit_unalias) {
            flags = RELATION_ALIAS_UNALIAS;
        } else if (head(options) == A_priority) {
            priority = RELATION_ALIAS_PRIORITY;
        } else {
            break;
        }
    }
    if (options != NIL) {
        return raise_badarg(p);
    }
    term ref = ref_make_alias(HEAP(p), p->pid);
    return alias_make(p, ref, flags | priority) ? ref : bif_no_memory(p);
}

BIF(erlang, unalias, 1) {
    if (!is_ref(a[0])) {
        return raise_badarg(p);
    }
    return is_local_ref(a[0]) && alias_break(p, a[0]) ? A_true : A_false;
}

/* Monitoring nodes: without distribution there is never a connection. */
static term monitor_node(Process *p, term node, term flag) {
    if (!is_atom(node)) {
        return raise_badarg(p);
    }
    if (node != A_nonode_at_nohost && node_name(process_vm(p)) == A_nonode_at_nohost) {
        return raise_error(p, A_notalive);
    }
    if (flag != A_true && flag != A_false) {
        return raise_badarg(p);
    }
    if (flag == A_true && node != node_name(process_vm(p))) {
        term message = TUPLE2(HEAP(p), A_nodedown, node);
        if (!message_send(p->scheduler, p, p->pid, message)) {
            return bif_no_memory(p);
        }
    }
    return A_true;
}

BIF(erlang, monitor_node, 2) {
    return monitor_node(p, a[0], a[1]);
}

BIF(erlang, monitor_node, 3) {
    term options = a[2];
    while (is_cons(options) && head(options) == A_allow_passive_connect) {
        options = tail(options);
    }
    return options == NIL ? monitor_node(p, a[0], a[1]) : raise_error_cause(p, A_badarg, A_badopt);
}
