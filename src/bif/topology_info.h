/* What system_info and system_flag tell and change of processors and of what is bound to them. In bare mode: undefined, unbound. */
#ifndef MOTE_BIF_TOPOLOGY_INFO_H
#define MOTE_BIF_TOPOLOGY_INFO_H

#include "bif/bif.h"

term info_cpu_topology(Process *p);
term info_bind_type(Process *p);
term info_bindings(Process *p);
term info_cpu_topology_of(Process *p, term kind); /* used, detected, defined */
/* erts_debug:get_internal_state({fake_scheduler_bindings, Type}): what would be bound if there were all these processors. */
term fake_bindings(Process *p, term type);
/* Those of system_flag: the old value, or an error. A topology comes from users, or, internally, from erlang:set_cpu_topology/1. */
term set_cpu_topology(Process *p, term value);
term set_cpu_topology_internal(Process *p, term value);
term set_bind_type(Process *p, term value);

#endif
