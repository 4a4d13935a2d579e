/* Shared libraries that are opened when they are first needed. */
#ifndef MOTE_PLATFORM_LIBRARY_H
#define MOTE_PLATFORM_LIBRARY_H

#include "base/base.h"

void *library_open(const char *name);                  /* NULL: not there */
void *library_symbol(void *library, const char *name); /* NULL: it has none of that name */
void library_close(void *library);
const char *library_error(void); /* what the last of these has failed for; NULL: nothing */
/* Opens a library and fetches `count` of its functions: their addresses go to `functions`, a struct of as many pointers. NULL:
   it is not there, or it lacks one. */
void *library_open_all(const char *name, const char *const *names, size_t count, void *functions);

#endif
