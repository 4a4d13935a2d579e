/* Hashes of terms: phash2 and phash as every Erlang node computes them, and a quick one for our own tables. Each walks the
   term with an explicit stack. */
#include "term/hash.h"

#include "base/stack.h"
#include "term/atom.h"
#include "term/bitstring.h"
#include "term/fun.h"
#include "term/layout.h"
#include "term/ref.h"

/* phash2: Bob Jenkins's mixing of three words, of which the third is the hash so far. */

#define GOLDEN 0x9e3779b9u

static inline uint32_t mix(uint32_t a, uint32_t b, uint32_t c) {
    a -= b, a -= c, a ^= c >> 13;
    b -= c, b -= a, b ^= a << 8;
    c -= a, c -= b, c ^= b >> 13;
    a -= b, a -= c, a ^= c >> 12;
    b -= c, b -= a, b ^= a << 16;
    c -= a, c -= b, c ^= b >> 5;
    a -= b, a -= c, a ^= c >> 3;
    b -= c, b -= a, b ^= a << 10;
    c -= a, c -= b, c ^= b >> 15;
    return c;
}

/* Mixes two words into the hash; what they are is told by a multiple of the golden ratio. */
static inline uint32_t mix_two(uint32_t hash, uint32_t x, uint32_t y, unsigned what) {
    uint32_t k = GOLDEN * what;
    return mix(k + x, k + y, hash);
}
static inline uint32_t mix_one(uint32_t hash, uint32_t x, unsigned what) {
    return mix_two(hash, x, 0, what);
}

static inline uint32_t le32(const uint8_t *p) {
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

typedef struct {
    uint32_t a, b, c;
} Block;

static inline void block_add(Block *s, const uint8_t *p) { /* 12 bytes */
    uint32_t a = s->a + le32(p), b = s->b + le32(p + 4), c = s->c + le32(p + 8);
    a -= b, a -= c, a ^= c >> 13;
    b -= c, b -= a, b ^= a << 8;
    c -= a, c -= b, c ^= b >> 13;
    a -= b, a -= c, a ^= c >> 12;
    b -= c, b -= a, b ^= a << 16;
    c -= a, c -= b, c ^= b >> 5;
    a -= b, a -= c, a ^= c >> 3;
    b -= c, b -= a, b ^= a << 10;
    c -= a, c -= b, c ^= b >> 15;
    *s = (Block){a, b, c};
}

/* The whole blocks of n bytes from bit `start` of p on. Returns how many bytes that were. */
static size_t hash_blocks(Block *s, const uint8_t *p, size_t start, size_t n) {
    uint8_t part[12];
    p += start / 8, start %= 8;
    size_t i = 0;
    for (; i + 12 <= n; i += 12) {
        if (start == 0) {
            block_add(s, p + i);
        } else {
            bitrun_copy(part, 0, p + i, start, 96);
            block_add(s, part);
        }
    }
    return i;
}

/* What is left of n bytes: less than a block. */
static uint32_t hash_end(const Block *s, const uint8_t *p, size_t start, size_t left, size_t n) {
    uint8_t part[12] = {0};
    if (left > 0) {
        bitrun_copy(part, 0, p, start, 8 * left);
    }
    /* The last byte of c is the length's. */
    return mix(s->a + le32(part), s->b + le32(part + 4), s->c + (uint32_t)n + (le32(part + 8) << 8));
}

static uint32_t hash_run(const uint8_t *p, size_t start, size_t n, uint32_t initial) {
    Block s = {GOLDEN, GOLDEN, initial};
    size_t done = hash_blocks(&s, p, start, n);
    return hash_end(&s, p, start + 8 * done, n - done, n);
}

// clang-format off
enum { WHAT_INTEGER = 1, WHAT_NIL, WHAT_ATOM, WHAT_STRING, WHAT_PID, WHAT_PORT, WHAT_REF, WHAT_TUPLE = 9, WHAT_NEGATIVE,
       WHAT_POSITIVE, WHAT_FLOAT, WHAT_BITS, WHAT_FUNCTION, WHAT_LAST_BITS, WHAT_MAP, WHAT_PAIRS = 19, WHAT_RECORD = 23 };
// clang-format on

static uint32_t hash_small(uint32_t hash, intptr_t n) {
    if (n >= -(1 << 27) && n < 1 << 27) {
        if (n < 0) {
            hash = mix_one(hash, (uint32_t)-n, WHAT_INTEGER);
        }
        return mix_one(hash, (uint32_t)n, WHAT_INTEGER);
    }
    uint64_t magnitude = n < 0 ? -(uint64_t)(int64_t)n : (uint64_t)n;
    return mix_two(hash, (uint32_t)magnitude, (uint32_t)(magnitude >> 32), n < 0 ? WHAT_NEGATIVE : WHAT_POSITIVE);
}

static uint32_t hash_big(uint32_t hash, const term *p) {
    size_t n = HEADER_WORDS(p[0]);
    unsigned what = HEADER_KIND(p[0]) == KIND_NEG_BIG ? WHAT_NEGATIVE : WHAT_POSITIVE;
    if (sizeof(term) == 8) {
        for (size_t i = 1; i <= n; i++) {
            hash = mix_two(hash, (uint32_t)p[i], (uint32_t)((uint64_t)p[i] >> 32), what);
        }
    } else {
        for (size_t i = 1; i <= n; i += 2) {
            hash = mix_two(hash, (uint32_t)p[i], i < n ? (uint32_t)p[i + 1] : 0, what);
        }
    }
    return hash;
}

static uint64_t float_bits(term t) {
    double d = float_value(t);
    if (d == 0) {
        d = 0; /* -0.0 is equal */
    }
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    return bits;
}

static size_t hashed_bytes(Bits b) {
    return (uint32_t)(b.size / 8); /* OTP looks at so many bytes only */
}

static uint32_t hash_last_bits(uint32_t hash, Bits b) {
    unsigned rest = b.size % 8;
    return rest == 0 ? hash : mix_two(hash, rest, (uint32_t)bitrun_read(b.at, b.start + 8 * hashed_bytes(b), rest), WHAT_LAST_BITS);
}

static uint32_t hash_bits(uint32_t hash, Bits b) {
    hash += GOLDEN * WHAT_BITS;
    return b.size == 0 ? hash : hash_last_bits(hash_run(b.at, b.start, hashed_bytes(b), hash), b);
}

static uint32_t hash_identifier(uint32_t hash, term t) {
    if (is_port(t)) {
        uint64_t n = port_number(t);
        return mix_two(hash, (uint32_t)n, (uint32_t)(n >> 32), WHAT_PORT);
    }
    if (is_ref(t)) {
        uint32_t words[5];
        ref_words(t, words);
        return mix_one(hash, words[0], WHAT_REF);
    }
    return mix_one(hash, is_local_pid(t) ? pid_number(t) : ((External *)boxed(t))->number[0], WHAT_PID);
}

/* A fun but for its free variables. */
static uint32_t hash_fun(VM *vm, uint32_t hash, term t) {
    const ExternalHooks *hooks = vm->external;
    if (hooks == NULL) {
        return mix_one(hash, (uint32_t)kind_of(t), WHAT_FUNCTION);
    }
    if (kind_of(t) == KIND_EXPORT) {
        term module, name;
        uint32_t arity;
        hooks->describe_export(vm, fun_code(t), &module, &name, &arity);
        hash = mix_two(hash, arity, atom_hash(vm, module), WHAT_INTEGER);
        return mix_one(hash, atom_hash(vm, name), WHAT_FUNCTION);
    }
    FunDescription d;
    hooks->describe_lambda(vm, fun_code(t), &d);
    hash = mix_two(hash, (uint32_t)fun_free_count(t), atom_hash(vm, d.module), WHAT_INTEGER);
    return mix_two(hash, d.index, d.old_uniq, WHAT_INTEGER);
}

static uint32_t hash_leaf(VM *vm, uint32_t hash, term t) {
    if (is_small(t)) {
        return hash_small(hash, small_value(t));
    }
    if (is_atom(t)) {
        return hash == 0 ? atom_hash(vm, t) : mix_one(hash, atom_hash(vm, t), WHAT_ATOM);
    }
    if (t == NIL) {
        return hash == 0 ? 3468870702u : mix_one(hash, 2, WHAT_NIL);
    }
    if (is_immediate(t)) {
        return hash_identifier(hash, t);
    }
    switch (kind_of(t)) {
    case KIND_BIG:
    case KIND_NEG_BIG: return hash_big(hash, boxed(t));
    case KIND_FLOAT: {
        uint64_t bits = float_bits(t);
        return mix_two(hash, (uint32_t)(bits >> 32), (uint32_t)bits, WHAT_FLOAT);
    }
    case KIND_BITS:
    case KIND_VIEW: return hash_bits(hash, bits_of(t));
    case KIND_EXPORT: return hash_fun(vm, hash, t);
    default: return hash_identifier(hash, t);
    }
}

/* What waits on the stack: terms, and these marks, which no program has. So a stack that is left can be kept as a tuple. The hash
   of a map is that of the exclusive or of its pairs' hashes: independent of their order. MAP_END lies on the hash before the map
   and the pairs of the map around it; MAP_NODE on a node of a large map; TUPLE_REST on a tuple and how many of its elements are
   done; BITS_REST on a long bitstring, how many of its bytes are done, and two words of the hash so far. */
#define MARK(n) ((term)(n) << 6 | TAG_CATCH)
#define MAP_PAIR MARK(1)
#define MAP_END MARK(2)
#define MAP_NODE MARK(3)
#define TUPLE_REST MARK(4)
#define BITS_REST MARK(5)

typedef struct {
    VM *vm;
    Stack stack;
    uint32_t hash, pairs; /* pairs: of the map that is being hashed */
    term t;               /* what comes next */
    size_t left;          /* steps in this slice */
} Hashing;

enum { ELEMENTS_AT_ONCE = 64, STRING_AT_ONCE = 4096 /* a multiple of four */, BYTES_AT_ONCE = 12 << 13, BYTES_PER_STEP = 32 };

/* A small integer need not have 32 bits. */
static void push_number(Stack *s, uint32_t n) {
    stack_push(s, SMALL(n & 0xffff));
    stack_push(s, SMALL(n >> 16));
}
static uint32_t pop_number(Stack *s) {
    uint32_t high = (uint32_t)small_value(stack_pop(s));
    return high << 16 | (uint32_t)small_value(stack_pop(s));
}

static void push_pair(Stack *s, term key, term value) {
    stack_push(s, MAP_PAIR);
    stack_push(s, value);
    stack_push(s, key);
}

static void push_children(Stack *s, const term *at, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (is_cons(at[i])) {
            push_pair(s, head(at[i]), tail(at[i]));
        } else {
            stack_push(s, at[i]);
            stack_push(s, MAP_NODE);
        }
    }
}

static void push_terms(Stack *s, const term *at, size_t n) { /* the first on top */
    uintptr_t *room = stack_room(s, n);
    for (size_t i = 0; i < n; i++) {
        room[i] = at[n - 1 - i];
    }
}

static void push_elements(Stack *s, term tuple, size_t done) {
    size_t n = HEADER_WORDS(header_of(tuple)) - done, now = MIN(n, ELEMENTS_AT_ONCE);
    if (now < n) {
        stack_push(s, tuple);
        stack_push(s, SMALL(done + now));
        stack_push(s, TUPLE_REST);
    }
    push_terms(s, boxed(tuple) + 1 + done, now);
}

static void push_map(Stack *s, const term *p) {
    if (HEADER_KIND(p[0]) != KIND_MAP) {
        push_children(s, p + 3, HEADER_WORDS(p[0]) - 2);
        return;
    }
    const term *keys = boxed(p[1]);
    for (size_t i = HEADER_WORDS(p[0]) - 1; i > 0; i--) {
        push_pair(s, keys[i], p[1 + i]);
    }
}

/* Four bytes of a string are hashed at once. Returns the term to go on with; h->hash is brought up to there. */
static term hash_string(Hashing *h, term t) {
    uint32_t four = 0, hash = h->hash;
    size_t count = 0;
    const term *cell = cons_cell(t);
    while (is_small(cell[0]) && (uintptr_t)small_value(cell[0]) < 256) {
        four = (four << 8) + (uint32_t)small_value(cell[0]);
        if (++count % 4 == 0) {
            hash = mix_one(hash, four, WHAT_STRING);
            four = 0;
        }
        t = cell[1];
        if (!is_cons(t) || count == STRING_AT_ONCE) {
            break;
        }
        cell = cons_cell(t);
    }
    h->left -= MIN(h->left, count / 4);
    h->hash = count % 4 > 0 ? mix_one(hash, four, WHAT_STRING) : hash;
    if (is_cons(t) && count < STRING_AT_ONCE) {
        stack_push(&h->stack, cell[1]);
        return cell[0];
    }
    return t;
}

/* The definition is hashed as {Module, Name, Exported, Key1, ... KeyN}. */
static uint32_t hash_definition(VM *vm, uint32_t hash, term t) {
    term definition = record_definition(t);
    size_t n = record_size(t);
    uint32_t own = mix_one(0, (uint32_t)(n + 3), WHAT_TUPLE);
    for (size_t i = RECORD_MODULE; i <= RECORD_EXPORTED; i++) {
        own = hash_leaf(vm, own, element(definition, i));
    }
    for (size_t i = 0; i < n; i++) {
        own = hash_leaf(vm, own, record_keys(definition)[i]);
    }
    return mix_two(hash, (uint32_t)n, own, WHAT_RECORD);
}

static void hash_map(Hashing *h, const term *p) {
    size_t size = HEADER_KIND(p[0]) == KIND_MAP ? HEADER_WORDS(p[0]) - 1 : (size_t)small_value(p[1]);
    h->hash = mix_one(h->hash, (uint32_t)size, WHAT_MAP);
    if (size > 0) {
        push_number(&h->stack, h->pairs);
        push_number(&h->stack, h->hash);
        stack_push(&h->stack, MAP_END);
        h->hash = h->pairs = 0;
        push_map(&h->stack, p);
    }
}

static void push_bits(Stack *s, term t, size_t done, uint32_t a, uint32_t b) {
    push_number(s, a);
    push_number(s, b);
    stack_push(s, SMALL(done));
    stack_push(s, t);
    stack_push(s, BITS_REST);
}

/* Hashes some more of the long bitstring on the stack. */
static void hash_more_bits(Hashing *h) {
    term t = stack_pop(&h->stack);
    size_t done = (size_t)small_value(stack_pop(&h->stack));
    Bits b = bits_of(t);
    Block s = {.c = h->hash};
    s.b = pop_number(&h->stack);
    s.a = pop_number(&h->stack);
    size_t n = hashed_bytes(b), more = MIN(n - done, (size_t)BYTES_AT_ONCE);
    done += hash_blocks(&s, b.at, b.start + 8 * done, more);
    h->left -= MIN(h->left, more / BYTES_PER_STEP);
    if (n - done < 12) {
        h->hash = hash_last_bits(hash_end(&s, b.at, b.start + 8 * done, n - done, n), b);
    } else {
        h->hash = s.c;
        push_bits(&h->stack, t, done, s.a, s.b);
    }
}

static void hash_boxed(Hashing *h, term t) {
    Stack *s = &h->stack;
    switch (kind_of(t)) {
    case KIND_RECORD:
        h->hash = hash_definition(h->vm, h->hash, t);
        for (size_t i = 0; i < record_size(t); i++) { /* the last one is hashed first */
            stack_push(s, record_values(t)[i]);
        }
        break;
    case KIND_TUPLE:
        h->hash = mix_one(h->hash, (uint32_t)HEADER_WORDS(header_of(t)), WHAT_TUPLE);
        push_elements(s, t, 0);
        break;
    case KIND_MAP:
    case KIND_HASH_MAP: hash_map(h, boxed(t)); break;
    case KIND_FUN:
        h->hash = hash_fun(h->vm, h->hash, t);
        push_terms(s, boxed(t) + FUN_FREE, fun_free_count(t));
        break;
    default:
        if (is_bitstring(t) && hashed_bytes(bits_of(t)) > BYTES_AT_ONCE) {
            h->hash += GOLDEN * WHAT_BITS;
            push_bits(s, t, 0, GOLDEN, GOLDEN);
            break;
        }
        h->hash = hash_leaf(h->vm, h->hash, t);
        if (is_bitstring(t)) {
            h->left -= MIN(h->left, bits_size(t) / (8 * BYTES_PER_STEP));
        }
    }
}

/* Takes what is next off the stack, handling marks on the way. False: it is empty. */
static bool next_to_hash(Hashing *h) {
    Stack *s = &h->stack;
    while (!stack_is_empty(s)) {
        h->t = stack_pop(s);
        if (h->t == MAP_END) {
            h->hash = mix_one(pop_number(s), h->pairs, WHAT_PAIRS);
            h->pairs = pop_number(s);
        } else if (h->t == MAP_PAIR) {
            h->pairs ^= h->hash;
            h->hash = 0;
        } else if (h->t == MAP_NODE) {
            term node = stack_pop(s);
            push_children(s, boxed(node) + 2, HEADER_WORDS(header_of(node)) - 1);
        } else if (h->t == TUPLE_REST) {
            size_t done = (size_t)small_value(stack_pop(s));
            push_elements(s, stack_pop(s), done);
        } else {
            return true;
        }
    }
    return false;
}

/* True: all is hashed. */
static bool hash_some(Hashing *h) {
    while (h->left > 0) {
        h->left--;
        if (is_cons(h->t)) {
            h->t = hash_string(h, h->t);
            continue;
        }
        if (is_boxed(h->t)) {
            hash_boxed(h, h->t);
        } else if (h->t == BITS_REST) {
            hash_more_bits(h);
        } else {
            h->hash = hash_leaf(h->vm, h->hash, h->t);
        }
        if (!next_to_hash(h)) {
            return true;
        }
    }
    return false;
}

uint32_t term_phash2(VM *vm, term t) {
    if (is_immediate(t)) {
        return hash_leaf(vm, 0, t);
    }
    Hashing h;
    stack_init(&h.stack);
    h.vm = vm, h.hash = h.pairs = 0, h.t = t;
    do {
        h.left = SIZE_MAX;
    } while (!hash_some(&h));
    stack_done(&h.stack);
    return h.hash;
}

bool term_phash2_some(Heap *heap, term *state, bool begin, size_t *steps, uint32_t *hash) {
    Hashing h;
    stack_init(&h.stack);
    h.vm = heap->vm, h.hash = h.pairs = 0, h.t = *state, h.left = *steps;
    if (!begin) {
        size_t n = tuple_arity(*state);
        memcpy(stack_room(&h.stack, n), boxed(*state) + 1, n * sizeof(term));
        h.t = stack_pop(&h.stack);
        h.hash = pop_number(&h.stack);
        h.pairs = pop_number(&h.stack);
    }
    bool done = hash_some(&h);
    *hash = h.hash, *steps = h.left;
    if (!done) {
        push_number(&h.stack, h.pairs);
        push_number(&h.stack, h.hash);
        stack_push(&h.stack, h.t);
        size_t n = (size_t)(h.stack.top - h.stack.start);
        term *p = heap_alloc(heap, 1 + n);
        if (p != NULL) {
            p[0] = HEADER(n, KIND_TUPLE);
            memcpy(p + 1, h.stack.start, n * sizeof(term));
        }
        *state = p == NULL ? NONE : make_boxed(p);
    }
    stack_done(&h.stack);
    return done;
}

/* phash: multiplication by primes. */

// clang-format off
enum {
    PRIME_ATOM = 268440163, PRIME_INTEGER = 268439161, PRIME_POSITIVE = 268435459, PRIME_NEGATIVE = 268436141,
    PRIME_PID = 268438633, PRIME_PID_END = 268437017, PRIME_FLOAT = PRIME_PID_END, PRIME_LIST = 268437511,
    PRIME_TUPLE = 268439627, PRIME_REF = PRIME_TUPLE, PRIME_REF_END = 268440479, PRIME_FUN = PRIME_REF_END,
    PRIME_EXPORT = 268440577, PRIME_BITS = 268440581, PRIME_MAP = 268440593, PRIME_MAP_END = 268440611,
};
// clang-format on

static uint32_t old_word(uint32_t hash, uint32_t word, uint32_t prime) {
    for (int i = 0; i < 4; i++, word >>= 8) {
        hash = hash * prime + (word & 0xff);
    }
    return hash;
}

static uint32_t old_integer(uint32_t hash, const term *limbs, size_t n, bool negative) {
    for (size_t i = 0; i < n; i++) {
        uint64_t limb = limbs[i];
        hash = old_word(hash, (uint32_t)limb, PRIME_INTEGER);
        if (sizeof(term) == 8 && (i + 1 < n || limb >> 32 != 0)) {
            hash = old_word(hash, (uint32_t)(limb >> 32), PRIME_INTEGER);
        }
    }
    return hash * (negative ? PRIME_NEGATIVE : PRIME_POSITIVE);
}

static uint32_t old_bits(uint32_t hash, Bits b) {
    size_t bytes = b.size / 8;
    unsigned rest = b.size % 8;
    for (size_t i = 0; i < bytes; i++) {
        hash = hash * PRIME_ATOM + (uint32_t)bitrun_read(b.at, b.start + 8 * i, 8);
    }
    if (rest > 0) {
        hash = (hash * PRIME_ATOM + (uint32_t)bitrun_read(b.at, b.start + 8 * bytes, rest)) * PRIME_BITS + rest;
    }
    return hash * PRIME_NEGATIVE + (uint32_t)bytes;
}

static uint32_t old_identifier(uint32_t hash, term t) {
    if (is_port(t)) {
        uint64_t n = port_number(t);
        if (n >> 32 != 0) {
            hash = old_word(hash, (uint32_t)(n >> 32), PRIME_EXPORT);
        }
        return old_word(hash, (uint32_t)n, PRIME_REF) * PRIME_REF_END;
    }
    if (is_ref(t)) {
        uint32_t words[5];
        ref_words(t, words);
        return old_word(hash, words[0], PRIME_REF) * PRIME_REF_END;
    }
    uint32_t n = is_local_pid(t) ? pid_number(t) : ((External *)boxed(t))->number[0];
    return old_word(hash, n, PRIME_PID) * PRIME_PID_END;
}

static uint32_t old_fun(VM *vm, uint32_t hash, term t) {
    const ExternalHooks *hooks = vm->external;
    if (hooks == NULL) {
        return hash * PRIME_FUN;
    }
    if (kind_of(t) == KIND_EXPORT) {
        term module, name;
        uint32_t arity;
        hooks->describe_export(vm, fun_code(t), &module, &name, &arity);
        hash = hash * PRIME_EXPORT + arity;
        return (hash * PRIME_ATOM + atom_hash(vm, module)) * PRIME_ATOM + atom_hash(vm, name);
    }
    FunDescription d;
    hooks->describe_lambda(vm, fun_code(t), &d);
    hash = hash * PRIME_FUN + (uint32_t)fun_free_count(t);
    hash = hash * PRIME_ATOM + atom_hash(vm, d.module);
    return (hash * PRIME_INTEGER + d.index) * PRIME_INTEGER + d.old_uniq;
}

static uint32_t old_leaf(VM *vm, uint32_t hash, term t) {
    if (is_small(t)) {
        intptr_t n = small_value(t);
        term magnitude = n < 0 ? -(term)n : (term)n;
        return old_integer(hash, &magnitude, 1, n < 0);
    }
    if (is_atom(t)) {
        return hash * PRIME_ATOM + atom_hash(vm, t);
    }
    if (t == NIL) {
        return hash * PRIME_POSITIVE + 1;
    }
    if (is_immediate(t)) {
        return old_identifier(hash, t);
    }
    switch (kind_of(t)) {
    case KIND_BIG:
    case KIND_NEG_BIG: return old_integer(hash, boxed(t) + 1, HEADER_WORDS(header_of(t)), kind_of(t) == KIND_NEG_BIG);
    case KIND_FLOAT: {
        uint64_t bits = float_bits(t);
        return hash * PRIME_FLOAT + ((uint32_t)bits ^ (uint32_t)(bits >> 32));
    }
    case KIND_BITS:
    case KIND_VIEW: return old_bits(hash, bits_of(t));
    case KIND_MAP:
    case KIND_HASH_MAP: return hash * PRIME_MAP + PRIME_MAP_END + term_phash2(vm, t);
    case KIND_EXPORT: return old_fun(vm, hash, t);
    default: return old_identifier(hash, t);
    }
}

/* What waits on the stack: terms, and marks. A list's end multiplies once for the whole of it; the tail of a list waits
   under TAIL, the arity of a tuple under TUPLE_END. */
enum { LIST_END = 1 << 6, TUPLE_END = 2 << 6, TAIL = 3 << 6 };

/* Bytes at the front are hashed at once. Returns the term to go on with. */
static term old_list(term t, uint32_t *hash, Stack *s) {
    const term *cell = cons_cell(t);
    while (is_small(cell[0]) && (uintptr_t)small_value(cell[0]) < 256) {
        *hash = *hash * PRIME_INTEGER + (uint32_t)small_value(cell[0]);
        if (!is_cons(cell[1])) {
            stack_push(s, LIST_END);
            return cell[1];
        }
        cell = cons_cell(cell[1]);
    }
    stack_push(s, cell[1]);
    stack_push(s, TAIL);
    return cell[0];
}

uint32_t term_phash(VM *vm, term t) {
    Stack s;
    stack_init(&s);
    uint32_t hash = 0;
    for (;;) {
        Kind k = is_boxed(t) ? kind_of(t) : KIND_COUNT;
        if (is_cons(t)) {
            t = old_list(t, &hash, &s);
            continue;
        }
        if (k == KIND_TUPLE || k == KIND_RECORD) {
            size_t n = HEADER_WORDS(header_of(t));
            stack_push(&s, n);
            stack_push(&s, TUPLE_END);
            push_terms(&s, boxed(t) + 1, n);
        } else if (k == KIND_FUN) {
            hash = old_fun(vm, hash, t);
            push_terms(&s, boxed(t) + FUN_FREE, fun_free_count(t));
        } else {
            hash = old_leaf(vm, hash, t);
        }
        for (bool marks = true; marks;) {
            if (stack_is_empty(&s)) {
                stack_done(&s);
                return hash;
            }
            t = stack_pop(&s);
            switch (t) {
            case LIST_END: hash *= PRIME_LIST; break;
            case TUPLE_END: hash = hash * PRIME_TUPLE + (uint32_t)stack_pop(&s); break;
            case TAIL:
                t = stack_pop(&s);
                if (!is_cons(t)) {
                    stack_push(&s, LIST_END);
                }
                marks = false;
                break;
            default: marks = false;
            }
        }
    }
}

/* The internal hash: one multiplication a word. */

static inline uint64_t stir(uint64_t hash, uint64_t word) {
    uint64_t m = (hash ^ word) * 0x9e3779b97f4a7c15u;
    return m ^ m >> 32;
}

static uint64_t stir_bits(uint64_t hash, Bits b) {
    hash = stir(hash, b.size + 1);
    size_t i = 0;
    for (; i + 64 <= b.size; i += 64) {
        hash = stir(hash, bitrun_read(b.at, b.start + i, 64));
    }
    return i < b.size ? stir(hash, bitrun_read(b.at, b.start + i, (unsigned)(b.size - i))) : hash;
}

static uint64_t stir_leaf(uint64_t hash, term t) {
    const term *p = boxed(t);
    switch (HEADER_KIND(p[0])) {
    case KIND_FLOAT: return stir(hash, float_bits(t));
    case KIND_BITS:
    case KIND_VIEW: return stir_bits(hash, bits_of(t));
    case KIND_REF: return stir(hash, ref_low(t));
    case KIND_EXPORT: return stir(hash, p[1]);
    case KIND_EXTERNAL: {
        const External *e = (External *)p;
        return stir(stir(hash, e->node), e->number[0] | (uint64_t)e->number[1] << 32);
    }
    default:
        for (size_t i = 0; i <= HEADER_WORDS(p[0]); i++) {
            hash = stir(hash, p[i]);
        }
        return hash;
    }
}

uint64_t term_hash(VM *vm UNUSED, term t) {
    if (is_immediate(t)) {
        return stir(0, t);
    }
    Stack s;
    stack_init(&s);
    uint64_t hash = 0;
    term *at = &t;
    size_t n = 1;
    for (;;) {
        while (n > 0) {
            term x = *at++, *first;
            n--;
            size_t more = 2;
            if (is_immediate(x)) {
                hash = stir(hash, x);
                continue;
            }
            if (is_cons(x)) {
                hash = stir(hash, TAG_CONS);
                first = cons_cell(x);
            } else {
                term *p = boxed(x);
                if (kind_layout[HEADER_KIND(p[0])] >= LAYOUT_BASE_ONLY) {
                    hash = stir_leaf(hash, x);
                    continue;
                }
                hash = stir(hash, p[0]);
                more = object_terms(p, &first);
                if (HEADER_KIND(p[0]) == KIND_FUN) { /* who made it does not matter */
                    hash = stir(hash, p[1]);
                    first++, more--;
                }
            }
            if (n > 0 && more > 0) {
                uintptr_t *r = stack_room(&s, 2);
                r[0] = (uintptr_t)at, r[1] = n;
            }
            if (more > 0) {
                at = first, n = more;
            }
        }
        if (stack_is_empty(&s)) {
            stack_done(&s);
            return hash;
        }
        uintptr_t *r = s.top -= 2;
        at = (term *)r[0], n = r[1];
    }
}
