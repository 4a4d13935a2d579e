/* What a value is: the tags of a term, and the layout of everything a term can point to.

   A term is one machine word. The low bits say what it is:

       ..00   header of a boxed object (only in front of it), or a code address (only on a stack)
       ..01   pointer to a list cell: two words, head and tail
       ..10   pointer to a boxed object: a header word, then what its kind says
       ..11   immediate:  0011 local pid   0111 local port   1111 small integer
                          001011 atom      011011 catch mark 111011 nil

   A header is  words << 6 | kind << 2 | 00 : how many words follow it, and what they are. So the size of every object is
   known without looking at its kind, and which of its words are terms is a row in a table (see gc.c). */
#ifndef MOTE_TERM_TERM_H
#define MOTE_TERM_TERM_H

#include "base/base.h"

typedef uintptr_t term;

#define NONE ((term)0) /* not a value: "an exception was raised", "not found" */

enum { TAG_HEADER = 0, TAG_CONS = 1, TAG_BOXED = 2, TAG_IMMEDIATE = 3, TAG_MASK = 3 };
enum { TAG_PID = 0x3, TAG_PORT = 0x7, TAG_SMALL = 0xf, TAG4_MASK = 0xf };
enum { TAG_ATOM = 0x0b, TAG_CATCH = 0x1b, TAG_NIL = 0x3b, TAG6_MASK = 0x3f };

#define WORD_BITS ((int)(8 * sizeof(term)))
#define SMALL_BITS (WORD_BITS - 4)
#define SMALL_MAX (((intptr_t)1 << (SMALL_BITS - 1)) - 1)
#define SMALL_MIN (-SMALL_MAX - 1)

#define NIL ((term)TAG_NIL)
#define ATOM(index) ((term)(index) << 6 | TAG_ATOM)        /* a constant expression, for the generated A_name */
#define ATOM_INDEX(atom) ((atom) >> 6)                     /* likewise; elsewhere atom_index */
#define SMALL(n) ((term)((uintptr_t)(n) << 4 | TAG_SMALL)) /* n must fit, see small_fits */

/* Kinds of boxed objects. First word after the header is word 1. */
typedef enum {
    KIND_TUPLE,     /* words 1..n: elements */
    KIND_MAP,       /* up to 32 pairs: word 1: tuple of keys in map key order, words 2..: values */
    KIND_HASH_MAP,  /* root of a larger map: word 1: small, number of pairs; word 2: small, bitmap; words 3..: children */
    KIND_HASH_NODE, /* inner node (never a value by itself): word 1: small, bitmap; words 2..: children */
    KIND_FUN,       /* word 1: Lambda * (raw); word 2: pid of its creator; words 3..: free variables */
    KIND_EXPORT,    /* fun M:F/A. word 1: Export * (raw) */
    KIND_BIG,       /* integer >= 0 that is not small: limbs, least significant first, top limb not 0 */
    KIND_NEG_BIG,   /* the same, negative: magnitude */
    KIND_FLOAT,     /* an IEEE double */
    KIND_REF,       /* local reference: see struct below */
    KIND_BITS,      /* bitstring on the heap: word 1: size in bits (raw); then bytes, first bit first, padding undefined */
    KIND_VIEW,      /* bitstring that is part of another: struct View */
    KIND_MATCH,     /* match context (never seen by built-ins): struct View, whose start moves */
    KIND_BUFFER,    /* handle of a reference-counted buffer (never a value by itself): struct BufferRef */
    KIND_EXTERNAL,  /* pid, port or reference of another node: struct External */
    KIND_RECORD,    /* native record: word 1: definition (a term, see below), words 2..: values */
    KIND_COUNT
} Kind;
_Static_assert(KIND_COUNT <= 16, "a kind has four bits");

#define HEADER(words, kind) ((term)(words) << 6 | (term)(kind) << 2)
#define HEADER_WORDS(h) ((size_t)((h) >> 6))
#define HEADER_KIND(h) ((Kind)((h) >> 2 & 15))

static inline bool is_cons(term t) {
    return (t & TAG_MASK) == TAG_CONS;
}
static inline bool is_boxed(term t) {
    return (t & TAG_MASK) == TAG_BOXED;
}
static inline bool is_immediate(term t) {
    return (t & TAG_MASK) == TAG_IMMEDIATE;
}
static inline bool is_header(term t) {
    return (t & TAG_MASK) == TAG_HEADER;
}
static inline bool is_small(term t) {
    return (t & TAG4_MASK) == TAG_SMALL;
}
static inline bool is_atom(term t) {
    return (t & TAG6_MASK) == TAG_ATOM;
}
static inline bool is_catch(term t) {
    return (t & TAG6_MASK) == TAG_CATCH;
}
static inline bool is_local_pid(term t) {
    return (t & TAG4_MASK) == TAG_PID;
}
static inline bool is_local_port(term t) {
    return (t & TAG4_MASK) == TAG_PORT;
}
static inline bool is_list(term t) {
    return is_cons(t) || t == NIL;
}

/* Smalls, atoms, pids and ports hold a number. */
static inline bool small_fits(intptr_t n) {
    return n >= SMALL_MIN && n <= SMALL_MAX;
}
static inline intptr_t small_value(term t) {
    assert(is_small(t));
    return (intptr_t)t >> 4;
}
static inline uint32_t atom_index(term t) {
    assert(is_atom(t));
    return (uint32_t)(t >> 6);
}
static inline term make_pid(uintptr_t data) {
    return (term)data << 4 | TAG_PID;
}
static inline term make_port(uintptr_t data) {
    return (term)data << 4 | TAG_PORT;
}
static inline uintptr_t pid_data(term t) {
    return t >> 4;
}
/* What <0.Number.Serial> and the external format show of a local pid. */
enum { PID_NUMBER_BITS = 28 };
static inline uint32_t pid_number(term t) {
    return (uint32_t)(pid_data(t) & ((1u << PID_NUMBER_BITS) - 1));
}
static inline uint32_t pid_serial(term t) {
    return (uint32_t)(pid_data(t) >> PID_NUMBER_BITS);
}
static inline term make_catch(uintptr_t index) {
    return (term)index << 6 | TAG_CATCH;
}
static inline uintptr_t catch_index(term t) {
    return t >> 6;
}

/* Lists. */
static inline term make_cons(const term *cell) {
    return (term)cell + TAG_CONS;
}
static inline term *cons_cell(term t) {
    assert(is_cons(t));
    return (term *)(t - TAG_CONS);
}
static inline term head(term t) {
    return cons_cell(t)[0];
}
static inline term tail(term t) {
    return cons_cell(t)[1];
}

/* Boxed objects. */
static inline term make_boxed(const void *object) {
    return (term)object + TAG_BOXED;
}
static inline term *boxed(term t) {
    assert(is_boxed(t));
    return (term *)(t - TAG_BOXED);
}
static inline term header_of(term t) {
    return boxed(t)[0];
}
static inline Kind kind_of(term t) {
    return HEADER_KIND(header_of(t));
}
static inline bool is_kind(term t, Kind k) {
    return is_boxed(t) && kind_of(t) == k;
}

static inline bool is_tuple(term t) {
    return is_boxed(t) && (header_of(t) & 0x3f) == 0;
}
static inline size_t tuple_arity(term t) {
    assert(is_tuple(t));
    return HEADER_WORDS(header_of(t));
}
static inline bool is_tuple_of(term t, size_t arity) {
    return is_boxed(t) && header_of(t) == HEADER(arity, KIND_TUPLE);
}
static inline term element(term t, size_t n) { /* n counts from 1, as in Erlang */
    assert(n >= 1 && n <= tuple_arity(t));
    return boxed(t)[n];
}

static inline bool is_float(term t) {
    return is_kind(t, KIND_FLOAT);
}
static inline double float_value(term t) {
    double d;
    memcpy(&d, boxed(t) + 1, sizeof d);
    return d;
}
enum { FLOAT_WORDS = 1 + sizeof(double) / sizeof(term) }; /* with the header */
static inline term write_float(term *at, double d) {      /* at: FLOAT_WORDS words */
    at[0] = HEADER(FLOAT_WORDS - 1, KIND_FLOAT);
    memcpy(at + 1, &d, sizeof d);
    return make_boxed(at);
}

static inline bool is_big(term t) {
    return is_boxed(t) && (kind_of(t) == KIND_BIG || kind_of(t) == KIND_NEG_BIG);
}
static inline bool is_integer(term t) {
    return is_small(t) || is_big(t);
}
static inline bool is_number(term t) {
    return is_integer(t) || is_float(t);
}
static inline bool is_map(term t) {
    return is_boxed(t) && (kind_of(t) == KIND_MAP || kind_of(t) == KIND_HASH_MAP);
}
static inline bool is_fun(term t) {
    return is_boxed(t) && (kind_of(t) == KIND_FUN || kind_of(t) == KIND_EXPORT);
}

/* Local references. The number has 82 significant bits in OTP's external form (three 32-bit words, of which the first
   has 18 bits). Words of the object say what more it is:
     2 words: a plain reference.
     3 words: an alias: word 3 is the pid (a term) that the reference sends to.
     4 words: magic: word 3 is a Resource * (counted), word 4 the next off-heap object (see heap.h). */
typedef struct {
    term header;
    uintptr_t number[16 / sizeof(term)]; /* see ref.h; on 32-bit machines four words: the counts above are then 4, 5, 6 */
    uintptr_t of;                        /* pid or Resource * */
    uintptr_t next;
} Ref;
enum { REF_NUMBER_WORDS = 16 / sizeof(term), REF_WORDS = 1 + REF_NUMBER_WORDS, ALIAS_WORDS, MAGIC_WORDS };

static inline bool is_local_ref(term t) {
    return is_kind(t, KIND_REF);
}
static inline bool is_magic_ref(term t) {
    return is_local_ref(t) && HEADER_WORDS(header_of(t)) == MAGIC_WORDS - 1;
}

/* Identifiers of other nodes. */
typedef enum { EXTERNAL_PID, EXTERNAL_PORT, EXTERNAL_REF } ExternalType;
typedef struct {
    term header;
    uintptr_t type; /* ExternalType */
    term node;      /* atom */
    uintptr_t creation;
    uint32_t count;     /* how many of the numbers are in use: pid 2 (number, serial), port 2 (high, low), ref 1..5 */
    uint32_t number[5]; /* ref: as in the external format, most significant last */
} External;
enum { EXTERNAL_WORDS = sizeof(External) / sizeof(term) };

static inline bool is_external(term t, ExternalType type) {
    return is_kind(t, KIND_EXTERNAL) && ((External *)boxed(t))->type == (uintptr_t)type;
}
static inline bool is_pid(term t) {
    return is_local_pid(t) || is_external(t, EXTERNAL_PID);
}
static inline bool is_port(term t) {
    return is_local_port(t) || is_external(t, EXTERNAL_PORT);
}
static inline bool is_ref(term t) {
    return is_local_ref(t) || is_external(t, EXTERNAL_REF);
}

/* Bitstrings: bits on the heap (KIND_BITS), or a view of those or of a counted buffer. */
typedef struct {
    term header;
    size_t bits;
    uint8_t data[];
} HeapBits;
typedef struct {
    term header;
    term base;         /* KIND_BITS or KIND_BUFFER */
    size_t start, end; /* in bits, from the first bit of base */
} View;                /* also the match context */
enum { VIEW_WORDS = sizeof(View) / sizeof(term), HEAP_BITS_HEAD = 2 };

/* The buffer itself, outside any heap. */
typedef struct {
    size_t refs;             /* atomic */
    size_t capacity;         /* bytes of data */
    size_t used;             /* bits in use; only the writable handle's owner reads or changes it */
    uint8_t *data;           /* after this struct */
    bool trusted;            /* see buffer_trust */
    struct Account *account; /* whose it is; NULL: nobody's that is counted */
} Buffer;
typedef struct {
    term header;
    Buffer *buffer;
    uintptr_t writable; /* this handle may append in place behind buffer->used */
    uintptr_t next;     /* next off-heap object of this heap */
} BufferRef;
enum { BUFFER_WORDS = sizeof(BufferRef) / sizeof(term) };

static inline bool is_bitstring(term t) {
    return is_boxed(t) && (kind_of(t) == KIND_BITS || kind_of(t) == KIND_VIEW);
}

/* Native records. A definition is a tuple {Module, Name, Exported, Fields}; Fields is the tuple of the keys as they were declared,
   and values are in the same order. Two records with equal definitions need not share one. */
enum { RECORD_MODULE = 1, RECORD_NAME, RECORD_EXPORTED, RECORD_FIELDS };
static inline bool is_record(term t) {
    return is_kind(t, KIND_RECORD);
}
static inline term record_definition(term t) {
    assert(is_record(t));
    return boxed(t)[1];
}
static inline size_t record_size(term t) { /* fields */
    return HEADER_WORDS(header_of(t)) - 1;
}
static inline term *record_values(term t) {
    return boxed(t) + 2;
}
static inline const term *record_keys(term definition) {
    return boxed(element(definition, RECORD_FIELDS)) + 1;
}

#endif
