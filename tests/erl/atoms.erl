%% Atoms and their texts, hashes, sizes.
-module(atoms).
-export([main/0]).

main() ->
    Long = lists:duplicate(255, $a),
    Wide = lists:duplicate(255, 16#1f600),
    t:all([
        {"to list", fun() -> [[C + 0 || C <- atom_to_list(A)] =:= L || {A, L} <- [{'', ""}, {a, "a"}, {'B c', "B c"}, {'é', [233]}, {'日本', [16#65e5, 16#672c]}, {'a\nb', "a\nb"}]] end},
        {"from list", fun() -> [list_to_atom(L) =:= A || {L, A} <- [{"", ''}, {"a", a}, {"B c", 'B c'}, {"é", 'é'}, {[16#65e5, 16#672c], '日本'}, {"true", true}]] end},
        {"long", fun() -> {length(atom_to_list(list_to_atom(Long))), length(atom_to_list(list_to_atom(Wide)))} end},
        {"too long", fun() -> list_to_atom([$a | Long]) end},
        {"too long and bad", fun() -> list_to_atom(Long ++ [-1]) end},
        {"bad character", fun() -> list_to_atom([16#d800]) end},
        {"too large", fun() -> list_to_atom([16#110000]) end},
        {"improper", fun() -> list_to_atom([$a | b]) end},
        {"no list", fun() -> list_to_atom(a) end},
        {"existing", fun() -> list_to_existing_atom("existing") =:= existing end},
        {"not existing", fun() -> list_to_existing_atom("no such " ++ integer_to_list(erlang:phash2(x))) end},
        {"existing too long", fun() -> list_to_existing_atom([$a | Long]) end},
        {"to binary", fun() -> [<<0, (atom_to_binary(A))/binary>> || A <- ['', abc, 'é', '日本']] end},
        {"to binary latin1", fun() -> [<<0, (atom_to_binary(A, latin1))/binary>> || A <- ['', abc, 'é']] end},
        {"not latin1", fun() -> try atom_to_binary('日本', latin1) catch error:badarg -> badarg end end},
        {"bad encoding", fun() -> atom_to_binary(a, foo) end},
        {"unicode", fun() -> <<0, (atom_to_binary('é', unicode))/binary>> end},
        {"from binary", fun() -> {binary_to_atom(<<>>), binary_to_atom(<<"abc">>), binary_to_atom(<<"é"/utf8>>) =:= 'é'} end},
        {"from latin1", fun() -> binary_to_atom(<<233>>, latin1) =:= 'é' end},
        {"bad utf8", fun() -> binary_to_atom(<<0, 233>>) end},
        {"bad utf8, long", fun() -> binary_to_atom(list_to_binary([0, Long, 233])) end},
        {"long binary", fun() -> binary_to_atom(list_to_binary([Long, $b])) end},
        {"long latin1", fun() -> binary_to_atom(list_to_binary([Long, $b]), latin1) end},
        {"very long", fun() -> binary_to_atom(binary:copy(<<"a">>, 5000), utf8) end},
        {"long existing", fun() -> binary_to_existing_atom(binary:copy(<<"a">>, 5000), utf8) end},
        {"bits", fun() -> binary_to_atom(<<1:1>>) end},
        {"part", fun() -> <<_:3, B:24/bits, _/bits>> = <<0:3, "abc", 0:5>>, binary_to_atom(B) end},
        {"existing binary", fun() -> {binary_to_existing_atom(<<"abc">>), binary_to_existing_atom(<<"abc">>, latin1)} end},
        {"no such binary", fun() -> binary_to_existing_atom(<<"no such one">>) end},
        {"order", fun() -> lists:sort(['b', 'a', 'ab', '', 'é', 'z', 'Z', '日', 'aa']) =:= ['', 'Z', 'a', 'aa', 'ab', 'b', 'z', 'é', '日'] end}
    ]),
    hashes().

hashes() ->
    Terms = [a, '', 'é', 0, -1, 1 bsl 27, -(1 bsl 27), 1 bsl 60, 1 bsl 64, -(1 bsl 100), 0.0, -0.0, 1.5, [], "abc", "abcde", [a | b], [1000], {}, {a, 1},
             <<>>, <<"bytes and bytes">>, <<5:3>>, <<1, 2, 3:4>>, #{}, #{a => 1, b => [2]}, maps:from_list([{I, I} || I <- lists:seq(1, 100)]), fun lists:map/2],
    io:format("~w~n", [[erlang:phash2(T) || T <- Terms]]),
    io:format("~w~n", [[erlang:phash2(T, 1 bsl 32) || T <- Terms]]),
    io:format("~w~n", [[erlang:phash2(T, 7) || T <- Terms]]),
    io:format("~w~n", [[erlang:phash(T, 1 bsl 32) || T <- Terms]]),
    io:format("~w~n", [[erlang:phash(T, 10) || T <- Terms]]),
    t:all([
        {"range 0", fun() -> erlang:phash2(a, 0) end},
        {"large range", fun() -> erlang:phash2(a, (1 bsl 32) + 1) end},
        {"atom range", fun() -> erlang:phash2(a, b) end},
        {"phash range", fun() -> erlang:phash(a, 0) end},
        {"sizes", fun() -> [erts_debug:flat_size(T) || T <- [a, 1, [1, 2], {a, b}, "abc", {}, [{a}, {b}]]] end},
        {"shared", fun() -> L = lists:seq(1, 10), {erts_debug:flat_size({L, L}), erts_debug:size({L, L}), erts_debug:size_shared({L, L})} end},
        {"same", fun() -> L = lists:seq(1, 3), {erts_debug:same(L, L), erts_debug:same(L, lists:seq(1, 3))} end}
    ]).
