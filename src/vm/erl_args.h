/* The command line of `erl`: what erlexec makes of it before there is an emulator. Documented in erl(1). */
#ifndef MOTE_VM_ERL_ARGS_H
#define MOTE_VM_ERL_ARGS_H

#include "base/arena.h"

/* A growing list of words; the texts belong to somebody else, or to the arena. NULL ends it. */
typedef struct {
    const char **at;
    int count, capacity;
} Words;

void words_add(Words *w, Arena *arena, const char *word);

typedef struct {
    const char *root, *bindir, *progname;
    const char *release; /* "25": for the variable ERL_OTP25_FLAGS */
} ErlPlace;

/* What is left to do when the words have been read. */
typedef enum {
    ERL_START, /* run the emulator with them */
    ERL_EXIT   /* exit with *status: all has been said */
} ErlNext;

/* Turns the words behind `erl` into those of an emulator: its flags (with - in place of +), --, -root ..., --, those of init.
   Words of ERL_AFLAGS, ERL_FLAGS, ERL_ZFLAGS and of -args_file are among them. Sets variables (-env, PATH), starts epmd, and
   goes into the background (-detached) as asked. */
ErlNext erl_args(Arena *arena, const ErlPlace *place, int argc, char **argv, Words *emulator, int *status);

#endif
