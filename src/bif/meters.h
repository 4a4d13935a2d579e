/* What schedulers do with their time: statistics(scheduler_wall_time) and statistics(microstate_accounting). */
#ifndef MOTE_BIF_METERS_H
#define MOTE_BIF_METERS_H

#include "bif/bif.h"
#include "proc/schedule.h"

term meter_set(Process *p, MeterKind kind, term on); /* true or false, else badarg; returns what it was */
term meter_restart(Process *p, MeterKind kind);      /* likewise */
term wall_time(Process *p);                    /* [{Scheduler, Active, Total}]; undefined: not turned on */
term microstates(Process *p);                  /* [#{type, id, counters}] */

#endif
