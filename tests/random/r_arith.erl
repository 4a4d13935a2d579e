%% Random arithmetic, comparisons and conversions on integers of all sizes and floats; interpreted and through funs.
-module(r_arith).
-export([main/0]).

main() -> run(t:count(), t:seed()).

run(0, _) -> ok;
run(N, S0) ->
    {A, S1} = number(S0),
    {B, S2} = number(S1),
    {Op, S3} = t:pick(ops(), S2),
    io:format("~w ~w ~w = ~w~n", [Op, A, B, eval(Op, A, B)]),
    run(N - 1, S3).

ops() -> ['+', '-', '*', '/', 'div', 'rem', 'band', 'bor', 'bxor', 'bnot', 'bsl', 'bsr', neg, abs, round, trunc, ceil, floor, float, '<', '=<', '==', '=:=', '>', '>=',
          '/=', '=/=', min, max, text, text16, float_text, chain, inc, dec, sqrt, half].

number(S0) ->
    {K, S1} = t:rand(10, S0),
    {Sign, S2} = t:rand(2, S1),
    {V, S3} = magnitude(K, S2),
    {if Sign =:= 0 -> V; true -> -V end, S3}.

magnitude(0, S) -> t:rand(4, S);
magnitude(1, S) -> t:rand(1000, S);
magnitude(2, S) -> edge(58, S);
magnitude(3, S) -> edge(59, S);
magnitude(4, S) -> edge(63, S);
magnitude(5, S) -> edge(64, S);
magnitude(6, S) -> big(S, 3);
magnitude(7, S) -> big(S, 12);
magnitude(8, S0) -> {A, S1} = t:rand(1 bsl 30, S0), {A / 1024, S1};
magnitude(9, S0) -> {A, S1} = t:rand(1 bsl 30, S0), {E, S2} = t:rand(400, S1), {A * math:pow(10.0, E - 200) , S2}.

edge(Bits, S0) ->
    {D, S1} = t:rand(5, S0),
    {(1 bsl Bits) + D - 2, S1}.

big(S, 0) -> {1, S};
big(S0, N) ->
    {V, S1} = big(S0, N - 1),
    {D, S2} = t:rand(1 bsl 31, S1),
    {V bsl 31 + D, S2}.

eval(Op, A, B) ->
    try op(Op, A, B) catch C:R -> {C, R} end.

op('+', A, B) -> A + B;
op('-', A, B) -> A - B;
op('*', A, B) -> A * B;
op('/', A, B) -> A / B;
op('div', A, B) -> A div B;
op('rem', A, B) -> A rem B;
op('band', A, B) -> A band B;
op('bor', A, B) -> A bor B;
op('bxor', A, B) -> A bxor B;
op('bnot', A, _) -> bnot A;
op('bsl', A, B) -> A bsl (B rem 200);
op('bsr', A, B) -> A bsr (B rem 200);
op(neg, A, _) -> -A;
op(abs, A, _) -> abs(A);
op(round, A, _) -> round(A);
op(trunc, A, _) -> trunc(A);
op(ceil, A, _) -> ceil(A);
op(floor, A, _) -> floor(A);
op(float, A, _) -> float(A);
op('<', A, B) -> A < B;
op('=<', A, B) -> A =< B;
op('==', A, B) -> A == B;
op('=:=', A, B) -> A =:= B;
op('>', A, B) -> A > B;
op('>=', A, B) -> A >= B;
op('/=', A, B) -> A /= B;
op('=/=', A, B) -> A =/= B;
op(min, A, B) -> min(A, B);
op(max, A, B) -> max(A, B);
op(text, A, _) when is_integer(A) -> T = integer_to_list(A), A = list_to_integer(T), T;
op(text, A, _) -> T = float_to_list(A), {T, list_to_float(T)};
op(text16, A, B) when is_integer(A) -> Base = 2 + abs(trunc_small(B)) rem 35, T = integer_to_binary(A, Base), A = binary_to_integer(T, Base), T;
op(text16, A, _) -> float_to_binary(A, [{decimals, 5}, compact]);
op(float_text, A, B) -> {float_to_list(float(A), [short]), float_to_list(float(A), [{scientific, abs(trunc_small(B)) rem 20}])};
op(chain, A, B) -> (A + B) * (A - B) - A * A + B * B;
op(inc, A, _) -> A + 1;
op(dec, A, _) -> A - 1;
op(sqrt, A, _) -> math:sqrt(abs(A));
op(half, A, _) -> A / 2.

trunc_small(B) when is_integer(B) -> B band 16#ffff;
trunc_small(_) -> 7.
