/* Making and running a virtual machine in bare mode: the rooms in their order, the first process, the end. */
#include "vm/machine.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/utf8.h"
#include "bif/bif.h"
#include "data/bits.h"
#include "exec/interpreter.h"
#include "io/port.h"
#include "native/native.h"
#include "platform/environment.h"
#include "platform/platform.h"
#include "platform/processors.h"
#include "proc/schedule.h"
#include "proc/spawn.h"
#include "table/tables.h"
#include "term/compare.h"
#include "term/copy.h"
#include "trace/trace.h"
#include "vm/seed.h"

extern const BifTable bif_table;

static const char *release_found(VM *vm) {
    return vm->flags->booted ? vm->flags->release : code_path_otp_release(machine_of(vm)->path);
}

const char *machine_otp_release(VM *vm) {
    const char *release = release_found(vm);
    return release[0] != '\0' ? release : "25";
}

static int machine_release(VM *vm) {
    int release = atoi(release_found(vm));
    return release == 0 ? INT_MAX : release;
}

const char *machine_erts_version(VM *vm) {
    const char *version = vm->flags->booted ? vm->flags->version : code_path_erts_version(machine_of(vm)->path);
    return version[0] != '\0' ? version : "13.1.5";
}

/* MOTE_STRESS: what a test makes hard. collect and yield are heeded by builds for it only; fail:N, by all: the allocation after
   N others fails, once, and with fail:N+ all that follow. */
static void take_stress(VM *vm) {
    const char *stress = environment_get("MOTE_STRESS");
    if (stress == NULL) {
        return;
    }
    if (strncmp(stress, "fail:", 5) == 0) {
        char *end;
        vm->mem.fail_after = strtoll(stress + 5, &end, 10);
        vm->mem.fail_count = *end == '+' ? 0 : 1;
    }
    vm->stress = strcmp(stress, "collect") == 0 ? STRESS_COLLECT : strcmp(stress, "yield") == 0 ? STRESS_YIELD : 0;
}

/* MOTE_SEED: see proc/chance.h. */
static void take_seed(VM *vm) {
    const char *text = environment_get("MOTE_SEED");
    vm->seeded = text != NULL && seed_read(text, &vm->seed);
}

/* As +S says, else MOTE_SCHEDULERS; else one for each processor, online for those that this process may use. Runs that shall be the same again have one. A heap for each, and one
   that the pool's threads share. */
static bool set_schedulers(VM *vm) {
    SystemFlags *f = vm->flags;
    const char *variable = environment_get("MOTE_SCHEDULERS");
    bool repeats = vm->seeded || vm->mem.fail_after >= 0;
    uint32_t usable = vm->processes->processors = processors_count(false);
    int count = variable != NULL ? atoi(variable) : 0, online = f->schedulers_online;
    if (f->schedulers > 0) {
        count = f->schedulers;
    } else if (count <= 0) {
        count = f->booted ? (int)processors_count(true) : (int)usable; /* reads files */
        online = online > 0 ? online : (int)usable;
    }
    online = online > 0 ? online : count;
    f->schedulers = repeats ? 1 : MAX(count, online);
    f->schedulers_online = repeats ? 1 : online;
    platform_limit_heaps((unsigned)f->schedulers + 1);
    return f->schedulers <= 1 || schedulers_set(vm, (uint32_t)f->schedulers, (uint32_t)online);
}

Machine *machine_new(Options *o) {
    Machine *m = calloc(1, sizeof *m);
    if (m == NULL) {
        return NULL;
    }
    VM *vm = &m->vm;
    m->o = o;
    mem_init(&vm->mem);
    vm->options = o;
    m->flags = (SystemFlags){.delayed_node_gc = -1, .full_sweep_after = -1, .time_warp = NONE, .warnings = A_warning};
    vm->flags = o->flags != NULL ? o->flags : &m->flags;
    vm->bifs = &bif_table;
    vm->otp_release = machine_otp_release;
    vm->release = machine_release;
    vm->erts_version = machine_erts_version;
    vm->handlers = interpreter_handlers();
    vm->returns_traced = interpreter_return_traced();
    take_stress(vm);
    take_seed(vm);
    if (!terms_init(vm)) {
        free(m);
        return NULL;
    }
    if (!processes_init(vm, (uint32_t)vm->flags->processes, 0) || !tables_init(vm) || !code_init(vm) || !trace_init(vm) || !io_init(vm) ||
        (m->path = code_path_new(vm)) == NULL) {
        machine_free(m);
        return NULL;
    }
    vm->processes->run = interpreter_run;
    if (vm->flags->ports > 0) {
        ports_set_limit(vm, (uint32_t)vm->flags->ports);
    }
    if (vm->flags->atoms > 0) {
        atoms_set_limit(vm, (uint32_t)vm->flags->atoms);
    }
    if (!set_schedulers(vm)) {
        machine_free(m);
        return NULL;
    }
    if (o->native && !native_init(vm)) {
        fprintf(stderr, "mote: there is no native code for this machine; it goes on with the interpreter\n");
    }
    return m;
}

void machine_free(Machine *m) {
    VM *vm = &m->vm;
    trace_done(vm);
    code_path_free(m->path);
    tables_done(vm);
    processes_done(vm);
    io_done(vm);
    code_done(vm);
    native_done(vm);
    terms_done(vm);
    assert(mem_total(&vm->mem) == 0);
    free(m);
}

void machine_loaded_from(VM *vm, Module *m, const char *where) {
    size_t size = strlen(where) + 1;
    char *file = mem_resize(&vm->mem, MEM_CODE, m->file, m->file == NULL ? 0 : strlen(m->file) + 1, size);
    if (file != NULL) {
        m->file = memcpy(file, where, size);
    }
}

static Module *load_file(Machine *m, BeamFile *b, const char *where, LoadError *error) {
    VM *vm = &m->vm;
    if (b == NULL) {
        return NULL;
    }
    Module *module = NULL;
    if (!module_load(vm, b, error, &module)) {
        module = NULL;
    } else if (where[0] != '\0') {
        machine_loaded_from(vm, module, where);
    }
    beam_free(b);
    return module;
}

Module *machine_load_bytes(Machine *m, const char *name, Bytes bytes, const char *where, LoadError *error) {
    return load_file(m, beam_read(&m->vm, name, bytes, error), where, error);
}

Module *machine_load_preloaded(Machine *m, const char *name, Bytes bytes, LoadError *error) {
    VM *vm = &m->vm;
    Module *module =
        load_file(m, vm->native == NULL ? beam_open(vm, name, bytes, true, error) : beam_read(vm, name, bytes, error), "", error);
    if (module != NULL) {
        ModuleCode *c = module->current;
        module->preloaded = c->lines_known = true; /* without lines, as OTP carries these modules: stack traces shall look the same */
        mem_free(&vm->mem, MEM_CODE, c->places, c->place_count * sizeof *c->places);
        c->places = NULL, c->place_count = 0;
    }
    return module;
}

static ModuleFound load_named(Machine *m, Bytes name, bool with_on_load, Module **module, LoadError *error) {
    ModuleBytes bytes;
    char where[4096];
    *module = NULL;
    ModuleFound found = code_path_open(m->path, name, m->vm.native == NULL, &bytes, where, sizeof where);
    if (found == MODULE_FOUND) {
        const char *file = where;
        if (where[0] == '\0') { /* carried */
            memcpy(where + 1, name.at, name.size);
            memcpy(where + 1 + name.size, ".beam", sizeof ".beam");
            file = where + 1;
        }
        bool on_demand = bytes.trusted && m->vm.native == NULL;
        BeamFile *b = on_demand ? beam_open(&m->vm, file, bytes.bytes, !bytes.mapped, error) : beam_read(&m->vm, file, bytes.bytes, error);
        if (b != NULL && b->chunks != NULL && bytes.gathered) {
            beam_give(b, bytes.bytes);
            bytes = (ModuleBytes){0};
        }
        if (b != NULL && b->on_load_label != 0 && !with_on_load) {
            beam_free(b);
        } else {
            *module = load_file(m, b, where, error);
        }
        code_path_close(m->path, &bytes);
    } else {
        load_error(error, "", -1, found == MODULE_ABSENT ? "no such module" : "cannot be read");
        snprintf(error->file, sizeof error->file, "%.*s", (int)name.size, (const char *)name.at);
    }
    return found;
}

ModuleFound machine_load(Machine *m, Bytes name, Module **module, LoadError *error) {
    return load_named(m, name, true, module, error);
}

/* What error_handler would do. It is left to it if something is to be said, or to be done besides: error_handler:ensure_loaded/1. */
static bool load_missing(VM *vm, term name) {
    if (name == A_logger) {
        return false;
    }
    LoadError error = {0};
    code_lock(vm); /* another scheduler may be loading it just now */
    Module *module = module_find(vm, name);
    if (module == NULL || module->current == NULL) {
        load_named(machine_of(vm), atom_text(vm, name), false, &module, &error);
    }
    code_unlock(vm);
    return module != NULL;
}

/* --- the first process's arguments */

static term text_term(Heap *h, const char *s) { /* a list of characters: UTF-8 where the text is that, else its bytes */
    const uint8_t *p = (const uint8_t *)s;
    size_t size = strlen(s);
    if (utf8_count(p, size) < 0) {
        return heap_latin1_list(h, s, size);
    }
    term list = NIL;
    for (const uint8_t *end = p + size; end > p;) { /* from the back, so that the list is built in order */
        const uint8_t *start = end - 1;
        while ((*start & 0xc0) == 0x80) {
            start--;
        }
        uint32_t c = 0;
        utf8_read(start, end, &c);
        list = heap_cons(h, SMALL(c), list);
        end = start;
    }
    return list;
}

static term words_term(Heap *h, const char **words, int count, bool atoms) {
    term list = NIL;
    for (int i = count - 1; i >= 0; i--) {
        term word = atoms ? atom_intern(h->vm, (const uint8_t *)words[i], strlen(words[i]), NULL) : text_term(h, words[i]);
        list = heap_cons(h, word == NONE ? A_undefined : word, list);
    }
    return list;
}

static term apply_term(Heap *h, const Action *a) {
    bool atoms = a->kind == ACTION_APPLY_ATOMS;
    term function = a->count > 0 ? atom_intern(h->vm, (const uint8_t *)a->words[0], strlen(a->words[0]), NULL) : A_start;
    term args = NIL;
    if (a->count > 1) { /* as erl does: one argument, the list of words */
        args = heap_cons(h, words_term(h, a->words + 1, a->count - 1, atoms), NIL);
    }
    return TUPLE4(h, A_apply, atom_intern(h->vm, (const uint8_t *)a->text, strlen(a->text), NULL), function, args);
}

static bool has_suffix(const char *s, const char *end) {
    size_t n = strlen(s), k = strlen(end);
    return n >= k && strcmp(s + n - k, end) == 0;
}

static bool print_load_error(const LoadError *e) {
    char line[640];
    load_error_text(e, line, sizeof line);
    fprintf(stderr, "mote: %s\n", line);
    return false;
}

/* FILE: .erl is compiled later, by the compiler on the machine itself; .beam and .avm are loaded here. */
static bool file_term(Machine *m, Heap *h, const char *file, term *action) {
    LoadError error = {0};
    Module *module = NULL;
    if (has_suffix(file, ".erl")) {
        *action = TUPLE2(h, A_compile, text_term(h, file));
        return true;
    }
    if (m->o->pack_count > 0) {
        for (int i = 0; i < m->o->pack_count; i++) {
            if (!code_path_add_pack(m->path, m->o->packs[i], &error)) {
                return print_load_error(&error);
            }
        }
        Bytes start = code_path_pack_entry(m->path);
        if (start.size == 0) {
            load_error(&error, "", -1, "no module in it exports start/0");
            snprintf(error.file, sizeof error.file, "%s", file);
            return print_load_error(&error);
        }
        machine_load(m, start, &module, &error);
    } else {
        FileMap map;
        int number;
        if (!platform_map_file(file, &map, &number)) {
            fprintf(stderr, "mote: %s: %s\n", file, strerror(number));
            return false;
        }
        module = machine_load_bytes(m, file, (Bytes){map.at, map.size}, file, &error);
        platform_unmap_file(&map);
        const char *slash = strrchr(file, '/');
        char dir[4096];
        size_t size = slash == NULL ? 1 : MIN((size_t)(slash - file), sizeof dir - 1);
        memcpy(dir, slash == NULL ? "." : file, size);
        dir[size] = '\0';
        code_path_add(m->path, dir, true);
    }
    if (module == NULL) {
        return print_load_error(&error);
    }
    *action = TUPLE3(h, A_file, text_term(h, file), module->name);
    return true;
}

static bool actions_term(Machine *m, Heap *h, term *list) {
    *list = NIL;
    for (int i = m->o->action_count - 1; i >= 0; i--) {
        const Action *a = &m->o->actions[i];
        term action = NONE;
        if (a->kind == ACTION_FILE) {
            if (!file_term(m, h, a->text, &action)) {
                return false;
            }
        } else if (a->kind == ACTION_EUNIT) {
            action = TUPLE2(h, A_eunit, atom_intern(h->vm, (const uint8_t *)a->text, strlen(a->text), NULL));
        } else {
            action = a->kind == ACTION_EVAL ? TUPLE2(h, A_eval, text_term(h, a->text)) : apply_term(h, a);
        }
        *list = heap_cons(h, action, *list);
    }
    return true;
}

/* What the first process needs before anything else can be loaded. */
static bool load_kernel(Machine *m) {
    static const char *const names[] = {"mote_kernel", "mote_io"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        LoadError error = {0};
        Module *module;
        machine_load(m, (Bytes){(const uint8_t *)names[i], strlen(names[i])}, &module, &error);
        if (module == NULL) {
            return print_load_error(&error);
        }
    }
    return true;
}

int machine_run(Machine *m) {
    VM *vm = &m->vm;
    vm->load_module = load_missing;
    for (int i = m->o->dir_count - 1; i >= 0; i--) {
        code_path_add(m->path, m->o->dirs[i], true);
    }
    Heap h;
    heap_init_detached(&h, vm);
    term actions, reason, args;
    if (!load_kernel(m) || !actions_term(m, &h, &actions)) {
        heap_free_fragments(vm, heap_detach(&h));
        return 1;
    }
    args = heap_cons(&h, platform_utf8() ? A_unicode : A_latin1, NIL);
    args = heap_cons(&h, words_term(&h, m->o->args, m->o->arg_count, false), args);
    args = heap_cons(&h, actions, args);
    SpawnOptions options;
    spawn_options_init(vm, &options);
    term pid = process_spawn(vm, NULL, A_mote_kernel, A_start, args, &options, &reason);
    heap_free_fragments(vm, heap_detach(&h));
    if (pid == NONE) {
        fprintf(stderr, "mote: out of memory\n");
        return 1;
    }
    if (scheduler_run(vm_scheduler(vm)) == SCHEDULE_IDLE) {
        fprintf(stderr, process_find(vm, pid) == NULL ? "mote: the first process has been killed, and every other one waits\n"
                                                      : "mote: every process waits, and nothing is left that could wake one\n");
        schedule_halt(vm, 1);
        scheduler_run(vm_scheduler(vm)); /* the other schedulers end */
        return 1;
    }
    return machine_halted(m);
}

void machine_print_stats(Machine *m) {
    VM *vm = &m->vm;
    SchedulerTotals s = scheduler_totals(vm);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    static const char *const kinds[MEM_KINDS] = {"system", "processes", "heaps", "binaries", "atoms", "code", "tables", "temporary"};
    fprintf(stderr, "memory     %zu bytes now, %zu at most, %ld KiB resident at most\n", mem_total(&vm->mem), mem_peak(&vm->mem),
            usage.ru_maxrss);
    for (int k = 0; k < MEM_KINDS; k++) {
        fprintf(stderr, "  %-9s %zu\n", kinds[k], mem_used(&vm->mem, (MemKind)k));
    }
    fprintf(stderr, "processes  %u now, %llu ever\n", vm->processes->count, (unsigned long long)s.spawned);
    fprintf(stderr, "reductions %llu\n", (unsigned long long)s.reductions);
    fprintf(stderr, "switches   %llu\n", (unsigned long long)s.context_switches);
    fprintf(stderr, "collected  %llu times, %llu words\n", (unsigned long long)s.collections, (unsigned long long)s.words_reclaimed);
    fprintf(stderr, "time       %.3f ms of CPU\n", (double)platform_cpu_time() / 1e6);
}
