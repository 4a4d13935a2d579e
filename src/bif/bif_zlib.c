/* Built-ins of module zlib, on libz. A stream is behind a reference and belongs to one process. */
#include <errno.h>
#include <zlib.h>

#include "base/text.h"
#include "bif/bif_state.h"
#include "data/byte_queue.h"
#include "data/integer.h"
#include "data/iolist.h"
#include "term/copy.h"

typedef enum { STREAM_NEW, STREAM_DEFLATE, STREAM_INFLATE, STREAM_CLOSED } StreamState;
/* What to do with input behind the end of a stream: as zlib.erl has them. */
typedef enum { AT_END_ERROR, AT_END_RESET, AT_END_CUT } AtEnd;

enum { DICTIONARY_MAX = 32768, DEFAULT_BUFFER_SIZE = 4000, ENQUEUE_AT_ONCE = 256 };

typedef struct {
    Resource resource;
    z_stream z;
    StreamState state;
    AtEnd at_end;
    bool ended, raw;
    uint32_t crc; /* of what is plain text; only of raw streams */
    ByteQueue input;
    int buffer_size; /* only remembered */
    term owner;      /* pid (atomic) */
    Heap stash;      /* detached; what stashed refers to */
    term stashed;    /* NONE: nothing */
} Stream;

static void *stream_alloc(void *vm, unsigned items, unsigned size) {
    size_t bytes;
    return __builtin_mul_overflow((size_t)items, (size_t)size, &bytes) ? NULL : mem_sized_alloc(&((VM *)vm)->mem, bytes);
}

static void stream_free(void *vm, void *block) {
    mem_sized_free(&((VM *)vm)->mem, block);
}

static void clear_stash(Stream *s) {
    heap_done(&s->stash);
    s->stashed = NONE;
}

static void stream_close(Stream *s) {
    if (s->state == STREAM_DEFLATE) {
        deflateEnd(&s->z);
    } else if (s->state == STREAM_INFLATE) {
        inflateEnd(&s->z);
    }
    clear_stash(s);
    s->state = STREAM_CLOSED;
}

static void stream_destroy(VM *vm, Resource *r) {
    Stream *s = (Stream *)r;
    stream_close(s);
    byte_queue_done(vm, &s->input);
    state_free(vm, r, sizeof *s);
}

static void reset_input(VM *vm, Stream *s) {
    byte_queue_done(vm, &s->input);
    clear_stash(s);
}

/* The stream, if it is this process's. NULL: raised. */
static Stream *stream_of(Process *p, term ref, bool good) {
    Stream *s = good ? state_of(ref, stream_destroy) : NULL;
    if (s == NULL) {
        raise_badarg(p);
    } else if (__atomic_load_n(&s->owner, __ATOMIC_ACQUIRE) != p->pid) {
        raise_error(p, A_not_on_controlling_process);
        return NULL;
    }
    return s;
}

/* The same, in this state. */
static Stream *stream_in(Process *p, term ref, StreamState state, bool good) {
    Stream *s = stream_of(p, ref, good);
    if (s != NULL && s->state != state) {
        raise_error(p, state == STREAM_NEW ? A_already_initialized : A_not_initialized);
        return NULL;
    }
    return s;
}

static bool get_int(term t, int *n) {
    if (!is_small(t) || small_value(t) < INT32_MIN || small_value(t) > INT32_MAX) {
        return false;
    }
    *n = (int)small_value(t);
    return true;
}

static term result_of(Process *p, int code) {
    switch (code) {
    case Z_OK: return A_ok;
    case Z_STREAM_END: return A_stream_end;
    case Z_ERRNO: return SMALL(errno);
    case Z_STREAM_ERROR: return raise_error(p, A_stream_error);
    case Z_DATA_ERROR: return raise_error(p, A_data_error);
    case Z_MEM_ERROR: return A_mem_error;
    case Z_BUF_ERROR: return A_buf_error;
    case Z_VERSION_ERROR: return A_version_error;
    default: return A_unknown_error;
    }
}

BIF(zlib, open_nif, 0) {
    term ref;
    Stream *s = state_new(p, sizeof *s, stream_destroy, &ref);
    if (s == NULL) {
        return raise_error(p, A_system_limit);
    }
    s->z.zalloc = stream_alloc;
    s->z.zfree = stream_free;
    s->z.opaque = process_vm(p);
    s->z.data_type = Z_BINARY;
    s->at_end = AT_END_CUT;
    s->buffer_size = DEFAULT_BUFFER_SIZE;
    s->owner = p->pid;
    heap_init_detached(&s->stash, process_vm(p));
    return ref;
}

BIF(zlib, close_nif, 1) {
    Stream *s = stream_of(p, a[0], true);
    if (s == NULL) {
        return NONE;
    }
    if (s->state == STREAM_CLOSED) {
        return raise_error(p, A_not_initialized);
    }
    stream_close(s);
    return A_ok;
}

BIF(zlib, set_controller_nif, 2) {
    Stream *s = stream_of(p, a[0], is_local_pid(a[1]));
    if (s == NULL) {
        return NONE;
    }
    __atomic_store_n(&s->owner, a[1], __ATOMIC_RELEASE);
    return A_ok;
}

/* --- Data in and out ----------------------------------------------------------------------------------------------- */

BIF(zlib, enqueue_nif, 2) {
    Stream *s = stream_of(p, a[0], true);
    if (s == NULL) {
        return NONE;
    }
    if (s->state != STREAM_DEFLATE && s->state != STREAM_INFLATE) {
        return raise_error(p, A_not_initialized);
    }
    term list = a[1];
    int n = 0;
    for (; n < ENQUEUE_AT_ONCE && is_cons(list) && is_binary(head(list)); list = tail(list)) {
        n++;
    }
    if (n < ENQUEUE_AT_ONCE && list != NIL) {
        return raise_badarg(p);
    }
    for (term t = a[1]; n > 0; t = tail(t), n--) {
        if (!byte_queue_add(process_vm(p), &s->input, head(t))) {
            return raise_error(p, A_system_limit);
        }
    }
    return list == NIL ? A_ok : TUPLE2(HEAP(p), A_continue, list);
}

typedef int Codec(z_stream *z, int flush);

/* Feeds the codec from the queue, up to so many bytes or until it has no room to write to. */
static int run(Process *p, Codec *codec, Stream *s, size_t limit, int flush, size_t *consumed) {
    int result = Z_OK;
    *consumed = 0;
    for (size_t i = 0; result == Z_OK && i < s->input.count && *consumed < limit; i++) {
        Bytes run = byte_queue_peek(&s->input, i);
        size_t size = MIN(run.size, limit);
        s->z.next_in = (Bytef *)(uintptr_t)run.at;
        s->z.avail_in = (uInt)size;
        result = codec(&s->z, Z_NO_FLUSH); /* no flush before the end of the input */
        size_t used = size - s->z.avail_in;
        *consumed += used;
        if (s->raw && s->state == STREAM_DEFLATE) {
            s->crc = (uint32_t)crc32(s->crc, run.at, (uInt)used);
        }
        BUMP(p, 1 + (intptr_t)(used * SLICE_REDUCTIONS / limit));
        if (OUT_OF_TIME(p) || used < size) {
            break;
        }
    }
    byte_queue_skip(process_vm(p), &s->input, *consumed);
    if (result == Z_OK && s->input.size == 0 && s->z.avail_out > 0) {
        /* Also when nothing is to be flushed: there may be output left from a call whose output buffer was full. */
        s->z.next_in = NULL;
        s->z.avail_in = 0;
        result = codec(&s->z, flush);
    }
    return result;
}

/* What the codec has written, as a list of at most one binary; takes over out. */
static term output_list(Process *p, Buffer *out, size_t size) {
    if (size == 0) {
        buffer_release(process_vm(p), out);
        return NIL;
    }
    term t = bits_from_filled(HEAP(p), out, size);
    return heap_cons(HEAP(p), t, NIL);
}

static term code_chunk(Process *p, Codec *codec, Stream *s, int in_size, int out_size, int flush) {
    if (in_size <= 0 || out_size <= 0) {
        return raise_badarg(p);
    }
    Buffer *out = buffer_new(process_vm(p), (size_t)out_size);
    if (out == NULL) {
        return result_of(p, Z_MEM_ERROR);
    }
    s->z.next_out = out->data;
    s->z.avail_out = (uInt)out_size;
    size_t consumed;
    int result = run(p, codec, s, (size_t)in_size, flush, &consumed);
    size_t produced = (size_t)out_size - s->z.avail_out;
    bool stuck = consumed == 0 && produced == 0 && s->input.size != 0;
    if ((result < 0 && result != Z_BUF_ERROR) || stuck) {
        buffer_release(process_vm(p), out);
        return result_of(p, result < 0 && result != Z_BUF_ERROR ? result : Z_DATA_ERROR);
    }
    s->ended |= result == Z_STREAM_END;
    if (s->raw && s->state == STREAM_INFLATE) {
        s->crc = (uint32_t)crc32(s->crc, out->data, (uInt)produced);
    }
    term list = output_list(p, out, produced);
    if (s->input.size == 0 && produced < (size_t)out_size) {
        return TUPLE2(HEAP(p), A_finished, list);
    }
    if (result != Z_NEED_DICT) {
        return TUPLE2(HEAP(p), A_continue, list);
    }
    return TUPLE3(HEAP(p), A_need_dictionary, integer_from_int64(HEAP(p), (int32_t)s->z.adler), list);
}

/* --- deflate ------------------------------------------------------------------------------------------------------- */

static void begun(Stream *s, StreamState state, int window_bits) {
    s->state = state;
    s->ended = false;
    s->raw = window_bits < 0;
    s->crc = 0;
}

BIF(zlib, deflateInit_nif, 6) {
    int level = 0, method = 0, window_bits = 0, mem_level = 0, strategy = 0;
    bool good = get_int(a[1], &level) && get_int(a[2], &method) && get_int(a[3], &window_bits) && get_int(a[4], &mem_level) &&
                get_int(a[5], &strategy);
    Stream *s = stream_in(p, a[0], STREAM_NEW, good);
    if (s == NULL) {
        return NONE;
    }
    int result = deflateInit2(&s->z, level, method, window_bits, mem_level, strategy);
    if (result == Z_OK) {
        begun(s, STREAM_DEFLATE, window_bits);
    }
    return result_of(p, result);
}

/* The bytes of an iolist; the caller ends with text_done. */
static bool get_bytes(Process *p, term t, Text *bytes) {
    text_init(bytes, &process_vm(p)->mem);
    return iolist_bytes(process_vm(p), t, bytes) == IOLIST_OK;
}

static term set_dictionary(Process *p, Stream *s, const Text *bytes) {
    if (s->state == STREAM_INFLATE) {
        return result_of(p, inflateSetDictionary(&s->z, bytes->at, (uInt)bytes->size));
    }
    int result = deflateSetDictionary(&s->z, bytes->at, (uInt)bytes->size);
    if (result != Z_OK) {
        return result_of(p, result);
    }
    /* libz does not keep the checksum for raw streams. */
    uLong checksum = s->raw ? adler32(0, bytes->at, (uInt)bytes->size) : s->z.adler;
    return integer_from_int64(HEAP(p), (int32_t)checksum);
}

static term dictionary(Process *p, const term *a, StreamState state) {
    Text bytes;
    bool good = get_bytes(p, a[1], &bytes);
    Stream *s = stream_in(p, a[0], state, good);
    term result = s == NULL ? NONE : set_dictionary(p, s, &bytes);
    text_done(&bytes);
    return result;
}

BIF(zlib, deflateSetDictionary_nif, 2) {
    return dictionary(p, a, STREAM_DEFLATE);
}

BIF(zlib, deflateReset_nif, 1) {
    Stream *s = stream_in(p, a[0], STREAM_DEFLATE, true);
    if (s == NULL) {
        return NONE;
    }
    int result = deflateReset(&s->z);
    s->crc = 0;
    s->ended = false;
    reset_input(process_vm(p), s);
    return result_of(p, result);
}

BIF(zlib, deflateEnd_nif, 1) {
    Stream *s = stream_in(p, a[0], STREAM_DEFLATE, true);
    if (s == NULL) {
        return NONE;
    }
    int result = deflateEnd(&s->z);
    if (result == Z_OK && s->input.size > 0) {
        result = Z_DATA_ERROR;
    }
    reset_input(process_vm(p), s);
    s->state = STREAM_NEW;
    return result_of(p, result);
}

BIF(zlib, deflateParams_nif, 3) {
    int level = 0, strategy = 0;
    Stream *s = stream_in(p, a[0], STREAM_DEFLATE, get_int(a[1], &level) && get_int(a[2], &strategy));
    if (s == NULL) {
        return NONE;
    }
    /* zlib.erl has flushed everything, so there is nothing to write; one byte of room because some versions of libz call
       it an error if there is none. */
    uint8_t byte;
    s->z.next_out = &byte;
    s->z.avail_out = 1;
    int result = deflateParams(&s->z, level, strategy);
    return result_of(p, s->z.avail_out == 0 ? Z_STREAM_ERROR : result);
}

BIF(zlib, deflate_nif, 4) {
    int in_size = 0, out_size = 0, flush = 0;
    Stream *s = stream_in(p, a[0], STREAM_DEFLATE, get_int(a[1], &in_size) && get_int(a[2], &out_size) && get_int(a[3], &flush));
    return s == NULL ? NONE : code_chunk(p, deflate, s, in_size, out_size, flush);
}

/* --- inflate ------------------------------------------------------------------------------------------------------- */

BIF(zlib, inflateInit_nif, 3) {
    int window_bits = 0, at_end = 0;
    Stream *s = stream_in(p, a[0], STREAM_NEW, get_int(a[1], &window_bits) && get_int(a[2], &at_end));
    if (s == NULL) {
        return NONE;
    }
    int result = inflateInit2(&s->z, window_bits);
    if (result == Z_OK) {
        begun(s, STREAM_INFLATE, window_bits);
        s->at_end = (AtEnd)at_end;
    }
    return result_of(p, result);
}

BIF(zlib, inflateSetDictionary_nif, 2) {
    return dictionary(p, a, STREAM_INFLATE);
}

BIF(zlib, inflateGetDictionary_nif, 1) {
    Stream *s = stream_in(p, a[0], STREAM_INFLATE, true);
    if (s == NULL) {
        return NONE;
    }
    Buffer *out = buffer_new(process_vm(p), DICTIONARY_MAX);
    if (out == NULL) {
        return raise_error(p, A_system_limit);
    }
    uInt size = 0;
    int result = inflateGetDictionary(&s->z, out->data, &size);
    term t = result < 0 ? result_of(p, result) : bits_from(HEAP(p), out->data, size);
    buffer_release(process_vm(p), out);
    return t == NONE && result >= 0 ? raise_heap_reason(p) : t;
}

BIF(zlib, inflateReset_nif, 1) {
    Stream *s = stream_in(p, a[0], STREAM_INFLATE, true);
    if (s == NULL) {
        return NONE;
    }
    int result = inflateReset(&s->z);
    s->crc = 0;
    s->ended = false;
    reset_input(process_vm(p), s);
    return result_of(p, result);
}

BIF(zlib, inflateEnd_nif, 1) {
    Stream *s = stream_in(p, a[0], STREAM_INFLATE, true);
    if (s == NULL) {
        return NONE;
    }
    int result = inflateEnd(&s->z);
    if (result == Z_OK && (!s->ended || s->input.size > 0)) {
        result = Z_DATA_ERROR;
    }
    reset_input(process_vm(p), s);
    s->state = STREAM_NEW;
    return result_of(p, result);
}

BIF(zlib, inflate_nif, 4) {
    int in_size = 0, out_size = 0, flush = 0;
    Stream *s = stream_in(p, a[0], STREAM_INFLATE, get_int(a[1], &in_size) && get_int(a[2], &out_size) && get_int(a[3], &flush));
    if (s == NULL) {
        return NONE;
    }
    if (s->ended && s->input.size > 0) {
        if (s->at_end == AT_END_ERROR) {
            return result_of(p, Z_DATA_ERROR);
        } else if (s->at_end == AT_END_RESET) {
            int result = inflateReset(&s->z);
            if (result != Z_OK) {
                return result_of(p, result);
            }
            s->ended = false;
        } else {
            reset_input(process_vm(p), s);
        }
    }
    return code_chunk(p, inflate, s, in_size, out_size, flush);
}

/* --- The rest ------------------------------------------------------------------------------------------------------ */

BIF(zlib, crc32_nif, 1) {
    Stream *s = stream_of(p, a[0], true);
    if (s == NULL) {
        return NONE;
    }
    if (s->state != STREAM_DEFLATE && s->state != STREAM_INFLATE) {
        return raise_error(p, A_not_initialized);
    }
    return integer_from_uint64(HEAP(p), s->crc);
}

/* The stash keeps one term from call to call: output that zlib.erl could not return yet. */
BIF(zlib, getStash_nif, 1) {
    Stream *s = stream_of(p, a[0], true);
    if (s == NULL) {
        return NONE;
    }
    if (s->stashed == NONE) {
        return A_empty;
    }
    term t = term_copy(HEAP(p), s->stashed);
    return t == NONE ? raise_error(p, A_system_limit) : TUPLE2(HEAP(p), A_ok, t);
}

BIF(zlib, clearStash_nif, 1) {
    Stream *s = stream_of(p, a[0], true);
    if (s == NULL) {
        return NONE;
    }
    if (s->stashed == NONE) {
        return raise_error(p, A_error);
    }
    clear_stash(s);
    return A_ok;
}

BIF(zlib, setStash_nif, 2) {
    Stream *s = stream_of(p, a[0], true);
    if (s == NULL) {
        return NONE;
    }
    if (s->stashed != NONE) {
        return raise_error(p, A_error);
    }
    s->stashed = term_copy_literals_too(&s->stash, a[1]);
    return s->stashed == NONE ? raise_error(p, A_system_limit) : A_ok;
}

BIF(zlib, getBufSize_nif, 1) {
    Stream *s = stream_of(p, a[0], true);
    return s == NULL ? NONE : SMALL(s->buffer_size);
}

BIF(zlib, setBufSize_nif, 2) {
    Stream *s = stream_of(p, a[0], true);
    if (s == NULL) {
        return NONE;
    }
    return get_int(a[1], &s->buffer_size) ? A_ok : raise_badarg(p);
}
