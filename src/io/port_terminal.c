/* A line of text on the terminal. The port knows what is in the line and where the cursor is; commands put and insert characters,
   delete them, move. A character may take several cells: control characters show as ^X, what the terminal cannot show as \ooo; so a
   cell is a value and whether it begins a character. Escape sequences take no columns. */
#include "io/port_terminal.h"

#include "base/text.h"
#include "base/utf8.h"
#include "data/bits.h"
#include "platform/file.h"
#include "platform/platform.h"
#include "platform/terminal.h"
#include "proc/schedule.h"
#include "term/atom.h"

enum { COMMAND_PUT, COMMAND_MOVE, COMMAND_INSERT, COMMAND_DELETE, COMMAND_BEEP, COMMAND_PUT_SYNC };
enum { CONTROL_BASE = 0x018b0900, CONTROL_WINDOW_SIZE = CONTROL_BASE + 100, CONTROL_GET_UNICODE, CONTROL_SET_UNICODE };
enum { LINE_MAX_CELLS = 1 << 16, SYNC_LIMIT = 1024, DEFAULT_COLUMNS = 80, DEFAULT_ROWS = 24 };

typedef struct {
    uint32_t c;  /* what is written for it; 0: nothing (an escape sequence's rest is written as it is) */
    bool begins; /* a character */
} Cell;

typedef struct {
    Port port;
    Watcher watcher;
    int fd;
    bool opened; /* fd is ours */
    bool utf8;
    bool reply_later; /* {Port, ok} is owed */
    bool restore_blocking;
    unsigned watched;
    Cell *cells;
    size_t length, at, room; /* of the line; at: the cursor */
    int columns;
    bool wraps_late; /* the cursor stays behind the last column until something follows */
    const char *up, *down, *right;
    Text queue; /* output from queue_start on */
    size_t queue_start;
    uint8_t partial[UTF8_MAX]; /* the beginning of a character that has been read */
    size_t partial_size;
} Terminal;

/* --- Output -------------------------------------------------------------------------------------------------------- */

static void put(Terminal *t, const char *s) {
    if (s != NULL) {
        text_string(&t->queue, s);
    }
}

static size_t terminal_queued(const Port *port) {
    const Terminal *t = (const Terminal *)port;
    return t->queue.size - t->queue_start;
}

static void watch(Terminal *t, unsigned what) {
    if (t->watched != what) {
        t->watched = what;
        io_watch(t->port.vm, t->fd, what, &t->watcher);
    }
}

static void reply_ok(Terminal *t) {
    Heap h;
    heap_init_detached(&h, t->port.vm);
    t->reply_later = false;
    port_send(&t->port, A_ok, &h);
}

/* Writes what will go. The port may be gone afterwards. */
static void write_queue(Terminal *t) {
    int error = 0;
    while (terminal_queued(&t->port) > 0) {
        ptrdiff_t n = platform_write_some(t->fd, t->queue.at + t->queue_start, terminal_queued(&t->port), &error);
        if (n <= 0) {
            break;
        }
        t->queue_start += (size_t)n;
    }
    if (error != 0 || terminal_queued(&t->port) == 0) {
        t->queue.size = t->queue_start = 0;
    }
    watch(t, (t->port.flags & PORT_CLOSING ? 0u : POLL_READ) | (terminal_queued(&t->port) > 0 ? POLL_WRITE : 0u));
    if (t->port.flags & PORT_CLOSING) {
        if (terminal_queued(&t->port) == 0) {
            port_written(&t->port);
        }
    } else if (error != 0) {
        port_fail(&t->port, error);
    } else if (t->reply_later && terminal_queued(&t->port) <= SYNC_LIMIT) {
        reply_ok(t);
    }
}

/* --- Columns ------------------------------------------------------------------------------------------------------- */

static void update_columns(Terminal *t) {
    int columns, rows;
    t->columns = platform_window_size(t->fd, &columns, &rows) && columns > 0 ? columns : DEFAULT_COLUMNS;
}

/* Cells of the escape sequence that begins at i; 0: none does. Only colours are understood. */
static size_t escape_length(const Terminal *t, size_t i) {
    if (t->cells[i].c != 27) {
        return 0;
    }
    if (i + 1 >= t->length || t->cells[i + 1].c != '[') {
        return MIN(2, t->length - i);
    }
    size_t j = i + 2;
    while (j < t->length && (t->cells[j].c == ';' || (t->cells[j].c >= '0' && t->cells[j].c <= '9'))) {
        j++;
    }
    return MIN(j + 1, t->length) - i;
}

/* The column that a place in the line is at, counted from its beginning over all rows. */
static int column_of(const Terminal *t, size_t place) {
    int column = place > t->length ? (int)(place - t->length) : 0;
    size_t end = MIN(place, t->length);
    for (size_t i = 0; i < end;) {
        size_t n = escape_length(t, i);
        if (n > 0) {
            i += n;
        } else {
            column += MAX(terminal_width(t->cells[i].c), 0);
            i++;
        }
    }
    return column;
}

static void repeat(Terminal *t, const char *s, int n) {
    while (n-- > 0) {
        put(t, s);
    }
}

/* From one column to another; returns how far that is. */
static int move_columns(Terminal *t, int from, int to) {
    int lines = to / t->columns - from / t->columns, columns = to % t->columns - from % t->columns;
    repeat(t, t->down, lines);
    repeat(t, t->up, -lines);
    repeat(t, t->right, columns);
    repeat(t, "\b", -columns);
    return to - from;
}

static int move_cursor(Terminal *t, size_t from, size_t to) {
    return move_columns(t, column_of(t, from), column_of(t, to));
}

/* --- The line ------------------------------------------------------------------------------------------------------ */

static void put_cell(Terminal *t, uint32_t c) {
    if (t->utf8 || c < 0x80) {
        text_char(&t->queue, c);
    } else {
        text_byte(&t->queue, (uint8_t)c);
    }
}

/* Writes cells [from, to). At the end of a row the cursor is brought to the beginning of the next, unless a newline follows. */
static void write_cells(Terminal *t, size_t from, size_t to, bool newline_follows) {
    for (size_t i = from; i < to; i++) {
        put_cell(t, t->cells[i].c);
    }
    if (!newline_follows && t->wraps_late && to != 0 && column_of(t, to) % t->columns == 0) {
        put_cell(t, to >= t->length ? ' ' : to > 0 ? t->cells[to - 1].c : ' ');
        put(t, "\b");
    }
}

static bool make_room(Terminal *t, size_t more) {
    if (t->length + more <= t->room) {
        return true;
    }
    size_t room = MAX(2 * t->room, t->length + more + 256);
    Cell *cells = mem_resize(&t->port.vm->mem, MEM_SYSTEM, t->cells, t->room * sizeof *cells, room * sizeof *cells);
    if (cells == NULL) {
        return false;
    }
    t->cells = cells, t->room = room;
    return true;
}

/* Puts a cell at the cursor: over what is there, or (insert) in front of it. */
static void add_cell(Terminal *t, uint32_t c, bool begins, bool insert) {
    if (!make_room(t, 1)) {
        return;
    }
    if (insert) {
        memmove(t->cells + t->at + 1, t->cells + t->at, (t->length - t->at) * sizeof *t->cells);
        t->length++;
    }
    t->cells[t->at++] = (Cell){c, begins};
    t->length = MAX(t->length, t->at);
}

static void add_escaped(Terminal *t, uint32_t c, bool insert) {
    Text name;
    text_init(&name, &t->port.vm->mem);
    if (c < 01000) {
        text_format(&name, "\\%03o", c);
    } else {
        text_format(&name, "\\x{%X}", c);
    }
    for (size_t i = 0; i < name.size; i++) {
        add_cell(t, name.at[i], i == 0, insert);
    }
    text_done(&name);
}

/* Puts text into the line. What it adds begins at *from; a newline writes the line out and begins a new one. */
static void add_text(Terminal *t, Bytes text, bool insert, size_t *from) {
    const uint8_t *s = text.at, *end = s + text.size;
    *from = t->at;
    while (s < end) {
        uint32_t c;
        int n = utf8_read(s, end, &c);
        if (n <= 0) {
            c = *s, n = 1;
        }
        s += n;
        if (c == '\n' || c == '\r') {
            write_cells(t, *from, t->at, true);
            put(t, c == '\n' ? "\r\n" : "\r");
            t->length -= t->at;
            memmove(t->cells, t->cells + t->at, t->length * sizeof *t->cells);
            t->at = *from = 0;
        } else if (c == '\t') {
            add_cell(t, ' ', true, insert);
            while (t->at % 8 != 0) {
                add_cell(t, ' ', false, insert);
            }
        } else if (c == 27 || (c >= ' ' && c < 127) || (c >= 128 && (t->utf8 || (c <= 255 && terminal_printable(c))))) {
            add_cell(t, c, true, insert);
        } else if (c >= 128) {
            add_escaped(t, c, insert);
        } else {
            add_cell(t, '^', true, insert);
            add_cell(t, c == 127 ? '?' : c | 0x40, false, insert);
        }
    }
}

static void put_text(Terminal *t, Bytes text) {
    size_t from;
    add_text(t, text, false, &from);
    write_cells(t, from, t->at, false);
}

static void insert_text(Terminal *t, Bytes text) {
    size_t from;
    add_text(t, text, true, &from);
    write_cells(t, from, t->length, false);
    move_cursor(t, t->length, t->at);
}

/* The place n characters away. */
static size_t step(const Terminal *t, int n) {
    size_t at = t->at;
    for (; n > 0 && at < t->length; n--) {
        do {
            at++;
        } while (at < t->length && !t->cells[at].begins);
    }
    for (; n < 0 && at > 0; n++) {
        do {
            at--;
        } while (at > 0 && !t->cells[at].begins);
    }
    return at;
}

static void move(Terminal *t, int n) {
    size_t to = step(t, n);
    move_cursor(t, t->at, to);
    t->at = to;
}

/* Takes out the characters between the cursor and the place n characters away, and writes the rest of the line anew. */
static void delete (Terminal *t, int n) {
    size_t to = step(t, n);
    if (to == t->at) {
        return;
    }
    int gone;
    if (to > t->at) {
        gone = column_of(t, to) - column_of(t, t->at);
    } else {
        gone = -move_cursor(t, t->at, to);
    }
    size_t first = MIN(to, t->at), behind = MAX(to, t->at);
    memmove(t->cells + first, t->cells + behind, (t->length - behind) * sizeof *t->cells);
    t->length -= behind - first;
    t->at = first;
    write_cells(t, first, t->length, false);
    repeat(t, " ", gone);
    int end = column_of(t, t->length) + gone;
    if (t->wraps_late && end % t->columns == 0) {
        put(t, " \b");
    }
    move_columns(t, end, column_of(t, first));
}

/* --- The port ------------------------------------------------------------------------------------------------------ */

static void terminal_output(Port *port, Bytes data) {
    Terminal *t = (Terminal *)port;
    if (data.size == 0) {
        return;
    }
    int command = data.at[0];
    data.at++, data.size--;
    int n = data.size >= 2 ? (int16_t)(data.at[0] << 8 | data.at[1]) : 0;
    bool waiting = terminal_queued(port) > 0;
    update_columns(t);
    if (t->at > LINE_MAX_CELLS) {
        put_text(t, (Bytes){(const uint8_t *)"\n", 1});
    }
    switch (command) {
    case COMMAND_PUT:
    case COMMAND_PUT_SYNC: put_text(t, data); break;
    case COMMAND_MOVE: move(t, n); break;
    case COMMAND_INSERT: insert_text(t, data); break;
    case COMMAND_DELETE: delete (t, n); break;
    case COMMAND_BEEP: put(t, "\a"); break;
    default: break;
    }
    if (t->queue.failed) {
        port_fail(port, FILE_NO_MEMORY);
        return;
    }
    if (command == COMMAND_PUT_SYNC) {
        t->reply_later = true;
    }
    if (!waiting) {
        write_queue(t);
    } else if (t->reply_later && terminal_queued(port) <= SYNC_LIMIT) {
        reply_ok(t);
    }
}

/* What has been typed goes to the owner as UTF-8, whatever the terminal sends. */
static void read_keys(Terminal *t) {
    uint8_t buffer[UTF8_MAX + 1024];
    int error;
    memcpy(buffer, t->partial, t->partial_size);
    ptrdiff_t n = platform_read_some(t->fd, buffer + t->partial_size, sizeof buffer - t->partial_size, &error);
    if (n == 0) {
        return;
    }
    if (n < 0) {
        if (error != 0 || !(t->port.flags & PORT_SOFT_EOF)) {
            port_fail(&t->port, error == 0 ? FILE_INVALID : error);
            return;
        }
        watch(t, t->watched & ~(unsigned)POLL_READ);
        Heap h;
        heap_init_detached(&h, t->port.vm);
        port_send(&t->port, A_eof, &h);
        return;
    }
    size_t size = t->partial_size + (size_t)n, whole = 0;
    t->partial_size = 0;
    while (t->utf8 && whole < size) {
        uint32_t c;
        int k = utf8_read(buffer + whole, buffer + size, &c);
        if (k > 0) {
            whole += (size_t)k;
        } else if (size - whole < UTF8_MAX && buffer[whole] >= 0xc0) {
            t->partial_size = size - whole; /* the rest is to come */
            memcpy(t->partial, buffer + whole, t->partial_size);
            break;
        } else {
            t->utf8 = false; /* it is no UTF-8 terminal after all */
            whole = 0;
        }
    }
    if (t->utf8) {
        if (whole > 0) {
            port_send_data(&t->port, (Bytes){buffer, whole}, NONE);
        }
        return;
    }
    Text text;
    text_init(&text, &t->port.vm->mem);
    for (size_t i = 0; i < size; i++) {
        text_char(&text, buffer[i]);
    }
    port_send_data(&t->port, (Bytes){text.at, text.size}, NONE);
    text_done(&text);
}

static void ready(VM *vm UNUSED, Watcher *w, int fd UNUSED, unsigned what) {
    Terminal *t = (Terminal *)((uint8_t *)w - offsetof(Terminal, watcher));
    if (what == POLL_WRITE) {
        write_queue(t);
    } else if (!(t->port.flags & PORT_CLOSING)) {
        read_keys(t);
    } else {
        watch(t, POLL_WRITE);
    }
}

static term terminal_control(Port *port, Process *p, uint32_t operation, Bytes data) {
    Terminal *t = (Terminal *)port;
    if (operation == CONTROL_WINDOW_SIZE) {
        int size[2];
        if (!platform_window_size(t->fd, &size[0], &size[1])) {
            size[0] = DEFAULT_COLUMNS, size[1] = DEFAULT_ROWS;
        }
        return heap_latin1_list(&p->heap, (const char *)size, sizeof size);
    }
    if (operation != CONTROL_GET_UNICODE && operation != CONTROL_SET_UNICODE) {
        return NONE;
    }
    char before = t->utf8;
    if (operation == CONTROL_SET_UNICODE) {
        if (data.size == 0) {
            return NIL;
        }
        t->utf8 = data.at[0] != 0;
    }
    return heap_latin1_list(&p->heap, &before, 1);
}

static void terminal_stop(Port *port) {
    Terminal *t = (Terminal *)port;
    watch(t, 0);
    terminal_restore(t->fd);
    if (t->restore_blocking) {
        platform_set_blocking(t->fd, true);
    }
    if (t->opened) {
        platform_close(t->fd);
    }
    mem_free(&port->vm->mem, MEM_SYSTEM, t->cells, t->room * sizeof *t->cells);
    text_done(&t->queue);
}

/* The words behind the driver's name. False: the device cannot be opened. */
static bool read_options(const char *command, TerminalMode modes[3], int *fd) {
    static const char letters[] = "ces";
    *fd = 0;
    for (const char *s = strchr(command, ' '); s != NULL; s = strchr(s, ' ')) {
        s++;
        const char *letter = (*s == '+' || *s == '-') && s[1] != '\0' ? strchr(letters, s[1]) : NULL;
        if (letter != NULL) {
            modes[letter - letters] = *s == '+' ? MODE_ON : MODE_OFF;
        } else if (*s != '+' && *s != '-' && *s != ' ' && *s != '\0') {
            char name[256];
            size_t n = MIN(strcspn(s, " "), sizeof name - 1);
            memcpy(name, s, n);
            name[n] = '\0';
            if ((*fd = platform_open_stream(name, true, true)) < 0) {
                return false;
            }
        }
    }
    return true;
}

Port *port_open_terminal(Process *p, const char *command, uint32_t flags, int *error) {
    static const PortDriver driver = {sizeof(Terminal), terminal_output, terminal_control, terminal_queued, terminal_stop};
    TerminalMode modes[3] = {MODE_KEEP, MODE_KEEP, MODE_KEEP};
    const char *why;
    int fd;
    *error = FILE_INVALID;
    if (!platform_is_terminal(0) || !platform_is_terminal(1) || !read_options(command, modes, &fd)) {
        return NULL;
    }
    terminal_locale();
    Terminal *t = NULL;
    if (terminal_describe(NULL, &why) && terminal_text_old("up") != NULL && terminal_text_old("nd") != NULL &&
        terminal_set(fd, modes[0], modes[1], modes[2])) {
        t = (Terminal *)port_new(p, &driver, (Bytes){(const uint8_t *)command, strlen(command)});
    }
    if (t == NULL) {
        terminal_restore(fd);
        if (fd != 0) {
            platform_close(fd);
        }
        return NULL;
    }
    t->port.flags = flags;
    t->watcher.ready = ready;
    t->fd = fd;
    t->opened = fd != 0;
    t->utf8 = platform_utf8();
    t->up = terminal_text_old("up");
    t->right = terminal_text_old("nd");
    t->down = terminal_text_old("do");
    t->down = t->down == NULL ? "\n" : t->down;
    t->wraps_late = terminal_flag_old("xn") > 0;
    t->restore_blocking = platform_set_blocking(fd, false);
    text_init(&t->queue, &t->port.vm->mem);
    watch(t, POLL_READ);
    return &t->port;
}
