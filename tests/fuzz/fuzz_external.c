/* The external term format: whatever the bytes, decoding ends, leaks nothing and stays inside its input; in pieces it gives the
   same as at once; and what it gives can be written, and read again as the same term. The first byte chooses the options. */
#include "fuzz.h"

#include "data/external.h"
#include "term/atom.h"
#include "term/compare.h"
#include "term/heap.h"

/* Stand-ins for code/: a fun leads to a description of it, an export to its atoms. */
static FunDescription lambda;
static term export[3];
static void *get_lambda(VM *vm UNUSED, const FunDescription *f, uint32_t free UNUSED) {
    lambda = *f;
    return &lambda;
}
static void describe_lambda(VM *vm UNUSED, const void *l, FunDescription *f) {
    *f = *(const FunDescription *)l;
}
static void *get_export(VM *vm UNUSED, term module, term name, uint32_t arity) {
    export[0] = module, export[1] = name, export[2] = arity;
    return export;
}
static void describe_export(VM *vm UNUSED, const void *e, term *module, term *name, uint32_t *arity) {
    const term *x = e;
    *module = x[0], *name = x[1], *arity = (uint32_t)x[2];
}
static bool export_exists(VM *vm UNUSED, term module UNUSED, term name UNUSED, uint32_t arity) {
    return arity < 2;
}
static const ExternalHooks hooks = {get_lambda, describe_lambda, get_export, describe_export, export_exists};

static term decode_in_pieces(Heap *h, Bytes b, unsigned flags, size_t *used) {
    ExternalDecoder *d = external_decoder_new(h, b, flags);
    size_t budget = 7;
    while (!external_decoder_step(d, &budget)) {
        budget = 7;
    }
    term t = external_decoder_result(d, used);
    external_decoder_delete(d);
    return t;
}

static void write_and_read(VM *vm, Heap *h, term t, const ExternalOptions *o) {
    Text once;
    Bytes pieces;
    term reason;
    text_init(&once, &vm->mem);
    MUST(external_encode(&once, vm, t, o, &reason));
    ExternalEncoder *e = external_encoder_new(vm, t, o);
    size_t budget = 5;
    while (!external_encoder_step(e, &budget)) {
        term saved = external_encoder_save(e, h);
        if (saved != NONE) {
            external_encoder_restore(e, saved);
        }
        budget = 5;
    }
    MUST(external_encoder_result(e, &pieces, &reason));
    MUST(pieces.size == once.size && memcmp(pieces.at, once.at, once.size) == 0);
    if (o->compression == 0) {
        ExternalEncoder *counter = external_encoder_new(vm, t, o);
        external_encoder_count(counter);
        for (budget = 5; !external_encoder_step(counter, &budget); budget = 5) {
        }
        MUST(external_encoder_counted(counter, &reason) == once.size);
        external_encoder_delete(counter);
    }
    term again = external_decode(h, pieces, 0, NULL);
    MUST(again != NONE && (o->minor_version == 0 || term_same(vm, t, again)));
    external_encoder_delete(e);
    text_done(&once);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    VM vm;
    Heap h;
    memset(&vm, 0, sizeof vm);
    mem_init(&vm.mem);
    MUST(terms_init(&vm));
    vm.external = &hooks;
    heap_init_detached(&h, &vm);
    if (size > 1) {
        uint8_t choice = data[0];
        unsigned flags = choice & 3; /* safe; no version */
        Bytes b = {data + 1, size - 1};
        size_t used = 0, used_in_pieces = 0;
        term t = external_decode(&h, b, flags, &used), again = decode_in_pieces(&h, b, flags, &used_in_pieces);
        MUST((t == NONE) == (again == NONE));
        if (t != NONE) {
            MUST(used == used_in_pieces && used <= b.size);
            ExternalOptions o = {
                .deterministic = choice & 4, .local = choice & 8, .minor_version = (choice >> 4) % 3, .compression = choice >> 7};
            write_and_read(&vm, &h, t, &o);
        }
    }
    heap_free_fragments(&vm, heap_detach(&h));
    terms_done(&vm);
    MUST(mem_total(&vm.mem) == 0);
    return 0;
}
