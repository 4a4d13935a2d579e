/* Links. Each end has an entry of its own. Unlinking is a question that is answered: until then the entry stays, marked, so
   that exit signals which are under way are recognised as out of date, and a link made again meanwhile is not mistaken for
   the old one. */
#include "proc/relation.h"
#include "proc/schedule.h"
#include "proc/watch.h"
#include "term/atom.h"

static bool send_plain(Process *p, term to, SignalKind kind, uint64_t number) {
    Signal *s = signal_new(p->scheduler, kind);
    if (s == NULL) {
        process_set(p, STATE_KILLED);
        return true;
    }
    s->from = p->pid;
    s->key[0] = number;
    return signal_send(p->scheduler, to, s);
}

bool link_make(Process *p, term with, uint32_t flags) {
    if (!target_alive(process_vm(p), with)) {
        return false;
    }
    bool made;
    Relation *r = relation_add(p, RELATION_LINK, with, 0, &made);
    if (r == NULL) {
        process_set(p, STATE_KILLED);
        return true;
    }
    bool again = !made && !(r->flags & RELATION_UNLINKING);
    r->flags = flags;
    if (!again) {
        r->other = with;
        if (!send_plain(p, with, SIGNAL_LINK, 0)) { /* it has ended just now */
            relation_remove(p, r);
            return false;
        }
    }
    return true;
}

void link_break(Process *p, term with) {
    Relation *r = relation_find(p, RELATION_LINK, with, 0);
    if (r == NULL || r->flags & RELATION_UNLINKING) {
        return;
    }
    r->flags = RELATION_UNLINKING;
    r->count = __atomic_add_fetch(&process_vm(p)->processes->unlinks, 1, __ATOMIC_RELAXED);
    if (!send_plain(p, with, SIGNAL_UNLINK, r->count)) {
        relation_remove(p, r);
    }
}

void link_signal(Process *p, Signal *s) {
    term from = s->from;
    Relation *r = relation_find(p, RELATION_LINK, from, 0);
    switch ((SignalKind)s->kind) {
    case SIGNAL_LINK:
        signal_free(p->scheduler, s);
        if (r == NULL) {
            process_event(p, A_getting_linked, from);
            bool made;
            r = relation_add(p, RELATION_LINK, from, 0, &made); /* in the signal's memory */
            r->other = from;
        }
        break;
    case SIGNAL_UNLINK:
        if (r != NULL && !(r->flags & RELATION_UNLINKING)) {
            process_event(p, A_getting_unlinked, from);
            relation_remove(p, r);
        }
        s->kind = SIGNAL_UNLINK_DONE;
        s->from = p->pid;
        signal_send(p->scheduler, from, s);
        break;
    default:
        assert(s->kind == SIGNAL_UNLINK_DONE);
        if (r != NULL && r->flags & RELATION_UNLINKING && r->count == s->key[0]) {
            relation_remove(p, r);
        }
        signal_free(p->scheduler, s);
        break;
    }
}
