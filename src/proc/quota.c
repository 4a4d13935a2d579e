/* What groups of processes may use: see the header. */
#include "proc/quota.h"

#include "proc/collect.h"
#include "proc/dictionary.h"
#include "proc/epoch.h"
#include "proc/schedule.h"
#include "proc/spawn.h"
#include "term/atom.h"
#include "term/bitstring.h"

static QuotaShare *share(const Process *p) {
    return p->extra->quota;
}

/* Every member gets a slice, at whose beginning it looks. */
static void tell_members(VM *vm) {
    const Processes *ps = vm->processes;
    uint32_t top = __atomic_load_n(&ps->top, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < top; i++) {
        Process *p = process_at(vm, i);
        if (p != NULL && process_state(p) & STATE_QUOTA) {
            process_set(p, STATE_SIGNALS);
            schedule(p);
        }
    }
}

const term quota_items[ACCOUNT_ITEMS] = {A_memory, A_reductions, A_messages, A_processes};

/* The account that is over its limits; its members know of it from now on. */
static Account *over_account(const Process *p) {
    Account *over = account_over(quota_account(p));
    if (over != NULL && !__atomic_exchange_n(&over->told, true, __ATOMIC_SEQ_CST)) {
        tell_members(process_vm(p));
    }
    return over;
}

bool quota_is_over(const Process *p) {
    return over_account(p) != NULL;
}

term quota_reason(Process *p, term reason) {
    const Account *over = over_account(p);
    return over == NULL ? reason : TUPLE2(&p->heap, A_quota, quota_items[__atomic_load_n(&over->over, __ATOMIC_RELAXED)]);
}

static void end_if_over(Process *p) {
    if (quota_is_over(p) && !(p->state & STATE_EXITING)) {
        process_end(p, A_killed);
    }
}

bool quota_join(Process *p, Process *parent, const uint64_t limits[ACCOUNT_ITEMS]) {
    Mem *mem = &process_vm(p)->mem;
    Account *outer = parent == NULL ? NULL : quota_account(parent);
    ProcessExtra *e = process_extra(p);
    QuotaShare *s = MEM_NEW(mem, MEM_PROCESS, QuotaShare);
    Account *account = limits == NULL ? account_keep(outer) : account_new(mem, outer, limits);
    if (e == NULL || s == NULL || account == NULL) {
        mem_free(mem, MEM_PROCESS, s, s == NULL ? 0 : sizeof *s);
        account_release(mem, account);
        return false;
    }
    s->account = account;
    e->quota = s;
    process_set(p, STATE_QUOTA);
    quota_count(p);
    if (account_add(account, ACCOUNT_PROCESSES, 1)) {
        account_judge(account, ACCOUNT_PROCESSES);
        if (parent != NULL) { /* it shall not go on to the end of its slice */
            parent->heap.reds = MIN(parent->heap.reds, 0);
        }
    }
    return true;
}

static void free_extra(VM *vm, void *extra, size_t size) {
    ProcessExtra *e = extra;
    account_release(&vm->mem, e->quota->account);
    MEM_DELETE(&vm->mem, MEM_PROCESS, e->quota);
    mem_free(&vm->mem, MEM_PROCESS, e, size);
}

void quota_leave(Process *p) {
    QuotaShare *s = share(p);
    account_add(s->account, ACCOUNT_MEMORY, (uint64_t)0 - s->bytes);
    account_add(s->account, ACCOUNT_MESSAGES, (uint64_t)0 - s->messages);
    account_add(s->account, ACCOUNT_PROCESSES, (uint64_t)0 - 1);
    if (account_here == s->account) {
        account_switch(NULL);
    }
    process_clear(p, STATE_QUOTA);
    /* Somebody may just be looking at it: quota_account_of. */
    epoch_defer(process_vm(p), free_extra, __atomic_exchange_n(&p->extra, NULL, __ATOMIC_ACQ_REL), sizeof *p->extra);
}

Account *quota_account_of(VM *vm, term pid) {
    Process *p = process_find(vm, pid);
    ProcessExtra *e = p != NULL && process_state(p) & STATE_QUOTA ? __atomic_load_n(&p->extra, __ATOMIC_ACQUIRE) : NULL;
    return e == NULL ? NULL : e->quota->account;
}

static size_t bytes_of(const Process *p) {
    const Heap *h = &p->heap;
    size_t words = (size_t)(h->end - h->start) + h->fragment_words; /* buffers weigh something there until they have been collected once */
    if (h->old != NULL) {
        words += (size_t)(h->old->limit - h->old->start);
    }
    return sizeof *p + sizeof *p->extra + sizeof *p->extra->quota + words * sizeof(term) + dictionary_bytes(p) +
           p->messages * sizeof(Signal) + share(p)->outside;
}

void quota_count(Process *p) {
    QuotaShare *s = share(p);
    size_t bytes = bytes_of(p);
    account_add(s->account, ACCOUNT_MEMORY, bytes - s->bytes);
    s->bytes = bytes;
    account_add(s->account, ACCOUNT_MESSAGES, (uint64_t)p->messages - s->messages);
    s->messages = p->messages;
}

bool quota_fits(Process *p) {
    quota_count(p);
    return !account_exceeds(share(p)->account, ACCOUNT_MEMORY);
}

void quota_memory_over(Process *p) {
    account_judge(share(p)->account, ACCOUNT_MEMORY);
}

void quota_slice_begins(Process *p) {
    account_switch(share(p)->account);
    end_if_over(p);
}

void quota_slice_ends(Process *p) {
    Account *account = share(p)->account;
    account_add(account, ACCOUNT_REDUCTIONS, (uint64_t)MAX(SLICE_REDUCTIONS - p->heap.reds, 0));
    if (!quota_fits(p) && !(p->state & STATE_EXITING) && !(p->flags & FLAG_DISABLE_GC)) { /* what is garbage does not count */
        p->flags |= FLAG_FULL_SWEEP;
        process_collect(p, 0, 0);
    }
    if (!(p->state & STATE_EXITING)) { /* what that one has will be gone */
        quota_memory_over(p);
    }
    account_judge(account, ACCOUNT_REDUCTIONS);
    account_judge(account, ACCOUNT_MESSAGES);
    end_if_over(p);
    account_switch(NULL);
}

/* A buffer that a process is the only one to hold counts as its group's, whoever has made it. */
static void take_buffers(Process *p, term off_heap) {
    for (; off_heap != NONE; off_heap = *off_heap_next(off_heap)) {
        Buffer *b = kind_of(off_heap) == KIND_BUFFER ? ((BufferRef *)boxed(off_heap))->buffer : NULL;
        if (b != NULL && b->account != share(p)->account && buffer_refs(b) == 1) {
            buffer_charge(process_vm(p), b, share(p)->account);
        }
    }
}

void quota_take_buffers(Process *p, bool all) {
    take_buffers(p, p->heap.off_heap);
    if (all && p->heap.old != NULL) {
        take_buffers(p, p->heap.old->off_heap);
    }
}

void quota_message_came(Process *p, const Signal *m) {
    share(p)->outside += fragments_bytes(m->data);
    for (const Fragment *f = m->data; f != NULL; f = f->next) {
        take_buffers(p, f->off_heap);
    }
}

void quota_message_adopted(Process *p, const Signal *m) {
    share(p)->outside -= fragments_bytes(m->data);
}

void quota_look(VM *vm, term pid) {
    Process *p = process_find(vm, pid);
    if (p != NULL && p != vm_scheduler(vm)->current) {
        process_set(p, STATE_SIGNALS);
        schedule(p);
    }
}
