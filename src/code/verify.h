/* Walks every function of a file that has been decoded and proves that it keeps the rules the engines rely on. */
#ifndef MOTE_CODE_VERIFY_H
#define MOTE_CODE_VERIFY_H

#include "code/reader.h"

/* label_function: of each label, index of the function whose entry it is + 1, or 0. */
bool beam_verify(BeamFile *b, const uint32_t *label_function, LoadError *error);

#endif
