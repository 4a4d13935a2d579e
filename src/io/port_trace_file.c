/* Messages of tracing in a file, or in several that are written in turns. In front of each message: a byte 0 and its size, big-endian. */
#include "io/port_trace_file.h"

#include <stdio.h>

#include "data/bits.h"
#include "data/iolist.h"
#include "platform/file.h"
#include "platform/platform.h"
#include "term/atom.h"

enum { BUFFER_SIZE = 64 << 10, HEAD_SIZE = 5 };

typedef struct {
    Port port;
    int fd;      /* -1: none */
    Text buffer; /* not written yet */
    /* Only of several files. */
    Text name;                          /* of all; empty: there is one file */
    size_t tail;                        /* where the number goes */
    unsigned size, count, time, number; /* number: of the file that is written, 0 to count */
    unsigned kept;                      /* files that are there, but for that one */
    uint64_t written;                   /* to it */
    int64_t since;                      /* when its time began, ms */
} TraceFile;

static int flush(TraceFile *f) {
    int error = f->fd < 0 ? 0 : file_write(f->fd, f->buffer.at, f->buffer.size, -1);
    f->buffer.size = 0;
    return error;
}

/* The name of the file with this number; in the buffer's place while that is empty. */
static const char *name_of_file(TraceFile *f, unsigned number) {
    Text *t = &f->buffer;
    t->size = 0;
    text_add(t, f->name.at, f->tail);
    text_format(t, "%u%s", number, (const char *)f->name.at + f->tail);
    text_byte(t, 0);
    t->size = 0;
    return t->failed ? "" : (const char *)t->at;
}

/* An error number. */
static int open_file(TraceFile *f, const char *name) {
    int error = file_open(name, FILE_WRITE | FILE_ANY_TYPE, &f->fd);
    if (error != 0) {
        f->fd = -1;
    }
    f->written = 0;
    return error;
}

static int next_file(TraceFile *f) {
    int error = flush(f);
    if (f->fd >= 0) {
        file_close(f->fd);
        f->fd = -1;
    }
    unsigned files = f->count + 1;
    if (f->kept + 1 < f->count) {
        f->kept++;
    } else {
        file_delete(name_of_file(f, (f->number + files - f->kept) % files));
    }
    f->number = (f->number + 1) % files;
    return error != 0 ? error : open_file(f, name_of_file(f, f->number));
}

static int64_t now_ms(void) {
    return platform_monotonic() / 1000000;
}

/* So many times have passed since the last look. */
static int catch_up(TraceFile *f) {
    int error = 0;
    if (f->count > 0 && f->time > 0) {
        int64_t times = (now_ms() - f->since) / f->time;
        f->since += times * f->time;
        for (int64_t i = MIN(times, 2 * ((int64_t)f->count + 1)); i > 0 && error == 0; i--) {
            error = next_file(f);
        }
    }
    return error;
}

static void trace_output(Port *port, Bytes data) {
    TraceFile *f = (TraceFile *)port;
    int error = catch_up(f);
    uint8_t head[HEAD_SIZE] = {0};
    write_be32(head + 1, (uint32_t)data.size);
    text_add(&f->buffer, head, sizeof head);
    text_add(&f->buffer, data.at, data.size);
    f->written += sizeof head + data.size;
    if (f->buffer.failed) {
        f->buffer.failed = false;
        error = FILE_NO_MEMORY;
    }
    if (error == 0 && f->count > 0 && f->time == 0 && f->written >= f->size) {
        error = next_file(f);
    } else if (error == 0 && f->buffer.size >= BUFFER_SIZE) {
        error = flush(f);
    }
    if (error != 0) {
        port_fail(port, error);
    }
}

static term trace_control(Port *port, Process *p, uint32_t operation, Bytes data UNUSED) {
    TraceFile *f = (TraceFile *)port;
    if (operation != 'f') {
        return NONE;
    }
    int error = catch_up(f);
    error = error == 0 ? flush(f) : error;
    term done = heap_cons(&p->heap, SMALL(0), NIL);
    if (error != 0) {
        port_fail(port, error);
    }
    return done;
}

static void let_go(TraceFile *f) {
    if (f->fd >= 0) {
        file_close(f->fd);
    }
    text_done(&f->buffer);
    text_done(&f->name);
}

static void trace_stop(Port *port) {
    TraceFile *f = (TraceFile *)port;
    catch_up(f);
    flush(f);
    let_go(f);
}

Port *port_open_trace_file(Process *p, const char *command, uint32_t flags, int *error) {
    static const PortDriver driver = {sizeof(TraceFile), trace_output, trace_control, NULL, trace_stop};
    unsigned size = 0, count = 0, time = 0, tail = 0;
    const char *name = strstr(command, " w ") == command + strcspn(command, " ") ? command + strcspn(command, " ") + 3 : NULL;
    *error = 0;
    if (name != NULL) {
        int used = 0;
        if (sscanf(name, "%u %u %u %u %n", &size, &count, &time, &tail, &used) != 4 || count == 0) {
            return NULL;
        }
        name += used;
    } else {
        name = command + strcspn(command, " ");
        name += *name == ' ';
    }
    if (name[0] != 'n' || name[1] != ' ' || tail >= strlen(name + 2)) {
        return NULL;
    }
    name += 2;
    TraceFile new = {.fd = -1, .size = size, .count = count, .time = time, .tail = tail, .since = now_ms()};
    text_init(&new.buffer, &process_vm(p)->mem);
    text_init(&new.name, &process_vm(p)->mem);
    if (count > 0) {
        text_add(&new.name, name, strlen(name) + 1);
        name = name_of_file(&new, 0);
    }
    *error = open_file(&new, name);
    TraceFile *f = *error != 0 ? NULL : (TraceFile *)port_new(p, &driver, (Bytes){(const uint8_t *)command, strlen(command)});
    if (f == NULL) {
        *error = *error != 0 ? *error : FILE_NO_MEMORY;
        let_go(&new);
        return NULL;
    }
    new.port = f->port;
    *f = new;
    f->port.flags = flags;
    return &f->port;
}
