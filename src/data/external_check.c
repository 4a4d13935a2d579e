/* Whether bytes have the shape of a term in the external format, without making one. */
#include "data/external.h"

#include "data/external_tags.h"

/* Of what stands behind a tag: where its size is, how many bytes go by without that, and what the size counts. */
typedef struct {
    uint8_t tag, size_bytes, plain;
    bool counts_terms; /* else bytes */
    uint8_t unit, more_terms;
} Shape;

// clang-format off
static const Shape shapes[] = {
    {TAG_NEW_FLOAT, 0, 8, false, 0, 0},        {TAG_BIT_BINARY, 4, 1, false, 1, 0},    {TAG_SMALL_INTEGER, 0, 1, false, 0, 0},
    {TAG_INTEGER, 0, 4, false, 0, 0},          {TAG_FLOAT_TEXT, 0, 31, false, 0, 0},   {TAG_ATOM_LATIN1, 2, 0, false, 1, 0},
    {TAG_SMALL_TUPLE, 1, 0, true, 1, 0},       {TAG_LARGE_TUPLE, 4, 0, true, 1, 0},    {TAG_EMPTY_LIST, 0, 0, false, 0, 0},
    {TAG_STRING, 2, 0, false, 1, 0},           {TAG_LIST, 4, 0, true, 1, 1},           {TAG_BINARY, 4, 0, false, 1, 0},
    {TAG_SMALL_BIG, 1, 1, false, 1, 0},        {TAG_LARGE_BIG, 4, 1, false, 1, 0},     {TAG_EXPORT, 0, 0, false, 0, 3},
    {TAG_SMALL_ATOM_LATIN1, 1, 0, false, 1, 0}, {TAG_MAP_PAIRS, 4, 0, true, 2, 0},     {TAG_ATOM_UTF8, 2, 0, false, 1, 0},
    {TAG_SMALL_ATOM_UTF8, 1, 0, false, 1, 0},
};
// clang-format on

static const Shape *shape_of(uint8_t tag) {
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (shapes[i].tag == tag) {
            return &shapes[i];
        }
    }
    return NULL;
}

bool external_has_shape(Bytes b) {
    const uint8_t *at = b.at + 1, *end = b.at + b.size;
    if (b.size < 1 || b.at[0] != EXTERNAL_VERSION) {
        return false;
    }
    for (uint64_t terms = 1; terms > 0; terms--) {
        const Shape *s = at == end ? NULL : shape_of(*at);
        if (s == NULL) {
            return at != end && *at != TAG_COMPRESSED && *at < TAG_LOCAL &&
                   *at >= TAG_RECORD; /* what has no place in a file of code is not looked into */
        }
        at++;
        uint64_t size = 0, left = (uint64_t)(end - at);
        if (left < s->size_bytes) {
            return false;
        }
        for (unsigned i = 0; i < s->size_bytes; i++) {
            size = size << 8 | *at++;
        }
        uint64_t bytes = s->plain + (s->counts_terms ? 0 : size * s->unit);
        terms += s->more_terms + (s->counts_terms ? size * s->unit : 0);
        left -= s->size_bytes;
        if (bytes > left || terms - 1 > left - bytes) {
            return false;
        }
        at += bytes;
    }
    return true;
}
