/* One virtual machine, as every room may see it: one pointer a room. A room owns the struct behind its pointer, makes it in
   its NAME_init(VM *) and frees it in NAME_done(VM *); the others only carry it. Nothing else in Mote is mutable and
   global, so that several VMs fit in one process. */
#ifndef MOTE_TERM_VM_H
#define MOTE_TERM_VM_H

#include "base/mem.h"
#include "term/term.h"

typedef struct VM {
    Mem mem;
    struct Atoms *atoms;                  /* term/atom.h */
    struct Literals *literals;            /* term/literal.h */
    struct Reserve *reserve;              /* term/heap.c: what stands behind heap_alloc when memory has run out */
    struct Identity *identity;            /* term/ref.h: node name, reference and unique counters */
    struct Processes *processes;          /* proc/: table, names, schedulers, timers */
    const struct ExternalHooks *external; /* data/external.h: funs in external terms, given to data/ by code/ */
    struct Tables *tables;                /* table/: ETS, persistent terms */
    struct Code *code;                    /* code/: modules, exports, lambdas, catches */
    struct Native *native;                /* native/: executable memory; NULL when interpreting */
    const void *returns_interpreted;      /* what the interpreter leaves on the stack under a call into machine code */
    const void *returns_native;           /* and what machine code leaves under a call into the interpreter; both NULL: no native code */
    const void *returns_traced;           /* what is left on the stack under a call that tells trace/ when it ends */
    struct Trace *trace;                  /* trace/: sessions, who watches the system */
    struct Io *io;                        /* io/ */
    const struct BifTable *bifs;          /* the table of built-ins, given to code/ by vm/ */
    const uintptr_t *handlers;            /* the interpreter's, by variant of instruction; given to code/ by vm/ */
    struct Options *options;              /* vm/ */
    struct SystemFlags *flags;            /* bif/system_flags.h: what the system was started with */
    int (*release)(struct VM *vm);        /* the same as a number; INT_MAX: there are no libraries. NULL: likewise */
    const char *(*otp_release)(struct VM *vm);     /* of the libraries that run here, "25"; asked for when first needed */
    const char *(*erts_version)(struct VM *vm);    /* likewise, "13.1.5" */
    bool (*load_module)(struct VM *vm, term name); /* of bare mode: loads a module that nobody has asked for so far, if no Erlang code has
                                                      to see to that. NULL: whoever boots does all of it */
    /* Range of addresses that hold literals: terms there are never copied, scanned or freed by a collection. */
    uintptr_t literal_start, literal_end;
    bool seeded; /* free choices are drawn from seed, see proc/chance.h */
    uint64_t seed;
    uint32_t stress; /* STRESS_..., looked at in builds with MOTE_STRESS */
} VM;

enum {
    STRESS_COLLECT = 1 << 0, /* collect wherever it may happen */
    STRESS_YIELD = 1 << 1,   /* end the slice at every call */
};

/* Makes what term/ owns: atoms, literals, identity, reserve. False: no memory (and terms_done has been called). */
bool terms_init(VM *vm);
void terms_done(VM *vm);

#endif
