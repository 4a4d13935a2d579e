%% Every operator on every pair of some values: as an instruction, as a function, and in a guard.
-module(arith).
-export([main/0]).

main() ->
    [two(Op, A, B) || Op <- operators(), A <- values(), B <- values()],
    [two(Op, A, B) || Op <- ['bsl', 'bsr'], A <- values(),
                      B <- [0, 1, -1, 3, 59, 60, 63, 64, -63, -64, 128, 1 bsl 40, 1 bsl 64, -(1 bsl 64), a, 1.0]],
    [one(Op, A) || Op <- ['+', '-', 'bnot', 'not', abs, round, trunc, ceil, floor, float], A <- values() ++ floats()],
    types(),
    io:format("~w~n", [[{is_record(id(A), id(t)), (catch is_record(id(A), t, id(2)))} || A <- [{t}, {t, 1}, {}, t, [t]]]]),
    io:format("~w~n", [[reason(fun() -> is_record(id({t}), id(X), id(Y)) end) || {X, Y} <- [{t, 1}, {1, 1}, {t, x}, {t, -1}, {t, 1 bsl 70}]]]),
    F = fun(_, _) -> ok end,
    io:format("~w~n", [[reason(fun() -> is_function(id(X), id(Y)) end) ||
                           X <- [F, fun lists:map/2, a], Y <- [2, 3, -1, a, 1 bsl 70, -(1 bsl 70)]]]),
    ok.

operators() ->
    ['+', '-', '*', '/', 'div', 'rem', 'band', 'bor', 'bxor', 'and', 'or', 'xor', '<', '>', '=<', '>=', '==', '/=', '=:=', '=/=', min, max].

values() ->
    [0, 1, -1, 7, -7, (1 bsl 59) - 1, -(1 bsl 59), 1 bsl 59, (1 bsl 64) - 1, -(1 bsl 64), (1 bsl 128) + 12345, -(1 bsl 190),
     (1 bsl 53) + 1, 0.0, 1.0, -2.5, 9007199254740992.0, 1.0e308, a, true, false, {}].

floats() ->
    [-0.0, 0.5, -0.5, 1.5, 2.5, 0.49999999999999994, 4503599627370497.5, 1.0e22, -1.0e300, 1 bsl 1024, -(1 bsl 1024)].

two(Op, A, B) ->
    R = reason(fun() -> erlang:Op(A, B) end),
    R = reason(fun() -> op(Op, A, B) end),
    io:format("~w ~w ~w = ~w~n", [A, Op, B, short(R)]).

one(Op, A) ->
    R = reason(fun() -> erlang:Op(A) end),
    R = reason(fun() -> op(Op, A) end),
    io:format("~w ~w = ~w~n", [Op, A, short(R)]).

short(N) when is_integer(N), abs(N) > 1 bsl 600 -> {N rem 1000000007, N bsr (1 bsl 20)};
short(R) -> R.

reason(F) ->
    try F()
    catch error:R -> R
    end.

id(X) -> X.

op('+', A, B) -> A + B;
op('-', A, B) -> A - B;
op('*', A, B) -> A * B;
op('/', A, B) -> A / B;
op('div', A, B) -> A div B;
op('rem', A, B) -> A rem B;
op('band', A, B) -> A band B;
op('bor', A, B) -> A bor B;
op('bxor', A, B) -> A bxor B;
op('bsl', A, B) -> A bsl B;
op('bsr', A, B) -> A bsr B;
op('and', A, B) -> A and B;
op('or', A, B) -> A or B;
op('xor', A, B) -> A xor B;
op('<', A, B) -> guard(A < B, if A < B -> true; true -> false end);
op('>', A, B) -> guard(A > B, if A > B -> true; true -> false end);
op('=<', A, B) -> guard(A =< B, if A =< B -> true; true -> false end);
op('>=', A, B) -> guard(A >= B, if A >= B -> true; true -> false end);
op('==', A, B) -> guard(A == B, if A == B -> true; true -> false end);
op('/=', A, B) -> guard(A /= B, if A /= B -> true; true -> false end);
op('=:=', A, B) -> guard(A =:= B, if A =:= B -> true; true -> false end);
op('=/=', A, B) -> guard(A =/= B, if A =/= B -> true; true -> false end);
op(min, A, B) -> min(A, B);
op(max, A, B) -> max(A, B).

op('+', A) -> + A;
op('-', A) -> - A;
op('bnot', A) -> bnot A;
op('not', A) -> not A;
op(abs, A) -> abs(A);
op(round, A) -> round(A);
op(trunc, A) -> trunc(A);
op(ceil, A) -> ceil(A);
op(floor, A) -> floor(A);
op(float, A) -> float(A).

guard(Same, Same) -> Same.

types() ->
    Tests = [is_atom, is_binary, is_bitstring, is_boolean, is_float, is_function, is_integer, is_list, is_map, is_number, is_pid,
             is_port, is_reference, is_tuple],
    Values = [a, true, <<1>>, <<1:3>>, 1.0, fun() -> ok end, fun lists:map/2, 1, 1 bsl 70, [], [1], #{}, #{1 => 2}, self(), make_ref(), {}, {1}],
    [io:format("~w ~w~n", [T, [erlang:T(V) || V <- Values]]) || T <- Tests].
