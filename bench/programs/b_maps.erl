%% Maps.
-module(b_maps).
-export([programs/0]).

programs() ->
    [{small_map_update, fun() -> small(4000000, #{a => 0, b => 0, c => 0, d => 1}) end},
     {large_map, fun() -> large(400000, #{}) end},
     {map_iterate, fun() -> iterate(800, maps:from_list([{I, I} || I <- lists:seq(1, 5000)]), 0) end},
     {map_match, fun() -> match(6000000, #{kind => circle, radius => 3, name => x}, 0) end},
     {word_count, fun() -> count(20) end}].

small(0, #{a := A, b := B}) -> A + B;
small(N, #{a := A} = M) when N band 1 =:= 0 -> small(N - 1, M#{a := A + 1, d => N});
small(N, #{b := B} = M) -> small(N - 1, M#{b := B + 2}).

large(0, M) -> lists:sum([map_get(I * 7 rem 50000, M) || I <- lists:seq(1, 50000)]);
large(N, M) -> large(N - 1, M#{N rem 50000 => N}).

iterate(0, _, S) -> S;
iterate(N, M, S) -> iterate(N - 1, M, (S + maps:fold(fun(K, V, A) -> K + V + A end, 0, M)) band 16#ffff).

match(0, _, S) -> S;
match(N, M, S) -> match(N - 1, M, S + area(M) band 3).

area(#{kind := square, side := S}) -> S * S;
area(#{kind := circle, radius := R}) -> 3 * R * R.

count(0) -> 0;
count(N) ->
    Words = [erlang:phash2({N, I}, 3000) || I <- lists:seq(1, 20000)],
    M = lists:foldl(fun(W, A) -> maps:update_with(W, fun(C) -> C + 1 end, 1, A) end, #{}, Words),
    map_size(M) + count(N - 1).
