/* PCRE2's character tables for Latin-1. */
#include "io/regex_tables.h"

/* Where things are: two maps, ten sets of characters, and a byte of flags for each character. */
enum { TO_LOWER = 0, OTHER_CASE = 256, SETS = 512, FLAGS = SETS + 320, SET_BYTES = 32 };
enum { SET_SPACE, SET_XDIGIT, SET_DIGIT, SET_UPPER, SET_LOWER, SET_WORD, SET_GRAPH, SET_PRINT, SET_PUNCT, SET_CONTROL };
enum { FLAG_SPACE = 1, FLAG_LETTER = 2, FLAG_LOWER = 4, FLAG_DIGIT = 8, FLAG_WORD = 16 };

static bool within(int c, int from, int to) {
    return c >= from && c <= to;
}
static bool is_upper(int c) {
    return within(c, 'A', 'Z') || (within(c, 0xc0, 0xde) && c != 0xd7);
}
static bool is_lower(int c) { /* the two ordinal indicators and the micro sign are small letters without large ones */
    return within(c, 'a', 'z') || c == 0xaa || c == 0xb5 || c == 0xba || (within(c, 0xdf, 0xff) && c != 0xf7);
}

static int other_case(int c) {
    bool pair = is_upper(c) || (is_lower(c) && (c < 0x80 || (c >= 0xe0 && c != 0xff)));
    return pair ? c ^ 0x20 : c;
}

void regex_tables_latin1(uint8_t tables[REGEX_TABLES_SIZE]) {
    memset(tables, 0, REGEX_TABLES_SIZE);
    for (int c = 0; c < 256; c++) {
        bool space = within(c, 9, 13) || c == ' ', digit = within(c, '0', '9'), lower = is_lower(c), upper = is_upper(c);
        bool word = lower || upper || digit || c == '_', print = within(c, 0x20, 0x7e) || c >= 0xa0;
        bool graph = print && c != ' ';
        // clang-format off
        const bool in[] = {
            [SET_SPACE] = space, [SET_XDIGIT] = digit || within(c, 'A', 'F') || within(c, 'a', 'f'), [SET_DIGIT] = digit,
            [SET_UPPER] = upper, [SET_LOWER] = lower, [SET_WORD] = word, [SET_GRAPH] = graph, [SET_PRINT] = print,
            [SET_PUNCT] = graph && (!word || c == '_'), [SET_CONTROL] = !print,
        };
        // clang-format on
        for (size_t s = 0; s < ARRAY_LEN(in); s++) {
            tables[SETS + s * SET_BYTES + (size_t)c / 8] |= (uint8_t)(in[s] << c % 8);
        }
        tables[TO_LOWER + c] = (uint8_t)(upper ? other_case(c) : c);
        tables[OTHER_CASE + c] = (uint8_t)other_case(c);
        tables[FLAGS + c] =
            (uint8_t)(space * FLAG_SPACE | (lower || upper) * FLAG_LETTER | lower * FLAG_LOWER | digit * FLAG_DIGIT | word * FLAG_WORD);
    }
}
