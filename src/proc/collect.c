/* Garbage collection of a process. */
#include "proc/collect.h"

#include "platform/platform.h"
#include "proc/dictionary.h"
#include "proc/mailbox.h"
#include "proc/quota.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "proc/spawn.h"
#include "proc/watch.h"
#include "term/atom.h"
#include "term/copy.h"
#include "term/gc.h"
#include "term/literal.h"
#include "term/ref.h"

/* Values of messages that have been looked at live on the heap. They are roots; `values` has room for all that were looked at. */
static void take_value(Signal *m, void *data) {
    term **next = data;
    *(*next)++ = m->value;
}
static void give_value_back(Signal *m, void *data) {
    term **next = data;
    m->value = *(*next)++;
}

static bool die(Process *p) {
    process_set(p, STATE_KILLED);
    return false;
}

/* Messages that are to stay outside the heap stay there while receive looks at them. If one is being looked at, registers may lead into
   it: then that one's data become part of the heap, and the mailbox gets a copy. False: no memory. */
static bool keep_outside(Process *p) {
    Signal *m = *p->save;
    if (LIKELY(!(p->flags & FLAG_OFF_HEAP_MESSAGES)) || m == NULL || m->data == NULL) {
        return true;
    }
    term value;
    Fragment *copy = term_copy_to_fragment(process_vm(p), m->value, &value);
    if (value == NONE) {
        return false;
    }
    heap_adopt(&p->heap, m->data);
    m->value = value;
    m->data = copy;
    return true;
}

/* Messages count as part of the heap, unless they are to stay outside it. */
static size_t message_words(const Process *p) {
    return p->flags & FLAG_OFF_HEAP_MESSAGES ? 0 : mailbox_words(p);
}

#define REPORT                                                                                                         \
    "~n     Context:            maximum heap size reached~n     Max Heap Size:      ~p~n     Total Heap Size:    ~p~n" \
    "     Kill:               ~p~n     Error Logger:       ~p~n     Message Queue Len:  ~p~n     GC Info:            ~p~n"

static void report_too_large(Process *p, const HeapSettings *e) {
    Heap h;
    heap_init_detached(&h, process_vm(p));
    HeapSizes sizes = gc_sizes(&p->heap);
    sizes.fragments += message_words(p);
    size_t total = sizes.heap_block + sizes.old_block + sizes.fragments;
    const struct {
        term name;
        size_t value;
        // clang-format off
    } info[] = {
        {A_old_heap_block_size, sizes.old_block}, {A_heap_block_size, sizes.heap_block}, {A_mbuf_size, sizes.fragments},
        {A_recent_size, 0}, {A_stack_size, sizes.stack}, {A_old_heap_size, sizes.old_used}, {A_heap_size, sizes.heap_used},
        {A_bin_vheap_size, sizes.buffer_bytes / sizeof(term)}, {A_bin_vheap_block_size, MIN_BINARY_WORDS},
        {A_bin_old_vheap_size, 0}, {A_bin_old_vheap_block_size, MIN_BINARY_WORDS},
    };
    // clang-format on
    term list = NIL;
    for (size_t i = ARRAY_LEN(info); i-- > 0;) {
        list = heap_cons(&h, TUPLE2(&h, info[i].name, SMALL(info[i].value)), list);
    }
    term node = node_name(process_vm(p));
    bool alive = node != A_nonode_at_nohost;
    term args[] = {p->pid, node, SMALL(e->max_words), SMALL(total), e->max_kill ? A_true : A_false, A_true, SMALL(p->messages), list};
    if (!alive) {
        memmove(&args[1], &args[2], sizeof args - 2 * sizeof args[0]);
    }
    log_send(process_vm(p), A_error, alive ? "     Process:            ~p on node ~p" REPORT : "     Process:            ~p " REPORT,
             heap_list(&h, args, ARRAY_LEN(args) - !alive, NIL), p->group_leader, p->pid);
    heap_free_fragments(process_vm(p), heap_detach(&h));
}

/* Words of its heap, messages and all binaries that it refers to. */
static size_t with_binaries(const Process *p) {
    HeapSizes sizes = gc_sizes(&p->heap);
    return sizes.heap_block + sizes.old_block + sizes.fragments + message_words(p) + sizes.buffer_bytes / sizeof(term);
}

static bool collect(Process *p, GcRequest *request, size_t live) {
    VM *vm = process_vm(p);
    const HeapSettings *settings = process_heap_settings(p);
    size_t max = settings->max_words;
    request->max_words = max == 0 ? 0 : max - MIN(message_words(p), max - 1);
    request->full |= p->flags & FLAG_FULL_SWEEP || p->minors >= settings->full_sweep_after;

    if (!keep_outside(p)) {
        return die(p);
    }
    size_t dictionary_words, messages = mailbox_seen(p, NULL, NULL);
    term *dictionary = dictionary_roots(p, &dictionary_words), *values = NULL;
    if (messages > 0) {
        values = mem_alloc(&vm->mem, MEM_TEMPORARY, messages * sizeof *values);
        if (values == NULL) {
            return die(p);
        }
        term *next = values;
        mailbox_seen(p, take_value, &next);
    }
    const Roots roots[] = {
        {p->scheduler->x, live},
        {dictionary, dictionary_words},
        {values, messages},
        {&p->group_leader, 1},
    };
    bool traced = p->state & STATE_TRACED;
    int64_t began = UNLIKELY(watched(p->scheduler) & WATCH_COLLECTIONS) ? clock_platform(process_vm(p)) : 0;
    if (UNLIKELY(traced)) {
        process_hooks(p)->collects(p, request->full ? A_gc_major_start : A_gc_minor_start, request->need);
    }
    uint32_t was = p->state & STATE_COLLECTING;
    process_set(p, STATE_COLLECTING);
    size_t before = (size_t)(p->heap.top - p->heap.start) + p->heap.fragment_words;
    Account *was_here = account_switch(quota_account(p)); /* somebody else may have asked for it */
    GcResult result = gc_collect(&p->heap, request, roots, ARRAY_LEN(roots));
    account_switch(was_here);
    if (!was) {
        process_clear(p, STATE_COLLECTING);
    }
    if (messages > 0) {
        term *next = values;
        mailbox_seen(p, give_value_back, &next);
        mem_free(&vm->mem, MEM_TEMPORARY, values, messages * sizeof *values);
    }
    if (result == GC_NO_MEMORY) {
        return die(p);
    }
    p->flags &= (uint16_t) ~(FLAG_GC_WANTED | FLAG_FULL_SWEEP);
    p->minors = request->full ? 0 : (uint16_t)MIN(p->minors + 1, UINT16_MAX);
    size_t after = (size_t)(p->heap.top - p->heap.start);
    figure_add(&p->scheduler->collections, 1);
    figure_add(&p->scheduler->words_reclaimed, before > after ? before - after : 0);
    if (UNLIKELY(p->state & STATE_QUOTA)) {
        quota_take_buffers(p, request->full);
    }
    if (UNLIKELY(traced)) {
        process_hooks(p)->collects(p, request->full ? A_gc_major_end : A_gc_minor_end, before > after ? before - after : 0);
    }
    if (UNLIKELY(began != 0)) {
        process_hooks(p)->collected(p, clock_platform(process_vm(p)) - began);
    }
    if (UNLIKELY(settings->max_binaries) && max != 0 && result == GC_OK && with_binaries(p) > max) {
        result = GC_TOO_LARGE;
    }
    if (result == GC_TOO_LARGE) {
        if (settings->max_log) {
            report_too_large(p, settings);
        }
        if (UNLIKELY(traced)) {
            process_hooks(p)->collects(p, A_gc_max_heap_size, 0);
        }
        if (settings->max_kill) {
            return die(p);
        }
    }
    return true;
}

/* Of a process whose group's memory is limited: garbage does not count against it. */
static bool fits_quota(Process *p, GcRequest *request, size_t live) {
    if (quota_fits(p)) {
        return true;
    }
    if (!request->full) {
        request->full = true;
        if (!collect(p, request, live)) {
            return false;
        }
        if (quota_fits(p)) {
            return true;
        }
    }
    quota_memory_over(p);
    return die(p);
}

bool process_collect(Process *p, size_t need, size_t live) {
    GcRequest request = {
        .need = need,
        .min_words = process_heap_settings(p)->min_words,
    };
    return collect(p, &request, live) && (LIKELY(!(p->state & STATE_QUOTA)) || fits_quota(p, &request, live));
}

typedef struct {
    const LiteralBlock *block;
    bool *found;
} BlockSearch;
static void find_in_block(Signal *m, void *data) {
    const BlockSearch *s = data;
    *s->found |= literal_holds(s->block, m->value);
}

bool process_leave_literals(Process *p, const LiteralBlock *block) {
    if (p->flags & FLAG_DISABLE_GC) {
        return false;
    }
    size_t words;
    term *dictionary = dictionary_roots(p, &words);
    const Roots roots[] = {{dictionary, words}};
    bool mentions = gc_mentions(&p->heap, roots, 1, block);
    mailbox_seen(p, find_in_block, &(BlockSearch){block, &mentions});
    if (!mentions) {
        return true;
    }
    GcRequest request = {.full = true, .leaving = block, .need = 0, .min_words = process_heap_settings(p)->min_words};
    return collect(p, &request, 0);
}

bool process_collect_hibernate(Process *p, size_t live) {
    /* The registers are saved in what is kept free anyway. */
    GcRequest request = {.full = true, .shrink = true, .need = live > HEAP_RESERVE ? live - HEAP_RESERVE : 0};
    return collect(p, &request, live);
}

size_t process_memory(const Process *p) {
    HeapSizes sizes = gc_sizes(&p->heap);
    size_t bytes = sizeof *p + (sizes.heap_block + sizes.old_block + sizes.fragments) * sizeof(term) + dictionary_bytes(p);
    if (p->extra != NULL) {
        bytes += sizeof *p->extra;
    }
    for (const Signal *m = p->inner; m != NULL; m = m->next) {
        bytes += sizeof *m + fragments_bytes(m->data);
    }
    return bytes;
}
