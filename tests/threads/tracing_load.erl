%% Tracing that is turned on and off while processes on all schedulers run what is traced: every call is counted, what a tracer is told of a
%% process comes in order and without a gap, and all of it after trace_delivered. Meanwhile other points, flags and code come and go.
-module(tracing_load).
-export([main/0, start/0, f/2, g/1, h/1, worker/3]).

start() -> main(), halt(0).

main() ->
    Rounds = list_to_integer(os:getenv("ROUNDS", "40")),
    Calls = 300,
    Workers = 6,
    Main = self(),
    Tracer = spawn_link(fun() -> tracer(#{}, 0) end),
    erlang:trace_pattern({?MODULE, f, 2}, true, [local]),
    erlang:trace_pattern({?MODULE, g, 1}, true, [call_count, call_time]),
    Pids = [begin
                P = spawn(?MODULE, worker, [Main, Rounds, Calls]),
                1 = erlang:trace(P, true, [call, {tracer, Tracer}]),
                P
            end || _ <- lists:seq(1, Workers)],
    Refs = [monitor(process, P) || P <- Pids],
    Disturber = spawn_link(fun() -> disturb(Main, 0) end),
    [P ! go || P <- Pids],
    [receive {'DOWN', R, _, _, Why} -> Why =:= normal orelse exit({worker, Why}) after 300000 -> exit(stuck) end || R <- Refs],
    Disturber ! stop,
    receive {disturbed, N} -> true = N > 0 after 60000 -> exit(no_disturber) end,
    Ref = erlang:trace_delivered(all),
    receive {trace_delivered, all, Ref} -> ok end,
    Tracer ! {how_many, self()},
    receive {told, Told} -> io:format("told of ~w calls: ~w~n", [Workers * Rounds * Calls, Told]) after 60000 -> exit(no_tracer) end,
    {call_count, Counted} = erlang:trace_info({?MODULE, g, 1}, call_count),
    io:format("counted: ~w~n", [Counted]),
    {call_time, Times} = erlang:trace_info({?MODULE, g, 1}, call_time),
    io:format("timed: ~w~n", [lists:sum([C || {_, C, _, _} <- Times])]),
    erlang:trace(all, false, [all]),
    erlang:trace_pattern({'_', '_', '_'}, false, [local, call_count, call_time]),
    unlink(Tracer),
    exit(Tracer, kill),
    io:format("~w~n", [erlang:trace_info({?MODULE, f, 2}, all)]).

worker(_, Rounds, Calls) ->
    receive go -> ok end,
    [begin
         [f(self(), (R - 1) * Calls + C) || C <- lists:seq(1, Calls)],
         [g(C) || C <- lists:seq(1, Calls)],
         S = spawn_link(fun() -> receive {From, X} -> From ! {self(), h(X)} end end),
         S ! {self(), R},
         receive {S, R} -> ok end,
         catch erlang:atom_to_list(R)
     end || R <- lists:seq(1, Rounds)],
    ok.

f(Pid, N) -> {Pid, N}.
g(N) -> h(N) + 1.
h(N) -> N.

tracer(Seen, N) ->
    receive
        {trace, P, call, {?MODULE, f, [P, K]}} ->
            case maps:get(P, Seen, 0) + 1 of
                K -> tracer(Seen#{P => K}, N + 1);
                Expected -> exit({order, P, Expected, K})
            end;
        {trace, _, call, {?MODULE, g, _}} -> tracer(Seen, N);
        {trace, _, call, {?MODULE, h, _}} -> tracer(Seen, N);
        {trace, _, call, {erlang, _, _}} -> tracer(Seen, N);
        {trace, _, _, _, _} -> tracer(Seen, N);
        {how_many, Main} -> Main ! {told, N}, tracer(Seen, N);
        Other -> exit({unexpected, Other})
    end.

%% Other points, other flags, other sessions of code.
disturb(Main, N) ->
    erlang:trace_pattern({?MODULE, h, 1}, one_of([true, [{'_', [], [{return_trace}]}], [{['$1'], [{is_atom, '$1'}], []}], false]), [local]),
    erlang:trace_pattern({erlang, atom_to_list, 1}, N rem 2 =:= 0, []),
    T = spawn(fun() -> receive after 2 -> ok end end),
    catch erlang:trace(new, true, [call, procs, send, 'receive', set_on_spawn, set_on_link, {tracer, T}]),
    erlang:trace_info({?MODULE, h, 1}, all),
    receive after 1 -> ok end,
    erlang:trace(new, false, [all]),
    erlang:system_monitor(self(), [{long_gc, 100000}]),
    erlang:trace_pattern({lists, '_', '_'}, N rem 3 =:= 0, [call_count]),
    erlang:system_monitor(undefined),
    receive stop -> Main ! {disturbed, N + 1} after 0 -> disturb(Main, N + 1) end.

one_of(L) -> lists:nth(rand:uniform(length(L)), L).
