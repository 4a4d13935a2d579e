/* Addresses as bytes in requests and answers: a family, then port and address, or the length of a path and the path. */
#include "io/inet.h"

#include "data/bits.h"
#include "term/atom.h"

static const char invalid[] = "einval", no_family[] = "eafnosupport";

static bool take(Bytes *data, size_t n, const uint8_t **at) {
    if (data->size < n) {
        return false;
    }
    *at = data->at;
    data->at += n, data->size -= n;
    return true;
}

static const char *read_ip(Bytes *data, SocketAddress *a, unsigned size) {
    const uint8_t *p;
    a->size = (uint8_t)size;
    if (!take(data, 2 + size, &p)) {
        return invalid;
    }
    a->port = read_be16(p);
    memcpy(a->bytes, p + 2, size);
    if (size == 4) {
        return NULL;
    }
    if (!take(data, 8, &p)) {
        return invalid;
    }
    a->flow = read_be32(p), a->scope = read_be32(p + 4);
    return NULL;
}

static const char *read_path(Bytes *data, SocketAddress *a) {
    const uint8_t *p;
    if (!take(data, 1, &p) || !take(data, *p, &p)) {
        return invalid;
    }
    size_t size = (size_t)(data->at - p);
    if (size + (size == 0 || p[0] != 0 ? 1 : 0) > sizeof a->bytes) { /* names that do not begin with a zero end with one */
        return invalid;
    }
    a->size = (uint8_t)size;
    memcpy(a->bytes, p, size);
    return NULL;
}

const char *inet_read_address(unsigned family, Bytes *data, SocketAddress *a) {
    const uint8_t *p;
    memset(a, 0, sizeof *a);
    if (!take(data, 1, &p)) {
        return invalid;
    }
    unsigned kind = *p;
    a->family = (uint8_t)kind;
    switch (kind) {
    case FAMILY_INET: return read_ip(data, a, 4);
    case FAMILY_INET6: return read_ip(data, a, 16);
    case FAMILY_LOCAL: return read_path(data, a);
    case FAMILY_ANY:
    case FAMILY_LOOPBACK:
        if (family > FAMILY_INET6 || !take(data, 2, &p)) {
            return invalid;
        }
        a->family = (uint8_t)family;
        a->size = family == FAMILY_INET ? 4 : 16;
        a->port = read_be16(p);
        if (kind == FAMILY_LOOPBACK) {
            a->bytes[0] = family == FAMILY_INET ? 127 : 0;
            a->bytes[a->size - 1] = 1;
        }
        return NULL;
    default: return no_family;
    }
}

size_t inet_write_address(const SocketAddress *a, uint8_t *to) {
    to[0] = a->family;
    switch (a->family) {
    case FAMILY_INET:
    case FAMILY_INET6:
        write_be16(to + 1, a->port);
        memcpy(to + 3, a->bytes, a->size);
        return 3u + a->size;
    case FAMILY_LOCAL:
        to[1] = a->size;
        memcpy(to + 2, a->bytes, a->size);
        return 2u + a->size;
    default: return 1;
    }
}

term inet_address_term(Heap *h, const SocketAddress *a, term *port) {
    *port = SMALL(a->port);
    switch (a->family) {
    case FAMILY_INET: return TUPLE4(h, SMALL(a->bytes[0]), SMALL(a->bytes[1]), SMALL(a->bytes[2]), SMALL(a->bytes[3]));
    case FAMILY_INET6: {
        term w[8];
        for (int i = 0; i < 8; i++) {
            w[i] = SMALL(read_be16(a->bytes + 2 * i));
        }
        return heap_tuple(h, 8, w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]);
    }
    case FAMILY_LOCAL: return TUPLE2(h, A_local, bits_from(h, a->bytes, a->size));
    default: return TUPLE2(h, a->family == FAMILY_NONE ? A_unspec : A_undefined, bits_from(h, "", 0));
    }
}
