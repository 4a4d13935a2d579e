%% Built-ins on lists and tuples, short ones and such as take several slices; errors with their traces.
-module(lists_and_tuples).
-export([main/0]).

id(X) -> X.
main() ->
    Short = [[], [a], [a, b], [1, 2, 3, 1, 2, 3], "abc", [1 | 2], [1, 2 | c], x],
    [io:format("~w~n", [{Op, A, B, value(fun() -> erlang:Op(A, B) end)}]) || Op <- ['++', '--'], A <- Short, B <- Short],
    [io:format("~w~n", [{A, [value(fun() -> F(A) end) || F <- [fun length/1, fun hd/1, fun tl/1, fun list_to_tuple/1, fun lists:reverse/1]]}]) || A <- Short],
    [io:format("~w~n", [{X, A, value(fun() -> lists:member(X, A) end)}]) || A <- Short, X <- [1, 1.0, a, c, "abc"]],
    keys(),
    tuples(),
    long(),
    traces(),
    ok.

value(F) -> try {ok, F()} catch C:R -> {C, R} end.

keys() ->
    L = [{a, 1}, b, {1, 2.0}, {1.0, 3}, {}, {{x}, y, z}, {"s", 2}],
    [io:format("~w~n", [{K, N, lists:keyfind(K, N, L), lists:keymember(K, N, L), lists:keysearch(K, N, L)}]) || K <- [a, b, 1, 1.0, 2, 3, {x}, z, "s", []], N <- [1, 2, 3]],
    io:format("~w~n", [[value(fun() -> lists:keyfind(a, N, M) end) || {N, M} <- [{0, L}, {a, L}, {1, x}, {9, L ++ y}, {1, [{b} | c]}]]]).

tuples() ->
    T = {a, b, c},
    io:format("~w~n", [[value(fun() -> element(id(N), T) end) || N <- [0, 1, 3, 4, -1, a, 1.0, 1 bsl 64]]]),
    io:format("~w~n", [[value(fun() -> setelement(id(N), T, new) end) || N <- [0, 1, 3, 4, a]]]),
    io:format("~w~n", [[value(fun() -> erlang:insert_element(N, T, new) end) || N <- [0, 1, 4, 5]]]),
    io:format("~w~n", [[value(fun() -> erlang:delete_element(N, T) end) || N <- [0, 1, 3, 4]]]),
    io:format("~w~n", [[erlang:append_element(X, new) || X <- [{}, {a}, T]]]),
    io:format("~w~n", [[value(fun() -> erlang:make_tuple(N, x) end) || N <- [0, 1, 3, -1, a, 1 bsl 24]]]),
    io:format("~w~n", [[value(fun() -> erlang:make_tuple(3, x, L) end) || L <- [[], [{1, a}, {3, b}], [{1, a}, {1, b}], [{4, a}], [a], [{1, a} | b]]]]),
    io:format("~w~n", [{tuple_to_list(T), tuple_size({}), value(fun() -> tuple_size(id([])) end), value(fun() -> tuple_to_list(id(x)) end)}]).

long() ->
    N = 3000,
    L = lists:seq(1, N), T = list_to_tuple(L),
    io:format("~w~n", [{length(L), tuple_size(T), tuple_to_list(T) =:= L, element(777, setelement(777, T, x))}]),
    io:format("~w~n", [{lists:reverse(lists:reverse(L)) =:= L, length(L ++ L), lists:last(L ++ [end_of_it]), L ++ [] =:= L}]),
    io:format("~w~n", [{lists:member(N, L), lists:member(x, L), lists:keyfind(N, 1, [{I} || I <- L])}]),
    io:format("~w~n", [{length(L -- L), L -- lists:reverse(tl(L)), length((L ++ L) -- L), L -- [5, 5, x, 6] =:= [I || I <- L, I =/= 5, I =/= 6]}]),
    io:format("~w~n", [erlang:phash2((L ++ lists:reverse(L)) -- lists:seq(1, N, 3))]),
    io:format("~w~n", [length([{I rem 100} || I <- L] -- [{I rem 50} || I <- L])]).

traces() ->
    Bad = lists:seq(1, 3000) ++ oops,
    [report(F) || F <- [fun() -> Bad ++ [] end, fun() -> Bad -- [1] end, fun() -> [1] -- Bad end, fun() -> erlang:append(Bad, a) end, fun() -> length(id(Bad)) end, fun() -> list_to_tuple(Bad) end,
        fun() -> element(5, id({a})) end, fun() -> setelement(0, id({a}), x) end, fun() -> hd(id([])) end]].

%% Arguments only by their hash: they are long.
report(F) ->
    try F() catch C:R:S -> {M, N, A, I} = hd(S), io:format("~p~n", [{C, R, M, N, erlang:phash2(A), I}]) end.
