/* Atoms and their texts. */
#include "bif/bif.h"

#include "base/utf8.h"
#include "data/bits.h"
#include "term/bitstring.h"

typedef enum { LATIN1, UTF8, UNKNOWN } Encoding;

static Encoding encoding_of(term t) {
    return t == A_latin1 ? LATIN1 : t == A_utf8 || t == A_unicode ? UTF8 : UNKNOWN;
}

/* The atom with this text: made, or (existing) only found. */
static term make_atom(Process *p, const uint8_t *text, size_t size, bool existing) {
    term reason = A_badarg;
    term atom = existing ? atom_find(process_vm(p), text, size) : atom_intern(process_vm(p), text, size, &reason);
    return atom != NONE ? atom : raise_error(p, reason);
}

static term list_to_atom(Process *p, term list, bool existing) {
    uint8_t text[UTF8_MAX * ATOM_MAX_CHARS];
    size_t size = 0;
    int chars = 0;
    for (; is_cons(list); list = tail(list)) {
        term c = head(list);
        if (chars++ == ATOM_MAX_CHARS) {
            return raise_error(p, existing ? A_badarg : A_system_limit);
        }
        if (!is_small(c) || (uintptr_t)small_value(c) > 0x10ffff || !is_character((uint32_t)small_value(c))) {
            return raise_badarg(p);
        }
        if (LIKELY(small_value(c) < 0x80)) {
            text[size++] = (uint8_t)small_value(c);
        } else {
            size += utf8_write(text + size, (uint32_t)small_value(c));
        }
    }
    return list == NIL ? make_atom(p, text, size, existing) : raise_badarg(p);
}

BIF(erlang, list_to_atom, 1) {
    return list_to_atom(p, a[0], false);
}

BIF(erlang, list_to_existing_atom, 1) {
    return list_to_atom(p, a[0], true);
}

static term binary_to_atom(Process *p, term binary, term encoding, bool existing) {
    Encoding e = encoding_of(encoding);
    if (!is_bitstring(binary) || !is_binary(binary) || e == UNKNOWN) {
        return raise_badarg(p);
    }
    Bits b = bits_of(binary);
    size_t bytes = b.size / 8, size = 0;
    if (bytes > (e == LATIN1 ? 1 : UTF8_MAX) * ATOM_MAX_CHARS) {
        return raise_error(p, existing ? A_badarg : A_system_limit);
    }
    uint8_t text[UTF8_MAX * ATOM_MAX_CHARS];
    if (e == UTF8) {
        bitrun_copy(text, 0, b.at, b.start, b.size);
        return make_atom(p, text, bytes, existing);
    }
    for (size_t i = 0; i < bytes; i++) {
        size += utf8_write(text + size, (uint32_t)bitrun_read(b.at, b.start + 8 * i, 8));
    }
    return make_atom(p, text, size, existing);
}

BIF(erlang, binary_to_atom, 1) {
    return binary_to_atom(p, a[0], A_utf8, false);
}

BIF(erlang, binary_to_atom, 2) {
    return binary_to_atom(p, a[0], a[1], false);
}

BIF(erlang, binary_to_existing_atom, 1) {
    return binary_to_atom(p, a[0], A_utf8, true);
}

BIF(erlang, binary_to_existing_atom, 2) {
    return binary_to_atom(p, a[0], a[1], true);
}

BIF(erlang, atom_to_list, 1) {
    if (!is_atom(a[0])) {
        return raise_badarg(p);
    }
    Bytes text = atom_text(process_vm(p), a[0]);
    term chars[ATOM_MAX_CHARS];
    size_t n = 0;
    for (const uint8_t *at = text.at, *end = at + text.size; at < end; n++) {
        uint32_t c;
        at += utf8_read(at, end, &c);
        chars[n] = SMALL(c);
    }
    return heap_list(HEAP(p), chars, n, NIL);
}

static term binary_of(Process *p, const uint8_t *text, size_t size) {
    term t = bits_from(HEAP(p), text, size);
    return t != NONE ? t : raise_heap_reason(p);
}

static term atom_to_binary(Process *p, term atom, term encoding) {
    Encoding e = encoding_of(encoding);
    if (!is_atom(atom) || e == UNKNOWN) {
        return raise_badarg(p);
    }
    Bytes text = atom_text(process_vm(p), atom);
    if (e == UTF8) {
        return binary_of(p, text.at, text.size);
    }
    uint8_t latin1[ATOM_MAX_CHARS];
    size_t n = 0;
    for (const uint8_t *at = text.at, *end = at + text.size; at < end; n++) {
        uint32_t c;
        at += utf8_read(at, end, &c);
        if (c > 255) {
            return raise_badarg(p);
        }
        latin1[n] = (uint8_t)c;
    }
    return binary_of(p, latin1, n);
}

BIF(erlang, atom_to_binary, 1) {
    return atom_to_binary(p, a[0], A_utf8);
}

BIF(erlang, atom_to_binary, 2) {
    return atom_to_binary(p, a[0], a[1]);
}
