%% What schedulers do with their time: its shape, and that it is spent where it was spent.
-module(scheduler_times).
-export([main/0]).

main() ->
    t:show("off", fun() -> erlang:statistics(scheduler_wall_time) end),
    t:show("on", fun() -> {erlang:system_flag(scheduler_wall_time, true), erlang:system_flag(scheduler_wall_time, true)} end),
    t:show("asleep", fun() -> share(fun() -> timer:sleep(t:shrink(400)) end) < 0.5 end),
    t:show("busy", fun() -> share(fun() -> busy(erlang:monotonic_time(millisecond) + 200) end) * erlang:system_info(schedulers) > 0.3 end),
    t:show("off again", fun() -> {erlang:system_flag(scheduler_wall_time, false), is_list(erlang:statistics(scheduler_wall_time_all)),
        erlang:system_flag(scheduler_wall_time, false), erlang:statistics(scheduler_wall_time_all)} end),
    t:show("flags", fun() -> [erlang:system_flag(microstate_accounting, F) || F <- [true, reset, false, false]] end),
    t:show("states", fun() ->
        lists:usort([{lists:sort(maps:keys(M)), lists:sort(maps:keys(maps:get(counters, M)))} || M = #{type := scheduler} <- erlang:statistics(microstate_accounting)])
    end),
    t:all([{"bad", fun() -> erlang:system_flag(W, x) end} || W <- [scheduler_wall_time, microstate_accounting]]),
    t:show("stopped", fun() ->
        erlang:system_flag(microstate_accounting, true), timer:sleep(20), erlang:system_flag(microstate_accounting, false),
        A = sleeping(), timer:sleep(20), B = sleeping(),
        erlang:system_flag(microstate_accounting, reset),
        {A > 0, A =:= B, sleeping()}
    end).

%% Of all time, the part in which schedulers were active.
share(F) ->
    Before = lists:sort(erlang:statistics(scheduler_wall_time)),
    F(),
    Pairs = lists:zip(Before, lists:sort(erlang:statistics(scheduler_wall_time))),
    lists:sum([A1 - A0 || {{I, A0, _}, {I, A1, _}} <- Pairs]) / lists:sum([T1 - T0 || {{I, _, T0}, {I, _, T1}} <- Pairs]).

busy(End) -> case erlang:monotonic_time(millisecond) < End of true -> busy(End); false -> ok end.

sleeping() -> lists:sum([maps:get(sleep, maps:get(counters, M)) || M = #{type := scheduler} <- erlang:statistics(microstate_accounting)]).
