/* Merging maps. Two tries are merged node by node; what has been begun stands on a stack of frames, so that the work can be left
   between two children and taken up again. */
#include "data/map_merge.h"

#include "term/compare.h"

static term merge_flat(Heap *h, term a, term b) {
    size_t na = map_size(a), nb = map_size(b), n = 0, i = 0, j = 0;
    const term *ka = map_flat_keys(a), *kb = map_flat_keys(b), *va = map_flat_values(a), *vb = map_flat_values(b);
    term pairs[2 * 2 * MAP_FLAT_MAX];
    bool all_of_a = true; /* the other one has nothing that it has not, word for word */
    for (; i < na || j < nb; n++) {
        int order = i == na ? 1 : j == nb ? -1 : ka[i] == kb[j] ? 0 : term_compare_exact(h->vm, ka[i], kb[j]);
        pairs[2 * n] = order < 0 ? ka[i] : kb[j];
        pairs[2 * n + 1] = order < 0 ? va[i] : vb[j];
        all_of_a = all_of_a && (order < 0 || (order == 0 && va[i] == vb[j]));
        i += order <= 0, j += order >= 0;
    }
    if (n == nb || all_of_a) {
        return n == nb ? b : a;
    }
    if (n > MAP_FLAT_MAX) {
        return map_from_pairs(h, pairs, n);
    }
    bool share = n == na;
    term *p = heap_alloc(h, share ? 2 + n : 3 + 2 * n);
    p[0] = HEADER(1 + n, KIND_MAP);
    p[1] = share ? boxed(a)[1] : make_boxed(p + 2 + n);
    for (i = 0; i < n; i++) {
        p[2 + i] = pairs[2 * i + 1];
    }
    if (!share) {
        p[2 + n] = HEADER(n, KIND_TUPLE);
        for (i = 0; i < n; i++) {
            p[3 + n + i] = pairs[2 * i];
        }
    }
    return make_boxed(p);
}

/* What stands below some place in a trie, as a node has it: a leaf is a node with one child. */
typedef struct {
    unsigned bitmap;
    size_t count;
    const term *children;
} Side;

static Side side_of(VM *vm, const term *t, unsigned level) {
    Side s;
    if (is_cons(*t)) {
        s.bitmap = level == MAP_LEVELS ? 0 : 1u << (map_hash(vm, head(*t), level / 8) >> 4 * (level % 8) & 15);
        s.children = t, s.count = 1;
    } else {
        s.children = map_children(*t, &s.count);
        s.bitmap = (unsigned)small_value(s.children[-1]);
    }
    return s;
}

static size_t count_leaves(term t) {
    if (is_cons(t)) {
        return 1;
    }
    MapWalk w;
    size_t n = 0;
    map_walk(&w, t);
    while (map_next(&w)) {
        n++;
    }
    return n;
}

static term merge_collisions(Heap *h, term a, term b, size_t *duplicates) {
    Side sa = side_of(h->vm, &a, MAP_LEVELS), sb = side_of(h->vm, &b, MAP_LEVELS);
    term *p = heap_alloc(h, 2 + sa.count + sb.count);
    if (p == NULL) {
        return heap_no_memory(h);
    }
    size_t n = 0, i = 0, j = 0;
    for (; i < sa.count || j < sb.count; n++) {
        int order = i == sa.count ? 1 : j == sb.count ? -1 : term_compare_exact(h->vm, head(sa.children[i]), head(sb.children[j]));
        p[2 + n] = order < 0 ? sa.children[i] : sb.children[j];
        *duplicates += order == 0;
        i += order <= 0, j += order >= 0;
    }
    p[0] = HEADER(1 + n, KIND_HASH_NODE);
    p[1] = SMALL(0);
    return make_boxed(p);
}

enum { STEPS_PER_REDUCTION = 8 };

/* Two nodes at the same place are being merged: the roots, or children of the two nodes of the frame above. */
typedef struct {
    term a, b;
    Side side_a, side_b;
    uint16_t left;   /* bits of children still to come */
    bool as_a, as_b; /* so far, what comes out is the children of a, of b */
    uint8_t count;
    term children[16];
} MergeFrame;

typedef struct {
    Heap *h;
    size_t depth; /* of frames; the level of the next one */
    size_t duplicates;
    MergeFrame frames[MAP_LEVELS];
} Merge;

static void push_frame(Merge *m, term a, term b) {
    MergeFrame *f = &m->frames[m->depth];
    f->a = a, f->b = b;
    f->side_a = side_of(m->h->vm, &f->a, (unsigned)m->depth);
    f->side_b = side_of(m->h->vm, &f->b, (unsigned)m->depth);
    f->left = (uint16_t)(f->side_a.bitmap | f->side_b.bitmap);
    f->as_a = !is_cons(a), f->as_b = !is_cons(b);
    f->count = 0;
    m->depth++;
}

/* The child of a node for this bit; NONE: it has none. */
static term child_of(const Side *s, unsigned bit) {
    return s->bitmap & bit ? s->children[__builtin_popcount(s->bitmap & (bit - 1))] : NONE;
}

static void add_child(MergeFrame *f, unsigned bit, term child) {
    f->as_a &= child == child_of(&f->side_a, bit), f->as_b &= child == child_of(&f->side_b, bit);
    f->children[f->count++] = child;
    f->left = (uint16_t)(f->left & ~bit);
}

/* The node that has all children of a frame. */
static term merged_node(Merge *m, const MergeFrame *f, bool root) {
    if (f->as_a || f->as_b) {
        return f->as_a ? f->a : f->b;
    }
    size_t head_words = root ? 3 : 2;
    term *p = heap_alloc(m->h, head_words + f->count);
    p[0] = HEADER(head_words - 1 + f->count, root ? KIND_HASH_MAP : KIND_HASH_NODE);
    p[head_words - 1] = SMALL(f->side_a.bitmap | f->side_b.bitmap);
    memcpy(p + head_words, f->children, f->count * sizeof(term));
    if (root) {
        p[1] = SMALL(map_size(f->a) + map_size(f->b) - m->duplicates);
    }
    return make_boxed(p);
}

/* What two children at one place become if that needs no frame of its own: NONE if it does; NONE and m->h->reason set: failed. */
static term merge_simply(Merge *m, term a, term b) {
    if (a == NONE || b == NONE) {
        return a == NONE ? b : a;
    }
    if (a == b) {
        m->duplicates += count_leaves(a);
        return b;
    }
    if (is_cons(a) && is_cons(b) && term_same(m->h->vm, head(a), head(b))) {
        m->duplicates++;
        return b;
    }
    return NONE;
}

/* Goes on until all is done, or `limit` reductions are used up. The map, or NONE: to be gone on with (*failed: no memory). */
static term merge_some(Merge *m, size_t limit, bool *failed) {
    *failed = false;
    limit *= STEPS_PER_REDUCTION;
    for (;;) {
        MergeFrame *f = &m->frames[m->depth - 1];
        if (f->left == 0) {
            term node = merged_node(m, f, m->depth == 1);
            if (--m->depth == 0) {
                return node;
            }
            f--;
            add_child(f, f->left & -(unsigned)f->left, node);
            continue;
        }
        if (limit-- == 0) {
            return NONE;
        }
        m->h->reds -= limit % STEPS_PER_REDUCTION == 0;
        unsigned bit = f->left & -(unsigned)f->left;
        term a = child_of(&f->side_a, bit), b = child_of(&f->side_b, bit), c = merge_simply(m, a, b);
        if (c == NONE && m->depth == MAP_LEVELS) {
            c = merge_collisions(m->h, a, b, &m->duplicates);
            if (c == NONE) {
                *failed = true;
                return NONE;
            }
        }
        if (c != NONE) {
            add_child(f, bit, c);
        } else {
            push_frame(m, a, b);
        }
    }
}

/* [{A, B, Left, Children} ... | Duplicates], the innermost frame first. */
static term save(const Merge *m) {
    term list = SMALL(m->duplicates);
    for (size_t i = 0; i < m->depth; i++) {
        const MergeFrame *f = &m->frames[i];
        term frame = TUPLE4(m->h, f->a, f->b, SMALL(f->left), heap_list(m->h, f->children, f->count, NIL));
        list = heap_cons(m->h, frame, list);
    }
    return list;
}

static void restore(Merge *m, term list) {
    term frames[MAP_LEVELS];
    size_t n = 0;
    for (; is_cons(list); list = tail(list)) {
        frames[n++] = head(list);
    }
    m->depth = 0;
    m->duplicates = (size_t)small_value(list);
    while (n-- > 0) {
        MergeFrame *f = &m->frames[m->depth];
        push_frame(m, element(frames[n], 1), element(frames[n], 2));
        unsigned left = (unsigned)small_value(element(frames[n], 3));
        for (term l = element(frames[n], 4); is_cons(l); l = tail(l)) {
            add_child(f, f->left & -(unsigned)f->left, head(l));
        }
        assert(f->left == left);
        (void)left;
    }
}

static term merge_flat_and_large(Heap *h, term a, term b) {
    bool flat_a = is_flat_map(a);
    MapWalk w;
    term map = flat_a ? b : a;
    for (map_walk(&w, flat_a ? a : b); map != NONE && map_next(&w);) {
        if (!flat_a || !map_has(h->vm, b, w.key)) {
            map = map_put(h, map, w.key, w.value);
        }
    }
    return map;
}

term map_merge_some(Heap *h, term a, term b, term *state, size_t limit) {
    if (*state == NONE) {
        bool flat_a = is_flat_map(a), flat_b = is_flat_map(b);
        if (flat_a || flat_b) {
            return flat_a && flat_b ? merge_flat(h, a, b) : merge_flat_and_large(h, a, b);
        }
        if (a == b) {
            return b;
        }
    }
    Merge m;
    m.h = h;
    if (*state == NONE) {
        m.depth = m.duplicates = 0;
        push_frame(&m, a, b);
    } else {
        restore(&m, *state);
    }
    bool failed;
    term map = merge_some(&m, limit, &failed);
    *state = map == NONE && !failed ? save(&m) : NONE;
    return map;
}

term map_merge(Heap *h, term a, term b) {
    term state = NONE;
    return a == NONE || b == NONE ? NONE /* the reason is in the heap */ : map_merge_some(h, a, b, &state, SIZE_MAX / STEPS_PER_REDUCTION);
}
