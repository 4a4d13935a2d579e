/* Built-ins of module erl_ddll. Drivers in libraries are not loaded. The drivers that are built in are told as OTP tells its own. */
#include "base/text.h"
#include "bif/bif_port.h"
#include "bif/file_name.h"
#include "io/port.h"
#include "platform/file.h"
#include "proc/signal.h"
#include "term/ref.h"

enum { OPEN_ERROR = -10 }; /* as OTP numbers the first message of the system's */

static const struct {
    term reason;
    const char *text;
} errors[] = {
    {A_inconsistent, "Driver name and/or driver options are inconsistent with currently loaded driver"},
    {A_linked_in_driver, "Driver is statically linked and cannot be loaded/unloaded"},
    {A_permanent, "DDLL driver is permanent an cannot be unloaded/loaded"},
    {A_not_loaded, "DDLL driver is not loaded"},
    {A_not_loaded_by_this_process, "DDLL driver was not loaded by this process"},
    {A_not_pending, "DDLL load not pending for this driver name"},
    {A_already_loaded, "DDLL driver is already loaded successfully"},
    {A_no_error, "No error"},
    {A_no_driver_init, "No driver init in dynamic library"},
    {A_driver_init_failed, "Driver init failed"},
    {A_bad_driver_name, "Bad driver name"},
    {A_driver_name_to_long, "Driver name to long"},
    {A_driver_incorrect_version, "Driver compiled with incorrect version of erl_driver.h"},
    {A_no_ddll_available, "DDLL functionality not available on this platform"},
    {A_unspecified_error, "Unspecified dynamic library error"},
    {A_symbol_not_found, "Symbol not found in dynamic library"},
};

static term error_term(Process *p, term reason) {
    return TUPLE2(HEAP(p), A_error, reason);
}

/* The name of a driver: a string or an atom. */
static bool driver_name(Process *p, term t, Text *name) {
    text_init(name, &process_vm(p)->mem);
    return (is_atom(t) || is_list(t)) && file_name_bytes(process_vm(p), t, NAME_ATOMS | NAME_DEEP, name);
}

static bool is_built_in(const Text *name) {
    size_t i = 0;
    for (const char *known; (known = port_driver_name(i)) != NULL; i++) {
        if (strlen(known) == name->size && memcmp(known, name->at, name->size) == 0) {
            return true;
        }
    }
    return false;
}

BIF(erl_ddll, loaded_drivers, 0) {
    term list = NIL;
    size_t count = 0;
    while (port_driver_name(count) != NULL) {
        count++;
    }
    while (count-- > 0) {
        const char *name = port_driver_name(count);
        list = heap_cons(HEAP(p), heap_latin1_list(HEAP(p), name, strlen(name)), list);
    }
    return TUPLE2(HEAP(p), A_ok, list);
}

BIF(erl_ddll, info, 2) {
    Text name;
    bool good = driver_name(p, a[0], &name) && is_built_in(&name);
    text_done(&name);
    if (!good) {
        return raise_badarg(p);
    }
    switch (a[1]) {
    case A_processes:
    case A_driver_options:
    case A_port_count:
    case A_awaiting_load:
    case A_awaiting_unload: return A_linked_in_driver;
    case A_linked_in_driver: return A_true;
    case A_permanent: return A_false;
    default: return raise_badarg(p);
    }
}

/* Options of try_load and try_unload. */
static bool read_options(term list, bool load, bool *reload) {
    *reload = false;
    for (; is_cons(list); list = tail(list)) {
        term option = head(list);
        if (!load && option == A_kill_ports) {
            continue;
        }
        if (!is_tuple_of(option, 2)) {
            return false;
        }
        term key = element(option, 1), value = element(option, 2);
        bool pending = value == A_pending || value == A_pending_driver;
        if (load && key == A_driver_options) {
            while (is_cons(value) && head(value) == A_kill_ports) {
                value = tail(value);
            }
            pending = value == NIL;
        } else if (load && key == A_reload) {
            *reload = true;
        } else if (key != A_monitor) {
            return false;
        }
        if (!pending) {
            return false;
        }
    }
    return list == NIL;
}

static bool library_is_there(Text *path, const Text *name) {
    text_byte(path, '/');
    text_add(path, name->at, name->size);
    text_add(path, ".so", sizeof ".so");
    FileInfo info;
    return !path->failed && file_info((const char *)path->at, true, &info) == 0;
}

BIF(erl_ddll, try_load, 3) {
    Text path, name;
    bool reload = false, good = driver_name(p, a[0], &path),
         named = driver_name(p, a[1], &name) && good && read_options(a[2], true, &reload);
    bool known = named && is_built_in(&name), there = named && library_is_there(&path, &name);
    text_done(&path);
    text_done(&name);
    if (!named) {
        return raise_badarg(p);
    }
    term error = there ? A_no_ddll_available : TUPLE2(HEAP(p), A_open_error, SMALL(OPEN_ERROR));
    return error_term(p, known ? A_linked_in_driver : reload ? A_not_loaded : error);
}

BIF(erl_ddll, try_unload, 2) {
    Text name;
    bool reload, good = driver_name(p, a[0], &name) && read_options(a[1], false, &reload), known = good && is_built_in(&name);
    text_done(&name);
    return good ? error_term(p, known ? A_linked_in_driver : A_not_loaded) : raise_badarg(p);
}

/* What is to be told is known at once: {'UP' | 'DOWN', Ref, driver, Name, permanent | unloaded}. */
BIF(erl_ddll, monitor, 2) {
    term what = is_tuple_of(a[1], 2) ? element(a[1], 2) : NONE;
    if (a[0] != A_driver || (what != A_loaded && what != A_unloaded && what != A_unloaded_only)) {
        return raise_badarg(p);
    }
    Text name;
    bool good = driver_name(p, element(a[1], 1), &name), known = good && is_built_in(&name);
    text_done(&name);
    if (!good) {
        return raise_badarg(p);
    }
    term ref = ref_make(HEAP(p));
    term message = heap_tuple(HEAP(p), 5, known ? A_UP : A_DOWN, ref, A_driver, element(a[1], 1), known ? A_permanent : A_unloaded);
    return message_send(p->scheduler, p, p->pid, message) ? ref : bif_no_memory(p);
}

BIF(erl_ddll, demonitor, 1) {
    return is_ref(a[0]) ? A_true : raise_badarg(p);
}

BIF(erl_ddll, format_error_int, 1) {
    const char *text = NULL;
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        text = errors[i].reason == a[0] ? errors[i].text : text;
    }
    if (is_tuple_of(a[0], 2) && element(a[0], 1) == A_open_error && is_small(element(a[0], 2))) {
        text = element(a[0], 2) == SMALL(OPEN_ERROR) ? "cannot open shared object file: No such file or directory" : "Unspecified error";
    }
    return text == NULL ? raise_badarg(p) : heap_latin1_list(HEAP(p), text, strlen(text));
}
