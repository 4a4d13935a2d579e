#!/usr/bin/env escript
%%! -noinput
%% Writes calls_numbers.etf: calls of built-ins about numbers, their text, and checksums, and what Erlang/OTP answers, for
%% test_calls.c. Run with OTP 25:  escript calls_numbers.escript calls_numbers.etf
-mode(compile).
main([File]) ->
    rand:seed(exsss, {3, 1, 4}),
    V = [0, 1, -1, 7, -7, (1 bsl 59) - 1, -(1 bsl 59), 1 bsl 59, (1 bsl 64) - 1, -(1 bsl 64), (1 bsl 128) + 12345, -(1 bsl 190),(1 bsl 53) + 1, 0.0, 1.0, -2.5, 9007199254740992.0, 1.0e308, a, true, false, {},[],<<>>,<<1:3>>,#{}],
    F = [-0.0, 0.5, -0.5, 1.5, 2.5, 0.49999999999999994, 4503599627370497.5, 1.0e22, -1.0e300, 1 bsl 1024, -(1 bsl 1024),1.0e-300,0.15,1.005,2.675],
    [call(erlang, O,[A,B]) || O <- ['+','-','*','/','div','rem','band','bor','bxor','and','or','xor','<','>','=<','>=','==','/=','=:=','=/=',min,max], A <- V, B <- V],
    [call(erlang, O,[A,B]) || O <- ['bsl','bsr'], A <- V, B <- [0, 1, -1, 3, 59, 60, 63, 64, -63, -64, 128, 1 bsl 40, 1 bsl 64, -(1 bsl 64), a, 1.0]],
    [call(erlang, O,[A]) || O <- ['+', '-', 'bnot', 'not', abs, round, trunc, ceil, floor, float,float_to_list,integer_to_list,float_to_binary,integer_to_binary,is_atom, is_binary, is_bitstring, is_boolean, is_float, is_function, is_integer, is_list, is_map, is_number, is_pid,is_port, is_reference, is_tuple], A <- V++F],
    [call(erlang, is_record,[A,B]) || A <- [{t},{t,1},{},a], B <- [t,1]],
    [call(erlang, is_record,[A,B,N]) || A <- [{t},{t,1},{},a], B <- [t,1], N <- [0,1,2,-1,a,1 bsl 70]],
    %% Only what is exact: the last digit of the others may depend on the C library.
    [call(math, O,[A]) || O <- [ceil, floor, sqrt], A <- V++F],
    [call(math, fmod, [A, B]) || A <- V++F, B <- V++F],
    Options = [[{decimals, N} | C] || N <- [0, 1, 2, 4, 10, 17, 18, 19, 20, 30, 253, 254, -1], C <- [[], [compact]]] ++
                [[{scientific, N}] || N <- [0, 1, 5, 16, 20, 249, 250]] ++
                [[], [compact], [short, {decimals, 2}], [{decimals, 2}, short], [{scientific, 3}, {decimals, 1}], [{decimals, 1}, {scientific, 3}],
                 [foo], [{decimals, a}], [{decimals, 1 bsl 70}], [{foo, 1}], [compact | x], x, [{decimals, 1, 2}]],
    [call(erlang, O,[A,B]) || O <- [float_to_list,float_to_binary], A <- V++F++[rand:uniform()*math:pow(10,rand:uniform(30)-15) || _ <- lists:seq(1,40)], B <- Options],
    Texts = ["1.0", "-1.0", "+1.0", "1", "1.", ".1", "", "1.0e5", "1.0E5", "1.0e+5", "1.0e-5", "1.0e", "1.0e+", "1e5", "1.0e400", "-1.0e400", "1.0e-400",
               "1,5", "1.0 ", " 1.0", "1.0a", "1.0.0", "00001.5", "0.1e1", "inf", "nan", "0x1.0", "1.0e5.0", "--1.0", "1.0\0", "1.0\0x",
               "179769313486231580793728971405301199.0e300", "4.9406564584124654e-324", "2.4703282292062327e-324", "2.4703282292062328e-324",
               "9007199254740993.0", "0." ++ lists:duplicate(400, $0) ++ "1", lists:duplicate(300, $9) ++ ".0", lists:duplicate(400, $9) ++ ".0",
               "1.5e+.", "2.3e--", "2.3e++", "2.3e.", "2.3e+e", "2.3eh?", "+-1.5","1.5x", "-1.5e3","1.5ee", "1.5e5e", "1.e5", "1..", "1,5,",
                    "123-", "1.5-","12.5e-3-","-", "+","-x","+0","-0","12a","12A","zz","ZZ",lists:duplicate(50, $7) ++ "rest",lists:duplicate(50,$0),"+17",lists:duplicate(50,$0)++"1","1_000"],
    Lists = Texts++[a, [a], [$1 | $2], ["1"], 1, [$1, 300], [0],[$1, $., 300], [$1, $. | $5], <<"1.0">>,[$1,$.,$5|x],[16#131]],
    Bins = [list_to_binary(T) || T <- Texts]++[a, "1.0", <<1:3>>, <<"1.0", 1:1>>],
    [call(M, O, [T]) || {M,O} <- [{erlang,list_to_float},{erlang,list_to_integer},{string,list_to_float},{string,list_to_integer}], T <- Lists],
    [call(M, O, [T]) || {M,O} <- [{erlang,binary_to_float},{erlang,binary_to_integer}], T <- Bins],
    [call(erlang, list_to_integer,[T,B]) || T <- Lists, B <- [2,10,11,16,36,1,37,a,1 bsl 70]],
    [call(erlang, binary_to_integer,[T,B]) || T <- Bins, B <- [2,10,11,16,36,1,37,a,1 bsl 70]],
    [call(erlang, O,[T,B]) || O <- [integer_to_list,integer_to_binary], T <- V++F, B <- [1,2,3,7,8,10,15,16,32,36,37]++[a,1 bsl 70,2.0]],
    R = [rand:uniform(1 bsl rand:uniform(3000))*(rand:uniform(2)*2-3) || _ <- lists:seq(1,40)],
    [begin call(erlang, integer_to_list,[T,B]),call(erlang, integer_to_binary,[T,B]),call(erlang, list_to_integer,[integer_to_list(T,B),B]),call(erlang, binary_to_integer,[integer_to_binary(T,B),B]) end || T <- R, B <- [2,3,10,16,36]],
    Large = binary:copy(list_to_binary([X rem 251 || X <- lists:seq(1, 10001)]), 3),
    <<_:5, Odd:10000/binary, _/bits>> = Large,
    Deep = lists:foldl(fun(X, A) -> [X rem 256, A, <<X:16>>] end, [], lists:seq(1, 500)),
    Data = [<<>>, [], "abc", <<"abc">>, [[["a"], <<"b">>], $c], [<<"a">> | <<"bc">>], Large, Odd, [Large, $x | Odd], Deep, binary_to_list(Odd), [[], [[]], <<>>],a,[256],[a],[-1],<<1:3>>,["abc"|$d],[<<"a">>|a]],
    [call(erlang, O,[D]) || O <- [md5,crc32,adler32], D <- Data],
    [call(erlang, O,[N,D]) || O <- [crc32,adler32], D <- Data, N <- [0,1,77,-1,1 bsl 32,a,(1 bsl 32)-1]],
    [call(erlang, O,[N,M,L]) || O <- [crc32_combine,adler32_combine], N <- [1,77,-1,1 bsl 32,a,(1 bsl 32)-1], M <- [5,-1], L <- [0,1,1000,-1,a]],
    ok = file:write_file(File, term_to_binary(lists:reverse(get(calls)), [{compressed, 9}])).

call(M, F, A) ->
    R = try {ok, apply(M, F, A)} catch error:X -> {error, X} end,
    put(calls, [{M, F, A, R} | case get(calls) of undefined -> []; L -> L end]).
