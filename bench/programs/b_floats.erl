%% Floats.
-module(b_floats).
-export([programs/0]).

programs() ->
    [{mandelbrot, fun() -> mandelbrot(300, 100) end},
     {nbody, fun() -> nbody(60000) end},
     {spectral, fun() -> spectral(220) end},
     {float_loop, fun() -> float_loop(10000000, 0.0, 1.0) end}].

mandelbrot(N, Max) -> lists:sum([point(X / N * 3.0 - 2.0, Y / N * 2.0 - 1.0, Max) || X <- lists:seq(0, N), Y <- lists:seq(0, N)]).

point(Cr, Ci, Max) -> iterate(0.0, 0.0, Cr, Ci, Max).

iterate(_, _, _, _, 0) -> 0;
iterate(R, I, Cr, Ci, N) ->
    R2 = R * R,
    I2 = I * I,
    if
        R2 + I2 > 4.0 -> N;
        true -> iterate(R2 - I2 + Cr, 2.0 * R * I + Ci, Cr, Ci, N - 1)
    end.

nbody(N) ->
    Bodies = [{0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.47}, {4.84, -1.16, -0.10, 0.606, 2.81, -0.02, 0.037},
              {8.34, 4.12, -0.4, -1.01, 1.82, 0.008, 0.011}, {12.89, -15.11, -0.22, 1.08, 0.868, -0.01, 0.0017}],
    round(energy(steps(N, Bodies)) * 1.0e6).

steps(0, B) -> B;
steps(N, B) -> steps(N - 1, [move(accelerate(X, B)) || X <- B]).

accelerate(B, []) -> B;
accelerate({X, Y, Z, _, _, _, _} = B, [{X, Y, Z, _, _, _, _} | T]) -> accelerate(B, T);
accelerate({X, Y, Z, Vx, Vy, Vz, M}, [{X2, Y2, Z2, _, _, _, M2} | T]) ->
    Dx = X - X2, Dy = Y - Y2, Dz = Z - Z2,
    D = Dx * Dx + Dy * Dy + Dz * Dz,
    Mag = 0.001 / (D * math:sqrt(D)),
    accelerate({X, Y, Z, Vx - Dx * M2 * Mag, Vy - Dy * M2 * Mag, Vz - Dz * M2 * Mag, M}, T).

move({X, Y, Z, Vx, Vy, Vz, M}) -> {X + 0.001 * Vx, Y + 0.001 * Vy, Z + 0.001 * Vz, Vx, Vy, Vz, M}.

energy(B) -> lists:sum([0.5 * M * (Vx * Vx + Vy * Vy + Vz * Vz) || {_, _, _, Vx, Vy, Vz, M} <- B]).

spectral(N) ->
    {U, V} = power(10, lists:duplicate(N, 1.0), [], N),
    round(math:sqrt(dot(U, V) / dot(V, V)) * 1.0e9).

power(0, U, V, _) -> {U, V};
power(K, U, _, N) ->
    V = at_a(U, N),
    power(K - 1, at_a(V, N), V, N).

at_a(V, N) -> mul(fun(I, J) -> a(J, I) end, mul(fun a/2, V, N), N).

mul(F, V, N) -> [row(F, I, 0, V, 0.0) || I <- lists:seq(0, N - 1)].

row(_, _, _, [], S) -> S;
row(F, I, J, [H | T], S) -> row(F, I, J + 1, T, S + F(I, J) * H).

a(I, J) -> 1.0 / ((I + J) * (I + J + 1) / 2 + I + 1).

dot(A, B) -> lists:sum([X * Y || {X, Y} <- lists:zip(A, B)]).

float_loop(0, S, _) -> round(S);
float_loop(N, S, X) -> float_loop(N - 1, S + X * 0.5, X + 0.25).
