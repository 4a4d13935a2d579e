/* Text of integers that are too large for one slice, in the time of a few multiplications: a number is divided by base^(2^k),
   the two halves by base^(2^(k-1)), and so on; reading goes the other way. Between two steps everything is in terms. */
#include "bif/bif_integer_text.h"

#include "bif/bif_state.h"
#include "data/arith.h"
#include "data/bits.h"
#include "data/integer.h"

/* ---- Writing ---- */

enum { PIECE = 4096 }; /* digits of a piece that is written or read as a whole */

/* Puts the text of a piece, with zeros in front of it up to `width`, in front of what there is: a list of characters, or of
   binaries. */
static term put_text(Process *p, term integer, unsigned base, size_t width, bool to_binary, term text) {
    char few[PIECE + 8], *at = few;
    size_t room = MAX(integer_text_room(integer, base), width);
    if (room > sizeof few && (at = mem_alloc(&process_vm(p)->mem, MEM_TEMPORARY, room)) == NULL) {
        return heap_fail(HEAP(p), A_system_limit);
    }
    size_t size = integer_to_text(HEAP(p), integer, base, at), zeros = size < width ? width - size : 0;
    memmove(at + zeros, at, size);
    memset(at, '0', zeros);
    size += zeros;
    if (to_binary) {
        term piece = bits_from(HEAP(p), at, size);
        text = piece == NONE ? NONE : heap_cons(HEAP(p), piece, text);
    } else {
        for (size_t i = size; i > 0; i--) {
            text = heap_cons(HEAP(p), SMALL(at[i - 1]), text);
        }
        BUMP(p, (intptr_t)(size / 16));
    }
    if (at != few) {
        mem_free(&process_vm(p)->mem, MEM_TEMPORARY, at, room);
    }
    return text;
}

static term write_on(Process *p, term todo, term powers, term text, term how);

BIF_REST(integer_write_more, 5, erlang, integer_to_list, 1) { /* pass; the rest are write_on's */
    return state_has_passed(a[0]) ? write_on(p, a[1], a[2], a[3], a[4]) : raise_badarg(p);
}

/* The n-th power of a list that begins with the last one. */
static term nth_power(term powers, size_t count, size_t n) {
    for (; count > n + 1; count--) {
        powers = tail(powers);
    }
    return head(powers);
}

/* The powers that are still needed to halve n: base^PIECE, and squares of the one before. False: out of time, or failed. */
static bool add_powers(Process *p, term n, unsigned base, term *powers, size_t *count) {
    size_t bits = integer_bit_length(n);
    while (*count == 0 || 2 * integer_bit_length(head(*powers)) <= bits + 1) {
        if (OUT_OF_TIME(p)) {
            return false;
        }
        term power = *count == 0 ? SMALL(base) : head(*powers);
        for (size_t digits = *count == 0 ? 1 : PIECE / 2; power != NONE && digits < PIECE; digits *= 2) {
            power = arith_mul(HEAP(p), power, power);
        }
        if (power == NONE) {
            *powers = NONE;
            return false;
        }
        *powers = heap_cons(HEAP(p), power, *powers);
        ++*count;
    }
    return true;
}

/* todo: what is to be written, from the least significant end on, [{Integer, Halvings, WithZeros} ...]; it begins with one whose
   Halvings are -1: as often as there are powers. powers: the last one first. how: {Base, ToBinary, Negative}. */
static term write_on(Process *p, term todo, term powers, term text, term how) {
    Heap *h = HEAP(p);
    unsigned base = (unsigned)small_value(element(how, 1));
    bool to_binary = element(how, 2) == A_true;
    size_t count = 0;
    for (term l = powers; is_cons(l); l = tail(l)) {
        count++;
    }
    if (element(head(todo), 2) == SMALL(-1)) {
        term n = element(head(todo), 1);
        if (add_powers(p, n, base, &powers, &count)) {
            todo = heap_cons(h, TUPLE3(h, n, SMALL(count), A_false), NIL);
        }
    }
    while (powers != NONE && is_cons(todo) && !OUT_OF_TIME(p)) {
        term item = head(todo), n = element(item, 1), zeros = element(item, 3);
        size_t halvings = (size_t)small_value(element(item, 2));
        todo = tail(todo);
        if (halvings == 0) {
            text = put_text(p, n, base, zeros == A_true ? PIECE : 0, to_binary, text);
        } else {
            term power = nth_power(powers, count, halvings - 1);
            term high = arith_int_div(h, n, power), rest = high == NONE ? NONE : arith_mul(h, high, power);
            term low = rest == NONE ? NONE : arith_sub(h, n, rest); /* quicker than a second division */
            if (low == NONE) {
                return raise_error(p, A_system_limit);
            }
            bool leads = zeros == A_false && high == SMALL(0);
            todo = leads ? todo : heap_cons(h, TUPLE3(h, high, SMALL(halvings - 1), zeros), todo);
            todo = heap_cons(h, TUPLE3(h, low, SMALL(halvings - 1), leads ? A_false : A_true), todo);
        }
        if (text == NONE) {
            return raise_error(p, A_system_limit);
        }
    }
    if (powers == NONE) {
        return raise_error(p, A_system_limit);
    }
    if (is_cons(todo)) {
        return bif_trap(p, BIF_EXPORT(p, erts_internal, integer_write_more, 5), 5, state_pass(p), todo, powers, text, how);
    }
    if (element(how, 3) == A_true) {
        text = heap_cons(h, SMALL('-'), text);
    }
    return to_binary ? bif_trap(p, BIF_EXPORT(p, erlang, list_to_binary, 1), 1, text) : text;
}

term big_integer_to_text(Process *p, term integer, unsigned base, bool to_binary) {
    Heap *h = HEAP(p);
    bool negative = integer_is_negative(integer);
    term n = negative ? arith_neg(h, integer) : integer;
    term how = TUPLE3(h, SMALL(base), to_binary ? A_true : A_false, negative ? A_true : A_false);
    return write_on(p, heap_cons(h, TUPLE3(h, n, SMALL(-1), A_false), NIL), NIL, NIL, how);
}

/* ---- Reading ---- */

static term join_on(Process *p, term todo, term done, term power, term how);

BIF_REST(integer_join_more, 5, erlang, list_to_integer, 1) { /* pass; the rest are join_on's */
    return state_has_passed(a[0]) ? join_on(p, a[1], a[2], a[3], a[4]) : raise_badarg(p);
}

/* Joins pairs of pieces. todo: those to come, least significant first; done: those joined, in the opposite order; power: what the
   second of a pair is to be multiplied with. how: {Base, Negative, Rest}; Rest is none, or what is behind the number. */
static term join_on(Process *p, term todo, term done, term power, term how) {
    Heap *h = HEAP(p);
    while (!OUT_OF_TIME(p)) {
        if (is_cons(todo)) {
            term n = head(todo);
            todo = tail(todo);
            if (is_cons(todo)) {
                term high = arith_mul(h, head(todo), power);
                n = high == NONE ? NONE : arith_add(h, n, high);
                todo = tail(todo);
            }
            if (n == NONE) {
                return raise_error(p, A_system_limit);
            }
            done = heap_cons(h, n, done);
        } else if (tail(done) == NIL) {
            term n = element(how, 2) == A_true ? arith_neg(h, head(done)) : head(done);
            return element(how, 3) == A_none ? n : TUPLE2(h, n, element(element(how, 3), 1));
        } else {
            for (; is_cons(done); done = tail(done)) {
                todo = heap_cons(h, head(done), todo);
            }
            power = arith_mul(h, power, power);
            if (power == NONE) {
                return raise_error(p, A_system_limit);
            }
        }
    }
    return bif_trap(p, BIF_EXPORT(p, erts_internal, integer_join_more, 5), 5, state_pass(p), todo, done, power, how);
}

static term power_of_piece(Heap *h, unsigned base) {
    term power = SMALL(base);
    for (size_t digits = 1; digits < PIECE && power != NONE; digits *= 2) {
        power = arith_mul(h, power, power);
    }
    return power;
}

/* Reads pieces from the end of the digits on. left: how many digits are to be read; pieces: those read, the least significant one
   last. */
static term read_on(Process *p, term digits, size_t left, term pieces, term how) {
    Heap *h = HEAP(p);
    unsigned base = (unsigned)small_value(element(how, 1));
    Bits b = bits_of(digits);
    uint8_t piece[PIECE];
    while (left > 0 && !OUT_OF_TIME(p)) {
        size_t n = MIN(left, PIECE);
        left -= n;
        bitrun_copy(piece, 0, b.at, b.start + 8 * left, 8 * n);
        term integer = integer_from_text(h, piece, n, base);
        if (integer == NONE) {
            return raise_heap_reason(p);
        }
        pieces = heap_cons(h, integer, pieces);
    }
    if (left > 0) {
        return bif_trap(p, BIF_EXPORT(p, erts_internal, integer_read_more, 5), 5, state_pass(p), digits, SMALL(left), pieces, how);
    }
    term power = power_of_piece(h, base), todo = NIL;
    for (; is_cons(pieces); pieces = tail(pieces)) {
        todo = heap_cons(h, head(pieces), todo);
    }
    return power == NONE ? raise_error(p, A_system_limit) : join_on(p, todo, NIL, power, how);
}

BIF_REST(integer_read_more, 5, erlang, list_to_integer, 1) { /* pass; the rest are read_on's */
    return state_has_passed(a[0]) ? read_on(p, a[1], (size_t)small_value(a[2]), a[3], a[4]) : raise_badarg(p);
}

term big_integer_from_text(Process *p, const char *text, size_t size, unsigned base, term rest) {
    Heap *h = HEAP(p);
    bool negative = *text == '-';
    if (*text == '-' || *text == '+') {
        text++, size--;
    }
    term digits = bits_from(h, text, size);
    if (digits == NONE) {
        return raise_heap_reason(p);
    }
    term behind = rest == NONE ? A_none : heap_tuple(h, 1, rest);
    return read_on(p, digits, size, NIL, TUPLE3(h, SMALL(base), negative ? A_true : A_false, behind));
}
