/* Processors and schedulers, as system_info tells it. The shape that users see is made, and taken apart, by OTP's own module erlang; here they are
   {cpu, Node, Processor, NodeInProcessor, Core, Thread, Logical}, -1 for what there is none of. */
#include "bif/topology_info.h"

#include "bif/system_flags.h"
#include "proc/spawn.h"
#include "proc/topology.h"
#include "term/atom.h"

static bool is_known(Process *p) {
    return process_vm(p)->processes->topology != NULL;
}

static term places_term(Process *p, const Places *places) {
    if (places == NULL) {
        return A_undefined;
    }
    Heap *h = HEAP(p);
    term list = NIL;
    for (size_t i = places->count; i-- > 0;) {
        term t[1 + PLACE_LEVELS] = {A_cpu};
        for (size_t k = 0; k < PLACE_LEVELS; k++) {
            t[k + 1] = SMALL(places->place[i].at[k]);
        }
        term *cells = heap_alloc(h, 2 + PLACE_LEVELS);
        cells[0] = HEADER(1 + PLACE_LEVELS, KIND_TUPLE);
        memcpy(cells + 1, t, sizeof t);
        list = heap_cons(h, make_boxed(cells), list);
    }
    return list;
}

static term internal(Process *p, TopologyKind kind) {
    VM *vm = process_vm(p);
    topology_lock(vm);
    term t = places_term(p, topology_places(vm, kind));
    topology_unlock(vm);
    return t;
}

static term formatted(Process *p, TopologyKind kind) {
    term t = is_known(p) ? internal(p, kind) : A_undefined;
    return t == A_undefined ? t : bif_trap(p, export_get(process_vm(p), A_erlang, A_format_cpu_topology, 1), 1, t);
}

term info_cpu_topology(Process *p) {
    return formatted(p, TOPOLOGY_USED);
}

term info_cpu_topology_of(Process *p, term kind) {
    switch (kind) {
    case A_used: return formatted(p, TOPOLOGY_USED);
    case A_detected: return formatted(p, TOPOLOGY_DETECTED);
    case A_defined: return formatted(p, TOPOLOGY_DEFINED);
    default: return raise_badarg(p);
    }
}

term info_bind_type(Process *p) {
    return is_known(p) ? topology_bound_as(process_vm(p))->name : A_unbound;
}

term info_bindings(Process *p) {
    const VM *vm = process_vm(p);
    uint32_t n = vm->processes->scheduler_count;
    term *t = heap_alloc(HEAP(p), 1 + (size_t)n);
    t[0] = HEADER(n, KIND_TUPLE);
    for (uint32_t i = 1; i <= n; i++) {
        int to = is_known(p) ? topology_bound_to(vm, i) : -1;
        t[i] = to < 0 ? A_unbound : SMALL(to);
    }
    return make_boxed(t);
}

term fake_bindings(Process *p, term type) {
    VM *vm = process_vm(p);
    const BindType *t = bind_type_named(type);
    if (t == NULL || !is_known(p)) {
        return raise_badarg(p);
    }
    topology_lock(vm);
    const Places *places = topology_places(vm, TOPOLOGY_USED);
    size_t count = places == NULL ? 0 : places->count;
    int32_t *logical = mem_alloc(&vm->mem, MEM_SYSTEM, (count + 1) * sizeof *logical);
    bool ok = logical != NULL && count > 0 && t->name != A_unbound && topology_order(&vm->mem, places, t, logical);
    topology_unlock(vm);
    term *tuple = ok ? heap_alloc(HEAP(p), 1 + count) : NULL;
    for (size_t i = 0; ok && i < count; i++) {
        tuple[i + 1] = SMALL(logical[i]);
    }
    mem_free(&vm->mem, MEM_SYSTEM, logical, logical == NULL ? 0 : (count + 1) * sizeof *logical);
    if (!ok) {
        return A_false;
    }
    tuple[0] = HEADER(count, KIND_TUPLE);
    return make_boxed(tuple);
}

/* --- Changing -------------------------------------------------------------------------------------------------------- */

static void warn(Process *p, const char *text) {
    Heap *h = HEAP(p);
    log_send(process_vm(p), A_warning, "~s~n", heap_cons(h, heap_latin1_list(h, text, strlen(text)), NIL), p->group_leader, NONE);
}

term set_cpu_topology(Process *p, term value) {
    warn(p, "A call to erlang:system_flag(cpu_topology, _) was made.\nThe cpu_topology argument is deprecated and scheduled\n"
            "for removal in Erlang/OTP 18. For more information\nsee the erlang:system_flag/2 documentation.\n");
    if (!is_known(p)) {
        return value == A_undefined ? A_undefined : raise_badarg(p);
    }
    return bif_trap(p, export_get(process_vm(p), A_erlang, A_set_cpu_topology, 1), 1, value);
}

/* False: it is no place, or there is no memory. */
static bool add_place(Mem *mem, Places *to, term t) {
    if (!is_tuple_of(t, 1 + PLACE_LEVELS) || element(t, 1) != A_cpu) {
        return false;
    }
    Place place;
    for (size_t k = 0; k < PLACE_LEVELS; k++) {
        term id = element(t, k + 2);
        if (!is_small(id) || small_value(id) < -1 || small_value(id) > PLACE_MAX_ID) {
            return false;
        }
        place.at[k] = (int32_t)small_value(id);
    }
    return places_add(mem, to, place);
}

term set_cpu_topology_internal(Process *p, term value) {
    VM *vm = process_vm(p);
    if (!is_known(p)) {
        return raise_badarg(p);
    }
    Places places = {0};
    bool ok = true, drop = value == A_undefined;
    for (; ok && !drop && is_cons(value); value = tail(value)) {
        ok = add_place(&vm->mem, &places, head(value));
    }
    term old = internal(p, TOPOLOGY_USED);
    ok = ok && (drop || value == NIL) && topology_define(vm, &places) == NULL;
    places_free(&vm->mem, &places);
    return ok ? old : raise_badarg(p);
}

term set_bind_type(Process *p, term value) {
    warn(p, "A call to erlang:system_flag(scheduler_bind_type, _) was\nmade. The scheduler_bind_type argument is deprecated and\n"
            "scheduled for removal in Erlang/OTP 18. For more\ninformation see the erlang:system_flag/2 documentation.\n");
    const BindType *type = bind_type_named(value);
    if (type == NULL) {
        return raise_badarg(p);
    }
    if (!is_known(p)) {
        return type->name == A_unbound ? A_unbound : raise_error(p, A_notsup);
    }
    const BindType *old = topology_bind(process_vm(p), type);
    return old == NULL ? raise_error(p, processors_can_bind() ? A_badarg : A_notsup) : old->name;
}
