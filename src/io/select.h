/* A message to a process when a descriptor can be read, once: what NIFs call select. */
#ifndef MOTE_IO_SELECT_H
#define MOTE_IO_SELECT_H

#include "io/io.h"

/* Replaces what was wanted of this descriptor before. False: no memory, or no such descriptor. The message is copied. */
bool select_read(VM *vm, int fd, term pid, term message);
void select_cancel(VM *vm, int fd);
void selects_done(VM *vm);

#endif
