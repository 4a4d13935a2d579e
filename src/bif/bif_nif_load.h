/* Libraries of native functions that others have compiled: what erlang:load_nif/2 does for modules whose functions are not built in. */
#ifndef MOTE_BIF_BIF_NIF_LOAD_H
#define MOTE_BIF_BIF_NIF_LOAD_H

#include "bif/bif.h"
#include "code/module.h"

/* Loads the library `path` for the module's code, while nobody else runs. old: code that is not current asks for it. */
term nif_load(Process *p, term path, term info, const Module *m, bool old);

#endif
