/* Shared libraries, by the dynamic linker. */
#include "platform/library.h"

#include <dlfcn.h>

void *library_open(const char *name) {
    return dlopen(name, RTLD_NOW | RTLD_LOCAL);
}

void *library_symbol(void *library, const char *name) {
    return dlsym(library, name);
}

void library_close(void *library) {
    dlclose(library);
}
