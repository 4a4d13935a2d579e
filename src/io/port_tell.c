/* What trace/ hears of ports; and what it says to those that are tracers: terms in the external format, as commands. */
#include "io/port.h"

#include "data/bits.h"
#include "data/external.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "term/atom.h"
#include "trace/trace.h"

void port_tell(Port *port, uint32_t flags, term tag, term message, term extra) {
    if (UNLIKELY(port->traced != NULL)) {
        trace_tell(port->vm, &port->traced, flags, port->id, tag, message, extra);
    }
}

/* The flags of new ports of all sessions. */
static void inherit(Port *port) {
    VM *vm = port->vm;
    for (TraceSession *s = vm->trace->sessions; s != NULL; s = s->next) {
        if (s->new_ports == 0) {
            continue;
        }
        if (tracer_enabled(vm, s->port_tracer, A_trace_status, port->id) == A_remove) {
            s->new_ports = 0;
        } else {
            tracing_change(vm, &port->traced, s, s->port_tracer, true, s->new_ports, port->id);
        }
    }
}

void port_tell_opened(Process *p, Port *port) {
    inherit(port);
    if (port->traced != NULL || port->vm->trace->profile_ports) {
        port_tell(port, TRACE_PORTS, A_open, p->pid, atom_from(port->vm, port->name));
        port_runs(port, p, A_open);
        port_ran(p, port->id, A_open);
        port_tell(port, TRACE_PORTS, A_getting_linked, p->pid, NONE);
    }
}

void port_tell_received(Port *port, term from, term what) {
    if (UNLIKELY(port->traced != NULL)) {
        const term pair[] = {HEADER(2, KIND_TUPLE), from, what};
        port_tell(port, TRACE_RECEIVE, A_receive, make_boxed(pair), NONE);
    }
}

/* {profile, Port, active | inactive, 0, Time}; with `exclusive`, p counts as inactive meanwhile. */
static void profile(Process *p, term port, bool active) {
    VM *vm = process_vm(p);
    const Trace *t = vm->trace;
    if (t->profiler == NONE || t->profiler == port) {
        return;
    }
    if (t->profile_exclusive) {
        vm->processes->trace->runnable(p, !active);
    }
    if (t->profile_ports) {
        Heap h;
        heap_init_detached(&h, vm);
        trace_send(vm, t->profiler,
                   heap_tuple(&h, 5, A_profile, port, active ? A_active : A_inactive, SMALL(0), trace_time(&h, t->profile_time)));
        heap_free_fragments(vm, heap_detach(&h));
    }
}

void port_runs(Port *port, Process *p, term what) {
    port_tell(port, TRACE_RUNNING_PORTS, A_in, what, NONE);
    profile(p, port->id, true);
}

void port_ran(Process *p, term id, term what) {
    Port *port = port_find(process_vm(p), id);
    if (port != NULL) {
        port_tell(port, TRACE_RUNNING_PORTS, A_out, what, NONE);
    }
    profile(p, id, false);
}

void port_tell_waits(Process *p, const Port *port) {
    monitor_busy_port(p, port->id);
}

static void report(VM *vm, term id, term message) {
    static const ExternalOptions options = {.minor_version = 1};
    Text t;
    term reason;
    text_init(&t, &vm->mem);
    io_lock(vm);
    Port *port = port_find(vm, id);
    if (port != NULL && external_encode(&t, vm, message, &options, &reason)) {
        port->driver->output(port, (Bytes){t.at, t.size});
    }
    io_unlock(vm);
    text_done(&t);
}

void port_tell_init(VM *vm) {
    vm->processes->port_report = report;
}
