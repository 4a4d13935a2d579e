/* Making and running a virtual machine in bare mode. */
#ifndef MOTE_VM_MACHINE_H
#define MOTE_VM_MACHINE_H

#include "bif/system_flags.h"
#include "code/module.h"
#include "vm/code_path.h"
#include "vm/options.h"

/* What vm->options points to. */
typedef struct Machine {
    VM vm;
    Options *o;
    CodePath *path;
    SystemFlags flags; /* of bare mode */
} Machine;
static inline Machine *machine_of(VM *vm) {
    return (Machine *)vm;
}

/* A machine with all rooms made and nothing loaded. NULL: no memory. */
Machine *machine_new(Options *o);
void machine_free(Machine *m);

/* Loads a module from the code path. MODULE_FOUND: it is loaded (or *module NULL: *error says why not). */
ModuleFound machine_load(Machine *m, Bytes name, Module **module, LoadError *error);
/* Loads a module from its bytes. NULL: *error says why. `where`: what code:which will answer; "" : nothing. */
Module *machine_load_bytes(Machine *m, const char *name, Bytes bytes, const char *where, LoadError *error);
/* What code:which answers from now on. */
void machine_loaded_from(VM *vm, Module *module, const char *where);
/* One of OTP's preloaded modules, whose bytes stay where they are. */
Module *machine_load_preloaded(Machine *m, const char *name, Bytes bytes, LoadError *error);

/* After halt has been asked for: prints the slogan and writes a crash dump, or aborts; else the exit status. */
int machine_halted(Machine *m);
/* Of the OTP whose libraries run here, "25" and "13.1.5"; where there is none, of the one that Mote behaves like. */
const char *machine_otp_release(VM *vm);
const char *machine_erts_version(VM *vm);

/* Runs what the options ask for; returns the exit status. */
int machine_run(Machine *m);
void machine_print_stats(Machine *m);

#endif
