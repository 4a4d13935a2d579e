/* Sequential tracing: a token that goes from process to process with the messages, and counts them. */
#include "trace/trace.h"

#include "proc/schedule.h"
#include "term/atom.h"
#include "term/compare.h"
#include "term/copy.h"

static SeqToken *token_of(const Process *p) {
    return trace_if(p) == NULL ? NULL : trace_if(p)->token;
}

SeqToken *seq_keep(SeqToken *t) {
    __atomic_add_fetch(&t->refs, 1, __ATOMIC_RELAXED);
    return t;
}

void seq_release(VM *vm, SeqToken *t) {
    if (t != NULL && __atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        heap_free_fragments(vm, t->data);
        MEM_DELETE(&vm->mem, MEM_PROCESS, t);
    }
}

/* A token of the process's own, that nothing on its way shares: the old one's copy, if there is one. NULL: no memory. */
static SeqToken *own_token(Process *p) {
    VM *vm = process_vm(p);
    ProcessTrace *t = trace_of(p);
    SeqToken *old = t == NULL ? NULL : t->token;
    if (t == NULL || (old != NULL && __atomic_load_n(&old->refs, __ATOMIC_ACQUIRE) == 1)) {
        return old;
    }
    SeqToken *n = MEM_NEW(&vm->mem, MEM_PROCESS, SeqToken);
    if (n == NULL) {
        return NULL;
    }
    *n = (SeqToken){.refs = 1, .from = p->pid, .last_count = t->last_count, .label = SMALL(0)};
    if (old != NULL) {
        *n = *old;
        n->refs = 1;
        n->data = term_copy_to_fragment(vm, old->label, &n->label);
        if (n->data == NULL && n->label == NONE) {
            MEM_DELETE(&vm->mem, MEM_PROCESS, n);
            return NULL;
        }
        seq_release(vm, old);
    }
    t->token = n;
    trace_process_state(p);
    return n;
}

void seq_clear(Process *p) {
    ProcessTrace *t = trace_if(p);
    if (t != NULL) {
        seq_release(process_vm(p), t->token);
        t->token = NULL;
        trace_process_state(p);
    }
}

static uint32_t seq_flag(term what) {
    switch (what) {
    case A_send: return SEQ_SEND;
    case A_receive: return SEQ_RECEIVE;
    case A_print: return SEQ_PRINT;
    case A_timestamp: return TRACE_TIMESTAMP << SEQ_TIMES;
    case A_strict_monotonic_timestamp: return TRACE_STRICT_MONOTONIC << SEQ_TIMES;
    case A_monotonic_timestamp: return TRACE_MONOTONIC << SEQ_TIMES;
    default: return 0;
    }
}

static term counts(Heap *h, const SeqToken *t) {
    return TUPLE2(h, SMALL(t->last_count), SMALL(t->serial));
}

term seq_token_term(Process *p) {
    const SeqToken *t = token_of(p);
    Heap *h = &p->heap;
    return t == NULL ? NIL : heap_tuple(h, 5, SMALL(t->flags), term_copy(h, t->label), SMALL(t->serial), t->from, SMALL(t->last_count));
}

static term set_label(Process *p, term value) {
    VM *vm = process_vm(p);
    SeqToken *t = own_token(p);
    term label;
    Fragment *data = term_copy_to_fragment(vm, value, &label);
    if (t == NULL || (data == NULL && label == NONE)) {
        heap_free_fragments(vm, data);
        return NONE;
    }
    term old = term_copy(&p->heap, t->label);
    heap_free_fragments(vm, t->data);
    t->label = label, t->data = data;
    return old;
}

term seq_set(Process *p, term what, term value) {
    Heap *h = &p->heap;
    uint32_t flag = seq_flag(what);
    if (flag != 0 && (value == A_true || value == A_false)) {
        SeqToken *t = own_token(p);
        if (t == NULL) {
            return NONE;
        }
        bool old = t->flags & flag;
        t->flags = value == A_true ? t->flags | flag : t->flags & ~flag;
        return old ? A_true : A_false;
    }
    if (what == A_label) {
        return set_label(p, value);
    }
    if (what == A_serial && is_tuple_of(value, 2) && is_small(element(value, 1)) && is_small(element(value, 2))) {
        SeqToken *t = own_token(p);
        if (t == NULL) {
            return NONE;
        }
        term old = counts(h, t);
        t->last_count = trace_if(p)->last_count = (uint32_t)small_value(element(value, 1));
        t->serial = trace_if(p)->clock = (uint32_t)small_value(element(value, 2));
        return old;
    }
    if (what == A_sequential_trace_token && value == NIL) {
        term old = seq_token_term(p);
        seq_clear(p);
        return old;
    }
    return NONE;
}

term seq_get(Process *p, term what) {
    Heap *h = &p->heap;
    const SeqToken *t = token_of(p);
    uint32_t flag = seq_flag(what);
    if (flag != 0 || (what == A_spawn && t == NULL)) {
        return TUPLE2(h, what, t != NULL && t->flags & flag ? A_true : A_false);
    }
    if (what != A_label && what != A_serial) {
        return NONE;
    }
    return t == NULL ? NIL : TUPLE2(h, what, what == A_label ? term_copy(h, t->label) : counts(h, t));
}

bool seq_update(Process *p) {
    VM *vm = process_vm(p);
    const Tracer *tracer = seq_tracer(vm);
    if (token_of(p) == NULL || (tracer != NULL && tracer_enabled(vm, tracer, A_seq_trace, p->pid) != A_trace)) {
        return false;
    }
    SeqToken *t = own_token(p);
    if (t == NULL) {
        return false;
    }
    t->from = p->pid;
    t->serial = ++trace_if(p)->clock;
    t->last_count = trace_if(p)->last_count;
    return true;
}

/* {seq_trace, Label, {What, {LastCount, Serial}, From, To, Message} [, Time]} */
void seq_output(Process *p, uint32_t what, term to, term message) {
    VM *vm = process_vm(p);
    const Tracer *tracer = seq_tracer(vm);
    const SeqToken *t = token_of(p);
    if (t == NULL || p->state & STATE_SENSITIVE || tracer == NULL || !(t->flags & what) ||
        tracer_enabled(vm, tracer, A_seq_trace, p->pid) != A_trace) {
        return;
    }
    const term count[] = {HEADER(2, KIND_TUPLE), SMALL(t->last_count), SMALL(t->serial)};
    term name = what == SEQ_SEND ? A_send : what == SEQ_RECEIVE ? A_receive : A_print;
    const term tuple[] = {HEADER(5, KIND_TUPLE), name, make_boxed(count), t->from, to, message};
    trace_report(vm, tracer, t->flags >> SEQ_TIMES & TRACE_TIMES, t->label, A_seq_trace, make_boxed(tuple), NONE, A_true);
}

const Tracer *seq_tracer(VM *vm) {
    Trace *t = vm->trace;
    if (t->seq_tracer != NULL && tracer_enabled(vm, t->seq_tracer, A_trace_status, A_undefined) == A_remove) {
        if (!world_is_still(vm_scheduler(vm))) { /* others may have it in hand */
            return NULL;
        }
        tracer_release(vm, t->seq_tracer);
        t->seq_tracer = NULL;
    }
    return t->seq_tracer;
}

term seq_set_tracer(Process *p, term tracer) {
    VM *vm = process_vm(p);
    Tracer *new = NULL;
    const term pair[] = {HEADER(2, KIND_TUPLE), A_tracer, tracer};
    if (tracer != A_false && (!trace_parse_tracer(vm, A_tracer, make_boxed(pair), &new) || new == NULL)) {
        return NONE;
    }
    term old = tracer_term(&p->heap, seq_tracer(vm));
    tracer_release(vm, vm->trace->seq_tracer);
    vm->trace->seq_tracer = new;
    return old;
}

static void forget_token(VM *vm, Signal *m) {
    if (m->token == TOKEN_CARRIED) {
        vm->processes->trace->token_dropped(vm, m);
    }
}

void seq_reset(VM *vm) {
    for (uint32_t i = 0; i < vm->processes->size; i++) {
        Process *p = process_at(vm, i);
        if (p == NULL) {
            continue;
        }
        seq_clear(p);
        if (trace_if(p) != NULL) {
            trace_if(p)->clock = trace_if(p)->last_count = 0;
        }
        for (Signal *m = p->inner; m != NULL; m = m->next) {
            forget_token(vm, m);
        }
    }
}
