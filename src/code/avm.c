/* AVM packs: reading. */
#include "code/avm.h"

static const char header[AVM_HEADER_SIZE] = "#!/usr/bin/env AtomVM\n\0";
enum { ENTRY_HEAD = 12 };

/* Looks at the entry at *at. False: the last one, or (bad set) what is there is none. */
static bool entry_at(Bytes b, size_t *at, AvmEntry *e, const char **bad) {
    *bad = NULL;
    if (*at > b.size || b.size - *at < ENTRY_HEAD) {
        *bad = "the pack ends within an entry";
        return false;
    }
    const uint8_t *p = b.at + *at;
    size_t size = read_be32(p), left = b.size - *at;
    const uint8_t *name = p + ENTRY_HEAD;
    size_t room = (size == 0 ? left : MIN(size, left)) - MIN(ENTRY_HEAD, size == 0 ? left : MIN(size, left));
    const uint8_t *zero = room == 0 ? NULL : memchr(name, 0, room);
    if (zero == NULL) {
        *bad = "an entry's name does not end";
        return false;
    }
    if (size == 0) {
        if ((size_t)(zero - name) != 3 || memcmp(name, "end", 3) != 0) {
            *bad = "an entry of size 0 that is not the end";
        }
        return false;
    }
    if (size > left) {
        *bad = "an entry is larger than what is left of the pack";
        return false;
    }
    size_t start = ENTRY_HEAD + round_up((size_t)(zero - name) + 1, 4);
    e->flags = read_be32(p + 4);
    e->name = (Bytes){name, (size_t)(zero - name)};
    if (start > size) {
        *bad = "an entry ends within its name";
        return false;
    }
    e->content = (Bytes){p + start, size - start};
    if (!(e->flags & AVM_BEAM)) {
        if (e->content.size < 4 || read_be32(e->content.at) > e->content.size - 4) {
            *bad = "a file is larger than its entry";
            return false;
        }
        e->content = (Bytes){e->content.at + 4, read_be32(e->content.at)};
    }
    *at += round_up(size, 4);
    return true;
}

bool avm_open(Avm *a, const char *file, Bytes bytes, LoadError *error) {
    a->bytes = bytes;
    const char *bad = NULL;
    size_t at = AVM_HEADER_SIZE;
    if (bytes.size < sizeof header || memcmp(bytes.at, header, sizeof header) != 0) {
        at = 0, bad = "not an AVM pack";
    } else {
        AvmEntry e;
        while (entry_at(bytes, &at, &e, &bad)) {
        }
    }
    if (bad != NULL) {
        load_error(error, "", (int64_t)at, "offset %zu: %s", at, bad);
        size_t n = MIN(strlen(file), sizeof error->file - 1);
        memcpy(error->file, file, n);
        error->file[n] = '\0';
        return false;
    }
    return true;
}

bool avm_next(const Avm *a, size_t *at, AvmEntry *entry) {
    const char *bad;
    if (*at == 0) {
        *at = AVM_HEADER_SIZE;
    }
    return entry_at(a->bytes, at, entry, &bad);
}

bool avm_find(const Avm *a, Bytes name, Bytes *content) {
    AvmEntry e;
    for (size_t at = 0; avm_next(a, &at, &e);) {
        if (e.name.size == name.size && memcmp(e.name.at, name.at, name.size) == 0) {
            *content = e.content;
            return true;
        }
    }
    return false;
}

bool avm_start(const Avm *a, Bytes *module) {
    AvmEntry e;
    for (size_t at = 0; avm_next(a, &at, &e);) {
        if ((e.flags & (AVM_STARTS | AVM_BEAM)) == (AVM_STARTS | AVM_BEAM)) {
            static const char beam[] = ".beam";
            size_t n = e.name.size, k = sizeof beam - 1;
            *module = (Bytes){e.name.at, n > k && memcmp(e.name.at + n - k, beam, k) == 0 ? n - k : n};
            return true;
        }
    }
    return false;
}
