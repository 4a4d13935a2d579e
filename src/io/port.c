/* The table of ports; their owners, links and monitors; how they begin, talk and end. */
#include "io/port_stream.h"

#include "data/bits.h"
#include "data/iolist.h"
#include "platform/file.h"
#include "proc/names.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "proc/spawn.h"
#include "term/atom.h"
#include "term/copy.h"
#include "trace/trace.h"

typedef struct Ports {
    Port **table;       /* by number modulo size, a power of 2 */
    size_t size, count; /* count: with those that are closing */
    uint32_t alive, limit;
    uint64_t next_number;
} Ports;

enum { FIRST_SIZE = 16, BYTES_PER_REDUCTION = 256, LIMIT = 65536 };

static Port **slot_of(Ports *ps, term id) {
    return &ps->table[pid_data(id) & (ps->size - 1)];
}

static Port *find_any(VM *vm, term id) {
    Port *port = *slot_of(vm->io->ports, id);
    return port != NULL && port->id == id ? port : NULL;
}

bool port_settle(Port *port) {
    PortAside aside = __atomic_load_n(&port->aside, __ATOMIC_ACQUIRE);
    if (LIKELY(aside == ASIDE_NOT)) {
        return true;
    }
    for (int i = 0; aside == ASIDE_NOW; i++) {
        if (i < LOCK_SPINS) {
            cpu_pause();
        } else {
            lock_wait();
        }
        aside = __atomic_load_n(&port->aside, __ATOMIC_ACQUIRE);
    }
    __atomic_store_n(&port->aside, ASIDE_NOT, __ATOMIC_RELAXED);
    VM *vm = port->vm;
    term id = port->id;
    port->settle(port);
    return find_any(vm, id) != NULL;
}

void port_leave(Port *port, void (*settle)(Port *port)) {
    port->settle = settle;
    __atomic_store_n(&port->aside, ASIDE_NOW, __ATOMIC_RELAXED);
    io_unlock(port->vm);
}

void port_return(Port *port) {
    VM *vm = port->vm;
    term id = port->id;
    __atomic_store_n(&port->aside, ASIDE_OVER, __ATOMIC_RELEASE);
    io_lock(vm);
    port_find(vm, id);
}

Port *port_find(VM *vm, term id) {
    Port *port = find_any(vm, id);
    if (port != NULL && !port_settle(port)) {
        return NULL;
    }
    return port == NULL || port->flags & PORT_CLOSING ? NULL : port;
}

uint32_t ports_limit(VM *vm) {
    return vm->io->ports->limit;
}

void ports_set_limit(VM *vm, uint32_t limit) {
    vm->io->ports->limit = round_up_power(limit, 1); /* as OTP, whose table has a power of 2 places */
}

uint32_t ports_count(VM *vm) {
    return vm->io->ports->alive;
}

Port *ports_next(VM *vm, size_t *at) {
    Ports *ps = vm->io->ports;
    while (*at < ps->size) {
        Port *port = ps->table[(*at)++];
        if (port != NULL && !(port->flags & PORT_CLOSING)) {
            return port;
        }
    }
    return NULL;
}

static bool grow(VM *vm, Ports *ps) {
    size_t size = 2 * ps->size;
    Port **table = mem_zalloc(&vm->mem, MEM_SYSTEM, size * sizeof *table);
    if (table == NULL) {
        return false;
    }
    for (size_t i = 0; i < ps->size; i++) {
        if (ps->table[i] != NULL) {
            table[pid_data(ps->table[i]->id) & (size - 1)] = ps->table[i];
        }
    }
    mem_free(&vm->mem, MEM_SYSTEM, ps->table, ps->size * sizeof *table);
    ps->table = table;
    ps->size = size;
    return true;
}

/* --- Links and monitors -------------------------------------------------------------------------------------------- */

static PortPeer **find_peer(Port *port, RelationKind kind, term pid, const uint64_t *key) {
    PortPeer **at = &port->peers;
    while (*at != NULL &&
           !((*at)->kind == kind && (*at)->pid == pid && (kind == RELATION_LINK || ((*at)->key[0] == key[0] && (*at)->key[1] == key[1])))) {
        at = &(*at)->next;
    }
    return at;
}

static bool add_peer(Port *port, RelationKind kind, term pid, const uint64_t *key) {
    if (kind == RELATION_LINK && *find_peer(port, kind, pid, NULL) != NULL) {
        return true;
    }
    PortPeer *peer = MEM_NEW(&port->vm->mem, MEM_SYSTEM, PortPeer);
    if (peer == NULL) {
        return false;
    }
    *peer = (PortPeer){port->peers, kind, pid, {key == NULL ? 0 : key[0], key == NULL ? 0 : key[1]}};
    port->peers = peer;
    return true;
}

static void drop_peer(Port *port, PortPeer **at) {
    PortPeer *peer = *at;
    if (peer != NULL) {
        *at = peer->next;
        MEM_DELETE(&port->vm->mem, MEM_SYSTEM, peer);
    }
}

/* A signal from the port. Reasons of ports are atoms or what somebody gave to exit/2. */
static void send_signal(VM *vm, term port, term pid, SignalKind kind, const uint64_t *key, term value) {
    Scheduler *s = vm_scheduler(vm);
    Signal *signal = signal_new(s, kind);
    if (signal == NULL) {
        return; /* no memory: the other end goes on believing in the port */
    }
    signal->from = port;
    if (key != NULL) {
        signal->key[0] = key[0], signal->key[1] = key[1];
    }
    signal->value = value;
    if (value != NONE && !is_immediate(value)) {
        signal->data = term_copy_to_fragment(vm, value, &signal->value);
        if (signal->value == NONE) {
            signal->value = A_killed;
        }
    }
    signal_send(s, pid, signal);
}

static bool alive(VM *vm, term id) {
    io_lock(vm);
    bool found = port_find(vm, id) != NULL;
    io_unlock(vm);
    return found;
}

static bool take_signal_locked(VM *vm, term id, const Signal *s) {
    Port *port = port_find(vm, id);
    if (port == NULL) {
        return false;
    }
    switch ((SignalKind)s->kind) {
    case SIGNAL_LINK:
        if (*find_peer(port, RELATION_LINK, s->from, NULL) == NULL && add_peer(port, RELATION_LINK, s->from, NULL)) {
            port_tell(port, TRACE_PORTS, A_getting_linked, s->from, NONE);
        }
        break;
    case SIGNAL_UNLINK:
        if (*find_peer(port, RELATION_LINK, s->from, NULL) != NULL) {
            port_tell(port, TRACE_PORTS, A_getting_unlinked, s->from, NONE);
        }
        drop_peer(port, find_peer(port, RELATION_LINK, s->from, NULL));
        send_signal(vm, id, s->from, SIGNAL_UNLINK_DONE, s->key, NONE);
        break;
    case SIGNAL_MONITOR: add_peer(port, RELATION_MONITORED, s->from, s->key); break;
    case SIGNAL_DEMONITOR: drop_peer(port, find_peer(port, RELATION_MONITORED, s->from, s->key)); break;
    case SIGNAL_LINK_EXIT: {
        PortPeer **link = find_peer(port, RELATION_LINK, s->from, NULL);
        if (*link != NULL) {
            drop_peer(port, link);
            port_tell_received(port, s->from, A_close);
            if (s->value != A_normal || s->from == port->owner) {
                port_exit(port, s->value, false);
            }
        }
        break;
    }
    case SIGNAL_EXIT:
        port_tell_received(port, s->from, A_close);
        port_exit(port, s->value, false);
        break;
    default: break;
    }
    return true;
}

/* What the port does about a signal, for those who trace when it runs. */
static term name_of_signal(uint32_t kind) {
    switch ((SignalKind)kind) {
    case SIGNAL_LINK: return A_link;
    case SIGNAL_UNLINK: return A_unlink;
    case SIGNAL_MONITOR: return A_monitor;
    case SIGNAL_DEMONITOR: return A_demonitor;
    case SIGNAL_EXIT: return A_close;
    default: return SMALL(0);
    }
}

/* A signal from a process. */
static bool take_signal(VM *vm, term id, const Signal *s) {
    io_lock(vm);
    Port *port = port_find(vm, id);
    Process *p = vm_scheduler(vm)->current;
    bool tells = port != NULL && p != NULL && port->traced != NULL;
    if (tells) {
        port_runs(port, p, name_of_signal(s->kind));
    }
    bool taken = take_signal_locked(vm, id, s);
    if (tells) {
        port_ran(p, id, name_of_signal(s->kind));
    }
    io_unlock(vm);
    return taken;
}

/* --- Beginning and end --------------------------------------------------------------------------------------------- */

bool ports_init(VM *vm) {
    Ports *ps = vm->io->ports = MEM_NEW(&vm->mem, MEM_SYSTEM, Ports);
    if (ps == NULL) {
        return false;
    }
    ps->table = mem_zalloc(&vm->mem, MEM_SYSTEM, FIRST_SIZE * sizeof *ps->table);
    ps->size = FIRST_SIZE;
    ps->limit = LIMIT;
    ps->next_number = 1; /* number 0 is the port that OTP starts programs with */
    vm->processes->port_alive = alive;
    vm->processes->port_signal = take_signal;
    port_tell_init(vm);
    return ps->table != NULL;
}

static Port *make(VM *vm, term owner, const PortDriver *driver, Bytes name) {
    Ports *ps = vm->io->ports;
    if (ps->alive >= ps->limit || (2 * (ps->count + 1) > ps->size && !grow(vm, ps))) {
        return NULL;
    }
    Port *port = mem_zalloc(&vm->mem, MEM_SYSTEM, driver->size);
    char *copy = mem_alloc(&vm->mem, MEM_SYSTEM, name.size + 1);
    if (port == NULL || copy == NULL) {
        mem_free(&vm->mem, MEM_SYSTEM, port, driver->size);
        mem_free(&vm->mem, MEM_SYSTEM, copy, name.size + 1);
        return NULL;
    }
    memcpy(copy, name.at, name.size);
    copy[name.size] = '\0';
    while (*slot_of(ps, make_port(ps->next_number)) != NULL) {
        ps->next_number++;
    }
    // clang-format off
    *port = (Port){.id = make_port(ps->next_number++), .vm = vm, .driver = driver, .owner = owner, .caller = NONE, .os_pid = -1,
                   .name = copy, .name_size = name.size, .data = NONE};
    // clang-format on
    *slot_of(ps, port->id) = port;
    ps->count++, ps->alive++;
    return port;
}

Port *port_new(Process *p, const PortDriver *driver, Bytes name) {
    Port *port = make(process_vm(p), p->pid, driver, name);
    if (port != NULL) {
        link_make(p, port->id, 0);
    }
    return port;
}

static void link_to(Port *port, term pid) {
    if (add_peer(port, RELATION_LINK, pid, NULL)) {
        send_signal(port->vm, port->id, pid, SIGNAL_LINK, NULL, NONE);
    }
}

Port *port_new_for(VM *vm, term owner, const PortDriver *driver, Bytes name) {
    Port *port = make(vm, owner, driver, name);
    if (port != NULL) {
        link_to(port, owner);
    }
    return port;
}

static void unpark_waiting(Port *port) {
    uint32_t n = port->waiting_count;
    port->waiting_count = 0;
    for (uint32_t i = 0; i < n; i++) {
        Process *p = process_find_any(port->vm, port->waiting[i]);
        if (p != NULL) {
            process_unpark(p);
        }
    }
}

static void port_free(Port *port) {
    VM *vm = port->vm;
    Ports *ps = vm->io->ports;
    if (port->driver->stop != NULL) {
        port->driver->stop(port);
    }
    *slot_of(ps, port->id) = NULL;
    ps->count--;
    while (port->peers != NULL) {
        drop_peer(port, &port->peers);
    }
    tracing_free(vm, port->traced);
    heap_free_fragments(vm, port->fragment);
    mem_free(&vm->mem, MEM_SYSTEM, port->waiting, port->waiting_room * sizeof *port->waiting);
    mem_free(&vm->mem, MEM_SYSTEM, port->name, port->name_size + 1);
    mem_free(&vm->mem, MEM_SYSTEM, port, port->driver->size);
}

void ports_done(VM *vm) {
    Ports *ps = vm->io->ports;
    if (ps == NULL) {
        return;
    }
    port_children_done(vm);
    for (size_t i = 0; ps->table != NULL && i < ps->size; i++) {
        if (ps->table[i] != NULL) {
            port_free(ps->table[i]);
        }
    }
    mem_free(&vm->mem, MEM_SYSTEM, ps->table, ps->table == NULL ? 0 : ps->size * sizeof *ps->table);
    MEM_DELETE(&vm->mem, MEM_SYSTEM, ps);
}

static size_t queued(const Port *port) {
    return port->driver->queued == NULL ? 0 : port->driver->queued(port);
}

bool ports_busy(VM *vm) {
    Ports *ps = vm->io->ports;
    for (size_t i = 0; i < ps->size; i++) {
        if (ps->table[i] != NULL && queued(ps->table[i]) > 0) {
            return true;
        }
    }
    return false;
}

void ports_close(VM *vm) {
    size_t at = 0;
    for (Port *port; (port = ports_next(vm, &at)) != NULL;) {
        port_exit(port, A_killed, false);
    }
}

/* {Port, Value}. */
static void send_value(Port *port, term pid, term value, Heap *h) {
    term message = TUPLE2(h, port->id, value);
    port_tell(port, TRACE_SEND, A_send, message, pid);
    message_send_built(vm_scheduler(port->vm), pid, message, h);
}

static void end_relations(Port *port, RelationKind kind, SignalKind signal, term reason) {
    for (PortPeer **at = &port->peers; *at != NULL;) {
        if ((*at)->kind == kind) {
            PortPeer peer = **at;
            drop_peer(port, at);
            send_signal(port->vm, port->id, peer.pid, signal, peer.key, reason);
        } else {
            at = &(*at)->next;
        }
    }
}

void port_exit(Port *port, term reason, bool send_closed) {
    VM *vm = port->vm;
    if (port->flags & PORT_CLOSING) {
        return;
    }
    assert(port->aside == ASIDE_NOT);
    term id = port->id, owner = port->owner, told = reason == A_kill ? A_killed : reason;
    port->flags |= PORT_CLOSING;
    vm->io->ports->alive--;
    port_tell(port, TRACE_PORTS, A_closed, reason, NONE);
    port_set_busy(port, false);
    if (port->traced != NULL && name_of(vm, id) != NONE) {
        port_tell(port, TRACE_PORTS, A_unregister, name_of(vm, id), NONE);
    }
    name_give_up(vm, id);
    end_relations(port, RELATION_LINK, SIGNAL_LINK_EXIT, told);
    end_relations(port, RELATION_MONITORED, SIGNAL_DOWN, told);
    if (send_closed) {
        port_tell(port, TRACE_SEND, A_send, A_closed, owner);
    }
    if (reason == A_kill || queued(port) == 0) {
        port_free(port);
    }
    if (send_closed) {
        Heap h;
        heap_init_detached(&h, vm);
        message_send_built(vm_scheduler(vm), owner, TUPLE2(&h, id, A_closed), &h);
    }
}

void port_end(Port *port, term reason) {
    PortPeer **link = find_peer(port, RELATION_LINK, port->owner, NULL);
    if (*link != NULL) {
        drop_peer(port, link);
        send_signal(port->vm, port->id, port->owner, SIGNAL_UNLINK, NULL, NONE);
    }
    port_exit(port, reason, false);
}

void port_written(Port *port) {
    if (port->flags & PORT_CLOSING) {
        port_free(port);
    }
}

void port_fail(Port *port, int error) {
    port_exit(port, atom_from(port->vm, file_error_name(error)), false);
}

/* --- What drivers say ---------------------------------------------------------------------------------------------- */

void port_send(Port *port, term value, Heap *built) {
    send_value(port, port->owner, value, built);
}

static term data_term(Heap *h, Port *port, Bytes data) {
    term t = port->flags & PORT_BINARY ? bits_from(h, data.at, data.size) : heap_latin1_list(h, (const char *)data.at, data.size);
    return t == NONE ? NIL : t;
}

void port_send_data(Port *port, Bytes data, term kind) {
    Heap h;
    heap_init_detached(&h, port->vm);
    term t = data_term(&h, port, data);
    port->input += data.size;
    port->vm->io->input += data.size;
    port_send(port, TUPLE2(&h, A_data, kind == NONE ? t : TUPLE2(&h, kind, t)), &h);
}

void port_count_output(Port *port, size_t bytes) {
    port->output += bytes;
    port->vm->io->output += bytes;
}

void port_set_busy(Port *port, bool busy) {
    if (busy) {
        port->flags |= PORT_BUSY;
    } else if (port->flags & PORT_BUSY) {
        port->flags &= ~(uint32_t)PORT_BUSY;
        unpark_waiting(port);
    }
}

void port_check_busy(Port *port) {
    size_t n = queued(port);
    if (port->high > 0 && n >= port->high && !(port->flags & PORT_CLOSING)) {
        port_set_busy(port, true);
    } else if (n < port->low || n == 0) {
        port_set_busy(port, false);
    }
}

/* --- What processes ask for ---------------------------------------------------------------------------------------- */

void port_wait(Process *p, Port *port) {
    if (port->waiting_count == port->waiting_room) {
        uint32_t room = MAX(2 * port->waiting_room, 4);
        term *waiting = mem_resize(&port->vm->mem, MEM_SYSTEM, port->waiting, port->waiting_room * sizeof *waiting, room * sizeof *waiting);
        if (waiting == NULL) {
            process_set(p, STATE_KILLED);
            return;
        }
        port->waiting = waiting, port->waiting_room = room;
    }
    port->waiting[port->waiting_count++] = p->pid;
    port_tell_waits(p, port);
    process_set(p, STATE_HELD_UP);
    process_park(p);
}

static void log_bad_value(Process *p, const Port *port) {
    Heap *h = &p->heap;
    term name = heap_latin1_list(h, port->name, port->name_size);
    log_send(port->vm, A_error, "Bad value on output port '~s'\n", heap_cons(h, name, NIL), NONE, NONE);
}

/* {From, {command, Binary}} */
static void tell_command(Process *p, Port *port, Bytes data) {
    Heap h;
    if (UNLIKELY(port->traced != NULL)) {
        heap_init_detached(&h, port->vm);
        port_tell_received(port, p->pid, TUPLE2(&h, A_command, bits_from(&h, data.at, data.size)));
        heap_free_fragments(port->vm, heap_detach(&h));
    }
}

static PortResult command(Process *p, Port *port, term caller, term data) {
    term id = port->id;
    Text t;
    text_init(&t, &port->vm->mem);
    PortResult result = PORT_DONE;
    port_runs(port, p, A_command);
    switch (iolist_bytes(port->vm, data, &t)) {
    case IOLIST_OK:
        tell_command(p, port, (Bytes){t.at, t.size});
        p->heap.reds -= (intptr_t)(t.size / BYTES_PER_REDUCTION) + 20;
        port_count_output(port, t.size);
        port->caller = caller;
        port->driver->output(port, (Bytes){t.at, t.size});
        break;
    case IOLIST_NO_MEMORY: result = PORT_NO_MEMORY; break;
    default:
        log_bad_value(p, port);
        result = PORT_BAD;
        break;
    }
    text_done(&t);
    port_ran(p, id, A_command);
    return result;
}

PortResult port_command(Process *p, Port *port, term data) {
    return command(p, port, p->pid, data);
}

/* What a port does not understand is the fault of its owner, who gets an exit signal. */
static void bad_signal(Port *port) {
    send_signal(port->vm, port->id, port->owner, SIGNAL_EXIT, NULL, A_badsig);
}

void port_close(Process *p, Port *port, term reason, bool send_closed) {
    term id = port->id;
    port_runs(port, p, A_close);
    port_tell_received(port, p->pid, A_close);
    port_exit(port, reason, send_closed);
    port_ran(p, id, A_close);
}

PortResult port_message(Process *p, Port *port, term message) {
    term from = is_tuple_of(message, 2) ? element(message, 1) : NONE, what = from != NONE ? element(message, 2) : NONE;
    bool pair = what != NONE && is_tuple_of(what, 2) && is_local_pid(from);
    if (what == A_close && from == port->owner) {
        port_close(p, port, A_normal, true);
    } else if (pair && element(what, 1) == A_connect && from == port->owner && is_local_pid(element(what, 2))) {
        Heap h;
        heap_init_detached(&h, port->vm);
        port_runs(port, p, A_connect);
        port_tell_received(port, from, what);
        port->owner = element(what, 2);
        send_value(port, from, A_connected, &h);
        port_ran(p, port->id, A_connect);
    } else if (pair && element(what, 1) == A_command && from == port->owner) {
        term id = port->id;
        PortResult result = command(p, port, from, element(what, 2));
        if (result == PORT_BAD) {
            bad_signal(port);
        } else if ((port = port_find(process_vm(p), id)) != NULL && port->flags & PORT_BUSY) {
            port_wait(p, port);
            return PORT_IS_BUSY;
        }
        return result == PORT_NO_MEMORY ? result : PORT_DONE;
    } else {
        port_runs(port, p, A_command);
        bad_signal(port);
        port_ran(p, port->id, A_command);
    }
    return PORT_DONE;
}

static void link_with(Process *p, Port *port, term pid) {
    if (*find_peer(port, RELATION_LINK, pid, NULL) != NULL) {
        return;
    }
    if (pid == p->pid) {
        link_make(p, port->id, 0);
    } else {
        link_to(port, pid);
        port_tell(port, TRACE_PORTS, A_getting_linked, pid, NONE);
    }
}

void port_connect(Process *p, Port *port, term pid) {
    const term what[] = {HEADER(2, KIND_TUPLE), A_connect, pid}, answer[] = {HEADER(2, KIND_TUPLE), port->id, A_connected};
    port_runs(port, p, A_connect);
    port->owner = pid;
    link_with(p, port, pid);
    port_tell_received(port, p->pid, make_boxed(what));
    port_tell(port, TRACE_SEND, A_send, make_boxed(answer), p->pid);
    port_ran(p, port->id, A_connect);
}
