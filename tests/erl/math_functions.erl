%% Module math: every function on ordinary and odd arguments.
-module(math_functions).
-export([main/0]).

main() ->
    [io:format("~w(~w) = ~w~n", [F, X, value(F, [X])]) || F <- one(), X <- values()],
    [io:format("~w(~w, ~w) = ~w~n", [F, X, Y, value(F, [X, Y])]) || F <- [atan2, fmod, pow], X <- values(), Y <- values()],
    io:format("~w~n", [math:pi()]).

one() ->
    [acos, acosh, asin, asinh, atan, atanh, ceil, cos, cosh, erf, erfc, exp, floor, log, log10, log2, sin, sinh, sqrt, tan, tanh].

values() ->
    [0, 1, -1, 0.5, -0.5, 2, 3.7, -3.7, 10, 100, 710, 1000, 1.0e300, -1.0e300, 1.0e-300, 1 bsl 70, 1 bsl 1024, -0.0, a, <<>>].

value(F, Args) ->
    try apply(math, F, Args)
    catch error:R -> R
    end.
