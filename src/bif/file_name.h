/* File names, commands and what else the system takes as bytes, from Erlang's lists and binaries. */
#ifndef MOTE_BIF_FILE_NAME_H
#define MOTE_BIF_FILE_NAME_H

#include "base/text.h"
#include "bif/bif.h"

enum { NAME_ATOMS = 1, NAME_EMPTY = 2, NAME_DEEP = 4 }; /* what is let through besides: atoms, empty names, lists in lists */

/* Appends the bytes of a name, without a zero at the end. Lists are of characters in the user's encoding; binaries stay as they
   are, but for zeroes at their end. False: it is no name, or there is no memory. */
bool file_name_bytes(VM *vm, term name, unsigned allowed, Text *out);

#endif
