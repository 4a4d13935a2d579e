%% Calls: recursion, tail calls, funs, apply, exceptions.
-module(b_calls).
-export([programs/0, add/2]).

programs() ->
    [{fib, fun() -> fib(36) end},
     {tak, fun() -> tak(28, 19, 9) + tak(24, 16, 8) end},
     {ackermann, fun() -> ack(2, 1500) + ack(3, 9) end},
     {loop, fun() -> loop(60000000, 0) end},
     {closures, fun() -> closures(6000000, 0) end},
     {apply, fun() -> applied(?MODULE, add, 10000000, 0) end},
     {exceptions, fun() -> exceptions(2500000, 0) end},
     {queens, fun() -> queens(11) end},
     {state_machine, fun() -> machine(idle, 40000000, 0) end}].

fib(N) when N < 2 -> N;
fib(N) -> fib(N - 1) + fib(N - 2).

tak(X, Y, Z) when Y >= X -> Z;
tak(X, Y, Z) -> tak(tak(X - 1, Y, Z), tak(Y - 1, Z, X), tak(Z - 1, X, Y)).

ack(0, N) -> N + 1;
ack(M, 0) -> ack(M - 1, 1);
ack(M, N) -> ack(M - 1, ack(M, N - 1)).

loop(0, S) -> S;
loop(N, S) -> loop(N - 1, (S + N) band 16#ffffff).

closures(0, S) -> S;
closures(N, S) ->
    F = fun(X) -> X + N end,
    G = fun(X) -> F(X) - S end,
    closures(N - 1, G(S) band 1023).

add(A, B) -> (A + B) band 65535.

applied(_, _, 0, S) -> S;
applied(M, F, N, S) -> applied(M, F, N - 1, M:F(S, N)).

exceptions(0, S) -> S;
exceptions(N, S) ->
    R = try risky(N band 7) catch throw:X -> X; error:badarg -> 3 end,
    exceptions(N - 1, S + R).

risky(0) -> throw(1);
risky(1) -> error(badarg);
risky(N) when N > 4 -> N;
risky(N) -> risky(N + 1) + 1.

queens(N) -> length(place(N, N)).

place(0, _) -> [[]];
place(K, N) -> [[Q | B] || B <- place(K - 1, N), Q <- lists:seq(1, N), safe(Q, B, 1)].

safe(_, [], _) -> true;
safe(Q, [H | T], D) -> Q =/= H andalso abs(Q - H) =/= D andalso safe(Q, T, D + 1).

machine(_, 0, S) -> S;
machine(idle, N, S) when N rem 3 =:= 0 -> machine(busy, N - 1, S + 1);
machine(idle, N, S) -> machine(ready, N - 1, S);
machine(ready, N, S) when S band 1 =:= 0 -> machine(idle, N - 1, S + 3);
machine(ready, N, S) -> machine(busy, N - 1, S);
machine(busy, N, S) -> machine(idle, N - 1, S + 2).
