/* Looking at terms from outside: hashes, sizes, identity, and printing them with no help from Erlang code. */
#include "bif/bif.h"
#include "bif/bif_state.h"

#include "base/text.h"
#include "base/utf8.h"
#include "data/bits.h"
#include "data/integer.h"
#include "platform/platform.h"
#include "term/compare.h"
#include "term/copy.h"
#include "term/hash.h"
#include "term/print.h"

enum { HASH_RANGE_BITS = 27, WORDS_PER_REDUCTION = 32, TERMS_PER_REDUCTION = 16 };

/* A range of hashes, 1 to 2^32; 0: it is none. */
static uint64_t range_of(term t) {
    uint64_t range;
    return integer_to_uint64(t, &range) && range <= (uint64_t)1 << 32 ? range : 0;
}

/* Hashes for as long as there is time. `range`: 1 to 2^32. */
static term phash2(Process *p, term state, bool begin, uint64_t range) {
    size_t all = (size_t)MAX(p->heap.reds, 1) * TERMS_PER_REDUCTION, left = all;
    uint32_t hash;
    bool done = term_phash2_some(HEAP(p), &state, begin, &left, &hash);
    BUMP(p, (intptr_t)((all - left) / TERMS_PER_REDUCTION));
    if (done) {
        return integer_from_uint64(HEAP(p), hash % range);
    }
    if (state == NONE) {
        return raise_error(p, A_system_limit);
    }
    return bif_trap(p, BIF_EXPORT(p, erts_internal, phash2_more, 3), 3, state_pass(p), state, integer_from_uint64(HEAP(p), range));
}

BIF_REST(phash2_more, 3, erlang, phash2, 1) { /* pass, state, range */
    return state_has_passed(a[0]) ? phash2(p, a[1], false, range_of(a[2])) : raise_badarg(p);
}

BIF(erlang, phash2, 1) {
    return phash2(p, a[0], true, (uint64_t)1 << HASH_RANGE_BITS);
}

BIF(erlang, phash2, 2) {
    uint64_t range = range_of(a[1]);
    return range == 0 ? raise_badarg(p) : phash2(p, a[0], true, range);
}

BIF(erlang, phash, 2) {
    uint64_t range = range_of(a[1]);
    return range == 0 ? raise_badarg(p) : integer_from_uint64(HEAP(p), 1 + term_phash(process_vm(p), a[0]) % range);
}

static term print_to(Process *p, int fd, term t) {
    Text out;
    text_init(&out, &process_vm(p)->mem);
    term_print(&out, process_vm(p), t, &(PrintOptions){.as_display = true});
    text_string(&out, "\r\n");
    bool ok = !out.failed;
    if (ok) {
        platform_write(fd, out.at, out.size); /* who cannot be told is not told */
    }
    text_done(&out);
    return ok ? A_true : raise_badarg(p);
}

BIF(erlang, display, 1) {
    return print_to(p, 1, a[0]);
}

BIF(erts_debug, display, 1) {
    return print_to(p, 1, a[0]);
}

BIF(erlang, display_nl, 0) {
    platform_write(1, "\r\n", 2);
    return A_true;
}

/* Characters of a list, or the bytes of a binary. */
static term write_string(Process *p, int fd, term string) {
    Text out;
    text_init(&out, &process_vm(p)->mem);
    bool ok = true;
    if (is_bitstring(string) && is_binary(string)) {
        Bits b = bits_of(string);
        if (text_reserve(&out, b.size / 8 + 1)) {
            bitrun_copy(out.at, 0, b.at, b.start, b.size);
            out.size = b.size / 8;
        }
        string = NIL;
    }
    for (; is_cons(string) && ok; string = tail(string)) {
        term c = head(string);
        ok = is_small(c) && (uintptr_t)small_value(c) <= 0x10ffff && is_character((uint32_t)small_value(c));
        if (ok) {
            text_char(&out, (uint32_t)small_value(c));
        }
    }
    ok = ok && string == NIL && !out.failed && platform_write(fd, out.at, out.size);
    text_done(&out);
    return ok ? A_true : raise_badarg(p);
}

BIF(erlang, display_string, 1) {
    return write_string(p, bif_release(p) >= 26 ? 2 : 1, a[0]);
}

BIF(erlang, display_string, 2) {
    if (a[0] != A_stdout && a[0] != A_stderr) {
        return raise_badarg(p);
    }
    return write_string(p, a[0] == A_stderr ? 2 : 1, a[1]);
}

/* erlang:display's text, as a string; cut after so many characters. */
BIF(erts_internal, term_to_string, 2) {
    size_t max = 0;
    if (a[1] != A_undefined) {
        if (!is_small(a[1]) || small_value(a[1]) <= 0) {
            return raise_badarg(p);
        }
        max = (size_t)small_value(a[1]);
    }
    Text out;
    text_init(&out, &process_vm(p)->mem);
    term_print(&out, process_vm(p), a[0], &(PrintOptions){.as_display = true, .max_chars = max});
    term list = out.failed ? heap_no_memory(HEAP(p)) : heap_latin1_list(HEAP(p), (const char *)out.at, out.size);
    text_done(&out);
    return list == NONE ? raise_heap_reason(p) : list;
}

BIF(erts_debug, flat_size, 1) {
    size_t words = term_flat_size(process_vm(p), a[0]);
    BUMP(p, (intptr_t)(words / WORDS_PER_REDUCTION));
    return SMALL(words);
}

BIF(erts_debug, size_shared, 1) {
    size_t words = term_shared_size(process_vm(p), a[0]);
    BUMP(p, (intptr_t)(words / WORDS_PER_REDUCTION));
    return SMALL(words);
}

/* A copy that keeps sharing: nothing can tell it from the term itself. */
BIF(erts_debug, copy_shared, 2) {
    return a[0];
}

BIF(erts_debug, same, 2) {
    return a[0] == a[1] ? A_true : A_false;
}

/* Kinds of representation, under OTP's names. */
BIF(erts_internal, term_type, 1) {
    term t = a[0];
    if (is_small(t)) {
        return A_fixnum;
    }
    if (is_atom(t)) {
        return A_atom;
    }
    if (is_list(t)) {
        return t == NIL ? A_nil : A_list;
    }
    if (is_immediate(t)) {
        return is_local_pid(t) ? A_pid : A_port;
    }
    switch (kind_of(t)) {
    case KIND_TUPLE: return A_tuple;
    case KIND_MAP: return A_flatmap;
    case KIND_HASH_MAP: return A_hashmap;
    case KIND_HASH_NODE: return A_hashmap_node;
    case KIND_FUN: return A_fun;
    case KIND_EXPORT: return A_export;
    case KIND_BIG:
    case KIND_NEG_BIG: return A_bignum;
    case KIND_FLOAT: return A_hfloat;
    case KIND_REF: return A_reference;
    case KIND_BITS: return A_heap_binary;
    case KIND_VIEW: return kind_of(((View *)boxed(t))->base) == KIND_BUFFER ? A_refc_binary : A_sub_binary;
    case KIND_EXTERNAL: return is_pid(t) ? A_external_pid : is_port(t) ? A_external_port : A_external_reference;
    default: return A_record;
    }
}

BIF(erts_debug, instructions, 0) {
    return NIL;
}

BIF(erts_debug, interpreter_size, 0) {
    return SMALL(0);
}

/* The same bits, but starting in the middle of a byte: for tests of bit syntax (OTP 28). */
BIF(erts_debug, unaligned_bitstring, 2) {
    if (!is_bitstring(a[0]) || !is_small(a[1]) || small_value(a[1]) < 1 || small_value(a[1]) > 7) {
        return raise_badarg(p);
    }
    Bits b = bits_of(a[0]);
    size_t shift = (size_t)small_value(a[1]);
    term whole;
    uint8_t *bytes = bits_new_sized(HEAP(p), b.size + shift, &whole);
    if (bytes == NULL) {
        return raise_heap_reason(p);
    }
    bytes[0] = 0;
    bitrun_copy(bytes, shift, b.at, b.start, b.size);
    return bits_sub(HEAP(p), whole, shift, b.size);
}

/* ---- What there is nothing to tell of ---- */

/* OTP counts uses of its locks if it was built for that: so do we not. */
BIF(erts_debug, lcnt_collect, 0) {
    return A_error;
}

BIF(erts_debug, lcnt_clear, 0) {
    return A_error;
}

BIF(erts_debug, lcnt_control, 1) {
    return raise_badarg(p);
}

BIF(erts_debug, lcnt_control, 2) {
    return raise_badarg(p);
}

/* As OTP with native code: `mote disasm` shows code. */
BIF(erts_debug, disassemble, 1) {
    return A_false;
}

/* For module instrument: {Allocator, Instance, ..., Ref}. So many allocators will answer: we have none of OTP's. */
static term ask_allocators(Process *p, term request, size_t arity) {
    return is_tuple_of(request, arity) && is_atom(element(request, 1)) && is_small(element(request, 2)) && is_ref(element(request, arity))
               ? SMALL(0)
               : raise_badarg(p);
}

BIF(erts_internal, gather_alloc_histograms, 1) {
    return ask_allocators(p, a[0], 5);
}

BIF(erts_internal, gather_carrier_info, 1) {
    return ask_allocators(p, a[0], 5);
}
