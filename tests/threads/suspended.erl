%% Suspension, asked for with and without waiting, of processes that run elsewhere: who is said to be suspended stands still, who is resumed as
%% often goes on, and every request is answered once.
-module(suspended).
-export([main/0]).

main() ->
    Counter = counters:new(2, []),
    [A, B] = [spawn(fun() -> busy(Counter, I) end) || I <- [1, 2]],
    Rounds = t:shrink(200),
    [round(N, P, Counter, I) || N <- lists:seq(1, Rounds), {P, I} <- [{A, 1}, {B, 2}]],
    io:format("~p~n", [suspending()]),
    dies_while_suspending(A, Counter),
    exited(B),
    exit(A, kill),
    io:format("done~n").

busy(Counter, I) ->
    counters:add(Counter, I, 1),
    receive {ask, From} -> From ! {answer, self()} after 0 -> ok end,
    busy(Counter, I).

%% So many requests, some of which wait; then as many are taken back.
round(N, P, Counter, I) ->
    Ways = [way((N bsr K) band 3) || K <- [0, 2, 4]],
    Tags = [suspend(P, W) || W <- Ways],
    [receive {T, What} -> suspended = What end || T <- Tags, T =/= none],
    {P, Active, Outstanding} = lists:keyfind(P, 1, suspending()),
    3 = Active + Outstanding,
    case [W || W <- Ways, W =:= silent] of
        [] -> 0 = Outstanding;
        _ -> ok
    end,
    erlang:suspend_process(P), % all before is in effect now
    {P, 4, 0} = lists:keyfind(P, 1, suspending()),
    suspended_stands(P, Counter, I),
    [true = erlang:resume_process(P) || _ <- [1, 2, 3]],
    {P, 1, 0} = lists:keyfind(P, 1, suspending()),
    suspended_stands(P, Counter, I),
    true = erlang:resume_process(P),
    false = lists:keyfind(P, 1, suspending()),
    {'EXIT', {badarg, _}} = (catch erlang:resume_process(P)),
    P ! {ask, self()},
    receive {answer, P} -> ok end.

way(0) -> waits;
way(1) -> silent;
way(_) -> answers.
suspend(P, waits) -> true = erlang:suspend_process(P), none;
suspend(P, silent) -> true = erlang:suspend_process(P, [asynchronous]), none;
suspend(P, answers) ->
    T = make_ref(),
    true = erlang:suspend_process(P, [{asynchronous, T}]),
    T.

suspending() -> element(2, process_info(self(), suspending)).

suspended_stands(P, Counter, I) ->
    {status, suspended} = process_info(P, status),
    N = counters:get(Counter, I),
    erlang:yield(),
    N = counters:get(Counter, I).

%% What a process that ends has suspended goes on, also where that was still outstanding.
dies_while_suspending(P, Counter) ->
    [begin
         {Q, M} = spawn_monitor(fun() -> [erlang:suspend_process(P, O) || O <- [[asynchronous], [], [asynchronous], [asynchronous, unless_suspending]]], N > 5 orelse receive after 2 -> ok end end),
         receive {'DOWN', M, process, Q, normal} -> ok end,
         P ! {ask, self()},
         receive {answer, P} -> ok end,
         N0 = counters:get(Counter, 1),
         P ! {ask, self()},
         receive {answer, P} -> ok end,
         true = counters:get(Counter, 1) > N0
     end || N <- lists:seq(1, 20)].

exited(P) ->
    exit(P, kill),
    T = make_ref(),
    true = erlang:suspend_process(P, [{asynchronous, T}]),
    receive {T, exited} -> ok end,
    {'EXIT', {badarg, _}} = (catch erlang:suspend_process(P)),
    io:format("~p~n", [suspending()]).
