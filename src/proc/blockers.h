/* How many schedulers may run processes: as many as are online, or only the first one, while somebody blocks multi-scheduling. */
#ifndef MOTE_PROC_BLOCKERS_H
#define MOTE_PROC_BLOCKERS_H

#include "proc/schedule.h"

typedef enum { BLOCK_ALL, BLOCK_NORMAL, BLOCKS } BlockKind; /* all schedulers; normal ones, not those of dirty jobs */

/* A process that blocks multi-scheduling, until it has taken that back as often, or ends. */
typedef struct Blocker {
    struct Blocker *next;
    term pid;
    uint32_t count[BLOCKS];
} Blocker;

bool blockers_init(VM *vm);
void blockers_done(VM *vm);
bool blockers_add(Process *p, BlockKind kind);    /* false: no memory */
void blockers_remove(Process *p, BlockKind kind); /* once; if it does not block, nothing happens */
bool blockers_any(VM *vm, BlockKind kind);
/* Calls visit for each of them, the newest first. It may not use locks. */
void blockers_each(VM *vm, BlockKind kind, void (*visit)(term pid, void *arg), void *arg);

/* Returns what it was. */
uint32_t schedulers_set_online(VM *vm, uint32_t online);
/* Is the first scheduler the only one that does anything, and the calling one? */
bool scheduler_is_alone(Scheduler *s);

#endif
