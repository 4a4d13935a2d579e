/* The machine's processors, and which of them a thread may run on. */
#ifndef MOTE_PLATFORM_PROCESSORS_H
#define MOTE_PLATFORM_PROCESSORS_H

#include "base/mem.h"

/* Where a logical processor is, from the outside in; -1: in nothing of the kind. A node (of memory) is either around a processor or in it. */
typedef enum { PLACE_NODE, PLACE_PROCESSOR, PLACE_PROCESSOR_NODE, PLACE_CORE, PLACE_THREAD, PLACE_LOGICAL, PLACE_LEVELS } PlaceLevel;
typedef struct {
    int32_t at[PLACE_LEVELS];
} Place;
enum { PLACE_MAX_ID = 65535 }; /* of what a user may say */
typedef struct {
    Place *place;
    size_t count, room;
} Places;

void places_free(Mem *mem, Places *p);
bool places_add(Mem *mem, Places *p, Place place); /* false: no memory */
/* What the system says of those that are switched on, from the outside in; none: it does not say, or there is no memory. */
Places processors_detect(Mem *mem);
unsigned processors_count(bool all);    /* that there are, or that this process may use: at least 1 */
bool processors_can_bind(void);         /* can a thread be bound on this system at all? */
bool processor_is_allowed(int logical); /* may this process use it? */

/* A thread that lives. logical < 0: it may use all that the process may. False: the system refuses. */
uintptr_t thread_self(void);
bool thread_bind(uintptr_t thread, int logical);
/* What this thread starts in between (threads, other programs) is not bound as it is itself. */
typedef struct {
    bool bound;
    unsigned char mask[128];
} BoundThread;
void thread_unbind_begin(BoundThread *b);
void thread_unbind_end(const BoundThread *b);

#endif
