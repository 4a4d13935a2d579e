%% md5, crc32, adler32: of all kinds of iodata, whole and in parts.
-module(checksum).
-export([main/0]).

main() ->
    Large = binary:copy(list_to_binary([X rem 251 || X <- lists:seq(1, 10001)]), 200),
    <<_:5, Odd:100000/binary, _/bits>> = Large,
    Deep = lists:foldl(fun(X, A) -> [X rem 256, A, <<X:16>>] end, [], lists:seq(1, 20000)),
    Data = [<<>>, [], "abc", <<"abc">>, [[["a"], <<"b">>], $c], [<<"a">> | <<"bc">>], Large, Odd, [Large, $x | Odd], Deep, binary_to_list(Odd), [[], [[]], <<>>]],
    Small = lists:sublist(Data, 6) ++ [Odd],
    [io:format("~w ~w ~w~n", [erlang:md5(D), erlang:crc32(D), erlang:adler32(D)]) || D <- Data],
    [io:format("~w~n", [erlang:md5_final(erlang:md5_update(erlang:md5_update(erlang:md5_init(), D), E))]) || D <- Data, E <- Small],
    [io:format("~w ~w~n", [erlang:crc32(erlang:crc32(D), "more"), erlang:adler32(erlang:adler32(D), "more")]) || D <- Data],
    [begin
         true = erlang:crc32([D, E]) =:= erlang:crc32_combine(erlang:crc32(D), erlang:crc32(E), iolist_size(E)),
         true = erlang:adler32([D, E]) =:= erlang:adler32_combine(erlang:adler32(D), erlang:adler32(E), iolist_size(E))
     end || D <- Data, E <- Small],
    [io:format("~p ~p: ~p~n", [F, A, catch_error(F, A)]) ||
        {F, A} <- [{md5, [a]}, {md5, [[256]]}, {md5, [[a]]}, {md5, [[-1]]}, {md5, [<<1:3>>]}, {md5, [["abc" | $d]]}, {md5, [[<<"a">> | a]]},
                   {md5_update, [<<>>, "abc"]}, {md5_update, [a, "abc"]}, {md5_final, [<<1>>]}, {md5_final, [a]},
                   {crc32, [a]}, {crc32, [-1, ""]}, {crc32, [1 bsl 32, ""]}, {crc32, [1.0, ""]}, {crc32, [1, a]}, {crc32, [5, ""]}, {adler32, [[a]]}, {adler32, [1 bsl 32, "x"]},
                   {adler32, [5, ""]}, {crc32_combine, [1, 2, a]}, {crc32_combine, [1, 2, -1]}, {crc32_combine, [1, 1 bsl 32, 3]}, {crc32_combine, [1, 2, 0]}, {adler32_combine, [1, 2, 0]},
                   {adler32_combine, [a, 2, 3]}]],
    ok.

catch_error(F, A) ->
    try apply(erlang, F, A)
    catch C:R -> {C, R}
    end.
