/* The process dictionary: pairs in the order of their arrival, found by a hash index once there are many. */
#ifndef MOTE_PROC_DICTIONARY_H
#define MOTE_PROC_DICTIONARY_H

#include "proc/process.h"

/* Keys and values are terms of the process; NONE: there is none. */
term dictionary_get(Process *p, term key);
bool dictionary_put(Process *p, term key, term value, term *old); /* *old: the former value or NONE. False: no memory */
term dictionary_erase(Process *p, term key);                      /* the former value or NONE */
size_t dictionary_count(const Process *p);
term dictionary_list(Process *p);             /* [{Key, Value}] */
term dictionary_keys(Process *p, term value); /* of all pairs with this value; NONE: of all pairs */
void dictionary_clear(Process *p);
size_t dictionary_bytes(const Process *p);
term *dictionary_roots(Process *p, size_t *count); /* for the collection */

#endif
