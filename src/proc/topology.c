/* Which scheduler's thread runs on which processor. */
#include "proc/topology.h"

#include <stdlib.h>

#include "term/atom.h"

struct Topology {
    Lock lock;
    Places detected, defined;
    bool looked, is_defined;
    const BindType *type;
    uint32_t count;  /* of schedulers */
    int32_t bound[]; /* to which processor; -1: to none */
};

#define NODE PLACE_NODE
#define PROCESSOR PLACE_PROCESSOR
#define INNER PLACE_PROCESSOR_NODE
#define CORE PLACE_CORE
#define THREAD PLACE_THREAD
#define END PLACE_LEVELS
const BindType bind_types[] = {
    {"u", A_unbound, {END}},
    {"ns", A_no_spread, {NODE, PROCESSOR, INNER, CORE, THREAD}},
    {"ts", A_thread_spread, {THREAD, NODE, PROCESSOR, INNER, CORE}},
    {"ps", A_processor_spread, {THREAD, INNER, CORE, NODE, PROCESSOR}},
    {"s", A_spread, {THREAD, CORE, INNER, PROCESSOR, NODE}},
    {"nnts", A_no_node_thread_spread, {NODE, THREAD, PROCESSOR, CORE, END}},
    {"nnps", A_no_node_processor_spread, {NODE, THREAD, CORE, PROCESSOR, END}},
    {"tnnps", A_thread_no_node_processor_spread, {THREAD, NODE, CORE, PROCESSOR, END}},
    {NULL, NONE, {END}},
};
#undef NODE
#undef PROCESSOR
#undef INNER
#undef CORE
#undef THREAD
#undef END

const BindType *bind_type_named(term name) {
    name = name == A_default_bind ? A_thread_no_node_processor_spread : name;
    const BindType *t = bind_types;
    while (t->option != NULL && t->name != name) {
        t++;
    }
    return t->option == NULL ? NULL : t;
}

const BindType *bind_type_of_option(const char *option) {
    option = strcmp(option, "db") == 0 ? "tnnps" : option;
    const BindType *t = bind_types;
    while (t->option != NULL && strcmp(t->option, option) != 0) {
        t++;
    }
    return t->option == NULL ? NULL : t;
}

/* --- What +sct says -------------------------------------------------------------------------------------------------- */

/* Identifiers: 1,4-6,3-2. */
typedef struct {
    const char *text;
    size_t count;
} Ids;

/* One identifier or range, and what is behind it. */
static const char *read_range(const char *text, long *first, long *last) {
    char *end;
    *first = *last = strtol(text, &end, 10);
    if (*end == '-') {
        *last = strtol(end + 1, &end, 10);
    }
    return end;
}

static bool is_id(const char *text) {
    return *text >= '0' && *text <= '9' && strtol(text, NULL, 10) <= PLACE_MAX_ID;
}

/* The reason why they are wrong, or NULL. */
static const char *check_ids(const char **at, Ids *ids) {
    *ids = (Ids){*at, 0};
    for (;; ++*at) {
        if (!is_id(*at)) {
            return "invalid identifier";
        }
        size_t digits = strspn(*at, "0123456789");
        if ((*at)[digits] == '-' && !is_id(*at + digits + 1)) {
            return "invalid identifier range";
        }
        long first, last;
        *at = read_range(*at, &first, &last);
        ids->count += (size_t)labs(last - first) + 1;
        if (**at != ',') {
            return NULL;
        }
    }
}

static int32_t id_at(const Ids *ids, size_t i) {
    const char *at = ids->text;
    for (;; at++) {
        long first, last;
        at = read_range(at, &first, &last);
        size_t count = (size_t)labs(last - first) + 1;
        if (i < count) {
            return (int32_t)(first <= last ? first + (long)i : first - (long)i);
        }
        i -= count;
    }
}

/* Which level a letter stands for; in front of the processors' a node is in a processor. PLACE_LEVELS: none. */
static PlaceLevel level_of(const char *at, PlaceLevel before) {
    switch (*at) {
    case 'L': return PLACE_LOGICAL;
    case 't':
    case 'T': return PLACE_THREAD;
    case 'c':
    case 'C': return PLACE_CORE;
    case 'p':
    case 'P': return PLACE_PROCESSOR;
    case 'n':
    case 'N': return before > PLACE_PROCESSOR && strcspn(at, "pP") < strcspn(at, ":") ? PLACE_PROCESSOR_NODE : PLACE_NODE;
    default: return PLACE_LEVELS;
    }
}

/* One definition, up to its colon or the end. */
static const char *parse_entry(Mem *mem, Places *to, const char **text) {
    const char *at = *text;
    Ids ids[PLACE_LEVELS] = {[PLACE_NODE] = {NULL, 1}, {"0", 1}, {NULL, 1}, {"0", 1}, {"0", 1}, {NULL, 0}};
    PlaceLevel before = PLACE_LEVELS;
    while (*at != ':' && *at != '\0') {
        PlaceLevel level = level_of(at, before);
        if (level == PLACE_LEVELS) {
            return "invalid identifier type";
        }
        if (level >= before) {
            return "invalid hierarchy";
        }
        before = level;
        at++;
        const char *wrong = check_ids(&at, &ids[level]);
        if (wrong != NULL) {
            return wrong;
        }
    }
    size_t count = ids[PLACE_LOGICAL].count;
    if (count == 0) {
        return "missing logical identifier";
    }
    for (size_t k = 0; k < PLACE_LOGICAL; k++) {
        if (ids[k].count != 1 && ids[k].count != count) {
            return "invalid identifier range";
        }
    }
    for (size_t i = 0; i < count; i++) {
        Place place;
        for (size_t k = 0; k < PLACE_LEVELS; k++) {
            place.at[k] = ids[k].text == NULL ? -1 : id_at(&ids[k], ids[k].count == 1 ? 0 : i);
        }
        if (!places_add(mem, to, place)) {
            return "out of memory";
        }
    }
    *text = at + (*at == ':');
    return NULL;
}

const char *topology_parse(Mem *mem, Places *to, const char *text) {
    if (*text == '\0') {
        return "missing cpu topology";
    }
    const char *wrong = NULL;
    while (*text != '\0' && wrong == NULL) {
        wrong = parse_entry(mem, to, &text);
    }
    return wrong;
}

static int compare_at(const Place *x, const Place *y, size_t level) {
    return (x->at[level] > y->at[level]) - (x->at[level] < y->at[level]);
}

static int by_logical(const void *a, const void *b) {
    return compare_at(a, b, PLACE_LOGICAL);
}

static int by_processor(const void *a, const void *b) {
    static const uint8_t levels[] = {PLACE_PROCESSOR, PLACE_NODE, PLACE_PROCESSOR_NODE, PLACE_CORE, PLACE_THREAD};
    int c = 0;
    for (size_t i = 0; i < ARRAY_LEN(levels) && c == 0; i++) {
        c = compare_at(a, b, levels[i]);
    }
    return c;
}

static bool is_in_no_node(const Place *p) {
    return p->at[PLACE_NODE] < 0 && p->at[PLACE_PROCESSOR_NODE] < 0;
}

/* Puts them in order. The reason why they cannot be true, or NULL. */
static const char *verify(Places *p) {
    if (p->count == 0) {
        return NULL;
    }
    qsort(p->place, p->count, sizeof *p->place, by_logical);
    for (size_t i = 1; i < p->count; i++) {
        if (by_logical(&p->place[i - 1], &p->place[i]) == 0) {
            return "not unique logical identifiers";
        }
    }
    qsort(p->place, p->count, sizeof *p->place, by_processor);
    const char *nodes = NULL;
    for (size_t i = 1; i < p->count; i++) {
        const Place *x = &p->place[i - 1], *y = &p->place[i];
        if (by_processor(x, y) == 0) {
            return "not unique entities";
        }
        if (is_in_no_node(&p->place[0]) ? !is_in_no_node(y)
                                        : (compare_at(x, y, PLACE_PROCESSOR) == 0 && compare_at(x, y, PLACE_NODE) != 0) ||
                                              (y->at[PLACE_NODE] >= 0) == (y->at[PLACE_PROCESSOR_NODE] >= 0)) {
            nodes = "invalid nodes declaration";
        }
    }
    return nodes;
}

/* --- Order ----------------------------------------------------------------------------------------------------------- */

typedef struct {
    Place place;
    const BindType *type;
    size_t index;
} Ranked;

static int by_rank(const void *a, const void *b) {
    const Ranked *x = a, *y = b;
    int c = 0;
    for (size_t i = 0; i < PLACE_LOGICAL && x->type->order[i] != PLACE_LEVELS && c == 0; i++) {
        c = compare_at(&x->place, &y->place, x->type->order[i]);
    }
    return c != 0 ? c : x->index < y->index ? -1 : 1;
}

/* Identifiers become numbers that begin at 0 in whatever they are part of, and the nodes' are those of all nodes, wherever they are. */
static void renumber(const Places *p, Ranked *ranked) {
    Place now = {{-1, -1, -1, -1, -1, -1}};
    int32_t node = -1;
    for (size_t i = 0; i < p->count; i++) {
        const Place *old = &p->place[i];
        bool first = i == 0;
        for (size_t level = 0; level < PLACE_LOGICAL; level++) {
            if (first || old->at[level] != p->place[i - 1].at[level]) {
                bool is_node = (level == PLACE_NODE || level == PLACE_PROCESSOR_NODE) && old->at[level] >= 0;
                node += is_node;
                now.at[level] = first ? 0 : now.at[level] + 1;
                first = true; /* what is in it begins anew */
                if (is_node) {
                    now.at[PLACE_NODE] = node;
                }
            }
        }
        ranked[i].place = now;
        ranked[i].place.at[PLACE_LOGICAL] = old->at[PLACE_LOGICAL];
        ranked[i].index = i;
    }
}

bool topology_order(Mem *mem, const Places *p, const BindType *type, int32_t *logical) {
    Ranked *ranked = mem_alloc(mem, MEM_SYSTEM, p->count * sizeof *ranked);
    if (ranked == NULL) {
        return false;
    }
    renumber(p, ranked);
    for (size_t i = 0; i < p->count; i++) {
        ranked[i].type = type;
    }
    qsort(ranked, p->count, sizeof *ranked, by_rank);
    for (size_t i = 0; i < p->count; i++) {
        logical[i] = ranked[i].place.at[PLACE_LOGICAL];
    }
    mem_free(mem, MEM_SYSTEM, ranked, p->count * sizeof *ranked);
    return true;
}

/* --- Binding --------------------------------------------------------------------------------------------------------- */

static struct Topology *topology(const VM *vm) {
    return vm->processes->topology;
}

bool topology_init(VM *vm) {
    uint32_t n = vm->processes->scheduler_count;
    struct Topology *t = mem_zalloc(&vm->mem, MEM_SYSTEM, sizeof *t + n * sizeof *t->bound);
    if (t == NULL) {
        return false;
    }
    t->type = bind_types, t->count = n;
    for (uint32_t i = 0; i < n; i++) {
        t->bound[i] = -1;
    }
    vm->processes->topology = t;
    return true;
}

void topology_lock(VM *vm) {
    lock_take(&topology(vm)->lock);
}

void topology_unlock(VM *vm) {
    lock_give(&topology(vm)->lock);
}

const Places *topology_places(VM *vm, TopologyKind kind) {
    struct Topology *t = topology(vm);
    if (kind == TOPOLOGY_DEFINED || (kind == TOPOLOGY_USED && t->is_defined)) {
        return t->is_defined ? &t->defined : NULL;
    }
    if (!t->looked) {
        t->detected = processors_detect(&vm->mem);
        t->looked = true;
    }
    return t->detected.count > 0 ? &t->detected : NULL;
}

/* The thread of a scheduler, if it has one, goes where it belongs. */
static void move(const Scheduler *s, int32_t *bound, int32_t to) {
    uintptr_t thread = s == NULL ? 0 : __atomic_load_n(&s->os_thread, __ATOMIC_SEQ_CST);
    if (thread != 0 && !thread_bind(thread, to)) {
        to = -1;
    }
    *bound = to;
}

/* Plans for all that are online, and moves those that run elsewhere. False: no memory. */
static bool apply(VM *vm, struct Topology *t) {
    Processes *ps = vm->processes;
    const Places *p = t->type == bind_types ? NULL : topology_places(vm, TOPOLOGY_USED);
    size_t count = p == NULL ? 0 : p->count, at = 0;
    int32_t *logical = mem_alloc(&vm->mem, MEM_SYSTEM, (count + 1) * sizeof *logical);
    bool ok = logical != NULL && (count == 0 || topology_order(&vm->mem, p, t->type, logical));
    for (uint32_t i = 0; ok && i < t->count; i++) {
        while (at < count && !processor_is_allowed(logical[at])) {
            at++;
        }
        int32_t to = at < count ? logical[at++] : -1;
        if (i >= __atomic_load_n(&ps->online, __ATOMIC_RELAXED)) {
            to = -1;
        }
        if (to != t->bound[i]) {
            move(__atomic_load_n(&ps->schedulers[i], __ATOMIC_ACQUIRE), &t->bound[i], to);
        }
    }
    mem_free(&vm->mem, MEM_SYSTEM, logical, logical == NULL ? 0 : (count + 1) * sizeof *logical);
    return ok;
}

/* Processes.bind: of the scheduler whose thread has just begun; NULL: others are online now. */
static void bind(VM *vm, Scheduler *begun) {
    struct Topology *t = topology(vm);
    topology_lock(vm);
    if (begun == NULL) {
        apply(vm, t);
    } else if (t->bound[begun->id - 1] >= 0) {
        move(begun, &t->bound[begun->id - 1], t->bound[begun->id - 1]);
    }
    topology_unlock(vm);
}

const char *topology_define(VM *vm, Places *places) {
    struct Topology *t = topology(vm);
    const char *wrong = verify(places);
    if (wrong == NULL) {
        topology_lock(vm);
        Places old = t->defined;
        t->is_defined = places->place != NULL;
        t->defined = *places, *places = (Places){0};
        apply(vm, t);
        topology_unlock(vm);
        places_free(&vm->mem, &old);
    }
    return wrong;
}

const BindType *topology_bind(VM *vm, const BindType *type) {
    struct Topology *t = topology(vm);
    topology_lock(vm);
    const BindType *old = t->type;
    bool ok = processors_can_bind() && topology_places(vm, TOPOLOGY_USED) != NULL;
    if (ok) {
        __atomic_store_n(&vm->processes->bind, bind, __ATOMIC_SEQ_CST); /* threads that begin from now on bind themselves */
        t->type = type;
        ok = apply(vm, t);
        t->type = ok ? type : old;
    }
    topology_unlock(vm);
    return ok ? old : NULL;
}

const BindType *topology_bound_as(VM *vm) {
    topology_lock(vm);
    const BindType *type = topology(vm)->type;
    topology_unlock(vm);
    return type;
}

int topology_bound_to(const VM *vm, uint32_t scheduler) {
    const struct Topology *t = topology(vm);
    lock_take(&topology(vm)->lock);
    int to = t->bound[scheduler - 1];
    lock_give(&topology(vm)->lock);
    return to;
}
