/* Interfaces, by getifaddrs and the requests of sockets. */
#include "platform/socket.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "platform/unix/socket_address.h"

static uint32_t flags_of(unsigned f) {
    return (f & IFF_UP ? INTERFACE_UP | INTERFACE_RUNS : 0u) | (f & IFF_BROADCAST ? INTERFACE_HAS_BROADCAST : 0u)
           | (f & IFF_LOOPBACK ? INTERFACE_LOOPBACK : 0u) | (f & IFF_POINTOPOINT ? INTERFACE_POINT : 0u)
           | (f & IFF_MULTICAST ? INTERFACE_MULTICAST : 0u);
}

static void take(SocketAddress *a, const struct sockaddr *s) {
    size_t size = s == NULL ? 0 : s->sa_family == AF_INET ? sizeof(struct sockaddr_in) : s->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : 0;
    SystemAddress copy;
    memset(&copy, 0, sizeof copy);
    if (size > 0) {
        memcpy(&copy, s, size);
    }
    address_from_system(a, &copy, size);
}

int socket_interfaces(bool (*visit)(void *arg, const Interface *i), void *arg) {
    struct ifaddrs *all;
    if (getifaddrs(&all) < 0) {
        return errno;
    }
    bool more = true;
    for (const struct ifaddrs *a = all; a != NULL && more; a = a->ifa_next) {
        Interface i = {.name = a->ifa_name, .flags = flags_of(a->ifa_flags)};
        take(&i.address, a->ifa_addr);
        if (i.address.family != FAMILY_NONE) {
            take(&i.netmask, a->ifa_netmask);
            take(&i.destination, a->ifa_flags & IFF_POINTOPOINT ? a->ifa_dstaddr : NULL);
            take(&i.broadcast, i.destination.family == FAMILY_NONE && a->ifa_flags & IFF_BROADCAST ? a->ifa_broadaddr : NULL);
        } else if (a->ifa_addr != NULL && a->ifa_addr->sa_family == AF_PACKET) {
            const struct sockaddr_ll *l = (const struct sockaddr_ll *)(const void *)a->ifa_addr;
            i.hardware = (Bytes){l->sll_addr, MIN(l->sll_halen, sizeof l->sll_addr)};
        }
        more = visit(arg, &i);
    }
    freeifaddrs(all);
    return 0;
}

static const struct {
    unsigned long get, set;
} requests[] = {
    [INTERFACE_ADDRESS] = {SIOCGIFADDR, SIOCSIFADDR},         [INTERFACE_BROADCAST] = {SIOCGIFBRDADDR, SIOCSIFBRDADDR},
    [INTERFACE_DESTINATION] = {SIOCGIFDSTADDR, SIOCSIFDSTADDR}, [INTERFACE_MTU] = {SIOCGIFMTU, SIOCSIFMTU},
    [INTERFACE_NETMASK] = {SIOCGIFNETMASK, SIOCSIFNETMASK},   [INTERFACE_FLAGS] = {SIOCGIFFLAGS, SIOCSIFFLAGS},
    [INTERFACE_HARDWARE] = {SIOCGIFHWADDR, SIOCSIFHWADDR},
};

enum { HARDWARE_SIZE = 6 };

bool socket_interface_get(int fd, const char *name, unsigned kind, InterfaceValue *v) {
    struct ifreq r;
    memset(&r, 0, sizeof r);
    memset(v, 0, sizeof *v);
    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    bool there = ioctl(fd, requests[kind].get, &r) >= 0;
    switch (kind) {
    case INTERFACE_FLAGS:
        v->number = there ? flags_of((unsigned short)r.ifr_flags) : 0;
        return true;
    case INTERFACE_MTU:
        v->number = (uint32_t)r.ifr_mtu;
        return there;
    case INTERFACE_HARDWARE:
        v->hardware_size = HARDWARE_SIZE;
        memcpy(v->hardware, r.ifr_hwaddr.sa_data, HARDWARE_SIZE);
        return there;
    default:
        take(&v->address, &r.ifr_addr);
        return there && v->address.family != FAMILY_NONE;
    }
}

void socket_interface_set(int fd, const char *name, unsigned kind, const InterfaceValue *v) {
    struct ifreq r;
    memset(&r, 0, sizeof r);
    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    unsigned f;
    switch (kind) {
    case INTERFACE_FLAGS:
        f = ioctl(fd, SIOCGIFFLAGS, &r) >= 0 ? (unsigned short)r.ifr_flags : 0;
        f = (f | (v->number & INTERFACE_UP ? IFF_UP : 0u)) & ~(v->number & INTERFACE_DOWN ? IFF_UP : 0u);
        f = (f | (v->number & INTERFACE_HAS_BROADCAST ? IFF_BROADCAST : 0u)) & ~(v->number & INTERFACE_NO_BROADCAST ? IFF_BROADCAST : 0u);
        f = (f | (v->number & INTERFACE_POINT ? IFF_POINTOPOINT : 0u)) & ~(v->number & INTERFACE_NO_POINT ? IFF_POINTOPOINT : 0u);
        r.ifr_flags = (short)f;
        break;
    case INTERFACE_MTU:
        r.ifr_mtu = (int)v->number;
        break;
    case INTERFACE_HARDWARE:
        memcpy(r.ifr_hwaddr.sa_data, v->hardware, MIN(v->hardware_size, sizeof r.ifr_hwaddr.sa_data));
        break;
    default:
        r.ifr_addr.sa_family = v->address.family == FAMILY_INET ? AF_INET : AF_INET6;
        if (v->address.family == FAMILY_INET) {
            memcpy(&((struct sockaddr_in *)(void *)&r.ifr_addr)->sin_addr, v->address.bytes, 4);
        }
        break;
    }
    (void)ioctl(fd, requests[kind].set, &r);
}
