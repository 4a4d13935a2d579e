/* Loaded modules: the tables, and finding what an address belongs to. */
#include "base/lock.h"
#include "code/code.h"
#include "code/demand.h"
#include "proc/epoch.h"
#include "proc/schedule.h"

static size_t ranges_bytes(uint32_t room) {
    return sizeof(CodeRanges) + room * sizeof(CodeRange);
}

bool code_init(VM *vm) {
    vm->code = MEM_NEW(&vm->mem, MEM_CODE, Code);
    if (vm->code == NULL) {
        return false;
    }
    vm->code->lock = mutex_new(&vm->mem);
    return vm->code->lock != NULL && exports_init(vm) && lambdas_init(vm);
}

static bool is_concurrent(const VM *vm) {
    return vm->processes != NULL && vm->processes->concurrent;
}

void code_lock(VM *vm) {
    if (is_concurrent(vm)) {
        mutex_take(vm->code->lock);
    }
}

void code_unlock(VM *vm) {
    CODE_PUBLISHED(vm->code);
    if (is_concurrent(vm)) {
        mutex_give(vm->code->lock);
    }
}

void code_done(VM *vm) {
    Code *c = vm->code;
    if (c == NULL) {
        return;
    }
    module_code_free(vm, c->saved_old);
    mem_free(&vm->mem, MEM_CODE, c->waiting, c->waiting_room * sizeof *c->waiting);
    modules_done(vm);
    lambdas_done(vm);
    exports_done(vm);
    if (c->ranges != NULL) {
        mem_free(&vm->mem, MEM_CODE, c->ranges, ranges_bytes(c->ranges->room));
    }
    for (uint32_t k = 0; k < CATCH_PAGES && c->catches[k] != NULL; k++) {
        mem_free(&vm->mem, MEM_CODE, c->catches[k], ((size_t)CATCH_PAGE << k) * sizeof *c->catches[k]);
    }
    mutex_free(&vm->mem, c->lock);
    arena_done(&c->spare);
    MEM_DELETE(&vm->mem, MEM_CODE, c);
    vm->code = NULL;
}

enum { WORK_ROOM = 48 << 10, WORK_KEPT = 512 << 10 };

void code_work_begin(VM *vm, Arena *work) {
    if (vm->code != NULL && vm->code->spare.mem != NULL) {
        *work = vm->code->spare;
        vm->code->spare = (Arena){0};
        return;
    }
    arena_init(work, &vm->mem, MEM_SYSTEM);
    arena_reserve(work, WORK_ROOM); /* one block: the same memory each time. Without it, smaller ones */
}

void code_work_end(VM *vm, Arena *work) {
    if (vm->code == NULL || vm->code->spare.mem != NULL) {
        arena_done(work);
    } else {
        arena_reset(work, WORK_KEPT);
        vm->code->spare = *work;
    }
}

/* --- Catch marks --------------------------------------------------------------------------------------------------- */

static CatchHandler *handler_at(Code *c, uint32_t index) {
    uint32_t k = 31 - (uint32_t)__builtin_clz(index / CATCH_PAGE + 1);
    return &c->catches[k][index + CATCH_PAGE - ((uint32_t)CATCH_PAGE << k)];
}

uint32_t catch_new(VM *vm, ModuleCode *code) {
    Code *c = vm->code;
    uint32_t index = c->catch_free;
    if (index != 0) {
        c->catch_free = handler_at(c, index)->next;
    } else {
        index = MAX(c->catch_count, 1u);
        uint32_t k = 31 - (uint32_t)__builtin_clz(index / CATCH_PAGE + 1);
        if (k >= CATCH_PAGES) {
            return 0;
        }
        if (c->catches[k] == NULL) {
            c->catches[k] = mem_alloc(&vm->mem, MEM_CODE, ((size_t)CATCH_PAGE << k) * sizeof *c->catches[k]);
            if (c->catches[k] == NULL) {
                return 0;
            }
        }
        c->catch_count = index + 1;
    }
    *handler_at(c, index) = (CatchHandler){.next = code->catches};
    code->catches = index;
    return index;
}

CatchHandler *catch_handler(VM *vm, uint32_t index) {
    CODE_HAS_FOUND(vm->code);
    assert(index > 0);
    return handler_at(vm->code, index);
}

void catches_free(VM *vm, ModuleCode *code) {
    Code *c = vm->code;
    while (code->catches != 0) {
        uint32_t index = code->catches;
        CatchHandler *h = handler_at(c, index);
        code->catches = h->next;
        *h = (CatchHandler){.next = c->catch_free};
        c->catch_free = index;
    }
}

/* --- What an address belongs to ------------------------------------------------------------------------------------ */

/* How many of the ranges start at or before an address. */
static uint32_t ranges_before(const CodeRanges *r, uintptr_t at) {
    uint32_t low = 0, high = r == NULL ? 0 : r->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (r->at[middle].start <= at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The ranges, to be changed and then published: in place, if nobody can be reading them, else a copy. NULL: no memory. */
static CodeRanges *ranges_change(VM *vm, uint32_t count) {
    CodeRanges *old = vm->code->ranges;
    if (old != NULL && count <= old->room && !is_concurrent(vm)) {
        return old;
    }
    uint32_t room = old != NULL && count <= old->room ? old->room : MAX(64, 2 * count);
    CodeRanges *r = mem_alloc(&vm->mem, MEM_CODE, ranges_bytes(room));
    if (r != NULL) {
        r->room = room;
        r->count = old == NULL ? 0 : old->count;
        if (old != NULL) {
            memcpy(r->at, old->at, old->count * sizeof r->at[0]);
        }
    }
    return r;
}

static void ranges_publish(VM *vm, CodeRanges *r) {
    CodeRanges *old = vm->code->ranges;
    if (r != old) {
        __atomic_store_n(&vm->code->ranges, r, __ATOMIC_RELEASE);
        epoch_mem_free(vm, MEM_CODE, old, old == NULL ? 0 : ranges_bytes(old->room));
    }
}

bool ranges_add(VM *vm, const void *start, const void *end, ModuleCode *code) {
    const CodeRanges *old = vm->code->ranges;
    CodeRanges *r = ranges_change(vm, old == NULL ? 1 : old->count + 1);
    if (r == NULL) {
        return false;
    }
    uint32_t i = ranges_before(r, (uintptr_t)start);
    memmove(r->at + i + 1, r->at + i, (r->count - i) * sizeof r->at[0]);
    r->at[i] = (CodeRange){(uintptr_t)start, (uintptr_t)end, code};
    r->count++;
    ranges_publish(vm, r);
    return true;
}

void ranges_remove(VM *vm, const ModuleCode *code) {
    CodeRanges *r = vm->code->ranges == NULL ? NULL : ranges_change(vm, vm->code->ranges->count);
    if (r == NULL) {
        return;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->at[i].code != code) {
            r->at[kept++] = r->at[i];
        }
    }
    r->count = kept;
    ranges_publish(vm, r);
}

/* The segment that an address of interpreter code lies in; NULL: none. */
static const CodeSegment *segment_of(const ModuleCode *c, uintptr_t at) {
    const CodeSegment *s = __atomic_load_n(&c->segments, __ATOMIC_ACQUIRE);
    while (s != NULL && at - (uintptr_t)s->units >= segment_used(s) * sizeof(Unit)) {
        s = s->next;
    }
    return s;
}

/* How many of its pieces begin at or before a unit. */
static uint32_t pieces_before(const CodeSegment *s, uint32_t unit) {
    uint32_t low = 0, high = segment_pieces(s);
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (segment_piece(s, middle)->start <= unit) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static uint32_t unit_index(const CodeSegment *s, uintptr_t at) {
    return (uint32_t)((at - (uintptr_t)s->units) / sizeof(Unit));
}

static const Function *native_function(const ModuleCode *c, uintptr_t at, uintptr_t *start) {
    uint32_t low = 0, high = c->native->entry_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if ((uintptr_t)c->native->entries[middle].at <= at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0) {
        return NULL;
    }
    *start = (uintptr_t)c->native->entries[low - 1].at;
    return &c->functions[c->native->entries[low - 1].function];
}

static bool is_native_address(const ModuleCode *c, uintptr_t at) {
    return c->native != NULL && at - (uintptr_t)c->native->start < c->native->hot;
}

const Function *code_find(VM *vm, const void *at, ModuleCode **code, Module **module) {
    const CodeRanges *r = __atomic_load_n(&vm->code->ranges, __ATOMIC_ACQUIRE);
    uint32_t i = ranges_before(r, (uintptr_t)at);
    if (i == 0 || (uintptr_t)at >= r->at[i - 1].end) {
        return NULL;
    }
    ModuleCode *found = r->at[i - 1].code;
    uintptr_t start;
    *code = found;
    *module = found->module;
    if (is_native_address(found, (uintptr_t)at)) {
        return native_function(found, (uintptr_t)at, &start);
    }
    size_t function = ((uintptr_t)at - (uintptr_t)found->functions) / sizeof(Function);
    if ((uintptr_t)at >= (uintptr_t)found->functions && function < found->function_count) {
        return &found->functions[function]; /* its stub */
    }
    const CodeSegment *s = segment_of(found, (uintptr_t)at);
    uint32_t n = s == NULL ? 0 : pieces_before(s, unit_index(s, (uintptr_t)at));
    return n == 0 ? NULL : &found->functions[segment_piece(s, n - 1)->function];
}

/* The index of its place for an address of interpreter code; 0: none. */
static uint32_t interpreted_place(const ModuleCode *code, uintptr_t at) {
    const CodeSegment *s = segment_of(code, at);
    uint32_t unit = s == NULL ? 0 : unit_index(s, at), n = s == NULL ? 0 : pieces_before(s, unit);
    if (n == 0) {
        return 0;
    }
    const Unit *end = s->units + (n < segment_pieces(s) ? segment_piece(s, n)->start : segment_used(s)) - 1;
    const CodeLine *lines = (const CodeLine *)end - *end;
    uint32_t low = 0, high = (uint32_t)*end;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (lines[middle].at <= unit) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? 0 : lines[low - 1].line;
}

static uint32_t native_place(const ModuleCode *code, uintptr_t at) {
    const LineEntry *lines = code->native->lines;
    uint32_t low = 0, high = code->native->line_count;
    uintptr_t start;
    native_function(code, at, &start);
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if ((uintptr_t)lines[middle].at <= at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 || (uintptr_t)lines[low - 1].at < start ? 0 : lines[low - 1].line;
}

static bool line_of(ModuleCode *code, const void *at, BeamLine *line) {
    uint32_t place = is_native_address(code, (uintptr_t)at) ? native_place(code, (uintptr_t)at) : interpreted_place(code, (uintptr_t)at);
    if (place != 0) {
        demand_lines(code);
    }
    if (place == 0 || place >= code->place_count) {
        return false;
    }
    *line = code->places[place];
    return true;
}

bool code_line(VM *vm, ModuleCode *code, const Function *f UNUSED, const void *at, BeamLine *line) {
    code_lock(vm);
    bool known = line_of(code, at, line);
    code_unlock(vm);
    return known;
}
