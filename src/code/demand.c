/* Emitting functions when they are first called. */
#include "code/demand.h"

#include "base/arena.h"
#include "code/code.h"
#include "code/emit.h"
#include "code/verify.h"
#include "term/copy.h"

/* --- Memory for the time being ------------------------------------------------------------------------------------- */

static void work_begin(BeamFile *b, Arena *work) {
    code_work_begin(b->vm, work);
    b->work = work;
}

static void work_end(BeamFile *b) {
    b->ops = NULL;
    b->label_op = NULL;
    code_work_end(b->vm, b->work);
    b->work = NULL;
}

/* --- Calls of what is not emitted yet ------------------------------------------------------------------------------ */

void demand_call_site(VM *vm, Function *f, Unit *at) {
    ModuleCode *c = f->of;
    uint32_t n = c->site_free;
    if (n != 0) {
        c->site_free = c->sites[n].next;
    } else {
        if (c->site_count >= c->site_room) {
            uint32_t room = MAX(16u, 2 * c->site_room);
            CallSite *grown = mem_resize(&vm->mem, MEM_CODE, c->sites, c->site_room * sizeof *grown, room * sizeof *grown);
            if (grown == NULL) {
                return; /* slower, but right: the stub finds the code each time */
            }
            c->sites = grown;
            c->site_room = room;
        }
        n = MAX(c->site_count, 1u);
        c->site_count = n + 1;
    }
    c->sites[n] = (CallSite){at, f->sites};
    f->sites = n;
}

static void patch_calls(Function *f) {
    ModuleCode *c = f->of;
    while (f->sites != 0) {
        CallSite *s = &c->sites[f->sites];
        uint32_t next = s->next;
        __atomic_store_n(s->at, (Unit)f->code, __ATOMIC_RELEASE); /* others may just be running it */
        s->next = c->site_free;
        c->site_free = f->sites;
        f->sites = next;
    }
}

/* Everything that leads to the function's stub, or to what it was before. */
static void publish(VM *vm, Function *f, const Unit *before) {
    ModuleCode *c = f->of;
    patch_calls(f);
    Export *e = export_known(vm, c->module->name, f->name, f->arity);
    if (e != NULL && e->code == before) {
        __atomic_store_n(&e->code, f->code, __ATOMIC_RELEASE);
    }
    for (uint32_t i = 0; i < c->lambda_count; i++) {
        Lambda *l = c->lambdas[i];
        if (l != NULL && l->code == before) {
            __atomic_store_n(&l->code, f->code, __ATOMIC_RELEASE);
        }
    }
}

/* --- Emitting ------------------------------------------------------------------------------------------------------ */

/* The funs that the function makes. */
static bool need_lambdas(VM *vm, ModuleCode *c, LoadError *error) {
    BeamFile *b = c->source;
    for (uint32_t i = 0; b->lambda_count > 0 && i < b->op_count; i++) {
        const GenericOp *op = &b->ops[i];
        if ((op->op == GEN_make_fun2 || op->op == GEN_make_fun3) && !module_lambda(vm, c, op->arg[0].value)) {
            return load_no_memory(error);
        }
    }
    return true;
}

static bool need_types(BeamFile *b, LoadError *error) {
    Bytes types = b->chunks[CHUNK_TYPES];
    Loading l = {.b = b, .error = error};
    return types.at == NULL || b->type_count > 1 || chunk_types(&l, &(Cursor){types.at, types.at, types.at + types.size, "Type", error});
}

static bool emit_verified(VM *vm, Function *f, LoadError *error) {
    ModuleCode *c = f->of;
    Program *pr = need_lambdas(vm, c, error) ? rewrite(vm, c->source, c->lambdas, c, (uint32_t)(f - c->functions), error) : NULL;
    if (pr == NULL) {
        return false;
    }
    const Unit *before = f->code;
    bool ok = emit_units(pr) || load_no_memory(error);
    if (ok) {
        publish(vm, f, before);
        if (c->traced != NULL) {
            vm->code->traced_emitted(vm, f);
        }
    }
    return ok;
}

static bool emit_one(VM *vm, Function *f, LoadError *error);

/* Verifies the function. Others that it tells something about their arguments are emitted anew; *repeat: there were some, and
   the function has to be decoded again. */
static bool verified(VM *vm, Function *f, bool *repeat, LoadError *error) {
    ModuleCode *c = f->of;
    BeamFile *b = c->source;
    uint32_t index = (uint32_t)(f - c->functions);
    const bool *again;
    ArenaMark before = arena_mark(b->work);
    *repeat = false;
    if (!beam_verify_function(b, index, &again, error)) {
        return false;
    }
    for (uint32_t i = 0; again != NULL && i < c->function_count; i++) {
        if (again[i]) {
            *repeat = true;
            Arena *work = b->work, inner;
            work_begin(b, &inner);
            bool ok = emit_one(vm, &c->functions[i], error);
            work_end(b);
            b->work = work;
            if (!ok) {
                return false;
            }
        }
    }
    arena_release(b->work, before);
    return true;
}

static bool emit_one(VM *vm, Function *f, LoadError *error) {
    ModuleCode *c = f->of;
    BeamFile *b = c->source;
    bool repeat = true;
    bool ok = true;
    Loading l = {.b = b, .error = error};
    heap_init_detached(&l.heap, vm);
    while (ok && repeat) {
        ok = code_decode_function(&l, (uint32_t)(f - c->functions)) && verified(vm, f, &repeat, error);
    }
    heap_free_fragments(vm, heap_detach(&l.heap));
    b->functions[f - c->functions].walked |= ok;
    return ok && emit_verified(vm, f, error);
}

bool demand_function(VM *vm, Function *f, LoadError *error) {
    ModuleCode *c = f->of;
    BeamFile *b = c->source;
    load_error_name(error, b->name);
    Arena work;
    work_begin(b, &work);
    bool ok = need_types(b, error) && emit_one(vm, f, error);
    work_end(b);
    if (b->literal_block != NULL) {
        c->literal_block = b->literal_block, c->literal_words = b->literal_words, c->literal_off_heap = b->literal_off_heap;
        b->literal_block = NULL, b->literal_words = 0, b->literal_off_heap = NONE;
    }
    f->damaged = !ok && !error->no_memory;
    return ok;
}

/* --- Lines --------------------------------------------------------------------------------------------------------- */

/* The names of files as literals. */
static bool move_names(BeamFile *b, Heap *heap) {
    term *p = heap_alloc(heap, 1 + b->file_count);
    if (p == NULL) {
        return false;
    }
    p[0] = HEADER(b->file_count, KIND_TUPLE);
    p[1] = NIL;
    memcpy(p + 2, b->files + 1, (b->file_count - 1) * sizeof *p);
    term tuple = beam_keep(b, make_boxed(p));
    for (uint32_t i = 1; tuple != NONE && i < b->file_count; i++) {
        b->files[i] = element(tuple, i);
    }
    return tuple != NONE;
}

static void read_lines(VM *vm, ModuleCode *c, Bytes chunk) {
    BeamFile *b = c->source;
    LoadError error;
    Loading l = {.b = b, .error = &error};
    heap_init_detached(&l.heap, vm);
    if (chunk_lines(&l, &(Cursor){chunk.at, chunk.at, chunk.at + chunk.size, "Line", &error}) && b->line_count > 0 &&
        (b->file_count <= 1 || move_names(b, &l.heap))) {
        module_take_lines(vm, c, b);
    }
    b->line_count = b->file_count = 0;
    heap_free_fragments(vm, heap_detach(&l.heap));
}

void demand_lines(ModuleCode *c) {
    if (c->source == NULL || c->lines_known || c->source->chunks[CHUNK_LINES].at == NULL) {
        return;
    }
    c->lines_known = true;
    Arena work, *outer = c->source->work;
    work_begin(c->source, &work);
    read_lines(c->source->vm, c, c->source->chunks[CHUNK_LINES]);
    work_end(c->source);
    c->source->work = outer;
}

void demand_free(VM *vm, ModuleCode *c) {
    mem_free(&vm->mem, MEM_CODE, c->sites, c->site_room * sizeof *c->sites);
    c->sites = NULL;
    c->site_room = 0;
    if (c->source != NULL && c->source->kept) {
        c->source->kept = false;
        beam_free(c->source);
        c->source = NULL;
    }
}
