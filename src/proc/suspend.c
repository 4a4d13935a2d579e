/* Suspension. Both ends keep count, of what is in effect: who suspends in a RELATION_SUSPENDED, who is suspended in a RELATION_SUSPENDER. What was
   asked for asynchronously is outstanding (Relation.flags of the first) until that one has said that it stands. */
#include "proc/relation.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "term/atom.h"

bool process_suspend(Process *q, term by) {
    bool made;
    ProcessExtra *e = process_extra(q);
    Relation *r = e == NULL ? NULL : relation_add(q, RELATION_SUSPENDER, by, 0, &made);
    if (r == NULL) {
        return false;
    }
    r->other = by;
    r->count++;
    e->suspended++;
    process_set(q, STATE_SUSPENDED);
    return true;
}

bool suspend_ask(Process *p, Process *q, term tag) {
    bool made;
    Relation *mine = relation_add(p, RELATION_SUSPENDED, q->pid, 0, &made);
    if (mine == NULL) {
        return false;
    }
    Signal signal = {.kind = SIGNAL_SUSPEND, .value = tag == NONE ? NIL : tag, .from = p->pid, .key = {0, tag != NONE}};
    if (!signal_send_copy(p->scheduler, q, signal)) {
        if (made) {
            relation_remove(p, mine);
        }
        return false;
    }
    mine->other = q->pid;
    mine->flags++;
    return true;
}

/* {Tag, What} for who asked, if he wants to know; the signal becomes the message. */
static void answer(Process *q, Signal *signal, term what) {
    Scheduler *s = q->scheduler;
    if (signal->key[1] == 0) {
        signal_free(s, signal);
        return;
    }
    Heap h;
    heap_init_detached(&h, s->vm);
    term to = signal->from;
    *signal = (Signal){.kind = SIGNAL_MESSAGE, .value = TUPLE2(&h, signal->value, what), .data = signal->data, .from = NONE};
    heap_adopt(&h, signal->data);
    signal->data = heap_detach(&h);
    if (h.doomed) { /* no memory: nobody is told */
        signal_free(s, signal);
        return;
    }
    signal_send(s, to, signal);
}

void suspend_refuse(Process *q, Signal *signal) {
    answer(q, signal, A_exited);
}

static void in_effect(Process *q, Signal *signal) {
    Signal *done = signal_new(q->scheduler, SIGNAL_SUSPENDED);
    if (done == NULL || !process_suspend(q, signal->from)) {
        if (done != NULL) {
            signal_free(q->scheduler, done);
        }
        signal_free(q->scheduler, signal);
        process_set(q, STATE_KILLED);
        return;
    }
    q->heap.reds = 0; /* its slice ends with its next call */
    done->from = q->pid;
    signal_send(q->scheduler, signal->from, done);
    answer(q, signal, A_suspended);
}

void suspend_signal(Process *p, Signal *signal) {
    Relation *r;
    switch ((SignalKind)signal->kind) {
    case SIGNAL_SUSPEND: in_effect(p, signal); return;
    case SIGNAL_SUSPENDED:
        r = relation_find(p, RELATION_SUSPENDED, signal->from, 0);
        if (r != NULL) {
            r->flags--;
            r->count++;
        }
        break;
    default: /* who had suspended it has ended */
        r = relation_find(p, RELATION_SUSPENDER, signal->from, 0);
        if (r != NULL) {
            process_resume(p, r->count);
            relation_remove(p, r);
        }
    }
    signal_free(p->scheduler, signal);
}
