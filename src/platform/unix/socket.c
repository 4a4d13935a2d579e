/* Sockets of POSIX systems. */
#include "platform/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "platform/unix/socket_address.h"

const int SOCKET_PENDING = EAGAIN, SOCKET_NOT_CONNECTED = ENOTCONN, SOCKET_IS_CONNECTED = EISCONN, SOCKET_ALREADY = EALREADY,
          SOCKET_RESET = ECONNRESET, SOCKET_TOO_LONG = EMSGSIZE;

static int result(int r) {
    return r < 0 ? errno : 0;
}

static int system_family(unsigned family) {
    return family == FAMILY_INET ? AF_INET : family == FAMILY_INET6 ? AF_INET6 : family == FAMILY_LOCAL ? AF_UNIX : AF_UNSPEC;
}

/* Opens in another network namespace, which this thread visits meanwhile. */
static int open_in_space(int family, int type, int protocol, const char *space, int *fd) {
    int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), there = here < 0 ? -1 : open(space, O_RDONLY | O_CLOEXEC);
    int error = there < 0 ? errno : result(setns(there, CLONE_NEWNET));
    if (error == 0) {
        *fd = socket(family, type, protocol);
        error = result(*fd);
        if (setns(here, CLONE_NEWNET) < 0 && error == 0) {
            error = errno;
            close(*fd);
        }
    }
    if (there >= 0) {
        close(there);
    }
    if (here >= 0) {
        close(here);
    }
    return error;
}

int socket_open(unsigned family, SocketType type, SocketProtocol protocol, const char *space, int *fd) {
    static const int protocols[] = {0, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, 262 /* IPPROTO_MPTCP */};
    int number = family == FAMILY_LOCAL ? 0 : protocols[protocol];
    int kind = (type == SOCKET_STREAM ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
    if (space != NULL) {
        return open_in_space(system_family(family), kind, number, space, fd);
    }
    *fd = socket(system_family(family), kind, number);
    return result(*fd);
}

void socket_close(int fd) {
    close(fd);
}

void socket_make_ready(int fd) {
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* --- Addresses ----------------------------------------------------------------------------------------------------- */

socklen_t address_to_system(const SocketAddress *a, SystemAddress *s) {
    memset(s, 0, sizeof *s);
    s->any.sa_family = (sa_family_t)system_family(a->family);
    switch (a->family) {
    case FAMILY_INET:
        s->in.sin_port = htons(a->port);
        memcpy(&s->in.sin_addr, a->bytes, 4);
        return sizeof s->in;
    case FAMILY_INET6:
        s->in6.sin6_port = htons(a->port);
        s->in6.sin6_flowinfo = a->flow;
        s->in6.sin6_scope_id = a->scope;
        memcpy(&s->in6.sin6_addr, a->bytes, 16);
        return sizeof s->in6;
    case FAMILY_OTHER: /* the system's number, and its own bytes */
        s->any.sa_family = (sa_family_t)a->flow;
        memcpy(s->any.sa_data, a->bytes, a->size);
        return (socklen_t)(offsetof(struct sockaddr, sa_data) + a->size);
    default: memcpy(s->local.sun_path, a->bytes, a->size); return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + a->size);
    }
}

void address_from_system(SocketAddress *a, const SystemAddress *s, size_t size) {
    memset(a, 0, sizeof *a);
    a->family = FAMILY_OTHER;
    if (size < sizeof s->any.sa_family || s->any.sa_family == AF_UNSPEC) {
        a->family = FAMILY_NONE;
    } else if (s->any.sa_family == AF_INET && size >= sizeof s->in) {
        a->family = FAMILY_INET;
        a->size = 4;
        a->port = ntohs(s->in.sin_port);
        memcpy(a->bytes, &s->in.sin_addr, 4);
    } else if (s->any.sa_family == AF_INET6 && size >= sizeof s->in6) {
        a->family = FAMILY_INET6;
        a->size = 16;
        a->port = ntohs(s->in6.sin6_port);
        a->scope = s->in6.sin6_scope_id;
        memcpy(a->bytes, &s->in6.sin6_addr, 16);
    } else if (s->any.sa_family == AF_PACKET && size >= sizeof s->packet) {
        a->family = FAMILY_PACKET;
        a->size = (uint8_t)MIN(s->packet.sll_halen, sizeof s->packet.sll_addr);
        a->port = ntohs(s->packet.sll_protocol);
        a->scope = (uint32_t)s->packet.sll_ifindex;
        a->hardware_type = s->packet.sll_hatype;
        a->packet_type = s->packet.sll_pkttype;
        memcpy(a->bytes, s->packet.sll_addr, a->size);
    } else if (s->any.sa_family == AF_UNIX) {
        size_t n = size - MIN(size, offsetof(struct sockaddr_un, sun_path)), length = strnlen(s->local.sun_path, n);
        a->family = FAMILY_LOCAL;
        a->size =
            (uint8_t)MIN(length == 0 ? n : length, sizeof a->bytes); /* a name that begins with a zero is as long as the system says */
        memcpy(a->bytes, s->local.sun_path, a->size);
    }
}

void address_from_any(SocketAddress *a, const struct sockaddr *s) {
    size_t size = s == NULL                   ? 0
                  : s->sa_family == AF_INET   ? sizeof(struct sockaddr_in)
                  : s->sa_family == AF_INET6  ? sizeof(struct sockaddr_in6)
                  : s->sa_family == AF_PACKET ? sizeof(struct sockaddr_ll)
                                              : 0;
    SystemAddress copy;
    memset(&copy, 0, sizeof copy);
    if (size > 0) {
        memcpy(&copy, s, size);
    }
    address_from_system(a, &copy, size);
}

int socket_bind(int fd, const SocketAddress *a) {
    SystemAddress s;
    return result(bind(fd, &s.any, address_to_system(a, &s)));
}

int socket_listen(int fd, int backlog) {
    return result(listen(fd, backlog));
}

int socket_connect(int fd, const SocketAddress *a) {
    SystemAddress s = {.any.sa_family = AF_UNSPEC};
    int error = result(connect(fd, &s.any, a == NULL ? sizeof s.any : address_to_system(a, &s)));
    return error == EINPROGRESS ? EAGAIN : error;
}

int socket_accept(int fd, int *accepted) {
    do {
        *accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (*accepted < 0 && errno == EINTR);
    return result(*accepted);
}

int socket_error(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? errno : error;
}

static int ask_address(int (*ask)(int, struct sockaddr *restrict, socklen_t *restrict), int fd, SocketAddress *a) {
    SystemAddress s;
    socklen_t size = sizeof s;
    memset(&s, 0, sizeof s);
    int error = result(ask(fd, &s.any, &size));
    if (error == 0) {
        address_from_system(a, &s, size);
    }
    return error;
}

int socket_name(int fd, SocketAddress *a) {
    return ask_address(getsockname, fd, a);
}

int socket_peer(int fd, SocketAddress *a) {
    return ask_address(getpeername, fd, a);
}

int socket_shutdown(int fd, unsigned how) {
    return result(shutdown(fd, how == 0 ? SHUT_RD : how == 1 ? SHUT_WR : SHUT_RDWR));
}

/* --- Data ---------------------------------------------------------------------------------------------------------- */

static ptrdiff_t amount(ssize_t n, int *error) {
    *error = n >= 0 ? 0 : errno == EINTR || errno == EWOULDBLOCK ? EAGAIN : errno;
    return n;
}

ptrdiff_t socket_read(int fd, void *to, size_t size, int *error) {
    return amount(recv(fd, to, size, 0), error);
}

ptrdiff_t socket_write(int fd, Bytes head, Bytes data, int *error) {
    struct iovec parts[] = {{(void *)(uintptr_t)head.at, head.size}, {(void *)(uintptr_t)data.at, data.size}};
    struct msghdr m = {.msg_iov = parts, .msg_iovlen = 2};
    return amount(sendmsg(fd, &m, MSG_NOSIGNAL), error);
}

ptrdiff_t socket_send_file(int fd, int file, int64_t offset, int64_t size, int *error) {
    off_t at = offset;
    return amount(sendfile(fd, file, &at, (size_t)MIN(size, (int64_t)1 << 30)), error);
}

static const struct {
    uint8_t option;
    int level, name;
} extras[] = {
    {SOCKET_TOS, IPPROTO_IP, IP_TOS},     {SOCKET_TCLASS, IPPROTO_IPV6, IPV6_TCLASS},     {SOCKET_TTL, IPPROTO_IP, IP_TTL},
    {SOCKET_TOS, IPPROTO_IP, IP_RECVTOS}, {SOCKET_TCLASS, IPPROTO_IPV6, IPV6_RECVTCLASS}, {SOCKET_TTL, IPPROTO_IP, IP_RECVTTL},
};

static void take_extra(SocketExtra *extra, struct cmsghdr *c) {
    uint32_t value = 0;
    size_t size = c->cmsg_len - MIN(c->cmsg_len, CMSG_LEN(0));
    if (size == 1) {
        value = *CMSG_DATA(c);
    } else if (size == sizeof value) {
        memcpy(&value, CMSG_DATA(c), sizeof value);
    }
    for (size_t i = 0; i < ARRAY_LEN(extras) && extra->count < ARRAY_LEN(extra->item); i++) {
        if (c->cmsg_level == extras[i].level && c->cmsg_type == extras[i].name) {
            extra->item[extra->count].option = extras[i].option;
            extra->item[extra->count++].value = value;
            return;
        }
    }
}

int socket_send_to(int fd, const SocketAddress *a, const SocketExtra *extra, Bytes data) {
    SystemAddress s;
    union {
        struct cmsghdr first;
        uint8_t room[ARRAY_LEN(extra->item) * CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {(void *)(uintptr_t)data.at, data.size};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    if (a != NULL) {
        m.msg_name = &s;
        m.msg_namelen = address_to_system(a, &s);
    }
    memset(&control, 0, sizeof control);
    m.msg_control = extra->count > 0 ? &control : NULL;
    m.msg_controllen = extra->count * CMSG_SPACE(sizeof(int));
    struct cmsghdr *c = extra->count > 0 ? &control.first : NULL;
    for (unsigned i = 0; i < extra->count; i++) {
        size_t k = 0;
        while (extras[k].option != extra->item[i].option) {
            k++;
        }
        c->cmsg_level = extras[k].level;
        c->cmsg_type = extras[k].name;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &extra->item[i].value, sizeof(int));
        c = (struct cmsghdr *)((uint8_t *)c + CMSG_SPACE(sizeof(int)));
    }
    return result((int)sendmsg(fd, &m, MSG_NOSIGNAL));
}

ptrdiff_t socket_receive_from(int fd, void *to, size_t size, SocketAddress *a, SocketExtra *extra, int *error) {
    SystemAddress s;
    union {
        struct cmsghdr first;
        uint8_t room[512];
    } control;
    struct iovec part = {to, size};
    struct msghdr m = {&s, sizeof s, &part, 1, &control, sizeof control, 0};
    memset(&s, 0, sizeof s);
    ptrdiff_t n = amount(recvmsg(fd, &m, 0), error);
    extra->count = 0;
    if (n >= 0) {
        address_from_system(a, &s, m.msg_namelen);
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
            take_extra(extra, c);
        }
    }
    return n;
}

int socket_packet_options(int fd, unsigned family, SocketExtra *extra) {
    union {
        struct cmsghdr first;
        uint8_t room[512];
    } control;
    socklen_t size = sizeof control;
    extra->count = 0;
    bool six = family == FAMILY_INET6;
    int error = result(getsockopt(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_2292PKTOPTIONS : 9 /* IP_PKTOPTIONS */, &control, &size));
    if (error == 0) {
        struct msghdr m = {.msg_control = &control, .msg_controllen = size};
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
            take_extra(extra, c);
        }
    }
    return error;
}

/* --- Services ------------------------------------------------------------------------------------------------------ */

bool socket_service_port(const char *name, const char *protocol, uint16_t *port) {
    struct servent found, *s = NULL;
    char text[1024];
    if (getservbyname_r(name, protocol, &found, text, sizeof text, &s) != 0 || s == NULL) {
        return false;
    }
    *port = ntohs((uint16_t)s->s_port);
    return true;
}

bool socket_service_name(uint16_t port, const char *protocol, char *name, size_t size) {
    struct servent found, *s = NULL;
    char text[1024];
    if (getservbyport_r(htons(port), protocol, &found, text, sizeof text, &s) != 0 || s == NULL) {
        return false;
    }
    size_t n = MIN(strlen(s->s_name), size - 1);
    memcpy(name, s->s_name, n);
    name[n] = '\0';
    return true;
}
