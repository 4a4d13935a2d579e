/* The timers of erlang:send_after and start_timer: hash tables by reference, and a list per process of those it has set for itself,
   which end with it. A timer that fires and one that is cancelled are told apart by who takes it out of its table: he frees it.

   There are several tables, the shards, each with a lock. A thread takes its references a block at a time, and a block is in one shard,
   so that threads that set timers rarely meet. A process's list has a lock of its own, which is taken after the shard's. */
#include "base/account.h"
#include "base/lock.h"
#include "proc/names.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "proc/timer.h"
#include "term/atom.h"
#include "term/copy.h"
#include "term/ref.h"

enum { FIRST_ROOM = 16, SHARDS_PER_SCHEDULER = 8, MOST_SHARDS = 64, APART = 128 /* bytes: no two in a cache line */ };

typedef struct Shard {
    Lock lock;
    uint32_t count, room;
    BifTimer **timers;
} Shard;

typedef struct BifTimers {
    uint32_t mask; /* how many shards there are, less 1 */
    uint32_t step; /* bytes from one to the next */
    _Alignas(Shard) uint8_t shards[];
} BifTimers;

static Shard *shard_at(BifTimers *all, uint32_t i) {
    return (Shard *)(all->shards + (size_t)i * all->step);
}

static size_t bytes_of_all(const BifTimers *all) {
    return sizeof *all + (all->mask + (size_t)1) * all->step;
}

/* They are made when the first timer is. NULL: there are none. */
static BifTimers *timers_of(VM *vm) {
    return __atomic_load_n(&vm->processes->bif_timers, __ATOMIC_ACQUIRE);
}

static BifTimers *make_timers(VM *vm) {
    Processes *ps = vm->processes;
    uint32_t n = 1, wanted = ps->several ? MIN(ps->scheduler_count * SHARDS_PER_SCHEDULER, MOST_SHARDS) : 1;
    while (n < wanted) {
        n *= 2;
    }
    BifTimers shape = {n - 1, n > 1 ? APART : sizeof(Shard)}, *all = mem_zalloc(&vm->mem, MEM_SYSTEM, bytes_of_all(&shape)), *other = NULL;
    if (all == NULL) {
        return NULL;
    }
    *all = shape;
    if (__atomic_compare_exchange_n(&ps->bif_timers, &other, all, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        return all;
    }
    mem_free(&vm->mem, MEM_SYSTEM, all, bytes_of_all(all));
    return other;
}

static Shard *shard_of(BifTimers *all, uint64_t low) {
    return shard_at(all, (uint32_t)(low / REFS_AT_ONCE) & all->mask);
}

static BifTimer **bucket(const Shard *s, uint64_t low, uint64_t high) {
    uint64_t x = (low ^ high << 48) * 0x9e3779b97f4a7c15ull;
    return &s->timers[(x >> 32) & (s->room - 1)];
}

static bool make_room(VM *vm, Shard *s) {
    if (s->count < s->room) {
        return true;
    }
    uint32_t old_room = s->room, room = old_room == 0 ? FIRST_ROOM : 2 * old_room;
    BifTimer **old = s->timers, **timers = mem_zalloc(&vm->mem, MEM_SYSTEM, room * sizeof *timers);
    if (timers == NULL) {
        return old_room > 0; /* chains only get longer */
    }
    s->timers = timers, s->room = room;
    for (uint32_t i = 0; i < old_room; i++) {
        for (BifTimer *t = old[i], *next; t != NULL; t = next) {
            next = t->chain;
            BifTimer **b = bucket(s, t->key[0], t->key[1]);
            t->chain = *b;
            *b = t;
        }
    }
    mem_free(&vm->mem, MEM_SYSTEM, old, old_room * sizeof *old);
    return true;
}

static BifTimer *find(const Shard *s, uint64_t low, uint64_t high) {
    BifTimer *t = s->room == 0 ? NULL : *bucket(s, low, high);
    while (t != NULL && (t->key[0] != low || t->key[1] != high)) {
        t = t->chain;
    }
    return t;
}

static void put_in_list(VM *vm, BifTimer *t, ProcessExtra *e) {
    vm_lock(vm, &e->timer_lock);
    t->owner = e;
    t->sibling = e->timers;
    t->back = &e->timers;
    if (t->sibling != NULL) {
        t->sibling->back = &t->sibling;
    }
    e->timers = t;
    vm_unlock(vm, &e->timer_lock);
}

/* The process is still there: it has not ended before its list is empty. */
static void take_out_of_list(VM *vm, BifTimer *t) {
    ProcessExtra *e = t->owner;
    vm_lock(vm, &e->timer_lock);
    *t->back = t->sibling;
    if (t->sibling != NULL) {
        t->sibling->back = t->back;
    }
    vm_unlock(vm, &e->timer_lock);
}

/* Out of its shard, which is locked, and its process's list. */
static void take_out(VM *vm, Shard *s, BifTimer *t) {
    BifTimer **link = bucket(s, t->key[0], t->key[1]);
    while (*link != t) {
        link = &(*link)->chain;
    }
    *link = t->chain;
    s->count--;
    if (t->owner != NULL) {
        take_out_of_list(vm, t);
    }
    t->chain = t;
}

/* Counted as the memory of the group whose process has set it. */
static size_t bytes_of(const BifTimer *t) {
    return sizeof *t + fragments_bytes(t->data);
}

static void stop_counting(VM *vm, BifTimer *t) {
    if (UNLIKELY(t->account != NULL)) {
        account_add(t->account, ACCOUNT_MEMORY, (size_t)0 - bytes_of(t));
        account_release(&vm->mem, t->account);
        t->account = NULL;
    }
}

static void free_timer(VM *vm, BifTimer *t) {
    stop_counting(vm, t);
    heap_free_fragments(vm, t->data);
    MEM_DELETE(&vm->mem, MEM_PROCESS, t);
}

/* Whether it was still there; if so, it is the caller's now. */
static bool take_this(VM *vm, BifTimer *t) {
    Shard *s = shard_of(timers_of(vm), t->key[0]);
    vm_lock(vm, &s->lock);
    bool there = t->chain != t;
    if (there) {
        take_out(vm, s, t);
    }
    vm_unlock(vm, &s->lock);
    return there;
}

static void fire(Scheduler *s, Timer *timer) {
    BifTimer *t = (BifTimer *)timer;
    if (!take_this(s->vm, t)) { /* it has been cancelled */
        return;
    }
    term to = is_atom(t->receiver) ? name_find(s->vm, t->receiver) : t->receiver;
    Heap h;
    heap_init_detached(&h, s->vm);
    stop_counting(s->vm, t);
    heap_adopt(&h, t->data);
    t->data = NULL;
    if (is_local_pid(to)) {
        message_send_built(s, to, t->value, &h);
    } else {
        heap_free_fragments(s->vm, heap_detach(&h));
    }
    free_timer(s->vm, t);
}

/* The message, built when the timer is set. */
static bool build(VM *vm, BifTimer *t, term ref, term message, bool wrap) {
    Heap h;
    heap_init_detached(&h, vm);
    t->value = term_copy(&h, message);
    if (t->value != NONE && wrap) {
        term copy = ref_write(heap_alloc(&h, REF_WORDS), ref_low(ref), ref_high(ref));
        t->value = TUPLE3(&h, A_timeout, copy, t->value);
    }
    t->data = heap_detach(&h);
    return t->value != NONE && !h.doomed;
}

/* In its shard and its process's list. False: no memory. */
static bool put_in(VM *vm, BifTimer *t, ProcessExtra *own) {
    BifTimers *all = timers_of(vm);
    if (all == NULL && (all = make_timers(vm)) == NULL) {
        return false;
    }
    Shard *s = shard_of(all, t->key[0]);
    vm_lock(vm, &s->lock);
    bool ok = make_room(vm, s);
    if (ok) {
        if (own != NULL) {
            put_in_list(vm, t, own);
        }
        BifTimer **b = bucket(s, t->key[0], t->key[1]);
        t->chain = *b;
        *b = t;
        s->count++;
    }
    vm_unlock(vm, &s->lock);
    return ok;
}

bool bif_timer_start(Process *p, term ref, int64_t at_tick, term receiver, term message, bool wrap) {
    VM *vm = process_vm(p);
    bool own = receiver == p->pid;
    ProcessExtra *e = own ? process_extra(p) : NULL;
    if (own && e == NULL) {
        return false;
    }
    BifTimer *t = MEM_NEW(&vm->mem, MEM_PROCESS, BifTimer);
    if (t == NULL) {
        return false;
    }
    if (!build(vm, t, ref, message, wrap)) {
        free_timer(vm, t);
        return false;
    }
    if (UNLIKELY(account_here != NULL)) {
        t->account = account_keep(account_here);
        account_add(t->account, ACCOUNT_MEMORY, bytes_of(t));
    }
    t->key[0] = ref_low(ref), t->key[1] = ref_high(ref);
    t->receiver = receiver;
    timer_set(p->scheduler, &t->timer, at_tick, fire); /* first: who finds it may cancel it. It cannot fire before this slice ends */
    if (!put_in(vm, t, e)) {
        timer_cancel(vm, &t->timer);
        free_timer(vm, t);
        return false;
    }
    return true;
}

/* Its shard is locked. */
static int64_t left_of(VM *vm, const BifTimer *t) {
    if (t == NULL || (is_local_pid(t->receiver) && process_find(vm, t->receiver) == NULL)) {
        return -1;
    }
    return timers_left(vm, t->timer.at);
}

int64_t bif_timer_read(VM *vm, uint64_t low, uint64_t high) {
    BifTimers *all = timers_of(vm);
    if (all == NULL) {
        return -1;
    }
    Shard *s = shard_of(all, low);
    vm_lock(vm, &s->lock);
    int64_t left = left_of(vm, find(s, low, high));
    vm_unlock(vm, &s->lock);
    return left;
}

int64_t bif_timer_cancel(VM *vm, uint64_t low, uint64_t high) {
    BifTimers *all = timers_of(vm);
    if (all == NULL) {
        return -1;
    }
    Shard *s = shard_of(all, low);
    vm_lock(vm, &s->lock);
    BifTimer *t = find(s, low, high);
    int64_t left = left_of(vm, t);
    if (t != NULL) {
        take_out(vm, s, t);
    }
    vm_unlock(vm, &s->lock);
    if (t != NULL) {
        timer_cancel(vm, &t->timer);
        free_timer(vm, t);
    }
    return left;
}

/* The reference of the first in the list; it may be gone at once. */
static bool first_key(VM *vm, ProcessExtra *e, uint64_t key[2]) {
    vm_lock(vm, &e->timer_lock);
    const BifTimer *t = e->timers;
    if (t != NULL) {
        memcpy(key, t->key, sizeof t->key);
    }
    vm_unlock(vm, &e->timer_lock);
    return t != NULL;
}

void bif_timers_drop(Process *p) {
    uint64_t key[2];
    while (p->extra != NULL && first_key(process_vm(p), p->extra, key)) {
        bif_timer_cancel(process_vm(p), key[0], key[1]);
    }
}

void bif_timers_each(VM *vm, void (*see)(const BifTimer *t, void *arg), void *arg) {
    BifTimers *all = timers_of(vm);
    for (uint32_t i = 0; all != NULL && i <= all->mask; i++) {
        const Shard *s = shard_at(all, i);
        for (uint32_t k = 0; k < s->room; k++) {
            for (const BifTimer *t = s->timers[k]; t != NULL; t = t->chain) {
                see(t, arg);
            }
        }
    }
}

void bif_timers_done(VM *vm) {
    BifTimers *all = timers_of(vm);
    for (uint32_t i = 0; all != NULL && i <= all->mask; i++) {
        Shard *s = shard_at(all, i);
        for (uint32_t k = 0; k < s->room; k++) {
            for (BifTimer *t; (t = s->timers[k]) != NULL;) {
                take_out(vm, s, t);
                timer_cancel(vm, &t->timer);
                free_timer(vm, t);
            }
        }
        mem_free(&vm->mem, MEM_SYSTEM, s->timers, s->room * sizeof *s->timers);
    }
    mem_free(&vm->mem, MEM_SYSTEM, all, all == NULL ? 0 : bytes_of_all(all));
    vm->processes->bif_timers = NULL;
}
