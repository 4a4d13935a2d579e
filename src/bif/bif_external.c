/* Built-ins on the external term format. Large terms are written and read in slices: the encoder's state is saved as a term
   in between, the decoder builds outside the process's heap. */
#include "bif/bif.h"
#include "bif/bif_state.h"
#include "data/bits.h"
#include "data/external.h"
#include "data/integer.h"

/* How many steps (terms, or 16 bytes of a large binary) a reduction buys; and what is read in one go, in bytes. */
enum { STEPS_PER_REDUCTION = 32, READ_AT_ONCE = 32768 };

static size_t budget_of(const Process *p) {
    return (size_t)MAX(p->heap.reds, 1) * STEPS_PER_REDUCTION;
}
/* Charges what is used up of the budget that budget_of gave. */
static void charge(Process *p, size_t left) {
    BUMP(p, (intptr_t)((budget_of(p) - left) / STEPS_PER_REDUCTION));
}

/* ---- Options ---- */

/* Adds an option of term_to_binary/2 to o. False: there is no such option. */
static bool write_option(term t, ExternalOptions *o) {
    if (t == A_compressed) {
        o->compression = -1;
    } else if (t == A_deterministic) {
        o->deterministic = true;
    } else if (t == A_local) {
        o->local = true;
    } else if (is_tuple_of(t, 2) && is_small(element(t, 2))) {
        intptr_t n = small_value(element(t, 2));
        if (element(t, 1) == A_minor_version && n >= 0 && n <= 2) {
            o->minor_version = (uint8_t)n;
        } else if (element(t, 1) == A_compressed && n >= 0 && n <= 9) {
            o->compression = (int8_t)n;
        } else {
            return false;
        }
    } else {
        return false;
    }
    return true;
}

/* Since 26 all atoms are written in UTF-8. */
static ExternalOptions usual_options(const Process *p) {
    return (ExternalOptions){.minor_version = bif_release(p) >= 26 ? 2 : 1};
}

static bool write_options(Process *p, term list, ExternalOptions *o) {
    *o = usual_options(p);
    for (; is_cons(list); list = tail(list)) {
        if (!write_option(head(list), o)) {
            return false;
        }
    }
    return list == NIL && !(o->deterministic && o->local);
}

/* ---- Writing ---- */

typedef struct {
    Resource resource;
    ExternalEncoder *encoder;
    bool vector;   /* term_to_iovec */
    uint8_t arity; /* of the built-in that began */
} Writing;

static void writing_destroy(VM *vm, Resource *r) {
    Writing *w = (Writing *)r;
    external_encoder_delete(w->encoder);
    state_free(vm, r, sizeof *w);
}

static term raise_writing(Process *p, const Writing *w, term reason, const term *args) {
    return raise_error_as(p, reason, A_erlang, w->vector ? A_term_to_iovec : A_term_to_binary, w->arity, args);
}

/* Goes on writing until it is done or the slice ends. args: those of the built-in that began; ref: the reference that keeps
   w; NONE: there is none yet. */
static term write_on(Process *p, Writing *w, term ref, const term *args) {
    size_t budget = budget_of(p);
    while (!external_encoder_step(w->encoder, &budget)) {
        term saved = external_encoder_save(w->encoder, HEAP(p));
        charge(p, budget);
        if (saved != NONE && ref == NONE) {
            Writing *copy = state_new(p, sizeof *copy, writing_destroy, &ref);
            if (copy == NULL) {
                external_encoder_delete(w->encoder);
                return raise_writing(p, w, A_system_limit, args);
            }
            copy->encoder = w->encoder, copy->vector = w->vector, copy->arity = w->arity;
            w = copy;
        }
        if (saved != NONE) {
            term list = heap_list(HEAP(p), args, w->arity, NIL);
            return bif_trap(p, BIF_EXPORT(p, erts_internal, term_to_binary_more, 3), 3, ref, saved, list);
        }
        budget = budget_of(p);
    }
    charge(p, budget);
    Bytes bytes;
    term reason, result = NONE;
    if (external_encoder_result(w->encoder, &bytes, &reason)) {
        result = bits_from(HEAP(p), bytes.at, bytes.size);
        reason = A_system_limit;
    }
    external_encoder_delete(w->encoder);
    w->encoder = NULL;
    if (result == NONE) {
        return raise_writing(p, w, reason, args);
    }
    BUMP(p, (intptr_t)(bits_size(result) / (16 * 8 * STEPS_PER_REDUCTION)));
    return w->vector ? heap_cons(HEAP(p), result, NIL) : result;
}

BIF_REST(term_to_binary_more, 3, erts_internal, term_to_binary_trap, 1) { /* state, what is left, arguments */
    Writing *w = state_of(a[0], writing_destroy);
    term args[2] = {NIL, NIL}, list = a[2];
    if (w == NULL || w->encoder == NULL) {
        return raise_badarg(p);
    }
    for (size_t i = 0; i < w->arity && is_cons(list); i++, list = tail(list)) {
        args[i] = head(list);
    }
    external_encoder_restore(w->encoder, a[1]);
    return write_on(p, w, a[0], args);
}

static term write_term(Process *p, const term *a, uint8_t arity, bool vector) {
    ExternalOptions options;
    if (!write_options(p, arity == 2 ? a[1] : NIL, &options)) {
        return raise_badarg(p);
    }
    Writing w = {.vector = vector, .arity = arity, .encoder = external_encoder_new(process_vm(p), a[0], &options)};
    return w.encoder != NULL ? write_on(p, &w, NONE, a) : raise_error(p, A_system_limit);
}

BIF(erlang, term_to_binary, 1) {
    return write_term(p, a, 1, false);
}

BIF(erlang, term_to_binary, 2) {
    return write_term(p, a, 2, false);
}

BIF(erlang, term_to_iovec, 1) {
    return write_term(p, a, 1, true);
}

BIF(erlang, term_to_iovec, 2) {
    return write_term(p, a, 2, true);
}

/* Goes on counting until it is done or the slice ends. t, given: the arguments of the built-in (NONE: there is one). */
static term size_on(Process *p, ExternalEncoder *e, term ref, term t, term given) {
    size_t budget = budget_of(p);
    term saved = NONE;
    while (!external_encoder_step(e, &budget) && (saved = external_encoder_save(e, HEAP(p))) == NONE) {
        charge(p, budget);
        budget = budget_of(p);
    }
    charge(p, budget);
    Writing *w = ref == NONE ? NULL : state_of(ref, writing_destroy);
    if (saved != NONE) {
        if (w == NULL && (w = state_new(p, sizeof *w, writing_destroy, &ref)) == NULL) {
            external_encoder_delete(e);
            return raise_error(p, A_system_limit);
        }
        w->encoder = e;
        return bif_trap(p, BIF_EXPORT(p, erts_internal, external_size_more, 4), 4, ref, saved, t, given == NONE ? A_none : given);
    }
    term reason;
    size_t n = external_encoder_counted(e, &reason);
    external_encoder_delete(e);
    if (w != NULL) {
        w->encoder = NULL;
    }
    if (reason != NONE) {
        return raise_error_as(p, reason, A_erlang, A_external_size, given == NONE ? 1 : 2, (term[]){t, given});
    }
    return integer_from_uint64(HEAP(p), n);
}

BIF_REST(external_size_more, 4, erlang, external_size, 1) { /* state, what is left, the arguments */
    Writing *w = state_of(a[0], writing_destroy);
    if (w == NULL || w->encoder == NULL) {
        return raise_badarg(p);
    }
    external_encoder_restore(w->encoder, a[1]);
    return size_on(p, w->encoder, a[0], a[2], a[3] == A_none ? NONE : a[3]);
}

static term size_of(Process *p, term t, term given) {
    term list = given == NONE ? NIL : given;
    ExternalOptions options = usual_options(p);
    for (; is_cons(list); list = tail(list)) {
        if (head(list) != A_local && !(is_tuple_of(head(list), 2) && element(head(list), 1) == A_minor_version)) {
            return raise_badarg(p);
        }
        if (!write_option(head(list), &options)) {
            return raise_badarg(p);
        }
    }
    if (list != NIL) {
        return raise_badarg(p);
    }
    ExternalEncoder *e = external_encoder_new(process_vm(p), t, &options);
    if (e == NULL) {
        return raise_error(p, A_system_limit);
    }
    external_encoder_count(e);
    return size_on(p, e, NONE, t, given);
}

BIF(erlang, external_size, 1) {
    return size_of(p, a[0], NONE);
}

BIF(erlang, external_size, 2) {
    return size_of(p, a[0], a[1]);
}

/* ---- Reading ---- */

typedef struct {
    Resource resource;
    ExternalDecoder *decoder;
    Heap heap;       /* what is being built */
    BitsBytes bytes; /* what is read: a copy, or a part of buffer */
    Buffer *buffer;
} Reading;

static void reading_done(VM *vm, Reading *r) {
    external_decoder_delete(r->decoder);
    bits_bytes_done(vm, &r->bytes);
    if (r->buffer != NULL) {
        buffer_release(vm, r->buffer);
    }
    r->decoder = NULL, r->buffer = NULL, r->bytes.owned = NULL;
}

static void reading_destroy(VM *vm, Resource *resource) {
    Reading *r = (Reading *)resource;
    reading_done(vm, r);
    heap_free_fragments(vm, heap_detach(&r->heap));
    state_free(vm, resource, sizeof *r);
}

static term finish_reading(Process *p, term result, bool want_used, size_t used) {
    return want_used ? TUPLE2(HEAP(p), result, integer_from_uint64(HEAP(p), used)) : result;
}

/* The options of binary_to_term/2. False: something else. */
static bool read_options(term list, unsigned *flags, bool *used) {
    *flags = 0, *used = false;
    for (; is_cons(list); list = tail(list)) {
        if (head(list) == A_safe) {
            *flags |= EXTERNAL_SAFE;
        } else if (head(list) == A_used) {
            *used = true;
        } else {
            return false;
        }
    }
    return list == NIL;
}

static term read_on(Process *p, Reading *r, term ref, const term *args, int arity) {
    size_t budget = budget_of(p), used;
    bool done = external_decoder_step(r->decoder, &budget);
    charge(p, budget);
    if (!done) {
        term list = heap_list(HEAP(p), args, (size_t)arity, NIL);
        return bif_trap(p, BIF_EXPORT(p, erts_internal, binary_to_term_more, 2), 2, ref, list);
    }
    term result = external_decoder_result(r->decoder, &used), reason = r->heap.reason;
    reading_done(process_vm(p), r);
    if (result == NONE) {
        return raise_error_as(p, reason, A_erlang, A_binary_to_term, arity, args);
    }
    unsigned flags;
    bool want_used;
    read_options(arity == 2 ? args[1] : NIL, &flags, &want_used);
    heap_adopt(HEAP(p), heap_detach(&r->heap));
    return finish_reading(p, result, want_used, used);
}

BIF_REST(binary_to_term_more, 2, erts_internal, binary_to_term_trap, 1) { /* state, arguments */
    Reading *r = state_of(a[0], reading_destroy);
    term args[2], list = a[1];
    int arity = 0;
    if (r == NULL || r->decoder == NULL) {
        return raise_badarg(p);
    }
    for (; is_cons(list) && arity < 2; list = tail(list)) {
        args[arity++] = head(list);
    }
    return arity > 0 ? read_on(p, r, a[0], args, arity) : raise_badarg(p);
}

/* Reads a binary that may be large. */
static term begin_reading(Process *p, const BitsBytes *bytes, unsigned flags, const term *args, int arity) {
    VM *vm = process_vm(p);
    term ref;
    Reading *r = state_new(p, sizeof *r, reading_destroy, &ref);
    if (r == NULL) {
        bits_bytes_done(vm, (BitsBytes *)bytes);
        return raise_error(p, A_system_limit);
    }
    r->bytes = *bytes;
    heap_init_detached(&r->heap, vm);
    if (bytes->owned == NULL) {
        term base = ((View *)boxed(args[0]))->base;
        r->buffer = buffer_share(((BufferRef *)boxed(base))->buffer);
    }
    r->decoder = external_decoder_new(&r->heap, (Bytes){bytes->at, bytes->size}, flags);
    if (r->decoder == NULL) {
        return raise_error(p, A_system_limit);
    }
    return read_on(p, r, ref, args, arity);
}

/* Do the bytes stay where they are, whatever happens to the heap? */
static bool stay(term t, const BitsBytes *b) {
    return b->owned != NULL || (is_kind(t, KIND_VIEW) && is_kind(((View *)boxed(t))->base, KIND_BUFFER));
}

static term read_term(Process *p, const term *a, int arity) {
    VM *vm = process_vm(p);
    unsigned flags;
    bool want_used;
    BitsBytes b;
    if (!read_options(arity == 2 ? a[1] : NIL, &flags, &want_used)) {
        return raise_error_cause(p, A_badarg, A_badopt);
    }
    if (!is_binary(a[0])) {
        return raise_badarg(p);
    }
    if (!bits_bytes(vm, a[0], &b)) {
        return raise_error(p, A_system_limit);
    }
    bool compressed = b.size > 1 && b.at[1] == 80;
    if ((b.size > READ_AT_ONCE || compressed) && stay(a[0], &b)) {
        return begin_reading(p, &b, flags, a, arity);
    }
    size_t used;
    term result = external_decode(HEAP(p), (Bytes){b.at, b.size}, flags, &used);
    BUMP(p, (intptr_t)(b.size / STEPS_PER_REDUCTION));
    bits_bytes_done(vm, &b);
    return result != NONE ? finish_reading(p, result, want_used, used) : raise_heap_reason(p);
}

BIF(erlang, binary_to_term, 1) {
    return read_term(p, a, 1);
}

BIF(erlang, binary_to_term, 2) {
    return read_term(p, a, 2);
}
