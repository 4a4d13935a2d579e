%% Random arithmetic: expressions on integers of any size and floats, to text and back, as bits and back.
-module(numbers).
-export([main/0]).

main() ->
    Seed = list_to_integer(os:getenv("SEED", "1")),
    rand:seed(exsss, {Seed, 20, 30}),
    [line(I) || I <- lists:seq(1, list_to_integer(os:getenv("COUNT", "1000")))],
    ok.

line(I) ->
    X = value(4),
    io:format("~w: ~w~n", [I, [X, text(X), bits(X)]]).

%% The value of a random expression, or why it has none.
value(0) -> leaf();
value(Depth) ->
    case rand:uniform(4) of
        1 -> leaf();
        2 -> one(one_of(['-', 'bnot', abs, round, trunc, ceil, floor, float]), operand(Depth - 1));
        3 -> two(one_of(['+', '-', '*', '/', '<', '=<', '==', '=:=', max]), operand(Depth - 1), operand(Depth - 1));
        _ -> two(one_of(['+', '-', '*', 'div', 'rem', 'band', 'bor', 'bxor', 'bsl', 'bsr']), integer(Depth - 1), integer(Depth - 1))
    end.

%% Mostly a number, and mostly an integer: an error in a part of an expression ends it.
operand(Depth) ->
    case value(Depth) of
        N when is_number(N) -> N;
        X -> one_of([X, leaf(), leaf(), leaf(), leaf(), leaf(), leaf(), leaf()])
    end.
integer(Depth) ->
    case operand(Depth) of
        F when is_float(F) -> case rand:uniform(8) of 1 -> F; _ -> clip(trunc(F)) end;
        X -> X
    end.

one(Op, A) -> clip(attempt(fun() -> erlang:Op(A) end)).

two(Op, A, B) when Op =:= 'bsl'; Op =:= 'bsr' ->
    case B of
        _ when is_integer(B), abs(B) > 500 -> two(Op, A, B rem 500);
        _ -> clip(attempt(fun() -> erlang:Op(A, B) end))
    end;
two(Op, A, B) -> clip(attempt(fun() -> erlang:Op(A, B) end)).

%% OTP 25's trunc and its like give this number a form of its own, that =:= takes for another one.
clip(N) when is_integer(N), N == -576460752303423488 -> -576460752303423488;
clip(N) when is_integer(N), abs(N) > 1 bsl 2000 -> N rem ((1 bsl 1000) + 7);
clip(N) -> N.

attempt(F) ->
    try F()
    catch error:R -> R
    end.

leaf() ->
    case rand:uniform(8) of
        1 -> rand:uniform(20) - 10;
        2 -> sign(rand:uniform(1 bsl 60));
        3 -> sign((1 bsl one_of([27, 28, 31, 32, 53, 59, 60, 63, 64, 127, 128])) + rand:uniform(3) - 2);
        4 -> sign(rand:uniform(1 bsl (rand:uniform(8) * 64)));
        5 -> sign(rand:uniform(1 bsl rand:uniform(1000)));
        6 -> sign((rand:uniform(1 bsl rand:uniform(100)) bsl rand:uniform(300)) - rand:uniform(2));
        7 -> (rand:uniform() - 0.5) * math:pow(2, rand:uniform(300) - 100);
        8 -> one_of([0.0, 1.0, -1.5, 9007199254740993.0, 1.0e22, 0.1, 1.0e-10, 123456.789])
    end.

sign(N) -> case rand:uniform(2) of 1 -> N; 2 -> 0 - N end. % not -N: OTP 25 makes something of 1 bsl 59 that is equal to nothing
one_of(L) -> lists:nth(rand:uniform(length(L)), L).

text(N) when is_integer(N) ->
    Base = rand:uniform(35) + 1,
    L = integer_to_list(N, Base),
    %% As text: OTP 25 may hold -(1 bsl 59) in a form that is equal to nothing.
    L = integer_to_list(list_to_integer(L, Base), Base),
    L = integer_to_list(binary_to_integer(integer_to_binary(N, Base), Base), Base),
    {Base, erlang:crc32(L)};
text(F) when is_float(F) ->
    F = list_to_float(float_to_list(F, [short])),
    F = binary_to_float(float_to_binary(F)),
    D = rand:uniform(20) - 1,
    [attempt(fun() -> float_to_list(F, O) end) || O <- [[short], [{decimals, D}], [{decimals, D}, compact], [{scientific, D}], []]];
text(X) -> X.

bits(N) when is_integer(N) ->
    Size = rand:uniform(300),
    <<A:Size, B:Size/little, C:Size/signed, D:Size/signed-little, _/bits>> = Bin = <<N:Size, N:Size/little, N:Size, N:Size/little, 0:7>>,
    A = B, C = D,
    {Size, erlang:crc32(<<Bin/bits, 0:(7 - (bit_size(Bin) + 7) rem 8)>>), A - C};
bits(F) when is_float(F) ->
    <<G/float>> = <<F/float>>,
    <<H/float-little>> = <<F/float-little>>,
    {F =:= G, F =:= H, attempt(fun() -> <<F:32/float>> end)};
bits(X) -> X.
