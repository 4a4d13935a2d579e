/* Built-ins on funs and exported functions. */
#include "base/text.h"
#include "base/utf8.h"
#include "bif/bif.h"
#include "code/purge.h"
#include "data/bits.h"
#include "term/fun.h"
#include "term/print.h"

static bool is_local_fun(term fun) {
    return kind_of(fun) == KIND_FUN;
}

BIF(erlang, make_fun, 3) {
    if (!is_atom(a[0]) || !is_atom(a[1]) || !is_small(a[2]) || small_value(a[2]) < 0 || small_value(a[2]) > 255) {
        return raise_badarg(p);
    }
    const Export *e = export_get(process_vm(p), a[0], a[1], (uint32_t)small_value(a[2]));
    if (e == NULL) {
        return raise_error(p, A_system_limit);
    }
    term *fun = heap_alloc(HEAP(p), 2);
    fun[0] = HEADER(1, KIND_EXPORT);
    fun[1] = (term)e;
    return make_boxed(fun);
}

BIF(erlang, function_exported, 3) {
    if (!is_atom(a[0]) || !is_atom(a[1]) || !is_small(a[2])) {
        return raise_badarg(p);
    }
    intptr_t arity = small_value(a[2]);
    const Export *e = arity < 0 || arity > 255 ? NULL : export_find(process_vm(p), a[0], a[1], (uint32_t)arity);
    return e != NULL && export_is_callable(e) ? A_true : A_false;
}

static term environment(Heap *h, term fun) {
    return is_local_fun(fun) ? heap_list(h, boxed(fun) + FUN_FREE, fun_free_count(fun), NIL) : NIL;
}

/* Of a fun of a module; NONE: there is no such item. */
static term local_info(Process *p, term fun, term what) {
    const Lambda *l = fun_code(fun);
    switch (what) {
    case A_type: return A_local;
    case A_pid: return boxed(fun)[2];
    case A_module: return l->module;
    case A_name: return l->loaded != NULL && !purge_holds(process_vm(p), l) ? l->name : NIL;
    case A_arity: return SMALL(l->arity);
    case A_index: return SMALL(l->old_index);
    case A_uniq: return SMALL(l->old_uniq);
    case A_new_index: return SMALL(l->index);
    case A_new_uniq: return bits_from(HEAP(p), l->uniq, sizeof l->uniq);
    case A_refc: return SMALL(1);
    case A_env: return environment(HEAP(p), fun);
    default: return NONE;
    }
}

static term external_info(term fun, term what) {
    const Export *e = fun_code(fun);
    switch (what) {
    case A_type: return A_external;
    case A_module: return e->module;
    case A_name: return e->name;
    case A_arity: return SMALL(e->arity);
    case A_env: return NIL;
    case A_pid:
    case A_index:
    case A_uniq:
    case A_new_index:
    case A_new_uniq:
    case A_refc: return A_undefined;
    default: return NONE;
    }
}

BIF(erlang, fun_info, 2) {
    if (!is_fun(a[0])) {
        return raise_badarg(p);
    }
    term value = is_local_fun(a[0]) ? local_info(p, a[0], a[1]) : external_info(a[0], a[1]);
    return value == NONE ? raise_badarg(p) : TUPLE2(HEAP(p), a[1], value);
}

BIF(erlang, fun_info_mfa, 1) {
    if (!is_fun(a[0])) {
        return raise_badarg(p);
    }
    if (is_local_fun(a[0])) {
        return TUPLE3(HEAP(p), local_info(p, a[0], A_module), local_info(p, a[0], A_name), local_info(p, a[0], A_arity));
    }
    return TUPLE3(HEAP(p), external_info(a[0], A_module), external_info(a[0], A_name), external_info(a[0], A_arity));
}

BIF(erlang, fun_to_list, 1) {
    if (!is_fun(a[0])) {
        return raise_badarg(p);
    }
    Text t;
    text_init(&t, &process_vm(p)->mem);
    term_print(&t, process_vm(p), a[0], &(PrintOptions){0});
    term list = NIL;
    for (size_t end = t.failed ? 0 : t.size; end > 0;) { /* from the last character on */
        size_t start = end - 1;
        while (start > 0 && (t.at[start] & 0xc0) == 0x80) {
            start--;
        }
        uint32_t c = t.at[start];
        if (c >= 0x80) {
            utf8_read(t.at + start, t.at + end, &c);
        }
        list = heap_cons(HEAP(p), SMALL(c), list);
        end = start;
    }
    bool failed = t.failed;
    text_done(&t);
    return failed ? raise_error(p, A_system_limit) : list;
}
