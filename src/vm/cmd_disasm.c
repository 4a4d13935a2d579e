/* mote disasm: what a file's code looks like. */
#include "vm/cmd_disasm.h"

#include <stdio.h>

#include "code/disasm.h"
#include "native/native.h"
#include "platform/platform.h"
#include "term/atom.h"

static int usage(void) {
    fprintf(stderr, "usage: mote disasm [--native] FILE [M:F/A]\n");
    return 2;
}

static int complain(const LoadError *error) {
    char line[640];
    load_error_text(error, line, sizeof line);
    fprintf(stderr, "%s\n", line);
    return 1;
}

/* Is this function the one asked for, as "f/1" or "m:f/1"? */
static bool is_wanted(VM *vm, const Function *f, const char *wanted) {
    if (wanted == NULL) {
        return true;
    }
    const char *colon = strchr(wanted, ':'), *name = colon != NULL && colon[1] != '\0' ? colon + 1 : wanted;
    Bytes text = atom_text(vm, f->name);
    char here[300];
    snprintf(here, sizeof here, "%.*s/%u", (int)text.size, (const char *)text.at, f->arity);
    return strcmp(here, name) == 0 || strcmp(here, wanted) == 0;
}

/* Machine code as bytes, sixteen a line: any disassembler reads them (objdump -D -b binary -m i386:x86-64). */
static void print_native(Machine *m, const char *name, Bytes file, const char *wanted) {
    LoadError error = {0};
    Module *module = machine_load_bytes(m, name, file, "", &error);
    if (module == NULL) {
        complain(&error);
        return;
    }
    const ModuleCode *code = module->current != NULL ? module->current : NULL;
    for (uint32_t i = 0; code != NULL && i < code->function_count; i++) {
        const Function *f = &code->functions[i];
        if (!is_wanted(&m->vm, f, wanted)) {
            continue;
        }
        Bytes text = atom_text(&m->vm, f->name), bytes = native_code(&m->vm, code, f);
        printf("\n%.*s/%u: %s\n", (int)text.size, (const char *)text.at, f->arity,
               bytes.size == 0 ? "no native code: it stays interpreted" : "native");
        for (size_t at = 0; at < bytes.size; at++) {
            printf(at % 16 == 0 ? "    %02x" : at % 16 == 15 || at + 1 == bytes.size ? " %02x\n" : " %02x", bytes.at[at]);
        }
        printf(bytes.size % 16 == 1 ? "\n" : "");
    }
}

int cmd_disasm(Machine *m, int argc, const char **argv) {
    bool native = argc > 1 && strcmp(argv[1], "--native") == 0;
    if (native) {
        argc--, argv++;
    }
    if (argc < 2 || argc > 3) {
        return usage();
    }
    FileMap map;
    int number;
    if (!platform_map_file(argv[1], &map, &number)) {
        fprintf(stderr, "%s: %s\n", argv[1], strerror(number));
        return 1;
    }
    const char *wanted = argc == 3 ? argv[2] : NULL;
    Bytes file = {map.at, map.size};
    LoadError error = {0};
    Text out;
    text_init(&out, &m->vm.mem);
    bool ok = disassemble(&out, &m->vm, argv[1], file, wanted, &error);
    if (out.size > 0) {
        fwrite(out.at, 1, out.size, stdout);
    }
    size_t out_size = out.size;
    text_done(&out);
    int status = ok ? 0 : complain(&error);
    if (ok && out_size == 0 && wanted != NULL) {
        fprintf(stderr, "%s: there is no function %s\n", argv[1], wanted);
        status = 1;
    }
    if (ok && native) {
        print_native(m, argv[1], file, wanted);
    }
    platform_unmap_file(&map);
    return status;
}
