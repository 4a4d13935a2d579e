/* Terms to the external format. What is left to write stands on an explicit stack, in terms and counts only, so that a
   collection may move everything between two steps. */
#include "data/external.h"

#include <stdio.h>
#include <zlib.h>

#include "base/utf8.h"
#include "data/bits.h"
#include "data/external_tags.h"
#include "data/integer.h"
#include "data/map.h"
#include "data/record.h"
#include "term/atom.h"
#include "term/compare.h"
#include "term/ref.h"

/* A composite term that has been begun. */
typedef struct {
    enum {
        CELLS,    /* t: list cell whose head is next; next: cells so far; at: where the list's length goes */
        WORDS,    /* t: boxed; next: word that is next */
        FUN,      /* the same; at: where the size of the fun goes */
        FLAT,     /* t: map; next: twice the pair that is next, plus one if its key is written */
        CHILDREN, /* t: root or node of a large map; next: twice the children left, minus one if a key is written */
        SORTED,   /* pairs: keys and values of a large map in order; at: how many terms; next: which is next */
        BITS,     /* t: bitstring; next: bytes done */
    } kind;
    term t;
    term *pairs;
    size_t next, at;
} Frame;

struct ExternalEncoder {
    VM *vm;
    Text *out, text; /* out: where bytes go; text: that, where the encoder owns it */
    ExternalOptions options;
    bool count_only; /* out is emptied now and then */
    size_t counted;  /* bytes that are no longer in out */
    term todo;       /* to be written next; NONE: what the stack says */
    term reason;     /* why it failed; NONE: it has not */
    Frame *stack;
    size_t depth, capacity;
    size_t unsaved; /* SORTED frames on the stack: those cannot be saved */
    size_t start;   /* in out: of what is compressed, or hashed */
    size_t budget;
    enum { WRITING, COMPRESSING, DONE } phase;
    z_stream zlib;
    uint8_t *packed; /* what comes out of zlib */
    size_t packed_room;
    uint8_t scrap[32]; /* takes what there is no memory for */
};

static void spend(ExternalEncoder *e, size_t n) {
    e->budget -= MIN(n, e->budget);
}

static void fail(ExternalEncoder *e, term reason) {
    e->reason = reason;
}

static inline uint8_t *room(ExternalEncoder *e, size_t n) {
    assert(n <= sizeof e->scrap);
    if (UNLIKELY(!text_reserve(e->out, n))) {
        fail(e, A_system_limit);
        return e->scrap;
    }
    uint8_t *p = e->out->at + e->out->size;
    e->out->size += n;
    return p;
}

/* Room for any number of bytes; NULL: no memory, or nobody wants to see them. */
static uint8_t *large_room(ExternalEncoder *e, size_t n) {
    if (e->count_only) {
        e->counted += n;
        return NULL;
    }
    if (!text_reserve(e->out, n)) {
        fail(e, A_system_limit);
        return NULL;
    }
    uint8_t *p = e->out->at + e->out->size;
    e->out->size += n;
    return p;
}

static inline void write_tag(ExternalEncoder *e, uint8_t tag) {
    *room(e, 1) = tag;
}
static inline void write_tag8(ExternalEncoder *e, uint8_t tag, size_t n) {
    uint8_t *p = room(e, 2);
    p[0] = tag, p[1] = (uint8_t)n;
}
static inline void write_tag16(ExternalEncoder *e, uint8_t tag, size_t n) {
    uint8_t *p = room(e, 3);
    p[0] = tag, write_be16(p + 1, (uint32_t)n);
}
static inline void write_tag32(ExternalEncoder *e, uint8_t tag, size_t n) {
    uint8_t *p = room(e, 5);
    p[0] = tag, write_be32(p + 1, (uint32_t)n);
}
static inline void write_32(ExternalEncoder *e, uint32_t n) {
    write_be32(room(e, 4), n);
}

/* Where the next byte goes; for `patch`. */
static inline size_t position(const ExternalEncoder *e) {
    return e->out->size;
}
static void patch(ExternalEncoder *e, size_t at, uint32_t n) {
    if (!e->count_only && e->reason == NONE) {
        write_be32(e->out->at + at, n);
    }
}

static void push(ExternalEncoder *e, Frame f) {
    if (e->depth == e->capacity) {
        size_t old = e->capacity * sizeof f, capacity = MAX(2 * e->capacity, 16);
        Frame *stack = mem_resize(&e->vm->mem, MEM_TEMPORARY, e->stack, old, capacity * sizeof f);
        if (stack == NULL) {
            fail(e, A_system_limit);
            return;
        }
        e->stack = stack, e->capacity = capacity;
    }
    e->stack[e->depth++] = f;
}

/* ---- Simple terms ---- */

static void write_atom(ExternalEncoder *e, term t) {
    Bytes text = atom_text(e->vm, t);
    size_t chars = 0, ascii = 0;
    bool latin1 = e->options.minor_version < 2;
    for (size_t i = 0; i < text.size && latin1; i++) {
        latin1 = text.at[i] < 0xc4;
        ascii += text.at[i] < 0x80;
        chars += (text.at[i] & 0xc0) != 0x80;
    }
    if (!latin1) {
        if (text.size > 255) {
            write_tag16(e, TAG_ATOM_UTF8, text.size);
        } else {
            write_tag8(e, TAG_SMALL_ATOM_UTF8, text.size);
        }
        chars = text.size;
    } else {
        write_tag16(e, TAG_ATOM_LATIN1, chars);
    }
    uint8_t *p = large_room(e, chars);
    if (p != NULL) {
        if (!latin1 || ascii == text.size) {
            memcpy(p, text.at, text.size);
            return;
        }
        for (const uint8_t *from = text.at; from < text.at + text.size;) {
            uint32_t c;
            from += utf8_read(from, text.at + text.size, &c);
            *p++ = (uint8_t)c;
        }
    }
}

static void write_integer(ExternalEncoder *e, term t) {
    int64_t n;
    if (integer_to_int64(t, &n) && n >= INT32_MIN && n <= INT32_MAX) {
        if (n >= 0 && n <= 255) {
            write_tag8(e, TAG_SMALL_INTEGER, (size_t)n);
        } else {
            write_tag32(e, TAG_INTEGER, (uint32_t)n);
        }
        return;
    }
    size_t size = integer_magnitude_size(t);
    if (size < 256) {
        write_tag8(e, TAG_SMALL_BIG, size);
    } else {
        write_tag32(e, TAG_LARGE_BIG, size);
    }
    *room(e, 1) = integer_is_negative(t);
    uint8_t *p = large_room(e, size);
    if (p != NULL) {
        integer_write_magnitude(t, p);
    }
    spend(e, size / 16);
}

static void write_float_term(ExternalEncoder *e, double d) {
    if (e->options.minor_version == 0) {
        char text[FLOAT_TEXT_BYTES + 8] = {0};
        snprintf(text, sizeof text, "%.20e", d);
        write_tag(e, TAG_FLOAT_TEXT);
        memcpy(room(e, FLOAT_TEXT_BYTES), text, FLOAT_TEXT_BYTES);
        return;
    }
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    write_tag(e, TAG_NEW_FLOAT);
    write_be64(room(e, 8), bits);
}

/* The node of a pid, port or reference of this VM. */
static void write_this_node(ExternalEncoder *e) {
    if (e->options.local) {
        write_tag(e, TAG_EMPTY_LIST);
    } else {
        write_atom(e, node_name(e->vm));
    }
}

static void write_pid(ExternalEncoder *e, term t) {
    const External *x = is_local_pid(t) ? NULL : (External *)boxed(t);
    write_tag(e, TAG_NEW_PID);
    if (x == NULL) {
        write_this_node(e);
    } else {
        write_atom(e, x->node);
    }
    write_32(e, x == NULL ? pid_number(t) : x->number[0]);
    write_32(e, x == NULL ? pid_serial(t) : x->number[1]);
    write_32(e, x == NULL ? node_creation(e->vm) : (uint32_t)x->creation);
}

static void write_port(ExternalEncoder *e, term t) {
    const External *x = is_local_port(t) ? NULL : (External *)boxed(t);
    uint64_t number = x == NULL ? pid_data(t) : (uint64_t)x->number[0] << 32 | x->number[1];
    bool large = number > (1u << 28) - 1;
    write_tag(e, large ? TAG_V4_PORT : TAG_NEW_PORT);
    if (x == NULL) {
        write_this_node(e);
    } else {
        write_atom(e, x->node);
    }
    if (large) {
        write_32(e, (uint32_t)(number >> 32));
    }
    write_32(e, (uint32_t)number);
    write_32(e, x == NULL ? node_creation(e->vm) : (uint32_t)x->creation);
}

static void write_reference(ExternalEncoder *e, term t) {
    uint32_t local[3], count = 3, creation = node_creation(e->vm);
    const uint32_t *number = local;
    if (is_local_ref(t)) {
        local[0] = (uint32_t)ref_low(t), local[1] = (uint32_t)(ref_low(t) >> 32), local[2] = (uint32_t)ref_high(t);
        write_tag16(e, TAG_NEWER_REFERENCE, count);
        write_this_node(e);
    } else {
        const External *x = (External *)boxed(t);
        number = x->number, count = x->count, creation = (uint32_t)x->creation;
        write_tag16(e, TAG_NEWER_REFERENCE, count);
        write_atom(e, x->node);
    }
    write_32(e, creation);
    for (uint32_t i = 0; i < count; i++) {
        write_32(e, number[i]);
    }
}

/* ---- Composite terms: their beginnings ---- */

/* How many elements a proper list of bytes has, at most STRING_MAX; 0: it is something else. */
static size_t string_length(term t) {
    size_t n = 0;
    for (; is_cons(t); t = tail(t)) {
        if (!is_small(head(t)) || (uintptr_t)small_value(head(t)) > 255 || n == STRING_MAX) {
            return 0;
        }
        n++;
    }
    return t == NIL ? n : 0;
}

static void begin_list(ExternalEncoder *e, term t) {
    size_t n = string_length(t);
    if (n == 0) {
        write_tag32(e, TAG_LIST, 0);
        push(e, (Frame){.kind = CELLS, .t = t, .at = position(e) - 4});
        return;
    }
    write_tag16(e, TAG_STRING, n);
    uint8_t *p = large_room(e, n);
    for (; p != NULL && t != NIL; t = tail(t)) {
        *p++ = (uint8_t)small_value(head(t));
    }
    spend(e, n);
}

static void begin_tuple(ExternalEncoder *e, term t) {
    size_t n = tuple_arity(t);
    if (n < 256) {
        write_tag8(e, TAG_SMALL_TUPLE, n);
    } else {
        write_tag32(e, TAG_LARGE_TUPLE, n);
    }
    push(e, (Frame){.kind = WORDS, .t = t, .next = 1});
}

/* Merges sorted runs of pairs, until all are one. */
static void sort_pairs(VM *vm, term *pairs, term *other, size_t n) {
    term *from = pairs, *to = other;
    for (size_t run = 1; run < n; run *= 2) {
        for (size_t start = 0; start < n; start += 2 * run) {
            size_t a = start, a_end = MIN(start + run, n), b = a_end, b_end = MIN(b + run, n);
            for (size_t i = start; i < b_end; i++) {
                bool take_b = a == a_end || (b < b_end && term_compare_exact(vm, from[2 * b], from[2 * a]) < 0);
                size_t take = take_b ? b++ : a++;
                to[2 * i] = from[2 * take], to[2 * i + 1] = from[2 * take + 1];
            }
        }
        term *swap = from;
        from = to, to = swap;
    }
    if (from != pairs) {
        memcpy(pairs, from, 2 * n * sizeof *pairs);
    }
}

static void begin_sorted_map(ExternalEncoder *e, term t) {
    size_t n = map_size(t), bytes = 4 * n * sizeof(term), i = 0;
    term *pairs = mem_alloc(&e->vm->mem, MEM_TEMPORARY, bytes);
    if (pairs == NULL) {
        fail(e, A_system_limit);
        return;
    }
    MapWalk w;
    for (map_walk(&w, t); map_next(&w); i += 2) {
        pairs[i] = w.key, pairs[i + 1] = w.value;
    }
    sort_pairs(e->vm, pairs, pairs + i, n);
    spend(e, 8 * n);
    push(e, (Frame){.kind = SORTED, .pairs = pairs, .at = 2 * n});
    if (e->reason == NONE) {
        e->unsaved++;
    } else {
        mem_free(&e->vm->mem, MEM_TEMPORARY, pairs, bytes);
    }
}

static void begin_map(ExternalEncoder *e, term t) {
    write_tag32(e, TAG_MAP_PAIRS, map_size(t));
    if (is_flat_map(t)) {
        push(e, (Frame){.kind = FLAT, .t = t});
    } else if (e->options.deterministic) {
        begin_sorted_map(e, t);
    } else {
        size_t count;
        map_children(t, &count);
        push(e, (Frame){.kind = CHILDREN, .t = t, .next = 2 * count});
    }
}

static void begin_bits(ExternalEncoder *e, term t) {
    size_t bits = bits_size(t), bytes = (bits + 7) / 8;
    if (bytes > UINT32_MAX) {
        fail(e, A_system_limit);
    } else if (bits % 8 == 0) {
        write_tag32(e, TAG_BINARY, bytes);
    } else {
        write_tag32(e, TAG_BIT_BINARY, bytes);
        *room(e, 1) = bits % 8;
    }
    if (e->count_only) {
        e->counted += bytes;
    } else {
        push(e, (Frame){.kind = BITS, .t = t});
    }
}

static void begin_fun(ExternalEncoder *e, term t) {
    const ExternalHooks *hooks = e->vm->external;
    if (hooks == NULL) {
        fail(e, A_badarg);
        return;
    }
    const void *code = (const void *)boxed(t)[1];
    if (kind_of(t) == KIND_EXPORT) {
        term module, name;
        uint32_t arity;
        hooks->describe_export(e->vm, code, &module, &name, &arity);
        write_tag(e, TAG_EXPORT);
        write_atom(e, module);
        write_atom(e, name);
        write_integer(e, SMALL(arity));
        return;
    }
    FunDescription f;
    hooks->describe_lambda(e->vm, code, &f);
    write_tag32(e, TAG_NEW_FUN, 0);
    size_t at = position(e) - 4;
    *room(e, 1) = (uint8_t)f.arity;
    memcpy(room(e, sizeof f.uniq), f.uniq, sizeof f.uniq);
    write_32(e, f.index);
    write_32(e, (uint32_t)HEADER_WORDS(header_of(t)) - 2);
    write_atom(e, f.module);
    write_integer(e, SMALL(f.old_index));
    write_integer(e, SMALL(f.old_uniq));
    push(e, (Frame){.kind = FUN, .t = t, .next = 2, .at = at}); /* creator, then free variables */
}

static void begin_record(ExternalEncoder *e, term t) {
    term definition = record_definition(t);
    write_tag32(e, TAG_RECORD, record_size(t));
    *room(e, 1) = element(definition, RECORD_EXPORTED) == A_true;
    write_atom(e, element(definition, RECORD_MODULE));
    write_atom(e, element(definition, RECORD_NAME));
    for (size_t i = 0; i < record_size(t); i++) {
        write_atom(e, record_keys(definition)[i]);
    }
    push(e, (Frame){.kind = WORDS, .t = t, .next = 2});
}

static void begin_boxed(ExternalEncoder *e, term t) {
    switch (kind_of(t)) {
    case KIND_TUPLE: begin_tuple(e, t); break;
    case KIND_MAP:
    case KIND_HASH_MAP: begin_map(e, t); break;
    case KIND_FUN:
    case KIND_EXPORT: begin_fun(e, t); break;
    case KIND_BIG:
    case KIND_NEG_BIG: write_integer(e, t); break;
    case KIND_FLOAT: write_float_term(e, float_value(t)); break;
    case KIND_REF: write_reference(e, t); break;
    case KIND_BITS:
    case KIND_VIEW: begin_bits(e, t); break;
    case KIND_EXTERNAL:
        if (is_pid(t)) {
            write_pid(e, t);
        } else if (is_port(t)) {
            write_port(e, t);
        } else {
            write_reference(e, t);
        }
        break;
    case KIND_RECORD: begin_record(e, t); break;
    default: fail(e, A_badarg);
    }
}

static void begin(ExternalEncoder *e, term t) {
    if (is_cons(t)) {
        begin_list(e, t);
    } else if (is_boxed(t)) {
        begin_boxed(e, t);
    } else if (is_small(t)) {
        write_integer(e, t);
    } else if (is_atom(t)) {
        write_atom(e, t);
    } else if (t == NIL) {
        write_tag(e, TAG_EMPTY_LIST);
    } else if (is_local_pid(t)) {
        write_pid(e, t);
    } else {
        assert(is_local_port(t));
        write_port(e, t);
    }
}

/* ---- Going on ---- */

/* Copies as much of a bitstring as the budget allows. True: that was all. */
static bool continue_bits(ExternalEncoder *e, Frame *f) {
    Bits b = bits_of(f->t);
    size_t bytes = (b.size + 7) / 8, n = MIN(bytes - f->next, 16 * MAX(e->budget, 64));
    uint8_t *p = large_room(e, n);
    if (p == NULL) {
        return false;
    }
    size_t bits = MIN(b.size - 8 * f->next, 8 * n);
    if (n > 0) {
        p[n - 1] = 0;
        bitrun_copy(p, 0, b.at + f->next, b.start, bits);
    }
    f->next += n;
    spend(e, n / 16);
    return f->next == bytes;
}

static term continue_children(ExternalEncoder *e, Frame *f) {
    size_t count;
    const term *child = map_children(f->t, &count);
    term c = child[(f->next - 1) / 2];
    f->next--;
    if (is_cons(c)) {
        return f->next % 2 == 1 ? head(c) : tail(c);
    }
    f->next--;
    map_children(c, &count);
    push(e, (Frame){.kind = CHILDREN, .t = c, .next = 2 * count});
    return NONE;
}

/* The term to write next; NONE: look again, or all is done if the stack is empty. */
static term next_term(ExternalEncoder *e) {
    Frame *f = &e->stack[e->depth - 1];
    size_t words;
    term t = NONE;
    switch (f->kind) {
    case CELLS:
        if (is_cons(f->t)) {
            t = head(f->t);
            f->t = tail(f->t);
            f->next++;
            return t;
        }
        patch(e, f->at, (uint32_t)f->next);
        t = f->t;
        break;
    case WORDS:
    case FUN:
        words = HEADER_WORDS(header_of(f->t));
        if (f->next < words || (f->next == words && f->kind == FUN)) {
            return boxed(f->t)[f->next++];
        }
        if (f->kind == FUN) {
            patch(e, f->at, (uint32_t)(position(e) - f->at));
        } else if (f->next == words) {
            t = boxed(f->t)[words];
        }
        break;
    case FLAT:
        if (f->next < 2 * map_size(f->t)) {
            t = (f->next % 2 == 0 ? map_flat_keys(f->t) : map_flat_values(f->t))[f->next / 2];
            f->next++;
            return t;
        }
        break;
    case CHILDREN:
        if (f->next > 0) {
            return continue_children(e, f);
        }
        break;
    case SORTED:
        if (f->next < f->at) {
            return f->pairs[f->next++];
        }
        mem_free(&e->vm->mem, MEM_TEMPORARY, f->pairs, 2 * f->at * sizeof(term));
        e->unsaved--;
        break;
    case BITS:
        if (!continue_bits(e, f)) {
            return NONE;
        }
        break;
    }
    e->depth--;
    return t;
}

/* ---- From the outside ---- */

uint32_t external_local_hash(VM *vm, const uint8_t *p, size_t size) {
    uint64_t h = (uint64_t)(uintptr_t)vm * 0x9e3779b97f4a7c15 ^ (uint64_t)(uintptr_t)vm->identity;
    for (size_t i = 0; i < size; i++) {
        h = (h ^ p[i]) * 0x100000001b3;
    }
    return (uint32_t)(h >> 32 ^ h);
}

static void encoder_init(ExternalEncoder *e, VM *vm, Text *out, term t, const ExternalOptions *options) {
    memset(e, 0, sizeof *e);
    text_init(&e->text, &vm->mem);
    e->vm = vm, e->out = out, e->options = *options, e->todo = t;
    if (!options->no_version) {
        write_tag(e, EXTERNAL_VERSION);
    }
    e->start = position(e);
    if (options->local) {
        write_tag32(e, TAG_LOCAL, 0);
    }
}

static void compress_begin(ExternalEncoder *e) {
    size_t size = e->out->size - e->start;
    e->phase = DONE;
    if (size <= 5) {
        return;
    }
    e->packed_room = size - 5; /* as long as that: no use */
    e->packed = mem_alloc(&e->vm->mem, MEM_TEMPORARY, e->packed_room);
    if (e->packed == NULL || deflateInit(&e->zlib, e->options.compression) != Z_OK) {
        fail(e, A_system_limit);
        return;
    }
    e->zlib.next_in = e->out->at + e->start;
    e->zlib.next_out = e->packed;
    e->phase = COMPRESSING;
}

/* zlib's output is the same whatever the pieces it is given and asked for. */
static void compress_step(ExternalEncoder *e) {
    enum { STEPS_PER_BYTE = 4, PIECE_MIN = 256 };
    size_t left = e->packed_room - (size_t)(e->zlib.next_out - e->packed), unread = e->out->size - e->start - e->zlib.total_in;
    size_t piece = MIN(unread, MAX(e->budget / STEPS_PER_BYTE, PIECE_MIN));
    e->zlib.avail_in = (uInt)piece;
    e->zlib.avail_out = (uInt)left;
    int result = deflate(&e->zlib, piece == unread ? Z_FINISH : Z_NO_FLUSH);
    spend(e, STEPS_PER_BYTE * piece + 1);
    if (result == Z_OK && e->zlib.avail_out > 0) {
        return;
    }
    if (result == Z_STREAM_END) {
        uint8_t *p = e->out->at + e->start;
        p[0] = TAG_COMPRESSED;
        write_be32(p + 1, (uint32_t)(e->out->size - e->start));
        memcpy(p + 5, e->packed, e->zlib.total_out);
        e->out->size = e->start + 5 + e->zlib.total_out;
    }
    e->phase = DONE;
}

static void writing_done(ExternalEncoder *e) {
    e->phase = DONE;
    if (e->reason != NONE || e->count_only) {
        return;
    }
    if (e->options.local) {
        size_t from = e->start + 1 + LOCAL_HASH_BYTES;
        patch(e, e->start + 1, external_local_hash(e->vm, e->out->at + from, e->out->size - from));
    }
    if (e->options.compression != 0 && e->out->size - e->start <= UINT32_MAX) {
        compress_begin(e);
    }
}

bool external_encoder_step(ExternalEncoder *e, size_t *budget) {
    e->budget = *budget;
    while (e->budget > 0 && e->phase == WRITING) {
        if (e->todo != NONE) {
            term t = e->todo;
            e->todo = NONE;
            begin(e, t);
            e->budget--;
            if (e->count_only && e->out->size > 0) {
                e->counted += e->out->size;
                e->out->size = 0;
            }
        }
        if (e->depth > 0) {
            e->todo = next_term(e);
        }
        if (e->reason != NONE || (e->depth == 0 && e->todo == NONE)) {
            writing_done(e);
        }
    }
    while (e->budget > 0 && e->phase == COMPRESSING) {
        compress_step(e);
    }
    *budget = e->budget;
    return e->phase == DONE;
}

static void encoder_done(ExternalEncoder *e) {
    Mem *m = &e->vm->mem;
    for (size_t i = 0; i < e->depth; i++) {
        if (e->stack[i].kind == SORTED) {
            mem_free(m, MEM_TEMPORARY, e->stack[i].pairs, 2 * e->stack[i].at * sizeof(term));
        }
    }
    mem_free(m, MEM_TEMPORARY, e->stack, e->capacity * sizeof *e->stack);
    if (e->packed != NULL) {
        deflateEnd(&e->zlib);
        mem_free(m, MEM_TEMPORARY, e->packed, e->packed_room);
    }
}

bool external_encode(Text *out, VM *vm, term t, const ExternalOptions *options, term *reason) {
    ExternalEncoder e;
    size_t start = out->size, budget = SIZE_MAX;
    encoder_init(&e, vm, out, t, options);
    while (!external_encoder_step(&e, &budget)) {
        budget = SIZE_MAX;
    }
    encoder_done(&e);
    if (e.reason != NONE) {
        out->size = start;
        *reason = e.reason;
    }
    return e.reason == NONE;
}

void external_encoder_count(ExternalEncoder *e) {
    e->count_only = true;
}

size_t external_encoder_counted(const ExternalEncoder *e, term *reason) {
    *reason = e->reason;
    return e->counted;
}

ExternalEncoder *external_encoder_new(VM *vm, term t, const ExternalOptions *options) {
    ExternalEncoder *e = MEM_NEW(&vm->mem, MEM_TEMPORARY, ExternalEncoder);
    if (e != NULL) {
        encoder_init(e, vm, &e->text, t, options);
    }
    return e;
}

term external_encoder_save(ExternalEncoder *e, Heap *h) {
    if (e->phase != WRITING) {
        return NIL;
    }
    term *p = e->unsaved > 0 ? NULL : heap_alloc(h, e->depth + 2);
    if (p == NULL) {
        return NONE;
    }
    p[0] = HEADER(e->depth + 1, KIND_TUPLE);
    p[1] = e->todo == NONE ? NIL : e->todo;
    for (size_t i = 0; i < e->depth; i++) {
        p[2 + i] = e->stack[i].t;
    }
    return make_boxed(p);
}

void external_encoder_restore(ExternalEncoder *e, term saved) {
    if (e->phase == WRITING) {
        assert(is_tuple_of(saved, e->depth + 1));
        e->todo = e->todo == NONE ? NONE : element(saved, 1);
        for (size_t i = 0; i < e->depth; i++) {
            e->stack[i].t = element(saved, 2 + i);
        }
    }
}

bool external_encoder_result(ExternalEncoder *e, Bytes *result, term *reason) {
    assert(e->phase == DONE);
    *result = (Bytes){e->out->at, e->out->size};
    *reason = e->reason;
    return e->reason == NONE;
}

void external_encoder_delete(ExternalEncoder *e) {
    if (e != NULL) {
        encoder_done(e);
        text_done(&e->text);
        mem_free(&e->vm->mem, MEM_TEMPORARY, e, sizeof *e);
    }
}
