%% Floats that the compiler keeps in float registers: taken from tuples, whose elements nothing has proved to be floats, in more
%% x registers than machines have, and in y registers across calls.
-module(float_registers).
-export([main/0]).

main() ->
    Bodies = [{0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.47}, {4.84, -1.16, -0.10, 0.606, 2.81, -0.02, 0.037}, {8.34, 4.12, -0.4, -1.01, 1.82, 0.008, 0.011}],
    t:all([
        {"pulled", fun() -> [pulled(B, Bodies) || B <- Bodies] end},
        {"many", fun() -> many(1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5) end},
        {"no float", fun() -> many(1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, a) end},
        {"integers", fun() -> many(1, 2, 3, 4, 5, 6, 7, 1 bsl 70) end},
        {"across", fun() -> across({2.0, 3.0, 0.5}, fun(X) -> X * 1.25 end) end},
        {"across, no float", fun() -> across({2.0, 3.0, 0.5}, fun(_) -> x end) end},
        {"too large", fun() -> across({1.0e308, 3.0, 0.5}, fun(X) -> X * 1.0e300 end) end}
    ]).

pulled(B, []) -> B;
pulled({X, Y, Z, _, _, _, _} = B, [{X, Y, Z, _, _, _, _} | T]) -> pulled(B, T);
pulled({X, Y, Z, Vx, Vy, Vz, M}, [{X2, Y2, Z2, _, _, _, M2} | T]) ->
    Dx = X - X2, Dy = Y - Y2, Dz = Z - Z2,
    D = Dx * Dx + Dy * Dy + Dz * Dz,
    Mag = 0.001 / (D * math:sqrt(D)),
    pulled({X, Y, Z, Vx - Dx * M2 * Mag, Vy - Dy * M2 * Mag, Vz - Dz * M2 * Mag, M}, T).

many(A, B, C, D, E, F, G, H) -> A * 1.0 + B * 2.0 - C / 3.0 + D * E - F / G + H * 0.5 - G * H.

across({A, B, C}, F) ->
    X = A * B - C,
    Y = F(X),
    Z = F(Y * A),
    X * Y - Z * C.
