%% Processes: spawning, messages, links, monitors, exits, names, timers, flags.
-module(processes).
-export([main/0, idle/0, back/1]).

main() ->
    process_flag(trap_exit, false),
    t:all([
        {"spawn send", fun() -> S = self(), P = spawn(fun() -> receive {S, X} -> S ! {self(), X * 2} end end), P ! {S, 21}, receive {P, R} -> R end end},
        {"spawn mfa", fun() -> P = spawn(?MODULE, back, [self()]), receive {P, hello} -> ok after 60000 -> timeout end end},
        {"order", fun() -> S = self(), spawn(fun() -> [S ! I || I <- lists:seq(1, 1000)] end), lists:seq(1, 1000) =:= [receive X -> X end || _ <- lists:seq(1, 1000)] end},
        {"selective", fun() -> self() ! a, self() ! b, self() ! c, receive c -> ok end, receive b -> ok end, receive a -> done end end},
        {"after 0", fun() -> receive _ -> something after 0 -> nothing end end},
        {"after 20", fun() -> T = erlang:monotonic_time(millisecond), receive never -> x after 20 -> erlang:monotonic_time(millisecond) - T >= 20 end end},
        {"bad timeout", fun() -> receive x -> y after t:pick([a], 1) -> z end end},
        {"monitor normal", fun() -> {P, R} = spawn_monitor(fun() -> ok end), receive {'DOWN', R, process, P, Why} -> Why end end},
        {"monitor exit", fun() -> {P, R} = spawn_monitor(fun() -> exit({some, reason}) end), receive {'DOWN', R, process, P, Why} -> Why end end},
        {"monitor dead", fun() -> P = spawn(fun() -> ok end), wait_dead(P), R = monitor(process, P), receive {'DOWN', R, process, P, Why} -> Why end end},
        {"monitor name", fun() -> R = monitor(process, no_such_name), receive {'DOWN', R, process, Obj, Why} -> {element(1, Obj), Why} end end},
        {"demonitor", fun() -> {P, R} = spawn_monitor(?MODULE, idle, []), true = demonitor(R, [flush]), exit(P, kill), wait_dead(P), receive {'DOWN', _, _, _, _} = D -> D after 0 -> none end end},
        {"link", fun() -> linked(fun() -> exit(oops) end) end},
        {"link normal", fun() -> linked(fun() -> ok end) end},
        {"link kill", fun() -> linked(fun() -> exit(self(), kill), receive x -> y end end) end},
        {"exit trapped", fun() -> S = self(), P = spawn(fun() -> process_flag(trap_exit, true), S ! ready, receive {'EXIT', From, R} -> exit({got, is_pid(From), R}) end end), R = monitor(process, P), receive ready -> exit(P, please) end, receive {'DOWN', R, _, _, Why} -> Why end end},
        {"exit kill", fun() -> P = spawn(?MODULE, idle, []), R = monitor(process, P), exit(P, kill), receive {'DOWN', R, _, _, Why} -> Why end end},
        {"exit normal ignored", fun() -> P = spawn(?MODULE, idle, []), exit(P, normal), A = is_process_alive(P), exit(P, kill), A end},
        {"link dies", fun() -> {P, R} = spawn_monitor(fun() -> spawn_link(fun() -> exit(first) end), receive x -> y end end), receive {'DOWN', R, _, P, Why} -> Why end end},
        {"unlink", fun() -> S = self(), P = spawn(fun() -> Q = spawn_link(?MODULE, idle, []), unlink(Q), exit(Q, bye), S ! {self(), alive} end), receive {P, A} -> A end end},
        {"register", fun() -> true = register(my_name, self()), my_name ! hi, R = receive hi -> whereis(my_name) =:= self() end, true = unregister(my_name), {R, whereis(my_name)} end},
        {"register twice", fun() -> register(n1, self()), try register(n1, self()) catch error:badarg -> badarg after unregister(n1) end end},
        {"send to no name", fun() -> try no_such_name ! x catch error:badarg -> badarg end end},
        {"send dead", fun() -> P = spawn(fun() -> ok end), wait_dead(P), P ! x end},
        {"dictionary", fun() -> undefined = put(k, 1), 1 = put(k, 2), put(j, x), {get(k), lists:sort([E || {K, _} = E <- get(), K =:= k orelse K =:= j]), erase(k), get(k), erase(j)} end},
        {"send_after", fun() -> R = erlang:send_after(5, self(), ping), receive ping -> is_reference(R) after 60000 -> late end end},
        {"start_timer", fun() -> R = erlang:start_timer(5, self(), msg), receive {timeout, R, M} -> M after 60000 -> late end end},
        {"cancel_timer", fun() -> R = erlang:send_after(100000, self(), x), T = erlang:cancel_timer(R), {T > 0, T =< 100000, erlang:cancel_timer(R)} end},
        {"read_timer", fun() -> R = erlang:send_after(100000, self(), x), T = erlang:read_timer(R), erlang:cancel_timer(R), {is_integer(T), erlang:read_timer(R)} end},
        {"alias", fun() -> A = alias(), A ! one, R = receive X -> X end, unalias(A), A ! two, {R, receive Y -> Y after 10 -> none end} end},
        {"alias reply", fun() -> A = alias([reply]), A ! one, R = receive X -> X end, A ! two, {R, receive Y -> Y after 10 -> none end} end},
        {"monitor alias", fun() -> P = spawn(fun() -> receive {R, F} -> R ! {R, F} end end), R = monitor(process, P, [{alias, reply_demonitor}]), P ! {R, 7}, receive {R, V} -> V end end},
        {"monitor tag", fun() -> P = spawn(?MODULE, idle, []), R = monitor(process, P, [{tag, my_tag}]), exit(P, gone), receive {my_tag, R, process, P, W} -> W end end},
        {"spawn_request", fun() -> R = spawn_request(fun() -> ok end, [monitor]), receive {spawn_reply, R, ok, P} -> receive {'DOWN', R, process, P, W} -> W end end end},
        {"spawn_opt", fun() -> {P, R} = spawn_opt(fun() -> receive go -> exit(erlang:process_info(self(), priority)) end end, [monitor, {priority, high}, {min_heap_size, 1000}]), P ! go, receive {'DOWN', R, _, _, W} -> W end end},
        {"process_info", fun() -> P = spawn(?MODULE, idle, []), erlang:yield(), I = [process_info(P, K) || K <- [status, message_queue_len, links, monitors, trap_exit, priority, registered_name, initial_call]], exit(P, kill), I end},
        {"process_info dead", fun() -> P = spawn(fun() -> ok end), wait_dead(P), process_info(P, status) end},
        {"messages", fun() -> P = spawn(?MODULE, idle, []), P ! a, P ! {b, 1}, R = process_info(P, messages), exit(P, kill), R end},
        {"hibernate", fun() -> S = self(), P = spawn(fun() -> erlang:hibernate(?MODULE, back, [S]) end), erlang:yield(), P ! wake, receive {P, hello} -> woke after 60000 -> asleep end end},
        {"suspend", fun() -> S = self(), P = spawn(fun() -> receive go -> S ! went end end), true = erlang:suspend_process(P), P ! go, A = receive went -> early after 20 -> waits end, erlang:resume_process(P), {A, receive went -> went after 60000 -> no end} end},
        {"group_leader", fun() -> P = spawn(?MODULE, idle, []), G = spawn(?MODULE, idle, []), group_leader(G, P), R = {group_leader, G} =:= process_info(P, group_leader), exit(P, kill), exit(G, kill), R end},
        {"trap_exit flag", fun() -> {process_flag(trap_exit, true), process_flag(trap_exit, false)} end},
        {"exit self", fun() -> process_flag(trap_exit, true), exit(self(), normal), R = receive {'EXIT', _, W} -> W after 0 -> none end, process_flag(trap_exit, false), R end},
        {"many", fun() -> S = self(), Ps = [spawn(fun() -> receive X -> S ! X + I end end) || I <- lists:seq(1, 5000)], [P ! 1 || P <- Ps], lists:sum([receive X -> X end || _ <- Ps]) end},
        {"spawn badarg", fun() -> spawn(not_a_fun) end},
        {"link badarg", fun() -> link(x) end},
        {"monitor badarg", fun() -> monitor(process, 1) end},
        {"exit badarg", fun() -> exit(x, y) end},
        {"process_flag badarg", fun() -> process_flag(trap_exit, maybe_so) end},
        {"max_heap_size", fun() -> {P, R} = spawn_opt(fun() -> lists:seq(1, 1000000) end, [monitor, {max_heap_size, #{size => 10000, kill => true, error_logger => false}}]), receive {'DOWN', R, _, P, W} -> W end end}
    ]).

idle() -> receive stop -> ok end.

back(To) -> To ! {self(), hello}.

wait_dead(P) ->
    case is_process_alive(P) of
        true -> erlang:yield(), wait_dead(P);
        false -> ok
    end.

linked(F) ->
    {P, R} = spawn_monitor(fun() ->
        process_flag(trap_exit, true),
        Q = spawn_link(F),
        receive {'EXIT', Q, Why} -> exit({child, Why}) end
    end),
    receive {'DOWN', R, _, P, Reason} -> Reason end.
