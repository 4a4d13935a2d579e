/* The menu is read from standard input and everything is printed on standard output, whoever uses them otherwise. */
#include "vm/break_menu.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/signals.h"
#include "platform/platform.h"
#include "platform/terminal.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "term/atom.h"
#include "vm/crash_dump.h"
#include "vm/machine.h"

static const char help[] = "BREAK: (a)bort (A)bort with dump (c)ontinue (p)roc info (i)nfo\n"
                           "       (l)oaded (v)ersion (k)ill (D)b-tables (d)istribution\n";

static void leave(void) {
    fflush(stdout);
    _exit(0);
}

/* The first of the characters that are typed next. No more of them: the process ends. */
static int read_key(void) {
    char line[64];
    fflush(stdout);
    ssize_t n = read(STDIN_FILENO, line, sizeof line);
    if (n <= 0) {
        leave();
    }
    return line[0];
}

static void print_size(Module *m, void *arg) {
    Dump *d = arg;
    if (m->current != NULL || m->old != NULL) {
        dump_term(d, m->name);
        dump_text(d, " %zu", dump_code_size(m->current));
        if (m->old != NULL) {
            dump_text(d, " (%zu old)", dump_code_size(m->old));
        }
        dump_text(d, "\n");
    }
}

static void add_sizes(Module *m, void *arg) {
    size_t *sizes = arg;
    sizes[0] += dump_code_size(m->current);
    sizes[1] += dump_code_size(m->old);
}

static void print_loaded(Dump *d) {
    size_t sizes[2] = {0, 0};
    module_each(d->vm, add_sizes, sizes);
    dump_text(d, "Current code: %zu\nOld code: %zu\n", sizes[0], sizes[1]);
    module_each(d->vm, print_size, d);
}

/* From the newest process to the oldest, as long as one is killed or passed over. */
static void kill_processes(Dump *d) {
    VM *vm = d->vm;
    dump_text(d, "\n\nProcess Information\n\n--------------------------------------------------\n");
    for (uint32_t i = vm->processes->top; i-- > 0;) {
        Process *p = process_at(vm, i);
        if (p == NULL || p->state & (STATE_FREE | STATE_EXITING)) {
            continue;
        }
        dump_process(d, p);
        dump_text(d, "(k)ill (n)ext (r)eturn:\n");
        int key = read_key();
        if (key == 'k') {
            exit_send(vm_scheduler(vm), make_pid(0), p->pid, A_kill);
        } else if (key != 'n') {
            return;
        }
    }
}

static void print_info(Dump *d) {
    dump_memory(d);
    dump_sizes(d);
}

static void print_processes(Dump *d) {
    dump_processes(d);
    dump_ports(d);
}

static void print_version(Dump *d) {
    dump_text(d, "Erlang (BEAM) emulator version %s\n", machine_erts_version(d->vm));
}

static void nothing(Dump *d UNUSED) {
}

static void end(Dump *d UNUSED) {
    leave();
}

static void end_with_dump(Dump *d) {
    static const char slogan[] = "Crash dump requested by user";
    fputs(slogan, stderr);
    crash_dump_write(d->vm, slogan);
    abort();
}

static const struct {
    char key;
    void (*call)(Dump *d);
    // clang-format off
} choices[] = {
    {'a', end}, {'q', end}, {'*', end}, {'A', end_with_dump}, {'c', nothing}, {'m', nothing}, {'p', print_processes}, {'o', dump_ports},
    {'i', print_info}, {'l', print_loaded}, {'v', print_version}, {'k', kill_processes}, {'D', dump_tables}, {'d', dump_node},
};
// clang-format on

static void choose(Dump *d) {
    dump_text(d, "\n%s", help);
    for (;;) {
        int key = read_key();
        for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
            if (choices[i].key == key) {
                choices[i].call(d);
                return;
            }
        }
        if (key != '\n') {
            dump_text(d, "Invalid option '%c'. Please enter one of the following:\n%s", key, help);
        }
    }
}

void break_menu(VM *vm) {
    Dump d = {.vm = vm, .file = stdout, .left = INT64_MAX};
    bool in = platform_set_blocking(STDIN_FILENO, true), out = platform_set_blocking(STDOUT_FILENO, true);
    terminal_as_before();
    choose(&d);
    fflush(stdout);
    dump_done(&d);
    terminal_as_set();
    platform_set_blocking(STDIN_FILENO, in);
    platform_set_blocking(STDOUT_FILENO, out);
    signals_interrupt_over();
}
