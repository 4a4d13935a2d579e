/* Which functions are traced: setting and finding points. */
#include <assert.h>

#include "trace/trace.h"

#include "code/breakpoint.h"
#include "code/code.h"
#include "proc/schedule.h"
#include "term/atom.h"

/* --- Points of a function ------------------------------------------------------------------------------------------ */

static TracePoint *find(const Traced *t, const TraceSession *s) {
    TracePoint *point = t == NULL ? NULL : t->points;
    while (point != NULL && point->session != s) {
        point = point->next;
    }
    return point;
}

static void release_spec(VM *vm, MatchSpec **m) {
    if (*m != NULL) {
        resource_release(vm, &(*m)->resource);
        *m = NULL;
    }
}

static void set_spec(VM *vm, MatchSpec **to, MatchSpec *m) {
    if (m != NULL) {
        resource_keep(&m->resource);
    }
    release_spec(vm, to);
    *to = m;
}

static void clear_flags(VM *vm, TracePoint *point, uint32_t flags) {
    flags &= point->flags;
    point->flags &= ~flags;
    if (flags & (POINT_LOCAL | POINT_GLOBAL)) {
        release_spec(vm, &point->spec);
    }
    if (flags & POINT_META) {
        release_spec(vm, &point->meta_spec);
        tracer_release(vm, point->meta_tracer);
        point->meta_tracer = NULL;
    }
    if (flags & POINT_TIME) {
        call_costs_free(vm, &point->time);
        point->flags &= ~(uint32_t)POINT_TIME_RUNS;
    }
    if (flags & POINT_MEMORY) {
        call_costs_free(vm, &point->memory);
        point->flags &= ~(uint32_t)POINT_MEMORY_RUNS;
    }
    if (flags & POINT_COUNT) {
        point->flags &= ~(uint32_t)POINT_COUNT_RUNS;
    }
}

static void drop_points(VM *vm, Traced *t, const TraceSession *s) { /* s NULL: of all */
    for (TracePoint **at = &t->points; *at != NULL;) {
        TracePoint *point = *at;
        if (s == NULL || point->session == s) {
            *at = point->next;
            clear_flags(vm, point, POINT_GLOBAL | POINT_BREAKS);
            session_release(vm, point->session);
            MEM_DELETE(&vm->mem, MEM_SYSTEM, point);
        } else {
            at = &point->next;
        }
    }
}

/* The code of an export as it is now; NULL: a built-in. */
static const Function *function_of(VM *vm, const Export *e) {
    return e->loaded == NULL ? NULL : module_exported(vm, e->module, e->name, e->arity);
}

static Traced *traced_of_function(const Function *f) {
    return f->of->traced == NULL ? NULL : f->of->traced[f - f->of->functions];
}

static void remove_traced(VM *vm, Traced *t) {
    drop_points(vm, t, NULL);
    if (t->export != NULL) {
        export_untrace(vm, t->export, t->function);
        t->export = NULL;
    } else if (t->function != NULL) {
        ModuleCode *c = t->function->of;
        breakpoints_clear(vm, t->function, &t->breakpoints);
        c->traced[t->function - c->functions] = NULL;
    }
    t->function = NULL;
    vm->trace->traced--;
    if (!t->measured) {
        MEM_DELETE(&vm->mem, MEM_SYSTEM, t);
        return;
    }
    t->next = vm->trace->kept;
    vm->trace->kept = t;
}

static void remove_if_unused(VM *vm, Traced *t) {
    bool used = false;
    for (TracePoint **at = &t->points; *at != NULL;) {
        TracePoint *point = *at;
        if (point->flags != 0) {
            used = true;
            at = &point->next;
        } else {
            *at = point->next;
            session_release(vm, point->session);
            MEM_DELETE(&vm->mem, MEM_SYSTEM, point);
        }
    }
    if (!used) {
        remove_traced(vm, t);
    }
}

static Traced *new_traced(VM *vm, term module, term name, uint32_t arity, const Function *f, Export *e) {
    Traced *t = MEM_NEW(&vm->mem, MEM_SYSTEM, Traced);
    if (t != NULL) {
        *t = (Traced){.module = module, .name = name, .arity = arity, .function = f, .export = e};
        vm->trace->traced++;
    }
    return t;
}

static Traced *trace_export(VM *vm, Export *e) {
    Traced *t = export_traced(vm, e);
    if (t == NULL && (t = new_traced(vm, e->module, e->name, e->arity, function_of(vm, e), e)) != NULL) {
        t->own = export_trace(vm, e, t);
    }
    return t;
}

static Traced *trace_function(VM *vm, const Function *f) {
    ModuleCode *c = f->of;
    if (c->traced == NULL) {
        c->traced = mem_zalloc(&vm->mem, MEM_CODE, MAX(c->function_count, 1u) * sizeof *c->traced);
        if (c->traced == NULL) {
            return NULL;
        }
    }
    Traced **at = &c->traced[f - c->functions];
    if (*at == NULL) {
        *at = new_traced(vm, c->module->name, f->name, f->arity, f, NULL);
        if (*at != NULL) {
            breakpoint_set(vm, f, *at, &(*at)->breakpoints);
        }
    }
    return *at;
}

static TracePoint *point_of(VM *vm, Traced *t, TraceSession *s) {
    TracePoint *point = find(t, s);
    if (point == NULL && (point = MEM_NEW(&vm->mem, MEM_SYSTEM, TracePoint)) != NULL) {
        __atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
        *point = (TracePoint){.next = t->points, .session = s};
        t->points = point;
    }
    return point;
}

/* --- Setting ------------------------------------------------------------------------------------------------------- */

typedef struct {
    VM *vm;
    TraceSession *session;
    const FunctionPattern *f;
    const TracePattern *t;
    int64_t matched;
    bool no_memory;
} Setting;

static bool fits(const FunctionPattern *f, term module, term name, uint32_t arity) {
    return (f->parts < 1 || f->module == module) && (f->parts < 2 || f->name == name) && (f->parts < 3 || f->arity == arity);
}

static const struct {
    uint32_t flag, runs;
} measures[] = {{POINT_COUNT, POINT_COUNT_RUNS}, {POINT_TIME, POINT_TIME_RUNS}, {POINT_MEMORY, POINT_MEMORY_RUNS}};

static void measure(VM *vm, TracePoint *point, uint32_t flag, uint32_t runs, int how) {
    if (how == PATTERN_PAUSE) {
        point->flags &= ~(point->flags & flag ? runs : 0);
    } else if (how == PATTERN_ON || point->flags & flag) {
        point->flags |= flag | runs;
        point->count = flag == POINT_COUNT ? 0 : point->count;
        if (flag == POINT_TIME) {
            call_costs_free(vm, &point->time);
        } else if (flag == POINT_MEMORY) {
            call_costs_free(vm, &point->memory);
        }
    }
}

static void set_breaks(VM *vm, Traced *traced, TracePoint *point, const TracePattern *t) {
    if (t->flags & POINT_LOCAL) {
        point->flags |= POINT_LOCAL;
        set_spec(vm, &point->spec, t->spec);
    }
    if (t->flags & POINT_META) {
        point->flags |= POINT_META;
        set_spec(vm, &point->meta_spec, t->spec);
        tracer_keep(t->meta_tracer);
        tracer_release(vm, point->meta_tracer);
        point->meta_tracer = t->meta_tracer;
    }
    point->flags |= t->flags & POINT_DEBUG;
    for (size_t i = 0; i < ARRAY_LEN(measures); i++) {
        if (t->flags & measures[i].flag) {
            measure(vm, point, measures[i].flag, measures[i].runs, t->how);
        }
    }
    traced->measured |= (t->flags & (POINT_TIME | POINT_MEMORY)) != 0;
}

/* Breakpoints of a function, or of a built-in's export, as the pattern says. */
static void change_breaks(Setting *s, Traced *old, const Function *f, Export *e) {
    VM *vm = s->vm;
    const TracePattern *t = s->t;
    TracePoint *point = find(old, s->session);
    uint32_t clear = t->how == PATTERN_OFF ? t->flags : t->flags == 0 ? (uint32_t)POINT_BREAKS : 0;
    if (clear != 0) { /* or turned off by global tracing */
        if (point != NULL) {
            clear_flags(vm, point, clear);
            remove_if_unused(vm, old);
        }
        return;
    }
    bool adds = t->how == PATTERN_ON || t->flags & (POINT_LOCAL | POINT_META);
    if (point == NULL && !adds) {
        return;
    }
    assert(e != NULL || f != NULL);
    Traced *traced = old != NULL ? old : e != NULL ? trace_export(vm, e) : trace_function(vm, f);
    point = traced == NULL ? NULL : point_of(vm, traced, s->session);
    if (point == NULL) {
        s->no_memory = true;
        return;
    }
    set_breaks(vm, traced, point, t);
    remove_if_unused(vm, traced);
}

/* Global tracing of an export, on or off. */
static void change_global(Setting *s, Export *e) {
    VM *vm = s->vm;
    const TracePattern *t = s->t;
    if (t->how == PATTERN_OFF && t->flags != 0) {
        return;
    }
    Traced *traced = export_traced(vm, e);
    if (t->how != PATTERN_OFF && t->flags == 0) {
        traced = trace_export(vm, e);
        TracePoint *point = traced == NULL ? NULL : point_of(vm, traced, s->session);
        if (point == NULL) {
            s->no_memory = true;
            return;
        }
        point->flags |= POINT_GLOBAL;
        set_spec(vm, &point->spec, t->spec);
        return;
    }
    TracePoint *point = find(traced, s->session);
    if (point != NULL && point->flags & POINT_GLOBAL) {
        clear_flags(vm, point, POINT_GLOBAL);
        remove_if_unused(vm, traced);
    }
}

static void visit_function(Setting *s, const Function *f) {
    const ModuleCode *c = f->of;
    VM *vm = s->vm;
    Export *e = NULL;
    if (bif_find(vm, c->module->name, f->name, f->arity) != NULL) {
        e = export_get(vm, c->module->name, f->name, f->arity);
    }
    change_breaks(s, e != NULL ? export_traced(vm, e) : traced_of_function(f), f, e);
    s->matched += s->t->flags != 0;
}

static void visit_code(Setting *s, const ModuleCode *c) {
    for (uint32_t i = 0; i < c->function_count; i++) {
        const Function *f = &c->functions[i];
        if (fits(s->f, c->module->name, f->name, f->arity)) {
            visit_function(s, f);
        }
    }
}

static void visit_module(Module *m, void *arg) {
    Setting *s = arg;
    if (m->current != NULL && (s->f->parts == 0 || s->f->module == m->name)) {
        visit_code(s, m->current);
    }
}

static bool has_function(const ModuleCode *c, term name, uint32_t arity) {
    for (uint32_t i = 0; c != NULL && i < c->function_count; i++) {
        if (c->functions[i].name == name && c->functions[i].arity == arity) {
            return true;
        }
    }
    return false;
}

/* Does a built-in count by itself, or as a function of its module? */
static bool counts_apart(VM *vm, term module, term name, uint32_t arity) {
    const Module *m = module_find(vm, module);
    return !has_function(m == NULL ? NULL : m->current, name, arity);
}

/* Built-ins that nobody has called yet get their exports, if that is needed, and count. */
static void visit_unused(Setting *s) {
    VM *vm = s->vm;
    for (size_t i = 0; i < vm->bifs->count; i++) {
        const BifEntry *b = &vm->bifs->entries[i];
        if (!fits(s->f, bif_module(b), bif_name(b), b->arity) || !bif_is_there(vm, b)) {
            continue;
        }
        if (s->t->how == PATTERN_ON) {
            export_get(vm, bif_module(b), bif_name(b), b->arity);
        } else if (export_find(vm, bif_module(b), bif_name(b), b->arity) == NULL) {
            s->matched += s->t->flags == 0 || counts_apart(vm, bif_module(b), bif_name(b), b->arity);
        }
    }
}

/* Built-ins that no loaded module has count as functions, too. */
static void visit_exports(Setting *s) {
    const Code *c = s->vm->code;
    for (uint32_t i = 0; i < c->export_buckets; i++) {
        for (Export *e = c->exports[i]; e != NULL; e = e->next) {
            if (!export_is_callable(e) || !fits(s->f, e->module, e->name, e->arity)) {
                continue;
            }
            change_global(s, e);
            bool counts = s->t->flags == 0 || (e->bif != NULL && counts_apart(s->vm, e->module, e->name, e->arity));
            if (counts && s->t->flags != 0) {
                change_breaks(s, export_traced(s->vm, e), NULL, e);
            }
            s->matched += counts;
        }
    }
}

/* Functions that nobody but their module has mentioned get theirs, too. */
static void make_exports(Module *m, void *arg) {
    const Setting *s = arg;
    const ModuleCode *c = s->f->parts == 0 || s->f->module == m->name ? m->current : NULL;
    for (uint32_t i = 0; c != NULL && i < c->export_count; i++) {
        if (fits(s->f, m->name, c->exports[i].name, c->exports[i].arity)) {
            export_get(s->vm, m->name, c->exports[i].name, c->exports[i].arity);
        }
    }
}

int64_t points_set(VM *vm, TraceSession *session, const FunctionPattern *f, const TracePattern *t) {
    Setting s = {.vm = vm, .session = session, .f = f, .t = t};
    visit_unused(&s);
    module_each(vm, make_exports, &s);
    visit_exports(&s);
    if (f->parts > 0) {
        Module *m = module_find(vm, f->module);
        if (m != NULL) {
            visit_module(m, &s);
        }
    } else {
        module_each(vm, visit_module, &s);
    }
    return s.no_memory ? -1 : s.matched;
}

void points_clear(VM *vm, TraceSession *s) {
    if (vm->trace->traced == 0) {
        return;
    }
    const FunctionPattern all = {.parts = 0};
    const TracePattern global = {.how = PATTERN_OFF}, breaks = {.how = PATTERN_OFF, .flags = POINT_BREAKS | POINT_DEBUG};
    points_set(vm, s, &all, &global);
    points_set(vm, s, &all, &breaks);
}

TracePoint *point_find(VM *vm, const TraceSession *s, const FunctionPattern *f, bool *exists) {
    const Export *e = export_find(vm, f->module, f->name, f->arity);
    *exists = e != NULL && export_is_callable(e);
    TracePoint *point = *exists ? find(export_traced(vm, e), s) : NULL;
    if (point != NULL) {
        return point;
    }
    const Module *m = module_find(vm, f->module);
    const ModuleCode *c = m == NULL ? NULL : m->current;
    for (uint32_t i = 0; c != NULL && i < c->function_count; i++) {
        if (c->functions[i].name == f->name && c->functions[i].arity == f->arity) {
            *exists = true;
            return find(traced_of_function(&c->functions[i]), s);
        }
    }
    return NULL;
}

/* --- Code comes and goes ------------------------------------------------------------------------------------------- */

static void set_on_load(VM *vm, TraceSession *session, const ModuleCode *c) {
    const LoadPattern *l = &session->on_load;
    const FunctionPattern f = {.module = c->module->name, .parts = 1};
    if (l->flags == 0) {
        points_set(vm, session, &f, &(TracePattern){.how = PATTERN_ON, .spec = l->spec});
        return;
    }
    points_set(vm, session, &f, &(TracePattern){.how = PATTERN_ON, .flags = l->flags & ~(uint32_t)POINT_META, .spec = l->spec});
    if (l->flags & POINT_META) {
        points_set(vm, session, &f,
                   &(TracePattern){.how = PATTERN_ON, .flags = POINT_META, .spec = l->meta_spec, .meta_tracer = l->meta_tracer});
    }
}

static void code_loaded(VM *vm, ModuleCode *c) {
    for (TraceSession *s = vm->trace->on_load ? vm->trace->sessions : NULL; s != NULL; s = s->next) {
        if (s->on_load.on) {
            set_on_load(vm, s, c);
        }
    }
}

static void code_gone(VM *vm, ModuleCode *c) {
    for (uint32_t i = 0; c->traced != NULL && i < c->function_count; i++) {
        if (c->traced[i] != NULL) {
            remove_traced(vm, c->traced[i]);
        }
    }
    mem_free(&vm->mem, MEM_CODE, c->traced, c->traced == NULL ? 0 : MAX(c->function_count, 1u) * sizeof *c->traced);
    c->traced = NULL;
    for (uint32_t i = 0; i < c->export_count; i++) {
        Export *e = export_known(vm, c->module->name, c->exports[i].name, c->exports[i].arity);
        Traced *t = e == NULL ? NULL : export_traced(vm, e);
        if (t != NULL && e->bif == NULL && t->function != NULL && t->function->of == c) {
            remove_traced(vm, t);
        }
    }
}

static void traced_emitted(VM *vm, Function *f) {
    Traced *t = traced_of_function(f);
    if (t != NULL) {
        breakpoint_set(vm, f, t, &t->breakpoints);
    }
}

void points_init(VM *vm) {
    vm->code->code_loaded = code_loaded;
    vm->code->code_gone = code_gone;
    vm->code->traced_emitted = traced_emitted;
}

void points_done(VM *vm) {
    for (Traced *t = vm->trace->kept, *next; t != NULL; t = next) {
        next = t->next;
        MEM_DELETE(&vm->mem, MEM_SYSTEM, t);
    }
}
