/* How processes begin. */
#include "proc/spawn.h"

#include "proc/quota.h"
#include "proc/relation.h"
#include "proc/schedule.h"
#include "proc/watch.h"
#include "term/atom.h"
#include "term/copy.h"
#include "term/gc.h"
#include "term/ref.h"

enum { NUMBER_BITS = 28, ARGUMENTS_MAX = 255, WORDS_PER_REDUCTION = 16 };

void spawn_options_init(VM *vm, SpawnOptions *o) {
    const Processes *ps = vm->processes;
    *o = (SpawnOptions){
        .monitor_tag = NONE,
        .reply_tag = A_spawn_reply,
        .reference = NONE,
        .priority = PRIORITY_NORMAL,
        .heap = ps->heap,
        .off_heap_messages = ps->off_heap_messages,
    };
}

/* Numbers rise from one process to the next; those whose slot is in use are left out. */
static bool take_number(Processes *ps, Process *p) {
    if (__atomic_fetch_add(&ps->count, 1, __ATOMIC_RELAXED) >= ps->limit) {
        __atomic_fetch_sub(&ps->count, 1, __ATOMIC_RELAXED);
        return false;
    }
    for (;;) { /* there is a free slot for everybody who has been counted */
        uint32_t n = __atomic_fetch_add(&ps->next_number, 1, __ATOMIC_RELAXED) & ((1u << NUMBER_BITS) - 1), i = n & (ps->size - 1);
        Process *nobody = NULL;
        p->pid = make_pid(n);
        if (__atomic_load_n(&ps->table[i], __ATOMIC_RELAXED) == NULL &&
            __atomic_compare_exchange_n(&ps->table[i], &nobody, p, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
            for (uint32_t top = __atomic_load_n(&ps->top, __ATOMIC_RELAXED); top <= i;) {
                if (__atomic_compare_exchange_n(&ps->top, &top, i + 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
                    break;
                }
            }
            return true;
        }
    }
}

static bool same_settings(const HeapSettings *a, const HeapSettings *b) {
    return a->max_words == b->max_words && a->min_words == b->min_words && a->min_binary_words == b->min_binary_words &&
           a->full_sweep_after == b->full_sweep_after && a->max_kill == b->max_kill && a->max_log == b->max_log &&
           a->max_binaries == b->max_binaries;
}

static bool set_options(Process *p, const SpawnOptions *o) {
    const Processes *ps = process_vm(p)->processes;
    p->priority = o->priority;
    p->flags = (uint16_t)((o->off_heap_messages ? FLAG_OFF_HEAP_MESSAGES : 0) | (o->async_dist ? FLAG_ASYNC_DIST : 0));
    if (LIKELY(same_settings(&o->heap, &ps->first_heap)) && LIKELY(o->scheduler == 0)) {
        return true;
    }
    ProcessExtra *e = process_extra(p);
    if (e == NULL) {
        return false;
    }
    e->heap = o->heap;
    process_bind(p, o->scheduler);
    return true;
}

/* The arguments go to registers, on the stack; module and function behind them: see ip in process.h. */
static bool set_call(Process *p, term module, term function, term args, size_t arity) {
    p->initial_module = atom_index(module);
    p->initial_function = atom_index(function);
    p->initial_arity = (uint8_t)MIN(arity, ARGUMENTS_MAX);
    Heap *h = &p->heap;
    if (arity > ARGUMENTS_MAX) { /* apply/3 fails as it must */
        h->sp -= 5;
        h->sp[0] = module, h->sp[1] = function, h->sp[2] = term_copy(h, args), h->sp[3] = A_erlang, h->sp[4] = A_apply;
        p->live = 5;
        return h->sp[2] != NONE;
    }
    h->sp -= arity + 2;
    for (size_t i = 0; i < arity; i++, args = tail(args)) {
        h->sp[i] = term_copy(h, head(args));
        if (h->sp[i] == NONE) {
            return false;
        }
    }
    h->sp[arity] = module, h->sp[arity + 1] = function;
    p->live = (uint32_t)(arity + 2);
    return true;
}

/* The first block holds the arguments, and the few words that a process which only waits needs. */
static size_t first_words(VM *vm, term args, size_t *arity, const SpawnOptions *o) {
    size_t words = 0, n = 0;
    for (term l = args; is_cons(l); l = tail(l), n++) {
        words += term_size(vm, head(l));
    }
    *arity = n;
    words += n > ARGUMENTS_MAX ? 2 * n + 5 : n + 2;
    words = MAX(words + HEAP_RESERVE, FIRST_HEAP_WORDS);
    return o->heap.min_words > vm->processes->first_heap.min_words ? MAX(words, o->heap.min_words) : words;
}

static bool relate(Process *parent, Process *p, const SpawnOptions *o) {
    bool made;
    if (o->link) {
        Relation *here = relation_add(parent, RELATION_LINK, p->pid, 0, &made);
        Relation *there = relation_add(p, RELATION_LINK, parent->pid, 0, &made);
        if (here == NULL || there == NULL) {
            return false;
        }
        here->other = p->pid;
        here->flags = o->link_flags;
        there->other = parent->pid;
    }
    if (o->monitor) {
        uint64_t low = ref_low(o->reference), high = ref_high(o->reference);
        Relation *there = relation_add(p, RELATION_MONITORED, low, high, &made);
        if (there == NULL || !monitor_adopt(parent, o->reference, p->pid, o->monitor_flags, o->monitor_tag)) {
            return false;
        }
        there->other = parent->pid;
    }
    return true;
}

static void unrelate(Process *parent, Process *p, const SpawnOptions *o) {
    Relation *r = o->link ? relation_find(parent, RELATION_LINK, p->pid, 0) : NULL;
    if (r != NULL) {
        relation_remove(parent, r);
    }
    r = o->monitor ? relation_find(parent, RELATION_REFERENCE, ref_low(o->reference), ref_high(o->reference)) : NULL;
    if (r != NULL) {
        relation_remove(parent, r);
    }
}

term process_spawn(VM *vm, Process *parent, term module, term function, term args, const SpawnOptions *o, term *reason) {
    Processes *ps = vm->processes;
    *reason = A_system_limit;
    Process *p = MEM_NEW(&vm->mem, MEM_PROCESS, Process);
    if (p == NULL) {
        return NONE;
    }
    size_t arity;
    if (!heap_init(&p->heap, vm, first_words(vm, args, &arity, o))) {
        MEM_DELETE(&vm->mem, MEM_PROCESS, p);
        return NONE;
    }
    p->scheduler = parent != NULL ? parent->scheduler : vm_scheduler(vm);
    atomic_init(&p->state, STATE_RUNNING | (o->system ? STATE_SYSTEM : 0)); /* nobody enters it before it is whole */
    p->inner_last = p->save = &p->inner;
    p->parent = parent == NULL ? NO_PARENT : (uint32_t)pid_data(parent->pid);
    if (!take_number(ps, p)) {
        log_send(vm, A_error, "~s~n", heap_cons(&p->heap, heap_latin1_list(&p->heap, "Too many processes\n", 19), NIL),
                 parent == NULL ? NONE : parent->group_leader, parent == NULL ? NONE : parent->pid);
        p->pid = NONE;
        process_discard(p);
        return NONE;
    }
    p->group_leader = parent == NULL ? p->pid : term_copy(&p->heap, parent->group_leader);
    bool counted = o->quota != NULL || (parent != NULL && UNLIKELY(parent->state & STATE_QUOTA));
    if (!set_options(p, o) || (UNLIKELY(counted) && !quota_join(p, parent, o->quota)) || !set_call(p, module, function, args, arity) ||
        (parent != NULL && !relate(parent, p, o))) {
        if (parent != NULL) {
            unrelate(parent, p, o);
        }
        process_discard(p);
        return NONE;
    }
    if (parent != NULL) { /* who spawns pays for the copy */
        parent->heap.reds -= (p->heap.top - p->heap.start) / WORDS_PER_REDUCTION;
    }
    term pid = p->pid;
    figure_add(&p->scheduler->spawned, 1);
    if (UNLIKELY(watched(p->scheduler) & WATCH_SPAWNS || (parent != NULL && parent->state & STATE_TRACED))) {
        const term call[] = {HEADER(3, KIND_TUPLE), module, function, args};
        if (!process_hooks(p)->spawned(parent, p, make_boxed(call), o)) {
            if (parent != NULL) {
                unrelate(parent, p, o);
            }
            process_discard(p);
            return NONE;
        }
    }
    if (!o->held) {
        schedule_new(p);
    }
    return pid;
}
