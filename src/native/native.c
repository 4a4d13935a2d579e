/* The native engine, apart from what differs between machines: memory for code, running both engines in turn, and the C side of
   the calls that machine code makes. */
#include "native/machine.h"

#include "code/breakpoint.h"
#include "exec/interpreter.h"
#include "native/support.h"
#include "proc/collect.h"
#include "proc/mailbox.h"
#include "proc/schedule.h"
#include "proc/spawn.h"
#include "trace/trace.h"

/* All machine code of a VM lies in one range of addresses, so that jumps of 32 bits reach everything. Only what is used has
   memory behind it. */
enum { CODE_MEMORY = 256 << 20, CODE_ALIGNMENT = 16 };

/* --- Memory for code ----------------------------------------------------------------------------------------------- */

NativeCode *native_allocate(VM *vm, size_t size) {
    Native *n = vm->native;
    size = round_up(size, CODE_ALIGNMENT);
    for (NativeCode **at = &n->free; *at != NULL; at = &(*at)->next) { /* the first that is about as large */
        NativeCode *c = *at;
        if (c->size >= size && c->size <= size + size / 4) {
            *at = c->next;
            *c = (NativeCode){.start = c->start, .size = c->size};
            return c;
        }
    }
    if (size > n->memory.size - n->used) {
        return NULL;
    }
    NativeCode *c = MEM_NEW(&vm->mem, MEM_CODE, NativeCode);
    if (c != NULL) {
        c->start = n->memory.run + n->used;
        c->size = size;
        n->used += size;
    }
    return c;
}

uint8_t *native_writable(const Native *n, const uint8_t *at) {
    return n->memory.write + (at - n->memory.run);
}

static void release_tables(VM *vm, NativeCode *c) {
    mem_free(&vm->mem, MEM_CODE, c->lines, c->line_room * sizeof *c->lines);
    mem_free(&vm->mem, MEM_CODE, c->entries, c->entry_room * sizeof *c->entries);
    c->lines = NULL;
    c->entries = NULL;
}

static void native_free_code(VM *vm, ModuleCode *code) {
    Native *n = vm->native;
    NativeCode *c = code->native;
    code->native = NULL;
    release_tables(vm, c);
    c->next = n->free;
    n->free = c;
}

/* --- Emitting ------------------------------------------------------------------------------------------------------ */

static void emit_program(Program *pr) {
    VM *vm = pr->vm;
    ModuleCode *c = pr->code;
    if (!machine_emit(vm, vm->native, pr)) {
        return; /* it stays interpreted */
    }
    for (uint32_t i = 0; i < c->function_count; i++) {
        if (c->functions[i].native != vm->code->native_entry) { /* some stay interpreted */
            breakpoint_cross(vm, &c->functions[i]);
        }
    }
    if (!ranges_add(vm, c->native->start, c->native->start + c->native->hot, c)) {
        /* It runs, but stack traces do not show it. */
        assert(c->native != NULL);
    }
}

/* --- Tracing ------------------------------------------------------------------------------------------------------- */

static void native_divert(VM *vm, const Function *f, bool on) {
    machine_divert(vm->native, f->native, on);
}

const Unit *native_traced(Process *p, const void *entry) {
    ModuleCode *code;
    Module *module;
    const Function *f = code_find(process_vm(p), entry, &code, &module);
    assert(f != NULL && f->native == entry);
    return f->code;
}

bool native_init(VM *vm) {
    Native *n = MEM_NEW(&vm->mem, MEM_CODE, Native);
    if (n == NULL) {
        return false;
    }
    vm->native = n;
    if (!platform_code_memory(&n->memory, CODE_MEMORY)) {
        MEM_DELETE(&vm->mem, MEM_CODE, n);
        vm->native = NULL;
        return false;
    }
    if (!machine_stubs(vm, n, interpreter_return_to_native())) {
        native_done(vm);
        return false;
    }
    vm->code->native = emit_program;
    vm->code->native_free = native_free_code;
    vm->code->native_entry = n->stubs.entry;
    vm->code->native_start = (uintptr_t)n->memory.run, vm->code->native_size = n->memory.size;
    vm->code->native_divert = native_divert;
    vm->code->native_called = machine_called;
    vm->returns_interpreted = n->stubs.returns_interpreted;
    vm->returns_native = interpreter_return_to_native();
    vm->processes->run = native_run;
    return true;
}

void native_done(VM *vm) {
    Native *n = vm->native;
    if (n == NULL) {
        return;
    }
    for (NativeCode *c = n->free, *next; c != NULL; c = next) {
        next = c->next;
        MEM_DELETE(&vm->mem, MEM_CODE, c);
    }
    MEM_DELETE(&vm->mem, MEM_CODE, n->stub_code);
    platform_code_memory_done(&n->memory);
    MEM_DELETE(&vm->mem, MEM_CODE, n);
    vm->native = NULL;
}

Bytes native_code(const VM *vm, const ModuleCode *code, const Function *f) {
    (void)vm;
    const NativeCode *c = code->native;
    for (uint32_t i = 0; c != NULL && i < c->entry_count; i++) {
        if (&code->functions[c->entries[i].function] == f) {
            const uint8_t *end = i + 1 < c->entry_count ? c->entries[i + 1].at : c->start + c->hot;
            return (Bytes){c->entries[i].at, (size_t)(end - c->entries[i].at)};
        }
    }
    return (Bytes){0};
}

/* --- Running ------------------------------------------------------------------------------------------------------- */

typedef RunResult Enter(Scheduler *s, Process *p);

RunResult native_run(Scheduler *s, Process *p) {
    const Native *n = s->vm->native;
    Enter *enter = (Enter *)(uintptr_t)n->stubs.enter;
    for (;;) {
        RunResult r = p->native ? enter(s, p) : interpreter_run(s, p);
        if (r != RUN_SWITCH) {
            return r;
        }
        p->native = !p->native;
    }
}

int native_unwind(Process *p, const void *pc) {
    bool native;
    const CatchHandler *h = exception_unwind(p, pc, &native);
    if (h != NULL) {
        p->ip = native ? h->native : (const void *)h->code;
        return native ? RUN_NATIVE : RUN_SWITCH;
    }
    if (p->scheduler->class == CLASS_ERROR) {
        process_end_logged(p, p->heap.reason);
    } else {
        process_end(p, p->heap.reason);
    }
    return RUN_EXIT;
}

int native_yield(Process *p, uintptr_t live) {
    p->live = (uint16_t)live;
    if (process_should_collect(p)) {
        process_collect(p, 0, p->live);
    }
    return RUN_YIELD;
}

int native_waits(Process *p) {
    p->live = 0;
    return RUN_WAIT;
}

/* The process is to be killed: it goes on nowhere, but says where it was. */
static void stop_here(Process *p) {
    p->ip = (const void *)*p->heap.sp++;
    p->live = 0;
}

bool native_collect(Process *p, size_t words, size_t live) {
    if (!rt_collect(p, words, live)) {
        stop_here(p);
        return false;
    }
    return true;
}

bool native_after_bif(Process *p) {
    if (process_should_collect(p) && !process_collect(p, 0, 1)) {
        stop_here(p);
        return false;
    }
    return true;
}

int native_bif_none(Process *p, const BifEntry *bif, uintptr_t tail) {
    Scheduler *s = p->scheduler;
    const uint8_t *back = (const uint8_t *)*p->heap.sp; /* behind the call */
    if (p->heap.reason != A_trap) {
        p->heap.sp++;
        exception_in_bif(p, bif, s->x);
        return native_unwind(p, back - 1);
    }
    if (s->trap_to == NULL) {
        s->x[0] = s->trap_args[0];
        p->heap.sp++;
        p->ip = back;
        p->live = 1;
        return RUN_YIELD;
    }
    const Export *to = s->trap_to;
    memcpy(s->x, s->trap_args, to->arity * sizeof(term));
    p->heap.sp += trace_begins(p, to) ? 0 : tail; /* a return stands behind the call of a tail call, too */
    if (*p->heap.sp == (term)p->heap.vm->returns_interpreted) {
        p->heap.sp++; /* a tail call back to where the call came from */
    } else {
        *--p->heap.sp = (term)p->heap.vm->returns_native;
    }
    p->ip = to->code;
    return RUN_SWITCH;
}

void native_guard_failed(Process *p, const BifEntry *bif) {
    exception_in_bif(p, bif, p->scheduler->c_args);
}

int native_hibernate(Process *p) {
    RunResult result;
    return rt_hibernate(p, p->scheduler->x, &result) ? (int)result : RUN_SWITCH;
}

term native_next_message(Process *p) {
    return process_should_collect(p) && !process_collect(p, 0, 0) ? NONE : mailbox_peek(p);
}

uintptr_t native_wait(Process *p, term time) {
    MailboxWait wait = mailbox_wait(p, time);
    if (wait == MAILBOX_BAD_TIME) {
        exception_error(p, A_timeout_value);
    }
    return (uintptr_t)wait;
}
