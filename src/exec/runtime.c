/* What instructions do that the vocabulary has no words for. */
#include "exec/runtime.h"

#include "data/arith.h"
#include "proc/collect.h"
#include "proc/mailbox.h"
#include "term/number.h"

/* --- Comparisons and tests ----------------------------------------------------------------------------------------- */

bool rt_equal_slow(Process *p, term a, term b) {
    return a == b || (!(is_immediate(a) && is_immediate(b)) && term_equal(process_vm(p), a, b));
}

bool rt_less_slow(Process *p, term a, term b) {
    return term_compare(process_vm(p), a, b) < 0;
}

bool rt_at_least_slow(Process *p, term a, term b) {
    return term_compare(process_vm(p), a, b) >= 0;
}

bool rt_is_pid(Process *p UNUSED, term t) {
    return is_pid(t);
}

bool rt_is_port(Process *p UNUSED, term t) {
    return is_port(t);
}

bool rt_is_reference(Process *p UNUSED, term t) {
    return is_ref(t);
}

bool rt_is_function2(Process *p UNUSED, term t, term arity) {
    if (!is_small(arity) || !is_fun(t)) {
        return false;
    }
    const term *f = boxed(t);
    uint32_t n = HEADER_KIND(f[0]) == KIND_FUN ? ((const Lambda *)f[1])->arity : ((const Export *)f[1])->arity;
    return small_value(arity) == (intptr_t)n;
}

bool rt_bad_map(Process *p, term t) {
    exception_error_with(p, A_badmap, t);
    return false;
}

bool rt_not_required(Process *p) {
    exception_error(p, A_badarg);
    return false;
}

/* --- Exceptions ---------------------------------------------------------------------------------------------------- */

void rt_badmatch(Process *p, term value) {
    exception_error_with(p, A_badmatch, value);
}

void rt_case_clause(Process *p, term value) {
    exception_error_with(p, A_case_clause, value);
}

void rt_try_clause(Process *p, term value) {
    exception_error_with(p, A_try_clause, value);
}

void rt_badrecord(Process *p, term value) {
    exception_error_with(p, A_badrecord, value);
}

void rt_if_clause(Process *p) {
    exception_error(p, A_if_clause);
}

/* What only code that no compiler has made can come to. */
void rt_bad_code(Process *p) {
    exception_error(p, A_badarg);
}

void rt_raise(Process *p, term trace, term reason) {
    exception_raise(p, trace, reason);
}

void rt_no_bif(Process *p, const Export *e UNUSED) {
    exception_error(p, A_undef);
}

void rt_function_clause(Process *p, const term *x, uintptr_t arity) {
    exception_function_clause(p, (uint32_t)arity, x);
}

bool rt_raw_raise(Process *p, term class, term reason, term trace) {
    return exception_raw_raise(p, class, reason, trace);
}

term rt_stacktrace(Process *p, term trace) {
    return exception_stacktrace(p, trace);
}

term rt_caught(Process *p, const term *x) {
    return exception_caught(p, x);
}

/* --- Messages ------------------------------------------------------------------------------------------------------ */

void rt_remove_message(Process *p) {
    mailbox_remove(p);
}

void rt_timeout(Process *p) {
    mailbox_timed_out(p);
}

term rt_marker_reserve(Process *p) {
    return mailbox_marker_reserve(p);
}

void rt_marker_bind(Process *p, term marker, term reference) {
    mailbox_marker_bind(p, marker, reference);
}

void rt_marker_use(Process *p, term reference) {
    mailbox_marker_use(p, reference);
}

void rt_marker_clear(Process *p, term reference) {
    mailbox_marker_clear(p, reference);
}

/* --- Data ---------------------------------------------------------------------------------------------------------- */

/* Builds that collect at every need would take for ever with large heaps: there they collect only now and then, at places
   that look random but are the same each time. */
static bool stress_spares(const Process *p, size_t words) {
#ifdef MOTE_STRESS
    const Heap *h = &p->heap;
    enum { SMALL_HEAP = 4096 };
    size_t used = (size_t)(h->top - h->start) + (size_t)(h->end - h->sp);
    uint64_t mixed = used * 0x9e3779b97f4a7c15u >> 32;
    return (size_t)(h->sp - h->top) >= words + HEAP_RESERVE && !process_should_collect(p) && mixed % (used / SMALL_HEAP + 1) != 0;
#else
    (void)p, (void)words;
    return false;
#endif
}

bool rt_collect(Process *p, size_t words, size_t live) {
    return stress_spares(p, words) || process_collect(p, words, live);
}

bool rt_to_float(Process *p, term t, double *to) {
    if (arith_to_double(t, to)) {
        return true;
    }
    exception_error(p, A_badarith);
    return false;
}

term rt_make_fun(Process *p, const term *x, const term *y, const Unit *units, uintptr_t count, const Lambda *l) {
    CODE_HAS_FOUND(process_vm(p)->code);
    term *f = heap_alloc(&p->heap, 3 + count);
    f[0] = HEADER(2 + count, KIND_FUN);
    f[1] = (term)l;
    f[2] = p->pid;
    for (uintptr_t i = 0; i < count; i++) {
        f[3 + i] = rt_unit(x, y, units[i]);
    }
    return make_boxed(f);
}

term rt_update_record(Process *p, const term *x, const term *y, const Unit *units, uintptr_t count, term tuple, uintptr_t arity) {
    CODE_HAS_FOUND(process_vm(p)->code);
    term *t = heap_alloc(&p->heap, 1 + arity);
    memcpy(t, boxed(tuple), (1 + arity) * sizeof(term));
    for (uintptr_t i = 0; i + 1 < count; i += 2) {
        assert(small_value(units[i]) >= 1 && (uintptr_t)small_value(units[i]) <= arity);
        t[small_value(units[i])] = rt_unit(x, y, units[i + 1]);
    }
    return make_boxed(t);
}

/* A guess that is right for flat maps: so that they are made on the heap, not in a fragment. */
size_t rt_map_words(Process *p UNUSED, term map, uintptr_t count) {
    if (!is_boxed(map) || !is_flat_map(map)) {
        return 24 * count;
    }
    return 3 + 2 * HEADER_WORDS(header_of(map)) + count;
}

/* Pairs are taken from the registers in portions: a map of thousands of pairs need not fit on the C stack. */
enum { PORTION = 64 };

/* Of keys that are not there, the error names the one that comes first in the order of keys. */
static term first_missing(Process *p, const term *x, const term *y, const Unit *units, uintptr_t count, term map) {
    VM *vm = process_vm(p);
    term first = NONE;
    for (uintptr_t i = 0; i + 1 < count; i += 2) {
        term key = rt_unit(x, y, units[i]);
        if (map_get(vm, map, key) == NONE && (first == NONE || term_compare_exact(vm, key, first) < 0)) {
            first = key;
        }
    }
    return first;
}

static term put_pairs(Process *p, const term *x, const term *y, const Unit *units, uintptr_t count, term map, bool exact) {
    term pairs[PORTION], old = map;
    CODE_HAS_FOUND(process_vm(p)->code);
    for (uintptr_t done = 0; map != NONE && done + 1 < count;) {
        uintptr_t n = MIN(count - done, (uintptr_t)PORTION);
        for (uintptr_t i = 0; i < n; i++) {
            pairs[i] = rt_unit(x, y, units[done + i]);
        }
        map = exact ? map_update_pairs(&p->heap, map, pairs, n / 2) : map_put_pairs(&p->heap, map, pairs, n / 2);
        done += n;
    }
    if (map == NONE) {
        term key = exact && is_map(old) ? first_missing(p, x, y, units, count, old) : NONE;
        exception_error(p, key != NONE ? TUPLE2(&p->heap, A_badkey, key) : p->heap.reason);
    }
    return map;
}

term rt_put_map_assoc(Process *p, const term *x, const term *y, const Unit *units, uintptr_t count, term map) {
    return put_pairs(p, x, y, units, count, map, false);
}

term rt_put_map_exact(Process *p, const term *x, const term *y, const Unit *units, uintptr_t count, term map) {
    return put_pairs(p, x, y, units, count, map, true);
}

term rt_map_get_slow(Process *p, term map, term key) {
    return map_get(process_vm(p), map, key);
}
