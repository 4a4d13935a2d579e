/* Sockets as ports: what OTP's prim_inet.erl talks to, by port_control (requests of bytes, answered by bytes) and port_command. The
   numbers of requests, options and answers are those of its inet_int.hrl.

       inet_address.c  addresses as bytes      inet_option.c   options, statistics      inet_request.c  what both kinds are asked
       inet_message.c  what is sent to whom    inet_tcp.c      streams: connect, accept, input      inet_output.c  their output
       inet_udp.c      datagrams               inet_interface.c  interfaces of the machine */
#ifndef MOTE_IO_INET_H
#define MOTE_IO_INET_H

#include "base/text.h"
#include "data/packet.h"
#include "io/alarm.h"
#include "io/port.h"
#include "platform/file.h"
#include "platform/socket.h"

// clang-format off
enum { /* states, as getstatus tells them */
    INET_OPEN = 0x01, INET_ACTIVE = 0x04, INET_LISTENS = 0x08, INET_CONNECTS = 0x10, INET_ACCEPTS = 0x20, INET_BUSY = 0x80,
};
// clang-format on
enum { INET_PASSIVE, INET_ALWAYS, INET_ONCE, INET_COUNTED };
enum { INET_REPLY_ERROR, INET_REPLY_OK };
// clang-format off
enum { /* requests */
    INET_REQUEST_OPEN = 1, INET_REQUEST_CLOSE, INET_REQUEST_CONNECT, INET_REQUEST_PEER, INET_REQUEST_NAME, INET_REQUEST_BIND,
    INET_REQUEST_SET_OPTIONS, INET_REQUEST_GET_OPTIONS, INET_REQUEST_STATISTICS = 11, INET_REQUEST_HOST_NAME, INET_REQUEST_FD_OPEN,
    INET_REQUEST_FD, INET_REQUEST_TYPE, INET_REQUEST_STATUS, INET_REQUEST_SERVICE_PORT, INET_REQUEST_SERVICE_NAME,
    INET_REQUEST_SET_NAME, INET_REQUEST_SET_PEER, INET_REQUEST_INTERFACE_LIST, INET_REQUEST_INTERFACE_GET,
    INET_REQUEST_INTERFACE_SET, INET_REQUEST_SUBSCRIBE, INET_REQUEST_INTERFACES, INET_REQUEST_ACCEPT, INET_REQUEST_LISTEN,
    INET_REQUEST_IGNORE, INET_REQUEST_LOCAL_ADDRESSES, INET_REQUEST_PEER_ADDRESSES,
    INET_REQUEST_RECEIVE = 42, INET_REQUEST_PUSH_BACK, INET_REQUEST_SHUTDOWN, INET_REQUEST_SEND_FILE,
    INET_REQUEST_RECEIVE_FROM = 60,
    INET_REQUEST_BASE = 0x03f1a300, /* is added to all of them */
};
// clang-format on

/* Somebody who has asked and gets {inet_async, Port, Id, Result}. */
typedef struct InetAsked {
    struct InetAsked *next;
    term caller;
    int64_t deadline; /* tick; INT64_MAX: none */
    uint16_t id;
} InetAsked;

/* Somebody who sends and gets {inet_reply, Port, Result}, since OTP 26 with the reference that the command began with. */
typedef struct {
    term pid; /* NONE: nobody */
    bool tagged;
    uint64_t tag[2];
} InetCaller;

typedef struct {
    uint64_t count, bytes, largest;
    double average, deviation;
} InetMeter;

/* Settings of this side, each a number as the options carry it. */
typedef struct {
    int32_t header, mode, deliver, packet, packet_size, buffer, exit_on_close, delimiter, debug;
    int32_t high_queue, low_queue; /* of messages to the port: there is no such queue, the values are only remembered */
    int32_t send_timeout, send_timeout_close, delay_send, show_reset, read_ahead, not_blocking; /* streams */
    int32_t high, low;                                                                          /* marks of the output's queue */
    int32_t read_packets;                                                                       /* datagrams */
} InetSettings;

typedef struct Inet {
    Port port;
    Watcher watcher;
    Alarm alarm; /* the next of all deadlines */
    void (*ready)(struct Inet *s, unsigned what);
    void (*late)(struct Inet *s); /* a deadline is over */
    int fd;                       /* -1: none */
    unsigned watched;             /* POLL_... */
    bool stream, prebound;        /* prebound: fd is somebody else's */
    bool ignored;                 /* somebody else works with fd: it is not watched, what would be is remembered */
    uint8_t family;
    SocketType type;
    uint32_t state;
    uint8_t active;
    int32_t active_left;
    InetSettings set;
    bool buffer_set;
    uint8_t extras;                               /* what is received beside datagrams: bits of inet_option.c */
    char *space;                                  /* network namespace; NULL: this one */
    SocketAddress *peer_name, *own_name, *remote; /* names given by setpeername and setsockname; who a datagram socket is connected to */
    InetMeter received, sent;
    InetAsked *asked; /* oldest first */
    uint16_t next_id;
    term *subscribers; /* who wants to know when the queue is empty */
    uint32_t subscriber_count;

    /* Streams: input. */
    Text in;      /* received and not delivered yet */
    size_t want;  /* so many more bytes make a packet, or what was asked for; 0: unknown */
    size_t room;  /* bytes that in may hold */
    bool headers; /* of http */
    /* Output. */
    Text out;
    size_t out_start;
    struct {
        Bytes head, data;
        ptrdiff_t sent; /* < 0: error says why */
        int error;
    } aside; /* what is written without the lock */
    InetCaller caller, busy_caller;
    int64_t send_deadline; /* tick */
    bool linger_zero, close_sent, shut_down, closed_on_receive, closed_on_send, was_reset;
    uint8_t shutdown_pending; /* 1 + how; 0: no */
    struct {
        int fd; /* -1: none is being sent */
        int64_t offset, left, sent;
        size_t skip; /* bytes of the queue that go before it */
    } file;
} Inet;

/* --- inet_message.c: functions that return bool say whether the port still exists ------------------------------------- */

void inet_watch(Inet *s, unsigned what);
void inet_set_alarm(Inet *s);                     /* after a deadline has changed */
int64_t inet_deadline(Inet *s, uint32_t timeout); /* milliseconds; UINT32_MAX: for ever */
void inet_send(Inet *s, term to, term message, Heap *h);
term inet_error(Heap *h, term reason); /* {error, Reason} */
term inet_error_name(const Inet *s, int error);
bool inet_ask(Inet *s, term caller, uint32_t timeout, uint16_t *id); /* false: no memory */
void inet_unask(Inet *s, InetAsked **at);
void inet_answer(Inet *s, term to, uint16_t id, term result, Heap *h); /* h: a detached heap that holds result */
void inet_answer_first(Inet *s, term result, Heap *h);                 /* to who asked first, which is done then */
void inet_answer_error(Inet *s, term reason);
void inet_answer_all(Inet *s, term reason);             /* {error, Reason} */
void inet_reply(Inet *s, term reason);                  /* to s->caller; reason NONE: ok, else {error, Reason} */
term inet_data(Inet *s, Heap *h, Bytes data);           /* as list or binary. NONE: no memory */
term inet_bytes(Heap *h, Bytes bytes, term rest);       /* [Byte ... | Rest] */
int inet_release(const Inet *s);                        /* of OTP that has been booted */
bool inet_read_tag(Inet *s, Bytes *data);               /* what a command begins with since OTP 26: into s->caller */
void inet_deliver_event(Inet *s, term tag, term value); /* {Tag, Port}, or {Tag, Port, Value} if it is not NONE */
void inet_delivered(Inet *s);                           /* a message: it may be the last one */
void inet_queue_empty(Inet *s);                         /* tells subscribers */
void inet_forget_subscribers(Inet *s);
void inet_count(InetMeter *m, size_t bytes);

/* --- Requests: answers are lists of bytes on p's heap ------------------------------------------------------------------ */

term inet_ok(Process *p, Bytes data);
term inet_fail(Process *p, const char *name);
term inet_fail_number(Process *p, int error);
term inet_done(Process *p, int error); /* ok without data, or why not */
term inet_id(Process *p, uint16_t id);
term inet_request(Inet *s, Process *p, unsigned request, Bytes data); /* what both kinds understand */
term inet_open(Inet *s, Process *p, unsigned request, Bytes data);    /* OPEN and FD_OPEN */
/* owner is p, or p is NULL: the port is made for a process that does not run just now. */
Inet *inet_new(VM *vm, term owner, const PortDriver *driver, const char *name, Process *p);
void inet_close(Inet *s); /* the descriptor */
void inet_stop(Inet *s);  /* the end: memory */

/* Reads an address in front of *data; NULL, or what is wrong. family: of the socket, for `any` and `loopback`. */
const char *inet_read_address(unsigned family, Bytes *data, SocketAddress *a);
size_t inet_write_address(const SocketAddress *a, uint8_t *to); /* up to INET_ADDRESS_MAX bytes */
enum { INET_ADDRESS_MAX = 2 + 255 };
term inet_address_term(Heap *h, const SocketAddress *a, term *port); /* as in {udp, S, Address, Port, ...} */

typedef enum { INET_OPTIONS_BAD, INET_OPTIONS_SET, INET_OPTIONS_DELIVER, INET_OPTIONS_READ, INET_OPTIONS_GONE } InetOptions;
InetOptions inet_set_options(Inet *s, Bytes data);
term inet_get_options(Inet *s, Process *p, Bytes data);
void inet_settings_init(Inet *s);
void inet_settings_copy(Inet *to, const Inet *from); /* what an accepted connection has of its listener */
term inet_statistics(Inet *s, Process *p, Bytes data);
term inet_extra_list(Heap *h, const SocketExtra *extra); /* [{tos, 0}, ...] */
bool inet_read_extra(Bytes data, SocketExtra *extra);

term inet_interface_list(Inet *s, Process *p);
term inet_interfaces(Inet *s, Process *p);
term inet_interface_get(Inet *s, Process *p, Bytes data);
term inet_interface_set(Inet *s, Process *p, Bytes data);

#endif
