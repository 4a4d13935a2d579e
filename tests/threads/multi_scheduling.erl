%% Blocking multi-scheduling, and changing how many schedulers are online: answers, and that nobody else runs meanwhile.
-module(multi_scheduling).
-export([main/0]).

main() ->
    told(), counted(), blocking(), alone(), online(), queues(), times().

flag(F, V) -> erlang:system_flag(F, V).
info(I) -> erlang:system_info(I).
all() -> info(schedulers).

told() ->
    t:all([
        {"schedulers_state", fun() -> info(schedulers_state) =:= {all(), info(schedulers_online), info(schedulers_online)} end},
        {"all_schedulers_state", fun() -> [{N, is_integer(A), A >= B, B >= C} || {N, A, B, C} <- info(all_schedulers_state)] end},
        {"run_queues", fun() -> info(run_queues) =:= all() end},
        {"schedulers_total", fun() -> info(schedulers_total) =:= all() end},
        {"scheduler_id", fun() -> I = info(scheduler_id), I >= 1 andalso I =< all() end},
        {"bind type", fun() -> info(scheduler_bind_type) end},
        {"bindings", fun() -> info(scheduler_bindings) =:= list_to_tuple(lists:duplicate(all(), unbound)) end},
        {"dirty CPU", fun() -> {info(dirty_cpu_schedulers) =:= all(), info(dirty_cpu_schedulers_online) =:= info(schedulers_online)} end},
        {"dirty I/O", fun() -> info(dirty_io_schedulers) end},
        {"multi_scheduling", fun() -> {info(multi_scheduling), info(multi_scheduling_blockers), info(normal_multi_scheduling_blockers)} end}
    ]).

counted() ->
    t:all([{io_lib:format("~p ~p", [F, V]), fun() -> flag(F, V) end} ||
              F <- [schedulers_online, dirty_cpu_schedulers_online, multi_scheduling, scheduler_wall_time], V <- [0, -1, x, 1000000, 1.0, []]]),
    t:show("dirty CPU, set", fun() -> N = info(dirty_cpu_schedulers_online), {flag(dirty_cpu_schedulers_online, N) =:= N, info(dirty_cpu_schedulers_online) =:= N} end).

blocking() ->
    Me = self(),
    Who = fun() -> {info(multi_scheduling), info(multi_scheduling_blockers) =:= [Me], info(normal_multi_scheduling_blockers) =:= [Me], info(multi_scheduling) =:= enabled orelse element(3, info(schedulers_state)) =:= 1} end,
    t:show("blocked and unblocked", fun() ->
        [{V, flag(multi_scheduling, V), Who()} || V <- [block, block, unblock, block_normal, unblock, unblock, unblock_normal, unblock_normal, block_normal, block_normal, unblock_normal, unblock, unblock_normal]]
    end),
    t:show("by one that ends", fun() ->
        {P, R} = spawn_monitor(fun() -> flag(multi_scheduling, block), Me ! blocked, receive stop -> ok end end),
        receive blocked -> ok end,
        A = {info(multi_scheduling), info(multi_scheduling_blockers) =:= [P], flag(multi_scheduling, unblock)},
        exit(P, kill),
        receive {'DOWN', R, _, _, _} -> ok end,
        {A, info(multi_scheduling), info(multi_scheduling_blockers)}
    end),
    t:show("by many", fun() ->
        Rounds = list_to_integer(os:getenv("ROUNDS", "20")) div 4 + 1,
        L = [spawn_monitor(fun() -> [begin flag(multi_scheduling, block), lists:seq(1, 100), flag(multi_scheduling, unblock) end || _ <- lists:seq(1, Rounds)] end) || _ <- lists:seq(1, 10)],
        {[W || {_, R} <- L, W <- [receive {'DOWN', R, _, _, X} -> X end], W =/= normal], info(multi_scheduling)}
    end).

%% Workers say on which schedulers they run.
alone() ->
    C = counters:new(1, []),
    Me = self(),
    Work = fun Work(Ids) ->
        counters:add(C, 1, 1),
        receive {ask, From} -> From ! {self(), lists:usort(Ids)}, Work([]) after 0 -> Work([info(scheduler_id) | lists:sublist(Ids, 500)]) end
    end,
    L = [spawn_link(fun() -> Work([]) end) || _ <- lists:seq(1, 8)],
    Ask = fun() -> [P ! {ask, Me} || P <- L], lists:usort(lists:append([receive {P, Ids} -> Ids end || P <- L])) end,
    flag(multi_scheduling, block),
    Still = length([x || _ <- lists:seq(1, 20), still(C)]),
    Ask(),
    timer:sleep(20),
    Where = Ask(),
    flag(multi_scheduling, unblock),
    timer:sleep(20),
    Yields = os:getenv("MOTE_STRESS") =:= "yield", % then others run between any two calls, on this scheduler
    io:format("nobody else runs: ~p, on ~p scheduler~n", [Still >= 15 orelse Yields, length(Where)]),
    Online = flag(schedulers_online, 1),
    Ask(),
    timer:sleep(20),
    Ask(),
    timer:sleep(20),
    io:format("on ~p scheduler~n", [length(Ask())]),
    flag(schedulers_online, Online),
    [begin unlink(P), exit(P, kill) end || P <- L].

%% Within a slice: does anybody count meanwhile?
still(C) ->
    erlang:yield(),
    A = counters:get(C, 1),
    keep(1000),
    A =:= counters:get(C, 1).
keep(0) -> ok;
keep(N) -> keep(N - 1).

online() ->
    t:show("schedulers_online", fun() ->
        N = flag(schedulers_online, 1),
        A = {N =:= all(), info(schedulers_online), info(schedulers_state) =:= {N, 1, 1}},
        L = [spawn_monitor(fun() -> timer:sleep(5), exit(lists:sum(lists:seq(1, 10000))) end) || _ <- lists:seq(1, 50)],
        B = lists:usort([receive {'DOWN', R, _, _, X} -> X end || {_, R} <- L]),
        {A, B, flag(schedulers_online, N), info(schedulers_online) =:= N}
    end).

queues() ->
    t:all([{io_lib:format("~p", [I]), fun() -> L = erlang:statistics(I), {length(L) - all(), lists:all(fun(X) -> is_integer(X) andalso X >= 0 end, L)} end} ||
              I <- [run_queue_lengths, run_queue_lengths_all, active_tasks, active_tasks_all]]),
    t:all([{io_lib:format("~p", [I]), fun() -> N = erlang:statistics(I), is_integer(N) andalso N >= 0 end} ||
              I <- [run_queue, total_run_queue_lengths, total_run_queue_lengths_all]]),
    t:all([{io_lib:format("~p", [I]), fun() -> erlang:statistics(I) >= 1 end} || I <- [total_active_tasks, total_active_tasks_all]]),
    L = [spawn(fun() -> keep(100000000) end) || _ <- lists:seq(1, 20)],
    t:show("with work", fun() -> {erlang:statistics(total_run_queue_lengths) >= 10, erlang:statistics(total_active_tasks) >= 20} end),
    [exit(P, kill) || P <- L].

times() ->
    t:show("scheduler_wall_time", fun() ->
        A = erlang:statistics(scheduler_wall_time),
        B = flag(scheduler_wall_time, true),
        Ids = [[I || {I, _, _} <- lists:sort(erlang:statistics(W))] || W <- [scheduler_wall_time, scheduler_wall_time_all]],
        Good = lists:all(fun({_, X, Y}) -> X >= 0 andalso X =< Y end, erlang:statistics(scheduler_wall_time_all)),
        Wanted = [lists:seq(1, N) || N <- [all() + info(dirty_cpu_schedulers), all() + info(dirty_cpu_schedulers) + info(dirty_io_schedulers)]],
        {A, B, Ids =:= Wanted, Good, flag(scheduler_wall_time, false), erlang:statistics(scheduler_wall_time_all)}
    end).
