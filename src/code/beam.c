/* Reading a .beam file: the container, the order in which its chunks are read, and what holds them together. */
#include "base/lock.h"
#include "code/code.h"
#include "code/container.h"
#include "code/verify.h"
#include "data/external.h"
#include "data/md5.h"
#include "data/record.h"
#include "term/atom.h"
#include "term/copy.h"
#include "term/literal.h"

#include <stdio.h>
#include <stdlib.h>

/* The module's MD5, as the compiler defines it: of its essential chunks, without the old hashes in FunT. */
static void hash_chunks(const Bytes chunks[CHUNKS], uint8_t digest[16]) {
    static const uint8_t order[] = {CHUNK_ATOMS,    CHUNK_CODE,           CHUNK_STRINGS, CHUNK_IMPORTS, CHUNK_EXPORTS, CHUNK_LAMBDAS,
                                    CHUNK_LITERALS, CHUNK_PLAIN_LITERALS, CHUNK_META,    CHUNK_RECORDS, CHUNK_DEBUG};
    Md5 m;
    md5_init(&m);
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        Bytes b = chunks[order[i]];
        if (order[i] != CHUNK_LAMBDAS) {
            md5_update(&m, b.at, b.size);
            continue;
        }
        size_t at = MIN(b.size, (size_t)4);
        md5_update(&m, b.at, at);
        for (; b.size - at >= 24; at += 24) {
            md5_update(&m, b.at + at, 20);
            md5_update(&m, (const uint8_t[4]){0}, 4);
        }
    }
    md5_final(&m, digest);
}

static Bytes keep(BeamFile *b, Bytes bytes, bool *ok) {
    uint8_t *p = arena_alloc(b->arena, bytes.size);
    if (p == NULL) {
        *ok = false;
        return (Bytes){0};
    }
    if (bytes.size != 0) {
        memcpy(p, bytes.at, bytes.size);
    }
    return (Bytes){p, bytes.size};
}

/* Templates of native records, still among the literals that are on their way. */
static bool record_templates(Loading *l) {
    BeamFile *b = l->b;
    for (uint32_t i = 0; i < b->record_count; i++) {
        BeamRecord *r = &b->records[i];
        term *both = mem_alloc(&b->vm->mem, MEM_TEMPORARY, (2 * r->count + 1) * sizeof *both);
        for (uint32_t k = 0; k < r->count && both != NULL; k++) {
            const struct BeamField *f = &r->fields[k];
            both[k] = f->key;
            both[r->count + k] = f->literal != 0 ? b->literals[f->literal - 1] : f->value;
        }
        term definition = both == NULL ? NONE : record_define(&l->heap, b->module, r->name, r->exported, both, r->count);
        r->template = definition == NONE ? NONE : record_template(&l->heap, definition, both + r->count);
        mem_free(&b->vm->mem, MEM_TEMPORARY, both, (2 * r->count + 1) * sizeof *both);
        if (r->template == NONE) {
            return load_no_memory(l->error);
        }
    }
    return true;
}

/* Moves all literals into one block of the literal area, and tells those who wait for them. */
static bool move_literals(Loading *l) {
    BeamFile *b = l->b;
    size_t words = 0;
    if (!record_templates(l)) {
        return false;
    }
    for (uint32_t i = 0; i < b->literal_count; i++) {
        words += term_size(b->vm, b->literals[i]);
    }
    for (uint32_t i = 0; i < b->record_count; i++) {
        words += term_size(b->vm, b->records[i].template);
    }
    for (uint32_t i = 1; i < b->file_count; i++) {
        words += term_size(b->vm, b->files[i]);
    }
    if (words > 0) {
        b->literal_block = literal_alloc(b->vm, words);
        if (b->literal_block == NULL) {
            return load_no_memory(l->error);
        }
        b->literal_words = words;
        /* The block dressed up as a heap, so that term_copy fills it. */
        Heap heap = {.vm = b->vm, .start = b->literal_block, .top = b->literal_block};
        heap.mark = heap.start;
        heap.sp = heap.end = heap.start + words + HEAP_RESERVE;
        UNSEEN_BEGIN();
        for (uint32_t i = 0; i < b->literal_count; i++) {
            b->literals[i] = term_copy(&heap, b->literals[i]);
        }
        for (uint32_t i = 1; i < b->file_count; i++) {
            b->files[i] = term_copy(&heap, b->files[i]);
        }
        for (uint32_t i = 0; i < b->record_count; i++) {
            b->records[i].template = term_copy(&heap, b->records[i].template);
        }
        UNSEEN_END();
        assert(heap.top == heap.start + words && heap.fragments == NULL);
        b->literal_off_heap = heap.off_heap;
    }
    for (size_t i = 0; i < l->fix_count; i++) {
        l->fixes[i]->term = b->literals[l->fixes[i]->value];
    }
    for (uint32_t i = 0; i < b->record_count; i++) {
        for (uint32_t k = 0; k < b->records[i].count; k++) {
            struct BeamField *f = &b->records[i].fields[k];
            if (f->literal != 0) {
                f->value = b->literals[f->literal - 1];
            }
        }
    }
    return true;
}

BeamFunction *beam_function(const BeamFile *b, uint32_t label) {
    if (b->label_function != NULL) {
        uint32_t n = b->label_function[label];
        return n == 0 ? NULL : &b->functions[n - 1];
    }
    BeamFunction *f = b->functions;
    for (size_t left = b->function_count, half; left > 1; left -= half) { /* without branches, which nobody could foresee */
        half = left / 2;
        f += half & -(size_t)(f[half].entry <= label);
    }
    return b->function_count > 0 && f->entry == label ? f : NULL;
}

static bool lambda_labels(Loading *l) {
    const BeamFile *b = l->b;
    for (uint32_t i = 0; i < b->lambda_count; i++) {
        const BeamLambda *f = &b->lambdas[i];
        const BeamFunction *body = f->label < b->labels ? beam_function(b, f->label) : NULL;
        if (body == NULL || body->arity != f->arity) {
            return load_error(l->error, "FunT", 4 + 24 * (int64_t)i, "label %u is not the entry of a function of %u arguments", f->label,
                              f->arity);
        }
    }
    return true;
}

static bool read_literals(Loading *l, const Bytes chunks[CHUNKS]) {
    Mem *mem = &l->b->vm->mem;
    Bytes table;
    uint8_t *block;
    size_t size;
    if (!container_literals(chunks, mem, &table, &block, &size, l->error)) {
        return false;
    }
    bool ok = table.at == NULL || chunk_literals(l, &(Cursor){table.at, table.at, table.at + table.size, "LitT", l->error});
    mem_free(mem, MEM_TEMPORARY, block, size);
    return ok;
}

#define CURSOR(i)                                                                        \
    &(Cursor) {                                                                          \
        chunks[i].at, chunks[i].at, chunks[i].at + chunks[i].size, chunk_names[i], error \
    }
#define HAS(i) (chunks[i].at != NULL)

static bool check_term(LoadError *error, const char *chunk, Bytes b) {
    return b.size == 0 || external_has_shape(b) || load_error(error, chunk, -1, "it is no term in the external format");
}

static bool read_chunks(Loading *l, const Container *container) {
    const Bytes *chunks = container->chunks;
    BeamFile *b = l->b;
    LoadError *error = l->error;
    static const uint8_t needed[] = {CHUNK_ATOMS, CHUNK_CODE, CHUNK_IMPORTS, CHUNK_EXPORTS};
    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        if (!HAS(needed[i])) {
            return load_error(error, "", -1,
                              needed[i] == CHUNK_ATOMS && HAS(CHUNK_OLD_ATOMS) ? "it was compiled by a release before OTP 20%.0s"
                                                                               : "it has no chunk %s",
                              chunk_names[needed[i]]);
        }
    }
    if (!chunk_atoms(l, CURSOR(CHUNK_ATOMS)) || !chunk_imports(l, CURSOR(CHUNK_IMPORTS)) ||
        (HAS(CHUNK_LAMBDAS) && !chunk_lambdas(l, CURSOR(CHUNK_LAMBDAS))) || !read_literals(l, chunks)) {
        return false;
    }
    l->file_literals = b->literal_count;
    if ((HAS(CHUNK_TYPES) && !chunk_types(l, CURSOR(CHUNK_TYPES))) || (HAS(CHUNK_LINES) && !chunk_lines(l, CURSOR(CHUNK_LINES))) ||
        !code_decode(l, CURSOR(CHUNK_CODE)) || (HAS(CHUNK_RECORDS) && !chunk_records(l, CURSOR(CHUNK_RECORDS))) ||
        !chunk_functions(l, CURSOR(CHUNK_EXPORTS), &b->exports, &b->export_count) ||
        (HAS(CHUNK_LOCALS) && !chunk_functions(l, CURSOR(CHUNK_LOCALS), &b->locals, &b->local_count)) || !lambda_labels(l) ||
        !check_term(error, "Attr", chunks[CHUNK_ATTRIBUTES]) || !check_term(error, "CInf", chunks[CHUNK_COMPILE_INFO])) {
        return false;
    }
    bool ok = true;
    b->strings = keep(b, chunks[CHUNK_STRINGS], &ok);
    b->attributes = keep(b, chunks[CHUNK_ATTRIBUTES], &ok);
    b->compile_info = keep(b, chunks[CHUNK_COMPILE_INFO], &ok);
    b->meta = keep(b, chunks[CHUNK_META], &ok);
    hash_chunks(chunks, b->md5);
    return ok ? move_literals(l) : load_no_memory(error);
}

/* The arena becomes the file's. */
static BeamFile *beam_new(VM *vm, Arena first) {
    BeamFile *b = ARENA_ARRAY(&first, BeamFile, 1);
    Arena *arena = b == NULL ? NULL : arena_alloc(&first, sizeof *arena);
    if (arena == NULL) {
        arena_done(&first);
        return NULL;
    }
    *arena = first;
    b->vm = vm;
    b->arena = b->work = arena;
    b->literal_off_heap = NONE;
    b->types = ARENA_ARRAY(arena, BeamType, 1);
    b->type_count = 1;
    if (b->types == NULL) {
        beam_free(b);
        return NULL;
    }
    b->types[0].types = TYPE_ANY;
    return b;
}

static BeamFile *read_container(VM *vm, const Container *c, LoadError *error) {
    Arena arena;
    code_work_begin(vm, &arena);
    BeamFile *b = beam_new(vm, arena);
    if (b == NULL) {
        load_no_memory(error);
        return NULL;
    }
    Loading l = {.b = b, .error = error};
    heap_init_detached(&l.heap, vm);
    bool ok = read_chunks(&l, c);
    mem_free(&vm->mem, MEM_TEMPORARY, l.fixes, l.fix_room * sizeof *l.fixes);
    heap_free_fragments(vm, heap_detach(&l.heap));
    ok = ok && beam_verify(b, error);
    if (!ok) {
        Bytes name = b->module == NONE ? (Bytes){0} : atom_text(vm, b->module);
        snprintf(error->module, sizeof error->module, "%.*s", (int)name.size, name.at == NULL ? "" : (const char *)name.at);
        beam_free(b);
        return NULL;
    }
    return b;
}

BeamFile *beam_read(VM *vm, const char *name, Bytes file, LoadError *error) {
    Container c;
    if (!container_open(&c, &vm->mem, name, file, error)) {
        return NULL;
    }
    BeamFile *b = read_container(vm, &c, error);
    container_close(&c);
    return b;
}

/* --- On demand ----------------------------------------------------------------------------------------------------- */

/* The chunks that are looked at later, and those that the MD5 is made of. */
static bool keep_chunks(BeamFile *b, const Container *c, bool stays) {
    Bytes *chunks = ARENA_ARRAY(b->arena, Bytes, CHUNKS);
    size_t size = 0;
    for (int i = 0; i < CHUNKS; i++) {
        size += c->chunks[i].size;
    }
    uint8_t *copy = stays ? NULL : arena_alloc(b->arena, size);
    if (chunks == NULL || (copy == NULL && !stays)) {
        return false;
    }
    for (int i = 0; i < CHUNKS; i++) {
        chunks[i] = c->chunks[i];
        if (!stays && chunks[i].at != NULL) {
            memcpy(copy, chunks[i].at, chunks[i].size);
            chunks[i].at = copy;
            copy += chunks[i].size;
        }
    }
    b->chunks = chunks;
    b->strings = chunks[CHUNK_STRINGS];
    b->attributes = chunks[CHUNK_ATTRIBUTES];
    b->compile_info = chunks[CHUNK_COMPILE_INFO];
    b->meta = chunks[CHUNK_META];
    return true;
}

static bool open_tables(BeamFile *b) {
    const Bytes *chunks = b->chunks;
    LoadError none = {0}, *error = &none;
    Loading l = {.b = b, .error = error};
    return chunk_atoms(&l, CURSOR(CHUNK_ATOMS)) && chunk_imports(&l, CURSOR(CHUNK_IMPORTS)) &&
           (!HAS(CHUNK_LAMBDAS) || chunk_lambdas(&l, CURSOR(CHUNK_LAMBDAS))) && code_scan(b) &&
           chunk_functions(&l, CURSOR(CHUNK_EXPORTS), &b->exports, &b->export_count) && lambda_labels(&l);
}

/* About what a file on demand takes, all of it: then it lies in one block. */
static size_t room_on_demand(const Container *c, const char *name, bool stays) {
    const Bytes *chunks = c->chunks;
    size_t room = sizeof(BeamFile) + sizeof(Arena) + CHUNKS * sizeof(Bytes) + strlen(name) + 256;
    for (int i = 0; i < CHUNKS && !stays; i++) {
        room += chunks[i].size;
    }
    if (chunks[CHUNK_ATOMS].size > 4 && chunks[CHUNK_CODE].size > 20) {
        int32_t atoms = (int32_t)read_be32(chunks[CHUNK_ATOMS].at);
        uint32_t functions = read_be32(chunks[CHUNK_CODE].at + 16);
        room += MIN((size_t)labs(atoms), chunks[CHUNK_ATOMS].size) * sizeof(AtomNumber);
        room += MIN((size_t)functions, chunks[CHUNK_CODE].size) * (sizeof(BeamFunction) + sizeof(uint64_t));
    }
    if (chunks[CHUNK_TYPES].size > 8) {
        room += MIN((size_t)read_be32(chunks[CHUNK_TYPES].at + 4), chunks[CHUNK_TYPES].size / 2) * sizeof(BeamType);
    }
    room += chunks[CHUNK_IMPORTS].size / 12 * sizeof(BeamImport) + chunks[CHUNK_EXPORTS].size / 12 * sizeof(BeamExport);
    return room + chunks[CHUNK_LAMBDAS].size / 24 * sizeof(BeamLambda);
}

/* NULL: it is not in the usual form, or there is no memory. */
static BeamFile *open_container(VM *vm, const Container *c, const char *name, bool stays) {
    if (c->inflated != NULL || c->chunks[CHUNK_ATOMS].at == NULL || c->chunks[CHUNK_CODE].at == NULL ||
        c->chunks[CHUNK_IMPORTS].at == NULL || c->chunks[CHUNK_EXPORTS].at == NULL || c->chunks[CHUNK_RECORDS].at != NULL ||
        c->chunks[CHUNK_DEBUG].at != NULL) {
        return NULL;
    }
    Arena arena;
    arena_init(&arena, &vm->mem, MEM_CODE);
    BeamFile *b = arena_reserve(&arena, room_on_demand(c, name, stays)) ? beam_new(vm, arena) : NULL;
    if (b == NULL) {
        return NULL;
    }
    size_t size = strlen(name) + 1;
    b->name = arena_alloc(b->arena, size);
    if (b->name == NULL || !keep_chunks(b, c, stays) || !open_tables(b) ||
        (b->match_args = ARENA_ARRAY(b->arena, uint64_t, b->function_count)) == NULL) {
        beam_free(b);
        return NULL;
    }
    memcpy((char *)b->name, name, size);
    return b;
}

BeamFile *beam_open(VM *vm, const char *name, Bytes file, bool stays, LoadError *error) {
    Container c;
    if (!container_open(&c, &vm->mem, name, file, error)) {
        return NULL;
    }
    BeamFile *b = open_container(vm, &c, name, stays);
    if (b == NULL) {
        b = read_container(vm, &c, error);
    }
    container_close(&c);
    return b;
}

enum { FEW_LITERALS = 64 };

/* If there are few, each is read when it is met; else all of them with the first. */
static bool open_literals(Loading *l) {
    BeamFile *b = l->b;
    Mem *mem = &b->vm->mem;
    if (b->literals != NULL) {
        return true;
    }
    Bytes table;
    if (!container_literals(b->chunks, mem, &table, &b->inflated, &b->inflated_room, l->error)) {
        return false;
    }
    if (table.size >= 4 && read_be32(table.at) <= FEW_LITERALS) {
        b->literal_room = MAX(read_be32(table.at), 1u);
        b->literals = mem_zalloc(mem, MEM_TEMPORARY, b->literal_room * sizeof *b->literals);
        b->literal_count = b->literals == NULL ? 0 : read_be32(table.at);
        b->literal_table = table;
        return b->literals != NULL || load_no_memory(l->error);
    }
    bool ok =
        table.at == NULL || (chunk_literals(l, &(Cursor){table.at, table.at, table.at + table.size, "LitT", l->error}) && move_literals(l));
    mem_free(mem, MEM_TEMPORARY, b->inflated, b->inflated_room);
    b->inflated = NULL;
    b->inflated_room = 0;
    return ok;
}

static term read_literal(Loading *l, uint32_t n) {
    Bytes table = l->b->literal_table;
    Cursor c = {table.at, table.at + 4, table.at + table.size, "LitT", l->error};
    for (uint32_t i = 0; i < n; i++) {
        if (!chunk_skip_literal(&c)) {
            return NONE;
        }
    }
    term t = chunk_literal(l, &c, n);
    if (t != NONE && !is_immediate(t) && (t = beam_keep(l->b, t)) == NONE) {
        load_no_memory(l->error);
    }
    return t;
}

term loading_literal_at(Loading *l, uint32_t n) {
    BeamFile *b = l->b;
    if (!open_literals(l)) {
        return NONE;
    }
    if (n >= b->literal_count) {
        load_error(l->error, "Code", -1, "literal %u of %u", n, b->literal_count);
        return NONE;
    }
    if (b->literals[n] == NONE) {
        b->literals[n] = read_literal(l, n);
    }
    return b->literals[n];
}

term beam_keep(BeamFile *b, term t) {
    size_t size = b->block_count * sizeof *b->blocks;
    LiteralBlock *more = mem_resize(&b->vm->mem, MEM_CODE, b->blocks, size, size + sizeof *more);
    if (more == NULL) {
        return NONE;
    }
    b->blocks = more;
    more[b->block_count] = (LiteralBlock){.off_heap = NONE};
    UNSEEN_BEGIN();
    t = term_copy_to_literal(b->vm, t, &more[b->block_count++]);
    UNSEEN_END();
    return t;
}

void beam_give(BeamFile *b, Bytes file) {
    b->given = file;
}

void beam_md5_now(BeamFile *b) {
    hash_chunks(b->chunks, b->md5);
}

#undef CURSOR
#undef HAS

void beam_free(BeamFile *b) {
    if (b == NULL || b->kept) {
        return;
    }
    VM *vm = b->vm;
    if (b->literal_block != NULL) {
        literal_free(vm, b->literal_block, b->literal_words, b->literal_off_heap);
    }
    for (uint32_t i = 0; i < b->block_count; i++) {
        if (b->blocks[i].at != NULL) {
            literal_free(vm, b->blocks[i].at, b->blocks[i].words, b->blocks[i].off_heap);
        }
    }
    mem_free(&vm->mem, MEM_CODE, b->blocks, b->block_count * sizeof *b->blocks);
    mem_free(&vm->mem, MEM_TEMPORARY, b->inflated, b->inflated_room);
    mem_free(&vm->mem, MEM_TEMPORARY, b->literals, b->literal_room * sizeof *b->literals);
    mem_free(&vm->mem, MEM_CODE, (void *)b->given.at, b->given.size);
    Arena arena = *b->arena;
    if (b->chunks != NULL) {
        arena_done(&arena);
    } else {
        code_work_end(vm, &arena);
    }
}
