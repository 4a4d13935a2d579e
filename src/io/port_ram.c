/* A file in memory. Each command is a byte that says what to do, and arguments, big-endian; each is answered by a message. Positions
   and sizes have 32 bits, as ram_file.erl sends them. */
#include "io/port_ram.h"

#include "base/text.h"
#include "data/bits.h"
#include "platform/file.h"
#include "term/atom.h"

// clang-format off
enum { COMMAND_OPEN = 1, COMMAND_READ, COMMAND_SEEK, COMMAND_WRITE, COMMAND_SYNC = 9, COMMAND_TRUNCATE = 14, COMMAND_PREAD = 17,
       COMMAND_PWRITE, COMMAND_DATA_SYNC, COMMAND_GET = 30, COMMAND_SIZE = 37, COMMAND_ADVISE, COMMAND_ALLOCATE };
// clang-format on
enum { MODE_READ = 1, MODE_WRITE = 2 };
enum { REPLY_OK, REPLY_ERROR, REPLY_DATA, REPLY_NUMBER };

typedef struct {
    Port port;
    uint32_t modes; /* 0: not opened yet */
    Text content;
    int64_t at;
} RamFile;

/* {Port, {data, [Byte... | Data]}}. */
static void reply(RamFile *f, const uint8_t *head, size_t size, Bytes data) {
    Heap h;
    heap_init_detached(&h, f->port.vm);
    term t = NIL;
    if (data.at != NULL) {
        t = f->port.flags & PORT_BINARY ? bits_from(&h, data.at, data.size) : heap_latin1_list(&h, (const char *)data.at, data.size);
    }
    for (size_t i = size; i-- > 0;) {
        t = heap_cons(&h, SMALL(head[i]), t);
    }
    f->port.input += size + data.size;
    port_send(&f->port, TUPLE2(&h, A_data, t), &h);
}

static void reply_error(RamFile *f, int error) {
    const char *name = file_error_name(error);
    uint8_t head[64] = {REPLY_ERROR};
    size_t n = MIN(strlen(name), sizeof head - 1);
    memcpy(head + 1, name, n);
    reply(f, head, n + 1, (Bytes){0});
}

static void reply_ok(RamFile *f) {
    reply(f, (const uint8_t[]){REPLY_OK}, 1, (Bytes){0});
}

static void number_head(uint8_t head[5], uint8_t kind, int64_t n) {
    head[0] = kind;
    for (int i = 0; i < 4; i++) {
        head[4 - i] = (uint8_t)(n >> (8 * i));
    }
}

static void reply_number(RamFile *f, int64_t n) {
    uint8_t head[5];
    number_head(head, REPLY_NUMBER, n);
    reply(f, head, sizeof head, (Bytes){0});
}

static void reply_data(RamFile *f, Bytes data) {
    uint8_t head[5];
    number_head(head, REPLY_DATA, (int64_t)data.size);
    reply(f, head, sizeof head, data);
}

static void read_at(RamFile *f, int64_t at, int64_t size, bool move) {
    if (!(f->modes & MODE_READ)) {
        reply_error(f, FILE_BAD_HANDLE);
    } else if (at < 0 || size < 0) {
        reply_error(f, FILE_INVALID);
    } else {
        int64_t end = (int64_t)f->content.size, n = at < end ? MIN(size, end - at) : 0;
        reply_data(f, (Bytes){n > 0 ? f->content.at + at : (const uint8_t *)"", (size_t)n});
        f->at = move ? at + n : f->at;
    }
}

static void write_at(RamFile *f, int64_t at, Bytes data, bool move) {
    int64_t size = (int64_t)f->content.size, end = at + (int64_t)data.size;
    if (!(f->modes & MODE_WRITE)) {
        reply_error(f, FILE_BAD_HANDLE);
    } else if (at < 0 || end > INT32_MAX) {
        reply_error(f, FILE_INVALID);
    } else if (end > size && !text_reserve(&f->content, (size_t)(end - size))) {
        f->content.failed = false;
        reply_error(f, FILE_NO_MEMORY);
    } else {
        if (at > size) {
            memset(f->content.at + size, 0, (size_t)(at - size));
        }
        if (data.size > 0) {
            memcpy(f->content.at + at, data.at, data.size);
            f->content.size = (size_t)MAX(size, end);
        }
        f->at = move ? end : f->at;
        reply_number(f, (int64_t)data.size);
    }
}

static void seek(RamFile *f, int64_t offset, uint32_t origin) {
    int64_t at = offset + (origin == 0 ? 0 : origin == 1 ? f->at : (int64_t)f->content.size);
    if (f->modes == 0) {
        reply_error(f, FILE_BAD_HANDLE);
    } else if (origin > 2 || at < 0) {
        reply_error(f, FILE_INVALID);
    } else {
        f->at = at;
        reply_number(f, at);
    }
}

static void truncate(RamFile *f) {
    if (!(f->modes & MODE_WRITE)) {
        reply_error(f, FILE_NO_ACCESS);
        return;
    }
    if (f->at < (int64_t)f->content.size) {
        f->content.size = (size_t)f->at;
    }
    reply_ok(f);
}

static int64_t number_at(Bytes b, size_t i) {
    return (int32_t)read_be32(b.at + i);
}

static void ram_output(Port *port, Bytes data) {
    RamFile *f = (RamFile *)port;
    if (data.size == 0) {
        return;
    }
    int command = data.at[0];
    data.at++, data.size--;
    switch (command) {
    case COMMAND_OPEN:
    case COMMAND_READ:
    case COMMAND_PWRITE:
        if (data.size < 4) {
            return; /* not what ram_file.erl sends */
        }
        break;
    case COMMAND_SEEK:
    case COMMAND_PREAD:
        if (data.size < 8) {
            return;
        }
        break;
    }
    switch (command) {
    case COMMAND_OPEN:
        f->content.size = 0;
        f->at = 0;
        f->modes = MODE_WRITE;
        text_add(&f->content, data.at + 4, data.size - 4);
        f->modes = (uint32_t)number_at(data, 0);
        if (f->content.failed) {
            reply_error(f, FILE_NO_MEMORY);
        } else {
            reply_number(f, 0);
        }
        break;
    case COMMAND_READ: read_at(f, f->at, number_at(data, 0), true); break;
    case COMMAND_PREAD: read_at(f, number_at(data, 0), number_at(data, 4), false); break;
    case COMMAND_WRITE: write_at(f, f->at, data, true); break;
    case COMMAND_PWRITE: write_at(f, number_at(data, 0), (Bytes){data.at + 4, data.size - 4}, false); break;
    case COMMAND_SEEK: seek(f, number_at(data, 0), (uint32_t)number_at(data, 4)); break;
    case COMMAND_TRUNCATE: truncate(f); break;
    case COMMAND_GET: reply_data(f, (Bytes){f->content.size > 0 ? f->content.at : (const uint8_t *)"", f->content.size}); break;
    case COMMAND_SIZE: reply_number(f, (int64_t)f->content.size); break;
    case COMMAND_SYNC:
    case COMMAND_DATA_SYNC:
    case COMMAND_ADVISE:
    case COMMAND_ALLOCATE:
        if (f->modes == 0) {
            reply_error(f, FILE_BAD_HANDLE);
        } else {
            reply_ok(f);
        }
        break;
    default: break; /* as OTP: no answer */
    }
}

static void ram_stop(Port *port) {
    text_done(&((RamFile *)port)->content);
}

Port *port_open_ram(Process *p, const char *command, uint32_t flags, int *error) {
    static const PortDriver driver = {sizeof(RamFile), ram_output, NULL, NULL, ram_stop};
    RamFile *f = (RamFile *)port_new(p, &driver, (Bytes){(const uint8_t *)command, strlen(command)});
    if (f == NULL) {
        *error = FILE_NO_MEMORY;
        return NULL;
    }
    f->port.flags = flags;
    text_init(&f->content, &f->port.vm->mem);
    return &f->port;
}
