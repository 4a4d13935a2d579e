/* Freeing literals that have been retired: persistent terms that were replaced, code that was purged. Processes that mention
   them get copies. Of terms that are on their way (signals, timers, tags of monitors) none is touched: if one of those
   mentions a block, the block waits for the next sweep. */
#include "proc/collect.h"
#include "proc/relation.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "proc/timer.h"
#include "term/literal.h"

typedef struct {
    const LiteralBlock *block;
    bool found;
} Search;

static void look_at(Search *s, term t) {
    s->found |= literal_holds(s->block, t);
}

static void look_into(Search *s, const Fragment *f) {
    for (; f != NULL && !s->found; f = f->next) {
        for (size_t i = 0; i < f->used && !s->found; i++) {
            look_at(s, f->data[i]);
        }
    }
}

static void look_through(Search *s, const Signal *m) {
    for (; m != NULL && !s->found; m = m->next) {
        look_at(s, m->seen ? NIL : m->value);
        look_into(s, m->data);
    }
}

static void look_at_relation(Process *p UNUSED, Relation *r, void *arg) {
    if (r->kind == RELATION_REFERENCE && r->extra != NULL) {
        look_at(arg, r->extra->tag);
        look_into(arg, r->extra->data);
    }
}

static bool leaves_process(Process *p, const LiteralBlock *block) {
    Search s = {block, false};
    look_through(&s, p->inner);
    look_through(&s, __atomic_load_n(&p->outer, __ATOMIC_ACQUIRE));
    relation_each(p, look_at_relation, &s);
    return !s.found && !(p->state & STATE_EXITING) && process_leave_literals(p, block);
}

static void look_at_timer(const BifTimer *t, void *search) {
    look_at(search, t->value);
    look_into(search, t->data);
}

void literals_sweep(VM *vm) {
    size_t count;
    LiteralBlock *blocks = literal_take_retired(vm, &count);
    for (size_t i = 0; i < count; i++) {
        Search s = {&blocks[i], false};
        bif_timers_each(vm, look_at_timer, &s);
        if (s.found) {
            literal_retire(vm, &blocks[i]);
            blocks[i] = (LiteralBlock){NULL, 0, NONE};
        }
    }
    for (uint32_t n = 0; n < vm->processes->size; n++) {
        Process *p = process_at(vm, n);
        for (size_t i = 0; i < count && p != NULL; i++) {
            if (blocks[i].at != NULL && !leaves_process(p, &blocks[i])) {
                literal_retire(vm, &blocks[i]);
                blocks[i] = (LiteralBlock){NULL, 0, NONE};
            }
        }
    }
    literal_free_retired(vm, blocks, count);
}
