/* Code that goes round in a circle without a call or a receive is never interrupted: compilers make none, and the verifier
   refuses it. The ways between labels are sorted by where they start, and followed depth first. */
#include "code/verify_state.h"

#include <stdlib.h>

typedef struct VerifyEdge {
    uint32_t from, to;
} VerifyEdge;

bool verify_edge(Verifier *v, uint32_t to) {
    if (v->block == VERIFY_NO_BLOCK) {
        return true;
    }
    v->backward |= to <= v->block;
    if (v->edge_count == v->edge_room) {
        uint32_t room = MAX(2 * v->edge_room, 64u);
        VerifyEdge *edges = arena_alloc(v->b->work, room * sizeof *edges);
        if (edges == NULL) {
            return load_no_memory(v->error);
        }
        if (v->edge_count > 0) {
            memcpy(edges, v->edges, v->edge_count * sizeof *edges);
        }
        v->edges = edges;
        v->edge_room = room;
    }
    v->edges[v->edge_count++] = (VerifyEdge){v->block, to};
    return true;
}

static int by_from(const void *a, const void *b) {
    const VerifyEdge *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

static uint32_t first_from(const Verifier *v, uint32_t op) {
    uint32_t low = 0, high = v->edge_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (v->edges[middle].from < op) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

enum { NEW, OPEN, DONE };

bool verify_no_loops(Verifier *v) {
    const BeamFunction *f = v->function;
    uint32_t count = v->edge_count, depth = 0;
    qsort(v->edges, count, sizeof *v->edges, by_from);
    uint8_t *state = ARENA_ARRAY(v->b->work, uint8_t, f->end - f->first); /* of the label at each instruction */
    uint32_t *path = arena_alloc(v->b->work, (count + 1) * sizeof *path); /* the edges that have led here */
    if (state == NULL || path == NULL) {
        return load_no_memory(v->error);
    }
    for (uint32_t start = 0; start < count; start++) {
        if (state[v->edges[start].from - f->first] != NEW) {
            continue;
        }
        state[v->edges[start].from - f->first] = OPEN;
        path[depth++] = start;
        while (depth > 0) {
            uint32_t *at = &path[depth - 1];
            uint32_t from = depth > 1 ? v->edges[path[depth - 2] - 1].to : v->edges[start].from;
            if (*at == count || v->edges[*at].from != from) {
                state[from - f->first] = DONE;
                depth--;
                continue;
            }
            uint32_t to = v->edges[(*at)++].to;
            if (state[to - f->first] == OPEN) {
                v->op = to;
                return FAIL(v, "the code behind it goes round in a circle without a call");
            }
            if (state[to - f->first] == NEW) {
                state[to - f->first] = OPEN;
                path[depth++] = first_from(v, to);
            }
        }
    }
    return true;
}
