/* Interfaces, by getifaddrs and the requests of sockets. */
#include "platform/socket.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "platform/unix/socket_address.h"

static uint32_t flags_of(unsigned f) {
    return (f & IFF_UP ? INTERFACE_UP | INTERFACE_RUNS : 0u) | (f & IFF_BROADCAST ? INTERFACE_HAS_BROADCAST : 0u) |
           (f & IFF_LOOPBACK ? INTERFACE_LOOPBACK : 0u) | (f & IFF_POINTOPOINT ? INTERFACE_POINT : 0u) |
           (f & IFF_MULTICAST ? INTERFACE_MULTICAST : 0u);
}

static void flag_names(Interface *i, unsigned flags) {
    static const struct {
        unsigned flag;
        const char *name;
        // clang-format off
    } names[] = {
        {IFF_UP, "up"},           {IFF_BROADCAST, "broadcast"}, {IFF_DEBUG, "debug"},     {IFF_LOOPBACK, "loopback"},   {IFF_POINTOPOINT, "pointopoint"},
        {IFF_NOTRAILERS, "notrailers"}, {IFF_RUNNING, "running"}, {IFF_NOARP, "noarp"},   {IFF_PROMISC, "promisc"},     {IFF_MASTER, "master"},
        {IFF_SLAVE, "slave"},     {IFF_MULTICAST, "multicast"}, {IFF_PORTSEL, "portsel"}, {IFF_AUTOMEDIA, "automedia"}, {IFF_DYNAMIC, "dynamic"},
    };
    // clang-format on
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        if (flags & names[n].flag) {
            i->flag_names[i->flag_count++] = names[n].name;
        }
    }
}

int socket_interfaces(bool (*visit)(void *arg, const Interface *i), void *arg) {
    struct ifaddrs *all;
    if (getifaddrs(&all) < 0) {
        return errno;
    }
    bool more = true;
    for (const struct ifaddrs *a = all; a != NULL && more; a = a->ifa_next) {
        Interface i = {.name = a->ifa_name, .flags = flags_of(a->ifa_flags)};
        address_from_any(&i.address, a->ifa_addr);
        flag_names(&i, a->ifa_flags);
        if (i.address.family != FAMILY_NONE) {
            address_from_any(&i.netmask, a->ifa_netmask);
            address_from_any(&i.destination, a->ifa_flags & IFF_POINTOPOINT ? a->ifa_dstaddr : NULL);
            address_from_any(&i.broadcast, i.destination.family == FAMILY_NONE && a->ifa_flags & IFF_BROADCAST ? a->ifa_broadaddr : NULL);
        }
        if (i.address.family == FAMILY_PACKET) {
            i.hardware = (Bytes){i.address.bytes, i.address.size};
        }
        more = visit(arg, &i);
    }
    freeifaddrs(all);
    return 0;
}

const char *socket_hardware_type(unsigned type) {
    static const struct {
        uint16_t type;
        const char *name;
    } names[] = {
        {ARPHRD_NETROM, "netrom"},     {ARPHRD_ETHER, "ether"},     {ARPHRD_EETHER, "eether"},
        {ARPHRD_AX25, "ax25"},         {ARPHRD_PRONET, "pronet"},   {ARPHRD_CHAOS, "chaos"},
        {ARPHRD_IEEE802, "ieee802"},   {ARPHRD_ARCNET, "arcnet"},   {ARPHRD_APPLETLK, "appletlk"},
        {ARPHRD_DLCI, "dlci"},         {ARPHRD_ATM, "atm"},         {ARPHRD_METRICOM, "metricom"},
        {ARPHRD_IEEE1394, "ieee1394"}, {ARPHRD_EUI64, "eui64"},     {ARPHRD_INFINIBAND, "infiniband"},
        {ARPHRD_TUNNEL, "tunnel"},     {ARPHRD_TUNNEL6, "tunnel6"}, {ARPHRD_LOOPBACK, "loopback"},
        {ARPHRD_LOCALTLK, "localtlk"}, {ARPHRD_NONE, "none"},       {ARPHRD_VOID, "void"},
    };
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        if (names[n].type == type) {
            return names[n].name;
        }
    }
    return NULL;
}

static const struct {
    unsigned long get, set;
} requests[] = {
    [INTERFACE_ADDRESS] = {SIOCGIFADDR, SIOCSIFADDR},           [INTERFACE_BROADCAST] = {SIOCGIFBRDADDR, SIOCSIFBRDADDR},
    [INTERFACE_DESTINATION] = {SIOCGIFDSTADDR, SIOCSIFDSTADDR}, [INTERFACE_MTU] = {SIOCGIFMTU, SIOCSIFMTU},
    [INTERFACE_NETMASK] = {SIOCGIFNETMASK, SIOCSIFNETMASK},     [INTERFACE_FLAGS] = {SIOCGIFFLAGS, SIOCSIFFLAGS},
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
    case INTERFACE_FLAGS: v->number = there ? flags_of((unsigned short)r.ifr_flags) : 0; return true;
    case INTERFACE_MTU: v->number = (uint32_t)r.ifr_mtu; return there;
    case INTERFACE_HARDWARE:
        v->hardware_size = HARDWARE_SIZE;
        memcpy(v->hardware, r.ifr_hwaddr.sa_data, HARDWARE_SIZE);
        return there;
    default: address_from_any(&v->address, &r.ifr_addr); return there && v->address.family != FAMILY_NONE;
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
    case INTERFACE_MTU: r.ifr_mtu = (int)v->number; break;
    case INTERFACE_HARDWARE: memcpy(r.ifr_hwaddr.sa_data, v->hardware, MIN(v->hardware_size, sizeof r.ifr_hwaddr.sa_data)); break;
    default:
        r.ifr_addr.sa_family = v->address.family == FAMILY_INET ? AF_INET : AF_INET6;
        if (v->address.family == FAMILY_INET) {
            memcpy(&((struct sockaddr_in *)(void *)&r.ifr_addr)->sin_addr, v->address.bytes, 4);
        }
        break;
    }
    (void)ioctl(fd, requests[kind].set, &r);
}
