/* Walks every function of a file that has been decoded and proves that it keeps the rules the engines rely on. */
#ifndef MOTE_CODE_VERIFY_H
#define MOTE_CODE_VERIFY_H

#include "code/reader.h"

bool beam_verify(BeamFile *b, LoadError *error);
/* One function of a file on demand, which has been decoded. What it passes to other functions may tell more of their arguments:
   those in *again (NULL: none) must be verified and emitted anew before this one runs. */
bool beam_verify_function(BeamFile *b, uint32_t index, const bool **again, LoadError *error);

#endif
