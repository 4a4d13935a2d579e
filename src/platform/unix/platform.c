/* The platform calls on POSIX systems. */
#include "platform/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The first option that is set makes the others constant: where malloc's own would end that is used to large heaps. Otherwise the
   system would give out, clear and take back every page of a heap at every collection. */
enum { MMAP_THRESHOLD = 32 << 20, TRIM_THRESHOLD = 2 * MMAP_THRESHOLD };

void platform_prepare_heap(size_t size) {
#if defined(__GLIBC__) && defined(MADV_POPULATE_WRITE)
    mallopt(M_TOP_PAD, (int)size);
    mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
    mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD);
    mallopt(M_MXFAST, 0); /* else small blocks are only joined when a large one is freed, all at once: 60 ms for 300,000 */
    void *first = malloc(1);
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = round_up((uintptr_t)first, page), end = (uintptr_t)sbrk(0);
    if (start < end && end - start <= 2 * size) { /* else it does not come from there */
        madvise((void *)start, MIN(end - start, size), MADV_POPULATE_WRITE);
    }
    free(first);
#endif
}

/* What one of malloc's heaps has free is of no use to a thread that has another one, and each takes 64 MB of addresses at a time (128
   for a moment). Where addresses are limited, so are the heaps. */
enum { ADDRESSES_PER_HEAP = 1 << 30 };
enum { BALLAST_PART = 16, BALLAST_MOST = 64 << 20 };

void platform_limit_heaps(unsigned count) {
#if defined(__GLIBC__)
    struct rlimit addresses;
    if (getrlimit(RLIMIT_AS, &addresses) == 0 && addresses.rlim_cur != RLIM_INFINITY) {
        count = (unsigned)MIN(count, 1 + addresses.rlim_cur / ADDRESSES_PER_HEAP);
    }
    mallopt(M_ARENA_MAX, (int)count);
#endif
}

void *platform_ballast(size_t *size) {
    struct rlimit addresses;
    if (*size == 0 && (getrlimit(RLIMIT_AS, &addresses) != 0 || addresses.rlim_cur == RLIM_INFINITY)) {
        return NULL;
    }
    *size = *size != 0 ? *size : MIN(addresses.rlim_cur / BALLAST_PART & ~(size_t)UINT16_MAX, BALLAST_MOST);
    void *at = *size == 0 ? MAP_FAILED : mmap(NULL, *size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

void platform_drop_ballast(void *at, size_t size) {
    munmap(at, size);
}

static int64_t clock_of(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t platform_monotonic(void) {
    return clock_of(CLOCK_MONOTONIC);
}

int64_t platform_system_time(void) {
    return clock_of(CLOCK_REALTIME);
}

int64_t platform_cpu_time(void) {
    return clock_of(CLOCK_PROCESS_CPUTIME_ID);
}

void platform_sleep(int64_t nanoseconds) {
    struct timespec t = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    nanosleep(&t, NULL);
}

bool platform_entropy(void *to, size_t size) {
    return getrandom(to, size, 0) == (ssize_t)size;
}

/* UTF-8, utf8: without the C library's tables of characters, which nothing else needs at a start. */
static bool names_utf8(const char *locale) {
    for (const char *p = locale; *p != '\0'; p++) {
        if ((p[0] | 32) == 'u' && (p[1] | 32) == 't' && (p[2] | 32) == 'f' && (p[3] == '8' || (p[3] == '-' && p[4] == '8'))) {
            return true;
        }
    }
    return false;
}

bool platform_utf8(void) {
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *v = getenv(names[i]);
        if (v != NULL && *v != '\0') { /* the first one that is set decides */
            return names_utf8(v);
        }
    }
    return false;
}

bool platform_window_size(int fd, int *columns, int *rows) {
    struct winsize w;
    if (ioctl(fd, TIOCGWINSZ, &w) < 0 || w.ws_col == 0) {
        return false;
    }
    *columns = w.ws_col, *rows = w.ws_row;
    return true;
}

ptrdiff_t platform_read(int fd, void *to, size_t size) {
    ptrdiff_t n;
    do {
        n = read(fd, to, size);
    } while (n < 0 && errno == EINTR);
    return n;
}

bool platform_write(int fd, const void *from, size_t size) {
    const uint8_t *p = from;
    while (size > 0) {
        ssize_t n = write(fd, p, size);
        if (n < 0 && errno == EAGAIN) {
            struct pollfd f = {fd, POLLOUT, 0};
            poll(&f, 1, -1);
        } else if (n < 0 && errno != EINTR) {
            return false;
        } else if (n > 0) {
            p += n, size -= (size_t)n;
        }
    }
    return true;
}

void platform_standard_files(void) {
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) {
            return; /* there is no such file: as it was */
        }
    }
}

bool platform_is_terminal(int fd) {
    return isatty(fd) == 1;
}

bool platform_wait_readable(int fd, int64_t nanoseconds) {
    struct pollfd f = {fd, POLLIN, 0};
    struct timespec t = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    return ppoll(&f, fd < 0 ? 0 : 1, nanoseconds < 0 ? NULL : &t, NULL) > 0;
}

bool platform_wait_writable(int fd, int64_t nanoseconds) {
    struct pollfd f = {fd, POLLOUT, 0};
    struct timespec t = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    return ppoll(&f, 1, nanoseconds < 0 ? NULL : &t, NULL) > 0;
}

static ptrdiff_t some(ssize_t n, bool reading, int *error) {
    *error = 0;
    if (n > 0) {
        return n;
    }
    if (n == 0) {
        return reading ? -1 : 0;
    }
    if (errno == EAGAIN || errno == EINTR) {
        return 0;
    }
    *error = errno;
    return -1;
}

ptrdiff_t platform_read_some(int fd, void *to, size_t size, int *error) {
    return some(read(fd, to, size), true, error);
}

ptrdiff_t platform_write_some(int fd, const void *from, size_t size, int *error) {
    return some(write(fd, from, size), false, error);
}

bool platform_hung_up(int fd) {
    struct pollfd f = {fd, 0, 0};
    return poll(&f, 1, 0) > 0 && f.revents & POLLHUP;
}

bool platform_set_blocking(int fd, bool blocking) {
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && blocking != !(flags & O_NONBLOCK)) {
        fcntl(fd, F_SETFL, flags ^ O_NONBLOCK);
    }
    return flags < 0 || !(flags & O_NONBLOCK);
}

int platform_open_stream(const char *name, bool reads, bool writes) {
    int flags = reads && writes ? O_RDWR | O_CREAT : writes ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY;
    return open(name, flags | O_CLOEXEC | O_NONBLOCK, 0666);
}

void platform_ignore_broken_pipes(void) {
    signal(SIGPIPE, SIG_IGN);
}

void platform_close(int fd) {
    close(fd);
}

void *platform_reserve(size_t size) {
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

void platform_release(void *at, size_t size) {
    munmap(at, size);
}

void platform_forget(void *at, size_t size) {
    madvise(at, size, MADV_DONTNEED);
}

void platform_large_pages(void *at, size_t size) {
#ifdef MADV_HUGEPAGE
    enum { PAGE = 4096 };
    uintptr_t from = ((uintptr_t)at + PAGE - 1) / PAGE * PAGE, to = ((uintptr_t)at + size) / PAGE * PAGE;
    if (from < to) {
        madvise((void *)from, to - from, MADV_HUGEPAGE);
    }
#endif
}

bool platform_code_memory(CodeMemory *m, size_t size) {
    int fd = memfd_create("mote-code", MFD_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    void *w = MAP_FAILED, *x = MAP_FAILED;
    if (ftruncate(fd, (off_t)size) == 0) {
        w = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        x = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    }
    if (w == MAP_FAILED || x == MAP_FAILED) {
        if (w != MAP_FAILED) {
            munmap(w, size);
        }
        close(fd);
        return false;
    }
    *m = (CodeMemory){w, x, size, fd};
    return true;
}

void platform_code_memory_done(CodeMemory *m) {
    munmap(m->write, m->size);
    munmap((void *)(uintptr_t)m->run, m->size);
    close(m->handle);
}

enum { SMALL_FILE = 16 << 10 };

bool platform_map_file(const char *path, FileMap *map, int *error) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat s;
    *map = (FileMap){0};
    if (fd < 0 || fstat(fd, &s) != 0 || (S_ISDIR(s.st_mode) && (errno = EISDIR))) {
        *error = errno;
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    bool ok = true;
    if (s.st_size > 0 && s.st_size <= SMALL_FILE) { /* cheaper than to map it */
        uint8_t *p = malloc((size_t)s.st_size);
        ssize_t n = p == NULL ? -1 : pread(fd, p, (size_t)s.st_size, 0);
        ok = n >= 0;
        *error = errno;
        if (n > 0) {
            *map = (FileMap){p, (size_t)n};
        } else {
            free(p);
        }
    } else if (s.st_size > 0) {
        void *p = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        ok = p != MAP_FAILED;
        *error = errno;
        if (ok) {
            *map = (FileMap){p, (size_t)s.st_size};
        }
    }
    close(fd);
    return ok;
}

void platform_unmap_file(FileMap *map) {
    if (map->size > SMALL_FILE) {
        munmap((void *)(uintptr_t)map->at, map->size);
    } else {
        free((void *)(uintptr_t)map->at);
    }
    *map = (FileMap){0};
}
