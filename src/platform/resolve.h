/* Names and addresses of hosts and services, by the system's resolver. These calls may wait for other machines. */
#ifndef MOTE_PLATFORM_RESOLVE_H
#define MOTE_PLATFORM_RESOLVE_H

#include "platform/socket.h"

typedef struct {
    SocketAddress address;
    int type, protocol;    /* as the system numbers them */
    const char *type_name; /* NULL: it has none; likewise the protocol's "" */
    char protocol_name[24];
} ResolvedAddress;

// clang-format off
enum {
    RESOLVE_NAME_REQUIRED = 1, RESOLVE_DATAGRAM = 2, RESOLVE_LOCAL = 4, RESOLVE_NUMERIC_HOST = 8, RESOLVE_NUMERIC_SERVICE = 16,
    RESOLVE_IDN = 32,
};
// clang-format on
enum { RESOLVED_HOST = 256, RESOLVED_SERVICE = 256 };

/* Calls visit for each address, until it returns false. Either name may be NULL. Returns NULL, or what went wrong: "enoname". */
const char *resolve_addresses(const char *host, const char *service, bool (*visit)(void *arg, const ResolvedAddress *r), void *arg);
/* The names of an address; returns as resolve_addresses. */
const char *resolve_names(const SocketAddress *a, unsigned flags, char host[RESOLVED_HOST], char service[RESOLVED_SERVICE]);

#endif
