/* Ordered sets: AVL trees, without recursion: a path from the root is never longer than MAX_HEIGHT. */
#include "proc/schedule.h"
#include "table/ets.h"
#include "table/match_spec.h"
#include "table/range.h"
#include "term/compare.h"

enum { MAX_HEIGHT = 96 }; /* enough for 2^64 objects */

#define left next /* of an object in a tree */

/* Turns the tree to the right until its root has nothing on the left, and takes that off. */
bool tree_free_some(VM *vm, Table *t, size_t *objects) {
    Object *o = t->tree.root;
    for (; o != NULL && *objects > 0; --*objects) {
        while (o->left != NULL) {
            Object *up = o->left;
            o->left = up->right;
            up->right = o;
            o = up;
        }
        Object *right = o->right;
        object_free(vm, o);
        o = right;
    }
    t->tree.root = o;
    return o == NULL;
}

static inline int order(VM *vm, const Table *t, term key, const Object *o) {
    return term_compare(vm, key, table_key(t, o));
}

/* Where the tree hangs that the key is in or belongs to. */
static inline Object **root_of(VM *vm, const Table *t, term key) {
    return LIKELY(LATEST(t->routes) == NULL) ? (Object **)&t->tree.root : &range_in_hand(vm, t, key)->root;
}

/* So many objects and bytes more, or less (modulo the word), in what the caller has locked. */
static inline void tally(VM *vm, Table *t, size_t objects, size_t bytes) {
    if (table_is_shared_by_key(vm, t)) {
        Stripe *r = vm_scheduler(vm)->stripe;
        r->count += objects, r->bytes += bytes;
    } else {
        t->count += objects, t->bytes += bytes;
    }
    if (UNLIKELY(t->account != NULL)) {
        table_tell_account(vm, t, bytes);
    }
}

Object *tree_lookup(VM *vm, const Table *t, term key) {
    Object *o = *root_of(vm, t, key);
    while (o != NULL) {
        int c = order(vm, t, key, o);
        if (c == 0) {
            break;
        }
        o = c < 0 ? o->left : o->right;
    }
    return o;
}

int walk_compare(VM *vm, WalkStart start, term key, bool down, term to) {
    return start == WALK_ALL ? (down ? 1 : -1) : start == WALK_PATTERN ? match_compare_partly(vm, key, to) : term_compare(vm, key, to);
}

static void walk_tree(VM *vm, TreeWalk *w, Object *o, WalkStart start, term key) {
    while (o != NULL) {
        int c = walk_compare(vm, start, key, w->down, table_key(w->t, o));
        bool waits = (w->down ? c > 0 : c < 0) || (c == 0 && start != WALK_BEHIND);
        if (waits) {
            w->path[w->depth++] = o;
        }
        o = waits == w->down ? o->right : o->left;
    }
}

/* If nothing waits: the first range from here on in which something does. */
static NOINLINE void walk_ranges(VM *vm, TreeWalk *w, WalkStart start, term key) {
    while (w->depth == 0 && w->range != NULL && (w->range = range_beside(w->t, w->range, w->down)) != NULL) {
        walk_tree(vm, w, w->range->root, start, key);
    }
}

void tree_walk(VM *vm, const Table *t, TreeWalk *w, WalkStart start, term key, bool down) {
    w->t = t, w->depth = 0, w->down = down;
    w->range = LIKELY(LATEST(t->routes) == NULL) ? NULL : range_find(vm, t, start, key, down);
    walk_tree(vm, w, w->range == NULL ? t->tree.root : w->range->root, start, key);
    walk_ranges(vm, w, start, key);
}

/* The object before or behind a key, as far as the caller has locked ranges. */
static COLD Object *beside(VM *vm, const Table *t, term key, bool down) {
    TreeWalk w;
    w.t = t, w.range = NULL, w.depth = 0, w.down = down;
    WalkStart start = key == NONE ? WALK_ALL : WALK_BEHIND;
    if (table_is_shared_by_key(vm, t)) {
        walk_tree(vm, &w, vm_scheduler(vm)->stripe->root, start, key);
    } else {
        tree_walk(vm, t, &w, start, key, down);
    }
    return w.depth == 0 ? NULL : w.path[w.depth - 1];
}

Object *tree_after(VM *vm, const Table *t, term key) {
    if (UNLIKELY(LATEST(t->routes) != NULL)) {
        return beside(vm, t, key, false);
    }
    Object *o = t->tree.root, *best = NULL;
    while (o != NULL) {
        if (key == NONE || order(vm, t, key, o) < 0) {
            best = o;
            o = o->left;
        } else {
            o = o->right;
        }
    }
    return best;
}

Object *tree_before(VM *vm, const Table *t, term key) {
    if (UNLIKELY(LATEST(t->routes) != NULL)) {
        return beside(vm, t, key, true);
    }
    Object *o = t->tree.root, *best = NULL;
    while (o != NULL) {
        if (key == NONE || order(vm, t, key, o) > 0) {
            best = o;
            o = o->right;
        } else {
            o = o->left;
        }
    }
    return best;
}

Object *tree_at(const Table *t, size_t i) {
    TreeWalk w;
    tree_walk(NULL, t, &w, WALK_ALL, NONE, false);
    while (i-- > 0) {
        tree_walk_next(&w);
    }
    return tree_walk_next(&w);
}

Object *tree_walk_next(TreeWalk *w) {
    if (w->depth == 0) {
        walk_ranges(NULL, w, WALK_ALL, NONE);
        if (w->depth == 0) {
            return NULL;
        }
    }
    Object *o = w->path[--w->depth];
    for (Object *next = w->down ? o->left : o->right; next != NULL; next = w->down ? next->right : next->left) {
        w->path[w->depth++] = next;
    }
    return o;
}

/* The path from the root to where a key is or belongs: the links that lead down, and which way each goes on. */
typedef struct {
    Object **link[MAX_HEIGHT];
    int8_t way[MAX_HEIGHT]; /* -1: to the left, 1: to the right */
    size_t depth;           /* *link[depth] is the object, or NULL */
} Path;

static void find(VM *vm, Table *t, term key, Path *path) {
    size_t d = 0;
    path->link[0] = root_of(vm, t, key);
    for (Object *o; (o = *path->link[d]) != NULL; d++) {
        int c = order(vm, t, key, o);
        if (c == 0) {
            break;
        }
        path->way[d] = c < 0 ? -1 : 1;
        path->link[d + 1] = c < 0 ? &o->left : &o->right;
    }
    path->depth = d;
}

static Object *rotate_left(Object *o) {
    Object *up = o->right;
    o->right = up->left;
    up->left = o;
    o->balance = (int8_t)(o->balance - 1 - MAX(up->balance, 0));
    up->balance = (int8_t)(up->balance - 1 + MIN(o->balance, 0));
    return up;
}

static Object *rotate_right(Object *o) {
    Object *up = o->left;
    o->left = up->right;
    up->right = o;
    o->balance = (int8_t)(o->balance + 1 - MIN(up->balance, 0));
    up->balance = (int8_t)(up->balance + 1 + MAX(o->balance, 0));
    return up;
}

static Object *rebalance(Object *o) {
    if (o->balance > 1) {
        if (o->right->balance < 0) {
            o->right = rotate_right(o->right);
        }
        return rotate_left(o);
    }
    if (o->balance < -1) {
        if (o->left->balance > 0) {
            o->left = rotate_left(o->left);
        }
        return rotate_right(o);
    }
    return o;
}

/* The subtree below link[depth] has grown (by 1) or shrunk (by -1). */
static void adjust(Path *path, int by) {
    for (size_t d = path->depth; d-- > 0;) {
        Object *o = *path->link[d];
        int before = o->balance;
        o->balance = (int8_t)(before + by * path->way[d]);
        o = *path->link[d] = rebalance(o);
        /* Grown: goes on as long as a balanced object leans. Shrunk: as long as one that leant is balanced. */
        if (by > 0 ? o->balance == 0 : o->balance != 0) {
            return;
        }
    }
}

static void put_in_place(VM *vm, Table *t, Object **link, Object *with) {
    Object *old = *link;
    with->left = old->left, with->right = old->right, with->balance = old->balance;
    *link = with;
    tally(vm, t, 0, object_bytes(with) - object_bytes(old));
    object_free(vm, old);
}

PutResult tree_put(VM *vm, Table *t, Object *o, bool only_new) {
    Path path;
    find(vm, t, table_key(t, o), &path);
    Object **link = path.link[path.depth];
    if (*link != NULL) {
        if (only_new) {
            object_free(vm, o);
            return PUT_EXISTS;
        }
        put_in_place(vm, t, link, o);
        return PUT_DONE;
    }
    o->left = o->right = NULL, o->balance = 0;
    *link = o;
    tally(vm, t, 1, object_bytes(o));
    adjust(&path, 1);
    return PUT_DONE;
}

void tree_replace(VM *vm, Table *t, Object *old, Object *with) {
    Path path;
    find(vm, t, table_key(t, old), &path);
    assert(*path.link[path.depth] == old);
    put_in_place(vm, t, path.link[path.depth], with);
}

size_t tree_delete_key(VM *vm, Table *t, term key) {
    Path path;
    find(vm, t, key, &path);
    Object **link = path.link[path.depth], *o = *link;
    if (o == NULL) {
        return 0;
    }
    if (o->left != NULL && o->right != NULL) { /* the one before it takes its place */
        size_t place = path.depth;
        path.way[path.depth] = -1;
        path.link[++path.depth] = &o->left;
        Object *heir = o->left;
        while (heir->right != NULL) {
            path.way[path.depth] = 1;
            path.link[++path.depth] = &heir->right;
            heir = heir->right;
        }
        *path.link[path.depth] = heir->left;
        heir->left = o->left, heir->right = o->right, heir->balance = o->balance;
        *link = heir;
        path.link[place + 1] = &heir->left;
    } else {
        *link = o->left != NULL ? o->left : o->right;
    }
    adjust(&path, -1);
    tally(vm, t, (size_t)0 - 1, (size_t)0 - object_bytes(o));
    object_free(vm, o);
    return 1;
}

/* Trees as a whole. */

static COLD int height(const Object *o) {
    int h = 0;
    for (; o != NULL; o = o->balance < 0 ? o->left : o->right) {
        h++;
    }
    return h;
}

/* Goes on to the outermost link of one side. */
static COLD void go_outwards(Path *path, bool right) {
    Object *o = *path->link[path->depth];
    path->way[path->depth] = right ? 1 : -1;
    path->link[++path->depth] = right ? &o->right : &o->left;
}

/* An object without children, or none, goes where the path ends: the least of its tree. */
static COLD void put_first(Object **root, Object *o) {
    Path path;
    path.link[0] = root, path.depth = 0;
    while (*path.link[path.depth] != NULL) {
        go_outwards(&path, false);
    }
    *path.link[path.depth] = o;
    adjust(&path, 1);
}

static COLD Object *take_first(Object **root) {
    Path path;
    path.link[0] = root, path.depth = 0;
    Object *o = *root;
    for (; o->left != NULL; o = o->left) {
        go_outwards(&path, false);
    }
    *path.link[path.depth] = o->right;
    adjust(&path, -1);
    return o;
}

COLD Object *tree_cut(Object **root) {
    Object *o = *root, *greater = o->right;
    o->right = NULL, o->balance = 0;
    if (o->left != NULL) {
        *root = o->left;
        o->left = NULL;
        put_first(&greater, o);
    }
    return greater;
}

/* The least of b goes to the outer edge of the higher of both, where what is below is as high as the other one, and takes both. */
COLD Object *tree_join(Object *a, Object *b) {
    if (a == NULL || b == NULL) {
        return a == NULL ? b : a;
    }
    Object *middle = take_first(&b);
    int ha = height(a), hb = height(b);
    bool right = ha >= hb;
    int h = right ? ha : hb, other = right ? hb : ha;
    Object *root = right ? a : b;
    Path path;
    path.link[0] = &root, path.depth = 0;
    while (h > other + 1) {
        int8_t balance = (*path.link[path.depth])->balance;
        h -= (right ? balance < 0 : balance > 0) ? 2 : 1;
        go_outwards(&path, right);
    }
    Object **link = path.link[path.depth];
    middle->left = right ? *link : a, middle->right = right ? b : *link;
    middle->balance = (int8_t)(right ? other - h : h - other);
    *link = middle;
    adjust(&path, 1);
    return root;
}
