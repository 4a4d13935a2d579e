/* Reads files as the loader would, and says what it found. */
#include "vm/cmd_verify.h"

#include <stdio.h>

#include "code/avm.h"
#include "code/beam.h"
#include "platform/platform.h"

static bool complain(const LoadError *error) {
    char line[640];
    load_error_text(error, line, sizeof line);
    fprintf(stderr, "%s\n", line);
    return false;
}

static bool verify_beam(VM *vm, const char *name, Bytes bytes) {
    LoadError error;
    BeamFile *b = beam_read(vm, name, bytes, &error);
    if (b == NULL) {
        return complain(&error);
    }
    beam_free(b);
    return true;
}

static bool verify_pack(VM *vm, const char *name, Bytes bytes) {
    LoadError error;
    Avm pack;
    AvmEntry e;
    bool ok = true;
    if (!avm_open(&pack, name, bytes, &error)) {
        return complain(&error);
    }
    for (size_t at = 0; avm_next(&pack, &at, &e);) {
        if (e.flags & AVM_BEAM) {
            char text[256];
            snprintf(text, sizeof text, "%s: %.*s", name, (int)e.name.size, (const char *)e.name.at);
            ok &= verify_beam(vm, text, e.content);
        }
    }
    return ok;
}

int cmd_verify(VM *vm, int argc, char **argv) {
    int status = argc > 1 ? 0 : 1;
    if (argc < 2) {
        fprintf(stderr, "usage: mote verify FILE...\n");
    }
    for (int i = 1; i < argc; i++) {
        FileMap map;
        int error;
        if (!platform_map_file(argv[i], &map, &error)) {
            fprintf(stderr, "%s: %s\n", argv[i], strerror(error));
            status = 1;
            continue;
        }
        Bytes bytes = {map.at, map.size};
        if (avm_is_pack(bytes) ? verify_pack(vm, argv[i], bytes) : verify_beam(vm, argv[i], bytes)) {
            printf("%s: ok\n", argv[i]);
        } else {
            status = 1;
        }
        platform_unmap_file(&map);
    }
    return status;
}
