/* The tables of a .beam file: one function a chunk. */
#include "base/utf8.h"
#include "code/reader.h"
#include "data/external.h"
#include "term/atom.h"

#include <stdlib.h>

enum { MAX_ARGUMENTS = 255 };

bool cursor_u32(Cursor *c, uint32_t *v) {
    if (cursor_left(c) < 4) {
        return CURSOR_FAIL(c, "ends in the middle of a number");
    }
    *v = read_be32(c->at);
    c->at += 4;
    return true;
}

bool cursor_count(Cursor *c, uint32_t least, uint32_t *count) {
    if (!cursor_u32(c, count)) {
        return false;
    }
    if (*count > cursor_left(c) / least) {
        c->at -= 4;
        return CURSOR_FAIL(c, "%u entries do not fit into it", *count);
    }
    return true;
}

bool cursor_bytes(Cursor *c, size_t size, const uint8_t **p) {
    if (cursor_left(c) < size) {
        return CURSOR_FAIL(c, "%zu bytes wanted, %zu left", size, cursor_left(c));
    }
    *p = c->at;
    c->at += size;
    return true;
}

/* A number of two bytes or more; *first is what says how many. */
static bool compact_long(Cursor *c, uint8_t first, Compact *v) {
    size_t size = (size_t)(first >> 5) + 2;
    if (size == 9) {
        uint32_t more;
        if (!cursor_number(c, &more)) {
            return false;
        }
        size += more;
    }
    const uint8_t *p;
    if (!cursor_bytes(c, size, &p)) {
        return false;
    }
    uint64_t n = v->tag == COMPACT_I && (p[0] & 0x80) ? UINT64_MAX : 0;
    if (size > 8) {
        v->large = true;
        v->bytes = p;
        v->size = size;
        return true;
    }
    for (size_t i = 0; i < size; i++) {
        n = n << 8 | p[i];
    }
    v->value = (int64_t)n;
    if (v->tag != COMPACT_I && v->value < 0) {
        c->at = p;
        return CURSOR_FAIL(c, "a number is negative");
    }
    return true;
}

bool cursor_compact(Cursor *c, Compact *v) {
    if (c->at == c->end) {
        return CURSOR_FAIL(c, "ends in the middle of an operand");
    }
    uint8_t b = *c->at++;
    v->tag = b & 7;
    v->large = false;
    if ((b & 8) == 0) {
        v->value = b >> 4;
        return true;
    }
    if ((b & 16) == 0) {
        if (c->at == c->end) {
            return CURSOR_FAIL(c, "ends in the middle of an operand");
        }
        v->value = (b >> 5) << 8 | *c->at++;
        return true;
    }
    return compact_long(c, b, v);
}

bool cursor_number(Cursor *c, uint32_t *v) {
    /* The size of a number may itself be a number with a size. No real file needs that here, so a hostile one ends here. */
    if (c->at != c->end && (*c->at & 0x18) == 0x18 && *c->at >> 5 == 7) {
        return CURSOR_FAIL(c, "a number is far too large");
    }
    Compact t;
    if (!cursor_compact(c, &t)) {
        return false;
    }
    if (t.tag != COMPACT_U || t.large || t.value > UINT32_MAX) {
        return CURSOR_FAIL(c, "a number was expected");
    }
    *v = (uint32_t)t.value;
    return true;
}

bool chunk_atoms(Loading *l, Cursor *c) {
    BeamFile *b = l->b;
    uint32_t count;
    if (!cursor_u32(c, &count)) {
        return false;
    }
    /* Since OTP 28 the count is negative and lengths are compact terms. */
    bool tagged = (int32_t)count < 0;
    if (tagged) {
        count = 0 - count;
    }
    if (count == 0 || count > cursor_left(c)) {
        c->at -= 4;
        return CURSOR_FAIL(c, "%u atoms do not fit into it", count);
    }
    b->atoms = arena_alloc(b->arena, ((size_t)count + 1) * sizeof *b->atoms);
    if (b->atoms == NULL) {
        return load_no_memory(l->error);
    }
    b->atoms[0] = NIL; /* as operands have it */
    for (uint32_t i = 1; i <= count; i++) {
        uint32_t size;
        const uint8_t *text;
        if (tagged) {
            if (!cursor_number(c, &size)) {
                return false;
            }
        } else if (c->at == c->end) {
            return CURSOR_FAIL(c, "ends before atom %u", i);
        } else {
            size = *c->at++;
        }
        if (!cursor_bytes(c, size, &text)) {
            return false;
        }
        term reason = NONE;
        b->atoms[i] = atom_intern(b->vm, text, size, &reason);
        if (b->atoms[i] == NONE) {
            c->at = text;
            return CURSOR_FAIL(c, reason == A_badarg ? "atom %u is not UTF-8" : "atom %u is too long, or there are too many", i);
        }
    }
    b->atom_count = count;
    b->module = b->atoms[1];
    return true;
}

/* A number of a table's row, which cursor_count has seen to be there. */
static inline uint32_t row_u32(Cursor *c) {
    c->at += 4;
    return read_be32(c->at - 4);
}

static bool read_atom(Loading *l, Cursor *c, AtomNumber *atom) {
    uint32_t i = row_u32(c);
    if (i == 0 || i > l->b->atom_count) {
        c->at -= 4;
        return CURSOR_FAIL(c, "atom %u of %u", i, l->b->atom_count);
    }
    *atom = l->b->atoms[i];
    return true;
}

static bool read_below(Cursor *c, const char *what, uint32_t limit, uint32_t *v) {
    *v = row_u32(c);
    if (*v >= limit) {
        c->at -= 4;
        return CURSOR_FAIL(c, "%s %u is out of range", what, *v);
    }
    return true;
}

bool chunk_imports(Loading *l, Cursor *c) {
    BeamFile *b = l->b;
    uint32_t count;
    if (!cursor_count(c, 12, &count)) {
        return false;
    }
    b->imports = ARENA_ARRAY(b->arena, BeamImport, count);
    if (b->imports == NULL) {
        return load_no_memory(l->error);
    }
    b->import_count = count;
    for (BeamImport *i = b->imports; i < b->imports + count; i++) {
        if (!read_atom(l, c, &i->module) || !read_atom(l, c, &i->name) || !read_below(c, "arity", MAX_ARGUMENTS + 1, &i->arity)) {
            return false;
        }
    }
    return true;
}

bool chunk_functions(Loading *l, Cursor *c, BeamExport **list, uint32_t *count) {
    if (!cursor_count(c, 12, count)) {
        return false;
    }
    *list = ARENA_ARRAY(l->b->arena, BeamExport, *count);
    if (*list == NULL) {
        return load_no_memory(l->error);
    }
    for (BeamExport *e = *list; e < *list + *count; e++) {
        uint32_t label;
        if (!read_atom(l, c, &e->name) || !read_below(c, "arity", MAX_ARGUMENTS + 1, &e->arity) ||
            !read_below(c, "label", l->b->labels, &label)) {
            return false;
        }
        const BeamFunction *f = beam_function(l->b, label);
        if (f == NULL || f->arity != e->arity) {
            c->at -= 4;
            return CURSOR_FAIL(c, "label %u is not the entry of a function of %u arguments", label, e->arity);
        }
        e->function = (uint32_t)(f - l->b->functions);
    }
    return true;
}

bool chunk_lambdas(Loading *l, Cursor *c) {
    BeamFile *b = l->b;
    uint32_t count;
    if (!cursor_count(c, 24, &count)) {
        return false;
    }
    b->lambdas = ARENA_ARRAY(b->arena, BeamLambda, count);
    if (b->lambdas == NULL) {
        return load_no_memory(l->error);
    }
    b->lambda_count = count;
    for (BeamLambda *f = b->lambdas; f < b->lambdas + count; f++) {
        if (!read_atom(l, c, &f->name) || !read_below(c, "arity", MAX_ARGUMENTS + 1, &f->arity)) {
            return false;
        }
        f->label = row_u32(c);
        f->index = row_u32(c);
        if (!read_below(c, "number of free variables", f->arity + 1, &f->free)) {
            return false;
        }
        f->old_uniq = row_u32(c);
    }
    return true;
}

uint32_t loading_literal(Loading *l, term t) {
    BeamFile *b = l->b;
    if (b->literal_count == b->literal_room) {
        size_t room = 2 * b->literal_room + 16;
        term *more = mem_resize(&b->vm->mem, MEM_TEMPORARY, b->literals, b->literal_room * sizeof(term), room * sizeof(term));
        if (more == NULL) {
            return UINT32_MAX;
        }
        b->literals = more;
        b->literal_room = room;
    }
    b->literals[b->literal_count] = t;
    return b->literal_count++;
}

term chunk_literal(Loading *l, Cursor *c, uint32_t n) {
    uint32_t size;
    const uint8_t *p;
    if (!cursor_u32(c, &size) || !cursor_bytes(c, size, &p)) {
        return NONE;
    }
    term t = external_decode(&l->heap, (Bytes){p, size}, 0, NULL);
    if (t == NONE && l->heap.reason == A_system_limit) {
        load_no_memory(c->error);
    } else if (t == NONE) {
        c->at = p;
        load_error(c->error, c->chunk, c->at - c->start, "literal %u is no term in external format", n);
    }
    return t;
}

bool chunk_skip_literal(Cursor *c) {
    uint32_t size;
    const uint8_t *p;
    return cursor_u32(c, &size) && cursor_bytes(c, size, &p);
}

bool chunk_literals(Loading *l, Cursor *c) {
    BeamFile *b = l->b;
    uint32_t count;
    if (!cursor_count(c, 4 + 2, &count)) {
        return false;
    }
    b->literals = mem_alloc(&b->vm->mem, MEM_TEMPORARY, MAX(count, 1u) * sizeof(term));
    if (b->literals == NULL) {
        return load_no_memory(l->error);
    }
    b->literal_room = MAX(count, 1u);
    for (uint32_t i = 0; i < count; i++) {
        term t = chunk_literal(l, c, i);
        if (t == NONE) {
            return false;
        }
        b->literals[b->literal_count++] = t;
    }
    return true;
}

static bool file_name(Loading *l, Cursor *c, term *name) {
    const uint8_t *text;
    if (cursor_left(c) < 2) {
        return CURSOR_FAIL(c, "ends before its file names");
    }
    uint16_t size = read_be16(c->at);
    c->at += 2;
    if (!cursor_bytes(c, size, &text)) {
        return false;
    }
    ptrdiff_t chars = utf8_count(text, size);
    if (chars < 0) {
        c->at = text;
        return CURSOR_FAIL(c, "a file name is not UTF-8");
    }
    term *p = chars == 0 ? NULL : heap_alloc(&l->heap, 2 * (size_t)chars);
    if (p == NULL && chars != 0) {
        return load_no_memory(l->error);
    }
    const uint8_t *end = text + size;
    *name = chars == 0 ? NIL : make_cons(p);
    for (ptrdiff_t i = 0; i < chars; i++, p += 2) {
        uint32_t ch;
        text += utf8_read(text, end, &ch);
        p[0] = SMALL(ch);
        p[1] = i + 1 == chars ? NIL : make_cons(p + 2);
    }
    return true;
}

bool chunk_lines(Loading *l, Cursor *c) {
    BeamFile *b = l->b;
    uint32_t version, flags, instructions, count, files;
    if (!cursor_u32(c, &version)) {
        return false;
    }
    if (version != 0) {
        return true;
    }
    if (!cursor_u32(c, &flags) || !cursor_u32(c, &instructions) || !cursor_u32(c, &count) || !cursor_u32(c, &files)) {
        return false;
    }
    if (count > cursor_left(c) || files > cursor_left(c) / 2) {
        return CURSOR_FAIL(c, "%u lines and %u files do not fit into it", count, files);
    }
    b->lines = ARENA_ARRAY(b->work, BeamLine, (size_t)count + 1);
    b->files = ARENA_ARRAY(b->work, term, (size_t)files + 1);
    if (b->lines == NULL || b->files == NULL) {
        return load_no_memory(l->error);
    }
    uint32_t file = 0;
    for (uint32_t i = 1; i <= count;) {
        Compact t;
        if (!cursor_compact(c, &t)) {
            return false;
        }
        if (t.large || t.value < 0 || t.value > UINT32_MAX || (t.tag != COMPACT_I && t.tag != COMPACT_A) ||
            (t.tag == COMPACT_A && t.value > files)) {
            return CURSOR_FAIL(c, "entry %u is neither a line nor a file", i);
        }
        if (t.tag == COMPACT_A) {
            file = (uint32_t)t.value;
        } else {
            b->lines[i++] = (BeamLine){file, (uint32_t)t.value};
        }
    }
    for (uint32_t i = 1; i <= files; i++) {
        if (!file_name(l, c, &b->files[i])) {
            return false;
        }
    }
    b->line_count = count + 1;
    b->file_count = files + 1;
    return true;
}

/* A type word of any version in the form of BeamType: versions 1 and 2 have a bit for match states after bitstrings. */
static uint16_t type_bits(uint32_t version, uint32_t word) {
    if (version <= 2) {
        return (uint16_t)((word & 3) | (word & 0x1ff8) >> 1 | (word & 4 ? TYPE_MATCH : 0));
    }
    return (uint16_t)(word & (version == 3 ? 0xfff : 0x1fff));
}

static bool read_type(Cursor *c, uint32_t version, BeamType *t) {
    if (cursor_left(c) < 2) {
        return CURSOR_FAIL(c, "ends in the middle of a type");
    }
    uint32_t word = read_be16(c->at);
    c->at += 2;
    t->types = type_bits(version, word);
    const uint8_t *p;
    if (version == 1) {
        if (!cursor_bytes(c, 16, &p)) {
            return false;
        }
        t->min = (int64_t)read_be64(p);
        t->max = (int64_t)read_be64(p + 8);
        t->has_min = t->has_max = t->min <= t->max;
        return true;
    }
    uint32_t flags = version == 3 ? word >> 12 : word >> 13;
    if (flags & 1) {
        if (!cursor_bytes(c, 8, &p)) {
            return false;
        }
        t->has_min = true;
        t->min = (int64_t)read_be64(p);
    }
    if (flags & 2) {
        if (!cursor_bytes(c, 8, &p)) {
            return false;
        }
        t->has_max = true;
        t->max = (int64_t)read_be64(p);
    }
    if (flags & 4) {
        if (!cursor_bytes(c, 1, &p)) {
            return false;
        }
        t->unit = *p == 255 ? 0 : (uint8_t)(*p + 1);
    }
    return true;
}

bool chunk_types(Loading *l, Cursor *c) {
    BeamFile *b = l->b;
    uint32_t version, count;
    if (!cursor_u32(c, &version)) {
        return false;
    }
    if (version < 1 || version > 4) {
        return true;
    }
    if (!cursor_count(c, version == 1 ? 18 : 2, &count)) {
        return false;
    }
    b->types = ARENA_ARRAY(b->arena, BeamType, count);
    if (b->types == NULL) {
        return load_no_memory(l->error);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!read_type(c, version, &b->types[i])) {
            return false;
        }
    }
    if (count == 0 || b->types[0].has_min || b->types[0].has_max) {
        return CURSOR_FAIL(c, "type 0 is not any");
    }
    b->types[0] = (BeamType){.types = TYPE_ANY};
    b->type_count = count;
    return true;
}

/* Recs, of OTP 29: definitions of native records, written as the instruction  call_last Name Exported [Field, Default, ...]. */
static bool record_operand(Loading *l, Cursor *c, term *t) {
    Compact v;
    if (!cursor_compact(c, &v)) {
        return false;
    }
    if (v.tag == COMPACT_A && !v.large && v.value > 0 && v.value <= l->b->atom_count) {
        *t = l->b->atoms[v.value];
        return true;
    }
    return CURSOR_FAIL(c, "an atom was expected");
}

/* A default: any constant, or the number 0: none. */
static bool record_default(Loading *l, Cursor *c, struct BeamField *f) {
    BeamFile *b = l->b;
    Compact v;
    uint32_t i;
    if (!cursor_compact(c, &v)) {
        return false;
    }
    if (v.tag == COMPACT_Z && v.value == 4 && !v.large) {
        if (!cursor_number(c, &i)) {
            return false;
        }
        if (i >= b->literal_count) {
            return CURSOR_FAIL(c, "literal %u of %u", i, b->literal_count);
        }
        f->literal = i + 1;
        return true;
    }
    if (v.tag == COMPACT_I) {
        term t = loading_integer(l, &v);
        if (is_small(t)) {
            f->value = t;
            return true;
        }
        i = t == NONE ? UINT32_MAX : loading_literal(l, t);
        f->literal = i + 1;
        return i != UINT32_MAX || load_no_memory(l->error);
    }
    if (v.tag == COMPACT_A && !v.large && v.value <= b->atom_count) {
        f->value = v.value == 0 ? NIL : b->atoms[v.value];
        return true;
    }
    return v.tag == COMPACT_U || CURSOR_FAIL(c, "a default value is no constant");
}

static int by_key(const void *a, const void *b) {
    term x = *(const term *)a, y = *(const term *)b;
    return x < y ? -1 : x > y;
}

static bool keys_differ(Loading *l, Cursor *c, const BeamRecord *r) {
    term *keys = ARENA_ARRAY(l->b->arena, term, r->count);
    if (keys == NULL) {
        return load_no_memory(l->error);
    }
    for (uint32_t i = 0; i < r->count; i++) {
        keys[i] = r->fields[i].key;
    }
    qsort(keys, r->count, sizeof *keys, by_key);
    for (uint32_t i = 1; i < r->count; i++) {
        if (keys[i] == keys[i - 1]) {
            return CURSOR_FAIL(c, "a record has a field twice");
        }
    }
    return true;
}

static bool read_record(Loading *l, Cursor *c, BeamRecord *r) {
    const uint8_t *op;
    term exported = NONE;
    Compact list;
    uint32_t operands;
    if (!cursor_bytes(c, 1, &op) || !record_operand(l, c, &r->name) || !record_operand(l, c, &exported) || !cursor_compact(c, &list) ||
        !cursor_number(c, &operands)) {
        return false;
    }
    if (*op != GEN_call_last || (exported != A_true && exported != A_false) || list.tag != COMPACT_Z || list.value != 1 ||
        operands % 2 != 0 || operands > cursor_left(c)) {
        return CURSOR_FAIL(c, "a record definition is not in its usual form");
    }
    r->exported = exported == A_true;
    r->count = operands / 2;
    r->fields = ARENA_ARRAY(l->b->arena, struct BeamField, r->count);
    if (r->fields == NULL) {
        return load_no_memory(l->error);
    }
    for (uint32_t i = 0; i < r->count; i++) {
        if (!record_operand(l, c, &r->fields[i].key) || !record_default(l, c, &r->fields[i])) {
            return false;
        }
    }
    return keys_differ(l, c, r);
}

bool chunk_records(Loading *l, Cursor *c) {
    BeamFile *b = l->b;
    uint32_t version, count, fields;
    if (!cursor_u32(c, &version)) {
        return false;
    }
    if (version != 0) {
        return CURSOR_FAIL(c, "version %u is not known", version);
    }
    if (!cursor_count(c, 4, &count) || !cursor_u32(c, &fields)) {
        return false;
    }
    b->records = ARENA_ARRAY(b->arena, BeamRecord, count);
    if (b->records == NULL) {
        return load_no_memory(l->error);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!read_record(l, c, &b->records[i])) {
            return false;
        }
    }
    b->record_count = count;
    return true;
}
