%% The external term format: what is written, that it is read again, options, funs and identifiers, large terms, errors.
-module(external_terms).
-export([main/0, exported/2]).

id(X) -> X.
exported(A, B) -> {A, B}.
main() ->
    [written(T) || T <- terms()],
    funs(),
    here(),
    options(),
    large(),
    errors(),
    ok.

terms() ->
    [0, 255, 256, -1, 1 bsl 31, -(1 bsl 31), 1 bsl 59, 1 bsl 64, -(1 bsl 70), 1 bsl 2048, 0.0, -1.5, 1.0e300, a, 'with space', 'å', list_to_atom([1024]), list_to_atom(lists:duplicate(255, $x)),
     [], [1], "text", [1 | 2], [a, b | c], [256], lists:seq(0, 255), {}, {1}, list_to_tuple(lists:seq(1, 256)), <<>>, <<"binary">>, <<1:1>>, <<5:3, 7:8>>, <<0:800>>, #{}, #{a => 1, "b" => [c]},
     maps:from_list([{I, I * I} || I <- lists:seq(1, 40)]), [[[[[[]]]]]], {{{{}}}}, fun lists:map/2, fun ?MODULE:exported/2].

written(T) ->
    B = term_to_binary(T),
    io:format("~w~n", [{B, binary_to_term(B) =:= T, erlang:external_size(T) =:= byte_size(B)}]),
    [io:format("~w ~w~n", [O, check(T, term_to_binary(T, O))]) || O <- [[{minor_version, 0}], [{minor_version, 2}], [deterministic], [compressed], [{compressed, 9}]]].

check(T, B) -> {erlang:md5(B), binary_to_term(B) == T, iolist_to_binary(term_to_iovec(T)) =:= term_to_binary(T)}.

funs() ->
    X = id(17),
    Fs = [fun() -> X end, fun(Y) -> {X, Y} end, fun F(0) -> X; F(N) -> F(N - 1) end],
    Gs = binary_to_term(term_to_binary(Fs)),
    io:format("~w~n", [{Fs =:= Gs, [erlang:fun_info(F, arity) || F <- Gs], (hd(Gs))(), (lists:nth(2, Gs))(z), (lists:nth(3, Gs))(5)}]),
    E = binary_to_term(term_to_binary(fun ?MODULE:exported/2)),
    io:format("~w~n", [{E(1, 2), E =:= fun ?MODULE:exported/2}]),
    io:format("~w~n", [try (binary_to_term(<<131, 113, 100, 0, 4, "nope", 100, 0, 1, "f", 97, 0>>))() catch _:X1 -> X1 end]).

here() ->
    R = make_ref(), P = self(),
    {P1, R1} = binary_to_term(term_to_binary({P, R})),
    io:format("~w~n", [{P1 =:= P, R1 =:= R, node(P1) =:= node()}]),
    P1 ! hello,
    receive hello -> io:format("hello~n") after 0 -> io:format("nothing~n") end,
    <<131, 88, Rest/binary>> = term_to_binary(P),
    io:format("~w~n", [byte_size(Rest)]),
    Other = binary_to_term(<<131, 88, 100, 0, 3, "a@b", 1:32, 2:32, 3:32>>),
    io:format("~w ~w ~w~n", [is_pid(Other), node(Other), binary_to_term(term_to_binary(Other)) =:= Other]).

options() ->
    B = <<131, 97, 1, 2, 3>>,
    io:format("~w~n", [{binary_to_term(B), binary_to_term(B, [used]), binary_to_term(term_to_binary(lists:seq(1, 1000), [compressed]), [used]) =/= x}]),
    io:format("~w~n", [try binary_to_term(<<131, 100, 0, 13, "never_seen_it">>, [safe]) catch _:X -> X end]),
    io:format("~w~n", [binary_to_term(<<131, 100, 0, 2, "ok">>, [safe])]).

large() ->
    T = [{I, integer_to_list(I), <<I:24>>, #{I => [I]}} || I <- lists:seq(1, 3000)],
    B = term_to_binary(T),
    C = term_to_binary(T, [compressed]),
    io:format("~w~n", [{byte_size(B), erlang:md5(B), byte_size(C), erlang:md5(C), binary_to_term(B) =:= T, binary_to_term(C) =:= T}]),
    M = maps:from_list([{{I}, I} || I <- lists:seq(1, 3000)]),
    io:format("~w~n", [{erlang:md5(term_to_binary(M)), erlang:md5(term_to_binary(M, [deterministic])), binary_to_term(term_to_binary(M)) =:= M}]),
    Deep = lists:foldl(fun(I, A) -> [A, I] end, [], lists:seq(1, 20000)),
    io:format("~w~n", [{erlang:md5(term_to_binary(Deep)), binary_to_term(term_to_binary(Deep)) =:= Deep}]),
    Binary = binary:copy(<<"0123456789">>, 50000),
    <<_:3, Shifted:400000/binary, _/bits>> = Binary,
    io:format("~w~n", [{erlang:md5(term_to_binary({Binary, Shifted})), binary_to_term(term_to_binary(Shifted)) =:= Shifted}]),
    <<_:5, Odd:399999/binary, _/bits>> = <<0:5, (term_to_binary(T))/binary, 0:3300000>>,
    io:format("~w~n", [binary_to_term(Odd) =:= T]),
    io:format("~w~n", [[catch element(1, binary_to_term(binary:part(B, 0, byte_size(B) - N))) || N <- [1, 10, 1000]] =/= x]).

errors() ->
    Long = term_to_binary(lists:seq(1, 30000)),
    [report(F) || F <- [
        fun() -> binary_to_term(a) end, fun() -> binary_to_term(<<>>) end, fun() -> binary_to_term(<<131>>) end, fun() -> binary_to_term(<<131, 1>>) end, fun() -> binary_to_term(<<1:7>>) end,
        fun() -> binary_to_term(<<131, 97, 1>>, [oops]) end, fun() -> binary_to_term(binary:part(Long, 0, byte_size(Long) - 1)) end, fun() -> binary_to_term(binary:part(Long, 0, byte_size(Long) - 1), [used]) end,
        fun() -> term_to_binary(a, b) end, fun() -> term_to_binary(a, [{compressed, 11}]) end, fun() -> term_to_binary(a, [{minor_version, 7}]) end, fun() -> erlang:external_size(a, [x]) end, fun() -> term_to_iovec(a, [x]) end]].

report(F) ->
    try F() catch C:R:S -> {M, N, A, I} = hd(S), io:format("~p~n", [{C, R, M, N, erlang:phash2(A), I}]) end.
