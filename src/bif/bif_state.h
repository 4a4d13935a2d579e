/* What a built-in that goes on later keeps outside the heap, behind a magic reference that it hands to its successor. Nobody
   else gets hold of that reference, so what the state says can be relied on; terms travel beside it, as arguments.

       typedef struct { Resource resource; ... } Walk;
       Walk *w = state_new(p, sizeof *w, walk_destroy, &ref);   ... bif_trap(p, BIF_EXPORT(...), 2, ref, list)
       Walk *w = state_of(a[0], walk_destroy);                  NULL: somebody calls the successor by hand

   `destroy` names the type. It ends with state_free. */
#ifndef MOTE_BIF_STATE_H
#define MOTE_BIF_STATE_H

#include "bif/bif.h"
#include "term/ref.h"

typedef void StateDestroy(VM *vm, Resource *r);

/* Zeroed. NULL: no memory. */
static inline void *state_new(Process *p, size_t size, StateDestroy *destroy, term *ref) {
    Resource *r = mem_zalloc(&process_vm(p)->mem, MEM_TEMPORARY, size);
    if (r != NULL) {
        r->refs = 1;
        r->destroy = destroy;
        r->type = (const void *)(uintptr_t)destroy;
        *ref = heap_magic_ref(HEAP(p), r);
    }
    return r;
}
static inline void *state_of(term ref, StateDestroy *destroy) {
    if (!is_magic_ref(ref)) {
        return NULL;
    }
    Resource *r = magic_resource(ref);
    return r->type == (const void *)(uintptr_t)destroy ? r : NULL;
}
static inline void state_free(VM *vm, Resource *r, size_t size) {
    mem_free(&vm->mem, MEM_TEMPORARY, r, size);
}

/* Where all state is in terms: a reference that proves that it is a built-in that calls its successor. */
void state_pass_destroy(VM *vm, Resource *r);
static inline term state_pass(Process *p) {
    term ref = NIL; /* no memory: the successor fails */
    state_new(p, sizeof(Resource), state_pass_destroy, &ref);
    return ref;
}
static inline bool state_has_passed(term ref) {
    return state_of(ref, state_pass_destroy) != NULL;
}

#endif
