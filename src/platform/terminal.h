/* The terminal: its modes, and what it understands (terminfo). There is one per operating system process: its modes are restored
   when the process is continued after having been stopped, and by terminal_restore. */
#ifndef MOTE_PLATFORM_TERMINAL_H
#define MOTE_PLATFORM_TERMINAL_H

#include "base/text.h"

typedef enum { MODE_KEEP, MODE_ON, MODE_OFF } TerminalMode;

/* canonical: input by lines, edited by the system; echo: what is typed is shown; signals: ^C, ^Z ... send signals. */
bool terminal_set(int fd, TerminalMode canonical, TerminalMode echo, TerminalMode signals);
void terminal_restore(int fd); /* as it was before terminal_set */
/* For a while, whatever has been set: as it was before, and as it was set again. May be called by handlers of signals. */
void terminal_as_before(void);
void terminal_as_set(void);
/* From now on the key of the interrupt is one like any other (where fd is a terminal). */
void terminal_no_interrupt(int fd);

/* A descriptor that can be read when the window has changed its size or the process has been continued; < 0: none to be had. */
int terminal_signals(void);
typedef enum { TERMINAL_NOTHING, TERMINAL_RESIZED, TERMINAL_CONTINUED } TerminalSignal;
TerminalSignal terminal_next_signal(void);

/* Reads the description of this kind of terminal (NULL: of $TERM). False: there is none; *why says so. */
bool terminal_describe(const char *type, const char **why);
/* A capability by its terminfo name. NULL: absent. */
const char *terminal_text(const char *name);
/* By termcap names: NULL, -1, -1: absent. */
const char *terminal_text_old(const char *name);
int terminal_number_old(const char *name);
int terminal_flag_old(const char *name);
const char *terminal_move(const char *capability, int column, int line);               /* NULL: cannot be */
const char *terminal_fill(const char *capability, const int *arguments, size_t count); /* with its parameters put in */

void terminal_pad(const char *s, Text *out); /* without what tells to wait: no terminal that is left needs it */

/* The names of all capabilities there are. False: i is beyond the last. */
typedef enum { TERMINAL_FLAG, TERMINAL_NUMBER, TERMINAL_TEXT } TerminalKind;
typedef struct {
    const char *name, *code, *full;
} TerminalName;
bool terminal_name(TerminalKind kind, size_t i, TerminalName *name);

bool terminal_locale(void);     /* takes over the user's; is text UTF-8 in it? */
int terminal_width(uint32_t c); /* columns of a character; -1: cannot be printed */
bool terminal_printable(uint32_t c);

#endif
