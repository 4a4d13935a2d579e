/* Arithmetic on numbers as Erlang's operators define it. */
#include "data/arith.h"

#include <math.h>

#include "term/atom.h"

/* A slice of 4,000 reductions is about a millisecond: this is what an addition does in 250 ns. */
enum { LIMBS_PER_REDUCTION = 512 };

static void charge_linear(Heap *h, size_t limbs) {
    h->reds -= (intptr_t)(limbs / LIMBS_PER_REDUCTION);
}

static bool is_either_float(term a, term b) {
    return is_float(a) || is_float(b);
}

bool arith_to_double(term a, double *d) {
    if (is_float(a)) {
        *d = float_value(a);
        return true;
    }
    if (!is_integer(a)) {
        return false;
    }
    *d = integer_to_double(a);
    return isfinite(*d);
}

static term finite_float(Heap *h, double d) {
    return LIKELY(isfinite(d)) ? heap_float(h, d) : heap_fail(h, A_badarith);
}

/* Both as doubles, for an operator of which at least one operand is a float (or may become one). */
static bool both_doubles(Heap *h, term a, term b, double *x, double *y) {
    if (arith_to_double(a, x) && arith_to_double(b, y)) {
        return true;
    }
    h->reason = A_badarith;
    return false;
}

static bool both_integers(Heap *h, term a, term b) {
    if (is_integer(a) && is_integer(b)) {
        return true;
    }
    h->reason = A_badarith;
    return false;
}

static term from_intptr(Heap *h, intptr_t n) {
    return LIKELY(small_fits(n)) ? SMALL(n) : integer_from_int64(h, n);
}

/* An integer of at most two limbs. */
static inline term from_two(Heap *h, Limb low, Limb high, bool negative) {
    if (high == 0 && low <= (Limb)SMALL_MAX + negative) {
        return SMALL(negative ? -low : low);
    }
    size_t count = high == 0 ? 1 : 2;
    term *p = heap_alloc(h, 1 + count);
    p[0] = HEADER(count, negative ? KIND_NEG_BIG : KIND_BIG);
    p[1] = low;
    if (count == 2) {
        p[2] = high;
    }
    return make_boxed(p);
}

/* |a| + |b| or |a| - |b|, with the sign that the result has. */
static term add_views(Heap *h, const IntegerView *a, const IntegerView *b, bool b_negative) {
    if (a->count == 1 && b->count == 1) {
        Limb x = a->limbs[0], y = b->limbs[0];
        if (a->negative == b_negative) {
            return from_two(h, x + y, x + y < x, b_negative);
        }
        return x >= y ? from_two(h, x - y, 0, a->negative) : from_two(h, y - x, 0, b_negative);
    }
    if (a->count < b->count || (a->count == b->count && a->count > 0 && limb_cmp(a->limbs, b->limbs, a->count) < 0)) {
        IntegerView larger = *b; /* its limbs may lie in b, which stays where it is */
        bool negative = a->negative;
        larger.negative = b_negative;
        return add_views(h, &larger, a, negative);
    }
    Limb *r = integer_begin(h, a->count + 1);
    if (r == NULL) {
        return NONE;
    }
    charge_linear(h, a->count);
    if (a->negative == b_negative) {
        r[a->count] = limb_add(r, a->limbs, a->count, b->limbs, b->count);
    } else {
        limb_sub(r, a->limbs, a->count, b->limbs, b->count);
        r[a->count] = 0;
    }
    return integer_finish(h, r, a->count + 1, a->negative);
}

static term add_integers(Heap *h, term a, term b, bool subtract) {
    IntegerView x, y;
    integer_view(&x, a);
    integer_view(&y, b);
    return add_views(h, &x, &y, y.negative != subtract);
}

term arith_add(Heap *h, term a, term b) {
    if (is_small(a) && is_small(b)) {
        return from_intptr(h, small_value(a) + small_value(b));
    }
    if (is_either_float(a, b)) {
        double x, y;
        return both_doubles(h, a, b, &x, &y) ? finite_float(h, x + y) : NONE;
    }
    return both_integers(h, a, b) ? add_integers(h, a, b, false) : NONE;
}

term arith_sub(Heap *h, term a, term b) {
    if (is_small(a) && is_small(b)) {
        return from_intptr(h, small_value(a) - small_value(b));
    }
    if (is_either_float(a, b)) {
        double x, y;
        return both_doubles(h, a, b, &x, &y) ? finite_float(h, x - y) : NONE;
    }
    return both_integers(h, a, b) ? add_integers(h, a, b, true) : NONE;
}

static term mul_integers(Heap *h, term a, term b) {
    IntegerView x, y;
    integer_view(&x, a);
    integer_view(&y, b);
    const IntegerView *l = x.count >= y.count ? &x : &y, *s = l == &x ? &y : &x;
    if (s->count == 0) {
        return SMALL(0);
    }
    bool negative = x.negative != y.negative;
    if (l->count == 1) {
        Limb high, low = limb_mul_wide(l->limbs[0], s->limbs[0], &high);
        return from_two(h, low, high, negative);
    }
    Limb *r = integer_begin(h, l->count + s->count);
    if (r == NULL) {
        return NONE;
    }
    if (s->count == 1) {
        r[l->count] = limb_mul_1(r, l->limbs, l->count, s->limbs[0]);
    } else if (a == b) {
        limb_sqr(r, l->limbs, l->count);
    } else {
        limb_mul(r, l->limbs, l->count, s->limbs, s->count);
    }
    h->reds -= limb_work(l->count, s->count);
    return integer_finish(h, r, l->count + s->count, negative);
}

term arith_mul(Heap *h, term a, term b) {
    if (is_small(a) && is_small(b)) {
        intptr_t n;
        if (!__builtin_mul_overflow(small_value(a), small_value(b), &n)) {
            return from_intptr(h, n);
        }
    }
    if (is_either_float(a, b)) {
        double x, y;
        return both_doubles(h, a, b, &x, &y) ? finite_float(h, x * y) : NONE;
    }
    return both_integers(h, a, b) ? mul_integers(h, a, b) : NONE;
}

term arith_div(Heap *h, term a, term b) {
    double x, y;
    return both_doubles(h, a, b, &x, &y) ? finite_float(h, x / y) : NONE;
}

/* Quotient or remainder; |a| >= |b| > 0 or at least not shorter. The one that is not wanted goes to scratch memory. */
static term divide(Heap *h, const IntegerView *a, const IntegerView *b, bool remainder) {
    size_t qn = a->count - b->count + 1, wanted = remainder ? b->count : qn, other = remainder ? qn : b->count;
    bool negative = remainder ? a->negative : a->negative != b->negative;
    if (b->count == 1 && remainder) {
        other = a->count;
    }
    Limb few[64], *scratch = few;
    if (other > ARRAY_LEN(few)) {
        scratch = mem_alloc(&h->vm->mem, MEM_TEMPORARY, other * sizeof *scratch);
    }
    Limb *r = scratch == NULL ? NULL : integer_begin(h, wanted);
    term result = NONE;
    if (r == NULL) {
        h->reason = A_system_limit;
    } else if (b->count == 1) {
        Limb rest = limb_divrem_1(remainder ? scratch : r, a->limbs, a->count, b->limbs[0]);
        r[0] = remainder ? rest : r[0];
        result = integer_finish(h, r, wanted, negative);
    } else {
        limb_divrem(remainder ? scratch : r, remainder ? r : scratch, a->limbs, a->count, b->limbs, b->count);
        result = integer_finish(h, r, wanted, negative);
    }
    h->reds -= 3 * limb_work(MAX(b->count, qn), MIN(b->count, qn));
    if (scratch != few) {
        mem_free(&h->vm->mem, MEM_TEMPORARY, scratch, other * sizeof *scratch);
    }
    return result;
}

static term divide_terms(Heap *h, term a, term b, bool remainder) {
    if (!both_integers(h, a, b)) {
        return NONE;
    }
    if (b == SMALL(0)) {
        return heap_fail(h, A_badarith);
    }
    if (is_small(a) && is_small(b)) { /* the smallest small / -1 fits a word, if no small */
        intptr_t x = small_value(a), y = small_value(b);
        return from_intptr(h, remainder ? x % y : x / y);
    }
    IntegerView x, y;
    integer_view(&x, a);
    integer_view(&y, b);
    if (x.count < y.count) {
        return remainder ? a : SMALL(0);
    }
    return divide(h, &x, &y, remainder);
}

term arith_int_div(Heap *h, term a, term b) {
    return divide_terms(h, a, b, false);
}

term arith_rem(Heap *h, term a, term b) {
    return divide_terms(h, a, b, true);
}

typedef enum { AND, OR, XOR } BitOperator;

static inline Limb combine(BitOperator op, Limb a, Limb b) {
    return op == AND ? a & b : op == OR ? a | b : a ^ b;
}

/* The next limb, as a two's complement. */
static inline Limb next_complement(const IntegerView *v, size_t i, Limb *borrow) {
    Limb limb = i < v->count ? v->limbs[i] : 0;
    if (!v->negative) {
        return limb;
    }
    Limb less = limb - *borrow;
    *borrow = limb < *borrow;
    return ~less;
}

/* Neither is negative: no two's complement. */
static term combine_plain(Heap *h, const IntegerView *a, const IntegerView *b, BitOperator op) {
    size_t both = MIN(a->count, b->count), count = op == AND ? both : MAX(a->count, b->count);
    if (count <= 1) {
        return from_two(h, combine(op, a->count > 0 ? a->limbs[0] : 0, b->count > 0 ? b->limbs[0] : 0), 0, false);
    }
    Limb *r = integer_begin(h, count);
    if (r == NULL) {
        return NONE;
    }
    for (size_t i = 0; i < both; i++) {
        r[i] = combine(op, a->limbs[i], b->limbs[i]);
    }
    if (both < count) {
        memcpy(r + both, (a->count > both ? a : b)->limbs + both, (count - both) * sizeof *r);
    }
    charge_linear(h, 2 * count);
    return integer_finish(h, r, count, false);
}

static term combine_integers(Heap *h, term a, term b, BitOperator op) {
    IntegerView x, y;
    integer_view(&x, a);
    integer_view(&y, b);
    if (!x.negative && !y.negative) {
        return combine_plain(h, &x, &y, op);
    }
    bool negative = combine(op, x.negative, y.negative) != 0;
    size_t count = MAX(x.count, y.count) + 1;
    Limb *r = integer_begin(h, count), x_borrow = 1, y_borrow = 1, carry = 1;
    if (r == NULL) {
        return NONE;
    }
    for (size_t i = 0; i < count; i++) {
        Limb limb = combine(op, next_complement(&x, i, &x_borrow), next_complement(&y, i, &y_borrow));
        if (negative) {
            limb = ~limb + carry;
            carry = limb < carry;
        }
        r[i] = limb;
    }
    charge_linear(h, 4 * count);
    return integer_finish(h, r, count, negative);
}

term arith_band(Heap *h, term a, term b) {
    if (is_small(a) && is_small(b)) {
        return a & b;
    }
    return both_integers(h, a, b) ? combine_integers(h, a, b, AND) : NONE;
}

term arith_bor(Heap *h, term a, term b) {
    if (is_small(a) && is_small(b)) {
        return a | b;
    }
    return both_integers(h, a, b) ? combine_integers(h, a, b, OR) : NONE;
}

term arith_bxor(Heap *h, term a, term b) {
    if (is_small(a) && is_small(b)) {
        return (a ^ b) | TAG_SMALL;
    }
    return both_integers(h, a, b) ? combine_integers(h, a, b, XOR) : NONE;
}

term arith_bnot(Heap *h, term a) {
    if (is_small(a)) {
        return SMALL(~small_value(a));
    }
    return is_big(a) ? add_integers(h, SMALL(-1), a, true) : heap_fail(h, A_badarith);
}

static term shift_left(Heap *h, term a, size_t by) {
    IntegerView v;
    integer_view(&v, a);
    size_t low = by / LIMB_BITS, count = v.count + low + 1;
    unsigned bits = by % LIMB_BITS;
    if (v.count == 0) {
        return a;
    }
    Limb *r = low > INTEGER_MAX_LIMBS ? NULL : integer_begin(h, count);
    if (r == NULL) {
        return heap_fail(h, A_system_limit);
    }
    memset(r, 0, low * sizeof *r);
    if (bits == 0) {
        memcpy(r + low, v.limbs, v.count * sizeof *r);
        r[count - 1] = 0;
    } else {
        r[count - 1] = limb_lshift(r + low, v.limbs, v.count, bits);
    }
    charge_linear(h, count);
    return integer_finish(h, r, count, v.negative);
}

/* Rounds down: a negative number that loses bits gets one further from zero. */
static term shift_right(Heap *h, term a, size_t by) {
    IntegerView v;
    integer_view(&v, a);
    size_t low = by / LIMB_BITS;
    unsigned bits = by % LIMB_BITS;
    if (low >= v.count) {
        return v.negative ? SMALL(-1) : SMALL(0);
    }
    size_t count = v.count - low;
    Limb *r = integer_begin(h, count + 1), lost = 0;
    if (r == NULL) {
        return NONE;
    }
    if (bits == 0) {
        memcpy(r, v.limbs + low, count * sizeof *r);
    } else {
        lost = limb_rshift(r, v.limbs + low, count, bits);
    }
    for (size_t i = 0; v.negative && i < low && lost == 0; i++) {
        lost = v.limbs[i];
    }
    r[count] = v.negative && lost != 0 ? limb_add_1(r, r, count, 1) : 0;
    charge_linear(h, v.count);
    return integer_finish(h, r, count + 1, v.negative);
}

static term shift(Heap *h, term a, term b, bool left) {
    if (!both_integers(h, a, b)) {
        return NONE;
    }
    left = left != integer_is_negative(b);
    size_t by = !is_small(b) ? SIZE_MAX : small_value(b) < 0 ? (size_t)-small_value(b) : (size_t)small_value(b);
    if (by == 0) {
        return a;
    }
    if (is_small(a)) {
        intptr_t n = small_value(a);
        if (!left) {
            return SMALL(n >> MIN(by, (size_t)WORD_BITS - 1));
        }
        // cppcheck-suppress shiftNegativeLHS -- gcc and clang define it
        if (by < (size_t)SMALL_BITS && n >= SMALL_MIN >> by && n <= SMALL_MAX >> by) {
            return SMALL((uintptr_t)n << by);
        }
    }
    return left ? shift_left(h, a, by) : shift_right(h, a, by);
}

term arith_bsl(Heap *h, term a, term b) {
    return shift(h, a, b, true);
}

term arith_bsr(Heap *h, term a, term b) {
    return shift(h, a, b, false);
}

static term negate_integer(Heap *h, term a) {
    if (is_small(a)) {
        return from_intptr(h, -small_value(a));
    }
    IntegerView v;
    integer_view(&v, a);
    return integer_from_limbs(h, v.limbs, v.count, !v.negative);
}

term arith_neg(Heap *h, term a) {
    if (is_float(a)) {
        return heap_float(h, -float_value(a));
    }
    return is_integer(a) ? negate_integer(h, a) : heap_fail(h, A_badarith);
}

term arith_plus(Heap *h, term a) {
    if (is_float(a) && float_value(a) == 0.0) { /* 0 + X, so that -0.0 becomes 0.0 */
        return heap_float(h, 0.0);
    }
    return is_number(a) ? a : heap_fail(h, A_badarith);
}

term arith_abs(Heap *h, term a) {
    if (is_integer(a)) {
        return integer_is_negative(a) ? negate_integer(h, a) : a;
    }
    if (!is_float(a)) {
        return heap_fail(h, A_badarg);
    }
    return float_value(a) < 0.0 ? heap_float(h, fabs(float_value(a))) : a; /* -0.0 stays, as in OTP 25 */
}

static term to_integer(Heap *h, term a, double (*rounding)(double)) {
    if (is_integer(a)) {
        return a;
    }
    return is_float(a) ? integer_from_double(h, rounding(float_value(a))) : heap_fail(h, A_badarg);
}

term arith_round(Heap *h, term a) {
    return to_integer(h, a, round);
}

term arith_trunc(Heap *h, term a) {
    return to_integer(h, a, trunc);
}

term arith_ceil(Heap *h, term a) {
    return to_integer(h, a, ceil);
}

term arith_floor(Heap *h, term a) {
    return to_integer(h, a, floor);
}

term arith_float(Heap *h, term a) {
    double d;
    if (is_float(a)) {
        return a;
    }
    return arith_to_double(a, &d) ? heap_float(h, d) : heap_fail(h, A_badarg);
}
