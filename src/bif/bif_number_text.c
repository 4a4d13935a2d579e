/* Numbers to text and back: integer_to_list, float_to_binary and their kin. */
#include "bif/bif_integer_text.h"

#include "data/bits.h"
#include "data/float.h"
#include "data/integer.h"

enum { FEW = 128 }; /* characters that need no allocation: all small integers, in any base */

/* Memory for so many characters: `few`, or larger. */
static char *characters(Process *p, size_t size, char few[FEW]) {
    return size <= FEW ? few : mem_alloc(&process_vm(p)->mem, MEM_TEMPORARY, size);
}

static void characters_done(Process *p, char *at, size_t size, const char *few) {
    if (at != few) {
        mem_free(&process_vm(p)->mem, MEM_TEMPORARY, at, size);
    }
}

static bool get_base(term t, unsigned *base) {
    *base = is_small(t) && small_value(t) >= 2 && small_value(t) <= 36 ? (unsigned)small_value(t) : 0;
    return *base != 0;
}

/* A list's cells cost about as much as a reduction per 16 of them. */
static term text_to_list(Process *p, const char *text, size_t size) {
    BUMP(p, (intptr_t)(size / 16));
    term list = heap_latin1_list(HEAP(p), text, size);
    return list != NONE ? list : raise_error(p, A_system_limit);
}

static term text_to_binary(Process *p, const char *text, size_t size) {
    term binary = bits_from(HEAP(p), text, size);
    return binary != NONE ? binary : raise_heap_reason(p);
}

/* Integers to text. */

static term integer_text(Process *p, term integer, unsigned base, term (*make)(Process *, const char *, size_t)) {
    if (!is_integer(integer)) {
        return raise_badarg(p);
    }
    char few[FEW];
    size_t room = integer_text_room(integer, base);
    if (room > INTEGER_TEXT_AT_ONCE) {
        return big_integer_to_text(p, integer, base, make == text_to_binary);
    }
    char *text = characters(p, room, few);
    size_t size = text == NULL ? 0 : integer_to_text(HEAP(p), integer, base, text);
    term result = size > 0 ? make(p, text, size) : raise_error(p, A_system_limit);
    characters_done(p, text, room, few);
    return result;
}

BIF(erlang, integer_to_list, 1) {
    return integer_text(p, a[0], 10, text_to_list);
}

BIF(erlang, integer_to_list, 2) {
    unsigned base;
    return get_base(a[1], &base) ? integer_text(p, a[0], base, text_to_list) : raise_badarg(p);
}

BIF(erlang, integer_to_binary, 1) {
    return integer_text(p, a[0], 10, text_to_binary);
}

BIF(erlang, integer_to_binary, 2) {
    unsigned base;
    return get_base(a[1], &base) ? integer_text(p, a[0], base, text_to_binary) : raise_badarg(p);
}

/* Text to integers. */

/* Reads an integer at the head of a list. A_true: *integer (NONE: heap.reason says why not) and *rest are set; A_later: it is a large
   one, and the built-in is to return *integer: {Integer, Rest} or (without with_rest) the integer; else A_not_a_list or A_no_integer. */
static term list_integer(Process *p, term list, unsigned base, bool with_rest, term *integer, term *rest) {
    if (!is_cons(list)) {
        return list == NIL ? A_no_integer : A_not_a_list;
    }
    term t = list, sign = head(t);
    size_t size = sign == SMALL('-') || sign == SMALL('+'), before = size;
    uintptr_t n = 0;
    bool fits = true;
    t = size > 0 ? tail(t) : t;
    for (; is_cons(t) && is_small(head(t)); t = tail(t), size++) {
        unsigned digit = integer_digit((uint8_t)small_value(head(t))); /* only the low byte counts, as in OTP */
        if (digit >= base) {
            break;
        }
        fits = fits && n <= (SMALL_MAX - 35) / 36;
        n = n * base + digit;
    }
    if (size == before) {
        return A_no_integer;
    }
    *rest = t;
    if (fits) {
        *integer = SMALL(sign == SMALL('-') ? -n : n);
        return A_true;
    }
    char few[FEW], *text = characters(p, size, few);
    if (text == NULL) {
        return *integer = heap_fail(HEAP(p), A_system_limit), A_true;
    }
    for (size_t i = 0; i < size; i++, list = tail(list)) {
        text[i] = (char)small_value(head(list));
    }
    BUMP(p, (intptr_t)(size / 64));
    if (size > INTEGER_TEXT_AT_ONCE) {
        bool good = with_rest || *rest == NIL;
        *integer = good ? big_integer_from_text(p, text, size, base, with_rest ? *rest : NONE) : NONE;
        characters_done(p, text, size, few);
        return good ? A_later : A_no_integer;
    }
    *integer = integer_from_text(HEAP(p), (const uint8_t *)text, size, base);
    characters_done(p, text, size, few);
    return A_true;
}

static term whole_list_integer(Process *p, term list, unsigned base) {
    term integer, rest, result = list_integer(p, list, base, false, &integer, &rest);
    if (result == A_later) {
        return integer;
    }
    if (result != A_true || rest != NIL) {
        return raise_badarg(p);
    }
    return integer != NONE ? integer : raise_heap_reason(p);
}

BIF(erlang, list_to_integer, 1) {
    return whole_list_integer(p, a[0], 10);
}

BIF(erlang, list_to_integer, 2) {
    unsigned base;
    return get_base(a[1], &base) ? whole_list_integer(p, a[0], base) : raise_badarg(p);
}

/* OTP 27's list_to_integer/1,2 are made of this: {Integer, Rest} or the atom that says why not. */
BIF(erts_internal, list_to_integer, 2) {
    unsigned base;
    term integer, rest;
    if (!get_base(a[1], &base)) {
        return A_badarg;
    }
    term result = list_integer(p, a[0], base, true, &integer, &rest);
    if (result != A_true) {
        return result == A_later ? integer : result;
    }
    return integer != NONE ? TUPLE2(HEAP(p), integer, rest) : raise_heap_reason(p);
}

BIF(string, list_to_integer, 1) {
    term integer, rest, result = list_integer(p, a[0], 10, true, &integer, &rest);
    if (result != A_true) {
        return result == A_later ? integer : TUPLE2(HEAP(p), A_error, result);
    }
    return integer != NONE ? TUPLE2(HEAP(p), integer, rest) : raise_heap_reason(p);
}

/* Are these an optional sign and digits, more of them than are read at once? */
static bool is_big_text(const BitsBytes *bytes, unsigned base) {
    size_t i = bytes->size > 0 && (*bytes->at == '-' || *bytes->at == '+');
    if (bytes->size <= INTEGER_TEXT_AT_ONCE) {
        return false;
    }
    while (i < bytes->size && integer_digit(bytes->at[i]) < base) {
        i++;
    }
    return i == bytes->size;
}

/* NONE with heap.reason A_badarg: it is no integer, or the base is none; other NONEs are raised. */
static term binary_integer(Process *p, term binary, unsigned base) {
    BitsBytes bytes;
    if (!is_binary(binary) || base == 0) {
        return heap_fail(HEAP(p), A_badarg);
    }
    if (!bits_bytes(process_vm(p), binary, &bytes)) {
        return raise_error(p, A_system_limit);
    }
    BUMP(p, (intptr_t)(bytes.size / 256));
    term integer = is_big_text(&bytes, base) ? big_integer_from_text(p, (const char *)bytes.at, bytes.size, base, NONE)
                                             : integer_from_text(HEAP(p), bytes.at, bytes.size, base);
    bits_bytes_done(process_vm(p), &bytes);
    return integer;
}

BIF(erlang, binary_to_integer, 1) {
    term integer = binary_integer(p, a[0], 10);
    return integer == NONE && HEAP(p)->reason == A_badarg ? raise_badarg(p) : integer;
}

BIF(erlang, binary_to_integer, 2) {
    unsigned base;
    term integer = (get_base(a[1], &base), binary_integer(p, a[0], base));
    return integer == NONE && HEAP(p)->reason == A_badarg ? raise_badarg(p) : integer;
}

BIF(erts_internal, binary_to_integer, 2) {
    unsigned base;
    term integer = (get_base(a[1], &base), binary_integer(p, a[0], base));
    return integer == NONE && HEAP(p)->reason == A_badarg ? A_badarg : integer;
}

/* Floats to text. */

static bool get_format(term options, FloatFormat *f) {
    for (; is_cons(options); options = tail(options)) {
        term option = head(options);
        if (option == A_compact) {
            f->compact = true;
        } else if (option == A_short) {
            f->style = FLOAT_SHORT;
        } else if (is_tuple_of(option, 2) && is_small(element(option, 2)) &&
                   (element(option, 1) == A_decimals || element(option, 1) == A_scientific)) {
            f->style = element(option, 1) == A_decimals ? FLOAT_DECIMALS : FLOAT_SCIENTIFIC;
            f->digits = (int)small_value(element(option, 2));
        } else {
            return false;
        }
    }
    return options == NIL;
}

static term float_text(Process *p, term number, term options, term (*make)(Process *, const char *, size_t)) {
    FloatFormat format = FLOAT_DEFAULT;
    char text[FLOAT_TEXT_MAX];
    size_t size = is_float(number) && get_format(options, &format) ? float_to_text(float_value(number), &format, text) : 0;
    return size > 0 ? make(p, text, size) : raise_badarg(p);
}

BIF(erlang, float_to_list, 1) {
    return float_text(p, a[0], NIL, text_to_list);
}

BIF(erlang, float_to_list, 2) {
    return float_text(p, a[0], a[1], text_to_list);
}

BIF(erlang, float_to_binary, 1) {
    return float_text(p, a[0], NIL, text_to_binary);
}

BIF(erlang, float_to_binary, 2) {
    return float_text(p, a[0], a[1], text_to_binary);
}

/* Text to floats. */

/* The first `size` elements of a list as characters, with a 0 behind them; they must be there. False: one is no byte, or the
   text is no float. */
static bool list_prefix_float(Process *p, term list, size_t size, double *d) {
    char few[FEW], *text = characters(p, size + 1, few);
    bool good = text != NULL;
    for (size_t i = 0; good && i < size; i++, list = tail(list)) {
        good = is_small(head(list)) && (uintptr_t)small_value(head(list)) <= 255;
        text[i] = good ? (char)small_value(head(list)) : 0;
    }
    if (good) {
        text[size] = 0;
        good = float_from_text(text, d);
        BUMP(p, (intptr_t)(size / 32));
    }
    characters_done(p, text, size + 1, few);
    return good;
}

BIF(erlang, list_to_float, 1) {
    size_t size = 0;
    term t = a[0];
    for (; is_cons(t); t = tail(t)) {
        size++;
    }
    double d;
    return t == NIL && list_prefix_float(p, a[0], size, &d) ? heap_float(HEAP(p), d) : raise_badarg(p);
}

BIF(erlang, binary_to_float, 1) {
    if (!is_binary(a[0])) {
        return raise_badarg(p);
    }
    Bits bits = bits_of(a[0]);
    size_t size = bits.size / 8;
    char few[FEW], *text = characters(p, size + 1, few);
    double d;
    bool good = text != NULL;
    if (good) {
        bitrun_copy((uint8_t *)text, 0, bits.at, bits.start, bits.size);
        text[size] = 0;
        good = float_from_text(text, &d);
        BUMP(p, (intptr_t)(size / 64));
    }
    characters_done(p, text, size + 1, few);
    return good ? heap_float(HEAP(p), d) : raise_badarg(p);
}

static bool is_digit(term list) {
    return is_cons(list) && is_small(head(list)) && small_value(head(list)) >= '0' && small_value(head(list)) <= '9';
}

static bool is_one_of(term list, char one, char other) {
    return is_cons(list) && (head(list) == SMALL(one) || head(list) == SMALL(other));
}

static term skip_digits(term list, size_t *size) {
    for (; is_digit(list); list = tail(list)) {
        ++*size;
    }
    return list;
}

/* A float at the head of a list: {Float, Rest} or {error, Why}. */
BIF(string, list_to_float, 1) {
    if (!is_list(a[0])) {
        return TUPLE2(HEAP(p), A_error, A_not_a_list);
    }
    size_t size = is_one_of(a[0], '+', '-'), before = size;
    term t = skip_digits(size > 0 ? tail(a[0]) : a[0], &size);
    if (size > before && is_one_of(t, '.', ',')) {
        before = ++size;
        t = skip_digits(tail(t), &size);
        if (size > before && is_one_of(t, 'e', 'E')) { /* only with an exponent behind it part of the number */
            term e = tail(t);
            size_t with = size + 1;
            if (is_one_of(e, '+', '-')) {
                e = tail(e), with++;
            }
            if (is_digit(e)) {
                t = skip_digits(e, &with), size = with;
            }
        }
    }
    double d;
    if (!list_prefix_float(p, a[0], size, &d)) {
        return TUPLE2(HEAP(p), A_error, A_no_float);
    }
    return TUPLE2(HEAP(p), heap_float(HEAP(p), d), t);
}
