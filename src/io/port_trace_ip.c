/* Messages of tracing for a client over TCP. In front of each message: a byte 0 and its size, big-endian; or a byte 1 and how many
   messages have been left out. */
#include "io/port_trace_ip.h"

#include <stdio.h>

#include "data/bits.h"
#include "platform/file.h"
#include "platform/socket.h"

enum { HEAD_SIZE = 5, MESSAGE = 0, LEFT_OUT = 1, OPTION_REUSE_ADDRESS = 0 };
enum { KEEP_WITHOUT_CLIENT = 2, ALL_FLAGS = 3 };

typedef struct Waiting {
    struct Waiting *next;
    size_t size, written;
    uint8_t bytes[];
} Waiting;

typedef struct {
    Port port;
    Watcher watcher;
    int listener, client;  /* client -1: none */
    uint16_t number;       /* of the TCP port */
    bool keeps;            /* messages wait although there is no client */
    unsigned limit, count; /* messages that may wait, and that do; one more tells how many were left out */
    Waiting *first, *last;
} TraceSocket;

static void drop_first(TraceSocket *t) {
    Waiting *w = t->first;
    t->first = w->next;
    if (t->first == NULL) {
        t->last = NULL;
    }
    t->count--;
    mem_free(&t->port.vm->mem, MEM_SYSTEM, w, sizeof *w + w->size);
}

static void close_client(TraceSocket *t) {
    io_watch(t->port.vm, t->client, 0, &t->watcher);
    socket_close(t->client);
    t->client = -1;
    while (!t->keeps && t->first != NULL) {
        drop_first(t);
    }
    if (t->first != NULL) { /* the next client gets it whole */
        t->first->written = 0;
    }
}

static void watch_client(TraceSocket *t) {
    io_watch(t->port.vm, t->client, POLL_READ | (t->first != NULL ? POLL_WRITE : 0u), &t->watcher);
}

static void write_waiting(TraceSocket *t) {
    int error = 0;
    while (t->first != NULL && error == 0) {
        Waiting *w = t->first;
        ptrdiff_t n = socket_write(t->client, (Bytes){NULL, 0}, (Bytes){w->bytes + w->written, w->size - w->written}, &error);
        if (n >= 0) {
            error = 0;
            w->written += (size_t)n;
        }
        if (w->written == w->size) {
            drop_first(t);
        }
    }
    if (error != 0 && error != SOCKET_PENDING) {
        close_client(t);
    } else {
        watch_client(t);
    }
}

/* False: no memory. */
static bool enqueue(TraceSocket *t, uint8_t kind, uint32_t number, Bytes data) {
    Waiting *w = mem_alloc(&t->port.vm->mem, MEM_SYSTEM, sizeof *w + HEAD_SIZE + data.size);
    if (w == NULL) {
        return false;
    }
    *w = (Waiting){.size = HEAD_SIZE + data.size};
    w->bytes[0] = kind;
    write_be32(w->bytes + 1, number);
    memcpy(w->bytes + HEAD_SIZE, data.at, data.size);
    *(t->last == NULL ? &t->first : &t->last->next) = w;
    t->last = w;
    t->count++;
    return true;
}

static void trace_output(Port *port, Bytes data) {
    TraceSocket *t = (TraceSocket *)port;
    bool ok = true;
    if (t->client < 0 && !t->keeps) {
        return;
    }
    if (t->count < t->limit) {
        ok = enqueue(t, MESSAGE, (uint32_t)data.size, data);
    } else if (t->count == t->limit) {
        ok = enqueue(t, LEFT_OUT, 1, (Bytes){data.at, 0});
    } else if (t->last->written == 0) {
        write_be32(t->last->bytes + 1, read_be32(t->last->bytes + 1) + 1);
    }
    if (t->client >= 0) {
        write_waiting(t);
    }
    if (!ok) {
        port_fail(port, FILE_NO_MEMORY);
    }
}

static void accept_client(TraceSocket *t) {
    int fd;
    if (socket_accept(t->listener, &fd) != 0) {
        return;
    }
    if (t->client >= 0) { /* one is enough */
        socket_close(fd);
        return;
    }
    t->client = fd;
    watch_client(t);
}

/* What a client sends is nobody's; only its end says something. */
static void read_client(TraceSocket *t) {
    uint8_t ignored[128];
    int error = 0;
    ptrdiff_t n = socket_read(t->client, ignored, sizeof ignored, &error);
    if (n == 0 || (n < 0 && error != SOCKET_PENDING)) {
        close_client(t);
    }
}

static void ready(VM *vm UNUSED, Watcher *w, int fd, unsigned what) {
    TraceSocket *t = (TraceSocket *)((uint8_t *)w - offsetof(TraceSocket, watcher));
    if (fd == t->listener) {
        accept_client(t);
    } else if (what == POLL_WRITE) {
        write_waiting(t);
    } else {
        read_client(t);
    }
}

static term trace_control(Port *port, Process *p, uint32_t operation, Bytes data UNUSED) {
    const TraceSocket *t = (TraceSocket *)port;
    const uint8_t answer[] = {0, (uint8_t)(t->number >> 8), (uint8_t)t->number};
    return operation == 'p' ? bits_from(&p->heap, answer, sizeof answer) : NONE;
}

static void trace_stop(Port *port) {
    TraceSocket *t = (TraceSocket *)port;
    t->keeps = false;
    if (t->client >= 0) {
        close_client(t);
    }
    while (t->first != NULL) {
        drop_first(t);
    }
    io_watch(port->vm, t->listener, 0, &t->watcher);
    socket_close(t->listener);
}

/* Listens to a TCP port of all addresses. -1: it cannot be had. */
static int open_listener(uint16_t *number) {
    int fd;
    SocketAddress any = {.family = FAMILY_INET, .size = 4, .port = *number};
    if (socket_open(FAMILY_INET, SOCKET_STREAM, SOCKET_DEFAULT, NULL, &fd) != 0) {
        return -1;
    }
    if (socket_set_number(fd, OPTION_REUSE_ADDRESS, 1) != 0 || socket_bind(fd, &any) != 0 || socket_name(fd, &any) != 0 ||
        socket_listen(fd, 1) != 0) {
        socket_close(fd);
        return -1;
    }
    *number = any.port;
    return fd;
}

Port *port_open_trace_ip(Process *p, const char *command, uint32_t flags, int *error) {
    static const PortDriver driver = {sizeof(TraceSocket), trace_output, trace_control, NULL, trace_stop};
    unsigned number, limit, wishes;
    *error = FILE_INVALID;
    if (sscanf(command, "trace_ip_drv %u %u %u", &number, &limit, &wishes) != 3 || wishes > ALL_FLAGS || number > UINT16_MAX) {
        return NULL;
    }
    TraceSocket new = {.watcher = {ready}, .client = -1, .number = (uint16_t)number, .limit = limit, .keeps = wishes & KEEP_WITHOUT_CLIENT};
    new.listener = open_listener(&new.number);
    if (new.listener < 0) {
        return NULL;
    }
    TraceSocket *t = (TraceSocket *)port_new(p, &driver, (Bytes){(const uint8_t *)command, strlen(command)});
    if (t == NULL) {
        *error = FILE_NO_MEMORY;
        socket_close(new.listener);
        return NULL;
    }
    new.port = t->port;
    *t = new;
    t->port.flags = flags;
    if (!io_watch(t->port.vm, t->listener, POLL_READ, &t->watcher)) {
        port_fail(&t->port, FILE_NO_MEMORY);
    }
    return &t->port;
}
