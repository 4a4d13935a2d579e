/* Inflating a little: tables of literals are mostly a few hundred bytes, and there are small machines without zlib. Faster than
   zlib where that would have to be loaded first, slower for what is long. */
#ifndef MOTE_CODE_INFLATE_H
#define MOTE_CODE_INFLATE_H

#include "base/base.h"

/* A zlib stream (RFC 1950) that must fill `to` exactly; what follows it is ignored. False: it does not, or is damaged. */
bool inflate_small(Bytes from, uint8_t *to, size_t size);

#endif
