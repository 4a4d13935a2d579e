/* The calls that a process remembers: process_flag(save_calls, N). While one does, a session of its own traces all exports. */
#include "trace/trace.h"

#include "proc/schedule.h"
#include "term/atom.h"

typedef struct SavedCalls {
    uint32_t size, count, next; /* room; how many there are; where the next one goes */
    struct {
        term module, name; /* name NONE: module is all */
        uint32_t arity;
    } at[];
} SavedCalls;

static size_t bytes(uint32_t size) {
    return sizeof(SavedCalls) + size * sizeof((SavedCalls *)0)->at[0];
}

uint32_t saved_calls_size(const Process *p) {
    const ProcessTrace *t = trace_if(p);
    return t == NULL || t->saved == NULL ? 0 : t->saved->size;
}

/* The first process begins, or the last one ends. */
static bool count(VM *vm, int more) {
    Trace *t = vm->trace;
    if (t == NULL) { /* the VM ends */
        return true;
    }
    __atomic_add_fetch(&t->savers, (size_t)more, __ATOMIC_RELAXED);
    if (!world_is_still(vm_scheduler(vm))) { /* a process that ends: the session stays until the next one asks */
        return true;
    }
    if (t->savers > 0 && t->saver == NULL) {
        const FunctionPattern all = {.parts = 0};
        t->saver = session_new(vm, A_save_calls, NULL);
        if (t->saver == NULL) {
            return false;
        }
        t->saver->on_load.on = true;
        watch_update(vm);
        return points_set(vm, t->saver, &all, &(TracePattern){.how = PATTERN_ON}) >= 0;
    }
    if (t->savers == 0 && t->saver != NULL) {
        session_end(vm, t->saver);
        t->saver = NULL;
    }
    return true;
}

bool saved_calls_set(Process *p, uint32_t size) {
    VM *vm = process_vm(p);
    ProcessTrace *t = size == 0 ? trace_if(p) : trace_of(p);
    SavedCalls *made = size == 0 || t == NULL ? NULL : mem_zalloc(&vm->mem, MEM_PROCESS, bytes(size));
    if (size > 0 && made == NULL) {
        return false;
    }
    if (t == NULL || t->saved == made) {
        return true;
    }
    SavedCalls *old = t->saved;
    t->saved = made;
    if (made != NULL) {
        made->size = size;
    }
    trace_process_state(p);
    bool ok = count(vm, (made != NULL) - (old != NULL));
    mem_free(&vm->mem, MEM_PROCESS, old, old == NULL ? 0 : bytes(old->size));
    return ok;
}

void saved_calls_add(Process *p, term module, term name, uint32_t arity) {
    SavedCalls *s = trace_if(p) == NULL ? NULL : trace_if(p)->saved;
    if (s == NULL || p->state & STATE_SENSITIVE) {
        return;
    }
    s->at[s->next].module = module, s->at[s->next].name = name, s->at[s->next].arity = arity;
    s->next = (s->next + 1) % s->size;
    s->count += s->count < s->size;
}

term saved_calls_term(Heap *h, const Process *p) {
    const SavedCalls *s = trace_if(p) == NULL ? NULL : trace_if(p)->saved;
    term list = NIL;
    if (s == NULL) {
        return A_false;
    }
    for (uint32_t i = 1; i <= s->count; i++) {
        uint32_t n = (s->next + s->size - i) % s->size;
        term call = s->at[n].module;
        list = heap_cons(h, s->at[n].name == NONE ? call : TUPLE3(h, call, s->at[n].name, SMALL(s->at[n].arity)), list);
    }
    return list;
}
