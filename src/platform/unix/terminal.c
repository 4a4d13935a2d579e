/* The terminal by termios, its description by libtinfo. */
#include "platform/terminal.h"

#include "platform/library.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

/* From term.h, which defines more names than can be had here. */
int setupterm(const char *type, int fd, int *error);
char *tigetstr(const char *name);
char *tgetstr(const char *name, char **area);
int tgetnum(const char *name);
int tgetflag(const char *name);
char *tgoto(const char *capability, int column, int line);
char *tiparm(const char *capability, ...);

static struct {
    int pipe[2]; /* signals as bytes; 0: not made */
    int fd;      /* whose modes are ours; -1: none */
    struct termios before, ours;
    bool no_interrupt;
} terminal = {.fd = -1};

static void signalled(int signal) {
    int saved = errno;
    if (signal == SIGCONT && terminal.fd >= 0) {
        tcsetattr(terminal.fd, TCSANOW, &terminal.ours);
    }
    if (terminal.pipe[1] > 0) {
        uint8_t b = signal == SIGCONT ? TERMINAL_CONTINUED : TERMINAL_RESIZED;
        ssize_t n = write(terminal.pipe[1], &b, 1);
        (void)n;
    }
    errno = saved;
}

static void handle(int signal) {
    sigaction(signal, &(struct sigaction){.sa_handler = signalled, .sa_flags = SA_RESTART}, NULL);
}

int terminal_signals(void) {
    if (terminal.pipe[0] == 0) {
        if (pipe2(terminal.pipe, O_CLOEXEC | O_NONBLOCK) < 0) {
            terminal.pipe[0] = 0;
            return -1;
        }
        handle(SIGWINCH);
        handle(SIGCONT);
    }
    return terminal.pipe[0];
}

TerminalSignal terminal_next_signal(void) {
    uint8_t b;
    return read(terminal.pipe[0], &b, 1) == 1 ? b : TERMINAL_NOTHING;
}

static void change(tcflag_t *flags, tcflag_t bits, TerminalMode mode) {
    if (mode == MODE_ON) {
        *flags |= bits;
    } else if (mode == MODE_OFF) {
        *flags &= ~bits;
    }
}

bool terminal_set(int fd, TerminalMode canonical, TerminalMode echo, TerminalMode signals) {
    bool again = terminal.fd == fd;
    if (!again && tcgetattr(fd, &terminal.before) < 0) {
        return false;
    }
    struct termios t = terminal.before;
    t.c_iflag &= ~(tcflag_t)ISTRIP;
    change(&t.c_iflag, ICRNL, canonical);
    change(&t.c_lflag, ICANON, canonical);
    change(&t.c_oflag, OPOST, canonical);
    if (canonical == MODE_OFF) {
        t.c_cc[VMIN] = 1, t.c_cc[VTIME] = 0;
    }
    change(&t.c_lflag, ECHO, echo);
    change(&t.c_iflag, BRKINT | IGNPAR | ICRNL | IXON | IXANY, signals);
    change(&t.c_lflag, ISIG | IEXTEN, signals);
    if (terminal.no_interrupt) {
        t.c_cc[VINTR] = _POSIX_VDISABLE;
    }
    if (tcsetattr(fd, TCSANOW, &t) < 0) {
        return false;
    }
    terminal.ours = t;
    terminal.fd = fd;
    if (!again) {
        handle(SIGCONT);
    }
    return true;
}

void terminal_restore(int fd) {
    if (terminal.fd == fd) {
        terminal.fd = -1;
        tcsetattr(fd, TCSANOW, &terminal.before);
    }
}

bool terminal_describe(const char *type, const char **why) {
    int error;
    if (setupterm(type, STDOUT_FILENO, &error) == 0) {
        return true;
    }
    *why = error == 1 ? "hardcopy terminal" : error == 0 ? "unknown terminal" : "terminfo database missing";
    return false;
}

void terminal_as_before(void) {
    if (terminal.fd >= 0) {
        tcsetattr(terminal.fd, TCSANOW, &terminal.before);
    }
}

void terminal_as_set(void) {
    if (terminal.fd >= 0) {
        tcsetattr(terminal.fd, TCSANOW, &terminal.ours);
    }
}

void terminal_no_interrupt(int fd) {
    terminal.no_interrupt = true;
    if (isatty(fd)) {
        terminal_set(fd, MODE_KEEP, MODE_KEEP, MODE_KEEP);
    }
}

static const char *present(const char *s) {
    return s == NULL || s == (char *)-1 ? NULL : s;
}

const char *terminal_text(const char *name) {
    return present(tigetstr(name));
}

const char *terminal_text_old(const char *name) {
    return present(tgetstr(name, NULL));
}

int terminal_number_old(const char *name) {
    return tgetnum(name);
}

int terminal_flag_old(const char *name) {
    return tgetflag(name);
}

const char *terminal_move(const char *capability, int column, int line) {
    return tgoto(capability, column, line);
}

const char *terminal_fill(const char *capability, const int *a, size_t count) {
    int n[9] = {0};
    memcpy(n, a, MIN(count, ARRAY_LEN(n)) * sizeof *a);
    return tiparm(capability, n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8]);
}

void terminal_pad(const char *s, Text *out) {
    while (*s != '\0') {
        const char *end = s[0] == '$' && s[1] == '<' ? strchr(s, '>') : NULL;
        if (end != NULL) {
            s = end + 1;
        } else {
            text_byte(out, (uint8_t)*s++);
        }
    }
}

bool terminal_name(TerminalKind kind, size_t i, TerminalName *name) {
    static const char *const tables[][3] = {
        {"boolnames", "boolcodes", "boolfnames"}, {"numnames", "numcodes", "numfnames"}, {"strnames", "strcodes", "strfnames"}};
    void *library = library_open("libtinfo.so.6");
    const char *const *at[3];
    for (int k = 0; k < 3; k++) {
        at[k] = library == NULL ? NULL : library_symbol(library, tables[kind][k]);
        if (at[k] == NULL || at[k][i] == NULL) {
            return false;
        }
    }
    *name = (TerminalName){at[0][i], at[1][i], at[2][i]};
    return true;
}

bool terminal_locale(void) {
    return setlocale(LC_CTYPE, "") != NULL && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

int terminal_width(uint32_t c) {
    return wcwidth((wchar_t)c);
}

bool terminal_printable(uint32_t c) {
    return iswprint((wint_t)c) != 0;
}
