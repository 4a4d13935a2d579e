/* How a built-in function is written.

       // One line that says what it does, if its name does not.
       BIF(lists, member, 2) {
           if (!is_list(a[1])) {
               return raise_badarg(p);
           }
           ...
           return A_true;
       }

   That is all it takes: the build scans src/bif for lines that begin with BIF and makes the table, sorted by module, name and
   arity, in read-only memory. p is the calling process, a[0], a[1] ... its arguments (not to be written). The result is a
   term, or NONE after a raise_... or bif_trap.
   Names that C cannot spell: BIF_AS(erlang, "++", append, 2), where the third word names the C function.
   BIF_REST(append_more, 4, erlang, "++", 2) is erts_internal:append_more/4, which goes on with the work of another one: whoever
   looks at the process meanwhile, or traces it, sees the name behind it (OTP's).

   Room on the heap: heap_alloc(&p->heap, n), see term/heap.h; nothing ever moves while a built-in runs. Work beyond about 100
   simple steps is charged: BUMP(p, n). A built-in must not run longer than about a millisecond: when reductions are used up
   it goes on later, by bif_trap to a built-in that takes its state as arguments. */
#ifndef MOTE_BIF_BIF_H
#define MOTE_BIF_BIF_H

#include "code/export.h"
#include "proc/process.h"
#include "term/atom.h"

#define BIF(module, name, arity)                 \
    BifFunction bif_##module##_##name##_##arity; \
    term bif_##module##_##name##_##arity(Process *p UNUSED, const term *a UNUSED)
#define BIF_AS(module, text, name, arity) BIF(module, name, arity)
#define BIF_REST(name, arity, seen_module, seen_name, seen_arity) BIF(erts_internal, name, arity)

#define HEAP(p) (&(p)->heap)
#define BUMP(p, n) ((p)->heap.reds -= (n))
#define OUT_OF_TIME(p) ((p)->heap.reds <= 0)

/* Exceptions. Each returns NONE, so that a built-in ends with `return raise_badarg(p);`. The stack trace gets the built-in
   and its arguments on top and error_info that leads to erl_erts_errors, as in OTP. */
term raise_error(Process *p, term reason);
static inline term raise_badarg(Process *p) {
    return raise_error(p, A_badarg);
}
/* error_info gets `cause => cause`: for reasons that erl_erts_errors cannot find by looking at the arguments. */
term raise_error_cause(Process *p, term reason, term cause);
/* The exception is that of another built-in, which this one does the rest of: it is named in the stack trace. */
term raise_error_as(Process *p, term reason, term module, term name, int arity, const term *args);
/* A function of term/ or data/ returned NONE and left the reason in the heap: raise it as an error. */
term raise_heap_reason(Process *p);

/* Ends the built-in and calls another function instead, with these arguments: a tail call. */
term bif_trap(Process *p, const Export *to, int arity, ...);
/* Ends the built-in with this result, but lets the scheduler decide who goes on: after handling signals (the process may have
   been told to exit), and to give way. Leaves trap_to NULL and the result in trap_args[0]: engines put it where the result
   belongs and leave with RUN_YIELD, to go on behind the call. */
term bif_yield(Process *p, term result);
/* The same for when memory has run out: the process is killed. */
term bif_no_memory(Process *p);
/* Another scheduler has q just now, and p must enter it: the built-in begins anew when q has given way. again: the built-in itself,
   args: its arguments. */
term bif_ask(Process *p, Process *q, const Export *again, const term *args);
/* What the rest of a built-in does must be seen by nobody in the middle: `if (!bif_is_still(p)) return bif_still(...)` begins it anew when all
   other schedulers stand still. With one scheduler they always do. */
bool bif_is_still(const Process *p);
term bif_still(Process *p, const Export *again, const term *args);
void bif_still_over(Process *p); /* the others may go on: the slice ends with the next call */
/* Of the OTP whose libraries run here: what built-ins answer depends on it in a few places. */
int bif_release(const Process *p);
int vm_release(VM *vm);
/* The export of a hidden built-in: `BIF_EXPORT(p, lists, reverse, 2)`. */
Export *bif_export(VM *vm, term module, term name, int arity);
/* What process_info/2 can be asked for. */
term process_info_names(Heap *h);
/* {Module, Name, Arity} of all that belong to the loaded modules. */
term builtin_functions(Heap *h);
#define BIF_EXPORT(p, module, name, arity) bif_export(process_vm(p), A_##module, A_##name, arity)

#endif
