/* From Erlang's file names to the system's. */
#include "bif/file_name.h"

#include "base/utf8.h"
#include "data/bits.h"
#include "platform/platform.h"

static bool add_char(term t, bool utf8, Text *out) {
    intptr_t c = is_small(t) ? small_value(t) : -1;
    if (c <= 0 || (utf8 ? c > 0x10ffff || !is_character((uint32_t)c) : c > 255)) {
        return false;
    }
    if (utf8) {
        text_char(out, (uint32_t)c);
    } else {
        text_byte(out, (uint8_t)c);
    }
    return true;
}

static bool add_atom(VM *vm, term atom, bool utf8, Text *out) {
    Bytes b = atom_text(vm, atom);
    for (const uint8_t *at = b.at, *end = b.at + b.size; at < end;) {
        uint32_t c;
        at += utf8_read(at, end, &c);
        if (!add_char(SMALL(c), utf8, out)) {
            return false;
        }
    }
    return true;
}

static bool add_binary(term t, Text *out) {
    Bits b = bits_of(t);
    size_t n = b.size / 8;
    if (!text_reserve(out, n + 1)) {
        return false;
    }
    uint8_t *at = out->at + out->size;
    bitrun_copy(at, 0, b.at, b.start, b.size);
    while (n > 0 && at[n - 1] == 0) {
        n--;
    }
    out->size += n;
    return n == 0 || memchr(at, 0, n) == NULL;
}

static bool add_list(VM *vm, term t, unsigned allowed, bool utf8, Text *out, int depth) {
    enum { DEPTH_MAX = 1000 };
    for (; is_cons(t); t = tail(t)) {
        term e = head(t);
        bool good = is_small(e)                                                            ? add_char(e, utf8, out)
                    : allowed & NAME_DEEP && (is_cons(e) || e == NIL) && depth < DEPTH_MAX ? add_list(vm, e, allowed, utf8, out, depth + 1)
                    : allowed & NAME_DEEP && allowed & NAME_ATOMS && is_atom(e)            ? add_atom(vm, e, utf8, out)
                                                                                           : false;
        if (!good) {
            return false;
        }
    }
    return t == NIL;
}

bool file_name_bytes(VM *vm, term name, unsigned allowed, Text *out) {
    bool utf8 = platform_utf8();
    size_t before = out->size;
    bool good = is_binary(name) ? add_binary(name, out)
                : is_atom(name) ? allowed & NAME_ATOMS && add_atom(vm, name, utf8, out)
                                : add_list(vm, name, allowed, utf8, out, 0);
    return good && !out->failed && (out->size > before || allowed & NAME_EMPTY);
}
