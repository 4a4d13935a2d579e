/* Built-ins of module zstd (OTP 28), on libzstd. A context is behind a reference and belongs to one process; a dictionary is
   behind another, and lives as long as contexts refer to it. */
#include "bif/bif_state.h"
#include "data/bits.h"
#include "data/integer.h"
#include "data/iolist.h"
#include "data/map.h"
#include "io/zstd.h"

enum { SLICE_BYTES = 256 * 1024 }; /* about what libzstd takes in the time of a slice */

typedef struct {
    Resource resource;
    const Zstd *z;
    ZSTD_CDict *c; /* one of the two */
    ZSTD_DDict *d;
} Dictionary;

typedef struct {
    Resource resource;
    const Zstd *z;
    ZSTD_CCtx *c; /* one of the two, until it is closed */
    ZSTD_DCtx *d;
    Dictionary *dictionary; /* it refers to; NULL: none */
    term owner;
    bool in_use; /* decompressing has begun */
    Buffer *out; /* output of a call that goes on in another slice; NULL: none */
    size_t written;
} Context;

static void dictionary_destroy(VM *vm, Resource *r) {
    Dictionary *d = (Dictionary *)r;
    d->z->f.freeCDict(d->c);
    d->z->f.freeDDict(d->d);
    state_free(vm, r, sizeof *d);
}

static void forget_dictionary(VM *vm, Context *x) {
    if (x->dictionary != NULL) {
        resource_release(vm, &x->dictionary->resource);
        x->dictionary = NULL;
    }
}

static void forget_output(VM *vm, Context *x) {
    if (x->out != NULL) {
        buffer_release(vm, x->out);
        x->out = NULL;
    }
}

static void context_close(VM *vm, Context *x) {
    x->z->f.freeCCtx(x->c);
    x->z->f.freeDCtx(x->d);
    x->c = NULL, x->d = NULL;
    forget_dictionary(vm, x);
    forget_output(vm, x);
}

/* Two types of references, so that a context of one kind is not taken for the other. */
static void compress_destroy(VM *vm, Resource *r) {
    context_close(vm, (Context *)r);
    state_free(vm, r, sizeof(Context));
}
static void decompress_destroy(VM *vm, Resource *r) {
    compress_destroy(vm, r);
}
static void compress_dictionary_destroy(VM *vm, Resource *r) {
    dictionary_destroy(vm, r);
}
static void decompress_dictionary_destroy(VM *vm, Resource *r) {
    dictionary_destroy(vm, r);
}

/* NULL: raised. */
static Context *context_of(Process *p, term ref, StateDestroy *kind) {
    Context *x = state_of(ref, kind);
    if (x == NULL || (x->c == NULL && x->d == NULL)) {
        raise_badarg(p);
    } else if (x->owner != p->pid) {
        raise_error(p, A_not_on_controlling_process);
    } else {
        return x;
    }
    return NULL;
}

static term raise_zstd(Process *p, const Zstd *z, size_t code) {
    const char *text = z->f.getErrorName(code);
    return raise_error(p, TUPLE2(HEAP(p), A_zstd_error, bits_from(HEAP(p), text, strlen(text))));
}

static term ok_or_raise(Process *p, const Zstd *z, size_t code) {
    return z->f.isError(code) ? raise_zstd(p, z, code) : A_ok;
}

static term raise_about(Process *p, term what, term value) {
    return raise_error(p, TUPLE2(HEAP(p), A_badarg, TUPLE2(HEAP(p), what, value)));
}

static bool get_int(term t, int *n) {
    if (!is_small(t) || small_value(t) < INT32_MIN || small_value(t) > INT32_MAX) {
        return false;
    }
    *n = (int)small_value(t);
    return true;
}

/* --- Contexts ------------------------------------------------------------------------------------------------------ */

static term context_new(Process *p, StateDestroy *kind) {
    const Zstd *z = zstd_library(process_vm(p));
    term ref;
    Context *x = z == NULL ? NULL : state_new(p, sizeof *x, kind, &ref);
    if (x == NULL) {
        return raise_error(p, z == NULL ? A_notsup : A_system_limit);
    }
    x->z = z;
    x->owner = p->pid;
    if (kind == compress_destroy) {
        x->c = z->f.createCCtx_advanced(z->memory);
    } else {
        x->d = z->f.createDCtx_advanced(z->memory);
    }
    return x->c == NULL && x->d == NULL ? raise_error(p, A_system_limit) : ref;
}

BIF(zstd, init_compress_nif, 0) {
    return context_new(p, compress_destroy);
}

BIF(zstd, init_decompress_nif, 0) {
    return context_new(p, decompress_destroy);
}

static void session_reset(Context *x) {
    if (x->c != NULL) {
        x->z->f.CCtx_reset(x->c, ZSTD_reset_session_only);
    } else {
        x->z->f.DCtx_reset(x->d, ZSTD_reset_session_only);
    }
    x->in_use = false;
}

static term reset(Process *p, term ref, StateDestroy *kind) {
    Context *x = context_of(p, ref, kind);
    if (x == NULL) {
        return NONE;
    }
    session_reset(x);
    return A_ok;
}

BIF(zstd, compress_reset_nif, 1) {
    return reset(p, a[0], compress_destroy);
}

BIF(zstd, decompress_reset_nif, 1) {
    return reset(p, a[0], decompress_destroy);
}

static term close(Process *p, term ref, StateDestroy *kind) {
    Context *x = context_of(p, ref, kind);
    if (x == NULL) {
        return NONE;
    }
    context_close(process_vm(p), x);
    return A_ok;
}

BIF(zstd, compress_close_nif, 1) {
    return close(p, a[0], compress_destroy);
}

BIF(zstd, decompress_close_nif, 1) {
    return close(p, a[0], decompress_destroy);
}

/* --- Parameters ---------------------------------------------------------------------------------------------------- */

typedef enum { PARAMETER_NUMBER, PARAMETER_BOOLEAN, PARAMETER_STRATEGY } ParameterKind;
typedef struct {
    term name;
    int id;
    ParameterKind kind;
} Parameter;

static const Parameter compress_parameters[] = {
    {A_compressionLevel, ZSTD_c_compressionLevel, PARAMETER_NUMBER},
    {A_windowLog, ZSTD_c_windowLog, PARAMETER_NUMBER},
    {A_hashLog, ZSTD_c_hashLog, PARAMETER_NUMBER},
    {A_chainLog, ZSTD_c_chainLog, PARAMETER_NUMBER},
    {A_searchLog, ZSTD_c_searchLog, PARAMETER_NUMBER},
    {A_minMatch, ZSTD_c_minMatch, PARAMETER_NUMBER},
    {A_targetLength, ZSTD_c_targetLength, PARAMETER_NUMBER},
    {A_strategy, ZSTD_c_strategy, PARAMETER_STRATEGY},
    {A_targetCBlockSize, ZSTD_c_targetCBlockSize, PARAMETER_NUMBER},
    {A_enableLongDistanceMatching, ZSTD_c_enableLongDistanceMatching, PARAMETER_BOOLEAN},
    {A_ldmHashLog, ZSTD_c_ldmHashLog, PARAMETER_NUMBER},
    {A_ldmMinMatch, ZSTD_c_ldmMinMatch, PARAMETER_NUMBER},
    {A_ldmBucketSizeLog, ZSTD_c_ldmBucketSizeLog, PARAMETER_NUMBER},
    {A_ldmHashRateLog, ZSTD_c_ldmHashRateLog, PARAMETER_NUMBER},
    {A_contentSizeFlag, ZSTD_c_contentSizeFlag, PARAMETER_BOOLEAN},
    {A_checksumFlag, ZSTD_c_checksumFlag, PARAMETER_BOOLEAN},
    {A_dictIDFlag, ZSTD_c_dictIDFlag, PARAMETER_BOOLEAN},
};
static const Parameter decompress_parameter = {A_windowLogMax, ZSTD_d_windowLogMax, PARAMETER_NUMBER};

/* As libzstd numbers them. */
static const term strategies[] = {A_default, A_fast, A_dfast, A_greedy, A_lazy, A_lazy2, A_btlazy2, A_btopt, A_btultra, A_btultra2};
_Static_assert(ARRAY_LEN(strategies) == ZSTD_btultra2 + 1, "a name for each strategy");

static const Parameter *compress_parameter(term name) {
    for (size_t i = 0; i < ARRAY_LEN(compress_parameters); i++) {
        if (compress_parameters[i].name == name) {
            return &compress_parameters[i];
        }
    }
    return NULL;
}

static bool parameter_value(const Parameter *r, term t, int *value) {
    switch (r->kind) {
    case PARAMETER_BOOLEAN: *value = t == A_true; return t == A_true || t == A_false;
    case PARAMETER_STRATEGY:
        for (size_t i = 0; i < ARRAY_LEN(strategies); i++) {
            if (strategies[i] == t) {
                *value = (int)i;
                return true;
            }
        }
        return false;
    default: return get_int(t, value);
    }
}

BIF(zstd, set_compress_parameter_nif, 3) {
    Context *x = context_of(p, a[0], compress_destroy);
    if (x == NULL) {
        return NONE;
    }
    const Parameter *r = compress_parameter(a[1]);
    int value;
    if (r == NULL) {
        return raise_about(p, A_invalid_key, a[1]);
    }
    if (!parameter_value(r, a[2], &value)) {
        return raise_about(p, A_invalid_value, a[2]);
    }
    return ok_or_raise(p, x->z, x->z->f.CCtx_setParameter(x->c, (ZSTD_cParameter)r->id, value));
}

BIF(zstd, get_compress_parameter_nif, 2) {
    Context *x = context_of(p, a[0], compress_destroy);
    if (x == NULL) {
        return NONE;
    }
    const Parameter *r = compress_parameter(a[1]);
    if (r == NULL) {
        return raise_about(p, A_invalid_key, a[1]);
    }
    int value = 0;
    size_t code = x->z->f.CCtx_getParameter(x->c, (ZSTD_cParameter)r->id, &value);
    if (x->z->f.isError(code)) {
        return raise_zstd(p, x->z, code);
    }
    bool named = r->kind == PARAMETER_STRATEGY && (size_t)value < ARRAY_LEN(strategies);
    return r->kind == PARAMETER_BOOLEAN ? (value ? A_true : A_false) : named ? strategies[value] : SMALL(value);
}

BIF(zstd, set_decompress_parameter_nif, 3) {
    Context *x = context_of(p, a[0], decompress_destroy);
    int value;
    if (x == NULL || !get_int(a[2], &value)) {
        return x == NULL ? NONE : raise_badarg(p);
    }
    return a[1] == decompress_parameter.name
               ? ok_or_raise(p, x->z, x->z->f.DCtx_setParameter(x->d, (ZSTD_dParameter)decompress_parameter.id, value))
               : raise_about(p, A_invalid_key, a[1]);
}

BIF(zstd, get_decompress_parameter_nif, 2) {
    Context *x = context_of(p, a[0], decompress_destroy);
    if (x == NULL || a[1] != decompress_parameter.name) {
        return x == NULL ? NONE : raise_about(p, A_invalid_key, a[1]);
    }
    int value = 0;
    size_t code = x->z->f.DCtx_getParameter(x->d, (ZSTD_dParameter)decompress_parameter.id, &value);
    return x->z->f.isError(code) ? raise_zstd(p, x->z, code) : SMALL(value);
}

BIF(zstd, set_pledged_src_size_nif, 2) {
    Context *x = context_of(p, a[0], compress_destroy);
    uint64_t size;
    if (x == NULL || !integer_to_uint64(a[1], &size)) {
        return x == NULL ? NONE : raise_badarg(p);
    }
    return ok_or_raise(p, x->z, x->z->f.CCtx_setPledgedSrcSize(x->c, size));
}

/* --- Dictionaries -------------------------------------------------------------------------------------------------- */

/* The bytes of an iolist; the caller ends with text_done. */
static bool get_bytes(Process *p, term t, Text *bytes) {
    text_init(bytes, &process_vm(p)->mem);
    return iolist_bytes(process_vm(p), t, bytes) == IOLIST_OK;
}

static term load_dictionary(Process *p, const term *a, StateDestroy *kind) {
    Context *x = context_of(p, a[0], kind);
    if (x == NULL) {
        return NONE;
    }
    Text bytes;
    term result;
    if (get_bytes(p, a[1], &bytes)) {
        forget_dictionary(process_vm(p), x);
        result = ok_or_raise(p, x->z,
                             x->c != NULL ? x->z->f.CCtx_loadDictionary(x->c, bytes.at, bytes.size)
                                          : x->z->f.DCtx_loadDictionary(x->d, bytes.at, bytes.size));
    } else {
        result = raise_badarg(p);
    }
    text_done(&bytes);
    return result;
}

BIF(zstd, load_compress_dictionary_nif, 2) {
    return load_dictionary(p, a, compress_destroy);
}

BIF(zstd, load_decompress_dictionary_nif, 2) {
    return load_dictionary(p, a, decompress_destroy);
}

static term ref_dictionary(Process *p, const term *a, StateDestroy *kind, StateDestroy *dictionary_kind) {
    Context *x = context_of(p, a[0], kind);
    Dictionary *d = state_of(a[1], dictionary_kind);
    if (x == NULL || d == NULL) {
        return x == NULL ? NONE : raise_badarg(p);
    }
    size_t code = x->c != NULL ? x->z->f.CCtx_refCDict(x->c, d->c) : x->z->f.DCtx_refDDict(x->d, d->d);
    if (!x->z->f.isError(code)) {
        resource_keep(&d->resource);
        forget_dictionary(process_vm(p), x);
        x->dictionary = d;
    }
    return ok_or_raise(p, x->z, code);
}

BIF(zstd, ref_compress_dictionary_nif, 2) {
    return ref_dictionary(p, a, compress_destroy, compress_dictionary_destroy);
}

BIF(zstd, ref_decompress_dictionary_nif, 2) {
    return ref_dictionary(p, a, decompress_destroy, decompress_dictionary_destroy);
}

static term create_dictionary(Process *p, term bytes, int level, StateDestroy *kind) {
    const Zstd *z = zstd_library(process_vm(p));
    term ref;
    BitsBytes b;
    if (z == NULL || !bits_bytes(process_vm(p), bytes, &b)) {
        return raise_error(p, z == NULL ? A_notsup : A_system_limit);
    }
    ZSTD_CDict *c = NULL;
    ZSTD_DDict *d = NULL;
    if (kind == compress_dictionary_destroy) {
        c = z->f.createCDict_advanced(b.at, b.size, ZSTD_dlm_byCopy, ZSTD_dct_auto, z->f.getCParams(level, 0, b.size), z->memory);
    } else {
        d = z->f.createDDict_advanced(b.at, b.size, ZSTD_dlm_byCopy, ZSTD_dct_auto, z->memory);
    }
    bits_bytes_done(process_vm(p), &b);
    if (c == NULL && d == NULL) {
        return TUPLE2(HEAP(p), A_error, kind == compress_dictionary_destroy ? A_invalid_compress_dict : A_invalid_decompress_dict);
    }
    Dictionary *made = state_new(p, sizeof *made, kind, &ref);
    if (made == NULL) {
        z->f.freeCDict(c);
        z->f.freeDDict(d);
        return raise_error(p, A_system_limit);
    }
    made->z = z, made->c = c, made->d = d;
    return ref;
}

BIF(zstd, create_cdict_nif, 2) {
    int level = 0;
    return is_binary(a[0]) && get_int(a[1], &level) ? create_dictionary(p, a[0], level, compress_dictionary_destroy) : raise_badarg(p);
}

BIF(zstd, create_ddict_nif, 1) {
    return is_binary(a[0]) ? create_dictionary(p, a[0], 0, decompress_dictionary_destroy) : raise_badarg(p);
}

BIF(zstd, getDictId_fromCDict_nif, 1) {
    Dictionary *d = state_of(a[0], compress_dictionary_destroy);
    return d == NULL ? raise_badarg(p) : SMALL(d->z->f.getDictID_fromCDict(d->c));
}

BIF(zstd, getDictId_fromDDict_nif, 1) {
    Dictionary *d = state_of(a[0], decompress_dictionary_destroy);
    return d == NULL ? raise_badarg(p) : SMALL(d->z->f.getDictID_fromDDict(d->d));
}

/* --- What bytes say of themselves ---------------------------------------------------------------------------------- */

typedef term Describe(Process *p, const Zstd *z, const Text *bytes);

static term describe(Process *p, term iolist, Describe *say) {
    const Zstd *z = zstd_library(process_vm(p));
    Text bytes;
    term result = !get_bytes(p, iolist, &bytes) ? raise_badarg(p) : z == NULL ? raise_error(p, A_notsup) : say(p, z, &bytes);
    text_done(&bytes);
    return result;
}

static term dictionary_of_dictionary(Process *p UNUSED, const Zstd *z, const Text *bytes) {
    return SMALL(z->f.getDictID_fromDict(bytes->at, bytes->size));
}

static term dictionary_of_frame(Process *p UNUSED, const Zstd *z, const Text *bytes) {
    return SMALL(z->f.getDictID_fromFrame(bytes->at, bytes->size));
}

BIF(zstd, getDictId_fromDict_nif, 1) {
    return describe(p, a[0], dictionary_of_dictionary);
}

BIF(zstd, getDictId_fromFrame_nif, 1) {
    return describe(p, a[0], dictionary_of_frame);
}

static term head_of_frame(Process *p, const Zstd *z, const Text *bytes) {
    ZSTD_frameHeader head = {0};
    size_t code = z->f.getFrameHeader(&head, bytes->at, bytes->size);
    if (z->f.isError(code)) {
        return raise_zstd(p, z, code);
    }
    if (code > 0) { /* more bytes are needed to tell */
        return raise_zstd(p, z, (size_t)-ZSTD_error_srcSize_wrong);
    }
    Heap *h = HEAP(p);
    term size = head.frameContentSize == ZSTD_CONTENTSIZE_UNKNOWN ? A_undefined : integer_from_uint64(h, head.frameContentSize);
    const term pairs[] = {
        A_frameContentSize, size,
        A_windowSize,       integer_from_uint64(h, head.windowSize),
        A_blockSizeMax,     SMALL(head.blockSizeMax),
        A_frameType,        head.frameType == ZSTD_frame ? A_ZSTD_frame : A_ZSTD_skippableFrame,
        A_headerSize,       SMALL(head.headerSize),
        A_dictID,           SMALL(head.dictID),
        A_checksumFlag,     head.checksumFlag ? A_true : A_false,
    };
    return TUPLE2(h, A_ok, map_from_pairs(h, pairs, ARRAY_LEN(pairs) / 2));
}

BIF(zstd, get_frame_header_nif, 1) {
    return describe(p, a[0], head_of_frame);
}

/* --- Data in and out ----------------------------------------------------------------------------------------------- */

/* What zstd.erl asks for: 0, 1 or 2, or a boolean in OTP 28. */
static bool get_directive(term t, ZSTD_EndDirective *d) {
    bool number = is_small(t) && small_value(t) >= ZSTD_e_continue && small_value(t) <= ZSTD_e_end;
    *d = number ? (ZSTD_EndDirective)small_value(t) : t == A_true ? ZSTD_e_end : ZSTD_e_continue;
    return number || t == A_true || t == A_false;
}

/* One call of the codec. The result: as libzstd has it, how much is left, or an error. */
static size_t code_some(Context *x, ZSTD_inBuffer *in, ZSTD_EndDirective directive) {
    ZSTD_outBuffer out = {x->out->data, x->out->capacity, x->written};
    size_t code = x->c != NULL ? x->z->f.compressStream2(x->c, &out, in, directive) : x->z->f.decompressStream(x->d, &out, in);
    x->written = out.pos;
    return code;
}

static term output(Process *p, Context *x) {
    Buffer *out = x->out;
    x->out = NULL;
    return bits_from_filled(HEAP(p), out, x->written);
}

/* Codes what `data` has, piece by piece, until that is used up or the output is full; goes on in another slice. */
static term stream(Process *p, Context *x, term data, term directive_term, const Export *again, term ref) {
    ZSTD_EndDirective directive;
    BitsBytes b;
    if (!get_directive(directive_term, &directive) || !bits_bytes(process_vm(p), data, &b)) {
        return raise_badarg(p);
    }
    ZSTD_inBuffer in = {b.at, 0, 0};
    size_t code;
    bool full, later = false;
    do {
        in.size = MIN(b.size, in.pos + SLICE_BYTES);
        size_t before = in.pos + x->written;
        code = code_some(x, &in, in.size < b.size ? ZSTD_e_continue : directive);
        full = x->written == x->out->capacity;
        BUMP(p, 1 + (intptr_t)((in.pos + x->written - before) * SLICE_REDUCTIONS / SLICE_BYTES));
        later = !x->z->f.isError(code) && in.pos < b.size && !full && OUT_OF_TIME(p);
    } while (!x->z->f.isError(code) && in.pos < b.size && !full && !later);
    size_t left = b.size - in.pos;
    bits_bytes_done(process_vm(p), &b);
    if (x->z->f.isError(code)) {
        forget_output(process_vm(p), x);
        session_reset(x);
        return raise_zstd(p, x->z, code);
    }
    term rest = left == 0 ? NIL : bits_sub(HEAP(p), data, in.pos * 8, left * 8);
    if (later) {
        return bif_trap(p, again, 3, ref, rest, directive_term);
    }
    term coded = output(p, x);
    if (left > 0) {
        return TUPLE3(HEAP(p), A_continue, rest, coded);
    }
    return TUPLE2(HEAP(p), directive == ZSTD_e_continue ? A_continue : full && code > 0 ? A_flush : A_done, coded);
}

static bool begin_output(Process *p, Context *x, size_t capacity) {
    if (x->out == NULL) {
        x->out = buffer_new(process_vm(p), capacity);
        x->written = 0;
    }
    return x->out != NULL;
}

BIF(zstd, compress_stream_nif, 3) {
    Context *x = context_of(p, a[0], compress_destroy);
    if (x == NULL) {
        return NONE;
    }
    if (!is_binary(a[1])) {
        return raise_badarg(p);
    }
    return begin_output(p, x, x->z->f.CStreamOutSize()) ? stream(p, x, a[1], a[2], BIF_EXPORT(p, zstd, compress_stream_nif, 3), a[0])
                                                        : raise_error(p, A_system_limit);
}

/* The room for the output: small if the input says that it is the whole of something small. */
static bool decompressed_size(Process *p, Context *x, term data, size_t *size) {
    BitsBytes b;
    if (!bits_bytes(process_vm(p), data, &b)) {
        return false;
    }
    unsigned long long all = x->z->f.findDecompressedSize(b.at, b.size);
    bits_bytes_done(process_vm(p), &b);
    if (all < *size) { /* neither "unknown" nor "no frame", which are very large */
        *size = (size_t)all;
    }
    return true;
}

BIF(zstd, decompress_stream_nif, 3) {
    Context *x = context_of(p, a[0], decompress_destroy);
    if (x == NULL) {
        return NONE;
    }
    if (!is_binary(a[1])) {
        return raise_badarg(p);
    }
    size_t room = x->z->f.DStreamOutSize();
    if (!x->in_use) {
        if (bits_size(a[1]) == 0 && a[2] == A_true) { /* OTP 28 */
            return TUPLE2(HEAP(p), A_done, a[1]);
        }
        if (!decompressed_size(p, x, a[1], &room)) {
            return raise_error(p, A_system_limit);
        }
        x->in_use = true;
    }
    return begin_output(p, x, room) ? stream(p, x, a[1], a[2], BIF_EXPORT(p, zstd, decompress_stream_nif, 3), a[0])
                                    : raise_error(p, A_system_limit);
}
