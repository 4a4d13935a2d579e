/* Alarms that are due wait in a list that any scheduler adds to without a lock; poll takes it over. */
#include "io/alarm.h"

#include "proc/schedule.h"

static void fire(Scheduler *s, Timer *t) {
    Alarm *a = (Alarm *)t;
    struct Alarm **list = &s->vm->io->due;
    a->due = true;
    a->next = __atomic_load_n(list, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(list, &a->next, a, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
    }
    poll_wake(s->vm->io->poll);
}

static void take_over(Io *io) {
    Alarm **end = &io->ringing;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = __atomic_exchange_n(&io->due, NULL, __ATOMIC_ACQUIRE);
}

static void done(Io *io, Alarm *a) {
    a->set = a->due = false;
    __atomic_fetch_sub(&io->alarms, 1, __ATOMIC_RELAXED);
}

void alarm_cancel(VM *vm, Alarm *a) {
    if (!a->set) {
        return;
    }
    timer_cancel(vm, &a->timer);
    if (a->due) {
        take_over(vm->io);
        Alarm **at = &vm->io->ringing;
        while (*at != a) {
            at = &(*at)->next;
        }
        *at = a->next;
    }
    done(vm->io, a);
}

void alarm_set(VM *vm, Alarm *a, int64_t at_tick) {
    alarm_cancel(vm, a);
    a->set = true;
    __atomic_fetch_add(&vm->io->alarms, 1, __ATOMIC_RELAXED);
    timer_set(vm_scheduler(vm), &a->timer, at_tick, fire);
}

void alarms_ring(VM *vm) {
    Io *io = vm->io;
    take_over(io);
    for (Alarm *a; (a = io->ringing) != NULL;) {
        io->ringing = a->next;
        done(io, a);
        a->ring(vm, a);
    }
}
