/* What schedulers do with their time: statistics(scheduler_wall_time) and statistics(microstate_accounting). */
#ifndef MOTE_BIF_METERS_H
#define MOTE_BIF_METERS_H

#include "bif/bif.h"
#include "proc/schedule.h"

term meter_set(Process *p, MeterKind kind, term on); /* true or false, else badarg; returns what it was */
term meter_restart(Process *p, MeterKind kind);      /* likewise */
/* [{Scheduler, Active, Total}], dirty CPU ones too, which are never active; undefined: not turned on. io: dirty I/O ones as well. */
term wall_time(Process *p, bool io);
term microstates(Process *p); /* [#{type, id, counters}] */

#endif
