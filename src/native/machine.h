/* What the machine's file and the rest of native/ share. */
#ifndef MOTE_NATIVE_MACHINE_H
#define MOTE_NATIVE_MACHINE_H

#include "code/code.h"
#include "native/native.h"
#include "platform/platform.h"

enum { PURE_ARGUMENTS = 4 };

/* Places in the code that is made once. What they expect in registers is the machine's own business. */
typedef struct {
    const uint8_t *enter;                     /* RunResult enter(Scheduler *, Process *): goes on at p->ip */
    const uint8_t *returns_interpreted;       /* bridge */
    const uint8_t *to_interpreter;            /* goes to code of the interpreter */
    const uint8_t *entry;                     /* goes to the interpreter's code of an Entry: its `native` where it has no machine code */
    const uint8_t *call_pure[PURE_ARGUMENTS]; /* of so many arguments, plus one */
    const uint8_t *call_c, *call_list, *call_guard, *guard_failed, *collect, *call_bif, *tail_bif;
    const uint8_t *yield, *wait, *hibernate, *unwind;
    const uint8_t *traced; /* called from the slot of a function that is traced: goes to the interpreter's code of it */
} MachineStubs;

typedef struct Native {
    CodeMemory memory;
    size_t used;      /* bytes from its start that have ever been given out */
    NativeCode *free; /* pieces given back */
    NativeCode *stub_code;
    MachineStubs stubs;
} Native;

/* The machine's file: makes what is made once; emits a program. False: no memory. */
bool machine_stubs(VM *vm, Native *n, const Unit *return_to_native);
bool machine_emit(VM *vm, Native *n, Program *pr);

/* Makes the machine code of a function go to the interpreter's, or no longer. */
void machine_divert(Native *n, const uint8_t *entry, bool on);
/* The built-in that has been called, by the return address. */
const BifEntry *machine_called(const void *back);

/* For the machine's file: room for so much code. NULL: none. */
NativeCode *native_allocate(VM *vm, size_t size);
uint8_t *native_writable(const Native *n, const uint8_t *at);

#endif
