%% Tracing: what tracers are told of calls, their ends, messages and processes.
-module(tracing).
-export([main/0, f/1, g/1, h/1, leaf/1, fact/1, down/1, m/2, ex/1, sum/1, tail/2, worker/1, thrower/1, quit/1]).

main() ->
    calls(), global(), built_ins(), tails(), ends(), meta(), counts(), info(), process_events(), messages(), inherited(),
    patterns(), actions(), tracer_dies(), sequential(), watching(), saved().

%% A process that runs what it is sent; a test shows what it was told of it.
start() ->
    spawn(fun loop/0).

loop() ->
    receive
        {run, F, From} -> F(), From ! ran, loop();
        stop -> ok
    end.

run(P, F) ->
    P ! {run, F, self()},
    receive ran -> ok end.

with(What, Flags, F) ->
    P = start(),
    run(P, fun() -> ok end),
    1 = erlang:trace(P, true, Flags),
    run(P, F),
    Ref = erlang:trace_delivered(P),
    receive {trace_delivered, P, Ref} -> ok end,
    io:format("~s~n", [What]),
    show(P),
    erlang:trace(all, false, [all]),
    exit(P, kill).

show(P) ->
    receive
        {run, _, _} -> show(P);
        M when is_tuple(M) -> io:format("  ~p~n", [plain(P, M)]), show(P)
    after 0 ->
        ok
    end.

plain(P, P) -> tracee;
plain(_, T) when T =:= self() -> me;
plain(_, T) when is_pid(T) -> other;
plain(_, T) when is_reference(T) -> ref;
plain(_, T) when is_function(T) -> 'fun';
plain(_, {A, B, C}) when is_integer(A), is_integer(B), is_integer(C), A > 100 -> time;
plain(P, T) when is_tuple(T) -> list_to_tuple(plain(P, tuple_to_list(T)));
plain(P, [H | T]) -> [plain(P, H) | plain(P, T)];
plain(_, T) -> T.

all(Spec, Flags) ->
    erlang:trace_pattern({?MODULE, '_', '_'}, Spec, Flags).
one(F, A, Spec, Flags) ->
    erlang:trace_pattern({?MODULE, F, A}, Spec, Flags).

off() ->
    all(false, [local]), all(false, [meta]), all(false, [call_count]), all(false, [call_time]), all(false, [global]).

some_calls() ->
    f(3), fact(3), catch ex(1), down(2), ?MODULE:m(1, 2), sum([1, 2, 3]), leaf(x).

f(X) -> g(X) + 1.
g(X) -> h(X) * 2.
h(X) -> X.
fact(0) -> 1;
fact(N) -> N * fact(N - 1).
down(0) -> leaf(1);
down(N) -> down(N - 1).
leaf(X) -> X.
m(A, B) -> try ex(A) catch _:_ -> f(B) end.
ex(_) -> error(bad).
sum([]) -> 0;
sum([H | T]) -> H + sum(T).
tail(A, B) -> lists:reverse(A, B).
thrower(X) -> throw(X).
quit(X) -> exit({quit, X}).

calls() ->
    [one(F, A, [{'_', [], [{return_trace}]}], [local]) || {F, A} <- [{f, 1}, {g, 1}, {h, 1}, {fact, 1}, {ex, 1}, {down, 1}, {leaf, 1}, {m, 2}, {sum, 1}]],
    with("local, return_trace, return_to", [call, return_to], fun some_calls/0),
    with("arity, timestamp", [call, arity, timestamp], fun() -> f(1) end),
    with("silent", [call, silent], fun some_calls/0),
    off(),
    one(ex, 1, [{'_', [], [{exception_trace}]}], [local]),
    one(m, 2, [{'_', [], [{exception_trace}]}], [local]),
    with("exception_trace", [call, return_to], fun some_calls/0),
    off().

global() ->
    one(leaf, 1, true, [global]),
    one(m, 2, [{['$1', 2], [{is_integer, '$1'}], [{message, {{caller, '$1'}}}]}], [global]),
    with("global", [call], fun() -> leaf(1), ?MODULE:leaf(2), F = fun ?MODULE:leaf/1, F(3), apply(?MODULE, leaf, [4]), ?MODULE:m(1, 2), ?MODULE:m(a, 2) end),
    off().

built_ins() ->
    [1 = erlang:trace_pattern(F, [{'_', [], [{exception_trace}, {message, {caller}}]}], [local])
     || F <- [{lists, reverse, 2}, {erlang, integer_to_list, 1}, {erlang, put, 2}, {erlang, atom_to_list, 1}]],
    with("built-ins", [call, return_to],
         fun() -> put(a, integer_to_list(17)), catch atom_to_list(id(1)), lists:reverse([1, 2], [3]), apply(erlang, integer_to_list, [5]),
                  N = length(lists:reverse(lists:seq(1, 3), [])), put(n, N) end),
    [erlang:trace_pattern(F, false, [local]) || F <- [{lists, reverse, 2}, {erlang, integer_to_list, 1}, {erlang, put, 2}, {erlang, atom_to_list, 1}]].

id(X) -> X.

tails() ->
    one(tail, 2, [{'_', [], [{exception_trace}]}], [local]),
    erlang:trace_pattern({lists, reverse, 2}, [{'_', [], [{exception_trace}, {message, {caller}}]}], [local]),
    with("a built-in called last", [call, return_to], fun() -> tail([1, 2], [3]), catch tail([1 | 2], []), ok end),
    erlang:trace_pattern({lists, reverse, 2}, false, [local]),
    off().

ends() ->
    one(thrower, 1, [{'_', [], [{exception_trace}]}], [local]),
    one(f, 1, [{'_', [], [{exception_trace}]}], [local]),
    one(quit, 1, [{'_', [], [{exception_trace}]}], [local]),
    Me = self(),
    P = spawn(fun() -> receive go -> ok end, _ = (catch thrower(1)), try thrower(2) catch throw:_ -> quit(f(1)) end, Me ! never end),
    erlang:trace(P, true, [call, procs, return_to]),
    M = monitor(process, P),
    P ! go,
    receive {'DOWN', M, _, _, {quit, _}} -> ok end,
    io:format("the end of a process~n"),
    show(P),
    off().

meta() ->
    one(f, 1, [{'_', [], [{return_trace}]}], [{meta, self()}]),
    P = start(),
    run(P, fun() -> f(1) end),
    io:format("meta~n"),
    show(P),
    io:format("  ~p~n", [plain(P, erlang:trace_info({?MODULE, f, 1}, meta))]),
    off().

counts() ->
    all(true, [call_count]),
    some_calls(),
    io:format("counts ~p~n", [[erlang:trace_info({?MODULE, F, A}, call_count) || {F, A} <- [{f, 1}, {fact, 1}, {down, 1}, {sum, 1}, {thrower, 1}]]]),
    all(pause, [call_count]),
    some_calls(),
    io:format("paused ~p~n", [erlang:trace_info({?MODULE, f, 1}, call_count)]),
    all(restart, [call_count]),
    f(1),
    io:format("restarted ~p~n", [erlang:trace_info({?MODULE, f, 1}, call_count)]),
    off(),
    one(f, 1, true, [call_time]),
    P = start(),
    erlang:trace(P, true, [call]),
    run(P, fun() -> [f(N) || N <- lists:seq(1, 10)] end),
    {call_time, [{P, 10, S, Us}]} = erlang:trace_info({?MODULE, f, 1}, call_time),
    true = is_integer(S) andalso is_integer(Us),
    erlang:trace(P, false, [call]),
    off().

info() ->
    one(f, 1, [{'_', [], [{return_trace}]}], [local]),
    one(f, 1, true, [call_count]),
    one(leaf, 1, [{[1], [], []}], [global]),
    io:format("info~n"),
    [io:format("  ~p~n", [erlang:trace_info(What, all)]) || What <- [{?MODULE, f, 1}, {?MODULE, leaf, 1}, {?MODULE, g, 1}, {?MODULE, nothing, 7}]],
    [io:format("  ~p~n", [erlang:trace_info({?MODULE, f, 1}, K)]) || K <- [traced, match_spec, meta, meta_match_spec, call_count]],
    P = start(),
    erlang:trace(P, true, [call, send, timestamp, set_on_spawn]),
    io:format("  ~p ~p~n", [erlang:trace_info(P, flags), erlang:trace_info(P, tracer) =:= {tracer, self()}]),
    erlang:trace(P, false, [all]),
    erlang:trace(P, false, [timestamp]),
    io:format("  ~p ~p~n", [erlang:trace_info(P, flags), erlang:trace_info(P, tracer)]),
    io:format("  ~p ~p~n", [erlang:trace_info(new, flags), erlang:trace_info(new, tracer)]),
    Wrong = [{P, true, [nonsense]}, {P, maybe_, [call]}, {foo, true, [call]}, {P, true, [{tracer, foo}]}, {P, true, [call | x]}],
    [io:format("  ~p~n", [(catch erlang:trace(A, B, C)) =:= ok]) || {A, B, C} <- Wrong],
    [{'EXIT', {badarg, _}} = (catch erlang:trace(A, B, C)) || {A, B, C} <- Wrong],
    [{'EXIT', {badarg, _}} = (catch erlang:trace_pattern(A, B, C))
     || {A, B, C} <- [{{a, b}, true, []}, {{'_', b, 1}, true, []}, {{a, b, 1}, foo, []}, {{a, b, 1}, true, [global, local]}, {{a, b, 1}, true, [x]},
                      {{a, b, 1}, [{x, [], []}], []}]],
    off().

worker(X) -> X.

process_events() ->
    with("procs", [procs],
         fun() ->
             Q = spawn(fun() -> receive stop -> ok end end),
             register(traced_name, self()), unregister(traced_name),
             link(Q), unlink(Q), Q ! stop,
             R = spawn_link(?MODULE, worker, [1]),
             M = monitor(process, R),
             receive {'DOWN', M, _, _, _} -> ok end
         end),
    P = start(),
    erlang:trace(P, true, [procs]),
    exit(P, {some, reason}),
    receive {trace, P, exit, R} -> io:format("  exit ~p~n", [R]) end.

messages() ->
    Me = self(),
    with("send and receive", [send, 'receive', timestamp],
         fun() ->
             Me ! a, self() ! b, receive b -> ok end,
             catch (no_such_name ! c),
             D = spawn(fun() -> ok end), M = monitor(process, D), receive {'DOWN', M, _, _, _} -> ok end, D ! d
         end).

inherited() ->
    with("set_on_spawn", [procs, set_on_spawn],
         fun() -> {_, M} = spawn_monitor(?MODULE, worker, [1]), receive {'DOWN', M, _, _, _} -> ok end end),
    with("set_on_first_spawn", [procs, set_on_first_spawn],
         fun() -> [begin {_, M} = spawn_monitor(?MODULE, worker, [X]), receive {'DOWN', M, _, _, _} -> ok end end || X <- [1, 2]] end).

patterns() ->
    erlang:trace_pattern(send, [{['_', {keep, '$1'}], [], [{message, '$1'}]}], []),
    io:format("pattern ~p~n", [erlang:trace_info(send, match_spec)]),
    Me = self(),
    with("send pattern", [send], fun() -> Me ! {keep, 1}, Me ! {drop, 2} end),
    erlang:trace_pattern(send, true, []),
    erlang:trace_pattern('receive', [{['_', '$1', {keep, '_'}], [{'=:=', '$1', {self}}], [{message, mine}]}, {['_', '_', {keep, '_'}], [], []}], []),
    with("receive pattern", ['receive'], fun() -> self() ! {keep, 1}, self() ! {drop, 2}, receive {drop, _} -> ok end end),
    erlang:trace_pattern('receive', true, []).

actions() ->
    Actions = [[{message, {caller}}], [{message, false}, {return_trace}], [{enable_trace, send}], [{disable_trace, call}], [{trace, [call], [send, arity]}],
               [{message, {{{self}, {is_seq_trace}, {get_tcw}}}}], [{silent, true}], [{message, {element, 9, {{}}}}], [{set_tcw, 3}]],
    Me = self(),
    [begin
         one(f, 1, [{'_', [], A}], [local]),
         with(io_lib:format("~p", [A]), [call], fun() -> f(1), f(2), Me ! sent end),
         off()
     end || A <- Actions],
    io:format("~p~n", [erlang:system_flag(trace_control_word, 0)]),
    Tests = [[{message, x}], [{return_trace}, {exception_trace}], [{caller}], [{message, {caller}}], [nothing], [{message, {process_dump}, 1}]],
    [io:format("~p~n", [erlang:match_spec_test([1, 2], [{[1, '$1'], [], B}], trace)]) || B <- Tests],
    io:format("~p~n", [erlang:match_spec_test([1], [{[1], [{return_trace}], []}], trace)]).

tracer_dies() ->
    P = start(),
    T = spawn(fun() -> receive stop -> ok end end),
    erlang:trace(P, true, [call, {tracer, T}]),
    io:format("~p ", [erlang:trace_info(P, tracer) =:= {tracer, T}]),
    M = monitor(process, T),
    T ! stop,
    receive {'DOWN', M, _, _, _} -> ok end,
    io:format("~p ~p~n", [erlang:trace_info(P, flags), erlang:trace_info(P, tracer)]).

sequential() ->
    erlang:system_flag(sequential_tracer, self()),
    Me = self(),
    P = spawn(fun() -> receive {hello, From} -> From ! {token, seq_get()}, receive bye -> From ! {token, seq_get()} end end end),
    io:format("~p~n", [[erlang:seq_trace(label, 17), erlang:seq_trace(send, true), erlang:seq_trace('receive', true), erlang:seq_trace(print, true)]]),
    P ! {hello, Me},
    receive {token, T} -> io:format("~p ~p~n", [T, seq_get()]) end,
    erlang:seq_trace_print(note), erlang:seq_trace_print(17, again), erlang:seq_trace_print(18, not_this),
    erlang:seq_trace(sequential_trace_token, []),
    P ! bye,
    receive {token, T2} -> io:format("~p~n", [T2]) end,
    show(P),
    erlang:system_flag(sequential_tracer, false).

seq_get() -> [erlang:seq_trace_info(I) || I <- [label, serial, send, print]].

watching() ->
    undefined = erlang:system_monitor(self(), [{large_heap, 20000}, {long_gc, 100000}, busy_port]),
    {Me, L} = erlang:system_monitor(),
    io:format("~p ~p~n", [Me =:= self(), lists:sort(L)]),
    P = spawn(fun() -> X = lists:seq(1, 100000), erlang:garbage_collect(), length(X) end),
    receive {monitor, P, large_heap, I} -> io:format("~p~n", [lists:sort([K || {K, _} <- I])]) end,
    flush(),
    {Me, _} = erlang:system_monitor(undefined),
    undefined = erlang:system_monitor(),
    {'EXIT', {badarg, _}} = (catch erlang:system_monitor(self(), [nothing])).

flush() ->
    receive {monitor, _, _, _} -> flush() after 0 -> ok end.

saved() ->
    process_flag(save_calls, 3),
    process_flag(save_calls, 0),
    ok.
