%% Ordered sets whose keys are compound: patterns with a part of the key, in both directions, whole and in chunks; the order of tuples.
-module(ets_partly_bound).
-export([main/0]).

main() ->
    Words = [1, 2, 1.0, a, b, [], [1], [a | b], {}, {1}, {1, 2}, #{}, #{a => 1}, <<"x">>, 1 bsl 70, "text"],
    Keys = [K || A <- Words, B <- Words, K <- [{A, B}, [A, B], [A | B], {A, {B, 1}}, {{A, B}, 2, B}, A]],
    T = ets:new(t, [ordered_set]),
    [ets:insert(T, {K, N}) || {N, K} <- lists:enumerate(Keys)],
    io:format("~w~n", [ets:info(T, size)]),
    io:format("~w~n", [ets:tab2list(T)]),
    Patterns = [P || A <- Words, P <- [{A, '_'}, {A, '$1'}, {'_', A}, [A | '_'], ['$1', A], [A, '$1'], {A, {'$1', '_'}}, {A, {'$1', 1}}, {{A, '$1'}, '_', '$1'},
                                       {{'$1', A}, 2, '_'}, #{A => '$1'}, {'$1', A, '_'}]] ++ ['_', '$1', {'_', '_'}, ['_' | '_'], {'$1', '$1'}, {{'_', '_'}, '_', '_'}],
    [io:format("~w: ~w~n", [P, found(T, P)]) || P <- Patterns],
    io:format("~w~n", [lists:sum([ets:select_delete(T, [{{P, '_'}, [], [true]}]) || P <- Patterns])]).

%% How many, and that all ways to find them agree.
found(T, P) ->
    Spec = [{{P, '$9'}, [], ['$9']}],
    L = ets:select(T, Spec),
    L = lists:reverse(ets:select_reverse(T, Spec)),
    L = chunks(ets:select(T, Spec, 3)),
    N = ets:select_count(T, [{{P, '_'}, [], [true]}]),
    {N, length(L), erlang:phash2(L)}.

chunks('$end_of_table') -> [];
chunks({L, C}) -> L ++ chunks(ets:select(C)).
