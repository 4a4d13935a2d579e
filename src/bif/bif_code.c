/* Built-ins on modules and their code: loading, asking, deleting. */
#include "bif/bif_nif_load.h"
#include "bif/system_flags.h"
#include "code/breakpoint.h"
#include "code/purge.h"
#include "data/bits.h"
#include "data/external.h"
#include "proc/names.h"
#include "term/ref.h"
#include "trace/trace.h"

#define GUARD_BEGIN(p) code_lock(process_vm(p))
#define GUARD_END(p) code_unlock(process_vm(p))
#include "bif/guarded.h"

/* --- Asking -------------------------------------------------------------------------------------------------------- */

/* Modules that load natives: of the preloaded ones, those with a function on_load/0, which the start calls. */
static bool loads_natives(const ModuleCode *c) {
    bool loads = c->on_load != NULL;
    for (uint32_t i = 0; !loads && i < c->export_count; i++) {
        loads = c->exports[i].name == A_on_load && c->exports[i].arity == 0;
    }
    return loads;
}

/* What is built in here, but Erlang code in some releases: not told as built in. */
static bool is_code_elsewhere(const BifEntry *b) {
    static const struct {
        term name;
        uint8_t arity;
    } functions[] = {{A_atom_to_binary, 1}, {A_binary_to_atom, 1}, {A_binary_to_existing_atom, 1}, {A_min, 2}, {A_max, 2},
                     {A_memory, 0},         {A_memory, 1}};
    for (size_t i = 0; bif_module(b) == A_erlang && i < ARRAY_LEN(functions); i++) {
        if (functions[i].name == bif_name(b) && functions[i].arity == b->arity) {
            return true;
        }
    }
    return false;
}

BIF(erlang, is_builtin, 3) {
    if (!is_atom(a[0]) || !is_atom(a[1]) || !is_small(a[2])) {
        return raise_badarg(p);
    }
    intptr_t arity = small_value(a[2]);
    if (a[0] == A_erlang && a[1] == A_apply && (arity == 2 || arity == 3)) {
        return A_true;
    }
    const BifEntry *b = arity < 0 || arity > 255 ? NULL : bif_find(process_vm(p), a[0], a[1], (uint32_t)arity);
    if (b == NULL || is_code_elsewhere(b)) {
        return A_false;
    }
    const Module *m = module_find(process_vm(p), a[0]);
    const ModuleCode *c = m == NULL ? NULL : module_current(m);
    return c == NULL || !loads_natives(c) ? A_true : A_false;
}

BIF(erlang, module_loaded, 1) {
    if (!is_atom(a[0])) {
        return raise_badarg(p);
    }
    const Module *m = module_find(process_vm(p), a[0]);
    return m != NULL && module_current(m) != NULL ? A_true : A_false;
}

BIF(erlang, check_old_code, 1) {
    if (!is_atom(a[0])) {
        return raise_badarg(p);
    }
    const Module *m = module_find(process_vm(p), a[0]);
    return m != NULL && m->old != NULL ? A_true : A_false;
}

typedef struct {
    Heap *heap;
    term list;
} Names;

static void add_loaded(Module *m, void *arg) {
    Names *n = arg;
    if (m->current != NULL || m->old != NULL) {
        n->list = heap_cons(n->heap, m->name, n->list);
    }
}

static void add_preloaded(Module *m, void *arg) {
    Names *n = arg;
    if (m->preloaded) {
        n->list = heap_cons(n->heap, m->name, n->list);
    }
}

BIF(erlang, loaded, 0) {
    Names n = {HEAP(p), NIL};
    module_each(process_vm(p), add_loaded, &n);
    return n.list;
}

BIF(erlang, pre_loaded, 0) {
    Names n = {HEAP(p), NIL};
    module_each(process_vm(p), add_preloaded, &n);
    return n.list;
}

/* {Name, Arity} in front of list. */
static term add_function(Heap *h, term name, uint32_t arity, term list) {
    return heap_cons(h, TUPLE2(h, name, SMALL(arity)), list);
}

static term all_functions(Heap *h, const ModuleCode *c) {
    term list = NIL;
    for (uint32_t i = c->function_count; i-- > 0;) {
        list = add_function(h, c->functions[i].name, c->functions[i].arity, list);
    }
    return list;
}

static term all_exports(Heap *h, const ModuleCode *c) {
    term list = NIL;
    for (uint32_t i = 0; i < c->export_count; i++) {
        list = add_function(h, c->exports[i].name, c->exports[i].arity, list);
    }
    return list;
}

/* The functions that are those of a library, and the built-ins that stand in for functions of such a module. */
static term all_natives(Heap *h, const ModuleCode *c) {
    term list = NIL;
    bool loads = loads_natives(c);
    for (uint32_t i = c->function_count; i-- > 0;) {
        const Function *f = &c->functions[i];
        if (nif_bound(h->vm, f) != NULL || (loads && bif_find(h->vm, c->module->name, f->name, f->arity) != NULL)) {
            list = add_function(h, f->name, f->arity, list);
        }
    }
    return list;
}

static bool has_function(const ModuleCode *c, const BifEntry *b) {
    for (uint32_t i = 0; i < c->function_count; i++) {
        if (c->functions[i].name == bif_name(b) && c->functions[i].arity == b->arity) {
            return true;
        }
    }
    return false;
}

/* The built-ins of the release that has been started, as far as its modules are loaded; those of modules that load them are not
   built in, but loaded. */
term builtin_functions(Heap *h) {
    term list = NIL;
    for (size_t i = h->vm->bifs->count; i-- > 0;) {
        const BifEntry *b = &h->vm->bifs->entries[i];
        const Module *m = module_find(h->vm, bif_module(b));
        bool listed = bif_is_there(h->vm, b) && !is_code_elsewhere(b) &&
                      !(bif_module(b) == A_erlang && bif_name(b) == A_yield); /* an instruction of OTP's */
        if (listed && m != NULL && m->current != NULL && !loads_natives(m->current) && has_function(m->current, b)) {
            list = heap_cons(h, TUPLE3(h, bif_module(b), bif_name(b), SMALL(b->arity)), list);
        }
    }
    return list;
}

static term decoded(Heap *h, Bytes b) {
    return b.size == 0 ? NIL : external_decode(h, b, 0, NULL);
}

static term module_info(Heap *h, ModuleCode *c, term what) {
    switch (what) {
    case A_module: return c->module->name;
    case A_md5: return bits_from(h, module_md5(c), sizeof c->md5);
    case A_exports: return all_exports(h, c);
    case A_functions: return all_functions(h, c);
    case A_nifs: return all_natives(h, c);
    case A_attributes: return decoded(h, c->attributes);
    case A_compile: return decoded(h, c->compile_info);
    case A_native_addresses: return NIL;
    case A_native: return A_false;
    default: return NONE;
    }
}

static ModuleCode *current_code(Process *p, term name) {
    const Module *m = is_atom(name) ? module_find(process_vm(p), name) : NULL;
    return m == NULL ? NULL : module_current(m);
}

BIF(erlang, get_module_info, 1) {
    static const term items[] = {A_md5, A_compile, A_attributes, A_exports, A_module};
    ModuleCode *c = current_code(p, a[0]);
    term list = NIL;
    if (c == NULL) {
        return raise_badarg(p);
    }
    for (size_t i = 0; i < ARRAY_LEN(items); i++) {
        term info = module_info(HEAP(p), c, items[i]);
        if (info == NONE) {
            return raise_badarg(p);
        }
        list = heap_cons(HEAP(p), TUPLE2(HEAP(p), items[i], info), list);
    }
    return list;
}

BIF(erlang, get_module_info, 2) {
    ModuleCode *c = current_code(p, a[0]);
    term info = c == NULL ? NONE : module_info(HEAP(p), c, a[1]);
    return info == NONE ? raise_badarg(p) : info;
}

/* --- Loading ------------------------------------------------------------------------------------------------------- */

/* Code that has been prepared, behind a magic reference until finish_loading takes it. */
typedef struct {
    Resource resource;
    ModuleCode *code; /* NULL: taken */
} Prepared;

static const char prepared_type[] = "prepared code";

static void prepared_destroy(VM *vm, Resource *r) {
    Prepared *prepared = (Prepared *)r;
    module_code_free(vm, prepared->code);
    MEM_DELETE(&vm->mem, MEM_CODE, prepared);
}

static Prepared *prepared_of(term t) {
    if (!is_magic_ref(t)) {
        return NULL;
    }
    Resource *r = magic_resource(t);
    return r->type == prepared_type ? (Prepared *)r : NULL;
}

/* Reads and translates a module's file. NONE: *code is it. Else the reason it cannot be had. */
static term prepare(VM *vm, term name, Bytes file, bool on_demand, ModuleCode **code, LoadError *error) {
    Bytes text = atom_text(vm, name);
    char of[4 * ATOM_MAX_CHARS + 1];
    memcpy(of, text.at, text.size);
    of[text.size] = 0;
    *code = NULL;
    BeamFile *b = on_demand ? beam_open(vm, of, file, false, error) : beam_read(vm, of, file, error);
    if (b != NULL && b->module != name) {
        Bytes other = atom_text(vm, b->module);
        load_error(error, "", -1, "the module in it is %.*s", (int)other.size, (const char *)other.at);
    } else if (b != NULL) {
        *code = module_prepare(vm, b, error);
    }
    if (b != NULL) {
        beam_free(b);
    }
    return *code != NULL ? NONE : error->no_memory ? A_system_limit : A_badfile;
}

/* What is wrong with a file is told as OTP tells it: the caller gets no more than badfile. */
static void report(Process *p, const LoadError *error) {
    char line[600];
    load_error_text(error, line, sizeof line);
    log_send(process_vm(p), A_error, "Error loading module ~ts~n", heap_cons(HEAP(p), heap_latin1_list(HEAP(p), line, strlen(line)), NIL),
             p->group_leader, p->pid);
}

BIF(erts_internal, prepare_loading, 2) {
    BitsBytes file;
    if (!is_atom(a[0]) || !is_binary(a[1])) {
        return raise_badarg(p);
    }
    VM *vm = process_vm(p);
    Prepared *prepared = MEM_NEW(&vm->mem, MEM_CODE, Prepared);
    if (prepared == NULL || !bits_bytes(vm, a[1], &file)) {
        MEM_DELETE(&vm->mem, MEM_CODE, prepared);
        return raise_error(p, A_system_limit);
    }
    LoadError error = {0};
    term reason = prepare(vm, a[0], (Bytes){file.at, file.size}, vm->native == NULL && bits_are_trusted(a[1]), &prepared->code, &error);
    BUMP(p, (intptr_t)(file.size / 16));
    bits_bytes_done(vm, &file);
    if (reason != NONE) {
        MEM_DELETE(&vm->mem, MEM_CODE, prepared);
        if (reason == A_badfile) {
            report(p, &error);
        }
        return TUPLE2(HEAP(p), A_error, reason);
    }
    prepared->resource = (Resource){.refs = 1, .destroy = prepared_destroy, .type = prepared_type};
    return heap_magic_ref(HEAP(p), &prepared->resource);
}

BIF(erlang, has_prepared_code_on_load, 1) {
    const Prepared *prepared = prepared_of(a[0]);
    if (prepared == NULL || prepared->code == NULL) {
        return raise_badarg(p);
    }
    return prepared->code->on_load != NULL ? A_true : A_false;
}

/* Is the module of the first of these also that of a later one? */
static bool is_duplicated(term list) {
    const Module *m = prepared_of(head(list))->code->module;
    for (term l = tail(list); is_cons(l); l = tail(l)) {
        if (prepared_of(head(l))->code->module == m) {
            return true;
        }
    }
    return false;
}

BIF(erlang, finish_loading, 1) {
    if (trace_of_code(process_vm(p)) && !bif_is_still(p)) {
        return bif_still(p, BIF_EXPORT(p, erlang, finish_loading, 1), a);
    }
    Heap *h = HEAP(p);
    size_t n = 0, on_load = 0;
    term l, refused = NIL, duplicated = NIL;
    for (l = a[0]; is_cons(l); l = tail(l), n++) {
        const Prepared *prepared = prepared_of(head(l));
        if (prepared == NULL || prepared->code == NULL) {
            return raise_badarg(p);
        }
        on_load += prepared->code->on_load != NULL;
    }
    if (l != NIL) {
        return raise_badarg(p);
    }
    if (n > 1 && on_load > 0) {
        return raise_error(p, A_system_limit);
    }
    for (l = a[0]; is_cons(l); l = tail(l)) {
        const Module *m = prepared_of(head(l))->code->module;
        duplicated = is_duplicated(l) ? heap_cons(h, m->name, duplicated) : duplicated;
        refused = m->current != NULL && m->old != NULL ? heap_cons(h, m->name, refused) : refused;
    }
    if (duplicated != NIL || refused != NIL) {
        return duplicated != NIL ? TUPLE2(h, A_duplicated, duplicated) : TUPLE2(h, A_not_purged, refused);
    }
    for (l = a[0]; is_cons(l); l = tail(l)) {
        Prepared *prepared = prepared_of(head(l));
        term name = prepared->code->module->name;
        module_commit(process_vm(p), prepared->code);
        prepared->code = NULL;
        if (on_load > 0) {
            return TUPLE2(h, A_on_load, heap_cons(h, name, NIL));
        }
    }
    return A_ok;
}

/* The code whose on_load function is to be called: code that waits for it, or what bare mode has made current already. */
static Module *on_load_module(Process *p, term name) {
    Module *m = is_atom(name) ? module_find(process_vm(p), name) : NULL;
    const ModuleCode *c = m == NULL ? NULL : m->pending != NULL ? m->pending : m->current;
    return c == NULL || c->on_load == NULL ? NULL : m;
}

BIF(erlang, call_on_load_function, 1) {
    const Module *m = on_load_module(p, a[0]);
    return m == NULL ? raise_badarg(p) : bif_trap(p, m->on_load, 0);
}

BIF(erlang, finish_after_on_load, 2) {
    if (trace_of_code(process_vm(p)) && !bif_is_still(p)) {
        return bif_still(p, BIF_EXPORT(p, erlang, finish_after_on_load, 2), a);
    }
    Module *m = on_load_module(p, a[0]);
    if (m == NULL || (a[1] != A_true && a[1] != A_false)) {
        return raise_badarg(p);
    }
    if (m->pending != NULL && a[1] == A_true) {
        if (m->current != NULL) { /* what becomes old now; deleted code stays so */
            module_abandon_old(m);
        }
        module_on_load_done(process_vm(p), m);
    } else if (m->pending == NULL && a[1] == A_false) {
        module_abandon_old(m);
        module_delete(process_vm(p), m);
    }
    return A_true;
}

BIF(erlang, delete_module, 1) {
    if (trace_of_code(process_vm(p)) && !bif_is_still(p)) {
        return bif_still(p, BIF_EXPORT(p, erlang, delete_module, 1), a);
    }
    Module *m = is_atom(a[0]) ? module_find(process_vm(p), a[0]) : NULL;
    if (!is_atom(a[0]) || (m != NULL && m->old != NULL)) {
        return raise_badarg(p);
    }
    if (m == NULL) {
        return A_undefined;
    }
    if (m->current != NULL) {
        module_delete(process_vm(p), m);
    }
    return A_true;
}

/* {prepare | prepare_on_load | abort | complete}: erts_code_purger asks, and sees to it that nobody runs the code when it says
   `complete`. */
BIF(erts_internal, purge_module, 2) {
    if (trace_of_code(process_vm(p)) && !bif_is_still(p)) {
        return bif_still(p, BIF_EXPORT(p, erts_internal, purge_module, 2), a);
    }
    VM *vm = process_vm(p);
    if (!is_atom(a[0])) {
        return raise_badarg(p);
    }
    if (vm->flags->booted && name_find(vm, A_erts_code_purger) != p->pid) {
        return raise_error(p, A_notsup);
    }
    Module *m = module_find(vm, a[0]);
    bool prepared = purge_is_prepared(vm, m);
    switch (a[1]) {
    case A_prepare:
    case A_prepare_on_load:
        return prepared ? raise_badarg(p) : m != NULL && purge_prepare(vm, m, a[1] == A_prepare_on_load) ? A_true : A_false;
    case A_abort:
        if (!prepared) {
            return raise_badarg(p);
        }
        purge_abort(vm, m);
        return A_false;
    case A_complete:
        if (!prepared) {
            return raise_badarg(p);
        }
        purge_complete(vm, m);
        return A_true;
    default: return raise_badarg(p);
    }
}

/* Does this process run, or will it return to, old code of the module? */
BIF(erts_internal, check_process_code, 1) {
    if (!is_atom(a[0])) {
        return raise_badarg(p);
    }
    const Module *m = module_find(process_vm(p), a[0]);
    if (m == NULL || m->old == NULL) {
        return A_false;
    }
    BUMP(p, (p->heap.end - p->heap.sp) / 16);
    return purge_is_used(p, p->scheduler->current == p, m->old) ? A_true : A_false;
}

/* Does this module have natives that are built in? They have been in place since it was loaded. */
static term load_library(Process *p, term path, term info, const Module *m, bool old) {
    return bif_find_module(process_vm(p)->bifs, m->name) ? A_ok : nif_load(p, path, info, m, old);
}

/* The call stands in the module's code: where that is says which module it is. */
BIF(erlang, load_nif, 2) {
    static const char text[] = "load_nif/2 must be explicitly called from the NIF module. It cannot be called through apply/3.";
    Heap *h = HEAP(p);
    ModuleCode *code;
    Module *m;
    if (code_find(process_vm(p), p->ip, &code, &m) == NULL) {
        return TUPLE2(h, A_error, TUPLE2(h, A_bad_lib, heap_latin1_list(h, text, sizeof text - 1)));
    }
    bool old = code != m->current && code != m->pending;
    if (!bif_is_still(p)) {
        return bif_still(p, BIF_EXPORT(p, erts_internal, load_nif_alone, 3),
                         (term[]){a[0], a[1], TUPLE2(h, m->name, old ? A_true : A_false)});
    }
    return load_library(p, a[0], a[1], m, old);
}

BIF_REST(load_nif_alone, 3, erlang, load_nif, 2) {
    const Module *m = is_tuple_of(a[2], 2) && is_atom(element(a[2], 1)) ? module_find(process_vm(p), element(a[2], 1)) : NULL;
    if (m != NULL && !bif_is_still(p)) {
        return bif_still(p, BIF_EXPORT(p, erts_internal, load_nif_alone, 3), a);
    }
    return m == NULL ? raise_badarg(p) : load_library(p, a[0], a[1], m, element(a[2], 2) == A_true);
}

/* --- Files in memory ----------------------------------------------------------------------------------------------- */

/* The chunk with this name in a BEAM file; size 0: there is none. */
static Bytes find_chunk(Bytes file, uint32_t name) {
    if (file.size < 12 || read_be32(file.at) != 0x464f5231 /* FOR1 */ || read_be32(file.at + 8) != 0x4245414d /* BEAM */) {
        return (Bytes){0};
    }
    size_t end = MIN(file.size, (size_t)read_be32(file.at + 4) + 8);
    for (size_t at = 12; at + 8 <= end;) {
        size_t size = read_be32(file.at + at + 4);
        if (size > end - at - 8) {
            break;
        }
        if (read_be32(file.at + at) == name) {
            return (Bytes){file.at + at + 8, size};
        }
        at += 8 + round_up(size, 4);
    }
    return (Bytes){0};
}

BIF(erts_internal, beamfile_chunk, 2) {
    VM *vm = process_vm(p);
    uint32_t name = 0, chars = 0;
    term l = a[1];
    for (; is_cons(l) && chars < 4 && is_small(head(l)) && small_value(head(l)) >= 0 && small_value(head(l)) <= 255; l = tail(l), chars++) {
        name = name << 8 | (uint32_t)small_value(head(l));
    }
    BitsBytes file;
    if (l != NIL || chars != 4 || !is_binary(a[0])) {
        return raise_badarg(p);
    }
    if (!bits_bytes(vm, a[0], &file)) {
        return raise_error(p, A_system_limit);
    }
    Bytes chunk = find_chunk((Bytes){file.at, file.size}, name);
    term result = chunk.size == 0 ? A_undefined : bits_sub(HEAP(p), a[0], (size_t)(chunk.at - file.at) * 8, chunk.size * 8);
    bits_bytes_done(vm, &file);
    return result;
}

BIF(erts_internal, beamfile_module_md5, 1) {
    VM *vm = process_vm(p);
    BitsBytes file;
    if (!is_binary(a[0])) {
        return raise_badarg(p);
    }
    if (!bits_bytes(vm, a[0], &file)) {
        return raise_error(p, A_system_limit);
    }
    LoadError error = {0};
    BeamFile *b = beam_read(vm, "binary", (Bytes){file.at, file.size}, &error);
    bits_bytes_done(vm, &file);
    if (b == NULL) {
        return A_undefined;
    }
    term md5 = bits_from(HEAP(p), b->md5, sizeof b->md5);
    beam_free(b);
    return md5;
}
