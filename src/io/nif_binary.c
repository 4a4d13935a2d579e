/* Binaries of native functions. One that a library has allocated is a counted buffer that becomes a term's without a copy; one that
   it looks into stays where it is. */
#include "data/bits.h"
#include "data/external.h"
#include "data/iolist.h"
#include "io/nif.h"

ENIF(int, enif_alloc_binary, size_t size, ErlNifBinary *bin) {
    Buffer *b = buffer_new(nif_world->vm, size);
    if (b == NULL) {
        return false;
    }
    *bin = (ErlNifBinary){.size = size, .data = b->data, .ref_bin = b};
    return true;
}

ENIF(void, enif_release_binary, ErlNifBinary *bin) {
    if (bin->ref_bin != NULL) {
        buffer_release(nif_world->vm, bin->ref_bin);
        bin->ref_bin = NULL;
    }
}

ENIF(int, enif_realloc_binary, ErlNifBinary *bin, size_t size) {
    Buffer *b = bin->ref_bin;
    if (b != NULL && buffer_refs(b) == 1) {
        b = buffer_resize(nif_world->vm, b, size);
        if (b == NULL) {
            return false;
        }
        bin->ref_bin = b, bin->data = b->data, bin->size = size;
        return true;
    }
    ErlNifBinary copy;
    if (!enif_alloc_binary(size, &copy)) {
        return false;
    }
    memcpy(copy.data, bin->data, MIN(size, bin->size));
    enif_release_binary(bin);
    *bin = copy;
    return true;
}

/* The bytes of a binary that do not lie on a byte boundary are copied. */
static bool inspect(ErlNifEnv *env, Bits b, ErlNifBinary *bin) {
    *bin = (ErlNifBinary){.size = b.size / 8, .data = (unsigned char *)b.at};
    if (b.start != 0 && b.size > 0) {
        bin->data = nif_env_memory(env, bin->size);
        if (bin->data == NULL) {
            return false;
        }
        bitrun_copy(bin->data, 0, b.at, b.start, b.size);
    }
    return true;
}

ENIF(int, enif_inspect_binary, ErlNifEnv *env, ERL_NIF_TERM t, ErlNifBinary *bin) {
    return is_binary(t) && inspect(env, bits_of(t), bin);
}

ENIF(int, enif_inspect_iolist_as_binary, ErlNifEnv *env, ERL_NIF_TERM t, ErlNifBinary *bin) {
    if (is_binary(t)) {
        return inspect(env, bits_of(t), bin);
    }
    size_t size;
    if (!is_list(t) || iolist_size(env->vm, t, &size) != IOLIST_OK) {
        return false;
    }
    unsigned char *to = nif_env_memory(env, size);
    if (to == NULL) {
        return false;
    }
    IolistWalk w;
    size_t at = 0;
    iolist_begin(&w, env->vm, t, false);
    IolistResult end = iolist_fill(&w, to, &at);
    iolist_end(&w);
    *bin = (ErlNifBinary){.size = size, .data = to};
    return end == IOLIST_OK;
}

/* The term takes over the buffer; the bytes stay where they are. */
ENIF(ERL_NIF_TERM, enif_make_binary, ErlNifEnv *env, ErlNifBinary *bin) {
    Buffer *b = bin->ref_bin;
    if (b == NULL) {
        return nif_checked(env, bits_from(env->heap, bin->data, bin->size));
    }
    bin->ref_bin = NULL;
    b->used = MAX(b->used, bin->size * 8);
    return bits_from_buffer(env->heap, b, 0, bin->size * 8);
}

ENIF(unsigned char *, enif_make_new_binary, ErlNifEnv *env, size_t size, ERL_NIF_TERM *t) {
    unsigned char *to = bits_new(env->heap, size, t);
    if (to == NULL) {
        nif_fail(env, A_system_limit);
    }
    return to;
}

ENIF(ERL_NIF_TERM, enif_make_sub_binary, ErlNifEnv *env, ERL_NIF_TERM t, size_t at, size_t size) {
    return bits_sub(env->heap, t, 8 * at, 8 * size);
}

/* --- The external format ------------------------------------------------------------------------------------------- */

ENIF(int, enif_term_to_binary, ErlNifEnv *env, ERL_NIF_TERM t, ErlNifBinary *bin) {
    ExternalOptions options = {.minor_version = nif_minor_version(env->vm) >= 17 ? 2 : 1};
    Text out;
    term reason;
    text_init(&out, &env->vm->mem);
    bool ok = external_encode(&out, env->vm, t, &options, &reason) && enif_alloc_binary(out.size, bin);
    if (ok) {
        memcpy(bin->data, out.at, out.size);
    }
    text_done(&out);
    return ok;
}

ENIF(size_t, enif_binary_to_term, ErlNifEnv *env, const unsigned char *data, size_t size, ERL_NIF_TERM *t, unsigned options) {
    size_t used = 0;
    term result = (options & ~(unsigned)NIF_BIN2TERM_SAFE) != 0
                      ? NONE
                      : external_decode(env->heap, (Bytes){data, size}, options != 0 ? EXTERNAL_SAFE : 0, &used);
    *t = result != NONE ? result : *t;
    return result == NONE ? 0 : used;
}

/* --- Vectors of binaries ------------------------------------------------------------------------------------------- */

/* The bytes of a binary as part of a buffer that is counted once more: its own, or a new one. NULL: no memory. */
static Buffer *buffer_of(VM *vm, term t, struct iovec *where) {
    Bits b = bits_of(t);
    const View *v = (const View *)boxed(t);
    if (kind_of(t) == KIND_VIEW && kind_of(v->base) == KIND_BUFFER && b.start == 0) {
        *where = (struct iovec){(void *)b.at, b.size / 8};
        return buffer_share(((BufferRef *)boxed(v->base))->buffer);
    }
    Buffer *copy = buffer_new(vm, b.size / 8);
    if (copy != NULL) {
        bitrun_copy(copy->data, 0, b.at, b.start, b.size);
        *where = (struct iovec){copy->data, b.size / 8};
    }
    return copy;
}

ENIF(void, enif_free_iovec, ErlNifIOVec *v) {
    if (v->flags & NIF_IOVEC_KEPT) {
        return;
    }
    for (int i = 0; i < v->iovcnt; i++) {
        buffer_release(nif_world->vm, v->ref_bins[i]);
    }
    v->iovcnt = 0;
    if (v->iov != v->small_iov) {
        mem_sized_free(&nif_world->vm->mem, v->iov);
        mem_sized_free(&nif_world->vm->mem, v->ref_bins);
        v->iov = v->small_iov, v->ref_bins = v->small_ref_bin;
    }
    if (!(v->flags & NIF_IOVEC_OWN)) {
        mem_sized_free(&nif_world->vm->mem, v);
    }
}

static void free_iovec(VM *vm UNUSED, void *what) {
    ((ErlNifIOVec *)what)->flags = 0;
    enif_free_iovec(what);
}

static bool make_room(VM *vm, ErlNifIOVec *v, size_t n) {
    v->iov = v->small_iov, v->ref_bins = v->small_ref_bin;
    if (n <= NIF_IOVEC_SMALL) {
        return true;
    }
    struct iovec *iov = mem_sized_alloc(&vm->mem, n * sizeof *iov);
    void **refs = mem_sized_alloc(&vm->mem, n * sizeof *refs);
    if (iov == NULL || refs == NULL) {
        mem_sized_free(&vm->mem, iov);
        mem_sized_free(&vm->mem, refs);
        return false;
    }
    v->iov = iov, v->ref_bins = refs;
    return true;
}

static bool fill(VM *vm, ErlNifIOVec *v, term list, size_t n) {
    for (; n > 0; n--, list = tail(list)) {
        Buffer *b = buffer_of(vm, head(list), &v->iov[v->iovcnt]);
        if (b == NULL) {
            return false;
        }
        if (v->iov[v->iovcnt].iov_len == 0) {
            buffer_release(vm, b);
            continue;
        }
        v->size += v->iov[v->iovcnt].iov_len;
        v->ref_bins[v->iovcnt++] = b;
    }
    return true;
}

/* With an environment, all of it lives as long as that, and a struct of the caller, which may be gone sooner, is a copy; without, until
   enif_free_iovec. */
ENIF(int, enif_inspect_iovec, ErlNifEnv *env, size_t max, ERL_NIF_TERM list, ERL_NIF_TERM *rest, ErlNifIOVec **to) {
    VM *vm = nif_world->vm;
    size_t n = 0;
    term l = list;
    for (; is_cons(l) && n < max; l = tail(l), n++) {
        if (!is_binary(head(l))) {
            return false;
        }
    }
    if (!is_cons(l) && l != NIL) {
        return false;
    }
    ErlNifIOVec *v = *to;
    bool given = v != NULL, own = given && env == NULL;
    if (!own && (v = mem_sized_alloc(&vm->mem, sizeof *v)) == NULL) {
        return false;
    }
    v->iovcnt = 0, v->size = 0, v->flags = own ? NIF_IOVEC_OWN : 0;
    v->iov = v->small_iov, v->ref_bins = v->small_ref_bin;
    if (!make_room(vm, v, n) || !fill(vm, v, list, n) || (env != NULL && !nif_env_keep(env, free_iovec, v))) {
        enif_free_iovec(v);
        return false;
    }
    v->flags |= env != NULL ? NIF_IOVEC_KEPT : 0;
    *rest = l;
    if (given && env != NULL) {
        **to = *v;
    } else {
        *to = v;
    }
    return true;
}

/* --- Queues of binaries -------------------------------------------------------------------------------------------- */

struct erts_io_queue {
    size_t size;               /* bytes */
    size_t first, count, room; /* pieces first .. first + count - 1 */
    struct iovec *iov;
    Buffer **buffers;
};

ENIF(ErlNifIOQueue *, enif_ioq_create, int options UNUSED) {
    return MEM_NEW(&nif_world->vm->mem, MEM_SYSTEM, ErlNifIOQueue);
}

ENIF(void, enif_ioq_destroy, ErlNifIOQueue *q) {
    VM *vm = nif_world->vm;
    for (size_t i = 0; i < q->count; i++) {
        buffer_release(vm, q->buffers[q->first + i]);
    }
    mem_free(&vm->mem, MEM_SYSTEM, q->iov, q->room * sizeof *q->iov);
    mem_free(&vm->mem, MEM_SYSTEM, q->buffers, q->room * sizeof *q->buffers);
    MEM_DELETE(&vm->mem, MEM_SYSTEM, q);
}

ENIF(size_t, enif_ioq_size, ErlNifIOQueue *q) {
    return q->size;
}

static bool queue_room(ErlNifIOQueue *q, size_t more) {
    Mem *m = &nif_world->vm->mem;
    if (q->first > 0) {
        memmove(q->iov, q->iov + q->first, q->count * sizeof *q->iov);
        memmove(q->buffers, q->buffers + q->first, q->count * sizeof *q->buffers);
        q->first = 0;
    }
    if (q->count + more <= q->room) {
        return true;
    }
    size_t room = MAX(2 * q->room, q->count + more + 8);
    struct iovec *iov = mem_resize(m, MEM_SYSTEM, q->iov, q->room * sizeof *iov, room * sizeof *iov);
    q->iov = iov != NULL ? iov : q->iov;
    Buffer **buffers = iov == NULL ? NULL : mem_resize(m, MEM_SYSTEM, q->buffers, q->room * sizeof *buffers, room * sizeof *buffers);
    if (buffers == NULL) {
        if (iov != NULL) { /* a block may always become smaller */
            q->iov = mem_resize(m, MEM_SYSTEM, iov, room * sizeof *iov, q->room * sizeof *iov);
        }
        return false;
    }
    q->buffers = buffers;
    q->room = room;
    return true;
}

static void add_piece(ErlNifIOQueue *q, Buffer *b, void *at, size_t size) {
    q->iov[q->first + q->count] = (struct iovec){at, size};
    q->buffers[q->first + q->count++] = b;
    q->size += size;
}

ENIF(int, enif_ioq_enqv, ErlNifIOQueue *q, ErlNifIOVec *v, size_t skip) {
    if (skip > v->size || !queue_room(q, (size_t)v->iovcnt)) {
        return false;
    }
    for (int i = 0; i < v->iovcnt; i++) {
        size_t n = v->iov[i].iov_len, over = MIN(skip, n);
        skip -= over;
        if (n > over) {
            add_piece(q, buffer_share(v->ref_bins[i]), (uint8_t *)v->iov[i].iov_base + over, n - over);
        }
    }
    return true;
}

/* The binary is the queue's from then on. */
ENIF(int, enif_ioq_enq_binary, ErlNifIOQueue *q, ErlNifBinary *bin, size_t skip) {
    if (skip > bin->size || !queue_room(q, 1) || (bin->ref_bin == NULL && !enif_realloc_binary(bin, bin->size))) {
        return false;
    }
    if (bin->size > skip) {
        add_piece(q, bin->ref_bin, bin->data + skip, bin->size - skip);
        bin->ref_bin = NULL;
    } else {
        enif_release_binary(bin);
    }
    return true;
}

ENIF(int, enif_ioq_deq, ErlNifIOQueue *q, size_t count, size_t *size) {
    if (count > q->size) {
        return false;
    }
    q->size -= count;
    while (count > 0) {
        struct iovec *v = &q->iov[q->first];
        if (v->iov_len > count) {
            v->iov_base = (uint8_t *)v->iov_base + count;
            v->iov_len -= count;
            break;
        }
        count -= v->iov_len;
        buffer_release(nif_world->vm, q->buffers[q->first++]);
        q->count--;
    }
    if (size != NULL) {
        *size = q->size;
    }
    return true;
}

ENIF(struct iovec *, enif_ioq_peek, ErlNifIOQueue *q, int *count) {
    *count = (int)q->count;
    return q->count == 0 ? NULL : q->iov + q->first;
}

ENIF(int, enif_ioq_peek_head, ErlNifEnv *env, ErlNifIOQueue *q, size_t *size, ERL_NIF_TERM *t) {
    if (q->count == 0) {
        return false;
    }
    const struct iovec *v = &q->iov[q->first];
    Buffer *b = q->buffers[q->first];
    size_t start = (size_t)((uint8_t *)v->iov_base - b->data) * 8;
    if (size != NULL) {
        *size = v->iov_len;
    }
    b->used = MAX(b->used, start + v->iov_len * 8);
    *t = bits_from_buffer(env->heap, buffer_share(b), start, start + v->iov_len * 8);
    return true;
}
