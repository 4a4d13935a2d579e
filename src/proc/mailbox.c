/* Messages from the receiver's side. */
#include "proc/mailbox.h"

#include "data/integer.h"
#include "proc/clock.h"
#include "proc/quota.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "proc/timer.h"
#include "proc/watch.h"
#include "term/atom.h"
#include "term/compare.h"
#include "term/ref.h"

/* Receive markers: links of the inner queue by which a search may begin. */
enum { MARKERS = 8 };
typedef struct {
    enum { MARKER_FREE, MARKER_RESERVED, MARKER_BOUND } use;
    uint32_t generation; /* tells a slot's present use from those before */
    uint64_t key[2];     /* the reference; of an immediate: itself, ~0 */
    uint64_t order;      /* markers are made in the order of their places */
    Signal **at;         /* the first message not before it */
} Marker;
typedef struct Markers {
    uint32_t next; /* the slot to be taken when all are in use */
    uint64_t made;
    Marker slot[MARKERS];
    /* Where searches have begun that left messages behind that receive has looked at, in the order of the queue. The search of
       the present receive is among them. */
    uint32_t runs;
    bool more_runs; /* there were more than fit: from the first one on, such messages may be anywhere */
    struct {
        uint64_t order;
        Signal **at;
    } run[MARKERS];
} Markers;

/* The timer of a receive. It stays with the process for the next one. */
typedef struct {
    Timer timer;
    Process *process;
    bool set; /* and not stopped: it runs or has fired */
} ReceiveTimer;

static Markers *markers_of(const Process *p) {
    return p->extra == NULL ? NULL : p->extra->markers;
}

static void adopt(Process *p, Signal *m) {
    if (UNLIKELY(p->state & STATE_QUOTA)) {
        quota_message_adopted(p, m);
    }
    heap_adopt(&p->heap, m->data);
    m->data = NULL;
}

term mailbox_peek(Process *p) {
    Signal *m = *p->save;
    if (m == NULL) {
        signals_handle(p);
        m = *p->save;
        if (m == NULL || p->state & STATE_EXITING) {
            return NONE;
        }
    }
    if (m->data != NULL) {
        if (UNLIKELY(p->flags & FLAG_OFF_HEAP_MESSAGES)) {
            return m->value; /* it stays outside until it is taken: see mailbox_remove, and collect.c */
        }
        adopt(p, m);
    }
    m->seen = true;
    return m->value;
}

/* It is adopted at once: messages that receive has looked at come first, see mailbox_seen. Markers are forgotten: a receive may
   want it that would begin behind it. */
void mailbox_put_first(Process *p, Signal *m) {
    Signal **link = &p->inner;
    bool passed = false; /* the message that receive looks at next */
    while (*link != NULL && (*link)->priority) {
        passed |= p->save == link;
        link = &(*link)->next;
    }
    if (m->data != NULL) {
        adopt(p, m);
    }
    m->seen = true;
    m->next = *link;
    *link = m;
    if (p->inner_last == link) {
        p->inner_last = &m->next;
    }
    if (!passed) {
        p->save = link;
    }
    Markers *markers = markers_of(p);
    for (int i = 0; markers != NULL && i < MARKERS; i++) {
        markers->slot[i].use = MARKER_FREE;
    }
    p->messages++;
}

static void stop_timer(Process *p) {
    ReceiveTimer *t = (ReceiveTimer *)p->timer;
    p->flags &= (uint16_t)~FLAG_WAITS_FOREVER;
    if (t == NULL || !t->set) {
        return;
    }
    t->set = false;
    timer_cancel(process_vm(p), &t->timer);
    if (process_state(p) & STATE_TIMEOUT) {
        process_clear(p, STATE_TIMEOUT);
    }
}

/* Takes the message at link out of the mailbox; it must have nothing in data any more. */
static void take_out(Process *p, Signal **link) {
    Signal *m = *link;
    *link = m->next;
    if (p->inner_last == &m->next) {
        p->inner_last = link;
    }
    if (p->save == &m->next) {
        p->save = link;
    }
    Markers *markers = markers_of(p);
    if (UNLIKELY(markers != NULL)) {
        for (int i = 0; i < MARKERS; i++) {
            if (markers->slot[i].at == &m->next) {
                markers->slot[i].at = link;
            }
        }
        for (uint32_t i = 0; i < markers->runs; i++) {
            if (markers->run[i].at == &m->next) {
                markers->run[i].at = link;
            }
        }
    }
    p->messages--;
    if (UNLIKELY(m->token == TOKEN_CARRIED)) {
        process_hooks(p)->token_dropped(process_vm(p), m);
    }
    signal_memory_free(p->scheduler, m);
}

void mailbox_remove(Process *p) {
    Signal *m = *p->save;
    assert(m != NULL);
    if (UNLIKELY(m->data != NULL)) {
        adopt(p, m);
    }
    if (UNLIKELY(p->state & STATE_TRACED || m->token == TOKEN_CARRIED)) {
        process_hooks(p)->taken(p, m);
    }
    take_out(p, p->save);
    p->save = &p->inner;
    stop_timer(p);
}

bool mailbox_flush_down(Process *p, term ref) {
    for (Signal **link = &p->inner; *link != NULL; link = &(*link)->next) {
        Signal *m = *link;
        p->heap.reds -= 1;
        if (is_tuple_of(m->value, 5) && term_same(process_vm(p), element(m->value, 2), ref)) {
            adopt(p, m);
            take_out(p, link);
            return true;
        }
    }
    return false;
}

static void receive_timeout(Scheduler *s, Timer *t) {
    Process *p = ((ReceiveTimer *)t)->process;
    process_set(p, STATE_TIMEOUT);
    schedule(p);
}

MailboxWait mailbox_wait(Process *p, term timeout) {
    if (process_state(p) & STATE_TIMEOUT) {
        return MAILBOX_TIMED_OUT;
    }
    if (p->flags & FLAG_WAITS_FOREVER || (p->timer != NULL && ((ReceiveTimer *)p->timer)->set)) {
        return MAILBOX_WAIT;
    }
    if (timeout == A_infinity) {
        p->flags |= FLAG_WAITS_FOREVER;
        return MAILBOX_WAIT;
    }
    uint64_t ms;
    if (!is_integer(timeout) || !integer_to_uint64(timeout, &ms) || ms > UINT32_MAX) {
        p->save = &p->inner;
        return MAILBOX_BAD_TIME;
    }
    if (ms == 0) {
        return MAILBOX_TIMED_OUT;
    }
    VM *vm = process_vm(p);
    if (p->timer == NULL) {
        ReceiveTimer *t = MEM_NEW(&vm->mem, MEM_PROCESS, ReceiveTimer);
        if (t == NULL) {
            process_set(p, STATE_KILLED);
            return MAILBOX_WAIT;
        }
        t->process = p;
        p->timer = &t->timer;
    }
    ((ReceiveTimer *)p->timer)->set = true;
    timer_set(p->scheduler, p->timer, timers_after(vm, (int64_t)ms), receive_timeout);
    return MAILBOX_WAIT;
}

void mailbox_timed_out(Process *p) {
    if (UNLIKELY(p->state & STATE_TRACED)) {
        process_hooks(p)->timed_out(p);
    }
    stop_timer(p);
    p->save = &p->inner;
}

void mailbox_drop_timer(Process *p) {
    if (p->timer != NULL) {
        stop_timer(p);
        mem_free(&process_vm(p)->mem, MEM_PROCESS, p->timer, sizeof(ReceiveTimer));
        p->timer = NULL;
    }
}

/* A marker in a register: generation and slot. */
static term marker_id(const Markers *m, uint32_t i) {
    return SMALL(m->slot[i].generation * MARKERS + i);
}

static Marker *marker_by_id(Markers *m, term id) {
    uint32_t i = (uint32_t)small_value(id) % MARKERS;
    return marker_id(m, i) == id ? &m->slot[i] : NULL;
}

static void key_of(term t, uint64_t key[2]) {
    if (is_local_ref(t)) {
        key[0] = ref_low(t), key[1] = ref_high(t);
    } else {
        key[0] = t, key[1] = UINT64_MAX;
    }
}

static Marker *marker_by_key(Markers *m, term reference) {
    uint64_t key[2];
    key_of(reference, key);
    for (int i = 0; m != NULL && i < MARKERS; i++) {
        Marker *k = &m->slot[i];
        if (k->use == MARKER_BOUND && k->key[0] == key[0] && k->key[1] == key[1]) {
            return k;
        }
    }
    return NULL;
}

term mailbox_marker_reserve(Process *p) {
    ProcessExtra *e = process_extra(p);
    if (e == NULL) {
        return A_undefined; /* receives go on without it, only slower */
    }
    if (e->markers == NULL && (e->markers = MEM_NEW(&process_vm(p)->mem, MEM_PROCESS, Markers)) == NULL) {
        return A_undefined;
    }
    Markers *m = e->markers;
    uint32_t i = 0;
    while (i < MARKERS && m->slot[i].use != MARKER_FREE) {
        i++;
    }
    if (i == MARKERS) {
        i = m->next++ % MARKERS;
    }
    Marker *k = &m->slot[i];
    k->generation = (k->generation + 1) & 0xffffff;
    k->use = MARKER_RESERVED;
    k->order = ++m->made;
    k->at = p->inner_last; /* what has come in but is not fetched yet lies behind it: early enough */
    return marker_id(m, i);
}

void mailbox_marker_bind(Process *p, term marker, term reference) {
    Markers *m = markers_of(p);
    if (m == NULL || !is_small(marker) || !(is_local_ref(reference) || is_immediate(reference))) {
        return;
    }
    Marker *k = marker_by_id(m, marker), *old = marker_by_key(m, reference);
    if (old != NULL && old != k) {
        old->use = MARKER_FREE;
    }
    if (k != NULL && k->use == MARKER_RESERVED) {
        key_of(reference, k->key);
        k->use = MARKER_BOUND;
    }
}

static void add_run(Markers *m, uint64_t order, Signal **at) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->runs; i++) { /* those of earlier receives that left nothing behind are of no use */
        if (*m->run[i].at != NULL && (*m->run[i].at)->seen) {
            m->run[n++] = m->run[i];
        }
    }
    m->runs = n;
    while (n > 0 && m->run[n - 1].order > order) {
        n--;
    }
    if (n > 0 && (m->run[n - 1].order == order || m->run[n - 1].at == at)) {
        return;
    }
    if (m->runs == MARKERS) {
        m->more_runs = true;
        m->runs -= n < MARKERS;
    }
    if (n < MARKERS) {
        memmove(&m->run[n + 1], &m->run[n], (m->runs - n) * sizeof m->run[0]);
        m->run[n].order = order;
        m->run[n].at = at;
        m->runs++;
    }
}

void mailbox_marker_use(Process *p, term reference) {
    Markers *m = markers_of(p);
    const Marker *k = marker_by_key(m, reference);
    if (k != NULL) {
        p->save = k->at;
        add_run(m, k->order, k->at);
    }
}

void mailbox_marker_clear(Process *p, term reference) {
    Markers *m = markers_of(p);
    if (m == NULL) {
        return;
    }
    Marker *k = is_small(reference) ? marker_by_id(m, reference) : marker_by_key(m, reference);
    if (k != NULL) {
        k->use = MARKER_FREE;
    }
}

size_t mailbox_seen(const Process *p, void (*visit)(Signal *m, void *data), void *data) {
    const Markers *k = markers_of(p);
    uint32_t run = 0, runs = k == NULL ? 0 : k->runs;
    size_t count = 0;
    for (Signal *const *link = &p->inner; *link != NULL;) {
        while (run < runs && link == k->run[run].at) {
            run++;
        }
        if ((*link)->seen) {
            if (visit != NULL) {
                visit(*link, data);
            }
            count++;
        } else if (run < runs && !(run > 0 && k->more_runs)) {
            link = k->run[run].at;
            continue;
        } else if (runs == 0 || !k->more_runs) {
            break;
        }
        link = &(*link)->next;
    }
    return count;
}

size_t mailbox_words(const Process *p) {
    size_t words = 0;
    for (const Signal *m = p->inner; m != NULL; m = m->next) {
        for (const Fragment *f = m->data; f != NULL; f = f->next) {
            words += f->used;
        }
    }
    return words;
}

void mailbox_drop_markers(Process *p) {
    if (markers_of(p) != NULL) {
        MEM_DELETE(&process_vm(p)->mem, MEM_PROCESS, p->extra->markers);
        p->extra->markers = NULL;
    }
}
