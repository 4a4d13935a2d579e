/* The native engine: machine code made from the same table as the interpreter, function by function. A function with an
   instruction that has no words for this machine stays interpreted; the two engines call each other freely.

   How they meet. A process's stack is the same for both, and a return address on it says by itself which engine goes on: one of
   interpreter code is an address of units, one of native code an address of instructions. Whoever calls across leaves one more
   word on top of the return address, a bridge: `returns_interpreted`, native code that goes on in the interpreter with the
   word below it; or interpreter code (the unit of the instruction `return_to_native`) that goes on natively with the word
   below it. A tail call that crosses back takes the other's bridge away instead of adding its own, so that the stack stays
   as it is. */
#ifndef MOTE_NATIVE_NATIVE_H
#define MOTE_NATIVE_NATIVE_H

#include "code/ins.h"

/* Turns the engine on, before code is loaded: vm->native and the hooks of code/ and proc/. False: this machine has none. */
bool native_init(VM *vm);
void native_done(VM *vm);

/* A RunFunction: both engines, each in turn. */
RunResult native_run(Scheduler *s, Process *p);

/* The machine code of a function, for the disassembler; size 0: it has none. */
Bytes native_code(const VM *vm, const ModuleCode *code, const Function *f);

#endif
