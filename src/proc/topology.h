/* How the machine's processors belong together, as the system says or as the user does (+sct), and which scheduler's thread is bound to which
   of them (+sbt). Without binding nothing of this costs anything: the system is asked when somebody wants to know. */
#ifndef MOTE_PROC_TOPOLOGY_H
#define MOTE_PROC_TOPOLOGY_H

#include "platform/processors.h"
#include "proc/schedule.h"

/* In which order schedulers get processors. A row of bind_types is an option of +sbt, the atom, and what is counted on last. */
typedef struct {
    const char *option;
    term name;
    uint8_t order[PLACE_LOGICAL]; /* what differs first; PLACE_LEVELS ends it */
} BindType;
extern const BindType bind_types[];
const BindType *bind_type_named(term name);              /* default_bind is one of the others; NULL: there is no such type */
const BindType *bind_type_of_option(const char *option); /* likewise */

typedef enum { TOPOLOGY_USED, TOPOLOGY_DETECTED, TOPOLOGY_DEFINED } TopologyKind;

bool topology_init(VM *vm); /* when it is known how many schedulers there may be; for as long as the VM lives. False: no memory */
/* Between these, what topology_places returned stays. */
void topology_lock(VM *vm);
void topology_unlock(VM *vm);
const Places *topology_places(VM *vm, TopologyKind kind); /* NULL: undefined */
/* What +sct says is appended. The reason why it cannot be, in OTP's words; NULL: it is done. */
const char *topology_parse(Mem *mem, Places *to, const char *text);
/* Takes over the user's; none: the system's again. NULL, or the reason why not: then they are the caller's. */
const char *topology_define(VM *vm, Places *places);
/* The logical numbers in the order in which schedulers get them: as many as there are places. False: no memory. */
bool topology_order(Mem *mem, const Places *p, const BindType *type, int32_t *logical);
/* From now on schedulers are bound so. The type that they had; NULL: no memory, the system cannot do it, or nothing is known of its processors. */
const BindType *topology_bind(VM *vm, const BindType *type);
const BindType *topology_bound_as(VM *vm);
int topology_bound_to(const VM *vm, uint32_t scheduler); /* -1: unbound */

#endif
