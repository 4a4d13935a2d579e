/* Inflating, and finding chunks. */
#include "code/container.h"

#include "code/inflate.h"
#include "platform/file.h"

#include <zlib.h>

/* What is compressed may not grow beyond this. The largest .beam file of OTP has 2 MB. And zlib cannot make more than about 1,032
   bytes of one: a size that says otherwise is a lie, and not worth an allocation. */
enum { INFLATED_LIMIT = 128 << 20, ZLIB_BEST_RATIO = 1040, SMALL_TABLE = 16 << 10 };

const char chunk_names[CHUNKS][5] = {
    [CHUNK_ATOMS] = "AtU8", [CHUNK_CODE] = "Code", [CHUNK_STRINGS] = "StrT", [CHUNK_IMPORTS] = "ImpT", [CHUNK_EXPORTS] = "ExpT",
    [CHUNK_LAMBDAS] = "FunT", [CHUNK_LITERALS] = "LitT", [CHUNK_PLAIN_LITERALS] = "LitU", [CHUNK_ATTRIBUTES] = "Attr",
    [CHUNK_COMPILE_INFO] = "CInf", [CHUNK_LINES] = "Line", [CHUNK_LOCALS] = "LocT", [CHUNK_TYPES] = "Type", [CHUNK_META] = "Meta",
    [CHUNK_RECORDS] = "Recs", [CHUNK_DEBUG] = "DbgB", [CHUNK_OLD_ATOMS] = "Atom",
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

typedef struct {
    size_t at, size;  /* in the file, with the head of the first chunk */
} Run;                /* of wanted chunks that follow each other */
enum { MAX_RUNS = 8, WINDOW = 2048, FORM_HEAD = 12, CHUNK_HEAD = 8 };

static bool is_wanted(const uint8_t *name) {
    for (int i = 0; i < CHUNKS; i++) {
        if (i != CHUNK_LOCALS && is_chunk(name, i)) {
            return true;
        }
    }
    return false;
}

/* Where the wanted chunks are; *size: of the form that they make. */
static bool find_runs(int fd, Run runs[MAX_RUNS], size_t *count, size_t *size) {
    uint8_t window[WINDOW];
    size_t read, first = 0, at = FORM_HEAD;
    if (file_read(fd, window, WINDOW, 0, &read) != 0 || read < FORM_HEAD || memcmp(window, "FOR1", 4) != 0 || memcmp(window + 8, "BEAM", 4) != 0) {
        return false;
    }
    *count = 0;
    *size = FORM_HEAD;
    for (size_t end = CHUNK_HEAD + (size_t)read_be32(window + 4); at < end;) {
        if (at + CHUNK_HEAD > first + read) {
            first = at;
            if (file_read(fd, window, WINDOW, (int64_t)at, &read) != 0 || read < CHUNK_HEAD) {
                return false;
            }
        }
        const uint8_t *head = window + (at - first);
        size_t n = CHUNK_HEAD + round_up((size_t)read_be32(head + 4), 4);
        if (n > end - at) {
            return false;
        }
        if (is_wanted(head)) {
            if (*count > 0 && runs[*count - 1].at + runs[*count - 1].size == at) {
                runs[*count - 1].size += n;
            } else if (*count < MAX_RUNS) {
                runs[(*count)++] = (Run){at, n};
            } else {
                return false;
            }
            *size += n;
        }
        at += n;
    }
    return *size <= INFLATED_LIMIT;
}

bool container_gather(Mem *mem, int fd, Bytes *form) {
    Run runs[MAX_RUNS];
    size_t count, size, done = 0;
    uint8_t *p = find_runs(fd, runs, &count, &size) ? mem_alloc(mem, MEM_CODE, size) : NULL;
    if (p == NULL) {
        return false;
    }
    memcpy(p, "FOR1....BEAM", FORM_HEAD);
    write_be32(p + 4, (uint32_t)size - CHUNK_HEAD);
    uint8_t *to = p + FORM_HEAD;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        ok = file_read(fd, to, runs[i].size, (int64_t)runs[i].at, &done) == 0 && done == runs[i].size;
        to += runs[i].size;
    }
    if (!ok) {
        mem_free(mem, MEM_CODE, p, size);
        return false;
    }
    *form = (Bytes){p, size};
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
    int result = inflated > SMALL_TABLE                  ? uncompress(*block, &got, b.at, (uLong)b.size)
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
