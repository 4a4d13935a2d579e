/* One run with a seed, or one run per seed until one fails. */
#include "vm/seed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/environment.h"

enum { SECONDS_MAX = 60 }; /* a run that takes longer has failed */

static const char *read_number(const char *text, uint64_t *number) {
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && errno == 0 ? end : NULL;
}

bool seed_read(const char *text, uint64_t *seed) {
    const char *end = read_number(text, seed);
    return end != NULL && *end == '\0';
}

static bool read_range(const char *text, uint64_t *first, uint64_t *last) {
    const char *end = read_number(text, first);
    return end != NULL && strncmp(end, "..", 2) == 0 && seed_read(end + 2, last) && *first <= *last;
}

static bool use(uint64_t seed) {
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, seed);
    return environment_set("MOTE_SEED", text);
}

/* In a process of its own, its output in a file. Returns its wait status; -1: it cannot be had. */
static int run_apart(uint64_t seed, int argc, char **argv, Command *command, FILE *output) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        alarm(SECONDS_MAX);
        FILE *input = freopen("/dev/null", "r", stdin);
        if (input == NULL || dup2(fileno(output), 1) < 0 || dup2(fileno(output), 2) < 0 || !use(seed)) {
            _exit(127);
        }
        exit(command(argc, argv));
    }
    int status;
    while (child > 0 && waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return -1;
        }
    }
    return child < 0 ? -1 : status;
}

static void show(FILE *output) {
    char block[4096];
    rewind(output);
    for (size_t n; (n = fread(block, 1, sizeof block, output)) > 0;) {
        fwrite(block, 1, n, stdout);
    }
    fflush(stdout);
}

static void tell_failure(uint64_t seed, int status, int argc, char **argv) {
    fprintf(stderr, "mote: seed %" PRIu64 " fails: ", seed);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
        fprintf(stderr, "it takes more than %d seconds", SECONDS_MAX);
    } else if (WIFSIGNALED(status)) {
        fprintf(stderr, "signal %d", WTERMSIG(status));
    } else {
        fprintf(stderr, "status %d", WEXITSTATUS(status));
    }
    fprintf(stderr, ". Again: mote --seed %" PRIu64, seed);
    for (int i = 1; i < argc; i++) {
        fprintf(stderr, " %s", argv[i]);
    }
    fputc('\n', stderr);
}

static int sweep(uint64_t first, uint64_t last, int argc, char **argv, Command *command) {
    for (uint64_t seed = first;; seed++) {
        FILE *output = tmpfile();
        int status = output == NULL ? -1 : run_apart(seed, argc, argv, command, output);
        if (status == -1) {
            perror("mote: a run for one seed cannot be started");
            return 2;
        }
        if (status != 0) {
            show(output);
            tell_failure(seed, status, argc, argv);
            return 1;
        }
        fclose(output);
        if (seed == last) {
            printf("seeds %" PRIu64 " to %" PRIu64 ": no run fails\n", first, last);
            return 0;
        }
    }
}

static int complain(const char *word, const char *text) {
    fprintf(stderr, "mote: %s: %s (mote --help tells more)\n", word, text);
    return 2;
}

int seed_run(int argc, char **argv, Command *command) {
    uint64_t first = 0, last = 0;
    bool one = argc > 1 && strcmp(argv[1], "--seed") == 0;
    if (!one && (argc < 2 || strcmp(argv[1], "--seed-sweep") != 0)) {
        const char *text = environment_get("MOTE_SEED");
        return text == NULL || seed_read(text, &first) ? command(argc, argv) : complain("MOTE_SEED", "must be a number");
    }
    if (argc == 2) {
        return complain(argv[1], one ? "needs a number behind it" : "needs a range of numbers behind it");
    }
    if (one ? !seed_read(argv[2], &first) : !read_range(argv[2], &first, &last)) {
        return complain(argv[1], one ? "a number must follow" : "two numbers must follow, such as 1..1000");
    }
    argv[2] = argv[0];
    if (!one) {
        return sweep(first, last, argc - 2, argv + 2, command);
    }
    return use(first) ? command(argc - 2, argv + 2) : complain(argv[1], "out of memory");
}
