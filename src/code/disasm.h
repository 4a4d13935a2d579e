/* What code looks like: the generic instructions of a file, and the specialised ones that the interpreter runs for them. */
#ifndef MOTE_CODE_DISASM_H
#define MOTE_CODE_DISASM_H

#include "base/text.h"
#include "code/beam.h"

/* Writes a listing of a file. function: "name/arity" (a module and a colon in front do no harm); NULL: all. False: *error
   says why; what has been written before stays. */
bool disassemble(Text *out, VM *vm, const char *name, Bytes file, const char *function, LoadError *error);

#endif
