/* The crash dump: what there was in the VM when it ended, for people and for OTP's crashdump_viewer. Its format is described in
   OTP's user's guide, "How to Interpret the Erlang Crash Dumps". */
#ifndef MOTE_VM_CRASH_DUMP_H
#define MOTE_VM_CRASH_DUMP_H

#include "term/vm.h"

/* Where and whether is said by ERL_CRASH_DUMP, ERL_CRASH_DUMP_SECONDS and ERL_CRASH_DUMP_BYTES, as in OTP. Tells on standard error. */
void crash_dump_write(VM *vm, const char *slogan);

#endif
