%% How processors belong together, and which of them schedulers would be bound to.
-module(topology).
-export([main/0, told/0, bound/0]).

types() ->
    [no_spread, thread_spread, processor_spread, spread, no_node_thread_spread, no_node_processor_spread, thread_no_node_processor_spread, default_bind, unbound].

main() ->
    logger:set_primary_config(level, none),
    rand:seed(exsss, {1, 2, 3}),
    erts_debug:set_internal_state(available_internal_state, true),
    [one(random_topology(Kind)) || Kind <- [none, outer, inner, mixed], _ <- lists:seq(1, 10)],
    [io:format("~p: ~p~n", [T, try_(fun() -> erlang:system_flag(cpu_topology, T) end)]) || T <- wrong()],
    [io:format("~p: ~p~n", [T, try_(fun() -> erlang:system_flag(scheduler_bind_type, T) end)]) || T <- types() ++ [sideways, 1]],
    io:format("~p~n", [[try_(fun() -> erlang:system_info({cpu_topology, W}) end) || W <- [nothing, 1]]]).

try_(F) -> try F() catch C:R -> {C, R} end.

one(T) ->
    erlang:system_flag(cpu_topology, T),
    io:format("~p~n~p~n", [erlang:system_info({cpu_topology, defined}), [{B, erts_debug:get_internal_state({fake_scheduler_bindings, B})} || B <- types()]]),
    true = erlang:system_info(cpu_topology) =:= erlang:system_info({cpu_topology, used}).

%% Processors with up to three of everything; logical numbers in any order.
random_topology(Kind) ->
    Shape = shape(Kind),
    Count = count(Shape),
    Numbers = [N || {_, N} <- lists:sort([{rand:uniform(), N} || N <- lists:seq(0, Count - 1)])],
    {Topology, []} = number(Shape, Numbers),
    Topology.

up_to(N, F) -> [F() || _ <- lists:seq(1, rand:uniform(N))].
shape(none) -> up_to(3, fun() -> {processor, cores()} end);
shape(outer) -> up_to(3, fun() -> {node, up_to(2, fun() -> {processor, cores()} end)} end);
shape(inner) -> up_to(2, fun() -> {processor, up_to(3, fun() -> {node, cores()} end)} end);
shape(mixed) -> up_to(2, fun() -> {node, up_to(2, fun() -> {processor, cores()} end)} end) ++ shape(inner).
cores() ->
    case rand:uniform(2) of
        1 -> up_to(3, fun() -> {core, logical} end);
        2 -> up_to(3, fun() -> {core, up_to(2, fun() -> {thread, logical} end)} end)
    end.

count(logical) -> 1;
count({_, X}) -> count(X);
count(L) -> lists:sum([count(X) || X <- L]).

number(logical, [N | T]) -> {{logical, N}, T};
number({Level, X}, Numbers) ->
    {Y, T} = number(X, Numbers),
    {{Level, Y}, T};
number(L, Numbers) -> lists:mapfoldl(fun number/2, Numbers, L).

wrong() ->
    [x, [], [x], [{processor, x}], [{processor, {logical, -2}}], [{processor, {logical, 65536}}], [{logical, 0}, {logical, 0}], [{core, {logical, 0}} | x],
     [{processor, [{core, {logical, 3}}, {core, {logical, 3}}]}], [{node, [{processor, {logical, 0}}]}, {processor, {logical, 1}}], undefined].

%% What the command line has said.
told() ->
    io:format("~p~n", [erlang:system_info({cpu_topology, defined})]).

%% Schedulers that are online are bound, to processors that are there; nothing else that the VM starts is.
bound() ->
    application:set_env(kernel, logger_level, none),
    logger:set_primary_config(level, none),
    [spawn(fun busy/0) || _ <- lists:seq(1, 8)],
    Allowed = erlang:system_info(logical_processors_available),
    io:format("~p ~p~n", [erlang:system_info(scheduler_bind_type), settled(Allowed)]),
    erlang:system_flag(scheduler_bind_type, unbound),
    io:format("~p ~p~n", [erlang:system_info(scheduler_bind_type), settled(0)]),
    erlang:system_flag(scheduler_bind_type, spread),
    erlang:system_flag(schedulers_online, 1),
    io:format("~p ~p ~p~n", [erlang:system_info(scheduler_bind_type), settled(1), child_may_use(Allowed)]).

busy() ->
    lists:seq(1, 1000),
    busy().

%% How many are bound: soon as many as expected; the rest is not.
settled(Wanted) -> settled(Wanted, 200).
settled(Wanted, Tries) ->
    Bindings = tuple_to_list(erlang:system_info(scheduler_bindings)),
    Expected = min(Wanted, erlang:system_info(schedulers_online)),
    Numbers = [N || N <- Bindings, is_integer(N)],
    Good = length(Numbers) =:= Expected andalso length(lists:usort(Numbers)) =:= Expected
               andalso lists:all(fun(B) -> B =:= unbound end, lists:nthtail(Expected, Bindings)),
    case Good of
        true -> as_expected;
        false when Tries > 0 -> timer:sleep(20), settled(Wanted, Tries - 1);
        false -> {Bindings, Wanted}
    end.

%% A program that is started may use as many processors as the VM could.
child_may_use(Allowed) ->
    case os:cmd("nproc") of
        "" -> true;
        N -> string:trim(N) =:= integer_to_list(Allowed)
    end.
