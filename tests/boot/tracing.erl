%% What is told of ports; what dbg, fprof, eprof and cprof make of it.
-module(tracing).
-export([main/0, f/1, spawning/1, sorts/1]).
-include_lib("stdlib/include/ms_transform.hrl").

main() ->
    ports(),
    file(),
    wrapped_files(),
    profilers(),
    debugger(),
    systems().

%% --- Ports

ports() ->
    Self = self(),
    Collector = spawn(fun() -> collect([]) end),
    Show = fun(What, Port) ->
        timer:sleep(100),
        Ref = make_ref(),
        Collector ! {get, self(), Ref},
        receive {Ref, L} -> io:format("~p~n  ~p~n", [What, rename([M || M <- L, is_sure(M)], [{Port, port}, {Self, self}])]) end
    end,
    erlang:trace(new_ports, true, [ports, send, 'receive', running_ports, {tracer, Collector}]),
    P = open_port({spawn, "cat"}, [binary, stream]),
    Show(open, P),
    port_command(P, <<"abc">>), receive {P, {data, <<"abc">>}} -> ok end,
    Show(command, P),
    P ! {self(), {command, [<<"x">>, $y, <<"z">>]}}, receive {P, {data, <<"xyz">>}} -> ok end,
    Show(message, P),
    catch port_control(P, 1, <<"q">>),
    Show(control, P),
    register(pp, P), unregister(pp), register(pp, P),
    Show(names, P),
    unlink(P), link(P),
    Show(links, P),
    erlang:demonitor(erlang:monitor(port, P)),
    Show(monitors, P),
    Other = spawn(fun() -> receive stop -> ok end end),
    port_connect(P, Other),
    Show(connect, P),
    P ! {Other, {connect, self()}},
    Show(connect_back, P),
    {name, "cat"} = erlang:port_info(P, name),
    Show(info, P),
    P ! {self(), close}, receive {P, closed} -> ok end,
    Show(close, P),
    P2 = open_port({spawn, "cat"}, []),
    port_command(P2, "hello"), receive {P2, {data, "hello"}} -> ok end,
    port_close(P2),
    Show(port_close, P2),
    process_flag(trap_exit, true),
    P4 = open_port({spawn, "cat"}, []),
    exit(P4, {some, reason}),
    receive {'EXIT', P4, _} -> ok end,
    Show(exit, P4),
    P5 = open_port({spawn, "cat"}, []),
    P5 ! {self(), foo},
    receive {'EXIT', P5, badsig} -> ok end,
    Show(bad, P5),
    port_close(P5),
    Q = spawn(fun() -> Self ! {port, open_port({spawn, "cat"}, [])}, receive stop -> exit(done) end end),
    P6 = receive {port, X} -> X end,
    Show(open, P6),
    Q ! stop,
    Show(owner_ends, P6),
    P7 = open_port({spawn, "cat"}, []),
    io:format("~p~n", [{lists:sort(element(2, erlang:trace_info(P7, flags))), erlang:trace_info(P7, tracer) =:= {tracer, Collector}}]),
    exit(Collector, kill), timer:sleep(20),
    io:format("~p~n", [[erlang:trace_info(P7, flags), erlang:trace_info(P7, tracer), erlang:trace_info(new_ports, flags)]]),
    port_close(P7),
    process_flag(trap_exit, false).

%% When a port polls is its own affair, and so is how OTP starts programs.
is_sure({trace, _, Tag, 0}) when Tag =:= in; Tag =:= out -> false;
is_sure({trace, _, 'receive', {_, {control, {N, _}}}}) -> N < 256;
is_sure({trace, _, send, {_, {control, <<>>}}, _}) -> false;
is_sure(_) -> true.

collect(L) ->
    receive
        {get, To, Ref} -> To ! {Ref, lists:reverse(L)}, collect([]);
        M -> collect([M | L])
    end.

rename(T, Map) when is_pid(T); is_port(T) -> proplists:get_value(T, Map, if is_pid(T) -> pid; true -> other_port end);
rename(T, _) when is_reference(T) -> ref;
rename([H | T], Map) -> [rename(H, Map) | rename(T, Map)];
rename(T, Map) when is_tuple(T) -> list_to_tuple(rename(tuple_to_list(T), Map));
rename(T, _) -> T.

%% --- Files of trace messages

f(X) -> X.

read(Spec) ->
    Self = self(),
    dbg:trace_client(file, Spec, {fun(M, _) -> Self ! {m, M} end, []}),
    read_on().

read_on() ->
    receive
        {m, end_of_trace} -> [];
        {m, M} -> [setelement(2, M, pid) | read_on()]
    after 5000 -> [timeout]
    end.

file() ->
    {ok, _} = dbg:tracer(port, dbg:trace_port(file, "trace_file")),
    {ok, _} = dbg:p(self(), [c]),
    {ok, _} = dbg:tpl(?MODULE, f, x),
    [?MODULE:f(X) || X <- [1, a, "abc", {x, 1.5}, <<1:3>>, #{a => 1 bsl 70}]],
    io:format("~p~n", [dbg:flush_trace_port()]),
    [io:format("~p~n", [catch_error(C)]) || C <- ["n /nonexistent/x", "x y", "w 1 1"]],
    {ok, #{size := Flushed}} = {ok, #{size => filelib:file_size("trace_file")}},
    dbg:stop(),
    io:format("~p~n~p~n", [Flushed > 0, read("trace_file")]).

catch_error(Command) ->
    try open_port({spawn, "trace_file_drv " ++ Command}, []) catch C:R -> {C, R} end.

wrapped_files() ->
    Spec = {"wrapped", wrap, ".log", 200, 3},
    {ok, _} = dbg:tracer(port, dbg:trace_port(file, Spec)),
    {ok, _} = dbg:p(self(), [c]),
    {ok, _} = dbg:tpl(?MODULE, f, []),
    [?MODULE:f(lists:duplicate(20, N)) || N <- lists:seq(1, 30)],
    dbg:stop(),
    io:format("~p~n", [lists:sort(filelib:wildcard("wrapped*.log"))]),
    io:format("~p~n", [[hd(hd(A)) || {trace, _, call, {_, _, A}} <- read(Spec)]]).

%% --- Profilers

sorts(N) -> lists:sort([X rem 7 || X <- lists:seq(1, N)]).

spawning(0) -> ok;
spawning(N) ->
    {_, Ref} = spawn_monitor(fun() -> sorts(N) end),
    receive {'DOWN', Ref, _, _, _} -> ok end,
    spawning(N - 1).

profilers() ->
    {ok, _} = eprof:profile(fun() -> spawning(3) end, [{set_on_spawn, true}]),
    %% How often a process is started by apply/2 depends on when it runs first.
    Calls = [lists:sort([{F, C} || {F, {C, _}} <- M, F =/= {erlang, apply, 2}]) || {_, M} <- eprof:dump()],
    io:format("~p~n", [lists:sort(Calls)]),
    eprof:stop(),
    cprof:start(),
    sorts(100),
    cprof:pause(),
    {_, _, Ours} = cprof:analyse(?MODULE),
    io:format("~p~n", [lists:sort(Ours)]),
    {_, _, Lists} = cprof:analyse(lists),
    io:format("~p~n", [[X || {{lists, F, _}, _} = X <- lists:sort(Lists), F =:= sort orelse F =:= seq orelse F =:= seq_loop]]),
    cprof:stop(),
    fprof:apply(fun() -> sorts(20) end, [], [{file, "fprof.trace"}]),
    ok = profiled("fprof.trace"),
    ok = fprof:analyse([{dest, "fprof.analysis"}, no_callers]),
    {ok, Terms} = file:consult("fprof.analysis"),
    io:format("~p~n", [lists:sort([{F, N} || {{M, _, _} = F, N, _, _} <- lists:flatten(Terms), M =:= ?MODULE orelse M =:= lists])]).

%% fprof links to its reader after starting it: one that is done by then is an error of fprof, not of the trace.
profiled(File) ->
    case fprof:profile([{file, File}]) of
        {error, noproc} -> profiled(File);
        Result -> Result
    end.

%% --- dbg with its own tracer, and sys

debugger() ->
    Self = self(),
    {ok, _} = dbg:tracer(process, {fun(M, N) -> Self ! {m, setelement(2, M, pid)}, N + 1 end, 0}),
    {ok, _} = dbg:p(self(), [c, timestamp]),
    {ok, _} = dbg:tpl(?MODULE, sorts, dbg:fun2ms(fun([N]) when N > 1 -> return_trace(), message(caller()) end)),
    ?MODULE:sorts(1), ?MODULE:sorts(3),
    {ok, _} = dbg:ctpl(?MODULE, sorts),
    ?MODULE:sorts(4),
    dbg:stop(),
    io:format("~p~n", [[erlang:delete_element(tuple_size(M), M) || M <- received()]]).

received() ->
    receive {m, M} -> [M | received()] after 200 -> [] end.

systems() ->
    {ok, P} = gen_event:start(),
    io:format("~p~n", [sys:statistics(P, true)]),
    [] = gen_event:which_handlers(P),
    {ok, S} = sys:statistics(P, get),
    io:format("~p~n", [[X || {K, _} = X <- S, K =:= messages_in]]),
    ok = sys:suspend(P), ok = sys:resume(P),
    sys:trace(P, true), sys:no_debug(P),
    io:format("~p~n", [element(1, sys:get_status(P))]),
    gen_event:stop(P).
