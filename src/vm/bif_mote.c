/* Module mote: what the small kernel in lib/ needs of the machine. And what AtomVM's programs expect of module atomvm. */
#include "base/utf8.h"
#include "bif/bif.h"
#include "data/bits.h"
#include "data/iolist.h"
#include "io/console.h"
#include "io/io.h"
#include "platform/file.h"
#include "platform/platform.h"
#include "term/print.h"
#include "trace/trace.h"
#include "vm/machine.h"

#define GUARD_BEGIN(p) code_lock(process_vm(p))
#define GUARD_END(p) code_unlock(process_vm(p))
#include "bif/guarded.h"

static Bytes atom_bytes(Process *p, term t) {
    return is_atom(t) ? atom_text(process_vm(p), t) : (Bytes){0};
}

/* A flat list of characters as a C string in UTF-8; false: it is none, or too long. */
static bool string_arg(term t, char *to, size_t size) {
    size_t n = 0;
    for (; is_cons(t); t = tail(t)) {
        term c = head(t);
        if (!is_small(c) || small_value(c) <= 0 || small_value(c) > 0x10ffff || n + UTF8_MAX >= size) {
            return false;
        }
        n += utf8_write((uint8_t *)to + n, (uint32_t)small_value(c));
    }
    to[n] = '\0';
    return t == NIL;
}

static term string_result(Process *p, const char *s) {
    return heap_latin1_list(HEAP(p), s, strlen(s));
}

static term load_result(Process *p, const Module *module, const LoadError *error) {
    if (module == NULL) {
        Text t;
        text_init(&t, &process_vm(p)->mem);
        char line[640];
        load_error_text(error, line, sizeof line);
        text_format(&t, "mote: %s\n", line);
        platform_write(2, t.at, t.size);
        text_done(&t);
        return TUPLE2(HEAP(p), A_error, A_badfile);
    }
    return module->current->on_load != 0 ? A_on_load : A_ok;
}

/* load(Module) -> ok | on_load | {error, nofile | badfile}. */
BIF(mote, load, 1) {
    if (trace_of_code(process_vm(p)) && !bif_is_still(p)) {
        return bif_still(p, BIF_EXPORT(p, mote, load, 1), a);
    }
    Machine *m = machine_of(process_vm(p));
    LoadError error = {0};
    Module *module;
    if (!is_atom(a[0])) {
        return raise_badarg(p);
    }
    BUMP(p, 100);
    if (machine_load(m, atom_bytes(p, a[0]), &module, &error) != MODULE_FOUND) {
        return TUPLE2(HEAP(p), A_error, A_nofile);
    }
    return load_result(p, module, &error);
}

/* load_binary(Module, File, Binary): the same; File is what code:which answers. */
BIF(mote, load_binary, 3) {
    if (trace_of_code(process_vm(p)) && !bif_is_still(p)) {
        return bif_still(p, BIF_EXPORT(p, mote, load_binary, 3), a);
    }
    VM *vm = process_vm(p);
    char file[4096];
    BitsBytes b;
    if (!is_atom(a[0]) || !string_arg(a[1], file, sizeof file) || !is_binary(a[2])) {
        return raise_badarg(p);
    }
    if (!bits_bytes(vm, a[2], &b)) {
        return raise_error(p, A_system_limit);
    }
    LoadError error = {0};
    Module *module = machine_load_bytes(machine_of(vm), file, (Bytes){b.at, b.size}, file, &error);
    bits_bytes_done(vm, &b);
    BUMP(p, 100);
    return load_result(p, module, &error);
}

/* Where a module would be loaded from, or false. */
BIF(mote, where, 1) {
    Machine *m = machine_of(process_vm(p));
    ModuleBytes bytes;
    char where[4096];
    if (!is_atom(a[0])) {
        return raise_badarg(p);
    }
    if (code_path_open(m->path, atom_bytes(p, a[0]), false, &bytes, where, sizeof where) != MODULE_FOUND) {
        return A_false;
    }
    code_path_close(m->path, &bytes);
    return where[0] == '\0' ? A_false : string_result(p, where);
}

/* loaded_from(Module, File): where a module came from that has been loaded by others. */
BIF(mote, loaded_from, 2) {
    Module *m = is_atom(a[0]) ? module_find(process_vm(p), a[0]) : NULL;
    char file[4096];
    if (m == NULL || !string_arg(a[1], file, sizeof file)) {
        return raise_badarg(p);
    }
    machine_loaded_from(process_vm(p), m, file);
    return A_true;
}

BIF(mote, where_loaded, 1) {
    Module *m = is_atom(a[0]) ? module_find(process_vm(p), a[0]) : NULL;
    return m == NULL || m->file == NULL ? A_false : string_result(p, m->file);
}

BIF(mote, path, 0) {
    CodePath *c = machine_of(process_vm(p))->path;
    size_t n = 0;
    while (code_path_dir(c, n) != NULL) {
        n++;
    }
    term list = NIL;
    while (n-- > 0) {
        list = heap_cons(HEAP(p), string_result(p, code_path_dir(c, n)), list);
    }
    return list;
}

BIF(mote, set_path, 1) {
    CodePath *c = machine_of(process_vm(p))->path;
    char dir[4096];
    for (term l = a[0]; l != NIL; l = tail(l)) {
        if (!is_cons(l) || !string_arg(head(l), dir, sizeof dir)) {
            return raise_badarg(p);
        }
    }
    code_path_clear(c);
    for (term l = a[0]; l != NIL; l = tail(l)) {
        string_arg(head(l), dir, sizeof dir);
        code_path_add(c, dir, false);
    }
    return A_true;
}

/* add_path(first | last, Dir) -> boolean(): is it a folder? */
BIF(mote, add_path, 2) {
    CodePath *c = machine_of(process_vm(p))->path;
    char dir[4096];
    if ((a[0] != A_first && a[0] != A_last) || !string_arg(a[1], dir, sizeof dir)) {
        return raise_badarg(p);
    }
    FileInfo info;
    if (file_info(dir, true, &info) != 0 || info.type != FILE_TYPE_DIRECTORY) {
        return A_false;
    }
    size_t n = 0;
    while (a[0] == A_last && code_path_dir(c, n) != NULL) { /* behind those of the installed OTP, too */
        n++;
    }
    return code_path_add(c, dir, a[0] == A_first) ? A_true : raise_error(p, A_system_limit);
}

BIF(mote, otp_root, 0) {
    const char *root = code_path_otp(machine_of(process_vm(p))->path);
    return root == NULL ? NIL : string_result(p, root);
}

BIF(mote, arguments, 0) {
    Options *o = machine_of(process_vm(p))->o;
    term list = NIL;
    for (int i = o->arg_count - 1; i >= 0; i--) {
        list = heap_cons(HEAP(p), string_result(p, o->args[i]), list);
    }
    return list;
}

/* write(Fd, Iodata) -> ok | {error, Why}. */
BIF(mote, write, 2) {
    VM *vm = process_vm(p);
    if (!is_small(a[0])) {
        return raise_badarg(p);
    }
    Text t;
    text_init(&t, &vm->mem);
    if (iolist_bytes(vm, a[1], &t) != IOLIST_OK) {
        text_done(&t);
        return raise_badarg(p);
    }
    bool written = platform_write((int)small_value(a[0]), t.at, t.size);
    BUMP(p, (intptr_t)(t.size / 256));
    text_done(&t);
    return written ? A_ok : TUPLE2(HEAP(p), A_error, A_eio);
}

/* read(Fd) -> binary() | eof | wait: then {mote_readable, Fd} comes when there is something. */
BIF(mote, read, 1) {
    if (!is_small(a[0])) {
        return raise_badarg(p);
    }
    int fd = (int)small_value(a[0]);
    if (!platform_wait_readable(fd, 0)) {
        io_lock(process_vm(p));
        console_notify(process_vm(p), fd, p->pid);
        io_unlock(process_vm(p));
        return A_wait;
    }
    uint8_t buffer[4096];
    ptrdiff_t n = platform_read(fd, buffer, sizeof buffer);
    return n <= 0 ? A_eof : bits_from(HEAP(p), buffer, (size_t)n);
}

BIF(mote, is_terminal, 1) {
    return is_small(a[0]) && platform_is_terminal((int)small_value(a[0])) ? A_true : A_false;
}

BIF(mote, window_size, 1) {
    int columns, rows;
    return is_small(a[0]) && platform_window_size((int)small_value(a[0]), &columns, &rows) ? TUPLE2(HEAP(p), SMALL(columns), SMALL(rows))
                                                                                           : A_undefined;
}

/* print_value(Prefix, Term): one line on standard output. */
BIF(mote, print_value, 2) {
    VM *vm = process_vm(p);
    Text t;
    text_init(&t, &vm->mem);
    iolist_bytes(vm, a[0], &t);
    term_print(&t, vm, a[1], &(PrintOptions){.strings = true});
    text_byte(&t, '\n');
    platform_write(1, t.at, t.size);
    text_done(&t);
    return A_ok;
}

/* read_priv(App, Path) -> binary() | undefined: a private file of a pack. */
BIF(atomvm, read_priv, 2) {
    char path[4096];
    Bytes content;
    if (!is_atom(a[0]) || !string_arg(a[1], path, sizeof path)) {
        return raise_badarg(p);
    }
    if (!code_path_private(machine_of(process_vm(p))->path, atom_bytes(p, a[0]), (Bytes){(uint8_t *)path, strlen(path)}, &content)) {
        return A_undefined;
    }
    term binary = bits_from(HEAP(p), content.at, content.size);
    return binary == NONE ? raise_heap_reason(p) : binary;
}

BIF(atomvm, platform, 0) {
    return A_generic_unix;
}
