/* Erlang's operators as functions: arithmetic, comparison, logic, and the tests of types. The engines have instructions for
   most of these; they come here when an operator is applied or used as a fun. */
#include "bif/bif.h"

#include "code/module.h"
#include "data/arith.h"
#include "data/record.h"
#include "term/bitstring.h"
#include "term/compare.h"

static term checked(Process *p, term result) {
    return LIKELY(result != NONE) ? result : raise_heap_reason(p);
}

static inline term boolean(bool b) {
    return b ? A_true : A_false;
}

BIF_AS(erlang, "+", op_plus, 1) {
    return checked(p, arith_plus(HEAP(p), a[0]));
}

BIF_AS(erlang, "-", op_minus, 1) {
    return checked(p, arith_neg(HEAP(p), a[0]));
}

BIF(erlang, bnot, 1) {
    return checked(p, arith_bnot(HEAP(p), a[0]));
}

BIF(erlang, abs, 1) {
    return checked(p, arith_abs(HEAP(p), a[0]));
}

BIF(erlang, round, 1) {
    return checked(p, arith_round(HEAP(p), a[0]));
}

BIF(erlang, trunc, 1) {
    return checked(p, arith_trunc(HEAP(p), a[0]));
}

BIF(erlang, ceil, 1) {
    return checked(p, arith_ceil(HEAP(p), a[0]));
}

BIF(erlang, floor, 1) {
    return checked(p, arith_floor(HEAP(p), a[0]));
}

BIF(erlang, float, 1) {
    return checked(p, arith_float(HEAP(p), a[0]));
}

BIF_AS(erlang, "+", op_plus, 2) {
    return checked(p, arith_add(HEAP(p), a[0], a[1]));
}

BIF_AS(erlang, "-", op_minus, 2) {
    return checked(p, arith_sub(HEAP(p), a[0], a[1]));
}

BIF_AS(erlang, "*", op_times, 2) {
    return checked(p, arith_mul(HEAP(p), a[0], a[1]));
}

BIF_AS(erlang, "/", op_divide, 2) {
    return checked(p, arith_div(HEAP(p), a[0], a[1]));
}

BIF(erlang, div, 2) {
    return checked(p, arith_int_div(HEAP(p), a[0], a[1]));
}

BIF(erlang, rem, 2) {
    return checked(p, arith_rem(HEAP(p), a[0], a[1]));
}

BIF(erlang, band, 2) {
    return checked(p, arith_band(HEAP(p), a[0], a[1]));
}

BIF(erlang, bor, 2) {
    return checked(p, arith_bor(HEAP(p), a[0], a[1]));
}

BIF(erlang, bxor, 2) {
    return checked(p, arith_bxor(HEAP(p), a[0], a[1]));
}

BIF(erlang, bsl, 2) {
    return checked(p, arith_bsl(HEAP(p), a[0], a[1]));
}

BIF(erlang, bsr, 2) {
    return checked(p, arith_bsr(HEAP(p), a[0], a[1]));
}

/* Comparison. */

BIF_AS(erlang, "==", op_eq, 2) {
    return boolean(term_equal(process_vm(p), a[0], a[1]));
}

BIF_AS(erlang, "/=", op_ne, 2) {
    return boolean(!term_equal(process_vm(p), a[0], a[1]));
}

BIF_AS(erlang, "=:=", op_exact_eq, 2) {
    return boolean(term_same(process_vm(p), a[0], a[1]));
}

BIF_AS(erlang, "=/=", op_exact_ne, 2) {
    return boolean(!term_same(process_vm(p), a[0], a[1]));
}

BIF_AS(erlang, "<", op_lt, 2) {
    return boolean(term_compare(process_vm(p), a[0], a[1]) < 0);
}

BIF_AS(erlang, ">", op_gt, 2) {
    return boolean(term_compare(process_vm(p), a[0], a[1]) > 0);
}

BIF_AS(erlang, "=<", op_le, 2) {
    return boolean(term_compare(process_vm(p), a[0], a[1]) <= 0);
}

BIF_AS(erlang, ">=", op_ge, 2) {
    return boolean(term_compare(process_vm(p), a[0], a[1]) >= 0);
}

/* The first of two equal ones, in both. */

BIF(erlang, min, 2) {
    return term_compare(process_vm(p), a[0], a[1]) > 0 ? a[1] : a[0];
}

BIF(erlang, max, 2) {
    return term_compare(process_vm(p), a[0], a[1]) < 0 ? a[1] : a[0];
}

/* Logic. */

static inline bool is_boolean(term t) {
    return t == A_true || t == A_false;
}

BIF(erlang, and, 2) {
    return is_boolean(a[0]) && is_boolean(a[1]) ? boolean(a[0] == A_true && a[1] == A_true) : raise_badarg(p);
}

BIF(erlang, or, 2) {
    return is_boolean(a[0]) && is_boolean(a[1]) ? boolean(a[0] == A_true || a[1] == A_true) : raise_badarg(p);
}

BIF(erlang, xor, 2) {
    return is_boolean(a[0]) && is_boolean(a[1]) ? boolean(a[0] != a[1]) : raise_badarg(p);
}

BIF(erlang, not, 1) {
    return is_boolean(a[0]) ? boolean(a[0] == A_false) : raise_badarg(p);
}

/* Types. */

BIF(erlang, is_atom, 1) {
    return boolean(is_atom(a[0]));
}

BIF(erlang, is_binary, 1) {
    return boolean(is_binary(a[0]));
}

BIF(erlang, is_bitstring, 1) {
    return boolean(is_bitstring(a[0]));
}

BIF(erlang, is_boolean, 1) {
    return boolean(is_boolean(a[0]));
}

BIF(erlang, is_float, 1) {
    return boolean(is_float(a[0]));
}

BIF(erlang, is_function, 1) {
    return boolean(is_fun(a[0]));
}

BIF(erlang, is_integer, 1) {
    return boolean(is_integer(a[0]));
}

BIF(erlang, is_list, 1) {
    return boolean(is_list(a[0]));
}

BIF(erlang, is_map, 1) {
    return boolean(is_map(a[0]));
}

BIF(erlang, is_number, 1) {
    return boolean(is_number(a[0]));
}

BIF(erlang, is_pid, 1) {
    return boolean(is_pid(a[0]));
}

BIF(erlang, is_port, 1) {
    return boolean(is_port(a[0]));
}

BIF(erlang, is_reference, 1) {
    return boolean(is_ref(a[0]));
}

BIF(erlang, is_tuple, 1) {
    return boolean(is_tuple(a[0]));
}

/* OTP 29: is it an integer between these two? */
BIF(erlang, is_integer, 3) {
    if (!is_integer(a[1]) || !is_integer(a[2])) {
        return raise_badarg(p);
    }
    return boolean(is_integer(a[0]) && integer_compare(a[0], a[1]) >= 0 && integer_compare(a[0], a[2]) <= 0);
}

static uint32_t fun_arity(term fun) {
    const term *f = boxed(fun);
    return HEADER_KIND(f[0]) == KIND_FUN ? ((const Lambda *)f[1])->arity : ((const Export *)f[1])->arity;
}

BIF(erlang, is_function, 2) {
    if (!is_integer(a[1]) || integer_is_negative(a[1])) {
        return raise_badarg(p);
    }
    return boolean(is_fun(a[0]) && a[1] == SMALL(fun_arity(a[0])));
}

BIF(erlang, is_record, 2) {
    if (!is_atom(a[1])) {
        return raise_badarg(p);
    }
    return boolean(is_tuple(a[0]) && tuple_arity(a[0]) >= 1 && element(a[0], 1) == a[1]);
}

BIF(erlang, is_record, 3) {
    if (is_record(a[0]) && is_atom(a[1]) && is_atom(a[2])) { /* native ones have a module and a name */
        return boolean(record_is(a[0], a[1], a[2]));
    }
    if (!is_atom(a[1]) || !is_small(a[2])) {
        return raise_badarg(p);
    }
    return boolean(is_tuple(a[0]) && SMALL(tuple_arity(a[0])) == a[2] && a[2] != SMALL(0) && element(a[0], 1) == a[1]);
}
