%% Match specifications on single terms: what they make of them, and what is said about those that are none.
-module(match_specs).
-export([main/0]).

main() ->
    [test(S, table, M) || S <- [{a, 1}, {1, 2, 3}, {x, [1, 2 | 3]}, {#{k => 1, l => 2}, y}, {"abc", <<"bin">>}], M <- patterns()],
    [test({a, 5, 2.5, [1, 2], <<1, 2, 3>>, #{m => n}, {t, u}}, table, [{{'$1', '$2', '$3', '$4', '$5', '$6', '$7'}, [], [E]}]) || E <- expressions()],
    [test({a, 5}, table, [{{'$1', '$2'}, G, [ok]}]) || G <- guards()],
    [test([a, 5], trace, M) || M <- calls()],
    [test({a, 1}, table, M) || M <- mistakes()],
    [test([a, 1], trace, M) || [{P, _, _}] = M <- mistakes(), is_atom(P)],
    [t:show(io_lib:format("run ~0p", [M]), fun() -> ets:match_spec_run([{1, a}, {2, b}, {3, c}, d], ets:match_spec_compile(M)) end) || M <- [[{{'$1', '_'}, [{'>', '$1', 1}], ['$_']}], [{'$1', [], ['$$']}], [{{1, '$1'}, [], ['$1']}, {'_', [], [other]}]]],
    [t:show(compile, fun() -> ets:match_spec_compile(M) end) || M <- [[{foo}], foo, [{'$1', [], []}], [{'$1', [], ['$2']}], [{'$1', [{foo}], ['$1']}], [a | b]]],
    t:show(compiled, fun() -> {ets:is_compiled_ms(ets:match_spec_compile([{'_', [], [true]}])), ets:is_compiled_ms(foo), ets:is_compiled_ms(make_ref())} end).

test(S, Dialect, M) -> t:show(io_lib:format("~w ~0p ~0p", [Dialect, S, M]), fun() -> erlang:match_spec_test(S, M, Dialect) end).

patterns() ->
    [[{P, [], ['$$']}] || P <- ['_', '$1', {'$1', '$2'}, {'$2', '$1'}, {a, '$5'}, {'$1', '$1'}, {'_', '$1', '_'}, {x, [1 | '$1']}, {x, ['$3', '$2' | '$1']}, {#{k => '$1'}, '_'}, {#{k => 1}, '$1'}, {#{}, '$1'},
                                {#{z => '$1'}, y}, {"abc", '$1'}, {[$a | '$1'], <<"bin">>}, {}, [], {'$1', '$2', '$1'}]] ++
    [[{{'$1', '$2'}, [], ['$_']}, {'_', [], [second]}], [{{'$1', '$2'}, [{is_atom, '$1'}], [{{'$2', '$1'}}]}, {{'$1', '$2'}, [], [{{'$1'}}]}]].

expressions() ->
    ['$_', '$$', '$1', 42, <<"x">>, [], ['$1', '$2' | '$3'], {{'$1', '$2'}}, {{}}, {{'$1', {{'$2'}}}}, {const, '$1'}, {const, {a, '$1', {b}}}, #{'$1' => '$2'}, #{a => {{'$1'}}}, "text", {'+', '$2', 1}, {'-', '$2'}, {'*', '$2', '$3'}, {'/', '$2', 2},
     {'div', '$2', 2}, {'rem', '$2', 3}, {'band', '$2', 4}, {'bor', '$2', 8}, {'bxor', '$2', 1}, {'bnot', '$2'}, {'bsl', '$2', 3}, {'bsr', '$2', 1}, {'>', '$2', 4}, {'=:=', '$2', 5.0}, {'==', '$2', 5.0}, {'=/=', '$1', b}, {'/=', '$1', a},
     {hd, '$4'}, {tl, '$4'}, {hd, '$1'}, {length, '$4'}, {length, '$1'}, {size, '$7'}, {byte_size, '$5'}, {bit_size, '$5'}, {map_size, '$6'}, {map_get, m, '$6'}, {map_get, z, '$6'}, {is_map_key, m, '$6'}, {element, 2, '$_'}, {element, 9, '$_'}, {abs, {'-', '$2'}},
     {round, '$3'}, {trunc, '$3'}, {float, '$2'}, {node}, {node, '$1'}, {is_record, '$7', t, 2}, {is_record, '$7', u, 2}, {binary_part, '$5', 1, 2}, {binary_part, '$5', {{0, 1}}}, {'not', true}, {'xor', true, false}, {'and', true, true, false}, {'or', false, true}, {'and', true, x},
     {'andalso', true, false}, {'andalso', false, x}, {'orelse', true, x}, {'orelse', false, true}, {'orelse', x, true}, {is_atom, '$1'}, {is_float, '$3'}, {is_list, '$4'}, {is_map, '$6'}, {is_binary, '$5'}, {is_function, '$1'}, {is_reference, '$1'}, {is_port, '$1'}, {is_pid, '$1'}, {is_number, '$2'}].

guards() ->
    [[], [true], [false], [foo], [{is_atom, '$1'}], [{is_atom, '$2'}], [{'<', '$2', 6}, {'>', '$2', 4}], [{'<', '$2', 6}, {'>', '$2', 7}], [{hd, '$1'}], [{'==', {hd, '$1'}, 1}], [{'orelse', true, {hd, '$1'}}], [{'or', true, {hd, '$1'}}], [{'=:=', '$1', {const, a}}], [{'=:=', {{'$1', '$2'}}, {const, {a, 5}}}], ['$1']].

calls() ->
    [[{P, G, B}] || P <- ['_', '$1', ['$1', '$2'], ['$1'], ['_', 5], ['$1' | '$2']], G <- [[], [{'>', {length, '$_'}, 1}]], B <- [[], [true], ['$_'], ['$$']]].

mistakes() ->
    [[{'$1', [], ['$2']}], [{'$1', [{foo, '$1'}], ['$1']}], [{'$1', [{foo}], ['$9', {bar, 1, 2}]}], [{{'$1', '$2'}, [{const}], [{const, 1, 2}]}], [{'_', [{'and'}], [{'or'}]}], [{'_', [{'andalso'}], [{'orelse'}]}],
     [{'_', [{self, 1}], [true]}], [{'_', [], [{1, 2}]}], [{'_', [], [{{a}, b}]}], [{'_', foo, [true]}], [{'_', [true | foo], [true]}], [{#{'$1' => a}, [], [true]}], [{{#{'_' => a}, b}, [], [true]}],
     [{'_', [{is_atom, '$1', 2}], [{element}]}], [{'_', [], [{'$1', 2}]}], [{'_', [{hd}], [true]}]].
