/* Regular expressions: the library, the cache of compiled patterns, compiling and running. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "io/regex.h"

#include <ctype.h>
#include <pcre2.h>
#include <stdio.h>
#include <zlib.h>

#include "base/lock.h"
#include "io/io.h"
#include "io/regex_tables.h"
#include "platform/library.h"

/* What is used of the library. */
// clang-format off
#define FUNCTIONS(F)                                                                                                      \
    F(config) F(code_free) F(compile) F(compile_context_create) F(compile_context_free) F(general_context_create)         \
    F(general_context_free) F(get_error_message) F(get_ovector_count) F(get_ovector_pointer) F(match)                     \
    F(match_context_create) F(match_context_free) F(match_data_create_from_pattern) F(match_data_free) F(pattern_info)    \
    F(set_bsr) F(set_character_tables) F(set_compile_extra_options) F(set_depth_limit) F(set_heap_limit)                  \
    F(set_match_limit) F(set_newline) F(set_offset_limit) F(set_parens_nest_limit)
// clang-format on
#define POINTER(name) __typeof__(pcre2_##name##_8) *name;
typedef struct {
    FUNCTIONS(POINTER)
} Library;

/* A set has the places where a pattern may be, the one used last in front. */
enum { SETS = 128, WAYS = 2 };

typedef struct Regexes {
    Library lib;
    void *handle;
    pcre2_general_context *general; /* where its memory comes from */
    Lock lock;                      /* of the cache */
    Regex *cache[SETS][WAYS];
    uint8_t *tables; /* of Latin-1; NULL: not needed yet */
    char version[40];
} Regexes;

/* What a run needs beside the code: kept for the next one. */
typedef struct {
    pcre2_match_data *data;
    pcre2_match_context *context;
} Room;

struct Regex {
    size_t refs; /* atomic */
    Regexes *of;
    VM *vm;
    pcre2_code *code;
    Room *spare; /* atomic; NULL: somebody has it, or there is none */
    Lock lock;   /* of these two: the last subject that was found to be UTF-8 */
    const uint8_t *checked;
    size_t checked_size;
    size_t stored_size;
    uint8_t stored[];
};

/* The stored form: mark, checksum of what follows, options, text. Numbers most significant byte first. */
enum { STORED_MARK = 0xf14d5245 /* "\361MRE" */, AT_SUM = 4, AT_OPTIONS = 8, AT_TEXT = 12 };

enum {
    NEST_LIMIT = 798, /* of parentheses: about where PCRE 8 ran out of work space */
    NEST_LIMIT_MODERN = 250,
    HEAP_LIMIT = 512 * 1024, /* kilobytes that one run may take */
    BRIEF_STEPS = 2000,      /* from one place of the subject */
    BRIEF_PLACES = 1024,
    BRIEF_CHECK = 1 << 16 /* bytes of a subject that have to be checked for being UTF-8 */
};

static void put_be32(uint8_t *at, uint32_t v) {
    at[0] = (uint8_t)(v >> 24), at[1] = (uint8_t)(v >> 16), at[2] = (uint8_t)(v >> 8), at[3] = (uint8_t)v;
}
static uint32_t get_be32(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void *regex_alloc(size_t size, void *vm) {
    return mem_sized_alloc(&((VM *)vm)->mem, size);
}

static void regex_free(void *block, void *vm) {
    mem_sized_free(&((VM *)vm)->mem, block);
}

static bool open_library(Regexes *x, VM *vm) {
    static const char *const names[] = {
#define NAME(name) "pcre2_" #name "_8",
        FUNCTIONS(NAME)};
    x->handle = library_open_all("libpcre2-8.so.0", names, ARRAY_LEN(names), &x->lib);
    bool ok = x->handle != NULL;
    uint32_t tables = 0;
    ok = ok && x->lib.config(PCRE2_CONFIG_TABLES_LENGTH, &tables) == 0 && tables == REGEX_TABLES_SIZE &&
         x->lib.config(PCRE2_CONFIG_VERSION, NULL) <= (int)sizeof x->version;
    if (ok) {
        x->lib.config(PCRE2_CONFIG_VERSION, x->version);
        x->general = x->lib.general_context_create(regex_alloc, regex_free, vm);
    }
    return ok && x->general != NULL;
}

static void close_library(Regexes *x, VM *vm) {
    if (x->general != NULL) {
        x->lib.general_context_free(x->general);
    }
    if (x->handle != NULL) {
        library_close(x->handle);
    }
    mem_free(&vm->mem, MEM_SYSTEM, x->tables, x->tables == NULL ? 0 : REGEX_TABLES_SIZE);
    MEM_DELETE(&vm->mem, MEM_SYSTEM, x);
}

/* NULL: the library is not there. */
static Regexes *regexes(VM *vm) {
    if (vm->io->regexes == NULL) {
        Regexes *x = MEM_NEW(&vm->mem, MEM_SYSTEM, Regexes);
        if (x != NULL && !open_library(x, vm)) {
            close_library(x, vm);
            x = NULL;
        }
        vm->io->regexes = x;
    }
    return vm->io->regexes;
}

const char *regex_version(VM *vm) {
    Regexes *x = regexes(vm);
    return x == NULL ? NULL : x->version;
}

static void room_free(Regex *r, Room *room) {
    if (room != NULL) {
        r->of->lib.match_data_free(room->data);
        r->of->lib.match_context_free(room->context);
        MEM_DELETE(&r->vm->mem, MEM_SYSTEM, room);
    }
}

void regex_release(VM *vm, Regex *r) {
    if (__atomic_sub_fetch(&r->refs, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    room_free(r, r->spare);
    if (r->code != NULL) {
        r->of->lib.code_free(r->code);
    }
    mem_free(&vm->mem, MEM_SYSTEM, r, sizeof *r + r->stored_size);
}

void regex_done(VM *vm) {
    Regexes *x = vm->io->regexes;
    if (x == NULL) {
        return;
    }
    for (size_t i = 0; i < SETS; i++) {
        for (size_t k = 0; k < WAYS; k++) {
            if (x->cache[i][k] != NULL) {
                regex_release(vm, x->cache[i][k]);
            }
        }
    }
    close_library(x, vm);
    vm->io->regexes = NULL;
}

/* The cache. */

static size_t set_of(const uint8_t *stored) {
    return get_be32(stored + AT_SUM) % SETS;
}

static Regex *cache_find(Regexes *x, const uint8_t *stored, size_t size) {
    Regex **set = x->cache[set_of(stored)], *found = NULL;
    lock_take(&x->lock);
    for (size_t k = 0; k < WAYS && found == NULL; k++) {
        Regex *r = set[k];
        if (r != NULL && r->stored_size == size && memcmp(r->stored, stored, size) == 0) {
            memmove(set + 1, set, k * sizeof *set);
            set[0] = found = r;
            __atomic_fetch_add(&r->refs, 1, __ATOMIC_RELAXED);
        }
    }
    lock_give(&x->lock);
    return found;
}

static void cache_add(Regexes *x, VM *vm, Regex *r) {
    Regex **set = x->cache[set_of(r->stored)];
    __atomic_fetch_add(&r->refs, 1, __ATOMIC_RELAXED);
    lock_take(&x->lock);
    Regex *out = set[WAYS - 1];
    memmove(set + 1, set, (WAYS - 1) * sizeof *set);
    set[0] = r;
    lock_give(&x->lock);
    if (out != NULL) {
        regex_release(vm, out);
    }
}

/* Compiling. */

static uint32_t library_options(uint32_t options) {
    static const struct {
        uint32_t ours, theirs;
    } same[] = {
        {REGEX_UNICODE, PCRE2_UTF},
        {REGEX_ANCHORED, PCRE2_ANCHORED},
        {REGEX_CASELESS, PCRE2_CASELESS},
        {REGEX_DOLLAR_ENDONLY, PCRE2_DOLLAR_ENDONLY},
        {REGEX_DOTALL, PCRE2_DOTALL},
        {REGEX_EXTENDED, PCRE2_EXTENDED},
        {REGEX_FIRSTLINE, PCRE2_FIRSTLINE},
        {REGEX_MULTILINE, PCRE2_MULTILINE},
        {REGEX_NO_AUTO_CAPTURE, PCRE2_NO_AUTO_CAPTURE},
        {REGEX_DUPNAMES, PCRE2_DUPNAMES},
        {REGEX_UNGREEDY, PCRE2_UNGREEDY},
        {REGEX_NO_START_OPTIMIZE, PCRE2_NO_START_OPTIMIZE},
        {REGEX_UCP, PCRE2_UCP},
        {REGEX_NEVER_UTF, PCRE2_NEVER_UTF},
    };
    uint32_t result = PCRE2_USE_OFFSET_LIMIT;
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        result |= options & same[i].ours ? same[i].theirs : 0;
    }
    return result;
}

static uint32_t library_newline(uint32_t options) {
    switch (options & REGEX_NEWLINES) {
    case REGEX_CR: return PCRE2_NEWLINE_CR;
    case REGEX_CRLF: return PCRE2_NEWLINE_CRLF;
    case REGEX_ANY: return PCRE2_NEWLINE_ANY;
    case REGEX_ANYCRLF: return PCRE2_NEWLINE_ANYCRLF;
    case REGEX_NUL: return PCRE2_NEWLINE_NUL;
    default: return PCRE2_NEWLINE_LF;
    }
}

/* The words of PCRE 8, which OTP has up to 27, where the library has others (NULL: the same), and how far off the place is. */
static const struct {
    int code;
    const char *text;
    int shift;
} old_words[] = {
    {PCRE2_ERROR_ESCAPE_INVALID_IN_CLASS, "invalid escape sequence in character class", 0},
    {PCRE2_ERROR_QUANTIFIER_INVALID, "nothing to repeat", 0},
    {PCRE2_ERROR_MISSING_CLOSING_PARENTHESIS, "missing )", 0},
    {PCRE2_ERROR_MISSING_COMMENT_CLOSING, "missing ) after comment", 0},
    {PCRE2_ERROR_HEAP_FAILED, "failed to get memory", 0},
    {PCRE2_ERROR_PARENTHESES_NEST_TOO_DEEP, "regular expression is too complicated", 0},
    {PCRE2_ERROR_UNMATCHED_CLOSING_PARENTHESIS, "unmatched parentheses", 0},
    {PCRE2_ERROR_MISSING_CONDITION_CLOSING, "malformed number or name after (?(", 0},
    {PCRE2_ERROR_ZERO_RELATIVE_REFERENCE, "a numbered reference must not be zero", 0},
    {PCRE2_ERROR_TOO_MANY_CONDITION_BRANCHES, "conditional group contains more than two branches", 0},
    {PCRE2_ERROR_CONDITION_ASSERTION_EXPECTED, "assertion expected after (?( or (?(?C)", 1},
    {PCRE2_ERROR_BAD_RELATIVE_REFERENCE, "digit expected after (?+", 1},
    {PCRE2_ERROR_CODE_POINT_TOO_BIG, "character value in \\x{} or \\o{} is too large", 0},
    {PCRE2_ERROR_LOOKBEHIND_INVALID_BACKSLASH_C, "\\C not allowed in lookbehind assertion", 0},
    {PCRE2_ERROR_UNSUPPORTED_ESCAPE_SEQUENCE, "PCRE does not support \\L, \\l, \\N{name}, \\U, or \\u", -1},
    {PCRE2_ERROR_CALLOUT_NUMBER_TOO_BIG, "number after (?C is > 255", 0},
    {PCRE2_ERROR_MISSING_CALLOUT_CLOSING, "closing ) for (?C expected", 0},
    {PCRE2_ERROR_MISSING_NAME_TERMINATOR, "syntax error in subpattern name (missing terminator)", 0},
    {PCRE2_ERROR_DUPLICATE_SUBPATTERN_NAME, "two named subpatterns have the same name", -1},
    {PCRE2_ERROR_INVALID_SUBPATTERN_NAME, "group name must start with a non-digit", 0},
    {PCRE2_ERROR_UNKNOWN_UNICODE_PROPERTY, "unknown property name after \\P or \\p", -1},
    {PCRE2_ERROR_SUBPATTERN_NAME_TOO_LONG, "subpattern name is too long (maximum 32 characters)", 0},
    {PCRE2_ERROR_DEFINE_TOO_MANY_BRANCHES, "DEFINE group contains more than one branch", 0},
    {PCRE2_ERROR_MISSING_OCTAL_OR_HEX_DIGITS, "digits missing in \\x{} or \\o{}", 0},
    {PCRE2_ERROR_PARENS_QUERY_R_MISSING_CLOSING, "(?R or (?[+-]digits must be followed by )", 0},
    {PCRE2_ERROR_SUBPATTERN_NUMBER_TOO_BIG, "number is too big", 0},
    {PCRE2_ERROR_BACKSLASH_C_SYNTAX, "\\c must be followed by an ASCII character", 0},
    {PCRE2_ERROR_UTF_IS_DISABLED, "setting UTF is disabled by the application", 0},
    {PCRE2_ERROR_BACKSLASH_N_IN_CLASS, NULL, -1},
    {PCRE2_ERROR_CLASS_INVALID_RANGE, NULL, -1},
    {PCRE2_ERROR_OCTAL_BYTE_TOO_BIG, NULL, -1},
    {PCRE2_ERROR_BACKSLASH_K_SYNTAX, NULL, -1},
};

/* And what it says of patterns that end where more is expected. */
static const struct {
    const char *end, *text;
} old_ends[] = {
    {"(?<", "unrecognized character after (?<"},
    {"(?P", "unrecognized character after (?P"},
    {"(?(", "assertion expected after (?( or (?(?C)"},
    {"(?C", "closing ) for (?C expected"},
    {"(?", "unrecognized character after (? or (?-"},
    {"\\x{", "non-hex character in \\x{} (closing brace missing?)"},
    {"\\o{", "non-octal character in \\o{} (closing brace missing?)"},
    {"\\g{", "\\g is not followed by a braced, angle-bracketed, or quoted name/number or by a plain number"},
};

/* Where the group that begins at `at` is closed. */
static size_t group_end(const Text *pattern, size_t at) {
    size_t depth = 0;
    bool class = false;
    for (; at < pattern->size; at++) {
        uint8_t c = pattern->at[at];
        at += c == '\\';
        depth += c == '(' && !class;
        if (c == ')' && !class && --depth == 0) {
            break;
        }
        class = (class && c != ']') || c == '[';
    }
    return MIN(at, pattern->size);
}

/* Behind the name or number of a group that is not there; of a condition, behind its parenthesis. */
static size_t reference_end(const Text *pattern, size_t at) {
    at += at < pattern->size && pattern->at[at] == '(';
    bool condition = at >= 3 && memmem(pattern->at + (at >= 4 ? at - 4 : 0), at >= 4 ? 4 : at, "(?(", 3) != NULL;
    while (at < pattern->size && (isalnum(pattern->at[at]) || pattern->at[at] == '_')) {
        at++;
    }
    while (condition && at < pattern->size && strchr(">')", pattern->at[at]) != NULL) {
        at++;
    }
    return at;
}

static void explain_as_before(const Text *pattern, int code, RegexError *error) {
    const char *text = code < 0 ? "invalid UTF-8 string" : NULL;
    for (size_t i = 0; i < ARRAY_LEN(old_words); i++) {
        if (old_words[i].code == code) {
            text = old_words[i].text;
            error->at = (size_t)MAX(0, (ptrdiff_t)error->at + old_words[i].shift);
        }
    }
    if (code == PCRE2_ERROR_LOOKBEHIND_NOT_FIXED_LENGTH) {
        error->at = group_end(pattern, error->at);
    } else if (code == PCRE2_ERROR_BAD_SUBPATTERN_REFERENCE) {
        error->at = reference_end(pattern, error->at);
    }
    for (size_t i = 0; i < ARRAY_LEN(old_ends) && error->at == pattern->size; i++) {
        size_t n = strlen(old_ends[i].end);
        if (pattern->size >= n && memcmp(pattern->at + pattern->size - n, old_ends[i].end, n) == 0) {
            text = old_ends[i].text;
            break;
        }
    }
    if (text != NULL) {
        snprintf(error->text, sizeof error->text, "%s", text);
    }
}

static void explain(const Regexes *x, uint32_t options, const Text *pattern, int code, size_t at, RegexError *error) {
    error->at = at;
    if (x->lib.get_error_message(code, (PCRE2_UCHAR *)error->text, sizeof error->text) < 0) {
        snprintf(error->text, sizeof error->text, "error %d", code);
    }
    if (!(options & REGEX_MODERN)) {
        explain_as_before(pattern, code, error);
    }
}

static pcre2_compile_context *compile_context(const Regexes *x, uint32_t options) {
    pcre2_compile_context *c = x->lib.compile_context_create(x->general);
    if (c != NULL) {
        x->lib.set_newline(c, library_newline(options));
        x->lib.set_bsr(c, options & REGEX_BSR_ANYCRLF ? PCRE2_BSR_ANYCRLF : PCRE2_BSR_UNICODE);
        x->lib.set_parens_nest_limit(c, options & REGEX_MODERN ? NEST_LIMIT_MODERN : NEST_LIMIT);
        x->lib.set_character_tables(c, options & REGEX_MODERN ? NULL : x->tables);
        x->lib.set_compile_extra_options(c, options & REGEX_MODERN ? 0 : PCRE2_EXTRA_ALLOW_LOOKAROUND_BSK);
    }
    return c;
}

/* The library expects that outside ASCII \w matches nothing, when it looks for where a match may begin. */
static bool begins_anywhere(uint32_t options, const uint8_t *pattern, size_t size) {
    bool utf = (options & REGEX_UNICODE) || (size > 1 && memcmp(pattern, "(*", 2) == 0);
    return utf && !(options & REGEX_MODERN) && memmem(pattern, size, "\\w", 2) != NULL;
}

/* Makes what PCRE 8 took as literal literal: unknown escapes, a hyphen behind a class, escapes without meaning in a class, \8 and \9
   where there are not so many groups. False: it is some other mistake. *added: bytes by which the text has grown. */
static bool amend(const Regexes *x, pcre2_compile_context *c, Text *pattern, int code, size_t at, ptrdiff_t *added) {
    if (code == PCRE2_ERROR_UNKNOWN_ESCAPE) {
        return x->lib.set_compile_extra_options(c, PCRE2_EXTRA_ALLOW_LOOKAROUND_BSK | PCRE2_EXTRA_BAD_ESCAPE_IS_LITERAL) == 0;
    }
    if (code == PCRE2_ERROR_BACKSLASH_C_SYNTAX && at > 1 && at < pattern->size && pattern->at[at] < 128 && text_reserve(pattern, 1)) {
        static const char digits[] = "0123456789abcdef"; /* \c and a control character */
        uint8_t control = pattern->at[at] ^ 0x40;
        memmove(pattern->at + at + 2, pattern->at + at + 1, pattern->size - at - 1);
        memcpy(pattern->at + at - 1, (uint8_t[]){'x', (uint8_t)digits[control >> 4], (uint8_t)digits[control & 15]}, 3);
        pattern->size++;
        ++*added;
        return true;
    }
    if (code == PCRE2_ERROR_CLASS_INVALID_RANGE && at < pattern->size && pattern->at[at] == '-' && text_reserve(pattern, 1)) {
        memmove(pattern->at + at + 1, pattern->at + at, pattern->size - at);
        pattern->at[at] = '\\';
        pattern->size++;
        ++*added;
        return true;
    }
    bool escape = at > 0 && at < pattern->size && pattern->at[at - 1] == '\\';
    bool digit = escape && (pattern->at[at] == '8' || pattern->at[at] == '9');
    if (escape && (code == PCRE2_ERROR_ESCAPE_INVALID_IN_CLASS || (code == PCRE2_ERROR_BAD_SUBPATTERN_REFERENCE && digit))) {
        memmove(pattern->at + at - 1, pattern->at + at, pattern->size - at);
        pattern->size--;
        --*added;
        return true;
    }
    return false;
}

static pcre2_code *compile_old(const Regexes *x, pcre2_compile_context *c, uint32_t options, Text *pattern, int *code, size_t *at) {
    uint32_t flags = library_options(options) | (begins_anywhere(options, pattern->at, pattern->size) ? PCRE2_NO_START_OPTIMIZE : 0);
    ptrdiff_t added = 0;
    pcre2_code *result = x->lib.compile(pattern->at, pattern->size, flags, code, at, c);
    for (size_t tries = pattern->size; result == NULL && tries > 0 && amend(x, c, pattern, *code, *at, &added); tries--) {
        result = x->lib.compile(pattern->at, pattern->size, flags, code, at, c);
    }
    *at = (ptrdiff_t)*at < added ? 0 : *at - (size_t)added;
    return result;
}

static RegexStatus compile(Regexes *x, VM *vm, Regex *r, RegexError *error) {
    uint32_t options = get_be32(r->stored + AT_OPTIONS);
    if (x->tables == NULL) {
        x->tables = mem_alloc(&vm->mem, MEM_SYSTEM, REGEX_TABLES_SIZE);
        if (x->tables == NULL) {
            return REGEX_NO_MEMORY;
        }
        regex_tables_latin1(x->tables);
    }
    pcre2_compile_context *c = compile_context(x, options);
    Text pattern;
    text_init(&pattern, &vm->mem);
    text_add(&pattern, r->stored + AT_TEXT, r->stored_size - AT_TEXT);
    text_byte(&pattern, 0); /* so that there is a pattern, even if it is empty */
    pattern.size--;
    int code = PCRE2_ERROR_HEAP_FAILED;
    size_t at = 0;
    if (c != NULL && !pattern.failed) {
        r->code = options & REGEX_MODERN ? x->lib.compile(pattern.at, pattern.size, library_options(options), &code, &at, c)
                                         : compile_old(x, c, options, &pattern, &code, &at);
    }
    if (c != NULL) {
        x->lib.compile_context_free(c);
    }
    bool wrong = r->code == NULL && code != PCRE2_ERROR_HEAP_FAILED;
    if (wrong) {
        explain(x, options, &pattern, code, at, error);
    }
    text_done(&pattern);
    return r->code != NULL ? REGEX_OK : wrong ? REGEX_WRONG : REGEX_NO_MEMORY;
}

/* From the stored form, which is good. */
static RegexStatus get(Regexes *x, VM *vm, const uint8_t *stored, size_t size, Regex **result, RegexError *error) {
    *result = cache_find(x, stored, size);
    if (*result != NULL) {
        return REGEX_OK;
    }
    Regex *r = mem_zalloc(&vm->mem, MEM_SYSTEM, sizeof *r + size);
    if (r == NULL) {
        return REGEX_NO_MEMORY;
    }
    *r = (Regex){.refs = 1, .of = x, .vm = vm, .stored_size = size};
    memcpy(r->stored, stored, size);
    RegexStatus status = compile(x, vm, r, error);
    if (status != REGEX_OK) {
        regex_release(vm, r);
        return status;
    }
    cache_add(x, vm, r);
    *result = r;
    return REGEX_OK;
}

static uint32_t sum_of(const uint8_t *stored, size_t size) {
    uLong sum = crc32(0, NULL, 0);
    for (size_t at = AT_OPTIONS; at < size;) {
        size_t n = MIN(size - at, (size_t)1 << 30);
        sum = crc32(sum, stored + at, (uInt)n);
        at += n;
    }
    return (uint32_t)sum;
}

RegexStatus regex_compile(VM *vm, uint32_t options, const uint8_t *pattern, size_t size, Regex **r, RegexError *error) {
    Regexes *x = regexes(vm);
    if (x == NULL) {
        return REGEX_NO_LIBRARY;
    }
    uint8_t small[256], *stored = small;
    size_t all = size + AT_TEXT;
    if (all > sizeof small && (stored = mem_alloc(&vm->mem, MEM_TEMPORARY, all)) == NULL) {
        return REGEX_NO_MEMORY;
    }
    put_be32(stored, STORED_MARK);
    put_be32(stored + AT_OPTIONS, options);
    if (size > 0) { /* an empty pattern may have no address */
        memcpy(stored + AT_TEXT, pattern, size);
    }
    put_be32(stored + AT_SUM, sum_of(stored, all));
    RegexStatus status = get(x, vm, stored, all, r, error);
    if (stored != small) {
        mem_free(&vm->mem, MEM_TEMPORARY, stored, all);
    }
    return status;
}

void regex_write(const Regex *r, const uint8_t **at, size_t *size) {
    *at = r->stored;
    *size = r->stored_size;
}

RegexStatus regex_read(VM *vm, const uint8_t *at, size_t size, Regex **r) {
    Regexes *x = regexes(vm);
    if (x == NULL) {
        return REGEX_NO_LIBRARY;
    }
    if (size < AT_TEXT || get_be32(at) != STORED_MARK) {
        return REGEX_DAMAGED;
    }
    *r = cache_find(x, at, size); /* what is in there is good to the last bit */
    if (*r != NULL) {
        return REGEX_OK;
    }
    if (get_be32(at + AT_SUM) != sum_of(at, size) || (get_be32(at + AT_OPTIONS) & ~(uint32_t)REGEX_OPTIONS) != 0) {
        return REGEX_DAMAGED;
    }
    RegexError ignored;
    RegexStatus status = get(x, vm, at, size, r, &ignored);
    return status == REGEX_WRONG ? REGEX_DAMAGED : status;
}

RegexStatus regex_change(VM *vm, Regex **r, uint32_t options) {
    uint32_t had = get_be32((*r)->stored + AT_OPTIONS), bsr = REGEX_BSR_ANYCRLF | REGEX_BSR_UNICODE, now = had;
    if ((options & REGEX_NEWLINES) != 0) {
        now = (now & ~(uint32_t)REGEX_NEWLINES) | (options & REGEX_NEWLINES);
    }
    if ((options & bsr) != 0) {
        now = (now & ~bsr) | (options & bsr);
    }
    if (now == had) {
        return REGEX_OK;
    }
    Regex *old = *r;
    RegexError ignored;
    RegexStatus status = regex_compile(vm, now, old->stored + AT_TEXT, old->stored_size - AT_TEXT, r, &ignored);
    regex_release(vm, old);
    return status;
}

/* What a pattern tells. */

static uint32_t info(const Regex *r, uint32_t what) {
    uint32_t n = 0;
    r->of->lib.pattern_info(r->code, what, &n);
    return n;
}

size_t regex_captures(const Regex *r) {
    return info(r, PCRE2_INFO_CAPTURECOUNT);
}

bool regex_is_unicode(const Regex *r) {
    return (get_be32(r->stored + AT_OPTIONS) & REGEX_UNICODE) != 0;
}

bool regex_knows_crlf(const Regex *r) {
    uint32_t n = info(r, PCRE2_INFO_NEWLINE);
    return n == PCRE2_NEWLINE_CRLF || n == PCRE2_NEWLINE_ANY || n == PCRE2_NEWLINE_ANYCRLF;
}

size_t regex_names(const Regex *r) {
    return info(r, PCRE2_INFO_NAMECOUNT);
}

const char *regex_name(const Regex *r, size_t i, size_t *group) {
    const uint8_t *table = NULL;
    r->of->lib.pattern_info(r->code, PCRE2_INFO_NAMETABLE, &table);
    table += i * info(r, PCRE2_INFO_NAMEENTRYSIZE);
    *group = (size_t)table[0] << 8 | table[1];
    return (const char *)table + 2;
}

/* Running. */

static Room *take_room(Regex *r) {
    Room *room = __atomic_exchange_n(&r->spare, NULL, __ATOMIC_ACQ_REL);
    if (room != NULL) {
        return room;
    }
    const Library *lib = &r->of->lib;
    room = MEM_NEW(&r->vm->mem, MEM_SYSTEM, Room);
    if (room == NULL) {
        return NULL;
    }
    room->data = lib->match_data_create_from_pattern(r->code, r->of->general);
    room->context = lib->match_context_create(r->of->general);
    if (room->data == NULL || room->context == NULL) {
        room_free(r, room);
        return NULL;
    }
    lib->set_heap_limit(room->context, HEAP_LIMIT);
    return room;
}

static RegexResult result_of(int code) {
    switch (code) {
    case PCRE2_ERROR_NOMATCH:
    case PCRE2_ERROR_PARTIAL:
    case PCRE2_ERROR_RECURSELOOP: return REGEX_NOMATCH;
    case PCRE2_ERROR_MATCHLIMIT: return REGEX_MATCH_LIMIT;
    case PCRE2_ERROR_DEPTHLIMIT:
    case PCRE2_ERROR_HEAPLIMIT: return REGEX_DEPTH_LIMIT;
    case PCRE2_ERROR_NOMEMORY: return REGEX_RUN_NO_MEMORY;
    default: return code > 0 ? REGEX_MATCH : REGEX_BAD;
    }
}

/* Who says that a subject has been checked is believed only if it was the last one: the library trusts what it is told. */
static bool must_check(Regex *r, const RegexRun *run) {
    if (!regex_is_unicode(r)) {
        return false;
    }
    lock_take(&r->lock);
    bool known = r->checked == run->subject && r->checked_size == run->size;
    lock_give(&r->lock);
    return !known || !(run->options & REGEX_CHECKED);
}

static void note_checked(Regex *r, const RegexRun *run) {
    lock_take(&r->lock);
    r->checked = run->subject, r->checked_size = run->size;
    lock_give(&r->lock);
}

RegexResult regex_run(RegexRun *run, bool briefly) {
    enum { DEFAULT_LIMIT = 10000000 };
    Regex *r = run->regex;
    bool checks = must_check(r, run);
    if (run->offset > run->size) {
        return REGEX_BAD;
    }
    if (briefly && checks && run->size > BRIEF_CHECK) {
        return REGEX_LATER;
    }
    Room *room = take_room(r);
    if (room == NULL) {
        return REGEX_RUN_NO_MEMORY;
    }
    const Library *lib = &r->of->lib;
    uint32_t steps = run->match_limit < 0 ? DEFAULT_LIMIT : (uint32_t)run->match_limit;
    bool cut = briefly && run->size - run->offset > BRIEF_PLACES;
    lib->set_match_limit(room->context, briefly ? MIN(steps, (uint32_t)BRIEF_STEPS) : steps);
    lib->set_depth_limit(room->context, run->depth_limit < 0 ? DEFAULT_LIMIT : (uint32_t)run->depth_limit);
    lib->set_offset_limit(room->context, cut ? run->offset + BRIEF_PLACES : PCRE2_UNSET);
    static const uint32_t theirs[] = {PCRE2_ANCHORED, PCRE2_NOTBOL, PCRE2_NOTEOL, PCRE2_NOTEMPTY, PCRE2_NOTEMPTY_ATSTART};
    uint32_t options = 0;
    for (size_t i = 0; i < ARRAY_LEN(theirs); i++) {
        options |= run->options >> i & 1 ? theirs[i] : 0;
    }
    options |= checks ? 0 : PCRE2_NO_UTF_CHECK;
    int code = lib->match(r->code, run->subject, run->size, run->offset, options, room->data, room->context);
    RegexResult result = result_of(code);
    run->data = room;
    run->brief = briefly;
    run->groups = lib->get_ovector_pointer(room->data);
    run->count = result == REGEX_MATCH ? (size_t)code : 0;
    if (checks && result != REGEX_BAD && result != REGEX_RUN_NO_MEMORY) {
        note_checked(r, run);
    }
    bool unsure =
        (result == REGEX_NOMATCH && cut && !(run->options & REGEX_RUN_ANCHORED)) || (result == REGEX_MATCH_LIMIT && steps > BRIEF_STEPS);
    if (briefly && unsure) {
        regex_run_done(run);
        return REGEX_LATER;
    }
    return result;
}

/* What a long run has used may be much: only that of brief ones is kept. */
void regex_run_done(RegexRun *run) {
    Room *none = NULL, *room = run->data;
    bool kept = room != NULL && run->brief &&
                __atomic_compare_exchange_n(&run->regex->spare, &none, room, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    if (!kept) {
        room_free(run->regex, room);
    }
    run->data = NULL;
}
