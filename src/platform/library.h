/* Shared libraries that are opened when they are first needed. */
#ifndef MOTE_PLATFORM_LIBRARY_H
#define MOTE_PLATFORM_LIBRARY_H

#include "base/base.h"

void *library_open(const char *name);                  /* NULL: not there */
void *library_symbol(void *library, const char *name); /* NULL: it has none of that name */
void library_close(void *library);

#endif
