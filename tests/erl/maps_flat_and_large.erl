%% Maps of both kinds: built-ins, the syntax, walking, the library on top of them, errors.
-module(maps_flat_and_large).
-export([main/0]).

id(X) -> X.
main() ->
    [sizes(N) || N <- [0, 1, 2, 31, 32, 33, 34, 100, 1000]],
    syntax(),
    grow_and_shrink(),
    keys(),
    iterators(),
    merges(),
    errors(),
    order(),
    ok.

map(N) -> maps:from_list([{I, {I}} || I <- lists:seq(1, N)]).

sizes(N) ->
    M = map(N),
    io:format("~w ~w~n", [N, {map_size(M), maps:to_list(M), maps:keys(M), maps:values(M)}]),
    io:format("~w~n", [{maps:get(N div 2 + 1, M, none), maps:find(N, M), maps:is_key(0, M), is_map_key(1, M)}]),
    io:format("~w~n", [{maps:fold(fun(K, {V}, A) -> K * V + A end, 0, M), maps:size(maps:filter(fun(K, _) -> K rem 3 =:= 0 end, M))}]),
    io:format("~w~n", [lists:sort(maps:to_list(maps:map(fun(K, {V}) -> K - V end, M)))]),
    io:format("~w~n", [{maps:from_keys(maps:keys(M), v) =:= maps:map(fun(_, _) -> v end, M), erlang:phash2(M), byte_size(term_to_binary(M))}]).

syntax() ->
    M = id(#{a => 1, "b" => 2, 3 => c, 1.0 => f, 1 => i, {t} => <<>>}),
    io:format("~p~n", [M]),
    #{a := A, 1.0 := F, 1 := I} = M,
    io:format("~p ~p~n", [{A, F, I}, M#{a := 2, new => x, 1 => j}]),
    io:format("~p~n", [[case id(X) of #{k := V} when V > 1 -> {large, V}; #{k := V} -> {small, V}; #{} -> other; _ -> none end || X <- [#{k => 1}, #{k => 2}, #{}, #{j => 1}, a]]]),
    Large = maps:merge(map(50), M),
    #{50 := {B}, a := C} = Large,
    io:format("~p ~p ~p~n", [B, C, map_size(Large#{a := 5, z => 6, 1 := 7})]),
    io:format("~p~n", [try (id(Large))#{nope := 1} catch _:R -> R end]),
    X = id(1), Y = id(y),
    io:format("~p~n", [#{X => Y, Y => X, {X, Y} => #{X => #{}}, X => again}]).

grow_and_shrink() ->
    Up = lists:foldl(fun(I, M) -> M#{{key, I} => I} end, #{}, lists:seq(1, 200)),
    Down = lists:foldl(fun(I, M) -> maps:remove({key, I}, M) end, Up, lists:seq(11, 200)),
    io:format("~w ~p~n", [map_size(Up), Down]),
    {5, Rest} = maps:take({key, 5}, Down),
    io:format("~p ~p~n", [Rest, maps:take({key, 5}, Rest)]),
    io:format("~p~n", [Down =:= maps:from_list([{{key, I}, I} || I <- lists:seq(10, 1, -1)])]).

%% Keys that are equal as numbers but not the same; large integers; deep and long ones.
keys() ->
    Ks = [0, 0.0, 1, 1.0, -1, 1 bsl 59, 1 bsl 60, 1 bsl 64, -(1 bsl 64), 1.0e20, 100000000000000000000, "", "a", [a | b], <<>>, <<1:1>>, <<0:9>>, {}, {{}}, #{}, #{1 => 1}, #{1.0 => 1}, a, [], lists:seq(1, 100), [[[[]]]]],
    M = maps:from_list([{K, N} || {K, N} <- lists:zip(Ks, lists:seq(1, length(Ks)))]),
    io:format("~p~n", [[maps:get(K, M) || K <- Ks]]),
    io:format("~p~n", [map_size(M)]),
    Large = maps:merge(M, map(40)),
    io:format("~p~n", [[maps:get(K, Large) || K <- Ks]]).

iterators() ->
    M = map(100),
    Walk = fun Walk(none) -> []; Walk({K, V, I}) -> [{K, V} | Walk(maps:next(I))] end,
    L = Walk(maps:next(maps:iterator(M))),
    io:format("~w ~w~n", [L =:= lists:reverse(maps:to_list(M)), lists:sort(L) =:= [{I, {I}} || I <- lists:seq(1, 100)]]),
    io:format("~w~n", [Walk(maps:next(maps:iterator(#{a => 1, b => 2})))]),
    io:format("~w~n", [maps:groups_from_list(fun(X) -> X rem 3 end, lists:seq(1, 20))]).

merges() ->
    io:format("~w~n", [maps:merge(#{a => 1, b => 2}, #{b => 3, c => 4})]),
    A = map(60), B = maps:from_list([{I, b} || I <- lists:seq(50, 120)]),
    io:format("~w~n", [lists:sort(maps:to_list(maps:merge(A, B)))]),
    io:format("~w~n", [maps:merge(A, B) =:= lists:foldl(fun({K, V}, M) -> maps:put(K, V, M) end, A, maps:to_list(B))]),
    io:format("~w~n", [{maps:merge(A, #{1 => x}) =:= A#{1 => x}, maps:merge(#{1 => x}, A) =:= A, maps:merge(A, A) =:= A}]),
    io:format("~w~n", [maps:merge_with(fun(_, X, Y) -> {X, Y} end, #{a => 1, b => 2}, #{b => 3})]),
    io:format("~w~n", [maps:intersect(A, B) =:= maps:with(lists:seq(50, 60), B)]).

errors() ->
    [report(F) || F <- [
        fun() -> maps:get(x, id(#{})) end, fun() -> maps:get(x, map(40)) end, fun() -> maps:get(x, id(y)) end, fun() -> map_get(x, id(#{})) end, fun() -> maps:update(x, 1, #{}) end,
        fun() -> maps:put(x, 1, y) end, fun() -> maps:remove(x, y) end, fun() -> maps:take(x, y) end, fun() -> maps:from_list(x) end, fun() -> maps:from_list([x]) end,
        fun() -> maps:from_list([{a, 1} | x]) end, fun() -> maps:from_list([{I, I} || I <- lists:seq(1, 40)] ++ x) end, fun() -> maps:from_keys(x, y) end, fun() -> maps:keys(x) end, fun() -> maps:values([]) end,
        fun() -> maps:merge(#{}, x) end, fun() -> maps:merge(x, #{}) end, fun() -> maps:merge(x, y) end, fun() -> map_size(id(x)) end, fun() -> is_map_key(a, id(x)) end,
        fun() -> (id(x))#{a => 1} end, fun() -> (id(#{}))#{a := 1} end, fun() -> #{a := _} = id(#{}) end, fun() -> maps:next(x) end, fun() -> maps:iterator(x) end, fun() -> maps:to_list(x) end]].

report(F) ->
    try F() of R -> io:format("~p~n", [R]) catch C:R:S -> io:format("~p ~p ~p~n", [C, R, [{M, N, A, proplists:get_value(error_info, I)} || {M, N, A, I} <- S, is_list(A)]]) end.

%% The order of maps.
order() ->
    L = [#{}, #{a => 1}, #{a => 2}, #{b => 1}, #{1 => a}, #{1.0 => a}, #{a => 1, b => 2}, #{a => 1, c => 0}, #{a => 1.0}, map(33), map(34), (map(33))#{1 => {0}}, (map(32))#{0 => x}],
    io:format("~w~n", [[{A < B, A == B, A =:= B} || A <- L, B <- L]]),
    io:format("~w~n", [lists:sort(L)]).
