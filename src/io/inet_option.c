/* Options and statistics of sockets. An option is a byte that names it and, mostly, a number of 32 bits. Those of this side are
   fields of InetSettings, told by a table; those of the system are known to platform/socket.h. */
#include "io/inet_tcp.h"

#include "data/bits.h"
#include "term/atom.h"

// clang-format off
enum { HEADER = 21, BUFFER = 20, ACTIVE = 22, PACKET = 23, MODE, DELIVER, EXIT_ON_CLOSE, HIGH_MARK, LOW_MARK, SEND_TIMEOUT = 30,
       DELAY_SEND, PACKET_SIZE, READ_PACKETS, RAW, SEND_TIMEOUT_CLOSE, HIGH_QUEUE, LOW_QUEUE, SPACE, SHOW_RESET, DELIMITER,
       BIND_TO_DEVICE = 42, PACKET_OPTIONS = 45, READ_AHEAD = 49, NOT_BLOCKING = 50, DEBUG = 99 };
// clang-format on
enum { ANY_KIND, STREAMS, DATAGRAMS };
enum { QUEUE_LOWEST = 1, VALUES_MAX = 64 * 1024 };

static const struct {
    uint8_t option, kind;
    uint16_t field;
    int32_t least, most;
} settings[] = {
#define FIELD(f) offsetof(InetSettings, f)
    {HEADER, ANY_KIND, FIELD(header), 0, INT32_MAX},
    {BUFFER, ANY_KIND, FIELD(buffer), INT32_MIN, INT32_MAX},
    {PACKET, ANY_KIND, FIELD(packet), PACKET_RAW, PACKET_HTTPH_BIN},
    {MODE, ANY_KIND, FIELD(mode), 0, 1},
    {DELIVER, ANY_KIND, FIELD(deliver), 0, 1},
    {EXIT_ON_CLOSE, ANY_KIND, FIELD(exit_on_close), 0, 1},
    {HIGH_MARK, STREAMS, FIELD(high), INT32_MIN, INT32_MAX},
    {LOW_MARK, STREAMS, FIELD(low), INT32_MIN, INT32_MAX},
    {SEND_TIMEOUT, STREAMS, FIELD(send_timeout), INT32_MIN, INT32_MAX},
    {DELAY_SEND, STREAMS, FIELD(delay_send), 0, 1},
    {PACKET_SIZE, ANY_KIND, FIELD(packet_size), INT32_MIN, INT32_MAX},
    {READ_PACKETS, DATAGRAMS, FIELD(read_packets), 1, INT32_MAX},
    {SEND_TIMEOUT_CLOSE, STREAMS, FIELD(send_timeout_close), 0, 1},
    {HIGH_QUEUE, ANY_KIND, FIELD(high_queue), QUEUE_LOWEST, INT32_MAX},
    {LOW_QUEUE, ANY_KIND, FIELD(low_queue), QUEUE_LOWEST, INT32_MAX},
    {SHOW_RESET, STREAMS, FIELD(show_reset), 0, 1},
    {DELIMITER, ANY_KIND, FIELD(delimiter), INT32_MIN, INT32_MAX},
    {READ_AHEAD, STREAMS, FIELD(read_ahead), 0, 1},
    {NOT_BLOCKING, ANY_KIND, FIELD(not_blocking), 0, 1},
    {DEBUG, ANY_KIND, FIELD(debug), 0, 1},
};

static size_t find(unsigned option) {
    size_t i = 0;
    while (i < ARRAY_LEN(settings) && settings[i].option != option) {
        i++;
    }
    return i;
}

static int32_t *field(Inet *s, size_t i) {
    return (int32_t *)(void *)((uint8_t *)&s->set + settings[i].field);
}

static bool has(const Inet *s, size_t i) {
    return settings[i].kind == ANY_KIND || (settings[i].kind == STREAMS) == s->stream;
}

void inet_settings_init(Inet *s) {
    enum { BUFFER_SIZE = 1460, LARGER_BUFFER = 9216 /* since OTP 28 */, HIGH = 8192, LOW = 4096, READS = 5 };
    // clang-format off
    s->set = (InetSettings){.deliver = 1, .buffer = inet_release(s) >= 28 ? LARGER_BUFFER : BUFFER_SIZE, .exit_on_close = 1,
                            .delimiter = '\n', .high_queue = HIGH, .low_queue = LOW, .send_timeout = -1, .read_ahead = 1,
                            .high = HIGH, .low = LOW, .read_packets = READS};
    // clang-format on
}

void inet_settings_copy(Inet *to, const Inet *from) {
    to->set = from->set;
    to->set.delimiter = '\n';
    to->set.delay_send = to->set.debug = 0;
    to->linger_zero = from->linger_zero;
}

/* --- Setting ------------------------------------------------------------------------------------------------------- */

static bool take(Bytes *data, size_t n, const uint8_t **at) {
    *at = data->at;
    if (data->size < n) {
        return false;
    }
    data->at += n, data->size -= n;
    return true;
}

static bool set_setting(Inet *s, size_t i, int32_t value) {
    InetSettings *set = &s->set;
    if (!has(s, i)) {
        return true;
    }
    if (settings[i].least == 0 && settings[i].most == 1) {
        value = value != 0;
    }
    if (value < settings[i].least || value > settings[i].most) {
        return false;
    }
    switch (settings[i].option) {
    case BUFFER:
        s->buffer_set = true;
        value = MAX(value, 1);
        break;
    case HIGH_MARK:
        value = MAX(value, 0);
        set->low = MIN(set->low, value);
        break;
    case LOW_MARK:
        value = MAX(value, 0);
        set->high = MAX(set->high, value);
        break;
    }
    *field(s, i) = value;
    return true;
}

/* Active, on a stream that has been closed already: the message that tells so comes now. False: the port is gone. */
static bool tell_closed(Inet *s) {
    if (!s->stream || s->active == INET_PASSIVE || s->state != 0) {
        return true;
    }
    if (s->was_reset) {
        s->was_reset = false;
        inet_deliver_event(s, A_tcp_error, A_econnreset);
    }
    tcp_closed_message(s);
    if (s->set.exit_on_close) {
        port_end(&s->port, A_normal);
        return false;
    }
    return true;
}

static InetOptions set_active(Inet *s, int32_t value, Bytes *data) {
    const uint8_t *p;
    if (value < INET_PASSIVE || value > INET_COUNTED) {
        return INET_OPTIONS_BAD;
    }
    s->active = (uint8_t)value;
    if (value == INET_COUNTED) {
        if (!take(data, 2, &p)) {
            return INET_OPTIONS_BAD;
        }
        int32_t left = s->active_left + (int16_t)read_be16(p);
        if (left > INT16_MAX || left < INT16_MIN) {
            return INET_OPTIONS_BAD;
        }
        s->active_left = MAX(left, 0);
        if (s->active_left == 0) {
            s->active = INET_PASSIVE;
            inet_deliver_event(s, s->stream ? A_tcp_passive : A_udp_passive, NONE);
        }
    } else {
        s->active_left = 0;
    }
    return tell_closed(s) ? INET_OPTIONS_SET : INET_OPTIONS_GONE;
}

static bool set_system(Inet *s, unsigned option, int32_t value) {
    if (option == SOCKET_RECEIVE_BUFFER && !s->buffer_set) {
        enum { DATAGRAM_MOST = 1 << 16 };
        s->set.buffer = value > DATAGRAM_MOST && s->type == SOCKET_DATAGRAM ? DATAGRAM_MOST : MAX(s->set.buffer, value);
    }
    int error = socket_set_number(s->fd, option, value);
    uint8_t bit = option == SOCKET_RECEIVE_TOS ? 1 : option == SOCKET_RECEIVE_TCLASS ? 2 : option == SOCKET_RECEIVE_TTL ? 4 : 0;
    if (error == 0) {
        s->extras = (uint8_t)(value != 0 ? s->extras | bit : s->extras & ~bit);
    }
    return error == 0 || !socket_option_strict(option);
}

static char *string_from(Inet *s, Bytes b) {
    char *text = mem_alloc(&s->port.vm->mem, MEM_SYSTEM, b.size + 1);
    if (text != NULL) {
        memcpy(text, b.at, b.size);
        text[b.size] = '\0';
    }
    return text;
}

static bool set_space(Inet *s, Bytes name) {
    char *text = string_from(s, name);
    if (s->space != NULL) {
        mem_free(&s->port.vm->mem, MEM_SYSTEM, s->space, strlen(s->space) + 1);
    }
    s->space = text;
    return text != NULL && strlen(text) == name.size;
}

static bool set_membership(Inet *s, bool add, unsigned family, Bytes *data) {
    const uint8_t *p;
    size_t size = family == FAMILY_INET ? 4 + 4 + 4 : 4 + 16;
    if (family != s->family || family > FAMILY_INET6 || !take(data, size, &p)) {
        return false;
    }
    socket_membership(s->fd, add, family, p + 4, p + 8, read_be32(p)); /* failures have never been told */
    return true;
}

static bool set_special(Inet *s, unsigned option, int32_t value, Bytes *data) {
    const uint8_t *p, *q;
    char name[64] = "";
    switch (option) {
    case SOCKET_LINGER:
        if (!take(data, 4, &p)) {
            return false;
        }
        s->linger_zero = value != 0 && read_be32(p) == 0;
        socket_set_linger(s->fd, value, (int32_t)read_be32(p));
        return true;
    case SOCKET_MULTICAST_IF: {
        uint8_t bytes[4];
        write_be32(bytes, (uint32_t)value);
        if (s->family != FAMILY_INET && s->family != FAMILY_INET6) {
            return false;
        }
        socket_set_multicast_if(s->fd, s->family, bytes);
        return true;
    }
    case SOCKET_ADD_MEMBERSHIP:
    case SOCKET_DROP_MEMBERSHIP: return set_membership(s, option == SOCKET_ADD_MEMBERSHIP, (unsigned)value, data);
    case SPACE: return value >= 0 && take(data, (size_t)value, &p) && set_space(s, (Bytes){p, (size_t)value});
    case BIND_TO_DEVICE:
        if (value < 0 || (size_t)value >= sizeof name || !take(data, (size_t)value, &p)) {
            return false;
        }
        memcpy(name, p, (size_t)value);
        return socket_set_device(s->fd, name) == 0;
    case RAW:
        if (!take(data, 8, &p) || !take(data, read_be32(p + 4), &q)) {
            return false;
        }
        socket_set_raw(s->fd, value, (int)read_be32(p), (Bytes){q, read_be32(p + 4)});
        return true;
    case 19: /* exclusiveaddruse: of other systems */ return true;
    default: return false;
    }
}

InetOptions inet_set_options(Inet *s, Bytes data) {
    int32_t packet = s->set.packet;
    bool was_active = s->active != INET_PASSIVE;
    const uint8_t *p;
    while (take(&data, 5, &p)) {
        unsigned option = p[0];
        int32_t value = (int32_t)read_be32(p + 1);
        size_t i = find(option);
        if (option == ACTIVE) {
            InetOptions r = set_active(s, value, &data);
            if (r != INET_OPTIONS_SET) {
                return r;
            }
        } else if (!(i < ARRAY_LEN(settings)       ? set_setting(s, i, value)
                     : socket_option_known(option) ? set_system(s, option, value)
                                                   : set_special(s, option, value, &data))) {
            return INET_OPTIONS_BAD;
        }
    }
    if (!(s->state & (s->stream ? INET_ACTIVE : INET_OPEN))) {
        return INET_OPTIONS_SET;
    }
    bool changed = packet != s->set.packet;
    if (s->stream && !was_active && s->active >= INET_ONCE && !changed) {
        return INET_OPTIONS_READ;
    }
    if ((s->active != INET_PASSIVE) != was_active) {
        inet_watch(s, (s->watched & ~(unsigned)POLL_READ) | (s->active != INET_PASSIVE ? POLL_READ : 0u));
    }
    return s->stream && s->active != INET_PASSIVE && (!was_active || changed) ? INET_OPTIONS_DELIVER : INET_OPTIONS_SET;
}

/* --- Asking -------------------------------------------------------------------------------------------------------- */

static void put(Text *t, unsigned option, uint32_t value) {
    text_byte(t, (uint8_t)option);
    text_be32(t, value);
}

static bool get_raw(Inet *s, Text *t, Bytes *data) {
    const uint8_t *p, *given;
    if (!take(data, 13, &p)) {
        return false;
    }
    uint32_t size = read_be32(p + 9);
    if (size > VALUES_MAX || t->size + 13 + size > VALUES_MAX || (p[8] != 0 && !take(data, size, &given)) || !text_reserve(t, 13 + size)) {
        return false;
    }
    uint8_t *value = t->at + t->size + 13;
    size_t length = size;
    if (p[8] != 0) {
        memcpy(value, given, size);
    } else {
        memset(value, 0, size);
    }
    if (socket_get_raw(s->fd, (int)read_be32(p), (int)read_be32(p + 4), value, &length) == 0) {
        text_byte(t, RAW);
        text_add(t, p, 8);
        text_be32(t, (uint32_t)length);
        t->size += length;
    }
    return true;
}

static void get_packet_options(Inet *s, Text *t) {
    SocketExtra extra;
    if (socket_packet_options(s->fd, s->family, &extra) == 0) {
        put(t, PACKET_OPTIONS, 5 * extra.count);
        for (unsigned i = 0; i < extra.count; i++) {
            put(t, extra.item[i].option, extra.item[i].value);
        }
    }
}

static bool get_special(Inet *s, Text *t, unsigned option, Bytes *data) {
    int32_t pair[2];
    uint8_t bytes[64] = {0};
    size_t size = sizeof bytes;
    switch (option) {
    case ACTIVE:
        put(t, option, s->active);
        if (s->active == INET_COUNTED) {
            text_byte(t, (uint8_t)(s->active_left >> 8));
            text_byte(t, (uint8_t)s->active_left);
        }
        return true;
    case SOCKET_LINGER:
        if (socket_get_linger(s->fd, pair) == 0) {
            put(t, option, (uint32_t)pair[0]);
            text_be32(t, (uint32_t)pair[1]);
        }
        return true;
    case SOCKET_MULTICAST_IF:
        if (s->family != FAMILY_INET && s->family != FAMILY_INET6) {
            return false;
        }
        if (socket_get_multicast_if(s->fd, s->family, bytes) == 0) {
            put(t, option, read_be32(bytes));
            text_be32(t, s->family);
        }
        return true;
    case SPACE:
        if (s->space != NULL) {
            put(t, option, (uint32_t)strlen(s->space));
            text_string(t, s->space);
        }
        return true;
    case BIND_TO_DEVICE:
        if (socket_get_device(s->fd, (char *)bytes, &size) == 0) {
            put(t, option, (uint32_t)size);
            text_add(t, bytes, size);
        }
        return true;
    case PACKET_OPTIONS:
        if (s->family != FAMILY_INET && s->family != FAMILY_INET6) {
            return false;
        }
        get_packet_options(s, t);
        return true;
    case RAW: return get_raw(s, t, data);
    case 19: return true;
    default: return false;
    }
}

static bool get_options(Inet *s, Text *t, Bytes data) {
    const uint8_t *p;
    while (take(&data, 1, &p)) {
        size_t i = find(*p);
        int32_t value;
        if (i < ARRAY_LEN(settings) && *p != DELIMITER) {
            if (has(s, i)) {
                put(t, *p, (uint32_t)*field(s, i));
            }
        } else if (socket_option_known(*p)) {
            if (socket_get_number(s->fd, *p, &value) == 0) {
                put(t, *p, (uint32_t)value);
            }
        } else if (!get_special(s, t, *p, &data)) {
            return false;
        }
        if (t->size > VALUES_MAX) {
            return false;
        }
    }
    return !t->failed;
}

term inet_get_options(Inet *s, Process *p, Bytes data) {
    Text t;
    text_init(&t, &s->port.vm->mem);
    term answer = get_options(s, &t, data) ? inet_ok(p, (Bytes){t.at, t.size}) : inet_fail(p, "einval");
    text_done(&t);
    return answer;
}

/* --- Beside datagrams ---------------------------------------------------------------------------------------------- */

term inet_extra_list(Heap *h, const SocketExtra *extra) {
    term list = NIL;
    for (unsigned i = extra->count; i-- > 0;) {
        unsigned option = extra->item[i].option;
        term name = option == SOCKET_TOS ? A_tos : option == SOCKET_TTL ? A_ttl : A_tclass;
        list = heap_cons(h, TUPLE2(h, name, SMALL(extra->item[i].value)), list);
    }
    return list;
}

bool inet_read_extra(Bytes data, SocketExtra *extra) {
    const uint8_t *p;
    extra->count = 0;
    while (data.size > 0) {
        if (!take(&data, 5, &p) || extra->count == ARRAY_LEN(extra->item) ||
            (p[0] != SOCKET_TOS && p[0] != SOCKET_TTL && p[0] != SOCKET_TCLASS)) {
            return false;
        }
        extra->item[extra->count].option = p[0];
        extra->item[extra->count++].value = read_be32(p + 1);
    }
    return true;
}

/* --- Statistics ---------------------------------------------------------------------------------------------------- */

term inet_statistics(Inet *s, Process *p, Bytes data) {
    enum { OCTETS_IN = 9, OCTETS_OUT = 10, KINDS };
    const InetMeter *in = &s->received, *out = &s->sent;
    double deviation = in->deviation < 0 ? -in->deviation : in->deviation;
    // clang-format off
    const uint64_t values[KINDS] = {0, in->count, in->largest, (uint64_t)in->average, (uint64_t)deviation, out->count, out->largest,
                                    (uint64_t)out->average, tcp_queued(&s->port), in->bytes, out->bytes};
    // clang-format on
    Text t;
    text_init(&t, &s->port.vm->mem);
    bool good = data.size <= VALUES_MAX / 9;
    for (size_t i = 0; i < data.size && good; i++) {
        unsigned kind = data.at[i];
        good = kind > 0 && kind < KINDS;
        text_byte(&t, (uint8_t)kind);
        if (good && kind >= OCTETS_IN) {
            text_be32(&t, (uint32_t)(values[kind] >> 32));
        }
        text_be32(&t, good ? (uint32_t)values[kind] : 0);
    }
    term answer = good && !t.failed ? inet_ok(p, (Bytes){t.at, t.size}) : NONE;
    text_done(&t);
    return answer;
}
