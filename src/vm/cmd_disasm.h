/* mote disasm: what a file's code looks like, generic, specialised, native. */
#ifndef MOTE_VM_CMD_DISASM_H
#define MOTE_VM_CMD_DISASM_H

#include "vm/machine.h"

/* disasm [--native] FILE [M:F/A]; returns the exit status. With --native m must be a machine whose engine is on. */
int cmd_disasm(Machine *m, int argc, const char **argv);

#endif
