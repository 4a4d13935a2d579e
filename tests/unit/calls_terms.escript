#!/usr/bin/env escript
%%! -noinput
%% Writes calls_terms.etf: calls of built-ins on lists, tuples, maps and external terms and what Erlang/OTP answers, for
%% test_calls.c. Run with OTP 25:  escript calls_terms.escript calls_terms.etf
%% A row is {Module, Function, Arguments, {ok, Value} | {error, Reason}}.
-mode(compile).
main([File]) ->
    rand:seed(exsss, {4, 5, 6}),
    Calls = lists:append([on_lists(), subtractions(), keyed(), tuples(), small_maps(), map_lists(), merges(), walks(), written(), options(), read(), damaged()]),
    Rows = [{M, F, A, try {ok, value(F, apply(M, F, A))} catch error:R -> {error, R} end} || {M, F, A} <- Calls],
    ok = file:write_file(File, term_to_binary([R || R <- Rows, not has_fun(R)], [{compressed, 9}])).

%% How the list is cut is the VM's own business.
value(term_to_iovec, L) -> iolist_to_binary(L);
value(_, V) -> V.

uniform(N) -> rand:uniform(N).
one_of(L) -> lists:nth(uniform(length(L)), L).
times(N, F) -> [F() || _ <- lists:seq(1, N)].

has_fun(F) when is_function(F) -> true;
has_fun([H | T]) -> has_fun(H) orelse has_fun(T);
has_fun(T) when is_tuple(T) -> has_fun(tuple_to_list(T));
has_fun(M) when is_map(M) -> has_fun(maps:to_list(M));
has_fun(_) -> false.

%% Few different values, so that many are equal; and 1, 1.0, big integers, shared parts.
simple() -> one_of([uniform(6), uniform(6) * 1.0, 0, -1, a, b, [], {}, <<>>, <<"x">>, <<1:3>>, "ab", {1}, {1.0}, [1 | 2], 1 bsl 70, -(1 bsl 70), 1.0e30, #{}, #{1 => 2}]).
list() -> times(one_of([0, 1, 2, 3, 8, 20, 40, 70]), fun simple/0).
odd() -> one_of([a, 1, {}, [1 | 2], [1, 2 | a], <<1>>, 1.5, #{}]).
any_list() -> case uniform(8) of 1 -> odd(); 2 -> list() ++ odd(); _ -> list() end.

on_lists() ->
    lists:append(times(60, fun() ->
        L = any_list(), M = any_list(), X = simple(),
        [{erlang, '++', [L, M]}, {erlang, append, [L, M]}, {lists, reverse, [L, M]}, {lists, member, [X, L]}, {erlang, length, [L]},
         {erlang, hd, [L]}, {erlang, tl, [L]}, {erlang, list_to_tuple, [L]}]
    end)) ++
    [{erlang, '++', [lists:seq(1, 400), L]} || L <- [[], [1], a]] ++ [{lists, reverse, [lists:seq(1, 400), []]}, {erlang, '++', [lists:seq(1, 400) ++ a, [x]]}].

subtractions() ->
    lists:append(times(150, fun() ->
        L = any_list(), M = any_list(),
        [{erlang, '--', [L, M]}, {erlang, subtract, [L, M]}]
    end)) ++
    [{erlang, '--', [times(N, fun() -> uniform(50) end), times(K, fun() -> uniform(60) end)]} || N <- [0, 15, 16, 17, 300], K <- [0, 15, 16, 17, 300]].

keyed() ->
    Tuple = fun() -> one_of([{simple(), simple()}, {simple(), simple(), x}, {simple()}, {}, simple()]) end,
    lists:append(times(150, fun() ->
        L = times(uniform(12), Tuple) ++ one_of([[], [], [], a]), X = simple(), N = one_of([1, 1, 2, 2, 3, 0, -1, a, 1 bsl 70]),
        [{lists, F, [X, N, L]} || F <- [keyfind, keymember, keysearch]]
    end)) ++
    [{lists, keyfind, [X, 1, [{Y}]]} || X <- [9007199254740993, 1 bsl 70, 0, 0.0, 5, 5.0], Y <- [9007199254740992.0, 1180591620717411303424.0, -0.0, 0, 5, 5.0]].

tuples() ->
    lists:append(times(80, fun() ->
        T = one_of([list_to_tuple(list()), {}, {a}, odd()]), N = one_of([0, 1, 2, uniform(20), -1, a, 1.0, 1 bsl 70, 1 bsl 24]), X = simple(),
        [{erlang, element, [N, T]}, {erlang, setelement, [N, T, X]}, {erlang, tuple_size, [T]}, {erlang, tuple_to_list, [T]},
         {erlang, append_element, [T, X]}, {erlang, insert_element, [N, T, X]}, {erlang, delete_element, [N, T]}]
    end)) ++
    [{erlang, make_tuple, [N, x]} || N <- [0, 1, 5, -1, a, 1 bsl 24, 1 bsl 70]] ++
    [{erlang, make_tuple, [N, x, L]} || N <- [0, 1, 3], L <- [[], [{1, a}], [{1, a}, {3, b}, {1, c}], [{0, a}], [{4, a}], [{a, b}], [{1, 2, 3}], a, [{1, a} | b], [{1 bsl 70, a}]]].

%% Keys without atoms: the order of large maps with those differs between machines.
key() -> one_of([uniform(300), uniform(300), uniform(20) * 1.0, {uniform(40)}, "k" ++ [uniform(60)], <<(uniform(60))>>, uniform(9) bsl 70, [[]], #{1 => uniform(3)}]).
pairs(N) -> times(N, fun() -> {key(), uniform(5)} end).
map() -> maps:from_list(pairs(one_of([0, 1, 3, 10, 31, 32, 33, 40, 100, 300]))).
key_of(M) -> case maps:keys(M) of [] -> key(); K -> one_of([key(), one_of(K), one_of(K)]) end.

small_maps() ->
    lists:append(times(120, fun() ->
        M = one_of([map(), map(), map(), map(), odd()]), K = case is_map(M) of true -> key_of(M); false -> key() end, V = uniform(5),
        [{maps, get, [K, M]}, {erlang, map_get, [K, M]}, {maps, find, [K, M]}, {maps, is_key, [K, M]}, {erlang, is_map_key, [K, M]}, {maps, put, [K, V, M]},
         {maps, update, [K, V, M]}, {maps, remove, [K, M]}, {maps, take, [K, M]}, {erlang, map_size, [M]}]
    end)) ++
    [{maps, F, [K, #{1 => a, 1.0 => b, 0 => c}]} || F <- [get, find, take], K <- [1, 1.0, 0, 0.0, -0.0]].

map_lists() ->
    lists:append(times(60, fun() ->
        L = pairs(one_of([0, 1, 2, 20, 33, 40, 60, 200])),
        B = case uniform(3) of 1 -> one_of([L ++ a, [{1} | L], L ++ [x], odd()]); _ -> L end,
        [{maps, from_list, [B]}, {maps, from_keys, [B, uniform(3)]}, {maps, from_keys, [[K || {K, _} <- L], uniform(3)]}]
    end)).

merges() ->
    lists:append(times(80, fun() ->
        M = one_of([map(), map(), map(), odd()]), N = one_of([map(), map(), maps_near(M), odd()]),
        [{maps, merge, [M, N]}, {maps, merge, [N, M]}]
    end)).
maps_near(M) when is_map(M) -> lists:foldl(fun(_, A) -> maps:put(key(), uniform(5), A) end, M, lists:seq(1, uniform(10)));
maps_near(M) -> M.

walks() ->
    lists:append(times(60, fun() ->
        M = one_of([map(), map(), map(), odd()]),
        [{maps, keys, [M]}, {maps, values, [M]}]
    end)) ++
    [{erts_internal, map_next, [P, M, A]} || P <- [0, 1, -1, a], M <- [#{}, #{1 => a}, #{1 => a, 2 => b}, a], A <- [iterator, [], [x], a]] ++
    [{erts_internal, map_next, [P, maps:from_list([{I, I} || I <- lists:seq(1, 100)]), A]} || P <- [-1, a, 1.0, 16#f0], A <- [iterator, [], a]] ++
    [{erts_internal, F, [M]} || F <- [map_to_tuple_keys, map_hashmap_children], M <- [#{}, #{1 => a}, a]] ++
    [{erts_debug, map_info, [M]} || M <- [#{}, a, maps:from_list([{I, I} || I <- lists:seq(1, 500)])]].

%% Terms of every kind.
leaf() ->
    one_of([uniform(256) - 1, -uniform(300), uniform(1 bsl 31), -uniform(1 bsl 32), uniform(1 bsl 59), uniform(1 bsl 64), -uniform(1 bsl 200), uniform(1 bsl 2100),
            0.0, -1.5, 1.0e300 * rand:uniform(), a, '', 'å', list_to_atom([1024, 955]), list_to_atom(lists:duplicate(255, 255)), list_to_atom(lists:duplicate(255, 1024)), [], {},
            <<>>, <<"abc">>, <<5:3>>, <<0:700>>, <<1:77>>, "string", lists:duplicate(300, 7), [1, 256], self(), make_ref(), #{}, <<(uniform(255)):7, 1:(uniform(100))>>,
            pid("a@b", 7, 5, 3), port("a@b", 1 bsl 40, 9), port("a@b", 12, 1), reference("c@d", 4, [1, 2, 3, 4, 5]), list_to_pid("<0.1.0>")]).
pid(Node, N, S, C) -> binary_to_term(<<131, 88, 100, (length(Node)):16, (list_to_binary(Node))/binary, N:32, S:32, C:32>>).
port(Node, N, C) -> binary_to_term(<<131, 120, 100, (length(Node)):16, (list_to_binary(Node))/binary, N:64, C:32>>).
reference(Node, C, Ids) -> binary_to_term(<<131, 90, (length(Ids)):16, 100, (length(Node)):16, (list_to_binary(Node))/binary, C:32, << <<I:32>> || I <- Ids >>/binary>>).
build(0) -> leaf();
build(D) ->
    Sub = fun() -> build(D - 1) end,
    case uniform(7) of
        1 -> times(uniform(4), Sub);
        2 -> times(uniform(4), Sub) ++ Sub();
        3 -> list_to_tuple(times(uniform(4) - 1, Sub));
        4 -> maps:from_list(times(uniform(4), fun() -> {Sub(), Sub()} end));
        5 -> maps:from_list([{key(), Sub()} || _ <- lists:seq(1, one_of([3, 3, 40]))]);
        6 -> list_to_tuple(lists:duplicate(300, uniform(9)));
        7 -> leaf()
    end.
terms() -> times(60, fun leaf/0) ++ times(60, fun() -> build(uniform(4) - 1) end).

written() ->
    lists:append([[{erlang, term_to_binary, [T]}, {erlang, external_size, [T]}, {erlang, term_to_iovec, [T]},
                   {erlang, term_to_binary, [T, [one_of([{minor_version, 0}, {minor_version, 2}, deterministic, compressed, {compressed, uniform(10) - 1}])]]}] || T <- terms()]).

options() ->
    T = [lists:duplicate(50, a), 1.5],
    [{erlang, F, [T, O]} || F <- [term_to_binary, term_to_iovec], O <- [[], [a], a, [compressed | a], [{minor_version, 3}], [{minor_version, -1}], [{compressed, 10}], [{compressed, a}], [{compressed, 9}, deterministic, {minor_version, 2}], [{a, 1}], [{minor_version, 0}, {minor_version, 1}]]] ++
    [{erlang, external_size, [T, O]} || O <- [[], [a], a, [{minor_version, 0}], [{minor_version, 1}], [{minor_version, 3}], [{a, 1}]]] ++
    [{erlang, binary_to_term, [B, O]} || B <- [<<131, 97, 1>>, <<131, 97, 1, 2, 3>>, <<131>>, a, <<1:1>>, term_to_binary(lists:duplicate(100, b), [compressed])], O <- [[], [safe], [used], [safe, used], [a], a, [used | a]]] ++
    [{erlang, binary_to_term, [<<131, 100, 5:16, "zorro">>, [safe]]}, {erlang, binary_to_term, [<<131, 100, 2:16, "ok">>, [safe]]}].

old_forms() ->
    Node = <<100, 3:16, "x@y">>,
    Here = <<100, 13:16, "nonode@nohost">>,
    [<<131, B/binary>> || B <-
        [<<99, "1.50000000000000000000e+00", 0, 0, 0, 0, 0>>, <<99, "-1,5e3", 0:200>>, <<99, "1", 0:240>>, <<99, "1.5x", 0:216>>, <<99, "1.5e999", 0:192>>, <<99, "0.0", 0:224>>,
         <<70, 16#7ff0:16, 0:48>>, <<70, 16#7ff8:16, 0:48>>, <<70, 16#8000:16, 0:48>>,
         <<115, 2, "ab">>, <<119, 2, "ab">>, <<118, 2:16, "ab">>, <<118, 2:16, 200, 1>>, <<119, 1, 200>>, <<100, 256:16, 0:2048>>, <<118, 256:16, (binary:copy(<<"a">>, 256))/binary>>, <<100, 0:16>>,
         <<103, Node/binary, 1:32, 2:32, 3>>, <<103, Node/binary, 1:32, 2:32, 4>>, <<102, Node/binary, 1:32, 3>>, <<101, Node/binary, 1:32, 3>>, <<114, 3:16, Node/binary, 1, 1:32, 2:32, 3:32>>,
         <<114, 6:16, Node/binary, 1, 1:32, 2:32, 3:32, 4:32, 5:32, 6:32>>, <<114, 1:16, Node/binary, 1, (1 bsl 18):32>>, <<90, 1:16, Node/binary, 1:32, (1 bsl 18):32>>, <<90, 1:16, Here/binary, 0:32, (1 bsl 18):32>>,
         <<90, 3:16, Here/binary, 0:32, 1:32, 2:32, 3:32>>, <<90, 4:16, Here/binary, 0:32, 1:32, 2:32, 3:32, 4:32>>, <<90, 2:16, Here/binary, 0:32, 1:32, 2:32>>,
         <<88, Here/binary, (1 bsl 28):32, 0:32, 0:32>>, <<88, Here/binary, 5:32, 6:32, 0:32>>, <<88, Here/binary, 5:32, 6:32, 1:32>>, <<89, Here/binary, 5:32, 0:32>>, <<120, Here/binary, 5:64, 0:32>>,
         <<110, 0, 0>>, <<110, 1, 0, 5>>, <<110, 3, 1, 5, 0, 0>>, <<111, 4:32, 1, 1, 2, 3, 4>>, <<111, 4:32, 7, 1, 2, 3, 0>>, <<110, 8, 1, 0:56, 128>>, <<111, 16#ffffffff:32, 0>>,
         <<108, 0:32, 97, 1>>, <<108, 0:32, 106>>, <<108, 1:32, 97, 1, 97, 2>>, <<108, 16#ffffffff:32, 97, 1>>, <<107, 0:16>>, <<107, 3:16, 1, 2>>, <<104, 0>>, <<105, 0:32>>, <<105, 16#ffffffff:32>>,
         <<116, 0:32>>, <<116, 2:32, 97, 1, 97, 1, 97, 1, 97, 2>>, <<116, 2:32, 97, 2, 97, 1, 97, 1, 97, 2>>, <<116, 16#80000000:32>>,
         <<116, 33:32, << <<97, I, 97, I>> || I <- lists:seq(1, 33) >>/binary>>, <<116, 33:32, << <<97, (I div 2), 97, I>> || I <- lists:seq(1, 33) >>/binary>>, <<116, 33:32, 97, 1>>,
         <<77, 0:32, 0>>, <<77, 0:32, 1>>, <<77, 1:32, 0, 1>>, <<77, 1:32, 8, 1>>, <<77, 1:32, 9, 1>>, <<77, 1:32, 3, 255>>, <<77, 2:32, 3, 255, 255>>, <<109, 3:32, 1, 2>>,
         <<80, 0:32>>, <<80, 5:32, (zlib:compress(<<97, 1>>))/binary>>, <<80, 2:32, (zlib:compress(<<97, 1>>))/binary>>, <<80, 1:32, (zlib:compress(<<97, 1>>))/binary>>, <<80, 3:32, (zlib:compress(<<97, 1, 9>>))/binary, 1, 2, 3>>,
         <<80, 16#ffffffff:32, (zlib:compress(<<97, 1>>))/binary>>, <<117, 0:32>>, <<82, 0>>, <<1>>, <<>>]].

read() ->
    [{erlang, binary_to_term, [B]} || B <- old_forms()] ++ [{erlang, binary_to_term, [B, [used]]} || B <- old_forms()] ++
    [{erlang, binary_to_term, [<<130, 97, 1>>]}, {erlang, binary_to_term, [<<>>]}] ++
    [{erlang, binary_to_term, [shifted(term_to_binary(T, one_of([[], [compressed], [{minor_version, 2}], [{minor_version, 0}]])))]} || T <- terms()].

shifted(B) ->
    Skip = uniform(12) - 4,
    case Skip > 0 of
        true -> N = byte_size(B), <<_:Skip, C:N/binary, _/bits>> = <<0:Skip, B/binary, 0>>, C;
        false -> B
    end.

%% A byte changed, or some missing; without the tags that OTP reads for its own purposes, and references without numbers, which it
%% reads from what follows them; and without pids of this node, whose numbers have fewer bits there.
damaged() -> [{erlang, binary_to_term, [D, one_of([[], [used]])]} || T <- terms() ++ terms() ++ terms(), D <- times(4, fun() -> damage(term_to_binary(T, one_of([[], [], [compressed]]))) end), internal(D) =:= nomatch].
internal(B) -> binary:match(B, [<<73>>, <<75>>, <<65>>, <<66>>, <<90, 0, 0>>, <<114, 0, 0>>, <<"@nohost">>]).
damage(B) when byte_size(B) > 1, byte_size(B) < 2000 ->
    At = uniform(byte_size(B) - 1),
    <<Front:At/binary, X, Back/binary>> = B,
    case uniform(4) of
        1 -> Front;
        2 -> <<Front/binary, Back/binary>>;
        3 -> <<Front/binary, (one_of([X + 1, X - 1, X bxor 128, 255, 0])), Back/binary>>;
        4 -> <<Front/binary, (one_of([97, 98, 70, 100, 104, 106, 107, 108, 109, 110, 116, 119, 77, 88, 90, 89])), Back/binary>>
    end;
damage(B) -> B.
