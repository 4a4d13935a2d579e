%% Module binary, iolists and conversions, with values large enough that built-ins go on in several slices.
-module(binaries).
-export([main/0]).

main() ->
    searches(),
    splits(),
    lists_(),
    iolists(),
    others(),
    t:all(failures()),
    ok.

print(Label, V) -> io:format("~ts: ~w~n", [Label, V]).
digest(V) -> erlang:md5(term_to_binary(V)).

searches() ->
    L = binary:copy(<<"the quick brown fox jumps over the lazy dog. ">>, t:shrink(20000)),
    End = <<L/binary, "needle", L/binary>>,
    print("match", {binary:match(End, <<"needle">>), binary:match(End, [<<"needle">>, <<"noodle">>, <<"dog. n">>]), binary:match(L, <<"nothing">>)}),
    print("matches", {length(binary:matches(L, <<"the">>)), digest(binary:matches(L, <<"o">>)), digest(binary:matches(L, [<<"fox">>, <<"dog">>, <<"do">>, <<"o">>]))}),
    P = binary:compile_pattern([<<"lazy">>, <<"az">>, <<"y d">>]),
    print("compiled", {element(1, P), digest(binary:matches(L, P)), binary:match(L, P, [{scope, {100, 200}}])}),
    <<_:3, U/bits>> = <<0:3, L/binary>>,
    print("unaligned", {digest(binary:matches(U, <<"quick">>)), digest(binary:matches(U, [<<"quick">>, <<"slow">>])), binary:match(U, <<"dog">>)}),
    A = binary:copy(<<"a">>, t:shrink(100000)),
    print("repetitive", {binary:match(A, <<(binary:copy(<<"a">>, 50))/binary, "b">>), length(binary:matches(A, [<<"aa">>, <<"aaaab">>]))}).

splits() ->
    L = binary:copy(<<"one,two,,three;">>, t:shrink(10000)),
    Parts = binary:split(L, [<<",">>, <<";">>], [global]),
    print("global", {length(Parts), digest(Parts)}),
    print("trim_all", digest(binary:split(L, [<<",">>, <<";">>], [global, trim_all]))),
    print("join", iolist_to_binary(lists:join(<<"-">>, lists:sublist(Parts, 12)))),
    print("replace", [binary:replace(<<"abcabc">>, <<"b">>, R, O) || R <- [<<>>, <<"[]">>], O <- [[], [global]]]),
    print("insert", [binary:replace(<<"abcde">>, <<"b">>, <<"[]">>, [{insert_replaced, 1}]), binary:replace(<<"abcde">>, [<<"b">>, <<"d">>], <<"[]">>, [global, {insert_replaced, [1, 1]}])]).

lists_() ->
    B = list_to_binary([I band 255 || I <- lists:seq(1, t:shrink(300000))]),
    L = binary_to_list(B),
    print("to list", {length(L), digest(L), digest(binary_to_list(B, 1000, t:shrink(200000))), B =:= list_to_binary(L)}),
    <<_:1, U/bits>> = <<0:1, B/binary>>,
    print("unaligned", {digest(binary_to_list(U)), U =:= B}),
    print("bitstring", begin X = bitstring_to_list(<<B/binary, 5:3>>), {length(X), lists:last(X), list_to_bitstring(X) =:= <<B/binary, 5:3>>} end).

deep(0) -> [];
deep(N) -> [deep(N - 1), N band 255 | <<(N band 127)>>].

iolists() ->
    D = deep(t:shrink(100000)),
    print("deep", {iolist_size(D), digest(iolist_to_binary(D))}),
    Large = [binary:copy(<<I>>, t:shrink(100000)) || I <- lists:seq(1, 60)],
    print("large", {iolist_size(Large), digest(iolist_to_binary(Large)), digest(list_to_binary([Large, "x" | <<"y">>]))}),
    print("iovec", digest(iolist_to_binary(erlang:iolist_to_iovec([D, Large, "end"])))),
    print("iovec shape", [byte_size(X) || X <- erlang:iolist_to_iovec([<<1>>, binary:copy(<<2>>, 300), <<3>>, binary:copy(<<4>>, 5000), "abc", binary:copy(<<5>>, 600)])]),
    print("odd ones", [iolist_to_binary(X) || X <- [[], [[]], <<>>, [<<>>], [<<"a">> | <<"b">>], [$a, [[$b | <<"c">>] | <<"d">>]], [[[[[[]]]]]]]]),
    print("bits", [list_to_bitstring(X) || X <- [[<<1:1>>, 2, <<3:5>>], [<<1:3>> | <<2:3>>], [[[<<1:7>>]], 255]]]).

others() ->
    L = binary:copy(<<"common prefix ">>, t:shrink(50000)),
    print("common", {binary:longest_common_prefix([<<L/binary, "a">>, <<L/binary, "b">>, L]), binary:longest_common_suffix([<<"a", L/binary>>, <<"b", L/binary>>])}),
    print("copy", {byte_size(binary:copy(L, 20)), digest(binary:copy(<<"abc">>, t:shrink(1000000)))}),
    print("unsigned", {binary:encode_unsigned(1 bsl 1000 - 1), binary:decode_unsigned(binary:copy(<<255>>, 100)), binary:decode_unsigned(<<1, 2, 3>>, little)}),
    print("parts", {binary:part(L, 5, 10), binary:part(L, {100, -10}), binary:at(L, 7), binary:first(L), binary:last(L), binary_part(L, 0, 3)}),
    print("split_binary", begin {A, B} = split_binary(L, 100), {byte_size(A), byte_size(B)} end),
    print("hex", {binary:encode_hex(<<1, 171, 255>>), binary:decode_hex(<<"01abFF">>)}),
    print("base64", {base64:encode(<<"any carnal pleas">>), base64:decode(<<"YW55IGNhcm5hbCBwbGVhcw==">>)}).

failures() ->
    D = deep(t:shrink(50000)),
    [{"bad deep", fun() -> try iolist_size([D, [a]]) catch C:R -> {C, R} end end},
     {"list_to_binary", fun() -> list_to_binary([1, 2, [3 | 4]]) end},
     {"iolist_to_binary", fun() -> iolist_to_binary([<<1:1>>]) end},
     {"iolist_to_binary atom", fun() -> iolist_to_binary(a) end},
     {"byte_size", fun() -> byte_size(hd([a])) end},
     {"binary_part", fun() -> binary_part(<<1, 2, 3>>, 2, 2) end},
     {"split_binary", fun() -> split_binary(<<1>>, 2) end},
     {"binary_to_list", fun() -> binary_to_list(<<1:3>>) end},
     {"binary_to_list 3", fun() -> binary_to_list(<<1, 2>>, 2, 1) end},
     {"match", fun() -> binary:match(<<"a">>, <<>>) end},
     {"matches", fun() -> binary:matches(<<"abc">>, [<<"a">>], [{scope, {2, 5}}]) end},
     {"split", fun() -> binary:split(<<"abc">>, a) end},
     {"at", fun() -> binary:at(<<"abc">>, 3) end},
     {"first", fun() -> binary:first(<<>>) end},
     {"copy", fun() -> binary:copy(<<"abc">>, -1) end},
     {"encode", fun() -> binary:encode_unsigned(-1) end},
     {"decode", fun() -> binary:decode_unsigned(<<1:1>>) end},
     {"common", fun() -> binary:longest_common_prefix([]) end},
     {"compile", fun() -> binary:compile_pattern([<<"a">>, <<>>]) end},
     {"decode_packet", fun() -> erlang:decode_packet(foo, <<>>, []) end},
     {"decode_packet options", fun() -> erlang:decode_packet(line, <<>>, [x]) end},
     {"decode_packet ok", fun() -> erlang:decode_packet(http, <<"GET /x HTTP/1.1\r\nrest">>, []) end}].
