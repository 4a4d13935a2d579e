/* Where values live: a process's heap and stack in one block, and fragments for what does not fit.

       start          mark            top      sp                       end
         | survivors    | new objects   |  free  | stack, grows down ... |

   C code never sees a moving heap. Whoever needs room calls heap_alloc: it takes from the free middle if there is room
   and else from a fragment, and never collects. Collection happens only at instruction boundaries that name their live
   registers (see gc.h). So C code needs no roots, and may hold terms in variables as long as it likes, until it returns.

   Data that are not terms (buffers, resources) hang off objects in the off-heap list, so that a collection can tell which
   of them are gone. */
#ifndef MOTE_TERM_HEAP_H
#define MOTE_TERM_HEAP_H

#include "term/vm.h"

/* A piece of heap outside the block. Also the body of a message: built by the sender, adopted by the receiver. */
typedef struct Fragment {
    struct Fragment *next;
    uint32_t size; /* words of data */
    uint32_t used; /* words of data in use */
    term off_heap; /* boxed BUFFER or magic REF objects in this fragment, linked by their next; NONE at the end */
    term data[];
} Fragment;

/* The old generation: what has survived two collections. */
typedef struct OldHeap {
    term *start, *top, *end;
    term *limit; /* more than that: time for a full sweep */
    term off_heap;
    size_t buffer_bytes; /* of the buffers in off_heap */
    size_t buffer_limit;
} OldHeap;

typedef struct Heap {
    term *top;     /* first free word */
    term *sp;      /* top of the stack: the last word pushed */
    intptr_t reds; /* reductions left in this slice; C code that takes long subtracts from it */
    term *start, *end;
    term *mark;            /* objects below it have survived one collection */
    OldHeap *old;          /* NULL: none yet */
    Fragment *fragments;   /* newest first; the first one is being filled */
    term off_heap;         /* off-heap objects in the young block */
    term reason;           /* why the last function that returned NONE did so (an Erlang term: badarg, badarith, system_limit ...) */
    size_t fragment_words; /* what has come beside the block since the last collection: see HEAP_BUFFER_WEIGHT */
    VM *vm;
    int32_t last_reds;      /* reds after the last collection: few since then means that the block is too small */
    uint8_t heat;           /* how often in turn that has been so: the smallest block doubles with it */
    uint8_t survival;       /* how much of the young objects survived the last collection, 255: all */
    uint8_t fragment_limit; /* more fragment_words than 2 to this: collect at the next boundary, see heap_wants_collection */
    bool doomed;            /* it drew on the emergency reserve: its process must be killed at the next boundary */
} Heap;

/* Words that every `need` leaves free below the stack, so that calls without a frame, bridges and helpers may push. */
enum { HEAP_RESERVE = 8 };
/* heap_alloc of up to so many words always succeeds (an emergency reserve stands behind it; who draws on it is killed at
   the next boundary). More may give NULL. */
enum { HEAP_SURE = 8192 };

term *heap_alloc_fragment(Heap *h, size_t words); /* the slow part of heap_alloc */

static inline term *heap_alloc(Heap *h, size_t words) {
    term *p = h->top;
    if (LIKELY((size_t)(h->sp - p) >= words + HEAP_RESERVE)) {
        h->top = p + words;
        return p;
    }
    return heap_alloc_fragment(h, words);
}

/* Fragments count in words, buffers that hang off the heap count one word for so many bytes. */
enum { HEAP_BUFFER_WEIGHT = 64 };

enum { FRAGMENT_LIMIT_MIN = 1024 };
static inline void heap_limit_fragments(Heap *h, size_t words) { /* rounded up to a power of 2 */
    h->fragment_limit = (uint8_t)(WORD_BITS - __builtin_clzl(MAX(words, FRAGMENT_LIMIT_MIN) - 1));
}

/* To be asked after a built-in has run, and when messages have been adopted. */
static inline bool heap_wants_collection(const Heap *h) {
    return UNLIKELY(h->fragment_words >> h->fragment_limit != 0);
}

/* The emergency reserve. */
bool reserve_init(VM *vm);
void reserve_done(VM *vm);

/* Gives back the unused end [from, end) of the last allocation. */
void heap_release(Heap *h, term *from, term *end);

/* A heap without a block: everything goes to fragments. To build a message, a literal or a result outside any process. */
void heap_init_detached(Heap *h, VM *vm);
/* Takes all fragments off a heap, joined into one list; the heap is then empty. */
Fragment *heap_detach(Heap *h);
/* Makes fragments (a message's) part of this heap. */
void heap_adopt(Heap *h, Fragment *f);
Fragment *fragment_new(VM *vm, size_t words);  /* NULL: no memory */
void heap_free_fragments(VM *vm, Fragment *f); /* a list of them, and what their off-heap objects hold */
size_t fragments_bytes(const Fragment *f);     /* that a list of them takes */

bool heap_init(Heap *h, VM *vm, size_t words); /* an empty block of at least so many words; false: no memory */
void heap_done(Heap *h);                       /* frees block, old generation, fragments, off-heap references */

/* Fails with an Erlang reason. For functions that return a term: `return heap_fail(h, A_badarg);` */
static inline term heap_fail(Heap *h, term reason) {
    h->reason = reason;
    return NONE;
}

term heap_no_memory(Heap *h); /* fails with system_limit */

/* Constructors. Sizes in words: cons 2, tuple 1 + arity. */
static inline term heap_cons(Heap *h, term hd, term tl) {
    term *p = heap_alloc(h, 2);
    p[0] = hd, p[1] = tl;
    return make_cons(p);
}
static inline term heap_float(Heap *h, double d) {
    return write_float(heap_alloc(h, FLOAT_WORDS), d);
}
term heap_tuple(Heap *h, size_t arity, ...); /* elements as terms */
#define TUPLE2(h, a, b) heap_tuple(h, 2, (term)(a), (term)(b))
#define TUPLE3(h, a, b, c) heap_tuple(h, 3, (term)(a), (term)(b), (term)(c))
#define TUPLE4(h, a, b, c, d) heap_tuple(h, 4, (term)(a), (term)(b), (term)(c), (term)(d))
term heap_list(Heap *h, const term *at, size_t n, term tail);
term heap_latin1_list(Heap *h, const char *s, size_t n); /* a list of bytes as small integers */

/* Off-heap objects: counted buffers and magic references. */
static inline uintptr_t *off_heap_next(term object) { /* where its link to the next one is */
    term *p = boxed(object);
    return HEADER_KIND(p[0]) == KIND_BUFFER ? &((BufferRef *)p)->next : &((Ref *)p)->next;
}
void off_heap_release(VM *vm, term list); /* drops what all objects of a list hold */
/* Links an object just allocated at `at` by heap_alloc into the right list. */
void heap_link_off_heap(Heap *h, term object);

/* Something outside the heap that a magic reference keeps alive (an atomics array, a NIF's resource, a BIF's state). */
typedef struct Resource {
    size_t refs; /* atomic */
    void (*destroy)(VM *vm, struct Resource *r);
    const void *type; /* address that names the type */
} Resource;
static inline void resource_keep(Resource *r) {
    __atomic_fetch_add(&r->refs, 1, __ATOMIC_RELAXED);
}
void resource_release(VM *vm, Resource *r);
term heap_magic_ref(Heap *h, Resource *r); /* takes over one reference to r */

/* A handle of a buffer; takes over one reference. */
term heap_buffer_ref(Heap *h, Buffer *b, bool writable);

/* Memory that has been given back is overwritten where mistakes are hunted. */
#if !defined NDEBUG || defined MOTE_STRESS
#define HEAP_POISON(p, bytes) memset(p, 0xdb, bytes)
#else
#define HEAP_POISON(p, bytes) ((void)(p))
#endif

/* Is this address part of the literals, which are never moved? */
static inline bool is_literal_address(const VM *vm, const term *p) {
    return (uintptr_t)p - vm->literal_start < vm->literal_end - vm->literal_start;
}

#endif
