/* Built-ins of module erlang about bitstrings, and their conversions from and to lists. */
#include "bif/bif_state.h"
#include "data/integer.h"
#include "data/iolist.h"

enum { CELLS_PER_REDUCTION = 16, BYTES_PER_REDUCTION = 64, FILL_AT_ONCE = 1 << 20 };

/* --- Sizes and parts ----------------------------------------------------------------------------------------------- */

/* Since OTP 27 compilers ask a match context how much is left in it. */
static bool has_bits(term t) {
    return is_bitstring(t) || is_kind(t, KIND_MATCH);
}

BIF(erlang, bit_size, 1) {
    return has_bits(a[0]) ? integer_from_uint64(HEAP(p), bits_size(a[0])) : raise_badarg(p);
}

BIF(erlang, byte_size, 1) {
    return has_bits(a[0]) ? integer_from_uint64(HEAP(p), (bits_size(a[0]) + 7) / 8) : raise_badarg(p);
}

BIF(erlang, size, 1) {
    if (is_tuple(a[0])) {
        return SMALL(tuple_arity(a[0]));
    }
    return is_bitstring(a[0]) ? integer_from_uint64(HEAP(p), bits_size(a[0]) / 8) : raise_badarg(p);
}

/* Bytes [position, position + length) of a bitstring; a negative length counts backwards. */
static term part(Process *p, term t, term position, term length) {
    uint64_t from;
    int64_t n;
    if (!is_bitstring(t) || !integer_to_uint64(position, &from) || !integer_to_int64(length, &n)) {
        return raise_badarg(p);
    }
    uint64_t size = bits_size(t) / 8, count = (uint64_t)n;
    if (n < 0) {
        count = -count;
        if (count > from) {
            return raise_badarg(p);
        }
        from -= count;
    }
    if (from > size || count > size - from) {
        return raise_badarg(p);
    }
    return bits_sub(HEAP(p), t, (size_t)from * 8, (size_t)count * 8);
}

BIF(erlang, binary_part, 3) {
    return part(p, a[0], a[1], a[2]);
}

BIF(erlang, binary_part, 2) {
    return is_tuple_of(a[1], 2) ? part(p, a[0], element(a[1], 1), element(a[1], 2)) : raise_badarg(p);
}

BIF(binary, part, 3) {
    return part(p, a[0], a[1], a[2]);
}

BIF(binary, part, 2) {
    return is_tuple_of(a[1], 2) ? part(p, a[0], element(a[1], 1), element(a[1], 2)) : raise_badarg(p);
}

BIF(erlang, split_binary, 2) {
    uint64_t at;
    if (!is_bitstring(a[0]) || !integer_to_uint64(a[1], &at) || at > bits_size(a[0]) / 8) {
        return raise_badarg(p);
    }
    size_t bits = (size_t)at * 8;
    term left = bits_sub(HEAP(p), a[0], 0, bits);
    return TUPLE2(HEAP(p), left, bits_sub(HEAP(p), a[0], bits, bits_size(a[0]) - bits));
}

/* --- To lists ------------------------------------------------------------------------------------------------------ */

/* The first n bytes of t in front of a list, last ones first; what takes too long is left to the next slice. */
static term bytes_to_list(Process *p, term t, size_t n, term list) {
    intptr_t reds = MAX(p->heap.reds, 10);
    size_t now = MIN(n, (size_t)reds * BYTES_PER_REDUCTION);
    Bits b = bits_of(t);
    BUMP(p, (intptr_t)(now / BYTES_PER_REDUCTION));
    for (size_t left = now; left > 0;) { /* in pieces that heap_alloc never refuses */
        size_t piece = MIN(left, HEAP_SURE / 2);
        term *cell = heap_alloc(HEAP(p), 2 * piece);
        for (size_t end = left - piece; left > end; left--, n--, cell += 2) {
            cell[0] = SMALL(bitrun_read(b.at, b.start + (n - 1) * 8, 8));
            cell[1] = list;
            list = make_cons(cell);
        }
    }
    if (n == 0) {
        return list;
    }
    return bif_trap(p, BIF_EXPORT(p, erts_internal, binary_to_list_more, 3), 3, t, SMALL(n), list);
}

BIF_REST(binary_to_list_more, 3, erts_internal, binary_to_list_continue, 1) {
    if (!is_bitstring(a[0]) || !is_small(a[1]) || small_value(a[1]) < 0 || (size_t)small_value(a[1]) > bits_size(a[0]) / 8) {
        return raise_badarg(p);
    }
    return bytes_to_list(p, a[0], (size_t)small_value(a[1]), a[2]);
}

BIF(erlang, binary_to_list, 1) {
    return is_binary(a[0]) ? bytes_to_list(p, a[0], bits_size(a[0]) / 8, NIL) : raise_badarg(p);
}

BIF(erlang, binary_to_list, 3) {
    uint64_t first, last;
    if (!is_bitstring(a[0]) || !integer_to_uint64(a[1], &first) || !integer_to_uint64(a[2], &last) || first < 1 || last < first ||
        last > bits_size(a[0]) / 8) {
        return raise_badarg(p);
    }
    size_t n = (size_t)(last - first + 1);
    return bytes_to_list(p, bits_sub(HEAP(p), a[0], (size_t)(first - 1) * 8, n * 8), n, NIL);
}

BIF(erlang, bitstring_to_list, 1) {
    if (!is_bitstring(a[0])) {
        return raise_badarg(p);
    }
    size_t whole = bits_size(a[0]) & ~(size_t)7, rest = bits_size(a[0]) - whole;
    term list = NIL;
    if (rest != 0) {
        list = heap_cons(HEAP(p), bits_sub(HEAP(p), a[0], whole, rest), NIL);
    }
    return bytes_to_list(p, a[0], whole / 8, list);
}

/* --- From lists ---------------------------------------------------------------------------------------------------- */

static term raise_iolist(Process *p, IolistResult why, term module, term name, term list) {
    return raise_error_as(p, why == IOLIST_BAD ? A_badarg : A_system_limit, module, name, 1, &list);
}

static void set_budget(Process *p, IolistWalk *w) {
    w->budget = MAX(p->heap.reds, 10) * CELLS_PER_REDUCTION;
}
static void charge(Process *p, const IolistWalk *w) {
    p->heap.reds = MIN(p->heap.reds, w->budget / CELLS_PER_REDUCTION);
}

/* What list_to_binary and its like keep when they go on later: the bytes so far. */
typedef struct {
    Resource resource;
    Buffer *out;
    bool bits;
    term module, name; /* of the built-in that began: atoms */
} ListState;

static void list_state_destroy(VM *vm, Resource *r) {
    ListState *s = (ListState *)r;
    if (s->out != NULL) {
        buffer_release(vm, s->out);
    }
    state_free(vm, r, sizeof *s);
}

static term begin_slowly(Process *p, term list, bool bits, term module, term name) {
    term ref;
    ListState *s = state_new(p, sizeof *s, list_state_destroy, &ref);
    if (s == NULL || (s->out = buffer_new(process_vm(p), 4096)) == NULL) {
        return raise_error_as(p, A_system_limit, module, name, 1, &list);
    }
    s->bits = bits, s->module = module, s->name = name;
    BUMP(p, p->heap.reds);
    return bif_trap(p, BIF_EXPORT(p, erts_internal, list_to_binary_more, 3), 3, ref, heap_cons(HEAP(p), list, NIL), list);
}

/* State, what is left of the list, and the list itself for the case that it turns out to be bad. */
BIF_REST(list_to_binary_more, 3, erts_internal, list_to_binary_continue, 1) {
    ListState *s = state_of(a[0], list_state_destroy);
    if (s == NULL || s->out == NULL) {
        return raise_badarg(p);
    }
    IolistWalk w;
    iolist_resume(&w, process_vm(p), a[1], s->bits);
    set_budget(p, &w);
    IolistResult r = iolist_append(&w, &s->out);
    charge(p, &w);
    if (r == IOLIST_LATER) {
        term left = iolist_save(&w, HEAP(p));
        iolist_end(&w);
        return bif_trap(p, BIF_EXPORT(p, erts_internal, list_to_binary_more, 3), 3, a[0], left, a[2]);
    }
    iolist_end(&w);
    if (r != IOLIST_OK) {
        return raise_iolist(p, r, s->module, s->name, a[2]);
    }
    Buffer *out = s->out, *exact = buffer_resize(process_vm(p), out, MAX((out->used + 7) / 8, 1));
    s->out = NULL;
    out = exact != NULL ? exact : out;
    return bits_from_buffer(HEAP(p), out, 0, out->used);
}

static term list_to_bits(Process *p, term list, bool bits, term module, term name) {
    if (!is_list(list)) {
        return raise_badarg(p);
    }
    if (is_cons(list) && tail(list) == NIL && is_bitstring(head(list)) && (bits || is_binary(head(list)))) {
        return head(list);
    }
    IolistWalk w;
    iolist_begin(&w, process_vm(p), list, bits);
    set_budget(p, &w);
    size_t size = 0, at = 0;
    IolistResult r = iolist_count(&w, &size);
    charge(p, &w);
    iolist_end(&w);
    if (r == IOLIST_LATER || (r == IOLIST_OK && size > FILL_AT_ONCE * 8)) {
        return begin_slowly(p, list, bits, module, name);
    }
    term result;
    uint8_t *to = NULL;
    if (r != IOLIST_OK || (to = bits_new_sized(HEAP(p), size, &result)) == NULL) {
        return raise_iolist(p, r, module, name, list);
    }
    iolist_begin(&w, process_vm(p), list, bits);
    r = iolist_fill(&w, to, &at);
    iolist_end(&w);
    assert(r == IOLIST_NO_MEMORY || at == size);
    return r == IOLIST_OK ? result : raise_iolist(p, r, module, name, list);
}

BIF(erlang, list_to_binary, 1) {
    return list_to_bits(p, a[0], false, A_erlang, A_list_to_binary);
}

BIF(binary, list_to_bin, 1) {
    return list_to_bits(p, a[0], false, A_binary, A_list_to_bin);
}

BIF(erlang, list_to_bitstring, 1) {
    return list_to_bits(p, a[0], true, A_erlang, A_list_to_bitstring);
}

BIF(erlang, iolist_to_binary, 1) {
    if (is_bitstring(a[0])) {
        return is_binary(a[0]) ? a[0] : raise_badarg(p);
    }
    return list_to_bits(p, a[0], false, A_erlang, A_iolist_to_binary);
}

/* --- Sizes of iolists ---------------------------------------------------------------------------------------------- */

static term go_on_counting(Process *p, IolistWalk *w, uint64_t bits, term list) {
    size_t size = (size_t)bits;
    set_budget(p, w);
    IolistResult r = iolist_count(w, &size);
    charge(p, w);
    term left = r == IOLIST_LATER ? iolist_save(w, HEAP(p)) : NONE;
    iolist_end(w);
    if (r == IOLIST_LATER) {
        term so_far = integer_from_uint64(HEAP(p), size);
        return bif_trap(p, BIF_EXPORT(p, erts_internal, iolist_size_more, 3), 3, left, so_far, list);
    }
    return r == IOLIST_OK ? integer_from_uint64(HEAP(p), size / 8) : raise_iolist(p, r, A_erlang, A_iolist_size, list);
}

BIF_REST(iolist_size_more, 3, erlang, iolist_size, 1) {
    uint64_t bits;
    if (!integer_to_uint64(a[1], &bits) || !is_list(a[0])) {
        return raise_badarg(p);
    }
    IolistWalk w;
    iolist_resume(&w, process_vm(p), a[0], false);
    return go_on_counting(p, &w, bits, a[2]);
}

BIF(erlang, iolist_size, 1) {
    if (is_bitstring(a[0])) {
        return is_binary(a[0]) ? SMALL(bits_size(a[0]) / 8) : raise_badarg(p);
    }
    if (!is_list(a[0])) {
        return raise_badarg(p);
    }
    IolistWalk w;
    iolist_begin(&w, process_vm(p), a[0], false);
    return go_on_counting(p, &w, 0, a[0]);
}

/* --- iolist_to_iovec: small pieces are put together, large ones stay what they are ----------------------------------- */

enum { IOVEC_SMALL = 256, IOVEC_MOST = 32 * IOVEC_SMALL };

typedef struct {
    Resource resource;
    size_t size;
    uint8_t small[IOVEC_MOST]; /* bytes that are not in the result yet */
} IovecState;

static void iovec_state_destroy(VM *vm, Resource *r) {
    state_free(vm, r, sizeof(IovecState));
}

static bool iovec_flush(Process *p, IovecState *s, term *result) {
    if (s->size > 0) {
        term piece = bits_from(HEAP(p), s->small, s->size);
        if (piece == NONE) {
            return false;
        }
        *result = heap_cons(HEAP(p), piece, *result);
        s->size = 0;
    }
    return true;
}

static bool iovec_add(Process *p, IovecState *s, Bits b, term source, term *result) {
    size_t size = b.size / 8;
    if (size >= IOVEC_SMALL && (s->size == 0 || s->size >= IOVEC_SMALL)) {
        if (!iovec_flush(p, s, result)) {
            return false;
        }
        *result = heap_cons(HEAP(p), source, *result);
        return true;
    }
    size_t take = size; /* or as much as makes the small ones large enough to stand alone, if the rest is, too */
    if (size >= IOVEC_SMALL && size + s->size >= 2 * IOVEC_SMALL) {
        take = IOVEC_SMALL - s->size;
    }
    if (s->size + take > IOVEC_MOST && !iovec_flush(p, s, result)) {
        return false;
    }
    bitrun_copy(s->small, s->size * 8, b.at, b.start, take * 8);
    s->size += take;
    if (take < size) {
        if (!iovec_flush(p, s, result)) {
            return false;
        }
        *result = heap_cons(HEAP(p), bits_sub(HEAP(p), source, take * 8, (size - take) * 8), *result);
    }
    return true;
}

/* `result` so far, last one first. */
static term go_on_with_iovec(Process *p, IolistWalk *w, term ref, IovecState *s, term result, term list) {
    Bits b;
    term source;
    IolistResult end;
    set_budget(p, w);
    while (iolist_next(w, &b, &source, &end)) {
        if (b.size > 0 && !iovec_add(p, s, b, source, &result)) {
            end = IOLIST_NO_MEMORY;
            break;
        }
        w->budget -= 1 + (intptr_t)(b.size / 8192);
    }
    charge(p, w);
    term left = end == IOLIST_LATER ? iolist_save(w, HEAP(p)) : NIL;
    iolist_end(w);
    if (end == IOLIST_LATER) {
        return bif_trap(p, BIF_EXPORT(p, erts_internal, iolist_to_iovec_more, 4), 4, ref, left, result, list);
    }
    if (end == IOLIST_OK && !iovec_flush(p, s, &result)) {
        end = IOLIST_NO_MEMORY;
    }
    if (end != IOLIST_OK) {
        return raise_iolist(p, end, A_erlang, A_iolist_to_iovec, list);
    }
    term ordered = NIL;
    for (; result != NIL; result = tail(result)) {
        ordered = heap_cons(HEAP(p), head(result), ordered);
    }
    return ordered;
}

BIF_REST(iolist_to_iovec_more, 4, erlang, iolist_to_iovec, 1) {
    IovecState *s = state_of(a[0], iovec_state_destroy);
    if (s == NULL || !is_list(a[2])) {
        return raise_badarg(p);
    }
    IolistWalk w;
    iolist_resume(&w, process_vm(p), a[1], false);
    return go_on_with_iovec(p, &w, a[0], s, a[2], a[3]);
}

BIF(erlang, iolist_to_iovec, 1) {
    if (is_bitstring(a[0])) {
        if (!is_binary(a[0])) {
            return raise_badarg(p);
        }
        return bits_size(a[0]) == 0 ? NIL : heap_cons(HEAP(p), a[0], NIL);
    }
    if (!is_list(a[0])) {
        return raise_badarg(p);
    }
    if (a[0] == NIL) {
        return NIL;
    }
    term ref;
    IovecState *s = state_new(p, sizeof *s, iovec_state_destroy, &ref);
    if (s == NULL) {
        return raise_error(p, A_system_limit);
    }
    IolistWalk w;
    iolist_begin(&w, process_vm(p), a[0], false);
    return go_on_with_iovec(p, &w, ref, s, NIL, a[0]);
}
