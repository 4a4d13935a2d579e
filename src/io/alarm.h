/* Timers of ports: they ring where ports are looked after, in poll and under io_lock, not where the wheel of timers turns. */
#ifndef MOTE_IO_ALARM_H
#define MOTE_IO_ALARM_H

#include "io/io.h"
#include "proc/timer.h"

typedef struct Alarm {
    Timer timer;        /* first */
    struct Alarm *next; /* of those that are due */
    bool set;           /* it has not rung yet */
    bool due;           /* it is in that list */
    void (*ring)(VM *vm, struct Alarm *a);
} Alarm;

void alarm_set(VM *vm, Alarm *a, int64_t at_tick); /* again: at another time */
void alarm_cancel(VM *vm, Alarm *a);
void alarms_ring(VM *vm); /* those that are due */

#endif
