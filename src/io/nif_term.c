/* What native functions do with terms: asking of what kind they are, taking them apart, making them. */
#include <limits.h>
#include <math.h>
#include <stdarg.h>

#include "base/utf8.h"
#include "data/bits.h"
#include "data/integer.h"
#include "io/nif.h"
#include "term/compare.h"
#include "term/copy.h"
#include "term/hash.h"
#include "term/literal.h"

/* --- Kinds --------------------------------------------------------------------------------------------------------- */

#define IS(kind)                                                       \
    ENIF(int, enif_is_##kind, ErlNifEnv *env UNUSED, ERL_NIF_TERM t) { \
        return is_##kind(t);                                           \
    }
IS(atom)
IS(binary)
IS(ref)
IS(fun)
IS(pid)
IS(port)
IS(list)
IS(tuple)
IS(number)

ENIF(int, enif_is_empty_list, ErlNifEnv *env UNUSED, ERL_NIF_TERM t) {
    return t == NIL;
}

ENIF(int, enif_is_exception, ErlNifEnv *env, ERL_NIF_TERM t) {
    return t == NONE && env->raised != NONE; /* not what enif_schedule_nif returns */
}

ENIF(ErlNifTermType, enif_term_type, ErlNifEnv *env UNUSED, ERL_NIF_TERM t) {
    static const ErlNifTermType types[KIND_COUNT] = {
        [KIND_TUPLE] = NIF_TYPE_TUPLE,     [KIND_MAP] = NIF_TYPE_MAP,        [KIND_HASH_MAP] = NIF_TYPE_MAP,
        [KIND_FUN] = NIF_TYPE_FUN,         [KIND_EXPORT] = NIF_TYPE_FUN,     [KIND_BIG] = NIF_TYPE_INTEGER,
        [KIND_NEG_BIG] = NIF_TYPE_INTEGER, [KIND_FLOAT] = NIF_TYPE_FLOAT,    [KIND_REF] = NIF_TYPE_REFERENCE,
        [KIND_BITS] = NIF_TYPE_BITSTRING,  [KIND_VIEW] = NIF_TYPE_BITSTRING, [KIND_RECORD] = NIF_TYPE_OTHER,
    };
    static const ErlNifTermType identifiers[] = {
        [EXTERNAL_PID] = NIF_TYPE_PID, [EXTERNAL_PORT] = NIF_TYPE_PORT, [EXTERNAL_REF] = NIF_TYPE_REFERENCE};
    if (is_boxed(t)) {
        return kind_of(t) == KIND_EXTERNAL ? identifiers[((External *)boxed(t))->type] : types[kind_of(t)];
    }
    return is_list(t)        ? NIF_TYPE_LIST
           : is_atom(t)      ? NIF_TYPE_ATOM
           : is_small(t)     ? NIF_TYPE_INTEGER
           : is_local_pid(t) ? NIF_TYPE_PID
                             : NIF_TYPE_PORT;
}

ENIF(int, enif_is_identical, ERL_NIF_TERM a, ERL_NIF_TERM b) {
    return term_same(nif_world->vm, a, b);
}

ENIF(int, enif_compare, ERL_NIF_TERM a, ERL_NIF_TERM b) {
    return term_compare(nif_world->vm, a, b);
}

ENIF(uint64_t, enif_hash, int type, ERL_NIF_TERM t, uint64_t salt) {
    if (type == NIF_HASH_PHASH2) {
        return term_phash2(nif_world->vm, t) & ((1u << 27) - 1);
    }
    uint64_t h = (term_hash(nif_world->vm, t) ^ salt) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(h >> 32);
}

ENIF(size_t, enif_term_size, ERL_NIF_TERM t) {
    return term_size(nif_world->vm, t) * sizeof(term);
}

/* --- Exceptions ---------------------------------------------------------------------------------------------------- */

ENIF(ERL_NIF_TERM, enif_make_badarg, ErlNifEnv *env) {
    return nif_fail(env, A_badarg);
}

ENIF(ERL_NIF_TERM, enif_raise_exception, ErlNifEnv *env, ERL_NIF_TERM reason) {
    return nif_fail(env, reason);
}

ENIF(int, enif_has_pending_exception, ErlNifEnv *env, ERL_NIF_TERM *reason) {
    if (env->raised != NONE && reason != NULL) {
        *reason = env->raised;
    }
    return env->raised != NONE;
}

/* --- Numbers ------------------------------------------------------------------------------------------------------- */

ENIF(int, enif_get_int64, ErlNifEnv *env UNUSED, ERL_NIF_TERM t, int64_t *to) {
    return integer_to_int64(t, to);
}

ENIF(int, enif_get_uint64, ErlNifEnv *env UNUSED, ERL_NIF_TERM t, uint64_t *to) {
    return integer_to_uint64(t, to);
}

ENIF(int, enif_get_long, ErlNifEnv *env UNUSED, ERL_NIF_TERM t, long *to) {
    int64_t n;
    bool ok = integer_to_int64(t, &n) && n >= LONG_MIN && n <= LONG_MAX;
    *to = ok ? (long)n : *to;
    return ok;
}

ENIF(int, enif_get_ulong, ErlNifEnv *env UNUSED, ERL_NIF_TERM t, unsigned long *to) {
    uint64_t n;
    bool ok = integer_to_uint64(t, &n) && n <= ULONG_MAX;
    *to = ok ? (unsigned long)n : *to;
    return ok;
}

ENIF(int, enif_get_int, ErlNifEnv *env UNUSED, ERL_NIF_TERM t, int *to) {
    int64_t n;
    bool ok = integer_to_int64(t, &n) && n >= INT_MIN && n <= INT_MAX;
    *to = ok ? (int)n : *to;
    return ok;
}

ENIF(int, enif_get_uint, ErlNifEnv *env UNUSED, ERL_NIF_TERM t, unsigned *to) {
    uint64_t n;
    bool ok = integer_to_uint64(t, &n) && n <= UINT_MAX;
    *to = ok ? (unsigned)n : *to;
    return ok;
}

ENIF(int, enif_get_double, ErlNifEnv *env UNUSED, ERL_NIF_TERM t, double *to) {
    bool ok = is_float(t);
    *to = ok ? float_value(t) : *to;
    return ok;
}

ENIF(ERL_NIF_TERM, enif_make_int64, ErlNifEnv *env, int64_t n) {
    return integer_from_int64(env->heap, n);
}

ENIF(ERL_NIF_TERM, enif_make_uint64, ErlNifEnv *env, uint64_t n) {
    return integer_from_uint64(env->heap, n);
}

ENIF(ERL_NIF_TERM, enif_make_long, ErlNifEnv *env, long n) {
    return integer_from_int64(env->heap, n);
}

ENIF(ERL_NIF_TERM, enif_make_ulong, ErlNifEnv *env, unsigned long n) {
    return integer_from_uint64(env->heap, n);
}

ENIF(ERL_NIF_TERM, enif_make_int, ErlNifEnv *env, int n) {
    return integer_from_int64(env->heap, n);
}

ENIF(ERL_NIF_TERM, enif_make_uint, ErlNifEnv *env, unsigned n) {
    return integer_from_uint64(env->heap, n);
}

ENIF(ERL_NIF_TERM, enif_make_double, ErlNifEnv *env, double d) {
    return isfinite(d) ? heap_float(env->heap, d) : nif_fail(env, A_badarg);
}

ENIF(ERL_NIF_TERM, enif_make_unique_integer, ErlNifEnv *env, int properties) {
    int64_t n = (int64_t)unique_integer(env->vm);
    return integer_from_int64(env->heap, properties & NIF_UNIQUE_POSITIVE ? n : SMALL_MIN + n);
}

/* --- Atoms --------------------------------------------------------------------------------------------------------- */

enum { TEXT_MAX = UTF8_MAX * ATOM_MAX_CHARS };

/* A name as UTF-8. SIZE_MAX: it cannot be one. */
static size_t to_utf8(const char *name, size_t size, int encoding, uint8_t text[TEXT_MAX]) {
    size_t n = 0;
    if (encoding == NIF_UTF8) {
        memcpy(text, name, MIN(size, TEXT_MAX));
        return size <= TEXT_MAX ? size : SIZE_MAX;
    }
    if (size > ATOM_MAX_CHARS) {
        return SIZE_MAX;
    }
    for (size_t i = 0; i < size; i++) {
        n += utf8_write(text + n, (uint8_t)name[i]);
    }
    return n;
}

static term make_atom(ErlNifEnv *env, const char *name, size_t size, int encoding) {
    uint8_t text[TEXT_MAX];
    size_t n = to_utf8(name, size, encoding, text);
    return n == SIZE_MAX ? NONE : atom_intern(env->vm, text, n, NULL);
}

ENIF(ERL_NIF_TERM, enif_make_atom_len, ErlNifEnv *env, const char *name, size_t size) {
    term t = make_atom(env, name, size, NIF_LATIN1);
    return t == NONE ? nif_fail(env, A_badarg) : t;
}

ENIF(ERL_NIF_TERM, enif_make_atom, ErlNifEnv *env, const char *name) {
    return enif_make_atom_len(env, name, strlen(name));
}

ENIF(int, enif_make_new_atom_len, ErlNifEnv *env, const char *name, size_t size, ERL_NIF_TERM *atom, int encoding) {
    return (*atom = make_atom(env, name, size, encoding)) != NONE;
}

ENIF(int, enif_make_new_atom, ErlNifEnv *env, const char *name, ERL_NIF_TERM *atom, int encoding) {
    return enif_make_new_atom_len(env, name, strlen(name), atom, encoding);
}

ENIF(int, enif_make_existing_atom_len, ErlNifEnv *env, const char *name, size_t size, ERL_NIF_TERM *atom, int encoding) {
    uint8_t text[TEXT_MAX];
    size_t n = to_utf8(name, size, encoding, text);
    term t = n == SIZE_MAX ? NONE : atom_find(env->vm, text, n);
    *atom = t == NONE ? *atom : t;
    return t != NONE;
}

ENIF(int, enif_make_existing_atom, ErlNifEnv *env, const char *name, ERL_NIF_TERM *atom, int encoding) {
    return enif_make_existing_atom_len(env, name, strlen(name), atom, encoding);
}

/* The text in an encoding: its size without a zero, SIZE_MAX if it cannot be written so. to NULL: only that. */
static size_t atom_in(const VM *vm, term t, int encoding, char *to, size_t room) {
    Bytes text = atom_text(vm, t);
    if (encoding == NIF_UTF8) {
        if (to != NULL) {
            memcpy(to, text.at, MIN(room, text.size));
        }
        return text.size;
    }
    size_t n = 0;
    for (const uint8_t *p = text.at, *end = p + text.size; p < end; n++) {
        uint32_t c;
        p += utf8_read(p, end, &c);
        if (c > 255) {
            return SIZE_MAX;
        }
        if (to != NULL && n < room) {
            to[n] = (char)c;
        }
    }
    return n;
}

ENIF(int, enif_get_atom, ErlNifEnv *env, ERL_NIF_TERM t, char *to, unsigned room, int encoding) {
    if (!is_atom(t) || room == 0) {
        return 0;
    }
    size_t n = atom_in(env->vm, t, encoding, NULL, 0);
    if (n >= room) {
        return 0;
    }
    atom_in(env->vm, t, encoding, to, room);
    to[n] = '\0';
    return (int)n + 1;
}

ENIF(int, enif_get_atom_length, ErlNifEnv *env, ERL_NIF_TERM t, unsigned *length, int encoding) {
    size_t n = is_atom(t) ? atom_in(env->vm, t, encoding, NULL, 0) : SIZE_MAX;
    if (n == SIZE_MAX) {
        return false;
    }
    *length = (unsigned)n;
    return true;
}

/* The distribution's cache of atoms: no such thing here. */
ENIF(int, enif_get_atom_cache_index, ErlNifEnv *env UNUSED, ERL_NIF_TERM t UNUSED, unsigned *index UNUSED) {
    return false;
}

ENIF(unsigned, enif_max_atom_cache_index, void) {
    return 2047;
}

/* --- Tuples and lists ---------------------------------------------------------------------------------------------- */

ENIF(int, enif_get_tuple, ErlNifEnv *env UNUSED, ERL_NIF_TERM t, int *arity, const ERL_NIF_TERM **elements) {
    if (!is_tuple(t)) {
        return false;
    }
    *arity = (int)tuple_arity(t);
    *elements = boxed(t) + 1;
    return true;
}

/* A tuple whose elements the caller fills in. NULL: *t is what there is instead. */
static term *new_tuple(ErlNifEnv *env, unsigned n, term *t) {
    term *p = n == 0 ? NULL : nif_room(env, 1 + (size_t)n);
    *t = n == 0 ? literal_empty_tuple(env->vm) : NONE;
    if (p != NULL) {
        p[0] = HEADER(n, KIND_TUPLE);
        *t = make_boxed(p++);
    }
    return p;
}

ENIF(ERL_NIF_TERM, enif_make_tuple_from_array, ErlNifEnv *env, const ERL_NIF_TERM elements[], unsigned n) {
    term t, *p = new_tuple(env, n, &t);
    if (p != NULL) {
        memcpy(p, elements, n * sizeof *p);
    }
    return t;
}

ENIF(ERL_NIF_TERM, enif_make_tuple, ErlNifEnv *env, unsigned n, ...) {
    term t, *p = new_tuple(env, n, &t);
    va_list args;
    va_start(args, n);
    for (unsigned i = 0; p != NULL && i < n; i++) {
        p[i] = va_arg(args, ERL_NIF_TERM);
    }
    va_end(args);
    return t;
}

ENIF(int, enif_get_list_cell, ErlNifEnv *env UNUSED, ERL_NIF_TERM t, ERL_NIF_TERM *first, ERL_NIF_TERM *rest) {
    if (!is_cons(t)) {
        return false;
    }
    *first = head(t);
    *rest = tail(t);
    return true;
}

ENIF(int, enif_get_list_length, ErlNifEnv *env UNUSED, ERL_NIF_TERM t, unsigned *length) {
    unsigned n = 0;
    for (; is_cons(t); t = tail(t)) {
        n++;
    }
    *length = t == NIL ? n : *length;
    return t == NIL;
}

ENIF(ERL_NIF_TERM, enif_make_list_cell, ErlNifEnv *env, ERL_NIF_TERM first, ERL_NIF_TERM rest) {
    return heap_cons(env->heap, first, rest);
}

ENIF(ERL_NIF_TERM, enif_make_list_from_array, ErlNifEnv *env, const ERL_NIF_TERM elements[], unsigned n) {
    return nif_checked(env, heap_list(env->heap, elements, n, NIL));
}

ENIF(ERL_NIF_TERM, enif_make_list, ErlNifEnv *env, unsigned n, ...) {
    term *p = n == 0 ? NULL : nif_room(env, 2 * (size_t)n);
    if (p == NULL) {
        return n == 0 ? NIL : NONE;
    }
    va_list args;
    va_start(args, n);
    for (unsigned i = 0; i < n; i++) {
        p[2 * i] = va_arg(args, ERL_NIF_TERM);
        p[2 * i + 1] = i + 1 < n ? make_cons(p + 2 * i + 2) : NIL;
    }
    va_end(args);
    return make_cons(p);
}

ENIF(int, enif_make_reverse_list, ErlNifEnv *env, ERL_NIF_TERM t, ERL_NIF_TERM *result) {
    term list = NIL, end = t;
    while (is_cons(end)) {
        end = tail(end);
    }
    if (end != NIL) {
        return false;
    }
    for (; is_cons(t); t = tail(t)) {
        list = heap_cons(env->heap, head(t), list);
    }
    *result = list;
    return true;
}

/* --- Strings: lists of characters ---------------------------------------------------------------------------------- */

static bool is_char(term t, int encoding) {
    intptr_t c = is_small(t) ? small_value(t) : -1;
    return c >= 0 && (encoding == NIF_LATIN1 ? c <= 255 : c <= 0x10ffff && is_character((uint32_t)c));
}

static size_t write_character(uint32_t c, int encoding, uint8_t text[UTF8_MAX]) {
    text[0] = (uint8_t)c;
    return encoding == NIF_LATIN1 ? 1 : utf8_write(text, c);
}

ENIF(int, enif_get_string, ErlNifEnv *env UNUSED, ERL_NIF_TERM t, char *to, unsigned room, int encoding) {
    size_t n = 0;
    if (room < 1) {
        return 0;
    }
    for (; is_cons(t) && is_char(head(t), encoding); t = tail(t)) {
        uint8_t text[UTF8_MAX];
        size_t size = write_character((uint32_t)small_value(head(t)), encoding, text);
        if (n + size >= room) {
            to[n] = '\0';
            return -(int)room;
        }
        memcpy(to + n, text, size);
        n += size;
    }
    to[n] = '\0';
    return t == NIL ? (int)n + 1 : 0;
}

ENIF(int, enif_get_string_length, ErlNifEnv *env UNUSED, ERL_NIF_TERM t, unsigned *length, int encoding) {
    size_t n = 0;
    for (; is_cons(t) && is_char(head(t), encoding); t = tail(t)) {
        uint8_t text[UTF8_MAX];
        n += write_character((uint32_t)small_value(head(t)), encoding, text);
    }
    *length = t == NIL ? (unsigned)n : *length;
    return t == NIL;
}

ENIF(ERL_NIF_TERM, enif_make_string_len, ErlNifEnv *env, const char *text, size_t size, int encoding) {
    if (encoding != NIF_UTF8) {
        return nif_checked(env, heap_latin1_list(env->heap, text, size));
    }
    term list = NIL, *last = &list;
    for (const uint8_t *p = (const uint8_t *)text, *end = p + size; p < end;) {
        uint32_t c;
        int n = utf8_read(p, end, &c);
        term *cell = n < 0 ? NULL : nif_room(env, 2);
        if (cell == NULL) {
            return nif_fail(env, n < 0 ? A_badarg : A_system_limit);
        }
        cell[0] = SMALL(c), cell[1] = NIL;
        *last = make_cons(cell);
        last = &cell[1];
        p += n;
    }
    return list;
}

ENIF(ERL_NIF_TERM, enif_make_string, ErlNifEnv *env, const char *text, int encoding) {
    return enif_make_string_len(env, text, strlen(text), encoding);
}

/* --- References, processes, ports ---------------------------------------------------------------------------------- */

ENIF(ERL_NIF_TERM, enif_make_ref, ErlNifEnv *env) {
    return ref_make(env->heap);
}

ENIF(int, enif_get_local_pid, ErlNifEnv *env UNUSED, ERL_NIF_TERM t, ErlNifPid *pid) {
    if (is_local_pid(t)) {
        pid->pid = t;
    }
    return is_local_pid(t);
}

ENIF(int, enif_get_local_port, ErlNifEnv *env UNUSED, ERL_NIF_TERM t, ErlNifPort *port) {
    if (is_local_port(t)) {
        port->port_id = t;
    }
    return is_local_port(t);
}
