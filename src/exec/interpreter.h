/* The interpreter: threaded code, handlers made from ops.tab. */
#ifndef MOTE_EXEC_INTERPRETER_H
#define MOTE_EXEC_INTERPRETER_H

#include "code/module.h"

/* A RunFunction (proc/process.h). */
RunResult interpreter_run(Scheduler *s, Process *p);

/* Addresses of handlers by variant: what vm->handlers is set to before code_init. */
const Unit *interpreter_handlers(void);

#endif
