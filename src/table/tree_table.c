/* Ordered sets: AVL trees, without recursion: a path from the root is never longer than MAX_HEIGHT. */
#include "table/ets.h"
#include "table/match_spec.h"
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

Object *tree_lookup(VM *vm, const Table *t, term key) {
    Object *o = t->tree.root;
    while (o != NULL) {
        int c = order(vm, t, key, o);
        if (c == 0) {
            break;
        }
        o = c < 0 ? o->left : o->right;
    }
    return o;
}

Object *tree_after(VM *vm, const Table *t, term key, bool or_same) {
    Object *o = t->tree.root, *best = NULL;
    while (o != NULL) {
        int c = key == NONE ? -1 : order(vm, t, key, o);
        if (c == 0 && or_same) {
            return o;
        }
        if (c < 0) {
            best = o;
            o = o->left;
        } else {
            o = o->right;
        }
    }
    return best;
}

Object *tree_before(VM *vm, const Table *t, term key, bool or_same) {
    Object *o = t->tree.root, *best = NULL;
    while (o != NULL) {
        int c = key == NONE ? 1 : order(vm, t, key, o);
        if (c == 0 && or_same) {
            return o;
        }
        if (c > 0) {
            best = o;
            o = o->right;
        } else {
            o = o->left;
        }
    }
    return best;
}

Object *tree_at(const Table *t, size_t i) {
    Object *path[MAX_HEIGHT];
    size_t depth = 0;
    Object *o = t->tree.root;
    for (;; o = o->right) {
        for (; o != NULL; o = o->left) {
            path[depth++] = o;
        }
        if (depth == 0) {
            return NULL;
        }
        o = path[--depth];
        if (i-- == 0) {
            return o;
        }
    }
}

void tree_walk(VM *vm, const Table *t, TreeWalk *w, WalkStart start, term key, bool down) {
    w->depth = 0;
    w->down = down;
    for (Object *o = t->tree.root; o != NULL;) {
        int c = start == WALK_ALL       ? (down ? 1 : -1)
                : start == WALK_PATTERN ? match_compare_partly(vm, key, table_key(t, o))
                                        : order(vm, t, key, o);
        bool waits = (down ? c > 0 : c < 0) || (c == 0 && start != WALK_BEHIND);
        if (waits) {
            w->path[w->depth++] = o;
        }
        o = waits == down ? o->right : o->left;
    }
}

Object *tree_walk_next(TreeWalk *w) {
    if (w->depth == 0) {
        return NULL;
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
    path->link[0] = &t->tree.root;
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
    table_counts(vm, t, object_bytes(with) - object_bytes(old));
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
    t->count++;
    table_counts(vm, t, object_bytes(o));
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
    t->count--;
    table_counts(vm, t, (size_t)0 - object_bytes(o));
    object_free(vm, o);
    return 1;
}
