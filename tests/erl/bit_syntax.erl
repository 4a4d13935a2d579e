%% The bit syntax: matching and construction of every type of segment, and what goes wrong in them.
-module(bit_syntax).
-export([main/0, id/1]).

main() ->
    integers(),
    floats(),
    binaries(),
    utf(),
    t:all(failures()),
    loops(),
    appending(),
    comprehensions(),
    contexts(),
    ok.

id(X) -> X.

print(Label, V) -> io:format("~ts: ~w~n", [Label, V]).

integers() ->
    B = id(<<16#fe, 16#dc, 16#ba, 16#98, 16#76, 16#54, 16#32, 16#10, 1, 2, 3, 4, 5, 6, 7, 8, 9>>),
    print("8", begin <<A:8, _/bits>> = B, A end),
    print("16", begin <<_, A1:16, A2:16/little, A3:16/signed, A4:16/little-signed, _/bits>> = B, {A1, A2, A3, A4} end),
    print("32", begin <<C1:32, C2:32/little, C3:32/signed-little, _/bits>> = B, {C1, C2, C3} end),
    print("64", begin <<D1:64, D2:64/little, _/bits>> = B, {D1, D2} end),
    print("64 signed", begin <<E1:64/signed, E2:64/little-signed, _/bits>> = B, {E1, E2} end),
    print("odd", begin <<F1:1, F2:3, F3:7, F4:13/little, F5:17/signed, F6:59/little-signed, F7:4, _/bits>> = B, {F1, F2, F3, F4, F5, F6, F7} end),
    print("sizes", [begin <<X:N, R/bits>> = B, <<Y:N/little-signed, R/bits>> = B, {N, X, Y} end || N <- lists:seq(0, 136)]),
    print("offsets", [begin <<_:O, X:33, Y:9/little, _/bits>> = B, {O, X, Y} end || O <- lists:seq(0, 40)]),
    print("unit", begin N3 = id(3), <<G:N3/unit:12, H:N3/little-unit:5, _/bits>> = B, {G, H} end),
    print("native", begin <<I1:32/native, I2:24/native-signed, _/bits>> = B, {I1, I2} end),
    print("build", [<<X:N>> || N <- [0, 1, 7, 8, 9, 31, 32, 33, 64, 65, 100], X <- [0, 1, -1, 255, 12345678901234567890, -(1 bsl 70)]]),
    print("build little", [<<5:3, X:N/little>> || N <- [0, 1, 7, 8, 9, 31, 32, 33, 64, 65, 100], X <- [0, 1, -1, 255, 12345678901234567890, -(1 bsl 70)]]),
    print("literal match", [case id(X) of <<1, 2, 3>> -> a; <<1, _/bits>> -> b; <<"str", _/bits>> -> c; <<5:3, 7:5, _/bits>> -> d; _ -> e end
                            || X <- [<<1, 2, 3>>, <<1>>, <<"string">>, <<"st">>, <<5:3, 7:5, 1:1>>, <<>>, 1, <<2>>]]),
    print("small numbers in huge fields", [begin
        S = 40000000, <<X:S/signed, Y:(S + 5)/signed-little, 7:3>> = <<N:S, N:(S + 5)/little, 7:3>>, {X, Y} end || N <- [0, 1, -1, 255, -129, 1 bsl 70]]),
    print("equal fields", [case id(X) of <<A, A, R/binary>> -> {A, R}; <<N5, T:N5/binary>> -> {n, T}; _ -> no end || X <- [<<1, 1, 2>>, <<3, 1, 2, 3>>, <<3, 1, 2>>]]).

floats() ->
    Fs = [0.0, -0.0, 1.0, -1.5, 1.0e300, 1.0e-320, 3.14159, 65504.0, 65520.0, 1.0e-8, 123456789.0],
    print("64", [<<F/float>> || F <- Fs]),
    print("32", [<<F:32/float>> || F <- Fs]),
    print("16", [<<F:16/float>> || F <- Fs]),
    print("little", [<<1:1, F:N/float-little>> || F <- Fs, N <- [16, 32, 64]]),
    print("of integers", [<<I:N/float>> || I <- [0, 1, -1, 1 bsl 24 + 1, 1 bsl 53 + 1, 1 bsl 59 - 1, 1 bsl 100, -(1 bsl 70)], N <- [16, 32, 64]]),
    print("read", [case B of <<X:16/float>> -> X; <<X:32/float>> -> X; <<X:64/float>> -> X; _ -> nomatch end
                   || B <- [<<16#7c00:16>>, <<16#3c00:16>>, <<1:16>>, <<16#8000:16>>, <<16#7f800000:32>>, <<16#ff7fffff:32>>, <<1:32>>, <<16#7ff0000000000000:64>>, <<16#7ff8000000000000:64>>, <<1:64>>, <<1.5/float>>]]),
    print("sizes", [case id(<<1.5/float, 0:64>>) of <<X:S/float, _/bits>> -> X; _ -> nomatch end || S <- [0, 1, 16, 32, 33, 64, 65, -1, a, 1 bsl 70]]).

binaries() ->
    B = id(list_to_binary(lists:seq(0, 255))),
    print("cut", [begin <<_:O/bits, X:N/bits, R/bits>> = B, {O, N, X, bit_size(R)} end || O <- [0, 1, 8, 13], N <- [0, 1, 7, 8, 33, 100, 129, 200]]),
    print("nested cuts", begin <<_:3, X/bits>> = B, <<_:7, Y/bits>> = X, <<Z:40/bits, _/bits>> = Y, {Z, byte_size(X), byte_size(Y)} end),
    print("tail units", [case id(X) of <<_, R/binary>> -> {binary, R}; <<_, R:1/binary, _/bits>> -> {one, R}; <<_:4, R/binary-unit:4>> -> {four, R}; _ -> none end
                         || X <- [<<1, 2>>, <<1, 2:4>>, <<1, 2, 3:4>>, <<1:4, 2:4, 3:4>>, <<1:3>>, <<>>]]),
    print("build", [<<3:2, (binary:part(B, 5, N))/binary, X/bits>> || N <- [0, 1, 60, 66], X <- [<<>>, <<1:1>>, <<7:9>>]]),
    print("sized", [<<(id(<<1, 2, 3, 4, 5>>)):N/binary, 9>> || N <- [0, 1, 5]]),
    print("compare", [{A < C, A == C, A > C} || A <- [<<>>, <<1>>, <<1:1>>, <<128>>, <<1, 2:4>>], C <- [<<>>, <<1>>, <<1:1>>, <<128>>, <<1, 2:4>>]]),
    print("equal at other places", begin <<_:5, P:64/bits, _/bits>> = <<0:5, "abcdefgh", 1>>, <<_:2, Q:64/bits, _/bits>> = <<0:2, "abcdefgh", 1>>, {P =:= Q, P == <<"abcdefgh">>, erlang:phash2(P) =:= erlang:phash2(Q)} end).

utf() ->
    Cs = [0, $a, 16#7f, 16#80, 16#7ff, 16#800, 16#d7ff, 16#e000, 16#ffff, 16#10000, 16#10ffff],
    print("utf8", [<<C/utf8>> || C <- Cs]),
    print("utf16", [{<<C/utf16>>, <<C/utf16-little>>} || C <- Cs]),
    print("utf32", [{<<C/utf32>>, <<C/utf32-little>>} || C <- Cs]),
    print("unaligned", [<<1:3, C/utf8, C/utf16, C/utf32-little>> || C <- Cs]),
    print("read", [begin <<_:3, A/utf8, B/utf16-little, D/utf32, _/bits>> = id(<<1:3, C/utf8, C/utf16-little, C/utf32>>), {A, B, D} end || C <- Cs]),
    print("bad", [case X of <<A/utf8, R/bits>> -> {A, R}; <<_/bits>> -> bad end
                  || X <- [<<>>, <<16#80>>, <<16#c0, 16#80>>, <<16#c3>>, <<16#e0, 16#80, 16#80>>, <<16#ed, 16#a0, 16#80>>, <<16#f4, 16#90, 16#80, 16#80>>, <<16#f8, 1, 1, 1>>, <<"é"/utf8, 1:1>>, <<1:5>>]]),
    print("bad 16", [case X of <<A/utf16, R/bits>> -> {A, R}; <<_/bits>> -> bad end || X <- [<<1>>, <<16#d8, 0>>, <<16#d8, 0, 16#d8, 0>>, <<16#dc, 0, 0, 0>>, <<16#d8, 0, 16#dc, 0, 1>>]]),
    print("bad 32", [case X of <<A/utf32, R/bits>> -> {A, R}; <<_/bits>> -> bad end || X <- [<<1, 2, 3>>, <<16#d800:32>>, <<16#110000:32>>, <<16#10ffff:32, 1:1>>]]),
    print("skip", [case X of <<_/utf8, _/utf8, R/binary>> -> R; _ -> no end || X <- [<<"aéx"/utf8>>, <<"a">>, <<"ü€"/utf8>>]]).

failures() ->
    Big = 1 bsl 70,
    [{"integer", fun() -> <<(id(a)):8>> end},
     {"integer second", fun() -> <<1, 2, (id("x")):8, (id(b)):3>> end},
     {"float", fun() -> <<(id(a))/float>> end},
     {"float size", fun() -> <<(id(1.0)):(id(17))/float>> end},
     {"float large", fun() -> <<(id(1 bsl 2000))/float>> end},
     {"binary", fun() -> <<(id(a))/binary>> end},
     {"binary unit", fun() -> <<0, (id(<<1:1>>))/binary>> end},
     {"binary first unit", fun() -> <<(id(<<1:1>>))/binary, 1>> end},
     {"binary first", fun() -> <<(id(7))/binary, 1>> end},
     {"short", fun() -> <<0, (id(<<1, 2>>)):3/binary>> end},
     {"negative size", fun() -> <<1:(id(-1))>> end},
     {"atom size", fun() -> <<1:(id(a))>> end},
     {"big size", fun() -> <<1:(id(Big))>> end},
     {"big negative size", fun() -> <<1:(id(-Big))>> end},
     {"big size in units", fun() -> <<(id(<<>>)):(id(1 bsl 58))/binary-unit:256>> end},
     {"utf8", fun() -> <<(id(16#d800))/utf8>> end},
     {"utf8 negative", fun() -> <<(id(-1))/utf8>> end},
     {"utf16", fun() -> <<(id(16#110000))/utf16>> end},
     {"utf32", fun() -> <<(id(a))/utf32>> end},
     {"size before type", fun() -> <<(id(a)):8, 1:(id(b))>> end},
     {"no match", fun() -> <<_:9, _/bits>> = id(<<1>>) end},
     {"not a binary", fun() -> <<_/bits>> = id(a) end},
     {"in a guard", fun() -> guard(id(a)) end}].

guard(X) when <<X:8>> =:= <<1>> -> one;
guard(_) -> other.

loops() ->
    B = binary:copy(<<1, 2, 3, 4, 5, 6, 7, 8, 9, 10>>, 1000),
    print("sum", sum(B, 0)),
    print("sum 24 little", sum24(B, 0)),
    print("bits", ones(B, 0)),
    print("pairs", length(pairs(B))),
    print("text", length(chars(<<"häßlich € 𝄞 "/utf8>>, []))).

sum(<<X, R/binary>>, A) -> sum(R, A + X);
sum(<<>>, A) -> A.
sum24(<<X:24/little, R/binary>>, A) -> sum24(R, A bxor X);
sum24(R, A) -> {A, R}.
ones(<<1:1, R/bits>>, N) -> ones(R, N + 1);
ones(<<0:1, R/bits>>, N) -> ones(R, N);
ones(<<>>, N) -> N.
pairs(<<A:4, B:4, R/bits>>) -> [{A, B} | pairs(R)];
pairs(_) -> [].
chars(<<C/utf8, R/binary>>, A) -> chars(R, [C | A]);
chars(<<>>, A) -> A.

appending() ->
    B1 = lists:foldl(fun(I, A) -> <<A/binary, I:16>> end, <<>>, lists:seq(1, 5000)),
    print("grown", {byte_size(B1), erlang:md5(B1)}),
    B2 = lists:foldl(fun(I, A) -> <<A/bits, I:5>> end, <<>>, lists:seq(1, 5000)),
    print("grown by bits", {bit_size(B2), erlang:phash2(B2)}),
    X = <<B1/binary, 1>>,
    Y = <<B1/binary, 2>>,
    Z = <<X/binary, 3>>,
    print("branches", {binary:last(X), binary:last(Y), binary:last(Z), byte_size(B1)}),
    P = self(),
    Pid = spawn(fun() -> receive S -> P ! {self(), <<S/binary, "child">>} end end),
    Pid ! X,
    X2 = <<X/binary, "parent">>,
    receive {Pid, C} -> print("sent", {binary:part(C, byte_size(C), -6), binary:part(X2, byte_size(X2), -6)}) end,
    print("twice", byte_size(<<B1/binary, B1/binary>>)),
    print("front", byte_size(queue(<<0:8000>>, 3000))).

queue(B, 0) -> B;
queue(<<_, R/binary>>, N) -> queue(<<R/binary, N>>, N - 1).

comprehensions() ->
    print("bytes", << <<(X * 2)>> || <<X>> <= <<1, 2, 3, 200>> >>),
    print("bits", << <<X:3>> || X <- lists:seq(1, 30) >>),
    print("list", [X || <<X:5>> <= <<"hello world">>]),
    print("filter", << <<X:4>> || <<X:4>> <= <<"some text">>, X rem 2 =:= 0 >>),
    print("two", << <<X, Y>> || <<X>> <= <<"abc">>, Y <- "de" >>),
    print("utf", [C || <<C/utf8>> <= <<"grün €"/utf8>>]),
    print("large", erlang:phash2(<< <<X:24>> || X <- lists:seq(1, 20000) >>)),
    print("stops", [X || <<1, X>> <= <<1, 2, 1, 3, 2, 4, 1, 5>>]).

contexts() ->
    print("back", [back(B) || B <- [<<1, 2, 3>>, <<2, 9>>, <<0>>, <<>>]]),
    print("passed on", outer(<<5, "hello", "rest">>)),
    print("kept", kept(<<"a,b,,c">>, <<>>, [])).

back(<<1, R/binary>> = All) -> {All, R};
back(<<X, Y, _/binary>>) when X > Y -> gt;
back(<<2, _/binary>> = All) -> {two, All};
back(All) -> All.

outer(<<N, R/binary>>) -> inner(R, N).
inner(B, N) -> case B of <<X:N/binary, Y/binary>> -> {X, Y}; _ -> short end.

kept(<<$,, R/binary>>, Acc, L) -> kept(R, <<>>, [Acc | L]);
kept(<<C, R/binary>>, Acc, L) -> kept(R, <<Acc/binary, C>>, L);
kept(<<>>, Acc, L) -> lists:reverse([Acc | L]).
