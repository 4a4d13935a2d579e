/* AVM packs: looking into them, and what goes into them. */
#include "code/avm.h"
#include "code/container.h"

#include <stdio.h>

static const uint8_t pack_header[AVM_HEADER_SIZE] = "#!/usr/bin/env AtomVM\n\0";
enum { ENTRY_HEAD = 12 };

bool avm_is_pack(Bytes file) {
    return file.size >= AVM_HEADER_SIZE && memcmp(file.at, pack_header, AVM_HEADER_SIZE) == 0;
}

/* Checks the entry at `at`; *size is 0 for the last one. */
static bool check_entry(Bytes b, size_t at, uint32_t *size, LoadError *error) {
    if (b.size - at < ENTRY_HEAD) {
        return load_error(error, "", (int64_t)at, "the pack ends without its last entry");
    }
    *size = read_be32(b.at + at);
    if (*size == 0) {
        return true;
    }
    if (*size < ENTRY_HEAD + 4 || *size % 4 != 0 || *size > b.size - at) {
        return load_error(error, "", (int64_t)at, "an entry of %u bytes does not fit into the pack", *size);
    }
    const uint8_t *name = b.at + at + ENTRY_HEAD, *end = b.at + at + *size;
    const uint8_t *zero = memchr(name, 0, (size_t)(end - name));
    if (zero == NULL || zero == name) {
        return load_error(error, "", (int64_t)at, "an entry without a name");
    }
    const uint8_t *content = name + round_up((size_t)(zero - name) + 1, 4);
    if (content > end) {
        return load_error(error, "", (int64_t)at, "an entry without a name");
    }
    if ((read_be32(b.at + at + 4) & AVM_BEAM) == 0 && (end - content < 4 || read_be32(content) > (size_t)(end - content) - 4)) {
        return load_error(error, "", content - b.at, "a file is longer than its entry");
    }
    return true;
}

bool avm_open(Avm *a, const char *file, Bytes bytes, LoadError *error) {
    memset(error, 0, sizeof *error);
    snprintf(error->file, sizeof error->file, "%s", file);
    a->bytes = bytes;
    if (!avm_is_pack(bytes)) {
        return load_error(error, "", 0, "this is no AVM pack");
    }
    uint32_t size = 0;
    size_t at = AVM_HEADER_SIZE;
    do {
        if (!check_entry(bytes, at, &size, error)) {
            return false;
        }
        at += size;
    } while (size != 0);
    return true;
}

bool avm_next(const Avm *a, size_t *at, AvmEntry *entry) {
    if (*at == 0) {
        *at = AVM_HEADER_SIZE;
    }
    const uint8_t *p = a->bytes.at + *at;
    uint32_t size = read_be32(p);
    if (size == 0) {
        return false;
    }
    const uint8_t *name = p + ENTRY_HEAD;
    size_t length = strlen((const char *)name);
    const uint8_t *content = name + round_up(length + 1, 4);
    entry->name = (Bytes){name, length};
    entry->flags = read_be32(p + 4);
    entry->content = (Bytes){content, (size_t)(p + size - content)};
    if ((entry->flags & AVM_BEAM) == 0) {
        entry->content = (Bytes){content + 4, read_be32(content)};
    }
    *at += size;
    return true;
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
            *module = e.name;
            if (e.name.size > 5 && memcmp(e.name.at + e.name.size - 5, ".beam", 5) == 0) {
                module->size -= 5;
            }
            return true;
        }
    }
    return false;
}

void avm_begin(Text *out) {
    text_add(out, pack_header, AVM_HEADER_SIZE);
}

static void pad(Text *out, size_t size) {
    text_add(out, "\0\0\0", round_up(size, 4) - size);
}

static void add_entry(Text *out, uint32_t size, Bytes name, uint32_t flags) {
    text_be32(out, size);
    text_be32(out, flags);
    text_be32(out, 0);
    text_add(out, name.at, name.size);
    text_byte(out, 0);
    pad(out, name.size + 1);
}

void avm_add(Text *out, Bytes name, uint32_t flags, Bytes content) {
    bool plain = (flags & AVM_BEAM) == 0;
    size_t size = ENTRY_HEAD + round_up(name.size + 1, 4) + (plain ? 4 : 0) + round_up(content.size, 4);
    if (size > UINT32_MAX) {
        out->failed = true;
        return;
    }
    add_entry(out, (uint32_t)size, name, flags);
    if (plain) {
        text_be32(out, (uint32_t)content.size);
    }
    text_add(out, content.at, content.size);
    pad(out, content.size);
}

void avm_end(Text *out) {
    add_entry(out, 0, (Bytes){(const uint8_t *)"end", 3}, 0);
}

/* ---- what is kept of a .beam file ---- */

static void add_chunk(Text *out, const char *name, Bytes content) {
    text_add(out, name, 4);
    text_be32(out, (uint32_t)content.size);
    text_add(out, content.at, content.size);
    pad(out, content.size);
}

/* Goes through the atoms: the first is the module's name; *start: the number of the atom start, 0 if it is not there. */
static bool scan_atoms(Cursor *c, AvmModule *module, uint32_t *start) {
    uint32_t count, size;
    const uint8_t *text;
    *start = 0;
    if (!cursor_u32(c, &count)) {
        return false;
    }
    bool tagged = (int32_t)count < 0;
    count = tagged ? 0 - count : count;
    for (uint32_t i = 1; i <= count; i++) {
        if (tagged ? !cursor_number(c, &size) : !cursor_bytes(c, 1, &text)) {
            return false;
        }
        size = tagged ? size : *text;
        if (!cursor_bytes(c, size, &text)) {
            return false;
        }
        if (i == 1) {
            if (size > sizeof module->name - 6 || memchr(text, 0, size) != NULL) {
                return CURSOR_FAIL(c, "a module with a name that a pack cannot have");
            }
            snprintf(module->name, sizeof module->name, "%.*s.beam", (int)size, (const char *)text);
        }
        if (size == 5 && memcmp(text, "start", 5) == 0) {
            *start = i;
        }
    }
    return count > 0 || CURSOR_FAIL(c, "there are no atoms");
}

static bool scan_exports(Cursor *c, AvmModule *module, uint32_t start) {
    uint32_t count, name, arity, label;
    if (!cursor_count(c, 12, &count)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!cursor_u32(c, &name) || !cursor_u32(c, &arity) || !cursor_u32(c, &label)) {
            return false;
        }
        module->starts |= start != 0 && name == start && arity == 0;
    }
    return true;
}

static bool scan(const Container *c, AvmModule *module, LoadError *error) {
    static const uint8_t needed[] = {CHUNK_ATOMS, CHUNK_CODE, CHUNK_IMPORTS, CHUNK_EXPORTS};
    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        if (c->chunks[needed[i]].at == NULL) {
            return load_error(error, "", -1, "it has no chunk %s", chunk_names[needed[i]]);
        }
    }
    uint32_t start;
    Bytes atoms = c->chunks[CHUNK_ATOMS], exports = c->chunks[CHUNK_EXPORTS];
    *module = (AvmModule){.starts = false};
    return scan_atoms(&(Cursor){atoms.at, atoms.at, atoms.at + atoms.size, "AtU8", error}, module, &start) &&
           scan_exports(&(Cursor){exports.at, exports.at, exports.at + exports.size, "ExpT", error}, module, start);
}

bool avm_strip(Text *out, const char *file, Bytes beam, unsigned keep, AvmModule *module, LoadError *error) {
    static const struct {
        uint8_t chunk, if_kept;
        // clang-format off
    } kept[] = {{CHUNK_ATOMS, 0}, {CHUNK_CODE, 0}, {CHUNK_EXPORTS, 0}, {CHUNK_LOCALS, 0}, {CHUNK_IMPORTS, 0},
                {CHUNK_PLAIN_LITERALS, 0}, {CHUNK_LAMBDAS, 0}, {CHUNK_STRINGS, 0}, {CHUNK_LINES, AVM_KEEP_LINES},
                {CHUNK_TYPES, AVM_KEEP_TYPES}};
    // clang-format on
    Container c;
    Bytes literals;
    uint8_t *block = NULL;
    size_t size = 0;
    if (!container_open(&c, out->mem, file, beam, error)) {
        return false;
    }
    bool ok = scan(&c, module, error) && container_literals(c.chunks, c.mem, &literals, &block, &size, error);
    if (ok) {
        c.chunks[CHUNK_PLAIN_LITERALS] = literals;
        size_t head = out->size;
        text_add(out, "FOR1\0\0\0\0BEAM", 12);
        for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
            Bytes b = c.chunks[kept[i].chunk];
            if (b.at != NULL && (kept[i].if_kept == 0 || (keep & kept[i].if_kept))) {
                add_chunk(out, chunk_names[kept[i].chunk], b);
            }
        }
        ok = !out->failed || load_no_memory(error);
        if (ok) {
            write_be32(out->at + head + 4, (uint32_t)(out->size - head - 8));
        }
    }
    mem_free(out->mem, MEM_TEMPORARY, block, size);
    container_close(&c);
    return ok;
}
