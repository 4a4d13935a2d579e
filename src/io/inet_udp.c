/* Datagrams. */
#include "io/inet_tcp.h"
#include "io/port_inet.h"

#include "data/bits.h"
#include "proc/schedule.h"
#include "term/atom.h"

/* One datagram, as a message or an answer. */
static bool deliver(Inet *s, const SocketAddress *from, const SocketExtra *extra, Bytes data) {
    VM *vm = s->port.vm;
    Heap h;
    heap_init_detached(&h, vm);
    uint8_t address[INET_ADDRESS_MAX];
    bool passive = s->active == INET_PASSIVE;
    s->port.input += data.size;
    vm->io->input += data.size;
    inet_count(&s->received, data.size);
    term t = inet_data(s, &h, data);
    if (t == NONE) {
        heap_free_fragments(vm, heap_detach(&h));
        return false;
    }
    if (passive || s->set.deliver == 0) { /* [Family, Port, Address ... | Data] */
        t = inet_bytes(&h, (Bytes){address, inet_write_address(from, address)}, t);
    }
    term beside = s->extras != 0 ? inet_extra_list(&h, extra) : NONE;
    if (passive) {
        inet_answer_first(s, TUPLE2(&h, A_ok, beside == NONE ? t : TUPLE2(&h, t, beside)), &h);
        return true;
    }
    if (s->set.deliver == 0) {
        port_send(&s->port, TUPLE2(&h, A_data, t), &h);
    } else {
        term port, ip = inet_address_term(&h, from, &port);
        term message =
            beside == NONE ? heap_tuple(&h, 5, A_udp, s->port.id, ip, port, t) : heap_tuple(&h, 6, A_udp, s->port.id, ip, port, beside, t);
        inet_send(s, s->port.owner, message, &h);
    }
    inet_delivered(s);
    return true;
}

static void receive_failed(Inet *s, int error) {
    if (s->active == INET_PASSIVE) {
        inet_watch(s, 0);
        inet_answer_error(s, inet_error_name(s, error));
    } else {
        inet_deliver_event(s, A_udp_error, inet_error_name(s, error));
    }
}

/* Up to so many datagrams as are read at a time: others want their turn, too. */
static void input(Inet *s) {
    SocketAddress from;
    SocketExtra extra;
    int error;
    if (!text_reserve(&s->in, (size_t)s->set.buffer)) {
        s->in.failed = false;
        receive_failed(s, FILE_NO_MEMORY);
        return;
    }
    for (int32_t n = s->set.read_packets; n > 0; n--) {
        ptrdiff_t size = socket_receive_from(s->fd, s->in.at, (size_t)s->set.buffer, &from, &extra, &error);
        if (size < 0 && error == SOCKET_PENDING) {
            inet_watch(s, POLL_READ);
            break;
        }
        if (size < 0 ||
            !deliver(s, s->state & INET_ACTIVE && s->remote != NULL ? s->remote : &from, &extra, (Bytes){s->in.at, (size_t)size})) {
            receive_failed(s, size < 0 ? error : FILE_NO_MEMORY);
            break;
        }
        if (s->active == INET_PASSIVE) {
            inet_watch(s, 0);
            break;
        }
    }
    text_done(&s->in); /* most sockets have nothing to read most of the time */
    text_init(&s->in, &s->port.vm->mem);
}

static term receive(Inet *s, Process *p, Bytes data) {
    uint16_t id;
    if (!(s->state & INET_OPEN)) {
        return inet_fail(p, "exbadport");
    }
    if (s->active != INET_PASSIVE || data.size != 8) {
        return inet_fail(p, "einval");
    }
    if (s->asked != NULL) {
        return inet_fail_number(p, SOCKET_ALREADY);
    }
    if (!inet_ask(s, p->pid, read_be32(data.at), &id)) {
        return inet_fail(p, "enomem");
    }
    input(s);
    return inet_id(p, id);
}

/* --- Connecting: only who the datagrams go to, and come from -------------------------------------------------------- */

static const char *connect_socket(Inet *s, Bytes data) {
    SocketAddress a;
    const char *wrong = inet_read_address(s->family, &data, &a);
    if (wrong != NULL) {
        return wrong;
    }
    if (s->remote == NULL && (s->remote = MEM_NEW(&s->port.vm->mem, MEM_SYSTEM, SocketAddress)) == NULL) {
        return "enomem";
    }
    if (s->state & INET_ACTIVE) {
        socket_connect(s->fd, NULL); /* or the address it sends from would stay */
    }
    int error = socket_connect(s->fd, &a);
    if (error != 0) {
        socket_connect(s->fd, NULL);
        s->state &= ~(uint32_t)INET_ACTIVE;
        return file_error_name(error);
    }
    *s->remote = a;
    s->state |= INET_ACTIVE;
    return NULL;
}

static term connect_to(Inet *s, Process *p, Bytes data) {
    const char *wrong = !(s->state & INET_OPEN) ? "exbadport" : data.size != 0 && data.size < 6 ? "einval" : NULL;
    if (wrong == NULL && data.size == 0) {
        socket_connect(s->fd, NULL);
        s->state &= ~(uint32_t)INET_ACTIVE;
    } else if (wrong == NULL) {
        wrong = connect_socket(s, (Bytes){data.at + 4, data.size - 4});
    }
    if (wrong != NULL) {
        return inet_fail(p, wrong);
    }
    Heap h;
    heap_init_detached(&h, s->port.vm);
    uint16_t id = s->next_id++;
    inet_answer(s, p->pid, id, A_ok, &h);
    return inet_id(p, id);
}

/* --- Sending: an address, what goes beside the data, and the data ---------------------------------------------------- */

static const char *send_datagram(Inet *s, Bytes data) {
    SocketAddress to;
    SocketExtra extra;
    if (!(s->state & INET_OPEN)) {
        return "einval";
    }
    const char *wrong = inet_read_address(s->family, &data, &to);
    if (wrong != NULL) {
        return wrong;
    }
    size_t beside = data.size < 4 ? SIZE_MAX : read_be32(data.at);
    if (data.size < 4 || beside > data.size - 4 || !inet_read_extra((Bytes){data.at + 4, beside}, &extra)) {
        return "einval";
    }
    Bytes rest = {data.at + 4 + beside, data.size - 4 - beside};
    inet_count(&s->sent, rest.size);
    int error = socket_send_to(s->fd, s->state & INET_ACTIVE ? NULL : &to, &extra, rest);
    return error == 0 ? NULL : file_error_name(error);
}

static void output(Port *port, Bytes data) {
    Inet *s = (Inet *)port;
    const char *wrong = inet_read_tag(s, &data) ? send_datagram(s, data) : "einval";
    inet_reply(s, wrong == NULL ? NONE : atom_from(port->vm, wrong));
}

/* --- The driver ---------------------------------------------------------------------------------------------------- */

static void ready(Inet *s, unsigned what UNUSED) {
    input(s);
}

static void late(Inet *s) {
    inet_watch(s, 0);
    inet_answer_error(s, A_timeout);
}

static term control(Port *port, Process *p, uint32_t operation, Bytes data) {
    Inet *s = (Inet *)port;
    term answer;
    switch (operation - INET_REQUEST_BASE) {
    case INET_REQUEST_OPEN:
    case INET_REQUEST_FD_OPEN:
        answer = inet_open(s, p, operation - INET_REQUEST_BASE, data);
        if (s->state & INET_OPEN && s->active != INET_PASSIVE) {
            inet_watch(s, POLL_READ);
        }
        return answer;
    case INET_REQUEST_CLOSE: inet_close(s); return inet_done(p, 0);
    case INET_REQUEST_CONNECT: return connect_to(s, p, data);
    case INET_REQUEST_RECEIVE_FROM: return receive(s, p, data);
    default: return inet_request(s, p, operation - INET_REQUEST_BASE, data);
    }
}

static void stop(Port *port) {
    inet_stop((Inet *)port);
}

Port *port_open_udp(Process *p, const char *command UNUSED, uint32_t flags, int *error) {
    static const PortDriver driver = {sizeof(Inet), output, control, NULL, stop};
    Inet *s = inet_new(process_vm(p), p->pid, &driver, "udp_inet", p);
    if (s == NULL) {
        *error = FILE_NO_MEMORY;
        return NULL;
    }
    s->port.flags = flags;
    s->ready = ready;
    s->late = late;
    return &s->port;
}
