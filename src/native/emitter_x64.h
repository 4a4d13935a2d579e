/* The state of emitting a program for x86-64: where values are, and what is known of them.

   While native code runs:  rsp  the process's stack        r15  top of its heap        r14  reductions left
                            rbx  the scheduler              rsi rdx r8 r9 r10 r11  x0 .. x5, also across calls
   The other registers are scratch for one instruction. C functions run on the C stack (scheduler->c_stack). */
#ifndef MOTE_NATIVE_EMITTER_X64_H
#define MOTE_NATIVE_EMITTER_X64_H

#include "native/asm_x64.h"
#include "native/machine.h"

enum { SCHEDULER = RBX, HTOP = R15, REDS = R14, SP = RSP, X_REGISTERS = 6, KNOWN_SLOTS = 32 };

#define IN_SCHEDULER(field) SCHEDULER, (int32_t)offsetof(Scheduler, field)
#define IN_HEAP(reg, field) reg, (int32_t)offsetof(Process, heap.field)
#define IN_PROCESS(reg, field) reg, (int32_t)offsetof(Process, field)

typedef enum { VALUE_REG, VALUE_IMM, VALUE_MEM, VALUE_ADDRESS } ValueKind; /* MEM: [reg + v]; ADDRESS: reg + v */
typedef struct {                                                           /* two words: words of ops.tab hand it on in two registers */
    uint8_t kind;                                                          /* ValueKind */
    int8_t reg;
    int8_t slot;   /* of the register it is the value of: x 0 .., y from KNOWN_SLOTS on; -1: none */
    bool small;    /* it is a small integer: seen by code that runs before this */
    bool typed;    /* the compiler says that it is a small integer in a range (low_of, high_of): nothing has proved it */
    uint16_t type; /* says so, an index into the file's types; 0: v is the integer */
    intptr_t v;
} Value;
static_assert(sizeof(Value) == 16 && 2 * KNOWN_SLOTS <= INT8_MAX, "a value is two words");

typedef struct { /* a double: [base + off], or in a register */
    bool in_register;
    int reg;
    int32_t off;
} Double;

typedef struct {
    VM *vm;
    const Native *native;
    const Program *pr;
    Asm a;
    bool *is_native;                   /* by label: is it the entry of a function that gets machine code? */
    Label *entry_of;                   /* by label: where calls of that function go */
    bool yield_always, collect_always; /* stress builds */
    bool small[2 * KNOWN_SLOTS], small_before_slow[2 * KNOWN_SLOTS];
    int temps;         /* how many scratch registers this instruction uses already */
    int target;        /* the register that its result goes to, if it may be used before; -1 */
    bool target_free;  /* it has not been used yet */
    uint32_t start;    /* where it begins, in the hot section */
    Label start_label; /* of that place; 0: not needed yet */
    uint32_t cold_mark, cold_fixes;
    Operand x[4]; /* X0 .. X3 */
} Emitter;

#endif
