/* A tracer: its state is {Answers, Pid}; enabled/3 answers what the map Answers has for the tag, trace/5 sends Pid its arguments but the state. */
#include <erl_nif.h>

static ERL_NIF_TERM enabled(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    const ERL_NIF_TERM *state;
    int size;
    ERL_NIF_TERM answer;
    if (!enif_get_tuple(env, argv[1], &size, &state) || size != 2 || !enif_get_map_value(env, state[0], argv[0], &answer)) {
        return enif_make_atom(env, argc == 3 ? "discard" : "trace");
    }
    return answer;
}

static ERL_NIF_TERM trace(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    const ERL_NIF_TERM *state;
    int size;
    ErlNifPid to;
    if (argc == 5 && enif_get_tuple(env, argv[1], &size, &state) && size == 2 && enif_get_local_pid(env, state[1], &to)) {
        enif_send(env, &to, NULL, enif_make_tuple4(env, argv[0], argv[2], argv[3], argv[4]));
    }
    return enif_make_atom(env, "ok");
}

static ErlNifFunc functions[] = {{"enabled", 3, enabled}, {"trace", 5, trace}};

ERL_NIF_INIT(nif_tracer, functions, NULL, NULL, NULL, NULL)
