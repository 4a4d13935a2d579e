#!/usr/bin/env escript
%%! -noinput
%% Writes numbers_table.inc: what Erlang/OTP says of random arithmetic, for test_numbers.c. Run with OTP 25:
%%   escript numbers_table.escript > numbers_table.inc
%% A number is hexadecimal; a float is "f" and its 16 digits; anything else is the reason of an error.
main(_) ->
    rand:seed(exsss, {7, 11, 13}),
    Two = ['+', '-', '*', '/', 'div', 'rem', 'band', 'bor', 'bxor', 'bsl', 'bsr', '<', '=='],
    [row(Op, number(Op), second(Op)) || _ <- lists:seq(1, 80), Op <- Two],
    [row(Op, A, B) || Op <- Two, Op =/= 'bsl', Op =/= 'bsr', A <- edges(), B <- edges()],
    [row(Op, 1 bsl 1024, 1.0) || Op <- ['+', '-', '*', '/', '<', '==']],
    [row(Op, A, B) || Op <- ['bsl', 'bsr'], A <- edges(), B <- [0, 1, -1, 3, 59, 60, 63, 64, -63, -64, 128, 1 bsl 40, 1 bsl 64, -(1 bsl 64)]],
    One = ['-', 'bnot', abs, round, trunc, ceil, floor, float],
    [row(Op, number(Op)) || _ <- lists:seq(1, 40), Op <- One],
    [row(Op, A) || Op <- One, A <- edges() ++ [1 bsl 1024, -(1 bsl 1023), 0.5, -0.5, 1.5, 2.5, -2.5, 0.49999999999999994, 1.0e300, 4503599627370497.5]].

edges() ->
    [0, -1, (1 bsl 59) - 1, -(1 bsl 59), 1 bsl 59, (1 bsl 64) - 1, 1 bsl 64, -(1 bsl 64), -(1 bsl 128), (1 bsl 53) + 1, 1 bsl 190,
     0.0, 1.5, 9007199254740992.0, 1.8446744073709552e19, -1.0e308].

second(Op) when Op =:= 'bsl'; Op =:= 'bsr' -> rand:uniform(300) - 150;
second(Op) -> number(Op).

number(Op) ->
    case rand:uniform(6) of
        1 -> rand:uniform(200) - 100;
        2 -> sign(rand:uniform(1 bsl 60));
        3 -> sign((1 bsl (40 + rand:uniform(60))) + rand:uniform(3) - 2);
        4 -> sign(rand:uniform(1 bsl (rand:uniform(5) * 64)));
        5 -> sign(rand:uniform(1 bsl rand:uniform(300)) bsl rand:uniform(100));
        6 when Op =:= 'band'; Op =:= 'bor'; Op =:= 'bxor'; Op =:= 'bnot'; Op =:= 'bsl'; Op =:= 'bsr'; Op =:= 'div'; Op =:= 'rem' ->
            sign(rand:uniform(1 bsl 200));
        6 -> (rand:uniform() - 0.5) * math:pow(2, rand:uniform(200) - 80)
    end.

sign(N) -> case rand:uniform(2) of 1 -> N; 2 -> -N end.

row(Op, A, B) ->
    io:format("{\"~s\", \"~s\", \"~s\", \"~s\"},~n", [Op, text(A), text(B), text(try erlang:Op(A, B) catch error:R -> R end)]).
row(Op, A) ->
    io:format("{\"~s\", \"~s\", NULL, \"~s\"},~n", [Op, text(A), text(try erlang:Op(A) catch error:R -> R end)]).

text(N) when is_integer(N) -> integer_to_list(N, 16);
text(F) when is_float(F) -> <<N:64>> = <<F/float>>, io_lib:format("f~16.16.0b", [N]);
text(A) -> atom_to_list(A).
