/* Regular expressions, on PCRE2, which is opened when the first one is compiled.

   What Erlang code holds of a compiled pattern is its text and options with a checksum (regex_write), not PCRE2's code: so it
   survives being stored or sent, and whatever is made of it can do no harm. The code is found again in a cache. */
#ifndef MOTE_IO_REGEX_H
#define MOTE_IO_REGEX_H

#include "base/text.h"
#include "term/vm.h"

/* Options of a pattern. The numbers are part of what regex_write makes. */
typedef enum {
    REGEX_UNICODE = 1 << 0,
    REGEX_ANCHORED = 1 << 1,
    REGEX_CASELESS = 1 << 2,
    REGEX_DOLLAR_ENDONLY = 1 << 3,
    REGEX_DOTALL = 1 << 4,
    REGEX_EXTENDED = 1 << 5,
    REGEX_FIRSTLINE = 1 << 6,
    REGEX_MULTILINE = 1 << 7,
    REGEX_NO_AUTO_CAPTURE = 1 << 8,
    REGEX_DUPNAMES = 1 << 9,
    REGEX_UNGREEDY = 1 << 10,
    REGEX_NO_START_OPTIMIZE = 1 << 11,
    REGEX_UCP = 1 << 12,
    REGEX_NEVER_UTF = 1 << 13,
    REGEX_BSR_ANYCRLF = 1 << 14, /* \R: CR, LF and CRLF */
    REGEX_BSR_UNICODE = 1 << 15, /* and all that Unicode has; the default */
    REGEX_CR = 1 << 16,          /* what ends a line; LF is the default */
    REGEX_LF = 2 << 16,
    REGEX_CRLF = 3 << 16,
    REGEX_ANY = 4 << 16,
    REGEX_ANYCRLF = 5 << 16,
    REGEX_NUL = 6 << 16,
    REGEX_NEWLINES = 7 << 16, /* the bits of those */
    REGEX_MODERN = 1 << 19,   /* as OTP 28 and later: classes know ASCII only, unknown escapes are mistakes */
    REGEX_OPTIONS = (1 << 20) - 1
} RegexOption;

/* And of a run. */
typedef enum {
    REGEX_RUN_ANCHORED = 1 << 0,
    REGEX_NOTBOL = 1 << 1,
    REGEX_NOTEOL = 1 << 2,
    REGEX_NOTEMPTY = 1 << 3,
    REGEX_NOTEMPTY_ATSTART = 1 << 4,
    REGEX_CHECKED = 1 << 5, /* the subject is known to be UTF-8 */
} RegexRunOption;

typedef struct Regex Regex;

typedef enum { REGEX_OK, REGEX_WRONG, REGEX_DAMAGED, REGEX_NO_MEMORY, REGEX_NO_LIBRARY } RegexStatus;

/* What is wrong with a pattern, and where. */
typedef struct {
    char text[120];
    size_t at;
} RegexError;

/* One reference: to be given up by regex_release. */
RegexStatus regex_compile(VM *vm, uint32_t options, const uint8_t *pattern, size_t size, Regex **r, RegexError *error);
void regex_release(VM *vm, Regex *r);

/* The stored form, and back. DAMAGED: that is none. `change`: other options for this run only. */
void regex_write(const Regex *r, const uint8_t **at, size_t *size); /* lives as long as r */
RegexStatus regex_read(VM *vm, const uint8_t *at, size_t size, Regex **r);
/* The same pattern with other newlines: bits of REGEX_NEWLINES and REGEX_BSR_...; r's reference is used up. */
RegexStatus regex_change(VM *vm, Regex **r, uint32_t options);

size_t regex_captures(const Regex *r); /* groups, without the whole match */
bool regex_is_unicode(const Regex *r);
bool regex_knows_crlf(const Regex *r); /* CRLF may end a line */

/* Named groups, in the order of their names; the same name may come several times. */
size_t regex_names(const Regex *r);
const char *regex_name(const Regex *r, size_t i, size_t *group);

typedef enum { REGEX_MATCH, REGEX_NOMATCH, REGEX_MATCH_LIMIT, REGEX_DEPTH_LIMIT, REGEX_BAD, REGEX_LATER, REGEX_RUN_NO_MEMORY } RegexResult;

typedef struct {
    Regex *regex;
    const uint8_t *subject;
    size_t size, offset;
    uint32_t options;                 /* RegexRunOption */
    int64_t match_limit, depth_limit; /* < 0: the library's */
    /* What came out, of a match: pairs of start and end; REGEX_UNSET: the group has no part in it. Freed by regex_run_done. */
    size_t *groups, count; /* groups up to the last one that has a part */
    void *data;
    bool brief; /* as it was called last */
} RegexRun;
#define REGEX_UNSET (~(size_t)0)

/* With `briefly`: LATER if it would take long (some milliseconds at most have gone then): to be run again, without. May be called
   on any thread. */
RegexResult regex_run(RegexRun *run, bool briefly);
void regex_run_done(RegexRun *run);

const char *regex_version(VM *vm); /* of the library; NULL: it is not there */

void regex_done(VM *vm);

#endif
