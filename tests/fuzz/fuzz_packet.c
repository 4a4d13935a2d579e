/* Packets (erlang:decode_packet/3, sockets): their length is never told longer when less of the bytes is there, what is handed on
   lies inside them, and what is parsed becomes a term. The first byte is the type, the next four the options. */
#include "fuzz.h"

#include "data/packet.h"
#include "term/heap.h"

enum { PACKET_TYPES = PACKET_HTTPH_BIN + 1, OPTION_BYTES = 5 };

/* With fewer bytes the packet is not longer: the length cannot be told yet, is the same, or (lines) what is there is cut or too long. */
static void look_at_prefixes(PacketType type, const uint8_t *p, size_t n, const PacketOptions *o, int64_t whole) {
    for (size_t i = 0; i < n; i++) {
        int64_t length = packet_length(type, p, i, o);
        MUST(length <= whole);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uintptr_t no_handlers[1];
    if (size < OPTION_BYTES || size > 4096) {
        return 0;
    }
    PacketType type = (PacketType)(data[0] % PACKET_TYPES);
    PacketOptions o = {
        .max_size = data[1] & 0x80 ? 0 : data[1], .max_line = data[2] & 0x80 ? 0 : data[2], .delimiter = data[3], .headers = data[4] & 1};
    size_t n = size - OPTION_BYTES;
    uint8_t *p = malloc(n + !n); /* of its own, so that the sanitizer sees its end */
    MUST(p != NULL);
    memcpy(p, data + OPTION_BYTES, n);
    int64_t length = packet_length(type, p, n, &o);
    if (length > 0 && type != PACKET_RAW) {
        look_at_prefixes(type, p, n, &o, length);
    }
    VM *vm = fuzz_code_vm(no_handlers);
    Heap h;
    heap_init_detached(&h, vm);
    if (length > 0 && (uint64_t)length <= n) {
        Bytes body = packet_body(type, p, (size_t)length);
        MUST(body.at >= p && body.at + body.size <= p + length);
        packet_parse(&h, type, p, (size_t)length, &o.headers);
    }
    heap_free_fragments(vm, heap_detach(&h));
    free(p);
    return 0;
}
