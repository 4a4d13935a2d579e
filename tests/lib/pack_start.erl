%% The module that packs of mutants start with: it calls what else is in them.
-module(pack_start).
-export([start/0]).

start() ->
    {_, Ref} = spawn_monitor(fun() -> work() end),
    receive {'DOWN', Ref, process, _, _} -> ok after 300 -> late end.

work() ->
    Data = [{b, 2}, {a, 1}, {c, "text"}, {<<"bin">>, #{k => [1.5, x]}}],
    _ = [catch M:F(Data) || M <- [lists_copy, queue_copy, dict_copy, calendar_copy, maps_copy, gb_trees_copy], F <- [from_list, keysort, sort, reverse, usort]],
    _ = [catch lists_copy:F(A, B) || F <- [map, filter, keyfind, append, foreach], A <- [1, fun(X) -> {X} end], B <- [Data, []]],
    [X || {X, _} <- Data].
