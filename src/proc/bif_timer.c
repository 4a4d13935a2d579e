/* The timers of erlang:send_after and start_timer: a hash table by reference, and a list per process of those it has set for
   itself, which end with it. Both under one lock. A timer that fires and one that is cancelled are told apart by who takes it out of
   the table: he frees it. */
#include "base/account.h"
#include "base/lock.h"
#include "proc/names.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "proc/timer.h"
#include "term/atom.h"
#include "term/copy.h"
#include "term/ref.h"

enum { FIRST_ROOM = 16 };

static BifTimer **bucket(const Processes *ps, uint64_t low, uint64_t high) {
    uint64_t x = (low ^ high << 48) * 0x9e3779b97f4a7c15ull;
    return &ps->timers[(x >> 32) & (ps->timer_room - 1)];
}

static bool make_room(VM *vm) {
    Processes *ps = vm->processes;
    if (ps->timer_count < ps->timer_room) {
        return true;
    }
    uint32_t old_room = ps->timer_room, room = old_room == 0 ? FIRST_ROOM : 2 * old_room;
    BifTimer **old = ps->timers, **timers = mem_zalloc(&vm->mem, MEM_SYSTEM, room * sizeof *timers);
    if (timers == NULL) {
        return old_room > 0; /* chains only get longer */
    }
    ps->timers = timers, ps->timer_room = room;
    for (uint32_t i = 0; i < old_room; i++) {
        for (BifTimer *t = old[i], *next; t != NULL; t = next) {
            next = t->chain;
            BifTimer **b = bucket(ps, t->key[0], t->key[1]);
            t->chain = *b;
            *b = t;
        }
    }
    mem_free(&vm->mem, MEM_SYSTEM, old, old_room * sizeof *old);
    return true;
}

static BifTimer *find(VM *vm, uint64_t low, uint64_t high) {
    const Processes *ps = vm->processes;
    BifTimer *t = ps->timer_room == 0 ? NULL : *bucket(ps, low, high);
    while (t != NULL && (t->key[0] != low || t->key[1] != high)) {
        t = t->chain;
    }
    return t;
}

/* Out of the table and its process's list. Under the lock. */
static void take_out(Processes *ps, BifTimer *t) {
    BifTimer **link = bucket(ps, t->key[0], t->key[1]);
    while (*link != t) {
        link = &(*link)->chain;
    }
    *link = t->chain;
    ps->timer_count--;
    if (t->back != NULL) {
        *t->back = t->sibling;
        if (t->sibling != NULL) {
            t->sibling->back = t->back;
        }
    }
    t->over = true;
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

static void fire(Scheduler *s, Timer *timer) {
    BifTimer *t = (BifTimer *)timer;
    Processes *ps = s->vm->processes;
    lock_take(&ps->timer_lock);
    bool cancelled = t->over;
    if (!cancelled) {
        take_out(ps, t);
    }
    lock_give(&ps->timer_lock);
    if (cancelled) {
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
    Processes *ps = vm->processes;
    lock_take(&ps->timer_lock);
    if (!make_room(vm)) {
        lock_give(&ps->timer_lock);
        free_timer(vm, t);
        return false;
    }
    t->key[0] = ref_low(ref), t->key[1] = ref_high(ref);
    t->receiver = receiver;
    if (own) {
        t->sibling = e->timers;
        t->back = &e->timers;
        if (t->sibling != NULL) {
            t->sibling->back = &t->sibling;
        }
        e->timers = t;
    }
    BifTimer **b = bucket(ps, t->key[0], t->key[1]);
    t->chain = *b;
    *b = t;
    ps->timer_count++;
    t->timer.at = at_tick;
    lock_give(&ps->timer_lock);
    timer_set(p->scheduler, &t->timer, at_tick, fire);
    return true;
}

/* Under the lock. */
static int64_t left_of(VM *vm, const BifTimer *t) {
    if (t == NULL || (is_local_pid(t->receiver) && process_find(vm, t->receiver) == NULL)) {
        return -1;
    }
    return timers_left(vm, t->timer.at);
}

int64_t bif_timer_read(VM *vm, uint64_t low, uint64_t high) {
    Processes *ps = vm->processes;
    lock_take(&ps->timer_lock);
    int64_t left = left_of(vm, find(vm, low, high));
    lock_give(&ps->timer_lock);
    return left;
}

int64_t bif_timer_cancel(VM *vm, uint64_t low, uint64_t high) {
    Processes *ps = vm->processes;
    lock_take(&ps->timer_lock);
    BifTimer *t = find(vm, low, high);
    int64_t left = left_of(vm, t);
    if (t != NULL) {
        take_out(ps, t);
    }
    lock_give(&ps->timer_lock);
    if (t != NULL) {
        timer_cancel(vm, &t->timer);
        free_timer(vm, t);
    }
    return left;
}

void bif_timers_drop(Process *p) {
    VM *vm = process_vm(p);
    Processes *ps = vm->processes;
    while (p->extra != NULL) {
        lock_take(&ps->timer_lock);
        BifTimer *t = p->extra->timers;
        if (t != NULL) {
            take_out(ps, t);
        }
        lock_give(&ps->timer_lock);
        if (t == NULL) {
            return;
        }
        timer_cancel(vm, &t->timer);
        free_timer(vm, t);
    }
}

void bif_timers_done(VM *vm) {
    Processes *ps = vm->processes;
    for (uint32_t i = 0; i < ps->timer_room; i++) {
        for (BifTimer *t; (t = ps->timers[i]) != NULL;) {
            take_out(ps, t);
            timer_cancel(vm, &t->timer);
            free_timer(vm, t);
        }
    }
    mem_free(&vm->mem, MEM_SYSTEM, ps->timers, ps->timer_room * sizeof *ps->timers);
    ps->timers = NULL, ps->timer_room = 0;
}
