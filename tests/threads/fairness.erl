%% What stands behind a busy process of a higher priority, or with many others, goes to another scheduler.
-module(fairness).
-export([main/0]).

main() ->
    Schedulers = erlang:system_info(schedulers_online),
    process_flag(priority, max),
    High = [spawn_opt(fun() -> busy(0) end, [{priority, high}]) || _ <- lists:seq(2, Schedulers)],
    io:format("behind high ones: ~p~n", [all_run(100)]),
    [exit(P, kill) || P <- High],
    %% All are made runnable by this process, in one queue.
    io:format("many: ~p~n", [shares(100)]),
    halt(0).

busy(N) -> busy(N + 1).

rounds(0) -> ok;
rounds(N) -> sum(2000, 0), rounds(N - 1).

sum(0, S) -> S;
sum(N, S) -> sum(N - 1, (S + N) band 16#ffff).

%% They never rest: who stands in vain would wait for ever.
all_run(N) ->
    Me = self(),
    Workers = [spawn(fun() -> rounds(20), Me ! {ran, self()}, busy(0) end) || _ <- lists:seq(1, N)],
    Ran = [receive {ran, P} -> ran end || P <- Workers],
    [exit(P, kill) || P <- Workers],
    lists:usort(Ran).

%% Nobody has done less than a twentieth of what they did on average. The system is not fair to threads in a short time.
shares(N) ->
    Counts = counters:new(N, []),
    Workers = [spawn(fun Count() -> sum(500, 0), counters:add(Counts, I, 1), Count() end) || I <- lists:seq(1, N)],
    wait(Counts, N, N * t:shrink(4000)),
    [exit(P, kill) || P <- Workers],
    Done = [counters:get(Counts, I) || I <- lists:seq(1, N)],
    lists:min(Done) * 20 >= lists:sum(Done) div N orelse lists:sort(Done).

wait(Counts, N, Wanted) ->
    receive after 5 -> ok end,
    case lists:sum([counters:get(Counts, I) || I <- lists:seq(1, N)]) of
        Sum when Sum < Wanted -> wait(Counts, N, Wanted);
        _ -> ok
    end.
