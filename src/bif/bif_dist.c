/* Built-ins of the distribution, on a node that is not alive: what OTP answers there. There are no channels and no handles. */
#include "bif/spawn_options.h"
#include "data/bits.h"
#include "data/external.h"
#include "data/integer.h"
#include "proc/signal.h"
#include "term/ref.h"

#include <stdlib.h>

/* --- Naming the node ----------------------------------------------------------------------------------------------- */

BIF(erlang, setnode, 2) {
    return raise_badarg(p);
}

/* What this machine could do: {erts_dflags, Default, Mandatory, Addable, Rejectable, Strict}. */
static const struct {
    int release; /* from this one on */
    int64_t flags[5];
} capabilities[] = {
    {29, {468283523004, 17230663572, 468283523004, 8396866, 8192}},
    {26, {55966662588, 17230663572, 55966662588, 8396866, 8192}},
    {0, {55966662588, 17239956, 55966662588, 8396866, 8192}},
};

BIF(erts_internal, get_dflags, 0) {
    VM *vm = process_vm(p);
    size_t i = 0;
    while (capabilities[i].release > atoi(vm->otp_release(vm))) {
        i++;
    }
    term words[6] = {A_erts_dflags};
    for (size_t k = 0; k < ARRAY_LEN(capabilities[i].flags); k++) {
        words[1 + k] = integer_from_int64(HEAP(p), capabilities[i].flags[k]);
    }
    return heap_tuple(HEAP(p), 6, words[0], words[1], words[2], words[3], words[4], words[5]);
}

/* --- Connections --------------------------------------------------------------------------------------------------- */

static bool is_other_node(Process *p, term node) {
    return is_atom(node) && node != node_name(process_vm(p));
}

BIF(erts_internal, new_connection, 1) {
    return is_other_node(p, a[0]) ? TUPLE2(HEAP(p), SMALL(1), ref_make(HEAP(p))) : raise_badarg(p);
}

BIF(erts_internal, abort_pending_connection, 2) {
    bool handle = is_tuple_of(a[1], 2) && is_small(element(a[1], 1)) && is_ref(element(a[1], 2));
    return is_other_node(p, a[0]) && handle ? A_false : raise_badarg(p);
}

/* The caller in erlang.erl raises the error. */
BIF(erts_internal, create_dist_channel, 3) {
    return A_badarg;
}

BIF(erlang, dist_ctrl_get_data, 1) {
    return raise_error(p, A_notsup);
}

BIF(erlang, dist_ctrl_get_data_notification, 1) {
    return raise_error(p, A_notsup);
}

BIF(erlang, dist_ctrl_get_opt, 2) {
    return raise_error(p, A_notsup);
}

BIF(erlang, dist_ctrl_set_opt, 3) {
    return raise_error(p, A_notsup);
}

BIF(erlang, dist_ctrl_input_handler, 2) {
    return raise_error(p, A_notsup);
}

BIF(erlang, dist_ctrl_put_data, 2) {
    return raise_badarg(p);
}

BIF(erlang, dist_get_stat, 1) {
    return raise_badarg(p);
}

/* --- Processes on other nodes -------------------------------------------------------------------------------------- */

/* There is no connection: so says the answer. Node, {Module, Function, Arguments}, options, spawn_request or spawn_opt. */
BIF(erts_internal, dist_spawn_request, 4) {
    size_t arity;
    bool good = is_other_node(p, a[0]) && is_tuple_of(a[1], 3) && is_atom(element(a[1], 1)) && is_atom(element(a[1], 2)) &&
                proper_list(element(a[1], 3), &arity);
    ParsedSpawnOptions o;
    if (!good || parse_spawn_options(process_vm(p), a[2], true, &o) == SPAWN_OPTIONS_NO_LIST) {
        return A_badarg;
    }
    term ref = ref_make(HEAP(p));
    if (o.reply_error) {
        term message = TUPLE4(HEAP(p), o.spawn.reply_tag, ref, A_error, A_noconnection);
        if (!message_send(p->scheduler, p, p->pid, message)) {
            return bif_no_memory(p);
        }
    }
    return a[3] == A_spawn_request ? ref : TUPLE2(HEAP(p), ref, o.spawn.monitor ? A_true : A_false);
}

/* --- Looking at what the distribution sends ------------------------------------------------------------------------- */

/* Decodes a term in which atoms may be indices into a tuple of atoms. */
BIF(erts_debug, dist_ext_to_term, 2) {
    BitsBytes b;
    if (!is_tuple(a[0]) || !is_binary(a[1])) {
        return raise_badarg(p);
    }
    if (!bits_bytes(process_vm(p), a[1], &b)) {
        return raise_error(p, A_system_limit);
    }
    term t = external_decode_cached(HEAP(p), (Bytes){b.at, b.size}, a[0]);
    bits_bytes_done(process_vm(p), &b);
    return t == NONE ? raise_heap_reason(p) : t;
}
