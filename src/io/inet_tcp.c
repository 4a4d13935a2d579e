/* Streams: connecting, accepting, and what comes in. */
#include "io/inet_tcp.h"
#include "io/port_inet.h"

#include "data/bits.h"
#include "proc/schedule.h"
#include "term/atom.h"

enum { LONGEST_REQUEST = 64 * 1024 * 1024, READ_MOST = 256 * 1024 };

static const PortDriver driver;

/* --- Ends ---------------------------------------------------------------------------------------------------------- */

static void clear_input(Inet *s) {
    VM *vm = s->port.vm;
    text_done(&s->in);
    text_init(&s->in, &vm->mem);
    s->want = s->room = 0;
}

void tcp_closed_message(Inet *s) {
    if (!s->close_sent) {
        s->close_sent = true;
        inet_deliver_event(s, A_tcp_closed, NONE);
    }
}

void tcp_close_check(Inet *s) {
    if (s->state & INET_LISTENS) {
        inet_watch(s, 0);
    }
    inet_answer_all(s, A_closed);
}

void tcp_close(Inet *s) {
    clear_input(s);
    tcp_clear_output(s);
    inet_close(s);
}

/* A passive stream, or one that stays open, is closed for reading. The port stays. */
static void close_passive(Inet *s, term reason) {
    clear_input(s);
    if (s->set.exit_on_close) {
        tcp_close(s);
    } else {
        inet_watch(s, s->watched & ~(unsigned)POLL_READ);
    }
    inet_answer_all(s, reason);
}

/* False: the port is gone. */
static bool close_active(Inet *s, term reason) {
    clear_input(s);
    tcp_closed_message(s);
    if (s->set.exit_on_close) {
        port_end(&s->port, reason);
        return false;
    }
    inet_watch(s, s->watched & ~(unsigned)POLL_READ);
    return true;
}

/* The other side has closed (error 0), or reading has failed. False: the port is gone. */
static bool input_ended(Inet *s, int error) {
    term reason = error == 0 ? A_closed : inet_error_name(s, error);
    bool told = s->file.fd >= 0;
    if (s->state & INET_BUSY) {
        tcp_clear_output(s);
        tcp_release(s);
        inet_reply(s, A_closed);
        told = true;
    }
    if (s->file.fd >= 0) {
        tcp_file_aborted(s, error == 0 ? SOCKET_NOT_CONNECTED : error);
    }
    if (error == 0 && !told) {
        s->closed_on_send = true; /* what is sent next gets `closed`, not `enotconn` */
    }
    if (s->active == INET_PASSIVE) {
        close_passive(s, reason);
        return true;
    }
    if (error != 0) {
        inet_deliver_event(s, A_tcp_error, reason);
    }
    return close_active(s, error == 0 ? A_normal : reason);
}

/* --- Input --------------------------------------------------------------------------------------------------------- */

/* A message with a packet, or the answer to who waits for one. False: no memory. */
static bool deliver_packet(Inet *s, Bytes data) {
    VM *vm = s->port.vm;
    Heap h;
    heap_init_detached(&h, vm);
    PacketType type = (PacketType)s->set.packet;
    Bytes body = packet_body(type, data.at, data.size);
    bool passive = s->active == INET_PASSIVE, port_wise = s->set.deliver == 0;
    term t = port_wise ? NONE : packet_parse(&h, type, data.at, data.size, &s->headers), tag = A_http;
    bool tls = t != NONE && type == PACKET_SSL_TLS;
    if (tls) {
        boxed(t)[2] = s->port.id;
    } else if (t == NONE && (port_wise || h.reason == NONE)) {
        t = inet_data(s, &h, body);
        tag = A_tcp;
    }
    if (t == NONE) {
        heap_free_fragments(vm, heap_detach(&h));
        return false;
    }
    s->port.input += data.size;
    vm->io->input += data.size;
    if (port_wise) {
        port_send(&s->port, TUPLE2(&h, A_data, t), &h);
    } else if (passive) {
        inet_answer_first(s, TUPLE2(&h, A_ok, t), &h);
        return true;
    } else {
        inet_send(s, s->port.owner, tls ? t : TUPLE3(&h, tag, s->port.id, t), &h);
    }
    inet_delivered(s);
    return true;
}

/* How long the packet is that begins at `start` of the input. 0: it is not whole; *more says how much to read. < 0: there is none. */
static int64_t whole_packet(Inet *s, size_t start, size_t *more) {
    size_t n = s->in.size - start, most = (size_t)(uint32_t)s->set.packet_size;
    PacketOptions o = {.max_size = (uint32_t)most,
                       .max_line = (uint32_t)MIN(s->room, UINT32_MAX),
                       .delimiter = (uint8_t)s->set.delimiter,
                       .headers = s->headers};
    int64_t length = packet_length((PacketType)s->set.packet, s->in.at + start, n, &o);
    *more = 0;
    if (length < 0) {
        return -1;
    }
    if (length > 0) {
        if ((size_t)length <= n) {
            return length;
        }
        s->room = MAX(s->room, (size_t)length);
        *more = s->want = (size_t)length - n;
        return 0;
    }
    if (n >= s->room) { /* full, and it still cannot be told */
        if (most <= n) {
            return -1;
        }
        s->room = most;
    }
    *more = s->set.read_ahead ? s->room - n : 1;
    return 0;
}

static void drop_input(Inet *s, size_t n) {
    s->in.size -= n;
    if (s->in.size == 0) {
        clear_input(s);
    } else if (n > 0) {
        memmove(s->in.at, s->in.at + n, s->in.size);
    }
}

bool tcp_deliver(Inet *s, size_t length) {
    size_t start = 0, more;
    if (length == 0 && (s->in.size == 0 || s->want > 0)) {
        return true;
    }
    do {
        if (length == 0) {
            int64_t n = whole_packet(s, start, &more);
            if (n < 0) {
                return input_ended(s, SOCKET_TOO_LONG);
            }
            if (n == 0) {
                break;
            }
            length = (size_t)n;
        }
        inet_count(&s->received, length);
        s->want = 0;
        if (!deliver_packet(s, (Bytes){s->in.at + start, length})) {
            return input_ended(s, FILE_NO_MEMORY);
        }
        start += length;
        length = 0;
    } while (s->active != INET_PASSIVE && start < s->in.size);
    if (s->active == INET_PASSIVE) {
        inet_watch(s, s->watched & ~(unsigned)POLL_READ);
    }
    drop_input(s, start);
    return true;
}

/* Prepares for reading: *more bytes at most. True: nothing is to be read, *result is. */
static bool has_enough(Inet *s, size_t length, size_t *more, bool *result) {
    *result = true;
    if (s->in.size == 0 && s->want == 0) {
        s->room = length > 0 ? length : (size_t)s->set.buffer;
        s->want = length;
        *more = s->room;
        if (length == 0 && !s->set.read_ahead && s->set.packet != PACKET_RAW) {
            *more = 1;
        }
        return false;
    }
    if (length > 0) {
        if (s->in.size >= length) {
            *result = tcp_deliver(s, length);
            return true;
        }
        s->room = MAX(s->room, length);
        *more = s->want = length - s->in.size;
    } else if (s->want > 0) {
        *more = s->want;
    } else {
        int64_t n = whole_packet(s, 0, more);
        if (n != 0) {
            *result = n < 0 ? input_ended(s, SOCKET_TOO_LONG) : tcp_deliver(s, (size_t)n);
            return true;
        }
    }
    return false;
}

bool tcp_receive(Inet *s, size_t length) {
    size_t more;
    bool result;
    if (has_enough(s, length, &more, &result)) {
        return result;
    }
    more = MIN(more, MAX(READ_MOST, (size_t)s->set.buffer)); /* memory only for what really comes */
    if (!text_reserve(&s->in, more)) {
        return input_ended(s, FILE_NO_MEMORY);
    }
    int error;
    ptrdiff_t got = socket_read(s->fd, s->in.at + s->in.size, more, &error);
    if (got <= 0) {
        if (got < 0 && error == SOCKET_PENDING) {
            return true;
        }
        return input_ended(s, got == 0 || (error == SOCKET_RESET && !s->set.show_reset) ? 0 : error);
    }
    s->in.size += (size_t)got;
    if (s->want > 0) {
        s->want -= (size_t)got;
        return s->want > 0 || tcp_deliver(s, s->in.size);
    }
    int64_t n = whole_packet(s, 0, &more);
    return n == 0 || (n < 0 ? input_ended(s, SOCKET_TOO_LONG) : tcp_deliver(s, (size_t)n));
}

static term receive(Inet *s, Process *p, Bytes data) {
    if (!(s->state & INET_ACTIVE)) {
        bool closed = s->closed_on_receive, was_reset = closed && s->was_reset;
        if (closed) {
            s->closed_on_receive = s->closed_on_send = s->was_reset = false;
        }
        return was_reset ? inet_fail_number(p, SOCKET_RESET) : closed ? inet_fail(p, "closed") : inet_fail_number(p, SOCKET_NOT_CONNECTED);
    }
    if (s->active != INET_PASSIVE || data.size != 8) {
        return inet_fail(p, "einval");
    }
    uint32_t timeout = read_be32(data.at), length = read_be32(data.at + 4);
    if (s->set.packet != PACKET_RAW && length != 0) {
        return inet_fail(p, "einval");
    }
    if (length > LONGEST_REQUEST) {
        return inet_fail(p, "enomem");
    }
    uint16_t id;
    if (s->asked != NULL) {
        return inet_fail_number(p, SOCKET_ALREADY);
    }
    if (!inet_ask(s, p->pid, timeout, &id)) {
        return inet_fail(p, "enomem");
    }
    if ((s->ignored || tcp_receive(s, length)) && s->asked != NULL) { /* nothing yet */
        if (timeout == 0) {
            inet_answer_error(s, A_timeout);
        } else {
            inet_watch(s, s->watched | POLL_READ);
        }
    }
    return inet_id(p, id);
}

static term push_back(Inet *s, Process *p, Bytes data) {
    if (!(s->state & INET_ACTIVE)) {
        return inet_fail_number(p, SOCKET_NOT_CONNECTED);
    }
    if (!text_reserve(&s->in, data.size)) {
        return inet_fail(p, "enomem");
    }
    memmove(s->in.at + data.size, s->in.at, s->in.size);
    memcpy(s->in.at, data.at, data.size);
    s->in.size += data.size;
    s->room = MAX(s->room, s->in.size);
    s->want = 0;
    if (s->active != INET_PASSIVE) {
        tcp_deliver(s, 0);
    }
    return inet_done(p, 0);
}

/* --- Connections --------------------------------------------------------------------------------------------------- */

static void connected(Inet *s) {
    s->state = INET_OPEN | INET_ACTIVE;
    inet_watch(s, s->active != INET_PASSIVE ? POLL_READ : 0);
    Heap h;
    heap_init_detached(&h, s->port.vm);
    inet_answer_first(s, A_ok, &h);
}

static term connect_to(Inet *s, Process *p, Bytes data) {
    const char *wrong = !(s->state & INET_OPEN)                     ? "exbadport"
                        : s->state & INET_ACTIVE                    ? "eisconn"
                        : s->state & INET_CONNECTS || data.size < 6 ? "einval"
                                                                    : NULL;
    SocketAddress a;
    Bytes address = {data.at + 4, data.size - MIN(data.size, 4)};
    if (wrong == NULL) {
        wrong = inet_read_address(s->family, &address, &a);
    }
    if (wrong != NULL) {
        return inet_fail(p, wrong);
    }
    int error = socket_connect(s->fd, &a);
    if (error != 0 && error != SOCKET_PENDING) {
        return inet_fail_number(p, error);
    }
    uint16_t id;
    if (!inet_ask(s, p->pid, error == 0 ? UINT32_MAX : read_be32(data.at), &id)) {
        return inet_fail(p, "enomem");
    }
    if (error == 0) {
        connected(s);
    } else {
        s->state = INET_OPEN | INET_CONNECTS;
        inet_watch(s, POLL_WRITE);
    }
    return inet_id(p, id);
}

static void connect_ready(Inet *s) {
    inet_watch(s, 0);
    int error = socket_error(s->fd);
    if (error == 0) {
        connected(s);
    } else {
        s->state = INET_OPEN;
        inet_answer_error(s, inet_error_name(s, error));
    }
}

static term listen_on(Inet *s, Process *p, Bytes data) {
    if (!(s->state & INET_OPEN) || data.size != 2) {
        return inet_fail(p, s->state & INET_OPEN ? "einval" : "exbadport");
    }
    int error = socket_listen(s->fd, read_be16(data.at));
    if (error == 0) {
        s->state = INET_OPEN | INET_LISTENS;
    }
    return inet_done(p, error);
}

/* The port of an accepted connection, of `caller`, who may be p. NULL: no memory. */
static Inet *accepted(Inet *listener, int fd, term caller, Process *p) {
    Inet *s = inet_new(listener->port.vm, caller, &driver, "tcp_inet", p);
    if (s == NULL) {
        socket_close(fd);
        return NULL;
    }
    s->port.flags = PORT_BINARY;
    tcp_begin(s);
    inet_settings_copy(s, listener);
    s->buffer_set = false;
    s->family = listener->family;
    s->type = listener->type;
    s->fd = fd;
    s->state = INET_OPEN | INET_ACTIVE;
    return s;
}

void tcp_drop_dead(Inet *s) {
    for (InetAsked **at = &s->asked; *at != NULL;) {
        if (process_find(s->port.vm, (*at)->caller) == NULL) {
            inet_unask(s, at);
        } else {
            at = &(*at)->next;
        }
    }
}

static void accept_ready(Inet *s) {
    for (tcp_drop_dead(s); s->asked != NULL; tcp_drop_dead(s)) {
        int fd, error = socket_accept(s->fd, &fd);
        if (error == SOCKET_PENDING) {
            return;
        }
        const Inet *new = error == 0 ? accepted(s, fd, s->asked->caller, NULL) : NULL;
        Heap h;
        heap_init_detached(&h, s->port.vm);
        inet_answer_first(
            s, new != NULL ? TUPLE2(&h, A_ok, new->port.id) : inet_error(&h, error == 0 ? A_system_limit : inet_error_name(s, error)), &h);
    }
    inet_watch(s, 0);
}

static term accept_one(Inet *s, Process *p, Bytes data) {
    if (!(s->state & INET_LISTENS) || data.size != 4) {
        return inet_fail(p, "einval");
    }
    uint32_t timeout = read_be32(data.at);
    uint16_t id;
    tcp_drop_dead(s);
    if (s->asked == NULL) {
        int fd, error = socket_accept(s->fd, &fd);
        if (error == 0) {
            const Inet *new = accepted(s, fd, p->pid, p);
            if (new == NULL) {
                return inet_fail(p, "system_limit");
            }
            Heap h;
            heap_init_detached(&h, s->port.vm);
            inet_answer(s, p->pid, id = s->next_id++, TUPLE2(&h, A_ok, new->port.id), &h);
            return inet_id(p, id);
        }
        if (error != SOCKET_PENDING) {
            return inet_fail_number(p, error);
        }
    }
    if (!inet_ask(s, p->pid, timeout, &id)) {
        return inet_fail(p, "enomem");
    }
    inet_watch(s, POLL_READ);
    return inet_id(p, id);
}

/* --- The driver ---------------------------------------------------------------------------------------------------- */

static void ready(Inet *s, unsigned what) {
    if (s->state & INET_LISTENS) {
        accept_ready(s);
    } else if (s->state & INET_CONNECTS) {
        connect_ready(s);
    } else if (what == POLL_WRITE) {
        tcp_write_queue(s);
    } else if (s->port.flags & PORT_CLOSING) {
        inet_watch(s, POLL_WRITE);
    } else if (s->state & INET_ACTIVE) {
        tcp_receive(s, 0);
    } else {
        inet_watch(s, 0);
    }
}

/* What has taken too long: a connect closes the socket, the others only give up. */
static void late(Inet *s) {
    int64_t now = timers_now(s->port.vm);
    if (s->send_deadline <= now) {
        tcp_release(s);
        inet_reply(s, A_timeout);
        if (s->set.send_timeout_close) {
            tcp_close(s);
        }
    }
    for (InetAsked **at = &s->asked; *at != NULL;) {
        if ((*at)->deadline > now) {
            at = &(*at)->next;
            continue;
        }
        if (s->state & INET_CONNECTS) {
            tcp_close(s);
        }
        Heap h;
        heap_init_detached(&h, s->port.vm);
        inet_answer(s, (*at)->caller, (*at)->id, inet_error(&h, A_timeout), &h);
        inet_unask(s, at);
        if (s->asked == NULL) {
            s->want = 0;
            inet_watch(s, s->watched & ~(unsigned)POLL_READ);
        }
    }
    inet_set_alarm(s);
}

static term control(Port *port, Process *p, uint32_t operation, Bytes data) {
    Inet *s = (Inet *)port;
    switch (operation - INET_REQUEST_BASE) {
    case INET_REQUEST_OPEN:
    case INET_REQUEST_FD_OPEN: return inet_open(s, p, operation - INET_REQUEST_BASE, data);
    case INET_REQUEST_LISTEN: return listen_on(s, p, data);
    case INET_REQUEST_CONNECT: return connect_to(s, p, data);
    case INET_REQUEST_ACCEPT: return accept_one(s, p, data);
    case INET_REQUEST_CLOSE:
        tcp_close_check(s);
        tcp_close(s);
        return inet_done(p, 0);
    case INET_REQUEST_RECEIVE: return receive(s, p, data);
    case INET_REQUEST_PUSH_BACK: return push_back(s, p, data);
    case INET_REQUEST_SHUTDOWN: return tcp_shutdown(s, p, data);
    case INET_REQUEST_SEND_FILE: return tcp_send_file(s, p, data);
    default: return inet_request(s, p, operation - INET_REQUEST_BASE, data);
    }
}

static size_t unwritten(const Port *port) {
    const Inet *s = (const Inet *)port;
    return port->flags & PORT_CLOSING && (s->linger_zero || s->file.fd >= 0) ? 0 : tcp_queued(port);
}

static void stop(Port *port) {
    Inet *s = (Inet *)port;
    if (s->file.fd >= 0) {
        file_close(s->file.fd);
    }
    inet_stop(s);
}

static const PortDriver driver = {sizeof(Inet), tcp_output, control, unwritten, stop};

void tcp_begin(Inet *s) {
    s->stream = true;
    s->port.flags |= PORT_FORCED;
    s->ready = ready;
    s->late = late;
}

Port *port_open_tcp(Process *p, const char *command UNUSED, uint32_t flags, int *error) {
    Inet *s = inet_new(process_vm(p), p->pid, &driver, "tcp_inet", p);
    if (s == NULL) {
        *error = FILE_NO_MEMORY;
        return NULL;
    }
    s->port.flags = flags;
    tcp_begin(s);
    return &s->port;
}
