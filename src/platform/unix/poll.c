/* Polling by epoll, whose descriptors are opened when there is first something to wait for: many programs never do. */
#include "platform/poll.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/lock.h"

enum { BATCH = 64, BLIND_WAIT = 10000000 };

/* What is known of a descriptor, by its number. */
typedef struct {
    void *reader, *writer; /* NULL: nobody */
    bool added;            /* known to epoll */
    bool always;           /* epoll will not have it: a regular file */
} Slot;

struct Poll {
    Mem *mem;
    Lock opening;
    int epoll, wake; /* -1: not opened yet. wake is stored last (atomic) */
    bool woken;      /* before they were (atomic) */
    Slot *slots;
    size_t room; /* slots; those beyond have never been used */
    size_t watched, always;
    struct epoll_event ready[BATCH];
    int count, next;
    size_t next_always; /* slot; room: done */
    int at;             /* what poll_next tells of, and in which directions still */
    unsigned left;
};

Poll *poll_new(Mem *mem) {
    Poll *p = MEM_NEW(mem, MEM_SYSTEM, Poll);
    if (p == NULL) {
        return NULL;
    }
    p->mem = mem;
    p->epoll = p->wake = -1;
    return p;
}

void poll_free(Poll *p) {
    if (p == NULL) {
        return;
    }
    if (p->epoll >= 0) {
        close(p->epoll);
    }
    if (p->wake >= 0) {
        close(p->wake);
    }
    mem_free(p->mem, MEM_SYSTEM, p->slots, p->room * sizeof *p->slots);
    MEM_DELETE(p->mem, MEM_SYSTEM, p);
}

static bool open_both(Poll *p) {
    int epoll = epoll_create1(EPOLL_CLOEXEC), wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = wake};
    if (epoll < 0 || wake < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, wake, &e) < 0) {
        close(epoll);
        close(wake);
        return false;
    }
    p->epoll = epoll;
    __atomic_store_n(&p->wake, wake, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&p->woken, __ATOMIC_SEQ_CST)) {
        poll_wake(p);
    }
    return true;
}

static bool is_open(const Poll *p) {
    return __atomic_load_n(&p->wake, __ATOMIC_SEQ_CST) >= 0;
}

/* False: no descriptors left. */
static bool opened(Poll *p) {
    if (is_open(p)) {
        return true;
    }
    lock_take(&p->opening);
    bool ok = is_open(p) || open_both(p);
    lock_give(&p->opening);
    return ok;
}

static bool make_room(Poll *p, size_t n) {
    size_t room = MAX(p->room, 16);
    while (room < n) {
        room *= 2;
    }
    if (room == p->room) {
        return true;
    }
    Slot *slots = mem_resize(p->mem, MEM_SYSTEM, p->slots, p->room * sizeof *slots, room * sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    memset(slots + p->room, 0, (room - p->room) * sizeof *slots);
    p->slots = slots;
    p->room = p->next_always = room;
    return true;
}

static bool tell_epoll(Poll *p, int fd, Slot *s) {
    struct epoll_event e = {.data.fd = fd};
    e.events = (s->reader != NULL ? EPOLLIN : 0u) | (s->writer != NULL ? EPOLLOUT : 0u);
    if (e.events == 0) {
        if (s->added) {
            epoll_ctl(p->epoll, EPOLL_CTL_DEL, fd, &e);
            s->added = false;
        }
        return true;
    }
    if (epoll_ctl(p->epoll, s->added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e) == 0) {
        s->added = true;
        return true;
    }
    if (errno != EPERM) {
        return false;
    }
    s->always = true;
    return true;
}

bool poll_watch(Poll *p, int fd, unsigned what, void *watcher) {
    if (fd < 0 || !opened(p) || !make_room(p, (size_t)fd + 1)) {
        return false;
    }
    Slot *s = &p->slots[fd];
    Slot old = *s;
    bool was = s->reader != NULL || s->writer != NULL;
    size_t always = p->always - s->always;
    s->always = false;
    s->reader = what & POLL_READ ? watcher : s->reader == watcher ? NULL : s->reader;
    s->writer = what & POLL_WRITE ? watcher : s->writer == watcher ? NULL : s->writer;
    bool ok = (s->reader == old.reader && s->writer == old.writer && !old.always) || tell_epoll(p, fd, s);
    if (!ok) {
        *s = old;
    }
    __atomic_store_n(&p->always, always + s->always, __ATOMIC_RELAXED);
    __atomic_store_n(&p->watched, p->watched + (s->reader != NULL || s->writer != NULL) - (size_t)was, __ATOMIC_RELAXED);
    return ok;
}

size_t poll_watched(const Poll *p) {
    return __atomic_load_n(&p->watched, __ATOMIC_RELAXED);
}

/* False: nothing within that time. Without descriptors it looks again every now and then. */
static bool sleep_on(Poll *p, int64_t nanoseconds) {
    bool ok = opened(p);
    if (!ok && (nanoseconds < 0 || nanoseconds > BLIND_WAIT)) {
        nanoseconds = BLIND_WAIT;
    }
    struct pollfd f = {p->epoll, POLLIN, 0};
    struct timespec t = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    return ppoll(&f, ok, nanoseconds < 0 ? NULL : &t, NULL) > 0;
}

bool poll_sleep(Poll *p, int64_t nanoseconds) {
    return __atomic_load_n(&p->always, __ATOMIC_RELAXED) > 0 || sleep_on(p, nanoseconds);
}

void poll_wait(Poll *p, int64_t nanoseconds) {
    if (p->always > 0) {
        nanoseconds = 0;
    }
    p->count = p->next = 0;
    p->left = 0;
    p->next_always = p->always > 0 ? 0 : p->room;
    if (nanoseconds != 0) { /* epoll_wait counts in milliseconds */
        if (!sleep_on(p, nanoseconds)) {
            return;
        }
    }
    if (is_open(p)) {
        p->count = epoll_wait(p->epoll, p->ready, BATCH, 0);
    } else {
        __atomic_store_n(&p->woken, false, __ATOMIC_SEQ_CST);
    }
}

void *poll_next(Poll *p, int *fd, unsigned *what) {
    for (;;) {
        while (p->left == 0 && p->next < p->count) {
            uint32_t events = p->ready[p->next].events;
            p->at = p->ready[p->next++].data.fd;
            if (p->at == p->wake) {
                uint64_t count;
                ssize_t n = read(p->wake, &count, sizeof count);
                (void)n;
            } else {
                bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
                p->left = (events & EPOLLIN || broken ? POLL_READ : 0u) | (events & EPOLLOUT || broken ? POLL_WRITE : 0u);
            }
        }
        while (p->left == 0 && p->next_always < p->room) {
            p->at = (int)p->next_always++;
            p->left = p->slots[p->at].always ? POLL_READ | POLL_WRITE : 0u;
        }
        if (p->left == 0) {
            return NULL;
        }
        *what = p->left & POLL_READ ? POLL_READ : POLL_WRITE;
        p->left &= ~*what;
        *fd = p->at;
        const Slot *s = &p->slots[p->at];
        void *watcher = *what == POLL_READ ? s->reader : s->writer;
        if (watcher != NULL) {
            return watcher;
        }
    }
}

void poll_wake(Poll *p) {
    if (!is_open(p)) {
        __atomic_store_n(&p->woken, true, __ATOMIC_SEQ_CST); /* whoever opens it sees that, or it is open by now */
        if (!is_open(p)) {
            return;
        }
    }
    int saved = errno;
    uint64_t one = 1;
    ssize_t n = write(p->wake, &one, sizeof one);
    (void)n;
    errno = saved;
}

size_t poll_memory(const Poll *p) {
    return sizeof *p + p->room * sizeof *p->slots;
}
