/* From the command line of `erl`, its variables and files of arguments to the words that an emulator is started with. */
#include "vm/erl_args.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "platform/environment.h"
#include "vm/emu_flags.h"

void words_add(Words *w, Arena *arena, const char *word) {
    if (w->count + 1 >= w->capacity) { /* one more for the NULL */
        int capacity = MAX(32, 2 * w->capacity);
        const char **at = ARENA_ARRAY(arena, const char *, (size_t)capacity);
        if (at == NULL) {
            fprintf(stderr, "mote: out of memory\n");
            exit(1);
        }
        if (w->count > 0) {
            memcpy(at, w->at, (size_t)w->count * sizeof *at);
        }
        w->at = at, w->capacity = capacity;
    }
    w->at[w->count++] = word;
    w->at[w->count] = NULL;
}

static const char *keep(Arena *arena, const char *text, size_t size) {
    char *copy = arena_alloc(arena, size + 1);
    if (copy == NULL) {
        fprintf(stderr, "mote: out of memory\n");
        exit(1);
    }
    memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

/* --- Collecting the words -------------------------------------------------------------------------------------------- */

typedef struct {
    Arena *arena;
    Words words, extra; /* extra: what follows -extra, wherever it stood; it goes to the end */
    const char *failed; /* NULL: all went well */
} Collected;

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* One word of a text in the manner of a shell: quotes of both kinds, and a backslash in front of any character. `to` has room
   for all of the text. Returns where it ends; NULL: there is none. */
static const char *read_word(const char *at, bool comments, char *to, size_t *size) {
    *size = 0;
    for (;; at++) {
        if (comments && *at == '#') {
            at += strcspn(at, "\n");
        }
        if (*at == '\0') {
            return NULL;
        }
        if (!is_space(*at)) {
            break;
        }
    }
    while (*at != '\0' && !is_space(*at) && !(comments && *at == '#')) {
        char c = *at++;
        if (c == '"' || c == '\'') {
            while (*at != '\0' && *at != c) {
                to[(*size)++] = *at++;
            }
            at += *at != '\0';
        } else if (c != '\\') {
            to[(*size)++] = c;
        } else if (*at != '\0') {
            to[(*size)++] = *at++;
        }
    }
    return at;
}

/* The words of a text, and -- behind them, so that they do not run into those of the next source. */
static Words split(Arena *arena, const char *text, bool comments) {
    Words words = {0};
    char *buffer = arena_alloc(arena, strlen(text) + 1);
    size_t size;
    while (buffer != NULL && (text = read_word(text, comments, buffer, &size)) != NULL) {
        words_add(&words, arena, keep(arena, buffer, size));
    }
    if (words.count > 0) {
        words_add(&words, arena, "--");
    }
    return words;
}

/* NULL: it could not be opened, or (*opened) read. */
static const char *read_file(Arena *arena, const char *name, bool *opened) {
    FILE *f = fopen(name, "r");
    *opened = f != NULL;
    if (f == NULL) {
        return NULL;
    }
    Words parts = {0};
    size_t total = 0, n;
    char part[4096];
    while ((n = fread(part, 1, sizeof part, f)) > 0) {
        words_add(&parts, arena, keep(arena, part, n));
        total += strnlen(part, n);
    }
    bool ok = !ferror(f);
    fclose(f);
    char *text = arena_alloc(arena, total + 1), *at = text;
    for (int i = 0; i < parts.count && text != NULL; i++) {
        at = stpcpy(at, parts.at[i]);
    }
    if (text != NULL) {
        *at = '\0';
    }
    return ok ? text : NULL;
}

enum { FILES_DEEP = 100 };

static void collect(Collected *c, const char *const *words, int count, int depth);

static void collect_file(Collected *c, const char *name, int depth) {
    bool opened = false;
    const char *text = name == NULL || depth == FILES_DEEP ? NULL : read_file(c->arena, name, &opened);
    if (name == NULL) {
        c->failed = "Missing argument(s) for '-args_file'.";
    } else if (text == NULL) {
        char line[4400 + PATH_MAX], here[PATH_MAX];
        const char *why = depth == FILES_DEEP ? "files that name each other" : strerror(errno);
        int n = opened ? snprintf(line, sizeof line, "Failed to read arguments file \"%s\": %s", name, why)
                       : snprintf(line, sizeof line, "Failed to open arguments file \"%s\" at \"%s\": %s", name,
                                  getcwd(here, sizeof here) == NULL ? "" : here, why);
        c->failed = keep(c->arena, line, MIN((size_t)n, sizeof line - 1));
    } else {
        Words words = split(c->arena, text, true);
        collect(c, words.at, words.count, depth + 1);
    }
}

static void collect(Collected *c, const char *const *words, int count, int depth) {
    for (int i = 0; i < count && c->failed == NULL; i++) {
        if (strcmp(words[i], "-args_file") == 0) {
            i++;
            collect_file(c, i < count ? words[i] : NULL, depth);
        } else if (strcmp(words[i], "-extra") == 0) {
            for (i++; i < count; i++) {
                words_add(&c->extra, c->arena, words[i]);
            }
        } else {
            words_add(&c->words, c->arena, words[i]);
        }
    }
}

static bool collect_variable(Collected *c, const char *name) {
    const char *value = environment_get(name);
    Words words = {0};
    if (value != NULL) {
        words = split(c->arena, value, false);
        collect(c, words.at, words.count, 0);
    }
    return words.count > 0;
}

/* Everything that was said, in the order in which it counts. */
static void collect_all(Collected *c, const char *release, int argc, char **argv) {
    char name[40];
    snprintf(name, sizeof name, "ERL_OTP%s_FLAGS", release);
    bool others = collect_variable(c, name);
    others = collect_variable(c, "ERL_AFLAGS") || others;
    collect(c, (const char *const *)argv, argc, 0);
    Collected probe = {.arena = c->arena};
    bool later = collect_variable(&probe, "ERL_FLAGS") || collect_variable(&probe, "ERL_ZFLAGS");
    bool from_file = false;
    for (int i = 0; i < argc && strcmp(argv[i], "-extra") != 0; i++) {
        from_file |= strcmp(argv[i], "-args_file") == 0;
    }
    if (argc > 0 && (others || later || from_file)) {
        words_add(&c->words, c->arena, "--");
    }
    collect_variable(c, "ERL_FLAGS");
    collect_variable(c, "ERL_ZFLAGS");
}

/* --- Emulator flags -------------------------------------------------------------------------------------------------- */

/* Flags whose value is the next word. (It may also be written without a space; then there is one word.) */
static const char *const valued[] = {
    "a",    "A",      "C",      "e",      "i",    "n",       "P",      "Q",     "t",      "T",        "R",       "W",      "K",
    "IOt",  "IOp",    "IOPt",   "IOPp",   "IOs",  "S",       "SP",     "SDcpu", "SDPcpu", "SDio",     "hms",     "hmbs",   "hpds",
    "hmax", "hmaxk",  "hmaxel", "hmaxib", "hmqd", "h",       "rg",     "dcg",   "sbt",    "sbwtdcpu", "sbwtdio", "sbwt",   "scl",
    "sct",  "secio",  "sfwi",   "stbt",   "swct", "swtdcpu", "swtdio", "swt",   "sws",    "sss",      "sssdcpu", "sssdio", "spp",
    "sub",  "sbwtio", "ssst",   "pc",     "pad",  "zdbbl",   "zdntgc", "zebwt", "zosrl",  "zhft",
};

static bool is_among(const char *word, const char *const *words, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_valued(const char *flag) {
    if (flag[0] == 'J') {
        return true;
    }
    if (flag[0] == 'M' && flag[1] != '\0') {
        size_t name = emu_memory_flag(flag + 1);
        return name > 0 && flag[1 + name] == '\0';
    }
    return is_among(flag, valued, ARRAY_LEN(valued));
}

/* Flags that nothing can be made of, as they begin like one with a value, but are none. */
static bool is_nonsense(const char *flag) {
    if (flag[0] == 'S' && flag[1] == 'D') {
        return strncmp(flag + 2, "cpu", 3) != 0 && strncmp(flag + 2, "Pcpu", 4) != 0 && strncmp(flag + 2, "io", 2) != 0;
    }
    if (flag[0] == 'I') {
        return strncmp(flag, "IOt", 3) != 0 && strncmp(flag, "IOp", 3) != 0 && strncmp(flag, "IOP", 3) != 0;
    }
    return flag[0] == 'B' && flag[1] != '\0' && strchr("icd", flag[1]) == NULL;
}

/* May the next word belong to +B or +c? */
static bool takes_optional(const char *flag, const char *next) {
    if (next == NULL) {
        return false;
    }
    return strcmp(flag, "B") == 0   ? next[0] != '\0' && next[1] == '\0' && strchr("icd", next[0]) != NULL
           : strcmp(flag, "c") == 0 ? strcmp(next, "true") == 0 || strcmp(next, "false") == 0
                                    : false;
}

/* --- Words of erl itself --------------------------------------------------------------------------------------------- */

typedef struct {
    Arena *arena;
    const ErlPlace *place;
    Words flags, rest; /* the emulator's; init's */
    const char *const *words;
    int count, at;
    bool distributed, no_epmd, own_protocol, start_epmd, detached, halt_at_end, print, print_exit, print_quoted;
    const char *epmd;
    char complaint[300];
    bool exits; /* all has been said */
} Reading;

static bool complain(Reading *r, const char *format, const char *word) {
    snprintf(r->complaint, sizeof r->complaint, format, word);
    return false;
}

/* The next word; NULL: there is none, which is complained about. */
static const char *take_value(Reading *r, const char *option) {
    if (r->at + 1 >= r->count || strcmp(r->words[r->at + 1], "--") == 0) {
        complain(r, "Missing argument(s) for '%s'.", option);
        return NULL;
    }
    return r->words[++r->at];
}

static void add_rest(Reading *r, const char *a, const char *b) {
    words_add(&r->rest, r->arena, a);
    if (b != NULL) {
        words_add(&r->rest, r->arena, b);
    }
}

static bool read_flag(Reading *r, const char *word) {
    const char *name = word + 1;
    char *flag = (char *)keep(r->arena, word, strlen(word));
    flag[0] = '-';
    words_add(&r->flags, r->arena, flag);
    if (is_valued(name)) {
        const char *value = take_value(r, word);
        if (value != NULL) {
            words_add(&r->flags, r->arena, value);
        }
        return value != NULL;
    }
    if (is_nonsense(name)) {
        return complain(r, "There is no emulator flag '%s'.", word);
    }
    if (takes_optional(name, r->at + 1 < r->count ? r->words[r->at + 1] : NULL)) {
        words_add(&r->flags, r->arena, r->words[++r->at]);
    }
    return true;
}

static bool option_passed(Reading *r, const char *word) { /* with its value, which may not be missing */
    const char *value = take_value(r, word);
    if (value == NULL) {
        return false;
    }
    add_rest(r, word, value);
    r->distributed |= strcmp(word, "-name") == 0 || strcmp(word, "-sname") == 0;
    r->own_protocol |= strcmp(word, "-proto_dist") == 0; /* -emu_type, -emu_flavor: there is one Mote */
    if (strcmp(word, "-start_epmd") == 0) {
        r->start_epmd = strcmp(value, "true") == 0;
        if (!r->start_epmd && strcmp(value, "false") != 0) {
            return complain(r, "Expected boolean argument for '%s'.", word);
        }
    }
    return true;
}
static bool option_epmd(Reading *r, const char *word) {
    r->epmd = take_value(r, word);
    return r->epmd != NULL;
}
static bool option_env(Reading *r, const char *word) {
    const char *name = take_value(r, word), *value = name == NULL ? NULL : take_value(r, word);
    if (value != NULL) {
        environment_set(name, value);
    }
    return value != NULL;
}
static bool option_configfd(Reading *r, const char *word) {
    if (r->at + 1 < r->count && strcmp(r->words[r->at + 1], "0") == 0) {
        add_rest(r, "-noshell", "-noinput");
    }
    add_rest(r, word, NULL);
    return true;
}
static bool option_noinput(Reading *r, const char *word) {
    r->detached |= strcmp(word, "-detached") == 0;
    add_rest(r, "-noshell", "-noinput");
    return true;
}
static bool option_compile(Reading *r, const char *word) {
    add_rest(r, "-noshell", "-noinput");
    add_rest(r, "-s", word[1] == 'c' ? "c" : "make");
    add_rest(r, word[1] == 'c' ? "lc_batch" : "all_or_nothing", NULL);
    words_add(&r->flags, r->arena, "-B");
    r->halt_at_end = word[1] == 'm';
    if (r->halt_at_end) {
        r->at = r->count; /* the rest of the line is make's */
    }
    return true;
}
static bool option_smp(Reading *r, const char *word UNUSED) { /* it and its value go on to init, as ever */
    const char *next = r->at + 1 < r->count ? r->words[r->at + 1] : "";
    if (strcmp(next, "disable") == 0 || strcmp(word, "-smpdisable") == 0) {
        return complain(r, "Argument '%s' not supported. Use \"+S 1\" instead.", "-smp disable");
    }
    add_rest(r, word, NULL);
    return true;
}
static bool option_version(Reading *r, const char *word UNUSED) {
    words_add(&r->flags, r->arena, "-V");
    return true;
}
static bool option_print(Reading *r, const char *word) {
    r->print |= strcmp(word, "-emu_args") == 0;
    r->print_exit |= strcmp(word, "-emu_args_exit") == 0;
    r->print_quoted |= strcmp(word, "-emu_qouted_cmd_exit") == 0;
    if (strcmp(word, "-emu_name_exit") == 0) {
        printf("beam.smp\n");
        r->exits = true;
    }
    return true;
}
static bool option_no_epmd(Reading *r, const char *word) {
    r->no_epmd = true;
    r->start_epmd = false;
    add_rest(r, word, NULL);
    return true;
}
static bool option_nothing(Reading *r UNUSED, const char *word UNUSED) {
    return true;
}
static bool option_man(Reading *r, const char *word UNUSED) {
    environment_set("MANSECT", "3erl:1:5:7");
    execvp("man", (char *const *)&r->words[r->at]);
    return complain(r, "Could not execute the '%s' command.", "man");
}

static const struct {
    const char *word;
    bool (*read)(Reading *r, const char *word);
    // clang-format off
} options[] = {
    {"-name", option_passed}, {"-sname", option_passed}, {"-proto_dist", option_passed}, {"-start_epmd", option_passed},
    {"-emu_type", option_passed}, {"-emu_flavor", option_passed}, {"-epmd", option_epmd}, {"-env", option_env},
    {"-configfd", option_configfd}, {"-noinput", option_noinput}, {"-detached", option_noinput}, {"-compile", option_compile},
    {"-make", option_compile}, {"-smp", option_smp}, {"-smpdisable", option_smp}, {"-version", option_version},
    {"-emu_args", option_print}, {"-emu_args_exit", option_print}, {"-emu_qouted_cmd_exit", option_print},
    {"-emu_name_exit", option_print}, {"-no_epmd", option_no_epmd}, {"-keep_window", option_nothing}, {"-man", option_man},
};
// clang-format on

static bool read_option(Reading *r, const char *word) {
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if (strcmp(options[i].word, word) == 0) {
            return options[i].read(r, word);
        }
    }
    add_rest(r, word, NULL);
    return true;
}

static bool read_words(Reading *r) {
    for (; r->at < r->count && !r->exits; r->at++) {
        const char *word = r->words[r->at];
        if (strcmp(word, "-extra") == 0) {
            for (; r->at < r->count; r->at++) {
                add_rest(r, r->words[r->at], NULL);
            }
        } else if (!(word[0] == '+' ? read_flag(r, word) : word[0] == '-' ? read_option(r, word) : (add_rest(r, word, NULL), true))) {
            return false;
        }
    }
    if (r->no_epmd && !r->own_protocol) {
        return complain(r, "erlexec: Missing %s option, expected when using -no_epmd.", "-proto_dist");
    }
    if (r->halt_at_end) {
        add_rest(r, "-s", "erlang");
        add_rest(r, "halt", NULL);
    }
    return true;
}

/* --- Around it ------------------------------------------------------------------------------------------------------- */

/* bindir comes first in PATH, and is there once. */
static void set_path(Arena *arena, const ErlPlace *place) {
    const char *old = environment_get("PATH");
    size_t n = strlen(place->bindir), size = 2 * n + strlen(place->root) + (old == NULL ? 0 : strlen(old)) + 20;
    char *path = arena_alloc(arena, size);
    if (path == NULL) {
        return;
    }
    char *at = path + sprintf(path, "%s:", place->bindir);
    if (old == NULL || strstr(old, place->root) == NULL) {
        sprintf(at, "%s/bin:%s", place->root, old == NULL ? "" : old);
    } else {
        while (*old != '\0') {
            const char *end = strchrnul(old, ':');
            bool same = (size_t)(end - old) == n && memcmp(old, place->bindir, n) == 0 && *end == ':';
            size_t length = (size_t)(end - old) + (*end == ':');
            if (!same) {
                memcpy(at, old, length);
                at += length;
            }
            old += length;
        }
        *at = '\0';
    }
    environment_set("PATH", path);
}

static void start_epmd(Reading *r) {
    char command[4400];
    if (r->epmd == NULL) {
        snprintf(command, sizeof command, "\"%s/epmd\" -daemon", r->place->bindir);
    } else {
        snprintf(command, sizeof command, "%s", r->epmd);
    }
    if (system(command) == -1) {
        fprintf(stderr, "Error spawning %s (error %d)\n", command, errno);
    }
}

/* Goes on in a process without terminal, whose parent does not wait. False: this is one of those that are not wanted any more. */
static bool detach(void) {
    if (fork() != 0) {
        return false;
    }
    setsid();
    if (fork() != 0) {
        return false;
    }
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd <= 2 && null >= 0; fd++) {
        dup2(null, fd);
    }
    if (null > 2) {
        close(null);
    }
    return true;
}

/* -emu_args and its like. True: that was all. */
static bool print_words(const Reading *r, const Words *w) {
    if (r->print_quoted) {
        printf("\"%s/beam.smp\" ", r->place->bindir);
        for (int i = 1; i < w->count; i++) {
            printf("\"%s\" ", w->at[i]);
        }
        printf("\n");
    } else if (r->print_exit) {
        for (int i = 1; i < w->count; i++) {
            printf("%s\n", w->at[i]);
        }
    } else if (r->print) {
        printf("Executing: %s/beam.smp", r->place->bindir);
        for (int i = 0; i < w->count; i++) {
            printf(" %s", w->at[i]);
        }
        printf("\n\n");
        fflush(stdout);
    }
    return r->print_quoted || r->print_exit;
}

static void put_together(Reading *r, Words *emulator) {
    const ErlPlace *place = r->place;
    const char *const between[] = {"--", "-root", place->root, "-bindir", place->bindir, "-progname", place->progname, "--"};
    *emulator = r->flags;
    for (size_t i = 0; i < ARRAY_LEN(between); i++) {
        words_add(emulator, r->arena, between[i]);
    }
    for (int i = 0; i < r->rest.count; i++) {
        words_add(emulator, r->arena, r->rest.at[i]);
    }
}

ErlNext erl_args(Arena *arena, const ErlPlace *place, int argc, char **argv, Words *emulator, int *status) {
    Collected c = {.arena = arena};
    collect_all(&c, place->release, argc, argv);
    if (c.extra.count > 0) {
        words_add(&c.words, arena, "-extra");
        for (int i = 0; i < c.extra.count; i++) {
            words_add(&c.words, arena, c.extra.at[i]);
        }
    }
    Reading r = {.arena = arena, .place = place, .words = c.words.at, .count = c.words.count, .start_epmd = true};
    const char *script = environment_get("ESCRIPT_NAME"), *home = environment_get("HOME"), *port = environment_get("ERL_EPMD_PORT");
    char name[4400];
    int n = snprintf(name, sizeof name, "%s/beam.smp", place->bindir);
    words_add(&r.flags, arena, script != NULL ? keep(arena, script, strlen(script)) : keep(arena, name, (size_t)n));
    if (home != NULL) {
        add_rest(&r, "-home", keep(arena, home, strlen(home)));
    }
    if (port != NULL) {
        add_rest(&r, "-epmd_port", keep(arena, port, strlen(port)));
    }
    add_rest(&r, "--", NULL);
    *status = 1;
    if (c.failed != NULL || !read_words(&r)) {
        fprintf(stderr, "%s\n", c.failed != NULL ? c.failed : r.complaint);
        return ERL_EXIT;
    }
    set_path(arena, place);
    put_together(&r, emulator);
    *status = 0;
    if (r.exits) {
        return ERL_EXIT;
    }
    if (r.distributed && r.start_epmd) {
        start_epmd(&r);
    }
    if (print_words(&r, emulator) || (r.detached && !detach())) {
        return ERL_EXIT;
    }
    return ERL_START;
}
