%% Module zstd of OTP 28 and later: contexts, parameters, dictionaries, streams. Run by tests/command/zstd.sh.
-module(zstd_streams).
-export([main/0]).

main() ->
    {ok, C} = zstd:context(compress),
    Keys = [compressionLevel, windowLog, hashLog, chainLog, searchLog, minMatch, targetLength, strategy, targetCBlockSize,
            enableLongDistanceMatching, ldmHashLog, ldmMinMatch, ldmBucketSizeLog, ldmHashRateLog, foo, 1],
    _ = ([show({get, K}, fun() -> zstd:get_parameter(C, K) end) || K <- Keys]),
    _ = ([show({set, K, V}, fun() -> zstd:set_parameter(C, K, V), zstd:get_parameter(C, K) end) ||
              {K, V} <- [{compressionLevel, 5}, {compressionLevel, a}, {compressionLevel, 1 bsl 40}, {compressionLevel, -1000000000},
                         {windowLog, 1}, {windowLog, 20}, {strategy, btopt}, {strategy, foo}, {strategy, default},
                         {targetCBlockSize, 5000}, {nope, 1}, {pledgedSrcSize, -1}, {pledgedSrcSize, 1 bsl 64}]]),
    show(checksum, fun() -> zstd:set_parameter(C, checksumFlag, true) end),
    show(checksum, fun() -> zstd:set_parameter(C, checksumFlag, 1) end),
    frames(),
    streams(),
    dictionaries(),
    large().

show(Label, F) -> t:show(io_lib:format("~0p", [Label]), F).

frames() ->
    [show({frame, F}, fun() -> {ok, M} = zstd:get_frame_header(F), t:sorted(M) end) ||
        F <- [<<"hello world this is">>, foo, zstd:compress("abc"), zstd:compress(<<>>, #{checksumFlag => true})]],
    ok.

streams() ->
    {ok, C} = zstd:context(compress),
    show(stream, fun() -> zstd:stream(C, lists:duplicate(10, <<"abcabc">>)) end),
    show(flush, fun() -> zstd:flush(C) end),
    show(flush, fun() -> zstd:flush(C) end),
    show(finish, fun() -> zstd:finish(C, []) end),
    {ok, D} = zstd:context(decompress),
    show(bad, fun() -> zstd:stream(D, <<1, 2, 3, 4>>) end),
    show(some, fun() -> zstd:stream(D, <<40, 181, 47, 253, 32>>) end),
    show(none, fun() -> zstd:stream(D, <<>>) end),
    show(rest, fun() -> zstd:finish(D, <<2, 17, 0, 0, 97, 98>>) end),
    show(nothing, fun() -> zstd:finish(D, <<>>) end),
    show(cut, fun() -> zstd:decompress(<<40, 181, 47>>) end),
    show(cut, fun() -> zstd:decompress(binary:part(iolist_to_binary(zstd:compress("abcdefgh")), 0, 10)) end),
    show(two, fun() -> zstd:decompress([zstd:compress("abc"), zstd:compress("def")]) end),
    show(odd, fun() -> zstd:decompress(foo) end),
    show(odd, fun() -> zstd:stream(D, [<<1:3>>]) end),
    show(flush, fun() -> catch element(1, zstd:flush(D)) end),
    [show({set, K, V}, fun() -> zstd:set_parameter(D, K, V), zstd:get_parameter(D, K) end) ||
        {K, V} <- [{windowLogMax, 20}, {windowLogMax, 1}, {windowLogMax, a}, {foo, 1}]],
    show(foreign, fun() ->
        {P, R} = spawn_monitor(fun() -> exit(try zstd:stream(C, "abc") catch X:Y -> {X, Y} end) end),
        receive {'DOWN', R, process, P, Why} -> Why end
    end),
    show(close, fun() -> zstd:close(C) end),
    show(close, fun() -> zstd:close(C) end),
    show(closed, fun() -> zstd:stream(C, "a") end),
    show(closed, fun() -> zstd:get_parameter(C, compressionLevel) end),
    show(reset, fun() -> zstd:reset({compress, foo}) end),
    {ok, P} = zstd:context(compress, #{pledgedSrcSize => 10}),
    show(pledged, fun() -> zstd:finish(P, "abc") end),
    {ok, M} = zstd:context(compress),
    show(started, fun() -> zstd:stream(M, "abc") end),
    show(started, fun() -> zstd:set_parameter(M, compressionLevel, 7) end),
    show(started, fun() -> zstd:set_parameter(M, windowLog, 17) end),
    show(started, fun() -> zstd:set_parameter(M, dictionary, <<"0123456789">>) end).

dictionaries() ->
    Dict = << <<I:32, "common prefix of all", (I * 7919):32>> || I <- lists:seq(1, 200) >>,
    Part = binary:part(Dict, 100, 500),
    {ok, CD} = zstd:dict(compress, Dict),
    {ok, DD} = zstd:dict(decompress, Dict),
    show(ids, fun() -> [zstd:get_dict_id(X) || X <- [CD, DD, Dict, iolist_to_binary(zstd:compress("abc"))]] end),
    Z = iolist_to_binary(zstd:compress(Part, #{dictionary => CD})),
    show(coded, fun() -> {byte_size(Z), iolist_to_binary(zstd:compress(Part, #{dictionary => Dict})) =:= Z} end),
    [show(D, fun() -> iolist_to_binary(zstd:decompress(Z, #{dictionary => D2})) =:= Part end) || {D, D2} <- [{ref, DD}, {bytes, Dict}]],
    show(without, fun() -> zstd:decompress(Z) end),
    Bad = <<55, 164, 48, 236, 1, 2, 3, 4, 5>>,
    _ = ([show({dict, What, B, O}, fun() -> zstd:dict(What, B, O) end) ||
              {What, B, O} <- [{compress, foo, #{}}, {compress, <<"x">>, #{compressionLevel => a}}, {compress, Bad, #{}}, {decompress, Bad, #{}}]]),
    show(wrong, fun() -> zstd:context(compress, #{dictionary => DD}) end).

large() ->
    Same = binary:copy(<<"all work and no play makes jack a dull boy, ">>, t:shrink(60000)),
    {_, Random} = lists:foldl(fun(_, {S, A}) -> {N, S1} = t:rand(1 bsl 32, S), {S1, <<A/binary, N:32>>} end, {1, <<>>}, lists:seq(1, t:shrink(80000))),
    [show({Name, L}, fun() ->
        Z = zstd:compress(X, #{compressionLevel => L, checksumFlag => true}),
        Back = zstd:decompress(Z),
        {[byte_size(E) || E <- Z, Name =:= random], [byte_size(E) || E <- Back], iolist_to_binary(Back) =:= X}
     end) || {Name, X} <- [{same, Same}, {random, Random}], L <- [1, 3, 9, -5]],
    ok.
