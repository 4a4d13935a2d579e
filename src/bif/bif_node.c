/* Built-ins of nodes. Without distribution this node is all there is. */
#include "bif/bif.h"
#include "data/map.h"
#include "term/ref.h"

BIF(erlang, node, 0) {
    return node_name(process_vm(p));
}

BIF(erlang, node, 1) {
    if (is_kind(a[0], KIND_EXTERNAL)) {
        return ((External *)boxed(a[0]))->node;
    }
    return is_local_pid(a[0]) || is_local_port(a[0]) || is_local_ref(a[0]) ? node_name(process_vm(p)) : raise_badarg(p);
}

static bool wants_this(term kinds, bool *this_node) {
    term one[2] = {kinds, NIL};
    if (is_atom(kinds)) {
        kinds = make_cons(one);
    }
    *this_node = false;
    for (; is_cons(kinds); kinds = tail(kinds)) {
        term kind = head(kinds);
        if (kind == A_this || kind == A_known) {
            *this_node = true;
        } else if (kind != A_visible && kind != A_hidden && kind != A_connected) {
            return false;
        }
    }
    return kinds == NIL;
}

BIF(erlang, nodes, 0) {
    return NIL;
}

BIF(erlang, nodes, 1) {
    bool this_node;
    if (!wants_this(a[0], &this_node)) {
        return raise_badarg(p);
    }
    return this_node ? heap_cons(HEAP(p), node_name(process_vm(p)), NIL) : NIL;
}

BIF(erlang, nodes, 2) {
    VM *vm = process_vm(p);
    bool this_node;
    if (!wants_this(a[0], &this_node) || !is_map(a[1])) {
        return raise_badarg(p);
    }
    term id = map_get(vm, a[1], A_connection_id), type = map_get(vm, a[1], A_node_type);
    bool good = (id == NONE || id == A_true || id == A_false) && (type == NONE || type == A_true || type == A_false);
    if (!good || map_size(a[1]) != (size_t)((id != NONE) + (type != NONE))) {
        return raise_badarg(p);
    }
    if (!this_node) {
        return NIL;
    }
    term pairs[4];
    size_t n = 0;
    if (id == A_true) {
        pairs[2 * n] = A_connection_id, pairs[2 * n++ + 1] = A_undefined;
    }
    if (type == A_true) {
        pairs[2 * n] = A_node_type, pairs[2 * n++ + 1] = A_this;
    }
    term info = n == 0 ? map_empty(HEAP(p)) : map_from_pairs(HEAP(p), pairs, n);
    return heap_cons(HEAP(p), TUPLE2(HEAP(p), node_name(vm), info), NIL);
}
