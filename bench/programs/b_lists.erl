%% Lists.
-module(b_lists).
-export([programs/0]).

programs() ->
    [{nrev, fun() -> nrev_loop(150, lists:seq(1, 1000), 0) end},
     {quicksort, fun() -> sort_loop(250, random(4000)) end},
     {list_sum, fun() -> sum_loop(1000, lists:seq(1, 100000), 0) end},
     {sieve, fun() -> length(sieve(lists:seq(2, 40000))) end},
     {map_filter_fold, fun() -> mff(100) end},
     {merge_sort, fun() -> lists:sum([hd(lists:sort(random(200000))) || _ <- lists:seq(1, 4)]) end},
     {permutations, fun() -> length(perms([1, 2, 3, 4, 5, 6, 7, 8, 9])) end},
     {keyfind, fun() -> keys(15000, [{I, I * I} || I <- lists:seq(1, 1000)], 0) end}].

nrev_loop(0, _, S) -> S;
nrev_loop(N, L, S) -> nrev_loop(N - 1, L, S + hd(nrev(L))).

nrev([]) -> [];
nrev([H | T]) -> app(nrev(T), [H]).

app([], L) -> L;
app([H | T], L) -> [H | app(T, L)].

random(N) -> random(N, 42, []).
random(0, _, Acc) -> Acc;
random(N, X, Acc) -> random(N - 1, (X * 1103515245 + 12345) band 16#7fffffff, [X | Acc]).

sort_loop(1, L) -> hd(quicksort(L));
sort_loop(N, L) -> quicksort(L), sort_loop(N - 1, L).

quicksort([]) -> [];
quicksort([P | T]) ->
    {Less, More} = part(P, T, [], []),
    app(quicksort(Less), [P | quicksort(More)]).

part(_, [], L, M) -> {L, M};
part(P, [H | T], L, M) when H < P -> part(P, T, [H | L], M);
part(P, [H | T], L, M) -> part(P, T, L, [H | M]).

sum_loop(0, _, S) -> S;
sum_loop(N, L, S) -> sum_loop(N - 1, L, (S + sum(L, 0)) band 16#ffffff).

sum([], S) -> S;
sum([H | T], S) -> sum(T, S + H).

sieve([]) -> [];
sieve([P | T]) -> [P | sieve([X || X <- T, X rem P =/= 0])].

mff(0) -> 0;
mff(N) ->
    L = lists:map(fun(X) -> X * 2 end, lists:seq(1, 20000)),
    M = lists:filter(fun(X) -> X rem 3 =:= 0 end, L),
    (lists:foldl(fun(X, A) -> X + A end, 0, M) + mff(N - 1)) band 16#ffff.

perms([]) -> [[]];
perms(L) -> [[H | T] || H <- L, T <- perms(L -- [H])].

keys(0, _, S) -> S;
keys(N, L, S) ->
    {_, V} = lists:keyfind(N rem 1000 + 1, 1, L),
    B = lists:member(V, [a, b, c, V]),
    R = lists:reverse(L),
    keys(N - 1, L, (S + V + length(R) + case B of true -> 1; false -> 0 end) band 16#ffff).
