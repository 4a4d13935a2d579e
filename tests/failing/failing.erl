%% A small program that makes the VM allocate in many ways. Run again and again, each time with another allocation that fails:
%% a process may die of it, the VM may say that it cannot start, but nothing crashes, hangs or goes on with wrong values.
-module(failing).
-export([main/0]).

main() ->
    _ = [task(N) || N <- [heap, binaries, maps, messages, links, timers, tables, terms, atoms, integers, text, code, stores]],
    ok.

%% Each in a process of its own: the only one that may die of it, and with a value that is right or none.
task(Name) ->
    {Pid, Ref} = spawn_monitor(fun() -> exit({value, erlang:phash2(do(Name))}) end),
    receive
        {'DOWN', Ref, process, Pid, {value, Hash}} -> io:format("~w ~w~n", [Name, Hash]);
        {'DOWN', Ref, process, Pid, Reason} -> io:format("~w died: ~P~n", [Name, Reason, 12])
    end.

do(heap) ->
    L = lists:seq(1, 20000),
    {lists:sum(L), length(lists:reverse(L)), list_to_tuple(L) =:= list_to_tuple(lists:sort(lists:reverse(L)))};
do(binaries) ->
    B = lists:foldl(fun(I, Acc) -> <<Acc/binary, I:24>> end, <<>>, lists:seq(1, 3000)),
    Parts = binary:split(binary:copy(<<"a,b;c">>, 500), [<<",">>, <<";">>], [global]),
    {erlang:md5(B), length(Parts), iolist_to_binary(lists:join($-, Parts)), [X || <<X:24>> <= B, X rem 500 =:= 0]};
do(maps) ->
    M = maps:from_list([{I, {I, I * I}} || I <- lists:seq(1, 500)]),
    M2 = lists:foldl(fun(I, Acc) -> maps:remove(I, Acc#{{key, I} => I}) end, M, lists:seq(1, 200)),
    {map_size(M2), lists:sort(maps:to_list(maps:merge(M, M2)))};
do(messages) ->
    Self = self(),
    Pids = [spawn(fun() -> receive L -> Self ! {self(), lists:sum(L)} end end) || _ <- lists:seq(1, 20)],
    _ = [P ! lists:seq(1, 100) || P <- Pids],
    [receive {P, S} -> S after 200 -> exit(somebody_died) end || P <- Pids];
do(links) ->
    process_flag(trap_exit, true),
    Pids = [spawn_link(fun() -> register(list_to_atom("p" ++ integer_to_list(I)), self()), exit({bye, I}) end) || I <- lists:seq(1, 10)],
    [receive {'EXIT', P, {bye, I}} -> I; {'EXIT', P, Other} -> exit(Other) end || P <- Pids];
do(timers) ->
    Refs = [erlang:send_after(I rem 3, self(), {tick, I}) || I <- lists:seq(1, 30)],
    _ = [erlang:cancel_timer(R) || R <- Refs],
    erlang:send_after(1, self(), {tick, 100}),
    [receive {tick, I} -> I after 200 -> exit(no_tick) end || I <- [100]];
do(tables) ->
    [begin
         T = ets:new(t, [Type]),
         true = ets:insert(T, [{I, lists:seq(1, I rem 10), <<I:800>>} || I <- lists:seq(1, 300)]),
         N = ets:select_count(T, [{{'$1', '_', '_'}, [{'>', '$1', 100}], [true]}]),
         ets:match_delete(T, {'_', [], '_'}),
         {N, ets:info(T, size), ets:lookup(T, 7)}
     end || Type <- [set, ordered_set, bag]];
do(terms) ->
    T = [{I, "text", <<I:64>>, #{I => [a, I / 3]}, fun() -> I end} || I <- lists:seq(1, 100)],
    B = term_to_binary(T),
    C = term_to_binary(T, [compressed]),
    {length(binary_to_term(B)), length(binary_to_term(C)), byte_size(B)};
do(atoms) ->
    [list_to_atom("atom number " ++ integer_to_list(I)) || I <- lists:seq(1, 300)];
do(integers) ->
    F = lists:foldl(fun(I, A) -> I * A end, 1, lists:seq(1, 400)),
    {F, integer_to_list(F), F bsl 3000 div (F + 1)};
do(text) ->
    unicode:characters_to_binary([io_lib:format("~p ~ts ~w~n", [I, "äöü€", 1.5 * I]) || I <- lists:seq(1, 20)]);
do(code) ->
    _ = [code:ensure_loaded(M) || M <- [queue, gb_trees, sofs]],
    {queue:len(queue:from_list([1, 2, 3])), gb_trees:to_list(gb_trees:from_orddict([{1, a}]))};
do(stores) ->
    persistent_term:put(key, {large, lists:seq(1, 100)}),
    A = atomics:new(100, []),
    C = counters:new(10, [atomics]),
    atomics:put(A, 1, 17),
    counters:add(C, 2, 5),
    put(key, lists:seq(1, 100)),
    {persistent_term:get(key), atomics:get(A, 1), counters:get(C, 2), length(get())}.
