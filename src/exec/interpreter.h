/* The interpreter: threaded code, handlers made from ops.tab. */
#ifndef MOTE_EXEC_INTERPRETER_H
#define MOTE_EXEC_INTERPRETER_H

#include "code/module.h"

/* A RunFunction (proc/process.h). */
RunResult interpreter_run(Scheduler *s, Process *p);

/* What native code leaves on the stack under a call into the interpreter: code that goes on natively with the word above it. */
const Unit *interpreter_return_to_native(void);

/* What trace/ leaves on the stack under a call whose end it wants to hear of. */
const Unit *interpreter_return_traced(void);

/* Addresses of handlers by variant: what vm->handlers is set to before code_init. */
const Unit *interpreter_handlers(void);

#endif
