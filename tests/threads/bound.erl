%% Processes that are bound to schedulers: where they run.
-module(bound).
-export([main/0]).

main() ->
    N = erlang:system_info(schedulers),
    Me = self(),
    Workers = [spawn_opt(fun() -> arrives(10000, I), Me ! {self(), stays(300, I)} end, [{scheduler, I}, link]) || I <- lists:seq(1, N), _ <- lists:seq(1, 20)],
    io:format("they stay: ~p~n", [lists:usort([receive {P, X} -> X end || P <- Workers])]),
    Moves = [{process_flag(scheduler, I) =:= (I - 1), here() =:= I} || I <- lists:seq(1, N)],
    io:format("it moves: ~p ~p ~p~n", [lists:usort(Moves), process_flag(scheduler, 0) =:= N, process_flag(scheduler, 0)]),
    Server = spawn_opt(fun server/0, [{scheduler, N}]),
    io:format("it is woken there: ~p~n", [lists:usort([begin receive after 1 -> ok end, asked(Server) end || _ <- lists:seq(1, 50)]) =:= [N]]),
    io:format("no such one: ~p~n", [[catch element(1, process_flag(scheduler, I)) || I <- [-1, N + 1, x]] =:= [catch element(1, process_flag(scheduler, I)) || I <- [x, x, x]]]),
    io:format("~p~n", [[try spawn_opt(fun() -> ok end, [{scheduler, I}]) catch C:E -> {C, E} end || I <- [-1, N + 1, x]]]),
    halt(0).

here() -> erlang:system_info(scheduler_id).

%% While its scheduler is being started, it may run on another one.
arrives(K, I) -> K =:= 0 orelse here() =:= I orelse begin erlang:yield(), arrives(K - 1, I) end.

%% Yields now and then, sleeps now and then.
stays(0, _) -> true;
stays(K, I) ->
    I = here(),
    [] = [x || X <- lists:seq(1, 100), X =:= 0],
    K rem 7 =:= 0 andalso erlang:yield(),
    K rem 50 =:= 0 andalso receive after 1 -> ok end,
    stays(K - 1, I).

server() ->
    receive {From, where} -> From ! {self(), here()} end,
    server().

asked(P) ->
    P ! {self(), where},
    receive {P, Where} -> Where end.
