/* Sockets. None of these calls waits. Those that return int return 0 or an error number, whose name file_error_name tells. Families,
   options and kinds of interface data have the numbers by which OTP's prim_inet.erl knows them. */
#ifndef MOTE_PLATFORM_SOCKET_H
#define MOTE_PLATFORM_SOCKET_H

#include "base/base.h"

// clang-format off
enum { FAMILY_NONE = 0, FAMILY_INET = 1, FAMILY_INET6 = 2, FAMILY_ANY = 3, FAMILY_LOOPBACK = 4, FAMILY_LOCAL = 5, FAMILY_OTHER = 6,
       FAMILY_PACKET = 7 };
// clang-format on

typedef struct {
    uint8_t family; /* FAMILY_INET, ..._INET6, ..._LOCAL; ..._NONE, ..._OTHER when the system says so */
    uint8_t size;   /* of bytes: 4, 16, or the length of a path or of a hardware address */
    uint16_t port;  /* of PACKET: its protocol */
    uint32_t flow;  /* of INET6; of OTHER: the system's number of the family */
    uint32_t scope; /* of INET6; of PACKET: the index of the interface */
    uint16_t hardware_type;
    uint8_t packet_type; /* of PACKET */
    uint8_t bytes[108];
} SocketAddress;

typedef enum { SOCKET_STREAM, SOCKET_DATAGRAM } SocketType;
typedef enum { SOCKET_DEFAULT, SOCKET_TCP, SOCKET_UDP, SOCKET_SCTP, SOCKET_MPTCP } SocketProtocol;

extern const int SOCKET_PENDING, SOCKET_NOT_CONNECTED, SOCKET_IS_CONNECTED, SOCKET_ALREADY, SOCKET_RESET, SOCKET_TOO_LONG;

/* space: the name of a file that stands for a network namespace; NULL: this one. */
int socket_open(unsigned family, SocketType type, SocketProtocol protocol, const char *space, int *fd);
void socket_close(int fd);
void socket_make_ready(int fd); /* one that somebody else has opened: does not block from now on */
int socket_bind(int fd, const SocketAddress *a);
int socket_listen(int fd, int backlog);
int socket_connect(int fd, const SocketAddress *a); /* SOCKET_PENDING: it can be written when it is done; NULL: to nobody */
int socket_accept(int fd, int *accepted);           /* SOCKET_PENDING: nobody is there */
int socket_error(int fd);                           /* what has become of a pending connect */
int socket_name(int fd, SocketAddress *a);
int socket_peer(int fd, SocketAddress *a);
int socket_shutdown(int fd, unsigned how); /* 0: reading, 1: writing, 2: both */

/* Bytes, or < 0: *error, which is SOCKET_PENDING if there is nothing, or no room. */
ptrdiff_t socket_read(int fd, void *to, size_t size, int *error);
ptrdiff_t socket_write(int fd, Bytes head, Bytes data, int *error);
ptrdiff_t socket_send_file(int fd, int file, int64_t offset, int64_t size, int *error);

/* What travels beside a datagram. */
typedef struct {
    unsigned count;
    struct {
        uint8_t option; /* SOCKET_TOS, ..._TCLASS, ..._TTL */
        uint32_t value;
    } item[4];
} SocketExtra;
int socket_send_to(int fd, const SocketAddress *a, const SocketExtra *extra, Bytes data); /* a NULL: to the one connected to */
ptrdiff_t socket_receive_from(int fd, void *to, size_t size, SocketAddress *a, SocketExtra *extra, int *error);
int socket_packet_options(int fd, unsigned family, SocketExtra *extra); /* of the last packet of a stream */

// clang-format off
enum {
    SOCKET_LINGER = 3, SOCKET_RECEIVE_BUFFER = 7, SOCKET_TOS = 9, SOCKET_MULTICAST_IF = 11, SOCKET_ADD_MEMBERSHIP = 14,
    SOCKET_DROP_MEMBERSHIP = 15, SOCKET_TCLASS = 41, SOCKET_RECEIVE_TOS = 43, SOCKET_RECEIVE_TCLASS = 44, SOCKET_TTL = 46,
    SOCKET_RECEIVE_TTL = 47,
};
// clang-format on
bool socket_option_known(unsigned option);  /* one whose value is a number */
bool socket_option_strict(unsigned option); /* and whose failure is told */
int socket_set_number(int fd, unsigned option, int32_t value);
int socket_get_number(int fd, unsigned option, int32_t *value);
int socket_set_linger(int fd, int32_t on, int32_t seconds);
int socket_get_linger(int fd, int32_t value[2]);
int socket_set_raw(int fd, int level, int name, Bytes value);
int socket_get_raw(int fd, int level, int name, void *value, size_t *size);
int socket_set_device(int fd, const char *name);
int socket_get_device(int fd, char *name, size_t *size);
/* interface: bytes of an INET address, NULL: any. */
int socket_membership(int fd, bool add, unsigned family, const uint8_t *group, const uint8_t *interface, uint32_t index);
int socket_set_multicast_if(int fd, unsigned family, const uint8_t value[4]); /* an address, or (INET6) an index */
int socket_get_multicast_if(int fd, unsigned family, uint8_t value[4]);

/* Interfaces: what is known of one, by kind. */
// clang-format off
enum { INTERFACE_ADDRESS = 1, INTERFACE_BROADCAST, INTERFACE_DESTINATION, INTERFACE_MTU, INTERFACE_NETMASK, INTERFACE_FLAGS, INTERFACE_HARDWARE };
enum { INTERFACE_UP = 1, INTERFACE_HAS_BROADCAST = 2, INTERFACE_LOOPBACK = 4, INTERFACE_POINT = 8, INTERFACE_RUNS = 16, INTERFACE_MULTICAST = 32,
       INTERFACE_DOWN = 0x100, INTERFACE_NO_BROADCAST = 0x200, INTERFACE_NO_POINT = 0x800 };
// clang-format on
typedef struct {
    const char *name;
    uint32_t flags;
    SocketAddress address, netmask, destination, broadcast; /* family FAMILY_NONE: it has none */
    Bytes hardware;
    unsigned flag_count;
    const char *flag_names[16]; /* the system's flags */
} Interface;
const char *socket_hardware_type(unsigned type); /* NULL: it has no name */
/* Calls visit for each address of each interface until it returns false. */
int socket_interfaces(bool (*visit)(void *arg, const Interface *i), void *arg);
/* One value of one interface, by a socket: an address, a number (mtu, flags), or bytes (hardware). False: not to be had. */
typedef struct {
    SocketAddress address;
    uint32_t number;
    uint8_t hardware[16];
    size_t hardware_size;
} InterfaceValue;
bool socket_interface_get(int fd, const char *name, unsigned kind, InterfaceValue *v);
void socket_interface_set(int fd, const char *name, unsigned kind, const InterfaceValue *v);

/* Services, as in /etc/services. */
bool socket_service_port(const char *name, const char *protocol, uint16_t *port);
bool socket_service_name(uint16_t port, const char *protocol, char *name, size_t size);

#endif
