/* Where the C functions are that instructions call. They stand by themselves because those of them that headers define are
   compiled here, for speed, and not with the emitters, for size. */
#include "exec/runtime.h"
#include "exec/runtime_bits.h"
#include "native/support.h"

#define NATIVE_FUNCTIONS
#include "gen/native.inc"
