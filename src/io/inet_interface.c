/* Interfaces of the machine, for the requests about them. */
#include "io/inet.h"

static term text_answer(Process *p, Text *t) {
    term answer = t->failed ? inet_fail(p, "enomem") : inet_ok(p, (Bytes){t->at, t->size});
    text_done(t);
    return answer;
}

/* A family and the address, without a port. */
static void add_address(Text *t, unsigned kind, const SocketAddress *a) {
    if (a->family == FAMILY_INET || a->family == FAMILY_INET6) {
        text_byte(t, (uint8_t)kind);
        text_byte(t, a->family);
        text_add(t, a->bytes, a->size);
    }
}

static void add_hardware(Text *t, const uint8_t *at, size_t size) {
    text_byte(t, INTERFACE_HARDWARE);
    text_byte(t, (uint8_t)(size >> 8));
    text_byte(t, (uint8_t)size);
    text_add(t, at, size);
}

static bool add_name(void *arg, const Interface *i) {
    if (i->address.family == FAMILY_INET) {
        text_add(arg, i->name, strlen(i->name) + 1);
    }
    return true;
}

term inet_interface_list(Inet *s, Process *p) {
    Text t;
    text_init(&t, &s->port.vm->mem);
    int error = socket_interfaces(add_name, &t);
    term answer = text_answer(p, &t);
    return error != 0 ? inet_fail_number(p, error) : answer;
}

static bool add_interface(void *arg, const Interface *i) {
    Text *t = arg;
    for (const char *c = i->name; *c != '\0'; c++) {
        text_char(t, (uint8_t)*c);
    }
    text_byte(t, 0);
    text_byte(t, INTERFACE_FLAGS);
    text_be32(t, i->flags);
    add_address(t, INTERFACE_ADDRESS, &i->address);
    add_address(t, INTERFACE_NETMASK, &i->netmask);
    add_address(t, INTERFACE_DESTINATION, &i->destination);
    add_address(t, INTERFACE_BROADCAST, &i->broadcast);
    if (i->hardware.size > 0) {
        add_hardware(t, i->hardware.at, i->hardware.size);
    }
    text_byte(t, 0);
    return true;
}

term inet_interfaces(Inet *s, Process *p) {
    Text t;
    text_init(&t, &s->port.vm->mem);
    int error = socket_interfaces(add_interface, &t);
    term answer = text_answer(p, &t);
    return error != 0 ? inet_fail_number(p, error) : answer;
}

/* The name in front of a request; it is cut as the system cuts it. */
static bool read_name(Bytes *data, char name[16]) {
    if (data->size < 1 || data->at[0] > data->size - 1) {
        return false;
    }
    size_t n = data->at[0];
    memcpy(name, data->at + 1, MIN(n, 15));
    name[MIN(n, 15)] = '\0';
    data->at += n + 1, data->size -= n + 1;
    return true;
}

term inet_interface_get(Inet *s, Process *p, Bytes data) {
    enum { LONGEST = 256 };
    char name[16];
    if (!read_name(&data, name) || data.size > LONGEST) {
        return inet_fail(p, "einval");
    }
    Text t;
    text_init(&t, &s->port.vm->mem);
    for (size_t i = 0; i < data.size; i++) {
        unsigned kind = data.at[i];
        InterfaceValue v;
        if (kind < INTERFACE_ADDRESS || kind > INTERFACE_HARDWARE) {
            text_done(&t);
            return inet_fail(p, "einval");
        }
        if (!socket_interface_get(s->fd, name, kind, &v)) {
            continue;
        }
        if (kind == INTERFACE_MTU || kind == INTERFACE_FLAGS) {
            text_byte(&t, (uint8_t)kind);
            text_be32(&t, v.number);
        } else if (kind == INTERFACE_HARDWARE) {
            add_hardware(&t, v.hardware, v.hardware_size);
        } else {
            add_address(&t, kind, &v.address);
        }
    }
    return text_answer(p, &t);
}

/* One value behind its kind; false: it is cut off, or there is no such thing. */
static bool read_value(Bytes *data, unsigned kind, InterfaceValue *v) {
    const uint8_t *p = data->at;
    size_t size = 4;
    memset(v, 0, sizeof *v);
    if (kind < INTERFACE_ADDRESS || kind > INTERFACE_HARDWARE || data->size < 2) {
        return false;
    }
    if (kind == INTERFACE_HARDWARE) {
        v->hardware_size = read_be16(p);
        size = 2 + v->hardware_size;
    } else if (kind != INTERFACE_MTU && kind != INTERFACE_FLAGS) {
        v->address.family = p[0];
        v->address.size = p[0] == FAMILY_INET ? 4 : 16;
        size = 1u + v->address.size;
        if (p[0] != FAMILY_INET && p[0] != FAMILY_INET6) {
            return false;
        }
    }
    if (data->size < size || v->hardware_size > sizeof v->hardware) {
        return false;
    }
    if (kind == INTERFACE_HARDWARE) {
        memcpy(v->hardware, p + 2, v->hardware_size);
    } else if (v->address.size > 0) {
        memcpy(v->address.bytes, p + 1, v->address.size);
    } else {
        v->number = read_be32(p);
    }
    data->at += size, data->size -= size;
    return true;
}

term inet_interface_set(Inet *s, Process *p, Bytes data) {
    char name[16];
    if (!read_name(&data, name)) {
        return inet_fail(p, "einval");
    }
    while (data.size > 0) {
        unsigned kind = data.at[0];
        InterfaceValue v;
        data.at++, data.size--;
        if (!read_value(&data, kind, &v)) {
            return inet_fail(p, "einval");
        }
        socket_interface_set(s->fd, name, kind, &v);
    }
    return inet_done(p, 0);
}
