/* Persistent terms: pairs that every process may read without copying. They live in the literal area; what has been replaced
   is freed when no process mentions it any more. */
#ifndef MOTE_TABLE_PERSISTENT_H
#define MOTE_TABLE_PERSISTENT_H

#include "table/tables.h"

bool persistents_init(VM *vm);
void persistents_done(VM *vm);

term persistent_get(VM *vm, term key);                            /* NONE: no such key */
bool persistent_put(VM *vm, term key, term value, size_t *words); /* *words: copied; false: no memory */
bool persistent_erase(VM *vm, term key);                          /* false: no such key */
void persistent_erase_all(VM *vm);
term persistent_list(Heap *h); /* [{Key, Value}]; NONE: no memory */
size_t persistent_count(VM *vm);
size_t persistent_bytes(VM *vm);
size_t persistent_room(VM *vm); /* how many fit into the table */

#endif
