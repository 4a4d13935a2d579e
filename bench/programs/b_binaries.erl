%% Binaries and bit syntax.
-module(b_binaries).
-export([programs/0]).

programs() ->
    [{byte_sum, fun() -> bytes(binary:copy(<<1, 2, 3, 4, 5>>, 4000000), 0) end},
     {build, fun() -> byte_size(build(8000000, <<>>)) end},
     {parse, fun() -> parse_loop(60) end},
     {utf8, fun() -> utf8(binary:copy(<<"aé€😀"/utf8>>, 3000000), 0) end},
     {bits, fun() -> bits(binary:copy(<<16#a5, 16#5a, 16#f0>>, 2800000), 0) end},
     {base64, fun() -> B = binary:copy(<<"hello, world">>, 250000), erlang:phash2(base64:decode(base64:encode(B))) end},
     {split, fun() -> length(binary:split(binary:copy(<<"one,two,three,">>, 200000), <<",">>, [global])) end}].

bytes(<<B, T/binary>>, S) -> bytes(T, S + B);
bytes(<<>>, S) -> S.

build(0, B) -> B;
build(N, B) -> build(N - 1, <<B/binary, N:8>>).

parse_loop(0) -> 0;
parse_loop(N) ->
    Packets = << <<I:16, 4:8, 1:1, 3:7, I:32/little, "data">> || I <- lists:seq(1, 20000) >>,
    (packets(Packets, 0) + parse_loop(N - 1)) band 16#ffffff.

packets(<<Id:16, Len:8, Flag:1, Kind:7, V:32/little, Data:Len/binary, Rest/binary>>, S) ->
    packets(Rest, S + Id + Flag + Kind + V + byte_size(Data));
packets(<<>>, S) -> S.

utf8(<<C/utf8, T/binary>>, S) -> utf8(T, (S + C) band 16#ffffff);
utf8(<<>>, S) -> S.

bits(<<A:3, B:5, C:1, D:7, T/bitstring>>, S) -> bits(T, S + A * B + C - D);
bits(_, S) -> S.
