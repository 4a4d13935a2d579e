/* The interpreter's code: laying out rewritten instructions as units, and the stubs that calls to built-ins and to what is not
   there lead to. Handler addresses come from vm->handlers, by variant. */
#ifndef MOTE_CODE_EMIT_H
#define MOTE_CODE_EMIT_H

#include "code/ins.h"

/* Fills in units, functions, lines of pr->code and the addresses of its catch marks. functions[i].label is the entry's label,
   so that exports and lambdas find theirs. False: no memory; pr->code is then as before. */
bool emit_units(Program *pr);

/* Frees what rewrite and emit_units have put into code. */
void emit_free(VM *vm, ModuleCode *code);

/* The function of emitted code whose entry has this label; NULL: the label is not an entry. */
const Function *emit_function(const ModuleCode *code, uint32_t label);

/* Makes e->code lead to its stub: calls the built-in, or else error_handler. For a new export, and one whose module goes. */
void emit_export_stub(VM *vm, Export *e);
/* The same for a fun whose code is not (or no longer) there. */
void emit_lambda_stub(VM *vm, Lambda *l);

/* Makes the function's first instruction (nif_start, which leaves room) call this instead: for load_nif. */
bool emit_native_function(VM *vm, const Function *f, const BifEntry *nif);

#endif
