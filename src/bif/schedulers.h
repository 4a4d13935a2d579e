/* What system_info, statistics and system_flag tell of schedulers. Those of dirty jobs are told and not made: what may block runs on
   the pool (platform/pool.h), and what takes long gives way; see docs/scheduling.md. */
#ifndef MOTE_BIF_SCHEDULERS_H
#define MOTE_BIF_SCHEDULERS_H

#include "bif/bif.h"

/* Items of system_info. */
typedef term SchedulerInfo(Process *p);
SchedulerInfo info_schedulers, info_schedulers_online, info_schedulers_state, info_all_schedulers_state, info_schedulers_active,
    info_dirty_cpu, info_dirty_cpu_online, info_dirty_io, info_multi_scheduling, info_blockers, info_normal_blockers;

uint32_t dirty_cpu_count(const VM *vm);
uint32_t dirty_io_count(const VM *vm);

/* Flags of system_flag. */
term set_multi_scheduling(Process *p, term value);
term set_schedulers_online(Process *p, term value);
term set_dirty_cpu_online(Process *p, term value);

/* Items of statistics about queues. NONE: it is none of them. */
term queue_statistics(Process *p, term item);

#endif
