/* Shared stores: what table/ owns in a VM. */
#ifndef MOTE_TABLE_TABLES_H
#define MOTE_TABLE_TABLES_H

#include "proc/process.h"

/* See bif_internal_state.c. Limits: 0: the default. */
typedef struct {
    bool available;
    intptr_t re_limit, unicode_limit, binary_limit;
    int64_t long_gc_ms;
} InternalState;

typedef struct Tables {
    struct Persistents *persistents; /* table/persistent.h */
    struct Ets *ets;                 /* table/ets.h */
    InternalState internal;
} Tables;

bool tables_init(VM *vm); /* after processes_init */
void tables_done(VM *vm); /* before processes_done; nobody may use a table any more */

#endif
