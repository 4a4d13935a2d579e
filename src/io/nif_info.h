/* What others tell of libraries of native functions. NULL in builds without them (PART_nif in the Makefile). */
#ifndef MOTE_IO_NIF_INFO_H
#define MOTE_IO_NIF_INFO_H

#include "io/io.h"
#include "io/port.h"

MAY_BE_MISSING term nif_modules(Heap *h);                           /* those that have loaded one */
MAY_BE_MISSING term nif_monitored_by(Heap *h, term pid, term list); /* references of resources that watch the process, in front of list */

#endif
