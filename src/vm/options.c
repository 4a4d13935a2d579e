/* What the command line of bare mode asks for. */
#include "vm/options.h"

static bool ends_with(const char *s, const char *end) {
    size_t n = strlen(s), m = strlen(end);
    return n > m && strcmp(s + n - m, end) == 0;
}

static bool fail(OptionError *e, const char *text, const char *word) {
    *e = (OptionError){text, word};
    return false;
}

static Action *add_action(Options *o, ActionKind kind, const char *text) {
    if (o->action_count == MAX_ACTIONS) {
        return NULL;
    }
    Action *a = &o->actions[o->action_count++];
    *a = (Action){.kind = kind, .text = text};
    return a;
}

/* -s M [F [Args]] and -run: all words up to the next option. Returns how many it took; -1: too many actions. */
static int take_apply(Options *o, ActionKind kind, int argc, const char **argv) {
    Action *a = add_action(o, kind, argv[0]);
    if (a == NULL) {
        return -1;
    }
    a->words = argv + 1;
    while (1 + a->count < argc && argv[1 + a->count][0] != '-') {
        a->count++;
    }
    return 1 + a->count;
}

/* FILE and what follows. */
static bool take_file(Options *o, int argc, const char **argv, OptionError *error) {
    if (add_action(o, ACTION_FILE, argv[0]) == NULL) {
        return fail(error, "too many actions", argv[0]);
    }
    o->args = argv + 1, o->arg_count = argc - 1;
    if (ends_with(argv[0], ".avm")) {
        o->packs = argv, o->pack_count = 1;
        while (o->arg_count > 0 && ends_with(o->args[0], ".avm")) {
            o->pack_count++, o->args++, o->arg_count--;
        }
    }
    return true;
}

bool options_parse(Options *o, int argc, const char **argv, OptionError *error) {
    *o = (Options){0};
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        bool last = i + 1 == argc;
        if (strcmp(word, "--native") == 0) {
            o->native = true;
        } else if (strcmp(word, "--stats") == 0) {
            o->stats = true;
        } else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            o->help = true;
        } else if (strcmp(word, "--version") == 0) {
            o->version = true;
        } else if (strcmp(word, "-pa") == 0 || strcmp(word, "-e") == 0 || strcmp(word, "-s") == 0 || strcmp(word, "-run") == 0 ||
                   strcmp(word, "--eunit") == 0) {
            if (last) {
                return fail(error, "needs a word behind it", word);
            }
            i++;
            if (word[1] == 'p') {
                if (o->dir_count == MAX_DIRS) {
                    return fail(error, "too many folders", argv[i]);
                }
                o->dirs[o->dir_count++] = argv[i];
            } else if (word[1] == 'e' || word[1] == '-') {
                if (add_action(o, word[1] == 'e' ? ACTION_EVAL : ACTION_EUNIT, argv[i]) == NULL) {
                    return fail(error, "too many actions", argv[i]);
                }
            } else {
                int n = take_apply(o, word[1] == 's' ? ACTION_APPLY_ATOMS : ACTION_APPLY_STRINGS, argc - i, argv + i);
                if (n < 0) {
                    return fail(error, "too many actions", argv[i]);
                }
                i += n - 1;
            }
        } else if (strcmp(word, "--") == 0) {
            o->args = argv + i + 1, o->arg_count = argc - i - 1;
            return true;
        } else if (word[0] == '-' && word[1] != '\0') {
            return fail(error, "unknown option", word);
        } else {
            return take_file(o, argc - i, argv + i, error);
        }
    }
    return true;
}
