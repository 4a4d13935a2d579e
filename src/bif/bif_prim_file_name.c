/* Names of files between Erlang and the system, for module prim_file. */
#include "base/utf8.h"
#include "bif/bif.h"
#include "bif/file_name.h"
#include "data/bits.h"
#include "platform/platform.h"

/* A file name as the system's bytes, zero-terminated: from a list of characters or a binary. */
BIF(prim_file, internal_name2native, 1) {
    Text t;
    text_init(&t, &process_vm(p)->mem);
    bool good = file_name_bytes(process_vm(p), a[0], NAME_EMPTY, &t);
    text_byte(&t, 0);
    term result = good && !t.failed ? bits_from(HEAP(p), t.at, t.size) : raise_badarg(p);
    text_done(&t);
    return result;
}

static term name_list(Heap *h, const uint8_t *at, size_t size, bool utf8) {
    const uint8_t *end = at + size;
    size_t n = 0;
    for (const uint8_t *q = at; q < end; n++) { /* the length first, so that the list is built from its front */
        uint32_t c;
        q += utf8 ? utf8_read(q, end, &c) : 1;
    }
    term *cells = heap_alloc(h, 2 * n);
    if (cells == NULL) {
        return heap_fail(h, A_system_limit);
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t c = *at;
        at += utf8 ? utf8_read(at, end, &c) : 1;
        cells[2 * i] = SMALL(c);
        cells[2 * i + 1] = i + 1 < n ? make_cons(cells + 2 * i + 2) : NIL;
    }
    return n == 0 ? NIL : make_cons(cells);
}

/* The bytes of a binary in t; t->failed: no memory. Returns how many. */
static size_t take_bytes(Process *p, Text *t, term binary) {
    Bits b = bits_of(binary);
    text_init(t, &process_vm(p)->mem);
    if (text_reserve(t, b.size / 8 + 1)) {
        bitrun_copy(t->at, 0, b.at, b.start, b.size);
    }
    return b.size / 8;
}

/* The reverse: a list of characters, or {error, Why} if the bytes are not text in the user's encoding. */
BIF(prim_file, internal_native2name, 1) {
    if (!is_binary(a[0])) {
        return raise_badarg(p);
    }
    Text t;
    size_t n = take_bytes(p, &t, a[0]);
    bool utf8 = platform_utf8();
    term result = t.failed                          ? raise_error(p, A_system_limit)
                  : utf8 && utf8_count(t.at, n) < 0 ? TUPLE2(HEAP(p), A_error, A_warning)
                                                    : name_list(HEAP(p), t.at, n, utf8);
    text_done(&t);
    return result == NONE ? raise_heap_reason(p) : result;
}

/* Composes what Unicode composes: systems that decompose file names need it; here names stay as they are. */
BIF(prim_file, internal_normalize_utf8, 1) {
    if (!is_binary(a[0])) {
        return raise_badarg(p);
    }
    Text t;
    size_t n = take_bytes(p, &t, a[0]);
    term result = t.failed || utf8_count(t.at, n) < 0 ? raise_badarg(p) : name_list(HEAP(p), t.at, n, true);
    text_done(&t);
    return result;
}

BIF(prim_file, is_translatable, 1) {
    if (is_binary(a[0])) {
        Bits b = bits_of(a[0]);
        size_t n = b.size / 8;
        Text t;
        text_init(&t, &process_vm(p)->mem);
        bool good = text_reserve(&t, n + 1);
        if (good) {
            bitrun_copy(t.at, 0, b.at, b.start, b.size);
            good = !platform_utf8() || utf8_count(t.at, n) >= 0;
        }
        text_done(&t);
        return good ? A_true : A_false;
    }
    return A_true;
}
