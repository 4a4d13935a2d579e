%% Runs one benchmark program and prints how long it took and what it computed: `bench:main([Module, Name])`.
%% A program is a row {Name, fun() -> Value} of Module:programs().
-module(bench).
-export([main/1, list/1, idle/1, resident/0]).

-define(MODULES, [b_calls, b_lists, b_floats, b_memory, b_maps, b_binaries, b_integers, b_processes, b_library, b_tables]).

%% One line per program: Module Name.
list(_) ->
    [io:format("~s ~s~n", [M, N]) || M <- ?MODULES, {N, _} <- M:programs()],
    halt(0).

main([Module, Name]) ->
    {Name, F} = lists:keyfind(Name, 1, Module:programs()),
    Self = self(),
    {Pid, Ref} = spawn_monitor(fun() ->
        T0 = microseconds(),
        Value = F(),
        T1 = microseconds(),
        Self ! {T1 - T0, erlang:phash2(Value)}
    end),
    receive
        {Time, Hash} -> io:format("~w ~w~n", [Time, Hash]);
        {'DOWN', Ref, process, Pid, Reason} -> io:format("failed ~p~n", [Reason])
    end,
    halt(0).

%% Of the wall, or, if the environment has BENCH_CPU, of the processors, all threads together.
microseconds() ->
    case os:getenv("BENCH_CPU") of
        false -> erlang:monotonic_time(microsecond);
        _ -> 1000 * element(1, erlang:statistics(runtime))
    end.

%% Bytes per idle process: starts N that wait, prints the growth of resident memory divided by N.
idle([Count]) ->
    N = list_to_integer(atom_to_list(Count)),
    Before = resident(),
    start_idle(N), % and no list of them: that is not theirs
    receive after 200 -> ok end,
    After = resident(),
    io:format("~w ~w~n", [(After - Before) div N, N]),
    halt(0).

start_idle(0) ->
    ok;
start_idle(N) ->
    spawn(fun() -> receive stop -> ok end end),
    start_idle(N - 1).

%% Bytes of memory that this process of the system has now.
resident() ->
    {ok, F} = file:open("/proc/self/statm", [read, raw, binary]),
    {ok, Line} = file:read_line(F),
    file:close(F),
    [_, Pages | _] = binary:split(Line, <<" ">>, [global]),
    binary_to_integer(Pages) * 4096.
