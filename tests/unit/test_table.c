/* table/: objects, both kinds of tables against an array, match specifications, persistent terms. */
#include "unit.h"

#include "data/map.h"
#include "proc/schedule.h"
#include "table/ets.h"
#include "table/match_spec.h"
#include "table/persistent.h"
#include "term/atom.h"
#include "term/compare.h"
#include "term/copy.h"

static VM vm;
static Heap h;
static Process owner; /* never scheduled: only somebody to own things */

static void begin(void) {
    memset(&vm, 0, sizeof vm);
    mem_init(&vm.mem);
    CHECK(terms_init(&vm) && processes_init(&vm, 0, 0) && tables_init(&vm));
    heap_init_detached(&h, &vm);
    memset(&owner, 0, sizeof owner);
    heap_init_detached(&owner.heap, &vm);
    owner.pid = make_pid(1);
    owner.scheduler = vm_scheduler(&vm);
}

static void end(void) {
    heap_done(&h);
    heap_done(&owner.heap);
    tables_done(&vm);
    processes_done(&vm);
    terms_done(&vm);
    CHECK(mem_total(&vm.mem) == 0);
}

static Table *make(TableType type) {
    /* The owner is in no process table: no bookkeeping for its end. */
    Table *t = MEM_NEW(&vm.mem, MEM_ETS, Table);
    t->type = type, t->keypos = 1;
    if (type != TABLE_ORDERED_SET) {
        CHECK(hash_init(&vm, t));
    }
    return t;
}

static void unmake(Table *t) {
    size_t all = SIZE_MAX;
    CHECK(table_is_tree(t) ? tree_free_some(&vm, t, &all) : hash_free_some(&vm, t, &all));
    MEM_DELETE(&vm.mem, MEM_ETS, t);
}

static bool put(Table *t, intptr_t key, intptr_t value, bool only_new) {
    term tuple[] = {HEADER(2, KIND_TUPLE), SMALL(key), SMALL(value)};
    return table_put(&vm, t, object_new(&vm, make_boxed(tuple)), only_new) == PUT_DONE;
}

static intptr_t get(const Table *t, intptr_t key) { /* -1: nothing */
    const Object *o = table_lookup(&vm, t, SMALL(key));
    return o == NULL ? -1 : small_value(o->data[2]);
}

static int height(const Object *o) { /* -1: out of balance or order */
    if (o == NULL) {
        return 0;
    }
    int l = height(o->next), r = height(o->right);
    return l < 0 || r < 0 || r - l != o->balance || o->balance < -1 || o->balance > 1 ? -1000000 : 1 + MAX(l, r);
}

static void against_array(TableType type) {
    enum { KEYS = 3000 };
    static intptr_t model[KEYS];
    uint64_t seed = 7;
    Table *t = make(type);
    size_t count = 0;
    for (int i = 0; i < KEYS; i++) {
        model[i] = -1;
    }
    for (int i = 0; i < 40000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        intptr_t key = (intptr_t)(seed >> 33) % KEYS;
        bool removes = (seed >> 60) < (i / 10000 % 2 == 0 ? 4 : 11);
        if (removes) {
            CHECK(table_delete_key(&vm, t, SMALL(key)) == (model[key] >= 0));
            count -= model[key] >= 0;
            model[key] = -1;
        } else {
            bool only_new = (seed >> 59) & 1;
            CHECK(put(t, key, i, only_new) == (!only_new || model[key] < 0));
            if (!only_new || model[key] < 0) {
                count += model[key] < 0;
                model[key] = i;
            }
        }
        CHECK(t->count == count && get(t, key) == model[key]);
    }
    if (type == TABLE_ORDERED_SET) {
        CHECK(height(t->tree.root) > 0);
    }
    size_t seen = 0;
    intptr_t last = -1;
    bool bad;
    for (Object *o = table_first(&vm, t); o != NULL; o = table_after(&vm, t, o->data[1], &bad)) {
        intptr_t key = small_value(o->data[1]);
        CHECK(model[key] == small_value(o->data[2]) && (type != TABLE_ORDERED_SET || key > last));
        last = key;
        seen++;
    }
    CHECK(seen == count);
    unmake(t);
}

TEST(table_set) {
    begin();
    against_array(TABLE_SET);
    end();
}

TEST(table_ordered_set) {
    begin();
    against_array(TABLE_ORDERED_SET);
    Table *t = make(TABLE_ORDERED_SET);
    for (int i = 0; i < 100; i++) {
        put(t, i * 10, i, false);
    }
    bool bad;
    CHECK(small_value(table_after(&vm, t, SMALL(55), &bad)->data[1]) == 60 && !bad);
    CHECK(small_value(table_before(&vm, t, SMALL(55), &bad)->data[1]) == 50);
    CHECK(table_after(&vm, t, SMALL(990), &bad) == NULL && small_value(table_last(&vm, t)->data[1]) == 990);
    CHECK(small_value(table_slot(t, 7)->data[1]) == 70);
    CHECK(table_lookup(&vm, t, heap_float(&h, 10.0)) != NULL);
    unmake(t);
    end();
}

TEST(table_trees_cut_and_joined) {
    begin();
    for (int n = 2; n < 2000; n += 1 + n / 4) {
        Table *t = make(TABLE_ORDERED_SET);
        for (int i = 0; i < n; i++) {
            put(t, i * 7919 % n, i, true);
        }
        size_t count = t->count;
        Object *parts[64], **root = &t->tree.root;
        int k = 0;
        while ((*root)->next != NULL || (*root)->right != NULL) {
            parts[k++] = tree_cut(root);
            CHECK(height(*root) > 0 && height(parts[k - 1]) > 0);
        }
        if (n % 2 == 0) { /* from the low end: high ones come to a low one last; or from the other, which is the mirror image */
            while (k > 0) {
                *root = tree_join(*root, parts[--k]);
                CHECK(height(*root) > 0);
            }
        } else {
            Object *high = NULL;
            for (int i = 0; i < k; i++) {
                high = tree_join(parts[i], high);
                CHECK(height(high) > 0);
            }
            *root = tree_join(*root, high);
            CHECK(height(*root) > 0);
        }
        size_t seen = 0;
        bool bad;
        for (Object *o = table_first(&vm, t); o != NULL; o = table_after(&vm, t, o->data[1], &bad)) {
            seen++;
        }
        CHECK(seen == count);
        unmake(t);
    }
    end();
}

TEST(table_bags) {
    begin();
    Table *bag = make(TABLE_BAG), *duplicates = make(TABLE_DUPLICATE_BAG);
    for (int i = 0; i < 10; i++) {
        put(bag, 1, i % 3, false);
        put(duplicates, 1, i % 3, false);
        put(bag, 2, i, false);
    }
    CHECK(bag->count == 13 && duplicates->count == 10);
    size_t n = 0;
    for (const Object *o = table_lookup(&vm, bag, SMALL(1)); o != NULL; o = table_next_same(&vm, bag, o)) {
        CHECK(small_value(o->data[2]) == 2 - (intptr_t)n++); /* newest first */
    }
    CHECK(n == 3);
    CHECK(table_delete_object(&vm, duplicates, TUPLE2(&h, SMALL(1), SMALL(0))) == 4 && duplicates->count == 6);
    CHECK(table_delete_key(&vm, bag, SMALL(1)) == 3 && bag->count == 10);
    unmake(bag);
    unmake(duplicates);
    end();
}

TEST(table_fixed) {
    begin();
    Table *t = make(TABLE_SET);
    for (int i = 0; i < 1000; i++) {
        put(t, i, i, false);
    }
    Fixer f = {NULL, owner.pid, 1};
    t->fixers = &f;
    bool bad;
    int seen = 0;
    for (Object *o = table_first(&vm, t), *next; o != NULL; o = next) {
        term key = o->data[1];
        table_delete_key(&vm, t, key); /* what is deleted can still be stood on */
        next = table_after(&vm, t, key, &bad);
        CHECK(!bad && get(t, small_value(key)) == -1);
        seen++;
    }
    CHECK(seen == 1000 && t->count == 0 && table_first(&vm, t) == NULL);
    put(t, 5, 55, false);
    CHECK(get(t, 5) == 55 && t->count == 1);
    t->fixers = NULL;
    hash_purge(&vm, t);
    CHECK(get(t, 5) == 55 && get(t, 6) == -1);
    unmake(t);
    end();
}

static term not_guard(Process *p, const term *a) {
    return a[0] == A_true ? A_false : a[0] == A_false ? A_true : NONE;
}
static term hd_guard(Process *p, const term *a) {
    return is_cons(a[0]) ? head(a[0]) : NONE;
}
static GuardFunction *lookup(VM *v, term name, size_t arity) {
    return arity != 1 ? NULL : name == A_not ? not_guard : name == A_hd ? hd_guard : NULL;
}
static const MatchOptions options = {.lookup = lookup};

static term var(const char *name) {
    return atom_from(&vm, name);
}
static term list1(term t) {
    return heap_cons(&h, t, NIL);
}
static term run_clause(term pattern, term guards, term body, term subject) {
    term reason;
    MatchSpec *m = match_compile(&vm, list1(TUPLE3(&h, pattern, guards, list1(body))), &options, &reason);
    if (m == NULL) {
        return NONE;
    }
    Object *o = object_new(&vm, subject);
    term result = match_run_object(m, &owner, o, false);
    object_free(&vm, o);
    resource_release(&vm, &m->resource);
    return result;
}

TEST(match_specs) {
    begin();
    term v1 = var("$1"), v2 = var("$2"), any = A_underscore, all = A_dollar_underscore, bound = A_dollar_dollar;
    term text = heap_latin1_list(&h, "text", 4), three = TUPLE3(&h, A_true, text, SMALL(3));
    CHECK(term_same(&vm, run_clause(any, NIL, all, three), three));
    CHECK(term_same(&vm, run_clause(TUPLE3(&h, v2, v1, any), NIL, bound, three), heap_cons(&h, text, list1(A_true))));
    CHECK(run_clause(TUPLE3(&h, v1, v1, any), NIL, all, three) == NONE);
    CHECK(run_clause(TUPLE3(&h, v1, any, any), list1(TUPLE2(&h, A_not, v1)), all, three) == NONE);
    CHECK(run_clause(TUPLE3(&h, v1, any, any), list1(v1), A_ok, three) == A_ok);
    CHECK(run_clause(TUPLE3(&h, any, heap_cons(&h, v1, v2), any), NIL, v1, three) == SMALL('t'));
    CHECK(term_same(&vm, run_clause(TUPLE3(&h, any, heap_cons(&h, v1, v2), any), NIL, v2, three), tail(text)));
    CHECK(run_clause(TUPLE3(&h, any, v1, any), NIL, TUPLE2(&h, A_hd, v1), three) == SMALL('t'));
    CHECK(run_clause(TUPLE3(&h, v1, any, any), NIL, TUPLE2(&h, A_hd, v1), three) == A_EXIT);
    CHECK(run_clause(TUPLE3(&h, v1, any, any), NIL, TUPLE2(&h, A_const, v1), three) == v1);
    CHECK(run_clause(TUPLE3(&h, any, v1, any), NIL, TUPLE2(&h, A_length, v1), three) == SMALL(4));
    term made = run_clause(TUPLE3(&h, any, v1, v2), NIL, list1(heap_tuple(&h, 1, TUPLE2(&h, v2, v1))), three);
    CHECK(term_same(&vm, made, list1(TUPLE2(&h, SMALL(3), text))));
    CHECK(run_clause(TUPLE3(&h, v1, any, any), NIL, TUPLE3(&h, A_andalso, v1, A_false), three) == A_false);
    CHECK(run_clause(TUPLE3(&h, v1, any, any), NIL, TUPLE3(&h, A_or, v1, A_false), three) == A_true);
    CHECK(run_clause(TUPLE3(&h, v1, any, any), NIL, TUPLE3(&h, A_and, v1, A_ok), three) == A_EXIT);

    const term pair[] = {A_ok, v1}, pairs[] = {A_ok, SMALL(1), A_true, SMALL(2)};
    term map = map_from_pairs(&h, pairs, 2);
    CHECK(run_clause(heap_tuple(&h, 1, map_from_pairs(&h, pair, 1)), NIL, v1, heap_tuple(&h, 1, map)) == SMALL(1));

    /* What is refused. */
    CHECK(run_clause(any, NIL, v1, three) == NONE && run_clause(any, NIL, TUPLE2(&h, SMALL(1), SMALL(2)), three) == NONE);
    CHECK(run_clause(any, NIL, TUPLE2(&h, A_ok, SMALL(2)), three) == NONE && run_clause(any, A_ok, A_ok, three) == NONE);
    term reason, deep = A_ok;
    CHECK(match_compile(&vm, A_ok, &options, &reason) == NULL && reason == A_badarg);
    for (int i = 0; i < 100000; i++) {
        deep = TUPLE2(&h, A_not, deep);
    }
    CHECK(match_compile(&vm, list1(TUPLE3(&h, any, NIL, list1(deep))), &options, &reason) == NULL && reason == A_system_limit);

    term partly = TUPLE3(&h, SMALL(1), v1, SMALL(3));
    CHECK(match_compare_partly(&vm, partly, TUPLE3(&h, SMALL(2), NIL, NIL)) < 0);
    CHECK(match_compare_partly(&vm, partly, TUPLE3(&h, SMALL(1), NIL, NIL)) == 0);
    CHECK(match_compare_partly(&vm, partly, TUPLE2(&h, SMALL(1), NIL)) > 0 && match_compare_partly(&vm, partly, A_ok) > 0);
    end();
}

TEST(persistent_terms) {
    begin();
    size_t words;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 500; i++) {
            CHECK(persistent_put(&vm, TUPLE2(&h, A_ok, SMALL(i)), heap_cons(&h, SMALL(i + round), NIL), &words));
        }
    }
    CHECK(persistent_count(&vm) == 500);
    for (int i = 0; i < 500; i += 2) {
        CHECK(persistent_erase(&vm, TUPLE2(&h, A_ok, SMALL(i))) && !persistent_erase(&vm, TUPLE2(&h, A_ok, SMALL(i))));
    }
    for (int i = 0; i < 500; i++) {
        term t = persistent_get(&vm, TUPLE2(&h, A_ok, SMALL(i)));
        CHECK(i % 2 == 0 ? t == NONE : head(t) == SMALL(i + 2));
    }
    CHECK(literal_retired_words(&vm) > 0 && persistent_put(&vm, A_ok, A_ok, &words) && persistent_get(&vm, A_ok) == A_ok);
    end();
}
