/* What the rest of the VM calls of parts that a build has left out (`make CORE=1`, `make WITHOUT=...`; PART_... in the Makefile): nothing
   is there, nothing happens. All of it is weak: a part that is there takes its functions' places. Builds that have all parts have no such file. */
#include "bif/bif_nif_load.h"
#include "bif/topology_info.h"
#include "io/port.h"
#include "io/regex.h"
#include "io/zstd.h"
#include "platform/terminal.h"
#include "proc/chance.h"
#include "proc/schedule.h"
#include "term/atom.h"
#include "trace/trace.h"
#include "vm/boot.h"
#include "vm/break_menu.h"
#include "vm/crash_dump.h"
#include "vm/seed.h"

#include <stdio.h>
#include <unistd.h>

#define ABSENT __attribute__((weak))

/* --- dump ---------------------------------------------------------------------------------------------------------- */

ABSENT void crash_dump_write(VM *vm, const char *slogan) {
}

ABSENT void break_menu(VM *vm) { /* its first choice, `a` */
    terminal_as_before();
    _exit(0);
}

/* --- erl ----------------------------------------------------------------------------------------------------------- */

static int not_here(const char *word) {
    fprintf(stderr, "mote: %s is not part of this build\n", word);
    return 2;
}

ABSENT int boot_erl(int argc, char **argv) {
    return not_here("erl");
}

ABSENT bool boot_is_emulator(int argc, char **argv) {
    return false;
}

ABSENT int boot_emulator(int argc, char **argv) {
    return not_here("erl");
}

ABSENT int cmd_otp_dir(int argc, char **argv) {
    return not_here("otp-dir");
}

ABSENT term info_cpu_topology(Process *p) {
    return A_undefined;
}

ABSENT term info_cpu_topology_of(Process *p, term kind) {
    return kind == A_used || kind == A_detected || kind == A_defined ? A_undefined : raise_badarg(p);
}

ABSENT term info_bind_type(Process *p) {
    return A_unbound;
}

ABSENT term info_bindings(Process *p) {
    uint32_t n = process_vm(p)->processes->scheduler_count;
    term *t = heap_alloc(&p->heap, 1 + (size_t)n);
    t[0] = HEADER(n, KIND_TUPLE);
    for (uint32_t i = 1; i <= n; i++) {
        t[i] = A_unbound;
    }
    return make_boxed(t);
}

ABSENT term fake_bindings(Process *p, term type) {
    return raise_badarg(p);
}

ABSENT term set_cpu_topology(Process *p, term value) {
    return value == A_undefined ? A_undefined : raise_badarg(p);
}

ABSENT term set_cpu_topology_internal(Process *p, term value) {
    return raise_badarg(p);
}

ABSENT term set_bind_type(Process *p, term value) {
    return value == A_unbound ? A_unbound : raise_error(p, A_notsup);
}

/* --- nif: a library cannot be loaded ------------------------------------------------------------------------------- */

ABSENT term nif_load(Process *p, term path, term info, const Module *m, bool old) {
    static const char text[] = "Failed to load NIF library: this VM has only those that are built in";
    Heap *h = &p->heap;
    return TUPLE2(h, A_error, TUPLE2(h, A_load_failed, heap_latin1_list(h, text, sizeof text - 1)));
}

/* --- ports: there is none ------------------------------------------------------------------------------------------ */

ABSENT bool ports_init(VM *vm) {
    return true;
}

ABSENT void ports_done(VM *vm) {
}

ABSENT bool ports_busy(VM *vm) {
    return false;
}

ABSENT void ports_close(VM *vm) {
}

ABSENT uint32_t ports_count(VM *vm) {
    return 0;
}

ABSENT uint32_t ports_limit(VM *vm) {
    return 0;
}

ABSENT void ports_set_limit(VM *vm, uint32_t limit) {
}

ABSENT Port *ports_next(VM *vm, size_t *at) {
    return NULL;
}

ABSENT Port *port_find(VM *vm, term id) {
    return NULL;
}

ABSENT PortResult port_command(Process *p, Port *port, term data) {
    return PORT_BAD;
}

ABSENT PortResult port_message(Process *p, Port *port, term message) {
    return PORT_DONE;
}

ABSENT void port_close(Process *p, Port *port, term reason, bool send_closed) {
}

/* --- regex, zstd: no library was opened ---------------------------------------------------------------------------- */

ABSENT void regex_done(VM *vm) {
}

ABSENT void zstd_done(VM *vm) {
}

/* --- seed: there never is one -------------------------------------------------------------------------------------- */

ABSENT bool seed_read(const char *text, uint64_t *seed) {
    return false;
}

ABSENT int seed_run(int argc, char **argv, Command *command) {
    return command(argc, argv);
}

ABSENT void chance_time(VM *vm) {
}

ABSENT void chance_begin(Scheduler *s) {
}

ABSENT Process *chance_take(Scheduler *s) {
    return NULL;
}

ABSENT intptr_t chance_cut(Scheduler *s, Process *p) {
    return 0;
}

ABSENT void chance_passed(Scheduler *s, int64_t reductions) {
}

ABSENT Timer *chance_timer(Scheduler *s, Timer *list) {
    return list;
}

/* --- terminal: its modes are never changed ------------------------------------------------------------------------- */

ABSENT void terminal_as_before(void) {
}

ABSENT void terminal_as_set(void) {
}

ABSENT void terminal_no_interrupt(int fd) {
}

/* --- trace: nothing is traced -------------------------------------------------------------------------------------- */

ABSENT bool trace_init(VM *vm) {
    vm->trace = MEM_NEW(&vm->mem, MEM_SYSTEM, Trace);
    return vm->trace != NULL;
}

ABSENT void trace_done(VM *vm) {
    if (vm->trace != NULL) {
        MEM_DELETE(&vm->mem, MEM_SYSTEM, vm->trace);
        vm->trace = NULL;
    }
}

ABSENT TraceResume trace_called(Process *p, const Unit *ip) {
    return (TraceResume){.at = ip};
}

ABSENT bool trace_tail_call(Process *p, const Unit *ip, uint32_t arity) {
    return false;
}

ABSENT void trace_returned(Process *p) {
}

ABSENT void trace_unwound(Process *p, const term *from, const term *to, term class, term reason, bool caught) {
}

ABSENT void trace_report(VM *vm, const Tracer *t, uint32_t flags, term tracee, term tag, term message, term extra, term result) {
}

ABSENT term tracer_enabled(VM *vm, const Tracer *t, term tag, term tracee) {
    return tag == A_trace_status ? A_remove : A_discard;
}

ABSENT term tracer_term(Heap *h, const Tracer *t) {
    return A_false;
}

ABSENT void tracing_free(VM *vm, Tracing *list) {
}

ABSENT const MatchForm trace_forms[] = {{0}};
ABSENT const size_t trace_form_count = 0;

ABSENT term trace_match(Process *p, MatchSpec *m, term args, TraceRun *run) {
    return NONE;
}

ABSENT term trace_set_control_word(Process *p, term value) {
    return NONE;
}

ABSENT uint32_t saved_calls_size(const Process *p) {
    return 0;
}

ABSENT bool saved_calls_set(Process *p, uint32_t size) {
    return size == 0;
}

ABSENT term saved_calls_term(Heap *h, const Process *p) {
    return A_false;
}

ABSENT term seq_token_term(Process *p) {
    return NIL;
}

ABSENT void seq_reset(VM *vm) {
}

ABSENT term seq_set_tracer(Process *p, term tracer) {
    return NONE;
}

ABSENT const Tracer *seq_tracer(VM *vm) {
    return NULL;
}

ABSENT void port_tell_init(VM *vm) {
}

ABSENT void port_tell(Port *port, uint32_t flags, term tag, term message, term extra) {
}

ABSENT void port_tell_opened(Process *p, Port *port) {
}

ABSENT void port_tell_received(Port *port, term from, term what) {
}

ABSENT void port_runs(Port *port, Process *p, term what) {
}

ABSENT void port_ran(Process *p, term id, term what) {
}

ABSENT void port_tell_waits(Process *p, const Port *port) {
}
