/* An object of an ETS table: a tuple and all below it, copied into one block of memory of its own. Nothing in it points outside
   but to the empty tuple. */
#ifndef MOTE_TABLE_OBJECT_H
#define MOTE_TABLE_OBJECT_H

#include "term/heap.h"

typedef struct Object {
    struct Object *next; /* in its bucket; or the left child */
    union {
        uint32_t hash;
        struct Object *right;
    };
    uint32_t words; /* of data */
    int8_t balance; /* height of the right child minus that of the left */
    bool dead;      /* deleted while the table was fixed: there for who stands on it, and for nobody else */
    bool off_heap;  /* data has handles of buffers, or magic references */
    term data[];    /* the tuple comes first */
} Object;

/* What memory it counts as: MEM_ETS, or what belongs to no table. */
Object *object_new_as(VM *vm, MemKind kind, term tuple); /* NULL: no memory */
void object_free_as(VM *vm, MemKind kind, Object *o);
static inline Object *object_new(VM *vm, term tuple) {
    return object_new_as(vm, MEM_ETS, tuple);
}
static inline void object_free(VM *vm, Object *o) {
    object_free_as(vm, MEM_ETS, o);
}
term object_copy(Heap *h, const Object *o); /* the tuple, on h. NONE: no memory */

/* The handles of buffers in it, one after the other: from NULL to NULL. */
const BufferRef *object_next_buffer(const Object *o, const BufferRef *last);

static inline term object_tuple(const Object *o) {
    return make_boxed(o->data);
}
static inline term object_key(const Object *o, size_t keypos) {
    return o->data[keypos];
}
static inline size_t object_bytes(const Object *o) {
    return sizeof *o + o->words * sizeof(term);
}

#endif
