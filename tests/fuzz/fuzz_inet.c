/* Sockets as ports: whatever a program asks of them, and whatever the network does meanwhile, nothing is lost, and nothing but the
   port that was asked ends. Sockets, interfaces and poll are made here: no byte leaves the process. The input is a list of
   steps, each of two bytes (what, and how many bytes follow) and these. */
#include "fuzz.h"

#include <stdio.h>

#include "data/bits.h"
#include "io/port_inet.h"
#include "platform/net.h"
#include "platform/socket.h"
#include "proc/mailbox.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "proc/spawn.h"
#include "term/atom.h"
#include "trace/trace.h"

enum { FIRST_FD = 1000, SOCKETS = 8, PENDING = 11 /* EAGAIN */, BAD = 9 /* EBADF */ };

/* --- What the sockets say: taken from the input, in turn. --- */

static Bytes script; /* of the step that is being made */
static struct {
    bool open;
    unsigned watched;
    void *watcher[2]; /* of reading, of writing */
} sockets[SOCKETS];

static uint8_t next_byte(void) {
    uint8_t b = 0;
    if (script.size > 0) {
        b = script.at[0];
        script.at++, script.size--;
    }
    return b;
}

/* Most calls succeed. */
static int outcome(void) {
    uint8_t b = next_byte();
    return b < 0xc0 ? 0 : b & 0x3f;
}

static bool is_open(int fd) {
    return fd >= FIRST_FD && fd < FIRST_FD + SOCKETS && sockets[fd - FIRST_FD].open;
}

const int SOCKET_PENDING = PENDING, SOCKET_NOT_CONNECTED = 107, SOCKET_IS_CONNECTED = 106, SOCKET_ALREADY = 114, SOCKET_RESET = 104,
          SOCKET_TOO_LONG = 90;

static int new_socket(int *fd) {
    for (int i = 0; i < SOCKETS; i++) {
        if (!sockets[i].open) {
            memset(&sockets[i], 0, sizeof sockets[i]);
            sockets[i].open = true;
            *fd = FIRST_FD + i;
            return 0;
        }
    }
    return 24; /* EMFILE */
}

int socket_open(unsigned family UNUSED, SocketType type UNUSED, SocketProtocol protocol UNUSED, const char *space UNUSED, int *fd) {
    int error = outcome();
    return error != 0 ? error : new_socket(fd);
}
void socket_close(int fd) {
    MUST(is_open(fd) && sockets[fd - FIRST_FD].watched == 0);
    sockets[fd - FIRST_FD].open = false;
}
void socket_make_ready(int fd UNUSED) {
}
int socket_bind(int fd UNUSED, const SocketAddress *a UNUSED) {
    return outcome();
}
int socket_listen(int fd UNUSED, int backlog UNUSED) {
    return outcome();
}
int socket_connect(int fd UNUSED, const SocketAddress *a UNUSED) {
    return next_byte() & 1 ? PENDING : outcome();
}
int socket_accept(int fd UNUSED, int *accepted) {
    int error = next_byte() & 1 ? PENDING : outcome();
    return error != 0 ? error : new_socket(accepted);
}
int socket_error(int fd UNUSED) {
    return outcome();
}
static int some_address(int fd, SocketAddress *a) {
    static const uint8_t families[] = {FAMILY_INET, FAMILY_INET6, FAMILY_LOCAL, FAMILY_NONE, FAMILY_OTHER};
    if (!is_open(fd)) {
        return BAD;
    }
    memset(a, 0, sizeof *a);
    a->family = families[next_byte() % ARRAY_LEN(families)];
    a->size = a->family == FAMILY_INET ? 4 : a->family == FAMILY_INET6 ? 16 : a->family == FAMILY_LOCAL ? next_byte() % 109 : 0;
    a->port = next_byte();
    for (size_t i = 0; i < a->size; i++) {
        a->bytes[i] = next_byte();
    }
    return outcome();
}
int socket_name(int fd, SocketAddress *a) {
    return some_address(fd, a);
}
int socket_peer(int fd, SocketAddress *a) {
    return some_address(fd, a);
}
int socket_shutdown(int fd UNUSED, unsigned how UNUSED) {
    return outcome();
}
ptrdiff_t socket_read(int fd, void *to, size_t size, int *error) {
    MUST(is_open(fd));
    *error = next_byte();
    if (*error >= 0xe0 || script.size == 0) {
        *error = *error & 1 ? PENDING : *error;
        return *error == 0 ? 0 : -1;
    }
    size = MIN(size, script.size);
    memcpy(to, script.at, size);
    script.at += size, script.size -= size;
    return (ptrdiff_t)size;
}
static ptrdiff_t taken(size_t size, int *error) {
    uint8_t b = next_byte();
    if (b >= 0xc0) {
        *error = b & 1 ? PENDING : b & 0x3f;
        return -1;
    }
    return (ptrdiff_t)(b & 1 ? size / 2 : size);
}
ptrdiff_t socket_write(int fd, Bytes head, Bytes data, int *error) {
    MUST(is_open(fd));
    return taken(head.size + data.size, error);
}
ptrdiff_t socket_send_file(int fd, int file UNUSED, int64_t offset UNUSED, int64_t size, int *error) {
    MUST(is_open(fd));
    return taken(size <= 0 || size > 4096 ? 4096 : (size_t)size, error);
}
int socket_send_to(int fd, const SocketAddress *a UNUSED, const SocketExtra *extra UNUSED, Bytes data UNUSED) {
    MUST(is_open(fd));
    return next_byte() & 1 ? PENDING : outcome();
}
static void some_extra(SocketExtra *extra) {
    static const uint8_t options[] = {SOCKET_TOS, SOCKET_TCLASS, SOCKET_TTL};
    extra->count = next_byte() % 4;
    for (unsigned i = 0; i < extra->count; i++) {
        extra->item[i].option = options[next_byte() % ARRAY_LEN(options)];
        extra->item[i].value = next_byte();
    }
}
ptrdiff_t socket_receive_from(int fd, void *to, size_t size, SocketAddress *a, SocketExtra *extra, int *error) {
    int failed = some_address(fd, a);
    if (failed != 0) {
        *error = failed;
        return -1;
    }
    some_extra(extra);
    return socket_read(fd, to, size, error);
}
int socket_packet_options(int fd UNUSED, unsigned family UNUSED, SocketExtra *extra) {
    some_extra(extra);
    return outcome();
}

bool socket_option_known(unsigned option) {
    return option < 50 && option % 7 != 0;
}
bool socket_option_strict(unsigned option) {
    return option % 2 == 0;
}
int socket_set_number(int fd UNUSED, unsigned option UNUSED, int32_t value UNUSED) {
    return outcome();
}
int socket_get_number(int fd UNUSED, unsigned option UNUSED, int32_t *value) {
    *value = next_byte();
    return outcome();
}
int socket_set_linger(int fd UNUSED, int32_t on UNUSED, int32_t seconds UNUSED) {
    return outcome();
}
int socket_get_linger(int fd UNUSED, int32_t value[2]) {
    value[0] = value[1] = next_byte();
    return outcome();
}
int socket_set_raw(int fd UNUSED, int level UNUSED, int name UNUSED, Bytes value UNUSED) {
    return outcome();
}
static int some_bytes(void *to, size_t *size) {
    uint8_t n = next_byte();
    *size = MIN(*size, n);
    memset(to, 'r', *size);
    return outcome();
}
int socket_get_raw(int fd UNUSED, int level UNUSED, int name UNUSED, void *value, size_t *size) {
    return some_bytes(value, size);
}
int socket_set_device(int fd UNUSED, const char *name UNUSED) {
    return outcome();
}
int socket_get_device(int fd UNUSED, char *name, size_t *size) {
    return some_bytes(name, size);
}
int socket_membership(int fd UNUSED, bool add UNUSED, unsigned family UNUSED, const uint8_t *group UNUSED, const uint8_t *interface UNUSED,
                      uint32_t index UNUSED) {
    return outcome();
}
int socket_set_multicast_if(int fd UNUSED, unsigned family UNUSED, const uint8_t value[4] UNUSED) {
    return outcome();
}
int socket_get_multicast_if(int fd UNUSED, unsigned family UNUSED, uint8_t value[4]) {
    memset(value, next_byte(), 4);
    return outcome();
}
int socket_interfaces(bool (*visit)(void *arg, const Interface *i), void *arg) {
    static const uint8_t hardware[] = {1, 2, 3, 4, 5, 6};
    Interface i = {.name = "if0", .flags = next_byte(), .hardware = {hardware, next_byte() & 1 ? sizeof hardware : 0}};
    i.address = (SocketAddress){.family = FAMILY_INET, .size = 4};
    i.netmask = (SocketAddress){.family = FAMILY_INET6, .size = 16};
    while (next_byte() != 0 && visit(arg, &i)) {
    }
    return outcome();
}
bool socket_interface_get(int fd UNUSED, const char *name UNUSED, unsigned kind UNUSED, InterfaceValue *v) {
    memset(v, 0, sizeof *v);
    v->address = (SocketAddress){.family = FAMILY_INET, .size = 4};
    v->hardware_size = next_byte() % (sizeof v->hardware + 1);
    return outcome() == 0;
}
void socket_interface_set(int fd UNUSED, const char *name UNUSED, unsigned kind UNUSED, const InterfaceValue *v UNUSED) {
}
bool socket_service_port(const char *name UNUSED, const char *protocol UNUSED, uint16_t *port) {
    *port = next_byte();
    return outcome() == 0;
}
bool socket_service_name(uint16_t port UNUSED, const char *protocol UNUSED, char *name, size_t size) {
    snprintf(name, size, "service");
    return outcome() == 0;
}

/* --- Poll: what the input says is ready. --- */

struct Poll {
    int fd;
    unsigned ready;
};
static Poll the_poll;

Poll *poll_new(Mem *mem UNUSED) {
    return &the_poll;
}
void poll_free(Poll *p UNUSED) {
}
bool poll_watch(Poll *p UNUSED, int fd, unsigned what, void *watcher) {
    if (!is_open(fd)) {
        return what == 0;
    }
    sockets[fd - FIRST_FD].watched = what;
    sockets[fd - FIRST_FD].watcher[0] = sockets[fd - FIRST_FD].watcher[1] = watcher;
    return true;
}
size_t poll_watched(const Poll *p UNUSED) {
    size_t n = 0;
    for (int i = 0; i < SOCKETS; i++) {
        n += sockets[i].open && sockets[i].watched != 0;
    }
    return n;
}
size_t poll_memory(const Poll *p UNUSED) {
    return 0;
}
void poll_wait(Poll *p UNUSED, int64_t nanoseconds UNUSED) {
}
bool poll_sleep(Poll *p, int64_t nanoseconds UNUSED) {
    return is_open(p->fd) && (sockets[p->fd - FIRST_FD].watched & p->ready) != 0;
}
void *poll_next(Poll *p, int *fd, unsigned *what) {
    if (!is_open(p->fd) || (sockets[p->fd - FIRST_FD].watched & p->ready) == 0) {
        return NULL;
    }
    *fd = p->fd;
    *what = sockets[p->fd - FIRST_FD].watched & p->ready & POLL_READ ? POLL_READ : POLL_WRITE;
    p->ready &= ~*what;
    return sockets[p->fd - FIRST_FD].watcher[*what == POLL_WRITE];
}
void poll_wake(Poll *p UNUSED) {
}

/* --- The program: a process that throws its messages away and does what the input says. --- */

static RunResult run(Scheduler *s UNUSED, Process *p) {
    while (mailbox_peek(p) != NONE) {
        mailbox_remove(p);
    }
    p->live = 0;
    return RUN_WAIT;
}

static void become_still(VM *vm) {
    for (int i = 0; i < 100 && scheduler_step(vm_scheduler(vm)); i++) {
    }
}

static term new_process(VM *vm) {
    SpawnOptions o;
    term reason;
    spawn_options_init(vm, &o);
    term pid = process_spawn(vm, NULL, A_erlang, A_apply, NIL, &o, &reason);
    MUST(pid != NONE);
    return pid;
}

static Port *some_port(VM *vm, unsigned number) {
    size_t at = 0;
    Port *first = ports_next(vm, &at), *port = first;
    while (number-- > 0 && port != NULL) {
        port = ports_next(vm, &at);
    }
    return port != NULL ? port : first;
}

enum { STEP_CONTROL, STEP_COMMAND, STEP_READY, STEP_TIME, STEP_CLOSE, STEP_OPEN, STEP_CONNECT, STEP_EXIT, STEPS };

/* What p, which has been entered, asks of a port. */
static void ask(Process *p, unsigned step, Bytes data) {
    VM *vm = process_vm(p);
    Port *port = some_port(vm, data.size > 0 ? data.at[0] % 3 : 0);
    int error;
    if (step == STEP_OPEN) {
        if (ports_count(vm) < 4) {
            (data.size > 0 && data.at[0] & 1 ? port_open_udp : port_open_tcp)(p, "", PORT_BINARY, &error);
        }
    } else if (port == NULL || data.size < 3) {
        return;
    } else if (step == STEP_CONTROL) {
        size_t n = MIN(data.at[2], data.size - 3); /* the request; behind it what the sockets say */
        uint8_t *exact = malloc(n + !n);
        MUST(exact != NULL);
        memcpy(exact, data.at + 3, n);
        script = (Bytes){data.at + 3 + n, data.size - 3 - n};
        port->driver->control(port, p, 0x03f1a300u + data.at[1], (Bytes){exact, n});
        free(exact);
    } else if (step == STEP_COMMAND) {
        script = (Bytes){data.at + 1, 2};
        term command = bits_from(&p->heap, data.at + 3, data.size - 3);
        MUST(command != NONE);
        port_command(p, port, command);
    } else if (step == STEP_CLOSE) {
        port_close(p, port, A_normal, data.at[1] & 1);
    } else if (step == STEP_CONNECT) {
        port_connect(p, port, p->pid);
    }
}

static const char *release;
static const char *otp_release(VM *vm UNUSED) {
    return release;
}

static void make_step(VM *vm, term *pid, unsigned step, Bytes data) {
    Clock *clock = &vm->processes->clock;
    uint8_t how = data.size > 0 ? data.at[0] : 0;
    script = data;
    switch (step) {
    case STEP_READY:
        next_byte();
        the_poll = (Poll){FIRST_FD + how % SOCKETS, how & 0x80 ? POLL_READ | POLL_WRITE : how & 0x40 ? POLL_WRITE : POLL_READ};
        vm->processes->poll(vm, 0);
        break;
    case STEP_TIME: clock->now += (int64_t)how * how * 1000000; break;
    case STEP_EXIT:
        exit_send(vm_scheduler(vm), NONE, *pid, A_kill);
        become_still(vm);
        *pid = new_process(vm);
        break;
    default: {
        Process *p = process_find(vm, *pid);
        if (p != NULL && process_enter(p) == ENTER_DONE) {
            ask(p, step, data);
            process_leave(p);
        }
    }
    }
    become_still(vm);
    vm->processes->poll(vm, 0);
    if (process_find(vm, *pid) == NULL) { /* a port it was linked to has failed */
        *pid = new_process(vm);
    }
}

static void open_vm(VM *vm) {
    static const uintptr_t no_handlers[1];
    static const BifTable no_bifs;
    memset(vm, 0, sizeof *vm);
    mem_init(&vm->mem);
    vm->bifs = &no_bifs;
    vm->handlers = no_handlers;
    MUST(terms_init(vm) && processes_init(vm, 0, 1) && code_init(vm) && trace_init(vm) && io_init(vm));
    vm->processes->run = run;
    vm->processes->clock.frozen = true;
    vm->otp_release = otp_release;
}

static void close_vm(VM *vm) {
    trace_done(vm);
    processes_done(vm);
    io_done(vm);
    code_done(vm);
    terms_done(vm);
    MUST(mem_total(&vm->mem) == 0);
}

/* What ports have taken is written; then nothing is left of them. */
static void close_ports(VM *vm) {
    script = (Bytes){0};
    ports_close(vm);
    for (int i = 0; i < SOCKETS; i++) {
        the_poll = (Poll){FIRST_FD + i, POLL_WRITE};
        vm->processes->poll(vm, 0);
    }
    MUST(!ports_busy(vm) && ports_count(vm) == 0);
    for (int i = 0; i < SOCKETS; i++) {
        MUST(!sockets[i].open);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { RUNS = 500 }; /* with one VM */
    static VM vm;
    static unsigned runs;
    if (runs++ % RUNS == 0) {
        if (vm.processes != NULL) {
            close_vm(&vm);
        }
        open_vm(&vm);
    }
    release = size > 0 && data[0] & 2 ? "25" : "29"; /* commands changed with 26 */
    term pid = new_process(&vm);
    become_still(&vm);
    if (size > 0) {
        make_step(&vm, &pid, STEP_OPEN, (Bytes){data, 1});
        data++, size--;
    }
    while (size >= 2) {
        size_t n = MIN(data[1], size - 2);
        make_step(&vm, &pid, data[0] % STEPS, (Bytes){data + 2, n});
        data += 2 + n, size -= 2 + n;
    }
    close_ports(&vm);
    exit_send(vm_scheduler(&vm), NONE, pid, A_kill);
    become_still(&vm);
    return 0;
}
