/* Sending signals, and what happens when they arrive. */
#include "proc/signal.h"

#include "proc/mailbox.h"
#include "proc/quota.h"
#include "proc/relation.h"
#include "proc/schedule.h"
#include "proc/spawn.h"
#include "proc/watch.h"
#include "term/atom.h"
#include "term/copy.h"
#include "term/ref.h"

/* Signals and relations have a free list in common: a link or monitor that ends leaves the memory for the signal that says
   so. */
enum { SIGNAL_BYTES = MAX(sizeof(Signal), sizeof(Relation)) };
enum { SPARE_MAX = 256, WORDS_PER_REDUCTION = 16, SIGNALS_PER_REDUCTION = 8 };

void *signal_memory(Scheduler *s) {
    Signal *spare = s->spare_signals;
    if (LIKELY(spare != NULL)) {
        // cppcheck-suppress nullPointerRedundantCheck -- LIKELY hides the test from it
        s->spare_signals = spare->next;
        s->spare_count--;
        return spare;
    }
    return mem_alloc(&s->vm->mem, MEM_PROCESS, SIGNAL_BYTES);
}

void signal_memory_free(Scheduler *s, void *memory) {
    if (LIKELY(s->spare_count < SPARE_MAX)) {
        Signal *spare = memory;
        spare->next = s->spare_signals;
        s->spare_signals = spare;
        s->spare_count++;
    } else {
        mem_free(&s->vm->mem, MEM_PROCESS, memory, SIGNAL_BYTES);
    }
}

void signals_done(Scheduler *s) {
    while (s->spare_signals != NULL) {
        Signal *spare = s->spare_signals;
        s->spare_signals = spare->next;
        mem_free(&s->vm->mem, MEM_PROCESS, spare, SIGNAL_BYTES);
    }
    s->spare_count = 0;
}

Signal *signal_new(Scheduler *s, SignalKind kind) {
    Signal *signal = signal_memory(s);
    if (signal != NULL) {
        *signal = (Signal){.kind = kind, .value = NONE, .from = NONE};
    }
    return signal;
}

static void token_drop(VM *vm, Signal *m) {
    if (UNLIKELY(m->token == TOKEN_CARRIED)) {
        vm->processes->trace->token_dropped(vm, m);
    }
}

/* A token of sequential tracing goes with the exit signal of a link (not with that of exit/2). */
static void token_add(Process *from, term to, Signal *signal) {
    struct SeqToken *token = from->state & STATE_TRACED ? process_hooks(from)->sends_exit(from, to, signal->value) : NULL;
    if (token != NULL) {
        signal->token = TOKEN_CARRIED;
        signal->key[1] = (uintptr_t)token;
    }
}

void signal_free(Scheduler *s, Signal *signal) {
    token_drop(s->vm, signal);
    if (signal->data != NULL) {
        heap_free_fragments(s->vm, signal->data);
    }
    signal_memory_free(s, signal);
}

/* Sending. */

static void push(Process *p, Signal *signal) {
    signal->next = __atomic_load_n(&p->outer, __ATOMIC_RELAXED);
    bool message = signal->kind == SIGNAL_MESSAGE; /* once it is in the queue, it is the receiver's */
    while (!__atomic_compare_exchange_n(&p->outer, &signal->next, signal, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
    }
    if (message) {
        uint32_t state = p->state;
        if (UNLIKELY(state & STATE_SUSPENDED && state & STATE_QUOTA)) { /* who may not run is counted nevertheless */
            process_set(p, STATE_SIGNALS);
            schedule(p);
        } else if (state & STATE_WAITING) {
            schedule(p);
        }
    } else {
        process_set(p, STATE_SIGNALS);
        schedule(p);
    }
}

/* Ports are in a room below. */
static bool send_to_port(VM *vm, term port, const Signal *signal) {
    return vm->processes->port_signal != NULL && vm->processes->port_signal(vm, port, signal);
}

bool signal_send(Scheduler *s, term pid, Signal *signal) {
    if (UNLIKELY(is_local_port(pid))) {
        bool sent = send_to_port(s->vm, pid, signal);
        signal_free(s, signal);
        return sent;
    }
    Process *p = process_find_any(s->vm, pid);
    if (p == NULL) {
        signal_free(s, signal);
        return false;
    }
    push(p, signal);
    return true;
}

static bool no_memory_for(Process *from) {
    if (from != NULL) {
        process_set(from, STATE_KILLED);
    }
    return false;
}

/* Copies value. sender: whom the work is charged to, NULL: nobody. */
static bool send_copy(Scheduler *s, Process *sender, Process *to, Signal signal) {
    size_t words = 0;
    if (signal.value != NONE && !is_immediate(signal.value)) {
        words = term_size(s->vm, signal.value);
        if (words > 0) {
            signal.data = term_copy_sized_to_fragment(s->vm, signal.value, words, &signal.value);
            if (signal.data == NULL) {
                return no_memory_for(sender);
            }
        }
    }
    Signal *sent = signal_memory(s);
    if (sent == NULL) {
        heap_free_fragments(s->vm, signal.data);
        return no_memory_for(sender);
    }
    *sent = signal;
    push(to, sent);
    if (sender != NULL) {
        sender->heap.reds -= (intptr_t)(words / WORDS_PER_REDUCTION);
    }
    return true;
}

/* May the message be put straight into the mailbox? The process waits, nothing else has come in before, and nobody has it: it
   is entered like by process_enter, but there are no signals to be handled. */
static bool enter_waiting(Process *to) {
    uint32_t state = to->state;
    if ((state & (STATE_WAITING | STATE_RUNNING | STATE_EXITING | STATE_SUSPENDED | STATE_TRACED)) != STATE_WAITING ||
        __atomic_load_n(&to->outer, __ATOMIC_ACQUIRE) != NULL) {
        return false;
    }
    return atomic_compare_exchange_strong(&to->state, &state, state | STATE_RUNNING);
}

/* To a process that waits: built on its heap if that has room, and if there is no message in front of it that is not (see
   collect.c). */
static bool send_to_waiting(Scheduler *s, Process *sender, Process *to, term message) {
    Signal *m = signal_memory(s);
    size_t words = is_immediate(message) ? 0 : term_size(s->vm, message);
    bool ok = m != NULL;
    if (ok) {
        *m = (Signal){.kind = SIGNAL_MESSAGE, .value = message, .from = NONE, .token = sender != NULL};
        if (words > 0 && to->inner == NULL && !(to->flags & FLAG_OFF_HEAP_MESSAGES) &&
            (size_t)(to->heap.sp - to->heap.top) >= words + HEAP_RESERVE) {
            m->value = term_copy_sized(&to->heap, message, words);
            m->seen = true;
        } else if (words > 0) {
            m->data = term_copy_sized_to_fragment(s->vm, message, words, &m->value);
            ok = m->data != NULL;
        }
    }
    if (ok) {
        message_queue(to, m, false);
        if (sender != NULL) {
            sender->heap.reds -= (intptr_t)(words / WORDS_PER_REDUCTION);
        }
    } else if (m != NULL) {
        signal_memory_free(s, m);
    }
    process_leave(to);
    return ok || no_memory_for(sender);
}

bool message_send(Scheduler *s, Process *from, term pid, term message) {
    Process *to = process_find_any(s->vm, pid);
    if (to == NULL) {
        return true;
    }
    if (enter_waiting(to)) {
        return send_to_waiting(s, from, to, message);
    }
    return send_copy(s, from, to,
                     (Signal){.kind = SIGNAL_MESSAGE, .value = message, .from = from == NULL ? NONE : from->pid, .token = from != NULL});
}

bool message_send_traced(Process *from, term to, term message, bool priority, struct SeqToken *token) {
    bool alias = is_alias(to);
    Process *q = process_find_any(process_vm(from), alias ? alias_pid(to) : to);
    Signal m = {.kind = SIGNAL_MESSAGE, .value = message, .from = from->pid, .token = TOKEN_NONE, .priority = priority};
    if (alias) {
        m.kind = SIGNAL_ALIAS_MESSAGE, m.key[0] = ref_low(to), m.key[1] = ref_high(to);
    }
    if (token != NULL) {
        m.token = TOKEN_CARRIED;
        m.from = (term)token;
    }
    bool sent = q != NULL && send_copy(from->scheduler, from, q, m);
    if (!sent) {
        token_drop(process_vm(from), &m);
    }
    return q == NULL || sent;
}

bool message_send_built(Scheduler *s, term pid, term value, Heap *built) {
    Fragment *data = heap_detach(built);
    Signal *signal = signal_new(s, SIGNAL_MESSAGE);
    if (signal == NULL) {
        heap_free_fragments(s->vm, data);
        return false;
    }
    signal->value = value;
    signal->data = data;
    signal_send(s, pid, signal);
    return true;
}

bool message_send_alias(Scheduler *s, Process *from, term alias, term message, bool priority) {
    Process *to = process_find_any(s->vm, alias_pid(alias));
    // clang-format off
    Signal m = {.kind = SIGNAL_ALIAS_MESSAGE, .value = message, .from = from == NULL ? NONE : from->pid, .token = from != NULL, .priority = priority, .key = {ref_low(alias), ref_high(alias)}};
    // clang-format on
    return to == NULL || send_copy(s, from, to, m);
}

bool message_send_self(Process *p, term message, bool priority) {
    return !priority ? message_send(p->scheduler, p, p->pid, message)
                     : send_copy(p->scheduler, p, p,
                                 (Signal){.kind = SIGNAL_PRIORITY_MESSAGE, .value = message, .from = p->pid, .token = TOKEN_NONE});
}

bool exit_send(Scheduler *s, term from, term pid, term reason) {
    Process *to = process_find_any(s->vm, pid);
    return to == NULL || send_copy(s, NULL, to, (Signal){.kind = SIGNAL_EXIT, .value = reason, .from = from});
}

bool exit_send_alias(Scheduler *s, term from, term alias, term reason, bool priority) {
    Process *to = process_find_any(s->vm, alias_pid(alias));
    // clang-format off
    return to == NULL
           || send_copy(s, NULL, to, (Signal){.kind = SIGNAL_ALIAS_EXIT, .value = reason, .from = from, .priority = priority, .key = {ref_low(alias), ref_high(alias)}});
    // clang-format on
}

bool signal_send_copy(Scheduler *s, Process *to, Signal signal) {
    return send_copy(s, NULL, to, signal);
}

bool exit_send_self(Process *p, term reason) {
    return send_copy(p->scheduler, NULL, p, (Signal){.kind = SIGNAL_EXIT, .value = reason, .from = p->pid, .key = {1}});
}

void signal_send_ending(Process *from, term to, SignalKind kind, const uint64_t key[2], term reason) {
    Scheduler *s = from->scheduler;
    Signal signal = {.kind = kind, .value = reason, .from = from->pid, .key = {key[0], key[1]}};
    if (is_local_port(to)) {
        send_to_port(s->vm, to, &signal);
        return;
    }
    Process *p = process_find_any(s->vm, to);
    if (p == NULL) {
        return;
    }
    if (kind == SIGNAL_LINK_EXIT) {
        token_add(from, to, &signal);
    }
    if (!send_copy(s, from, p, signal)) {
        token_drop(s->vm, &signal);
        signal.value = A_killed;
        send_copy(s, NULL, p, signal);
    }
}

/* Receiving. */

static void tell_of_message(Process *p, Signal *message) {
    if (p->state & STATE_QUOTA) {
        quota_message_came(p, message);
    }
    if (p->state & STATE_TRACED) {
        process_hooks(p)->received(p, message);
    }
}

void message_queue(Process *p, Signal *message, bool priority) {
    if (UNLIKELY(p->state & (STATE_TRACED | STATE_QUOTA))) {
        tell_of_message(p, message);
    }
    message->kind = SIGNAL_MESSAGE;
    message->priority = priority;
    if (UNLIKELY(priority)) {
        mailbox_put_first(p, message);
        return;
    }
    message->next = NULL;
    *p->inner_last = message;
    p->inner_last = &message->next;
    p->messages++;
}

/* 'EXIT' signals: a message for those who trap them, else the end. */
static void exit_signal(Process *p, Signal *signal) {
    Scheduler *s = p->scheduler;
    bool from_link = signal->kind == SIGNAL_LINK_EXIT, kill = !from_link && signal->value == A_kill;
    if (from_link) {
        Relation *r = relation_find(p, RELATION_LINK, signal->from, 0);
        bool active = r != NULL && !(r->flags & RELATION_UNLINKING);
        signal->priority = r != NULL && r->flags & RELATION_PRIORITY;
        if (r != NULL) {
            relation_remove(p, r);
        }
        if (!active) {
            signal_free(s, signal);
            return;
        }
    }
    bool to_self = !from_link && signal->key[0] != 0;
    bool traps = p->flags & FLAG_TRAP_EXIT && !kill;
    if (from_link && (traps || signal->value == A_normal)) {
        process_event(p, A_getting_unlinked, signal->from);
    }
    if (traps) {
        Heap h;
        heap_init_detached(&h, s->vm);
        signal->value = TUPLE3(&h, A_EXIT, signal->from, signal->value);
        heap_adopt(&h, signal->data);
        signal->data = heap_detach(&h);
        p->heap.doomed |= h.doomed;
        if (UNLIKELY(signal->token == TOKEN_CARRIED)) {
            signal->from = (term)signal->key[1];
        }
        message_queue(p, signal, signal->priority);
    } else if (signal->value == A_normal && !to_self) {
        signal_free(s, signal);
    } else {
        heap_adopt(&p->heap, signal->data);
        term reason = kill ? A_killed : signal->value;
        signal->data = NULL;
        signal_free(s, signal);
        process_end(p, reason);
    }
}

/* Through an alias. */
static void alias_signal(Process *p, Signal *signal) {
    bool message = signal->kind == SIGNAL_ALIAS_MESSAGE;
    uint32_t alias = alias_take(p, signal->key[0], signal->key[1], message);
    if (alias == 0) {
        signal_free(p->scheduler, signal);
        return;
    }
    signal->priority = signal->priority && alias & RELATION_ALIAS_PRIORITY;
    if (message) {
        message_queue(p, signal, signal->priority);
    } else {
        signal->kind = SIGNAL_EXIT;
        signal->key[0] = signal->key[1] = 0;
        exit_signal(p, signal);
    }
}

static void handle(Process *p, Signal *signal) {
    switch ((SignalKind)signal->kind) {
    case SIGNAL_MESSAGE:
    case SIGNAL_PRIORITY_MESSAGE: message_queue(p, signal, signal->kind == SIGNAL_PRIORITY_MESSAGE); break;
    case SIGNAL_ALIAS_MESSAGE:
    case SIGNAL_ALIAS_EXIT: alias_signal(p, signal); break;
    case SIGNAL_EXIT:
    case SIGNAL_LINK_EXIT: exit_signal(p, signal); break;
    case SIGNAL_LINK:
    case SIGNAL_UNLINK:
    case SIGNAL_UNLINK_DONE: link_signal(p, signal); break;
    case SIGNAL_MONITOR:
    case SIGNAL_DEMONITOR:
    case SIGNAL_DOWN: monitor_signal(p, signal); break;
    case SIGNAL_SUSPEND:
    case SIGNAL_SUSPENDED:
    case SIGNAL_RESUME: suspend_signal(p, signal); break;
    case SIGNAL_ASK:
        signal->next = p->scheduler->asked;
        p->scheduler->asked = signal;
        break;
    }
}

/* Takes the outer queue, oldest first. */
static Signal *fetch(Process *p) {
    Signal *newest = __atomic_exchange_n(&p->outer, NULL, __ATOMIC_ACQUIRE), *list = NULL;
    while (newest != NULL) {
        Signal *next = newest->next;
        newest->next = list;
        list = newest;
        newest = next;
    }
    return list;
}

static void unpark(VM *vm, term pid) {
    Process *p = process_find_any(vm, pid);
    if (p != NULL) {
        process_unpark(p);
    }
}

static void refuse(Process *p, Signal *signal) {
    Scheduler *s = p->scheduler;
    switch ((SignalKind)signal->kind) {
    case SIGNAL_LINK: signal->kind = SIGNAL_LINK_EXIT; break;
    case SIGNAL_UNLINK: signal->kind = SIGNAL_UNLINK_DONE; break;
    case SIGNAL_MONITOR: signal->kind = SIGNAL_DOWN; break;
    case SIGNAL_SUSPEND: suspend_refuse(p, signal); return;
    case SIGNAL_ASK:
        unpark(s->vm, signal->from);
        signal_free(s, signal);
        return;
    default: signal_free(s, signal); return;
    }
    term back_to = signal->from;
    signal->from = p->pid;
    signal->value = A_noproc;
    signal_send(s, back_to, signal);
}

void signals_handle(Process *p) {
    assert(p->state & STATE_RUNNING && !(p->state & STATE_EXITING));
    if (__atomic_load_n(&p->outer, __ATOMIC_RELAXED) == NULL) {
        return;
    }
    process_clear(p, STATE_SIGNALS);
    Signal *list = fetch(p);
    size_t count = 0;
    while (list != NULL) {
        Signal *signal = list;
        list = list->next;
        count++;
        if (UNLIKELY(p->state & STATE_EXITING)) {
            refuse(p, signal); /* an exit signal before it has ended the process */
        } else {
            handle(p, signal);
        }
    }
    p->heap.reds -= (intptr_t)(count / SIGNALS_PER_REDUCTION);
}

void signals_ask_over(Scheduler *s) {
    for (Signal *list = s->asked, *next; list != NULL; list = next) {
        next = list->next;
        Process *p = process_find_any(s->vm, list->from);
        if (p != NULL) {
            process_unpark_next(p);
        }
        signal_free(s, list);
    }
    s->asked = NULL;
}

void signals_refuse(Process *p) {
    for (Signal *list = fetch(p), *next; list != NULL; list = next) {
        next = list->next;
        refuse(p, list);
    }
}

static void discard(Scheduler *s, Signal *list) {
    for (Signal *next; list != NULL; list = next) {
        next = list->next;
        signal_free(s, list);
    }
}

void signals_discard(Process *p) {
    discard(vm_scheduler(process_vm(p)), p->inner);
    p->inner = NULL;
    p->inner_last = p->save = &p->inner;
    p->messages = 0;
}

void signals_discard_outer(Process *p) {
    discard(vm_scheduler(process_vm(p)), fetch(p));
}
