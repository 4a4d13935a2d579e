/* Breakpoints, and entries of functions that lead to a library of native functions: see the header. */
#include "code/breakpoint.h"

#include "code/code.h"
#include "code/emit.h"
#include "term/atom.h"

/* Operands of func_info, counted from the entry. */
enum { INFO_MODULE = -3, INFO_NAME = -2 };

void breakpoint_cross(VM *vm, const Function *f) {
    Unit *at = (Unit *)f->code;
    at[INFO_MODULE] = at[0];
    at[INFO_NAME] = (Unit)f->native;
    at[0] = vm->handlers[VARIANT_to_native];
}

/* Entries of the function's interpreter code, one after the other; *s and *i are NULL (or its first segment) and 0 at first. */
static Unit *next_entry(const Function *f, CodeSegment **s, uint32_t *i) {
    enum { FUNC_INFO_UNITS = 4 };
    for (; *s != NULL; *s = (*s)->next, *i = 0) {
        while (*i < (*s)->piece_count) {
            const CodePiece *piece = segment_piece(*s, (*i)++);
            if (piece->function == (uint32_t)(f - f->of->functions)) {
                return (*s)->units + piece->start + FUNC_INFO_UNITS;
            }
        }
    }
    return NULL;
}

static bool has_machine_code(const VM *vm, const Function *f) {
    return f->native != vm->code->native_entry && f->native != NULL;
}

/* The operand of call_nif is that of func_info's name, which nothing reads. */
void nif_bind(VM *vm, const Function *f, const BifEntry *called) {
    CodeSegment *s = f->of->segments;
    uint32_t i = 0;
    for (Unit *at; (at = next_entry(f, &s, &i)) != NULL;) {
        Unit call = vm->handlers[VARIANT_call_nif];
        at[INFO_NAME] = (Unit)called;
        if (at[0] == vm->handlers[VARIANT_breakpoint]) {
            Breakpoint *b = (Breakpoint *)at[INFO_MODULE];
            b->was = b->handler = call;
        } else {
            __atomic_store_n(&at[0], call, __ATOMIC_RELEASE);
        }
    }
    if (has_machine_code(vm, f)) {
        vm->code->native_divert(vm, f, true);
    }
}

const BifEntry *nif_bound(VM *vm, const Function *f) {
    const Unit *at = !f->emitted ? NULL : f->code;
    Unit call = vm->handlers[VARIANT_call_nif];
    bool is = at != NULL && (at[0] == call || (at[0] == vm->handlers[VARIANT_breakpoint] && breakpoint_at(at)->was == call));
    return is ? (const BifEntry *)at[INFO_NAME] : NULL;
}

static bool set_at(VM *vm, Unit *at, struct Traced *of, Breakpoint **list) {
    if (at[0] == vm->handlers[VARIANT_breakpoint]) {
        return true;
    }
    Breakpoint *b = mem_alloc(&vm->mem, MEM_CODE, sizeof *b);
    if (b == NULL) {
        return false;
    }
    bool crosses = at[0] == vm->handlers[VARIANT_to_native];
    *b = (Breakpoint){of, at, at[0], at[INFO_MODULE], crosses ? at[INFO_MODULE] : at[0], *list};
    *list = b;
    at[INFO_MODULE] = (Unit)b;
    at[0] = vm->handlers[VARIANT_breakpoint];
    return true;
}

bool breakpoint_set(VM *vm, const Function *f, struct Traced *of, Breakpoint **list) {
    CodeSegment *s = !f->emitted ? NULL : f->of->segments;
    uint32_t i = 0;
    bool ok = true;
    for (Unit *at; (at = next_entry(f, &s, &i)) != NULL;) {
        ok &= set_at(vm, at, of, list);
    }
    if (has_machine_code(vm, f) && *list != NULL) {
        vm->code->native_divert(vm, f, true);
    }
    return ok;
}

void breakpoints_clear(VM *vm, const Function *f, Breakpoint **list) {
    bool native = *list != NULL && (*list)->was == vm->handlers[VARIANT_call_nif];
    if (*list != NULL && has_machine_code(vm, f) && !native) {
        vm->code->native_divert(vm, f, false);
    }
    for (Breakpoint *b = *list, *next; b != NULL; b = next) {
        next = b->next;
        b->at[0] = b->was;
        b->at[INFO_MODULE] = b->was_module;
        MEM_DELETE(&vm->mem, MEM_CODE, b);
    }
    *list = NULL;
}

/* The built-in that is called: which one it is, the instruction that called says. */
static const Export *called_built_in(const Process *p) {
    const Code *c = process_vm(p)->code;
    const BifEntry *b = p->native ? c->native_called(p->ip) : (const BifEntry *)((const Unit *)p->ip)[1];
    return (const Export *)((const char *)b - offsetof(Export, called));
}

/* With a seed, a slice may also end behind a built-in. */
static term call_by_chance(Process *p, const term *a) {
    term result = called_built_in(p)->bif->function(p, a);
    if (result == NONE || p->heap.reds > 0) {
        return result;
    }
    Scheduler *s = p->scheduler;
    s->trap_to = NULL;
    s->trap_args[0] = result;
    return heap_fail(&p->heap, A_trap);
}

BifFunction *export_built_in(const VM *vm, const Export *e) {
    return vm->seeded ? call_by_chance : e->bif->function;
}

/* Built-ins that are traced: the call becomes one of the stub. */
static term call_traced(Process *p, const term *a) {
    Scheduler *s = p->scheduler;
    const Export *e = called_built_in(p);
    assert(e->arity <= ARRAY_LEN(s->trap_args));
    memcpy(s->trap_args, a, e->arity * sizeof *a);
    s->trap_to = e;
    return heap_fail(&p->heap, A_trap);
}

Unit export_trace(VM *vm, Export *e, struct Traced *of) {
    if (e->bif == NULL) {
        e->stub[0] = e->arity;
        e->code = &e->stub[1];
        e->native = vm->code->native_entry;
    } else {
        e->called.function = call_traced;
    }
    Unit was = e->stub[1];
    e->stub[1] = vm->handlers[VARIANT_traced_stub];
    e->stub[2] = (Unit)e;
    e->stub[3] = (Unit)of;
    return was;
}

void export_untrace(VM *vm, Export *e, const Function *f) {
    emit_export_stub(vm, e);
    e->stub[3] = 0;
    if (e->bif != NULL) {
        e->called.function = export_built_in(vm, e);
    } else if (e->loaded != NULL) {
        e->code = f->code;
        e->native = f->native != NULL ? f->native : vm->code->native_entry;
    }
}

bool stub_name(VM *vm, const Unit *at, StubName *name) {
    if (at[0] != vm->handlers[VARIANT_bif_stub] && at[0] != vm->handlers[VARIANT_undefined_stub] &&
        at[0] != vm->handlers[VARIANT_traced_stub]) {
        return false;
    }
    const Export *e = (const Export *)at[1];
    *name = (StubName){e->module, e->name, e->arity};
    for (size_t i = 0; e->bif != NULL && i < vm->bifs->rest_count; i++) {
        const BifRest *r = &vm->bifs->rests[i];
        if (&vm->bifs->entries[r->entry] == e->bif) {
            *name = (StubName){ATOM(r->module_index), ATOM(r->name_index), r->arity};
        }
    }
    return true;
}

struct Traced *export_traced(VM *vm, const Export *e) {
    return e->stub[1] == vm->handlers[VARIANT_traced_stub] ? (struct Traced *)e->stub[3] : NULL;
}
