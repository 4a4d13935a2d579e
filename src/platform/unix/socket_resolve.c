/* The resolver of the C library. */
#include "platform/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>

#include "platform/file.h"
#include "platform/unix/socket_address.h"

static const char *failure(int code) {
    static const struct {
        int code;
        const char *name;
    } failures[] = {
        {EAI_ADDRFAMILY, "eaddrfamily"}, {EAI_AGAIN, "eagain"},     {EAI_BADFLAGS, "ebadflags"}, {EAI_FAIL, "efail"},
        {EAI_FAMILY, "efamily"},         {EAI_MEMORY, "emem"},      {EAI_NODATA, "enodata"},     {EAI_NONAME, "enoname"},
        {EAI_OVERFLOW, "eoverflow"},     {EAI_SERVICE, "eservice"}, {EAI_SOCKTYPE, "esocktype"}, {EAI_SYSTEM, "esystem"},
    };
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        if (failures[i].code == code) {
            return failures[i].name;
        }
    }
    return "einval";
}

static const char *type_name(int type) {
    static const char *const names[] = {
        [SOCK_STREAM] = "stream", [SOCK_DGRAM] = "dgram", [SOCK_RAW] = "raw", [SOCK_RDM] = "rdm", [SOCK_SEQPACKET] = "seqpacket"};
    return type >= 0 && (size_t)type < sizeof names / sizeof *names ? names[type] : NULL;
}

/* As /etc/protocols has it; the usual ones also where there is no such file. */
static void protocol_name(ResolvedAddress *r) {
    struct protoent found, *p = NULL;
    char text[1024];
    const char *name = "";
    if (getprotobynumber_r(r->protocol, &found, text, sizeof text, &p) == 0 && p != NULL) {
        name = p->p_name;
    } else if (r->protocol == IPPROTO_IP) {
        name = "ip";
    } else if (r->protocol == IPPROTO_TCP) {
        name = "tcp";
    } else if (r->protocol == IPPROTO_UDP) {
        name = "udp";
    }
    snprintf(r->protocol_name, sizeof r->protocol_name, "%s", name);
}

const char *resolve_addresses(const char *host, const char *service, bool (*visit)(void *arg, const ResolvedAddress *r), void *arg) {
    struct addrinfo *all;
    int code = getaddrinfo(host, service, NULL, &all);
    if (code != 0) {
        return failure(code);
    }
    bool more = true;
    for (const struct addrinfo *i = all; i != NULL && more; i = i->ai_next) {
        ResolvedAddress r = {.type = i->ai_socktype, .protocol = i->ai_protocol, .type_name = type_name(i->ai_socktype)};
        address_from_any(&r.address, i->ai_addr);
        protocol_name(&r);
        more = visit(arg, &r);
    }
    freeaddrinfo(all);
    return NULL;
}

const char *resolve_names(const SocketAddress *a, unsigned flags, char host[RESOLVED_HOST], char service[RESOLVED_SERVICE]) {
    SystemAddress s;
    socklen_t size = address_to_system(a, &s);
    int code = getnameinfo(&s.any, size, host, RESOLVED_HOST, service, RESOLVED_SERVICE,
                           (flags & RESOLVE_NAME_REQUIRED ? NI_NAMEREQD : 0) | (flags & RESOLVE_DATAGRAM ? NI_DGRAM : 0) |
                               (flags & RESOLVE_LOCAL ? NI_NOFQDN : 0) | (flags & RESOLVE_NUMERIC_HOST ? NI_NUMERICHOST : 0) |
                               (flags & RESOLVE_NUMERIC_SERVICE ? NI_NUMERICSERV : 0) | (flags & RESOLVE_IDN ? NI_IDN : 0));
    return code == 0 ? NULL : code == EAI_SYSTEM ? file_error_name(errno) : failure(code);
}
