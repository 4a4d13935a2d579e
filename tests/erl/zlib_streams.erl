%% Module zlib: compression in one go and in pieces, dictionaries, checksums and errors.
-module(zlib_streams).
-export([main/0]).

main() ->
    Data = [lists:duplicate(3000, "abcdefgh"), binary:copy(<<"some text that repeats itself. ">>, 5000), [I * I rem 256 || I <- lists:seq(1, 50000)]],
    Plain = iolist_to_binary(Data),
    one_go(Data, Plain),
    pieces(Plain),
    dictionary(),
    [print(L, try F() catch C:R -> {C, R} end) || {L, F} <- failures()],
    ok.

print(Label, V) -> io:format("~ts: ~0tp~n", [Label, V]).

one_go(Data, Plain) ->
    [begin
         C = zlib:F(Data),
         print(atom_to_list(F), {byte_size(C), erlang:md5(C), zlib:G(C) =:= Plain})
     end || {F, G} <- [{compress, uncompress}, {zip, unzip}, {gzip, gunzip}]],
    print("empty", [{zlib:compress(<<>>), zlib:uncompress(zlib:compress([])), zlib:zip("")}]),
    print("two", zlib:gunzip([zlib:gzip("hello "), zlib:gzip("world")])).

pieces(Plain) ->
    [begin
         Z = zlib:open(),
         ok = zlib:deflateInit(Z, Level, deflated, Bits, 8, Strategy),
         <<A:100000/binary, B/binary>> = Plain,
         C = iolist_to_binary([zlib:deflate(Z, A, Flush), zlib:deflate(Z, B), zlib:deflate(Z, [], finish)]),
         ok = zlib:deflateEnd(Z),
         ok = zlib:inflateInit(Z, Bits),
         P = iolist_to_binary([zlib:inflate(Z, X) || X <- chop(C, 1000)]),
         ok = zlib:inflateEnd(Z),
         ok = zlib:close(Z),
         print("stream", {Level, Bits, Strategy, Flush, byte_size(C), erlang:md5(C), P =:= Plain})
     end || {Level, Bits, Strategy, Flush} <- [{default, 15, default, none}, {9, 15, filtered, sync}, {1, -15, huffman_only, full}, {0, 31, rle, none}, {6, 9, default, sync}]],
    Z = zlib:open(),
    zlib:inflateInit(Z),
    C = zlib:compress(Plain),
    print("safe", safe(Z, zlib:safeInflate(Z, C), 0, 0)),
    zlib:inflateReset(Z),
    print("chunks", chunks(Z, zlib:inflateChunk(Z, C), 0)),
    zlib:close(Z),
    Y = zlib:open(),
    zlib:deflateInit(Y),
    D1 = zlib:deflate(Y, Plain),
    ok = zlib:deflateParams(Y, 9, filtered),
    D2 = zlib:deflate(Y, Plain, finish),
    zlib:deflateEnd(Y),
    zlib:close(Y),
    print("params", zlib:uncompress([D1, D2]) =:= <<Plain/binary, Plain/binary>>).

chop(B, N) when byte_size(B) > N -> <<A:N/binary, R/binary>> = B, [A | chop(R, N)];
chop(B, _) -> [B].

safe(Z, {continue, L}, N, S) -> safe(Z, zlib:safeInflate(Z, []), N + 1, S + iolist_size(L));
safe(_, {finished, L}, N, S) -> {N > 2, S + iolist_size(L)}.

chunks(Z, {more, L}, S) -> chunks(Z, zlib:inflateChunk(Z), S + iolist_size(L));
chunks(_, L, S) -> S + iolist_size(L).

dictionary() ->
    Dict = <<"hello world dictionary">>,
    Z = zlib:open(),
    zlib:deflateInit(Z),
    Adler = zlib:deflateSetDictionary(Z, Dict),
    C = iolist_to_binary(zlib:deflate(Z, "hello dictionary world", finish)),
    zlib:deflateEnd(Z),
    zlib:inflateInit(Z),
    print("need", {Adler, C, catch element(1, element(2, catch zlib:inflate(Z, C)))}),
    ok = zlib:inflateSetDictionary(Z, Dict),
    print("with it", iolist_to_binary(zlib:inflate(Z, []))),
    print("got", zlib:inflateGetDictionary(Z)),
    zlib:inflateEnd(Z),
    zlib:inflateInit(Z),
    print("tuple", zlib:inflate(Z, C, [{exception_on_need_dict, false}])),
    zlib:close(Z).

failures() ->
    Z = zlib:open(),
    [{"bad data", fun() -> zlib:uncompress(<<"this is not compressed at all">>) end},
     {"short", fun() -> zlib:uncompress(<<1, 2>>) end},
     {"truncated", fun() -> zlib:unzip(binary:part(zlib:zip(lists:duplicate(1000, $x)), 0, 8)) end},
     {"not initialised", fun() -> zlib:deflate(Z, "x") end},
     {"initialised twice", fun() -> zlib:deflateInit(Z), zlib:deflateInit(Z) end},
     {"level", fun() -> zlib:deflateInit(zlib:open(), 10) end},
     {"bad input", fun() -> zlib:deflate(Z, [a]) end},
     {"not mine", fun() -> P = self(), spawn(fun() -> P ! (catch zlib:deflate(Z, "x")) end), receive {'EXIT', {R, _}} -> R; R -> R end end},
     {"not a stream", fun() -> zlib:close(hd([make_ref()])), ok end},
     {"end with input", fun() -> Y = zlib:open(), zlib:inflateInit(Y), zlib:inflate(Y, binary:part(zlib:compress("abc"), 0, 5)), zlib:inflateEnd(Y) end},
     {"closed", fun() -> zlib:close(Z), zlib:close(Z) end}].
