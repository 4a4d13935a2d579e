#!/usr/bin/env escript
%%! -noinput
%% Writes map_order.inc: for maps with 60 keys of many kinds, the external form of the list of their keys in the order in which
%% maps:next walks them. Run with OTP 25:  escript map_order.escript > map_order.inc
main(_) ->
    io:put_chars("/* Written by map_order.escript. */\n"),
    [write(F) || F <- kinds()].

kinds() ->
    [fun(I) -> I end,
     fun(I) -> -I * 1000000007 end,
     fun(I) -> "key" ++ integer_to_list(I) end,
     fun(I) -> {I, [I, {}], "x"} end,
     fun(I) -> <<"binary key number ", (integer_to_binary(I))/binary>> end,
     fun(I) -> <<I:13, 5:3, I:29>> end,
     fun(I) -> I / 7 end,
     fun(I) -> (1 bsl 70) * I - I end,
     fun(I) -> -(1 bsl 130) * I - I end,
     fun(I) -> [1, 2, 300 | I] end,
     fun(I) -> [[I | "abc"], [[]], {I, {I}}] end,
     fun(I) -> #{1 => I, "a" => [I]} end,
     fun(I) -> maps:from_list([{J, I} || J <- lists:seq(1, 40)]) end].

write(F) ->
    M = maps:from_list([{F(I), I} || I <- lists:seq(1, 60)]),
    Bytes = term_to_binary(walk(maps:next(maps:iterator(M)))),
    io:format("{~p, (const uint8_t[]){~s}},~n", [byte_size(Bytes), lists:join(",", [integer_to_list(B) || <<B>> <= Bytes])]).

walk({K, _, I}) -> [K | walk(maps:next(I))];
walk(none) -> [].
