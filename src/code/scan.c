/* Where the functions of a file on demand are. The Code chunk says nothing about that, and to decode it only to find them would take
   most of the time that loading on demand saves. So their heads are searched for, as compilers write them:

       label L - 1, perhaps line N, func_info MODULE NAME ARITY, label L

   What looks like a head inside an instruction makes one too many, and then the file is read at once. Nothing is lost if the
   search should err otherwise: each function is decoded and verified from its head to the next one. */
#include "code/reader.h"

enum { MAX_ARITY = 255, MODULE_ATOM = 1 << 4 | COMPACT_A, LINE_ROOM = 6 };

/* A compact number of two bytes at most, or three if it is long. False: it is none. */
static inline bool number(const uint8_t **at, const uint8_t *end, unsigned tag, uint32_t *value) {
    const uint8_t *p = *at;
    if (end - p < 3 || (p[0] & 7) != tag) {
        return false;
    }
    if ((p[0] & 8) == 0) {
        *value = p[0] >> 4;
        *at = p + 1;
    } else if ((p[0] & 16) == 0) {
        *value = (p[0] & 0xe0u) << 3 | p[1];
        *at = p + 2;
    } else if (p[0] >> 5 == 0) {
        *value = (uint32_t)p[1] << 8 | p[2];
        *at = p + 3;
    } else {
        return false;
    }
    return true;
}

/* The instruction `label N` as it is written: its bytes are the first of *word; how many they are. */
static size_t label_word(uint32_t n, uint32_t *word) {
    if (n < 16) {
        *word = (uint32_t)GEN_label << 24 | n << 20;
        return 2;
    }
    if (n < 2048) {
        *word = (uint32_t)GEN_label << 24 | (n >> 3 & 0xe0) << 16 | 8 << 16 | (n & 0xff) << 8;
        return 3;
    }
    *word = (uint32_t)GEN_label << 24 | 0x18 << 16 | (n & 0xffff);
    return 4;
}

/* Where a head begins whose func_info, which has four bytes at least, is at `info`; NULL: there is none. */
static const uint8_t *head_start(const uint8_t *start, const uint8_t *info, uint32_t label) {
    uint32_t word, place;
    size_t size = label_word(label, &word),
           lines = MIN((size_t)LINE_ROOM, (size_t)(info - start) + 1 - MIN(size, (size_t)(info - start) + 1));
    uint32_t mask = ~(uint32_t)0 << (32 - 8 * size);
    for (size_t line = 0; line < lines; line++) {
        const uint8_t *at = info - line - size, *behind = at + size + 1;
        if ((read_be32(at) & mask) != word) {
            continue;
        }
        if (line == 0 || (at[size] == GEN_line && number(&behind, info + 3, COMPACT_U, &place) && behind == info)) {
            return at;
        }
    }
    return NULL;
}

/* False: too many. */
static bool add_function(BeamFile *b, uint32_t room, const uint8_t *start, const uint8_t *info, const uint8_t *end) {
    const uint8_t *at = info + 2;
    uint32_t name, arity, label;
    if (!number(&at, end, COMPACT_A, &name) || !number(&at, end, COMPACT_U, &arity) || at == end || *at++ != GEN_label ||
        !number(&at, end, COMPACT_U, &label) || name == 0 || name > b->atom_count || arity > MAX_ARITY || label < 2 || label >= b->labels) {
        return true;
    }
    const uint8_t *head = head_start(start, info, label - 1);
    if (head == NULL) {
        return true;
    }
    uint32_t n = b->function_count;
    if (n == room || (n > 0 && b->functions[n - 1].entry >= label - 1) || *at == GEN_on_load) {
        return false;
    }
    b->functions[b->function_count++] =
        (BeamFunction){.name = b->atoms[name], .arity = arity, .entry = label, .offset = (uint32_t)(head - b->chunks[CHUNK_CODE].at)};
    return true;
}

bool code_scan(BeamFile *b) {
    Bytes code = b->chunks[CHUNK_CODE];
    if (code.size < 24 || code.size > UINT32_MAX) {
        return false;
    }
    uint32_t head = read_be32(code.at), format = read_be32(code.at + 4), functions = read_be32(code.at + 16);
    b->max_opcode = read_be32(code.at + 8);
    b->labels = read_be32(code.at + 12);
    if (head < 16 || head > code.size - 8 || format != 0 || b->max_opcode >= GEN_COUNT || b->labels > code.size / 2 + 1 ||
        functions > code.size) {
        return false;
    }
    b->functions = arena_alloc(b->arena, (functions + (size_t)1) * sizeof *b->functions);
    const uint8_t *start = code.at + 4 + head, *end = code.at + code.size;
    bool ok = b->functions != NULL && end[-1] == GEN_int_code_end;
    for (const uint8_t *at = start + 1; ok && (at = memchr(at, MODULE_ATOM, (size_t)(end - at))) != NULL; at++) {
        ok = at[-1] != GEN_func_info || add_function(b, functions, start, at - 1, end);
    }
    if (!ok || b->function_count != functions || functions == 0 || b->functions[0].offset != (uint32_t)(start - code.at)) {
        return false;
    }
    b->functions[functions] = (BeamFunction){.offset = (uint32_t)(code.size - 1)};
    return true;
}
