/* Waiting for file descriptors: which can be read or written, and being woken by another thread meanwhile. One watcher per
   descriptor and direction; what cannot be waited for (regular files) counts as always ready. */
#ifndef MOTE_PLATFORM_POLL_H
#define MOTE_PLATFORM_POLL_H

#include "base/mem.h"

typedef struct Poll Poll;
enum { POLL_READ = 1, POLL_WRITE = 2 };

Poll *poll_new(Mem *mem); /* NULL: no memory */
void poll_free(Poll *p);

/* Watches fd in these directions (`what` are those of this watcher; others' stay), until told otherwise. 0: no more. False: no
   memory, no such descriptor, or none left. A descriptor must be unwatched before it is closed. */
bool poll_watch(Poll *p, int fd, unsigned what, void *watcher);
size_t poll_watched(const Poll *p); /* descriptors that somebody watches */

size_t poll_memory(const Poll *p); /* bytes */

/* Waits up to so many nanoseconds; < 0: for ever. Then poll_next tells what is ready, one descriptor and direction at a time; what
   has been unwatched meanwhile is left out. NULL: no more. */
void poll_wait(Poll *p, int64_t nanoseconds);
/* Only waits until poll_wait would find something, while other threads may call the rest. False: it would not. */
bool poll_sleep(Poll *p, int64_t nanoseconds);
void *poll_next(Poll *p, int *fd, unsigned *what);

void poll_wake(Poll *p); /* from any thread or signal handler: a poll_wait that goes on, or the next one, returns at once */

#endif
