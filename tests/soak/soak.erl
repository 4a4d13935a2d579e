%% A mixed load on booted OTP for SOAK_SECONDS: processes, ETS, files, code reloading, timers, ports, regular expressions, binaries,
%% persistent terms. Ends with "flat", or says what has grown. Run by tests/run.py --only soak.
-module(soak).
-export([main/0]).

main() ->
    Seconds = number("SOAK_SECONDS", 30),
    End = erlang:monotonic_time(millisecond) + 1000 * Seconds,
    Folder = os:getenv("WORK", "."),
    Loads = [fun spawning/2, fun tables/2, fun files/2, fun reloading/2, fun timers/2, fun ports/2, fun terms/2, fun messages/2, fun failing/2],
    Bins = modules(),
    put(modules, Bins),
    process_flag(trap_exit, true),
    Workers = [spawn_link(fun() -> put(modules, Bins), put(folder, Folder), work(L, N, End, 0) end) || {N, L} <- lists:enumerate(Loads)],
    Samples = watch(End, Seconds),
    Rounds = [receive {'EXIT', W, {rounds, R}} -> R; {'EXIT', W, Why} -> io:format("worker died: ~p~n", [Why]), halt(1) end || W <- Workers],
    io:format("rounds ~w~n", [Rounds]),
    verdict(Samples, Rounds),
    halt().

work(F, N, End, Rounds) ->
    case erlang:monotonic_time(millisecond) < End of
        true -> F(N, Rounds), work(F, N, End, Rounds + 1);
        false -> exit({rounds, Rounds})
    end.

%% --- What is looked at: nine times, or every minute, when everything that can go has gone.

watch(End, Seconds) ->
    Step = max(200, min(60000, Seconds * 100)),
    [begin
         timer:sleep(Step),
         Asked = [P || P <- processes(), erlang:garbage_collect(P, [{async, P}]) =:= async], % all at once: one after another takes long on a busy machine
         [receive {garbage_collect, P, _} -> ok end || P <- Asked],
         Sample = {erlang:memory(total), erlang:memory(code), erlang:memory(atom), erlang:memory(binary), length(processes()),
                   length(erlang:ports()), length(ets:all()), resident(), descriptors()},
         io:format("~w~n", [Sample]),
         Sample
     end || _ <- lists:seq(2, Seconds * 1000 div Step), erlang:monotonic_time(millisecond) < End].

resident() ->
    {ok, Text} = file:read_file("/proc/self/statm"),
    [_, Pages | _] = binary:split(Text, <<" ">>, [global]),
    binary_to_integer(Pages) * 4096.

descriptors() ->
    {ok, Names} = file:list_dir("/proc/self/fd"),
    length(Names).

%% The last three samples must not be above what the second to fourth were by more than a tenth and a megabyte or two.
verdict(Samples, Rounds) ->
    Names = [total, code, atom, binary, processes, ports, tables, resident, descriptors],
    Early = lists:sublist(Samples, 2, 3),
    Late = lists:nthtail(max(0, length(Samples) - 3), Samples),
    Grown = [{Name, E, L} || {I, Name} <- lists:enumerate(Names),
                             E <- [lists:max([element(I, S) || S <- Early])], L <- [lists:min([element(I, S) || S <- Late])],
                             L > limit(Name, E)],
    Idle = [R || R <- Rounds, R =:= 0],
    case {Grown, Idle} of
        {[], []} -> io:format("flat~n");
        _ -> io:format("grown: ~p~nidle: ~p~n", [Grown, length(Idle)])
    end.

limit(resident, E) -> E + E div 10 + 4000000;
limit(processes, E) -> E + 200; % a load has a hundred or none
limit(What, E) when What =:= ports; What =:= tables; What =:= descriptors -> E + 40;
limit(total, E) -> % with several schedulers what is put aside for a moment comes and goes
    case erlang:system_info(schedulers) of
        1 -> E + E div 10 + 1000000;
        _ -> E + E div 3 + 4000000
    end;
limit(_, E) -> E + E div 10 + 1000000.

%% --- The loads: each takes its number and how often it has run.

spawning(_, I) ->
    Parent = self(),
    Pids = [spawn_link(fun() -> Parent ! {self(), lists:sum(lists:seq(1, 100 + N))} end) || N <- lists:seq(1, 100)],
    [receive {P, _} -> unlink(P) end || P <- Pids],
    {P, M} = spawn_monitor(fun() -> exit({bye, I}) end),
    receive {'DOWN', M, process, P, {bye, I}} -> ok end,
    S = spawn(fun() -> receive never -> ok end end),
    exit(S, kill),
    flush().

tables(_, I) ->
    T = ets:new(t, [case I rem 4 of 0 -> set; 1 -> ordered_set; 2 -> bag; 3 -> duplicate_bag end, public | [compressed || I rem 3 =:= 0]]),
    ets:insert(T, [{N rem 500, N, integer_to_binary(N), {I, [N]}} || N <- lists:seq(1, 2000)]),
    _ = ets:select(T, [{{'$1', '$2', '_', '_'}, [{'>', '$2', 1000}], ['$1']}], 100),
    _ = ets:match_delete(T, {7, '_', '_', '_'}),
    _ = ets:foldl(fun(X, A) -> A + tuple_size(X) end, 0, T),
    ets:delete(T),
    persistent_term:put({soak, I rem 5}, {I, lists:seq(1, 50)}),
    case I rem 20 of 19 -> [persistent_term:erase({soak, K}) || K <- lists:seq(0, 4)]; _ -> ok end.

files(N, I) ->
    Name = filename:join(get(folder), "soak" ++ integer_to_list(N)),
    Data = binary:copy(<<I:32>>, 5000),
    ok = file:write_file(Name, Data),
    {ok, Data} = file:read_file(Name),
    {ok, F} = file:open(Name, [read, write, binary | [raw || I rem 2 =:= 0]]),
    {ok, _} = file:pread(F, 100, 400),
    ok = file:pwrite(F, 19000, <<"abc">>),
    ok = file:close(F),
    {ok, Z} = file:open(Name ++ ".gz", [write, compressed]),
    ok = file:write(Z, Data),
    ok = file:close(Z),
    {error, enoent} = file:read_file(Name ++ ".none"),
    ok = file:delete(Name),
    ok = file:delete(Name ++ ".gz").

reloading(_, I) ->
    Bins = get(modules),
    {Module, Bin} = lists:nth(I rem length(Bins) + 1, Bins),
    code:purge(Module),
    {module, Module} = code:load_binary(Module, "soak_made.erl", Bin),
    {lit, _, _} = Module:f(),
    F = Module:g(I),
    I = F(),
    Keeper = spawn(fun() -> X = Module:f(), receive stop -> X end end),
    code:purge(Module),
    true = code:delete(Module),
    code:purge(Module),
    Keeper ! stop.

modules() ->
    [begin
         Forms = [{attribute, 1, module, soak_made}, {attribute, 1, export, [{f, 0}, {g, 1}]},
                  {function, 1, f, 0, [{clause, 1, [], [], [erl_parse:abstract({lit, I, {lists:seq(1, 300), binary:copy(<<I>>, 1000)}})]}]},
                  {function, 2, g, 1, [{clause, 2, [{var, 2, 'X'}], [], [{'fun', 2, {clauses, [{clause, 2, [], [], [{var, 2, 'X'}]}]}}]}]}],
         {ok, soak_made, Bin} = compile:forms(Forms, []),
         {soak_made, Bin}
     end || I <- lists:seq(1, 5)].

timers(_, I) ->
    [erlang:send_after(N rem 7, self(), {tick, N}) || N <- lists:seq(1, 50)],
    Cancelled = [erlang:start_timer(100000 + N, self(), {never, lists:seq(1, 20)}) || N <- lists:seq(1, 50)],
    [receive {tick, N} -> ok end || N <- lists:seq(1, 50)],
    [true = is_integer(erlang:cancel_timer(R)) || R <- Cancelled],
    {ok, _} = timer:send_after(1, {done, I}),
    receive {done, I} -> ok end.

ports(_, I) ->
    P = open_port({spawn, "cat"}, [stream, binary]),
    true = port_command(P, <<"hello", I:16>>),
    receive {P, {data, _}} -> ok after 20000 -> exit(no_answer) end,
    true = port_close(P),
    case I rem 10 of
        0 -> "x\n" = os:cmd("echo x");
        _ -> ok
    end,
    flush().

terms(_, I) ->
    Term = {I, lists:seq(1, 300), #{a => I, b => [I]}, 1 bsl 500, 3.5, make_ref(), self(), <<1:3>>},
    B = term_to_binary(Term, [compressed]),
    Term = binary_to_term(B),
    M = maps:from_list([{N, {N, I}} || N <- lists:seq(1, 200)]),
    M2 = maps:map(fun(_, {A, Z}) -> A + Z end, M),
    true = map_size(M2) =:= 200,
    {match, _} = re:run(integer_to_list(I) ++ "abc" ++ lists:duplicate(50, $x), "([a-z]+)x*$"),
    _ = re:replace("a-b-c", "-", "+", [global]),
    _ = list_to_atom("soak_" ++ integer_to_list(I rem 100)),
    _ = lists:foldl(fun(X, A) -> <<A/binary, X:16>> end, <<>>, lists:seq(1, 500)),
    _ = io_lib:format("~p ~s ~w", [Term, "text", M]),
    zlib:gunzip(zlib:gzip(B)).

messages(_, I) ->
    Big = binary:copy(<<I:64>>, 200),
    Self = self(),
    P = spawn_link(fun() -> echo(Self) end),
    [P ! {N, Big, lists:seq(1, N)} || N <- lists:seq(1, 50)],
    [receive {P, N} -> ok end || N <- lists:seq(50, 1, -1)],
    A = alias([reply]),
    P ! {reply, A},
    receive {A, ok} -> ok end,
    unlink(P),
    P ! stop,
    flush().

echo(To) ->
    receive
        stop -> ok;
        {reply, A} -> A ! {A, ok}, echo(To);
        {N, _, _} -> To ! {self(), N}, echo(To)
    end.

failing(_, I) ->
    _ = (catch error({i, I})),
    _ = (catch lists:nth(5, [1])),
    _ = (catch apply(soak_no_such, f, [I])),
    {P, M} = spawn_opt(fun() -> process_flag(max_heap_size, #{size => 10000, kill => true, error_logger => false}), grow([]) end, [monitor]),
    receive {'DOWN', M, process, P, killed} -> ok end,
    ok.

grow(L) -> grow([L | lists:seq(1, 100)] ++ L).

flush() -> receive _ -> flush() after 0 -> ok end.

number(Name, Default) ->
    case os:getenv(Name) of
        false -> Default;
        Text -> list_to_integer(Text)
    end.
