/* What the files of the built-in module ets share. */
#ifndef MOTE_BIF_ETS_H
#define MOTE_BIF_ETS_H

#include "bif/bif.h"
#include "table/ets.h"

/* `Table *t = ets_table(p, a[0], ACCESS_READ);` NULL: an exception has been raised. */
static inline Table *ets_table(Process *p, term id, Access access) {
    term cause;
    Table *t = table_find(p, id, access, &cause);
    if (t == NULL) {
        raise_error_cause(p, A_badarg, cause);
    }
    return t;
}

/* The same to look only: others may look at the same time. */
static inline Table *ets_table_shared(Process *p, term id) {
    term cause;
    Table *t = table_find_shared(p, id, ACCESS_READ, &cause);
    if (t == NULL) {
        raise_error_cause(p, A_badarg, cause);
    }
    return t;
}

#endif
