/* Erlang time on top of the platform's clocks. */
#include "proc/clock.h"

#include "platform/platform.h"
#include "proc/schedule.h"

/* As in OTP: below zero, and just above the smallest small integer of a 64-bit machine. */
#define ORIGIN (INT64_C(-576460752) * 1000000000)

void clock_init(Clock *c) {
    c->start = platform_monotonic();
    c->origin = ORIGIN;
    c->offset = platform_system_time() - ORIGIN;
    c->last_cpu = c->last_wall = 0;
    c->frozen = false;
}

int64_t clock_monotonic(VM *vm) {
    const Clock *c = &vm->processes->clock;
    return c->frozen ? c->now : platform_monotonic() - c->start + c->origin;
}

int64_t clock_platform(VM *vm) {
    return vm->processes->clock.frozen ? vm->processes->clock.now : platform_monotonic();
}

int64_t clock_platform_system(VM *vm) {
    return vm->processes->clock.frozen ? clock_system(vm) : platform_system_time();
}

int64_t clock_cpu(VM *vm) {
    const Clock *c = &vm->processes->clock;
    return c->frozen ? c->now - c->origin : platform_cpu_time();
}

int64_t clock_system(VM *vm) {
    return clock_monotonic(vm) + vm->processes->clock.offset;
}

int64_t clock_offset(VM *vm) {
    return vm->processes->clock.offset;
}
