/* Addresses as the system has them, for the files about sockets in this folder. */
#ifndef MOTE_PLATFORM_UNIX_SOCKET_ADDRESS_H
#define MOTE_PLATFORM_UNIX_SOCKET_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "platform/socket.h"

typedef union {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un local;
} SystemAddress;

void address_from_system(SocketAddress *a, const SystemAddress *s, size_t size);

#endif
