/* Exceptions: setting one up, taking the stack trace, unwinding to the catch mark that handles it.

   An engine that sees a body fail has class, reason and the rest of it in the scheduler and p->heap.reason (set by exception_set
   and its like, or by a built-in). It calls exception_unwind, which gives the handler to go on at. There x0 is NONE, x1 the
   reason, x2 the raw trace, x3 the class (an atom), as `try_case` and `catch_end` expect them.

   A raw trace is a term that costs little to make: addresses, arguments, class. exception_stacktrace turns it into Erlang's form.
   Nothing in it is trusted: what code passes to raw_raise may be any term. */
#ifndef MOTE_EXEC_EXCEPTION_H
#define MOTE_EXEC_EXCEPTION_H

#include "code/module.h"
#include "term/atom.h"

/* The usual exception of an instruction: the stack trace begins with the function it is in. */
void exception_set(Process *p, ExceptionClass class, term reason);
void exception_error(Process *p, term reason);               /* error:Reason */
void exception_error_with(Process *p, term tag, term value); /* error:{Tag, Value} */

/* Adds to an exception: the built-in that raised it, and its arguments, go on top of the stack trace. To be called when a
   built-in returned NONE and the reason is not A_trap. */
void exception_in_bif(Process *p, const BifEntry *bif, const term *args);
/* Sets one up as if erlang:Name/Arity had raised it: arithmetic, guard built-ins and the like that are instructions. */
void exception_in_operator(Process *p, term reason, term name, uint32_t arity, const term *args);
/* function_clause with arguments x0, x1 ...: pc is then the func_info. Undef of a function that is not there. */
void exception_function_clause(Process *p, uint32_t arity, const term *x);
void exception_of(Process *p, term reason, term module, term name, term args); /* error: with this function on top */
void exception_undef(Process *p, term module, term name, uint32_t arity, const term *x);

/* Unwinds: pc is the address of the failed instruction. Puts the stack pointer at the handler's frame (its y0), clears the mark
   and fills x0..x3. NULL: nobody handles it; p->heap.reason is then the reason the process exits with, and the scheduler's
   class CLASS_ERROR if that is to be logged. *native: it goes on in machine code. */
const CatchHandler *exception_unwind(Process *p, const void *pc, bool *native);

/* Instructions. */
void exception_raise(Process *p, term trace, term reason);                 /* raise: the class is the trace's */
bool exception_raw_raise(Process *p, term class, term reason, term trace); /* raw_raise; false: no class: x0 = badarg, go on */
term exception_caught(Process *p, const term *x);                          /* catch_end: the value of `catch` */
term exception_stacktrace(Process *p, term trace);                         /* build_stacktrace */
term exception_raised_trace(Process *p, term class, term stacktrace);      /* for raise/3: checks; NONE: not a stack trace */

/* The current stack as erlang:process_info(Pid, current_stacktrace) and the like show it. */
term exception_current_stacktrace(Process *p, Heap *to, const void *pc, uint32_t depth);

#endif
