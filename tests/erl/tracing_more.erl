%% More of tracing: what counts as a call, remembered calls, tokens of exit signals, what sensitive processes hide.
-module(tracing_more).
-export([main/0, f/1, bipp/0, bopp/1, bepp/0]).

main() ->
    sends(), counted(), remembered(), exit_tokens(), spawn_tokens(), names_of_tokens(), sensitive(), untraced_specification(),
    max_heap(), current(), dead_tracer(), profiled(), raised(), in_pieces().

f(X) -> X.

collector() ->
    spawn(fun() -> collect([]) end).

collect(L) ->
    receive
        {get, To} -> To ! {got, lists:reverse(L)};
        M -> collect([M | L])
    end.

got(C) ->
    receive after 50 -> ok end,
    C ! {get, self()},
    receive {got, L} -> L end.

%% `!` is no call of erlang:send/2.
sends() ->
    C = collector(),
    1 = erlang:trace_pattern({erlang, send, 2}, true, [local]),
    erlang:trace(self(), true, [call, {tracer, C}]),
    self() ! a,
    erlang:send(self(), b),
    erlang:trace(self(), false, [call]),
    erlang:trace_pattern({erlang, send, 2}, false, [local]),
    io:format("~p~n", [[A || {trace, _, call, {_, _, [_, A]}} <- got(C)]]),
    receive a -> ok end, receive b -> ok end.

%% A pattern matches as many functions whether it sets or clears.
counted() ->
    Counts = [erlang:trace_pattern({'_', '_', '_'}, On, [Kind]) || Kind <- [local, call_count, call_time, meta], On <- [false, true, false]],
    io:format("~p~n", [length(lists:usort(Counts))]),
    Global = [erlang:trace_pattern({'_', '_', '_'}, On, []) || On <- [false, true, false]],
    io:format("~p~n", [length(lists:usort(Global))]).

bipp() -> bopp(0), self() ! x, ?MODULE:bopp(0), bopp(1), apply(?MODULE, bepp, []).
bopp(T) -> receive X -> X after T -> ok end.
bepp() -> ok.

mine(L) when is_list(L) -> [C || C <- L, not is_tuple(C) orelse element(1, C) =:= ?MODULE];
mine(L) -> L.

last(P) ->
    {last_calls, L} = process_info(P, last_calls),
    mine(L).

remembered() ->
    A = last(self()),
    B = [process_flag(save_calls, N) || N <- [10, 20]],
    C = last(self()),
    ?MODULE:bipp(),
    D = last(self()),
    E = process_flag(save_calls, 2),
    [?MODULE:f(X) || X <- [1, 2, 3]],
    F = last(self()),
    process_flag(save_calls, 0),
    G = last(self()),
    P = spawn(fun() -> receive go -> ?MODULE:bepp() end, receive stop -> ok end end),
    H = erlang:process_flag(P, save_calls, 5),
    P ! go,
    receive after 20 -> ok end,
    I = last(P),
    exit(P, kill),
    io:format("~p~n", [[A, B, C, D, E, F, G, H, I]]),
    io:format("~p~n", [try process_flag(save_calls, 10001) catch error:Why -> Why end]),
    io:format("~p~n", [erlang:trace_info({?MODULE, f, 1}, traced)]).

%% How far the counters of a process are depends on what it has done before.
messages(C, Map) ->
    [{What, From, To, M} || {seq_trace, 7, {What, _, From, To, M}} <- rename(got(C), Map)].

rename(T, Map) when is_pid(T) -> proplists:get_value(T, Map, pid);
rename(T, _) when is_reference(T) -> ref;
rename(T, _) when is_function(T) -> function;
rename([H | T], Map) -> [rename(H, Map) | rename(T, Map)];
rename(T, Map) when is_tuple(T) -> list_to_tuple(rename(tuple_to_list(T), Map));
rename(T, _) -> T.

with_token(F) ->
    C = collector(),
    erlang:system_flag(sequential_tracer, C),
    seq_trace(label, 7), seq_trace(send, true), seq_trace('receive', true),
    Map = F(),
    erlang:seq_trace(sequential_trace_token, []),
    erlang:system_flag(sequential_tracer, false),
    io:format("~p~n", [messages(C, [{self(), self} | Map])]).

seq_trace(What, Value) ->
    erlang:seq_trace(What, Value).

exit_tokens() ->
    process_flag(trap_exit, true),
    P = spawn_link(fun() -> receive X -> exit({got, X}) end end),
    with_token(fun() ->
        P ! hello,
        receive {'EXIT', P, {got, hello}} -> ok end,
        [{P, p}]
    end),
    Q = spawn(fun() -> process_flag(trap_exit, true), receive {'EXIT', From, R} -> From ! {was, R} end end),
    receive after 20 -> ok end,
    with_token(fun() ->
        exit(Q, {because, [1]}),
        receive {was, {because, [1]}} -> ok end,
        [{Q, q}]
    end),
    process_flag(trap_exit, false).

spawn_tokens() ->
    Self = self(),
    with_token(fun() ->
        P = spawn(fun() -> Self ! hi, receive after infinity -> ok end end),
        receive hi -> ok end,
        [{P, p}]
    end).

names_of_tokens() ->
    Self = self(),
    P = spawn(fun() -> receive M -> Self ! {back, M} end end),
    register(some_name, P),
    with_token(fun() ->
        some_name ! hello,
        receive {back, hello} -> ok end,
        [{P, p}]
    end).

sensitive() ->
    Self = self(),
    P = spawn(fun() -> put(secret, 1), process_flag(sensitive, true), Self ! ready, receive stop -> process_flag(sensitive, false), Self ! ready, receive end_it -> ok end end end),
    receive ready -> ok end,
    P ! some_message,
    Ask = fun() -> io:format("~p~n", [[case process_info(P, I) of {backtrace, B} -> B =:= <<>>; A -> A end || I <- [dictionary, messages, backtrace, message_queue_len]]]) end,
    Ask(),
    P ! stop,
    receive ready -> ok end,
    Ask(),
    exit(P, kill).

%% {trace, Disable, Enable} takes the tracer of the process that calls: without one, nobody is traced any more.
untraced_specification() ->
    C = collector(),
    P = spawn(fun Loop() -> receive {From, X} -> From ! {self(), X}, Loop() end end),
    1 = erlang:trace(P, true, ['receive', {tracer, C}]),
    1 = erlang:trace_pattern({?MODULE, f, 1}, [{['$1'], [], [{trace, '$1', [send], []}]}], [{meta, collector()}]),
    P ! {self(), 1}, receive {P, 1} -> ok end,
    ?MODULE:f(P),
    io:format("~p~n", [[erlang:trace_info(P, flags), erlang:trace_info(P, tracer) =:= {tracer, C}]]),
    P ! {self(), 2}, receive {P, 2} -> ok end,
    erlang:trace_pattern({?MODULE, f, 1}, false, [meta]),
    io:format("~p~n", [[M || {trace, _, 'receive', {_, M}} <- got(C)]]),
    io:format("~p~n", [element(2, erlang:match_spec_test([], [{'_', [], [{message, {set_tcw, 17}}]}], trace)) =:= erlang:system_flag(trace_control_word, 0)]),
    exit(P, kill).

%% Garbage is not what a process dies of.
max_heap() ->
    {P, R} = spawn_opt(fun() -> garbage(100000, 1.0) end, [monitor, {max_heap_size, #{size => 10000, kill => true, error_logger => false}}]),
    receive {'DOWN', R, _, P, Why} -> io:format("~p~n", [Why]) end,
    {Q, S} = spawn_opt(fun() -> length(lists:seq(1, 100000)) end, [monitor, {max_heap_size, #{size => 10000, kill => true, error_logger => false}}]),
    receive {'DOWN', S, _, Q, Died} -> io:format("~p~n", [Died]) end.

garbage(0, _) -> ok;
garbage(N, F) -> garbage(N - 1, F * 1.0001).

%% Where a process is that calls a built-in that is traced.
current() ->
    C = collector(),
    1 = erlang:trace_pattern({erlang, process_info, 2}, [{'_', [], [{return_trace}]}], [local]),
    erlang:trace(self(), true, [call, {tracer, C}]),
    A = erlang:process_info(self(), current_function),
    {current_stacktrace, [B | _]} = erlang:process_info(self(), current_stacktrace),
    erlang:trace(self(), false, [call]),
    erlang:trace_pattern({erlang, process_info, 2}, false, [local]),
    io:format("~p ~p ~p~n", [A, element(2, B), length(got(C))]).

dead_tracer() ->
    C = collector(),
    erlang:trace(self(), true, [call, {tracer, C}]),
    1 = erlang:trace_pattern({?MODULE, f, 1}, true, [call_time]),
    ?MODULE:f(1), ?MODULE:f(2),
    {call_time, [{_, N, _, _}]} = erlang:trace_info({?MODULE, f, 1}, call_time),
    [] = got(C),
    receive after 20 -> ok end,
    erlang:trace_pattern({?MODULE, f, 1}, restart, [call_time]),
    ?MODULE:f(3),
    io:format("~p ~p~n", [N, erlang:trace_info({?MODULE, f, 1}, call_time)]),
    erlang:trace_pattern({?MODULE, f, 1}, false, [call_time]).

%% When a process can run, to its end.
profiled() ->
    C = collector(),
    P = spawn(fun waits/0),
    receive after 20 -> ok end,
    undefined = erlang:system_profile(C, [runnable_procs]),
    [begin P ! X, receive after 20 -> ok end end || X <- [1, 2, stop]],
    {C, [runnable_procs]} = erlang:system_profile(undefined, []),
    io:format("~p~n", [[{S, F} || {profile, Q, S, F, _} <- got(C), Q =:= P]]).

waits() ->
    receive stop -> ok; _ -> waits() end.

%% Who calls a built-in that raises is in the stack trace, with the arguments it gives, though the built-in is traced.
raised() ->
    erlang:trace_pattern({erlang, error, '_'}, [{'_', [], [{exception_trace}]}], [local]),
    C = collector(),
    erlang:trace(self(), true, [call, {tracer, C}]),
    Traces = [try fails(How) catch error:oops:S -> [{F, A} || {?MODULE, F, A, _} <- S, F =/= main] end || How <- [error1, error2, last, applied]],
    erlang:trace(self(), false, [call]),
    erlang:trace_pattern({erlang, error, '_'}, false, [local]),
    io:format("~p~n~p~n", [Traces, length(got(C))]).

fails(error1) -> _ = erlang:error(oops), ok;
fails(error2) -> _ = erlang:error(oops, [error2]), ok;
fails(last) -> erlang:error(oops, [last]);
fails(applied) -> _ = apply(f(erlang), f(error), [oops, [applied]]), ok.

%% A process in the middle of a built-in is seen in it, whoever asks, under its own name.
in_pieces() ->
    Pairs = [{N, N} || N <- lists:seq(1, 100000)],
    Map = maps:from_list(Pairs),
    Numbers = [N rem 256 || {N, _} <- Pairs],
    Runs = [{F, fun() -> Run(), ok end} || {F, Run} <-
            [{{maps, from_list, 1}, fun() -> maps:from_list(Pairs) end},
             {{maps, from_keys, 2}, fun() -> maps:from_keys(Pairs, x) end},
             {{maps, keys, 1}, fun() -> maps:keys(Map) end},
             {{maps, values, 1}, fun() -> maps:values(Map) end},
             {{erts_internal, list_to_binary_continue, 1}, fun() -> list_to_binary([Numbers, Numbers, Numbers, Numbers]) end},
             {{erts_internal, term_to_binary_trap, 1}, fun() -> term_to_binary(Map) end}]],
    [io:format("~p ~p~n", [F, seen(F, Run)]) || {F, Run} <- Runs].

seen(F, Run) ->
    C = collector(),
    Pid = spawn(fun() -> erlang:trace(self(), true, [running, {tracer, C}]), again(Run) end),
    Asked = looks(Pid, F, erlang:monotonic_time(second) + 20, []),
    exit(Pid, kill),
    Traced = [Name || {trace, _, out, Name} <- got(C)],
    Hidden = [Name || {erts_internal, More, _} = Name <- Traced ++ Asked, lists:suffix("more", atom_to_list(More))],
    {lists:member(F, Traced), lists:member(F, Asked), Hidden}.

again(Run) -> Run(), again(Run).

looks(Pid, F, Until, Seen) ->
    {_, Name} = process_info(Pid, current_function),
    case Name =:= F orelse erlang:monotonic_time(second) > Until of
        true -> [Name | Seen];
        false -> erlang:yield(), looks(Pid, F, Until, [Name | Seen])
    end.
