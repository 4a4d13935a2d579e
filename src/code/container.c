/* Inflating, and finding chunks. */
#include "code/container.h"

#include "code/inflate.h"
#include "platform/file.h"

#include <zlib.h>

/* What is compressed may not grow beyond this. The largest .beam file of OTP has 2 MB. And zlib cannot make more than about 1,032
   bytes of one: a size that says otherwise is a lie, and not worth an allocation. */
enum { INFLATED_LIMIT = 128 << 20, ZLIB_BEST_RATIO = 1040, SMALL_TABLE = 16 << 10 };

const char chunk_names[CHUNKS][5] = {
    [CHUNK_ATOMS] = "AtU8",      [CHUNK_CODE] = "Code",         [CHUNK_STRINGS] = "StrT",  [CHUNK_IMPORTS] = "ImpT",
    [CHUNK_EXPORTS] = "ExpT",    [CHUNK_LAMBDAS] = "FunT",      [CHUNK_LITERALS] = "LitT", [CHUNK_PLAIN_LITERALS] = "LitU",
    [CHUNK_ATTRIBUTES] = "Attr", [CHUNK_COMPILE_INFO] = "CInf", [CHUNK_LINES] = "Line",    [CHUNK_LOCALS] = "LocT",
    [CHUNK_TYPES] = "Type",      [CHUNK_META] = "Meta",         [CHUNK_RECORDS] = "Recs",  [CHUNK_DEBUG] = "DbgB",
    [CHUNK_OLD_ATOMS] = "Atom",
};

static inline bool is_chunk(const uint8_t *head, int i) {
    return read_be32(head) == read_be32((const uint8_t *)chunk_names[i]);
}

static bool find_chunks(Bytes file, Bytes chunks[CHUNKS], LoadError *error) {
    memset(chunks, 0, CHUNKS * sizeof *chunks);
    if (file.size < 12 || memcmp(file.at, "FOR1", 4) != 0 || memcmp(file.at + 8, "BEAM", 4) != 0) {
        return load_error(error, "", 0, "this is no .beam file");
    }
    uint32_t size = read_be32(file.at + 4);
    if (size < 4 || size > file.size - 8) {
        return load_error(error, "", 4, "the file should have %u bytes more", (unsigned)(size - MIN(size, file.size - 8)));
    }
    size_t at = 12, end = 8 + (size_t)size;
    while (at < end) {
        if (end - at < 8) {
            return load_error(error, "", (int64_t)at, "it ends in the head of a chunk");
        }
        const uint8_t *p = file.at + at;
        uint32_t n = read_be32(p + 4);
        at += 8;
        if (n > end - at) {
            return load_error(error, "", (int64_t)at - 8, "a chunk of %u bytes does not fit into it", n);
        }
        for (int i = 0; i < CHUNKS; i++) {
            if (is_chunk(p, i)) {
                chunks[i] = (Bytes){p + 8, n};
                break;
            }
        }
        at += MIN(round_up(n, 4), end - at);
    }
    return true;
}

static bool is_compressed(Bytes file) {
    return file.size > 2 && file.at[0] == 0x1f && file.at[1] == 0x8b;
}

/* Inflates a gzip file into a block of its own. */
static bool inflate_file(Mem *mem, Bytes file, uint8_t **data, size_t *room, size_t *size, LoadError *error) {
    z_stream z = {.next_in = (Bytef *)(uintptr_t)file.at, .avail_in = (uInt)MIN(file.size, (size_t)UINT32_MAX)};
    if (inflateInit2(&z, 15 + 16) != Z_OK) {
        return load_no_memory(error);
    }
    int result = Z_OK;
    *data = NULL;
    *room = *size = 0;
    while (result == Z_OK) {
        size_t more = MAX(2 * *room, MIN(4 * file.size, (size_t)1 << 20) + 1024);
        if (*room >= INFLATED_LIMIT) {
            break;
        }
        uint8_t *p = mem_resize(mem, MEM_TEMPORARY, *data, *room, more);
        if (p == NULL) {
            result = Z_MEM_ERROR;
            break;
        }
        *data = p;
        *room = more;
        z.next_out = p + *size;
        z.avail_out = (uInt)(more - *size);
        result = inflate(&z, Z_NO_FLUSH);
        *size = more - z.avail_out;
    }
    inflateEnd(&z);
    if (result == Z_STREAM_END) {
        return true;
    }
    mem_free(mem, MEM_TEMPORARY, *data, *room);
    *data = NULL;
    return result == Z_MEM_ERROR ? load_no_memory(error)
           : result == Z_OK      ? load_error(error, "", 0, "inflated it would be too large")
                                 : load_error(error, "", (int64_t)z.total_in, "its compressed data are damaged");
}

bool container_open(Container *c, Mem *mem, const char *name, Bytes file, LoadError *error) {
    *c = (Container){.mem = mem, .form = file};
    load_error_name(error, name);
    if (is_compressed(file)) {
        size_t size = 0;
        if (!inflate_file(mem, file, &c->inflated, &c->inflated_room, &size, error)) {
            return false;
        }
        c->form = (Bytes){c->inflated, size};
    }
    if (!find_chunks(c->form, c->chunks, error)) {
        container_close(c);
        return false;
    }
    return true;
}

void container_close(Container *c) {
    mem_free(c->mem, MEM_TEMPORARY, c->inflated, c->inflated_room);
    c->inflated = NULL;
}

/* --- Reading only what is needed ----------------------------------------------------------------------------------- */

enum { FIRST_READ = 16 << 10, READ_AHEAD = 2 << 10, FORM_HEAD = 12, CHUNK_HEAD = 8 };

/* The form that is made of a file: `kept` bytes of wanted chunks, then what has been read from the file's `at` on. */
typedef struct {
    Mem *mem;
    int fd;
    uint8_t *form;
    size_t room, kept, filled;
    size_t at, end; /* of the form in the file */
} Gather;

/* At least n bytes of the file's chunk at g->at are there, perhaps with a part of what follows them. */
static bool gather_read(Gather *g, size_t n, size_t ahead) {
    size_t there = g->filled - g->kept, read;
    if (there >= n) {
        return true;
    }
    size_t size = MIN(n - there + ahead, g->end - g->at - there);
    if (g->filled + size > g->room) {
        uint8_t *more = mem_resize(g->mem, MEM_CODE, g->form, g->room, g->filled + size);
        if (more == NULL) {
            return false;
        }
        g->form = more;
        g->room = g->filled + size;
    }
    if (file_read(g->fd, g->form + g->filled, size, (int64_t)(g->at + there), &read) != 0 || read < n - there) {
        return false;
    }
    g->filled += read;
    return true;
}

static bool is_wanted(const uint8_t *name) {
    for (int i = 0; i < CHUNKS; i++) {
        if (i != CHUNK_LOCALS && is_chunk(name, i)) {
            return true;
        }
    }
    return false;
}

static bool gather_chunk(Gather *g) {
    if (!gather_read(g, CHUNK_HEAD, READ_AHEAD)) {
        return false;
    }
    const uint8_t *head = g->form + g->kept;
    size_t n = CHUNK_HEAD + round_up((size_t)read_be32(head + 4), 4);
    if (n > g->end - g->at || g->kept + n > INFLATED_LIMIT) {
        return false;
    }
    if (is_wanted(head)) {
        if (!gather_read(g, n, READ_AHEAD)) {
            return false;
        }
        g->kept += n;
    } else {
        size_t gone = MIN(n, g->filled - g->kept);
        memmove(g->form + g->kept, g->form + g->kept + gone, g->filled - g->kept - gone);
        g->filled -= gone;
    }
    g->at += n;
    return true;
}

static bool gather(Gather *g) {
    if (!gather_read(g, FORM_HEAD, FIRST_READ) || memcmp(g->form, "FOR1", 4) != 0 || memcmp(g->form + 8, "BEAM", 4) != 0) {
        return false;
    }
    g->end = CHUNK_HEAD + (size_t)read_be32(g->form + 4);
    g->at = g->kept = FORM_HEAD;
    while (g->at < g->end) {
        if (!gather_chunk(g)) {
            return false;
        }
    }
    write_be32(g->form + 4, (uint32_t)g->kept - CHUNK_HEAD);
    return true;
}

bool container_gather(Mem *mem, int fd, Bytes *form) {
    Gather g = {.mem = mem, .fd = fd, .end = SIZE_MAX};
    uint8_t *fits = gather(&g) ? mem_resize(mem, MEM_CODE, g.form, g.room, g.kept) : NULL;
    if (fits == NULL) {
        mem_free(mem, MEM_CODE, g.form, g.room);
        return false;
    }
    *form = (Bytes){fits, g.kept};
    return true;
}

/* --- Literals ------------------------------------------------------------------------------------------------------ */

bool container_literals(const Bytes chunks[CHUNKS], Mem *mem, Bytes *table, uint8_t **block, size_t *size, LoadError *error) {
    Bytes plain = chunks[CHUNK_PLAIN_LITERALS], b = chunks[CHUNK_LITERALS];
    *block = NULL;
    *size = 0;
    *table = plain;
    if (plain.at != NULL || b.at == NULL) {
        return true;
    }
    if (b.size < 4) {
        return load_error(error, "LitT", 0, "ends in the middle of a number");
    }
    uint32_t inflated = read_be32(b.at);
    *table = b = (Bytes){b.at + 4, b.size - 4};
    if (inflated == 0) { /* plain, since OTP 28 */
        return true;
    }
    if (inflated > INFLATED_LIMIT || inflated / ZLIB_BEST_RATIO > b.size) {
        return load_error(error, "LitT", 0, "a size of %u bytes cannot be true", inflated);
    }
    *block = mem_alloc(mem, MEM_TEMPORARY, inflated);
    if (*block == NULL) {
        return load_no_memory(error);
    }
    *size = inflated;
    uLongf got = inflated;
    int result = inflated > SMALL_TABLE               ? uncompress(*block, &got, b.at, (uLong)b.size)
                 : inflate_small(b, *block, inflated) ? Z_OK
                                                      : Z_DATA_ERROR;
    if (result == Z_OK && got == inflated) {
        *table = (Bytes){*block, inflated};
        return true;
    }
    mem_free(mem, MEM_TEMPORARY, *block, *size);
    *block = NULL;
    return result == Z_MEM_ERROR ? load_no_memory(error) : load_error(error, "LitT", 4, "its compressed data are damaged");
}
