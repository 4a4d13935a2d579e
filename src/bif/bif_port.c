/* Ports for processes: commands, control, owners, what is known of a port. The functions of erts_internal answer with an atom
   where something is wrong; those of module erlang that users call make exceptions of it. */
#include "bif/bif_port.h"

#include "data/bits.h"
#include "data/integer.h"
#include "data/iolist.h"
#include "proc/names.h"
#include "term/copy.h"
#include "term/ref.h"
#include "trace/trace.h"

#define GUARD_BEGIN(p) io_lock(process_vm(p))
#define GUARD_END(p) io_unlock(process_vm(p))
#include "bif/guarded.h"

Port *port_of(Process *p, term t) {
    VM *vm = process_vm(p);
    if (is_atom(t)) {
        t = name_find(vm, t);
    }
    return t != NONE && is_local_port(t) ? port_find(vm, t) : NULL;
}

/* port_command(Port, Data, [force | nosuspend]) -> true | false | badarg | badopt | notsup */
BIF(erts_internal, port_command, 3) {
    bool force = false, no_suspend = false;
    term options = a[2];
    for (; is_cons(options); options = tail(options)) {
        if (head(options) == A_force) {
            force = true;
        } else if (head(options) == A_nosuspend) {
            no_suspend = true;
        } else {
            break;
        }
    }
    if (options != NIL) {
        return A_badopt;
    }
    Port *port = port_of(p, a[0]);
    if (port == NULL) {
        return A_badarg;
    }
    if (force && !(port->flags & PORT_FORCED)) {
        return A_notsup;
    }
    if (port->flags & PORT_BUSY && !force) {
        if (no_suspend) {
            return A_false;
        }
        port_wait(p, port);
        return bif_trap(p, BIF_EXPORT(p, erts_internal, port_command, 3), 3, a[0], a[1], a[2]);
    }
    switch (port_command(p, port, a[1])) {
    case PORT_DONE: return process_must_leave(p) ? bif_yield(p, A_true) : A_true;
    case PORT_NO_MEMORY: return bif_no_memory(p);
    default: return A_badarg;
    }
}

static bool operation_of(term t, uint32_t *operation) {
    uint64_t n;
    if (!is_integer(t) || !integer_to_uint64(t, &n) || n > UINT32_MAX) {
        return false;
    }
    *operation = (uint32_t)n;
    return true;
}

static term as_binary(Heap *h, term data) {
    Text t;
    text_init(&t, &h->vm->mem);
    term made = iolist_bytes(h->vm, data, &t) == IOLIST_OK ? bits_from(h, t.at, t.size) : NIL;
    text_done(&t);
    return made;
}

static term control(Process *p, Port *port, term operation, uint32_t number, Bytes data) {
    Heap *h = HEAP(p);
    term id = port->id;
    port_runs(port, p, A_control);
    if (port->traced != NULL) {
        port_tell_received(port, p->pid, TUPLE2(h, A_control, TUPLE2(h, operation, bits_from(h, data.at, data.size))));
    }
    term result = port->driver->control == NULL ? NONE : port->driver->control(port, p, number, data);
    if (result != NONE && (port = port_find(process_vm(p), id)) != NULL && port->traced != NULL) {
        port_tell(port, TRACE_SEND, A_send, TUPLE2(h, id, TUPLE2(h, A_control, as_binary(h, result))), p->pid);
    }
    port_ran(p, id, A_control);
    return result;
}

BIF(erts_internal, port_control, 3) {
    VM *vm = process_vm(p);
    Port *port = port_of(p, a[0]);
    uint32_t operation;
    Text t;
    if (port == NULL || !operation_of(a[1], &operation)) {
        return A_badarg;
    }
    text_init(&t, &vm->mem);
    IolistResult r = iolist_bytes(vm, a[2], &t);
    term result = r == IOLIST_OK ? control(p, port, a[1], operation, (Bytes){t.at, t.size}) : NONE;
    text_done(&t);
    return r == IOLIST_NO_MEMORY ? bif_no_memory(p) : result == NONE ? A_badarg : result;
}

/* Terms instead of bytes: no driver of the VM takes them. */
BIF(erts_internal, port_call, 3) {
    return A_badarg;
}

BIF(erts_internal, port_close, 1) {
    Port *port = port_of(p, a[0]);
    if (port == NULL) {
        return A_badarg;
    }
    port_close(p, port, A_normal, false);
    signals_handle(p);
    return process_must_leave(p) ? bif_yield(p, A_true) : A_true;
}

BIF(erts_internal, port_connect, 2) {
    Port *port = port_of(p, a[0]);
    if (port == NULL || !is_local_pid(a[1]) || process_find(process_vm(p), a[1]) == NULL) {
        return A_badarg;
    }
    port_connect(p, port, a[1]);
    return A_true;
}

/* --- Information --------------------------------------------------------------------------------------------------- */

static term peers(Process *p, const Port *port, RelationKind kind) {
    term list = NIL;
    for (const PortPeer *peer = port->peers; peer != NULL; peer = peer->next) {
        if (peer->kind == kind) {
            list = heap_cons(HEAP(p), peer->pid, list);
        }
    }
    return list;
}

static term info_name(Process *p, const Port *port) {
    return heap_latin1_list(HEAP(p), port->name, port->name_size);
}
static term info_links(Process *p, const Port *port) {
    return peers(p, port, RELATION_LINK);
}
static term info_id(Process *p, const Port *port) {
    return integer_from_uint64(HEAP(p), port_number(port->id));
}
static term info_connected(Process *p UNUSED, const Port *port) {
    return port->owner;
}
static term info_input(Process *p, const Port *port) {
    return integer_from_uint64(HEAP(p), port->input);
}
static term info_output(Process *p, const Port *port) {
    return integer_from_uint64(HEAP(p), port->output);
}
static term info_os_pid(Process *p UNUSED, const Port *port) {
    return port->os_pid < 0 ? A_undefined : SMALL(port->os_pid);
}
static term info_registered_name(Process *p, const Port *port) {
    term name = name_of(process_vm(p), port->id);
    return name == NONE ? NIL : name;
}
static term info_monitors(Process *p UNUSED, const Port *port UNUSED) {
    return NIL;
}
static term info_monitored_by(Process *p, const Port *port) {
    return peers(p, port, RELATION_MONITORED);
}
static term info_memory(Process *p UNUSED, const Port *port) {
    size_t size = 0;
    for (const PortPeer *peer = port->peers; peer != NULL; peer = peer->next) {
        size += sizeof *peer;
    }
    return SMALL(size);
}
static term info_queue_size(Process *p, const Port *port) {
    return integer_from_uint64(HEAP(p), port->driver->queued == NULL ? 0 : port->driver->queued(port));
}
static term info_locking(Process *p UNUSED, const Port *port UNUSED) {
    return A_port_level;
}
static term info_parallelism(Process *p UNUSED, const Port *port) {
    return port->flags & PORT_PARALLEL ? A_true : A_false;
}

static const struct {
    term item;
    term (*ask)(Process *p, const Port *port);
    // clang-format off
} items[] = {
    {A_name, info_name}, {A_links, info_links}, {A_id, info_id}, {A_connected, info_connected}, {A_input, info_input},
    {A_output, info_output}, {A_os_pid, info_os_pid}, /* port_info/1 tells those above, and the name if it has one */
    {A_registered_name, info_registered_name}, {A_monitors, info_monitors}, {A_monitored_by, info_monitored_by},
    {A_memory, info_memory}, {A_queue_size, info_queue_size}, {A_locking, info_locking}, {A_parallelism, info_parallelism},
};
// clang-format on
enum { ITEMS_ALL = 7 };

/* The port that is asked for something. NULL: there is none. */
static Port *asked(Process *p, term t) {
    Port *port = port_of(p, t);
    if (port != NULL) {
        port_runs(port, p, A_info);
        port_ran(p, port->id, A_info);
    }
    return port;
}

/* What to answer if there is no such port. */
static term no_port(Process *p, term t, term not_one) {
    return is_local_port(t) || is_atom(t) || (is_external(t, EXTERNAL_PORT) && ((External *)boxed(t))->node == node_name(process_vm(p)))
               ? A_undefined
               : not_one;
}

BIF(erts_internal, port_info, 1) {
    const Port *port = asked(p, a[0]);
    if (port == NULL) {
        return no_port(p, a[0], A_badarg);
    }
    term list = NIL;
    for (size_t i = ITEMS_ALL; i-- > 0;) {
        list = heap_cons(HEAP(p), TUPLE2(HEAP(p), items[i].item, items[i].ask(p, port)), list);
    }
    term name = info_registered_name(p, port);
    return name == NIL ? list : heap_cons(HEAP(p), TUPLE2(HEAP(p), A_registered_name, name), list);
}

BIF(erts_internal, port_info, 2) {
    const Port *port = asked(p, a[0]);
    if (port == NULL) {
        return no_port(p, a[0], A_badtype);
    }
    for (size_t i = 0; i < ARRAY_LEN(items); i++) {
        if (items[i].item == a[1]) {
            term value = items[i].ask(p, port);
            return a[1] == A_registered_name && value == NIL ? NIL : TUPLE2(HEAP(p), a[1], value);
        }
    }
    return A_badarg;
}

BIF(erlang, ports, 0) {
    VM *vm = process_vm(p);
    term list = NIL;
    size_t at = 0;
    for (const Port *port; (port = ports_next(vm, &at)) != NULL;) {
        list = heap_cons(HEAP(p), port->id, list);
    }
    BUMP(p, (intptr_t)at / 64);
    return list;
}

BIF(erlang, port_set_data, 2) {
    Port *port = port_of(p, a[0]);
    if (port == NULL) {
        return raise_badarg(p);
    }
    term copy = a[1];
    Fragment *f = is_immediate(a[1]) ? NULL : term_copy_to_fragment(process_vm(p), a[1], &copy);
    if (copy == NONE) {
        return bif_no_memory(p);
    }
    heap_free_fragments(process_vm(p), port->fragment);
    port->fragment = f;
    port->data = copy;
    return A_true;
}

BIF(erlang, port_get_data, 1) {
    const Port *port = port_of(p, a[0]);
    if (port == NULL) {
        return raise_badarg(p);
    }
    term data = port->data == NONE ? A_undefined : port->data;
    return is_immediate(data) ? data : term_copy(HEAP(p), data);
}
