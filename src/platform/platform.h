/* What differs between machines. One folder each implements this header; a missing feature is a stub there, never an
   #ifdef elsewhere. Times are in nanoseconds. */
#ifndef MOTE_PLATFORM_PLATFORM_H
#define MOTE_PLATFORM_PLATFORM_H

#include "base/base.h"

/* Tells the C library that so much memory will be wanted soon: pages that come one by one, as they are first written, are slow. */
void platform_prepare_heap(size_t size);
/* How many heaps the threads share; else each gets one, with 64 MB of addresses to itself. Before the first thread is started. */
void platform_limit_heaps(unsigned count);
/* Addresses that nobody uses, a part of what there may be; of *size bytes if that is not 0, else of a size that is told. NULL: none are
   to be had, or they are not limited. */
void *platform_ballast(size_t *size);
void platform_drop_ballast(void *at, size_t size);
int64_t platform_monotonic(void);   /* never goes back; origin undefined */
int64_t platform_system_time(void); /* since 1970-01-01 UTC; may jump */
int64_t platform_cpu_time(void);    /* of this process */
void platform_sleep(int64_t nanoseconds);
bool platform_entropy(void *to, size_t size);
bool platform_utf8(void); /* does the user's locale say that text is UTF-8 */

/* The console: standard input, output and error. Reads return the bytes read, 0 at the end, < 0 on an error. */
ptrdiff_t platform_read(int fd, void *to, size_t size);
bool platform_write(int fd, const void *from, size_t size); /* all of it, or false */
bool platform_is_terminal(int fd);
/* Standard input, output or errors that are closed become empty, so that no other file takes their place. Before anything is opened. */
void platform_standard_files(void);
/* As much as goes without waiting (of a descriptor that is ready, or does not block). 0: nothing can be had, or taken, now. < 0: the
   end of the input, or *error says what is wrong. */
ptrdiff_t platform_read_some(int fd, void *to, size_t size, int *error);
ptrdiff_t platform_write_some(int fd, const void *from, size_t size, int *error);
bool platform_wait_writable(int fd, int64_t nanoseconds);
bool platform_hung_up(int fd);                                       /* is the other side gone? */
bool platform_set_blocking(int fd, bool blocking);                   /* what it was before */
int platform_open_stream(const char *name, bool reads, bool writes); /* a file, pipe or device, not blocking; < 0: cannot be */
void platform_close(int fd);
void platform_ignore_broken_pipes(void);                    /* writing to a pipe that nobody reads is an error, not the end of the VM */
bool platform_window_size(int fd, int *columns, int *rows); /* false: not a terminal */
/* Waits until fd can be read or the time is up; fd < 0: only waits. Returns whether fd can be read. */
bool platform_wait_readable(int fd, int64_t nanoseconds);

/* A range of addresses, backed by memory only where it is used. NULL: not to be had. */
void *platform_reserve(size_t size);
void platform_release(void *at, size_t size);
void platform_forget(void *at, size_t size);      /* the contents may go; the range stays */
void platform_large_pages(void *at, size_t size); /* a hint: this much will be used, and soon */

/* Memory for machine code. Written through `write`, run through `run`: two mappings of the same pages, or one. */
typedef struct {
    uint8_t *write;
    const uint8_t *run;
    size_t size;
    int handle;
} CodeMemory;
bool platform_code_memory(CodeMemory *m, size_t size);
void platform_code_memory_done(CodeMemory *m);

/* A file in memory, read-only. False: errno-like number in *error. */
typedef struct {
    const uint8_t *at;
    size_t size;
} FileMap;
bool platform_map_file(const char *path, FileMap *map, int *error);
void platform_unmap_file(FileMap *map);

#endif
