/* Where packets end in a stream of bytes, and what is in them. */
#include "data/packet.h"

#include "data/bits.h"
#include "term/atom.h"

bool packet_type(term t, PacketType *type) {
    static const struct {
        term name;
        PacketType type;
    } types[] = {
        {SMALL(0), PACKET_RAW},      {A_raw, PACKET_RAW},           {SMALL(1), PACKET_1},
        {SMALL(2), PACKET_2},        {SMALL(4), PACKET_4},          {A_asn1, PACKET_ASN1},
        {A_sunrm, PACKET_SUNRM},     {A_cdr, PACKET_CDR},           {A_fcgi, PACKET_FCGI},
        {A_line, PACKET_LINE},       {A_tpkt, PACKET_TPKT},         {A_http, PACKET_HTTP},
        {A_httph, PACKET_HTTPH},     {A_http_bin, PACKET_HTTP_BIN}, {A_httph_bin, PACKET_HTTPH_BIN},
        {A_ssl_tls, PACKET_SSL_TLS},
    };
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (types[i].name == t) {
            *type = types[i].type;
            return true;
        }
    }
    return false;
}

/* --- Lengths ------------------------------------------------------------------------------------------------------- */

enum { UNKNOWN = 0, INVALID = -1 };
enum { CDR_HEAD = 12, FCGI_HEAD = 8, TPKT_HEAD = 4, TPKT_VERSION = 3, SSL_HEAD = 5 };

/* A packet of a header and so many bytes; lengths of 2^31 and more are not packets. */
static int64_t total(int64_t head, int64_t body, const PacketOptions *o) {
    if (body < 0 || (o->max_size != 0 && body > o->max_size) || head + body > INT32_MAX) {
        return INVALID;
    }
    return head + body;
}

static int64_t line_length(const uint8_t *p, size_t n, const PacketOptions *o) {
    const uint8_t *end = memchr(p, o->delimiter, n);
    size_t length = end == NULL ? n : (size_t)(end - p) + 1;
    if (o->max_size != 0 && length > o->max_size) {
        return INVALID;
    }
    if (o->max_line != 0 && (length > o->max_line || (end == NULL && length >= o->max_line))) {
        return o->max_line;
    }
    return end == NULL ? UNKNOWN : (int64_t)length;
}

static int64_t asn1_length(const uint8_t *p, size_t n, const PacketOptions *o) {
    if (n < 2) {
        return UNKNOWN;
    }
    size_t i = 1;
    if ((p[0] & 0x1f) == 0x1f) { /* the tag goes on */
        while (i < n && p[i] & 0x80) {
            i++;
        }
        if (n - i < 2) {
            return UNKNOWN;
        }
        i++;
    }
    unsigned length = p[i] & 0x7f;
    if ((p[i++] & 0x80) == 0) {
        return total((int64_t)i, length, o);
    }
    if (n - i < length) {
        return UNKNOWN;
    }
    if (length > 4) {
        return INVALID;
    }
    int64_t body = 0;
    for (unsigned k = 0; k < length; k++) {
        body = body << 8 | p[i++];
    }
    return total((int64_t)i, body, o);
}

static bool is_space(uint8_t c) {
    return c == ' ' || c == '\t';
}

static int64_t http_length(const uint8_t *p, size_t n, const PacketOptions *o, bool headers) {
    size_t max = o->max_size != 0 ? o->max_size : o->max_line;
    if ((n == 1 && p[0] == '\n') || (n == 2 && p[0] == '\r' && p[1] == '\n')) {
        return (int64_t)n;
    }
    for (size_t from = 0;;) {
        const uint8_t *end = memchr(p + from, '\n', n - from);
        if (end == NULL) {
            return max != 0 && n >= max ? INVALID : UNKNOWN;
        }
        size_t length = (size_t)(end - p) + 1;
        if (headers && length < n && is_space(p[length]) && length > 2) {
            from = length; /* the value of a header goes on in the next line */
            continue;
        }
        if (max != 0 && length > max) {
            return INVALID;
        }
        return headers && length == n ? UNKNOWN : (int64_t)length; /* it might go on */
    }
}

static int64_t cdr_length(const uint8_t *p, size_t n, const PacketOptions *o) {
    if (n < CDR_HEAD) {
        return UNKNOWN;
    }
    if (memcmp(p, "GIOP", 4) != 0) {
        return INVALID;
    }
    uint32_t body = read_be32(p + 8);
    return total(CDR_HEAD, p[6] & 1 ? __builtin_bswap32(body) : body, o);
}

static int64_t ssl_length(const uint8_t *p, size_t n, const PacketOptions *o) {
    if (n < SSL_HEAD) {
        return UNKNOWN;
    }
    if (p[0] & 0x80 && p[2] == 1) { /* a client of version 2 says hello */
        return total(SSL_HEAD, (int64_t)(read_be16(p) & 0x7fff) - 3, o);
    }
    return total(SSL_HEAD, read_be16(p + 3), o);
}

int64_t packet_length(PacketType type, const uint8_t *p, size_t n, const PacketOptions *o) {
    switch (type) {
    case PACKET_RAW: return (int64_t)n;
    case PACKET_1: return n < 1 ? UNKNOWN : total(1, p[0], o);
    case PACKET_2: return n < 2 ? UNKNOWN : total(2, read_be16(p), o);
    case PACKET_4: return n < 4 ? UNKNOWN : total(4, read_be32(p), o);
    case PACKET_SUNRM: return n < 4 ? UNKNOWN : total(4, read_be32(p) & 0x7fffffff, o);
    case PACKET_LINE: return line_length(p, n, o);
    case PACKET_ASN1: return asn1_length(p, n, o);
    case PACKET_CDR: return cdr_length(p, n, o);
    case PACKET_FCGI: return n < FCGI_HEAD ? UNKNOWN : p[0] != 1 ? INVALID : total(FCGI_HEAD, read_be16(p + 4) + p[6], o);
    case PACKET_TPKT:
        return n < TPKT_HEAD ? UNKNOWN : p[0] != TPKT_VERSION ? INVALID : total(TPKT_HEAD, (int64_t)read_be16(p + 2) - TPKT_HEAD, o);
    case PACKET_HTTP:
    case PACKET_HTTP_BIN: return http_length(p, n, o, o->headers);
    case PACKET_HTTPH:
    case PACKET_HTTPH_BIN: return http_length(p, n, o, true);
    case PACKET_SSL_TLS: return ssl_length(p, n, o);
    }
    UNREACHABLE();
}

Bytes packet_body(PacketType type, const uint8_t *p, size_t length) {
    switch (type) {
    case PACKET_1:
    case PACKET_2:
    case PACKET_4: {
        size_t head = type == PACKET_1 ? 1 : type == PACKET_2 ? 2 : 4;
        return (Bytes){p + head, length - head};
    }
    case PACKET_FCGI: return (Bytes){p, length - p[6]};
    default: return (Bytes){p, length};
    }
}

/* --- HTTP ---------------------------------------------------------------------------------------------------------- */

/* Headers that have atoms; their place in the list, from 1 on, is part of what the receiver gets. */
// clang-format off
static const char *const header_names[] = {
    "Cache-Control", "Connection", "Date", "Pragma", "Transfer-Encoding", "Upgrade", "Via", "Accept", "Accept-Charset",
    "Accept-Encoding", "Accept-Language", "Authorization", "From", "Host", "If-Modified-Since", "If-Match", "If-None-Match",
    "If-Range", "If-Unmodified-Since", "Max-Forwards", "Proxy-Authorization", "Range", "Referer", "User-Agent", "Age", "Location",
    "Proxy-Authenticate", "Public", "Retry-After", "Server", "Vary", "Warning", "Www-Authenticate", "Allow", "Content-Base",
    "Content-Encoding", "Content-Language", "Content-Length", "Content-Location", "Content-Md5", "Content-Range", "Content-Type",
    "Etag", "Expires", "Last-Modified", "Accept-Ranges", "Set-Cookie", "Set-Cookie2", "X-Forwarded-For", "Cookie", "Keep-Alive",
    "Proxy-Connection",
};
// clang-format on
static const char *const methods[] = {"OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "TRACE"};
enum { HEADER_NAME_MAX = 50 };

/* What is still to be parsed, and how strings are made. */
typedef struct {
    Heap *heap;
    const uint8_t *at, *end;
    bool binaries;
    bool no_memory;
} Http;

static size_t left(const Http *s) {
    return (size_t)(s->end - s->at);
}

static term string(Http *s, const uint8_t *p, size_t n) {
    term t = s->binaries ? bits_from(s->heap, p, n) : heap_latin1_list(s->heap, (const char *)p, n);
    s->no_memory |= t == NONE;
    return t;
}

/* The index of a name in a list of them; count: it is not there. */
static size_t name_index(const char *const *names, size_t count, const uint8_t *p, size_t n) {
    size_t i = 0;
    while (i < count && !(strlen(names[i]) == n && memcmp(names[i], p, n) == 0)) {
        i++;
    }
    return i;
}

/* Of a token: all but controls, spaces and separators. */
static bool is_token(uint8_t c) {
    return c > 32 && c < 128 && strchr("()<>@,;:\\\"/[]?={}", c) == NULL;
}

static bool skip_spaces(Http *s) {
    const uint8_t *from = s->at;
    while (s->at < s->end && is_space(*s->at)) {
        s->at++;
    }
    return s->at > from;
}

static bool number(Http *s, int32_t *n) {
    const uint8_t *from = s->at;
    for (*n = 0; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++) {
        *n = (int32_t)((uint32_t)*n * 10 + (uint32_t)(*s->at - '0'));
    }
    return s->at > from;
}

/* HTTP/1.1 */
static bool version(Http *s, int32_t *major, int32_t *minor) {
    s->at += 5;
    if (!number(s, major) || left(s) == 0 || *s->at != '.') {
        return false;
    }
    s->at++;
    return number(s, minor);
}

static bool starts(const Http *s, const char *text) {
    return left(s) >= strlen(text) && memcmp(s->at, text, strlen(text)) == 0;
}

static term status_line(Http *s) {
    int32_t major, minor, status;
    if (!version(s, &major, &minor) || !skip_spaces(s)) {
        return NONE;
    }
    number(s, &status);
    if (!skip_spaces(s) && left(s) > 0) {
        return NONE;
    }
    term phrase = string(s, s->at, left(s));
    return TUPLE4(s->heap, A_http_response, TUPLE2(s->heap, SMALL(major), SMALL(minor)), SMALL(status), phrase);
}

/* Behind http:// or https://. */
static term absolute_uri(Http *s, term scheme, const uint8_t *p, size_t n) {
    const uint8_t *slash = memchr(p, '/', n);
    size_t host = slash == NULL ? n : (size_t)(slash - p);
    term path = slash == NULL ? string(s, (const uint8_t *)"/", 1) : string(s, slash, n - host);
    const uint8_t *colon = memchr(p, ':', host);
    term port = A_undefined;
    if (colon != NULL) {
        Http digits = {.at = colon + 1, .end = p + host};
        int32_t value;
        if (number(&digits, &value) && digits.at == digits.end && value != 0) {
            port = SMALL(value);
        }
        host = (size_t)(colon - p);
    }
    return heap_tuple(s->heap, 5, A_absoluteURI, scheme, string(s, p, host), port, path);
}

static bool starts_as(const uint8_t *p, size_t n, const char *text) {
    for (; *text != 0; p++, n--, text++) {
        if (n == 0 || (*p >= 'A' && *p <= 'Z' ? *p + 32 : *p) != *text) {
            return false;
        }
    }
    return true;
}

static term uri(Http *s, const uint8_t *p, size_t n) {
    if (n == 1 && p[0] == '*') {
        return A_op_times;
    }
    if (n <= 1 || p[0] == '/') {
        return TUPLE2(s->heap, A_abs_path, string(s, p, n));
    }
    if (starts_as(p, n, "http://")) {
        return absolute_uri(s, A_http, p + 7, n - 7);
    }
    if (starts_as(p, n, "https://")) {
        return absolute_uri(s, A_https, p + 8, n - 8);
    }
    const uint8_t *colon = memchr(p, ':', n);
    if (colon == NULL) {
        return string(s, p, n);
    }
    size_t scheme = (size_t)(colon - p);
    return TUPLE3(s->heap, A_scheme, string(s, p, scheme), string(s, colon + 1, n - scheme - 1));
}

static term request_line(Http *s) {
    const uint8_t *name = s->at;
    while (s->at < s->end && is_token(*s->at)) {
        s->at++;
    }
    size_t name_size = (size_t)(s->at - name);
    if (name_size == 0 || !skip_spaces(s)) {
        return NONE;
    }
    const uint8_t *where = s->at;
    while (s->at < s->end && !is_space(*s->at)) {
        s->at++;
    }
    size_t where_size = (size_t)(s->at - where);
    if (where_size == 0) {
        return NONE;
    }
    int32_t major = 0, minor = 9;
    skip_spaces(s);
    if (left(s) > 0 && (left(s) < 8 || !starts(s, "HTTP/") || !version(s, &major, &minor))) {
        return NONE;
    }
    size_t i = name_index(methods, ARRAY_LEN(methods), name, name_size);
    term method = i < ARRAY_LEN(methods) ? atom_from(s->heap->vm, methods[i]) : string(s, name, name_size);
    term where_term = uri(s, where, where_size);
    return TUPLE4(s->heap, A_http_request, method, where_term, TUPLE2(s->heap, SMALL(major), SMALL(minor)));
}

static term header(Http *s) {
    const uint8_t *name = s->at;
    uint8_t canonical[HEADER_NAME_MAX]; /* Like-This */
    bool first = true;
    size_t size = 0;
    for (; is_token(*s->at); size++) {
        uint8_t c = *s->at++;
        if (size < HEADER_NAME_MAX) {
            bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z';
            canonical[size] = first && lower ? (uint8_t)(c - 32) : !first && upper ? (uint8_t)(c + 32) : c;
            first = !first && c == '-';
        }
        if (s->at == s->end) {
            return NONE;
        }
    }
    if (*s->at++ != ':') {
        return NONE;
    }
    const size_t count = ARRAY_LEN(header_names);
    size_t i = size <= HEADER_NAME_MAX ? name_index(header_names, count, canonical, size) : count;
    skip_spaces(s);
    term key = i < count ? atom_from(s->heap->vm, header_names[i]) : string(s, size <= HEADER_NAME_MAX ? canonical : name, size);
    term as_it_is = string(s, name, size), value = string(s, s->at, left(s));
    return heap_tuple(s->heap, 5, A_http_header, SMALL(i < count ? i + 1 : 0), key, as_it_is, value);
}

static term parse_http(Heap *h, const uint8_t *p, size_t n, bool binaries, bool *headers) {
    size_t size = n;
    if (n >= 2 && p[n - 2] == '\r') {
        size -= 2;
    } else if (n >= 1 && p[n - 1] == '\n') {
        size -= 1;
    }
    Http s = {.heap = h, .at = p, .end = p + size, .binaries = binaries};
    term t;
    if (*headers && size == 0) {
        *headers = false; /* for the next request */
        return A_http_eoh;
    } else if (*headers) {
        t = header(&s);
    } else {
        t = starts(&s, "HTTP/") ? status_line(&s) : request_line(&s);
        *headers = t != NONE;
    }
    if (t == NONE) {
        t = TUPLE2(h, A_http_error, string(&s, p, n));
    }
    return s.no_memory ? heap_fail(h, A_system_limit) : t;
}

static term parse_ssl(Heap *h, const uint8_t *p, size_t n) {
    bool old = p[0] & 0x80 && p[2] == 1; /* version 2: its body gets the head of a handshake, <<1, Length:24>> */
    size_t head = old ? 3 : SSL_HEAD;
    term body;
    uint8_t *to = bits_new(h, n - head + (old ? 4 : 0), &body);
    if (to == NULL) {
        return NONE;
    }
    if (old) {
        write_be32(to, (uint32_t)(n - head) | 1u << 24);
        to += 4;
    }
    memcpy(to, p + head, n - head);
    const uint8_t *v = old ? p + 3 : p + 1;
    term type = SMALL(old ? 22 : p[0]), vsn = TUPLE2(h, SMALL(v[0]), SMALL(v[1]));
    return heap_tuple(h, 5, A_ssl_tls, NIL, type, vsn, body);
}

term packet_parse(Heap *h, PacketType type, const uint8_t *p, size_t length, bool *headers) {
    switch (type) {
    case PACKET_HTTPH:
    case PACKET_HTTPH_BIN:
        *headers = true;
        /* fall through */
    case PACKET_HTTP:
    case PACKET_HTTP_BIN: return parse_http(h, p, length, type == PACKET_HTTP_BIN || type == PACKET_HTTPH_BIN, headers);
    case PACKET_SSL_TLS: return parse_ssl(h, p, length);
    default: return heap_fail(h, NONE);
    }
}
