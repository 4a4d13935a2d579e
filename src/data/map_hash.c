/* The hash that places a key in a large map: Bob Jenkins's mixing over all of the key's bits, as in OTP 25, so that large
   maps have the same order there and here. */
#include "data/map.h"

#include "term/ref.h"

/* What a part of a key begins with, so that 1, [1], {1} and <<1>> differ: multiples of the golden ratio. */
#define CONSTANT(n) ((uint32_t)(0x9e3779b9u * (n)))

typedef struct {
    uint32_t a, b, c;
} Mix;

static inline void mix(Mix *m) {
    uint32_t a = m->a, b = m->b, c = m->c;
    a -= b, a -= c, a ^= c >> 13;
    b -= c, b -= a, b ^= a << 8;
    c -= a, c -= b, c ^= b >> 13;
    a -= b, a -= c, a ^= c >> 12;
    b -= c, b -= a, b ^= a << 16;
    c -= a, c -= b, c ^= b >> 5;
    a -= b, a -= c, a ^= c >> 3;
    b -= c, b -= a, b ^= a << 10;
    c -= a, c -= b, c ^= b >> 15;
    m->a = a, m->b = b, m->c = c;
}

static inline uint32_t mix_two(uint32_t hash, uint32_t x, uint32_t y, unsigned n) {
    Mix m = {CONSTANT(n) + x, CONSTANT(n) + y, hash};
    mix(&m);
    return m.c;
}
static inline uint32_t mix_one(uint32_t hash, uint32_t x, unsigned n) {
    return mix_two(hash, x, 0, n);
}
static inline uint32_t mix_64(uint32_t hash, uint64_t x, unsigned n) {
    return mix_two(hash, (uint32_t)x, (uint32_t)(x >> 32), n);
}
static inline uint32_t mix_constant(uint32_t hash, unsigned n) {
    hash ^= CONSTANT(n);
    return hash << 17 ^ hash >> 15;
}
static inline uint32_t mix_immediate(uint32_t hash, term t) {
    return sizeof t == 8 ? mix_64(hash, t, 1) : mix_one(hash, (uint32_t)t, 1);
}

/* Where hashing goes on when the part at hand is done. Parts are walked depth first; a part that is the last one of what
   contains it needs no place here, so that lists of any length do not either. What lies deeper than this stack has no
   influence on the hash: such keys collide, which costs time only. */
typedef struct {
    enum { PARTS, PAIRS, CHILDREN, TAIL } kind;
    bool value;         /* of a pair, the key has been taken */
    size_t left;        /* parts, pairs or children to come */
    const term *at;     /* PARTS, PAIRS (keys): next one; CHILDREN: first one, taken from the end */
    const term *values; /* PAIRS */
    term tail;          /* TAIL */
} Pending;
enum { DEPTH = 64 };

typedef struct {
    uint32_t hash;
    unsigned depth;
    Pending stack[DEPTH];
} Walk;

static Pending *push(Walk *w) {
    return w->depth < DEPTH ? &w->stack[w->depth++] : NULL;
}

/* The next part to hash; NONE: all done. */
static term next_part(Walk *w) {
    while (w->depth > 0) {
        Pending *p = &w->stack[w->depth - 1];
        if (p->kind == TAIL) {
            term t = p->tail;
            w->depth--;
            if (!is_cons(t)) {
                w->hash = mix_constant(w->hash, 18);
            }
            return t;
        }
        if (p->left == 0) {
            w->depth--;
            continue;
        }
        if (p->kind == PARTS) {
            term t = *p->at++;
            if (--p->left == 0) {
                w->depth--;
            }
            return t;
        }
        bool value = p->value;
        if (p->kind == PAIRS) {
            p->value = !value;
            p->left -= value;
            return value ? *p->values++ : *p->at++;
        }
        term child = p->at[p->left - 1];
        if (is_cons(child)) {
            p->value = !value;
            p->left -= value;
            return value ? tail(child) : head(child);
        }
        p->left--;
        return child;
    }
    return NONE;
}

static void push_parts(Walk *w, const term *at, size_t count) {
    Pending *p;
    if (count > 0 && (p = push(w)) != NULL) {
        *p = (Pending){.kind = PARTS, .left = count, .at = at};
    }
}

/* Hashes the bytes that a list begins with; returns the part that is next. */
static term hash_list(Walk *w, term list) {
    uint32_t four = 0;
    unsigned bytes = 0;
    while (is_cons(list) && is_small(head(list)) && (uintptr_t)small_value(head(list)) < 256) {
        four = four << 8 | (uint32_t)small_value(head(list));
        if (++bytes == 4) {
            w->hash = mix_one(w->hash, four, 4);
            four = 0, bytes = 0;
        }
        list = tail(list);
    }
    if (bytes > 0) {
        w->hash = mix_two(w->hash, four, bytes, 22);
    }
    if (!is_cons(list)) {
        return list;
    }
    w->hash = mix_constant(w->hash, 17);
    Pending *p = push(w);
    if (p != NULL) {
        *p = (Pending){.kind = TAIL, .tail = tail(list)};
    }
    return head(list);
}

/* Bits [start, start + 8 * size) of base, size at most 12. */
static const uint8_t *aligned(const uint8_t *base, size_t start, size_t size, uint8_t out[12]) {
    const uint8_t *p = base + start / 8;
    unsigned shift = start % 8;
    if (shift == 0) {
        return p;
    }
    for (size_t i = 0; i < size; i++) {
        out[i] = (uint8_t)(p[i] << shift | p[i + 1] >> (8 - shift));
    }
    return out;
}

static inline uint32_t little32(const uint8_t *p) {
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t hash_bits(uint32_t hash, term t) {
    const uint8_t *base;
    size_t start = 0, bits;
    if (kind_of(t) == KIND_BITS) {
        HeapBits *b = (HeapBits *)boxed(t);
        base = b->data, bits = b->bits;
    } else {
        View *v = (View *)boxed(t);
        base = is_kind(v->base, KIND_BITS) ? ((HeapBits *)boxed(v->base))->data : ((BufferRef *)boxed(v->base))->buffer->data;
        start = v->start, bits = v->end - v->start;
    }
    if (bits == 0) {
        return CONSTANT(13) + hash;
    }
    uint8_t block[12];
    Mix m = {CONSTANT(1), CONSTANT(1), CONSTANT(13) + hash};
    size_t size = bits / 8, left = size;
    for (; left >= 12; left -= 12, start += 96) {
        const uint8_t *p = aligned(base, start, 12, block);
        m.a += little32(p), m.b += little32(p + 4), m.c += little32(p + 8);
        mix(&m);
    }
    const uint8_t *p = aligned(base, start, left, block);
    m.c += (uint32_t)size;
    for (size_t i = 0; i < left; i++) { /* the low byte of c is the length's */
        uint32_t *to = i < 4 ? &m.a : i < 8 ? &m.b : &m.c;
        *to += (uint32_t)p[i] << (i < 8 ? 8 * (i % 4) : 8 * (i - 7));
    }
    mix(&m);
    if (bits % 8 > 0) {
        uint32_t rest = 0;
        for (size_t i = start + 8 * left; i < start + 8 * left + bits % 8; i++) {
            rest = rest << 1 | (base[i / 8] >> (7 - i % 8) & 1);
        }
        return mix_two(m.c, (uint32_t)(bits % 8), rest, 15);
    }
    return m.c;
}

static uint32_t hash_big(uint32_t hash, term t) {
    size_t words = HEADER_WORDS(header_of(t));
    const term *limb = boxed(t) + 1;
    unsigned n = kind_of(t) == KIND_NEG_BIG ? 10 : 11;
    if (sizeof *limb == 8) {
        for (size_t i = 0; i < words; i++) {
            hash = mix_64(hash, limb[i], n);
        }
    } else {
        for (size_t i = 0; i < words; i += 2) {
            hash = mix_two(hash, (uint32_t)limb[i], i + 1 < words ? (uint32_t)limb[i + 1] : 0, n);
        }
    }
    return hash;
}

static uint32_t hash_external(uint32_t hash, const External *e) {
    hash = mix_immediate(hash, e->node);
    hash = mix_two(hash, (uint32_t)e->creation, (uint32_t)e->type, 7);
    for (uint32_t i = 0; i < e->count; i++) {
        hash = mix_one(hash, e->number[i], 8);
    }
    return hash;
}

static void hash_boxed(Walk *w, term t) {
    term *p = boxed(t);
    size_t words = HEADER_WORDS(p[0]);
    Pending *todo;
    switch (HEADER_KIND(p[0])) {
    case KIND_TUPLE:
        w->hash = mix_one(w->hash, (uint32_t)words, 9);
        push_parts(w, p + 1, words);
        break;
    case KIND_MAP:
        w->hash = mix_one(w->hash, (uint32_t)words - 1, 16);
        if ((todo = push(w)) != NULL) {
            *todo = (Pending){.kind = PAIRS, .left = words - 1, .at = map_flat_keys(t), .values = p + 2};
        }
        break;
    case KIND_HASH_MAP:
        w->hash = mix_one(w->hash, (uint32_t)small_value(p[1]), 16);
        /* fall through */
    case KIND_HASH_NODE:
        if ((todo = push(w)) != NULL) {
            *todo = (Pending){.kind = CHILDREN};
            todo->at = map_children(t, &todo->left);
        }
        break;
    case KIND_FUN:
        w->hash = mix_64(w->hash, p[1], 20);
        push_parts(w, p + 3, words - 2);
        break;
    case KIND_EXPORT: w->hash = mix_64(w->hash, p[1], 14); break;
    case KIND_BIG:
    case KIND_NEG_BIG: w->hash = hash_big(w->hash, t); break;
    case KIND_FLOAT: {
        double d = float_value(t) == 0 ? 0.0 : float_value(t); /* 0.0 =:= -0.0 */
        uint64_t bits;
        memcpy(&bits, &d, sizeof bits);
        w->hash = mix_64(w->hash, bits, 12);
        break;
    }
    case KIND_REF: w->hash = mix_64(mix_one(w->hash, (uint32_t)ref_high(t), 7), ref_low(t), 8); break;
    case KIND_BITS:
    case KIND_VIEW: w->hash = hash_bits(w->hash, t); break;
    case KIND_EXTERNAL: w->hash = hash_external(w->hash, (External *)p); break;
    case KIND_RECORD:
        w->hash = mix_one(w->hash, (uint32_t)words, 19);
        push_parts(w, p + 2, words - 1);
        break;
    default: UNREACHABLE();
    }
}

uint32_t map_hash(VM *vm UNUSED, term key, unsigned round) {
    uint32_t hash = 0xcc9e2d51 ^ (round == 0 ? 0 : mix_two(0, round, 1, 22));
    if (LIKELY(is_immediate(key))) {
        return mix_immediate(hash, key);
    }
    Walk w;
    w.hash = hash, w.depth = 0;
    for (term t = key; t != NONE;) {
        if (is_cons(t)) {
            t = hash_list(&w, t);
            continue;
        }
        if (is_immediate(t)) {
            w.hash = mix_immediate(w.hash, t);
        } else {
            hash_boxed(&w, t);
        }
        t = next_part(&w);
    }
    return w.hash;
}
