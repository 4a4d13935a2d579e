/* The machine x86-64: what is made once, and emitting programs. */
#include "native/words_x64.h"

#include "native/numbers_x64.h"

#include "gen/native.inc"

/* --- What is made once --------------------------------------------------------------------------------------------- */

static const int kept[] = {RBX, RBP, R12, R13, R14, R15};
enum { FRAME = 40 }; /* bytes below them: room for arguments on the stack; keeps it aligned */

static void save_x(Asm *a) {
    for (int i = 0; i < X_REGISTERS; i++) {
        x_store(a, x_register[i], SCHEDULER, (int32_t)(offsetof(Scheduler, x) + (size_t)i * sizeof(term)));
    }
}

static void load_x(Asm *a) {
    for (int i = 0; i < X_REGISTERS; i++) {
        x_rm(a, X_MOV, x_register[i], SCHEDULER, (int32_t)(offsetof(Scheduler, x) + (size_t)i * sizeof(term)));
    }
}

/* To the process, whose address is then in rdi; and on to the C stack. */
static void save_state(Asm *a) {
    x_rm(a, X_MOV, RDI, IN_SCHEDULER(current));
    x_store(a, HTOP, IN_HEAP(RDI, top));
    x_store(a, SP, IN_HEAP(RDI, sp));
    x_store(a, REDS, IN_HEAP(RDI, reds));
}

static void to_c_stack(Asm *a) {
    x_rm(a, X_MOV, SP, IN_SCHEDULER(c_stack));
}

static void load_state(Asm *a) {
    x_rm(a, X_MOV, RDI, IN_SCHEDULER(current));
    x_rm(a, X_MOV, HTOP, IN_HEAP(RDI, top));
    x_rm(a, X_MOV, REDS, IN_HEAP(RDI, reds));
    x_rm(a, X_MOV, SP, IN_HEAP(RDI, sp));
}

static void call_fixed(Asm *a, const void *function) {
    x_imm(a, RAX, (uintptr_t)function);
    x_call_reg(a, RAX);
}

static void cmp_eax(Asm *a, int v) {
    x_rex(a, 0, 0, RAX);
    asm_byte(a, 0x83);
    x_modrm(a, I_CMP, RAX);
    asm_byte(a, (unsigned)v);
}

static void test_al(Asm *a) {
    x_rex(a, 0, RAX, RAX);
    asm_byte(a, 0x84);
    x_modrm(a, RAX, RAX);
}

typedef struct {
    Label enter, returns_interpreted, to_interpreter, entry, call_pure[PURE_ARGUMENTS], call_c, call_list, call_guard, guard_failed,
        collect;
    Label call_bif, tail_bif, yield, wait, hibernate, unwind, traced;
    Label leave, leave_saved, dispatch;
} StubLabels;

static void enter_and_leave(Asm *a, StubLabels *l) {
    asm_bind(a, l->enter); /* (Scheduler *, Process *) */
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        x_push(a, kept[i]);
    }
    x_ri(a, I_SUB, RSP, FRAME);
    x_rr(a, X_MOV, SCHEDULER, RDI);
    x_store(a, RSP, IN_SCHEDULER(c_stack));
    load_state(a);
    load_x(a);
    x_jump_mem(a, IN_PROCESS(RDI, ip));

    asm_bind(a, l->leave); /* eax: why */
    save_x(a);
    save_state(a);
    to_c_stack(a);
    asm_bind(a, l->leave_saved);
    x_ri(a, I_ADD, RSP, FRAME);
    for (size_t i = ARRAY_LEN(kept); i-- > 0;) {
        x_pop(a, kept[i]);
    }
    x_ret(a);

    asm_bind(a, l->dispatch); /* the same, but RUN_NATIVE goes on at once */
    cmp_eax(a, RUN_NATIVE);
    x_jump_if(a, CC_NE, l->leave_saved);
    load_state(a);
    load_x(a);
    x_jump_mem(a, IN_PROCESS(RDI, ip));
}

/* Goes to the interpreter: rax says where. */
static void leave_native(Asm *a, StubLabels *l) {
    x_rm(a, X_MOV, RDI, IN_SCHEDULER(current));
    x_store(a, RAX, IN_PROCESS(RDI, ip));
    x_imm(a, RAX, RUN_SWITCH);
    x_jump(a, l->leave);
}

static void bridges(Asm *a, StubLabels *l, const Unit *return_to_native) {
    Label is_call = asm_label(a);
    asm_bind(a, l->entry); /* rax: an Entry */
    x_rm(a, X_MOV, RAX, RAX, offsetof(Entry, code));
    asm_bind(a, l->to_interpreter); /* rax: units. A bridge on top: a tail call back to where the call came from */
    x_load_address(a, RCX, l->returns_interpreted);
    x_rm(a, X_CMP, RCX, RSP, 0);
    x_jump_if(a, CC_NE, is_call);
    x_ri(a, I_ADD, RSP, sizeof(term));
    leave_native(a, l);
    asm_bind(a, is_call);
    x_imm(a, RCX, (uintptr_t)return_to_native);
    x_push(a, RCX);
    leave_native(a, l);
    while (a->now->size % 4 != 0 && !a->failed) {
        asm_byte(a, 0x90);
    }
    asm_bind(a, l->returns_interpreted);
    x_pop(a, RAX);
    leave_native(a, l);
}

enum { C_ARGUMENTS = 5 };

static void load_arguments(Asm *a, int count) {
    static const int registers[C_ARGUMENTS] = {RSI, RDX, RCX, R8, R9};
    for (int i = 0; i < count; i++) {
        x_rm(a, X_MOV, registers[i], SCHEDULER, (int32_t)(offsetof(Scheduler, c_args) + (size_t)i * sizeof(term)));
    }
}

static void return_from_c(Asm *a) {
    load_state(a);
    load_x(a);
    x_ret(a);
}

static void pure_calls(Asm *a, StubLabels *l) {
    for (int n = 0; n < PURE_ARGUMENTS; n++) {
        asm_bind(a, l->call_pure[n]); /* rax: the function */
        save_x(a);
        x_rr(a, X_MOV, R12, SP);
        to_c_stack(a);
        x_rm(a, X_MOV, RDI, IN_SCHEDULER(current));
        load_arguments(a, n + 1);
        x_call_reg(a, RAX);
        x_rr(a, X_MOV, SP, R12);
        load_x(a);
        x_ret(a);
    }
}

static void calls_of_c(Asm *a, StubLabels *l) {
    asm_bind(a, l->call_c); /* rax: the function */
    save_x(a);
    save_state(a);
    to_c_stack(a);
    load_arguments(a, C_ARGUMENTS);
    x_call_reg(a, RAX);
    return_from_c(a);

    asm_bind(a, l->call_list); /* f(p, x, y, units, count, ...) */
    save_x(a);
    save_state(a);
    x_rm(a, X_LEA, RDX, RSP, sizeof(term));
    to_c_stack(a);
    x_rm(a, X_LEA, RSI, IN_SCHEDULER(x));
    x_rm(a, X_MOV, RCX, IN_SCHEDULER(c_args[3]));
    x_store(a, RCX, RSP, 0);
    x_rm(a, X_MOV, RCX, IN_SCHEDULER(c_args[0]));
    x_rm(a, X_MOV, R8, IN_SCHEDULER(c_args[1]));
    x_rm(a, X_MOV, R9, IN_SCHEDULER(c_args[2]));
    x_call_reg(a, RAX);
    return_from_c(a);

    asm_bind(a, l->call_guard); /* f(p, args) */
    save_x(a);
    save_state(a);
    to_c_stack(a);
    x_rm(a, X_LEA, RSI, IN_SCHEDULER(c_args));
    x_call_reg(a, RAX);
    return_from_c(a);

    asm_bind(a, l->guard_failed); /* rax: the BifEntry */
    save_x(a);
    save_state(a);
    to_c_stack(a);
    x_rr(a, X_MOV, RSI, RAX);
    call_fixed(a, (const void *)native_guard_failed);
    return_from_c(a);

    Label failed = asm_label(a);
    asm_bind(a, l->collect);
    save_x(a);
    save_state(a);
    to_c_stack(a);
    load_arguments(a, C_ARGUMENTS);
    call_fixed(a, (const void *)native_collect);
    test_al(a);
    x_jump_if(a, CC_E, failed);
    return_from_c(a);
    asm_bind(a, failed);
    x_imm(a, RAX, RUN_YIELD);
    x_jump(a, l->leave_saved);
}

static void calls_of_bifs(Asm *a, StubLabels *l, bool tail) {
    Label none = asm_label(a), check = asm_label(a), failed = asm_label(a);
    asm_bind(a, tail ? l->tail_bif : l->call_bif); /* rax: the BifEntry; its arguments have been saved */
    x_ri(a, I_SUB, REDS, 1);
    x_rr(a, X_MOV, R12, RAX);
    save_state(a);
    x_rm(a, X_MOV, RCX, RSP, 0);
    x_store(a, RCX, IN_PROCESS(RDI, ip));
    to_c_stack(a);
    x_rm(a, X_LEA, RSI, IN_SCHEDULER(x));
    x_rm(a, X_MOV, RAX, R12, offsetof(BifEntry, function));
    x_call_reg(a, RAX);
    x_test(a, RAX, RAX);
    x_jump_if(a, CC_E, none);
    load_state(a);
    x_mi(a, I_CMP, IN_HEAP(RDI, fragment_words), 0);
    x_jump_if(a, CC_NE, check);
    x_rex(a, 0, 0, RDI); /* test dword */
    asm_byte(a, 0xf7);
    x_mem(a, 0, IN_PROCESS(RDI, flags));
    asm_32(a, FLAG_GC_WANTED);
    x_jump_if(a, CC_NE, check);
    x_rr(a, X_MOV, x_register[0], RAX);
    x_ret(a);

    asm_bind(a, check);
    x_store(a, RAX, IN_SCHEDULER(x[0]));
    to_c_stack(a);
    call_fixed(a, (const void *)native_after_bif);
    test_al(a);
    x_jump_if(a, CC_E, failed);
    load_state(a);
    x_rm(a, X_MOV, x_register[0], IN_SCHEDULER(x[0]));
    x_ret(a);
    asm_bind(a, failed);
    x_imm(a, RAX, RUN_YIELD);
    x_jump(a, l->leave_saved);

    asm_bind(a, none);
    x_rm(a, X_MOV, RDI, IN_SCHEDULER(current));
    x_rr(a, X_MOV, RSI, R12);
    x_imm(a, RDX, tail);
    call_fixed(a, (const void *)native_bif_none);
    x_jump(a, l->dispatch);
}

static void leaving(Asm *a, StubLabels *l) {
    asm_bind(a, l->yield); /* rax: where to go on, ecx: live registers */
    save_x(a);
    save_state(a);
    x_store(a, RAX, IN_PROCESS(RDI, ip));
    to_c_stack(a);
    x_rr(a, X_MOV, RSI, RCX);
    call_fixed(a, (const void *)native_yield);
    x_jump(a, l->leave_saved);

    asm_bind(a, l->wait); /* rax: where to go on, with nothing live */
    save_state(a);
    x_store(a, RAX, IN_PROCESS(RDI, ip));
    to_c_stack(a);
    call_fixed(a, (const void *)native_waits);
    x_jump(a, l->leave_saved);

    asm_bind(a, l->hibernate);
    save_x(a);
    save_state(a);
    to_c_stack(a);
    call_fixed(a, (const void *)native_hibernate);
    cmp_eax(a, RUN_SWITCH);
    x_jump_if(a, CC_NE, l->leave_saved);
    return_from_c(a);

    asm_bind(a, l->traced); /* the return address is the function's entry */
    x_pop(a, RAX);
    save_x(a);
    save_state(a);
    to_c_stack(a);
    x_rr(a, X_MOV, RSI, RAX);
    call_fixed(a, (const void *)native_traced);
    load_state(a);
    load_x(a);
    x_jump(a, l->to_interpreter);

    asm_bind(a, l->unwind); /* rax: the address of the instruction */
    save_x(a);
    save_state(a);
    to_c_stack(a);
    x_rr(a, X_MOV, RSI, RAX);
    call_fixed(a, (const void *)native_unwind);
    x_jump(a, l->dispatch);
}

bool machine_stubs(VM *vm, Native *n, const Unit *return_to_native) {
    Asm a;
    asm_init(&a, &vm->mem);
    StubLabels l;
    Label *all = (Label *)&l;
    for (size_t i = 0; i < sizeof l / sizeof *all; i++) {
        all[i] = asm_label(&a);
    }
    if (!a.failed) {
        enter_and_leave(&a, &l);
        bridges(&a, &l, return_to_native);
        pure_calls(&a, &l);
        calls_of_c(&a, &l);
        calls_of_bifs(&a, &l, false);
        calls_of_bifs(&a, &l, true);
        leaving(&a, &l);
    }
    NativeCode *code = a.failed ? NULL : native_allocate(vm, asm_size(&a));
    n->stub_code = code;
    if (code != NULL) {
        asm_finish(&a, native_writable(n, code->start), code->start);
        const uint8_t **to = (const uint8_t **)&n->stubs;
        _Static_assert(sizeof(MachineStubs) / sizeof *to <= sizeof(StubLabels) / sizeof(Label), "the same, in the same order");
        for (size_t i = 0; i < sizeof n->stubs / sizeof *to; i++) {
            to[i] = code->start + asm_label_offset(&a, all[i]);
        }
    }
    asm_done(&a);
    return code != NULL;
}

/* --- Programs ------------------------------------------------------------------------------------------------------ */

/* A function in the program: from its first instruction (labels and the line of its head, then func_info) to the next one's. */
typedef struct {
    uint32_t first, end;
    uint32_t entry; /* the label of its entry; 0: this is no function */
} Range;

static bool next_function(const Program *pr, Range *r) {
    uint32_t n = r->first = r->end;
    if (n >= pr->count) {
        return false;
    }
    while (n < pr->count && pr->ins[n].op != OP_func_info) {
        n++;
    }
    r->entry = 0;
    for (n++; n < pr->count && pr->ins[n].op != OP_func_info; n++) {
        if (pr->ins[n].op == OP_label && r->entry == 0) {
            r->entry = pr->ins[n].a[0].index;
        }
    }
    while (n < pr->count && (pr->ins[n - 1].op == OP_label || pr->ins[n - 1].op == OP_line)) {
        n--;
    }
    r->end = MIN(n, pr->count);
    return true;
}

/* Decides which functions get machine code: those whose instructions all have words. */
static void choose_functions(Emitter *e) {
    const Program *pr = e->pr;
    for (Range r = {0}; next_function(pr, &r);) {
        bool good = true;
        for (uint32_t n = r.first; n < r.end; n++) {
            uint16_t op = pr->ins[n].op;
            good &= op == OP_label || op == OP_line || emitters[op] != NULL;
        }
        e->is_native[r.entry] = good && r.entry != 0;
    }
}

enum { ENTRY_ALIGNMENT = 16, NOP = 0x90 };

/* In front of every entry there is room for a call, so that a function can be traced: its first instruction then becomes a short jump
   there. No instruction that is run is there for it. */
enum { SLOT = 5, JUMP_TO_SLOT = 2 };

void machine_divert(Native *n, const uint8_t *entry, bool on) {
    uint8_t *at = native_writable(n, entry), *slot = at - SLOT;
    if (on && slot[0] == NOP) {
        int32_t distance = (int32_t)(n->stubs.traced - entry);
        slot[0] = 0xe8;
        memcpy(slot + 1, &distance, sizeof distance);
        slot[-1] = at[0], slot[-2] = at[1];
        at[0] = 0xeb, at[1] = (uint8_t) - (SLOT + JUMP_TO_SLOT);
    } else if (!on && slot[0] != NOP) {
        at[0] = slot[-1], at[1] = slot[-2];
        memset(slot - JUMP_TO_SLOT, NOP, SLOT + JUMP_TO_SLOT);
    }
}

const BifEntry *machine_called(const void *back) {
    return (const BifEntry *)x_called_with(back);
}

typedef struct {
    LineEntry *lines;
    uint32_t line_count;
    NativeEntry *entries;
    uint32_t entry_count;
} Places; /* offsets in the hot section, until the code has its place */

static void add_line(Places *places, uint32_t at, const Ins *line) {
    places->lines[places->line_count++] = (LineEntry){(const void *)(uintptr_t)at, (uint32_t)line->a[0].number};
}

static void emit_instruction(Emitter *e, uint16_t op, const Operand *operands) {
    e->temps = 0;
    e->target = -1;
    e->target_free = false;
    e->start = e->a.now->size;
    e->start_label = 0;
    emitters[op](e, operands);
    assert(!asm_is_cold(&e->a));
}

static void pay_for_calls(Emitter *e, uintptr_t calls, uintptr_t live) {
    const Operand o[] = {{.kind = OPERAND_NUMBER, .number = calls}, {.kind = OPERAND_NUMBER, .number = live}};
    emit_instruction(e, OP_pay, o);
}

/* Is there an instruction that goes on elsewhere without ever having had a frame? */
static bool goes_on_frameless(const Program *pr, uint32_t first, uint32_t end) {
    for (uint32_t n = first; n < end; n++) {
        if (calling[pr->ins[n].op] == CALLING_FRAMELESS) {
            return true;
        }
    }
    return false;
}

/* The calls that stand in a row behind an instruction; at least one. */
static uintptr_t calls_ahead(const Program *pr, uint32_t n, uint32_t end) {
    uintptr_t calls = 0;
    for (n++; n < end && calling[pr->ins[n].op] != CALLING_LAST; n++) {
        calls += calling[pr->ins[n].op] == CALLING;
    }
    return MAX(calls, (uintptr_t)1);
}

static void emit_label(Emitter *e, uint32_t label, bool is_entry) {
    memset(e->small, 0, sizeof e->small);
    for (int i = 0; is_entry && i < SLOT + JUMP_TO_SLOT; i++) {
        asm_byte(&e->a, NOP);
    }
    while (is_entry && e->a.now->size % ENTRY_ALIGNMENT != 0 && !e->a.failed) {
        asm_byte(&e->a, NOP); /* nothing gets here */
    }
    asm_bind(&e->a, label);
}

static void emit_function_code(Emitter *e, Places *places, uint32_t first, uint32_t end) {
    const Program *pr = e->pr;
    bool pay_at_entry = goes_on_frameless(pr, first, end);
    const Operand *arity = NULL; /* the next label is the entry of a function with so many arguments */
    for (uint32_t n = first; n < end && !e->a.failed; n++) {
        const Ins *i = &pr->ins[n];
        if (i->op == OP_line) {
            add_line(places, e->a.now->size, i);
        } else if (i->op == OP_label) {
            emit_label(e, i->a[0].index, arity != NULL);
            if (arity != NULL && pay_at_entry) {
                pay_for_calls(e, 1, arity->number);
            }
            arity = NULL;
        } else {
            if (i->op == OP_allocate && !pay_at_entry) {
                pay_for_calls(e, calls_ahead(pr, n, end), i->a[2].number);
            }
            emit_instruction(e, i->op, i->a);
            arity = i->op == OP_func_info ? &i->a[2] : NULL;
        }
    }
}

static void emit_program(Emitter *e, Places *places) {
    const Program *pr = e->pr;
    uint32_t function = 0;
    for (Range r = {0}; next_function(pr, &r) && !e->a.failed; function++) {
        if (e->is_native[r.entry]) {
            places->entries[places->entry_count++] = (NativeEntry){(const uint8_t *)(uintptr_t)e->a.now->size, function};
            emit_function_code(e, places, r.first, r.end);
            if (!e->a.failed && e->a.now->size < asm_label_offset(&e->a, r.entry) + JUMP_TO_SLOT) {
                asm_byte(&e->a, NOP); /* nothing but a return */
            }
        }
    }
    /* What code that cannot be right leads to stands at the end, behind some function. */
    const Ins *last = pr->count == 0 ? NULL : &pr->ins[pr->count - 1];
    if (last != NULL && last->op == OP_bad_code && !e->a.failed && last[-1].op == OP_label && !e->a.labels[last[-1].a[0].index].bound) {
        emit_function_code(e, places, pr->count - 2, pr->count);
    }
}

/* The addresses that others need. */
static void publish(Emitter *e, const Places *places, NativeCode *code) {
    const Program *pr = e->pr;
    ModuleCode *c = pr->code;
    for (uint32_t i = 0; i < places->line_count; i++) {
        places->lines[i].at = code->start + (uintptr_t)places->lines[i].at;
    }
    for (uint32_t i = 0; i < places->entry_count; i++) {
        NativeEntry *n = &places->entries[i];
        n->at = code->start + (uintptr_t)n->at;
        Function *f = &c->functions[n->function];
        f->native = code->start + asm_label_offset(&e->a, f->label);
    }
    for (uint32_t n = 0; n < pr->count; n++) {
        const Ins *i = &pr->ins[n];
        for (uint8_t k = 0; k < i->count; k++) {
            if (i->a[k].kind == OPERAND_HANDLER && e->a.labels[i->a[k].index].bound) {
                catch_handler(e->vm, (uint32_t)i->a[k].number)->native = code->start + asm_label_offset(&e->a, i->a[k].index);
            }
        }
    }
}

bool machine_emit(VM *vm, Native *n, Program *pr) {
    Emitter e = {.vm = vm, .native = n, .pr = pr};
    Mem *mem = &vm->mem;
    Places places = {0};
    ModuleCode *c = pr->code;
    uint32_t line_room = c->line_count + 1;
    asm_init(&e.a, mem);
    for (uint32_t i = 1; i < pr->labels && !e.a.failed; i++) {
        asm_label(&e.a);
    }
#ifdef MOTE_STRESS
    e.yield_always = (vm->stress & STRESS_YIELD) != 0;
    e.collect_always = (vm->stress & STRESS_COLLECT) != 0;
#endif
    e.is_native = mem_zalloc(mem, MEM_TEMPORARY, pr->labels * sizeof *e.is_native);
    e.entry_of = mem_zalloc(mem, MEM_TEMPORARY, pr->labels * sizeof *e.entry_of);
    places.lines = mem_zalloc(mem, MEM_CODE, line_room * sizeof *places.lines);
    places.entries = mem_zalloc(mem, MEM_CODE, MAX(c->function_count, 1u) * sizeof *places.entries);
    NativeCode *code = NULL;
    if (e.is_native != NULL && e.entry_of != NULL && places.lines != NULL && places.entries != NULL && !e.a.failed) {
        choose_functions(&e);
        for (uint32_t i = 0; i < pr->labels; i++) {
            e.entry_of[i] = e.is_native[i] ? i : 0;
        }
        emit_program(&e, &places);
        code = e.a.failed ? NULL : native_allocate(vm, asm_size(&e.a));
    }
    if (code != NULL) {
        asm_finish(&e.a, native_writable(n, code->start), code->start);
        code->hot = e.a.section[SECTION_HOT].size;
        code->lines = places.lines, code->line_count = places.line_count;
        code->entries = places.entries, code->entry_count = places.entry_count;
        code->line_room = line_room, code->entry_room = MAX(c->function_count, 1u);
        publish(&e, &places, code);
        c->native = code;
    } else {
        mem_free(mem, MEM_CODE, places.lines, line_room * sizeof *places.lines);
        mem_free(mem, MEM_CODE, places.entries, MAX(c->function_count, 1u) * sizeof *places.entries);
    }
    mem_free(mem, MEM_TEMPORARY, e.is_native, pr->labels * sizeof *e.is_native);
    mem_free(mem, MEM_TEMPORARY, e.entry_of, pr->labels * sizeof *e.entry_of);
    asm_done(&e.a);
    return code != NULL;
}
