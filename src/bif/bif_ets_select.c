/* ets: walking by keys, and searching with match specifications.

   A search visits the objects that can match, as far as the key says; it makes a list, counts, deletes or replaces. When its
   time is up it goes on later: it fixes the table, and hands what it has to erts_internal:ets_search_more. */
#include "bif/bif_ets.h"
#include "bif/guards.h"

#include "table/match_spec.h"
#include "term/compare.h"
#include "term/copy.h"
#include "term/ref.h"

#define GUARD_BEGIN(p) ((void)0)
#define GUARD_END(p) table_leave(p)
#include "bif/guarded.h"

static const MatchOptions for_tables = {.lookup = guard_lookup};

typedef enum { SEARCH_LIST, SEARCH_COUNT, SEARCH_DELETE, SEARCH_REPLACE } Action;

typedef struct {
    Process *p;
    Table *t;
    MatchSpec *m; /* one reference is the search's */
    Action action;
    bool down;      /* ordered sets: the list shall begin with the last one */
    bool fixed;     /* it has fixed the table, to go on later */
    intptr_t limit; /* of the list; 0: none */
    term list;      /* newest first */
    intptr_t got;
    term position; /* where to go on: a bucket, or, in a tree, behind this key; NONE: at the beginning */
    bool again;    /* goes on after a chunk */
    bool found;    /* all is found and deleted: what was is being freed */
    bool failed;   /* an exception has been raised */
} Search;

static bool changes(Action action) {
    return action == SEARCH_DELETE || action == SEARCH_REPLACE;
}

/* What the patterns say about the keys to look at. */
typedef enum { KEYS_ALL, KEYS_LISTED, KEYS_LIKE } Keys;

enum { MAX_KEYS = 50, VISIT_REDUCTIONS = 2, WORDS_PER_REDUCTION = 16 };

static term key_pattern(const Search *s, size_t clause) { /* NONE: it cannot match */
    term pattern = match_pattern(s->m, clause);
    if (!is_tuple(pattern)) {
        return is_atom(pattern) ? A_underscore : NONE;
    }
    return tuple_arity(pattern) >= s->t->keypos ? element(pattern, s->t->keypos) : NONE;
}

static Keys plan(const Search *s) {
    VM *vm = process_vm(s->p);
    bool listed = s->m->clauses <= (table_is_tree(s->t) && s->limit > 0 ? 1 : MAX_KEYS);
    for (size_t i = 0; i < s->m->clauses && listed; i++) {
        term key = key_pattern(s, i);
        listed = key == NONE || match_is_bound(vm, key);
    }
    if (listed) {
        return KEYS_LISTED;
    }
    term only = s->m->clauses == 1 ? key_pattern(s, 0) : NONE;
    bool like = table_is_tree(s->t) && only != NONE && (is_tuple(only) || is_cons(only)) && !match_has_map(vm, only);
    return like ? KEYS_LIKE : KEYS_ALL;
}

static bool search_fails(Search *s, term reason) {
    s->failed = true;
    raise_error(s->p, reason);
    return false;
}

/* Visits one object. False: stop. */
static bool visit(Search *s, Object *o) {
    Process *p = s->p;
    VM *vm = process_vm(p);
    bool look = s->action == SEARCH_COUNT || s->action == SEARCH_DELETE;
    term value = match_run_object(s->m, p, o, look);
    BUMP(p, VISIT_REDUCTIONS);
    if (value == NONE || (look && value != A_true)) {
        return true;
    }
    s->got++;
    switch (s->action) {
    case SEARCH_LIST:
        BUMP(p, o->words / WORDS_PER_REDUCTION);
        s->list = heap_cons(HEAP(p), value, s->list);
        break;
    case SEARCH_COUNT: break;
    case SEARCH_DELETE: table_delete_one(vm, s->t, o); break;
    case SEARCH_REPLACE: {
        if (!is_tuple(value) || tuple_arity(value) < s->t->keypos) {
            return search_fails(s, A_badarg);
        }
        Object *with = object_new(vm, value);
        if (with == NULL) {
            return search_fails(s, A_system_limit);
        }
        table_replace(vm, s->t, o, with);
        break;
    }
    }
    return true;
}

static void visit_key(Search *s, term key) {
    VM *vm = process_vm(s->p);
    for (Object *o = table_lookup(vm, s->t, key), *next; o != NULL && !s->failed; o = next) {
        next = table_next_same(vm, s->t, o);
        visit(s, o);
    }
}

static void visit_listed(Search *s) {
    VM *vm = process_vm(s->p);
    term done[MAX_KEYS];
    size_t n = 0;
    for (size_t i = 0; i < s->m->clauses && !s->failed; i++) {
        term key = key_pattern(s, i);
        bool again = key == NONE;
        for (size_t k = 0; k < n && !again; k++) {
            again = table_is_tree(s->t) ? term_equal(vm, done[k], key) : term_same(vm, done[k], key);
        }
        if (!again) {
            done[n++] = key;
        }
    }
    if (table_is_tree(s->t)) { /* in order: the list is made from its end */
        bool from_last = s->down == (s->limit > 0) && s->action == SEARCH_LIST;
        for (size_t i = 1; i < n; i++) {
            for (size_t k = i; k > 0 && (term_compare(vm, done[k - 1], done[k]) > 0) != from_last; k--) {
                term swap = done[k];
                done[k] = done[k - 1], done[k - 1] = swap;
            }
        }
    }
    for (size_t i = 0; i < n && !s->failed; i++) {
        visit_key(s, done[i]);
    }
}

typedef enum { SEARCH_DONE, SEARCH_LIMIT, SEARCH_TIME } Progress;

static Progress visit_buckets(Search *s) {
    size_t slot = s->position == NONE ? 0 : (size_t)small_value(s->position);
    for (; slot < table_slots(s->t); slot++) {
        if ((s->limit > 0 && s->got >= s->limit) || OUT_OF_TIME(s->p)) {
            s->position = SMALL(slot);
            return s->limit > 0 && s->got >= s->limit ? SEARCH_LIMIT : SEARCH_TIME;
        }
        for (Object *o = table_slot(s->t, slot), *next; o != NULL; o = next) {
            next = o->next;
            if (!o->dead && !visit(s, o)) {
                return SEARCH_DONE;
            }
        }
        BUMP(s->p, slot % 8 == 0);
    }
    s->position = SMALL(-1);
    return s->limit > 0 && s->got >= s->limit ? SEARCH_LIMIT : SEARCH_DONE;
}

static Progress visit_tree(Search *s, bool like) {
    VM *vm = process_vm(s->p);
    term pattern = like ? key_pattern(s, 0) : NONE;
    /* A list without a limit is made from its end. */
    bool down = s->action == SEARCH_LIST && s->down == (s->limit > 0);
    TreeWalk w;
    if (s->position != NONE) {
        tree_walk(vm, s->t, &w, WALK_BEHIND, s->position, down);
    } else {
        tree_walk(vm, s->t, &w, like ? WALK_PATTERN : WALK_ALL, pattern, down);
    }
    Object *next;
    for (Object *o = tree_walk_next(&w); o != NULL; o = next) {
        if (like && match_compare_partly(vm, pattern, table_key(s->t, o)) != 0) {
            break;
        }
        next = tree_walk_next(&w);
        bool time = OUT_OF_TIME(s->p), last = time;
        if (s->limit > 0 && s->got + 1 >= s->limit) {
            last = true; /* its key may be where to go on */
        }
        term key = last ? term_copy(HEAP(s->p), table_key(s->t, o)) : NONE;
        intptr_t got = s->got;
        if ((last && key == NONE) || !visit(s, o)) {
            if (!s->failed) {
                search_fails(s, A_system_limit);
            }
            return SEARCH_DONE;
        }
        if (s->action == SEARCH_DELETE && s->got != got && next != NULL) {
            tree_walk(vm, s->t, &w, WALK_FROM, table_key(s->t, next), down);
            next = tree_walk_next(&w);
        }
        if (last) {
            s->position = key;
        }
        if (s->limit > 0 && s->got >= s->limit) {
            return SEARCH_LIMIT;
        }
        if (time) {
            return SEARCH_TIME;
        }
    }
    return SEARCH_DONE;
}

static term spec_ref(Search *s) {
    resource_keep(&s->m->resource);
    return heap_magic_ref(HEAP(s->p), &s->m->resource);
}

static term reversed(Heap *h, term list) {
    term result = NIL;
    for (; is_cons(list); list = tail(list)) {
        result = heap_cons(h, head(list), result);
    }
    return result;
}

/* The first `limit` of the list, which is newest first; what is over stays in s->list. */
static term take_limit(Search *s) {
    if (s->got <= s->limit) {
        term all = s->list;
        s->list = NIL, s->got = 0;
        return all;
    }
    intptr_t over = s->got - s->limit;
    term rest = NIL, list = s->list;
    for (intptr_t i = 0; i < over; i++, list = tail(list)) {
        rest = heap_cons(HEAP(s->p), head(list), rest);
    }
    s->list = s->again ? rest : reversed(HEAP(s->p), rest); /* as in OTP */
    s->got = over;
    return list;
}

static term chunk(Search *s, Progress progress) {
    Heap *h = HEAP(s->p);
    term table = table_ref(h, s->t), ref = spec_ref(s), limit = SMALL(s->limit);
    if (table_is_tree(s->t)) {
        term list = reversed(h, s->list);
        if (progress == SEARCH_DONE) {
            return list == NIL ? A_end_of_table : TUPLE2(h, list, A_end_of_table);
        }
        return TUPLE2(h, list, heap_tuple(h, 8, table, s->position, NIL, limit, ref, NIL, SMALL(s->down), SMALL(0)));
    }
    term list = take_limit(s), slot = progress == SEARCH_DONE ? SMALL(-1) : s->position;
    if (slot == SMALL(-1) && s->list == NIL) {
        return list == NIL ? A_end_of_table : TUPLE2(h, list, A_end_of_table);
    }
    return TUPLE2(h, list, heap_tuple(h, 6, table, slot, limit, ref, s->list, SMALL(s->got)));
}

static term search_later(Search *s) {
    if (!s->fixed && !table_fix(s->p, s->t)) {
        return raise_error(s->p, A_system_limit);
    }
    intptr_t mode = (intptr_t)s->action | s->down << 2 | s->again << 3 | s->found << 4 | s->limit << 5;
    return bif_trap(s->p, BIF_EXPORT(s->p, erts_internal, ets_search_more, 6), 6, table_ref(HEAP(s->p), s->t), spec_ref(s), SMALL(mode),
                    s->position, s->list, SMALL(s->got));
}

/* Frees some of what the search has deleted and nobody stands on. False: there is more. */
static bool free_deleted(Search *s) {
    enum { AT_ONCE = 4 * MAX_KEYS };
    s->found = true;
    for (bool all = false; !all && table_is_fixed_once(s->t); BUMP(s->p, AT_ONCE)) {
        if (OUT_OF_TIME(s->p)) {
            return false;
        }
        all = hash_purge_some(process_vm(s->p), s->t, AT_ONCE);
    }
    return true;
}

/* Runs the search until it is done, or has to stop; gives up its reference to the specification. */
static term search(Search *s) {
    /* Deleting must not rearrange the buckets that it walks through. */
    bool fixes = !s->fixed && s->action == SEARCH_DELETE && !table_is_tree(s->t) && table_fix(s->p, s->t);
    Progress progress = SEARCH_DONE;
    Keys keys = plan(s);
    if (s->found) {
        progress = SEARCH_DONE; /* only freeing is left */
    } else if (keys == KEYS_LISTED && s->position == NONE) {
        visit_listed(s);
    } else if (table_is_tree(s->t)) {
        progress = visit_tree(s, keys == KEYS_LIKE);
    } else {
        progress = visit_buckets(s);
    }
    if (s->fixed && !s->failed && s->action == SEARCH_DELETE && !table_is_tree(s->t) && progress == SEARCH_DONE && !free_deleted(s)) {
        progress = SEARCH_TIME;
    }
    term result = NONE;
    if (!s->failed) {
        result = progress == SEARCH_TIME    ? search_later(s)
                 : s->limit > 0             ? chunk(s, progress)
                 : s->action == SEARCH_LIST ? s->list
                                            : SMALL(s->got);
    }
    if (fixes) {
        table_unfix(process_vm(s->p), s->t, s->p->pid);
    }
    if (s->fixed && progress != SEARCH_TIME) {
        table_unfix(process_vm(s->p), s->t, s->p->pid);
    }
    resource_release(process_vm(s->p), &s->m->resource);
    return result;
}

/* Table, specification, mode, position, list, count: the fixation is handed on, too. */
BIF_REST(ets_search_more, 6, ets, select_trap, 1) {
    MatchSpec *m = match_spec_of(a[1]);
    bool alone = !is_small(a[2]) || changes((Action)(small_value(a[2]) & 3));
    Table *t = ets_table_for(p, a[0], ACCESS_INFO, alone ? USE_ALONE : USE_LOOK, NONE);
    if (t == NULL) {
        return NONE;
    }
    if (m == NULL || !is_small(a[2]) || !is_small(a[5]) || (!table_is_tree(t) && !is_small(a[3]))) {
        return raise_badarg(p);
    }
    resource_keep(&m->resource);
    intptr_t mode = small_value(a[2]);
    // clang-format off
    Search s = {.p = p, .t = t, .m = m, .action = (Action)(mode & 3), .down = mode >> 2 & 1, .again = mode >> 3 & 1, .found = mode >> 4 & 1, .limit = mode >> 5,
                .fixed = true, .position = a[3], .list = a[4], .got = small_value(a[5])};
    // clang-format on
    return search(&s);
}

static bool keeps_key(Process *p, const Table *t, term spec);

static term search_new(Process *p, term id, term spec, Action action, bool down, term limit) {
    Table *t = changes(action) ? ets_table(p, id, ACCESS_WRITE) : ets_table_shared(p, id);
    if (t == NULL) {
        return NONE;
    }
    if (action == SEARCH_REPLACE && t->type == TABLE_BAG) { /* what comes out equal would have to go */
        return raise_error_cause(p, A_badarg, A_table_type);
    }
    if (limit != NONE && (!is_small(limit) || small_value(limit) < 1)) {
        return raise_badarg(p);
    }
    term reason;
    MatchSpec *m = match_compile(process_vm(p), spec, &for_tables, &reason);
    if (m == NULL) {
        return raise_error(p, reason);
    }
    if (action == SEARCH_REPLACE && !keeps_key(p, t, m->spec->data[1])) {
        resource_release(process_vm(p), &m->resource);
        return raise_badarg(p);
    }
    BUMP(p, 1 + (intptr_t)(m->code_size / 8));
    Search s = {.p = p, .t = t, .m = m, .action = action, .down = down, .limit = limit == NONE ? 0 : small_value(limit), .list = NIL};
    return search(&s);
}

/* [{Pattern, [], [What]}] */
static term pattern_spec(Process *p, term pattern, term what) {
    Heap *h = HEAP(p);
    return heap_cons(h, TUPLE3(h, pattern, NIL, heap_cons(h, what, NIL)), NIL);
}

/* Goes on where a search with a limit has stopped. */
static term search_again(Process *p, term c) {
    if (c == A_end_of_table) {
        return c;
    }
    bool tree = is_tuple_of(c, 8);
    if (!tree && !is_tuple_of(c, 6)) {
        return raise_badarg(p);
    }
    MatchSpec *m = match_spec_of(element(c, tree ? 5 : 4));
    term limit = element(c, tree ? 4 : 3), got = element(c, tree ? 8 : 6), list = element(c, tree ? 6 : 5);
    if (m == NULL || !is_small(limit) || small_value(limit) < 1 || !is_small(got) || small_value(got) < 0 || !is_list(list)) {
        return raise_badarg(p);
    }
    Table *t = ets_table_shared(p, element(c, 1));
    if (t == NULL) {
        return NONE;
    }
    if (table_is_tree(t) != tree || (tree ? !is_small(element(c, 7)) : !is_small(element(c, 2)))) {
        return raise_badarg(p);
    }
    resource_keep(&m->resource);
    Search s = {
        .p = p, .t = t, .m = m, .action = SEARCH_LIST, .limit = small_value(limit), .position = element(c, 2), .list = NIL, .again = true};
    if (tree) {
        s.down = element(c, 7) == SMALL(1);
        return search(&s);
    }
    s.list = list, s.got = small_value(got);
    if (small_value(s.position) < 0 || s.got >= s.limit) { /* only what is over */
        term result = chunk(&s, small_value(s.position) < 0 ? SEARCH_DONE : SEARCH_LIMIT);
        resource_release(process_vm(p), &m->resource);
        return result;
    }
    return search(&s);
}

BIF(ets, select, 1) {
    return search_again(p, a[0]);
}
BIF(ets, select, 2) {
    return search_new(p, a[0], a[1], SEARCH_LIST, false, NONE);
}
BIF(ets, select, 3) {
    return search_new(p, a[0], a[1], SEARCH_LIST, false, a[2]);
}
BIF(ets, select_reverse, 1) {
    return search_again(p, a[0]);
}
BIF(ets, select_reverse, 2) {
    return search_new(p, a[0], a[1], SEARCH_LIST, true, NONE);
}
BIF(ets, select_reverse, 3) {
    return search_new(p, a[0], a[1], SEARCH_LIST, true, a[2]);
}
BIF(ets, match, 1) {
    return search_again(p, a[0]);
}
BIF(ets, match, 2) {
    return search_new(p, a[0], pattern_spec(p, a[1], A_dollar_dollar), SEARCH_LIST, false, NONE);
}
BIF(ets, match, 3) {
    return search_new(p, a[0], pattern_spec(p, a[1], A_dollar_dollar), SEARCH_LIST, false, a[2]);
}
BIF(ets, match_object, 1) {
    return search_again(p, a[0]);
}
BIF(ets, match_object, 2) {
    return search_new(p, a[0], pattern_spec(p, a[1], A_dollar_underscore), SEARCH_LIST, false, NONE);
}
BIF(ets, match_object, 3) {
    return search_new(p, a[0], pattern_spec(p, a[1], A_dollar_underscore), SEARCH_LIST, false, a[2]);
}
BIF(ets, select_count, 2) {
    return search_new(p, a[0], a[1], SEARCH_COUNT, false, NONE);
}
BIF(ets, internal_select_delete, 2) {
    return search_new(p, a[0], a[1], SEARCH_DELETE, false, NONE);
}
BIF(ets, select_replace, 2) {
    return search_new(p, a[0], a[1], SEARCH_REPLACE, false, NONE);
}

/* select_replace must not change keys, and a look at the specification must be enough to know that. */
static bool keeps_key(Process *p, const Table *t, term spec) {
    for (; is_cons(spec); spec = tail(spec)) {
        if (!match_keeps_key(process_vm(p), t->keypos, head(spec))) {
            return false;
        }
    }
    return true;
}

/* Compiled specifications. */

BIF(ets, match_spec_compile, 1) {
    term reason;
    MatchOptions o = for_tables;
    o.at_least_one = true;
    MatchSpec *m = match_compile(process_vm(p), a[0], &o, &reason);
    return m == NULL ? raise_error(p, reason) : heap_magic_ref(HEAP(p), &m->resource);
}

BIF(ets, is_compiled_ms, 1) {
    return match_spec_of(a[0]) != NULL ? A_true : A_false;
}

/* Values of what matches, on top of a list, the last one first. */
BIF(ets, match_spec_run_r, 3) {
    MatchSpec *m = match_spec_of(a[1]);
    if (m == NULL) {
        return raise_badarg(p);
    }
    term list = a[0], result = a[2];
    for (; is_cons(list); list = tail(list)) {
        if (OUT_OF_TIME(p)) {
            return bif_trap(p, BIF_EXPORT(p, ets, match_spec_run_r, 3), 3, list, a[1], result);
        }
        term value = match_run(m, p, head(list));
        BUMP(p, VISIT_REDUCTIONS);
        if (value != NONE) {
            result = heap_cons(HEAP(p), value, result);
        }
    }
    return list == NIL ? result : raise_badarg(p);
}

/* Walking by keys. */

static term key_of(Process *p, const Table *t, const Object *o) {
    term key = o == NULL ? A_end_of_table : term_copy(HEAP(p), table_key(t, o));
    return key == NONE ? raise_heap_reason(p) : key;
}

/* {Key, [Object]}, as lookup has it. */
static term key_and_objects(Process *p, const Table *t, const Object *o) {
    if (o == NULL) {
        return A_end_of_table;
    }
    term list = NIL, key = key_of(p, t, o);
    for (; o != NULL && key != NONE; o = table_next_same(process_vm(p), t, o)) {
        term copy = object_copy(HEAP(p), o);
        if (copy == NONE) {
            return raise_heap_reason(p);
        }
        list = heap_cons(HEAP(p), copy, list);
    }
    return key == NONE ? NONE : TUPLE2(HEAP(p), key, list);
}

typedef term Answer(Process *p, const Table *t, const Object *o);

static term outermost(Process *p, const term *a, bool last, Answer *answer) {
    VM *vm = process_vm(p);
    for (TableUse use = last ? USE_LAST : USE_FIRST;; use = USE_LOOK) {
        const Table *t = ets_table_for(p, a[0], ACCESS_READ, use, NONE);
        const Object *o = t == NULL ? NULL : last ? table_last(vm, t) : table_first(vm, t);
        if (t == NULL || o != NULL || !table_is_seen_in_part(vm, t)) {
            return t == NULL ? NONE : answer(p, t, o);
        }
        table_leave(p);
    }
}

static term neighbour(Process *p, const term *a, bool before, Answer *answer) {
    VM *vm = process_vm(p);
    for (TableUse use = USE_BESIDE;; use = USE_LOOK) {
        const Table *t = ets_table_for(p, a[0], ACCESS_READ, use, a[1]);
        if (t == NULL) {
            return NONE;
        }
        bool bad = table_is_tree(t) && a[1] == A_end_of_table;
        const Object *o = bad ? NULL : before ? table_before(vm, t, a[1], &bad) : table_after(vm, t, a[1], &bad);
        if (bad || o != NULL || !table_is_seen_in_part(vm, t)) {
            return bad ? raise_badarg(p) : answer(p, t, o);
        }
        table_leave(p);
    }
}

BIF(ets, first, 1) {
    return outermost(p, a, false, key_of);
}
BIF(ets, last, 1) {
    return outermost(p, a, true, key_of);
}
BIF(ets, next, 2) {
    return neighbour(p, a, false, key_of);
}
BIF(ets, prev, 2) {
    return neighbour(p, a, true, key_of);
}
BIF(ets, first_lookup, 1) {
    return outermost(p, a, false, key_and_objects);
}
BIF(ets, last_lookup, 1) {
    return outermost(p, a, true, key_and_objects);
}
BIF(ets, next_lookup, 2) {
    return neighbour(p, a, false, key_and_objects);
}
BIF(ets, prev_lookup, 2) {
    return neighbour(p, a, true, key_and_objects);
}
BIF(erts_internal, ets_raw_first, 1) {
    return outermost(p, a, false, key_of);
}
BIF(erts_internal, ets_raw_next, 2) {
    return neighbour(p, a, false, key_of);
}

BIF(ets, slot, 2) {
    const Table *t = ets_table_shared(p, a[0]);
    if (t == NULL) {
        return NONE;
    }
    if (!is_small(a[1]) || small_value(a[1]) < 0 || (size_t)small_value(a[1]) > table_slots(t)) {
        return raise_badarg(p);
    }
    size_t slot = (size_t)small_value(a[1]);
    if (slot == table_slots(t)) {
        return A_end_of_table;
    }
    term list = NIL;
    for (const Object *o = table_slot(t, slot); o != NULL; o = table_is_tree(t) ? NULL : o->next) {
        term copy = o->dead ? NIL : object_copy(HEAP(p), o);
        if (copy == NONE) {
            return raise_heap_reason(p);
        }
        list = o->dead ? list : heap_cons(HEAP(p), copy, list);
    }
    return list;
}
