/* The C functions behind the words of ops.tab: what both engines call. They take the process and words, may allocate (fragments
   are there when the heap is full), never collect, and never change x or y registers unless they say so.

   value: NONE means that an exception has been set. Tests: bool. An Entry: where a call goes on; NULL: an exception. */
#ifndef MOTE_EXEC_RUNTIME_H
#define MOTE_EXEC_RUNTIME_H

#include "base/lock.h"
#include "code/module.h"
#include "data/map.h"
#include "exec/exception.h"
#include "term/bitstring.h"
#include "term/compare.h"

/* Sets of kinds, for unless_kind. */
#define KINDS2(a, b) (1u << (a) | 1u << (b))
enum {
    BIG_KINDS = KINDS2(KIND_BIG, KIND_NEG_BIG),
    NUMBER_KINDS = BIG_KINDS | 1u << KIND_FLOAT,
    MAP_KINDS = KINDS2(KIND_MAP, KIND_HASH_MAP),
    FUN_KINDS = KINDS2(KIND_FUN, KIND_EXPORT),
    BITS_KINDS = KINDS2(KIND_BITS, KIND_VIEW),
    MATCH_KIND = 1u << KIND_MATCH,
    MATCHING_KINDS = BITS_KINDS | MATCH_KIND,
    RECORD_KINDS = 1u << KIND_RECORD,
};
#define FLOAT_HEADER HEADER(FLOAT_WORDS - 1, KIND_FLOAT)
#define TUPLE_HEADER(n) HEADER(n, KIND_TUPLE)
enum { ROOM_WORDS = 64 }; /* what the word `room` sees to */

/* An operand of a list, as a unit: a term, or a register. */
static inline term rt_unit(const term *x, const term *y, Unit u) {
    if (u & TAG_MASK) {
        return u;
    }
    return *(const term *)((const char *)(u & 4 ? (const char *)y - 4 : (const char *)x) + u);
}

/* Comparisons. */
static inline bool rt_same(Process *p, term a, term b) {
    return term_same(process_vm(p), a, b);
}
static inline bool rt_different(Process *p, term a, term b) {
    return !term_same(process_vm(p), a, b);
}
bool rt_equal_slow(Process *p, term a, term b);
bool rt_less_slow(Process *p, term a, term b);
bool rt_at_least_slow(Process *p, term a, term b);
static inline bool rt_both_floats(term a, term b) {
    return is_boxed(a) && is_boxed(b) && header_of(a) == FLOAT_HEADER && header_of(b) == FLOAT_HEADER;
}
static inline bool rt_equal(Process *p, term a, term b) {
    return rt_both_floats(a, b) ? float_value(a) == float_value(b) : rt_equal_slow(p, a, b);
}
static inline bool rt_not_equal(Process *p, term a, term b) {
    return !rt_equal(p, a, b);
}
static inline bool rt_less(Process *p, term a, term b) {
    return rt_both_floats(a, b) ? float_value(a) < float_value(b) : rt_less_slow(p, a, b);
}
static inline bool rt_at_least(Process *p, term a, term b) {
    return rt_both_floats(a, b) ? float_value(a) >= float_value(b) : rt_at_least_slow(p, a, b);
}

/* Tests of types. */
static inline bool rt_is_binary(Process *p UNUSED, term t) {
    return bits_size(t) % 8 == 0;
} /* t is a bitstring */
bool rt_is_pid(Process *p, term t);
bool rt_is_port(Process *p, term t);
bool rt_is_reference(Process *p, term t); /* t is boxed */
bool rt_is_function2(Process *p, term t, term arity);
bool rt_bad_map(Process *p, term t);
bool rt_not_required(Process *p);

/* Exceptions. */
void rt_badmatch(Process *p, term value);
void rt_case_clause(Process *p, term value);
void rt_try_clause(Process *p, term value);
void rt_badrecord(Process *p, term value);
void rt_if_clause(Process *p);
void rt_bad_code(Process *p);
void rt_raise(Process *p, term trace, term reason);
void rt_no_bif(Process *p, const Export *e);
void rt_function_clause(Process *p, const term *x, uintptr_t arity);
bool rt_raw_raise(Process *p, term class, term reason, term trace);
term rt_stacktrace(Process *p, term trace);
term rt_caught(Process *p, const term *x);

/* Calls. x: the registers, which these may change. */
const Entry *rt_call_fun_slow(Process *p, term *x, uintptr_t arity);
static inline const Entry *rt_call_fun(Process *p, term *x, uintptr_t arity) {
    term fun = x[arity];
    if (LIKELY(is_boxed(fun))) {
        const term *f = boxed(fun);
        if (LIKELY(HEADER_KIND(f[0]) == KIND_FUN)) {
            const Lambda *l = (const Lambda *)f[1];
            if (LIKELY(l->arity == arity)) {
                for (size_t i = 0, n = HEADER_WORDS(f[0]) - 2; i < n; i++) {
                    x[arity + i] = f[3 + i];
                }
                return &l->entry;
            }
        }
    }
    return rt_call_fun_slow(p, x, arity);
}
const Entry *rt_apply(Process *p, term *x, uintptr_t arity); /* x(arity): module, x(arity + 1): function */
/* A traced built-in is the last thing that the function at ip applies: if all it does is to raise, that function is still to be in the
   stack trace. False: no memory, the process is killed. */
bool rt_keep_caller(Process *p, const Unit *ip, const Export *to);
const Entry *rt_apply_list(Process *p, term *x, uintptr_t unused); /* x0: module, x1: function, x2: arguments */
const Entry *rt_apply_fun(Process *p, term *x, uintptr_t unused);  /* x0: fun, x1: arguments */
const Entry *rt_undefined(Process *p, term *x, const Export *e);
const Entry *rt_debugged(Process *p, term *x, const struct Traced *t); /* what has a breakpoint of the debugger's */
const Entry *rt_unloaded_fun(Process *p, term *x, const Lambda *l);
const Entry *rt_demand(Process *p, term *x, const Function *f);
/* hibernate/3. False: an exception. Else the process has no stack any more, and the engine leaves with *result. */
bool rt_hibernate(Process *p, term *x, RunResult *result);

/* Room: x0 .. x(live - 1) are roots. False: the process must leave at once (RUN_YIELD). */
bool rt_collect(Process *p, size_t words, size_t live);

/* Messages. */
void rt_remove_message(Process *p);
void rt_timeout(Process *p);
term rt_marker_reserve(Process *p);
void rt_marker_bind(Process *p, term marker, term reference);
void rt_marker_use(Process *p, term reference);
void rt_marker_clear(Process *p, term reference);

/* Data. units: a list operand of `count`. */
bool rt_to_float(Process *p, term t, double *to);
term rt_make_fun(Process *p, const term *x, const term *y, const Unit *units, uintptr_t count, const Lambda *l);
term rt_update_record(Process *p, const term *x, const term *y, const Unit *units, uintptr_t count, term tuple, uintptr_t arity);
bool rt_is_native_record(Process *p, term t, term module, term name);
term rt_is_record_named(Process *p, term t, term module, term name);
bool rt_is_record_accessible(Process *p, term t, term module);
term rt_get_record_element(Process *p, term t, term key); /* NONE, and nothing set: t is no record, or has no such field */
term rt_get_record_field(Process *p, term t, term id, term key);
term rt_create_record(Process *p, const term *x, const term *y, const Unit *units, uintptr_t count, term template);
term rt_create_external_record(Process *p, const term *x, const term *y, const Unit *units, uintptr_t count, term id);
term rt_change_record(Process *p, const term *x, const term *y, const Unit *units, uintptr_t count, term record);
size_t rt_map_words(Process *p, term map, uintptr_t count);
term rt_put_map_assoc(Process *p, const term *x, const term *y, const Unit *units, uintptr_t count, term map);
term rt_put_map_exact(Process *p, const term *x, const term *y, const Unit *units, uintptr_t count, term map);
term rt_map_get_slow(Process *p, term map, term key);
/* The value of a key; NONE: it is not there. map is a map. */
static inline term rt_map_get(Process *p, term map, term key) {
    if (LIKELY(is_flat_map(map)) && is_immediate(key)) {
        const term *keys = map_flat_keys(map);
        for (size_t i = 0, n = HEADER_WORDS(header_of(map)) - 1; i < n; i++) {
            if (keys[i] == key) {
                return boxed(map)[2 + i];
            }
        }
        return NONE;
    }
    return rt_map_get_slow(p, map, key);
}
static inline bool rt_map_has(Process *p, term map, term key) {
    return rt_map_get(p, map, key) != NONE;
}

#endif
