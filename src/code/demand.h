/* Code on demand: a module whose functions are decoded, verified and emitted when they are first called. Literals and types are
   read with the first function that needs them, the line table with the first stack trace. See docs/memory.md. */
#ifndef MOTE_CODE_DEMAND_H
#define MOTE_CODE_DEMAND_H

#include "code/module.h"

/* Makes f->code lead to code. False: *error says why. */
bool demand_function(VM *vm, Function *f, LoadError *error);
/* A call in emitted code leads to f's stub: it shall lead to its code as soon as there is some. */
void demand_call_site(VM *vm, Function *f, Unit *at);
/* Fills in code->places and files, if that has not been tried. */
void demand_lines(ModuleCode *code);
void demand_free(VM *vm, ModuleCode *code); /* what these have made, and code->source if it belongs to the code */

#endif
