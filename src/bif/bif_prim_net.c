/* Built-ins of module prim_net that need no resolver: what the machine is called, its interfaces. Those that do are in
   bif_resolver.c; where that is left out they answer as in an OTP without them, by the Erlang code they stand in: notsup. */
#include "bif/bif.h"
#include "bif/file_job.h"
#include "data/map.h"
#include "platform/net.h"

static term ok(Process *p, term value) {
    return TUPLE2(HEAP(p), A_ok, value);
}

static term text_of(Process *p, const char *s) {
    return heap_latin1_list(HEAP(p), s, strlen(s));
}

BIF(prim_net, nif_info, 0) {
    const term pairs[] = {A_debug, A_false, A_netns, A_false};
    return map_from_pairs(HEAP(p), pairs, bif_release(p) < 28 ? 1 : 2);
}

BIF(prim_net, nif_command, 1) {
    return TUPLE2(HEAP(p), A_error, A_einval);
}

BIF(prim_net, nif_gethostname, 0) {
    char name[256];
    int error = net_host_name(name, sizeof name);
    return error != 0 ? file_error(p, error) : ok(p, text_of(p, name));
}

BIF(prim_net, nif_if_name2index, 1) {
    char name[64];
    size_t n = 0;
    term t = a[0];
    for (; is_cons(t) && is_small(head(t)) && small_value(head(t)) > 0 && small_value(head(t)) < 256 && n + 1 < sizeof name; t = tail(t)) {
        name[n++] = (char)small_value(head(t));
    }
    name[n] = '\0';
    if (t != NIL) {
        return raise_badarg(p);
    }
    unsigned index;
    int error = net_interface_index(name, &index);
    return error != 0 ? file_error(p, error) : ok(p, SMALL(index));
}

BIF(prim_net, nif_if_index2name, 1) {
    if (!is_small(a[0]) || small_value(a[0]) < 0 || small_value(a[0]) > UINT32_MAX) {
        return raise_badarg(p);
    }
    char name[64];
    int error = net_interface_name((unsigned)small_value(a[0]), name, sizeof name);
    return error != 0 ? file_error(p, error) : ok(p, text_of(p, name));
}

typedef struct {
    Process *p;
    term list, *last;
} Names;

static bool add_name(void *arg, unsigned index, const char *name) {
    Names *names = arg;
    term *cell = heap_alloc(HEAP(names->p), 2);
    cell[0] = TUPLE2(HEAP(names->p), SMALL(index), text_of(names->p, name)), cell[1] = NIL;
    *names->last = make_cons(cell);
    names->last = &cell[1];
    return true;
}

BIF(prim_net, nif_if_names, 0) {
    Names names = {p, NIL, &names.list};
    int error = net_interfaces(add_name, &names);
    return error != 0 ? file_error(p, error) : ok(p, names.list);
}
