/* What native functions ask of the system: time, names, figures, text, libraries of their own. */
#include <limits.h>
#include <stdarg.h>

#include "base/text.h"
#include "data/integer.h"
#include "io/nif.h"
#include "io/port.h"
#include "platform/environment.h"
#include "platform/library.h"
#include "proc/names.h"
#include "proc/schedule.h"
#include "term/print.h"

/* --- Time ---------------------------------------------------------------------------------------------------------- */

#define TIME_ERROR INT64_MIN
static const int64_t units[] = {[NIF_SEC] = 1, [NIF_MSEC] = 1000, [NIF_USEC] = 1000000, [NIF_NSEC] = 1000000000};

static bool is_unit(int unit) {
    return unit >= NIF_SEC && unit <= NIF_NSEC;
}

/* Rounded down, as erlang:convert_time_unit does. */
static int64_t convert(int64_t t, int from, int to) {
    if (units[to] >= units[from]) {
        return t * (units[to] / units[from]);
    }
    int64_t by = units[from] / units[to];
    return t / by - (t % by < 0);
}

ENIF(ErlNifTime, enif_convert_time_unit, ErlNifTime t, int from, int to) {
    return is_unit(from) && is_unit(to) ? convert(t, from, to) : TIME_ERROR;
}

ENIF(ErlNifTime, enif_monotonic_time, int unit) {
    return is_unit(unit) && enif_thread_type() != NIF_THREAD_UNDEFINED ? convert(clock_monotonic(nif_world->vm), NIF_NSEC, unit)
                                                                       : TIME_ERROR;
}

ENIF(ErlNifTime, enif_time_offset, int unit) {
    return is_unit(unit) && enif_thread_type() != NIF_THREAD_UNDEFINED ? convert(clock_offset(nif_world->vm), NIF_NSEC, unit) : TIME_ERROR;
}

static term time_tuple(ErlNifEnv *env, int64_t microseconds) {
    int64_t s = microseconds / 1000000;
    return TUPLE3(env->heap, SMALL(s / 1000000), SMALL(s % 1000000), SMALL(microseconds % 1000000));
}

ENIF(ERL_NIF_TERM, enif_now_time, ErlNifEnv *env) {
    int64_t t, *last = &env->vm->processes->clock.last_now, was = __atomic_load_n(last, __ATOMIC_RELAXED);
    do { /* as erlang:now() has it: never the same twice */
        t = MAX(clock_system(env->vm) / 1000, was + 1);
    } while (!__atomic_compare_exchange_n(last, &was, t, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return time_tuple(env, t);
}

ENIF(ERL_NIF_TERM, enif_cpu_time, ErlNifEnv *env) {
    return time_tuple(env, clock_cpu(env->vm) / 1000);
}

/* --- Who is there -------------------------------------------------------------------------------------------------- */

static term whereis(term name) {
    VM *vm = nif_world->vm;
    return nif_on_scheduler(vm) ? name_find(vm, name) : name_find_outside(vm, name);
}

ENIF(int, enif_whereis_pid, ErlNifEnv *env UNUSED, ERL_NIF_TERM name, ErlNifPid *pid) {
    term t = whereis(name);
    return t != NONE && is_local_pid(t) && (pid->pid = t, true);
}

ENIF(int, enif_whereis_port, ErlNifEnv *env UNUSED, ERL_NIF_TERM name, ErlNifPort *port) {
    term t = whereis(name);
    return t != NONE && is_local_port(t) && (port->port_id = t, true);
}

ENIF(int, enif_is_process_alive, ErlNifEnv *env UNUSED, ErlNifPid *pid) {
    VM *vm = nif_world->vm;
    return nif_on_scheduler(vm) ? process_find(vm, pid->pid) != NULL : process_alive_outside(vm, pid->pid);
}

ENIF(int, enif_is_current_process_alive, ErlNifEnv *env) {
    return env->pid != NONE && enif_is_process_alive(env, &(ErlNifPid){env->pid});
}

ENIF(int, enif_is_port_alive, ErlNifEnv *env UNUSED, ErlNifPort *port) {
    VM *vm = nif_world->vm;
    return nif_on_scheduler(vm) && target_alive(vm, port->port_id);
}

/* Of a call only: a port's owner is asked for. */
ENIF(int, enif_port_command, ErlNifEnv *env, const ErlNifPort *to, ErlNifEnv *message_env UNUSED, ERL_NIF_TERM message) {
    if (env == NULL || env->kind != ENV_CALL) {
        return false;
    }
    io_lock(env->vm);
    Port *port = port_find(env->vm, to->port_id);
    bool ok = port != NULL && port_command(env->process, port, message) == PORT_DONE;
    io_unlock(env->vm);
    return ok;
}

/* --- Figures ------------------------------------------------------------------------------------------------------- */

int nif_minor_version(VM *vm) {
    int release = vm->release == NULL ? INT_MAX : vm->release(vm);
    return release >= 29 ? 18 : release >= 26 ? 17 : 16;
}

ENIF(void, enif_system_info, ErlNifSysInfo *to, size_t size) {
    VM *vm = nif_world->vm;
    // clang-format off
    ErlNifSysInfo info = {
        .driver_major = 3, .driver_minor = 3, .thread_support = 1, .smp_support = 1, .async_threads = 1,
        .erts_version = (char *)(vm->erts_version == NULL ? "" : vm->erts_version(vm)),
        .otp_release = (char *)(vm->otp_release == NULL ? "" : vm->otp_release(vm)),
        .scheduler_threads = (int)vm->processes->scheduler_count, .nif_major = 2, .nif_minor = nif_minor_version(vm), .dirty_scheduler_support = 1,
    };
    // clang-format on
    memcpy(to, &info, MIN(size, sizeof info));
}

/* 0: done; -1: there is none; 1: it does not fit, *size is what it takes. */
ENIF(int, enif_getenv, const char *name, char *value, size_t *size) {
    const char *text = environment_get(name);
    if (text == NULL) {
        return -1;
    }
    size_t n = strlen(text);
    if (n >= *size) {
        *size = n + 1;
        return 1;
    }
    memcpy(value, text, n + 1);
    *size = n;
    return 0;
}

ENIF(int, enif_set_option, ErlNifEnv *env, int option, ...) {
    NifLibrary *l = env->library;
    va_list args;
    va_start(args, option);
    int result = l == NULL;
    switch (l == NULL ? 0 : option) {
    case NIF_OPT_DELAY_HALT:
        result = l->delay_halt;
        l->delay_halt = true;
        break;
    case NIF_OPT_ON_HALT:
        result = l->on_halt != NULL;
        l->on_halt = result ? l->on_halt : va_arg(args, void (*)(void *));
        break;
    case NIF_OPT_ON_UNLOAD_THREAD:
        result = l->on_unload_thread != NULL;
        l->on_unload_thread = result ? l->on_unload_thread : va_arg(args, void (*)(void *));
        break;
    default: result = 1;
    }
    va_end(args);
    return result;
}

/* --- Libraries ----------------------------------------------------------------------------------------------------- */

void *nif_library_open(const char *path) {
    Mem *m = &nif_world->vm->mem;
    char *file = mem_sized_alloc(m, strlen(path) + 4);
    void *library = file == NULL ? NULL : library_open(strcat(strcpy(file, path), ".so"));
    mem_sized_free(m, file);
    return library;
}

typedef void OnError(void *arg, const char *text);

ENIF(void *, enif_dlopen, const char *name, OnError *on_error, void *arg) {
    void *library = nif_library_open(name);
    if (library == NULL && on_error != NULL) {
        on_error(arg, library_error());
    }
    return library;
}

ENIF(void *, enif_dlsym, void *library, const char *name, OnError *on_error, void *arg) {
    void *symbol = library_symbol(library, name);
    if (symbol == NULL && on_error != NULL) {
        on_error(arg, library_error());
    }
    return symbol;
}

/* --- Text: what printf does, and %T for a term ---------------------------------------------------------------------- */

/* One conversion other than %T. form: all of it, with a zero behind. */
static void convert_one(Text *out, const char *form, va_list *args) {
    size_t n = strlen(form);
    char c = form[n - 1], length = n > 2 ? form[n - 2] : 0;
    bool twice = n > 3 && length == 'l' && form[n - 3] == 'l';
    if (strchr("diouxX", c) != NULL) {
        if (twice || length == 'j') {
            text_format(out, form, va_arg(*args, long long));
        } else if (length == 'l' || length == 'z' || length == 't') {
            text_format(out, form, va_arg(*args, long));
        } else {
            text_format(out, form, va_arg(*args, int));
        }
    } else if (strchr("eEfFgGaA", c) != NULL) {
        text_format(out, form, va_arg(*args, double));
    } else if (c == 'c') {
        text_format(out, form, va_arg(*args, int));
    } else if (c == 's') {
        text_format(out, form, va_arg(*args, const char *));
    } else if (c == 'p') {
        text_format(out, form, va_arg(*args, void *));
    } else {
        text_string(out, form);
    }
}

enum { FORM_MAX = 64 };

/* Copies a conversion, numbers in the place of stars. Returns what is behind it. */
static const char *take_form(const char *at, char form[FORM_MAX], va_list *args) {
    size_t n = 0;
    form[n++] = *at++;
    for (; *at != '\0' && strchr("-+ #0123456789.*hlLjzt", *at) != NULL && n < FORM_MAX - 16; at++) {
        if (*at == '*') {
            n += (size_t)snprintf(form + n, 14, "%d", va_arg(*args, int));
        } else {
            form[n++] = *at;
        }
    }
    form[n] = *at;
    form[n + (*at != '\0')] = '\0';
    return at + (*at != '\0');
}

static void format_text(Text *out, const char *format, va_list *args) {
    for (const char *at = format; *at != '\0';) {
        size_t plain = strcspn(at, "%");
        text_add(out, at, plain);
        at += plain;
        if (at[0] == '%' && at[1] == '%') {
            text_byte(out, '%');
            at += 2;
        } else if (*at == '%') {
            char form[FORM_MAX];
            at = take_form(at, form, args);
            if (form[strlen(form) - 1] == 'T') {
                term_print(out, nif_world->vm, va_arg(*args, term), &(PrintOptions){.as_display = true});
            } else {
                convert_one(out, form, args);
            }
        }
    }
}

ENIF(int, enif_vsnprintf, char *to, size_t room, const char *format, va_list args) {
    Text out;
    va_list copy;
    va_copy(copy, args);
    text_init(&out, &nif_world->vm->mem);
    format_text(&out, format, &copy);
    va_end(copy);
    size_t n = MIN(out.size, room == 0 ? 0 : room - 1);
    if (room > 0) {
        memcpy(to, out.size == 0 ? (const uint8_t *)"" : out.at, n);
        to[n] = '\0';
    }
    int size = (int)out.size;
    text_done(&out);
    return size;
}

ENIF(int, enif_snprintf, char *to, size_t room, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = enif_vsnprintf(to, room, format, args);
    va_end(args);
    return n;
}

ENIF(int, enif_vfprintf, FILE *file, const char *format, va_list args) {
    Text out;
    va_list copy;
    va_copy(copy, args);
    text_init(&out, &nif_world->vm->mem);
    format_text(&out, format, &copy);
    va_end(copy);
    int n = (int)fwrite(out.at, 1, out.size, file);
    text_done(&out);
    return n;
}

ENIF(int, enif_fprintf, FILE *file, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = enif_vfprintf(file, format, args);
    va_end(args);
    return n;
}
