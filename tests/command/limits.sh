# What ends OTP's VM, and not this one: out of atoms, out of memory. Who asks for too much gets system_limit, or dies.
. tests/lib/command.sh

module limits <<'.'
-export([atoms/0, atoms_together/0, memory/0]).

show(Label, X) -> io:format("~s: ~0p~n", [Label, X]).

result(F) -> try F() catch C:R -> {C, R} end.

atoms() ->
    show("limit", erlang:system_info(atom_limit)),
    N = fill(0),
    show("full", {N > 1000, erlang:system_info(atom_count) =:= erlang:system_info(atom_limit)}),
    Text = "new_" ++ integer_to_list(N + 1),
    show("list_to_atom", result(fun() -> list_to_atom(Text) end)),
    show("binary_to_atom", result(fun() -> binary_to_atom(list_to_binary(Text)) end)),
    show("binary_to_term", result(fun() -> binary_to_term(<<131, 119, 5, "hrxyz">>) end)),
    show("binary_to_existing_atom", result(fun() -> binary_to_existing_atom(list_to_binary(Text)) end)),
    show("one that is there", result(fun() -> {list_to_atom("limits"), binary_to_term(term_to_binary({limits, fun() -> ok end})) =/= x} end)),
    show("code", result(fun() -> element(1, code:ensure_loaded(digraph)) end)),
    show("alive", {lists:sum(lists:seq(1, 1000)), element(1, spawn_monitor(fun() -> ok end)) =/= self()}).

fill(N) ->
    case result(fun() -> list_to_atom("new_" ++ integer_to_list(N)) end) of
        {error, system_limit} -> N;
        A when is_atom(A) -> fill(N + 1)
    end.

%% Several make the same ones until there is no room: each has made the same, and none is there twice.
atoms_together() ->
    show("limit", erlang:system_info(atom_limit)), % loads what shows it
    Me = self(),
    Ps = [spawn(fun() -> Me ! {self(), fill(0)} end) || _ <- [1, 2, 3, 4]],
    Full = [receive {P, N} -> N end || P <- Ps],
    show("the same", lists:min(Full) =:= lists:max(Full)),
    Texts = ["new_" ++ integer_to_list(N) || N <- lists:seq(0, hd(Full) - 1)],
    show("all", length(lists:usort([list_to_existing_atom(T) || T <- Texts])) =:= hd(Full)),
    show("full", erlang:system_info(atom_count) =:= erlang:system_info(atom_limit)).

%% Killed, or ended by system_limit.
memory() ->
    logger:set_primary_config(level, none),
    [show(Label, limited(run(F))) || {Label, F} <- [
        {"heap", fun() -> grow([]) end},
        {"binaries", fun() -> binaries([]) end},
        {"one binary", fun() -> binary:copy(<<1>>, 1 bsl 34) end},
        {"list", fun() -> length(lists:seq(1, 1 bsl 28)) end},
        {"integer", fun() -> one() bsl (1 bsl 36) end},
        {"table", fun() -> fill(ets:new(t, []), 0, binary:copy(<<1>>, 60)) end},
        {"ordered table", fun() -> fill(ets:new(t, [ordered_set]), 0, binary:copy(<<1>>, 60)) end},
        {"mailbox", fun() -> mail(lists:seq(1, 1000)) end},
        {"processes", fun() -> many() end},
        {"dictionary", fun() -> dictionary(0) end},
        {"stack", fun() -> deep(1) end},
        {"external", fun() -> B = term_to_binary(lists:duplicate(1 bsl 25, 3.14)), byte_size(B) end}]],
    show("alive", result(fun() -> lists:sum(lists:seq(1, 1000)) end)).

run(F) ->
    {P, R} = spawn_monitor(F),
    receive {'DOWN', R, _, P, W} -> W after 60000 -> exit(P, kill), late end.
limited(killed) -> limited;
limited(system_limit) -> limited;
limited({system_limit, _}) -> limited;
limited(X) -> X.

one() -> byte_size(term_to_binary(self())).
grow(L) -> grow([[[] | L] | L]).
binaries(L) -> binaries([binary:copy(<<1>>, 1000000) | L]).
fill(T, N, B) -> ets:insert(T, {N, B, B, B}), fill(T, N + 1, B).
mail(X) -> self() ! X, mail(X).
many() -> spawn_opt(fun() -> receive stop -> ok end end, [link, {min_heap_size, 100000}]), many().
dictionary(N) -> put(N, [N, N, N, N]), dictionary(N + 1).
deep(0) -> 0;
deep(N) -> 1 + deep(N + 1).

.

run "$MOTE" erl +t 20000 -noshell -pa . -eval 'logger:set_primary_config(level, none), limits:atoms(), halt().'
out_is 'limit: 20000
full: {true,true}
list_to_atom: {error,system_limit}
binary_to_atom: {error,system_limit}
binary_to_term: {error,system_limit}
binary_to_existing_atom: {error,badarg}
one that is there: {limits,true}
code: error
alive: {500500,true}'
status_is 0

export MOTE_SCHEDULERS=4
run "$MOTE" erl +t 20000 -noshell -pa . -eval 'logger:set_primary_config(level, none), limits:atoms_together(), halt().'
out_is 'limit: 20000
the same: true
all: true
full: true'
status_is 0
unset MOTE_SCHEDULERS

# Address space that is limited: where a sanitizer wants more for itself, there is nothing to be seen.
sh -c "ulimit -v 700000; '$MOTE' -e 1; exit \$?" > "$WORK/.out" 2>&1 || exit 0
run bash -c "ulimit -v 700000; exec '$MOTE' erl -noshell -pa . -eval 'limits:memory(), halt().'"
out_is 'heap: limited
binaries: limited
one binary: limited
list: limited
integer: limited
table: limited
ordered table: limited
mailbox: limited
processes: limited
dictionary: limited
stack: limited
external: limited
alive: 500500'
status_is 0
