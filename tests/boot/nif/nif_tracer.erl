%% Modules with native functions that are told of what is traced (erl_tracer).
-module(nif_tracer).
-export([main/0, enabled/3, trace/5, f/1]).
-on_load(load/0).

load() -> erlang:load_nif("./nif_tracer", 0).
enabled(_, _, _) -> erlang:nif_error(not_loaded).
trace(_, _, _, _, _) -> erlang:nif_error(not_loaded).

f(bad) -> error(bad);
f(X) -> X.

main() ->
    All = maps:from_keys([call, return_to, send, 'receive', spawn, spawned, exit, link, unlink, getting_linked, getting_unlinked, register, unregister, in, out, seq_trace], trace),
    [io:format("~p: ~p~n", [Name, run(Flags, Pattern, State, Action)]) || {Name, Flags, Pattern, State, Action} <- [
        {calls, [call], true, All, fun calls/0},
        {results, [call, scheduler_id], [{'_', [], [{exception_trace}, {message, {{said, '$_'}}}]}], All, fun calls/0},
        {timed, [call, monotonic_timestamp], true, All, fun calls/0},
        {arities, [call, arity, strict_monotonic_timestamp], true, All, fun calls/0},
        {returns_to, [call, return_to, timestamp], true, All, fun calls/0},
        {silent, [call, silent], true, All, fun calls/0},
        {messages, [send, 'receive'], none, All, fun messages/0},
        {only_sent, [send, 'receive'], none, #{send => trace}, fun messages/0},
        {processes, [procs], none, All, fun lives/0},
        {some, [procs, call], true, #{register => trace, call => discard}, fun() -> calls(), lives() end},
        {removed, [call], true, #{trace_status => remove, call => trace}, fun calls/0},
        {odd, [call], true, #{call => 17}, fun calls/0}]],
    io:format("meta: ~p~n", [meta(All)]),
    io:format("sequential: ~p~n", [sequential(All)]),
    [io:format("~p~n", [try erlang:trace(self(), true, [call, T]) catch error:E -> E end]) || T <- [{tracer, lists, x}, {tracer, no_such_module, x}, {tracer, 1, x}]],
    io:format("~p~n", [erlang:trace_info(self(), tracer)]).

run(Flags, Pattern, Answers, Action) ->
    Me = self(), State = {Answers, Me},
    P = spawn(fun() -> receive go -> Action(), Me ! {self(), done} end, receive never -> ok end end),
    Pattern =:= none orelse erlang:trace_pattern({?MODULE, f, 1}, Pattern, [local]),
    1 = erlang:trace(P, true, [{tracer, ?MODULE, State} | Flags]),
    Info = {erlang:trace_info(P, tracer) =:= {tracer, {?MODULE, State}}, lists:sort(element(2, erlang:trace_info(P, flags)))},
    P ! go,
    receive {P, done} -> ok end,
    _ = erlang:trace(P, false, [all]),
    erlang:trace_pattern({?MODULE, f, 1}, false, [local]),
    exit(P, kill),
    {Info, told(P)}.

told(P) -> receive {Tag, Q, Term, Options} -> [{Tag, if Q =:= P -> p; true -> Q =:= self() end, plain(Term), plain(Options)} | told(P)] after 100 -> [] end.

%% Without what is another each time.
plain(X) when is_pid(X); is_port(X); is_reference(X) -> X =:= self();
plain(#{scheduler_id := N} = O) when is_integer(N) -> plain(O#{scheduler_id := number});
plain(M) when is_map(M) -> lists:sort(maps:to_list(maps:map(fun(_, V) -> plain(V) end, M)));
plain(T) when is_tuple(T) -> list_to_tuple(plain(tuple_to_list(T)));
plain([H | T]) -> [plain(H) | plain(T)];
plain(F) when is_function(F) -> function;
plain(X) -> X.

calls() -> _ = {?MODULE:f(1), f([a]), catch ?MODULE:f(bad)}, ok.
messages() -> self() ! hello, receive hello -> ok end, X = alias(), X ! there, receive there -> ok end.
lives() ->
    register(nif_tracer_name, self()), unregister(nif_tracer_name),
    P = spawn_link(fun() -> receive never -> ok end end), unlink(P), exit(P, kill), ok.

meta(All) ->
    erlang:trace_pattern({?MODULE, f, 1}, [{['$1'], [], [{return_trace}]}], [{meta, ?MODULE, {All, self()}}]),
    Info = erlang:trace_info({?MODULE, f, 1}, meta) =:= {meta, {?MODULE, {All, self()}}},
    f(meta),
    erlang:trace_pattern({?MODULE, f, 1}, false, [meta]),
    {Info, told(self())}.

sequential(All) ->
    seq_trace:set_system_tracer({?MODULE, {All, self()}}),
    seq_trace:set_token(label, 17), seq_trace:set_token(print, true), seq_trace:set_token(send, true),
    seq_trace:print(17, here), Me = self(), P = spawn(fun() -> receive go -> Me ! gone end end),
    P ! go, receive gone -> ok end,
    seq_trace:set_token([]),
    L = told(self()),
    seq_trace:set_system_tracer(false),
    lists:sort([{Tag, Label, setelement(2, What, serial)} || {Tag, Label, What, _} <- L]).
