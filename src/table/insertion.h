/* Putting many objects into a table in slices, as if at once. They are copied first; from insertion_begin on, whoever looks at
   the table finishes the work before. */
#ifndef MOTE_TABLE_INSERTION_H
#define MOTE_TABLE_INSERTION_H

#include "table/ets.h"

typedef struct Insertion {
    Resource resource;
    Table *table;            /* that it is going on in; NULL: not begun, or done */
    Object *first, *last;    /* still to be put in */
    const Object *unchecked; /* only_new: not yet looked for */
    bool only_new;           /* nothing is put in if one of the keys is there */
    bool reversed;           /* the last one goes in first */
    bool exists;             /* only_new: one of them is */
} Insertion;

void insertion_add(Insertion *i, Object *o); /* takes it over */
void insertion_begin(Insertion *i, Table *t);
/* Goes on for about so many objects, of which what is over is left there. True: it is done. */
bool insertion_step(VM *vm, Insertion *i, size_t *objects);
/* The same by the process that began it. */
bool insertion_go_on(VM *vm, Insertion *i, size_t *objects);
/* Finishes what is going on in a table. */
void insertion_finish(VM *vm, Table *t);
/* Finishes it, or drops it if it has not begun. */
void insertion_done(VM *vm, Insertion *i);

#endif
