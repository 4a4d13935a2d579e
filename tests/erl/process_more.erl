%% Processes in depth: order of signals, links and monitors that are made and broken, aliases, requests, suspension, flags,
%% process_info, timers, names, errors of the built-ins.
-module(process_more).
-export([main/0, idle/0, echo/0, wait_for/1, asleep/2, awake/10]).

main() -> % in a process of its own: it must not trap exits
    {P, R} = spawn_monitor(fun run/0),
    receive {'DOWN', R, process, P, normal} -> ok end.

run() ->
    signals(),
    monitors(),
    aliases(),
    spawning(),
    suspending(),
    flags(),
    info(),
    timers(),
    waiting(),
    dictionary(),
    errors(),
    crowds().

%% --- Signals: their order, and what ends a process ---

signals() ->
    t:all([
        {"kill is not trapped", fun() -> P = trapper(), exit(P, kill), down(P) end},
        {"killed is", fun() -> P = trapper(), exit(P, killed), got(P, {'EXIT', self(), killed}) end},
        {"normal from another", fun() -> P = trapper(), exit(P, normal), got(P, {'EXIT', self(), normal}) end},
        {"normal to self", fun() -> {P, R} = spawn_monitor(fun() -> exit(self(), normal), timeout(1000) end), receive {'DOWN', R, process, P, W} -> W end end},
        {"normal to self, trapped", fun() -> down(spawn(fun() -> process_flag(trap_exit, true), exit(self(), normal), receive {'EXIT', S, R} -> exit({S =:= self(), R}) end end)) end},
        {"kill to self, trapped", fun() -> down(spawn(fun() -> process_flag(trap_exit, true), exit(self(), kill), timeout(1000) end)) end},
        {"exit_signal to self", fun() -> down(spawn(fun() -> apply(erlang, exit_signal, [self(), normal]), exit(survived) end)) end},
        {"message then exit", fun() -> P = spawn(?MODULE, idle, []), P ! stop, exit(P, no), down(P) end},
        {"big reason", fun() -> P = spawn(?MODULE, idle, []), exit(P, lists:seq(1, 100)), length(down(P)) end},
        {"chain", fun() -> chain(50) end},
        {"ring of links", fun() -> ring(20) end},
        {"link to dead, trapped", fun() -> P = dead(), down(spawn(fun() -> process_flag(trap_exit, true), link(P), receive {'EXIT', P, R} -> exit(R) end end)) end},
        {"link to dead", fun() -> P = dead(), try link(P) catch error:E -> E end end},
        {"link self", fun() -> link(self()) end},
        {"order of two links", fun() -> A = spawn(?MODULE, idle, []), B = spawn(?MODULE, idle, []), link(A), link(B), {links, L} = process_info(self(), links), [unlink(P) || P <- L], {[P =:= A || P <- L], [exit(P, kill) || P <- L]} end},
        {"link twice, unlink once", fun() -> P = spawn(?MODULE, idle, []), link(P), link(P), unlink(P), exit(P, bad), {is_process_alive(P), process_info(self(), links) =:= {links, []}} end},
        {"unlink flushes", fun() -> process_flag(trap_exit, true), P = spawn_link(?MODULE, idle, []), exit(P, bad), unlink(P), false = is_process_alive(P), R = receive {'EXIT', P, W} -> W after 5 -> none end, process_flag(trap_exit, false), R end},
        {"unlink, link again", fun() -> process_flag(trap_exit, true), P = spawn_link(?MODULE, idle, []), unlink(P), link(P), unlink(P), link(P), exit(P, bad), R = receive {'EXIT', P, W} -> W after 60000 -> none end, process_flag(trap_exit, false), R end},
        {"both link", fun() -> S = self(), process_flag(trap_exit, true), P = spawn(fun() -> link(S), receive stop -> ok end end), link(P), P ! stop, R = receive {'EXIT', P, W} -> W after 60000 -> none end, process_flag(trap_exit, false), {R, process_info(self(), links)} end},
        {"exit in link order", fun() -> process_flag(trap_exit, true), Ps = [spawn_link(fun() -> receive N -> exit(N) end end) || _ <- lists:seq(1, 5)], [P ! N || {N, P} <- lists:zip(lists:seq(1, 5), Ps)], R = [receive {'EXIT', P, W} -> W end || P <- Ps], process_flag(trap_exit, false), R end},
        {"error reason", fun() -> {P, R} = spawn_monitor(fun() -> exit({nested, [1, 2.0, <<"bin">>, #{a => b}]}) end), receive {'DOWN', R, process, P, W} -> W end end},
        {"is_process_alive after exit", fun() -> P = spawn(?MODULE, idle, []), true = is_process_alive(P), exit(P, kill), is_process_alive(P) end},
        {"selective from many", fun() -> [self() ! {N, N rem 7} || N <- lists:seq(1, 200)], A = [N || N <- lists:seq(1, 200), N rem 7 =:= 3, receive {N, 3} -> true end], B = flush(), {length(A), length(B), hd(B), lists:last(B)} end},
        {"receive in receive", fun() -> self() ! a, self() ! b, self() ! c, receive c -> receive a -> receive b -> ok end end end end},
        {"binary in message", fun() -> P = spawn(?MODULE, echo, []), B = binary:copy(<<"0123456789">>, 1000), P ! {self(), B}, receive {P, X} -> X =:= B end end},
        {"fun in message", fun() -> P = spawn(?MODULE, echo, []), N = 5, P ! {self(), fun(X) -> X + N end}, receive {P, F} -> F(1) end end}
    ]).

chain(N) ->
    S = self(),
    Last = lists:foldl(fun(_, Next) -> spawn(fun() -> link(Next), S ! linked, receive stop -> ok end end) end, spawn(?MODULE, idle, []), lists:seq(1, N)),
    [receive linked -> ok end || _ <- lists:seq(1, N)],
    R = monitor(process, Last),
    exit(Last, broken),
    receive {'DOWN', R, process, Last, W} -> W end.

ring(N) ->
    Ps = [spawn(fun() -> receive {link, P} -> link(P) end, receive stop -> ok end end) || _ <- lists:seq(1, N)],
    [A ! {link, B} || {A, B} <- lists:zip(Ps, tl(Ps) ++ [hd(Ps)])],
    [{links, [_, _]} = wait_for(fun() -> L = process_info(P, links), length(element(2, L)) =:= 2 andalso L end) || P <- Ps],
    Rs = [monitor(process, P) || P <- Ps],
    [{monitored_by, [_]} = process_info(P, monitored_by) || P <- Ps], % the monitors have arrived
    exit(hd(Ps), torn),
    lists:usort([receive {'DOWN', R, _, _, W} -> W end || R <- Rs]).

%% --- Monitors ---

monitors() ->
    t:all([
        {"self", fun() -> R = monitor(process, self()), {is_reference(R), demonitor(R, [info])} end},
        {"twice", fun() -> P = spawn(?MODULE, idle, []), A = monitor(process, P), B = monitor(process, P), P ! stop, [receive {'DOWN', R, process, P, W} -> W end || R <- [B, A]] end},
        {"name", fun() -> P = spawn(?MODULE, idle, []), register(watched, P), R = monitor(process, watched), N = node(), P ! stop, receive {'DOWN', R, process, {watched, N}, W} -> {W, whereis(watched)} end end},
        {"name and node", fun() -> P = spawn(?MODULE, idle, []), register(watched, P), R = monitor(process, {watched, node()}), P ! stop, receive {'DOWN', R, T, _, W} -> {T, W} end end},
        {"demonitor info", fun() -> P = spawn(?MODULE, idle, []), R = monitor(process, P), A = demonitor(R, [info]), B = demonitor(R, [info]), exit(P, kill), {A, B} end},
        {"demonitor flush info", fun() -> P = spawn(?MODULE, idle, []), R = monitor(process, P), exit(P, kill), false = is_process_alive(P), wait_for(fun() -> element(2, process_info(self(), message_queue_len)) =:= 1 end), A = demonitor(R, [flush, info]), {A, flush()} end},
        {"demonitor other's", fun() -> S = self(), P = spawn(fun() -> S ! monitor(process, S), receive stop -> ok end end), R = receive X -> X end, A = demonitor(R, [info]), exit(P, kill), A end},
        {"time_offset", fun() -> R = monitor(time_offset, clock_service), demonitor(R, [info]) end},
        {"port by name", fun() -> R = monitor(port, no_such_port), receive {'DOWN', R, port, {no_such_port, N}, W} -> {N =:= node(), W} end end},
        {"tag term", fun() -> P = spawn(?MODULE, idle, []), R = monitor(process, P, [{tag, {my, [tag]}}]), P ! stop, receive {{my, [tag]}, R, process, P, W} -> W end end},
        {"monitors and monitored_by", fun() -> S = self(), P = spawn(?MODULE, idle, []), R = monitor(process, P), A = {process_info(S, monitors) =:= {monitors, [{process, P}]}, process_info(P, monitored_by) =:= {monitored_by, [S]}}, demonitor(R), exit(P, kill), {A, process_info(S, monitors)} end},
        {"watcher dies", fun() -> P = spawn(?MODULE, idle, []), Q = spawn(fun() -> monitor(process, P) end), wait_for(fun() -> not is_process_alive(Q) end), I = process_info(P, monitored_by), exit(P, kill), I end},
        {"many of one", fun() -> P = spawn(?MODULE, idle, []), Rs = [monitor(process, P) || _ <- lists:seq(1, 1000)], [demonitor(R) || {N, R} <- lists:zip(lists:seq(1, 1000), Rs), N rem 2 =:= 0], P ! stop, length([ok || {N, R} <- lists:zip(lists:seq(1, 1000), Rs), (N =:= 2 orelse N rem 2 =:= 1), receive {'DOWN', R, _, _, normal} -> true after 0 -> wait_down(N, R) end]) end}
    ]).

wait_down(N, R) ->
    receive {'DOWN', R, _, _, _} -> true after if N =:= 2 -> 20; true -> 5000 end -> false end.

%% --- Aliases ---

aliases() ->
    t:all([
        {"unalias", fun() -> A = alias(), {unalias(A), unalias(A)} end},
        {"explicit", fun() -> A = alias([explicit_unalias]), [A ! N || N <- [1, 2, 3]], R = flush(), unalias(A), A ! 4, {R, flush()} end},
        {"reply", fun() -> A = alias([reply]), A ! 1, A ! 2, R = flush(), {R, unalias(A)} end},
        {"sender is another", fun() -> A = alias(), spawn(fun() -> A ! hi end), R = receive X -> X after 60000 -> none end, unalias(A), R end},
        {"monitor explicit", fun() -> P = spawn(?MODULE, idle, []), A = monitor(process, P, [{alias, explicit_unalias}]), P ! stop, receive {'DOWN', A, _, _, _} -> ok end, A ! after_down, R = flush(), unalias(A), {R, demonitor(A, [info])} end},
        {"monitor demonitor", fun() -> P = spawn(?MODULE, idle, []), A = monitor(process, P, [{alias, demonitor}]), A ! before, demonitor(A), A ! later, exit(P, kill), flush() end},
        {"monitor reply_demonitor", fun() -> P = spawn(?MODULE, idle, []), A = monitor(process, P, [{alias, reply_demonitor}]), A ! {reply, 1}, receive {reply, 1} -> ok end, P ! stop, wait_for(fun() -> not is_process_alive(P) end), {flush(), demonitor(A, [info])} end},
        {"down ends alias", fun() -> P = spawn(?MODULE, idle, []), A = monitor(process, P, [{alias, demonitor}]), P ! stop, receive {'DOWN', A, _, _, _} -> ok end, A ! later, flush() end},
        {"plain reference", fun() -> R = make_ref(), R ! x, flush() end},
        {"spawn_opt monitor alias", fun() -> {P, A} = spawn_opt(fun() -> receive {go, To} -> To ! {answer, 42} end end, [{monitor, [{alias, reply_demonitor}, {tag, gone}]}]), P ! {go, A}, R = receive {answer, V} -> V end, wait_for(fun() -> not is_process_alive(P) end), {R, flush()} end}
    ]).

%% --- Making processes ---

spawning() ->
    t:all([
        {"spawn_opt monitor tag", fun() -> {P, R} = spawn_opt(fun() -> ok end, [{monitor, [{tag, t}]}]), receive {t, R, process, P, W} -> W end end},
        {"spawn_opt link", fun() -> process_flag(trap_exit, true), P = spawn_opt(fun() -> exit(linked) end, [link]), R = receive {'EXIT', P, W} -> W end, process_flag(trap_exit, false), R end},
        {"request", fun() -> R = spawn_request(?MODULE, idle, [], []), receive {spawn_reply, R, ok, P} -> A = is_process_alive(P), exit(P, kill), A end end},
        {"request tag", fun() -> R = spawn_request(fun() -> ok end, [{reply_tag, {x, y}}]), receive {{x, y}, R, ok, P} -> is_pid(P) end end},
        {"request no reply", fun() -> R = spawn_request(fun() -> ok end, [{reply, no}]), {is_reference(R), flush()} end},
        {"request error only", fun() -> R = spawn_request(fun() -> ok end, [{reply, error_only}]), {is_reference(R), flush()} end},
        {"request bad option", fun() -> R = spawn_request(fun() -> ok end, [{priority, x}]), receive {spawn_reply, R, error, W} -> W end end},
        {"request bad option, success only", fun() -> spawn_request(fun() -> ok end, [{priority, x}, {reply, success_only}]), flush() end},
        {"request monitor", fun() -> R = spawn_request(fun() -> exit(bye) end, [monitor]), receive {spawn_reply, R, ok, P} -> receive {'DOWN', R, process, P, W} -> W end end end},
        {"request link", fun() -> process_flag(trap_exit, true), R = spawn_request(fun() -> exit(bye) end, [link]), P = receive {spawn_reply, R, ok, X} -> X end, W = receive {'EXIT', P, Y} -> Y end, process_flag(trap_exit, false), W end},
        {"abandon", fun() -> R = spawn_request(fun() -> ok end), A = spawn_request_abandon(R), {A, receive {spawn_reply, R, ok, _} -> replied after 100 -> no end} end},
        {"parent", fun() -> S = self(), P = spawn(?MODULE, idle, []), A = process_info(P, parent) =:= {parent, S}, exit(P, kill), A end},
        {"group leader inherited", fun() -> P = spawn(?MODULE, idle, []), A = process_info(P, group_leader) =:= {group_leader, group_leader()}, exit(P, kill), A end},
        {"many arguments", fun() -> S = self(), spawn(erlang, apply, [fun(A, B, C, D, E, F, G, H, I, J) -> S ! [A, B, C, D, E, F, G, H, I, J] end, lists:seq(1, 10)]), receive X -> X end end},
        {"improper options", fun() -> spawn_opt(fun() -> ok end, [link | x]) end},
        {"options", fun() -> P = spawn_opt(?MODULE, idle, [], [{priority, low}, {fullsweep_after, 5}, {min_heap_size, 700}, {min_bin_vheap_size, 50000}, {message_queue_data, off_heap}, {max_heap_size, 100000}]), I = [process_info(P, K) || K <- [priority, fullsweep_after, min_heap_size, min_bin_vheap_size, message_queue_data]], exit(P, kill), I end}
    ]).

%% --- Suspension ---

suspending() ->
    t:all([
        {"counts", fun() -> S = self(), P = spawn(fun() -> receive go -> S ! went end end), true = erlang:suspend_process(P), true = erlang:suspend_process(P), P ! go, erlang:resume_process(P), A = receive went -> early after 10 -> waits end, I = process_info(S, suspending) =:= {suspending, [{P, 1, 0}]}, erlang:resume_process(P), {A, I, receive went -> went after 60000 -> no end} end},
        {"unless_suspending", fun() -> P = spawn(?MODULE, idle, []), A = erlang:suspend_process(P, [unless_suspending]), B = erlang:suspend_process(P, [unless_suspending]), erlang:resume_process(P), exit(P, kill), {A, B} end},
        {"status", fun() -> P = spawn(?MODULE, idle, []), erlang:suspend_process(P), A = process_info(P, status), erlang:resume_process(P), wait_for(fun() -> process_info(P, status) =:= {status, waiting} end), exit(P, kill), A end},
        {"killed while suspended", fun() -> P = spawn(?MODULE, idle, []), erlang:suspend_process(P), R = monitor(process, P), exit(P, kill), W = receive {'DOWN', R, _, _, X} -> X after 60000 -> no end, {W, process_info(self(), suspending)} end},
        {"suspender dies", fun() -> S = self(), P = spawn(fun() -> receive go -> S ! went end end), Q = spawn(fun() -> erlang:suspend_process(P), S ! suspended, receive stop -> ok end end), receive suspended -> ok end, P ! go, A = receive went -> early after 10 -> waits end, Q ! stop, {A, receive went -> went after 60000 -> no end} end},
        {"asynchronous", fun() -> P = spawn(?MODULE, idle, []), A = erlang:suspend_process(P, [{asynchronous, tag}]), R = receive {tag, X} -> X after 60000 -> none end, exit(P, kill), {A, R} end},
        {"resume unsuspended", fun() -> P = spawn(?MODULE, idle, []), try erlang:resume_process(P) catch error:E -> E after exit(P, kill) end end}
    ]).

%% --- Flags ---

%% Is switched out with X in its first register.
keep_in_x0(_, 0) -> ok;
keep_in_x0(X, N) -> keep_in_x0(X, N - 1).

flags() ->
    t:all([
        {"priority", fun() -> A = process_flag(priority, high), B = process_flag(priority, A), {A, B, process_info(self(), priority)} end},
        {"fullsweep_after", fun() -> A = process_flag(fullsweep_after, 10), B = process_flag(fullsweep_after, A), {A, B} end},
        {"min_heap_size", fun() -> A = process_flag(min_heap_size, 1000), B = process_flag(min_heap_size, A), {A, B} end},
        {"error_handler", fun() -> A = process_flag(error_handler, my_handler), B = process_flag(error_handler, A), {A, B} end},
        {"message_queue_data", fun() -> A = process_flag(message_queue_data, off_heap), B = process_flag(message_queue_data, A), {A, B} end},
        {"max_heap_size", fun() -> A = process_flag(max_heap_size, #{size => 100000, kill => false, error_logger => false}), B = process_flag(max_heap_size, 0), {A, B} end},
        {"waits for ever, whatever is in registers when it is woken", fun() ->
            Sleepers = [spawn_monitor(timer, sleep, [infinity]) || _ <- lists:seq(1, 20)],
            erlang:yield(),
            [begin [P ! wake || {P, _} <- Sleepers], keep_in_x0(X, 20000) end || X <- [an_atom, 0, 1, infinity]],
            [receive {'DOWN', R, _, _, Why} -> Why after 1 -> exit(P, kill), erlang:demonitor(R, [flush]), waits end || {P, R} <- Sleepers]
        end},
        {"max_heap_size, messages", fun() ->
            [begin
                {P, R} = spawn_opt(timer, sleep, [infinity], [monitor, {max_heap_size, #{size => 2000, error_logger => false}}, {message_queue_data, Where}]),
                [P ! lists:seq(1, N) || N <- lists:seq(1, 100)],
                _ = process_info(P, messages),
                erlang:garbage_collect(P),
                receive {'DOWN', R, _, _, Why} -> Why after 100 -> exit(P, kill), erlang:demonitor(R, [flush]), lives end
             end || Where <- [on_heap, off_heap]]
        end},
        {"hibernate", fun() ->
            Me = self(),
            [begin
                P = spawn(?MODULE, asleep, [Me, Way]),
                receive {P, ready} -> ok end,
                P ! wake,
                receive {P, What} -> What end
             end || Way <- [call, apply, dynamic]]
        end},
        {"sensitive", fun() -> A = process_flag(sensitive, true), B = process_flag(sensitive, false), {A, B} end},
        {"save_calls", fun() -> A = process_flag(save_calls, 10), B = process_flag(save_calls, 0), {A, B} end},
        {"scheduler", fun() -> process_flag(scheduler, 0) end},
        {"group_leader of other", fun() -> P = spawn(?MODULE, idle, []), true = group_leader(self(), P), A = process_info(P, group_leader) =:= {group_leader, self()}, exit(P, kill), A end},
        {"garbage_collect", fun() -> P = spawn(?MODULE, idle, []), A = garbage_collect(P), B = garbage_collect(P, [{async, id}]), C = receive {garbage_collect, id, X} -> X end, D = garbage_collect(), exit(P, kill), {A, B, C, D, garbage_collect(P)} end},
        {"register other", fun() -> P = spawn(?MODULE, idle, []), register(other, P), A = {whereis(other) =:= P, process_info(P, registered_name), lists:member(other, registered())}, exit(P, kill), false = is_process_alive(P), {A, whereis(other)} end},
        {"register again", fun() -> P = spawn(?MODULE, idle, []), register(n1, P), unregister(n1), register(n2, P), R = {whereis(n1), whereis(n2) =:= P}, exit(P, kill), R end},
        {"dead name is free", fun() -> P = spawn(?MODULE, idle, []), register(n3, P), R = monitor(process, P), P ! stop, receive {'DOWN', R, _, _, _} -> register(n3, self()) end, unregister(n3) end},
        {"processes", fun() -> P = spawn(?MODULE, idle, []), A = lists:member(P, processes()), exit(P, kill), false = is_process_alive(P), {A, lists:member(P, processes()), lists:member(self(), processes())} end}
    ]).

%% --- process_info ---

info() ->
    t:all([
        {"keys of /1", fun() -> P = spawn(?MODULE, idle, []), K = [X || {X, _} <- process_info(P)], exit(P, kill), K end},
        {"name first", fun() -> P = spawn(?MODULE, idle, []), register(named, P), K = hd(process_info(P)), exit(P, kill), K end},
        {"list", fun() -> P = spawn(?MODULE, idle, []), I = process_info(P, [registered_name, trap_exit, links, messages, dictionary]), exit(P, kill), I end},
        {"empty list", fun() -> process_info(self(), []) end},
        {"no name", fun() -> process_info(self(), registered_name) end},
        {"current_function waiting", fun() -> P = spawn(?MODULE, idle, []), wait_for(fun() -> process_info(P, status) =:= {status, waiting} end), A = process_info(P, current_function), exit(P, kill), A end},
        {"current_function self", fun() -> process_info(self(), current_function) end},
        {"current_stacktrace", fun() -> P = spawn(?MODULE, echo, []), wait_for(fun() -> process_info(P, status) =:= {status, waiting} end), {current_stacktrace, L} = process_info(P, current_stacktrace), exit(P, kill), [{M, F, A} || {M, F, A, _} <- L] end},
        {"initial_call", fun() -> P = spawn(?MODULE, echo, []), Q = spawn(fun() -> receive x -> y end end), R = {process_info(P, initial_call), process_info(Q, initial_call)}, exit(P, kill), exit(Q, kill), R end},
        {"messages", fun() -> P = spawn(?MODULE, idle, []), [P ! {m, N, [N]} || N <- [1, 2, 3]], A = {process_info(P, messages), process_info(P, message_queue_len)}, exit(P, kill), A end},
        {"own messages", fun() -> self() ! a, self() ! b, A = {process_info(self(), messages), process_info(self(), message_queue_len)}, flush(), A end},
        {"dictionary", fun() -> P = spawn(fun() -> put(a, 1), put(b, {2, "x"}), receive x -> y end end), wait_for(fun() -> process_info(P, status) =:= {status, waiting} end), {dictionary, D} = process_info(P, dictionary), exit(P, kill), lists:sort(D) end},
        {"numbers", fun() -> P = spawn(?MODULE, idle, []), L = [{K, is_integer(V), V >= 0} || K <- [heap_size, total_heap_size, stack_size, memory, reductions, message_queue_len, catchlevel], {_, V} <- [process_info(P, K)]], exit(P, kill), L end},
        {"collection keys", fun() -> {_, A} = process_info(self(), garbage_collection), {_, B} = process_info(self(), garbage_collection_info), {[K || {K, _} <- A], [K || {K, _} <- B]} end},
        {"various", fun() -> [process_info(self(), K) || K <- [error_handler, last_calls, sequential_trace_token, trace, suspending, magic_ref, min_bin_vheap_size, fullsweep_after]] end},
        {"binaries", fun() -> B = binary:copy(<<1>>, 1000), {binary, L} = process_info(self(), binary), {byte_size(B), [Size || {_, Size, _} <- L] =/= []} end},
        {"reductions grow", fun() -> {_, A} = process_info(self(), reductions), _ = lists:seq(1, 1000), lists:foreach(fun(_) -> ok end, lists:seq(1, 1000)), {_, B} = process_info(self(), reductions), B - A > 500 end},
        {"suspended reductions", fun() -> P = spawn(?MODULE, idle, []), {_, A} = process_info(P, reductions), {_, B} = process_info(P, reductions), exit(P, kill), B >= A end},
        {"dead", fun() -> P = dead(), {process_info(P), process_info(P, messages), process_info(P, [links])} end},
        {"hibernating", fun() -> P = spawn(fun() -> erlang:hibernate(?MODULE, idle, []) end), wait_for(fun() -> process_info(P, current_function) =:= {current_function, {erlang, hibernate, 3}} end), A = process_info(P, status), R = monitor(process, P), P ! stop, receive {'DOWN', R, process, P, W} -> {A, W} end end}
    ]).

%% --- Timers ---

timers() ->
    t:all([
        {"order", fun() -> [erlang:send_after(T, self(), T) || T <- [30, 10, 20, 5, 15]], [receive X -> X after 60000 -> late end || _ <- lists:seq(1, 5)] end},
        {"zero", fun() -> erlang:send_after(0, self(), now), receive now -> ok after 60000 -> late end end},
        {"to a name", fun() -> register(me, self()), erlang:send_after(1, me, hi), R = receive hi -> ok after 60000 -> late end, unregister(me), R end},
        {"to a name later", fun() -> erlang:send_after(20, me_later, hi), register(me_later, self()), R = receive hi -> ok after 60000 -> late end, unregister(me_later), R end},
        {"to nobody", fun() -> R = erlang:send_after(1, nobody_here, hi), receive after 10 -> ok end, erlang:cancel_timer(R) end},
        {"to the dead", fun() -> R = erlang:send_after(10000, dead(), hi), {is_reference(R), erlang:read_timer(R), erlang:cancel_timer(R)} end},
        {"ends with its process", fun() -> S = self(), P = spawn(fun() -> S ! erlang:send_after(100000, self(), x) end), R = receive X -> X end, wait_for(fun() -> not is_process_alive(P) end), erlang:read_timer(R) end},
        {"cancel in time", fun() -> R = erlang:start_timer(10, self(), x), L = erlang:cancel_timer(R), receive after 20 -> ok end, {L >= 0, L =< 10, flush()} end},
        {"cancel async", fun() -> R = erlang:start_timer(10000, self(), x), ok = erlang:cancel_timer(R, [{async, true}]), receive {cancel_timer, R, L} -> L > 9000 after 60000 -> late end end},
        {"cancel async, gone", fun() -> R = make_ref(), ok = erlang:cancel_timer(R, [{async, true}]), receive {cancel_timer, R, L} -> L after 60000 -> late end end},
        {"cancel without info", fun() -> R = erlang:start_timer(10000, self(), x), A = erlang:cancel_timer(R, [{info, false}]), B = erlang:cancel_timer(R, [{async, true}, {info, false}]), {A, B, flush()} end},
        {"read async", fun() -> R = erlang:start_timer(10000, self(), x), ok = erlang:read_timer(R, [{async, true}]), A = receive {read_timer, R, L} -> L > 9000 after 60000 -> late end, erlang:cancel_timer(R), A end},
        {"absolute", fun() -> T = erlang:monotonic_time(millisecond) + 10, R = erlang:start_timer(T, self(), x, [{abs, true}]), receive {timeout, R, x} -> erlang:monotonic_time(millisecond) >= T after 60000 -> late end end},
        {"absolute in the past", fun() -> erlang:send_after(erlang:monotonic_time(millisecond) - 50, self(), x, [{abs, true}]), receive x -> ok after 60000 -> late end end},
        {"never early", fun() -> [begin T = erlang:monotonic_time(), erlang:send_after(N, self(), x), receive x -> ok end, D = erlang:monotonic_time() - T, D >= N * 1000000 end || N <- [1, 2, 3, 7]] end},
        {"receive after never early", fun() -> [begin T = erlang:monotonic_time(), receive after N -> ok end, D = erlang:monotonic_time() - T, D >= N * 1000000 end || N <- [1, 2, 3, 7]] end},
        {"timeout keeps running", fun() -> S = self(), spawn(fun() -> [begin receive after 5 -> ok end, S ! other end || _ <- lists:seq(1, 10)] end), T = erlang:monotonic_time(millisecond), R = receive never -> x after 20 -> timed_out end, D = erlang:monotonic_time(millisecond) - T, [receive other -> ok end || _ <- lists:seq(1, 10)], {R, D >= 20} end},
        {"big message", fun() -> L = lists:seq(1, 100), R = erlang:start_timer(1, self(), L), receive {timeout, R, M} -> M =:= L end end},
        {"far away", fun() -> R = erlang:send_after(16#ffffffffff, self(), x), L = erlang:cancel_timer(R), L > 16#fffffff000 end}
    ]).

%% --- The dictionary ---

dictionary() ->
    t:all([
        {"many", fun() -> [undefined = put({k, N}, N) || N <- lists:seq(1, 300)], S = lists:sum([get({k, N}) || N <- lists:seq(1, 300)]), [erase({k, N}) || N <- lists:seq(1, 300), N rem 3 =/= 0], A = lists:sort([V || {{k, _}, V} <- get()]), [erase({k, N}) || N <- lists:seq(1, 300)], {S, length(A), hd(A), lists:last(A), get({k, 3})} end},
        {"keys", fun() -> [put(K, v) || K <- [1.0, 1, "s", <<"b">>, {}, []]], R = lists:sort(get_keys(v)), [erase(K) || K <- R], {R, get_keys(v)} end},
        {"1 and 1.0", fun() -> put(1, int), put(1.0, float), R = {get(1), get(1.0)}, erase(1), erase(1.0), R end},
        {"erase all", fun() -> P = self(), spawn(fun() -> put(a, 1), put(b, 2), P ! {lists:sort(erase()), get(), get_keys()} end), receive X -> X end end}
    ]).

%% --- Errors ---

errors() ->
    D = dead(),
    t:all([{lists:flatten(io_lib:format("~w", [{F, [pid_hidden(A) || A <- As]}])), fun() -> reason(fun() -> apply(erlang, F, As) end) end} || {F, As} <- [
        {register, [foo, bar]}, {register, [foo, D]}, {register, [undefined, self()]}, {register, ["x", self()]}, {unregister, [no_name]},
        {whereis, ["x"]}, {process_flag, [save_calls, x]}, {process_flag, [foo, x]}, {process_flag, [trap_exit, x]},
        {process_flag, [priority, x]}, {process_flag, [min_heap_size, -1]}, {process_flag, [max_heap_size, 1]}, {process_flag, [D, save_calls, 1]},
        {monitor_node, [foo, x]}, {monitor_node, [nonode@nohost, x]}, {monitor_node, [foo, true, [y]]}, {group_leader, [foo, self()]},
        {group_leader, [self(), D]}, {suspend_process, [self()]}, {suspend_process, [D]}, {suspend_process, [D, [x]]}, {resume_process, [D]},
        {garbage_collect, [foo]}, {garbage_collect, [D, [x]]}, {process_info, [D, foo]}, {process_info, [D, [foo | bar]]},
        {process_info, [foo, status]}, {process_info, [self(), {status}]}, {send, [foo, x, [y]]}, {send, [foo, x]}, {send, [{foo, bar, baz}, x]},
        {exit, [foo, x]}, {link, [foo]}, {unlink, [foo]}, {demonitor, [foo]}, {demonitor, [make_ref(), [x]]}, {spawn, [foo, bar, baz]},
        {spawn_opt, [foo, bar, [], [x]]}, {spawn_opt, [foo, bar, [], [{max_heap_size, 5}]]}, {spawn_request, [foo, bar, [], [x | y]]},
        {spawn_request_abandon, [foo]}, {spawn_monitor, [foo, bar, baz]}, {spawn_link, [foo, bar, baz]}, {is_process_alive, [foo]},
        {send_after, [-1, self(), x]}, {send_after, [1, 99, x]}, {send_after, [1, self(), x, [y]]}, {start_timer, [1 bsl 70, self(), x]},
        {cancel_timer, [foo]}, {cancel_timer, [make_ref(), [x]]}, {read_timer, [foo]}, {read_timer, [make_ref(), [{info, false}]]},
        {monitor, [process, "x"]}, {monitor, [foo, self()]}, {monitor, [process, self(), [x]]}, {monitor, [process, {a, b, c}]}, {monitor, [port, self()]},
        {alias, [[x]]}, {unalias, [x]}, {halt, [foo]}, {halt, [1, [x]]}, {bump_reductions, [-1]}, {system_flag, [foo, x]},
        {system_flag, [min_heap_size, x]}, {system_info, [foo]}, {statistics, [foo]}, {node, [1]}, {nodes, [foo]}, {list_to_pid, ["<0.1>"]},
        {list_to_pid, [foo]}, {pid_to_list, [foo]}, {check_process_code, [D, 1]}, {memory, [foo]}, {process_display, [self(), x]}
    ]]).

reason(F) ->
    try F() of V -> V
    catch C:R:St ->
        [{M, Fn, As, I} | _] = St,
        Arity = if is_list(As) -> length(As); true -> As end,
        {C, R, M, Fn, Arity, proplists:get_value(error_info, I)}
    end.

pid_hidden(P) when is_pid(P) -> pid;
pid_hidden(R) when is_reference(R) -> ref;
pid_hidden(X) -> X.

%% --- Many ---

crowds() ->
    t:all([
        {"spawn storm", fun() -> S = self(), [spawn(fun() -> S ! N end) || N <- lists:seq(1, 20000)], lists:sum([receive X -> X end || _ <- lists:seq(1, 20000)]) end},
        {"tree", fun() -> tree(10) end},
        {"star exits", fun() -> process_flag(trap_exit, true), Hub = spawn_link(fun() -> [spawn_link(?MODULE, idle, []) || _ <- lists:seq(1, 5000)], receive stop -> exit(stopped) end end), N = wait_for(fun() -> {links, L} = process_info(Hub, links), length(L) =:= 5001 andalso length(L) end), {links, L} = process_info(Hub, links), Rs = [monitor(process, P) || P <- L, P =/= self()], Hub ! stop, W = receive {'EXIT', Hub, X} -> X end, Ws = lists:usort([receive {'DOWN', R, _, _, Y} -> Y end || R <- Rs]), process_flag(trap_exit, false), {N, W, Ws} end},
        {"priorities run", fun() -> S = self(), [spawn_opt(fun() -> work(2000), S ! P end, [{priority, P}]) || P <- [low, normal, high, low, normal, high]], lists:sort([receive X -> X after 60000 -> late end || _ <- lists:seq(1, 6)]) end},
        {"no starvation", fun() -> S = self(), Ps = [spawn(fun() -> spin(0, S) end) || _ <- lists:seq(1, 4)], Ns = [receive {count, P, N} -> N after 60000 -> starved end || P <- Ps], [exit(P, kill) || P <- Ps], Ns end},
        {"ring", fun() -> P = lists:foldl(fun(_, Next) -> spawn(fun() -> forward(Next) end) end, self(), lists:seq(1, 300)), [P ! {token, N} || N <- lists:seq(1, 100)], R = [receive {token, N} -> N end || _ <- lists:seq(1, 100)], P ! stop, receive stop -> ok end, R =:= lists:seq(1, 100) end},
        {"long queue", fun() -> [self() ! N || N <- lists:seq(1, 50000)], self() ! last, receive last -> ok end, R = make_ref(), self() ! R, receive R -> ok end, L = flush(), {length(L), hd(L)} end},
        {"calls past a long queue", fun() -> [self() ! N || N <- lists:seq(1, 20000)], P = spawn(?MODULE, echo, []), [begin P ! {self(), N}, receive {P, N} -> ok end end || N <- lists:seq(1, 20)], length(flush()) end},
        {"memory comes back", fun() -> A = erlang:memory(processes), Ps = [spawn(?MODULE, idle, []) || _ <- lists:seq(1, 10000)], B = erlang:memory(processes), [exit(P, kill) || P <- Ps], wait_for(fun() -> not is_process_alive(lists:last(Ps)) end), garbage_collect(), C = erlang:memory(processes), {B > A, C < B} end}
    ]).

tree(0) -> 1;
tree(N) ->
    S = self(),
    [spawn_link(fun() -> S ! {leaves, tree(N - 1)} end) || _ <- [a, b]],
    receive {leaves, A} -> receive {leaves, B} -> A + B end end.

work(0) -> ok;
work(N) -> work(N - 1).

spin(N, S) ->
    N =:= 50 andalso (S ! {count, self(), N}),
    work(100),
    spin(N + 1, S).

forward(To) ->
    receive
        stop -> To ! stop;
        M -> To ! M, forward(To)
    end.

%% --- What the rows use ---

idle() -> receive stop -> ok end.

echo() ->
    receive {From, X} -> From ! {self(), X} end,
    echo().

trapper() ->
    S = self(),
    P = spawn(fun() -> process_flag(trap_exit, true), S ! ready, receive X -> S ! {self(), X}, idle() end end),
    receive ready -> P end.

got(P, X) -> receive {P, X} -> exit(P, kill), ok after 60000 -> nothing end.

down(P) ->
    R = monitor(process, P),
    receive {'DOWN', R, process, P, W} -> W after 60000 -> alive end.

dead() ->
    {P, R} = spawn_monitor(fun() -> ok end),
    receive {'DOWN', R, process, P, _} -> P end.

flush() ->
    receive X -> [X | flush()] after 30 -> [] end.

timeout(N) -> receive after N -> exit(too_late) end.

wait_for(F) -> wait_for(F, 1000).

wait_for(_, 0) -> gave_up;
wait_for(F, N) ->
    case F() of
        false -> receive after 1 -> ok end, wait_for(F, N - 1);
        X -> X
    end.

asleep(Parent, Way) ->
    Parent ! {self(), ready},
    Arguments = [?MODULE, awake, [Parent, self(), 3, 4, 5, 6, 7, 8, 9, 10]],
    catch case Way of
        call -> erlang:hibernate(?MODULE, awake, lists:last(Arguments));
        apply -> apply(erlang, hibernate, Arguments);
        dynamic -> apply(list_to_atom("erlang"), list_to_atom("hibernate"), Arguments)
    end,
    Parent ! {self(), returned}.

awake(Parent, Me, C, D, E, F, G, H, I, J) ->
    receive wake -> Parent ! {Me, {awake, [C, D, E, F, G, H, I, J]}} end.

%% Who waits for time alone rests, whatever messages there are; they are all there when it asks for them.
waiting() ->
    Waits = [{for_ever, fun() -> receive after infinity -> ok end end}, {long, fun() -> receive after 100000 -> ok end end},
             {sleeps, fun() -> timer:sleep(100000) end}, {nothing_fits, fun() -> receive never -> ok end end}],
    Ps = [{Name, spawn(Wait)} || {Name, Wait} <- Waits],
    [P ! N || {_, P} <- Ps, N <- lists:seq(1, 100)],
    [at_rest(P, 200) || {_, P} <- Ps],
    [erlang:trace(P, true, [running]) || {_, P} <- Ps],
    receive after 50 -> ok end,
    Rested = [{Name, receive {trace, P, _, _} -> runs after 0 -> rests end} || {Name, P} <- Ps],
    [erlang:trace(P, false, [running]) || {_, P} <- Ps],
    flush_traces(),
    [P ! more || {_, P} <- Ps],
    [at_rest(P, 200) || {_, P} <- Ps],
    io:format("~p~n~p~n", [Rested, [process_info(P, [status, message_queue_len]) || {_, P} <- Ps]]),
    [exit(P, kill) || {_, P} <- Ps],
    [self() ! N || N <- [1, 2, 3]],
    receive after 20 -> ok end,
    self() ! 4,
    io:format("~p~n", [[receive M -> M after 0 -> none end || _ <- [1, 2, 3, 4, 5]]]).

at_rest(_, 0) -> in_vain;
at_rest(P, N) ->
    receive after 10 -> ok end,
    process_info(P, status) =:= {status, waiting} orelse at_rest(P, N - 1).

flush_traces() ->
    receive {trace, _, _, _} -> flush_traces() after 0 -> ok end.
