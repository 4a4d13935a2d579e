/* Where an installed OTP is, and which one. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "vm/boot.h"

/* The folder with this name below `at`; or, with a name that ends in "-", the one with the highest version behind it. */
static bool find_folder(const char *at, const char *name, char *found, size_t size) {
    struct dirent **names;
    size_t n = strlen(name);
    int count = scandir(at, &names, NULL, versionsort);
    bool ok = false;
    for (int i = count - 1; i >= 0; i--) {
        if (!ok && strncmp(names[i]->d_name, name, n) == 0 && names[i]->d_name[n] != '\0') {
            ok = snprintf(found, size, "%s/%s", at, names[i]->d_name) < (int)size;
        }
        free(names[i]);
    }
    if (count >= 0) {
        free(names);
    }
    return ok;
}

static bool is_readable(const char *dir, const char *name) {
    char path[3 * PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return access(path, R_OK) == 0;
}

/* Is this where the preloaded modules are? */
static bool take_preloaded(OtpPlace *p, const char *format, const char *a, const char *b) {
    char dir[2 * PATH_MAX];
    snprintf(dir, sizeof dir, format, a, b);
    if (!is_readable(dir, "erl_init.beam") || strlen(dir) >= sizeof p->preloaded) {
        return false;
    }
    strcpy(p->preloaded, dir);
    return true;
}

/* A release of one's own may come without the application erts: then the installed OTP of the same version has them. */
static bool find_preloaded(OtpPlace *p, const char *version) {
    static const char *const usual[] = {"/usr/lib/erlang", "/usr/local/lib/erlang", "/usr/lib64/erlang", "/opt/erlang/lib/erlang"};
    const char *named = getenv("MOTE_OTP");
    if (take_preloaded(p, "%s/lib/erts-%s/ebin", p->root, version) || take_preloaded(p, "%s/erts-%s/ebin", p->root, version) ||
        take_preloaded(p, "%s/../ebin%.0s", p->bindir, "") || take_preloaded(p, "%s/../../lib/erts-%s/ebin", p->bindir, version)) {
        return true;
    }
    bool ok = named != NULL && take_preloaded(p, "%s/lib/erts-%s/ebin", named, version);
    for (size_t i = 0; !ok && i < ARRAY_LEN(usual); i++) {
        ok = take_preloaded(p, "%s/lib/erts-%s/ebin", usual[i], version);
    }
    return ok;
}

/* erts-VERSION is the name of the folder that has bin/; its major number and the release have gone together since 23. */
static bool read_version(const OtpPlace *p, SystemFlags *flags) {
    char real[PATH_MAX];
    const char *at = strstr(p->bindir, "/erts-");
    if (at == NULL && realpath(p->bindir, real) != NULL) {
        at = strstr(real, "/erts-");
    }
    int major = 0;
    if (at == NULL || sscanf(at, "/erts-%31[^/]", flags->version) != 1 || sscanf(flags->version, "%d", &major) != 1) {
        return false;
    }
    snprintf(flags->release, sizeof flags->release, "%d", major + 12);
    return true;
}

bool otp_find(OtpPlace *place, SystemFlags *flags, char *why, size_t size) {
    if (place->root[0] == '\0') {
        snprintf(why, size, "there is no Erlang/OTP to be found; the variable MOTE_OTP can say where it is");
        return false;
    }
    if (place->bindir[0] == '\0') {
        char erts[PATH_MAX];
        if (!find_folder(place->root, "erts-", erts, sizeof erts) ||
            snprintf(place->bindir, sizeof place->bindir, "%s/bin", erts) >= (int)sizeof place->bindir) {
            snprintf(why, size, "%s: there is no folder erts-VERSION", place->root);
            return false;
        }
    }
    if (!read_version(place, flags)) {
        snprintf(why, size, "%s: this is not a folder erts-VERSION/bin", place->bindir);
        return false;
    }
    if (!find_preloaded(place, flags->version)) {
        snprintf(why, size, "%s: there are no preloaded modules (lib/erts-%s/ebin/*.beam)", place->root, flags->version);
        return false;
    }
    return true;
}

void otp_choose(OtpPlace *place) {
    const char *root = getenv("ROOTDIR"), *bindir = getenv("BINDIR");
    if (getenv("MOTE_OTP") == NULL && root != NULL) {
        snprintf(place->root, sizeof place->root, "%s", root);
        if (bindir != NULL && strncmp(bindir, root, strlen(root)) == 0) {
            snprintf(place->bindir, sizeof place->bindir, "%s", bindir);
        }
        return;
    }
    VM vm = {0};
    mem_init(&vm.mem);
    CodePath *path = code_path_new(&vm);
    const char *found = path == NULL ? NULL : code_path_otp(path);
    snprintf(place->root, sizeof place->root, "%s", found == NULL ? "" : found);
    code_path_free(path);
}
