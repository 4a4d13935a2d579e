%% Programs for tests/command/seed.sh, which --seed is to repeat and --seed-sweep is to break.
-module(seeded).
-export([start/0, race/0, bank/0, fine/0, busy/0]).

start() -> race().

%% All that chance decides: who runs when, which timer comes first, references, times, random numbers.
race() ->
    T = ets:new(counter, [public]),
    ets:insert(T, {n, 0}),
    S = self(),
    Ps = [spawn_monitor(fun() -> worker(T, S, I) end) || I <- lists:seq(1, 8)],
    [erlang:send_after(20, S, {tie, I}) || I <- lists:seq(1, 5)],
    Order = [receive {'DOWN', R, process, P, Why} -> {P, R, Why}; Other -> Other end || _ <- lists:seq(1, 3 * length(Ps) + 5)],
    io:format("~p~n~p~n", [Order, {ets:lookup(T, n), erlang:unique_integer(), erlang:monotonic_time(), os:system_time(), rand:uniform(1000000)}]).

worker(T, S, I) ->
    [begin
        [{n, N}] = ets:lookup(T, n),
        ets:insert(T, {n, N + 1})
     end || _ <- lists:seq(1, 5)],
    S ! {I, make_ref()},
    receive after rand:uniform(20) -> ok end,
    S ! {I, late, erlang:monotonic_time()},
    exit({I, length(lists:seq(1, rand:uniform(1000)))}).

%% The planted bug: who pays looks at the balance, and asks for the money in a second message. 0: nobody has overdrawn.
bank() ->
    Account = spawn(fun() -> account(100) end),
    S = self(),
    spawn(fun() -> pay(Account, 60), S ! paid end),
    spawn(fun() -> receive after 10 -> pay(Account, 60), S ! paid end end), % long enough for the other one, surely
    [receive paid -> ok end || _ <- [1, 2]],
    case ask(Account, balance) of
        Balance when Balance >= 0 -> 0;
        Balance -> io:format("overdrawn: ~p~n", [Balance]), 1
    end.

pay(Account, Sum) ->
    case ask(Account, balance) of
        Balance when Balance >= Sum ->
            [ask(Account, balance) || _ <- [1, 2, 3, 4, 5, 6]], % dawdles
            ask(Account, {take, Sum});
        _ -> refused
    end.

ask(Account, What) ->
    R = make_ref(),
    Account ! {self(), R, What},
    receive {R, Answer} -> Answer end.

account(Balance) ->
    receive
        {From, R, balance} -> From ! {R, Balance}, account(Balance);
        {From, R, {take, Sum}} -> From ! {R, ok}, account(Balance - Sum)
    end.

%% What no seed can break; a day passes in it.
fine() ->
    S = self(),
    [spawn(fun() -> receive after 86400000 -> S ! {self(), done} end end) || _ <- lists:seq(1, 10)],
    [receive {_, done} -> ok end || _ <- lists:seq(1, 10)],
    0.

%% Time also goes on while somebody works.
busy() -> busy(erlang:monotonic_time(millisecond) + 5000).

busy(End) ->
    case erlang:monotonic_time(millisecond) of
        Now when Now < End -> busy(End);
        _ -> 0
    end.
