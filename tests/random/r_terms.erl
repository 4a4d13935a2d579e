%% Random terms: order, equality, hashes, external format both ways, printing, maps as sets of pairs.
-module(r_terms).
-export([main/0]).

main() -> run(t:count(), t:seed(), []).

run(0, _, Last) ->
    io:format("~w~n", [lists:sort(Last)]);
run(N, S0, Last) ->
    {T, S1} = term(4, S0),
    B = term_to_binary(T),
    true = binary_to_term(B) =:= T,
    C = term_to_binary(T, [compressed]),
    true = binary_to_term(C) =:= T,
    io:format("~p~n~w ~w ~w ~w~n", [T, erlang:phash2(T), erlang:phash(T, 1 bsl 32), erlang:md5(B), erlang:external_size(T)]),
    io:format("~w~n", [[{T < L, T == L, T =:= L, L =< T} || L <- Last]]),
    _ = [begin M = maps:from_list([{X, I} || {I, X} <- lists:zip(lists:seq(1, length(Last)), Last)]), io:format("~w ~w~n", [lists:sort(maps:to_list(M)), maps:size(maps:put(T, x, M))]) end || N rem 50 =:= 0],
    run(N - 1, S1, lists:sublist([T | Last], 8)).

term(0, S) -> leaf(S);
term(D, S0) ->
    {K, S1} = t:rand(12, S0),
    case K of
        0 -> {N, S2} = t:rand(5, S1), {L, S3} = terms(N, D - 1, S2), {list_to_tuple(L), S3};
        1 -> {N, S2} = t:rand(6, S1), terms(N, D - 1, S2);
        2 -> {A, S2} = term(D - 1, S1), {B, S3} = term(D - 1, S2), {[A | B], S3};
        3 -> {N, S2} = t:rand(5, S1), {K1, S3} = terms(N, D - 1, S2), {V1, S4} = terms(N, D - 1, S3), {maps:from_list(lists:zip(K1, V1)), S4};
        4 -> {N, S2} = t:rand(50, S1), {B, S3} = t:rand(1000, S2), {maps:from_list([{I * B, I} || I <- lists:seq(1, N), N < 33]), S3};
        5 -> {N, S2} = t:rand(30, S1), {lists:seq(65, 65 + N), S2};
        _ -> leaf(S1)
    end.

terms(0, _, S) -> {[], S};
terms(N, D, S0) ->
    {T, S1} = term(D, S0),
    {L, S2} = terms(N - 1, D, S1),
    {[T | L], S2}.

leaf(S0) ->
    {K, S1} = t:rand(13, S0),
    case K of
        0 -> t:rand(256, S1);
        1 -> {V, S2} = t:rand(1 bsl 31, S1), {-V, S2};
        2 -> {A, S2} = t:rand(1 bsl 31, S1), {B, S3} = t:rand(80, S2), {A bsl B, S3};
        3 -> {A, S2} = t:rand(1 bsl 31, S1), {B, S3} = t:rand(80, S2), {-(A bsl B), S3};
        4 -> {A, S2} = t:rand(1 bsl 31, S1), {(A - (1 bsl 30)) / 1000, S2};
        5 -> t:pick([a, b, ok, undefined, 'with space', 'ÅÄÖ', '', true, nil, 'x@y'], S1);
        6 -> {N, S2} = t:rand(80, S1), {list_to_binary([I * N rem 256 || I <- lists:seq(1, N)]), S2};
        7 -> {N, S2} = t:rand(30, S1), {A, S3} = t:rand(1 bsl 30, S2), {<<A:N>>, S3};
        8 -> t:pick([[], {}, #{}, <<>>, "string", 1.0, -1.0, 0.0, 0, 1], S1);
        9 -> t:pick([fun lists:map/2, fun erlang:abs/1, fun no:such/3], S1);
        10 -> {A, S2} = t:rand(1 bsl 20, S1), {float(A), S2};
        _ -> t:rand(1 bsl 28, S1)
    end.
