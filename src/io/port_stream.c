/* Ports of bytes: programs, descriptors that are open already, and files. Input is read when it is there and cut into packets or
   lines; output goes out at once as far as it will, the rest is queued. Nothing here blocks: descriptors of others, which must
   stay as they are, are written to in pieces that a pipe takes whole once it is ready. */
#include "io/port_stream.h"

#include <stdio.h>

#include "base/text.h"
#include "platform/file.h"
#include "platform/platform.h"
#include "proc/schedule.h"
#include "term/atom.h"

enum { READ_SIZE = 64 * 1024, PIPE_PIECE = 4096 };

typedef enum { CHILD_NONE, CHILD_RUNS, CHILD_ENDED } ChildState;

typedef struct {
    Port port;
    Watcher watcher;
    int in, out;      /* -1: none */
    unsigned watched; /* POLL_... that watcher waits for: POLL_READ of in, POLL_WRITE of out */
    StreamOptions o;
    bool borrowed;                /* the descriptors are somebody else's: not to be closed */
    bool restore_in, restore_out; /* to be set back to blocking */
    bool piecewise;               /* out may block */
    bool at_end;                  /* of the input */
    bool carriage;                /* a line so far ends in \r, which is not in partial */
    ChildState child;
    int status;
    Text partial; /* the beginning of a packet or line */
    Text queue;   /* output, from queue_start on */
    size_t queue_start;
} Stream;

static void watch(Stream *s, unsigned what) {
    VM *vm = s->port.vm;
    if (what == s->watched) {
        return;
    }
    s->watched = what;
    if (s->in == s->out) {
        io_watch(vm, s->in, what, &s->watcher);
        return;
    }
    if (s->in >= 0) {
        io_watch(vm, s->in, what & POLL_READ, &s->watcher);
    }
    if (s->out >= 0) {
        io_watch(vm, s->out, what & POLL_WRITE, &s->watcher);
    }
}

/* --- Input --------------------------------------------------------------------------------------------------------- */

static void deliver_line(Stream *s, term kind) {
    port_send_data(&s->port, (Bytes){s->partial.at, s->partial.size}, kind);
    s->partial.size = 0;
}

static void line_byte(Stream *s, uint8_t b) {
    if (s->partial.size == s->o.line) {
        deliver_line(s, A_noeol);
    }
    text_byte(&s->partial, b);
}

static void take_lines(Stream *s, Bytes data) {
    for (size_t i = 0; i < data.size; i++) {
        uint8_t b = data.at[i];
        if (b == '\n') {
            s->carriage = false;
            deliver_line(s, A_eol);
            continue;
        }
        if (s->carriage) {
            s->carriage = false;
            line_byte(s, '\r');
        }
        if (b == '\r') {
            s->carriage = true;
        } else {
            line_byte(s, b);
        }
    }
}

static void end_lines(Stream *s) {
    if (s->carriage) {
        s->carriage = false;
        line_byte(s, '\r');
    }
    if (s->partial.size > 0) {
        deliver_line(s, A_noeol);
    }
}

static size_t packet_size(const uint8_t *at, unsigned bytes) {
    size_t n = 0;
    for (unsigned i = 0; i < bytes; i++) {
        n = n << 8 | at[i];
    }
    return n;
}

static void take_packets(Stream *s, Bytes data) {
    if (s->partial.size > 0) {
        text_add(&s->partial, data.at, data.size);
        data = (Bytes){s->partial.at, s->partial.size};
    }
    while (data.size >= s->o.packet) {
        size_t n = packet_size(data.at, s->o.packet);
        if (data.size - s->o.packet < n) {
            break;
        }
        port_send_data(&s->port, (Bytes){data.at + s->o.packet, n}, NONE);
        data.at += s->o.packet + n, data.size -= s->o.packet + n;
    }
    if (s->partial.size == 0) {
        text_add(&s->partial, data.at, data.size);
    } else {
        memmove(s->partial.at, data.at, data.size);
        s->partial.size = data.size;
    }
}

/* The input has ended, and if the status of the program is wanted it is there. */
static void finish_input(Stream *s) {
    Port *port = &s->port;
    if (s->o.exit_status && s->child == CHILD_ENDED) {
        Heap h;
        heap_init_detached(&h, port->vm);
        port_send(port, TUPLE2(&h, A_exit_status, SMALL(s->status)), &h);
    }
    if (s->o.line > 0) {
        end_lines(s);
    }
    if (port->flags & PORT_CLOSING) {
        return; /* it ends when its output is written */
    }
    if (port->flags & PORT_SOFT_EOF) {
        Heap h;
        heap_init_detached(&h, port->vm);
        port_send(port, A_eof, &h);
        return;
    }
    if (s->child != CHILD_NONE) {
        s->queue.size = s->queue_start = 0; /* nobody will read it */
    }
    port_exit(port, A_normal, false);
}

static void read_input(Stream *s) {
    uint8_t buffer[READ_SIZE];
    int error;
    ptrdiff_t n = platform_read_some(s->in, buffer, sizeof buffer, &error);
    if (n > 0) {
        Bytes data = {buffer, (size_t)n};
        if (s->o.packet > 0) {
            take_packets(s, data);
        } else if (s->o.line > 0) {
            take_lines(s, data);
        } else {
            port_send_data(&s->port, data, NONE);
        }
        if (s->partial.failed) {
            port_fail(&s->port, FILE_NO_MEMORY);
        }
    } else if (n < 0) {
        watch(s, s->watched & ~(unsigned)POLL_READ);
        s->at_end = true;
        if (error != 0) {
            port_fail(&s->port, error);
        } else if (!s->o.exit_status || s->child != CHILD_RUNS) {
            finish_input(s);
        }
    }
}

/* --- Output -------------------------------------------------------------------------------------------------------- */

static size_t stream_queued(const Port *port) {
    const Stream *s = (const Stream *)port;
    return s->queue.size - s->queue_start;
}

/* Writes what will go. The port may be gone afterwards. */
static void write_queue(Stream *s) {
    int error = 0;
    while (stream_queued(&s->port) > 0 && (!s->piecewise || platform_wait_writable(s->out, 0))) {
        size_t n = s->piecewise ? MIN(stream_queued(&s->port), PIPE_PIECE) : stream_queued(&s->port);
        ptrdiff_t done = platform_write_some(s->out, s->queue.at + s->queue_start, n, &error);
        if (done <= 0) {
            break;
        }
        s->queue_start += (size_t)done;
    }
    if (error != 0 || stream_queued(&s->port) == 0) {
        s->queue.size = s->queue_start = 0;
        if (s->queue.capacity > READ_SIZE) {
            text_done(&s->queue);
            text_init(&s->queue, &s->port.vm->mem);
        }
    }
    if (s->port.flags & PORT_CLOSING) {
        watch(s, stream_queued(&s->port) > 0 ? POLL_WRITE : 0);
        if (stream_queued(&s->port) == 0) {
            port_written(&s->port);
        }
        return;
    }
    if (error != 0) {
        watch(s, s->watched & ~(unsigned)POLL_WRITE);
        port_fail(&s->port, error);
        return;
    }
    watch(s, (s->watched & POLL_READ) | (stream_queued(&s->port) > 0 ? POLL_WRITE : 0u));
    port_check_busy(&s->port);
}

static void stream_output(Port *port, Bytes data) {
    Stream *s = (Stream *)port;
    unsigned packet = s->o.packet;
    if (packet > 0 && packet < sizeof(size_t) && data.size >> (8 * packet) != 0) {
        port_fail(port, FILE_INVALID);
        return;
    }
    if (s->queue_start > 0 && s->queue_start >= s->queue.size / 2) {
        s->queue.size -= s->queue_start;
        memmove(s->queue.at, s->queue.at + s->queue_start, s->queue.size);
        s->queue_start = 0;
    }
    bool waiting = stream_queued(port) > 0;
    for (unsigned i = packet; i-- > 0;) {
        text_byte(&s->queue, (uint8_t)(data.size >> (8 * i)));
    }
    text_add(&s->queue, data.at, data.size);
    if (s->queue.failed) {
        port_fail(port, FILE_NO_MEMORY);
    } else if (waiting) {
        port_check_busy(port);
    } else if (s->out < 0) {
        s->queue.size = s->queue_start = 0;
        port_fail(port, FILE_BAD_HANDLE);
    } else {
        write_queue(s);
    }
}

/* --- The whole ----------------------------------------------------------------------------------------------------- */

static void ready(VM *vm UNUSED, Watcher *w, int fd UNUSED, unsigned what) {
    Stream *s = (Stream *)((uint8_t *)w - offsetof(Stream, watcher));
    if (what == POLL_WRITE) {
        write_queue(s);
    } else if (s->port.flags & PORT_CLOSING) {
        watch(s, POLL_WRITE);
    } else {
        read_input(s);
    }
}

static void stream_stop(Port *port) {
    Stream *s = (Stream *)port;
    watch(s, 0);
    if (s->restore_in) {
        platform_set_blocking(s->in, true);
    }
    if (s->restore_out) {
        platform_set_blocking(s->out, true);
    }
    if (!s->borrowed) {
        if (s->in >= 0) {
            platform_close(s->in);
        }
        if (s->out >= 0 && s->out != s->in) {
            platform_close(s->out);
        }
    }
    text_done(&s->partial);
    text_done(&s->queue);
}

static Stream *stream_new(Process *p, const PortDriver *driver, Bytes name, int in, int out, const StreamOptions *o, int *error) {
    Stream *s = (Stream *)port_new(p, driver, name);
    if (s == NULL) {
        *error = FILE_NO_MEMORY;
        return NULL;
    }
    s->watcher.ready = ready;
    s->in = in, s->out = out;
    s->o = *o;
    s->port.flags = o->flags;
    s->port.high = o->high, s->port.low = o->low;
    text_init(&s->partial, &s->port.vm->mem);
    text_init(&s->queue, &s->port.vm->mem);
    if (in >= 0) {
        watch(s, POLL_READ);
    }
    return s;
}

/* port_control of a descriptor: the size of the terminal's window. */
static term fd_control(Port *port, Process *p, uint32_t operation, Bytes data UNUSED) {
    enum { WINDOW_SIZE = 0x018b0900 + 100 };
    const Stream *s = (Stream *)port;
    int size[2]; /* columns, rows */
    if (operation != WINDOW_SIZE || !((s->out >= 0 && platform_window_size(s->out, &size[0], &size[1])) ||
                                      (s->in >= 0 && platform_window_size(s->in, &size[0], &size[1])))) {
        return NONE;
    }
    return heap_latin1_list(&p->heap, (const char *)size, sizeof size);
}

static const PortDriver fd_driver = {sizeof(Stream), stream_output, fd_control, stream_queued, stream_stop};
static const PortDriver stream_driver = {sizeof(Stream), stream_output, NULL, stream_queued, stream_stop};

Port *port_open_fd(Process *p, int in, int out, const StreamOptions *o, int *error) {
    char name[32];
    int size = snprintf(name, sizeof name, "%d/%d", in, out);
    Stream *s = stream_new(p, &fd_driver, (Bytes){(uint8_t *)name, (size_t)size}, o->in ? in : -1, o->out ? out : -1, o, error);
    if (s == NULL) {
        return NULL;
    }
    s->borrowed = true;
    s->piecewise = true;
    if (s->in >= 0 && s->out >= 0 && platform_is_terminal(in) && platform_is_terminal(out)) {
        s->restore_out = platform_set_blocking(out, false);
        s->piecewise = false;
    }
    return &s->port;
}

Port *port_open_file(Process *p, const char *name, const StreamOptions *o, int *error) {
    int fd = platform_open_stream(name, o->in, o->out);
    if (fd < 0) {
        *error = FILE_INVALID;
        return NULL;
    }
    Stream *s = stream_new(p, &stream_driver, (Bytes){(const uint8_t *)name, strlen(name)}, o->in ? fd : -1, o->out ? fd : -1, o, error);
    if (s == NULL) {
        platform_close(fd);
        return NULL;
    }
    return &s->port;
}

/* --- Programs ------------------------------------------------------------------------------------------------------ */

/* A program that has not ended: it must be waited for, whether its port still exists or not. */
typedef struct ChildWatch {
    Watcher watcher;
    struct ChildWatch *next, **link;
    long pid;
    int fd;
    term port;
} ChildWatch;

static void child_free(VM *vm, ChildWatch *c) {
    io_watch(vm, c->fd, 0, &c->watcher);
    platform_close(c->fd);
    *c->link = c->next;
    if (c->next != NULL) {
        c->next->link = c->link;
    }
    MEM_DELETE(&vm->mem, MEM_SYSTEM, c);
}

static void child_ready(VM *vm, Watcher *w, int fd UNUSED, unsigned what UNUSED) {
    ChildWatch *c = (ChildWatch *)w;
    int status;
    if (!child_ended(c->pid, &status)) {
        return;
    }
    Port *port = port_find(vm, c->port);
    child_free(vm, c);
    if (port != NULL) {
        Stream *s = (Stream *)port;
        s->child = CHILD_ENDED;
        s->status = status;
        if (s->at_end && s->o.exit_status) {
            finish_input(s);
        }
    }
}

void port_children_done(VM *vm) {
    while (vm->io->children != NULL) {
        child_free(vm, vm->io->children);
    }
}

static bool child_watch(VM *vm, const Child *child, term port) {
    ChildWatch *c = MEM_NEW(&vm->mem, MEM_SYSTEM, ChildWatch);
    if (c == NULL) {
        return false;
    }
    *c = (ChildWatch){{child_ready}, vm->io->children, &vm->io->children, child->pid, child->watch, port};
    if (c->next != NULL) {
        c->next->link = &c->next;
    }
    vm->io->children = c;
    return io_watch(vm, c->fd, POLL_READ, &c->watcher);
}

Port *port_open_program(Process *p, Bytes name, const ChildOptions *options, const StreamOptions *o, int *error) {
    Child child;
    *error = child_start(options, &child);
    if (*error != 0) {
        return NULL;
    }
    Stream *s = stream_new(p, &stream_driver, name, child.from, child.to, o, error);
    if (s == NULL) {
        platform_close(child.from);
        platform_close(child.to);
        return NULL;
    }
    if (child.failed >= 0) {
        s->child = CHILD_ENDED;
        s->status = child.failed;
    } else {
        s->child = CHILD_RUNS;
        s->port.os_pid = child.pid;
        child_watch(s->port.vm, &child, s->port.id);
    }
    return &s->port;
}
