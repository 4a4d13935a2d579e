/* Merging maps in slices. */
#ifndef MOTE_DATA_MAP_MERGE_H
#define MOTE_DATA_MAP_MERGE_H

#include "data/map.h"

/* map_merge of a and b for about `limit` reductions. *state is NONE at first. NONE: if *state is a term now, it is where to go on
   (a and b are in it); else there is no memory, and the reason is in the heap. */
term map_merge_some(Heap *h, term a, term b, term *state, size_t limit);

#endif
