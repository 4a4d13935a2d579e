/* The first reading of ops.tab: a threaded interpreter. Every word is a macro; every variant of an instruction a label.

   In registers while it runs: ip, the instruction; x, the x registers; htop and sp, the ends of the free middle of the heap;
   reds. SAVE and LOAD move the last three from and to the process around calls of C functions. */
#include "exec/interpreter.h"

#include "code/breakpoint.h"
#include "code/ins.h"
#include "exec/runtime.h"
#include "exec/runtime_bits.h"
#include "proc/collect.h"
#include "proc/mailbox.h"
#include "proc/spawn.h"
#include "trace/trace.h"

#include <math.h>

/* --- Operands: (kind, unit) --- */
#define REGISTER(base, n) (*(term *)((char *)(base) + (n)))
#define get_x(i) REGISTER(x, ip[i])
#define get_y(i) REGISTER(sp, ip[i])
#define get_i(i) ((term)ip[i])
#define get_X(i) x[i]
#define get_r(i) REGISTER(ip[i] & 4 ? (char *)sp - 4 : (char *)x, ip[i])
#define get_s(i) rt_unit(x, sp, ip[i])
#define get(k, i) get_##k(i)
#define put(k, i, v)                                            \
    do {                                                        \
        const term v_ = (v); /* first: it may move the stack */ \
        get_##k(i) = v_;                                        \
    } while (0)
#define put2(k, i, v, m, j, w)         \
    do {                               \
        const term v_ = (v), w_ = (w); \
        get_##k(i) = v_;               \
        get_##m(j) = w_;               \
    } while (0)
#define hold(name, v) const term name = (v)
#define imm(v) ((term)(v))
#define num(k, i) ip[i]
#define ptr(k, i) ((void *)ip[i])
#define fget(k, i) (*(double *)((char *)f + ip[i]))
#define fput(k, i, v)          \
    do {                       \
        const double d_ = (v); \
        fget(k, i) = d_;       \
    } while (0)

/* --- Labels: (kind, unit or C label) --- */
#define GO(target)                   \
    do {                             \
        ip = (const Unit *)(target); \
        DISPATCH;                    \
    } while (0)
#define OUT_f(i) GO(ip[i])
#define OUT_j(i) goto unwind
#define OUT_L(label) goto label
#define go(k, i) OUT_##k(i)

/* --- Memory --- */
#define load(t, tag, k) (((const term *)((t)-TAG_##tag))[k])
#define store(t, tag, k, v) (((term *)((t)-TAG_##tag))[k] = (v))
#define SAVE (p->heap.top = htop, p->heap.sp = sp, p->heap.reds = reds)
#define RELOAD (htop = p->heap.top, reds = p->heap.reds) /* the stack has not moved */
#define LOAD (htop = p->heap.top, sp = p->heap.sp, reds = p->heap.reds)
#ifdef MOTE_STRESS
#define STRESSED(what) UNLIKELY(p->heap.vm->stress &(what))
#else
#define STRESSED(what) false
#endif
#define COLLECT(words, live)                          \
    do {                                              \
        SAVE;                                         \
        if (UNLIKELY(!rt_collect(p, words, live))) {  \
            return RUN_YIELD; /* it will be killed */ \
        }                                             \
        LOAD;                                         \
    } while (0)
#define need(words, live)                                                                        \
    do {                                                                                         \
        size_t words_ = (words);                                                                 \
        if (UNLIKELY((size_t)(sp - htop) < words_ + HEAP_RESERVE) || STRESSED(STRESS_COLLECT)) { \
            COLLECT(words_, live);                                                               \
        }                                                                                        \
    } while (0)
/* The same in a handler that has changed nothing so far: it is run again after the collection. */
#ifdef MOTE_STRESS
#define need_first need
#else
#define need_first(words, live)                                      \
    do {                                                             \
        size_t words_ = (words);                                     \
        if (UNLIKELY((size_t)(sp - htop) < words_ + HEAP_RESERVE)) { \
            again_words = words_, again_live = (live);               \
            goto again_;                                             \
        }                                                            \
    } while (0)
#endif
#define room(live) need(ROOM_WORDS, live)
#define heap_set(k, v) (htop[k] = (v))
#define heap_fill(k, lk, li)                                  \
    do {                                                      \
        for (size_t n_ = 0, end_ = ip[li]; n_ < end_; n_++) { \
            htop[(k) + n_] = rt_unit(x, sp, ip[LEN + n_]);    \
        }                                                     \
    } while (0)
#define heap_take(words, tag)                 \
    ({                                        \
        term taken_ = (term)htop + TAG_##tag; \
        htop += (words);                      \
        taken_;                               \
    })
#define length_of(lk, li) ip[li]

/* --- Tests --- */
#define UNLESS(condition, k, i) \
    if (!(condition)) {         \
        OUT_##k(i);             \
    }
#define unless_cons(v, k, i) UNLESS(is_cons(v), k, i)
#define unless_list(v, k, i) UNLESS(is_list(v), k, i)
#define unless_boxed(v, k, i) UNLESS(is_boxed(v), k, i)
#define unless_pointer(v, k, i) UNLESS(!is_immediate(v), k, i)
#define unless_immediate(v, k, i) UNLESS(is_immediate(v), k, i)
#define unless_atom(v, k, i) UNLESS(is_atom(v), k, i)
#define unless_boolean(v, k, i) UNLESS((v) == A_true || (v) == A_false, k, i)
#define unless_small(v, k, i) UNLESS(LIKELY(is_small(v)), k, i)
#define unless_both_small(v, w, k, i) UNLESS(LIKELY(is_small((v) & (w))), k, i)
#define unless_local_pid(v, k, i) UNLESS(is_local_pid(v), k, i)
#define unless_local_port(v, k, i) UNLESS(is_local_port(v), k, i)
#define unless_same(v, w, k, i) UNLESS((v) == (w), k, i)
#define unless_different(v, w, k, i) UNLESS((v) != (w), k, i)
#define unless_less(v, w, k, i) UNLESS((intptr_t)(v) < (intptr_t)(w), k, i)
#define unless_at_least(v, w, k, i) UNLESS((intptr_t)(v) >= (intptr_t)(w), k, i)
#define unless_tuple_header(h, k, i) UNLESS(((h)&0x3f) == 0, k, i)
#define unless_kind(h, set, k, i) UNLESS((set) >> HEADER_KIND(h) & 1, k, i)

/* --- Arithmetic. A small is n << 4 | 15 --- */
#define TRY(condition, k, i)      \
    if (UNLIKELY(!(condition))) { \
        OUT_##k(i);               \
    }
#define add_small(v, w, k, i)                                                              \
    ({                                                                                     \
        intptr_t r_;                                                                       \
        TRY(!__builtin_add_overflow((intptr_t)(v), (intptr_t)((w)-TAG_SMALL), &r_), k, i); \
        (term) r_;                                                                         \
    })
#define sub_small(v, w, k, i)                                                              \
    ({                                                                                     \
        intptr_t r_;                                                                       \
        TRY(!__builtin_sub_overflow((intptr_t)(v), (intptr_t)((w)-TAG_SMALL), &r_), k, i); \
        (term) r_;                                                                         \
    })
#define mul_small(v, w, k, i)                                                                   \
    ({                                                                                          \
        intptr_t r_;                                                                            \
        TRY(!__builtin_mul_overflow((intptr_t)((v)-TAG_SMALL), (intptr_t)(w) >> 4, &r_), k, i); \
        (term) r_ + TAG_SMALL;                                                                  \
    })
#define div_small(v, w, k, i)                               \
    ({                                                      \
        TRY((w) != SMALL(0) && (w) != SMALL(-1), k, i);     \
        SMALL(((intptr_t)(v) >> 4) / ((intptr_t)(w) >> 4)); \
    })
#define rem_small(v, w, k, i)                               \
    ({                                                      \
        TRY((w) != SMALL(0) && (w) != SMALL(-1), k, i);     \
        SMALL(((intptr_t)(v) >> 4) % ((intptr_t)(w) >> 4)); \
    })
#define and_small(v, w) ((v) & (w))
#define or_small(v, w) ((v) | (w))
#define xor_small(v, w) (((v) ^ (w)) | TAG_SMALL)
#define shl_small(v, w, k, i)                                                            \
    ({                                                                                   \
        term by_ = (w) >> 4;                                                             \
        TRY(by_ < (term)SMALL_BITS - 1, k, i); /* a negative one is large */             \
        intptr_t from_ = (intptr_t)((v)-TAG_SMALL), r_ = (intptr_t)((term)from_ << by_); \
        TRY(r_ >> by_ == from_, k, i);                                                   \
        (term) r_ + TAG_SMALL;                                                           \
    })
#define shr_small(v, w, k, i)                     \
    ({                                            \
        term by_ = (w) >> 4;                      \
        TRY(by_ < (term)WORD_BITS - 4, k, i);     \
        (term)((intptr_t)(v) >> by_) | TAG_SMALL; \
    })
#define arity_of(h) SMALL(HEADER_WORDS(h))
#define element_of(t, h, n, k, i)         \
    ({                                    \
        term at_ = ((n) >> 4) - 1;        \
        TRY(at_ < HEADER_WORDS(h), k, i); \
        load(t, BOXED, 1 + at_);          \
    })

/* --- Words that are no terms --- */
#define minus(w, v) ((term)(w) - (term)(v))
#define advance(w, n) ((term)(w) + (term)(n))
#define small_of(w) SMALL(w)
#define byte_at(base, w) bits_base(base)[(w) / 8]
#define bits_at(base, w, n, flags) rt_bits_at(p, base, w, n, flags)
#define unless_clear(w, mask, k, i) UNLESS(((w) & (mask)) == 0, k, i)

/* --- Floats --- */
#define float_add(d, e) ((d) + (e))
#define float_sub(d, e) ((d) - (e))
#define float_mul(d, e) ((d) * (e))
#define float_div(d, e) ((d) / (e))
#define float_neg(d) (-(d))
#define float_of_small(v) ((double)((intptr_t)(v) >> 4))
#define float_at(t) float_value(t)
#define float_check(d)                       \
    ({                                       \
        double checked_ = (d);               \
        if (UNLIKELY(!isfinite(checked_))) { \
            exception_error(p, A_badarith);  \
            goto unwind;                     \
        }                                    \
        checked_;                            \
    })
#define float_c(fn, v)                     \
    ({                                     \
        double made_;                      \
        if (UNLIKELY(!fn(p, v, &made_))) { \
            goto unwind;                   \
        }                                  \
        made_;                             \
    })
#define heap_float(d)                       \
    ({                                      \
        term float_ = write_float(htop, d); \
        htop += FLOAT_WORDS;                \
        float_;                             \
    })

/* --- C functions --- */
#define CALL(call)            \
    ({                        \
        SAVE;                 \
        term value_ = (call); \
        RELOAD;               \
        value_;               \
    })
#define OR_GO(value, k, i)              \
    ({                                  \
        term found_ = (value);          \
        if (UNLIKELY(found_ == NONE)) { \
            OUT_##k(i);                 \
        }                               \
        found_;                         \
    })
#define value_c(fn, ...) OR_GO(CALL(fn(p, ##__VA_ARGS__)), j, 0)
#define value_or(k, i, fn, ...) OR_GO(CALL(fn(p, ##__VA_ARGS__)), k, i)
#define list_c(fn, lk, li, ...) OR_GO(CALL(fn(p, x, sp, ip + LEN, ip[li], ##__VA_ARGS__)), j, 0)
#define list_or(k, i, fn, lk, li, ...) OR_GO(CALL(fn(p, x, sp, ip + LEN, ip[li], ##__VA_ARGS__)), k, i)
#define pure_c(fn, ...) fn(p, ##__VA_ARGS__)
#define pure_or(k, i, fn, ...) OR_GO(fn(p, ##__VA_ARGS__), k, i)
#define pure_do(fn, ...) fn(p, ##__VA_ARGS__)
#define count_c(fn, ...) fn(p, ##__VA_ARGS__)
#define bool_c(fn, v, w) (fn(p, v, w) ? A_true : A_false)
#define unless_c(k, i, fn, ...) UNLESS(fn(p, ##__VA_ARGS__), k, i)
#define do_c(fn, ...)         \
    do {                      \
        SAVE;                 \
        fn(p, ##__VA_ARGS__); \
        RELOAD;               \
    } while (0)
#define raise_c(fn, ...)         \
    do {                         \
        do_c(fn, ##__VA_ARGS__); \
        goto unwind;             \
    } while (0)
#define raise_x_c(fn, n) raise_c(fn, x, n)
#define raise_or(k, i, fn, ...)  \
    do {                         \
        do_c(fn, ##__VA_ARGS__); \
        OUT_##k(i);              \
    } while (0)
#define raise_if_c(fn, ...)               \
    do {                                  \
        if (CALL(fn(p, ##__VA_ARGS__))) { \
            goto unwind;                  \
        }                                 \
    } while (0)
/* A guard's failure needs no stack trace, so that is made only where it raises. */
#define GUARD_FAILED_f(b, args) ((void)0)
#define GUARD_FAILED_j(b, args) do_c(exception_in_bif, b, args)
#define guard_c(k, i, bk, bi, ...)                         \
    ({                                                     \
        const BifEntry *guard_ = (const BifEntry *)ip[bi]; \
        term args_[] = {__VA_ARGS__};                      \
        term result_ = CALL(guard_->function(p, args_));   \
        if (UNLIKELY(result_ == NONE)) {                   \
            GUARD_FAILED_##k(guard_, args_);               \
            OUT_##k(i);                                    \
        }                                                  \
        result_;                                           \
    })

/* Operands as units that can be told apart at run time. */
#define UNIT_x(i) ip[i]
#define UNIT_y(i) (ip[i] + 4)
#define UNIT_i(i) ip[i]
#define UNIT_r(i) ip[i]
#define UNIT_s(i) ip[i]
/* room(live), put(d, guard_c(j, bif, get(l), get(r))) and on to the next instruction, out of line. */
#define slow_guard(dk, di, bk, bi, lk, li, rk, ri, nk, ni)                                       \
    do {                                                                                         \
        slow_ = (SlowGuard){UNIT_##dk(di), ip[bi], {UNIT_##lk(li), UNIT_##rk(ri)}, ip[ni], LEN}; \
        goto slow_guard_;                                                                        \
    } while (0)
typedef struct {
    Unit to, bif, args[2], live;
    uint32_t units; /* of the instruction */
} SlowGuard;

/* --- Choices: values in order, then labels --- */
static inline const Unit *select_label(const Unit *list, size_t n, term v) {
    if (n <= 8) {
        for (size_t i = 0; i < n; i++) {
            if (list[i] == v) {
                return (const Unit *)list[n + i];
            }
        }
        return NULL;
    }
    size_t low = 0;
    for (size_t size = n; size > 1;) {
        size_t half = size / 2;
        low = list[low + half] <= v ? low + half : low;
        size -= half;
    }
    return list[low] == v ? (const Unit *)list[n + low] : NULL;
}
#define select(v, lk, li)                                        \
    do {                                                         \
        const Unit *to_ = select_label(ip + LEN, ip[li] / 2, v); \
        if (to_ != NULL) {                                       \
            GO(to_);                                             \
        }                                                        \
    } while (0)
#define jump_table(v, low, lk, li, k, i)                                                       \
    do {                                                                                       \
        term at_ = (v) - (low); /* of a small: 16 times its place; else some low bit is set */ \
        at_ = at_ >> 4 | at_ << (WORD_BITS - 4);                                               \
        if (at_ < ip[li]) {                                                                    \
            GO(ip[LEN + at_]);                                                                 \
        }                                                                                      \
        OUT_##k(i);                                                                            \
    } while (0)

/* --- Frames and calls --- */
#define frame(n) (sp -= (n))
#define unframe(n) (sp += (n))
#define clear(n)                                           \
    do {                                                   \
        for (size_t i_ = 0, end_ = (n); i_ < end_; i_++) { \
            sp[i_] = NIL;                                  \
        }                                                  \
    } while (0)
#define CHARGE                                            \
    if (UNLIKELY(--reds < 0) || STRESSED(STRESS_YIELD)) { \
        goto yield;                                       \
    }
#define TAIL(target)                 \
    do {                             \
        ip = (const Unit *)(target); \
        CHARGE;                      \
        DISPATCH;                    \
    } while (0)
#define PUSH_RETURN (*--sp = (term)(ip + LEN))
#define call(k, i)   \
    do {             \
        PUSH_RETURN; \
        TAIL(ip[i]); \
    } while (0)
#define tail_call(k, i) TAIL(ip[i])
#define call_export(k, i)                    \
    do {                                     \
        PUSH_RETURN;                         \
        TAIL(((const Export *)ip[i])->code); \
    } while (0)
#define tail_export(k, i) TAIL(((const Export *)ip[i])->code)
#define ENTRY(fn, ...)                               \
    ({                                               \
        SAVE;                                        \
        const Entry *entry_ = fn(p, x, __VA_ARGS__); \
        RELOAD;                                      \
        if (UNLIKELY(entry_ == NULL)) {              \
            goto unwind;                             \
        }                                            \
        entry_->code;                                \
    })
#define call_entry(fn, live, ...)                 \
    do {                                          \
        const Unit *to_ = ENTRY(fn, __VA_ARGS__); \
        PUSH_RETURN;                              \
        TAIL(to_);                                \
    } while (0)
#define tail_entry(fn, live, ...)                                 \
    do {                                                          \
        const Unit *to_ = ENTRY(fn, __VA_ARGS__);                 \
        if (UNLIKELY(*to_ == handlers[VARIANT_traced_stub])) {    \
            SAVE;                                                 \
            if (!rt_keep_caller(p, ip, (const Export *)to_[1])) { \
                return RUN_YIELD;                                 \
            }                                                     \
            LOAD;                                                 \
        }                                                         \
        TAIL(to_);                                                \
    } while (0)
#define ret                       \
    do {                          \
        ip = (const Unit *)*sp++; \
        DISPATCH;                 \
    } while (0)
#define COLLECT_AFTER_BIF                      \
    if (UNLIKELY(process_should_collect(p))) { \
        COLLECT(0, 1);                         \
    }
#define BUILT_IN(entry, behind)                   \
    do {                                          \
        bif = (entry);                            \
        reds--;                                   \
        p->ip = ip;                               \
        term result_ = CALL(bif->function(p, x)); \
        if (UNLIKELY(result_ == NONE)) {          \
            after = (behind);                     \
            goto bif_none;                        \
        }                                         \
        x[0] = result_;                           \
        COLLECT_AFTER_BIF                         \
    } while (0)
#define call_built_in(k, i) BUILT_IN((const BifEntry *)ip[i], ip + LEN)
#define tail_built_in(k, i)                      \
    do {                                         \
        BUILT_IN((const BifEntry *)ip[i], NULL); \
        ret;                                     \
    } while (0)
#define tail_built_in_of(k, i)                        \
    do {                                              \
        BUILT_IN(((const Export *)ip[i])->bif, NULL); \
        ret;                                          \
    } while (0)
#define tail_nif()                                \
    do {                                          \
        BUILT_IN((const BifEntry *)ip[-2], NULL); \
        ret;                                      \
    } while (0)

/* --- Exceptions --- */
#define catch_mark(k, i) ((term)ip[i])
#define catch_begin p->catches++
#define catch_over p->catches--
#define caught(fn)                 \
    do {                           \
        if (x[0] == NONE) {        \
            x[0] = CALL(fn(p, x)); \
        }                          \
    } while (0)

/* --- Processes --- */
#define LEAVE(why, at, n)           \
    do {                            \
        SAVE;                       \
        p->ip = (const Unit *)(at); \
        p->live = (n);              \
        return (why);               \
    } while (0)
#define self() (p->pid)
#define next_message(k, i)                                                                         \
    ({                                                                                             \
        term message_ = mailbox_at_hand(p);                                                        \
        if (message_ == NONE) {                                                                    \
            SAVE;                                                                                  \
            message_ = process_should_collect(p) && !rt_collect(p, 0, 0) ? NONE : mailbox_peek(p); \
            LOAD;                                                                                  \
        }                                                                                          \
        if (UNLIKELY(message_ == NONE)) {                                                          \
            if (UNLIKELY(process_must_leave(p))) {                                                 \
                LEAVE(RUN_YIELD, ip, 0);                                                           \
            }                                                                                      \
            OUT_##k(i);                                                                            \
        }                                                                                          \
        message_;                                                                                  \
    })
#define pass_message mailbox_advance(p)
#define wait_at(k, i) LEAVE(RUN_WAIT, ip[i], 0)
#define wait_until(k, i, v)                      \
    do {                                         \
        SAVE;                                    \
        MailboxWait wait_ = mailbox_wait(p, v);  \
        if (wait_ == MAILBOX_WAIT) {             \
            LEAVE(RUN_WAIT, ip[i], 0);           \
        }                                        \
        if (wait_ == MAILBOX_BAD_TIME) {         \
            exception_error(p, A_timeout_value); \
            goto unwind;                         \
        }                                        \
    } while (0)
/* Going round a receive costs a reduction. */
#define loop_to(k, i)                   \
    do {                                \
        if (UNLIKELY(--reds < 0)) {     \
            LEAVE(RUN_YIELD, ip[i], 0); \
        }                               \
        OUT_##k(i);                     \
    } while (0)
/* Native code. The unit of func_info that holds the name says where a function with machine code has it. A bridge on top of the
   stack: a tail call back to where the call came from; else one is left that leads back here. */
#define ENTER_NATIVE(at)            \
    do {                            \
        SAVE;                       \
        p->ip = (const void *)(at); \
        return RUN_SWITCH;          \
    } while (0)
#define cross_to_native()                             \
    do {                                              \
        if (*sp == (term)s->vm->returns_native) {     \
            sp++;                                     \
        } else {                                      \
            *--sp = (term)s->vm->returns_interpreted; \
        }                                             \
        ENTER_NATIVE(ip[-2]);                         \
    } while (0)
#define go_back_to_native()                      \
    do {                                         \
        const void *back_ = (const void *)*sp++; \
        ENTER_NATIVE(back_);                     \
    } while (0)
#define leave_finished()          \
    do {                          \
        SAVE;                     \
        process_end(p, A_normal); \
        return RUN_EXIT;          \
    } while (0)
#define leave_hibernating()                 \
    do {                                    \
        RunResult result_;                  \
        SAVE;                               \
        if (rt_hibernate(p, x, &result_)) { \
            return result_;                 \
        }                                   \
        RELOAD;                             \
        goto unwind;                        \
    } while (0)

/* Tracing: what has been told of, goes on: at its own first instruction, or to where it would have returned. */
#define trace_call()                                  \
    do {                                              \
        SAVE;                                         \
        p->ip = ip;                                   \
        const TraceResume to_ = trace_called(p, ip);  \
        if (UNLIKELY(to_.handler == 0)) {             \
            return RUN_YIELD; /* it will be killed */ \
        }                                             \
        LOAD;                                         \
        if (UNLIKELY(to_.debugged != NULL)) {         \
            TAIL(ENTRY(rt_debugged, to_.debugged));   \
        }                                             \
        ip = to_.at;                                  \
        goto *(void *)to_.handler;                    \
    } while (0)
#define trace_return()     \
    do {                   \
        SAVE;              \
        trace_returned(p); \
        LOAD;              \
        ret;               \
    } while (0)

#define DISPATCH goto *(void *)*ip
#define HANDLER(name, units) \
    L_##name : {             \
        enum { LEN = units };
#define NEXT(units) \
    ip += (units);  \
    DISPATCH;       \
    }

/* p NULL: only tells the handlers' addresses, and where the code of return_to_native and return_traced is. */
static RunResult run(Scheduler *s, Process *p, const Unit *tables[3]) {
    static const Unit handlers[VARIANT_COUNT] = {
#define LABELS
#include "gen/handlers.inc"
#undef LABELS
    };
    static const Unit finish[] = {(Unit) && L_finish_};
    static const Unit return_to_native[] = {(Unit) && L_return_to_native_}, return_traced[] = {(Unit) && L_return_traced_};
    if (p == NULL) {
        tables[0] = handlers;
        tables[1] = return_to_native;
        tables[2] = return_traced;
        return RUN_YIELD;
    }
    term *const x = s->x;
    double *const f = s->f;
    term *htop, *sp;
    intptr_t reds;
    const Unit *ip = p->ip;
    const BifEntry *bif;
    SlowGuard slow_; /* what slow_guard_ does */
#ifndef MOTE_STRESS
    size_t again_words, again_live; /* what again_ does */
#endif
    const Unit *after; /* where a built-in that traps or yields goes on: behind the call, or NULL: where its caller returns to */
    LOAD;
    if (UNLIKELY(ip == NULL)) {
        assert(p->live >= 2 && sp == p->heap.end);
        *--sp = (term)finish;
        ip = finish;
        ip = ENTRY(rt_apply, p->live - 2u);
    }
    DISPATCH;
#include "gen/handlers.inc"
bif_none:
    if (p->heap.reason != A_trap) {
        do_c(exception_in_bif, bif, x);
        goto unwind;
    }
    if (s->trap_to == NULL) {
        x[0] = s->trap_args[0];
        ip = after != NULL ? after : (const Unit *)*sp++;
        LEAVE(RUN_YIELD, ip, 1);
    }
    const Export *to = s->trap_to;
    memcpy(x, s->trap_args, to->arity * sizeof(term));
    if (after != NULL) {
        *--sp = (term)after;
    } else if (UNLIKELY(trace_begins(p, to))) {
        SAVE;
        if (!trace_tail_call(p, ip, to->arity)) {
            return RUN_YIELD;
        }
        LOAD;
    }
    TAIL(to->code);
yield:
    SAVE;
    p->ip = ip;
    p->live = (uint16_t)ip[-1]; /* the arity */
    if (process_should_collect(p)) {
        rt_collect(p, 0, p->live);
    }
    return RUN_YIELD;
#ifndef MOTE_STRESS
again_:;
    COLLECT(again_words, again_live);
    if (UNLIKELY(*ip == handlers[VARIANT_breakpoint])) { /* of the call trace/ has heard already */
        goto *(void *)breakpoint_at(ip)->handler;
    }
    DISPATCH;
#endif
slow_guard_:;
    room(slow_.live);
    term slow_args[] = {rt_unit(x, sp, slow_.args[0]), rt_unit(x, sp, slow_.args[1])};
    term slow_result = CALL(((const BifEntry *)slow_.bif)->function(p, slow_args));
    if (UNLIKELY(slow_result == NONE)) {
        do_c(exception_in_bif, (const BifEntry *)slow_.bif, slow_args);
        goto unwind;
    }
    REGISTER(slow_.to & 4 ? (char *)sp - 4 : (char *)x, slow_.to) = slow_result;
    ip += slow_.units;
    DISPATCH;
unwind:;
    SAVE;
    bool native;
    const CatchHandler *handler = exception_unwind(p, ip, &native);
    LOAD;
    if (handler != NULL && native) {
        ENTER_NATIVE(handler->native);
    }
    if (handler != NULL) {
        ip = handler->code;
        DISPATCH;
    }
    if (s->class == CLASS_ERROR) {
        process_end_logged(p, p->heap.reason);
    } else {
        process_end(p, p->heap.reason);
    }
    return RUN_EXIT;
}

RunResult interpreter_run(Scheduler *s, Process *p) {
    return run(s, p, NULL);
}

const Unit *interpreter_handlers(void) {
    const Unit *tables[3];
    run(NULL, NULL, tables);
    return tables[0];
}

const Unit *interpreter_return_to_native(void) {
    const Unit *tables[3];
    run(NULL, NULL, tables);
    return tables[1];
}

const Unit *interpreter_return_traced(void) {
    const Unit *tables[3];
    run(NULL, NULL, tables);
    return tables[2];
}
