/* Reading emulator flags: one row a flag. */
#include "vm/emu_flags.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "proc/topology.h"
#include "term/atom.h"

typedef struct {
    EmuFlags *flags;
    SystemFlags *system;
    const char *value;
    const struct Row *row;
} Flag;

typedef struct Row {
    const char *name;
    enum {
        NUMBER,    /* a value between min and max, into an int at `field` */
        SET,       /* no value; true into a bool at `field` */
        BOOLEAN,   /* true or false, likewise */
        NOT,       /* the opposite of BOOLEAN */
        WORD,      /* one of those that `words` lists */
        WORD_NONE, /* no value; does nothing */
        ANY,       /* whatever it is: does nothing here */
        READ,      /* `read` knows */
        READ_NONE, /* the same, without a value behind a space */
    } kind;
    size_t field;
    long min, max;
    const char *words; /* separated by spaces */
    bool (*read)(const Flag *f);
    const char *complaint; /* about a wrong value, in OTP's words */
} Row;

static bool read_time_warp(const Flag *f) {
    f->system->time_warp = strcmp(f->value, "no_time_warp") == 0       ? A_no_time_warp
                           : strcmp(f->value, "single_time_warp") == 0 ? A_single_time_warp
                           : strcmp(f->value, "multi_time_warp") == 0  ? A_multi_time_warp
                                                                       : NONE;
    return f->system->time_warp != NONE;
}

static bool read_warnings(const Flag *f) {
    f->system->warnings = f->value[0] == 'i' ? A_info : f->value[0] == 'e' ? A_error : f->value[0] == 'w' ? A_warning : NONE;
    return f->system->warnings != NONE;
}

static bool read_file_names(const Flag *f) {
    if (strchr("ula", f->value[0]) == NULL || f->value[0] == '\0') {
        return false;
    }
    char warn = f->value[1] == '\0' || f->value[0] == 'l' ? 'w' : f->value[1];
    f->system->file_names = f->value[0] == 'a' ? '\0' : f->value[0];
    f->system->file_name_warnings = warn;
    return strchr("wie", warn) != NULL;
}

static bool read_printable(const Flag *f) {
    f->system->unicode_printable = strcmp(f->value, "unicode") == 0;
    return f->system->unicode_printable || strcmp(f->value, "latin1") == 0;
}

static bool read_queue_data(const Flag *f) {
    f->system->off_heap_messages = strcmp(f->value, "off_heap") == 0;
    return f->system->off_heap_messages || strcmp(f->value, "on_heap") == 0;
}

static bool read_max_heap(const Flag *f) {
    char *end;
    f->system->max_heap = strtoll(f->value, &end, 10);
    return *end == '\0' && f->system->max_heap >= 0 && f->system->max_heap < (int64_t)1 << 59;
}

static bool read_node_gc(const Flag *f) {
    char *end;
    long seconds = strtol(f->value, &end, 10);
    bool infinity = strcmp(f->value, "infinity") == 0;
    f->system->delayed_node_gc = infinity ? -2 : (int)seconds;
    return infinity || (*end == '\0' && end != f->value && seconds >= 0 && seconds <= 100000000);
}

static bool read_break(const Flag *f) {
    f->system->break_mode = f->value == NULL || f->value[0] == '\0' ? 'd' : f->value[0];
    return strchr("icd", f->system->break_mode) != NULL;
}

static bool read_correction(const Flag *f) {
    f->system->no_time_correction = f->value == NULL || f->value[0] == '\0' || strcmp(f->value, "false") == 0;
    return f->system->no_time_correction || strcmp(f->value, "true") == 0;
}

/* N, N:M or :M. */
static bool read_scheduler_count(const Flag *f) {
    int all = 0, online = 0, n = sscanf(f->value, "%d:%d", &all, &online);
    if (n < 1 && sscanf(f->value, ":%d", &online) != 1) {
        return false;
    }
    f->system->schedulers = all, f->system->schedulers_online = online;
    return all >= 0 && all <= 1024 && online >= 0 && online <= 1024 && (all == 0 || online <= all); /* 0: as many as usual */
}

/* The same, read and not heeded. */
static bool read_schedulers(const Flag *f) {
    int all, online;
    if (sscanf(f->value, "%d:%d", &all, &online) < 1 && sscanf(f->value, ":%d", &online) != 1) {
        return false;
    }
    return true;
}

static bool read_dirty_schedulers(const Flag *f) {
    int all = 0, online = 0;
    if (sscanf(f->value, "%d:%d", &all, &online) < 1 && sscanf(f->value, ":%d", &online) != 1) {
        return false;
    }
    f->system->dirty_cpu = all, f->system->dirty_cpu_online = online;
    return all >= 0 && all <= 1024 && online >= 0 && online <= 1024 && (all == 0 || online <= all);
}

/* Its complaint has the value in the middle. */
static bool read_bind_type(const Flag *f) {
    const BindType *t = bind_type_of_option(f->value);
    if (t == NULL) {
        snprintf(f->flags->complaint, sizeof f->flags->complaint, "setting scheduler bind type '%s' failed: invalid type", f->value);
        return false;
    }
    f->system->bind_type = f->value;
    f->system->bind_may_fail = f->row->name[1] == 't';
    return true;
}

static bool read_topology(const Flag *f) { /* when there is memory to put it in */
    f->system->cpu_topology = f->value;
    return true;
}

static bool read_init(const Flag *f) {
    f->flags->init = f->value;
    return true;
}

static bool read_version(const Flag *f) {
    return f->flags->print_version = true;
}

static const char thresholds[] = "none very_short short medium long very_long";
static const char wakeups[] = "very_low low medium high very_high";

#define FIELD(f) offsetof(SystemFlags, f)
#define BAD(text) .complaint = text
static const Row rows[] = {
    {"A", NUMBER, FIELD(async_threads), 0, 1024, BAD("bad number of async threads")},
    {"a", NUMBER, 0, 16, 8192, BAD("bad stack size for async threads")},
    {"B", READ_NONE, .read = read_break, BAD("bad break mode")},
    {"C", READ, .read = read_time_warp, BAD("Invalid time warp mode:")},
    {"c", READ_NONE, .read = read_correction, BAD("Invalid time correction value:")},
    {"d", SET, .field = FIELD(no_crash_dump)},
    {"dcg", NUMBER, 0, 0, INT_MAX, BAD("bad decentralized counter groups limit:")},
    {"e", NUMBER, FIELD(tables), 0, INT_MAX, BAD("bad maximum number of ets tables")},
    {"ec", SET, .field = FIELD(compressed_tables)},
    {"fn", READ, .read = read_file_names, BAD("bad filename encoding")},
    {"h", NUMBER, FIELD(min_heap), 1, INT_MAX, BAD("bad heap size")},
    {"hms", NUMBER, FIELD(min_heap), 1, INT_MAX, BAD("bad heap size")},
    {"hmbs", NUMBER, FIELD(min_binary), 1, INT_MAX, BAD("bad heap size")},
    {"hpds", NUMBER, FIELD(dictionary_size), 1, INT_MAX, BAD("bad initial process dictionary size")},
    {"hmqd", READ, .read = read_queue_data, BAD("Invalid message_queue_data flag:")},
    {"hmax", READ, .read = read_max_heap, BAD("bad max heap size")},
    {"hmaxk", NOT, FIELD(max_heap_keep), BAD("bad max heap kill")},
    {"hmaxel", NOT, FIELD(max_heap_quiet), BAD("bad max heap error logger")},
    {"hmaxib", BOOLEAN, FIELD(max_heap_binaries), BAD("bad max heap include shared binaries")},
    {"i", READ, .read = read_init},
    {"I", .kind = ANY},
    {"J", .kind = ANY},
    {"K", .kind = ANY},
    {"L", .kind = WORD_NONE},
    {"M", .kind = ANY},
    {"n", WORD, .words = "s a d", BAD("bad -n option")},
    {"P", NUMBER, FIELD(processes), 1024, 134217727, .words = "legacy", BAD("bad number of processes")},
    {"pad", BOOLEAN, FIELD(async_dist), BAD("bad async dist flag")},
    {"pc", READ, .read = read_printable, BAD("bad range of printable characters:")},
    {"Q", NUMBER, FIELD(ports), 1024, 134217727, .words = "legacy", BAD("bad number of ports")},
    {"R", NUMBER, FIELD(compat_release), 1, 99, BAD("bad compatibility release number")},
    {"r", .kind = WORD_NONE},
    {"rg", NUMBER, 0, 0, INT_MAX, BAD("bad reader groups limit:")},
    {"S", READ, .read = read_scheduler_count, BAD("bad amount of schedulers")},
    {"SP", READ, .read = read_schedulers, BAD("bad schedulers percentage specifier")},
    {"SDcpu", READ, .read = read_dirty_schedulers, BAD("bad amount of dirty CPU schedulers")},
    {"SDPcpu", READ, .read = read_schedulers, BAD("bad dirty CPU schedulers percentage specifier")},
    {"SDio", NUMBER, FIELD(dirty_io), 1, 1024, BAD("bad number of dirty I/O schedulers")},
    {"sbt", READ, .read = read_bind_type},
    {"stbt", READ, .read = read_bind_type},
    {"sbwt", WORD, .words = thresholds, BAD("bad scheduler busy wait threshold:")},
    {"sbwtdcpu", WORD, .words = thresholds, BAD("bad dirty CPU scheduler busy wait threshold:")},
    {"sbwtdio", WORD, .words = thresholds, BAD("bad dirty IO scheduler busy wait threshold:")},
    {"scl", BOOLEAN, 0, BAD("bad scheduler compact load value")},
    {"sct", READ, .read = read_topology},
    {"secio", .kind = ANY},
    {"sfwi", NUMBER, 0, 0, INT_MAX, BAD("bad scheduler forced wakeup interval")},
    {"spp", BOOLEAN, FIELD(port_parallelism), BAD("bad port parallelism scheduling hint")},
    {"ssrct", .kind = WORD_NONE},
    {"sss", NUMBER, 0, 1, 32768, BAD("bad stack size for scheduler threads")},
    {"sssdcpu", NUMBER, 0, 1, 32768, BAD("bad stack size for dirty CPU scheduler threads")},
    {"sssdio", NUMBER, 0, 1, 32768, BAD("bad stack size for dirty IO scheduler threads")},
    {"sub", BOOLEAN, 0, BAD("bad scheduler utilization balancing value")},
    {"swct", WORD, .words = "very_lazy lazy medium eager very_eager", BAD("scheduler wake cleanup threshold:")},
    {"sws", WORD, .words = "default legacy", BAD("scheduler wakeup strategy:")},
    {"swt", WORD, .words = wakeups, BAD("scheduler wakeup threshold:")},
    {"swtdcpu", WORD, .words = wakeups, BAD("dirty CPU scheduler wakeup threshold:")},
    {"swtdio", WORD, .words = wakeups, BAD("dirty IO scheduler wakeup threshold:")},
    {"T", NUMBER, FIELD(timing_level), 0, 9, BAD("bad modified timing level")},
    {"t", NUMBER, FIELD(atoms), 8192, 2147483646, BAD("bad atom table size")},
    {"V", READ_NONE, .read = read_version},
    {"v", .kind = WORD_NONE},
    {"W", READ, .read = read_warnings, BAD("unrecognized warning_map option")},
    {"zdbbl", NUMBER, FIELD(dist_busy_limit), 1, INT_MAX / 1024, BAD("Invalid dbbl limit:")},
    {"zdntgc", READ, .read = read_node_gc, BAD("Invalid delayed node table gc:")},
    {"zebwt", WORD, .words = "none very_short short medium long very_long extremely_long", BAD("Invalid ets busy wait threshold:")},
    {"zhft", .kind = ANY},
    {"zosrl", NUMBER, FIELD(outstanding_requests), 1, 134217727, BAD("Invalid outstanding requests limit")},
};

/* Whose value makes no difference, not even to what system_info tells. */
static bool is_idle(const Row *r) {
    return r->kind == ANY || r->kind == WORD || r->kind == WORD_NONE || r->read == read_schedulers ||
           ((r->kind == NUMBER || r->kind == BOOLEAN) && r->field == 0);
}

static bool is_word_of(const char *words, const char *word) {
    size_t n = strlen(word);
    for (const char *at = words; at != NULL && *at != '\0';) {
        size_t length = strcspn(at, " ");
        if (length == n && memcmp(at, word, n) == 0) {
            return true;
        }
        at += length + (at[length] == ' ');
    }
    return false;
}

/* +M, a letter that stands for an allocator, one of these. */
static const char allocators[] = "BDEFHLRSTIXZu";
static const char *const of_allocator[] = {
    "as",   "asbcst", "atags", "acul",  "acnl",   "acfml", "acful",  "cp",     "e",      "t",    "lmbcs", "mbcgs",
    "mbsd", "mmbcs",  "mmmbc", "mmsbc", "msbclt", "ramv",  "rmbcmt", "rsbcmt", "rsbcst", "sbct", "smbcs",
};
static const char *const of_memory[] = {
    /* +M and one of these */
    "ea",      "ummc", "uycs",   "usac", "im", "is",  "lpm", "Mamcbf", "Mrmcbf", "Mmcs", "Mscs",
    "Mscrfsd", "Msco", "Mscrpm", "Ye",   "Ym", "Ytp", "Ytt", "Iscs",   "Xscs",   "dai",
};

static size_t longest_beginning(const char *text, const char *const *words, size_t count) {
    size_t longest = 0;
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(words[i]);
        if (n > longest && strncmp(text, words[i], n) == 0) {
            longest = n;
        }
    }
    return longest;
}

size_t emu_memory_flag(const char *text) {
    size_t n = longest_beginning(text, of_memory, ARRAY_LEN(of_memory));
    if (n == 0 && *text != '\0' && strchr(allocators, *text) != NULL) {
        n = longest_beginning(text + 1, of_allocator, ARRAY_LEN(of_allocator));
        return n == 0 ? 0 : n + 1;
    }
    return n;
}

/* The row whose name is the longest beginning of the word. */
static const Row *find_row(const char *word) {
    const Row *best = NULL;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t n = strlen(rows[i].name);
        if (strncmp(rows[i].name, word, n) == 0 && (best == NULL || n > strlen(best->name))) {
            best = &rows[i];
        }
    }
    return best;
}

static bool store(const Flag *f) {
    uint8_t *field = f->row->field == 0 ? NULL : (uint8_t *)f->system + f->row->field;
    bool yes, known;
    char *end;
    long n;
    switch (f->row->kind) {
    case NUMBER:
        n = strtol(f->value, &end, 10);
        if (field != NULL && end != f->value) {
            *(int *)field = (int)n;
        }
        return end != f->value ? n >= f->row->min && n <= f->row->max : is_word_of(f->row->words, f->value);
    case SET: return *(bool *)field = true;
    case BOOLEAN:
    case NOT:
        yes = strcmp(f->value, "true") == 0, known = yes || strcmp(f->value, "false") == 0;
        if (field != NULL) {
            *(bool *)field = yes == (f->row->kind == BOOLEAN);
        }
        return known;
    case WORD: return is_word_of(f->row->words, f->value);
    case READ:
    case READ_NONE: return f->row->read(f);
    default: return true;
    }
}

static bool takes_value(const Row *r) {
    return r->kind != SET && r->kind != WORD_NONE && r->kind != READ_NONE;
}

/* +B and +c: their value may be left out, or stand behind a space. */
static bool is_optional_value(const char *name, const char *next) {
    return next != NULL &&
           ((strcmp(name, "B") == 0 && is_word_of("i c d", next)) || (strcmp(name, "c") == 0 && is_word_of("true false", next)));
}

static void note_idle(EmuFlags *flags, const char *name) {
    size_t n = strlen(flags->idle);
    snprintf(flags->idle + n, sizeof flags->idle - n, "%s+%s", n == 0 ? "" : ", ", name);
}

static int complain(EmuFlags *flags, const char *text, const char *word) {
    snprintf(flags->complaint, sizeof flags->complaint, "%s %s", text, word);
    return 0;
}

int emu_flags_read(EmuFlags *flags, SystemFlags *system, int count, const char *const *words) {
    for (int i = 1; i < count; i++) {
        if (strcmp(words[i], "--") == 0) {
            return i + 1;
        }
        char plus[80];
        snprintf(plus, sizeof plus, "+%s", words[i][0] == '-' ? words[i] + 1 : words[i]);
        const Row *row = words[i][0] == '-' ? find_row(words[i] + 1) : NULL;
        if (row == NULL) {
            return complain(flags, "unknown flag", words[i][0] == '-' ? plus : words[i]);
        }
        if (strcmp(row->name, "M") == 0 && emu_memory_flag(words[i] + 2) == 0) {
            char of = words[i][2];
            snprintf(plus, sizeof plus, "\"M%s\" parameter", of == '\0' || strchr("BDEFHILMRSTYZe", of) == NULL ? "" : (char[]){of, '\0'});
            return complain(flags, "bad", plus);
        }
        const char *rest = words[i] + 1 + strlen(row->name), *next = i + 1 < count ? words[i + 1] : NULL;
        if (row->kind == ANY && *rest != '\0' && !(next != NULL && next[0] != '-')) {
            next = NULL; /* +Mea min, +Mim: what belongs together is known to those who wrote it */
        }
        Flag f = {flags, system, rest, row};
        bool from_next =
            takes_value(row) ? *rest == '\0' || (row->kind == ANY && next != NULL) : *rest == '\0' && is_optional_value(row->name, next);
        if (from_next) {
            if (next == NULL || strcmp(next, "--") == 0) {
                return complain(flags, "too few arguments:", plus);
            }
            f.value = next;
            i++;
        } else if ((row->kind == SET || row->kind == WORD_NONE) && *rest != '\0') {
            return complain(flags, "unknown flag", plus);
        }
        if (!store(&f)) {
            return row->complaint == NULL ? 0 : complain(flags, row->complaint, f.value);
        }
        if (is_idle(row)) {
            note_idle(flags, row->name);
        }
    }
    return count;
}
