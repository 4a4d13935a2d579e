/* Loaded modules: the tables, and finding what an address belongs to. */
#include "code/code.h"
#include "code/demand.h"

bool code_init(VM *vm) {
    vm->code = MEM_NEW(&vm->mem, MEM_CODE, Code);
    if (vm->code == NULL) {
        return false;
    }
    return exports_init(vm) && lambdas_init(vm);
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
    mem_free(&vm->mem, MEM_CODE, c->ranges, c->range_capacity * sizeof *c->ranges);
    mem_free(&vm->mem, MEM_CODE, c->catches, c->catch_capacity * sizeof *c->catches);
    arena_done(&c->spare);
    MEM_DELETE(&vm->mem, MEM_CODE, c);
    vm->code = NULL;
}

enum { WORK_ROOM = 96 << 10, WORK_KEPT = 512 << 10 };

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

uint32_t catch_new(VM *vm, ModuleCode *code) {
    Code *c = vm->code;
    uint32_t index = c->catch_free;
    if (index != 0) {
        c->catch_free = c->catches[index].next;
    } else {
        if (c->catch_count >= c->catch_capacity) {
            uint32_t capacity = MAX(64, 2 * c->catch_capacity);
            CatchHandler *grown = mem_resize(&vm->mem, MEM_CODE, c->catches, c->catch_capacity * sizeof *grown, capacity * sizeof *grown);
            if (grown == NULL) {
                return 0;
            }
            c->catches = grown;
            c->catch_capacity = capacity;
        }
        index = MAX(c->catch_count, 1);
        c->catch_count = index + 1;
    }
    c->catches[index] = (CatchHandler){.next = code->catches};
    code->catches = index;
    return index;
}

CatchHandler *catch_handler(VM *vm, uint32_t index) {
    assert(index > 0 && index < vm->code->catch_count);
    return &vm->code->catches[index];
}

void catches_free(VM *vm, ModuleCode *code) {
    Code *c = vm->code;
    while (code->catches != 0) {
        uint32_t index = code->catches;
        code->catches = c->catches[index].next;
        c->catches[index] = (CatchHandler){.next = c->catch_free};
        c->catch_free = index;
    }
}

/* --- What an address belongs to ------------------------------------------------------------------------------------ */

/* How many of the ranges start at or before an address. */
static uint32_t ranges_before(const Code *c, uintptr_t at) {
    uint32_t low = 0, high = c->range_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (c->ranges[middle].start <= at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool ranges_add(VM *vm, const void *start, const void *end, ModuleCode *code) {
    Code *c = vm->code;
    if (c->range_count >= c->range_capacity) {
        uint32_t capacity = MAX(64, 2 * c->range_capacity);
        CodeRange *grown = mem_resize(&vm->mem, MEM_CODE, c->ranges, c->range_capacity * sizeof *grown, capacity * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        c->ranges = grown;
        c->range_capacity = capacity;
    }
    uint32_t i = ranges_before(c, (uintptr_t)start);
    memmove(c->ranges + i + 1, c->ranges + i, (c->range_count - i) * sizeof *c->ranges);
    c->ranges[i] = (CodeRange){(uintptr_t)start, (uintptr_t)end, code};
    c->range_count++;
    return true;
}

void ranges_remove(VM *vm, const ModuleCode *code) {
    Code *c = vm->code;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < c->range_count; i++) {
        if (c->ranges[i].code != code) {
            c->ranges[kept++] = c->ranges[i];
        }
    }
    c->range_count = kept;
}

/* The segment that an address of interpreter code lies in; NULL: none. */
static const CodeSegment *segment_of(const ModuleCode *c, uintptr_t at) {
    const CodeSegment *s = c->segments;
    while (s != NULL && at - (uintptr_t)s->units >= s->used * sizeof(Unit)) {
        s = s->next;
    }
    return s;
}

/* How many of its pieces begin at or before a unit. */
static uint32_t pieces_before(const CodeSegment *s, uint32_t unit) {
    uint32_t low = 0, high = s->piece_count;
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
    const Code *c = vm->code;
    uint32_t i = ranges_before(c, (uintptr_t)at);
    if (i == 0 || (uintptr_t)at >= c->ranges[i - 1].end) {
        return NULL;
    }
    ModuleCode *found = c->ranges[i - 1].code;
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
    const Unit *end = s->units + (n < s->piece_count ? segment_piece(s, n)->start : s->used) - 1;
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

bool code_line(ModuleCode *code, const Function *f UNUSED, const void *at, BeamLine *line) {
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
