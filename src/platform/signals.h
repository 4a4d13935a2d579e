/* Signals of the operating system that are told to the VM instead of ending it. */
#ifndef MOTE_PLATFORM_SIGNALS_H
#define MOTE_PLATFORM_SIGNALS_H

#include "base/base.h"

typedef enum { SIGNALS_DEFAULT, SIGNALS_IGNORE, SIGNALS_HANDLE } SignalsUse;

bool signals_set(const char *name, SignalsUse use); /* "sigterm" ...; false: there is none of that name */
int signals_open(void);                             /* a descriptor that can be read when one has come; < 0: none to be had */
const char *signals_next(void);                     /* the name of one that has come; NULL: none */

/* The interrupt of the terminal, ^C: ends the process (as long as nothing else is said), does nothing, or is told of under the name
   "sigint". One that comes before the last one is over ends the process. */
bool signals_interrupt(SignalsUse use);
void signals_interrupt_over(void);

#endif
