/* Built-ins of module unicode, and what else depends on the encoding of text.

   Whatever the input, it becomes UTF-8 first; characters_to_list makes a list of that. What cannot be converted is handed
   back as it stood in the input, in the form that OTP gives it: the rest of the innermost list, put in front of the rest of
   the list around it, and so on outwards. */
#include "base/utf8.h"
#include "bif/bif_state.h"
#include "bif/system_flags.h"
#include "data/bits.h"
#include "data/integer.h"
#include "platform/platform.h"

enum { CELLS_PER_REDUCTION = 16, BYTES_PER_REDUCTION = 256, CHARS_PER_REDUCTION = 32, PIECE_MIN = 1024 };

/* --- UTF-8 in bytes ------------------------------------------------------------------------------------------------ */

/* The length of the character at p; 0: it goes on behind the end; -1: it is none. */
static int sequence(const uint8_t *p, size_t n) {
    uint8_t c = p[0];
    if (c < 0x80) {
        return 1;
    }
    int length = (c & 0xe0) == 0xc0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : (c & 0xf8) == 0xf0 ? 4 : -1;
    if (length < 0 || n < (size_t)length) {
        return length < 0 ? -1 : 0;
    }
    for (int i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return -1;
        }
    }
    switch (length) {
    case 2: return c < 0xc2 ? -1 : 2;
    case 3: return (c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] >= 0xa0) ? -1 : 3;
    default: return (c == 0xf0 && p[1] < 0x90) || c > 0xf4 || (c == 0xf4 && p[1] >= 0x90) ? -1 : 4;
    }
}

/* How many of the first bytes are characters; *next: what sequence() said of what follows, 1 at the end. */
static size_t valid_prefix(const uint8_t *p, size_t n, int *next) {
    size_t i = 0;
    *next = 1;
    while (i < n) {
        uint64_t eight;
        if (n - i >= 8 && (memcpy(&eight, p + i, 8), (eight & 0x8080808080808080u) == 0)) {
            i += 8;
            continue;
        }
        *next = sequence(p + i, n - i);
        if (*next <= 0) {
            break;
        }
        i += (size_t)*next;
    }
    return i;
}

/* Are these the beginning of a character, as far as they go? */
static bool may_go_on(const uint8_t *p, size_t n) {
    size_t length = (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : 4;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return false;
        }
    }
    return n < length;
}

/* --- Results ------------------------------------------------------------------------------------------------------- */

/* What was converted, and how it ended: ok, error or incomplete, with the rest. */
static term make_result(Process *p, term converted, term status, term rest) {
    return status == A_ok ? converted : TUPLE3(HEAP(p), status, converted, rest);
}

/* The characters of the first `end` bytes of a binary of UTF-8, in front of a list; last ones first. */
static term make_list(Process *p, term t, size_t end, term list, term status, term rest) {
    Bits b = bits_of(t);
    intptr_t chars = MAX(p->heap.reds, 4) * CHARS_PER_REDUCTION;
    BUMP(p, chars / CHARS_PER_REDUCTION);
    while (end > 0 && chars > 0) {
        size_t piece = MIN(MIN((size_t)chars, end), HEAP_SURE / 2);
        term *cell = heap_alloc(HEAP(p), 2 * piece), *stop = cell + 2 * piece;
        for (; end > 0 && cell < stop; cell += 2, chars--) {
            uint32_t c = b.at[--end];
            if (c >= 0x80) {
                uint32_t value = 0;
                unsigned shift = 0;
                for (; (c & 0xc0) == 0x80 && end > 0 && shift < 18; c = b.at[--end], shift += 6) {
                    value |= (c & 0x3f) << shift;
                }
                c = value | (c & (0x3f >> shift / 6)) << shift;
            }
            cell[0] = SMALL(c);
            cell[1] = list;
            list = make_cons(cell);
        }
        heap_release(HEAP(p), cell, stop);
    }
    if (end == 0) {
        BUMP(p, -(chars / CHARS_PER_REDUCTION));
        return make_result(p, list, status, rest);
    }
    return bif_trap(p, BIF_EXPORT(p, erts_internal, utf8_to_list_more, 5), 5, t, SMALL(end), list, status, rest);
}

BIF_REST(utf8_to_list_more, 5, erlang, characters_to_list_trap_2, 3) {
    if (!is_bitstring(a[0]) || bits_of(a[0]).start != 0 || !is_small(a[1]) || small_value(a[1]) < 0 ||
        (size_t)small_value(a[1]) > bits_size(a[0]) / 8) {
        return raise_badarg(p);
    }
    return make_list(p, a[0], (size_t)small_value(a[1]), a[2], a[3], a[4]);
}

/* --- A binary of UTF-8 that needs no conversion --------------------------------------------------------------------- */

static term scan(Process *p, term t, size_t at, bool as_list) {
    Bits b = bits_of(t);
    size_t size = b.size / 8;
    if (b.start != 0) {
        t = bits_copy(HEAP(p), b);
        if (t == NONE) {
            return raise_heap_reason(p);
        }
        b = bits_of(t);
    }
    size_t limit = (size_t)MAX(p->heap.reds, 4) * BYTES_PER_REDUCTION;
    bool all = size - at <= limit;
    size_t n = all ? size - at : limit;
    int next;
    size_t good = valid_prefix(b.at + at, n, &next);
    BUMP(p, (intptr_t)(good / BYTES_PER_REDUCTION));
    at += good;
    if (next >= 0 && !all) {
        return bif_trap(p, BIF_EXPORT(p, erts_internal, utf8_scan_more, 3), 3, t, SMALL(at), as_list ? A_true : A_false);
    }
    term status = next > 0 ? A_ok : next < 0 ? A_error : A_incomplete;
    if (next == 0 && !may_go_on(b.at + at, size - at)) {
        status = A_error;
    }
    term rest = status == A_ok ? NIL : bits_sub(HEAP(p), t, at * 8, (size - at) * 8);
    if (as_list) {
        return make_list(p, t, at, NIL, status, rest);
    }
    return make_result(p, status == A_ok ? t : bits_sub(HEAP(p), t, 0, at * 8), status, rest);
}

BIF_REST(utf8_scan_more, 3, erlang, characters_to_utf8_trap, 3) {
    if (!is_binary(a[0]) || !is_small(a[1]) || small_value(a[1]) < 0 || (size_t)small_value(a[1]) > bits_size(a[0]) / 8) {
        return raise_badarg(p);
    }
    return scan(p, a[0], (size_t)small_value(a[1]), a[2] == A_true);
}

/* --- Everything else ----------------------------------------------------------------------------------------------- */

/* Walks nested lists; `stack` holds what comes after the list that is being walked, outermost first. */
typedef struct {
    VM *vm;
    term at;
    term *stack;
    size_t depth, capacity;
    intptr_t budget;
    term few[16];
} Walk;

static void walk_begin(Walk *w, Process *p, term t) {
    w->vm = process_vm(p);
    w->at = t;
    w->stack = w->few;
    w->depth = 0, w->capacity = ARRAY_LEN(w->few);
    w->budget = MAX(p->heap.reds, 4) * CELLS_PER_REDUCTION;
}

static bool walk_push(Walk *w, term t) {
    if (w->depth == w->capacity) {
        size_t old = w->capacity * sizeof(term);
        bool first = w->stack == w->few;
        term *s = mem_resize(&w->vm->mem, MEM_TEMPORARY, first ? NULL : w->stack, first ? 0 : old, 2 * old);
        if (s == NULL) {
            return false;
        }
        if (first) {
            memcpy(s, w->few, old);
        }
        w->stack = s, w->capacity *= 2;
    }
    w->stack[w->depth++] = t;
    return true;
}

/* Ends the walk; what was not walked, as a term. */
static term walk_rest(Walk *w, Process *p) {
    term t = w->at;
    while (w->depth > 0) {
        t = heap_cons(HEAP(p), t, w->stack[--w->depth]);
    }
    if (w->stack != w->few) {
        mem_free(&w->vm->mem, MEM_TEMPORARY, w->stack, w->capacity * sizeof(term));
        w->stack = w->few;
    }
    BUMP(p, MAX(p->heap.reds, 4) - MAX(w->budget, 0) / CELLS_PER_REDUCTION);
    return t;
}

/* A conversion under way. It lives on the C stack until it has to wait. */
typedef struct {
    Resource resource;
    Buffer *out;   /* UTF-8 so far; `used` in bits */
    term encoding; /* atom */
    bool latin1, as_list;
    bool failed;      /* what is left cannot be converted; it must only be seen whether it is text at all */
    uint8_t begun[4]; /* the beginning of a character whose end must be in the next binary */
    uint8_t begun_count;
} Conversion;

static void conversion_destroy(VM *vm, Resource *r) {
    Conversion *c = (Conversion *)r;
    if (c->out != NULL) {
        buffer_release(vm, c->out);
    }
    state_free(vm, r, sizeof *c);
}

typedef enum { CONVERT_DONE, CONVERT_FAILED, CONVERT_LATER, CONVERT_BAD, CONVERT_NO_MEMORY } ConvertResult;

/* Where to write so many more bytes. NULL: no memory. */
static uint8_t *room(VM *vm, Conversion *c, size_t bytes) {
    size_t used = c->out->used / 8;
    if (c->out->capacity - used < bytes) {
        if (bytes > BITS_SIZE_MAX / 16) {
            return NULL;
        }
        Buffer *b = buffer_resize(vm, c->out, MAX(used + bytes, 2 * c->out->capacity));
        if (b == NULL) {
            return NULL;
        }
        c->out = b;
    }
    return c->out->data + used;
}

static ConvertResult add_char(VM *vm, Conversion *c, term t) {
    uintptr_t v = (uintptr_t)small_value(t);
    if (c->begun_count > 0 || v > (c->latin1 ? 0xff : 0x10ffff) || !is_character((uint32_t)v)) {
        return CONVERT_FAILED;
    }
    uint8_t *to = room(vm, c, 4);
    if (to == NULL) {
        return CONVERT_NO_MEMORY;
    }
    c->out->used += 8 * utf8_write(to, (uint32_t)v);
    return CONVERT_DONE;
}

static size_t latin1_to_utf8(uint8_t *to, const uint8_t *from, size_t n) {
    uint8_t *start = to;
    for (size_t i = 0; i < n; i++) {
        if (from[i] < 0x80) {
            *to++ = from[i];
        } else {
            *to++ = 0xc0 | from[i] >> 6;
            *to++ = 0x80 | (from[i] & 0x3f);
        }
    }
    return (size_t)(to - start);
}

/* Completes the character that has begun. Returns how many bytes of p it took; -1: together they are no character. */
static ptrdiff_t complete_char(Conversion *c, const uint8_t *p, size_t n) {
    size_t have = c->begun_count, length = (c->begun[0] & 0xe0) == 0xc0 ? 2 : (c->begun[0] & 0xf0) == 0xe0 ? 3 : 4;
    size_t take = MIN(length - have, n);
    memcpy(c->begun + have, p, take);
    if (have + take < length) {
        c->begun_count = (uint8_t)(have + take);
        return (ptrdiff_t)take;
    }
    if (sequence(c->begun, length) < 0) {
        return -1;
    }
    memcpy(c->out->data + c->out->used / 8, c->begun, length); /* the caller has made room */
    c->out->used += length * 8;
    c->begun_count = 0;
    return (ptrdiff_t)take;
}

/* Adds n bytes. *done: how many of them have been converted. */
static ConvertResult add_bytes(VM *vm, Conversion *c, const uint8_t *p, size_t n, size_t *done) {
    uint8_t *to = room(vm, c, c->latin1 ? 2 * n : n + sizeof c->begun);
    *done = 0;
    if (to == NULL) {
        return CONVERT_NO_MEMORY;
    }
    if (c->latin1) {
        c->out->used += 8 * latin1_to_utf8(to, p, n);
        *done = n;
        return CONVERT_DONE;
    }
    if (c->begun_count > 0 && n > 0) {
        ptrdiff_t took = complete_char(c, p, n);
        if (took < 0) {
            return CONVERT_FAILED;
        }
        p += took, n -= (size_t)took, *done = (size_t)took;
    }
    int next;
    size_t good = valid_prefix(p, n, &next);
    memcpy(c->out->data + c->out->used / 8, p, good);
    c->out->used += good * 8;
    *done += good;
    if (next == 0) {
        c->begun_count = (uint8_t)(n - good);
        memcpy(c->begun, p + good, n - good);
        *done += n - good;
    }
    return next < 0 ? CONVERT_FAILED : CONVERT_DONE;
}

/* Adds a binary, or as much of it as the budget allows. *rest: what has not been converted, if the result is not DONE. */
static ConvertResult add_binary(Process *p, Walk *w, Conversion *c, term t, term *rest) {
    *rest = t;
    if (!is_binary(t)) {
        return CONVERT_BAD;
    }
    BitsBytes b;
    if (!bits_bytes(w->vm, t, &b)) {
        return CONVERT_NO_MEMORY;
    }
    size_t limit = MAX((size_t)MAX(w->budget, 0) * (BYTES_PER_REDUCTION / CELLS_PER_REDUCTION), PIECE_MIN), n = MIN(b.size, limit);
    while (n < b.size && n < limit + 4 && (b.at[n] & 0xc0) == 0x80 && !c->latin1) {
        n++; /* not to cut a character in two */
    }
    size_t done;
    ConvertResult r = add_bytes(w->vm, c, b.at, n, &done);
    w->budget -= (intptr_t)(done * CELLS_PER_REDUCTION / BYTES_PER_REDUCTION);
    if (r == CONVERT_FAILED || (r == CONVERT_DONE && n < b.size)) {
        *rest = bits_sub(HEAP(p), t, done * 8, (b.size - done) * 8);
        r = r == CONVERT_DONE ? CONVERT_LATER : r;
    }
    bits_bytes_done(w->vm, &b);
    return r;
}

static ConvertResult convert(Process *p, Walk *w, Conversion *c) {
    for (;;) {
        term t = w->at, rest;
        ConvertResult r = CONVERT_DONE;
        if (is_cons(t)) {
            if (--w->budget < 0) {
                return CONVERT_LATER;
            }
            term first = head(t);
            if (is_small(first)) {
                r = add_char(w->vm, c, first);
            } else if (is_cons(first)) {
                if (!walk_push(w, tail(t))) {
                    return CONVERT_NO_MEMORY;
                }
                w->at = first;
                continue;
            } else if (is_bitstring(first)) {
                r = add_binary(p, w, c, first, &rest);
                if (r != CONVERT_DONE) {
                    w->at = heap_cons(HEAP(p), rest, tail(t));
                }
            } else if (first != NIL) {
                return is_big(first) ? CONVERT_FAILED : CONVERT_BAD;
            }
            if (r != CONVERT_DONE) {
                return r;
            }
            w->at = tail(t);
        } else if (t == NIL) {
            if (w->depth == 0) {
                return CONVERT_DONE;
            }
            w->at = w->stack[--w->depth];
        } else if (is_bitstring(t)) {
            r = add_binary(p, w, c, t, &rest);
            w->at = r == CONVERT_DONE ? NIL : rest;
            if (r != CONVERT_DONE) {
                return r;
            }
        } else {
            return CONVERT_BAD;
        }
    }
}

/* After a failure: is the rest text at all, as far as the first large integer (as in OTP)? */
static ConvertResult check(Walk *w) {
    for (;;) {
        term t = w->at;
        if (is_cons(t)) {
            if (--w->budget < 0) {
                return CONVERT_LATER;
            }
            term first = head(t);
            w->at = tail(t);
            if (is_cons(first)) {
                if (!walk_push(w, w->at)) {
                    return CONVERT_NO_MEMORY;
                }
                w->at = first;
            } else if (is_big(first)) {
                return CONVERT_DONE;
            } else if (!is_small(first) && first != NIL && !is_binary(first)) {
                return CONVERT_BAD;
            }
        } else if (t == NIL || is_binary(t)) {
            if (w->depth == 0) {
                return CONVERT_DONE;
            }
            w->at = w->stack[--w->depth];
        } else {
            return CONVERT_BAD;
        }
    }
}

static term raise_as_begun(Process *p, const Conversion *c, term reason, term whole) {
    term args[2] = {whole, c->encoding};
    return raise_error_as(p, reason, A_unicode, c->as_list ? A_characters_to_list : A_characters_to_binary, 2, args);
}

/* Hands over the UTF-8; out is not to be used any more. NONE: no memory. */
static term take_output(Process *p, Conversion *c) {
    Buffer *out = c->out;
    size_t size = out->used / 8;
    if (size > BITS_ON_HEAP_MAX) {
        Buffer *exact = buffer_resize(process_vm(p), out, size);
        c->out = NULL;
        return bits_from_buffer(HEAP(p), exact != NULL ? exact : out, 0, size * 8);
    }
    return bits_from(HEAP(p), out->data, size);
}

static term conversion_result(Process *p, Conversion *c, term rest) {
    term status = c->failed ? A_error : A_ok;
    if (c->begun_count > 0) {
        term begun = bits_from(HEAP(p), c->begun, c->begun_count);
        if (c->failed) {
            rest = heap_cons(HEAP(p), begun, heap_cons(HEAP(p), rest, NIL));
        } else {
            rest = begun;
            status = may_go_on(c->begun, c->begun_count) ? A_incomplete : A_error;
        }
    }
    term utf8 = take_output(p, c);
    if (c->as_list) {
        return make_list(p, utf8, bits_size(utf8) / 8, NIL, status, rest);
    }
    return make_result(p, utf8, status, rest);
}

/* Goes on with what is left (`rest`, and when converting has failed, `todo` of it to be checked). */
static term go_on(Process *p, Conversion *c, term ref, term rest, term todo, term whole) {
    Walk w;
    ConvertResult r = CONVERT_FAILED;
    if (!c->failed) {
        walk_begin(&w, p, rest);
        r = convert(p, &w, c);
        rest = todo = walk_rest(&w, p);
        c->failed = r == CONVERT_FAILED;
    }
    if (c->failed) {
        walk_begin(&w, p, todo);
        r = check(&w);
        todo = walk_rest(&w, p);
    }
    switch (r) {
    case CONVERT_LATER:
        if (ref == NONE) {
            Conversion *kept = state_new(p, sizeof *kept, conversion_destroy, &ref);
            if (kept == NULL) {
                return raise_as_begun(p, c, A_system_limit, whole);
            }
            Resource resource = kept->resource;
            *kept = *c;
            kept->resource = resource;
            c->out = NULL;
        }
        return bif_trap(p, BIF_EXPORT(p, erts_internal, characters_more, 4), 4, ref, rest, todo, whole);
    case CONVERT_BAD: return raise_as_begun(p, c, A_badarg, whole);
    case CONVERT_NO_MEMORY: return raise_as_begun(p, c, A_system_limit, whole);
    default: return conversion_result(p, c, rest);
    }
}

BIF_REST(characters_more, 4, erlang, characters_to_utf8_trap, 3) {
    Conversion *c = state_of(a[0], conversion_destroy);
    return c == NULL || c->out == NULL ? raise_badarg(p) : go_on(p, c, a[0], a[1], a[2], a[3]);
}

static term begin_conversion(Process *p, term t, const term *a, bool as_list) {
    if (!is_list(t) && !is_binary(t)) {
        return raise_badarg(p);
    }
    VM *vm = process_vm(p);
    Conversion c = {.encoding = a[1], .latin1 = a[1] == A_latin1, .as_list = as_list, .out = buffer_new(vm, 256)};
    if (c.out == NULL) {
        return raise_error(p, A_system_limit);
    }
    term result = go_on(p, &c, NONE, t, NIL, a[0]);
    if (c.out != NULL) {
        buffer_release(vm, c.out);
    }
    return result;
}

/* Is this a short flat list of characters already? Then it need not be made again. */
static bool is_flat_text(Process *p, term t, bool latin1) {
    intptr_t budget = MAX(p->heap.reds, 4) * CELLS_PER_REDUCTION, left = budget;
    for (; is_cons(t) && left > 0; t = tail(t), left--) {
        term c = head(t);
        if (!is_small(c) || (uintptr_t)small_value(c) > (latin1 ? 0xff : 0x10ffff) || !is_character((uint32_t)small_value(c))) {
            return false;
        }
    }
    BUMP(p, (budget - left) / CELLS_PER_REDUCTION);
    return t == NIL;
}

static term other_encoding(Process *p, term name, const term *a) {
    const Export *to = export_get(process_vm(p), A_unicode, name, 2);
    return to == NULL ? raise_error(p, A_system_limit) : bif_trap(p, to, 2, a[0], a[1]);
}

BIF(unicode, characters_to_binary, 2) {
    bool latin1 = a[1] == A_latin1;
    if (!latin1 && a[1] != A_unicode && a[1] != A_utf8) {
        return other_encoding(p, A_characters_to_binary_int, a);
    }
    bool one = is_cons(a[0]) && tail(a[0]) == NIL && is_bitstring(head(a[0]));
    term t = one ? head(a[0]) : a[0];
    if (!latin1 && is_bitstring(t)) {
        return is_binary(t) ? scan(p, t, 0, false) : raise_badarg(p);
    }
    return begin_conversion(p, t, a, false);
}

BIF(unicode, characters_to_list, 2) {
    bool latin1 = a[1] == A_latin1;
    if (!latin1 && a[1] != A_unicode && a[1] != A_utf8) {
        return other_encoding(p, A_characters_to_list_int, a);
    }
    if (!latin1 && is_bitstring(a[0])) {
        return is_binary(a[0]) ? scan(p, a[0], 0, true) : raise_badarg(p);
    }
    if (is_flat_text(p, a[0], latin1)) {
        return a[0];
    }
    return begin_conversion(p, a[0], a, true);
}

BIF(unicode, bin_is_7bit, 1) {
    if (!is_binary(a[0])) {
        return A_false;
    }
    Bits b = bits_of(a[0]);
    size_t size = b.size / 8, n = MIN(size, (size_t)MAX(p->heap.reds, 4) * BYTES_PER_REDUCTION * 4);
    for (size_t i = 0; i < n; i += 8) {
        unsigned step = (unsigned)MIN(n - i, 8) * 8;
        if (bitrun_read(b.at, b.start + i * 8, step) & 0x8080808080808080u) {
            return A_false;
        }
    }
    BUMP(p, (intptr_t)(n / BYTES_PER_REDUCTION / 4));
    if (n == size) {
        return A_true;
    }
    return bif_trap(p, BIF_EXPORT(p, unicode, bin_is_7bit, 1), 1, bits_sub(HEAP(p), a[0], n * 8, (size - n) * 8));
}

/* --- What the user's terminal and file system understand -------------------------------------------------------------- */

BIF(io, printable_range, 0) {
    return process_vm(p)->flags->unicode_printable ? A_unicode : A_latin1;
}

BIF(file, native_name_encoding, 0) {
    char asked = process_vm(p)->flags->file_names;
    return (asked == '\0' ? platform_utf8() : asked == 'u') ? A_utf8 : A_latin1;
}
