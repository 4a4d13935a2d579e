/* Where modules come from in bare mode. */
#include "vm/code_path.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "code/avm.h"
#include "platform/platform.h"
#include "vm/lib.h"

typedef struct Pack {
    FileMap map;
    Avm avm;
    struct Pack *next;
} Pack;

struct CodePath {
    VM *vm;
    char **dirs;
    size_t count, capacity;
    bool complete;         /* the folders of ERL_LIBS and OTP are in dirs */
    bool otp_known;
    char otp[PATH_MAX];    /* "" : none */
    char release[16];
    Pack *packs, **last_pack;
};

CodePath *code_path_new(VM *vm) {
    CodePath *c = MEM_NEW(&vm->mem, MEM_SYSTEM, CodePath);
    if (c != NULL) {
        c->vm = vm;
        c->last_pack = &c->packs;
    }
    return c;
}

void code_path_clear(CodePath *c) {
    for (size_t i = 0; i < c->count; i++) {
        mem_free(&c->vm->mem, MEM_SYSTEM, c->dirs[i], strlen(c->dirs[i]) + 1);
    }
    c->count = 0;
    c->complete = true;
}

void code_path_free(CodePath *c) {
    if (c == NULL) {
        return;
    }
    VM *vm = c->vm;
    code_path_clear(c);
    mem_free(&vm->mem, MEM_SYSTEM, c->dirs, c->capacity * sizeof *c->dirs);
    for (Pack *p = c->packs, *next; p != NULL; p = next) {
        next = p->next;
        platform_unmap_file(&p->map);
        MEM_DELETE(&vm->mem, MEM_SYSTEM, p);
    }
    MEM_DELETE(&vm->mem, MEM_SYSTEM, c);
}

bool code_path_add(CodePath *c, const char *dir, bool first) {
    Mem *m = &c->vm->mem;
    if (c->count == c->capacity) {
        size_t capacity = MAX(16, 2 * c->capacity);
        char **dirs = mem_resize(m, MEM_SYSTEM, c->dirs, c->capacity * sizeof *dirs, capacity * sizeof *dirs);
        if (dirs == NULL) {
            return false;
        }
        c->dirs = dirs, c->capacity = capacity;
    }
    size_t size = strlen(dir) + 1;
    char *copy = mem_alloc(m, MEM_SYSTEM, size);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, dir, size);
    if (first) {
        memmove(c->dirs + 1, c->dirs, c->count * sizeof *c->dirs);
    }
    c->dirs[first ? 0 : c->count] = copy;
    c->count++;
    return true;
}

bool code_path_add_pack(CodePath *c, const char *file, LoadError *error) {
    Pack *p = MEM_NEW(&c->vm->mem, MEM_SYSTEM, Pack);
    if (p == NULL) {
        return load_error(error, "", -1, "out of memory");
    }
    int number = 0;
    bool mapped = platform_map_file(file, &p->map, &number);
    if (!mapped) {
        load_error(error, "", -1, "%s", strerror(number));
    }
    if (!mapped || !avm_open(&p->avm, file, (Bytes){p->map.at, p->map.size}, error)) {
        platform_unmap_file(&p->map);
        MEM_DELETE(&c->vm->mem, MEM_SYSTEM, p);
        return false;
    }
    *c->last_pack = p;
    c->last_pack = &p->next;
    return true;
}

/* Is ROOT an OTP installation? It has lib/erts-VERSION or erts-VERSION and a file that says its release. */
static bool is_otp(CodePath *c, const char *root) {
    char name[PATH_MAX + 64];
    snprintf(name, sizeof name, "%s/releases/start_erl.data", root);
    FILE *f = fopen(name, "r");
    if (f == NULL) {
        return false;
    }
    char erts[64], release[16];
    bool ok = fscanf(f, "%63s %15s", erts, release) == 2;
    fclose(f);
    if (ok) {
        snprintf(c->otp, sizeof c->otp, "%s", root);
        snprintf(c->release, sizeof c->release, "%s", release);
    }
    return ok;
}

/* The OTP that the erl on the PATH belongs to: the link's target is ROOT/bin/erl. */
static bool find_by_path(CodePath *c) {
    const char *path = getenv("PATH");
    while (path != NULL && *path != '\0') {
        const char *end = strchrnul(path, ':');
        char name[PATH_MAX], real[PATH_MAX];
        snprintf(name, sizeof name, "%.*s/erl", (int)(end - path), path);
        if (access(name, X_OK) == 0 && realpath(name, real) != NULL) {
            char *bin = strstr(real, "/bin/erl");
            if (bin != NULL) {
                *bin = '\0';
                if (is_otp(c, real)) {
                    return true;
                }
            }
        }
        path = *end == ':' ? end + 1 : end;
    }
    return false;
}

const char *code_path_otp(CodePath *c) {
    if (!c->otp_known) {
        c->otp_known = true;
        static const char *const usual[] = {"/usr/lib/erlang", "/usr/local/lib/erlang", "/usr/lib64/erlang",
                                            "/opt/erlang/lib/erlang", "/opt/homebrew/lib/erlang"};
        const char *named = getenv("MOTE_OTP");
        char root[PATH_MAX];
        bool found = false;
        if (named != NULL) {
            /* Either the root itself or a prefix it was installed below. */
            snprintf(root, sizeof root, "%s/lib/erlang", named);
            found = is_otp(c, named) || is_otp(c, root);
        } else {
            found = find_by_path(c);
            for (size_t i = 0; !found && i < ARRAY_LEN(usual); i++) {
                found = is_otp(c, usual[i]);
            }
        }
        if (!found) {
            c->otp[0] = '\0';
        }
    }
    return c->otp[0] == '\0' ? NULL : c->otp;
}

const char *code_path_otp_release(CodePath *c) {
    return code_path_otp(c) == NULL ? "" : c->release;
}

static bool is_folder_of(const char *name, const char *app) {
    size_t n = strlen(app);
    return strncmp(name, app, n) == 0 && (name[n] == '\0' || name[n] == '-');
}

/* Adds LIBS/NAME/ebin for each folder NAME; those that most modules come from go first. */
static void add_libraries(CodePath *c, const char *libs) {
    static const char *const first[] = {"stdlib", "kernel", "compiler", "erts"};
    struct dirent **names;
    int n = scandir(libs, &names, NULL, alphasort);
    char dir[PATH_MAX];
    for (size_t pass = 0; pass <= ARRAY_LEN(first); pass++) {
        for (int i = n - 1; i >= 0; i--) { /* the highest version first */
            const char *name = names[i]->d_name;
            size_t rank = 0;
            while (rank < ARRAY_LEN(first) && !is_folder_of(name, first[rank])) {
                rank++;
            }
            if (rank == pass && name[0] != '.') {
                snprintf(dir, sizeof dir, "%s/%s/ebin", libs, name);
                if (access(dir, R_OK) == 0) {
                    code_path_add(c, dir, false);
                }
            }
        }
    }
    for (int i = 0; i < n; i++) {
        free(names[i]);
    }
    if (n >= 0) {
        free(names);
    }
}

static void complete(CodePath *c) {
    if (c->complete) {
        return;
    }
    c->complete = true;
    const char *libs = getenv("ERL_LIBS");
    while (libs != NULL && *libs != '\0') {
        const char *end = strchrnul(libs, ':');
        char dir[PATH_MAX];
        snprintf(dir, sizeof dir, "%.*s", (int)(end - libs), libs);
        add_libraries(c, dir);
        libs = *end == ':' ? end + 1 : end;
    }
    if (code_path_otp(c) != NULL) {
        char dir[PATH_MAX + 8];
        snprintf(dir, sizeof dir, "%s/lib", c->otp);
        add_libraries(c, dir);
    }
}

const char *code_path_dir(CodePath *c, size_t n) {
    if (n >= c->count) {
        complete(c);
    }
    return n < c->count ? c->dirs[n] : NULL;
}

static bool find_carried(Bytes name, Bytes *beam) {
    for (const LibModule *m = lib_modules; m->name != NULL; m++) {
        if (strlen(m->name) == name.size && memcmp(m->name, name.at, name.size) == 0) {
            *beam = m->beam;
            return true;
        }
    }
    return false;
}

static bool is_below(const char *file, const char *root) {
    size_t n = root == NULL ? 0 : strlen(root);
    return n > 0 && strncmp(file, root, n) == 0 && file[n] == '/';
}

ModuleFound code_path_open(CodePath *c, Bytes name, ModuleBytes *module, char *where, size_t where_size) {
    *module = (ModuleBytes){0};
    where[0] = '\0';
    char file[300];
    if (name.size > 255 || memchr(name.at, '/', name.size) != NULL || memchr(name.at, '\0', name.size) != NULL) {
        return MODULE_ABSENT;
    }
    snprintf(file, sizeof file, "%.*s.beam", (int)name.size, (const char *)name.at);
    for (Pack *p = c->packs; p != NULL; p = p->next) {
        if (avm_find(&p->avm, (Bytes){(const uint8_t *)file, strlen(file)}, &module->bytes)) {
            return MODULE_FOUND;
        }
    }
    if (find_carried(name, &module->bytes)) {
        module->trusted = true;
        return MODULE_FOUND;
    }
    for (size_t i = 0;; i++) {
        const char *dir = code_path_dir(c, i);
        if (dir == NULL) {
            return MODULE_ABSENT;
        }
        snprintf(where, where_size, "%s/%s", dir, file);
        FileMap map;
        int error;
        if (platform_map_file(where, &map, &error)) {
            *module = (ModuleBytes){{map.at, map.size}, true, is_below(where, code_path_otp(c))};
            return MODULE_FOUND;
        }
        if (error != ENOENT && error != ENOTDIR && error != EISDIR) {
            return MODULE_UNREADABLE;
        }
    }
}

void code_path_close(ModuleBytes *m) {
    if (m->mapped) {
        FileMap map = {m->bytes.at, m->bytes.size};
        platform_unmap_file(&map);
    }
    *m = (ModuleBytes){0};
}

bool code_path_private(CodePath *c, Bytes app, Bytes path, Bytes *content) {
    char name[PATH_MAX];
    int n = snprintf(name, sizeof name, "%.*s/priv/%.*s", (int)app.size, (const char *)app.at, (int)path.size,
                     (const char *)path.at);
    if (n < 0 || (size_t)n >= sizeof name) {
        return false;
    }
    for (Pack *p = c->packs; p != NULL; p = p->next) {
        if (avm_find(&p->avm, (Bytes){(const uint8_t *)name, (size_t)n}, content)) {
            return true;
        }
    }
    return false;
}

Bytes code_path_pack_entry(CodePath *c) {
    for (Pack *p = c->packs; p != NULL; p = p->next) {
        Bytes name;
        if (avm_start(&p->avm, &name)) {
            return name;
        }
    }
    return (Bytes){0};
}
