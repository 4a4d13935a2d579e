/* What the command line of bare mode asks for. */
#ifndef MOTE_VM_OPTIONS_H
#define MOTE_VM_OPTIONS_H

#include "base/base.h"

typedef enum { ACTION_FILE, ACTION_APPLY_ATOMS, ACTION_APPLY_STRINGS, ACTION_EVAL, ACTION_EUNIT } ActionKind;

typedef struct {
    ActionKind kind;
    const char *text;   /* file, module or expression */
    const char **words; /* -s, -run: function and arguments, as they stand in argv */
    int count;
} Action;

enum { MAX_ACTIONS = 32, MAX_DIRS = 64 };

typedef struct Options {
    bool native, stats, help, version;
    Action actions[MAX_ACTIONS];
    int action_count;
    const char *dirs[MAX_DIRS]; /* -pa */
    int dir_count;
    const char **packs; /* FILE and those that follow it, if it is an .avm */
    int pack_count;
    const char **args; /* what follows FILE */
    int arg_count;
    struct SystemFlags *flags; /* of an OTP that is booted; NULL: bare mode */
} Options;

/* False: *error names what is wrong (a static text and the word it concerns). */
typedef struct {
    const char *text, *word;
} OptionError;
bool options_parse(Options *o, int argc, const char **argv, OptionError *error);

#endif
