/* The end of a virtual machine: what erlang:halt has asked for, as OTP does it. */
#include <stdio.h>
#include <stdlib.h>

#include "io/io.h"
#include "proc/schedule.h"
#include "vm/crash_dump.h"
#include "vm/machine.h"

/* On standard error, with OTP's ends of lines. */
static void tell(const char *text) {
    for (; *text != '\0'; text++) {
        fputs(*text == '\n' ? "\r\n" : (char[]){*text, '\0'}, stderr);
    }
}

int machine_halted(Machine *m) {
    const Processes *ps = m->vm.processes;
    if (ps->halt_slogan) {
        tell(ps->halt_text);
        tell("\n");
        crash_dump_write(&m->vm, ps->halt_text);
    }
    if (ps->halt_abort) {
        abort();
    }
    io_flush(&m->vm, ps->halt_flush);
    return ps->halt_status;
}
