/* Booting Erlang/OTP: what an emulator does before and after init runs. */
#include "vm/boot.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "data/bits.h"
#include "io/signals.h"
#include "platform/environment.h"
#include "platform/file.h"
#include "platform/platform.h"
#include "platform/terminal.h"
#include "proc/schedule.h"
#include "proc/spawn.h"
#include "proc/topology.h"
#include "term/atom.h"
#include "term/gc.h"
#include "vm/break_menu.h"
#include "vm/emu_flags.h"
#include "vm/erl_args.h"

/* --- Preloaded modules ------------------------------------------------------------------------------------------------ */

typedef struct {
    Machine *m;
    const OtpPlace *place;
    bool failed;
} Preload;

static bool preload(void *arg, const char *name) {
    Preload *p = arg;
    size_t n = strlen(name);
    char path[2 * PATH_MAX], where[300];
    FileMap map;
    LoadError error = {0};
    Module *module = NULL;
    if (n <= 5 || n > 255 || strcmp(name + n - 5, ".beam") != 0) {
        return true;
    }
    snprintf(path, sizeof path, "%s/%s", p->place->preloaded, name);
    snprintf(where, sizeof where, "%s", name);
    int number;
    if (!platform_map_file(path, &map, &number)) {
        fprintf(stderr, "mote: %s: %s\n", path, strerror(number));
        p->failed = true;
        return false;
    }
    module = machine_load_preloaded(p->m, where, (Bytes){map.at, map.size}, &error); /* it stays mapped */
    if (module == NULL) {
        char line[640];
        load_error_text(&error, line, sizeof line);
        fprintf(stderr, "Failed loading preloaded module %s\n", line);
        p->failed = true;
        return false;
    }
    return true;
}

static bool preload_all(Machine *m, const OtpPlace *place) {
    Preload p = {m, place, false};
    return file_list_dir(place->preloaded, preload, &p) == 0 && !p.failed;
}

/* --- The first processes --------------------------------------------------------------------------------------------- */

static term spawn(VM *vm, const char *module, term args, Priority priority, bool off_heap) {
    SpawnOptions o;
    spawn_options_init(vm, &o);
    o.system = true;
    o.priority = priority;
    o.off_heap_messages |= off_heap;
    Process *parent = process_find(vm, make_pid(0));
    term reason, name = atom_intern(vm, (const uint8_t *)module, strlen(module), NULL);
    return name == NONE ? NONE : process_spawn(vm, parent, name, A_start, args, &o, &reason);
}

/* erl_init:start(init, [<<"-root">>, ...]); and those that are always there, in the order in which OTP has them. */
static bool spawn_first(Machine *m, const char *init, int count, const char *const *args) {
    static const struct {
        const char *module;
        Priority priority;
    } system[] = {
        {"erts_code_purger", PRIORITY_HIGH},
        {"erts_literal_area_collector", PRIORITY_HIGH},
        {"erts_dirty_process_signal_handler", PRIORITY_NORMAL},
        {"erts_dirty_process_signal_handler", PRIORITY_HIGH},
        {"erts_dirty_process_signal_handler", PRIORITY_MAX},
        {"erts_trace_cleaner", PRIORITY_NORMAL},
    };
    VM *vm = &m->vm;
    Heap h;
    heap_init_detached(&h, vm);
    term list = NIL, name = atom_intern(vm, (const uint8_t *)init, strlen(init), NULL);
    for (int i = count - 1; i >= 0; i--) {
        list = heap_cons(&h, bits_from(&h, args[i], strlen(args[i])), list);
    }
    list = heap_cons(&h, list, NIL);
    bool ok = name != NONE && spawn(vm, "erl_init", heap_cons(&h, name, list), PRIORITY_NORMAL, false) != NONE;
    heap_free_fragments(vm, heap_detach(&h));
    for (size_t i = 0; ok && i < ARRAY_LEN(system); i++) {
        const char *module = system[i].module;
        const Module *found = module_find(vm, atom_find(vm, (const uint8_t *)module, strlen(module)));
        if (found != NULL) { /* erts_trace_cleaner came with 27 */
            ok = spawn(vm, module, NIL, system[i].priority, true) != NONE;
        }
    }
    return ok;
}

/* --- Flags ----------------------------------------------------------------------------------------------------------- */

static int number_variable(const char *name, int otherwise) {
    const char *text = environment_get(name);
    return text == NULL ? otherwise : atoi(text);
}

static void flags_init(SystemFlags *f) {
    *f = (SystemFlags){
        .booted = true,
        .full_sweep_after = number_variable("ERL_FULLSWEEP_AFTER", -1),
        .tables = number_variable("ERL_MAX_ETS_TABLES", 0),
        .ports = number_variable("ERL_MAX_PORTS", 0),
        .async_threads = number_variable("ERL_THREAD_POOL_SIZE", 1),
        .delayed_node_gc = -1,
        .time_warp = NONE,
        .warnings = A_warning,
    };
}

/* +sct, and then +sbt. False: they cannot be had, and why has been said. */
static bool apply_topology(VM *vm, const SystemFlags *f) {
    if (!topology_init(vm)) {
        fprintf(stderr, "mote: out of memory\n");
        return false;
    }
    Places places = {0};
    const char *wrong = f->cpu_topology == NULL ? NULL : topology_parse(&vm->mem, &places, f->cpu_topology);
    if (wrong == NULL && f->cpu_topology != NULL) {
        wrong = topology_define(vm, &places);
    }
    places_free(&vm->mem, &places);
    if (wrong != NULL) {
        fprintf(stderr, "bad cpu topology '%s': %s\n", f->cpu_topology, wrong);
        return false;
    }
    const BindType *type = f->bind_type == NULL ? NULL : bind_type_of_option(f->bind_type);
    if (type == NULL || type->name == A_unbound) {
        return true;
    }
    topology_lock(vm);
    bool known = topology_places(vm, TOPOLOGY_USED) != NULL;
    topology_unlock(vm);
    if ((known && topology_bind(vm, type) != NULL) || f->bind_may_fail) {
        return true;
    }
    fprintf(stderr, "setting scheduler bind type '%s' failed: %s\n", f->bind_type, known ? "not supported" : "no cpu topology available");
    return false;
}

enum { BOOT_ATOMS = 8192 }; /* that kernel, stdlib and their friends bring */

static void apply_flags(VM *vm, const SystemFlags *f) {
    atoms_expect(vm, BOOT_ATOMS);
    Processes *ps = vm->processes;
    HeapSettings *h = &ps->heap;
    h->min_words = f->min_heap > 0 ? (uint32_t)gc_next_size((size_t)f->min_heap) : h->min_words;
    h->min_binary_words = f->min_binary > 0 ? (uint32_t)gc_next_size((size_t)f->min_binary) : h->min_binary_words;
    h->full_sweep_after = f->full_sweep_after >= 0 ? (uint32_t)MIN(f->full_sweep_after, UINT16_MAX) : h->full_sweep_after;
    h->max_words = (size_t)f->max_heap;
    h->max_kill = !f->max_heap_keep;
    h->max_log = !f->max_heap_quiet;
    h->max_binaries = f->max_heap_binaries;
    ps->first_heap = *h;
    ps->off_heap_messages = f->off_heap_messages;
}

/* --- Running --------------------------------------------------------------------------------------------------------- */

static int run(Machine *m) {
    VM *vm = &m->vm;
    while (scheduler_run(vm_scheduler(vm)) == SCHEDULE_IDLE) {
        pause(); /* nothing but a signal from outside can make it go on */
    }
    return machine_halted(m);
}

/* What erl_signal_server of OTP is told of from the start; and what the keys ^C, ^Z and that of quitting do. */
static void handle_signals(VM *vm, char break_mode) {
    signals_use(vm, "sigterm", SIGNALS_HANDLE);
    signals_use(vm, "sigusr1", SIGNALS_HANDLE);
    if (break_mode == 'i') {
        signals_interrupt(SIGNALS_IGNORE);
        signals_use(vm, "sigquit", SIGNALS_IGNORE);
        signals_use(vm, "sigtstp", SIGNALS_IGNORE);
    } else if (break_mode != 'd') {
        signals_on_interrupt(vm, break_menu);
        signals_use(vm, "sigquit", SIGNALS_HANDLE);
    }
    if (break_mode == 'c') {
        terminal_no_interrupt(0);
    }
}

static int start(const OtpPlace *place, SystemFlags *system, const EmuFlags *flags, int count, const char *const *args) {
    Options o = {.flags = system, .native = environment_get("MOTE_NATIVE") != NULL};
    Machine *m = machine_new(&o);
    if (m == NULL) {
        fprintf(stderr, "mote: out of memory\n");
        return 1;
    }
    apply_flags(&m->vm, system);
    handle_signals(&m->vm, system->break_mode);
    int status = 1;
    if (!apply_topology(&m->vm, system) || !preload_all(m, place)) {
        status = 1;
    } else if (!spawn_first(m, flags->init == NULL ? "init" : flags->init, count, args)) {
        fprintf(stderr, "mote: out of memory\n");
    } else {
        status = run(m);
    }
    if (environment_get("MOTE_STATS") != NULL) {
        machine_print_stats(m);
    }
    fflush(NULL);
    terminal_as_before();
    _exit(status); /* the system frees all of it quicker */
}

/* The value behind an option of erlexec's, between the emulator's flags and those of init. */
static void place_from(const char *const *args, int count, const char *option, char *to, size_t size) {
    for (int i = 0; i + 1 < count && strcmp(args[i], "--") != 0; i++) {
        if (strcmp(args[i], option) == 0) {
            snprintf(to, size, "%s", args[i + 1]);
        }
    }
}

int boot_emulator(int argc, char **argv) {
    const char *const *words = (const char *const *)argv;
    SystemFlags system;
    EmuFlags flags = {0};
    OtpPlace place = {0};
    char why[4400];
    flags_init(&system);
    int read = emu_flags_read(&flags, &system, argc, words);
    if (read == 0) {
        fprintf(stderr, "%s\n", flags.complaint);
        return 1;
    }
    place_from(words + read, argc - read, "-root", place.root, sizeof place.root);
    place_from(words + read, argc - read, "-bindir", place.bindir, sizeof place.bindir);
    if (!otp_find(&place, &system, why, sizeof why)) {
        fprintf(stderr, "mote: %s\n", why);
        return 1;
    }
    system.root = place.root;
    if (system.processes == 0 && atoi(system.release) >= 27) {
        system.processes = 1 << 20;
    }
    if (flags.print_version) {
        fprintf(stderr, "Erlang (SMP,ASYNC_THREADS) (BEAM) emulator version %s\r\n", system.version);
        return 0;
    }
    if (flags.idle[0] != '\0' && platform_is_terminal(2)) {
        fprintf(stderr, "mote: without effect here: %s\n", flags.idle);
    }
    return start(&place, &system, &flags, argc - read, words + read);
}

bool boot_is_emulator(int argc, char **argv) {
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            return strcmp(argv[i + 1], "-root") == 0;
        }
    }
    return false;
}

int boot_erl(int argc, char **argv) {
    OtpPlace place = {0};
    SystemFlags system = {0};
    char why[4400];
    otp_choose(&place);
    if (!otp_find(&place, &system, why, sizeof why)) {
        fprintf(stderr, "mote: %s\n", why);
        return 1;
    }
    Mem mem;
    Arena arena;
    Words emulator;
    int status;
    mem_init(&mem);
    arena_init(&arena, &mem, MEM_SYSTEM);
    environment_set("ROOTDIR", place.root);
    environment_set("BINDIR", place.bindir);
    environment_set("EMU", "beam");
    const char *called = environment_get("PROGNAME");
    char *progname = strdup(called == NULL ? "erl" : called); /* the environment changes */
    ErlPlace where = {
        .root = place.root, .bindir = place.bindir, .progname = progname == NULL ? "erl" : progname, .release = system.release};
    if (erl_args(&arena, &where, argc - 1, argv + 1, &emulator, &status) == ERL_START) {
        status = boot_emulator(emulator.count, (char **)emulator.at);
    }
    free(progname);
    arena_done(&arena);
    return status;
}
