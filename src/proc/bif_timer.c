/* The timers of erlang:send_after and start_timer: a hash table by reference, and a list per process of those it has set for
   itself, which end with it. */
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

/* Out of the table and its process's list, and freed. */
static void drop(Scheduler *s, BifTimer *t) {
    Processes *ps = s->vm->processes;
    timer_cancel(s, &t->timer);
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
    heap_free_fragments(s->vm, t->data);
    MEM_DELETE(&s->vm->mem, MEM_PROCESS, t);
}

static void fire(Scheduler *s, Timer *timer) {
    BifTimer *t = (BifTimer *)timer;
    term to = is_atom(t->receiver) ? name_find(s->vm, t->receiver) : t->receiver;
    Heap h;
    heap_init_detached(&h, s->vm);
    heap_adopt(&h, t->data);
    t->data = NULL;
    if (is_local_pid(to)) {
        message_send_built(s, to, t->value, &h);
    } else {
        heap_free_fragments(s->vm, heap_detach(&h));
    }
    drop(s, t);
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
    if ((own && e == NULL) || !make_room(vm)) {
        return false;
    }
    BifTimer *t = MEM_NEW(&vm->mem, MEM_PROCESS, BifTimer);
    if (t == NULL) {
        return false;
    }
    if (!build(vm, t, ref, message, wrap)) {
        heap_free_fragments(vm, t->data);
        MEM_DELETE(&vm->mem, MEM_PROCESS, t);
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
    BifTimer **b = bucket(vm->processes, t->key[0], t->key[1]);
    t->chain = *b;
    *b = t;
    vm->processes->timer_count++;
    timer_set(p->scheduler, &t->timer, at_tick, fire);
    return true;
}

int64_t bif_timer_read(VM *vm, uint64_t low, uint64_t high) {
    const BifTimer *t = find(vm, low, high);
    if (t == NULL || (is_local_pid(t->receiver) && process_find(vm, t->receiver) == NULL)) {
        return -1;
    }
    int64_t left = t->timer.at * 1000000 - clock_monotonic(vm);
    return left < 0 ? 0 : left / 1000000;
}

int64_t bif_timer_cancel(Scheduler *s, uint64_t low, uint64_t high) {
    BifTimer *t = find(s->vm, low, high);
    int64_t left = bif_timer_read(s->vm, low, high);
    if (t != NULL) {
        drop(s, t);
    }
    return left;
}

void bif_timers_drop(Process *p) {
    while (p->extra != NULL && p->extra->timers != NULL) {
        drop(p->scheduler, p->extra->timers);
    }
}

void bif_timers_done(VM *vm) {
    Processes *ps = vm->processes;
    for (uint32_t i = 0; i < ps->timer_room; i++) {
        while (ps->timers[i] != NULL) {
            drop(ps->scheduler, ps->timers[i]);
        }
    }
    mem_free(&vm->mem, MEM_SYSTEM, ps->timers, ps->timer_room * sizeof *ps->timers);
    ps->timers = NULL, ps->timer_room = 0;
}
