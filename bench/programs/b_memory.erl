%% Memory: many objects, long-lived ones, large tuples.
-module(b_memory).
-export([programs/0]).

programs() ->
    [{binary_trees, fun() -> trees(15, 120) end},
     {long_lived, fun() -> long_lived(3000000) end},
     {tuple_update, fun() -> tuple(1500000, erlang:make_tuple(40, 0)) end},
     {records, fun() -> records(8000000, {state, 0, 0, 0, []}) end}].

trees(_, 0) -> 0;
trees(D, N) -> check(make(D)) + trees(D, N - 1).

make(0) -> {leaf};
make(D) -> {node, make(D - 1), make(D - 1)}.

check({leaf}) -> 1;
check({node, L, R}) -> check(L) + check(R) + 1.

long_lived(N) ->
    Keep = [{I, [I]} || I <- lists:seq(1, 300000)],
    garbage(N, []) + length(Keep).

garbage(0, L) -> length(L);
garbage(N, L) when N rem 1000 =:= 0 -> garbage(N - 1, [N]);
garbage(N, L) -> garbage(N - 1, [{N, N} | L]).

tuple(0, T) -> element(7, T);
tuple(N, T) -> tuple(N - 1, setelement(N rem 40 + 1, T, N)).

records(0, {state, A, B, C, _}) -> A + B + C;
records(N, {state, A, B, C, L}) when N band 1 =:= 0 -> records(N - 1, {state, A + 1, B, C, L});
records(N, {state, A, B, C, L}) -> records(N - 1, {state, A, B + A band 7, C + 1, L}).
