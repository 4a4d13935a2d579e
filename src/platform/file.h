/* Files and folders. Names are the system's own bytes, zero-terminated. Every call returns 0 or an error number, whose name
   (as Erlang's posix atoms spell it) file_error_name tells. */
#ifndef MOTE_PLATFORM_FILE_H
#define MOTE_PLATFORM_FILE_H

#include "base/text.h"

// clang-format off
typedef enum {
    FILE_READ = 1, FILE_WRITE = 2, FILE_APPEND = 4, FILE_EXCLUSIVE = 8, FILE_SYNC = 16, FILE_DIRECTORY = 32,
    FILE_ANY_TYPE = 64, /* also devices; otherwise only regular files (and folders with FILE_DIRECTORY) */
} FileModes;
// clang-format on

typedef enum { FILE_TYPE_DEVICE, FILE_TYPE_DIRECTORY, FILE_TYPE_REGULAR, FILE_TYPE_SYMLINK, FILE_TYPE_OTHER } FileType;

typedef struct {
    uint64_t size;
    FileType type;
    bool readable, writable;             /* by this process */
    int64_t accessed, modified, changed; /* seconds since 1970 */
    uint32_t mode, links, major, minor, uid, gid;
    uint64_t inode;
} FileInfo;

typedef enum { FILE_FROM_START, FILE_FROM_HERE, FILE_FROM_END } FileOrigin;
typedef enum { FILE_NORMAL, FILE_RANDOM, FILE_SEQUENTIAL, FILE_WILL_NEED, FILE_DONT_NEED, FILE_NO_REUSE } FileAdvice;

const char *file_error_name(int error); /* "enoent"; "unknown" if it has no name */
extern const int FILE_INVALID, FILE_NO_MEMORY, FILE_UNSUPPORTED, FILE_BAD_HANDLE, FILE_NO_ACCESS,
    FILE_BROKEN; /* EINVAL, ENOMEM, ENOTSUP, EBADF, EACCES, EPIPE */

int file_open(const char *name, unsigned modes, int *fd);
int file_close(int fd);
int file_duplicate(int fd, int *copy);
/* At offset >= 0, or at the current position if it is negative. *done: bytes; fewer than asked for only at the end. */
int file_read(int fd, void *to, size_t size, int64_t offset, size_t *done);
int file_write(int fd, const void *from, size_t size, int64_t offset);
int file_seek(int fd, FileOrigin from, int64_t offset, int64_t *position);
int file_sync(int fd, bool data_only);
int file_truncate(int fd); /* at the current position */
int file_allocate(int fd, int64_t offset, int64_t size);
int file_advise(int fd, int64_t offset, int64_t size, FileAdvice advice);
int file_info_of(int fd, FileInfo *info);

int file_info(const char *name, bool follow_links, FileInfo *info);
int file_set_mode(const char *name, uint32_t mode);
int file_set_owner(const char *name, int32_t uid, int32_t gid); /* -1: leave */
int file_set_times(const char *name, int64_t accessed, int64_t modified);
int file_rename(const char *from, const char *to);
int file_hard_link(const char *old, const char *new);
int file_soft_link(const char *old, const char *new);
int file_read_link(const char *name, Text *target);
int file_delete(const char *name);
int file_make_dir(const char *name);
int file_delete_dir(const char *name);
int file_cwd(Text *name);
int file_set_cwd(const char *name);
/* Calls entry for every name in the folder but . and .. ; stops when it returns false. */
int file_list_dir(const char *name, bool (*entry)(void *arg, const char *name), void *arg);

#endif
