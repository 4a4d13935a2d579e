/* Built-ins of module re, on io/regex.h. What concerns whole subjects (global, split, replace) is Erlang code of OTP, which some
   of these hand over to. */
#include "bif/bif.h"
#include "data/bits.h"
#include "data/iolist.h"
#include "io/io.h"
#include "io/regex.h"
#include "term/ref.h"

enum { FIRST_MODERN = 28, CHARS_PER_REDUCTION = 64 };

static bool is_modern(Process *p) {
    return bif_release(p) >= FIRST_MODERN;
}

/* Options. */

typedef struct {
    uint32_t pattern, run;       /* RegexOption, RegexRunOption */
    bool pattern_only, run_only; /* something was given that has a meaning only when compiling, or only when running */
    bool global, reports, exports;
    term values, type;                        /* of capture; NONE: not given */
    int64_t offset, match_limit, depth_limit; /* limits < 0: none given */
} Options;

static const struct {
    term name;
    uint32_t pattern, run;
    // clang-format off
} flags[] = {
    {A_unicode, REGEX_UNICODE, 0}, {A_anchored, REGEX_ANCHORED, REGEX_RUN_ANCHORED}, {A_caseless, REGEX_CASELESS, 0},
    {A_dollar_endonly, REGEX_DOLLAR_ENDONLY, 0}, {A_dotall, REGEX_DOTALL, 0}, {A_extended, REGEX_EXTENDED, 0},
    {A_firstline, REGEX_FIRSTLINE, 0}, {A_multiline, REGEX_MULTILINE, 0}, {A_no_auto_capture, REGEX_NO_AUTO_CAPTURE, 0},
    {A_dupnames, REGEX_DUPNAMES, 0}, {A_ungreedy, REGEX_UNGREEDY, 0}, {A_no_start_optimize, REGEX_NO_START_OPTIMIZE, 0},
    {A_ucp, REGEX_UCP, 0}, {A_never_utf, REGEX_NEVER_UTF, 0}, {A_notempty, 0, REGEX_NOTEMPTY},
    {A_notempty_atstart, 0, REGEX_NOTEMPTY_ATSTART}, {A_notbol, 0, REGEX_NOTBOL}, {A_noteol, 0, REGEX_NOTEOL},
};
// clang-format on

static const struct {
    term name;
    uint32_t pattern;
} newlines[] = {
    {A_cr, REGEX_CR}, {A_lf, REGEX_LF}, {A_crlf, REGEX_CRLF}, {A_any, REGEX_ANY}, {A_anycrlf, REGEX_ANYCRLF}, {A_nul, REGEX_NUL},
};

static bool flag_option(Options *o, term name, bool modern) {
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        if (flags[i].name == name) {
            o->pattern |= flags[i].pattern;
            o->run |= flags[i].run;
            o->pattern_only |= flags[i].run == 0;
            o->run_only |= flags[i].pattern == 0;
            return true;
        }
    }
    switch (name) {
    case A_bsr_anycrlf:
    case A_bsr_unicode:
        o->pattern = (o->pattern & ~(uint32_t)(REGEX_BSR_ANYCRLF | REGEX_BSR_UNICODE)) |
                     (name == A_bsr_anycrlf ? REGEX_BSR_ANYCRLF : REGEX_BSR_UNICODE);
        return true;
    case A_global: return o->global = o->run_only = true;
    case A_report_errors: return o->reports = o->run_only = true;
    case A_export: return modern ? (o->exports = o->pattern_only = true) : false;
    default: return false;
    }
}

static bool newline_option(Options *o, term name, bool modern) {
    for (size_t i = 0; i < ARRAY_LEN(newlines); i++) {
        if (newlines[i].name == name && (modern || name != A_nul)) {
            o->pattern = (o->pattern & ~(uint32_t)REGEX_NEWLINES) | newlines[i].pattern;
            return true;
        }
    }
    return false;
}

static bool number_option(term value, int64_t *n) {
    *n = is_small(value) ? small_value(value) : -1;
    return *n >= 0 && *n <= INT32_MAX;
}

static bool pair_option(Options *o, term name, term value, bool modern) {
    if (name == A_newline) {
        return newline_option(o, value, modern);
    }
    o->run_only = true;
    switch (name) {
    case A_capture: o->values = value, o->type = A_index; return true;
    case A_offset: return number_option(value, &o->offset);
    case A_match_limit: return number_option(value, &o->match_limit);
    case A_match_limit_recursion: return number_option(value, &o->depth_limit);
    default: return false;
    }
}

static bool parse_options(Process *p, term list, Options *o) {
    bool modern = is_modern(p), ok = true;
    *o = (Options){.pattern = modern ? REGEX_MODERN : 0, .match_limit = -1, .depth_limit = -1};
    for (; ok && is_cons(list); list = tail(list)) {
        term option = head(list);
        if (is_tuple_of(option, 3) && element(option, 1) == A_capture) {
            o->values = element(option, 2), o->type = element(option, 3);
            o->run_only = true;
        } else if (is_tuple_of(option, 2)) {
            ok = pair_option(o, element(option, 1), element(option, 2), modern);
        } else {
            ok = flag_option(o, option, modern);
        }
    }
    return ok && list == NIL;
}

/* Bytes of a binary or an iolist. */

typedef struct {
    const uint8_t *at;
    size_t size;
    BitsBytes binary;
    Text list;
} Chars;

/* False: raised. */
static bool chars_of(Process *p, term t, Chars *c) {
    VM *vm = process_vm(p);
    *c = (Chars){0};
    text_init(&c->list, &vm->mem);
    if (is_bitstring(t) && is_binary(t)) {
        if (!bits_bytes(vm, t, &c->binary)) {
            raise_error(p, A_system_limit);
            return false;
        }
        c->at = c->binary.at, c->size = c->binary.size;
        return true;
    }
    IolistResult result = is_list(t) ? iolist_bytes(vm, t, &c->list) : IOLIST_BAD;
    c->at = c->list.at, c->size = c->list.size;
    BUMP(p, (intptr_t)(c->size / CHARS_PER_REDUCTION));
    if (result != IOLIST_OK) {
        text_done(&c->list);
        raise_error(p, result == IOLIST_BAD ? A_badarg : A_system_limit);
    }
    return result == IOLIST_OK;
}

static void chars_done(Process *p, Chars *c) {
    bits_bytes_done(process_vm(p), &c->binary);
    text_done(&c->list);
}

/* Compiling. */

static term raise_status(Process *p, RegexStatus status) {
    return status == REGEX_NO_MEMORY    ? raise_error(p, A_system_limit)
           : status == REGEX_NO_LIBRARY ? raise_error(p, A_notsup)
                                        : raise_badarg(p);
}

static term error_term(Heap *h, const RegexError *e) {
    return TUPLE2(h, heap_latin1_list(h, e->text, strlen(e->text)), SMALL(e->at));
}

/* {re_pattern, Groups, Unicode, Crlf, Binary}. NONE: raised. */
static term pattern_term(Process *p, const Regex *r) {
    const uint8_t *at;
    size_t size;
    regex_write(r, &at, &size);
    term stored = bits_from(HEAP(p), at, size);
    return stored == NONE ? raise_heap_reason(p)
                          : heap_tuple(HEAP(p), 5, A_re_pattern, SMALL(regex_captures(r)), SMALL(regex_is_unicode(r)),
                                       SMALL(regex_knows_crlf(r)), stored);
}

/* The form for other nodes: {re_exported_pattern, Mark, Pattern, Options, Binary}. */
static term exported_term(Process *p, const Regex *r, const Chars *text, term options) {
    Heap *h = HEAP(p);
    term pattern = pattern_term(p, r), source = pattern == NONE ? NONE : bits_from(h, text->at, text->size);
    if (source == NONE) {
        return pattern == NONE ? NONE : raise_heap_reason(p);
    }
    return heap_tuple(h, 5, A_re_exported_pattern, bits_from(h, "re-mote", 7), source, options, element(pattern, 5));
}

static term trap_to_re(Process *p, term name, int arity, term x, term y, term z) {
    const Export *to = export_get(process_vm(p), A_re, name, (uint32_t)arity);
    return to == NULL ? raise_error(p, A_system_limit) : bif_trap(p, to, arity, x, y, z);
}

static term compile(Process *p, term pattern, term options) {
    Options o;
    if (!parse_options(p, options, &o) || o.run_only) {
        return raise_error_cause(p, A_badarg, A_badopt);
    }
    if ((o.pattern & REGEX_UNICODE) && !(is_bitstring(pattern) && is_binary(pattern))) {
        return trap_to_re(p, A_ucompile, 2, pattern, options, NIL);
    }
    Chars text;
    if (!chars_of(p, pattern, &text)) {
        return NONE;
    }
    Regex *r;
    RegexError error;
    Heap *h = HEAP(p);
    term result;
    RegexStatus status = regex_compile(process_vm(p), o.pattern, text.at, text.size, &r, &error);
    if (status == REGEX_OK) {
        result = o.exports ? exported_term(p, r, &text, options) : pattern_term(p, r);
        result = result == NONE ? NONE : TUPLE2(h, A_ok, result);
        regex_release(process_vm(p), r);
    } else {
        result = status == REGEX_WRONG ? TUPLE2(h, A_error, error_term(h, &error)) : raise_status(p, status);
    }
    BUMP(p, 10 + (intptr_t)text.size);
    chars_done(p, &text);
    return result;
}

BIF(re, compile, 1) {
    return compile(p, a[0], NIL);
}

BIF(re, compile, 2) {
    return compile(p, a[0], a[1]);
}

static bool is_pattern(term t) {
    return is_tuple_of(t, 5) && element(t, 1) == A_re_pattern && is_small(element(t, 2)) && is_small(element(t, 3)) &&
           is_small(element(t, 4)) && is_bitstring(element(t, 5)) && is_binary(element(t, 5));
}

/* What a compiled pattern stands for. NULL: raised. */
static Regex *pattern_of(Process *p, term t) {
    BitsBytes b;
    if (!bits_bytes(process_vm(p), element(t, 5), &b)) {
        raise_error(p, A_system_limit);
        return NULL;
    }
    Regex *r = NULL;
    RegexStatus status = regex_read(process_vm(p), b.at, b.size, &r);
    bits_bytes_done(process_vm(p), &b);
    if (status == REGEX_OK && (element(t, 2) != SMALL(regex_captures(r)) || element(t, 3) != SMALL(regex_is_unicode(r)))) {
        regex_release(process_vm(p), r);
        status = REGEX_DAMAGED;
    }
    if (status != REGEX_OK) {
        raise_status(p, status);
        return NULL;
    }
    return r;
}

static term without(Heap *h, term list, term what) {
    term result = NIL;
    for (; is_cons(list); list = tail(list)) {
        result = head(list) == what ? result : heap_cons(h, head(list), result);
    }
    return result;
}

/* Patterns that other virtual machines have exported are compiled anew. */
BIF(re, import, 1) {
    if (!is_tuple_of(a[0], 5) || element(a[0], 1) != A_re_exported_pattern || !is_bitstring(element(a[0], 3)) ||
        !is_binary(element(a[0], 3))) {
        return raise_badarg(p);
    }
    term result = compile(p, element(a[0], 3), without(HEAP(p), element(a[0], 4), A_export));
    if (result == NONE) {
        return p->heap.reason == A_trap ? NONE : raise_badarg(p);
    }
    return element(result, 1) == A_ok ? element(result, 2) : raise_badarg(p);
}

BIF(re, version, 0) {
    const char *version = regex_version(process_vm(p));
    return version == NULL ? raise_error(p, A_notsup) : bits_from(HEAP(p), version, strlen(version));
}

BIF(re, inspect, 2) {
    if (!is_pattern(a[0]) || a[1] != A_namelist) {
        return raise_badarg(p);
    }
    Regex *r = pattern_of(p, a[0]);
    if (r == NULL) {
        return NONE;
    }
    Heap *h = HEAP(p);
    term list = NIL;
    const char *last = NULL;
    for (size_t i = regex_names(r); i-- > 0;) {
        size_t group;
        const char *name = regex_name(r, i, &group);
        if (last == NULL || strcmp(last, name) != 0) {
            list = heap_cons(h, bits_from(h, name, strlen(name)), list);
        }
        last = name;
    }
    regex_release(process_vm(p), r);
    return TUPLE2(h, A_namelist, list);
}

/* What a run shall tell. */

typedef struct {
    const RegexRun *run;
    term subject; /* where parts are cut from, if it is a binary */
    term type;    /* index, list, binary */
} Answer;

static bool is_set(const RegexRun *run, size_t group) {
    return group < run->count && run->groups[2 * group] != REGEX_UNSET;
}

/* The text of a group, or its place. NONE: no memory (in the heap). */
static term group_term(Heap *h, const Answer *answer, size_t group) {
    const RegexRun *run = answer->run;
    bool set = is_set(run, group);
    size_t start = set ? run->groups[2 * group] : 0, end = set ? run->groups[2 * group + 1] : 0;
    if (answer->type == A_index) {
        return set ? TUPLE2(h, SMALL(start), SMALL((intptr_t)(end - start))) : TUPLE2(h, SMALL(-1), SMALL(0));
    }
    size_t size = end > start ? end - start : 0; /* \K in an assertion may put the end first */
    if (answer->type == A_list) {
        return heap_latin1_list(h, (const char *)run->subject + start, size);
    }
    return answer->subject != NONE ? bits_sub(h, answer->subject, start * 8, size * 8) : bits_from(h, run->subject + start, size);
}

/* Of several groups with one name it is the first that has a part in the match. NONE: there is no such name. */
static size_t group_named(const RegexRun *run, const char *name) {
    size_t found = REGEX_UNSET;
    for (size_t i = 0, n = regex_names(run->regex), group; i < n; i++) {
        if (strcmp(regex_name(run->regex, i, &group), name) == 0 && (found == REGEX_UNSET || !is_set(run, found))) {
            found = group;
        }
    }
    return found;
}

/* The group that an element of a list of values means. False: it means none. */
static bool group_of(Process *p, const RegexRun *run, term value, size_t *group) {
    *group = REGEX_UNSET;
    if (is_small(value)) {
        *group = (size_t)small_value(value);
        return small_value(value) >= 0 && small_value(value) <= INT32_MAX;
    }
    Text name;
    text_init(&name, &process_vm(p)->mem);
    bool ok = is_atom(value);
    if (ok) {
        Bytes text = atom_text(process_vm(p), value);
        text_add(&name, text.at, text.size);
    } else {
        ok = (is_list(value) || is_bitstring(value)) && iolist_bytes(process_vm(p), value, &name) == IOLIST_OK;
    }
    text_byte(&name, 0);
    ok = ok && !name.failed;
    if (ok) {
        *group = group_named(run, (const char *)name.at);
    }
    text_done(&name);
    return ok;
}

/* All values of a list, in its order. NONE: raised. */
static term listed_groups(Process *p, const Answer *answer, term values) {
    term list = NIL, backwards = NIL;
    for (; is_cons(values); values = tail(values)) {
        size_t group;
        if (!group_of(p, answer->run, head(values), &group)) {
            return raise_badarg(p);
        }
        term value = group_term(HEAP(p), answer, group);
        if (value == NONE) {
            return raise_heap_reason(p);
        }
        backwards = heap_cons(HEAP(p), value, backwards);
    }
    for (; is_cons(backwards); backwards = tail(backwards)) {
        list = heap_cons(HEAP(p), head(backwards), list);
    }
    return list;
}

static term named_groups(Process *p, const Answer *answer) {
    const Regex *r = answer->run->regex;
    term list = NIL;
    const char *last = NULL;
    for (size_t i = regex_names(r), group; i-- > 0;) {
        const char *name = regex_name(r, i, &group);
        if (last == NULL || strcmp(last, name) != 0) {
            term value = group_term(HEAP(p), answer, group_named(answer->run, name));
            if (value == NONE) {
                return raise_heap_reason(p);
            }
            list = heap_cons(HEAP(p), value, list);
        }
        last = name;
    }
    return list;
}

static term groups_from(Process *p, const Answer *answer, size_t first, size_t end) {
    term list = NIL;
    for (size_t i = end; i-- > first;) {
        term value = group_term(HEAP(p), answer, i);
        if (value == NONE) {
            return raise_heap_reason(p);
        }
        list = heap_cons(HEAP(p), value, list);
    }
    return list;
}

/* Is the capture option one? Lists are looked at here too, so that mistakes in them do not depend on the subject. */
static bool good_capture(Process *p, const RegexRun *run, const Options *o) {
    if (o->values == NONE) {
        return true;
    }
    if (o->type != A_index && o->type != A_list && o->type != A_binary) {
        return false;
    }
    term v = o->values;
    if (v == A_all || v == A_none || v == A_all_but_first || v == A_first || v == A_all_names) {
        return true;
    }
    bool ok = is_list(v);
    for (size_t group; ok && is_cons(v); v = tail(v)) {
        ok = group_of(p, run, head(v), &group);
    }
    return ok && v == NIL;
}

static term match_term(Process *p, const RegexRun *run, const Options *o, term subject) {
    Answer answer = {run, is_bitstring(subject) ? subject : NONE, o->values == NONE ? A_index : o->type};
    term list;
    switch (o->values) {
    case NONE:
    case A_all: list = groups_from(p, &answer, 0, run->count); break;
    case A_all_but_first: list = groups_from(p, &answer, 1, run->count); break;
    case A_first: list = groups_from(p, &answer, 0, 1); break;
    case A_none:
    case NIL: return A_match;
    case A_all_names:
        if (regex_names(run->regex) == 0) {
            return A_match;
        }
        list = named_groups(p, &answer);
        break;
    default: list = listed_groups(p, &answer, o->values);
    }
    return list == NONE ? NONE : TUPLE2(HEAP(p), A_match, list);
}

static term result_term(Process *p, const RegexRun *run, const Options *o, RegexResult result, term subject) {
    switch (result) {
    case REGEX_MATCH: return match_term(p, run, o, subject);
    case REGEX_BAD: return raise_badarg(p);
    case REGEX_RUN_NO_MEMORY: return raise_error(p, A_system_limit);
    case REGEX_MATCH_LIMIT: return o->reports ? TUPLE2(HEAP(p), A_error, A_match_limit) : A_nomatch;
    case REGEX_DEPTH_LIMIT: return o->reports ? TUPLE2(HEAP(p), A_error, A_match_limit_recursion) : A_nomatch;
    default: return A_nomatch;
    }
}

/* Runs that take long are done by the pool, on a subject that stays where it is. */
typedef struct {
    Work work;
    RegexRun run;
    RegexResult result;
    Buffer *buffer; /* of the subject, or */
    uint8_t *copy;  /* a copy of it */
} LongRun;

static const char long_run_type[] = "regular expression";

static void long_run_destroy(VM *vm, Resource *r) {
    LongRun *l = (LongRun *)work_of(r);
    regex_run_done(&l->run);
    regex_release(vm, l->run.regex);
    if (l->buffer != NULL) {
        buffer_release(vm, l->buffer);
    }
    mem_free(&vm->mem, MEM_TEMPORARY, l->copy, l->copy == NULL ? 0 : l->run.size);
    MEM_DELETE(&vm->mem, MEM_TEMPORARY, l);
}

static void long_run_work(Job *job) {
    LongRun *l = (LongRun *)job;
    l->result = regex_run(&l->run, false);
}

static bool keep_subject(VM *vm, LongRun *l, term subject) {
    if (is_kind(subject, KIND_VIEW) && is_kind(((View *)boxed(subject))->base, KIND_BUFFER) && bits_of(subject).at == l->run.subject) {
        l->buffer = buffer_share(((BufferRef *)boxed(((View *)boxed(subject))->base))->buffer);
        return true;
    }
    l->copy = mem_alloc(&vm->mem, MEM_TEMPORARY, l->run.size);
    if (l->copy != NULL) {
        memcpy(l->copy, l->run.subject, l->run.size);
        l->run.subject = l->copy;
    }
    return l->copy != NULL;
}

static term long_result(Process *p, LongRun *l, const term *a) {
    Options o;
    bool good = parse_options(p, a[2], &o);
    assert(good);
    term result = good ? result_term(p, &l->run, &o, l->result, a[0]) : NONE;
    return result != NONE ? result : raise_error_as(p, p->heap.reason, A_re, A_run, 3, a);
}

/* Subject, pattern and options as they were given; takes over the reference to the pattern. */
static term run_long(Process *p, const RegexRun *run, const term *a) {
    VM *vm = process_vm(p);
    LongRun *l = MEM_NEW(&vm->mem, MEM_TEMPORARY, LongRun);
    if (l == NULL) {
        regex_release(vm, run->regex);
        return raise_error(p, A_system_limit);
    }
    l->work = (Work){.job.work = long_run_work, .resource = {1, long_run_destroy, long_run_type}, .vm = vm};
    l->run = *run;
    term ref = heap_magic_ref(HEAP(p), &l->work.resource);
    if (!keep_subject(vm, l, a[0])) {
        return raise_error(p, A_system_limit);
    }
    if (!work_submit(p, &l->work)) { /* no thread to be had: better late than never */
        long_run_work(&l->work.job);
        BUMP(p, SLICE_REDUCTIONS);
        return long_result(p, l, a);
    }
    return bif_trap(p, BIF_EXPORT(p, erts_internal, regex_more, 4), 4, a[0], a[1], a[2], ref);
}

/* Goes on with a run when the pool has done it. */
BIF_REST(regex_more, 4, erlang, re_run_trap, 3) {
    Resource *r = is_magic_ref(a[3]) ? magic_resource(a[3]) : NULL;
    if (r == NULL || r->type != long_run_type) {
        return raise_badarg(p);
    }
    LongRun *l = (LongRun *)work_of(r);
    if (!work_done(p, &l->work)) {
        return bif_trap(p, BIF_EXPORT(p, erts_internal, regex_more, 4), 4, a[0], a[1], a[2], a[3]);
    }
    return long_result(p, l, a);
}

/* Runs it; gives up the reference to the pattern. a: subject, pattern and options as they were given. */
static term run_pattern(Process *p, const term *a, Regex *r, const Options *o) {
    RegexRun run = {
        .regex = r, .options = o->run, .match_limit = o->match_limit, .depth_limit = o->depth_limit, .offset = (size_t)o->offset};
    Chars chars;
    if (!good_capture(p, &run, o)) {
        regex_release(process_vm(p), r);
        return raise_badarg(p);
    }
    if (!chars_of(p, a[0], &chars)) {
        regex_release(process_vm(p), r);
        return NONE;
    }
    run.subject = chars.at, run.size = chars.size;
    RegexResult how = regex_run(&run, true);
    term result;
    if (how == REGEX_LATER) {
        result = run_long(p, &run, a);
    } else {
        size_t seen = how == REGEX_MATCH ? run.groups[1] : run.size;
        BUMP(p, 1 + (intptr_t)(seen > run.offset ? (seen - run.offset) / CHARS_PER_REDUCTION : 0));
        result = result_term(p, &run, o, how, a[0]);
        regex_run_done(&run);
        regex_release(process_vm(p), r);
    }
    chars_done(p, &chars);
    return result;
}

static bool is_binary_term(term t) {
    return is_bitstring(t) && is_binary(t);
}

/* With a pattern that has been compiled before. */
static term run_compiled(Process *p, const term *a, const Options *o, bool list_wanted) {
    if (o->pattern_only || !is_pattern(a[1])) {
        return raise_badarg(p);
    }
    if (element(a[1], 3) != SMALL(0) && (!is_binary_term(a[0]) || (list_wanted && !o->global))) {
        return trap_to_re(p, A_urun, 3, a[0], a[1], a[2]);
    }
    if (o->global) {
        return trap_to_re(p, A_grun, 3, a[0], a[1], TUPLE2(HEAP(p), a[2], A_false));
    }
    Regex *r = pattern_of(p, a[1]);
    if (r == NULL) {
        return NONE;
    }
    RegexStatus status = regex_change(process_vm(p), &r, o->pattern);
    return status != REGEX_OK ? raise_status(p, status) : run_pattern(p, a, r, o);
}

static term run(Process *p, const term *a, bool first) {
    Options o;
    if (!parse_options(p, a[2], &o)) {
        return raise_error_cause(p, A_badarg, A_badopt);
    }
    o.run |= first ? 0 : REGEX_CHECKED;
    bool list_wanted = o.values != NONE && o.type == A_list;
    if (is_tuple_of(a[1], 5)) {
        return run_compiled(p, a, &o, list_wanted);
    }
    if ((o.pattern & REGEX_UNICODE) && (is_binary_term(a[1]) || is_list(a[1])) &&
        (!is_binary_term(a[1]) || !is_binary_term(a[0]) || (list_wanted && !o.global))) {
        return trap_to_re(p, A_urun, 3, a[0], a[1], a[2]);
    }
    Chars text;
    if (!chars_of(p, a[1], &text)) {
        return NONE;
    }
    Regex *r;
    RegexError error;
    Heap *h = HEAP(p);
    RegexStatus status = regex_compile(process_vm(p), o.pattern, text.at, text.size, &r, &error);
    chars_done(p, &text);
    if (status == REGEX_WRONG && o.reports) {
        return TUPLE2(h, A_error, TUPLE2(h, A_compile, error_term(h, &error)));
    }
    if (status != REGEX_OK) {
        return raise_status(p, status);
    }
    if (!o.global) {
        return run_pattern(p, a, r, &o);
    }
    term pattern = pattern_term(p, r);
    regex_release(process_vm(p), r);
    return pattern == NONE ? NONE : trap_to_re(p, A_grun, 3, a[0], pattern, TUPLE3(h, a[2], o.pattern_only ? A_true : A_false, a[1]));
}

BIF(re, run, 2) {
    const term args[] = {a[0], a[1], NIL};
    return run(p, args, true);
}

BIF(re, run, 3) {
    return run(p, a, true);
}

BIF(re, internal_run, 4) {
    return a[3] == A_true || a[3] == A_false ? run(p, a, a[3] == A_true) : raise_badarg(p);
}
