/* ets: tables and their objects. Walking and searching are in bif_ets_select.c. */
#include "bif/bif_ets.h"
#include "bif/bif_state.h"

#include "data/arith.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "table/insertion.h"
#include "term/compare.h"
#include "term/copy.h"
#include "term/ref.h"

#define GUARD_BEGIN(p) ((void)0)
#define GUARD_END(p) table_leave(p)
#include "bif/guarded.h"

enum { FEW_CHANGES = 8, FREED_AT_ONCE = 2000, WORDS_PER_REDUCTION = 16, INSERTED_PER_REDUCTION = 4 };

static NOINLINE Table *find_or_raise(Process *p, term id, Access access, TableUse use, term key) {
    term cause;
    Table *t = table_find(p, id, access, use, key, &cause);
    if (t == NULL) {
        raise_error_cause(p, A_badarg, cause);
    }
    return t;
}

Table *ets_table_for(Process *p, term id, Access access, TableUse use, term key) {
    Table *t = table_find_quickly(p, id, access);
    return LIKELY(t != NULL) ? t : find_or_raise(p, id, access, use, key);
}

/* Making and unmaking. */

static bool set_bool(term value, bool *option) {
    *option = value == A_true;
    return value == A_true || value == A_false;
}

/* {debug_hash_fixed_number_of_locks, N}, of OTP's tests: N, rounded down to a power of 2; NONE: it is something else. */
static term number_of_locks(term t) {
    enum { MAX_LOCKS = 32768 };
    if (!is_tuple_of(t, 2) || element(t, 1) != A_debug_hash_fixed_number_of_locks || !is_small(element(t, 2))) {
        return NONE;
    }
    intptr_t n = small_value(element(t, 2));
    return n < 1 || n > MAX_LOCKS ? NONE : SMALL((intptr_t)1 << (31 - __builtin_clz((unsigned)n)));
}

static bool option_pair(Table *t, term name, term value) {
    switch (name) {
    case A_keypos: t->keypos = is_small(value) && small_value(value) > 0 ? (size_t)small_value(value) : 0; return t->keypos > 0;
    case A_read_concurrency: return set_bool(value, &t->read_concurrency);
    case A_decentralized_counters: t->decentralized_counters = value; return value == A_true || value == A_false;
    case A_write_concurrency:
        t->write_concurrency = value == A_true || value == A_false || value == A_auto ? value : number_of_locks(value);
        return t->write_concurrency != NONE;
    case A_heir: t->heir = NONE; return value == A_none;
    default: return false;
    }
}

static bool option_atom(Table *t, term option) {
    switch (option) {
    case A_set: t->type = TABLE_SET; return true;
    case A_ordered_set: t->type = TABLE_ORDERED_SET; return true;
    case A_bag: t->type = TABLE_BAG; return true;
    case A_duplicate_bag: t->type = TABLE_DUPLICATE_BAG; return true;
    case A_private: t->protection = PROTECTION_PRIVATE; return true;
    case A_protected: t->protection = PROTECTION_PROTECTED; return true;
    case A_public: t->protection = PROTECTION_PUBLIC; return true;
    case A_named_table: t->named = true; return true;
    case A_compressed: t->compressed = true; return true;
    default: return false;
    }
}

BIF(ets, new, 2) {
    // clang-format off
    Table as = {.name = a[0], .keypos = 1, .type = TABLE_SET, .protection = PROTECTION_PROTECTED,
                .write_concurrency = A_false, .decentralized_counters = NONE};
    // clang-format on
    term options = a[1], heir_data = NONE;
    bool ok = is_atom(a[0]);
    for (; ok && is_cons(options); options = tail(options)) {
        term option = head(options);
        if (is_tuple_of(option, 2)) {
            ok = option_pair(&as, element(option, 1), element(option, 2));
        } else if (is_tuple_of(option, 3)) {
            ok = element(option, 1) == A_heir && is_local_pid(element(option, 2));
            as.heir = ok ? element(option, 2) : NONE;
            heir_data = ok ? element(option, 3) : NONE;
        } else {
            ok = option_atom(&as, option);
        }
    }
    if (!ok || options != NIL || (is_small(as.write_concurrency) && as.type == TABLE_ORDERED_SET)) {
        return raise_badarg(p);
    }
    term heir = as.heir, reason;
    as.heir = NONE;
    Table *t = table_new(p, &as, &reason);
    if (t == NULL) {
        return reason == A_badarg ? raise_error_cause(p, A_badarg, A_already_exists) : raise_error(p, reason);
    }
    if (heir != NONE && !table_set_heir(process_vm(p), t, heir, heir_data)) {
        table_delete(process_vm(p), t);
        return raise_error(p, A_system_limit);
    }
    return table_id(HEAP(p), t);
}

/* Frees what is left of deleted tables, then ends with the result. */
static term free_tables(Process *p, term result) {
    BUMP(p, FREED_AT_ONCE / 2);
    return ets_free_some(process_vm(p), FREED_AT_ONCE) ? result : bif_trap(p, BIF_EXPORT(p, erts_internal, ets_free_more, 1), 1, result);
}

BIF_REST(ets_free_more, 1, ets, delete_trap, 1) {
    return free_tables(p, a[0]);
}

BIF(ets, delete, 1) {
    Table *t = ets_table(p, a[0], ACCESS_WRITE);
    if (t == NULL) {
        return NONE;
    }
    table_delete(process_vm(p), t);
    return free_tables(p, A_true);
}

BIF(ets, internal_delete_all, 2) {
    Table *t = ets_table(p, a[0], ACCESS_WRITE);
    return t == NULL ? NONE : free_tables(p, SMALL(table_clear(process_vm(p), t)));
}

BIF(ets, rename, 2) {
    Table *t = ets_table(p, a[0], ACCESS_WRITE);
    if (t == NULL) {
        return NONE;
    }
    return is_atom(a[1]) && table_rename(process_vm(p), t, a[1]) ? table_id(HEAP(p), t) : raise_badarg(p);
}

BIF(ets, whereis, 1) {
    if (!is_atom(a[0])) {
        return raise_badarg(p);
    }
    term cause;
    const Table *t = table_find(p, a[0], ACCESS_INFO, USE_HEAD, NONE, &cause);
    return t == NULL ? A_undefined : table_ref(HEAP(p), t);
}

BIF(ets, give_away, 3) {
    Table *t = ets_table(p, a[0], ACCESS_WRITE);
    if (t == NULL) {
        return NONE;
    }
    if (!is_local_pid(a[1]) || process_find(process_vm(p), a[1]) == NULL) {
        return raise_badarg(p);
    }
    if (t->owner != p->pid || a[1] == p->pid) {
        return raise_error_cause(p, A_badarg, t->owner != p->pid ? A_not_owner : A_owner);
    }
    return table_give(p, t, a[1], a[2]) ? A_true : raise_error(p, A_system_limit);
}

BIF(ets, setopts, 2) {
    VM *vm = process_vm(p);
    Table *t = ets_table(p, a[0], ACCESS_WRITE);
    if (t == NULL) {
        return NONE;
    }
    term options = is_tuple(a[1]) ? heap_cons(HEAP(p), a[1], NIL) : a[1], heir = A_undefined, data = NONE;
    int protection = -1;
    for (; is_cons(options); options = tail(options)) {
        term option = head(options);
        if (is_tuple_of(option, 2) && element(option, 1) == A_protection && protection < 0) {
            term v = element(option, 2);
            protection = v == A_private     ? PROTECTION_PRIVATE
                         : v == A_protected ? PROTECTION_PROTECTED
                         : v == A_public    ? PROTECTION_PUBLIC
                                            : -1;
            if (protection < 0) {
                return raise_badarg(p);
            }
        } else if (is_tuple_of(option, 2) && element(option, 1) == A_heir && element(option, 2) == A_none && heir == A_undefined) {
            heir = NONE;
        } else if (is_tuple_of(option, 3) && element(option, 1) == A_heir && is_local_pid(element(option, 2)) && heir == A_undefined) {
            heir = element(option, 2), data = element(option, 3);
        } else {
            return raise_badarg(p);
        }
    }
    if (options != NIL || t->owner != p->pid) {
        return raise_badarg(p);
    }
    if (heir != A_undefined && !table_set_heir(vm, t, heir, data)) {
        return raise_error(p, A_system_limit);
    }
    if (protection >= 0) {
        t->protection = (Protection)protection;
    }
    return A_true;
}

BIF(ets, safe_fixtable, 2) {
    Table *t = ets_table(p, a[0], ACCESS_READ);
    if (t == NULL) {
        return NONE;
    }
    if (a[1] == A_true) {
        return table_fix(p, t) ? A_true : raise_error(p, A_system_limit);
    }
    if (a[1] != A_false) {
        return raise_badarg(p);
    }
    table_unfix(process_vm(p), t, p->pid);
    return A_true;
}

BIF(erts_internal, ets_super_user, 1) {
    if (a[0] != A_true && a[0] != A_false) {
        return raise_badarg(p);
    }
    ets_super_user(process_vm(p), a[0] == A_true);
    return A_ok;
}

/* Its identifier in front of a list, if it is still there. */
static term listed(Process *p, const Table *t, term list) {
    return table_enter(p, (Table *)t) ? heap_cons(HEAP(p), table_id(HEAP(p), t), list) : list;
}

/* ets:all/0 waits for one message from each scheduler: the first holds all. */
BIF(ets, internal_request_all, 0) {
    VM *vm = process_vm(p);
    term ref = ref_make(HEAP(p)), list = NIL, none = TUPLE2(HEAP(p), ref, NIL);
    for (const Table *t = table_next(vm, NULL); t != NULL; t = table_next(vm, t)) {
        list = listed(p, t, list);
        table_leave(p);
    }
    bool sent = message_send(p->scheduler, p, p->pid, TUPLE2(HEAP(p), ref, list));
    for (uint32_t i = 1; i < vm->processes->scheduler_count; i++) {
        sent &= message_send(p->scheduler, p, p->pid, none);
    }
    return sent ? ref : raise_error(p, A_system_limit);
}

/* Putting in. */

static bool is_object(const Table *t, term object) {
    return is_tuple(object) && tuple_arity(object) >= t->keypos;
}

typedef struct {
    Insertion insertion;
    term name; /* insert or insert_new */
} Inserting;

static void inserting_destroy(VM *vm, Resource *r) {
    Inserting *i = (Inserting *)r;
    insertion_done(vm, &i->insertion);
    state_free(vm, r, sizeof *i);
}

static term raise_inserting(Process *p, Inserting *i, term reason, term cause, const term *args) {
    insertion_done(process_vm(p), &i->insertion);
    raise_error_as(p, reason, A_ets, i->name, 2, args);
    p->scheduler->cause = cause;
    return NONE;
}

/* Puts in what has been copied. */
static term insert_on(Process *p, Inserting *i, term ref, const term *args) {
    size_t all = (size_t)MAX(p->heap.reds, 1) * INSERTED_PER_REDUCTION, left = all;
    bool done = insertion_go_on(process_vm(p), &i->insertion, &left);
    BUMP(p, (intptr_t)((all - left) / INSERTED_PER_REDUCTION));
    if (!done) {
        return bif_trap(p, BIF_EXPORT(p, erts_internal, ets_insert_more, 4), 4, ref, NIL, args[0], args[1]);
    }
    return i->insertion.exists ? A_false : A_true;
}

/* Copies what is left of the list, then puts all of it in. */
static term copy_on(Process *p, Inserting *i, term ref, term list, const term *args) {
    term cause;
    const Table *t = table_find(p, args[0], ACCESS_WRITE, USE_ALONE, NONE, &cause);
    if (t == NULL) {
        return raise_inserting(p, i, A_badarg, cause, args);
    }
    for (; is_cons(list) && !OUT_OF_TIME(p); list = tail(list)) {
        Object *o = is_object(t, head(list)) ? object_new(process_vm(p), head(list)) : NULL;
        if (o == NULL) {
            return raise_inserting(p, i, is_object(t, head(list)) ? A_system_limit : A_badarg, NONE, args);
        }
        BUMP(p, 1 + o->words / WORDS_PER_REDUCTION);
        insertion_add(&i->insertion, o);
    }
    if (is_cons(list)) {
        return bif_trap(p, BIF_EXPORT(p, erts_internal, ets_insert_more, 4), 4, ref, list, args[0], args[1]);
    }
    if (list != NIL) {
        return raise_inserting(p, i, A_badarg, NONE, args);
    }
    insertion_begin(&i->insertion, (Table *)t);
    return insert_on(p, i, ref, args);
}

BIF_REST(ets_insert_more, 4, ets, insert, 2) { /* state, what is left to be copied, the arguments */
    Inserting *i = state_of(a[0], inserting_destroy);
    if (i == NULL) {
        return raise_badarg(p);
    }
    return is_cons(a[1]) ? copy_on(p, i, a[0], a[1], a + 2) : insert_on(p, i, a[0], a + 2);
}

/* Up to so many objects OTP puts in front to back, more of them, and all that go into a bag, back to front. */
static bool goes_in_reversed(const Process *p, const Table *t, term list) {
    size_t limit = (size_t)MAX(p->heap.reds, 1) * 10, n = 0;
    for (; is_cons(list) && n <= limit; list = tail(list)) {
        n++;
    }
    return t->type == TABLE_BAG || n > limit;
}

static term insert(Process *p, const term *a, term name) {
    bool many = is_list(a[1]);
    Table *t = ets_table_for(p, a[0], ACCESS_WRITE, many ? USE_ALONE : USE_OBJECT, a[1]);
    if (t == NULL) {
        return NONE;
    }
    VM *vm = process_vm(p);
    if (many) {
        term ref;
        Inserting *i = state_new(p, sizeof *i, inserting_destroy, &ref);
        if (i == NULL) {
            return raise_error(p, A_system_limit);
        }
        i->name = name;
        i->insertion.only_new = name == A_insert_new;
        i->insertion.reversed = goes_in_reversed(p, t, a[1]);
        return copy_on(p, i, ref, a[1], a);
    }
    if (!is_object(t, a[1])) {
        return raise_badarg(p);
    }
    if (name == A_insert_new && table_lookup(vm, t, element(a[1], t->keypos)) != NULL) {
        return A_false;
    }
    Object *o = object_new(vm, a[1]);
    if (o == NULL) {
        return raise_error(p, A_system_limit);
    }
    BUMP(p, 1 + o->words / WORDS_PER_REDUCTION);
    table_put(vm, t, o, false);
    return A_true;
}

BIF(ets, insert, 2) {
    return insert(p, a, A_insert);
}

BIF(ets, insert_new, 2) {
    return insert(p, a, A_insert_new);
}

/* Looking up. */

/* Objects with this key, oldest first. NONE: no memory. */
static term lookup(Process *p, Table *t, term key) {
    term list = NIL;
    for (const Object *o = table_lookup(process_vm(p), t, key); o != NULL; o = table_next_same(process_vm(p), t, o)) {
        term copy = object_copy(HEAP(p), o);
        if (copy == NONE) {
            return raise_heap_reason(p);
        }
        BUMP(p, o->words / WORDS_PER_REDUCTION);
        list = heap_cons(HEAP(p), copy, list);
    }
    return list;
}

BIF(ets, lookup, 2) {
    Table *t = ets_table_for(p, a[0], ACCESS_READ, USE_KEY_LOOK, a[1]);
    return t == NULL ? NONE : lookup(p, t, a[1]);
}

BIF(ets, member, 2) {
    Table *t = ets_table_for(p, a[0], ACCESS_READ, USE_KEY_LOOK, a[1]);
    return t == NULL ? NONE : table_lookup(process_vm(p), t, a[1]) != NULL ? A_true : A_false;
}

/* An element of the object, or, in bags, a list of those of all objects. otherwise: if there is none; NONE: badkey. */
static term lookup_element(Process *p, const term *a, term otherwise) {
    Table *t = ets_table_for(p, a[0], ACCESS_READ, USE_KEY_LOOK, a[1]);
    if (t == NULL) {
        return NONE;
    }
    if (!is_small(a[2]) || small_value(a[2]) < 1) {
        return raise_badarg(p);
    }
    size_t position = (size_t)small_value(a[2]);
    const Object *o = table_lookup(process_vm(p), t, a[1]);
    if (o == NULL) {
        return otherwise != NONE ? otherwise : raise_error_cause(p, A_badarg, A_badkey);
    }
    bool bag = t->type == TABLE_BAG || t->type == TABLE_DUPLICATE_BAG;
    term list = NIL;
    for (; o != NULL; o = table_next_same(process_vm(p), t, o)) {
        if (position > tuple_arity(object_tuple(o))) {
            return raise_badarg(p);
        }
        term value = term_copy(HEAP(p), o->data[position]);
        if (value == NONE) {
            return raise_heap_reason(p);
        }
        if (!bag) {
            return value;
        }
        list = heap_cons(HEAP(p), value, list);
    }
    return list;
}

BIF(ets, lookup_element, 3) {
    return lookup_element(p, a, NONE);
}

BIF(ets, lookup_element, 4) {
    return lookup_element(p, a, a[3]);
}

/* Taking out. */

BIF(ets, delete, 2) {
    Table *t = ets_table_for(p, a[0], ACCESS_WRITE, USE_KEY, a[1]);
    if (t == NULL) {
        return NONE;
    }
    table_delete_key(process_vm(p), t, a[1]);
    return A_true;
}

BIF(ets, delete_object, 2) {
    Table *t = ets_table_for(p, a[0], ACCESS_WRITE, USE_OBJECT, a[1]);
    if (t == NULL) {
        return NONE;
    }
    if (!is_object(t, a[1])) {
        return raise_badarg(p);
    }
    table_delete_object(process_vm(p), t, a[1]);
    return A_true;
}

BIF(ets, take, 2) {
    Table *t = ets_table_for(p, a[0], ACCESS_WRITE, USE_KEY, a[1]);
    term list = t == NULL ? NONE : lookup(p, t, a[1]);
    if (list != NONE && list != NIL) {
        table_delete_key(process_vm(p), t, a[1]);
    }
    return list;
}

/* Changing elements in place. */

/* Room for n changes, a position and a value each; few: for FEW_CHANGES. NULL: no memory. */
static term *changes_room(VM *vm, term *few, intptr_t n) {
    return n <= FEW_CHANGES ? few : mem_alloc(&vm->mem, MEM_TEMPORARY, (size_t)n * 2 * sizeof *few);
}

static void changes_free(VM *vm, term *changes, const term *few, intptr_t n) {
    if (changes != few) {
        mem_free(&vm->mem, MEM_TEMPORARY, changes, (size_t)n * 2 * sizeof *changes);
    }
}

/* Writes new elements (position, value in turn) into the object; `tuple` is what it is or shall be. */
static bool change_elements(Process *p, Table *t, Object *o, term tuple, const term *changes, size_t n) {
    VM *vm = process_vm(p);
    bool simple = o != NULL;
    for (size_t i = 0; i < n && simple; i++) {
        simple = is_immediate(changes[2 * i + 1]) && is_immediate(o->data[changes[2 * i]]);
    }
    if (simple) {
        for (size_t i = 0; i < n; i++) {
            o->data[changes[2 * i]] = changes[2 * i + 1];
        }
        return true;
    }
    size_t size = tuple_arity(tuple) + 1;
    term *copy = mem_alloc(&vm->mem, MEM_TEMPORARY, size * sizeof *copy);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, boxed(tuple), size * sizeof *copy);
    for (size_t i = 0; i < n; i++) {
        copy[changes[2 * i]] = changes[2 * i + 1];
    }
    Object *with = object_new(vm, make_boxed(copy));
    mem_free(&vm->mem, MEM_TEMPORARY, copy, size * sizeof *copy);
    if (with == NULL) {
        return false;
    }
    BUMP(p, with->words / WORDS_PER_REDUCTION);
    if (o == NULL) {
        table_put(vm, t, with, false);
    } else {
        table_replace(vm, t, o, with);
    }
    return true;
}

/* The tuple to be inserted where there is none with the key: the default with the key in it. NONE: it will not do. */
static term default_object(Process *p, const Table *t, term key, term otherwise) {
    if (!is_object(t, otherwise)) {
        return NONE;
    }
    size_t n = tuple_arity(otherwise);
    term *at = heap_alloc(HEAP(p), n + 1);
    if (at == NULL) {
        return NONE;
    }
    memcpy(at, boxed(otherwise), (n + 1) * sizeof *at);
    at[t->keypos] = key;
    return make_boxed(at);
}

/* A table whose objects can be changed in place. cause: for error_info, if it is none; NONE: none. */
static Table *updatable(Process *p, term id, term key, term cause) {
    Table *t = ets_table_for(p, id, ACCESS_WRITE, USE_KEY, key);
    if (t != NULL && (t->type == TABLE_BAG || t->type == TABLE_DUPLICATE_BAG)) {
        raise_error_cause(p, A_badarg, cause);
        return NULL;
    }
    return t;
}

/* A position that may be written; 0: an exception has been raised (cause: if it is too large). */
static size_t check_position(Process *p, const Table *t, term tuple, term position, term cause) {
    if (!is_small(position) || small_value(position) < 1) {
        raise_badarg(p);
        return 0;
    }
    size_t n = (size_t)small_value(position);
    if (n == t->keypos) {
        raise_error_cause(p, A_badarg, A_keypos);
        return 0;
    }
    if (n > tuple_arity(tuple)) {
        raise_error_cause(p, A_badarg, cause);
        return 0;
    }
    return n;
}

/* One operation of update_counter: Increment, {Position, Increment} or {Position, Increment, Threshold, Value}. The value as
   it is now is the latest in changes, or in the tuple. Returns the new one. */
static term count_one(Process *p, const Table *t, term tuple, term op, term *changes, size_t done) {
    term position = SMALL(t->keypos + 1), increment = op, threshold = NONE, reset = NONE;
    if (is_tuple_of(op, 2) || is_tuple_of(op, 4)) {
        position = element(op, 1), increment = element(op, 2);
        if (tuple_arity(op) == 4) {
            threshold = element(op, 3), reset = element(op, 4);
        }
    }
    if (!is_integer(increment) || (threshold != NONE && !(is_integer(threshold) && is_integer(reset)))) {
        return raise_badarg(p);
    }
    size_t at = check_position(p, t, tuple, position, A_position);
    if (at == 0) {
        return NONE;
    }
    term value = boxed(tuple)[at];
    for (size_t i = 0; i < done; i++) {
        value = changes[2 * i] == at ? changes[2 * i + 1] : value;
    }
    if (!is_integer(value)) {
        return raise_badarg(p);
    }
    term sum = arith_add(HEAP(p), value, increment);
    if (sum == NONE) {
        return raise_heap_reason(p);
    }
    if (sum == value && !is_immediate(sum)) {
        sum = term_copy(HEAP(p), sum); /* the table's own: it may be gone when the result is needed */
        if (sum == NONE) {
            return raise_heap_reason(p);
        }
    }
    if (threshold != NONE) {
        int side = term_compare(process_vm(p), sum, threshold);
        if (integer_is_negative(increment) ? side < 0 : side > 0) {
            sum = reset;
        }
    }
    changes[2 * done] = at;
    changes[2 * done + 1] = sum;
    return sum;
}

static intptr_t proper_length(term list) {
    intptr_t n = 0;
    for (; is_cons(list); list = tail(list)) {
        n++;
    }
    return list == NIL ? n : -1;
}

static term update_counter(Process *p, const term *a, term otherwise) {
    VM *vm = process_vm(p);
    Table *t = updatable(p, a[0], a[1], A_table_type);
    if (t == NULL) {
        return NONE;
    }
    Object *o = table_lookup(vm, t, a[1]);
    term tuple = o != NULL ? object_tuple(o) : otherwise != NONE ? default_object(p, t, a[1], otherwise) : NONE;
    if (tuple == NONE) {
        return otherwise != NONE ? raise_badarg(p) : raise_error_cause(p, A_badarg, A_badkey);
    }
    bool many = is_list(a[2]);
    term list = many ? a[2] : heap_cons(HEAP(p), a[2], NIL), result = A_ok;
    intptr_t n = proper_length(list);
    if (n < 0) {
        return raise_badarg(p);
    }
    term few[2 * FEW_CHANGES], *changes = changes_room(vm, few, n);
    if (changes == NULL) {
        return raise_error(p, A_system_limit);
    }
    for (size_t i = 0; is_cons(list) && result != NONE; i++, list = tail(list)) {
        result = count_one(p, t, tuple, head(list), changes, i);
    }
    if (result != NONE && (n > 0 || o == NULL) && !change_elements(p, t, o, tuple, changes, (size_t)n)) {
        result = raise_error(p, A_system_limit);
    }
    if (result != NONE && many) {
        result = NIL;
        for (intptr_t i = n; i > 0; i--) {
            result = heap_cons(HEAP(p), changes[2 * i - 1], result);
        }
    }
    changes_free(vm, changes, few, n);
    return result;
}

BIF(ets, update_counter, 3) {
    return update_counter(p, a, NONE);
}

BIF(ets, update_counter, 4) {
    return update_counter(p, a, a[3]);
}

static term update_element(Process *p, const term *a, term otherwise) {
    VM *vm = process_vm(p);
    Table *t = updatable(p, a[0], a[1], NONE);
    if (t == NULL) {
        return NONE;
    }
    Object *o = table_lookup(vm, t, a[1]);
    if (o == NULL && otherwise == NONE) {
        return A_false;
    }
    term list = is_list(a[2]) ? a[2] : heap_cons(HEAP(p), a[2], NIL), result = A_true;
    intptr_t n = proper_length(list);
    if (n < 0 || (otherwise != NONE && !is_object(t, otherwise))) {
        return raise_badarg(p);
    }
    for (term rest = list; is_cons(rest); rest = tail(rest)) {
        term position = is_tuple_of(head(rest), 2) ? element(head(rest), 1) : NIL;
        if (!is_small(position) || small_value(position) < 1) {
            return raise_badarg(p);
        }
        if ((size_t)small_value(position) == t->keypos) {
            return raise_error_cause(p, A_badarg, A_keypos);
        }
    }
    term tuple = o != NULL ? object_tuple(o) : default_object(p, t, a[1], otherwise);
    term few[2 * FEW_CHANGES], *changes = tuple == NONE ? NULL : changes_room(vm, few, n);
    if (changes == NULL) {
        return raise_error(p, A_system_limit);
    }
    for (size_t i = 0; is_cons(list) && result != NONE; i++, list = tail(list)) {
        changes[2 * i] = check_position(p, t, tuple, element(head(list), 1), NONE);
        changes[2 * i + 1] = element(head(list), 2);
        result = changes[2 * i] == 0 ? NONE : A_true;
    }
    if (result != NONE && (n > 0 || o == NULL) && !change_elements(p, t, o, tuple, changes, (size_t)n)) {
        result = raise_error(p, A_system_limit);
    }
    changes_free(vm, changes, few, n);
    return result;
}

BIF(ets, update_element, 3) {
    return update_element(p, a, NONE);
}

BIF(ets, update_element, 4) {
    return update_element(p, a, a[3]);
}
