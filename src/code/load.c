/* From a file to a module's code, and that code's way through life: prepared, current, old, freed. */
#include "base/arena.h"
#include "code/code.h"
#include "code/demand.h"
#include "code/emit.h"
#include "gen/generic.h"
#include "proc/epoch.h"
#include "term/atom.h"
#include "term/literal.h"

/* --- The table of modules ------------------------------------------------------------------------------------------ */

enum { FIRST_BUCKETS = 64 };

static Module **bucket_of(const Code *c, term name) {
    return &c->modules[(name >> 6) & (c->module_buckets - 1)];
}

/* Without a lock: while the table grows, what is there may not be found. */
static Module *look_up(const Code *c, term name) {
    if (__atomic_load_n(&c->module_buckets, __ATOMIC_ACQUIRE) == 0) {
        return NULL;
    }
    uint32_t mask = __atomic_load_n(&c->module_buckets, __ATOMIC_ACQUIRE) - 1;
    Module *const *table = __atomic_load_n(&c->modules, __ATOMIC_ACQUIRE);
    Module *m = __atomic_load_n(&table[(name >> 6) & mask], __ATOMIC_ACQUIRE);
    while (m != NULL && m->name != name) {
        m = __atomic_load_n(&m->next, __ATOMIC_ACQUIRE);
    }
    return m;
}

Module *module_find(VM *vm, term name) {
    Module *m = look_up(vm->code, name);
    if (m == NULL) {
        code_lock(vm);
        m = look_up(vm->code, name);
        code_unlock(vm);
    }
    return m;
}

term module_record(VM *vm, term module, term name) {
    const Module *m = module_find(vm, module);
    const ModuleCode *c = m == NULL ? NULL : module_current(m);
    for (uint32_t i = 0; c != NULL && i < c->record_count; i++) {
        if (element(head(c->records[i]), RECORD_NAME) == name) {
            return c->records[i];
        }
    }
    return NONE;
}

static bool grow(VM *vm) {
    Code *c = vm->code;
    uint32_t size = MAX((uint32_t)FIRST_BUCKETS, 2 * c->module_buckets);
    Module **table = mem_zalloc(&vm->mem, MEM_CODE, size * sizeof *table), **old = c->modules;
    if (table == NULL) {
        return c->module_buckets > 0;
    }
    uint32_t old_size = c->module_buckets;
    for (uint32_t i = 0; i < old_size; i++) {
        for (Module *m = old[i], *next; m != NULL; m = next) {
            next = m->next;
            Module **bucket = &table[(m->name >> 6) & (size - 1)];
            __atomic_store_n(&m->next, *bucket, __ATOMIC_RELEASE);
            *bucket = m;
        }
    }
    __atomic_store_n(&c->modules, table, __ATOMIC_RELEASE); /* in this order, as in export.c */
    __atomic_store_n(&c->module_buckets, size, __ATOMIC_RELEASE);
    epoch_mem_free(vm, MEM_CODE, old, old_size * sizeof *old);
    return true;
}

static Module *module_get(VM *vm, term name) {
    Code *c = vm->code;
    Module *m = module_find(vm, name);
    if (m != NULL || (c->module_count >= c->module_buckets && !grow(vm))) {
        return m;
    }
    m = MEM_NEW(&vm->mem, MEM_CODE, Module);
    if (m != NULL) {
        Module **bucket = bucket_of(c, name);
        *m = (Module){.name = name, .next = *bucket};
        __atomic_store_n(bucket, m, __ATOMIC_RELEASE);
        c->module_count++;
    }
    return m;
}

void module_each(VM *vm, void (*visit)(Module *m, void *arg), void *arg) {
    const Code *c = vm->code;
    for (uint32_t i = 0; i < c->module_buckets; i++) {
        for (Module *m = c->modules[i]; m != NULL; m = m->next) {
            visit(m, arg);
        }
    }
}

void modules_done(VM *vm) {
    Code *c = vm->code;
    for (uint32_t i = 0; i < c->module_buckets; i++) {
        for (Module *m = c->modules[i], *next; m != NULL; m = next) {
            next = m->next;
            module_code_free(vm, m->old);
            module_code_free(vm, m->current);
            module_code_free(vm, m->pending);
            for (ModuleCode *code = m->abandoned, *after; code != NULL; code = after) {
                after = code->next;
                module_code_free(vm, code);
            }
            mem_free(&vm->mem, MEM_CODE, m->file, m->file == NULL ? 0 : strlen(m->file) + 1);
            MEM_DELETE(&vm->mem, MEM_CODE, m);
        }
    }
    mem_free(&vm->mem, MEM_CODE, c->modules, c->module_buckets * sizeof *c->modules);
}

/* --- Preparing ----------------------------------------------------------------------------------------------------- */

static bool copy_bytes(VM *vm, Bytes *to, Bytes from) {
    uint8_t *copy = from.size == 0 ? NULL : mem_alloc(&vm->mem, MEM_CODE, from.size);
    if (copy != NULL) {
        memcpy(copy, from.at, from.size);
        *to = (Bytes){copy, from.size};
    }
    return from.size == 0 || copy != NULL;
}

static void *copy_array(VM *vm, const void *from, size_t size) {
    void *copy = mem_alloc(&vm->mem, MEM_CODE, size);
    if (copy != NULL && size > 0) {
        memcpy(copy, from, size);
    }
    return copy;
}

bool module_take_lines(VM *vm, ModuleCode *c, const BeamFile *b) {
    if (b->line_count > 0) {
        c->places = copy_array(vm, b->lines, b->line_count * sizeof *c->places);
        c->place_count = c->places == NULL ? 0 : b->line_count;
    }
    if (b->file_count > 0) {
        c->files = copy_array(vm, b->files, b->file_count * sizeof *c->files);
        c->file_count = c->files == NULL ? 0 : b->file_count;
    }
    return c->place_count == b->line_count && c->file_count == b->file_count;
}

/* What does not depend on the code itself. */
static bool take_tables(VM *vm, ModuleCode *c, BeamFile *b) {
    c->literal_block = b->literal_block, c->literal_words = b->literal_words, c->literal_off_heap = b->literal_off_heap;
    b->literal_block = NULL, b->literal_words = 0, b->literal_off_heap = NONE;
    if (b->chunks != NULL) {
        c->attributes = b->attributes;
        c->compile_info = b->compile_info;
        return true;
    }
    memcpy(c->md5, b->md5, sizeof c->md5);
    c->md5_known = true;
    if (b->record_count > 0) {
        c->records = mem_alloc(&vm->mem, MEM_CODE, b->record_count * sizeof *c->records);
        c->record_count = c->records == NULL ? 0 : b->record_count;
        for (uint32_t i = 0; i < c->record_count; i++) {
            c->records[i] = b->records[i].template;
        }
    }
    return c->record_count == b->record_count && module_take_lines(vm, c, b) && copy_bytes(vm, &c->attributes, b->attributes) &&
           copy_bytes(vm, &c->compile_info, b->compile_info);
}

const uint8_t *module_md5(ModuleCode *c) {
    if (!c->md5_known) {
        beam_md5_now(c->source);
        memcpy(c->md5, c->source->md5, sizeof c->md5);
        c->md5_known = true;
    }
    return c->md5;
}

static bool take_functions(VM *vm, ModuleCode *c, const BeamFile *b) {
    c->functions = mem_alloc(&vm->mem, MEM_CODE, MAX(b->function_count, 1u) * sizeof *c->functions);
    if (c->functions == NULL) {
        return false;
    }
    c->function_count = b->function_count;
    for (uint32_t i = 0; i < b->function_count; i++) {
        Function *f = &c->functions[i];
        *f = (Function){.name = b->functions[i].name, .arity = b->functions[i].arity, .label = b->functions[i].entry, .of = c};
        emit_function_stub(vm, f);
    }
    return c->source == NULL || ranges_add(vm, c->functions, c->functions + MAX(b->function_count, 1u), c);
}

/* The file's fun, made if it is not there. */
static bool get_lambda(VM *vm, ModuleCode *c, const BeamFile *b, uint32_t i) {
    const BeamLambda *l = &b->lambdas[i];
    c->lambdas[i] = lambda_get(vm, b->module, module_md5(c), l->index, i, l->old_uniq, l->arity - l->free, l->free);
    return c->lambdas[i] != NULL;
}

static bool take_lambdas(VM *vm, ModuleCode *c, const BeamFile *b) {
    if (b->lambda_count == 0) {
        return true;
    }
    c->lambdas = mem_zalloc(&vm->mem, MEM_CODE, b->lambda_count * sizeof *c->lambdas);
    c->lambda_functions = mem_zalloc(&vm->mem, MEM_CODE, b->lambda_count * sizeof *c->lambda_functions);
    c->lambda_count = b->lambda_count;
    bool ok = c->lambdas != NULL && c->lambda_functions != NULL, now = c->source == NULL || lambdas_of(vm, b->module);
    for (uint32_t i = 0; ok && i < b->lambda_count; i++) {
        c->lambda_functions[i] = emit_function(c, b->lambdas[i].label);
        ok = !now || get_lambda(vm, c, b, i);
    }
    return ok;
}

/* What leads into the code, once it is there. */
static bool take_entries(VM *vm, ModuleCode *c, const BeamFile *b) {
    if (b->on_load_label != 0) {
        c->on_load = emit_function(c, b->on_load_label);
        c->module->on_load = export_get(vm, b->module, A_on_load_function, 0);
        if (c->module->on_load == NULL) {
            return false;
        }
    }
    c->exports = c->source != NULL ? b->exports : copy_array(vm, b->exports, b->export_count * sizeof *c->exports);
    c->export_count = c->exports == NULL ? 0 : b->export_count;
    return c->export_count == b->export_count;
}

/* The code itself, in both forms. */
static bool translate(VM *vm, ModuleCode *c, BeamFile *b, LoadError *error) {
    Program *pr = rewrite(vm, b, c->lambdas, c, 0, error);
    bool ok = pr != NULL && (emit_units(pr) || load_no_memory(error));
    if (ok && vm->code->native != NULL) {
        vm->code->native(pr);
    }
    return ok;
}

ModuleCode *module_prepare(VM *vm, BeamFile *b, LoadError *error) {
    ModuleCode *c = MEM_NEW(&vm->mem, MEM_CODE, ModuleCode);
    if (c == NULL) {
        load_no_memory(error);
        return NULL;
    }
    c->source = b->chunks != NULL ? b : NULL;
    c->module = module_get(vm, b->module);
    bool ok = c->module != NULL && take_tables(vm, c, b) && take_functions(vm, c, b) && take_lambdas(vm, c, b);
    ok = ok || load_no_memory(error);
    ok = ok && (c->source != NULL || translate(vm, c, b, error));
    ok = ok && (take_entries(vm, c, b) || load_no_memory(error));
    if (!ok) {
        module_code_free(vm, c);
        return NULL;
    }
    b->kept = c->source != NULL;
    return c;
}

/* What leads to it. */
static void unlink_code(VM *vm, ModuleCode *c) {
    for (uint32_t i = 0; i < c->lambda_count && c->lambdas != NULL; i++) {
        if (c->lambdas[i] != NULL && c->lambdas[i]->loaded == c) {
            c->lambdas[i]->loaded = NULL;
            emit_lambda_stub(vm, c->lambdas[i]);
        }
    }
    ranges_remove(vm, c);
    catches_free(vm, c);
}

static void free_all_but_literals(VM *vm, ModuleCode *c) {
    Mem *m = &vm->mem;
    if (c->native != NULL) {
        vm->code->native_free(vm, c);
    }
    emit_free(vm, c);
    mem_free(m, MEM_CODE, c->functions, MAX(c->function_count, 1u) * sizeof *c->functions);
    mem_free(m, MEM_CODE, c->places, c->place_count * sizeof *c->places);
    mem_free(m, MEM_CODE, c->files, c->file_count * sizeof *c->files);
    mem_free(m, MEM_CODE, c->records, c->record_count * sizeof *c->records);
    mem_free(m, MEM_CODE, c->lambdas, c->lambda_count * sizeof *c->lambdas);
    mem_free(m, MEM_CODE, c->lambda_functions, c->lambda_count * sizeof *c->lambda_functions);
    if (c->source == NULL) {
        mem_free(m, MEM_CODE, c->exports, c->export_count * sizeof *c->exports);
        mem_free(m, MEM_CODE, (void *)c->attributes.at, c->attributes.size);
        mem_free(m, MEM_CODE, (void *)c->compile_info.at, c->compile_info.size);
    }
    demand_free(vm, c);
}

void module_code_free(VM *vm, ModuleCode *c) {
    if (c == NULL) {
        return;
    }
    if (c->traced != NULL) {
        vm->code->code_gone(vm, c);
    }
    unlink_code(vm, c);
    free_all_but_literals(vm, c);
    if (c->literal_block != NULL) {
        literal_free(vm, c->literal_block, c->literal_words, c->literal_off_heap);
    }
    MEM_DELETE(&vm->mem, MEM_CODE, c);
}

/* --- Current, old, deleted ----------------------------------------------------------------------------------------- */

/* The export of a function that m exports; NULL: nobody mentions it. */
static Export *export_of(VM *vm, const Module *m, const BeamExport *e) {
    return export_known(vm, m->name, e->name, e->arity);
}

static void unexport(VM *vm, Module *m) {
    for (uint32_t i = 0; i < m->current->export_count; i++) {
        Export *e = export_of(vm, m, &m->current->exports[i]);
        if (e != NULL && e->loaded == m) {
            __atomic_store_n(&e->loaded, NULL, __ATOMIC_RELEASE);
            emit_export_stub(vm, e);
        }
    }
}

void module_delete(VM *vm, Module *m) {
    assert(m->current != NULL && m->old == NULL);
    if (vm->code->code_gone != NULL) {
        vm->code->code_gone(vm, m->current);
    }
    unexport(vm, m);
    m->old = m->current;
    __atomic_store_n(&m->current, NULL, __ATOMIC_RELEASE);
}

static void abandon(Module *m, ModuleCode *c) {
    if (c != NULL) {
        c->next = m->abandoned;
        m->abandoned = c;
    }
}

void module_abandon_old(Module *m) {
    abandon(m, m->old);
    m->old = NULL;
}

static void free_purged(VM *vm, void *code, size_t size) {
    code_lock(vm);
    free_all_but_literals(vm, code);
    mem_free(&vm->mem, MEM_CODE, code, size);
    code_unlock(vm);
}

void module_purge(VM *vm, Module *m) {
    ModuleCode *c = m->old;
    m->old = NULL;
    if (c->nif != NULL) {
        vm->code->nif_gone(vm, c->nif);
    }
    for (uint32_t i = 0; c->source != NULL && i < c->source->block_count; i++) {
        literal_retire(vm, &c->source->blocks[i]);
        c->source->blocks[i].at = NULL;
    }
    unlink_code(vm, c);
    literal_retire(vm, &(LiteralBlock){c->literal_block, c->literal_words, c->literal_off_heap});
    epoch_defer(vm, free_purged, c, sizeof *c);
}

static void entry_set(VM *vm, Entry *e, const Function *f) {
    e->code = f->code;
    e->native = f->native != NULL ? f->native : vm->code->native_entry;
}

void module_link_export(VM *vm, Export *e, const Function *f) {
    if (!(e->module == A_erlang && e->name == A_hibernate && e->arity == 3)) { /* its stub is the instruction */
        entry_set(vm, &e->entry, f);
    }
    __atomic_store_n(&e->loaded, f->of->module, __ATOMIC_RELEASE);
}

const Function *module_exported(VM *vm, term module, term name, uint32_t arity) {
    const Module *m = module_find(vm, module);
    const ModuleCode *c = m == NULL ? NULL : module_current(m);
    for (uint32_t i = 0; c != NULL && i < c->export_count; i++) {
        if (c->exports[i].name == name && c->exports[i].arity == arity) {
            return &c->functions[c->exports[i].function];
        }
    }
    return NULL;
}

static void link_lambda(VM *vm, ModuleCode *c, uint32_t i) {
    Lambda *l = c->lambdas[i];
    const Function *f = c->lambda_functions[i];
    const Export *e = f->name == NIL ? NULL : export_find(vm, c->module->name, f->name, f->arity);
    if (e != NULL && e->bif != NULL) {
        l->entry = e->entry; /* fun f/1 of a function that a built-in stands in for */
    } else {
        entry_set(vm, &l->entry, f);
    }
    l->name = f->name;
    l->loaded = c;
}

/* Funs lead to the newest code that has them, even while it waits for its on_load function. */
static void link_lambdas(VM *vm, ModuleCode *c) {
    for (uint32_t i = 0; i < c->lambda_count; i++) {
        if (c->lambdas[i] != NULL) {
            link_lambda(vm, c, i);
        }
    }
}

void module_relink(VM *vm, ModuleCode *c) {
    for (uint32_t i = 0; i < c->lambda_count; i++) {
        if (c->lambdas[i] != NULL && c->lambdas[i]->loaded == c) {
            link_lambda(vm, c, i);
        }
    }
}

bool module_lambda(VM *vm, ModuleCode *c, uint32_t i) {
    if (c->lambdas[i] == NULL) {
        if (!get_lambda(vm, c, c->source, i)) {
            return false;
        }
        if (c->lambdas[i]->loaded == NULL) {
            link_lambda(vm, c, i);
        }
    }
    return true;
}

static void set_on_load(VM *vm, ModuleCode *c) {
    entry_set(vm, &c->module->on_load->entry, c->on_load);
}

static void make_current(VM *vm, ModuleCode *c) {
    Module *m = c->module;
    if (m->current != NULL) {
        module_delete(vm, m);
    }
    __atomic_store_n(&m->current, c, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < c->export_count; i++) {
        Export *e = export_of(vm, m, &c->exports[i]);
        if (e != NULL && e->bif == NULL) {
            module_link_export(vm, e, &c->functions[c->exports[i].function]);
        }
    }
    link_lambdas(vm, c);
    if (vm->code->code_loaded != NULL) {
        vm->code->code_loaded(vm, c);
    }
}

void module_commit(VM *vm, ModuleCode *c) {
    Module *m = c->module;
    if (c->on_load == NULL) {
        make_current(vm, c);
        return;
    }
    abandon(m, m->pending);
    m->pending = c;
    link_lambdas(vm, c);
    set_on_load(vm, c);
}

void module_on_load_done(VM *vm, Module *m) {
    ModuleCode *c = m->pending;
    assert(c != NULL);
    m->pending = NULL;
    make_current(vm, c);
}

bool module_load(VM *vm, BeamFile *b, LoadError *error, Module **module) {
    ModuleCode *c = module_prepare(vm, b, error);
    if (c == NULL) {
        return false;
    }
    *module = c->module;
    module_abandon_old(c->module);
    make_current(vm, c);
    if (c->on_load != NULL) {
        set_on_load(vm, c);
    }
    return true;
}
