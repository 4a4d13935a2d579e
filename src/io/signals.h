/* Signals of the operating system go to the process registered as erl_signal_server: {notify, sigterm}. */
#ifndef MOTE_IO_SIGNALS_H
#define MOTE_IO_SIGNALS_H

#include "io/io.h"
#include "platform/signals.h"

bool signals_use(VM *vm, const char *name, SignalsUse use); /* false: there is no such signal */
void signals_stop(VM *vm);                                  /* the VM ends */
/* What to do about the interrupt of the terminal: `call`, between two slices, while all schedulers stand still. False: cannot be. */
bool signals_on_interrupt(VM *vm, void (*call)(VM *vm));

#endif
