/* Streams: what goes out. As much as the system takes is written at once, the rest is queued; a queue that is longer than the high
   mark makes the port busy, and holds up whoever has sent last, until it is no longer than the low mark. */
#include "io/inet_tcp.h"

#include "term/atom.h"

enum { QUEUE_KEPT = 64 * 1024 };

size_t tcp_queued(const Port *port) {
    const Inet *s = (const Inet *)port;
    return s->out.size - s->out_start;
}

static void empty_queue(Inet *s) {
    s->out.size = s->out_start = 0;
    if (s->out.capacity > QUEUE_KEPT) {
        text_done(&s->out);
        text_init(&s->out, &s->port.vm->mem);
    }
}

void tcp_clear_output(Inet *s) {
    empty_queue(s);
    inet_queue_empty(s);
}

bool tcp_release(Inet *s) {
    if (!(s->state & INET_BUSY)) {
        return false;
    }
    s->state &= ~(uint32_t)INET_BUSY;
    s->caller = s->busy_caller;
    s->busy_caller.pid = NONE;
    s->send_deadline = INT64_MAX;
    inet_set_alarm(s);
    port_set_busy(&s->port, false);
    return true;
}

/* Sending has failed, with s->caller waiting, or somebody who is held up, or nobody. False: the port is gone. */
static bool output_failed(Inet *s, int error) {
    bool reset = error == SOCKET_RESET && s->set.show_reset, file = s->file.fd >= 0;
    tcp_release(s);
    term reason = reset ? inet_error_name(s, error) : A_closed;
    if (s->active != INET_PASSIVE) {
        if (reset) {
            inet_deliver_event(s, A_tcp_error, reason);
        }
        tcp_closed_message(s);
        if (!file) {
            inet_reply(s, reason);
        }
        if (s->set.exit_on_close) {
            port_end(&s->port, A_normal);
            return false;
        }
        tcp_close(s);
        return true;
    }
    tcp_close_check(s);
    if (s->caller.pid == NONE) {
        s->closed_on_send = true;
    } else if (!file) {
        inet_reply(s, reason);
    }
    tcp_close(s);
    s->closed_on_receive = true; /* what is received next gets `closed`, not `enotconn` */
    s->was_reset |= reset;
    return true;
}

static bool write_failed(Inet *s, int error) {
    /* Except after a shutdown of this side, the other has gone. */
    return output_failed(s, error == FILE_BROKEN && !s->shut_down ? SOCKET_RESET : error);
}

/* The queue has become shorter. */
static void check_marks(Inet *s) {
    if (tcp_queued(&s->port) <= (size_t)s->set.low && tcp_release(s)) {
        inet_reply(s, NONE);
    }
}

static bool shut_down_pending(Inet *s) {
    unsigned how = s->shutdown_pending;
    if (how == 0) {
        return true;
    }
    s->shutdown_pending = 0;
    int error = socket_shutdown(s->fd, how - 1);
    s->shut_down = error == 0;
    return error == 0 || output_failed(s, error);
}

static bool queue_written(Inet *s) {
    empty_queue(s);
    inet_watch(s, s->watched & ~(unsigned)POLL_WRITE);
    inet_queue_empty(s);
    return shut_down_pending(s);
}

/* --- Files --------------------------------------------------------------------------------------------------------- */

static void tell_file(Inet *s, term result, Heap *h) {
    file_close(s->file.fd);
    s->file.fd = -1;
    inet_send(s, s->port.owner, TUPLE3(h, A_sendfile, s->port.id, result), h);
}

void tcp_file_aborted(Inet *s, int error) {
    bool gone = error == SOCKET_RESET || error == SOCKET_NOT_CONNECTED || error == FILE_BROKEN;
    Heap h;
    heap_init_detached(&h, s->port.vm);
    tell_file(s, inet_error(&h, gone ? A_closed : inet_error_name(s, error)), &h);
}

static bool file_sent(Inet *s) {
    uint64_t sent = (uint64_t)s->file.sent;
    check_marks(s);
    Heap h;
    heap_init_detached(&h, s->port.vm);
    tell_file(s, TUPLE3(&h, A_ok, SMALL(sent & UINT32_MAX), SMALL(sent >> 32)), &h);
    return tcp_queued(&s->port) > 0 || queue_written(s);
}

/* What is in front of the file, then the file. */
static bool write_file(Inet *s) {
    int error = 0;
    ptrdiff_t n;
    while (s->file.skip > 0 && (n = socket_write(s->fd, (Bytes){0}, (Bytes){s->out.at + s->out_start, s->file.skip}, &error)) > 0) {
        s->out_start += (size_t)n, s->file.skip -= (size_t)n;
    }
    while (error == 0 && s->file.left > 0) {
        n = socket_send_file(s->fd, s->file.fd, s->file.offset, s->file.left, &error);
        s->file.offset += MAX(n, 0), s->file.sent += MAX(n, 0);
        s->file.left = n == 0 ? 0 : s->file.left - MAX(n, 0); /* 0: the end of the file */
    }
    if (error != 0 && error != SOCKET_PENDING) {
        tcp_file_aborted(s, error);
        return write_failed(s, error);
    }
    if (error == 0) {
        return file_sent(s);
    }
    inet_watch(s, s->watched | POLL_WRITE);
    return true;
}

term tcp_send_file(Inet *s, Process *p, Bytes data) {
    int fd;
    if (data.size != sizeof fd + 16) {
        return inet_fail(p, "einval");
    }
    if (!(s->state & INET_ACTIVE)) {
        return inet_fail_number(p, SOCKET_NOT_CONNECTED);
    }
    if (s->file.fd >= 0) {
        return inet_fail(p, "einval");
    }
    memcpy(&fd, data.at, sizeof fd);
    int error = file_duplicate(fd, &s->file.fd);
    if (error != 0) {
        s->file.fd = -1;
        return inet_fail_number(p, error);
    }
    s->file.offset = (int64_t)read_be64(data.at + sizeof fd);
    s->file.left = (int64_t)read_be64(data.at + sizeof fd + 8);
    s->file.sent = 0;
    s->file.skip = tcp_queued(&s->port);
    write_file(s);
    return inet_done(p, 0);
}

/* --- Data ---------------------------------------------------------------------------------------------------------- */

bool tcp_write_queue(Inet *s) {
    if (s->file.fd >= 0) {
        return write_file(s);
    }
    while (tcp_queued(&s->port) > 0) {
        int error;
        ptrdiff_t n = socket_write(s->fd, (Bytes){0}, (Bytes){s->out.at + s->out_start, tcp_queued(&s->port)}, &error);
        if (n < 0 && error == SOCKET_PENDING) {
            inet_watch(s, s->watched | POLL_WRITE);
            return true;
        }
        if (n < 0 && s->port.flags & PORT_CLOSING) {
            break; /* nobody is left to be told */
        }
        if (n < 0) {
            return write_failed(s, error);
        }
        s->out_start += (size_t)n;
        check_marks(s);
    }
    if (s->port.flags & PORT_CLOSING) {
        empty_queue(s);
        port_written(&s->port);
        return false;
    }
    return queue_written(s);
}

static bool queue(Inet *s, Bytes head, Bytes data, size_t from) {
    if (s->out_start > 0 && s->out_start >= s->out.size / 2) {
        s->out.size -= s->out_start;
        memmove(s->out.at, s->out.at + s->out_start, s->out.size);
        s->out_start = 0;
    }
    if (from < head.size) {
        text_add(&s->out, head.at + from, head.size - from);
        from = head.size;
    }
    text_add(&s->out, data.at + (from - head.size), data.size - (from - head.size));
    return !s->out.failed;
}

static void no_memory(Inet *s) {
    s->out.failed = false;
    inet_reply(s, A_enomem);
}

/* Behind what is queued already. */
static void send_queued(Inet *s, Bytes head, Bytes data) {
    if (!queue(s, head, data, 0)) {
        no_memory(s);
    } else if (tcp_queued(&s->port) < (size_t)s->set.high || s->state & INET_BUSY) { /* busy: it was forced */
        inet_reply(s, NONE);
    } else if (s->set.send_timeout == 0) {
        inet_reply(s, A_timeout);
    } else {
        s->state |= INET_BUSY;
        s->busy_caller = s->caller;
        s->caller.pid = NONE;
        s->send_deadline = inet_deadline(s, (uint32_t)s->set.send_timeout);
        inet_set_alarm(s);
        port_set_busy(&s->port, true);
    }
}

/* The system has taken n bytes; < 0: none. */
static void sent_now(Inet *s, Bytes head, Bytes data, ptrdiff_t n, int error) {
    if (n < 0 && error != SOCKET_PENDING) {
        write_failed(s, error);
        return;
    }
    n = MAX(n, 0);
    if ((size_t)n < head.size + data.size) {
        if (!queue(s, head, data, (size_t)n)) {
            no_memory(s);
            return;
        }
        inet_watch(s, s->watched | POLL_WRITE);
    }
    inet_reply(s, NONE);
}

/* What has been written aside. */
static void settle(Port *port) {
    Inet *s = (Inet *)port;
    sent_now(s, s->aside.head, s->aside.data, s->aside.sent, s->aside.error);
}

/* On loopback the system does all that the other side's system would do, too: others may use their ports meanwhile. */
static void send_aside(Inet *s, Bytes head, Bytes data) {
    s->aside.head = head, s->aside.data = data;
    port_leave(&s->port, settle);
    s->aside.sent = socket_write(s->fd, head, data, &s->aside.error);
    port_return(&s->port);
}

static void send_now(Inet *s, Bytes head, Bytes data) {
    int error = 0;
    ptrdiff_t n = 0;
    bool at_once = head.size + data.size > 0 && !s->ignored && !s->set.delay_send;
    if (at_once && io_may_leave(s->port.vm)) {
        send_aside(s, head, data);
        return;
    }
    if (at_once) {
        n = socket_write(s->fd, head, data, &error);
    }
    sent_now(s, head, data, n, error);
}

void tcp_output(Port *port, Bytes data) {
    Inet *s = (Inet *)port;
    if (!inet_read_tag(s, &data)) {
        inet_reply(s, A_einval);
        return;
    }
    if (!(s->state & INET_ACTIVE)) {
        bool closed = s->closed_on_send;
        s->closed_on_send = false;
        inet_reply(s, !closed ? A_enotconn : s->was_reset ? A_econnreset : A_closed);
        return;
    }
    if (s->shutdown_pending != 0) {
        output_failed(s, FILE_BROKEN);
        return;
    }
    uint8_t bytes[4];
    size_t size = s->set.packet == PACKET_1 ? 1 : s->set.packet == PACKET_2 ? 2 : s->set.packet == PACKET_4 ? 4 : 0;
    write_be32(bytes, (uint32_t)data.size);
    Bytes head = {bytes + 4 - size, size};
    inet_count(&s->sent, size + data.size);
    if (s->file.fd >= 0 || tcp_queued(port) > 0) {
        send_queued(s, head, data);
    } else {
        send_now(s, head, data);
    }
}

term tcp_shutdown(Inet *s, Process *p, Bytes data) {
    if (!(s->state & INET_ACTIVE)) {
        return inet_fail_number(p, SOCKET_NOT_CONNECTED);
    }
    if (data.size != 1 || data.at[0] > 2) {
        return inet_fail(p, "einval");
    }
    unsigned how = data.at[0];
    if (how != 0 && tcp_queued(&s->port) > 0) {
        s->shutdown_pending = (uint8_t)(1 + how);
        return inet_done(p, 0);
    }
    int error = socket_shutdown(s->fd, how);
    s->shut_down |= error == 0 && how != 0;
    return inet_done(p, error);
}
