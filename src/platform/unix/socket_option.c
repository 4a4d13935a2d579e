/* Options of sockets: a table of those whose value is a number, and functions for the others. */
#include "platform/socket.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static const struct {
    uint8_t option;
    bool strict; /* failures are told; others never were, and programs rely on it */
    int level, name;
} options[] = {
    {0, false, SOL_SOCKET, SO_REUSEADDR},
    {1, false, SOL_SOCKET, SO_KEEPALIVE},
    {2, false, SOL_SOCKET, SO_DONTROUTE},
    {4, false, SOL_SOCKET, SO_BROADCAST},
    {5, false, SOL_SOCKET, SO_OOBINLINE},
    {6, false, SOL_SOCKET, SO_SNDBUF},
    {SOCKET_RECEIVE_BUFFER, false, SOL_SOCKET, SO_RCVBUF},
    {8, true, SOL_SOCKET, SO_PRIORITY},
    {SOCKET_TOS, true, IPPROTO_IP, IP_TOS},
    {10, false, IPPROTO_TCP, TCP_NODELAY},
    {12, false, IPPROTO_IP, IP_MULTICAST_TTL},
    {13, false, IPPROTO_IP, IP_MULTICAST_LOOP},
    {16, true, IPPROTO_IPV6, IPV6_V6ONLY},
    {17, false, SOL_SOCKET, SO_REUSEPORT},
    {SOCKET_TCLASS, true, IPPROTO_IPV6, IPV6_TCLASS},
    {SOCKET_RECEIVE_TOS, true, IPPROTO_IP, IP_RECVTOS},
    {SOCKET_RECEIVE_TCLASS, true, IPPROTO_IPV6, IPV6_RECVTCLASS},
    {SOCKET_TTL, true, IPPROTO_IP, IP_TTL},
    {SOCKET_RECEIVE_TTL, true, IPPROTO_IP, IP_RECVTTL},
    {48, false, IPPROTO_TCP, TCP_CORK},
    {51, true, IPPROTO_TCP, TCP_KEEPCNT},
    {52, true, IPPROTO_TCP, TCP_KEEPIDLE},
    {53, true, IPPROTO_TCP, TCP_KEEPINTVL},
    {54, true, IPPROTO_TCP, TCP_USER_TIMEOUT},
};

static size_t find(unsigned option) {
    size_t i = 0;
    while (i < ARRAY_LEN(options) && options[i].option != option) {
        i++;
    }
    return i;
}

bool socket_option_known(unsigned option) {
    return find(option) < ARRAY_LEN(options);
}

bool socket_option_strict(unsigned option) {
    return options[find(option)].strict;
}

static int result(int r) {
    return r < 0 ? errno : 0;
}

int socket_get_number(int fd, unsigned option, int32_t *value) {
    size_t i = find(option);
    int number = 0;
    socklen_t size = sizeof number;
    int error = result(getsockopt(fd, options[i].level, options[i].name, &number, &size));
    *value = number;
    return error;
}

int socket_set_number(int fd, unsigned option, int32_t value) {
    size_t i = find(option);
    int number = value, priority;
    socklen_t size = sizeof priority;
    /* The kind of service changes the priority: for users they are independent. */
    bool keep = option == SOCKET_TOS && getsockopt(fd, SOL_SOCKET, SO_PRIORITY, &priority, &size) == 0;
    int error = result(setsockopt(fd, options[i].level, options[i].name, &number, sizeof number));
    if (keep && error == 0) {
        setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof priority); /* one that may not be set again stays as it is */
    }
    return error;
}

int socket_set_linger(int fd, int32_t on, int32_t seconds) {
    struct linger l = {on, seconds};
    return result(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l));
}

int socket_get_linger(int fd, int32_t value[2]) {
    struct linger l = {0, 0};
    socklen_t size = sizeof l;
    int error = result(getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &size));
    value[0] = l.l_onoff, value[1] = l.l_linger;
    return error;
}

int socket_set_raw(int fd, int level, int name, Bytes value) {
    return result(setsockopt(fd, level, name, value.at, (socklen_t)value.size));
}

int socket_get_raw(int fd, int level, int name, void *value, size_t *size) {
    socklen_t n = (socklen_t)*size;
    int error = result(getsockopt(fd, level, name, value, &n));
    *size = MIN(n, *size);
    return error;
}

int socket_set_device(int fd, const char *name) {
    return result(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name) + 1));
}

int socket_get_device(int fd, char *name, size_t *size) {
    int error = socket_get_raw(fd, SOL_SOCKET, SO_BINDTODEVICE, name, size);
    *size = strnlen(name, *size);
    return error;
}

int socket_membership(int fd, bool add, unsigned family, const uint8_t *group, const uint8_t *interface, uint32_t index) {
    if (family == FAMILY_INET6) {
        struct ipv6_mreq m = {.ipv6mr_interface = index};
        memcpy(&m.ipv6mr_multiaddr, group, 16);
        return result(setsockopt(fd, IPPROTO_IPV6, add ? IPV6_ADD_MEMBERSHIP : IPV6_DROP_MEMBERSHIP, &m, sizeof m));
    }
    struct ip_mreqn m = {.imr_ifindex = (int)index};
    memcpy(&m.imr_multiaddr, group, 4);
    memcpy(&m.imr_address, interface, 4);
    return result(setsockopt(fd, IPPROTO_IP, add ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &m, sizeof m));
}

int socket_set_multicast_if(int fd, unsigned family, const uint8_t value[4]) {
    if (family == FAMILY_INET6) {
        int index = (int)read_be32(value);
        return result(setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof index));
    }
    return result(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, value, 4));
}

int socket_get_multicast_if(int fd, unsigned family, uint8_t value[4]) {
    socklen_t size = 4;
    if (family == FAMILY_INET6) {
        int index = 0;
        int error = result(getsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, &size));
        write_be32(value, (uint32_t)index);
        return error;
    }
    return result(getsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, value, &size));
}
