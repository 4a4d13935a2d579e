/* mote verify FILE...: are these .beam files and packs sound? */
#ifndef MOTE_VM_CMD_VERIFY_H
#define MOTE_VM_CMD_VERIFY_H

#include "term/vm.h"

/* argv[0] is the word verify. The exit status: 1 if a file is not sound; each has its line. */
int cmd_verify(VM *vm, int argc, char **argv);

#endif
