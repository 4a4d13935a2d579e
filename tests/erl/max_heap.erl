%% max_heap_size: how it is told and set, who dies of it, what is reported, and what counts.
-module(max_heap).
-export([main/0]).

main() ->
    flags(), system(), dying(), reports(), traced(), looked_at().

-define(QUIET, error_logger => false).

flags() ->
    t:all([
        {"default", fun() -> {process_info(self(), max_heap_size), erlang:system_info(max_heap_size)} end},
        {"number", fun() -> A = process_flag(max_heap_size, 100000), B = process_info(self(), max_heap_size), process_flag(max_heap_size, 0), {A, B} end},
        {"map", fun() -> A = process_flag(max_heap_size, #{size => 100000, kill => false, ?QUIET}), B = process_info(self(), max_heap_size), {A, B, process_flag(max_heap_size, #{size => 0})} end},
        {"one key is left out", fun() -> process_flag(max_heap_size, #{size => 100000, kill => false}), A = process_flag(max_heap_size, #{size => 100000, ?QUIET}), {A, process_flag(max_heap_size, 0)} end},
        {"other keys", fun() -> process_flag(max_heap_size, #{size => 100000, foo => bar}), process_flag(max_heap_size, 0) end},
        {"in garbage_collection", fun() -> {_, L} = process_info(self(), garbage_collection), lists:keyfind(max_heap_size, 1, L) end},
        {"spawned with a number", fun() -> spawned(100000) end},
        {"spawned with a map", fun() -> spawned(#{size => 100000, kill => false, ?QUIET}) end},
        {"not inherited", fun() -> process_flag(max_heap_size, 100000), A = spawned(none), process_flag(max_heap_size, 0), A end}
    ] ++ [{io_lib:format("bad ~0p", [X]), fun() -> process_flag(max_heap_size, X) end} ||
             X <- [x, -1, 1, 232, #{}, #{kill => true}, #{size => x}, #{size => 100000, kill => x}, #{size => 100000, error_logger => 1}, #{size => 1}, 1 bsl 70, 1.0, []]]
      ++ [{io_lib:format("bad option ~0p", [X]), fun() -> spawn_opt(fun() -> ok end, [{max_heap_size, X}]) end} ||
             X <- [x, -1, 1, 232, #{}, #{kill => true}, #{size => x}, #{size => 100000, kill => x}, #{size => 100000, error_logger => 1}, #{size => 1}]]
      ++ [{io_lib:format("with a smallest size ~0p", [{X, Y}]), fun() -> {P, R} = spawn_opt(fun() -> ok end, [monitor, {max_heap_size, X}, {min_heap_size, Y}]), down(P, R) end} ||
             {X, Y} <- [{1000, 2000}, {5000, 2000}, {0, 2000}]]).

spawned(Max) ->
    P = spawn_opt(fun() -> receive stop -> ok end end, [{max_heap_size, Max} || Max =/= none]),
    I = process_info(P, max_heap_size),
    P ! stop,
    I.

system() ->
    t:all([
        {"system_flag", fun() ->
            A = erlang:system_flag(max_heap_size, #{size => 200000, kill => false, ?QUIET}),
            B = erlang:system_info(max_heap_size),
            C = spawned(none),
            D = spawned(300000),
            E = process_info(self(), max_heap_size),
            {_, G} = lists:keyfind(max_heap_size, 1, erlang:system_info(garbage_collection)),
            F = erlang:system_flag(max_heap_size, #{size => 0, kill => true, error_logger => true}),
            {A, B, C, D, E, F, G}
        end}
    ] ++ [{io_lib:format("bad ~0p", [X]), fun() -> erlang:system_flag(max_heap_size, X) end} || X <- [x, -1, 1, #{}, #{size => x}, #{size => 100000, kill => x}]]).

down(P, R) ->
    receive {'DOWN', R, _, P, Why} -> Why after 60000 -> exit(P, kill), demonitor(R, [flush]), lives end.

run(Max, F) -> run(Max, F, []).
run(Max, F, More) ->
    {P, R} = spawn_opt(F, [monitor, {max_heap_size, Max} | More]),
    down(P, R).

build(0, L) -> length(L);
build(N, L) -> build(N - 1, [[N] | L]).

dying() ->
    Small = #{size => 10000, ?QUIET},
    t:all([
        {"a list", fun() -> run(Small, fun() -> build(100000, []) end) end},
        {"one large object", fun() -> run(Small, fun() -> list_to_tuple(lists:duplicate(100000, 0)) end) end},
        {"a message", fun() -> L = lists:seq(1, 100000), {P, R} = spawn_opt(fun() -> receive X -> garbage_collect(), length(X) end end, [monitor, {max_heap_size, Small}]), P ! L, down(P, R) end},
        {"the dictionary does not count, what is in it does", fun() -> run(Small, fun() -> [put(N, [N]) || N <- lists:seq(1, 20000)], garbage_collect() end) end},
        {"binaries do not count", fun() -> run(Small, fun() -> B = binary:copy(<<1>>, 1000000), garbage_collect(), garbage_collect(), exit(byte_size(B)) end) end},
        {"who traps exits", fun() -> run(Small, fun() -> process_flag(trap_exit, true), build(100000, []) end) end},
        {"who catches", fun() -> run(Small, fun() -> catch build(100000, []), receive nothing -> ok end end) end},
        {"not killed", fun() -> run(Small#{kill => false}, fun() -> exit(build(100000, [])) end) end},
        {"set by itself", fun() -> run(0, fun() -> process_flag(max_heap_size, Small), build(100000, []) end) end},
        {"links see it", fun() -> process_flag(trap_exit, true), P = spawn_opt(fun() -> build(100000, []) end, [link, {max_heap_size, Small}]), A = receive {'EXIT', P, W} -> W after 60000 -> late end, process_flag(trap_exit, false), A end}
    ]).

%% Reports go to the process named logger.
reports() ->
    Logger = erlang:system_flag(system_logger, self()),
    t:all([{io_lib:format("report ~0p", [Max]), fun() ->
        {P, R} = spawn_opt(fun() -> build(3000 + t:shrink(47000), []) end, [monitor, {max_heap_size, Max}]), % each collection above the size is a report
        Why = down(P, R),
        {Why, receive
            {log, Level, Format, [P, Size, Total, Kill, Log, Len, Info], Meta} -> % those of others may come late
                {Level, Format, Size, Total > Size, Kill, Log, Len, [K || {K, V} <- Info, is_integer(V)], lists:sort(maps:keys(Meta)), maps:get(error_logger, Meta)}
            after case Max of #{error_logger := false} -> 100; _ -> 5000 end -> none end, flush(P, 0) > 1}
    end} || Max <- [#{size => 10000}, #{size => 10000, kill => false}, #{size => 10000, kill => false, error_logger => false}, #{size => 10000, error_logger => false}]]),
    erlang:system_flag(system_logger, Logger).

flush(P, N) -> receive {log, _, _, [P | _], _} -> flush(P, N + 1) after 0 -> N end.

traced() ->
    t:show("traced", fun() ->
        {P, R} = spawn_opt(fun() -> receive go -> build(50000, []) end end, [monitor, {max_heap_size, #{size => 10000, ?QUIET}}]),
        erlang:trace(P, true, [garbage_collection]),
        P ! go,
        Why = down(P, R),
        receive {trace, P, gc_max_heap_size, L} -> {Why, [K || {K, V} <- L, is_integer(V)]} after 60000 -> none end
    end).

%% Messages that a receive has looked at and left.
looked_at() ->
    t:all([{io_lib:format("looked at, ~p", [Where]), fun() ->
        Me = self(),
        F = fun() -> receive last -> ok end, garbage_collect(), garbage_collect(), Me ! {self(), process_info(self(), message_queue_len)} end,
        {P, R} = spawn_opt(F, [monitor, {max_heap_size, #{size => 10000, ?QUIET}}, {message_queue_data, Where}]),
        [P ! {x, lists:seq(1, N)} || N <- lists:seq(1, 200)],
        P ! last,
        receive {P, Len} -> {Len, down(P, R)}; {'DOWN', R, _, P, Why} -> Why end
    end} || Where <- [on_heap, off_heap]]),
    %% They are whole when they are taken, whatever was collected in between.
    t:show("left outside", fun() ->
        {P, R} = spawn_opt(fun() -> keep(1) end, [monitor, {message_queue_data, off_heap}]),
        [P ! {N, lists:seq(1, N), float(N), <<N:800>>} || N <- lists:seq(200, 1, -1)],
        P ! {0, [], 0.0, <<>>},
        down(P, R)
    end).

%% In the order of their numbers: each receive looks at all before the one it takes; the guards make garbage, so that collections come in between.
keep(201) -> exit(done);
keep(N) ->
    receive
        {N, L, F, B} when F * 1.5 + (N bsl 70) > 0, length(L) * 1.0 =:= F, byte_size(B) =:= 100 ->
            L = lists:seq(1, N), <<N:800>> = B, F = float(N),
            keep(N + 1)
    end.
