/* Signals by a pipe: the handler writes their numbers, the VM reads them when it polls. */
#include "platform/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "platform/terminal.h"

static int ends[2]; /* 0: not made. There is one for the process, as its signals are */

static const struct {
    const char *name;
    int number;
} names[] = {
    {"sighup", SIGHUP},   {"sigquit", SIGQUIT}, {"sigabrt", SIGABRT}, {"sigalrm", SIGALRM}, {"sigterm", SIGTERM}, {"sigusr1", SIGUSR1},
    {"sigusr2", SIGUSR2}, {"sigchld", SIGCHLD}, {"sigstop", SIGSTOP}, {"sigtstp", SIGTSTP}, {"sigcont", SIGCONT}, {"sigwinch", SIGWINCH},
};

static void arrived(int number) {
    int saved = errno;
    uint8_t b = (uint8_t)number;
    ssize_t n = write(ends[1], &b, 1);
    (void)n;
    errno = saved;
}

static volatile sig_atomic_t interrupted;

static void interrupt(int number) {
    if (interrupted) {
        terminal_as_before();
        _exit(0);
    }
    interrupted = 1;
    arrived(number);
}

void signals_interrupt_over(void) {
    interrupted = 0;
}

int signals_open(void) {
    if (ends[0] == 0 && pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        ends[0] = 0;
        return -1;
    }
    return ends[0];
}

static bool set(int number, SignalsUse use, void (*handler)(int)) {
    struct sigaction a = {.sa_flags = SA_RESTART};
    a.sa_handler = use == SIGNALS_HANDLE ? handler : use == SIGNALS_IGNORE ? SIG_IGN : SIG_DFL;
    return (use != SIGNALS_HANDLE || signals_open() >= 0) && (sigaction(number, &a, NULL) == 0 || errno == EINVAL);
}

bool signals_interrupt(SignalsUse use) {
    return set(SIGINT, use, interrupt);
}

bool signals_set(const char *name, SignalsUse use) {
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i].name, name) == 0) {
            return set(names[i].number, use, arrived);
        }
    }
    return false;
}

const char *signals_next(void) {
    uint8_t b;
    if (read(ends[0], &b, 1) == 1) {
        if (b == SIGINT) {
            return "sigint";
        }
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
            if (names[i].number == b) {
                return names[i].name;
            }
        }
    }
    return NULL;
}
