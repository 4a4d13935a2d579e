/* The end of a virtual machine: what erlang:halt has asked for, as OTP does it; and a crash dump, shorter than OTP's. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/text.h"
#include "io/io.h"
#include "platform/environment.h"
#include "proc/names.h"
#include "proc/schedule.h"
#include "term/atom.h"
#include "term/print.h"
#include "vm/machine.h"

static void dump_process(FILE *f, VM *vm, const Process *p) {
    Text text;
    text_init(&text, &vm->mem);
    text_string(&text, "=proc:");
    term_print(&text, vm, p->pid, &(PrintOptions){0});
    text_string(&text, "\nState: ");
    text_string(&text, p->state & STATE_EXITING ? "Exiting" : p->state & STATE_RUNNING ? "Running" : p->state & STATE_WAITING ? "Waiting" : "Scheduled");
    if (p->state & STATE_NAMED) {
        text_string(&text, "\nName: ");
        term_print(&text, vm, name_of(vm, p->pid), &(PrintOptions){0});
    }
    text_string(&text, "\nSpawned as: ");
    term_print(&text, vm, ATOM(p->initial_module), &(PrintOptions){0});
    text_string(&text, ":");
    term_print(&text, vm, ATOM(p->initial_function), &(PrintOptions){0});
    fwrite(text.at, 1, text.size, f);
    fprintf(f, "/%u\nMessage queue length: %u\nStack+heap: %zu\nReductions: %llu\n", p->initial_arity, p->messages, (size_t)(p->heap.end - p->heap.start),
            (unsigned long long)p->reductions);
    text_done(&text);
}

static void write_dump(VM *vm, FILE *f, const char *slogan) {
    time_t now = time(NULL);
    fprintf(f, "=erl_crash_dump:0.5\n%sSlogan: %s\nSystem version: Erlang/OTP %s [erts-%s] [mote %s] [%d-bit]\nAtoms: %zu\n", ctime(&now), slogan,
            machine_otp_release(vm), machine_erts_version(vm), MOTE_VERSION, WORD_BITS, atom_count(vm));
    static const char *const kinds[MEM_KINDS] = {"system", "processes", "heaps", "binary", "atom", "code", "ets", "temporary"};
    fprintf(f, "=memory\ntotal: %zu\n", mem_total(&vm->mem));
    for (int k = 0; k < MEM_KINDS; k++) {
        fprintf(f, "%s: %zu\n", kinds[k], mem_used(&vm->mem, (MemKind)k));
    }
    for (uint32_t i = 0; i < vm->processes->top; i++) {
        const Process *p = process_at(vm, i);
        if (p != NULL && !(p->state & STATE_FREE)) {
            dump_process(f, vm, p);
        }
    }
    fprintf(f, "=end\n");
}

/* On standard error, with OTP's ends of lines. */
static void tell(const char *text) {
    for (; *text != '\0'; text++) {
        fputs(*text == '\n' ? "\r\n" : (char[]){*text, '\0'}, stderr);
    }
}

static void crash_dump(VM *vm, const char *slogan) {
    const char *file = environment_get("ERL_CRASH_DUMP"), *seconds = environment_get("ERL_CRASH_DUMP_SECONDS");
    if (vm->flags->no_crash_dump || (seconds != NULL && atoi(seconds) == 0)) {
        return;
    }
    file = file == NULL ? "erl_crash.dump" : file;
    tell("\nCrash dump is being written to: ");
    tell(file);
    tell("...");
    FILE *f = fopen(file, "w");
    if (f != NULL) {
        write_dump(vm, f, slogan);
        fclose(f);
    }
    tell(f != NULL ? "done\n" : "failed\n");
}

int machine_halted(Machine *m) {
    const Processes *ps = m->vm.processes;
    if (ps->halt_slogan) {
        tell(ps->halt_text);
        tell("\n");
        crash_dump(&m->vm, ps->halt_text);
    }
    if (ps->halt_abort) {
        abort();
    }
    io_flush(&m->vm, ps->halt_flush);
    return ps->halt_status;
}
