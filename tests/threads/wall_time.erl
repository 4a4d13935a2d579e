%% What scheduler_wall_time tells of schedulers that rest: no work, and never less than before.
-module(wall_time).
-export([main/0, start/0]).

start() -> main(), halt(0).

main() ->
    erlang:system_flag(scheduler_wall_time, true),
    rounds(list_to_integer(os:getenv("ROUNDS", "20")) div 10 + 1),
    io:format("~p~n", [erlang:system_flag(scheduler_wall_time, false)]).

rounds(0) -> ok;
rounds(N) ->
    Before = sample(),
    busy(), % so that all have been started, and rest now
    Begin = sample(),
    rest(100, Begin),
    later(Before, Begin) orelse io:format("back: ~p ~p~n", [Before, Begin]),
    rounds(N - 1).

%% On a busy machine one of them may wait for a processor while others rest.
rest(0, _) -> io:format("they do not rest~n");
rest(N, Before) ->
    receive after 50 -> ok end,
    Now = sample(),
    later(Before, Now) orelse io:format("back: ~p ~p~n", [Before, Now]),
    {Worked, Passed} = lists:foldl(fun({{I, A, T}, {I, B, U}}, {W, P}) -> {W + B - A, P + U - T} end, {0, 0}, lists:zip(Before, Now)),
    Worked * 2 < Passed orelse rest(N - 1, Now).

later(Before, Now) ->
    lists:all(fun({{I, A, T}, {I, B, U}}) -> B >= A andalso U >= T end, lists:zip(Before, Now)).

sample() ->
    lists:sort(erlang:statistics(scheduler_wall_time)).

busy() ->
    Workers = [spawn_monitor(fun() -> lists:sum(lists:seq(1, 20000)) end) || _ <- lists:seq(1, 100)],
    [receive {'DOWN', R, process, P, normal} -> ok end || {P, R} <- Workers].
