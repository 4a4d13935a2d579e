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

const char *library_error(void) {
    return dlerror();
}

void *library_open_all(const char *name, const char *const *names, size_t count, void *functions) {
    void *library = library_open(name);
    for (size_t i = 0; i < count && library != NULL; i++) {
        void *f = library_symbol(library, names[i]);
        memcpy((uint8_t *)functions + i * sizeof f, &f, sizeof f);
        if (f == NULL) {
            library_close(library);
            library = NULL;
        }
    }
    return library;
}
