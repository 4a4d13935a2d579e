%% Big integers.
-module(b_integers).
-export([programs/0]).

programs() ->
    [{factorial, fun() -> erlang:phash2(factorial(11000)) end},
     {pi_digits, fun() -> pi(700) end},
     {mod_pow, fun() -> lists:sum([mod_pow(3 + I, 1 bsl 521 - 3, 1 bsl 521 - 1) band 1023 || I <- lists:seq(1, 120)]) end},
     {big_text, fun() -> N = factorial(3000), lists:sum([length(integer_to_list(N)) + list_to_integer(integer_to_list(N + I)) rem 10 || I <- lists:seq(1, 20)]) end},
     {hash64, fun() -> hash(1500000, 14695981039346656037) end}].

factorial(0) -> 1;
factorial(N) -> N * factorial(N - 1).

pi(Digits) -> pi(Digits, 1, 0, 1, 1, 3, 3, 0).

pi(0, _, _, _, _, _, _, S) -> S;
pi(D, Q, R, T, K, N, L, S) when 4 * Q + R - T < N * T ->
    pi(D - 1, Q * 10, 10 * (R - N * T), T, K, (10 * (3 * Q + R)) div T - 10 * N, L, S + N);
pi(D, Q, R, T, K, _, L, S) ->
    pi(D, Q * K, (2 * Q + R) * L, T * L, K + 1, (Q * (7 * K + 2) + R * L) div (T * L), L + 2, S).

mod_pow(_, 0, _) -> 1;
mod_pow(B, E, M) when E band 1 =:= 1 -> B * mod_pow(B, E - 1, M) rem M;
mod_pow(B, E, M) ->
    H = mod_pow(B, E bsr 1, M),
    H * H rem M.

hash(0, H) -> H;
hash(N, H) -> hash(N - 1, ((H bxor (N band 255)) * 1099511628211) band 16#ffffffffffffffff).
