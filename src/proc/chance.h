/* Chance: with a seed, whatever a scheduler is free to choose is drawn from it, and time is virtual, so that a run without input
   from outside can be had again, choice for choice. Who runs next, when his slice ends (also between two built-ins), which of
   several timers of the same millisecond fires first, how long a slice takes, and with what bias all this is drawn. There is one
   scheduler then. */
#ifndef MOTE_PROC_CHANCE_H
#define MOTE_PROC_CHANCE_H

#include "proc/timer.h"

uint64_t chance_mix(uint64_t seed); /* of neighbouring seeds, numbers that have nothing in common */
/* vm->seeded: the time is virtual from here on; the only scheduler chooses by chance. */
void chance_time(VM *vm);
void chance_begin(Scheduler *s);
Process *chance_take(Scheduler *s);                   /* of the processes that can run, one of highest priority; NULL: there is none */
intptr_t chance_cut(Scheduler *s, Process *p);        /* takes away from the slice that begins; returns how many reductions */
void chance_passed(Scheduler *s, int64_t reductions); /* the slice is over: time goes on */
Timer *chance_timer(Scheduler *s, Timer *list);       /* which one fires first */

#endif
