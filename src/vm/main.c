/* The mote command. */
#include <stdio.h>
#include <unistd.h>

#include "io/io.h"
#include "platform/platform.h"
#include "vm/boot.h"
#include "vm/cmd_disasm.h"
#include "vm/cmd_pack.h"
#include "vm/cmd_verify.h"
#include "vm/machine.h"
#include "vm/seed.h"

enum { FIRST_MEMORY = 332 << 10 }; /* about what hello world takes */

static const char help[] =
    "mote [OPTION...] FILE [ARG...]     run a .beam, .avm or .erl file: start/0, or main/1 with the arguments\n"
    "mote erl [ARG...]                  Erlang/OTP's erl, as it is installed, on this machine\n"
    "mote otp-dir DIR                   make a folder in which the installed erl, erlc, escript ... run on Mote\n"
    "mote verify FILE...                check .beam files and packs; status 1 and a line for each that is damaged\n"
    "mote disasm [--native] FILE [M:F/A]  list the code of a file or of one function\n"
    "mote --seed N ...                  the same with every free choice drawn from N and time made up: the same run again and again\n"
    "mote --seed-sweep A..B ...         one run for each seed; tells of the first that fails\n"
    "mote pack create [-s START] OUT FILE... | list FILE | extract FILE [NAME...] | delete FILE NAME...\n"
    "\n"
    "  -pa DIR                  look for modules in DIR first\n"
    "  -s M [F [Atom...]]       call M:F (start); with words: F([Atom...])\n"
    "  -run M [F [String...]]   the same with strings\n"
    "  -e EXPR                  evaluate an Erlang expression and print its value\n"
    "  --eunit M                run the tests of M; status 1 if one fails\n"
    "  --native                 run machine code\n"
    "  --stats                  print memory, collections, reductions and time at the end\n"
    "  --version, --help\n";

static int run(int argc, const char **argv) {
    Options o;
    OptionError error;
    if (!options_parse(&o, argc, argv, &error)) {
        fprintf(stderr, "mote: %s: %s (mote --help tells more)\n", error.word, error.text);
        return 2;
    }
    if (o.version) {
        printf("mote %s\n", MOTE_VERSION);
        return 0;
    }
    if (o.help || o.action_count == 0) {
        fputs(help, o.help ? stdout : stderr);
        return o.help ? 0 : 2;
    }
    platform_prepare_heap(FIRST_MEMORY);
    Machine *m = machine_new(&o);
    if (m == NULL) {
        fprintf(stderr, "mote: out of memory\n");
        return 1;
    }
    int status = machine_run(m);
    if (o.stats) {
        machine_print_stats(m);
    }
#ifdef NDEBUG
    bool others = m->vm.io->nifs != NULL; /* our own output is never kept back */
    io_done(&m->vm);
    if (others) {
        fflush(NULL);
    }
    _exit(status); /* the system frees faster than we do */
#endif
    machine_free(m);
    return status;
}

/* verify and disasm need a machine, but run nothing on it. */
static int with_machine(int argc, char **argv) {
    Options o = {.native = argc > 2 && strcmp(argv[2], "--native") == 0};
    Machine *m = machine_new(&o);
    if (m == NULL) {
        fprintf(stderr, "mote: out of memory\n");
        return 1;
    }
    int status = argv[1][0] == 'v' ? cmd_verify(&m->vm, argc - 1, argv + 1) : cmd_disasm(m, argc - 1, (const char **)argv + 1);
    machine_free(m);
    return status;
}

static int command(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "erl") == 0) {
        return boot_erl(argc - 1, argv + 1);
    }
    if (argc > 1 && strcmp(argv[1], "otp-dir") == 0) {
        return cmd_otp_dir(argc - 1, argv + 1);
    }
    if (boot_is_emulator(argc, argv)) {
        return boot_emulator(argc, argv);
    }
    if (argc > 1 && strcmp(argv[1], "pack") == 0) {
        return cmd_pack(argc - 1, argv + 1);
    }
    if (argc > 1 && (strcmp(argv[1], "verify") == 0 || strcmp(argv[1], "disasm") == 0)) {
        return with_machine(argc, argv);
    }
    return run(argc, (const char **)argv);
}

int main(int argc, char **argv) {
    platform_standard_files();
    return seed_run(argc, argv, command);
}
