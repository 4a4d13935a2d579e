/* Ports: what stands for something outside and talks to one process, its owner. A port belongs to a driver, which is a row of
   functions; the struct of a driver's port begins with a Port. All of it happens under io_lock. */
#ifndef MOTE_IO_PORT_H
#define MOTE_IO_PORT_H

#include "io/io.h"
#include "proc/relation.h"

enum {
    PORT_BINARY = 1 << 0,   /* data are delivered as binaries */
    PORT_SOFT_EOF = 1 << 1, /* the end of the input is a message, not the end of the port */
    PORT_BUSY = 1 << 2,     /* commands wait */
    PORT_CLOSING = 1 << 3,  /* it no longer exists for anybody, but has output to write */
    PORT_PARALLEL = 1 << 4, /* opened with {parallelism, true} */
    PORT_FORCED = 1 << 5,   /* takes commands with option `force` although it is busy */
};

/* A driver's opening function: NULL in builds that have left it out (PART_... in the Makefile). */
#define MAY_BE_MISSING __attribute__((weak))

/* A driver may give io_lock up while the system does something for the process that has given a command: see port_leave. */
typedef enum { ASIDE_NOT, ASIDE_NOW, ASIDE_OVER } PortAside;

typedef struct Port Port;
typedef struct PortDriver {
    size_t size;                            /* of its struct */
    void (*output)(Port *port, Bytes data); /* a command */
    /* port_control: the result, or NONE: badarg. NULL: there is none. */
    term (*control)(Port *port, Process *p, uint32_t operation, Bytes data);
    size_t (*queued)(const Port *port); /* bytes taken that are not written yet. NULL: never any */
    void (*stop)(Port *port);           /* lets go of everything outside; NULL: nothing to do */
} PortDriver;

/* A link or monitor, seen from the port. */
typedef struct PortPeer {
    struct PortPeer *next;
    RelationKind kind; /* RELATION_LINK or RELATION_MONITORED */
    term pid;
    uint64_t key[2]; /* of the monitor's reference */
} PortPeer;

struct Port {
    term id;
    VM *vm;
    const PortDriver *driver;
    term owner;  /* the connected process */
    term caller; /* who has given the command that is being carried out */
    uint32_t flags;
    PortAside aside;            /* atomic: it becomes ASIDE_OVER without the lock */
    void (*settle)(Port *port); /* does what is to be done about what has been done aside */
    long os_pid;                /* -1: none */
    PortPeer *peers;
    term *waiting; /* pids of those who are parked because it is busy */
    uint32_t waiting_count, waiting_room;
    size_t name_size;
    char *name;
    uint64_t input, output; /* bytes */
    size_t high, low;       /* marks of the queue of output: busy from high on, until it is below low. high 0: never busy */
    term data;              /* port_set_data; NONE: none */
    Fragment *fragment;     /* that holds it */
    struct Tracing *traced; /* by whom, see trace/trace.h; NULL: nobody */
};

bool ports_init(VM *vm);
void ports_done(VM *vm);
bool ports_busy(VM *vm);  /* has any of them output that is not written yet? */
void ports_close(VM *vm); /* all; they are there until their output is written. Some may be the other ends of those that wait */
uint32_t ports_count(VM *vm);
uint32_t ports_limit(VM *vm); /* there may be so many */
void ports_set_limit(VM *vm, uint32_t limit);
/* All that exist, in the order of their making; *at is 0 at first. NULL: no more. */
Port *ports_next(VM *vm, size_t *at);

Port *port_find(VM *vm, term id); /* NULL: no such port, or closing */
/* A new port of p, linked to it. NULL: no memory, or too many. */
Port *port_new(Process *p, const PortDriver *driver, Bytes name);
Port *port_new_for(VM *vm, term owner, const PortDriver *driver, Bytes name); /* of a process that does not run just now */

/* What trace/ is told of a port, by those who have asked for one of the flags. extra: NONE, or more of it. */
void port_tell(Port *port, uint32_t flags, term tag, term message, term extra);
void port_tell_opened(Process *p, Port *port);             /* it has just been made; new ports may be traced */
void port_tell_received(Port *port, term from, term what); /* {from, what}: what a process wants of it */
/* The port begins to do what a process wants of it. */
void port_runs(Port *port, Process *p, term what);
void port_ran(Process *p, term id, term what);      /* it has; it may be gone */
void port_tell_waits(Process *p, const Port *port); /* p, as the port is busy: to system_monitor */
void port_tell_init(VM *vm);

/* What drivers say. */
void port_send(Port *port, term value, Heap *built);    /* {Port, Value} to the owner; built: a detached heap that holds it */
void port_send_data(Port *port, Bytes data, term kind); /* {data, D}, or {data, {Kind, D}} if kind is not NONE */
void port_count_output(Port *port, size_t bytes);
void port_set_busy(Port *port, bool busy);
void port_check_busy(Port *port); /* by the marks, after the queue has changed */
void port_written(Port *port);    /* its queue has become empty: the end of a port that is closing */
/* From port_leave to port_return the port's command is carried out without io_lock: nothing of the port is touched but what the driver has
   put aside for it, and whoever comes to the port meanwhile waits until that is over, and settles it. It may be gone then. */
void port_leave(Port *port, void (*settle)(Port *port));
void port_return(Port *port);
bool port_settle(Port *port); /* false: it is gone */
/* The end: links and monitors are told, output that is queued is written first. `reason` is a term that lives long enough. */
void port_exit(Port *port, term reason, bool send_closed);
void port_fail(Port *port, int error); /* the same for a system error */
/* The same, by which the owner gets no signal: the driver has told it already. */
void port_end(Port *port, term reason);

/* What processes ask for. */
typedef enum { PORT_DONE, PORT_BAD, PORT_IS_BUSY, PORT_NO_MEMORY } PortResult;
PortResult port_command(Process *p, Port *port, term data);
PortResult port_message(Process *p, Port *port, term message); /* Port ! Message. PORT_IS_BUSY: done, but p has been parked */
void port_connect(Process *p, Port *port, term pid);
void port_close(Process *p, Port *port, term reason, bool send_closed);
void port_wait(Process *p, Port *port); /* parks p until the port is not busy */

#endif
