#!/usr/bin/env escript
%%! -noinput
%% Writes calls_records.etf: calls of built-ins on native records and what Erlang/OTP answers, for test_calls.c. Run with OTP 29:
%%   escript calls_records.escript calls_records.etf
%% A row is {Module, Function, Arguments, {ok, Value} | {error, Reason}}.
-mode(compile).
main([File]) ->
    Calls = lists:append([made(), looked(), updated(), ordered(), written(), read()]),
    Rows = [{M, F, A, try {ok, apply(M, F, A)} catch error:R -> {error, R} end} || {M, F, A} <- Calls],
    ok = file:write_file(File, term_to_binary(Rows, [{compressed, 9}])).

new(M, N, Fields) -> new(M, N, Fields, true).
new(M, N, Fields, Exported) -> records:create(M, N, Fields, #{is_exported => Exported}).

some() ->
    [new(m, n, []), new(m, n, [], false), new(m, n, [{a, 1}]), new(m, n, [{a, 1.0}]), new(m, n, [{a, 1}], false), new(m, n, [{a, 1}, {b, 2}]), new(m, n, [{b, 2}, {a, 1}]),
     new(m, n, [{a, 5}, {b, 1}]), new(m, n, [{a, 1}, {c, 2}]), new(m, n2, [{a, 0}]), new(m2, n, [{a, 0}]), new(m, n, [{a, [new(x, y, [{z, {1, #{}}}])]}, {b, <<1:3>>}]),
     new('M x', 'N', [{list_to_atom([K]), K} || K <- lists:seq($a, $z)])].
others() -> [1, a, {}, {m, n, 1}, #{}, #{a => 1}, [], [1], <<>>, 1.0].

made() ->
    T = #{is_exported => true},
    [{records, create, A} || A <- [[m, n, [{a, 1}, {b, 2}], T], [m, n, [], #{is_exported => false}], [1, n, [], T], [m, 2, [], T], [m, n, [], a], [m, n, [], #{}], [m, n, [], #{is_exported => 1}],
        [m, n, [], #{a => 1}], [m, n, [], #{is_exported => true, a => 1}], [m, n, a, T], [m, n, [{1, 2}], T], [m, n, [a], T], [m, n, [{a, 1, 2}], T], [m, n, [{a, 1}, {a, 2}], T], [m, n, [{a, 1} | b], T], [m, n, [{a, 1}, {a, 1}, {1, 1}], T]]].

looked() ->
    [{records, F, [R]} || F <- [get_module, get_name, get_field_names, is_exported], R <- some() ++ others()] ++ [{erlang, is_record, [R]} || R <- some() ++ others()] ++
    [{records, get, [K, R]} || K <- [a, b, 1, nope], R <- some() ++ others()] ++
    [{records, get_definition, A} || A <- [[nope, nope], [1, a], [a, 1]]].

updated() ->
    [{records, update, [R, M, N, F]} || R <- lists:sublist(some(), 7) ++ [a], {M, N} <- [{m, n}, {m, x}, {'_', '_'}, {1, '_'}, {1, n}, {m, 2}], F <- [#{}, a, #{a => new}, #{1 => 2}, #{nope => 1}]] ++
    [{records, update, [new(m, n, [{b, 2}, {a, 1}]), m, n, #{a => x, b => y}]}].

ordered() -> [{erlang, Op, [A, B]} || Op <- ['<', '==', '=:='], A <- some() ++ others(), B <- some() ++ others()].

written() ->
    [{erlang, term_to_binary, [R, [{minor_version, V}]]} || R <- some(), V <- [1, 2]] ++ [{erlang, external_size, [R, [{minor_version, 2}]]} || R <- some()] ++
    [{erlang, phash2, [R]} || R <- lists:sublist(some(), 6)]. %% of more fields it depends on the indices of atoms

read() ->
    [{erlang, binary_to_term, [<<131, 67, B/binary>>]} || B <-
        [<<0:32, 1, 119, 1, $m, 119, 1, $n>>, <<0:32, 2, 119, 1, $m, 119, 1, $n>>, <<1:32, 1, 119, 1, $m, 119, 1, $n, 97, 1, 97, 2>>, <<1:32, 1, 119, 1, $m, 119, 1, $n, 119, 1, $a, 97, 2>>,
         <<2:32, 1, 119, 1, $m, 119, 1, $n, 119, 1, $a, 119, 1, $a, 97, 2, 97, 3>>, <<2:32, 1, 119, 1, $m, 119, 1, $n, 119, 1, $a, 119, 1, $b, 97, 2, 97, 3>>, <<1:32, 1, 97, 1, 119, 1, $n, 119, 1, $a, 97, 2>>,
         <<1:32, 1, 119, 1, $m, 97, 1, 119, 1, $a, 97, 2>>, <<1:32, 0, 119, 1, $m, 119, 1, $n, 119, 1, $a>>, <<16#ffffffff:32, 0, 119, 1, $m, 119, 1, $n, 119, 1, $a>>]] ++
    [{erlang, binary_to_term, [term_to_binary(R)]} || R <- some()].
