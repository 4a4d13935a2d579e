%% Fields of constant sizes at every bit of a byte: values against arithmetic on the whole as one integer; constants that match or
%% do not; bits that end where the bitstring ends, on the heap and in a buffer.
-module(bit_fields).
-export([main/0]).

-define(SIZE(N), {N,
    fun(O, B) -> <<_:O, X:N, _/bits>> = B, X end,
    fun(O, B) -> <<_:O, X:N/signed, _/bits>> = B, X end,
    fun(O, B) -> <<_:O, X:N/little, _/bits>> = B, X end,
    fun(O, B) -> <<_:O, X:N/little-signed, _/bits>> = B, X end,
    fun(O, B) -> case B of <<_:O, (16#123456789abcdef band (1 bsl N - 1)):N, R/bits>> -> {match, bit_size(R)}; <<_:O, X:N, _/bits>> -> X; _ -> short end end,
    fun(O, B) -> case B of <<_:O, X:N, Y:N/signed, Z:3, R/bits>> -> {X, Y, Z, bit_size(R)}; <<_:O, R/bits>> -> bit_size(R) end end}).

sizes() ->
    [?SIZE(1), ?SIZE(2), ?SIZE(3), ?SIZE(4), ?SIZE(5), ?SIZE(6), ?SIZE(7), ?SIZE(8), ?SIZE(9), ?SIZE(10), ?SIZE(12), ?SIZE(15), ?SIZE(16),
     ?SIZE(17), ?SIZE(20), ?SIZE(23), ?SIZE(24), ?SIZE(25), ?SIZE(26), ?SIZE(27), ?SIZE(31), ?SIZE(32), ?SIZE(33), ?SIZE(39), ?SIZE(40),
     ?SIZE(41), ?SIZE(47), ?SIZE(48), ?SIZE(49), ?SIZE(55), ?SIZE(56), ?SIZE(57), ?SIZE(58), ?SIZE(59), ?SIZE(60), ?SIZE(63), ?SIZE(64)].

main() ->
    Bytes = erlang:md5(<<"a">>),
    [size(S, O, Bytes) || S <- sizes(), O <- lists:seq(0, 17)],
    built().

size({N, Big, Signed, Little, LittleSigned, Constant, Two}, O, Bytes) ->
    <<Cut:(O + N)/bits, _/bits>> = Bytes,
    <<Wide:(2 * N + 3 + O)/bits, _/bits>> = binary:copy(Bytes, 10),
    Same = <<0:O, 16#123456789abcdef:N>>,
    [begin
         V = integer(B, O, N),
         check({N, O, big}, V, Big(O, B)),
         check({N, O, signed}, signed(V, N), Signed(O, B)),
         L = turned(V, N),
         check({N, O, little}, L, Little(O, B)),
         check({N, O, little_signed}, signed(L, N), LittleSigned(O, B)),
         put(fields, erlang:phash2({get(fields), V, L}))
     end || B <- [Cut, large(Cut), Wide, large(Wide), binary:copy(Bytes, 10)]],
    Constants = [Constant(O, B) || B <- [Same, large(Same), <<Same/bits, 5:3>>, Cut, <<0:O>>, <<0:O, 1:1>>]],
    Twos = [Two(O, B) || B <- [Wide, large(Wide), Cut, binary:copy(Bytes, 10)]],
    put(fields, erlang:phash2({get(fields), Constants, Twos})),
    [io:format("~w ~w: ~w ~w ~w~n~w~n~w~n", [N, O, Big(O, Cut), LittleSigned(O, Cut), get(fields), Constants, Twos]) || O rem 8 =:= 3].

check(_, V, V) -> ok;
check(What, V, W) -> io:format("~p: ~p, and not ~p~n", [What, V, W]).

%% In a buffer, of which this is the end.
large(B) ->
    Big = <<0:5000, B/bits>>,
    <<_:5000, R/bits>> = Big,
    R.

integer(B, O, N) ->
    S = bit_size(B),
    <<I:S>> = B,
    (I bsr (S - O - N)) band ((1 bsl N) - 1).

signed(V, N) when V >= 1 bsl (N - 1) -> V - (1 bsl N);
signed(V, _) -> V.

%% The last bits of a little-endian field that has no whole number of bytes are its top ones.
turned(V, N) ->
    Rest = N rem 8,
    Whole = V bsr Rest,
    Top = (V band ((1 bsl Rest) - 1)) bsl (N - Rest),
    binary:decode_unsigned(<<Whole:(N - Rest)>>, little) bor Top.

-define(MADE(N), [{N, <<5:O, X:N, X:N/little, X:N/native, 1:1>>} || O <- [3, 8, 13], X <- [0, 1, -1, 77, 16#123456789abcde, -16#123456789abcde]]).

built() ->
    io:format("~w~n", [?MADE(1) ++ ?MADE(7) ++ ?MADE(8) ++ ?MADE(9) ++ ?MADE(12) ++ ?MADE(16) ++ ?MADE(24) ++ ?MADE(31) ++ ?MADE(32)]),
    io:format("~w~n", [?MADE(33) ++ ?MADE(40) ++ ?MADE(47) ++ ?MADE(48) ++ ?MADE(56) ++ ?MADE(63) ++ ?MADE(64) ++ ?MADE(65) ++ ?MADE(72)]).
