/* Shared stores: what table/ owns in a VM. */
#ifndef MOTE_TABLE_TABLES_H
#define MOTE_TABLE_TABLES_H

#include "proc/process.h"

typedef struct Tables {
    struct Persistents *persistents; /* table/persistent.h */
    struct Ets *ets;                 /* table/ets.h */
} Tables;

bool tables_init(VM *vm); /* after processes_init */
void tables_done(VM *vm); /* before processes_done; nobody may use a table any more */

#endif
