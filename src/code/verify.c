#include "code/verify.h"
bool beam_verify(BeamFile *b, const uint32_t *label_function, LoadError *error) {
    return true;
}
