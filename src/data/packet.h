/* Where packets end in a stream of bytes, and what is in those that have a structure: erlang:decode_packet/3, and the
   packet option of ports and sockets. */
#ifndef MOTE_DATA_PACKET_H
#define MOTE_DATA_PACKET_H

#include "term/heap.h"

typedef enum { /* in the order of the numbers by which sockets are told */
               PACKET_RAW,
               PACKET_1, /* so many bytes of length in front */
               PACKET_2,
               PACKET_4,
               PACKET_ASN1,
               PACKET_SUNRM,
               PACKET_CDR,
               PACKET_FCGI,
               PACKET_LINE,
               PACKET_TPKT,
               PACKET_HTTP,  /* request or status line; then headers */
               PACKET_HTTPH, /* headers */
               PACKET_SSL_TLS,
               PACKET_HTTP_BIN, /* as HTTP, strings as binaries */
               PACKET_HTTPH_BIN,
} PacketType;

typedef struct {
    uint32_t max_size; /* 0: no limit */
    uint32_t max_line; /* longer lines are cut; 0: no limit */
    uint8_t delimiter; /* of lines */
    bool headers;      /* http: a header is expected, not a first line */
} PacketOptions;

/* The type that a term names: raw, 0, 1, 2, 4, asn1, ... False: none. */
bool packet_type(term t, PacketType *type);

/* The length of the packet that begins at p, header included; it may be more than n. 0: cannot be told yet; < 0: this is no
   such packet. */
int64_t packet_length(PacketType type, const uint8_t *p, size_t n, const PacketOptions *o);

/* What of a whole packet its receiver gets, if it is not parsed. */
Bytes packet_body(PacketType type, const uint8_t *p, size_t length);

/* A whole packet as a term: {http_request, ...}, {http_header, ...}, http_eoh, {http_error, Line}, {ssl_tls, ...}; *headers as
   in PacketOptions is brought up to date. NONE with h->reason NONE: packets of this type are not parsed; else no memory. */
term packet_parse(Heap *h, PacketType type, const uint8_t *p, size_t length, bool *headers);

#endif
