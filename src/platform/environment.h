/* Environment variables of this process, and who it is. Names and values are the system's bytes. */
#ifndef MOTE_PLATFORM_ENVIRONMENT_H
#define MOTE_PLATFORM_ENVIRONMENT_H

#include "base/base.h"

const char *environment_get(const char *name);             /* NULL: not set; valid until the next call that changes it */
bool environment_set(const char *name, const char *value); /* value NULL: removes it. False: not a name, or no memory */
/* Calls entry with "NAME=VALUE" for every variable. */
void environment_all(void (*entry)(void *arg, const char *text), void *arg);
long platform_process_id(void);

#endif
