/* The tree of a process's relations: a treap whose priorities are hashes of the keys, so that it needs no room for balance
   and no recursion. */
#include "proc/relation.h"

#include "proc/quota.h"
#include "proc/schedule.h"
#include "term/atom.h"

static int compare(uint32_t kind, uint64_t key0, uint64_t key1, const Relation *r) {
    if (kind != r->kind) {
        return kind < r->kind ? -1 : 1;
    }
    if (key0 != r->key[0]) {
        return key0 < r->key[0] ? -1 : 1;
    }
    return key1 < r->key[1] ? -1 : key1 > r->key[1];
}

static uint64_t priority(uint32_t kind, uint64_t key0, uint64_t key1) {
    uint64_t x = (key0 ^ key1 << 32 ^ (uint64_t)kind << 60) * 0x9e3779b97f4a7c15ull;
    x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9ull;
    return x ^ x >> 32;
}

static uint64_t priority_of(const Relation *r) {
    return priority(r->kind, r->key[0], r->key[1]);
}

Relation *relation_find(Process *p, RelationKind kind, uint64_t key0, uint64_t key1) {
    Relation *r = p->relations;
    while (r != NULL) {
        int c = compare(kind, key0, key1, r);
        if (c == 0) {
            return r;
        }
        r = c < 0 ? r->left : r->right;
    }
    return NULL;
}

Relation *relation_add(Process *p, RelationKind kind, uint64_t key0, uint64_t key1, bool *made) {
    Relation *r = relation_find(p, kind, key0, key1);
    *made = false;
    if (r != NULL) {
        return r;
    }
    r = signal_memory(p->scheduler);
    if (r == NULL) {
        return NULL;
    }
    *made = true;
    quota_outside(p, sizeof *r);
    *r = (Relation){.kind = kind, .key = {key0, key1}, .other = NONE};
    uint64_t height = priority_of(r);
    Relation **link = &p->relations;
    while (*link != NULL && priority_of(*link) >= height) {
        link = compare(kind, key0, key1, *link) < 0 ? &(*link)->left : &(*link)->right;
    }
    /* It goes above *link, which is split around it. */
    Relation *below = *link, **left = &r->left, **right = &r->right;
    while (below != NULL) {
        if (compare(kind, key0, key1, below) > 0) {
            *left = below;
            left = &below->right;
            below = below->right;
        } else {
            *right = below;
            right = &below->left;
            below = below->left;
        }
    }
    *left = *right = NULL;
    *link = r;
    return r;
}

static void free_extra(Process *p, Relation *r) {
    if (r->kind == RELATION_REFERENCE && r->extra != NULL) {
        heap_free_fragments(process_vm(p), r->extra->data);
        MEM_DELETE(&process_vm(p)->mem, MEM_PROCESS, r->extra);
    }
}

void relation_remove(Process *p, Relation *r) {
    Relation **link = &p->relations;
    while (*link != r) {
        assert(*link != NULL);
        link = compare(r->kind, r->key[0], r->key[1], *link) < 0 ? &(*link)->left : &(*link)->right;
    }
    Relation *a = r->left, *b = r->right;
    while (a != NULL && b != NULL) {
        if (priority_of(a) >= priority_of(b)) {
            *link = a;
            link = &a->right;
            a = a->right;
        } else {
            *link = b;
            link = &b->left;
            b = b->left;
        }
    }
    *link = a != NULL ? a : b;
    free_extra(p, r);
    quota_outside(p, (size_t)0 - sizeof *r);
    signal_memory_free(p->scheduler, r);
}

Relation *relation_first(Process *p) {
    return p->relations;
}

/* The one that follows in order; kind 0 and keys 0: the first. NULL: none. */
static Relation *after(Process *p, const Relation *last) {
    Relation *best = NULL, *r = p->relations;
    while (r != NULL) {
        if (last == NULL || compare(last->kind, last->key[0], last->key[1], r) < 0) {
            best = r;
            r = r->left;
        } else {
            r = r->right;
        }
    }
    return best;
}

void relation_each(Process *p, void (*visit)(Process *p, Relation *r, void *arg), void *arg) {
    for (Relation *r = after(p, NULL); r != NULL; r = after(p, r)) {
        visit(p, r, arg);
    }
}

void relation_end(Process *p, Relation *r, term reason) {
    uint32_t kind = r->kind, flags = r->flags;
    term other = r->other;
    uint64_t key[2] = {r->key[0], r->key[1]};
    relation_remove(p, r); /* from here on its memory is there for the signal */
    if (!is_local_pid(other) && !is_local_port(other)) {
        return;
    }
    switch ((RelationKind)kind) {
    case RELATION_LINK:
        if (!(flags & RELATION_UNLINKING)) {
            signal_send_ending(p, other, SIGNAL_LINK_EXIT, key, reason);
        }
        break;
    case RELATION_REFERENCE:
        if (flags & RELATION_MONITOR) {
            signal_send_ending(p, other, SIGNAL_DEMONITOR, key, NONE);
        }
        break;
    case RELATION_MONITORED: signal_send_ending(p, other, SIGNAL_DOWN, key, reason); break;
    case RELATION_SUSPENDED: signal_send_ending(p, other, SIGNAL_RESUME, key, NONE); break;
    case RELATION_SUSPENDER:
    case RELATION_NODE: break;
    }
}
