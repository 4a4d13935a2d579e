/* Built-ins of module binary (part/2,3 and list_to_bin/1 are in bif_bitstring.c). */
#include "bif/bif_state.h"
#include "data/bits.h"
#include "data/integer.h"
#include "data/pattern.h"

/* --- Patterns ------------------------------------------------------------------------------------------------------ */

/* A binary, or a list of them, none empty, as a pattern to search with. NULL: *reason says why. */
static Pattern *compile(VM *vm, term t, term *reason) {
    size_t count = 0, done = 0;
    *reason = A_badarg;
    term list = is_cons(t) ? t : NIL;
    for (; is_cons(list); list = tail(list), count++) {
        if (!is_binary(head(list)) || bits_size(head(list)) == 0) {
            return NULL;
        }
    }
    if (list != NIL || (count == 0 && (!is_binary(t) || bits_size(t) == 0))) {
        return NULL;
    }
    *reason = A_system_limit;
    bool one = count == 0;
    count += one;
    BitsBytes few[8], *bytes = count <= ARRAY_LEN(few) ? few : mem_alloc(&vm->mem, MEM_TEMPORARY, count * sizeof *bytes);
    Bytes few_needles[8], *needles = count <= ARRAY_LEN(few) ? few_needles : mem_alloc(&vm->mem, MEM_TEMPORARY, count * sizeof *needles);
    Pattern *p = NULL;
    if (bytes != NULL && needles != NULL) {
        for (list = t; done < count && bits_bytes(vm, one ? t : head(list), &bytes[done]); done++) {
            needles[done] = (Bytes){bytes[done].at, bytes[done].size};
            list = one ? list : tail(list);
        }
        p = done == count ? pattern_new(vm, needles, count) : NULL;
        for (size_t i = 0; i < done; i++) {
            bits_bytes_done(vm, &bytes[i]);
        }
    }
    if (bytes != few) {
        mem_free(&vm->mem, MEM_TEMPORARY, bytes, bytes == NULL ? 0 : count * sizeof *bytes);
    }
    if (needles != few_needles) {
        mem_free(&vm->mem, MEM_TEMPORARY, needles, needles == NULL ? 0 : count * sizeof *needles);
    }
    return p;
}

BIF(binary, compile_pattern, 1) {
    term reason;
    Pattern *pattern = compile(process_vm(p), a[0], &reason);
    if (pattern == NULL) {
        return raise_error(p, reason);
    }
    term tag = pattern->count == 1 ? A_bm : A_ac;
    return TUPLE2(HEAP(p), tag, heap_magic_ref(HEAP(p), &pattern->resource));
}

/* The same, or one that has been compiled before. One reference belongs to the caller. */
static Pattern *pattern_of(VM *vm, term t, term *reason) {
    if (!is_tuple(t)) {
        return compile(vm, t, reason);
    }
    *reason = A_badarg;
    if (!is_tuple_of(t, 2) || !is_magic_ref(element(t, 2))) {
        return NULL;
    }
    Resource *r = magic_resource(element(t, 2));
    if (r->type != (const void *)(uintptr_t)pattern_destroy) {
        return NULL;
    }
    if (element(t, 1) != (((Pattern *)r)->count == 1 ? A_bm : A_ac)) {
        return NULL;
    }
    resource_keep(r);
    return (Pattern *)r;
}

/* --- match, matches, split ----------------------------------------------------------------------------------------- */

enum { ALL = 1, SPLIT = 2, TRIM = 4, TRIM_ALL = 8 };
/* What one reduction pays for: bytes searched for one needle or for several, matches found, results built. */
enum { ONE_PER_REDUCTION = 256, SEVERAL_PER_REDUCTION = 64, MATCHES_PER_REDUCTION = 8 };

typedef struct {
    size_t at, length;
} Found;

/* A search under way. It lives on the C stack until it has to wait. */
typedef struct {
    Resource resource;
    Pattern *pattern;
    unsigned flags;
    size_t from, end; /* what is still to be searched */
    Found *found;
    size_t count, capacity;
    bool searched;         /* all are found; then: how many of them are not in the result yet, and where the part */
    size_t left, part_end; /* behind the next of them (from the end) ends */
    BitsBytes copy;        /* of a subject that does not begin on a byte */
} Search;

static void search_done(VM *vm, Search *s) {
    if (s->pattern != NULL) {
        resource_release(vm, &s->pattern->resource);
    }
    mem_free(&vm->mem, MEM_TEMPORARY, s->found, s->capacity * sizeof(Found));
    bits_bytes_done(vm, &s->copy);
}

static void search_destroy(VM *vm, Resource *r) {
    search_done(vm, (Search *)r);
    state_free(vm, r, sizeof(Search));
}

static bool add_found(VM *vm, Search *s, size_t at, size_t length) {
    if (s->count == s->capacity) {
        size_t capacity = MAX(2 * s->capacity, 8);
        Found *f = mem_resize(&vm->mem, MEM_TEMPORARY, s->found, s->capacity * sizeof *f, capacity * sizeof *f);
        if (f == NULL) {
            return false;
        }
        s->found = f, s->capacity = capacity;
    }
    s->found[s->count++] = (Found){at, length};
    return true;
}

typedef enum { SEARCH_DONE, SEARCH_LATER, SEARCH_NO_MEMORY } SearchResult;

static SearchResult search(Process *p, Search *s, const uint8_t *text) {
    unsigned speed = s->pattern->count == 1 ? ONE_PER_REDUCTION : SEVERAL_PER_REDUCTION;
    while (s->from < s->end && (s->count == 0 || s->flags & ALL)) {
        if (OUT_OF_TIME(p)) {
            return SEARCH_LATER;
        }
        size_t stop = MIN(s->end, s->from + (size_t)p->heap.reds * speed), at, length;
        bool any = pattern_find(s->pattern, text, s->end, s->from, stop, &at, &length);
        if (any && !add_found(process_vm(p), s, at, length)) {
            return SEARCH_NO_MEMORY;
        }
        size_t next = any ? at + length : stop;
        BUMP(p, (intptr_t)((next - s->from) / speed) + (s->count % MATCHES_PER_REDUCTION == 0 && any));
        s->from = next;
    }
    s->searched = true;
    return SEARCH_DONE;
}

static term match_result(Process *p, Search *s, term list) {
    for (; s->left > 0; s->left--) {
        if (s->left % MATCHES_PER_REDUCTION == 0) {
            if (OUT_OF_TIME(p)) {
                break;
            }
            BUMP(p, 1);
        }
        Found f = s->found[s->left - 1];
        list = heap_cons(HEAP(p), TUPLE2(HEAP(p), SMALL(f.at), SMALL(f.length)), list);
    }
    return list;
}

/* The part of the subject before s->part_end and from `from` on, unless it is empty and empty ones are not wanted. */
static term add_part(Process *p, Search *s, term subject, size_t from, term list) {
    if (from == s->part_end && s->flags & (TRIM | TRIM_ALL)) {
        return list;
    }
    s->flags &= ~(unsigned)TRIM;
    return heap_cons(HEAP(p), bits_sub(HEAP(p), subject, from * 8, (s->part_end - from) * 8), list);
}

static term split_result(Process *p, Search *s, term subject, term list) {
    for (; s->left > 0; s->left--) {
        if (s->left % MATCHES_PER_REDUCTION == 0) {
            if (OUT_OF_TIME(p)) {
                return list;
            }
            BUMP(p, 1);
        }
        Found f = s->found[s->left - 1];
        list = add_part(p, s, subject, f.at + f.length, list);
        s->part_end = f.at;
    }
    return add_part(p, s, subject, 0, list);
}

static term go_on_later(Process *p, Search *s, term ref, term subject, term list) {
    if (ref == NONE) { /* it moves off the C stack */
        Search *kept = state_new(p, sizeof *kept, search_destroy, &ref);
        if (kept == NULL) {
            search_done(process_vm(p), s);
            return raise_error(p, A_system_limit);
        }
        s->resource = kept->resource;
        *kept = *s;
    }
    BUMP(p, p->heap.reds);
    return bif_trap(p, BIF_EXPORT(p, erts_internal, binary_find_more, 3), 3, ref, subject, list);
}

/* Goes on with a search: ref is NONE as long as it is on the C stack. */
static term find(Process *p, Search *s, term ref, term subject, term list) {
    VM *vm = process_vm(p);
    if (!s->searched) {
        const uint8_t *text = s->copy.owned;
        if (text == NULL) {
            if (!bits_bytes(vm, subject, &s->copy)) {
                goto no_memory;
            }
            text = s->copy.at;
        }
        switch (search(p, s, text)) {
        case SEARCH_DONE:
            s->left = s->count;
            s->part_end = bits_size(subject) / 8;
            break;
        case SEARCH_LATER: return go_on_later(p, s, ref, subject, list);
        case SEARCH_NO_MEMORY: goto no_memory;
        }
    }
    if (s->flags & SPLIT) {
        list = split_result(p, s, subject, list);
    } else if (s->flags & ALL) {
        list = match_result(p, s, list);
    } else {
        list = s->count == 0 ? A_nomatch : TUPLE2(HEAP(p), SMALL(s->found[0].at), SMALL(s->found[0].length));
        s->left = 0;
    }
    if (s->left > 0) {
        return go_on_later(p, s, ref, subject, list);
    }
    if (ref == NONE) {
        search_done(vm, s);
    }
    return list;
no_memory:
    if (ref == NONE) {
        search_done(vm, s);
    }
    return raise_error(p, A_system_limit);
}

BIF_REST(binary_find_more, 3, erlang, binary_find_trap, 3) {
    Search *s = state_of(a[0], search_destroy);
    return s == NULL ? raise_badarg(p) : find(p, s, a[0], a[1], a[2]);
}

/* [{scope, {Start, Length}}], and for split also global, trim and trim_all; the last scope counts. */
static bool parse_options(term list, size_t size, Search *s) {
    s->from = 0, s->end = size;
    if (!is_list(list)) {
        return false;
    }
    for (; is_cons(list); list = tail(list)) {
        term t = head(list);
        if (s->flags & SPLIT && (t == A_global || t == A_trim || t == A_trim_all)) {
            s->flags |= t == A_global ? ALL : t == A_trim ? TRIM : TRIM_ALL;
            continue;
        }
        uint64_t from;
        int64_t n;
        if (!is_tuple_of(t, 2) || element(t, 1) != A_scope || !is_tuple_of(element(t, 2), 2) ||
            !integer_to_uint64(element(element(t, 2), 1), &from) || !integer_to_int64(element(element(t, 2), 2), &n)) {
            return false;
        }
        uint64_t count = (uint64_t)n;
        if (n < 0) {
            count = -count;
            if (count > from) {
                return false;
            }
            from -= count;
        }
        if (from > size || count > size - from) {
            return false;
        }
        s->from = (size_t)from, s->end = (size_t)(from + count);
    }
    return true;
}

static term begin_find(Process *p, term subject, term needles, term options, unsigned flags) {
    Search s = {.flags = flags};
    if (!is_binary(subject) || !parse_options(options, bits_size(subject) / 8, &s)) {
        return raise_badarg(p);
    }
    if (s.end == 0) { /* as in OTP, whatever the needles are */
        if (s.flags & SPLIT) {
            bool none = s.flags & (TRIM | TRIM_ALL) && bits_size(subject) == 0;
            return none ? NIL : heap_cons(HEAP(p), subject, NIL);
        }
        return s.flags & ALL ? NIL : A_nomatch;
    }
    term reason;
    s.pattern = pattern_of(process_vm(p), needles, &reason);
    return s.pattern == NULL ? raise_error(p, reason) : find(p, &s, NONE, subject, NIL);
}

BIF(binary, match, 2) {
    return begin_find(p, a[0], a[1], NIL, 0);
}

BIF(binary, match, 3) {
    return begin_find(p, a[0], a[1], a[2], 0);
}

BIF(binary, matches, 2) {
    return begin_find(p, a[0], a[1], NIL, ALL);
}

BIF(binary, matches, 3) {
    return begin_find(p, a[0], a[1], a[2], ALL);
}

BIF(binary, split, 2) {
    return begin_find(p, a[0], a[1], NIL, SPLIT);
}

BIF(binary, split, 3) {
    return begin_find(p, a[0], a[1], a[2], SPLIT);
}

/* --- longest_common_prefix and suffix ------------------------------------------------------------------------------ */

enum { COMPARED_PER_REDUCTION = 1024 };

/* How many of at most n bytes, from byte `from` on, are the same in both, counted from the beginning or the end. */
static size_t common(Bits x, Bits y, size_t from, size_t n, bool suffix) {
    size_t same = 0;
    while (same < n) {
        unsigned step = (unsigned)MIN(n - same, 8);
        size_t k = (from + same) * 8;
        size_t i = suffix ? x.size - k - step * 8 : k, j = suffix ? y.size - k - step * 8 : k;
        uint64_t differ = bitrun_read(x.at, x.start + i, step * 8) ^ bitrun_read(y.at, y.start + j, step * 8);
        if (differ != 0) {
            unsigned bits = suffix ? (unsigned)__builtin_ctzll(differ) : (unsigned)__builtin_clzll(differ << (64 - step * 8));
            return same + bits / 8;
        }
        same += step;
    }
    return same;
}

/* Compares the first with those in rest; `best` bytes are common so far, and `at` bytes of the next have been compared. */
static term common_in_all(Process *p, term first, term rest, size_t best, size_t at, bool suffix) {
    while (is_cons(rest)) {
        Bits x = bits_of(first), y = bits_of(head(rest));
        best = MIN(best, y.size / 8);
        while (at < best) {
            if (OUT_OF_TIME(p)) {
                return bif_trap(p, BIF_EXPORT(p, erts_internal, binary_common_more, 5), 5, first, rest, SMALL(best), SMALL(at),
                                suffix ? A_true : A_false);
            }
            size_t n = MIN(best - at, (size_t)p->heap.reds * COMPARED_PER_REDUCTION);
            size_t same = common(x, y, at, n, suffix);
            BUMP(p, 1 + (intptr_t)(same / COMPARED_PER_REDUCTION));
            at += same;
            if (same < n) {
                best = at;
            }
        }
        rest = tail(rest), at = 0;
    }
    return SMALL(best);
}

static bool are_binaries(term list) {
    for (; is_cons(list); list = tail(list)) {
        if (!is_binary(head(list))) {
            return false;
        }
    }
    return list == NIL;
}

BIF_REST(binary_common_more, 5, erlang, binary_longest_prefix_trap, 3) {
    if (!is_binary(a[0]) || !are_binaries(a[1]) || !is_small(a[2]) || !is_small(a[3]) || small_value(a[2]) < 0 ||
        (size_t)small_value(a[2]) > bits_size(a[0]) / 8 || small_value(a[3]) < 0) {
        return raise_badarg(p);
    }
    return common_in_all(p, a[0], a[1], (size_t)small_value(a[2]), (size_t)small_value(a[3]), a[4] == A_true);
}

static term longest_common(Process *p, term list, bool suffix) {
    if (!is_cons(list) || !are_binaries(list)) {
        return raise_badarg(p);
    }
    return common_in_all(p, head(list), tail(list), bits_size(head(list)) / 8, 0, suffix);
}

BIF(binary, longest_common_prefix, 1) {
    return longest_common(p, a[0], false);
}

BIF(binary, longest_common_suffix, 1) {
    return longest_common(p, a[0], true);
}

/* --- Single bytes -------------------------------------------------------------------------------------------------- */

static term byte_at(Process *p, term t, uint64_t i) {
    if (!is_binary(t) || i >= bits_size(t) / 8) {
        return raise_badarg(p);
    }
    Bits b = bits_of(t);
    return SMALL(bitrun_read(b.at, b.start + (size_t)i * 8, 8));
}

BIF(binary, first, 1) {
    return byte_at(p, a[0], 0);
}

BIF(binary, last, 1) {
    return byte_at(p, a[0], is_bitstring(a[0]) ? (uint64_t)(bits_size(a[0]) / 8) - 1 : 0);
}

BIF(binary, at, 2) {
    uint64_t i;
    return integer_to_uint64(a[1], &i) ? byte_at(p, a[0], i) : raise_badarg(p);
}

/* --- copy ---------------------------------------------------------------------------------------------------------- */

enum { COPIED_PER_REDUCTION = 1024 };

typedef struct {
    Resource resource;
    Buffer *out;
    size_t at; /* bytes done */
} CopyState;

static void copy_state_destroy(VM *vm, Resource *r) {
    CopyState *s = (CopyState *)r;
    if (s->out != NULL) {
        buffer_release(vm, s->out);
    }
    state_free(vm, r, sizeof *s);
}

/* Bytes [at, at + n) of copies of `from`, of which everything before `at` is there. */
static void copy_some(uint8_t *to, size_t at, size_t n, Bits from) {
    size_t unit = from.size / 8;
    assert(unit > 0);
    for (size_t end = at + n; at < end;) {
        size_t piece;
        if (at < unit) {
            piece = MIN(end, unit) - at;
            bitrun_copy(to, at * 8, from.at, from.start + at * 8, piece * 8);
        } else { /* from itself: what is done so far repeats every `unit` bytes */
            size_t whole = at / unit * unit;
            piece = MIN(end - at, whole);
            piece = MIN(piece, whole - at % unit);
            memcpy(to + at, to + at % unit, piece);
        }
        at += piece;
    }
}

static term copy_more(Process *p, CopyState *s, term ref, term t) {
    size_t size = s->out->capacity;
    size_t n = MIN(size - s->at, (size_t)MAX(p->heap.reds, 100) * COPIED_PER_REDUCTION);
    copy_some(s->out->data, s->at, n, bits_of(t));
    s->at += n;
    BUMP(p, (intptr_t)(n / COPIED_PER_REDUCTION));
    if (s->at < size) {
        return bif_trap(p, BIF_EXPORT(p, erts_internal, binary_copy_more, 2), 2, ref, t);
    }
    Buffer *out = s->out;
    s->out = NULL;
    out->used = size * 8;
    return bits_from_buffer(HEAP(p), out, 0, out->used);
}

BIF_REST(binary_copy_more, 2, erlang, binary_copy_trap, 2) {
    CopyState *s = state_of(a[0], copy_state_destroy);
    return s == NULL || s->out == NULL ? raise_badarg(p) : copy_more(p, s, a[0], a[1]);
}

static term copy(Process *p, term t, term times) {
    uint64_t n;
    if (!is_bitstring(t) || !integer_to_uint64(times, &n)) {
        return raise_badarg(p);
    }
    if (n == 0) {
        return bits_from(HEAP(p), NULL, 0);
    }
    if (!is_binary(t)) {
        return raise_badarg(p);
    }
    size_t size;
    if (__builtin_mul_overflow(bits_size(t) / 8, n, &size) || size > BITS_SIZE_MAX / 8) {
        return raise_error(p, A_system_limit);
    }
    if (size <= 100 * COPIED_PER_REDUCTION) {
        term result;
        uint8_t *to = bits_new(HEAP(p), size, &result);
        if (to == NULL) {
            return raise_heap_reason(p);
        }
        if (size > 0) {
            copy_some(to, 0, size, bits_of(t));
        }
        BUMP(p, (intptr_t)(size / COPIED_PER_REDUCTION));
        return result;
    }
    term ref;
    CopyState *s = state_new(p, sizeof *s, copy_state_destroy, &ref);
    if (s == NULL || (s->out = buffer_new(process_vm(p), size)) == NULL) {
        return raise_error(p, A_system_limit);
    }
    return copy_more(p, s, ref, t);
}

BIF(binary, copy, 1) {
    return copy(p, a[0], SMALL(1));
}

BIF(binary, copy, 2) {
    return copy(p, a[0], a[1]);
}

BIF(binary, referenced_byte_size, 1) {
    if (!is_bitstring(a[0])) {
        return raise_badarg(p);
    }
    term base = kind_of(a[0]) == KIND_VIEW ? ((View *)boxed(a[0]))->base : a[0];
    if (kind_of(base) == KIND_BUFFER) {
        return integer_from_uint64(HEAP(p), ((BufferRef *)boxed(base))->buffer->capacity);
    }
    return SMALL((((HeapBits *)boxed(base))->bits + 7) / 8);
}

/* --- Integers as bytes --------------------------------------------------------------------------------------------- */

static term encode_unsigned(Process *p, term n, term order) {
    if (!is_integer(n) || integer_is_negative(n) || (order != A_big && order != A_little)) {
        return raise_badarg(p);
    }
    size_t size = MAX(integer_magnitude_size(n), 1);
    term t;
    uint8_t *to = bits_new(HEAP(p), size, &t);
    if (to == NULL) {
        return raise_heap_reason(p);
    }
    integer_to_bytes(n, to, size * 8, order == A_little ? INTEGER_LITTLE : 0);
    return t;
}

static term decode_unsigned(Process *p, term t, term order) {
    if (!is_binary(t) || (order != A_big && order != A_little)) {
        return raise_badarg(p);
    }
    Bits b = bits_of(t);
    term n = integer_from_bits(HEAP(p), b.at, b.start, b.size, order == A_little ? INTEGER_LITTLE : 0);
    return n == NONE ? raise_heap_reason(p) : n;
}

BIF(binary, encode_unsigned, 1) {
    return encode_unsigned(p, a[0], A_big);
}

BIF(binary, encode_unsigned, 2) {
    return encode_unsigned(p, a[0], a[1]);
}

BIF(binary, decode_unsigned, 1) {
    return decode_unsigned(p, a[0], A_big);
}

BIF(binary, decode_unsigned, 2) {
    return decode_unsigned(p, a[0], a[1]);
}
