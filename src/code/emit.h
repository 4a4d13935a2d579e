/* The interpreter's code: laying out rewritten instructions as units, and the stubs that calls to built-ins and to what is not
   there lead to. Handler addresses come from vm->handlers, by variant. */
#ifndef MOTE_CODE_EMIT_H
#define MOTE_CODE_EMIT_H

#include "code/ins.h"

/* Lays the program out in a segment of pr->code, and fills in code and info of its functions and the addresses of its catch
   marks. False: no memory; pr->code is then as before. */
bool emit_units(Program *pr);

/* Frees what rewrite and emit_units have put into code. */
void emit_free(VM *vm, ModuleCode *code);

/* The function whose entry has this label; NULL: the label is not an entry. */
Function *emit_function(const ModuleCode *code, uint32_t label);

/* Makes e->code lead to its stub: calls the built-in, or else error_handler. For a new export, and one whose module goes. */
void emit_export_stub(VM *vm, Export *e);
/* Makes f->code lead to its stub: emits the function first. */
void emit_function_stub(VM *vm, Function *f);
/* The same for a fun whose code is not (or no longer) there. */
void emit_lambda_stub(VM *vm, Lambda *l);

#endif
