/* Environment variables on POSIX systems. */
#include "platform/environment.h"

#include <stdlib.h>
#include <unistd.h>

extern char **environ;

const char *environment_get(const char *name) {
    return getenv(name);
}

bool environment_set(const char *name, const char *value) {
    return (value == NULL ? unsetenv(name) : setenv(name, value, 1)) == 0;
}

void environment_all(void (*entry)(void *arg, const char *text), void *arg) {
    for (char **e = environ; *e != NULL; e++) {
        entry(arg, *e);
    }
}

long platform_process_id(void) {
    return getpid();
}
