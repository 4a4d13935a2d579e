/* Built-ins of module prim_buffer: byte queues behind references, for reading files ahead. */
#include "bif/bif_state.h"
#include "data/byte_queue.h"
#include "data/integer.h"

typedef struct {
    Resource resource;
    ByteQueue queue;
    uint32_t locked; /* atomic */
} PrimBuffer;

static void prim_buffer_destroy(VM *vm, Resource *r) {
    byte_queue_done(vm, &((PrimBuffer *)r)->queue);
    state_free(vm, r, sizeof(PrimBuffer));
}

static PrimBuffer *buffer_of(term t) {
    return state_of(t, prim_buffer_destroy);
}

BIF(prim_buffer, new, 0) {
    term ref;
    return state_new(p, sizeof(PrimBuffer), prim_buffer_destroy, &ref) != NULL ? ref : raise_error(p, A_out_of_memory);
}

BIF(prim_buffer, size, 1) {
    PrimBuffer *b = buffer_of(a[0]);
    return b == NULL ? raise_badarg(p) : integer_from_uint64(HEAP(p), b->queue.size);
}

BIF(prim_buffer, peek_head, 1) {
    PrimBuffer *b = buffer_of(a[0]);
    return b == NULL || b->queue.count == 0 ? raise_badarg(p) : byte_queue_head(HEAP(p), &b->queue);
}

BIF(prim_buffer, copying_read, 2) {
    PrimBuffer *b = buffer_of(a[0]);
    uint64_t n;
    if (b == NULL || !integer_to_uint64(a[1], &n) || n > b->queue.size) {
        return raise_badarg(p);
    }
    term t;
    uint8_t *to = bits_new(HEAP(p), (size_t)n, &t);
    if (to == NULL) {
        return raise_heap_reason(p);
    }
    byte_queue_copy(&b->queue, to, (size_t)n);
    byte_queue_skip(process_vm(p), &b->queue, (size_t)n);
    return t;
}

BIF(prim_buffer, skip, 2) {
    PrimBuffer *b = buffer_of(a[0]);
    uint64_t n;
    if (b == NULL || !integer_to_uint64(a[1], &n) || n > b->queue.size) {
        return raise_badarg(p);
    }
    byte_queue_skip(process_vm(p), &b->queue, (size_t)n);
    return A_ok;
}

BIF(prim_buffer, write, 2) {
    PrimBuffer *b = buffer_of(a[0]);
    term list = a[1];
    size_t n = 0;
    for (; is_cons(list) && is_binary(head(list)); list = tail(list)) {
        n++;
    }
    if (b == NULL || list != NIL) {
        return raise_badarg(p);
    }
    for (list = a[1]; list != NIL; list = tail(list)) {
        if (!byte_queue_add(process_vm(p), &b->queue, head(list))) {
            return raise_error(p, A_out_of_memory);
        }
    }
    BUMP(p, (intptr_t)n / 8);
    return A_ok;
}

BIF(prim_buffer, find_byte_index, 2) {
    PrimBuffer *b = buffer_of(a[0]);
    if (b == NULL || !is_small(a[1]) || (uintptr_t)small_value(a[1]) > 255) {
        return raise_badarg(p);
    }
    size_t before = 0;
    for (size_t i = 0; i < b->queue.count; i++) {
        Bytes run = byte_queue_peek(&b->queue, i);
        const uint8_t *hit = memchr(run.at, (int)small_value(a[1]), run.size);
        size_t n = hit != NULL ? (size_t)(hit - run.at) : run.size;
        BUMP(p, (intptr_t)(n / 1024));
        if (hit != NULL) {
            return TUPLE2(HEAP(p), A_ok, SMALL(before + n));
        }
        before += n;
    }
    return A_not_found;
}

BIF(prim_buffer, try_lock, 1) {
    PrimBuffer *b = buffer_of(a[0]);
    if (b == NULL) {
        return raise_badarg(p);
    }
    return __atomic_exchange_n(&b->locked, 1, __ATOMIC_ACQUIRE) == 0 ? A_acquired : A_busy;
}

BIF(prim_buffer, unlock, 1) {
    PrimBuffer *b = buffer_of(a[0]);
    if (b == NULL) {
        return raise_badarg(p);
    }
    return __atomic_exchange_n(&b->locked, 0, __ATOMIC_RELEASE) == 1 ? A_ok : raise_error(p, A_lock_order_violation);
}
