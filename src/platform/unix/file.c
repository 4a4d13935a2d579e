/* Files and folders on POSIX systems. */
#include "platform/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <utime.h>

const int FILE_INVALID = EINVAL, FILE_NO_MEMORY = ENOMEM, FILE_UNSUPPORTED = ENOTSUP, FILE_BAD_HANDLE = EBADF, FILE_NO_ACCESS = EACCES,
          FILE_BROKEN = EPIPE;

static const struct {
    int number;
    const char *name;
    // clang-format off
} errors[] = {
#define E(n, s) {n, s}
    E(EACCES, "eacces"), E(EAGAIN, "eagain"), E(EBADF, "ebadf"), E(EBUSY, "ebusy"), E(EDQUOT, "edquot"), E(EEXIST, "eexist"),
    E(EFAULT, "efault"), E(EFBIG, "efbig"), E(EINTR, "eintr"), E(EINVAL, "einval"), E(EIO, "eio"), E(EISDIR, "eisdir"),
    E(ELOOP, "eloop"), E(EMFILE, "emfile"), E(EMLINK, "emlink"), E(ENAMETOOLONG, "enametoolong"), E(ENFILE, "enfile"),
    E(ENODEV, "enodev"), E(ENOENT, "enoent"), E(ENOMEM, "enomem"), E(ENOSPC, "enospc"), E(ENOTBLK, "enotblk"),
    E(ENOTDIR, "enotdir"), E(ENOTEMPTY, "eexist"), E(ENOTSUP, "enotsup"), E(ENOSYS, "enosys"), E(ENXIO, "enxio"),
    E(EPERM, "eperm"), E(EPIPE, "epipe"), E(EROFS, "erofs"), E(ESPIPE, "espipe"), E(ESRCH, "esrch"), E(ESTALE, "estale"),
    E(ETXTBSY, "etxtbsy"), E(EXDEV, "exdev"), E(EOVERFLOW, "eoverflow"), E(EDEADLK, "edeadlk"), E(EILSEQ, "eilseq"),
    E(EADDRINUSE, "eaddrinuse"), E(EADDRNOTAVAIL, "eaddrnotavail"), E(EAFNOSUPPORT, "eafnosupport"), E(EALREADY, "ealready"),
    E(ECONNABORTED, "econnaborted"), E(ECONNREFUSED, "econnrefused"), E(ECONNRESET, "econnreset"), E(EDESTADDRREQ, "edestaddrreq"),
    E(EHOSTDOWN, "ehostdown"), E(EHOSTUNREACH, "ehostunreach"), E(EINPROGRESS, "einprogress"), E(EISCONN, "eisconn"),
    E(EMSGSIZE, "emsgsize"), E(ENETDOWN, "enetdown"), E(ENETRESET, "enetreset"), E(ENETUNREACH, "enetunreach"), E(ENOBUFS, "enobufs"),
    E(ENOPROTOOPT, "enoprotoopt"), E(ENOTCONN, "enotconn"), E(ENOTSOCK, "enotsock"), E(EPROTO, "eproto"),
    E(EPROTONOSUPPORT, "eprotonosupport"), E(EPROTOTYPE, "eprototype"), E(ESHUTDOWN, "eshutdown"), E(ETIMEDOUT, "etimedout"),
#undef E
};
// clang-format on

const char *file_error_name(int error) {
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        if (errors[i].number == error) {
            return errors[i].name;
        }
    }
    return "unknown";
}

static int result(int r) {
    return r < 0 ? errno : 0;
}

int file_open(const char *name, unsigned modes, int *fd) {
    int flags = O_CLOEXEC;
    switch (modes & (FILE_READ | FILE_WRITE)) {
    case FILE_READ: flags |= O_RDONLY; break;
    case FILE_WRITE: flags |= O_WRONLY | O_CREAT | (modes & (FILE_APPEND | FILE_EXCLUSIVE) ? 0 : O_TRUNC); break;
    case FILE_READ | FILE_WRITE: flags |= O_RDWR | O_CREAT; break;
    default: return EINVAL;
    }
    flags |= (modes & FILE_APPEND ? O_APPEND : 0) | (modes & FILE_EXCLUSIVE ? O_EXCL : 0) | (modes & FILE_SYNC ? O_SYNC : 0) |
             (modes & FILE_DIRECTORY ? O_DIRECTORY : 0);
    do {
        *fd = open(name, flags, 0666);
    } while (*fd < 0 && errno == EINTR);
    if (*fd < 0) {
        return errno;
    }
    struct stat s;
    if (!(modes & (FILE_ANY_TYPE | FILE_DIRECTORY)) && fstat(*fd, &s) == 0 && S_ISDIR(s.st_mode)) {
        close(*fd);
        return EISDIR;
    }
    return 0;
}

int file_close(int fd) {
    return result(close(fd)); /* never again after EINTR: the descriptor is gone */
}

int file_duplicate(int fd, int *copy) {
    *copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return result(*copy);
}

int file_read(int fd, void *to, size_t size, int64_t offset, size_t *done) {
    uint8_t *p = to;
    *done = 0;
    while (*done < size) {
        ssize_t n = offset < 0 ? read(fd, p + *done, size - *done) : pread(fd, p + *done, size - *done, offset + (int64_t)*done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return errno;
        }
        if (n == 0) {
            break;
        }
        *done += (size_t)n;
    }
    return 0;
}

int file_write(int fd, const void *from, size_t size, int64_t offset) {
    const uint8_t *p = from;
    for (size_t done = 0; done < size;) {
        ssize_t n = offset < 0 ? write(fd, p + done, size - done) : pwrite(fd, p + done, size - done, offset + (int64_t)done);
        if (n < 0 && errno != EINTR) {
            return errno;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int file_seek(int fd, FileOrigin from, int64_t offset, int64_t *position) {
    static const int origins[] = {SEEK_SET, SEEK_CUR, SEEK_END};
    if (from == FILE_FROM_START && offset < 0) {
        return EINVAL;
    }
    *position = lseek(fd, offset, origins[from]);
    return *position < 0 ? errno : 0;
}

int file_sync(int fd, bool data_only) {
    return result(data_only ? fdatasync(fd) : fsync(fd));
}

int file_truncate(int fd) {
    off_t at = lseek(fd, 0, SEEK_CUR);
    return at < 0 ? errno : result(ftruncate(fd, at));
}

int file_allocate(int fd, int64_t offset, int64_t size) {
    return posix_fallocate(fd, offset, size);
}

int file_advise(int fd, int64_t offset, int64_t size, FileAdvice advice) {
    static const int values[] = {POSIX_FADV_NORMAL,   POSIX_FADV_RANDOM,   POSIX_FADV_SEQUENTIAL,
                                 POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED, POSIX_FADV_NOREUSE};
    return posix_fadvise(fd, offset, size, values[advice]);
}

static void convert(const struct stat *s, FileInfo *info) {
    *info = (FileInfo){
        // clang-format off
        .size = (uint64_t)s->st_size,
        .type = S_ISREG(s->st_mode)   ? FILE_TYPE_REGULAR
                : S_ISDIR(s->st_mode) ? FILE_TYPE_DIRECTORY
                : S_ISLNK(s->st_mode) ? FILE_TYPE_SYMLINK
                : S_ISCHR(s->st_mode) || S_ISBLK(s->st_mode) ? FILE_TYPE_DEVICE
                                      : FILE_TYPE_OTHER,
        .accessed = s->st_atime, .modified = s->st_mtime, .changed = s->st_ctime,
        .mode = s->st_mode, .links = (uint32_t)s->st_nlink,
        .major = (uint32_t)s->st_dev, .minor = (uint32_t)s->st_rdev,
        .uid = s->st_uid, .gid = s->st_gid, .inode = s->st_ino,
    };
    // clang-format on
}

int file_info_of(int fd, FileInfo *info) {
    struct stat s;
    if (fstat(fd, &s) < 0) {
        return errno;
    }
    convert(&s, info);
    int shift = s.st_uid == geteuid() ? 6 : s.st_gid == getegid() ? 3 : 0; /* what the file allows, not what it is open for */
    info->readable = (s.st_mode >> shift & 4) != 0, info->writable = (s.st_mode >> shift & 2) != 0;
    return 0;
}

int file_info(const char *name, bool follow_links, FileInfo *info) {
    struct stat s;
    if ((follow_links ? stat(name, &s) : lstat(name, &s)) < 0) {
        return errno;
    }
    convert(&s, info);
    info->readable = access(name, R_OK) == 0, info->writable = access(name, W_OK) == 0;
    return 0;
}

int file_set_mode(const char *name, uint32_t mode) {
    return result(chmod(name, mode & 07777));
}

int file_set_owner(const char *name, int32_t uid, int32_t gid) {
    return result(chown(name, (uid_t)uid, (gid_t)gid));
}

int file_set_times(const char *name, int64_t accessed, int64_t modified) {
    struct utimbuf t = {accessed, modified};
    return result(utime(name, &t));
}

int file_rename(const char *from, const char *to) {
    int e = result(rename(from, to));
    return e != 0 && strcmp(from, "/") == 0 ? EINVAL : e; /* systems say different things of the root */
}

int file_hard_link(const char *old, const char *new) {
    return result(link(old, new));
}

int file_soft_link(const char *old, const char *new) {
    return result(symlink(old, new));
}

int file_read_link(const char *name, Text *target) {
    for (size_t room = 256;; room *= 2) {
        if (!text_reserve(target, room)) {
            return ENOMEM;
        }
        ssize_t n = readlink(name, (char *)target->at + target->size, room);
        if (n < 0) {
            return errno;
        }
        if ((size_t)n < room) {
            target->size += (size_t)n;
            return 0;
        }
    }
}

int file_delete(const char *name) {
    int e = result(unlink(name));
    return e == EISDIR ? EPERM : e;
}

int file_make_dir(const char *name) {
    return result(mkdir(name, 0777));
}

int file_delete_dir(const char *name) {
    int e = result(rmdir(name));
    struct stat s, here;
    bool current = (e == EEXIST || e == ENOTEMPTY) && stat(name, &s) == 0 && stat(".", &here) == 0 && s.st_ino == here.st_ino &&
                   s.st_dev == here.st_dev;
    return current ? EINVAL : e;
}

int file_cwd(Text *name) {
    char path[PATH_MAX];
    if (getcwd(path, sizeof path) == NULL) {
        return errno;
    }
    text_string(name, path);
    return name->failed ? ENOMEM : 0;
}

int file_set_cwd(const char *name) {
    return result(chdir(name));
}

int file_list_dir(const char *name, bool (*entry)(void *arg, const char *name), void *arg) {
    DIR *d = opendir(name);
    if (d == NULL) {
        return errno;
    }
    int error = 0;
    struct dirent *e;
    while (errno = 0, (e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && !entry(arg, e->d_name)) {
            break;
        }
    }
    if (e == NULL) {
        error = errno;
    }
    closedir(d);
    return error;
}
