/* Signals by a pipe: the handler writes their numbers, the VM reads them when it polls. */
#include "platform/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static int ends[2]; /* 0: not made. There is one for the process, as its signals are */

static const struct {
    const char *name;
    int number;
} names[] = {
    {"sighup", SIGHUP}, {"sigquit", SIGQUIT}, {"sigabrt", SIGABRT}, {"sigalrm", SIGALRM}, {"sigterm", SIGTERM}, {"sigusr1", SIGUSR1},
    {"sigusr2", SIGUSR2}, {"sigchld", SIGCHLD}, {"sigstop", SIGSTOP}, {"sigtstp", SIGTSTP}, {"sigcont", SIGCONT}, {"sigwinch", SIGWINCH},
};

static void arrived(int number) {
    int saved = errno;
    uint8_t b = (uint8_t)number;
    ssize_t n = write(ends[1], &b, 1);
    (void)n;
    errno = saved;
}

int signals_open(void) {
    if (ends[0] == 0 && pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        ends[0] = 0;
        return -1;
    }
    return ends[0];
}

bool signals_set(const char *name, SignalsUse use) {
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i].name, name) == 0) {
            struct sigaction a = {.sa_flags = SA_RESTART};
            a.sa_handler = use == SIGNALS_HANDLE ? arrived : use == SIGNALS_IGNORE ? SIG_IGN : SIG_DFL;
            return (use != SIGNALS_HANDLE || signals_open() >= 0) && (sigaction(names[i].number, &a, NULL) == 0 || errno == EINVAL);
        }
    }
    return false;
}

const char *signals_next(void) {
    uint8_t b;
    if (read(ends[0], &b, 1) == 1) {
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
            if (names[i].number == b) {
                return names[i].name;
            }
        }
    }
    return NULL;
}
