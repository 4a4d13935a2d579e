/* What the machine's file and the rest of native/ share. */
#ifndef MOTE_NATIVE_MACHINE_H
#define MOTE_NATIVE_MACHINE_H

#include "code/code.h"
#include "native/native.h"
#include "platform/platform.h"

/* Places in the code that is made once. */
typedef struct {
    const uint8_t *enter;               /* RunResult enter(Scheduler *, Process *): goes on at p->ip */
    const uint8_t *returns_interpreted; /* bridge */
    const uint8_t *to_interpreter;      /* calls the interpreter's code in the first scratch register */
    const uint8_t *entry;               /* the same for the Entry there: what has no native code has this address instead */
    const uint8_t *go_entry;            /* goes to the Entry there, which may be NULL: unwind */
    const uint8_t *yield, *raise, *call_c, *call_bif, *unwind;
    const uint8_t *leave;
} MachineStubs;

typedef struct Native {
    CodeMemory memory;
    size_t used;                        /* bytes from its start that have ever been given out */
    struct NativeCode *free;            /* pieces given back */
    MachineStubs stubs;
    NativeFigures figures;
} Native;

/* The machine's file: makes what is made once; emits a program. False: no memory. */
bool machine_stubs(VM *vm, Native *n);
bool machine_emit(VM *vm, Native *n, Program *pr);

/* For the machine's file: room for so much code. NULL: none. */
NativeCode *native_allocate(VM *vm, size_t size);
uint8_t *native_writable(const Native *n, const uint8_t *at);

#endif
