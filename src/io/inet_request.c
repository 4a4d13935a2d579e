/* What streams and datagram sockets are asked alike: to open, bind and name themselves, for options and the like. */
#include "io/inet_tcp.h"

#include "platform/net.h"
#include "term/atom.h"

static term answer(Process *p, unsigned kind, Bytes data) {
    return heap_cons(&p->heap, SMALL(kind), heap_latin1_list(&p->heap, (const char *)data.at, data.size));
}

term inet_ok(Process *p, Bytes data) {
    return answer(p, INET_REPLY_OK, data);
}

term inet_fail(Process *p, const char *name) {
    return answer(p, INET_REPLY_ERROR, (Bytes){(const uint8_t *)name, strlen(name)});
}

term inet_fail_number(Process *p, int error) {
    return inet_fail(p, file_error_name(error));
}

term inet_done(Process *p, int error) {
    return error == 0 ? inet_ok(p, (Bytes){0}) : inet_fail_number(p, error);
}

static term numbers(Process *p, const uint32_t *n, size_t count) {
    uint8_t bytes[8];
    for (size_t i = 0; i < count; i++) {
        write_be32(bytes + 4 * i, n[i]);
    }
    return inet_ok(p, (Bytes){bytes, 4 * count});
}

term inet_id(Process *p, uint16_t id) {
    uint8_t bytes[2];
    write_be16(bytes, id);
    return inet_ok(p, (Bytes){bytes, sizeof bytes});
}

/* --- Begin and end ------------------------------------------------------------------------------------------------- */

static void ready(VM *vm UNUSED, Watcher *w, int fd UNUSED, unsigned what) {
    Inet *s = (Inet *)((uint8_t *)w - offsetof(Inet, watcher));
    if (__atomic_load_n(&s->port.aside, __ATOMIC_RELAXED) != ASIDE_NOW && port_settle(&s->port)) { /* else it is told of again */
        s->ready(s, what);
    }
}

static void ring(VM *vm UNUSED, Alarm *a) {
    Inet *s = (Inet *)((uint8_t *)a - offsetof(Inet, alarm));
    if (port_settle(&s->port)) {
        s->late(s);
    }
}

Inet *inet_new(VM *vm, term owner, const PortDriver *driver, const char *name, Process *p) {
    Bytes text = {(const uint8_t *)name, strlen(name)};
    Inet *s = (Inet *)(p != NULL ? port_new(p, driver, text) : port_new_for(vm, owner, driver, text));
    if (s != NULL) {
        s->watcher.ready = ready;
        s->alarm.ring = ring;
        s->fd = s->file.fd = -1;
        s->send_deadline = INT64_MAX;
        s->caller.pid = s->busy_caller.pid = NONE;
        inet_settings_init(s);
        text_init(&s->in, &vm->mem);
        text_init(&s->out, &vm->mem);
    }
    return s;
}

void inet_close(Inet *s) {
    inet_forget_subscribers(s);
    if (s->fd < 0) {
        return;
    }
    inet_watch(s, 0);
    if (!s->prebound) {
        socket_close(s->fd);
        s->fd = -1;
        s->state = 0;
    }
}

static void drop_address(Inet *s, SocketAddress **a) {
    if (*a != NULL) {
        MEM_DELETE(&s->port.vm->mem, MEM_SYSTEM, *a);
        *a = NULL;
    }
}

void inet_stop(Inet *s) {
    VM *vm = s->port.vm;
    inet_answer_all(s, A_closed);
    inet_close(s);
    s->send_deadline = INT64_MAX;
    inet_set_alarm(s);
    drop_address(s, &s->peer_name);
    drop_address(s, &s->own_name);
    drop_address(s, &s->remote);
    if (s->space != NULL) {
        mem_free(&vm->mem, MEM_SYSTEM, s->space, strlen(s->space) + 1);
    }
    text_done(&s->in);
    text_done(&s->out);
}

static bool read_kind(Inet *s, Bytes data) {
    enum { KIND_STREAM = 1, KIND_DATAGRAM = 2 };
    s->family = data.at[0];
    s->type = data.at[1] == KIND_STREAM ? SOCKET_STREAM : SOCKET_DATAGRAM;
    return data.at[1] == KIND_STREAM || (!s->stream && data.at[1] == KIND_DATAGRAM);
}

static bool has_family(Bytes data) {
    return data.at[0] == FAMILY_INET || data.at[0] == FAMILY_INET6 || data.at[0] == FAMILY_LOCAL;
}

static term open_new(Inet *s, Process *p, Bytes data) {
    if (s->state != 0) {
        return inet_fail(p, "exbadseq");
    }
    unsigned protocol = data.size > 2 ? data.at[2] : SOCKET_DEFAULT; /* OTP 29 tells it */
    if (!read_kind(s, data) || protocol > SOCKET_MPTCP) {
        return inet_fail(p, "einval");
    }
    if (protocol == SOCKET_DEFAULT) {
        protocol = s->stream ? SOCKET_TCP : SOCKET_UDP;
    }
    int error = socket_open(s->family, s->type, (SocketProtocol)protocol, s->space, &s->fd);
    if (error != 0) {
        s->fd = -1;
    } else {
        s->state = INET_OPEN;
    }
    return inet_done(p, error);
}

static term open_given(Inet *s, Process *p, Bytes data) {
    if (s->state != 0 || !read_kind(s, data)) {
        return inet_fail(p, "einval");
    }
    int fd = (int)read_be32(data.at + 2);
    SocketAddress a;
    bool bound = data.size == 6 || read_be32(data.at + 6) != 0;
    int error = bound ? socket_name(fd, &a) : 0;
    if (error != 0 || (bound && a.family != s->family)) {
        return error != 0 ? inet_fail_number(p, error) : inet_fail(p, "einval");
    }
    s->fd = fd;
    s->prebound = true;
    s->state = INET_OPEN | (s->type == SOCKET_STREAM && socket_peer(fd, &a) == 0 ? INET_ACTIVE : 0u);
    socket_make_ready(fd);
    return inet_done(p, 0);
}

term inet_open(Inet *s, Process *p, unsigned request, Bytes data) {
    bool given = request == INET_REQUEST_FD_OPEN;
    if (given ? data.size != 6 && data.size != 10 : data.size != 2 && data.size != 3) {
        return inet_fail(p, "einval");
    }
    return !has_family(data) ? inet_fail(p, "eafnosupport") : given ? open_given(s, p, data) : open_new(s, p, data);
}

/* --- Names --------------------------------------------------------------------------------------------------------- */

static term address_answer(Process *p, const SocketAddress *a) {
    uint8_t bytes[INET_ADDRESS_MAX];
    return a->family == FAMILY_NONE || a->family == FAMILY_OTHER ? inet_fail(p, "einval")
                                                                 : inet_ok(p, (Bytes){bytes, inet_write_address(a, bytes)});
}

/* PEER and NAME, and the same of sockets with many addresses, of which there are none. */
static term ask_name(Inet *s, Process *p, bool peer, bool all) {
    SocketAddress a;
    const SocketAddress *given = all ? NULL : peer ? s->peer_name : s->own_name;
    if (peer && !all && !(s->state & INET_ACTIVE)) {
        return inet_fail_number(p, SOCKET_NOT_CONNECTED);
    }
    if (given != NULL) {
        return address_answer(p, given);
    }
    int error = peer ? socket_peer(s->fd, &a) : socket_name(s->fd, &a);
    return error != 0 ? inet_fail_number(p, error) : address_answer(p, &a);
}

static term give_name(Inet *s, Process *p, SocketAddress **name, Bytes data) {
    SocketAddress a;
    if (data.size == 0) {
        drop_address(s, name);
        return inet_done(p, 0);
    }
    const char *wrong = data.size < 2 ? "einval" : inet_read_address(s->family, &data, &a);
    if (wrong == NULL && *name == NULL && (*name = MEM_NEW(&s->port.vm->mem, MEM_SYSTEM, SocketAddress)) == NULL) {
        wrong = "enomem";
    }
    if (wrong != NULL) {
        return inet_fail(p, wrong);
    }
    **name = a;
    return inet_done(p, 0);
}

static term bind_to(Inet *s, Process *p, Bytes data) {
    SocketAddress a;
    if (data.size < 2) {
        return inet_fail(p, "einval");
    }
    if (s->state != INET_OPEN) {
        return inet_fail(p, "exbadport");
    }
    const char *wrong = inet_read_address(s->family, &data, &a);
    if (wrong != NULL) {
        return inet_fail(p, wrong);
    }
    int error = socket_bind(s->fd, &a);
    if (error != 0) {
        return inet_fail_number(p, error);
    }
    if (a.port == 0) {
        socket_name(s->fd, &a);
    }
    return inet_id(p, a.port);
}

/* --- The rest ------------------------------------------------------------------------------------------------------ */

static term change_options(Inet *s, Process *p, Bytes data) {
    switch (inet_set_options(s, data)) {
    case INET_OPTIONS_BAD: return inet_fail(p, "einval");
    case INET_OPTIONS_DELIVER: tcp_deliver(s, 0); break;
    case INET_OPTIONS_READ:
        if (tcp_receive(s, 0) && s->active != INET_PASSIVE) {
            inet_watch(s, s->watched | POLL_READ);
        }
        break;
    default: break;
    }
    return inet_done(p, 0);
}

static term status(Inet *s, Process *p) {
    uint32_t state = s->state;
    if (state & INET_LISTENS) {
        tcp_drop_dead(s);
        state |= s->asked != NULL ? INET_ACCEPTS : 0u;
    }
    return numbers(p, &state, 1);
}

static term ignore(Inet *s, Process *p, Bytes data) {
    bool on = data.size > 0 && data.at[0] == 1;
    if (!(s->state & INET_ACTIVE)) {
        return inet_fail_number(p, SOCKET_NOT_CONNECTED);
    }
    if (data.size == 0 || s->type != SOCKET_STREAM || on == s->ignored || data.at[0] > 1) {
        return inet_fail(p, "einval");
    }
    s->ignored = on;
    io_watch(s->port.vm, s->fd, on ? 0 : s->watched, &s->watcher);
    return inet_done(p, 0);
}

static term host_name(Process *p, Bytes data) {
    char name[256];
    int error = data.size != 0 ? FILE_INVALID : net_host_name(name, sizeof name);
    return error != 0 ? inet_fail_number(p, error) : inet_ok(p, (Bytes){(uint8_t *)name, strlen(name)});
}

/* A length and so many characters, as a string. */
static bool read_string(Bytes *data, char to[256]) {
    if (data->size < 1 || data->size - 1 < data->at[0]) {
        return false;
    }
    size_t n = data->at[0];
    memcpy(to, data->at + 1, n);
    to[n] = '\0';
    data->at += 1 + n, data->size -= 1 + n;
    return true;
}

static term service_port(Process *p, Bytes data) {
    char name[256], protocol[256];
    uint16_t port;
    bool good = read_string(&data, name) && read_string(&data, protocol) && socket_service_port(name, protocol, &port);
    return good ? inet_id(p, port) : inet_fail(p, "einval");
}

static term service_name(Process *p, Bytes data) {
    char name[256], protocol[256];
    uint16_t port = data.size < 2 ? 0 : read_be16(data.at);
    Bytes rest = {data.at + 2, data.size - MIN(data.size, 2)};
    bool good = read_string(&rest, protocol) && socket_service_name(port, protocol, name, sizeof name);
    return good ? inet_ok(p, (Bytes){(uint8_t *)name, strlen(name)}) : inet_fail(p, "einval");
}

static bool add_subscriber(Inet *s, term pid) {
    size_t n = s->subscriber_count;
    term *list = mem_resize(&s->port.vm->mem, MEM_SYSTEM, s->subscribers, n * sizeof *list, (n + 1) * sizeof *list);
    if (list == NULL) {
        return false;
    }
    list[n] = pid;
    s->subscribers = list;
    s->subscriber_count++;
    return true;
}

static term subscribe(Inet *s, Process *p, Bytes data) {
    enum { EMPTY_QUEUE = 1, LONGEST = 64 };
    Text t;
    text_init(&t, &s->port.vm->mem);
    bool good = data.size <= LONGEST;
    for (size_t i = 0; i < data.size && good; i++) {
        size_t queued = tcp_queued(&s->port);
        good = data.at[i] == EMPTY_QUEUE && (queued == 0 || add_subscriber(s, p->pid));
        text_byte(&t, EMPTY_QUEUE);
        text_be32(&t, (uint32_t)queued);
    }
    term result = good && !t.failed ? inet_ok(p, (Bytes){t.at, t.size}) : NONE;
    text_done(&t);
    return result;
}

static term type_of_socket(Inet *s, Process *p) {
    if (s->state == 0) {
        return inet_fail(p, "einval");
    }
    return numbers(p, (uint32_t[]){s->family, s->type == SOCKET_STREAM ? 1 : 2}, 2);
}

static term interfaces(Inet *s, Process *p, unsigned request, Bytes data) {
    if (!(s->state & INET_OPEN)) {
        return inet_fail(p, "exbadport");
    }
    switch (request) {
    case INET_REQUEST_INTERFACE_LIST: return inet_interface_list(s, p);
    case INET_REQUEST_INTERFACES: return inet_interfaces(s, p);
    case INET_REQUEST_INTERFACE_GET: return inet_interface_get(s, p, data);
    default: return inet_interface_set(s, p, data);
    }
}

term inet_request(Inet *s, Process *p, unsigned request, Bytes data) {
    switch (request) {
    case INET_REQUEST_PEER: return ask_name(s, p, true, false);
    case INET_REQUEST_NAME: return ask_name(s, p, false, false);
    case INET_REQUEST_PEER_ADDRESSES:
    case INET_REQUEST_LOCAL_ADDRESSES:
        return data.size != 4            ? inet_fail(p, "einval")
               : !(s->state & INET_OPEN) ? inet_fail(p, "exbadport")
                                         : ask_name(s, p, request == INET_REQUEST_PEER_ADDRESSES, true);
    case INET_REQUEST_SET_PEER: return give_name(s, p, &s->peer_name, data);
    case INET_REQUEST_SET_NAME: return give_name(s, p, &s->own_name, data);
    case INET_REQUEST_BIND: return bind_to(s, p, data);
    case INET_REQUEST_SET_OPTIONS: return change_options(s, p, data);
    case INET_REQUEST_GET_OPTIONS: return inet_get_options(s, p, data);
    case INET_REQUEST_STATISTICS: return inet_statistics(s, p, data);
    case INET_REQUEST_SUBSCRIBE: return subscribe(s, p, data);
    case INET_REQUEST_HOST_NAME: return host_name(p, data);
    case INET_REQUEST_STATUS: return status(s, p);
    case INET_REQUEST_TYPE: return type_of_socket(s, p);
    case INET_REQUEST_FD: return s->state & INET_OPEN ? numbers(p, (uint32_t[]){(uint32_t)s->fd}, 1) : inet_fail(p, "einval");
    case INET_REQUEST_IGNORE: return ignore(s, p, data);
    case INET_REQUEST_SERVICE_PORT: return service_port(p, data);
    case INET_REQUEST_SERVICE_NAME: return service_name(p, data);
    case INET_REQUEST_INTERFACE_LIST:
    case INET_REQUEST_INTERFACES:
    case INET_REQUEST_INTERFACE_GET:
    case INET_REQUEST_INTERFACE_SET: return interfaces(s, p, request, data);
    default: return inet_fail(p, "exbadport");
    }
}
