%% Random bit syntax: construction and matching of segments of every type, size, sign, endianness and alignment.
-module(r_bits).
-export([main/0]).

main() -> run(t:count(), t:seed()).

run(0, _) -> ok;
run(N, S0) ->
    {Lead, S1} = t:rand(9, S0),
    {Size, S2} = bits(S1),
    {V, S3} = value(S2),
    {K, S4} = t:rand(12, S3),
    R = try build(K, V, Size, Lead) of
        Bits -> {Bits, try match(K, Bits, Size, Lead) catch C:E -> {C, E} end, cut(Bits, Lead)}
    catch C:E -> {C, E}
    end,
    io:format("~w ~w ~w ~w -> ~w~n", [K, V, Size, Lead, R]),
    run(N - 1, S4).

bits(S0) ->
    {K, S1} = t:rand(4, S0),
    case K of
        0 -> t:rand(17, S1);
        1 -> t:pick([8, 16, 24, 32, 40, 48, 56, 64], S1);
        2 -> t:rand(130, S1);
        3 -> t:pick([16, 32, 64], S1)
    end.

value(S0) ->
    {K, S1} = t:rand(6, S0),
    case K of
        0 -> t:rand(256, S1);
        1 -> {V, S2} = t:rand(1 bsl 31, S1), {-V, S2};
        2 -> {A, S2} = t:rand(1 bsl 31, S1), {B, S3} = t:rand(1 bsl 31, S2), {(A bsl 31 + B) bsl 31 + A, S3};
        3 -> {A, S2} = t:rand(1 bsl 31, S1), {(A - (1 bsl 30)) / 65536, S2};
        4 -> {A, S2} = t:rand(16#10ffff, S1), {A, S2};
        5 -> {A, S2} = t:rand(40, S1), {list_to_binary(lists:seq(1, A)), S2}
    end.

build(0, V, Size, Lead) -> <<0:Lead, V:Size, 5:3>>;
build(1, V, Size, Lead) -> <<1:Lead, V:Size/little, 5:3>>;
build(2, V, Size, Lead) -> <<1:Lead, V:Size/signed, 5:3>>;
build(3, V, Size, Lead) -> <<1:Lead, V:Size/signed-little, 5:3>>;
build(4, V, Size, Lead) -> <<1:Lead, V:Size/native, 5:3>>;
build(5, V, Size, Lead) -> <<1:Lead, V:Size/float, 5:3>>;
build(6, V, Size, Lead) -> <<1:Lead, V:Size/float-little, 5:3>>;
build(7, V, _, Lead) -> <<1:Lead, V/utf8, 5:3>>;
build(8, V, _, Lead) -> <<1:Lead, V/utf16, 5:3>>;
build(9, V, _, Lead) -> <<1:Lead, V/utf32-little, 5:3>>;
build(10, V, _, Lead) -> <<1:Lead, V/binary, 5:3>>;
build(11, V, Size, Lead) -> <<1:Lead, V:(Size rem 8)/binary, 5:3>>.

match(0, B, Size, Lead) -> <<_:Lead, V:Size, T/bits>> = B, {V, T};
match(1, B, Size, Lead) -> <<_:Lead, V:Size/little, T/bits>> = B, {V, T};
match(2, B, Size, Lead) -> <<_:Lead, V:Size/signed, T/bits>> = B, {V, T};
match(3, B, Size, Lead) -> <<_:Lead, V:Size/signed-little, T/bits>> = B, {V, T};
match(4, B, Size, Lead) -> <<_:Lead, V:Size/native, T/bits>> = B, {V, T};
match(5, B, Size, Lead) -> <<_:Lead, V:Size/float, T/bits>> = B, {V, T};
match(6, B, Size, Lead) -> <<_:Lead, V:Size/float-little, T/bits>> = B, {V, T};
match(7, B, _, Lead) -> <<_:Lead, V/utf8, T/bits>> = B, {V, T};
match(8, B, _, Lead) -> <<_:Lead, V/utf16, T/bits>> = B, {V, T};
match(9, B, _, Lead) -> <<_:Lead, V/utf32-little, T/bits>> = B, {V, T};
match(10, B, _, Lead) -> Rest = bit_size(B) - Lead - 3, <<_:Lead, V:Rest/bits, T/bits>> = B, {V, T};
match(11, B, Size, Lead) -> <<_:Lead, V:(Size rem 8)/binary, T/bits>> = B, {V, T}.

%% Views and appending.
cut(Bits, Lead) ->
    case Bits of
        <<_:Lead, A:5, R/bits>> -> X = <<R/bits, A:7>>, Y = <<X/bits, X/bits>>, {X =:= Y, bit_size(Y), erlang:phash2(Y), Bits < R, <<R/bits, Bits/bits>>};
        _ -> short
    end.
