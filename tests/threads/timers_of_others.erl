%% Timers that others cancel while they fire and while their owners end: one that has been cancelled does not fire, one that has not
%% does, and those of a process that has ended are gone.
-module(timers_of_others).
-export([main/0, start/0]).

start() -> main(), halt().

main() ->
    Rounds = 5 * list_to_integer(os:getenv("ROUNDS", "40")),
    Others = [spawn_link(fun others/0) || _ <- lists:seq(1, 3)],
    Workers = [spawn_monitor(fun() -> work(Kind, Rounds, Others) end) || Kind <- [lives, ends, sends, named], _ <- [1, 2]],
    io:format("~p~n", [lists:usort([receive {'DOWN', R, process, P, Why} -> Why end || {P, R} <- Workers])]).

%% Cancels what it is told of, reading some before, and says what became of it.
others() ->
    receive
        {From, Ts} ->
            From ! {self(), [{T, cancel(T)} || T <- Ts]},
            others()
    end.

cancel(T) ->
    case rand:uniform(4) of
        1 ->
            ok = erlang:cancel_timer(T, [{async, true}]),
            receive {cancel_timer, T, Left} -> Left end;
        2 ->
            _ = erlang:read_timer(T),
            erlang:cancel_timer(T);
        _ ->
            erlang:cancel_timer(T)
    end.

work(_, 0, _) ->
    ok;
work(lives, N, Others) ->
    Ts = [set(self()) || _ <- lists:seq(1, 30)],
    Cancelled = tell(Others, Ts),
    Fired = collect(length(Ts) - length(Cancelled)),
    lists:sort(Cancelled ++ Fired) =:= lists:sort(Ts) orelse exit({lives, length(Cancelled), length(Fired)}),
    work(lives, N - 1, Others);
work(ends, N, Others) ->
    Me = self(),
    {P, R} = spawn_monitor(fun() -> end_soon(Me, N) end),
    Ts = receive {P, Set} -> Set end,
    tell(Others, Ts),
    receive {'DOWN', R, _, _, _} -> ok end,
    [] = [T || T <- Ts, erlang:read_timer(T) =/= false orelse erlang:cancel_timer(T) =/= false],
    work(ends, N - 1, Others);
work(sends, N, Others) -> % to a process that ends
    {P, R} = spawn_monitor(fun() -> receive after rand:uniform(3) - 1 -> ok end end),
    Ts = [set(P) || _ <- lists:seq(1, 30)],
    tell(Others, Ts),
    receive {'DOWN', R, _, _, _} -> ok end,
    [] = [T || T <- Ts, erlang:read_timer(T) =/= false],
    work(sends, N - 1, Others);
work(named, N, Others) ->
    Name = list_to_atom("t" ++ integer_to_list(erlang:phash2(self(), 10))),
    whereis(Name) =:= self() orelse catch register(Name, self()),
    Ts = [set(Name) || whereis(Name) =:= self(), _ <- lists:seq(1, 30)],
    Cancelled = tell(Others, Ts),
    Fired = collect(length(Ts) - length(Cancelled)),
    lists:sort(Cancelled ++ Fired) =:= lists:sort(Ts) orelse exit({named, length(Cancelled), length(Fired)}),
    work(named, N - 1, Others).

set(To) -> erlang:start_timer(rand:uniform(4) - 1, To, x).

end_soon(To, N) ->
    To ! {self(), [set(self()) || _ <- lists:seq(1, 30)]},
    N rem 2 =:= 0 orelse receive after rand:uniform(3) - 1 -> ok end.

%% All of them are told of all: each timer is cancelled once at most.
tell(Others, Ts) ->
    [P ! {self(), Ts} || P <- Others],
    Cancelled = lists:append([receive {P, Left} -> [T || {T, L} <- Left, L =/= false] end || P <- Others]),
    length(lists:usort(Cancelled)) =:= length(Cancelled) orelse exit(cancelled_twice),
    Cancelled.

collect(0) -> receive {timeout, T, x} -> [T] after 0 -> [] end;
collect(N) -> receive {timeout, T, x} -> [T | collect(N - 1)] after 20000 -> [] end.
