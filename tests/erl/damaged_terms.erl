%% Attributes and compilation information that are no terms: which files are loaded, and what their modules tell of themselves.
-module(damaged_terms).
-export([main/0]).

main() ->
    logger:set_primary_config(level, none),
    {ok, M, File} = compile:forms([{attribute, 1, module, damaged_terms_x}, {attribute, 1, export, [{f, 0}]}, {attribute, 1, vsn, 1},
                                   {function, 1, f, 0, [{clause, 1, [], [], [{atom, 1, ok}]}]}], [deterministic]),
    {ok, _, Chunks} = beam_lib:all_chunks(File),
    load("whole", M, Chunks),
    [load(Chunk ++ " " ++ Name, M, lists:keyreplace(Chunk, 1, Chunks, {Chunk, Bytes})) ||
        Chunk <- ["Attr", "CInf"],
        {Name, Bytes} <- [{"empty", <<>>}, {"junk", <<1, 2, 3>>}, {"version only", <<131>>}, {"cut off", <<131, 108, 5:32, 97, 1>>},
                          {"another term", term_to_binary(1)}, {"and more", <<(term_to_binary([{a, [b]}]))/binary, 1, 2, 3>>},
                          {"compressed", term_to_binary(lists:duplicate(1000, {a, [b]}), [compressed])},
                          {"of all kinds", term_to_binary([{a, 1, 1000, 1.5, 1 bsl 70, -1 bsl 3000, <<"x">>, <<1:3>>, "abc", [x | y], #{1 => 2}, fun lists:map/2,
                                                            list_to_tuple(lists:seq(1, 300)), 'ä', [], {}}])},
                          {"cut off inside", binary:part(term_to_binary([{a, [<<"abcdefghij">>]}]), 0, 20)},
                          {"a long list", <<131, 108, 16#ffffffff:32, 106>>}, {"no text for an atom", <<131, 119, 2, 255, 255>>}]].

load(Name, M, Chunks) ->
    {ok, File} = beam_lib:build_module(Chunks),
    t:show(Name, fun() -> erlang:load_module(M, File) end),
    [t:show(Name, fun() -> M:module_info(What) end) || What <- [attributes, compile]],
    code:purge(M),
    code:delete(M),
    code:purge(M).
