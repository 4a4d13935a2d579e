/* erlang:decode_packet/3. */
#include "bif/bif.h"
#include "data/bits.h"
#include "data/integer.h"
#include "data/packet.h"

static bool packet_options(term list, PacketType type, PacketOptions *o) {
    *o = (PacketOptions){.delimiter = '\n'};
    for (; is_cons(list); list = tail(list)) {
        term t = head(list);
        uint64_t n;
        if (!is_tuple_of(t, 2) || !integer_to_uint64(element(t, 2), &n) || n > UINT32_MAX) {
            return false;
        }
        if (element(t, 1) == A_packet_size) {
            o->max_size = (uint32_t)n;
        } else if (element(t, 1) == A_line_length) {
            o->max_line = (uint32_t)n;
        } else if (element(t, 1) == A_line_delimiter && type == PACKET_LINE && n <= 255) {
            o->delimiter = (uint8_t)n;
        } else {
            return false;
        }
    }
    return list == NIL;
}

static term whole_packet(Process *p, PacketType type, term t, const uint8_t *bytes, size_t length, bool headers) {
    Heap *h = HEAP(p);
    term packet = packet_parse(h, type, bytes, length, &headers);
    if (packet == NONE) {
        if (h->reason != NONE) {
            return raise_heap_reason(p);
        }
        Bytes body = packet_body(type, bytes, length);
        packet = bits_sub(h, t, (size_t)(body.at - bytes) * 8, body.size * 8);
    }
    return TUPLE3(h, A_ok, packet, bits_sub(h, t, length * 8, bits_size(t) - length * 8));
}

BIF(erlang, decode_packet, 3) {
    PacketType type;
    PacketOptions o;
    if (!packet_type(a[0], &type)) {
        return raise_error_cause(p, A_badarg, A_badopt);
    }
    if (!is_bitstring(a[1]) || !packet_options(a[2], type, &o)) {
        return raise_badarg(p);
    }
    BitsBytes b;
    term whole = bits_sub(HEAP(p), a[1], 0, bits_size(a[1]) & ~(size_t)7);
    if (!bits_bytes(process_vm(p), whole, &b)) {
        return raise_error(p, A_system_limit);
    }
    int64_t length = packet_length(type, b.at, b.size, &o);
    term result;
    if (length < 0) {
        result = TUPLE2(HEAP(p), A_error, A_invalid);
    } else if (length == 0 || (uint64_t)length > b.size) {
        result = TUPLE2(HEAP(p), A_more, length == 0 ? A_undefined : SMALL(length));
    } else {
        result = whole_packet(p, type, a[1], b.at, (size_t)length, o.headers);
    }
    bits_bytes_done(process_vm(p), &b);
    return result;
}
