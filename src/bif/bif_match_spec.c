/* Match specifications apart from tables: what they may call, and trying one out. */
#include "bif/bif.h"
#include "bif/guards.h"
#include "term/copy.h"
#include "trace/trace.h"

/* Functions that guards and bodies may call, all of module erlang. */
GuardFunction *guard_lookup(VM *vm, term name, size_t arity) {
    static const struct {
        term name;
        uint8_t least, most;
    } allowed[] = {
        {A_is_atom, 1, 1},    {A_is_float, 1, 1},  {A_is_integer, 1, 1},   {A_is_list, 1, 1},     {A_is_number, 1, 1},
        {A_is_pid, 1, 1},     {A_is_port, 1, 1},   {A_is_reference, 1, 1}, {A_is_tuple, 1, 1},    {A_is_map, 1, 1},
        {A_is_map_key, 2, 2}, {A_is_binary, 1, 1}, {A_is_bitstring, 1, 1}, {A_is_boolean, 1, 1},  {A_is_function, 1, 2},
        {A_is_record, 2, 3},  {A_abs, 1, 1},       {A_element, 2, 2},      {A_hd, 1, 1},          {A_tl, 1, 1},
        {A_node, 0, 1},       {A_round, 1, 1},     {A_trunc, 1, 1},        {A_floor, 1, 1},       {A_ceil, 1, 1},
        {A_float, 1, 1},      {A_size, 1, 1},      {A_map_size, 1, 1},     {A_map_get, 2, 2},     {A_tuple_size, 1, 1},
        {A_bit_size, 1, 1},   {A_byte_size, 1, 1}, {A_binary_part, 2, 3},  {A_min, 2, 2},         {A_max, 2, 2},
        {A_op_plus, 1, 2},    {A_op_minus, 1, 2},  {A_op_times, 2, 2},     {A_op_divide, 2, 2},   {A_div, 2, 2},
        {A_rem, 2, 2},        {A_band, 2, 2},      {A_bor, 2, 2},          {A_bxor, 2, 2},        {A_bnot, 1, 1},
        {A_bsl, 2, 2},        {A_bsr, 2, 2},       {A_op_gt, 2, 2},        {A_op_ge, 2, 2},       {A_op_lt, 2, 2},
        {A_op_le, 2, 2},      {A_op_eq, 2, 2},     {A_op_ne, 2, 2},        {A_op_exact_eq, 2, 2}, {A_op_exact_ne, 2, 2},
        {A_not, 1, 1},        {A_xor, 2, 2},
    };
    for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
        if (allowed[i].name == name && arity >= allowed[i].least && arity <= allowed[i].most) {
            const BifEntry *e = bif_find(vm, A_erlang, name, (uint32_t)arity);
            return e == NULL ? NULL : e->function;
        }
    }
    return NULL;
}

/* [{error, Words}] */
static term mistakes_term(Heap *h, const Text *mistakes) {
    term list = NIL;
    for (size_t end = mistakes->size; end > 0;) {
        size_t start = end - 1;
        while (start > 0 && mistakes->at[start - 1] != 0) {
            start--;
        }
        term words = heap_latin1_list(h, (const char *)mistakes->at + start, end - 1 - start);
        list = words == NONE ? list : heap_cons(h, TUPLE2(h, A_error, words), list);
        end = start;
    }
    return list;
}

/* Runs a specification on one term, or says what is wrong with it. */
BIF(erlang, match_spec_test, 3) {
    Heap *h = HEAP(p);
    VM *vm = process_vm(p);
    if ((a[2] != A_table && a[2] != A_trace) || (a[2] == A_trace && (trace_form_count == 0 || !is_list(a[0])))) {
        return raise_badarg(p);
    }
    Text mistakes;
    text_init(&mistakes, &vm->mem);
    bool trace = a[2] == A_trace;
    TraceRun run = {.session = vm->trace->sessions, .test = true};
    MatchOptions o = {.lookup = guard_lookup, .at_least_one = true, .mistakes = &mistakes};
    if (trace) {
        o.dialect = MATCH_TRACE, o.forms = trace_forms, o.form_count = trace_form_count;
    }
    term reason, result;
    MatchSpec *m = match_compile(vm, a[1], &o, &reason);
    if (m == NULL) {
        result = TUPLE2(h, A_error, mistakes_term(h, &mistakes));
    } else {
        term value = trace ? trace_match(p, m, a[0], &run) : match_run(m, p, a[0]);
        value = value == NONE ? A_false : term_copy(h, value);
        resource_release(vm, &m->resource);
        term flags = run.exceptions ? heap_cons(h, A_exception_trace, NIL) : NIL;
        flags = run.returns ? heap_cons(h, A_return_trace, flags) : flags;
        result = value == NONE ? raise_heap_reason(p) : TUPLE4(h, A_ok, value, flags, NIL);
    }
    text_done(&mistakes);
    return result;
}
