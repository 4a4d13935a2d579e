%% A timer is cancelled, or fires: cancel_timer says which, however threads wait in between.
-module(timers_cancelled).
-export([main/0, start/0]).

start() -> main(), halt(0).

main() ->
    Rounds = 20 * list_to_integer(os:getenv("ROUNDS", "40")),
    Workers = [spawn_monitor(fun() -> work(Rounds) end) || _ <- lists:seq(1, 8)],
    io:format("~p~n", [lists:usort([receive {'DOWN', R, process, P, Why} -> Why end || {P, R} <- Workers])]).

work(0) -> finish(erlang:monotonic_time(millisecond) + 20000);
work(N) ->
    [one() || _ <- lists:seq(1, rand:uniform(10))],
    drain(),
    work(N - 1).

one() ->
    T = erlang:start_timer(rand:uniform(3) - 1, self(), x),
    put(T, waits),
    case rand:uniform(4) > 1 andalso erlang:cancel_timer(T) of
        Left when is_integer(Left) -> erase(T);
        false -> waits
    end.

drain() -> receive M -> fired(M), drain() after 0 -> ok end.

fired({timeout, T, x}) -> erase(T) =:= undefined andalso exit(fired_and_cancelled).

finish(Until) ->
    case [T || {T, waits} <- get()] of
        [] -> ok;
        Left ->
            receive M -> fired(M) after 100 -> ok end,
            erlang:monotonic_time(millisecond) < Until orelse exit({neither, [erlang:read_timer(T) || T <- Left]}),
            finish(Until)
    end.
