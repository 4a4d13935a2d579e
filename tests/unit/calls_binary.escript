#!/usr/bin/env escript
%%! -noinput
%% Writes calls_binary.etf: calls of built-ins about binaries and what Erlang/OTP answers, for test_calls.c. Run with OTP 25:
%%   escript calls_binary.escript calls_binary.etf
%% A row is {Module, Function, Arguments, {ok, Value} | {error, Reason}}.
-mode(compile).
main([File]) ->
    rand:seed(exsss, {3, 5, 7}),
    Calls = lists:append([parts(), lists_of_bytes(), iolists(), searches(), splits(), commons(), copies(), unsigned(), characters()]),
    Rows = [{M, F, A, try {ok, value(F, apply(M, F, A))} catch error:R -> {error, R} end} || {M, F, A} <- Calls],
    ok = file:write_file(File, term_to_binary(Rows, [{compressed, 9}])).

%% How the list is cut is the VM's own business.
value(iolist_to_iovec, L) -> iolist_to_binary(L);
value(_, V) -> V.

uniform(N) -> rand:uniform(N).
one_of(L) -> lists:nth(uniform(length(L)), L).
times(N, F) -> [F() || _ <- lists:seq(1, N)].

bytes(N) -> << <<(uniform(256) - 1)>> || _ <- lists:seq(1, N) >>.
%% Binaries on and off byte boundaries, short and long.
binary() -> binary(one_of([0, 1, 2, 7, 8, 9, 20, 63, 64, 65, 100, 300])).
binary(N) ->
    Skip = uniform(16) - 1,
    <<_:Skip, B:N/binary, _/bits>> = bytes(N + 2),
    B.
bitstring() ->
    N = uniform(200) - 1,
    Skip = uniform(16) - 1,
    <<_:Skip, B:N/bits, _/bits>> = bytes(40),
    B.
any_bits() -> one_of([binary(), bitstring(), <<>>, <<1:1>>]).
odd() -> one_of([a, [], {}, 1.0, -1, <<1:3>>, [a], [256], [-1], 1 bsl 70, -(1 bsl 70), <<>>, <<1>>, {1, 2}, [1 | 2]]).
number() -> one_of([0, 1, 2, 3, 8, 63, 64, 65, 100, 101, -1, -2, -64, uniform(400), -uniform(100), 1 bsl 62, 1 bsl 64, -(1 bsl 63), a, 1.0]).

parts() ->
    lists:append(times(150, fun() ->
        B = any_bits(), X = number(), Y = number(),
        [{erlang, bit_size, [B]}, {erlang, byte_size, [B]}, {erlang, size, [B]},
         {erlang, binary_part, [B, X, Y]}, {erlang, binary_part, [B, {X, Y}]}, {binary, part, [B, X, Y]}, {binary, part, [B, {X, Y}]},
         {erlang, split_binary, [B, X]}, {binary, at, [B, X]}, {binary, first, [B]}, {binary, last, [B]},
         {erlang, binary_to_list, [B]}, {erlang, binary_to_list, [B, X, Y]}, {erlang, bitstring_to_list, [B]}]
    end)) ++
    [{M, F, [odd()]} || {M, F} <- [{erlang, bit_size}, {erlang, byte_size}, {erlang, size}, {binary, first}, {binary, last},
                                  {erlang, binary_to_list}, {erlang, bitstring_to_list}], _ <- lists:seq(1, 15)] ++
    [{binary, part, [<<1, 2, 3>>, odd()]} || _ <- lists:seq(1, 20)].

lists_of_bytes() ->
    [{erlang, list_to_binary, [L]} || L <- [[], [1], "abc", [256], [-1], [1 | 2], a, <<"x">>, [<<"x">>], [<<1:1>>], [1.0], lists:seq(1, 255)]].

iolist(0) -> one_of([uniform(256) - 1, binary(), [], "abc"]);
iolist(D) ->
    Tail = one_of([[], [], [], binary(), [uniform(256) - 1]]),
    lists:foldl(fun(_, T) -> [one_of([uniform(256) - 1, iolist(D - 1), binary()]) | T] end, Tail, lists:seq(1, uniform(5) - 1)).
broken(L) -> one_of([[L | 3], [L, a], [L, 256], [L, <<1:1>>], [L | <<5:3>>], [[[L], -1]], [L, 1.5 | []], {L}]).

iolists() ->
    Fs = [{erlang, iolist_to_binary}, {erlang, iolist_size}, {erlang, list_to_binary}, {binary, list_to_bin}, {erlang, list_to_bitstring},
          {erlang, iolist_to_iovec}],
    Good = times(40, fun() -> iolist(uniform(4) - 1) end) ++ [binary(3000), [binary(300), binary(300)], [1, binary(300)], [binary(200), binary(500)]],
    Deep = lists:foldl(fun(I, A) -> [A, I band 255] end, [], lists:seq(1, 300)),
    Right = lists:foldl(fun(I, A) -> [I band 255 | A] end, <<"end">>, lists:seq(1, 300)),
    Bits = [[<<1:1>>, 7, <<5:3>>], [<<1:1>> | <<1:1>>], [<<0:3>>, [<<1:2>>, 3 | <<>>]]],
    [{M, F, [L]} || {M, F} <- Fs, L <- Good ++ [broken(L) || L <- Good] ++ [Deep, Right] ++ Bits ++ [odd(), odd(), odd(), bitstring()]].

text(N) -> << <<(one_of("abc"))>> || _ <- lists:seq(1, N) >>.
shifted(B) ->
    Skip = uniform(8) - 1,
    N = byte_size(B),
    <<_:Skip, C:N/binary, _/bits>> = <<0:Skip, B/binary, 0>>,
    C.
needle() -> shifted(text(one_of([1, 1, 2, 2, 3, 4, 6]))).
needles() -> one_of([needle(), [needle()], times(uniform(4), fun needle/0), times(12, fun needle/0)]).
scope(B) -> N = byte_size(B), {scope, {uniform(N + 2) - 1, uniform(N + 2) - uniform(N + 2)}}.

searches() ->
    lists:append(times(250, fun() ->
        B = shifted(text(one_of([0, 1, 5, 20, 60, 200]))), P = needles(), O = one_of([[], [scope(B)], [scope(B), scope(B)], one_of([a, [a], [global], [{scope, 1}]])]),
        [{binary, match, [B, P]}, {binary, matches, [B, P]}, {binary, match, [B, P, O]}, {binary, matches, [B, P, O]}]
    end)) ++
    [{binary, F, [B, P]} || F <- [match, matches, split], B <- [<<"abc">>, <<>>, <<1:1>>, a], P <- [<<>>, [], [<<>>], [a], a, {bm, a}, {bm, <<"a">>}, [<<"a">> | b], <<1:1>>]] ++
    [{binary, compile_pattern, [P]} || P <- [<<>>, [], [<<>>], [a], a, [<<"a">> | b], <<1:1>>, [<<"a">>, <<>>]]] ++
    [{binary, F, [<<"abcde">>, [<<"bcde">>, <<"bc">>, <<"de">>]]} || F <- [match, matches, split]].

splits() ->
    lists:append(times(250, fun() ->
        B = shifted(text(one_of([0, 1, 5, 20, 60]))), P = needles(),
        O = one_of([[], [global], [global, trim], [global, trim_all], [trim], [trim_all], [global, scope(B)], [scope(B)], [trim, scope(B)], [a], b]),
        [{binary, split, [B, P]}, {binary, split, [B, P, O]}]
    end)).

commons() ->
    lists:append(times(80, fun() ->
        Base = text(one_of([0, 1, 8, 9, 40])),
        L = times(uniform(4), fun() -> shifted(<<(text(uniform(3) - 1))/binary, Base/binary, (text(uniform(3) - 1))/binary>>) end),
        M = times(uniform(4), fun() -> shifted(<<Base/binary, (text(uniform(20) - 1))/binary>>) end),
        [{binary, longest_common_prefix, [M]}, {binary, longest_common_suffix, [L]}, {binary, longest_common_suffix, [M]}]
    end)) ++ [{binary, F, [L]} || F <- [longest_common_prefix, longest_common_suffix], L <- [[], a, [a], [<<1:1>>], [<<>> | <<>>], [<<>>], [<<"a">>, a]]].

copies() ->
    [{binary, copy, [any_bits(), one_of([0, 1, 2, 3, 10, -1, a])]} || _ <- lists:seq(1, 60)] ++ [{binary, copy, [any_bits()]} || _ <- lists:seq(1, 10)].

unsigned() ->
    Ns = [0, 1, 255, 256, 65535, 1 bsl 59, (1 bsl 60) - 1, 1 bsl 64, (1 bsl 128) + 3, uniform(1 bsl 500), -1, a, 1.0, -(1 bsl 80)],
    [{binary, encode_unsigned, [N]} || N <- Ns] ++ [{binary, encode_unsigned, [N, E]} || N <- Ns, E <- [big, little, native, 1]] ++
    [{binary, decode_unsigned, [any_bits()]} || _ <- lists:seq(1, 30)] ++
    [{binary, decode_unsigned, [B, E]} || B <- [<<>>, <<0>>, <<0, 0, 1>>, <<1, 0, 0>>, binary(8), binary(9), binary(16), binary(40), <<0:400, 1>>, a], E <- [big, little, native, 1]].

chars() -> one_of([uniform(128) - 1, uniform(256) - 1, uniform(2047), uniform(16#ffff), uniform(16#10ffff)]).
char_data(0) -> one_of([chars(), unicode:characters_to_binary(times(uniform(30), fun() -> one_of("aåÄ€") end)), [], "abc", <<"plain text">>]);
char_data(D) ->
    Tail = one_of([[], [], [], unicode:characters_to_binary("tåil"), "x"]),
    lists:foldl(fun(_, T) -> [char_data(D - 1) | T] end, Tail, lists:seq(1, uniform(4) - 1)).
spoilt(L) -> one_of([[L | 3], [L, a], [L, 16#d800], [L, 16#110000], [L, <<1:1>>], [L | <<255>>], [[[L], -1]], [L, <<16#c3>>], [L, <<16#c3>>, <<16#a9>>],
                     [L, <<16#e2, 16#82>>, "rest" | <<"x">>], [L, <<16#c3>>, 16#a9], <<16#f0, 16#9f>>, [<<"abc", 255>>, L], [<<16#ed, 16#a0, 16#80>>, L], {L}, [<<16#c0, 16#80>> | L], [[[<<16#e2>>], <<16#82>>], <<16#ac>>, L]]).
characters() ->
    Good = times(60, fun() -> char_data(uniform(4) - 1) end),
    [{unicode, F, [L, E]} || F <- [characters_to_binary, characters_to_list], L <- Good ++ [spoilt(L) || L <- Good ++ Good] ++ [odd(), odd(), odd()], E <- [utf8, unicode, latin1]] ++
    [{unicode, F, [<<(list_to_binary(lists:duplicate(N, $a)))/binary, T/binary>>, utf8]} || F <- [characters_to_binary, characters_to_list], N <- [0, 7, 30], T <- [<<16#e2, 16#82>>, <<16#e2, 16#82, 16#ac>>, <<16#e2, $a>>, <<16#f5>>]] ++
    [{unicode, bin_is_7bit, [B]} || B <- [<<>>, <<"abc">>, <<"ab", 200>>, binary(), bitstring(), a, shifted(<<"abcdefghijk">>), shifted(<<"abcdefghijklmno", 128>>)]].
