/* The natives of OTP's module prim_file: files and folders. Shapes as prim_file.erl expects them; errors are {error, PosixAtom}.
   Names arrive as zero-terminated binaries, which internal_name2native makes. Each operation is a function that a thread of the
   pool runs (run_...), one that makes a term of the result (finish_...), and the built-in that reads the arguments. */
#include "bif/file_job.h"
#include "bif/system_flags.h"
#include "data/bits.h"
#include "data/integer.h"

/* --- Results ------------------------------------------------------------------------------------------------------- */

static term ok_tuple(Process *p, term value) {
    return value == NONE ? file_error(p, FILE_NO_MEMORY) : TUPLE2(HEAP(p), A_ok, value);
}

static term read_binary(Process *p, FileJob *j) {
    Buffer *b = j->buffer;
    if (b == NULL || b->used / 8 <= BITS_ON_HEAP_MAX) {
        return bits_from(HEAP(p), b == NULL ? NULL : b->data, b == NULL ? 0 : b->used / 8);
    }
    j->buffer = NULL;
    return bits_from_buffer(HEAP(p), b, 0, b->used);
}

/* Nothing read at the end of the file. */
static term finish_read(Process *p, FileJob *j) {
    return j->buffer == NULL ? A_eof : ok_tuple(p, read_binary(p, j));
}

static term finish_content(Process *p, FileJob *j) {
    return ok_tuple(p, read_binary(p, j));
}

static term finish_text(Process *p, FileJob *j) {
    return ok_tuple(p, bits_from(HEAP(p), j->text.at, j->text.size));
}

static term finish_open(Process *p, FileJob *j) {
    int fd = j->fd;
    j->fd = -1;
    return open_file_new(p, fd);
}

static term finish_info(Process *p, FileJob *j) {
    static const term types[] = {A_device, A_directory, A_regular, A_symlink, A_other};
    Heap *h = HEAP(p);
    const FileInfo *i = &j->info;
    term access = i->readable && i->writable ? A_read_write : i->readable ? A_read : i->writable ? A_write : A_none;
    return heap_tuple(h, 14, A_file_info, integer_from_uint64(h, i->size), types[i->type], access, integer_from_int64(h, i->accessed),
                      integer_from_int64(h, i->modified), integer_from_int64(h, i->changed), integer_from_uint64(h, i->mode),
                      integer_from_uint64(h, i->links), integer_from_uint64(h, i->major), integer_from_uint64(h, i->minor),
                      integer_from_uint64(h, (uint32_t)i->inode), integer_from_uint64(h, i->uid), integer_from_uint64(h, i->gid));
}

/* The names of a folder lie in text, each with a zero behind it. */
static term finish_list(Process *p, FileJob *j) {
    term list = NIL;
    for (size_t at = 0; at < j->text.size;) {
        size_t n = strlen((const char *)j->text.at + at);
        list = heap_cons(HEAP(p), bits_from(HEAP(p), j->text.at + at, n), list);
        at += n + 1;
        BUMP(p, 1);
    }
    return TUPLE2(HEAP(p), A_ok, list);
}

/* --- Reading and writing ------------------------------------------------------------------------------------------- */

/* Up to `size` bytes into j->buffer, which stays NULL at the end of the file. Asking for more than is there must not cost memory:
   the buffer grows as the file yields. */
static int read_at(FileJob *j, int fd, uint64_t size, int64_t offset) {
    enum { FIRST = 1 << 16 };
    VM *vm = j->work.vm;
    FileInfo info;
    size_t room = FIRST;
    if (size > FIRST && file_info_of(fd, &info) == 0 && info.type == FILE_TYPE_REGULAR) {
        room = MAX(room, info.size + 1); /* one more, so that the end is seen at once */
    }
    Buffer *b = buffer_new(vm, MIN(room, MAX(size, 1)));
    int error = b == NULL ? FILE_NO_MEMORY : 0;
    size_t got = 0;
    for (bool end = false; error == 0 && !end && got < size;) {
        if (got == b->capacity) {
            Buffer *larger = buffer_resize(vm, b, MIN(2 * b->capacity, size));
            if (larger == NULL) {
                error = FILE_NO_MEMORY;
                break;
            }
            b = larger;
        }
        size_t want = MIN(b->capacity - got, size - got), done;
        error = file_read(fd, b->data + got, want, offset < 0 ? -1 : offset + (int64_t)got, &done);
        got += done;
        end = done < want;
    }
    if (error != 0 || (got == 0 && size > 0)) {
        if (b != NULL) {
            buffer_release(vm, b);
        }
        return error;
    }
    if (b->capacity - got > b->capacity / 4) {
        Buffer *smaller = buffer_resize(vm, b, MAX(got, 1));
        b = smaller == NULL ? b : smaller;
    }
    b->used = 8 * got;
    j->buffer = b;
    return 0;
}

static int run_read(FileJob *j) {
    return read_at(j, j->file->fd, (uint64_t)j->number[0], j->number[1]);
}

/* ROOT/lib/...beam, and no way out of there. */
static bool is_code_of_otp(const SystemFlags *f, const char *name) {
    size_t n = f->root == NULL ? 0 : strlen(f->root), length = strlen(name);
    return n > 0 && length > n + 10 && memcmp(name, f->root, n) == 0 && memcmp(name + n, "/lib/", 5) == 0 &&
           memcmp(name + length - 5, ".beam", 5) == 0 && strstr(name, "/../") == NULL;
}

static int run_read_file(FileJob *j) {
    int fd, error = file_open(file_job_first(j), FILE_READ | FILE_ANY_TYPE, &fd);
    if (error == 0) {
        error = read_at(j, fd, SIZE_MAX / 2, -1);
        file_close(fd);
        if (j->buffer != NULL && is_code_of_otp(j->work.vm->flags, file_job_first(j))) {
            buffer_trust(j->buffer);
        }
    }
    return error;
}

static int run_write(FileJob *j) {
    int error = 0;
    int64_t offset = j->number[1];
    for (size_t i = 0; error == 0 && i < j->part_count; i++) {
        const FilePart *part = &j->parts[i];
        error = file_write(j->file->fd, (part->buffer == NULL ? j->text.at : part->buffer->data) + part->start, part->size, offset);
        offset += offset < 0 ? 0 : (int64_t)part->size;
    }
    return error;
}

/* A pointer of 8 bytes: size and place of what is to be read, which is limited. number: place of the pointer, largest size. */
static int run_indirect(FileJob *j) {
    uint8_t pointer[8];
    size_t done;
    int error = file_read(j->file->fd, pointer, sizeof pointer, j->number[0], &done);
    j->number[2] = -1;
    if (error != 0 || done < sizeof pointer) {
        return error;
    }
    int64_t size = read_be32(pointer), at = read_be32(pointer + 4);
    if (size > j->number[1]) {
        return 0;
    }
    j->number[1] = size, j->number[2] = at;
    return size == 0 ? 0 : read_at(j, j->file->fd, (uint64_t)size, at);
}

static term finish_indirect(Process *p, FileJob *j) {
    if (j->number[2] < 0) {
        return A_eof;
    }
    term content = j->buffer == NULL ? A_eof : read_binary(p, j);
    return ok_tuple(p, content == NONE ? NONE : TUPLE3(HEAP(p), SMALL(j->number[1]), SMALL(j->number[2]), content));
}

/* --- Open files ---------------------------------------------------------------------------------------------------- */

static bool modes_of(term list, unsigned *modes) {
    static const struct {
        term name;
        unsigned mode;
        // clang-format off
    } names[] = {
        {A_read, FILE_READ}, {A_write, FILE_WRITE}, {A_append, FILE_APPEND | FILE_WRITE}, {A_sync, FILE_SYNC},
        {A_exclusive, FILE_EXCLUSIVE | FILE_WRITE}, {A_directory, FILE_DIRECTORY}, {A_skip_type_check, FILE_ANY_TYPE},
    };
    // clang-format on
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

/* The head of every operation on an open file: badarg if the first argument is none, {error, einval} if it is closed. */
#define OPEN_FILE(f)                        \
    OpenFile *f = open_file_of(a[0]);       \
    if (f == NULL) {                        \
        return raise_badarg(p);             \
    }                                       \
    if (f->fd < 0) {                        \
        return file_error(p, FILE_INVALID); \
    }

/* The head of every job. */
#define JOB(j, ref, run, finish)                     \
    term ref;                                        \
    FileJob *j = file_job_new(p, run, finish, &ref); \
    if (j == NULL) {                                 \
        return bif_no_memory(p);                     \
    }

/* Two numbers that must not be negative; first what is no number at all, then what does not fit. */
#define NUMBERS(x, y, tx, ty)                                                                                             \
    int64_t x = 0, y = 0;                                                                                                 \
    if (!is_number(tx) || !is_number(ty)) {                                                                               \
        return raise_badarg(p);                                                                                           \
    }                                                                                                                     \
    if (!is_integer(tx) || !is_integer(ty) || !integer_to_int64(tx, &x) || !integer_to_int64(ty, &y) || x < 0 || y < 0) { \
        return file_error(p, FILE_INVALID);                                                                               \
    }

static term on_file(Process *p, OpenFile *f, FileRun *run, FileFinish *finish, int64_t n0, int64_t n1, int64_t n2) {
    JOB(j, ref, run, finish);
    file_job_on(j, f);
    j->number[0] = n0, j->number[1] = n1, j->number[2] = n2;
    return file_job_start(p, j, ref);
}

static int run_open(FileJob *j) {
    int error = file_open(file_job_first(j), j->modes, &j->fd);
    j->fd = error == 0 ? j->fd : -1;
    return error;
}

BIF(prim_file, open_nif, 2) {
    JOB(j, ref, run_open, finish_open);
    if (!is_list(a[1]) || !modes_of(a[1], &j->modes)) {
        return raise_badarg(p);
    }
    return file_job_name(j, a[0]) ? file_job_start(p, j, ref) : file_error(p, FILE_INVALID);
}

BIF(prim_file, file_desc_to_ref_nif, 1) {
    FileInfo info;
    if (!is_number(a[0]) || !is_small(a[0]) || small_value(a[0]) != (int)small_value(a[0])) {
        return raise_badarg(p);
    }
    int fd = (int)small_value(a[0]), error = file_info_of(fd, &info);
    return error != 0 ? file_error(p, error) : open_file_new(p, fd);
}

static int run_close(FileJob *j) {
    int fd = j->fd;
    j->fd = -1;
    return file_close(fd);
}

static term close_file(Process *p, OpenFile *f) {
    JOB(j, ref, run_close, NULL);
    j->fd = f->fd;
    f->fd = -1;
    return file_job_start(p, j, ref);
}

BIF(prim_file, close_nif, 1) {
    OPEN_FILE(f);
    return close_file(p, f);
}

/* What prim_file's own process calls for files whose owner has ended. */
BIF(prim_file, delayed_close_nif, 1) {
    OpenFile *f = open_file_of(a[0]);
    if (f == NULL) {
        return raise_badarg(p);
    }
    return f->fd < 0 ? A_ok : close_file(p, f);
}

BIF(prim_file, read_nif, 2) {
    OPEN_FILE(f);
    NUMBERS(size, zero, a[1], SMALL(0));
    return on_file(p, f, run_read, finish_read, size, -1 - zero, 0);
}

BIF(prim_file, pread_nif, 3) {
    OPEN_FILE(f);
    NUMBERS(offset, size, a[1], a[2]);
    return on_file(p, f, run_read, finish_read, size, offset, 0);
}

/* Takes over a list of binaries. NONE: fine; else what the built-in returns. */
static term take_parts(Process *p, FileJob *j, term list) {
    for (; is_cons(list); list = tail(list)) {
        if (!is_binary(head(list))) {
            return raise_badarg(p);
        }
        if (!file_job_part(j, head(list))) {
            return file_error(p, FILE_NO_MEMORY);
        }
        BUMP(p, 1);
    }
    return list == NIL ? A_ok : raise_badarg(p);
}

static term write_list(Process *p, OpenFile *f, term list, int64_t offset) {
    JOB(j, ref, run_write, NULL);
    file_job_on(j, f);
    j->number[1] = offset;
    term taken = take_parts(p, j, list);
    return taken == A_ok ? file_job_start(p, j, ref) : taken;
}

BIF(prim_file, write_nif, 2) {
    OPEN_FILE(f);
    return write_list(p, f, a[1], -1);
}

BIF(prim_file, pwrite_nif, 3) {
    OPEN_FILE(f);
    NUMBERS(offset, zero, a[1], SMALL(0));
    return write_list(p, f, a[2], offset + zero);
}

/* Never blocks. */
BIF(prim_file, seek_nif, 3) {
    OPEN_FILE(f);
    int64_t offset, position;
    if (!is_integer(a[2]) || !integer_to_int64(a[2], &offset) || (a[1] != A_bof && a[1] != A_cur && a[1] != A_eof)) {
        return raise_badarg(p);
    }
    FileOrigin from = a[1] == A_bof ? FILE_FROM_START : a[1] == A_cur ? FILE_FROM_HERE : FILE_FROM_END;
    int error = file_seek(f->fd, from, offset, &position);
    return error != 0 ? file_error(p, error) : TUPLE2(HEAP(p), A_ok, integer_from_int64(HEAP(p), position));
}

static int run_sync(FileJob *j) {
    return file_sync(j->file->fd, j->number[0] != 0);
}

BIF(prim_file, sync_nif, 2) {
    OPEN_FILE(f);
    return is_small(a[1]) ? on_file(p, f, run_sync, NULL, a[1] != SMALL(0), 0, 0) : raise_badarg(p);
}

static int run_truncate(FileJob *j) {
    return file_truncate(j->file->fd);
}

BIF(prim_file, truncate_nif, 1) {
    OPEN_FILE(f);
    return on_file(p, f, run_truncate, NULL, 0, 0, 0);
}

static int run_allocate(FileJob *j) {
    return file_allocate(j->file->fd, j->number[0], j->number[1]);
}

BIF(prim_file, allocate_nif, 3) {
    OPEN_FILE(f);
    NUMBERS(offset, size, a[1], a[2]);
    return on_file(p, f, run_allocate, NULL, offset, size, 0);
}

static int run_advise(FileJob *j) {
    return file_advise(j->file->fd, j->number[0], j->number[1], (FileAdvice)j->number[2]);
}

BIF(prim_file, advise_nif, 4) {
    OPEN_FILE(f);
    static const term names[] = {A_normal, A_random, A_sequential, A_will_need, A_dont_need, A_no_reuse};
    NUMBERS(offset, size, a[1], a[2]);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (a[3] == names[i]) {
            return on_file(p, f, run_advise, NULL, offset, size, (int64_t)i);
        }
    }
    return file_error(p, FILE_INVALID);
}

BIF(prim_file, ipread_s32bu_p32bu_nif, 3) {
    OPEN_FILE(f);
    NUMBERS(offset, largest, a[1], a[2]);
    if (largest >= (int64_t)1 << 31) {
        return file_error(p, FILE_INVALID);
    }
    return on_file(p, f, run_indirect, finish_indirect, offset, largest, 0);
}

BIF(prim_file, get_handle_nif, 1) {
    OPEN_FILE(f);
    int fd = f->fd;
    return bits_from(HEAP(p), (const uint8_t *)&fd, sizeof fd);
}

static int run_handle_info(FileJob *j) {
    return file_info_of(j->file->fd, &j->info);
}

BIF(prim_file, read_handle_info_nif, 1) {
    OPEN_FILE(f);
    return on_file(p, f, run_handle_info, finish_info, 0, 0, 0);
}

/* --- Names --------------------------------------------------------------------------------------------------------- */

static term on_name(Process *p, term name, FileRun *run, FileFinish *finish, int64_t n0, int64_t n1) {
    JOB(j, ref, run, finish);
    j->number[0] = n0, j->number[1] = n1;
    return file_job_name(j, name) ? file_job_start(p, j, ref) : file_error(p, FILE_INVALID);
}

static term on_two_names(Process *p, const term *a, FileRun *run) {
    JOB(j, ref, run, NULL);
    return file_job_name(j, a[0]) && file_job_name(j, a[1]) ? file_job_start(p, j, ref) : file_error(p, FILE_INVALID);
}

BIF(prim_file, read_file_nif, 1) {
    return on_name(p, a[0], run_read_file, finish_content, 0, 0);
}

static int run_info(FileJob *j) {
    return file_info(file_job_first(j), j->number[0] != 0, &j->info);
}

BIF(prim_file, read_info_nif, 2) {
    return is_small(a[1]) ? on_name(p, a[0], run_info, finish_info, small_value(a[1]), 0) : raise_badarg(p);
}

static int run_set_mode(FileJob *j) {
    return file_set_mode(file_job_first(j), (uint32_t)j->number[0]);
}

BIF(prim_file, set_permissions_nif, 2) {
    return is_small(a[1]) ? on_name(p, a[0], run_set_mode, NULL, small_value(a[1]), 0) : raise_badarg(p);
}

static int run_set_owner(FileJob *j) {
    return file_set_owner(file_job_first(j), (int32_t)j->number[0], (int32_t)j->number[1]);
}

BIF(prim_file, set_owner_nif, 3) {
    if (!is_small(a[1]) || !is_small(a[2])) {
        return raise_badarg(p);
    }
    return on_name(p, a[0], run_set_owner, NULL, small_value(a[1]), small_value(a[2]));
}

static int run_set_time(FileJob *j) {
    return file_set_times(file_job_first(j), j->number[0], j->number[1]);
}

BIF(prim_file, set_time_nif, 4) {
    int64_t accessed, modified;
    if (!is_integer(a[1]) || !is_integer(a[2]) || !integer_to_int64(a[1], &accessed) || !integer_to_int64(a[2], &modified)) {
        return raise_badarg(p);
    }
    return on_name(p, a[0], run_set_time, NULL, accessed, modified);
}

static int run_rename(FileJob *j) {
    return file_rename(file_job_first(j), file_job_second(j));
}

BIF(prim_file, rename_nif, 2) {
    return on_two_names(p, a, run_rename);
}

static int run_hard_link(FileJob *j) {
    return file_hard_link(file_job_first(j), file_job_second(j));
}

BIF(prim_file, make_hard_link_nif, 2) {
    return on_two_names(p, a, run_hard_link);
}

static int run_soft_link(FileJob *j) {
    return file_soft_link(file_job_first(j), file_job_second(j));
}

BIF(prim_file, make_soft_link_nif, 2) {
    return on_two_names(p, a, run_soft_link);
}

static int run_delete(FileJob *j) {
    return file_delete(file_job_first(j));
}

BIF(prim_file, del_file_nif, 1) {
    return on_name(p, a[0], run_delete, NULL, 0, 0);
}

static int run_make_dir(FileJob *j) {
    return file_make_dir(file_job_first(j));
}

BIF(prim_file, make_dir_nif, 1) {
    return on_name(p, a[0], run_make_dir, NULL, 0, 0);
}

static int run_delete_dir(FileJob *j) {
    return file_delete_dir(file_job_first(j));
}

BIF(prim_file, del_dir_nif, 1) {
    return on_name(p, a[0], run_delete_dir, NULL, 0, 0);
}

static int run_set_cwd(FileJob *j) {
    return file_set_cwd(file_job_first(j));
}

BIF(prim_file, set_cwd_nif, 1) {
    return on_name(p, a[0], run_set_cwd, NULL, 0, 0);
}

static int run_read_link(FileJob *j) {
    return file_read_link(file_job_first(j), &j->text);
}

BIF(prim_file, read_link_nif, 1) {
    return on_name(p, a[0], run_read_link, finish_text, 0, 0);
}

static int run_cwd(FileJob *j) {
    return file_cwd(&j->text);
}

BIF(prim_file, get_cwd_nif, 0) {
    JOB(j, ref, run_cwd, finish_text);
    return file_job_start(p, j, ref);
}

static bool list_entry(void *arg, const char *name) {
    Text *names = arg;
    text_add(names, name, strlen(name) + 1);
    return !names->failed;
}

static int run_list(FileJob *j) {
    int error = file_list_dir(file_job_first(j), list_entry, &j->text);
    return error == 0 && j->text.failed ? FILE_NO_MEMORY : error;
}

BIF(prim_file, list_dir_nif, 1) {
    return on_name(p, a[0], run_list, finish_list, 0, 0);
}

/* Of other systems. */
BIF(prim_file, get_device_cwd_nif, 1) {
    return file_error(p, FILE_UNSUPPORTED);
}

BIF(prim_file, altname_nif, 1) {
    return file_error(p, FILE_UNSUPPORTED);
}
