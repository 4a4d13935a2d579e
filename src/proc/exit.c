/* How processes end. Everything it owned is gone before anybody is told: timers, tables, name, its place in the table; then
   links and monitors; then its memory. Each step can be taken in slices; `minors` counts them, as there are no collections any
   more, and the reason waits in place of the group leader. */
#include "proc/spawn.h"

#include "proc/dictionary.h"
#include "proc/epoch.h"
#include "proc/mailbox.h"
#include "proc/names.h"
#include "proc/quota.h"
#include "proc/relation.h"
#include "proc/schedule.h"
#include "proc/shortage.h"
#include "proc/signal.h"
#include "proc/timer.h"
#include "proc/watch.h"
#include "term/atom.h"
#include "term/gc.h"
#include "term/print.h"
#include "term/ref.h"

enum { END_TIMERS, END_OWNED, END_NAME = END_OWNED + MAX_END_HOOKS, END_RELATIONS, END_DONE };
enum { RELATION_COST = 20 };
enum { MUCH = 64 << 10 }; /* bytes that are worth being freed before anybody is told */

/* Without a process of the system the VM cannot go on. */
static void system_process_ended(Process *p, term reason) {
    VM *vm = process_vm(p);
    Processes *ps = vm->processes;
    Text text;
    text_init(&text, &vm->mem);
    text_string(&text, "System process ");
    term_print(&text, vm, p->pid, NULL);
    text_string(&text, " terminated: ");
    term_print(&text, vm, reason, &(PrintOptions){.strings = true});
    size_t n = MIN(text.size, sizeof ps->halt_text - 1);
    memcpy(ps->halt_text, text.at, n);
    ps->halt_text[n] = '\0';
    ps->halt_slogan = true;
    text_done(&text);
    schedule_halt(vm, 1);
}

void process_end(Process *p, term reason) {
    assert(!(p->state & STATE_EXITING) && reason != NONE);
    if (p->state & STATE_SYSTEM && !process_vm(p)->processes->halting) {
        system_process_ended(p, reason);
    }
    if (UNLIKELY(p->state & STATE_QUOTA)) {
        reason = quota_reason(p, reason);
    }
    process_clear(p, STATE_WAITING | STATE_SUSPENDED | STATE_PARKED | STATE_HELD_UP | STATE_KILLED);
    process_set(p, STATE_EXITING);
    p->exit_reason = reason;
    if (UNLIKELY(p->state & STATE_TRACED)) {
        process_hooks(p)->exits(p, reason);
    }
    p->minors = END_TIMERS;
    schedule(p);
}

void process_end_logged(Process *p, term reason) {
    VM *vm = process_vm(p);
    Heap *h = &p->heap;
    if (quota_is_over(p)) {
        process_end(p, reason);
        return;
    }
    term node = node_name(vm), args = heap_cons(h, reason, NIL);
    bool alive = node != A_nonode_at_nohost;
    if (alive) {
        args = heap_cons(h, node, args);
    }
    args = heap_cons(h, p->pid, args);
    log_send(vm, A_error, alive ? "Error in process ~p on node ~p with exit value:~n~p~n" : "Error in process ~p with exit value:~n~p~n",
             args, p->group_leader, p->pid);
    process_end(p, reason);
}

static void leave_table(Process *p) {
    Processes *ps = process_vm(p)->processes;
    process_set(p, STATE_FREE);
    __atomic_store_n(&ps->table[pid_data(p->pid) & (ps->size - 1)], NULL, __ATOMIC_SEQ_CST);
    __atomic_fetch_sub(&ps->count, 1, __ATOMIC_RELAXED);
}

void process_free(Process *p) {
    VM *vm = process_vm(p);
    signals_discard(p);
    dictionary_clear(p);
    mailbox_drop_markers(p);
    if (p->extra != NULL && p->extra->trace != NULL) {
        process_hooks(p)->freed(p);
    }
    if (UNLIKELY(p->state & STATE_QUOTA)) {
        quota_leave(p);
    } else if (p->extra != NULL) {
        MEM_DELETE(&vm->mem, MEM_PROCESS, p->extra);
        p->extra = NULL;
    }
    heap_done(&p->heap);
    shortage_ended(vm);
    epoch_process_free(p);
}

void process_free_rest(Process *p) {
    VM *vm = process_vm(p);
    signals_refuse(p);
    if (UNLIKELY(vm->processes->outsiders)) { /* who has found it has let go of it when the lock can be had */
        lock_take(&vm->processes->outside_lock);
        lock_give(&vm->processes->outside_lock);
    }
    MEM_DELETE(&vm->mem, MEM_PROCESS, p);
}

/* Who is told that it has ended may ask for as much memory as it had. What is left of it is the reason. */
static void free_heap(Process *p) {
    signals_discard(p);
    mailbox_drop_markers(p);
    dictionary_clear(p);
    p->heap.sp = p->heap.end;
    p->live = 0;
    HeapSizes sizes = gc_sizes(&p->heap);
    if ((sizes.heap_block + sizes.old_block + sizes.fragments) * sizeof(term) + sizes.buffer_bytes >= MUCH) {
        Account *was_here = account_switch(quota_account(p));
        gc_collect(&p->heap, &(GcRequest){.full = true, .shrink = true}, &(Roots){&p->exit_reason, 1}, 1); /* no memory: later, then */
        account_switch(was_here);
    }
}

bool process_end_continue(Process *p) {
    VM *vm = process_vm(p);
    Processes *ps = vm->processes;
    assert(p->state & STATE_EXITING);
    if (p->minors == END_TIMERS) {
        mailbox_drop_timer(p);
        bif_timers_drop(p);
        p->minors = END_OWNED;
    }
    for (; p->minors < END_NAME; p->minors++) {
        size_t hook = p->minors - END_OWNED;
        if (hook < ps->ended_count && !ps->ended[hook](p)) {
            return false;
        }
    }
    if (p->minors == END_NAME) {
        if (p->state & STATE_NAMED) {
            term name = name_of(vm, p->pid);
            name_give_up(vm, p->pid);
            process_event(p, A_unregister, name);
        }
        leave_table(p);
        free_heap(p);
        p->minors = END_RELATIONS;
    }
    if (p->minors == END_DONE) {
        return true;
    }
    for (Relation *r; (r = relation_first(p)) != NULL;) {
        relation_end(p, r, p->exit_reason);
        p->heap.reds -= RELATION_COST;
        if (p->heap.reds <= 0 && relation_first(p) != NULL) {
            return false;
        }
    }
    signals_refuse(p);
    p->minors = END_DONE;
    return true;
}

void process_discard(Process *p) {
    mailbox_drop_timer(p);
    bif_timers_drop(p);
    for (Relation *r; (r = relation_first(p)) != NULL;) {
        relation_remove(p, r);
    }
    if (p->pid != NONE && !(p->state & STATE_FREE)) {
        leave_table(p);
    }
    signals_discard_outer(p);
    process_free(p);
}
