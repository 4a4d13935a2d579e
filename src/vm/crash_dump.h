/* The crash dump: what there was in the VM when it ended, for people and for OTP's crashdump_viewer. Its format is described in
   OTP's user's guide, "How to Interpret the Erlang Crash Dumps". */
#ifndef MOTE_VM_CRASH_DUMP_H
#define MOTE_VM_CRASH_DUMP_H

#include "code/module.h"
#include "proc/process.h"
#include "vm/dump_terms.h"

/* Where and whether is said by ERL_CRASH_DUMP, ERL_CRASH_DUMP_SECONDS and ERL_CRASH_DUMP_BYTES, as in OTP. Tells on standard error. */
void crash_dump_write(VM *vm, const char *slogan);

/* Parts of it, for whoever asks while the VM runs. */
void dump_processes(Dump *d);
void dump_process(Dump *d, Process *p);
void dump_ports(Dump *d);
void dump_tables(Dump *d);
void dump_node(Dump *d);
void dump_memory(Dump *d);
void dump_sizes(Dump *d);
size_t dump_code_size(const ModuleCode *c); /* bytes; c may be NULL */

#endif
