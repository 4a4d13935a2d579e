/* The natives of OTP's module prim_file: files, folders and their names. Shapes as prim_file.erl expects them; errors are
   {error, PosixAtom}. Names arrive as zero-terminated binaries, which internal_name2native makes. */
#include "base/utf8.h"
#include "bif/bif.h"
#include "data/bits.h"
#include "data/integer.h"
#include "platform/file.h"
#include "platform/platform.h"
#include "term/bitstring.h"
#include "term/ref.h"

typedef struct {
    Resource resource;
    VM *vm;
    int fd; /* -1: closed */
    unsigned modes;
} OpenFile;

static const char open_file_type[] = "file";

static void open_file_destroy(VM *vm, Resource *r) {
    OpenFile *f = (OpenFile *)r;
    if (f->fd >= 0) {
        file_close(f->fd);
    }
    MEM_DELETE(&vm->mem, MEM_SYSTEM, f);
}

static term posix_error(Process *p, int error) {
    return TUPLE2(HEAP(p), A_error, atom_from(process_vm(p), file_error_name(error)));
}

static term ok_or_error(Process *p, int error) {
    return error == 0 ? A_ok : posix_error(p, error);
}

/* The C string in a name; NULL: the term is not one. Copied, as the binary may be part of another. */
static const char *name_of(Process *p, term t, char *room, size_t size) {
    if (!is_binary(t)) {
        return NULL;
    }
    Bits b = bits_of(t);
    size_t n = b.size / 8;
    if (n == 0 || n > size) {
        return NULL;
    }
    bitrun_copy((uint8_t *)room, 0, b.at, b.start, b.size);
    return room[n - 1] == '\0' && strlen(room) == n - 1 ? room : NULL;
}
enum { NAME_ROOM = 8192 };

/* An open file; NULL: not one. A closed one has fd -1. */
static OpenFile *file_of(term t) {
    if (!is_magic_ref(t)) {
        return NULL;
    }
    Resource *r = magic_resource(t);
    return r->type == open_file_type ? (OpenFile *)r : NULL;
}

static term ok_binary(Process *p, term binary) {
    return TUPLE2(HEAP(p), A_ok, binary);
}

static bool modes_of(term list, unsigned *modes) {
    static const struct {
        term name;
        unsigned mode;
    } names[] = {
        {A_read, FILE_READ}, {A_write, FILE_WRITE}, {A_append, FILE_APPEND | FILE_WRITE}, {A_sync, FILE_SYNC},
        {A_exclusive, FILE_EXCLUSIVE | FILE_WRITE}, {A_directory, FILE_DIRECTORY}, {A_skip_type_check, FILE_ANY_TYPE},
    };
    *modes = 0;
    for (; is_cons(list); list = tail(list)) {
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
            if (head(list) == names[i].name) {
                *modes |= names[i].mode;
            }
        }
    }
    if ((*modes & (FILE_READ | FILE_WRITE)) == 0) {
        *modes |= FILE_READ;
    }
    return list == NIL;
}

static term new_file_ref(Process *p, int fd, unsigned modes) {
    OpenFile *f = MEM_NEW(&process_vm(p)->mem, MEM_SYSTEM, OpenFile);
    if (f == NULL) {
        file_close(fd);
        return posix_error(p, FILE_NO_MEMORY);
    }
    *f = (OpenFile){{1, open_file_destroy, open_file_type}, process_vm(p), fd, modes};
    return TUPLE2(HEAP(p), A_ok, heap_magic_ref(HEAP(p), &f->resource));
}

BIF(prim_file, open_nif, 2) {
    char room[NAME_ROOM];
    const char *name = name_of(p, a[0], room, sizeof room);
    unsigned modes;
    if (name == NULL || !modes_of(a[1], &modes)) {
        return raise_badarg(p);
    }
    int fd, error = file_open(name, modes, &fd);
    return error != 0 ? posix_error(p, error) : new_file_ref(p, fd, modes);
}

BIF(prim_file, file_desc_to_ref_nif, 1) {
    FileInfo info;
    if (!is_small(a[0])) {
        return raise_badarg(p);
    }
    int fd = (int)small_value(a[0]), error = file_info_of(fd, &info);
    return error != 0 ? posix_error(p, error) : new_file_ref(p, fd, FILE_READ | FILE_WRITE);
}

BIF(prim_file, close_nif, 1) {
    OpenFile *f = file_of(a[0]);
    if (f == NULL) {
        return raise_badarg(p);
    }
    if (f->fd < 0) {
        return TUPLE2(HEAP(p), A_error, A_einval);
    }
    int error = file_close(f->fd);
    f->fd = -1;
    return ok_or_error(p, error);
}

BIF(prim_file, delayed_close_nif, 1) {
    OpenFile *f = file_of(a[0]);
    if (f == NULL) {
        return raise_badarg(p);
    }
    if (f->fd >= 0) {
        file_close(f->fd);
        f->fd = -1;
    }
    return A_ok;
}

/* The head of every operation on an open file: badarg if the first argument is none, {error, einval} if it is closed. */
#define OPEN_FILE(f)                                                                                                      \
    OpenFile *f = file_of(a[0]);                                                                                          \
    if (f == NULL) {                                                                                                      \
        return raise_badarg(p);                                                                                           \
    }                                                                                                                     \
    if (f->fd < 0) {                                                                                                      \
        return TUPLE2(HEAP(p), A_error, A_einval);                                                                        \
    }

static term read_at(Process *p, OpenFile *f, size_t size, int64_t offset) {
    /* Asking for more than is there must not cost memory: read into a buffer that grows as the file yields. */
    enum { FIRST = 1 << 16 };
    Text t;
    text_init(&t, &process_vm(p)->mem);
    int error = 0;
    bool end = false;
    while (error == 0 && !end && t.size < size) {
        size_t room = MIN(size - t.size, MAX((size_t)FIRST, t.size)), done;
        if (!text_reserve(&t, room)) {
            error = FILE_NO_MEMORY;
            break;
        }
        error = file_read(f->fd, t.at + t.size, room, offset < 0 ? -1 : offset + (int64_t)t.size, &done);
        t.size += done;
        end = done < room;
    }
    BUMP(p, (intptr_t)(t.size / 4096));
    term result = A_eof;
    if (error != 0) {
        result = posix_error(p, error);
    } else if (t.size > 0 || size == 0) {
        term binary = bits_from(HEAP(p), t.at, t.size);
        result = binary == NONE ? posix_error(p, FILE_NO_MEMORY) : ok_binary(p, binary);
    }
    text_done(&t);
    return result;
}

BIF(prim_file, read_nif, 2) {
    OPEN_FILE(f);
    int64_t size;
    if (!is_integer(a[1])) {
        return raise_badarg(p);
    }
    if (!integer_to_int64(a[1], &size) || size < 0) {
        return posix_error(p, FILE_INVALID);
    }
    return read_at(p, f, (size_t)size, -1);
}

BIF(prim_file, pread_nif, 3) {
    OPEN_FILE(f);
    int64_t offset, size;
    if (!is_integer(a[1]) || !is_integer(a[2])) {
        return raise_badarg(p);
    }
    if (!integer_to_int64(a[1], &offset) || !integer_to_int64(a[2], &size) || offset < 0 || size < 0) {
        return posix_error(p, FILE_INVALID);
    }
    return read_at(p, f, (size_t)size, offset);
}

/* Writes a list of binaries. */
static term write_all(Process *p, OpenFile *f, term list, int64_t offset) {
    for (; is_cons(list); list = tail(list)) {
        if (!is_binary(head(list))) {
            return raise_badarg(p);
        }
        BitsBytes b;
        if (!bits_bytes(process_vm(p), head(list), &b)) {
            return posix_error(p, FILE_NO_MEMORY);
        }
        size_t n = b.size;
        int error = file_write(f->fd, b.at, n, offset);
        bits_bytes_done(process_vm(p), &b);
        if (error != 0) {
            return posix_error(p, error);
        }
        offset += offset < 0 ? 0 : (int64_t)n;
        BUMP(p, (intptr_t)(n / 4096) + 1);
    }
    return list == NIL ? A_ok : raise_badarg(p);
}

BIF(prim_file, write_nif, 2) {
    OPEN_FILE(f);
    return write_all(p, f, a[1], -1);
}

BIF(prim_file, pwrite_nif, 3) {
    OPEN_FILE(f);
    int64_t offset;
    if (!is_integer(a[1])) {
        return raise_badarg(p);
    }
    if (!integer_to_int64(a[1], &offset) || offset < 0) {
        return posix_error(p, FILE_INVALID);
    }
    return write_all(p, f, a[2], offset);
}

BIF(prim_file, seek_nif, 3) {
    OPEN_FILE(f);
    int64_t offset, position;
    if (!is_integer(a[2]) || (a[1] != A_bof && a[1] != A_cur && a[1] != A_eof)) {
        return raise_badarg(p);
    }
    if (!integer_to_int64(a[2], &offset)) {
        return posix_error(p, FILE_INVALID);
    }
    FileOrigin from = a[1] == A_bof ? FILE_FROM_START : a[1] == A_cur ? FILE_FROM_HERE : FILE_FROM_END;
    int error = file_seek(f->fd, from, offset, &position);
    return error != 0 ? posix_error(p, error) : TUPLE2(HEAP(p), A_ok, integer_from_int64(HEAP(p), position));
}

BIF(prim_file, sync_nif, 2) {
    OPEN_FILE(f);
    return is_small(a[1]) ? ok_or_error(p, file_sync(f->fd, a[1] != SMALL(0))) : raise_badarg(p);
}

BIF(prim_file, truncate_nif, 1) {
    OPEN_FILE(f);
    return ok_or_error(p, file_truncate(f->fd));
}

BIF(prim_file, allocate_nif, 3) {
    OPEN_FILE(f);
    int64_t offset, size;
    if (!is_integer(a[1]) || !is_integer(a[2])) {
        return raise_badarg(p);
    }
    if (!integer_to_int64(a[1], &offset) || !integer_to_int64(a[2], &size) || offset < 0 || size < 0) {
        return posix_error(p, FILE_INVALID);
    }
    return ok_or_error(p, file_allocate(f->fd, offset, size));
}

BIF(prim_file, advise_nif, 4) {
    OPEN_FILE(f);
    static const term names[] = {A_normal, A_random, A_sequential, A_will_need, A_dont_need, A_no_reuse};
    int64_t offset, size;
    if (!is_integer(a[1]) || !is_integer(a[2])) {
        return raise_badarg(p);
    }
    if (!integer_to_int64(a[1], &offset) || !integer_to_int64(a[2], &size) || offset < 0 || size < 0) {
        return posix_error(p, FILE_INVALID);
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (a[3] == names[i]) {
            return ok_or_error(p, file_advise(f->fd, offset, size, (FileAdvice)i));
        }
    }
    return posix_error(p, FILE_INVALID);
}

BIF(prim_file, ipread_s32bu_p32bu_nif, 3) {
    OPEN_FILE(f);
    int64_t offset, max;
    if (!is_number(a[1]) || !is_number(a[2])) {
        return raise_badarg(p);
    }
    if (!integer_to_int64(a[1], &offset) || !integer_to_int64(a[2], &max) || offset < 0 || max >= (int64_t)1 << 31) {
        return posix_error(p, FILE_INVALID);
    }
    uint8_t pointer[8];
    size_t done;
    int error = file_read(f->fd, pointer, sizeof pointer, offset, &done);
    if (error != 0) {
        return posix_error(p, error);
    }
    uint32_t size = read_be32(pointer), at = read_be32(pointer + 4);
    if (done < sizeof pointer || size > max) {
        return A_eof;
    }
    term data = read_at(p, f, size, at);
    if (is_tuple_of(data, 2) && element(data, 1) == A_error) {
        return data;
    }
    term content = data == A_eof || size == 0 ? A_eof : element(data, 2);
    return TUPLE2(HEAP(p), A_ok, TUPLE3(HEAP(p), SMALL(size), SMALL(at), content));
}

BIF(prim_file, get_handle_nif, 1) {
    OPEN_FILE(f);
    int fd = f->fd;
    return bits_from(HEAP(p), (const uint8_t *)&fd, sizeof fd);
}

static term info_term(Process *p, const FileInfo *i) {
    static const term types[] = {A_device, A_directory, A_regular, A_symlink, A_other};
    Heap *h = HEAP(p);
    term access = i->readable && i->writable ? A_read_write : i->readable ? A_read : i->writable ? A_write : A_none;
    return heap_tuple(h, 14, A_file_info, integer_from_uint64(h, i->size), types[i->type], access,
                      integer_from_int64(h, i->accessed), integer_from_int64(h, i->modified),
                      integer_from_int64(h, i->changed), integer_from_uint64(h, i->mode), integer_from_uint64(h, i->links),
                      integer_from_uint64(h, i->major), integer_from_uint64(h, i->minor), integer_from_uint64(h, (uint32_t)i->inode),
                      integer_from_uint64(h, i->uid), integer_from_uint64(h, i->gid));
}

BIF(prim_file, read_handle_info_nif, 1) {
    OPEN_FILE(f);
    FileInfo info;
    int error = file_info_of(f->fd, &info);
    return error != 0 ? posix_error(p, error) : info_term(p, &info);
}

/* The head of every operation on one name. */
#define NAME(name, arg)                                                                                                   \
    char name##_room[NAME_ROOM];                                                                                          \
    const char *name = name_of(p, arg, name##_room, sizeof name##_room);                                                  \
    if (name == NULL) {                                                                                                   \
        return raise_badarg(p);                                                                                           \
    }

BIF(prim_file, read_info_nif, 2) {
    NAME(name, a[0]);
    FileInfo info;
    int error = file_info(name, a[1] != SMALL(0), &info);
    return error != 0 ? posix_error(p, error) : info_term(p, &info);
}

BIF(prim_file, set_permissions_nif, 2) {
    NAME(name, a[0]);
    return is_small(a[1]) ? ok_or_error(p, file_set_mode(name, (uint32_t)small_value(a[1]))) : raise_badarg(p);
}

BIF(prim_file, set_owner_nif, 3) {
    NAME(name, a[0]);
    if (!is_small(a[1]) || !is_small(a[2])) {
        return raise_badarg(p);
    }
    return ok_or_error(p, file_set_owner(name, (int32_t)small_value(a[1]), (int32_t)small_value(a[2])));
}

BIF(prim_file, set_time_nif, 4) {
    NAME(name, a[0]);
    int64_t accessed, modified;
    if (!integer_to_int64(a[1], &accessed) || !integer_to_int64(a[2], &modified)) {
        return raise_badarg(p);
    }
    return ok_or_error(p, file_set_times(name, accessed, modified));
}

BIF(prim_file, rename_nif, 2) {
    NAME(from, a[0]);
    NAME(to, a[1]);
    return ok_or_error(p, file_rename(from, to));
}

BIF(prim_file, make_hard_link_nif, 2) {
    NAME(old, a[0]);
    NAME(new, a[1]);
    return ok_or_error(p, file_hard_link(old, new));
}

BIF(prim_file, make_soft_link_nif, 2) {
    NAME(old, a[0]);
    NAME(new, a[1]);
    return ok_or_error(p, file_soft_link(old, new));
}

BIF(prim_file, del_file_nif, 1) {
    NAME(name, a[0]);
    return ok_or_error(p, file_delete(name));
}

BIF(prim_file, make_dir_nif, 1) {
    NAME(name, a[0]);
    return ok_or_error(p, file_make_dir(name));
}

BIF(prim_file, del_dir_nif, 1) {
    NAME(name, a[0]);
    return ok_or_error(p, file_delete_dir(name));
}

BIF(prim_file, set_cwd_nif, 1) {
    NAME(name, a[0]);
    return ok_or_error(p, file_set_cwd(name));
}

static term text_result(Process *p, Text *t, int error) {
    term result = error != 0 ? posix_error(p, error) : ok_binary(p, bits_from(HEAP(p), t->at, t->size));
    text_done(t);
    return result;
}

BIF(prim_file, read_link_nif, 1) {
    NAME(name, a[0]);
    Text t;
    text_init(&t, &process_vm(p)->mem);
    int error = file_read_link(name, &t);
    return text_result(p, &t, error);
}

BIF(prim_file, get_cwd_nif, 0) {
    Text t;
    text_init(&t, &process_vm(p)->mem);
    int error = file_cwd(&t);
    return text_result(p, &t, error);
}

BIF(prim_file, get_device_cwd_nif, 1) {
    return posix_error(p, FILE_UNSUPPORTED);
}

BIF(prim_file, altname_nif, 1) {
    return posix_error(p, FILE_UNSUPPORTED);
}

typedef struct {
    Process *p;
    term list;
} Listing;

static bool list_entry(void *arg, const char *name) {
    Listing *l = arg;
    term t = bits_from(HEAP(l->p), (const uint8_t *)name, strlen(name));
    l->list = heap_cons(HEAP(l->p), t, l->list);
    BUMP(l->p, 1);
    return true;
}

BIF(prim_file, list_dir_nif, 1) {
    NAME(name, a[0]);
    Listing l = {p, NIL};
    int error = file_list_dir(name, list_entry, &l);
    return error != 0 ? posix_error(p, error) : TUPLE2(HEAP(p), A_ok, l.list);
}

BIF(prim_file, read_file_nif, 1) {
    NAME(name, a[0]);
    OpenFile f = {.fd = -1};
    int error = file_open(name, FILE_READ | FILE_ANY_TYPE, &f.fd);
    if (error != 0) {
        return posix_error(p, error);
    }
    term result = read_at(p, &f, SIZE_MAX / 2, -1);
    file_close(f.fd);
    return result == A_eof ? ok_binary(p, bits_from(HEAP(p), NULL, 0)) : result;
}

/* A file name as the system's bytes, zero-terminated: from a list of characters or a binary. */
BIF(prim_file, internal_name2native, 1) {
    Text t;
    text_init(&t, &process_vm(p)->mem);
    bool good = true, utf8 = platform_utf8();
    if (is_binary(a[0])) {
        Bits b = bits_of(a[0]);
        size_t n = b.size / 8;
        if (text_reserve(&t, n + 1)) {
            bitrun_copy(t.at, 0, b.at, b.start, b.size);
            while (n > 0 && t.at[n - 1] == 0) {
                n--;
            }
            t.size = n;
        }
    } else {
        term l = a[0];
        for (; good && is_cons(l); l = tail(l)) {
            term c = head(l);
            good = is_small(c) && small_value(c) > 0 && (utf8 ? small_value(c) <= 0x10ffff && is_character((uint32_t)small_value(c)) : small_value(c) <= 255);
            if (good && utf8) {
                text_char(&t, (uint32_t)small_value(c));
            } else if (good) {
                text_byte(&t, (uint8_t)small_value(c));
            }
        }
        good = good && l == NIL;
    }
    good = good && (t.size == 0 || memchr(t.at, 0, t.size) == NULL);
    text_byte(&t, 0);
    term result = good && !t.failed ? bits_from(HEAP(p), t.at, t.size) : raise_badarg(p);
    text_done(&t);
    return result;
}

static term name_list(Heap *h, const uint8_t *at, size_t size, bool utf8) {
    const uint8_t *end = at + size;
    size_t n = 0;
    for (const uint8_t *q = at; q < end; n++) { /* the length first, so that the list is built from its front */
        uint32_t c;
        q += utf8 ? utf8_read(q, end, &c) : 1;
    }
    term *cells = heap_alloc(h, 2 * n);
    if (cells == NULL) {
        return heap_fail(h, A_system_limit);
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t c = *at;
        at += utf8 ? utf8_read(at, end, &c) : 1;
        cells[2 * i] = SMALL(c);
        cells[2 * i + 1] = i + 1 < n ? make_cons(cells + 2 * i + 2) : NIL;
    }
    return n == 0 ? NIL : make_cons(cells);
}

/* The reverse: a list of characters, or {error, Why} if the bytes are not text in the user's encoding. */
BIF(prim_file, internal_native2name, 1) {
    if (!is_binary(a[0])) {
        return raise_badarg(p);
    }
    Text t;
    text_init(&t, &process_vm(p)->mem);
    Bits b = bits_of(a[0]);
    size_t n = b.size / 8;
    if (text_reserve(&t, n + 1)) {
        bitrun_copy(t.at, 0, b.at, b.start, b.size);
    }
    bool utf8 = platform_utf8();
    term result = t.failed                                  ? raise_error(p, A_system_limit)
                  : utf8 && utf8_count(t.at, n) < 0 ? TUPLE2(HEAP(p), A_error, A_warning)
                                                            : name_list(HEAP(p), t.at, n, utf8);
    text_done(&t);
    return result == NONE ? raise_heap_reason(p) : result;
}

/* Composes what Unicode composes: systems that decompose file names need it; here names stay as they are. */
BIF(prim_file, internal_normalize_utf8, 1) {
    if (!is_binary(a[0])) {
        return raise_badarg(p);
    }
    Text t;
    text_init(&t, &process_vm(p)->mem);
    Bits b = bits_of(a[0]);
    size_t n = b.size / 8;
    if (text_reserve(&t, n + 1)) {
        bitrun_copy(t.at, 0, b.at, b.start, b.size);
    }
    term result = t.failed || utf8_count(t.at, n) < 0 ? raise_badarg(p) : name_list(HEAP(p), t.at, n, true);
    text_done(&t);
    return result;
}

BIF(prim_file, is_translatable, 1) {
    if (is_binary(a[0])) {
        Bits b = bits_of(a[0]);
        size_t n = b.size / 8;
        Text t;
        text_init(&t, &process_vm(p)->mem);
        bool good = text_reserve(&t, n + 1);
        if (good) {
            bitrun_copy(t.at, 0, b.at, b.start, b.size);
            good = !platform_utf8() || utf8_count(t.at, n) >= 0;
        }
        text_done(&t);
        return good ? A_true : A_false;
    }
    return A_true;
}
