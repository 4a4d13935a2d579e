%% Concurrency: programs that are timed (with those of b_processes that bench/concurrency.py names), and figures of other kinds.
-module(b_concurrency).
-export([programs/0, million/1, wait/1, work/1, latency/1]).

programs() ->
    [{parallel_map, fun() -> parallel_map(60, 400) end},
     {timers, fun() -> timers(100000) end},
     {timeouts, fun() -> timeouts(200000) end},
     {large_message, fun() -> large_message(60, 100000) end},
     {to_many, fun() -> to_many(10000, 60) end},
     {monitors, fun() -> monitors(200000) end},
     {shared_table, fun() -> shared_table(8, 40000) end}].

%% A process per element.
parallel_map(0, _) -> ok;
parallel_map(Rounds, N) ->
    Self = self(),
    Refs = [begin R = make_ref(), spawn_link(fun() -> Self ! {R, sum(I, 2000)} end), R end || I <- lists:seq(1, N)],
    L = [receive {R, V} -> V end || R <- Refs],
    true = length(L) =:= N,
    parallel_map(Rounds - 1, N).

sum(S, 0) -> S;
sum(S, N) -> sum((S * 31 + N) band 16#ffffff, N - 1).

%% Started, half of them cancelled, the others fire.
timers(0) -> ok;
timers(N) ->
    Self = self(),
    Ts = [erlang:send_after(1 + I rem 5, Self, t) || I <- lists:seq(1, 1000)],
    Cancelled = cancel(Ts, 0),
    receive_all(1000 - Cancelled),
    timers(N - 1000).

cancel([A, _ | Ts], N) -> case erlang:cancel_timer(A) of false -> cancel(Ts, N); _ -> cancel(Ts, N + 1) end;
cancel([], N) -> N.

receive_all(0) -> ok;
receive_all(N) -> receive t -> receive_all(N - 1) end.

%% Receives with a timeout that never comes.
timeouts(N) ->
    Self = self(),
    P = spawn_link(fun() -> echo(Self) end),
    timeouts(N, P).
timeouts(0, _) -> ok;
timeouts(N, P) -> P ! N, receive N -> timeouts(N - 1, P) after 60000 -> late end.

echo(To) -> receive X -> To ! X, echo(To) after 60000 -> late end.

large_message(Rounds, Size) ->
    Self = self(),
    Data = lists:seq(1, Size),
    P = spawn_link(fun() -> lengths(Self) end),
    lists:sum([begin P ! Data, receive L -> L end end || _ <- lists:seq(1, Rounds)]).

lengths(To) -> receive L -> To ! length(L), lengths(To) end.

%% One message each to many that wait, and their answers.
to_many(N, Rounds) ->
    Self = self(),
    Ps = [spawn_link(fun() -> waiter(Self) end) || _ <- lists:seq(1, N)],
    [begin [P ! t || P <- Ps], receive_all(N) end || _ <- lists:seq(1, Rounds)],
    ok.

waiter(To) -> receive t -> To ! t, waiter(To) end.

monitors(N) ->
    P = spawn_link(fun() -> receive stop -> ok end end),
    monitors(N, P).
monitors(0, _) -> ok;
monitors(N, P) -> demonitor(monitor(process, P), [flush]), monitors(N - 1, P).

%% Several processes read and write one table.
shared_table(Processes, N) ->
    T = ets:new(t, [public, {write_concurrency, true}, {read_concurrency, true}]),
    L = [spawn_monitor(fun() -> put_get(T, I, N) end) || I <- lists:seq(1, Processes)],
    [receive {'DOWN', R, _, _, normal} -> ok end || {_, R} <- L],
    ets:info(T, size).

put_get(_, _, 0) -> ok;
put_get(T, I, N) ->
    K = I * 1000 + N rem 500,
    true = ets:insert(T, {K, N}),
    [{K, N}] = ets:lookup(T, K),
    put_get(T, I, N - 1).

%% So many processes that wait: milliseconds to start them, bytes of resident memory each, milliseconds until all have answered. Each
%% knows the one before it, and wakes it: a list of all would count, too.
million([Count]) ->
    N = list_to_integer(atom_to_list(Count)),
    Self = self(),
    garbage_collect(),
    Before = bench:resident(),
    T0 = now_us(),
    Last = start(N, Self),
    T1 = now_us(),
    receive after 500 -> ok end,
    After = bench:resident(),
    T2 = now_us(),
    Last ! {t, 1},
    receive {t, Answered} when Answered =:= N + 1 -> ok end,
    T3 = now_us(),
    io:format("~w ~w ~w~n", [(T1 - T0) div 1000, (After - Before) div N, (T3 - T2) div 1000]),
    halt(0).

start(0, Last) -> Last;
start(N, Last) -> start(N - 1, spawn(?MODULE, wait, [Last])).

wait(Last) -> receive {t, I} -> Last ! {t, I + 1} end.

now_us() -> erlang:monotonic_time(microsecond).

%% How much work one process does in half a second, and how much two do together, side by side: a few times in turn; the best of each.
work(_) ->
    Rates = [{rate(1, 300), rate(2, 300)} || _ <- [1, 2, 3, 4]],
    {Ones, Twos} = lists:unzip(Rates),
    io:format("~w ~w~n", [lists:max(Ones), lists:max(Twos)]),
    halt(0).

rate(Processes, Milliseconds) ->
    Self = self(),
    Ps = [spawn_link(fun() -> receive go -> rounds(Self, 0) end end) || _ <- lists:seq(1, Processes)],
    [P ! go || P <- Ps],
    receive after 30 -> ok end, % the other scheduler has begun
    [P ! mark || P <- Ps],
    T0 = now_us(),
    receive after Milliseconds -> ok end,
    [P ! stop || P <- Ps],
    T1 = now_us(),
    Done = lists:sum([receive {done, P, N} -> N end || P <- Ps]),
    Done * 1000000 div (T1 - T0).

rounds(To, N) ->
    sum(N, 1000),
    receive
        mark -> rounds(To, 0);
        stop -> To ! {done, self(), N}
    after 0 -> rounds(To, N + 1)
    end.

%% A timer of a millisecond while all cores are busy, two processes each: how late it is, in microseconds (half, 99 %, 99.9 % of all, and the worst).
latency([Count]) ->
    N = list_to_integer(atom_to_list(Count)),
    [spawn_link(fun() -> busy(0) end) || _ <- lists:seq(1, 2 * erlang:system_info(logical_processors))],
    receive after 100 -> ok end,
    L = lists:sort(late(N, [])),
    io:format("~w ~w ~w ~w~n", [lists:nth(max(1, round(N * P)), L) || P <- [0.5, 0.99, 0.999, 1.0]]),
    halt(0).

late(0, L) -> L;
late(N, L) ->
    T0 = now_us(),
    receive after 1 -> ok end,
    late(N - 1, [now_us() - T0 - 1000 | L]).

busy(N) -> sum(N, 100000), busy(N + 1).
