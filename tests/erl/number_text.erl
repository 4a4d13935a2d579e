%% Numbers to text and back.
-module(number_text).
-export([main/0]).

main() ->
    integers(),
    bad_integers(),
    floats(),
    float_options(),
    text_to_float(),
    string_functions(),
    unique(),
    ok.

try_it(M, F, Args) ->
    try apply(M, F, Args)
    catch C:R -> {C, R}
    end.

show(M, F, Args) ->
    io:format("~w:~w~p -> ~p~n", [M, F, Args, try_it(M, F, Args)]).

integers() ->
    Values = [0, 1, -1, 9, 10, -10, 99, 100, 12345, (1 bsl 59) - 1, 1 bsl 59, -(1 bsl 59), -(1 bsl 59) - 1, 1 bsl 64, -(1 bsl 64), (1 bsl 64) - 1,
              1 bsl 128, -(1 bsl 200) + 1, 1000000000000000000, 10000000000000000000, 100000000000000000000],
    [begin
         L = integer_to_list(N, B),
         B2 = integer_to_binary(N, B),
         true = list_to_binary(L) =:= B2,
         N = list_to_integer(L, B),
         N = list_to_integer(string:lowercase(L), B),
         N = binary_to_integer(B2, B),
         io:format("~w in ~w: ~s~n", [N, B, L])
     end || N <- Values, B <- [2, 3, 7, 8, 10, 16, 35, 36]],
    [begin
         N = list_to_integer(integer_to_list(N)),
         N = binary_to_integer(integer_to_binary(N))
     end || N <- Values],
    Large = lists:foldl(fun(X, A) -> X * A end, 1, lists:seq(1, 1000)),
    io:format("~s~n~w~n", [integer_to_list(Large), Large =:= list_to_integer(integer_to_list(Large))]),
    [io:format("~w~n", [erlang:md5(integer_to_binary(Large, B))]) || B <- lists:seq(2, 36)],
    Huge = 1 bsl 200000 - 1,
    io:format("~w ~w~n", [erlang:md5(integer_to_list(Huge, 16)), list_to_integer(integer_to_list(Huge)) =:= Huge]),
    show(erlang, list_to_integer, ["0000000000000000000000000000000000000000000000000000000000000000000000001"]),
    show(erlang, binary_to_integer, [<<"-0000000000000000000000000000000000000000000000000000000000000000000000001">>]),
    show(erlang, list_to_integer, ["+17"]),
    show(erlang, binary_to_integer, [<<"+17">>]),
    show(erlang, binary_to_integer, [<<"-0">>]).

bad_integers() ->
    [show(erlang, list_to_integer, [X]) || X <- ["", "-", "+", "--1", "1.0", " 1", "1 ", "1a", "a", a, [a], [$1 | $2], ["1"], 1, [$1, 300], [0]]],
    [show(erlang, list_to_integer, [X, B]) || {X, B} <- [{"1", 1}, {"1", 37}, {"1", a}, {"1", 1 bsl 70}, {"2", 2}, {"z", 36}, {"Z", 35}, {"1", 10.0}, {[$1 | $2], 10}]],
    [show(erlang, binary_to_integer, [X]) || X <- [<<>>, <<"-">>, <<"+">>, <<"1.0">>, <<" 1">>, <<"1 ">>, <<"1a">>, <<1:3>>, "1", a, <<"_1">>]],
    [show(erlang, binary_to_integer, [X, B]) || {X, B} <- [{<<"1">>, 1}, {<<"1">>, 37}, {<<"1">>, a}, {<<"2">>, 2}, {<<"zZ">>, 36}]],
    [show(erlang, integer_to_list, X) || X <- [[a], [1.0], [1, 1], [1, 37], [1, a], [a, 10]]],
    [show(erlang, integer_to_binary, X) || X <- [[a], [1.0], [1, 1], [1, 37], [1, a], [a, 10]]],
    <<_:3, Odd:5/binary, _/bits>> = <<0:3, "12345", 0:5>>,
    show(erlang, binary_to_integer, [Odd]).

some() ->
    [0.0, -0.0, 1.0, -1.0, 0.1, 0.15, 0.25, 0.35, 1.005, 2.675, 1.5, -2.5, 3.14159, 1.0e10, 1.0e15, 9007199254740991.0, 9007199254740992.0, 9007199254740994.0,
     1.0e17, 1.0e22, 1.0e23, 1.0e100, 1.7976931348623157e308, 2.2250738585072014e-308, 5.0e-324, 1.0e-5, 0.0001, 0.001234, 123456789.0e3, 1/3,
     -99.9999999999, 0.999999, 4.35, 0.000001, 123456.789].

floats() ->
    [begin
         Short = float_to_list(F, [short]),
         true = list_to_float(Short) =:= F,
         true = list_to_float(float_to_list(F)) =:= F,
         true = float_to_binary(F) =:= list_to_binary(float_to_list(F)),
         io:format("~w ~s ~s ~p~n", [F, Short, float_to_list(F), F])
     end || F <- some()].

float_options() ->
    Options = [[{decimals, N} | C] || N <- [0, 1, 2, 4, 10, 17, 18, 19, 20, 30, 253, 254, -1], C <- [[], [compact]]] ++
              [[{scientific, N}] || N <- [0, 1, 5, 16, 20, 249, 250]] ++
              [[], [compact], [short, {decimals, 2}], [{decimals, 2}, short], [{scientific, 3}, {decimals, 1}], [{decimals, 1}, {scientific, 3}],
               [foo], [{decimals, a}], [{decimals, 1 bsl 70}], [{foo, 1}], [compact | x], x, [{decimals, 1, 2}]],
    [show(erlang, float_to_list, [F, O]) || F <- some(), O <- Options],
    [true = try_it(erlang, float_to_list, [F, O]) =:=
         case try_it(erlang, float_to_binary, [F, O]) of
             B when is_binary(B) -> binary_to_list(B);
             E -> E
         end || F <- some(), O <- Options],
    [show(erlang, F, A) || F <- [float_to_list, float_to_binary], A <- [[1], [a], [1, []], [a, [short]], [1 bsl 70, [short]]]].

text_to_float() ->
    Texts = ["1.0", "-1.0", "+1.0", "1", "1.", ".1", "", "1.0e5", "1.0E5", "1.0e+5", "1.0e-5", "1.0e", "1.0e+", "1e5", "1.0e400", "-1.0e400", "1.0e-400",
             "1,5", "1.0 ", " 1.0", "1.0a", "1.0.0", "00001.5", "0.1e1", "inf", "nan", "0x1.0", "1.0e5.0", "--1.0", "1.0\0", "1.0\0x",
             "179769313486231580793728971405301199.0e300", "4.9406564584124654e-324", "2.4703282292062327e-324", "2.4703282292062328e-324",
             "9007199254740993.0", "0." ++ lists:duplicate(400, $0) ++ "1", lists:duplicate(300, $9) ++ ".0", lists:duplicate(400, $9) ++ ".0"],
    [show(erlang, list_to_float, [T]) || T <- Texts],
    [show(erlang, binary_to_float, [list_to_binary(T)]) || T <- Texts],
    [show(erlang, list_to_float, [T]) || T <- [a, [a], [$1, $., 300], [$1, $. | $5], <<"1.0">>]],
    [show(erlang, binary_to_float, [T]) || T <- [a, "1.0", <<1:3>>, <<"1.0", 1:1>>]].

string_functions() ->
    [begin
         show(string, to_integer, [T]),
         show(string, to_float, [T])
     end || T <- ["", "1", "-1", "+1", "1x", "x", "-", "+", "1.5", "1.5x", "-1.5e3", "1.5e", "1.5e+", "1.5e-x", "1.5ee", "1.5e5e", "1.e5", "1..", "1,5,",
                  "123-", "1.5-", "1.5e400", "12.5e-3-", [a], a, [$1 | $2], [$1, a], [$1, $., $5 | x], <<"12x">>, <<"1.5x">>, "1 2", lists:duplicate(50, $7) ++ "rest"]],
    [show(string, list_to_float, [T]) || T <- ["", "1.5e+.", "2.3e--", "2.3e++", "2.3e.", "2.3e+e", "2.3eh?", "+-1.5", "1.5" | [a]], T =/= a].

unique() ->
    L = [erlang:unique_integer([monotonic]) || _ <- lists:seq(1, 100)],
    P = [erlang:unique_integer([positive]) || _ <- lists:seq(1, 100)],
    M = [erlang:unique_integer([positive, monotonic]) || _ <- lists:seq(1, 100)],
    U = [erlang:unique_integer() || _ <- lists:seq(1, 100)],
    R = [make_ref() || _ <- lists:seq(1, 100)],
    io:format("~w~n", [[L =:= lists:usort(L), M =:= lists:usort(M), lists:min(P) > 0, lists:min(M) > 0, length(lists:usort(U)), length(lists:usort(P)), length(lists:usort(R))]]),
    [show(erlang, unique_integer, [X]) || X <- [a, [a], [positive | x], [{positive}]]].
