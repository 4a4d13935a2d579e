/* What the files of this room share: the tables behind vm->code. */
#ifndef MOTE_CODE_CODE_H
#define MOTE_CODE_CODE_H

#include "code/module.h"

typedef struct Code {
    Export **exports;            /* hash table, chained; a power of two of buckets */
    uint32_t export_buckets, export_count;
} Code;

bool exports_init(VM *vm);
void exports_done(VM *vm);

#endif
