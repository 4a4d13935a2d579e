/* Addresses as the system has them, for the files about sockets in this folder. */
#ifndef MOTE_PLATFORM_UNIX_SOCKET_ADDRESS_H
#define MOTE_PLATFORM_UNIX_SOCKET_ADDRESS_H

#include <netinet/in.h>
#include <netpacket/packet.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "platform/socket.h"

typedef union {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un local;
    struct sockaddr_ll packet;
} SystemAddress;

void address_from_system(SocketAddress *a, const SystemAddress *s, size_t size);
void address_from_any(SocketAddress *a, const struct sockaddr *s); /* INET, INET6 and PACKET, whose sizes are known; else FAMILY_NONE */
socklen_t address_to_system(const SocketAddress *a, SystemAddress *s);

#endif
