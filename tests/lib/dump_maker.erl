%% Ends with a crash dump that has something of everything in it. Read by dump_reader.
-module(dump_maker).
-export([main/0]).

main() ->
    Self = self(),
    register(kept, spawn(fun() -> kept(Self) end)),
    register(waits, spawn(fun() -> receive never -> ok end end)),
    receive ready -> ok end,
    ets:new(dumped, [named_table, public]),
    ets:insert(dumped, [{1, 2}, {3, 4}]),
    ets:new(sorted, [named_table, ordered_set, public]),
    erlang:send_after(100000, waits, {tick, "tock"}),
    waits ! {hello, [1, 2.5, <<"bin">>, #{a => 1}]},
    waits ! x,
    persistent_term:put({dumped, 1}, {some, "thing", 7}),
    _ = list_to_atom("an odd " ++ lists:append(["o", "ne"])),
    timer:sleep(100),
    erlang:halt("the slogan").

kept(Parent) ->
    Long = binary:copy(<<"x">>, 1000),
    [put(K, V) || {K, V} <- [{nothing, []}, {list, [1, a | b]}, {text, "characters"}, {tuple, {}}, {pair, {x, {y, z}}}, {small, -5}, {float, 2.5},
                             {big, 1 bsl 100}, {minus, -(1 bsl 70)}, {short, <<1, 2, 3>>}, {long, Long}, {part, binary:part(Long, 10, 500)},
                             {flat, #{one => 1, "two" => {2}}}, {empty, #{}}, {large, maps:from_list([{I, I * I} || I <- lists:seq(1, 40)])},
                             {deep, lists:foldl(fun(I, T) -> {I, T} end, [], lists:seq(1, 50))}, {export, fun lists:map/2},
                             {'odd atom', 'åäö'}, {literal, {this, is, "a literal", <<"and a binary">>}}]],
    Parent ! ready,
    receive never -> Long end.
