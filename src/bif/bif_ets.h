/* What the files of the built-in module ets share. */
#ifndef MOTE_BIF_ETS_H
#define MOTE_BIF_ETS_H

#include "bif/bif.h"
#include "table/ets.h"

/* `Table *t = ets_table(p, a[0], ACCESS_READ);` NULL: an exception has been raised. For what use, and of which key: see table_find. */
Table *ets_table_for(Process *p, term id, Access access, TableUse use, term key);
static inline Table *ets_table(Process *p, term id, Access access) {
    return ets_table_for(p, id, access, USE_ALONE, NONE);
}
static inline Table *ets_table_shared(Process *p, term id) {
    return ets_table_for(p, id, ACCESS_READ, USE_LOOK, NONE);
}

#endif
