/* Monitors and aliases. The one who monitors has an entry under the reference, the one who is monitored has another. */
#include "proc/relation.h"
#include "proc/schedule.h"
#include "term/atom.h"
#include "term/copy.h"
#include "term/ref.h"

static bool set_extra(Process *p, Relation *r, term name, term tag) {
    if (name == NONE && tag == NONE) {
        return true;
    }
    MonitorExtra *e = MEM_NEW(&process_vm(p)->mem, MEM_PROCESS, MonitorExtra);
    if (e == NULL) {
        return false;
    }
    e->name = name;
    e->tag = tag;
    if (tag != NONE && !is_immediate(tag)) {
        e->data = term_copy_to_fragment(process_vm(p), tag, &e->tag);
    }
    r->extra = e;
    return tag == NONE || e->tag != NONE;
}

static Relation *add_origin(Process *p, term ref, term other, term name, uint32_t flags, term tag) {
    bool made;
    Relation *r = relation_add(p, RELATION_REFERENCE, ref_low(ref), ref_high(ref), &made);
    if (r == NULL) {
        return NULL;
    }
    assert(made);
    r->flags = RELATION_MONITOR | flags;
    r->other = other;
    if (!set_extra(p, r, name, tag)) {
        relation_remove(p, r);
        return NULL;
    }
    return r;
}

bool monitor_adopt(Process *p, term ref, term other, uint32_t flags, term tag) {
    return add_origin(p, ref, other, NONE, flags, tag) != NULL;
}

bool monitor_make(Process *p, term ref, term other, term name, uint32_t flags, term tag) {
    Relation *r = add_origin(p, ref, other, name, flags, tag);
    if (r == NULL || flags & RELATION_TIME_OFFSET) { /* the offset never changes here: nobody needs to know */
        return r != NULL;
    }
    Signal *s = signal_new(p->scheduler, SIGNAL_MONITOR);
    if (s == NULL) {
        relation_remove(p, r);
        return false;
    }
    s->key[0] = r->key[0], s->key[1] = r->key[1];
    if (target_alive(process_vm(p), other)) {
        s->from = p->pid;
        s->value = name;
        if (signal_send(p->scheduler, other, s)) {
            return true;
        }
        s = signal_new(p->scheduler, SIGNAL_DOWN); /* it has ended just now; its memory has become free again */
        if (s == NULL) {
            relation_remove(p, r);
            return false;
        }
        s->key[0] = r->key[0], s->key[1] = r->key[1];
    }
    s->kind = SIGNAL_DOWN;
    s->from = other;
    s->value = A_noproc;
    signal_send(p->scheduler, p->pid, s);
    return true;
}

/* The monitor part of r is over; an alias that outlives it stays. */
static void monitor_over(Process *p, Relation *r) {
    if (r->flags & RELATION_ALIAS_UNALIAS) {
        r->flags &= ~(uint32_t)(RELATION_MONITOR | RELATION_PRIORITY);
    } else {
        relation_remove(p, r);
    }
}

static void tell_other_end(Process *p, const Relation *r) {
    if (!is_local_pid(r->other) && !is_local_port(r->other)) {
        return;
    }
    Signal *s = signal_new(p->scheduler, SIGNAL_DEMONITOR);
    if (s == NULL) {
        process_set(p, STATE_KILLED);
        return;
    }
    s->from = p->pid;
    s->key[0] = r->key[0], s->key[1] = r->key[1];
    signal_send(p->scheduler, r->other, s);
}

bool monitor_break(Process *p, term ref) {
    Relation *r = relation_find(p, RELATION_REFERENCE, ref_low(ref), ref_high(ref));
    if (r == NULL || !(r->flags & RELATION_MONITOR)) {
        return false;
    }
    tell_other_end(p, r);
    monitor_over(p, r);
    return true;
}

bool alias_make(Process *p, term ref, uint32_t flags) {
    bool made;
    Relation *r = relation_add(p, RELATION_REFERENCE, ref_low(ref), ref_high(ref), &made);
    if (r == NULL) {
        return false;
    }
    r->flags = flags;
    return true;
}

bool alias_break(Process *p, term ref) {
    Relation *r = relation_find(p, RELATION_REFERENCE, ref_low(ref), ref_high(ref));
    if (r == NULL || !(r->flags & RELATION_ALIAS)) {
        return false;
    }
    if (r->flags & RELATION_MONITOR) {
        r->flags &= ~(uint32_t)RELATION_ALIAS;
    } else {
        relation_remove(p, r);
    }
    return true;
}

uint32_t alias_take(Process *p, uint64_t low, uint64_t high, bool message) {
    Relation *r = relation_find(p, RELATION_REFERENCE, low, high);
    uint32_t flags = r == NULL ? 0 : r->flags;
    if (!(flags & RELATION_ALIAS)) {
        return 0;
    }
    if (message && flags & RELATION_ALIAS_REPLY) {
        if (r->flags & RELATION_MONITOR) {
            tell_other_end(p, r);
        }
        relation_remove(p, r);
    }
    return flags;
}

/* The reference as a term, in the shape it had. */
static term reference(Process *p, Heap *h, const Relation *r) {
    bool alias = (r->flags & RELATION_ALIAS) != 0;
    term *at = heap_alloc(h, alias ? ALIAS_WORDS : REF_WORDS);
    term ref = ref_write(at, r->key[0], r->key[1]);
    if (alias) {
        at[0] = HEADER(ALIAS_WORDS - 1, KIND_REF);
        at[REF_WORDS] = p->pid;
    }
    return ref;
}

/* Turns a DOWN signal into the message. */
static void down(Process *p, Signal *s, Relation *r) {
    Heap h;
    heap_init_detached(&h, process_vm(p));
    const MonitorExtra *e = r->extra;
    term tag = e == NULL || e->tag == NONE ? A_DOWN : e->tag;
    term object = e == NULL || e->name == NONE ? r->other : TUPLE2(&h, e->name, node_name(process_vm(p)));
    term kind = r->flags & RELATION_PORT ? A_port : A_process;
    if (tag != A_DOWN && !is_immediate(tag)) { /* the message takes over the tag */
        heap_adopt(&h, e->data);
        r->extra->data = NULL;
    }
    s->value = heap_tuple(&h, 5, tag, reference(p, &h, r), kind, object, s->value);
    heap_adopt(&h, s->data);
    s->data = heap_detach(&h);
    p->heap.doomed |= h.doomed;
    bool priority = r->flags & RELATION_PRIORITY;
    monitor_over(p, r);
    message_queue(p, s, priority);
}

void monitor_signal(Process *p, Signal *s) {
    uint64_t low = s->key[0], high = s->key[1];
    if (s->kind == SIGNAL_MONITOR) {
        term from = s->from, name = s->value;
        signal_free(p->scheduler, s);
        bool made;
        Relation *r = relation_add(p, RELATION_MONITORED, low, high, &made); /* in the signal's memory */
        r->other = from;
        r->name = name;
    } else if (s->kind == SIGNAL_DEMONITOR) {
        Relation *r = relation_find(p, RELATION_MONITORED, low, high);
        if (r != NULL) {
            relation_remove(p, r);
        }
        signal_free(p->scheduler, s);
    } else {
        assert(s->kind == SIGNAL_DOWN);
        Relation *r = relation_find(p, RELATION_REFERENCE, low, high);
        if (r != NULL && r->flags & RELATION_MONITOR) {
            down(p, s, r);
        } else {
            signal_free(p->scheduler, s);
        }
    }
}
