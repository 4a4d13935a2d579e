/* Where modules come from in bare mode. */
#include "vm/code_path.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "code/avm.h"
#include "code/container.h"
#include "code/inflate.h"
#include "platform/file.h"
#include "platform/platform.h"
#include "vm/lib.h"

typedef struct Pack {
    FileMap map;
    Avm avm;
    struct Pack *next;
} Pack;

typedef struct {
    char *name;
    size_t rank; /* of a library's folder among its like */
    bool sure;   /* false: a library's folder, which need not be there */
} Folder;

struct CodePath {
    VM *vm;
    Folder *dirs;
    size_t count, capacity;
    bool complete; /* the folders of ERL_LIBS and OTP are in dirs */
    bool otp_known;
    char otp[PATH_MAX]; /* "" : none */
    char release[16], erts[32];
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
        mem_free(&c->vm->mem, MEM_SYSTEM, c->dirs[i].name, strlen(c->dirs[i].name) + 1);
    }
    c->count = 0;
    c->complete = true;
}

/* The parts one behind the other in `to`, as far as there is room. */
static void join(char *to, size_t size, const char *a, size_t a_size, const char *b, const char *c) {
    size_t parts[] = {a_size, strlen(b), strlen(c)};
    const char *from[] = {a, b, c};
    size_t at = 0;
    for (int i = 0; i < 3; i++) {
        size_t n = MIN(parts[i], size - 1 - at);
        memcpy(to + at, from[i], n);
        at += n;
    }
    to[at] = '\0';
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

static bool add_folder(CodePath *c, const char *dir, bool first, bool sure) {
    Mem *m = &c->vm->mem;
    if (c->count == c->capacity) {
        size_t capacity = MAX(16, 2 * c->capacity);
        Folder *dirs = mem_resize(m, MEM_SYSTEM, c->dirs, c->capacity * sizeof *dirs, capacity * sizeof *dirs);
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
    c->dirs[first ? 0 : c->count] = (Folder){copy, 0, sure};
    c->count++;
    return true;
}

bool code_path_add(CodePath *c, const char *dir, bool first) {
    return add_folder(c, dir, first, true);
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
        snprintf(error->file, sizeof error->file, "%s", file);
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

/* Is ROOT an OTP installation? It has a file that says its release. */
static bool is_otp(CodePath *c, const char *root) {
    size_t size = strlen(root);
    join(c->otp, sizeof c->otp, root, size, "/releases/start_erl.data", "");
    bool is = access(c->otp, R_OK) == 0;
    c->otp[MIN(size, sizeof c->otp - 1)] = '\0';
    return is;
}

/* The OTP that the erl on the PATH belongs to: the link's target is ROOT/bin/erl. */
static bool find_by_path(CodePath *c) {
    const char *path = getenv("PATH");
    while (path != NULL && *path != '\0') {
        const char *end = strchrnul(path, ':');
        join(c->otp, sizeof c->otp, path, (size_t)(end - path), "/erl", "");
        char *real = access(c->otp, X_OK) == 0 ? realpath(c->otp, NULL) : NULL;
        char *bin = real == NULL ? NULL : strstr(real, "/bin/erl");
        if (bin != NULL) {
            *bin = '\0';
        }
        bool found = bin != NULL && is_otp(c, real);
        free(real);
        if (found) {
            return true;
        }
        path = *end == ':' ? end + 1 : end;
    }
    return false;
}

static NOINLINE bool is_below_prefix(CodePath *c, const char *prefix) {
    char root[PATH_MAX];
    join(root, sizeof root, prefix, strlen(prefix), "/lib/erlang", "");
    return is_otp(c, root);
}

const char *code_path_otp(CodePath *c) {
    if (!c->otp_known) {
        c->otp_known = true;
        static const char *const usual[] = {"/usr/lib/erlang", "/usr/local/lib/erlang", "/usr/lib64/erlang", "/opt/erlang/lib/erlang",
                                            "/opt/homebrew/lib/erlang"};
        const char *named = getenv("MOTE_OTP");
        bool found = false;
        if (named != NULL) { /* either the root itself or a prefix it was installed below */
            found = is_otp(c, named) || is_below_prefix(c, named);
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
    if (code_path_otp(c) != NULL && c->release[0] == '\0') {
        char name[PATH_MAX + 64];
        join(name, sizeof name, c->otp, strlen(c->otp), "/releases/start_erl.data", "");
        FILE *f = fopen(name, "r");
        if (f != NULL) {
            if (fscanf(f, "%31s %15s", c->erts, c->release) != 2) {
                c->erts[0] = c->release[0] = '\0';
            }
            fclose(f);
        }
    }
    return c->release;
}

const char *code_path_erts_version(CodePath *c) {
    code_path_otp_release(c);
    return c->erts;
}

/* Where the folder of a library stands: those that most modules come from go first. */
static size_t rank(const char *folder) {
    static const char *const first[] = {"stdlib", "kernel", "compiler", "erts"};
    size_t i = 0;
    for (; i < ARRAY_LEN(first); i++) {
        size_t n = strlen(first[i]);
        if (folder[0] == first[i][0] && strncmp(folder, first[i], n) == 0 && (folder[n] == '\0' || folder[n] == '-')) {
            break;
        }
    }
    return i;
}

/* The highest version goes first. */
static bool is_before(const Folder *a, const Folder *b, size_t skip) {
    const char *x = a->name + skip, *y = b->name + skip;
    if (a->rank != b->rank) {
        return a->rank < b->rank;
    }
    while (*x == *y && *x != '/') {
        x++, y++;
    }
    return *y == '/' || (*x != '/' && (uint8_t)*x > (uint8_t)*y);
}

typedef struct {
    CodePath *path;
    size_t base; /* of its folders in path->dirs */
    size_t skip; /* where names begin in dir */
    char dir[PATH_MAX];
} Libraries;

static bool add_library(void *arg, const char *name) {
    Libraries *l = arg;
    CodePath *c = l->path;
    l->dir[l->skip - 1] = '/';
    join(l->dir + l->skip, sizeof l->dir - l->skip, name, strlen(name), "/ebin", "");
    if (name[0] == '.' || !add_folder(c, l->dir, false, false)) {
        return true;
    }
    Folder added = c->dirs[c->count - 1];
    size_t at = c->count - 1;
    added.rank = rank(name);
    for (; at > l->base && is_before(&added, &c->dirs[at - 1], l->skip); at--) {
        c->dirs[at] = c->dirs[at - 1];
    }
    c->dirs[at] = added;
    return true;
}

/* Adds LIBS/NAME/ebin for each folder NAME, whether it is there or not. LIBS is these two, one behind the other. */
static void add_libraries(CodePath *c, const char *start, size_t size, const char *rest) {
    Libraries l;
    l.path = c, l.base = c->count;
    join(l.dir, sizeof l.dir - 1, start, size, rest, "");
    l.skip = strlen(l.dir) + 1;
    file_list_dir(l.dir, add_library, &l);
}

static void complete(CodePath *c) {
    if (c->complete) {
        return;
    }
    c->complete = true;
    const char *libs = getenv("ERL_LIBS");
    while (libs != NULL && *libs != '\0') {
        const char *end = strchrnul(libs, ':');
        add_libraries(c, libs, (size_t)(end - libs), "");
        libs = *end == ':' ? end + 1 : end;
    }
    if (code_path_otp(c) != NULL) {
        add_libraries(c, c->otp, strlen(c->otp), "/lib");
    }
}

/* The n-th folder, which may not be there. */
static const char *candidate(CodePath *c, size_t n) {
    if (n >= c->count) {
        complete(c);
    }
    return n < c->count ? c->dirs[n].name : NULL;
}

const char *code_path_dir(CodePath *c, size_t n) {
    if (n >= c->count) {
        complete(c);
    }
    while (n < c->count && !c->dirs[n].sure) {
        Folder *f = &c->dirs[n];
        f->sure = access(f->name, R_OK) == 0;
        if (!f->sure) {
            mem_free(&c->vm->mem, MEM_SYSTEM, f->name, strlen(f->name) + 1);
            memmove(f, f + 1, (--c->count - n) * sizeof *f);
        }
    }
    return n < c->count ? c->dirs[n].name : NULL;
}

static ModuleFound open_carried(CodePath *c, Bytes name, ModuleBytes *module) {
    const LibModule *m = lib_modules;
    while (m->name != NULL && (strlen(m->name) != name.size || memcmp(m->name, name.at, name.size) != 0)) {
        m++;
    }
    if (m->name == NULL) {
        return MODULE_ABSENT;
    }
    *module = (ModuleBytes){.bytes = m->beam, .trusted = true};
    if (m->inflated > 0) {
        uint8_t *beam = mem_alloc(&c->vm->mem, MEM_CODE, m->inflated);
        if (beam == NULL) {
            return MODULE_UNREADABLE;
        }
        bool whole UNUSED = inflate_small(m->beam, beam, m->inflated);
        assert(whole);
        module->bytes = (Bytes){beam, m->inflated};
        module->gathered = true;
    }
    return MODULE_FOUND;
}

static bool is_below(const char *file, const char *root) {
    size_t n = root == NULL ? 0 : strlen(root);
    return n > 0 && strncmp(file, root, n) == 0 && file[n] == '/';
}

/* 0, or an error number. */
static int open_file(CodePath *c, const char *file, bool to_run, ModuleBytes *module) {
    int fd, error;
    module->trusted = c->otp_known && is_below(file, code_path_otp(c)); /* its folders come last */
    if (to_run && module->trusted) {
        error = file_open(file, FILE_READ | FILE_ANY_TYPE, &fd); /* of a folder, nothing can be read */
        if (error != 0) {
            return error;
        }
        module->gathered = container_gather(&c->vm->mem, fd, &module->bytes);
        file_close(fd);
    }
    FileMap map;
    if (!module->gathered) {
        if (!platform_map_file(file, &map, &error)) {
            return error;
        }
        module->bytes = (Bytes){map.at, map.size};
        module->mapped = true;
    }
    return 0;
}

ModuleFound code_path_open(CodePath *c, Bytes name, bool to_run, ModuleBytes *module, char *where, size_t where_size) {
    *module = (ModuleBytes){0};
    where[0] = '\0';
    char file[300];
    if (name.size > 255 || memchr(name.at, '/', name.size) != NULL || memchr(name.at, '\0', name.size) != NULL) {
        return MODULE_ABSENT;
    }
    join(file, sizeof file, (const char *)name.at, name.size, ".beam", "");
    for (Pack *p = c->packs; p != NULL; p = p->next) {
        if (avm_find(&p->avm, (Bytes){(const uint8_t *)file, strlen(file)}, &module->bytes)) {
            return MODULE_FOUND;
        }
    }
    ModuleFound carried = open_carried(c, name, module);
    if (carried != MODULE_ABSENT) {
        return carried;
    }
    for (size_t i = 0;; i++) {
        const char *dir = candidate(c, i);
        if (dir == NULL) {
            return MODULE_ABSENT;
        }
        join(where, where_size, dir, strlen(dir), "/", file);
        int error = open_file(c, where, to_run, module);
        if (error == 0) {
            return MODULE_FOUND;
        }
        *module = (ModuleBytes){0};
        if (error != ENOENT && error != ENOTDIR && error != EISDIR) {
            return MODULE_UNREADABLE;
        }
    }
}

void code_path_close(CodePath *c, ModuleBytes *m) {
    if (m->gathered) {
        mem_free(&c->vm->mem, MEM_CODE, (void *)m->bytes.at, m->bytes.size);
    } else if (m->mapped) {
        FileMap map = {m->bytes.at, m->bytes.size};
        platform_unmap_file(&map);
    }
    *m = (ModuleBytes){0};
}

bool code_path_private(CodePath *c, Bytes app, Bytes path, Bytes *content) {
    char name[PATH_MAX];
    int n = snprintf(name, sizeof name, "%.*s/priv/%.*s", (int)app.size, (const char *)app.at, (int)path.size, (const char *)path.at);
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
