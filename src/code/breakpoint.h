/* Breakpoints: the interpreter's code of a function begins with another instruction than its own, which tells trace/ of the call.
   The functions' machine code, if there is some, then goes to the interpreter's at once. Nothing else changes: code without
   breakpoints is as fast as if there were no such thing.

   func_info in front of a function's entry has operands that nothing reads while a breakpoint is set: the one of the module leads to
   the Breakpoint. */
#ifndef MOTE_CODE_BREAKPOINT_H
#define MOTE_CODE_BREAKPOINT_H

#include "code/module.h"

struct Traced;

typedef struct Breakpoint {
    struct Traced *of;
    Unit *at;             /* the entry. A function that was emitted again has several */
    Unit was, was_module; /* what stood there, and three units before it */
    Unit handler;         /* of the function's own first instruction */
    struct Breakpoint *next;
} Breakpoint;

/* Sets breakpoints at all entries of the function that have none yet (none at all, if it has not been emitted). False: no memory. */
bool breakpoint_set(VM *vm, const Function *f, struct Traced *of, Breakpoint **list);
void breakpoints_clear(VM *vm, const Function *f, Breakpoint **list);
static inline const Breakpoint *breakpoint_at(const Unit *entry) {
    return (const Breakpoint *)entry[-3];
}

/* From now on the function is a native one, `called`: all its entries begin with an instruction that calls that. It has been emitted.
   Stays with the code. */
void nif_bind(VM *vm, const Function *f, const BifEntry *called);
const BifEntry *nif_bound(VM *vm, const Function *f); /* what it was bound to; NULL: it is no native one */

/* Calls of the export lead to its stub, which tells trace/; and no longer. A built-in's own instruction is returned, for after that. */
Unit export_trace(VM *vm, Export *e, struct Traced *of);
void export_untrace(VM *vm, Export *e, const Function *f);
struct Traced *export_traced(VM *vm, const Export *e); /* NULL: it is not traced */

/* What instructions that call a built-in are to call, as long as it is not traced. */
BifFunction *export_built_in(const VM *vm, const Export *e);

/* Whose stub that is, as others see it: false if it is none. at: of interpreter code. */
typedef struct {
    term module, name;
    uint32_t arity;
} StubName;
bool stub_name(VM *vm, const Unit *at, StubName *name);

/* For native/: the entry's first instruction becomes one that crosses over to machine code at `native`. */
void breakpoint_cross(VM *vm, const Function *f);

#endif
