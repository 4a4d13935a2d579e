/* Making and taking apart AVM packs. Nothing is written unless all of the input is sound. */
#include "vm/cmd_pack.h"

#include <limits.h>
#include <stdio.h>

#include "code/avm.h"
#include "platform/file.h"
#include "platform/platform.h"

static const char usage[] =
    "usage: mote pack create [-s START] [--lines] [--types] OUT FILE...   FILE: module, pack, or any file (kept under its name)\n"
    "       mote pack list PACK\n"
    "       mote pack extract [-o FOLDER] PACK [NAME...]\n"
    "       mote pack delete [-o OUT] PACK NAME...\n";

static bool complain(const LoadError *error) {
    char line[640];
    load_error_text(error, line, sizeof line);
    fprintf(stderr, "%s\n", line);
    return false;
}

static bool file_failed(const char *name, int error) {
    fprintf(stderr, "%s: %s\n", name, strerror(error));
    return false;
}

static bool open_file(const char *name, FileMap *map) {
    int error;
    return platform_map_file(name, map, &error) || file_failed(name, error);
}

static bool open_pack(const char *name, FileMap *map, Avm *pack) {
    LoadError error;
    if (!open_file(name, map)) {
        return false;
    }
    if (!avm_open(pack, name, (Bytes){map->at, map->size}, &error)) {
        platform_unmap_file(map);
        return complain(&error);
    }
    return true;
}

static bool write_file(const char *name, Bytes content) {
    int fd, error = file_open(name, FILE_WRITE, &fd);
    if (error != 0) {
        return file_failed(name, error);
    }
    error = file_write(fd, content.at, content.size, -1);
    int closed = file_close(fd);
    return (error == 0 && closed == 0) || file_failed(name, error != 0 ? error : closed);
}

static bool write_pack(const char *name, Text *pack) {
    avm_end(pack);
    if (pack->failed) {
        return file_failed(name, FILE_NO_MEMORY);
    }
    return write_file(name, (Bytes){pack->at, pack->size});
}

/* ---- create ---- */

typedef struct {
    Text first, rest;  /* the module to start with goes first */
    const char *start; /* its name, or NULL */
    bool found;
    unsigned keep;
} Create;

static bool is_start(const Create *c, Bytes name) {
    size_t n = c->start == NULL ? 0 : strlen(c->start);
    return n != 0 && name.size >= n && memcmp(name.at, c->start, n) == 0 &&
           (name.size == n || (name.size == n + 5 && memcmp(name.at + n, ".beam", 5) == 0));
}

static bool create_entry(Create *c, const char *file, Bytes name, uint32_t flags, Bytes content) {
    bool start = is_start(c, name) && (flags & AVM_BEAM);
    if (start && (flags & AVM_STARTS) == 0) {
        fprintf(stderr, "%s: module %s does not export start/0\n", file, c->start);
        return false;
    }
    bool first = start && !c->found;
    c->found |= start;
    avm_add(first ? &c->first : &c->rest, name, flags, content);
    return true;
}

static bool create_module(Create *c, const char *file, Bytes beam) {
    Text stripped;
    AvmModule module;
    LoadError error;
    text_init(&stripped, c->rest.mem);
    bool ok = avm_strip(&stripped, file, beam, c->keep, &module, &error) || complain(&error);
    ok = ok && create_entry(c, file, (Bytes){(const uint8_t *)module.name, strlen(module.name)},
                            AVM_BEAM | (module.starts ? AVM_STARTS : 0), (Bytes){stripped.at, stripped.size});
    text_done(&stripped);
    return ok;
}

static bool create_from_pack(Create *c, const char *file, Bytes bytes) {
    LoadError error;
    Avm pack;
    AvmEntry e;
    if (!avm_open(&pack, file, bytes, &error)) {
        return complain(&error);
    }
    for (size_t at = 0; avm_next(&pack, &at, &e);) {
        if (!create_entry(c, file, e.name, e.flags, e.content)) {
            return false;
        }
    }
    return true;
}

static bool create_from(Create *c, const char *file) {
    FileMap map;
    if (!open_file(file, &map)) {
        return false;
    }
    Bytes bytes = {map.at, map.size};
    size_t n = strlen(file);
    bool ok;
    if (avm_is_pack(bytes)) {
        ok = create_from_pack(c, file, bytes);
    } else if ((n > 5 && strcmp(file + n - 5, ".beam") == 0) || (bytes.size > 4 && memcmp(bytes.at, "FOR1", 4) == 0)) {
        ok = create_module(c, file, bytes);
    } else {
        const char *name = file;
        while (strncmp(name, "./", 2) == 0) {
            name += 2;
        }
        ok = create_entry(c, file, (Bytes){(const uint8_t *)name, strlen(name)}, 0, bytes);
    }
    platform_unmap_file(&map);
    return ok;
}

static bool create(Mem *mem, int argc, char **argv) {
    Create c = {0};
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "-s") == 0 && i + 1 < argc) {
            c.start = argv[++i];
        } else if (strcmp(argv[i], "--lines") == 0) {
            c.keep |= AVM_KEEP_LINES;
        } else if (strcmp(argv[i], "--types") == 0) {
            c.keep |= AVM_KEEP_TYPES;
        } else {
            break;
        }
    }
    if (argc - i < 2 || argv[i][0] == '-') {
        fputs(usage, stderr);
        return false;
    }
    const char *out = argv[i++];
    text_init(&c.first, mem);
    text_init(&c.rest, mem);
    avm_begin(&c.first);
    bool ok = true;
    for (; ok && i < argc; i++) {
        ok = create_from(&c, argv[i]);
    }
    if (ok && c.start != NULL && !c.found) {
        fprintf(stderr, "%s: there is no module %s among the files\n", out, c.start);
        ok = false;
    }
    c.first.failed |= c.rest.failed;
    text_add(&c.first, c.rest.at, c.rest.size);
    ok = ok && write_pack(out, &c.first);
    text_done(&c.first);
    text_done(&c.rest);
    return ok;
}

/* ---- list, extract, delete ---- */

static bool list(int argc, char **argv) {
    FileMap map;
    Avm pack;
    AvmEntry e;
    if (argc != 2) {
        fputs(usage, stderr);
        return false;
    }
    if (!open_pack(argv[1], &map, &pack)) {
        return false;
    }
    for (size_t at = 0; avm_next(&pack, &at, &e);) {
        printf("%.*s%s [%zu]\n", (int)e.name.size, (const char *)e.name.at, e.flags & AVM_STARTS ? " *" : "", e.content.size);
    }
    platform_unmap_file(&map);
    return true;
}

static bool is_named(Bytes name, int argc, char **argv) {
    for (int i = 0; i < argc; i++) {
        if (strlen(argv[i]) == name.size && memcmp(argv[i], name.at, name.size) == 0) {
            return true;
        }
    }
    return false;
}

/* Names come from the pack: none may lead out of the folder. */
static bool is_inside(const char *name) {
    for (const char *p = name;; p++) {
        if (*p == '/' || *p == 0) {
            return false; /* empty: "", "/x", "x//y" */
        }
        const char *end = p + strcspn(p, "/");
        if ((end - p == 1 && p[0] == '.') || (end - p == 2 && p[0] == '.' && p[1] == '.')) {
            return false;
        }
        if (*end == 0) {
            return true;
        }
        p = end;
    }
}

static bool extract_entry(const char *folder, const AvmEntry *e) {
    char path[PATH_MAX];
    if (!is_inside((const char *)e->name.at)) {
        fprintf(stderr, "%s: this name leads out of the folder\n", (const char *)e->name.at);
        return false;
    }
    int n = snprintf(path, sizeof path, "%s/%s", folder, (const char *)e->name.at);
    if (n < 0 || (size_t)n >= sizeof path) {
        return file_failed((const char *)e->name.at, FILE_INVALID);
    }
    for (char *p = path + strlen(folder) + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = 0;
        file_make_dir(path); /* if it is there already, so much the better; if not, writing will tell */
        *p = '/';
    }
    return write_file(path, e->content);
}

static int output_option(int argc, char **argv, const char **out) {
    if (argc > 2 && strcmp(argv[1], "-o") == 0) {
        *out = argv[2];
        return 3;
    }
    return 1;
}

static bool extract(int argc, char **argv) {
    FileMap map;
    Avm pack;
    AvmEntry e;
    const char *folder = ".";
    int i = output_option(argc, argv, &folder);
    if (argc <= i) {
        fputs(usage, stderr);
        return false;
    }
    if (!open_pack(argv[i], &map, &pack)) {
        return false;
    }
    i++;
    bool ok = true;
    int found = 0;
    for (size_t at = 0; ok && avm_next(&pack, &at, &e);) {
        if (i == argc || is_named(e.name, argc - i, argv + i)) {
            ok = extract_entry(folder, &e);
            found++;
        }
    }
    if (ok && found < argc - i) {
        fprintf(stderr, "%s: not all of these files are in it\n", argv[i - 1]);
        ok = false;
    }
    platform_unmap_file(&map);
    return ok;
}

static bool delete (Mem *mem, int argc, char **argv) {
    FileMap map;
    Avm pack;
    AvmEntry e;
    const char *out = NULL;
    int i = output_option(argc, argv, &out);
    if (argc < i + 2) {
        fputs(usage, stderr);
        return false;
    }
    out = out == NULL ? argv[i] : out;
    if (!open_pack(argv[i], &map, &pack)) {
        return false;
    }
    i++;
    Text rest;
    int found = 0;
    text_init(&rest, mem);
    avm_begin(&rest);
    for (size_t at = 0; avm_next(&pack, &at, &e);) {
        if (is_named(e.name, argc - i, argv + i)) {
            found++;
        } else {
            avm_add(&rest, e.name, e.flags, e.content);
        }
    }
    platform_unmap_file(&map);
    bool ok = found >= argc - i;
    if (!ok) {
        fprintf(stderr, "%s: not all of these files are in it\n", argv[i - 1]);
    }
    ok = ok && write_pack(out, &rest);
    text_done(&rest);
    return ok;
}

int cmd_pack(int argc, char **argv) {
    Mem mem;
    mem_init(&mem);
    const char *what = argc > 1 ? argv[1] : "";
    bool ok = strcmp(what, "create") == 0    ? create(&mem, argc - 1, argv + 1)
              : strcmp(what, "list") == 0    ? list(argc - 1, argv + 1)
              : strcmp(what, "extract") == 0 ? extract(argc - 1, argv + 1)
              : strcmp(what, "delete") == 0  ? delete (&mem, argc - 1, argv + 1)
                                             : (fputs(usage, stderr), false);
    return ok ? 0 : 1;
}
