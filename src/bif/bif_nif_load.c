/* Loading libraries of native functions for a module, and letting them go. */
#include "bif/bif_nif_load.h"

#include "bif/file_name.h"
#include "code/breakpoint.h"
#include "code/code.h"
#include "code/demand.h"
#include "io/nif.h"
#include "io/nif_info.h"
#include "platform/library.h"
#include "proc/schedule.h"
#include "term/print.h"
#include "trace/trace.h"

#include <stdarg.h>
#include <stdlib.h>

/* --- The VM's part -------------------------------------------------------------------------------------------------- */

static void library_gone(VM *vm, struct NifLibrary *l) {
    Nifs *n = vm->io->nifs;
    mutex_take(n->lock);
    NifLibrary **at = &n->libraries;
    while (*at != l) {
        at = &(*at)->next;
    }
    *at = l->next;
    mutex_give(n->lock);
    nif_types_orphan(n, l);
    nif_library_release(l);
}

static void nifs_free(VM *vm, Nifs *n) {
    nif_world = NULL;
    vm->io->nifs = NULL;
    mutex_free(&vm->mem, n->lock);
    MEM_DELETE(&vm->mem, MEM_SYSTEM, n);
}

static void halt(VM *vm, bool ended) {
    for (const NifLibrary *l = vm->io->nifs->libraries; l != NULL && !ended; l = l->next) {
        if (l->on_halt != NULL) {
            l->on_halt(l->priv_data);
        }
    }
    if (ended) {
        nif_serve(vm);
        nif_selects_done(vm->io->nifs);
    }
}

/* The first library: only now anything of this is there. NULL: no memory, or another VM of this process has libraries. */
static Nifs *nifs_of(VM *vm) {
    Io *io = vm->io;
    if (io->nifs != NULL || nif_world != NULL) {
        return io->nifs;
    }
    Nifs *n = MEM_NEW(&vm->mem, MEM_SYSTEM, Nifs);
    if (n == NULL || (n->lock = mutex_new(&vm->mem)) == NULL) {
        MEM_DELETE(&vm->mem, MEM_SYSTEM, n);
        return NULL;
    }
    n->vm = vm;
    n->queue_last = &n->queue;
    io->nifs = nif_world = n;
    if (!nif_resources_init(n) || !processes_on_end(vm, nif_process_ended)) {
        nifs_free(vm, n);
        return NULL;
    }
    vm->processes->outsiders = true;
    io->nifs_serve = nif_serve;
    io->nifs_halt = halt;
    vm->code->nif_gone = library_gone;
    vm->trace->call_native = nif_call_outside;
    return n;
}

/* --- Libraries ------------------------------------------------------------------------------------------------------ */

static void library_free(NifLibrary *l) {
    Mem *m = &l->vm->mem;
    mem_free(m, MEM_CODE, l->nifs, l->nifs == NULL ? 0 : MAX((size_t)l->entry.function_count, 1) * sizeof *l->nifs);
    MEM_DELETE(m, MEM_CODE, l);
}

void nif_library_release(NifLibrary *l) {
    if (__atomic_sub_fetch(&l->refs, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    if (l->on_unload_thread != NULL) {
        l->on_unload_thread(l->priv_data);
    }
    if (l->entry.unload != NULL) {
        ErlNifEnv env;
        nif_env_begin(&env, l->vm, ENV_CALLBACK, l);
        l->entry.unload(&env, l->priv_data);
        nif_env_end(&env);
    }
    library_close(l->handle);
    library_free(l);
}

term nif_modules(Heap *h) {
    const Nifs *n = h->vm->io->nifs;
    return n == NULL ? NIL : heap_list(h, n->taints, n->taint_count, NIL);
}

/* Without memory it is not told. */
static void add_taint(Nifs *n, term module) {
    size_t count = n->taint_count;
    for (size_t i = 0; i < count; i++) {
        if (n->taints[i] == module) {
            return;
        }
    }
    term *taints = mem_resize(&n->vm->mem, MEM_SYSTEM, n->taints, count * sizeof *taints, (count + 1) * sizeof *taints);
    if (taints != NULL) {
        n->taints = taints;
        taints[n->taint_count++] = module;
    }
}

/* What a load needs, and what it says if it fails. */
typedef struct {
    Process *p;
    VM *vm;
    term module;
    ModuleCode *code;
    ModuleCode *previous; /* that code takes the place of; NULL: none */
    NifLibrary *library;
    void *handle;
    term kind; /* of the error; NONE: none yet */
    Text text;
} Load;

/* In the text, %T stands for an atom. */
static bool fail(Load *l, term kind, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *t = strstr(format, "%T");
    l->kind = kind;
    if (t != NULL) {
        text_add(&l->text, format, (size_t)(t - format));
        atom_print(&l->text, l->vm, l->module);
        format = t + 2;
    }
    text_vformat(&l->text, format, args);
    va_end(args);
    return false;
}

static const char *library_text(const Load *l) {
    const char *text = library_error();
    return text == NULL ? "" : text;
}

static bool open_library(Load *l, const char *path) {
    l->handle = nif_library_open(path);
    if (l->handle == NULL) {
        const char *text = library_text(l);
        return strstr(text, path) != NULL ? fail(l, A_load_failed, "Failed to load NIF library: '%s'", text)
                                          : fail(l, A_load_failed, "Failed to load NIF library %s: '%s'", path, text);
    }
    return true;
}

static bool at_least(const ErlNifEntry *e, int minor) {
    return e->major > 2 || (e->major == 2 && e->minor >= minor);
}

/* Can this VM work with it? */
static bool check_entry(Load *l, const ErlNifEntry *e) {
    static const char variant[] = "beam.vanilla";
    int minor = nif_minor_version(l->vm);
    if (e->major > 2 || (e->major == 2 && e->minor > minor)) {
        return fail(l, A_bad_lib,
                    "That '%T' NIF library needs %s or newer. Either try to recompile the NIF lib or use a newer erts runtime.",
                    e->min_erts);
    }
    if (e->major < 2 || e->minor == 5) {
        return fail(l, A_bad_lib,
                    "That old NIF library (%d.%d) is not compatible with this erts runtime (2.%d). Try recompile the NIF lib.", e->major,
                    e->minor, minor);
    }
    if (at_least(e, 1) && strcmp(e->vm_variant, variant) != 0) {
        return fail(l, A_bad_lib, "Library (%s) not compiled for this vm variant (%s).", e->vm_variant, variant);
    }
    Bytes name = atom_text(l->vm, l->module);
    if (strlen(e->name) != name.size || memcmp(e->name, name.at, name.size) != 0) {
        text_format(&l->text, "Library module name '%s' does not match calling module ", e->name);
        return fail(l, A_bad_lib, "'%T'");
    }
    return true;
}

/* A function of an entry: old ones have no flags. */
static ErlNifFunc function_at(const ErlNifEntry *e, const ErlNifFunc *functions, int i) {
    ErlNifFunc f = {0};
    size_t size = at_least(e, 7) ? sizeof f : offsetof(ErlNifFunc, flags);
    memcpy(&f, (const uint8_t *)functions + (size_t)i * size, size);
    return f;
}

static NifLibrary *library_new(Load *l, const ErlNifEntry *e) {
    Mem *m = &l->vm->mem;
    NifLibrary *n = MEM_NEW(m, MEM_CODE, NifLibrary);
    Nif *nifs = n == NULL ? NULL : mem_zalloc(m, MEM_CODE, MAX((size_t)e->function_count, 1) * sizeof *nifs);
    if (nifs == NULL) {
        MEM_DELETE(m, MEM_CODE, n);
        fail(l, A_load_failed, "Failed to load NIF library: 'no memory'");
        return NULL;
    }
    size_t known = !at_least(e, 1)    ? offsetof(ErlNifEntry, vm_variant)
                   : !at_least(e, 7)  ? offsetof(ErlNifEntry, options)
                   : !at_least(e, 12) ? offsetof(ErlNifEntry, resource_init_size)
                   : !at_least(e, 14) ? offsetof(ErlNifEntry, min_erts)
                                      : sizeof *e;
    memcpy(&n->entry, e, known);
    n->vm = l->vm;
    n->handle = l->handle;
    n->module = l->module;
    n->refs = 1;
    n->nifs = nifs;
    return n;
}

/* --- Functions ------------------------------------------------------------------------------------------------------ */

static Function *find_function(Load *l, const ErlNifFunc *f) {
    term name = atom_find(l->vm, (const uint8_t *)f->name, strlen(f->name));
    for (uint32_t i = 0; name != NONE && i < l->code->function_count; i++) {
        if (l->code->functions[i].name == name && l->code->functions[i].arity == f->arity) {
            return &l->code->functions[i];
        }
    }
    return NULL;
}

static bool check_functions(Load *l) {
    const ErlNifEntry *e = &l->library->entry;
    for (int i = 0; i < e->function_count; i++) {
        ErlNifFunc f = function_at(e, e->functions, i);
        const Function *function = find_function(l, &f);
        if (function == NULL) {
            return fail(l, A_bad_lib, "Function not found %T:%s/%u", f.name, f.arity);
        }
        if (f.flags != 0 && f.flags != NIF_DIRTY_CPU && f.flags != NIF_DIRTY_IO) {
            text_format(&l->text, "Illegal flags field value %d for NIF ", (int)f.flags);
            return fail(l, A_bad_lib, "%T:%s/%u", f.name, f.arity);
        }
        for (int k = 0; k < i; k++) {
            if (l->library->nifs[k].name == function->name && l->library->nifs[k].called.arity == f.arity) {
                return fail(l, A_bad_lib, "Duplicate NIF entry for %T:%s/%u", f.name, f.arity);
            }
        }
        l->library->nifs[i] = (Nif){{.function = nif_call, .arity = (uint8_t)f.arity}, f.function, l->library, function->name, f.flags};
    }
    return true;
}

/* All functions are emitted before the first is bound: that may fail. */
static bool emit_functions(Load *l) {
    const ErlNifEntry *e = &l->library->entry;
    for (int i = 0; i < e->function_count; i++) {
        ErlNifFunc f = function_at(e, e->functions, i);
        Function *function = find_function(l, &f);
        LoadError error;
        if (!function->emitted && !demand_function(l->vm, function, &error)) {
            return fail(l, A_load_failed, "Failed to load NIF library: 'damaged code of %s/%u'", f.name, f.arity);
        }
    }
    return true;
}

static void bind_functions(Load *l) {
    const ErlNifEntry *e = &l->library->entry;
    for (int i = 0; i < e->function_count; i++) {
        ErlNifFunc f = function_at(e, e->functions, i);
        nif_bind(l->vm, find_function(l, &f), &l->library->nifs[i].called);
    }
}

/* --- Load, upgrade -------------------------------------------------------------------------------------------------- */

static bool begin(Load *l, term info) {
    NifLibrary *n = l->library;
    const ErlNifEntry *e = &n->entry;
    ErlNifEnv env;
    int veto = 0;
    NifLibrary *old = l->previous == NULL ? NULL : l->previous->nif;
    if (old != NULL && e->upgrade == NULL) {
        return fail(l, A_upgrade, "Upgrade not supported by this NIF library.");
    }
    nif_env_begin(&env, l->vm, ENV_CALL, n);
    env.heap = HEAP(l->p);
    env.process = l->p;
    env.pid = l->p->pid;
    if (old != NULL) {
        void *was = old->priv_data;
        veto = e->upgrade(&env, &n->priv_data, &old->priv_data, info);
        old->priv_data = veto != 0 ? was : old->priv_data;
    } else if (e->load != NULL) {
        veto = e->load(&env, &n->priv_data, info);
    }
    nif_env_end(&env);
    return veto == 0 ||
           fail(l, old != NULL ? A_upgrade : A_load, "Library %s-call unsuccessful (%d).", old != NULL ? "upgrade" : "load", veto);
}

static bool load(Load *l, Nifs *n, const char *path, term info) {
    if (l->code->nif != NULL) {
        return fail(l, A_reload, "NIF library already loaded (reload disallowed since OTP 20).");
    }
    if (!open_library(l, path)) {
        return false;
    }
    ErlNifEntry *(*init)(void) = library_symbol(l->handle, "nif_init");
    if (init == NULL) {
        return fail(l, A_bad_lib, "Failed to find library init function: '%s'", library_text(l));
    }
    add_taint(n, l->module);
    const ErlNifEntry *e = init();
    if (e == NULL) {
        return fail(l, A_bad_lib, "Library init-call unsuccessful");
    }
    if (!check_entry(l, e) || (l->library = library_new(l, e)) == NULL || !check_functions(l) || !emit_functions(l) || !begin(l, info)) {
        return false;
    }
    nif_types_commit(n, l->library);
    l->library->next = n->libraries;
    n->libraries = l->library;
    l->code->nif = l->library;
    bind_functions(l);
    return true;
}

static void undo(Load *l, Nifs *n) {
    nif_types_rollback(n);
    if (l->library != NULL) {
        library_free(l->library);
    }
    if (l->handle != NULL) {
        library_close(l->handle);
    }
}

/* Whose turn it is: code whose on_load function runs, or else the current code. */
static void choose_code(Load *l, const Module *m) {
    l->code = m->pending != NULL ? m->pending : m->current;
    l->previous = m->pending != NULL && m->current != NULL ? m->current : m->old;
}

term nif_load(Process *p, term path, term info, const Module *m, bool old) {
    VM *vm = process_vm(p);
    Load l = {.p = p, .vm = vm, .module = m->name, .kind = NONE};
    Text name;
    text_init(&name, &vm->mem);
    text_init(&l.text, &vm->mem);
    term result = A_ok;
    choose_code(&l, m);
    bool good = file_name_bytes(vm, path, 0, &name);
    text_byte(&name, 0);
    if (!good || name.failed) {
        result = raise_badarg(p);
    } else {
        Nifs *n = nifs_of(vm);
        bool ok = old                           ? fail(&l, A_old_code, "Calling load_nif from old module '%T' not allowed")
                  : n == NULL || l.code == NULL ? fail(&l, A_load_failed, "Failed to load NIF library: 'not in this VM'")
                                                : load(&l, n, (const char *)name.at, info);
        if (!ok) {
            if (n != NULL) {
                undo(&l, n);
            }
            result = TUPLE2(HEAP(p), A_error, TUPLE2(HEAP(p), l.kind, heap_latin1_list(HEAP(p), (const char *)l.text.at, l.text.size)));
        }
    }
    text_done(&name);
    text_done(&l.text);
    return result;
}
