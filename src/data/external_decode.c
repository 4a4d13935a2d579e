/* The external format to terms. Every term that is promised (an element of a tuple, say) needs at least one byte, and no
   more may be promised than there are bytes: so what is allocated is in proportion to the input, however it lies. */
#include "data/external.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/utf8.h"
#include "data/bits.h"
#include "data/external_tags.h"
#include "data/integer.h"
#include "data/map.h"
#include "data/record.h"
#include "term/atom.h"
#include "term/literal.h"
#include "term/ref.h"

enum { MAX_FREE_VARIABLES = 255, MAX_DEFLATE_RATIO = 1032 };

/* Words of a composite term that are still to be read. */
typedef struct {
    enum {
        WORDS, /* `left` words from `at` on */
        CELLS, /* the heads of `left` cells from `at` on, then the tail of the last one */
        FLAT,  /* a flat map: `at` is the map, `keys` its keys, `left` counts down from twice its size */
        PAIRS, /* a large map: `at` are n cells, `left` counts down from 2 n */
    } kind;
    size_t left, size; /* size: pairs of a map */
    term *at, *keys;
    term *slot; /* where the map goes when it is complete */
} Frame;

struct ExternalDecoder {
    Heap *h;
    const uint8_t *start, *p, *end; /* of what is read: the input, or what was compressed in it */
    size_t promised;                /* terms that must still come */
    unsigned flags;
    bool local; /* behind TAG_LOCAL */
    term cache; /* tuple of atoms that TAG_CACHED_ATOM refers to; NONE: there is none */
    term result;
    Frame *stack;
    size_t depth, capacity;
    size_t budget;
    size_t used; /* bytes of the input that it took */
    enum { INFLATING, READING, DONE } phase;
    term *slot; /* where the next term goes; NULL: as the stack says */
    z_stream zlib;
    bool zlib_open;
    uint8_t *unpacked;
    size_t unpacked_size;
    Bytes input;
};

/* All readers return false when decoding has failed; the reason is in the heap. */
static bool bad(ExternalDecoder *d) {
    d->h->reason = A_badarg;
    return false;
}
static bool no_memory(ExternalDecoder *d) {
    heap_no_memory(d->h);
    return false;
}

static inline size_t left(const ExternalDecoder *d) {
    return (size_t)(d->end - d->p);
}
/* The next n bytes; NULL: there are not so many. */
static inline const uint8_t *take(ExternalDecoder *d, size_t n) {
    if (UNLIKELY(left(d) < n)) {
        d->h->reason = A_badarg;
        return NULL;
    }
    const uint8_t *p = d->p;
    d->p += n;
    return p;
}
static inline bool take8(ExternalDecoder *d, uint32_t *n) {
    const uint8_t *p = take(d, 1);
    return p != NULL && (*n = *p, true);
}
static inline bool take16(ExternalDecoder *d, uint32_t *n) {
    const uint8_t *p = take(d, 2);
    return p != NULL && (*n = read_be16(p), true);
}
static inline bool take32(ExternalDecoder *d, uint32_t *n) {
    const uint8_t *p = take(d, 4);
    return p != NULL && (*n = read_be32(p), true);
}

/* n more terms must come. */
static inline bool promise(ExternalDecoder *d, size_t n) {
    if (UNLIKELY(n > left(d) || d->promised + n > left(d))) {
        return bad(d);
    }
    d->promised += n;
    return true;
}

static inline term *allocate(ExternalDecoder *d, size_t words) {
    term *p = heap_alloc(d->h, words);
    if (UNLIKELY(p == NULL)) {
        no_memory(d);
    }
    return p;
}

static bool push(ExternalDecoder *d, Frame f) {
    if (d->depth == d->capacity) {
        size_t old = d->capacity * sizeof f, capacity = MAX(2 * d->capacity, 16);
        Frame *stack = mem_resize(&d->h->vm->mem, MEM_TEMPORARY, d->stack, old, capacity * sizeof f);
        if (stack == NULL) {
            return no_memory(d);
        }
        d->stack = stack, d->capacity = capacity;
    }
    d->stack[d->depth++] = f;
    return true;
}

static void spend(ExternalDecoder *d, size_t n) {
    d->budget -= MIN(n, d->budget);
}

/* ---- Atoms ---- */

static bool read_atom_text(ExternalDecoder *d, size_t size, bool latin1, term *slot) {
    VM *vm = d->h->vm;
    uint8_t buffer[2 * ATOM_MAX_CHARS];
    const uint8_t *text = take(d, size);
    if (text == NULL) {
        return false;
    }
    if (latin1) {
        if (size > ATOM_MAX_CHARS) {
            return bad(d);
        }
        size_t n = 0;
        for (size_t i = 0; i < size; i++) {
            n += utf8_write(buffer + n, text[i]);
        }
        text = buffer, size = n;
    } else {
        ptrdiff_t chars = utf8_count(text, size);
        if (chars < 0 || chars > ATOM_MAX_CHARS) {
            return bad(d);
        }
    }
    if (d->flags & EXTERNAL_SAFE) {
        *slot = atom_find(vm, text, size);
        return *slot != NONE || bad(d);
    }
    *slot = atom_intern(vm, text, size, &d->h->reason);
    return *slot != NONE;
}

static bool is_atom_tag(uint32_t tag) {
    return tag == TAG_ATOM_LATIN1 || tag == TAG_SMALL_ATOM_LATIN1 || tag == TAG_ATOM_UTF8 || tag == TAG_SMALL_ATOM_UTF8 ||
           tag == TAG_CACHED_ATOM;
}

static bool read_atom_tagged(ExternalDecoder *d, uint32_t tag, term *slot) {
    uint32_t size;
    if (tag == TAG_CACHED_ATOM) {
        return take8(d, &size) &&
               ((d->cache != NONE && size < HEADER_WORDS(header_of(d->cache)) && is_atom(element(d->cache, size + 1))) || bad(d)) &&
               (*slot = element(d->cache, size + 1), true);
    }
    bool small = tag == TAG_SMALL_ATOM_LATIN1 || tag == TAG_SMALL_ATOM_UTF8;
    if (!(small ? take8(d, &size) : take16(d, &size))) {
        return false;
    }
    return read_atom_text(d, size, tag == TAG_ATOM_LATIN1 || tag == TAG_SMALL_ATOM_LATIN1, slot);
}

/* An atom that must stand here. */
static bool read_atom(ExternalDecoder *d, term *slot) {
    uint32_t tag;
    return take8(d, &tag) && (is_atom_tag(tag) || bad(d)) && read_atom_tagged(d, tag, slot);
}

/* ---- Numbers ---- */

static bool read_big(ExternalDecoder *d, size_t size, term *slot) {
    const uint8_t *p = take(d, 1);
    if (p == NULL || size > INTEGER_MAX_LIMBS * sizeof(Limb)) {
        return bad(d);
    }
    bool negative = *p != 0;
    if ((p = take(d, size)) == NULL) {
        return false;
    }
    spend(d, size / 16);
    *slot = integer_from_magnitude(d->h, p, size, negative);
    return *slot != NONE;
}

/* A small integer that must stand here, in whatever form. */
static bool read_small(ExternalDecoder *d, intptr_t *n) {
    uint32_t tag, v;
    term t;
    if (!take8(d, &tag)) {
        return false;
    }
    if (tag == TAG_SMALL_INTEGER) {
        return take8(d, &v) && (*n = (intptr_t)v, true);
    }
    if (tag == TAG_INTEGER) {
        return take32(d, &v) && (*n = (int32_t)v, true);
    }
    if (tag == TAG_SMALL_BIG && take8(d, &v) && read_big(d, v, &t) && is_small(t)) {
        *n = small_value(t);
        return true;
    }
    return bad(d);
}

static bool store_float(ExternalDecoder *d, double f, term *slot) {
    if (!isfinite(f)) {
        return bad(d);
    }
    term *p = allocate(d, FLOAT_WORDS);
    return p != NULL && (*slot = write_float(p, f), true);
}

static bool read_float(ExternalDecoder *d, term *slot) {
    const uint8_t *p = take(d, 8);
    if (p == NULL) {
        return false;
    }
    uint64_t bits = read_be64(p);
    double f;
    memcpy(&f, &bits, sizeof f);
    return store_float(d, f, slot);
}

static const char *skip_digits(const char *s) {
    if (*s < '0' || *s > '9') {
        return NULL;
    }
    while (*s >= '0' && *s <= '9') {
        s++;
    }
    return s;
}

/* [+-]digits.digits[e[+-]digits], a comma taken for a point. */
static bool read_float_text(ExternalDecoder *d, term *slot) {
    char text[FLOAT_TEXT_BYTES + 1] = {0};
    const uint8_t *p = take(d, FLOAT_TEXT_BYTES);
    if (p == NULL) {
        return false;
    }
    memcpy(text, p, FLOAT_TEXT_BYTES);
    const char *s = skip_digits(text + (*text == '+' || *text == '-'));
    if (s == NULL || (*s != '.' && *s != ',')) {
        return bad(d);
    }
    text[s - text] = '.';
    if ((s = skip_digits(s + 1)) != NULL && (*s == 'e' || *s == 'E')) {
        s++;
        s = skip_digits(s + (*s == '+' || *s == '-'));
    }
    if (s == NULL || *s != 0) {
        return bad(d);
    }
    return store_float(d, strtod(text, NULL), slot);
}

/* ---- Identifiers ---- */

typedef struct {
    term node;
    uint32_t creation;
    bool here; /* this node */
} Node;

static bool read_node(ExternalDecoder *d, Node *n) {
    n->here = d->local && left(d) > 0 && *d->p == TAG_EMPTY_LIST;
    if (n->here) {
        d->p++;
        return true;
    }
    return read_atom(d, &n->node);
}

/* The creation, which older forms have in one byte. */
static bool read_creation(ExternalDecoder *d, bool old, Node *n) {
    VM *vm = d->h->vm;
    if (!(old ? take8(d, &n->creation) : take32(d, &n->creation)) || (old && n->creation > 3)) {
        return bad(d);
    }
    n->here = n->here || (n->node == node_name(vm) && n->creation == node_creation(vm));
    return true;
}

static bool store_external(ExternalDecoder *d, ExternalType type, const Node *n, const uint32_t *number, uint32_t count, term *slot) {
    External *x = (External *)allocate(d, EXTERNAL_WORDS);
    if (x == NULL) {
        return false;
    }
    memset(x, 0, sizeof *x);
    x->header = HEADER(EXTERNAL_WORDS - 1, KIND_EXTERNAL);
    x->type = type, x->node = n->node, x->creation = n->creation, x->count = count;
    memcpy(x->number, number, count * sizeof *number);
    *slot = make_boxed(x);
    return true;
}

static bool read_pid(ExternalDecoder *d, bool old, term *slot) {
    Node n;
    uint32_t number[2];
    if (!read_node(d, &n) || !take32(d, &number[0]) || !take32(d, &number[1]) || !read_creation(d, old, &n)) {
        return false;
    }
    if (!n.here) {
        return store_external(d, EXTERNAL_PID, &n, number, 2, slot);
    }
    *slot = make_pid((uintptr_t)((uint64_t)number[1] << PID_NUMBER_BITS | number[0]));
    return (pid_number(*slot) == number[0] && pid_serial(*slot) == number[1]) || bad(d);
}

static bool read_port(ExternalDecoder *d, uint32_t tag, term *slot) {
    Node n;
    uint32_t number[2] = {0};
    if (!read_node(d, &n) || (tag == TAG_V4_PORT && !take32(d, &number[0])) || !take32(d, &number[1]) ||
        !read_creation(d, tag == TAG_OLD_PORT, &n)) {
        return false;
    }
    if (!n.here) {
        return store_external(d, EXTERNAL_PORT, &n, number, 2, slot);
    }
    uint64_t data = (uint64_t)number[0] << 32 | number[1];
    *slot = make_port((uintptr_t)data);
    return pid_data(*slot) == data || bad(d);
}

static bool read_reference(ExternalDecoder *d, uint32_t tag, term *slot) {
    enum { FIRST_LIMIT = 1 << 18 }; /* the first number of a local reference has 18 bits */
    Node n;
    uint32_t count = 1, number[5] = {0};
    bool old = tag != TAG_NEWER_REFERENCE;
    if (tag != TAG_REFERENCE && !take16(d, &count)) {
        return false;
    }
    if (count == 0 || count > ARRAY_LEN(number)) {
        return bad(d);
    }
    if (!read_node(d, &n) || (tag != TAG_REFERENCE && !read_creation(d, old, &n))) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!take32(d, &number[i])) {
            return false;
        }
    }
    if (tag == TAG_REFERENCE && !read_creation(d, true, &n)) {
        return false;
    }
    if ((old || n.here) && number[0] >= FIRST_LIMIT) {
        return bad(d);
    }
    if (!n.here) {
        return store_external(d, EXTERNAL_REF, &n, number, count, slot);
    }
    term *p = count > 3 ? NULL : allocate(d, REF_WORDS);
    if (p == NULL) {
        return count > 3 ? bad(d) : false;
    }
    *slot = ref_write(p, (uint64_t)number[1] << 32 | number[0], number[2]);
    return true;
}

/* ---- Composite terms ---- */

static bool read_string(ExternalDecoder *d, term *slot) {
    uint32_t n;
    const uint8_t *p;
    if (!take16(d, &n) || (p = take(d, n)) == NULL) {
        return false;
    }
    term *cell = n == 0 ? NULL : allocate(d, 2 * (size_t)n);
    if (n > 0 && cell == NULL) {
        return false;
    }
    *slot = n == 0 ? NIL : make_cons(cell);
    for (uint32_t i = 0; i < n; i++, cell += 2) {
        cell[0] = SMALL(p[i]);
        cell[1] = i + 1 < n ? make_cons(cell + 2) : NIL;
    }
    spend(d, n);
    return true;
}

static bool read_list(ExternalDecoder *d, term *slot) {
    uint32_t n;
    if (!take32(d, &n) || !promise(d, (size_t)n + 1)) {
        return false;
    }
    if (n == 0) {
        d->slot = slot; /* only a tail: the term that follows */
        return true;
    }
    term *cell = allocate(d, 2 * (size_t)n);
    if (cell == NULL) {
        return false;
    }
    *slot = make_cons(cell);
    return push(d, (Frame){.kind = CELLS, .at = cell, .left = n});
}

static bool read_tuple(ExternalDecoder *d, size_t n, term *slot) {
    if (n == 0) {
        *slot = literal_empty_tuple(d->h->vm);
        return true;
    }
    term *p = promise(d, n) ? allocate(d, 1 + n) : NULL;
    if (p == NULL) {
        return false;
    }
    p[0] = HEADER(n, KIND_TUPLE);
    *slot = make_boxed(p);
    return push(d, (Frame){.kind = WORDS, .at = p + 1, .left = n});
}

static bool read_map(ExternalDecoder *d, term *slot) {
    uint32_t n;
    if (!take32(d, &n) || !promise(d, 2 * (size_t)n)) {
        return false;
    }
    if (n == 0) {
        *slot = map_empty(d->h);
        return true;
    }
    term *p = allocate(d, n > MAP_FLAT_MAX ? 2 * (size_t)n : 3 + 2 * (size_t)n);
    Frame f = {.kind = n > MAP_FLAT_MAX ? PAIRS : FLAT, .left = 2 * (size_t)n, .size = n, .at = p, .slot = slot};
    if (p == NULL) {
        return false;
    }
    if (f.kind == FLAT) {
        f.keys = p + 2 + n;
    }
    return push(d, f);
}

/* A map whose keys and values have been read. */
static bool finish_map(ExternalDecoder *d, const Frame *f) {
    if (f->kind == FLAT) {
        *f->slot = map_from_flat(d->h, f->at, f->keys, f->size, true);
    } else {
        spend(d, 4 * f->size);
        *f->slot = map_from_cells(d->h, f->at, f->size, true);
    }
    return *f->slot != NONE;
}

static bool read_binary(ExternalDecoder *d, bool whole_bytes, term *slot) {
    uint32_t n, last = 8;
    const uint8_t *p;
    if (!take32(d, &n) || (!whole_bytes && !take8(d, &last))) {
        return false;
    }
    if (!whole_bytes && (last > 8 || (last == 0) != (n == 0))) {
        return bad(d);
    }
    if ((p = take(d, n)) == NULL) {
        return false;
    }
    size_t bits = n == 0 ? 0 : 8 * (size_t)(n - 1) + last;
    uint8_t *to = bits_new_sized(d->h, bits, slot);
    if (to == NULL) {
        return false;
    }
    memcpy(to, p, n);
    spend(d, n / 16);
    return true;
}

static bool read_export(ExternalDecoder *d, term *slot) {
    const ExternalHooks *hooks = d->h->vm->external;
    VM *vm = d->h->vm;
    term module, name;
    intptr_t arity;
    if (!read_atom(d, &module) || !read_atom(d, &name) || !read_small(d, &arity)) {
        return false;
    }
    if (hooks == NULL || arity < 0 || arity > 255 ||
        ((d->flags & EXTERNAL_SAFE) && !hooks->export_exists(vm, module, name, (uint32_t)arity))) {
        return bad(d);
    }
    void *export = hooks->export(vm, module, name, (uint32_t)arity);
    term *p = export == NULL ? NULL : allocate(d, 2);
    if (p == NULL) {
        return no_memory(d);
    }
    p[0] = HEADER(1, KIND_EXPORT);
    p[1] = (term) export;
    *slot = make_boxed(p);
    return true;
}

static bool read_fun(ExternalDecoder *d, term *slot) {
    const ExternalHooks *hooks = d->h->vm->external;
    FunDescription f;
    uint32_t size, count;
    intptr_t old_index, old_uniq;
    const uint8_t *uniq;
    if (!take32(d, &size) || !take8(d, &f.arity) || (uniq = take(d, sizeof f.uniq)) == NULL || !take32(d, &f.index) || !take32(d, &count)) {
        return false;
    }
    if (hooks == NULL || count > MAX_FREE_VARIABLES) {
        return bad(d);
    }
    memcpy(f.uniq, uniq, sizeof f.uniq);
    if (!read_atom(d, &f.module) || !read_small(d, &old_index) || !read_small(d, &old_uniq) || !promise(d, count + 1)) {
        return false;
    }
    f.old_index = (uint32_t)old_index, f.old_uniq = (uint32_t)old_uniq;
    void *lambda = hooks->lambda(d->h->vm, &f, count);
    term *p = lambda == NULL ? NULL : allocate(d, 3 + (size_t)count);
    if (p == NULL) {
        return no_memory(d);
    }
    p[0] = HEADER(2 + count, KIND_FUN);
    p[1] = (term)lambda;
    *slot = make_boxed(p);
    return push(d, (Frame){.kind = WORDS, .at = p + 2, .left = 1 + (size_t)count}); /* creator first */
}

static int by_word(const void *a, const void *b) {
    term x = *(const term *)a, y = *(const term *)b;
    return (x > y) - (x < y);
}

static bool all_differ(ExternalDecoder *d, const term *at, size_t n) {
    Mem *m = &d->h->vm->mem;
    term *copy = mem_alloc(m, MEM_TEMPORARY, (n + 1) * sizeof *copy);
    bool differ = true;
    if (copy == NULL) {
        return no_memory(d);
    }
    memcpy(copy, at, n * sizeof *copy);
    qsort(copy, n, sizeof *copy, by_word);
    for (size_t i = 1; i < n && differ; i++) {
        differ = copy[i] != copy[i - 1];
    }
    mem_free(m, MEM_TEMPORARY, copy, (n + 1) * sizeof *copy);
    return differ || bad(d);
}

static bool read_record(ExternalDecoder *d, term *slot) {
    uint32_t n, exported;
    term module, name;
    if (!take32(d, &n) || !take8(d, &exported) || !read_atom(d, &module) || !read_atom(d, &name)) {
        return false;
    }
    if (exported > 1 || n > left(d)) {
        return bad(d);
    }
    term *keys = allocate(d, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        if (keys == NULL || !read_atom(d, &keys[i])) {
            return false;
        }
    }
    spend(d, n);
    if (keys == NULL || !all_differ(d, keys, n) || !promise(d, n)) {
        return false;
    }
    term definition = record_define(d->h, module, name, exported == 1, keys, n);
    *slot = definition == NONE ? NONE : record_new(d->h, definition);
    if (*slot == NONE || n == 0) {
        return *slot != NONE;
    }
    return push(d, (Frame){.kind = WORDS, .at = record_values(*slot), .left = n});
}

/* ---- One term ---- */

/* Reads a term, or the beginning of one, into *slot. */
static bool read_term(ExternalDecoder *d, term *slot) {
    uint32_t tag, n;
    if (!take8(d, &tag)) {
        return false;
    }
    d->promised--;
    switch (tag) {
    case TAG_SMALL_INTEGER: return take8(d, &n) && (*slot = SMALL(n), true);
    case TAG_INTEGER:
        return take32(d, &n) && (*slot = small_fits((int32_t)n) ? SMALL((int32_t)n) : integer_from_int64(d->h, (int32_t)n), true);
    case TAG_ATOM_LATIN1:
    case TAG_SMALL_ATOM_LATIN1:
    case TAG_ATOM_UTF8:
    case TAG_SMALL_ATOM_UTF8:
    case TAG_CACHED_ATOM: return read_atom_tagged(d, tag, slot);
    case TAG_EMPTY_LIST: *slot = NIL; return true;
    case TAG_STRING: return read_string(d, slot);
    case TAG_LIST: return read_list(d, slot);
    case TAG_SMALL_TUPLE: return take8(d, &n) && read_tuple(d, n, slot);
    case TAG_LARGE_TUPLE: return take32(d, &n) && read_tuple(d, n, slot);
    case TAG_MAP_PAIRS: return read_map(d, slot);
    case TAG_BINARY:
    case TAG_BIT_BINARY: return read_binary(d, tag == TAG_BINARY, slot);
    case TAG_NEW_FLOAT: return read_float(d, slot);
    case TAG_FLOAT_TEXT: return read_float_text(d, slot);
    case TAG_SMALL_BIG: return take8(d, &n) && read_big(d, n, slot);
    case TAG_LARGE_BIG: return take32(d, &n) && read_big(d, n, slot);
    case TAG_NEW_PID:
    case TAG_OLD_PID: return read_pid(d, tag == TAG_OLD_PID, slot);
    case TAG_V4_PORT:
    case TAG_NEW_PORT:
    case TAG_OLD_PORT: return read_port(d, tag, slot);
    case TAG_NEWER_REFERENCE:
    case TAG_NEW_REFERENCE:
    case TAG_REFERENCE: return read_reference(d, tag, slot);
    case TAG_EXPORT: return read_export(d, slot);
    case TAG_NEW_FUN: return read_fun(d, slot);
    case TAG_RECORD: return read_record(d, slot);
    default: return bad(d);
    }
}

/* Where the next term goes; NULL: look again, or all is done if the stack is empty. *failed: a map was not good. */
static term *next_slot(ExternalDecoder *d, bool *failed) {
    Frame *f = &d->stack[d->depth - 1];
    term *slot = NULL;
    switch (f->kind) {
    case WORDS:
        slot = f->at++;
        if (--f->left == 0) {
            d->depth--;
        }
        return slot;
    case CELLS:
        if (f->left == 0) {
            d->depth--;
            return f->at - 1;
        }
        slot = f->at;
        f->at += 2;
        slot[1] = make_cons(f->at);
        f->left--;
        return slot;
    case FLAT:
    case PAIRS:
        if (f->left == 0) {
            Frame done = *f;
            d->depth--;
            *failed = !finish_map(d, &done);
            return NULL;
        }
        size_t i = 2 * f->size - f->left--;
        if (f->kind == PAIRS) {
            return f->at + i;
        }
        return (i % 2 == 0 ? f->keys + 1 : f->at + 2) + i / 2;
    }
    UNREACHABLE();
}

/* ---- From the outside ---- */

static void finish(ExternalDecoder *d, bool good) {
    d->phase = DONE;
    if (good && d->local) {
        const uint8_t *from = d->start + 1 + LOCAL_HASH_BYTES;
        good = external_local_hash(d->h->vm, from, (size_t)(d->p - from)) == read_be32(d->start + 1);
        if (!good) {
            d->h->reason = A_badarg;
        }
    }
    if (!good) {
        d->result = NONE;
    } else if (d->unpacked == NULL) {
        d->used = (size_t)(d->p - d->input.at);
    }
}

static void begin_reading(ExternalDecoder *d, const uint8_t *p, size_t size) {
    d->start = d->p = p;
    d->end = p + size;
    d->promised = 1;
    d->slot = &d->result;
    d->phase = READING;
    if (size > LOCAL_HASH_BYTES && *p == TAG_LOCAL) {
        d->local = true;
        d->p += 1 + LOCAL_HASH_BYTES;
    }
}

static void begin_inflating(ExternalDecoder *d, const uint8_t *p, size_t size) {
    d->unpacked_size = read_be32(p + 1);
    d->phase = INFLATING;
    if (d->unpacked_size == 0 || d->unpacked_size / MAX_DEFLATE_RATIO > size || size > UINT32_MAX) {
        finish(d, bad(d));
        return;
    }
    d->unpacked = mem_alloc(&d->h->vm->mem, MEM_TEMPORARY, d->unpacked_size);
    d->zlib_open = d->unpacked != NULL && inflateInit(&d->zlib) == Z_OK;
    if (!d->zlib_open) {
        finish(d, no_memory(d));
        return;
    }
    d->zlib.next_in = (uint8_t *)p + 5;
    d->zlib.avail_in = (uInt)(size - 5);
    d->zlib.next_out = d->unpacked;
}

static void inflate_step(ExternalDecoder *d) {
    size_t room = d->unpacked_size - d->zlib.total_out, piece = MIN(room, MAX(d->budget, 64));
    d->zlib.avail_out = (uInt)piece;
    int result = inflate(&d->zlib, Z_NO_FLUSH);
    spend(d, MAX(piece, 1));
    if (result == Z_OK && d->zlib.total_out < d->unpacked_size && d->zlib.avail_out < piece) {
        return;
    }
    if (result != Z_STREAM_END || d->zlib.total_out != d->unpacked_size) {
        finish(d, bad(d));
        return;
    }
    d->used = (size_t)(d->zlib.next_in - d->input.at);
    begin_reading(d, d->unpacked, d->unpacked_size);
}

static void decoder_init(ExternalDecoder *d, Heap *h, Bytes b, unsigned flags) {
    memset(d, 0, sizeof *d);
    d->h = h, d->flags = flags, d->input = b;
    d->result = NONE;
    d->cache = NONE;
    if (!(flags & EXTERNAL_NO_VERSION)) {
        if (b.size == 0 || b.at[0] != EXTERNAL_VERSION) {
            finish(d, bad(d));
            return;
        }
        b.at++, b.size--;
    }
    if (b.size > 5 && b.at[0] == TAG_COMPRESSED) {
        begin_inflating(d, b.at, b.size);
    } else {
        begin_reading(d, b.at, b.size);
    }
}

bool external_decoder_step(ExternalDecoder *d, size_t *budget) {
    d->budget = *budget;
    while (d->budget > 0 && d->phase == INFLATING) {
        inflate_step(d);
    }
    while (d->budget > 0 && d->phase == READING) {
        term *slot = d->slot;
        bool failed = false;
        d->slot = NULL;
        if (slot == NULL) {
            if (d->depth == 0) {
                finish(d, true);
                break;
            }
            slot = next_slot(d, &failed);
        }
        if (failed || (slot != NULL && !read_term(d, slot))) {
            finish(d, false);
        }
        d->budget -= d->budget > 0;
    }
    *budget = d->budget;
    return d->phase == DONE;
}

static void decoder_done(ExternalDecoder *d) {
    Mem *m = &d->h->vm->mem;
    mem_free(m, MEM_TEMPORARY, d->stack, d->capacity * sizeof *d->stack);
    if (d->zlib_open) {
        inflateEnd(&d->zlib);
    }
    mem_free(m, MEM_TEMPORARY, d->unpacked, d->unpacked_size);
}

/* All at once, with a decoder that has been initialised. */
static term decode(ExternalDecoder *d, size_t *used) {
    size_t budget = SIZE_MAX;
    while (!external_decoder_step(d, &budget)) {
        budget = SIZE_MAX;
    }
    decoder_done(d);
    if (used != NULL && d->result != NONE) {
        *used = d->used;
    }
    return d->result;
}

term external_decode(Heap *h, Bytes b, unsigned flags, size_t *used) {
    ExternalDecoder d;
    decoder_init(&d, h, b, flags);
    return decode(&d, used);
}

term external_decode_cached(Heap *h, Bytes b, term atoms) {
    ExternalDecoder d;
    decoder_init(&d, h, b, 0);
    d.cache = atoms;
    return decode(&d, NULL);
}

ExternalDecoder *external_decoder_new(Heap *h, Bytes b, unsigned flags) {
    ExternalDecoder *d = MEM_NEW(&h->vm->mem, MEM_TEMPORARY, ExternalDecoder);
    if (d != NULL) {
        decoder_init(d, h, b, flags);
    }
    return d;
}

term external_decoder_result(const ExternalDecoder *d, size_t *used) {
    assert(d->phase == DONE);
    *used = d->used;
    return d->result;
}

void external_decoder_delete(ExternalDecoder *d) {
    if (d != NULL) {
        Mem *m = &d->h->vm->mem;
        decoder_done(d);
        mem_free(m, MEM_TEMPORARY, d, sizeof *d);
    }
}
