/* The unit of interpreter code. On machines with plenty of memory a unit is a machine word: the address of an
   instruction's handler, or an operand in the form the handler wants. (The 16-bit form for flash and images is a second
   reading of the same emitter.) */
#ifndef MOTE_CODE_UNIT_H
#define MOTE_CODE_UNIT_H

#include "base/base.h"

typedef uintptr_t Unit;

#endif
