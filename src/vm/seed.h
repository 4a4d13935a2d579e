/* Runs that can be had again: `mote --seed N ...`, `mote --seed-sweep A..B ...`. See proc/chance.h. */
#ifndef MOTE_VM_SEED_H
#define MOTE_VM_SEED_H

#include "base/base.h"

bool seed_read(const char *text, uint64_t *seed); /* false: no number */

/* Takes --seed and --seed-sweep from the front of the command line; what remains is run by command, once or seed by seed. Returns the
   exit status; of a sweep: 0, no run has failed; 1, one has, and its output and seed are told; 2, the words are wrong. */
typedef int Command(int argc, char **argv);
int seed_run(int argc, char **argv, Command *command);

#endif
