/* erts_internal:open_port/2: what a port is opened to, and how. The result is a port, or an atom that says what is wrong:
   erlang:open_port/2 makes the exception of it. */
#include "base/arena.h"
#include "bif/bif_port.h"
#include "bif/file_name.h"
#include "data/integer.h"
#include "io/port_stream.h"
#include "platform/environment.h"
#include "platform/file.h"

#define GUARD_BEGIN(p) io_lock(process_vm(p))
#define GUARD_END(p) io_unlock(process_vm(p))
#include "bif/guarded.h"

typedef struct {
    Process *p;
    Arena arena; /* all strings */
    StreamOptions o;
    ChildOptions child;
    bool use_stdio;
    term env, args, arg0, cd; /* NONE: not given */
    char **variables;         /* of the environment */
    size_t variable_count, variable_room;
} Request;

/* A string of the system in the arena; NULL: not one. */
static char *string_of(Request *r, term t, unsigned allowed) {
    VM *vm = process_vm(r->p);
    Text text;
    text_init(&text, &vm->mem);
    char *s = NULL;
    if (file_name_bytes(vm, t, allowed, &text) && (s = arena_alloc(&r->arena, text.size + 1)) != NULL) {
        if (text.size > 0) {
            memcpy(s, text.at, text.size);
        }
        s[text.size] = '\0';
    }
    text_done(&text);
    return s;
}

/* --- Settings ------------------------------------------------------------------------------------------------------ */

static bool add_variable(Request *r, char *text) {
    if (r->variable_count == r->variable_room) {
        size_t room = MAX(2 * r->variable_room, 64);
        char **variables = ARENA_ARRAY(&r->arena, char *, room);
        if (variables == NULL) {
            return false;
        }
        if (r->variable_count > 0) {
            memcpy(variables, r->variables, r->variable_count * sizeof *variables);
        }
        r->variables = variables, r->variable_room = room;
    }
    r->variables[r->variable_count++] = text;
    return true;
}

static void inherit_variable(void *arg, const char *text) {
    Request *r = arg;
    size_t size = strlen(text) + 1;
    char *copy = arena_alloc(&r->arena, size);
    if (copy != NULL) {
        memcpy(copy, text, size);
        add_variable(r, copy);
    }
}

static void remove_variable(Request *r, const char *name) {
    size_t n = strlen(name);
    for (size_t i = 0; i < r->variable_count; i++) {
        if (strncmp(r->variables[i], name, n) == 0 && r->variables[i][n] == '=') {
            r->variables[i] = r->variables[--r->variable_count];
            return;
        }
    }
}

/* {Name, Value}: in place of what was; Value false or "": not there. */
static bool set_variable(Request *r, term pair) {
    char *name = is_tuple_of(pair, 2) ? string_of(r, element(pair, 1), 0) : NULL;
    if (name == NULL || strchr(name + 1, '=') != NULL) {
        return false;
    }
    term t = element(pair, 2);
    remove_variable(r, name);
    if (t == A_false || t == NIL) {
        return true;
    }
    char *value = string_of(r, t, NAME_EMPTY);
    if (value == NULL) {
        return false;
    }
    size_t n = strlen(name), m = strlen(value);
    char *text = arena_alloc(&r->arena, n + m + 2);
    if (text == NULL) {
        return false;
    }
    memcpy(text, name, n);
    text[n] = '=';
    memcpy(text + n + 1, value, m + 1);
    return add_variable(r, text);
}

static bool make_environment(Request *r) {
    environment_all(inherit_variable, r);
    term list = r->env == NONE ? NIL : r->env;
    for (; is_cons(list); list = tail(list)) {
        if (!set_variable(r, head(list))) {
            return false;
        }
    }
    bool good = list == NIL && add_variable(r, NULL);
    r->child.environment = r->variables;
    return good;
}

/* {High, Low} marks, as {Low, High} or disabled. */
static bool limits(term t, size_t *low, size_t *high) {
    uint64_t l, h;
    if (t == A_disabled) {
        *low = *high = 0;
        return true;
    }
    if (!is_tuple_of(t, 2) || !integer_to_uint64(element(t, 1), &l) || !integer_to_uint64(element(t, 2), &h) || l == 0 || h == 0) {
        return false;
    }
    *low = MIN(l, h), *high = h;
    return true;
}

static bool pair_setting(Request *r, term key, term value) {
    size_t ignored;
    switch (key) {
    case A_packet:
        r->o.packet = is_small(value) ? (unsigned)small_value(value) : 0;
        return value == SMALL(1) || value == SMALL(2) || value == SMALL(4);
    case A_line: r->o.line = is_small(value) && small_value(value) > 0 ? (size_t)small_value(value) : 0; return r->o.line > 0;
    case A_env: r->env = value; return true;
    case A_args: r->args = value; return is_list(value);
    case A_arg0: r->arg0 = value; return true;
    case A_cd: r->cd = value; return true;
    case A_parallelism: r->o.flags |= value == A_true ? PORT_PARALLEL : 0u; return value == A_true || value == A_false;
    case A_busy_limits_port: return limits(value, &r->o.low, &r->o.high);
    case A_busy_limits_msgq: /* there is no queue of messages to ports: they are handled at once */
        return limits(value, &ignored, &ignored);
    default: return false;
    }
}

static bool atom_setting(Request *r, term setting) {
    switch (setting) {
    case A_stream: r->o.packet = 0; return true;
    case A_use_stdio: r->use_stdio = true; return true;
    case A_nouse_stdio: r->use_stdio = false; return true;
    case A_stderr_to_stdout: r->child.errors_too = true; return true;
    case A_line: r->o.line = 512; return true;
    case A_binary: r->o.flags |= PORT_BINARY; return true;
    case A_in: r->o.in = true; return true;
    case A_out: r->o.out = true; return true;
    case A_eof: r->o.flags |= PORT_SOFT_EOF; return true;
    case A_exit_status: r->o.exit_status = true; return true;
    case A_hide:
    case A_overlapped_io: return true; /* of other systems */
    default: return false;
    }
}

static bool read_settings(Request *r, term list) {
    for (; is_cons(list); list = tail(list)) {
        term s = head(list);
        if (!(is_tuple_of(s, 2) ? pair_setting(r, element(s, 1), element(s, 2)) : atom_setting(r, s))) {
            return false;
        }
    }
    if (!r->o.in && !r->o.out) {
        r->o.in = r->o.out = true;
    }
    return list == NIL && !(r->o.line > 0 && r->o.packet > 0) && !(r->child.errors_too && !r->use_stdio);
}

/* --- What is opened ------------------------------------------------------------------------------------------------ */

static term result(Process *p, Port *port, const int *error) {
    if (port != NULL) {
        port_tell_opened(p, port);
    }
    return port != NULL ? port->id : *error == 0 ? A_badarg : atom_from(process_vm(p), file_error_name(*error));
}

/* argv: arg0, or the name of the file, and the arguments. */
static bool make_arguments(Request *r, char *path) {
    size_t n = 0;
    term list = r->args == NONE ? NIL : r->args;
    for (term l = list; is_cons(l); l = tail(l)) {
        n++;
    }
    char **argv = ARENA_ARRAY(&r->arena, char *, n + 2);
    if (argv == NULL || (argv[0] = r->arg0 == NONE ? path : string_of(r, r->arg0, NAME_EMPTY | NAME_ATOMS | NAME_DEEP)) == NULL) {
        return false;
    }
    for (size_t i = 1; is_cons(list); list = tail(list), i++) {
        if ((argv[i] = string_of(r, head(list), NAME_EMPTY | NAME_ATOMS | NAME_DEEP)) == NULL) {
            return false;
        }
    }
    r->child.argv = argv;
    return list == NIL;
}

static term start_program(Request *r, Bytes name) {
    int error;
    r->child.standard = r->use_stdio;
    r->child.reads = r->o.out, r->child.writes = r->o.in;
    return result(r->p, port_open_program(r->p, name, &r->child, &r->o, &error), &error);
}

static term open_executable(Request *r, term file) {
    char *path = string_of(r, file, NAME_ATOMS | NAME_DEEP);
    if (path == NULL) {
        return A_badarg;
    }
    if (!make_arguments(r, path)) {
        return A_badopt;
    }
    int error = child_executable(path);
    if (error != 0) {
        return result(r->p, NULL, &error);
    }
    r->child.path = path;
    return start_program(r, (Bytes){(uint8_t *)path, strlen(path)});
}

static term open_command(Request *r, char *command) {
    static const char prefix[] = "exec ";
    size_t size = strlen(command);
    char *line = arena_alloc(&r->arena, sizeof prefix + size);
    char **argv = ARENA_ARRAY(&r->arena, char *, 4);
    if (line == NULL || argv == NULL) {
        return A_system_limit;
    }
    memcpy(line, prefix, sizeof prefix - 1);
    memcpy(line + sizeof prefix - 1, command, size + 1);
    argv[0] = (char *)"sh", argv[1] = (char *)"-c", argv[2] = line;
    r->child.path = "/bin/sh";
    r->child.argv = argv;
    return start_program(r, (Bytes){(uint8_t *)command, size});
}

/* Drivers that are part of the VM, by the first word of the command. */
static const struct {
    const char *name;
    DriverOpen *open;
} drivers[] = {
    {"ram_file_drv", port_open_ram},      {"trace_file_drv", port_open_trace_file},
    {"trace_ip_drv", port_open_trace_ip}, {"tty_sl", port_open_terminal},
    {"tcp_inet", port_open_tcp},          {"udp_inet", port_open_udp},
};

const char *port_driver_name(size_t i) {
    return i < ARRAY_LEN(drivers) && drivers[i].open != NULL ? drivers[i].name : NULL;
}

static term open_driver(Request *r, const char *command, bool *found) {
    size_t n = strcspn(command, " ");
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
        if (drivers[i].open != NULL && strlen(drivers[i].name) == n && memcmp(drivers[i].name, command, n) == 0) {
            int error = FILE_INVALID;
            Port *port = drivers[i].open(r->p, command, r->o.flags, &error);
            *found = true;
            return result(r->p, port, &error);
        }
    }
    *found = false;
    return A_badarg;
}

static term open_spawn(Request *r, term kind, term what) {
    if (kind == A_spawn_executable) {
        return open_executable(r, what);
    }
    char *command = r->args == NONE && r->arg0 == NONE ? string_of(r, what, NAME_ATOMS | NAME_DEEP) : NULL;
    if (command == NULL) {
        return A_badarg;
    }
    bool found;
    term driver = open_driver(r, command, &found);
    return found || kind == A_spawn_driver ? driver : open_command(r, command);
}

static term open_fd(Request *r, term in, term out) {
    int error;
    if (!is_small(in) || !is_small(out)) {
        return A_badarg;
    }
    return result(r->p, port_open_fd(r->p, (int)small_value(in), (int)small_value(out), &r->o, &error), &error);
}

static term open_file(Request *r, term name) {
    int error;
    char *path = name == NIL ? NULL : string_of(r, name, NAME_ATOMS);
    if (path == NULL) {
        return A_badarg;
    }
    return result(r->p, port_open_file(r->p, path, &r->o, &error), &error);
}

static term open_any(Request *r, term name) {
    bool program = is_tuple_of(name, 2) &&
                   (element(name, 1) == A_spawn || element(name, 1) == A_spawn_driver || element(name, 1) == A_spawn_executable);
    if (!program && (r->args != NONE || r->arg0 != NONE || r->o.exit_status)) {
        return A_badarg;
    }
    if (r->cd != NONE && r->cd != NIL && (r->child.directory = string_of(r, r->cd, NAME_ATOMS | NAME_DEEP)) == NULL) {
        return A_badarg;
    }
    if (program) {
        return open_spawn(r, element(name, 1), element(name, 2));
    }
    if (is_tuple_of(name, 3) && element(name, 1) == A_fd) {
        return open_fd(r, element(name, 2), element(name, 3));
    }
    return is_atom(name) || is_list(name) ? open_file(r, name) : A_badarg;
}

BIF(erts_internal, open_port, 2) {
    enum { HIGH_MARK = 8192 };
    Request r = {.p = p, .use_stdio = true, .env = NONE, .args = NONE, .arg0 = NONE, .cd = NONE};
    r.o.high = HIGH_MARK, r.o.low = HIGH_MARK / 2;
    arena_init(&r.arena, &process_vm(p)->mem, MEM_TEMPORARY);
    VM *vm = process_vm(p);
    term port = !read_settings(&r, a[1]) || !make_environment(&r) ? A_badopt
                : ports_count(vm) >= ports_limit(vm)              ? A_system_limit
                                                                  : open_any(&r, a[0]);
    arena_done(&r.arena);
    BUMP(p, 200);
    return port;
}
