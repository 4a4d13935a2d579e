/* The natives of OTP's module prim_tty: the terminal from OTP 26 on. OTP 26 and 27 ask by tgetent and its kin, later ones by
   setupterm; both are here. Names of capabilities arrive with a zero behind them. */
#include "base/text.h"
#include "bif/file_job.h"
#include "data/bits.h"
#include "data/integer.h"
#include "data/iolist.h"
#include "data/map.h"
#include "io/select.h"
#include "platform/platform.h"
#include "platform/terminal.h"

#define GUARD_BEGIN(p) io_lock(process_vm(p))
#define GUARD_END(p) io_unlock(process_vm(p))
#include "bif/guarded.h"

/* A terminal behind a magic reference. */
typedef struct {
    Resource resource;
    int in, out;
    bool available;                        /* out is a terminal */
    bool changed;                          /* its modes are ours, and are to be restored */
    TerminalMode canonical, echo, signals; /* OTP 26 and 27: for tty_set */
} Tty;

static const char tty_type[] = "tty";

static void tty_destroy(VM *vm, Resource *r) {
    Tty *t = (Tty *)r;
    if (t->changed) {
        terminal_restore(t->out);
    }
    MEM_DELETE(&vm->mem, MEM_SYSTEM, t);
}

static Tty *tty_of(term t) {
    if (!is_magic_ref(t)) {
        return NULL;
    }
    Resource *r = magic_resource(t);
    return r->type == tty_type ? (Tty *)r : NULL;
}

#define TTY(t)                  \
    Tty *t = tty_of(a[0]);      \
    if (t == NULL) {            \
        return raise_badarg(p); \
    }

static term error_atom(Process *p, term reason) {
    return TUPLE2(HEAP(p), A_error, reason);
}

static int standard_fd(term name) {
    return name == A_stdin ? 0 : name == A_stdout ? 1 : name == A_stderr ? 2 : -1;
}

/* A zero-terminated name; false: it is none. */
static bool name_of(Process *p, term t, char *to, size_t size) {
    Text text;
    text_init(&text, &process_vm(p)->mem);
    bool good = iolist_bytes(process_vm(p), t, &text) == IOLIST_OK && text.size > 0 && text.size <= size && text.at[text.size - 1] == 0;
    if (good) {
        memcpy(to, text.at, text.size);
    }
    text_done(&text);
    return good;
}

static term ok_text(Process *p, const char *s) {
    return TUPLE2(HEAP(p), A_ok, bits_from(HEAP(p), s, strlen(s)));
}

BIF(prim_tty, isatty, 1) {
    int fd = standard_fd(a[0]);
    FileInfo info;
    if (fd < 0) {
        return raise_badarg(p);
    }
    return platform_is_terminal(fd) ? A_true : file_info_of(fd, &info) == 0 ? A_false : A_ebadf;
}

static term tty_create(Process *p, int out) {
    Tty *t = MEM_NEW(&process_vm(p)->mem, MEM_SYSTEM, Tty);
    if (t == NULL) {
        return bif_no_memory(p);
    }
    *t = (Tty){.resource = {1, tty_destroy, tty_type}, .in = 0, .out = out, .available = platform_is_terminal(out)};
    return TUPLE2(HEAP(p), A_ok, heap_magic_ref(HEAP(p), &t->resource));
}

BIF(prim_tty, tty_create, 0) {
    return tty_create(p, 1);
}

BIF(prim_tty, tty_create, 1) {
    return a[0] == A_stdout || a[0] == A_stderr ? tty_create(p, standard_fd(a[0])) : raise_badarg(p);
}

/* --- Modes --------------------------------------------------------------------------------------------------------- */

static TerminalMode mode_of(VM *vm, term options, term key) {
    term value = map_get(vm, options, key);
    return value == A_true ? MODE_ON : value == A_false ? MODE_OFF : MODE_KEEP;
}

/* tty_init(Tty, stdout, #{canon, echo, sig}): remembers them for tty_set. */
BIF(prim_tty, tty_init, 3) {
    TTY(t);
    if (standard_fd(a[1]) < 0 || !is_map(a[2])) {
        return raise_badarg(p);
    }
    if (!t->available) {
        return error_atom(p, A_enotsup);
    }
    VM *vm = process_vm(p);
    t->canonical = mode_of(vm, a[2], A_canon), t->echo = mode_of(vm, a[2], A_echo), t->signals = mode_of(vm, a[2], A_sig);
    return A_ok;
}

BIF(prim_tty, tty_set, 1) {
    TTY(t);
    if (!t->available) {
        return error_atom(p, A_enotsup);
    }
    t->changed = true;
    return terminal_set(t->out, t->canonical, t->echo, t->signals) ? A_ok : error_atom(p, A_enotsup);
}

/* tty_init(Tty, #{input => raw | cooked | disabled}). */
BIF(prim_tty, tty_init, 2) {
    TTY(t);
    term input = is_map(a[1]) ? map_get(process_vm(p), a[1], A_input) : NONE;
    if (input == NONE) {
        return raise_badarg(p);
    }
    if (!t->available) {
        return input == A_raw ? error_atom(p, A_enotsup) : A_ok;
    }
    if (input == A_raw) {
        t->changed = true;
        return terminal_set(t->out, MODE_OFF, MODE_OFF, MODE_KEEP) ? A_ok : error_atom(p, A_enotsup);
    }
    if (t->changed) {
        terminal_restore(t->out);
        t->changed = false;
    }
    return A_ok;
}

BIF(prim_tty, setlocale, 1) {
    TTY(t);
    return t != NULL && terminal_locale() ? A_true : A_false;
}

BIF(prim_tty, tty_encoding, 1) {
    TTY(t);
    return t != NULL ? A_utf8 : A_latin1;
}

BIF(prim_tty, tty_window_size, 1) {
    TTY(t);
    int columns, rows;
    if (!platform_window_size(t->out, &columns, &rows)) {
        return error_atom(p, A_enotsup);
    }
    return TUPLE2(HEAP(p), A_ok, TUPLE2(HEAP(p), SMALL(columns), SMALL(rows)));
}

BIF(prim_tty, tty_is_open, 2) {
    TTY(t);
    int fd = standard_fd(a[1]);
    return t == NULL || fd < 0 ? raise_badarg(p) : platform_hung_up(fd) ? A_false : A_true;
}

/* --- Reading and writing ------------------------------------------------------------------------------------------- */

/* {select, Tty, Ref, ready_input} comes to this process once. */
static bool select_input(Process *p, int fd, term tty, term ref) {
    term message = TUPLE4(HEAP(p), A_select, tty, ref, A_ready_input);
    return select_read(process_vm(p), fd, p->pid, message);
}

BIF(prim_tty, tty_select, 2) {
    TTY(t);
    return select_input(p, t->in, a[0], a[1]) ? A_ok : error_atom(p, A_ebadf);
}

/* tty_select(Tty, SignalRef, ReaderRef): also of what the system says about the window. */
BIF(prim_tty, tty_select, 3) {
    TTY(t);
    int signals = terminal_signals();
    return signals >= 0 && select_input(p, signals, a[0], a[1]) && select_input(p, t->in, a[0], a[2]) ? A_ok : error_atom(p, A_ebadf);
}

BIF(prim_tty, tty_read_signal, 2) {
    TTY(t);
    TerminalSignal signal = terminal_next_signal();
    select_input(p, terminal_signals(), a[0], a[1]);
    return t == NULL || signal == TERMINAL_NOTHING ? error_atom(p, A_eagain)
                                                   : TUPLE2(HEAP(p), A_ok, signal == TERMINAL_RESIZED ? A_winch : A_cont);
}

static term read_input(Process *p, Tty *t, term tty, term ref, size_t size) {
    uint8_t buffer[1024];
    int error;
    /* Told that there is something to read, another reader of the same terminal may have been quicker. */
    ptrdiff_t n = platform_wait_readable(t->in, 0) ? platform_read_some(t->in, buffer, MIN(size, sizeof buffer), &error) : 0;
    if (n < 0) {
        return error == 0 ? error_atom(p, A_closed) : file_error(p, error);
    }
    select_input(p, t->in, tty, ref);
    return TUPLE2(HEAP(p), A_ok, bits_from(HEAP(p), buffer, (size_t)n));
}

BIF(prim_tty, read_nif, 2) {
    TTY(t);
    return read_input(p, t, a[0], a[1], SIZE_MAX);
}

BIF(prim_tty, read_nif, 3) {
    TTY(t);
    uint64_t size;
    if (!is_integer(a[2]) || !integer_to_uint64(a[2], &size)) {
        return raise_badarg(p);
    }
    return read_input(p, t, a[0], a[1], size);
}

static int run_write(FileJob *j) {
    for (size_t i = 0; i < j->part_count; i++) {
        const FilePart *part = &j->parts[i];
        const uint8_t *at = (part->buffer == NULL ? j->text.at : part->buffer->data) + part->start;
        if (!platform_write((int)j->number[0], at, part->size)) {
            return FILE_BROKEN;
        }
    }
    return 0;
}

/* Writing to a terminal may take as long as its user likes. */
BIF(prim_tty, write_nif, 2) {
    TTY(t);
    term ref;
    FileJob *j = file_job_new(p, run_write, NULL, &ref);
    if (j == NULL) {
        return bif_no_memory(p);
    }
    j->number[0] = t->out;
    term list = a[1];
    for (; is_cons(list) && is_binary(head(list)); list = tail(list)) {
        if (!file_job_part(j, head(list))) {
            return bif_no_memory(p);
        }
    }
    return list == NIL ? file_job_start(p, j, ref) : raise_badarg(p);
}

/* --- Characters ---------------------------------------------------------------------------------------------------- */

static bool character(term t, uint32_t *c) {
    *c = is_small(t) ? (uint32_t)small_value(t) : 0;
    return is_small(t) && small_value(t) >= 0 && small_value(t) < 1 << 21;
}

BIF(prim_tty, isprint, 1) {
    uint32_t c;
    return !character(a[0], &c) ? raise_badarg(p) : c >= ' ' && c < 127 ? A_true : A_false;
}

BIF(prim_tty, wcwidth, 1) {
    uint32_t c;
    if (!character(a[0], &c)) {
        return raise_badarg(p);
    }
    int width = terminal_width(c);
    return width < 0 ? error_atom(p, A_not_printable) : SMALL(width);
}

/* wcswidth(Iodata of wide characters in the machine's order). */
BIF(prim_tty, wcswidth, 1) {
    Text t;
    text_init(&t, &process_vm(p)->mem);
    bool good = iolist_bytes(process_vm(p), a[0], &t) == IOLIST_OK;
    int width = 0;
    for (size_t i = 0; good && width >= 0 && i + 4 <= t.size; i += 4) {
        uint32_t c;
        memcpy(&c, t.at + i, sizeof c);
        int w = terminal_width(c);
        width = w < 0 ? -1 : width + w;
    }
    text_done(&t);
    return !good ? raise_badarg(p) : width < 0 ? error_atom(p, A_not_printable) : TUPLE2(HEAP(p), A_ok, SMALL(width));
}

BIF(prim_tty, sizeof_wchar, 0) {
    return SMALL(4);
}

/* --- What the terminal understands --------------------------------------------------------------------------------- */

enum { NAME_SIZE = 256 };

#define CAPABILITY(name)                        \
    char name[NAME_SIZE];                       \
    if (!name_of(p, a[0], name, sizeof name)) { \
        return raise_badarg(p);                 \
    }

BIF(prim_tty, setupterm_nif, 0) {
    const char *why;
    return terminal_describe(NULL, &why) ? A_ok : error_atom(p, TUPLE2(HEAP(p), A_setupterm, A_enoent));
}

BIF(prim_tty, tgetent_nif, 1) {
    CAPABILITY(type);
    const char *why;
    return terminal_describe(type, &why) ? A_ok : error_atom(p, TUPLE2(HEAP(p), A_tgetent, A_enoent));
}

BIF(prim_tty, tgetnum_nif, 1) {
    CAPABILITY(name);
    int n = terminal_number_old(name);
    return n < 0 ? A_false : TUPLE2(HEAP(p), A_ok, SMALL(n));
}

BIF(prim_tty, tigetnum_nif, 1) {
    CAPABILITY(name);
    return SMALL(terminal_number_old(name)); /* by termcap's names, as OTP */
}

BIF(prim_tty, tgetflag_nif, 1) {
    CAPABILITY(name);
    return terminal_flag_old(name) > 0 ? A_true : A_false;
}

BIF(prim_tty, tigetflag_nif, 1) {
    CAPABILITY(name);
    return terminal_flag_old(name) > 0 ? A_true : A_false;
}

BIF(prim_tty, tgetstr_nif, 1) {
    CAPABILITY(name);
    const char *s = terminal_text_old(name);
    return s == NULL ? A_false : ok_text(p, s);
}

BIF(prim_tty, tigetstr_nif, 1) {
    CAPABILITY(name);
    const char *s = terminal_text(name);
    return s == NULL ? A_false : ok_text(p, s);
}

static term padded_text(Process *p, const char *s) {
    Text t;
    text_init(&t, &process_vm(p)->mem);
    terminal_pad(s, &t);
    term result = TUPLE2(HEAP(p), A_ok, bits_from(HEAP(p), t.at, t.size));
    text_done(&t);
    return result;
}

static term go_to(Process *p, const term *a, int column, int line) {
    CAPABILITY(name);
    const char *s = terminal_move(name, column, line);
    return s == NULL ? error_atom(p, TUPLE2(HEAP(p), A_tgoto, A_einval)) : padded_text(p, s);
}

BIF(prim_tty, tgoto_nif, 1) {
    return go_to(p, a, 0, 0);
}

BIF(prim_tty, tgoto_nif, 2) {
    return is_small(a[1]) ? go_to(p, a, (int)small_value(a[1]), 0) : raise_badarg(p);
}

BIF(prim_tty, tgoto_nif, 3) {
    return is_small(a[1]) && is_small(a[2]) ? go_to(p, a, (int)small_value(a[1]), (int)small_value(a[2])) : raise_badarg(p);
}

BIF(prim_tty, tputs_nif, 2) {
    CAPABILITY(text);
    int arguments[9];
    size_t count = 0;
    for (term l = a[1]; l != NIL; l = tail(l)) {
        if (!is_cons(l) || !is_small(head(l)) || count == ARRAY_LEN(arguments)) {
            return raise_badarg(p);
        }
        arguments[count++] = (int)small_value(head(l));
    }
    const char *s = count == 0 ? text : terminal_fill(text, arguments, count);
    return s == NULL ? error_atom(p, TUPLE2(HEAP(p), A_tparm, A_einval)) : padded_text(p, s);
}

/* All capabilities there are: #{bool, num, str => [#{name, code, full_name}]}. */
BIF(prim_tty, tinfo_nif, 0) {
    Heap *h = HEAP(p);
    term lists[3];
    for (int kind = 0; kind < 3; kind++) {
        lists[kind] = NIL;
        TerminalName n;
        for (size_t i = 0; terminal_name((TerminalKind)kind, i, &n); i++) {
            const term pairs[] = {A_name,      heap_latin1_list(h, n.name, strlen(n.name)),
                                  A_code,      heap_latin1_list(h, n.code, strlen(n.code)),
                                  A_full_name, heap_latin1_list(h, n.full, strlen(n.full))};
            lists[kind] = heap_cons(h, map_from_pairs(h, pairs, 3), lists[kind]);
        }
    }
    const term pairs[] = {A_bool, lists[0], A_num, lists[1], A_str, lists[2]};
    return map_from_pairs(h, pairs, 3);
}
