%% All that a native function can ask of terms, and make.
-module(nif_terms).
-export([main/0]).
-export([kinds/1, numbers/1, atoms/1, new_atom/1, strings/1, lists/1, tuples/1, compare/2, maps/3, map_of/2, binaries/1, external/1, queue/4, format/1, raise/1,
         badarg/0, infinite/0, times/0, system/0, unique/0, identity/1, many/12]).
-on_load(load/0).

load() -> erlang:load_nif("./nif_terms", 0).

-define(STUB, erlang:nif_error(not_loaded)).
kinds(_) -> ?STUB.
numbers(_) -> ?STUB.
atoms(_) -> ?STUB.
new_atom(_) -> ?STUB.
strings(_) -> ?STUB.
lists(_) -> ?STUB.
tuples(_) -> ?STUB.
compare(_, _) -> ?STUB.
maps(_, _, _) -> ?STUB.
map_of(_, _) -> ?STUB.
binaries(_) -> ?STUB.
external(_) -> ?STUB.
queue(_, _, _, _) -> ?STUB.
format(_) -> ?STUB.
raise(_) -> ?STUB.
badarg() -> ?STUB.
infinite() -> ?STUB.
times() -> ?STUB.
system() -> ?STUB.
unique() -> ?STUB.
identity(X) -> X. % shorter than an instruction with an operand
many(_, _, _, _, _, _, _, _, _, _, _, _) -> ?STUB.

p(X) -> io:format("~p~n", [X]).
try_(F) -> try F() catch C:R:S -> {C, R, [setelement(4, I, []) || {nif_terms, N, _, _} = I <- S, N =/= '-main/0-fun-0-']} end.

values() ->
    [0, 1, -1, 17, 2147483647, 2147483648, -2147483648, -2147483649, 4294967295, 4294967296, 1 bsl 59, (1 bsl 63) - 1, 1 bsl 63, -(1 bsl 63), -(1 bsl 63) - 1,
     (1 bsl 64) - 1, 1 bsl 64, 1.5, -0.0, 1.0e300, a, '', [], [1], [1 | 2], "abc", "abcdefg", "abcdefgh", [256], [-1], {}, {1}, {a, "b", <<"c">>}, #{}, #{a => 1}, <<>>, <<1>>, <<1, 2, 3:3>>,
     binary:copy(<<"x">>, 100), true, nil, lists:seq(1, 40), 'åäö', 'λ', list_to_atom(lists:duplicate(255, $a)), list_to_atom(lists:duplicate(255, 16#e5))].

main() ->
    p(lists:sort(?MODULE:module_info(nifs))),
    Vs = values(),
    [p({V, kinds(V), numbers(V), strings(V), tuples(V)}) || V <- Vs],
    p([kinds(V) || V <- [self(), make_ref(), fun() -> ok end, fun lists:map/2, open_port({spawn, "cat"}, [])]]),
    [p({V, try_(fun() -> lists(V) end)}) || V <- Vs, is_list(V)],
    [p({V, try_(fun() -> atoms(V) end)}) || V <- Vs],
    p([try_(fun() -> new_atom(N) end) || N <- [0, 1, 255]]),
    p(try_(fun() -> new_atom(256) end)),
    p([{A, B, element(1, compare(A, B)), element(2, compare(A, B)), element(3, compare(A, B)), element(4, compare(A, B))} || A <- lists:sublist(Vs, 16, 22), B <- [1, 1.0, a, [], {1}, #{}, <<1>>]]),
    [p(try_(fun() -> maps(M, K, new) end)) || M <- [#{}, #{1 => 1}, #{1 => 1, b => 2, {c} => 3}, not_a_map], K <- [1, {c}, z]],
    Large = maps:from_list([{N, N * N} || N <- lists:seq(1, 200)]),
    T = maps(Large, 100, new),
    p([element(N, T) || N <- [1, 2, 3, 4, 5, 7, 9, 11]]),
    p({element(6, T) =:= Large#{100 := new}, element(8, T) =:= Large#{100 := new}, element(10, T) =:= maps:remove(100, Large), element(12, T) =:= lists:reverse(element(13, T)), [K || [K | _] <- element(12, T)] =:= maps:keys(Large)}),
    p([map_of({1, b, {c}}, {1, 2, 3}), map_of({a, a}, {1, 2}), map_of({}, {})]),
    p(element(2, map_of(list_to_tuple(lists:seq(1, 50)), list_to_tuple(lists:seq(51, 100)))) =:= maps:from_list(lists:zip(lists:seq(1, 50), lists:seq(51, 100)))),
    Long = binary:copy(<<"0123456789">>, 20),
    <<_:3, Odd:80/bitstring, _/bitstring>> = Long,
    <<_:5, OddLong:800/bitstring, _/bitstring>> = Long,
    <<_:1/binary, Part:100/binary, _/binary>> = Long,
    [p(try_(fun() -> binaries(B) end)) || B <- [<<>>, <<1>>, <<"abc">>, Long, Part, Odd, OddLong, <<1:3>>, ["a", <<"b">>, [[Long] | <<"c">>]], [], [a], "", a, [256]]],
    [p({V, try_(fun() -> external(V) end)}) || V <- Vs, V =/= -0.0],
    Q = [<<"abc">>, Long, Odd, <<>>, OddLong, <<"end">>],
    [p(try_(fun() -> queue(Q, S, C, M) end)) || {S, C, M} <- [{0, 0, 100}, {1, 0, 100}, {3, 2, 100}, {100, 50, 2}, {0, 5000, 100}, {5000, 0, 100}, {0, 204, 100}]],
    p(try_(fun() -> queue([a], 0, 0, 10) end)),
    p(try_(fun() -> queue([<<N>> || N <- lists:seq(1, 60)], 7, 20, 40) end)),
    [p(format(V)) || V <- [abc, {1, "two", <<"three">>, [4.0 | five]}, 'A b', [], #{a => 1}]],
    p([try_(fun() -> raise(x) end), try_(fun badarg/0), try_(fun infinite/0)]),
    {Ms, Ns, Off, -2, 7000000, 1, {_, _, _}, {_, _, _}} = times(),
    p([abs(Ms - erlang:monotonic_time(millisecond)) < 5000, abs(Ns - erlang:monotonic_time()) < 5000000000, abs(Off - erlang:time_offset(second)) < 2]),
    os:putenv("NIF_TEST_SHORT", "short"), os:putenv("NIF_TEST_LONG", "longer than that"),
    p(system()),
    {U1, U2, R} = unique(),
    p([is_integer(U1), U1 > 0, U1 =/= U2, is_reference(R)]),
    %% All ways to call.
    F = fun ?MODULE:identity/1, G = fun identity/1,
    p([identity(1), ?MODULE:identity(2), F(3), G(4), apply(?MODULE, identity, [5]), apply(fun identity/1, [6]), last(7), lists:map(fun identity/1, [8, 9])]),
    p(many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)),
    {P, M} = spawn_monitor(?MODULE, raise, [gone]),
    receive {'DOWN', M, process, P, Reason} -> p(Reason) end,
    spawn(?MODULE, identity, [fine]),
    p(lists:foldl(fun(N, A) -> identity(N) + A end, 0, lists:seq(1, 100000))),
    p(length(lists:foldl(fun(N, A) -> element(7, lists(lists:seq(1, N rem 50))) ++ lists:sublist(A, 100) end, [], lists:seq(1, 3000)))).

last(X) -> identity(X).
