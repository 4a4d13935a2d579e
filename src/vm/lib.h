/* The modules of lib/, carried in the executable. */
#ifndef MOTE_VM_LIB_H
#define MOTE_VM_LIB_H

#include "base/base.h"

typedef struct {
    const char *name;
    Bytes beam;
    uint32_t inflated; /* what beam inflates to; 0: it is the module as it is */
} LibModule;
extern const LibModule lib_modules[]; /* ends with a row without a name */

#endif
