/* The functions that match specifications may call. */
#ifndef MOTE_BIF_GUARDS_H
#define MOTE_BIF_GUARDS_H

#include "table/match_spec.h"

GuardLookup guard_lookup;

#endif
