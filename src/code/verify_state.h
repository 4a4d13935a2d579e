/* What the verifier knows at one point of a function, and the tools that the rules of the instructions (verify_rules.c) are
   written with. */
#ifndef MOTE_CODE_VERIFY_STATE_H
#define MOTE_CODE_VERIFY_STATE_H

#include "code/verify.h"

enum { VERIFY_X = 1024, VERIFY_Y = 1024 };
#define VERIFY_NO_BLOCK UINT32_MAX

/* What is known of a register's value: a kind in the low four bits, a number above it. */
typedef uint32_t Fact;
typedef enum {
    FACT_UNSET, /* nothing was written to it: it must not be read, nor be live where a collection may happen */
    FACT_ANY,   /* a term */
    FACT_TUPLE, /* a tuple of at least n elements */
    FACT_FRESH, /* the same, just made by setelement/3: nobody else knows it, and no collection has moved it */
    FACT_CELL,  /* a list cell */
    FACT_MAP,
    FACT_FLOAT,
    FACT_SMALL,        /* the integer n */
    FACT_MATCH,        /* a match context with n slots (bs_save2) */
    FACT_MAYBE_MATCH,  /* a term or a match context */
    FACT_RAISED,       /* x0 at the label of a catch or try: an exception, for catch_end or try_case only */
    FACT_MAYBE_RAISED, /* that, or a term: for catch_end only */
    FACT_CATCH,        /* y register with a catch mark; n: the label it leads to */
    FACT_TRY,
} FactKind;
#define FACT(kind, n) ((Fact)(n) << 4 | (Fact)(kind))
#define FACT_KIND(f) ((FactKind)((f)&15))
#define FACT_N(f) ((f) >> 4)
enum { FACT_N_MAX = (1 << 28) - 1 };

static inline bool fact_is_term(Fact f) { /* may be read as a term */
    return (uint32_t)FACT_KIND(f) - FACT_ANY <= FACT_SMALL - FACT_ANY;
}
static inline bool fact_is_value(Fact f) { /* may be moved, and be live */
    return (uint32_t)FACT_KIND(f) - FACT_ANY <= FACT_MAYBE_MATCH - FACT_ANY;
}
static inline bool fact_is_mark(Fact f) {
    return FACT_KIND(f) >= FACT_CATCH;
}
Fact fact_join(Fact a, Fact b);
Fact fact_of_constant(const Arg *a);

/* Frame sizes that are none. */
enum { FRAME_NONE = -1, FRAME_UNDECIDED = -2 /* paths with different frames meet; only what raises may follow */ };

typedef struct {
    int32_t frame;
    uint32_t ys;                  /* y registers there are facts of: the frame's size, if it is decided */
    uint32_t unset;               /* how many of them are unset (undecided: whether some are, also beyond ys) */
    uint32_t xs;                  /* x registers from this one on are unset */
    uint32_t words, floats, funs; /* of heap, that have been tested for and not yet used */
    uint32_t allocate;            /* index of the instruction that made the frame */
    uint32_t marks;               /* catch marks in the frame */
    uint32_t innermost;           /* the y register of the innermost one, which is the lowest */
    uint64_t f;                   /* float registers that are set (0..63; those above are always readable: they hold some float) */
    bool message;                 /* loop_rec has a message in hand */
    bool building;                /* a binary is being built, for bs_put_.. */
    bool fresh;                   /* there may be FACT_FRESH in a register */
} StateHead;

typedef struct {
    StateHead h;
    Fact x[VERIFY_X], y[VERIFY_Y];
} State;

/* The state at a label, joined from all ways that lead to it. */
typedef struct SavedState {
    StateHead h;
    uint32_t op;     /* of the label */
    uint32_t room_x; /* facts of x take so many places, those of y follow */
    bool dirty;      /* has changed since the code behind the label was walked */
    Fact facts[];
} SavedState;

typedef struct Verifier {
    BeamFile *b;
    LoadError *error;
    const BeamFunction *function;
    SavedState **saved; /* of each label; only those of this function are there */
    Arena *states;      /* they live in here: the file's memory for work if it is for this function alone, else scratch */
    Arena scratch;
    uint8_t *imports;     /* of each import: IMPORT_..., 0: not looked at yet */
    uint64_t *match_args; /* of each function: which arguments may be match contexts */
    bool *again;          /* of each function: match_args has changed since it was walked */
    bool repeat;          /* some function has to be walked again */
    State s;
    uint32_t op;              /* index of the instruction at hand */
    uint32_t pending;         /* labels that are dirty */
    uint32_t restart;         /* the first of those that the present sweep has passed already */
    struct VerifyEdge *edges; /* all ways between labels that have been walked; room for edge_room of them */
    uint32_t edge_count, edge_room;
    uint32_t block; /* index of the label behind which the instruction at hand is; VERIFY_NO_BLOCK: none yet */
    bool live;      /* control can get here */
    bool backward;  /* there is a jump back that is no receive loop's */
    bool preset;    /* results of guard built-ins are set, with OP_PRESET, on failure too: tried when it fails without */
    bool handled;   /* the handler of the innermost mark knows the present y registers */
} Verifier;

enum { IMPORT_PLAIN = 1, IMPORT_GUARD, IMPORT_EXIT, IMPORT_SETELEMENT };
uint8_t verify_import(Verifier *v, uint32_t index); /* what kind of function it is */

/* Why the file is refused: false. */
bool verify_fail(Verifier *v, const char *format, ...) PRINTF_LIKE(2, 3);
#define FAIL(v, ...) (verify_fail(v, __VA_ARGS__), false)

/* A way from the label before the instruction at hand to another label (both as indices of instructions), of which the engines
   charge nothing. Nothing may go round in a circle of such ways: it could not be interrupted. False: no memory. */
bool verify_edge(Verifier *v, uint32_t to);
/* After a walk: is there no circle? */
bool verify_no_loops(Verifier *v);

/* Control may go on at the label with the present state. */
bool verify_branch(Verifier *v, uint32_t label);
/* The instruction may raise: control may go on at the innermost handler of this frame. */
bool verify_raise(Verifier *v);

/* The instruction at hand leads to a try_case, where only exceptions may lead: the compiler knows that the one before it never
   returns. It gets OP_STOP; the walk ends here. */
void verify_never_returns(Verifier *v);

/* verify_rules.c: what the instruction needs, and what is known after it. */
bool verify_instruction(Verifier *v, GenericOp *op);

static inline void state_set_x(State *s, uint32_t x, Fact f) {
    while (s->h.xs <= x) {
        s->x[s->h.xs++] = FACT_UNSET;
    }
    s->x[x] = f;
}
static inline Fact state_x(const State *s, uint32_t x) {
    return x < s->h.xs ? s->x[x] : (Fact)FACT_UNSET;
}

#endif
