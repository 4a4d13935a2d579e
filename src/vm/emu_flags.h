/* The emulator's own flags, documented in erl(1) with + in front of them. */
#ifndef MOTE_VM_EMU_FLAGS_H
#define MOTE_VM_EMU_FLAGS_H

#include "bif/system_flags.h"

typedef struct {
    const char *init;   /* +i: the module to start with, instead of init */
    bool print_version; /* +V */
    char complaint[300];
    char idle[300]; /* flags that were given and do nothing here */
} EmuFlags;

/* Reads the words from words[1] up to the first --. Returns the number of words that have been read, -- included; 0: one of
   them is wrong, and flags->complaint says why. */
int emu_flags_read(EmuFlags *flags, SystemFlags *system, int count, const char *const *words);

/* How long the name is of the flag about memory that begins here, behind +M; 0: there is none. */
size_t emu_memory_flag(const char *text);

#endif
