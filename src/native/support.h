/* What machine code calls besides exec/runtime.h. The process's state has been saved, with the return address of the call in
   machine code on top of its stack. Of results, RUN_NATIVE means: goes on at p->ip, in machine code; RUN_SWITCH: there, but in the
   interpreter. */
#ifndef MOTE_NATIVE_SUPPORT_H
#define MOTE_NATIVE_SUPPORT_H

#include "exec/runtime.h"

enum { RUN_NATIVE = RUN_SWITCH + 1 };

int native_unwind(Process *p, const void *pc);
int native_yield(Process *p, uintptr_t live);
int native_waits(Process *p);
bool native_collect(Process *p, size_t words, size_t live); /* false: it must leave */
bool native_after_bif(Process *p);                          /* the same; x0 is live */
int native_bif_none(Process *p, const BifEntry *bif, uintptr_t tail);
void native_guard_failed(Process *p, const BifEntry *bif);
int native_hibernate(Process *p); /* RUN_SWITCH: an exception */
term native_next_message(Process *p);
const Unit *native_traced(Process *p, const void *entry); /* the interpreter's code of the function that begins there */
uintptr_t native_wait(Process *p, term time);             /* a MailboxWait; the exception has been set */

/* What the bodies of instructions call: by FUNCTION_ numbers, which are made with the emitters. */
extern const void *const native_functions[];

#endif
