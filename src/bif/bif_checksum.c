/* Checksums of iodata: MD5, CRC-32, Adler-32. Long data are taken in slices: what is left is itself iodata, to go on with. */
#include "bif/bif.h"

#include <zlib.h>

#include "data/integer.h"
#include "data/iolist.h"
#include "data/md5.h"

enum {
    BYTES_PER_REDUCTION = 128, /* 4,000 of these take MD5, the slowest, about a millisecond */
    CELLS_PER_REDUCTION = 32,
    PIECE = 16 << 10, /* bytes of a binary between two looks at the clock */
};

typedef void AddBytes(void *state, const uint8_t *p, size_t size);

static void add_bits(void *state, AddBytes *add, Bits b) {
    assert(b.size % 8 == 0);
    if (b.start == 0) {
        add(state, b.at, b.size / 8);
        return;
    }
    uint8_t aligned[1024];
    for (size_t done = 0; done < b.size; done += 8 * sizeof aligned) {
        size_t size = MIN(b.size - done, 8 * sizeof aligned);
        bitrun_copy(aligned, 0, b.at, b.start + done, size);
        add(state, aligned, size / 8);
    }
}

/* Adds pieces of a binary while there is time, but at least one; returns the bits that it has taken. */
static size_t add_binary(Process *p, void *state, AddBytes *add, Bits b) {
    size_t done = 0;
    do {
        size_t from = b.start + done, size = MIN(b.size - done, (size_t)PIECE * 8);
        add_bits(state, add, (Bits){b.at + from / 8, from % 8, size});
        BUMP(p, (intptr_t)(size / 8 / BYTES_PER_REDUCTION));
        done += size;
    } while (done < b.size && !OUT_OF_TIME(p));
    return done;
}

/* Adds what there is time for. *rest: iodata that are left, or NIL. False: not iodata, or no memory (heap.reason). */
static bool add_some(Process *p, term data, void *state, AddBytes *add, term *rest) {
    IolistWalk w;
    IolistResult end = IOLIST_OK;
    Bits b;
    term source;
    uint8_t few[256];
    size_t count = 0;
    intptr_t budget = MAX(HEAP(p)->reds, 1) * CELLS_PER_REDUCTION;
    iolist_begin(&w, process_vm(p), data, false);
    w.budget = budget;
    *rest = NIL;
    while (iolist_next(&w, &b, &source, &end)) {
        if (source == NONE) {
            few[count++] = *b.at;
        }
        if (count == sizeof few || (count > 0 && source != NONE)) {
            add(state, few, count);
            count = 0;
        }
        size_t done = source == NONE ? b.size : add_binary(p, state, add, b);
        if (done < b.size) {
            w.at = source, w.skip = done;
            end = IOLIST_LATER;
            break;
        }
    }
    if (count > 0) {
        add(state, few, count);
    }
    BUMP(p, (budget - w.budget) / CELLS_PER_REDUCTION);
    if (end == IOLIST_LATER) {
        *rest = iolist_save(&w, HEAP(p));
    }
    iolist_end(&w);
    HEAP(p)->reason = end == IOLIST_BAD ? A_badarg : A_system_limit;
    return end == IOLIST_OK || end == IOLIST_LATER;
}

/* CRC-32 and Adler-32. */

typedef uLong ZlibSum(uLong sum, const Bytef *p, uInt size);
typedef struct {
    ZlibSum *function;
    uLong sum;
} Sum;

static void sum_add(void *state, const uint8_t *p, size_t size) {
    Sum *s = state;
    s->sum = s->function(s->sum, p, (uInt)size);
}

static bool get_sum(term t, uLong *sum) {
    uint64_t n;
    if (!integer_to_uint64(t, &n) || n > UINT32_MAX) {
        return false;
    }
    *sum = (uLong)n;
    return true;
}

/* `name`: the built-in that takes a sum and goes on. */
static term checksum(Process *p, ZlibSum *function, uLong sum, term data, term name) {
    Sum s = {function, sum};
    term rest;
    if (!add_some(p, data, &s, sum_add, &rest)) {
        return raise_heap_reason(p);
    }
    term result = integer_from_uint64(HEAP(p), s.sum);
    return rest == NIL ? result : bif_trap(p, bif_export(process_vm(p), A_erlang, name, 2), 2, result, rest);
}

static term combine(Process *p, uLong (*function)(uLong, uLong, z_off_t), const term *a) {
    uLong one, two;
    uint64_t size;
    if (!get_sum(a[0], &one) || !get_sum(a[1], &two) || !integer_to_uint64(a[2], &size)) {
        return raise_badarg(p);
    }
    return integer_from_uint64(HEAP(p), function(one, two, (z_off_t)size) & UINT32_MAX);
}

BIF(erlang, crc32, 1) {
    return checksum(p, crc32, crc32(0, NULL, 0), a[0], A_crc32);
}

BIF(erlang, crc32, 2) {
    uLong sum;
    return get_sum(a[0], &sum) ? checksum(p, crc32, sum, a[1], A_crc32) : raise_badarg(p);
}

BIF(erlang, crc32_combine, 3) {
    return combine(p, crc32_combine, a);
}

BIF(erlang, adler32, 1) {
    return checksum(p, adler32, adler32(0, NULL, 0), a[0], A_adler32);
}

BIF(erlang, adler32, 2) {
    uLong sum;
    return get_sum(a[0], &sum) ? checksum(p, adler32, sum, a[1], A_adler32) : raise_badarg(p);
}

/* zlib adds the second sum even if it is of no bytes. */
static uLong adler32_combine_any(uLong one, uLong two, z_off_t size) {
    return size == 0 ? one : adler32_combine(one, two, size);
}

BIF(erlang, adler32_combine, 3) {
    return combine(p, adler32_combine_any, a);
}

/* MD5. Between calls the state is a binary. */

static void md5_add(void *state, const uint8_t *p, size_t size) {
    md5_update(state, p, size);
}

static bool get_context(term t, Md5 *m) {
    if (!is_bitstring(t) || bits_size(t) != 8 * sizeof *m) {
        return false;
    }
    Bits b = bits_of(t);
    bitrun_copy((uint8_t *)m, 0, b.at, b.start, b.size);
    return true;
}

static term context(Process *p, const Md5 *m) {
    term t = bits_from(HEAP(p), m, sizeof *m);
    return t != NONE ? t : raise_heap_reason(p);
}

static term digest(Process *p, Md5 *m) {
    uint8_t bytes[16];
    md5_final(m, bytes);
    return bits_from(HEAP(p), bytes, sizeof bytes);
}

/* Adds data and gives the digest, or (if `update`) the context. */
static term md5_go_on(Process *p, Md5 *m, term data, bool update) {
    term rest;
    if (!add_some(p, data, m, md5_add, &rest)) {
        return raise_heap_reason(p);
    }
    if (rest == NIL) {
        return update ? context(p, m) : digest(p, m);
    }
    term t = context(p, m);
    return t == NONE ? NONE : bif_trap(p, bif_export(process_vm(p), A_erlang, update ? A_md5_update : A_md5_trap, 2), 2, t, rest);
}

BIF(erlang, md5, 1) {
    Md5 m;
    md5_init(&m);
    return md5_go_on(p, &m, a[0], false);
}

/* Hidden: how md5/1 goes on. */
BIF(erlang, md5_trap, 2) {
    Md5 m;
    return get_context(a[0], &m) ? md5_go_on(p, &m, a[1], false) : raise_badarg(p);
}

BIF(erlang, md5_init, 0) {
    Md5 m;
    md5_init(&m);
    return context(p, &m);
}

BIF(erlang, md5_update, 2) {
    Md5 m;
    return get_context(a[0], &m) ? md5_go_on(p, &m, a[1], true) : raise_badarg(p);
}

BIF(erlang, md5_final, 1) {
    Md5 m;
    return get_context(a[0], &m) ? digest(p, &m) : raise_badarg(p);
}
