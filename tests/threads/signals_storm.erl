%% All kinds of signals between processes that die all the time; what must hold is checked, and only totals are printed.
-module(signals_storm).
-export([main/0, start/0]).

main() ->
    Workers = 8,
    Rounds = list_to_integer(os:getenv("ROUNDS", "300")),
    Self = self(),
    [spawn_link(fun() -> worker(Self, I, Rounds) end) || I <- lists:seq(1, Workers)],
    Results = [receive {done, I, N} -> N end || I <- lists:seq(1, Workers)],
    io:format("~w workers, ~w rounds~n", [length(Results), lists:sum(Results)]),
    io:format("~w~n", [lists:member(storm, [ets:new(storm, [named_table]) | ets:all()])]). %% asks every scheduler

start() -> main(), halt(0).

worker(Parent, I, Rounds) ->
    process_flag(trap_exit, true),
    Parent ! {done, I, rounds(Rounds, I)}.

rounds(0, _) -> 0;
rounds(N, I) ->
    %% A victim that everybody talks to while it dies.
    Victim = spawn(fun() -> victim(N rem 7) end),
    Ref = monitor(process, Victim),
    Talkers = [spawn_monitor(fun() -> talk(K, Victim, I) end) || K <- lists:seq(1, 5)],
    link(Victim),
    Victim ! {hello, self()},
    _ = process_info(Victim, [messages, links, monitors, status]),
    true = lists:member(is_process_alive(Victim), [true, false]),
    _ = erlang:garbage_collect(Victim),
    exit(Victim, stop),
    receive {'DOWN', Ref, process, Victim, _} -> ok after 20000 -> exit({no_down, N}) end,
    receive {'EXIT', Victim, _} -> ok after 20000 -> exit({no_exit, N}) end,
    [receive {'DOWN', R, process, P, Why} -> normal = Why after 20000 -> exit({no_talker, N}) end || {P, R} <- Talkers],
    order(),
    calls(20),
    1 + rounds(N - 1, I).

victim(0) -> exit(early);
victim(1) -> receive stop -> ok end;
victim(2) -> receive after 1 -> ok end;
victim(3) -> erlang:send_after(1, self(), stop), receive stop -> ok end;
victim(4) -> process_flag(trap_exit, true), receive {'EXIT', _, stop} -> exit(told) end;
victim(5) -> [spawn_link(fun() -> receive after infinity -> ok end end) || _ <- lists:seq(1, 3)], receive nothing -> ok end;
victim(6) -> T = ets:new(victim, [public]), ets:insert(T, {a, lists:seq(1, 20)}), catch register(victim_name, self()), receive nothing -> ok end.

talk(1, V, _) -> [V ! {K, lists:seq(1, K)} || K <- lists:seq(1, 20)], ok;
talk(2, V, _) -> R = monitor(process, V), demonitor(R, [flush]), R2 = monitor(process, V), receive {'DOWN', R2, _, _, _} -> ok after 20000 -> exit(no_down) end;
talk(3, V, _) -> process_flag(trap_exit, true), catch link(V), unlink(V), receive {'EXIT', V, _} -> ok after 0 -> ok end;
talk(4, V, _) -> catch erlang:suspend_process(V), catch erlang:resume_process(V), catch process_info(V), ok;
talk(5, V, I) ->
    catch (victim_name ! I),
    A = alias([reply]), V ! {call, A},
    T = erlang:start_timer(1000, V, x), erlang:cancel_timer(T),
    catch group_leader(group_leader(), V),
    unalias(A),
    ok.

%% One sender's messages come in order, none lost, none twice.
order() ->
    Self = self(),
    Tag = make_ref(),
    spawn(fun() -> [Self ! {Tag, K} || K <- lists:seq(1, 50)] end),
    [receive {Tag, K} -> ok; {Tag, Other} -> exit({order, K, Other}) after 20000 -> exit({lost, K}) end || K <- lists:seq(1, 50)],
    receive {Tag, _} -> exit(twice) after 0 -> ok end.

calls(N) ->
    S = spawn(fun server/0),
    [begin R = make_ref(), S ! {self(), R, K}, receive {R, K} -> ok after 20000 -> exit(no_answer) end end || K <- lists:seq(1, N)],
    S ! stop.

server() ->
    receive {P, R, K} -> P ! {R, K}, server(); stop -> ok end.
