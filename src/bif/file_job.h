/* Operations on files for processes: the arguments are copied, a thread of the pool does it, the process that asked waits and then
   makes a term of the result. */
#ifndef MOTE_BIF_FILE_JOB_H
#define MOTE_BIF_FILE_JOB_H

#include "base/text.h"
#include "bif/bif.h"
#include "io/io.h"
#include "platform/file.h"
#include "term/ref.h"

/* An open file behind a magic reference. */
typedef struct {
    Resource resource;
    int fd; /* -1: closed */
} OpenFile;
OpenFile *open_file_of(term t); /* NULL: not one */
/* {ok, Ref} for a descriptor that is now the reference's. */
term open_file_new(Process *p, int fd);

/* A run of bytes to be written: in `buffer`, or in the job's text if that is NULL. */
typedef struct {
    Buffer *buffer;
    size_t start, size;
} FilePart;

typedef struct FileJob FileJob;
typedef int FileRun(FileJob *j);                 /* on a thread of the pool: 0 or an error number */
typedef term FileFinish(Process *p, FileJob *j); /* the result of what went well */
struct FileJob {
    Work work; /* first */
    FileRun *run;
    FileFinish *finish; /* NULL: ok */
    int error;
    OpenFile *file; /* what it works on; counted. NULL: nothing that is open */
    Text names;     /* up to two names, each with a zero behind it */
    size_t other;   /* where the second begins */
    int64_t number[3];
    unsigned modes;
    int fd; /* that it has opened, or is to close; -1: none */
    FileInfo info;
    Text text;      /* bytes to be written, or names that have been read */
    Buffer *buffer; /* what has been read; NULL: nothing */
    FilePart *parts;
    size_t part_count, part_room;
};

/* NULL: no memory (the caller returns bif_no_memory). */
FileJob *file_job_new(Process *p, FileRun *run, FileFinish *finish, term *ref);
/* Adds a name, zero-terminated binary as prim_file makes them. False: it is not one. */
bool file_job_name(FileJob *j, term name);
static inline const char *file_job_first(const FileJob *j) {
    return (const char *)j->names.at;
}
static inline const char *file_job_second(const FileJob *j) {
    return (const char *)j->names.at + j->other;
}
void file_job_on(FileJob *j, OpenFile *f);
bool file_job_part(FileJob *j, term binary); /* false: no memory */
/* Starts it; what the built-in returns. */
term file_job_start(Process *p, FileJob *j, term ref);

term file_error(Process *p, int error); /* {error, Name} */

#endif
