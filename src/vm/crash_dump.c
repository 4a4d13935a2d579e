/* The sections of a crash dump, in OTP's order. */
#include "vm/crash_dump.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "code/code.h"
#include "io/port.h"
#include "platform/environment.h"
#include "platform/platform.h"
#include "proc/collect.h"
#include "proc/dictionary.h"
#include "proc/names.h"
#include "proc/relation.h"
#include "proc/run_queue.h"
#include "proc/schedule.h"
#include "proc/timer.h"
#include "table/ets.h"
#include "table/persistent.h"
#include "term/atom.h"
#include "term/gc.h"
#include "term/ref.h"
#include "vm/dump_terms.h"
#include "vm/machine.h"

/* --- The system ------------------------------------------------------------------------------------------------------ */

static void dump_head(Dump *d, const char *slogan) {
    time_t now = platform_system_time() / 1000000000; /* time() is looked for at every start, far from the rest of its library */
    dump_text(
        d, "=erl_crash_dump:0.5\n%sSlogan: %s\nSystem version: Erlang/OTP %s [erts-%s] [mote %s] [%d-bit] [smp:%u:%u] [async-threads:%d]\n",
        ctime(&now), slogan, machine_otp_release(d->vm), machine_erts_version(d->vm), MOTE_VERSION, WORD_BITS,
        d->vm->processes->scheduler_count, d->vm->processes->online, d->vm->flags->async_threads);
    dump_text(d, "Taints: \nAtoms: %zu\nCalling Thread: scheduler:1\n", atom_count(d->vm));
}

static void dump_scheduler(Dump *d, const Scheduler *s) {
    dump_text(d, "=scheduler:%u\nScheduler Sleep Info Flags: \nScheduler Sleep Info Aux Work: \nCurrent Port: \n", s->id);
    dump_text(d, "Run Queue Max Length: 0\nRun Queue High Length: 0\nRun Queue Normal Length: %zu\nRun Queue Low Length: 0\n",
              run_queue_length(s));
    dump_text(d, "Run Queue Port Length: 0\nRun Queue Flags: \nCurrent Process: ");
    if (s->current != NULL) {
        dump_term(d, s->current->pid);
    }
    dump_text(d, "\n");
}

static size_t used(const Dump *d, MemKind kind) {
    return mem_used(&d->vm->mem, kind);
}

void dump_memory(Dump *d) {
    size_t total = mem_total(&d->vm->mem), processes = used(d, MEM_PROCESS) + used(d, MEM_HEAP), atom = used(d, MEM_ATOM);
    dump_text(d,
              "=memory\ntotal: %zu\nprocesses: %zu\nprocesses_used: %zu\nsystem: %zu\natom: %zu\natom_used: %zu\nbinary: %zu\ncode: "
              "%zu\nets: %zu\n",
              total, processes, processes, total - processes, atom, atom, used(d, MEM_BINARY), used(d, MEM_CODE), used(d, MEM_ETS));
}

void dump_sizes(Dump *d) {
    const Code *c = d->vm->code;
    const struct {
        const char *name;
        size_t size, used;
    } tables[] = {
        {"module_code", c->module_buckets, c->module_count},
        {"export_list", c->export_buckets, c->export_count},
        {"fun_table", c->lambda_buckets, c->lambda_count},
    };
    dump_text(d, "=index_table:atom_tab\nsize: %zu\nlimit: %u\nentries: %zu\n", atom_count(d->vm), atoms_limit(d->vm), atom_count(d->vm));
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        dump_text(d, "=hash_table:%s\nsize: %zu\nused: %zu\nobjs: %zu\ndepth: 0\n", tables[i].name, tables[i].size,
                  MIN(tables[i].size, tables[i].used), tables[i].used);
    }
    static const char *const kinds[MEM_KINDS] = {"system", "processes", "heaps", "binary", "atom", "code", "ets", "temporary"};
    dump_text(d, "=allocated_areas\n");
    for (int k = 0; k < MEM_KINDS; k++) {
        dump_text(d, "%s: %zu\n", kinds[k], used(d, (MemKind)k));
    }
}

/* --- Processes ------------------------------------------------------------------------------------------------------- */

static const char *state_of_process(const Process *p) {
    static const struct {
        uint32_t bit;
        const char *name;
    } states[] = {
        {STATE_EXITING, "Exiting"},     {STATE_COLLECTING, "Garbing"}, {STATE_RUNNING, "Running"},
        {STATE_SUSPENDED, "Suspended"}, {STATE_RUNNABLE, "Scheduled"},
    };
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        if (p->state & states[i].bit) {
            return states[i].name;
        }
    }
    return "Waiting";
}

static void dump_code_address(Dump *d, const void *at) {
    ModuleCode *code;
    Module *module;
    const Function *f = at == NULL ? NULL : code_find(d->vm, at, &code, &module);
    if (f == NULL) {
        dump_text(d, "(%s)", at == NULL ? "invalid" : "<terminate process normally>");
        return;
    }
    dump_text(d, "(");
    dump_term(d, module->name);
    dump_text(d, ":");
    dump_term(d, f->name);
    dump_text(d, "/%u + 0)", f->arity);
}

typedef struct {
    Dump *dump;
    bool any;
} Links;

static void dump_relation(Process *p UNUSED, Relation *r, void *arg) {
    Links *l = arg;
    bool monitor = r->kind == RELATION_REFERENCE && r->flags & RELATION_MONITOR && r->other != NONE;
    if (!monitor && r->kind != RELATION_LINK && r->kind != RELATION_MONITORED) {
        return;
    }
    Dump *d = l->dump;
    dump_text(d, l->any ? ", " : "Link list: [");
    l->any = true;
    if (r->kind == RELATION_LINK) {
        dump_term(d, r->other);
        return;
    }
    term ref[REF_WORDS];
    dump_text(d, monitor ? "{to," : "{from,");
    dump_term(d, r->other);
    dump_text(d, ",");
    dump_term(d, ref_write(ref, r->key[0], r->key[1]));
    dump_text(d, "}");
}

void dump_process(Dump *d, Process *p) {
    HeapSizes sizes = gc_sizes(&p->heap);
    Links links = {d, false};
    dump_text(d, "=proc:");
    dump_term(d, p->pid);
    dump_text(d, "\nState: %s\n", state_of_process(p));
    if (p->state & STATE_NAMED) {
        dump_text(d, "Name: ");
        dump_term(d, name_of(d->vm, p->pid));
        dump_text(d, "\n");
    }
    dump_text(d, "Spawned as: ");
    dump_term(d, ATOM(p->initial_module));
    dump_text(d, ":");
    dump_term(d, ATOM(p->initial_function));
    dump_text(d, "/%u\nSpawned by: ", p->initial_arity);
    if (p->parent == NO_PARENT) {
        dump_text(d, "[]");
    } else {
        dump_term(d, make_pid(p->parent));
    }
    dump_text(d, "\nMessage queue length: %u\nNumber of heap fragments: %d\nHeap fragment data: %zu\n", p->messages,
              p->heap.fragments != NULL, sizes.fragments);
    relation_each(p, dump_relation, &links);
    dump_text(d, links.any ? "]\n" : "");
    dump_text(d, "Reductions: %llu\nStack+heap: %zu\nOldHeap: %zu\nHeap unused: %zu\nOldHeap unused: %zu\n",
              (unsigned long long)p->reductions, (size_t)(p->heap.end - p->heap.start), sizes.old_block, (size_t)(p->heap.sp - p->heap.top),
              p->heap.old == NULL ? 0 : (size_t)(p->heap.old->end - p->heap.old->top));
    dump_text(d, "BinVHeap: 0\nOldBinVHeap: 0\nBinVHeap unused: 0\nOldBinVHeap unused: 0\nMemory: %zu\nProgram counter: 0x%016llx ",
              process_memory(p), (unsigned long long)(uintptr_t)p->ip);
    dump_code_address(d, p->ip);
    dump_text(d, "\nInternal State: %s\n", p->state & STATE_EXITING ? "EXITING" : p->state & STATE_RUNNING ? "ACTIVE | RUNNING" : "");
}

static void begin_section(Dump *d, const char *name, const Process *p) {
    dump_text(d, "=%s:", name);
    dump_term(d, p->pid);
    dump_text(d, "\n");
}

/* Registers that are saved above the stack are not part of it. */
static void dump_stack(Dump *d, Process *p) {
    unsigned y = 0;
    begin_section(d, "proc_stack", p);
    for (const term *at = p->heap.sp + p->live; at < p->heap.end; at++) {
        if (is_header(*at)) {
            dump_text(d, "0x%016llx:SReturn addr 0x%llX ", (unsigned long long)(uintptr_t)at, (unsigned long long)*at);
            dump_code_address(d, (const void *)*at);
            y = 0;
        } else if (is_catch(*at)) {
            dump_text(d, "y%u:SCatch 0x%llX ", y++, (unsigned long long)*at);
            dump_code_address(d, NULL);
        } else {
            dump_text(d, "y%u:", y++);
            dump_element(d, *at);
        }
        dump_text(d, "\n");
    }
}

static void dump_process_terms(Dump *d, Process *p, Heap *keep) {
    size_t count;
    const term *pairs = dictionary_roots(p, &count);
    term list = NIL;
    for (size_t i = count; i > 0; i -= 2) {
        list = heap_cons(keep, TUPLE2(keep, pairs[i - 2], pairs[i - 1]), list);
    }
    if (count > 0) {
        begin_section(d, "proc_dictionary", p);
        for (term t = list; t != NIL; t = tail(t)) {
            dump_element(d, head(t));
            dump_text(d, "\n");
        }
    }
    if (p->inner != NULL) {
        begin_section(d, "proc_messages", p);
        for (const Signal *m = p->inner; m != NULL; m = m->next) {
            dump_element(d, m->value);
            dump_text(d, ":N\n");
        }
    }
    dump_stack(d, p);
    begin_section(d, "proc_heap", p);
    for (const term *at = p->heap.sp; at < p->heap.end; at++) {
        if (!is_header(*at) && !is_catch(*at)) {
            dump_heap(d, *at);
        }
    }
    for (term t = list; t != NIL; t = tail(t)) {
        dump_heap(d, head(t));
    }
    for (const Signal *m = p->inner; m != NULL; m = m->next) {
        dump_heap(d, m->value);
    }
}

static Process *next_process(Dump *d, uint32_t *i) {
    while (*i < d->vm->processes->top && !d->full) {
        Process *p = process_at(d->vm, (*i)++);
        if (p != NULL && !(p->state & STATE_FREE)) {
            return p;
        }
    }
    return NULL;
}

void dump_processes(Dump *d) {
    uint32_t i = 0;
    for (Process *p; (p = next_process(d, &i)) != NULL;) {
        dump_process(d, p);
    }
}

/* --- Ports, tables, timers -------------------------------------------------------------------------------------------- */

void dump_ports(Dump *d) {
    size_t at = 0;
    for (const Port *port; (port = ports_next(d->vm, &at)) != NULL;) {
        dump_text(d, "=port:");
        dump_term(d, port->id);
        dump_text(d, "\nState: CONNECTED\nSlot: %llu\nConnected: ", (unsigned long long)port_number(port->id));
        dump_term(d, port->owner);
        bool any = false;
        for (const PortPeer *peer = port->peers; peer != NULL; peer = peer->next) {
            if (peer->kind == RELATION_LINK) {
                dump_text(d, any ? ", " : "\nLinks: ");
                dump_term(d, peer->pid);
                any = true;
            }
        }
        dump_text(d, "\nPort controls %s: ", port->os_pid < 0 ? "linked-in driver" : "external process");
        dump_bytes(d, port->name, port->name_size);
        dump_text(d, "\nInput: %llu\nOutput: %llu\nQueue: %zu\n", (unsigned long long)port->input, (unsigned long long)port->output,
                  port->driver->queued == NULL ? 0 : port->driver->queued(port));
    }
}

void dump_tables(Dump *d) {
    static const char *const types[] = {"set", "ordered_set", "bag", "duplicate_bag"}, *const protections[] = {"private", "protected",
                                                                                                               "public"};
    for (const Table *t = NULL; (t = table_next(d->vm, t)) != NULL && !d->full;) {
        dump_text(d, "=ets:");
        dump_term(d, t->owner);
        dump_text(d, "\nSlot: %llu\nTable: ", (unsigned long long)(uintptr_t)t);
        dump_term(d, t->name);
        dump_text(d, "\nName: ");
        dump_term(d, t->name);
        if (!table_is_tree(t)) {
            dump_text(d,
                      "\nBuckets: %zu\nChain Length Avg: %f\nChain Length Max: 0\nChain Length Min: 0\nChain Length Std Dev: 0.0\n"
                      "Chain Length Expected Std Dev: 0.0",
                      t->hash.active, t->hash.active == 0 ? 0 : (double)table_size(t) / (double)t->hash.active);
        } else {
            dump_text(d, "\nOrdered set (AVL tree), Elements: %zu", table_size(t));
        }
        dump_text(d,
                  "\nFixed: %s\nObjects: %zu\nWords: %zu\nType: %s\nProtection: %s\nCompressed: %s\nWrite Concurrency: %s\nRead "
                  "Concurrency: %s\n",
                  table_is_fixed(t) ? "true" : "false", table_size(t), table_bytes(t) / sizeof(term), types[t->type],
                  protections[t->protection], t->compressed ? "true" : "false", t->write_concurrency != A_false ? "true" : "false",
                  t->read_concurrency ? "true" : "false");
    }
}

static void dump_timer(const BifTimer *t, void *arg) {
    Dump *d = arg;
    if (!d->full) {
        dump_text(d, "=timer:");
        dump_term(d, t->receiver);
        dump_text(d, "\nMessage: ");
        dump_term(d, t->value);
        dump_text(d, "\nTime left: %lld\n", (long long)timers_left(d->vm, t->timer.at));
    }
}

void dump_node(Dump *d) {
    Bytes node = atom_text(d->vm, node_name(d->vm));
    dump_text(d, "=node:'%.*s'\n=no_distribution\n", (int)node.size, (const char *)node.at);
}

/* --- Code ------------------------------------------------------------------------------------------------------------- */

size_t dump_code_size(const ModuleCode *c) {
    size_t bytes =
        c == NULL ? 0
                  : c->function_count * sizeof *c->functions + c->literal_words * sizeof(term) + c->attributes.size + c->compile_info.size;
    for (const CodeSegment *s = c == NULL ? NULL : c->segments; s != NULL; s = s->next) {
        bytes += s->room * sizeof(Unit);
    }
    for (const NativeCode *n = c == NULL ? NULL : c->native; n != NULL; n = n->next) {
        bytes += n->size;
    }
    return bytes;
}

typedef struct {
    Dump *dump;
    size_t current, old;
} CodeSizes;

static void add_size(Module *m, void *arg) {
    CodeSizes *sizes = arg;
    sizes->current += dump_code_size(m->current);
    sizes->old += dump_code_size(m->old);
}

static void dump_module(Module *m, void *arg) {
    Dump *d = ((CodeSizes *)arg)->dump;
    if (m->current == NULL && m->old == NULL) {
        return;
    }
    dump_text(d, "=mod:");
    dump_term(d, m->name);
    dump_text(d, "\nCurrent size: %zu\n", dump_code_size(m->current));
    if (m->old != NULL) {
        dump_text(d, "Old size: %zu\n", dump_code_size(m->old));
    }
}

static void dump_code(Dump *d) {
    CodeSizes sizes = {d, 0, 0};
    module_each(d->vm, add_size, &sizes);
    dump_text(d, "=loaded_modules\nCurrent code: %zu\nOld code: %zu\n", sizes.current, sizes.old);
    module_each(d->vm, dump_module, &sizes);
    const Code *c = d->vm->code;
    for (uint32_t i = 0; i < c->lambda_buckets && !d->full; i++) {
        for (const Lambda *l = c->lambdas[i]; l != NULL; l = l->next) {
            dump_text(d, "=fun\nModule: ");
            dump_term(d, l->module);
            dump_text(d, "\nUniq: %u\nIndex: %u\nAddress: 0x%016llx\nRefc: 1\n", l->old_uniq, l->old_index,
                      (unsigned long long)(uintptr_t)l->code);
        }
    }
}

static void dump_persistent_terms(Dump *d, Heap *keep) {
    term list = persistent_list(keep);
    dump_text(d, "=persistent_terms\n");
    for (term t = list; is_cons(t); t = tail(t)) {
        dump_element(d, element(head(t), 1));
        dump_text(d, "|");
        dump_element(d, element(head(t), 2));
        dump_text(d, "\n");
    }
    for (term t = list; is_cons(t); t = tail(t)) {
        dump_heap(d, head(t)); /* they are literals */
    }
}

static void dump_atoms(Dump *d) {
    dump_text(d, "=atoms\n");
    for (size_t i = atom_count(d->vm); i-- > 0 && !d->full;) {
        dump_term(d, ATOM(i));
        dump_text(d, "\n");
    }
}

/* --- All of it -------------------------------------------------------------------------------------------------------- */

static void dump_all(Dump *d, const char *slogan) {
    Heap keep; /* what is made for the dump: its addresses must stay its own */
    heap_init_detached(&keep, d->vm);
    dump_head(d, slogan);
    for (uint32_t i = 0; i < __atomic_load_n(&d->vm->processes->started, __ATOMIC_ACQUIRE); i++) {
        dump_scheduler(d, d->vm->processes->schedulers[i]);
    }
    dump_memory(d);
    dump_sizes(d);
    dump_processes(d);
    dump_ports(d);
    dump_tables(d);
    bif_timers_each(d->vm, dump_timer, d);
    dump_node(d);
    dump_code(d);
    uint32_t i = 0;
    for (Process *p; (p = next_process(d, &i)) != NULL;) {
        if (!(p->state & (STATE_EXITING | STATE_SENSITIVE))) {
            dump_process_terms(d, p, &keep);
        }
    }
    dump_persistent_terms(d, &keep);
    dump_text(d, "=literals\n");
    dump_literals(d);
    dump_buffers(d);
    dump_atoms(d);
    dump_text(d, "=end\n");
    heap_free_fragments(d->vm, heap_detach(&keep));
    dump_done(d);
}

/* On standard error, with OTP's ends of lines. */
static void tell(const char *text) {
    for (; *text != '\0'; text++) {
        fputs(*text == '\n' ? "\r\n" : (char[]){*text, '\0'}, stderr);
    }
}

void crash_dump_write(VM *vm, const char *slogan) {
    const char *name = environment_get("ERL_CRASH_DUMP"), *seconds = environment_get("ERL_CRASH_DUMP_SECONDS"),
               *bytes = environment_get("ERL_CRASH_DUMP_BYTES");
    Dump d = {.vm = vm, .left = INT64_MAX};
    char *end;
    int64_t limit = bytes == NULL ? -1 : strtoll(bytes, &end, 10);
    if (limit >= 0 && end != bytes && *end == '\0') {
        d.left = limit;
    }
    if (vm->flags->no_crash_dump || d.left == 0 || (seconds != NULL && atoi(seconds) == 0)) {
        return;
    }
    if (seconds != NULL && atoi(seconds) > 0) {
        alarm((unsigned)atoi(seconds)); /* which ends the process */
    }
    name = name == NULL ? "erl_crash.dump" : name;
    tell("\nCrash dump is being written to: ");
    tell(name);
    tell("...");
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0640);
    if (fd < 0 || (d.file = fdopen(fd, "w")) == NULL) {
        return;
    }
    dump_all(&d, slogan);
    fclose(d.file);
    tell(d.left < 0 ? "" : "done\n");
}
