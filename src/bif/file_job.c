/* The life of an operation on files. */
#include "bif/file_job.h"

#include "data/bits.h"

enum { SMALL_PART = 4096, BYTES_PER_REDUCTION = 4096 };

static const char open_file_type[] = "file", file_job_type[] = "file job";

/* --- Open files ---------------------------------------------------------------------------------------------------- */

static void open_file_destroy(VM *vm, Resource *r) {
    OpenFile *f = (OpenFile *)r;
    if (f->fd >= 0) {
        file_close(f->fd);
    }
    MEM_DELETE(&vm->mem, MEM_SYSTEM, f);
}

OpenFile *open_file_of(term t) {
    if (!is_magic_ref(t)) {
        return NULL;
    }
    Resource *r = magic_resource(t);
    return r->type == open_file_type ? (OpenFile *)r : NULL;
}

term open_file_new(Process *p, int fd) {
    OpenFile *f = MEM_NEW(&process_vm(p)->mem, MEM_SYSTEM, OpenFile);
    if (f == NULL) {
        file_close(fd);
        return file_error(p, FILE_NO_MEMORY);
    }
    *f = (OpenFile){{1, open_file_destroy, open_file_type}, fd};
    return TUPLE2(HEAP(p), A_ok, heap_magic_ref(HEAP(p), &f->resource));
}

term file_error(Process *p, int error) {
    return TUPLE2(HEAP(p), A_error, atom_from(process_vm(p), file_error_name(error)));
}

/* --- Jobs ---------------------------------------------------------------------------------------------------------- */

static void job_destroy(VM *vm, Resource *r) {
    FileJob *j = (FileJob *)work_of(r);
    if (j->file != NULL) {
        resource_release(vm, &j->file->resource);
    }
    if (j->fd >= 0) { /* nobody has asked for what it opened */
        file_close(j->fd);
    }
    if (j->buffer != NULL) {
        buffer_release(vm, j->buffer);
    }
    for (size_t i = 0; i < j->part_count; i++) {
        if (j->parts[i].buffer != NULL) {
            buffer_release(vm, j->parts[i].buffer);
        }
    }
    mem_free(&vm->mem, MEM_TEMPORARY, j->parts, j->part_room * sizeof *j->parts);
    text_done(&j->names);
    text_done(&j->text);
    MEM_DELETE(&vm->mem, MEM_TEMPORARY, j);
}

static void job_work(Job *job) {
    FileJob *j = (FileJob *)job;
    j->error = j->run(j);
}

FileJob *file_job_new(Process *p, FileRun *run, FileFinish *finish, term *ref) {
    VM *vm = process_vm(p);
    FileJob *j = MEM_NEW(&vm->mem, MEM_TEMPORARY, FileJob);
    if (j == NULL) {
        return NULL;
    }
    j->work.job.work = job_work;
    j->work.vm = vm;
    j->work.resource = (Resource){1, job_destroy, file_job_type};
    j->run = run;
    j->finish = finish;
    j->fd = -1;
    text_init(&j->names, &vm->mem);
    text_init(&j->text, &vm->mem);
    *ref = heap_magic_ref(HEAP(p), &j->work.resource);
    return j;
}

bool file_job_name(FileJob *j, term name) {
    if (!is_binary(name)) {
        return false;
    }
    Bits b = bits_of(name);
    size_t n = b.size / 8;
    if (n == 0 || !text_reserve(&j->names, n)) {
        return false;
    }
    uint8_t *at = j->names.at + j->names.size;
    bitrun_copy(at, 0, b.at, b.start, b.size);
    j->other = j->names.size;
    j->names.size += n;
    return memchr(at, 0, n) == at + n - 1;
}

void file_job_on(FileJob *j, OpenFile *f) {
    resource_keep(&f->resource);
    j->file = f;
}

static bool add_part(FileJob *j, FilePart part) {
    if (j->part_count == j->part_room) {
        size_t room = MAX(2 * j->part_room, 4);
        FilePart *parts = mem_resize(&j->work.vm->mem, MEM_TEMPORARY, j->parts, j->part_room * sizeof *parts, room * sizeof *parts);
        if (parts == NULL) {
            return false;
        }
        j->parts = parts, j->part_room = room;
    }
    j->parts[j->part_count++] = part;
    return true;
}

/* Large ones share the buffer, which does not move while two refer to it; the others are put together. */
bool file_job_part(FileJob *j, term binary) {
    Bits b = bits_of(binary);
    size_t n = b.size / 8;
    if (n == 0) {
        return true;
    }
    const View *v = (View *)boxed(binary);
    if (n >= SMALL_PART && b.start == 0 && kind_of(binary) == KIND_VIEW && kind_of(v->base) == KIND_BUFFER) {
        Buffer *buffer = ((BufferRef *)boxed(v->base))->buffer;
        if (!add_part(j, (FilePart){buffer, v->start / 8, n})) {
            return false;
        }
        buffer_share(buffer);
        return true;
    }
    FilePart *last = j->part_count == 0 ? NULL : &j->parts[j->part_count - 1];
    if (!text_reserve(&j->text, n)) {
        return false;
    }
    bitrun_copy(j->text.at + j->text.size, 0, b.at, b.start, b.size);
    j->text.size += n;
    if (last != NULL && last->buffer == NULL) {
        last->size += n;
        return true;
    }
    return add_part(j, (FilePart){NULL, j->text.size - n, n});
}

static term finish(Process *p, FileJob *j) {
    if (j->error != 0) {
        return file_error(p, j->error);
    }
    BUMP(p, (intptr_t)((j->buffer == NULL ? j->text.size : j->buffer->used / 8) / BYTES_PER_REDUCTION) + 10);
    return j->finish == NULL ? A_ok : j->finish(p, j);
}

term file_job_start(Process *p, FileJob *j, term ref) {
    if (!work_submit(p, &j->work)) { /* no thread to be had: better late than never */
        job_work(&j->work.job);
        return finish(p, j);
    }
    return bif_trap(p, BIF_EXPORT(p, prim_file, mote_await, 1), 1, ref);
}

/* Goes on with an operation when it is done. */
BIF(prim_file, mote_await, 1) {
    Resource *r = is_magic_ref(a[0]) ? magic_resource(a[0]) : NULL;
    if (r == NULL || r->type != file_job_type) {
        return raise_badarg(p);
    }
    FileJob *j = (FileJob *)work_of(r);
    if (!work_done(p, &j->work)) {
        return bif_trap(p, BIF_EXPORT(p, prim_file, mote_await, 1), 1, a[0]);
    }
    return finish(p, j);
}
