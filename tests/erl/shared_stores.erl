%% Stores that processes share besides ETS: persistent terms, atomics, counters.
-module(shared_stores).
-export([main/0]).

main() ->
    persistent(),
    replaced(),
    large_binaries(),
    atomics(),
    counters().

%% As t:all/1, but without the arguments of what failed: there are references among them.
all(Rows) ->
    _ = [io:format("~ts: ~0tp~n", [L, result(F)]) || {L, F} <- Rows],
    ok.

result(F) ->
    try
        F()
    catch
        C:R:S ->
            {M, N, _, Info} = hd(S),
            {C, R, M, N, lists:keydelete(line, 1, lists:keydelete(file, 1, Info))}
    end.

%% What is replaced is freed, be it only a word that keeps a megabyte.
large_binaries() ->
    Before = erlang:memory(binary),
    spawn(fun() -> [persistent_term:put(large, binary:copy(<<N>>, 1 bsl 20)) || N <- lists:seq(1, 64)] end),
    wait_for(fun() -> persistent_term:get(large, <<>>) =:= binary:copy(<<64>>, 1 bsl 20) end, 1000),
    wait_for(fun() -> erlang:memory(binary) - Before < 8 bsl 20 end, 300),
    io:format("~p~n", [persistent_term:erase(large)]).

wait_for(_, 0) -> io:format("in vain~n");
wait_for(Done, N) -> Done() orelse begin receive after 10 -> ok end, wait_for(Done, N - 1) end.

persistent() ->
    all([
        {"put", fun() -> persistent_term:put({?MODULE, a}, {1, "two", <<3>>}) end},
        {"get", fun() -> persistent_term:get({?MODULE, a}) end},
        {"get nothing", fun() -> persistent_term:get({?MODULE, b}) end},
        {"default", fun() -> persistent_term:get({?MODULE, b}, default) end},
        {"replace", fun() -> {persistent_term:put({?MODULE, a}, #{x => y}), persistent_term:get({?MODULE, a})} end},
        {"all", fun() -> [X || {{?MODULE, _}, _} = X <- persistent_term:get()] end},
        {"erase", fun() -> {persistent_term:erase({?MODULE, a}), persistent_term:erase({?MODULE, a}), persistent_term:get({?MODULE, a}, gone)} end},
        {"info", fun() -> lists:sort(maps:keys(persistent_term:info())) end},
        {"big", fun() ->
            B = binary:copy(<<"x">>, 1000),
            persistent_term:put(big, {B, 1 bsl 100, 1.5, fun lists:map/2, self()}),
            {B, N, F, G, P} = persistent_term:get(big),
            {byte_size(B), N, F, G, P =:= self()}
        end},
        {"sharing", fun() ->
            S = lists:foldl(fun(_, A) -> [A | A] end, [], lists:seq(1, 20)),
            <<_, C/bits>> = <<"some bytes">>,
            T = {S, S, C, C, {}, #{a => S, b => {}}, fun erlang:abs/1, <<5:3>>},
            persistent_term:put(shared, T),
            Got = persistent_term:get(shared),
            {element(2, Got) == element(1, Got), setelement(1, setelement(2, setelement(6, Got, x), x), x), erts_debug:size(element(1, Got)),
             erts_debug:same(hd(element(2, Got)), tl(element(1, Got))), persistent_term:erase(shared)}
        end}
    ]).

%% Terms that are replaced again and again while other processes, messages and dictionaries still hold the old ones.
replaced() ->
    Me = self(),
    persistent_term:put(k, lists:seq(1, 100)),
    Ps = [spawn(fun() -> V = persistent_term:get(k), put(x, V), receive {get, F} -> F ! {lists:sum(V), lists:sum(get(x))} end end) || _ <- [1, 2, 3]],
    Me ! {keep, persistent_term:get(k)},
    _ = [begin
             persistent_term:put({k, I rem 10}, {I, lists:seq(1, 1000), <<0:8000>>}),
             I rem 300 =:= 0 andalso receive after 1 -> ok end
         end || I <- lists:seq(1, 3000)],
    persistent_term:put(k, new),
    _ = [persistent_term:put({k, I rem 10}, {I, lists:seq(1, 1000)}) || I <- lists:seq(1, 500)],
    receive after 5 -> ok end,
    _ = [P ! {get, Me} || P <- Ps],
    io:format("~p~n", [[receive {A, B} when is_integer(A) -> {A, B} end || _ <- Ps]]),
    io:format("~p~n", [receive {keep, L} -> lists:sum(L) end]),
    io:format("~p~n", [[element(1, persistent_term:get({k, I})) || I <- lists:seq(0, 9)]]).

atomics() ->
    A = atomics:new(3, []),
    U = atomics:new(1, [{signed, false}]),
    all([
        {"start", fun() -> [atomics:get(A, I) || I <- [1, 2, 3]] end},
        {"put", fun() -> {atomics:put(A, 1, 5), atomics:add(A, 1, -7), atomics:get(A, 1), atomics:add_get(A, 2, 1 bsl 62)} end},
        {"wrap", fun() -> {atomics:add_get(A, 2, 1 bsl 62), atomics:sub_get(A, 2, 1), atomics:sub(A, 2, 1), atomics:get(A, 2)} end},
        {"unsigned", fun() -> {atomics:sub_get(U, 1, 1), atomics:add_get(U, 1, 1), atomics:put(U, 1, (1 bsl 64) - 1), atomics:get(U, 1)} end},
        {"exchange", fun() -> {atomics:exchange(A, 3, 10), atomics:compare_exchange(A, 3, 9, 1), atomics:compare_exchange(A, 3, 10, 1), atomics:get(A, 3)} end},
        {"info", fun() -> maps:remove(memory, atomics:info(A)) end},
        {"info unsigned", fun() -> maps:remove(memory, atomics:info(U)) end},
        {"index 0", fun() -> atomics:get(A, 0) end},
        {"index 4", fun() -> atomics:put(A, 4, 1) end},
        {"too large", fun() -> atomics:put(A, 1, 1 bsl 63) end},
        {"negative", fun() -> atomics:put(U, 1, -1) end},
        {"no array", fun() -> atomics:get(make_ref(), 1) end},
        {"no size", fun() -> atomics:new(0, []) end},
        {"bad option", fun() -> atomics:new(1, [foo]) end},
        {"bad increment", fun() -> atomics:add(A, 1, a) end}
    ]).

counters() ->
    _ = [begin
        C = counters:new(2, O),
        all([
            {"add", fun() -> {counters:add(C, 1, 5), counters:sub(C, 1, 7), counters:get(C, 1), counters:put(C, 2, 1 bsl 62), counters:get(C, 2)} end},
            {"info", fun() -> maps:get(size, counters:info(C)) end},
            {"index", fun() -> counters:get(C, 3) end},
            {"value", fun() -> counters:put(C, 1, 1 bsl 63) end}
        ])
     end || O <- [[atomics], [write_concurrency], []]],
    all([{"bad size", fun() -> counters:new(-1, []) end}, {"bad option", fun() -> counters:new(1, [x]) end}, {"no counter", fun() -> counters:get(foo, 1) end}]).
