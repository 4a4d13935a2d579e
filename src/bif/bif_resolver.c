/* Built-ins of module prim_net that look names and addresses up, and those of the interfaces' addresses. What may wait for other
   machines is done by the pool. */
#include "bif/bif.h"
#include "bif/file_job.h"
#include "data/bits.h"
#include "data/map.h"
#include "platform/resolve.h"

static term ok(Process *p, term value) {
    return TUPLE2(HEAP(p), A_ok, value);
}

static term error(Process *p, const char *reason) {
    return TUPLE2(HEAP(p), A_error, atom_from(process_vm(p), reason));
}

static term text_of(Process *p, const char *s) {
    return heap_latin1_list(HEAP(p), s, strlen(s));
}

static term name_or_number(Process *p, const char *name, unsigned number) {
    return name == NULL || *name == '\0' ? SMALL(number) : atom_from(process_vm(p), name);
}

/* --- Addresses as terms --------------------------------------------------------------------------------------------- */

static term address_numbers(Process *p, const SocketAddress *a) {
    size_t step = a->family == FAMILY_INET ? 1 : 2, n = a->size / step;
    term *t = heap_alloc(HEAP(p), 1 + n);
    t[0] = HEADER(n, KIND_TUPLE);
    for (size_t i = 0; i < n; i++) {
        t[1 + i] = SMALL(step == 1 ? a->bytes[i] : read_be16(a->bytes + 2 * i));
    }
    return make_boxed(t);
}

static term packet_map(Process *p, const SocketAddress *a) {
    static const char *const types[] = {"host", "broadcast", "multicast", "otherhost", "outgoing", "loopback", "user", "kernel"};
    const char *type = a->packet_type < sizeof types / sizeof *types ? types[a->packet_type] : NULL;
    const term pairs[] = {A_family,   A_packet,
                          A_protocol, SMALL(a->port),
                          A_ifindex,  SMALL(a->scope),
                          A_hatype,   name_or_number(p, socket_hardware_type(a->hardware_type), a->hardware_type),
                          A_pkttype,  name_or_number(p, type, a->packet_type),
                          A_addr,     bits_from(HEAP(p), a->bytes, a->size)};
    return map_from_pairs(HEAP(p), pairs, 6);
}

/* NONE: there is none. */
static term address_map(Process *p, const SocketAddress *a) {
    if (a->family == FAMILY_PACKET) {
        return packet_map(p, a);
    }
    if (a->family != FAMILY_INET && a->family != FAMILY_INET6) {
        return NONE;
    }
    const term pairs[] = {A_family,   a->family == FAMILY_INET ? A_inet : A_inet6,
                          A_addr,     address_numbers(p, a),
                          A_port,     SMALL(a->port),
                          A_flowinfo, SMALL(a->flow),
                          A_scope_id, SMALL(a->scope)};
    return map_from_pairs(HEAP(p), pairs, a->family == FAMILY_INET ? 3 : 5);
}

static bool read_special(term t, SocketAddress *a) {
    bool four = a->family == FAMILY_INET;
    memset(a->bytes, t == A_broadcast ? 0xff : 0, a->size);
    if (t == A_loopback) {
        a->bytes[0] = four ? 127 : 0;
        a->bytes[a->size - 1] = 1;
    }
    return t == A_any || t == A_loopback || (t == A_broadcast && four);
}

static bool read_numbers(term t, SocketAddress *a) {
    size_t step = a->family == FAMILY_INET ? 1 : 2, n = a->size / step;
    intptr_t most = step == 1 ? 0xff : 0xffff;
    if (!is_tuple_of(t, n)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        term v = element(t, 1 + i);
        if (!is_small(v) || small_value(v) < 0 || small_value(v) > most) {
            return false;
        }
        a->bytes[step * i] = (uint8_t)(small_value(v) >> (step == 1 ? 0 : 8));
        a->bytes[step * i + step - 1] = (uint8_t)small_value(v);
    }
    return true;
}

static bool read_bytes(term t, SocketAddress *a, size_t most) {
    if (t == NONE || !is_binary(t) || bits_of(t).size / 8 > most) {
        return false;
    }
    Bits b = bits_of(t);
    a->size = (uint8_t)(b.size / 8);
    bitrun_copy(a->bytes, 0, b.at, b.start, b.size);
    return true;
}

/* Of a map as prim_socket:enc_sockaddr/1 makes it. */
static bool read_address(VM *vm, term map, SocketAddress *a) {
    memset(a, 0, sizeof *a);
    term family = is_map(map) ? map_get(vm, map, A_family) : NONE;
    if (family == NONE) {
        return false;
    }
    term addr = map_get(vm, map, A_addr);
    if (family == A_inet || family == A_inet6) {
        term port = map_get(vm, map, A_port), flow = map_get(vm, map, A_flowinfo), scope = map_get(vm, map, A_scope_id);
        a->family = family == A_inet ? FAMILY_INET : FAMILY_INET6;
        a->size = family == A_inet ? 4 : 16;
        if (port == NONE || !is_small(port) || addr == NONE ||
            (family == A_inet6 && (flow == NONE || !is_small(flow) || scope == NONE || !is_small(scope)))) {
            return false;
        }
        a->port = (uint16_t)small_value(port);
        a->flow = family == A_inet6 ? (uint32_t)small_value(flow) : 0;
        a->scope = family == A_inet6 ? (uint32_t)small_value(scope) : 0;
        return is_atom(addr) ? read_special(addr, a) : read_numbers(addr, a);
    }
    if (family == A_local) {
        term path = map_get(vm, map, A_path);
        a->family = FAMILY_LOCAL;
        return read_bytes(path, a, sizeof a->bytes) && (a->size < sizeof a->bytes || a->bytes[0] == 0);
    }
    a->family = FAMILY_OTHER;
    a->flow = is_small(family) ? (uint32_t)small_value(family) : 0;
    return (is_small(family) || family == A_unspec) && read_bytes(addr, a, sizeof a->bytes);
}

/* --- Looking up ----------------------------------------------------------------------------------------------------- */

/* What a job has found lies in its text: `failure` first, and behind it addresses, or two names. */
typedef struct {
    const char *failure;
} Found;

static const Found *found(const FileJob *j) {
    return (const Found *)(const void *)j->text.at;
}

static bool keep_address(void *arg, const ResolvedAddress *r) {
    text_add(arg, r, sizeof *r);
    return true;
}

enum { ASKS_HOST = 1, ASKS_SERVICE = 2 };

static int find_addresses(FileJob *j) {
    text_add(&j->text, &(Found){NULL}, sizeof(Found));
    const char *failure = resolve_addresses(j->modes & ASKS_HOST ? file_job_first(j) : NULL,
                                            j->modes & ASKS_SERVICE ? file_job_second(j) : NULL, keep_address, &j->text);
    if (j->text.failed) {
        return FILE_NO_MEMORY;
    }
    memcpy(j->text.at, &failure, sizeof failure);
    return 0;
}

static term addresses_found(Process *p, FileJob *j) {
    if (found(j)->failure != NULL) {
        return error(p, found(j)->failure);
    }
    const ResolvedAddress *r = (const ResolvedAddress *)(const void *)(found(j) + 1);
    term list = NIL;
    for (size_t n = (j->text.size - sizeof(Found)) / sizeof *r; n > 0; n--) {
        ResolvedAddress one = r[n - 1];
        term address = address_map(p, &one.address);
        // clang-format off
        const term pairs[] = {A_family, one.address.family == FAMILY_INET ? A_inet : A_inet6,
                              bif_release(p) < 26 ? A_type : A_socktype, name_or_number(p, one.type_name, (unsigned)one.type),
                              A_protocol, name_or_number(p, one.protocol_name, (unsigned)one.protocol), A_addr, address};
        // clang-format on
        if (address != NONE) {
            list = heap_cons(HEAP(p), map_from_pairs(HEAP(p), pairs, 4), list);
        }
    }
    return ok(p, list);
}

/* Adds a string as a name. `undefined` is none. Of an improper list OTP 29 takes what is before its end. */
static bool add_string(Process *p, FileJob *j, term t, unsigned which) {
    j->modes |= t == A_undefined ? 0 : which;
    for (; is_cons(t) && is_small(head(t)) && small_value(head(t)) >= 0 && small_value(head(t)) < 256; t = tail(t)) {
        text_byte(&j->names, (uint8_t)small_value(head(t)));
    }
    text_byte(&j->names, 0);
    return t == NIL || t == A_undefined || (bif_release(p) >= 29 && (j->modes & which) && !is_cons(t));
}

BIF(prim_net, nif_getaddrinfo, 3) {
    term ref;
    FileJob *j = file_job_new(p, find_addresses, addresses_found, &ref);
    if (j == NULL) {
        return bif_no_memory(p);
    }
    if (!add_string(p, j, a[0], ASKS_HOST) || (j->other = j->names.size, !add_string(p, j, a[1], ASKS_SERVICE)) || j->modes == 0) {
        return raise_badarg(p);
    }
    return j->names.failed ? bif_no_memory(p) : file_job_start(p, j, ref);
}

static int find_names(FileJob *j) {
    SocketAddress a;
    char host[RESOLVED_HOST], service[RESOLVED_SERVICE];
    memcpy(&a, j->names.at, sizeof a);
    Found f = {resolve_names(&a, j->modes, host, service)};
    text_add(&j->text, &f, sizeof f);
    if (f.failure == NULL) {
        text_add(&j->text, host, strlen(host) + 1);
        text_add(&j->text, service, strlen(service) + 1);
    }
    return j->text.failed ? FILE_NO_MEMORY : 0;
}

static term names_found(Process *p, FileJob *j) {
    if (found(j)->failure != NULL) {
        return error(p, found(j)->failure);
    }
    const char *host = (const char *)(found(j) + 1);
    const term pairs[] = {A_host, text_of(p, host), A_service, text_of(p, host + strlen(host) + 1)};
    return ok(p, map_from_pairs(HEAP(p), pairs, 2));
}

static bool read_name_flags(term t, unsigned *flags) {
    static const struct {
        term name;
        unsigned flag;
        // clang-format off
    } names[] = {
        {A_namereqd, RESOLVE_NAME_REQUIRED}, {A_dgram, RESOLVE_DATAGRAM},              {A_nofqdn, RESOLVE_LOCAL},
        {A_numerichost, RESOLVE_NUMERIC_HOST}, {A_numericserv, RESOLVE_NUMERIC_SERVICE}, {A_idn, RESOLVE_IDN},
    };
    // clang-format on
    *flags = 0;
    if (t == A_undefined) {
        return true;
    }
    if (t != NIL && !is_cons(t)) {
        return false;
    }
    for (; is_cons(t); t = tail(t)) {
        size_t i = 0;
        while (i < sizeof names / sizeof *names && names[i].name != head(t)) {
            i++;
        }
        if (i == sizeof names / sizeof *names) {
            return false;
        }
        *flags |= names[i].flag;
    }
    return true;
}

BIF(prim_net, nif_getnameinfo, 2) {
    SocketAddress address;
    unsigned flags;
    if (!read_address(process_vm(p), a[0], &address)) {
        return error(p, "einval");
    }
    if (!read_name_flags(a[1], &flags)) {
        return raise_badarg(p);
    }
    term ref;
    FileJob *j = file_job_new(p, find_names, names_found, &ref);
    if (j == NULL) {
        return bif_no_memory(p);
    }
    text_add(&j->names, &address, sizeof address);
    j->modes = flags;
    return j->names.failed ? bif_no_memory(p) : file_job_start(p, j, ref);
}

/* --- Services: since OTP 26 ------------------------------------------------------------------------------------------ */

/* A short list of bytes as text; false: it is none. */
static bool read_text(term t, char *to, size_t size) {
    size_t n = 0;
    for (; is_cons(t) && is_small(head(t)) && small_value(head(t)) > 0 && small_value(head(t)) < 256 && n + 1 < size; t = tail(t)) {
        to[n++] = (char)small_value(head(t));
    }
    to[n] = '\0';
    return t == NIL;
}

static bool read_protocol(term t, char name[16], const char **protocol) {
    bool good = read_text(t, name, 16);
    *protocol = strcmp(name, "any") == 0 ? NULL : name;
    return good;
}

BIF(prim_net, nif_getservbyname, 2) {
    char name[RESOLVED_SERVICE], protocol_name[16];
    const char *protocol;
    uint16_t port;
    bool there =
        read_text(a[0], name, sizeof name) && read_protocol(a[1], protocol_name, &protocol) && socket_service_port(name, protocol, &port);
    return there ? ok(p, SMALL(port)) : error(p, "einval");
}

BIF(prim_net, nif_getservbyport, 2) {
    char name[RESOLVED_SERVICE], protocol_name[16];
    const char *protocol;
    bool there = is_small(a[0]) && small_value(a[0]) >= 0 && small_value(a[0]) <= UINT16_MAX &&
                 read_protocol(a[1], protocol_name, &protocol) &&
                 socket_service_name((uint16_t)small_value(a[0]), protocol, name, sizeof name);
    return there ? ok(p, text_of(p, name)) : error(p, "einval");
}

/* --- Interfaces ------------------------------------------------------------------------------------------------------ */

typedef struct {
    Process *p;
    term list, *last;
} Interfaces;

static size_t add_address(Process *p, term *pairs, term key, const SocketAddress *a) {
    pairs[0] = key, pairs[1] = address_map(p, a);
    return pairs[1] == NONE ? 0 : 2;
}

static bool add_interface(void *arg, const Interface *i) {
    Interfaces *all = arg;
    Process *p = all->p;
    term flags = NIL, pairs[12] = {A_name, text_of(p, i->name), A_flags};
    for (unsigned n = i->flag_count; n > 0; n--) {
        flags = heap_cons(HEAP(p), atom_from(process_vm(p), i->flag_names[n - 1]), flags);
    }
    pairs[3] = flags;
    size_t n = 4;
    n += add_address(p, pairs + n, A_addr, &i->address);
    n += add_address(p, pairs + n, A_netmask, &i->netmask);
    n += add_address(p, pairs + n, A_broadaddr, &i->broadcast);
    n += add_address(p, pairs + n, A_dstaddr, &i->destination);
    term *cell = heap_alloc(HEAP(p), 2);
    cell[0] = map_from_pairs(HEAP(p), pairs, n / 2), cell[1] = NIL;
    *all->last = make_cons(cell);
    all->last = &cell[1];
    return true;
}

/* Other network namespaces are not looked at: erl of 25 and 27 itself never ends when it is asked for one. */
BIF(prim_net, nif_getifaddrs, 1) {
    if (!is_map(a[0])) {
        return raise_badarg(p);
    }
    term space = map_get(process_vm(p), a[0], A_netns);
    if (space != NONE) {
        return space == NIL || is_cons(space) ? error(p, "enotsup") : raise_badarg(p);
    }
    Interfaces all = {p, NIL, &all.list};
    int code = socket_interfaces(add_interface, &all);
    return code != 0 ? file_error(p, code) : ok(p, all.list);
}
